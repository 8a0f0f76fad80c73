/*
 * image.c - which reader a file is for, the limit on its size, and the orientation.
 */
#include "datagen/image.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/arith.h"
#include "datagen/image_internal.h"

#define VECTOR_PADDING 16

static const uint8_t jpeg_signature[] = {0xff, 0xd8, 0xff};
static const uint8_t png_signature[] = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'};

/*
 * How a picture as shown comes from the stored one: rows and columns change places first, then it is mirrored.
 * Indexed by EXIF's number.
 */
static const struct turn {
	bool transpose, mirror_x, mirror_y;
} turns[] = {
	[1] = {false, false, false}, [2] = {false, true, false}, [3] = {false, true, true}, [4] = {false, false, true},
	[5] = {true, false, false},  [6] = {true, true, false},  [7] = {true, true, true},  [8] = {true, false, true},
};

static bool begins_with(const void *data, size_t len, const uint8_t *signature, size_t signature_len)
{
	return len >= signature_len && memcmp(data, signature, signature_len) == 0;
}

bool image_known(const void *data, size_t len)
{
	return begins_with(data, len, jpeg_signature, sizeof(jpeg_signature)) ||
	       begins_with(data, len, png_signature, sizeof(png_signature));
}

int image_reserve(uint8_t **memory, size_t *size, size_t rows, size_t stride, struct error *err)
{
	size_t need;

	if (!size_mul(&need, rows, stride) || !size_add(&need, need, VECTOR_PADDING))
		return error_set(err, ERR_RANGE, "%zu rows of %zu bytes do not fit into memory", rows, stride);
	if (need <= *size)
		return 0;
	free(*memory);
	*size = 0;
	*memory = malloc(need);
	if (!*memory)
		return error_set(err, ERR_NOMEM, "no memory for %zu bytes of pixels", need);
	*size = need;
	return 0;
}

int image_read_info(struct image_info *ret, const void *data, size_t len, uint64_t max_pixels, struct error *err)
{
	struct image_info info = {.orientation = 1};
	uint64_t least = 0;
	int r;

	if (begins_with(data, len, jpeg_signature, sizeof(jpeg_signature)))
		r = image_jpeg_info(&info, &least, data, len, err);
	else if (begins_with(data, len, png_signature, sizeof(png_signature)))
		r = image_png_info(&info, &least, data, len, err);
	else
		r = error_set(err, ERR_FORMAT, len == 0 ? "the file is empty" : "neither a JPEG nor a PNG");
	if (r < 0)
		return r;
	if (info.stored_width == 0 || info.stored_height == 0)
		return error_set(err, ERR_FORMAT, "has no pixels (%" PRIu32 "x%" PRIu32 ")", info.stored_width,
				 info.stored_height);
	if ((uint64_t)info.stored_width * info.stored_height > max_pixels)
		return error_set(err, ERR_RANGE,
				 "%" PRIu32 "x%" PRIu32 " pixels are more than the %" PRIu64
				 " that are accepted (-max-pixels)",
				 info.stored_width, info.stored_height, max_pixels);
	if (len < least)
		return error_set(err, ERR_FORMAT,
				 "truncated: %zu bytes cannot hold the %" PRIu32 "x%" PRIu32 " pixels of its header",
				 len, info.stored_width, info.stored_height);
	info.width = turns[info.orientation].transpose ? info.stored_height : info.stored_width;
	info.height = turns[info.orientation].transpose ? info.stored_width : info.stored_height;
	*ret = info;
	return 0;
}

/* Where a region of the picture as shown lies in the stored one, and back: mirroring twice is nothing. */
static struct image_region mirrored(const struct image_info *info, struct image_region r)
{
	const struct turn *turn = &turns[info->orientation];

	if (turn->mirror_x)
		r.x = info->width - r.x - r.width;
	if (turn->mirror_y)
		r.y = info->height - r.y - r.height;
	return r;
}

static struct image_region transposed(const struct image_info *info, struct image_region r)
{
	return turns[info->orientation].transpose ? (struct image_region){r.y, r.x, r.height, r.width} : r;
}

/* Copies the decoded pixels to where they are shown. Destination rows are written in order. */
static void turn_pixels(struct image *img, const struct image_info *info, size_t stored_stride)
{
	const struct turn *turn = &turns[info->orientation];
	uint32_t width = img->region.width, height = img->region.height;
	size_t step_x = turn->transpose ? stored_stride : IMAGE_PIXEL;
	size_t step_y = turn->transpose ? IMAGE_PIXEL : stored_stride;

	for (uint32_t y = 0; y < height; y++) {
		const uint8_t *row = img->decoded + (turn->mirror_y ? height - 1 - y : y) * step_y;
		uint8_t *dst = img->turned + y * img->stride;

		for (uint32_t x = 0; x < width; x++)
			memcpy(dst + (size_t)x * IMAGE_PIXEL, row + (turn->mirror_x ? width - 1 - x : x) * step_x,
			       IMAGE_PIXEL);
	}
}

int image_decode(struct image *img, const void *data, size_t len, const struct image_info *info,
		 const struct image_region *region, struct error *err)
{
	struct image_region stored = transposed(info, mirrored(info, *region));
	size_t stored_stride;
	int r;

	if (info->format == IMAGE_JPEG)
		r = image_jpeg_decode(img, &stored, &stored_stride, data, len, err);
	else
		r = image_png_decode(img, &stored, &stored_stride, data, len, err);
	if (r < 0)
		return r;
	img->region = mirrored(info, transposed(info, stored));
	if (info->orientation == 1) {
		img->pixels = img->decoded;
		img->stride = stored_stride;
		return 0;
	}
	img->stride = (size_t)img->region.width * IMAGE_PIXEL;
	r = image_reserve(&img->turned, &img->turned_size, img->region.height, img->stride, err);
	if (r < 0)
		return r;
	turn_pixels(img, info, stored_stride);
	img->pixels = img->turned;
	return 0;
}

void image_release(struct image *img)
{
	free(img->decoded);
	free(img->turned);
	*img = (struct image){0};
}
