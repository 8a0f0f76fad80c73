/*
 * test_http_server.c - whatever a client does, it gets a proper status or is closed, and all others are served.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/arith.h"
#include "tests/servers/model_server/http_fixture.h"

#define BODY_MAX ((size_t)1 << 20) /* the fixture's, so that a body over it is cheap */
#define PREDICT "/v1/models/financialNet_NoReference:predict"
#define VISION "/predictions/mobilenet_v1_100_224_cpu"
#define ONES "[1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1]"
#define BODY "{\"instances\":[" ONES "]}"

static struct http_fixture f;

static int start(void **state)
{
	(void)state;
	http_fixture_start(&f, NULL, NSEC_PER_SEC, BODY_MAX);
	return 0;
}

static int stop(void **state)
{
	(void)state;
	http_fixture_stop(&f);
	return 0;
}

/* A new connection is served. */
static void check_alive(void)
{
	http_fixture_expect(&f, "POST", PREDICT, BODY, 200, NULL);
}

static void expect_status(int fd, unsigned status)
{
	struct http_reply reply = {0};

	if (!http_receive(fd, &reply))
		fail_msg("closed in place of status %u", status);
	if (reply.status != status)
		fail_msg("status %u in place of %u: %s", reply.status, status, reply.body.data);
	http_reply_release(&reply);
}

static void expect_closed(int fd)
{
	struct http_reply reply = {0};

	if (http_receive(fd, &reply))
		fail_msg("answered %s", reply.head.data);
	http_reply_release(&reply);
	close(fd);
}

static void send_text(int fd, const char *text)
{
	assert_true(http_send(fd, text, strlen(text)));
}

/* Two pieces, cut at each byte of headers and body, one connection for all. */
static void check_pieces(const struct buf *text)
{
	int fd = http_connect(f.port);

	for (size_t cut = 1; cut < text->len; cut++) {
		assert_true(http_send(fd, text->data, cut));
		assert_true(http_send(fd, text->data + cut, text->len - cut));
		expect_status(fd, 200);
	}
	for (size_t i = 0; i < text->len; i++)
		assert_true(http_send(fd, text->data + i, 1));
	expect_status(fd, 200);
	close(fd);
}

static void request_in_pieces_is_answered_as_whole(void **state)
{
	static const char JSON[] = "{\"inputs\":[{\"name\":\"transaction\",\"shape\":[1,30],\"datatype\":\"FP32\","
				   "\"parameters\":{\"binary_data_size\":120}}]}";
	char body[sizeof(JSON) - 1 + 120], header[128];
	struct buf text = {0};

	(void)state;
	http_request_text(&text, "POST", PREDICT, "Content-Type: application/json\r\n", BODY, strlen(BODY));
	check_pieces(&text);
	memset(body, 0, sizeof(body));
	memcpy(body, JSON, sizeof(JSON) - 1);
	snprintf(header, sizeof(header), "Inference-Header-Content-Length: %zu\r\n", sizeof(JSON) - 1);
	http_request_text(&text, "POST", "/v2/models/financialNet_NoReference/infer", header, body, sizeof(body));
	check_pieces(&text);
	buf_release(&text);
}

static void chunked_body_is_taken_whatever_its_chunks(void **state)
{
	int fd = http_connect(f.port);
	struct buf text = {0};

	(void)state;
	for (size_t size = 1; size <= strlen(BODY); size++) {
		buf_clear(&text);
		buf_printf(&text, "POST " PREDICT " HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n");
		for (size_t at = 0; at < strlen(BODY); at += size)
			buf_printf(&text, "%zx\r\n%.*s\r\n", size < strlen(BODY) - at ? size : strlen(BODY) - at,
				   (int)size, &BODY[at]);
		buf_printf(&text, "0\r\n\r\n");
		assert_true(http_send(fd, text.data, text.len));
		expect_status(fd, 200);
	}
	close(fd);
	buf_release(&text);
}

