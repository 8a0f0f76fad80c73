/*
 * test_vision.c - photos to tensors: which crops, in which order, whatever the threads, and what happens to photos that
 * cannot be read.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>
#include <png.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/file.h"
#include "datagen/image.h"
#include "datagen/mt19937.h"
#include "datagen/vision.h"
#include "tests/datagen/image_files.h"
#include "tests/support/process.h"

#define SIZE_LIMIT ((size_t)256 << 20)
#define NOTES_MAX 8

struct fixture {
	char dir[256], photos[300], output[300], crops[300];
	struct vision_summary made;
	struct error err;
	char skipped[NOTES_MAX][ERROR_TEXT_MAX];
	unsigned nskipped;
	uint64_t progress, of;
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	temp_folder_new(f->dir, sizeof(f->dir));
	snprintf(f->photos, sizeof(f->photos), "%s/photos", f->dir);
	snprintf(f->output, sizeof(f->output), "%s/tensors.out", f->dir);
	snprintf(f->crops, sizeof(f->crops), "%s/crops", f->dir);
	assert_int_equal(mkdir(f->photos, 0755), 0);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	temp_folder_remove(f->dir);
	free(f);
	return 0;
}

static void on_skipped(void *arg, const char *text)
{
	struct fixture *f = arg;

	assert_true(f->nskipped < NOTES_MAX);
	snprintf(f->skipped[f->nskipped++], ERROR_TEXT_MAX, "%s", text);
}

static void on_progress(void *arg, uint64_t photos, uint64_t of)
{
	struct fixture *f = arg;

	assert_true(photos > f->progress && photos <= of);
	f->progress = photos;
	f->of = of;
}

static struct vision_config config(struct fixture *f)
{
	return (struct vision_config){
		.input = f->photos,
		.output = f->output,
		.limit = -1,
		.seed = 12345,
		.reuse = 1,
		.threads = 2,
		.max_pixels = VISION_MAX_PIXELS,
		.skipped = on_skipped,
		.progress = on_progress,
		.arg = f,
	};
}

static int try_generate(struct fixture *f, const struct vision_config *cfg)
{
	f->nskipped = 0;
	f->progress = 0;
	return vision_generate(&f->made, cfg, &f->err);
}

/* The tensors; freed by the caller. */
static float *generate(struct fixture *f, const struct vision_config *cfg)
{
	char *data;
	size_t len;

	if (try_generate(f, cfg) < 0)
		fail_msg("%s", f->err.text);
	assert_int_equal(file_read(&data, &len, f->output, SIZE_LIMIT, &f->err), 0);
	assert_int_equal(len, f->made.tensors * VISION_TENSOR_SIZE);
	return (float *)(void *)data;
}

static void add_png(const struct fixture *f, const char *name, uint32_t width, uint32_t height)
{
	struct png_options o = {.type = PNG_COLOR_TYPE_RGB, .depth = 8};
	struct image_file file;

	make_png(&file, width, height, &o);
	image_file_write(&file, f->photos, name);
	free(file.data);
}

static void add_jpeg(const struct fixture *f, const char *name, uint32_t width, uint32_t height, size_t cut)
{
	struct jpeg_options o = {.kind = JPEG_KIND_COLOUR, .h = 2, .v = 2};
	struct image_file file;

	make_jpeg(&file, width, height, &o);
	file.len -= cut;
	image_file_write(&file, f->photos, name);
	free(file.data);
}

static void add_text(const struct fixture *f, const char *name, const char *text)
{
	struct image_file file = {(uint8_t *)(uintptr_t)text, strlen(text)};

	image_file_write(&file, f->photos, name);
}

/* Whether a tensor is the picture at x, y: a photo with a side of 256 is not scaled. */
static void assert_crop(const float *tensor, uint32_t x, uint32_t y)
{
	for (uint32_t i = 0; i < VISION_PIXELS; i++) {
		float expected = (float)picture(x + i / 3 % VISION_SIDE, y + i / 3 / VISION_SIDE, i % 3) / 255.0f;

		if (tensor[i] != expected)
			fail_msg("value %u is %g, not %g", i, (double)tensor[i], (double)expected);
	}
}

