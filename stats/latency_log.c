/*
 * latency_log.c - memory for latencies, and their order.
 *
 * They are sorted by their digits of 16 bits, from the lowest to the highest. Digits that are the same in all values take
 * no pass, so latencies below 4 s take two, whatever their number.
 */
#include "stats/latency_log.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "common/arith.h"

#define DIGIT_BITS 16
#define DIGITS (64 / DIGIT_BITS)
#define DIGIT_VALUES (1U << DIGIT_BITS)

int latency_log_init(struct latency_log *l, uint64_t capacity, uint64_t expected)
{
	size_t size;
	void *values;

	if (capacity == 0 || capacity > SIZE_MAX || !size_mul(&size, (size_t)capacity, sizeof(*l->values)))
		return ERR_NOMEM;
	values = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (values == MAP_FAILED)
		return ERR_NOMEM;
	if (expected > capacity)
		expected = capacity;
	/* Written and not only advised: kernels before 5.14 cannot be asked for it. */
	memset(values, 0, (size_t)expected * sizeof(*l->values));
	*l = (struct latency_log){.values = values, .capacity = capacity};
	return 0;
}

void latency_log_release(struct latency_log *l)
{
	if (l->values)
		munmap(l->values, (size_t)l->capacity * sizeof(*l->values));
	*l = (struct latency_log){0};
}

static unsigned digit_of(nsec_t value, unsigned digit)
{
	return (unsigned)((uint64_t)value >> (digit * DIGIT_BITS)) % DIGIT_VALUES;
}

/* One pass, if the values differ in this digit: from `from` into `to`. starts: DIGIT_VALUES counters. */
static bool sort_by_digit(nsec_t *to, const nsec_t *from, uint64_t n, unsigned digit, uint64_t *starts)
{
	uint64_t sum = 0;

	memset(starts, 0, DIGIT_VALUES * sizeof(*starts));
	for (uint64_t i = 0; i < n; i++)
		starts[digit_of(from[i], digit)]++;
	if (starts[digit_of(from[0], digit)] == n)
		return false;
	for (unsigned v = 0; v < DIGIT_VALUES; v++) {
		uint64_t count = starts[v];

		starts[v] = sum;
		sum += count;
	}
	for (uint64_t i = 0; i < n; i++)
		to[starts[digit_of(from[i], digit)]++] = from[i];
	return true;
}

static int sort(struct latency_log *l)
{
	struct latency_log other;
	uint64_t *starts;

	if (l->n < 2)
		return 0;
	if (latency_log_init(&other, l->n, 0) < 0)
		return ERR_NOMEM;
	starts = malloc(DIGIT_VALUES * sizeof(*starts));
	if (!starts) {
		latency_log_release(&other);
		return ERR_NOMEM;
	}
	other.n = l->n;
	for (unsigned digit = 0; digit < DIGITS; digit++) {
		if (sort_by_digit(other.values, l->values, l->n, digit, starts)) {
			struct latency_log sorted = other;

			other = *l;
			*l = sorted;
		}
	}
	free(starts);
	latency_log_release(&other);
	return 0;
}

int latency_log_gather(struct latency_log *ret, struct latency_log *const *from, unsigned n)
{
	struct latency_log all = {0};
	uint64_t sum = 0;
	int r;

	for (unsigned i = 0; i < n; i++)
		sum += from[i]->n;
	if (n == 1) {
		/* as it is: a run of one thread may have most of the memory in its log */
		all = *from[0];
		*from[0] = (struct latency_log){0};
	} else {
		if (latency_log_init(&all, sum > 0 ? sum : 1, 0) < 0)
			return ERR_NOMEM;
		for (unsigned i = 0; i < n; i++) {
			if (from[i]->n)
				memcpy(all.values + all.n, from[i]->values, (size_t)from[i]->n * sizeof(*all.values));
			all.n += from[i]->n;
			latency_log_release(from[i]);
		}
	}
	r = sort(&all);
	if (r < 0)
		latency_log_release(&all);
	else
		*ret = all;
	return r;
}

nsec_t latency_log_percentile(const struct latency_log *sorted, double share)
{
	uint64_t index = (uint64_t)((double)sorted->n * share);

	if (sorted->n == 0)
		return 0;
	return sorted->values[index < sorted->n ? index : sorted->n - 1];
}

uint64_t latency_log_over(const struct latency_log *sorted, nsec_t bound)
{
	uint64_t low = 0, high = sorted->n; /* the first one over it lies in between */

	while (low < high) {
		uint64_t middle = low + (high - low) / 2;

		if (sorted->values[middle] > bound)
			high = middle;
		else
			low = middle + 1;
	}
	return sorted->n - low;
}
