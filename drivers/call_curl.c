/*
 * call_curl.c - HTTP calls by libcurl, as many clients make them: a handle a slot, its sockets under one epoll.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "common/buf.h"
#include "drivers/call_internal.h"
#include "drivers/curl_handle.h"
#include "drivers/wait.h"

#define EVENTS_MAX 64
#define UPLOAD_BUFFER (512L << 10)

struct curl_slot {
	struct call_curl *transport;
	const struct endpoint *server;
	CURL *easy;
	struct curl_slist *headers;
	bool busy, connected;
	struct iovec *views; /* the request */
	int nviews, at_view;
	size_t at_byte;
	struct buf body; /* of the reply */
	int status;
	int code;
	nsec_t received;
	char errbuf[CURL_ERROR_SIZE];
	struct error error;
};

struct call_curl {
	struct call_transport base;
	struct call_config config;
	CURLM *multi;
	int epoll;
	nsec_t timer; /* libcurl's */
	struct curl_slot *slots;
	struct call_pause *pauses;
	unsigned *finished; /* a ring of `slots` places */
	unsigned first_finished, nfinished;
};

/* ---- what libcurl asks for ---- */

static size_t read_request(char *to, size_t size, size_t n, void *arg)
{
	struct curl_slot *s = arg;
	size_t room = size * n, used = 0;

	while (used < room && s->at_view < s->nviews) {
		const struct iovec *v = &s->views[s->at_view];
		size_t part = v->iov_len - s->at_byte;

		if (part > room - used)
			part = room - used;
		if (part > 0)
			memcpy(to + used, (const char *)v->iov_base + s->at_byte, part);
		used += part;
		s->at_byte += part;
		if (s->at_byte == v->iov_len) {
			s->at_view++;
			s->at_byte = 0;
		}
	}
	return used;
}

/* libcurl asks for it to send a request again when a kept connection breaks before the reply: no call is ever sent twice. */
static int refuse_rewind(void *arg, curl_off_t offset, int origin)
{
	(void)arg;
	(void)offset;
	(void)origin;
	return CURL_SEEKFUNC_FAIL;
}

static size_t write_reply(char *bytes, size_t size, size_t n, void *arg)
{
	struct curl_slot *s = arg;
	size_t len = size * n;

	if (len > call_body_max(&s->transport->config) - s->body.len || buf_append(&s->body, bytes, len) < 0)
		return 0;
	return len;
}

static int watch_socket(CURL *easy, curl_socket_t fd, int what, void *arg, void *known)
{
	struct call_curl *t = arg;
	struct epoll_event ev = {.data.fd = fd};

	(void)easy;
	if (what == CURL_POLL_REMOVE) {
		epoll_ctl(t->epoll, EPOLL_CTL_DEL, fd, NULL);
		return 0;
	}
	ev.events = (what & CURL_POLL_IN ? EPOLLIN : 0) | (what & CURL_POLL_OUT ? EPOLLOUT : 0);
	if (epoll_ctl(t->epoll, known ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, fd, &ev) < 0 &&
	    epoll_ctl(t->epoll, known ? EPOLL_CTL_ADD : EPOLL_CTL_MOD, fd, &ev) < 0)
		return -1;
	curl_multi_assign(t->multi, fd, t);
	return 0;
}

static int set_timer(CURLM *multi, long ms, void *arg)
{
	struct call_curl *t = arg;

	(void)multi;
	t->timer = ms < 0 ? NSEC_NEVER : clock_now() + ms * NSEC_PER_MSEC;
	return 0;
}

/* ---- ends of calls ---- */

static void judge(struct call_curl *t, struct curl_slot *s, CURLcode code)
{
	struct call_pause *pause = &t->pauses[s - t->slots];
	long status = 0, connects = 0;
	curl_off_t begun = 0;

	curl_easy_getinfo(s->easy, CURLINFO_RESPONSE_CODE, &status);
	curl_easy_getinfo(s->easy, CURLINFO_NUM_CONNECTS, &connects);
	curl_easy_getinfo(s->easy, CURLINFO_PRETRANSFER_TIME_T, &begun);
	t->base.reconnects += s->connected ? (uint64_t)connects : 0;
	s->connected = s->connected || connects > 0;
	if (code == CURLE_OK) {
		s->status = (int)status;
		s->code = call_judge_http(s->server, s->status, "", s->body.data ? s->body.data : "", s->body.len,
					  &s->error);
		backoff_reset(&pause->backoff);
		return;
	}
	/* There was a connection: the next try is the first again, as that of a lean link is. */
	if (begun > 0)
		backoff_reset(&pause->backoff);
	s->status = -1;
	s->code = curl_handle_error(code, s->server, t->config.conn, s->errbuf, &s->error);
	call_pause_begin(pause, s->received);
}

