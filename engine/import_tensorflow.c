/*
 * import_tensorflow.c - a frozen TensorFlow GraphDef.
 */
#include <stdlib.h>

#include "engine/tensorflow.h"

static struct tf_endpoint *endpoints(const char *const *names, size_t n)
{
	struct tf_endpoint *e = calloc(n + 1, sizeof(*e));

	for (size_t i = 0; i < n && e != NULL; i++)
		e[i] = (struct tf_endpoint){names[i], names[i]};
	return e;
}

int import_graphdef(struct import *im, const void *blob, size_t len)
{
	Tensorflow__GraphDef *def = tensorflow__graph_def__unpack(NULL, len, blob);
	struct tf_endpoint *inputs = endpoints(im->io.inputs, im->io.ninputs);
	struct tf_endpoint *outputs = endpoints(im->io.outputs, im->io.noutputs);
	struct tf_import tf = {.im = im, .def = def};
	int r = ERR_NOMEM;

	if (def == NULL)
		r = import_fail(im, MODEL_FAULT_PARSE, ERR_FORMAT, "the bytes are no TensorFlow GraphDef");
	else if (im->io.noutputs == 0)
		r = import_fail(im, MODEL_FAULT_OTHER, ERR_INVALID, "no outputs are named");
	else if (inputs != NULL && outputs != NULL)
		r = tf_import_graph(&tf, inputs, im->io.ninputs, outputs, im->io.noutputs);
	free(inputs);
	free(outputs);
	if (def != NULL)
		tensorflow__graph_def__free_unpacked(def, NULL);
	return r;
}
