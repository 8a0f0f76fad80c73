/*
 * tensorflow_ops.c - TensorFlow's operators in terms of ours.
 */
#include <string.h>

#include "common/arith.h"
#include "engine/tensorflow.h"

const Tensorflow__AttrValue *tf_attr(const Tensorflow__NodeDef *node, const char *key)
{
	for (size_t i = 0; i < node->n_attr; i++) {
		if (strcmp(node->attr[i]->key, key) == 0)
			return node->attr[i]->value;
	}
	return NULL;
}

static bool attr_bool(const Tensorflow__NodeDef *node, const char *key, bool absent)
{
	const Tensorflow__AttrValue *a = tf_attr(node, key);

	return a != NULL && a->value_case == TENSORFLOW__ATTR_VALUE__VALUE_B ? a->b != 0 : absent;
}

static int64_t attr_int(const Tensorflow__NodeDef *node, const char *key, int64_t absent)
{
	const Tensorflow__AttrValue *a = tf_attr(node, key);

	return a != NULL && a->value_case == TENSORFLOW__ATTR_VALUE__VALUE_I ? a->i : absent;
}

static float attr_float(const Tensorflow__NodeDef *node, const char *key, float absent)
{
	const Tensorflow__AttrValue *a = tf_attr(node, key);

	return a != NULL && a->value_case == TENSORFLOW__ATTR_VALUE__VALUE_F ? a->f : absent;
}

static int attr_type(const Tensorflow__NodeDef *node, const char *key, int32_t absent, enum dtype *ret,
		     struct error *err)
{
	const Tensorflow__AttrValue *a = tf_attr(node, key);
	int32_t dt = a != NULL && a->value_case == TENSORFLOW__ATTR_VALUE__VALUE_TYPE ? a->type : absent;

	if (!tf_dtype(dt, ret))
		return error_set(err, ERR_UNSUPPORTED, "attribute '%s' = %s is not supported", key, tf_dtype_name(dt));
	return 0;
}

/* An axis that this version of the operator has as an attribute, or not at all: ours is an input. */
static int append_axis(struct graph *g, int64_t axis, uint32_t *inputs, uint32_t *nin)
{
	struct tensor *t;
	int r = tensor_new(&t, DTYPE_INT64, NULL, 0, false, g->allocator);

	if (r < 0)
		return r;
	*(int64_t *)t->data = axis;
	int64_t v = graph_add_constant(g, t);
	if (v < 0)
		return (int)v;
	inputs[(*nin)++] = (uint32_t)v;
	return 0;
}

/* What the reader of an operator's attributes works on. */
struct reading {
	struct graph *graph;
	const Tensorflow__NodeDef *node;
	struct attributes *attr;
	uint32_t *inputs, *nin, *nout;
	struct error *err;
};

/* The text of an attribute; "" where it is absent or of another kind. */
static const char *attr_text(const Tensorflow__NodeDef *node, const char *key, size_t *ret_len)
{
	const Tensorflow__AttrValue *a = tf_attr(node, key);
	const bool there = a != NULL && a->value_case == TENSORFLOW__ATTR_VALUE__VALUE_S && a->s.len > 0;

	*ret_len = there ? a->s.len : 0;
	return there ? (const char *)a->s.data : "";
}

static int unsupported_text(struct reading *r, const char *key, const char *text, size_t len)
{
	return error_set(r->err, ERR_UNSUPPORTED, "attribute '%s' = '%.*s' is not supported", key,
			 len < 16 ? (int)len : 16, text);
}

static int read_layout(struct reading *r)
{
	size_t len;
	const char *text = attr_text(r->node, "data_format", &len);

	r->attr->layout = LAYOUT_NHWC;
	if (len == 4 && memcmp(text, "NCHW", 4) == 0)
		r->attr->layout = LAYOUT_NCHW;
	else if (len != 0 && (len != 4 || memcmp(text, "NHWC", 4) != 0))
		return unsupported_text(r, "data_format", text, len);
	return 0;
}

