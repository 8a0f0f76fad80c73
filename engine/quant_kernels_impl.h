/*
 * quant_kernels_impl.h - the integer kernels, written once over vectors of LANES 32-bit integers; included by one
 * source an instruction set.
 *
 * Before the include: LANES, TILE_ROWS (1 to 12 pixels held in registers), KERNEL (the target attribute), KERNEL_SET
 * (the table's name), KERNEL_NAME, vint, high_product, and MULTIPLY_ADD(sum, a, b): to each 32-bit sum the products
 * of the two pairs of 16-bit halves, wrapping.
 */
#include <string.h>

#ifdef __clang__
#define UNROLL _Pragma("clang loop unroll(full)")
#else
#define UNROLL _Pragma("GCC unroll 16")
#endif
#define INLINE static inline __attribute__((always_inline)) KERNEL

typedef uint32_t vuint __attribute__((vector_size(LANES * 4)));
typedef int16_t vshort __attribute__((vector_size(LANES * 2)));
typedef int8_t vbyte __attribute__((vector_size(LANES)));

INLINE vint load_int(const void *p)
{
	vint v;

	memcpy(&v, p, sizeof(v));
	return v;
}

INLINE vint load_short(const int16_t *p)
{
	vshort v;

	memcpy(&v, p, sizeof(v));
	return __builtin_convertvector(v, vint);
}

INLINE vint load_byte(const uint8_t *p)
{
	vbyte v;

	memcpy(&v, p, sizeof(v));
	return __builtin_convertvector(v, vint);
}

INLINE void store_byte(uint8_t *p, vint v, size_t n)
{
	vbyte narrow = __builtin_convertvector(v, vbyte);

	if (n >= LANES)
		memcpy(p, &narrow, LANES);
	else
		memcpy(p, &narrow, n);
}

INLINE vint splat(int32_t x)
{
	return x - (vint){0};
}

INLINE vint add(vint a, vint b)
{
	return (vint)((vuint)a + (vuint)b);
}

INLINE vint sub(vint a, vint b)
{
	return (vint)((vuint)a - (vuint)b);
}

INLINE vint clamp(vint v, vint low, vint high)
{
	vint under = v < low;

	v = (low & under) | (v & ~under);
	vint over = v > high;
	return (high & over) | (v & ~over);
}

INLINE vint v_scale(vint x, vint multiplier, vint left, vint right)
{
	vint high = high_product((vint)((vuint)x << (vuint)left), multiplier);
	vint mask = (vint)(((vuint)splat(1) << (vuint)right) - 1u);
	vint threshold = sub(mask >> 1, high < 0);

	return sub(high >> right, (high & mask) > threshold);
}

/* What a store clamps to: the zero point is added last, so that no sum passes 32 bits. */
struct limits {
	vint zero, low, high;
};

INLINE struct limits limits_of(const struct quant_range *r)
{
	return (struct limits){splat(r->zero), splat(r->low - r->zero), splat(r->high - r->zero)};
}

INLINE vint to_range(vint v, const struct limits *l)
{
	return clamp(v, l->low, l->high) + l->zero;
}

KERNEL static void widen(size_t n, const uint8_t *x, int32_t flip, int32_t zero, int16_t *y)
{
	vshort v;
	vbyte bytes, flips = (vbyte){0} + (int8_t)flip;
	vshort zeros = (vshort){0} + (int16_t)zero;
	size_t i = 0;

	for (; i + LANES <= n; i += LANES) {
		memcpy(&bytes, x + i, LANES);
		v = __builtin_convertvector(bytes ^ flips, vshort) - zeros;
		memcpy(y + i, &v, sizeof(v));
	}
	for (; i < n; i++)
		y[i] = (int16_t)((int8_t)(x[i] ^ flip) - zero);
}

/*
 * One tile of a product: rows pixels x (vectors * LANES) columns in registers. rows and vectors are constants at
 * every call, so that the loops over them disappear.
 */
