/*
 * ONNX operators that move, combine and classify, in the spellings of each version, against plain loops.
 */
#include "tests/engine/onnx_check.h"

#define ROUNDS 60

static void random_ref(struct ref *r, struct rng *rng, const int64_t *dims, unsigned rank)
{
	ref_init(r, dims, rank);
	ref_random(r, rng, -4, 4, false);
}

/* x of a random shape of at least `least` dimensions. */
static void random_input(struct onnx_check *c, struct ref *x, struct rng *rng, unsigned least)
{
	int64_t dims[REF_RANK];
	unsigned rank = least + (unsigned)rng_below(rng, 5 - least);

	for (unsigned i = 0; i < rank; i++)
		dims[i] = 1 + (int64_t)rng_below(rng, 4);
	random_ref(x, rng, dims, rank);
	onnx_check_input(c, "x", x, DTYPE_FLOAT);
}

/* --- element by element --- */

static double relu(double x)
{
	return fmax(x, 0.0);
}

static double sigmoid(double x)
{
	return 1.0 / (1.0 + exp(-x));
}

static double leaky(double x)
{
	return x < 0.0 ? 0.25 * x : x;
}

static double elu(double x)
{
	return x < 0.0 ? 0.5 * (exp(x) - 1.0) : x;
}

static double negative(double x)
{
	return -x;
}

static double itself(double x)
{
	return x;
}

static void unary_operators_match_reference(void **state)
{
	static const struct {
		const char *op;
		double (*f)(double);
		float alpha;
	} ops[] = {{"Relu", relu, 0},      {"Sigmoid", sigmoid, 0}, {"Tanh", tanh, 0},           {"Exp", exp, 0},
		   {"Neg", negative, 0},   {"Floor", floor, 0},     {"LeakyRelu", leaky, 0.25f}, {"Elu", elu, 0.5f},
		   {"Identity", itself, 0}};
	struct rng rng;

	(void)state;
	rng_init(&rng, 1);
	for (size_t i = 0; i < sizeof(ops) / sizeof(*ops); i++) {
		struct onnx_check c = {.version = 13};
		struct ref x, y;
		random_input(&c, &x, &rng, 0);
		onnx_begin(&c.b, "n", ops[i].op, NAMES("x"), NAMES("y"));
		if (ops[i].alpha > 0.0f)
			onnx_float(&c.b, "alpha", ops[i].alpha);
		onnx_end(&c.b);
		ref_unary(&y, &x, ops[i].f);
		onnx_check_result(&c, &y, DTYPE_FLOAT, 1e-5, 1e-6);
		ref_release(&x);
	}
}

static double plus(double a, double b)
{
	return a + b;
}

static double minus(double a, double b)
{
	return a - b;
}

static double times(double a, double b)
{
	return a * b;
}

static double over(double a, double b)
{
	return a / b;
}

static void binary_operators_broadcast(void **state)
{
	static const struct {
		const char *op;
		double (*f)(double, double);
	} ops[] = {{"Add", plus}, {"Sub", minus}, {"Mul", times}, {"Div", over}};
	struct rng rng;

	(void)state;
	rng_init(&rng, 2);
	for (size_t i = 0; i < 4 * ROUNDS; i++) {
		struct onnx_check c = {.version = 7};
		int64_t dims[REF_RANK];
		struct ref x, z, y;
		random_input(&c, &x, &rng, 0);
		unsigned rank = (unsigned)rng_below(&rng, x.rank + 1);
		for (unsigned d = 0; d < rank; d++)
			dims[d] = rng_below(&rng, 2) == 0 ? 1 : x.dims[x.rank - rank + d];
		ref_init(&z, dims, rank);
		ref_random(&z, &rng, 1, 4, false);
		onnx_check_either(&c, "z", &z, DTYPE_FLOAT, &rng);
		onnx_node(&c.b, ops[i % 4].op, NAMES("x", "z"), NAMES("y"));
		ref_binary(&y, &x, &z, ops[i % 4].f);
		onnx_check_result(&c, &y, DTYPE_FLOAT, 1e-5, 1e-6);
		ref_release(&x);
		ref_release(&z);
	}
}

