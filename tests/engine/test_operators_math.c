/*
 * Operators that compute, against the reference, over random shapes, broadcasts, attributes and types.
 */
#include "tests/engine/operator_check.h"

#define ROUNDS 60

static const enum dtype number_types[] = {DTYPE_FLOAT, DTYPE_FLOAT, DTYPE_FLOAT, DTYPE_DOUBLE, DTYPE_INT8,
					  DTYPE_INT16, DTYPE_INT32, DTYPE_INT64, DTYPE_UINT8,  DTYPE_UINT16};

static bool is_float(enum dtype t)
{
	return t == DTYPE_FLOAT || t == DTYPE_DOUBLE;
}

/* Small enough that no type overflows. */
static void random_values(struct ref *r, struct rng *rng, enum dtype t)
{
	bool is_unsigned = t == DTYPE_UINT8 || t == DTYPE_UINT16;

	ref_random(r, rng, is_float(t) ? -4 : is_unsigned ? 0 : -11, is_float(t) ? 4 : 11, !is_float(t));
}

static double f_neg(double x)
{
	return -x;
}

static double f_rsqrt(double x)
{
	return 1.0 / sqrt(x);
}

static double f_square(double x)
{
	return x * x;
}

static const struct {
	const char *op;
	double (*f)(double);
	bool positive, integers; /* takes positive values only; integers too */
} unaries[] = {
	{"Neg", f_neg, false, true},
	{"Exp", exp, false, false},
	{"Log", log, true, false},
	{"Sqrt", sqrt, true, false},
	{"Rsqrt", f_rsqrt, true, false},
	{"Square", f_square, false, true},
	{"Tanh", tanh, false, false},
	{"Sigmoid", ref_sigmoid, false, false},
	{"Relu", ref_relu, false, true},
	{"Relu6", ref_relu6, false, true},
	{"LeakyRelu", ref_leaky_relu, false, false},
	{"Elu", ref_elu, false, false},
	{"Floor", floor, false, false},
};

static void unary_operators_match_reference(void **state)
{
	struct rng rng;

	(void)state;
	rng_init(&rng, 11);
	for (size_t k = 0; k < sizeof(unaries) / sizeof(*unaries); k++) {
		for (int round = 0; round < 12; round++) {
			enum dtype t = number_types[rng_below(&rng, 10)];
			if (!unaries[k].integers && !is_float(t))
				t = DTYPE_FLOAT;
			if ((t == DTYPE_UINT8 || t == DTYPE_UINT16) && strcmp(unaries[k].op, "Neg") == 0)
				t = DTYPE_INT8;
			struct check c = {.rng = &rng};
			struct ref x, want;
			int64_t dims[3];
			unsigned rank = random_shape(&rng, dims, 3, 9);
			ref_init(&x, dims, rank);
			if (unaries[k].positive)
				ref_random(&x, &rng, 0.01, 9, false);
			else
				random_values(&x, &rng, t);
			for (size_t i = 0; unaries[k].positive && i < x.count; i++)
				x.v[i] += 1.0 / 1024;
			check_input(&c, "x", &x, t);
			node_begin(&c.b, "y", unaries[k].op);
			node_input(&c.b, "x");
			attr_type(&c.b, "T", dt_of(t));
			if (strcmp(unaries[k].op, "LeakyRelu") == 0)
				attr_float(&c.b, "alpha", 0.25f);
			node_end(&c.b);
			ref_unary(&want, &x, unaries[k].f);
			check_result(&c, &want, t, 1e-6, 0);
			ref_release(&x);
		}
	}
}

static double f_add(double a, double b)
{
	return a + b;
}

static double f_sub(double a, double b)
{
	return a - b;
}

static double f_mul(double a, double b)
{
	return a * b;
}

static double f_div(double a, double b)
{
	return a / b;
}

static const struct {
	const char *op;
	double (*f)(double, double);
} binaries[] = {
	{"Add", f_add},     {"AddV2", f_add},  {"Sub", f_sub},    {"Mul", f_mul},
	{"RealDiv", f_div}, {"Maximum", fmax}, {"Minimum", fmin},
};

