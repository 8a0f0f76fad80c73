/*
 * histogram_json.c - a histogram as a JSON object.
 */
#include "stats/histogram_json.h"

int histogram_write_encoded(struct json_writer *w, const struct histogram *h,
			    int (*encode)(const struct histogram *h, struct buf *out))
{
	struct buf text = {0};
	int e = encode(h, &text);

	if (e == 0)
		json_string(w, "EncodedHistogram", text.data);
	buf_release(&text);
	return e;
}

int histogram_write_json(struct json_writer *w, const char *name, const struct histogram *h)
{
	int e;

	json_begin(w, name);
	json_uint(w, "Count", h->total);
	json_uint(w, "Saturated", h->saturated);
	json_int(w, "Min", h->total ? h->min : 0);
	json_int(w, "Max", h->max);
	json_double(w, "Mean", histogram_mean(h));
	json_double(w, "StdDev", histogram_stddev(h));
	json_int(w, "q50", histogram_percentile(h, 50));
	json_int(w, "q90", histogram_percentile(h, 90));
	json_int(w, "q95", histogram_percentile(h, 95));
	json_int(w, "q99", histogram_percentile(h, 99));
	json_int(w, "q999", histogram_percentile(h, 99.9));
	json_int(w, "q9999", histogram_percentile(h, 99.99));
	e = histogram_write_encoded(w, h, histogram_encode);
	json_end(w);
	return e;
}