static void requests_sent_at_once_are_answered_in_order(void **state)
{
	static const unsigned statuses[] = {200, 404, 200, 400, 200};
	int fd = http_connect(f.port);
	struct buf text = {0}, all = {0};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(statuses); i++) {
		const char *body = statuses[i] == 400 ? "{" : BODY;

		http_request_text(&text, "POST", statuses[i] == 404 ? "/v1/models/nope:predict" : PREDICT, NULL, body,
				  strlen(body));
		buf_append(&all, text.data, text.len);
	}
	assert_true(http_send(fd, all.data, all.len));
	for (size_t i = 0; i < ARRAY_LEN(statuses); i++)
		expect_status(fd, statuses[i]);
	close(fd);
	buf_release(&text);
	buf_release(&all);
}

static void paths_methods_and_encodings_are_checked(void **state)
{
	static const struct {
		const char *method, *path, *headers;
		unsigned status;
	} rows[] = {
		{"GET", "/", NULL, 200},
		{"GET", "/v1", NULL, 404},
		{"GET", "/v2/models/", NULL, 404},
		{"GET", "/v1/models/", NULL, 400},
		{"GET", "/v1/models//versions/1", NULL, 400},
		{"POST", "/v1/models/%2e%2e%2f:predict", NULL, 400},
		{"GET", "/v2/predict", NULL, 405},
		{"DELETE", "/v2/predict", NULL, 405},
		{"GET", PREDICT, NULL, 400},
		{"PUT", PREDICT, NULL, 400},
		{"POST", "/metrics", NULL, 405},
		{"POST", PREDICT, "Content-Encoding: gzip\r\n", 415},
		{"POST", PREDICT, "Content-Encoding: identity\r\n", 200},
		{"POST", PREDICT "?ignored=1", NULL, 200},
		{"POST", "/v1/models/financialNet%5FNoReference:predict", NULL, 200},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		http_fixture_ask(&f, rows[i].method, rows[i].path, rows[i].headers, BODY, strlen(BODY));
		if (f.reply.status != rows[i].status)
			fail_msg("%s %s: %u in place of %u", rows[i].method, rows[i].path, f.reply.status,
				 rows[i].status);
	}
}

static void body_over_the_limit_gets_413(void **state)
{
	char *large = calloc(1, BODY_MAX + 1);
	struct buf text = {0};
	int fd = http_connect(f.port);

	(void)state;
	assert_non_null(large);
	memset(large, ' ', BODY_MAX + 1);
	/* Said before: read and answered, on a connection that goes on. */
	http_request_text(&text, "POST", PREDICT, NULL, large, BODY_MAX + 1);
	assert_true(http_send(fd, text.data, text.len));
	expect_status(fd, 413);
	http_request_text(&text, "POST", PREDICT, NULL, BODY, strlen(BODY));
	assert_true(http_send(fd, text.data, text.len));
	expect_status(fd, 200);
	/* In a chunk that only grows too large. */
	buf_clear(&text);
	buf_printf(&text, "POST " PREDICT " HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n%zx\r\n",
		   BODY_MAX + 1);
	buf_append(&text, large, BODY_MAX + 1);
	buf_printf(&text, "\r\n0\r\n\r\n");
	assert_true(http_send(fd, text.data, text.len));
	expect_status(fd, 413);
	close(fd);
	/* The largest that is allowed. */
	memcpy(large, BODY, strlen(BODY));
	http_fixture_ask(&f, "POST", PREDICT, NULL, large, BODY_MAX);
	assert_int_equal(f.reply.status, 200);
	/* Asked before it is sent, or far too large to be read: answered at once. */
	fd = http_connect(f.port);
	send_text(fd,
		  "POST " PREDICT " HTTP/1.1\r\nHost: test\r\nExpect: 100-continue\r\nContent-Length: 1048577\r\n\r\n");
	expect_status(fd, 413);
	close(fd);
	fd = http_connect(f.port);
	send_text(fd, "POST " PREDICT " HTTP/1.1\r\nHost: test\r\nContent-Length: 99999999999\r\n\r\n");
	expect_status(fd, 413);
	close(fd);
	free(large);
	buf_release(&text);
	check_alive();
}