/* The numbers are NumPy's for seed 12345: randint(0, 76), randint(0, 32), then the next photo. */
static void crops_are_where_numpy_draws_them(void **state)
{
	struct fixture *f = *state;
	struct vision_config cfg = config(f);
	struct mt19937 m;
	float *tensors;

	add_png(f, "b.png", 300, 256);
	add_png(f, "a.PNG", 256, 420);
	add_png(f, "c.png", 256, 256);
	tensors = generate(f, &cfg);
	assert_int_equal(f->made.tensors, 3);
	mt19937_init(&m, 12345);
	for (size_t i = 0; i < 3; i++) {
		static const uint32_t range[3][2] = {{32, 196}, {76, 32}, {32, 32}};
		uint32_t x = mt19937_below(&m, range[i][0]), y = mt19937_below(&m, range[i][1]);

		assert_crop(tensors + i * VISION_PIXELS, x, y);
	}
	assert_int_equal(f->progress, 3);
	free(tensors);
}

static void order_is_that_of_the_names_whatever_the_threads(void **state)
{
	struct fixture *f = *state;
	struct vision_config cfg = config(f);
	float *first = NULL, *tensors;

	/* Large and small ones, so that threads finish out of order. */
	for (uint32_t i = 0; i < 12; i++) {
		char name[32];

		snprintf(name, sizeof(name), "%02u.jpg", i * 7 % 12);
		add_jpeg(f, name, i % 3 ? 260 + i : 1200 + i, i % 3 ? 270 : 800, 0);
	}
	for (unsigned threads = 1; threads <= 8; threads += threads) {
		cfg.threads = threads;
		tensors = generate(f, &cfg);
		assert_int_equal(f->made.tensors, 12);
		if (first)
			assert_memory_equal(first, tensors, 12 * VISION_TENSOR_SIZE);
		else
			first = tensors;
		if (tensors != first)
			free(tensors);
	}
	cfg.seed = 1;
	tensors = generate(f, &cfg);
	assert_memory_not_equal(first, tensors, 12 * VISION_TENSOR_SIZE);
	free(tensors);
	free(first);
}

static void photos_give_as_many_crops_as_asked_for(void **state)
{
	struct fixture *f = *state;
	struct vision_config cfg = config(f);
	struct mt19937 m;
	float *tensors;

	add_png(f, "a.png", 300, 256);
	add_png(f, "b.png", 256, 320);
	cfg.reuse = 40;
	tensors = generate(f, &cfg);
	assert_int_equal(f->made.tensors, 80);
	assert_int_equal(f->made.photos, 2);
	mt19937_init(&m, 12345);
	for (size_t i = 0; i < 80; i++) {
		uint32_t x = mt19937_below(&m, i < 40 ? 76 : 32), y = mt19937_below(&m, i < 40 ? 32 : 96);

		assert_crop(tensors + i * VISION_PIXELS, x, y);
	}
	free(tensors);
}

static void limit_keeps_the_first_tensors(void **state)
{
	struct fixture *f = *state;
	struct vision_config cfg = config(f);
	float *all, *some;

	for (uint32_t i = 0; i < 9; i++) {
		char name[32];

		snprintf(name, sizeof(name), "%u.jpg", i);
		add_jpeg(f, name, 300, 300 + i, i == 2 ? 500 : 0);
	}
	cfg.reuse = 3;
	all = generate(f, &cfg);
	assert_int_equal(f->made.tensors, 24);
	cfg.limit = 7;
	cfg.threads = 4;
	cfg.crops = f->crops;
	some = generate(f, &cfg);
	assert_int_equal(f->made.tensors, 7);
	assert_int_equal(f->made.photos, 3);
	assert_memory_equal(all, some, 7 * VISION_TENSOR_SIZE);
	/* Crops beyond the limit are not left lying about, the one after the photo left out is there. */
	for (unsigned i = 0; i < 27; i++) {
		char path[600];

		snprintf(path, sizeof(path), "%s/rep%u_%u.jpg.png", f->crops, i % 3 + 1, i / 3);
		assert_int_equal(access(path, F_OK) == 0, i / 3 != 2 && i < 10);
	}
	cfg.limit = 0;
	assert_int_equal(try_generate(f, &cfg), ERR_USAGE);
	free(all);
	free(some);
}

