/*
 * op_quant_pool.c - pools and means of 8-bit tensors, rounded as TFLite does.
 */
#include <string.h>

#include "engine/op_quant.h"
#include "engine/window.h"

struct pool2d {
	struct sweep sweep;
	size_t images, channels;
	int64_t size[2];
};

/* A quotient of a sum of bytes, half away from zero. */
static int32_t rounded_quotient(int32_t sum, int32_t n)
{
	return (sum > 0 ? sum + n / 2 : sum - n / 2) / n;
}

/* sum: one a channel. Adds the bytes, or keeps the largest. */
static void take(size_t n, const uint8_t *x, bool is_signed, bool max, int32_t *sum)
{
	for (size_t c = 0; c < n; c++) {
		int32_t v = is_signed ? (int8_t)x[c] : x[c];
		sum[c] = !max ? sum[c] + v : v > sum[c] ? v : sum[c];
	}
}

static void pool_pixel(const struct step *s, const uint8_t *image, int64_t row, int64_t column, uint8_t *out)
{
	const struct quant_range *range = &s->node->attr.quant.range;
	const struct pool2d *p = s->state;
	const struct sweep *w = &p->sweep;
	const bool max = s->node->op == OP_QUANT_MAX_POOL, is_signed = s->in[0]->dtype == DTYPE_INT8;
	int64_t top, bottom, left, right;
	int32_t *sum = s->scratch;

	sweep_taps(w, p->size, 0, row, &top, &bottom);
	sweep_taps(w, p->size, 1, column, &left, &right);
	for (size_t c = 0; c < p->channels; c++)
		sum[c] = max ? INT32_MIN : 0;
	for (int64_t y = top; y < bottom; y++) {
		for (int64_t x = left; x < right; x++) {
			int64_t at_y = row * w->step[0] - w->before[0] + y,
				at_x = column * w->step[1] - w->before[1] + x;
			take(p->channels, image + (size_t)(at_y * p->size[1] + at_x) * p->channels, is_signed, max,
			     sum);
		}
	}
	int32_t count = (int32_t)((bottom - top) * (right - left));
	for (size_t c = 0; c < p->channels; c++) {
		int32_t v = max ? sum[c] : rounded_quotient(sum[c], count > 0 ? count : 1);
		v = v > range->low ? v : range->low;
		out[c] = (uint8_t)(v < range->high ? v : range->high);
	}
}

static int run_pool(const struct step *s, struct run *run)
{
	const struct pool2d *p = s->state;
	const uint8_t *image = s->in[0]->data;
	uint8_t *out = s->out[0]->data;

	(void)run;
	for (size_t n = 0; n < p->images; n++) {
		for (int64_t y = 0; y < p->sweep.out[0]; y++) {
			for (int64_t x = 0; x < p->sweep.out[1]; x++, out += p->channels)
				pool_pixel(s, image, y, x, out);
		}
		image += (size_t)(p->size[0] * p->size[1]) * p->channels;
	}
	return 0;
}

int plan_quant_pool(struct step *s, struct error *err)
{
	const struct attributes *attr = &s->node->attr;
	struct pool2d *p = pool_alloc(s->pool, 1, sizeof(*p));
	struct image image;
	int r;

	if (p == NULL)
		return ERR_NOMEM;
	r = image_of(&image, &s->in[0]->shape, LAYOUT_NHWC, err);
	if (r == 0)
		r = window_sweep(&p->sweep, &attr->window, attr->window.kernel, image.size, err);
	if (r < 0)
		return r;
	/* Sums of bytes stay inside 32 bits. */
	if (attr->window.kernel[0] > 2048 || attr->window.kernel[1] > 2048)
		return error_set(err, ERR_INVALID, "a window of %lld x %lld", (long long)attr->window.kernel[0],
				 (long long)attr->window.kernel[1]);
	p->images = (size_t)image.n;
	p->channels = (size_t)image.c;
	memcpy(p->size, image.size, sizeof(p->size));
	s->scratch_size = p->channels * sizeof(int32_t);
	s->state = p;
	s->run = run_pool;
	return image_shape(&s->out[0]->shape, image.n, image.c, p->sweep.out, LAYOUT_NHWC);
}

