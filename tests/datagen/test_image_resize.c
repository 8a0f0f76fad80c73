/*
 * test_image_resize.c - scaling gives OpenCV's bits, the average of the area that it should give, and the same for a
 * part as for the whole.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/arith.h"
#include "common/rng.h"
#include "datagen/image_internal.h"
#include "datagen/image_resize.h"
#include "tests/datagen/image_files.h"

/* FNV-1a of what cv2.resize(picture, size, interpolation=cv2.INTER_AREA) of OpenCV 4.6.0 gives (Debian 12, x86-64). */
static const struct {
	uint32_t src_width, src_height, dst_width, dst_height;
	uint64_t hash;
	enum resize_kind kind;
} known[] = {
	{640, 480, 341, 256, UINT64_C(0x25cd268329234f20), RESIZE_AREA},
	{512, 512, 256, 256, UINT64_C(0x018c69acb9c2f2e1), RESIZE_WHOLE},
	{768, 512, 384, 256, UINT64_C(0x5489869fd2b3bad5), RESIZE_WHOLE},
	{768, 768, 256, 256, UINT64_C(0xd5efb28768f763af), RESIZE_WHOLE},
	{1024, 512, 512, 256, UINT64_C(0xb2ea6e8dcbd203e5), RESIZE_WHOLE},
	{100, 80, 320, 256, UINT64_C(0xd0c7e257f32777c3), RESIZE_LINEAR},
	{62, 62, 256, 256, UINT64_C(0x020abed690984aca), RESIZE_LINEAR},
	{300, 200, 384, 256, UINT64_C(0x81ffbc74bbcb3dbf), RESIZE_LINEAR},
	{256, 300, 256, 300, UINT64_C(0x814211d7d542dec1), RESIZE_COPY},
	{257, 257, 256, 256, UINT64_C(0xc839f8a81340831b), RESIZE_AREA},
	{1, 7, 256, 1792, UINT64_C(0x992f96365daa2325), RESIZE_LINEAR},
	{5, 3, 426, 256, UINT64_C(0x74d766c23677b5f7), RESIZE_LINEAR},
	{49, 49, 255, 256, UINT64_C(0x8ff43ab900d52b7d), RESIZE_LINEAR},
	{300, 100, 256, 200, UINT64_C(0x9505413a05cad2a9), RESIZE_LINEAR},
	{123, 457, 61, 200, UINT64_C(0xf1e655b5a8c258ee), RESIZE_AREA},
	{2000, 40, 1000, 39, UINT64_C(0x6a200dc65dc2efc8), RESIZE_AREA},
};

/* The picture, or the part of it that region says, padded as the readers pad. */
static void make_image(struct image *ret, const struct image_region *region)
{
	struct error err;

	ret->region = *region;
	ret->stride = (size_t)region->width * IMAGE_PIXEL;
	assert_int_equal(image_reserve(&ret->decoded, &ret->decoded_size, region->height, ret->stride, &err), 0);
	ret->pixels = ret->decoded;
	for (uint32_t y = 0; y < region->height; y++) {
		for (uint32_t x = 0; x < region->width; x++) {
			uint8_t *p = ret->decoded + y * ret->stride + (size_t)x * IMAGE_PIXEL;

			for (unsigned c = 0; c < 3; c++)
				p[c] = picture(region->x + x, region->y + y, c);
			p[3] = (uint8_t)(x * 7); /* means nothing */
		}
	}
}

/* One region of the scaled picture, out of only the pixels that it needs; freed by the caller. */
static uint8_t *resize_part(const struct resize *r, const struct image_region *dst)
{
	struct image_region needed = resize_source(r, dst);
	struct resize_scratch scratch = {0};
	struct image img = {0};
	struct error err;
	uint8_t *rgb = malloc((size_t)dst->width * dst->height * 3);

	assert_non_null(rgb);
	assert_true(needed.width > 0 && needed.x + needed.width <= r->src_width);
	assert_true(needed.height > 0 && needed.y + needed.height <= r->src_height);
	make_image(&img, &needed);
	assert_int_equal(resize_run(&scratch, rgb, r, dst, &img, &err), 0);
	image_release(&img);
	resize_scratch_release(&scratch);
	return rgb;
}

