/*
 * test_redis_model.c - the command that stores a model, byte for byte, and what is said when it cannot be stored.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/file.h"
#include "loaders/redis_model.h"
#include "loaders/redis_target.h"
#include "tests/loaders/fake_redis.h"
#include "tests/support/redis_server.h"

#define PRELUDE "*1\r\n$4\r\nPING\r\n"

struct fixture {
	char dir[256], path[300];
	struct conn_options conn;
	struct redis_target target;
	struct redis_model_config cfg;
	struct redis_model_summary summary;
	struct error err;
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct error err;

	assert_non_null(f);
	temp_folder_new(f->dir, sizeof(f->dir));
	snprintf(f->path, sizeof(f->path), "%s/model.pb", f->dir);
	assert_int_equal(file_write(f->path, "a\0b\r\n", 5, &err), 0);
	conn_options_defaults(&f->conn);
	f->conn.password = NULL;
	f->cfg = (struct redis_model_config){
		.name = "net",
		.path = f->path,
		.backend = "TF",
		.device = "CPU",
		.tag = "",
		.inputs = "transaction,reference",
		.outputs = "output",
	};
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	redis_target_close(&f->target);
	temp_folder_remove(f->dir);
	free(f);
	return 0;
}

static int store(struct fixture *f, unsigned short port)
{
	char host[64];

	snprintf(host, sizeof(host), "127.0.0.1:%u", port);
	redis_target_close(&f->target);
	assert_int_equal(redis_target_open(&f->target, host, &f->conn, &f->err), 0);
	f->cfg.endpoint = f->target.endpoint;
	f->cfg.tls = f->target.tls;
	f->cfg.conn = &f->target.conn;
	f->err.text[0] = '\0';
	return redis_model_store(&f->summary, &f->cfg, &f->err);
}

static void expect_text(const struct fixture *f, const char *words)
{
	if (!strstr(f->err.text, words))
		fail_msg("\"%s\" does not say \"%s\"", f->err.text, words);
}

/* Stores at a fake server whose second connection must be sent exactly this. */
static void expect_bytes(struct fixture *f, struct fake_redis fake, const char *golden, size_t len)
{
	fake_redis_start(&fake);
	if (store(f, fake.port) != 0)
		fail_msg("%s", f->err.text);
	fake_redis_stop(&fake);
	assert_int_equal(fake.nconnections, 2);
	assert_int_equal(fake.connections[1].len, len);
	assert_memory_equal(fake.connections[1].bytes, golden, len);
	fake_redis_release(&fake);
}

#define EXPECT_BYTES(f, fake, golden) expect_bytes(f, fake, golden, sizeof(golden) - 1)

static void modelstore_is_sent_with_counted_names(void **state)
{
	struct fixture *f = *state;

	EXPECT_BYTES(f, (struct fake_redis){0},
		     PRELUDE
		     "*13\r\n$13\r\nAI.MODELSTORE\r\n$3\r\nnet\r\n$2\r\nTF\r\n$3\r\nCPU\r\n$6\r\nINPUTS\r\n$1\r\n2\r\n"
		     "$11\r\ntransaction\r\n$9\r\nreference\r\n$7\r\nOUTPUTS\r\n$1\r\n1\r\n$6\r\noutput\r\n$4\r\nBLOB"
		     "\r\n$5\r\na\0b\r\n\r\n");
	assert_int_equal(f->summary.bytes, 5);
	assert_int_equal(f->summary.shards, 1);
	assert_false(f->summary.cluster);
}