static void sums_take_any_number_of_inputs(void **state)
{
	static const char *const names[] = {"x", "b", "c", "d"};
	static const struct {
		const char *op;
		double (*f)(double, double);
	} ops[] = {{"Sum", plus}, {"Max", fmax}, {"Min", fmin}};
	struct rng rng;

	(void)state;
	rng_init(&rng, 3);
	for (size_t i = 0; i < 12; i++) {
		struct onnx_check c = {.version = 8};
		const char *used[5] = {NULL};
		struct ref in[4], y, next;
		for (size_t k = 0; k <= i / 3; k++) {
			random_ref(&in[k], &rng, INTS(2, 3));
			onnx_check_input(&c, names[k], &in[k], DTYPE_FLOAT);
			used[k] = names[k];
		}
		onnx_node(&c.b, ops[i % 3].op, used, NAMES("y"));
		ref_unary(&y, &in[0], itself);
		for (size_t k = 1; k <= i / 3; k++) {
			ref_binary(&next, &y, &in[k], ops[i % 3].f);
			ref_release(&y);
			y = next;
		}
		onnx_check_result(&c, &y, DTYPE_FLOAT, 1e-5, 1e-6);
		for (size_t k = 0; k <= i / 3; k++)
			ref_release(&in[k]);
	}
}

/* Attributes before version 11, inputs from then on; bounds of ReLU and ReLU6 among them. */
static void clip_takes_its_bounds_either_way(void **state)
{
	static const double bounds[][2] = {{0, 6},        {0, INFINITY},        {0, 2}, {-1, 1}, {-INFINITY, 0.5},
					   {1, INFINITY}, {-INFINITY, INFINITY}};
	struct rng rng;

	(void)state;
	rng_init(&rng, 4);
	for (size_t i = 0; i < 2 * sizeof(bounds) / sizeof(*bounds); i++) {
		struct onnx_check c = {.version = i % 2 == 0 ? 6 : 11};
		const double low = bounds[i / 2][0], high = bounds[i / 2][1];
		const float low_float = (float)low, high_float = (float)high;
		struct ref x, y;
		random_ref(&x, &rng, INTS(3, 50));
		for (size_t k = 0; k < x.count; k++)
			x.v[k] *= 2.0;
		onnx_check_input(&c, "x", &x, DTYPE_FLOAT);
		if (c.version == 11) {
			onnx_weights(&c.b, "low", ONNX_FLOAT, NULL, 0, &low_float, 4);
			onnx_weights(&c.b, "high", ONNX_FLOAT, NULL, 0, &high_float, 4);
			onnx_node(&c.b, "Clip", NAMES("x", isinf(low) ? "" : "low", isinf(high) ? "" : "high"),
				  NAMES("y"));
		} else {
			onnx_begin(&c.b, "n", "Clip", NAMES("x"), NAMES("y"));
			if (!isinf(low))
				onnx_float(&c.b, "min", low_float);
			if (!isinf(high))
				onnx_float(&c.b, "max", high_float);
			onnx_end(&c.b);
		}
		ref_init(&y, x.dims, x.rank);
		for (size_t k = 0; k < x.count; k++)
			y.v[k] = fmin(fmax(x.v[k], low), high);
		onnx_check_result(&c, &y, DTYPE_FLOAT, 0, 0);
		ref_release(&x);
	}
}

/* --- matrices --- */

static void gemm_scales_transposes_and_adds(void **state)
{
	struct rng rng;

	(void)state;
	rng_init(&rng, 5);
	for (int round = 0; round < ROUNDS; round++) {
		const int64_t m = 1 + (int64_t)rng_below(&rng, 5), k = 1 + (int64_t)rng_below(&rng, 5),
			      n = 1 + (int64_t)rng_below(&rng, 5);
		const bool ta = rng_below(&rng, 2) == 0, tb = rng_below(&rng, 2) == 0, added = rng_below(&rng, 3) > 0;
		const bool row = rng_below(&rng, 2) == 0, factors = rng_below(&rng, 2) == 0;
		struct onnx_check c = {.version = 11};
		struct ref a, b, addend, y;
		random_ref(&a, &rng, (const int64_t[]){ta ? k : m, ta ? m : k}, 2);
		random_ref(&b, &rng, (const int64_t[]){tb ? n : k, tb ? k : n}, 2);
		random_ref(&addend, &rng, (const int64_t[]){row ? n : m, n}, row ? 1 : 2);
		onnx_check_input(&c, "a", &a, DTYPE_FLOAT);
		onnx_check_either(&c, "b", &b, DTYPE_FLOAT, &rng);
		if (added)
			onnx_check_either(&c, "c", &addend, DTYPE_FLOAT, &rng);
		onnx_begin(&c.b, "n", "Gemm", added ? NAMES("a", "b", "c") : NAMES("a", "b"), NAMES("y"));
		onnx_int(&c.b, "transA", ta);
		onnx_int(&c.b, "transB", tb);
		if (factors) {
			onnx_float(&c.b, "alpha", 0.5f);
			onnx_float(&c.b, "beta", -2.0f);
		}
		onnx_end(&c.b);
		ref_matmul(&y, &a, &b, ta, tb);
		for (int64_t i = 0; i < m * n; i++) {
			double bias = added ? addend.v[row ? i % n : i] : 0.0;
			y.v[i] = factors ? 0.5 * y.v[i] - 2.0 * bias : y.v[i] + bias;
		}
		onnx_check_result(&c, &y, DTYPE_FLOAT, 1e-5, 1e-4);
		ref_release(&a);
		ref_release(&b);
		ref_release(&addend);
	}
}