static void take_finished(struct call_curl *t)
{
	struct curl_slot *s;
	CURLMsg *m;
	int left;

	while ((m = curl_multi_info_read(t->multi, &left))) {
		CURLcode code = m->data.result;
		unsigned place = t->first_finished + t->nfinished;
		CURL *easy = m->easy_handle;

		if (m->msg != CURLMSG_DONE || curl_easy_getinfo(easy, CURLINFO_PRIVATE, (char **)&s) != CURLE_OK)
			continue;
		s->received = clock_now();
		judge(t, s, code);
		curl_multi_remove_handle(t->multi, easy);
		s->busy = false;
		t->finished[place < t->config.slots ? place : place - t->config.slots] = (unsigned)(s - t->slots);
		t->nfinished++;
	}
}

/* ---- the interface ---- */

static nsec_t curl_next_deadline(const struct call_transport *transport)
{
	const struct call_curl *t = (const struct call_curl *)transport;
	nsec_t next = call_pauses_next(t->pauses, t->config.slots);

	if (t->nfinished > 0)
		return 0;
	return t->timer < next ? t->timer : next;
}

static int curl_fd(const struct call_transport *transport)
{
	return ((const struct call_curl *)transport)->epoll;
}

static int curl_step(struct call_curl *t, nsec_t deadline, struct error *err)
{
	struct epoll_event events[EVENTS_MAX];
	nsec_t now = clock_now(), own = curl_next_deadline(&t->base), until = own < deadline ? own : deadline;
	int running, n;

	n = wait_for_events(t->epoll, events, EVENTS_MAX, now, until);
	if (n < 0 && errno != EINTR)
		return error_set_errno(err, ERR_IO, errno, "cannot wait for the server's answers");
	for (int i = 0; i < n; i++) {
		int bits = (events[i].events & EPOLLIN ? CURL_CSELECT_IN : 0) |
			   (events[i].events & EPOLLOUT ? CURL_CSELECT_OUT : 0) |
			   (events[i].events & (EPOLLERR | EPOLLHUP) ? CURL_CSELECT_ERR : 0);

		curl_multi_socket_action(t->multi, events[i].data.fd, bits, &running);
	}
	if (t->timer <= clock_now()) {
		t->timer = NSEC_NEVER;
		curl_multi_socket_action(t->multi, CURL_SOCKET_TIMEOUT, 0, &running);
	}
	take_finished(t);
	return n < 0 ? 1 : 0;
}

static void describe(struct call_curl *t, unsigned slot, struct call_finished *ret)
{
	struct curl_slot *s = &t->slots[slot];
	struct curl_header *h;

	*ret = (struct call_finished){
		.slot = slot,
		.code = s->code,
		.status = s->status,
		.text = s->code ? s->error.text : NULL,
		.body = s->status >= 0 && s->body.data ? s->body.data : "",
		.size = s->status >= 0 ? s->body.len : 0,
		.header = -1,
		.received = s->received,
	};
	if (t->config.wanted_header && s->status >= 0 &&
	    curl_easy_header(s->easy, t->config.wanted_header, 0, CURLH_HEADER, -1, &h) == CURLHE_OK) {
		char *end;
		long long value;

		errno = 0;
		value = strtoll(h->value, &end, 10);
		if (errno == 0 && end != h->value && *end == '\0' && value >= 0)
			ret->header = value;
	}
}

static int curl_poll(struct call_transport *transport, nsec_t deadline, struct call_finished *done, int max,
		     struct error *err)
{
	struct call_curl *t = (struct call_curl *)transport;
	int n = 0, r = 0;

	while (t->nfinished == 0 && r == 0) {
		r = curl_step(t, deadline, err);
		if (r < 0)
			return r;
		if (call_pauses_end(t->pauses, t->config.slots, clock_now()) || clock_now() >= deadline)
			break;
	}
	for (; n < max && t->nfinished > 0; n++) {
		describe(t, t->finished[t->first_finished], &done[n]);
		if (++t->first_finished == t->config.slots)
			t->first_finished = 0;
		t->nfinished--;
	}
	return n;
}

static int curl_send(struct call_transport *transport, const struct call *c)
{
	struct call_curl *t = (struct call_curl *)transport;
	struct curl_slot *s = &t->slots[c->slot];
	int running;

	if (c->nbody > t->config.views)
		return ERR_RANGE;
	if (t->pauses[c->slot].until > 0)
		return ERR_AGAIN;
	if (c->nbody > 0)
		memcpy(s->views, c->body, (size_t)c->nbody * sizeof(*c->body));
	s->nviews = c->nbody;
	s->at_view = 0;
	s->at_byte = 0;
	s->errbuf[0] = '\0';
	buf_clear(&s->body);
	curl_easy_setopt(s->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)c->size);
	if (curl_multi_add_handle(t->multi, s->easy) != CURLM_OK)
		return ERR_NOMEM;
	s->busy = true;
	/* Now, rather than at the next poll. */
	curl_multi_socket_action(t->multi, CURL_SOCKET_TIMEOUT, 0, &running);
	take_finished(t);
	return 0;
}

