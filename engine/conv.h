/*
 * conv.h - a convolution within a plan: its geometry, and the two ways to compute it.
 */
#ifndef ENGINE_CONV_H
#define ENGINE_CONV_H

#include "engine/onednn.h"

/* Weights by what their dimensions mean; steps in elements. */
struct filter {
	int64_t groups, outputs, inputs; /* the latter two of one group */
	int64_t kernel[2];
	int64_t group_step, output_step, input_step, step[2];
};

/* groups: of the node, ignored for WEIGHTS_HWCM. ERR_INVALID unless the weights have rank 4 and suit it. */
int filter_of(struct filter *ret, const int64_t *dims, unsigned rank, enum weights_layout layout, int64_t groups,
	      struct error *err) MUST_CHECK;
int filter_md(dnnl_memory_desc_t *ret, const struct filter *f) MUST_CHECK;

#define CONV_ARGS 5
enum conv_data { FROM_OUTPUT = -1, FROM_WEIGHTS = -2, FROM_SCRATCH = -3 };

struct convolution {
	struct image x, y; /* row-major */
	struct filter filter;
	struct sweep sweep;
	uint32_t bias, addend; /* which inputs; 0: none */
	unary_kernel *activate;
	bool add_after;    /* adding and activating is not oneDNN's */
	size_t image_size; /* bytes of the addend, as of the output */
	/* By prepare: */
	struct tensor *weights; /* in the layout that was chosen */
	dnnl_primitive_t primitive;
	dnnl_exec_arg_t args[CONV_ARGS];
	int nargs;
	int from[CONV_ARGS]; /* whose data argument i is: an input's, or one of enum conv_data */
};

/* Plans it for oneDNN. ERR_UNSUPPORTED: oneDNN has nothing for it, or nothing that can be trusted with it. */
int conv_prepare_onednn(struct step *s, struct convolution *c) MUST_CHECK;
int conv_run_onednn(const struct step *s, struct run *run);
void conv_release_onednn(struct convolution *c);

#endif
