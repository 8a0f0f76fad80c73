/*
 * test_serving.c - the programs that ask model servers, against the bundled one: every protocol, transport and use
 * case, with and without reference data from Redis. Answers are compared with those of the RedisAI module, bit for
 * bit.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <hiredis/hiredis.h>

#include "tests/e2e/e2e.h"
#include "tests/e2e/result_json.h"
#include "tests/e2e/vision_model.h"
#include "tests/support/model_server.h"
#include "workloads/fraud.h"
#include "workloads/vision.h"

#define IMAGES 12
#define GOLDEN_CLASSES 1001
#define VISION_MODEL "mobilenet_v1_100_224_cpu"
#define ANSWER_SIZE (FRAUD_CLASSES * sizeof(float))
#define WORDS_MAX 40

/* The models and the data of one comparison. */
struct served {
	struct redis_server redis;
	struct model_server server;
	redisContext *connection;
	char redis_host[32];
};

static struct served own;

static void load(const struct served *s, const char *model, const char *file, const char *inputs, const char *outputs)
{
	run_quietly(WORDS(LOAD_MODEL, "-redis-host", s->redis_host, "-model", model, "-model-file", file, "-inputs",
			  inputs, "-outputs", outputs));
}

/* A Redis with the module and a model server. models: -model's value. */
static void served_start(struct served *s, const char *models)
{
	redis_server_start_module(&s->redis, NULL, NULL);
	snprintf(s->redis_host, sizeof(s->redis_host), "127.0.0.1:%s", s->redis.port_text);
	s->connection = redisConnect("127.0.0.1", s->redis.port);
	assert_non_null(s->connection);
	model_server_start(&s->server, WORDS("-model", models, "-alias", "financial=financialNet"));
}

static void served_stop(struct served *s)
{
	model_server_stop(&s->server, SIGTERM);
	redisFree(s->connection);
	redis_server_stop(&s->redis, false);
}

/* Keeps the reply's last element, an answer of so many bytes. */
static void keep_answer(redisReply *reply, void *ret, size_t size)
{
	redisReply *blob = reply;

	assert_non_null(reply);
	if (reply->type == REDIS_REPLY_ARRAY && reply->elements > 0)
		blob = reply->element[reply->elements - 1];
	if (blob->type != REDIS_REPLY_STRING || blob->len != size)
		fail_msg("no answer: %s", blob->str ? blob->str : "another type");
	memcpy(ret, blob->str, size);
	freeReplyObject(reply);
}

/* One row's answer by the module, with the reference data that Redis has for it or by the model without. */
static void ask_module(const struct served *s, const char *row, bool reference, void *ret)
{
	unsigned long long id = fraud_row_id(row);
	const char *transaction = row + FRAUD_TRANSACTION_OFFSET;
	const size_t size = FRAUD_TRANSACTION_SIZE;
	redisReply *reply;

	if (reference)
		reply = redisCommand(
			s->connection,
			"AI.DAGRUN LOAD 1 referenceTensor:{%llu} |> AI.TENSORSET t{%llu} FLOAT 1 30 BLOB %b |> "
			"AI.MODELRUN financialNet INPUTS t{%llu} referenceTensor:{%llu} OUTPUTS o{%llu} |> "
			"AI.TENSORGET o{%llu} BLOB",
			id, id, transaction, size, id, id, id, id);
	else
		reply = redisCommand(s->connection,
				     "AI.DAGRUN |> AI.TENSORSET t FLOAT 1 30 BLOB %b |> AI.MODELRUN "
				     "financialNet_NoReference INPUTS t OUTPUTS o |> AI.TENSORGET o BLOB",
				     transaction, size);
	keep_answer(reply, ret, ANSWER_SIZE);
}

/* The module's answers to a dataset, as a file for -expected-answers. Returns how many rows there are. */
static unsigned write_module_answers(const struct served *s, const char *data, bool reference, const char *path)
{
	size_t len, n;
	char *rows = read_file(data, &len), *answers;

	n = len / FRAUD_ROW_SIZE;
	answers = malloc(n * ANSWER_SIZE);
	assert_non_null(answers);
	for (size_t i = 0; i < n; i++)
		ask_module(s, rows + i * FRAUD_ROW_SIZE, reference, answers + i * ANSWER_SIZE);
	write_file(path, answers, n * ANSWER_SIZE);
	free(answers);
	free(rows);
	return (unsigned)n;
}

