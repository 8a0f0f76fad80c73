/*
 * kernels_impl.h - the kernels, written once over vectors of LANES floats; included by one source an instruction set.
 *
 * Before the include: LANES, TILE_ROWS (1 to 12 rows of a product held in registers), KERNEL (the target attribute),
 * KERNEL_SET (the table's name), KERNEL_NAME, and load_part/store_part for the 1 to LANES - 1 elements of a row's end.
 * GCC's vector extension does the rest: a * b + c becomes one fused instruction where the set has it.
 */
#include <math.h>
#include <stdint.h>
#include <string.h>

#ifdef __clang__
#define UNROLL _Pragma("clang loop unroll(full)")
#else
#define UNROLL _Pragma("GCC unroll 16")
#endif
#define INLINE static inline __attribute__((always_inline)) KERNEL

typedef int32_t vint __attribute__((vector_size(LANES * 4)));
typedef float vfloat_unaligned __attribute__((vector_size(LANES * 4), aligned(4), may_alias));

INLINE vfloat load(const float *p)
{
	return *(const vfloat_unaligned *)p;
}

INLINE void store(float *p, vfloat v)
{
	*(vfloat_unaligned *)p = v;
}

INLINE vfloat splat(float x)
{
	return x - (vfloat){0};
}

INLINE vfloat choose(vint mask, vfloat yes, vfloat no)
{
	return (vfloat)(((vint)yes & mask) | ((vint)no & ~mask));
}

/* 2^n for -126 <= n <= 127 */
INLINE vfloat power_of_two(vint n)
{
	return (vfloat)((n + 127) << 23);
}

/*
 * e^x = 2^n * e^r with n = round(x / ln 2), r = x - n ln 2 in two parts, |r| <= 0.347. e^r - 1 - r = r^2 P(r) with P
 * interpolated at the Chebyshev nodes (relative error of e^r under 1e-8 before rounding).
 */
struct reduced {
	vint n;
	vfloat r, tail; /* tail: e^r - 1 */
};

INLINE struct reduced exp_reduce(vfloat x)
{
	const float round = 12582912.0f; /* 1.5 * 2^23: adding it leaves the nearest integer in the low bits */
	vfloat shifted = x * 1.44269504f + round;
	vfloat n = shifted - round;
	vfloat r = x - n * 0.693359375f;
	r = r - n * -2.12194440e-4f;
	vfloat p = r * 1.989198131e-4f + 1.393454193e-3f;
	p = p * r + 8.333310024e-3f;
	p = p * r + 4.166645681e-2f;
	p = p * r + 1.666666668e-1f;
	p = p * r + 5.0e-1f;
	return (struct reduced){
		.n = (vint)shifted - (vint)splat(round),
		.r = r,
		.tail = p * (r * r) + r,
	};
}

/* Overflows to infinity, goes to 0 through the denormals; NaN stays NaN. */
INLINE vfloat v_exp(vfloat x)
{
	x = choose(x < -105.0f, splat(-105.0f), x);
	x = choose(x > 89.0f, splat(89.0f), x);
	struct reduced e = exp_reduce(x);
	vint half = e.n >> 1; /* in two steps: 2^n alone may not fit */
	return (e.tail + 1.0f) * power_of_two(half) * power_of_two(e.n - half);
}

/* e^x - 1 for x <= 0 without cancellation near 0; below -30 it is -1. */
INLINE vfloat v_expm1_negative(vfloat x)
{
	x = choose(x < -30.0f, splat(-30.0f), x);
	struct reduced e = exp_reduce(x);
	vfloat scale = power_of_two(e.n);
	return e.tail * scale + (scale - 1.0f);
}

INLINE vfloat v_sigmoid(vfloat x, vfloat alpha)
{
	(void)alpha;
	return 1.0f / (1.0f + v_exp(-x));
}

/* Odd polynomial near 0, where 1 - 2 / (e^2x + 1) cancels. */
INLINE vfloat v_tanh(vfloat x, vfloat alpha)
{
	(void)alpha;
	vfloat magnitude = (vfloat)((vint)x & INT32_MAX);
	vfloat z = x * x;
	vfloat p = z * 2.283024358e-3f + -8.335324266e-3f;
	p = p * z + 2.176627268e-2f;
	p = p * z + -5.395893280e-2f;
	p = p * z + 1.333330217e-1f;
	p = p * z + -3.333333316e-1f;
	vfloat small = p * (z * x) + x;
	vfloat large = 1.0f - 2.0f / (v_exp(magnitude + magnitude) + 1.0f);
	large = (vfloat)((vint)large | ((vint)x & INT32_MIN));
	return choose(magnitude < 0.625f, small, large);
}

