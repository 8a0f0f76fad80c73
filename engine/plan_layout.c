/*
 * plan_layout.c - the pass that lets each step have its inputs in the layout it likes, at the price of few reorders.
 *
 * A value keeps the layout of the step that made it. A row-major copy is made once, on the first demand, and serves
 * all that want it: views, outputs, and operators that know no other layout.
 */
#include "engine/plan_impl.h"
#include <assert.h>

struct reorder {
	dnnl_primitive_t primitive;
	dnnl_exec_arg_t args[2];
};

struct pass {
	struct plan *p;
	uint32_t *row_major; /* the copy of value v, VALUE_NONE: not made yet */
};

size_t plan_reorders_max(const struct graph *g)
{
	size_t n = g->noutputs;

	/* Through the row-major copy into another private layout: two an input. */
	for (uint32_t i = 0; i < g->nnodes; i++)
		n += 2 * (size_t)g->nodes[i].nin;
	return n;
}

static int run_reorder(const struct step *s, struct run *run)
{
	struct reorder *re = s->state;

	(void)run;
	dnnl_status_t r = dnnl_memory_set_data_handle(re->args[0].memory, s->in[0]->data);
	if (r == dnnl_success)
		r = dnnl_memory_set_data_handle(re->args[1].memory, s->out[0]->data);
	if (r == dnnl_success)
		r = dnnl_primitive_execute(re->primitive, s->onednn->stream, 2, re->args);
	return onednn_result(r);
}

static void release_reorder(struct step *s)
{
	struct reorder *re = s->state;

	for (int i = 0; i < 2; i++) {
		if (re->args[i].memory != NULL)
			dnnl_memory_destroy(re->args[i].memory);
		re->args[i].memory = NULL;
	}
	if (re->primitive != NULL)
		dnnl_primitive_destroy(re->primitive);
	re->primitive = NULL;
}

static int describe(dnnl_memory_desc_t *ret, const struct operand *o, enum image_layout order)
{
	struct image im;

	if (o->layout != NULL) {
		*ret = o->layout->md;
		return 0;
	}
	int r = image_of(&im, &o->shape, order, NULL);
	return r == 0 ? onednn_image(ret, &im) : r;
}

static int make_reorder(struct step *s, struct reorder *re)
{
	const struct private_layout *l = s->in[0]->layout != NULL ? s->in[0]->layout : s->out[0]->layout;
	dnnl_primitive_desc_t desc = NULL;
	dnnl_memory_desc_t from, to;

	assert(l != NULL); /* or there would be nothing to reorder */
	re->args[0].arg = DNNL_ARG_FROM;
	re->args[1].arg = DNNL_ARG_TO;
	int r = onednn_open(s->onednn);
	if (r == 0)
		r = describe(&from, s->in[0], l->order);
	if (r == 0)
		r = describe(&to, s->out[0], l->order);
	if (r < 0)
		return r;
	dnnl_engine_t engine = s->onednn->engine;
	dnnl_status_t status = dnnl_reorder_primitive_desc_create(&desc, &from, engine, &to, engine, NULL);
	if (status == dnnl_success)
		status = dnnl_primitive_create(&re->primitive, desc);
	if (status == dnnl_success)
		status = dnnl_memory_create(&re->args[0].memory, &from, engine, DNNL_MEMORY_NONE);
	if (status == dnnl_success)
		status = dnnl_memory_create(&re->args[1].memory, &to, engine, DNNL_MEMORY_NONE);
	if (desc != NULL)
		dnnl_primitive_desc_destroy(desc);
	return onednn_result(status);
}

