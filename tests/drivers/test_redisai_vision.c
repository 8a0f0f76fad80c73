/*
 * test_redisai_vision.c - images as RedisAI's commands: the exact bytes, and that they all arrive however slowly the
 * server takes them.
 */
#include <arpa/inet.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "drivers/redisai.h"
#include "drivers/redisai_encode.h"
#include "workloads/vision.h"

#define BATCH_MAX 3
#define IOVECS_MAX 8
#define PATIENCE (20 * NSEC_PER_SEC)
#define MODEL "mobilenet_v1_100_224_cpu"

static unsigned char *rows; /* BATCH_MAX images */

static int make_rows(void **state)
{
	(void)state;
	rows = malloc(BATCH_MAX * VISION_ROW_SIZE);
	for (size_t i = 0; rows && i < BATCH_MAX * VISION_ROW_SIZE; i++)
		rows[i] = (unsigned char)(i * 31 + i / 251);
	return rows ? 0 : -1;
}

static int free_rows(void **state)
{
	(void)state;
	free(rows);
	return 0;
}

struct fixture {
	struct workload *workload;
	struct resp_template template;
	struct resp_scratch scratch;
	struct request request;
};

static void open_form(struct fixture *f, struct redisai_form form)
{
	*f = (struct fixture){0};
	assert_int_equal(workload_vision.open(&f->workload, &(struct workload_config){.batch = form.batch}, NULL), 0);
	form.spec = workload_vision.spec(f->workload);
	assert_int_equal(redisai_template(&f->template, &form), 0);
	f->scratch.text = malloc(f->template.text_max);
	assert_non_null(f->scratch.text);
	workload_vision.fill(f->workload, rows, &f->request);
}

static void close_form(struct fixture *f)
{
	free(f->scratch.text);
	resp_template_release(&f->template);
	workload_vision.close(f->workload);
}

/* The request of one worker: text, the rows where they lie, text. */
static void assert_request(const struct redisai_form *form, unsigned worker, const char *before, const char *after)
{
	struct iovec iov[IOVECS_MAX];
	struct fixture f;

	open_form(&f, *form);
	assert_int_equal(resp_template_encode(&f.template, &f.scratch, worker, f.request.inputs, form->batch, iov), 3);
	assert_int_equal(iov[0].iov_len, strlen(before));
	assert_memory_equal(iov[0].iov_base, before, strlen(before));
	assert_ptr_equal(iov[1].iov_base, rows);
	assert_int_equal(iov[1].iov_len, form->batch * VISION_ROW_SIZE);
	assert_int_equal(iov[2].iov_len, strlen(after));
	assert_memory_equal(iov[2].iov_base, after, strlen(after));
	assert_int_equal(f.template.ncommands, form->dag ? 1 : 3);
	close_form(&f);
}

static void three_commands_are_aibenchs(void **state)
{
	(void)state;
	assert_request(&(struct redisai_form){.model = MODEL, .batch = 1}, 0,
		       "*9\r\n$12\r\nAI.TENSORSET\r\n$16\r\nimageTensor:{w0}\r\n$5\r\nFLOAT\r\n$1\r\n1\r\n$3\r\n224\r\n"
		       "$3\r\n224\r\n$1\r\n3\r\n$4\r\nBLOB\r\n$602112\r\n",
		       "\r\n*6\r\n$11\r\nAI.MODELRUN\r\n$24\r\n" MODEL "\r\n$6\r\nINPUTS\r\n$16\r\nimageTensor:{w0}\r\n"
		       "$7\r\nOUTPUTS\r\n$25\r\nclassificationTensor:{w0}\r\n"
		       "*3\r\n$12\r\nAI.TENSORGET\r\n$25\r\nclassificationTensor:{w0}\r\n$4\r\nBLOB\r\n");
}

static void a_batch_is_one_tensor_of_all_its_rows(void **state)
{
	(void)state;
	assert_request(&(struct redisai_form){.model = "m", .batch = 3}, 12,
		       "*9\r\n$12\r\nAI.TENSORSET\r\n$17\r\nimageTensor:{w12}\r\n$5\r\nFLOAT\r\n$1\r\n3\r\n"
		       "$3\r\n224\r\n$3\r\n224\r\n$1\r\n3\r\n$4\r\nBLOB\r\n$1806336\r\n",
		       "\r\n*6\r\n$11\r\nAI.MODELRUN\r\n$1\r\nm\r\n$6\r\nINPUTS\r\n$17\r\nimageTensor:{w12}\r\n"
		       "$7\r\nOUTPUTS\r\n$26\r\nclassificationTensor:{w12}\r\n"
		       "*3\r\n$12\r\nAI.TENSORGET\r\n$26\r\nclassificationTensor:{w12}\r\n$4\r\nBLOB\r\n");
}