static void malformed_requests_are_refused(void **state)
{
	static const char *const texts[] = {
		"\x16\x03\x01\x02garbage\r\n\r\n",
		"NONSENSE\r\n\r\n",
		"POST " PREDICT " HTTP/1.1\r\nHost: test\r\nContent-Length: -1\r\n\r\n",
		"POST " PREDICT " HTTP/1.1\r\nHost: test\r\nContent-Length: 12x\r\n\r\n",
		"POST " PREDICT " HTTP/1.1\r\nHost: test\r\nContent-Length: 99999999999999999999999\r\n\r\n",
		"POST " PREDICT " HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
		"POST " PREDICT " HTTP/1.1\r\n\r\n",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		int fd = http_connect(f.port);
		char got[16];
		ssize_t n;

		send_text(fd, texts[i]);
		/* To the end of the stream, as libmicrohttpd's own answers (0.9.75) may have their headers twice. */
		shutdown(fd, SHUT_WR);
		n = recv(fd, got, sizeof(got), MSG_WAITALL);
		if (n > 0 && memcmp(got, "HTTP/1.1 4", 10) != 0)
			fail_msg("text %zu: %.*s", i, (int)n, got);
		close(fd);
		check_alive();
	}
}

/* To the end of the connection, which is the server's. */
static void expect_last_answer(const char *request, const char *status_line, const char *text)
{
	int fd = http_connect(f.port);
	char got[2048];
	size_t len = 0;
	ssize_t n;

	send_text(fd, request);
	while ((n = recv(fd, got + len, sizeof(got) - len - 1, 0)) > 0)
		len += (size_t)n;
	got[len] = '\0';
	close(fd);
	if ((n < 0 && errno != ECONNRESET) || strncmp(got, status_line, strlen(status_line)) != 0 ||
	    !strstr(got, "Connection: close") || !strstr(got, text) || strstr(got + 1, "HTTP/1.1"))
		fail_msg("%s\nanswered %s\nin place of %s with \"%s\"", request, got, status_line, text);
}

#define NEXT "GET /ping HTTP/1.1\r\nHost: test\r\n\r\n"

/* Nothing that follows on the connection is taken for a request. */
static void requests_that_contradict_themselves_end_their_connection(void **state)
{
	static const struct {
		const char *head;
		unsigned status;
		const char *text;
	} rows[] = {
		{"Host: test\r\nContent-Length: 4\r\nContent-Length: 40\r\n", 400, "two values of Content-Length"},
		{"Host: test\r\nContent-Length: 40\r\nContent-Length: 4\r\n", 400, "two values of Content-Length"},
		{"Host: test\r\nContent-Length : 4\r\n", 400, "blank"},
		{"Host: test\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n", 400, "both"},
		{"Host: test\r\nTransfer-Encoding: gzip\r\n", 501, "Transfer-Encoding"},
		{"Host: test\r\nTransfer-Encoding: gzip, chunked\r\n", 501, "Transfer-Encoding"},
		{"Host: test\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n", 501,
		 "Transfer-Encoding"},
		{"Host: test\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", 400, "twice"},
		{"Content-Length: 4\r\n", 400, "no Host"},
		{"Host: test\r\nHost: other\r\nContent-Length: 4\r\n", 400, "more than one Host"},
	};
	char request[512], line[32];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		snprintf(request, sizeof(request), "POST " PREDICT " HTTP/1.1\r\n%s\r\nabcd" NEXT, rows[i].head);
		snprintf(line, sizeof(line), "HTTP/1.1 %u ", rows[i].status);
		expect_last_answer(request, line, rows[i].text);
	}
	expect_last_answer("GET /v1/models/financialNet%00x HTTP/1.1\r\nHost: test\r\n\r\n" NEXT, "HTTP/1.1 400 ",
			   "{\"error\":\"malformed HTTP request: %00 in the path\"}");
	expect_last_answer("POST /predictions/x HTTP/1.1\r\n\r\n", "HTTP/1.1 400 ",
			   "{\"code\":400,\"type\":\"BadRequestException\"");
	http_fixture_expect(&f, "GET", "/v1/models/financialNet%2500", NULL, 404, NULL);
	http_fixture_expect(&f, "GET", "/ping?a=%00", NULL, 200, NULL);
	check_alive();
}

