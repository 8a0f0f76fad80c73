/*
 * serving.h - what the drivers of model servers other than Redis have in common: a request is an HTTP or gRPC call,
 * after a fetch of its reference data from Redis where it needs them.
 *
 *	submit ──▶ GET from Redis ──▶ call to the model server ──▶ completion
 *	   └────────────────────────────▲  (without reference data)
 *
 * A protocol brings a body_template and a function that reads its replies; slots, connections, both stages' stamps,
 * time-outs and failures are looked after here.
 */
#ifndef DRIVERS_SERVING_H
#define DRIVERS_SERVING_H

#include "drivers/body_template.h"
#include "drivers/call.h"
#include "drivers/driver.h"
#include "drivers/servers.h"

/* Options that all these drivers have; the first member of each driver's options. */
struct serving_options {
	const char *redis_host; /* of reference data */
	const char *transport;  /* "lean", "curl" or "grpc-core" */
	uint64_t streams;       /* workers that share one HTTP/2 connection */
};

/* Their rows in a driver's table, whose struct `type` has them as its member `serving`. */
#define SERVING_OPTIONS(type) \
	{"redis-host", \
	 OPTION_STRING, \
	 offsetof(type, serving.redis_host), \
	 "`host:port` of the Redis with the reference data, or a comma list; rediss://host:port for TLS, a path for " \
	 "a " \
	 "Unix socket.", \
	 0, \
	 0}, \
		{"transport", \
		 OPTION_STRING, \
		 offsetof(type, serving.transport), \
		 "`name` of what carries the requests: lean, or curl (HTTP) or grpc-core (gRPC), which other clients " \
		 "use.", \
		 0, \
		 0}, \
	{ \
		"streams", OPTION_UINT, offsetof(type, serving.streams), \
			"`count` of workers that share one connection, over gRPC.", 1, 1000 \
	}

#define SERVING_OPTIONS_DEFAULTS \
	{ \
		.redis_host = "127.0.0.1:6379", .transport = "lean", .streams = 1 \
	}

#define SERVING_VISION_MODEL "mobilenet_v1_100_224_cpu"

/* The model as given, or (given NULL) by the use case and whether it gets reference data. */
const char *serving_model(const char *given, const char *use_case, bool reference, const char *vision_default);

/* Reads a reply without an error. values: room for nvalues float32 of the slot. */
typedef int serving_decode_fn(const void *arg, const struct call_finished *f, float *values, size_t nvalues,
			      struct answer *ret, struct error *err);

/* Everything is borrowed while the serving lives. */
struct serving_config {
	const struct driver_config *driver;
	const struct serving_options *options;
	const struct call_transport_ops *transport;
	const struct servers *servers;
	enum call_protocol protocol;
	const char *path, *content_type; /* as in struct call_config */
	const struct call_header *headers;
	size_t nheaders;
	const char *wanted_header;
	const struct body_template *body; /* its inputs are the workload's */
	serving_decode_fn *decode;
	const void *arg;
	const char *error_member; /* of a JSON error reply: what the server says; NULL: replies are no JSON */
};

struct serving;

/* Connects all slots, to Redis too where the driver's config says reference. */
int serving_open(struct serving **ret, const struct serving_config *cfg, struct error *err) MUST_CHECK;
void serving_close(struct serving *s);
/* As a driver's. */
int serving_submit(struct serving *s, unsigned slot, struct request *req, nsec_t now);
int serving_poll(struct serving *s, nsec_t deadline, struct completion *done, int max, struct error *err);
uint64_t serving_reconnects(const struct serving *s);

/* Values that an answer may have at the most: what the workload expects, and room for models with more classes. */
size_t serving_answer_values(const struct driver_config *cfg);
/* ERR_UNSUPPORTED for what no protocol here can do: a tensor batch with reference data. */
int serving_check_config(const struct driver_config *cfg, struct error *err) MUST_CHECK;

#endif
