/*
 * stable_run.c - snapshots at the windows' ends, and the differences between them.
 */
#include "runners/stable_run.h"

#define SNAPSHOTS (STABILITY_WINDOWS + 1)

void stable_run_release(struct stable_run *s)
{
	for (int i = 0; i < SNAPSHOTS; i++)
		recorder_release(&s->snapshots[i].recorder);
	*s = (struct stable_run){0};
}

static int take_snapshot(struct run_snapshot *snapshot, nsec_t now, const struct recorder *so_far)
{
	if (!snapshot->recorder.service.counts && recorder_init_like(&snapshot->recorder, so_far) < 0)
		return ERR_NOMEM;
	recorder_reset(&snapshot->recorder);
	recorder_add_to(so_far, &snapshot->recorder);
	snapshot->at = now;
	return 0;
}

static const struct histogram *latencies(const struct run_snapshot *s)
{
	return s->recorder.open_loop ? &s->recorder.response : &s->recorder.service;
}

static double sum(const struct histogram *h)
{
	return histogram_mean(h) * (double)h->total;
}

static enum stability_state add_window(struct stable_run *s, const struct run_snapshot *before,
				       const struct run_snapshot *now)
{
	double n = (double)(latencies(now)->total - latencies(before)->total), time = (double)(now->at - before->at);
	double answered = (double)(totals_answered(&now->recorder.totals) - totals_answered(&before->recorder.totals));

	return stability_add(&s->stability, time > 0 ? answered / time : 0,
			     n > 0 ? (sum(latencies(now)) - sum(latencies(before))) / n : 0);
}

bool stable_run_look(void *arg, nsec_t now, const struct recorder *so_far)
{
	struct stable_run *s = arg;
	struct run_snapshot *snapshot = &s->snapshots[s->looks % SNAPSHOTS];

	s->error = take_snapshot(snapshot, now, so_far);
	if (s->error < 0)
		return true;
	s->looks++;
	if (s->looks == 1)
		return false;
	return add_window(s, &s->snapshots[(s->looks - 2) % SNAPSHOTS], snapshot) != STABILITY_MEASURING;
}

/* What is not in the windows was warm-up: counted, for the client worked for it too. */
static void add_rest(struct totals *burned_in, const struct totals *all, const struct totals *windows)
{
	for (int o = 0; o < OUTCOME_MAX; o++) {
		burned_in->requests[o] += all->requests[o] - windows->requests[o];
		burned_in->inferences[o] += all->inferences[o] - windows->inferences[o];
	}
}

/* What of the schedule was due in the windows: made anew, for it depends on the seed alone. */
static int offer_windows(struct offered *o, const struct run_config *cfg, nsec_t start, nsec_t from, nsec_t until)
{
	const struct arrival_config whole = {.process = cfg->arrival,
					     .schedule = &cfg->schedule,
					     .batch = cfg->what.batch,
					     .seed = cfg->seed,
					     .threads = 1,
					     .start = start};
	struct arrival a;
	int r;

	if (cfg->arrival == ARRIVAL_CLOSED)
		return 0;
	r = arrival_init(&a, &whole);
	if (r < 0)
		return r;
	o->requests = 0;
	o->from = from;
	o->until = until;
	for (; arrival_next(&a) < until; arrival_advance(&a)) {
		if (arrival_next(&a) < from)
			continue;
		if (o->requests++ == 0)
			o->first = arrival_next(&a);
		o->last = arrival_next(&a);
	}
	return 0;
}

int stable_run_finish(struct stable_run *s, const struct run_config *cfg, struct result *r)
{
	const struct run_snapshot *last = &s->snapshots[(s->looks + SNAPSHOTS - 1) % SNAPSHOTS];
	struct run_snapshot *first = &s->snapshots[s->looks % SNAPSHOTS];
	const struct totals all = r->all.totals;
	int e;

	if (s->error < 0)
		return s->error;
	if (s->stability.state != STABILITY_STABLE)
		s->stability.state = STABILITY_UNSTABLE;
	r->stability = s->stability;
	if (s->looks < SNAPSHOTS)
		return 0;
	r->burn_in_end = first->at;
	r->end = r->measured_end = last->at;
	e = offer_windows(&r->offered, cfg, r->start, first->at, last->at);
	if (e == 0)
		e = recorder_difference(&r->all, &first->recorder, &last->recorder);
	add_rest(&r->burned_in, &all, &r->all.totals);
	return e;
}