/* Two shapes that broadcast: dimensions dropped from the front, or set to 1. */
static void broadcastable(struct rng *rng, struct ref *a, struct ref *b)
{
	int64_t dims[5], left[5], right[5];
	unsigned rank = random_shape(rng, dims, 5, 6);
	unsigned skip_left = 0, skip_right = 0;

	if (rank > 0 && rng_below(rng, 4) == 0)
		dims[rank - 1] = 40 + (int64_t)rng_below(rng, 30);
	for (unsigned i = 0; i < rank; i++) {
		left[i] = rng_below(rng, 4) == 0 ? 1 : dims[i];
		right[i] = rng_below(rng, 4) == 0 ? 1 : dims[i];
	}
	if (rng_below(rng, 2) == 0)
		skip_left = (unsigned)rng_below(rng, rank + 1);
	else
		skip_right = (unsigned)rng_below(rng, rank + 1);
	ref_init(a, left + skip_left, rank - skip_left);
	ref_init(b, right + skip_right, rank - skip_right);
}

static void binary_operators_broadcast_like_numpy(void **state)
{
	struct rng rng;

	(void)state;
	rng_init(&rng, 12);
	for (size_t k = 0; k < sizeof(binaries) / sizeof(*binaries); k++) {
		for (int round = 0; round < ROUNDS; round++) {
			enum dtype t = number_types[rng_below(&rng, 10)];
			if (strcmp(binaries[k].op, "RealDiv") == 0 && !is_float(t))
				t = DTYPE_FLOAT;
			struct check c = {.rng = &rng};
			struct ref a, b, want;
			broadcastable(&rng, &a, &b);
			random_values(&a, &rng, t);
			random_values(&b, &rng, t);
			for (size_t i = 0; i < b.count; i++) {
				if (binaries[k].f == f_div && fabs(b.v[i]) < 0.01)
					b.v[i] = 1.5;
				/* unsigned results must not be negative */
				if (binaries[k].f == f_sub && !is_float(t))
					b.v[i] = 0;
			}
			check_input(&c, "a", &a, t);
			check_input(&c, "b", &b, t);
			add_node(&c.b, "y", binaries[k].op, (const char *const[]){"a", "b", NULL});
			ref_binary(&want, &a, &b, binaries[k].f);
			check_result(&c, &want, t, 1e-6, 0);
			ref_release(&a);
			ref_release(&b);
		}
	}
}

static void bias_add_repeats_the_last_dimension(void **state)
{
	struct rng rng;

	(void)state;
	rng_init(&rng, 13);
	for (int round = 0; round < 20; round++) {
		struct check c = {.rng = &rng};
		struct ref x, bias, want;
		int64_t dims[] = {1 + (int64_t)rng_below(&rng, 4), 1 + (int64_t)rng_below(&rng, 5),
				  1 + (int64_t)rng_below(&rng, 40)};
		ref_init(&x, dims, 3);
		ref_init(&bias, dims + 2, 1);
		ref_random(&x, &rng, -3, 3, false);
		ref_random(&bias, &rng, -3, 3, false);
		check_input(&c, "x", &x, DTYPE_FLOAT);
		check_input(&c, "bias", &bias, DTYPE_FLOAT);
		node_begin(&c.b, "y", "BiasAdd");
		node_input(&c.b, "x");
		node_input(&c.b, "bias");
		attr_string(&c.b, "data_format", "NHWC");
		node_end(&c.b);
		ref_binary(&want, &x, &bias, f_add);
		check_result(&c, &want, DTYPE_FLOAT, 1e-6, 0);
		ref_release(&x);
		ref_release(&bias);
	}
}

static void check_matmul(struct rng *rng, enum dtype t, int64_t m, int64_t k, int64_t n, bool ta, bool tb)
{
	struct check c = {.rng = rng};
	struct ref a, b, want;

	ref_init(&a, (int64_t[]){ta ? k : m, ta ? m : k}, 2);
	ref_init(&b, (int64_t[]){tb ? n : k, tb ? k : n}, 2);
	random_values(&a, rng, t);
	random_values(&b, rng, t);
	check_input(&c, "a", &a, t);
	check_input(&c, "b", &b, t);
	node_begin(&c.b, "y", "MatMul");
	node_input(&c.b, "a");
	node_input(&c.b, "b");
	attr_bool(&c.b, "transpose_a", ta);
	attr_bool(&c.b, "transpose_b", tb);
	node_end(&c.b);
	ref_matmul(&want, &a, &b, ta, tb);
	check_result(&c, &want, t, 1e-5, 2e-6 * (double)k);
	ref_release(&a);
	ref_release(&b);
}

