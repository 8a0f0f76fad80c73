/*
 * stored_model.c - life of a stored model, its registry, its counters and the estimate of its run time.
 */
#include "servers/redisai/stored_model.h"

#include "servers/redisai/module.h"

static const char *const names[BACKEND_COUNT] = {"TF", "TFLITE", "TORCH", "ONNX"};

const char *backend_name(enum backend b)
{
	return names[b];
}

bool backend_parse(enum backend *ret, const char *name, size_t len)
{
	for (unsigned i = 0; i < BACKEND_COUNT; i++) {
		if (strlen(names[i]) == len && strncasecmp(names[i], name, len) == 0) {
			*ret = (enum backend)i;
			return true;
		}
	}
	return false;
}

bool backend_present(enum backend b)
{
	return b != BACKEND_TORCH;
}

static char *copy_text(const char *text, size_t len)
{
	char *s = redis_allocator.alloc(len + 1);

	if (s) {
		memcpy(s, text, len);
		s[len] = '\0';
	}
	return s;
}

static void free_names(char **list, size_t n)
{
	for (size_t i = 0; list && i < n; i++)
		redis_allocator.free(list[i]);
	redis_allocator.free(list);
}

static char **copy_names(const char *const *list, size_t n)
{
	char **copy = redis_allocator.calloc(n ? n : 1, sizeof(char *));

	for (size_t i = 0; copy && i < n; i++) {
		copy[i] = copy_text(list[i], strlen(list[i]));
		if (!copy[i]) {
			free_names(copy, n);
			return NULL;
		}
	}
	return copy;
}

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
		return error_set(err, ERR_FORMAT, "%s", parse_error(p->backend, fault));
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
		.format = formats[p->backend],
		.name = m->key,
		.io = {p->inputs, p->ninputs, p->outputs, p->noutputs},
		.allocator = &redis_allocator,
	};
	enum model_fault fault = MODEL_FAULT_OTHER;
	struct error text = {""};
	size_t index = 0;
	int r;

	if (!backend_present(p->backend))
		return error_set(err, ERR_UNSUPPORTED, "ERR Could not load backend");
	r = model_load(&m->model, &config, p->blob, p->blob_len, &fault, &index, &text);
	if (r == ERR_NOMEM)
		return error_set(err, ERR_NOMEM, ERROR_OUT_OF_MEMORY);
	return r < 0 ? load_error(p, fault, index, text.text, err) : 0;
}

static void destroy(struct stored_model *m)
{
	if (m->device && m->model)
		queue_forget(m->device->queue, m->model);
	if (m->inline_context)
		model_context_free(m->inline_context);
	model_free(m->model);
	free_names(m->inputs, m->ninputs);
	free_names(m->outputs, m->noutputs);
	redis_allocator.free(m->tag);
	redis_allocator.free(m->key);
	redis_allocator.free(m->blob);
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
	const struct stored_model_parts *p = parts->backend == BACKEND_TF ? parts : &unnamed;
	struct queue_config queue = {
		.threads = (unsigned)redisai.config.threads_per_queue,
		.intra_op = (unsigned)redisai.config.intra_op_parallelism,
	};
	struct stored_model *m;
	int r;

	if (device_is_gpu(p->device, p->device_len))
		return error_set(err, ERR_UNSUPPORTED, "ERR GPU requested but %s couldn't find CUDA",
				 backend_name(p->backend));
	m = redis_allocator.calloc(1, sizeof(*m));
	if (!m)
		return error_set(err, ERR_NOMEM, ERROR_OUT_OF_MEMORY);
	atomic_init(&m->references, 1);
	m->backend = p->backend;
	memcpy(m->device_name, p->device, p->device_len);
	m->batching = p->batching;
	m->min_timeout_ms = p->min_timeout_ms;
	m->key = copy_text(p->key, p->key_len);
	m->key_len = p->key_len;
	m->tag = copy_text(p->tag, p->tag_len);
	m->tag_len = p->tag_len;
	m->inputs = copy_names(p->inputs, p->ninputs);
	m->outputs = copy_names(p->outputs, p->noutputs);
	m->ninputs = m->inputs ? p->ninputs : 0;
	m->noutputs = m->outputs ? p->noutputs : 0;
	if (!m->key || !m->tag || !m->inputs || !m->outputs)
		r = error_set(err, ERR_NOMEM, ERROR_OUT_OF_MEMORY);
	else
		r = load_engine_model(m, p, err);
	if (r == 0)
		r = devices_get(&redisai.devices, &queue, p->device, p->device_len, &m->device, err);
	if (r < 0) {
		destroy(m);
		return r;
	}
	m->blob = p->blob;
	m->blob_len = p->blob_len;
	redisai.backend_used[m->backend] = true;
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
	if (nfixed == 0 || (m->backend == BACKEND_TF && nfixed < nin))
		return 0;
	return error_set(
		err, ERR_INVALID,
		"ERR BATCHSIZE needs a model whose first dimension is free, that of input '%s' is fixed to %lld",
		model_input(m->model, last)->name, (long long)model_input(m->model, last)->dims[0]);
}

