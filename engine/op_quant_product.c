/*
 * op_quant_product.c - convolution, depthwise convolution and matrix product of 8-bit tensors, exact as TFLite's.
 *
 * No matrix of patches is made. One image at a time is widened to 16 bits with the zero point taken off and with its
 * padding of zeros; a window is then a few segments of that memory, each contiguous, and a pixel of the output is the
 * address of its window. A matrix is an image of one row and windows of 1 x 1.
 * oneDNN is not used: its 8-bit convolution saturates pairs of products on processors with AVX2 alone.
 */
#include <string.h>

#include "common/arith.h"
#include "engine/op_quant.h"
#include "engine/window.h"

#define PIXELS 48 /* of a call; their addresses are on the stack */

struct product_geometry {
	size_t images, height, width, channels; /* of the input */
	size_t kernel[2], strides[2], dilations[2];
	size_t pads[2];   /* before */
	size_t out[2];    /* of the output */
	size_t padded[2]; /* what the windows of one image cover */
	size_t outputs;   /* channels */
	size_t repeat;    /* each input channel is there this many times (depth multiplier) */
};

struct product {
	struct product_geometry geometry;
	union {
		struct quant_product product;
		struct quant_depthwise depthwise;
	} q;
	int32_t flip, zero;
	bool covered; /* by the image alone: there is no padding */
	size_t slack; /* numbers behind the image */
	const struct quant_kernels *kernels;
};

/* --- packed weights --- */

struct packing {
	const struct quant_kernels *kernels;
	bool depthwise;
	size_t columns, padded; /* outputs; whole panels of them */
	size_t segments, length, pairs;
	size_t count; /* 32-bit words in all */
};

/* Segments of a window: its rows, or its pixels where they lie apart. */
static void window_segments(const struct attributes *attr, size_t height, size_t width, size_t channels, size_t *ret_n,
			    size_t *ret_length)
{
	bool rows = width == 1 || attr->window.dilations[1] == 1;

	*ret_n = rows ? height : height * width;
	*ret_length = rows ? width * channels : channels;
}

static int packing_of(struct packing *p, enum op op, const struct attributes *attr, const struct shape *weights)
{
	const int64_t *d = weights->dims;
	size_t width, words;

	*p = (struct packing){.kernels = quant_kernels_best(), .depthwise = op == OP_QUANT_DEPTHWISE};
	width = p->kernels->lanes * (p->depthwise ? 1 : 2);
	p->columns = (size_t)d[p->depthwise ? 3 : 0];
	if (p->depthwise) {
		p->segments = (size_t)(d[1] * d[2]);
		p->length = p->pairs = 1;
	} else if (op == OP_QUANT_MATMUL) {
		p->segments = 1;
		p->length = (size_t)d[1];
	} else {
		window_segments(attr, (size_t)d[1], (size_t)d[2], (size_t)d[3], &p->segments, &p->length);
	}
	if (!p->depthwise)
		p->pairs = (p->length + 1) / 2;
	if (!size_add(&p->padded, p->columns, width - 1))
		return ERR_RANGE;
	p->padded = p->padded / width * width;
	if (!size_mul(&words, p->segments, p->pairs) || !size_add(&words, words, 4) ||
	    !size_mul(&p->count, words, p->padded) || p->count > INT64_MAX / 8)
		return ERR_RANGE;
	return 0;
}

static int16_t weight_at(const struct operand *w, size_t i, int32_t zero)
{
	int32_t value = w->dtype == DTYPE_INT8 ? ((const int8_t *)w->data)[i] : ((const uint8_t *)w->data)[i];

	return (int16_t)(value - zero);
}

/* Panels of columns: each segment's pairs in turn, a pair of every column. */
static void pack_panels(const struct packing *p, const struct operand *w, int32_t zero, int16_t *to)
{
	const size_t width = 2 * p->kernels->lanes, inputs = p->segments * p->length;

	for (size_t first = 0; first < p->padded; first += width) {
		for (size_t i = 0; i < p->segments * p->pairs; i++, to += 2 * width) {
			size_t at = i / p->pairs * p->length + i % p->pairs * 2;
			bool second = i % p->pairs * 2 + 1 < p->length;
			for (size_t j = 0; j < width && first + j < p->columns; j++) {
				size_t from = (first + j) * inputs + at;
				to[2 * j] = weight_at(w, from, zero);
				to[2 * j + 1] = (int16_t)(second ? weight_at(w, from + 1, zero) : 0);
			}
		}
	}
}

