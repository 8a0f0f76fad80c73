/*
 * model.c - the list of model file formats.
 */
#include "datagen/model.h"

#include <string.h>

const struct model_format *const model_formats[] = {
	&model_format_tensorflow,
	&model_format_tflite,
	&model_format_onnx,
	NULL,
};

const struct model_format *model_format_find(const char *name)
{
	for (size_t i = 0; model_formats[i]; i++) {
		if (strcmp(model_formats[i]->name, name) == 0)
			return model_formats[i];
	}
	return NULL;
}
