#include "cmd/answers_maker.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/arith.h"
#include "common/file.h"
#include "engine/model.h"
#include "workloads/dataset.h"
#include "workloads/workload.h"

#define MODEL_MAX ((size_t)2 << 30) /* bytes of a model file */

/* What the answers are made with. Zero-initialise. */
struct maker {
	const struct workload_ops *ops;
	struct workload *workload;
	struct dataset *dataset;
	struct model *model;
	struct model_context *context;
	unsigned batch;
	char *gathered[WORKLOAD_INPUTS_MAX]; /* an input of all rows of a batch, one after the other */
	struct tensor inputs[WORKLOAD_INPUTS_MAX];
	struct answers_writer *writer; /* the caller's */
};

static void maker_release(struct maker *m)
{
	for (unsigned i = 0; i < WORKLOAD_INPUTS_MAX; i++)
		free(m->gathered[i]);
	model_context_free(m->context);
	model_free(m->model);
	dataset_close(m->dataset);
	if (m->workload)
		m->ops->close(m->workload);
}

static int choose_format(enum model_format *ret, const struct answers_maker_config *c, struct error *err)
{
	static const struct {
		const char *name, *end;
		enum model_format format;
	} formats[] = {{"tensorflow", ".pb", MODEL_TENSORFLOW},
		       {"tflite", ".tflite", MODEL_TFLITE},
		       {"onnx", ".onnx", MODEL_ONNX}};
	const char *dot = strrchr(c->model_file, '.');

	for (size_t i = 0; i < ARRAY_LEN(formats); i++) {
		if (c->format[0] ? strcmp(c->format, formats[i].name) == 0
				 : dot && strcasecmp(dot, formats[i].end) == 0) {
			*ret = formats[i].format;
			return 0;
		}
	}
	if (c->format[0])
		return error_set(err, ERR_USAGE, "-format %s: must be tensorflow, tflite or onnx", c->format);
	return error_set(err, ERR_USAGE, "-model-file %s: no .pb, .tflite or .onnx; say what it is with -format",
			 c->model_file);
}

/* Cuts "a,b" in place. Returns how many names there are, of which the first `max` are stored. */
static size_t split_names(const char **ret, size_t max, char *names)
{
	size_t n = 0;

	for (char *rest = names, *name; (name = strsep(&rest, ","));) {
		if (n < max)
			ret[n] = name;
		n++;
	}
	return n;
}

static int check_model(const struct maker *m, const char *path, struct error *err)
{
	const struct workload_spec *spec = m->ops->spec(m->workload);

	if (model_ninputs(m->model) != spec->ninputs)
		return error_set(err, ERR_INVALID, "%s: takes %zu inputs, but %s%s gives %u%s", path,
				 model_ninputs(m->model), spec->name, spec->ninputs > 1 ? " with reference data" : "",
				 spec->ninputs, spec->reference_size ? ": see -reference" : "");
	if (model_noutputs(m->model) != 1)
		return error_set(err, ERR_INVALID, "%s: gives %zu outputs: name the one to keep with -outputs", path,
				 model_noutputs(m->model));
	return 0;
}

static int load_model(struct maker *m, const struct answers_maker_config *c, struct error *err)
{
	const struct workload_spec *spec = m->ops->spec(m->workload);
	const char *inputs[WORKLOAD_INPUTS_MAX], *outputs[1] = {c->outputs[0] ? c->outputs : spec->output};
	struct model_load_config cfg = {.name = c->model_file};
	char *names = strdup(c->inputs), *blob = NULL;
	size_t len;
	int r = choose_format(&cfg.format, c, err);

	if (!names)
		r = error_set(err, ERR_NOMEM, "out of memory");
	if (r < 0)
		goto out;
	if (c->inputs[0] || cfg.format == MODEL_TENSORFLOW) {
		for (unsigned i = 0; i < spec->ninputs; i++)
			inputs[i] = spec->inputs[i].name;
		cfg.io.ninputs = c->inputs[0] ? split_names(inputs, ARRAY_LEN(inputs), names) : spec->ninputs;
		cfg.io.inputs = inputs;
	}
	if (c->outputs[0] || cfg.format == MODEL_TENSORFLOW) {
		cfg.io.noutputs = 1;
		cfg.io.outputs = outputs;
	}
	if (cfg.io.ninputs > ARRAY_LEN(inputs))
		r = error_set(err, ERR_USAGE, "-inputs %s: %s has no more than %zu", c->inputs, spec->name,
			      ARRAY_LEN(inputs));
	if (r == 0)
		r = file_read(&blob, &len, c->model_file, MODEL_MAX, err);
	if (r == 0)
		r = model_load(&m->model, &cfg, blob, len, NULL, NULL, err);
	if (r == 0)
		r = check_model(m, c->model_file, err);
	if (r == 0 && model_context_new(&m->context, m->model, 0) < 0)
		r = error_set(err, ERR_NOMEM, "out of memory");
out:
	free(blob);
	free(names);
	return r;
}

