/*
 * test_redis_data.c - what the loader sends, byte for byte; what arrives in a real redis-server; what is said when
 * something fails.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "common/file.h"
#include "loaders/redis_data.h"
#include "loaders/redis_target.h"
#include "net/redis_client.h"
#include "tests/loaders/fake_redis.h"
#include "tests/support/redis_server.h"
#include "workloads/fraud.h"

#define ROWS 500

struct fixture {
	char dir[256], path[300];
	struct workload *workload;
	struct conn_options conn;
	struct redis_target target;
	struct redis_data_config cfg;
	struct redis_data_summary summary;
	struct error err;
	unsigned reports;
};

/* Row i: the id, then bytes that tell rows and places apart. */
static void make_row(unsigned char *row, uint64_t id)
{
	memcpy(row, &id, sizeof(id));
	for (unsigned i = FRAUD_ID_SIZE; i < FRAUD_ROW_SIZE; i++)
		row[i] = (unsigned char)(id * 7 + i * 13 + i / 256);
}

static void write_rows(const char *path, const uint64_t *ids, size_t n)
{
	unsigned char *rows = malloc(n * FRAUD_ROW_SIZE);
	struct error err;

	assert_non_null(rows);
	for (size_t i = 0; i < n; i++)
		make_row(rows + i * FRAUD_ROW_SIZE, ids ? ids[i] : i);
	assert_int_equal(file_write(path, rows, n * FRAUD_ROW_SIZE, &err), 0);
	free(rows);
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct error err;

	assert_non_null(f);
	temp_folder_new(f->dir, sizeof(f->dir));
	snprintf(f->path, sizeof(f->path), "%s/fraud.dat", f->dir);
	write_rows(f->path, NULL, ROWS);
	assert_int_equal(
		workload_fraud.open(&f->workload, &(struct workload_config){.reference = true, .batch = 1}, &err), 0);
	conn_options_defaults(&f->conn);
	f->conn.password = NULL;
	f->cfg = (struct redis_data_config){
		.spec = workload_fraud.spec(f->workload),
		.path = f->path,
		.workers = 1,
		.pipeline = 1,
		.set_blob = true,
		.set_tensor = true,
	};
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	redis_target_close(&f->target);
	workload_fraud.close(f->workload);
	temp_folder_remove(f->dir);
	free(f);
	return 0;
}

static void point_at(struct fixture *f, unsigned short port, const char *format)
{
	char host[64];

	snprintf(host, sizeof(host), format, port);
	redis_target_close(&f->target);
	assert_int_equal(redis_target_open(&f->target, host, &f->conn, &f->err), 0);
	f->cfg.endpoint = f->target.endpoint;
	f->cfg.tls = f->target.tls;
	f->cfg.conn = &f->target.conn;
	f->cfg.database = f->target.url.database;
}

static int load(struct fixture *f)
{
	f->err.text[0] = '\0';
	return redis_data_load(&f->summary, &f->cfg, &f->err);
}

static void load_ok(struct fixture *f)
{
	if (load(f) != 0)
		fail_msg("%s", f->err.text);
}

static void expect_text(const struct fixture *f, const char *words)
{
	if (!strstr(f->err.text, words))
		fail_msg("\"%s\" does not say \"%s\"", f->err.text, words);
}

/* ---- bytes ------------------------------------------------------------------------------------------------------- */

