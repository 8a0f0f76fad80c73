/*
 * dag_parse.c - command lines of AI.DAG…. Nothing runs here but TENSORSET, and a command that does not parse leaves no
 * trace.
 */
#include "common/arith.h"
#include "servers/redisai/dag_parse_op.h"

/* "LOAD n k…" or "PERSIST n k…" after the keyword. */
static int parse_keys(struct words *w, const char *keyword, const char *direction, struct RedisModuleString ***ret,
		      long long *ret_n, struct error *err)
{
	if (words_left(w) < 2)
		return error_set(err, ERR_INVALID, "ERR missing arguments after %s keyword in DAG command", keyword);
	if (RedisModule_StringToLongLong(w->argv[w->at++], ret_n) != REDISMODULE_OK || *ret_n <= 0)
		return error_set(err, ERR_INVALID, "ERR invalid or negative value found in number of keys to %s",
				 keyword);
	if (*ret_n > words_left(w))
		return error_set(err, ERR_INVALID,
				 "ERR number of keys to %s %s does not match the number of given arguments", keyword,
				 direction);
	*ret = w->argv + w->at;
	w->at += (int)*ret_n;
	return 0;
}

static int parse_load(struct dag *d, struct RedisModuleCtx *ctx, struct words *w, struct error *err)
{
	const struct op_context c = {.dag = d, .ctx = ctx};
	struct RedisModuleString **keys;
	long long n;
	uint32_t slot;
	int r = parse_keys(w, "LOAD", "into DAG", &keys, &n, err);

	for (long long i = 0; r == 0 && i < n; i++)
		r = op_load_slot(&c, keys[i], &slot, err);
	return r;
}

static int parse_persist(struct dag *d, struct words *w, struct error *err)
{
	struct RedisModuleString **keys;
	long long n;
	int r;

	if (d->read_only)
		return error_set(err, ERR_INVALID, "ERR PERSIST cannot be specified in a read-only DAG");
	r = parse_keys(w, "PERSIST", "after DAG execution", &keys, &n, err);
	for (long long i = 0; r == 0 && i < n; i++)
		d->persist[d->npersist++] = (struct dag_persist){keys[i], DAG_NO_SLOT};
	return r;
}

/* Everything before the first |>. */
static int parse_scopes(struct dag *d, struct RedisModuleCtx *ctx, struct words *w, bool *ret_any, struct error *err)
{
	*ret_any = false;
	while (words_left(w) && !arg_is(w->argv[w->at], "|>")) {
		int r = 0;

		if (words_take(w, "LOAD")) {
			r = parse_load(d, ctx, w, err);
		} else if (words_take(w, "PERSIST")) {
			r = parse_persist(d, w, err);
		} else if (words_take(w, "ROUTING")) {
			if (words_left(w) == 0)
				r = error_set(err, ERR_INVALID, "ERR Missing ROUTING value");
			w->at++;
		} else if (words_take(w, "TIMEOUT")) {
			r = op_parse_timeout(d, w, "ERR No value provided for TIMEOUT", err);
			if (r < 0)
				return r;
			continue;
		} else {
			struct arg a = arg_view(w->argv[w->at]);

			r = error_set(err, ERR_INVALID, "ERR Invalid DAG command. Unexpected argument:  %.*s",
				      (int)a.len, a.data);
		}
		if (r < 0)
			return r;
		*ret_any = true;
	}
	return 0;
}

static int parse_tensorset(struct dag *d, struct words *w, struct error *err)
{
	struct dag_op op = {.kind = OP_TENSORSET, .state = OP_DONE};
	struct tensor *t;
	struct arg name;
	int r;

	if (words_left(w) < 3)
		return error_set(err, ERR_INVALID, "wrong number of arguments for 'AI.TENSORSET' command");
	r = tensor_parse(&t, w->argv + w->at + 1, words_left(w) - 1, false, &d->arena, err);
	if (r < 0)
		return r;
	name = arg_view(w->argv[w->at]);
	dag_add_slot(d, name.data, name.len, t);
	d->ops[d->nops++] = op;
	return 0;
}

static int parse_tensorget(struct dag *d, struct words *w, struct error *err)
{
	struct dag_op op = {.kind = OP_TENSORGET, .in = d->nindex, .nin = 1};
	struct arg name;
	uint32_t slot;
	int r;

	if (words_left(w) < 1 || words_left(w) > 3)
		return error_set(err, ERR_INVALID, "wrong number of arguments for 'AI.TENSORGET' command");
	name = arg_view(w->argv[w->at]);
	r = tensor_parse_format(&op.format, w->argv + w->at + 1, words_left(w) - 1, err);
	if (r < 0)
		return r;
	slot = dag_find_slot(d, name.data, name.len);
	if (slot == DAG_NO_SLOT)
		return error_set(err, ERR_NOT_FOUND, "ERR INPUT key cannot be found in DAG");
	d->index[d->nindex++] = slot;
	d->ops[d->nops++] = op;
	return 0;
}

