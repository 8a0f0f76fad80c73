/*
 * result.c - what a run found out: ownership and the rates.
 */
#include "stats/result.h"

#include <stdlib.h>

int period_set_latencies(struct period *p, const struct histogram *service)
{
	static const double percentiles[PERIOD_QUANTILES] = {0, 50, 95, 99, 99.9, 100};
	struct buf encoded = {0};
	int r;

	r = histogram_encode_microseconds(service, &encoded);
	if (r < 0) {
		buf_release(&encoded);
		return r;
	}
	for (int i = 0; i < PERIOD_QUANTILES; i++)
		p->quantiles[i] = histogram_percentile(service, percentiles[i]);
	free(p->encoded);
	p->encoded = encoded.data;
	return 0;
}

void result_release(struct result *r)
{
	recorder_release(&r->all);
	for (size_t i = 0; i < r->nperiods; i++)
		free(r->periods[i].encoded);
	free(r->periods);
	server_log_release(&r->server_log);
	audit_release(&r->audit);
	free(r->offered.schedule);
	*r = (struct result){0};
}

uint64_t result_measured(const struct result *r)
{
	return totals_inferences(&r->all.totals);
}

uint64_t result_inferences(const struct result *r)
{
	return totals_inferences(&r->burned_in) + result_measured(r);
}

uint64_t result_found_busy(const struct result *r, uint64_t *ret_of)
{
	uint64_t unsent = r->unsent * r->tensor_batch;

	*ret_of = r->all.lag.total + unsent;
	return r->all.waited + unsent;
}

nsec_t result_measured_time(const struct result *r)
{
	/* burn_in_end is not set where there was no burn-in, or where it never ended. */
	nsec_t from = r->burn_in_end > r->start ? r->burn_in_end : r->start;

	return (r->measured_end ? r->measured_end : r->end) - from;
}

double result_rate(const struct result *r)
{
	return per_second(totals_answered(&r->all.totals), result_measured_time(r));
}

double result_rate_with_warmup(const struct result *r)
{
	return per_second(totals_answered(&r->burned_in) + totals_answered(&r->all.totals), r->end - r->start);
}