static void matmul_is_batched(void **state)
{
	struct onnx_check c = {.version = 13};
	struct ref a, b, y;
	struct rng rng;

	(void)state;
	rng_init(&rng, 6);
	random_ref(&a, &rng, INTS(2, 1, 3, 4));
	random_ref(&b, &rng, INTS(5, 4, 2));
	onnx_check_input(&c, "a", &a, DTYPE_FLOAT);
	onnx_check_input(&c, "b", &b, DTYPE_FLOAT);
	onnx_node(&c.b, "MatMul", NAMES("a", "b"), NAMES("y"));
	ref_matmul(&y, &a, &b, false, false);
	onnx_check_result(&c, &y, DTYPE_FLOAT, 1e-5, 1e-4);
	ref_release(&a);
	ref_release(&b);
}

/* --- softmax --- */

/* Over `n` elements `step` apart, for each of the others. */
static void ref_softmax_along(struct ref *y, const struct ref *x, size_t n, size_t step, bool logarithm)
{
	ref_init(y, x->dims, x->rank);
	for (size_t i = 0; i < x->count; i++) {
		size_t start = i / (n * step) * n * step + i % step;
		double max = -INFINITY, sum = 0.0;
		for (size_t k = 0; k < n; k++)
			max = fmax(max, x->v[start + k * step]);
		for (size_t k = 0; k < n; k++)
			sum += exp(x->v[start + k * step] - max);
		y->v[i] = logarithm ? x->v[i] - max - log(sum) : exp(x->v[i] - max) / sum;
	}
}

/* Before version 13 all dimensions from the axis on are one; from then on the axis is alone. */
static void softmax_means_what_its_version_says(void **state)
{
	struct rng rng;

	(void)state;
	rng_init(&rng, 7);
	for (int round = 0; round < 4 * ROUNDS; round++) {
		const bool old = round % 2 == 0, logarithm = round % 4 < 2, given = rng_below(&rng, 3) > 0;
		struct onnx_check c = {.version = old ? 11 : 13};
		size_t step = 1, n = 1;
		struct ref x, y;
		random_input(&c, &x, &rng, 2);
		int64_t axis = given ? (int64_t)rng_below(&rng, x.rank) : old ? 1 : (int64_t)x.rank - 1;
		onnx_begin(&c.b, "n", logarithm ? "LogSoftmax" : "Softmax", NAMES("x"), NAMES("y"));
		if (given)
			onnx_int(&c.b, "axis", rng_below(&rng, 2) == 0 ? axis : axis - (int64_t)x.rank);
		onnx_end(&c.b);
		for (unsigned i = (unsigned)axis + 1; i < x.rank; i++)
			step *= (size_t)x.dims[i];
		n = (size_t)x.dims[axis];
		if (old) {
			n *= step;
			step = 1;
		}
		ref_softmax_along(&y, &x, n, step, logarithm);
		onnx_check_result(&c, &y, DTYPE_FLOAT, 1e-5, 1e-6);
		ref_release(&x);
	}
}

static void reductions_take_axes_either_way(void **state)
{
	static const struct {
		const char *op;
		enum ref_reduction kind;
	} ops[] = {{"ReduceMean", REF_MEAN}, {"ReduceSum", REF_SUM}, {"ReduceMax", REF_MAX}, {"ReduceMin", REF_MIN}};
	struct rng rng;

	(void)state;
	rng_init(&rng, 8);
	for (size_t i = 0; i < ROUNDS; i++) {
		const bool input = rng_below(&rng, 2) == 0;
		struct onnx_check c = {.version = input ? 18 : 11};
		bool axes[REF_RANK] = {false};
		int64_t list[REF_RANK];
		unsigned n = 0;
		struct ref x, y;
		random_input(&c, &x, &rng, 1);
		for (unsigned d = 0; d < x.rank; d++) {
			axes[d] = d == 0 || rng_below(&rng, 2) == 0;
			if (axes[d])
				list[n++] = rng_below(&rng, 2) == 0 ? d : (int64_t)d - (int64_t)x.rank;
		}
		if (input)
			onnx_indices(&c.b, "axes", list, n);
		onnx_begin(&c.b, "n", ops[i % 4].op, input ? NAMES("x", "axes") : NAMES("x"), NAMES("y"));
		if (!input)
			onnx_ints(&c.b, "axes", list, n);
		onnx_end(&c.b);
		ref_reduce(&y, &x, axes, ops[i % 4].kind);
		onnx_check_result(&c, &y, DTYPE_FLOAT, 1e-5, 1e-5);
		ref_release(&x);
	}
}

