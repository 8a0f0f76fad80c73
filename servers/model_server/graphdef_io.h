/*
 * graphdef_io.h - the inputs and outputs of a GraphDef that nobody named.
 *
 * Inputs are its placeholders in the graph's order, also those that no node takes: AIBench's fraud net has one, and its
 * clients send it. Outputs are the nodes that no other node takes, but for constants, placeholders, assertions and NoOp.
 */
#ifndef SERVERS_MODEL_SERVER_GRAPHDEF_IO_H
#define SERVERS_MODEL_SERVER_GRAPHDEF_IO_H

#include <stddef.h>

#include "common/error.h"

struct graphdef_io {
	char **inputs, **outputs;
	size_t ninputs, noutputs;
};

/* ERR_FORMAT: no GraphDef, or one without outputs. */
int graphdef_io_find(struct graphdef_io *ret, const void *blob, size_t len, struct error *err) MUST_CHECK;
/* From TENSOR+TENSOR…; an empty word is ERR_USAGE. */
int graphdef_io_split(char ***ret, size_t *ret_n, const char *words, struct error *err) MUST_CHECK;
void graphdef_io_release(struct graphdef_io *io);

#endif
