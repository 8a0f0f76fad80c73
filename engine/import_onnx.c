/*
 * import_onnx.c - an ONNX ModelProto.
 */
#include "engine/onnx.h"

static int check_initializers(struct import *im, const Onnx__GraphProto *graph)
{
	for (size_t i = 0; i < graph->n_initializer; i++) {
		if (onnx_is_external(graph->initializer[i]))
			return import_fail(im, MODEL_FAULT_EXTERNAL_DATA, ERR_UNSUPPORTED,
					   "initializer '%s' keeps its data in another file: save the model with its "
					   "weights in one",
					   onnx_text(graph->initializer[i]->name));
	}
	return 0;
}

int import_onnx(struct import *im, const void *blob, size_t len)
{
	Onnx__ModelProto *model = onnx__model_proto__unpack(NULL, len, blob);
	int r;

	if (model == NULL)
		return import_fail(im, MODEL_FAULT_PARSE, ERR_FORMAT, "the bytes are no ONNX model");
	if (model->graph == NULL)
		r = import_fail(im, MODEL_FAULT_EMPTY, ERR_FORMAT, "there is no graph in the ONNX model");
	else
		r = check_initializers(im, model->graph);
	if (r == 0)
		r = onnx_import_graph(im, model);
	onnx__model_proto__free_unpacked(model, NULL);
	return r;
}