/* Both commands of one row, as they must be sent. */
static size_t golden_row(char *dst, uint64_t id, bool blob, bool tensor)
{
	unsigned char row[FRAUD_ROW_SIZE];
	char key[64];
	size_t len = 0;

	make_row(row, id);
	if (blob) {
		snprintf(key, sizeof(key), "referenceBLOB:{%llu}", (unsigned long long)id);
		len += (size_t)sprintf(dst + len, "*3\r\n$3\r\nSET\r\n$%zu\r\n%s\r\n$1024\r\n", strlen(key), key);
		memcpy(dst + len, row + FRAUD_REFERENCE_OFFSET, 1024);
		len += 1024;
		len += (size_t)sprintf(dst + len, "\r\n");
	}
	if (tensor) {
		snprintf(key, sizeof(key), "referenceTensor:{%llu}", (unsigned long long)id);
		len += (size_t)sprintf(
			dst + len,
			"*7\r\n$12\r\nAI.TENSORSET\r\n$%zu\r\n%s\r\n$5\r\nFLOAT\r\n$1\r\n1\r\n$3\r\n256\r\n"
			"$4\r\nBLOB\r\n$1024\r\n",
			strlen(key), key);
		memcpy(dst + len, row + FRAUD_REFERENCE_OFFSET, 1024);
		len += 1024;
		len += (size_t)sprintf(dst + len, "\r\n");
	}
	return len;
}

/* The second connection is the worker's; the first one asked what the server is. */
static void the_bytes_sent_are_these(void **state)
{
	struct fixture *f = *state;
	static const uint64_t ids[] = {0, 7, 42, 1000000, UINT64_MAX};
	static const unsigned pipelines[] = {1, 2, 3, 4, 100, 100000};
	char *golden = malloc(sizeof(ids) / sizeof(ids[0]) * 3000);

	assert_non_null(golden);
	write_rows(f->path, ids, sizeof(ids) / sizeof(ids[0]));
	for (int kinds = 1; kinds < 4; kinds++) {
		size_t golden_len = 0;

		f->cfg.set_blob = kinds & 1;
		f->cfg.set_tensor = kinds & 2;
		for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++)
			golden_len += golden_row(golden + golden_len, ids[i], kinds & 1, kinds & 2);
		for (size_t p = 0; p < sizeof(pipelines) / sizeof(pipelines[0]); p++) {
			struct fake_redis fake = {0};

			f->cfg.pipeline = pipelines[p];
			fake_redis_start(&fake);
			point_at(f, fake.port, "127.0.0.1:%u");
			load_ok(f);
			fake_redis_stop(&fake);
			assert_int_equal(fake.nconnections, 2);
			assert_int_equal(fake.connections[1].len, golden_len);
			assert_memory_equal(fake.connections[1].bytes, golden, golden_len);
			assert_int_equal(f->summary.commands, (kinds == 3 ? 2 : 1) * sizeof(ids) / sizeof(ids[0]));
			fake_redis_release(&fake);
		}
	}
	free(golden);
}

static void user_password_and_database_come_first(void **state)
{
	static const char golden[] =
		"*3\r\n$4\r\nAUTH\r\n$1\r\nu\r\n$2\r\npw\r\n*2\r\n$6\r\nSELECT\r\n$1\r\n5\r\n*3\r\n";
	struct fixture *f = *state;
	struct fake_redis fake = {0};

	fake_redis_start(&fake);
	point_at(f, fake.port, "redis://u:pw@127.0.0.1:%u/5");
	load_ok(f);
	fake_redis_stop(&fake);
	assert_true(fake.connections[1].len > sizeof(golden));
	assert_memory_equal(fake.connections[1].bytes, golden, sizeof(golden) - 1);
	assert_int_equal(f->summary.commands, 2 * ROWS);
	fake_redis_release(&fake);
}

/* Every row once, whoever sends it. */
static void workers_share_the_rows(void **state)
{
	struct fixture *f = *state;
	struct fake_redis fake = {0};

	f->cfg.workers = 5;
	f->cfg.pipeline = 7;
	fake_redis_start(&fake);
	point_at(f, fake.port, "127.0.0.1:%u");
	load_ok(f);
	fake_redis_stop(&fake);
	assert_int_equal(fake.nconnections, 6);
	assert_int_equal(fake.stores, 2 * ROWS);
	for (unsigned i = 1; i < 6; i++)
		assert_true(fake.connections[i].len > 7 * 1024);
	fake_redis_release(&fake);
}

