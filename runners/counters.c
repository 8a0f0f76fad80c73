#include "runners/counters.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/arith.h"
#include "common/text.h"

static bool is_integer(const char *text, int64_t *ret)
{
	char *end;

	*ret = strtoll(text, &end, 10);
	return end != text && *end == '\0';
}

/* Plain decimals only: strtod's "inf", "nan" and hexadecimal are texts to us. */
static bool is_decimal(const char *text, double *ret, int *ret_places)
{
	const char *digits = text + (*text == '-');
	size_t whole = strspn(digits, "0123456789");
	const char *point = digits + whole;
	size_t places = *point == '.' ? strspn(point + 1, "0123456789") : 0;

	if (whole == 0 || places == 0 || places > 17 || point[1 + places] != '\0')
		return false;
	*ret = strtod(text, NULL);
	*ret_places = (int)places;
	return true;
}

static void number_difference(char *ret, size_t size, const char *before, const char *now)
{
	int64_t i0, i1;
	double d0, d1;
	int places;

	if (is_integer(now, &i1)) {
		if (!before || !is_integer(before, &i0) || i0 > i1)
			i0 = 0;
		/* i0 <= i1 or i0 = 0: the unsigned difference is exact */
		if (i1 < 0 && i0 == 0)
			snprintf(ret, size, "%" PRId64, i1);
		else
			snprintf(ret, size, "%" PRIu64, (uint64_t)i1 - (uint64_t)i0);
	} else if (is_decimal(now, &d1, &places)) {
		if (!before || !is_decimal(before, &d0, &(int){0}) || d0 > d1)
			d0 = 0;
		snprintf(ret, size, "%.*f", places, d1 - d0);
	} else {
		snprintf(ret, size, "%s", now);
	}
}

/* The value of `name=` in "a=1,b=2" as text, "" where it is missing. */
static void field(char *ret, size_t size, const char *text, const char *name, size_t name_len)
{
	ret[0] = '\0';
	while (text && *text) {
		size_t len = strcspn(text, ",");

		if (len > name_len && text[name_len] == '=' && strncmp(text, name, name_len) == 0) {
			snprintf(ret, size, "%.*s", (int)(len - name_len - 1), text + name_len + 1);
			return;
		}
		text += len + (text[len] == ',');
	}
}

static void fields_difference(char *ret, size_t size, const char *before, const char *now)
{
	double calls = 0, usec = 0;
	size_t used = 0;

	ret[0] = '\0';
	for (const char *p = now; *p && used < size;) {
		size_t len = strcspn(p, ","), name = strcspn(p, "=,");
		char v0[64], v1[64], d[64];
		int n;

		v0[0] = v1[0] = '\0';
		if (p[name] == '=') {
			field(v1, sizeof(v1), p, p, name);
			field(v0, sizeof(v0), before, p, name);
		}
		if (bytes_equal(p, name, "usec_per_call"))
			snprintf(d, sizeof(d), "%.2f", calls > 0 ? usec / calls : 0.0);
		else
			number_difference(d, sizeof(d), v0[0] ? v0 : NULL, v1);
		if (bytes_equal(p, name, "calls"))
			calls = strtod(d, NULL);
		else if (bytes_equal(p, name, "usec"))
			usec = strtod(d, NULL);
		n = snprintf(ret + used, size - used, "%s%.*s%s%s", used ? "," : "", (int)name, p,
			     p[name] == '=' ? "=" : "", d);
		used += n > 0 ? (size_t)n : 0; /* at size and beyond: cut */
		p += len + (p[len] == ',');
	}
}

/* Triton's statistics, and Prometheus' counters by their suffix or, TorchServe's own, by their name. */
static bool is_server_counter(const char *key)
{
	static const char *const SUFFIXES[] = {"_total", "_count", "_sum"};
	size_t name = strcspn(key, "{");

	if (strncmp(key, "triton.", strlen("triton.")) == 0 || strncmp(key, "Requests", strlen("Requests")) == 0)
		return true;
	for (size_t i = 0; i < ARRAY_LEN(SUFFIXES); i++) {
		size_t len = strlen(SUFFIXES[i]);

		if (name > len && strncmp(key + name - len, SUFFIXES[i], len) == 0)
			return true;
	}
	return false;
}

void counter_difference(char *ret, size_t size, const char *key, const char *before, const char *now)
{
	if (strncmp(key, "cmdstat_", strlen("cmdstat_")) == 0)
		fields_difference(ret, size, before, now);
	else if (strncmp(key, "ai_info.", strlen("ai_info.")) == 0 || strstr(key, "used_cpu") || is_server_counter(key))
		number_difference(ret, size, before, now);
	else
		snprintf(ret, size, "%s", now);
}

void counters_release(struct counters *c)
{
	for (size_t i = 0; i < c->n; i++) {
		free(c->items[i].server);
		free(c->items[i].key);
		free(c->items[i].value);
	}
	free(c->items);
	*c = (struct counters){0};
}

static struct counter *find(struct counters *c, const char *server, const char *key)
{
	for (size_t i = 0; i < c->n; i++) {
		struct counter *item = &c->items[(c->cursor + i) % c->n];

		if (strcmp(item->key, key) == 0 && strcmp(item->server, server) == 0) {
			c->cursor = (size_t)(item - c->items) + 1;
			return item;
		}
	}
	return NULL;
}

bool counters_know(const struct counters *c, const char *server)
{
	for (size_t i = 0; i < c->n; i++) {
		if (strcmp(c->items[i].server, server) == 0)
			return true;
	}
	return false;
}

static int reserve(struct counters *c)
{
	size_t capacity = c->capacity ? c->capacity * 2 : 64, bytes;
	struct counter *items;

	if (c->n < c->capacity)
		return 0;
	if (!size_mul(&bytes, capacity, sizeof(*items)) || !(items = realloc(c->items, bytes)))
		return ERR_NOMEM;
	c->items = items;
	c->capacity = capacity;
	return 0;
}

static int add(struct counters *c, const char *server, const char *key, const char *value)
{
	struct counter new = {strdup(server), strdup(key), strdup(value)};

	if (!new.server || !new.key || !new.value || reserve(c) < 0) {
		free(new.server);
		free(new.key);
		free(new.value);
		return ERR_NOMEM;
	}
	c->items[c->n++] = new;
	return 0;
}

int counters_update(struct counters *c, const char *server, const char *key, const char *value, char *ret_difference,
		    size_t size)
{
	struct counter *known = find(c, server, key);
	char *copy;

	counter_difference(ret_difference, size, key, known ? known->value : NULL, value);
	if (!known)
		return add(c, server, key, value);
	copy = strdup(value);
	if (!copy)
		return ERR_NOMEM;
	free(known->value);
	known->value = copy;
	return 0;
}
