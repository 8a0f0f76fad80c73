/*
 * plan.c - from a graph and input shapes to a list of steps over one arena.
 *
 * Nodes are planned in order. Those whose inputs are known already (shapes and what is computed from them) are
 * evaluated at once and leave no step. Views share the memory of what they show: `root` leads from a value to the one
 * whose memory it is. A root is a constant, an input, an output tensor of the run, or has its place in the arena from
 * the step that makes it to the last one that reads it.
 */
#include <stdlib.h>
#include <string.h>

#include "common/arith.h"
#include "engine/arena.h"
#include "engine/plan_impl.h"

#define NO_STEP UINT32_MAX
#define NOT_BOUND UINT32_MAX

/* Only while the plan is made. */
struct layout {
	struct arena arena;
	uint32_t *bound;     /* output whose memory root v is */
	uint32_t *last_step; /* that reads root v */
	bool *placed;        /* root v is in the arena */
	size_t *offset;
};

static int init_operands(struct plan *p, const struct shape *inputs)
{
	const struct graph *g = p->graph;
	const size_t most = g->nvalues + plan_reorders_max(g);

	p->nvalues = g->nvalues;
	p->operands = pool_alloc(&p->pool, most, sizeof(*p->operands));
	p->root = pool_alloc(&p->pool, most, sizeof(*p->root));
	p->steps = pool_alloc(&p->pool, g->nnodes, sizeof(*p->steps));
	p->output_ids = pool_alloc(&p->pool, g->noutputs, sizeof(*p->output_ids));
	if (p->operands == NULL || p->root == NULL || p->steps == NULL || p->output_ids == NULL)
		return ERR_NOMEM;
	for (uint32_t i = 0; i < g->noutputs; i++)
		p->output_ids[i] = g->outputs[i];
	for (uint32_t i = 0; i < g->nvalues; i++) {
		const struct tensor *constant = g->values[i].constant;
		p->operands[i].dtype = g->values[i].dtype;
		p->root[i] = i;
		if (constant == NULL)
			continue;
		p->operands[i].known = true;
		p->operands[i].data = constant->data;
		int r = shape_set(&p->operands[i].shape, constant->dims, constant->rank);
		if (r < 0)
			return r;
	}
	for (uint32_t i = 0; i < g->ninputs; i++)
		p->operands[g->inputs[i]].shape = inputs[i];
	return 0;
}

static int plan_node(struct plan *p, const struct node *node, struct error *err)
{
	struct step *s = &p->steps[p->nsteps];

	*s = (struct step){
		.node = node,
		.kernels = p->cfg.kernels,
		.pool = &p->pool,
		.onednn = &p->onednn,
		.nin = node->nin,
		.nout = node->nout,
	};
	s->in = pool_alloc(&p->pool, (size_t)node->nin + node->nout, sizeof(struct operand *));
	s->ids = pool_alloc(&p->pool, (size_t)node->nin + node->nout, sizeof(*s->ids));
	if (s->in == NULL || s->ids == NULL)
		return ERR_NOMEM;
	s->out = s->in + node->nin;
	for (uint32_t i = 0; i < node->nin + node->nout; i++) {
		s->ids[i] = i < node->nin ? node->in[i] : node->out[i - node->nin];
		s->in[i] = &p->operands[s->ids[i]];
	}
	int r = step_plan(s, p->cfg.model, err);
	if (r < 0)
		return r;
	if (op_def(node->op)->flags & OP_VIEW) {
		p->root[node->out[0]] = p->root[node->in[0]];
		return 0;
	}
	if (s->run == NULL)
		return 0;
	if (step_can_fold(s)) {
		r = step_evaluate(s, err);
		return r < 0 ? node_error(err, r, p->cfg.model, node) : 0;
	}
	p->nsteps++;
	return 0;
}

