/*
 * image_resize.c - INTER_AREA of OpenCV 4, reproduced to the last bit: the same weights, in float where it has float,
 * in 11-bit fixed point where it has that, added in the same order (columns within a row first, then rows), the same
 * rounding. So no fused multiply-add: the Makefile turns contraction off for this file.
 */
#include "datagen/image_resize.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#define CHANNELS 3
#define ALIGNMENT 64
/* A source pixel that covers less of a new one than this is left out. */
#define COVER_LEAST 1e-3
/* Weights of the linear interpolation have 11 bits. */
#define LINEAR_ONE 2048

/* One pixel; the fourth lane comes along and means nothing. */
typedef float pixel_f __attribute__((vector_size(16)));
typedef int32_t pixel_i __attribute__((vector_size(16)));
#ifndef __SSE2__
typedef uint8_t pixel_u8 __attribute__((vector_size(4)));
#endif

static inline pixel_i load_pixel(const uint8_t *p)
{
#ifdef __SSE2__
	/* Written out: gcc 12 makes 12 scalar instructions of the conversion below. */
	const __m128i zero = _mm_setzero_si128();
	int32_t bytes;

	memcpy(&bytes, p, sizeof(bytes));
	return (pixel_i)_mm_unpacklo_epi16(_mm_unpacklo_epi8(_mm_cvtsi32_si128(bytes), zero), zero);
#else
	pixel_u8 v;

	memcpy(&v, p, sizeof(v));
	return __builtin_convertvector(v, pixel_i);
#endif
}

static inline void store_pixel(uint8_t *rgb, pixel_i v)
{
	rgb[0] = (uint8_t)v[0];
	rgb[1] = (uint8_t)v[1];
	rgb[2] = (uint8_t)v[2];
}

/* To the nearest, halves to even, for 0 ≤ v < 2^22; 255 at the most. */
static inline pixel_i round_pixel(pixel_f v)
{
	pixel_i i = __builtin_convertvector((v + 0x1.8p23f) - 0x1.8p23f, pixel_i);
	pixel_i above = i > 255;

	return (above & 255) | (~above & i);
}

static double axis_scale(uint32_t src, uint32_t dst)
{
	return 1.0 / ((double)dst / src);
}

static bool is_whole(double scale)
{
	return fabs(scale - nearbyint(scale)) < DBL_EPSILON;
}

void resize_init(struct resize *r, uint32_t src_width, uint32_t src_height, uint32_t dst_width, uint32_t dst_height)
{
	*r = (struct resize){
		.src_width = src_width,
		.src_height = src_height,
		.dst_width = dst_width,
		.dst_height = dst_height,
		.scale_x = axis_scale(src_width, dst_width),
		.scale_y = axis_scale(src_height, dst_height),
	};
	if (src_width == dst_width && src_height == dst_height)
		r->kind = RESIZE_COPY;
	else if (r->scale_x < 1 || r->scale_y < 1)
		r->kind = RESIZE_LINEAR;
	else if (is_whole(r->scale_x) && is_whole(r->scale_y))
		r->kind = RESIZE_WHOLE;
	else
		r->kind = RESIZE_AREA;
}

/* The pixels of one axis that new pixel i is made of: a first one partly covered, whole ones, a last one partly. */
struct cover {
	uint32_t first; /* first whole one */
	uint32_t whole; /* how many of them */
	float before, inside, after;
	bool has_before, has_after; /* before: pixel first - 1; after: pixel first + whole */
};

static struct cover area_cover(uint32_t i, double scale, uint32_t src)
{
	double from = i * scale, to = from + scale, width = fmin(scale, src - from);
	double last = fmin(floor(to), src - 1.0), first = fmin(ceil(from), last);
	struct cover c = {.first = (uint32_t)first, .whole = (uint32_t)(last - first)};

	c.has_before = first - from > COVER_LEAST;
	c.before = (float)((first - from) / width);
	c.inside = (float)(1.0 / width);
	c.has_after = to - last > COVER_LEAST;
	c.after = (float)(fmin(fmin(to - last, 1.0), width) / width);
	return c;
}

/* The two pixels of one axis between which new pixel i lies, and the second's weight. */
struct between {
	uint32_t first, second;
	int32_t weight_first, weight_second; /* of LINEAR_ONE */
};

static struct between linear_between(uint32_t i, double scale, uint32_t src, uint32_t dst, bool columns)
{
	double inverse = (double)dst / src;
	uint32_t at = (uint32_t)floor(i * scale);
	float part = (float)((double)(i + 1) - (double)(at + 1) * inverse);

	part = part <= 0 ? 0 : part - floorf(part);
	if (at >= src - 1) {
		at = src - 1;
		if (columns)
			part = 0;
	}
	return (struct between){
		.first = at,
		.second = at + 1 < src ? at + 1 : at,
		.weight_first = (int32_t)rintf((1.0f - part) * LINEAR_ONE),
		.weight_second = (int32_t)rintf(part * LINEAR_ONE),
	};
}

