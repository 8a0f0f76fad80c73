/*
 * Whole models: passes that must not change results, plans for several shapes, memory of outputs, errors of a run.
 */
#include "tests/engine/operator_check.h"

#include <stdlib.h>

struct net {
	struct model *m;
	struct model_context *c;
};

static const char *const input_x[] = {"x"}, *const output_y[] = {"y"};

static struct net net_load(struct builder *b, const char *const *in, size_t nin, const char *const *out, size_t nout,
			   size_t memory_max)
{
	const struct model_load_config cfg = {
		.format = MODEL_TENSORFLOW, .name = "tested", .io = {in, nin, out, nout}, .memory_max = memory_max};
	struct error err;
	struct net net;

	if (model_load(&net.m, &cfg, b->graph.data, b->graph.len, NULL, NULL, &err) < 0)
		fail_msg("%s", err.text);
	assert_int_equal(model_context_new(&net.c, net.m, 3), 0);
	builder_release(b);
	return net;
}

static void net_free(struct net *net)
{
	model_context_free(net->c);
	model_free(net->m);
}

static struct tensor *random_tensor(struct rng *rng, const int64_t *dims, unsigned rank)
{
	struct tensor *t;

	assert_int_equal(tensor_new(&t, DTYPE_FLOAT, dims, rank, false, NULL), 0);
	for (size_t i = 0; i < t->count; i++)
		((float *)t->data)[i] = rng_float(rng) * 4.0f - 2.0f;
	return t;
}

static void add_weights(struct builder *b, const char *name, struct rng *rng, const int64_t *dims, unsigned rank)
{
	struct tensor *t = random_tensor(rng, dims, rank);

	add_const(b, name, DT_FLOAT, dims, rank, t->data, t->size);
	tensor_unref(t);
}

static const int64_t widths[] = {30, 18, 27, 40, 2};

/* The layers of the fraud net, seeded; with every activation in turn where `activation` is given. */
static void add_layers(struct builder *b, struct rng *rng, const char *bias_op, const char *activation)
{
	char weights[16], bias[16], product[16], sum[16], last[16] = "x", next[16];

	for (int i = 0; i < 4; i++) {
		snprintf(weights, sizeof(weights), "w%d", i);
		snprintf(bias, sizeof(bias), "b%d", i);
		snprintf(product, sizeof(product), "m%d", i);
		snprintf(sum, sizeof(sum), "s%d", i);
		snprintf(next, sizeof(next), "a%d", i);
		add_weights(b, weights, rng, widths + i, 2);
		add_weights(b, bias, rng, widths + i + 1, 1);
		add_node(b, product, "MatMul", (const char *const[]){last, weights, NULL});
		/* Add takes the bias on either side. */
		if (i % 2 == 1 && strcmp(bias_op, "BiasAdd") != 0)
			add_node(b, sum, bias_op, (const char *const[]){bias, product, NULL});
		else
			add_node(b, sum, bias_op, (const char *const[]){product, bias, NULL});
		add_node(b, i == 3 ? "y" : next, i == 3 ? "Softmax" : activation, (const char *const[]){sum, NULL});
		memcpy(last, next, sizeof(last));
	}
}

/* The same in doubles. */
static void reference_net(uint64_t seed, const struct tensor *x, double (*f)(double), struct ref *ret)
{
	struct rng rng;
	struct ref now;

	rng_init(&rng, seed);
	ref_init(&now, x->dims, 2);
	for (size_t i = 0; i < x->count; i++)
		now.v[i] = (double)((const float *)x->data)[i];
	for (int i = 0; i < 4; i++) {
		struct tensor *w = random_tensor(&rng, widths + i, 2), *b = random_tensor(&rng, widths + i + 1, 1);
		struct ref weights, next;
		ref_init(&weights, widths + i, 2);
		for (size_t k = 0; k < w->count; k++)
			weights.v[k] = (double)((const float *)w->data)[k];
		ref_matmul(&next, &now, &weights, false, false);
		for (size_t k = 0; k < next.count; k++) {
			next.v[k] += (double)((const float *)b->data)[k % b->count];
			next.v[k] = i < 3 ? f(next.v[k]) : next.v[k];
		}
		ref_release(&now);
		ref_release(&weights);
		tensor_unref(w);
		tensor_unref(b);
		now = next;
	}
	ref_softmax(ret, &now, false);
	ref_release(&now);
}

