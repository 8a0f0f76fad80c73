/*
 * onednn.h - what the operators that run on oneDNN share: its engine and stream, and how it sees our images.
 */
#ifndef ENGINE_ONEDNN_H
#define ENGINE_ONEDNN_H

#include <oneapi/dnnl/dnnl.h>

#include "engine/window.h"

/*
 * Where a value of one plan is not row-major. The planner puts reorders where a step's input comes in another layout
 * than the step takes, and where the value leaves the plan.
 */
struct private_layout {
	dnnl_memory_desc_t md;   /* n, c, h, w */
	enum image_layout order; /* of the value's dimensions */
	bool swapped;            /* dense, row-major in the other order: NHWC for NCHW and the reverse */
};

bool layout_same(const struct private_layout *a, const struct private_layout *b);
size_t layout_bytes(const struct private_layout *l);
/* That of md for a value of this shape, from the pool; *ret NULL if it is row-major. */
int layout_new(struct step *s, const dnnl_memory_desc_t *md, const struct image *plain, enum image_layout order,
	       const struct private_layout **ret) MUST_CHECK;
/* The image as it is in memory. Only for layouts that are NULL or swapped. */
void layout_image(const struct private_layout *l, struct image *im);

/* Zero-initialise. Belongs to one plan, and so to one thread at a time. */
struct onednn {
	dnnl_engine_t engine;
	dnnl_stream_t stream;
};

/* Opens what is not open yet. */
int onednn_open(struct onednn *d) MUST_CHECK;
void onednn_close(struct onednn *d);
/* 0 or one of our errors. */
int onednn_result(dnnl_status_t s);

/* FLOATs of the given shape and strides: dimensions as oneDNN orders them (n, c, h, w), wherever they are in memory. */
int onednn_image(dnnl_memory_desc_t *ret, const struct image *im) MUST_CHECK;
/* Copies between layouts of equal dimensions. */
int onednn_reorder(struct onednn *d, const dnnl_memory_desc_t *from_md, void *from, const dnnl_memory_desc_t *to_md,
		   void *to) MUST_CHECK;

#endif