/* to: zeros. in: x, weights, bias, multipliers, shifts. */
static void pack(const struct packing *p, struct operand *const *in, int32_t zero, int32_t *to)
{
	const int32_t *multiplier = in[3]->data, *shift = in[4]->data;

	memcpy(to, in[2]->data, p->columns * sizeof(*to));
	to += p->padded;
	memcpy(to, multiplier, p->columns * sizeof(*to));
	to += p->padded;
	for (size_t i = 0; i < p->columns; i++) {
		to[i] = shift[i] > 0 ? shift[i] : 0;
		to[p->padded + i] = shift[i] < 0 ? -shift[i] : 0;
	}
	to += 2 * p->padded;
	if (!p->depthwise) {
		pack_panels(p, in[1], zero, (int16_t *)to);
		return;
	}
	for (size_t t = 0; t < p->segments; t++) {
		for (size_t c = 0; c < p->columns; c++)
			to[t * p->padded + c] = (uint16_t)weight_at(in[1], t * p->columns + c, zero);
	}
}

int quant_pack(struct graph *g, struct node *node)
{
	struct operand operands[5], *in[5];
	struct packing p;
	int r;

	if (node->op != OP_QUANT_CONV2D && node->op != OP_QUANT_DEPTHWISE && node->op != OP_QUANT_MATMUL)
		return 0;
	for (uint32_t i = 1; i < 5; i++) {
		struct tensor *t = g->values[node->in[i]].constant;
		if (t == NULL || node->packed != NULL)
			return 0;
		operands[i] = (struct operand){.dtype = t->dtype, .data = t->data};
		in[i] = &operands[i];
		r = shape_set(&operands[i].shape, t->dims, t->rank);
		if (r != 0)
			return r;
	}
	if (quant_check_weights(node->op, in, NULL) < 0)
		return 0; /* the plan says so */
	r = packing_of(&p, node->op, &node->attr, &in[1]->shape);
	if (r == 0) /* few outputs fill a panel all the same: it can be much larger than the weights */
		r = graph_check_constant(g, DTYPE_INT32, (int64_t[]){(int64_t)p.count}, 1, NULL);
	if (r != 0)
		return r;
	r = tensor_new(&node->packed, DTYPE_INT32, (int64_t[]){(int64_t)p.count}, 1, true, g->allocator);
	if (r == 0)
		pack(&p, in, node->attr.quant.weights_zero, node->packed->data);
	return r;
}

int quant_check_weights(enum op op, struct operand *const *in, struct error *err)
{
	const struct shape *w = &in[1]->shape;
	const unsigned rank = op == OP_QUANT_MATMUL ? 2 : 4;
	char text[SHAPE_TEXT_MAX];

	if (w->rank != rank || w->count == 0 || (op == OP_QUANT_DEPTHWISE && w->dims[0] != 1))
		return error_set(err, ERR_INVALID, "weights of shape %s", shape_text(text, w));
	for (unsigned i = 2; i < 5; i++) {
		int64_t columns = w->dims[op == OP_QUANT_DEPTHWISE ? 3 : 0];
		if (in[i]->shape.rank != 1 || in[i]->shape.dims[0] != columns)
			return error_set(err, ERR_INVALID, "bias or scales of shape %s for %lld outputs",
					 shape_text(text, &in[i]->shape), (long long)columns);
	}
	return 0;
}

/* --- running --- */

/* Widens one image into its padded place. */
static void widen_image(const struct product *p, const uint8_t *x, int16_t *to)
{
	const struct product_geometry *g = &p->geometry;
	const size_t room = g->padded[1] > g->pads[1] ? g->padded[1] - g->pads[1] : 0;
	const size_t columns = g->width < room ? g->width : room;
	const size_t row = g->padded[1] * g->channels * g->repeat;

	for (size_t y = 0; y < g->height && y + g->pads[0] < g->padded[0]; y++) {
		const uint8_t *from = x + y * g->width * g->channels;
		int16_t *start = to + (y + g->pads[0]) * row + g->pads[1] * g->channels * g->repeat;
		if (g->repeat == 1) {
			p->kernels->widen(columns * g->channels, from, p->flip, p->zero, start);
			continue;
		}
		for (size_t i = 0; i < columns * g->channels; i++) {
			for (size_t m = 0; m < g->repeat; m++)
				*start++ = (int16_t)((int8_t)(from[i] ^ p->flip) - p->zero);
		}
	}
}

