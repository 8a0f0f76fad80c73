/*
 * test_vision.c - image classification as a user runs it: tensors of several images, persisted answers, counts in
 * inferences, and what is said of data and models that do not fit.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <hiredis/hiredis.h>

#include "tests/e2e/cluster.h"
#include "tests/e2e/e2e.h"
#include "tests/e2e/result_json.h"
#include "tests/e2e/vision_model.h"
#include "workloads/vision.h"

#define RUN "aibench_run_inference_redisai_vision"
#define MODEL "mobilenet_v1_100_224_cpu"
#define IMAGES 12

static struct redis_server server;
static redisContext *redis;

static void load_model(const char *port, const char *name, const char *file, const char *input, const char *output)
{
	char host[64];

	snprintf(host, sizeof(host), "127.0.0.1:%s", port);
	run_quietly(WORDS(LOAD_MODEL, "-redis-host", host, "-model", name, "-model-file", file, "-inputs", input,
			  "-outputs", output));
}

static int prepare(void **state)
{
	fraud_files_set_up(state);
	write_vision_model("vision.pb", 0);
	write_vision_model("vision_one.pb", 1);
	write_vision_images("images.out", "answers.bin", IMAGES);
	redis_server_start_module(&server, NULL, NULL);
	redis = redisConnect("127.0.0.1", server.port);
	load_model(server.port_text, MODEL, "vision.pb", VISION_TEST_INPUT, VISION_TEST_OUTPUT);
	return 0;
}

static int clean_up(void **state)
{
	redisFree(redis);
	redis_server_stop(&server, false);
	return fraud_files_tear_down(state);
}

/* Every answer is compared with the one computed here: no image is lost, doubled or taken for another. */
#define RUN_ON(file, ...) \
	WORDS(RUN, "-host", "127.0.0.1", "-port", server.port_text, "-file", file, "-json-out-file=out.json", \
	      "-continue-on-error=false", __VA_ARGS__)
#define RUN_WORDS(...) RUN_ON("images.out", "-expected-answers=answers.bin", "-tolerance=1e-5", __VA_ARGS__)

static long long integer(const char *command)
{
	redisReply *reply = redisCommand(redis, command);
	long long n;

	assert_non_null(reply);
	assert_int_equal(reply->type, REDIS_REPLY_INTEGER);
	n = reply->integer;
	freeReplyObject(reply);
	return n;
}

/* The model's counter of this name in AI.INFO. */
static long long model_counter(const char *name)
{
	redisReply *reply = redisCommand(redis, "AI.INFO " MODEL);
	long long n = -1;

	assert_non_null(reply);
	for (size_t i = 0; i + 1 < reply->elements; i += 2) {
		if (strcmp(reply->element[i]->str, name) == 0)
			n = reply->element[i + 1]->integer;
	}
	freeReplyObject(reply);
	return n;
}

static void assert_result(const char *member, long long value)
{
	json_t *j = read_json("out.json");

	assert_int_equal(integer_at(j, member), value);
	json_decref(j);
}

static void every_way_of_asking_classifies_every_image(void **state)
{
	static const char *const ways[] = {"-use-dag=false", "-use-dag", "-persist-results"};
	static const char *const batches[] = {"1", "3", "4", "12"};

	(void)state;
	for (size_t w = 0; w < sizeof(ways) / sizeof(ways[0]); w++) {
		for (size_t b = 0; b < sizeof(batches) / sizeof(batches[0]); b++) {
			long long samples = model_counter("samples"), calls = model_counter("calls");
			long long batch = strtoll(batches[b], NULL, 10);

			run_prints(RUN_WORDS(ways[w], "-batch-size", batches[b], "-workers=3"),
				   WORDS("12 right, 0 wrong, 0 errors"));
			assert_int_equal(model_counter("samples") - samples, IMAGES);
			assert_int_equal(model_counter("calls") - calls, IMAGES / batch);
			assert_result("TensorBatchSize", batch);
		}
	}
}

static void a_pipe_is_read_as_a_file_is(void **state)
{
	(void)state;
	run_prints(WORDS("sh", "-c",
			 "cat images.out | $AIBENCH_BIN/" RUN " -host=127.0.0.1 -port=$0 -workers=2 "
			 "-expected-answers=answers.bin -batch-size=4",
			 server.port_text),
		   WORDS("12 right, 0 wrong, 0 errors"));
}

