/*
 * synthetic.h - transactions shaped like Kaggle's credit-card-fraud data, made from a seed where there is no file.
 *
 * 284,807 rows with Time rising from 0 to 172,792 s; V1…V28 near normal with Kaggle's standard deviations, moved
 * where the row is a fraud; Amount along Kaggle's quantiles up to 25,691.16; frauds as frequent as Kaggle's 492.
 * A longer dataset starts over at Time 0 with fresh values. All of it is integer arithmetic on decimal units, so that
 * every machine makes the same bytes and the CSV text says exactly what the float32 values are.
 */
#ifndef DATAGEN_SYNTHETIC_H
#define DATAGEN_SYNTHETIC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "workloads/fraud.h"

#define SYNTHETIC_ROWS 284807
#define SYNTHETIC_FRAUDS 492
#define SYNTHETIC_COMPONENTS 28
#define SYNTHETIC_TIME_MAX 172792
#define SYNTHETIC_AMOUNT_MAX 2569116 /* cents */

struct synthetic_transaction {
	uint32_t seconds;
	int64_t components[SYNTHETIC_COMPONENTS]; /* V1…V28 in millionths */
	uint32_t cents;
	bool fraud;
};

/* Row `id` of the dataset `seed`; depends on nothing else. */
void synthetic_transaction(struct synthetic_transaction *ret, uint64_t seed, uint64_t id);
void synthetic_features(float ret[FRAUD_FEATURES], const struct synthetic_transaction *t);

/* Kaggle's quoted header line, and one line of the file; both end in LF. The line's length is returned. */
#define SYNTHETIC_LINE_MAX 1024
extern const char synthetic_csv_header[];
size_t synthetic_csv_line(char dst[SYNTHETIC_LINE_MAX], const struct synthetic_transaction *t);

#endif
