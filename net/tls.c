/*
 * tls.c - TLS by OpenSSL under conn.c.
 *
 * OpenSSL's own socket BIO writes without MSG_NOSIGNAL, so that a server that goes away would kill the process; ours
 * is send(2) and recv(2). Several views of one request are gathered into one record: a write for each would cost a
 * record and a system call each. OpenSSL 3.0 itself allocates a few dozen bytes for every record that it writes.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "net/conn_internal.h"

#define RECORD_MAX SSL3_RT_MAX_PLAIN_LENGTH

struct tls_config {
	SSL_CTX *ctx;
	BIO_METHOD *bio_method;
	bool verify;
	bool has_certificate;
	bool http2; /* it is wanted, and over TLS a server says by ALPN that it speaks it */
};

struct tls_session {
	SSL *ssl;
	const struct tls_config *config;
	const struct endpoint *endpoint;
	int fd;
	int errnum;    /* of the last system call that failed; 0: end of stream */
	bool pending;  /* there may be bytes that were received already */
	bool answered; /* the server sent something after the handshake */
	unsigned char gathered[RECORD_MAX];
};

static int bio_write(BIO *bio, const char *data, int len)
{
	struct tls_session *s = BIO_get_data(bio);
	ssize_t n;

	BIO_clear_retry_flags(bio);
	do
		n = send(s->fd, data, (size_t)len, MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	if (n < 0) {
		s->errnum = errno;
		if (errno == EAGAIN || errno == EWOULDBLOCK)
			BIO_set_retry_write(bio);
	}
	return (int)n;
}

static int bio_read(BIO *bio, char *data, int len)
{
	struct tls_session *s = BIO_get_data(bio);
	ssize_t n;

	BIO_clear_retry_flags(bio);
	do
		n = recv(s->fd, data, (size_t)len, 0);
	while (n < 0 && errno == EINTR);
	if (n < 0) {
		s->errnum = errno;
		if (errno == EAGAIN || errno == EWOULDBLOCK)
			BIO_set_retry_read(bio);
	} else if (n == 0) {
		s->errnum = 0;
	}
	return (int)n;
}

static long bio_ctrl(BIO *bio, int command, long number, void *pointer)
{
	(void)bio;
	(void)number;
	(void)pointer;
	return command == BIO_CTRL_FLUSH || command == BIO_CTRL_DUP;
}

/* The oldest reason in OpenSSL's queue, which it empties. */
static const char *openssl_reason(unsigned long *ret_code)
{
	unsigned long code = ERR_get_error();
	const char *reason = ERR_reason_error_string(code);

	ERR_clear_error();
	if (ret_code)
		*ret_code = code;
	if (ERR_SYSTEM_ERROR(code))
		return strerror(ERR_GET_REASON(code));
	return reason ? reason : "unknown reason";
}

static int load_certificate(struct tls_config *t, const struct conn_options *o, struct error *err)
{
	const char *key = o->key && *o->key ? o->key : o->cert;

	if (!o->cert || !*o->cert)
		return o->key && *o->key ? error_set(err, ERR_USAGE, "-key needs -cert, the certificate that it is for")
					 : 0;
	if (SSL_CTX_use_certificate_chain_file(t->ctx, o->cert) != 1)
		return error_set(err, ERR_TLS, "%s: cannot use it as client certificate: %s", o->cert,
				 openssl_reason(NULL));
	if (SSL_CTX_use_PrivateKey_file(t->ctx, key, SSL_FILETYPE_PEM) != 1)
		return error_set(err, ERR_TLS, "%s: cannot use it as the key of the client certificate: %s", key,
				 openssl_reason(NULL));
	t->has_certificate = true;
	return 0;
}

static int load_trust(struct tls_config *t, const struct conn_options *o, struct error *err)
{
	if (o->ca_cert && *o->ca_cert) {
		if (SSL_CTX_load_verify_file(t->ctx, o->ca_cert) != 1)
			return error_set(err, ERR_TLS, "%s: cannot use it as -cacert: %s", o->ca_cert,
					 openssl_reason(NULL));
		return 0;
	}
	if (SSL_CTX_set_default_verify_paths(t->ctx) != 1)
		return error_set(err, ERR_TLS, "cannot load the system's certificate authorities: %s",
				 openssl_reason(NULL));
	return 0;
}

int tls_config_new(struct tls_config **ret, const struct conn_options *o, const char *alpn, struct error *err)
{
	struct tls_config *t = calloc(1, sizeof(*t));
	int r;

	if (!t)
		return error_set(err, ERR_NOMEM, "TLS: out of memory");
	ERR_clear_error();
	t->verify = !o->insecure;
	t->http2 = alpn && strcmp(alpn, ALPN_HTTP2) == 0;
	t->ctx = SSL_CTX_new(TLS_client_method());
	t->bio_method = BIO_meth_new(BIO_TYPE_SOURCE_SINK, "conn");
	if (!t->ctx || !t->bio_method || !BIO_meth_set_write(t->bio_method, bio_write) ||
	    !BIO_meth_set_read(t->bio_method, bio_read) || !BIO_meth_set_ctrl(t->bio_method, bio_ctrl) ||
	    !SSL_CTX_set_min_proto_version(t->ctx, TLS1_2_VERSION)) {
		r = error_set(err, ERR_TLS, "cannot set up TLS: %s", openssl_reason(NULL));
		goto fail;
	}
	SSL_CTX_set_mode(t->ctx, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	/* One recv(2) for a record's header and body, and for several records. */
	SSL_CTX_set_read_ahead(t->ctx, 1);
	SSL_CTX_set_verify(t->ctx, t->verify ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, NULL);
	r = load_trust(t, o, err);
	if (r == 0)
		r = load_certificate(t, o, err);
	if (r < 0)
		goto fail;
	if (alpn && SSL_CTX_set_alpn_protos(t->ctx, (const unsigned char *)alpn, (unsigned)strlen(alpn)) != 0) {
		r = error_set(err, ERR_TLS, "cannot set up TLS: %s", openssl_reason(NULL));
		goto fail;
	}
	*ret = t;
	return 0;
fail:
	tls_config_free(t);
	return r;
}

void tls_config_free(struct tls_config *t)
{
	if (!t)
		return;
	SSL_CTX_free(t->ctx);
	BIO_meth_free(t->bio_method);
	free(t);
}

/* SNI and the name that the certificate must be for; addresses are checked too but have no SNI. */
static bool set_peer_name(SSL *ssl, const char *host)
{
	X509_VERIFY_PARAM *param = SSL_get0_param(ssl);
	unsigned char address[16];

	if (inet_pton(AF_INET, host, address) == 1 || inet_pton(AF_INET6, host, address) == 1)
		return X509_VERIFY_PARAM_set1_ip_asc(param, host) == 1;
	X509_VERIFY_PARAM_set_hostflags(param, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
	return SSL_set_tlsext_host_name(ssl, host) == 1 && SSL_set1_host(ssl, host) == 1;
}

int tls_session_new(struct tls_session **ret, const struct tls_config *t, const struct endpoint *e, int fd,
		    struct error *err)
{
	struct tls_session *s = calloc(1, sizeof(*s));
	BIO *bio = NULL;

	if (!s)
		return error_set(err, ERR_NOMEM, "%s: out of memory", e->name);
	s->config = t;
	s->endpoint = e;
	s->fd = fd;
	ERR_clear_error();
	s->ssl = SSL_new(t->ctx);
	bio = BIO_new(t->bio_method);
	if (!s->ssl || !bio || !set_peer_name(s->ssl, e->host)) {
		BIO_free(bio);
		tls_session_free(s);
		return error_set(err, ERR_TLS, "%s: cannot set up TLS: %s", e->name, openssl_reason(NULL));
	}
	BIO_set_data(bio, s);
	BIO_set_init(bio, 1);
	SSL_set_bio(s->ssl, bio, bio);
	SSL_set_connect_state(s->ssl);
	*ret = s;
	return 0;
}

void tls_session_free(struct tls_session *s)
{
	if (!s)
		return;
	SSL_free(s->ssl);
	free(s);
}

static int untrusted(const struct tls_session *s, long result, struct error *err)
{
	const char *name = s->endpoint->name;

	if (result == X509_V_ERR_HOSTNAME_MISMATCH || result == X509_V_ERR_IP_ADDRESS_MISMATCH)
		return error_set(err, ERR_TLS,
				 "%s: the server's certificate is not for \"%s\": use the name that it is for, or "
				 "-insecure to accept any",
				 name, s->endpoint->host);
	return error_set(err, ERR_TLS,
			 "%s: the server's certificate is not trusted (%s): pass its authority with -cacert, or "
			 "-insecure to accept any",
			 name, X509_verify_cert_error_string(result));
}

static int protocol_failure(const struct tls_session *s, struct error *err)
{
	const char *name = s->endpoint->name, *reason;
	unsigned long code;
	long result = SSL_get_verify_result(s->ssl);

	reason = openssl_reason(&code);
	if (s->config->verify && result != X509_V_OK)
		return untrusted(s, result, err);
	switch (ERR_GET_REASON(code)) {
	case SSL_R_WRONG_VERSION_NUMBER:
	case SSL_R_RECORD_TOO_SMALL:
	case SSL_R_PACKET_LENGTH_TOO_LONG:
		return error_set(err, ERR_TLS,
				 "%s: the server does not speak TLS there: leave out -tls, or name its TLS port", name);
	case SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED:
		return error_set(err, ERR_TLS, "%s: the server wants a client certificate: pass -cert and -key", name);
	case SSL_R_SSLV3_ALERT_HANDSHAKE_FAILURE:
		if (!s->config->has_certificate)
			return error_set(err, ERR_TLS,
					 "%s: the server refused the TLS handshake: does it want a client certificate "
					 "(-cert and -key)?",
					 name);
		break;
	case SSL_R_TLSV1_ALERT_UNKNOWN_CA:
		return error_set(err, ERR_TLS, "%s: the server does not trust the client certificate", name);
	default:
		break;
	}
	return error_set(err, ERR_TLS, "%s: TLS: %s", name, reason);
}

/* What the failure of an SSL_ call means. */
static int failed(struct tls_session *s, int result, short *wants, struct error *err)
{
	switch (SSL_get_error(s->ssl, result)) {
	case SSL_ERROR_WANT_READ:
		*wants = POLLIN;
		return ERR_AGAIN;
	case SSL_ERROR_WANT_WRITE:
		*wants = POLLOUT;
		return ERR_AGAIN;
	case SSL_ERROR_ZERO_RETURN:
		return closed_by_server(s->endpoint, err);
	case SSL_ERROR_SYSCALL:
		ERR_clear_error();
		if (!SSL_is_init_finished(s->ssl) && (s->errnum == 0 || s->errnum == ECONNRESET || s->errnum == EPIPE))
			return error_set(err, ERR_CLOSED,
					 "%s: the server closed the connection during the TLS handshake: does it speak "
					 "TLS there?",
					 s->endpoint->name);
		/* A server that misses a certificate drops the connection; its alert may be lost on the way. */
		if (!s->answered && !s->config->has_certificate)
			return error_set(
				err, ERR_CLOSED,
				"%s: the server dropped the connection after the TLS handshake: does it want a "
				"client certificate (-cert and -key)?",
				s->endpoint->name);
		return s->errnum ? socket_error(s->endpoint, s->errnum, err) : closed_by_server(s->endpoint, err);
	default:
		return protocol_failure(s, err);
	}
}

static int check_protocol(const struct tls_session *s, struct error *err)
{
	const unsigned char *chosen;
	unsigned len;

	SSL_get0_alpn_selected(s->ssl, &chosen, &len);
	if (!s->config->http2 || len > 0) /* OpenSSL takes nothing that was not offered */
		return 0;
	return error_set(
		err, ERR_TLS,
		"%s: the server did not choose HTTP/2 (h2) by ALPN in the TLS handshake: is that a gRPC server?",
		s->endpoint->name);
}

int tls_handshake(struct tls_session *s, short *wants, struct error *err)
{
	int r;

	ERR_clear_error();
	r = SSL_do_handshake(s->ssl);
	return r == 1 ? check_protocol(s, err) : failed(s, r, wants, err);
}

/*
 * The next piece to write: up to one record from iov, `skip` bytes into it. After ERR_AGAIN the caller comes again
 * with the same bytes and perhaps more behind them, so the piece only grows, as OpenSSL demands of a retried write.
 */
static size_t next_piece(struct tls_session *s, const struct iovec *iov, int iovcnt, size_t skip, const void **ret)
{
	size_t n = 0;

	while (iovcnt > 0 && skip >= iov->iov_len) {
		skip -= iov->iov_len;
		iov++;
		iovcnt--;
	}
	if (iovcnt == 0)
		return 0;
	if (iovcnt == 1 || iov->iov_len - skip >= RECORD_MAX) {
		n = iov->iov_len - skip;
		*ret = (const char *)iov->iov_base + skip;
		return n > RECORD_MAX ? RECORD_MAX : n;
	}
	for (; iovcnt > 0 && n < RECORD_MAX; iov++, iovcnt--) {
		size_t part = iov->iov_len - skip;

		if (part > RECORD_MAX - n)
			part = RECORD_MAX - n;
		if (part)
			memcpy(s->gathered + n, (const char *)iov->iov_base + skip, part);
		n += part;
		skip = 0;
	}
	*ret = s->gathered;
	return n;
}

ssize_t tls_writev(struct tls_session *s, const struct iovec *iov, int iovcnt, short *wants, struct error *err)
{
	size_t done = 0;

	for (;;) {
		const void *piece = NULL;
		size_t len = next_piece(s, iov, iovcnt, done, &piece), written;
		int r;

		if (len == 0)
			return (ssize_t)done;
		ERR_clear_error();
		r = SSL_write_ex(s->ssl, piece, len, &written);
		if (r != 1) {
			r = failed(s, r, wants, err);
			return done > 0 && r == ERR_AGAIN ? (ssize_t)done : r;
		}
		done += written;
	}
}

ssize_t tls_read(struct tls_session *s, void *buf, size_t len, short *wants, struct error *err)
{
	size_t n;
	int r;

	ERR_clear_error();
	r = SSL_read_ex(s->ssl, buf, len, &n);
	if (r == 1) {
		s->answered = true;
		s->pending = SSL_has_pending(s->ssl) == 1;
		return (ssize_t)n;
	}
	s->pending = false;
	return failed(s, r, wants, err);
}

bool tls_pending(const struct tls_session *s)
{
	return s->pending;
}
