/*
 * test_image.c - JPEG and PNG of every kind are read as cv2.imread reads them, whole or in part, and damaged ones are
 * refused. With AIBENCH_INTEROP_DIR set the files made here are also left in that folder, for
 * tests/interop/vision_opencv.py.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>
#include <jpeglib.h>
#include <png.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "common/arith.h"
#include "common/file.h"
#include "common/rng.h"
#include "datagen/image.h"
#include "tests/datagen/image_files.h"
#include "tests/support/process.h"

#define MAX_PIXELS (UINT64_C(1) << 26)
#define WIDTH 150
#define HEIGHT 117
#define REGIONS 12

static void keep(const struct image_file *f, const char *name)
{
	const char *folder = getenv("AIBENCH_INTEROP_DIR");

	if (folder)
		image_file_write(f, folder, name);
}

/* Decodes one region; the caller releases ret. */
static void decode_region(struct image *ret, struct image_info *ret_info, const struct image_file *f,
			  const struct image_region *region)
{
	struct error err = {""};
	struct image_region whole = {0};

	if (image_read_info(ret_info, f->data, f->len, MAX_PIXELS, &err) < 0)
		fail_msg("%s", err.text);
	whole.width = ret_info->width;
	whole.height = ret_info->height;
	if (image_decode(ret, f->data, f->len, ret_info, region ? region : &whole, &err) < 0)
		fail_msg("%s", err.text);
}

static void assert_pixel(const struct image *img, uint32_t x, uint32_t y, const uint8_t *rgb, const char *what)
{
	const uint8_t *p = image_at(img, x, y);

	if (memcmp(p, rgb, 3) != 0)
		fail_msg("%s: pixel %u,%u is %u,%u,%u, should be %u,%u,%u", what, x, y, p[0], p[1], p[2], rgb[0],
			 rgb[1], rgb[2]);
}

/* Every region has the pixels of the whole. */
static void assert_regions(const struct image_file *f, const struct image *whole, const struct image_info *info,
			   const char *what)
{
	struct image part = {0};
	struct image_info again;
	struct rng rng;

	rng_init(&rng, 7);
	for (int i = 0; i < REGIONS; i++) {
		struct image_region r = {.x = (uint32_t)rng_below(&rng, info->width),
					 .y = (uint32_t)rng_below(&rng, info->height)};

		r.width = 1 + (uint32_t)rng_below(&rng, info->width - r.x);
		r.height = 1 + (uint32_t)rng_below(&rng, info->height - r.y);
		decode_region(&part, &again, f, &r);
		assert_true(part.region.x <= r.x && part.region.y <= r.y);
		assert_true(part.region.x + part.region.width >= r.x + r.width);
		assert_true(part.region.y + part.region.height >= r.y + r.height);
		for (uint32_t y = r.y; y < r.y + r.height; y++) {
			for (uint32_t x = r.x; x < r.x + r.width; x++)
				assert_pixel(&part, x, y, image_at(whole, x, y), what);
		}
	}
	image_release(&part);
}

/* ---- PNG ------------------------------------------------------------------------------------------------------- */