/* Redis holds the reference data of other rows than the dataset's own: an answer is right only with what was fetched. */
static int prepare(void **state)
{
	char other[512], models[2048];

	fraud_files_set_up(state);
	write_vision_model("vision.pb", 0);
	write_vision_images("images.out", "vision_answers.bin", IMAGES);
	snprintf(models, sizeof(models), "financialNet=%s,financialNet_NoReference=%s," VISION_MODEL "=%s/vision.pb",
		 files.model, files.model_noreference, files.folder);
	served_start(&own, models);
	load(&own, "financialNet", files.model, "transaction,reference", "output");
	load(&own, "financialNet_NoReference", files.model_noreference, "transaction", "out");
	path_in(other, sizeof(other), files.folder, "other.dat");
	run_quietly(WORDS("aibench_generate_data", "-use-case", "creditcard-fraud", "-seed=99", "-max-transactions",
			  TEST_ROWS_TEXT, "-output-file", other));
	run_quietly(WORDS(LOAD, "-redis-host", own.redis_host, "-file", other, "-pipeline=50"));
	write_module_answers(&own, files.data, true, "reference.bin");
	write_module_answers(&own, files.data, false, "noreference.bin");
	return 0;
}

static int clean_up(void **state)
{
	served_stop(&own);
	return fraud_files_tear_down(state);
}

#define COUNTER "aibench_requests_total{model=\"%s\",version=\"1\"}"

/* A protocol as its program takes it. */
struct protocol {
	const char *program; /* without _vision */
	const char *host;    /* option */
	bool grpc;           /* of the model server's ports */
	const char *more;    /* option, or NULL */
	const char *uri; /* option that takes path and model in place of -model, or NULL: the program needs neither */
	const char *metrics; /* option that takes the metrics' host, or NULL */
	const char *counter; /* of requests, among the server's statistics; %s: the model. NULL: not asked for */
};

static const struct protocol protocols[] = {
	{"aibench_run_inference_tensorflow_serving", "-tensorflow-serving-host", true, "-protocol=grpc", NULL,
	 "-metrics-host", COUNTER},
	{"aibench_run_inference_tensorflow_serving", "-tensorflow-serving-host", false, "-protocol=rest", NULL,
	 "-metrics-host", COUNTER},
	{"aibench_run_inference_triton", "-host", true, "-protocol=grpc", NULL, NULL, "triton.success.count"},
	{"aibench_run_inference_triton", "-host", false, "-protocol=http", NULL, NULL, "triton.success.count"},
	{"aibench_run_inference_torchserve", "-torchserve-host", false, NULL, "-torchserve-request-uri",
	 "-metrics-host", COUNTER},
	{"aibench_run_inference_flask_tensorflow", "-restapi-host", false, "-metrics-uri=/metrics", NULL, NULL,
	 COUNTER},
	{"aibench_run_inference_flask_tensorflow", "-restapi-host", false, "-restapi-request-uri=/v1/predict", NULL,
	 NULL, NULL},
};
#define NPROTOCOLS (sizeof(protocols) / sizeof(protocols[0]))

/* Which of a protocol's runs. */
struct variant {
	const char *model, *data, *answers;
	bool vision, reference, exact;
	const char *const *more; /* words */
};

/* The server's own counter of the run's requests, over all periods; there is one run and one server. */
static void check_counter(const struct protocol *p, const char *model, const json_t *j, long long requests)
{
	json_t *periods = value_at(j, "ServerRunTimeStats"), *servers, *counters;
	const char *time, *server;
	long long sum = 0;
	char name[128];

	snprintf(name, sizeof(name), p->counter, model);
	json_object_foreach(periods, time, servers)
	{
		json_object_foreach(servers, server, counters) sum += strtoll(text_at(counters, name), NULL, 10);
	}
	assert_int_equal(sum, requests);
}

/* The report is whole: outcomes, histograms of each stage, and the server's own counters. */
static void check_report(const struct protocol *p, const struct variant *v, unsigned inferences)
{
	json_t *j = read_json("out.json");
	long long requests;

	requests = integer_at(j, "Outcomes/Requests/OK");
	assert_int_equal(integer_at(j, "Outcomes/Inferences/OK"), inferences);
	assert_int_equal(integer_at(j, "Outcomes/UnansweredRequests"), 0);
	assert_int_equal(integer_at(j, "Histograms/Service/Count"), inferences);
	assert_true(json_is_null(value_at(j, "FirstError")));
	if (v->reference) {
		assert_int_equal(integer_at(j, "Histograms/ReferenceFetch/Count"), inferences);
		assert_int_equal(integer_at(j, "Histograms/ModelCall/Count"), inferences);
		assert_true(integer_at(j, "Histograms/ReferenceFetch/Min") > 0);
	}
	if (p->counter)
		check_counter(p, v->model, j, requests);
	json_decref(j);
}

/* The plain REST server takes images as multipart/form-data alone. */
static bool is_json_only(const struct protocol *p)
{
	return p->more && strstr(p->more, "/v1/");
}

