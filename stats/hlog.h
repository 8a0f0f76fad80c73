/*
 * hlog.h - the interval log of HdrHistogram (.hlog), of which its tools make charts over time.
 *
 * Format 1.3 as org.HdrHistogram.HistogramLogWriter writes it: one line an interval and kind of time,
 *
 *	[Tag=NAME,]start,length,max,histogram
 *
 * start in seconds since the epoch, length in seconds, max in milliseconds, and the histogram V2-encoded, of values in
 * nanoseconds. Readers that add the histograms of a tag get the run's histogram exactly.
 */
#ifndef STATS_HLOG_H
#define STATS_HLOG_H

#include <stdio.h>

#include "common/clock.h"
#include "stats/recorder.h"

/* start: when the run began, nanoseconds since the epoch. */
void hlog_write_header(FILE *out, nsec_t start);
/* One line; tag NULL: none. from and to: nanoseconds since the epoch. Failures of the stream stay in it. ERR_NOMEM. */
int hlog_write_interval(FILE *out, const char *tag, nsec_t from, nsec_t to, const struct histogram *h) MUST_CHECK;
/* The lines of an interval: the service time without a tag, also where nothing came; "Response" and "SendLag" of an open
 * loop and the stages by their names where something came. ERR_NOMEM. */
int hlog_write_recorder(FILE *out, nsec_t from, nsec_t to, const struct recorder *interval) MUST_CHECK;

#endif