static double f_leaky(double x)
{
	return x < 0.0 ? (double)0.2f * x : x;
}

static struct tensor *run_one(struct net *net, struct tensor *x)
{
	struct tensor *out;
	struct error err;

	if (model_run(net->c, &x, 1, &out, 1, NULL, &err) < 0)
		fail_msg("%s", err.text);
	return out;
}

static void fused_layers_match_reference(void **state)
{
	static const struct {
		const char *op;
		double (*f)(double);
	} activations[] = {{"Sigmoid", ref_sigmoid}, {"Tanh", tanh},         {"Relu", ref_relu},
			   {"Relu6", ref_relu6},     {"LeakyRelu", f_leaky}, {"Elu", ref_elu}};
	static const char *const bias_ops[] = {"BiasAdd", "Add", "AddV2"};
	struct rng rng;

	(void)state;
	for (size_t k = 0; k < 6; k++) {
		struct builder b = {0};
		struct ref want;

		rng_init(&rng, 40 + k);
		add_placeholder(&b, "x", DT_FLOAT);
		add_layers(&b, &rng, bias_ops[k % 3], activations[k].op);
		struct net net = net_load(&b, input_x, 1, output_y, 1, 0);
		struct tensor *x = random_tensor(&rng, (const int64_t[]){9, 30}, 2), *y = run_one(&net, x);
		reference_net(40 + k, x, activations[k].f, &want);
		assert_close(y, &want, 2e-4, 1e-6);
		ref_release(&want);
		tensor_unref(x);
		tensor_unref(y);
		net_free(&net);
	}
}

/* Naming every step an output keeps them apart: nothing can be fused. */
static void fusing_changes_nothing_but_rounding(void **state)
{
	static const char *const all[] = {"y", "m0", "s0", "m1", "s1", "m2", "s2", "m3", "s3"};
	struct builder plain = {0}, fused = {0};
	struct tensor *apart[9];
	struct error err;
	struct rng rng;

	(void)state;
	rng_init(&rng, 50);
	add_placeholder(&plain, "x", DT_FLOAT);
	add_layers(&plain, &rng, "Add", "Sigmoid");
	rng_init(&rng, 50);
	add_placeholder(&fused, "x", DT_FLOAT);
	add_layers(&fused, &rng, "Add", "Sigmoid");
	struct net one = net_load(&plain, input_x, 1, all, 9, 0), other = net_load(&fused, input_x, 1, output_y, 1, 0);
	struct tensor *x = random_tensor(&rng, (const int64_t[]){20, 30}, 2), *y = run_one(&other, x);
	assert_int_equal(model_run(one.c, &x, 1, apart, 9, NULL, &err), 0);
	for (size_t i = 0; i < y->count; i++)
		assert_true(fabsf(((float *)y->data)[i] - ((float *)apart[0]->data)[i]) < 1e-6f);
	for (size_t i = 0; i < 9; i++)
		tensor_unref(apart[i]);
	tensor_unref(x);
	tensor_unref(y);
	net_free(&one);
	net_free(&other);
}

static void a_batch_equals_single_runs_bit_for_bit(void **state)
{
	struct builder b = {0};
	struct rng rng;

	(void)state;
	rng_init(&rng, 51);
	add_placeholder(&b, "x", DT_FLOAT);
	add_layers(&b, &rng, "Add", "Sigmoid");
	struct net net = net_load(&b, input_x, 1, output_y, 1, 0);
	for (int64_t n = 2; n <= 300; n = n * 2 + 1) {
		struct tensor *x = random_tensor(&rng, (const int64_t[]){n, 30}, 2), *y = run_one(&net, x);
		for (int64_t i = 0; i < n; i++) {
			struct tensor row;
			assert_int_equal(tensor_view(&row, DTYPE_FLOAT, (const int64_t[]){1, 30}, 2,
						     (float *)x->data + 30 * i, 30 * sizeof(float)),
					 0);
			struct tensor *single = run_one(&net, &row);
			assert_memory_equal(single->data, (float *)y->data + 2 * i, 2 * sizeof(float));
			tensor_unref(single);
		}
		tensor_unref(x);
		tensor_unref(y);
	}
	net_free(&net);
}

