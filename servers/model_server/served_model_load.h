/*
 * served_model_load.h - how the repository makes a served model of what it found. Internal to this folder.
 */
#ifndef SERVERS_MODEL_SERVER_SERVED_MODEL_LOAD_H
#define SERVERS_MODEL_SERVER_SERVED_MODEL_LOAD_H

#include "servers/model_server/served_model.h"

enum model_kind { KIND_SAVED_MODEL, KIND_GRAPHDEF, KIND_TFLITE, KIND_ONNX, KIND_COUNT };

struct model_source {
	const char *name;
	int64_t version;
	enum model_kind kind;
	const char *path;   /* of the file, or of the SavedModel's folder */
	const char *config; /* path of config.pbtxt; NULL: none */
	/* Of a GraphDef, TENSOR+TENSOR…; NULL: those of config.pbtxt, or the graph's own (graphdef_io.h). */
	const char *inputs, *outputs;
	const struct batching *batching; /* NULL: as config.pbtxt says */
	struct queue *queue;
};

/* With one reference, the caller's. A model whose inputs have a fixed first dimension is never batched. */
int served_model_load(struct served_model **ret, const struct model_source *source, struct error *err) MUST_CHECK;

/* A context of the model for a run on the calling thread; given back with served_model_give. */
int served_model_take(struct model_context **ret, struct served_model *m) MUST_CHECK;
void served_model_give(struct served_model *m, struct model_context *c);

#endif
