/*
 * fuzz_image.c - any bytes as a photo: no crash, no read outside of the file, and what is accepted has the size that
 * its header says and can be scaled.
 */
#include <stdlib.h>
#include <string.h>

#include "datagen/image_internal.h"
#include "datagen/image_resize.h"

/* Larger ones take the same ways, only longer. */
#define MAX_PIXELS 65536

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void scale(const struct image *img, const struct image_info *info, const struct image_region *region)
{
	struct resize_scratch scratch = {0};
	struct image_region dst = {0, 0, 8, 8}, needed;
	uint8_t rgb[8 * 8 * 3];
	struct resize r;
	struct error err;

	resize_init(&r, info->width, info->height, 8, 8);
	needed = resize_source(&r, &dst);
	if (needed.x + needed.width > info->width || needed.y + needed.height > info->height)
		abort();
	if (region->width == info->width && region->height == info->height)
		(void)!resize_run(&scratch, rgb, &r, &dst, img, &err);
	resize_scratch_release(&scratch);
}

/* The first two bytes choose the region. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct image_region region;
	struct image_info info;
	struct image img = {0};
	struct error err;

	if (size < 2)
		return 0;
	if (exif_orientation(data + 2, size - 2) - 1 > 7)
		abort();
	if (image_read_info(&info, data + 2, size - 2, MAX_PIXELS, &err) < 0)
		return 0;
	if (info.width == 0 || info.height == 0 || (uint64_t)info.width * info.height > MAX_PIXELS)
		abort();
	region.x = data[0] % info.width;
	region.y = data[1] % info.height;
	region.width = info.width - region.x;
	region.height = info.height - region.y;
	if (image_decode(&img, data + 2, size - 2, &info, &region, &err) == 0) {
		if (img.region.x > region.x || img.region.y > region.y ||
		    img.region.x + img.region.width < region.x + region.width ||
		    img.region.y + img.region.height < region.y + region.height)
			abort();
		scale(&img, &info, &region);
	}
	image_release(&img);
	return 0;
}
