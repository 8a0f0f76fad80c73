/*
 * test_vision.c - the vision-image-classification workload: tensors as views of rows, and which answers it accepts.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "workloads/vision.h"

#define BATCH_MAX 3
#define CLASSES_MAX VISION_CLASSES

static const char rows[1]; /* an address is all that requests hold */
static float values[BATCH_MAX * CLASSES_MAX];

static struct workload *open_vision(const struct workload_config *cfg)
{
	struct workload *w = NULL;
	struct error err;

	assert_int_equal(workload_vision.open(&w, cfg, &err), 0);
	return w;
}

static int judge_as(const struct workload_config *cfg, const struct answer *a, struct error *err)
{
	struct workload *w = open_vision(cfg);
	struct request req = {.id = 7};
	int r;

	workload_vision.fill(w, rows, &req);
	r = workload_vision.check(w, &req, a, err);
	workload_vision.close(w);
	return r;
}

/* values as an answer of so many bytes, its shape unknown. */
static int judge(unsigned batch, size_t size, struct error *err)
{
	return judge_as(&(struct workload_config){.batch = batch},
			&(struct answer){.type = ELEMENT_FLOAT32, .data = values, .size = size}, err);
}

static int judge_shape(unsigned batch, unsigned classes, unsigned ndims, int64_t d0, int64_t d1)
{
	return judge_as(&(struct workload_config){.batch = batch},
			&(struct answer){.type = ELEMENT_FLOAT32,
					 .ndims = ndims,
					 .dims = {d0, d1},
					 .data = values,
					 .size = batch * classes * sizeof(float)},
			NULL);
}

/* Rows of equal probabilities. */
static void fill_values(unsigned classes)
{
	for (size_t i = 0; i < (size_t)BATCH_MAX * classes; i++)
		values[i] = 1 / (float)classes;
}

static void registry_finds_it_by_both_names(void **state)
{
	(void)state;
	assert_ptr_equal(workload_find("vision-image-classification"), &workload_vision);
	assert_ptr_equal(workload_find("vision"), &workload_vision);
}

static void a_batch_is_one_view_of_its_rows(void **state)
{
	struct workload *w = open_vision(&(struct workload_config){.batch = 3});
	const struct workload_spec *spec = workload_vision.spec(w);
	struct request req = {.id = 12};

	(void)state;
	workload_vision.fill(w, rows, &req);
	assert_int_equal(req.id, 12);
	assert_int_equal(req.inferences, 3);
	assert_ptr_equal(req.rows, rows);
	assert_ptr_equal(req.inputs[0].data, rows);
	assert_int_equal(req.inputs[0].size, 602112);
	assert_int_equal(req.inputs[0].stride, req.inputs[0].size);
	assert_int_equal(spec->row_size, 602112);
	assert_int_equal(spec->ninputs, 1);
	assert_string_equal(spec->inputs[0].name, "image");
	assert_int_equal(spec->inputs[0].ndims, 4);
	assert_int_equal(spec->inputs[0].dims[1] * spec->inputs[0].dims[2] * spec->inputs[0].dims[3], 224 * 224 * 3);
	assert_true(spec->anonymous);
	workload_vision.close(w);
}

static void any_number_of_classes_from_two_is_taken(void **state)
{
	static const unsigned counts[] = {2, 3, 10, 16, 17, 31, 1000, 1001};

	(void)state;
	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
		unsigned n = counts[i];

		fill_values(n);
		for (unsigned batch = 1; batch <= BATCH_MAX; batch++) {
			assert_int_equal(judge(batch, batch * n * sizeof(float), NULL), 0);
			assert_int_equal(judge_shape(batch, n, 2, batch, n), 0);
		}
	}
	fill_values(1);
	assert_int_equal(judge(1, sizeof(float), NULL), ERR_WRONG);
	assert_int_equal(judge(3, 3 * sizeof(float), NULL), ERR_WRONG);
}

