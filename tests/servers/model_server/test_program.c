/*
 * test_program.c - bin/aibench_model_server: its ports, its options, its end.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "common/arith.h"
#include "common/clock.h"
#include "common/file.h"
#include "proto/inference.pb-c.h"
#include "tests/servers/model_server/grpc_fixture.h"
#include "tests/servers/model_server/http2_bytes.h"
#include "tests/support/model_server.h"

#define SERVER "aibench_model_server"
#define LIMIT 60

struct served {
	char folder[256], model[400];
	struct model_server server;
};

static int setup(void **state)
{
	static const enum fixture_model models[] = {MODEL_NO_REFERENCE_1, MODEL_VISION};
	static const char *const names[] = {"fraud", "vision"};
	struct served *s = calloc(1, sizeof(*s));
	char path[300];

	assert_non_null(s);
	setenv("GRPC_VERBOSITY", "NONE", 0);
	temp_folder_new(s->folder, sizeof(s->folder));
	for (int i = 0; i < 2; i++) {
		unsigned char *blob;
		size_t len;

		http_model_generate(models[i], &blob, &len);
		snprintf(path, sizeof(path), "%s/%s.pb", s->folder, names[i]);
		assert_int_equal(file_write(path, blob, len, NULL), 0);
		free(blob);
		snprintf(s->model + strlen(s->model), sizeof(s->model) - strlen(s->model), "%s%s=%s", i ? "," : "",
			 names[i], path);
	}
	*state = s;
	return 0;
}

static int teardown(void **state)
{
	struct served *s = *state;

	model_server_kill(&s->server);
	temp_folder_remove(s->folder);
	free(s);
	return 0;
}

/* gRPC gives connections to its threads in turn; with poll each thread sees its own alone. */
static void every_connection_is_served_without_epoll(void **state)
{
	struct served *s = *state;
	const char *const argv[] = {"-model", s->model, "-io-threads=2", NULL};
	struct grpc_client *clients[9];

	setenv("GRPC_POLL_STRATEGY", "poll", 1);
	model_server_start(&s->server, argv);
	unsetenv("GRPC_POLL_STRATEGY");
	for (size_t i = 0; i < ARRAY_LEN(clients); i++) {
		struct grpc_reply reply;

		clients[i] = grpc_client_new(s->server.grpc[0]);
		grpc_finish(grpc_begin(clients[i], TRITON "ServerReady", "", 0, 10000), &reply);
		if (reply.status != OK)
			fail_msg("connection %zu: status %d %s", i, reply.status, reply.details);
		grpc_reply_release(&reply);
	}
	for (size_t i = 0; i < ARRAY_LEN(clients); i++)
		grpc_client_free(clients[i]);
	model_server_stop(&s->server, SIGTERM);
}

/* What comes until the server ends the connection, which it does of its own accord. */
static size_t receive_to_the_end(int fd, char *ret, size_t size)
{
	size_t len = 0;
	ssize_t n;

	while ((n = recv(fd, ret + len, size - len - 1, 0)) > 0)
		len += (size_t)n;
	if (n < 0 && errno != ECONNRESET)
		fail_msg("the connection was not ended: %s", strerror(errno));
	ret[len] = '\0';
	return len;
}

static void the_other_protocol_s_bytes_end_their_connection_alone(void **state)
{
	static const char http[] = "GET /ping HTTP/1.1\r\nHost: test\r\n\r\n";
	struct served *s = *state;
	const char *const argv[] = {"-model", s->model, NULL};
	struct grpc_client *good;
	struct http_reply kept = {0};
	struct grpc_reply reply;
	struct buf grpc = {0};
	char got[4096];
	int fd, good_fd;

	http2_put_preface(&grpc);
	http2_put_call(&grpc, 1, TRITON "ServerReady");
	http2_put_message(&grpc, 1, "", 0, true);
	model_server_start(&s->server, argv);
	good = grpc_client_new(s->server.grpc[0]);
	good_fd = http_connect(s->server.http[0]);
	for (int i = 0; i < 5; i++) {
		fd = http_connect(s->server.http[0]);
		assert_true(http_send(fd, grpc.data, grpc.len));
		if (receive_to_the_end(fd, got, sizeof(got)))
			assert_memory_equal(got, "HTTP/1.", 7);
		close(fd);
		fd = http_connect(s->server.grpc[0]);
		assert_true(http_send(fd, http, strlen(http)));
		receive_to_the_end(fd, got, sizeof(got));
		close(fd);
		grpc_ask(good, TRITON "ServerReady", "", 0, &reply);
		assert_int_equal(reply.status, OK);
		grpc_reply_release(&reply);
		assert_true(http_send(good_fd, http, strlen(http)) && http_receive(good_fd, &kept));
		assert_int_equal(kept.status, 200);
	}
	grpc_client_free(good);
	close(good_fd);
	http_reply_release(&kept);
	buf_release(&grpc);
	model_server_stop(&s->server, SIGTERM);
}

