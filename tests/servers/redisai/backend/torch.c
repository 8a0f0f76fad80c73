/*
 * torch.c - a backend for the tests, in the place of TORCH: a shared library with the table of engine/backend.h.
 *
 * Its model is the blob "double" (y = 2 x) and runs nothing else. A script is lines of "def NAME(a, b, c): OP"; an entry
 * point takes three parameters, as RedisAI's do. OP is one of
 *	first	the first input
 *	sum	the sum of all inputs, FLOAT of one shape
 *	list	how many of the inputs are in the list, INT64
 *	words	keys, then arguments, as STRING
 *	none	no output
 *	fail	an error
 */
#include <stdlib.h>
#include <string.h>

#include "common/buf.h"
#include "engine/backend.h"

/* ---- models ---- */

struct backend_model {
	struct model_tensor_info in, out;
};

struct backend_context {
	struct backend_model *model;
};

static int model_load_(struct backend_model **ret, const struct model_load_config *cfg, const void *blob, size_t len,
		       enum model_fault *ret_fault, size_t *ret_fault_index, struct error *err)
{
	(void)cfg;
	(void)ret_fault_index;
	if (len != 6 || memcmp(blob, "double", len) != 0) {
		*ret_fault = MODEL_FAULT_OTHER;
		return error_set(err, ERR_FORMAT, "this is no model of the test backend");
	}
	*ret = calloc(1, sizeof(**ret));
	if (!*ret)
		return ERR_NOMEM;
	(*ret)->in = (struct model_tensor_info){.name = "x", .dtype = DTYPE_FLOAT, .rank = -1};
	(*ret)->out = (struct model_tensor_info){.name = "y", .dtype = DTYPE_FLOAT, .rank = -1};
	return 0;
}

static void model_free_(struct backend_model *m)
{
	free(m);
}

static size_t model_memory_(const struct backend_model *m)
{
	return sizeof(*m);
}

static size_t one(const struct backend_model *m)
{
	(void)m;
	return 1;
}

static const struct model_tensor_info *input(const struct backend_model *m, size_t i)
{
	(void)i;
	return &m->in;
}

static const struct model_tensor_info *output(const struct backend_model *m, size_t i)
{
	(void)i;
	return &m->out;
}

static int context_new(struct backend_context **ret, struct backend_model *m, uint64_t seed)
{
	(void)seed;
	*ret = malloc(sizeof(**ret));
	if (!*ret)
		return ERR_NOMEM;
	(*ret)->model = m;
	return 0;
}

static void context_free(struct backend_context *c)
{
	free(c);
}

static int run(struct backend_context *c, struct tensor *const *in, size_t nin, struct tensor **out, size_t nout,
	       const struct allocator *a, struct error *err)
{
	const struct tensor *x = in[0];
	int r;

	(void)nout;
	if (nin != 1 || x->dtype != c->model->in.dtype)
		return error_set(err, ERR_INVALID, "x is to be FLOAT");
	r = tensor_new(&out[0], DTYPE_FLOAT, x->dims, x->rank, false, a);
	for (size_t i = 0; r == 0 && i < x->count; i++)
		((float *)out[0]->data)[i] = 2 * ((const float *)x->data)[i];
	return r;
}

/* ---- scripts ---- */

struct backend_script {
	size_t len;
	char source[];
};

/* The line that defines the function, or NULL. */
static const char *find_function(const char *source, const char *name)
{
	size_t len = strlen(name);

	for (const char *line = source; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (strncmp(line, "def ", 4) == 0 && strncmp(line + 4, name, len) == 0 && line[4 + len] == '(')
			return line;
	}
	return NULL;
}

static int check_entry_point(const char *source, const char *name, struct error *err)
{
	const char *line = find_function(source, name);
	unsigned parameters = 1;

	if (!line)
		return error_set(err, ERR_NOT_FOUND, "Function %s does not exist in the given script.", name);
	for (; *line && *line != ')'; line++)
		parameters += *line == ',';
	if (parameters != 3)
		return error_set(err, ERR_INVALID, "Wrong number of inputs in function %s. Expected 3 but was %u", name,
				 parameters);
	return 0;
}