static void scaled_pictures_are_those_of_opencv(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(known); i++) {
		struct image_region all = {0, 0, known[i].dst_width, known[i].dst_height};
		size_t len = (size_t)all.width * all.height * 3;
		uint64_t hash = UINT64_C(0xcbf29ce484222325);
		struct resize r;
		uint8_t *rgb;

		resize_init(&r, known[i].src_width, known[i].src_height, all.width, all.height);
		assert_int_equal(r.kind, known[i].kind);
		rgb = resize_part(&r, &all);
		for (size_t k = 0; k < len; k++)
			hash = (hash ^ rgb[k]) * UINT64_C(0x100000001b3);
		if (hash != known[i].hash)
			fail_msg("%ux%u to %ux%u is not what OpenCV makes of it", r.src_width, r.src_height, all.width,
				 all.height);
		free(rgb);
	}
}

static void every_part_is_that_of_the_whole(void **state)
{
	struct rng rng;

	(void)state;
	rng_init(&rng, 3);
	for (size_t i = 0; i < ARRAY_LEN(known); i++) {
		struct image_region all = {0, 0, known[i].dst_width, known[i].dst_height};
		struct resize r;
		uint8_t *whole;

		resize_init(&r, known[i].src_width, known[i].src_height, all.width, all.height);
		whole = resize_part(&r, &all);
		for (int k = 0; k < 8; k++) {
			struct image_region d = {.x = (uint32_t)rng_below(&rng, all.width),
						 .y = (uint32_t)rng_below(&rng, all.height)};
			uint8_t *part;

			d.width = 1 + (uint32_t)rng_below(&rng, all.width - d.x);
			d.height = 1 + (uint32_t)rng_below(&rng, all.height - d.y);
			part = resize_part(&r, &d);
			for (uint32_t y = 0; y < d.height; y++)
				assert_memory_equal(part + (size_t)y * d.width * 3,
						    whole + ((size_t)(d.y + y) * all.width + d.x) * 3,
						    (size_t)d.width * 3);
			free(part);
		}
		free(whole);
	}
}

/* How much of [from, to) source pixel i covers. */
static double cover_of(double i, double from, double to)
{
	return fmax(0, fmin(i + 1, to) - fmax(i, from));
}

/* The plain meaning of averaging an area, in double and without any table. */
static double average_at(const struct resize *r, uint32_t x, uint32_t y, unsigned channel)
{
	double sx = (double)r->src_width / r->dst_width, sy = (double)r->src_height / r->dst_height, sum = 0;

	for (uint32_t v = (uint32_t)(y * sy); v < r->src_height && v < (y + 1) * sy; v++) {
		for (uint32_t u = (uint32_t)(x * sx); u < r->src_width && u < (x + 1) * sx; u++)
			sum += picture(u, v, channel) * cover_of(u, x * sx, (x + 1) * sx) *
			       cover_of(v, y * sy, (y + 1) * sy);
	}
	return sum / (sx * sy);
}

static void shrinking_averages_the_area_under_each_pixel(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(known); i++) {
		struct image_region d = {known[i].dst_width / 3, known[i].dst_height / 5, 20, 20};
		struct resize r;
		uint8_t *rgb;

		if (known[i].kind == RESIZE_LINEAR)
			continue;
		resize_init(&r, known[i].src_width, known[i].src_height, known[i].dst_width, known[i].dst_height);
		rgb = resize_part(&r, &d);
		for (uint32_t k = 0; k < d.width * d.height * 3; k++) {
			double expected = average_at(&r, d.x + k / 3 % d.width, d.y + k / 3 / d.width, k % 3);

			assert_true(fabs(rgb[k] - expected) < 0.51);
		}
		free(rgb);
	}
}

static void enlarging_stays_between_the_neighbours(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(known); i++) {
		struct image_region d = {0, 0, known[i].dst_width, known[i].dst_height};
		struct resize r;
		uint8_t *rgb;

		resize_init(&r, known[i].src_width, known[i].src_height, d.width, d.height);
		if (r.scale_x >= 1 || r.scale_y >= 1)
			continue;
		rgb = resize_part(&r, &d);
		for (uint32_t k = 0; k < d.width * d.height * 3; k++) {
			struct image_region one = {k / 3 % d.width, k / 3 / d.width, 1, 1};
			struct image_region from = resize_source(&r, &one);
			int low = 255, high = 0;

			for (uint32_t s = 0; s < from.width * from.height; s++) {
				int v = picture(from.x + s % from.width, from.y + s / from.width, k % 3);

				low = v < low ? v : low;
				high = v > high ? v : high;
			}
			assert_in_range(from.width * from.height, 1, 4);
			assert_true(rgb[k] >= low - 1 && rgb[k] <= high + 1);
		}
		free(rgb);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(scaled_pictures_are_those_of_opencv),
		cmocka_unit_test(every_part_is_that_of_the_whole),
		cmocka_unit_test(shrinking_averages_the_area_under_each_pixel),
		cmocka_unit_test(enlarging_stays_between_the_neighbours),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
