/* What tensors and models take is what Redis says they take, and maxmemory holds for them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "common/arith.h"
#include "datagen/mobilenet.h"
#include "tests/servers/redisai/harness.h"

#define OOM "-OOM command not allowed when used memory > 'maxmemory'."
#define MIB (1ll << 20)

static struct fixture f;
static unsigned char *mobilenet[3];

static int start(void **state)
{
	static const char *const names[] = {"$TF", "$TFLITE", "$ONNX"};
	const struct mobilenet_config cfg = {.width = 1, .resolution = 128, .batch = -1, .seed = 5};
	struct mobilenet *net;
	struct error err;
	size_t len[3];

	(void)state;
	graphs_define();
	if (mobilenet_new(&net, &cfg, &err) < 0 || mobilenet_write_tensorflow(&mobilenet[0], &len[0], net, &err) < 0 ||
	    mobilenet_write_tflite(&mobilenet[1], &len[1], net, &err) < 0 ||
	    mobilenet_write_onnx(&mobilenet[2], &len[2], net, &err) < 0)
		fail_msg("%s", err.text);
	mobilenet_free(net);
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		define(names[i], mobilenet[i], len[i]);
	return 0;
}

static int stop(void **state)
{
	(void)state;
	graphs_release();
	for (size_t i = 0; i < ARRAY_LEN(mobilenet); i++)
		free(mobilenet[i]);
	return 0;
}

static int fresh(void **state)
{
	(void)state;
	fixture_start(&f, NULL, NULL);
	return 0;
}

static int end(void **state)
{
	(void)state;
	fixture_stop(&f);
	return 0;
}

static long long number_in(const char *section, const char *field)
{
	char line[32];
	const char *at;

	snprintf(line, sizeof(line), "INFO %s", section);
	at = strstr(ask(f.client, line), field);
	assert_non_null(at);
	return strtoll(at + strlen(field), NULL, 10);
}

static long long used_memory(void)
{
	return number_in("MEMORY", "used_memory:");
}

static long long usage(const char *key)
{
	char line[32];
	const char *answer;

	snprintf(line, sizeof(line), "MEMORY USAGE %s", key);
	answer = ask(f.client, line);
	assert_int_equal(answer[0], ':');
	return strtoll(answer + 1, NULL, 10);
}

/* From a connection that is gone afterwards, with all that it had. */
static void ask_apart(const char *line, const char *answer)
{
	struct redis_client *c = connect_to(&f);

	expect(c, line, answer);
	redis_client_close(c);
	expect_soon(f.client, "CLIENT KILL TYPE normal SKIPME yes", ":0");
}

static void expect_near(const char *what, long long got, long long want, double share, long long slack)
{
	const long long off = got > want ? got - want : want - got;

	if ((double)off > share * (double)want + (double)slack)
		fail_msg("%s: %lld, not about %lld", what, got, want);
}

static void tensors_take_what_they_say(void **state)
{
	static const struct {
		const char *set;
		long long bytes;
	} list[] = {
		{"AI.TENSORSET t FLOAT 2097152", 8 * MIB},
		{"AI.TENSORSET t INT8 1024 1024 3", 3 * MIB},
		{"AI.TENSORSET t STRING 1048576", 9 * MIB}, /* a NUL and an offset each */
	};

	(void)state;
	ask_apart("AI.TENSORSET t FLOAT 2097152", "+OK"); /* whatever grows once has grown */
	ask_apart("DEL t", ":1");
	for (size_t i = 0; i < ARRAY_LEN(list); i++) {
		const long long before = used_memory();

		ask_apart(list[i].set, "+OK");
		assert_true(usage("t") >= list[i].bytes);
		expect_near(list[i].set, usage("t"), used_memory() - before, 0.01, 64 * 1024);
		expect(f.client, "DEL t", ":1");
		expect_near("after DEL", used_memory(), before, 0, 64 * 1024);
	}
}

static void small_tensors_take_what_they_say(void **state)
{
	enum { TENSORS = 5000 };
	long long before, sum = 0;
	char line[64];

	(void)state;
	before = used_memory();
	for (int i = 0; i < TENSORS; i++) {
		snprintf(line, sizeof(line), "AI.TENSORSET t%d FLOAT 30", i);
		expect(f.client, line, "+OK");
		snprintf(line, sizeof(line), "t%d", i);
		sum += usage(line);
	}
	expect_near("small tensors", sum, used_memory() - before, 0.15, 64 * 1024);
}

