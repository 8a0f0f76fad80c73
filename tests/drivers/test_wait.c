/* Waiting for events until a time, with the kernel's epoll_pwait2 and without. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/arith.h"
#include "drivers/wait.h"

static void rest_of_time_is_never_negative(void **state)
{
	struct timespec ts;

	(void)state;
	assert_null(wait_left(&ts, 5, NSEC_NEVER));
	assert_ptr_equal(wait_left(&ts, 5, 5 + 3 * NSEC_PER_SEC + 7), &ts);
	assert_int_equal(ts.tv_sec, 3);
	assert_int_equal(ts.tv_nsec, 7);
	assert_ptr_equal(wait_left(&ts, 10, 0), &ts);
	assert_int_equal(ts.tv_sec + ts.tv_nsec, 0);
	assert_ptr_equal(wait_left(&ts, 10, INT64_MIN), &ts);
	assert_int_equal(ts.tv_sec + ts.tv_nsec, 0);
}

/* 0: it did all that it should; otherwise the number of what it did not. Called in a process of its own too. */
static int check_waiting(void)
{
	int epoll = epoll_create1(EPOLL_CLOEXEC), event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	struct epoll_event ev = {.events = EPOLLIN | EPOLLET, .data.u64 = 4711}, got[2];
	nsec_t now = clock_now(), until = now + 3 * NSEC_PER_MSEC;

	if (epoll < 0 || event < 0 || epoll_ctl(epoll, EPOLL_CTL_ADD, event, &ev) < 0)
		return 1;
	/* nothing comes: not before the deadline, one in the past at once */
	if (wait_for_events(epoll, got, 2, now, until) != 0 || clock_now() < until)
		return 2;
	if (wait_for_events(epoll, got, 2, clock_now(), until) != 0 || wait_for_events(epoll, got, 2, 10, 0) != 0)
		return 3;
	if (eventfd_write(event, 1) < 0)
		return 4;
	if (wait_for_events(epoll, got, 2, clock_now(), NSEC_NEVER) != 1 || got[0].data.u64 != 4711)
		return 5;
	/* edges: told once */
	if (wait_for_events(epoll, got, 2, clock_now(), 0) != 0)
		return 6;
	if (wait_for_events(-1, got, 2, clock_now(), 0) != -1 || errno != EBADF)
		return 7;
	close(event);
	close(epoll);
	return 0;
}

static void waits_until_the_deadline_or_an_event(void **state)
{
	(void)state;
	assert_int_equal(check_waiting(), 0);
}

/* A kernel that does not know the call. */
static int refuse_epoll_pwait2(void)
{
	struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_epoll_pwait2, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = {.len = ARRAY_LEN(filter), .filter = filter};

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return -1;
	return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}

static void kernels_without_epoll_pwait2_wait_the_same(void **state)
{
	enum { NO_FILTERS = 99 };
	int status;
	pid_t pid = fork();

	(void)state;
	assert_true(pid >= 0);
	if (pid == 0)
		_exit(refuse_epoll_pwait2() < 0 ? NO_FILTERS : check_waiting());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) == NO_FILTERS)
		skip();
	assert_int_equal(WEXITSTATUS(status), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rest_of_time_is_never_negative),
		cmocka_unit_test(waits_until_the_deadline_or_an_event),
		cmocka_unit_test(kernels_without_epoll_pwait2_wait_the_same),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
