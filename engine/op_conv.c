/*
 * op_conv.c - convolutions: geometry, and plain loops for the rare ones that oneDNN does not compute.
 */
#include <inttypes.h>
#include <string.h>

#include "engine/conv.h"
#include "engine/conv_weights.h"

int filter_of(struct filter *ret, const int64_t *d, unsigned rank, enum weights_layout layout, int64_t groups,
	      struct error *err)
{
	if (rank != 4)
		return error_set(err, ERR_INVALID, "weights of rank %u, not 4", rank);
	switch (layout) {
	case WEIGHTS_HWIO:
		*ret = (struct filter){groups, d[3], d[2], {d[0], d[1]}, 0, 1, d[3], {d[1] * d[2] * d[3], d[2] * d[3]}};
		break;
	case WEIGHTS_OIHW:
		*ret = (struct filter){groups, d[0], d[1], {d[2], d[3]}, 0, d[1] * d[2] * d[3], d[2] * d[3], {d[3], 1}};
		break;
	case WEIGHTS_OHWI:
		*ret = (struct filter){groups, d[0], d[3], {d[1], d[2]}, 0, d[1] * d[2] * d[3], 1, {d[2] * d[3], d[3]}};
		break;
	default:
		*ret = (struct filter){d[2], d[2] * d[3], 1, {d[0], d[1]}, 0, 1, 1, {d[1] * d[2] * d[3], d[2] * d[3]}};
		break;
	}
	if (ret->groups < 1 || ret->outputs < 1 || ret->inputs < 1 || ret->outputs % ret->groups != 0)
		return error_set(err, ERR_INVALID,
				 "weights for %" PRId64 " outputs of %" PRId64 " inputs each in %" PRId64 " groups",
				 ret->outputs, ret->inputs, ret->groups);
	ret->outputs /= ret->groups;
	ret->group_step = ret->outputs * ret->output_step;
	return 0;
}

int filter_md(dnnl_memory_desc_t *ret, const struct filter *f)
{
	const dnnl_dims_t dims = {f->groups, f->outputs, f->inputs, f->kernel[0], f->kernel[1]};
	const dnnl_dims_t strides = {f->group_step, f->output_step, f->input_step, f->step[0], f->step[1]};
	const int skip = f->groups == 1;

	return onednn_result(dnnl_memory_desc_init_by_strides(ret, 5 - skip, dims + skip, dnnl_f32, strides + skip));
}

int conv2d_pack(struct graph *g, struct node *node)
{
	struct tensor *t = g->values[node->in[1]].constant;
	dnnl_memory_desc_t md;
	struct filter f;

	if (t == NULL || t->data == NULL || t->count == 0 || node->filters != NULL)
		return 0;
	/* Weights that do not suit are told about when a plan is made. */
	if (filter_of(&f, t->dims, t->rank, node->attr.weights, node->attr.groups, NULL) < 0)
		return 0;
	int r = filter_md(&md, &f);
	return r == 0 ? conv_weights_new(&node->filters, t, &md, g->allocator) : r;
}

/* --- plain loops --- */

struct plain {
	const struct convolution *c;
	const float *x, *weights; /* of the group */
	const float *bias, *addend;
	float *y;
};

static double window_sum(const struct plain *p, const float *x, const float *weights, int64_t row, int64_t column)
{
	const struct convolution *c = p->c;
	const struct filter *f = &c->filter;
	int64_t from[2], to[2];
	double sum = 0.0;

	sweep_taps(&c->sweep, c->x.size, 0, row, &from[0], &to[0]);
	sweep_taps(&c->sweep, c->x.size, 1, column, &from[1], &to[1]);
	for (int64_t i = from[0]; i < to[0]; i++) {
		const int64_t h = row * c->sweep.step[0] - c->sweep.before[0] + i * c->sweep.dilation[0];
		for (int64_t j = from[1]; j < to[1]; j++) {
			const int64_t w = column * c->sweep.step[1] - c->sweep.before[1] + j * c->sweep.dilation[1];
			const float *at = x + h * c->x.step[0] + w * c->x.step[1];
			const float *k = weights + i * f->step[0] + j * f->step[1];
			for (int64_t q = 0; q < f->inputs; q++)
				sum += (double)at[q * c->x.c_step] * (double)k[q * f->input_step];
		}
	}
	return sum;
}

