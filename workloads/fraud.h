/*
 * fraud.h - the credit-card-fraud dataset's row, shared by who writes it (datagen), loads it and sends it.
 *
 * A row is 1152 bytes, little endian, no header: id uint64 (0, 1, 2 …), transaction 30 × float32 (Time, V1…V28,
 * Amount), reference 256 × float32 in [0, 1).
 */
#ifndef WORKLOADS_FRAUD_H
#define WORKLOADS_FRAUD_H

#include <stdint.h>
#include <string.h>

#include "workloads/workload.h"

#define FRAUD_FEATURES 30
#define FRAUD_REFERENCES 256
#define FRAUD_CLASSES 2
#define FRAUD_ID_SIZE 8
#define FRAUD_TRANSACTION_OFFSET FRAUD_ID_SIZE
#define FRAUD_TRANSACTION_SIZE (FRAUD_FEATURES * 4)
#define FRAUD_REFERENCE_OFFSET (FRAUD_TRANSACTION_OFFSET + FRAUD_TRANSACTION_SIZE)
#define FRAUD_REFERENCE_SIZE (FRAUD_REFERENCES * 4)
#define FRAUD_ROW_SIZE (FRAUD_REFERENCE_OFFSET + FRAUD_REFERENCE_SIZE)

_Static_assert(FRAUD_ROW_SIZE == 1152, "AIBench's fraud row is 1152 bytes");

static inline uint64_t fraud_row_id(const void *row)
{
	const unsigned char *p = row;
	uint64_t id = 0;

	for (int i = 7; i >= 0; i--)
		id = id << 8 | p[i];
	return id;
}

extern const struct workload_ops workload_fraud;

#endif