static int run_product(const struct step *s, struct run *run)
{
	const struct product *p = s->state;
	const struct product_geometry *g = &p->geometry;
	const size_t pixels = g->out[0] * g->out[1], column = g->channels * g->repeat;
	const uint8_t *x = s->in[0]->data;
	uint8_t *out = s->out[0]->data;
	int16_t *image = s->scratch;
	const int16_t *window[PIXELS];

	(void)run;
	if (p->covered)
		memset(image + s->scratch_size / sizeof(*image) - p->slack, 0, p->slack * sizeof(*image));
	else
		memset(image, 0, s->scratch_size);
	for (size_t n = 0; n < g->images; n++, x += g->height * g->width * g->channels) {
		widen_image(p, x, image);
		for (size_t first = 0; first < pixels; first += PIXELS) {
			size_t count = pixels - first < PIXELS ? pixels - first : PIXELS;
			size_t row = first / g->out[1], at = first % g->out[1];
			for (size_t i = 0; i < count; i++) {
				window[i] = image + (row * g->strides[0] * g->padded[1] + at * g->strides[1]) * column;
				if (++at == g->out[1]) {
					at = 0;
					row++;
				}
			}
			if (s->node->op == OP_QUANT_DEPTHWISE)
				p->kernels->depthwise(&p->q.depthwise, count, window, out);
			else
				p->kernels->product(&p->q.product, count, window, out);
			out += count * g->outputs;
		}
	}
	return 0;
}

/* --- planning --- */

static int plan_geometry(struct step *s, struct product_geometry *g, struct error *err)
{
	const struct shape *x = &s->in[0]->shape, *w = &s->in[1]->shape;
	const struct window *window = &s->node->attr.window;
	const bool depthwise = s->node->op == OP_QUANT_DEPTHWISE;
	char text[2][SHAPE_TEXT_MAX];

	if (x->rank != 4 || x->dims[3] < 1 || (depthwise ? w->dims[3] % x->dims[3] != 0 : w->dims[3] != x->dims[3]))
		return error_set(err, ERR_INVALID, "weights of shape %s for a tensor of shape %s",
				 shape_text(text[0], w), shape_text(text[1], x));
	*g = (struct product_geometry){.images = (size_t)x->dims[0],
				       .height = (size_t)x->dims[1],
				       .width = (size_t)x->dims[2],
				       .channels = (size_t)x->dims[3],
				       .repeat = depthwise ? (size_t)(w->dims[3] / x->dims[3]) : 1,
				       .outputs = (size_t)w->dims[depthwise ? 3 : 0]};
	struct sweep sweep;
	int r = window_sweep(&sweep, window, w->dims + 1, x->dims + 1, err);
	if (r != 0)
		return r;
	for (unsigned i = 0; i < 2; i++) {
		g->kernel[i] = (size_t)sweep.kernel[i];
		g->strides[i] = (size_t)sweep.step[i];
		g->dilations[i] = (size_t)sweep.dilation[i];
		g->pads[i] = (size_t)sweep.before[i];
		g->out[i] = (size_t)sweep.out[i];
		g->padded[i] = sweep.out[i] > 0 ? (size_t)(sweep.before[i] + x->dims[1 + i] + sweep.after[i]) : 0;
	}
	return shape_set(&s->out[0]->shape,
			 (int64_t[]){x->dims[0], (int64_t)g->out[0], (int64_t)g->out[1], (int64_t)g->outputs}, 4);
}

static int plan_matrix(struct step *s, struct product_geometry *g, struct error *err)
{
	const struct shape *x = &s->in[0]->shape, *w = &s->in[1]->shape;
	char text[2][SHAPE_TEXT_MAX];
	int64_t dims[TENSOR_MAX_RANK];

	if (x->rank < 1 || x->dims[x->rank - 1] != w->dims[1])
		return error_set(err, ERR_INVALID, "weights of shape %s for a tensor of shape %s",
				 shape_text(text[0], w), shape_text(text[1], x));
	const size_t channels = (size_t)w->dims[1], rows = x->count / channels;
	*g = (struct product_geometry){.images = 1,
				       .height = 1,
				       .width = rows,
				       .channels = channels,
				       .kernel = {1, 1},
				       .strides = {1, 1},
				       .dilations = {1, 1},
				       .out = {1, rows},
				       .padded = {1, rows},
				       .outputs = (size_t)w->dims[0],
				       .repeat = 1};
	memcpy(dims, x->dims, x->rank * sizeof(*dims));
	dims[x->rank - 1] = w->dims[0];
	return shape_set(&s->out[0]->shape, dims, x->rank);
}

