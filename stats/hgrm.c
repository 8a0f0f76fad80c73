/*
 * hgrm.c - the percentile distribution text (.hgrm) that HdrHistogram's plotters read.
 */
#include <math.h>

#include "common/clock.h"
#include "common/file.h"
#include "stats/histogram.h"
#include "stats/result.h"

#define REPORT_TICKS 100

/* The next percentile to report: the distance to 100 % is halved again and again, with `ticks` steps for each half. */
static double next_level(double level, int ticks)
{
	double halvings = floor(log(100 / (100 - level)) / log(2)) + 1;
	double next = level + 100 / (ticks * exp2(halvings));

	return next > level ? next : 100; /* past the precision of double */
}

static void write_row(FILE *out, const struct histogram *h, uint32_t index, double level, uint64_t seen, double scale)
{
	double value = (double)histogram_highest_at(h, index) / scale;

	fprintf(out, "%12.*f %2.12f %10llu", h->digits, value, level / 100, (unsigned long long)seen);
	if (level < 100)
		fprintf(out, " %14.2f", 1 / (1 - level / 100));
	fputc('\n', out);
}

/* Every level that the bucket reaches gets a row; the last bucket gets the row of 100 % and no further ones. */
static void write_rows(FILE *out, const struct histogram *h, int ticks, double scale)
{
	double level = 0;
	uint64_t seen = 0;

	for (uint32_t i = 0; i < h->ncounts && seen < h->total; i++) {
		if (!h->counts[i])
			continue;
		seen += h->counts[i];
		while (level < 100 && 100.0 * (double)seen / (double)h->total >= level) {
			write_row(out, h, i, level, seen, scale);
			level = next_level(level, ticks);
			if (seen >= h->total)
				break;
		}
		if (seen >= h->total)
			write_row(out, h, i, 100, seen, scale);
	}
}

int histogram_write_hgrm(const struct histogram *h, FILE *out, int ticks_per_half_distance, double scale)
{
	int64_t max = h->total ? histogram_highest_equivalent(h, h->max) : 0;
	uint32_t buckets = (h->ncounts >> h->sub_bucket_magnitude) - 1;
	uint32_t sub_buckets = UINT32_C(2) << h->sub_bucket_magnitude;

	if (ticks_per_half_distance < 1 || !(scale > 0))
		return ERR_INVALID;
	fprintf(out, "%12s %14s %10s %14s\n\n", "Value", "Percentile", "TotalCount", "1/(1-Percentile)");
	write_rows(out, h, ticks_per_half_distance, scale);
	fprintf(out, "#[Mean    = %12.3f, StdDeviation   = %12.3f]\n", histogram_mean(h) / scale,
		histogram_stddev(h) / scale);
	fprintf(out, "#[Max     = %12.3f, Total count    = %12llu]\n", (double)max / scale,
		(unsigned long long)h->total);
	fprintf(out, "#[Buckets = %12u, SubBuckets     = %12u]\n", buckets, sub_buckets);
	return ferror(out) ? ERR_IO : 0;
}

int report_hgrm(const char *path, const struct histogram *h, struct error *err)
{
	struct output_file f;
	int r;

	r = file_create(&f, path, err);
	if (r < 0)
		return r;
	r = histogram_write_hgrm(h, f.stream, REPORT_TICKS, (double)NSEC_PER_MSEC);
	if (r == 0 || r == ERR_IO)
		r = file_commit(&f, err); /* says what stdio kept of a failed write */
	file_abandon(&f);
	return r;
}
