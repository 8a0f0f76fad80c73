/*
 * http_server.c - libmicrohttpd's callbacks: from a connection's bytes to a request with its body, and its answer back.
 */
#include "servers/model_server/http_server.h"

#include <errno.h>
#include <microhttpd.h>
#include <netdb.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/decimal.h"
#include "servers/model_server/http_framing.h"
#include "servers/model_server/http_listen.h"
#include "servers/model_server/http_request.h"
#include "servers/model_server/http_watch.h"

#define CONNECTIONS_MAX 4096u
/* Holds a request's headers and reads its body; libmicrohttpd clears all of it between two requests. */
#define CONNECTION_MEMORY ((size_t)8 << 10)
/* A body that is too large is read, so that the client sees its answer, up to so many times the limit. */
#define DISCARD_FACTOR 4
#define REPLY_FIRST ((size_t)500) /* bytes, so that a small answer is built without moving */

/* In place of a request, from its first line on until its headers are there: its path cannot be told. */
static char bad_path;

struct http_server {
	struct http_server_config cfg;
	struct http_watch *watch;
	struct MHD_Daemon **daemons;
	size_t ndaemons;
	struct http_counters counters;
	pthread_mutex_t lock;
	pthread_cond_t idle;
	size_t active; /* requests whose headers have come and whose answer has not gone */
	atomic_bool stopping;
};

struct repository *http_repository(const struct http_request *rq)
{
	return rq->server->cfg.repository;
}

const struct http_rest_models *http_rest_models(const struct http_request *rq)
{
	return &rq->server->cfg.rest;
}

const struct http_counters *http_counters(const struct http_request *rq)
{
	return &rq->server->counters;
}

static struct http_watched *watched_of(struct MHD_Connection *c)
{
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(c, MHD_CONNECTION_INFO_SOCKET_CONTEXT);

	return info ? info->socket_context : NULL;
}

/* Whose turn it is, for the watch, which is not there where memory was short. */
static void tell_watch(struct MHD_Connection *c, void (*tell)(struct http_watched *w))
{
	struct http_watched *w = watched_of(c);

	if (w)
		tell(w);
}

static void on_connection(void *cls, struct MHD_Connection *c, void **socket_context,
			  enum MHD_ConnectionNotificationCode code)
{
	struct http_server *s = cls;
	const union MHD_ConnectionInfo *info;

	if (code == MHD_CONNECTION_NOTIFY_CLOSED) {
		http_watch_remove(s->watch, *socket_context);
		*socket_context = NULL;
		return;
	}
	info = MHD_get_connection_info(c, MHD_CONNECTION_INFO_CONNECTION_FD);
	*socket_context = info ? http_watch_add(s->watch, info->connect_fd) : NULL;
}

static void request_free(struct http_request *rq)
{
	/* Where the client has gone meanwhile, the worker that resumed the connection may still hold the lock. */
	pthread_mutex_lock(&rq->lock);
	pthread_mutex_unlock(&rq->lock);
	inference_free(rq->inference);
	http_body_release(&rq->body);
	buf_release(&rq->reply);
	pthread_mutex_destroy(&rq->lock);
	free(rq);
}

static void on_completed(void *cls, struct MHD_Connection *c, void **con_cls, enum MHD_RequestTerminationCode code)
{
	struct http_server *s = cls;
	struct http_request *rq = *con_cls;

	(void)code;
	*con_cls = NULL;
	if (!rq || (void *)rq == &bad_path)
		return;
	request_free(rq);
	tell_watch(c, http_watch_headers);
	pthread_mutex_lock(&s->lock);
	if (--s->active == 0)
		pthread_cond_signal(&s->idle);
	pthread_mutex_unlock(&s->lock);
}

/* With the reply's memory, which goes over to it. */
static struct MHD_Response *make_response(struct http_request *rq)
{
	struct MHD_Response *r;

