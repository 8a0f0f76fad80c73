/*
 * tensor_bundle.h - the variables of a SavedModel: an index (a sorted table of names) and shards of data.
 */
#ifndef ENGINE_TENSOR_BUNDLE_H
#define ENGINE_TENSOR_BUNDLE_H

#include "engine/graph.h"

struct tensor_bundle;

/*
 * prefix: ".../variables/variables". An absent index is ERR_NOT_FOUND. ERR_FORMAT: damaged (checksums are compared),
 * ERR_UNSUPPORTED: big-endian.
 */
int tensor_bundle_open(struct tensor_bundle **ret, const char *prefix, struct error *err) MUST_CHECK;
void tensor_bundle_close(struct tensor_bundle *b);
/* The tensor saved under name, new, of g's allocator. ERR_NOT_FOUND. */
int tensor_bundle_read(struct tensor_bundle *b, const char *name, const struct graph *g, struct tensor **ret,
		       struct error *err) MUST_CHECK;

/* From a copy of the index in memory, for tests and fuzzing; no data can be read. */
int tensor_bundle_parse(struct tensor_bundle **ret, const void *index, size_t len, struct error *err) MUST_CHECK;

#endif