/* Drops the steps whose results nobody reads: outputs backwards. */
static int drop_unneeded(struct plan *p)
{
	const struct graph *g = p->graph;
	uint32_t kept = p->nsteps;
	bool *needed = calloc(p->nvalues + 1, sizeof(*needed));

	if (needed == NULL)
		return ERR_NOMEM;
	for (uint32_t i = 0; i < g->noutputs; i++)
		needed[p->root[g->outputs[i]]] = true;
	for (uint32_t i = p->nsteps; i-- > 0;) {
		const struct step *s = &p->steps[i];
		bool wanted = false;
		for (uint32_t o = 0; o < s->nout; o++)
			wanted |= needed[p->root[s->ids[s->nin + o]]];
		if (!wanted)
			continue;
		for (uint32_t k = 0; k < s->nin; k++)
			needed[p->root[s->ids[k]]] = true;
		p->steps[--kept] = *s;
	}
	memmove(p->steps, p->steps + kept, (p->nsteps - kept) * sizeof(*p->steps));
	p->nsteps -= kept;
	free(needed);
	return 0;
}

/* Which values are an output's memory, and which outputs are copies. */
static int bind_outputs(struct plan *p, struct layout *l)
{
	const struct graph *g = p->graph;
	bool *fed = pool_alloc(&p->pool, p->nvalues, sizeof(*fed));

	p->copies = pool_alloc(&p->pool, g->noutputs, sizeof(*p->copies));
	if (fed == NULL || p->copies == NULL)
		return ERR_NOMEM;
	for (uint32_t i = 0; i < g->ninputs; i++)
		fed[g->inputs[i]] = true;
	for (uint32_t i = 0; i < g->noutputs; i++) {
		const struct operand *o = &p->operands[p->output_ids[i]];
		uint32_t root = p->root[p->output_ids[i]];
		if (o->known || fed[root] || l->bound[root] != NOT_BOUND)
			p->copies[p->ncopies++] = (struct copy){o, i};
		else
			l->bound[root] = i;
	}
	return 0;
}

static size_t operand_bytes(const struct operand *o)
{
	return o->layout != NULL ? layout_bytes(o->layout) : o->shape.count * dtype_size(o->dtype);
}

/* Whether input i is where the output may be: only this one reads it there. */
static bool may_take(const struct step *s, uint32_t i)
{
	return s->takes != 0 ? s->takes == i : !s->reorder && (op_def(s->node->op)->flags & OP_INPLACE) != 0;
}

/* A convolution still reads its other inputs while it writes. */
static bool is_read_twice(const struct plan *p, const struct step *s, uint32_t input)
{
	for (uint32_t i = 0; i < s->nin; i++) {
		if (i != input && p->root[s->ids[i]] == p->root[s->ids[input]])
			return true;
	}
	return false;
}

/* An input whose place ends with this step and fits the output exactly, or VALUE_NONE. */
static uint32_t reusable_input(const struct plan *p, const struct layout *l, const struct step *s, uint32_t step)
{
	for (uint32_t i = 0; i < s->nin; i++) {
		uint32_t root = p->root[s->ids[i]];
		if (may_take(s, i) && l->placed[root] && l->last_step[root] == step &&
		    operand_bytes(&p->operands[root]) == operand_bytes(s->out[0]) &&
		    (s->takes == 0 || !is_read_twice(p, s, i)))
			return root;
	}
	return VALUE_NONE;
}

static int place_step(struct plan *p, struct layout *l, uint32_t index)
{
	struct step *s = &p->steps[index];
	uint32_t reused = VALUE_NONE;
	size_t scratch_at = 0;
	int r;

	for (uint32_t i = 0; i < s->nout; i++) {
		uint32_t v = s->ids[s->nin + i];
		if (l->bound[v] != NOT_BOUND)
			continue;
		reused = reusable_input(p, l, s, index);
		if (reused != VALUE_NONE) {
			l->offset[v] = l->offset[reused];
			l->placed[reused] = false;
		} else {
			r = arena_place(&l->arena, operand_bytes(s->out[i]), p->cfg.memory_max, &l->offset[v]);
			if (r < 0)
				return r;
		}
		l->placed[v] = true;
		p->places[p->nplaces++] = (struct place){&p->operands[v], l->offset[v]};
	}
	if (s->scratch_size > 0) {
		r = arena_place(&l->arena, s->scratch_size, p->cfg.memory_max, &scratch_at);
		if (r == 0)
			r = arena_give_back(&l->arena, scratch_at, s->scratch_size);
		if (r < 0)
			return r;
		p->scratches[p->nscratches++] = (struct place){NULL, scratch_at};
	}
	/* Now free what nobody reads any more: inputs, and outputs that nobody reads at all. */
	for (uint32_t i = 0; i < s->nin + s->nout; i++) {
		uint32_t root = p->root[s->ids[i]];
		bool done = l->last_step[root] == index || l->last_step[root] == NO_STEP;
		if (!l->placed[root] || !done)
			continue;
		l->placed[root] = false;
		r = arena_give_back(&l->arena, l->offset[root], operand_bytes(&p->operands[root]));
		if (r < 0)
			return r;
	}
	return 0;
}

