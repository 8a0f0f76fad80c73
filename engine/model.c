/*
 * model.c - loading a model, and the contexts that run it.
 */
#include "engine/model.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "common/rng.h"
#include "engine/arena.h"
#include "engine/backend.h"
#include "engine/import.h"
#include "engine/passes.h"
#include "engine/plan.h"
#include "engine/pool.h"

#define MEMORY_MAX ((size_t)4 << 30)
/* Batching makes many shapes of one model: more than this is not worth its memory. */
#define PLANS_MAX 32

struct model {
	char *name;
	struct graph graph;
	const struct kernels *kernels;
	size_t memory_max;
	struct model_tensor_info *inputs, *outputs;
	size_t ninputs, noutputs;
	bool splits;              /* batches may be run in parts: worth trying */
	atomic_size_t run_memory; /* bytes that its contexts have for running */
	/* Of a loaded library; NULL: the engine's own, with all of the above. */
	const struct backend_ops *backend;
	struct backend_model *foreign;
};

/* A plan for one set of shapes. */
struct planned {
	struct plan *plan;
	int64_t rows; /* the batch is run in parts of so many by other plans, this one knows the shapes; 0: as a whole */
};

struct model_context {
	struct model *model;
	const struct allocator *allocator;
	size_t memory; /* its share of model->run_memory */
	struct rng rng;
	struct planned plans[PLANS_MAX]; /* most recently used first */
	size_t nplans;
	struct tensor *parts; /* of inputs, then outputs: views */
	struct tensor **part_of;
	void *arena, *arena_block; /* shared by the plans: only one runs at a time */
	size_t arena_size;
	struct backend_context *foreign; /* in place of all that */
};

int import_alloc_io(struct import *im, size_t ninputs, size_t noutputs)
{
	im->inputs = calloc(ninputs + 1, sizeof(*im->inputs));
	im->outputs = calloc(noutputs + 1, sizeof(*im->outputs));
	if (im->inputs == NULL || im->outputs == NULL)
		return ERR_NOMEM;
	im->ninputs = ninputs;
	im->noutputs = noutputs;
	return 0;
}

int import_fail(struct import *im, enum model_fault fault, enum error_code code, const char *fmt, ...)
{
	struct error text;
	va_list args;

	va_start(args, fmt);
	error_vset(&text, code, fmt, args);
	va_end(args);
	im->fault = fault;
	return error_set(im->err, code, "model '%s': %s", im->model, text.text);
}

static bool has_convolution(const struct graph *g)
{
	for (uint32_t i = 0; i < g->nnodes; i++) {
		if (g->nodes[i].op == OP_CONV2D)
			return true;
	}
	return false;
}

/* What an importer filled in becomes the model's. */
static int finish_load(struct model *m, struct import *im, int r)
{
	m->inputs = im->inputs;
	m->outputs = im->outputs;
	m->ninputs = im->ninputs;
	m->noutputs = im->noutputs;
	if (r < 0)
		return r;
	r = graph_optimise(&m->graph, m->kernels, m->name, im->err);
	if (r < 0)
		im->fault = MODEL_FAULT_OTHER;
	m->splits = r == 0 && has_convolution(&m->graph);
	return r;
}

static struct model *model_new(const char *name, const struct allocator *a, size_t memory_max)
{
	struct model *m = calloc(1, sizeof(*m));

	if (m == NULL)
		return NULL;
	m->name = strdup(name != NULL ? name : "model");
	if (m->name == NULL) {
		free(m);
		return NULL;
	}
	m->memory_max = memory_max != 0 ? memory_max : MEMORY_MAX;
	m->kernels = kernels_best();
	graph_init(&m->graph, a, m->memory_max);
	return m;
}

