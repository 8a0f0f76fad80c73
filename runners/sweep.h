/*
 * sweep.h - which points a sweep has: "workers=1..8;batch=1,8" is a grid of eight.
 */
#ifndef RUNNERS_SWEEP_H
#define RUNNERS_SWEEP_H

#include <stddef.h>

#include "common/error.h"

#define SWEEP_VALUES_MAX 128
#define SWEEP_POINTS_MAX 4096

enum sweep_variable { SWEEP_WORKERS, SWEEP_RATE, SWEEP_BATCH, SWEEP_SERVER_BATCH, SWEEP_VARIABLES };

struct sweep_axis {
	enum sweep_variable variable;
	unsigned n;
	double values[SWEEP_VALUES_MAX];
};

/* The first axis is the slowest. */
struct sweep {
	unsigned naxes;
	struct sweep_axis axes[SWEEP_VARIABLES];
	size_t points;
};

/* Of a point; NAN: not swept. */
struct sweep_point {
	double values[SWEEP_VARIABLES];
};

/* As options spell it: "server-batch". */
const char *sweep_variable_name(enum sweep_variable v);

/*
 * Variables joined by ';' or spaces; of each its values: 1,2,4 or a range that doubles (4..64 is 4, 8, 16, 32, 64) or steps
 * (10..50+10), in any mixture; a range ends at its last value whether it hits it or not. Rates are numbers, the others whole
 * ones. ERR_USAGE with what is wrong.
 */
int sweep_parse(struct sweep *ret, const char *text, struct error *err) MUST_CHECK;
/* NULL: v is not swept. */
const struct sweep_axis *sweep_axis_of(const struct sweep *s, enum sweep_variable v);
/* index < s->points. */
void sweep_point_at(struct sweep_point *ret, const struct sweep *s, size_t index);
/* "workers_4_batch_8", for the names of files; cut at the end where size does not do (128 always does). Returns buf. */
const char *sweep_point_name(char *buf, size_t size, const struct sweep_point *p);

#endif