static void plain_channel(const struct plain *p, int64_t n, int64_t channel)
{
	const struct convolution *c = p->c;
	const struct filter *f = &c->filter;
	const int64_t group = channel / f->outputs;
	const float *x = p->x + n * c->x.n_step + group * f->inputs * c->x.c_step;
	const float *weights = p->weights + group * f->group_step + channel % f->outputs * f->output_step;
	const double bias = p->bias != NULL ? (double)p->bias[channel] : 0.0;

	for (int64_t row = 0; row < c->y.size[0]; row++) {
		for (int64_t column = 0; column < c->y.size[1]; column++) {
			const int64_t at =
				n * c->y.n_step + channel * c->y.c_step + row * c->y.step[0] + column * c->y.step[1];
			double sum = window_sum(p, x, weights, row, column) + bias;
			if (p->addend != NULL)
				sum += (double)p->addend[at];
			p->y[at] = (float)sum;
		}
	}
}

static int run_plain(const struct step *s, struct run *run)
{
	const struct convolution *c = s->state;
	const struct plain p = {
		.c = c,
		.x = s->in[0]->data,
		.weights = c->weights != NULL ? c->weights->data : s->in[1]->data,
		.bias = c->bias != 0 ? s->in[c->bias]->data : NULL,
		.addend = c->addend != 0 ? s->in[c->addend]->data : NULL,
		.y = s->out[0]->data,
	};

	(void)run;
	for (int64_t n = 0; n < c->y.n; n++) {
		for (int64_t channel = 0; channel < c->y.c; channel++)
			plain_channel(&p, n, channel);
	}
	c->activate(s->out[0]->shape.count, p.y, p.y, s->node->attr.alpha);
	return 0;
}

/* --- planning --- */

static int prepare(struct step *s, struct error *err)
{
	struct convolution *c = s->state;
	dnnl_memory_desc_t md;

	(void)err;
	if (s->node->filters == NULL || s->out[0]->shape.count == 0)
		return 0;
	int r = onednn_open(s->onednn);
	if (r == 0)
		r = conv_prepare_onednn(s, c);
	if (r != ERR_UNSUPPORTED) {
		if (r == 0)
			s->run = conv_run_onednn;
		return r;
	}
	/* The plain loops want the weights as the model has them. */
	r = filter_md(&md, &c->filter);
	return r == 0 ? conv_weights_get(s->node->filters, &md, s->onednn, &c->weights) : r;
}

static void release(struct step *s)
{
	struct convolution *c = s->state;

	conv_release_onednn(c);
	tensor_unref(c->weights);
	c->weights = NULL;
}

static int check_extras(const struct step *s, struct convolution *c, struct error *err)
{
	const bool adds = s->node->attr.adds_input;
	char a[SHAPE_TEXT_MAX], b[SHAPE_TEXT_MAX];

	c->addend = adds ? s->nin - 1 : 0;
	c->bias = s->nin - adds > 2 ? 2 : 0;
	if (s->nin - adds < 2 || s->nin - adds > 3)
		return error_set(err, ERR_INVALID, "%u inputs", s->nin);
	if (c->bias != 0 && s->in[c->bias]->shape.count != (size_t)c->y.c)
		return error_set(err, ERR_INVALID, "bias of shape %s for %" PRId64 " channels",
				 shape_text(a, &s->in[c->bias]->shape), c->y.c);
	if (c->addend != 0 && !shape_equal(&s->in[c->addend]->shape, &s->out[0]->shape))
		return error_set(err, ERR_INVALID, "shapes %s and %s cannot be added", shape_text(a, &s->out[0]->shape),
				 shape_text(b, &s->in[c->addend]->shape));
	return 0;
}

int plan_conv2d(struct step *s, struct error *err)
{
	const struct attributes *attr = &s->node->attr;
	const struct shape *weights = &s->in[1]->shape;
	struct convolution *c = pool_alloc(s->pool, 1, sizeof(*c));
	int64_t channels;

	if (c == NULL)
		return ERR_NOMEM;
	int r = image_of(&c->x, &s->in[0]->shape, attr->layout, err);
	if (r == 0)
		r = filter_of(&c->filter, weights->dims, weights->rank, attr->weights, attr->groups, err);
	if (r < 0)
		return r;
	if (__builtin_mul_overflow(c->filter.groups, c->filter.inputs, &channels) || channels != c->x.c)
		return error_set(err, ERR_INVALID,
				 "images of %" PRId64 " channels, weights for %" PRId64 " in %" PRId64 " groups",
				 c->x.c, c->filter.inputs, c->filter.groups);
	r = window_sweep(&c->sweep, &attr->window, c->filter.kernel, c->x.size, err);
	if (r == 0)
		r = image_shape(&s->out[0]->shape, c->x.n, c->filter.groups * c->filter.outputs, c->sweep.out,
				attr->layout);
	if (r == 0)
		r = image_of(&c->y, &s->out[0]->shape, attr->layout, err);
	if (r == 0)
		r = check_extras(s, c, err);
	if (r < 0)
		return r;
	c->activate = activation_kernel(s->kernels, attr->activation);
	s->state = c;
	s->run = run_plain;
	s->prepare = prepare;
	s->release = release;
	return 0;
}
