/*
 * sweep_table.h - what came of a sweep: a row a point, of all its repetitions, and the knee of throughput against latency.
 * A sweep without axes has one point: it is mere repetitions.
 */
#ifndef RUNNERS_SWEEP_TABLE_H
#define RUNNERS_SWEEP_TABLE_H

#include <stdbool.h>
#include <stdio.h>

#include "runners/sweep.h"
#include "stats/result.h"

struct json_writer; /* stats/json_writer.h */

/* Latencies are response times (in a closed loop the same as service times), in nanoseconds, of all runs together. */
struct sweep_row {
	struct sweep_point point;
	unsigned runs;
	double rate;   /* inferences/s: the runs' median */
	double spread; /* highest minus lowest rate of the runs ÷ rate */
	double mean;
	int64_t q50, q99, q999;
	double cpu; /* the client's seconds per inference, mean of the runs */
	uint64_t wrong, errors, timeouts;
	unsigned unstable;  /* runs that were to come to rest and did not */
	unsigned not_valid; /* runs with another verdict than VALID */
	bool knee;
};

/* Zero-initialise. */
struct sweep_table {
	struct sweep_row *rows; /* owned */
	size_t n;
	bool open_loop; /* the runs were */
	/* Of the last row: */
	double *rates; /* owned; sorted */
	struct histogram latencies;
};

void sweep_table_release(struct sweep_table *t);
/* Another run of a point: of the last row if that has the same point, else of a new one. ERR_NOMEM. */
int sweep_table_add(struct sweep_table *t, const struct sweep_point *point, const struct result *r) MUST_CHECK;

/*
 * Marks the knee (stats/knee.h) among the rows that differ in the load alone, for each setting of the rest. The load is
 * the rate of an open loop, the workers of a closed one; a sweep without it has no knee, nor have fewer than three loads. A
 * row with requests that failed is none.
 */
int sweep_table_find_knees(struct sweep_table *t, const struct sweep *s) MUST_CHECK;

void sweep_table_write_text(FILE *out, const struct sweep_table *t, const struct sweep *s);
void sweep_table_write_csv(FILE *out, const struct sweep_table *t, const struct sweep *s);
/* Members "KneeMethod" and "Points". */
void sweep_table_write_json(struct json_writer *w, const struct sweep_table *t, const struct sweep *s);

#endif
