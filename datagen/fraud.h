/*
 * fraud.h - writes the credit-card-fraud dataset (workloads/fraud.h has the row): transactions from Kaggle's CSV or
 * synthetic ones, each with an id and 256 random reference values.
 *
 * Row i depends on the input, the seed and i alone, so several processes can each make their share.
 */
#ifndef DATAGEN_FRAUD_H
#define DATAGEN_FRAUD_H

#include <stdatomic.h>
#include <stdint.h>

#include "common/error.h"

enum fraud_format {
	FRAUD_FORMAT_ROWS, /* 1152 bytes each; AIBench calls it "redisai" */
	FRAUD_FORMAT_CSV,  /* Kaggle's header and lines; synthetic transactions only */
};

struct fraud_config {
	const char *input;  /* CSV, or NULL: synthetic */
	const char *output; /* NULL or "-": standard output */
	enum fraud_format format;
	/* Rows over all groups; 0: as many as the input has. A shorter input is read again, the ids going on. */
	uint64_t max_transactions;
	uint64_t seed;
	uint64_t group, groups; /* writes only the rows whose id is group modulo groups; groups ≥ 1 */
	const atomic_int *stop; /* non-zero ends the work with ERR_CANCELED; may be NULL */
};

/* What was made. */
struct fraud_summary {
	uint64_t transactions; /* over all groups */
	uint64_t written;      /* by this one */
	uint64_t passes;       /* times that the input was read */
};

int fraud_generate(struct fraud_summary *ret, const struct fraud_config *cfg, struct error *err) MUST_CHECK;

/* One row of the dataset. */
void fraud_row(unsigned char *dst, uint64_t id, const float *features, uint64_t seed);

#endif
