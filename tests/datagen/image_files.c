#include "tests/datagen/image_files.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jpeglib.h>
#include <png.h>
#include <zlib.h>

#include "common/file.h"

#define EXIF_MARKER (JPEG_APP0 + 1)
#define PALETTE_COLOURS 256

uint8_t picture(uint32_t x, uint32_t y, unsigned channel)
{
	unsigned wave = (x * (3 + channel) + y * (5 - channel)) % 512, fold = wave < 256 ? wave : 511 - wave;

	return (uint8_t)((fold * 3 + (x * 37 + y * 101 + channel * 53) % 64 * 3) / 4);
}

static void put16(uint8_t *p, unsigned v, bool big)
{
	p[big ? 0 : 1] = (uint8_t)(v >> 8);
	p[big ? 1 : 0] = (uint8_t)v;
}

static void put32(uint8_t *p, unsigned v, bool big)
{
	put16(p + (big ? 0 : 2), v >> 16, big);
	put16(p + (big ? 2 : 0), v & 0xffff, big);
}

size_t make_exif(uint8_t *ret, unsigned orientation, bool big)
{
	static const struct {
		unsigned tag, value;
	} entries[] = {{0x0100, 640}, {0x0112, 0}, {0x0128, 2}};
	size_t n = sizeof(entries) / sizeof(entries[0]);
	uint8_t *p = ret;

	memcpy(p, big ? "MM" : "II", 2);
	put16(p + 2, 42, big);
	put32(p + 4, 8, big);
	put16(p + 8, (unsigned)n, big);
	p += 10;
	for (size_t i = 0; i < n; i++, p += 12) {
		put16(p, entries[i].tag, big);
		put16(p + 2, 3, big);
		put32(p + 4, 1, big);
		put32(p + 8, 0, big);
		put16(p + 8, entries[i].tag == 0x0112 ? orientation : entries[i].value, big);
	}
	put32(p, 0, big);
	return (size_t)(p + 4 - ret);
}

static void jpeg_settings(struct jpeg_compress_struct *c, const struct jpeg_options *o)
{
	static const struct {
		int components;
		J_COLOR_SPACE in, stored;
	} kinds[] = {
		[JPEG_KIND_GRAY] = {1, JCS_GRAYSCALE, JCS_GRAYSCALE},
		[JPEG_KIND_COLOUR] = {3, JCS_RGB, JCS_YCbCr},
		[JPEG_KIND_CMYK] = {4, JCS_CMYK, JCS_CMYK},
		[JPEG_KIND_YCCK] = {4, JCS_CMYK, JCS_YCCK},
	};

	c->input_components = kinds[o->kind].components;
	c->in_color_space = kinds[o->kind].in;
	jpeg_set_defaults(c);
	jpeg_set_colorspace(c, kinds[o->kind].stored);
	jpeg_set_quality(c, 90, TRUE);
	for (int i = 0; i < c->num_components; i++)
		c->comp_info[i].h_samp_factor = c->comp_info[i].v_samp_factor = 1;
	c->comp_info[0].h_samp_factor = o->h ? o->h : 1;
	c->comp_info[0].v_samp_factor = o->v ? o->v : 1;
	if (o->kind == JPEG_KIND_YCCK)
		c->comp_info[3] = (jpeg_component_info){.component_id = 4,
							.component_index = 3,
							.h_samp_factor = c->comp_info[0].h_samp_factor,
							.v_samp_factor = c->comp_info[0].v_samp_factor};
	c->restart_in_rows = (int)o->restart_rows;
	c->optimize_coding = o->optimised;
	c->arith_code = o->arithmetic;
	if (o->progressive)
		jpeg_simple_progression(c);
}

void make_jpeg(struct image_file *ret, uint32_t width, uint32_t height, const struct jpeg_options *o)
{
	struct jpeg_compress_struct c;
	struct jpeg_error_mgr errors;
	uint8_t exif[70] = "Exif\0";
	unsigned long len = 0;
	uint8_t *row;

	*ret = (struct image_file){0};
	c.err = jpeg_std_error(&errors);
	jpeg_create_compress(&c);
	jpeg_mem_dest(&c, &ret->data, &len);
	c.image_width = width;
	c.image_height = height;
	jpeg_settings(&c, o);
	jpeg_start_compress(&c, TRUE);
	if (o->orientation)
		jpeg_write_marker(&c, EXIF_MARKER, exif,
				  (unsigned)(6 + make_exif(exif + 6, o->orientation, o->big_endian)));
	row = malloc((size_t)width * 4);
	assert_non_null(row);
	for (uint32_t y = 0; y < height; y++) {
		for (uint32_t x = 0; x < width; x++) {
			for (int i = 0; i < c.input_components; i++)
				row[x * (unsigned)c.input_components + (unsigned)i] = picture(x, y, (unsigned)i);
		}
		jpeg_write_scanlines(&c, &row, 1);
	}
	jpeg_finish_compress(&c);
	jpeg_destroy_compress(&c);
	free(row);
	ret->len = len;
}