/* ---- faults ------------------------------------------------------------------------------------------------------ */

static void misbehaviour_is_told_in_one_line(void **state)
{
	static const struct {
		struct fake_redis fake;
		int code;
		const char *says;
	} cases[] = {
		{{.after = 5, .answer = "-OOM command not allowed when used memory > 'maxmemory'.\r\n"},
		 ERR_SERVER,
		 "SET referenceBLOB:{2}: the server answered: OOM command not allowed when used memory > 'maxmemory': "
		 "the server is full: raise its maxmemory"},
		{{.after = 3, .answer = "-CLUSTERDOWN Hash slot not served\r\n"}, ERR_SERVER, "is the Cluster whole?"},
		{{.after = 3, .answer = "-READONLY You can't write against a read only replica.\r\n"},
		 ERR_SERVER,
		 "read only replica: this server is a replica: name its master"},
		{{.after = 3, .answer = "-NOPERM this user has no permissions\r\n"}, ERR_SERVER, "-user"},
		{{.after = 3, .answer = "-WRONGTYPE Operation against a key holding the wrong kind of value\r\n"},
		 ERR_SERVER,
		 "delete it"},
		{{.after = 6, .answer = "-ERR data length does not match\r\n"},
		 ERR_SERVER,
		 "AI.TENSORSET referenceTensor:{2}: the server answered: ERR data length"},
		{{.after = 2, .answer = "-ERR unknown command 'AI.TENSORSET', with args beginning with: \r\n"},
		 ERR_SERVER,
		 "does not know AI.TENSORSET: start it with --loadmodule bin/redisai.so"},
		{{.after = 9, .answer = "-MOVED 866 127.0.0.1:7001\r\n"}, ERR_SERVER, "run the load again"},
		{{.after = 4, .answer = "", .close_then = true}, ERR_CLOSED, "closed the connection"},
		{{.after = 4, .answer = "", .reset_then = true}, ERR_CLOSED, "127.0.0.1"},
		{{.after = 4, .answer = "+O", .close_then = true}, ERR_CLOSED, "closed the connection"},
		{{.after = 4, .answer = ":17\r\n"}, ERR_PROTOCOL, "no Redis reply: \":17\""},
		{{.after = 4, .answer = "what is this?\r\n"}, ERR_PROTOCOL, "no Redis reply: \"what is this?\""},
		{{.after = 4,
		  .answer = "+OK\r\n+OK\r\n+OK\r\n+OK\r\n+OK\r\n+OK\r\n+OK\r\n+OK\r\n+OK\r\n+OK\r\n+OK\r\n+OK\r\n"},
		 ERR_PROTOCOL,
		 "no Redis reply"},
		{{.after = 4, .answer = ""}, ERR_TIMEOUT, "-timeout"},
	};
	struct fixture *f = *state;

	f->conn.timeout = 300 * NSEC_PER_MSEC;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct fake_redis fake = cases[i].fake;

		f->cfg.pipeline = 8;
		fake_redis_start(&fake);
		point_at(f, fake.port, "127.0.0.1:%u");
		{
			int rc_ = load(f);
			if (rc_ != cases[i].code)
				printf("case %zu: %d %s\n", i, rc_, f->err.text);
		}
		expect_text(f, cases[i].says);
		assert_null(strchr(f->err.text, '\n'));
		fake_redis_stop(&fake);
		fake_redis_release(&fake);
	}
}

static void a_server_that_is_not_there_is_told(void **state)
{
	struct fixture *f = *state;

	point_at(f, free_port(), "127.0.0.1:%u");
	assert_int_equal(load(f), ERR_CONNECT);
	expect_text(f, "connection refused");
}

