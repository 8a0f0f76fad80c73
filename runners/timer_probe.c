#include "runners/timer_probe.h"

#include <stdlib.h>
#include <sys/prctl.h>

#define READINGS 1000
#define SLEEPS 21
#define SLEEP (150 * NSEC_PER_USEC)

static nsec_t smallest_step(void)
{
	nsec_t step = NSEC_NEVER, before = clock_now();

	for (int i = 0; i < READINGS; i++) {
		nsec_t now = clock_now();

		if (now > before && now - before < step)
			step = now - before;
		before = now;
	}
	return step < NSEC_NEVER ? step : 0;
}

static void measure_sleeps(struct timer_quality *ret)
{
	nsec_t late[SLEEPS];

	for (int i = 0; i < SLEEPS; i++) {
		nsec_t until = clock_now() + SLEEP, now;
		struct timespec ts = {.tv_sec = until / NSEC_PER_SEC, .tv_nsec = until % NSEC_PER_SEC};

		clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, NULL);
		now = clock_now();
		late[i] = now > until ? now - until : 0; /* a signal ends it early */
	}
	qsort(late, SLEEPS, sizeof(*late), nsec_compare);
	ret->late = late[SLEEPS / 2];
	ret->late_max = late[SLEEPS - 1];
}

void timer_probe(struct timer_quality *ret)
{
	struct timespec resolution = {0};
	int slack = prctl(PR_GET_TIMERSLACK);

	clock_getres(CLOCK_MONOTONIC, &resolution);
	*ret = (struct timer_quality){.resolution = timespec_to_nsec(&resolution), .step = smallest_step()};
	prctl(PR_SET_TIMERSLACK, 1UL);
	measure_sleeps(ret);
	if (slack > 0)
		prctl(PR_SET_TIMERSLACK, (unsigned long)slack);
}
