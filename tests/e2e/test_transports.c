/*
 * test_transports.c - TLS, Unix socket, AUTH: every program that talks to Redis reaches it each way.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/e2e/e2e.h"
#include "tests/support/certificates.h"

static struct certificates own, foreign;

static int prepare(void **state)
{
	fraud_files_set_up(state);
	certificates_make(&own, files.folder, "own");
	certificates_make(&foreign, files.folder, "foreign");
	return 0;
}

/* words + more, as one list that lives until the next call. */
static const char *const *with(const char *const *words, const char *const *more)
{
	static const char *all[40];
	size_t n = 0;

	while (*words)
		all[n++] = *words++;
	while (*more)
		all[n++] = *more++;
	all[n] = NULL;
	return all;
}

/* Model, reference data and runs, with these words saying how to reach the server. */
static void whole_way(const char *redis_host, const char *run_host, const char *run_port, const char *const *how,
		      const char *const *env)
{
	const struct process_options o = {.env = env};
	struct process_result r;

	run_ok(&r,
	       with(WORDS(LOAD_MODEL, "-redis-host", redis_host, "-model=financialNet", "-inputs=transaction,reference",
			  "-outputs=output", "-model-file", files.model),
		    how),
	       &o);
	process_result_release(&r);
	run_ok(&r, with(WORDS(LOAD, "-redis-host", redis_host, "-file", files.data, "-pipeline=20", "-workers=2"), how),
	       &o);
	process_result_release(&r);
	run_ok(&r,
	       with(WORDS(REDISAI_RUN, "-host", run_host, "-port", run_port, "-model=financialNet",
			  "-enable-reference-data-redis", "-workers=4", "-file", files.data),
		    how),
	       &o);
	check_holds(r.out, WORDS("count: " TEST_ROWS_TEXT, "Network baseline, Redis PING to "));
	process_result_release(&r);
}

static void a_unix_socket_works(void **state)
{
	struct redis_server s;

	(void)state;
	redis_server_start_module(&s, NULL, NULL);
	whole_way("127.0.0.1:1", "127.0.0.1", "1", WORDS("-unix-socket", s.socket), NULL);
	redis_server_stop(&s, false);
	run_fails(1, WORDS(REDISAI_RUN, "-unix-socket", s.socket, "-model=m", "-file", files.data), NULL,
		  WORDS(s.socket));
	run_fails(1, WORDS(LOAD, "-unix-socket", s.socket, "-file", files.data), NULL, WORDS(s.socket));
}

static void auth_with_user_and_password_works(void **state)
{
	struct redis_server s;
	char host[64], url[96];

	(void)state;
	redis_server_start_module(
		&s, NULL, WORDS("--requirepass", "secret", "--user", "bench", "on", ">hunter2", "~*", "&*", "+@all"));
	snprintf(host, sizeof(host), "127.0.0.1:%s", s.port_text);
	whole_way(host, "127.0.0.1", s.port_text, WORDS("-password", "secret"), NULL);
	whole_way(host, "127.0.0.1", s.port_text, WORDS("-user=bench", "-password=hunter2"), NULL);
	whole_way(host, "127.0.0.1", s.port_text, WORDS("-debug=0"), WORDS("REDISCLI_AUTH=secret"));
	whole_way(host, "127.0.0.1", s.port_text, WORDS("-user=bench"), WORDS("REDISCLI_AUTH=hunter2"));
	snprintf(url, sizeof(url), "redis://bench:hunter2@127.0.0.1:%s", s.port_text);
	run_quietly(WORDS(LOAD, "-redis-host", url, "-file", files.data, "-max-inserts=10"));
	redis_server_stop(&s, false);
}

/* A user without rights: the server's own words say what is missing. */
static void a_user_without_rights_is_told_so(void **state)
{
	struct redis_server s;
	char host[64];

	(void)state;
	redis_server_start_module(
		&s, NULL, WORDS("--user", "weak", "on", ">weak", "~*", "&*", "-@all", "+ping", "+auth", "+hello"));
	snprintf(host, sizeof(host), "127.0.0.1:%s", s.port_text);
	run_fails(1,
		  WORDS(REDISAI_RUN, "-host=127.0.0.1", "-port", s.port_text, "-user=weak", "-password=weak",
			"-model=m", "-file", files.data),
		  NULL, WORDS("permissions"));
	run_fails(1, WORDS(LOAD, "-redis-host", host, "-user=weak", "-password=weak", "-file", files.data), NULL,
		  WORDS("permissions"));
	redis_server_stop(&s, false);
}