static const char DAG_AFTER[] =
	"\r\n$2\r\n|>\r\n$11\r\nAI.MODELRUN\r\n$1\r\nm\r\n$6\r\nINPUTS\r\n$16\r\nimageTensor:{w3}\r\n"
	"$7\r\nOUTPUTS\r\n$25\r\nclassificationTensor:{w3}\r\n"
	"$2\r\n|>\r\n$12\r\nAI.TENSORGET\r\n$25\r\nclassificationTensor:{w3}\r\n$4\r\nBLOB\r\n";

static void a_dag_has_the_same_three(void **state)
{
	(void)state;
	assert_request(&(struct redisai_form){.model = "m", .batch = 1, .dag = true}, 3,
		       "*22\r\n$9\r\nAI.DAGRUN\r\n$2\r\n|>\r\n$12\r\nAI.TENSORSET\r\n$16\r\nimageTensor:{w3}\r\n"
		       "$5\r\nFLOAT\r\n$1\r\n1\r\n$3\r\n224\r\n$3\r\n224\r\n$1\r\n3\r\n$4\r\nBLOB\r\n$602112\r\n",
		       DAG_AFTER);
}

static void a_dag_that_persists_names_the_answer(void **state)
{
	(void)state;
	assert_request(&(struct redisai_form){.model = "m", .batch = 1, .dag = true, .persist = true}, 3,
		       "*25\r\n$9\r\nAI.DAGRUN\r\n$7\r\nPERSIST\r\n$1\r\n1\r\n$25\r\nclassificationTensor:{w3}\r\n"
		       "$2\r\n|>\r\n$12\r\nAI.TENSORSET\r\n$16\r\nimageTensor:{w3}\r\n"
		       "$5\r\nFLOAT\r\n$1\r\n1\r\n$3\r\n224\r\n$3\r\n224\r\n$1\r\n3\r\n$4\r\nBLOB\r\n$602112\r\n",
		       DAG_AFTER);
}

static void a_shards_keys_all_have_its_tag(void **state)
{
	(void)state;
	assert_request(
		&(struct redisai_form){.model = "{17}m", .tag = "17", .batch = 1}, 5,
		"*9\r\n$12\r\nAI.TENSORSET\r\n$18\r\nimageTensor:{17}w5\r\n$5\r\nFLOAT\r\n$1\r\n1\r\n$3\r\n224\r\n"
		"$3\r\n224\r\n$1\r\n3\r\n$4\r\nBLOB\r\n$602112\r\n",
		"\r\n*6\r\n$11\r\nAI.MODELRUN\r\n$5\r\n{17}m\r\n$6\r\nINPUTS\r\n$18\r\nimageTensor:{17}w5\r\n"
		"$7\r\nOUTPUTS\r\n$27\r\nclassificationTensor:{17}w5\r\n"
		"*3\r\n$12\r\nAI.TENSORGET\r\n$27\r\nclassificationTensor:{17}w5\r\n$4\r\nBLOB\r\n");
}

/* ---- a server that takes and gives bytes in pieces ---- */

struct slow_server {
	int listener;
	char port[8];
	const struct redisai_form *form; /* of the requests that it expects */
	size_t hang_up_after;            /* bytes of the first request; 0: does not */
	pthread_t thread;
	unsigned right, wrong; /* requests, byte by byte; read once it has ended */
	bool hung_up;
};

static void reply_bytewise(int fd, const char *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (send(fd, bytes + i, 1, MSG_NOSIGNAL) != 1)
			return;
}

/* Reads `want` bytes, first few, then many at a time. False: the connection ended. */
static bool read_pieces(int fd, char *into, size_t want, size_t have)
{
	size_t piece = 1;

	while (have < want) {
		ssize_t n = recv(fd, into + have, want - have < piece ? want - have : piece, 0);

		if (n <= 0)
			return false;
		have += (size_t)n;
		piece = piece < 300 ? piece + 7 : piece * 2 % 50001;
	}
	return true;
}

