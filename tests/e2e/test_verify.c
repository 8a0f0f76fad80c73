/*
 * test_verify.c - answers recorded, made by the engine, and compared with under load, as a user does it.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/e2e/e2e.h"
#include "tests/e2e/vision_model.h"
#include "workloads/vision.h"

#define VISION_RUN "aibench_run_inference_redisai_vision"
#define ANSWERS "aibench_answers"
#define HEADER_SIZE 512
#define IMAGES 12

static struct redis_server server;

static int prepare(void **state)
{
	char host[64];

	fraud_files_set_up(state);
	write_vision_model("vision.pb", 0);
	write_vision_images("images.out", "vision.raw", IMAGES);
	redis_server_start_module(&server, NULL, NULL);
	load_fraud(&server);
	snprintf(host, sizeof(host), "127.0.0.1:%s", server.port_text);
	run_quietly(WORDS(LOAD_MODEL, "-redis-host", host, "-model=mobilenet_v1_100_224_cpu", "-model-file=vision.pb",
			  "-inputs", VISION_TEST_INPUT, "-outputs", VISION_TEST_OUTPUT));
	return 0;
}

static int clean_up(void **state)
{
	redis_server_stop(&server, false);
	return fraud_files_tear_down(state);
}

#define FRAUD_WORDS(...) \
	WORDS(REDISAI_RUN, "-host=127.0.0.1", "-port", server.port_text, "-file", files.data, __VA_ARGS__)
#define WITH_REFERENCE "-model=financialNet", "-enable-reference-data-redis"
#define WITHOUT_REFERENCE "-model=financialNet_NoReference"

/* Rows and values: all but what says how they were made. */
static void assert_same_answers(const char *a, const char *b)
{
	size_t len_a, len_b;
	char *bytes_a = read_file(a, &len_a), *bytes_b = read_file(b, &len_b);

	assert_int_equal(len_a, len_b);
	assert_true(len_a > HEADER_SIZE);
	assert_memory_equal(bytes_a + HEADER_SIZE, bytes_b + HEADER_SIZE, len_a - HEADER_SIZE);
	free(bytes_a);
	free(bytes_b);
}

static void what_a_server_answered_verifies_it(void **state)
{
	(void)state;
	run_prints(FRAUD_WORDS(WITH_REFERENCE, "-workers=8", "-threads=2", "-burn-in=100",
			       "-record-answers=module.answers"),
		   WORDS("Recorded: answers to " TEST_ROWS_TEXT " of " TEST_ROWS_TEXT " rows, in module.answers",
			 "do not publish"));
	run_prints(FRAUD_WORDS(WITH_REFERENCE, "-workers=3", "-tolerance=0", "-verify=module.answers", "-burn-in=100"),
		   WORDS("Verified: " TEST_ROWS_TEXT " of " TEST_ROWS_TEXT
			 " answers compared with module.answers (tolerance "
			 "0): all right, largest difference 0, the same class in " TEST_ROWS_TEXT "\n",
			 "1900 right, 0 wrong"));
	/* Under the older name, and asked otherwise. */
	run_prints(FRAUD_WORDS(WITH_REFERENCE, "-use-dag=false", "-tolerance=0", "-expected-answers=module.answers"),
		   WORDS("all right"));
}

static void the_engine_answers_as_the_module_does(void **state)
{
	(void)state;
	run_prints(WORDS(ANSWERS, "-file", files.data, "-reference", "-model-file", files.model,
			 "-output-file=engine.answers"),
		   WORDS("Wrote the answers to " TEST_ROWS_TEXT " rows, of 2 values each, to engine.answers"));
	run_quietly(FRAUD_WORDS(WITH_REFERENCE, "-record-answers=recorded.answers"));
	assert_same_answers("engine.answers", "recorded.answers");
	run_quietly(WORDS(ANSWERS, "-file", files.data, "-model-file", files.model_noreference, "-batch-size=40",
			  "-output-file=noreference.answers"));
	run_prints(FRAUD_WORDS(WITHOUT_REFERENCE, "-verify=noreference.answers", "-workers=16"), WORDS("all right"));
}

