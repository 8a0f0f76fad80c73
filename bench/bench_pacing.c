/*
 * How late a bare loop is that only waits for the arrivals of a schedule, one after the other: what sleeping, or spinning,
 * is worth on this machine, and so what a generator can be held against. bench_self.sh runs it in turn with our programs.
 *
 *	bench_pacing sleep|spin|count constant|poisson SCHEDULE SECONDS SEED
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

/* As runners/worker.c has it. */
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

static void measure(struct arrival *a, nsec_t end, bool spin, struct histogram *lag)
{
	/* as the workers' threads */
	prctl(PR_SET_TIMERSLACK, 1UL);
	for (; arrival_next(a) < end; arrival_advance(a))
		histogram_record(lag, wait_until(arrival_next(a), spin) - arrival_next(a));
}

static int use(void)
{
	fputs("bench_pacing sleep|spin|count constant|poisson SCHEDULE SECONDS SEED\n", stderr);
	return 2;
}

int main(int argc, char **argv)
{
	struct rate_schedule schedule;
	struct arrival_config cfg = {.schedule = &schedule, .batch = 1, .threads = 1};
	struct histogram lag;
	struct arrival a;
	struct error err;
	nsec_t end;

	if (argc != 6)
		return use();
	if (rate_schedule_parse(&schedule, argv[3], &err) < 0) {
		fprintf(stderr, "bench_pacing: %s\n", err.text);
		return 2;
	}
	cfg.process = strcmp(argv[2], "poisson") == 0 ? ARRIVAL_POISSON : ARRIVAL_CONSTANT;
	cfg.seed = strtoull(argv[5], NULL, 10);
	cfg.start = clock_now() + AWAKE;
	end = cfg.start + (nsec_t)(strtod(argv[4], NULL) * (double)NSEC_PER_SEC);
	if (arrival_init(&a, &cfg) < 0 || histogram_init_latency(&lag) < 0)
		return 1;
	if (strcmp(argv[1], "count") == 0) {
		printf("%" PRIu64 "\n", count(&a, end));
	} else {
		measure(&a, end, strcmp(argv[1], "spin") == 0, &lag);
		printf("%" PRIu64 " %" PRId64 " %" PRId64 " %" PRId64 "\n", lag.total, histogram_percentile(&lag, 50),
		       histogram_percentile(&lag, 99), lag.max);
	}
	histogram_release(&lag);
	return 0;
}
