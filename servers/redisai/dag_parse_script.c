/*
 * dag_parse_script.c - AI.SCRIPTEXECUTE and the older AI.SCRIPTRUN, as commands and as operations of a DAG.
 */
#include "servers/redisai/dag_parse_op.h"

/* Everything that follows a script's key. */
struct script_args {
	struct RedisModuleString *function;
	struct op_keys tensors;
	struct RedisModuleString **keys, **args;
	uint32_t nkeys, nargs;
	bool has_timeout;
};

/* Redis' own reference, ready to run, or NULL with the error. */
static struct stored_script *get_script(const struct op_context *c, struct RedisModuleString *key, struct error *err)
{
	void *s;

	if (keyspace_get(c->ctx, key, redisai.script_type, ERROR_SCRIPT_KEY_EMPTY, &s, err) < 0)
		return NULL;
	return s;
}

static void add_word(struct dag *d, struct RedisModuleString *word)
{
	d->words[d->nwords++] = word;
}

static int add_script(const struct op_context *c, struct stored_script *s, const struct script_args *a,
		      struct error *err)
{
	struct dag_op op = {.kind = OP_SCRIPT, .script = s, .nkeys = a->nkeys, .nargs = a->nargs};
	int r;

	if (a->has_timeout && c->in_dag)
		return error_set(err, ERR_INVALID, ERROR_TIMEOUT_IN_DAG);
	op.words = c->dag->nwords;
	op.list_at = a->tensors.marks ? a->tensors.mark_at : a->tensors.nin;
	add_word(c->dag, a->function);
	for (uint32_t i = 0; i < a->nkeys; i++)
		add_word(c->dag, a->keys[i]);
	for (uint32_t i = 0; i < a->nargs; i++)
		add_word(c->dag, a->args[i]);
	r = op_add(c, op, &a->tensors, err);
	return r < 0 ? r : stored_script_prepare(s, err);
}

/* ---- AI.SCRIPTEXECUTE ---- */

/* "n k…" of one of the scopes: in the errors, count is what RedisAI calls the number, what the things counted. */
static int parse_counted(struct words *w, const char *count, const char *what, struct RedisModuleString ***ret,
			 uint32_t *ret_n, struct error *err)
{
	long long n;

	if (words_left(w) == 0)
		return command_invalid(err, "Invalid arguments provided to AI.SCRIPTEXECUTE");
	if (!words_take_number(w, &n) || n < 0)
		return error_set(err, ERR_INVALID, "ERR Invalid argument for %s count in AI.SCRIPTEXECUTE", count);
	if (n > words_left(w))
		return error_set(err, ERR_INVALID,
				 "ERR number of %s to AI.SCRIPTEXECUTE command does not match the number of given "
				 "arguments",
				 what);
	*ret = w->argv + w->at;
	*ret_n = (uint32_t)n;
	w->at += (int)n;
	return 0;
}

static int parse_keys(struct words *w, struct script_args *a, struct error *err)
{
	long long n;

	if (words_left(w) < 2)
		return command_invalid(err, "Missing arguments after KEYS keyword");
	if (!words_take_number(w, &n) || n <= 0)
		return command_invalid(err, "Invalid or negative value found in number of KEYS");
	if (n > words_left(w))
		return command_invalid(
			err, "Number of pre declared KEYS to be used in the command does not match the number "
			     "of given arguments");
	a->keys = w->argv + w->at;
	a->nkeys = (uint32_t)n;
	w->at += (int)n;
	return 0;
}

enum scope { SCOPE_KEYS, SCOPE_INPUTS, SCOPE_ARGS, SCOPE_OUTPUTS, SCOPE_COUNT };

static int parse_scope(enum scope scope, struct words *w, struct script_args *a, struct error *err)
{
	switch (scope) {
	case SCOPE_KEYS:
		return parse_keys(w, a, err);
	case SCOPE_INPUTS:
		return parse_counted(w, "inputs", "inputs", &a->tensors.inputs, &a->tensors.nin, err);
	case SCOPE_ARGS: /* which RedisAI calls keys too, in the first of its errors */
		return parse_counted(w, "keys", "args", &a->args, &a->nargs, err);
	default:
		return parse_counted(w, "outputs", "outputs", &a->tensors.outputs, &a->tensors.nout, err);
	}
}