static size_t expected_bytes(const struct slow_server *s, char **ret)
{
	struct iovec iov[IOVECS_MAX];
	struct fixture f;
	size_t len = 0;
	int n;

	open_form(&f, *s->form);
	*ret = malloc(f.template.text_max + s->form->batch * VISION_ROW_SIZE);
	assert_non_null(*ret);
	n = resp_template_encode(&f.template, &f.scratch, 0, f.request.inputs, s->form->batch, iov);
	for (int i = 0; i < n; i++) {
		memcpy(*ret + len, iov[i].iov_base, iov[i].iov_len);
		len += iov[i].iov_len;
	}
	close_form(&f);
	return len;
}

static void serve_requests(struct slow_server *s, int fd, char *got, size_t have)
{
	static const float answer[2 * BATCH_MAX] = {0.25F, 0.75F, 0.5F, 0.5F, 1.0F, 0.0F};
	char *expected, reply[128];
	size_t len = expected_bytes(s, &expected), n;

	n = (size_t)snprintf(reply, sizeof(reply), "%s+OK\r\n+OK\r\n$%zu\r\n", s->form->dag ? "*3\r\n" : "",
			     s->form->batch * 2 * sizeof(float));
	memcpy(reply + n, answer, s->form->batch * 2 * sizeof(float));
	n += s->form->batch * 2 * sizeof(float);
	memcpy(reply + n, "\r\n", 2);
	n += 2;
	while (have > 0) {
		if (s->hang_up_after && !s->hung_up) {
			s->hung_up = true;
			read_pieces(fd, got, s->hang_up_after, have);
			break;
		}
		if (!read_pieces(fd, got, len, have))
			break;
		if (memcmp(got, expected, len) == 0)
			s->right++;
		else
			s->wrong++;
		reply_bytewise(fd, reply, n);
		have = read_pieces(fd, got, 1, 0);
	}
	free(expected);
}

/* Control commands first; the first TENSORSET or DAGRUN begins the requests. */
static void serve_connection(struct slow_server *s, int fd, char *got)
{
	ssize_t n;

	while ((n = recv(fd, got, 8, MSG_PEEK)) > 0) {
		if (memcmp(got, "*1\r\n", 4) == 0) { /* PING */
			recv(fd, got, sizeof("*1\r\n$4\r\nPING\r\n") - 1, MSG_WAITALL);
			reply_bytewise(fd, "+PONG\r\n", 7);
		} else if (memcmp(got, "*3\r\n", 4) == 0) { /* AI.MODELGET, at once as it is small */
			n = recv(fd, got, 4096, 0);
			reply_bytewise(fd, "*0\r\n", 4);
		} else {
			serve_requests(s, fd, got, read_pieces(fd, got, 1, 0));
			return;
		}
	}
}

static void *slow_server_run(void *arg)
{
	struct slow_server *s = arg;
	char *got = malloc(BATCH_MAX * VISION_ROW_SIZE + 4096);
	int fd;

	while (got && (fd = accept(s->listener, NULL, NULL)) >= 0) {
		serve_connection(s, fd, got);
		close(fd);
	}
	free(got);
	return NULL;
}

static void slow_server_start(struct slow_server *s)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(a);
	int small = 4096;

	s->listener = socket(AF_INET, SOCK_STREAM, 0);
	assert_true(s->listener >= 0);
	setsockopt(s->listener, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
	assert_int_equal(bind(s->listener, (struct sockaddr *)&a, len), 0);
	assert_int_equal(listen(s->listener, 8), 0);
	getsockname(s->listener, (struct sockaddr *)&a, &len);
	snprintf(s->port, sizeof(s->port), "%u", ntohs(a.sin_port));
	assert_int_equal(pthread_create(&s->thread, NULL, slow_server_run, s), 0);
}

static void slow_server_stop(struct slow_server *s)
{
	shutdown(s->listener, SHUT_RDWR);
	pthread_join(s->thread, NULL);
	close(s->listener);
}

struct client {
	struct redisai_options options;
	struct conn_options conn;
	struct workload *workload;
	struct driver *driver;
	struct request request;
};