static int load(struct model **ret, struct model *m, struct import *im, int r)
{
	r = finish_load(m, im, r);
	if (r == 0) {
		*ret = m;
		return 0;
	}
	if (im->fault == MODEL_FAULT_NONE)
		im->fault = MODEL_FAULT_OTHER;
	if (im->err->text[0] == '\0')
		error_set(im->err, (enum error_code)r, "model '%s': %s", m->name, error_message(r));
	model_free(m);
	return r;
}

static int load_foreign(struct model **ret, const struct model_load_config *cfg, const void *blob, size_t len,
			enum model_fault *ret_fault, size_t *ret_fault_index, struct error *err)
{
	enum model_fault fault = MODEL_FAULT_OTHER;
	size_t index = 0;
	struct model *m = calloc(1, sizeof(*m));
	int r = m != NULL ? 0 : ERR_NOMEM;

	if (r == 0) {
		m->backend = cfg->backend;
		graph_init(&m->graph, cfg->allocator, 0); /* for its allocator */
		r = cfg->backend->model_load(&m->foreign, cfg, blob, len, &fault, &index, err);
	}
	if (ret_fault != NULL)
		*ret_fault = r < 0 ? fault : MODEL_FAULT_NONE;
	if (ret_fault_index != NULL)
		*ret_fault_index = index;
	if (r < 0) {
		free(m);
		return r;
	}
	m->ninputs = m->backend->model_ninputs(m->foreign);
	m->noutputs = m->backend->model_noutputs(m->foreign);
	*ret = m;
	return 0;
}

int model_load(struct model **ret, const struct model_load_config *cfg, const void *blob, size_t len,
	       enum model_fault *ret_fault, size_t *ret_fault_index, struct error *err)
{
	if (cfg->backend != NULL)
		return load_foreign(ret, cfg, blob, len, ret_fault, ret_fault_index, err);

	struct error scratch;
	struct model *m = model_new(cfg->name, cfg->allocator, cfg->memory_max);
	int r;

	if (err == NULL)
		err = &scratch;
	err->text[0] = '\0';
	if (m == NULL)
		return error_set(err, ERR_NOMEM, "%s", error_message(ERR_NOMEM));
	struct import im = {.model = m->name, .io = cfg->io, .graph = &m->graph, .err = err};
	if (cfg->format == MODEL_TENSORFLOW)
		r = import_graphdef(&im, blob, len);
	else if (cfg->format == MODEL_ONNX)
		r = import_onnx(&im, blob, len);
	else
		r = import_tflite(&im, blob, len);
	r = load(ret, m, &im, r);
	if (ret_fault != NULL)
		*ret_fault = im.fault;
	if (ret_fault_index != NULL)
		*ret_fault_index = im.fault_index;
	return r;
}

int model_load_saved(struct model **ret, const char *folder, const char *signature, const char *name, struct error *err)
{
	struct error scratch;
	struct model *m = model_new(name != NULL ? name : folder, NULL, 0);

	if (err == NULL)
		err = &scratch;
	err->text[0] = '\0';
	if (m == NULL)
		return error_set(err, ERR_NOMEM, "%s", error_message(ERR_NOMEM));
	struct import im = {.model = m->name, .graph = &m->graph, .err = err};
	int r = import_savedmodel(&im, folder, signature != NULL ? signature : "serving_default");
	return load(ret, m, &im, r);
}

static void infos_free(struct model_tensor_info *infos, size_t n)
{
	for (size_t i = 0; i < n; i++)
		free((void *)infos[i].name);
	free(infos);
}

void model_free(struct model *m)
{
	if (m == NULL)
		return;
	if (m->backend != NULL) {
		m->backend->model_free(m->foreign);
		free(m);
		return;
	}
	infos_free(m->inputs, m->ninputs);
	infos_free(m->outputs, m->noutputs);
	graph_release(&m->graph);
	free(m->name);
	free(m);
}

size_t model_ninputs(const struct model *m)
{
	return m->ninputs;
}

size_t model_noutputs(const struct model *m)
{
	return m->noutputs;
}

