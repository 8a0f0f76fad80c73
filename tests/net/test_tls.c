/*
 * TLS, against a server thread of the test's own, with certificates that it makes itself.
 *
 * The server accepts one connection, and echoes what it reads until the client closes.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/arith.h"
#include "net/conn.h"
#include "net/redis_client.h"
#include "tests/support/process.h"
#include "tests/support/redis_server.h"

#define SOON (clock_now() + 20 * NSEC_PER_SEC)

static char folder[256];
static char ca_file[300], other_ca_file[300], server_file[300], client_file[300], expired_file[300];

struct identity {
	EVP_PKEY *key;
	X509 *cert;
};

static void add_extension(X509 *cert, int nid, const char *value)
{
	X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, NULL, nid, value);

	assert_non_null(extension);
	assert_int_equal(X509_add_ext(cert, extension, -1), 1);
	X509_EXTENSION_free(extension);
}

/* names: subjectAltName, NULL for an authority. */
static struct identity make_identity(const char *common_name, const char *names, const struct identity *issuer,
				     long valid_seconds)
{
	static long serial = 1;
	struct identity id = {.key = EVP_EC_gen("P-256"), .cert = X509_new()};
	X509_NAME *subject = X509_get_subject_name(id.cert);

	assert_non_null(id.key);
	X509_set_version(id.cert, X509_VERSION_3);
	ASN1_INTEGER_set(X509_get_serialNumber(id.cert), serial++);
	X509_gmtime_adj(X509_getm_notBefore(id.cert), -86400);
	X509_gmtime_adj(X509_getm_notAfter(id.cert), valid_seconds);
	X509_set_pubkey(id.cert, id.key);
	X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, (const unsigned char *)common_name, -1, -1, 0);
	X509_set_issuer_name(id.cert, issuer ? X509_get_subject_name(issuer->cert) : subject);
	add_extension(id.cert, NID_basic_constraints, names ? "CA:FALSE" : "critical,CA:TRUE");
	if (names)
		add_extension(id.cert, NID_subject_alt_name, names);
	assert_true(X509_sign(id.cert, issuer ? issuer->key : id.key, EVP_sha256()) > 0);
	return id;
}

static void write_identity(char *path, size_t size, const char *name, const struct identity *id)
{
	FILE *f;

	snprintf(path, size, "%s/%s", folder, name);
	f = fopen(path, "w");
	assert_non_null(f);
	assert_int_equal(PEM_write_X509(f, id->cert), 1);
	assert_int_equal(PEM_write_PrivateKey(f, id->key, NULL, NULL, 0, NULL, NULL), 1);
	fclose(f);
}

static void identity_release(struct identity *id)
{
	X509_free(id->cert);
	EVP_PKEY_free(id->key);
}

static int make_certificates(void **state)
{
	struct identity ca, other, server, client, expired;

	(void)state;
	temp_folder_new(folder, sizeof(folder));
	ca = make_identity("Test CA", NULL, NULL, 86400);
	other = make_identity("Other CA", NULL, NULL, 86400);
	server = make_identity("server", "DNS:localhost", &ca, 86400);
	expired = make_identity("expired", "IP:127.0.0.1", &ca, -3600);
	client = make_identity("client", "DNS:client", &ca, 86400);
	write_identity(ca_file, sizeof(ca_file), "ca.pem", &ca);
	write_identity(other_ca_file, sizeof(other_ca_file), "other.pem", &other);
	write_identity(server_file, sizeof(server_file), "server.pem", &server);
	write_identity(expired_file, sizeof(expired_file), "expired.pem", &expired);
	write_identity(client_file, sizeof(client_file), "client.pem", &client);
	identity_release(&ca);
	identity_release(&other);
	identity_release(&server);
	identity_release(&expired);
	identity_release(&client);
	return 0;
}

static int remove_certificates(void **state)
{
	(void)state;
	temp_folder_remove(folder);
	return 0;
}

struct server {
	pthread_t thread;
	int listener;
	unsigned short port;
	SSL_CTX *ctx;
};

static void *serve(void *arg)
{
	struct server *s = arg;
	struct timeval limit = {.tv_sec = 20};
	int fd = accept(s->listener, NULL, NULL), n;
	static const int CHUNK = 50000;
	char *buf = malloc((size_t)CHUNK);
	SSL *ssl = SSL_new(s->ctx);

	if (fd < 0)
		goto out;
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
	SSL_set_fd(ssl, fd);
	if (SSL_accept(ssl) == 1) {
		while ((n = SSL_read(ssl, buf, CHUNK)) > 0 && SSL_write(ssl, buf, n) > 0)
			;
	}
out:
	ERR_clear_error();
	SSL_free(ssl);
	if (fd >= 0)
		close(fd);
	free(buf);
	return NULL;
}