static void keys_are_named_after_the_worker(void **state)
{
	(void)state;
	freeReplyObject(redisCommand(redis, "DEL imageTensor:{w0} classificationTensor:{w0} imageTensor:{w1}"));
	run_quietly(RUN_WORDS("-workers=1", "-use-dag"));
	assert_int_equal(integer("EXISTS imageTensor:{w0} classificationTensor:{w0}"), 0);
	run_quietly(RUN_WORDS("-workers=1", "-use-dag", "-persist-results"));
	assert_int_equal(integer("EXISTS classificationTensor:{w0}"), 1);
	assert_int_equal(integer("EXISTS imageTensor:{w0}"), 0);
	run_quietly(RUN_WORDS("-workers=1"));
	assert_int_equal(integer("EXISTS imageTensor:{w0} classificationTensor:{w0}"), 2);
	assert_int_equal(integer("EXISTS imageTensor:{w1}"), 0);
}

static void limits_count_images(void **state)
{
	(void)state;
	run_prints(
		RUN_WORDS("-batch-size=3", "-max-queries=9", "-burn-in=3", "-workers=1"),
		WORDS("burn-in complete after 3 queries", "Run complete after 6 inferences", "6 right", "count: 6, "));
	assert_result("Limit", 9);
	/* Four requests of three images, one every 1/10 s. */
	run_prints(RUN_WORDS("-batch-size=3", "-limit-rps=30", "-workers=2"), WORDS("12 right"));
	assert_result("MaxRps", 30);
}

static void headings_and_options_are_aibenchs(void **state)
{
	struct process_result r;

	(void)state;
	run_ok(&r,
	       RUN_WORDS("-continue-on-error", "-dial-read-timeout=90s", "-cluster-mode", "-v", "-debug=0",
			 "--print-interval=0", "-pool-pipeline-window=500us", "-pool-pipeline-concurrency=0"),
	       NULL);
	check_holds(r.out, WORDS("RedisAI Query - mobilenet_v1_100_224 :AI.MODELRUN:\n"));
	check_holds(r.err, WORDS("-cluster-mode has no effect", "8 workers"));
	process_result_release(&r);
	run_prints(RUN_WORDS("-use-dag"),
		   WORDS("RedisAI Query - mobilenet_v1_100_224 :AI.DAGRUN with persistency OFF:\n"));
	run_prints(RUN_WORDS("-use-dag", "-persist-results"),
		   WORDS("RedisAI Query - mobilenet_v1_100_224 :AI.DAGRUN with persistency ON:\n"));
	/* The other program with the other use case is the same. */
	run_prints(WORDS(REDISAI_RUN, "-use-case=vision", "-host=127.0.0.1", "-port", server.port_text,
			 "-file=images.out", "-batch-size=2", "-expected-answers=answers.bin"),
		   WORDS("12 right"));
}

static void data_that_does_not_fit_is_named(void **state)
{
	(void)state;
	run_fails(1, RUN_WORDS("-batch-size=5"), NULL, WORDS("images.out", "12 rows", "tensor batch of 5"));
	run_fails(1, RUN_ON("answers.bin", "-workers=1"), NULL, WORDS("answers.bin", "no multiple", "602112"));
	write_file("empty.out", "", 0);
	run_fails(1, RUN_ON("empty.out", "-workers=1"), NULL, WORDS("empty.out", "aibench_generate_data"));
	run_fails(2, RUN_WORDS("-batch-size=0"), NULL, WORDS("-batch-size"));
	run_fails(2, RUN_WORDS("-batch-size=4", "-max-queries=3"), NULL, WORDS("limit of 3", "batch of 4"));
	run_fails(1, RUN_WORDS("-enable-reference-data-redis"), NULL, WORDS("-enable-reference-data-redis"));
}

static void wrong_answers_fail_the_run_also_when_errors_do_not(void **state)
{
	(void)state;
	run_fails(1,
		  WORDS(RUN, "-host=127.0.0.1", "-port", server.port_text, "-file=images.out",
			"-expected-answers=images.out", "-continue-on-error"),
		  NULL, WORDS("12 wrong answers"));
}

