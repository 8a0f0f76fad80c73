/*
 * op_normalise.c - normalisation by channel: batch norm that is not fused into a convolution, and local response.
 */
#include <inttypes.h>
#include <math.h>

#include "engine/window.h"

/* y = x * scale + offset */
struct batch_norm {
	struct image image;
	float *scale, *offset; /* a channel */
};

static int run_batch_norm(const struct step *s, struct run *run)
{
	const struct batch_norm *b = s->state;
	const struct image *im = &b->image;
	const size_t channels = (size_t)im->c, plane = (size_t)(im->size[0] * im->size[1]);
	const float *x = s->in[0]->data;
	float *y = s->out[0]->data;

	(void)run;
	if (im->c_step != 1) {
		for (size_t i = 0; i < (size_t)im->n * channels; i++, x += plane, y += plane) {
			s->kernels->mul(plane, x, 1, &b->scale[i % channels], 0, y);
			s->kernels->add(plane, y, 1, &b->offset[i % channels], 0, y);
		}
		return 0;
	}
	for (size_t i = 0; i < (size_t)im->n * plane; i++, x += channels, y += channels) {
		s->kernels->mul(channels, x, 1, b->scale, 1, y);
		s->kernels->add(channels, y, 1, b->offset, 1, y);
	}
	return 0;
}

void batch_norm_factors(size_t n, float epsilon, const float *const in[4], float *scale, float *offset)
{
	for (size_t i = 0; i < n; i++) {
		const double factor = (double)in[0][i] / sqrt((double)in[3][i] + (double)epsilon);
		scale[i] = (float)factor;
		offset[i] = (float)((double)in[1][i] - (double)in[2][i] * factor);
	}
}

int plan_batch_norm(struct step *s, struct error *err)
{
	struct batch_norm *b = pool_alloc(s->pool, 1, sizeof(*b));
	char text[SHAPE_TEXT_MAX];

	if (b == NULL)
		return ERR_NOMEM;
	int r = image_of(&b->image, &s->in[0]->shape, s->node->attr.layout, err);
	if (r < 0)
		return r;
	for (uint32_t i = 1; i < 5; i++) {
		if (s->in[i]->shape.count != (size_t)b->image.c)
			return error_set(err, ERR_INVALID, "input %u of shape %s for %" PRId64 " channels", i,
					 shape_text(text, &s->in[i]->shape), b->image.c);
	}
	b->scale = pool_alloc(s->pool, (size_t)b->image.c, sizeof(float));
	b->offset = pool_alloc(s->pool, (size_t)b->image.c, sizeof(float));
	if (b->scale == NULL || b->offset == NULL)
		return ERR_NOMEM;
	const float *const in[] = {s->in[1]->data, s->in[2]->data, s->in[3]->data, s->in[4]->data};
	batch_norm_factors((size_t)b->image.c, s->node->attr.epsilon, in, b->scale, b->offset);
	s->out[0]->shape = s->in[0]->shape;
	s->state = b;
	s->run = run_batch_norm;
	return 0;
}

/* --- local response normalisation --- */

static void normalise_pixel(const struct attributes *attr, const struct image *im, const float *x, float *y)
{
	const int64_t before = (attr->lrn_size - 1) / 2, after = attr->lrn_size - 1 - before;

	for (int64_t c = 0; c < im->c; c++) {
		const int64_t last = after < im->c - 1 - c ? c + after : im->c - 1;
		double sum = 0.0;
		for (int64_t k = before < c ? c - before : 0; k <= last; k++)
			sum += (double)x[k * im->c_step] * (double)x[k * im->c_step];
		const double base = (double)attr->lrn_bias + (double)attr->alpha * sum;
		y[c * im->c_step] = (float)((double)x[c * im->c_step] / pow(base, (double)attr->beta));
	}
}

static int run_lrn(const struct step *s, struct run *run)
{
	const struct image *im = s->state;

	(void)run;
	for (int64_t n = 0; n < im->n; n++) {
		for (int64_t h = 0; h < im->size[0]; h++) {
			for (int64_t w = 0; w < im->size[1]; w++) {
				const int64_t at = n * im->n_step + h * im->step[0] + w * im->step[1];
				normalise_pixel(&s->node->attr, im, (const float *)s->in[0]->data + at,
						(float *)s->out[0]->data + at);
			}
		}
	}
	return 0;
}

int plan_lrn(struct step *s, struct error *err)
{
	struct image *im = pool_alloc(s->pool, 1, sizeof(*im));

	if (im == NULL)
		return ERR_NOMEM;
	int r = image_of(im, &s->in[0]->shape, s->node->attr.layout, err);
	if (r < 0)
		return r;
	if (s->node->attr.lrn_size < 1)
		return error_set(err, ERR_INVALID, "%" PRId64 " channels in a sum", s->node->attr.lrn_size);
	s->out[0]->shape = s->in[0]->shape;
	s->state = im;
	s->run = run_lrn;
	return 0;
}
