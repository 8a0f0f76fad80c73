/*
 * tflite_reference.c - TFLite models in plain loops over doubles.
 */
#include "tests/engine/tflite_reference.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- the file --- */

static uint32_t u32(const uint8_t *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

static float f32(const uint8_t *p)
{
	float v;

	memcpy(&v, p, sizeof(v));
	return v;
}

/* Field `id` of the table at t, or NULL. */
static const uint8_t *field(const uint8_t *t, unsigned id)
{
	const uint8_t *vtable = t - (int32_t)u32(t);
	unsigned size = vtable[0] | (unsigned)vtable[1] << 8, offset = 0;

	if (4 + 2 * id < size)
		offset = vtable[4 + 2 * id] | (unsigned)vtable[5 + 2 * id] << 8;
	return offset != 0 ? t + offset : NULL;
}

static const uint8_t *follow(const uint8_t *p)
{
	return p != NULL ? p + u32(p) : NULL;
}

static int32_t number(const uint8_t *t, unsigned id, int32_t absent)
{
	const uint8_t *p = t != NULL ? field(t, id) : NULL;

	return p != NULL ? (int32_t)u32(p) : absent;
}

static int32_t byte(const uint8_t *t, unsigned id)
{
	const uint8_t *p = t != NULL ? field(t, id) : NULL;

	return p != NULL ? (int8_t)*p : 0;
}

static const uint8_t *subgraph(const struct walk *w)
{
	const uint8_t *graphs = follow(field(w->file + u32(w->file), 2));

	return follow(graphs + 4);
}

static int32_t vector_int(const uint8_t *v, uint32_t i)
{
	return (int32_t)u32(v + 4 + 4 * (size_t)i);
}

int32_t walk_input(const struct walk *w, uint32_t i)
{
	return vector_int(follow(field(subgraph(w), 1)), i);
}

int32_t walk_output(const struct walk *w, uint32_t i)
{
	return vector_int(follow(field(subgraph(w), 2)), i);
}

/* --- tensors --- */

static void allocate(struct walk_tensor *t)
{
	t->count = 1;
	for (unsigned i = 0; i < t->rank; i++)
		t->count *= (size_t)t->dims[i];
	free(t->v);
	t->v = calloc(t->count + 1, sizeof(*t->v));
	if (t->v == NULL)
		abort();
}

static void shape(struct walk_tensor *t, unsigned rank, int64_t a, int64_t b, int64_t c, int64_t d)
{
	const int64_t dims[] = {a, b, c, d};

	t->rank = rank;
	memcpy(t->dims, dims, sizeof(dims));
	allocate(t);
}

static void same_shape(struct walk_tensor *t, const struct walk_tensor *x)
{
	shape(t, x->rank, x->dims[0], x->dims[1], x->dims[2], x->dims[3]);
}

static double stored(const uint8_t *p, int type, size_t i)
{
	switch (type) {
	case 0:
		return (double)f32(p + 4 * i);
	case 2:
		return (int32_t)u32(p + 4 * i);
	case 3:
		return p[i];
	case 9:
		return (int8_t)p[i];
	default:
		fprintf(stderr, "type %d\n", type);
		abort();
	}
}

static void read_tensor(struct walk *w, const uint8_t *t, struct walk_tensor *ret)
{
	const uint8_t *dims = follow(field(t, 0)), *quant = follow(field(t, 4)), *name = follow(field(t, 3));
	const uint8_t *buffers = follow(field(w->file + u32(w->file), 4));
	const uint8_t *buffer = follow(buffers + 4 + 4 * (size_t)number(t, 2, 0));
	const uint8_t *data = follow(field(buffer, 0));

	ret->name = name != NULL ? (const char *)name + 4 : "";
	ret->type = byte(t, 1);
	ret->rank = dims != NULL ? u32(dims) : 0;
	if (ret->rank > WALK_RANK)
		abort();
	for (unsigned i = 0; i < ret->rank; i++)
		ret->dims[i] = vector_int(dims, i);
	const uint8_t *steps = quant != NULL ? follow(field(quant, 2)) : NULL;
	const uint8_t *zeros = quant != NULL ? follow(field(quant, 3)) : NULL;
	ret->nsteps = steps != NULL ? u32(steps) : 0;
	ret->steps = steps != NULL ? steps + 4 : NULL;
	ret->zeros = zeros != NULL && u32(zeros) > 0 ? zeros + 4 : NULL;
	if (data == NULL || u32(data) == 0)
		return;
	allocate(ret);
	for (size_t i = 0; i < ret->count; i++)
		ret->v[i] = stored(data + 4, ret->type, i);
}

void walk_open(struct walk *w, const void *file, bool real)
{
	*w = (struct walk){.file = file, .real = real};
	const uint8_t *tensors = follow(field(subgraph(w), 0));

	w->ntensors = u32(tensors);
	w->tensors = calloc(w->ntensors + 1, sizeof(*w->tensors));
	if (w->tensors == NULL)
		abort();
	for (size_t i = 0; i < w->ntensors; i++)
		read_tensor(w, follow(tensors + 4 + 4 * i), &w->tensors[i]);
	for (uint32_t i = 0; i < u32(follow(field(subgraph(w), 1))); i++)
		allocate(&w->tensors[walk_input(w, i)]);
}

void walk_close(struct walk *w)
{
	for (size_t i = 0; i < w->ntensors; i++)
		free(w->tensors[i].v);
	free(w->tensors);
}

/* --- arithmetic --- */

static bool is_8bit(const struct walk_tensor *t)
{
	return t->type == 3 || t->type == 9;
}

static double step(const struct walk_tensor *t, size_t i)
{
	return (double)f32(t->steps + 4 * (t->nsteps > 1 ? i : 0));
}

static double zero(const struct walk_tensor *t)
{
	int64_t z = 0;

	if (t->zeros != NULL)
		memcpy(&z, t->zeros, sizeof(z));
	return (double)z;
}

/* x * real: the mantissa is rounded to 31 bits; the product is halved 31 times rounding half up, and then shifted to
 * the right rounding half away from zero. Everything here is exact in doubles of 64 bits but the product: long double. */
static double scaled(double x, double real)
{
	int exponent;
	long double mantissa = (long double)round(frexp(real, &exponent) * 0x1p31);

	if (mantissa == 0x1p31L) {
		mantissa = 0x1p30L;
		exponent++;
	}
	if (exponent < -31)
		return 0.0;
	if (exponent > 0)
		x = ldexp(x, exponent);
	double high = (double)floorl(((long double)x * mantissa + 0x1p30L) / 0x1p31L);
	return exponent < 0 ? round(ldexp(high, exponent)) : high;
}

static double limit(const struct walk *w, const struct walk_tensor *out, double v, int activation)
{
	double low = -INFINITY, high = INFINITY;

	(void)w;
	if (is_8bit(out)) {
		low = out->type == 3 ? 0.0 : -128.0;
		high = low + 255.0;
		if (activation == 1 || activation == 3)
			low = fmax(low, zero(out));
		if (activation == 3)
			high = fmin(high, zero(out) + round((double)(6.0f / (float)step(out, 0))));
	} else {
		low = activation == 1 || activation == 3 ? 0.0 : low;
		high = activation == 3 ? 6.0 : high;
	}
	return fmin(fmax(v, low), high);
}

static double scale_by(const struct walk *w, double x, double real)
{
	return w->real ? x * real : scaled(x, real);
}

static double finish_8bit(const struct walk *w, const struct walk_tensor *out, double v, int activation)
{
	return limit(w, out, (w->real ? round(v) : v) + zero(out), activation);
}

/* --- operators --- */

struct op {
	struct walk *w;
	int code;
	const uint8_t *in, *out, *options;
};

static struct walk_tensor *in(const struct op *o, uint32_t i)
{
	if (i >= u32(o->in) || vector_int(o->in, i) < 0)
		return NULL;
	return &o->w->tensors[vector_int(o->in, i)];
}

static struct walk_tensor *out(const struct op *o)
{
	return &o->w->tensors[vector_int(o->out, 0)];
}

struct axis {
	int64_t out, before;
};

static struct axis axis_of(int64_t size, int64_t kernel, int64_t stride, int64_t dilation, int padding)
{
	int64_t reach = (kernel - 1) * dilation + 1;
	struct axis a = {padding == 0 ? (size + stride - 1) / stride : (size - reach) / stride + 1, 0};
	int64_t total = (a.out - 1) * stride + reach - size;

	if (padding == 0 && total > 0)
		a.before = total / 2;
	return a;
}

static double *pixel(const struct walk_tensor *t, int64_t n, int64_t y, int64_t x)
{
	return t->v + ((n * t->dims[1] + y) * t->dims[2] + x) * t->dims[3];
}

/* One output of a convolution before scaling: depthwise where the weights' first dimension is 1 of many. */
static double window_sum(const struct op *o, bool depthwise, int64_t n, int64_t y, int64_t x, int64_t c,
			 const int64_t *dilation)
{
	const struct walk_tensor *a = in(o, 0), *b = in(o, 1);
	const double za = is_8bit(a) ? zero(a) : 0.0, zb = is_8bit(b) ? zero(b) : 0.0;
	double sum = 0.0;

	for (int64_t i = 0; i < b->dims[1]; i++) {
		for (int64_t j = 0; j < b->dims[2]; j++) {
			int64_t row = y + i * dilation[0], column = x + j * dilation[1];
			if (row < 0 || row >= a->dims[1] || column < 0 || column >= a->dims[2])
				continue;
			const double *from = pixel(a, n, row, column);
			const double *weights = pixel(b, depthwise ? 0 : c, i, j);
			if (depthwise) {
				sum += (from[c / (b->dims[3] / a->dims[3])] - za) * (weights[c] - zb);
				continue;
			}
			for (int64_t k = 0; k < b->dims[3]; k++)
				sum += (from[k] - za) * (weights[k] - zb);
		}
	}
	return sum;
}

/* Sum and bias to the result's integers, or as they are. */
static double product_result(const struct op *o, double sum, size_t column, int activation)
{
	const struct walk_tensor *bias = in(o, 2), *y = out(o), *a = in(o, 0), *b = in(o, 1);

	sum += bias != NULL ? bias->v[column] : 0.0;
	if (!is_8bit(y))
		return limit(o->w, y, sum, activation);
	const bool narrow = b->type == 3 && b->nsteps == 1;
	double factor = step(a, 0) * step(b, column);
	if (narrow)
		factor = (double)((float)step(a, 0) * (float)step(b, column));
	return finish_8bit(o->w, y, scale_by(o->w, sum, factor / step(y, 0)), activation);
}

static void run_conv(const struct op *o, bool depthwise)
{
	const struct walk_tensor *a = in(o, 0), *b = in(o, 1);
	struct walk_tensor *y = out(o);
	const int dilated = depthwise ? 5 : 4;
	const int64_t stride[] = {number(o->options, 2, 0), number(o->options, 1, 0)};
	const int64_t dilation[] = {number(o->options, (unsigned)dilated + 1, 1),
				    number(o->options, (unsigned)dilated, 1)};
	const struct axis rows = axis_of(a->dims[1], b->dims[1], stride[0], dilation[0], byte(o->options, 0));
	const struct axis columns = axis_of(a->dims[2], b->dims[2], stride[1], dilation[1], byte(o->options, 0));
	const int64_t channels = depthwise ? b->dims[3] : b->dims[0];

	shape(y, 4, a->dims[0], rows.out, columns.out, channels);
	for (int64_t n = 0; n < a->dims[0]; n++) {
		for (int64_t i = 0; i < rows.out; i++) {
			for (int64_t j = 0; j < columns.out; j++) {
				for (int64_t c = 0; c < channels; c++) {
					double sum = window_sum(o, depthwise, n, i * stride[0] - rows.before,
								j * stride[1] - columns.before, c, dilation);
					pixel(y, n, i, j)[c] =
						product_result(o, sum, (size_t)c, byte(o->options, depthwise ? 4 : 3));
				}
			}
		}
	}
}

static void run_fully_connected(const struct op *o)
{
	const struct walk_tensor *a = in(o, 0), *b = in(o, 1);
	struct walk_tensor *y = out(o);
	const double za = is_8bit(a) ? zero(a) : 0.0, zb = is_8bit(b) ? zero(b) : 0.0;
	const size_t k = (size_t)b->dims[1], n = (size_t)b->dims[0], rows = a->count / k;

	shape(y, 2, (int64_t)rows, (int64_t)n, 0, 0);
	for (size_t i = 0; i < rows * n; i++) {
		double sum = 0.0;
		for (size_t p = 0; p < k; p++)
			sum += (a->v[i / n * k + p] - za) * (b->v[i % n * k + p] - zb);
		y->v[i] = product_result(o, sum, i % n, byte(o->options, 0));
	}
}

static void run_pool(const struct op *o, bool max)
{
	const struct walk_tensor *a = in(o, 0);
	struct walk_tensor *y = out(o);
	const int64_t stride[] = {number(o->options, 2, 0), number(o->options, 1, 0)};
	const int64_t kernel[] = {number(o->options, 4, 0), number(o->options, 3, 0)};
	const struct axis rows = axis_of(a->dims[1], kernel[0], stride[0], 1, byte(o->options, 0));
	const struct axis columns = axis_of(a->dims[2], kernel[1], stride[1], 1, byte(o->options, 0));

	shape(y, 4, a->dims[0], rows.out, columns.out, a->dims[3]);
	for (size_t at = 0; at < y->count; at++) {
		int64_t c = (int64_t)at % y->dims[3], j = (int64_t)at / y->dims[3] % columns.out;
		int64_t i = (int64_t)at / y->dims[3] / columns.out % rows.out;
		int64_t n = (int64_t)at / y->dims[3] / columns.out / rows.out;
		double sum = 0.0, most = -INFINITY, count = 0.0;
		for (int64_t k = 0; k < kernel[0] * kernel[1]; k++) {
			int64_t row = i * stride[0] - rows.before + k / kernel[1];
			int64_t column = j * stride[1] - columns.before + k % kernel[1];
			if (row < 0 || row >= a->dims[1] || column < 0 || column >= a->dims[2])
				continue;
			sum += pixel(a, n, row, column)[c];
			most = fmax(most, pixel(a, n, row, column)[c]);
			count += 1.0;
		}
		double v = max ? most : sum / count;
		y->v[at] = limit(o->w, y, is_8bit(y) ? round(v) : v, byte(o->options, 5));
	}
}

static void run_binary(const struct op *o)
{
	const struct walk_tensor *a = in(o, 0), *b = in(o, 1);
	struct walk_tensor *y = out(o);

	same_shape(y, a->count >= b->count ? a : b);
	for (size_t i = 0; i < y->count; i++) {
		/* Of what broadcasts only the last dimensions, which is all that these models have. */
		double p = a->v[i % a->count], q = b->v[i % b->count], v;
		if (!is_8bit(y)) {
			v = o->code == 18 ? p * q : o->code == 41 ? p - q : p + q;
			y->v[i] = limit(o->w, y, v, byte(o->options, 0));
			continue;
		}
		p -= zero(a);
		q -= zero(b);
		const double sa = step(a, 0), sb = step(b, 0), sy = step(y, 0), sign = o->code == 41 ? -1.0 : 1.0;
		if (o->code == 18) {
			double factor = (double)((float)sa * (float)sb / (float)sy);
			v = scale_by(o->w, p * q, factor);
		} else if (o->w->real) {
			v = (sa * p + sign * sb * q) / sy;
		} else {
			double twice = 2.0 * fmax(sa, sb);
			v = scaled(scaled(p * 0x1p20, sa / twice) + sign * scaled(q * 0x1p20, sb / twice),
				   twice / (0x1p20 * sy));
		}
		y->v[i] = finish_8bit(o->w, y, v, byte(o->options, 0));
	}
}

static void run_softmax(const struct op *o)
{
	const struct walk_tensor *a = in(o, 0);
	struct walk_tensor *y = out(o);
	const size_t n = (size_t)a->dims[a->rank - 1];
	const uint8_t *field_of_beta = field(o->options, 0);
	const double beta =
		(field_of_beta != NULL ? (double)f32(field_of_beta) : 0.0) * (is_8bit(a) ? step(a, 0) : 1.0);

	same_shape(y, a);
	for (size_t row = 0; row < a->count; row += n) {
		double most = -INFINITY, sum = 0.0;
		for (size_t i = row; i < row + n; i++)
			most = fmax(most, a->v[i]);
		for (size_t i = row; i < row + n; i++)
			sum += exp((a->v[i] - most) * beta);
		for (size_t i = row; i < row + n; i++) {
			double v = exp((a->v[i] - most) * beta) / sum;
			y->v[i] = is_8bit(y) ? limit(o->w, y, round(v / step(y, 0)) + zero(y), 0) : v;
		}
	}
}

/* Of [N, H, W, C] over H and W. */
static void run_mean(const struct op *o)
{
	const struct walk_tensor *a = in(o, 0);
	struct walk_tensor *y = out(o);
	const int64_t size = a->dims[1] * a->dims[2];

	if (byte(o->options, 0))
		shape(y, 4, a->dims[0], 1, 1, a->dims[3]);
	else
		shape(y, 2, a->dims[0], a->dims[3], 0, 0);
	for (size_t i = 0; i < y->count; i++) {
		int64_t n = (int64_t)i / a->dims[3], c = (int64_t)i % a->dims[3];
		double sum = 0.0;
		for (int64_t k = 0; k < size; k++)
			sum += pixel(a, n, k / a->dims[2], k % a->dims[2])[c] - (is_8bit(a) ? zero(a) : 0.0);
		double v = sum / (double)size;
		y->v[i] = is_8bit(y) ? limit(o->w, y, round(v * step(a, 0) / step(y, 0)) + zero(y), 0) : v;
	}
}

static double of_real(int code, double x)
{
	switch (code) {
	case 14:
		return 1.0 / (1.0 + exp(-x));
	case 28:
		return tanh(x);
	case 19:
		return fmax(x, 0.0);
	case 21:
		return fmin(fmax(x, 0.0), 6.0);
	case 98:
		return x < 0.0 ? x * 0.25 : x;
	case 117:
		return x * fmin(fmax(x + 3.0, 0.0), 6.0) / 6.0;
	default: /* QUANTIZE, DEQUANTIZE */
		return x;
	}
}

static void run_unary(const struct op *o)
{
	const struct walk_tensor *a = in(o, 0);
	struct walk_tensor *y = out(o);

	same_shape(y, a);
	for (size_t i = 0; i < y->count; i++) {
		double x = is_8bit(a) ? step(a, 0) * (a->v[i] - zero(a)) : a->v[i];
		double v = of_real(o->code, x);
		y->v[i] = is_8bit(y) ? limit(o->w, y, round(v / step(y, 0)) + zero(y), 0) : v;
	}
}

/* RESHAPE and SQUEEZE: the declared shape, with the batch that comes in. */
static void run_reshape(const struct op *o)
{
	const struct walk_tensor *a = in(o, 0);
	struct walk_tensor *y = out(o);
	size_t rest = 1;

	for (unsigned i = 1; i < y->rank; i++)
		rest *= (size_t)y->dims[i];
	y->dims[0] = (int64_t)(a->count / rest);
	allocate(y);
	memcpy(y->v, a->v, a->count * sizeof(*a->v));
}

/* Zeros, or what stands for them, around an image. */
static void run_pad(const struct op *o)
{
	const struct walk_tensor *a = in(o, 0), *pairs = in(o, 1);
	struct walk_tensor *y = out(o);
	int64_t size[4], start[4];

	for (unsigned i = 0; i < 4; i++) {
		start[i] = (int64_t)pairs->v[2 * i];
		size[i] = a->dims[i] + start[i] + (int64_t)pairs->v[2 * i + 1];
	}
	shape(y, 4, size[0], size[1], size[2], size[3]);
	for (size_t i = 0; i < y->count; i++)
		y->v[i] = is_8bit(y) ? zero(y) : 0.0;
	for (size_t i = 0; i < a->count; i++) {
		int64_t c = (int64_t)i % a->dims[3], j = (int64_t)i / a->dims[3] % a->dims[2];
		int64_t k = (int64_t)i / a->dims[3] / a->dims[2] % a->dims[1];
		int64_t n = (int64_t)i / a->dims[3] / a->dims[2] / a->dims[1];
		pixel(y, n + start[0], k + start[1], j + start[2])[c + start[3]] = a->v[i];
	}
}

static void run_operator(struct walk *w, const uint8_t *operator)
{
	const uint8_t *codes = follow(field(w->file + u32(w->file), 1));
	const uint8_t *code = follow(codes + 4 + 4 * (size_t)number(operator, 0, 0));
	struct op o = {.w = w, .in = follow(field(operator, 1)), .out = follow(field(operator, 2))};

	o.options = follow(field(operator, 4));
	o.code = byte(code, 0) > number(code, 3, 0) ? byte(code, 0) : number(code, 3, 0);
	switch (o.code) {
	case 0:
	case 18:
	case 41:
		run_binary(&o);
		break;
	case 1:
	case 17:
		run_pool(&o, o.code == 17);
		break;
	case 3:
	case 4:
		run_conv(&o, o.code == 4);
		break;
	case 9:
		run_fully_connected(&o);
		break;
	case 22:
	case 43:
		run_reshape(&o);
		break;
	case 25:
		run_softmax(&o);
		break;
	case 34:
		run_pad(&o);
		break;
	case 40:
		run_mean(&o);
		break;
	default:
		run_unary(&o);
		break;
	}
}

void walk_run(struct walk *w)
{
	const uint8_t *operators = follow(field(subgraph(w), 3));

	for (uint32_t i = 0; i < u32(operators); i++)
		run_operator(w, follow(operators + 4 + 4 * (size_t)i));
}