/* More shapes than plans are kept, in an order that reuses some and drops others. */
static void plans_come_and_go_with_the_shapes(void **state)
{
	struct builder b = {0};
	struct rng rng;

	(void)state;
	rng_init(&rng, 52);
	add_placeholder(&b, "x", DT_FLOAT);
	add_node(&b, "e", "Exp", (const char *const[]){"x", NULL});
	add_node(&b, "n", "Neg", (const char *const[]){"e", NULL});
	add_node(&b, "y", "Add", (const char *const[]){"n", "x", NULL});
	struct net net = net_load(&b, input_x, 1, output_y, 1, 0);
	for (int round = 0; round < 400; round++) {
		int64_t dims[] = {1 + (int64_t)rng_below(&rng, 50), 1 + (int64_t)rng_below(&rng, 2)};
		struct tensor *x = random_tensor(&rng, dims, 2), *y = run_one(&net, x);
		assert_int_equal(y->dims[0], dims[0]);
		assert_int_equal(y->dims[1], dims[1]);
		for (size_t i = 0; i < x->count; i++) {
			float v = ((float *)x->data)[i];
			assert_true(fabsf(((float *)y->data)[i] - (v - expf(v))) < 1e-5f);
		}
		tensor_unref(x);
		tensor_unref(y);
	}
	net_free(&net);
}

static void constant_subgraphs_are_folded(void **state)
{
	const float left[] = {1, 2, 3, 4};
	const int64_t two[] = {2, 2};
	struct builder b = {0};
	struct rng rng;

	(void)state;
	rng_init(&rng, 53);
	add_placeholder(&b, "x", DT_FLOAT);
	add_const(&b, "c", DT_FLOAT, two, 2, left, sizeof(left));
	add_node(&b, "square", "MatMul", (const char *const[]){"c", "c", NULL});
	add_node(&b, "shape", "Shape", (const char *const[]){"square", NULL});
	add_node(&b, "same", "Reshape", (const char *const[]){"square", "shape", NULL});
	add_node(&b, "alias", "Identity", (const char *const[]){"same", NULL});
	add_node(&b, "y", "Mul", (const char *const[]){"x", "alias", NULL});
	struct net net = net_load(&b, input_x, 1, output_y, 1, 0);
	float one = 1.0f;
	struct tensor x, *y;
	assert_int_equal(tensor_view(&x, DTYPE_FLOAT, NULL, 0, &one, sizeof(one)), 0);
	y = run_one(&net, &x);
	assert_memory_equal(y->data, ((const float[]){7, 10, 15, 22}), 16);
	tensor_unref(y);
	net_free(&net);
}

/* The dropout of the fraud net: shapes of intermediate values decide what is drawn. */
static void random_values_differ_between_runs_and_agree_for_a_seed(void **state)
{
	struct builder b = {0};
	struct rng rng;

	(void)state;
	rng_init(&rng, 54);
	add_placeholder(&b, "x", DT_FLOAT);
	add_node(&b, "s", "Sigmoid", (const char *const[]){"x", NULL});
	add_node(&b, "shape", "Shape", (const char *const[]){"s", NULL});
	node_begin(&b, "r", "RandomUniform");
	node_input(&b, "shape");
	attr_type(&b, "dtype", DT_FLOAT);
	node_end(&b);
	add_node(&b, "y", "Add", (const char *const[]){"r", "s", NULL});
	struct net net = net_load(&b, input_x, 1, output_y, 1, 0);
	struct model_context *same;
	assert_int_equal(model_context_new(&same, net.m, 3), 0);
	struct net twin = {net.m, same};
	struct tensor *x = random_tensor(&rng, (const int64_t[]){5, 6}, 2);
	struct tensor *first = run_one(&net, x), *second = run_one(&net, x), *again = run_one(&twin, x);
	assert_memory_not_equal(first->data, second->data, first->size);
	assert_memory_equal(first->data, again->data, first->size);
	tensor_unref(first);
	tensor_unref(second);
	tensor_unref(again);
	tensor_unref(x);
	model_context_free(same);
	net_free(&net);
}

