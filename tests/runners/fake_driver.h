/*
 * fake_driver.h - a server inside the test: what happens to each request is a function of its row id.
 */
#ifndef TESTS_RUNNERS_FAKE_DRIVER_H
#define TESTS_RUNNERS_FAKE_DRIVER_H

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "drivers/driver.h"

enum fake_action {
	FAKE_RIGHT,
	FAKE_WRONG,
	FAKE_ERROR,
	FAKE_TIMEOUT,
	FAKE_SILENCE,      /* never answered */
	FAKE_RECONNECTING, /* not taken: asked again, `action` decides anew */
	FAKE_BROKEN,       /* poll itself fails */
};

#define FAKE_IDS 20000

/* Shared by all instances of one run; also the driver's options. */
struct fake_server {
	enum fake_action (*action)(struct fake_server *s, uint64_t id); /* NULL: all right */
	nsec_t delay;                                                   /* of each answer after the one before */
	int open_error;                                                 /* what open returns */
	bool stats_fail, stats_time_out;
	unsigned stats_away_from, stats_away_until; /* between these askings the server is not there */
	atomic_uint stats_asked;
	unsigned stats_enough; /* for an action that waits until they were asked for so often */
	atomic_int interrupt;
	atomic_int tries;
	atomic_uint instances, slots;
	_Atomic uint64_t calls;
	atomic_uchar seen[FAKE_IDS]; /* how often each id was taken */
};

struct fake_pending {
	struct request *request;
	unsigned slot;
	nsec_t sent;
	enum fake_action action;
};

struct fake_driver {
	struct driver base;
	struct fake_server *server;
	unsigned slots, npending;
	struct fake_pending *pending; /* first come, first served */
	nsec_t free_at;
	bool broken;
	float right[2 * 64], wrong[2 * 64];
	unsigned batch;
};

static int fake_open(struct driver **ret, const struct driver_config *cfg, struct error *err);

static void fake_close(struct driver *driver)
{
	struct fake_driver *d = (struct fake_driver *)driver;

	if (!d)
		return;
	free(d->pending);
	free(d);
}

static int fake_submit(struct driver *driver, unsigned slot, struct request *req, nsec_t now)
{
	struct fake_driver *d = (struct fake_driver *)driver;
	struct fake_server *s = d->server;
	enum fake_action action = s->action ? s->action(s, req->id) : FAKE_RIGHT;

	if (action == FAKE_RECONNECTING)
		return ERR_AGAIN;
	if (req->id < FAKE_IDS)
		atomic_fetch_add(&s->seen[req->id], 1);
	if (action == FAKE_BROKEN)
		d->broken = true;
	if (action == FAKE_SILENCE)
		return 0;
	d->pending[d->npending++] = (struct fake_pending){req, slot, now, action};
	return 0;
}

static void fake_answer(struct fake_driver *d, const struct fake_pending *p, nsec_t now, struct completion *c)
{
	static const enum outcome outcomes[] = {
		[FAKE_RIGHT] = OUTCOME_OK,
		[FAKE_WRONG] = OUTCOME_OK,
		[FAKE_ERROR] = OUTCOME_ERROR,
		[FAKE_TIMEOUT] = OUTCOME_TIMEOUT,
	};

	*c = (struct completion){
		.request = p->request,
		.slot = p->slot,
		.outcome = outcomes[p->action],
		.stamps = {.sent = p->sent, .received = now},
		.text = p->action == FAKE_ERROR     ? "ERR the fake server is out of order"
			: p->action == FAKE_TIMEOUT ? "no answer in time"
						    : NULL,
		.answer =
			{
				.type = ELEMENT_FLOAT32,
				.data = p->action == FAKE_WRONG ? d->wrong : d->right,
				.size = sizeof(float) * 2 * d->batch,
			},
	};
}

static int fake_poll(struct driver *driver, nsec_t deadline, struct completion *done, int max, struct error *err)
{
	struct fake_driver *d = (struct fake_driver *)driver;
	nsec_t now = clock_now(), until = deadline;
	int n;

	if (d->broken)
		return error_set(err, ERR_IO, "epoll of the fake server failed");
	if (d->npending > 0 && d->free_at < until)
		until = d->free_at;
	if (until > now) {
		struct timespec ts = {until / NSEC_PER_SEC, until % NSEC_PER_SEC};

		clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, NULL);
		now = clock_now();
	}
	for (n = 0; n < max && (unsigned)n < d->npending && d->free_at <= now; n++) {
		fake_answer(d, &d->pending[n], now, &done[n]);
		if (d->server->delay)
			d->free_at = now + d->server->delay;
	}
	d->npending -= (unsigned)n;
	memmove(d->pending, d->pending + n, d->npending * sizeof(*d->pending));
	atomic_fetch_add(&d->server->calls, (uint64_t)n);
	return n;
}

static int fake_server_stats(struct driver *driver, server_stat_fn *fn, void *arg, struct error *err)
{
	struct fake_driver *d = (struct fake_driver *)driver;
	unsigned asked = atomic_fetch_add(&d->server->stats_asked, 1);
	char calls[32];

	if (asked >= d->server->stats_away_from && asked < d->server->stats_away_until)
		return error_set(err, ERR_CONNECT, "fake:1: connection refused");
	if (d->server->stats_time_out)
		return error_set(err, ERR_TIMEOUT, "the server did not answer in time");
	if (d->server->stats_fail)
		return error_set(err, ERR_SERVER, "NOPERM this user has no permissions to run the 'info' command");
	snprintf(calls, sizeof(calls), "%ju", (uintmax_t)atomic_load(&d->server->calls) + 1000);
	fn(arg, "fake:1", "ai_info.calls", calls);
	fn(arg, "fake:1", "used_memory", "4711");
	return 0;
}

static void fake_defaults(void *options)
{
	memset(options, 0, sizeof(struct fake_server));
}

static const struct driver_ops fake_ops = {
	.name = "fake",
	.options_size = sizeof(struct fake_server),
	.options_defaults = fake_defaults,
	.open = fake_open,
	.submit = fake_submit,
	.poll = fake_poll,
	.server_stats = fake_server_stats,
	.close = fake_close,
};

static int fake_open(struct driver **ret, const struct driver_config *cfg, struct error *err)
{
	/* The fake's options are its state, so not as constant as others'. */
	union {
		const void *constant;
		struct fake_server *server;
	} options = {cfg->options};
	struct fake_driver *d;

	if (options.server->open_error)
		return error_set(err, ERR_CONNECT, "cannot connect to the fake server");
	d = calloc(1, sizeof(*d));
	if (!d)
		return ERR_NOMEM;
	d->base.ops = &fake_ops;
	d->server = options.server;
	d->slots = cfg->slots;
	d->batch = cfg->batch;
	d->pending = calloc(cfg->slots + 1, sizeof(*d->pending));
	for (unsigned i = 0; i < 64; i++)
		d->right[2 * i] = d->wrong[2 * i] = d->wrong[2 * i + 1] = 1;
	atomic_fetch_add(&d->server->instances, cfg->slots > 0);
	atomic_fetch_add(&d->server->slots, cfg->slots);
	*ret = &d->base;
	return 0;
}

#endif