static void matmul_matches_reference(void **state)
{
	static const enum dtype types[] = {DTYPE_FLOAT,  DTYPE_FLOAT, DTYPE_FLOAT,
					   DTYPE_DOUBLE, DTYPE_INT32, DTYPE_INT64};
	struct rng rng;

	(void)state;
	rng_init(&rng, 14);
	for (int round = 0; round < 150; round++) {
		int64_t m = 1 + (int64_t)rng_below(&rng, 40), k = 1 + (int64_t)rng_below(&rng, 50);
		int64_t n = 1 + (int64_t)rng_below(&rng, 100);
		check_matmul(&rng, types[rng_below(&rng, 6)], m, k, n, rng_below(&rng, 2), rng_below(&rng, 2));
	}
	/* Large enough for oneDNN, whether b is a constant or not. */
	for (int round = 0; round < 4; round++)
		check_matmul(&rng, DTYPE_FLOAT, 70, 520, 512, round & 1, round >> 1);
}

static void batch_matmul_broadcasts_leading_dimensions(void **state)
{
	struct rng rng;

	(void)state;
	rng_init(&rng, 15);
	for (int round = 0; round < ROUNDS; round++) {
		int64_t left[4] = {2, 3}, right[4] = {2, 3};
		bool ta = rng_below(&rng, 2), tb = rng_below(&rng, 2);
		int64_t m = 1 + (int64_t)rng_below(&rng, 20), k = 1 + (int64_t)rng_below(&rng, 20);
		int64_t n = 1 + (int64_t)rng_below(&rng, 40);
		unsigned skip_left = 0, skip_right = (unsigned)rng_below(&rng, 3);
		struct check c = {.rng = &rng};
		struct ref a, b, want;

		if (rng_below(&rng, 3) == 0) {
			skip_left = skip_right;
			skip_right = 0;
		}
		left[rng_below(&rng, 2)] = rng_below(&rng, 2) ? 1 : 2;
		right[0] = left[0];
		right[1] = rng_below(&rng, 2) ? 1 : left[1];
		left[2] = ta ? k : m;
		left[3] = ta ? m : k;
		right[2] = tb ? n : k;
		right[3] = tb ? k : n;
		ref_init(&a, left + skip_left, 4 - skip_left);
		ref_init(&b, right + skip_right, 4 - skip_right);
		ref_random(&a, &rng, -2, 2, false);
		ref_random(&b, &rng, -2, 2, false);
		check_input(&c, "a", &a, DTYPE_FLOAT);
		check_input(&c, "b", &b, DTYPE_FLOAT);
		node_begin(&c.b, "y", round % 2 ? "BatchMatMul" : "BatchMatMulV2");
		node_input(&c.b, "a");
		node_input(&c.b, "b");
		attr_bool(&c.b, "adj_x", ta);
		attr_bool(&c.b, "adj_y", tb);
		node_end(&c.b);
		ref_matmul(&want, &a, &b, ta, tb);
		check_result(&c, &want, DTYPE_FLOAT, 1e-5, 1e-4);
		ref_release(&a);
		ref_release(&b);
	}
}

static void softmax_matches_reference(void **state)
{
	struct rng rng;

	(void)state;
	rng_init(&rng, 16);
	for (int round = 0; round < ROUNDS; round++) {
		enum dtype t = rng_below(&rng, 4) == 0 ? DTYPE_DOUBLE : DTYPE_FLOAT;
		int64_t dims[] = {1 + (int64_t)rng_below(&rng, 4), 1 + (int64_t)rng_below(&rng, 4),
				  1 + (int64_t)rng_below(&rng, 70)};
		unsigned skip = (unsigned)rng_below(&rng, 3);
		bool logarithm = rng_below(&rng, 2);
		struct check c = {.rng = &rng};
		struct ref x, want;

		ref_init(&x, dims + skip, 3 - skip);
		ref_random(&x, &rng, -30, 30, false);
		check_input(&c, "x", &x, t);
		add_node(&c.b, "y", logarithm ? "LogSoftmax" : "Softmax", (const char *const[]){"x", NULL});
		ref_softmax(&want, &x, logarithm);
		check_result(&c, &want, t, 4e-6, 1e-6);
		ref_release(&x);
	}
}