/* Inputs, constants, views and twice the same value: each output is a tensor of its own. */
static void outputs_never_share_memory(void **state)
{
	static const char *const out[] = {"x", "c", "flat", "y", "y", "view", "same"};
	struct builder b = {0};
	struct tensor *got[7];
	struct error err;
	struct rng rng;

	(void)state;
	rng_init(&rng, 55);
	add_placeholder(&b, "x", DT_FLOAT);
	add_const(&b, "c", DT_FLOAT, (const int64_t[]){2}, 1, (const float[]){5, 6}, 8);
	add_ints(&b, "minus", (const int64_t[]){-1}, 1);
	add_node(&b, "flat", "Reshape", (const char *const[]){"x", "minus", NULL});
	add_node(&b, "y", "Neg", (const char *const[]){"x", NULL});
	add_node(&b, "view", "Reshape", (const char *const[]){"y", "minus", NULL});
	add_node(&b, "same", "Identity", (const char *const[]){"x", NULL});
	struct net net = net_load(&b, input_x, 1, out, 7, 0);
	struct tensor *x = random_tensor(&rng, (const int64_t[]){2, 3}, 2);
	assert_int_equal(model_run(net.c, &x, 1, got, 7, NULL, &err), 0);
	for (size_t i = 0; i < 7; i++) {
		assert_true(got[i]->data != x->data);
		for (size_t k = 0; k < i; k++)
			assert_true(got[i]->data != got[k]->data);
	}
	assert_memory_equal(got[0]->data, x->data, x->size);
	assert_memory_equal(got[1]->data, ((const float[]){5, 6}), 8);
	assert_memory_equal(got[2]->data, x->data, x->size);
	assert_int_equal(got[2]->rank, 1);
	assert_memory_equal(got[3]->data, got[4]->data, x->size);
	assert_memory_equal(got[3]->data, got[5]->data, x->size);
	assert_int_equal(got[5]->rank, 1);
	assert_memory_equal(got[6]->data, x->data, x->size);
	for (size_t i = 0; i < 7; i++)
		tensor_unref(got[i]);
	tensor_unref(x);
	net_free(&net);
}

/* Values live on while others reuse what is free: a random web of sums and differences against plain arithmetic. */
static void reused_memory_never_holds_a_live_value(void **state)
{
	struct rng rng;

	(void)state;
	rng_init(&rng, 56);
	for (int round = 0; round < 30; round++) {
		struct builder b = {0};
		float values[40][6];
		char names[40][8];
		struct tensor *x = random_tensor(&rng, (const int64_t[]){6}, 1);

		add_placeholder(&b, "x", DT_FLOAT);
		memcpy(values[0], x->data, x->size);
		strcpy(names[0], "x");
		for (int i = 1; i < 40; i++) {
			int left = (int)rng_below(&rng, (uint64_t)i), right = (int)rng_below(&rng, (uint64_t)i);
			bool greater = rng_below(&rng, 2);
			snprintf(names[i], sizeof(names[i]), i == 39 ? "y" : "v%d", i);
			add_node(&b, names[i], greater ? "Maximum" : "Minimum",
				 (const char *const[]){names[left], names[right], NULL});
			for (int k = 0; k < 6; k++)
				values[i][k] = greater ? fmaxf(values[left][k], values[right][k])
						       : fminf(values[left][k], values[right][k]);
			if (i % 3 == 0) {
				i++;
				if (i == 40)
					break;
				snprintf(names[i], sizeof(names[i]), i == 39 ? "y" : "v%d", i);
				add_node(&b, names[i], "Neg", (const char *const[]){names[i - 1], NULL});
				for (int k = 0; k < 6; k++)
					values[i][k] = -values[i - 1][k];
			}
		}
		struct net net = net_load(&b, input_x, 1, output_y, 1, 0);
		struct tensor *y = run_one(&net, x);
		for (int k = 0; k < 6; k++)
			assert_true(((float *)y->data)[k] == values[39][k]);
		tensor_unref(y);
		tensor_unref(x);
		net_free(&net);
	}
}