/* The value of one sample of a PNG in `depth` bits: the picture's high bits; 16 bits: with a low byte to be cut off. */
static unsigned png_sample(uint32_t x, uint32_t y, unsigned channel, int depth)
{
	unsigned v = picture(x, y, channel);

	return depth == 16 ? v << 8 | (v * 7 & 0xff) : v >> (8 - depth);
}

/* Colours of a palette of 2^depth. */
static void palette_colour(uint8_t rgb[3], unsigned index)
{
	rgb[0] = (uint8_t)(index * 91 + 10);
	rgb[1] = (uint8_t)(255 - index * 3);
	rgb[2] = (uint8_t)(index * 17);
}

void png_expected(uint8_t rgb[3], uint32_t x, uint32_t y, const struct png_options *o)
{
	for (unsigned c = 0; c < 3; c++) {
		if (o->type & PNG_COLOR_MASK_COLOR)
			rgb[c] = picture(x, y, c);
		else
			rgb[c] = picture(x, y, 0);
		if (o->depth < 8)
			rgb[c] = (uint8_t)(png_sample(x, y, 0, o->depth) * 255 / ((1u << o->depth) - 1));
	}
	if (o->type == PNG_COLOR_TYPE_PALETTE)
		palette_colour(rgb, png_sample(x, y, 0, o->depth));
}

static void png_on_write(png_structp png, png_bytep data, size_t len)
{
	struct image_file *f = png_get_io_ptr(png);

	f->data = realloc(f->data, f->len + len);
	assert_non_null(f->data);
	memcpy(f->data + f->len, data, len);
	f->len += len;
}

static void png_on_flush(png_structp png)
{
	(void)png;
}

static void png_palette(png_structp png, png_infop info, const struct png_options *o)
{
	png_color colours[PALETTE_COLOURS];
	png_byte alpha[PALETTE_COLOURS];
	int n = 1 << o->depth;

	for (int i = 0; i < n; i++) {
		uint8_t rgb[3];

		palette_colour(rgb, (unsigned)i);
		colours[i] = (png_color){rgb[0], rgb[1], rgb[2]};
		alpha[i] = (png_byte)(i * 5);
	}
	png_set_PLTE(png, info, colours, n);
	if (o->transparent)
		png_set_tRNS(png, info, alpha, n, NULL);
}

static void png_fill_row(uint8_t *row, uint32_t width, uint32_t y, unsigned channels, int depth)
{
	memset(row, 0, ((size_t)width * channels * (unsigned)depth + 7) / 8);
	for (uint32_t x = 0; x < width; x++) {
		for (unsigned c = 0; c < channels; c++) {
			size_t i = (size_t)x * channels + c;
			unsigned v = png_sample(x, y, c, depth);

			if (depth == 16)
				put16(row + i * 2, v, true);
			else
				row[i * (unsigned)depth / 8] |=
					(uint8_t)(v << (8 - (unsigned)depth - i * (unsigned)depth % 8));
		}
	}
}

/* libpng writes eXIf only with its info; here it may come behind the pixels. */
static void png_write_exif(png_structp png, unsigned orientation)
{
	uint8_t exif[64];

	png_write_chunk(png, (png_const_bytep) "eXIf", exif, make_exif(exif, orientation, true));
}

void make_png(struct image_file *ret, uint32_t width, uint32_t height, const struct png_options *o)
{
	png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, NULL, NULL, NULL);
	png_infop info = png_create_info_struct(png);
	png_color_16 transparent = {.red = 7, .green = 8, .blue = 9, .gray = 1};
	int passes = o->interlaced ? 7 : 1;
	unsigned channels;
	uint8_t *row;

	*ret = (struct image_file){0};
	png_set_write_fn(png, ret, png_on_write, png_on_flush);
	png_set_IHDR(png, info, width, height, o->depth, o->type,
		     o->interlaced ? PNG_INTERLACE_ADAM7 : PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT,
		     PNG_FILTER_TYPE_DEFAULT);
	if (o->type == PNG_COLOR_TYPE_PALETTE)
		png_palette(png, info, o);
	else if (o->transparent)
		png_set_tRNS(png, info, NULL, 0, &transparent);
	png_write_info(png, info);
	if (o->orientation && !o->exif_after)
		png_write_exif(png, o->orientation);
	channels = png_get_channels(png, info);
	row = malloc((size_t)width * 8);
	assert_non_null(row);
	png_set_interlace_handling(png);
	for (int pass = 0; pass < passes; pass++) {
		for (uint32_t y = 0; y < height; y++) {
			png_fill_row(row, width, y, channels, o->depth);
			png_write_row(png, row);
		}
	}
	if (o->orientation && o->exif_after)
		png_write_exif(png, o->orientation);
	png_write_end(png, NULL);
	png_destroy_write_struct(&png, &info);
	free(row);
}

void image_file_write(const struct image_file *f, const char *folder, const char *name)
{
	char path[600];
	struct error err;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	if (file_write(path, f->data, f->len, &err) < 0)
		fail_msg("%s", err.text);
}
