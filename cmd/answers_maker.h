/*
 * answers_maker.h - a model file's answers to the rows of a dataset, by the bundled engine and without any server.
 */
#ifndef CMD_ANSWERS_MAKER_H
#define CMD_ANSWERS_MAKER_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/error.h"
#include "workloads/answers.h"

/* Texts may be "". */
struct answers_maker_config {
	const char *file, *use_case;
	const char *model_file, *format; /* format "": as the file's name ends */
	const char *inputs, *outputs;    /* names: see aibench_answers -help */
	uint64_t batch, max_rows;
	bool reference;
	const atomic_int *interrupt; /* non-zero: ERR_CANCELED */
};

/* Fills *ret, zeroed before, with the answer to every row; the caller releases it, also after a failure. ERR_USAGE for
 * what was asked for wrongly; ERR_WRONG for an answer that the use case does not take. */
int answers_make(struct answers_writer *ret, const struct answers_maker_config *cfg, struct error *err) MUST_CHECK;

#endif