INLINE vfloat v_copy(vfloat x, vfloat alpha)
{
	(void)alpha;
	return x;
}

INLINE vfloat v_neg(vfloat x, vfloat alpha)
{
	(void)alpha;
	return -x;
}

INLINE vfloat v_exponential(vfloat x, vfloat alpha)
{
	(void)alpha;
	return v_exp(x);
}

INLINE vfloat v_square(vfloat x, vfloat alpha)
{
	(void)alpha;
	return x * x;
}

INLINE vfloat v_relu(vfloat x, vfloat alpha)
{
	(void)alpha;
	return choose(x < 0.0f, (vfloat){0}, x);
}

INLINE vfloat v_relu6(vfloat x, vfloat alpha)
{
	x = v_relu(x, alpha);
	return choose(x > 6.0f, splat(6.0f), x);
}

INLINE vfloat v_leaky_relu(vfloat x, vfloat alpha)
{
	return choose(x < 0.0f, x * alpha, x);
}

INLINE vfloat v_elu(vfloat x, vfloat alpha)
{
	return choose(x < 0.0f, v_expm1_negative(choose(x < 0.0f, x, (vfloat){0})) * alpha, x);
}

INLINE vfloat v_floor(vfloat x, vfloat alpha)
{
	(void)alpha;
	vint fits = (vfloat)((vint)x & INT32_MAX) < 8388608.0f; /* 2^23: integers from there on */
	vfloat bounded = choose(fits, x, (vfloat){0});
	vfloat whole = __builtin_convertvector(__builtin_convertvector(bounded, vint), vfloat);
	whole = whole - choose(whole > bounded, splat(1.0f), (vfloat){0});
	return choose(fits & (whole != x), whole, x);
}

#define DEFINE_UNARY(name, function) \
	KERNEL static void unary_##name(size_t n, const float *x, float *y, float alpha) \
	{ \
		vfloat slope = splat(alpha); \
		size_t i = 0; \
		for (; i + LANES <= n; i += LANES) \
			store(y + i, function(load(x + i), slope)); \
		if (i < n) \
			store_part(y + i, function(load_part(x + i, n - i), slope), n - i); \
	}
DEFINE_UNARY(copy, v_copy)
DEFINE_UNARY(neg, v_neg)
DEFINE_UNARY(exp, v_exponential)
DEFINE_UNARY(square, v_square)
DEFINE_UNARY(tanh, v_tanh)
DEFINE_UNARY(sigmoid, v_sigmoid)
DEFINE_UNARY(relu, v_relu)
DEFINE_UNARY(relu6, v_relu6)
DEFINE_UNARY(leaky_relu, v_leaky_relu)
DEFINE_UNARY(elu, v_elu)
DEFINE_UNARY(floor, v_floor)

INLINE vfloat v_add(vfloat a, vfloat b)
{
	return a + b;
}

INLINE vfloat v_sub(vfloat a, vfloat b)
{
	return a - b;
}

INLINE vfloat v_mul(vfloat a, vfloat b)
{
	return a * b;
}

INLINE vfloat v_div(vfloat a, vfloat b)
{
	return a / b;
}

INLINE vfloat v_maximum(vfloat a, vfloat b)
{
	return choose(a > b, a, b);
}

INLINE vfloat v_minimum(vfloat a, vfloat b)
{
	return choose(a < b, a, b);
}

#define DEFINE_BINARY(name) \
	KERNEL static void binary_##name(size_t n, const float *a, size_t a_step, const float *b, size_t b_step, \
					 float *y) \
	{ \
		if (n == 0) \
			return; \
		vfloat a0 = splat(a[0]), b0 = splat(b[0]); \
		size_t i = 0; \
		for (; i + LANES <= n; i += LANES) \
			store(y + i, v_##name(a_step ? load(a + i) : a0, b_step ? load(b + i) : b0)); \
		if (i < n) \
			store_part(y + i, \
				   v_##name(a_step ? load_part(a + i, n - i) : a0, \
					    b_step ? load_part(b + i, n - i) : b0), \
				   n - i); \
	}
