/*
 * recorder.c - one writer thread's measurements.
 */
#include "stats/recorder.h"

int recorder_init(struct recorder *r, bool open_loop)
{
	struct recorder n = {.open_loop = open_loop};
	int e;

	e = histogram_init_latency(&n.service);
	if (e == 0 && open_loop)
		e = histogram_init_latency(&n.response);
	if (e == 0 && open_loop)
		e = histogram_init_latency(&n.lag);
	if (e == 0 && open_loop)
		e = histogram_init_latency(&n.own_lag);
	if (e < 0) {
		recorder_release(&n);
		return e;
	}
	*r = n;
	return 0;
}

int recorder_add_stages(struct recorder *r, unsigned stages)
{
	for (unsigned s = 0; s < STAGE_MAX; s++) {
		unsigned bit = 1U << s;
		int e;

		if (!(stages & bit) || (r->stages & bit))
			continue;
		e = histogram_init_latency(&r->stage[s]);
		if (e < 0)
			return e;
		r->stages |= bit;
	}
	return 0;
}

int recorder_init_like(struct recorder *r, const struct recorder *like)
{
	int e = recorder_init(r, like->open_loop);

	if (e < 0)
		return e;
	e = recorder_add_stages(r, like->stages);
	if (e < 0)
		recorder_release(r);
	return e;
}

void recorder_release(struct recorder *r)
{
	for (unsigned s = 0; s < STAGE_MAX; s++)
		histogram_release(&r->stage[s]);
	histogram_release(&r->service);
	histogram_release(&r->response);
	histogram_release(&r->lag);
	histogram_release(&r->own_lag);
}

void recorder_reset(struct recorder *r)
{
	histogram_reset(&r->service);
	if (r->open_loop) {
		histogram_reset(&r->response);
		histogram_reset(&r->lag);
		histogram_reset(&r->own_lag);
	}
	__atomic_store_n(&r->waited, 0, __ATOMIC_RELAXED);
	for (unsigned i = 0; i < STAGE_MAX; i++) {
		if (r->stages & 1U << i)
			histogram_reset(&r->stage[i]);
	}
	for (int o = 0; o < OUTCOME_MAX; o++) {
		__atomic_store_n(&r->totals.requests[o], 0, __ATOMIC_RELAXED);
		__atomic_store_n(&r->totals.inferences[o], 0, __ATOMIC_RELAXED);
	}
}

/* A request that ended early has no stamps of the stages it did not reach. */
static void record_stages(struct recorder *r, const struct stamps *s, unsigned inferences)
{
	nsec_t before = s->sent;

	for (unsigned i = 0; i < STAGE_MAX; i++) {
		if (s->stage[i] == 0)
			continue;
		if (r->stages & 1U << i)
			histogram_record_n(&r->stage[i], s->stage[i] - before, inferences);
		before = s->stage[i];
	}
}

void recorder_record(struct recorder *r, const struct stamps *s, enum outcome o, unsigned inferences)
{
	relaxed_add(&r->totals.requests[o], 1);
	relaxed_add(&r->totals.inferences[o], inferences);
	if (o == OUTCOME_ERROR)
		return;
	histogram_record_n(&r->service, s->received - s->sent, inferences);
	if (r->open_loop) {
		bool waited = s->ready > s->intended;

		histogram_record_n(&r->response, s->received - s->intended, inferences);
		histogram_record_n(&r->lag, s->sent - s->intended, inferences);
		histogram_record_n(&r->own_lag, s->sent - (waited ? s->ready : s->intended), inferences);
		relaxed_add(&r->waited, waited ? inferences : 0);
	}
	if (r->stages)
		record_stages(r, s, inferences);
}

void recorder_add_to(const struct recorder *r, struct recorder *sum)
{
	histogram_merge(&sum->service, &r->service);
	if (r->open_loop && sum->open_loop) {
		histogram_merge(&sum->response, &r->response);
		histogram_merge(&sum->lag, &r->lag);
		histogram_merge(&sum->own_lag, &r->own_lag);
	}
	sum->waited += __atomic_load_n(&r->waited, __ATOMIC_RELAXED);
	for (unsigned i = 0; i < STAGE_MAX; i++) {
		if (r->stages & sum->stages & 1U << i)
			histogram_merge(&sum->stage[i], &r->stage[i]);
	}
	for (int o = 0; o < OUTCOME_MAX; o++) {
		sum->totals.requests[o] += __atomic_load_n(&r->totals.requests[o], __ATOMIC_RELAXED);
		sum->totals.inferences[o] += __atomic_load_n(&r->totals.inferences[o], __ATOMIC_RELAXED);
	}
}

int recorder_difference(struct recorder *ret, struct recorder *before, const struct recorder *now)
{
	int e = histogram_difference(&ret->service, &before->service, &now->service);

	if (e == 0 && now->open_loop)
		e = histogram_difference(&ret->response, &before->response, &now->response);
	if (e == 0 && now->open_loop)
		e = histogram_difference(&ret->lag, &before->lag, &now->lag);
	if (e == 0 && now->open_loop)
		e = histogram_difference(&ret->own_lag, &before->own_lag, &now->own_lag);
	for (unsigned i = 0; e == 0 && i < STAGE_MAX; i++) {
		if (now->stages & 1U << i)
			e = histogram_difference(&ret->stage[i], &before->stage[i], &now->stage[i]);
	}
	for (int o = 0; o < OUTCOME_MAX; o++) {
		ret->totals.requests[o] = now->totals.requests[o] - before->totals.requests[o];
		ret->totals.inferences[o] = now->totals.inferences[o] - before->totals.inferences[o];
	}
	before->totals = now->totals;
	ret->waited = now->waited - before->waited;
	before->waited = now->waited;
	return e;
}

const char *stage_name(enum stage s)
{
	static const char *const names[STAGE_MAX] = {
		[STAGE_REFERENCE] = "ReferenceFetch",
		[STAGE_ENCODE] = "Encode",
		[STAGE_SERVICE] = "ModelCall",
		[STAGE_DECODE] = "Decode",
	};

	return names[s];
}

uint64_t totals_requests(const struct totals *t)
{
	uint64_t n = 0;

	for (int o = 0; o < OUTCOME_MAX; o++)
		n += t->requests[o];
	return n;
}

uint64_t totals_answered(const struct totals *t)
{
	return t->inferences[OUTCOME_OK] + t->inferences[OUTCOME_WRONG];
}

uint64_t totals_inferences(const struct totals *t)
{
	uint64_t n = 0;

	for (int o = 0; o < OUTCOME_MAX; o++)
		n += t->inferences[o];
	return n;
}