static int script_load(struct backend_script **ret, const char *source, size_t len, const char *const *entry_points,
		       size_t n, struct error *err)
{
	struct backend_script *s = malloc(sizeof(*s) + len + 1);
	int r = 0;

	if (!s)
		return error_set(err, ERR_NOMEM, "out of memory");
	s->len = len;
	memcpy(s->source, source, len);
	s->source[len] = '\0';
	for (size_t i = 0; i < n && r == 0; i++)
		r = check_entry_point(s->source, entry_points[i], err);
	if (r < 0)
		free(s);
	else
		*ret = s;
	return r;
}

static int sum(const struct script_call *c, struct error *err)
{
	const struct tensor *first = c->inputs[0];
	float *to;
	int r;

	for (size_t i = 0; i < c->ninputs; i++) {
		if (c->inputs[i]->dtype != DTYPE_FLOAT || c->inputs[i]->count != first->count)
			return error_set(err, ERR_INVALID, "what is summed is to be FLOAT and of one shape");
	}
	r = tensor_new(&c->outputs[0], DTYPE_FLOAT, first->dims, first->rank, true, c->allocator);
	if (r < 0)
		return r;
	to = c->outputs[0]->data;
	for (size_t i = 0; i < c->ninputs; i++) {
		for (size_t k = 0; k < first->count; k++)
			to[k] += ((const float *)c->inputs[i]->data)[k];
	}
	return 0;
}

static int list(const struct script_call *c)
{
	int r = tensor_new(&c->outputs[0], DTYPE_INT64, NULL, 0, false, c->allocator);

	if (r == 0)
		*(int64_t *)c->outputs[0]->data = (int64_t)(c->ninputs - c->list_at);
	return r;
}

static int words(const struct script_call *c)
{
	int64_t n = (int64_t)(c->nkeys + c->nargs);
	struct buf b = {0};
	int r;

	for (size_t i = 0; i < c->nkeys + c->nargs; i++) {
		const struct text *t = i < c->nkeys ? &c->keys[i] : &c->args[i - c->nkeys];

		buf_append(&b, t->data, t->len);
		buf_append(&b, "", 1);
	}
	r = b.failed ? ERR_NOMEM : tensor_new_strings(&c->outputs[0], &n, 1, b.data, b.len, c->allocator);
	buf_release(&b);
	return r;
}

static int script_run(struct backend_script *s, const struct script_call *c, struct error *err)
{
	const char *line = find_function(s->source, c->function), *op;
	size_t wanted = 1;

	if (!line)
		return error_set(err, ERR_NOT_FOUND, "Function does not exist: %s", c->function);
	op = strstr(line, ": ");
	op = op ? op + 2 : "";
	if (strncmp(op, "none", 4) == 0)
		wanted = 0;
	if (strncmp(op, "fail", 4) == 0)
		return error_set(err, ERR_INVALID, "the script failed");
	if (c->noutputs != wanted)
		return error_set(err, ERR_INVALID, "the function has %zu outputs, not %zu", wanted, c->noutputs);
	if (strncmp(op, "none", 4) == 0)
		return 0;
	if (strncmp(op, "words", 5) == 0)
		return words(c);
	if (c->ninputs == 0)
		return error_set(err, ERR_INVALID, "the function wants an input");
	if (strncmp(op, "sum", 3) == 0)
		return sum(c, err);
	if (strncmp(op, "list", 4) == 0)
		return list(c);
	c->outputs[0] = tensor_ref(c->inputs[0]);
	return 0;
}

static void script_free(struct backend_script *s)
{
	free(s);
}

__attribute__((visibility("default"))) extern const struct backend_ops aibench_backend;
const struct backend_ops aibench_backend = {
	.abi = BACKEND_ABI,
	.name = "TORCH",
	.version = "test 1",
	.model_load = model_load_,
	.model_free = model_free_,
	.model_memory = model_memory_,
	.model_ninputs = one,
	.model_noutputs = one,
	.model_input = input,
	.model_output = output,
	.context_new = context_new,
	.context_free = context_free,
	.run = run,
	.script_load = script_load,
	.script_run = script_run,
	.script_free = script_free,
};