/* Long before the time-out of silent ones. */
static void clients_that_leave_in_mid_body_leave_nothing_open(void **state)
{
	static const char half[] =
		"POST /v1/models/fraud:predict HTTP/1.1\r\nHost: test\r\nContent-Length: 100\r\n\r\n{";
	const struct timespec pause = {.tv_nsec = 20000000};
	const nsec_t until = clock_now() + 30 * NSEC_PER_SEC;
	struct served *s = *state;
	const char *const argv[] = {"-model", s->model, NULL};
	struct http_reply reply = {0};
	unsigned before;

	model_server_start(&s->server, argv);
	http_ask(s->server.http[0], "GET", "/ping", NULL, NULL, 0, &reply);
	http_reply_release(&reply);
	before = model_server_descriptors(&s->server);
	for (int i = 0; i < 20; i++) {
		int fd = http_connect(s->server.http[0]);

		assert_true(http_send(fd, half, strlen(half)));
		close(fd);
	}
	/* Once a later one is served, all of them have been accepted. */
	http_ask(s->server.http[0], "GET", "/ping", NULL, NULL, 0, &reply);
	http_reply_release(&reply);
	while (model_server_descriptors(&s->server) > before) {
		assert_true(clock_now() < until);
		nanosleep(&pause, NULL);
	}
	model_server_stop(&s->server, SIGTERM);
}

static void every_port_answers(void **state)
{
	struct served *s = *state;
	const char *const argv[] = {"-model", s->model, "--grpc-port=0,0", "-http-port", "0,0", "-alias=f=fraud", NULL};

	model_server_start(&s->server, argv);
	for (int i = 0; i < 2; i++) {
		struct grpc_client *c = grpc_client_new(s->server.grpc[i]);
		struct http_reply http = {0};
		struct grpc_reply reply;

		grpc_ask(c, TRITON "ServerReady", "", 0, &reply);
		assert_int_equal(reply.status, OK);
		assert_int_equal(reply.len, 2);
		grpc_reply_release(&reply);
		grpc_client_free(c);
		http_ask(s->server.http[i], "GET", "/v2/models/f/ready", NULL, NULL, 0, &http);
		assert_int_equal(http.status, 200);
		http_reply_release(&http);
	}
	model_server_stop(&s->server, SIGTERM);
}

/* Requests that wait for the only worker when the signal comes. */
static void a_signal_lets_requests_under_way_finish(void **state)
{
	static const int64_t shape[] = {4, 224, 224, 3};
	struct served *s = *state;
	const char *const argv[] = {"-model", s->model, "-grpc-port", "0", "-http-port", "", "-threads", "1", NULL};
	struct message m = {.model = "vision", .ninputs = 1};
	float *images = calloc(4 * IMAGE, sizeof(float));
	struct grpc_pending *pending[6];
	struct grpc_client *client;
	struct grpc_reply reply;
	unsigned char *data;
	size_t len;

	model_server_start(&s->server, argv);
	m.inputs[0] = (struct message_input){"input", 1, "FP32", shape, 4, images, 4 * IMAGE * sizeof(float)};
	data = message_infer(&m, &len);
	client = grpc_client_new(s->server.grpc[0]);
	for (int i = 0; i < 6; i++)
		pending[i] = grpc_begin(client, TRITON "ModelInfer", data, len, 0);
	/* The last of one connection is in when the first of them is answered, or is told that the server stops. */
	grpc_finish(pending[0], &reply);
	assert_int_equal(reply.status, OK);
	grpc_reply_release(&reply);
	process_signal(&s->server.process, SIGTERM);
	for (int i = 1; i < 6; i++) {
		grpc_finish(pending[i], &reply);
		assert_true(reply.status == OK || reply.status == 14);
		grpc_reply_release(&reply);
	}
	grpc_client_free(client);
	model_server_stop(&s->server, 0); /* none: a second one would end it at once */
	free(data);
	free(images);
}