static void another_models_answers_are_counted_and_the_first_shown(void **state)
{
	struct process_result r;

	(void)state;
	run_quietly(WORDS(ANSWERS, "-file", files.data, "-model-file", files.model_noreference,
			  "-output-file=other.answers"));
	process_run(&r,
		    FRAUD_WORDS(WITH_REFERENCE, "-verify=other.answers", "-verify-show=2", "-json-out-file=wrong.json"),
		    NULL, LIMIT_SECONDS);
	check_holds(r.out, WORDS("answers compared with other.answers (tolerance 1e-05): ",
				 " wrong, largest difference ", "\n  row 0: value ", "\n  row 1: value ", "\n  and "));
	assert_null(strstr(r.out, "\n  row 2: value "));
	check_failed(&r, REDISAI_RUN, 1, WORDS("wrong answers", "expected"));
	check_file("wrong.json", WORDS("\"Verification\": {", "\"Compared\": " TEST_ROWS_TEXT, "\"FirstWrong\": [",
				       "\"Recording\": null"));
	/* With room enough for any probability it is right. */
	run_quietly(FRAUD_WORDS(WITH_REFERENCE, "-verify=other.answers", "-tolerance=1"));
	run_quietly(FRAUD_WORDS(WITH_REFERENCE, "-verify=other.answers", "-relative-tolerance=1e9"));
}

/* The line "Verified: …", malloc'd. */
static char *verified_line(const char *threads, const char *seed, const char *share)
{
	struct process_result r;
	char *at, *line;

	run_ok(&r,
	       WORDS(NULL_RUN, "-file", files.data, "-workers=12", "-threads", threads, "-seed", seed, "-verify-share",
		     share, "-verify=null.answers"),
	       NULL);
	at = strstr(r.out, "Verified: ");
	assert_non_null(at);
	line = strndup(at, strcspn(at, "\n"));
	assert_non_null(line);
	process_result_release(&r);
	return line;
}

static void a_share_is_the_same_with_any_number_of_threads(void **state)
{
	char *one, *three, *number;

	(void)state;
	run_quietly(WORDS(NULL_RUN, "-file", files.data, "-record-answers=null.answers"));
	one = verified_line("1", "7", "10%");
	three = verified_line("3", "7", "10%");
	number = verified_line("2", "7", "0.1");
	assert_non_null(strstr(one, "(share 10 %, tolerance 1e-05): all right"));
	assert_string_equal(one, three);
	assert_string_equal(one, number);
	free(one);
	free(three);
	free(number);
}

static void rows_that_are_missing_are_told_of(void **state)
{
	(void)state;
	run_quietly(WORDS(NULL_RUN, "-file", files.data, "-max-queries=500", "-record-answers=part.answers"));
	run_prints(WORDS(NULL_RUN, "-file", files.data, "-verify=part.answers"),
		   WORDS("Verified: 500 of " TEST_ROWS_TEXT " answers compared", "1500 answers could not be compared"));
	/* Nothing compared is nothing verified. */
	run_quietly(WORDS("aibench_generate_data", "-max-transactions=10", "-output-file=few.dat"));
	write_file("one.raw", (float[2]){1, 0}, 2 * sizeof(float));
	run_fails(1, WORDS(NULL_RUN, "-file=few.dat", "-verify=one.raw", "-verify-share=0.0000001"), NULL,
		  WORDS("no answer was compared with one.raw", "-verify-share"));
}

