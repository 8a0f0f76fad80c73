/*
 * http_watch.c - a list of connections and a thread that looks through it now and then.
 */
#include "servers/model_server/http_watch.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

#define LOOKS 8 /* as often within the limit, and at least so often: */
#define LOOK_INTERVAL NSEC_PER_SEC

/* TURN_ENDED: nothing of the connection's is sent any more. */
enum turn { TURN_HEADERS, TURN_BODY, TURN_SERVER, TURN_ENDED };

struct http_watched {
	struct http_watched *next, **link; /* what points here */
	int fd;
	_Atomic enum turn turn;
	atomic_llong since, heard; /* monotonic: the turn began, something of the body came */
};

struct http_watch {
	nsec_t silence, limit;
	pthread_t thread;
	pthread_mutex_t lock; /* of the list and stop; a descriptor in the list stays open while it is held */
	pthread_cond_t wake;
	struct http_watched *first;
	bool stop;
};

/* libmicrohttpd (0.9.75) takes a short read for all there is: an end that came together with the last bytes of half a
 * request is not seen by it. */
static bool is_gone(int fd)
{
	char byte;

	return recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0;
}

/* Its thread may be about to answer: who changes the turn first is the one who sends. */
static void end_body(struct http_watched *c, const char *status)
{
	enum turn turn = TURN_BODY;
	char text[128];
	int len = snprintf(text, sizeof(text), "HTTP/1.1 %s\r\nConnection: close\r\nContent-Length: 0\r\n\r\n", status);

	if (!atomic_compare_exchange_strong(&c->turn, &turn, TURN_ENDED))
		return;
	/* Nothing else waits to be sent; who has gone does not get it. */
	(void)send(c->fd, text, (size_t)len, MSG_DONTWAIT | MSG_NOSIGNAL);
	shutdown(c->fd, SHUT_RDWR);
}

static void end_if_late(const struct http_watch *w, struct http_watched *c, nsec_t now)
{
	enum turn turn = atomic_load(&c->turn);
	nsec_t since = now - atomic_load_explicit(&c->since, memory_order_relaxed);
	nsec_t heard = now - atomic_load_explicit(&c->heard, memory_order_relaxed);
	bool late = since > w->limit || (turn == TURN_BODY && heard > w->silence), gone;

	if (turn != TURN_HEADERS && turn != TURN_BODY)
		return;
	gone = (late || since > LOOK_INTERVAL) && is_gone(c->fd);
	if (!late && !gone)
		return;
	if (turn == TURN_BODY)
		end_body(c, gone ? "400 Bad Request" : "408 Request Timeout");
	else
		shutdown(c->fd, SHUT_RDWR);
}

static void *watch_main(void *arg)
{
	struct http_watch *w = arg;

	pthread_setname_np(pthread_self(), "http-watch");
	pthread_mutex_lock(&w->lock);
	while (!w->stop) {
		nsec_t now = clock_now(), pause = w->silence / LOOKS;
		nsec_t next = now + (pause < LOOK_INTERVAL ? pause : LOOK_INTERVAL);
		struct timespec ts = {.tv_sec = next / NSEC_PER_SEC, .tv_nsec = next % NSEC_PER_SEC};

		for (struct http_watched *c = w->first; c; c = c->next)
			end_if_late(w, c, now);
		pthread_cond_timedwait(&w->wake, &w->lock, &ts);
	}
	pthread_mutex_unlock(&w->lock);
	return NULL;
}

int http_watch_new(struct http_watch **ret, nsec_t silence, nsec_t limit, struct error *err)
{
	struct http_watch *w = calloc(1, sizeof(*w));
	pthread_condattr_t attr;
	int e;

	if (!w)
		return error_set(err, ERR_NOMEM, "out of memory");
	w->silence = silence;
	w->limit = limit;
	pthread_mutex_init(&w->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&w->wake, &attr);
	pthread_condattr_destroy(&attr);
	e = pthread_create(&w->thread, NULL, watch_main, w);
	if (e) {
		pthread_cond_destroy(&w->wake);
		pthread_mutex_destroy(&w->lock);
		free(w);
		return error_set_errno(err, ERR_IO, e, "cannot start a thread");
	}
	*ret = w;
	return 0;
}

void http_watch_free(struct http_watch *w)
{
	if (!w)
		return;
	pthread_mutex_lock(&w->lock);
	w->stop = true;
	pthread_cond_signal(&w->wake);
	pthread_mutex_unlock(&w->lock);
	pthread_join(w->thread, NULL);
	pthread_cond_destroy(&w->wake);
	pthread_mutex_destroy(&w->lock);
	free(w);
}

struct http_watched *http_watch_add(struct http_watch *w, int fd)
{
	struct http_watched *c = calloc(1, sizeof(*c));

	if (!c)
		return NULL;
	c->fd = fd;
	http_watch_headers(c);
	pthread_mutex_lock(&w->lock);
	c->next = w->first;
	c->link = &w->first;
	if (c->next)
		c->next->link = &c->next;
	w->first = c;
	pthread_mutex_unlock(&w->lock);
	return c;
}

void http_watch_remove(struct http_watch *w, struct http_watched *c)
{
	if (!c)
		return;
	pthread_mutex_lock(&w->lock);
	*c->link = c->next;
	if (c->next)
		c->next->link = c->link;
	pthread_mutex_unlock(&w->lock);
	free(c);
}

/* Unless the connection has been ended meanwhile. */
static void take_turn(struct http_watched *c, enum turn turn)
{
	enum turn before = atomic_load(&c->turn);

	while (before != TURN_ENDED && !atomic_compare_exchange_weak(&c->turn, &before, turn))
		;
}

void http_watch_headers(struct http_watched *c)
{
	atomic_store_explicit(&c->since, clock_now(), memory_order_relaxed);
	take_turn(c, TURN_HEADERS);
}

void http_watch_body(struct http_watched *c)
{
	nsec_t now = clock_now();

	atomic_store_explicit(&c->since, now, memory_order_relaxed);
	atomic_store_explicit(&c->heard, now, memory_order_relaxed);
	take_turn(c, TURN_BODY);
}

void http_watch_progress(struct http_watched *c)
{
	atomic_store_explicit(&c->heard, clock_now(), memory_order_relaxed);
}

void http_watch_server(struct http_watched *c)
{
	take_turn(c, TURN_SERVER);
}

void http_watch_shutdown(struct http_watch *w)
{
	pthread_mutex_lock(&w->lock);
	for (struct http_watched *c = w->first; c; c = c->next)
		shutdown(c->fd, SHUT_RDWR);
	pthread_mutex_unlock(&w->lock);
}