/* What allows no two readings is taken. */
static void unusual_requests_are_answered(void **state)
{
	static const char *const heads[] = {
		"HTTP/1.1\r\nhost: test\r\nCONTENT-LENGTH: 1\r\n\r\n{",
		"HTTP/1.1\r\nHost: test\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n{",
		"HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: Chunked\r\n\r\n1\r\n{\r\n0\r\n\r\n",
		"HTTP/1.1\r\nHost:\r\nContent-Length: 1\r\n\r\n{",
		"HTTP/1.0\r\nContent-Length: 1\r\n\r\n{",
	};
	struct http_reply reply = {0};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(heads); i++) {
		int fd = http_connect(f.port);

		send_text(fd, "POST " PREDICT " ");
		send_text(fd, heads[i]);
		assert_true(http_receive(fd, &reply));
		assert_int_equal(reply.status, 400);
		if (!strstr(reply.body.data, "JSON, byte 2"))
			fail_msg("%s: %s", heads[i], reply.body.data);
		close(fd);
	}
	http_reply_release(&reply);
}

static void header_flood_ends_its_own_connection(void **state)
{
	static const char LINE[] = "X-Flood: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n";
	struct http_reply reply = {0};
	int fd = http_connect(f.port);
	bool open = true;

	(void)state;
	send_text(fd, "GET /ping HTTP/1.1\r\nHost: test\r\n");
	for (int i = 0; open && i < 100000; i++)
		open = http_send(fd, LINE, strlen(LINE));
	assert_false(open);
	close(fd);
	/* One header as long as all of them. */
	fd = http_connect(f.port);
	send_text(fd, "GET /ping HTTP/1.1\r\nHost: test\r\nX: ");
	for (int i = 0; i < 1024; i++) {
		if (!http_send(fd, LINE, strlen("X-Flood")))
			break;
	}
	for (int i = 0; i < 10000 && http_send(fd, "aaaaaaaaaaaaaaaa", 16); i++)
		;
	if (http_receive(fd, &reply))
		assert_in_range(reply.status, 400, 499);
	http_reply_release(&reply);
	close(fd);
	check_alive();
}

/* Content-Length is less than what is sent: the rest is no request. */
static void body_longer_than_it_says_is_cut(void **state)
{
	int fd = http_connect(f.port);

	(void)state;
	send_text(fd, "POST " PREDICT " HTTP/1.1\r\nHost: test\r\nContent-Length: 4\r\n\r\n" BODY "\r\n\r\n");
	expect_status(fd, 400);
	close(fd);
	check_alive();
}

/* One byte at a time, for as long as the server takes it. */
static void trickle(const char *beginning, unsigned status)
{
	int fd = http_connect(f.port);
	struct pollfd p = {.fd = fd, .events = POLLIN};
	int i = 0;

	send_text(fd, beginning);
	for (; i < 400 && poll(&p, 1, 50) == 0; i++) {
		if (!http_send(fd, "a", 1))
			break;
	}
	assert_true(i < 400);
	if (status)
		expect_status(fd, status);
	expect_closed(fd);
}

static void slow_clients_are_closed(void **state)
{
	int fd = http_connect(f.port);

	(void)state;
	/* Nothing more comes, of the headers or of the body. */
	send_text(fd, "POST " PREDICT " HTTP/1.1\r\nHost: test\r\nContent-Le");
	expect_closed(fd);
	fd = http_connect(f.port);
	send_text(fd, "POST " PREDICT " HTTP/1.1\r\nHost: test\r\nContent-Length: 1000\r\n\r\n{");
	expect_status(fd, 408);
	expect_closed(fd);
	/* A byte now and then: the request's time as a whole. */
	trickle("GET /ping HTTP/1.1\r\nX: ", 0);
	trickle("POST " PREDICT " HTTP/1.1\r\nHost: test\r\nContent-Length: 100000\r\n\r\n{", 408);
	check_alive();
}