static void curl_close(struct call_transport *transport)
{
	struct call_curl *t = (struct call_curl *)transport;

	if (!t)
		return;
	for (unsigned i = 0; t->slots && i < t->config.slots; i++) {
		struct curl_slot *s = &t->slots[i];

		if (s->busy)
			curl_multi_remove_handle(t->multi, s->easy);
		curl_easy_cleanup(s->easy);
		curl_slist_free_all(s->headers);
		buf_release(&s->body);
		free(s->views);
	}
	curl_multi_cleanup(t->multi);
	if (t->epoll >= 0)
		close(t->epoll);
	free(t->slots);
	free(t->pauses);
	free(t->finished);
	free(t);
}

static int open_slot(struct call_curl *t, unsigned slot, struct error *err)
{
	struct curl_slot *s = &t->slots[slot];
	const struct curl_request q = {
		.server = call_server(&t->config, slot),
		.conn = t->config.conn,
		.path = t->config.path,
		.content_type = t->config.content_type ? t->config.content_type : "application/octet-stream",
		.headers = t->config.headers,
		.nheaders = t->config.nheaders,
	};
	int r = curl_handle_new(&s->easy, &s->headers, &q, err);

	if (r < 0)
		return r;
	s->views = calloc((size_t)t->config.views + 1, sizeof(*s->views));
	if (!s->views)
		return error_set(err, ERR_NOMEM, "out of memory");
	s->transport = t;
	s->server = q.server;
	s->status = -1;
	curl_easy_setopt(s->easy, CURLOPT_PRIVATE, s);
	curl_easy_setopt(s->easy, CURLOPT_ERRORBUFFER, s->errbuf);
	curl_easy_setopt(s->easy, CURLOPT_POST, 1L);
	curl_easy_setopt(s->easy, CURLOPT_UPLOAD_BUFFERSIZE, UPLOAD_BUFFER);
	curl_easy_setopt(s->easy, CURLOPT_READFUNCTION, read_request);
	curl_easy_setopt(s->easy, CURLOPT_READDATA, s);
	curl_easy_setopt(s->easy, CURLOPT_SEEKFUNCTION, refuse_rewind);
	curl_easy_setopt(s->easy, CURLOPT_WRITEFUNCTION, write_reply);
	curl_easy_setopt(s->easy, CURLOPT_WRITEDATA, s);
	curl_easy_setopt(s->easy, CURLOPT_MAXFILESIZE_LARGE, (curl_off_t)call_body_max(&t->config));
	return 0;
}

static int curl_open(struct call_transport **ret, const struct call_config *cfg, struct error *err)
{
	struct call_curl *t = calloc(1, sizeof(*t));
	int r = 0;

	if (!t)
		return error_set(err, ERR_NOMEM, "out of memory");
	t->base.ops = &call_http_curl;
	t->config = *cfg;
	t->timer = NSEC_NEVER;
	t->epoll = epoll_create1(EPOLL_CLOEXEC);
	t->slots = calloc((size_t)cfg->slots + 1, sizeof(*t->slots));
	t->pauses = call_pauses_new(cfg);
	t->finished = calloc((size_t)cfg->slots + 1, sizeof(*t->finished));
	if (t->epoll < 0 || !t->slots || !t->pauses || !t->finished)
		r = error_set(err, ERR_NOMEM, "out of memory or of file descriptors for %u connections", cfg->slots);
	for (unsigned i = 0; r == 0 && i < cfg->slots; i++)
		r = open_slot(t, i, err);
	/* After the first handle: it initialises libcurl. */
	if (r == 0 && !(t->multi = curl_multi_init()))
		r = error_set(err, ERR_NOMEM, "out of memory for libcurl");
	if (r == 0) {
		curl_multi_setopt(t->multi, CURLMOPT_SOCKETFUNCTION, watch_socket);
		curl_multi_setopt(t->multi, CURLMOPT_SOCKETDATA, t);
		curl_multi_setopt(t->multi, CURLMOPT_TIMERFUNCTION, set_timer);
		curl_multi_setopt(t->multi, CURLMOPT_TIMERDATA, t);
		curl_multi_setopt(t->multi, CURLMOPT_MAXCONNECTS, (long)cfg->slots);
		r = call_probe(cfg, NULL, err);
	}
	if (r < 0) {
		curl_close(&t->base);
		return r;
	}
	*ret = &t->base;
	return 0;
}

const struct call_transport_ops call_http_curl = {
	.name = "curl",
	.open = curl_open,
	.send = curl_send,
	.poll = curl_poll,
	.fd = curl_fd,
	.next_deadline = curl_next_deadline,
	.close = curl_close,
};
