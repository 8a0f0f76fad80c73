/*
 * dag_parse.c - command lines of AI.DAG…, AI.MODELRUN and AI.MODELEXECUTE. Nothing runs here but TENSORSET, and a
 * command that does not parse leaves no trace.
 */
#include <limits.h>

#include "servers/redisai/module.h"

/* The rest of a command line, read from the left. */
struct words {
	struct RedisModuleString **argv;
	int argc, at;
};

static int left(const struct words *w)
{
	return w->argc - w->at;
}

static bool take_word(struct words *w, const char *word)
{
	if (left(w) == 0 || !arg_is(w->argv[w->at], word))
		return false;
	w->at++;
	return true;
}

/* What the two spellings of running a model have in common. */
struct model_call {
	struct dag *dag;
	struct RedisModuleCtx *ctx;
	const char *command; /* "AI.MODELRUN" */
	bool in_dag;         /* names are slots; else keys, and a TIMEOUT may be given */
};

static int parse_timeout(struct dag *d, struct words *w, struct error *err)
{
	nsec_t now = clock_now();
	long long ms;

	if (left(w) == 0)
		return error_set(err, ERR_INVALID, "ERR No value provided for TIMEOUT");
	if (RedisModule_StringToLongLong(w->argv[w->at++], &ms) != REDISMODULE_OK || ms <= 0)
		return error_set(err, ERR_INVALID, "ERR Invalid value for TIMEOUT");
	d->deadline = ms < (INT64_MAX - now) / NSEC_PER_MSEC ? now + ms * NSEC_PER_MSEC : NSEC_NEVER;
	return 0;
}

static int load_slot(struct dag *d, struct RedisModuleCtx *ctx, struct RedisModuleString *key, uint32_t *ret,
		     struct error *err)
{
	struct arg name = arg_view(key);
	void *t;
	int r = keyspace_get(ctx, key, redisai.tensor_type, ERROR_TENSOR_KEY_EMPTY, &t, err);

	if (r == 0)
		*ret = dag_add_slot(d, name.data, name.len, tensor_ref(t));
	return r;
}

static int add_input(const struct model_call *call, struct RedisModuleString *key, struct error *err)
{
	struct dag *d = call->dag;
	struct arg name = arg_view(key);
	uint32_t slot = DAG_NO_SLOT;
	int r = 0;

	if (!call->in_dag) {
		r = load_slot(d, call->ctx, key, &slot, err);
	} else {
		slot = dag_find_slot(d, name.data, name.len);
		if (slot == DAG_NO_SLOT)
			r = error_set(err, ERR_NOT_FOUND, "ERR INPUT key cannot be found in DAG");
	}
	if (r == 0)
		d->index[d->nindex++] = slot;
	return r;
}

static void add_output(const struct model_call *call, struct RedisModuleString *key)
{
	struct dag *d = call->dag;
	struct arg name = arg_view(key);
	uint32_t slot = dag_add_slot(d, name.data, name.len, NULL);

	d->index[d->nindex++] = slot;
	if (!call->in_dag)
		d->persist[d->npersist++] = (struct dag_persist){key, slot};
}

/* Keys inputs[0…nin) and outputs[0…nout) of one model, whose numbers have been checked. */
static int add_model_op(const struct model_call *call, struct stored_model *m, struct RedisModuleString **inputs,
			uint32_t nin, struct RedisModuleString **outputs, uint32_t nout, struct error *err)
{
	struct dag *d = call->dag;
	struct dag_op op = {.kind = OP_MODEL, .in = d->nindex, .nin = nin, .out = d->nindex + nin, .nout = nout};

	for (uint32_t i = 0; i < nin; i++) {
		int r = add_input(call, inputs[i], err);

		if (r < 0)
			return r;
	}
	for (uint32_t i = 0; i < nout; i++)
		add_output(call, outputs[i]);
	op.model = stored_model_ref(m);
	d->ops[d->nops++] = op;
	return 0;
}

/* Redis' own reference, or NULL with the error. */
static struct stored_model *get_model(const struct model_call *call, struct RedisModuleString *key, struct error *err)
{
	void *m;

	return keyspace_get(call->ctx, key, redisai.model_type, ERROR_MODEL_KEY_EMPTY, &m, err) < 0 ? NULL : m;
}

static int check_count(const char *what, size_t given, size_t wanted, struct error *err)
{
	if (given == wanted)
		return 0;
	return error_set(err, ERR_INVALID, "Number of keys given as %s here does not match model definition", what);
}

/* "INPUTS n k…": which is INPUTS or OUTPUTS, count "input" or "output". */
static int parse_counted(struct words *w, const char *which, const char *count, const char *capital, size_t wanted,
			 struct RedisModuleString ***ret, struct error *err)
{
	long long n;
	int r;

