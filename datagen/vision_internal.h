/*
 * vision_internal.h - the parts of the photo pipeline: the folder, one photo, the ring between threads and writer.
 */
#ifndef DATAGEN_VISION_INTERNAL_H
#define DATAGEN_VISION_INTERNAL_H

#include <pthread.h>
#include <stddef.h>

#include "datagen/image.h"
#include "datagen/image_resize.h"
#include "datagen/mt19937.h"
#include "datagen/vision.h"

/* ---- vision_folder.c: which files are photos ------------------------------------------------------------------ */

/* Names, sorted bytewise as Python sorts them. */
struct photo_names {
	char **names;
	size_t count, cap;
	size_t ignored; /* other files */
};

/* Regular files (or links to them) whose name ends as a JPEG's or PNG's, or that begin as one. */
int photo_names_read(struct photo_names *ret, const char *folder, struct error *err) MUST_CHECK;
void photo_names_release(struct photo_names *n);

/* ---- vision_photo.c: from a file to crops ---------------------------------------------------------------------- */

/* One thread's photo at work, its memory used again for the next one. Zero-initialise. */
struct photo {
	char *data; /* the file; NULL: synthetic */
	size_t len;
	struct image_info info;
	struct resize resize;
	bool cropped;               /* 224 × 224 already */
	unsigned ncrops;            /* how many it gives */
	struct image_region *crops; /* of the scaled photo */
	size_t crops_cap;
	struct image image;
	struct resize_scratch scratch;
};

/* Reads file and header; path NULL: synthetic photo number index. What fails is about this photo: it can be skipped. */
int photo_open(struct photo *p, const struct vision_config *cfg, const char *path, uint64_t index,
	       struct error *err) MUST_CHECK;
/* Draws the places of the crops: x, then y, of each. */
int photo_draw(struct photo *p, const struct vision_config *cfg, struct mt19937 *numbers, struct error *err) MUST_CHECK;
/* Decodes what the crops need. */
int photo_decode(struct photo *p, const struct vision_config *cfg, uint64_t index, struct error *err) MUST_CHECK;
/* Makes one crop: VISION_PIXELS bytes. */
int photo_crop(struct photo *p, unsigned crop, uint8_t *rgb, struct error *err) MUST_CHECK;
/* Frees what belongs to one photo; photo_release all. */
void photo_close(struct photo *p);
void photo_release(struct photo *p);

/* ---- vision_synthetic.c ---------------------------------------------------------------------------------------- */

/* Size, and pixels, of a synthetic photo: smooth colours with texture. Depend on seed and index alone. */
void synthetic_photo_info(struct image_info *ret, uint64_t seed, uint64_t index);
int synthetic_photo_fill(struct image *img, const struct image_info *info, uint64_t seed, uint64_t index,
			 struct error *err) MUST_CHECK;

/* ---- vision_ring.c: crops in order, out of threads that finish in any order -------------------------------------- */

enum slot_state {
	SLOT_EMPTY,
	SLOT_CROP,    /* rgb is a crop */
	SLOT_SKIPPED, /* the photo could not be read, why says so */
	SLOT_FAILED,  /* the run cannot go on, why says so */
};

struct slot {
	enum slot_state state;
	bool last;    /* the photo's last one: the next number is the first of the next photo */
	bool cropped; /* the photo was 224 × 224 already */
	struct error why;
	int code;
	uint8_t rgb[VISION_PIXELS];
};

/* Crop k of photo i has the number i × reuse + k. The writer takes the numbers in order; threads are at most `size`
 * numbers ahead of it. */
struct ring {
	pthread_mutex_t lock;
	pthread_cond_t filled, emptied, turned;
	struct slot *slots;
	unsigned size;
	uint64_t written; /* the number that the writer takes next */
	uint64_t turn;    /* the photo whose crops are drawn next */
	bool quit;
};

int ring_init(struct ring *r, unsigned size, struct error *err) MUST_CHECK;
void ring_release(struct ring *r);
/* Each waits, and answers false once the run ends. */
bool ring_wait_turn(struct ring *r, uint64_t photo);
bool ring_wait_written(struct ring *r, uint64_t number);
struct slot *ring_wait_empty(struct ring *r, uint64_t number); /* NULL: the run ends */
void ring_pass_turn(struct ring *r);
/* The slot is the writer's from here on. */
void ring_fill(struct ring *r, struct slot *slot, enum slot_state state, bool last);
/* Writer: the next slot, or NULL if none came within 0.1 s. Then empties it, going on with number next. */
struct slot *ring_take(struct ring *r);
void ring_empty(struct ring *r, struct slot *slot, uint64_t next);
void ring_quit(struct ring *r);

#endif
