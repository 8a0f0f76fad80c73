/*
 * repository_config.c - lists of NAME[:TAG]=VALUE.
 */
#include "servers/model_server/repository_config.h"

#include <stdlib.h>
#include <string.h>

#include "common/text.h"

static int parse_word(struct setting *s, const char *word, size_t len, bool plain)
{
	const char *equals = memchr(word, '=', len), *colon;
	size_t name_len;

	if (!equals && !plain)
		return ERR_USAGE;
	name_len = equals ? (size_t)(equals - word) : 0;
	colon = name_len ? memchr(word, ':', name_len) : NULL;
	if (equals && (name_len == 0 || colon == word || equals + 1 == word + len))
		return ERR_USAGE;
	s->name = strndup(word, colon ? (size_t)(colon - word) : name_len);
	s->tag = colon ? strndup(colon + 1, (size_t)(equals - colon - 1)) : NULL;
	s->value = equals ? strndup(equals + 1, len - name_len - 1) : strndup(word, len);
	return s->name && s->value && (!colon || s->tag) ? 0 : ERR_NOMEM;
}

int settings_parse(struct settings *ret, const char *option, const char *words, bool plain, struct error *err)
{
	struct settings s = {0};
	int r = 0;

	for (const char *at = words ? words : ""; *at && r == 0;) {
		size_t len = strcspn(at, ",");
		struct setting *grown = realloc(s.list, (s.n + 1) * sizeof(*grown));

		if (!grown) {
			r = error_set(err, ERR_NOMEM, "-%s: out of memory", option);
			break;
		}
		s.list = grown;
		memset(&grown[s.n], 0, sizeof(*grown));
		r = len ? parse_word(&grown[s.n++], at, len, plain) : ERR_USAGE;
		if (r < 0)
			error_set(err, (enum error_code)r, "-%s %.*s: must be %s", option, (int)(len < 200 ? len : 200),
				  at, plain ? "VALUE or NAME=VALUE" : "NAME=VALUE, several with commas between them");
		at += len;
		at += *at == ',';
	}
	if (r < 0)
		settings_release(&s);
	else
		*ret = s;
	return r;
}

const char *settings_find(const struct settings *s, const char *name, size_t len)
{
	const char *every = NULL;

	for (size_t i = 0; i < s->n; i++) {
		if (bytes_equal(name, len, s->list[i].name))
			return s->list[i].value;
		if (!s->list[i].name[0])
			every = s->list[i].value;
	}
	return every;
}

const struct setting *settings_find_tag(const struct settings *s, const char *name, const char *tag, size_t tag_len)
{
	for (size_t i = 0; i < s->n; i++) {
		const struct setting *at = &s->list[i];

		if (at->tag && strcmp(at->name, name) == 0 && strlen(at->tag) == tag_len &&
		    memcmp(at->tag, tag, tag_len) == 0)
			return at;
	}
	return NULL;
}

static bool same_text(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) == 0 : a == b;
}

int settings_check_once(const struct settings *s, const char *option, struct error *err)
{
	for (size_t i = 0; i < s->n; i++) {
		const struct setting *a = &s->list[i];

		for (size_t k = 0; k < i; k++) {
			if (!same_text(a->name, s->list[k].name) || !same_text(a->tag, s->list[k].tag))
				continue;
			return error_set(err, ERR_USAGE, "-%s: %s%s%s is given twice", option,
					 a->name[0] ? a->name : a->value, a->tag ? ":" : "", a->tag ? a->tag : "");
		}
	}
	return 0;
}

static const struct setting *find_name(const struct settings *s, const char *name)
{
	for (size_t i = 0; i < s->n; i++) {
		if (strcmp(s->list[i].name, name) == 0)
			return &s->list[i];
	}
	return NULL;
}

int settings_resolve(struct settings *s, const char *option, struct error *err)
{
	for (size_t i = 0; i < s->n; i++) {
		const struct setting *to = &s->list[i], *next;
		char *value;
		size_t steps = 0;

		while ((next = find_name(s, to->value)) && steps++ < s->n)
			to = next;
		if (next)
			return error_set(err, ERR_USAGE, "-%s: %s stands for itself", option, s->list[i].name);
		value = strdup(to->value);
		if (!value)
			return error_set(err, ERR_NOMEM, "-%s: out of memory", option);
		free(s->list[i].value);
		s->list[i].value = value;
	}
	return 0;
}

void settings_release(struct settings *s)
{
	for (size_t i = 0; i < s->n; i++) {
		free(s->list[i].name);
		free(s->list[i].tag);
		free(s->list[i].value);
	}
	free(s->list);
	memset(s, 0, sizeof(*s));
}
