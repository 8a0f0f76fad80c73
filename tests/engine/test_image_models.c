/*
 * Image networks as whole models: batches against single images, what is refused, and MobileNet V1 with its golden
 * answers.
 */
#include "tests/engine/window_check.h"

#include <stdlib.h>

#include "common/arith.h"
#include "common/file.h"
#include "tests/support/process.h"

static struct model *load_graph(struct builder *b, const char *out)
{
	const struct model_load_config cfg = {.format = MODEL_TENSORFLOW,
					      .name = "net",
					      .io = {(const char *const[]){"x"}, 1, (const char *const[]){out}, 1}};
	struct model *m;
	struct error err;

	if (model_load(&m, &cfg, b->graph.data, b->graph.len, NULL, NULL, &err) < 0)
		fail_msg("%s", err.text);
	builder_release(b);
	return m;
}

static void add_window_node(struct builder *b, const char *name, const char *op, const char *in, const char *weights,
			    int64_t stride)
{
	const struct window_case w = {.kind = SAME, .strides = {stride, stride}, .dilations = {1, 1}};

	node_begin(b, name, op);
	node_input(b, in);
	node_input(b, weights);
	write_window(b, &w);
	node_end(b);
}

static void add_weights(struct builder *b, struct rng *rng, const char *name, const int64_t *dims)
{
	struct ref r;

	random_ref(&r, rng, dims, 4);
	struct tensor *t = to_tensor(&r, DTYPE_FLOAT);
	add_const(b, name, DT_FLOAT, dims, 4, t->data, t->size);
	tensor_unref(t);
	ref_release(&r);
}

static void run_once(struct model_context *c, struct tensor *x, struct tensor **y)
{
	struct error err;

	if (model_run(c, &x, 1, y, 1, NULL, &err) < 0)
		fail_msg("%s", err.text);
}

/* Large enough that batches are run in parts. */
static void batches_equal_images_one_by_one(void **state)
{
	static const int64_t sizes[] = {1, 2, 5, 7, 12};
	struct builder b = {0};
	struct model_context *c;
	struct rng rng;

	(void)state;
	rng_init(&rng, 45);
	add_placeholder(&b, "x", DT_FLOAT);
	add_weights(&b, &rng, "w1", (int64_t[]){3, 3, 3, 16});
	add_weights(&b, &rng, "w2", (int64_t[]){3, 3, 16, 1});
	add_weights(&b, &rng, "w3", (int64_t[]){1, 1, 16, 24});
	add_ints(&b, "axes", (int64_t[]){1, 2}, 2);
	add_window_node(&b, "c1", "Conv2D", "x", "w1", 1);
	add_node(&b, "r1", "Relu6", (const char *const[]){"c1", NULL});
	add_window_node(&b, "c2", "DepthwiseConv2dNative", "r1", "w2", 2);
	add_window_node(&b, "c3", "Conv2D", "c2", "w3", 1);
	add_node(&b, "m", "Mean", (const char *const[]){"c3", "axes", NULL});
	add_node(&b, "y", "Softmax", (const char *const[]){"m", NULL});
	struct model *m = load_graph(&b, "y");
	assert_int_equal(model_context_new(&c, m, 1), 0);
	for (size_t s = 0; s < ARRAY_LEN(sizes); s++) {
		const int64_t n = sizes[s];
		struct tensor *x, *y;
		assert_int_equal(tensor_new(&x, DTYPE_FLOAT, (int64_t[]){n, 64, 64, 3}, 4, false, NULL), 0);
		for (size_t i = 0; i < x->count; i++)
			((float *)x->data)[i] = rng_float(&rng);
		run_once(c, x, &y);
		assert_int_equal(y->dims[0], n);
		for (int64_t i = 0; i < n; i++) {
			struct tensor one, *single;
			const size_t row = x->size / (size_t)n;
			assert_int_equal(tensor_view(&one, DTYPE_FLOAT, (int64_t[]){1, 64, 64, 3}, 4,
						     (char *)x->data + (size_t)i * row, row),
					 0);
			run_once(c, &one, &single);
			assert_memory_equal(single->data, (char *)y->data + (size_t)i * single->size, single->size);
			tensor_unref(single);
		}
		tensor_unref(x);
		tensor_unref(y);
	}
	model_context_free(c);
	model_free(m);
}

