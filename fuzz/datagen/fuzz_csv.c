/*
 * fuzz_csv.c - any bytes as creditcard.csv, in pieces of any size: no crash, no endless loop, and whatever is accepted
 * is finite.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "datagen/csv.h"

/* The first byte says how long the pieces are. */
struct bytes {
	const uint8_t *data;
	size_t len, pos, piece;
};

static ssize_t bytes_read(void *arg, void *buf, size_t len, struct error *err)
{
	struct bytes *b = arg;
	size_t n = b->len - b->pos;

	(void)err;
	n = n > b->piece ? b->piece : n;
	n = n > len ? len : n;
	memcpy(buf, b->data + b->pos, n);
	b->pos += n;
	return (ssize_t)n;
}

static int bytes_rewind(void *arg, struct error *err)
{
	(void)err;
	((struct bytes *)arg)->pos = 0;
	return 0;
}

static void bytes_close(void *arg)
{
	(void)arg;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes b = {0};
	struct csv_source source = {&b, bytes_read, bytes_rewind, bytes_close};
	float features[FRAUD_FEATURES];
	struct csv_reader *r;
	struct error err;
	bool fraud;

	if (size == 0)
		return 0;
	b.data = data + 1;
	b.len = size - 1;
	b.piece = data[0] ? data[0] : SIZE_MAX;
	if (csv_open_source(&r, &source, "fuzz", &err) < 0)
		return 0;
	for (int pass = 0; pass < 2; pass++) {
		while (csv_next(r, features, &fraud, &err) > 0) {
			for (int i = 0; i < FRAUD_FEATURES; i++) {
				if (!isfinite(features[i]))
					abort();
			}
		}
		if (csv_rewind(r, &err) < 0)
			abort();
	}
	csv_close(r);
	return 0;
}