/* libmicrohttpd closes without a word where it sees the end apart from the last bytes. */
static void body_that_ends_early_ends_its_connection(void **state)
{
	struct http_reply reply = {0};
	int fd = http_connect(f.port);

	(void)state;
	send_text(fd, "POST " PREDICT " HTTP/1.1\r\nHost: test\r\nContent-Length: 1000\r\n\r\n{");
	assert_int_equal(shutdown(fd, SHUT_WR), 0);
	if (http_receive(fd, &reply)) {
		assert_int_equal(reply.status, 400);
		assert_false(http_receive(fd, &reply));
	}
	http_reply_release(&reply);
	close(fd);
	check_alive();
}

static void half_closed_connection_gets_its_answer(void **state)
{
	float *image = malloc(IMAGE * sizeof(*image));
	struct buf text = {0};
	int fd = http_connect(f.port);

	(void)state;
	assert_non_null(image);
	http_request_text(&text, "POST", PREDICT, NULL, BODY, strlen(BODY));
	assert_true(http_send(fd, text.data, text.len));
	assert_int_equal(shutdown(fd, SHUT_WR), 0);
	expect_status(fd, 200);
	expect_closed(fd);
	/* The same while the model runs on its queue. */
	fill_image(image, 1, 1);
	http_request_text(&text, "POST", VISION, NULL, image, IMAGE * sizeof(*image));
	fd = http_connect(f.port);
	assert_true(http_send(fd, text.data, text.len));
	assert_int_equal(shutdown(fd, SHUT_WR), 0);
	expect_status(fd, 200);
	expect_closed(fd);
	buf_release(&text);
	free(image);
}

static void clients_that_go_away_leave_others_alone(void **state)
{
	const struct linger reset = {.l_onoff = 1};
	float *image = malloc(IMAGE * sizeof(*image));
	struct buf text = {0};

	(void)state;
	assert_non_null(image);
	fill_image(image, 1, 1);
	http_request_text(&text, "POST", VISION, NULL, image, IMAGE * sizeof(*image));
	for (size_t part = 0; part <= 8; part++) {
		int fd = http_connect(f.port);

		assert_true(http_send(fd, text.data, text.len * part / 8));
		if (part % 2)
			setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
		close(fd);
		check_alive();
	}
	buf_release(&text);
	free(image);
}

struct client {
	pthread_t thread;
	unsigned seed;
	bool vision;
	const float *image;
	struct tensor *want;
	char failure[256];
};

/* Without assertions: cmocka's belong to the main thread. */
static void *client_main(void *arg)
{
	struct client *c = arg;
	float row[TRANSACTION];
	struct http_reply reply = {0};
	struct buf text = {0};
	int fd = http_connect(f.port);

	if (c->vision) {
		http_request_text(&text, "POST", VISION, NULL, c->image, IMAGE * sizeof(float));
	} else {
		fill_transaction(row, 1, c->seed);
		http_request_text(&text, "POST", "/predictions/financialNet_NoReference",
				  "Content-Type: application/octet-stream\r\n", row, sizeof(row));
	}
	for (int i = 0; i < (c->vision ? 5 : 500) && !c->failure[0]; i++) {
		float got[1001];
		char *at;

		if (!http_send(fd, text.data, text.len) || !http_receive(fd, &reply) || reply.status != 200) {
			snprintf(c->failure, sizeof(c->failure), "request %d: status %u", i, reply.status);
			break;
		}
		at = reply.body.data;
		for (size_t v = 0; v < c->want->count; v++)
			got[v] = strtof(at + 1, &at);
		if (memcmp(got, c->want->data, c->want->size) != 0)
			snprintf(c->failure, sizeof(c->failure), "request %d: another's answer: %.100s", i,
				 reply.body.data);
	}
	close(fd);
	http_reply_release(&reply);
	buf_release(&text);
	return NULL;
}

