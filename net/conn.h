/*
 * conn.h - a non-blocking byte stream to a server: TCP, Unix socket, either with TLS.
 *
 * Knows no protocol, owns no event loop, never blocks (name resolution excepted: it happens once, in
 * endpoint_resolve). The owner waits on conn_fd() for conn_wants() with epoll or poll, and calls conn_connect()
 * until it is done, then conn_writev() and conn_read().
 */
#ifndef NET_CONN_H
#define NET_CONN_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/uio.h>

#include "common/clock.h"
#include "common/error.h"
#include "common/options.h"

/* What the user says about reaching and proving oneself to a server; conn_option_table fills it. */
struct conn_options {
	const char *unix_socket;     /* -unix-socket: path instead of host and port */
	bool tls;                    /* -tls */
	const char *ca_cert;         /* -cacert: trust this PEM file and nothing else */
	const char *cert, *key;      /* -cert, -key: client certificate */
	bool insecure;               /* -insecure: do not verify the server's certificate */
	const char *user, *password; /* -user, -password; NULL password: the environment's REDISCLI_AUTH */
	int64_t timeout;             /* -timeout, nanoseconds: to connect, and for each request */
	const atomic_int *interrupt; /* non-zero ends the blocking waits; may be NULL. Set by a signal handler. */
};

extern const struct option conn_option_table[];
void conn_options_defaults(struct conn_options *o); /* also reads REDISCLI_AUTH */
/* ERR_USAGE for certificates that would not be used. */
int conn_options_check(const struct conn_options *o, struct error *err) MUST_CHECK;

/* One server address, resolved. Immutable after resolving, so threads share it. */
struct endpoint;

/* unix_socket wins over host and port. Up to 64 addresses of a name are kept and tried in turn. */
int endpoint_resolve(struct endpoint **ret, const char *host, uint16_t port, const char *unix_socket,
		     struct error *err) MUST_CHECK;
void endpoint_free(struct endpoint *e);
/* "host:port", "[v6]:port" or the socket's path; what messages call the server. */
const char *endpoint_name(const struct endpoint *e);
const char *endpoint_host(const struct endpoint *e); /* of a Unix socket: the host given, or "localhost" */
uint16_t endpoint_port(const struct endpoint *e);    /* of a Unix socket: 0 */

/* Splits "host:port", "[v6]:port", "host", ":port" (localhost), "v6"; ret_host is malloc'd. */
int endpoint_parse(char **ret_host, uint16_t *ret_port, const char *text, uint16_t default_port,
		   struct error *err) MUST_CHECK;

/* TLS settings shared by the connections of a process; verification is on unless options say -insecure. */
struct tls_config;

#define ALPN_HTTP2 "\x02h2"
/* alpn: protocol list in wire format or NULL. With ALPN_HTTP2 a server that does not choose it is ERR_TLS. */
int tls_config_new(struct tls_config **ret, const struct conn_options *o, const char *alpn,
		   struct error *err) MUST_CHECK;
void tls_config_free(struct tls_config *t);

struct conn;

/* Allocates a connection in the closed state; tls NULL: plain. endpoint and tls must outlive it. */
int conn_new(struct conn **ret, const struct endpoint *e, const struct tls_config *tls) MUST_CHECK;
void conn_free(struct conn *c);

/* Starts to connect (from closed only). Returns 0 when connected already, ERR_AGAIN while under way. */
int conn_start(struct conn *c, struct error *err) MUST_CHECK;
/* Goes on after readiness: 0 when connected and the TLS handshake is done, ERR_AGAIN, or the error that ended it
 * (every address was tried). Unlike the data calls it may take microseconds and allocate. */
int conn_connect(struct conn *c, struct error *err) MUST_CHECK;
/* Gives up the address under way, as one that did not answer in time, and tries the next; returns as conn_connect. */
int conn_next_address(struct conn *c, struct error *err) MUST_CHECK;
void conn_close(struct conn *c); /* back to closed; may be started again */

int conn_fd(const struct conn *c);      /* -1 when closed. Changes with each address that is tried. */
short conn_wants(const struct conn *c); /* POLLIN and/or POLLOUT for what returned ERR_AGAIN last */
bool conn_is_open(const struct conn *c);

/*
 * Bytes moved (> 0), ERR_AGAIN, ERR_CLOSED (end of stream, reset), or ERR_IO/ERR_TLS with errno's text in err (err
 * may be NULL). Plain connections hand iov to the kernel as it is: no copies.
 */
ssize_t conn_writev(struct conn *c, const struct iovec *iov, int iovcnt, struct error *err);
ssize_t conn_read(struct conn *c, void *buf, size_t len, struct error *err);
/* TLS may hold decrypted bytes that epoll does not see; true: read again before waiting. */
bool conn_pending(const struct conn *c);

/* Blocking helpers over poll(2), for control planes and loaders. deadline on the monotonic clock. A flag set with
 * conn_set_interrupt ends them with ERR_CANCELED within a tenth of a second of becoming non-zero. */
void conn_set_interrupt(struct conn *c, const atomic_int *interrupt);
int conn_wait(struct conn *c, short events, nsec_t deadline, struct error *err) MUST_CHECK;
int conn_open_wait(struct conn *c, nsec_t deadline, struct error *err) MUST_CHECK;
int conn_write_all(struct conn *c, const void *buf, size_t len, nsec_t deadline, struct error *err) MUST_CHECK;

/* Redial delays: 10 ms doubling to 1 s, each with up to 25 % jitter from the caller's seed. */
struct backoff {
	nsec_t delay;
	uint64_t seed;
};

void backoff_init(struct backoff *b, uint64_t seed);
nsec_t backoff_next(struct backoff *b); /* how long to wait before the next try */
void backoff_reset(struct backoff *b);

#endif
