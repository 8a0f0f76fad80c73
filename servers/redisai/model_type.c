/*
 * model_type.c - models as values of keys: RDB and AOF.
 */
#include "servers/redisai/model_type.h"

#include "servers/redisai/module.h"
#include "servers/redisai/rdb_texts.h"

size_t model_chunks(size_t len, size_t chunk_size)
{
	return len / chunk_size + 1;
}

static void save(struct RedisModuleIO *rdb, void *value)
{
	const struct stored_model *m = value;
	size_t chunk = (size_t)redisai.config.model_chunk_size, n = model_chunks(m->blob_len, chunk);

	RedisModule_SaveUnsigned(rdb, m->stored.backend);
	RedisModule_SaveStringBuffer(rdb, m->stored.device_name, strlen(m->stored.device_name) + 1);
	RedisModule_SaveStringBuffer(rdb, m->stored.tag, m->stored.tag_len);
	RedisModule_SaveUnsigned(rdb, m->batching.size);
	RedisModule_SaveUnsigned(rdb, m->batching.min_size);
	RedisModule_SaveUnsigned(rdb, m->min_timeout_ms);
	rdb_save_texts(rdb, m->inputs, m->ninputs);
	rdb_save_texts(rdb, m->outputs, m->noutputs);
	RedisModule_SaveUnsigned(rdb, m->blob_len);
	RedisModule_SaveUnsigned(rdb, n);
	for (size_t i = 0; i < n; i++)
		RedisModule_SaveStringBuffer(rdb, m->blob + i * chunk, i < n - 1 ? chunk : m->blob_len % chunk);
}

/* What is read before it becomes a model; strings are Redis' own. */
struct loading {
	char *device, *tag, **inputs, **outputs, *blob;
	size_t device_len, tag_len, ninputs, noutputs;
	size_t blob_len, blob_read, blob_cap; /* as declared; read so far; allocated */
	uint64_t backend, batch, min_batch, min_timeout;
};

static void loading_release(struct loading *l)
{
	RedisModule_Free(l->device);
	RedisModule_Free(l->tag);
	rdb_free_texts(l->inputs, l->ninputs);
	rdb_free_texts(l->outputs, l->noutputs);
	RedisModule_Free(l->blob);
}

static bool grow_blob(struct loading *l, size_t cap)
{
	char *blob = redis_allocator.alloc(cap);

	if (!blob)
		return false;
	memcpy(blob, l->blob, l->blob_read);
	RedisModule_Free(l->blob);
	l->blob = blob;
	l->blob_cap = cap;
	return true;
}

/* Takes over the chunk. The first one becomes the blob where it is the whole; the length that is declared is not
 * believed before so much has been read. */
static bool add_chunk(struct loading *l, char *chunk, size_t len)
{
	const size_t left = l->blob_len - l->blob_read, wanted = l->blob_read + len;
	bool fits = len <= left;

	if (fits && !l->blob) {
		l->blob = chunk;
		l->blob_cap = l->blob_read = len;
		return true;
	}
	if (fits && wanted > l->blob_cap)
		fits = grow_blob(l, wanted < l->blob_len / 2 ? 2 * wanted : l->blob_len);
	if (fits) {
		memcpy(l->blob + l->blob_read, chunk, len);
		l->blob_read = wanted;
	}
	RedisModule_Free(chunk);
	return fits;
}

static bool load_blob(struct RedisModuleIO *rdb, int encver, struct loading *l)
{
	uint64_t nchunks;

	if (encver == 0) {
		l->blob = RedisModule_LoadStringBuffer(rdb, &l->blob_len);
		return l->blob != NULL;
	}
	l->blob_len = RedisModule_LoadUnsigned(rdb);
	nchunks = RedisModule_LoadUnsigned(rdb);
	if (RedisModule_IsIOError(rdb))
		return false;
	for (uint64_t i = 0; i < nchunks; i++) {
		size_t len;
		char *chunk = RedisModule_LoadStringBuffer(rdb, &len);

		if (!chunk || !add_chunk(l, chunk, len))
			return false;
	}
	return l->blob && l->blob_read == l->blob_len;
}

static bool load_fields(struct RedisModuleIO *rdb, int encver, struct loading *l)
{
	l->backend = RedisModule_LoadUnsigned(rdb);
	l->device = RedisModule_LoadStringBuffer(rdb, &l->device_len);
	if (!l->device)
		return false;
	l->tag = RedisModule_LoadStringBuffer(rdb, &l->tag_len);
	if (!l->tag)
		return false;
	if (encver == 0 && l->tag_len)
		l->tag_len--; /* its NUL was written too */
	l->batch = RedisModule_LoadUnsigned(rdb);
	l->min_batch = RedisModule_LoadUnsigned(rdb);
	l->min_timeout = encver >= 2 ? RedisModule_LoadUnsigned(rdb) : 0;
	return rdb_load_texts(rdb, &l->inputs, &l->ninputs) && rdb_load_texts(rdb, &l->outputs, &l->noutputs) &&
	       load_blob(rdb, encver, l) && !RedisModule_IsIOError(rdb);
}

/* Numbers that a command could have given: an AOF is to say them again. */
static bool batching_is_sound(const struct loading *l)
{
	return l->batch <= INT64_MAX && l->min_batch <= INT64_MAX && l->min_timeout <= INT64_MAX &&
	       (l->batch || !l->min_batch) && (l->min_batch || !l->min_timeout);
}

