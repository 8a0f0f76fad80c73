/*
 * http_fixture.c - generated models in a folder, a repository on it, and the HTTP server on a free port.
 */
#include "tests/servers/model_server/http_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/file.h"
#include "common/float_write.h"
#include "common/rng.h"
#include "tests/support/process.h"

static const char *const FILES[FIXTURE_MODELS] = {"reference.pb", "no_reference_1.pb", "no_reference_2.pb",
						  "mobilenet.pb"};

static void path_of(const struct http_fixture *f, enum fixture_model m, char *ret, size_t size)
{
	snprintf(ret, size, "%s/%s", f->folder, FILES[m]);
}

/* To the folder for the server, to the engine for what its answers must be. */
static void add_model(struct http_fixture *f, enum fixture_model m)
{
	static const char *const inputs[FIXTURE_MODELS][2] = {
		{"transaction", "reference"}, {"transaction"}, {"transaction"}, {"input"}};
	static const char *const outputs[FIXTURE_MODELS] = {"output", "out", "out",
							    "MobilenetV1/Predictions/Reshape_1"};
	const struct model_load_config config = {
		.format = MODEL_TENSORFLOW,
		.name = FILES[m],
		.io = {inputs[m], m == MODEL_REFERENCE ? 2 : 1, &outputs[m], 1},
	};
	unsigned char *blob;
	char path[512];
	size_t len;
	struct error err = {0};

	http_model_generate(m, &blob, &len);
	path_of(f, m, path, sizeof(path));
	assert_int_equal(file_write(path, blob, len, &err), 0);
	if (model_load(&f->models[m], &config, blob, len, NULL, NULL, &err) < 0)
		fail_msg("%s", err.text);
	assert_int_equal(model_context_new(&f->contexts[m], f->models[m], 1), 0);
	free(blob);
}

static void open_repository(struct http_fixture *f, const char *more_models)
{
	const struct queue_config queue = {.name = "test", .threads = 1};
	struct repository_config config = {.aliases = "financial=financialNet",
					   .labels = "financialNet_NoReference:stable=1"};
	char paths[FIXTURE_MODELS][512];
	struct buf models = {0};
	struct error err = {0};

	for (int m = 0; m < FIXTURE_MODELS; m++)
		path_of(f, (enum fixture_model)m, paths[m], sizeof(paths[m]));
	buf_printf(&models,
		   "financialNet=%s,financialNet_NoReference:1=%s,financialNet_NoReference:2=%s,"
		   "mobilenet_v1_100_224_cpu=%s%s%s",
		   paths[0], paths[1], paths[2], paths[3], more_models ? "," : "", more_models ? more_models : "");
	assert_int_equal(queue_new(&f->queue, &queue, &err), 0);
	config.models = models.data;
	config.queue = f->queue;
	if (repository_new(&f->repository, &config, &err) < 0)
		fail_msg("%s", err.text);
	buf_release(&models);
}

void http_fixture_start(struct http_fixture *f, const char *more_models, nsec_t timeout, size_t body_max)
{
	const unsigned short any = 0;
	struct http_server_config config = {.ports = &any, .nports = 1, .timeout = timeout, .body_max = body_max};
	struct error err = {0};

	memset(f, 0, sizeof(*f));
	temp_folder_new(f->folder, sizeof(f->folder));
	for (int m = 0; m < FIXTURE_MODELS; m++)
		add_model(f, (enum fixture_model)m);
	open_repository(f, more_models);
	config.repository = f->repository;
	if (http_server_start(&f->server, &config, &f->port, &err) < 0)
		fail_msg("%s", err.text);
}

void http_fixture_start_with(struct http_fixture *f, const char *name, const char *path)
{
	char found[4096], model[4500];

	if (test_data(found, sizeof(found), path)) {
		snprintf(model, sizeof(model), "%s=%s", name, found);
		http_fixture_start(f, model, 0, 0);
	} else {
		http_fixture_start(f, NULL, 0, 0);
	}
}

