/*
 * control.h - questions to a model server beside the inferences: is it there, has it the model, what are its counters.
 *
 * Blocking, a connection for each question; not for the measuring path.
 */
#ifndef DRIVERS_CONTROL_H
#define DRIVERS_CONTROL_H

#include "common/buf.h"
#include "drivers/call.h"
#include "drivers/driver.h"
#include "drivers/servers.h"

/* GET path over HTTP (libcurl). 0 with the status and the body, also for an error status; negative where none came. */
int control_get(const struct endpoint *e, const struct conn_options *conn, const char *path, int *ret_status,
		struct buf *ret_body, struct error *err) MUST_CHECK;

/* A unary gRPC call: 0 with the reply's message, or the code and the server's words. *ret_status: the gRPC status code,
 * -1 where none came. */
int control_call(struct endpoint *e, const struct conn_options *conn, const struct tls_config *tls, const char *path,
		 const struct buf *message, int *ret_status, struct buf *ret_reply, struct error *err) MUST_CHECK;

#define GRPC_STATUS_NOT_FOUND 5
#define GRPC_STATUS_UNIMPLEMENTED 12

/* GET path of every server, whose Prometheus metrics are reported. ERR_NOT_FOUND: there are none. */
int control_metrics(const struct servers *servers, const struct conn_options *conn, const char *path,
		    server_stat_fn *fn, void *arg, struct error *err) MUST_CHECK;

/* Reports the samples of a text in Prometheus' exposition format, buckets of histograms left out: "name{labels}" and the
 * value as a plain number. Lines that are none are skipped. */
void prometheus_report(const char *text, size_t size, const char *server, server_stat_fn *fn, void *arg);

#endif