static void assert_run_fails(struct net *net, struct tensor *x, size_t nin, int r, const char *words)
{
	struct tensor *out = x;
	struct error err;

	assert_int_equal(model_run(net->c, &x, nin, &out, 1, NULL, &err), r);
	assert_null(out);
	if (strstr(err.text, words) == NULL)
		fail_msg("'%s' does not say '%s'", err.text, words);
}

static void a_run_says_what_is_wrong_with_its_inputs(void **state)
{
	struct builder b = {0};
	struct tensor *ints;
	struct rng rng;

	(void)state;
	rng_init(&rng, 57);
	add_placeholder(&b, "x", DT_FLOAT);
	add_layers(&b, &rng, "Add", "Sigmoid");
	struct net net = net_load(&b, input_x, 1, output_y, 1, 0);
	struct tensor *narrow = random_tensor(&rng, (const int64_t[]){1, 29}, 2);
	struct tensor *flat = random_tensor(&rng, (const int64_t[]){30}, 1);
	struct tensor *right = random_tensor(&rng, (const int64_t[]){1, 30}, 2);
	assert_int_equal(tensor_new(&ints, DTYPE_INT32, (const int64_t[]){1, 30}, 2, true, NULL), 0);
	assert_run_fails(&net, narrow, 1, ERR_INVALID, "node 'm0' (MatMul): matrices of shapes [1,29] and [30,18]");
	assert_run_fails(&net, flat, 1, ERR_INVALID, "[30]");
	assert_run_fails(&net, ints, 1, ERR_INVALID, "input 'x' is of type FLOAT, not INT32");
	assert_run_fails(&net, right, 0, ERR_INVALID, "1 inputs");
	struct tensor *y = run_one(&net, right); /* none of it did harm */
	tensor_unref(y);
	tensor_unref(narrow);
	tensor_unref(flat);
	tensor_unref(right);
	tensor_unref(ints);
	net_free(&net);
}

static void indices_are_checked_in_every_run(void **state)
{
	struct builder b = {0};
	struct tensor *x;

	(void)state;
	add_placeholder(&b, "x", DT_INT32);
	add_const(&b, "table", DT_FLOAT, (const int64_t[]){3}, 1, (const float[]){7, 8, 9}, 12);
	add_node(&b, "y", "Gather", (const char *const[]){"table", "x", NULL});
	struct net net = net_load(&b, input_x, 1, output_y, 1, 0);
	assert_int_equal(tensor_new(&x, DTYPE_INT32, (const int64_t[]){2}, 1, true, NULL), 0);
	((int32_t *)x->data)[1] = 3;
	assert_run_fails(&net, x, 1, ERR_INVALID, "node 'y' (Gather): index 3 outside [0, 3)");
	((int32_t *)x->data)[1] = -1;
	assert_run_fails(&net, x, 1, ERR_INVALID, "index -1");
	((int32_t *)x->data)[1] = 2;
	struct tensor *y = run_one(&net, x);
	assert_memory_equal(y->data, ((const float[]){7, 9}), 8);
	tensor_unref(y);
	tensor_unref(x);
	net_free(&net);
}

