/*
 * op_conv_onednn.c - convolutions on oneDNN, in the layouts it likes best, with bias, addend and activation fused.
 */
#include <string.h>

#include "engine/conv.h"
#include "engine/conv_weights.h"

/* oneDNN counts in int here and there, and unrolls over the window. */
#define KERNEL_MAX 32
#define SIZE_MAX_ONEDNN ((int64_t)1 << 20)

static bool suits(const struct convolution *c)
{
	for (unsigned d = 0; d < 2; d++) {
		const struct sweep *w = &c->sweep;
		const int64_t reach = (w->kernel[d] - 1) * w->dilation[d] + 1;
		if (w->kernel[d] > KERNEL_MAX || w->before[d] >= reach || w->after[d] >= reach ||
		    reach > SIZE_MAX_ONEDNN || w->step[d] > SIZE_MAX_ONEDNN || c->x.size[d] > SIZE_MAX_ONEDNN)
			return false;
	}
	return c->x.n <= SIZE_MAX_ONEDNN && c->x.c <= SIZE_MAX_ONEDNN && c->y.c <= SIZE_MAX_ONEDNN;
}

static dnnl_status_t append_activation(dnnl_post_ops_t ops, const struct attributes *attr)
{
	switch (attr->activation) {
	case ACT_RELU:
		return dnnl_post_ops_append_eltwise(ops, 1.0f, dnnl_eltwise_relu, 0.0f, 0.0f);
	case ACT_RELU6:
		return dnnl_post_ops_append_eltwise(ops, 1.0f, dnnl_eltwise_clip, 0.0f, 6.0f);
	case ACT_LEAKY_RELU:
		return dnnl_post_ops_append_eltwise(ops, 1.0f, dnnl_eltwise_relu, attr->alpha, 0.0f);
	case ACT_ELU:
		return dnnl_post_ops_append_eltwise(ops, 1.0f, dnnl_eltwise_elu, attr->alpha, 0.0f);
	case ACT_SIGMOID:
		return dnnl_post_ops_append_eltwise(ops, 1.0f, dnnl_eltwise_logistic, 0.0f, 0.0f);
	case ACT_TANH:
		return dnnl_post_ops_append_eltwise(ops, 1.0f, dnnl_eltwise_tanh, 0.0f, 0.0f);
	default:
		return dnnl_success;
	}
}

/*
 * What follows the product: the addition of an image in the given layout, the activation. The image lies in the output
 * already (oneDNN 2.6 adds one from elsewhere, too, but on its reference implementation only).
 */
struct fused {
	const dnnl_memory_desc_t *addend; /* NULL: none */
	bool activate;
};

static dnnl_status_t make_attributes(dnnl_primitive_attr_t *ret, const struct attributes *attr, const struct fused *f)
{
	dnnl_post_ops_t ops = NULL;
	dnnl_status_t s = dnnl_primitive_attr_create(ret);

	if (s == dnnl_success)
		s = dnnl_primitive_attr_set_scratchpad_mode(*ret, dnnl_scratchpad_mode_user);
	if (s == dnnl_success)
		s = dnnl_post_ops_create(&ops);
	if (s == dnnl_success && f->addend != NULL)
		s = dnnl_post_ops_append_sum(ops, 1.0f);
	if (s == dnnl_success && f->activate)
		s = append_activation(ops, attr);
	if (s == dnnl_success)
		s = dnnl_primitive_attr_set_post_ops(*ret, ops);
	if (ops != NULL)
		dnnl_post_ops_destroy(ops);
	return s;
}

static void any_layout(dnnl_memory_desc_t *md, const struct image *im)
{
	const dnnl_dims_t dims = {im->n, im->c, im->size[0], im->size[1]};

	dnnl_memory_desc_init_by_tag(md, 4, dims, dnnl_f32, dnnl_format_tag_any);
}