static void images_are_verified_row_by_row_in_any_batch(void **state)
{
#define VISION_WORDS(...) \
	WORDS(VISION_RUN, "-host=127.0.0.1", "-port", server.port_text, "-file=images.out", \
	      "-continue-on-error=false", __VA_ARGS__)
	(void)state;
	run_quietly(VISION_WORDS("-batch-size=4", "-workers=2", "-record-answers=images.answers"));
	run_prints(VISION_WORDS("-batch-size=3", "-verify=images.answers"),
		   WORDS("Verified: 12 of 12 answers compared with images.answers (tolerance 1e-05): all right"));
	run_prints(VISION_WORDS("-verify=vision.raw"), WORDS("Verified: 12 of 12", "all right"));
	run_prints(WORDS(ANSWERS, "-use-case=vision-image-classification", "-file=images.out", "-model-file=vision.pb",
			 "-inputs", VISION_TEST_INPUT, "-outputs", VISION_TEST_OUTPUT, "-batch-size=4",
			 "-output-file=images_engine.answers"),
		   WORDS("12 rows, of 10 values each"));
	assert_same_answers("images.answers", "images_engine.answers");
	/* The null driver answers 1001 classes. */
	run_fails(1, WORDS(NULL_RUN, "-use-case=vision", "-file=images.out", "-verify=images.answers"), NULL,
		  WORDS("12 wrong answers", "row 0: 1001 values, expected 10"));
}

static void what_cannot_be_verified_is_refused_before_the_run(void **state)
{
	const struct process_options piped = {.stdin_path = "/dev/null"};
	size_t len;
	char *bytes;

	(void)state;
	run_quietly(WORDS(NULL_RUN, "-file", files.data, "-record-answers=good.answers"));
	bytes = read_file("good.answers", &len);
	write_file("cut.answers", bytes, len - 1);
	bytes[8] = 9;
	write_file("newer.answers", bytes, len);
	free(bytes);
	run_fails(1, WORDS(NULL_RUN, "-file", files.data, "-verify=cut.answers"), NULL,
		  WORDS("cut.answers", "damaged"));
	run_fails(1, WORDS(NULL_RUN, "-file", files.data, "-verify=newer.answers"), NULL, WORDS("version 9"));
	run_fails(1, WORDS(NULL_RUN, "-file", files.data, "-verify=no.answers"), NULL, WORDS("no.answers"));
	run_quietly(WORDS("aibench_generate_data", "-seed=99", "-max-transactions", TEST_ROWS_TEXT,
			  "-output-file=other.dat"));
	run_fails(1, WORDS(NULL_RUN, "-file=other.dat", "-verify=good.answers"), NULL,
		  WORDS("another dataset", "made by", "-record-answers=good.answers"));
	run_fails(1, WORDS(NULL_RUN, "-use-case=vision", "-file=images.out", "-verify=good.answers"), NULL,
		  WORDS("creditcard-fraud", "vision-image-classification"));
	for (const char *const *bad = WORDS("0", "0%", "1.5", "101%", "-1", "%", "x", "", "nan"); *bad; bad++)
		run_fails(2, WORDS(NULL_RUN, "-file", files.data, "-verify=good.answers", "-verify-share", *bad), NULL,
			  WORDS("-verify-share"));
	run_fails(2, WORDS(NULL_RUN, "-file", files.data, "-verify=good.answers", "-expected-answers=good.answers"),
		  NULL, WORDS("-verify", "-expected-answers"));
	run_fails(2, WORDS(NULL_RUN, "-file", files.data, "-record-answers=x.answers", "-repetitions=2"), NULL,
		  WORDS("-record-answers", "one run", "-repetitions"));
	run_fails(2, WORDS(NULL_RUN, "-file", files.data, "-record-answers=x.answers", "-sweep=workers=1,2"), NULL,
		  WORDS("-record-answers", "one run", "-sweep"));
	run_fails(2, WORDS(NULL_RUN, "-file", files.data, "-record-answers=-"), NULL, WORDS("-record-answers"));
	run_fails(2, WORDS(NULL_RUN, "-file", files.data, "-record-answers", files.data), NULL,
		  WORDS("-record-answers", "-file"));
	run_fails(2, WORDS(NULL_RUN, "-file", files.data, "-verify=good.answers", "-record-answers=./good.answers"),
		  NULL, WORDS("-record-answers", "-verify"));
	run_fails(1, WORDS(NULL_RUN, "-file=-", "-record-answers=x.answers"), &piped, WORDS("dataset"));
	assert_int_equal(access("x.answers", F_OK), -1);
}