static void run(const struct served *s, const struct protocol *p, const struct variant *v, unsigned rows)
{
	const char *words[WORDS_MAX + 1], *host = p->grpc ? s->server.grpc_host : s->server.http_host;
	char program[128], path[160], right[64];
	size_t n = 0;

	snprintf(program, sizeof(program), "%s%s", p->program, v->vision ? "_vision" : "");
	snprintf(path, sizeof(path), "/predictions/%s", v->model);
	snprintf(right, sizeof(right), "%u right, 0 wrong, 0 errors, 0 timeouts", rows);
	words[n++] = program;
	words[n++] = p->host;
	words[n++] = host;
	if (p->more)
		words[n++] = p->more;
	if (p->uri) {
		words[n++] = p->uri;
		words[n++] = path;
	} else if (!strstr(p->program, "flask")) {
		words[n++] = "-model";
		words[n++] = v->model;
	}
	if (p->metrics) {
		words[n++] = p->metrics;
		words[n++] = s->server.http_host;
	}
	for (const char *const *w = WORDS("-file", v->data, "-expected-answers", v->answers, "-tolerance=0",
					  "-workers=4", "-json-out-file=out.json", "-redis-host", s->redis_host);
	     *w; w++)
		words[n++] = *w;
	if (v->vision && !v->exact)
		words[n++] = "-tolerance=1e-5"; /* the answers are of the test's own arithmetic, not the module's */
	if (v->reference)
		words[n++] = "-enable-reference-data-redis";
	for (const char *const *w = v->more; w && *w; w++)
		words[n++] = *w;
	words[n] = NULL;
	assert_true(n <= WORDS_MAX);
	run_prints(words, WORDS(right));
	check_report(p, v, rows);
}

/* Every protocol in both transports and, over gRPC, with connections that workers share. */
static void run_all(struct variant v, unsigned rows)
{
	for (size_t i = 0; i < NPROTOCOLS; i++) {
		const struct protocol *p = &protocols[i];

		if (v.vision && is_json_only(p))
			continue;
		v.more = NULL;
		run(&own, p, &v, rows);
		v.more = p->grpc ? WORDS("-transport=grpc-core") : WORDS("-transport=curl");
		run(&own, p, &v, rows);
		if (!p->grpc)
			continue;
		v.more = WORDS("-streams=4");
		run(&own, p, &v, rows);
		v.more = WORDS("-streams=3", "-transport=grpc-core");
		run(&own, p, &v, rows);
	}
}

static void transactions_get_the_module_s_answers(void **state)
{
	(void)state;
	run_all((struct variant){.model = "financialNet_NoReference", .data = files.data, .answers = "noreference.bin"},
		TEST_ROWS);
}

static void reference_data_come_from_redis_for_every_protocol(void **state)
{
	(void)state;
	run_all(
		(struct variant){
			.model = "financialNet", .data = files.data, .answers = "reference.bin", .reference = true},
		TEST_ROWS);
}

static void images_are_classified_over_every_protocol(void **state)
{
	(void)state;
	run_all(
		(struct variant){
			.model = VISION_MODEL, .data = "images.out", .answers = "vision_answers.bin", .vision = true},
		IMAGES);
}

static void images_go_several_to_a_tensor(void **state)
{
	const struct variant v = {.model = VISION_MODEL,
				  .data = "images.out",
				  .answers = "vision_answers.bin",
				  .vision = true,
				  .more = WORDS("-batch-size=4")};

	(void)state;
	for (size_t i = 0; i < NPROTOCOLS; i++) {
		if (!strstr(protocols[i].program, "flask") && !strstr(protocols[i].program, "torchserve"))
			run(&own, &protocols[i], &v, IMAGES);
	}
}

/* ---- the real nets --------------------------------------------------------------------------------------------- */

/* The golden photos as rows of a dataset, and the module's answers to them. */
static void write_golden_photos(const struct served *s, const char *photos, const char *data, const char *answers)
{
	const size_t answer_size = GOLDEN_CLASSES * sizeof(float);
	float *rows = malloc(IMAGES * VISION_ROW_SIZE);
	char *all = malloc(IMAGES * answer_size);
	unsigned char *bytes;
	size_t len;

	bytes = (unsigned char *)read_file(photos, &len);
	assert_int_equal(len * sizeof(float), IMAGES * VISION_ROW_SIZE);
	assert_non_null(rows);
	assert_non_null(all);
	for (size_t i = 0; i < len; i++)
		rows[i] = ((float)bytes[i] - 128) / 128;
	for (size_t i = 0; i < IMAGES; i++)
		keep_answer(redisCommand(
				    s->connection,
				    "AI.DAGRUN |> AI.TENSORSET t FLOAT 1 224 224 3 BLOB %b |> AI.MODELRUN " VISION_MODEL
				    " INPUTS t OUTPUTS o |> AI.TENSORGET o BLOB",
				    (char *)rows + i * VISION_ROW_SIZE, (size_t)VISION_ROW_SIZE),
			    all + i * answer_size, answer_size);
	write_file(data, rows, IMAGES * VISION_ROW_SIZE);
	write_file(answers, all, IMAGES * answer_size);
	free(bytes);
	free(all);
	free(rows);
}

