/*
 * test_redis_url.c - everything that -redis-host may be.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "loaders/redis_url.h"

static void expect(const char *text, const char *host, uint16_t port, const char *user, const char *password,
		   unsigned database, bool tls)
{
	struct redis_url u = {0};
	struct error err = {""};

	if (redis_url_parse(&u, text, &err) != 0)
		fail_msg("%s: %s", text, err.text);
	assert_string_equal(u.host, host);
	assert_int_equal(u.port, port);
	assert_string_equal(u.user ? u.user : "(none)", user ? user : "(none)");
	assert_string_equal(u.password ? u.password : "(none)", password ? password : "(none)");
	assert_int_equal(u.database, database);
	assert_int_equal(u.tls, tls);
	redis_url_release(&u);
}

static void urls_and_plain_addresses_are_understood(void **state)
{
	(void)state;
	expect("redis://localhost:6379", "localhost", 6379, NULL, NULL, 0, false);
	expect("redis://localhost", "localhost", 6379, NULL, NULL, 0, false);
	expect("redis://", "localhost", 6379, NULL, NULL, 0, false);
	expect("REDIS://10.0.0.1:7000/", "10.0.0.1", 7000, NULL, NULL, 0, false);
	expect("redis://h:1/15", "h", 1, NULL, NULL, 15, false);
	expect("rediss://user:secret@host:6380", "host", 6380, "user", "secret", 0, true);
	expect("redis://:secret@host", "host", 6379, NULL, "secret", 0, false);
	expect("redis://user@host", "host", 6379, "user", NULL, 0, false);
	expect("redis://u:a:b@c@host:1/2", "host", 1, "u", "a:b@c", 2, false);
	expect("redis://u%40x:p%3a%2f%%4@host", "host", 6379, "u@x", "p:/%%4", 0, false);
	expect("127.0.0.1:16379", "127.0.0.1", 16379, NULL, NULL, 0, false);
	expect("myhost", "myhost", 6379, NULL, NULL, 0, false);
	expect("[::1]:7000", "::1", 7000, NULL, NULL, 0, false);
	expect("redis://[fe80::1]", "fe80::1", 6379, NULL, NULL, 0, false);
}

static void others_are_usage_errors_that_keep_the_password(void **state)
{
	static const char *const texts[] = {
		"http://host",
		"redis://host:0",
		"redis://host:99999",
		"redis://host/x",
		"redis://host/1/2",
		"redis://host/70000",
		"redis://host?a=b",
		"redis://u:hush@host:port",
		"redis://u%00:hush@host",
		"redis://u:hush%00@host",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct redis_url u = {0};
		struct error err = {""};
		int rc = redis_url_parse(&u, texts[i], &err);

		assert_int_equal(rc, ERR_USAGE);
		assert_non_null(strstr(err.text, "-redis-host"));
		assert_null(strstr(err.text, "hush"));
		assert_null(u.host);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(urls_and_plain_addresses_are_understood),
		cmocka_unit_test(others_are_usage_errors_that_keep_the_password),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