/* --- mean --- */

struct mean {
	unsigned rank;
	size_t size[TENSOR_MAX_RANK], step[TENSOR_MAX_RANK]; /* of the input; elements of the output, 0 where reduced */
	struct scaling scaling;                              /* the division by the count is in it */
};

static int run_mean(const struct step *s, struct run *run)
{
	const struct quantization *quant = &s->node->attr.quant;
	const struct mean *m = s->state;
	const bool is_signed = s->in[0]->dtype == DTYPE_INT8;
	const uint8_t *x = s->in[0]->data;
	const struct shape *out = &s->out[0]->shape;
	size_t index[TENSOR_MAX_RANK] = {0}, to = 0;
	int32_t *sum = s->scratch;
	uint8_t *y = s->out[0]->data;

	(void)run;
	memset(sum, 0, out->count * sizeof(*sum));
	for (size_t i = 0; i < s->in[0]->shape.count; i++) {
		sum[to] += (is_signed ? (int8_t)x[i] : x[i]) - quant->zero[0];
		for (unsigned d = m->rank; d > 0; d--) {
			to += m->step[d - 1];
			if (++index[d - 1] < m->size[d - 1])
				break;
			to -= m->size[d - 1] * m->step[d - 1];
			index[d - 1] = 0;
		}
	}
	for (size_t i = 0; i < out->count; i++) {
		int64_t v = (int64_t)scale(sum[i], &m->scaling) + quant->range.zero;
		v = v > quant->range.low ? v : quant->range.low;
		y[i] = (uint8_t)(v < quant->range.high ? v : quant->range.high);
	}
	return 0;
}

/*
 * Divides by n too: the multiplier gains as many bits as the quotient loses, as far as the shifts allow; so TFLite
 * computes it, to the last bit.
 */
static struct scaling mean_scaling(const struct scaling *s, uint32_t n)
{
	int shift = 63 - __builtin_clzll(n), exponent = s->left - s->right;

	shift = shift < 32 ? shift : 32;
	shift = shift < 31 + exponent ? shift : 31 + exponent;
	int64_t multiplier = (int64_t)((uint64_t)s->multiplier << shift) / n;
	exponent -= shift;
	return (struct scaling){.multiplier = (int32_t)multiplier,
				.left = exponent > 0 ? exponent : 0,
				.right = exponent < 0 ? -exponent : 0};
}

int plan_quant_mean(struct step *s, struct error *err)
{
	const struct shape *in = &s->in[0]->shape;
	struct mean *m = pool_alloc(s->pool, 1, sizeof(*m));
	int64_t axes[TENSOR_MAX_RANK];
	bool reduced[TENSOR_MAX_RANK] = {false};
	unsigned naxes;
	size_t n = 1, step = 1;
	int r;

	if (m == NULL)
		return ERR_NOMEM;
	r = operand_ints(s->in[1], axes, TENSOR_MAX_RANK, &naxes, "axes", err);
	for (unsigned i = 0; i < naxes && r == 0; i++) {
		unsigned axis = 0;
		r = axis_resolve(axes[i], in->rank, &axis, err);
		reduced[axis] = true;
	}
	if (r < 0)
		return r;
	for (unsigned i = 0; i < in->rank; i++) {
		m->size[i] = (size_t)in->dims[i];
		n *= reduced[i] ? m->size[i] : 1;
	}
	r = shape_reduce(&s->out[0]->shape, in, reduced, s->node->attr.keep_dims);
	if (r < 0)
		return r;
	/* Sums of differences of bytes stay inside 32 bits. */
	if (n == 0 || n > (1u << 23))
		return error_set(err, ERR_INVALID, "a mean of %zu elements", n);
	for (unsigned i = in->rank; i-- > 0;) {
		m->step[i] = reduced[i] ? 0 : step;
		step *= reduced[i] ? 1 : m->size[i];
	}
	m->rank = in->rank;
	m->scaling = mean_scaling(&s->node->attr.quant.scaling[0], (uint32_t)n);
	s->scratch_size = s->out[0]->shape.count * sizeof(int32_t);
	s->state = m;
	s->run = run_mean;
	return 0;
}
