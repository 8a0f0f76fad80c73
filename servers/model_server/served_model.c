/*
 * served_model.c - loading of one version, its references, its contexts for runs in line.
 */
#include "servers/model_server/served_model.h"

#include <stdlib.h>
#include <string.h>

#include "common/file.h"
#include "servers/model_server/graphdef_io.h"
#include "servers/model_server/model_config.h"
#include "servers/model_server/served_model_load.h"

#define MODEL_FILE_MAX ((size_t)2 << 30)
#define CONFIG_FILE_MAX ((size_t)1 << 20)

static const char *const platforms[KIND_COUNT] = {
	[KIND_SAVED_MODEL] = "tensorflow_savedmodel",
	[KIND_GRAPHDEF] = "tensorflow_graphdef",
	[KIND_TFLITE] = "tensorflow_lite",
	[KIND_ONNX] = "onnxruntime_onnx",
};

static int find(const struct model_tensor_info *infos, size_t n, const char *name, size_t len)
{
	for (size_t i = 0; i < n; i++) {
		if (strlen(infos[i].name) == len && memcmp(infos[i].name, name, len) == 0)
			return (int)i;
	}
	return ERR_NOT_FOUND;
}

int served_model_input(const struct served_model *m, const char *name, size_t len)
{
	return find(m->inputs, m->ninputs, name, len);
}

int served_model_output(const struct served_model *m, const char *name, size_t len)
{
	return find(m->outputs, m->noutputs, name, len);
}

struct served_model *served_model_ref(struct served_model *m)
{
	atomic_fetch_add_explicit(&m->references, 1, memory_order_relaxed);
	return m;
}

void served_model_unref(struct served_model *m)
{
	if (!m || atomic_fetch_sub_explicit(&m->references, 1, memory_order_acq_rel) != 1)
		return;
	if (m->model)
		queue_forget(m->queue, m->model);
	for (size_t i = 0; i < m->nspare; i++)
		model_context_free(m->spare[i]);
	model_free(m->model);
	pthread_mutex_destroy(&m->lock);
	free(m->inputs);
	free(m->outputs);
	free((char *)(uintptr_t)m->name);
	free(m);
}

int served_model_take(struct model_context **ret, struct served_model *m)
{
	struct model_context *c = NULL;

	pthread_mutex_lock(&m->lock);
	if (m->nspare)
		c = m->spare[--m->nspare];
	pthread_mutex_unlock(&m->lock);
	if (!c)
		return model_context_new(ret, m->model, (uint64_t)clock_now());
	*ret = c;
	return 0;
}

void served_model_give(struct served_model *m, struct model_context *c)
{
	pthread_mutex_lock(&m->lock);
	if (m->nspare < SPARE_CONTEXTS_MAX) {
		m->spare[m->nspare++] = c;
		c = NULL;
	}
	pthread_mutex_unlock(&m->lock);
	model_context_free(c);
}

static int load_file(struct served_model *m, const struct model_source *s, const struct model_io *io, const char *blob,
		     size_t len, struct error *err)
{
	static const enum model_format formats[KIND_COUNT] = {
		[KIND_GRAPHDEF] = MODEL_TENSORFLOW, [KIND_TFLITE] = MODEL_TFLITE, [KIND_ONNX] = MODEL_ONNX};
	struct model_load_config config = {.format = formats[s->kind], .name = s->name, .io = *io};

	return model_load(&m->model, &config, blob, len, NULL, NULL, err);
}

static int copy_config_names(char ***ret, size_t *ret_n, const struct model_config_tensor *tensors, size_t n)
{
	*ret = calloc(n + 1, sizeof(char *));
	for (size_t i = 0; *ret && i < n; i++) {
		(*ret)[i] = strdup(tensors[i].name);
		if (!(*ret)[i])
			return ERR_NOMEM;
		*ret_n = i + 1;
	}
	return *ret ? 0 : ERR_NOMEM;
}

/* Names of a GraphDef's inputs and outputs: those given, else the configuration's, else found in the graph. */
static int name_io(struct graphdef_io *io, const struct model_source *s, const struct model_config *c, const char *blob,
		   size_t len, struct error *err)
{
	struct graphdef_io found = {0};
	int r = graphdef_io_find(&found, blob, len, err);

	if (r == 0 && s->inputs)
		r = graphdef_io_split(&io->inputs, &io->ninputs, s->inputs, err);
	else if (r == 0 && c->ninputs)
		r = copy_config_names(&io->inputs, &io->ninputs, c->inputs, c->ninputs);
	if (r == 0 && s->outputs)
		r = graphdef_io_split(&io->outputs, &io->noutputs, s->outputs, err);
	else if (r == 0 && c->noutputs)
		r = copy_config_names(&io->outputs, &io->noutputs, c->outputs, c->noutputs);
	if (r == 0 && !io->inputs) {
		io->inputs = found.inputs;
		io->ninputs = found.ninputs;
		found.inputs = NULL;
		found.ninputs = 0;
	}
	if (r == 0 && !io->outputs) {
		io->outputs = found.outputs;
		io->noutputs = found.noutputs;
		found.outputs = NULL;
		found.noutputs = 0;
	}
	graphdef_io_release(&found);
	return r;
}

static int load_model(struct served_model *m, const struct model_source *s, const struct model_config *c,
		      struct error *err)
{
	struct graphdef_io names = {0};
	struct model_io io = {0};
	char *blob = NULL;
	size_t len = 0;
	int r;

