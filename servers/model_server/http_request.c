/*
 * http_request.c - answers, errors in each protocol's form, and the way of a request through an inference.
 */
#include "servers/model_server/http_request.h"

#include <microhttpd.h>
#include <string.h>

#include "common/arith.h"
#include "servers/model_server/http_protocols.h"
#include "servers/model_server/json_tensor.h"

const char *http_header(const struct http_request *rq, const char *name)
{
	return MHD_lookup_connection_value(rq->connection, MHD_HEADER_KIND, name);
}

void http_answer(struct http_request *rq, unsigned status, const char *content_type)
{
	rq->status = status;
	rq->content_type = content_type;
}

void http_answer_json(struct http_request *rq)
{
	http_answer(rq, MHD_HTTP_OK, "application/json");
}

/* TorchServe names the Java exception. */
static const char *torchserve_type(const struct http_request *rq, unsigned status)
{
	switch (status) {
	case MHD_HTTP_NOT_FOUND:
		return rq->target.version.len ? "ModelVersionNotFoundException"
		       : rq->target.model.len ? "ModelNotFoundException"
					      : "ResourceNotFoundException";
	case MHD_HTTP_METHOD_NOT_ALLOWED:
		return "MethodNotAllowedException";
	case MHD_HTTP_SERVICE_UNAVAILABLE:
		return "ServiceUnavailableException";
	default:
		return status < 500 ? "BadRequestException" : "InternalServerException";
	}
}

void http_fail(struct http_request *rq, unsigned status, const char *fmt, ...)
{
	struct error text;
	va_list args;

	va_start(args, fmt);
	error_vwrite(&text, fmt, args);
	va_end(args);
	buf_clear(&rq->reply);
	rq->json_len = 0;
	switch (rq->protocol) {
	case HTTP_TORCHSERVE:
		buf_printf(&rq->reply, "{\"code\":%u,\"type\":\"%s\",\"message\":", status,
			   torchserve_type(rq, status));
		break;
	case HTTP_REST:
		buf_printf(&rq->reply, "{\"outputs\":[],\"error\":");
		break;
	default:
		buf_printf(&rq->reply, "{\"error\":");
	}
	json_write_string(&rq->reply, text.text, strlen(text.text));
	buf_printf(&rq->reply, "}");
	http_answer(rq, status, "application/json");
}

void http_fail_code(struct http_request *rq, int code, const struct error *err)
{
	unsigned status = MHD_HTTP_INTERNAL_SERVER_ERROR;

	switch (code) {
	case ERR_INVALID:
	case ERR_FORMAT:
	case ERR_RANGE:
	case ERR_UNSUPPORTED:
	case ERR_WRONG:
		status = MHD_HTTP_BAD_REQUEST;
		break;
	case ERR_NOT_FOUND:
		status = MHD_HTTP_NOT_FOUND;
		break;
	case ERR_CANCELED:
	case ERR_NOMEM:
		status = MHD_HTTP_SERVICE_UNAVAILABLE;
		break;
	case ERR_TIMEOUT:
		status = MHD_HTTP_GATEWAY_TIMEOUT;
		break;
	default:
		break;
	}
	http_fail(rq, status, "%s", err->text[0] ? err->text : error_message(code));
}

static enum dialect dialect_of(const struct http_request *rq)
{
	return rq->protocol == HTTP_TENSORFLOW ? DIALECT_TENSORFLOW : DIALECT_TRITON;
}

static bool is_digits(const struct http_span *s)
{
	size_t n = 0;

	while (n < s->len && s->text[n] >= '0' && s->text[n] <= '9')
		n++;
	return n == s->len;
}

/* Decimal digits that make a number from 1 to INT64_MAX. points: "1.0" is 1, as TorchServe's archives are numbered. */
static bool parse_version(int64_t *ret, const struct http_span *s, bool points)
{
	size_t len = s->len;
	int64_t value = 0;

	while (points && len > 2 && !memcmp(s->text + len - 2, ".0", 2))
		len -= 2;
	for (size_t i = 0; i < len; i++) {
		if (s->text[i] < '0' || s->text[i] > '9' || __builtin_mul_overflow(value, 10, &value) ||
		    __builtin_add_overflow(value, s->text[i] - '0', &value))
			return false;
	}
	*ret = value;
	return value > 0;
}

bool http_target_version(struct http_request *rq, int64_t *ret)
{
	const struct http_target *t = &rq->target;
	struct error err = {0};
	int r;

	*ret = 0;
	if (t->label.len) {
		r = repository_label(ret, http_repository(rq), t->model.text, t->model.len, t->label.text, t->label.len,
				     &err);
		if (r < 0)
			http_fail_code(rq, r, &err);
		return r == 0;
	}
	if (t->version.len == 0 || parse_version(ret, &t->version, rq->protocol == HTTP_TORCHSERVE))
		return true;
	if (rq->protocol != HTTP_TENSORFLOW)
		http_fail(rq, MHD_HTTP_BAD_REQUEST, "\"%.*s\" is no version: a number from 1 is", (int)t->version.len,
			  t->version.text);
	else if (is_digits(&t->version))
		http_fail(rq, MHD_HTTP_BAD_REQUEST, "Failed to convert version: %.*s to numeric.", (int)t->version.len,
			  t->version.text);
	else
		tensorflow_malformed(rq);
	return false;
}

