/*
 * vision.c - photos to tensors: threads that read, decode and crop, and the calling thread that writes in order.
 *
 * Who takes which numbers for its crops must not depend on the threads, so a thread reads the header of its photo,
 * waits for the turn of that photo, draws, and only then decodes. A photo whose header was read has taken its numbers
 * even if its pixels turn out to be damaged.
 */
#include "datagen/vision.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "common/file.h"
#include "datagen/vision_internal.h"

#define SLOTS_A_THREAD 2
#define PATH_SIZE 4096

struct work {
	const struct vision_config *cfg;
	const struct photo_names *names; /* NULL: synthetic photos */
	uint64_t photos;
	struct ring ring;
	struct mt19937 numbers; /* belongs to the photo that has the turn */
	atomic_uint_fast64_t next;
};

/* ---- the threads ------------------------------------------------------------------------------------------------- */

static void name_of(char *ret, size_t size, const struct work *w, uint64_t index)
{
	if (w->names)
		snprintf(ret, size, "%s", w->names->names[index]);
	else
		snprintf(ret, size, "synthetic_%08" PRIu64, index);
}

static int write_crop(const struct work *w, uint64_t index, unsigned crop, const uint8_t *rgb, struct error *err)
{
	char name[PATH_SIZE / 2], path[PATH_SIZE];

	name_of(name, sizeof(name), w, index);
	if (snprintf(path, sizeof(path), "%s/rep%u_%s.png", w->cfg->crops, crop + 1, name) >= (int)sizeof(path))
		return error_set(err, ERR_RANGE, "%s: this name is too long", name);
	return image_write_png(path, rgb, VISION_SIDE, VISION_SIDE, err);
}

/* False: the run ends. */
static bool give_up(struct work *w, uint64_t index, int code, const struct error *why)
{
	struct slot *slot = ring_wait_empty(&w->ring, index * w->cfg->reuse);

	if (!slot)
		return false;
	slot->why = *why;
	slot->code = code;
	/* Out of memory is no fault of the photo. */
	ring_fill(&w->ring, slot, code == ERR_NOMEM ? SLOT_FAILED : SLOT_SKIPPED, true);
	return code != ERR_NOMEM;
}

static bool make_crops(struct work *w, struct photo *p, uint64_t index)
{
	const struct vision_config *cfg = w->cfg;

	for (unsigned i = 0; i < p->ncrops; i++) {
		uint64_t number = index * cfg->reuse + i;
		struct slot *slot = ring_wait_empty(&w->ring, number);
		int rc;

		if (!slot)
			return false;
		rc = photo_crop(p, i, slot->rgb, &slot->why);
		/* Beyond the limit a crop counts only if photos before it were left out: wait until that is known. */
		if (rc == 0 && cfg->crops && cfg->limit >= 0 && number >= (uint64_t)cfg->limit &&
		    !ring_wait_written(&w->ring, number))
			return false;
		if (rc == 0 && cfg->crops)
			rc = write_crop(w, index, i, slot->rgb, &slot->why);
		slot->code = rc;
		slot->cropped = p->cropped;
		ring_fill(&w->ring, slot, rc < 0 ? SLOT_FAILED : SLOT_CROP, i + 1 == p->ncrops);
		if (rc < 0)
			return false;
	}
	return true;
}

/* False: the run ends. */
static bool make_photo(struct work *w, struct photo *p, uint64_t index)
{
	char path[PATH_SIZE];
	struct error why, what;
	int rc = 0;

	if (w->names &&
	    snprintf(path, sizeof(path), "%s/%s", w->cfg->input, w->names->names[index]) >= (int)sizeof(path))
		rc = error_set(&why, ERR_RANGE, "%s: this name is too long", w->names->names[index]);
	if (rc == 0)
		rc = photo_open(p, w->cfg, w->names ? path : NULL, index, &why);
	if (!ring_wait_turn(&w->ring, index))
		return false;
	if (rc == 0)
		rc = photo_draw(p, w->cfg, &w->numbers, &why);
	ring_pass_turn(&w->ring);
	if (rc == 0) {
		rc = photo_decode(p, w->cfg, index, &what);
		if (rc < 0)
			error_set(&why, (enum error_code)rc, "%s: %s", w->names ? path : "synthetic photo", what.text);
	}
	return rc < 0 ? give_up(w, index, rc, &why) : make_crops(w, p, index);
}

static void *thread_main(void *arg)
{
	struct work *w = arg;
	struct photo photo = {0};
	uint64_t index;

	do
		index = atomic_fetch_add(&w->next, 1);
	while (index < w->photos && make_photo(w, &photo, index));
	photo_release(&photo);
	return NULL;
}

/* ---- the writer -------------------------------------------------------------------------------------------------- */

struct writer {
	const struct vision_config *cfg;
	struct output_file out;
	struct vision_summary made;
	float value[256]; /* of a byte */
	float tensor[VISION_PIXELS];
};

static int write_tensor(struct writer *w, const uint8_t *rgb, struct error *err)
{
	for (size_t i = 0; i < VISION_PIXELS; i++)
		w->tensor[i] = w->value[rgb[i]];
	if (fwrite(w->tensor, VISION_TENSOR_SIZE, 1, w->out.stream) != 1)
		return error_set_errno(err, ERR_IO, errno, "%s: cannot write",
				       w->cfg->output ? w->cfg->output : "standard output");
	w->made.tensors++;
	return 0;
}

