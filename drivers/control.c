/*
 * control.c - questions beside the inferences; see the header.
 */
#include "drivers/control.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BODY_MAX ((size_t)16 << 20)

/* ---- HTTP ---- */

static size_t take_body(char *bytes, size_t size, size_t n, void *arg)
{
	struct buf *body = arg;

	if (n > BODY_MAX - body->len || buf_append(body, bytes, size * n) < 0)
		return 0;
	return size * n;
}

static int look_for_interrupt(void *arg, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
	const struct conn_options *conn = arg;

	(void)a;
	(void)b;
	(void)c;
	(void)d;
	return conn->interrupt && atomic_load(conn->interrupt);
}

static void set_tls(CURL *curl, const struct conn_options *conn)
{
	if (conn->ca_cert)
		curl_easy_setopt(curl, CURLOPT_CAINFO, conn->ca_cert);
	if (conn->cert)
		curl_easy_setopt(curl, CURLOPT_SSLCERT, conn->cert);
	if (conn->key)
		curl_easy_setopt(curl, CURLOPT_SSLKEY, conn->key);
	if (conn->insecure) {
		curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 0L);
		curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 0L);
	}
}

static int code_of(CURLcode c)
{
	switch (c) {
	case CURLE_OPERATION_TIMEDOUT:
		return ERR_TIMEOUT;
	case CURLE_ABORTED_BY_CALLBACK:
		return ERR_CANCELED;
	case CURLE_SSL_CONNECT_ERROR:
	case CURLE_PEER_FAILED_VERIFICATION:
		return ERR_TLS;
	case CURLE_COULDNT_CONNECT:
	case CURLE_COULDNT_RESOLVE_HOST:
		return ERR_CONNECT;
	default:
		return ERR_IO;
	}
}

static int make_url(struct buf *url, const struct endpoint *e, const struct conn_options *conn, const char *path)
{
	const char *scheme = conn->tls ? "https" : "http", *host = endpoint_host(e);
	bool v6 = strchr(host, ':') != NULL;

	if (conn->unix_socket)
		return buf_printf(url, "%s://%s%s", scheme, host, path);
	return buf_printf(url, "%s://%s%s%s:%u%s", scheme, v6 ? "[" : "", host, v6 ? "]" : "", endpoint_port(e), path);
}

int control_get(const struct endpoint *e, const struct conn_options *conn, const char *path, int *ret_status,
		struct buf *ret_body, struct error *err)
{
	char why[CURL_ERROR_SIZE] = "";
	struct buf url = {0};
	CURL *curl = curl_easy_init();
	long status = 0;
	CURLcode c;
	int r = 0;

	if (!curl || make_url(&url, e, conn, path) < 0) {
		r = error_set(err, ERR_NOMEM, "out of memory");
		goto out;
	}
	curl_easy_setopt(curl, CURLOPT_URL, url.data);
	curl_easy_setopt(curl, CURLOPT_PROXY, "");
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)(conn->timeout / NSEC_PER_MSEC) + 1);
	curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, why);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_body);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, ret_body);
	curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
	curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, look_for_interrupt);
	curl_easy_setopt(curl, CURLOPT_XFERINFODATA, conn);
	if (conn->unix_socket)
		curl_easy_setopt(curl, CURLOPT_UNIX_SOCKET_PATH, conn->unix_socket);
	set_tls(curl, conn);
	c = curl_easy_perform(curl);
	if (c != CURLE_OK)
		r = error_set(err, (enum error_code)code_of(c), "%s: %s: %s", endpoint_name(e), path,
			      *why ? why : curl_easy_strerror(c));
	curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
	*ret_status = (int)status;
out:
	curl_easy_cleanup(curl);
	buf_release(&url);
	return r;
}

/* ---- gRPC ---- */

static int wait_for_reply(struct call_transport *t, const struct call *c, const struct conn_options *conn,
			  struct call_finished *ret, struct error *err)
{
	nsec_t deadline = c->sent + conn->timeout;
	int n = t->ops->send(t, c);

	/* A connection that is lost right after it was made comes back, or it does not. */
	while (n == 0 || n == ERR_AGAIN) {
		bool sent = n == 0;
		nsec_t now = clock_now();

		if (conn->interrupt && atomic_load(conn->interrupt))
			return error_set(err, ERR_CANCELED, "interrupted while asking the server");
		if (!sent && now >= deadline)
			return error_set(err, ERR_TIMEOUT, "timed out: no connection to the server");
		n = t->ops->poll(t, now + 100 * NSEC_PER_MSEC, ret, 1, err);
		if (n != 0)
			break;
		n = sent ? 0 : t->ops->send(t, c);
	}
	return n < 0 ? n : 0;
}

int control_call(struct endpoint *e, const struct conn_options *conn, const struct tls_config *tls, const char *path,
		 const struct buf *message, int *ret_status, struct buf *ret_reply, struct error *err)
{
	const struct call_config cfg = {
		.protocol = CALL_GRPC,
		.slots = 1,
		.nservers = 1,
		.servers = &e,
		.conn = conn,
		.tls = tls,
		.path = path,
	};
	const struct iovec body = {.iov_base = message->data, .iov_len = message->len};
	struct call c = {.body = &body, .nbody = message->len > 0, .size = message->len};
	struct call_finished f = {.status = -1};
	struct call_transport *t = NULL;
	int r = call_grpc_lean.open(&t, &cfg, err);

	*ret_status = -1;
	if (r < 0)
		return r;
	c.sent = clock_now();
	r = wait_for_reply(t, &c, conn, &f, err);
	if (r == 0) {
		*ret_status = f.status;
		r = f.code;
		if (r < 0)
			error_set(err, (enum error_code)r, "%s", f.text ? f.text : error_message(r));
		else if (buf_append(ret_reply, f.body, f.size) < 0)
			r = error_set(err, ERR_NOMEM, "out of memory");
	}
	t->ops->close(t);
	return r;
}

/* ---- metrics ---- */

int control_metrics(const struct servers *servers, const struct conn_options *conn, const char *path,
		    server_stat_fn *fn, void *arg, struct error *err)
{
	int r = 0;

	for (unsigned i = 0; r == 0 && i < servers->n; i++) {
		const char *name = endpoint_name(servers->endpoints[i]);
		struct buf body = {0};
		int status;

		r = control_get(servers->endpoints[i], conn, path, &status, &body, err);
		if (r == 0 && status != 200)
			r = error_set(err, ERR_NOT_FOUND, "%s: no metrics at %s (HTTP status %d)", name, path, status);
		if (r == 0 && body.data)
			prometheus_report(body.data, body.len, name, fn, arg);
		buf_release(&body);
	}
	return r;
}