const struct model_tensor_info *model_input(const struct model *m, size_t i)
{
	return m->backend != NULL ? m->backend->model_input(m->foreign, i) : &m->inputs[i];
}

const struct model_tensor_info *model_output(const struct model *m, size_t i)
{
	return m->backend != NULL ? m->backend->model_output(m->foreign, i) : &m->outputs[i];
}

size_t model_memory(const struct model *m)
{
	if (m->backend != NULL)
		return sizeof(*m) + m->backend->model_memory(m->foreign);

	const struct graph *g = &m->graph;
	size_t total = sizeof(*m) + atomic_load_explicit(&m->run_memory, memory_order_relaxed) +
		       g->values_cap * sizeof(*g->values) + g->nodes_cap * sizeof(*g->nodes) +
		       (m->ninputs + m->noutputs) * sizeof(*m->inputs);

	for (uint32_t i = 0; i < g->nvalues; i++) {
		const struct tensor *t = g->values[i].constant;
		if (t != NULL)
			total += t->data != NULL ? tensor_memory(t) : sizeof(*t);
	}
	for (uint32_t i = 0; i < g->nnodes; i++) {
		const struct node *n = &g->nodes[i];
		total += conv_weights_memory(n->filters) + (n->packed != NULL ? tensor_memory(n->packed) : 0);
	}
	return total;
}

/* For MEMORY USAGE: the context gave back so many bytes and took so many others. */
static void count_memory(struct model_context *c, size_t given, size_t taken)
{
	c->memory += taken - given;
	atomic_fetch_add_explicit(&c->model->run_memory, taken - given, memory_order_relaxed);
}

int model_context_new(struct model_context **ret, struct model *m, uint64_t seed)
{
	const struct allocator *a = m->graph.allocator;
	struct model_context *c = a->alloc(sizeof(*c));
	const size_t n = m->ninputs + m->noutputs;

	if (c == NULL)
		return ERR_NOMEM;
	*c = (struct model_context){.model = m, .allocator = a};
	if (m->backend != NULL) {
		int r = m->backend->context_new(&c->foreign, m->foreign, seed);
		if (r < 0)
			a->free(c);
		else
			*ret = c;
		return r;
	}
	c->parts = a->calloc(n + 1, sizeof(*c->parts));
	c->part_of = a->calloc(n + 1, sizeof(*c->part_of));
	if (c->parts == NULL || c->part_of == NULL) {
		model_context_free(c);
		return ERR_NOMEM;
	}
	for (size_t i = 0; i < n; i++)
		c->part_of[i] = &c->parts[i];
	rng_init(&c->rng, seed);
	count_memory(c, 0, sizeof(*c) + (n + 1) * (sizeof(*c->parts) + sizeof(*c->part_of)));
	*ret = c;
	return 0;
}

void model_context_free(struct model_context *c)
{
	if (c == NULL)
		return;
	if (c->foreign != NULL)
		c->model->backend->context_free(c->foreign);
	for (size_t i = 0; i < c->nplans; i++)
		plan_free(c->plans[i].plan);
	count_memory(c, c->memory, 0);
	c->allocator->free(c->parts);
	c->allocator->free(c->part_of);
	c->allocator->free(c->arena_block);
	c->allocator->free(c);
}

static size_t arena_memory(const struct model_context *c)
{
	return allocator_size(c->allocator, c->arena_block, c->arena_size);
}

/* Room for the largest plan; those that are there already move along. */
static int grow_arena(struct model_context *c, size_t size)
{
	if (size <= c->arena_size)
		return 0;
	void *block, *arena = aligned_new(c->allocator, size, &block);
	if (arena == NULL)
		return ERR_NOMEM;
	count_memory(c, arena_memory(c), 0);
	c->allocator->free(c->arena_block);
	c->arena = arena;
	c->arena_block = block;
	c->arena_size = size;
	count_memory(c, 0, arena_memory(c));
	for (size_t i = 0; i < c->nplans; i++)
		plan_bind(c->plans[i].plan, arena);
	return 0;
}

