/*
 * model.h - writes generated models in a server's file format.
 */
#ifndef DATAGEN_MODEL_H
#define DATAGEN_MODEL_H

#include <stddef.h>

#include "common/error.h"
#include "datagen/fraud_net.h"
#include "datagen/mobilenet.h"

/* One file format; *ret is malloc'd, the caller frees it. A net that is not written in this format: NULL. */
struct model_format {
	const char *name; /* "tensorflow" */
	int (*write_fraud)(unsigned char **ret, size_t *ret_len, const struct fraud_net *net, struct error *err);
	int (*write_mobilenet)(unsigned char **ret, size_t *ret_len, const struct mobilenet *net, struct error *err);
};

/* NULL-terminated; the one list of formats. */
extern const struct model_format *const model_formats[];
/* NULL: no such format. */
const struct model_format *model_format_find(const char *name);

/* A frozen TensorFlow GraphDef; a TFLite FlatBuffer; an ONNX ModelProto. */
extern const struct model_format model_format_tensorflow, model_format_tflite, model_format_onnx;

#endif