static void bad_files_are_told(void **state)
{
	struct fixture *f = *state;
	struct fake_redis fake = {0};
	struct error err;

	fake_redis_start(&fake);
	point_at(f, fake.port, "127.0.0.1:%u");
	assert_int_equal(truncate(f->path, 3 * FRAUD_ROW_SIZE - 1), 0);
	assert_int_equal(load(f), ERR_FORMAT);
	expect_text(f, f->path);
	assert_int_equal(file_write(f->path, "", 0, &err), 0);
	assert_int_equal(load(f), ERR_FORMAT);
	f->cfg.path = "/no/such/file";
	assert_int_equal(load(f), ERR_NOT_FOUND);
	expect_text(f, "/no/such/file");
	f->cfg.path = f->path;
	f->cfg.set_blob = f->cfg.set_tensor = false;
	assert_int_equal(load(f), ERR_INVALID);
	fake_redis_stop(&fake);
	assert_int_equal(fake.stores, 0);
	fake_redis_release(&fake);
}

static void count_report(void *arg, const struct load_progress *p)
{
	struct fixture *f = arg;

	f->reports++;
	assert_true(p->commands >= p->commands_before && p->since_start >= p->since_last && p->since_last > 0);
}

/* The server falls silent, the timeout is long: only the flag can end this. */
static void a_stop_ends_the_load_with_a_summary(void **state)
{
	static atomic_int stop;
	struct fixture *f = *state;
	struct fake_redis fake = {.after = 21, .answer = ""};

	atomic_store(&stop, 15);
	f->cfg.stop = &stop;
	fake_redis_start(&fake);
	point_at(f, fake.port, "127.0.0.1:%u");
	assert_int_equal(load(f), ERR_CANCELED);
	expect_text(f, "interrupted");
	assert_true(f->summary.commands <= 20);
	fake_redis_stop(&fake);
	fake_redis_release(&fake);
}

/* ---- a real server ----------------------------------------------------------------------------------------------- */

static struct redis_client *connect_to(const struct fixture *f)
{
	struct redis_client *c;
	struct error err;

	assert_int_equal(redis_client_open(&c, f->target.endpoint, NULL, &f->target.conn, &err), 0);
	return c;
}

static int64_t dbsize(const struct fixture *f)
{
	struct redis_client *c = connect_to(f);
	const struct resp_node *reply;
	struct error err;
	size_t n;
	int64_t size;

	assert_int_equal(redis_client_commandf(c, &reply, &n, &err, "DBSIZE"), 0);
	size = reply->integer;
	redis_client_close(c);
	return size;
}

/* Every id's string is its row's. */
static void expect_blobs(struct redis_client *c, uint64_t from, uint64_t to)
{
	const struct resp_node *reply;
	struct error err;
	size_t n;

	for (uint64_t id = from; id < to; id++) {
		unsigned char row[FRAUD_ROW_SIZE];

		make_row(row, id);
		assert_int_equal(
			redis_client_commandf(c, &reply, &n, &err, "GET referenceBLOB:{%llu}", (unsigned long long)id),
			0);
		assert_int_equal(reply->type, RESP_STRING);
		assert_int_equal(reply->len, FRAUD_REFERENCE_SIZE);
		assert_memory_equal(reply->data, row + FRAUD_REFERENCE_OFFSET, FRAUD_REFERENCE_SIZE);
	}
}

static void redis_holds_every_row(void **state)
{
	static const unsigned pipelines[] = {1, 3, 100, 1000};
	struct fixture *f = *state;
	struct redis_server s;
	struct redis_client *c;

	redis_server_start(&s, NULL);
	f->cfg.set_tensor = false;
	for (size_t i = 0; i < 4; i++) {
		char format[40];

		snprintf(format, sizeof(format), "redis://127.0.0.1:%%u/%zu", i);
		point_at(f, s.port, format);
		f->cfg.pipeline = pipelines[i];
		f->cfg.workers = (unsigned)i * 3 + 1;
		f->cfg.reporting_period = 1;
		f->cfg.report = count_report;
		f->cfg.arg = f;
		load_ok(f);
		assert_int_equal(f->summary.commands, ROWS);
		assert_false(f->summary.cluster);
	}
	assert_true(f->reports > 0);
	point_at(f, s.port, "127.0.0.1:%u");
	assert_int_equal(dbsize(f), ROWS);
	c = connect_to(f);
	expect_blobs(c, 0, ROWS);
	redis_client_close(c);
	f->cfg.set_tensor = true;
	assert_int_equal(load(f), ERR_SERVER);
	expect_text(f, "redisai.so");
	redis_server_stop(&s, false);
}