/* A step that copies value v into a new one of the given layout, for the sake of `node`. */
static int add_reorder(struct plan *p, uint32_t v, const struct private_layout *layout, const struct node *node,
		       uint32_t *ret)
{
	struct step *s = &p->steps[p->nsteps];
	const uint32_t made = p->nvalues++;

	*s = (struct step){.node = node, .pool = &p->pool, .onednn = &p->onednn, .nin = 1, .nout = 1, .reorder = true};
	s->in = pool_alloc(&p->pool, 2, sizeof(struct operand *));
	s->ids = pool_alloc(&p->pool, 2, sizeof(*s->ids));
	struct reorder *re = pool_alloc(&p->pool, 1, sizeof(*re));
	if (s->in == NULL || s->ids == NULL || re == NULL)
		return ERR_NOMEM;
	p->operands[made] =
		(struct operand){.dtype = p->operands[v].dtype, .shape = p->operands[v].shape, .layout = layout};
	p->root[made] = made;
	s->out = s->in + 1;
	s->ids[0] = v;
	s->ids[1] = made;
	s->in[0] = &p->operands[v];
	s->out[0] = &p->operands[made];
	s->run = run_reorder;
	s->release = release_reorder;
	s->state = re;
	p->nsteps++;
	*ret = made;
	return make_reorder(s, re);
}

/* The value, or a view, as row-major: *v may become its copy. */
static int make_row_major(struct pass *pass, uint32_t *v, const struct node *node)
{
	struct plan *p = pass->p;
	const uint32_t root = p->root[*v];

	if (p->operands[root].layout == NULL)
		return 0;
	if (pass->row_major[root] == VALUE_NONE) {
		int r = add_reorder(p, root, NULL, node, &pass->row_major[root]);
		if (r < 0)
			return r;
	}
	if (*v == root)
		*v = pass->row_major[root];
	else
		p->root[*v] = pass->row_major[root];
	return 0;
}

/* Gives input i of a step the layout that the step wants. */
static int settle_input(struct pass *pass, struct step *s, uint32_t i)
{
	const struct private_layout *want = s->in_layout != NULL ? s->in_layout[i] : NULL;
	struct plan *p = pass->p;
	uint32_t v = s->ids[i];
	const struct private_layout *have = p->operands[v].layout;
	int r = 0;

	if (p->root[v] == v && layout_same(want, have))
		return 0;
	if (p->root[v] != v || want == NULL || (have != NULL && have->order != want->order))
		r = make_row_major(pass, &v, s->node);
	if (r == 0 && want != NULL)
		r = add_reorder(p, v, want, s->node, &v);
	s->ids[i] = v;
	s->in[i] = &p->operands[v];
	return r;
}

static int settle_step(struct pass *pass, struct step *s, struct error *err)
{
	struct error inner = {{0}};
	int r = s->prepare != NULL ? s->prepare(s, &inner) : 0;

	for (uint32_t i = 0; i < s->nin && r == 0; i++)
		r = settle_input(pass, s, i);
	if (r < 0) {
		if (s->release != NULL)
			s->release(s);
		if (err != NULL)
			*err = inner;
		return node_error(err, r, pass->p->cfg.model, s->node);
	}
	pass->p->steps[pass->p->nsteps++] = *s;
	return 0;
}

int plan_prepare(struct plan *p, struct error *err)
{
	const size_t most = plan_reorders_max(p->graph);
	struct pass pass = {.p = p};
	struct step *steps = p->steps;
	const uint32_t nsteps = p->nsteps;
	int r = 0;

	p->nsteps = 0;
	p->steps = pool_alloc(&p->pool, nsteps + most, sizeof(*p->steps));
	pass.row_major = pool_alloc(&p->pool, p->graph->nvalues + most, sizeof(*pass.row_major));
	if (p->steps == NULL || pass.row_major == NULL)
		return ERR_NOMEM;
	for (size_t i = 0; i < p->graph->nvalues + most; i++)
		pass.row_major[i] = VALUE_NONE;
	for (uint32_t i = 0; i < nsteps && r == 0; i++)
		r = settle_step(&pass, &steps[i], err);
	for (uint32_t i = 0; i < p->graph->noutputs && r == 0; i++) {
		const uint32_t root = p->root[p->output_ids[i]];
		/* What is in a private layout was made by a node. */
		if (p->operands[root].layout != NULL)
			r = make_row_major(&pass, &p->output_ids[i], &p->graph->nodes[p->graph->values[root].node]);
	}
	return r;
}
