/*
 * command.h - the commands that store one row's reference data, formatted without printf.
 *
 *	SET referenceBLOB:{id} <1024 bytes>
 *	AI.TENSORSET referenceTensor:{id} FLOAT 1 256 BLOB <1024 bytes>
 *
 * Only what comes before the bytes is written; the bytes are sent from the row itself, and CR LF closes them.
 */
#ifndef LOADERS_COMMAND_H
#define LOADERS_COMMAND_H

#include <stddef.h>
#include <stdint.h>

#include "common/error.h"
#include "workloads/workload.h"

#define LOAD_COMMAND_MAX 224 /* bytes before the row's */

/* One kind of command; all but the id is ready. */
struct load_command {
	const char *name;
	char head[40];  /* up to the length of the key */
	char key[48];   /* "referenceBLOB:{" */
	char tail[120]; /* from the "}" on */
	size_t head_len, key_len, tail_len;
};

/* ERR_UNSUPPORTED where the workload has no reference data. */
int load_command_blob(struct load_command *ret, const struct workload_spec *spec) MUST_CHECK;
int load_command_tensor(struct load_command *ret, const struct workload_spec *spec) MUST_CHECK;
/* Returns how many bytes were written, LOAD_COMMAND_MAX at the most. */
size_t load_command_write(char *dst, const struct load_command *c, uint64_t id);

#endif