static void reductions_match_reference(void **state)
{
	static const char *const ops[] = {"Sum", "Mean", "Max", "Min"};
	struct rng rng;

	(void)state;
	rng_init(&rng, 17);
	for (int round = 0; round < 4 * ROUNDS; round++) {
		enum dtype t = number_types[rng_below(&rng, 10)];
		unsigned kind = (unsigned)rng_below(&rng, 4), naxes = 0;
		struct check c = {.rng = &rng};
		struct ref x, want;
		int64_t dims[4], axes[4];
		bool reduced[REF_RANK] = {false}, keep = rng_below(&rng, 2);
		unsigned rank = random_shape(&rng, dims, 4, 5);

		if (kind == 1 && !is_float(t))
			t = DTYPE_DOUBLE;
		ref_init(&x, dims, rank);
		ref_random(&x, &rng, 0, 3, !is_float(t));
		for (unsigned i = 0; i < rank; i++) {
			reduced[i] = rng_below(&rng, 2);
			if (reduced[i])
				axes[naxes++] = rng_below(&rng, 2) ? (int64_t)i : (int64_t)i - (int64_t)rank;
		}
		check_input(&c, "x", &x, t);
		add_ints(&c.b, "axes", axes, naxes);
		node_begin(&c.b, "y", ops[kind]);
		node_input(&c.b, "x");
		node_input(&c.b, "axes");
		attr_bool(&c.b, "keep_dims", keep);
		node_end(&c.b);
		ref_reduce(&want, &x, reduced, (enum ref_reduction)kind);
		unsigned left = 0;
		for (unsigned i = 0; i < rank && !keep; i++) {
			if (!reduced[i])
				want.dims[left++] = want.dims[i];
		}
		want.rank = keep ? rank : left;
		check_result(&c, &want, t, 1e-6, 1e-6);
		ref_release(&x);
	}
}

static void integer_means_are_truncated(void **state)
{
	struct rng rng;
	struct check c = {.rng = &rng};
	struct ref x, want;

	(void)state;
	rng_init(&rng, 1);
	ref_init(&x, (int64_t[]){3}, 1);
	x.v[0] = 250;
	x.v[1] = 250;
	x.v[2] = 252;
	check_placeholder(&c, "x", &x, DTYPE_UINT8);
	add_ints(&c.b, "axes", (int64_t[]){0}, 1);
	add_node(&c.b, "y", "Mean", (const char *const[]){"x", "axes", NULL});
	ref_init(&want, NULL, 0);
	want.v[0] = 250;
	check_result(&c, &want, DTYPE_UINT8, 0, 0);
	ref_release(&x);
}

static void argmax_finds_the_first_of_equals(void **state)
{
	struct rng rng;

	(void)state;
	rng_init(&rng, 18);
	for (int round = 0; round < ROUNDS; round++) {
		enum dtype t = number_types[rng_below(&rng, 10)];
		bool narrow = rng_below(&rng, 2);
		bool reduced[REF_RANK] = {false};
		struct check c = {.rng = &rng};
		struct ref x, want;
		int64_t dims[4];
		unsigned rank = 0;

		while (rank == 0)
			rank = random_shape(&rng, dims, 4, 6);
		unsigned axis = (unsigned)rng_below(&rng, rank);
		ref_init(&x, dims, rank);
		ref_random(&x, &rng, 0, 5, true);
		check_input(&c, "x", &x, t);
		add_int(&c.b, "axis", (int64_t)axis - (round % 2 ? (int64_t)rank : 0));
		node_begin(&c.b, "y", "ArgMax");
		node_input(&c.b, "x");
		node_input(&c.b, "axis");
		if (narrow)
			attr_type(&c.b, "output_type", DT_INT32);
		node_end(&c.b);
		reduced[axis] = true;
		ref_reduce(&want, &x, reduced, REF_ARGMAX);
		memmove(want.dims + axis, want.dims + axis + 1, (rank - axis - 1) * sizeof(*want.dims));
		want.rank--;
		check_result(&c, &want, narrow ? DTYPE_INT32 : DTYPE_INT64, 0, 0);
		ref_release(&x);
	}
}

