/*
 * conformance.c - the values that the rows name, and the order of the blocks.
 */
#include "tests/servers/redisai/conformance.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "common/arith.h"
#include "datagen/model.h"

#define LUA_CALL(command) "return redis.pcall(" command ")"

static unsigned char *files[2];

/* What the functions do is backend/torch.c's. */
static const char source[] = "def first(tensors, keys, args): first\n"
			     "def sum(tensors, keys, args): sum\n"
			     "def list(tensors, keys, args): list\n"
			     "def words(tensors, keys, args): words\n"
			     "def none(tensors, keys, args): none\n"
			     "def fail(tensors, keys, args): fail\n"
			     "def old(a, b): sum";

/* A ModelProto of version 8 without a graph, and one of a graph whose initializer "w" lies in another file. */
static const char no_graph[] = {1 << 3, 8};
static const char external_data[] = {7 << 3 | 2, 9, 5 << 3 | 2, 7, 2 << 3, 1, 8 << 3 | 2, 1, 'w', 14 << 3, 1};

static const struct {
	const char *name, *data;
	size_t len;
} constants[] = {
#define CONSTANT(name, bytes) \
	{ \
		name, bytes, sizeof(bytes) - 1 \
	}
	CONSTANT("$NUL", "a\0b"),
	CONSTANT("$ONE", "\0\0\x80\x3f"),
	CONSTANT("$NEGATIVE", "\xff\x80"),
	CONSTANT("$STRINGS", "a\0\0bc\0d\0"),
	CONSTANT("$SHORT", "def short(t, k, a): none"),
	CONSTANT("$", "$"),
	CONSTANT("$LUA_RUN", LUA_CALL("'AI.MODELRUN','{t}m','INPUTS','{t}x','{t}x','OUTPUTS','{t}y'") ".err"),
	CONSTANT("$LUA_EXECUTE",
		 LUA_CALL("'AI.MODELEXECUTE','{t}m','INPUTS',2,'{t}x','{t}x','OUTPUTS',1,'{t}y'") ".err"),
	CONSTANT("$LUA_DAG", LUA_CALL("'AI.DAGRUN','LOAD',1,'{t}x','|>','AI.TENSORGET','{t}x'") ".err"),
	CONSTANT("$LUA_TENSOR", "redis.call('AI.TENSORSET','{t}lua','FLOAT',1,'VALUES',7) " LUA_CALL(
					"'AI.TENSORGET','{t}lua','VALUES'")),
#undef CONSTANT
	{"$SOURCE", source, sizeof(source) - 1},
	{"$NO_GRAPH", no_graph, sizeof(no_graph)},
	{"$EXTERNAL", external_data, sizeof(external_data)},
};

/* The smallest nets of the formats that carry their own names. */
static void define_nets(void)
{
	static const struct {
		const struct model_format *format;
		const char *name;
	} nets[] = {{&model_format_tflite, "$TFLITE"}, {&model_format_onnx, "$ONNX"}};
	const struct mobilenet_config cfg = {.width = 0.01, .resolution = 16, .batch = -1, .seed = 3};
	struct mobilenet *net;
	struct error err;

	if (mobilenet_new(&net, &cfg, &err) < 0)
		fail_msg("%s", err.text);
	for (size_t i = 0; i < ARRAY_LEN(nets); i++) {
		size_t len;

		if (nets[i].format->write_mobilenet(&files[i], &len, net, &err) < 0)
			fail_msg("%s", err.text);
		define(nets[i].name, files[i], len);
	}
	mobilenet_free(net);
}

void conformance_define(void)
{
	graphs_define();
	define_part("$MUL_HEAD", "$MUL", 0, 10);
	define_part("$MUL_REST", "$MUL", 10, SIZE_MAX);
	for (size_t i = 0; i < ARRAY_LEN(constants); i++)
		define(constants[i].name, constants[i].data, constants[i].len);
	define_nets();
}

void conformance_release(void)
{
	graphs_release();
	for (size_t i = 0; i < ARRAY_LEN(files); i++)
		free(files[i]);
}

const char *const *conformance_module_arguments(void)
{
	static const char *arguments[] = {"TORCH", NULL, NULL};

	arguments[1] = test_backend_path();
	return arguments;
}

const struct conformance_block *conformance_block(size_t i)
{
	const struct {
		const struct conformance_block *list;
		size_t n;
	} parts[] = {
		{conformance_tensors, conformance_ntensors},
		{conformance_models, conformance_nmodels},
		{conformance_scripts, conformance_nscripts},
		{conformance_runs, conformance_nruns},
	};

	for (size_t p = 0; p < ARRAY_LEN(parts); p++) {
		if (i < parts[p].n)
			return &parts[p].list[i];
		i -= parts[p].n;
	}
	return NULL;
}
