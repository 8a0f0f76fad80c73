/*
 * error.h - one list of error codes, and the text that goes with one of them.
 *
 * Every function that can fail returns 0 (or a count) on success and a negative enum error_code otherwise.
 * Where the user needs more than the code, the function takes a struct error and leaves one line there that
 * says what was wrong and what to do. Libraries fill it, cmd/ prints it.
 */
#ifndef COMMON_ERROR_H
#define COMMON_ERROR_H

#include <stdarg.h>

/* X(name, value, default message) */
#define ERROR_LIST(X) \
	X(ERR_NOMEM, -1, "out of memory") \
	X(ERR_INVALID, -2, "invalid argument") \
	X(ERR_RANGE, -3, "value out of range") \
	X(ERR_FORMAT, -4, "malformed input") \
	X(ERR_UNSUPPORTED, -5, "not supported") \
	X(ERR_NOT_FOUND, -6, "not found") \
	X(ERR_IO, -7, "input/output error") \
	X(ERR_AGAIN, -8, "not ready yet") \
	X(ERR_CLOSED, -9, "closed by the peer") \
	X(ERR_TIMEOUT, -10, "timed out") \
	X(ERR_CONNECT, -11, "cannot connect") \
	X(ERR_TLS, -12, "TLS failure") \
	X(ERR_PROTOCOL, -13, "protocol violation") \
	X(ERR_SERVER, -14, "the server answered an error") \
	X(ERR_WRONG, -15, "wrong answer") \
	X(ERR_CANCELED, -16, "canceled") \
	X(ERR_USAGE, -17, "wrong usage") \
	X(ERR_EXISTS, -18, "exists already")

enum error_code {
#define ERROR_ENUM(name, value, text) name = value,
	ERROR_LIST(ERROR_ENUM)
#undef ERROR_ENUM
};

#define ERROR_TEXT_MAX 512

/* The text for the user; empty until something failed. No line break in it. */
struct error {
	char text[ERROR_TEXT_MAX];
};

#define MUST_CHECK __attribute__((warn_unused_result))
#define PRINTF_LIKE(fmt, args) __attribute__((format(printf, fmt, args)))

/* The default message of a code; "unknown error" for others. Never NULL. */
const char *error_message(int code);

/*
 * Writes the text and returns code, so that a failing function ends with
 *	return error_set(err, ERR_FORMAT, "%s: line %zu: …", path, line);
 * err may be NULL. A text that is too long is cut at the end. Macros, so that compilers and analysers see that what is
 * returned is the negative code.
 */
#define error_set(err, code, ...) error_written((code), error_write((err), __VA_ARGS__))
#define error_vset(err, code, fmt, args) error_written((code), error_vwrite((err), (fmt), (args)))
/* As error_set, with ": " and the text of errnum appended. */
#define error_set_errno(err, code, errnum, ...) error_written((code), error_write_errno((err), (errnum), __VA_ARGS__))

/* What the macros are made of. */
int error_write(struct error *err, const char *fmt, ...) PRINTF_LIKE(2, 3);
int error_vwrite(struct error *err, const char *fmt, va_list args) PRINTF_LIKE(2, 0);
int error_write_errno(struct error *err, int errnum, const char *fmt, ...) PRINTF_LIKE(3, 4);
static inline int error_written(int code, int written)
{
	(void)written;
	return code;
}

#endif
