/*
 * null.c - answers every request at once with an answer that the workload accepts: the tool's own ceiling.
 */
#include "drivers/null.h"

#include <errno.h>
#include <stdlib.h>

#include "common/arith.h"

struct pending {
	struct request *request;
	nsec_t sent;
	unsigned slot;
};

struct null_driver {
	struct driver base;
	unsigned slots;
	unsigned first, npending; /* a ring: in the order of submission */
	struct pending *pending;
	struct answer answer; /* the same for every request */
	float *values;
};

static void null_close(struct driver *driver)
{
	struct null_driver *d = (struct null_driver *)driver;

	if (!d)
		return;
	free(d->pending);
	free(d->values);
	free(d);
}

static int null_open(struct driver **ret, const struct driver_config *cfg, struct error *err)
{
	struct null_driver *d = calloc(1, sizeof(*d));
	size_t n;

	if (!d)
		return error_set(err, ERR_NOMEM, "out of memory");
	d->base.ops = &driver_null;
	d->slots = cfg->slots;
	d->pending = calloc((size_t)cfg->slots + 1, sizeof(*d->pending));
	d->values = size_mul(&n, cfg->spec->output_values, cfg->batch) ? calloc(n, sizeof(*d->values)) : NULL;
	if (!d->pending || !d->values) {
		null_close(&d->base);
		return error_set(err, ERR_NOMEM, "out of memory");
	}
	/* A probability distribution, as every workload's answer is: all of it on the first class. */
	for (size_t i = 0; i < n; i += cfg->spec->output_values)
		d->values[i] = 1;
	d->answer = (struct answer){
		.type = ELEMENT_FLOAT32,
		.ndims = 2,
		.dims = {cfg->batch, (int64_t)cfg->spec->output_values},
		.data = d->values,
		.size = n * sizeof(*d->values),
	};
	*ret = &d->base;
	return 0;
}

static int null_submit(struct driver *driver, unsigned slot, struct request *req, nsec_t now)
{
	struct null_driver *d = (struct null_driver *)driver;
	unsigned place = d->first + d->npending;

	if (place >= d->slots)
		place -= d->slots;
	d->pending[place] = (struct pending){.request = req, .sent = now, .slot = slot};
	d->npending++;
	return 0;
}

/* Nothing is under way, so nothing can come before the deadline. */
static int sleep_until(nsec_t deadline)
{
	struct timespec ts = {.tv_sec = deadline / NSEC_PER_SEC, .tv_nsec = deadline % NSEC_PER_SEC};

	if (deadline > 0)
		clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, NULL); /* a signal ends it early */
	return 0;
}

static int null_poll(struct driver *driver, nsec_t deadline, struct completion *done, int max, struct error *err)
{
	struct null_driver *d = (struct null_driver *)driver;
	nsec_t now;
	int n;

	(void)err;
	if (d->npending == 0)
		return sleep_until(deadline);
	now = clock_now();
	for (n = 0; n < max && d->npending > 0; n++) {
		const struct pending *p = &d->pending[d->first];

		done[n] = (struct completion){
			.request = p->request,
			.slot = p->slot,
			.outcome = OUTCOME_OK,
			.stamps = {.sent = p->sent, .received = now},
			.answer = d->answer,
		};
		d->npending--;
		if (++d->first == d->slots)
			d->first = 0;
	}
	return n;
}

const struct driver_ops driver_null = {
	.name = "null",
	.open = null_open,
	.submit = null_submit,
	.poll = null_poll,
	.close = null_close,
};
