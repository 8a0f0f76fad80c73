/*
 * window.h - images, and windows that slide over them: the geometry of convolutions and pools.
 */
#ifndef ENGINE_WINDOW_H
#define ENGINE_WINDOW_H

#include "engine/ops.h"

/* A tensor of rank 4 by what its dimensions mean; steps in elements. */
struct image {
	int64_t n, c, size[2]; /* height, width */
	int64_t n_step, c_step, step[2];
};

/* ERR_INVALID unless the shape has rank 4. */
int image_of(struct image *ret, const struct shape *s, enum image_layout layout, struct error *err) MUST_CHECK;
/* Makes the steps those of the same image, dense in the other order than the one given. */
void image_swap(struct image *im, enum image_layout order);
/* Sets the shape to that of n images of c channels of the given size. */
int image_shape(struct shape *ret, int64_t n, int64_t c, const int64_t *size, enum image_layout layout) MUST_CHECK;

struct sweep {
	int64_t out[2];        /* windows */
	int64_t before[2];     /* padding */
	int64_t after[2];      /* padding that windows reach, no more */
	int64_t padded_end[2]; /* where the image with its padding ends, from the image's start */
	int64_t step[2], dilation[2], kernel[2];
};

/* How a window of that kernel sweeps an image. ERR_INVALID where it does not fit. */
int window_sweep(struct sweep *ret, const struct window *w, const int64_t *kernel, const int64_t *size,
		 struct error *err) MUST_CHECK;
/* The taps [*from, *to) of window `at` that lie on the image, in dimension d; none: from = to. */
void sweep_taps(const struct sweep *s, const int64_t *size, unsigned d, int64_t at, int64_t *from, int64_t *to);

#endif