static void move_to_front(struct planned *plans, size_t i)
{
	const struct planned moved = plans[i];

	for (; i > 0; i--)
		plans[i] = plans[i - 1];
	plans[0] = moved;
}

/* A plan that runs the batch in parts; *ret_rows 0: it is no use, and there is none. */
static int plan_parts(struct plan **ret, const struct plan_config *cfg, const struct shape *shapes, int64_t *ret_rows,
		      struct error *err)
{
	struct plan_config shapes_only = *cfg;
	struct plan *p = NULL;

	shapes_only.shapes_only = true;
	int r = plan_new(&p, &shapes_only, shapes, err);
	if (r == 0)
		r = plan_rows_at_once(p, ret_rows);
	if (r < 0 || *ret_rows == 0) {
		plan_free(p);
		return r;
	}
	*ret = p;
	return 0;
}

static int add_plan(struct model_context *c, struct tensor *const *in, bool whole, struct error *err)
{
	const struct model *m = c->model;
	const struct plan_config cfg = {
		.graph = &m->graph, .kernels = m->kernels, .model = m->name, .memory_max = m->memory_max};
	struct shape *shapes = calloc(m->ninputs + 1, sizeof(*shapes));
	struct planned made = {NULL, 0};
	int r = shapes != NULL ? 0 : ERR_NOMEM;

	for (size_t i = 0; i < m->ninputs && r == 0; i++)
		r = shape_set(&shapes[i], in[i]->dims, in[i]->rank);
	if (r == 0 && m->splits && !whole)
		r = plan_parts(&made.plan, &cfg, shapes, &made.rows, err);
	if (r == 0 && made.rows == 0)
		r = plan_new(&made.plan, &cfg, shapes, err);
	if (r == 0)
		r = grow_arena(c, plan_arena_size(made.plan));
	free(shapes);
	if (r < 0) {
		plan_free(made.plan);
		return r;
	}
	plan_bind(made.plan, c->arena);
	if (c->nplans == PLANS_MAX) {
		struct plan *oldest = c->plans[--c->nplans].plan;
		count_memory(c, plan_memory(oldest), 0);
		plan_free(oldest);
	}
	count_memory(c, 0, plan_memory(made.plan));
	c->plans[c->nplans] = made;
	move_to_front(c->plans, c->nplans++);
	return 0;
}

/* Leaves the plan for these inputs in front; whole: one that does not run them in parts. */
static int find_plan(struct model_context *c, struct tensor *const *in, bool whole, struct error *err)
{
	for (size_t i = 0; i < c->nplans; i++) {
		if ((whole && c->plans[i].rows != 0) || !plan_matches(c->plans[i].plan, in))
			continue;
		move_to_front(c->plans, i);
		return 0;
	}
	return add_plan(c, in, whole, err);
}

/* Rows [at, at + n) of t. */
static int view_rows(struct tensor *view, const struct tensor *t, int64_t at, int64_t n)
{
	const size_t row = t->size / (size_t)t->dims[0];
	int64_t dims[TENSOR_MAX_RANK];

	memcpy(dims, t->dims, t->rank * sizeof(*dims));
	dims[0] = n;
	return tensor_view(view, t->dtype, dims, t->rank, (char *)t->data + (size_t)at * row, (size_t)n * row);
}

static int run_parts(struct model_context *c, int64_t rows, struct tensor *const *in, struct tensor *const *out,
		     struct run *run)
{
	const size_t nin = c->model->ninputs, nout = c->model->noutputs;
	const int64_t all = in[0]->dims[0];
	int r = 0;

