/* What any version of RedisAI saved loads: by RESTORE, and as a file at start. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/arith.h"
#include "common/file.h"
#include "datagen/mobilenet.h"
#include "tests/servers/redisai/harness.h"
#include "tests/servers/redisai/rdb_writer.h"

#define NEWEST 4
#define LOG_MAX ((size_t)1 << 20)

static struct fixture f;
static struct buf mul, value, dump;
static unsigned char *mobilenet[2];
static size_t mobilenet_len[2];

/* One tensor a type: DLPack's code and bits, and the elements 1 and the type's own. */
static const struct tensor_case {
	const char *dtype;
	unsigned code, bits;
	unsigned char data[16];
	const char *values;
	unsigned oldest; /* version that has the type */
} tensors[] = {
	{"FLOAT", 2, 32, {0, 0, 0x80, 0x3f, 0, 0, 0x20, 0xc0}, "[\"1\" \"-2.5\"]", 0},
	{"DOUBLE", 2, 64, {[6] = 0xf0, [7] = 0x3f, [15] = 0x40}, "[\"1\" \"2\"]", 0},
	{"INT8", 0, 8, {1, 0x80}, "[:1 :-128]", 0},
	{"INT16", 0, 16, {1, 0, 0, 0x80}, "[:1 :-32768]", 0},
	{"INT32", 0, 32, {1, 0, 0, 0, 0, 0, 0, 0x80}, "[:1 :-2147483648]", 0},
	{"INT64", 0, 64, {1, [15] = 0x80}, "[:1 :-9223372036854775808]", 0},
	{"UINT8", 1, 8, {1, 0xff}, "[:1 :255]", 0},
	{"UINT16", 1, 16, {1, 0, 0xff, 0xff}, "[:1 :65535]", 0},
	{"BOOL", 6, 8, {1, 0}, "[:1 :0]", 4},
	{"STRING", 7, 8, {'a', 'b', 0, 0}, "[\"ab\" \"\"]", 4},
};

static int start(void **state)
{
	const struct mobilenet_config cfg = {.width = 0.25, .resolution = 32, .batch = -1, .seed = 5};
	const struct resp_node *nodes;
	struct mobilenet *net;
	struct error err;
	size_t n;

	(void)state;
	graphs_define();
	fixture_start(&f, NULL, (const char *const[]){"--rdbcompression", "no", "--logfile", "redis.log", NULL});
	expect(f.client, "AI.MODELSTORE m TF CPU INPUTS 2 a b OUTPUTS 1 mul BLOB $MUL", "+OK");
	if (redis_client_commandf(f.client, &nodes, &n, &err, "AI.MODELGET m BLOB") < 0)
		fail_msg("%s", err.text);
	buf_append(&mul, nodes[0].data, nodes[0].len);
	if (mobilenet_new(&net, &cfg, &err) < 0 ||
	    mobilenet_write_tflite(&mobilenet[0], &mobilenet_len[0], net, &err) < 0 ||
	    mobilenet_write_onnx(&mobilenet[1], &mobilenet_len[1], net, &err) < 0)
		fail_msg("%s", err.text);
	mobilenet_free(net);
	return 0;
}

static int stop(void **state)
{
	(void)state;
	fixture_stop(&f);
	graphs_release();
	buf_release(&mul);
	buf_release(&value);
	buf_release(&dump);
	free(mobilenet[0]);
	free(mobilenet[1]);
	return 0;
}

static void restore(const char *key, const char *answer)
{
	char line[128];

	rdb_dump(&dump, &value);
	define("$DUMP", dump.data, dump.len);
	snprintf(line, sizeof(line), "RESTORE %s 0 $DUMP REPLACE", key);
	expect(f.client, line, answer);
}

/* What DUMP says now is `value`, up to the version of the server's RDB and the checksum of it. */
static void expect_dumped(const char *key)
{
	const struct resp_node *nodes;
	struct error err;
	size_t n;

	if (redis_client_commandf(f.client, &nodes, &n, &err, "DUMP %s", key) < 0)
		fail_msg("%s", err.text);
	assert_int_equal(nodes[0].len, 1 + value.len + RDB_DUMP_FOOT);
	assert_memory_equal((const char *)nodes[0].data + 1, value.data, value.len);
}

