/*
 * accuracy_log.h - the answers of an accuracy run, as LoadGen's mlperf_log_accuracy.json: an array of
 * { "seq_id" : n, "qsl_idx" : row, "data" : "hexadecimal bytes" }, float32 values in the order of memory.
 *
 * Samples are asked for in the order of the dataset, so that both numbers are the row's, from 0 on.
 */
#ifndef RUNNERS_ACCURACY_LOG_H
#define RUNNERS_ACCURACY_LOG_H

#include "common/error.h"
#include "workloads/answers.h"

/* Writes the answers that there are, whole or not at all. ERR_INVALID: some found no place by their rows' ids. ERR_IO. */
int accuracy_log_write(const char *path, const struct answers_writer *answers, struct error *err) MUST_CHECK;

#endif
