/*
 * histogram_json.h - a histogram as a JSON object: counts, moments, percentiles and its encoding.
 */
#ifndef STATS_HISTOGRAM_JSON_H
#define STATS_HISTOGRAM_JSON_H

#include "stats/histogram.h"
#include "stats/json_writer.h"

/* In the histogram's own unit. ERR_NOMEM, ERR_RANGE: the encoding; the object is closed then, too. */
int histogram_write_json(struct json_writer *w, const char *name, const struct histogram *h) MUST_CHECK;
/* The member EncodedHistogram alone; encode: histogram_encode or histogram_encode_microseconds. */
int histogram_write_encoded(struct json_writer *w, const struct histogram *h,
			    int (*encode)(const struct histogram *h, struct buf *out)) MUST_CHECK;

#endif