	if (!take_word(w, which))
		return error_set(err, ERR_INVALID, "ERR %s not specified", which);
	if (left(w) == 0 || RedisModule_StringToLongLong(w->argv[w->at++], &n) != REDISMODULE_OK)
		return error_set(err, ERR_INVALID, "ERR Invalid argument for %s_count", count);
	if (n <= 0)
		return error_set(err, ERR_INVALID, "ERR %s count must be a positive integer", capital);
	r = check_count(which, (size_t)n, wanted, err);
	if (r < 0)
		return r;
	if (n > left(w))
		return error_set(err, ERR_INVALID,
				 "ERR number of %s keys to AI.MODELEXECUTE command does not match the number of "
				 "given arguments",
				 count);
	*ret = w->argv + w->at;
	w->at += (int)n;
	return 0;
}

/* "key INPUTS n k… OUTPUTS n k… [TIMEOUT t]" after the command's name. */
static int parse_modelexecute(const struct model_call *call, struct words *w, struct error *err)
{
	struct RedisModuleString **inputs, **outputs;
	struct stored_model *m;
	int r;

	if (left(w) < 7)
		return error_set(err, ERR_INVALID, WRONG_ARITY("AI.MODELEXECUTE"));
	m = get_model(call, w->argv[w->at++], err);
	if (!m)
		return ERR_NOT_FOUND;
	r = parse_counted(w, "INPUTS", "input", "Input", model_ninputs(m->model), &inputs, err);
	if (r == 0)
		r = parse_counted(w, "OUTPUTS", "output", "Output", model_noutputs(m->model), &outputs, err);
	if (r == 0 && left(w) && arg_is(w->argv[w->at], "TIMEOUT")) {
		if (call->in_dag)
			return error_set(err, ERR_INVALID, "ERR TIMEOUT not allowed within a DAG command");
		w->at++;
		r = parse_timeout(call->dag, w, err);
	}
	if (r < 0)
		return r;
	if (left(w)) {
		struct arg a = arg_view(w->argv[w->at]);

		return error_set(err, ERR_INVALID, "Invalid argument: %.*s", (int)a.len, a.data);
	}
	return add_model_op(call, m, inputs, (uint32_t)model_ninputs(m->model), outputs,
			    (uint32_t)model_noutputs(m->model), err);
}

/* "key [TIMEOUT t] INPUTS k… OUTPUTS k…" after the command's name. */
static int parse_modelrun(const struct model_call *call, struct words *w, struct error *err)
{
	struct RedisModuleString **inputs;
	struct stored_model *m;
	int r, nin, nout;

	if (left(w) < 5)
		return error_set(err, ERR_INVALID, WRONG_ARITY("AI.MODELRUN"));
	m = get_model(call, w->argv[w->at++], err);
	if (!m)
		return ERR_NOT_FOUND;
	if (take_word(w, "TIMEOUT")) {
		if (call->in_dag)
			return error_set(err, ERR_INVALID, "ERR TIMEOUT not allowed within a DAG command");
		r = parse_timeout(call->dag, w, err);
		if (r < 0)
			return r;
	}
	if (!take_word(w, "INPUTS"))
		return error_set(err, ERR_INVALID, "ERR INPUTS not specified");
	inputs = w->argv + w->at;
	for (nin = 0; left(w) && !arg_is(w->argv[w->at], "OUTPUTS"); nin++)
		w->at++;
	if (!take_word(w, "OUTPUTS"))
		return error_set(err, ERR_INVALID, "ERR OUTPUTS not specified");
	nout = left(w);
	r = check_count("INPUTS", (size_t)nin, model_ninputs(m->model), err);
	if (r == 0)
		r = check_count("OUTPUTS", (size_t)nout, model_noutputs(m->model), err);
	if (r < 0)
		return r;
	w->at += nout;
	return add_model_op(call, m, inputs, (uint32_t)nin, w->argv + w->argc - nout, (uint32_t)nout, err);
}

int dag_parse_single(struct dag *d, struct RedisModuleCtx *ctx, struct RedisModuleString **argv, int argc,
		     bool deprecated, struct error *err)
{
	struct model_call call = {.dag = d, .ctx = ctx};
	struct words w = {.argv = argv, .argc = argc, .at = 1};

	d->single = true;
	return deprecated ? parse_modelrun(&call, &w, err) : parse_modelexecute(&call, &w, err);
}