static void crops_written_as_png_are_the_tensors(void **state)
{
	struct fixture *f = *state;
	struct vision_config cfg = config(f);
	float *tensors, *again;

	add_jpeg(f, "a.jpg", 400, 300, 0);
	add_jpeg(f, "b.jpg", 300, 400, 0);
	cfg.crops = f->crops;
	tensors = generate(f, &cfg);
	assert_int_equal(f->made.cropped, 0);
	/* Read as photos that are cropped already they make the same dataset, whatever the seed and the factor. */
	cfg.crops = NULL;
	cfg.input = f->crops;
	cfg.already_cropped = true;
	cfg.seed = 99;
	cfg.reuse = 5;
	again = generate(f, &cfg);
	assert_int_equal(f->made.tensors, 2);
	assert_int_equal(f->made.cropped, 2);
	assert_memory_equal(tensors, again, 2 * VISION_TENSOR_SIZE);
	free(tensors);
	free(again);
}

static void cropped_photos_draw_no_numbers(void **state)
{
	struct fixture *f = *state;
	struct vision_config cfg = config(f);
	struct mt19937 m;
	float *tensors;
	uint32_t x, y;

	add_png(f, "a.png", VISION_SIDE, VISION_SIDE);
	add_png(f, "b.png", 300, 256);
	tensors = generate(f, &cfg);
	assert_int_equal(f->made.cropped, 1);
	mt19937_init(&m, 12345);
	x = mt19937_below(&m, 76);
	y = mt19937_below(&m, 32);
	assert_crop(tensors, 0, 0);
	assert_crop(tensors + VISION_PIXELS, x, y);
	cfg.already_cropped = true;
	free(tensors);
	tensors = generate(f, &cfg);
	assert_int_equal(f->made.tensors, 1);
	assert_int_equal(f->made.skipped, 1);
	assert_non_null(strstr(f->skipped[0], "b.png: 300x256 pixels, not 224x224"));
	free(tensors);
}

static void unreadable_photos_are_named_and_skipped(void **state)
{
	struct fixture *f = *state;
	struct vision_config cfg = config(f);
	float *whole, *tensors;

	add_jpeg(f, "a.jpg", 300, 300, 0);
	add_jpeg(f, "b.jpg", 500, 300, 0);
	add_jpeg(f, "d.jpg", 300, 500, 0);
	whole = generate(f, &cfg);
	assert_int_equal(f->nskipped, 0);
	/* Half a photo has drawn its numbers: what comes after it is as if it had been whole. */
	add_jpeg(f, "b.jpg", 500, 300, 3000);
	add_text(f, "c.jpg", "no photo at all");
	add_text(f, "c.png", "");
	add_text(f, "readme.txt", "beside the photos");
	tensors = generate(f, &cfg);
	assert_int_equal(f->made.tensors, 2);
	assert_int_equal(f->made.skipped, 3);
	assert_int_equal(f->made.ignored, 1);
	assert_memory_equal(tensors, whole, VISION_TENSOR_SIZE);
	assert_memory_equal(tensors + VISION_PIXELS, whole + 2 * VISION_PIXELS, VISION_TENSOR_SIZE);
	assert_int_equal(f->nskipped, 3);
	assert_non_null(strstr(f->skipped[0], "photos/b.jpg: truncated"));
	assert_non_null(strstr(f->skipped[1], "photos/c.jpg: neither a JPEG nor a PNG"));
	assert_non_null(strstr(f->skipped[2], "photos/c.png: the file is empty"));
	assert_int_equal(f->progress, 5);
	free(whole);
	free(tensors);
}

