/*
 * step.c - planning one node, and evaluating it right away where its inputs are known.
 */
#include <stdio.h>
#include <string.h>

#include "common/arith.h"
#include "engine/plan.h"

/* A folded output may be larger than what it is made of, but not enormously. */
#define FOLD_GROWTH (1u << 20)

/* Puts model and node before the text that err holds (or before the code's own text). */
int node_error(struct error *err, int code, const char *model, const struct node *node)
{
	if (err == NULL)
		return code;
	struct error inner = *err;
	return error_set(err, (enum error_code)code, "model '%s': node '%s' (%s): %s", model, node->name,
			 op_name(node->op), inner.text[0] != '\0' ? inner.text : error_message(code));
}

static bool must_be_known(const struct op_def *def, uint32_t i, uint32_t nin)
{
	if ((def->known_in & KNOWN_LAST) != 0 && i == nin - 1)
		return true;
	return i < 31 && (def->known_in & KNOWN(i)) != 0;
}

static bool outputs_are_empty(const struct step *s)
{
	for (uint32_t i = 0; i < s->nout; i++) {
		if (s->out[i]->shape.count > 0)
			return false;
	}
	return s->nout > 0;
}

static int run_nothing(const struct step *s, struct run *run)
{
	(void)s;
	(void)run;
	return 0;
}

int step_plan(struct step *s, const char *model, struct error *err)
{
	const struct op_def *def = op_def(s->node->op);
	struct error inner = {{0}};
	int r = 0;

	for (uint32_t i = 0; i < s->nin && r == 0; i++) {
		if (must_be_known(def, i, s->nin) && !s->in[i]->known)
			r = error_set(&inner, ERR_UNSUPPORTED, "input %u depends on the values fed to the model", i);
	}
	if (r == 0)
		r = def->plan(s, &inner);
	if (r < 0) {
		if (err != NULL)
			*err = inner;
		return node_error(err, r, model, s->node);
	}
	if (def->flags & OP_VIEW) {
		s->out[0]->data = s->in[0]->data;
		s->out[0]->known = s->in[0]->known;
	}
	/* Nothing to compute: so no operator has to mind that what it reads or adds up in may not be there either. */
	if (s->run != NULL && outputs_are_empty(s)) {
		s->run = run_nothing;
		s->prepare = NULL;
		s->scratch_size = 0;
	}
	return 0;
}

bool step_can_fold(const struct step *s)
{
	size_t in = 0, out = 0;

	if (op_def(s->node->op)->flags & OP_RANDOM)
		return false;
	for (uint32_t i = 0; i < s->nin; i++) {
		if (!s->in[i]->known)
			return false;
		in += s->in[i]->shape.count;
	}
	for (uint32_t i = 0; i < s->nout; i++) {
		if (!size_add(&out, out, s->out[i]->shape.count))
			return false;
	}
	return out <= in || out <= FOLD_GROWTH;
}

int step_evaluate(struct step *s, struct error *err)
{
	struct run run = {.err = err};
	int r = s->prepare != NULL ? s->prepare(s, err) : 0;

	if (r < 0)
		goto out;
	r = ERR_NOMEM;
	for (uint32_t i = 0; i < s->nout; i++) {
		struct operand *o = s->out[i];
		o->data = pool_alloc(s->pool, o->shape.count, dtype_size(o->dtype));
		if (o->data == NULL)
			goto out;
	}
	s->scratch = pool_alloc(s->pool, s->scratch_size, 1);
	if (s->scratch == NULL)
		goto out;
	r = s->run(s, &run);
	for (uint32_t i = 0; i < s->nout && r == 0; i++)
		s->out[i]->known = true;
out:
	if (s->release != NULL)
		s->release(s);
	return r;
}
