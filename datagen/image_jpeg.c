/*
 * image_jpeg.c - JPEG by libjpeg-turbo. Its errors leave by longjmp; none leaves this file.
 *
 * Decoding a region costs less than the whole: columns outside of it are not transformed (jpeg_crop_scanline), rows
 * above it only entropy-decoded (jpeg_skip_scanlines), rows below not even read. Both functions need neighbours for
 * the smooth upsampling of the chroma, so a few more pixels than asked for are decoded on every side.
 */
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jerror.h>
#include <jpeglib.h>

#include "datagen/image_internal.h"

#define MARGIN 2
/* Progressive files have some ten scans; thousands of empty ones are an attack. */
#define SCANS_MAX 300
#define EXIF_MARKER (JPEG_APP0 + 1)
#define EXIF_PREFIX 6 /* "Exif\0\0" */
#define MARKER_MAX 0xffff

struct reader {
	struct jpeg_decompress_struct cinfo;
	struct jpeg_error_mgr errors;
	struct jpeg_progress_mgr progress;
	jmp_buf failed;
	bool ended; /* the bytes ran out and libjpeg was told that the picture ends */
	int code;
	char text[JMSG_LENGTH_MAX];
	/* What the step at work reads and makes. */
	struct image_info *info;
	struct image *img;
	struct image_region *region;
	size_t stride;
};

static struct reader *reader_of(j_common_ptr cinfo)
{
	return cinfo->client_data;
}

static _Noreturn void fail(struct reader *r, int code, const char *text)
{
	r->code = code;
	snprintf(r->text, sizeof(r->text), "%s", text);
	longjmp(r->failed, 1);
}

static _Noreturn void fail_truncated(struct reader *r)
{
	fail(r, ERR_FORMAT, "truncated: the file ends before the picture does");
}

static _Noreturn void on_error(j_common_ptr cinfo)
{
	struct reader *r = reader_of(cinfo);
	char text[JMSG_LENGTH_MAX];

	if (r->ended)
		fail_truncated(r);
	cinfo->err->format_message(cinfo, text);
	fail(r, cinfo->err->msg_code == JERR_OUT_OF_MEMORY ? ERR_NOMEM : ERR_FORMAT, text);
}

/* Warnings are of damage that libjpeg, as in cv2, decodes around; only data that is not there is an error. */
static void on_message(j_common_ptr cinfo, int level)
{
	struct reader *r = reader_of(cinfo);

	if (level < 0 && r->ended && cinfo->err->msg_code == JWRN_HIT_MARKER)
		fail_truncated(r);
}

static void on_progress(j_common_ptr cinfo)
{
	if (((j_decompress_ptr)cinfo)->input_scan_number > SCANS_MAX)
		fail(reader_of(cinfo), ERR_FORMAT, "has far too many scans");
}

/* A file may well lack its end marker: whether pixels are missing shows when they are wanted. */
static boolean on_end(j_decompress_ptr cinfo)
{
	static const JOCTET end[] = {0xff, JPEG_EOI};

	reader_of((j_common_ptr)cinfo)->ended = true;
	cinfo->src->next_input_byte = end;
	cinfo->src->bytes_in_buffer = sizeof(end);
	return TRUE;
}

static void open_source(struct reader *r, const uint8_t *data, size_t len)
{
	jpeg_create_decompress(&r->cinfo);
	r->cinfo.progress = &r->progress;
	jpeg_mem_src(&r->cinfo, data, (unsigned long)len);
	r->cinfo.src->fill_input_buffer = on_end;
}

/* Runs step on the file; whatever libjpeg did, everything of its own is freed afterwards. */
static int run(struct reader *r, void (*step)(struct reader *r), const uint8_t *data, size_t len, struct error *err)
{
	r->cinfo.err = jpeg_std_error(&r->errors);
	r->cinfo.client_data = r;
	r->errors.error_exit = on_error;
	r->errors.emit_message = on_message;
	r->progress.progress_monitor = on_progress;
	if (setjmp(r->failed) == 0) {
		open_source(r, data, len);
		step(r);
	}
	jpeg_destroy_decompress(&r->cinfo);
	return r->code < 0 ? error_set(err, (enum error_code)r->code, "%s", r->text) : 0;
}

/* As cv2: the first APP1 marker counts, even if it holds something else. */
static unsigned orientation_of(const struct jpeg_decompress_struct *cinfo)
{
	for (jpeg_saved_marker_ptr m = cinfo->marker_list; m; m = m->next) {
		if (m->marker == EXIF_MARKER)
			return m->data_length > EXIF_PREFIX
				       ? exif_orientation(m->data + EXIF_PREFIX, m->data_length - EXIF_PREFIX)
				       : 1;
	}
	return 1;
}