static int place_values(struct plan *p, struct layout *l)
{
	uint32_t nouts = 0;

	for (uint32_t i = 0; i < p->nvalues; i++)
		l->last_step[i] = NO_STEP;
	for (uint32_t i = 0; i < p->nsteps; i++) {
		for (uint32_t k = 0; k < p->steps[i].nin; k++)
			l->last_step[p->root[p->steps[i].ids[k]]] = i;
		nouts += p->steps[i].nout;
	}
	/* A place for every value, and for its views. */
	p->places = pool_alloc(&p->pool, (size_t)nouts + p->graph->nnodes, sizeof(*p->places));
	p->scratches = pool_alloc(&p->pool, p->nsteps, sizeof(*p->scratches));
	if (p->places == NULL || p->scratches == NULL)
		return ERR_NOMEM;
	for (uint32_t i = 0; i < p->nsteps; i++) {
		int r = place_step(p, l, i);
		if (r < 0)
			return r;
	}
	p->arena_size = l->arena.size;
	return 0;
}

/* Lists what a run and plan_bind have to set: values, views included, by where their memory comes from. */
static int list_bindings(struct plan *p, const struct layout *l)
{
	const struct graph *g = p->graph;
	uint32_t *input_of = pool_alloc(&p->pool, p->nvalues, sizeof(*input_of));

	p->inputs = pool_alloc(&p->pool, p->nvalues, sizeof(*p->inputs));
	p->outputs = pool_alloc(&p->pool, p->nvalues, sizeof(*p->outputs));
	if (input_of == NULL || p->inputs == NULL || p->outputs == NULL)
		return ERR_NOMEM;
	for (uint32_t i = 0; i < g->ninputs; i++)
		input_of[g->inputs[i]] = i + 1;
	for (uint32_t v = 0; v < p->nvalues; v++) {
		uint32_t root = p->root[v];
		if (input_of[root] != 0)
			p->inputs[p->ninputs++] = (struct binding){&p->operands[v], input_of[root] - 1};
		else if (l->bound[root] != NOT_BOUND)
			p->outputs[p->noutputs++] = (struct binding){&p->operands[v], l->bound[root]};
		else if (root != v && !p->operands[v].known)
			p->places[p->nplaces++] = (struct place){&p->operands[v], l->offset[root]};
	}
	return 0;
}

static int too_much(const struct plan *p, struct error *err)
{
	return error_set(err, ERR_RANGE, "model '%s': a run with these inputs takes more than %zu MiB", p->cfg.model,
			 p->cfg.memory_max >> 20);
}

static int layout_memory(struct plan *p, struct error *err)
{
	struct layout l = {0};
	const size_t n = p->nvalues;
	struct pool temporary = {0};
	int r = ERR_NOMEM;

	l.bound = pool_alloc(&temporary, n, sizeof(*l.bound));
	l.last_step = pool_alloc(&temporary, n, sizeof(*l.last_step));
	l.placed = pool_alloc(&temporary, n, sizeof(*l.placed));
	l.offset = pool_alloc(&temporary, n, sizeof(*l.offset));
	if (l.bound == NULL || l.last_step == NULL || l.placed == NULL || l.offset == NULL)
		goto out;
	for (size_t i = 0; i < n; i++)
		l.bound[i] = NOT_BOUND;
	r = bind_outputs(p, &l);
	if (r == 0)
		r = place_values(p, &l);
	if (r == 0)
		r = list_bindings(p, &l);
	if (r == ERR_RANGE)
		r = too_much(p, err);
out:
	arena_release(&l.arena);
	pool_release(&temporary);
	return r;
}

