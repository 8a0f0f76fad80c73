/*
 * redis_data.c - rows from the dataset to the connections of their shards, and one loop over all connections.
 */
#include "loaders/redis_data.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "common/arith.h"
#include "common/buf.h"
#include "common/decimal.h"
#include "loaders/command.h"
#include "loaders/replies.h"
#include "loaders/sender.h"
#include "loaders/shards.h"
#include "net/redis_client.h"
#include "net/resp.h"
#include "workloads/dataset.h"
#include "workloads/fraud.h"

#define EVENTS_PER_WAIT 64
#define WAIT_MSEC 100       /* the longest sleep: how soon a signal or a timeout is noticed */
#define WAIT_STARVED_MSEC 1 /* rows of a pipe come without an event */
#define QUEUE_ROWS 1024     /* rows that may wait for one shard while rows of others are taken */

/* Rows of one shard that were taken from the dataset while looking for another's. */
struct row_queue {
	struct load_row *rows; /* ring of QUEUE_ROWS */
	unsigned first, count;
};

struct load {
	const struct redis_data_config *cfg;
	struct shards shards;
	struct dataset *dataset;
	uint64_t next_row;
	bool at_end;              /* of the dataset */
	struct row_queue *queues; /* one a shard; NULL: a single server */
	struct sender_source source;
	struct sender **senders;
	unsigned nsenders;
	int epoll_fd;
	uint64_t commands;
	nsec_t start, last_report;
	uint64_t last_commands;
};

static int take_next(struct load *l, struct load_row *ret, struct error *err)
{
	const void *bytes;
	int rc;

	if (l->at_end)
		return ERR_NOT_FOUND;
	rc = dataset_take(l->dataset, l->next_row, &bytes, err);
	l->at_end = rc == ERR_NOT_FOUND;
	if (rc < 0)
		return rc;
	*ret = (struct load_row){l->next_row++, bytes};
	return 0;
}

static unsigned shard_of(const struct load *l, const struct load_row *row)
{
	char digits[DECIMAL_MAX];
	size_t len = decimal_write(digits, fraud_row_id(row->bytes));

	return l->shards.cluster.slot_owner[redis_slot(digits, len)];
}

/* sender_source.take: the next row of a shard. Rows of the others on the way there wait in their queues. */
static int take_row(void *arg, unsigned shard, struct load_row *ret, struct error *err)
{
	struct load *l = arg;
	struct row_queue *q;
	struct load_row row;

	if (!l->queues)
		return take_next(l, ret, err);
	q = &l->queues[shard];
	if (q->count > 0) {
		*ret = q->rows[q->first];
		q->first = (q->first + 1) % QUEUE_ROWS;
		q->count--;
		return 0;
	}
	for (;;) {
		unsigned owner;
		int rc;

		for (unsigned i = 0; i < shards_count(&l->shards); i++) {
			if (l->queues[i].count == QUEUE_ROWS)
				return ERR_AGAIN;
		}
		rc = take_next(l, &row, err);
		if (rc < 0)
			return rc;
		owner = shard_of(l, &row);
		if (owner == shard) {
			*ret = row;
			return 0;
		}
		q = &l->queues[owner];
		q->rows[(q->first + q->count++) % QUEUE_ROWS] = row;
	}
}

static void give_row(void *arg, uint64_t k)
{
	dataset_give(((struct load *)arg)->dataset, k);
}

/* Sends AUTH and SELECT where they are needed, and waits until they are answered. */
static int greet(struct conn *conn, const struct redis_data_config *cfg, const char *server, nsec_t deadline,
		 struct error *err)
{
	const struct conn_options *o = cfg->conn;
	struct replies replies = {0};
	struct buf b = {0};
	uint64_t expected = 0, oks = 0;
	char digits[DECIMAL_MAX + 1] = "", in[512];
	int rc = 0;

	if (o->password) {
		bool has_user = o->user && *o->user;

		resp_append_command(&b, has_user ? 3 : 2,
				    (const char *[]){"AUTH", has_user ? o->user : o->password, o->password}, NULL);
		expected++;
	}
	if (cfg->database > 0) {
		digits[decimal_write(digits, cfg->database)] = '\0';
		resp_append_command(&b, 2, (const char *[]){"SELECT", digits}, NULL);
		expected++;
	}
	if (b.failed)
		rc = error_set(err, ERR_NOMEM, "%s: out of memory", server);
	else if (expected > 0)
		rc = conn_write_all(conn, b.data, b.len, deadline, err);
	while (rc == 0 && oks < expected) {
		ssize_t n = conn_read(conn, in, sizeof(in), err);

		if (n == ERR_AGAIN)
			rc = conn_wait(conn, conn_wants(conn), deadline, err);
		else if (n < 0)
			rc = (int)n;
		else if (replies_feed(&replies, in, (size_t)n, &oks) < 0)
			rc = error_set(err, ERR_SERVER, "%s: the server answered: %s", server, replies.line);
	}
	buf_release(&b);
	return rc;
}