	if (s->kind == KIND_SAVED_MODEL)
		return model_load_saved(&m->model, s->path, SIGNATURE_NAME, s->name, err);
	r = file_read(&blob, &len, s->path, MODEL_FILE_MAX, err);
	if (r == 0 && s->kind == KIND_GRAPHDEF) {
		r = name_io(&names, s, c, blob, len, err);
		io = (struct model_io){(const char *const *)names.inputs, names.ninputs,
				       (const char *const *)names.outputs, names.noutputs};
	}
	if (r == 0)
		r = load_file(m, s, &io, blob, len, err);
	graphdef_io_release(&names);
	free(blob);
	return r;
}

/* What the configuration declares says more than the model does, and must not contradict its types. */
static int redeclare(struct model_tensor_info *infos, size_t n, const struct model_config_tensor *tensors,
		     size_t ntensors, bool batch, struct error *err)
{
	for (size_t i = 0; i < ntensors; i++) {
		const struct model_config_tensor *t = &tensors[i];
		int at = find(infos, n, t->name, strlen(t->name));

		if (at < 0)
			return error_set(err, ERR_NOT_FOUND,
					 "config.pbtxt names a tensor '%s' that the model does not have", t->name);
		if (t->typed && t->dtype != infos[at].dtype)
			return error_set(err, ERR_INVALID,
					 "config.pbtxt: tensor '%s' is of type %s in the model, not %s", t->name,
					 dtype_name(infos[at].dtype), dtype_name(t->dtype));
		if (t->rank == 0)
			continue;
		if (batch)
			infos[at].dims[0] = -1;
		memcpy(infos[at].dims + batch, t->dims, t->rank * sizeof(t->dims[0]));
		infos[at].rank = (int)(t->rank + batch);
	}
	return 0;
}

static bool declares_inputs(const struct model_config *c, size_t ninputs)
{
	for (size_t i = 0; i < c->ninputs; i++) {
		if (c->inputs[i].rank == 0)
			return false;
	}
	return ninputs > 0 && c->ninputs == ninputs;
}

static int describe(struct served_model *m, const struct model_config *c, struct error *err)
{
	int r;

	m->ninputs = model_ninputs(m->model);
	m->noutputs = model_noutputs(m->model);
	m->inputs = calloc(m->ninputs + 1, sizeof(*m->inputs));
	m->outputs = calloc(m->noutputs + 1, sizeof(*m->outputs));
	if (!m->inputs || !m->outputs)
		return error_set(err, ERR_NOMEM, "%s", error_message(ERR_NOMEM));
	for (size_t i = 0; i < m->ninputs; i++)
		m->inputs[i] = *model_input(m->model, i);
	for (size_t i = 0; i < m->noutputs; i++)
		m->outputs[i] = *model_output(m->model, i);
	m->max_batch_size = c->max_batch_size;
	m->shapes_declared = declares_inputs(c, m->ninputs);
	r = redeclare(m->inputs, m->ninputs, c->inputs, c->ninputs, c->max_batch_size > 0, err);
	if (r == 0)
		r = redeclare(m->outputs, m->noutputs, c->outputs, c->noutputs, c->max_batch_size > 0, err);
	return r;
}

/* Requests are joined along the first dimension. A vector is no row: AIBench's reference data is declared as one. */
static bool can_join(const struct served_model *m)
{
	for (size_t i = 0; i < m->ninputs; i++) {
		const struct model_tensor_info *in = model_input(m->model, i);

		if (in->rank >= 2 && in->dims[0] >= 0)
			return false;
	}
	return m->ninputs > 0;
}

static struct batching choose_batching(const struct model_source *s, const struct model_config *c)
{
	struct batching b = {0};

	if (s->batching)
		return *s->batching;
	if (!c->dynamic_batching || c->max_batch_size < 2)
		return b;
	b.size = c->preferred_max ? c->preferred_max : c->max_batch_size;
	if (c->max_queue_delay_us && c->max_queue_delay_us < (uint64_t)(NSEC_NEVER / NSEC_PER_USEC / 2)) {
		b.min_size = c->preferred_min ? c->preferred_min : b.size;
		b.min_timeout = (nsec_t)c->max_queue_delay_us * NSEC_PER_USEC;
	}
	return b;
}

static int read_config(struct model_config *c, const struct model_source *s, struct error *err)
{
	char *text = NULL;
	size_t len = 0;
	int r;

	if (!s->config)
		return 0;
	r = file_read(&text, &len, s->config, CONFIG_FILE_MAX, err);
	if (r == 0)
		r = model_config_parse(c, text, len, err);
	free(text);
	if (r == 0 && c->name[0] && strcmp(c->name, s->name) != 0)
		r = error_set(err, ERR_INVALID, "%s: the model's name is '%s' there, not that of its folder", s->config,
			      c->name);
	return r;
}

int served_model_load(struct served_model **ret, const struct model_source *source, struct error *err)
{
	struct model_config *config = calloc(1, sizeof(*config));
	struct served_model *m = calloc(1, sizeof(*m));
	int r;

	if (!m || !config) {
		free(config);
		free(m);
		return error_set(err, ERR_NOMEM, "%s", error_message(ERR_NOMEM));
	}
	atomic_init(&m->references, 1);
	pthread_mutex_init(&m->lock, NULL);
	m->name = strdup(source->name);
	m->version = source->version;
	m->platform = platforms[source->kind];
	m->queue = source->queue;
	m->loaded = clock_wall();
	r = m->name ? read_config(config, source, err) : ERR_NOMEM;
	if (r == 0)
		r = load_model(m, source, config, err);
	if (r == 0)
		r = describe(m, config, err);
	if (r == 0 && can_join(m))
		m->batching = choose_batching(source, config);
	free(config);
	if (r < 0)
		served_model_unref(m);
	else
		*ret = m;
	return r;
}