INLINE void tile(const struct quant_product *q, const int16_t *const *pixel, uint8_t *out, size_t column,
		 const unsigned rows, const unsigned vectors)
{
	const size_t panel = q->segments * q->pairs * 2 * LANES;
	const int32_t *weights = (const int32_t *)(const void *)q->weights + column / (2 * LANES) * panel;
	const struct limits limits = limits_of(&q->range);
	vint sum[TILE_ROWS][2];

	UNROLL
	for (unsigned v = 0; v < vectors; v++) {
		vint bias = load_int(q->bias + column + v * LANES);
		UNROLL
		for (unsigned r = 0; r < rows; r++)
			sum[r][v] = bias;
	}
	for (size_t s = 0; s < q->segments; s++) {
		const size_t start = q->segment[s];
		for (size_t p = 0; p < q->pairs; p++) {
			vint line[2];
			UNROLL
			for (unsigned v = 0; v < vectors; v++)
				line[v] = load_int(weights + v * LANES);
			UNROLL
			for (unsigned r = 0; r < rows; r++) {
				int32_t pair;
				memcpy(&pair, pixel[r] + start + 2 * p, sizeof(pair));
				vint x = splat(pair);
				UNROLL
				for (unsigned v = 0; v < vectors; v++)
					sum[r][v] = MULTIPLY_ADD(sum[r][v], x, line[v]);
			}
			weights += 2 * LANES;
		}
	}
	UNROLL
	for (unsigned v = 0; v < vectors; v++) {
		const size_t at = column + v * LANES;
		const vint multiplier = load_int(q->scaling.multiplier + at), left = load_int(q->scaling.left + at),
			   right = load_int(q->scaling.right + at);
		UNROLL
		for (unsigned r = 0; r < rows; r++) {
			vint y = v_scale(sum[r][v], multiplier, left, right);
			store_byte(out + r * q->columns + at, to_range(y, &limits), q->columns - at);
		}
	}
}

typedef void tile_function(const struct quant_product *q, const int16_t *const *pixel, uint8_t *out, size_t column);
#define DEFINE_TILE(rows, vectors) \
	KERNEL static void tile_##rows##_##vectors(const struct quant_product *q, const int16_t *const *pixel, \
						   uint8_t *out, size_t column) \
	{ \
		tile(q, pixel, out, column, rows, vectors); \
	}
#define DEFINE_TILES(rows) DEFINE_TILE(rows, 1) DEFINE_TILE(rows, 2)
DEFINE_TILES(1)
DEFINE_TILES(2)
DEFINE_TILES(3)
DEFINE_TILES(4)
#if TILE_ROWS > 4
DEFINE_TILES(5)
DEFINE_TILES(6)
#endif
#if TILE_ROWS > 6
DEFINE_TILES(7)
DEFINE_TILES(8)
DEFINE_TILES(9)
DEFINE_TILES(10)
DEFINE_TILES(11)
DEFINE_TILES(12)
#endif

static tile_function *const tiles[TILE_ROWS][2] = {
#define TILES(rows) \
	{ \
		tile_##rows##_1, tile_##rows##_2 \
	}
	TILES(1), TILES(2), TILES(3), TILES(4),
#if TILE_ROWS > 4
	TILES(5), TILES(6),
#endif
#if TILE_ROWS > 6
	TILES(7), TILES(8), TILES(9), TILES(10), TILES(11), TILES(12),
#endif
};

KERNEL static void product(const struct quant_product *q, size_t n, const int16_t *const *pixel, uint8_t *out)
{
	for (size_t column = 0; column < q->columns; column += 2 * LANES) {
		const unsigned vectors = q->columns - column > LANES;
		for (size_t i = 0; i < n; i += TILE_ROWS) {
			size_t rows = n - i < TILE_ROWS ? n - i : TILE_ROWS;
			tiles[rows - 1][vectors](q, pixel + i, out + i * q->columns, column);
		}
	}
}

