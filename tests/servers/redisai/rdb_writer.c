#include "tests/servers/redisai/rdb_writer.h"

#include <string.h>

enum { RDB_TYPE_MODULE = 7, RDB_VERSION = 9 };
enum { PIECE_END = 0, PIECE_UINT = 2, PIECE_STRING = 5 };
enum { FILE_DATABASE = 0xfe, FILE_END = 0xff };

static void add_byte(struct buf *b, unsigned byte)
{
	const unsigned char c = (unsigned char)byte;

	buf_append(b, &c, 1);
}

static void add_big_endian(struct buf *b, uint64_t n, unsigned bytes)
{
	while (bytes-- > 0)
		add_byte(b, (unsigned)(n >> (8 * bytes)) & 0xff);
}

static void add_little_endian(struct buf *b, uint64_t n, unsigned bytes)
{
	for (; bytes > 0; bytes--, n >>= 8)
		add_byte(b, (unsigned)n & 0xff);
}

/* The two highest bits of the first byte say how many bits follow. */
static void add_length(struct buf *b, uint64_t n)
{
	if (n < 64) {
		add_byte(b, (unsigned)n);
	} else if (n < 16384) {
		add_big_endian(b, n | 1u << 14, 2);
	} else if (n <= UINT32_MAX) {
		add_byte(b, 0x80);
		add_big_endian(b, n, 4);
	} else {
		add_byte(b, 0x81);
		add_big_endian(b, n, 8);
	}
}

/* Six bits a character, then ten of the version. */
static uint64_t module_id(const char *type, unsigned version)
{
	static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
	uint64_t id = 0;

	for (unsigned i = 0; i < 9; i++)
		id = id << 6 | (uint64_t)(strchr(alphabet, type[i]) - alphabet);
	return id << 10 | version;
}

void rdb_begin(struct buf *value, const char *type, unsigned version)
{
	buf_clear(value);
	add_byte(value, 0x81);
	add_big_endian(value, module_id(type, version), 8);
}

void rdb_uint(struct buf *value, uint64_t n)
{
	add_length(value, PIECE_UINT);
	add_length(value, n);
}

void rdb_bytes(struct buf *value, const void *data, size_t len)
{
	add_length(value, PIECE_STRING);
	add_length(value, len);
	buf_append(value, data, len);
}

void rdb_text(struct buf *value, const char *text)
{
	rdb_bytes(value, text, strlen(text));
}

void rdb_text_nul(struct buf *value, const char *text)
{
	rdb_bytes(value, text, strlen(text) + 1);
}

void rdb_end(struct buf *value)
{
	add_length(value, PIECE_END);
}

/* CRC-64 of Jones: reflected, from 0. */
static uint64_t checksum(const char *data, size_t len)
{
	const uint64_t polynomial = 0x95ac9329ac4bc9b5;
	uint64_t crc = 0;

	for (size_t i = 0; i < len; i++) {
		crc ^= (unsigned char)data[i];
		for (int bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? polynomial : 0);
	}
	return crc;
}

void rdb_dump(struct buf *ret, const struct buf *value)
{
	buf_clear(ret);
	add_byte(ret, RDB_TYPE_MODULE);
	buf_append(ret, value->data, value->len);
	add_little_endian(ret, 0, RDB_DUMP_FOOT);
	rdb_dump_sign(ret);
}

void rdb_dump_sign(struct buf *dump)
{
	dump->len -= RDB_DUMP_FOOT;
	add_little_endian(dump, RDB_VERSION, 2);
	add_little_endian(dump, checksum(dump->data, dump->len), 8);
}

void rdb_file_begin(struct buf *file)
{
	buf_clear(file);
	buf_printf(file, "REDIS%04d", RDB_VERSION);
	add_byte(file, FILE_DATABASE);
	add_length(file, 0);
}

void rdb_file_add(struct buf *file, const char *key, const struct buf *value)
{
	add_byte(file, RDB_TYPE_MODULE);
	add_length(file, strlen(key));
	buf_append(file, key, strlen(key));
	buf_append(file, value->data, value->len);
}

void rdb_file_end(struct buf *file)
{
	add_byte(file, FILE_END);
	add_little_endian(file, checksum(file->data, file->len), 8);
}
