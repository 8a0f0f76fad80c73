/*
 * bench_recorder.c - what recording costs: nanoseconds of CPU a call, median of several rounds. usage: bench_recorder.
 */
#include <stdio.h>

#include "bench/measure.h"
#include "common/rng.h"
#include "stats/recorder.h"

#define ROUNDS 11
#define CALLS 2000000
#define LATENCIES 4096 /* a power of two; latencies of about 20 to 400 microseconds */

static void print_median(const char *what, double *rounds)
{
	printf("%-30s %6.2f ns a call\n", what, median(rounds, ROUNDS));
}

static void bench_histogram(struct histogram *h, const nsec_t *latencies)
{
	double rounds[ROUNDS];

	for (int r = 0; r < ROUNDS; r++) {
		nsec_t start = cpu_now();

		for (int i = 0; i < CALLS; i++)
			histogram_record(h, latencies[i & (LATENCIES - 1)]);
		rounds[r] = (double)(cpu_now() - start) / CALLS;
	}
	print_median("histogram_record", rounds);
}

static void bench_recorder(const char *what, struct recorder *rec, const nsec_t *latencies)
{
	double rounds[ROUNDS];

	for (int r = 0; r < ROUNDS; r++) {
		nsec_t start = cpu_now();

		for (int i = 0; i < CALLS; i++) {
			struct stamps s = {.intended = i, .sent = i + 100};

			s.received = s.sent + latencies[i & (LATENCIES - 1)];
			recorder_record(rec, &s, OUTCOME_OK, 1);
		}
		rounds[r] = (double)(cpu_now() - start) / CALLS;
	}
	print_median(what, rounds);
}

static void bench_snapshot(const struct recorder *from, struct recorder *sum)
{
	double rounds[ROUNDS];

	for (int r = 0; r < ROUNDS; r++) {
		nsec_t start = cpu_now();

		recorder_add_to(from, sum);
		rounds[r] = (double)(cpu_now() - start);
	}
	print_median("recorder_add_to, open loop", rounds);
}

int main(void)
{
	static nsec_t latencies[LATENCIES];
	struct recorder closed, open, sum;
	struct rng rng;

	if (recorder_init(&closed, false) < 0 || recorder_init(&open, true) < 0 || recorder_init(&sum, true) < 0)
		return 1;
	rng_init(&rng, 1);
	for (int i = 0; i < LATENCIES; i++)
		latencies[i] = 20000 + (nsec_t)(40000 * rng_exponential(&rng));
	bench_histogram(&closed.service, latencies);
	bench_recorder("recorder_record, closed loop", &closed, latencies);
	bench_recorder("recorder_record, open loop", &open, latencies);
	bench_snapshot(&open, &sum);
	recorder_release(&closed);
	recorder_release(&open);
	recorder_release(&sum);
	return 0;
}