/* Source pixels [*ret_start, *ret_end) of one axis for new pixels [start, start + length). */
static void source_range(uint32_t *ret_start, uint32_t *ret_end, const struct resize *r, bool columns, uint32_t start,
			 uint32_t length)
{
	double scale = columns ? r->scale_x : r->scale_y;
	uint32_t src = columns ? r->src_width : r->src_height, dst = columns ? r->dst_width : r->dst_height;
	uint32_t last = start + length - 1;

	switch (r->kind) {
	case RESIZE_COPY:
		*ret_start = start;
		*ret_end = last + 1;
		break;
	case RESIZE_WHOLE:
		*ret_start = start * (uint32_t)nearbyint(scale);
		*ret_end = (last + 1) * (uint32_t)nearbyint(scale);
		break;
	case RESIZE_AREA: {
		struct cover a = area_cover(start, scale, src), b = area_cover(last, scale, src);

		*ret_start = a.first - a.has_before;
		*ret_end = b.first + b.whole + b.has_after;
		break;
	}
	case RESIZE_LINEAR:
		*ret_start = linear_between(start, scale, src, dst, columns).first;
		*ret_end = linear_between(last, scale, src, dst, columns).second + 1;
		break;
	}
}

struct image_region resize_source(const struct resize *r, const struct image_region *dst)
{
	uint32_t left, right, top, bottom;

	source_range(&left, &right, r, true, dst->x, dst->width);
	source_range(&top, &bottom, r, false, dst->y, dst->height);
	return (struct image_region){left, top, right - left, bottom - top};
}

static int reserve(struct resize_scratch *s, size_t size, struct error *err)
{
	if (size <= s->size)
		return 0;
	free(s->memory);
	s->size = 0;
	size = (size + ALIGNMENT - 1) & ~(size_t)(ALIGNMENT - 1);
	s->memory = aligned_alloc(ALIGNMENT, size);
	if (!s->memory)
		return error_set(err, ERR_NOMEM, "no memory for %zu bytes to scale a picture", size);
	s->size = size;
	return 0;
}

void resize_scratch_release(struct resize_scratch *s)
{
	free(s->memory);
	*s = (struct resize_scratch){0};
}

static void copy_region(uint8_t *rgb, const struct image_region *dst, const struct image *src)
{
	for (uint32_t y = 0; y < dst->height; y++) {
		const uint8_t *p = image_at(src, dst->x, dst->y + y);

		for (uint32_t x = 0; x < dst->width; x++, p += IMAGE_PIXEL, rgb += CHANNELS)
			memcpy(rgb, p, CHANNELS);
	}
}

static void whole_region(uint8_t *rgb, const struct resize *r, const struct image_region *dst, const struct image *src)
{
	uint32_t nx = (uint32_t)nearbyint(r->scale_x), ny = (uint32_t)nearbyint(r->scale_y);
	float scale = 1.0f / (float)(nx * ny);

	for (uint32_t y = 0; y < dst->height; y++) {
		for (uint32_t x = 0; x < dst->width; x++, rgb += CHANNELS) {
			pixel_i sum = {0};

			for (uint32_t sy = 0; sy < ny; sy++) {
				const uint8_t *p = image_at(src, (dst->x + x) * nx, (dst->y + y) * ny + sy);

				for (uint32_t sx = 0; sx < nx; sx++)
					sum += load_pixel(p + (size_t)sx * IMAGE_PIXEL);
			}
			/* OpenCV's special case: halves go up. */
			if (nx == 2 && ny == 2)
				store_pixel(rgb, (sum + 2) >> 2);
			else
				store_pixel(rgb, round_pixel(__builtin_convertvector(sum, pixel_f) * scale));
		}
	}
}

/* dst[x] = the weighted sum of the row's pixels under new pixel x. row: the pixel at column base. */
static void area_row(pixel_f *restrict dst, const struct cover *restrict columns, uint32_t width, const uint8_t *row,
		     uint32_t base)
{
	for (uint32_t x = 0; x < width; x++) {
		const struct cover *c = &columns[x];
		const uint8_t *p = row + (size_t)(c->first - base) * IMAGE_PIXEL;
		pixel_f sum = {0};

		if (c->has_before)
			sum += __builtin_convertvector(load_pixel(p - IMAGE_PIXEL), pixel_f) * c->before;
		for (uint32_t i = 0; i < c->whole; i++, p += IMAGE_PIXEL)
			sum += __builtin_convertvector(load_pixel(p), pixel_f) * c->inside;
		if (c->has_after)
			sum += __builtin_convertvector(load_pixel(p), pixel_f) * c->after;
		dst[x] = sum;
	}
}

/* The row last computed: the last of one new row is often the first of the next. */
struct area_cache {
	pixel_f *row;
	uint32_t y;
};