static void strict_run_fails_and_leaves_the_old_output(void **state)
{
	struct fixture *f = *state;
	struct vision_config cfg = config(f);
	char *data;
	size_t len;

	assert_int_equal(file_write(f->output, "old", 3, &f->err), 0);
	add_jpeg(f, "a.jpg", 300, 300, 0);
	add_jpeg(f, "b.jpg", 500, 300, 3000);
	cfg.strict = true;
	assert_int_equal(try_generate(f, &cfg), ERR_FORMAT);
	assert_non_null(strstr(f->err.text, "b.jpg: truncated"));
	assert_int_equal(file_read(&data, &len, f->output, SIZE_LIMIT, &f->err), 0);
	assert_int_equal(len, 3);
	free(data);
}

static void folders_without_photos_say_so(void **state)
{
	struct fixture *f = *state;
	struct vision_config cfg = config(f);

	assert_int_equal(try_generate(f, &cfg), ERR_NOT_FOUND);
	assert_non_null(strstr(f->err.text, "no JPEG or PNG photo in this folder"));
	add_text(f, "a.txt", "text");
	assert_int_equal(try_generate(f, &cfg), ERR_NOT_FOUND);
	add_text(f, "a.jpg", "text");
	assert_int_equal(try_generate(f, &cfg), ERR_FORMAT);
	assert_non_null(strstr(f->err.text, "none of the 1 photos could be read"));
	assert_int_not_equal(access(f->output, F_OK), 0);
	cfg.input = f->output;
	assert_int_equal(try_generate(f, &cfg), ERR_NOT_FOUND);
}

/* AIBench's own data sets have photos without an ending, and links. */
static void photos_are_known_by_their_content_too(void **state)
{
	struct fixture *f = *state;
	struct vision_config cfg = config(f);
	char from[600], to[600];

	add_jpeg(f, "photo", 300, 300, 0);
	snprintf(from, sizeof(from), "%s/photo", f->photos);
	snprintf(to, sizeof(to), "%s/link.jpeg", f->photos);
	assert_int_equal(symlink(from, to), 0);
	snprintf(to, sizeof(to), "%s/pipe", f->photos);
	assert_int_equal(mkfifo(to, 0600), 0);
	snprintf(to, sizeof(to), "%s/folder.jpg", f->photos);
	assert_int_equal(mkdir(to, 0755), 0);
	free(generate(f, &cfg));
	assert_int_equal(f->made.tensors, 2);
	assert_int_equal(f->made.skipped, 0);
}

static void output_that_cannot_be_written_fails(void **state)
{
	struct fixture *f = *state;
	struct vision_config cfg = config(f);

	add_jpeg(f, "a.jpg", 300, 300, 0);
	cfg.output = "/dev/full";
	assert_int_equal(try_generate(f, &cfg), ERR_IO);
	cfg.output = "/nowhere/at/all";
	assert_int_equal(try_generate(f, &cfg), ERR_IO);
	cfg.output = f->output;
	cfg.crops = "/proc/crops";
	assert_int_equal(try_generate(f, &cfg), ERR_IO);
	assert_int_not_equal(access(f->output, F_OK), 0);
}

static void interrupted_run_keeps_nothing(void **state)
{
	struct fixture *f = *state;
	struct vision_config cfg = config(f);
	atomic_int stop = 1;

	add_jpeg(f, "a.jpg", 300, 300, 0);
	cfg.stop = &stop;
	assert_int_equal(try_generate(f, &cfg), ERR_CANCELED);
	assert_int_not_equal(access(f->output, F_OK), 0);
}