static void every_kind_of_png_becomes_rgb(void **state)
{
	static const struct {
		int type, depth;
	} kinds[] = {
		{PNG_COLOR_TYPE_GRAY, 1},        {PNG_COLOR_TYPE_GRAY, 2},       {PNG_COLOR_TYPE_GRAY, 4},
		{PNG_COLOR_TYPE_GRAY, 8},        {PNG_COLOR_TYPE_GRAY, 16},      {PNG_COLOR_TYPE_GRAY_ALPHA, 8},
		{PNG_COLOR_TYPE_GRAY_ALPHA, 16}, {PNG_COLOR_TYPE_RGB, 8},        {PNG_COLOR_TYPE_RGB, 16},
		{PNG_COLOR_TYPE_RGB_ALPHA, 8},   {PNG_COLOR_TYPE_RGB_ALPHA, 16}, {PNG_COLOR_TYPE_PALETTE, 1},
		{PNG_COLOR_TYPE_PALETTE, 2},     {PNG_COLOR_TYPE_PALETTE, 4},    {PNG_COLOR_TYPE_PALETTE, 8},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(kinds) * 4; i++) {
		struct png_options o = {.type = kinds[i / 4].type,
					.depth = kinds[i / 4].depth,
					.interlaced = i % 2 == 1,
					.transparent = i % 4 >= 2};
		struct image img = {0};
		struct image_file f;
		struct image_info info;
		char name[64];

		if (o.transparent && (o.type & PNG_COLOR_MASK_ALPHA))
			continue;
		snprintf(name, sizeof(name), "type%d_depth%d%s%s.png", o.type, o.depth, o.interlaced ? "_i" : "",
			 o.transparent ? "_t" : "");
		make_png(&f, WIDTH, HEIGHT, &o);
		keep(&f, name);
		decode_region(&img, &info, &f, NULL);
		assert_int_equal(info.width, WIDTH);
		assert_int_equal(info.height, HEIGHT);
		for (uint32_t y = 0; y < HEIGHT; y++) {
			for (uint32_t x = 0; x < WIDTH; x++) {
				uint8_t rgb[3];

				png_expected(rgb, x, y, &o);
				assert_pixel(&img, x, y, rgb, name);
			}
		}
		assert_regions(&f, &img, &info, name);
		image_release(&img);
		free(f.data);
	}
}

/* ---- JPEG ------------------------------------------------------------------------------------------------------ */

/* All of it by libjpeg with nothing set, as cv2 calls it; CMYK as the documentation of cv2 says. */
static uint8_t *decode_plainly(const struct image_file *f)
{
	struct jpeg_decompress_struct c;
	struct jpeg_error_mgr errors;
	uint8_t *pixels, *row;

	c.err = jpeg_std_error(&errors);
	jpeg_create_decompress(&c);
	jpeg_mem_src(&c, f->data, f->len);
	jpeg_read_header(&c, TRUE);
	c.out_color_space = c.num_components == 4 ? JCS_CMYK : JCS_RGB;
	jpeg_start_decompress(&c);
	pixels = malloc((size_t)c.output_width * c.output_height * 3);
	row = malloc((size_t)c.output_width * 4);
	assert_non_null(pixels);
	assert_non_null(row);
	for (uint8_t *dst = pixels; c.output_scanline < c.output_height;) {
		jpeg_read_scanlines(&c, &row, 1);
		for (unsigned x = 0; x < c.output_width; x++) {
			const uint8_t *p = row + x * (unsigned)c.output_components;

			for (int i = 0; i < 3; i++)
				*dst++ = c.num_components == 4 ? (uint8_t)(p[3] - ((255 - p[i]) * p[3] >> 8)) : p[i];
		}
	}
	jpeg_finish_decompress(&c);
	jpeg_destroy_decompress(&c);
	free(row);
	return pixels;
}

static const struct {
	const char *name;
	struct jpeg_options o;
} jpegs[] = {
	{"gray", {.kind = JPEG_KIND_GRAY}},
	{"gray_progressive", {.kind = JPEG_KIND_GRAY, .progressive = true}},
	{"444", {.kind = JPEG_KIND_COLOUR}},
	{"422", {.kind = JPEG_KIND_COLOUR, .h = 2}},
	{"440", {.kind = JPEG_KIND_COLOUR, .v = 2}},
	{"420", {.kind = JPEG_KIND_COLOUR, .h = 2, .v = 2}},
	{"411", {.kind = JPEG_KIND_COLOUR, .h = 4}},
	{"410", {.kind = JPEG_KIND_COLOUR, .h = 4, .v = 2}},
	{"420_optimised_restarts", {.kind = JPEG_KIND_COLOUR, .h = 2, .v = 2, .optimised = true, .restart_rows = 1}},
	{"420_progressive", {.kind = JPEG_KIND_COLOUR, .h = 2, .v = 2, .progressive = true}},
	{"422_progressive_restarts", {.kind = JPEG_KIND_COLOUR, .h = 2, .progressive = true, .restart_rows = 2}},
	{"420_arithmetic", {.kind = JPEG_KIND_COLOUR, .h = 2, .v = 2, .arithmetic = true}},
	{"cmyk", {.kind = JPEG_KIND_CMYK}},
	{"cmyk_progressive", {.kind = JPEG_KIND_CMYK, .progressive = true}},
	{"ycck", {.kind = JPEG_KIND_YCCK, .h = 2, .v = 2}},
};