	if (rq->reply.failed || rq->reply.len == 0)
		return MHD_create_response_from_buffer(0, "", MHD_RESPMEM_PERSISTENT);
	r = MHD_create_response_from_buffer(rq->reply.len, rq->reply.data, MHD_RESPMEM_MUST_FREE);
	if (r)
		rq->reply = (struct buf){0};
	return r;
}

static enum MHD_Result reply(struct http_request *rq)
{
	struct http_server *s = rq->server;
	struct MHD_Response *response;
	enum MHD_Result r;

	if (rq->reply.failed)
		http_fail(rq, MHD_HTTP_SERVICE_UNAVAILABLE, "out of memory");
	atomic_fetch_add_explicit(&s->counters.requests[rq->protocol], 1, memory_order_relaxed);
	if (rq->status >= 400)
		atomic_fetch_add_explicit(&s->counters.failures[rq->protocol], 1, memory_order_relaxed);
	response = make_response(rq);
	if (!response)
		return MHD_NO;
	if (rq->content_type)
		MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, rq->content_type);
	if (rq->json_len) {
		char text[DECIMAL_MAX + 1];

		text[decimal_write(text, rq->json_len)] = '\0';
		MHD_add_response_header(response, HTTP_HEADER_JSON_LENGTH, text);
	}
	if (rq->last || atomic_load_explicit(&s->stopping, memory_order_relaxed))
		MHD_add_response_header(response, MHD_HTTP_HEADER_CONNECTION, "close");
	r = MHD_queue_response(rq->connection, rq->status, response);
	MHD_destroy_response(response);
	return r;
}

/* A header's value as a size; false: there is none, or it is no number. */
static bool header_size(const struct http_request *rq, const char *name, size_t *ret)
{
	const char *text = http_header(rq, name);
	char *end;
	unsigned long long value;

	if (!text || *text < '0' || *text > '9')
		return false;
	errno = 0;
	value = strtoull(text, &end, 10);
	if (errno || *end)
		return false;
	*ret = value;
	return true;
}

/* The request is one that HTTP/1.1 allows; else answered, and nothing that follows it is read. */
static bool check_framing(struct http_request *rq, const char *version, bool path_has_nul)
{
	unsigned status = MHD_HTTP_BAD_REQUEST;
	const char *problem = path_has_nul ? "%00 in the path" : http_framing_check(rq->connection, version, &status);

	if (!problem)
		return true;
	rq->last = true;
	http_fail(rq, status, "malformed HTTP request: %s", problem);
	return false;
}

/* What the headers alone tell. True: answered already, without waiting for the body. */
static bool check_headers(struct http_request *rq, const char *method, const char *path, const char *version,
			  bool path_has_nul)
{
	const char *encoding = http_header(rq, MHD_HTTP_HEADER_CONTENT_ENCODING);
	size_t body_max = rq->server->cfg.body_max, len = 0;
	bool known;

	rq->route = http_route_find(method, path, &rq->target, &known, &rq->protocol);
	if (!check_framing(rq, version, path_has_nul))
		return true;
	header_size(rq, MHD_HTTP_HEADER_CONTENT_LENGTH, &len);
	if (len > body_max) {
		http_fail(rq, MHD_HTTP_CONTENT_TOO_LARGE, "a body of %zu bytes, the limit is %zu", len, body_max);
		return http_header(rq, MHD_HTTP_HEADER_EXPECT) || len / DISCARD_FACTOR > body_max;
	}
	rq->body.expected = len;
	if (header_size(rq, HTTP_HEADER_JSON_LENGTH, &len) && len <= body_max)
		rq->body.aligned_offset = len;
	if (!rq->route && known)
		http_fail(rq, MHD_HTTP_METHOD_NOT_ALLOWED, "%s is not for %s", path, method);
	else if (!rq->route)
		http_fail(rq, MHD_HTTP_NOT_FOUND, "Malformed request: %s %s", method, path);
	else if (encoding && strcasecmp(encoding, "identity") != 0)
		http_fail(rq, MHD_HTTP_UNSUPPORTED_MEDIA_TYPE, "Content-Encoding %s is not supported", encoding);
	return false;
}