/* One line with the server's words, and no run of a thousand errors taken for a result. */
static void a_model_of_another_shape_is_told_in_the_servers_words(void **state)
{
	struct process_result r;

	(void)state;
	load_model(server.port_text, "fraud", files.model_noreference, "transaction", "out");
	run_fails(1, RUN_ON("images.out", "-model=fraud"), NULL, WORDS("ERR "));
	run_fails(1, RUN_ON("images.out", "-model=fraud", "-use-dag", "-batch-size=3"), NULL, WORDS("ERR "));
	process_run(&r, RUN_ON("images.out", "-model=fraud", "-continue-on-error=true"), NULL, LIMIT_SECONDS);
	check_holds(r.out, WORDS("12 errors"));
	check_failed(&r, RUN, 1, WORDS("ERR "));
	load_model(server.port_text, "one", "vision_one.pb", VISION_TEST_INPUT, VISION_TEST_OUTPUT);
	run_quietly(RUN_WORDS("-model=one", "-batch-size=1"));
	run_fails(1, RUN_ON("images.out", "-model=nosuch"), NULL, WORDS("nosuch", "-model"));
}

static void errors_are_counted_while_others_are_answered(void **state)
{
	struct faulty_server faulty;

	(void)state;
	faulty_server_start(
		&faulty, &(struct fault_plan){
				 .fault = FAULT_CLOSE, .upstream = server.port, .trigger = "AI.MODELRUN", .first = 3});
	run_prints(WORDS(RUN, "-host=127.0.0.1", "-port", faulty.port_text, "-file=images.out", "-workers=1",
			 "-expected-answers=answers.bin"),
		   WORDS("11 right, 0 wrong, 1 error,"));
	faulty_server_stop(&faulty);
}

/* ---- a Cluster ---- */

static void a_clusters_shards_all_classify(void **state)
{
	static const char *const ways[] = {"-use-dag=false", "-use-dag"};
	struct redis_server shards[SHARDS];

	(void)state;
	cluster_start(shards);
	load_model(shards[1].port_text, MODEL, "vision.pb", VISION_TEST_INPUT, VISION_TEST_OUTPUT);
	for (unsigned i = 0; i < 2; i++) {
		run_prints(WORDS(RUN, "-host=127.0.0.1", "-port", shards[0].port_text, "-cluster-mode", "-workers=3",
				 "-batch-size=2", "-file=images.out", "-expected-answers=answers.bin",
				 "-persist-results", "-continue-on-error=false", ways[i]),
			   WORDS("12 right, 0 wrong, 0 errors"));
	}
	for (unsigned i = 0; i < SHARDS; i++) {
		redisContext *c = redisConnect("127.0.0.1", shards[i].port);
		redisReply *keys = redisCommand(c, "KEYS *Tensor:{*}w%u", i);

		/* A shard has its worker's image and answer. */
		assert_int_equal(keys->elements, 2);
		freeReplyObject(keys);
		redisFree(c);
	}
	cluster_stop(shards);
}

/* ---- the real net ---- */

static void mobilenet_answers_the_golden_photos(void **state)
{
	static const char *const batches[] = {"1", "4", "12"};
	char model[512], expected[512];
	struct redis_server own; /* of its own: 17 MB */

	(void)state;
	if (!test_data(model, sizeof(model), "models/tensorflow/mobilenet_v1_1.0_224_frozen.pb") ||
	    !test_data(expected, sizeof(expected), "golden/mobilenet_v1/expected_f32_12x1001.raw"))
		skip();
	write_golden_images("golden.out", IMAGES);
	redis_server_start_module(&own, NULL, NULL);
	load_model(own.port_text, MODEL, model, "input", VISION_TEST_OUTPUT);
	for (size_t b = 0; b < sizeof(batches) / sizeof(batches[0]); b++) {
		run_prints(WORDS(RUN, "-host=127.0.0.1", "-port", own.port_text, "-file=golden.out", "-workers=2",
				 "-batch-size", batches[b], "-expected-answers", expected, "-tolerance=1e-4",
				 "-continue-on-error=false"),
			   WORDS("12 right, 0 wrong, 0 errors"));
	}
	redis_server_stop(&own, false);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_way_of_asking_classifies_every_image),
		cmocka_unit_test(a_pipe_is_read_as_a_file_is),
		cmocka_unit_test(keys_are_named_after_the_worker),
		cmocka_unit_test(limits_count_images),
		cmocka_unit_test(headings_and_options_are_aibenchs),
		cmocka_unit_test(data_that_does_not_fit_is_named),
		cmocka_unit_test(wrong_answers_fail_the_run_also_when_errors_do_not),
		cmocka_unit_test(a_model_of_another_shape_is_told_in_the_servers_words),
		cmocka_unit_test(errors_are_counted_while_others_are_answered),
		cmocka_unit_test(a_clusters_shards_all_classify),
		cmocka_unit_test(mobilenet_answers_the_golden_photos),
	};

	return cmocka_run_group_tests_name("vision", tests, prepare, clean_up);
}
