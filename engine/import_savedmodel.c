/*
 * import_savedmodel.c - a SavedModel folder: the graph tagged "serve", one of its signatures, its variables.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/file.h"
#include "engine/tensor_bundle.h"
#include "engine/tensorflow.h"

#define MODEL_FILE_MAX ((size_t)2 << 30)

struct saved {
	struct import *im;
	const char *folder;
	Tensorflow__SavedModel *proto;
	struct tensor_bundle *bundle; /* opened with the first variable */
};

static int read_variable(void *arg, const char *name, const struct graph *g, struct tensor **ret, struct error *err)
{
	struct saved *s = arg;
	char *prefix = NULL;
	int r = 0;

	if (s->bundle == NULL) {
		if (asprintf(&prefix, "%s/variables/variables", s->folder) < 0)
			return ERR_NOMEM;
		r = tensor_bundle_open(&s->bundle, prefix, err);
		free(prefix);
	}
	return r < 0 ? r : tensor_bundle_read(s->bundle, name, g, ret, err);
}

static int read_proto(struct saved *s)
{
	char *path = NULL, *blob = NULL;
	size_t len;

	if (asprintf(&path, "%s/saved_model.pb", s->folder) < 0)
		return ERR_NOMEM;
	int r = file_read(&blob, &len, path, MODEL_FILE_MAX, s->im->err);
	if (r < 0)
		goto out;
	s->proto = tensorflow__saved_model__unpack(NULL, len, (const uint8_t *)blob);
	if (s->proto == NULL)
		r = import_fail(s->im, MODEL_FAULT_PARSE, ERR_FORMAT, "%s is no TensorFlow SavedModel", path);
out:
	free(blob);
	free(path);
	return r;
}

/* The graph meant for serving, or the only one. */
static const Tensorflow__MetaGraphDef *find_graph(const Tensorflow__SavedModel *proto)
{
	for (size_t i = 0; i < proto->n_meta_graphs; i++) {
		const Tensorflow__MetaInfoDef *info = proto->meta_graphs[i]->meta_info_def;
		for (size_t k = 0; info != NULL && k < info->n_tags; k++) {
			if (strcmp(info->tags[k], "serve") == 0)
				return proto->meta_graphs[i];
		}
	}
	return proto->n_meta_graphs == 1 ? proto->meta_graphs[0] : NULL;
}

static const Tensorflow__SignatureDef *find_signature(const Tensorflow__MetaGraphDef *meta, const char *name)
{
	for (size_t i = 0; i < meta->n_signature_def; i++) {
		if (strcmp(meta->signature_def[i]->key, name) == 0)
			return meta->signature_def[i]->value;
	}
	return NULL;
}

struct named_tensor {
	const char *name;
	const Tensorflow__TensorInfo *info;
};

static int compare_names(const void *a, const void *b)
{
	return strcmp(((const struct named_tensor *)a)->name, ((const struct named_tensor *)b)->name);
}

/* A map has no order: ours is by name. */
static int sort_by_name(struct named_tensor *tensors, struct tf_endpoint *endpoints, size_t n)
{
	qsort(tensors, n, sizeof(*tensors), compare_names);
	for (size_t i = 0; i < n; i++) {
		if (tensors[i].info == NULL)
			return ERR_FORMAT;
		endpoints[i] = (struct tf_endpoint){tensors[i].name, tensors[i].info->name};
	}
	return 0;
}

/* What the signature declares says more than the nodes do. */
static void redeclare(struct model_tensor_info *infos, const struct named_tensor *tensors, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (tensors[i].info->tensor_shape != NULL)
			tf_shape(tensors[i].info->tensor_shape, &infos[i].rank, infos[i].dims);
	}
}

static int import_signature(struct saved *s, const Tensorflow__GraphDef *def, const Tensorflow__SignatureDef *sig)
{
	const struct tf_variables variables = {read_variable, s};
	struct tf_import tf = {.im = s->im, .def = def, .variables = &variables, .feed_anything = true};
	const size_t nin = sig->n_inputs, nout = sig->n_outputs;
	struct named_tensor *tensors = calloc(nin + nout + 1, sizeof(*tensors));
	struct tf_endpoint *endpoints = calloc(nin + nout + 1, sizeof(*endpoints));
	int r = ERR_NOMEM;

	if (tensors == NULL || endpoints == NULL)
		goto out;
	for (size_t i = 0; i < nin; i++)
		tensors[i] = (struct named_tensor){sig->inputs[i]->key, sig->inputs[i]->value};
	for (size_t i = 0; i < nout; i++)
		tensors[nin + i] = (struct named_tensor){sig->outputs[i]->key, sig->outputs[i]->value};
	r = sort_by_name(tensors, endpoints, nin);
	if (r == 0)
		r = sort_by_name(tensors + nin, endpoints + nin, nout);
	if (r < 0) {
		r = import_fail(s->im, MODEL_FAULT_PARSE, ERR_FORMAT, "the signature names no tensor");
		goto out;
	}
	r = tf_import_graph(&tf, endpoints, nin, endpoints + nin, nout);
	if (r < 0)
		goto out;
	redeclare(s->im->inputs, tensors, nin);
	redeclare(s->im->outputs, tensors + nin, nout);
out:
	free(tensors);
	free(endpoints);
	return r;
}

int import_savedmodel(struct import *im, const char *folder, const char *signature)
{
	struct saved s = {.im = im, .folder = folder};
	const Tensorflow__MetaGraphDef *meta;
	const Tensorflow__SignatureDef *sig;

	int r = read_proto(&s);
	if (r < 0)
		goto out;
	meta = find_graph(s.proto);
	if (meta == NULL || meta->graph_def == NULL) {
		r = import_fail(im, MODEL_FAULT_EMPTY, ERR_FORMAT, "the SavedModel holds no graph for serving");
		goto out;
	}
	sig = find_signature(meta, signature);
	if (sig == NULL || sig->n_outputs == 0) {
		r = import_fail(im, MODEL_FAULT_OTHER, ERR_NOT_FOUND, "there is no signature '%s' with outputs",
				signature);
		goto out;
	}
	r = import_signature(&s, meta->graph_def, sig);
out:
	tensor_bundle_close(s.bundle);
	if (s.proto != NULL)
		tensorflow__saved_model__free_unpacked(s.proto, NULL);
	return r;
}