BINARY_KERNEL_LIST(DEFINE_BINARY)

/*
 * One tile of a product: rows x (vectors * LANES) results in registers while k runs. rows and vectors are constants
 * at every call, so that the loops over them disappear. Every result is one chain over k that starts at its bias.
 */
INLINE void tile(const struct gemm *g, size_t row, size_t column, const unsigned rows, const unsigned vectors)
{
	const size_t k = g->k, a_row = g->a_row, a_col = g->a_col;
	const size_t width = g->n - column < vectors * LANES ? g->n - column : vectors * LANES;
	const float *a = g->a + row * a_row;
	const float *b = g->b + column * k;
	vfloat sum[TILE_ROWS][4];

	UNROLL
	for (unsigned v = 0; v < vectors; v++) {
		vfloat start = (vfloat){0};
		if (g->bias != NULL) {
			const float *bias = g->bias + column + v * LANES;
			start = width >= (v + 1) * LANES ? load(bias) : load_part(bias, width - v * LANES);
		}
		UNROLL
		for (unsigned r = 0; r < rows; r++)
			sum[r][v] = start;
	}
	for (size_t p = 0; p < k; p++) {
		vfloat line[4];
		UNROLL
		for (unsigned v = 0; v < vectors; v++)
			line[v] = load(b + (v / 2) * k * 2 * LANES + (v % 2) * LANES);
		UNROLL
		for (unsigned r = 0; r < rows; r++) {
			vfloat x = splat(a[r * a_row]);
			UNROLL
			for (unsigned v = 0; v < vectors; v++)
				sum[r][v] = x * line[v] + sum[r][v];
		}
		a += a_col;
		b += 2 * LANES;
	}
	float out[TILE_ROWS * 4 * LANES] __attribute__((aligned(64)));
	UNROLL
	for (unsigned r = 0; r < rows; r++) {
		UNROLL
		for (unsigned v = 0; v < vectors; v++)
			*(vfloat *)(out + (r * vectors + v) * LANES) = sum[r][v];
	}
	for (unsigned r = 0; r < rows; r++)
		g->activate(width, out + r * vectors * LANES, g->c + (row + r) * g->c_row + column, g->alpha);
}

typedef void tile_function(const struct gemm *g, size_t row, size_t column);
#define DEFINE_TILE(rows, vectors) \
	KERNEL static void tile_##rows##_##vectors(const struct gemm *g, size_t row, size_t column) \
	{ \
		tile(g, row, column, rows, vectors); \
	}
#define DEFINE_TILES(rows) DEFINE_TILE(rows, 1) DEFINE_TILE(rows, 2)
#define TILES(rows) \
	{ \
		tile_##rows##_1, tile_##rows##_2 \
	}
DEFINE_TILE(1, 3)
DEFINE_TILE(1, 4)
DEFINE_TILES(1)
DEFINE_TILES(2)
DEFINE_TILES(3)
DEFINE_TILES(4)
#if TILE_ROWS >= 6
DEFINE_TILES(5)
DEFINE_TILES(6)
#endif
#if TILE_ROWS == 12
DEFINE_TILES(7)
DEFINE_TILES(8)
DEFINE_TILES(9)
DEFINE_TILES(10)
DEFINE_TILES(11)
DEFINE_TILES(12)
#endif

static tile_function *const tiles[TILE_ROWS][2] = {
	TILES(1), TILES(2), TILES(3), TILES(4),
#if TILE_ROWS >= 6
	TILES(5), TILES(6),
#endif
#if TILE_ROWS == 12
	TILES(7), TILES(8), TILES(9), TILES(10), TILES(11), TILES(12),
#endif
};

/* A single row has one chain a vector: four vectors at once hide the latency of the additions. */
static void gemm_row(const struct gemm *g)
{
	static tile_function *const wide[] = {tile_1_1, tile_1_2, tile_1_3, tile_1_4};

	for (size_t column = 0; column < g->n; column += 4 * LANES) {
		size_t left = (g->n - column + LANES - 1) / LANES;
		wide[left < 4 ? left - 1 : 3](g, 0, column);
	}
}

