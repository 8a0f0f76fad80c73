/*
 * image_resize.h - scaling as cv2.resize with INTER_AREA does it, bit for bit, for any part of the result.
 *
 * Shrinking averages the area under each new pixel; where a side grows OpenCV takes its own kind of linear
 * interpolation instead. Only the part that is asked for is computed, from only the pixels that it needs.
 */
#ifndef DATAGEN_IMAGE_RESIZE_H
#define DATAGEN_IMAGE_RESIZE_H

#include "datagen/image.h"

enum resize_kind {
	RESIZE_COPY,   /* the same size */
	RESIZE_WHOLE,  /* both sides shrink by whole numbers: integer sums */
	RESIZE_AREA,   /* no side grows */
	RESIZE_LINEAR, /* a side grows */
};

struct resize {
	enum resize_kind kind;
	uint32_t src_width, src_height, dst_width, dst_height;
	double scale_x, scale_y; /* source pixels a new one */
};

/* All sizes above zero. */
void resize_init(struct resize *r, uint32_t src_width, uint32_t src_height, uint32_t dst_width, uint32_t dst_height);

/* The source pixels that a region of the result needs. */
struct image_region resize_source(const struct resize *r, const struct image_region *dst);

/* Memory that is used again. Zero-initialise. */
struct resize_scratch {
	void *memory;
	size_t size;
};

/*
 * Computes region dst of the result into rgb, dst->width × dst->height packed pixels. src must hold
 * resize_source(r, dst). Only memory can fail.
 */
int resize_run(struct resize_scratch *s, uint8_t *rgb, const struct resize *r, const struct image_region *dst,
	       const struct image *src, struct error *err) MUST_CHECK;
void resize_scratch_release(struct resize_scratch *s);

#endif