static int parse_scopes(const struct op_context *c, struct words *w, struct script_args *a, struct error *err)
{
	static const char *const names[SCOPE_COUNT] = {"KEYS", "INPUTS", "ARGS", "OUTPUTS"};
	bool seen[SCOPE_COUNT] = {false};

	if (!c->in_dag && !words_next_is(w, "KEYS") && !words_next_is(w, "INPUTS"))
		return command_invalid(err, "KEYS or INPUTS scope must be provided first for AI.SCRIPTEXECUTE command");
	while (words_left(w)) {
		unsigned scope = 0;
		int r;

		if (words_take(w, "TIMEOUT")) {
			a->has_timeout = true;
			r = op_parse_timeout(c->dag, w, "ERR No value provided for TIMEOUT in AI.SCRIPTEXECUTE", err);
			if (r == 0 && words_left(w))
				r = command_invalid(err, "Encountered problem parsing AI.SCRIPTEXECUTE");
			return r;
		}
		while (scope < SCOPE_COUNT && !words_next_is(w, names[scope]))
			scope++;
		if (scope == SCOPE_COUNT) {
			struct arg word = arg_view(w->argv[w->at]);

			return error_set(err, ERR_INVALID,
					 "ERR Invalid AI.SCRIPTEXECUTE command. Unexpected argument: %.*s",
					 (int)word.len, word.data);
		}
		w->at++;
		if (seen[scope])
			return error_set(err, ERR_INVALID,
					 "ERR Already Encountered %s scope in AI.SCRIPTEXECUTE command", names[scope]);
		seen[scope] = true;
		r = parse_scope((enum scope)scope, w, a, err);
		if (r < 0)
			return r;
	}
	return 0;
}

/* "key fn [KEYS n k…] [INPUTS n k…] [ARGS n a…] [OUTPUTS n k…] [TIMEOUT t]" */
int op_parse_scriptexecute(const struct op_context *c, struct words *w, struct error *err)
{
	struct script_args a = {0};
	struct stored_script *s;
	int r;

	if (words_left(w) < 2)
		return error_set(err, ERR_INVALID, WRONG_ARITY("AI.SCRIPTEXECUTE"));
	s = get_script(c, w->argv[w->at++], err);
	if (!s)
		return ERR_NOT_FOUND;
	a.function = w->argv[w->at++];
	r = parse_scopes(c, w, &a, err);
	return r < 0 ? r : add_script(c, s, &a, err);
}

/* ---- AI.SCRIPTRUN ---- */

/* The words after INPUTS; a $ stands before the first tensor of a list. */
static int parse_inputs(struct words *w, struct script_args *a, struct error *err)
{
	a->tensors.inputs = w->argv + w->at;
	for (; words_left(w) && !words_next_is(w, "OUTPUTS"); w->at++) {
		if (words_next_is(w, "INPUTS"))
			return command_invalid(err, "Already encountered an INPUTS keyword in SCRIPTRUN");
		if (!words_next_is(w, "$")) {
			a->tensors.nin++;
			continue;
		}
		if (a->tensors.marks)
			return command_invalid(err, "Already encountered a variable size list of tensors");
		a->tensors.marks = 1;
		a->tensors.mark_at = a->tensors.nin;
	}
	return 0;
}

static int parse_outputs(struct words *w, struct script_args *a, struct error *err)
{
	if (!words_take(w, "OUTPUTS"))
		return 0;
	a->tensors.outputs = w->argv + w->at;
	for (; words_left(w); w->at++, a->tensors.nout++) {
		if (words_next_is(w, "OUTPUTS"))
			return command_invalid(err, "Already encountered an OUTPUTS keyword in SCRIPTRUN");
		if (words_next_is(w, "INPUTS"))
			return command_invalid(err, "Already encountered an INPUTS section in SCRIPTRUN");
		if (words_next_is(w, "$"))
			return command_invalid(err,
					       "Encountered a variable size list of tensors outside of input section");
	}
	return 0;
}

/* "key fn [TIMEOUT t] INPUTS k… [$ k…] OUTPUTS k…" */
int op_parse_scriptrun(const struct op_context *c, struct words *w, struct error *err)
{
	struct script_args a = {0};
	struct stored_script *s;
	int r = 0;

	if (words_left(w) < 2)
		return error_set(err, ERR_INVALID, WRONG_ARITY("AI.SCRIPTRUN"));
	s = get_script(c, w->argv[w->at++], err);
	if (!s)
		return ERR_NOT_FOUND;
	a.function = w->argv[w->at++];
	if (words_take(w, "TIMEOUT")) {
		a.has_timeout = true;
		r = op_parse_timeout(c->dag, w, "ERR Invalid value for TIMEOUT", err);
	}
	if (r == 0 && words_take(w, "INPUTS"))
		r = parse_inputs(w, &a, err);
	if (r == 0 && words_left(w) && !words_next_is(w, "OUTPUTS"))
		r = words_next_is(w, "$")
			    ? command_invalid(err,
					      "Encountered a variable size list of tensors outside of input section")
			    : command_invalid(err, "Unrecongnized parameter to SCRIPTRUN");
	if (r == 0)
		r = parse_outputs(w, &a, err);
	return r < 0 ? r : add_script(c, s, &a, err);
}

int dag_parse_script(struct dag *d, struct RedisModuleCtx *ctx, struct RedisModuleString **argv, int argc,
		     bool deprecated, struct error *err)
{
	const struct op_context c = {.dag = d, .ctx = ctx};
	struct words w = {.argv = argv, .argc = argc, .at = 1};

	d->single = true;
	return deprecated ? op_parse_scriptrun(&c, &w, err) : op_parse_scriptexecute(&c, &w, err);
}