static void gemm(const struct gemm *g)
{
	if (g->m == 1) {
		gemm_row(g);
		return;
	}
	if (g->m == 0)
		return;
	/* Tiles of nearly equal height: a last tile of one row would run at the latency of its chain. */
	size_t blocks = (g->m + TILE_ROWS - 1) / TILE_ROWS;
	size_t height = g->m / blocks, higher = g->m % blocks;
	for (size_t column = 0; column < g->n; column += 2 * LANES) {
		unsigned vectors = g->n - column > LANES ? 2 : 1;
		size_t row = 0;
		for (size_t i = 0; i < blocks; i++) {
			size_t rows = height + (i < higher);
			tiles[rows - 1][vectors - 1](g, row, column);
			row += rows;
		}
	}
}

static void finish(const struct gemm *g)
{
	for (size_t i = 0; i < g->m; i++) {
		float *c = g->c + i * g->c_row;
		if (g->bias != NULL)
			binary_add(g->n, c, 1, g->bias, 1, c);
		if (g->activate != unary_copy)
			g->activate(g->n, c, c, g->alpha);
	}
}

INLINE vint lanes_below(size_t n)
{
	vint index;
	UNROLL
	for (int l = 0; l < LANES; l++)
		index[l] = l;
	return index < (vint)((int32_t)n - (vint){0});
}

/* Both fold the vector in halves; the order depends on nothing but LANES. */
INLINE float sum_lanes(vfloat v)
{
	float part[LANES];
	memcpy(part, &v, sizeof(part));
	UNROLL
	for (int half = LANES / 2; half > 0; half /= 2) {
		UNROLL
		for (int l = 0; l < half; l++)
			part[l] += part[l + half];
	}
	return part[0];
}

INLINE float max_lanes(vfloat v)
{
	float part[LANES];
	memcpy(part, &v, sizeof(part));
	UNROLL
	for (int half = LANES / 2; half > 0; half /= 2) {
		UNROLL
		for (int l = 0; l < half; l++)
			part[l] = part[l] > part[l + half] ? part[l] : part[l + half];
	}
	return part[0];
}

INLINE void softmax_row(size_t n, const float *x, float *y, bool logarithm)
{
	const size_t whole = n / LANES * LANES, rest = n - whole;
	const vint inside = lanes_below(rest);
	vfloat last = rest > 0 ? choose(inside, load_part(x + whole, rest), splat(-INFINITY)) : splat(-INFINITY);
	vfloat top = last, total = (vfloat){0};

	for (size_t i = 0; i < whole; i += LANES)
		top = v_maximum(load(x + i), top);
	const float max = max_lanes(top);
	for (size_t i = 0; i < whole; i += LANES) {
		vfloat e = v_exp(load(x + i) - max);
		total += e;
		if (!logarithm)
			store(y + i, e);
	}
	vfloat last_exp = choose(inside, v_exp(last - max), (vfloat){0});
	const float sum = sum_lanes(total + last_exp);
	if (logarithm) {
		const float log_sum = logf(sum);
		for (size_t i = 0; i < whole; i += LANES)
			store(y + i, load(x + i) - max - log_sum);
		if (rest > 0)
			store_part(y + whole, last - max - log_sum, rest);
		return;
	}
	for (size_t i = 0; i < whole; i += LANES)
		store(y + i, load(y + i) / sum);
	if (rest > 0)
		store_part(y + whole, last_exp / sum, rest);
}

KERNEL static void softmax(size_t rows, size_t n, const float *x, float *y, bool logarithm)
{
	for (size_t i = 0; i < rows; i++)
		softmax_row(n, x + i * n, y + i * n, logarithm);
}

const struct kernels KERNEL_SET = {.name = KERNEL_NAME,
				   .lanes = LANES,
				   .gemm = gemm,
				   .finish = finish,
				   .softmax = softmax,
#define KERNEL_ENTRY(name) .name = unary_##name,
				   UNARY_KERNEL_LIST(KERNEL_ENTRY)
#undef KERNEL_ENTRY
#define KERNEL_ENTRY(name) .name = binary_##name,
					   BINARY_KERNEL_LIST(KERNEL_ENTRY)
#undef KERNEL_ENTRY
};