/* Connects one worker to one shard and has it watched. */
static int add_sender(struct load *l, unsigned shard, struct error *err)
{
	const struct endpoint *e = shards_endpoint(&l->shards, shard);
	struct sender_place place = {.server = endpoint_name(e), .shard = shard};
	struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLET};
	nsec_t deadline = clock_now() + l->cfg->conn->timeout;
	struct sender *s = NULL;
	int rc = conn_new(&place.conn, e, l->cfg->tls);

	if (rc < 0)
		return error_set(err, ERR_NOMEM, "out of memory for a connection");
	conn_set_interrupt(place.conn, l->cfg->stop);
	rc = conn_open_wait(place.conn, deadline, err);
	if (rc == 0)
		rc = greet(place.conn, l->cfg, place.server, deadline, err);
	if (rc == 0 && sender_new(&s, &place, l->cfg->pipeline, &l->source) < 0)
		rc = error_set(err, ERR_NOMEM, "out of memory for %u connections with a pipeline of %u",
			       l->cfg->workers, l->cfg->pipeline);
	if (rc < 0) {
		conn_free(place.conn);
		return rc;
	}
	l->senders[l->nsenders++] = s;
	event.data.ptr = s;
	if (epoll_ctl(l->epoll_fd, EPOLL_CTL_ADD, sender_fd(s), &event) < 0)
		return error_set_errno(err, ERR_IO, errno, "cannot watch a connection");
	return 0;
}

static int connect_all(struct load *l, struct error *err)
{
	unsigned shards = shards_count(&l->shards);
	int rc = 0;

	l->senders = calloc((size_t)shards * l->cfg->workers, sizeof(struct sender *));
	l->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (!l->senders || l->epoll_fd < 0)
		return error_set(err, ERR_NOMEM, "out of memory or descriptors for %u workers", l->cfg->workers);
	for (unsigned w = 0; w < l->cfg->workers; w++) {
		for (unsigned shard = 0; shard < shards; shard++) {
			rc = add_sender(l, shard, err);
			if (rc < 0)
				return rc;
		}
	}
	return 0;
}

static int make_queues(struct load *l, struct error *err)
{
	unsigned shards = shards_count(&l->shards);

	if (!l->shards.cluster.enabled)
		return 0;
	l->queues = calloc(shards, sizeof(*l->queues));
	for (unsigned i = 0; l->queues && i < shards; i++) {
		l->queues[i].rows = calloc(QUEUE_ROWS, sizeof(struct load_row));
		if (!l->queues[i].rows)
			return error_set(err, ERR_NOMEM, "out of memory for the shards' rows");
	}
	return l->queues ? 0 : error_set(err, ERR_NOMEM, "out of memory for the shards' rows");
}

static int open_dataset(struct load *l, struct error *err)
{
	const struct redis_data_config *cfg = l->cfg;
	/* A batch of every connection, and what waits in queues. */
	uint64_t taken = ((uint64_t)cfg->pipeline + 1) * cfg->workers * shards_count(&l->shards);
	struct dataset_config d = {
		.path = cfg->path, .row_size = cfg->spec->row_size, .batch = 1, .max_rows = cfg->max_inserts};

	if (l->shards.cluster.enabled)
		taken += (uint64_t)QUEUE_ROWS * shards_count(&l->shards);
	d.max_taken = taken > UINT32_MAX / 2 ? UINT32_MAX / 2 : (unsigned)taken;
	return dataset_open(&l->dataset, &d, err);
}

static int prepare_commands(struct load *l, struct error *err)
{
	const struct redis_data_config *cfg = l->cfg;
	struct sender_source *s = &l->source;
	int rc = 0;

	s->arg = l;
	s->take = take_row;
	s->give = give_row;
	s->value_offset = cfg->spec->reference_offset;
	s->value_size = cfg->spec->reference_size;
	if (cfg->set_blob)
		rc = load_command_blob(&s->commands[s->ncommands++], cfg->spec);
	if (rc == 0 && cfg->set_tensor)
		rc = load_command_tensor(&s->commands[s->ncommands++], cfg->spec);
	if (rc < 0 || s->ncommands == 0)
		return error_set(err, rc < 0 ? (enum error_code)rc : ERR_INVALID,
				 "%s: there is no reference data to store", cfg->spec->name);
	return 0;
}

