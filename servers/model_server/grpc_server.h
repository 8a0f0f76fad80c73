/*
 * grpc_server.h - the gRPC services of rpc.h on any number of ports, on the gRPC C core.
 *
 * A number of I/O threads, each with its own completion queue, share all connections. A model known to be quick runs
 * in such a thread, another on its queue, whose worker then starts the answer.
 */
#ifndef SERVERS_MODEL_SERVER_GRPC_SERVER_H
#define SERVERS_MODEL_SERVER_GRPC_SERVER_H

#include <stddef.h>

#include "common/clock.h"
#include "common/error.h"
#include "servers/model_server/repository.h"

#define GRPC_MESSAGE_MAX_DEFAULT ((size_t)64 << 20)
#define GRPC_MESSAGES_MIN 4
#define GRPC_TIMEOUT_DEFAULT (60 * NSEC_PER_SEC)

struct grpc_server_config {
	const char *listen;          /* a host name or address; NULL: 127.0.0.1 */
	const unsigned short *ports; /* 0: a free one */
	size_t nports;
	unsigned threads;   /* 0: 1 */
	size_t message_max; /* bytes of a request; 0: GRPC_MESSAGE_MAX_DEFAULT */
	/* Bytes of all messages while they come in: the library looks at a message's length only once it is there whole.
	 * 0: a quarter of the machine's memory. Never less than GRPC_MESSAGES_MIN messages of the largest size. */
	size_t receive_max;
	/* A call whose message takes longer is ended, and a connection that has no call for so long, or has not got as far
	 * as to make one; 0: GRPC_TIMEOUT_DEFAULT. */
	nsec_t timeout;
	struct repository *repository; /* outlives the server */
};

struct grpc_service;

/* ret_ports: of nports, the ports listened on; may be NULL. Errors: ERR_IO (address in use, …), ERR_NOMEM. */
int grpc_service_start(struct grpc_service **ret, const struct grpc_server_config *cfg, unsigned short *ret_ports,
		       struct error *err) MUST_CHECK;
/* The end begins: no new connections and no new calls. Returns at once. NULL is a no-op. */
void grpc_service_quiesce(struct grpc_service *s);
/* The same, then answers the calls under way until then (monotonic), cancels the rest, closes and frees. NULL is a no-op. */
void grpc_service_stop(struct grpc_service *s, nsec_t until);

#endif