/* Whether a connection is refused: no port of the test's own listens there meanwhile. */
static bool refuses(unsigned short port)
{
	const struct sockaddr_in to = {
		.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool refused;

	assert_true(fd >= 0);
	refused = connect(fd, (const struct sockaddr *)&to, sizeof(to)) < 0 && errno == ECONNREFUSED;
	close(fd);
	return refused;
}

#define PATIENCE "6s"
#define PATIENCE_NSEC (6 * NSEC_PER_SEC)

/* A call without its message and a request without the end of its body hold up both servers. */
static void a_signal_closes_all_ports_at_once_and_all_share_the_deadline(void **state)
{
	static const char half[] =
		"POST /v1/models/fraud:predict HTTP/1.1\r\nHost: test\r\nContent-Length: 100\r\n\r\n{";
	static const char ping[] = "GET /ping HTTP/1.1\r\nHost: test\r\n\r\n";
	const struct timespec pause = {.tv_nsec = 20000000};
	struct served *s = *state;
	const char *const argv[] = {"-model", s->model, "-stop-timeout", PATIENCE, NULL};
	struct http_reply reply = {0};
	struct buf call = {0};
	int grpc, slow, kept;
	nsec_t told;
	char text[32];

	model_server_start(&s->server, argv);
	grpc = http_connect(s->server.grpc[0]);
	http2_put_preface(&call);
	http2_put_call(&call, 1, TRITON "ServerReady");
	assert_true(http_send(grpc, call.data, call.len));
	slow = http_connect(s->server.http[0]);
	assert_true(http_send(slow, half, strlen(half)));
	kept = http_connect(s->server.http[0]);
	assert_true(http_send(kept, ping, strlen(ping)) && http_receive(kept, &reply));
	assert_string_equal(http_reply_header(&reply, "Connection", text, sizeof(text)), "");
	process_signal(&s->server.process, SIGTERM);
	told = clock_now();
	while (!refuses(s->server.http[0]) || !refuses(s->server.grpc[0])) {
		assert_true(clock_now() - told < PATIENCE_NSEC / 2);
		nanosleep(&pause, NULL);
	}
	assert_true(http_send(kept, ping, strlen(ping)) && http_receive(kept, &reply));
	assert_int_equal(reply.status, 200);
	assert_string_equal(http_reply_header(&reply, "Connection", text, sizeof(text)), "close");
	assert_false(http_receive(kept, &reply));
	model_server_stop(&s->server, 0);
	assert_true(clock_now() - told < PATIENCE_NSEC * 3 / 2);
	close(grpc);
	close(slow);
	close(kept);
	buf_release(&call);
	http_reply_release(&reply);
}

/* Eight rows make a batch, and nothing runs before it is full or a minute is over. */
static void requests_are_joined_to_a_batch(void **state)
{
	static const int64_t shape[] = {1, TRANSACTION};
	struct served *s = *state;
	const char *const argv[] = {"-model",      s->model,           "-grpc-port",     "0",  "-http-port", "",
				    "-batch-size", "vision=0,fraud=8", "-batch-timeout", "1m", NULL};
	struct message m = {.model = "fraud", .ninputs = 1};
	Inference__ModelRequest which = INFERENCE__MODEL_REQUEST__INIT;
	Inference__ModelStatisticsResponse *statistics;
	struct grpc_pending *pending[8];
	struct grpc_client *client;
	struct grpc_reply reply, first = {0};
	float row[TRANSACTION];
	unsigned char *data, request[64];
	char name[] = "fraud";
	size_t len;

	model_server_start(&s->server, argv);
	client = grpc_client_new(s->server.grpc[0]);
	fill_transaction(row, 1, 1);
	m.inputs[0] = (struct message_input){"transaction", 1, "FP32", shape, 2, row, sizeof(row)};
	data = message_infer(&m, &len);
	for (int i = 0; i < 8; i++)
		pending[i] = grpc_begin(client, TRITON "ModelInfer", data, len, 0);
	for (int i = 0; i < 8; i++) {
		grpc_finish(pending[i], &reply);
		assert_int_equal(reply.status, OK);
		if (i == 0) {
			first = reply;
			continue;
		}
		assert_int_equal(reply.len, first.len);
		assert_memory_equal(reply.data, first.data, first.len);
		grpc_reply_release(&reply);
	}
	grpc_reply_release(&first);
	which.name = name;
	grpc_ask(client, TRITON "ModelStatistics", request, inference__model_request__pack(&which, request), &reply);
	statistics = inference__model_statistics_response__unpack(NULL, reply.len, reply.data);
	assert_non_null(statistics);
	assert_int_equal(statistics->model_stats[0]->inference_count, 8);
	assert_int_equal(statistics->model_stats[0]->execution_count, 1);
	inference__model_statistics_response__free_unpacked(statistics, NULL);
	grpc_reply_release(&reply);
	grpc_client_free(client);
	model_server_stop(&s->server, SIGTERM);
	free(data);
}

static void lists_may_be_given_in_parts(void **state)
{
	struct served *s = *state;
	char *comma = strchr(s->model, ',');
	const char *const argv[] = {"-model",      s->model,  "-http-port=0,0", "-model",          comma + 1,
				    "-grpc-port=", "--alias", "f=fraud",        "-alias=v=vision", NULL};
	static const char *const paths[] = {"/v2/models/f/ready", "/v2/models/v/ready"};
	struct http_reply reply = {0};

	assert_non_null(comma);
	*comma = '\0';
	model_server_start(&s->server, argv);
	for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
		http_ask(s->server.http[i], "GET", paths[i], NULL, NULL, 0, &reply);
		assert_int_equal(reply.status, 200);
	}
	http_reply_release(&reply);
	model_server_stop(&s->server, SIGTERM);
}

