/*
 * redis_data.h - stores a dataset's reference data in Redis: one server, or all shards of a cluster.
 *
 * One thread drives all connections; rows go out as they lie in the mapped file. Each worker is a connection to every
 * shard.
 */
#ifndef LOADERS_REDIS_DATA_H
#define LOADERS_REDIS_DATA_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/clock.h"
#include "common/error.h"
#include "net/conn.h"
#include "workloads/workload.h"

/* Counters at one moment of a load. */
struct load_progress {
	nsec_t wall; /* since the epoch */
	nsec_t since_start, since_last;
	uint64_t commands; /* answered with OK so far */
	uint64_t commands_before;
};

struct redis_data_config {
	const struct endpoint *endpoint;
	const struct tls_config *tls; /* NULL: plain */
	const struct conn_options *conn;
	unsigned database; /* SELECTed unless 0 */
	const struct workload_spec *spec;
	const char *path;     /* dataset; NULL or "-": standard input */
	uint64_t max_inserts; /* rows; 0: all */
	unsigned workers, pipeline;
	bool set_blob, set_tensor;
	bool cluster_mode; /* the server must be able to say whether it is a cluster; one is recognised without, too */
	nsec_t reporting_period; /* 0: none */
	void (*report)(void *arg, const struct load_progress *p);
	void *arg;
	const atomic_int *stop; /* non-zero ends the load; may be NULL */
};

struct redis_data_summary {
	uint64_t commands;
	nsec_t took;
	unsigned shards;
	bool cluster;
};

/* ERR_CANCELED: stopped; *ret is filled all the same, unless connections were still being made. */
int redis_data_load(struct redis_data_summary *ret, const struct redis_data_config *cfg, struct error *err) MUST_CHECK;

#endif