static void every_kind_of_jpeg_is_decoded_as_libjpeg_does(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(jpegs); i++) {
		struct image img = {0};
		struct image_file f;
		struct image_info info;
		uint8_t *expected;
		char name[64];

		snprintf(name, sizeof(name), "%s.jpg", jpegs[i].name);
		make_jpeg(&f, WIDTH, HEIGHT, &jpegs[i].o);
		keep(&f, name);
		expected = decode_plainly(&f);
		decode_region(&img, &info, &f, NULL);
		assert_int_equal(info.width, WIDTH);
		assert_int_equal(info.height, HEIGHT);
		for (uint32_t y = 0; y < HEIGHT; y++) {
			for (uint32_t x = 0; x < WIDTH; x++)
				assert_pixel(&img, x, y, expected + (y * WIDTH + x) * 3, name);
		}
		assert_regions(&f, &img, &info, name);
		image_release(&img);
		free(expected);
		free(f.data);
	}
}

/* ---- orientation ------------------------------------------------------------------------------------------------- */

/* Where EXIF says that the pixel shown at x, y is stored: the visual meaning of the numbers, written out. */
static void stored_place(uint32_t *ret_x, uint32_t *ret_y, unsigned orientation, uint32_t x, uint32_t y)
{
	const uint32_t right = WIDTH - 1, bottom = HEIGHT - 1;

	switch (orientation) {
	case 2: /* mirrored left to right */
		*ret_x = right - x, *ret_y = y;
		break;
	case 3: /* upside down */
		*ret_x = right - x, *ret_y = bottom - y;
		break;
	case 4: /* mirrored top to bottom */
		*ret_x = x, *ret_y = bottom - y;
		break;
	case 5: /* mirrored along the main diagonal */
		*ret_x = y, *ret_y = x;
		break;
	case 6: /* to be turned by 90 degrees clockwise: the stored left column is the top row, read from the bottom */
		*ret_x = y, *ret_y = bottom - x;
		break;
	case 7: /* mirrored along the other diagonal */
		*ret_x = right - y, *ret_y = bottom - x;
		break;
	case 8: /* to be turned by 90 degrees anticlockwise */
		*ret_x = right - y, *ret_y = x;
		break;
	default:
		*ret_x = x, *ret_y = y;
	}
}

static void assert_turned(const struct image_file *f, const struct image *plain, unsigned orientation, const char *name)
{
	struct image img = {0};
	struct image_info info;
	bool sideways = orientation >= 5 && orientation <= 8;

	keep(f, name);
	decode_region(&img, &info, f, NULL);
	assert_int_equal(info.width, sideways ? HEIGHT : WIDTH);
	assert_int_equal(info.height, sideways ? WIDTH : HEIGHT);
	for (uint32_t y = 0; y < info.height; y++) {
		for (uint32_t x = 0; x < info.width; x++) {
			uint32_t sx, sy;

			stored_place(&sx, &sy, orientation, x, y);
			assert_pixel(&img, x, y, image_at(plain, sx, sy), name);
		}
	}
	assert_regions(f, &img, &info, name);
	image_release(&img);
}