static void server_start(struct server *s, const char *identity, const char *client_ca)
{
	struct sockaddr_in sin = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(sin);

	s->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(s->listener, (struct sockaddr *)&sin, sizeof(sin)), 0);
	assert_int_equal(listen(s->listener, 16), 0);
	assert_int_equal(getsockname(s->listener, (struct sockaddr *)&sin, &len), 0);
	s->port = ntohs(sin.sin_port);
	s->ctx = SSL_CTX_new(TLS_server_method());
	assert_int_equal(SSL_CTX_use_certificate_file(s->ctx, identity, SSL_FILETYPE_PEM), 1);
	assert_int_equal(SSL_CTX_use_PrivateKey_file(s->ctx, identity, SSL_FILETYPE_PEM), 1);
	if (client_ca) {
		assert_int_equal(SSL_CTX_load_verify_file(s->ctx, client_ca), 1);
		SSL_CTX_set_verify(s->ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
	}
	assert_int_equal(pthread_create(&s->thread, NULL, serve, s), 0);
}

static void server_stop(struct server *s)
{
	shutdown(s->listener, SHUT_RDWR);
	assert_int_equal(pthread_join(s->thread, NULL), 0);
	close(s->listener);
	SSL_CTX_free(s->ctx);
}

/* A client of one server. */
struct client {
	struct endpoint *endpoint;
	struct tls_config *tls;
	struct conn *conn;
	struct error err;
};

static void client_new(struct client *c, const char *host, unsigned short port, const struct conn_options *o)
{
	assert_int_equal(endpoint_resolve(&c->endpoint, host, port, NULL, &c->err), 0);
	assert_int_equal(tls_config_new(&c->tls, o, NULL, &c->err), 0);
	assert_int_equal(conn_new(&c->conn, c->endpoint, c->tls), 0);
}

static void client_release(struct client *c)
{
	conn_free(c->conn);
	tls_config_free(c->tls);
	endpoint_free(c->endpoint);
}

/* The result of opening a connection to a new server, with what the user would read. */
static int open_once(const char *identity, const char *client_ca, const char *host, const struct conn_options *o,
		     char *text)
{
	struct server s;
	struct client c;
	char byte[1] = {0};
	int r;

	server_start(&s, identity, client_ca);
	client_new(&c, host, s.port, o);
	r = conn_open_wait(c.conn, SOON, &c.err);
	/* TLS 1.3 tells of a missing client certificate only after the handshake. */
	if (r == 0)
		r = conn_write_all(c.conn, "x", 1, SOON, &c.err);
	while (r == 0 || r == ERR_AGAIN) {
		r = (int)conn_read(c.conn, byte, 1, &c.err);
		if (r == 1)
			break;
		if (r == ERR_AGAIN)
			assert_int_equal(conn_wait(c.conn, conn_wants(c.conn), SOON, &c.err), 0);
	}
	if (r == 1) {
		r = byte[0] == 'x' ? 0 : ERR_WRONG;
		*text = '\0';
	} else {
		memcpy(text, c.err.text, sizeof(c.err.text));
	}
	client_release(&c);
	server_stop(&s);
	return r;
}

static void trusted_server_is_connected(void **state)
{
	struct conn_options o = {.ca_cert = ca_file};
	char text[ERROR_TEXT_MAX];

	(void)state;
	assert_int_equal(open_once(server_file, NULL, "localhost", &o, text), 0);
}

static void server_for_another_host_is_refused(void **state)
{
	struct conn_options o = {.ca_cert = ca_file};
	char text[ERROR_TEXT_MAX];

	(void)state;
	assert_int_equal(open_once(server_file, NULL, "127.0.0.1", &o, text), ERR_TLS);
	assert_non_null(strstr(text, "not for \"127.0.0.1\""));
}

static void unknown_authority_is_refused(void **state)
{
	struct conn_options other = {.ca_cert = other_ca_file}, system = {0};
	char text[ERROR_TEXT_MAX];

	(void)state;
	assert_int_equal(open_once(server_file, NULL, "localhost", &other, text), ERR_TLS);
	assert_non_null(strstr(text, "-cacert"));
	assert_int_equal(open_once(server_file, NULL, "localhost", &system, text), ERR_TLS);
	assert_non_null(strstr(text, "not trusted"));
}

static void expired_certificate_is_refused(void **state)
{
	struct conn_options o = {.ca_cert = ca_file};
	char text[ERROR_TEXT_MAX];

	(void)state;
	assert_int_equal(open_once(expired_file, NULL, "127.0.0.1", &o, text), ERR_TLS);
	assert_non_null(strstr(text, "expired"));
}

