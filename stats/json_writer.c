/*
 * json_writer.c - JSON straight into a stream.
 */
#include "stats/json_writer.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Length of the UTF-8 sequence at s (NUL-terminated), 0 if it is none: overlong forms and surrogates are none. */
static size_t utf8_length(const unsigned char *s)
{
	size_t len = s[0] < 0x80 ? 1 : s[0] < 0xc2 ? 0 : s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 : s[0] < 0xf5 ? 4 : 0;

	for (size_t i = 1; i < len; i++)
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	if ((s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] > 0x9f) || (s[0] == 0xf0 && s[1] < 0x90) ||
	    (s[0] == 0xf4 && s[1] > 0x8f))
		return 0;
	return len;
}

static void write_text(FILE *out, const char *text)
{
	const unsigned char *s = (const unsigned char *)text;

	fputc('"', out);
	while (*s) {
		size_t len = utf8_length(s);

		if (len == 0)
			fputs("\\ufffd", out);
		else if (*s == '"' || *s == '\\')
			fprintf(out, "\\%c", *s);
		else if (*s == '\n')
			fputs("\\n", out);
		else if (*s < 0x20 || *s == 0x7f)
			fprintf(out, "\\u%04x", *s);
		else
			fwrite(s, 1, len, out);
		s += len ? len : 1;
	}
	fputc('"', out);
}

static void next_line(struct json_writer *w)
{
	fputc('\n', w->out);
	for (unsigned i = 0; i < w->depth; i++)
		fputc(' ', w->out);
}

static void member(struct json_writer *w, const char *name)
{
	if (!name)
		return;
	if (w->filled)
		fputc(',', w->out);
	next_line(w);
	write_text(w->out, name);
	fputs(": ", w->out);
	w->filled = true;
}

void json_begin(struct json_writer *w, const char *name)
{
	member(w, name);
	fputc('{', w->out);
	w->depth++;
	w->filled = false;
}

void json_end(struct json_writer *w)
{
	w->depth--;
	if (w->filled)
		next_line(w);
	fputc('}', w->out);
	if (w->depth == 0)
		fputc('\n', w->out);
	w->filled = true;
}

void json_string(struct json_writer *w, const char *name, const char *value)
{
	member(w, name);
	if (value)
		write_text(w->out, value);
	else
		fputs("null", w->out);
}

void json_uint(struct json_writer *w, const char *name, uint64_t value)
{
	member(w, name);
	fprintf(w->out, "%llu", (unsigned long long)value);
}

void json_int(struct json_writer *w, const char *name, int64_t value)
{
	member(w, name);
	fprintf(w->out, "%lld", (long long)value);
}

/* The shortest of the forms that read back as the same number. */
void json_double(struct json_writer *w, const char *name, double value)
{
	char text[32];

	member(w, name);
	if (!isfinite(value)) {
		fputs("null", w->out);
		return;
	}
	for (int digits = 15; digits <= 17; digits++) {
		snprintf(text, sizeof(text), "%.*g", digits, value);
		if (strtod(text, NULL) == value)
			break;
	}
	fputs(text, w->out);
}

void json_bool(struct json_writer *w, const char *name, bool value)
{
	member(w, name);
	fputs(value ? "true" : "false", w->out);
}