static int check_memory(const struct plan *p, struct error *err)
{
	const struct graph *g = p->graph;
	size_t total = p->arena_size;

	for (uint32_t i = 0; i < g->noutputs; i++) {
		const struct operand *o = &p->operands[g->outputs[i]];
		size_t bytes;
		if (!size_mul(&bytes, o->shape.count, dtype_size(o->dtype)) || !size_add(&total, total, bytes))
			total = SIZE_MAX;
	}
	return total > p->cfg.memory_max ? too_much(p, err) : 0;
}

static int lay_out(struct plan *p, struct error *err)
{
	int r = drop_unneeded(p);

	if (r == 0)
		r = plan_fuse(p);
	if (r == 0)
		r = plan_prepare(p, err);
	return r == 0 ? layout_memory(p, err) : r;
}

int plan_new(struct plan **ret, const struct plan_config *cfg, const struct shape *inputs, struct error *err)
{
	struct plan *p = cfg->graph->allocator->calloc(1, sizeof(*p));
	int r;

	if (p == NULL)
		return error_set(err, ERR_NOMEM, "model '%s': %s", cfg->model, error_message(ERR_NOMEM));
	p->cfg = *cfg;
	p->graph = cfg->graph;
	p->pool.allocator = cfg->graph->allocator;
	if (err != NULL)
		err->text[0] = '\0';
	r = init_operands(p, inputs);
	for (uint32_t i = 0; i < p->graph->nnodes && r == 0; i++)
		r = plan_node(p, &p->graph->nodes[i], err);
	if (r == 0 && !cfg->shapes_only)
		r = lay_out(p, err);
	if (r == 0)
		r = check_memory(p, err);
	if (r < 0) {
		if (err != NULL && err->text[0] == '\0')
			r = error_set(err, (enum error_code)r, "model '%s': %s", cfg->model, error_message(r));
		plan_free(p);
		return r;
	}
	*ret = p;
	return 0;
}

void plan_free(struct plan *p)
{
	if (p == NULL)
		return;
	for (uint32_t i = 0; i < p->nsteps; i++) {
		if (p->steps[i].release != NULL)
			p->steps[i].release(&p->steps[i]);
	}
	onednn_close(&p->onednn);
	pool_release(&p->pool);
	p->graph->allocator->free(p);
}

bool plan_matches(const struct plan *p, struct tensor *const *inputs)
{
	const struct graph *g = p->graph;

	for (uint32_t i = 0; i < g->ninputs; i++) {
		const struct shape *planned = &p->operands[g->inputs[i]].shape;
		if (planned->rank != inputs[i]->rank)
			return false;
		for (unsigned d = 0; d < planned->rank; d++) {
			if (planned->dims[d] != inputs[i]->dims[d])
				return false;
		}
	}
	return true;
}

const struct shape *plan_output(const struct plan *p, size_t i)
{
	return &p->operands[p->graph->outputs[i]].shape;
}

size_t plan_memory(const struct plan *p)
{
	return sizeof(*p) + p->pool.bytes;
}

size_t plan_arena_size(const struct plan *p)
{
	return p->arena_size;
}

void plan_bind(struct plan *p, void *arena)
{
	uint32_t scratch = 0;

	if (p->cfg.shapes_only)
		return;
	for (uint32_t i = 0; i < p->nplaces; i++)
		p->places[i].operand->data = (char *)arena + p->places[i].offset;
	for (uint32_t i = 0; i < p->nsteps; i++) {
		if (p->steps[i].scratch_size > 0)
			p->steps[i].scratch = (char *)arena + p->scratches[scratch++].offset;
	}
}

int plan_run(struct plan *p, struct tensor *const *inputs, struct tensor *const *outputs, struct run *run)
{
	for (uint32_t i = 0; i < p->ninputs; i++)
		p->inputs[i].operand->data = inputs[p->inputs[i].tensor]->data;
	for (uint32_t i = 0; i < p->noutputs; i++)
		p->outputs[i].operand->data = outputs[p->outputs[i].tensor]->data;
	for (uint32_t i = 0; i < p->nsteps; i++) {
		const struct step *s = &p->steps[i];
		int r = s->run(s, run);
		if (r < 0)
			return node_error(run->err, r, p->cfg.model, s->node);
	}
	for (uint32_t i = 0; i < p->ncopies; i++) {
		struct tensor *to = outputs[p->copies[i].output];
		memcpy(to->data, p->copies[i].from->data, to->size);
	}
	return 0;
}