void http_fixture_stop(struct http_fixture *f)
{
	http_server_stop(f->server, clock_now() + 10 * NSEC_PER_SEC);
	repository_free(f->repository);
	queue_free(f->queue);
	for (int m = 0; m < FIXTURE_MODELS; m++) {
		model_context_free(f->contexts[m]);
		model_free(f->models[m]);
	}
	http_reply_release(&f->reply);
	temp_folder_remove(f->folder);
}

const char *http_fixture_ask(struct http_fixture *f, const char *method, const char *path, const char *headers,
			     const void *body, size_t len)
{
	http_ask(f->port, method, path, headers, body, len, &f->reply);
	return f->reply.body.len ? f->reply.body.data : "";
}

void http_fixture_expect(struct http_fixture *f, const char *method, const char *path, const char *body,
			 unsigned status, const char *want)
{
	const char *got = http_fixture_ask(f, method, path, NULL, body, body ? strlen(body) : 0);

	if (f->reply.status != status || (want && strcmp(got, want) != 0))
		fail_msg("%s %s %s\nanswered %u %s\nin place of %u %s", method, path, body ? body : "", f->reply.status,
			 got, status, want ? want : "");
}

void http_fixture_expect_tensor(const struct http_fixture *f, const char *begin, const struct tensor *want)
{
	float *got = calloc(want->count, sizeof(*got));

	assert_non_null(got);
	if (f->reply.status != 200 || strncmp(f->reply.body.data, begin, strlen(begin)) != 0)
		fail_msg("answered %u %s", f->reply.status, f->reply.body.data);
	read_floats(f->reply.body.data, got, want->count);
	assert_memory_equal(got, want->data, want->size);
	free(got);
}

struct tensor *http_fixture_run(struct http_fixture *f, enum fixture_model model, size_t rows, const float *transaction,
				const float *reference)
{
	const int64_t image[] = {(int64_t)rows, 224, 224, 3}, row[] = {(int64_t)rows, TRANSACTION};
	const int64_t vector[] = {REFERENCE};
	struct tensor views[2], *in[2] = {&views[0], &views[1]}, *out;
	struct error err = {0};
	size_t size = rows * sizeof(float) * (model == MODEL_VISION ? IMAGE : TRANSACTION);

	assert_int_equal(tensor_view(&views[0], DTYPE_FLOAT, model == MODEL_VISION ? image : row,
				     model == MODEL_VISION ? 4 : 2, (float *)transaction, size),
			 0);
	if (reference)
		assert_int_equal(tensor_view(&views[1], DTYPE_FLOAT, vector, 1, (float *)reference, 4 * REFERENCE), 0);
	if (model_run(f->contexts[model], in, reference ? 2 : 1, &out, 1, NULL, &err) < 0)
		fail_msg("%s", err.text);
	return out;
}

void fill_transaction(float *ret, size_t rows, unsigned seed)
{
	struct rng rng;

	rng_init(&rng, seed);
	for (size_t i = 0; i < rows * TRANSACTION; i++)
		ret[i] = (float)rng_normal(&rng);
}

void fill_reference(float *ret, unsigned seed)
{
	struct rng rng;

	rng_init(&rng, 1000 + seed);
	rng_floats(&rng, ret, REFERENCE);
}

void fill_image(float *ret, size_t rows, unsigned seed)
{
	struct rng rng;

	rng_init(&rng, 2000 + seed);
	rng_floats(&rng, ret, rows * IMAGE);
}

void append_floats(struct buf *b, const float *values, size_t n)
{
	char text[FLOAT_TEXT_MAX];

	buf_append(b, "[", 1);
	for (size_t i = 0; i < n; i++) {
		buf_append(b, ",", i > 0);
		buf_append(b, text, float_write(text, values[i]));
	}
	buf_append(b, "]", 1);
	assert_false(b->failed);
}

void read_floats(const char *json, float *ret, size_t n)
{
	bool text = false;
	size_t found = 0;

	for (const char *p = json; *p; p++) {
		char *end;

		if (*p == '"')
			text = !text;
		if (text || (*p != '-' && (*p < '0' || *p > '9')))
			continue;
		if (found == n)
			fail_msg("more than %zu numbers: %s", n, json);
		ret[found++] = strtof(p, &end);
		p = end - 1;
	}
	if (found != n)
		fail_msg("%zu numbers in place of %zu: %s", found, n, json);
}
