/*
 * bench_pacing.c - how late a bare loop is that only waits for the arrivals of a schedule, one after the other: what
 * sleeping, or spinning, is worth on this machine, and so what a generator can be held against. bench_self.sh runs it in
 * turn with our programs. A loop with work to do at each arrival, as a generator has, catches up only slowly after it was
 * held up: with WORK, it computes for so many nanoseconds after each.
 *
 *	bench_pacing sleep|spin|count constant|poisson SCHEDULE SECONDS SEED [WORK]
 *
 * prints the number of arrivals, and but for count the median, the 99th percentile and the maximum of its lateness in
 * nanoseconds.
 */
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>

#include "runners/arrival.h"
#include "stats/histogram.h"

/* As runners/worker.c and runners/runner.c have them. */
#define SPIN_WINDOW (100 * NSEC_PER_USEC)
#define AWAKE (2 * NSEC_PER_MSEC)

static nsec_t wait_until(nsec_t due, bool spin)
{
	nsec_t until = spin ? due - SPIN_WINDOW : due, now = clock_now();
	struct timespec ts = {.tv_sec = until / NSEC_PER_SEC, .tv_nsec = until % NSEC_PER_SEC};

	if (until > now)
		clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, NULL);
	while ((now = clock_now()) < due)
		;
	return now;
}

static uint64_t count(struct arrival *a, nsec_t end)
{
	while (arrival_next(a) < end)
		arrival_advance(a);
	return arrival_number(a);
}

/* By the number of turns, not by the clock: what is taken from this thread must be made up for. */
static void compute(uint64_t turns)
{
	for (volatile uint64_t i = 0; i < turns; i++)
		;
}

static uint64_t turns_for(nsec_t work)
{
	const uint64_t turns = 10000;
	nsec_t fastest = NSEC_NEVER;

	for (int i = 0; i < 200; i++) {
		nsec_t start = clock_now(), took;
		compute(turns);
		took = clock_now() - start;
		fastest = took < fastest ? took : fastest;
	}
	return turns * (uint64_t)work / (uint64_t)fastest;
}

static void measure(struct arrival *a, nsec_t end, bool spin, uint64_t turns, struct histogram *lag)
{
	/* as the workers' threads */
	prctl(PR_SET_TIMERSLACK, 1UL);
	for (; arrival_next(a) < end; arrival_advance(a)) {
		histogram_record(lag, wait_until(arrival_next(a), spin) - arrival_next(a));
		compute(turns);
	}
}

static int use(void)
{
	fputs("bench_pacing sleep|spin|count constant|poisson SCHEDULE SECONDS SEED [WORK]\n", stderr);
	return 2;
}

int main(int argc, char **argv)
{
	struct rate_schedule schedule;
	struct arrival_config cfg = {.schedule = &schedule, .batch = 1, .threads = 1};
	struct histogram lag;
	struct arrival a;
	struct error err;
	uint64_t turns;
	nsec_t end;

	if (argc != 6 && argc != 7)
		return use();
	if (rate_schedule_parse(&schedule, argv[3], &err) < 0) {
		fprintf(stderr, "bench_pacing: %s\n", err.text);
		return 2;
	}
	cfg.process = strcmp(argv[2], "poisson") == 0 ? ARRIVAL_POISSON : ARRIVAL_CONSTANT;
	cfg.seed = strtoull(argv[5], NULL, 10);
	turns = argc == 7 ? turns_for((nsec_t)strtoll(argv[6], NULL, 10)) : 0;
	cfg.start = clock_now() + AWAKE;
	end = cfg.start + (nsec_t)(strtod(argv[4], NULL) * (double)NSEC_PER_SEC);
	if (arrival_init(&a, &cfg) < 0 || histogram_init_latency(&lag) < 0)
		return 1;
	if (strcmp(argv[1], "count") == 0) {
		printf("%" PRIu64 "\n", count(&a, end));
	} else {
		measure(&a, end, strcmp(argv[1], "spin") == 0, turns, &lag);
		printf("%" PRIu64 " %" PRId64 " %" PRId64 " %" PRId64 "\n", lag.total, histogram_percentile(&lag, 50),
		       histogram_percentile(&lag, 99), lag.max);
	}
	histogram_release(&lag);
	return 0;
}
