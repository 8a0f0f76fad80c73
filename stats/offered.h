/*
 * offered.h - what a run asked of the server and when: arrival process, schedule, order of the rows, limits of time, and
 * how much was due.
 */
#ifndef STATS_OFFERED_H
#define STATS_OFFERED_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "common/clock.h"

struct result;
struct json_writer;

struct offered {
	const char *process;      /* "closed", "constant", "poisson"; NULL: nobody said */
	char *schedule;           /* owned by the result; inferences/s as -rate has them; NULL: closed */
	const char *order;        /* "sequential", "shuffled", "drawn" */
	bool repeat;              /* the dataset, where it ended */
	uint64_t seed;            /* of schedule and order */
	nsec_t warm_up, duration; /* 0: none */
	uint64_t at_least;        /* inferences */
	unsigned batch;           /* inferences a request */
	/* Measured requests that were due: answered, unanswered and unsent. When the first and the last of them were, and when
	 * the window of time began and ended in which they were; until 0: the run was stopped within it. */
	uint64_t requests;
	nsec_t first, last, from, until;
	bool ran_dry; /* the dataset ended before time, schedule or limit did */
};

/* Inferences/s of the schedule as it was in the measured window; if that was cut short, from the first to the last of them. 0
 * in a closed loop and where there is nothing to divide by. */
double offered_rate(const struct offered *o);

/* Lines of the text report: the rate offered and achieved, and what is particular about order and limits. */
void offered_write_text(FILE *out, const struct result *r);
/* The member "Offered". */
void offered_write_json(struct json_writer *w, const struct result *r);

#endif
