/*
 * http_watch.h - ends connections whose clients do not get their requests across.
 *
 * libmicrohttpd's own time-out starts anew with every byte, so that a client that sends one a second holds its
 * connection for ever. Here each stage of a request (until its headers are there, until its body is) has its time as a
 * whole, and a client that went away in the middle of it is not waited for. Whose body does not come is told so, which
 * libmicrohttpd does not do either: 408, or 400 where the client said itself that nothing more will come.
 */
#ifndef SERVERS_MODEL_SERVER_HTTP_WATCH_H
#define SERVERS_MODEL_SERVER_HTTP_WATCH_H

#include "common/clock.h"
#include "common/error.h"

struct http_watch;
struct http_watched; /* one connection */

/* silence: how long nothing of a body may come; limit: how long a stage may take. */
int http_watch_new(struct http_watch **ret, nsec_t silence, nsec_t limit, struct error *err) MUST_CHECK;
void http_watch_free(struct http_watch *w); /* once no connection is left; NULL is a no-op */

/* The client's turn begins. NULL: out of memory. */
struct http_watched *http_watch_add(struct http_watch *w, int fd);
void http_watch_remove(struct http_watch *w, struct http_watched *c); /* before fd is closed; NULL is a no-op */
/* All from the connection's own thread: the client has to send a request's headers from now on, its body; some of that has
 * come; it is the server that has to act. */
void http_watch_headers(struct http_watched *c);
void http_watch_body(struct http_watched *c);
void http_watch_progress(struct http_watched *c);
void http_watch_server(struct http_watched *c);

/* Shuts all connections down, both ways. */
void http_watch_shutdown(struct http_watch *w);

#endif