/* --- shapes --- */

static void set_shape(struct ref *y, const struct ref *x, const int64_t *dims, unsigned rank)
{
	ref_init(y, dims, rank);
	assert_int_equal(y->count, x->count);
	memcpy(y->v, x->v, x->count * sizeof(*x->v));
}

/* 0 copies a dimension, -1 is what is left. */
static void reshape_takes_a_shape_either_way(void **state)
{
	struct rng rng;

	(void)state;
	rng_init(&rng, 9);
	for (int64_t version = 1; version <= 14; version += 13) {
		struct onnx_check c = {.version = version};
		struct ref x, y;
		random_ref(&x, &rng, INTS(2, 3, 4));
		onnx_check_input(&c, "x", &x, DTYPE_FLOAT);
		if (version == 1) {
			onnx_begin(&c.b, "n", "Reshape", NAMES("x"), NAMES("y"));
			onnx_ints(&c.b, "shape", INTS(0, -1, 2));
			onnx_end(&c.b);
		} else {
			onnx_indices(&c.b, "shape", INTS(0, -1, 2));
			onnx_node(&c.b, "Reshape", NAMES("x", "shape"), NAMES("y"));
		}
		set_shape(&y, &x, INTS(2, 6, 2));
		onnx_check_result(&c, &y, DTYPE_FLOAT, 0, 0);
		ref_release(&x);
	}
}

/* x -> [dimension 0 of x, -1], as exporters of dynamic graphs spell it. */
static void shapes_are_computed_with(void **state)
{
	struct onnx_check c = {.version = 11};
	struct ref x, y;
	struct rng rng;

	(void)state;
	rng_init(&rng, 10);
	random_ref(&x, &rng, INTS(2, 3, 4));
	onnx_check_input(&c, "x", &x, DTYPE_FLOAT);
	onnx_weights(&c.b, "first", ONNX_INT64, NULL, 0, (const int64_t[]){-3}, 8);
	onnx_indices(&c.b, "rest", INTS(-1));
	onnx_node(&c.b, "Shape", NAMES("x"), NAMES("s"));
	onnx_node(&c.b, "Gather", NAMES("s", "first"), NAMES("n"));
	onnx_begin(&c.b, "u", "Unsqueeze", NAMES("n"), NAMES("n1"));
	onnx_ints(&c.b, "axes", INTS(0));
	onnx_end(&c.b);
	onnx_begin(&c.b, "c", "Concat", NAMES("n1", "rest"), NAMES("shape"));
	onnx_int(&c.b, "axis", 0);
	onnx_end(&c.b);
	onnx_node(&c.b, "Reshape", NAMES("x", "shape"), NAMES("y"));
	set_shape(&y, &x, INTS(2, 12));
	onnx_check_result(&c, &y, DTYPE_FLOAT, 0, 0);
	ref_release(&x);
}

static void shape_takes_a_range(void **state)
{
	static const struct {
		int64_t start, end;
		bool has_end;
		int64_t want[4];
		unsigned n;
	} ranges[] = {{0, 0, false, {2, 3, 4, 5}, 4},
		      {1, 3, true, {3, 4}, 2},
		      {-2, 0, false, {4, 5}, 2},
		      {0, -1, true, {2, 3, 4}, 3},
		      {2, 2, true, {0}, 0}};

	(void)state;
	for (size_t i = 0; i < sizeof(ranges) / sizeof(*ranges); i++) {
		struct onnx_check c = {.version = 15};
		struct ref x, y;
		ref_init(&x, INTS(2, 3, 4, 5));
		onnx_check_input(&c, "x", &x, DTYPE_FLOAT);
		onnx_begin(&c.b, "n", "Shape", NAMES("x"), NAMES("y"));
		onnx_int(&c.b, "start", ranges[i].start);
		if (ranges[i].has_end)
			onnx_int(&c.b, "end", ranges[i].end);
		onnx_end(&c.b);
		ref_init(&y, (const int64_t[]){ranges[i].n}, 1);
		for (unsigned k = 0; k < ranges[i].n; k++)
			y.v[k] = (double)ranges[i].want[k];
		onnx_check_result(&c, &y, DTYPE_INT64, 0, 0);
		ref_release(&x);
	}
}