static void max_inserts_limits_the_rows(void **state)
{
	struct fixture *f = *state;
	struct redis_server s;

	redis_server_start(&s, NULL);
	point_at(f, s.port, "127.0.0.1:%u");
	f->cfg.set_tensor = false;
	f->cfg.max_inserts = 123;
	f->cfg.pipeline = 100;
	load_ok(f);
	assert_int_equal(dbsize(f), 123);
	redis_server_stop(&s, false);
}

struct pipe_writer {
	const char *fifo, *path;
};

/* Writes the file into the pipe in pieces that no row fits. */
static void *write_pipe(void *arg)
{
	const struct pipe_writer *w = arg;
	int fd = open(w->fifo, O_WRONLY | O_CLOEXEC);
	char *data;
	size_t len;
	struct error err;

	if (fd < 0 || file_read(&data, &len, w->path, 1 << 24, &err) < 0)
		abort();
	for (size_t at = 0; at < len; at += 1000) {
		size_t part = len - at < 1000 ? len - at : 1000;

		if (write(fd, data + at, part) != (ssize_t)part)
			abort();
	}
	close(fd);
	free(data);
	return NULL;
}

static void a_pipe_is_loaded_as_it_comes(void **state)
{
	struct fixture *f = *state;
	struct redis_server s;
	char fifo[300];
	struct pipe_writer writer = {fifo, f->path};
	pthread_t thread;

	snprintf(fifo, sizeof(fifo), "%s/pipe", f->dir);
	assert_int_equal(mkfifo(fifo, 0600), 0);
	redis_server_start(&s, NULL);
	point_at(f, s.port, "127.0.0.1:%u");
	f->cfg.set_tensor = false;
	f->cfg.path = fifo;
	f->cfg.pipeline = 16;
	f->cfg.workers = 4;
	assert_int_equal(pthread_create(&thread, NULL, write_pipe, &writer), 0);
	load_ok(f);
	pthread_join(thread, NULL);
	assert_int_equal(f->summary.commands, ROWS);
	assert_int_equal(dbsize(f), ROWS);
	redis_server_stop(&s, false);
}

static void a_password_is_needed_and_given(void **state)
{
	struct fixture *f = *state;
	struct redis_server s;

	redis_server_start(&s, (const char *const[]){"--requirepass", "hush", NULL});
	f->cfg.set_tensor = false;
	point_at(f, s.port, "127.0.0.1:%u");
	assert_int_equal(load(f), ERR_SERVER);
	expect_text(f, "-password");
	point_at(f, s.port, "redis://:wrong@127.0.0.1:%u");
	assert_int_equal(load(f), ERR_SERVER);
	point_at(f, s.port, "redis://:hush@127.0.0.1:%u");
	load_ok(f);
	assert_int_equal(dbsize(f), ROWS);
	redis_server_stop(&s, false);
}

static void a_full_server_stops_the_load(void **state)
{
	struct fixture *f = *state;
	struct redis_server s;

	redis_server_start(&s, (const char *const[]){"--maxmemory", "1200kb", NULL});
	point_at(f, s.port, "127.0.0.1:%u");
	f->cfg.set_tensor = false;
	f->cfg.pipeline = 20;
	assert_int_equal(load(f), ERR_SERVER);
	expect_text(f, "OOM");
	expect_text(f, "referenceBLOB:{");
	redis_server_stop(&s, false);
}

