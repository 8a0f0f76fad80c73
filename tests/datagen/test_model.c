/*
 * test_model.c - the generated fraud nets: the same bytes for the same seed, a graph that decodes, and answers that
 * depend on what they should depend on. The nets are run by a plain implementation of the decoded graph.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "datagen/fraud.h"
#include "datagen/model.h"
#include "datagen/synthetic.h"
#include "proto/tensorflow.pb-c.h"

static Tensorflow__GraphDef *decode_net(bool reference, uint64_t seed, unsigned char **ret_bytes, size_t *ret_len)
{
	struct fraud_net *net = malloc(sizeof(*net));
	struct error err;
	Tensorflow__GraphDef *graph;

	assert_non_null(net);
	fraud_net_init(net, reference, seed);
	assert_int_equal(model_format_tensorflow.write_fraud(ret_bytes, ret_len, net, &err), 0);
	free(net);
	graph = tensorflow__graph_def__unpack(NULL, *ret_len, *ret_bytes);
	assert_non_null(graph);
	return graph;
}

static const Tensorflow__NodeDef *node(const Tensorflow__GraphDef *graph, const char *name)
{
	for (size_t i = 0; i < graph->n_node; i++) {
		if (strcmp(graph->node[i]->name, name) == 0)
			return graph->node[i];
	}
	fail_msg("no node %s", name);
	return NULL;
}

static const Tensorflow__AttrValue *attr(const Tensorflow__NodeDef *n, const char *key)
{
	for (size_t i = 0; i < n->n_attr; i++) {
		if (strcmp(n->attr[i]->key, key) == 0)
			return n->attr[i]->value;
	}
	fail_msg("%s has no %s", n->name, key);
	return NULL;
}

static void expect_node(const Tensorflow__GraphDef *graph, const char *name, const char *op, size_t n_input,
			const char *const *inputs)
{
	const Tensorflow__NodeDef *n = node(graph, name);

	assert_string_equal(n->op, op);
	assert_int_equal(n->n_input, n_input);
	for (size_t i = 0; i < n_input; i++)
		assert_string_equal(n->input[i], inputs[i]);
}

/* The Const behind "<name>/read", its shape checked. */
static const float *variable(const Tensorflow__GraphDef *graph, const char *name, size_t n_dim, int64_t d0, int64_t d1)
{
	const Tensorflow__TensorProto *t = attr(node(graph, name), "value")->tensor;
	int64_t count = d0 * (n_dim == 2 ? d1 : 1);

	assert_string_equal(node(graph, name)->op, "Const");
	assert_int_equal(t->dtype, 1);
	assert_int_equal(t->tensor_shape->n_dim, n_dim);
	assert_int_equal(t->tensor_shape->dim[0]->size, d0);
	if (n_dim == 2)
		assert_int_equal(t->tensor_shape->dim[1]->size, d1);
	assert_int_equal(t->tensor_content.len, count * 4);
	return (const float *)(const void *)t->tensor_content.data;
}

/* Probabilities of one row, from the graph's constants. */
static void run(double ret[2], const Tensorflow__GraphDef *graph, bool reference, const float *transaction,
		const float *references)
{
	static const char *const weights[] = {"Variable", "Variable_2", "Variable_4", "Variable_6"};
	static const char *const biases[] = {"Variable_1", "Variable_3", "Variable_5", "Variable_7"};
	static const unsigned widths[] = {18, 27, 40, 2};
	unsigned inputs = reference ? 286 : 30;
	double x[286], y[286];

	for (unsigned i = 0; i < inputs; i++)
		x[i] = (double)(i < 30 ? transaction[i] : references[i - 30]);
	for (unsigned l = 0; l < 4; l++) {
		const float *w = variable(graph, weights[l], 2, inputs, widths[l]);
		const float *b = variable(graph, biases[l], 1, widths[l], 0);

		for (unsigned o = 0; o < widths[l]; o++) {
			y[o] = (double)b[o];
			for (unsigned i = 0; i < inputs; i++)
				y[o] += x[i] * (double)w[i * widths[l] + o];
			if (l < 3)
				y[o] = 1 / (1 + exp(-y[o]));
		}
		inputs = widths[l];
		memcpy(x, y, sizeof(x));
	}
	ret[0] = 1 / (1 + exp(x[1] - x[0]));
	ret[1] = 1 - ret[0];
}