static void flatten_splits_at_its_axis(void **state)
{
	struct rng rng;

	(void)state;
	rng_init(&rng, 11);
	for (int64_t axis = -3; axis <= 3; axis++) {
		const int64_t before[] = {1, 2, 6, 24}, at = before[axis < 0 ? axis + 3 : axis];
		struct onnx_check c = {.version = 13};
		struct ref x, y;
		random_ref(&x, &rng, INTS(2, 3, 4));
		onnx_check_input(&c, "x", &x, DTYPE_FLOAT);
		onnx_begin(&c.b, "n", "Flatten", NAMES("x"), NAMES("y"));
		if (axis != 1)
			onnx_int(&c.b, "axis", axis);
		onnx_end(&c.b);
		set_shape(&y, &x, (const int64_t[]){at, 24 / at}, 2);
		onnx_check_result(&c, &y, DTYPE_FLOAT, 0, 0);
		ref_release(&x);
	}
}

static void transpose_reverses_by_default(void **state)
{
	struct rng rng;

	(void)state;
	rng_init(&rng, 12);
	for (int given = 0; given < 2; given++) {
		const int64_t order[2][3] = {{2, 1, 0}, {1, 2, 0}};
		struct onnx_check c = {.version = 1};
		struct ref x, y;
		random_ref(&x, &rng, INTS(2, 3, 4));
		onnx_check_input(&c, "x", &x, DTYPE_FLOAT);
		onnx_begin(&c.b, "n", "Transpose", NAMES("x"), NAMES("y"));
		if (given)
			onnx_ints(&c.b, "perm", order[1], 3);
		onnx_end(&c.b);
		ref_transpose(&y, &x, order[given]);
		onnx_check_result(&c, &y, DTYPE_FLOAT, 0, 0);
		ref_release(&x);
	}
}

static void squeeze_and_unsqueeze_take_axes_either_way(void **state)
{
	static const struct {
		const char *op;
		int64_t axes[2], want[6];
		unsigned n, rank;
	} cases[] = {
		{"Squeeze", {1, -1}, {2, 3}, 2, 2},         {"Squeeze", {0}, {2, 3}, 0, 2},
		{"Squeeze", {1}, {2, 3, 1}, 1, 3},          {"Unsqueeze", {3, 0}, {1, 2, 1, 1, 3, 1}, 2, 6},
		{"Unsqueeze", {-1}, {2, 1, 3, 1, 1}, 1, 5}, {"Unsqueeze", {-4, -1}, {2, 1, 1, 3, 1, 1}, 2, 6},
	};
	struct rng rng;

	(void)state;
	rng_init(&rng, 13);
	for (size_t i = 0; i < 2 * sizeof(cases) / sizeof(*cases); i++) {
		const bool input = i % 2 == 0;
		const unsigned n = cases[i / 2].n;
		struct onnx_check c = {.version = input ? 13 : 11};
		struct ref x, y;
		random_ref(&x, &rng, INTS(2, 1, 3, 1));
		onnx_check_input(&c, "x", &x, DTYPE_FLOAT);
		if (input && n > 0)
			onnx_indices(&c.b, "axes", cases[i / 2].axes, n);
		onnx_begin(&c.b, "n", cases[i / 2].op, input && n > 0 ? NAMES("x", "axes") : NAMES("x"), NAMES("y"));
		if (!input && n > 0)
			onnx_ints(&c.b, "axes", cases[i / 2].axes, n);
		onnx_end(&c.b);
		set_shape(&y, &x, cases[i / 2].want, cases[i / 2].rank);
		onnx_check_result(&c, &y, DTYPE_FLOAT, 0, 0);
		ref_release(&x);
	}
}

static void concat_joins_along_its_axis(void **state)
{
	struct rng rng;

	(void)state;
	rng_init(&rng, 14);
	for (int64_t axis = -2; axis < 2; axis++) {
		const bool rows = axis == 0 || axis == -2;
		struct onnx_check c = {.version = 11};
		struct ref a, b, y;
		random_ref(&a, &rng, INTS(2, 3));
		random_ref(&b, &rng, (const int64_t[]){rows ? 4 : 2, rows ? 3 : 5}, 2);
		onnx_check_input(&c, "a", &a, DTYPE_FLOAT);
		onnx_check_input(&c, "b", &b, DTYPE_FLOAT);
		onnx_begin(&c.b, "n", "Concat", NAMES("a", "b"), NAMES("y"));
		onnx_int(&c.b, "axis", axis);
		onnx_end(&c.b);
		ref_init(&y, (const int64_t[]){rows ? 6 : 2, rows ? 3 : 8}, 2);
		ref_place(&y, &a, (const int64_t[]){0, 0});
		ref_place(&y, &b, (const int64_t[]){rows ? 2 : 0, rows ? 0 : 3});
		onnx_check_result(&c, &y, DTYPE_FLOAT, 0, 0);
		ref_release(&a);
		ref_release(&b);
	}
}

