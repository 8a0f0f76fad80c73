/*
 * metrics.h - a model server's counters as it shows them to Prometheus, for the results.
 */
#ifndef DRIVERS_METRICS_H
#define DRIVERS_METRICS_H

#include "drivers/driver.h"
#include "drivers/servers.h"

/* GET path of every server, whose metrics are reported. ERR_NOT_FOUND: there are none; blocks. */
int metrics_read(const struct servers *servers, const struct conn_options *conn, const char *path, server_stat_fn *fn,
		 void *arg, struct error *err) MUST_CHECK;

/* Reports the samples of a text (with a NUL behind it), buckets of histograms left out: "name{labels}" and the value as
 * a plain number. Lines that are no samples are skipped. */
void metrics_report(const char *text, size_t size, const char *server, server_stat_fn *fn, void *arg);

#endif