static int take_skipped(struct writer *w, const struct slot *slot, struct error *err)
{
	if (w->cfg->strict)
		return error_set(err, (enum error_code)slot->code, "%s", slot->why.text);
	w->made.skipped++;
	if (w->cfg->skipped)
		w->cfg->skipped(w->cfg->arg, slot->why.text);
	return 0;
}

static int take_crop(struct writer *w, const struct slot *slot, bool first, struct error *err)
{
	w->made.photos += first;
	w->made.cropped += slot->cropped;
	return write_tensor(w, slot->rgb, err);
}

static bool reached_limit(const struct writer *w)
{
	return w->cfg->limit >= 0 && w->made.tensors >= (uint64_t)w->cfg->limit;
}

/* Takes the numbers in order until the photos or the limit end. */
static int write_all(struct writer *writer, struct work *w, struct error *err)
{
	unsigned reuse = w->cfg->reuse;
	uint64_t number = 0;
	int rc = 0;

	while (rc == 0 && number < w->photos * reuse && !reached_limit(writer)) {
		struct slot *slot = ring_take(&w->ring);

		if (w->cfg->stop && atomic_load(w->cfg->stop))
			return error_set(err, ERR_CANCELED, "interrupted after %" PRIu64 " tensors; nothing was kept",
					 writer->made.tensors);
		if (!slot)
			continue;
		if (slot->state == SLOT_FAILED)
			rc = error_set(err, (enum error_code)slot->code, "%s", slot->why.text);
		else if (slot->state == SLOT_SKIPPED)
			rc = take_skipped(writer, slot, err);
		else
			rc = take_crop(writer, slot, number % reuse == 0, err);
		if (slot->last && w->cfg->progress)
			w->cfg->progress(w->cfg->arg, number / reuse + 1, w->photos);
		number = slot->last ? (number / reuse + 1) * reuse : number + 1;
		/* Beyond the limit nobody may go on: crops are files too. */
		if (!reached_limit(writer))
			ring_empty(&w->ring, slot, number);
	}
	return rc;
}

/* ---- both -------------------------------------------------------------------------------------------------------- */

static int run(struct writer *writer, struct work *w, struct error *err)
{
	unsigned wanted = w->cfg->threads < w->photos ? w->cfg->threads : (unsigned)w->photos, started = 0;
	pthread_t *threads = calloc(wanted, sizeof(*threads));
	int rc = 0, failure = 0;

	if (!threads)
		return error_set(err, ERR_NOMEM, "no memory for %u threads", wanted);
	while (started < wanted && (failure = pthread_create(&threads[started], NULL, thread_main, w)) == 0)
		started++;
	/* Fewer threads are slower, nothing else. */
	if (started == 0)
		rc = error_set_errno(err, ERR_IO, failure, "cannot start a thread");
	else
		rc = write_all(writer, w, err);
	ring_quit(&w->ring);
	for (unsigned i = 0; i < started; i++)
		pthread_join(threads[i], NULL);
	free(threads);
	return rc;
}

static int check_made(const struct writer *w, struct error *err)
{
	if (w->made.tensors > 0)
		return 0;
	return error_set(err, ERR_FORMAT, "%s: none of the %" PRIu64 " photos could be read", w->cfg->input,
			 w->made.skipped);
}

static int make_folder(const char *path, struct error *err)
{
	struct stat st;

	if (mkdir(path, 0777) == 0)
		return 0;
	if (errno == EEXIST && stat(path, &st) == 0 && S_ISDIR(st.st_mode))
		return 0;
	return error_set_errno(err, ERR_IO, errno, "%s: cannot make the folder for the crops", path);
}

static uint64_t synthetic_photos(const struct vision_config *cfg)
{
	return cfg->limit < 0 ? VISION_SYNTHETIC_PHOTOS : ((uint64_t)cfg->limit + cfg->reuse - 1) / cfg->reuse;
}

int vision_generate(struct vision_summary *ret, const struct vision_config *cfg, struct error *err)
{
	struct work work = {.cfg = cfg};
	struct photo_names names = {0};
	struct writer *writer;
	int rc;

	if (cfg->limit == 0)
		return error_set(err, ERR_USAGE, "-limit 0: there is nothing to make; below 0 makes all");
	writer = calloc(1, sizeof(*writer));
	if (!writer)
		return error_set(err, ERR_NOMEM, "no memory for a tensor");
	writer->cfg = cfg;
	for (int i = 0; i < 256; i++)
		writer->value[i] = (float)i / 255.0f;
	mt19937_init(&work.numbers, cfg->seed);
	if (cfg->input) {
		rc = photo_names_read(&names, cfg->input, err);
		if (rc < 0)
			goto out;
		work.names = &names;
	}
	work.photos = cfg->input ? names.count : synthetic_photos(cfg);
	writer->made.ignored = names.ignored;
	rc = ring_init(&work.ring, cfg->threads * SLOTS_A_THREAD + 1, err);
	if (rc == 0 && cfg->crops)
		rc = make_folder(cfg->crops, err);
	if (rc == 0)
		rc = file_create(&writer->out, cfg->output, err);
	if (rc == 0)
		rc = run(writer, &work, err);
	if (rc == 0)
		rc = check_made(writer, err);
	if (rc == 0)
		rc = file_commit(&writer->out, err);
	if (rc == 0)
		*ret = writer->made;
out:
	file_abandon(&writer->out);
	ring_release(&work.ring);
	photo_names_release(&names);
	free(writer);
	return rc;
}