static void each_of_many_clients_gets_its_own_answer(void **state)
{
	struct client clients[12] = {0};
	float *images = malloc(4 * IMAGE * sizeof(*images)), row[TRANSACTION];

	(void)state;
	assert_non_null(images);
	fill_image(images, 4, 9);
	for (unsigned i = 0; i < ARRAY_LEN(clients); i++) {
		struct client *c = &clients[i];

		c->seed = i;
		c->vision = i % 3 == 0;
		c->image = images + i / 3 * IMAGE;
		fill_transaction(row, 1, i);
		c->want = c->vision ? http_fixture_run(&f, MODEL_VISION, 1, c->image, NULL)
				    : http_fixture_run(&f, MODEL_NO_REFERENCE_2, 1, row, NULL);
	}
	for (unsigned i = 0; i < ARRAY_LEN(clients); i++)
		assert_int_equal(pthread_create(&clients[i].thread, NULL, client_main, &clients[i]), 0);
	for (unsigned i = 0; i < ARRAY_LEN(clients); i++)
		pthread_join(clients[i].thread, NULL);
	for (unsigned i = 0; i < ARRAY_LEN(clients); i++) {
		assert_string_equal(clients[i].failure, "");
		tensor_unref(clients[i].want);
	}
	free(images);
}

/* A metric's value; the test fails where it is not there. */
static double metric(const char *name)
{
	const char *text = http_fixture_ask(&f, "GET", "/metrics", NULL, NULL, 0), *line = text;
	size_t len = strlen(name);

	assert_int_equal(f.reply.status, 200);
	while (line && strncmp(line, name, len) != 0) {
		line = strchr(line, '\n');
		line = line ? line + 1 : NULL;
	}
	if (!line)
		fail_msg("no %s in %s", name, text);
	return strtod(line + len, NULL);
}

static void metrics_count_requests_failures_and_stages(void **state)
{
#define LABELS "{model=\"financialNet_NoReference\",version=\"2\""
	double requests = metric("aibench_requests_total" LABELS "}");
	double failures = metric("aibench_request_failures_total" LABELS "}");
	double errors = metric("aibench_http_errors_total{protocol=\"tensorflow\"}");
	char text[128];

	(void)state;
	http_fixture_expect(&f, "POST", PREDICT, BODY, 200, NULL);
	http_fixture_expect(&f, "POST", PREDICT, "{", 400, NULL);
	/* The runners' baseline is no error, and of no protocol. */
	http_fixture_expect(&f, "GET", "/", NULL, 200, NULL);
	assert_true(metric("aibench_requests_total" LABELS "}") == requests + 1);
	assert_true(metric("aibench_request_failures_total" LABELS "}") == failures + 1);
	assert_true(metric("aibench_http_errors_total{protocol=\"tensorflow\"}") == errors + 1);
	assert_true(metric("aibench_stage_seconds_count" LABELS ",stage=\"request\"}") == requests + 1);
	assert_true(metric("aibench_stage_seconds_sum" LABELS ",stage=\"request\"}") > 0);
	assert_true(metric("aibench_stage_seconds_sum" LABELS ",stage=\"compute_infer\"}") > 0);
	assert_true(metric("aibench_in_flight" LABELS "}") == 0);
	assert_true(metric("aibench_model_state" LABELS "}") == 30);
	assert_true(metric("process_cpu_seconds_total ") > 0);
	assert_true(metric("process_resident_memory_bytes ") > 0);
	http_fixture_ask(&f, "GET", "/monitoring/prometheus/metrics", NULL, NULL, 0);
	assert_int_equal(f.reply.status, 200);
	assert_string_equal(http_reply_header(&f.reply, "Content-Type", text, sizeof(text)),
			    "text/plain; version=0.0.4; charset=utf-8");
#undef LABELS
}