/* Where each segment or tap starts, counted from the window's first pixel. */
static size_t *segment_offsets(struct step *s, const struct product_geometry *g, size_t n)
{
	size_t *offsets = pool_alloc(s->pool, n, sizeof(*offsets));
	const size_t across = n / g->kernel[0], column = g->channels * g->repeat; /* 1: whole rows */

	for (size_t i = 0; i < n && offsets != NULL; i++)
		offsets[i] = (i / across * g->dilations[0] * g->padded[1] + i % across * g->dilations[1]) * column;
	return offsets;
}

/* An image and, behind it, what the last vector of a window reads past it. */
static int image_size(struct product *p, size_t *ret)
{
	const struct product_geometry *g = &p->geometry;
	size_t n;

	p->slack = 2 * p->kernels->lanes;
	p->covered = g->padded[0] <= g->height && g->padded[1] <= g->width;
	if (!size_mul(&n, g->padded[0], g->padded[1]) || !size_mul(&n, n, g->channels) || !size_mul(&n, n, g->repeat) ||
	    !size_add(&n, n, p->slack) || !size_mul(ret, n, 2) || *ret > PTRDIFF_MAX)
		return ERR_RANGE;
	return 0;
}

int plan_quant_product(struct step *s, struct error *err)
{
	const struct quantization *quant = &s->node->attr.quant;
	struct product *p = pool_alloc(s->pool, 1, sizeof(*p));
	const enum op op = s->node->op;
	const int32_t *packed;
	struct packing packing;
	int r;

	if (p == NULL)
		return ERR_NOMEM;
	r = quant_check_weights(op, s->in, err);
	if (r == 0)
		r = op == OP_QUANT_MATMUL ? plan_matrix(s, &p->geometry, err) : plan_geometry(s, &p->geometry, err);
	if (r == 0)
		r = packing_of(&packing, op, &s->node->attr, &s->in[1]->shape);
	if (r != 0)
		return r;
	if (s->node->packed != NULL) {
		packed = s->node->packed->data;
	} else {
		int32_t *made = pool_alloc(s->pool, packing.count, sizeof(*made));
		if (made == NULL)
			return ERR_NOMEM;
		pack(&packing, s->in, quant->weights_zero, made);
		packed = made;
	}
	const size_t *offsets = segment_offsets(s, &p->geometry, packing.segments);
	if (offsets == NULL)
		return ERR_NOMEM;
	const struct scalings scaling = {packed + packing.padded, packed + 2 * packing.padded,
					 packed + 3 * packing.padded};
	const int32_t *weights = packed + 4 * packing.padded;
	if (op == OP_QUANT_DEPTHWISE)
		p->q.depthwise = (struct quant_depthwise){.channels = packing.columns,
							  .taps = packing.segments,
							  .tap = offsets,
							  .weights = weights,
							  .bias = packed,
							  .scaling = scaling,
							  .range = quant->range};
	else
		p->q.product = (struct quant_product){.columns = packing.columns,
						      .segments = packing.segments,
						      .pairs = packing.pairs,
						      .segment = offsets,
						      .weights = (const int16_t *)weights,
						      .bias = packed,
						      .scaling = scaling,
						      .range = quant->range};
	p->kernels = packing.kernels;
	p->flip = quant_flip(s->in[0]->dtype);
	p->zero = quant->zero[0] - p->flip;
	s->state = p;
	s->run = run_product;
	return image_size(p, &s->scratch_size);
}

int types_quant_product(const struct attributes *attr, const enum dtype *in, uint32_t nin, enum dtype *out,
			uint32_t nout, struct error *err)
{
	(void)attr;
	(void)nout;
	for (uint32_t i = 0; i < nin; i++) {
		if (i < 2 ? !quant_is_8bit(in[i]) : in[i] != DTYPE_INT32)
			return types_unsupported(in[i], err);
	}
	out[0] = in[0];
	return 0;
}