static void expect_failure(const char *const *argv, int status, const char *text)
{
	struct process_result r;

	process_run(&r, argv, &(struct process_options){0}, LIMIT);
	if (r.status != status || !strstr(r.err, text))
		fail_msg("exit status %d '%s' in place of %d with '%s'", r.status, r.err, status, text);
	process_result_release(&r);
}

static void wrong_options_are_told(void **state)
{
	struct served *s = *state;

	expect_failure((const char *const[]){SERVER, NULL}, 2, "nothing to serve");
	expect_failure((const char *const[]){SERVER, "-model", "fraud", NULL}, 2, "-model fraud: must be NAME=VALUE");
	expect_failure((const char *const[]){SERVER, "-model", s->model, "-grpc-port", "70000", NULL}, 2,
		       "-grpc-port 70000: must be ports");
	expect_failure((const char *const[]){SERVER, "-model", s->model, "-http-port", "80,x", NULL}, 2,
		       "-http-port 80,x");
	expect_failure((const char *const[]){SERVER, "-model", s->model, "-max-message-size", "3GiB", NULL}, 2,
		       "-max-message-size 3GiB");
	expect_failure((const char *const[]){SERVER, "-model", s->model, "-grpc-port=", "-http-port=", NULL}, 2,
		       "no port to listen on");
	expect_failure((const char *const[]){SERVER, "-model", s->model, "-model", s->model, NULL}, 2,
		       "-model: fraud is given twice");
	expect_failure((const char *const[]){SERVER, "-model", s->model, "-alias", "a=b,b=a", NULL}, 2,
		       "-alias: a stands for itself");
}

static void ipv6_addresses_are_printed_in_brackets(void **state)
{
	struct served *s = *state;
	const char *const argv[] = {SERVER, "-model", s->model, "-listen=::1", "-grpc-port=0", "-http-port=0", NULL};
	const struct timespec pause = {.tv_nsec = 20000000};
	const nsec_t until = clock_now() + 30 * NSEC_PER_SEC;
	struct process_result r;
	struct process p;
	char text[256] = "";

	process_start(&p, argv, &(struct process_options){0});
	while (!strstr(text, "http ") && process_running(&p) && clock_now() < until) {
		ssize_t n = pread(p.out_fd, text, sizeof(text) - 1, 0);

		text[n > 0 ? n : 0] = '\0';
		nanosleep(&pause, NULL);
	}
	process_signal(&p, SIGTERM);
	process_wait(&p, &r, LIMIT);
	/* A machine without IPv6 has no such address. */
	if (r.status == 0 && (!strstr(r.out, "grpc [::1]:") || !strstr(r.out, "http [::1]:")))
		fail_msg("%s", r.out);
	process_result_release(&r);
}

static void a_taken_port_is_told(void **state)
{
	struct served *s = *state;
	const char *const argv[] = {"-model", s->model, "-grpc-port", "0", "-http-port", "", NULL};
	char port[8];

	model_server_start(&s->server, argv);
	snprintf(port, sizeof(port), "%hu", s->server.grpc[0]);
	expect_failure((const char *const[]){SERVER, "-model", s->model, "-grpc-port", port, "-http-port", "", NULL}, 1,
		       "cannot listen on 127.0.0.1:");
	model_server_stop(&s->server, SIGINT);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(every_connection_is_served_without_epoll),
		TEST(the_other_protocol_s_bytes_end_their_connection_alone),
		TEST(clients_that_leave_in_mid_body_leave_nothing_open),
		TEST(every_port_answers),
		TEST(a_signal_lets_requests_under_way_finish),
		TEST(a_signal_closes_all_ports_at_once_and_all_share_the_deadline),
		TEST(requests_are_joined_to_a_batch),
		TEST(lists_may_be_given_in_parts),
		TEST(wrong_options_are_told),
		TEST(ipv6_addresses_are_printed_in_brackets),
		TEST(a_taken_port_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
