/*
 * op_pool.c - the largest, or the mean, of each window of an image.
 *
 * Images come in either order of dimensions: rows of channels where those are dense, single values elsewhere.
 */
#include <inttypes.h>
#include <string.h>

#include "engine/onednn.h"

struct pooling {
	struct image x, y; /* as they are in memory */
	struct sweep sweep;
	bool maximum;
	bool include_padding;
};

/* One window: taps that lie on the image, and what the sum is divided by. */
struct taps {
	int64_t from[2], to[2];
	int64_t start[2]; /* of tap 0, on the image */
	float divisor;
};

/* How far the window reaches on the image and its padding, in taps. */
static int64_t taps_with_padding(const struct sweep *s, unsigned d, int64_t start)
{
	int64_t end = (s->padded_end[d] - start + s->dilation[d] - 1) / s->dilation[d];

	return end < s->kernel[d] ? end : s->kernel[d];
}

static struct taps find_taps(const struct pooling *p, int64_t row, int64_t column)
{
	const int64_t at[2] = {row, column};
	struct taps t;
	int64_t counts[2];

	for (unsigned d = 0; d < 2; d++) {
		sweep_taps(&p->sweep, p->x.size, d, at[d], &t.from[d], &t.to[d]);
		t.start[d] = at[d] * p->sweep.step[d] - p->sweep.before[d];
		counts[d] = p->include_padding ? taps_with_padding(&p->sweep, d, t.start[d]) : t.to[d] - t.from[d];
	}
	t.divisor = (float)counts[0] * (float)counts[1];
	return t;
}

static const float *tap(const struct pooling *p, const struct taps *t, const float *x, int64_t i, int64_t j)
{
	const int64_t h = t->start[0] + i * p->sweep.dilation[0], w = t->start[1] + j * p->sweep.dilation[1];

	return x + h * p->x.step[0] + w * p->x.step[1];
}

/* A window over all channels, dense. */
static void pool_row(const struct step *s, const struct pooling *p, const struct taps *t, const float *x, float *y)
{
	binary_kernel *gather = p->maximum ? s->kernels->maximum : s->kernels->add;
	const size_t n = (size_t)p->x.c;
	bool first = true;

	for (int64_t i = t->from[0]; i < t->to[0]; i++) {
		for (int64_t j = t->from[1]; j < t->to[1]; j++) {
			const float *from = tap(p, t, x, i, j);
			if (first)
				memcpy(y, from, n * sizeof(*y));
			else
				gather(n, y, 1, from, 1, y);
			first = false;
		}
	}
	if (first)
		memset(y, 0, n * sizeof(*y));
	else if (!p->maximum)
		s->kernels->div(n, y, 1, &t->divisor, 0, y);
}

static float pool_value(const struct pooling *p, const struct taps *t, const float *x)
{
	float result = 0.0f;
	bool first = true;

	for (int64_t i = t->from[0]; i < t->to[0]; i++) {
		for (int64_t j = t->from[1]; j < t->to[1]; j++) {
			const float v = *tap(p, t, x, i, j);
			if (first)
				result = v;
			else if (!p->maximum)
				result += v;
			else if (v > result || v != v)
				result = v;
			first = false;
		}
	}
	return first || p->maximum ? result : result / t->divisor;
}

static int run_pool(const struct step *s, struct run *run)
{
	const struct pooling *p = s->state;

	(void)run;
	for (int64_t row = 0; row < p->y.size[0]; row++) {
		for (int64_t column = 0; column < p->y.size[1]; column++) {
			const struct taps t = find_taps(p, row, column);
			for (int64_t n = 0; n < p->y.n; n++) {
				const float *x = (const float *)s->in[0]->data + n * p->x.n_step;
				float *y = (float *)s->out[0]->data + n * p->y.n_step + row * p->y.step[0] +
					   column * p->y.step[1];
				if (p->x.c_step == 1 && p->y.c_step == 1) {
					pool_row(s, p, &t, x, y);
					continue;
				}
				for (int64_t c = 0; c < p->y.c; c++)
					y[c * p->y.c_step] = pool_value(p, &t, x + c * p->x.c_step);
			}
		}
	}
	return 0;
}

/* Keeps the order in memory that the input has. */
static int prepare(struct step *s, struct error *err)
{
	const struct private_layout *l = s->in[0]->layout;
	const enum image_layout order = s->node->attr.layout;
	struct pooling *p = s->state;
	struct image y = p->y;
	dnnl_memory_desc_t md;

	(void)err;
	if (l == NULL || !l->swapped || l->order != order)
		return 0;
	s->in_layout = pool_alloc(s->pool, 1, sizeof(struct private_layout *));
	if (s->in_layout == NULL)
		return ERR_NOMEM;
	s->in_layout[0] = l;
	layout_image(l, &p->x);
	image_swap(&p->y, order);
	int r = onednn_image(&md, &p->y);
	return r == 0 ? layout_new(s, &md, &y, order, &s->out[0]->layout) : r;
}

int plan_pool(struct step *s, struct error *err)
{
	const struct attributes *attr = &s->node->attr;
	struct pooling *p = pool_alloc(s->pool, 1, sizeof(*p));

	if (p == NULL)
		return ERR_NOMEM;
	int r = image_of(&p->x, &s->in[0]->shape, attr->layout, err);
	if (r == 0)
		r = window_sweep(&p->sweep, &attr->window, attr->window.kernel, p->x.size, err);
	if (r == 0)
		r = image_shape(&s->out[0]->shape, p->x.n, p->x.c, p->sweep.out, attr->layout);
	if (r == 0)
		r = image_of(&p->y, &s->out[0]->shape, attr->layout, err);
	if (r < 0)
		return r;
	p->maximum = s->node->op == OP_MAX_POOL;
	p->include_padding = attr->window.count_include_pad;
	s->state = p;
	s->run = run_pool;
	s->prepare = prepare;
	return 0;
}
