/*
 * probe_run.c - differences of counts, window by window.
 */
#include "runners/probe_run.h"

#include <math.h>

static void add_window(struct probe_run *p, const struct recorder *so_far)
{
	uint64_t n = (so_far->response.total - p->total) / p->batch, over[SLO_MAX];

	for (unsigned i = 0; i < p->slo->n; i++) {
		uint64_t now = objective_over(&p->slo->objectives[i], &so_far->response);

		over[i] = (now - p->over[i]) / p->batch;
		p->over[i] = now;
	}
	p->total = so_far->response.total;
	probe_add(p->probe, n, over, p->slo);
	p->windows++;
}

bool probe_run_look(void *arg, nsec_t now, const struct recorder *so_far)
{
	struct probe_run *p = arg;

	(void)now;
	if (!p->begun) {
		p->begun = true;
		return false;
	}
	add_window(p, so_far);
	p->failed =
		p->windows >= PROBE_WINDOWS_MIN && probe_judge(p->probe, p->slo, PROBE_EARLY_CONFIDENCE) == PROBE_FAIL;
	return p->failed;
}

enum probe_failure probe_run_finish(struct probe_run *p, const struct result *r, double rate)
{
	const uint64_t *requests = r->all.totals.requests;
	double offered = rate / p->batch * nsec_to_sec(result_measured_time(r));

	add_window(p, &r->all);
	if (requests[OUTCOME_ERROR] || requests[OUTCOME_TIMEOUT] || requests[OUTCOME_WRONG])
		return PROBE_ERRORS;
	if (p->failed)
		return PROBE_NO_FAILURE;
	if (r->unanswered || r->unsent)
		return PROBE_UNANSWERED;
	if ((double)totals_requests(&r->all.totals) < PROBE_ACHIEVED_MIN * offered - 3 * sqrt(offered))
		return PROBE_TOO_SLOW;
	return PROBE_NO_FAILURE;
}