/* "LOAD n k…" or "PERSIST n k…" after the keyword. */
static int parse_keys(struct words *w, const char *keyword, const char *direction, struct RedisModuleString ***ret,
		      long long *ret_n, struct error *err)
{
	if (left(w) < 2)
		return error_set(err, ERR_INVALID, "ERR missing arguments after %s keyword in DAG command", keyword);
	if (RedisModule_StringToLongLong(w->argv[w->at++], ret_n) != REDISMODULE_OK || *ret_n <= 0)
		return error_set(err, ERR_INVALID, "ERR invalid or negative value found in number of keys to %s",
				 keyword);
	if (*ret_n > left(w))
		return error_set(err, ERR_INVALID,
				 "ERR number of keys to %s %s does not match the number of given arguments", keyword,
				 direction);
	*ret = w->argv + w->at;
	w->at += (int)*ret_n;
	return 0;
}

static int parse_load(struct dag *d, struct RedisModuleCtx *ctx, struct words *w, struct error *err)
{
	struct RedisModuleString **keys;
	long long n;
	uint32_t slot;
	int r = parse_keys(w, "LOAD", "into DAG", &keys, &n, err);

	for (long long i = 0; r == 0 && i < n; i++)
		r = load_slot(d, ctx, keys[i], &slot, err);
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
	while (left(w) && !arg_is(w->argv[w->at], "|>")) {
		int r = 0;

		if (take_word(w, "LOAD")) {
			r = parse_load(d, ctx, w, err);
		} else if (take_word(w, "PERSIST")) {
			r = parse_persist(d, w, err);
		} else if (take_word(w, "ROUTING")) {
			if (left(w) == 0)
				r = error_set(err, ERR_INVALID, "ERR Missing ROUTING value");
			w->at++;
		} else if (take_word(w, "TIMEOUT")) {
			r = parse_timeout(d, w, err);
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

	if (left(w) < 3)
		return error_set(err, ERR_INVALID, "wrong number of arguments for 'AI.TENSORSET' command");
	r = tensor_parse(&t, w->argv + w->at + 1, left(w) - 1, &d->arena, err);
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

	if (left(w) < 1 || left(w) > 3)
		return error_set(err, ERR_INVALID, "wrong number of arguments for 'AI.TENSORGET' command");
	name = arg_view(w->argv[w->at]);
	r = tensor_parse_format(&op.format, w->argv + w->at + 1, left(w) - 1, err);
	if (r < 0)
		return r;
	slot = dag_find_slot(d, name.data, name.len);
	if (slot == DAG_NO_SLOT)
		return error_set(err, ERR_NOT_FOUND, "ERR INPUT key cannot be found in DAG");
	d->index[d->nindex++] = slot;
	d->ops[d->nops++] = op;
	return 0;
}

/* Scripts can be named but not stored, so none is ever found. */
static int parse_script(const struct dag *d, bool deprecated, bool old_spelling, struct error *err)
{
	if (!deprecated && old_spelling)
		return error_set(err, ERR_INVALID, "Deprecated AI.SCRIPTRUN cannot be used in AI.DAGEXECUTE command");
	if (deprecated && !old_spelling)
		return error_set(err, ERR_INVALID, "AI.SCRIPTEXECUTE cannot be used in a deprecated AI.DAGRUN command");
	if (d->read_only && !old_spelling)
		return error_set(err, ERR_INVALID,
				 "ERR AI.SCRIPTEXECUTE command cannot be specified in a read-only DAG");
	return error_set(err, ERR_NOT_FOUND, "ERR script key is empty");
}

static int parse_op(struct dag *d, struct RedisModuleCtx *ctx, struct words *w, bool deprecated, struct error *err)
{
	struct model_call call = {.dag = d, .ctx = ctx, .in_dag = true};

	if (take_word(w, "AI.TENSORSET"))
		return parse_tensorset(d, w, err);
	if (take_word(w, "AI.TENSORGET"))
		return parse_tensorget(d, w, err);
	if (take_word(w, "AI.MODELRUN")) {
		if (!deprecated)
			return error_set(err, ERR_INVALID,
					 "Deprecated AI.MODELRUN cannot be used in AI.DAGEXECUTE command");
		return parse_modelrun(&call, w, err);
	}
	if (take_word(w, "AI.MODELEXECUTE")) {
		if (deprecated)
			return error_set(err, ERR_INVALID,
					 "AI.MODELEXECUTE cannot be used in a deprecated AI.DAGRUN command");
		return parse_modelexecute(&call, w, err);
	}
	if (take_word(w, "AI.SCRIPTRUN"))
		return parse_script(d, deprecated, true, err);
	if (take_word(w, "AI.SCRIPTEXECUTE"))
		return parse_script(d, deprecated, false, err);
	return error_set(err, ERR_INVALID, "Unsupported command within DAG");
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
	if (left(&w) == 0)
		return error_set(err, ERR_INVALID, "ERR DAG is empty");
	while (left(&w)) {
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