/* ---- tensors ---- */

/* Two elements of shape 1 2, or one without a shape. */
static void write_tensor(const struct tensor_case *t, unsigned version, bool scalar)
{
	const unsigned size = t->bits / 8, rank = scalar ? 0 : 2;
	size_t len = (scalar ? 1 : 2) * (size_t)size;

	if (strcmp(t->dtype, "STRING") == 0)
		len = scalar ? 3 : 4;
	rdb_begin(&value, "AI_TENSOR", version);
	if (version < 4) {
		rdb_uint(&value, 1); /* DLPack's CPU */
		rdb_uint(&value, 0);
		rdb_uint(&value, t->bits);
		rdb_uint(&value, t->code);
		rdb_uint(&value, 1); /* lanes */
	} else {
		rdb_uint(&value, t->code);
		rdb_uint(&value, t->bits);
	}
	rdb_uint(&value, rank);
	for (unsigned i = 0; i < rank; i++)
		rdb_uint(&value, i + 1);
	if (version < 4) {
		for (unsigned i = 0; i < rank; i++)
			rdb_uint(&value, i ? 1 : 2); /* strides */
		rdb_uint(&value, 0);                 /* byte offset */
	}
	rdb_bytes(&value, t->data, len);
	if (strcmp(t->dtype, "STRING") == 0) {
		rdb_uint(&value, 0);
		if (!scalar)
			rdb_uint(&value, 3);
	}
	rdb_end(&value);
}

static void tensors_of_every_version_load_and_are_saved_as_the_newest(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(tensors); i++) {
		for (unsigned version = tensors[i].oldest; version <= NEWEST; version++) {
			char want[256];

			write_tensor(&tensors[i], version, false);
			restore("t", "+OK");
			snprintf(want, sizeof(want), "[\"dtype\" \"%s\" \"shape\" [:1 :2] \"values\" %s]",
				 tensors[i].dtype, tensors[i].values);
			expect(f.client, "AI.TENSORGET t META VALUES", want);
			write_tensor(&tensors[i], NEWEST, false);
			expect_dumped("t");
		}
	}
}

static void scalars_of_every_version_load(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(tensors); i++) {
		for (unsigned version = tensors[i].oldest; version <= NEWEST; version++) {
			char want[256];

			write_tensor(&tensors[i], version, true);
			restore("t", "+OK");
			snprintf(want, sizeof(want), "[\"dtype\" \"%s\" \"shape\" []]", tensors[i].dtype);
			expect(f.client, "AI.TENSORGET t META", want);
			write_tensor(&tensors[i], NEWEST, true);
			expect_dumped("t");
		}
	}
}

/* ---- models ---- */

struct model_case {
	unsigned version, backend;
	const char *device, *tag;
	unsigned batch, min_batch, min_timeout;
	const char *const *inputs, *const *outputs; /* NULL-terminated */
	const void *blob;
	size_t len, chunk; /* chunk: bytes of all chunks but the last */
	size_t nchunks;
};

static const char *const none[] = {NULL}, *const ab[] = {"a", "b", NULL}, *const mul_name[] = {"mul", NULL};

static void write_names(const char *const *names)
{
	size_t n = 0;

	while (names[n])
		n++;
	rdb_uint(&value, n);
	for (size_t i = 0; i < n; i++)
		rdb_text_nul(&value, names[i]);
}

static void write_model(const struct model_case *m)
{
	rdb_begin(&value, "AI__MODEL", m->version);
	rdb_uint(&value, m->backend);
	rdb_text_nul(&value, m->device);
	if (m->version == 0)
		rdb_text_nul(&value, m->tag);
	else
		rdb_text(&value, m->tag);
	rdb_uint(&value, m->batch);
	rdb_uint(&value, m->min_batch);
	if (m->version >= 2)
		rdb_uint(&value, m->min_timeout);
	write_names(m->inputs);
	write_names(m->outputs);
	if (m->version == 0) {
		rdb_bytes(&value, m->blob, m->len);
	} else {
		rdb_uint(&value, m->len);
		rdb_uint(&value, m->nchunks);
		for (size_t i = 0, at = 0; i < m->nchunks; i++) {
			const size_t left = m->len - at, n = i + 1 < m->nchunks && left > m->chunk ? m->chunk : left;

			rdb_bytes(&value, (const char *)m->blob + at, n);
			at += n;
		}
	}
	rdb_end(&value);
}

