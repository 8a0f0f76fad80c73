/*
 * passes_conv.c - what surrounds a convolution becomes part of it: zero padding before, and after it everything that
 * multiplies or adds one number a channel, folded into weights and bias, then the activation.
 */
#include <stdlib.h>
#include <string.h>

#include "engine/conv.h"
#include "engine/passes_impl.h"

/* y = x * scale + offset, one number a channel; NULL: 1, 0. */
struct affine {
	float *scale, *offset;
	size_t n;
};

static void affine_release(struct affine *a)
{
	free(a->scale);
	free(a->offset);
}

static const struct tensor *float_constant(const struct graph *g, uint32_t v)
{
	const struct tensor *t = g->values[v].constant;

	return t != NULL && t->dtype == DTYPE_FLOAT && t->data != NULL ? t : NULL;
}

/* A constant that broadcasts over images as one number a channel, or one number. */
static bool is_per_channel(const struct tensor *t, size_t channels, enum image_layout layout)
{
	const unsigned from_end = layout == LAYOUT_NCHW ? 3 : 1;

	if (t->rank > 4 || (t->count != channels && t->count != 1))
		return false;
	return t->count == 1 || (t->rank >= from_end && t->dims[t->rank - from_end] == (int64_t)channels);
}

static float *spread(const struct tensor *t, size_t channels)
{
	const float *v = t->data;
	float *ret = malloc(channels * sizeof(*ret));

	for (size_t i = 0; ret != NULL && i < channels; i++)
		ret[i] = v[t->count == 1 ? 0 : i];
	return ret;
}

static int batch_norm_affine(const struct graph *g, const struct node *n, struct affine *a)
{
	const float *in[4];

	for (uint32_t i = 0; i < 4; i++) {
		const struct tensor *t = float_constant(g, n->in[i + 1]);
		if (t == NULL || t->count != a->n)
			return ERR_UNSUPPORTED;
		in[i] = t->data;
	}
	a->scale = malloc(a->n * sizeof(*a->scale));
	a->offset = malloc(a->n * sizeof(*a->offset));
	if (a->scale == NULL || a->offset == NULL)
		return ERR_NOMEM;
	batch_norm_factors(a->n, n->attr.epsilon, in, a->scale, a->offset);
	return 0;
}

/* What `next` does to value v, if that is affine; ERR_UNSUPPORTED if not. */
static int find_affine(const struct graph *g, const struct node *next, uint32_t v, enum image_layout layout,
		       struct affine *a)
{
	if (next->op == OP_BATCH_NORM)
		return next->in[0] == v && next->attr.layout == layout ? batch_norm_affine(g, next, a)
								       : ERR_UNSUPPORTED;
	if (next->op != OP_BIAS_ADD && next->op != OP_ADD && next->op != OP_MUL)
		return ERR_UNSUPPORTED;
	const uint32_t other = next->in[0] == v ? next->in[1] : next->in[0];
	const struct tensor *t = other != v ? float_constant(g, other) : NULL;
	if (t == NULL)
		return ERR_UNSUPPORTED;
	if (next->op == OP_BIAS_ADD ? t->rank != 1 || t->count != a->n || next->attr.layout != layout
				    : !is_per_channel(t, a->n, layout))
		return ERR_UNSUPPORTED;
	float *values = spread(t, a->n);
	if (values == NULL)
		return ERR_NOMEM;
	if (next->op == OP_MUL)
		a->scale = values;
	else
		a->offset = values;
	return 0;
}

static int add_floats(struct graph *g, const int64_t *dims, unsigned rank, float **ret_data, uint32_t *ret,
		      struct error *err)
{
	struct tensor *t;
	int r = graph_check_constant(g, DTYPE_FLOAT, dims, rank, err);

	if (r == 0)
		r = tensor_new(&t, DTYPE_FLOAT, dims, rank, true, g->allocator);
	if (r != 0)
		return r;
	*ret_data = t->data;
	int64_t v = graph_add_constant(g, t);
	if (v < 0)
		return (int)v;
	*ret = (uint32_t)v;
	return 0;
}

static void scale_output(const struct filter *f, const float *from, float *to, int64_t group, int64_t output,
			 float factor)
{
	const int64_t start = group * f->group_step + output * f->output_step;

	for (int64_t h = 0; h < f->kernel[0]; h++) {
		for (int64_t w = 0; w < f->kernel[1]; w++) {
			for (int64_t i = 0; i < f->inputs; i++) {
				const int64_t at = start + h * f->step[0] + w * f->step[1] + i * f->input_step;
				to[at] = from[at] * factor;
			}
		}
	}
}

static int scale_weights(struct graph *g, struct node *n, const struct filter *f, const float *scale, struct error *err)
{
	const struct tensor *old = g->values[n->in[1]].constant;
	uint32_t v = 0;
	float *to;

	int r = add_floats(g, old->dims, old->rank, &to, &v, err);
	if (r != 0)
		return r;
	for (int64_t c = 0; c < f->groups * f->outputs; c++)
		scale_output(f, old->data, to, c / f->outputs, c % f->outputs, scale[c]);
	n->in[1] = v;
	return 0;
}