static void shapes_that_depend_on_fed_values_are_refused(void **state)
{
	static const char *const in[] = {"x", "shape"};
	struct builder b = {0};
	struct tensor *inputs[2], *out = NULL;
	struct error err;

	(void)state;
	add_placeholder(&b, "x", DT_FLOAT);
	add_placeholder(&b, "shape", DT_INT32);
	add_node(&b, "y", "Reshape", (const char *const[]){"x", "shape", NULL});
	struct net net = net_load(&b, in, 2, output_y, 1, 0);
	assert_int_equal(tensor_new(&inputs[0], DTYPE_FLOAT, (const int64_t[]){2}, 1, true, NULL), 0);
	assert_int_equal(tensor_new(&inputs[1], DTYPE_INT32, (const int64_t[]){1}, 1, true, NULL), 0);
	assert_int_equal(model_run(net.c, inputs, 2, &out, 1, NULL, &err), ERR_UNSUPPORTED);
	assert_non_null(strstr(err.text, "node 'y' (Reshape): input 1 depends on"));
	tensor_unref(inputs[0]);
	tensor_unref(inputs[1]);
	net_free(&net);
}

static void a_run_that_takes_too_much_memory_is_refused(void **state)
{
	struct builder b = {0};
	struct rng rng;

	(void)state;
	rng_init(&rng, 58);
	/* An outer sum of n and n values, then smaller again. */
	add_placeholder(&b, "x", DT_FLOAT);
	add_ints(&b, "order", (const int64_t[]){1, 0}, 2);
	add_ints(&b, "axes", (const int64_t[]){0, 1}, 2);
	add_node(&b, "t", "Transpose", (const char *const[]){"x", "order", NULL});
	add_node(&b, "outer", "Add", (const char *const[]){"x", "t", NULL});
	add_node(&b, "y", "Sum", (const char *const[]){"outer", "axes", NULL});
	struct net net = net_load(&b, input_x, 1, output_y, 1, (size_t)1 << 20);
	struct tensor *small = random_tensor(&rng, (const int64_t[]){1, 100}, 2);
	struct tensor *large = random_tensor(&rng, (const int64_t[]){1, 100000}, 2);
	assert_run_fails(&net, large, 1, ERR_RANGE, "more than 1 MiB");
	struct tensor *y = run_one(&net, small);
	tensor_unref(y);
	tensor_unref(small);
	tensor_unref(large);
	net_free(&net);
}

/* What a node computes from constants is wrong before any input is seen. */
static void errors_in_constant_subgraphs_end_the_load(void **state)
{
	const struct model_load_config cfg = {
		.format = MODEL_TENSORFLOW, .name = "tested", .io = {NULL, 0, output_y, 1}};
	struct builder b = {0};
	enum model_fault fault;
	struct model *m = NULL;
	struct error err;

	(void)state;
	add_ints(&b, "a", (const int64_t[]){1, 2}, 2);
	add_ints(&b, "b", (const int64_t[]){1, 2, 3}, 3);
	add_node(&b, "y", "Add", (const char *const[]){"a", "b", NULL});
	assert_int_equal(model_load(&m, &cfg, b.graph.data, b.graph.len, &fault, NULL, &err), ERR_INVALID);
	assert_non_null(strstr(err.text, "node 'y' (Add): shapes [2] and [3]"));
	assert_int_equal(fault, MODEL_FAULT_OTHER);
	assert_null(m);
	builder_release(&b);
}

static void empty_tensors_pass_through(void **state)
{
	struct builder b = {0};
	struct tensor *x;
	struct rng rng;

	(void)state;
	rng_init(&rng, 59);
	add_placeholder(&b, "x", DT_FLOAT);
	add_layers(&b, &rng, "Add", "Sigmoid");
	struct net net = net_load(&b, input_x, 1, output_y, 1, 0);
	assert_int_equal(tensor_new(&x, DTYPE_FLOAT, (const int64_t[]){0, 30}, 2, true, NULL), 0);
	struct tensor *y = run_one(&net, x);
	assert_int_equal(y->count, 0);
	assert_int_equal(y->dims[1], 2);
	tensor_unref(y);
	tensor_unref(x);
	net_free(&net);
}

static unsigned live;

static void *counting_alloc(size_t n)
{
	live++;
	return malloc(n);
}

static void *counting_calloc(size_t n, size_t size)
{
	live++;
	return calloc(n, size);
}