static void all_exif_orientations_are_applied(void **state)
{
	struct jpeg_options jpeg = {.kind = JPEG_KIND_COLOUR, .h = 2, .v = 2};
	struct png_options png = {.type = PNG_COLOR_TYPE_RGB, .depth = 8};
	struct image plain_jpeg = {0}, plain_png = {0};
	struct image_file f;
	struct image_info info;
	char name[64];

	(void)state;
	make_jpeg(&f, WIDTH, HEIGHT, &jpeg);
	decode_region(&plain_jpeg, &info, &f, NULL);
	free(f.data);
	make_png(&f, WIDTH, HEIGHT, &png);
	decode_region(&plain_png, &info, &f, NULL);
	free(f.data);
	/* 9 is no orientation: as 1. */
	for (unsigned i = 1; i <= 9; i++) {
		for (int variant = 0; variant < 2; variant++) {
			jpeg.orientation = png.orientation = i;
			jpeg.big_endian = png.exif_after = variant;
			snprintf(name, sizeof(name), "orientation%u_%d.jpg", i, variant);
			make_jpeg(&f, WIDTH, HEIGHT, &jpeg);
			assert_turned(&f, &plain_jpeg, i, name);
			free(f.data);
			snprintf(name, sizeof(name), "orientation%u_%d.png", i, variant);
			make_png(&f, WIDTH, HEIGHT, &png);
			assert_turned(&f, &plain_png, i, name);
			free(f.data);
		}
	}
	image_release(&plain_jpeg);
	image_release(&plain_png);
}

/* ---- bad input --------------------------------------------------------------------------------------------------- */

static void assert_refused(const void *data, size_t len, const char *text)
{
	struct image_info info = {0};
	struct error err = {""};

	assert_true(image_read_info(&info, data, len, MAX_PIXELS, &err) < 0);
	if (!strstr(err.text, text))
		fail_msg("'%s' does not say '%s'", err.text, text);
	assert_int_equal(info.width, 0);
}

static void what_is_no_picture_is_refused(void **state)
{
	(void)state;
	assert_refused("", 0, "empty");
	assert_refused("hello world", 11, "neither a JPEG nor a PNG");
	assert_refused("GIF89a\1\0\1\0", 10, "neither a JPEG nor a PNG");
	assert_refused("\xff\xd8\xff", 3, "truncated");
	assert_refused("\xff\xd8\xff\xd9\xff\xd9", 6, "no image");
	assert_refused("\x89PNG\r\n\x1a\n", 8, "truncated");
}

/* Sets the size in the header of a JPEG: SOF0 is FF C0 length precision height width. */
static void jpeg_set_size(struct image_file *f, unsigned width, unsigned height)
{
	for (size_t i = 0; i + 8 < f->len; i++) {
		if (f->data[i] == 0xff && f->data[i + 1] == 0xc0) {
			f->data[i + 5] = (uint8_t)(height >> 8);
			f->data[i + 6] = (uint8_t)height;
			f->data[i + 7] = (uint8_t)(width >> 8);
			f->data[i + 8] = (uint8_t)width;
			return;
		}
	}
	fail_msg("no SOF0");
}

/* The same in the header of a PNG, and its check sum. */
static void png_set_size(struct image_file *f, unsigned width, unsigned height)
{
	uint8_t *header = f->data + 12; /* type and content of IHDR */

	png_save_uint_32(header + 4, width);
	png_save_uint_32(header + 8, height);
	png_save_uint_32(header + 17, (png_uint_32)crc32(0, header, 17));
}

static void huge_headers_are_refused_before_any_memory_is_taken(void **state)
{
	struct jpeg_options jpeg = {.kind = JPEG_KIND_COLOUR, .h = 2, .v = 2};
	struct png_options png = {.type = PNG_COLOR_TYPE_RGB, .depth = 8};
	struct image_file f;

	(void)state;
	make_jpeg(&f, WIDTH, HEIGHT, &jpeg);
	jpeg_set_size(&f, 30000, 30000);
	assert_refused(f.data, f.len, "30000x30000 pixels are more than the 67108864");
	jpeg_set_size(&f, 8000, 8000);
	assert_refused(f.data, f.len, "cannot hold the 8000x8000 pixels");
	jpeg_set_size(&f, 100, 0);
	assert_refused(f.data, f.len, "");
	free(f.data);
	make_png(&f, WIDTH, HEIGHT, &png);
	png_set_size(&f, 30000, 30000);
	assert_refused(f.data, f.len, "30000x30000 pixels are more than the 67108864");
	png_set_size(&f, 8000, 8000);
	assert_refused(f.data, f.len, "cannot hold the 8000x8000 pixels");
	png_set_size(&f, 0, 10);
	assert_refused(f.data, f.len, "");
	free(f.data);
}

