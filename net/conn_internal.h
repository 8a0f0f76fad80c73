/*
 * conn_internal.h - what endpoint.c, conn.c and tls.c share.
 */
#ifndef NET_CONN_INTERNAL_H
#define NET_CONN_INTERNAL_H

#include <sys/socket.h>

#include "net/conn.h"

struct address {
	struct sockaddr_storage sa;
	socklen_t len;
};

struct endpoint {
	char *name, *host;
	uint16_t port; /* 0: a Unix socket */
	unsigned naddresses;
	struct address addresses[];
};

/* One TLS session on a connected socket. The calls follow conn.h; on ERR_AGAIN *wants is what to wait for. */
struct tls_session;

int tls_session_new(struct tls_session **ret, const struct tls_config *t, const struct endpoint *e, int fd,
		    struct error *err) MUST_CHECK;
void tls_session_free(struct tls_session *s);
int tls_handshake(struct tls_session *s, short *wants, struct error *err);
ssize_t tls_writev(struct tls_session *s, const struct iovec *iov, int iovcnt, short *wants, struct error *err);
ssize_t tls_read(struct tls_session *s, void *buf, size_t len, short *wants, struct error *err);
bool tls_pending(const struct tls_session *s);

/* What a socket's errno means to the caller: ERR_CLOSED or ERR_IO, with a line that names the server. */
int socket_error(const struct endpoint *e, int errnum, struct error *err);
int closed_by_server(const struct endpoint *e, struct error *err);

#endif