static void stopping_answers_what_has_come_in(void **state)
{
	float *image = malloc(IMAGE * sizeof(*image));
	int fds[4], idle = http_connect(f.port);
	struct buf text = {0};
#define LABELS "{model=\"mobilenet_v1_100_224_cpu\",version=\"1\"}"
	const double answered = metric("aibench_requests_total" LABELS);

	(void)state;
	assert_non_null(image);
	fill_image(image, 1, 1);
	http_request_text(&text, "POST", VISION, NULL, image, IMAGE * sizeof(*image));
	/* Some are waiting for others when the server stops. */
	for (size_t i = 0; i < ARRAY_LEN(fds); i++) {
		fds[i] = http_connect(f.port);
		assert_true(http_send(fds[i], text.data, text.len));
	}
	/* On a slow machine the first look may come when all have been answered. */
	while (metric("aibench_in_flight" LABELS) < 1 && metric("aibench_requests_total" LABELS) <= answered)
		;
#undef LABELS
	http_server_stop(f.server, clock_now() + 10 * NSEC_PER_SEC);
	f.server = NULL;
	for (size_t i = 0; i < ARRAY_LEN(fds); i++) {
		struct http_reply reply = {0};

		/* One whose request had not been read yet is closed without an answer. */
		if (http_receive(fds[i], &reply))
			assert_int_equal(reply.status, 200);
		else
			assert_true(i > 0);
		http_reply_release(&reply);
		close(fds[i]);
	}
	expect_closed(idle);
	buf_release(&text);
	free(image);
}

static void port_in_use_is_an_error(void **state)
{
	struct http_server_config config = {.ports = &f.port, .nports = 1, .repository = f.repository};
	struct http_server *server = NULL;
	struct error err = {0};

	(void)state;
	assert_int_equal(http_server_start(&server, &config, NULL, &err), ERR_IO);
	assert_null(server);
	assert_non_null(strstr(err.text, "Address already in use"));
	config.listen = "no.such.host.invalid";
	assert_int_equal(http_server_start(&server, &config, NULL, &err), ERR_IO);
	assert_non_null(strstr(err.text, "no.such.host.invalid"));
}

static void several_ports_serve_the_same(void **state)
{
	const unsigned short any[] = {0, 0, 0};
	const struct http_server_config config = {
		.listen = "127.0.0.1", .ports = any, .nports = 3, .threads = 2, .repository = f.repository};
	unsigned short ports[3];
	struct http_server *server;
	struct http_reply reply = {0};
	struct error err;

	(void)state;
	assert_int_equal(http_server_start(&server, &config, ports, &err), 0);
	for (size_t i = 0; i < 3; i++) {
		assert_true(ports[i] != 0);
		http_ask(ports[i], "POST", PREDICT, NULL, BODY, strlen(BODY), &reply);
		assert_int_equal(reply.status, 200);
	}
	http_server_stop(server, clock_now() + 10 * NSEC_PER_SEC);
	http_reply_release(&reply);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(request_in_pieces_is_answered_as_whole),
		cmocka_unit_test(chunked_body_is_taken_whatever_its_chunks),
		cmocka_unit_test(requests_sent_at_once_are_answered_in_order),
		cmocka_unit_test(paths_methods_and_encodings_are_checked),
		cmocka_unit_test(body_over_the_limit_gets_413),
		cmocka_unit_test(malformed_requests_are_refused),
		cmocka_unit_test(requests_that_contradict_themselves_end_their_connection),
		cmocka_unit_test(unusual_requests_are_answered),
		cmocka_unit_test(header_flood_ends_its_own_connection),
		cmocka_unit_test(body_longer_than_it_says_is_cut),
		cmocka_unit_test(slow_clients_are_closed),
		cmocka_unit_test(body_that_ends_early_ends_its_connection),
		cmocka_unit_test(half_closed_connection_gets_its_answer),
		cmocka_unit_test(clients_that_go_away_leave_others_alone),
		cmocka_unit_test(each_of_many_clients_gets_its_own_answer),
		cmocka_unit_test(metrics_count_requests_failures_and_stages),
		cmocka_unit_test(port_in_use_is_an_error),
		cmocka_unit_test(several_ports_serve_the_same),
		cmocka_unit_test(stopping_answers_what_has_come_in),
	};

	return cmocka_run_group_tests(tests, start, stop);
}