/* However much is missing, and even where all that is wanted comes before the cut. */
static void truncated_pictures_are_refused(void **state)
{
	static const struct jpeg_options kinds[] = {
		{.kind = JPEG_KIND_COLOUR, .h = 2, .v = 2},
		{.kind = JPEG_KIND_COLOUR, .h = 2, .v = 2, .progressive = true},
		{.kind = JPEG_KIND_GRAY},
		{.kind = JPEG_KIND_CMYK, .restart_rows = 1},
	};
	const struct image_region top = {10, 0, 20, 4};
	struct png_options png = {.type = PNG_COLOR_TYPE_RGB, .depth = 8};

	(void)state;
	for (size_t i = 0; i <= ARRAY_LEN(kinds); i++) {
		struct image img = {0};
		struct image_file f;
		struct error err;

		if (i < ARRAY_LEN(kinds))
			make_jpeg(&f, WIDTH, HEIGHT, &kinds[i]);
		else
			make_png(&f, WIDTH, HEIGHT, &png);
		for (size_t len = 8; len < f.len - 12; len += len < 1500 ? 7 : 131) {
			/* A copy, so that a sanitizer sees any read beyond the cut. */
			uint8_t *cut = malloc(len);
			struct image_info info;

			assert_non_null(cut);
			memcpy(cut, f.data, len);
			if (image_read_info(&info, cut, len, MAX_PIXELS, &err) == 0)
				assert_true(image_decode(&img, cut, len, &info, &top, &err) < 0);
			if (!strstr(err.text, "truncated"))
				fail_msg("%zu of %zu bytes of kind %zu: %s", len, f.len, i, err.text);
			free(cut);
		}
		image_release(&img);
		free(f.data);
	}
}

static void jpeg_without_end_marker_is_whole(void **state)
{
	struct jpeg_options o = {.kind = JPEG_KIND_COLOUR, .h = 2, .v = 2};
	const struct image_region top = {0, 0, 10, 4};
	struct image img = {0}, again = {0};
	struct image_file f;
	struct image_info info;

	(void)state;
	make_jpeg(&f, WIDTH, HEIGHT, &o);
	decode_region(&img, &info, &f, NULL);
	f.len -= 2;
	decode_region(&again, &info, &f, NULL);
	assert_memory_equal(img.pixels, again.pixels, img.stride * HEIGHT);
	decode_region(&again, &info, &f, &top);
	assert_memory_equal(image_at(&img, 0, 0), image_at(&again, 0, 0), 40);
	image_release(&img);
	image_release(&again);
	free(f.data);
}

/* The last scan of a progressive file a thousand times over. */
static void endless_scans_are_refused(void **state)
{
	struct jpeg_options o = {.kind = JPEG_KIND_GRAY, .progressive = true};
	const struct image_region region = {0, 0, 8, 8};
	struct image_file f;
	struct image img = {0};
	struct image_info info;
	struct error err;
	size_t scan = 0, scan_len;
	uint8_t *bomb;

	(void)state;
	make_jpeg(&f, 16, 16, &o);
	for (size_t i = 0; i + 1 < f.len; i++) {
		if (f.data[i] == 0xff && f.data[i + 1] == 0xda)
			scan = i;
	}
	assert_true(scan > 0);
	scan_len = f.len - 2 - scan;
	bomb = malloc(f.len + 1000 * scan_len);
	assert_non_null(bomb);
	memcpy(bomb, f.data, f.len - 2);
	for (size_t i = 0; i < 1000; i++)
		memcpy(bomb + f.len - 2 + i * scan_len, f.data + scan, scan_len);
	memcpy(bomb + f.len - 2 + 1000 * scan_len, "\xff\xd9", 2);
	assert_int_equal(image_read_info(&info, bomb, f.len + 1000 * scan_len, MAX_PIXELS, &err), 0);
	assert_int_equal(image_decode(&img, bomb, f.len + 1000 * scan_len, &info, &region, &err), ERR_FORMAT);
	assert_non_null(strstr(err.text, "too many scans"));
	image_release(&img);
	free(bomb);
	free(f.data);
}

