/*
 * metrics.c - a model server's counters in Prometheus' text exposition format (version 0.0.4); see the header.
 */
#include "drivers/metrics.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/buf.h"
#include "drivers/http_fetch.h"

#define KEY_MAX 256
#define EXACT_MAX 9007199254740992.0 /* whole numbers up to here are exact in a double */

static bool ends_with(const char *text, size_t len, const char *suffix)
{
	size_t n = strlen(suffix);

	return len >= n && memcmp(text + len - n, suffix, n) == 0;
}

/* Where the name and its labels end; quoted label values may hold anything. NULL: the line is no sample. */
static const char *key_end(const char *p, const char *end)
{
	bool quoted = false;

	p += strcspn(p, "{ \t\n");
	if (p >= end || *p != '{')
		return p;
	for (; p < end; p++) {
		if (*p == '\\' && quoted)
			p++;
		else if (*p == '"')
			quoted = !quoted;
		else if (*p == '}' && !quoted)
			return p + 1;
	}
	return NULL;
}

/* As plain digits, which differences are made of; whole numbers without a point. */
static void write_number(char *dst, size_t size, double value)
{
	if (floor(value) == value && fabs(value) < EXACT_MAX)
		snprintf(dst, size, "%.0f", value);
	else
		snprintf(dst, size, "%.6f", value);
}

static void report_line(const char *line, const char *end, const char *server, server_stat_fn *fn, void *arg)
{
	const char *stop = key_end(line, end);
	char key[KEY_MAX], text[64], *number_end;
	size_t name, len;
	double value;

	if (!stop || stop >= end || stop == line)
		return;
	name = strcspn(line, "{ \t");
	len = (size_t)(stop - line);
	if (len >= sizeof(key) || ends_with(line, name, "_bucket"))
		return;
	stop += strspn(stop, " \t");
	memcpy(key, line, len);
	key[len] = '\0';
	len = strcspn(stop, " \t\r\n");
	if (stop >= end || len == 0 || len >= sizeof(text))
		return;
	memcpy(text, stop, len);
	text[len] = '\0';
	value = strtod(text, &number_end);
	if (*number_end || !isfinite(value) || fabs(value) > 1e18)
		return;
	write_number(text, sizeof(text), value);
	fn(arg, server, key, text);
}

void metrics_report(const char *text, size_t size, const char *server, server_stat_fn *fn, void *arg)
{
	const char *end = text + size;

	while (text < end) {
		const char *newline = memchr(text, '\n', (size_t)(end - text));
		const char *line_end = newline ? newline : end;

		if (*text != '#')
			report_line(text, line_end, server, fn, arg);
		text = line_end + 1;
	}
}

int metrics_read(const struct servers *servers, const struct conn_options *conn, const char *path, server_stat_fn *fn,
		 void *arg, struct error *err)
{
	int r = 0;

	for (unsigned i = 0; r == 0 && i < servers->n; i++) {
		const struct http_fetch fetch = {.server = servers->endpoints[i], .conn = conn, .path = path};
		const char *name = endpoint_name(servers->endpoints[i]);
		struct buf body = {0};
		int status;

		r = http_fetch(&fetch, &status, &body, err);
		if (r == 0 && status != 200)
			r = error_set(err, ERR_NOT_FOUND, "%s: no metrics at %s (HTTP status %d)", name, path, status);
		if (r == 0 && body.data)
			metrics_report(body.data, body.len, name, fn, arg);
		buf_release(&body);
	}
	return r;
}
