/*
 * vision.h - the vision dataset: photos to tensors, 224 × 224 × 3 float32 in [0, 1], height by width by channel, RGB,
 * no header, one after the other.
 *
 * A photo is decoded as cv2.imread does it, scaled so that its smaller side has 256 pixels as cv2.resize does it, and
 * cropped at random places: the same crops as AIBench's Python script for the same seed. Photos come in the order of
 * their names; the numbers for the crops are drawn in that order too, so the output does not depend on the threads.
 */
#ifndef DATAGEN_VISION_H
#define DATAGEN_VISION_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/error.h"

#define VISION_SIDE 224         /* of a crop */
#define VISION_SMALLER_SIDE 256 /* of a photo before it is cropped */
#define VISION_PIXELS (VISION_SIDE * VISION_SIDE * 3)
#define VISION_TENSOR_SIZE (VISION_PIXELS * sizeof(float))
#define VISION_MAX_PIXELS (UINT64_C(8192) * 8192)
#define VISION_SYNTHETIC_PHOTOS 100
#define VISION_THREADS_MAX 1024

struct vision_config {
	const char *input;  /* folder of photos; NULL: synthetic ones */
	const char *output; /* NULL or "-": standard output */
	const char *crops;  /* folder that gets each crop as PNG, made if it is not there; NULL: none */
	int64_t limit;      /* tensors at the most; below 0: all (synthetic: VISION_SYNTHETIC_PHOTOS photos) */
	uint32_t seed;
	unsigned reuse;         /* crops a photo; ≥ 1 */
	unsigned threads;       /* ≥ 1 */
	uint64_t max_pixels;    /* of a photo */
	bool already_cropped;   /* photos must be 224 × 224 */
	bool strict;            /* a photo that cannot be read fails the run */
	const atomic_int *stop; /* non-zero ends the work with ERR_CANCELED; may be NULL */
	/* Called on the calling thread, in the order of the photos; each may be NULL. */
	void (*skipped)(void *arg, const char *text); /* a photo was left out: its name and why */
	void (*progress)(void *arg, uint64_t photos, uint64_t of);
	void *arg;
};

struct vision_summary {
	uint64_t tensors;
	uint64_t photos;  /* that gave tensors */
	uint64_t cropped; /* of these: that were 224 × 224 already and were taken as they are, once */
	uint64_t skipped; /* that could not be read */
	uint64_t ignored; /* files of the folder that are no photos by name and content */
};

int vision_generate(struct vision_summary *ret, const struct vision_config *cfg, struct error *err) MUST_CHECK;

#endif
