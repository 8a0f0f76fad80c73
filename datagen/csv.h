/*
 * csv.h - reads Kaggle's creditcard.csv as a stream: 30 numbers and a class a line, plain or compressed with gzip.
 *
 * The header line may be there or not, fields may be quoted or not, lines may end in LF or CRLF, the last one in
 * nothing; blank lines count as lines but hold no row. Memory is one buffer, whatever the file's size.
 */
#ifndef DATAGEN_CSV_H
#define DATAGEN_CSV_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/error.h"
#include "workloads/fraud.h"

#define CSV_COLUMNS (FRAUD_FEATURES + 1)

/* Kaggle's column names: Time, V1…V28, Amount, Class. */
extern const char *const csv_column_names[CSV_COLUMNS];

/* Where the bytes come from. read answers 0 at the end, or a negative error code. */
struct csv_source {
	void *arg;
	ssize_t (*read)(void *arg, void *buf, size_t len, struct error *err);
	int (*rewind)(void *arg, struct error *err);
	void (*close)(void *arg);
};

struct csv_reader;

/* Errors of all: one line that names the file, and for its content the line and the column. */
int csv_open(struct csv_reader **ret, const char *path, struct error *err) MUST_CHECK;
/* Takes the source over on success; name is what messages call it and must outlive the reader. */
int csv_open_source(struct csv_reader **ret, const struct csv_source *source, const char *name,
		    struct error *err) MUST_CHECK;
void csv_close(struct csv_reader *r);

/* 1: one row was read. 0: end of file; nothing was stored. */
int csv_next(struct csv_reader *r, float ret_features[FRAUD_FEATURES], bool *ret_fraud, struct error *err) MUST_CHECK;
/* As csv_next, without looking into the row's fields. */
int csv_skip(struct csv_reader *r, struct error *err) MUST_CHECK;
/* Back to the first row. ERR_IO for what cannot be read again, such as a pipe. */
int csv_rewind(struct csv_reader *r, struct error *err) MUST_CHECK;

#endif