static void recording_from_a_pipe_needs_a_file(void **state)
{
	struct process_result r;
	struct process p;
	size_t len;
	char *data = read_file(files.data, &len);

	(void)state;
	process_start(&p, WORDS(NULL_RUN, "-record-answers=pipe.answers"),
		      &(struct process_options){.pipe_stdin = true});
	assert_true(write(p.in_fd, data, 4 * 1152) == 4 * 1152);
	close(p.in_fd);
	p.in_fd = -1;
	process_wait(&p, &r, LIMIT_SECONDS);
	check_failed(&r, NULL_RUN, 1, WORDS("-file"));
	assert_int_equal(access("pipe.answers", F_OK), -1);
	free(data);
}

static void what_cannot_be_answered_is_told(void **state)
{
	(void)state;
	run_fails(2, WORDS(ANSWERS, "-model-file", files.model, "-output-file=x.answers"), NULL, WORDS("-file"));
	run_fails(2, WORDS(ANSWERS, "-file", files.data, "-output-file=x.answers"), NULL, WORDS("-model-file"));
	run_fails(2, WORDS(ANSWERS, "-file", files.data, "-model-file", files.data, "-output-file=x.answers"), NULL,
		  WORDS("-format"));
	run_fails(2,
		  WORDS(ANSWERS, "-file", files.data, "-model-file", files.model, "-format=torch",
			"-output-file=x.answers"),
		  NULL, WORDS("-format torch"));
	run_fails(2, WORDS(ANSWERS, "-file", files.data, "-model-file", files.model, "-output-file", files.data), NULL,
		  WORDS("-output-file"));
	run_fails(2,
		  WORDS(ANSWERS, "-file", files.data, "-use-case=x", "-model-file", files.model,
			"-output-file=x.answers"),
		  NULL, WORDS("-use-case x"));
	run_fails(1,
		  WORDS(ANSWERS, "-file", files.data, "-model-file", files.model, "-reference",
			"-inputs=transaction,nothing", "-output-file=x.answers"),
		  NULL, WORDS("nothing"));
	run_fails(1,
		  WORDS(ANSWERS, "-file", files.data, "-model-file", files.model, "-inputs=transaction,reference",
			"-outputs=output", "-output-file=x.answers"),
		  NULL, WORDS("2 inputs", "-reference"));
	run_fails(1,
		  WORDS(ANSWERS, "-file", files.data, "-model-file", files.model_noreference, "-batch-size=3",
			"-output-file=x.answers"),
		  NULL, WORDS("tensor batch of 3"));
	assert_int_equal(access("x.answers", F_OK), -1);
}

/* ---- models of other formats, real models ---- */

/* The values of an answers file of `rows` rows. */
static float *read_values(const char *path, size_t rows, size_t values)
{
	size_t len, there = (rows + 7) / 8 * 8;
	char *bytes = read_file(path, &len);
	float *ret = malloc(rows * values * sizeof(*ret));

	assert_non_null(ret);
	assert_int_equal(len, HEADER_SIZE + there + rows * values * sizeof(*ret));
	memcpy(ret, bytes + HEADER_SIZE + there, rows * values * sizeof(*ret));
	free(bytes);
	return ret;
}

