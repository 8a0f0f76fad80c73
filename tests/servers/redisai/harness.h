/*
 * harness.h - asks a real redis-server with the module in one line of text and shows its answer as another.
 *
 * A command is words between single spaces; a word that begins with $ stands for a value given by name. An answer is
 * +status, -error, :integer, "bulk" (unprintable bytes as \xNN), nil, or [element element].
 */
#ifndef TESTS_SERVERS_REDISAI_HARNESS_H
#define TESTS_SERVERS_REDISAI_HARNESS_H

#include <stddef.h>
#include <stdint.h>

#include "common/buf.h"
#include "net/redis_client.h"
#include "tests/support/redis_server.h"

struct fixture {
	struct redis_server server;
	struct endpoint *endpoint;
	struct redis_client *client;
};

/* module_args and extra as in redis_server_start_module; DEBUG is allowed. Aborts the test on failure. */
void fixture_start(struct fixture *f, const char *const *module_args, const char *const *extra);
void fixture_stop(struct fixture *f);
/* The library of backend/torch.c, which lies beside the test's own program. */
const char *test_backend_path(void);
/* Another connection to the same server. */
struct redis_client *connect_to(const struct fixture *f);

/* Names a value for $NAME; not copied. */
void define(const char *name, const void *data, size_t len);
/* Names bytes [from, to) of another value; to may lie beyond its end. */
void define_part(const char *name, const char *of, size_t from, size_t to);

/* The text is valid until the next call. */
const char *ask(struct redis_client *c, const char *line);
/* Two halves of ask, for answers that take their time. */
void send_line(struct redis_client *c, const char *line);
const char *receive(struct redis_client *c);
/* The same as bytes, for those that send and receive themselves; several threads may, once all values have their names. */
void append_line(struct buf *to, const char *line);
void show_reply(struct buf *to, const struct resp_node *nodes, size_t n);
/* Fails the test, naming the command, if the answer is another one. */
void expect(struct redis_client *c, const char *line, const char *answer);

struct exchange {
	const char *line, *answer;
};
void expect_all(struct redis_client *c, const struct exchange *list, size_t n);

/* Asks until the answer is this one: for what a server does in its own time (replication, saving). */
void expect_soon(struct redis_client *c, const char *line, const char *answer);

/* A number of AI.INFO: "calls", "samples"… */
unsigned long info_counter(struct redis_client *c, const char *key, const char *name);

/*
 * Small graphs: $MUL (a, b -> mul, elementwise), $SLOW (x -> y: a chain of products of a matrix with itself, for
 * 1024 rows most of a second) and $SUM (x -> sum: one row out of many). Defined once by graphs_define.
 */
void graphs_define(void);
void graphs_release(void);

#endif
