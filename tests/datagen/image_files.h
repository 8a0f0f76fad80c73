/*
 * image_files.h - JPEG and PNG files of every kind, made by the tests themselves with libjpeg and libpng.
 */
#ifndef TESTS_DATAGEN_IMAGE_FILES_H
#define TESTS_DATAGEN_IMAGE_FILES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A file in memory; freed by the caller. */
struct image_file {
	uint8_t *data;
	size_t len;
};

/* The pixel at x, y of the picture that all files show: smooth with texture, so that JPEG keeps it. channel 0 to 3. */
uint8_t picture(uint32_t x, uint32_t y, unsigned channel);

enum jpeg_kind { JPEG_KIND_GRAY, JPEG_KIND_COLOUR, JPEG_KIND_CMYK, JPEG_KIND_YCCK };

struct jpeg_options {
	enum jpeg_kind kind;
	int h, v; /* sampling of the first component; 0: 1 */
	bool progressive, optimised, arithmetic;
	unsigned restart_rows;
	unsigned orientation; /* 0: no EXIF */
	bool big_endian;      /* the EXIF */
};

void make_jpeg(struct image_file *ret, uint32_t width, uint32_t height, const struct jpeg_options *o);

struct png_options {
	int type, depth; /* libpng's colour type */
	bool interlaced;
	bool transparent;     /* tRNS for types without alpha */
	unsigned orientation; /* 0: no eXIf */
	bool exif_after;      /* the eXIf behind the pixels */
};

void make_png(struct image_file *ret, uint32_t width, uint32_t height, const struct png_options *o);
/* What cv2.imread shows of the PNG at x, y. */
void png_expected(uint8_t ret_rgb[3], uint32_t x, uint32_t y, const struct png_options *o);

/* The TIFF structure of an EXIF with a few entries; returns its length, at most 64. */
size_t make_exif(uint8_t *ret, unsigned orientation, bool big_endian);

void image_file_write(const struct image_file *f, const char *folder, const char *name);

#endif