/* Each image less the mean of the whole batch, times its size: parts would give something else. */
static void what_depends_on_the_whole_batch_is_not_parted(void **state)
{
	static const char *const outputs[] = {"difference", "scaled"};

	(void)state;
	for (unsigned which = 0; which < 2; which++) {
		struct builder b = {0};
		struct model_context *c;
		struct tensor *x, *y;
		const float two = 2.0f;
		const int64_t n = 6, values = 256 * 256;

		add_placeholder(&b, "x", DT_FLOAT);
		add_const(&b, "w", DT_FLOAT, (int64_t[]){1, 1, 1, 1}, 4, &two, sizeof(two));
		add_ints(&b, "axes", (int64_t[]){0}, 1);
		add_int(&b, "zero", 0);
		add_window_node(&b, "c", "Conv2D", "x", "w", 1);
		add_node(&b, "mean", "Mean", (const char *const[]){"c", "axes", NULL});
		add_node(&b, "difference", "Sub", (const char *const[]){"c", "mean", NULL});
		add_node(&b, "shape", "Shape", (const char *const[]){"c", NULL});
		node_begin(&b, "size", "GatherV2");
		node_input(&b, "shape");
		node_input(&b, "zero");
		node_input(&b, "zero");
		node_end(&b);
		node_begin(&b, "number", "Cast");
		node_input(&b, "size");
		attr_type(&b, "DstT", DT_FLOAT);
		node_end(&b);
		add_node(&b, "scaled", "Mul", (const char *const[]){"c", "number", NULL});
		struct model *m = load_graph(&b, outputs[which]);
		assert_int_equal(model_context_new(&c, m, 1), 0);
		assert_int_equal(tensor_new(&x, DTYPE_FLOAT, (int64_t[]){n, 256, 256, 1}, 4, false, NULL), 0);
		for (size_t i = 0; i < x->count; i++)
			((float *)x->data)[i] = (float)(i / (size_t)values);
		run_once(c, x, &y);
		for (int64_t i = 0; i < n; i++) {
			const double want = which == 0 ? 2.0 * ((double)i - 2.5) : 2.0 * (double)(i * n);
			const double got = (double)((const float *)y->data)[i * values + 77];
			assert_true(fabs(got - want) < 1e-4);
		}
		tensor_unref(x);
		tensor_unref(y);
		model_context_free(c);
		model_free(m);
	}
}

static void assert_run_fails(struct builder *b, const int64_t *dims, unsigned rank, const char *says)
{
	struct model *m = load_graph(b, "y");
	struct model_context *c;
	struct tensor *x, *y = NULL;
	struct error err;

	assert_int_equal(model_context_new(&c, m, 1), 0);
	assert_int_equal(tensor_new(&x, DTYPE_FLOAT, dims, rank, true, NULL), 0);
	assert_int_equal(model_run(c, &x, 1, &y, 1, NULL, &err), ERR_INVALID);
	if (strstr(err.text, says) == NULL)
		fail_msg("'%s' does not say '%s'", err.text, says);
	assert_null(y);
	tensor_unref(x);
	model_context_free(c);
	model_free(m);
}

static void add_plain_conv(struct builder *b, const int64_t *declared, const int64_t *weights, const char *padding)
{
	struct rng rng;

	rng_init(&rng, 46);
	node_begin(b, "x", "Placeholder");
	attr_type(b, "dtype", DT_FLOAT);
	if (declared != NULL)
		attr_shape(b, "shape", declared, 4);
	node_end(b);
	add_weights(b, &rng, "w", weights);
	node_begin(b, "y", "Conv2D");
	node_input(b, "x");
	node_input(b, "w");
	attr_string(b, "padding", padding);
	attr_ints(b, "strides", (int64_t[]){1, 1, 1, 1}, 4);
	node_end(b);
}

static void batches_that_a_fixed_dimension_forbids_are_refused(void **state)
{
	const int64_t weights[] = {1, 1, 2, 2};
	struct builder b = {0};

	(void)state;
	add_plain_conv(&b, (int64_t[]){1, 4, 4, 2}, weights, "SAME");
	assert_run_fails(&b, (int64_t[]){8, 4, 4, 2}, 4, "model 'net': input 'x' is of shape [1,4,4,2], not [8,4,4,2]");

	/* Declared nowhere, but written into a later shape. */
	add_placeholder(&b, "x", DT_FLOAT);
	add_weights(&b, &(struct rng){{1, 2, 3, 4}}, "w", weights);
	add_window_node(&b, "c", "Conv2D", "x", "w", 1);
	add_ints(&b, "shape", (int64_t[]){1, 8}, 2);
	add_node(&b, "y", "Reshape", (const char *const[]){"c", "shape", NULL});
	assert_run_fails(&b, (int64_t[]){4, 2, 2, 2}, 4, "model 'net': node 'y' (Reshape)");
}

static void images_that_do_not_suit_are_refused(void **state)
{
	struct builder b = {0};

	(void)state;
	add_plain_conv(&b, NULL, (int64_t[]){3, 3, 2, 4}, "SAME");
	assert_run_fails(&b, (int64_t[]){1, 4, 4, 3}, 4, "node 'y' (Conv2D): images of 3 channels");
	add_plain_conv(&b, NULL, (int64_t[]){3, 3, 2, 4}, "VALID");
	assert_run_fails(&b, (int64_t[]){1, 2, 4, 2}, 4, "a window that reaches 3 does not fit an image of 2");
	add_plain_conv(&b, NULL, (int64_t[]){3, 3, 2, 4}, "VALID");
	assert_run_fails(&b, (int64_t[]){4, 4, 2}, 3, "[4,4,2] is no batch of images");
}

