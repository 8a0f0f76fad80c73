/*
 * fake_io.c - values in Redis' own encoding: a tag and a content each piece, lengths of one, two, five or nine bytes.
 */
#include "fuzz/servers/redisai/fake_io.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PIECE_UINT = 2, PIECE_STRING = 5 };

void fake_io_release(struct RedisModuleIO *io)
{
	buf_release(&io->saved);
	for (int i = 0; i < io->argc; i++)
		fake_redis_string_free(io->argv[i]);
	free(io->argv);
	io->argv = NULL;
	io->argc = 0;
}

/* ---- reading ---- */

static uint64_t read_big_endian(struct RedisModuleIO *io, unsigned bytes)
{
	uint64_t n = 0;

	if (io->len - io->at < bytes) {
		io->failed = true;
		return 0;
	}
	while (bytes-- > 0)
		n = n << 8 | io->data[io->at++];
	return n;
}

static uint64_t read_length(struct RedisModuleIO *io)
{
	const uint64_t first = read_big_endian(io, 1);

	if (first < 0x40)
		return first;
	if (first < 0x80)
		return (first & 0x3f) << 8 | read_big_endian(io, 1);
	if (first == 0x80)
		return read_big_endian(io, 4);
	if (first == 0x81)
		return read_big_endian(io, 8);
	io->failed = true; /* a string in another encoding: Redis' own business */
	return 0;
}

/* Redis reads on after a failure, and gives nothing. */
static bool begin_piece(struct RedisModuleIO *io, unsigned tag)
{
	if (!io->failed && read_length(io) != tag)
		io->failed = true;
	return !io->failed;
}

uint64_t fake_LoadUnsigned(struct RedisModuleIO *io)
{
	const uint64_t n = begin_piece(io, PIECE_UINT) ? read_length(io) : 0;

	return io->failed ? 0 : n;
}

int64_t fake_LoadSigned(struct RedisModuleIO *io)
{
	return (int64_t)fake_LoadUnsigned(io);
}

char *fake_LoadStringBuffer(struct RedisModuleIO *io, size_t *len)
{
	const uint64_t n = begin_piece(io, PIECE_STRING) ? read_length(io) : 0;
	char *s;

	if (io->failed || n > io->len - io->at) {
		io->failed = true;
		return NULL;
	}
	s = malloc(n ? n : 1);
	fake_redis_check(s, "out of memory");
	memcpy(s, io->data + io->at, n);
	io->at += n;
	*len = n;
	return s;
}

int fake_IsIOError(struct RedisModuleIO *io)
{
	return io->failed;
}

const struct RedisModuleString *fake_GetKeyNameFromIO(struct RedisModuleIO *io)
{
	return io->key;
}

/* ---- writing ---- */

/* As long as can be: what it says is the same. */
static void write_length(struct RedisModuleIO *io, uint64_t n)
{
	unsigned char bytes[9] = {0x81};

	for (unsigned i = 0; i < 8; i++)
		bytes[1 + i] = (unsigned char)(n >> (8 * (7 - i)));
	if (n < 0x40) {
		bytes[0] = (unsigned char)n;
		buf_append(&io->saved, bytes, 1);
	} else {
		buf_append(&io->saved, bytes, sizeof(bytes));
	}
}

void fake_SaveUnsigned(struct RedisModuleIO *io, uint64_t value)
{
	write_length(io, PIECE_UINT);
	write_length(io, value);
}

void fake_SaveSigned(struct RedisModuleIO *io, int64_t value)
{
	fake_SaveUnsigned(io, (uint64_t)value);
}

void fake_SaveStringBuffer(struct RedisModuleIO *io, const char *data, size_t len)
{
	write_length(io, PIECE_STRING);
	write_length(io, len);
	buf_append(&io->saved, data, len);
}

static void add_argument(struct RedisModuleIO *io, const char *data, size_t len)
{
	io->argv = realloc(io->argv, ((size_t)io->argc + 1) * sizeof(struct RedisModuleString *));
	fake_redis_check(io->argv, "out of memory");
	io->argv[io->argc++] = fake_redis_string(data, len);
}

void fake_EmitAOF(struct RedisModuleIO *io, const char *command, const char *fmt, ...)
{
	struct RedisModuleString *const *list;
	const struct RedisModuleString *s;
	char number[32];
	const char *text;
	va_list args;
	int n;

	fake_redis_check(io->argc == 0, "two commands for one value");
	add_argument(io, command, strlen(command));
	va_start(args, fmt);
	for (; *fmt; fmt++) {
		switch (*fmt) {
		case 's':
			s = va_arg(args, const struct RedisModuleString *);
			add_argument(io, s->data, s->len);
			break;
		case 'c':
			text = va_arg(args, const char *);
			add_argument(io, text, strlen(text));
			break;
		case 'b':
			text = va_arg(args, const char *);
			add_argument(io, text, va_arg(args, size_t));
			break;
		case 'l':
			n = snprintf(number, sizeof(number), "%lld", va_arg(args, long long));
			add_argument(io, number, (size_t)n);
			break;
		case 'v':
			list = va_arg(args, struct RedisModuleString *const *);
			for (size_t left = va_arg(args, size_t); left > 0; left--, list++)
				add_argument(io, (*list)->data, (*list)->len);
			break;
		default:
			fake_redis_check(false, "an argument of a kind that is not known");
		}
	}
	va_end(args);
}