/* dst: as the addend is laid out, or oneDNN's choice. */
static dnnl_status_t make_desc(dnnl_primitive_desc_t *ret, const struct step *s, const struct convolution *c,
			       const struct fused *fused)
{
	const struct filter *f = &c->filter;
	const struct sweep *w = &c->sweep;
	const int skip = f->groups == 1;
	const dnnl_dims_t filter_dims = {f->groups, f->outputs, f->inputs, f->kernel[0], f->kernel[1]};
	const dnnl_dims_t bias_dims = {c->y.c}, strides = {w->step[0], w->step[1]};
	const dnnl_dims_t dilates = {w->dilation[0] - 1, w->dilation[1] - 1};
	const dnnl_dims_t before = {w->before[0], w->before[1]}, after = {w->after[0], w->after[1]};
	dnnl_memory_desc_t src, dst, weights, bias;
	dnnl_primitive_attr_t attr = NULL;
	dnnl_convolution_desc_t desc;

	any_layout(&src, &c->x);
	any_layout(&dst, &c->y);
	if (fused->addend != NULL)
		dst = *fused->addend;
	dnnl_status_t r =
		dnnl_memory_desc_init_by_tag(&weights, 5 - skip, filter_dims + skip, dnnl_f32, dnnl_format_tag_any);
	if (r == dnnl_success)
		r = dnnl_memory_desc_init_by_tag(&bias, 1, bias_dims, dnnl_f32, dnnl_x);
	if (r == dnnl_success)
		r = dnnl_dilated_convolution_forward_desc_init(&desc, dnnl_forward_inference, dnnl_convolution_direct,
							       &src, &weights, c->bias != 0 ? &bias : NULL, &dst,
							       strides, dilates, before, after);
	if (r == dnnl_success)
		r = make_attributes(&attr, &s->node->attr, fused);
	if (r == dnnl_success)
		r = dnnl_primitive_desc_create(ret, &desc, attr, s->onednn->engine, NULL);
	if (attr != NULL)
		dnnl_primitive_attr_destroy(attr);
	return r;
}

/* The next argument; its data is set in each run, or now where it stays the same. */
static int add_argument(const struct step *s, struct convolution *c, int arg, const dnnl_memory_desc_t *md, int from,
			void *data)
{
	dnnl_memory_t memory;
	dnnl_status_t r = dnnl_memory_create(&memory, md, s->onednn->engine, data);

	if (r != dnnl_success)
		return onednn_result(r);
	c->from[c->nargs] = from;
	c->args[c->nargs++] = (dnnl_exec_arg_t){arg, memory};
	return 0;
}

static int add_arguments(struct step *s, struct convolution *c, const_dnnl_primitive_desc_t desc)
{
	const dnnl_memory_desc_t *weights = dnnl_primitive_desc_query_md(desc, dnnl_query_weights_md, 0);
	const dnnl_memory_desc_t *scratch = dnnl_primitive_desc_query_md(desc, dnnl_query_scratchpad_md, 0);
	int r = conv_weights_get(s->node->filters, weights, s->onednn, &c->weights);

	s->scratch_size = dnnl_memory_desc_get_size(scratch);
	if (r == 0)
		r = add_argument(s, c, DNNL_ARG_SRC, dnnl_primitive_desc_query_md(desc, dnnl_query_src_md, 0), 0,
				 DNNL_MEMORY_NONE);
	if (r == 0)
		r = add_argument(s, c, DNNL_ARG_WEIGHTS, weights, FROM_WEIGHTS, c->weights->data);
	if (r == 0 && c->bias != 0)
		r = add_argument(s, c, DNNL_ARG_BIAS, dnnl_primitive_desc_query_md(desc, dnnl_query_weights_md, 1),
				 (int)c->bias, DNNL_MEMORY_NONE);
	if (r == 0)
		r = add_argument(s, c, DNNL_ARG_DST, dnnl_primitive_desc_query_md(desc, dnnl_query_dst_md, 0),
				 FROM_OUTPUT, DNNL_MEMORY_NONE);
	if (r == 0 && s->scratch_size > 0)
		r = add_argument(s, c, DNNL_ARG_SCRATCHPAD, scratch, FROM_SCRATCH, DNNL_MEMORY_NONE);
	return r;
}