static void area_add(pixel_f *restrict sum, struct area_cache *cache, const struct cover *columns, uint32_t width,
		     const struct image *src, uint32_t y, float weight)
{
	if (cache->y != y) {
		area_row(cache->row, columns, width, image_at(src, src->region.x, y), src->region.x);
		cache->y = y;
	}
	for (uint32_t x = 0; x < width; x++)
		sum[x] += cache->row[x] * weight;
}

static int area_region(struct resize_scratch *s, uint8_t *rgb, const struct resize *r, const struct image_region *dst,
		       const struct image *src, struct error *err)
{
	size_t row_size = dst->width * sizeof(pixel_f);
	struct area_cache cache = {.y = UINT32_MAX};
	struct cover *columns;
	pixel_f *sum;
	int rc = reserve(s, 2 * row_size + dst->width * sizeof(*columns), err);

	if (rc < 0)
		return rc;
	cache.row = s->memory;
	sum = cache.row + dst->width;
	columns = (struct cover *)(sum + dst->width);
	for (uint32_t x = 0; x < dst->width; x++)
		columns[x] = area_cover(dst->x + x, r->scale_x, r->src_width);
	for (uint32_t y = 0; y < dst->height; y++) {
		struct cover c = area_cover(dst->y + y, r->scale_y, r->src_height);

		memset(sum, 0, row_size);
		if (c.has_before)
			area_add(sum, &cache, columns, dst->width, src, c.first - 1, c.before);
		for (uint32_t i = 0; i < c.whole; i++)
			area_add(sum, &cache, columns, dst->width, src, c.first + i, c.inside);
		if (c.has_after)
			area_add(sum, &cache, columns, dst->width, src, c.first + c.whole, c.after);
		for (uint32_t x = 0; x < dst->width; x++, rgb += CHANNELS)
			store_pixel(rgb, round_pixel(sum[x]));
	}
	return 0;
}

/* The two rows last computed, by the source row they come from: most new rows need the same ones as the one before. */
struct linear_rows {
	pixel_i *row[2];
	uint32_t y[2];
};

static pixel_i *linear_row(struct linear_rows *rows, const struct between *restrict columns, uint32_t width,
			   const struct image *src, uint32_t y)
{
	unsigned at = y % 2; /* neighbours never take each other's place */
	pixel_i *restrict dst = rows->row[at];

	if (rows->y[at] == y)
		return dst;
	rows->y[at] = y;
	/* In float, which SSE2 can multiply; the sums are whole numbers below 2^24 and so exact. */
	for (uint32_t x = 0; x < width; x++) {
		pixel_f first = __builtin_convertvector(load_pixel(image_at(src, columns[x].first, y)), pixel_f);
		pixel_f second = __builtin_convertvector(load_pixel(image_at(src, columns[x].second, y)), pixel_f);

		dst[x] = __builtin_convertvector(first * (float)columns[x].weight_first +
							 second * (float)columns[x].weight_second,
						 pixel_i) >>
			 4;
	}
	return dst;
}

static int linear_region(struct resize_scratch *s, uint8_t *rgb, const struct resize *r, const struct image_region *dst,
			 const struct image *src, struct error *err)
{
	struct linear_rows rows = {.y = {UINT32_MAX, UINT32_MAX}};
	struct between *columns;
	int rc = reserve(s, dst->width * (2 * sizeof(pixel_i) + sizeof(*columns)), err);

	if (rc < 0)
		return rc;
	rows.row[0] = s->memory;
	rows.row[1] = rows.row[0] + dst->width;
	columns = (struct between *)(rows.row[1] + dst->width);
	for (uint32_t x = 0; x < dst->width; x++)
		columns[x] = linear_between(dst->x + x, r->scale_x, r->src_width, r->dst_width, true);
	for (uint32_t y = 0; y < dst->height; y++) {
		struct between b = linear_between(dst->y + y, r->scale_y, r->src_height, r->dst_height, false);
		const pixel_i *upper = linear_row(&rows, columns, dst->width, src, b.first);
		const pixel_i *lower = linear_row(&rows, columns, dst->width, src, b.second);

		for (uint32_t x = 0; x < dst->width; x++, rgb += CHANNELS)
			store_pixel(rgb,
				    ((upper[x] * b.weight_first >> 16) + (lower[x] * b.weight_second >> 16) + 2) >> 2);
	}
	return 0;
}

int resize_run(struct resize_scratch *s, uint8_t *rgb, const struct resize *r, const struct image_region *dst,
	       const struct image *src, struct error *err)
{
	switch (r->kind) {
	case RESIZE_COPY:
		copy_region(rgb, dst, src);
		return 0;
	case RESIZE_WHOLE:
		whole_region(rgb, r, dst, src);
		return 0;
	case RESIZE_AREA:
		return area_region(s, rgb, r, dst, src, err);
	case RESIZE_LINEAR:
		return linear_region(s, rgb, r, dst, src, err);
	}
	return 0;
}