static void report(struct load *l, nsec_t now)
{
	struct load_progress p = {
		.wall = clock_wall(),
		.since_start = now - l->start,
		.since_last = now - l->last_report,
		.commands = l->commands,
		.commands_before = l->last_commands,
	};

	l->cfg->report(l->cfg->arg, &p);
	l->last_report = now;
	l->last_commands = l->commands;
}

/* 1: all is done. */
static int look_after(struct load *l, nsec_t now, struct error *err)
{
	bool idle = l->at_end;

	for (unsigned i = 0; l->at_end && l->queues && i < shards_count(&l->shards); i++)
		idle = idle && l->queues[i].count == 0;
	for (unsigned i = 0; i < l->nsenders; i++) {
		struct sender *s = l->senders[i];
		nsec_t since = sender_waits_since(s);

		if (since != NSEC_NEVER && now - since > l->cfg->conn->timeout)
			return error_set(
				err, ERR_TIMEOUT,
				"%s: timed out: the server stopped answering: is it busy (-timeout waits longer)?",
				sender_server(s));
		if (sender_is_starved(s)) {
			int rc = sender_pump(s, now, &l->commands, err);

			if (rc < 0)
				return rc;
		}
		idle = idle && sender_is_idle(s);
	}
	return idle;
}

static int wait_msec(const struct load *l, nsec_t now)
{
	nsec_t wait = WAIT_MSEC;

	for (unsigned i = 0; i < l->nsenders; i++) {
		if (sender_is_starved(l->senders[i]))
			return WAIT_STARVED_MSEC;
	}
	if (l->cfg->reporting_period > 0) {
		nsec_t left = (l->last_report + l->cfg->reporting_period - now) / NSEC_PER_MSEC + 1;

		wait = left < wait ? left : wait;
	}
	return wait < 0 ? 0 : (int)wait;
}

static int run(struct load *l, struct error *err)
{
	struct epoll_event events[EVENTS_PER_WAIT];
	nsec_t now = l->start;
	int rc;

	for (unsigned i = 0; i < l->nsenders; i++) {
		rc = sender_pump(l->senders[i], now, &l->commands, err);
		if (rc < 0)
			return rc;
	}
	for (;;) {
		int n;

		rc = look_after(l, now, err);
		if (rc != 0)
			return rc < 0 ? rc : 0;
		if (l->cfg->stop && atomic_load(l->cfg->stop))
			return error_set(err, ERR_CANCELED, "interrupted: the dataset is loaded in part");
		if (l->cfg->reporting_period > 0 && now - l->last_report >= l->cfg->reporting_period)
			report(l, now);
		n = epoll_wait(l->epoll_fd, events, EVENTS_PER_WAIT, wait_msec(l, now));
		if (n < 0 && errno != EINTR)
			return error_set_errno(err, ERR_IO, errno, "cannot wait for the connections");
		now = clock_now();
		for (int i = 0; i < n; i++) {
			rc = sender_pump(events[i].data.ptr, now, &l->commands, err);
			if (rc < 0)
				return rc;
		}
	}
}

static void release(struct load *l)
{
	for (unsigned i = 0; i < l->nsenders; i++)
		sender_free(l->senders[i]);
	free(l->senders);
	for (unsigned i = 0; l->queues && i < shards_count(&l->shards); i++)
		free(l->queues[i].rows);
	free(l->queues);
	if (l->epoll_fd >= 0)
		close(l->epoll_fd);
	dataset_close(l->dataset);
	shards_release(&l->shards);
}

int redis_data_load(struct redis_data_summary *ret, const struct redis_data_config *cfg, struct error *err)
{
	struct load l = {.cfg = cfg, .epoll_fd = -1};
	int rc = prepare_commands(&l, err);

	if (rc == 0)
		rc = shards_find(&l.shards, cfg->endpoint, cfg->tls, cfg->conn, cfg->cluster_mode, err);
	if (rc == 0)
		rc = open_dataset(&l, err);
	if (rc == 0)
		rc = make_queues(&l, err);
	if (rc == 0)
		rc = connect_all(&l, err);
	if (rc < 0)
		goto out;
	l.start = l.last_report = clock_now();
	rc = run(&l, err);
	if (rc == 0 || rc == ERR_CANCELED)
		*ret = (struct redis_data_summary){
			.commands = l.commands,
			.took = clock_now() - l.start,
			.shards = shards_count(&l.shards),
			.cluster = l.shards.cluster.enabled,
		};
out:
	release(&l);
	return rc;
}