static void command(struct redis_client *c, const char *text)
{
	const struct resp_node *reply;
	struct error err = {""};
	size_t n;

	if (redis_client_commandf(c, &reply, &n, &err, "%s", text) != 0)
		fail_msg("%s: %s", text, err.text);
}

static void wait_for_cluster(struct redis_client *c)
{
	const struct resp_node *reply;
	struct error err;
	size_t n;

	for (int i = 0; i < 1500; i++) {
		assert_int_equal(redis_client_commandf(c, &reply, &n, &err, "CLUSTER INFO"), 0);
		if (strstr(reply->data, "cluster_state:ok") && strstr(reply->data, "cluster_slots_assigned:16384"))
			return;
		nanosleep(&(struct timespec){.tv_nsec = 20000000}, NULL);
	}
	fail_msg("the cluster did not come up");
}

static void a_clusters_shards_get_their_rows(void **state)
{
	static const char *const cluster[] = {"--cluster-enabled", "yes", NULL};
	struct fixture *f = *state;
	struct redis_server s[2];
	struct redis_client *c[2];
	int64_t sizes[2];
	char meet[64];

	for (int i = 0; i < 2; i++) {
		redis_server_start(&s[i], cluster);
		point_at(f, s[i].port, "127.0.0.1:%u");
		c[i] = connect_to(f);
	}
	command(c[0], "CLUSTER SET-CONFIG-EPOCH 1");
	command(c[1], "CLUSTER SET-CONFIG-EPOCH 2");
	/* Uneven, so that one shard's rows have to wait for room among the other's. */
	command(c[0], "CLUSTER ADDSLOTSRANGE 0 14000");
	f->cfg.set_tensor = false;
	assert_int_equal(load(f), ERR_SERVER);
	command(c[1], "CLUSTER ADDSLOTSRANGE 14001 16383");
	snprintf(meet, sizeof(meet), "CLUSTER MEET 127.0.0.1 %s", s[1].port_text);
	command(c[0], meet);
	wait_for_cluster(c[0]);
	wait_for_cluster(c[1]);
	write_rows(f->path, NULL, 5000);
	f->cfg.pipeline = 10;
	f->cfg.workers = 2;
	load_ok(f);
	assert_true(f->summary.cluster);
	assert_int_equal(f->summary.shards, 2);
	assert_int_equal(f->summary.commands, 5000);
	for (int i = 0; i < 2; i++) {
		point_at(f, s[i].port, "127.0.0.1:%u");
		sizes[i] = dbsize(f);
	}
	assert_int_equal(sizes[0] + sizes[1], 5000);
	assert_true(sizes[0] > 4000 && sizes[1] > 400);
	for (int i = 0; i < 2; i++) {
		redis_client_close(c[i]);
		redis_server_stop(&s[i], false);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(the_bytes_sent_are_these, setup, teardown),
		cmocka_unit_test_setup_teardown(user_password_and_database_come_first, setup, teardown),
		cmocka_unit_test_setup_teardown(workers_share_the_rows, setup, teardown),
		cmocka_unit_test_setup_teardown(misbehaviour_is_told_in_one_line, setup, teardown),
		cmocka_unit_test_setup_teardown(a_server_that_is_not_there_is_told, setup, teardown),
		cmocka_unit_test_setup_teardown(bad_files_are_told, setup, teardown),
		cmocka_unit_test_setup_teardown(a_stop_ends_the_load_with_a_summary, setup, teardown),
		cmocka_unit_test_setup_teardown(redis_holds_every_row, setup, teardown),
		cmocka_unit_test_setup_teardown(max_inserts_limits_the_rows, setup, teardown),
		cmocka_unit_test_setup_teardown(a_pipe_is_loaded_as_it_comes, setup, teardown),
		cmocka_unit_test_setup_teardown(a_password_is_needed_and_given, setup, teardown),
		cmocka_unit_test_setup_teardown(a_full_server_stops_the_load, setup, teardown),
		cmocka_unit_test_setup_teardown(a_clusters_shards_get_their_rows, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
