/*
 * window_check.h - nodes of TensorFlow graphs that slide windows over images, for tests.
 */
#ifndef TESTS_ENGINE_WINDOW_CHECK_H
#define TESTS_ENGINE_WINDOW_CHECK_H

#include "tests/engine/operator_check.h"

enum kind { SAME, VALID, EXPLICIT };

/* Of one operator; images are NHWC here, whatever the graph says. */
struct window_case {
	bool nchw;
	enum kind kind;
	int64_t kernel[2], strides[2], dilations[2], pads[4]; /* top, left, bottom, right, as they come out */
	int64_t out[2];
};

static inline const char *layout_name(bool nchw)
{
	return nchw ? "NCHW" : "NHWC";
}

static inline void spatial_attr(struct builder *b, const char *key, bool nchw, const int64_t *v)
{
	attr_ints(b, key, nchw ? (int64_t[]){1, 1, v[0], v[1]} : (int64_t[]){1, v[0], v[1], 1}, 4);
}

static inline void write_window(struct builder *b, const struct window_case *w)
{
	static const char *const names[] = {"SAME", "VALID", "EXPLICIT"};
	const int64_t *p = w->pads;

	attr_string(b, "data_format", layout_name(w->nchw));
	attr_string(b, "padding", names[w->kind]);
	spatial_attr(b, "strides", w->nchw, w->strides);
	if (w->dilations[0] != 1 || w->dilations[1] != 1)
		spatial_attr(b, "dilations", w->nchw, w->dilations);
	if (w->kind == EXPLICIT)
		attr_ints(b, "explicit_paddings",
			  w->nchw ? (int64_t[]){0, 0, 0, 0, p[0], p[2], p[1], p[3]}
				  : (int64_t[]){0, 0, p[0], p[2], p[1], p[3], 0, 0},
			  8);
}

static inline void random_ref(struct ref *r, struct rng *rng, const int64_t *dims, unsigned rank)
{
	ref_init(r, dims, rank);
	ref_random(r, rng, -1.0, 1.0, false);
}

#endif