static int make_inputs(struct maker *m, struct error *err)
{
	static const enum dtype types[] = {
		[ELEMENT_FLOAT32] = DTYPE_FLOAT, [ELEMENT_UINT8] = DTYPE_UINT8, [ELEMENT_INT64] = DTYPE_INT64};
	const struct workload_spec *spec = m->ops->spec(m->workload);

	for (unsigned i = 0; i < spec->ninputs; i++) {
		const struct workload_input *in = &spec->inputs[i];
		int64_t dims[WORKLOAD_DIMS_MAX];
		size_t size;
		int r;

		memcpy(dims, in->dims, sizeof(dims));
		dims[0] *= m->batch;
		if (!size_mul(&size, in->size, m->batch) || !(m->gathered[i] = malloc(size)))
			return error_set(err, ERR_NOMEM, "out of memory for %u rows at a time", m->batch);
		r = tensor_view(&m->inputs[i], types[in->type], dims, in->ndims, m->gathered[i], size);
		if (r < 0)
			return error_set(err, (enum error_code)r, "%s: %s", in->name, error_message(r));
	}
	return 0;
}

static int open_rows(struct maker *m, const struct answers_maker_config *c, struct error *err)
{
	const struct workload_config what = {.reference = c->reference, .batch = (unsigned)c->batch};
	struct dataset_config cfg = {.path = c->file, .batch = what.batch, .max_rows = c->max_rows, .max_taken = 1};
	int r;

	m->batch = what.batch;
	m->ops = workload_find(c->use_case);
	if (!m->ops)
		return error_set(err, ERR_USAGE, "-use-case %s: there is no such use case", c->use_case);
	r = m->ops->open(&m->workload, &what, err);
	if (r < 0)
		return r;
	cfg.row_size = m->ops->spec(m->workload)->row_size;
	r = dataset_open(&m->dataset, &cfg, err);
	return r < 0 ? r : make_inputs(m, err);
}

/* The batch's rows, and a request of them. */
static int take_rows(struct maker *m, uint64_t k, struct request *ret, struct error *err)
{
	const struct workload_spec *spec = m->ops->spec(m->workload);
	const void *rows;
	int r = dataset_take(m->dataset, k, &rows, err);

	if (r < 0)
		return r == ERR_AGAIN ? error_set(err, ERR_INVALID, "-file: must be a file, no pipe") : r;
	*ret = (struct request){.id = k * m->batch};
	m->ops->fill(m->workload, rows, ret);
	for (unsigned i = 0; i < spec->ninputs; i++) {
		const struct view *v = &ret->inputs[i];

		for (unsigned b = 0; b < m->batch; b++)
			memcpy(m->gathered[i] + b * v->size, (const char *)v->data + b * v->stride, v->size);
	}
	return 0;
}

static int keep_answer(struct maker *m, const struct request *req, const struct tensor *out, struct error *err)
{
	struct answer a = {.type = ELEMENT_FLOAT32, .data = out->data, .size = out->size};
	size_t values = out->count / m->batch;
	int r;

	if (out->dtype != DTYPE_FLOAT)
		return error_set(err, ERR_UNSUPPORTED, "the model answers %s values, not FLOAT",
				 dtype_name(out->dtype));
	r = m->ops->check(m->workload, req, &a, err);
	for (unsigned b = 0; r == 0 && b < m->batch; b++) {
		r = answers_writer_put(m->writer, m->ops->row_id(m->workload, req, b),
				       (const float *)out->data + b * values, values);
		if (r < 0)
			error_set(err, ERR_NOMEM, "out of memory for the answers");
	}
	return r;
}

static int answer_rows(struct maker *m, uint64_t k, struct error *err)
{
	struct tensor *in[WORKLOAD_INPUTS_MAX], *out = NULL;
	struct request req;
	int r = take_rows(m, k, &req, err);

	if (r < 0)
		return r;
	if (k == 0) {
		const struct answers_dataset of = {
			.use_case = m->ops->name,
			.row_size = m->ops->spec(m->workload)->row_size,
			.first_id = req.id,
			.rows = dataset_batches(m->dataset) * m->batch,
			.checksum = answers_checksum(req.rows, m->ops->spec(m->workload)->row_size),
		};

		r = answers_writer_init(m->writer, &of, err);
	}
	for (unsigned i = 0; i < WORKLOAD_INPUTS_MAX; i++)
		in[i] = &m->inputs[i];
	if (r == 0)
		r = model_run(m->context, in, model_ninputs(m->model), &out, 1, NULL, err);
	if (out) /* it ran */
		r = keep_answer(m, &req, out, err);
	tensor_unref(out);
	return r;
}

int answers_make(struct answers_writer *ret, const struct answers_maker_config *cfg, struct error *err)
{
	struct maker m = {.writer = ret};
	int r = open_rows(&m, cfg, err);

	if (r == 0)
		r = load_model(&m, cfg, err);
	for (uint64_t k = 0; r == 0 && k < dataset_batches(m.dataset); k++) {
		r = answer_rows(&m, k, err);
		if (r == 0 && cfg->interrupt && atomic_load(cfg->interrupt))
			r = error_set(err, ERR_CANCELED, "interrupted: nothing was written");
	}
	if (r == 0 && atomic_load(&ret->refused))
		r = error_set(err, ERR_FORMAT,
			      "%s: the ids of %ju rows do not go on by 1 from the first row's: nothing was written",
			      cfg->file, (uintmax_t)atomic_load(&ret->refused));
	maker_release(&m);
	return r;
}