struct stored_model *stored_model_ref(struct stored_model *m)
{
	atomic_fetch_add_explicit(&m->references, 1, memory_order_relaxed);
	return m;
}

void stored_model_unref(struct stored_model *m)
{
	if (m && atomic_fetch_sub_explicit(&m->references, 1, memory_order_acq_rel) == 1)
		destroy(m);
}

size_t stored_model_memory(const struct stored_model *m)
{
	return sizeof(*m) + m->blob_len + m->tag_len + m->key_len + model_memory(m->model);
}

void model_registry_init(struct model_registry *r)
{
	pthread_mutex_init(&r->lock, NULL);
	r->first = NULL;
}

void model_registry_add(struct model_registry *r, struct stored_model *m)
{
	pthread_mutex_lock(&r->lock);
	m->next = r->first;
	m->previous = NULL;
	if (r->first)
		r->first->previous = m;
	r->first = m;
	pthread_mutex_unlock(&r->lock);
}

void model_registry_remove(struct model_registry *r, struct stored_model *m)
{
	pthread_mutex_lock(&r->lock);
	if (m->next)
		m->next->previous = m->previous;
	if (m->previous)
		m->previous->next = m->next;
	else if (r->first == m)
		r->first = m->next;
	m->next = m->previous = NULL;
	pthread_mutex_unlock(&r->lock);
}

bool stored_model_is_quick(const struct stored_model *m, size_t elements, nsec_t *ret_run_time)
{
	if (m->batching.size ||
	    elements > atomic_load_explicit((atomic_size_t *)(uintptr_t)&m->inline_elements, memory_order_relaxed))
		return false;
	*ret_run_time = atomic_load_explicit((atomic_llong *)(uintptr_t)&m->run_time, memory_order_relaxed);
	return true;
}

void stored_model_measured(struct stored_model *m, size_t elements, nsec_t run_time)
{
	nsec_t average = atomic_load_explicit(&m->run_time, memory_order_relaxed);
	size_t known = atomic_load_explicit(&m->inline_elements, memory_order_relaxed);

	if (elements > known) {
		if (run_time > INLINE_RUN_MAX)
			return;
		atomic_store_explicit(&m->inline_elements, elements, memory_order_relaxed);
		if (run_time > average)
			atomic_store_explicit(&m->run_time, run_time, memory_order_relaxed);
		return;
	}
	/* One run that was preempted says little about the model. */
	if (run_time > 4 * INLINE_RUN_MAX)
		run_time = 4 * INLINE_RUN_MAX;
	average += (run_time - average) / 8;
	if (average > INLINE_RUN_MAX) {
		average = 0;
		atomic_store_explicit(&m->inline_elements, 0, memory_order_relaxed);
	}
	atomic_store_explicit(&m->run_time, average, memory_order_relaxed);
}

void stored_model_count(struct stored_model *m, nsec_t run_time, const struct tensor *first_output, bool failed)
{
	struct run_counters *c = &m->counters;

	atomic_fetch_add_explicit(&c->calls, 1, memory_order_relaxed);
	if (failed) {
		atomic_fetch_add_explicit(&c->errors, 1, memory_order_relaxed);
		return;
	}
	stored_model_count_joined(m, first_output);
	atomic_fetch_add_explicit(&c->duration_ns, (unsigned long long)run_time, memory_order_relaxed);
}

void stored_model_count_joined(struct stored_model *m, const struct tensor *first_output)
{
	unsigned long long samples = 1;

	if (first_output && first_output->rank)
		samples = (unsigned long long)first_output->dims[0];
	atomic_fetch_add_explicit(&m->counters.samples, samples, memory_order_relaxed);
}
