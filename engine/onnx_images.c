/*
 * onnx_images.c - ONNX operators over images: convolution, pooling, normalisation. Tensors are N x C x H x W.
 */
#include "engine/onnx.h"

/* Far above any real model; keeps sums of sizes and paddings from overflowing. */
#define WINDOW_MAX (1 << 24)

static int check_range(const struct onnx_conversion *c, const char *key, const int64_t *v, unsigned n, int64_t least)
{
	for (unsigned i = 0; i < n; i++) {
		if (v[i] < least || v[i] > WINDOW_MAX)
			return error_set(c->err, ERR_UNSUPPORTED, "attribute '%s' with %lld is not supported", key,
					 (long long)v[i]);
	}
	return 0;
}

static int read_padding(const struct onnx_conversion *c, struct window *w)
{
	w->padding = PADDING_EXPLICIT;
	if (onnx_attr_is(c, "auto_pad", "SAME_UPPER", "NOTSET")) {
		w->padding = PADDING_SAME_UPPER;
	} else if (onnx_attr_is(c, "auto_pad", "SAME_LOWER", "NOTSET")) {
		w->padding = PADDING_SAME_LOWER;
	} else if (onnx_attr_is(c, "auto_pad", "VALID", "NOTSET")) {
		w->padding = PADDING_VALID;
	} else if (!onnx_attr_is(c, "auto_pad", "NOTSET", "NOTSET")) {
		return onnx_attr_refused(c, "auto_pad");
	} else {
		int r = onnx_attr_ints(c, "pads", w->pads, 4);
		return r < 0 ? r : check_range(c, "pads", w->pads, 4, 0);
	}
	return 0;
}

/* Two dimensions; the kernel where the attribute says it. */
static int read_window(const struct onnx_conversion *c, struct window *w, bool *ret_kernel)
{
	*w = (struct window){.kernel = {1, 1}, .strides = {1, 1}, .dilations = {1, 1}};
	int r = onnx_attr_ints(c, "kernel_shape", w->kernel, 2);
	*ret_kernel = r > 0;
	if (r >= 0)
		r = onnx_attr_ints(c, "strides", w->strides, 2);
	if (r >= 0)
		r = onnx_attr_ints(c, "dilations", w->dilations, 2);
	if (r < 0)
		return r;
	r = check_range(c, "kernel_shape", w->kernel, 2, 1);
	if (r == 0)
		r = check_range(c, "strides", w->strides, 2, 1);
	if (r == 0)
		r = check_range(c, "dilations", w->dilations, 2, 1);
	return r == 0 ? read_padding(c, w) : r;
}

static int emit_all(struct onnx_conversion *c, const struct attributes *attr)
{
	int64_t in[5];

	for (uint32_t i = 0; i < c->nin; i++)
		in[i] = c->in[i];
	return onnx_result(c, 0, onnx_emit(c, c->op, attr, in, c->nin));
}

int onnx_conv(struct onnx_conversion *c)
{
	struct attributes attr = {.layout = LAYOUT_NCHW, .weights = WEIGHTS_OIHW};
	const struct tensor *weights = onnx_constant(c, 1);
	bool kernel = false;

	int r = read_window(c, &attr.window, &kernel);
	if (r < 0)
		return r;
	attr.groups = onnx_attr_int(c, "group", 1);
	r = check_range(c, "group", &attr.groups, 1, 1);
	if (r < 0)
		return r;
	if (weights != NULL && weights->rank != 4)
		return error_set(c->err, ERR_UNSUPPORTED, "weights of %u dimensions, not 4, are not supported",
				 weights->rank);
	if (weights != NULL && kernel &&
	    (weights->dims[2] != attr.window.kernel[0] || weights->dims[3] != attr.window.kernel[1]))
		return error_set(c->err, ERR_FORMAT, "attribute 'kernel_shape' is not that of the weights");
	return emit_all(c, &attr);
}

int onnx_pool(struct onnx_conversion *c)
{
	struct attributes attr = {.layout = LAYOUT_NCHW};
	bool kernel = false;

	int r = read_window(c, &attr.window, &kernel);
	if (r < 0)
		return r;
	if (!kernel)
		return error_set(c->err, ERR_FORMAT, "attribute 'kernel_shape' is missing");
	attr.window.ceil_mode = onnx_attr_int(c, "ceil_mode", 0) != 0;
	attr.window.count_include_pad = onnx_attr_int(c, "count_include_pad", 0) != 0;
	return emit_all(c, &attr);
}

int onnx_global_pool(struct onnx_conversion *c)
{
	const struct attributes attr = {.keep_dims = true};
	const int64_t in[] = {c->in[0], onnx_new_ints(c, (const int64_t[]){2, 3}, 2)};

	return onnx_result(c, 0, onnx_emit(c, c->op, &attr, in, 2));
}

int onnx_batch_norm(struct onnx_conversion *c)
{
	const struct attributes attr = {.layout = LAYOUT_NCHW, .epsilon = onnx_attr_float(c, "epsilon", 1e-5f)};

	if (c->version >= 14 && onnx_attr_int(c, "training_mode", 0) != 0)
		return onnx_attr_refused(c, "training_mode");
	if (c->version < 9 && onnx_attr_int(c, "spatial", 1) != 1)
		return onnx_attr_refused(c, "spatial");
	return emit_all(c, &attr);
}

int onnx_lrn(struct onnx_conversion *c)
{
	struct attributes attr = {
		.layout = LAYOUT_NCHW,
		.lrn_size = onnx_attr_int(c, "size", 0),
		.beta = onnx_attr_float(c, "beta", 0.75f),
		.lrn_bias = onnx_attr_float(c, "bias", 1.0f),
	};

	int r = check_range(c, "size", &attr.lrn_size, 1, 1);
	if (r < 0)
		return r;
	attr.alpha = onnx_attr_float(c, "alpha", 1e-4f) / (float)attr.lrn_size;
	return emit_all(c, &attr);
}