static void insecure_accepts_any_certificate(void **state)
{
	struct conn_options o = {.insecure = true};
	char text[ERROR_TEXT_MAX];

	(void)state;
	assert_int_equal(open_once(server_file, NULL, "127.0.0.1", &o, text), 0);
	assert_int_equal(open_once(expired_file, NULL, "127.0.0.1", &o, text), 0);
}

static void client_certificate_is_shown(void **state)
{
	struct conn_options o = {.ca_cert = ca_file, .cert = client_file};
	char text[ERROR_TEXT_MAX];

	(void)state;
	assert_int_equal(open_once(server_file, ca_file, "localhost", &o, text), 0);
	o.key = client_file;
	assert_int_equal(open_once(server_file, ca_file, "localhost", &o, text), 0);
}

static void missing_client_certificate_is_asked_for(void **state)
{
	struct conn_options o = {.ca_cert = ca_file};
	char text[ERROR_TEXT_MAX];
	int r;

	(void)state;
	/* The alert that says so may be lost to the reset of the connection that follows it. */
	r = open_once(server_file, ca_file, "localhost", &o, text);
	assert_true(r == ERR_TLS || r == ERR_CLOSED);
	assert_non_null(strstr(text, "-cert and -key"));
}

static void unusable_files_are_named(void **state)
{
	struct conn_options o = {.ca_cert = "/no/such/ca.pem"};
	struct tls_config *t = NULL;
	struct error err;

	(void)state;
	assert_int_equal(tls_config_new(&t, &o, NULL, &err), ERR_TLS);
	assert_memory_equal(err.text, "/no/such/ca.pem", 15);
	o = (struct conn_options){.cert = "/no/such/cert.pem"};
	assert_int_equal(tls_config_new(&t, &o, NULL, &err), ERR_TLS);
	assert_memory_equal(err.text, "/no/such/cert.pem", 17);
	o = (struct conn_options){.cert = server_file, .key = client_file};
	assert_int_equal(tls_config_new(&t, &o, NULL, &err), ERR_TLS);
	assert_memory_equal(err.text, client_file, strlen(client_file));
	o = (struct conn_options){.key = client_file};
	assert_int_equal(tls_config_new(&t, &o, NULL, &err), ERR_USAGE);
	assert_null(t);
	tls_config_free(t);
}

/* Many views, records larger than one, a full socket: what comes back is what was sent. */
static void large_requests_survive_partial_writes(void **state)
{
	enum { VIEWS = 40, TOTAL = 4 << 20 };
	struct conn_options o = {.ca_cert = ca_file};
	unsigned char *sent = malloc(TOTAL), *got = malloc(TOTAL);
	size_t nsent = 0, ngot = 0, ends[VIEWS + 1] = {0};
	struct server s;
	struct client c;

	(void)state;
	for (size_t i = 0; i < TOTAL; i++)
		sent[i] = (unsigned char)(i * 31 + i / 255);
	for (size_t i = 1; i < VIEWS; i++)
		ends[i] = ends[i - 1] + i * i * 7 + (i == 20 ? 1000000 : 0);
	ends[VIEWS] = TOTAL;
	server_start(&s, server_file, NULL);
	client_new(&c, "localhost", s.port, &o);
	assert_int_equal(conn_open_wait(c.conn, SOON, &c.err), 0);
	while (ngot < TOTAL) {
		struct iovec iov[VIEWS];
		short wants = 0;
		int n = 0;
		ssize_t moved;

		for (size_t i = 0; i < VIEWS; i++) {
			size_t from = ends[i] > nsent ? ends[i] : nsent;

			if (from < ends[i + 1])
				iov[n++] = (struct iovec){sent + from, ends[i + 1] - from};
		}
		moved = n ? conn_writev(c.conn, iov, n, &c.err) : ERR_AGAIN;
		assert_true(moved > 0 || moved == ERR_AGAIN);
		if (moved > 0)
			nsent += (size_t)moved;
		else if (n)
			wants |= conn_wants(c.conn);
		do {
			moved = conn_read(c.conn, got + ngot, TOTAL - ngot, &c.err);
			assert_true(moved > 0 || moved == ERR_AGAIN);
			if (moved > 0)
				ngot += (size_t)moved;
		} while (conn_pending(c.conn));
		if (wants && moved == ERR_AGAIN)
			assert_int_equal(conn_wait(c.conn, (short)(wants | conn_wants(c.conn)), SOON, &c.err), 0);
	}
	assert_memory_equal(sent, got, TOTAL);
	client_release(&c);
	server_stop(&s);
	free(sent);
	free(got);
}

