/*
 * onednn.c - oneDNN's engine and stream, and reorders.
 */
#include "engine/onednn.h"

int onednn_result(dnnl_status_t s)
{
	switch (s) {
	case dnnl_success:
		return 0;
	case dnnl_out_of_memory:
		return ERR_NOMEM;
	case dnnl_unimplemented:
		return ERR_UNSUPPORTED;
	default:
		return ERR_INVALID;
	}
}

int onednn_open(struct onednn *d)
{
	dnnl_status_t s = dnnl_success;

	if (d->engine == NULL)
		s = dnnl_engine_create(&d->engine, dnnl_cpu, 0);
	if (s == dnnl_success && d->stream == NULL)
		s = dnnl_stream_create(&d->stream, d->engine, dnnl_stream_default_flags);
	return onednn_result(s);
}

void onednn_close(struct onednn *d)
{
	if (d->stream != NULL)
		dnnl_stream_destroy(d->stream);
	if (d->engine != NULL)
		dnnl_engine_destroy(d->engine);
	*d = (struct onednn){0};
}

int onednn_image(dnnl_memory_desc_t *ret, const struct image *im)
{
	const dnnl_dims_t dims = {im->n, im->c, im->size[0], im->size[1]};
	const dnnl_dims_t strides = {im->n_step, im->c_step, im->step[0], im->step[1]};

	return onednn_result(dnnl_memory_desc_init_by_strides(ret, 4, dims, dnnl_f32, strides));
}

/* Whether both put every element in the same place; strides of dimensions of size 1 mean nothing. */
static bool same_places(const dnnl_memory_desc_t *a, const dnnl_memory_desc_t *b)
{
	if (dnnl_memory_desc_equal(a, b))
		return true;
	if (a->format_kind != dnnl_blocked || b->format_kind != dnnl_blocked || a->ndims != b->ndims ||
	    a->offset0 != b->offset0 || a->format_desc.blocking.inner_nblks != 0 ||
	    b->format_desc.blocking.inner_nblks != 0)
		return false;
	for (int i = 0; i < a->ndims; i++) {
		if (a->dims[i] != b->dims[i] || a->padded_dims[i] != a->dims[i] || b->padded_dims[i] != b->dims[i])
			return false;
		if (a->dims[i] > 1 && a->format_desc.blocking.strides[i] != b->format_desc.blocking.strides[i])
			return false;
	}
	return true;
}

bool layout_same(const struct private_layout *a, const struct private_layout *b)
{
	if (a == NULL || b == NULL)
		return a == b;
	return a->order == b->order && same_places(&a->md, &b->md);
}

size_t layout_bytes(const struct private_layout *l)
{
	return dnnl_memory_desc_get_size(&l->md);
}

void layout_image(const struct private_layout *l, struct image *im)
{
	if (l == NULL)
		return;
	const dnnl_dim_t *strides = l->md.format_desc.blocking.strides;
	im->n_step = strides[0];
	im->c_step = strides[1];
	im->step[0] = strides[2];
	im->step[1] = strides[3];
}

int layout_new(struct step *s, const dnnl_memory_desc_t *md, const struct image *plain, enum image_layout order,
	       const struct private_layout **ret)
{
	struct image other = *plain;
	dnnl_memory_desc_t same, swapped;
	int r = onednn_image(&same, plain);

	if (r == 0 && same_places(&same, md)) {
		*ret = NULL;
		return 0;
	}
	image_swap(&other, order);
	if (r == 0)
		r = onednn_image(&swapped, &other);
	if (r < 0)
		return r;
	struct private_layout *l = pool_alloc(s->pool, 1, sizeof(*l));
	if (l == NULL)
		return ERR_NOMEM;
	l->md = *md;
	l->order = order;
	l->swapped = same_places(&swapped, md);
	*ret = l;
	return 0;
}

int layout_follow(struct step *s, struct error *err)
{
	const struct private_layout *l = s->in[0]->layout;

	(void)err;
	if (l == NULL || !l->swapped)
		return 0;
	for (uint32_t i = 0; i < s->nin; i++) {
		if (!layout_same(l, s->in[i]->layout) || !shape_equal(&s->in[i]->shape, &s->out[0]->shape))
			return 0;
	}
	s->in_layout = pool_alloc(s->pool, s->nin, sizeof(struct private_layout *));
	if (s->in_layout == NULL)
		return ERR_NOMEM;
	for (uint32_t i = 0; i < s->nin; i++)
		s->in_layout[i] = l;
	s->out[0]->layout = l;
	return 0;
}

int onednn_reorder(struct onednn *d, const dnnl_memory_desc_t *from_md, void *from, const dnnl_memory_desc_t *to_md,
		   void *to)
{
	dnnl_primitive_desc_t desc = NULL;
	dnnl_primitive_t primitive = NULL;
	dnnl_exec_arg_t args[] = {{DNNL_ARG_FROM, NULL}, {DNNL_ARG_TO, NULL}};
	dnnl_status_t s = dnnl_reorder_primitive_desc_create(&desc, from_md, d->engine, to_md, d->engine, NULL);

	if (s == dnnl_success)
		s = dnnl_primitive_create(&primitive, desc);
	if (s == dnnl_success)
		s = dnnl_memory_create(&args[0].memory, from_md, d->engine, from);
	if (s == dnnl_success)
		s = dnnl_memory_create(&args[1].memory, to_md, d->engine, to);
	if (s == dnnl_success)
		s = dnnl_primitive_execute(primitive, d->stream, 2, args);
	if (s == dnnl_success)
		s = dnnl_stream_wait(d->stream);
	for (int i = 0; i < 2; i++) {
		if (args[i].memory != NULL)
			dnnl_memory_destroy(args[i].memory);
	}
	if (primitive != NULL)
		dnnl_primitive_destroy(primitive);
	if (desc != NULL)
		dnnl_primitive_desc_destroy(desc);
	return onednn_result(s);
}
