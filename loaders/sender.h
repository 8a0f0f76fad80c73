/*
 * sender.h - one connection that keeps up to `pipeline` stores on their way.
 *
 * A batch of commands is formatted, sent with the rows' bytes as they lie in the dataset, and refilled when half of the
 * pipeline has been answered, so that the server never waits for the client. Never blocks.
 */
#ifndef LOADERS_SENDER_H
#define LOADERS_SENDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/clock.h"
#include "loaders/command.h"
#include "net/conn.h"

/* One row of the dataset; k is its number there. */
struct load_row {
	uint64_t k;
	const unsigned char *bytes;
};

/* What the senders of a load share. take answers 0, ERR_AGAIN (none now) or ERR_NOT_FOUND (none any more). */
struct sender_source {
	void *arg;
	int (*take)(void *arg, unsigned shard, struct load_row *ret, struct error *err);
	void (*give)(void *arg, uint64_t k);
	struct load_command commands[2]; /* for every row, in this order */
	unsigned ncommands;
	size_t value_offset, value_size; /* of the row's bytes that are stored */
};

struct sender;

/* Where a sender sends. */
struct sender_place {
	struct conn *conn;  /* open; the sender's on success */
	const char *server; /* for messages; outlives the sender */
	unsigned shard;
};

int sender_new(struct sender **ret, const struct sender_place *place, unsigned pipeline,
	       const struct sender_source *source) MUST_CHECK;
void sender_free(struct sender *s);
int sender_fd(const struct sender *s);
const char *sender_server(const struct sender *s);

/*
 * Reads and writes as much as goes without waiting; after that edge-triggered readiness of the descriptor is the time
 * to call again. *count: OKs that came. Errors are final: what the server answered, or a broken connection.
 */
int sender_pump(struct sender *s, nsec_t now, uint64_t *count, struct error *err) MUST_CHECK;
/* Rows ran out for now: call sender_pump again when there may be more. */
bool sender_is_starved(const struct sender *s);
/* Nothing is on its way. */
bool sender_is_idle(const struct sender *s);
/* When something last moved, if anything is on its way; else NSEC_NEVER. */
nsec_t sender_waits_since(const struct sender *s);

#endif
