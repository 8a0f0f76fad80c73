/*
 * window.c - the geometry of convolutions and pools.
 */
#include "engine/window.h"

#include <inttypes.h>

/* Far beyond any image; products of two of them fit 64 bits. */
#define SIZE_LIMIT ((int64_t)1 << 30)

int image_of(struct image *ret, const struct shape *s, enum image_layout layout, struct error *err)
{
	const unsigned c = layout == LAYOUT_NCHW ? 1 : 3, h = layout == LAYOUT_NCHW ? 2 : 1;
	char text[SHAPE_TEXT_MAX];
	int64_t steps[4] = {0, 0, 0, 1};

	if (s->rank != 4)
		return error_set(err, ERR_INVALID, "a tensor of shape %s is no batch of images", shape_text(text, s));
	for (unsigned i = 3; i-- > 0;)
		steps[i] = steps[i + 1] * s->dims[i + 1];
	*ret = (struct image){
		.n = s->dims[0],
		.c = s->dims[c],
		.size = {s->dims[h], s->dims[h + 1]},
		.n_step = steps[0],
		.c_step = steps[c],
		.step = {steps[h], steps[h + 1]},
	};
	return 0;
}

void image_swap(struct image *im, enum image_layout order)
{
	const bool to_nchw = order == LAYOUT_NHWC;
	const int64_t h = im->size[0], w = im->size[1];

	im->n_step = im->c * h * w;
	im->c_step = to_nchw ? h * w : 1;
	im->step[1] = to_nchw ? 1 : im->c;
	im->step[0] = im->step[1] * w;
}

int image_shape(struct shape *ret, int64_t n, int64_t c, const int64_t *size, enum image_layout layout)
{
	const int64_t nhwc[] = {n, size[0], size[1], c}, nchw[] = {n, c, size[0], size[1]};

	return shape_set(ret, layout == LAYOUT_NCHW ? nchw : nhwc, 4);
}

static int sweep_dimension(struct sweep *ret, const struct window *w, unsigned d, int64_t kernel, int64_t size,
			   struct error *err)
{
	const int64_t step = w->strides[d], dilation = w->dilations[d];
	int64_t before = 0, after = 0, out;

	if (kernel < 1 || step < 1 || dilation < 1 || kernel > SIZE_LIMIT || step > SIZE_LIMIT || dilation > SIZE_LIMIT)
		return error_set(err, ERR_INVALID,
				 "a window of %" PRId64 " with stride %" PRId64 " and dilation %" PRId64, kernel, step,
				 dilation);
	const int64_t reach = (kernel - 1) * dilation + 1;
	if (size > SIZE_LIMIT || reach > SIZE_LIMIT)
		return ERR_RANGE;
	if (w->padding == PADDING_SAME_UPPER || w->padding == PADDING_SAME_LOWER) {
		out = (size + step - 1) / step;
		int64_t total = out > 0 ? (out - 1) * step + reach - size : 0;
		if (total < 0)
			total = 0;
		before = w->padding == PADDING_SAME_UPPER ? total / 2 : total - total / 2;
		after = total - before;
	} else {
		if (w->padding == PADDING_EXPLICIT) {
			before = w->pads[d];
			after = w->pads[d + 2];
		}
		if (before < 0 || after < 0 || before > SIZE_LIMIT || after > SIZE_LIMIT)
			return error_set(err, ERR_INVALID, "padding of %" PRId64 " and %" PRId64, before, after);
		const int64_t room = size + before + after - reach;
		if (room < 0)
			return error_set(err, ERR_INVALID,
					 "a window that reaches %" PRId64 " does not fit an image of %" PRId64
					 " with padding of %" PRId64 " and %" PRId64,
					 reach, size, before, after);
		out = room / step + 1;
		/* The last window must start on the image or in the padding before it. */
		if (w->ceil_mode && room % step != 0 && out * step < size + before)
			out++;
	}
	ret->padded_end[d] = size + after;
	ret->out[d] = out;
	ret->before[d] = before;
	ret->after[d] = out > 0 ? (out - 1) * step + reach - size - before : 0;
	ret->step[d] = step;
	ret->dilation[d] = dilation;
	ret->kernel[d] = kernel;
	return 0;
}

int window_sweep(struct sweep *ret, const struct window *w, const int64_t *kernel, const int64_t *size,
		 struct error *err)
{
	for (unsigned d = 0; d < 2; d++) {
		int r = sweep_dimension(ret, w, d, kernel[d], size[d], err);
		if (r < 0)
			return r;
	}
	return 0;
}

void sweep_taps(const struct sweep *s, const int64_t *size, unsigned d, int64_t at, int64_t *from, int64_t *to)
{
	const int64_t start = at * s->step[d] - s->before[d];
	int64_t first = start < 0 ? (-start + s->dilation[d] - 1) / s->dilation[d] : 0;
	int64_t end = start >= size[d] ? 0 : (size[d] - start + s->dilation[d] - 1) / s->dilation[d];

	if (end > s->kernel[d])
		end = s->kernel[d];
	*from = first;
	*to = end > first ? end : first;
}
