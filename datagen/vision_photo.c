/*
 * vision_photo.c - one photo: read, header, where its crops are, pixels, crops.
 */
#include <inttypes.h>
#include <stdlib.h>

#include "common/file.h"
#include "datagen/vision_internal.h"

/* What a file of max_pixels can need: 16-bit RGBA that does not compress, and its other chunks. */
#define BYTES_A_PIXEL 8
#define BYTES_BESIDE ((size_t)16 << 20)

static uint32_t at_least_one(uint32_t n)
{
	return n > 0 ? n : 1;
}

/* The size that AIBench's script scales to; of two equal sides the height is the smaller one. */
static void scaled_size(uint32_t *ret_width, uint32_t *ret_height, uint32_t width, uint32_t height)
{
	if (height <= width) {
		*ret_width = at_least_one((uint32_t)(width * ((double)VISION_SMALLER_SIDE / height)));
		*ret_height = VISION_SMALLER_SIDE;
	} else {
		*ret_width = VISION_SMALLER_SIDE;
		*ret_height = at_least_one((uint32_t)(height * ((double)VISION_SMALLER_SIDE / width)));
	}
}

static int open_file(struct photo *p, const struct vision_config *cfg, const char *path, struct error *err)
{
	struct error why;
	int rc = file_read(&p->data, &p->len, path, (size_t)cfg->max_pixels * BYTES_A_PIXEL + BYTES_BESIDE, err);

	if (rc < 0)
		return rc;
	rc = image_read_info(&p->info, p->data, p->len, cfg->max_pixels, &why);
	if (rc < 0)
		return error_set(err, (enum error_code)rc, "%s: %s", path, why.text);
	return 0;
}

int photo_open(struct photo *p, const struct vision_config *cfg, const char *path, uint64_t index, struct error *err)
{
	uint32_t width, height;

	photo_close(p);
	if (path) {
		int rc = open_file(p, cfg, path, err);

		if (rc < 0)
			return rc;
	} else {
		synthetic_photo_info(&p->info, cfg->seed, index);
	}
	p->cropped = p->info.width == VISION_SIDE && p->info.height == VISION_SIDE;
	if (cfg->already_cropped && !p->cropped)
		return error_set(err, ERR_FORMAT, "%s: %" PRIu32 "x%" PRIu32 " pixels, not %dx%d (-already-cropped)",
				 path ? path : "synthetic", p->info.width, p->info.height, VISION_SIDE, VISION_SIDE);
	if (p->cropped)
		width = height = VISION_SIDE;
	else
		scaled_size(&width, &height, p->info.width, p->info.height);
	resize_init(&p->resize, p->info.width, p->info.height, width, height);
	return 0;
}

int photo_draw(struct photo *p, const struct vision_config *cfg, struct mt19937 *numbers, struct error *err)
{
	p->ncrops = p->cropped ? 1 : cfg->reuse;
	if (p->ncrops > p->crops_cap) {
		free(p->crops);
		p->crops_cap = 0;
		p->crops = calloc(p->ncrops, sizeof(*p->crops));
		if (!p->crops)
			return error_set(err, ERR_NOMEM, "no memory for the places of %u crops", p->ncrops);
		p->crops_cap = p->ncrops;
	}
	for (unsigned i = 0; i < p->ncrops; i++) {
		struct image_region *c = &p->crops[i];

		*c = (struct image_region){.width = VISION_SIDE, .height = VISION_SIDE};
		if (p->cropped)
			break;
		c->x = mt19937_below(numbers, p->resize.dst_width - VISION_SIDE);
		c->y = mt19937_below(numbers, p->resize.dst_height - VISION_SIDE);
	}
	return 0;
}

static struct image_region hull(struct image_region a, struct image_region b)
{
	uint32_t right = a.x + a.width > b.x + b.width ? a.x + a.width : b.x + b.width;
	uint32_t bottom = a.y + a.height > b.y + b.height ? a.y + a.height : b.y + b.height;
	struct image_region r = {.x = a.x < b.x ? a.x : b.x, .y = a.y < b.y ? a.y : b.y};

	r.width = right - r.x;
	r.height = bottom - r.y;
	return r;
}

int photo_decode(struct photo *p, const struct vision_config *cfg, uint64_t index, struct error *err)
{
	struct image_region region;

	if (!p->data)
		return synthetic_photo_fill(&p->image, &p->info, cfg->seed, index, err);
	region = resize_source(&p->resize, &p->crops[0]);
	for (unsigned i = 1; i < p->ncrops; i++)
		region = hull(region, resize_source(&p->resize, &p->crops[i]));
	return image_decode(&p->image, p->data, p->len, &p->info, &region, err);
}

int photo_crop(struct photo *p, unsigned crop, uint8_t *rgb, struct error *err)
{
	return resize_run(&p->scratch, rgb, &p->resize, &p->crops[crop], &p->image, err);
}

void photo_close(struct photo *p)
{
	free(p->data);
	p->data = NULL;
	p->len = 0;
}

void photo_release(struct photo *p)
{
	photo_close(p);
	free(p->crops);
	image_release(&p->image);
	resize_scratch_release(&p->scratch);
	*p = (struct photo){0};
}