static void pad_takes_paddings_either_way(void **state)
{
	struct rng rng;

	(void)state;
	rng_init(&rng, 15);
	for (int64_t version = 2; version <= 13; version += 11) {
		struct onnx_check c = {.version = version};
		struct ref x, y;
		random_ref(&x, &rng, INTS(2, 3));
		onnx_check_input(&c, "x", &x, DTYPE_FLOAT);
		onnx_indices(&c.b, "pads", INTS(1, 0, 2, 4));
		onnx_weights(&c.b, "value", ONNX_FLOAT, NULL, 0, (const float[]){7.0f}, 4);
		onnx_begin(&c.b, "n", "Pad", version == 2 ? NAMES("x") : NAMES("x", "pads", "value"), NAMES("y"));
		if (version == 2) {
			onnx_ints(&c.b, "pads", INTS(1, 0, 2, 4));
			onnx_float(&c.b, "value", 7.0f);
			onnx_string(&c.b, "mode", "constant");
		}
		onnx_end(&c.b);
		ref_init(&y, INTS(5, 7));
		for (size_t i = 0; i < y.count; i++)
			y.v[i] = 7.0;
		ref_place(&y, &x, (const int64_t[]){1, 0});
		onnx_check_result(&c, &y, DTYPE_FLOAT, 0, 0);
		ref_release(&x);
	}
}

static void gather_counts_from_either_end(void **state)
{
	for (int64_t axis = -2; axis < 2; axis++) {
		struct onnx_check c = {.version = 11};
		struct ref x, indices, y;
		struct rng rng;

		(void)state;
		rng_init(&rng, 16);
		random_ref(&x, &rng, INTS(4, 5));
		ref_init(&indices, INTS(2, 2));
		memcpy(indices.v, (const double[]){0, 3, 1, 1}, 4 * sizeof(double));
		ref_gather(&y, &x, &indices, axis == 0 || axis == -2 ? 0 : 1);
		const double size = axis == 0 || axis == -2 ? 4 : 5;
		indices.v[1] -= size;
		indices.v[2] -= size;
		onnx_check_input(&c, "x", &x, DTYPE_FLOAT);
		onnx_check_input(&c, "i", &indices, DTYPE_INT64);
		onnx_begin(&c.b, "n", "Gather", NAMES("x", "i"), NAMES("y"));
		onnx_int(&c.b, "axis", axis);
		onnx_end(&c.b);
		onnx_check_result(&c, &y, DTYPE_FLOAT, 0, 0);
		ref_release(&x);
		ref_release(&indices);
	}
}

static void cast_goes_between_all_types(void **state)
{
	static const enum dtype types[] = {DTYPE_FLOAT, DTYPE_DOUBLE, DTYPE_INT8,  DTYPE_INT16,
					   DTYPE_INT32, DTYPE_INT64,  DTYPE_UINT8, DTYPE_UINT16};

	(void)state;
	for (size_t i = 0; i < 64; i++) {
		const enum dtype from = types[i / 8], to = types[i % 8];
		struct onnx_check c = {.version = 13};
		struct ref x, y;
		ref_init(&x, INTS(4));
		memcpy(x.v, (const double[]){0, 1, 77, 127}, 4 * sizeof(double));
		onnx_check_input(&c, "x", &x, from);
		onnx_begin(&c.b, "n", "Cast", NAMES("x"), NAMES("y"));
		onnx_int(&c.b, "to", onnx_type_of(to));
		onnx_end(&c.b);
		set_shape(&y, &x, x.dims, 1);
		onnx_check_result(&c, &y, to, 0, 0);
		ref_release(&x);
	}
}

/* Its mask may be named, as long as nobody wants it. */
static void dropout_drops_nothing(void **state)
{
	(void)state;
	for (int64_t version = 7; version <= 13; version += 6) {
		struct onnx_check c = {.version = version};
		struct ref x, y;
		struct rng rng;
		rng_init(&rng, 17);
		random_ref(&x, &rng, INTS(2, 3));
		onnx_check_input(&c, "x", &x, DTYPE_FLOAT);
		onnx_weights(&c.b, "ratio", ONNX_FLOAT, NULL, 0, (const float[]){0.5f}, 4);
		onnx_begin(&c.b, "n", "Dropout", version == 7 ? NAMES("x") : NAMES("x", "ratio"), NAMES("y", "mask"));
		if (version == 7)
			onnx_float(&c.b, "ratio", 0.5f);
		onnx_end(&c.b);
		set_shape(&y, &x, x.dims, 2);
		onnx_check_result(&c, &y, DTYPE_FLOAT, 0, 0);
		ref_release(&x);
	}
}