static int set_bias(struct graph *g, struct node *n, const struct affine *a, struct error *err)
{
	const struct tensor *old = n->nin > 2 ? float_constant(g, n->in[2]) : NULL;
	const int64_t dims[] = {(int64_t)a->n};
	uint32_t v = 0;
	float *to;

	int r = add_floats(g, dims, 1, &to, &v, err);
	if (r != 0)
		return r;
	for (size_t i = 0; i < a->n; i++) {
		to[i] = old != NULL ? ((const float *)old->data)[i] : 0.0f;
		to[i] = to[i] * (a->scale != NULL ? a->scale[i] : 1.0f) + (a->offset != NULL ? a->offset[i] : 0.0f);
	}
	if (n->nin > 2) {
		n->in[2] = v;
		return 0;
	}
	return node_add_input(n, v);
}

/* Folds `next` into the convolution: 1 if it did. */
static int fold_affine(struct graph *g, struct node *n, const struct filter *f, const struct node *next,
		       struct error *err)
{
	struct affine a = {.n = (size_t)(f->groups * f->outputs)};
	int r = 0;

	if (n->nin > 2 && (float_constant(g, n->in[2]) == NULL || g->values[n->in[2]].constant->count != a.n))
		return 0;
	r = find_affine(g, next, n->out[0], n->attr.layout, &a);
	if (r == 0 && a.scale != NULL)
		r = scale_weights(g, n, f, a.scale, err);
	if (r == 0 && (a.offset != NULL || n->nin > 2))
		r = set_bias(g, n, &a, err);
	affine_release(&a);
	return r == ERR_UNSUPPORTED ? 0 : r == 0 ? 1 : r;
}

/* Zeros around height and width only, from a constant; false otherwise. */
static bool zero_padding(const struct graph *g, const struct node *pad, enum image_layout layout, int64_t *ret)
{
	const struct tensor *pairs = g->values[pad->in[1]].constant;
	const unsigned h = layout == LAYOUT_NCHW ? 2 : 1;

	if (pairs == NULL || pairs->data == NULL || pairs->rank != 2 || pairs->dims[0] != 4 || pairs->dims[1] != 2)
		return false;
	if (pad->nin > 2) {
		const struct tensor *value = float_constant(g, pad->in[2]);
		if (value == NULL || value->count != 1 || *(const float *)value->data != 0.0f)
			return false;
	}
	for (unsigned i = 0; i < 8; i++) {
		int64_t v = pairs->dtype == DTYPE_INT64 ? ((const int64_t *)pairs->data)[i]
							: ((const int32_t *)pairs->data)[i];
		if (i / 2 == h || i / 2 == h + 1)
			ret[i / 2 - h + i % 2 * 2] = v;
		else if (v != 0)
			return false;
	}
	return true;
}

static void fold_padding(struct graph *g, const struct readers *readers, struct node *n, const struct filter *f)
{
	struct window *w = &n->attr.window;
	const uint32_t made_by = g->values[n->in[0]].node;
	int64_t pads[4], total[4];

	if (made_by == VALUE_NONE || readers->count[n->in[0]] != 1 ||
	    (w->padding != PADDING_EXPLICIT && w->padding != PADDING_VALID))
		return;
	struct node *pad = &g->nodes[made_by];
	if (pad->op != OP_PAD || pad->nout == 0 || !zero_padding(g, pad, n->attr.layout, pads))
		return;
	for (unsigned i = 0; i < 4; i++) {
		total[i] = w->padding == PADDING_EXPLICIT ? w->pads[i] : 0;
		/* Padding that whole windows lie in would only slow the convolution down. */
		if (pads[i] < 0 || total[i] < 0 || pads[i] >= f->kernel[i % 2] ||
		    pads[i] + total[i] >= f->kernel[i % 2])
			return;
		total[i] += pads[i];
	}
	w->padding = PADDING_EXPLICIT;
	memcpy(w->pads, total, sizeof(total));
	n->in[0] = pad->in[0];
	node_retire(pad);
}

int fuse_convolution(struct graph *g, const struct readers *readers, uint32_t index, struct error *err)
{
	struct node *n = &g->nodes[index];
	const struct tensor *weights = float_constant(g, n->in[1]);
	struct filter f;

	if (weights == NULL || n->attr.adds_input ||
	    filter_of(&f, weights->dims, weights->rank, n->attr.weights, n->attr.groups, NULL) < 0)
		return 0;
	fold_padding(g, readers, n, &f);
	for (;;) {
		const uint32_t v = n->out[0];
		if (v >= g->nvalues || readers->count[v] != 1 || readers->node[v] == VALUE_NONE ||
		    n->attr.activation != ACT_NONE)
			return 0;
		struct node *next = &g->nodes[readers->node[v]];
		if (node_take_activation(g, n, index, next))
			continue;
		int r = fold_affine(g, n, &f, next, err);
		if (r <= 0)
			return r;
		node_take_output(g, n, index, next);
	}
}