static void every_format_of_a_model_gives_the_same_answers(void **state)
{
	static const char *const formats[][2] = {
		{"tensorflow", "net.pb"}, {"tflite", "net.tflite"}, {"onnx", "net.any_name"}};
	float *first = NULL;

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		float *values;

		run_quietly(WORDS("aibench_generate_model", "-model=mobilenet-v1", "-width=0.25", "-format",
				  formats[i][0], "-batch=1", "-output-file", formats[i][1]));
		/* tflite and onnx name their inputs and outputs, and the two names that end in it their format */
		run_quietly(WORDS(ANSWERS, "-use-case=vision", "-file=images.out", "-model-file", formats[i][1],
				  i == 0 ? "-inputs=input" : "-inputs=", i == 2 ? "-format=onnx" : "-format=",
				  "-output-file=net.answers"));
		values = read_values("net.answers", IMAGES, VISION_CLASSES);
		if (!first) {
			first = values;
			continue;
		}
		for (size_t v = 0; v < (size_t)IMAGES * VISION_CLASSES; v++)
			assert_true(fabs((double)values[v] - (double)first[v]) <= 1e-5);
		free(values);
	}
	free(first);
}

static void real_transactions_get_the_golden_answers(void **state)
{
	char csv[512], golden[512], model[512], *text, *at;
	float *values;

	(void)state;
	if (!test_data(csv, sizeof(csv), "creditcard/creditcard_sample.csv") ||
	    !test_data(golden, sizeof(golden), "golden/creditcardfraud_noreference_expected.csv") ||
	    !test_data(model, sizeof(model), "models/tensorflow/creditcardfraud_noreference.pb"))
		skip();
	run_quietly(WORDS("aibench_generate_data", "-input-file", csv, "-output-file=real.dat"));
	run_quietly(WORDS(ANSWERS, "-file=real.dat", "-model-file", model, "-output-file=real.answers"));
	values = read_values("real.answers", 5622, 2);
	text = read_file(golden, NULL);
	at = strchr(text, '\n');
	for (size_t i = 0; i < 2 * 5622; i++, at++)
		assert_true(fabs(strtod(at, &at) - (double)values[i]) <= 1e-5);
	free(text);
	free(values);
}

static void golden_photos_get_the_golden_answers(void **state)
{
	char model[512], golden[512];
	float *values, *expected;

	(void)state;
	if (!test_data(model, sizeof(model), "models/tensorflow/mobilenet_v1_1.0_224_frozen.pb") ||
	    !test_data(golden, sizeof(golden), "golden/mobilenet_v1/expected_f32_12x1001.raw"))
		skip();
	write_golden_images("golden.out", IMAGES);
	run_quietly(WORDS(ANSWERS, "-use-case=vision", "-file=golden.out", "-model-file", model, "-inputs=input",
			  "-batch-size=4", "-output-file=golden.answers"));
	values = read_values("golden.answers", IMAGES, VISION_CLASSES);
	expected = (float *)(void *)read_file(golden, NULL);
	for (size_t i = 0; i < (size_t)IMAGES * VISION_CLASSES; i++)
		assert_true(fabs((double)values[i] - (double)expected[i]) <= 1e-4);
	free(values);
	free(expected);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_a_server_answered_verifies_it),
		cmocka_unit_test(the_engine_answers_as_the_module_does),
		cmocka_unit_test(another_models_answers_are_counted_and_the_first_shown),
		cmocka_unit_test(a_share_is_the_same_with_any_number_of_threads),
		cmocka_unit_test(rows_that_are_missing_are_told_of),
		cmocka_unit_test(images_are_verified_row_by_row_in_any_batch),
		cmocka_unit_test(what_cannot_be_verified_is_refused_before_the_run),
		cmocka_unit_test(recording_from_a_pipe_needs_a_file),
		cmocka_unit_test(what_cannot_be_answered_is_told),
		cmocka_unit_test(every_format_of_a_model_gives_the_same_answers),
		cmocka_unit_test(real_transactions_get_the_golden_answers),
		cmocka_unit_test(golden_photos_get_the_golden_answers),
	};

	return cmocka_run_group_tests_name("verify", tests, prepare, clean_up);
}
