/*
 * curl_handle.h - a libcurl handle set up as our own connections are: same server, TLS options, no proxy, no surprises.
 */
#ifndef DRIVERS_CURL_HANDLE_H
#define DRIVERS_CURL_HANDLE_H

#include <curl/curl.h>

#include "net/conn.h"
#include "net/header.h"

struct curl_request {
	const struct endpoint *server;
	const struct conn_options *conn;
	const char *path;
	const char *content_type; /* NULL: no body */
	const struct call_header *headers;
	size_t nheaders;
};

/* *ret_headers is the handle's list, to be freed after it. ERR_NOMEM, ERR_UNSUPPORTED. */
int curl_handle_new(CURL **ret, struct curl_slist **ret_headers, const struct curl_request *q,
		    struct error *err) MUST_CHECK;
/* The code and text of a transfer that failed; errbuf is CURLOPT_ERRORBUFFER's. */
int curl_handle_error(CURLcode code, const struct endpoint *e, const struct conn_options *conn, const char *errbuf,
		      struct error *err);

#endif
