/*
 * stored_model.c - life of a stored model, its counters and the estimate of its run time.
 */
#include "servers/redisai/stored_model.h"

#include "servers/redisai/module.h"

/* Bytes that are no model, as RedisAI says it. */
static const char *parse_error(enum backend b, enum model_fault fault)
{
	if (b == BACKEND_TFLITE)
		return "Failed to load model from buffer";
	if (b == BACKEND_ONNX || fault == MODEL_FAULT_EMPTY)
		return "No graph was found in the protobuf.";
	return "Invalid GraphDef";
}

/* RedisAI's words for what is wrong with a model, where it has some; else the engine's. */
static int load_error(const struct stored_model_parts *p, enum model_fault fault, size_t index, const char *text,
		      struct error *err)
{
	switch (fault) {
	case MODEL_FAULT_PARSE:
	case MODEL_FAULT_EMPTY:
		return error_set(err, ERR_FORMAT, "%s", parse_error(p->stored.backend, fault));
	case MODEL_FAULT_EXTERNAL_DATA:
		return error_set(err, ERR_UNSUPPORTED, "Initializer tensors with external data is not allowed.");
	case MODEL_FAULT_INPUT_MISSING:
		return error_set(err, ERR_NOT_FOUND, "ERR Input node named \"%s\" not found in TF graph.",
				 index < p->ninputs ? p->inputs[index] : "");
	case MODEL_FAULT_OUTPUT_MISSING:
		return error_set(err, ERR_NOT_FOUND, "ERR Output node named \"%s\" not found in TF graph",
				 index < p->noutputs ? p->outputs[index] : "");
	default:
		return error_set(err, ERR_UNSUPPORTED, "ERR %s", text);
	}
}

static int load_engine_model(struct stored_model *m, const struct stored_model_parts *p, struct error *err)
{
	static const enum model_format formats[BACKEND_COUNT] = {
		[BACKEND_TF] = MODEL_TENSORFLOW, [BACKEND_TFLITE] = MODEL_TFLITE, [BACKEND_ONNX] = MODEL_ONNX};
	struct model_load_config config = {
		.format = formats[p->stored.backend],
		.name = m->stored.key,
		.io = {p->inputs, p->ninputs, p->outputs, p->noutputs},
		.allocator = &redis_allocator,
	};
	enum model_fault fault = MODEL_FAULT_OTHER;
	struct error text = {""};
	size_t index = 0;
	int r;

	r = backend_need(p->stored.backend, &config.backend, err);
	if (r < 0)
		return r;
	r = model_load(&m->model, &config, p->blob, p->blob_len, &fault, &index, &text);
	if (r == ERR_NOMEM)
		return error_set(err, ERR_NOMEM, ERROR_OUT_OF_MEMORY);
	return r < 0 ? load_error(p, fault, index, text.text, err) : 0;
}

static void destroy(struct stored_model *m)
{
	if (m->stored.device && m->model)
		queue_forget(m->stored.device->queue, m->model);
	if (m->inline_context)
		model_context_free(m->inline_context);
	model_free(m->model);
	texts_free(m->inputs, m->ninputs);
	texts_free(m->outputs, m->noutputs);
	redis_allocator.free(m->blob);
	stored_release(&m->stored);
	redis_allocator.free(m);
}

/* Formats that carry their names go by them, whatever an RDB of RedisAI's lists besides. */
static struct stored_model_parts without_names(const struct stored_model_parts *p)
{
	struct stored_model_parts q = *p;

	q.inputs = q.outputs = NULL;
	q.ninputs = q.noutputs = 0;
	return q;
}

