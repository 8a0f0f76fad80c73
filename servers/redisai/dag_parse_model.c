/*
 * dag_parse_model.c - AI.MODELEXECUTE and the older AI.MODELRUN, as commands and as operations of a DAG.
 */
#include "servers/redisai/dag_parse_op.h"

static int add_model(const struct op_context *c, struct stored_model *m, const struct op_keys *keys, struct error *err)
{
	return op_add(c, (struct dag_op){.kind = OP_MODEL, .model = m}, keys, err);
}

/* Redis' own reference, or NULL with the error. */
static struct stored_model *get_model(const struct op_context *c, struct RedisModuleString *key, struct error *err)
{
	void *m;

	return keyspace_get(c->ctx, key, redisai.model_type, ERROR_MODEL_KEY_EMPTY, &m, err) < 0 ? NULL : m;
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

	if (!words_take(w, which))
		return error_set(err, ERR_INVALID, "ERR %s not specified", which);
	if (!words_take_number(w, &n))
		return error_set(err, ERR_INVALID, "ERR Invalid argument for %s_count", count);
	if (n <= 0)
		return error_set(err, ERR_INVALID, "ERR %s count must be a positive integer", capital);
	r = check_count(which, (size_t)n, wanted, err);
	if (r < 0)
		return r;
	if (n > words_left(w))
		return error_set(err, ERR_INVALID,
				 "ERR number of %s keys to AI.MODELEXECUTE command does not match the number of "
				 "given arguments",
				 count);
	*ret = w->argv + w->at;
	w->at += (int)n;
	return 0;
}

/* "TIMEOUT t" where it is there. */
static int parse_timeout(const struct op_context *c, struct words *w, struct error *err)
{
	if (!words_take(w, "TIMEOUT"))
		return 0;
	if (c->in_dag)
		return error_set(err, ERR_INVALID, ERROR_TIMEOUT_IN_DAG);
	return op_parse_timeout(c->dag, w, "ERR No value provided for TIMEOUT", err);
}

/* "key INPUTS n k… OUTPUTS n k… [TIMEOUT t]" */
int op_parse_modelexecute(const struct op_context *c, struct words *w, struct error *err)
{
	struct op_keys keys = {0};
	struct stored_model *m;
	int r;

	if (words_left(w) < 7)
		return error_set(err, ERR_INVALID, WRONG_ARITY("AI.MODELEXECUTE"));
	m = get_model(c, w->argv[w->at++], err);
	if (!m)
		return ERR_NOT_FOUND;
	keys.nin = (uint32_t)model_ninputs(m->model);
	keys.nout = (uint32_t)model_noutputs(m->model);
	r = parse_counted(w, "INPUTS", "input", "Input", keys.nin, &keys.inputs, err);
	if (r == 0)
		r = parse_counted(w, "OUTPUTS", "output", "Output", keys.nout, &keys.outputs, err);
	if (r == 0)
		r = parse_timeout(c, w, err);
	if (r < 0)
		return r;
	if (words_left(w)) {
		struct arg a = arg_view(w->argv[w->at]);

		return error_set(err, ERR_INVALID, "Invalid argument: %.*s", (int)a.len, a.data);
	}
	return add_model(c, m, &keys, err);
}

/* "key [TIMEOUT t] INPUTS k… OUTPUTS k…" */
int op_parse_modelrun(const struct op_context *c, struct words *w, struct error *err)
{
	struct op_keys keys = {0};
	struct stored_model *m;
	int r;

	if (words_left(w) < 5)
		return error_set(err, ERR_INVALID, WRONG_ARITY("AI.MODELRUN"));
	m = get_model(c, w->argv[w->at++], err);
	if (!m)
		return ERR_NOT_FOUND;
	r = parse_timeout(c, w, err);
	if (r < 0)
		return r;
	if (!words_take(w, "INPUTS"))
		return error_set(err, ERR_INVALID, "ERR INPUTS not specified");
	keys.inputs = w->argv + w->at;
	for (; words_left(w) && !words_next_is(w, "OUTPUTS"); keys.nin++)
		w->at++;
	if (!words_take(w, "OUTPUTS"))
		return error_set(err, ERR_INVALID, "ERR OUTPUTS not specified");
	keys.outputs = w->argv + w->at;
	keys.nout = (uint32_t)words_left(w);
	w->at = w->argc;
	r = check_count("INPUTS", keys.nin, model_ninputs(m->model), err);
	if (r == 0)
		r = check_count("OUTPUTS", keys.nout, model_noutputs(m->model), err);
	return r < 0 ? r : add_model(c, m, &keys, err);
}

int dag_parse_model(struct dag *d, struct RedisModuleCtx *ctx, struct RedisModuleString **argv, int argc,
		    bool deprecated, struct error *err)
{
	const struct op_context c = {.dag = d, .ctx = ctx};
	struct words w = {.argv = argv, .argc = argc, .at = 1};

	d->single = true;
	return deprecated ? op_parse_modelrun(&c, &w, err) : op_parse_modelexecute(&c, &w, err);
}
