/*
 * stored_script.c - life of a stored script.
 */
#include "servers/redisai/stored_script.h"

#include "servers/redisai/module.h"

static void destroy(struct stored_script *s)
{
	if (s->script)
		s->ops->script_free(s->script);
	texts_free(s->entry_points, s->nentry_points);
	redis_allocator.free(s->source);
	stored_release(&s->stored);
	redis_allocator.free(s);
}

int stored_script_prepare(struct stored_script *s, struct error *err)
{
	int r;

	if (s->script)
		return 0;
	r = backend_need(BACKEND_TORCH, &s->ops, err);
	if (r < 0)
		return r;
	if (!s->ops->script_load)
		return error_set(err, ERR_UNSUPPORTED, "ERR Script creation not supported by the TORCH backend");
	redisai.backends.used[BACKEND_TORCH] = true;
	return s->ops->script_load(&s->script, s->source, s->source_len, (const char *const *)s->entry_points,
				   s->nentry_points, err);
}

int stored_script_new(struct stored_script **ret, const struct stored_script_parts *p, bool must_run, struct error *err)
{
	struct stored_script *s;
	int r;

	if (device_is_gpu(p->stored.device, p->stored.device_len))
		return error_set(err, ERR_UNSUPPORTED, "ERR GPU requested but %s couldn't find CUDA",
				 backend_name(BACKEND_TORCH));
	s = redis_allocator.calloc(1, sizeof(*s));
	if (!s)
		return error_set(err, ERR_NOMEM, ERROR_OUT_OF_MEMORY);
	r = stored_init(&s->stored, &p->stored, err);
	s->source = text_copy(p->source, p->source_len);
	s->source_len = p->source_len;
	s->entry_points = texts_copy(p->entry_points, p->nentry_points);
	s->nentry_points = s->entry_points ? p->nentry_points : 0;
	if (r == 0 && (!s->source || !s->entry_points))
		r = error_set(err, ERR_NOMEM, ERROR_OUT_OF_MEMORY);
	if (r == 0 && must_run)
		r = stored_script_prepare(s, err);
	if (r < 0) {
		destroy(s);
		return r;
	}
	*ret = s;
	return 0;
}

struct stored_script *stored_script_ref(struct stored_script *s)
{
	stored_ref(&s->stored);
	return s;
}

void stored_script_unref(struct stored_script *s)
{
	if (s && stored_unref(&s->stored))
		destroy(s);
}

size_t stored_script_memory(const struct stored_script *s)
{
	size_t n = sizeof(*s) + stored_memory(&s->stored) + s->source_len + 1;

	for (size_t i = 0; i < s->nentry_points; i++)
		n += sizeof(char *) + strlen(s->entry_points[i]) + 1;
	return n;
}
