/*
 * test_dataset_drawn.c - rows drawn at random with replacement, alone and in runs that lie together.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/support/folder.h"
#include "workloads/dataset.h"

#define ROWS 16

static const char *path;

/* Row i is the 8 bytes of i. */
static int write_rows(void **state)
{
	FILE *f;

	folder_set_up(state);
	path = in_folder("rows");
	f = fopen(path, "wb");
	if (!f)
		return -1;
	for (uint64_t i = 0; i < ROWS; i++)
		fwrite(&i, sizeof(i), 1, f);
	return fclose(f);
}

static struct dataset *open_drawn(unsigned batch, unsigned drawn, uint64_t seed)
{
	struct dataset_config cfg = {
		.path = path,
		.row_size = sizeof(uint64_t),
		.batch = batch,
		.max_taken = 1,
		.repeat = true,
		.drawn = drawn,
		.seed = seed,
	};
	struct dataset *d = NULL;
	struct error err = {""};

	if (dataset_open(&d, &cfg, &err) < 0)
		fail_msg("%s", err.text);
	return d;
}

/* The k-th batch is where dataset_batch_at says. */
static uint64_t take(struct dataset *d, uint64_t k, unsigned batch)
{
	const void *rows;
	struct error err;
	uint64_t first;

	assert_int_equal(dataset_take(d, k, &rows, &err), 0);
	memcpy(&first, rows, sizeof(first));
	dataset_give(d, k);
	assert_int_equal(first, dataset_batch_at(d, k) * batch);
	return first / batch;
}

/* Chi-square with 15 degrees of freedom: over 37.7 once in a thousand seeds, and these seeds do not change. */
static void every_row_is_as_likely(void **state)
{
	unsigned seen[ROWS] = {0};
	double sum = 0, expected = 1000;
	struct dataset *d = open_drawn(1, 1, 42);

	(void)state;
	for (uint64_t k = 0; k < ROWS * 1000; k++)
		seen[take(d, k, 1)]++;
	for (unsigned i = 0; i < ROWS; i++)
		sum += (seen[i] - expected) * (seen[i] - expected) / expected;
	assert_true(sum < 37.7);
	dataset_close(d);
}

static void run_lies_together_and_goes_on_at_the_start(void **state)
{
	struct dataset *d = open_drawn(2, 4, 7);
	unsigned wrapped = 0, begun = 0;

	(void)state;
	for (uint64_t k = 0; k < 400; k += 4) {
		uint64_t first = take(d, k, 2);

		for (uint64_t i = 1; i < 4; i++)
			assert_int_equal(take(d, k + i, 2), (first + i) % (ROWS / 2));
		wrapped += first + 3 >= ROWS / 2;
		begun |= 1U << first;
	}
	assert_in_range(wrapped, 10, 70);
	assert_int_equal(begun, 0xFF); /* from every batch */
	dataset_close(d);
}

static void same_seed_draws_the_same_and_another_one_does_not(void **state)
{
	struct dataset *a = open_drawn(1, 1, 1), *b = open_drawn(1, 1, 1), *c = open_drawn(1, 1, 2);
	unsigned equal = 0;

	(void)state;
	for (uint64_t k = 0; k < 1000; k++) {
		assert_int_equal(dataset_batch_at(a, k), dataset_batch_at(b, k));
		equal += dataset_batch_at(a, k) == dataset_batch_at(c, k);
	}
	assert_in_range(equal, 20, 120);
	dataset_close(a);
	dataset_close(b);
	dataset_close(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(every_row_is_as_likely, write_rows, folder_tear_down),
		cmocka_unit_test_setup_teardown(run_lies_together_and_goes_on_at_the_start, write_rows,
						folder_tear_down),
		cmocka_unit_test_setup_teardown(same_seed_draws_the_same_and_another_one_does_not, write_rows,
						folder_tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