static void copies_share_their_data(void **state)
{
	long long before;

	(void)state;
	expect(f.client, "AI.TENSORSET t FLOAT 2097152", "+OK");
	before = used_memory();
	expect(f.client, "COPY t u", ":1");
	expect_near("after COPY", used_memory(), before, 0, 64 * 1024);
	expect(f.client, "DEL t", ":1");
	expect(f.client, "AI.TENSORGET u META", "[\"dtype\" \"FLOAT\" \"shape\" [:2097152]]");
}

/* Weights and graph when stored, plans and what they run in when run; all of it gone with the key. */
static void model_takes_what_it_says(const char *store, const char *run)
{
	long long before, stored;

	expect(f.client, "AI.TENSORSET picture FLOAT 1 128 128 3", "+OK");
	ask_apart(store, "+OK"); /* whatever grows once has grown */
	ask_apart(run, "+OK");
	ask_apart("DEL m y", ":2");
	before = used_memory();
	ask_apart(store, "+OK");
	stored = usage("m");
	assert_true(stored > 2 * 4 * MIB);
	expect_near("stored", stored, used_memory() - before, 0.02, 256 * 1024);
	ask_apart(run, "+OK");
	expect(f.client, "DEL y", ":1");
	assert_true(usage("m") > stored + MIB / 2);
	expect_near("run", usage("m"), used_memory() - before, 0.02, 256 * 1024);
	expect(f.client, "AI.MODELDEL m", "+OK");
	expect_near("deleted", used_memory(), before, 0, 256 * 1024);
}

static void tensorflow_models_take_what_they_say(void **state)
{
	(void)state;
	model_takes_what_it_says("AI.MODELSTORE m TF CPU INPUTS 1 input OUTPUTS 1 " MOBILENET_OUTPUT " BLOB $TF",
				 "AI.MODELRUN m INPUTS picture OUTPUTS y");
}

static void tflite_models_take_what_they_say(void **state)
{
	(void)state;
	model_takes_what_it_says("AI.MODELSTORE m TFLITE CPU BLOB $TFLITE", "AI.MODELRUN m INPUTS picture OUTPUTS y");
}

static void onnx_models_take_what_they_say(void **state)
{
	(void)state;
	model_takes_what_it_says("AI.MODELSTORE m ONNX CPU BLOB $ONNX", "AI.MODELRUN m INPUTS picture OUTPUTS y");
}

static void full_server_refuses_what_needs_memory(void **state)
{
	static const struct exchange before[] = {
		{"AI.MODELSTORE m TF CPU INPUTS 2 a b OUTPUTS 1 mul BLOB $MUL", "+OK"},
		{"AI.TENSORSET x FLOAT 2 VALUES 2 3", "+OK"},
		{"CONFIG SET maxmemory 1mb maxmemory-policy noeviction", "+OK"},
		{"CONFIG SET maxmemory 1", "+OK"},
	};
	static const struct exchange full[] = {
		{"AI.TENSORSET y FLOAT 1", OOM},
		{"AI.MODELSTORE m TF CPU INPUTS 2 a b OUTPUTS 1 mul BLOB $MUL", OOM},
		{"AI.MODELSET m TF CPU INPUTS a b OUTPUTS mul BLOB $MUL", OOM},
		{"AI.SCRIPTSTORE s CPU ENTRY_POINTS 1 f SOURCE x", OOM},
		{"AI.MODELRUN m INPUTS x x OUTPUTS y", OOM},
		{"AI.MODELEXECUTE m INPUTS 2 x x OUTPUTS 1 y", OOM},
		{"AI.DAGRUN LOAD 1 x |> AI.MODELRUN m INPUTS x x OUTPUTS y |> AI.TENSORGET y VALUES", OOM},
		{"AI.DAGEXECUTE LOAD 1 x |> AI.MODELEXECUTE m INPUTS 2 x x OUTPUTS 1 y", OOM},
		{"AI.DAGRUN_RO LOAD 1 x |> AI.MODELRUN m INPUTS x x OUTPUTS y |> AI.TENSORGET y VALUES",
		 "[+OK [\"4\" \"9\"]]"},
		{"AI.DAGEXECUTE_RO LOAD 1 x |> AI.MODELEXECUTE m INPUTS 2 x x OUTPUTS 1 y |> AI.TENSORGET y VALUES",
		 "[+OK [\"4\" \"9\"]]"},
		{"AI.TENSORGET x VALUES", "[\"2\" \"3\"]"},
		{"AI._MODELSCAN", "[[\"m\" \"\"]]"},
		{"EXISTS y s", ":0"},
		{"AI.MODELDEL m", "+OK"},
		{"CONFIG SET maxmemory 0", "+OK"},
		{"AI.TENSORSET y FLOAT 1", "+OK"},
	};

	(void)state;
	expect_all(f.client, before, ARRAY_LEN(before));
	expect_all(f.client, full, ARRAY_LEN(full));
}