static void constants_are_filled_in(void **state)
{
	struct onnx_check c = {.version = 13};
	struct buf value = {0};
	struct ref y;

	(void)state;
	onnx_indices(&c.b, "shape", INTS(2, 3));
	onnx_tensor_begin(&value, "", ONNX_INT32, INTS(1));
	onnx_raw(&value, (const int32_t[]){-9}, 4);
	onnx_begin(&c.b, "n", "ConstantOfShape", NAMES("shape"), NAMES("y"));
	onnx_tensor_attribute(&c.b, "value", &value);
	onnx_end(&c.b);
	ref_init(&y, INTS(2, 3));
	for (size_t i = 0; i < y.count; i++)
		y.v[i] = -9.0;
	onnx_check_result(&c, &y, DTYPE_INT32, 0, 0);
	buf_release(&value);
	onnx_indices(&c.b, "shape", INTS(4));
	onnx_node(&c.b, "ConstantOfShape", NAMES("shape"), NAMES("y"));
	ref_init(&y, INTS(4));
	onnx_check_result(&c, &y, DTYPE_FLOAT, 0, 0);
}

/* --- ai.onnx.ml --- */

static const float coefficients[] = {1, 2, 3, -1, 0.5f, 0, 2, -2, 1}, intercepts[] = {0.5f, -1, 0};

static void linear_begin(struct onnx_check *c, const char *op, const char *const *outputs, const char *transform)
{
	onnx_begin(&c->b, "n", op, NAMES("x"), outputs);
	onnx_domain(&c->b, "ai.onnx.ml");
	onnx_floats(&c->b, "coefficients", coefficients, 9);
	onnx_floats(&c->b, "intercepts", intercepts, 3);
	onnx_string(&c->b, "post_transform", transform);
}

static void ref_linear(struct ref *y, const struct ref *x)
{
	ref_init(y, (const int64_t[]){x->dims[0], 3}, 2);
	for (size_t i = 0; i < y->count; i++) {
		y->v[i] = (double)intercepts[i % 3];
		for (size_t k = 0; k < 3; k++)
			y->v[i] += x->v[i / 3 * 3 + k] * (double)coefficients[i % 3 * 3 + k];
	}
}

static void linear_regressor_is_linear(void **state)
{
	static const enum dtype types[] = {DTYPE_FLOAT, DTYPE_DOUBLE, DTYPE_INT64};
	struct rng rng;

	(void)state;
	rng_init(&rng, 18);
	for (size_t i = 0; i < 3; i++) {
		struct onnx_check c = {.version = 11};
		struct ref x, y;
		ref_init(&x, INTS(4, 3));
		ref_random(&x, &rng, -4, 4, types[i] == DTYPE_INT64);
		onnx_check_input(&c, "x", &x, types[i]);
		linear_begin(&c, "LinearRegressor", NAMES("y"), "NONE");
		onnx_int(&c.b, "targets", 3);
		onnx_end(&c.b);
		ref_linear(&y, &x);
		onnx_check_result(&c, &y, DTYPE_FLOAT, 1e-5, 1e-5);
		ref_release(&x);
	}
}

static void linear_classifier_labels_and_scores(void **state)
{
	static const char *const transforms[] = {"NONE", "SOFTMAX", "LOGISTIC"};
	static const int64_t labels[] = {10, 20, 30};
	struct rng rng;

	(void)state;
	rng_init(&rng, 19);
	for (size_t i = 0; i < 3; i++) {
		struct onnx_check c = {.version = 11};
		struct ref x, raw, scores;
		struct tensor *out[2];
		random_ref(&x, &rng, INTS(5, 3));
		onnx_check_input(&c, "x", &x, DTYPE_FLOAT);
		linear_begin(&c, "LinearClassifier", NAMES("label", "score"), transforms[i]);
		onnx_ints(&c.b, "classlabels_ints", labels, 3);
		onnx_end(&c.b);
		onnx_output(&c.b, "label", ONNX_INT64);
		onnx_output(&c.b, "score", ONNX_FLOAT);
		onnx_check_run(&c, out, 2);
		ref_linear(&raw, &x);
		if (i == 1)
			ref_softmax(&scores, &raw, false);
		else
			ref_unary(&scores, &raw, i == 0 ? itself : sigmoid);
		assert_close(out[1], &scores, 1e-5, 1e-6);
		for (size_t row = 0; row < 5; row++) {
			const double *s = raw.v + 3 * row;
			size_t best = s[0] >= s[1] && s[0] >= s[2] ? 0 : s[1] >= s[2] ? 1 : 2;
			assert_int_equal(((int64_t *)out[0]->data)[row], labels[best]);
		}
		tensor_unref(out[0]);
		tensor_unref(out[1]);
		ref_release(&x);
		ref_release(&raw);
		ref_release(&scores);
	}
}