	for (int64_t at = 0; at < all && r == 0; at += rows) {
		const int64_t n = all - at < rows ? all - at : rows;
		for (size_t i = 0; i < nin + nout && r == 0; i++)
			r = view_rows(&c->parts[i], i < nin ? in[i] : out[i - nin], at, n);
		if (r == 0)
			r = find_plan(c, c->part_of, true, run->err);
		if (r == 0)
			r = plan_run(c->plans[0].plan, c->part_of, c->part_of + nin, run);
	}
	return r;
}

/*
 * Another rank than declared is left to the operators: TensorFlow takes it, and graphs that declare one row of what
 * they are fed by the batch do work (AIBench's fraud net does).
 */
static bool suits_declaration(const struct model_tensor_info *info, const struct tensor *t)
{
	if (info->rank != (int)t->rank)
		return true;
	for (unsigned i = 0; i < t->rank; i++) {
		if (info->dims[i] >= 0 && info->dims[i] != t->dims[i])
			return false;
	}
	return true;
}

static int wrong_shape(const struct model *m, size_t input, const struct tensor *t, struct error *err)
{
	const struct model_tensor_info *info = &m->inputs[input];
	struct shape declared = {.rank = (unsigned)info->rank}, got = {.rank = t->rank};
	char a[SHAPE_TEXT_MAX], b[SHAPE_TEXT_MAX];

	memcpy(declared.dims, info->dims, declared.rank * sizeof(*info->dims));
	memcpy(got.dims, t->dims, got.rank * sizeof(*t->dims));
	return error_set(err, ERR_INVALID, "model '%s': input '%s' is of shape %s, not %s (-1: any)", m->name,
			 info->name, shape_text(a, &declared), shape_text(b, &got));
}

static int check_inputs(const struct model *m, struct tensor *const *in, size_t nin, size_t nout, struct error *err)
{
	if (nin != m->ninputs || nout != m->noutputs)
		return error_set(err, ERR_INVALID, "model '%s' takes %zu inputs and gives %zu outputs, not %zu and %zu",
				 m->name, m->ninputs, m->noutputs, nin, nout);
	for (size_t i = 0; i < nin; i++) {
		if (in[i]->dtype != m->inputs[i].dtype)
			return error_set(err, ERR_INVALID, "model '%s': input '%s' is of type %s, not %s", m->name,
					 m->inputs[i].name, dtype_name(m->inputs[i].dtype), dtype_name(in[i]->dtype));
		if (!suits_declaration(&m->inputs[i], in[i]))
			return wrong_shape(m, i, in[i], err);
	}
	return 0;
}

int model_run(struct model_context *c, struct tensor *const *in, size_t nin, struct tensor **out, size_t nout,
	      const struct allocator *a, struct error *err)
{
	const struct model *m = c->model;
	struct error scratch;
	struct run run = {.rng = &c->rng, .err = err != NULL ? err : &scratch};

	run.err->text[0] = '\0';
	for (size_t i = 0; i < nout; i++)
		out[i] = NULL;
	if (m->backend != NULL)
		return m->backend->run(c->foreign, in, nin, out, nout, a, run.err);
	int r = check_inputs(m, in, nin, nout, run.err);
	if (r == 0)
		r = find_plan(c, in, false, run.err);
	for (size_t i = 0; i < nout && r == 0; i++) {
		const struct shape *s = plan_output(c->plans[0].plan, i);
		r = tensor_new(&out[i], m->outputs[i].dtype, s->dims, s->rank, false, a);
	}
	if (r == 0)
		r = c->plans[0].rows == 0 ? plan_run(c->plans[0].plan, in, out, &run)
					  : run_parts(c, c->plans[0].rows, in, out, &run);
	if (r == 0)
		return 0;
	if (run.err->text[0] == '\0')
		error_set(run.err, (enum error_code)r, "model '%s': %s", m->name, error_message(r));
	for (size_t i = 0; i < nout; i++) {
		tensor_unref(out[i]);
		out[i] = NULL;
	}
	return r;
}
