/*
 * aibench_generate_data_vision - makes the vision dataset: photos to tensors, decoded, scaled and cropped.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cmd/common.h"
#include "common/clock.h"
#include "common/cores.h"
#include "common/options.h"
#include "datagen/vision.h"

#define PROGRAM "aibench_generate_data_vision"
#define EXIT_INTERRUPTED 130
#define BAR_WIDTH 40
#define BAR_PERIOD (100 * NSEC_PER_MSEC)
#define SEED_MAX 4294967295.0
#define REUSE_MAX 1000000
#define MAX_PIXELS_MAX 2147483648.0

struct config {
	const char *input, *output, *crops;
	uint64_t batch_size, seed, reuse, threads, max_pixels;
	int64_t limit;
	bool already_cropped, strict;
};

static const struct option table[] = {
	{"input-val-dir", OPTION_PATH, offsetof(struct config, input),
	 "`folder` of JPEG and PNG photos, or \"synthetic\": photos of our own making.", 0, 0},
	{"output-file", OPTION_PATH, offsetof(struct config, output),
	 "`file` to write the tensors to, 224 x 224 x 3 float32 each; none: standard output.", 0, 0},
	{"output-val-dir", OPTION_PATH, offsetof(struct config, crops),
	 "`folder` that also gets every crop as a PNG, to look at.", 0, 0},
	{"batch-size", OPTION_UINT, offsetof(struct config, batch_size),
	 "Images of a tensor that the runner will send: says how many whole ones were made.", 1, 1e6},
	{"limit", OPTION_INT, offsetof(struct config, limit), "Tensors to make at the most; below 0: all.", 0, 0},
	{"random-seed", OPTION_UINT, offsetof(struct config, seed),
	 "Seed of the places of the crops, the same as in AIBench's preprocess.py.", 0, SEED_MAX},
	{"re-use-factor", OPTION_UINT, offsetof(struct config, reuse), "Crops of each photo.", 1, REUSE_MAX},
	{"already-cropped", OPTION_BOOL, offsetof(struct config, already_cropped),
	 "Refuse a photo that is not 224 x 224; one that is, is always taken as it is.", 0, 0},
	{"strict", OPTION_BOOL, offsetof(struct config, strict),
	 "A photo that cannot be read fails the run instead of being skipped.", 0, 0},
	{"max-pixels", OPTION_UINT, offsetof(struct config, max_pixels),
	 "A photo of more pixels is not read: it would take 4 bytes of memory a pixel and thread, or more.", 1,
	 MAX_PIXELS_MAX},
	{"threads", OPTION_UINT, offsetof(struct config, threads), "Threads that decode; 0: one a core.", 0,
	 VISION_THREADS_MAX},
	{0},
};

/* The progress bar; nothing of it where stderr is no terminal. */
struct bar {
	bool shown;
	nsec_t start, next;
};

static void bar_clear(const struct bar *b)
{
	if (b->shown)
		fprintf(stderr, "\r\033[K");
}

static void on_progress(void *arg, uint64_t photos, uint64_t of)
{
	struct bar *b = arg;
	nsec_t now = clock_now();
	int filled = (int)((double)photos / (double)of * BAR_WIDTH);

	if (!b->shown || now < b->next)
		return;
	b->next = now + BAR_PERIOD;
	fprintf(stderr, "\r[%.*s%*s] %" PRIu64 "/%" PRIu64 " photos, %.0f/s\033[K", filled,
		"========================================", BAR_WIDTH - filled, "", photos, of,
		per_second(photos, now - b->start));
}

static void on_skipped(void *arg, const char *text)
{
	bar_clear(arg);
	fprintf(stderr, PROGRAM ": skipped %s\n", text);
}

static struct vision_config make_vision_config(const struct config *c, struct bar *bar)
{
	return (struct vision_config){
		.input = strcmp(c->input, "synthetic") == 0 ? NULL : c->input,
		.output = c->output[0] ? c->output : NULL,
		.crops = c->crops[0] ? c->crops : NULL,
		.limit = c->limit,
		.seed = (uint32_t)c->seed,
		.reuse = (unsigned)c->reuse,
		.threads = c->threads ? (unsigned)c->threads : usable_cores(),
		.max_pixels = c->max_pixels,
		.already_cropped = c->already_cropped,
		.strict = c->strict,
		.stop = catch_signals(),
		.skipped = on_skipped,
		.progress = on_progress,
		.arg = bar,
	};
}

static void report(FILE *out, const struct vision_summary *made, const struct config *c, nsec_t took)
{
	fprintf(out, "Read %" PRIu64 " photos", made->photos);
	if (made->skipped)
		fprintf(out, " (and skipped %" PRIu64 " that could not be read)", made->skipped);
	fprintf(out,
		". Generated a total of %" PRIu64 " tensors of 224x224x3 float32, %" PRIu64 " bytes, in %.3f s"
		" (%.1f tensors/s).\n",
		made->tensors, made->tensors * (uint64_t)VISION_TENSOR_SIZE, nsec_to_sec(took),
		per_second(made->tensors, took));
	if (made->cropped)
		fprintf(out, "%" PRIu64 " photos were 224x224 already: taken as they are, once each.\n", made->cropped);
	if (made->ignored)
		fprintf(out, "Files of the folder that are no photos: %" PRIu64 ".\n", made->ignored);
	if (c->batch_size > 1)
		fprintf(out, "Whole batches of %" PRIu64 ": %" PRIu64 ", left over: %" PRIu64 ".\n", c->batch_size,
			made->tensors / c->batch_size, made->tensors % c->batch_size);
}

static int generate(const struct config *c, struct error *err)
{
	struct bar bar = {.shown = isatty(STDERR_FILENO), .start = clock_now()};
	struct vision_config vision = make_vision_config(c, &bar);
	struct vision_summary made;
	int rc;

	if (!vision.output && isatty(STDOUT_FILENO))
		return error_set(err, ERR_USAGE,
				 "tensors are not for a terminal; name a file with -output-file or use a pipe");
	rc = vision_generate(&made, &vision, err);
	bar_clear(&bar);
	if (rc == 0)
		report(vision.output ? stdout : stderr, &made, c, clock_now() - bar.start);
	return rc;
}

int main(int argc, char **argv)
{
	struct config config = {
		.input = ".",
		.output = "",
		.crops = "",
		.batch_size = 1,
		.seed = 12345,
		.reuse = 1,
		.max_pixels = VISION_MAX_PIXELS,
		.limit = -1,
	};
	const struct option_set sets[] = {{table, &config}};
	struct options options = {
		.program = PROGRAM,
		.synopsis = "Makes the vision dataset: photos decoded, scaled, cropped at random places, as tensors.",
		.sets = sets,
		.nsets = 1,
	};
	struct error err = {""};
	int rc = options_parse(&options, argc, argv, stdout, stderr, &err), status = EXIT_OK;

	if (rc == OPTIONS_RUN)
		rc = generate(&config, &err);
	if (rc < 0)
		status = fail(PROGRAM, &err, rc == ERR_CANCELED ? EXIT_INTERRUPTED : exit_status(rc));
	options_release(&options);
	return status;
}
