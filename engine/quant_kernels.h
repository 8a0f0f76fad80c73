/*
 * quant_kernels.h - the loops over 8-bit integers that decide the speed, compiled once per instruction set.
 *
 * Inputs are widened to 16 bits with their zero point taken off. Pairs of products are then added into 32 bits, which
 * no instruction here saturates: the sums are exact whatever the values. Every set gives the same result bit for bit.
 */
#ifndef ENGINE_QUANT_KERNELS_H
#define ENGINE_QUANT_KERNELS_H

#include <stddef.h>
#include <stdint.h>

/*
 * A multiplication by a real number as TFLite does it in integers: x * 2^left * multiplier / 2^31, rounded half up,
 * then / 2^right, rounded half away from zero.
 */
struct scaling {
	int32_t multiplier, left, right;
};

/* One scaling a column; whole vectors of each, in memory one after the other. */
struct scalings {
	const int32_t *multiplier, *left, *right;
};

/* From the scaled sum to the result: clamp(x + zero, low, high). */
struct quant_range {
	int32_t zero, low, high;
};

/* Products of int16 rows with packed weights: a convolution's output pixels, or the rows of a matrix. */
struct quant_product {
	size_t columns;          /* outputs a pixel */
	size_t segments, pairs;  /* a pixel's inputs: segments, each of this many pairs */
	const size_t *segment;   /* where each segment starts, counted from the pixel */
	const int16_t *weights;  /* packed: quant_pack */
	const int32_t *bias;     /* whole panels, as the scalings */
	struct scalings scaling; /* of the columns */
	struct quant_range range;
};

/* Each channel with weights of its own; weights and bias reach to a whole vector past the channels. */
struct quant_depthwise {
	size_t channels, taps;
	const size_t *tap;      /* where each tap's channels start, counted from the pixel */
	const int32_t *weights; /* [taps][whole vectors], 0 <= high half: the low 16 bits are the weight */
	const int32_t *bias;
	struct scalings scaling;
	struct quant_range range;
};

/* flip: 0x80 where the bytes are unsigned, else 0; zeros are those of the flipped bytes. */
struct quant_input {
	int32_t flip, zero;
	struct scaling scaling; /* ADD, SUB */
};

struct quant_elementwise {
	struct quant_input a, b;
	struct scaling scaling;
	struct quant_range range;
};

typedef void quant_row(const struct quant_elementwise *e, size_t n, const uint8_t *a, size_t a_step, const uint8_t *b,
		       size_t b_step, uint8_t *y);

struct quant_kernels {
	const char *name;
	size_t lanes; /* 32-bit integers a vector; panels are of twice as many columns */
	/* y = x with the zero point taken off */
	void (*widen)(size_t n, const uint8_t *x, int32_t flip, int32_t zero, int16_t *y);
	/* out[i * columns + j] for each pixel i; reads up to a vector of int16 past a pixel's last segment. */
	void (*product)(const struct quant_product *q, size_t n, const int16_t *const *pixel, uint8_t *out);
	void (*depthwise)(const struct quant_depthwise *q, size_t n, const int16_t *const *pixel, uint8_t *out);
	quant_row *add, *sub, *mul;
};

/* The fastest set that this processor runs. */
const struct quant_kernels *quant_kernels_best(void);
/* Every set that this processor runs, fastest first; NULL past the end. */
const struct quant_kernels *quant_kernels_at(size_t i);

/* The scaling that is nearest to a real number >= 0. */
struct scaling scaling_of(double real);
int32_t scale(int32_t x, const struct scaling *s);

#if defined(__x86_64__)
extern const struct quant_kernels quant_kernels_vnni;
extern const struct quant_kernels quant_kernels_avx512;
extern const struct quant_kernels quant_kernels_avx2;
#endif
extern const struct quant_kernels quant_kernels_baseline;

#endif
