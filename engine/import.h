/*
 * import.h - what a reader of one model format gets and fills in.
 */
#ifndef ENGINE_IMPORT_H
#define ENGINE_IMPORT_H

#include "engine/graph.h"
#include "engine/model.h"

struct import {
	/* Given: */
	const char *model; /* for messages */
	struct model_io io;
	struct graph *graph; /* initialised, empty */
	struct error *err;
	/* Filled in: inputs and outputs of the graph in call order (names allocated, owned by the caller), and on
	 * failure what kind it was. */
	struct model_tensor_info *inputs, *outputs;
	size_t ninputs, noutputs;
	enum model_fault fault;
	size_t fault_index; /* of the input or output that is missing */
};

/* Each returns a negative error with the text set. */
int import_graphdef(struct import *im, const void *blob, size_t len) MUST_CHECK;
int import_onnx(struct import *im, const void *blob, size_t len) MUST_CHECK;
int import_tflite(struct import *im, const void *blob, size_t len) MUST_CHECK;
int import_savedmodel(struct import *im, const char *folder, const char *signature) MUST_CHECK;

/* Allocates im->inputs and im->outputs, to be named and described by the reader. */
int import_alloc_io(struct import *im, size_t ninputs, size_t noutputs) MUST_CHECK;
int import_fail(struct import *im, enum model_fault fault, enum error_code code, const char *fmt, ...)
	PRINTF_LIKE(4, 5);

#endif
