/*
 * Real models with known answers; skipped where the test data is absent.
 */
#include "tests/engine/operator_check.h"

#include <stdlib.h>

#include "common/file.h"
#include "tests/support/process.h"

#define FEATURES 30

static struct model *load_frozen(const char *file, const char *const *in, size_t nin, const char *out)
{
	const struct model_load_config cfg = {
		.format = MODEL_TENSORFLOW, .name = file, .io = {in, nin, (const char *const[]){out}, 1}};
	char path[4096], *blob;
	struct model *m = NULL;
	struct error err;
	size_t len;

	if (test_data(path, sizeof(path), file) == NULL)
		skip();
	if (file_read(&blob, &len, path, (size_t)1 << 26, &err) < 0 ||
	    model_load(&m, &cfg, blob, len, NULL, NULL, &err) < 0)
		fail_msg("%s", err.text);
	free(blob);
	return m;
}

static struct model *load_folder(const char *name)
{
	char path[4096];
	struct model *m = NULL;
	struct error err;

	if (test_data(path, sizeof(path), name) == NULL)
		skip();
	if (model_load_saved(&m, path, NULL, NULL, &err) < 0)
		fail_msg("%s", err.text);
	return m;
}

/* Rows of the sample without their class; *ret_rows * FEATURES floats. */
static float *read_sample(size_t *ret_rows)
{
	char path[4096], line[4096];
	float *rows = NULL;
	size_t n = 0;

	if (test_data(path, sizeof(path), "creditcard/creditcard_sample.csv") == NULL)
		skip();
	FILE *f = fopen(path, "r");
	assert_non_null(f);
	assert_non_null(fgets(line, sizeof(line), f));
	while (fgets(line, sizeof(line), f) != NULL) {
		char *at = line;
		rows = realloc(rows, (n + 1) * FEATURES * sizeof(*rows));
		assert_non_null(rows);
		for (size_t i = 0; i < FEATURES; i++, at++)
			rows[n * FEATURES + i] = strtof(at, &at);
		n++;
	}
	fclose(f);
	*ret_rows = n;
	return rows;
}

static void frozen_fraud_net_gives_the_golden_answers(void **state)
{
	struct model *m = load_frozen("models/tensorflow/creditcardfraud_noreference.pb",
				      (const char *const[]){"transaction"}, 1, "out");
	struct model_context *c;
	struct tensor whole, *x = &whole, *batch, *y;
	char path[4096], line[256];
	struct error err;
	size_t n, rows = 0;
	float *sample = read_sample(&n);

	(void)state;
	assert_non_null(test_data(path, sizeof(path), "golden/creditcardfraud_noreference_expected.csv"));
	FILE *f = fopen(path, "r");
	assert_non_null(f);
	assert_int_equal(model_context_new(&c, m, 1), 0);
	assert_int_equal(tensor_view(&whole, DTYPE_FLOAT, (const int64_t[]){(int64_t)n, FEATURES}, 2, sample,
				     n * FEATURES * sizeof(*sample)),
			 0);
	assert_int_equal(model_run(c, &x, 1, &batch, 1, NULL, &err), 0);
	assert_non_null(fgets(line, sizeof(line), f));
	for (; fgets(line, sizeof(line), f) != NULL; rows++) {
		double want[2];
		struct tensor row;
		assert_true(rows < n);
		assert_int_equal(sscanf(line, "%lf,%lf", &want[0], &want[1]), 2);
		assert_int_equal(tensor_view(&row, DTYPE_FLOAT, (const int64_t[]){1, FEATURES}, 2,
					     sample + rows * FEATURES, FEATURES * sizeof(*sample)),
				 0);
		x = &row;
		assert_int_equal(model_run(c, &x, 1, &y, 1, NULL, &err), 0);
		for (size_t i = 0; i < 2; i++) {
			double got = (double)((float *)y->data)[i];
			assert_true(fabs(got - want[i]) <= 1e-5 * want[i]);
		}
		assert_memory_equal(y->data, (float *)batch->data + 2 * rows, 2 * sizeof(float));
		tensor_unref(y);
	}
	assert_int_equal(rows, n);
	assert_int_equal(rows, 5622);
	fclose(f);
	free(sample);
	tensor_unref(batch);
	model_context_free(c);
	model_free(m);
}

