/*
 * grpc_fetch.c - one gRPC call that is waited for; see the header.
 */
#include "drivers/grpc_fetch.h"

#define POLL_SLICE (100 * NSEC_PER_MSEC)

static int wait_for_end(const struct grpc_fetch *f, struct call_transport *t, struct call_finished *ret,
			struct error *err)
{
	int n = 0;

	while (n == 0) {
		if (f->conn->interrupt && atomic_load(f->conn->interrupt))
			return error_set(err, ERR_CANCELED, "%s: interrupted while waiting for the server",
					 endpoint_name(f->server));
		n = t->ops->poll(t, clock_now() + POLL_SLICE, ret, 1, err);
	}
	return n < 0 ? n : 0;
}

int grpc_fetch(const struct grpc_fetch *f, int *ret_status, struct buf *ret, struct error *err)
{
	struct tls_config *tls = NULL;
	struct call_config cfg = {
		.protocol = CALL_GRPC,
		.slots = 1,
		.nservers = 1,
		.servers = &f->server,
		.conn = f->conn,
		.path = f->path,
		.views = 1,
	};
	const struct iovec body = {.iov_base = (void *)f->message, .iov_len = f->size};
	struct call c = {.body = &body, .nbody = 1, .size = f->size};
	struct call_transport *t = NULL;
	struct call_finished done = {.status = -1};
	int r = f->conn->tls ? tls_config_new(&tls, f->conn, ALPN_HTTP2, err) : 0;

	cfg.tls = tls;
	if (r == 0)
		r = call_grpc_lean.open(&t, &cfg, err);
	if (r == 0) {
		c.sent = clock_now();
		r = t->ops->send(t, &c);
		if (r < 0)
			error_set(err, (enum error_code)r, "%s: %s", endpoint_name(f->server), error_message(r));
	}
	if (r == 0)
		r = wait_for_end(f, t, &done, err);
	*ret_status = done.status;
	if (r == 0 && done.code < 0)
		r = error_set(err, (enum error_code)done.code, "%s", done.text);
	else if (r == 0 && buf_append(ret, done.body, done.size) < 0)
		r = error_set(err, ERR_NOMEM, "out of memory for the reply");
	call_grpc_lean.close(t);
	tls_config_free(tls);
	return r;
}