/* Old tensors and models make room for new ones, also those that somebody is using. */
static void full_cache_evicts_tensors_and_models(void **state)
{
	struct redis_client *other = connect_to(&f);
	const char *answer;
	char line[128];
	long long limit = used_memory() + 24 * MIB;
	unsigned left = 0;

	(void)state;
	snprintf(line, sizeof(line), "CONFIG SET maxmemory %lld maxmemory-policy allkeys-lru", limit);
	expect(f.client, line, "+OK");
	expect(f.client, "AI.MODELSTORE slow TF CPU INPUTS 1 x OUTPUTS 1 y BLOB $SLOW", "+OK");
	expect(f.client, "AI.TENSORSET big FLOAT 512 512", "+OK");
	send_line(other, "AI.MODELRUN slow INPUTS big OUTPUTS y");
	for (int i = 0; i < 200; i++) {
		snprintf(line, sizeof(line), "AI.TENSORSET t%d FLOAT 262144", i);
		expect(f.client, line, "+OK");
		snprintf(line, sizeof(line), "AI.MODELSTORE m%d TF CPU INPUTS 2 a b OUTPUTS 1 mul BLOB $MUL", i);
		expect(f.client, line, "+OK");
	}
	answer = receive(other);
	if (strcmp(answer, "+OK") != 0 && strcmp(answer, "-ERR tensor key is empty or in a different shard") != 0 &&
	    strcmp(answer, "-ERR model key is empty") != 0)
		fail_msg("a command whose keys were evicted answers %s", answer);
	assert_true(number_in("STATS", "evicted_keys:") > 150);
	/* Which ones went is Redis' guess, of samples and by the second. */
	for (int i = 0; i < 200; i++) {
		snprintf(line, sizeof(line), "EXISTS t%d", i);
		send_line(f.client, line);
		left += strcmp(receive(f.client), ":1") == 0;
	}
	assert_in_range(left, 1, 28);
	expect(f.client, "AI.TENSORGET t199 META", "[\"dtype\" \"FLOAT\" \"shape\" [:262144]]");
	assert_true(used_memory() < limit + 4 * MIB);
	redis_client_close(other);
}

/* Once so many values have been freed by the other thread. */
static void expect_memory_back(long long want, long long freed)
{
	const struct timespec pause = {.tv_nsec = 5000000};

	for (int i = 0; i < 4000 && number_in("MEMORY", "lazyfreed_objects:") < freed; i++)
		nanosleep(&pause, NULL);
	assert_int_equal(number_in("MEMORY", "lazyfreed_objects:"), freed);
	expect_near("given back", used_memory(), want, 0, MIB / 4);
}

static void large_values_are_freed_in_the_background(void **state)
{
	long long before = used_memory();

	(void)state;
	expect(f.client, "AI.TENSORSET t FLOAT 16777216", "+OK");
	expect(f.client, "UNLINK t", ":1");
	expect_memory_back(before, 1);
	/* What is small is not worth it. */
	expect(f.client, "AI.TENSORSET t FLOAT 4", "+OK");
	expect(f.client, "UNLINK t", ":1");
	assert_int_equal(number_in("MEMORY", "lazyfreed_objects:"), 1);
	expect(f.client, "AI.TENSORSET t FLOAT 16777216", "+OK");
	ask_apart("AI.MODELSTORE m ONNX CPU BLOB $ONNX", "+OK");
	expect(f.client, "UNLINK m", ":1");
	expect_soon(f.client, "AI._MODELSCAN", "[]");
	expect(f.client, "FLUSHALL ASYNC", "+OK");
	expect_memory_back(before, 3);
	expect(f.client, "AI.TENSORSET t FLOAT 4", "+OK");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(tensors_take_what_they_say, fresh, end),
		cmocka_unit_test_setup_teardown(small_tensors_take_what_they_say, fresh, end),
		cmocka_unit_test_setup_teardown(copies_share_their_data, fresh, end),
		cmocka_unit_test_setup_teardown(tensorflow_models_take_what_they_say, fresh, end),
		cmocka_unit_test_setup_teardown(tflite_models_take_what_they_say, fresh, end),
		cmocka_unit_test_setup_teardown(onnx_models_take_what_they_say, fresh, end),
		cmocka_unit_test_setup_teardown(full_server_refuses_what_needs_memory, fresh, end),
		cmocka_unit_test_setup_teardown(full_cache_evicts_tensors_and_models, fresh, end),
		cmocka_unit_test_setup_teardown(large_values_are_freed_in_the_background, fresh, end),
	};

	return cmocka_run_group_tests(tests, start, stop);
}