/* The operations that run something: each in the spelling of its generation. */
static int parse_run(const struct op_context *c, struct words *w, bool deprecated, struct error *err)
{
	static const struct {
		const char *name;
		bool deprecated;
		int (*parse)(const struct op_context *c, struct words *w, struct error *err);
	} spellings[] = {
		{"AI.MODELRUN", true, op_parse_modelrun},
		{"AI.MODELEXECUTE", false, op_parse_modelexecute},
		{"AI.SCRIPTRUN", true, op_parse_scriptrun},
		{"AI.SCRIPTEXECUTE", false, op_parse_scriptexecute},
	};

	for (size_t i = 0; i < ARRAY_LEN(spellings); i++) {
		if (!words_take(w, spellings[i].name))
			continue;
		if (spellings[i].deprecated && !deprecated)
			return error_set(err, ERR_INVALID, "Deprecated %s cannot be used in AI.DAGEXECUTE command",
					 spellings[i].name);
		if (!spellings[i].deprecated && deprecated)
			return error_set(err, ERR_INVALID, "%s cannot be used in a deprecated AI.DAGRUN command",
					 spellings[i].name);
		return spellings[i].parse(c, w, err);
	}
	return error_set(err, ERR_INVALID, "Unsupported command within DAG");
}

static int parse_op(struct dag *d, struct RedisModuleCtx *ctx, struct words *w, bool deprecated, struct error *err)
{
	const struct op_context c = {.dag = d, .ctx = ctx, .in_dag = true};

	if (words_take(w, "AI.TENSORSET"))
		return parse_tensorset(d, w, err);
	if (words_take(w, "AI.TENSORGET"))
		return parse_tensorget(d, w, err);
	if (d->read_only && words_next_is(w, "AI.SCRIPTEXECUTE") && !deprecated)
		return error_set(err, ERR_INVALID,
				 "ERR AI.SCRIPTEXECUTE command cannot be specified in a read-only DAG");
	return parse_run(&c, w, deprecated, err);
}

/* Keys may repeat only once each: their names as slots of a second, empty structure, so that many keys stay cheap. */
static int check_persist_unique(const struct dag *d, struct error *err)
{
	struct dag *seen;
	int r = 0;

	if (d->npersist < 2)
		return 0;
	seen = dag_new(d->pool ? d->pool : &redisai.pool, (int)d->npersist);
	if (!seen)
		return error_set(err, ERR_NOMEM, ERROR_OUT_OF_MEMORY);
	for (uint32_t i = 0; i < d->npersist && r == 0; i++) {
		struct arg a = arg_view(d->persist[i].key);

		if (dag_find_slot(seen, a.data, a.len) != DAG_NO_SLOT)
			r = error_set(err, ERR_INVALID, "ERR PERSIST keys must be unique");
		else
			dag_add_slot(seen, a.data, a.len, NULL);
	}
	dag_free(seen);
	return r;
}

static int find_persisted(struct dag *d, struct error *err)
{
	for (uint32_t i = 0; i < d->npersist; i++) {
		struct arg a = arg_view(d->persist[i].key);

		d->persist[i].slot = dag_find_slot(d, a.data, a.len);
		if (d->persist[i].slot == DAG_NO_SLOT)
			return error_set(err, ERR_NOT_FOUND, "ERR PERSIST key cannot be found in DAG");
	}
	return 0;
}

int dag_parse(struct dag *d, struct RedisModuleCtx *ctx, struct RedisModuleString **argv, int argc, bool deprecated,
	      struct error *err)
{
	struct words w = {.argv = argv, .argc = argc, .at = 1};
	bool any;
	int r = parse_scopes(d, ctx, &w, &any, err);

	if (r == 0)
		r = check_persist_unique(d, err);
	if (r < 0)
		return r;
	if (!any && !deprecated)
		return error_set(err, ERR_INVALID,
				 "ERR AI.DAGEXECUTE and AI.DAGEXECUTE_RO commands must contain at least one out of "
				 "ROUTING, LOAD, PERSIST keywords");
	if (words_left(&w) == 0)
		return error_set(err, ERR_INVALID, "ERR DAG is empty");
	while (words_left(&w)) {
		struct words op = {.argv = argv, .at = w.at + 1};

		for (op.argc = op.at; op.argc < argc && !arg_is(argv[op.argc], "|>");)
			op.argc++;
		w.at = op.argc;
		r = parse_op(d, ctx, &op, deprecated, err);
		if (r < 0)
			return r;
	}
	return find_persisted(d, err);
}
