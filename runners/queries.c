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

int queries_init(struct queries *q, const struct scenario_settings *s, unsigned batch, uint64_t requests)
{
	bool stream = s->scenario == SCENARIO_SINGLE_STREAM || s->scenario == SCENARIO_MULTI_STREAM;
	struct queries n = {
		.enabled = true,
		.stream = stream,
		.at_once = s->scenario == SCENARIO_OFFLINE,
		.measured = s->mode == SCENARIO_PERFORMANCE,
		.group = queries_group(s, batch),
		.min_duration = s->min_duration,
		.min_queries = s->min_queries,
		.last_due = INT64_MIN,
	};
	uint64_t capacity = stream && requests > QUERIES_STREAM_MAX ? QUERIES_STREAM_MAX : requests;
	int r = latency_log_init(&n.latencies, capacity,
				 stream && capacity > STREAM_EXPECTED ? STREAM_EXPECTED : capacity);

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

nsec_t queries_due(struct queries *q, nsec_t now, nsec_t scheduled)
{
	if (q->at_once)
		return q->start;
	if (!q->stream)
		return scheduled;
	if (q->to_send == 0)
		begin(q, now);
	return q->due;
}

void queries_sent(struct queries *q)
{
	if (!q->stream)
		return;
	q->to_send--;
	q->under_way++;
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

void queries_finished(struct queries *q, nsec_t due, nsec_t received)
{
	if (!q->enabled)
		return;
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
