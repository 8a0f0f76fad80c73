/*
 * plan_fuse.c - residual additions become part of the convolution before them.
 *
 * That both images have one shape is known only here, not when a model is loaded: an addition that broadcasts stays
 * one. Of two convolutions the later takes the addition, and takes its place: by then the other value is there.
 */
#include <string.h>

#include "engine/plan_impl.h"

struct fusion {
	struct plan *p;
	uint32_t *reads;   /* of a value or its views; a graph output counts */
	uint32_t *made_by; /* step; VALUE_NONE: none */
	uint32_t *read_by; /* the last step that reads the value itself */
	bool *removed;     /* step */
};

static void find_users(struct fusion *f)
{
	struct plan *p = f->p;

	for (uint32_t v = 0; v < p->nvalues; v++)
		f->made_by[v] = f->read_by[v] = VALUE_NONE;
	for (uint32_t i = 0; i < p->nsteps; i++) {
		const struct step *s = &p->steps[i];
		for (uint32_t k = 0; k < s->nin; k++) {
			f->reads[p->root[s->ids[k]]]++;
			f->read_by[s->ids[k]] = i;
		}
		for (uint32_t k = 0; k < s->nout; k++)
			f->made_by[s->ids[s->nin + k]] = i;
	}
	for (uint32_t i = 0; i < p->graph->noutputs; i++)
		f->reads[p->root[p->output_ids[i]]]++;
}

/* The step that alone reads value v; VALUE_NONE: several, or a view or output of the graph. */
static uint32_t only_reader(const struct fusion *f, uint32_t v)
{
	return f->reads[v] == 1 && f->p->root[v] == v ? f->read_by[v] : VALUE_NONE;
}

static bool takes_addend(const struct fusion *f, const struct step *add, uint32_t k)
{
	const uint32_t v = add->ids[k], made_by = f->made_by[v];

	if (made_by == VALUE_NONE || only_reader(f, v) == VALUE_NONE ||
	    !shape_equal(&add->in[0]->shape, &add->out[0]->shape) ||
	    !shape_equal(&add->in[1]->shape, &add->out[0]->shape))
		return false;
	const struct node *n = f->p->steps[made_by].node;
	return n->op == OP_CONV2D && n->filters != NULL && n->attr.activation == ACT_NONE && !n->attr.adds_input;
}

/* Which input of the addition is the convolution that takes it; 2: neither. */
static uint32_t find_convolution(const struct fusion *f, const struct step *add)
{
	const bool first = takes_addend(f, add, 0), second = takes_addend(f, add, 1);

	if (first && second)
		return f->made_by[add->ids[0]] < f->made_by[add->ids[1]];
	return first ? 0 : second ? 1 : 2;
}

/* The convolution of step `from` as step `to`, which adds value `addend` and makes `out`. */
static int move_convolution(struct fusion *f, uint32_t from, uint32_t to, uint32_t addend, uint32_t out,
			    enum activation activation)
{
	struct plan *p = f->p;
	struct step s = p->steps[from];
	struct node *n = pool_alloc(&p->pool, 1, sizeof(*n));
	const uint32_t *ids = s.ids;

	s.ids = pool_alloc(&p->pool, (size_t)s.nin + 2, sizeof(*s.ids));
	s.in = pool_alloc(&p->pool, (size_t)s.nin + 2, sizeof(struct operand *));
	if (n == NULL || s.ids == NULL || s.in == NULL)
		return ERR_NOMEM;
	memcpy(s.ids, ids, s.nin * sizeof(*ids));
	s.ids[s.nin++] = addend;
	s.ids[s.nin] = out;
	s.out = s.in + s.nin;
	for (uint32_t i = 0; i <= s.nin; i++)
		s.in[i] = &p->operands[s.ids[i]];
	*n = *s.node;
	n->attr.adds_input = true;
	n->attr.activation = activation;
	s.node = n;
	f->removed[from] = true;
	p->steps[to] = s;
	return step_plan(&p->steps[to], p->cfg.model, NULL);
}

static int fuse_addition(struct fusion *f, uint32_t index)
{
	const struct step *add = &f->p->steps[index];
	enum activation activation = ACT_NONE;
	uint32_t to = index, out = add->ids[2];

	const uint32_t k = find_convolution(f, add);
	if (k == 2)
		return 0;
	const uint32_t next = only_reader(f, out), addend = add->ids[1 - k];
	if (next != VALUE_NONE) {
		const struct step *s = &f->p->steps[next];
		/* Those that keep the zeros that pad blocked layouts. */
		if (s->node->op == OP_RELU || s->node->op == OP_RELU6) {
			activation = s->node->op == OP_RELU ? ACT_RELU : ACT_RELU6;
			out = s->ids[1];
			f->removed[index] = true;
			to = next;
		}
	}
	f->made_by[out] = to;
	return move_convolution(f, f->made_by[add->ids[k]], to, addend, out, activation);
}

static int fuse_steps(struct fusion *f)
{
	struct plan *p = f->p;
	uint32_t kept = 0;
	int r = 0;

	find_users(f);
	for (uint32_t i = 0; i < p->nsteps && r == 0; i++) {
		const struct step *s = &p->steps[i];
		if (s->node->op == OP_ADD && !f->removed[i] && s->in[0]->dtype == DTYPE_FLOAT)
			r = fuse_addition(f, i);
	}
	for (uint32_t i = 0; i < p->nsteps; i++) {
		if (!f->removed[i])
			p->steps[kept++] = p->steps[i];
	}
	p->nsteps = kept;
	return r;
}

int plan_fuse(struct plan *p)
{
	struct pool temporary = {0};
	struct fusion f = {
		.p = p,
		.reads = pool_alloc(&temporary, p->nvalues, sizeof(*f.reads)),
		.made_by = pool_alloc(&temporary, p->nvalues, sizeof(*f.made_by)),
		.read_by = pool_alloc(&temporary, p->nvalues, sizeof(*f.read_by)),
		.removed = pool_alloc(&temporary, p->nsteps, sizeof(*f.removed)),
	};
	int r = ERR_NOMEM;

	if (f.reads != NULL && f.made_by != NULL && f.read_by != NULL && f.removed != NULL)
		r = fuse_steps(&f);
	pool_release(&temporary);
	return r;
}