static void cast_converts_between_all_types(void **state)
{
	struct rng rng;

	(void)state;
	rng_init(&rng, 19);
	for (int from = DTYPE_FLOAT; from <= DTYPE_BOOL; from++) {
		for (int to = DTYPE_FLOAT; to <= DTYPE_BOOL; to++) {
			struct check c = {.rng = &rng};
			struct ref x, want;

			ref_init(&x, (int64_t[]){3, 7}, 2);
			ref_random(&x, &rng, 0, from == DTYPE_BOOL ? 2 : 120, from != DTYPE_FLOAT);
			check_input(&c, "x", &x, (enum dtype)from);
			node_begin(&c.b, "y", "Cast");
			node_input(&c.b, "x");
			attr_type(&c.b, "DstT", dt_of((enum dtype)to));
			node_end(&c.b);
			ref_init(&want, x.dims, 2);
			for (size_t i = 0; i < x.count; i++)
				want.v[i] = to == DTYPE_BOOL           ? x.v[i] != 0
					    : is_float((enum dtype)to) ? x.v[i]
								       : trunc(x.v[i]);
			check_result(&c, &want, (enum dtype)to, 0, 0);
			ref_release(&x);
		}
	}
}

static void cast_of_floats_saturates(void **state)
{
	struct rng rng;
	struct check c = {.rng = &rng};
	struct ref x, want;

	(void)state;
	rng_init(&rng, 1);
	ref_init(&x, (int64_t[]){5}, 1);
	memcpy(x.v, (double[]){1e20, -1e20, NAN, -1.9, 127.9}, 5 * sizeof(double));
	check_placeholder(&c, "x", &x, DTYPE_FLOAT);
	node_begin(&c.b, "y", "Cast");
	node_input(&c.b, "x");
	attr_type(&c.b, "DstT", DT_INT8);
	node_end(&c.b);
	ref_init(&want, (int64_t[]){5}, 1);
	memcpy(want.v, (double[]){127, -128, 0, -1, 127}, 5 * sizeof(double));
	check_result(&c, &want, DTYPE_INT8, 0, 0);
	ref_release(&x);
}

static void integers_wrap_around(void **state)
{
	struct rng rng;
	struct check c = {.rng = &rng};
	struct ref x, want;

	(void)state;
	rng_init(&rng, 1);
	ref_init(&x, (int64_t[]){2}, 1);
	x.v[0] = -2147483648.0;
	x.v[1] = 65536;
	check_placeholder(&c, "x", &x, DTYPE_INT32);
	add_node(&c.b, "neg", "Neg", (const char *const[]){"x", NULL});
	add_node(&c.b, "y", "Mul", (const char *const[]){"neg", "x", NULL});
	ref_init(&want, (int64_t[]){2}, 1);
	check_result(&c, &want, DTYPE_INT32, 0, 0);
	ref_release(&x);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(unary_operators_match_reference),
		cmocka_unit_test(binary_operators_broadcast_like_numpy),
		cmocka_unit_test(bias_add_repeats_the_last_dimension),
		cmocka_unit_test(matmul_matches_reference),
		cmocka_unit_test(batch_matmul_broadcasts_leading_dimensions),
		cmocka_unit_test(softmax_matches_reference),
		cmocka_unit_test(reductions_match_reference),
		cmocka_unit_test(integer_means_are_truncated),
		cmocka_unit_test(argmax_finds_the_first_of_equals),
		cmocka_unit_test(cast_converts_between_all_types),
		cmocka_unit_test(cast_of_floats_saturates),
		cmocka_unit_test(integers_wrap_around),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