/* Four pixels side by side hide the latency of the products. */
INLINE void depthwise_tile(const struct quant_depthwise *q, const int16_t *const *pixel, uint8_t *out, size_t channel,
			   const unsigned rows)
{
	const size_t padded = (q->channels + LANES - 1) / LANES * LANES;
	const struct limits limits = limits_of(&q->range);
	const vint multiplier = load_int(q->scaling.multiplier + channel), left = load_int(q->scaling.left + channel),
		   right = load_int(q->scaling.right + channel);
	vint sum[4];

	UNROLL
	for (unsigned r = 0; r < rows; r++)
		sum[r] = load_int(q->bias + channel);
	for (size_t t = 0; t < q->taps; t++) {
		const vint weights = load_int(q->weights + t * padded + channel);
		const size_t at = q->tap[t] + channel;
		UNROLL
		for (unsigned r = 0; r < rows; r++)
			sum[r] = MULTIPLY_ADD(sum[r], load_short(pixel[r] + at), weights);
	}
	UNROLL
	for (unsigned r = 0; r < rows; r++) {
		vint y = v_scale(sum[r], multiplier, left, right);
		store_byte(out + r * q->channels + channel, to_range(y, &limits), q->channels - channel);
	}
}

KERNEL static void depthwise(const struct quant_depthwise *q, size_t n, const int16_t *const *pixel, uint8_t *out)
{
	for (size_t i = 0; i < n; i += 4) {
		for (size_t channel = 0; channel < q->channels; channel += LANES) {
			uint8_t *to = out + i * q->channels;
			if (n - i >= 4) {
				depthwise_tile(q, pixel + i, to, channel, 4);
				continue;
			}
			for (size_t r = 0; r < n - i; r++)
				depthwise_tile(q, pixel + i + r, to + r * q->channels, channel, 1);
		}
	}
}

/* --- element by element --- */

struct loaded {
	vint flip, zero;
	vint multiplier, left, right;
};

INLINE struct loaded loaded_of(const struct quant_input *in)
{
	return (struct loaded){.flip = splat((int8_t)in->flip),
			       .zero = splat(in->zero),
			       .multiplier = splat(in->scaling.multiplier),
			       .left = splat(in->scaling.left),
			       .right = splat(in->scaling.right)};
}

/* n < LANES: the rest of the vector is of no interest. */
INLINE vint load_input(const struct loaded *l, const uint8_t *p, size_t step, size_t n)
{
	uint8_t part[LANES] = {0};

	if (step == 0)
		return (splat((int8_t)*p) ^ l->flip) - l->zero;
	if (n < LANES) {
		memcpy(part, p, n);
		p = part;
	}
	return (load_byte(p) ^ l->flip) - l->zero;
}

/* Both on the grid of 2^-20 of the coarser input's step, so that their sum is one too. */
INLINE vint scaled_input(const struct loaded *l, vint x)
{
	return v_scale((vint)((vuint)x << 20), l->multiplier, l->left, l->right);
}

INLINE vint v_add(const struct loaded *a, const struct loaded *b, vint x, vint y)
{
	return add(scaled_input(a, x), scaled_input(b, y));
}

INLINE vint v_sub(const struct loaded *a, const struct loaded *b, vint x, vint y)
{
	return sub(scaled_input(a, x), scaled_input(b, y));
}

INLINE vint v_mul(const struct loaded *a, const struct loaded *b, vint x, vint y)
{
	(void)a;
	(void)b;
	return x * y;
}

#define DEFINE_ROW(name) \
	KERNEL static void row_##name(const struct quant_elementwise *e, size_t n, const uint8_t *a, size_t a_step, \
				      const uint8_t *b, size_t b_step, uint8_t *y) \
	{ \
		const struct loaded left = loaded_of(&e->a), right = loaded_of(&e->b); \
		const struct limits limits = limits_of(&e->range); \
		const vint m = splat(e->scaling.multiplier), l = splat(e->scaling.left), r = splat(e->scaling.right); \
		for (size_t i = 0; i < n; i += LANES) { \
			vint first = load_input(&left, a + i * a_step, a_step, n - i); \
			vint second = load_input(&right, b + i * b_step, b_step, n - i); \
			vint v = v_scale(v_##name(&left, &right, first, second), m, l, r); \
			store_byte(y + i, to_range(v, &limits), n - i); \
		} \
	}
DEFINE_ROW(add)
DEFINE_ROW(sub)
DEFINE_ROW(mul)

const struct quant_kernels KERNEL_SET = {
	.name = KERNEL_NAME,
	.lanes = LANES,
	.widen = widen,
	.product = product,
	.depthwise = depthwise,
	.add = row_add,
	.sub = row_sub,
	.mul = row_mul,
};
