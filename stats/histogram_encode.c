/*
 * histogram_encode.c - HdrHistogram's V2 compressed encoding: counts as zigzag LEB128, zlib, base64. All big endian.
 *
 *	outer   u32 cookie, i32 length of the zlib stream, the stream
 *	inside  u32 cookie, i32 payload length, i32 normalizing offset (0), i32 digits, i64 lowest, i64 highest,
 *		f64 ratio (1.0), then the counts from index 0 to the last that is not zero: a count as itself, a run of
 *		zeros as minus its length
 */
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "common/clock.h"
#include "stats/histogram.h"

#define COOKIE_COMPRESSED UINT32_C(0x1c849314)
#define COOKIE_V2 UINT32_C(0x1c849313)
/* Microseconds up to the same hour. */
#define MICROSECONDS_HIGHEST (HISTOGRAM_LATENCY_HIGHEST / NSEC_PER_USEC)
#define OUTER_SIZE 8
#define HEADER_SIZE 40
#define LEB_MAX 9 /* bytes of the longest count */

static const char base64_digits[65] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static void put_u32(uint8_t *p, uint32_t v)
{
	for (int i = 0; i < 4; i++)
		p[i] = (uint8_t)(v >> (24 - 8 * i));
}

static void put_u64(uint8_t *p, uint64_t v)
{
	put_u32(p, (uint32_t)(v >> 32));
	put_u32(p + 4, (uint32_t)v);
}

static uint32_t get_u32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static uint64_t get_u64(const uint8_t *p)
{
	return (uint64_t)get_u32(p) << 32 | get_u32(p + 4);
}

/* 7 bits a byte, the lowest first; the ninth byte carries 8, so that 64 bits take no tenth. */
static size_t put_count(uint8_t *p, int64_t v)
{
	uint64_t z = ((uint64_t)v << 1) ^ (uint64_t)(v >> 63);
	size_t n = 0;

	while (n < LEB_MAX - 1 && z >= 0x80) {
		p[n++] = (uint8_t)(z | 0x80);
		z >>= 7;
	}
	p[n++] = (uint8_t)z;
	return n;
}

static size_t put_counts(uint8_t *p, const struct histogram *h, uint32_t limit)
{
	size_t n = 0;

	for (uint32_t i = 0; i < limit;) {
		int64_t zeros = 0;

		for (; i < limit && h->counts[i] == 0; i++)
			zeros++;
		n += zeros ? put_count(p + n, -zeros) : put_count(p + n, (int64_t)h->counts[i++]);
	}
	return n;
}

/* An empty histogram has one count, a zero. */
static uint32_t counts_limit(const struct histogram *h)
{
	uint32_t limit = h->ncounts;

	while (limit > 1 && h->counts[limit - 1] == 0)
		limit--;
	return limit;
}

static int append_base64(struct buf *out, const uint8_t *p, size_t len)
{
	int r = buf_reserve(out, (len + 2) / 3 * 4);

	for (size_t i = 0; r == 0 && i < len; i += 3) {
		uint32_t v = (uint32_t)p[i] << 16;
		char text[4];

		if (i + 1 < len)
			v |= (uint32_t)p[i + 1] << 8;
		if (i + 2 < len)
			v |= p[i + 2];
		text[0] = base64_digits[v >> 18];
		text[1] = base64_digits[v >> 12 & 63];
		text[2] = base64_digits[v >> 6 & 63];
		text[3] = base64_digits[v & 63];
		if (i + 1 >= len)
			text[2] = '=';
		if (i + 2 >= len)
			text[3] = '=';
		r = buf_append(out, text, sizeof(text));
	}
	return r;
}

int histogram_encode(const struct histogram *h, struct buf *out)
{
	uint32_t limit = counts_limit(h);
	const double ratio = 1.0;
	uint64_t ratio_bits;
	uint8_t *raw, *packed = NULL;
	size_t counts_len;
	uLongf packed_len;
	int r = ERR_NOMEM;

	for (uint32_t i = 0; i < limit; i++)
		if (h->counts[i] > INT64_MAX)
			return ERR_RANGE;
	raw = malloc(HEADER_SIZE + (size_t)limit * LEB_MAX);
	if (!raw)
		goto out;
	counts_len = put_counts(raw + HEADER_SIZE, h, limit);
	memcpy(&ratio_bits, &ratio, sizeof(ratio_bits));
	put_u32(raw, COOKIE_V2);
	put_u32(raw + 4, (uint32_t)counts_len);
	put_u32(raw + 8, 0);
	put_u32(raw + 12, (uint32_t)h->digits);
	put_u64(raw + 16, (uint64_t)h->lowest);
	put_u64(raw + 24, (uint64_t)h->highest);
	put_u64(raw + 32, ratio_bits);

	packed_len = compressBound(HEADER_SIZE + counts_len);
	packed = malloc(OUTER_SIZE + packed_len);
	if (!packed || compress(packed + OUTER_SIZE, &packed_len, raw, HEADER_SIZE + counts_len) != Z_OK)
		goto out;
	put_u32(packed, COOKIE_COMPRESSED);
	put_u32(packed + 4, (uint32_t)packed_len);
	r = append_base64(out, packed, OUTER_SIZE + packed_len);
out:
	free(packed);
	free(raw);
	return r;
}

