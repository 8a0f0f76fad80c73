/*
 * image_png.c - PNG by libpng, reading and writing. Its errors leave by longjmp; none leaves this file.
 *
 * A PNG is always read to its end: the check sums say whether it is whole.
 */
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <png.h>
#include <zlib.h>

#include "common/file.h"
#include "datagen/image_internal.h"

#define SIGNATURE_SIZE 8
#define CHUNK_OVERHEAD 12   /* length, type, check sum */
#define DEFLATE_RATIO 1032  /* no deflate stream expands more than this */
#define WRITE_COMPRESSION 3 /* crops are for looking at: a third of the time for a tenth more bytes */

struct reader {
	png_structp png;
	png_infop info;
	const uint8_t *data;
	size_t len, at;
	char text[ERROR_TEXT_MAX];
	/* What the step at work reads and makes. */
	struct image_info *ret;
	uint64_t least;
	struct image *img;
	struct image_region *region;
	size_t stride;
	uint8_t *row;    /* one row of the file */
	png_bytep *rows; /* interlaced: all of them */
};

static _Noreturn void on_error(png_structp png, png_const_charp text)
{
	char *kept = png_get_error_ptr(png);

	snprintf(kept, ERROR_TEXT_MAX, "%s", text);
	png_longjmp(png, 1);
}

static void on_warning(png_structp png, png_const_charp text)
{
	(void)png;
	(void)text;
}

static void on_read(png_structp png, png_bytep dst, size_t n)
{
	struct reader *r = png_get_io_ptr(png);

	if (n > r->len - r->at)
		png_error(png, "truncated: the file ends before the picture does");
	memcpy(dst, r->data + r->at, n);
	r->at += n;
}

/* Runs step on the file; whatever libpng did, everything is freed afterwards. */
static int run(struct reader *r, void (*step)(struct reader *r), const uint8_t *data, size_t len, struct error *err)
{
	volatile int rc = 0;

	r->data = data;
	r->len = len;
	r->png = png_create_read_struct(PNG_LIBPNG_VER_STRING, r->text, on_error, on_warning);
	r->info = r->png ? png_create_info_struct(r->png) : NULL;
	if (!r->info) {
		rc = error_set(err, ERR_NOMEM, "no memory for libpng");
	} else if (setjmp(png_jmpbuf(r->png)) == 0) {
		png_set_read_fn(r->png, r, on_read);
		step(r);
	} else {
		rc = error_set(err, ERR_FORMAT, "%s", r->text);
	}
	png_destroy_read_struct(&r->png, &r->info, NULL);
	free(r->row);
	free(r->rows);
	return rc;
}

/* Finds a chunk whose check sum is right; it may come before or after the pixels. */
static const uint8_t *find_chunk(const uint8_t *data, size_t len, const char *type, size_t *ret_len)
{
	size_t at = SIGNATURE_SIZE;

	while (len - at >= CHUNK_OVERHEAD) {
		size_t n = png_get_uint_32(data + at);

		if (n > len - at - CHUNK_OVERHEAD)
			break;
		if (memcmp(data + at + 4, type, 4) == 0 &&
		    crc32(0, data + at + 4, (uInt)(n + 4)) == png_get_uint_32(data + at + 8 + n)) {
			*ret_len = n;
			return data + at + 8;
		}
		at += n + CHUNK_OVERHEAD;
	}
	return NULL;
}

static void read_info(struct reader *r)
{
	png_read_info(r->png, r->info);
	r->ret->format = IMAGE_PNG;
	r->ret->stored_width = png_get_image_width(r->png, r->info);
	r->ret->stored_height = png_get_image_height(r->png, r->info);
	r->least = (uint64_t)png_get_rowbytes(r->png, r->info) * r->ret->stored_height / DEFLATE_RATIO;
}

int image_png_info(struct image_info *ret, uint64_t *ret_least, const uint8_t *data, size_t len, struct error *err)
{
	struct reader r = {.ret = ret};
	const uint8_t *exif;
	size_t exif_len;
	int rc = run(&r, read_info, data, len, err);

	if (rc < 0)
		return rc;
	exif = find_chunk(data, len, "eXIf", &exif_len);
	ret->orientation = exif ? exif_orientation(exif, exif_len) : 1;
	*ret_least = r.least;
	return 0;
}

