/*
 * image.h - JPEG and PNG pictures in memory to pixels, as cv2.imread gives them: the EXIF orientation applied, alpha
 * dropped, 16 bits cut to the high byte, grey, palette and CMYK turned into RGB.
 *
 * The header is read first, then any region of the picture: of a JPEG only what that region needs is transformed, and
 * the pixels are the same as a decoding of the whole gives. A damaged JPEG is what libjpeg makes of it, but one that
 * ends too early is an error (cv2 fills the rest with grey). The caller says which file the errors are about.
 */
#ifndef DATAGEN_IMAGE_H
#define DATAGEN_IMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/error.h"

/* Bytes a pixel of a decoded picture: R, G, B and one that means nothing. */
#define IMAGE_PIXEL 4

enum image_format { IMAGE_JPEG, IMAGE_PNG };

struct image_info {
	enum image_format format;
	uint32_t width, height;               /* as shown: orientation applied */
	uint32_t stored_width, stored_height; /* as in the file */
	unsigned orientation;                 /* EXIF's number, 1 to 8 */
};

struct image_region {
	uint32_t x, y, width, height;
};

/* Decoded pixels. Zero-initialise; decoding again uses the memory again. */
struct image {
	const uint8_t *pixels;      /* of region's top left corner */
	size_t stride;              /* bytes a row */
	struct image_region region; /* of the picture as shown: what was asked for or more */
	uint8_t *decoded, *turned;  /* the memory: as in the file; as shown, where that differs */
	size_t decoded_size, turned_size;
};

static inline const uint8_t *image_at(const struct image *img, uint32_t x, uint32_t y)
{
	return img->pixels + (y - img->region.y) * img->stride + (x - img->region.x) * (size_t)IMAGE_PIXEL;
}

/* Whether the file begins as a JPEG or PNG does; 8 bytes are enough. */
bool image_known(const void *data, size_t len);

/* Reads the header. ERR_RANGE: more than max_pixels pixels; ERR_FORMAT: no picture. */
int image_read_info(struct image_info *ret, const void *data, size_t len, uint64_t max_pixels,
		    struct error *err) MUST_CHECK;

/* Decodes at least region (inside of the picture as shown, not empty). info: what image_read_info said. */
int image_decode(struct image *img, const void *data, size_t len, const struct image_info *info,
		 const struct image_region *region, struct error *err) MUST_CHECK;

void image_release(struct image *img);

/* Writes width × height pixels of packed 8-bit RGB as a PNG, whole or not at all. */
int image_write_png(const char *path, const uint8_t *rgb, uint32_t width, uint32_t height,
		    struct error *err) MUST_CHECK;

#endif