static void real_nets_answer_real_data_as_the_module_does(void **state)
{
	struct variant transactions = {
		.model = "financialNet_NoReference", .data = "real.dat", .answers = "real_answers.bin"};
	const struct variant photos = {.model = VISION_MODEL,
				       .data = "photos.out",
				       .answers = "photo_answers.bin",
				       .exact = true,
				       .vision = true};
	char csv[512], raw[512], fraud[512], mobilenet[512], models[2048];
	struct served real;
	unsigned rows;

	(void)state;
	if (!test_data(csv, sizeof(csv), "creditcard/creditcard_sample.csv") ||
	    !test_data(raw, sizeof(raw), "golden/mobilenet_v1/inputs_u8_12x224x224x3.raw") ||
	    !test_data(fraud, sizeof(fraud), "models/tensorflow/creditcardfraud_noreference.pb") ||
	    !test_data(mobilenet, sizeof(mobilenet), "models/tensorflow/mobilenet_v1_1.0_224_frozen.pb"))
		skip();
	snprintf(models, sizeof(models), "financialNet_NoReference=%s," VISION_MODEL "=%s", fraud, mobilenet);
	served_start(&real, models);
	load(&real, "financialNet_NoReference", fraud, "transaction", "out");
	load(&real, VISION_MODEL, mobilenet, VISION_TEST_INPUT, VISION_TEST_OUTPUT);
	run_quietly(WORDS("aibench_generate_data", "-input-file", csv, "-output-file=real.dat"));
	rows = write_module_answers(&real, "real.dat", false, "real_answers.bin");
	write_golden_photos(&real, raw, "photos.out", "photo_answers.bin");
	for (size_t i = 0; i < NPROTOCOLS; i++) {
		run(&real, &protocols[i], &transactions, rows);
		if (!is_json_only(&protocols[i]))
			run(&real, &protocols[i], &photos, IMAGES);
	}
	served_stop(&real);
}

/* That the comparison can fail: Redis' reference data are not the dataset's. */
static void answers_without_the_fetched_data_are_wrong(void **state)
{
	(void)state;
	run_fails(1,
		  WORDS("aibench_run_inference_triton", "-host", own.server.grpc_host, "-file", files.data,
			"-expected-answers=noreference.bin", "-tolerance=0", "-enable-reference-data-redis",
			"-redis-host", own.redis_host),
		  NULL, WORDS("wrong", "expected"));
}

/* Whatever the protocol: settings that stood in a result twice made it one that nothing could read. */
static void results_can_be_compared_and_repeated(void **state)
{
	json_t *j;

	(void)state;
	run_quietly(WORDS("aibench_run_inference_tensorflow_serving", "-tensorflow-serving-host", own.server.grpc_host,
			  "-metrics-host", own.server.http_host, "-file", files.data, "-sweep=workers=1,2,3",
			  NO_HISTOGRAM, "-json-out-file=tf.json"));
	run_quietly(WORDS("aibench_run_inference_triton", "-host", own.server.http_host, "-protocol=http", "-file",
			  files.data, "-sweep=workers=1,2,3", NO_HISTOGRAM, "-json-out-file=triton.json"));
	run_prints(WORDS("aibench_compare", "tf_workers_3.json", "--", "triton_workers_3.json"),
		   WORDS("A and B differ in DBSpecificConfigs: transport lean,", "protocol http"));
	run_quietly(
		WORDS("aibench_run_inference_triton", "-replay=triton_workers_2.json", "-json-out-file=again.json"));
	j = read_json("again.json");
	assert_int_equal(integer_at(j, "Workers"), 2);
	assert_string_equal(text_at(j, "DBSpecificConfigs/protocol"), "http");
	json_decref(j);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(transactions_get_the_module_s_answers),
		cmocka_unit_test(reference_data_come_from_redis_for_every_protocol),
		cmocka_unit_test(images_are_classified_over_every_protocol),
		cmocka_unit_test(images_go_several_to_a_tensor),
		cmocka_unit_test(real_nets_answer_real_data_as_the_module_does),
		cmocka_unit_test(answers_without_the_fetched_data_are_wrong),
		cmocka_unit_test(results_can_be_compared_and_repeated),
	};

	return cmocka_run_group_tests_name("serving", tests, prepare, clean_up);
}