static void each_image_sums_to_one(void **state)
{
	struct error err;

	(void)state;
	fill_values(1001);
	/* The mean over the batch stays right. */
	values[5] += 0.01F;
	values[1001 + 5] -= 0.0005F;
	values[2 * 1001 + 5] -= 0.0095F;
	assert_int_equal(judge(3, 3 * 1001 * sizeof(float), &err), ERR_WRONG);
	assert_non_null(strstr(err.text, "image 7"));
	assert_non_null(strstr(err.text, "1.01"));
	fill_values(1001);
	values[2 * 1001 + 1000] += 0.002F;
	assert_int_equal(judge(3, 3 * 1001 * sizeof(float), &err), ERR_WRONG);
	assert_non_null(strstr(err.text, "image 9"));
	values[2 * 1001 + 1000] -= 0.0015F;
	assert_int_equal(judge(3, 3 * 1001 * sizeof(float), &err), 0);
}

static void no_probability_hides_anywhere(void **state)
{
	static const float bad[] = {NAN, INFINITY, -INFINITY, -0.5F, 1.5F};
	struct error err;

	(void)state;
	for (size_t b = 0; b < sizeof(bad) / sizeof(bad[0]); b++) {
		for (unsigned i = 0; i < 35; i++) {
			fill_values(35);
			values[i] = bad[b];
			values[(i + 1) % 35] += 1.0F / 35 - bad[b]; /* the sum stays right where it can */
			assert_int_equal(judge(1, 35 * sizeof(float), &err), ERR_WRONG);
			assert_non_null(strstr(err.text, "not a probability"));
		}
	}
}

static void answers_of_another_form_are_wrong(void **state)
{
	struct answer bytes = {.type = ELEMENT_UINT8, .data = values, .size = 1001 * sizeof(float)};
	struct error err;

	(void)state;
	fill_values(1001);
	assert_int_equal(judge_as(&(struct workload_config){.batch = 1}, &bytes, &err), ERR_WRONG);
	assert_int_equal(judge(1, 0, &err), ERR_WRONG);
	assert_int_equal(judge(1, 1001 * sizeof(float) - 1, &err), ERR_WRONG);
	assert_int_equal(judge(2, 1001 * sizeof(float), &err), ERR_WRONG); /* one image's answer to two */
	assert_int_equal(judge_shape(2, 1001, 2, 1, 2002), ERR_WRONG);
	assert_int_equal(judge_shape(2, 1001, 2, 2, 1000), ERR_WRONG);
	assert_int_equal(judge_shape(2, 1001, 2, -2, -1001), ERR_WRONG);
	assert_int_equal(judge_shape(1, 1001, 2, INT64_MAX, INT64_MAX), ERR_WRONG);
	assert_int_equal(judge_shape(1, 1001, 1, 1001, 0), 0);
}

static void unaligned_answers_are_read(void **state)
{
	char bytes[10 * sizeof(float) + 1];
	struct answer a = {.type = ELEMENT_FLOAT32, .data = bytes + 1, .size = 10 * sizeof(float)};

	(void)state;
	fill_values(10);
	memcpy(bytes + 1, values, 10 * sizeof(float));
	assert_int_equal(judge_as(&(struct workload_config){.batch = 1}, &a, NULL), 0);
}

static void images_are_numbered_from_the_requests_id_on(void **state)
{
	const struct request req = {.id = 7, .inferences = 2};

	(void)state;
	assert_int_equal(workload_vision.row_id(NULL, &req, 0), 7);
	assert_int_equal(workload_vision.row_id(NULL, &req, 1), 8);
}

static void what_cannot_be_asked_is_refused(void **state)
{
	struct workload *w = NULL;
	struct error err;

	(void)state;
	assert_int_equal(workload_vision.open(&w, &(struct workload_config){.batch = 0}, &err), ERR_RANGE);
	assert_int_equal(workload_vision.open(&w, &(struct workload_config){.batch = 1, .reference = true}, &err),
			 ERR_UNSUPPORTED);
	assert_non_null(strstr(err.text, "-enable-reference-data-redis"));
	assert_null(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(registry_finds_it_by_both_names),
		cmocka_unit_test(a_batch_is_one_view_of_its_rows),
		cmocka_unit_test(any_number_of_classes_from_two_is_taken),
		cmocka_unit_test(each_image_sums_to_one),
		cmocka_unit_test(no_probability_hides_anywhere),
		cmocka_unit_test(answers_of_another_form_are_wrong),
		cmocka_unit_test(unaligned_answers_are_read),
		cmocka_unit_test(images_are_numbered_from_the_requests_id_on),
		cmocka_unit_test(what_cannot_be_asked_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