bool http_acquire(struct http_request *rq, struct served_model **ret, const char *name, size_t len, int64_t version)
{
	struct error err = {0};
	int r = repository_acquire(ret, http_repository(rq), name, len, version, dialect_of(rq), &err);

	if (r < 0)
		http_fail_code(rq, r, &err);
	return r == 0;
}

bool http_list(struct http_request *rq, struct http_entries *ret)
{
	struct http_span name = rq->target.model;
	struct served_model *m = NULL;
	struct error ignored;
	int r;

	/* Aliases are not in the list: where a version is served, it knows its name. */
	if (name.len &&
	    repository_acquire(&m, http_repository(rq), name.text, name.len, 0, dialect_of(rq), &ignored) == 0)
		name = (struct http_span){m->name, strlen(m->name)};
	r = repository_list(&ret->entries, &ret->n, http_repository(rq), name.text, name.len);
	if (r < 0)
		http_fail(rq, MHD_HTTP_SERVICE_UNAVAILABLE, "out of memory");
	served_model_unref(m);
	return r == 0;
}

static bool begin(struct http_request *rq, const char *name, size_t len, int64_t version)
{
	struct served_model *model;
	struct error err = {0};
	int r;

	if (!http_acquire(rq, &model, name, len, version))
		return false;
	r = inference_new(&rq->inference, model, dialect_of(rq));
	if (r < 0) {
		served_model_unref(model);
		http_fail_code(rq, r, &err);
	}
	return r == 0;
}

bool http_begin(struct http_request *rq)
{
	int64_t version;

	return http_target_version(rq, &version) && begin(rq, rq->target.model.text, rq->target.model.len, version);
}

bool http_begin_named(struct http_request *rq, const char *name)
{
	return begin(rq, name, strlen(name), 0);
}

int http_input_tensor(struct http_request *rq, const char *name, size_t len, struct tensor *t, struct error *err)
{
	struct inference *inf = rq->inference;
	int index = inference_find(inf, name, len, t->dtype, t->dims, t->rank);

	if (index < 0) {
		*err = inf->error;
		tensor_unref(t);
		return index;
	}
	inference_set(inf, (size_t)index, t);
	return 0;
}

/* The shape of a batch of one: what was read is one dimension short of the declared shape. */
static bool lift_shape(const struct json_tensor *j, const struct model_tensor_info *info, int64_t *dims)
{
	if (info->rank != (int)j->lists + 1 || info->rank > TENSOR_MAX_RANK)
		return false;
	dims[0] = 1;
	memcpy(dims + 1, j->dims, j->lists * sizeof(*dims));
	return true;
}

int http_input_json(struct http_request *rq, const char *name, size_t len, struct json_reader *r, bool lift,
		    struct error *err)
{
	const struct served_model *m = rq->inference->model;
	int index = served_model_input(m, name, len);
	int64_t dims[TENSOR_MAX_RANK];
	struct json_tensor j = {0};
	struct tensor *t = NULL;
	int result;

	if (index < 0) {
		index = inference_find(rq->inference, name, len, DTYPE_FLOAT, NULL, 0);
		*err = rq->inference->error;
		return index < 0 ? index : ERR_INVALID;
	}
	result = json_tensor_start(&j, m->inputs[index].dtype);
	if (result < 0)
		return error_set(err, result, "input \"%s\" takes strings", m->inputs[index].name);
	result = json_tensor_read(&j, r);
	if (result == 0 && lift && lift_shape(&j, &m->inputs[index], dims))
		result = json_tensor_finish(&j, &t, dims, j.lists + 1, err);
	else if (result == 0)
		result = json_tensor_finish(&j, &t, NULL, 0, err);
	json_tensor_release(&j);
	return result < 0 || !t ? result : http_input_tensor(rq, name, len, t, err);
}

/* Bytes of a client's are whatever they are; a bool is 0 or 1. */
static void copy_elements(struct tensor *t, const char *data)
{
	unsigned char *to = t->data;

	if (t->dtype != DTYPE_BOOL) {
		memcpy(to, data, t->size);
		return;
	}
	for (size_t i = 0; i < t->count; i++)
		to[i] = data[i] != 0;
}

