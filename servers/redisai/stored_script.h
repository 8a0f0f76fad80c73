/*
 * stored_script.h - a script as a value of a key: its source, and what a backend made of it.
 */
#ifndef SERVERS_REDISAI_STORED_SCRIPT_H
#define SERVERS_REDISAI_STORED_SCRIPT_H

#include "engine/backend.h"
#include "servers/redisai/stored.h"

struct stored_script {
	struct stored stored;
	char *source;
	size_t source_len;
	char **entry_points;
	size_t nentry_points;
	/* NULL: the backend was not there when an RDB, an AOF or a master brought the script; asked for again at its first run. */
	struct backend_script *script;
	const struct backend_ops *ops;
};

struct stored_script_parts {
	struct stored_parts stored;
	const char *source;
	size_t source_len;
	const char *const *entry_points;
	size_t nentry_points;
};

/* must_run false: without the backend the script is kept all the same. Everything is copied. err holds the whole
 * error reply. */
int stored_script_new(struct stored_script **ret, const struct stored_script_parts *parts, bool must_run,
		      struct error *err) MUST_CHECK;
/* Makes the script runnable where it is not yet; main thread. err holds the whole error reply. */
int stored_script_prepare(struct stored_script *s, struct error *err) MUST_CHECK;
struct stored_script *stored_script_ref(struct stored_script *s);
void stored_script_unref(struct stored_script *s); /* NULL is a no-op */
size_t stored_script_memory(const struct stored_script *s);

#endif
