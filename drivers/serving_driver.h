/*
 * serving_driver.h - what the drivers over drivers/serving.h share as drivers: their struct, the operations that are the
 * same for all, and the steps of an open.
 */
#ifndef DRIVERS_SERVING_DRIVER_H
#define DRIVERS_SERVING_DRIVER_H

#include "drivers/grpc_fetch.h"
#include "drivers/http_fetch.h"
#include "drivers/metrics.h"
#include "drivers/serving.h"

#define SERVING_PATH_MAX 512
#define GRPC_STATUS_NOT_FOUND 5
#define GRPC_STATUS_UNIMPLEMENTED 12

/* The first member of each driver's struct, which is one allocation. */
struct serving_driver {
	struct driver base;
	struct driver_config config;
	struct servers servers, metrics; /* metrics: where the server's counters are; may be empty */
	struct body_template body;
	struct serving *serving; /* NULL: only the control plane */
	const struct call_transport_ops *transport;
	enum call_protocol protocol;
	char path[SERVING_PATH_MAX];
};

int serving_driver_submit(struct driver *d, unsigned slot, struct request *req, nsec_t now);
int serving_driver_poll(struct driver *d, nsec_t deadline, struct completion *done, int max, struct error *err);
void serving_driver_close(struct driver *d);

/* The steps: the config's limits and the transport; the servers, with host as the option's value and port where a host
 * has none. */
int serving_driver_begin(struct serving_driver *d, const struct driver_ops *ops, const struct driver_config *cfg,
			 enum call_protocol protocol, const struct serving_options *options,
			 struct error *err) MUST_CHECK;
int serving_driver_servers(struct serving_driver *d, const char *option, const char *hosts, const char *port,
			   struct error *err) MUST_CHECK;
/* hosts "": the servers' own hosts at the port. */
int serving_driver_metrics(struct serving_driver *d, const char *hosts, uint16_t port, struct error *err) MUST_CHECK;
/* Connects the slots, if there are any; cfg has what the protocol adds, the rest is filled in. */
int serving_driver_connect(struct serving_driver *d, struct serving_config *cfg, struct error *err) MUST_CHECK;

/* "grpc", or the other word the driver takes. */
int serving_protocol(enum call_protocol *ret, const char *given, const char *http, struct error *err) MUST_CHECK;
/* A name that goes into URLs and JSON as it is: no white space, quotes, backslashes and control characters. */
int serving_check_name(const char *option, const char *name, struct error *err) MUST_CHECK;
bool serving_is_vision(const struct driver_config *cfg);
/* A question to server e, over gRPC and over HTTP; as grpc_fetch and http_fetch. */
int serving_ask_grpc(const struct serving_driver *d, struct endpoint *e, const char *path, const struct buf *message,
		     int *ret_status, struct buf *ret, struct error *err) MUST_CHECK;
int serving_ask_http(const struct serving_driver *d, const struct endpoint *e, const char *path, int *ret_status,
		     struct buf *ret, struct error *err) MUST_CHECK;
/* As text for the user: what the server at e said, in an error of open. */
int serving_model_missing(const struct endpoint *e, const char *model, const char *why, struct error *err);

#endif