/* Four numbers, one a dimension: those of height and width. The others must be 1. */
static int read_spatial(struct reading *r, const char *key, bool required, int64_t *ret)
{
	const unsigned h = r->attr->layout == LAYOUT_NCHW ? 2 : 1;
	const Tensorflow__AttrValue *a = tf_attr(r->node, key);
	const bool there = a != NULL && a->value_case == TENSORFLOW__ATTR_VALUE__VALUE_LIST && a->list->n_i > 0;

	ret[0] = ret[1] = 1;
	if (!there && !required)
		return 0;
	if (!there || a->list->n_i != 4)
		return error_set(r->err, ERR_UNSUPPORTED, "attribute '%s' of %zu numbers is not supported", key,
				 there ? a->list->n_i : 0);
	for (unsigned i = 0; i < 4; i++) {
		if (i == h || i == h + 1)
			ret[i - h] = a->list->i[i];
		else if (a->list->i[i] != 1)
			return error_set(r->err, ERR_UNSUPPORTED,
					 "attribute '%s' over batch or channels is not supported", key);
	}
	return 0;
}

/* Pairs of numbers, one a dimension. */
static int read_explicit_pads(struct reading *r, struct window *w)
{
	const unsigned h = r->attr->layout == LAYOUT_NCHW ? 2 : 1;
	const Tensorflow__AttrValue *a = tf_attr(r->node, "explicit_paddings");

	if (a == NULL || a->value_case != TENSORFLOW__ATTR_VALUE__VALUE_LIST || a->list->n_i != 8)
		return error_set(r->err, ERR_UNSUPPORTED, "attribute 'explicit_paddings' must have 8 numbers");
	for (unsigned i = 0; i < 4; i++) {
		const int64_t *pair = a->list->i + 2 * i;
		if (i == h || i == h + 1) {
			w->pads[i - h] = pair[0];
			w->pads[i - h + 2] = pair[1];
		} else if (pair[0] != 0 || pair[1] != 0) {
			return error_set(r->err, ERR_UNSUPPORTED,
					 "attribute 'explicit_paddings' over batch or channels is not supported");
		}
	}
	w->padding = PADDING_EXPLICIT;
	return 0;
}

static int read_window(struct reading *r)
{
	struct window *w = &r->attr->window;
	size_t len;
	const char *text = attr_text(r->node, "padding", &len);
	int e = read_layout(r);

	if (e == 0)
		e = read_spatial(r, "strides", true, w->strides);
	if (e == 0)
		e = read_spatial(r, "dilations", false, w->dilations);
	if (e < 0)
		return e;
	if (len == 4 && memcmp(text, "SAME", 4) == 0)
		w->padding = PADDING_SAME_UPPER;
	else if (len == 5 && memcmp(text, "VALID", 5) == 0)
		w->padding = PADDING_VALID;
	else if (len == 8 && memcmp(text, "EXPLICIT", 8) == 0)
		e = read_explicit_pads(r, w);
	else
		return unsupported_text(r, "padding", text, len);
	return e;
}

static int read_conv2d(struct reading *r)
{
	r->attr->weights = WEIGHTS_HWIO;
	r->attr->groups = 1;
	return read_window(r);
}

static int read_depthwise(struct reading *r)
{
	int e = read_conv2d(r);

	r->attr->weights = WEIGHTS_HWCM;
	return e;
}

static int read_pool(struct reading *r)
{
	int e = read_window(r);

	return e == 0 ? read_spatial(r, "ksize", true, r->attr->window.kernel) : e;
}

static int read_batch_norm(struct reading *r)
{
	if (attr_bool(r->node, "is_training", true))
		return error_set(r->err, ERR_UNSUPPORTED,
				 "attribute 'is_training' is true: only graphs for inference are supported");
	r->attr->epsilon = attr_float(r->node, "epsilon", 1e-4f);
	/* Later versions repeat the statistics, which matter in training only. */
	if (*r->nin > 5)
		*r->nin = 5;
	return read_layout(r);
}

static int read_lrn(struct reading *r)
{
	const int64_t radius = attr_int(r->node, "depth_radius", 5);

	if (radius < 0 || radius > INT32_MAX)
		return error_set(r->err, ERR_UNSUPPORTED, "attribute 'depth_radius' = %lld is not supported",
				 (long long)radius);
	r->attr->lrn_size = 2 * radius + 1;
	r->attr->lrn_bias = attr_float(r->node, "bias", 1.0f);
	r->attr->alpha = attr_float(r->node, "alpha", 1.0f);
	r->attr->beta = attr_float(r->node, "beta", 0.5f);
	return 0;
}

static int read_matmul(struct reading *r)
{
	r->attr->matrices_only = true;
	r->attr->transpose_a = attr_bool(r->node, "transpose_a", false);
	r->attr->transpose_b = attr_bool(r->node, "transpose_b", false);
	return 0;
}

