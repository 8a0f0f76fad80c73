/*
 * histogram.c - layout, sums, differences and percentiles of the HDR histogram.
 */
#include "stats/histogram.h"

#include <math.h>
#include <stdlib.h>

/* unit + m may not exceed this, so that every value of the layout is an int64_t. */
#define MAGNITUDE_MAX 62

static int floor_log2(uint64_t v)
{
	return 63 - __builtin_clzll(v);
}

/* Buckets that it takes until the first value beyond them is above highest. */
static uint32_t buckets_needed(int64_t highest, int first_magnitude)
{
	int top = floor_log2((uint64_t)highest);

	return top < first_magnitude ? 1 : (uint32_t)(top - first_magnitude + 2);
}

int histogram_init(struct histogram *h, int64_t lowest, int64_t highest, int digits)
{
	struct histogram n = {.lowest = lowest, .highest = highest, .digits = digits, .min = INT64_MAX};
	uint64_t precision = 2;
	uint32_t buckets;
	int m;

	if (digits < 1 || digits > 5 || lowest < 1 || lowest > INT64_MAX / 2 || highest < 2 * lowest)
		return ERR_INVALID;
	for (int i = 0; i < digits; i++)
		precision *= 10;
	m = floor_log2(precision - 1) + 1;
	n.unit_magnitude = floor_log2((uint64_t)lowest);
	n.sub_bucket_magnitude = m - 1;
	if (n.unit_magnitude + m > MAGNITUDE_MAX)
		return ERR_INVALID;
	n.mask = ((UINT64_C(1) << m) - 1) << n.unit_magnitude;
	n.first_magnitude = n.unit_magnitude + n.sub_bucket_magnitude;
	buckets = buckets_needed(highest, n.unit_magnitude + m);
	n.ncounts = (buckets + 1) << n.sub_bucket_magnitude;
	n.counts = calloc(n.ncounts, sizeof(*n.counts));
	if (!n.counts)
		return ERR_NOMEM;
	*h = n;
	return 0;
}

int histogram_init_latency(struct histogram *h)
{
	return histogram_init(h, HISTOGRAM_LATENCY_LOWEST, HISTOGRAM_LATENCY_HIGHEST, HISTOGRAM_LATENCY_DIGITS);
}

void histogram_release(struct histogram *h)
{
	free(h->counts);
	*h = (struct histogram){0};
}

static uint64_t count_at(const struct histogram *h, uint32_t index)
{
	return __atomic_load_n(&h->counts[index], __ATOMIC_RELAXED);
}

/* Only what is not zero is written: a histogram takes memory for the values that it saw, not for its range. */
static void set_count(struct histogram *h, uint32_t index, uint64_t n)
{
	if (count_at(h, index) != n)
		__atomic_store_n(&h->counts[index], n, __ATOMIC_RELAXED);
}

static void set_summary(struct histogram *h, uint64_t total, uint64_t saturated, int64_t min, int64_t max)
{
	__atomic_store_n(&h->total, total, __ATOMIC_RELAXED);
	__atomic_store_n(&h->saturated, saturated, __ATOMIC_RELAXED);
	__atomic_store_n(&h->min, min, __ATOMIC_RELAXED);
	__atomic_store_n(&h->max, max, __ATOMIC_RELAXED);
}

void histogram_reset(struct histogram *h)
{
	for (uint32_t i = 0; i < h->ncounts; i++)
		set_count(h, i, 0);
	set_summary(h, 0, 0, INT64_MAX, 0);
}

static bool same_layout(const struct histogram *a, const struct histogram *b)
{
	return a->lowest == b->lowest && a->highest == b->highest && a->digits == b->digits;
}

int64_t histogram_lowest_at(const struct histogram *h, uint32_t index)
{
	uint32_t half = UINT32_C(1) << h->sub_bucket_magnitude;
	uint32_t bucket = index >> h->sub_bucket_magnitude;
	uint64_t sub = index & (half - 1);

	/* The first bucket has two halves, all others only an upper one. */
	if (bucket > 0) {
		bucket--;
		sub += half;
	}
	return (int64_t)(sub << (bucket + (uint32_t)h->unit_magnitude));
}

static int64_t width_at(const struct histogram *h, uint32_t index)
{
	uint32_t bucket = index >> h->sub_bucket_magnitude;

	return INT64_C(1) << ((bucket > 0 ? bucket - 1 : 0) + (uint32_t)h->unit_magnitude);
}

int64_t histogram_middle_at(const struct histogram *h, uint32_t index)
{
	return histogram_lowest_at(h, index) + width_at(h, index) / 2;
}

int64_t histogram_highest_at(const struct histogram *h, uint32_t index)
{
	return histogram_lowest_at(h, index) + (width_at(h, index) - 1);
}

static int64_t clamp(int64_t v, int64_t lo, int64_t hi)
{
	return v < lo ? lo : v > hi ? hi : v;
}

int64_t histogram_lowest_equivalent(const struct histogram *h, int64_t value)
{
	return histogram_lowest_at(h, histogram_index(h, clamp(value, 0, h->highest)));
}

int64_t histogram_highest_equivalent(const struct histogram *h, int64_t value)
{
	return histogram_highest_at(h, histogram_index(h, clamp(value, 0, h->highest)));
}

/* What a walk over a histogram's counts found; first and last are meaningless while total is 0. */
struct extent {
	uint64_t total;
	uint32_t first, last;
};

static void extent_add(struct extent *e, uint32_t index, uint64_t n)
{
	if (e->total == 0)
		e->first = index;
	e->last = index;
	e->total += n;
}

/*
 * Adds to's new summary after from's counts e were added. from's own minimum and maximum may lag behind its counts
 * while a writer is at work: they are taken to lie at least in the buckets that were seen.
 */
