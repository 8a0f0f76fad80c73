/*
 * client.h - a worker of one test: opens a driver and drives it as a runner does.
 */
#ifndef TESTS_DRIVERS_CLIENT_H
#define TESTS_DRIVERS_CLIENT_H

#include "drivers/driver.h"
#include "workloads/fraud.h"

#define CLIENT_SLOTS_MAX 64

struct client_config {
	const struct driver_ops *ops;
	const void *options;
	unsigned slots, batch; /* batch 0: 1 */
	bool reference, stages;
	uint64_t first_id;
	nsec_t timeout; /* 0: 10 s */
	const char *user, *password, *unix_socket;
};

/* What became of requests. */
struct tally {
	unsigned outcomes[OUTCOME_MAX];
	char text[ERROR_TEXT_MAX]; /* of the last that failed */
};

struct client {
	const struct driver_ops *ops;
	struct driver *driver;
	struct workload *workload;
	struct conn_options conn;
	unsigned slots, batch;
	unsigned finished; /* since the last collection */
	struct tally tally;
	struct request requests[CLIENT_SLOTS_MAX];
	unsigned char rows[CLIENT_SLOTS_MAX][4 * FRAUD_ROW_SIZE];
};

/* 0 or the driver's code. */
int client_open(struct client *c, const struct client_config *cfg, struct error *err);
void client_close(struct client *c);
/* Submits row id on the slot, polling on while the slot reconnects. */
void client_submit(struct client *c, unsigned slot, uint64_t id);
/* Polls until n requests finished. Answers are judged. Ends the test after 20 s without any. */
void client_collect(struct client *c, unsigned n, struct tally *t);
/* n requests, ids from first, over all slots. */
void client_run(struct client *c, uint64_t first, unsigned n, struct tally *t);

#endif
