/*
 * tflite_builder.h - TFLite files for tests, written byte by byte: the reader is not tested with its own help.
 */
#ifndef TESTS_ENGINE_TFLITE_BUILDER_H
#define TESTS_ENGINE_TFLITE_BUILDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/buf.h"

#define TFB_TENSORS 32
#define TFB_OPERATORS 16
#define TFB_LINKS 8
#define TFB_OPTIONS 8

/* Types and operators as the schema numbers them. */
enum { TFB_FLOAT32 = 0, TFB_FLOAT16 = 1, TFB_INT32 = 2, TFB_UINT8 = 3, TFB_INT64 = 4, TFB_STRING = 5, TFB_INT8 = 9 };
enum {
	TFB_ADD = 0,
	TFB_AVERAGE_POOL = 1,
	TFB_CONCATENATION = 2,
	TFB_CONV = 3,
	TFB_DEPTHWISE = 4,
	TFB_DEQUANTIZE = 6,
	TFB_FULLY_CONNECTED = 9,
	TFB_LOGISTIC = 14,
	TFB_MAX_POOL = 17,
	TFB_MUL = 18,
	TFB_RELU = 19,
	TFB_RELU6 = 21,
	TFB_RESHAPE = 22,
	TFB_SOFTMAX = 25,
	TFB_TANH = 28,
	TFB_CUSTOM = 32,
	TFB_PAD = 34,
	TFB_TRANSPOSE = 39,
	TFB_MEAN = 40,
	TFB_SUB = 41,
	TFB_SQUEEZE = 43,
	TFB_SPLIT = 49,
	TFB_TOPK = 48,
	TFB_LEAKY_RELU = 98,
	TFB_QUANTIZE = 114,
	TFB_HARD_SWISH = 117
};

struct tfb_tensor {
	const char *name;
	int type;
	int64_t dims[8];
	unsigned rank;
	const void *data; /* borrowed until tfb_finish; NULL: none */
	size_t size;
	const float *steps; /* borrowed */
	const int64_t *zeros;
	unsigned nsteps;
	int dimension; /* of several steps */
	float step;    /* one step's own storage */
	int64_t zero;
	bool free_batch; /* the first dimension is -1 in the signature */
};

/* An option: a 32-bit field; a float by its bits; or a vector of them. */
struct tfb_option {
	bool present;
	int32_t value;
	const int32_t *vector;
	unsigned n;
};

struct tfb_operator {
	int code;
	const char *custom;
	int32_t in[TFB_LINKS], out[TFB_LINKS];
	unsigned nin, nout;
	struct tfb_option options[TFB_OPTIONS];
};

/* Zero-initialise. Whoever wants a damaged model changes the fields before tfb_finish, or the file after it. */
struct tfb {
	struct tfb_tensor tensors[TFB_TENSORS];
	struct tfb_operator operators[TFB_OPERATORS];
	unsigned ntensors, noperators;
	int32_t inputs[TFB_LINKS], outputs[TFB_LINKS];
	unsigned ninputs, noutputs;
	struct buf file;
};

int tfb_tensor(struct tfb *b, const char *name, int type, const int64_t *dims, unsigned rank);
int tfb_constant(struct tfb *b, const char *name, int type, const int64_t *dims, unsigned rank, const void *data,
		 size_t size);
void tfb_quantize(struct tfb *b, int tensor, float step, int64_t zero);
void tfb_quantize_each(struct tfb *b, int tensor, const float *steps, unsigned n, int dimension);
struct tfb_operator *tfb_operator(struct tfb *b, int code, const int32_t *in, unsigned nin, int32_t out);
void tfb_option(struct tfb_operator *o, unsigned field, int32_t value);
void tfb_option_float(struct tfb_operator *o, unsigned field, float value);
/* Graph inputs and outputs; then the file is there. */
void tfb_finish(struct tfb *b, int32_t input, int32_t output);
/* With the inputs and outputs that are set already. */
void tfb_write(struct tfb *b);
void tfb_release(struct tfb *b);

#endif