static enum MHD_Result begin(struct http_server *s, struct MHD_Connection *c, const char *method, const char *path,
			     const char *version, void **con_cls)
{
	struct http_request *rq = calloc(1, sizeof(*rq));
	bool path_has_nul = *con_cls == &bad_path;

	if (!rq)
		return MHD_NO;
	rq->server = s;
	rq->connection = c;
	pthread_mutex_init(&rq->lock, NULL);
	*con_cls = rq;
	pthread_mutex_lock(&s->lock);
	s->active++;
	pthread_mutex_unlock(&s->lock);
	tell_watch(c, http_watch_body);
	if (!check_headers(rq, method, path, version, path_has_nul))
		return MHD_YES;
	tell_watch(c, http_watch_server);
	return reply(rq);
}

/* MHD_NO drops the connection: it goes on sending what has been refused. */
static enum MHD_Result take_body(struct http_request *rq, const char *data, size_t len)
{
	size_t body_max = rq->server->cfg.body_max;

	if (rq->status) {
		rq->body.len += len;
		return rq->body.len / DISCARD_FACTOR > body_max ? MHD_NO : MHD_YES;
	}
	if (len <= body_max - rq->body.len && http_body_add(&rq->body, data, len) == 0)
		return MHD_YES;
	if (len > body_max - rq->body.len)
		http_fail(rq, MHD_HTTP_CONTENT_TOO_LARGE, "a body of more than %zu bytes", body_max);
	else
		http_fail(rq, MHD_HTTP_SERVICE_UNAVAILABLE, "out of memory");
	http_body_release(&rq->body);
	return MHD_YES;
}

/* The path as it came. What this returns is *con_cls of the first on_request. */
static void *on_first_line(void *cls, const char *uri, struct MHD_Connection *c)
{
	(void)cls;
	(void)c;
	return uri && http_path_has_nul(uri) ? &bad_path : NULL;
}

static enum MHD_Result on_request(void *cls, struct MHD_Connection *c, const char *path, const char *method,
				  const char *version, const char *data, size_t *data_len, void **con_cls)
{
	struct http_request *rq = *con_cls;

	if (!rq || *con_cls == &bad_path)
		return begin(cls, c, method, path, version, con_cls);
	if (*data_len) {
		size_t len = *data_len;

		*data_len = 0;
		tell_watch(c, http_watch_progress);
		return take_body(rq, data, len);
	}
	if (!rq->begun) {
		rq->begun = true;
		tell_watch(c, http_watch_server);
		if (!rq->status && http_body_end(&rq->body) < 0)
			http_fail(rq, MHD_HTTP_SERVICE_UNAVAILABLE, "out of memory");
		if (!rq->status) {
			buf_reserve(&rq->reply, REPLY_FIRST);
			rq->route->handle(rq);
		}
	} else {
		http_resume(rq);
	}
	return rq->status ? reply(rq) : MHD_YES;
}

static int start_daemon(struct http_server *s, unsigned short port, unsigned short *ret_port, struct error *err)
{
	unsigned threads = s->cfg.threads;
	/* Later than the watch, which looks once a second, so that whose body stays away is told. */
	unsigned timeout = (unsigned)((s->cfg.timeout + NSEC_PER_SEC - 1) / NSEC_PER_SEC) + 2;
	struct MHD_Daemon *d;
	int fd, r = http_listen(&fd, s->cfg.listen, port, ret_port, err);

	if (r < 0)
		return r;
	d = MHD_start_daemon(MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME, 0, NULL, NULL, on_request, s,
			     MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_THREAD_POOL_SIZE, threads > 1 ? threads : 0,
			     MHD_OPTION_CONNECTION_LIMIT, CONNECTIONS_MAX, MHD_OPTION_CONNECTION_TIMEOUT, timeout,
			     MHD_OPTION_CONNECTION_MEMORY_LIMIT, CONNECTION_MEMORY, MHD_OPTION_NOTIFY_CONNECTION,
			     on_connection, s, MHD_OPTION_NOTIFY_COMPLETED, on_completed, s,
			     MHD_OPTION_URI_LOG_CALLBACK, on_first_line, s, MHD_OPTION_END);
	if (!d) {
		close(fd);
		return error_set(err, ERR_IO, "cannot start the HTTP server of port %hu", *ret_port);
	}
	s->daemons[s->ndaemons++] = d;
	return 0;
}