int http_input_bytes(struct http_request *rq, const char *name, size_t len, enum dtype dtype, const int64_t *dims,
		     unsigned rank, const char *data, size_t size, struct error *err)
{
	bool borrow = (uintptr_t)data % 16 == 0 && dtype != DTYPE_BOOL;
	struct tensor *t;
	size_t count, want;
	int r;

	if (dtype == DTYPE_STRING || !shape_count(&count, dims, rank) || !size_mul(&want, count, dtype_size(dtype)))
		return error_set(err, ERR_RANGE, "input \"%.*s\" has a shape or type that no tensor has", (int)len,
				 name);
	if (want != size)
		return error_set(err, ERR_INVALID, "input \"%.*s\" has %zu bytes of data where its shape has %zu",
				 (int)len, name, size, want);
	if (borrow)
		r = tensor_new_borrowed(&t, dtype, dims, rank, (char *)data, size, NULL, NULL, NULL);
	else
		r = tensor_new(&t, dtype, dims, rank, false, NULL);
	if (r < 0)
		return error_set(err, r, "%s", error_message(r));
	if (!borrow && size)
		copy_elements(t, data);
	return http_input_tensor(rq, name, len, t, err);
}

int http_input_raw(struct http_request *rq, const struct model_tensor_info *info, const char *data, size_t size,
		   struct error *err)
{
	size_t element = dtype_size(info->dtype), row = element ? element : 1;
	int64_t dims[TENSOR_MAX_RANK] = {-1};
	unsigned rank = info->rank < 0 ? 1 : (unsigned)info->rank;
	int64_t *free_dim = NULL;

	if (info->rank > 0)
		memcpy(dims, info->dims, rank * sizeof(*dims));
	for (unsigned i = 0; i < rank; i++) {
		if (dims[i] < 0 && free_dim)
			return error_set(err, ERR_UNSUPPORTED, "input \"%s\" has no one shape for plain bytes",
					 info->name);
		if (dims[i] < 0)
			free_dim = &dims[i];
		else if (!size_mul(&row, row, (size_t)dims[i]))
			return error_set(err, ERR_RANGE, "input \"%s\" is too large", info->name);
	}
	if (free_dim) {
		if (row == 0 || size == 0 || size % row != 0)
			return error_set(err, ERR_INVALID, "input \"%s\" takes multiples of %zu bytes, not %zu",
					 info->name, row, size);
		*free_dim = (int64_t)(size / row);
	} else if (row && size > row && size % row == 0 && rank < TENSOR_MAX_RANK) {
		memmove(dims + 1, dims, rank * sizeof(*dims));
		dims[0] = (int64_t)(size / row);
		rank++;
	}
	return http_input_bytes(rq, info->name, strlen(info->name), info->dtype, dims, rank, data, size, err);
}

static void write_output(struct buf *b, const struct tensor *t, bool lower)
{
	if (lower && t->rank >= 2 && t->dims[0] == 1)
		json_write_row(b, t, 0);
	else
		json_write_tensor(b, t);
}

void http_write_outputs(struct http_request *rq, bool lower)
{
	const struct inference *inf = rq->inference;
	const struct served_model *m = inf->model;
	struct buf *b = &rq->reply;

	if (m->noutputs == 1) {
		write_output(b, inf->out[0], lower);
		return;
	}
	buf_append(b, "{", 1);
	for (size_t i = 0; i < m->noutputs; i++) {
		buf_append(b, ",", i > 0);
		json_write_string(b, m->outputs[i].name, strlen(m->outputs[i].name));
		buf_append(b, ":", 1);
		write_output(b, inf->out[i], lower);
	}
	buf_append(b, "}", 1);
}

static void finish(struct http_request *rq)
{
	struct inference *inf = rq->inference;

	if (inf->result < 0)
		http_fail_code(rq, inf->result, &inf->error);
	else
		rq->encode(rq);
	inference_free(inf);
	rq->inference = NULL;
}

/* On a worker thread of the model's queue. */
static void inference_done(struct inference *inf)
{
	struct http_request *rq = inf->arg;

	pthread_mutex_lock(&rq->lock);
	rq->done = true;
	if (rq->suspended)
		MHD_resume_connection(rq->connection);
	pthread_mutex_unlock(&rq->lock);
}

void http_infer(struct http_request *rq, void (*encode)(struct http_request *rq))
{
	struct inference *inf = rq->inference;
	bool done;

	rq->encode = encode;
	inf->done = inference_done;
	inf->arg = rq;
	done = inference_run(inf);
	if (!done) {
		pthread_mutex_lock(&rq->lock);
		done = rq->done;
		rq->suspended = !done;
		if (!done)
			MHD_suspend_connection(rq->connection);
		pthread_mutex_unlock(&rq->lock);
	}
	if (done)
		finish(rq);
}

void http_resume(struct http_request *rq)
{
	bool done;

	/* The worker may still be about to let go of the lock. */
	pthread_mutex_lock(&rq->lock);
	done = rq->done;
	pthread_mutex_unlock(&rq->lock);
	if (done && rq->inference)
		finish(rq);
}

void http_reject(struct http_request *rq, int code, const struct error *err)
{
	rq->inference->result = code;
	http_fail_code(rq, code, err);
	inference_free(rq->inference);
	rq->inference = NULL;
}
