/*
 * histogram.h - HDR histogram: counts of values with a fixed relative precision over a wide range.
 *
 * Layout and encodings are HdrHistogram's (Gil Tene; http://hdrhistogram.org), so its tools read what this writes.
 * A value over `highest` is never clipped in silence: it is counted in `saturated` and as `highest`.
 *
 * Values are laid out as floating point numbers are: m bits of mantissa ("sub-bucket"), the rest exponent ("bucket").
 * The first bucket has 2^m sub-buckets of the smallest width, 2^unit; each further one 2^(m-1) of double the width:
 *
 *	index   0 ......... 2^m-1 | 2^m ... | + 2^(m-1) ... |
 *	width   2^unit            | 2^(unit+1) | 2^(unit+2) |
 *
 * One thread may record while others read (merge from, copy from): counts and totals are relaxed atomics on both
 * sides. Everything else belongs to one thread.
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
	uint64_t mask;       /* all values of the first bucket */
	int first_magnitude; /* of the highest bit of a value of the first bucket, at the most: unit + m-1 */
	uint64_t total, saturated;
	int64_t min, max; /* of the recorded values, exact; INT64_MAX and 0 when empty */
	uint64_t *counts;
};

/* Latencies inside aibench: nanoseconds, 3 digits from 1 microsecond to 1 hour. The unit is 1 ns, for with a coarser
 * one (1 microsecond) a latency of 20 microseconds would be told to no more than 2.5 %. */
#define HISTOGRAM_LATENCY_LOWEST INT64_C(1)
#define HISTOGRAM_LATENCY_HIGHEST INT64_C(3600000000000)
#define HISTOGRAM_LATENCY_DIGITS 3

/* ERR_INVALID: digits not 1…5, lowest < 1, highest < 2·lowest, or a range and precision that 63 bits do not hold. */
int histogram_init(struct histogram *h, int64_t lowest, int64_t highest, int digits) MUST_CHECK;
int histogram_init_latency(struct histogram *h) MUST_CHECK;
void histogram_release(struct histogram *h);
void histogram_reset(struct histogram *h);

static inline void relaxed_add(uint64_t *counter, uint64_t n)
{
	/* A single writer: a load and a store do, and need no locked instruction. */
	__atomic_store_n(counter, __atomic_load_n(counter, __ATOMIC_RELAXED) + n, __ATOMIC_RELAXED);
}

/* value must be in [0, highest]. */
static inline uint32_t histogram_index(const struct histogram *h, int64_t value)
{
	uint64_t v = (uint64_t)value;
	int magnitude = 63 ^ __builtin_clzll(v | h->mask);
	uint32_t bucket = (uint32_t)(magnitude - h->first_magnitude);

	return (bucket << h->sub_bucket_magnitude) + (uint32_t)(v >> (magnitude - h->sub_bucket_magnitude));
}

/* Never allocates, never fails. A negative value counts as 0. */
static inline void histogram_record_n(struct histogram *h, int64_t value, uint64_t n)
{
	if (__builtin_expect(n == 0, 0))
		return;
	if (__builtin_expect(value < 0, 0))
		value = 0;
	if (__builtin_expect(value > h->highest, 0)) {
		relaxed_add(&h->saturated, n);
		value = h->highest;
	}
	relaxed_add(&h->counts[histogram_index(h, value)], n);
	relaxed_add(&h->total, n);
	if (value < __atomic_load_n(&h->min, __ATOMIC_RELAXED))
		__atomic_store_n(&h->min, value, __ATOMIC_RELAXED);
	if (value > __atomic_load_n(&h->max, __ATOMIC_RELAXED))
		__atomic_store_n(&h->max, value, __ATOMIC_RELAXED);
}

static inline void histogram_record(struct histogram *h, int64_t value)
{
	histogram_record_n(h, value, 1);
}

/* to += from: exact where the layouts are equal, else every bucket moves to the bucket of its middle value.
 * ERR_RANGE: values of from did not fit and are counted as saturated. */
int histogram_merge(struct histogram *to, const struct histogram *from);
/* The same with every value divided by divisor, fractions dropped: nanoseconds into a histogram of microseconds. */
int histogram_merge_scaled(struct histogram *to, const struct histogram *from, int64_t divisor);
/* to -= from, for the differences between two snapshots of one recorder; min and max of the result are those of its
 * buckets. ERR_INVALID: other layout; ERR_RANGE: from is no earlier state of to. to is untouched then. */
int histogram_subtract(struct histogram *to, const struct histogram *from) MUST_CHECK;
/* to = from; to was initialised with the same layout, else ERR_INVALID. */
int histogram_copy(struct histogram *to, const struct histogram *from) MUST_CHECK;
/* ret = now - before, then before = now: what came since the last call. Errors as histogram_subtract. */
int histogram_difference(struct histogram *ret, struct histogram *before, const struct histogram *now) MUST_CHECK;

/* Value at a percentile 0…100: the highest equivalent value of the bucket that holds rank
 * max(1, ceil(nextdown(p)·N/100)), never above max; at 0 min itself, at 100 max. 0 when empty. */
int64_t histogram_percentile(const struct histogram *h, double percentile);
/* Of the buckets' middle values, as HdrHistogram does. 0 when empty. */
double histogram_mean(const struct histogram *h);
double histogram_stddev(const struct histogram *h);

int64_t histogram_lowest_at(const struct histogram *h, uint32_t index);
int64_t histogram_middle_at(const struct histogram *h, uint32_t index);
int64_t histogram_highest_at(const struct histogram *h, uint32_t index);
int64_t histogram_lowest_equivalent(const struct histogram *h, int64_t value);
int64_t histogram_highest_equivalent(const struct histogram *h, int64_t value);

/* V2 compressed encoding in base64 ("HISTFAAA…"), NUL-terminated, appended to out. The number of saturated values
 * and the exact minimum and maximum are no part of it. */
int histogram_encode(const struct histogram *h, struct buf *out) MUST_CHECK;
/* The same of a histogram of nanoseconds, in microseconds: what AIBench's readers expect. */
int histogram_encode_microseconds(const struct histogram *h, struct buf *out) MUST_CHECK;
/* Reads such a text (from outside: nothing in it is trusted) into an uninitialised h; untouched on failure. Allocates as
 * much as the layout asks for, 50 MB for the largest there is. */
int histogram_decode(struct histogram *h, const char *text, size_t len, struct error *err) MUST_CHECK;

/* Percentile distribution text (.hgrm); values are divided by scale (1e6: nanoseconds to milliseconds).
 * ERR_IO: the stream failed. */
int histogram_write_hgrm(const struct histogram *h, FILE *out, int ticks_per_half_distance, double scale) MUST_CHECK;

#endif