static int read_batch_matmul(struct reading *r)
{
	/* The adjoint of a real matrix is its transpose. */
	r->attr->transpose_a = attr_bool(r->node, "adj_x", false);
	r->attr->transpose_b = attr_bool(r->node, "adj_y", false);
	return 0;
}

static int read_leaky_relu(struct reading *r)
{
	r->attr->alpha = attr_float(r->node, "alpha", 0.2f);
	return 0;
}

static int read_elu(struct reading *r)
{
	r->attr->alpha = 1.0f;
	return 0;
}

static int read_squeeze(struct reading *r)
{
	const Tensorflow__AttrValue *a = tf_attr(r->node, "squeeze_dims");

	if (a == NULL)
		a = tf_attr(r->node, "axis");
	if (a == NULL || a->value_case != TENSORFLOW__ATTR_VALUE__VALUE_LIST)
		return 0;
	if (a->list->n_i > TENSOR_MAX_RANK)
		return error_set(r->err, ERR_UNSUPPORTED, "attribute 'squeeze_dims' of %zu axes is not supported",
				 a->list->n_i);
	for (size_t i = 0; i < a->list->n_i; i++)
		r->attr->axes[i] = a->list->i[i];
	r->attr->naxes = (unsigned)a->list->n_i;
	return 0;
}

static int read_shape(struct reading *r)
{
	return attr_type(r->node, "out_type", 3, &r->attr->dtype, r->err);
}

static int read_argmax(struct reading *r)
{
	return attr_type(r->node, "output_type", 9, &r->attr->dtype, r->err);
}

static int read_cast(struct reading *r)
{
	return attr_type(r->node, "DstT", 0, &r->attr->dtype, r->err);
}

static int read_random(struct reading *r)
{
	return attr_type(r->node, "dtype", 0, &r->attr->dtype, r->err);
}

static int read_reduce(struct reading *r)
{
	r->attr->keep_dims = attr_bool(r->node, "keep_dims", false);
	return 0;
}

static int read_pack(struct reading *r)
{
	r->attr->axis = attr_int(r->node, "axis", 0);
	return 0;
}

static int read_outputs(struct reading *r, const char *key)
{
	int64_t n = attr_int(r->node, key, 0);

	if (n < 1 || n > 65536)
		return error_set(r->err, ERR_UNSUPPORTED, "attribute '%s' = %lld is not supported", key, (long long)n);
	*r->nout = (uint32_t)n;
	return 0;
}

static int read_unpack(struct reading *r)
{
	r->attr->axis = attr_int(r->node, "axis", 0);
	return read_outputs(r, "num");
}

static int read_split(struct reading *r)
{
	if (*r->nin == 2) {
		uint32_t axis = r->inputs[0];
		r->inputs[0] = r->inputs[1];
		r->inputs[1] = axis;
	}
	return read_outputs(r, "num_split");
}

static int mask(struct reading *r, const char *key, uint32_t *ret)
{
	int64_t bits = attr_int(r->node, key, 0);

	if (bits < 0 || bits > UINT32_MAX)
		return error_set(r->err, ERR_UNSUPPORTED, "attribute '%s' = %lld is not supported", key,
				 (long long)bits);
	*ret = (uint32_t)bits;
	return 0;
}

static int read_strided_slice(struct reading *r)
{
	struct attributes *a = r->attr;
	int e = mask(r, "begin_mask", &a->begin_mask);

	if (e == 0)
		e = mask(r, "end_mask", &a->end_mask);
	if (e == 0)
		e = mask(r, "ellipsis_mask", &a->ellipsis_mask);
	if (e == 0)
		e = mask(r, "new_axis_mask", &a->new_axis_mask);
	if (e == 0)
		e = mask(r, "shrink_axis_mask", &a->shrink_axis_mask);
	return e;
}

static int read_gather(struct reading *r)
{
	return append_axis(r->graph, 0, r->inputs, r->nin);
}

static int read_gather_v2(struct reading *r)
{
	if (attr_int(r->node, "batch_dims", 0) != 0)
		return error_set(r->err, ERR_UNSUPPORTED, "attribute 'batch_dims' = %lld is not supported",
				 (long long)attr_int(r->node, "batch_dims", 0));
	return 0;
}