/* 8-bit RGB and a byte of filler out of every kind of PNG. Alpha is dropped, not blended: so does cv2. */
static void set_transformations(struct reader *r)
{
	int type = png_get_color_type(r->png, r->info), depth = png_get_bit_depth(r->png, r->info);

	if (depth == 16)
		png_set_strip_16(r->png);
	png_set_strip_alpha(r->png);
	if (type == PNG_COLOR_TYPE_PALETTE)
		png_set_palette_to_rgb(r->png);
	if (!(type & PNG_COLOR_MASK_COLOR)) {
		if (depth < 8)
			png_set_expand_gray_1_2_4_to_8(r->png);
		png_set_gray_to_rgb(r->png);
	}
	png_set_filler(r->png, 0xff, PNG_FILLER_AFTER);
}

static void reserve(struct reader *r, size_t rows)
{
	struct error err;

	if (image_reserve(&r->img->decoded, &r->img->decoded_size, rows, r->stride, &err) < 0)
		png_error(r->png, err.text);
}

/* Row by row; only the region is kept. */
static void read_straight(struct reader *r, size_t row_size, uint32_t height)
{
	struct image_region *region = r->region;

	r->stride = (size_t)region->width * IMAGE_PIXEL;
	reserve(r, region->height);
	r->row = malloc(row_size);
	if (!r->row)
		png_error(r->png, "no memory for a row");
	for (uint32_t y = 0; y < height; y++) {
		png_read_row(r->png, r->row, NULL);
		if (y >= region->y && y - region->y < region->height)
			memcpy(r->img->decoded + (y - region->y) * r->stride, r->row + (size_t)region->x * IMAGE_PIXEL,
			       r->stride);
	}
}

/* Interlaced: the whole picture grows in memory. */
static void read_interlaced(struct reader *r, size_t row_size, uint32_t width, uint32_t height)
{
	r->stride = row_size;
	reserve(r, height);
	r->rows = malloc(height * sizeof(*r->rows));
	if (!r->rows)
		png_error(r->png, "no memory for the rows");
	for (uint32_t y = 0; y < height; y++)
		r->rows[y] = r->img->decoded + y * r->stride;
	png_read_image(r->png, r->rows);
	*r->region = (struct image_region){0, 0, width, height};
}

static void decode(struct reader *r)
{
	uint32_t width, height;
	size_t row_size;
	int passes;

	png_read_info(r->png, r->info);
	width = png_get_image_width(r->png, r->info);
	height = png_get_image_height(r->png, r->info);
	if (r->region->x + r->region->width > width || r->region->y + r->region->height > height)
		png_error(r->png, "the region is not inside of the picture");
	set_transformations(r);
	passes = png_set_interlace_handling(r->png);
	png_read_update_info(r->png, r->info);
	row_size = png_get_rowbytes(r->png, r->info);
	if (row_size != (size_t)width * IMAGE_PIXEL)
		png_error(r->png, "an unknown kind of PNG");
	if (passes == 1)
		read_straight(r, row_size, height);
	else
		read_interlaced(r, row_size, width, height);
	png_read_end(r->png, NULL);
}

int image_png_decode(struct image *img, struct image_region *region, size_t *ret_stride, const uint8_t *data,
		     size_t len, struct error *err)
{
	struct reader r = {.img = img, .region = region};
	int rc = run(&r, decode, data, len, err);

	if (rc == 0)
		*ret_stride = r.stride;
	return rc;
}

static void write_rows(png_structp png, png_infop info, FILE *stream, const uint8_t *rgb, uint32_t width,
		       uint32_t height)
{
	png_init_io(png, stream);
	png_set_IHDR(png, info, width, height, 8, PNG_COLOR_TYPE_RGB, PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT,
		     PNG_FILTER_TYPE_DEFAULT);
	png_set_compression_level(png, WRITE_COMPRESSION);
	png_write_info(png, info);
	for (uint32_t y = 0; y < height; y++)
		png_write_row(png, rgb + y * (size_t)width * 3);
	png_write_end(png, NULL);
}

int image_write_png(const char *path, const uint8_t *rgb, uint32_t width, uint32_t height, struct error *err)
{
	char text[ERROR_TEXT_MAX] = "";
	struct output_file out = {0};
	png_structp png = NULL;
	png_infop info = NULL;
	int rc = file_create(&out, path, err);

	if (rc < 0)
		return rc;
	png = png_create_write_struct(PNG_LIBPNG_VER_STRING, text, on_error, on_warning);
	info = png ? png_create_info_struct(png) : NULL;
	if (!info) {
		rc = error_set(err, ERR_NOMEM, "%s: no memory for libpng", path);
	} else if (setjmp(png_jmpbuf(png)) == 0) {
		write_rows(png, info, out.stream, rgb, width, height);
		rc = file_commit(&out, err);
	} else {
		rc = error_set(err, ERR_IO, "%s: cannot write: %s", path, text);
	}
	png_destroy_write_struct(&png, &info);
	file_abandon(&out);
	return rc;
}