/* Fixed for ever: FNV-1a over every 97th value in bytes. */
static void synthetic_photos_are_the_same_everywhere(void **state)
{
	struct fixture *f = *state;
	struct vision_config cfg = config(f);
	uint64_t hash = UINT64_C(0xcbf29ce484222325);
	float *tensors, *again;
	double sum = 0;

	cfg.input = NULL;
	cfg.limit = 5;
	tensors = generate(f, &cfg);
	assert_int_equal(f->made.tensors, 5);
	for (size_t i = 0; i < 5 * VISION_PIXELS; i++) {
		assert_true(tensors[i] >= 0 && tensors[i] <= 1);
		sum += (double)tensors[i];
		if (i % 97 == 0)
			hash = (hash ^ (uint8_t)(tensors[i] * 255 + 0.5f)) * UINT64_C(0x100000001b3);
	}
	assert_true(sum / (5 * VISION_PIXELS) > 0.3 && sum / (5 * VISION_PIXELS) < 0.7);
	assert_int_equal(hash, UINT64_C(0x7b02b583c84b25e2));
	cfg.threads = 5;
	cfg.reuse = 1;
	cfg.limit = 3;
	again = generate(f, &cfg);
	assert_memory_equal(tensors, again, 3 * VISION_TENSOR_SIZE);
	free(again);
	cfg.seed = 1;
	again = generate(f, &cfg);
	assert_memory_not_equal(tensors, again, 3 * VISION_TENSOR_SIZE);
	free(again);
	cfg.limit = -1;
	free(generate(f, &cfg));
	assert_int_equal(f->made.tensors, VISION_SYNTHETIC_PHOTOS);
	free(tensors);
}

/* What OpenCV 4.6 and NumPy make of the 81 photos, seed 12345: FNV-1a over all values as bytes. */
static void real_photos_are_those_of_opencv(void **state)
{
	struct fixture *f = *state;
	struct vision_config cfg = config(f);
	uint64_t hash = UINT64_C(0xcbf29ce484222325);
	char path[600];
	float *tensors;

	if (!test_data(path, sizeof(path), "photos"))
		skip();
	cfg.input = path;
	cfg.strict = true;
	tensors = generate(f, &cfg);
	assert_int_equal(f->made.tensors, 81);
	for (size_t i = 0; i < 81 * VISION_PIXELS; i++)
		hash = (hash ^ (uint8_t)(tensors[i] * 255 + 0.5f)) * UINT64_C(0x100000001b3);
	assert_int_equal(hash, UINT64_C(0x5f2628ee1236bfd4));
	free(tensors);
}

/* ---- the program ------------------------------------------------------------------------------------------------- */

static void run_program(struct process_result *ret, const char *const *argv)
{
	process_run(ret, argv, &(struct process_options){0}, 60);
}

static void program_makes_a_dataset(void **state)
{
	struct fixture *f = *state;
	const char *argv[] = {"aibench_generate_data_vision",
			      "-input-val-dir",
			      f->photos,
			      "--output-file",
			      f->output,
			      "-batch-size=2",
			      "-threads",
			      "2",
			      NULL};
	struct process_result r;
	struct stat st;

	for (int i = 0; i < 3; i++) {
		char name[16];

		snprintf(name, sizeof(name), "%d.jpg", i);
		add_jpeg(f, name, 300, 300, 0);
	}
	add_text(f, "bad.png", "bad");
	run_program(&r, argv);
	assert_int_equal(r.status, 0);
	assert_non_null(strstr(r.out, "Read 3 photos (and skipped 1"));
	assert_non_null(strstr(r.out, "Whole batches of 2: 1, left over: 1."));
	assert_non_null(strstr(r.err, "skipped "));
	assert_non_null(strstr(r.err, "bad.png: neither a JPEG nor a PNG"));
	assert_int_equal(stat(f->output, &st), 0);
	assert_int_equal(st.st_size, 3 * VISION_TENSOR_SIZE);
	process_result_release(&r);
}

