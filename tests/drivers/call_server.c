/*
 * call_server.c - the connections of the test's server and its HTTP/1.1; see the header.
 */
#include "tests/drivers/call_server.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static void die(const char *what)
{
	perror(what);
	abort();
}

enum call_fault call_server_next_fault(struct call_server *s)
{
	int left = atomic_load(&s->faults_left);

	atomic_fetch_add(&s->requests, 1);
	if (left == 0)
		return CALL_FAULT_NONE;
	if (left > 0)
		atomic_fetch_sub(&s->faults_left, 1);
	return (enum call_fault)atomic_load(&s->fault);
}

bool call_client_write(struct call_client *c, const void *data, size_t len)
{
	const char *p = data;

	while (len > 0) {
		size_t part = len < 1000000 ? len : 1000000;
		ssize_t n = c->ssl ? SSL_write(c->ssl, p, (int)part) : send(c->fd, p, part, MSG_NOSIGNAL);

		if (n <= 0)
			return false;
		p += n;
		len -= (size_t)n;
	}
	return true;
}

long call_client_read(struct call_client *c, void *data, size_t len)
{
	return c->ssl ? SSL_read(c->ssl, data, (int)len) : recv(c->fd, data, len, 0);
}

void call_client_reset(struct call_client *c)
{
	static const struct linger at_once = {.l_onoff = 1};

	setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
}

/* ---- HTTP/1.1 ---- */

/* Reads until a whole request is in c->in; false: the connection is over. */
static bool read_request(struct call_client *c, size_t *ret_head, size_t *ret_body)
{
	for (;;) {
		char *end = c->in.len ? strstr(c->in.data, "\r\n\r\n") : NULL, *length, piece[65536];
		long n;

		if (end) {
			length = strcasestr(c->in.data, "\r\ncontent-length:");
			*ret_head = (size_t)(end - c->in.data) + 4;
			*ret_body = length && length < end ? strtoul(length + 17, NULL, 10) : 0;
			if (c->in.len >= *ret_head + *ret_body) {
				sscanf(c->in.data, "%*s %255s", c->path);
				return true;
			}
		}
		n = call_client_read(c, piece, sizeof(piece));
		if (n <= 0)
			return false;
		buf_append(&c->in, piece, (size_t)n);
	}
}

static void answer(struct buf *out, const char *status, const char *headers, const char *body, size_t size)
{
	buf_printf(out, "HTTP/1.1 %s\r\nContent-Length: %zu\r\nX-Number: 42\r\n%s\r\n", status, size, headers);
	if (size > 0)
		buf_append(out, body, size);
}

static void answer_in_chunks(struct buf *out, const char *body, size_t size)
{
	size_t half = size / 2;

	buf_printf(
		out,
		"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nX-Number: 42\r\n\r\n");
	for (unsigned i = 0; i < 2; i++) {
		size_t n = i ? size - half : half;

		if (n == 0)
			continue;
		buf_printf(out, "%zx\r\n", n);
		buf_append(out, body + (i ? half : 0), n);
		buf_printf(out, "\r\n");
	}
	buf_printf(out, "0\r\n\r\n");
}

static void answer_with_handler(struct call_client *c, const char *body, size_t size, struct buf *out)
{
	struct call_answer a = {.status = 200};
	char status[16];

	c->server->handler(c->server, c->path, body, size, &a);
	snprintf(status, sizeof(status), "%d Status", a.status);
	answer(out, status, a.headers, a.body.data, a.body.len);
	buf_release(&a.body);
}

/* Makes the answer, or the fault; false: the connection is to be closed. */
static bool make_answer(struct call_client *c, const char *body, size_t size, struct buf *out)
{
	static const char words[] = "{\"error\":\"the server's own words: 50% über\"}";
	enum call_fault fault = call_server_next_fault(c->server);
	char piece[4096];

	switch (fault) {
	case CALL_FAULT_RESET:
		call_client_reset(c);
		return false;
	case CALL_FAULT_CLOSE:
		return false;
	case CALL_FAULT_HALF:
		answer(out, "200 OK", "", body, size);
		out->len -= size / 2 + 1;
		return false;
	case CALL_FAULT_GARBAGE:
		buf_printf(out, "\x16\x03\x01 no HTTP\r\n\r\n");
		return false;
	case CALL_FAULT_SILENCE:
		while (call_client_read(c, piece, sizeof(piece)) > 0)
			;
		return false;
	case CALL_FAULT_ERROR:
		answer(out, "404 Not Found", "Content-Type: application/json\r\n", words, strlen(words));
		return true;
	case CALL_FAULT_LAST:
		answer(out, "200 OK", "Connection: close\r\n", body, size);
		return false;
	case CALL_FAULT_IDLE_CLOSE:
		answer(out, "200 OK", "", body, size);
		return false;
	case CALL_FAULT_TWO:
		answer(out, "200 OK", "", body, size);
		answer(out, "200 OK", "", body, size);
		return true;
	case CALL_FAULT_CHUNKED:
		answer_in_chunks(out, body, size);
		return true;
	default:
		if (c->server->handler)
			answer_with_handler(c, body, size, out);
		else
			answer(out, "200 OK", "", body, size);
		return true;
	}
}