/* No bytes of an EXIF make anything but an orientation or nothing. */
static void damaged_exif_is_no_orientation(void **state)
{
	struct jpeg_options o = {.kind = JPEG_KIND_GRAY, .orientation = 6};
	struct image_file f;
	struct image_info info;
	struct error err;
	size_t exif = 0;

	(void)state;
	make_jpeg(&f, 40, 30, &o);
	for (size_t i = 0; i + 6 < f.len && !exif; i++) {
		if (memcmp(f.data + i, "Exif\0", 6) == 0)
			exif = i + 6;
	}
	assert_true(exif > 0);
	for (size_t i = 0; i < 50; i++) {
		uint8_t kept = f.data[exif + i];

		for (int v = 0; v < 256; v += 51) {
			f.data[exif + i] = (uint8_t)v;
			assert_int_equal(image_read_info(&info, f.data, f.len, MAX_PIXELS, &err), 0);
			assert_true(info.orientation >= 1 && info.orientation <= 8);
			assert_int_equal(info.width * info.height, 1200);
		}
		f.data[exif + i] = kept;
	}
	assert_int_equal(image_read_info(&info, f.data, f.len, MAX_PIXELS, &err), 0);
	assert_int_equal(info.orientation, 6);
	assert_int_equal(info.width, 30);
	free(f.data);
}

/* ---- writing ---------------------------------------------------------------------------------------------------- */

static void written_png_reads_back(void **state)
{
	char dir[256], path[300], *data;
	uint8_t rgb[31 * 17 * 3];
	struct image img = {0};
	struct image_info info;
	struct image_file f;
	struct error err;

	(void)state;
	for (uint32_t i = 0; i < sizeof(rgb); i++)
		rgb[i] = picture(i / 3 % 31, i / 93, i % 3);
	temp_folder_new(dir, sizeof(dir));
	snprintf(path, sizeof(path), "%s/a.png", dir);
	assert_int_equal(image_write_png(path, rgb, 31, 17, &err), 0);
	assert_int_equal(file_read(&data, &f.len, path, 100000, &err), 0);
	f.data = (uint8_t *)data;
	decode_region(&img, &info, &f, NULL);
	for (uint32_t y = 0; y < 17; y++) {
		for (uint32_t x = 0; x < 31; x++)
			assert_pixel(&img, x, y, rgb + (y * 31 + x) * 3, "written");
	}
	snprintf(path, sizeof(path), "%s/nowhere/a.png", dir);
	assert_int_equal(image_write_png(path, rgb, 31, 17, &err), ERR_IO);
	image_release(&img);
	free(data);
	temp_folder_remove(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_kind_of_png_becomes_rgb),
		cmocka_unit_test(every_kind_of_jpeg_is_decoded_as_libjpeg_does),
		cmocka_unit_test(all_exif_orientations_are_applied),
		cmocka_unit_test(what_is_no_picture_is_refused),
		cmocka_unit_test(huge_headers_are_refused_before_any_memory_is_taken),
		cmocka_unit_test(truncated_pictures_are_refused),
		cmocka_unit_test(jpeg_without_end_marker_is_whole),
		cmocka_unit_test(endless_scans_are_refused),
		cmocka_unit_test(damaged_exif_is_no_orientation),
		cmocka_unit_test(written_png_reads_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