static void program_writes_to_a_pipe_and_reports_beside_it(void **state)
{
	struct fixture *f = *state;
	const char *argv[] = {"aibench_generate_data_vision", "-input-val-dir", "synthetic", "-limit", "2", NULL};
	struct process_result r;

	(void)f;
	run_program(&r, argv);
	assert_int_equal(r.status, 0);
	assert_int_equal(r.out_len, 2 * VISION_TENSOR_SIZE);
	assert_non_null(strstr(r.err, "Generated a total of 2 tensors"));
	process_result_release(&r);
}

static void program_refuses_what_is_wrong_in_one_line(void **state)
{
	struct fixture *f = *state;
	const struct {
		const char *option, *value, *text;
		int status;
	} bad[] = {
		{"-limit", "0", "-limit 0", 2},
		{"-re-use-factor", "0", "re-use-factor", 2},
		{"-batch-size", "0", "batch-size", 2},
		{"-random-seed", "4294967296", "random-seed", 2},
		{"-random-seed", "-1", "random-seed", 2},
		{"-threads", "x", "threads", 2},
		{"-max-pixels", "0", "max-pixels", 2},
		{"-nonsense", "1", "nonsense", 2},
		{"-input-val-dir", "/nowhere", "/nowhere", 1},
		{"-strict", "-already-cropped", "224x224 (-already-cropped)", 1},
	};

	add_jpeg(f, "a.jpg", 300, 300, 0);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		const char *argv[] = {"aibench_generate_data_vision",
				      "-input-val-dir",
				      f->photos,
				      "-output-file",
				      f->output,
				      bad[i].option,
				      bad[i].value,
				      NULL};
		struct process_result r;

		run_program(&r, argv);
		if (r.status != bad[i].status || !strstr(r.err, bad[i].text))
			fail_msg("%s %s: status %d, '%s'", bad[i].option, bad[i].value, r.status, r.err);
		assert_ptr_equal(strchr(r.err, '\n'), r.err + r.err_len - 1);
		process_result_release(&r);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(crops_are_where_numpy_draws_them, setup, teardown),
		cmocka_unit_test_setup_teardown(order_is_that_of_the_names_whatever_the_threads, setup, teardown),
		cmocka_unit_test_setup_teardown(photos_give_as_many_crops_as_asked_for, setup, teardown),
		cmocka_unit_test_setup_teardown(limit_keeps_the_first_tensors, setup, teardown),
		cmocka_unit_test_setup_teardown(crops_written_as_png_are_the_tensors, setup, teardown),
		cmocka_unit_test_setup_teardown(cropped_photos_draw_no_numbers, setup, teardown),
		cmocka_unit_test_setup_teardown(unreadable_photos_are_named_and_skipped, setup, teardown),
		cmocka_unit_test_setup_teardown(strict_run_fails_and_leaves_the_old_output, setup, teardown),
		cmocka_unit_test_setup_teardown(folders_without_photos_say_so, setup, teardown),
		cmocka_unit_test_setup_teardown(photos_are_known_by_their_content_too, setup, teardown),
		cmocka_unit_test_setup_teardown(output_that_cannot_be_written_fails, setup, teardown),
		cmocka_unit_test_setup_teardown(interrupted_run_keeps_nothing, setup, teardown),
		cmocka_unit_test_setup_teardown(synthetic_photos_are_the_same_everywhere, setup, teardown),
		cmocka_unit_test_setup_teardown(real_photos_are_those_of_opencv, setup, teardown),
		cmocka_unit_test_setup_teardown(program_makes_a_dataset, setup, teardown),
		cmocka_unit_test_setup_teardown(program_writes_to_a_pipe_and_reports_beside_it, setup, teardown),
		cmocka_unit_test_setup_teardown(program_refuses_what_is_wrong_in_one_line, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