static void empty_batches_give_empty_results(void **state)
{
	struct builder b = {0};
	struct model_context *c;
	struct tensor *x, *y;

	(void)state;
	add_plain_conv(&b, NULL, (int64_t[]){3, 3, 2, 4}, "SAME");
	struct model *m = load_graph(&b, "y");
	assert_int_equal(model_context_new(&c, m, 1), 0);
	assert_int_equal(tensor_new(&x, DTYPE_FLOAT, (int64_t[]){0, 5, 5, 2}, 4, false, NULL), 0);
	run_once(c, x, &y);
	assert_int_equal(y->rank, 4);
	assert_int_equal(y->dims[0], 0);
	assert_int_equal(y->dims[3], 4);
	tensor_unref(x);
	tensor_unref(y);
	model_context_free(c);
	model_free(m);
}

/* --- MobileNet --- */

#define IMAGES 12
#define CLASSES 1001
#define PIXELS ((size_t)224 * 224 * 3)

static void *read_golden(const char *file, size_t size)
{
	char path[4096], *data;
	struct error err;
	size_t len;

	if (test_data(path, sizeof(path), file) == NULL)
		skip();
	if (file_read(&data, &len, path, (size_t)1 << 26, &err) < 0)
		fail_msg("%s", err.text);
	assert_true(size == 0 || len == size);
	return data;
}

static void assert_golden(const float *got, const float *want)
{
	for (size_t k = 0; k < CLASSES; k++)
		assert_true(fabsf(got[k] - want[k]) <= 1e-4f);
	/* The best five in order: none is passed by any class that is not before it. */
	bool taken[CLASSES] = {false};
	for (int rank = 0; rank < 5; rank++) {
		size_t best = CLASSES, mine = CLASSES;
		for (size_t k = 0; k < CLASSES; k++) {
			if (!taken[k] && (best == CLASSES || want[k] > want[best]))
				best = k;
			if (!taken[k] && (mine == CLASSES || got[k] > got[mine]))
				mine = k;
		}
		assert_int_equal(mine, best);
		taken[best] = true;
	}
}

static void mobilenet_gives_the_golden_answers(void **state)
{
	char path[4096], *blob;
	struct tensor *x, *y;
	struct model_context *c;
	struct model *m = NULL;
	struct error err;
	size_t len;

	(void)state;
	if (test_data(path, sizeof(path), "models/tensorflow/mobilenet_v1_1.0_224_frozen.pb") == NULL)
		skip();
	const struct model_load_config cfg = {
		.format = MODEL_TENSORFLOW,
		.name = "mobilenet",
		.io = {(const char *const[]){"input"}, 1, (const char *const[]){"MobilenetV1/Predictions/Reshape_1"},
		       1},
	};
	uint8_t *images = read_golden("golden/mobilenet_v1/inputs_u8_12x224x224x3.raw", IMAGES * PIXELS);
	float *want = read_golden("golden/mobilenet_v1/expected_f32_12x1001.raw", IMAGES * CLASSES * sizeof(float));
	if (file_read(&blob, &len, path, (size_t)1 << 26, &err) < 0 ||
	    model_load(&m, &cfg, blob, len, NULL, NULL, &err) < 0)
		fail_msg("%s", err.text);
	free(blob);
	assert_int_equal(model_context_new(&c, m, 1), 0);
	assert_int_equal(tensor_new(&x, DTYPE_FLOAT, (int64_t[]){IMAGES, 224, 224, 3}, 4, false, NULL), 0);
	for (size_t i = 0; i < x->count; i++)
		((float *)x->data)[i] = ((float)images[i] - 128.0f) / 128.0f;
	run_once(c, x, &y);
	for (size_t i = 0; i < IMAGES; i++) {
		const float *row = (const float *)y->data + i * CLASSES;
		struct tensor one, *single;
		assert_golden(row, want + i * CLASSES);
		assert_int_equal(tensor_view(&one, DTYPE_FLOAT, (int64_t[]){1, 224, 224, 3}, 4,
					     (float *)x->data + i * PIXELS, PIXELS * sizeof(float)),
				 0);
		run_once(c, &one, &single);
		assert_memory_equal(single->data, row, CLASSES * sizeof(float));
		tensor_unref(single);
	}
	tensor_unref(x);
	tensor_unref(y);
	free(images);
	free(want);
	model_context_free(c);
	model_free(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(batches_equal_images_one_by_one),
		cmocka_unit_test(what_depends_on_the_whole_batch_is_not_parted),
		cmocka_unit_test(batches_that_a_fixed_dimension_forbids_are_refused),
		cmocka_unit_test(images_that_do_not_suit_are_refused),
		cmocka_unit_test(empty_batches_give_empty_results),
		cmocka_unit_test(mobilenet_gives_the_golden_answers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