static struct http_server *server_new(const struct http_server_config *cfg)
{
	struct http_server *s = calloc(1, sizeof(*s));
	pthread_condattr_t attr;

	if (!s)
		return NULL;
	s->daemons = calloc(cfg->nports, sizeof(*s->daemons));
	if (!s->daemons) {
		free(s);
		return NULL;
	}
	s->cfg = *cfg;
	if (s->cfg.body_max == 0)
		s->cfg.body_max = HTTP_BODY_MAX_DEFAULT;
	if (s->cfg.timeout == 0)
		s->cfg.timeout = HTTP_TIMEOUT_DEFAULT;
	if (!s->cfg.rest.reference)
		s->cfg.rest.reference = "financialNet";
	if (!s->cfg.rest.no_reference)
		s->cfg.rest.no_reference = "financialNet_NoReference";
	if (!s->cfg.rest.vision)
		s->cfg.rest.vision = "mobilenet_v1_100_224_cpu";
	pthread_mutex_init(&s->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&s->idle, &attr);
	pthread_condattr_destroy(&attr);
	return s;
}

int http_server_start(struct http_server **ret, const struct http_server_config *cfg, unsigned short *ret_ports,
		      struct error *err)
{
	struct http_server *s = server_new(cfg);
	int r;

	if (!s)
		return error_set(err, ERR_NOMEM, "out of memory");
	/* A connection that is idle is closed by its own time-out, so that half of this is left for a request at least. */
	r = http_watch_new(&s->watch, s->cfg.timeout, 2 * s->cfg.timeout, err);
	for (size_t i = 0; r == 0 && i < cfg->nports; i++) {
		unsigned short port = 0;

		r = start_daemon(s, cfg->ports[i], &port, err);
		if (r == 0 && ret_ports)
			ret_ports[i] = port;
	}
	if (r < 0) {
		http_server_stop(s, 0);
		return r;
	}
	*ret = s;
	return 0;
}

/* Until no request is under way. Those whose clients are slow are cut off then. */
static void drain(struct http_server *s, nsec_t until)
{
	struct timespec ts = {.tv_sec = until / NSEC_PER_SEC, .tv_nsec = until % NSEC_PER_SEC};

	pthread_mutex_lock(&s->lock);
	while (s->active && pthread_cond_timedwait(&s->idle, &s->lock, &ts) == 0)
		;
	if (s->active) {
		pthread_mutex_unlock(&s->lock);
		http_watch_shutdown(s->watch);
		pthread_mutex_lock(&s->lock);
	}
	while (s->active)
		pthread_cond_wait(&s->idle, &s->lock);
	pthread_mutex_unlock(&s->lock);
}

void http_server_quiesce(struct http_server *s)
{
	if (!s || atomic_exchange(&s->stopping, true))
		return;
	for (size_t i = 0; i < s->ndaemons; i++) {
		int fd = MHD_quiesce_daemon(s->daemons[i]);

		if (fd >= 0)
			close(fd);
	}
}

void http_server_stop(struct http_server *s, nsec_t until)
{
	if (!s)
		return;
	http_server_quiesce(s);
	drain(s, until);
	for (size_t i = 0; i < s->ndaemons; i++)
		MHD_stop_daemon(s->daemons[i]);
	http_watch_free(s->watch);
	pthread_cond_destroy(&s->idle);
	pthread_mutex_destroy(&s->lock);
	free(s->daemons);
	free(s);
}
