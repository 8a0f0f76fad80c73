/*
 * backends.c - names of backends, and where their libraries are looked for.
 */
#include "servers/redisai/backends.h"

#include <dlfcn.h>
#include <limits.h>
#include <stdio.h>

#include "common/version.h"
#include "servers/redisai/module.h"

/* file: in the folder of backends, as RedisAI has it. */
static const struct {
	const char *name, *file;
} backends[BACKEND_COUNT] = {
	[BACKEND_TF] = {"TF", NULL},
	[BACKEND_TFLITE] = {"TFLITE", NULL},
	[BACKEND_TORCH] = {"TORCH", "redisai_torch/redisai_torch.so"},
	[BACKEND_ONNX] = {"ONNX", NULL},
};

const char *backend_name(enum backend b)
{
	return backends[b].name;
}

bool backend_parse(enum backend *ret, const char *name, size_t len)
{
	for (unsigned i = 0; i < BACKEND_COUNT; i++) {
		if (strlen(backends[i].name) == len && strncasecmp(backends[i].name, name, len) == 0) {
			*ret = (enum backend)i;
			return true;
		}
	}
	return false;
}

bool backend_is_native(enum backend b)
{
	return !backends[b].file;
}

const char *backend_version(enum backend b)
{
	const struct backend_ops *ops = redisai.backends.loaded[b];

	return ops ? ops->version : "aibench " AIBENCH_VERSION;
}

/* The folder that relative paths start from: false where its name is too long. */
static bool backends_folder(char *ret, size_t size)
{
	struct RedisModuleString *path = redisai.config.backends_path;
	const char *slash;
	Dl_info module;
	int n;

	if (path) {
		n = snprintf(ret, size, "%s", arg_view(path).data);
	} else if (dladdr(backends, &module) && (slash = strrchr(module.dli_fname, '/'))) {
		n = snprintf(ret, size, "%.*s/backends", (int)(slash - module.dli_fname), module.dli_fname);
	} else {
		n = snprintf(ret, size, "backends");
	}
	return n >= 0 && (size_t)n < size;
}

int backend_load(enum backend b, const char *path, struct error *err)
{
	const struct backend_ops **loaded = &redisai.backends.loaded[b];
	char folder[PATH_MAX], whole[PATH_MAX];
	int n;

	if (backend_is_native(b))
		return 0;
	if (*loaded)
		return error_set(err, ERR_EXISTS, "the backend %s is loaded already", backend_name(b));
	if (path[0] == '/')
		n = snprintf(whole, sizeof(whole), "%s", path);
	else if (backends_folder(folder, sizeof(folder)))
		n = snprintf(whole, sizeof(whole), "%s/%s", folder, path);
	else
		n = -1;
	if (n < 0 || (size_t)n >= sizeof(whole))
		return error_set(err, ERR_RANGE, "the path of the backend %s is too long", backend_name(b));
	return backend_open(loaded, whole, backend_name(b), err);
}

int backend_need(enum backend b, const struct backend_ops **ret, struct error *err)
{
	struct error why;

	if (!backend_is_native(b) && !redisai.backends.loaded[b] && backend_load(b, backends[b].file, &why) < 0) {
		RedisModule_Log(NULL, "warning", "backend %s: %s", backend_name(b), why.text);
		return error_set(err, ERR_UNSUPPORTED, "ERR Could not load backend");
	}
	*ret = redisai.backends.loaded[b];
	return 0;
}
