/*
 * queries.h - requests as the queries of an MLPerf scenario: when the next query may start, and how late each one was.
 *
 * One for each worker thread, which asks before it sends, and tells of what it sent and what came back. Times are
 * arguments; nothing here allocates or waits once it is open.
 *
 * Single and multi-stream: one thread. A query is `group` requests, all sent before any of the next one, which starts when
 * the last answer is there; the latency is that of the slowest, from the moment when the query began. Server and offline:
 * each request stands for itself, and was due on its schedule, or at the start of the run.
 */
#ifndef RUNNERS_QUERIES_H
#define RUNNERS_QUERIES_H

#include <stdbool.h>
#include <stdint.h>

#include "common/clock.h"
#include "common/error.h"
#include "stats/latency_log.h"
#include "stats/scenario_summary.h"

/* Of a stream, whose number of queries nobody knows before: 2 GiB of addresses, of which the run takes what it fills. */
#define QUERIES_STREAM_MAX ((uint64_t)1 << 28)

/* Zero-initialise; a zeroed struct is that of a run without a scenario, and lets everything pass. */
struct queries {
	bool enabled;
	bool stream;    /* single or multi-stream */
	bool at_once;   /* offline: everything is due at the start */
	bool measured;  /* the stream ends when both minima are met; otherwise with the dataset */
	unsigned group; /* requests a query */
	nsec_t min_duration;
	uint64_t min_queries;
	nsec_t start;

	/* Of a stream: */
	unsigned to_send, under_way; /* requests of the query that has begun */
	nsec_t due, slowest;         /* when it began; its last answer so far */
	uint64_t begun;
	bool last; /* the query that has begun is the last one */

	nsec_t last_due, last_done; /* of the query that was due last, and has been answered */
	struct latency_log latencies;
};

/* How many requests make up a query, `batch` samples each; 0: the batch does not divide it. Server and offline: 1. */
unsigned queries_group(const struct scenario_settings *s, unsigned batch);

/* requests: of the run; UINT64_MAX: unknown. threads: of the run. ERR_NOMEM. */
int queries_init(struct queries *q, const struct scenario_settings *s, unsigned batch, uint64_t requests,
		 unsigned threads) MUST_CHECK;
void queries_release(struct queries *q);

static inline void queries_start(struct queries *q, nsec_t start)
{
	q->start = start;
}

/* What the functions below do in a scenario; other runs pay for no call. */
nsec_t queries_count_sent(struct queries *q, nsec_t now, nsec_t scheduled);
void queries_count_finished(struct queries *q, nsec_t due, nsec_t received);

/* A request may be sent now. */
static inline bool queries_may_send(const struct queries *q)
{
	return !q->stream || q->to_send > 0 || (q->under_way == 0 && !q->last);
}

/* Nothing more will be sent. */
static inline bool queries_ended(const struct queries *q)
{
	return q->last && q->to_send == 0;
}

/* A request is sent at `now`; scheduled: when its arrival process wanted it. Begins a query if none has begun. Returns when
 * the request was due. */
static inline nsec_t queries_sent(struct queries *q, nsec_t now, nsec_t scheduled)
{
	return q->enabled ? queries_count_sent(q, now, scheduled) : scheduled;
}

/* It was answered, or given up. */
static inline void queries_finished(struct queries *q, nsec_t due, nsec_t received)
{
	if (q->enabled)
		queries_count_finished(q, due, received);
}

#endif
