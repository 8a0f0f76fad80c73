/*
 * vision_synthetic.c - photos of nothing: colours that run into each other at three scales, and some grain. Integers
 * only, so the same on every machine.
 */
#include <stdlib.h>

#include "common/rng.h"
#include "datagen/image_internal.h"
#include "datagen/vision_internal.h"

#define CHANNELS 3
#define STRETCH_MAX 200 /* pixels by which the longer side exceeds the smaller one */
#define GRAIN 16

/* One scale: a lattice of random values, linear in between. */
struct octave {
	unsigned shift;     /* log2 of the distance of its points in pixels */
	unsigned amplitude; /* of 256 */
	unsigned columns;
	uint8_t *points;
};

static const struct {
	unsigned shift, amplitude;
} octaves[] = {{7, 136}, {5, 68}, {3, 36}};

#define OCTAVES (sizeof(octaves) / sizeof(octaves[0]))

void synthetic_photo_info(struct image_info *ret, uint64_t seed, uint64_t index)
{
	struct rng rng;
	uint32_t longer;
	bool portrait;

	rng_init_at(&rng, seed, index);
	longer = VISION_SMALLER_SIDE + (uint32_t)rng_below(&rng, STRETCH_MAX);
	portrait = rng_below(&rng, 3) == 0;
	*ret = (struct image_info){
		.format = IMAGE_PNG,
		.width = portrait ? VISION_SMALLER_SIDE : longer,
		.height = portrait ? longer : VISION_SMALLER_SIDE,
		.orientation = 1,
	};
	ret->stored_width = ret->width;
	ret->stored_height = ret->height;
}

static unsigned mix(unsigned a, unsigned b, unsigned part, unsigned shift)
{
	return ((a << shift) + (b - a) * part) >> shift;
}

static unsigned octave_at(const struct octave *o, uint32_t x, uint32_t y, unsigned channel)
{
	uint32_t mask = (1u << o->shift) - 1;
	const uint8_t *p = o->points + ((size_t)(y >> o->shift) * o->columns + (x >> o->shift)) * CHANNELS + channel;
	const uint8_t *below = p + (size_t)o->columns * CHANNELS;
	unsigned upper = mix(p[0], p[CHANNELS], x & mask, o->shift);
	unsigned lower = mix(below[0], below[CHANNELS], x & mask, o->shift);

	return mix(upper, lower, y & mask, o->shift) * o->amplitude >> 8;
}

static int octaves_make(struct octave *made, const struct image_info *info, struct rng *rng, struct error *err)
{
	for (size_t i = 0; i < OCTAVES; i++) {
		struct octave *o = &made[i];
		unsigned rows = (info->height >> octaves[i].shift) + 2;
		size_t n;

		o->shift = octaves[i].shift;
		o->amplitude = octaves[i].amplitude;
		o->columns = (info->width >> o->shift) + 2;
		n = (size_t)rows * o->columns * CHANNELS;
		o->points = malloc(n);
		if (!o->points)
			return error_set(err, ERR_NOMEM, "no memory for a synthetic photo");
		for (size_t k = 0; k < n; k++)
			o->points[k] = (uint8_t)rng_below(rng, 256);
	}
	return 0;
}

static void fill(uint8_t *dst, const struct image_info *info, const struct octave *made, struct rng *rng)
{
	for (uint32_t y = 0; y < info->height; y++) {
		for (uint32_t x = 0; x < info->width; x++, dst += IMAGE_PIXEL) {
			unsigned grain = (unsigned)(rng_next(rng) >> 60) % GRAIN;

			for (unsigned c = 0; c < CHANNELS; c++) {
				unsigned value = grain;

				for (size_t i = 0; i < OCTAVES; i++)
					value += octave_at(&made[i], x, y, c);
				dst[c] = (uint8_t)(value < 255 ? value : 255);
			}
			dst[CHANNELS] = 0xff;
		}
	}
}

int synthetic_photo_fill(struct image *img, const struct image_info *info, uint64_t seed, uint64_t index,
			 struct error *err)
{
	size_t stride = (size_t)info->width * IMAGE_PIXEL;
	struct octave made[OCTAVES] = {{0}};
	struct rng rng;
	int rc;

	/* Not the numbers that the size was made of. */
	rng_init_at(&rng, ~seed, index);
	rc = octaves_make(made, info, &rng, err);
	if (rc < 0)
		goto out;
	rc = image_reserve(&img->decoded, &img->decoded_size, info->height, stride, err);
	if (rc < 0)
		goto out;
	fill(img->decoded, info, made, &rng);
	img->pixels = img->decoded;
	img->stride = stride;
	img->region = (struct image_region){0, 0, info->width, info->height};
out:
	for (size_t i = 0; i < OCTAVES; i++)
		free(made[i].points);
	return rc;
}
