/*
 * http_fixture.h - the HTTP server in the test's own process, with generated models, and the engine to compare with.
 *
 * financialNet (inputs transaction and reference; alias financial), financialNet_NoReference in the versions 1 (label
 * stable) and 2, and mobilenet_v1_100_224_cpu, which is slow enough to run on its queue.
 */
#ifndef TESTS_SERVERS_MODEL_SERVER_HTTP_FIXTURE_H
#define TESTS_SERVERS_MODEL_SERVER_HTTP_FIXTURE_H

#include <stddef.h>

#include "common/clock.h"
#include "engine/model.h"
#include "servers/model_server/http_server.h"
#include "tests/servers/model_server/http_client.h"
#include "tests/servers/model_server/http_models.h"

#define TRANSACTION 30
#define REFERENCE 256
#define IMAGE ((size_t)224 * 224 * 3)

struct http_fixture {
	char folder[256];
	struct queue *queue;
	struct repository *repository;
	struct http_server *server;
	unsigned short port;
	/* The same models for the engine alone. */
	struct model *models[FIXTURE_MODELS];
	struct model_context *contexts[FIXTURE_MODELS];
	struct http_reply reply; /* of the last http_fixture_ask */
};

/* more_models: further words for repository_config.models, or NULL; timeout, body_max: the server's, 0: default. */
void http_fixture_start(struct http_fixture *f, const char *more_models, nsec_t timeout, size_t body_max);
/* With one more model, NAME[:VERSION], if path is there in the test data. */
void http_fixture_start_with(struct http_fixture *f, const char *name, const char *path);
void http_fixture_stop(struct http_fixture *f);

/* Asks on a connection of its own and returns the reply's body, which is JSON or a text. */
const char *http_fixture_ask(struct http_fixture *f, const char *method, const char *path, const char *headers,
			     const void *body, size_t len);
/* Fails the test, showing both, if status or body are others; body NULL: any. */
void http_fixture_expect(struct http_fixture *f, const char *method, const char *path, const char *body,
			 unsigned status, const char *want);

/* The last reply is a JSON text of status 200 that begins so and has exactly this tensor's float32, bit for bit. */
void http_fixture_expect_tensor(const struct http_fixture *f, const char *begin, const struct tensor *want);

/* What the engine answers to float32 inputs of these shapes; the model's only output, to be unreferenced. */
struct tensor *http_fixture_run(struct http_fixture *f, enum fixture_model model, size_t rows, const float *transaction,
				const float *reference);
/* Deterministic inputs. */
void fill_transaction(float *ret, size_t rows, unsigned seed);
void fill_reference(float *ret, unsigned seed);
void fill_image(float *ret, size_t rows, unsigned seed);
/* "[1.5,-2.0,…]" with digits that read back to the same bits. */
void append_floats(struct buf *b, const float *values, size_t n);
/* All numbers of a JSON text in their order; fails the test unless they are n. */
void read_floats(const char *json, float *ret, size_t n);

#endif