static void read_info(struct reader *r)
{
	jpeg_save_markers(&r->cinfo, EXIF_MARKER, MARKER_MAX);
	jpeg_read_header(&r->cinfo, TRUE);
	r->info->format = IMAGE_JPEG;
	r->info->stored_width = r->cinfo.image_width;
	r->info->stored_height = r->cinfo.image_height;
	r->info->orientation = orientation_of(&r->cinfo);
}

int image_jpeg_info(struct image_info *ret, uint64_t *ret_least, const uint8_t *data, size_t len, struct error *err)
{
	struct reader r = {.info = ret};
	int rc = run(&r, read_info, data, len, err);

	if (rc < 0)
		return rc;
	/* A Huffman code has at least one bit, and every block of 8 × 8 pixels one code. */
	*ret_least = r.cinfo.arith_code ? 0 : ((uint64_t)ret->stored_width / 8) * (ret->stored_height / 8) / 8;
	return 0;
}

/* The inverted CMYK that Adobe's programs write, to RGB with cv2's rounding. */
static void cmyk_to_rgb(uint8_t *row, size_t width)
{
	for (size_t x = 0; x < width; x++) {
		uint8_t *p = row + x * IMAGE_PIXEL;
		int k = p[3];

		for (int c = 0; c < 3; c++)
			p[c] = (uint8_t)(k - ((255 - p[c]) * k >> 8));
	}
}

/* Bounds of one side: MARGIN more on both ends, as far as the picture goes. */
static void widen(uint32_t *start, uint32_t *length, uint32_t size)
{
	uint32_t end = *start + *length;

	end = size - end > MARGIN ? end + MARGIN : size;
	*start = *start > MARGIN ? *start - MARGIN : 0;
	*length = end - *start;
}

/*
 * All rows that are wanted are there. If the rest of the file has an end marker it was not cut off (in entropy-coded
 * data 0xff is followed by 0 or a restart marker); else the last row tells.
 */
static void check_end(struct reader *r)
{
	j_decompress_ptr cinfo = &r->cinfo;
	const uint8_t *p = cinfo->src->next_input_byte, *end = p + cinfo->src->bytes_in_buffer;
	JDIMENSION left = cinfo->output_height - cinfo->output_scanline;
	JSAMPROW row;

	if (left == 0 || jpeg_has_multiple_scans(cinfo))
		return;
	while (p < end && (p = memchr(p, 0xff, (size_t)(end - p))) != NULL) {
		if (end - p >= 2 && p[1] == JPEG_EOI)
			return;
		p++;
	}
	row = (JSAMPROW)(*cinfo->mem->alloc_small)((j_common_ptr)cinfo, JPOOL_IMAGE,
						   (size_t)cinfo->output_width * IMAGE_PIXEL);
	jpeg_skip_scanlines(cinfo, left - 1);
	jpeg_read_scanlines(cinfo, &row, 1);
}

static void start(struct reader *r)
{
	j_decompress_ptr cinfo = &r->cinfo;

	jpeg_read_header(cinfo, TRUE);
	cinfo->out_color_space = cinfo->num_components == 4 ? JCS_CMYK : JCS_EXT_RGBX;
	jpeg_start_decompress(cinfo);
	/* A file of several scans has been read to its end by now. */
	if (r->ended)
		fail_truncated(r);
}

static void read_rows(struct reader *r)
{
	j_decompress_ptr cinfo = &r->cinfo;
	struct image_region *region = r->region;
	uint8_t *row = r->img->decoded;

	if (region->y > 0)
		jpeg_skip_scanlines(cinfo, region->y);
	for (uint32_t y = 0; y < region->height; y++, row += r->stride) {
		jpeg_read_scanlines(cinfo, &row, 1);
		if (cinfo->out_color_space == JCS_CMYK)
			cmyk_to_rgb(row, region->width);
	}
	check_end(r);
}

static void decode(struct reader *r)
{
	j_decompress_ptr cinfo = &r->cinfo;
	struct image_region *region = r->region;
	struct error err;
	JDIMENSION x, width;

	start(r);
	if (region->x + region->width > cinfo->output_width || region->y + region->height > cinfo->output_height)
		fail(r, ERR_RANGE, "the region is not inside of the picture");
	widen(&region->x, &region->width, cinfo->output_width);
	widen(&region->y, &region->height, cinfo->output_height);
	x = region->x;
	width = region->width;
	jpeg_crop_scanline(cinfo, &x, &width);
	region->x = x;
	region->width = width;
	r->stride = (size_t)width * IMAGE_PIXEL;
	if (image_reserve(&r->img->decoded, &r->img->decoded_size, region->height, r->stride, &err) < 0)
		fail(r, ERR_NOMEM, err.text);
	read_rows(r);
}

int image_jpeg_decode(struct image *img, struct image_region *region, size_t *ret_stride, const uint8_t *data,
		      size_t len, struct error *err)
{
	struct reader r = {.img = img, .region = region};
	int rc = run(&r, decode, data, len, err);

	if (rc == 0)
		*ret_stride = r.stride;
	return rc;
}