static const struct {
	const char *name;
	enum op op;
	int (*read)(struct reading *r); /* NULL: no attributes that matter */
} operators[] = {
	{"Add", OP_ADD, NULL},
	{"AddV2", OP_ADD, NULL},
	{"ArgMax", OP_ARGMAX, read_argmax},
	{"AvgPool", OP_AVG_POOL, read_pool},
	{"BatchMatMul", OP_MATMUL, read_batch_matmul},
	{"BatchMatMulV2", OP_MATMUL, read_batch_matmul},
	{"BiasAdd", OP_BIAS_ADD, read_layout},
	{"Cast", OP_CAST, read_cast},
	{"ConcatV2", OP_CONCAT, NULL},
	{"Conv2D", OP_CONV2D, read_conv2d},
	{"DepthwiseConv2dNative", OP_CONV2D, read_depthwise},
	{"Elu", OP_ELU, read_elu},
	{"Exp", OP_EXP, NULL},
	{"ExpandDims", OP_EXPAND_DIMS, NULL},
	{"Floor", OP_FLOOR, NULL},
	{"FusedBatchNorm", OP_BATCH_NORM, read_batch_norm},
	{"FusedBatchNormV2", OP_BATCH_NORM, read_batch_norm},
	{"FusedBatchNormV3", OP_BATCH_NORM, read_batch_norm},
	{"Gather", OP_GATHER, read_gather},
	{"GatherV2", OP_GATHER, read_gather_v2},
	{"Identity", OP_IDENTITY, NULL},
	{"LRN", OP_LRN, read_lrn},
	{"LeakyRelu", OP_LEAKY_RELU, read_leaky_relu},
	{"Log", OP_LOG, NULL},
	{"LogSoftmax", OP_LOG_SOFTMAX, NULL},
	{"MatMul", OP_MATMUL, read_matmul},
	{"Max", OP_REDUCE_MAX, read_reduce},
	{"MaxPool", OP_MAX_POOL, read_pool},
	{"Maximum", OP_MAXIMUM, NULL},
	{"Mean", OP_REDUCE_MEAN, read_reduce},
	{"Min", OP_REDUCE_MIN, read_reduce},
	{"Minimum", OP_MINIMUM, NULL},
	{"Mul", OP_MUL, NULL},
	{"Neg", OP_NEG, NULL},
	{"Pack", OP_PACK, read_pack},
	{"Pad", OP_PAD, NULL},
	{"PadV2", OP_PAD, NULL},
	{"PlaceholderWithDefault", OP_IDENTITY, NULL},
	{"RandomUniform", OP_RANDOM_UNIFORM, read_random},
	{"ReadVariableOp", OP_IDENTITY, NULL},
	{"RealDiv", OP_DIV, NULL},
	{"Relu", OP_RELU, NULL},
	{"Relu6", OP_RELU6, NULL},
	{"Reshape", OP_RESHAPE, NULL},
	{"Rsqrt", OP_RSQRT, NULL},
	{"Shape", OP_SHAPE, read_shape},
	{"Sigmoid", OP_SIGMOID, NULL},
	{"Slice", OP_SLICE, NULL},
	{"Softmax", OP_SOFTMAX, NULL},
	{"Split", OP_SPLIT, read_split},
	{"Sqrt", OP_SQRT, NULL},
	{"Square", OP_SQUARE, NULL},
	{"Squeeze", OP_SQUEEZE, read_squeeze},
	{"StopGradient", OP_IDENTITY, NULL},
	{"StridedSlice", OP_STRIDED_SLICE, read_strided_slice},
	{"Sub", OP_SUB, NULL},
	{"Sum", OP_REDUCE_SUM, read_reduce},
	{"Tanh", OP_TANH, NULL},
	{"Transpose", OP_TRANSPOSE, NULL},
	{"Unpack", OP_UNPACK, read_unpack},
};

int tf_operator(struct graph *g, const Tensorflow__NodeDef *node, enum op *op, struct attributes *attr,
		uint32_t *inputs, uint32_t *nin, uint32_t *nout, struct error *err)
{
	struct reading reading = {g, node, attr, inputs, nin, nout, err};

	for (size_t i = 0; i < ARRAY_LEN(operators); i++) {
		if (strcmp(operators[i].name, node->op) != 0)
			continue;
		*op = operators[i].op;
		return operators[i].read != NULL ? operators[i].read(&reading) : 0;
	}
	return error_set(err, ERR_UNSUPPORTED, "this operator is not supported");
}