static int set_layouts(struct step *s, const struct convolution *c, const_dnnl_primitive_desc_t desc)
{
	const enum image_layout order = s->node->attr.layout;

	s->in_layout = pool_alloc(s->pool, s->nin, sizeof(struct private_layout *));
	if (s->in_layout == NULL)
		return ERR_NOMEM;
	int r = layout_new(s, dnnl_primitive_desc_query_md(desc, dnnl_query_src_md, 0), &c->x, order, &s->in_layout[0]);
	if (r == 0)
		r = layout_new(s, dnnl_primitive_desc_query_md(desc, dnnl_query_dst_md, 0), &c->y, order,
			       &s->out[0]->layout);
	if (c->addend != 0)
		s->in_layout[c->addend] = s->out[0]->layout;
	return r;
}

/* With an addend: in the layout that the convolution alone would choose, into which the addend is brought. */
static int choose(dnnl_primitive_desc_t *ret, struct step *s, struct convolution *c, dnnl_memory_desc_t *addend)
{
	const struct fused all = {c->addend != 0 ? addend : NULL, true}, none = {NULL, false};
	dnnl_primitive_desc_t alone = NULL;

	if (c->addend == 0)
		return onednn_result(make_desc(ret, s, c, &all));
	dnnl_status_t r = make_desc(&alone, s, c, &none);
	if (r != dnnl_success)
		return onednn_result(r);
	*addend = *dnnl_primitive_desc_query_md(alone, dnnl_query_dst_md, 0);
	c->image_size = dnnl_memory_desc_get_size(addend);
	if (make_desc(ret, s, c, &all) == dnnl_success) {
		dnnl_primitive_desc_destroy(alone);
		s->takes = c->addend;
		return 0;
	}
	c->add_after = true;
	*ret = alone;
	return 0;
}

int conv_prepare_onednn(struct step *s, struct convolution *c)
{
	dnnl_primitive_desc_t desc = NULL;
	dnnl_memory_desc_t addend;

	if (!suits(c))
		return ERR_UNSUPPORTED;
	int r = choose(&desc, s, c, &addend);
	if (r < 0)
		return r == ERR_INVALID ? ERR_UNSUPPORTED : r;
	r = onednn_result(dnnl_primitive_create(&c->primitive, desc));
	if (r == 0)
		r = add_arguments(s, c, desc);
	if (r == 0)
		r = set_layouts(s, c, desc);
	dnnl_primitive_desc_destroy(desc);
	return r;
}

int conv_run_onednn(const struct step *s, struct run *run)
{
	const struct convolution *c = s->state;
	float *y = s->out[0]->data;

	(void)run;
	for (int i = 0; i < c->nargs; i++) {
		const int from = c->from[i];
		if (from == FROM_WEIGHTS)
			continue;
		void *data = from == FROM_OUTPUT ? y : from == FROM_SCRATCH ? s->scratch : s->in[from]->data;
		dnnl_status_t r = dnnl_memory_set_data_handle(c->args[i].memory, data);
		if (r != dnnl_success)
			return onednn_result(r);
	}
	if (c->addend != 0 && !c->add_after && y != s->in[c->addend]->data)
		memcpy(y, s->in[c->addend]->data, c->image_size);
	dnnl_status_t r = dnnl_primitive_execute(c->primitive, s->onednn->stream, c->nargs, c->args);
	if (r == dnnl_success && c->add_after) {
		const size_t n = c->image_size / sizeof(float);
		s->kernels->add(n, y, 1, s->in[c->addend]->data, 1, y);
		c->activate(n, y, y, s->node->attr.alpha);
	}
	return onednn_result(r);
}

void conv_release_onednn(struct convolution *c)
{
	for (int i = 0; i < c->nargs; i++)
		dnnl_memory_destroy(c->args[i].memory);
	c->nargs = 0;
	if (c->primitive != NULL)
		dnnl_primitive_destroy(c->primitive);
	c->primitive = NULL;
}