static struct stored_model *build(struct loading *l, const struct RedisModuleString *key, struct error *err)
{
	struct stored_model_parts p = {
		.stored = {.backend = (enum backend)l->backend,
			   .device = l->device,
			   .device_len = strnlen(l->device, l->device_len),
			   .key = arg_view(key).data,
			   .key_len = arg_view(key).len,
			   .tag = l->tag,
			   .tag_len = l->tag_len},
		.batching = {.size = l->batch, .min_size = l->min_batch},
		.min_timeout_ms = l->min_timeout,
		.inputs = (const char *const *)l->inputs,
		.ninputs = l->ninputs,
		.outputs = (const char *const *)l->outputs,
		.noutputs = l->noutputs,
		.blob = l->blob,
		.blob_len = l->blob_len,
	};
	struct stored_model *m;

	if (l->backend >= BACKEND_COUNT || !device_name_usable(p.stored.device_len) || !batching_is_sound(l)) {
		error_set(err, ERR_FORMAT, "the value cannot be read");
		return NULL;
	}
	p.batching.min_timeout = l->min_timeout < (uint64_t)(INT64_MAX / 2 / NSEC_PER_MSEC)
					 ? (nsec_t)l->min_timeout * NSEC_PER_MSEC
					 : INT64_MAX / 2;
	if (stored_model_new(&m, &p, err) < 0)
		return NULL;
	l->blob = NULL;
	registry_add(&redisai.models, &m->stored);
	return m;
}

static void *load(struct RedisModuleIO *rdb, int encver)
{
	struct loading l = {0};
	struct stored_model *m = NULL;
	struct error err = {"the value cannot be read"};

	if (encver > RDB_ENCODING_VERSION) {
		RedisModule_LogIOError(rdb, "warning", "AI__MODEL: version %d is newer than this module", encver);
		return NULL;
	}
	if (load_fields(rdb, encver, &l))
		m = build(&l, RedisModule_GetKeyNameFromIO(rdb), &err);
	loading_release(&l);
	if (!m)
		RedisModule_LogIOError(rdb, "warning", "AI__MODEL: %s", err.text);
	return m;
}

/* The arguments of an AI.MODELSTORE that makes the model, as AOF rewriting wants them. */
struct word_list {
	struct RedisModuleString **words;
	size_t n;
};

static void add_word(struct word_list *l, const char *data, size_t len)
{
	l->words[l->n++] = RedisModule_CreateString(NULL, data, len);
}

static void add_text(struct word_list *l, const char *text)
{
	add_word(l, text, strlen(text));
}

static void add_number(struct word_list *l, const char *keyword, uint64_t value)
{
	add_text(l, keyword);
	l->words[l->n++] = RedisModule_CreateStringFromLongLong(NULL, (long long)value);
}

static void add_names(struct word_list *l, const char *keyword, char *const *names, size_t n)
{
	add_number(l, keyword, n);
	for (size_t i = 0; i < n; i++)
		add_text(l, names[i]);
}

static void rewrite(struct RedisModuleIO *aof, struct RedisModuleString *key, void *value)
{
	const struct stored_model *m = value;
	size_t chunk = (size_t)redisai.config.model_chunk_size, nchunks = model_chunks(m->blob_len, chunk);
	struct word_list l = {.n = 0};

	l.words = RedisModule_Calloc(16 + m->ninputs + m->noutputs + nchunks, sizeof(struct RedisModuleString *));
	add_text(&l, backend_name(m->stored.backend));
	add_text(&l, m->stored.device_name);
	add_text(&l, "TAG");
	add_word(&l, m->stored.tag, m->stored.tag_len);
	if (m->batching.size) {
		add_number(&l, "BATCHSIZE", m->batching.size);
		add_number(&l, "MINBATCHSIZE", m->batching.min_size);
		add_number(&l, "MINBATCHTIMEOUT", m->min_timeout_ms);
	}
	if (m->stored.backend == BACKEND_TF) {
		add_names(&l, "INPUTS", m->inputs, m->ninputs);
		add_names(&l, "OUTPUTS", m->outputs, m->noutputs);
	}
	add_text(&l, "BLOB");
	for (size_t i = 0; i < nchunks; i++)
		add_word(&l, m->blob + i * chunk, i < nchunks - 1 ? chunk : m->blob_len % chunk);
	RedisModule_EmitAOF(aof, "AI.MODELSTORE", "sv", key, l.words, l.n);
	for (size_t i = 0; i < l.n; i++)
		RedisModule_FreeString(NULL, l.words[i]);
	RedisModule_Free(l.words);
}

/* DEBUG DIGEST: what MODELGET shows, as one ordered sequence. */
static void digest(struct RedisModuleDigest *md, void *value)
{
	const struct stored_model *m = value;

	stored_digest(md, &m->stored);
	RedisModule_DigestAddLongLong(md, (long long)m->batching.size);
	RedisModule_DigestAddLongLong(md, (long long)m->batching.min_size);
	RedisModule_DigestAddLongLong(md, (long long)m->min_timeout_ms);
	digest_texts(md, m->inputs, m->ninputs);
	digest_texts(md, m->outputs, m->noutputs);
	RedisModule_DigestAddStringBuffer(md, m->blob, m->blob_len);
	RedisModule_DigestEndSequence(md);
}

static void release(void *value)
{
	struct stored_model *m = value;

	registry_remove(&redisai.models, &m->stored);
	stored_model_retire(m);
	stored_model_unref(m);
}

static size_t memory(const void *value)
{
	return stored_model_memory(value);
}

/* Blob and weights, which are about as large. */
static size_t free_effort(struct RedisModuleString *key, const void *value)
{
	(void)key;
	return free_cost(2 * ((const struct stored_model *)value)->blob_len);
}

const struct RedisModuleTypeMethods model_type_methods = {
	.version = REDISMODULE_TYPE_METHOD_VERSION,
	.rdb_load = load,
	.rdb_save = save,
	.aof_rewrite = rewrite,
	.mem_usage = memory,
	.digest = digest,
	.free = release,
	.free_effort = free_effort,
};
