/*
 * redis_server.h - a real redis-server for one test: own folder, free port of 127.0.0.1, stopped with the test.
 */
#ifndef TESTS_SUPPORT_REDIS_SERVER_H
#define TESTS_SUPPORT_REDIS_SERVER_H

#include <stdbool.h>

#include "tests/support/process.h"

struct redis_server {
	struct process process;
	unsigned short port; /* TCP; 0 if extra arguments set --port 0 */
	char port_text[8];
	char dir[256];    /* working folder: dump.rdb, appendonly.aof, redis.log */
	char socket[300]; /* Unix socket, always there */
};

/*
 * extra: further redis-server arguments, NULL-terminated, or NULL. Returns once the Unix socket accepts; aborts the
 * test, showing the log, when it does not within 20 s. Where AIBENCH_SERVER_PRELOAD is set it becomes the server's
 * LD_PRELOAD (a sanitizer's runtime for an instrumented module).
 */
void redis_server_start(struct redis_server *s, const char *const *extra);
/* As start, in the folder and on the port of a server stopped before: to test persistence. */
void redis_server_restart(struct redis_server *s, const char *const *extra);
/* SIGTERM without saving, then waits; keep_folder leaves dir for a restart. */
void redis_server_stop(struct redis_server *s, bool keep_folder);

/* Path of the module under test: $AIBENCH_BIN/redisai.so, absolute. NULL if it was not built. */
const char *redis_server_module_path(void);
/* redis_server_start with --loadmodule and module arguments (NULL-terminated, may be NULL). */
void redis_server_start_module(struct redis_server *s, const char *const *module_args, const char *const *extra);

#endif
