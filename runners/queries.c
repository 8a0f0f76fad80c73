/*
 * queries.c - the gate that lets a stream's queries pass one after the other.
 */
#include "runners/queries.h"

/* Latencies of a stream whose pages are there before it starts; further ones come between two queries, not within one. */
#define STREAM_EXPECTED ((uint64_t)1 << 20)

unsigned queries_group(const struct scenario_settings *s, unsigned batch)
{
	if (s->scenario != SCENARIO_MULTI_STREAM)
		return 1;
	if (batch == 0 || s->samples_per_query % batch)
		return 0;
	return (unsigned)(s->samples_per_query / batch);
}

/* Arrivals of the server are dealt out evenly; whoever is free takes the next offline request, so that one thread could
 * take them all. */
static int reserve(struct latency_log *ret, const struct queries *q, uint64_t requests, unsigned threads)
{
	uint64_t share = requests / threads + 1;

	if (q->stream) {
		uint64_t capacity = requests < QUERIES_STREAM_MAX ? requests : QUERIES_STREAM_MAX;

		return latency_log_init(ret, capacity, STREAM_EXPECTED);
	}
	return latency_log_init(ret, q->at_once ? requests : share, share);
}

int queries_init(struct queries *q, const struct scenario_settings *s, unsigned batch, uint64_t requests,
		 unsigned threads)
{
	struct queries n = {
		.enabled = true,
		.stream = s->scenario == SCENARIO_SINGLE_STREAM || s->scenario == SCENARIO_MULTI_STREAM,
		.at_once = s->scenario == SCENARIO_OFFLINE,
		.measured = s->mode == SCENARIO_PERFORMANCE,
		.group = queries_group(s, batch),
		.min_duration = s->min_duration,
		.min_queries = s->min_queries,
		.last_due = INT64_MIN,
	};
	int r = reserve(&n.latencies, &n, requests, threads);

	if (r == 0)
		*q = n;
	return r;
}

void queries_release(struct queries *q)
{
	latency_log_release(&q->latencies);
	*q = (struct queries){0};
}

/* LoadGen stops after the first query that was issued with both minima met, so that the last one is due at or after the
 * minimum duration. */
static void begin(struct queries *q, nsec_t now)
{
	q->due = q->slowest = now;
	q->to_send = q->group;
	q->begun++;
	q->last = q->begun == q->latencies.capacity ||
		  (q->measured && q->begun >= q->min_queries && now - q->start >= q->min_duration);
}

nsec_t queries_count_sent(struct queries *q, nsec_t now, nsec_t scheduled)
{
	if (q->at_once)
		return q->start;
	if (!q->stream)
		return scheduled;
	if (q->to_send == 0)
		begin(q, now);
	q->to_send--;
	q->under_way++;
	return q->due;
}

static void answered(struct queries *q, nsec_t due, nsec_t done)
{
	if (!latency_log_full(&q->latencies))
		latency_log_add(&q->latencies, done - due);
	if (due > q->last_due || (due == q->last_due && done > q->last_done)) {
		q->last_due = due;
		q->last_done = done;
	}
}

void queries_count_finished(struct queries *q, nsec_t due, nsec_t received)
{
	if (!q->stream) {
		answered(q, due, received);
		return;
	}
	q->under_way--;
	if (received > q->slowest)
		q->slowest = received;
	if (q->under_way == 0 && q->to_send == 0)
		answered(q, q->due, q->slowest);
}