static void merge_summary(struct histogram *to, const struct histogram *from, const struct extent *e, int64_t divisor,
			  uint64_t saturated)
{
	int64_t min, max;

	if (e->total == 0)
		return;
	min = __atomic_load_n(&from->min, __ATOMIC_RELAXED);
	max = __atomic_load_n(&from->max, __ATOMIC_RELAXED);
	min = clamp(min, 0, histogram_highest_at(from, e->first)) / divisor;
	max = clamp(max, histogram_lowest_at(from, e->last), INT64_MAX) / divisor;
	min = clamp(min, 0, to->highest);
	max = clamp(max, 0, to->highest);
	set_summary(to, to->total + e->total, to->saturated + saturated, min < to->min ? min : to->min,
		    max > to->max ? max : to->max);
}

static void merge_equal(struct histogram *to, const struct histogram *from)
{
	struct extent e = {0};

	for (uint32_t i = 0; i < from->ncounts; i++) {
		uint64_t n = count_at(from, i);

		if (n == 0)
			continue;
		relaxed_add(&to->counts[i], n);
		extent_add(&e, i, n);
	}
	merge_summary(to, from, &e, 1, __atomic_load_n(&from->saturated, __ATOMIC_RELAXED));
}

int histogram_merge_scaled(struct histogram *to, const struct histogram *from, int64_t divisor)
{
	struct extent e = {0};
	uint64_t over = 0, saturated = __atomic_load_n(&from->saturated, __ATOMIC_RELAXED);

	if (divisor < 1)
		return ERR_INVALID;
	if (divisor == 1 && same_layout(to, from)) {
		merge_equal(to, from);
		return 0;
	}
	for (uint32_t i = 0; i < from->ncounts; i++) {
		uint64_t n = count_at(from, i);
		int64_t value;

		if (n == 0)
			continue;
		value = histogram_middle_at(from, i) / divisor;
		if (value > to->highest) {
			if (histogram_lowest_at(from, i) / divisor > to->highest)
				over += n;
			value = to->highest;
		}
		relaxed_add(&to->counts[histogram_index(to, value)], n);
		extent_add(&e, i, n);
	}
	/* from's own saturated values are in its last bucket: if anything is over here, they are among it. */
	merge_summary(to, from, &e, divisor, over ? over : saturated);
	return over ? ERR_RANGE : 0;
}

int histogram_merge(struct histogram *to, const struct histogram *from)
{
	return histogram_merge_scaled(to, from, 1);
}

int histogram_subtract(struct histogram *to, const struct histogram *from)
{
	struct extent e = {0};
	int64_t min = INT64_MAX, max = 0;

	if (!same_layout(to, from))
		return ERR_INVALID;
	if (from->saturated > to->saturated)
		return ERR_RANGE;
	for (uint32_t i = 0; i < to->ncounts; i++)
		if (from->counts[i] > to->counts[i])
			return ERR_RANGE;
	for (uint32_t i = 0; i < to->ncounts; i++) {
		uint64_t n = to->counts[i] - from->counts[i];

		set_count(to, i, n);
		if (n)
			extent_add(&e, i, n);
	}
	if (e.total) {
		min = clamp(histogram_lowest_at(to, e.first), to->min, INT64_MAX);
		max = clamp(histogram_highest_at(to, e.last), 0, to->max);
	}
	set_summary(to, e.total, to->saturated - from->saturated, min, max);
	return 0;
}

int histogram_copy(struct histogram *to, const struct histogram *from)
{
	struct extent e = {0};

	if (!same_layout(to, from))
		return ERR_INVALID;
	for (uint32_t i = 0; i < to->ncounts; i++) {
		uint64_t n = count_at(from, i);

		set_count(to, i, n);
		if (n)
			extent_add(&e, i, n);
	}
	set_summary(to, 0, 0, INT64_MAX, 0);
	merge_summary(to, from, &e, 1, __atomic_load_n(&from->saturated, __ATOMIC_RELAXED));
	return 0;
}

int histogram_difference(struct histogram *ret, struct histogram *before, const struct histogram *now)
{
	int r = histogram_copy(ret, now);

	if (r == 0)
		r = histogram_subtract(ret, before);
	return r < 0 ? r : histogram_copy(before, now);
}

int64_t histogram_percentile(const struct histogram *h, double percentile)
{
	uint64_t rank, seen = 0;
	double wanted;

	if (h->total == 0)
		return 0;
	if (!(percentile > 0)) /* NaN too */
		return h->min;
	if (percentile >= 100)
		return h->max;
	wanted = ceil(nextafter(percentile, 0) * (double)h->total / 100);
	rank = wanted < 1 ? 1 : wanted >= (double)h->total ? h->total : (uint64_t)wanted;
	for (uint32_t i = 0; i < h->ncounts; i++) {
		seen += h->counts[i];
		if (seen >= rank)
			return clamp(histogram_highest_at(h, i), h->min, h->max);
	}
	return h->max;
}

double histogram_mean(const struct histogram *h)
{
	double sum = 0;

	if (h->total == 0)
		return 0;
	for (uint32_t i = 0; i < h->ncounts; i++)
		if (h->counts[i])
			sum += (double)h->counts[i] * (double)histogram_middle_at(h, i);
	return sum / (double)h->total;
}

double histogram_stddev(const struct histogram *h)
{
	double mean = histogram_mean(h), sum = 0;

	if (h->total == 0)
		return 0;
	for (uint32_t i = 0; i < h->ncounts; i++) {
		double d;

		if (!h->counts[i])
			continue;
		d = (double)histogram_middle_at(h, i) - mean;
		sum += (double)h->counts[i] * d * d;
	}
	return sqrt(sum / (double)h->total);
}