void call_server_http(struct call_client *c)
{
	struct buf out = {0};
	size_t head, body;
	bool more = true;

	while (more && read_request(c, &head, &body)) {
		more = make_answer(c, c->in.data + head, body, &out);
		if (!call_client_write(c, out.data, out.len))
			break;
		buf_clear(&out);
		c->in.len -= head + body;
		memmove(c->in.data, c->in.data + head + body, c->in.len);
		c->in.data[c->in.len] = '\0';
	}
	buf_release(&out);
}

/* ---- connections ---- */

static void *serve(void *arg)
{
	struct call_client *c = arg;
	struct call_server *s = c->server;
	bool up = true;

	if (s->ctx) {
		c->ssl = SSL_new(s->ctx);
		SSL_set_fd(c->ssl, c->fd);
		up = SSL_accept(c->ssl) == 1;
	}
	if (up && s->protocol == CALL_HTTP)
		call_server_http(c);
	else if (up)
		call_server_grpc(c);
	ERR_clear_error();
	SSL_free(c->ssl);
	/* The socket itself stays open (as another file) for call_server_stop, but its connection ends now. */
	dup2(s->listener, c->fd);
	buf_release(&c->in);
	atomic_fetch_add(&s->closed, 1);
	return NULL;
}

static void *accept_clients(void *arg)
{
	struct call_server *s = arg;
	int fd, one = 1;

	while ((fd = accept(s->listener, NULL, NULL)) >= 0) {
		unsigned n = atomic_load(&s->connections);
		struct call_client *c = &s->clients[n];

		if (n == CALL_SERVER_CLIENTS)
			die("too many connections for the fake server");
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
		*c = (struct call_client){.server = s, .fd = fd};
		if (pthread_create(&c->thread, NULL, serve, c) != 0)
			die("pthread_create");
		atomic_fetch_add(&s->connections, 1);
	}
	return NULL;
}

static int select_h2(SSL *ssl, const unsigned char **out, unsigned char *len, const unsigned char *in, unsigned in_len,
		     void *arg)
{
	(void)ssl;
	(void)arg;
	return SSL_select_next_proto((unsigned char **)out, len, (const unsigned char *)"\x02h2", 3, in, in_len) ==
			       OPENSSL_NPN_NEGOTIATED
		       ? SSL_TLSEXT_ERR_OK
		       : SSL_TLSEXT_ERR_ALERT_FATAL;
}

static void listen_on_port(struct call_server *s)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(a);

	s->listener = socket(AF_INET, SOCK_STREAM, 0);
	if (bind(s->listener, (struct sockaddr *)&a, len) < 0 || listen(s->listener, CALL_SERVER_CLIENTS) < 0 ||
	    getsockname(s->listener, (struct sockaddr *)&a, &len) < 0)
		die("the fake server cannot listen");
	s->port = ntohs(a.sin_port);
}

static void listen_on_path(struct call_server *s)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};

	snprintf(a.sun_path, sizeof(a.sun_path), "%s", s->unix_socket);
	s->listener = socket(AF_UNIX, SOCK_STREAM, 0);
	if (bind(s->listener, (struct sockaddr *)&a, sizeof(a)) < 0 || listen(s->listener, CALL_SERVER_CLIENTS) < 0)
		die("the fake server cannot listen");
}

void call_server_start(struct call_server *s)
{
	signal(SIGPIPE, SIG_IGN); /* of OpenSSL's writes in this server */
	if (s->certificate) {
		s->ctx = SSL_CTX_new(TLS_server_method());
		if (SSL_CTX_use_certificate_file(s->ctx, s->certificate, SSL_FILETYPE_PEM) != 1 ||
		    SSL_CTX_use_PrivateKey_file(s->ctx, s->key, SSL_FILETYPE_PEM) != 1)
			die("the fake server's certificate");
		if (s->protocol == CALL_GRPC && !s->no_alpn)
			SSL_CTX_set_alpn_select_cb(s->ctx, select_h2, NULL);
	}
	if (s->unix_socket)
		listen_on_path(s);
	else
		listen_on_port(s);
	if (pthread_create(&s->thread, NULL, accept_clients, s) != 0)
		die("pthread_create");
}

void call_server_stop(struct call_server *s)
{
	unsigned n;

	shutdown(s->listener, SHUT_RDWR);
	pthread_join(s->thread, NULL);
	n = atomic_load(&s->connections);
	for (unsigned i = 0; i < n; i++)
		shutdown(s->clients[i].fd, SHUT_RDWR);
	for (unsigned i = 0; i < n; i++) {
		pthread_join(s->clients[i].thread, NULL);
		close(s->clients[i].fd);
	}
	close(s->listener);
	SSL_CTX_free(s->ctx);
}
