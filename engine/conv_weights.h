/*
 * conv_weights.h - the constant weights of a convolution, in whatever layouts its plans want.
 *
 * One copy in all as long as the plans agree: the first layout asked for replaces the model's own.
 */
#ifndef ENGINE_CONV_WEIGHTS_H
#define ENGINE_CONV_WEIGHTS_H

#include "engine/onednn.h"

/* Takes a reference to the constant; plain describes it. */
int conv_weights_new(struct conv_weights **ret, struct tensor *constant, const dnnl_memory_desc_t *plain,
		     const struct allocator *a) MUST_CHECK;
/* A reference to the weights in this layout. Any thread. */
int conv_weights_get(struct conv_weights *w, const dnnl_memory_desc_t *md, struct onednn *d,
		     struct tensor **ret) MUST_CHECK;

#endif
