/*
 * histogram.h - HDR histogram: counts of values with a fixed relative precision over a wide range.
 *
 * Layout and encodings are HdrHistogram's (Gil Tene; http://hdrhistogram.org), so its tools read what this writes.
 * A value over `highest` is never clipped in silence: it is counted in `saturated` and as `highest`.
 */
#ifndef STATS_HISTOGRAM_H
#define STATS_HISTOGRAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "common/buf.h"
#include "common/error.h"

struct histogram {
	int64_t lowest, highest;                  /* lowest discernible and highest trackable value */
	int digits;                               /* significant decimal digits, 1 to 5 */
	int unit_magnitude, sub_bucket_magnitude; /* unit; m-1 of the layout */
	uint32_t ncounts;
	uint64_t total, saturated;
	int64_t min, max; /* of the recorded values, exact; INT64_MAX and 0 when empty */
	uint64_t *counts;
};

/* Latencies inside aibench: nanoseconds, 1 µs to 1 hour at 3 digits. */
#define HISTOGRAM_LATENCY_LOWEST INT64_C(1000)
#define HISTOGRAM_LATENCY_HIGHEST INT64_C(3600000000000)
#define HISTOGRAM_LATENCY_DIGITS 3

int histogram_init(struct histogram *h, int64_t lowest, int64_t highest, int digits) MUST_CHECK;
void histogram_release(struct histogram *h);
void histogram_reset(struct histogram *h);

/* Never allocates, never fails. A negative value counts as 0. */
void histogram_record(struct histogram *h, int64_t value);
void histogram_record_n(struct histogram *h, int64_t value, uint64_t n);

/* Adds all of from; exact where the layouts are equal, else every count moves to its value's bucket in `to`.
 * ERR_RANGE if values of from do not fit (they are counted as saturated). */
int histogram_merge(struct histogram *to, const struct histogram *from);
/* to -= from, for the differences between two snapshots of one recorder; layouts must be equal. min and max of
 * the result are those of its buckets. */
int histogram_subtract(struct histogram *to, const struct histogram *from);
int histogram_copy(struct histogram *to, const struct histogram *from);

/* Value at a percentile 0…100: the highest equivalent value of the bucket that holds rank
 * max(1, ceil(nextdown(p)·N/100)), never above max; at 0 the lowest recorded value's bucket. 0 when empty. */
int64_t histogram_percentile(const struct histogram *h, double percentile);
double histogram_mean(const struct histogram *h);
double histogram_stddev(const struct histogram *h);

uint32_t histogram_index(const struct histogram *h, int64_t value);
int64_t histogram_lowest_at(const struct histogram *h, uint32_t index);
int64_t histogram_highest_at(const struct histogram *h, uint32_t index);
int64_t histogram_lowest_equivalent(const struct histogram *h, int64_t value);
int64_t histogram_highest_equivalent(const struct histogram *h, int64_t value);

/* V2 compressed encoding in base64 ("HISTFAAA…"), NUL-terminated, appended to out. */
int histogram_encode(const struct histogram *h, struct buf *out) MUST_CHECK;
/* Reads that (from outside: nothing in it is trusted) into an uninitialised h. */
int histogram_decode(struct histogram *h, const char *text, size_t len, struct error *err) MUST_CHECK;

/* Percentile distribution text (.hgrm); values are divided by scale (1e6: nanoseconds to milliseconds). */
int histogram_write_hgrm(const struct histogram *h, FILE *out, int ticks_per_half_distance, double scale) MUST_CHECK;

#endif
