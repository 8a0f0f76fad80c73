/*
 * test_interrupt.c - Ctrl-C while a server keeps a program waiting: every program ends at once, whatever its -timeout.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/e2e/e2e.h"

#define FOR_EVER "-timeout=1h"

/* A server that takes a connection, reads what comes first, and never answers. */
struct silent {
	int listener;
	char port[8], address[32];
};

static void silent_start(struct silent *s)
{
	const struct timeval limit = {.tv_sec = (time_t)LIMIT_SECONDS};
	struct sockaddr_in sin = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(sin);

	s->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(setsockopt(s->listener, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)), 0);
	assert_int_equal(bind(s->listener, (struct sockaddr *)&sin, sizeof(sin)), 0);
	assert_int_equal(listen(s->listener, 4), 0);
	assert_int_equal(getsockname(s->listener, (struct sockaddr *)&sin, &len), 0);
	snprintf(s->port, sizeof(s->port), "%u", ntohs(sin.sin_port));
	snprintf(s->address, sizeof(s->address), "127.0.0.1:%s", s->port);
}

/* The signal comes when the program has sent its first bytes and nothing but waiting is left to it. */
static void ends_at_once(const struct silent *s, int signo, const char *const *words)
{
	struct process_result r;
	struct process p;
	char byte;
	int fd;

	process_start(&p, words, NULL);
	fd = accept(s->listener, NULL, NULL);
	assert_true(fd >= 0);
	assert_int_equal(recv(fd, &byte, 1, 0), 1);
	process_signal(&p, signo);
	process_wait(&p, &r, LIMIT_SECONDS);
	close(fd);
	check_failed(&r, words[0], 128 + signo, WORDS("interrupted"));
}

static void a_silent_server_does_not_hold_up_an_interrupt(void **state)
{
	struct silent s;

	(void)state;
	silent_start(&s);
	ends_at_once(&s, SIGINT,
		     WORDS(REDISAI_RUN, "-host=127.0.0.1", "-port", s.port, "-file", files.data, "-model=m", FOR_EVER));
	ends_at_once(&s, SIGTERM,
		     WORDS(REDISAI_RUN, "-host=127.0.0.1", "-port", s.port, "-file", files.data, "-model=m", "-tls",
			   FOR_EVER));
	ends_at_once(&s, SIGINT, WORDS(LOAD, "-redis-host", s.address, "-file", files.data, FOR_EVER));
	ends_at_once(&s, SIGTERM, WORDS(LOAD, "-redis-host", s.address, "-file", files.data, FOR_EVER));
	ends_at_once(&s, SIGINT,
		     WORDS(LOAD_MODEL, "-redis-host", s.address, "-model=m", "-model-file", files.model,
			   "-inputs=transaction,reference", "-outputs=output", FOR_EVER));
	/* No question before the run: its connections themselves wait for the answer to AUTH. */
	ends_at_once(&s, SIGINT,
		     WORDS(SET_RUN, "-host=127.0.0.1", "-port", s.port, "-file", files.data, "-password=x", FOR_EVER));
	close(s.listener);
}

static void start_slow_run(struct process *p, const struct redis_server *s)
{
	process_start(p,
		      WORDS(REDISAI_RUN, "-host=127.0.0.1", "-port", s->port_text, "-file", files.data,
			    "-model=financialNet_NoReference", "-workers=1", "-limit-rps=20", "-max-queries=20",
			    "-reporting-period=100ms", FOR_EVER),
		      NULL);
	wait_for_lines(p, 3);
	process_signal(&s->process, SIGSTOP);
}

static void a_server_that_stops_in_mid_run_does_not_hold_up_an_interrupt(void **state)
{
	struct process_result r;
	struct redis_server s;
	struct process p;

	(void)state;
	redis_server_start_module(&s, NULL, NULL);
	load_fraud(&s);
	start_slow_run(&p, &s);
	process_signal(&p, SIGINT);
	process_wait(&p, &r, LIMIT_SECONDS);
	process_signal(&s.process, SIGCONT);
	assert_int_equal(r.status, 130);
	check_holds(r.out, WORDS("interrupted"));
	process_result_release(&r);
	redis_server_stop(&s, false);
}

/* The answers of a server that was stopped for a while are late, its statistics have a gap, and that is all. */
static void a_server_that_stops_in_mid_run_does_not_hold_up_progress_lines(void **state)
{
	struct process_result r;
	struct redis_server s;
	struct process p;
	const char *note;

	(void)state;
	redis_server_start_module(&s, NULL, NULL);
	load_fraud(&s);
	start_slow_run(&p, &s);
	wait_for_lines(&p, 6);
	process_signal(&s.process, SIGCONT);
	process_wait(&p, &r, LIMIT_SECONDS);
	assert_int_equal(r.status, 0);
	check_holds(r.out, WORDS("count: 20"));
	note = strstr(r.err, "statistics");
	assert_non_null(note);
	assert_null(strstr(note + 1, "statistics"));
	process_result_release(&r);
	redis_server_stop(&s, false);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_silent_server_does_not_hold_up_an_interrupt),
		cmocka_unit_test(a_server_that_stops_in_mid_run_does_not_hold_up_an_interrupt),
		cmocka_unit_test(a_server_that_stops_in_mid_run_does_not_hold_up_progress_lines),
	};

	return cmocka_run_group_tests_name("interrupt", tests, fraud_files_set_up, fraud_files_tear_down);
}
