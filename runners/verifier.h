/*
 * verifier.h - one worker thread's comparison of answers with expected ones, of a sampled share of the requests.
 *
 * Whether a request is of the share is a function of seed and request number alone, so that other numbers of threads and
 * repetitions compare the same ones. Nothing here allocates, locks or reads a clock.
 */
#ifndef RUNNERS_VERIFIER_H
#define RUNNERS_VERIFIER_H

#include <stdbool.h>
#include <stdint.h>

#include "common/error.h"
#include "stats/verification.h"
#include "workloads/answers.h"
#include "workloads/compare.h"
#include "workloads/workload.h"

struct verify_config {
	const struct answers *answers; /* borrowed; NULL: there are none */
	double share;                  /* of the requests, 0 to 1 */
	struct tolerance tolerance;
	unsigned show; /* mismatches to keep for the report */
};

struct verifier {
	const struct verify_config *cfg;
	const struct workload_ops *ops;
	const struct workload *workload;
	uint64_t seed;
	struct verification found;
};

void verifier_init(struct verifier *v, const struct verify_config *cfg, const struct workload_ops *ops,
		   const struct workload *workload, uint64_t seed);

/* Is request `number` of the share? */
bool verifier_samples(const struct verifier *v, uint64_t number);

/* Compares every row of a well-formed answer (ops->check took it) if its request is of the share; only where there are
 * expected answers. Returns 0, or ERR_WRONG with the first wrong row in err (may be NULL). */
int verifier_check(struct verifier *v, uint64_t number, const struct request *req, const struct answer *a,
		   struct error *err);

#endif