/* In one chunk more for each version. */
static struct model_case mul_case(unsigned version)
{
	const struct model_case m = {
		.version = version,
		.device = "CPU:1",
		.tag = "v:1",
		.batch = 3,
		.min_batch = 2,
		.min_timeout = 9,
		.inputs = ab,
		.outputs = mul_name,
		.blob = mul.data,
		.len = mul.len,
		.chunk = mul.len / (1 + version),
		.nchunks = 1 + version,
	};

	return m;
}

static void models_of_every_version_load_and_are_saved_as_the_newest(void **state)
{
	(void)state;
	expect(f.client, "AI.TENSORSET x FLOAT 3 1 VALUES 2 3 4", "+OK");
	for (unsigned version = 0; version <= NEWEST; version++) {
		struct model_case m = mul_case(version);
		char want[512];

		write_model(&m);
		restore("m", "+OK");
		snprintf(
			want, sizeof(want),
			"[\"backend\" \"TF\" \"device\" \"CPU:1\" \"tag\" \"v:1\" \"batchsize\" :3 \"minbatchsize\" :2 "
			"\"inputs\" [\"a\" \"b\"] \"outputs\" [\"mul\"] \"minbatchtimeout\" :%u]",
			version >= 2 ? 9 : 0);
		expect(f.client, "AI.MODELGET m META", want);
		expect(f.client, "AI.MODELRUN m INPUTS x x OUTPUTS y", "+OK");
		expect(f.client, "AI.TENSORGET y VALUES", "[\"4\" \"9\" \"16\"]");
		expect(f.client, "AI._MODELSCAN", "[[\"m\" \"v:1\"]]");
		m.version = NEWEST;
		m.nchunks = 1;
		m.min_timeout = version >= 2 ? 9 : 0;
		write_model(&m);
		expect_dumped("m");
	}
}

/* RedisAI's loader puts the chunks one after the other, also empty ones: it writes one where a blob divides evenly. */
static void chunks_are_put_together_and_cut_by_the_setting(void **state)
{
	struct model_case m = mul_case(NEWEST);

	(void)state;
	m.batch = m.min_batch = m.min_timeout = 0;
	m.chunk = 1;
	m.nchunks = mul.len + 7; /* seven of them empty */
	write_model(&m);
	restore("m", "+OK");
	expect(f.client, "AI.MODELRUN m INPUTS x x OUTPUTS y", "+OK");
	m.nchunks = 1;
	write_model(&m);
	expect_dumped("m");
	expect(f.client, "AI.CONFIG MODEL_CHUNK_SIZE 50", "+OK");
	m.chunk = 50;
	m.nchunks = mul.len / 50 + 1;
	write_model(&m);
	expect_dumped("m");
	expect(f.client, "DEBUG RELOAD", "+OK");
	expect(f.client, "AI.MODELRUN m INPUTS x x OUTPUTS y", "+OK");
	expect_dumped("m");
	expect(f.client, "AI.CONFIG MODEL_CHUNK_SIZE 535822336", "+OK");
}

