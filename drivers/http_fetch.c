/*
 * http_fetch.c - one HTTP request that is waited for; see the header.
 */
#include "drivers/http_fetch.h"

#include "drivers/curl_handle.h"

#define BODY_MAX ((size_t)16 << 20)

struct reply {
	struct buf *body;
	size_t left;
	const atomic_int *interrupt;
};

static size_t take(char *bytes, size_t size, size_t n, void *arg)
{
	struct reply *r = arg;
	size_t len = size * n;

	if (len > r->left || buf_append(r->body, bytes, len) < 0)
		return 0;
	r->left -= len;
	return len;
}

static int check_interrupt(void *arg, curl_off_t dltotal, curl_off_t dlnow, curl_off_t ultotal, curl_off_t ulnow)
{
	const struct reply *r = arg;

	(void)dltotal;
	(void)dlnow;
	(void)ultotal;
	(void)ulnow;
	return r->interrupt && atomic_load(r->interrupt) ? 1 : 0;
}

int http_fetch(const struct http_fetch *f, int *ret_status, struct buf *ret, struct error *err)
{
	const struct curl_request q = {f->server, f->conn, f->path, f->content_type, f->headers, f->nheaders};
	struct reply reply = {
		.body = ret, .left = f->body_max ? f->body_max : BODY_MAX, .interrupt = f->conn->interrupt};
	char errbuf[CURL_ERROR_SIZE] = "";
	struct curl_slist *headers;
	long status = 0;
	CURLcode code;
	CURL *h;
	int r = curl_handle_new(&h, &headers, &q, err);

	if (r < 0)
		return r;
	curl_easy_setopt(h, CURLOPT_ERRORBUFFER, errbuf);
	curl_easy_setopt(h, CURLOPT_WRITEFUNCTION, take);
	curl_easy_setopt(h, CURLOPT_WRITEDATA, &reply);
	curl_easy_setopt(h, CURLOPT_NOPROGRESS, 0L);
	curl_easy_setopt(h, CURLOPT_XFERINFOFUNCTION, check_interrupt);
	curl_easy_setopt(h, CURLOPT_XFERINFODATA, &reply);
	if (f->content_type) {
		curl_easy_setopt(h, CURLOPT_POSTFIELDS, f->body ? f->body : "");
		curl_easy_setopt(h, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)f->size);
	}
	code = curl_easy_perform(h);
	if (code == CURLE_OK) {
		curl_easy_getinfo(h, CURLINFO_RESPONSE_CODE, &status);
		*ret_status = (int)status;
	} else if (code == CURLE_ABORTED_BY_CALLBACK) {
		r = error_set(err, ERR_CANCELED, "%s: interrupted while waiting for the server",
			      endpoint_name(f->server));
	} else {
		r = curl_handle_error(code, f->server, f->conn, errbuf, err);
	}
	curl_easy_cleanup(h);
	curl_slist_free_all(headers);
	return r;
}
