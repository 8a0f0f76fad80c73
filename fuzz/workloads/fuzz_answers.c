/*
 * Answers files from outside: whatever is taken answers every question within its own bytes.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "workloads/answers.h"
#include "workloads/compare.h"

#define INPUT_MAX 65536

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void ask(const struct answers *a, uint64_t id, size_t values)
{
	const struct tolerance t = {.absolute = 1e-3, .relative = 1e-3};
	const float *row = answers_row(a, id, values);
	double largest = 0;

	if (!row)
		return;
	if (!answers_contains(a, row) || !answers_contains(a, (const char *)(row + values) - 1))
		abort();
	(void)values_agree(row, row, values, &t, &largest);
	if (!(largest >= 0))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct answers_dataset d = {.use_case = "creditcard-fraud", .row_size = 1152, .first_id = 0, .rows = 10};
	struct error err = {""};
	struct answers *a;
	void *copy;

	/* as a mapping is: aligned, and nothing readable behind it */
	if (size == 0 || size > INPUT_MAX || posix_memalign(&copy, 8, size))
		return 0;
	memcpy(copy, data, size);
	if (answers_parse(&a, copy, size, "fuzz", &err) == 0) {
		size_t values = answers_values(a) ? answers_values(a) : 2;

		if (answers_check_dataset(a, &d, &err) < 0 && !err.text[0])
			abort();
		for (uint64_t id = 0; id < 100; id++) {
			ask(a, id, values);
			ask(a, UINT64_MAX - id, values);
			ask(a, UINT64_C(1) << (id % 64), values);
		}
		answers_close(a);
	} else if (!err.text[0]) {
		abort();
	}
	free(copy);
	return 0;
}