/* Labels that are strings are left out; the scores are there all the same. */
static void classifier_of_strings_still_scores(void **state)
{
	static const char *const labels[] = {"setosa", "versicolor", "virginica"};
	struct onnx_check c = {.version = 11};
	struct ref x, y;
	struct rng rng;

	(void)state;
	rng_init(&rng, 20);
	random_ref(&x, &rng, INTS(2, 3));
	onnx_check_input(&c, "x", &x, DTYPE_FLOAT);
	linear_begin(&c, "LinearClassifier", NAMES("label", "y"), "NONE");
	onnx_strings(&c.b, "classlabels_strings", labels, 3);
	onnx_end(&c.b);
	ref_linear(&y, &x);
	onnx_check_result(&c, &y, DTYPE_FLOAT, 1e-5, 1e-5);
	ref_release(&x);
}

static void normalizer_divides_rows_by_their_norm(void **state)
{
	static const char *const norms[] = {"MAX", "L1", "L2"};
	struct rng rng;

	(void)state;
	rng_init(&rng, 21);
	for (size_t i = 0; i < 3; i++) {
		struct onnx_check c = {.version = 11};
		struct ref x, y;
		random_ref(&x, &rng, INTS(6, 4));
		for (size_t k = 0; k < 4; k++)
			x.v[k] = 0.0; /* a row without a norm stays as it is */
		onnx_check_input(&c, "x", &x, DTYPE_FLOAT);
		onnx_begin(&c.b, "n", "Normalizer", NAMES("x"), NAMES("y"));
		onnx_domain(&c.b, "ai.onnx.ml");
		onnx_string(&c.b, "norm", norms[i]);
		onnx_end(&c.b);
		ref_init(&y, x.dims, 2);
		for (size_t row = 0; row < 6; row++) {
			const double *v = x.v + 4 * row;
			double max = -INFINITY, sum = 0.0, squares = 0.0;
			for (size_t k = 0; k < 4; k++) {
				max = fmax(max, v[k]);
				sum += fabs(v[k]);
				squares += v[k] * v[k];
			}
			double norm = i == 0 ? max : i == 1 ? sum : sqrt(squares);
			for (size_t k = 0; k < 4; k++)
				y.v[4 * row + k] = row == 0 ? 0.0 : v[k] / norm;
		}
		onnx_check_result(&c, &y, DTYPE_FLOAT, 1e-5, 1e-6);
		ref_release(&x);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(unary_operators_match_reference),
		cmocka_unit_test(binary_operators_broadcast),
		cmocka_unit_test(sums_take_any_number_of_inputs),
		cmocka_unit_test(clip_takes_its_bounds_either_way),
		cmocka_unit_test(gemm_scales_transposes_and_adds),
		cmocka_unit_test(matmul_is_batched),
		cmocka_unit_test(softmax_means_what_its_version_says),
		cmocka_unit_test(reductions_take_axes_either_way),
		cmocka_unit_test(reshape_takes_a_shape_either_way),
		cmocka_unit_test(shapes_are_computed_with),
		cmocka_unit_test(shape_takes_a_range),
		cmocka_unit_test(flatten_splits_at_its_axis),
		cmocka_unit_test(transpose_reverses_by_default),
		cmocka_unit_test(squeeze_and_unsqueeze_take_axes_either_way),
		cmocka_unit_test(concat_joins_along_its_axis),
		cmocka_unit_test(pad_takes_paddings_either_way),
		cmocka_unit_test(gather_counts_from_either_end),
		cmocka_unit_test(cast_goes_between_all_types),
		cmocka_unit_test(dropout_drops_nothing),
		cmocka_unit_test(constants_are_filled_in),
		cmocka_unit_test(linear_regressor_is_linear),
		cmocka_unit_test(linear_classifier_labels_and_scores),
		cmocka_unit_test(classifier_of_strings_still_scores),
		cmocka_unit_test(normalizer_divides_rows_by_their_norm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
