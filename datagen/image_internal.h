/*
 * image_internal.h - what the readers of one format offer to image.c, and what they share.
 */
#ifndef DATAGEN_IMAGE_INTERNAL_H
#define DATAGEN_IMAGE_INTERNAL_H

#include "datagen/image.h"

/*
 * Fill format, stored size and orientation, not checked against any limit yet. *ret_least: bytes that a whole file of
 * that size has at the least, so that a header alone cannot make us allocate.
 */
int image_jpeg_info(struct image_info *ret, uint64_t *ret_least, const uint8_t *data, size_t len,
		    struct error *err) MUST_CHECK;
int image_png_info(struct image_info *ret, uint64_t *ret_least, const uint8_t *data, size_t len,
		   struct error *err) MUST_CHECK;

/*
 * Decode region, in the coordinates of the file, into img->decoded; region is widened to what was decoded and
 * *ret_stride is the length of a row in bytes.
 */
int image_jpeg_decode(struct image *img, struct image_region *region, size_t *ret_stride, const uint8_t *data,
		      size_t len, struct error *err) MUST_CHECK;
int image_png_decode(struct image *img, struct image_region *region, size_t *ret_stride, const uint8_t *data,
		     size_t len, struct error *err) MUST_CHECK;

/* Makes *memory at least rows × stride bytes large, and 16 more so that a vector may be read from the last pixel. */
int image_reserve(uint8_t **memory, size_t *size, size_t rows, size_t stride, struct error *err) MUST_CHECK;

/* The orientation that a TIFF structure (EXIF after its "Exif\0\0") asks for, 1 if it says none. */
unsigned exif_orientation(const uint8_t *tiff, size_t len);

#endif
