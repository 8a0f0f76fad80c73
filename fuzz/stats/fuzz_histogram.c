/*
 * Encoded histograms from outside. First byte 'T': the rest is the text as it comes; else the rest is what the zlib
 * stream holds, packed here, for a fuzzer does not get past compression and base64 by itself. Whatever is read must
 * survive a round trip and every question.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "stats/histogram.h"

#define INPUT_MAX 4096

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void base64(struct buf *out, const uint8_t *p, size_t len)
{
	static const char digits[65] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

	for (size_t i = 0; i < len; i += 3) {
		uint8_t b[3] = {p[i], i + 1 < len ? p[i + 1] : 0, i + 2 < len ? p[i + 2] : 0};

		(void)buf_printf(out, "%c%c%c%c", digits[b[0] >> 2], digits[(b[0] & 3) << 4 | b[1] >> 4],
				 i + 1 < len ? digits[(b[1] & 15) << 2 | b[2] >> 6] : '=',
				 i + 2 < len ? digits[b[2] & 63] : '=');
	}
}

static void pack(struct buf *text, const uint8_t *raw, size_t len)
{
	uint8_t packed[8 + INPUT_MAX * 2] = {0x1c, 0x84, 0x93, 0x14};
	uLongf packed_len = sizeof(packed) - 8;

	if (compress(packed + 8, &packed_len, raw, len) != Z_OK)
		abort();
	for (int i = 0; i < 4; i++)
		packed[4 + i] = (uint8_t)(packed_len >> (24 - 8 * i));
	base64(text, packed, 8 + packed_len);
}

static void check(const struct histogram *h)
{
	struct buf text = {0};
	struct histogram again;
	int64_t last = 0;

	for (int p = 0; p <= 100; p += 5) {
		int64_t v = histogram_percentile(h, p);

		if (v < last || v < 0 || v > h->highest)
			abort();
		last = v;
	}
	if (!(histogram_mean(h) >= 0) || !(histogram_stddev(h) >= 0))
		abort();
	if (histogram_encode(h, &text) != 0)
		abort();
	if (histogram_decode(&again, text.data, text.len, NULL) != 0)
		abort();
	if (again.total != h->total || memcmp(again.counts, h->counts, h->ncounts * sizeof(*h->counts)) != 0)
		abort();
	histogram_release(&again);
	buf_release(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf text = {0};
	struct error err = {""};
	struct histogram h;

	if (size < 1 || size > INPUT_MAX)
		return 0;
	if (data[0] == 'T')
		(void)buf_append(&text, data + 1, size - 1);
	else
		pack(&text, data + 1, size - 1);
	if (histogram_decode(&h, text.data, text.len, &err) == 0) {
		/* The widest layouts take 50 MB each: a few are enough. */
		if (h.ncounts < 100000)
			check(&h);
		histogram_release(&h);
	} else if (!err.text[0]) {
		abort();
	}
	buf_release(&text);
	return 0;
}