/* AI.MODELSET keeps INPUTS and OUTPUTS of a backend that needs none, and devices in lower case. */
static void names_beside_models_that_carry_their_own_are_let_be(void **state)
{
	static const char *const in[] = {"input", NULL}, *const out[] = {"MobilenetV1/Predictions/Reshape_1", NULL};
	const struct model_case tflite = {
		.version = 2,
		.backend = 1,
		.device = "cpu",
		.tag = "",
		.inputs = in,
		.outputs = out,
		.blob = mobilenet[0],
		.len = mobilenet_len[0],
		.chunk = mobilenet_len[0] / 2,
		.nchunks = 2,
	};
	const struct model_case onnx = {
		.version = 3,
		.backend = 3,
		.device = "CPU",
		.tag = "t:1",
		.batch = 4,
		.inputs = none,
		.outputs = none,
		.blob = mobilenet[1],
		.len = mobilenet_len[1],
		.nchunks = 1,
	};

	(void)state;
	expect(f.client, "AI.TENSORSET picture FLOAT 1 32 32 3", "+OK");
	write_model(&tflite);
	restore("lite", "+OK");
	expect(f.client, "AI.MODELRUN lite INPUTS picture OUTPUTS y", "+OK");
	assert_non_null(strstr(ask(f.client, "AI.MODELGET lite META"), "\"device\" \"cpu\" "));
	write_model(&onnx);
	restore("onnx", "+OK");
	expect(f.client, "AI.MODELRUN onnx INPUTS picture OUTPUTS z", "+OK");
	assert_non_null(strstr(ask(f.client, "AI.MODELGET onnx META"), "\"batchsize\" :4 "));
	expect(f.client, "AI.TENSORGET z META", "[\"dtype\" \"FLOAT\" \"shape\" [:1 :1001]]");
}

/* ---- refused ---- */

static void expect_log(const char *text)
{
	char path[512], *log;
	struct error err;
	size_t len;

	snprintf(path, sizeof(path), "%s/redis.log", f.server.dir);
	if (file_read(&log, &len, path, LOG_MAX, &err) < 0)
		fail_msg("%s", err.text);
	if (!strstr(log, text))
		fail_msg("the log does not say: %s\n%s", text, log);
	free(log);
}

static void newer_version_is_refused_and_logged(void **state)
{
	struct model_case m = mul_case(NEWEST + 1);

	(void)state;
	expect(f.client, "DEL t m", ":2");
	write_tensor(&tensors[0], NEWEST + 1, false);
	restore("t", "-ERR Bad data format");
	expect_log("AI_TENSOR: version 5 is newer than this module");
	write_model(&m);
	restore("m", "-ERR Bad data format");
	expect_log("AI__MODEL: version 5 is newer than this module");
	expect(f.client, "EXISTS t m", ":0");
}

static void backends_and_devices_that_are_not_there_are_refused_and_logged(void **state)
{
	struct model_case m = mul_case(NEWEST);

	(void)state;
	m.backend = 2;
	write_model(&m);
	restore("m", "-ERR Bad data format");
	expect_log("AI__MODEL: ERR Could not load backend");
	m.backend = 4;
	write_model(&m);
	restore("m", "-ERR Bad data format");
	expect_log("AI__MODEL: the value cannot be read");
	m.backend = 0;
	m.device = "GPU:0";
	write_model(&m);
	restore("m", "-ERR Bad data format");
	expect_log("AI__MODEL: ERR GPU requested but TF couldn't find CUDA");
	expect(f.client, "EXISTS m", ":0");
}

/* ---- an append-only file ---- */

static void write_script(const char *device)
{
	rdb_begin(&value, "AI_SCRIPT", NEWEST);
	rdb_text_nul(&value, device);
	rdb_text(&value, "v:1");
	rdb_text_nul(&value, "def f(tensors): pass");
	rdb_uint(&value, 1);
	rdb_text_nul(&value, "f");
	rdb_end(&value);
}