/* Its dropout is active, and its reference input declared [256] is fed [1,256]. */
static void reference_fraud_net_is_random_and_sums_to_one(void **state)
{
	struct model *m = load_frozen("models/tensorflow/creditcardfraud.pb",
				      (const char *const[]){"transaction", "reference"}, 2, "output");
	struct model_context *c;
	struct tensor *in[2], *first, *second;
	struct error err;

	(void)state;
	assert_int_equal(model_input(m, 1)->rank, 1);
	assert_int_equal(model_input(m, 1)->dims[0], 256);
	assert_int_equal(tensor_new(&in[0], DTYPE_FLOAT, (const int64_t[]){40, FEATURES}, 2, true, NULL), 0);
	assert_int_equal(tensor_new(&in[1], DTYPE_FLOAT, (const int64_t[]){1, 256}, 2, true, NULL), 0);
	assert_int_equal(model_context_new(&c, m, 1), 0);
	assert_int_equal(model_run(c, in, 2, &first, 1, NULL, &err), 0);
	assert_int_equal(model_run(c, in, 2, &second, 1, NULL, &err), 0);
	for (size_t i = 0; i < 40; i++) {
		const float *p = (const float *)first->data + 2 * i;
		assert_true(fabsf(p[0] + p[1] - 1.0f) < 1e-6f);
	}
	assert_memory_not_equal(first->data, second->data, first->size);
	tensor_unref(first);
	tensor_unref(second);
	tensor_unref(in[0]);
	tensor_unref(in[1]);
	model_context_free(c);
	model_free(m);
}

static void mul_graph_multiplies(void **state)
{
	struct model *m = load_frozen("models/tensorflow/mul_graph.pb", (const char *const[]){"a", "b"}, 2, "mul");
	const float a[] = {2, 3, 4, 5}, b[] = {10, 20};
	struct tensor left, right, *in[] = {&left, &right}, *y;
	struct model_context *c;
	struct error err;

	(void)state;
	assert_int_equal(tensor_view(&left, DTYPE_FLOAT, (const int64_t[]){2, 2}, 2, (void *)(uintptr_t)a, 16), 0);
	assert_int_equal(tensor_view(&right, DTYPE_FLOAT, (const int64_t[]){2}, 1, (void *)(uintptr_t)b, 8), 0);
	assert_int_equal(model_context_new(&c, m, 1), 0);
	assert_int_equal(model_run(c, in, 2, &y, 1, NULL, &err), 0);
	assert_memory_equal(y->data, ((const float[]){20, 60, 40, 100}), 16);
	tensor_unref(y);
	model_context_free(c);
	model_free(m);
}

static void saved_fraud_nets_run(void **state)
{
	static const char *const folders[] = {"models/savedmodel/noreference/00000001",
					      "models/savedmodel/reference/00000001",
					      "models/savedmodel/reference/00000002"};

	(void)state;
	for (size_t k = 0; k < 3; k++) {
		struct model *m = load_folder(folders[k]);
		struct tensor *in[2], *y;
		struct model_context *c;
		struct error err;
		size_t nin = k == 0 ? 1 : 2;

		assert_int_equal(model_ninputs(m), nin);
		assert_string_equal(model_input(m, nin - 1)->name, "transaction");
		assert_string_equal(model_output(m, 0)->name, "output");
		assert_int_equal(model_output(m, 0)->dims[0], -1);
		assert_int_equal(model_output(m, 0)->dims[1], 2);
		for (size_t i = 0; i < nin; i++) {
			const int64_t dims[] = {3, i == nin - 1 ? FEATURES : 256};
			assert_int_equal(tensor_new(&in[i], DTYPE_FLOAT, dims, 2, true, NULL), 0);
		}
		assert_int_equal(model_context_new(&c, m, 1), 0);
		if (model_run(c, in, nin, &y, 1, NULL, &err) < 0)
			fail_msg("%s", err.text);
		for (size_t i = 0; i < 3; i++)
			assert_true(fabsf(((float *)y->data)[2 * i] + ((float *)y->data)[2 * i + 1] - 1.0f) < 1e-6f);
		tensor_unref(y);
		for (size_t i = 0; i < nin; i++)
			tensor_unref(in[i]);
		model_context_free(c);
		model_free(m);
	}
}

/* Its variables are in a bundle whose index is compressed, its input is no placeholder. */
static void half_plus_two_reads_its_variables(void **state)
{
	struct model *m = load_folder("models/savedmodel/saved_model_half_plus_two_cpu/00000123");
	const float x[] = {1, 2, 5};
	struct tensor in, *inputs[] = {&in}, *y;
	struct model_context *c;
	struct error err;

	(void)state;
	assert_int_equal(model_context_new(&c, m, 1), 0);
	assert_int_equal(tensor_view(&in, DTYPE_FLOAT, (const int64_t[]){3, 1}, 2, (void *)(uintptr_t)x, 12), 0);
	assert_int_equal(model_run(c, inputs, 1, &y, 1, NULL, &err), 0);
	assert_memory_equal(y->data, ((const float[]){2.5f, 3, 4.5f}), 12);
	tensor_unref(y);
	model_context_free(c);
	model_free(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(frozen_fraud_net_gives_the_golden_answers),
		cmocka_unit_test(reference_fraud_net_is_random_and_sums_to_one),
		cmocka_unit_test(mul_graph_multiplies),
		cmocka_unit_test(saved_fraud_nets_run),
		cmocka_unit_test(half_plus_two_reads_its_variables),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
