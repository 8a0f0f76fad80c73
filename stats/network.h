/*
 * network.h - the way to the server, as it was before a run: what a result's latencies are to be seen against.
 */
#ifndef STATS_NETWORK_H
#define STATS_NETWORK_H

#include <stdbool.h>
#include <stdio.h>

#include "common/clock.h"
#include "common/error.h"

struct json_writer; /* stats/json_writer.h */

#define NETWORK_PINGS 1000

/* Texts are empty and numbers 0 where there is nothing to say. */
struct network {
	char server[128];   /* the first one of the run */
	char interface[32]; /* that leads to it; "" also for a Unix socket */
	bool unix_socket, loopback;
	unsigned mtu, speed_mbits;
	/* The baseline: round trips of the smallest request there is, of the server or else of this program with itself. */
	char ping[32]; /* what was sent: "Redis PING"; "": nothing was measured */
	bool to_itself;
	struct error why; /* to_itself: why not to the server */
	unsigned round_trips;
	nsec_t min, q50, q99, max;
};

/* Sets round trips and quantiles; percentile p of n sorted times is times[floor(n p)]. Sorts times; n > 0. */
void network_set_times(struct network *n, nsec_t *times, unsigned ntimes);

void network_write_text(FILE *out, const struct network *n);             /* one line, or none */
void network_write_json(struct json_writer *w, const struct network *n); /* "Network", "NetworkBaseline" */

#endif
