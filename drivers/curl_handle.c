/*
 * curl_handle.c - how libcurl is set up; see the header.
 */
#include "drivers/curl_handle.h"

#include <string.h>

#include "common/buf.h"

static CURLcode set_tls(CURL *h, const struct conn_options *o)
{
	const bool check = !o->insecure;
	CURLcode r = CURLE_OK;

	curl_easy_setopt(h, CURLOPT_SSL_VERIFYPEER, (long)check);
	curl_easy_setopt(h, CURLOPT_SSL_VERIFYHOST, check ? 2L : 0L);
	if (o->ca_cert && *o->ca_cert)
		r = curl_easy_setopt(h, CURLOPT_CAINFO, o->ca_cert);
	if (r == CURLE_OK && o->cert && *o->cert)
		r = curl_easy_setopt(h, CURLOPT_SSLCERT, o->cert);
	if (r == CURLE_OK && o->cert && *o->cert)
		r = curl_easy_setopt(h, CURLOPT_SSLKEY, o->key && *o->key ? o->key : o->cert);
	return r;
}

static CURLcode set_url(CURL *h, const struct curl_request *q)
{
	const char *scheme = q->conn->tls ? "https" : "http";
	struct buf url = {0};
	CURLcode r;

	if (endpoint_port(q->server) == 0) {
		buf_printf(&url, "%s://%s%s", scheme, endpoint_host(q->server), q->path);
		r = curl_easy_setopt(h, CURLOPT_UNIX_SOCKET_PATH, q->conn->unix_socket);
	} else {
		buf_printf(&url, "%s://%s%s", scheme, endpoint_name(q->server), q->path);
		r = CURLE_OK;
	}
	if (url.failed)
		r = CURLE_OUT_OF_MEMORY;
	if (r == CURLE_OK)
		r = curl_easy_setopt(h, CURLOPT_URL, url.data);
	buf_release(&url);
	return r;
}

static int add_header(struct curl_slist **list, const char *name, const char *value)
{
	struct buf line = {0};
	struct curl_slist *longer;

	buf_printf(&line, "%s: %s", name, value);
	longer = line.failed ? NULL : curl_slist_append(*list, line.data);
	buf_release(&line);
	if (!longer)
		return ERR_NOMEM;
	*list = longer;
	return 0;
}

static int make_headers(struct curl_slist **list, const struct curl_request *q)
{
	/* No pause for "100 Continue" before a large body. */
	struct curl_slist *first = curl_slist_append(NULL, "Expect:");
	int r = first ? 0 : ERR_NOMEM;

	*list = first;
	if (r == 0 && q->content_type)
		r = add_header(list, "Content-Type", q->content_type);
	for (size_t i = 0; r == 0 && i < q->nheaders; i++)
		r = add_header(list, q->headers[i].name, q->headers[i].value);
	return r;
}

int curl_handle_new(CURL **ret, struct curl_slist **ret_headers, const struct curl_request *q, struct error *err)
{
	CURL *h = curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK ? curl_easy_init() : NULL;
	struct curl_slist *headers = NULL;
	CURLcode r;

	if (!h || make_headers(&headers, q) < 0) {
		curl_easy_cleanup(h);
		curl_slist_free_all(headers);
		return error_set(err, ERR_NOMEM, "out of memory for libcurl");
	}
	curl_easy_setopt(h, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(h, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	curl_easy_setopt(h, CURLOPT_HTTPHEADER, headers);
	curl_easy_setopt(h, CURLOPT_DNS_CACHE_TIMEOUT, -1L);
	curl_easy_setopt(h, CURLOPT_TIMEOUT_MS, (long)((q->conn->timeout + NSEC_PER_MSEC - 1) / NSEC_PER_MSEC));
	/* Connections are kept for as long as the server does. */
	curl_easy_setopt(h, CURLOPT_MAXAGE_CONN, 86400L);
	r = curl_easy_setopt(h, CURLOPT_PROXY, "");
	if (r == CURLE_OK)
		r = curl_easy_setopt(h, CURLOPT_USERAGENT, "aibench");
	if (r == CURLE_OK)
		r = set_url(h, q);
	if (r == CURLE_OK)
		r = set_tls(h, q->conn);
	if (r != CURLE_OK) {
		curl_easy_cleanup(h);
		curl_slist_free_all(headers);
		return error_set(err, r == CURLE_OUT_OF_MEMORY ? ERR_NOMEM : ERR_UNSUPPORTED, "libcurl: %s",
				 curl_easy_strerror(r));
	}
	*ret = h;
	*ret_headers = headers;
	return 0;
}

static int code_of(CURLcode code)
{
	switch (code) {
	case CURLE_OUT_OF_MEMORY:
		return ERR_NOMEM;
	case CURLE_OPERATION_TIMEDOUT:
		return ERR_TIMEOUT;
	case CURLE_COULDNT_RESOLVE_HOST:
	case CURLE_COULDNT_CONNECT:
		return ERR_CONNECT;
	case CURLE_GOT_NOTHING:
	case CURLE_SEND_FAIL_REWIND: /* the connection broke, and the request is not sent again */
	case CURLE_SEND_ERROR:
	case CURLE_RECV_ERROR:
	case CURLE_PARTIAL_FILE:
		return ERR_CLOSED;
	case CURLE_SSL_CONNECT_ERROR:
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_SSL_CERTPROBLEM:
	case CURLE_SSL_CACERT_BADFILE:
	case CURLE_SSL_CIPHER:
		return ERR_TLS;
	case CURLE_WEIRD_SERVER_REPLY:
	case CURLE_UNSUPPORTED_PROTOCOL:
	case CURLE_HTTP2:
	case CURLE_BAD_CONTENT_ENCODING:
		return ERR_PROTOCOL;
	case CURLE_FILESIZE_EXCEEDED:
	case CURLE_WRITE_ERROR:
		return ERR_RANGE;
	default:
		return ERR_IO;
	}
}

int curl_handle_error(CURLcode code, const struct endpoint *e, const struct conn_options *conn, const char *errbuf,
		      struct error *err)
{
	const enum error_code ours = (enum error_code)code_of(code);
	char limit[32];

	if (ours == ERR_TIMEOUT)
		return error_set(err, ours, "%s: timed out: no answer within %s", endpoint_name(e),
				 duration_format(limit, sizeof(limit), conn->timeout));
	if (ours == ERR_RANGE)
		return error_set(err, ours, "%s: the reply's body is larger than the limit", endpoint_name(e));
	if (code == CURLE_UNSUPPORTED_PROTOCOL || code == CURLE_WEIRD_SERVER_REPLY)
		return error_set(err, ERR_PROTOCOL,
				 "%s: the server does not speak HTTP/1 there: is it a gRPC port? (%s)",
				 endpoint_name(e), errbuf[0] ? errbuf : curl_easy_strerror(code));
	if (code == CURLE_SEND_FAIL_REWIND || code == CURLE_GOT_NOTHING)
		return error_set(err, ours, "%s: the server closed the connection without an answer", endpoint_name(e));
	return error_set(err, ours, "%s: %s", endpoint_name(e), errbuf[0] ? errbuf : curl_easy_strerror(code));
}
