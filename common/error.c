#include "common/error.h"

#include <stdio.h>
#include <string.h>

const char *error_name(int code)
{
	switch (code) {
#define ERROR_CASE(name, value, text) \
	case name: \
		return #name;
		ERROR_LIST(ERROR_CASE)
#undef ERROR_CASE
	default:
		return "unknown error";
	}
}

const char *error_message(int code)
{
	switch (code) {
#define ERROR_CASE(name, value, text) \
	case name: \
		return text;
		ERROR_LIST(ERROR_CASE)
#undef ERROR_CASE
	default:
		return "unknown error";
	}
}

/* Texts come from servers and files too: one line, whatever they hold. */
static void keep_to_one_line(char *text)
{
	for (; *text; text++) {
		if ((unsigned char)*text < ' ')
			*text = ' ';
	}
}

int error_vset(struct error *err, enum error_code code, const char *fmt, va_list args)
{
	if (err) {
		vsnprintf(err->text, sizeof(err->text), fmt, args);
		keep_to_one_line(err->text);
	}
	return code;
}

int error_set(struct error *err, enum error_code code, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	error_vset(err, code, fmt, args);
	va_end(args);
	return code;
}

int error_set_errno(struct error *err, enum error_code code, int errnum, const char *fmt, ...)
{
	va_list args;
	size_t len;

	if (!err)
		return code;
	va_start(args, fmt);
	error_vset(err, code, fmt, args);
	va_end(args);
	len = strlen(err->text);
	snprintf(err->text + len, sizeof(err->text) - len, ": %s", strerror(errnum));
	return code;
}
