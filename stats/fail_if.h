/*
 * fail_if.h - limits for differences, for a build that fails when a change makes things slower: "p99>+5%,rate<-2%".
 *
 * A limit is broken when the runs show it: when the whole interval of the difference lies beyond it. A difference
 * that looks larger and may be chance breaks nothing. Of several limits each has its share of the level (Bonferroni),
 * so that of runs that break none any limit is called broken with a probability of 1 - confidence at the most.
 */
#ifndef STATS_FAIL_IF_H
#define STATS_FAIL_IF_H

#include "stats/comparison.h"

#define LIMITS_MAX 16

struct limit {
	enum comparison_metric metric;
	bool above;     /* broken by differences above it; else by those below it */
	double percent; /* of B against A */
};

struct fail_if {
	struct limit limits[LIMITS_MAX];
	size_t n;
};

enum limit_state {
	LIMIT_BROKEN,  /* shown */
	LIMIT_KEPT,    /* the whole interval lies on the right side */
	LIMIT_OPEN,    /* the interval lies across it: more repetitions would tell */
	LIMIT_TOO_FEW, /* repetitions, or a run has no such figure */
};

/* METRIC>+N% or METRIC<-N%, several with commas between them; "": none. ERR_USAGE. */
int fail_if_parse(struct fail_if *ret, const char *text, struct error *err) MUST_CHECK;

struct limit_finding {
	enum limit_state state;
	double low, high; /* the interval it was judged by, in percent; NAN when too few */
};

struct limit_finding limit_judge(const struct fail_if *f, size_t i, const struct comparison *c);

/* A limit is broken; strict: or there was too little to tell. */
bool fail_if_fails(const struct fail_if *f, const struct comparison *c, bool strict);

/* "p99>+5%"; returns buf. */
const char *limit_text(char *buf, size_t size, const struct limit *l);
const char *limit_state_text(enum limit_state s);

#endif