/* The older commands take devices that the newer ones refuse, and a model may make a tensor of nothing. */
static void values_that_newer_commands_refuse_survive_an_append_only_file(void **state)
{
	static const char *const aof[] = {"--appendonly", "yes", "--aof-use-rdb-preamble", "no", NULL};
	struct model_case fixed = mul_case(NEWEST);
	struct fixture g;
	struct {
		const char *key;
		struct buf dump;
	} dumps[3] = {{.key = "e"}, {.key = "s"}, {.key = "m"}};
	char line[64];

	(void)state;
	rdb_begin(&value, "AI_TENSOR", NEWEST);
	rdb_uint(&value, 0); /* INT8 */
	rdb_uint(&value, 8);
	rdb_uint(&value, 2);
	rdb_uint(&value, 0);
	rdb_uint(&value, 3);
	rdb_text(&value, "");
	rdb_end(&value);
	rdb_dump(&dumps[0].dump, &value);
	write_script("any");
	rdb_dump(&dumps[1].dump, &value);
	fixed.device = "any";
	write_model(&fixed);
	rdb_dump(&dumps[2].dump, &value);
	fixture_start(&g, NULL, aof);
	expect(g.client, "AI.MODELSET old TF any INPUTS a b OUTPUTS mul BLOB $MUL", "+OK");
	for (size_t i = 0; i < ARRAY_LEN(dumps); i++) {
		define("$DUMP", dumps[i].dump.data, dumps[i].dump.len);
		snprintf(line, sizeof(line), "RESTORE %s 0 $DUMP", dumps[i].key);
		expect(g.client, line, "+OK");
		buf_release(&dumps[i].dump);
	}
	expect(g.client, "BGREWRITEAOF", "+Background append only file rewriting started");
	while (strstr(ask(g.client, "INFO PERSISTENCE"), "aof_rewrite_in_progress:1"))
		continue;
	expect(g.client, "DEBUG LOADAOF", "+OK");
	expect(g.client, "AI.TENSORGET e META", "[\"dtype\" \"INT8\" \"shape\" [:0 :3]]");
	expect(g.client, "AI.SCRIPTGET s SOURCE", "\"def f(tensors): pass\"");
	assert_non_null(strstr(ask(g.client, "AI.MODELGET old META"), "\"device\" \"any\" "));
	assert_non_null(strstr(ask(g.client, "AI.MODELGET m META"), "\"device\" \"any\" "));
	fixture_stop(&g);
}

/* ---- a file ---- */

static void file_of_every_version_loads_at_start(void **state)
{
	char folder[256], path[512], key[16], line[128];
	struct buf file = {0};
	struct fixture old;
	struct error err;

	(void)state;
	temp_folder_new(folder, sizeof(folder));
	snprintf(path, sizeof(path), "%s/dump.rdb", folder);
	rdb_file_begin(&file);
	for (unsigned version = 0; version <= NEWEST; version++) {
		const struct model_case m = mul_case(version);

		write_tensor(&tensors[0], version, false);
		snprintf(key, sizeof(key), "t%u", version);
		rdb_file_add(&file, key, &value);
		write_model(&m);
		snprintf(key, sizeof(key), "m%u", version);
		rdb_file_add(&file, key, &value);
	}
	rdb_file_end(&file);
	assert_int_equal(file_write(path, file.data, file.len, &err), 0);
	buf_release(&file);
	fixture_start(&old, NULL, (const char *const[]){"--dir", folder, NULL});
	expect(old.client, "DBSIZE", ":10");
	expect(old.client, "AI.TENSORSET x FLOAT 2 1 VALUES 2 3", "+OK");
	for (unsigned version = 0; version <= NEWEST; version++) {
		snprintf(line, sizeof(line), "AI.TENSORGET t%u VALUES", version);
		expect(old.client, line, tensors[0].values);
		snprintf(line, sizeof(line), "AI.MODELRUN m%u INPUTS x x OUTPUTS y", version);
		expect(old.client, line, "+OK");
		expect(old.client, "AI.TENSORGET y VALUES", "[\"4\" \"9\"]");
	}
	fixture_stop(&old);
	temp_folder_remove(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tensors_of_every_version_load_and_are_saved_as_the_newest),
		cmocka_unit_test(scalars_of_every_version_load),
		cmocka_unit_test(models_of_every_version_load_and_are_saved_as_the_newest),
		cmocka_unit_test(chunks_are_put_together_and_cut_by_the_setting),
		cmocka_unit_test(names_beside_models_that_carry_their_own_are_let_be),
		cmocka_unit_test(newer_version_is_refused_and_logged),
		cmocka_unit_test(backends_and_devices_that_are_not_there_are_refused_and_logged),
		cmocka_unit_test(values_that_newer_commands_refuse_survive_an_append_only_file),
		cmocka_unit_test(file_of_every_version_loads_at_start),
	};

	return cmocka_run_group_tests(tests, start, stop);
}