static void server_that_speaks_no_tls_is_told(void **state)
{
	struct conn_options o = {.ca_cert = ca_file};
	struct sockaddr_in sin = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(sin);
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), peer, r;
	struct client c;
	char hello[2000];

	(void)state;
	assert_int_equal(bind(listener, (struct sockaddr *)&sin, sizeof(sin)), 0);
	assert_int_equal(listen(listener, 16), 0);
	assert_int_equal(getsockname(listener, (struct sockaddr *)&sin, &len), 0);

	client_new(&c, "127.0.0.1", ntohs(sin.sin_port), &o);
	r = conn_start(c.conn, &c.err);
	peer = accept(listener, NULL, NULL);
	while (r == ERR_AGAIN && conn_wants(c.conn) != POLLIN) /* until the ClientHello is out */
		r = conn_connect(c.conn, &c.err);
	assert_int_equal(r, ERR_AGAIN);
	assert_int_equal(conn_wait(c.conn, conn_wants(c.conn), clock_now(), &c.err), ERR_TIMEOUT);
	assert_non_null(strstr(c.err.text, "TLS handshake did not finish"));
	assert_true(recv(peer, hello, sizeof(hello), 0) > 0);
	assert_int_equal(send(peer, "-ERR unknown command\r\n", 22, 0), 22);
	assert_int_equal(conn_wait(c.conn, conn_wants(c.conn), SOON, &c.err), 0);
	assert_int_equal(conn_connect(c.conn, &c.err), ERR_TLS);
	assert_non_null(strstr(c.err.text, "leave out -tls"));
	assert_int_equal(conn_fd(c.conn), -1);
	close(peer);

	r = conn_start(c.conn, &c.err);
	peer = accept(listener, NULL, NULL);
	while (r == ERR_AGAIN && conn_wants(c.conn) != POLLIN)
		r = conn_connect(c.conn, &c.err);
	shutdown(peer, SHUT_WR);
	while (r == ERR_AGAIN) {
		assert_int_equal(conn_wait(c.conn, conn_wants(c.conn), SOON, &c.err), 0);
		r = conn_connect(c.conn, &c.err);
	}
	assert_int_equal(r, ERR_CLOSED);
	assert_non_null(strstr(c.err.text, "does it speak TLS there?"));
	close(peer);
	client_release(&c);
	close(listener);
}

static void redis_is_spoken_to_over_tls(void **state)
{
	unsigned short tls_port = free_port();
	char tls_port_text[8];
	const char *extra[] = {
		"--tls-port", tls_port_text,        "--tls-cert-file", server_file,          "--tls-key-file",
		server_file,  "--tls-ca-cert-file", ca_file,           "--tls-auth-clients", "yes",
		NULL};
	struct conn_options o;
	struct redis_server s;
	struct client c;
	struct redis_client *redis = NULL;
	const struct resp_node *reply;
	size_t n;

	(void)state;
	snprintf(tls_port_text, sizeof(tls_port_text), "%u", tls_port);
	redis_server_start(&s, extra);
	conn_options_defaults(&o);
	o.ca_cert = ca_file;
	o.cert = client_file;
	client_new(&c, "localhost", tls_port, &o);
	assert_int_equal(redis_client_open(&redis, c.endpoint, c.tls, &o, &c.err), 0);
	assert_int_equal(redis_client_commandf(redis, &reply, &n, &c.err, "ECHO %s", "hello"), 0);
	assert_memory_equal(reply->data, "hello", 5);
	redis_client_close(redis);
	redis = NULL;

	/* Without TLS on the TLS port: the advice is to pass it. */
	assert_true(redis_client_open(&redis, c.endpoint, NULL, &o, &c.err) < 0);
	assert_non_null(strstr(c.err.text, "-tls"));
	assert_null(redis);
	client_release(&c);
	redis_server_stop(&s, false);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(trusted_server_is_connected),
		cmocka_unit_test(server_for_another_host_is_refused),
		cmocka_unit_test(unknown_authority_is_refused),
		cmocka_unit_test(expired_certificate_is_refused),
		cmocka_unit_test(insecure_accepts_any_certificate),
		cmocka_unit_test(client_certificate_is_shown),
		cmocka_unit_test(missing_client_certificate_is_asked_for),
		cmocka_unit_test(unusable_files_are_named),
		cmocka_unit_test(large_requests_survive_partial_writes),
		cmocka_unit_test(server_that_speaks_no_tls_is_told),
		cmocka_unit_test(redis_is_spoken_to_over_tls),
	};

	signal(SIGPIPE, SIG_IGN); /* for the test's own server; the client side must not need it, see test_conn */
	return cmocka_run_group_tests_name("tls", tests, make_certificates, remove_certificates);
}