int stored_model_new(struct stored_model **ret, const struct stored_model_parts *parts, struct error *err)
{
	struct stored_model_parts unnamed = without_names(parts);
	enum backend backend = parts->stored.backend;
	const struct stored_model_parts *p = backend == BACKEND_TF ? parts : &unnamed;
	struct stored_model *m;
	int r;

	if (device_is_gpu(p->stored.device, p->stored.device_len))
		return error_set(err, ERR_UNSUPPORTED, "ERR GPU requested but %s couldn't find CUDA",
				 backend_name(backend));
	m = redis_allocator.calloc(1, sizeof(*m));
	if (!m)
		return error_set(err, ERR_NOMEM, ERROR_OUT_OF_MEMORY);
	r = stored_init(&m->stored, &p->stored, err);
	m->batching = p->batching;
	m->min_timeout_ms = p->min_timeout_ms;
	m->inputs = texts_copy(p->inputs, p->ninputs);
	m->outputs = texts_copy(p->outputs, p->noutputs);
	m->ninputs = m->inputs ? p->ninputs : 0;
	m->noutputs = m->outputs ? p->noutputs : 0;
	if (r == 0 && (!m->inputs || !m->outputs))
		r = error_set(err, ERR_NOMEM, ERROR_OUT_OF_MEMORY);
	if (r == 0)
		r = load_engine_model(m, p, err);
	if (r < 0) {
		destroy(m);
		return r;
	}
	m->blob = p->blob;
	m->blob_len = p->blob_len;
	redisai.backends.used[backend] = true;
	*ret = m;
	return 0;
}

/*
 * Requests are joined along the first dimension of the inputs, which is then to be free. The shapes that a GraphDef
 * declares are not enforced, and AIBench's own net declares an input that it never reads: one free input will do.
 */
int stored_model_check_batching(const struct stored_model *m, struct error *err)
{
	size_t nin = model_ninputs(m->model), nfixed = 0, last = 0;

	if (m->batching.size == 0)
		return 0;
	for (size_t i = 0; i < nin; i++) {
		const struct model_tensor_info *in = model_input(m->model, i);

		if (in->rank > 0 && in->dims[0] >= 0) {
			nfixed++;
			last = i;
		}
	}
	if (nfixed == 0 || (m->stored.backend == BACKEND_TF && nfixed < nin))
		return 0;
	return error_set(
		err, ERR_INVALID,
		"ERR BATCHSIZE needs a model whose first dimension is free, that of input '%s' is fixed to %lld",
		model_input(m->model, last)->name, (long long)model_input(m->model, last)->dims[0]);
}

struct stored_model *stored_model_ref(struct stored_model *m)
{
	stored_ref(&m->stored);
	return m;
}

void stored_model_unref(struct stored_model *m)
{
	if (m && stored_unref(&m->stored))
		destroy(m);
}

void stored_model_retire(struct stored_model *m)
{
	atomic_store(&m->retired, true);
	if (m->batching.min_size)
		queue_cancel(m->stored.device->queue, m->model);
}

void stored_model_submit(struct stored_model *m, struct job *job)
{
	struct queue *q = m->stored.device->queue;

	if (!m->batching.min_size) {
		queue_submit(q, job);
		return;
	}
	/* Retired before this look: canceled here; after it: there. The job may be done, and its reference gone, before. */
	stored_model_ref(m);
	queue_submit(q, job);
	if (atomic_load(&m->retired))
		queue_cancel(q, m->model);
	stored_model_unref(m);
}

size_t stored_model_memory(const struct stored_model *m)
{
	return sizeof(*m) + stored_memory(&m->stored) + allocator_size(&redis_allocator, m->blob, m->blob_len) +
	       model_memory(m->model);
}

bool stored_model_is_quick(const struct stored_model *m, size_t elements, nsec_t *ret_run_time)
{
	return !m->batching.size && run_estimate_is_quick(&m->estimate, elements, ret_run_time);
}

static unsigned long long samples_in(const struct tensor *first_output)
{
	return first_output && first_output->rank ? (unsigned long long)first_output->dims[0] : 1;
}

void stored_model_count(struct stored_model *m, nsec_t run_time, const struct tensor *first_output, bool failed)
{
	run_count(&m->stored.counters, run_time, samples_in(first_output), failed);
}

void stored_model_count_joined(struct stored_model *m, const struct tensor *first_output)
{
	atomic_fetch_add_explicit(&m->stored.counters.samples, samples_in(first_output), memory_order_relaxed);
}
