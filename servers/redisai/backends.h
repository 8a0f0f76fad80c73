/*
 * backends.h - what reads and runs models and scripts: the engine's own formats, and libraries loaded on demand.
 */
#ifndef SERVERS_REDISAI_BACKENDS_H
#define SERVERS_REDISAI_BACKENDS_H

#include <stdbool.h>
#include <stddef.h>

#include "common/error.h"
#include "engine/backend.h"

/* In the order of RedisAI's RDB. */
enum backend { BACKEND_TF, BACKEND_TFLITE, BACKEND_TORCH, BACKEND_ONNX, BACKEND_COUNT };

struct backends {
	const struct backend_ops *loaded[BACKEND_COUNT]; /* NULL: the engine's own, or not loaded */
	bool used[BACKEND_COUNT]; /* something of it was stored: INFO shows its version from then on */
};

const char *backend_name(enum backend b);
bool backend_parse(enum backend *ret, const char *name, size_t len);
/* The engine reads the format itself. */
bool backend_is_native(enum backend b);
/* Name and number of what runs behind it, for INFO. */
const char *backend_version(enum backend b);

/*
 * Makes sure that the backend can be used, loading it from its default place (BACKENDSPATH, or the folder "backends" beside
 * the module, then redisai_torch/redisai_torch.so) where it is not there yet. err holds the whole error reply. *ret is NULL
 * for the engine's own.
 */
int backend_need(enum backend b, const struct backend_ops **ret, struct error *err) MUST_CHECK;
/* AI.CONFIG LOADBACKEND: a path that is not absolute is looked for in BACKENDSPATH. The engine's own need no library: OK. err
 * says what is wrong with the library. */
int backend_load(enum backend b, const char *path, struct error *err) MUST_CHECK;

#endif
