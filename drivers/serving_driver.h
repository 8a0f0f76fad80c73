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
	bool metrics_guessed;            /* at another port than is asked, which nobody named */
	char metrics_note[ERROR_TEXT_MAX];
	struct body_template body;
	struct serving *serving; /* NULL: only the control plane */
	const struct call_transport_ops *transport;
	enum call_protocol protocol;
	char path[SERVING_PATH_MAX];
};

int serving_driver_submit(struct driver *d, unsigned slot, struct request *req, nsec_t now);
int serving_driver_poll(struct driver *d, nsec_t deadline, struct completion *done, int max, struct error *err);
void serving_driver_ping_target(const struct driver *d, struct ping_target *ret);
void serving_driver_close(struct driver *d);

/* What a driver's options come to: where its servers are and what its calls are like. */
struct serving_plan {
	enum call_protocol protocol;
	const char *host_option, *hosts, *port; /* the option's name and value; the port where a host has none */
	const char *metrics_hosts;              /* NULL: no metrics; "": the servers' own hosts at metrics_port */
	uint16_t metrics_port;                  /* 0: the servers' own ports */
	/* What the protocol adds to a call; serving_driver_open fills in the rest. */
	struct serving_config call;
};

/* What a driver brings to its open; each is called once, in this order. */
struct serving_kind {
	const struct driver_ops *ops;
	size_t size; /* of the driver's struct */
	/* Copies the options from d->config and checks what is said in them. ret is zeroed. */
	int (*plan)(struct serving_driver *d, struct serving_plan *ret, struct error *err);
	/* Asks each server whether it has the model. NULL: no server is asked. */
	int (*check)(const struct serving_driver *d, struct endpoint *e, struct error *err);
	/* Makes d->body and d->path; a code without words. */
	int (*make_request)(struct serving_driver *d);
};

/* The whole of a driver's open: every slot is connected when it succeeds. */
int serving_driver_open(struct driver **ret, const struct serving_kind *kind, const struct driver_config *cfg,
			struct error *err) MUST_CHECK;

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
/* The counters at path of d->metrics, for a server_stats. */
int serving_metrics(struct serving_driver *d, const char *path, server_stat_fn *fn, void *arg,
		    struct error *err) MUST_CHECK;
/* As text for the user: what the server at e said, in an error of open. version: that was asked for; NULL: none was. */
int serving_model_missing(const struct endpoint *e, const char *model, const char *version, const char *why,
			  struct error *err);

#endif