static void client_open(struct client *c, const struct slow_server *s)
{
	struct driver_config cfg = {.conn = &c->conn, .options = &c->options, .batch = s->form->batch, .slots = 1};
	struct error err = {""};

	*c = (struct client){.options = {.host = "127.0.0.1",
					 .port = s->port,
					 .use_dag = s->form->dag,
					 .persist_results = s->form->persist}};
	conn_options_defaults(&c->conn);
	assert_int_equal(workload_vision.open(&c->workload, &(struct workload_config){.batch = cfg.batch}, NULL), 0);
	cfg.spec = workload_vision.spec(c->workload);
	if (driver_redisai.open(&c->driver, &cfg, &err) < 0)
		fail_msg("%s", err.text);
	workload_vision.fill(c->workload, rows, &c->request);
}

static void client_close(struct client *c)
{
	driver_redisai.close(c->driver);
	workload_vision.close(c->workload);
}

static void poll_one(struct client *c, struct completion *done)
{
	nsec_t deadline = clock_now() + PATIENCE;
	struct error err;

	while (driver_redisai.poll(c->driver, clock_now() + NSEC_PER_SEC, done, 1, &err) == 0)
		assert_true(clock_now() < deadline);
}

/* One request; what became of it, its answer judged. */
static enum outcome ask(struct client *c)
{
	struct completion done;
	struct error err;
	int r;

	while ((r = driver_redisai.submit(c->driver, 0, &c->request, clock_now())) == ERR_AGAIN)
		assert_int_equal(driver_redisai.poll(c->driver, clock_now() + NSEC_PER_SEC, &done, 1, &err), 0);
	assert_int_equal(r, 0);
	poll_one(c, &done);
	if (done.outcome == OUTCOME_OK)
		assert_int_equal(workload_vision.check(c->workload, &c->request, &done.answer, NULL), 0);
	return done.outcome;
}

static void requests_arrive_whole_at_a_slow_server(void **state)
{
	static const struct redisai_form forms[] = {
		{.model = MODEL, .batch = 1},
		{.model = MODEL, .batch = 3},
		{.model = MODEL, .batch = 2, .dag = true, .persist = true},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		struct slow_server s = {.form = &forms[i]};
		struct client c;

		slow_server_start(&s);
		client_open(&c, &s);
		for (unsigned k = 0; k < 3; k++)
			assert_int_equal(ask(&c), OUTCOME_OK);
		client_close(&c);
		slow_server_stop(&s);
		assert_int_equal(s.right, 3);
		assert_int_equal(s.wrong, 0);
	}
}

static void a_request_cut_off_is_an_error_and_the_next_begins_anew(void **state)
{
	static const struct redisai_form form = {.model = MODEL, .batch = 1};
	static const size_t places[] = {50, 109, 100000, VISION_ROW_SIZE + 100};

	(void)state;
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		struct slow_server s = {.form = &form, .hang_up_after = places[i]};
		struct client c;

		slow_server_start(&s);
		client_open(&c, &s);
		assert_int_equal(ask(&c), OUTCOME_ERROR);
		assert_int_equal(ask(&c), OUTCOME_OK);
		client_close(&c);
		slow_server_stop(&s);
		assert_int_equal(s.right, 1);
		assert_int_equal(s.wrong, 0);
	}
}

static void the_model_has_aibenchs_name_unless_given(void **state)
{
	struct redisai_options o = {0};

	(void)state;
	assert_string_equal(redisai_model(&o, "vision-image-classification", false), MODEL);
	assert_string_equal(redisai_model(&o, "creditcard-fraud", false), "financialNet_NoReference");
	o.model = "mine";
	assert_string_equal(redisai_model(&o, "vision-image-classification", false), "mine");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(three_commands_are_aibenchs),
		cmocka_unit_test(a_batch_is_one_tensor_of_all_its_rows),
		cmocka_unit_test(a_dag_has_the_same_three),
		cmocka_unit_test(a_dag_that_persists_names_the_answer),
		cmocka_unit_test(a_shards_keys_all_have_its_tag),
		cmocka_unit_test(requests_arrive_whole_at_a_slow_server),
		cmocka_unit_test(a_request_cut_off_is_an_error_and_the_next_begins_anew),
		cmocka_unit_test(the_model_has_aibenchs_name_unless_given),
	};

	return cmocka_run_group_tests(tests, make_rows, free_rows);
}