static void node_names_and_wiring_are_aibenchs(void **state)
{
	(void)state;
	for (int reference = 0; reference < 2; reference++) {
		unsigned char *bytes;
		size_t len;
		Tensorflow__GraphDef *g = decode_net(reference, 1, &bytes, &len);
		const Tensorflow__TensorShapeProto *shape = attr(node(g, "transaction"), "shape")->shape;

		assert_string_equal(node(g, "transaction")->op, "Placeholder");
		assert_int_equal(attr(node(g, "transaction"), "dtype")->type, 1);
		assert_int_equal(shape->n_dim, 2);
		assert_int_equal(shape->dim[0]->size, -1);
		assert_int_equal(shape->dim[1]->size, 30);
		expect_node(g, "Variable/read", "Identity", 1, (const char *[]){"Variable"});
		expect_node(g, "Variable_7/read", "Identity", 1, (const char *[]){"Variable_7"});
		expect_node(g, "MatMul", "MatMul", 2,
			    (const char *[]){reference ? "concat" : "transaction", "Variable/read"});
		expect_node(g, "add", "Add", 2, (const char *[]){"MatMul", "Variable_1/read"});
		expect_node(g, "Sigmoid", "Sigmoid", 1, (const char *[]){"add"});
		expect_node(g, "MatMul_3", "MatMul", 2, (const char *[]){"Sigmoid_2", "Variable_6/read"});
		expect_node(g, "add_3", "Add", 2, (const char *[]){"MatMul_3", "Variable_7/read"});
		expect_node(g, reference ? "output" : "out", "Softmax", 1, (const char *[]){"add_3"});
		if (reference) {
			expect_node(g, "reference", "Placeholder", 0, NULL);
			expect_node(g, "Reshape", "Reshape", 2, (const char *[]){"reference", "Reshape/shape"});
			expect_node(g, "concat", "ConcatV2", 3,
				    (const char *[]){"transaction", "Reshape", "concat/axis"});
			assert_int_equal(attr(node(g, "concat"), "N")->i, 2);
		}
		tensorflow__graph_def__free_unpacked(g, NULL);
		free(bytes);
	}
}

/* Fixed for ever: models are compared by checksum. */
static void known_seed_makes_known_bytes(void **state)
{
	static const uint64_t known[2] = {UINT64_C(0x7152e38d0084d592), UINT64_C(0x11781329561ec358)};

	(void)state;
	for (int reference = 0; reference < 2; reference++) {
		uint64_t hash = UINT64_C(0xcbf29ce484222325);
		unsigned char *bytes;
		size_t len;
		Tensorflow__GraphDef *g = decode_net(reference, 12345, &bytes, &len);

		for (size_t i = 0; i < len; i++)
			hash = (hash ^ bytes[i]) * UINT64_C(0x100000001b3);
		assert_int_equal(hash, known[reference]);
		tensorflow__graph_def__free_unpacked(g, NULL);
		free(bytes);
	}
}

static void every_seed_makes_another_model(void **state)
{
	unsigned char *a, *b;
	size_t a_len, b_len;
	Tensorflow__GraphDef *ga = decode_net(true, 1, &a, &a_len), *gb = decode_net(true, 2, &b, &b_len);

	(void)state;
	assert_int_equal(a_len, b_len);
	assert_memory_not_equal(a, b, a_len);
	tensorflow__graph_def__free_unpacked(ga, NULL);
	tensorflow__graph_def__free_unpacked(gb, NULL);
	free(a);
	free(b);
}

/* Rows of the generator through nets of several seeds: not saturated, not constant. */
static void answers_are_spread_and_follow_transaction_and_reference(void **state)
{
	enum { ROWS = 500, SEEDS = 20 };

	(void)state;
	for (uint64_t seed = 0; seed < SEEDS; seed++) {
		for (int reference = 0; reference < 2; reference++) {
			unsigned char *bytes;
			size_t len;
			Tensorflow__GraphDef *g = decode_net(reference, seed, &bytes, &len);
			int differ = 0, transaction_differs = 0, saturated = 0;
			double previous = -1, sum = 0, squares = 0;

			for (uint64_t id = 0; id < ROWS; id++) {
				struct synthetic_transaction t;
				unsigned char row[FRAUD_ROW_SIZE], next[FRAUD_ROW_SIZE];
				float features[FRAUD_FEATURES], r[FRAUD_REFERENCES], other[FRAUD_REFERENCES];
				double p[2], q[2];

				synthetic_transaction(&t, 5, id * 500);
				synthetic_features(features, &t);
				fraud_row(row, id, features, 5);
				fraud_row(next, id + 1, features, 5);
				memcpy(r, row + FRAUD_REFERENCE_OFFSET, sizeof(r));
				memcpy(other, next + FRAUD_REFERENCE_OFFSET, sizeof(other));
				run(p, g, reference, features, r);
				run(q, g, reference, features, other);
				assert_true(p[0] > 0 && p[0] < 1);
				differ += fabs(p[0] - q[0]) > 1e-4;
				transaction_differs += fabs(p[0] - previous) > 1e-4;
				saturated += p[0] < 1e-3 || p[0] > 1 - 1e-3;
				previous = p[0];
				sum += p[0];
				squares += p[0] * p[0];
			}
			double mean = sum / ROWS, deviation = sqrt(squares / ROWS - mean * mean);

			if (reference)
				assert_true(differ > ROWS * 99 / 100);
			else
				assert_int_equal(differ, 0);
			assert_true(transaction_differs > ROWS * 99 / 100);
			assert_true(saturated == 0);
			assert_true(deviation > 0.1);
			tensorflow__graph_def__free_unpacked(g, NULL);
			free(bytes);
		}
	}
}

static void formats_are_found_by_name(void **state)
{
	(void)state;
	assert_ptr_equal(model_format_find("tensorflow"), &model_format_tensorflow);
	assert_null(model_format_find("caffe"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(node_names_and_wiring_are_aibenchs),
		cmocka_unit_test(known_seed_makes_known_bytes),
		cmocka_unit_test(every_seed_makes_another_model),
		cmocka_unit_test(answers_are_spread_and_follow_transaction_and_reference),
		cmocka_unit_test(formats_are_found_by_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