int histogram_encode_microseconds(const struct histogram *h, struct buf *out)
{
	struct histogram us;
	int r;

	r = histogram_init(&us, 1, MICROSECONDS_HIGHEST, HISTOGRAM_LATENCY_DIGITS);
	if (r < 0)
		return r;
	histogram_merge_scaled(&us, h, NSEC_PER_USEC);
	r = histogram_encode(&us, out);
	histogram_release(&us);
	return r;
}

static int base64_value(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/* Into dst of len / 4 * 3 bytes; padding only at the end and only as much as it takes. */
static int read_base64(uint8_t *dst, size_t *ret_len, const char *text, size_t len)
{
	size_t padding = 0, n = 0;

	if (len == 0 || len % 4)
		return ERR_FORMAT;
	while (padding < 2 && text[len - 1 - padding] == '=')
		padding++;
	for (size_t i = 0; i < len; i += 4) {
		uint32_t v = 0;

		for (size_t j = i; j < i + 4; j++) {
			int digit = j < len - padding ? base64_value(text[j]) : 0;

			if (digit < 0)
				return ERR_FORMAT;
			v = v << 6 | (uint32_t)digit;
		}
		dst[n++] = (uint8_t)(v >> 16);
		dst[n++] = (uint8_t)(v >> 8);
		dst[n++] = (uint8_t)v;
	}
	*ret_len = n - padding;
	return 0;
}

/* Bytes out of a zlib stream, a small piece at a time: what the stream grows to does not matter. */
struct inflater {
	z_stream z;
	bool ended; /* the stream's end and checksum were seen */
	size_t pos, len;
	uint8_t piece[4096];
};

/* Returns 1, 0 at the end, or ERR_FORMAT. */
static int inflater_byte(struct inflater *f, uint8_t *ret)
{
	while (f->pos == f->len) {
		int z;

		if (f->ended)
			return 0;
		f->z.next_out = f->piece;
		f->z.avail_out = sizeof(f->piece);
		z = inflate(&f->z, Z_NO_FLUSH);
		if (z != Z_OK && z != Z_STREAM_END)
			return ERR_FORMAT;
		f->ended = z == Z_STREAM_END;
		f->pos = 0;
		f->len = sizeof(f->piece) - f->z.avail_out;
	}
	*ret = f->piece[f->pos++];
	return 1;
}

static int inflater_bytes(struct inflater *f, uint8_t *dst, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (inflater_byte(f, dst + i) != 1)
			return ERR_FORMAT;
	return 0;
}

/* One count out of at most *left bytes. */
static int read_count(struct inflater *f, uint32_t *left, int64_t *ret)
{
	uint64_t z = 0;

	for (unsigned n = 0; n < LEB_MAX; n++) {
		uint8_t byte;

		if (*left == 0 || inflater_byte(f, &byte) != 1)
			return ERR_FORMAT;
		--*left;
		if (n == LEB_MAX - 1)
			z |= (uint64_t)byte << (7 * n);
		else
			z |= (uint64_t)(byte & 0x7f) << (7 * n);
		if (n == LEB_MAX - 1 || !(byte & 0x80))
			break;
	}
	*ret = (int64_t)(z >> 1) ^ -(int64_t)(z & 1);
	return 0;
}

/* Other writers may have used buckets past the one of highest, which the layout happens to have: what is there is
 * over the top here as anywhere. */
static void add_count(struct histogram *h, uint32_t index, uint64_t n)
{
	uint32_t top = histogram_index(h, h->highest);

	if (index > top) {
		h->saturated += n;
		index = top;
	}
	if (h->total == 0)
		h->min = histogram_lowest_at(h, index);
	h->max = histogram_highest_at(h, index);
	if (h->max > h->highest)
		h->max = h->highest;
	h->counts[index] += n;
	h->total += n;
}

/* Reads the counts of a payload of `left` bytes into the fresh histogram h. */
static int read_counts(struct inflater *f, uint32_t left, struct histogram *h, struct error *err)
{
	uint32_t index = 0;

	while (left > 0) {
		int64_t v;

		if (read_count(f, &left, &v) < 0)
			return error_set(err, ERR_FORMAT, "encoded histogram: its counts are cut off or damaged");
		if (v <= 0) {
			/* A run of zeros; a lone zero may be written as 0. */
			uint64_t zeros = v == 0 ? 1 : -(uint64_t)v;

			if (zeros > h->ncounts - index)
				return error_set(err, ERR_FORMAT, "encoded histogram: more counts than its range has");
			index += (uint32_t)zeros;
			continue;
		}
		if (index >= h->ncounts)
			return error_set(err, ERR_FORMAT, "encoded histogram: more counts than its range has");
		if ((uint64_t)v > (uint64_t)INT64_MAX - h->total)
			return error_set(err, ERR_RANGE, "encoded histogram: its counts add up to more than 2^63");
		add_count(h, index++, (uint64_t)v);
	}
	return 0;
}

static int read_payload(struct inflater *f, struct histogram *ret, struct error *err)
{
	struct histogram h = {0};
	uint8_t header[HEADER_SIZE], extra;
	uint32_t payload, digits;
	uint64_t lowest, highest;
	int r;

	if (inflater_bytes(f, header, sizeof(header)) < 0)
		return error_set(err, ERR_FORMAT, "encoded histogram: its zlib stream is cut off or damaged");
	if (get_u32(header) != COOKIE_V2)
		return error_set(err, ERR_UNSUPPORTED, "encoded histogram: cookie 0x%08x inside is not that of V2",
				 get_u32(header));
	payload = get_u32(header + 4);
	digits = get_u32(header + 12);
	lowest = get_u64(header + 16);
	highest = get_u64(header + 24);
	if (get_u32(header + 8) != 0)
		return error_set(err, ERR_UNSUPPORTED, "encoded histogram: shifted (normalizing offset %u)",
				 get_u32(header + 8));
	if (payload > INT32_MAX || digits > 5 || lowest > INT64_MAX || highest > INT64_MAX)
		return error_set(err, ERR_FORMAT, "encoded histogram: its header is damaged");
	r = histogram_init(&h, (int64_t)lowest, (int64_t)highest, (int)digits);
	if (r < 0)
		return error_set(err, r, "encoded histogram: cannot hold %llu to %llu with %u digits",
				 (unsigned long long)lowest, (unsigned long long)highest, digits);
	r = read_counts(f, payload, &h, err);
	if (r == 0 && inflater_byte(f, &extra) != 0)
		r = error_set(err, ERR_FORMAT, "encoded histogram: longer than its header says, or damaged");
	if (r < 0) {
		histogram_release(&h);
		return r;
	}
	*ret = h;
	return 0;
}

static int read_compressed(struct histogram *ret, uint8_t *data, size_t len, struct error *err)
{
	struct inflater f = {.ended = false};
	int r;

	if (len < OUTER_SIZE || get_u32(data) != COOKIE_COMPRESSED)
		return error_set(err, ERR_UNSUPPORTED, "encoded histogram: not a V2 compressed one (HISTFAAA...)");
	if (get_u32(data + 4) != len - OUTER_SIZE)
		return error_set(err, ERR_FORMAT, "encoded histogram: %zu bytes where its header says %u",
				 len - OUTER_SIZE, get_u32(data + 4));
	f.z.next_in = data + OUTER_SIZE;
	f.z.avail_in = (uInt)(len - OUTER_SIZE);
	if (inflateInit(&f.z) != Z_OK)
		return error_set(err, ERR_NOMEM, "encoded histogram: out of memory");
	r = read_payload(&f, ret, err);
	if (r == 0 && f.z.avail_in > 0) {
		histogram_release(ret);
		r = error_set(err, ERR_FORMAT, "encoded histogram: %u bytes too many at its end", f.z.avail_in);
	}
	inflateEnd(&f.z);
	return r;
}

int histogram_decode(struct histogram *h, const char *text, size_t len, struct error *err)
{
	struct histogram decoded;
	uint8_t *data;
	size_t data_len;
	int r;

	data = malloc(len / 4 * 3 + 1);
	if (!data)
		return error_set(err, ERR_NOMEM, "encoded histogram: out of memory for %zu bytes", len);
	if (read_base64(data, &data_len, text, len) < 0)
		r = error_set(err, ERR_FORMAT, "encoded histogram: not base64");
	else
		r = read_compressed(&decoded, data, data_len, err);
	free(data);
	if (r == 0)
		*h = decoded;
	return r;
}
