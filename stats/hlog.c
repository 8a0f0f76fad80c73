/*
 * hlog.c - the lines of an interval log.
 */
#include "stats/hlog.h"

#include <time.h>

void hlog_write_header(FILE *out, nsec_t start)
{
	time_t whole = (time_t)(start / NSEC_PER_SEC);
	char date[64] = "";
	struct tm tm;

	if (gmtime_r(&whole, &tm))
		strftime(date, sizeof(date), "%a %b %d %H:%M:%S UTC %Y", &tm);
	fputs("#[Histograms of nanoseconds; Interval_Max in milliseconds; no tag: service time]\n", out);
	fputs("#[Histogram log format version 1.3]\n", out);
	fprintf(out, "#[StartTime: %.3f (seconds since epoch), %s]\n", nsec_to_sec(start), date);
	fputs("\"StartTimestamp\",\"Interval_Length\",\"Interval_Max\",\"Interval_Compressed_Histogram\"\n", out);
}

int hlog_write_interval(FILE *out, const char *tag, nsec_t from, nsec_t to, const struct histogram *h)
{
	int64_t max = h->total ? histogram_highest_equivalent(h, h->max) : 0;
	struct buf encoded = {0};
	int e = histogram_encode(h, &encoded);

	if (e == 0)
		fprintf(out, "%s%s%s%.3f,%.3f,%.3f,%s\n", tag ? "Tag=" : "", tag ? tag : "", tag ? "," : "",
			nsec_to_sec(from), nsec_to_sec(to - from), nsec_to_msec(max), encoded.data);
	buf_release(&encoded);
	return e;
}

int hlog_write_recorder(FILE *out, nsec_t from, nsec_t to, const struct recorder *interval)
{
	int e = hlog_write_interval(out, NULL, from, to, &interval->service);

	if (e == 0 && interval->open_loop && interval->response.total)
		e = hlog_write_interval(out, "Response", from, to, &interval->response);
	if (e == 0 && interval->open_loop && interval->lag.total)
		e = hlog_write_interval(out, "SendLag", from, to, &interval->lag);
	for (unsigned i = 0; e == 0 && i < STAGE_MAX; i++) {
		if (interval->stages & 1U << i && interval->stage[i].total)
			e = hlog_write_interval(out, stage_name(i), from, to, &interval->stage[i]);
	}
	return e;
}