static void start_tls(struct redis_server *s, char *tls_port, size_t size)
{
	snprintf(tls_port, size, "%u", free_port());
	redis_server_start_module(s, NULL,
				  WORDS("--tls-port", tls_port, "--tls-cert-file", own.cert, "--tls-key-file", own.key,
					"--tls-ca-cert-file", own.ca, "--tls-auth-clients", "no"));
}

static void tls_works_and_is_verified(void **state)
{
	struct redis_server s;
	char port[8], host[64], url[64];

	(void)state;
	start_tls(&s, port, sizeof(port));
	snprintf(host, sizeof(host), "127.0.0.1:%s", port);
	snprintf(url, sizeof(url), "rediss://127.0.0.1:%s", port);
	whole_way(host, "127.0.0.1", port, WORDS("-tls", "-cacert", own.ca), NULL);
	whole_way(host, "127.0.0.1", port, WORDS("-tls", "-insecure"), NULL);
	run_quietly(WORDS(LOAD, "-redis-host", url, "-cacert", own.ca, "-file", files.data, "-max-inserts=10"));

	run_fails(1, WORDS(REDISAI_RUN, "-host=127.0.0.1", "-port", port, "-tls", "-model=m", "-file", files.data),
		  NULL, WORDS(host, "certificate", "-cacert"));
	run_fails(1, WORDS(LOAD, "-redis-host", host, "-tls", "-cacert", foreign.ca, "-file", files.data), NULL,
		  WORDS(host, "certificate"));
	run_fails(1, WORDS(LOAD, "-redis-host", host, "-tls", "-cacert", "/no/such/ca.pem", "-file", files.data), NULL,
		  WORDS("/no/such/ca.pem"));
	/* One side with, the other without TLS. */
	run_fails(1, WORDS(LOAD, "-redis-host", host, "-file", files.data, "-timeout=2s"), NULL,
		  WORDS(host, "does it want -tls?"));
	run_fails(1,
		  WORDS(REDISAI_RUN, "-host=127.0.0.1", "-port", port, "-password=x", "-model=m", "-file", files.data),
		  NULL, WORDS(host, "does it want -tls?"));
	snprintf(host, sizeof(host), "127.0.0.1:%s", s.port_text);
	run_fails(1, WORDS(LOAD, "-redis-host", host, "-tls", "-cacert", own.ca, "-file", files.data, "-timeout=2s"),
		  NULL, WORDS(host));
	redis_server_stop(&s, false);
}

static void certificates_without_tls_are_wrong_usage(void **state)
{
	(void)state;
	run_fails(2, WORDS(REDISAI_RUN, "-cacert", own.ca, "-model=m", "-file", files.data), NULL,
		  WORDS("-cacert", "pass -tls"));
	run_fails(2, WORDS(LOAD, "-cert", own.cert, "-file", files.data), NULL, WORDS("-cert", "pass -tls"));
	run_fails(2, WORDS(LOAD_MODEL, "-key", own.key, "-model=m", "-model-file=m.pb", "-inputs=a", "-outputs=b"),
		  NULL, WORDS("-key", "pass -tls"));
}

static void a_client_certificate_is_sent_when_given(void **state)
{
	struct redis_server s;
	char port[8], host[64];

	(void)state;
	snprintf(port, sizeof(port), "%u", free_port());
	redis_server_start_module(&s, NULL,
				  WORDS("--tls-port", port, "--tls-cert-file", own.cert, "--tls-key-file", own.key,
					"--tls-ca-cert-file", own.ca));
	snprintf(host, sizeof(host), "127.0.0.1:%s", port);
	whole_way(host, "127.0.0.1", port, WORDS("-tls", "-cacert", own.ca, "-cert", own.cert, "-key", own.key), NULL);
	run_fails(1, WORDS(LOAD, "-redis-host", host, "-tls", "-cacert", own.ca, "-file", files.data, "-timeout=5s"),
		  NULL, WORDS(host));
	redis_server_stop(&s, false);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_unix_socket_works),
		cmocka_unit_test(auth_with_user_and_password_works),
		cmocka_unit_test(a_user_without_rights_is_told_so),
		cmocka_unit_test(tls_works_and_is_verified),
		cmocka_unit_test(certificates_without_tls_are_wrong_usage),
		cmocka_unit_test(a_client_certificate_is_sent_when_given),
	};

	return cmocka_run_group_tests_name("transports", tests, prepare, fraud_files_tear_down);
}