static void counting_free(void *p)
{
	live -= p != NULL;
	free(p);
}

static void weights_are_held_once_by_the_given_allocator(void **state)
{
	static const struct allocator counting = {counting_alloc, counting_calloc, counting_free, NULL};
	struct builder b = {0};
	struct rng rng;
	struct model *m;
	struct error err;

	(void)state;
	rng_init(&rng, 60);
	add_placeholder(&b, "x", DT_FLOAT);
	add_layers(&b, &rng, "Add", "Sigmoid");
	const struct model_load_config cfg = {
		.format = MODEL_TENSORFLOW, .io = {input_x, 1, output_y, 1}, .allocator = &counting};
	assert_int_equal(model_load(&m, &cfg, b.graph.data, b.graph.len, NULL, NULL, &err), 0);
	assert_true(live > 0);
	/* 30*18 + 18*27 + 27*40 + 40*2 of them, in panels of up to 32 columns, and the structures around them. */
	assert_true(model_memory(m) > 2186 * sizeof(float));
	assert_true(model_memory(m) < 2186 * sizeof(float) + 30000);
	model_free(m);
	assert_int_equal(live, 0);
	builder_release(&b);
}

/* More batch sizes than plans are kept: each drops what it took. */
static void runs_take_from_the_given_allocator_and_give_back(void **state)
{
	static const struct allocator counting = {counting_alloc, counting_calloc, counting_free, NULL};
	struct builder b = {0};
	struct rng rng;
	struct model_context *c;
	struct model *m;
	struct error err;

	(void)state;
	rng_init(&rng, 61);
	add_placeholder(&b, "x", DT_FLOAT);
	add_layers(&b, &rng, "Add", "Sigmoid");
	const struct model_load_config cfg = {
		.format = MODEL_TENSORFLOW, .io = {input_x, 1, output_y, 1}, .allocator = &counting};
	assert_int_equal(model_load(&m, &cfg, b.graph.data, b.graph.len, NULL, NULL, &err), 0);
	const size_t idle = model_memory(m);
	const unsigned idle_live = live;
	assert_int_equal(model_context_new(&c, m, 1), 0);
	for (int64_t rows = 1; rows <= 100; rows++) {
		const size_t before = model_memory(m);
		struct tensor *x, *y;
		assert_int_equal(tensor_new(&x, DTYPE_FLOAT, (const int64_t[]){rows, 30}, 2, true, NULL), 0);
		assert_int_equal(model_run(c, &x, 1, &y, 1, NULL, &err), 0);
		if (rows <= 8)
			assert_true(model_memory(m) > before);
		tensor_unref(x);
		tensor_unref(y);
	}
	assert_true(live > idle_live);
	assert_true(live < idle_live + 200);
	model_context_free(c);
	assert_int_equal(model_memory(m), idle);
	assert_int_equal(live, idle_live);
	model_free(m);
	assert_int_equal(live, 0);
	builder_release(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fused_layers_match_reference),
		cmocka_unit_test(fusing_changes_nothing_but_rounding),
		cmocka_unit_test(a_batch_equals_single_runs_bit_for_bit),
		cmocka_unit_test(plans_come_and_go_with_the_shapes),
		cmocka_unit_test(constant_subgraphs_are_folded),
		cmocka_unit_test(random_values_differ_between_runs_and_agree_for_a_seed),
		cmocka_unit_test(outputs_never_share_memory),
		cmocka_unit_test(reused_memory_never_holds_a_live_value),
		cmocka_unit_test(a_run_says_what_is_wrong_with_its_inputs),
		cmocka_unit_test(indices_are_checked_in_every_run),
		cmocka_unit_test(shapes_that_depend_on_fed_values_are_refused),
		cmocka_unit_test(a_run_that_takes_too_much_memory_is_refused),
		cmocka_unit_test(errors_in_constant_subgraphs_end_the_load),
		cmocka_unit_test(empty_tensors_pass_through),
		cmocka_unit_test(weights_are_held_once_by_the_given_allocator),
		cmocka_unit_test(runs_take_from_the_given_allocator_and_give_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
