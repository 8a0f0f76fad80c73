/*
 * stability.h - whether a server's figures have come to rest: Perf Analyzer's rule.
 *
 * A run is cut into consecutive windows. It is stable when the last three all had throughput and max ÷ min of them is at most
 * 1.1 both for throughput and for latency, and unstable if ten windows went by without that.
 * (https://github.com/triton-inference-server/perf_analyzer/blob/main/docs/inference_load_modes.md, --stability-percentage,
 * --max-trials.)
 */
#ifndef STATS_STABILITY_H
#define STATS_STABILITY_H

#include <stdio.h>

struct json_writer;

#define STABILITY_WINDOWS 3
#define STABILITY_WINDOWS_MAX 10
#define STABILITY_RATIO 1.1

enum stability_state { STABILITY_NOT_ASKED, STABILITY_MEASURING, STABILITY_STABLE, STABILITY_UNSTABLE };

/* Zero-initialise. */
struct stability {
	enum stability_state state;
	unsigned windows; /* so far */
	double throughput[STABILITY_WINDOWS], latency[STABILITY_WINDOWS];
};

/* Another window's throughput and mean latency, any units. Returns the state. */
enum stability_state stability_add(struct stability *s, double throughput, double latency);

/* A line of the report, and the member "Stability": null where nobody asked. */
void stability_write_text(FILE *out, const struct stability *s);
void stability_write_json(struct json_writer *w, const struct stability *s);

#endif
