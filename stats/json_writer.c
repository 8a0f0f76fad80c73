/*
 * json_writer.c - JSON straight into a stream.
 */
#include "stats/json_writer.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/json_text.h"

static void write_text(FILE *out, const char *text)
{
	size_t left = strlen(text), taken;
	char character[JSON_CHARACTER_MAX];

	fputc('"', out);
	for (; left > 0; text += taken, left -= taken)
		fwrite(character, 1, json_character(character, text, left, &taken), out);
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
	if (w->depth == 0)
		return;
	if (w->filled)
		fputc(',', w->out);
	next_line(w);
	if (name) {
		write_text(w->out, name);
		fputs(": ", w->out);
	}
	w->filled = true;
}

static void begin(struct json_writer *w, const char *name, char bracket)
{
	member(w, name);
	fputc(bracket, w->out);
	w->depth++;
	w->filled = false;
}

static void end(struct json_writer *w, char bracket)
{
	w->depth--;
	if (w->filled)
		next_line(w);
	fputc(bracket, w->out);
	if (w->depth == 0)
		fputc('\n', w->out);
	w->filled = true;
}

void json_begin(struct json_writer *w, const char *name)
{
	begin(w, name, '{');
}

void json_end(struct json_writer *w)
{
	end(w, '}');
}

void json_begin_array(struct json_writer *w, const char *name)
{
	begin(w, name, '[');
}

void json_end_array(struct json_writer *w)
{
	end(w, ']');
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

void json_string_or_null(struct json_writer *w, const char *name, const char *value)
{
	json_string(w, name, value[0] ? value : NULL);
}

void json_uint_or_null(struct json_writer *w, const char *name, uint64_t value)
{
	if (value)
		json_uint(w, name, value);
	else
		json_string(w, name, NULL);
}
