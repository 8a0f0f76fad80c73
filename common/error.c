#include "common/error.h"

#include <stdio.h>
#include <string.h>

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

int error_vwrite(struct error *err, const char *fmt, va_list args)
{
	if (err) {
		vsnprintf(err->text, sizeof(err->text), fmt, args);
		keep_to_one_line(err->text);
	}
	return 0;
}

int error_write(struct error *err, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	error_vwrite(err, fmt, args);
	va_end(args);
	return 0;
}

int error_write_errno(struct error *err, int errnum, const char *fmt, ...)
{
	va_list args;
	size_t len;

	if (!err)
		return 0;
	va_start(args, fmt);
	error_vwrite(err, fmt, args);
	va_end(args);
	len = strlen(err->text);
	snprintf(err->text + len, sizeof(err->text) - len, ": %s", strerror(errnum));
	return 0;
}
