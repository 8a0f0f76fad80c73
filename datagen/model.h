/*
 * model.h - writes generated models in a server's file format.
 */
#ifndef DATAGEN_MODEL_H
#define DATAGEN_MODEL_H

#include <stddef.h>

#include "common/error.h"
#include "datagen/fraud_net.h"

/* One file format; *ret is malloc'd, the caller frees it. */
struct model_format {
	const char *name; /* "tensorflow" */
	int (*write_fraud)(unsigned char **ret, size_t *ret_len, const struct fraud_net *net, struct error *err);
};

/* NULL-terminated; the one list of formats. */
extern const struct model_format *const model_formats[];
/* NULL: no such format. */
const struct model_format *model_format_find(const char *name);

/* A frozen TensorFlow GraphDef. */
extern const struct model_format model_format_tensorflow;

#endif
