/*
 * client.c - drives a driver for a test; see the header.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/drivers/client.h"

#define PATIENCE (20 * NSEC_PER_SEC)

int client_open(struct client *c, const struct client_config *cfg, struct error *err)
{
	struct driver_config config = {
		.conn = &c->conn,
		.options = cfg->options,
		.slots = cfg->slots,
		.reference = cfg->reference,
		.stages = cfg->stages,
		.first_id = cfg->first_id,
		.seed = 1,
	};

	memset(c, 0, sizeof(*c));
	c->ops = cfg->ops;
	c->slots = cfg->slots;
	c->batch = config.batch = cfg->batch ? cfg->batch : 1;
	conn_options_defaults(&c->conn);
	c->conn.timeout = cfg->timeout ? cfg->timeout : 10 * NSEC_PER_SEC;
	c->conn.user = cfg->user;
	c->conn.password = cfg->password;
	c->conn.unix_socket = cfg->unix_socket;
	assert_int_equal(workload_fraud.open(&c->workload,
					     &(struct workload_config){.reference = cfg->reference, .batch = c->batch},
					     NULL),
			 0);
	config.spec = workload_fraud.spec(c->workload);
	return c->ops->open(&c->driver, &config, err);
}

void client_close(struct client *c)
{
	c->ops->close(c->driver);
	workload_fraud.close(c->workload);
}

/* One poll: judges and counts what finished. */
static void absorb(struct client *c)
{
	struct completion done[8];
	struct error err;
	int n = c->ops->poll(c->driver, clock_now() + NSEC_PER_SEC, done, 8, &err);

	assert_true(n >= 0);
	c->finished += (unsigned)n;
	for (int i = 0; i < n; i++) {
		struct completion *d = &done[i];

		assert_ptr_equal(d->request, &c->requests[d->slot]);
		assert_true(d->stamps.received >= d->stamps.sent);
		if (d->outcome == OUTCOME_OK && workload_fraud.check(c->workload, d->request, &d->answer, &err) < 0)
			d->outcome = OUTCOME_WRONG;
		c->tally.outcomes[d->outcome]++;
		if (d->outcome != OUTCOME_OK)
			snprintf(c->tally.text, sizeof(c->tally.text), "%s", d->text ? d->text : err.text);
	}
}

void client_submit(struct client *c, unsigned slot, uint64_t id)
{
	nsec_t deadline = clock_now() + PATIENCE;
	unsigned char *rows = c->rows[slot];
	int r;

	for (unsigned b = 0; b < c->batch; b++) {
		for (unsigned i = 0; i < 8; i++)
			rows[b * FRAUD_ROW_SIZE + i] = (unsigned char)((id + b) >> (8 * i));
	}
	workload_fraud.fill(c->workload, rows, &c->requests[slot]);
	while ((r = c->ops->submit(c->driver, slot, &c->requests[slot], clock_now())) == ERR_AGAIN) {
		assert_true(clock_now() < deadline);
		absorb(c);
	}
	assert_int_equal(r, 0);
}

void client_collect(struct client *c, unsigned n, struct tally *t)
{
	nsec_t deadline = clock_now() + PATIENCE;

	while (c->finished < n) {
		assert_true(clock_now() < deadline);
		absorb(c);
	}
	assert_int_equal(c->finished, n);
	*t = c->tally;
	c->finished = 0;
	memset(&c->tally, 0, sizeof(c->tally));
}

void client_run(struct client *c, uint64_t first, unsigned n, struct tally *t)
{
	struct tally part;

	memset(t, 0, sizeof(*t));
	for (unsigned done = 0; done < n;) {
		unsigned now = n - done < c->slots ? n - done : c->slots;

		for (unsigned i = 0; i < now; i++)
			client_submit(c, i, first + done + i);
		client_collect(c, now, &part);
		for (unsigned i = 0; i < OUTCOME_MAX; i++)
			t->outcomes[i] += part.outcomes[i];
		if (part.text[0])
			memcpy(t->text, part.text, sizeof(t->text));
		done += now;
	}
}