static void tag_and_batching_come_in_redisais_order(void **state)
{
	struct fixture *f = *state;

	f->cfg.backend = "ONNX";
	f->cfg.tag = "v1";
	f->cfg.batch_size = 32;
	f->cfg.min_batch_size = 8;
	f->cfg.min_batch_timeout = 10;
	EXPECT_BYTES(f, (struct fake_redis){0},
		     PRELUDE
		     "*14\r\n$13\r\nAI.MODELSTORE\r\n$3\r\nnet\r\n$4\r\nONNX\r\n$3\r\nCPU\r\n$3\r\nTAG\r\n$2\r\nv1\r\n"
		     "$9\r\nBATCHSIZE\r\n$2\r\n32\r\n$12\r\nMINBATCHSIZE\r\n$1\r\n8\r\n$15\r\nMINBATCHTIMEOUT\r\n"
		     "$2\r\n10\r\n$4\r\nBLOB\r\n$5\r\na\0b\r\n\r\n");
}

static void an_older_redisai_gets_modelset(void **state)
{
	static const char golden[] =
		"*11\r\n$11\r\nAI.MODELSET\r\n$3\r\nnet\r\n$2\r\nTF\r\n$3\r\nCPU\r\n$6\r\nINPUTS\r\n$"
		"11\r\ntransaction\r\n"
		"$9\r\nreference\r\n$7\r\nOUTPUTS\r\n$6\r\noutput\r\n$4\r\nBLOB\r\n$5\r\na\0b\r\n\r\n";
	struct fixture *f = *state;
	struct fake_redis fake = {.after = 1, .answer = "-ERR unknown command `AI.MODELSTORE`, with args: \r\n"};
	size_t len = sizeof(golden) - 1;

	fake_redis_start(&fake);
	assert_int_equal(store(f, fake.port), 0);
	fake_redis_stop(&fake);
	assert_true(fake.connections[1].len > len);
	assert_memory_equal(fake.connections[1].bytes + fake.connections[1].len - len, golden, len);
	fake_redis_release(&fake);
}

static void refusals_name_server_model_and_file(void **state)
{
	struct fixture *f = *state;
	struct fake_redis fake = {.after = 1, .answer = "-ERR Invalid GraphDef\r\n"};
	struct redis_server s;

	fake_redis_start(&fake);
	assert_int_equal(store(f, fake.port), ERR_SERVER);
	expect_text(f, "model net from");
	expect_text(f, f->path);
	expect_text(f, "Invalid GraphDef: is the file a frozen TensorFlow graph?");
	fake_redis_stop(&fake);
	fake_redis_release(&fake);
	redis_server_start(&s, NULL);
	assert_int_equal(store(f, s.port), ERR_SERVER);
	expect_text(f, "--loadmodule bin/redisai.so");
	redis_server_stop(&s, false);
}

static void bad_files_and_names_are_told(void **state)
{
	struct fixture *f = *state;
	struct fake_redis fake = {0};
	struct error err;

	fake_redis_start(&fake);
	f->cfg.inputs = "transaction,,reference";
	assert_int_equal(store(f, fake.port), ERR_USAGE);
	expect_text(f, "-inputs");
	f->cfg.inputs = "transaction";
	f->cfg.outputs = "output,";
	assert_int_equal(store(f, fake.port), ERR_USAGE);
	expect_text(f, "-outputs");
	assert_int_equal(file_write(f->path, "", 0, &err), 0);
	assert_int_equal(store(f, fake.port), ERR_FORMAT);
	expect_text(f, "empty");
	f->cfg.path = "/no/such/model.pb";
	assert_int_equal(store(f, fake.port), ERR_NOT_FOUND);
	expect_text(f, "/no/such/model.pb");
	fake_redis_stop(&fake);
	assert_int_equal(fake.stores, 0);
	fake_redis_release(&fake);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(modelstore_is_sent_with_counted_names, setup, teardown),
		cmocka_unit_test_setup_teardown(tag_and_batching_come_in_redisais_order, setup, teardown),
		cmocka_unit_test_setup_teardown(an_older_redisai_gets_modelset, setup, teardown),
		cmocka_unit_test_setup_teardown(refusals_name_server_model_and_file, setup, teardown),
		cmocka_unit_test_setup_teardown(bad_files_and_names_are_told, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
