/*
 * driver.h - how to ask one kind of model server. One instance a worker thread, many connections ("slots") each.
 */
#ifndef DRIVERS_DRIVER_H
#define DRIVERS_DRIVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/clock.h"
#include "common/error.h"
#include "common/options.h"
#include "common/stamps.h"
#include "net/conn.h"
#include "net/ping.h"
#include "workloads/workload.h"

struct driver_ops;

/* What cmd/ has gathered for the drivers of all threads; immutable while they run. */
struct driver_config {
	const struct workload_spec *spec;
	const struct conn_options *conn;
	const void *options; /* the driver's own struct, filled through its table */
	unsigned batch;      /* tensor batch B */
	unsigned slots;      /* requests in flight of this instance; 0: control plane only */
	unsigned
		first_slot; /* this instance's slot 0 is worker first_slot of the run (round robin over hosts, key names) */
	bool stages;        /* stamp the stages of a request that the driver tells apart: up to two readings more */
	bool reference;     /* reference data is part of each inference */
	uint64_t first_id; /* of the dataset's first row: its reference data is looked for at open */
	uint64_t seed;
};

/* One finished request. Text and answer are views into the slot, valid until its next submit. */
struct completion {
	struct request *request;
	unsigned slot;
	enum outcome outcome; /* OK: an answer to be judged; ERROR, TIMEOUT: text says why */
	struct stamps stamps; /* the driver sets sent, received, stage[]; the runner intended */
	struct answer answer;
	const char *text;
};

/* How a request ended by the code of its exchange or call. */
static inline enum outcome outcome_of_code(int code)
{
	return code == 0 ? OUTCOME_OK : code == ERR_TIMEOUT ? OUTCOME_TIMEOUT : OUTCOME_ERROR;
}

/* Every driver's struct starts with this one. */
struct driver {
	const struct driver_ops *ops;
	const char *note; /* set by open: one line the user should read, e.g. that a setting has no effect; or NULL */
	/* Set by server_stats: one line on whose counters these are, where that was guessed; or NULL. */
	const char *stats_note;
	uint64_t reconnects; /* connections that were lost and came back; the worker's thread counts */
	unsigned stages;     /* set by open: bit s is 1 where completions have stamps.stage[s] */
};

/* Server-side counters as key and value texts, of one server ("host:port"). */
typedef void server_stat_fn(void *arg, const char *server, const char *key, const char *value);

struct driver_ops {
	const char *name;
	const struct option *options; /* the driver owns its options; may be NULL */
	size_t options_size;          /* of the struct that they fill */
	void (*options_defaults)(void *options);
	/* Resolves, connects all slots and asks the server whether it is ours and has the model, so that what is wrong
	 * is said before the first request. */
	int (*open)(struct driver **ret, const struct driver_config *cfg, struct error *err);
	/* Starts req on the idle slot; borrows req until poll hands it back. Never blocks. ERR_AGAIN: the slot is
	 * reconnecting, try later. */
	int (*submit)(struct driver *d, unsigned slot, struct request *req, nsec_t now);
	/* Waits until deadline at the latest, or until something finished; returns how many completions were stored,
	 * 0 also when a signal came or a slot that was reconnecting is ready again. deadline 0 only looks. A failure
	 * of a single request is a completion; a negative return ends the run. */
	int (*poll)(struct driver *d, nsec_t deadline, struct completion *done, int max, struct error *err);
	/* Asks every server for its counters now; blocks, so it is called on an instance of its own that was opened with
	 * slots = 0 (the reporting thread's). Optional. */
	int (*server_stats)(struct driver *d, server_stat_fn *fn, void *arg, struct error *err);
	/* How its first server answers a ping, for the network baseline; borrowed from d. Optional. */
	void (*ping_target)(const struct driver *d, struct ping_target *ret);
	void (*close)(struct driver *d);
};

/* NULL-terminated; the one list of drivers. */
extern const struct driver_ops *const drivers[];
const struct driver_ops *driver_find(const char *name);

#endif
