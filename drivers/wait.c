#include "drivers/wait.h"

#include <errno.h>
#include <poll.h>
#include <stddef.h>

const struct timespec *wait_left(struct timespec *ts, nsec_t now, nsec_t until)
{
	nsec_t left = until > now ? until - now : 0;

	if (until == NSEC_NEVER)
		return NULL;
	*ts = (struct timespec){.tv_sec = left / NSEC_PER_SEC, .tv_nsec = left % NSEC_PER_SEC};
	return ts;
}

/* ppoll has counted nanoseconds for longer than epoll. */
static int wait_with_poll(int epoll, struct epoll_event *events, int max, const struct timespec *left)
{
	struct pollfd p = {.fd = epoll, .events = POLLIN};

	if (ppoll(&p, 1, left, NULL) < 0)
		return -1;
	return epoll_wait(epoll, events, max, 0);
}

int wait_for_events(int epoll, struct epoll_event *events, int max, nsec_t now, nsec_t until)
{
	struct timespec ts;
	const struct timespec *left = wait_left(&ts, now, until);
	int n = epoll_pwait2(epoll, events, max, left, NULL);

	return n < 0 && errno == ENOSYS ? wait_with_poll(epoll, events, max, left) : n;
}
