/*
 * audit_report.c - the verdict and its figures, as lines for people and as JSON.
 */
#include <inttypes.h>
#include <math.h>

#include "stats/audit.h"
#include "stats/json_writer.h"
#include "stats/result.h"

/* Of two clocks that were read one after the other a part may be a little more than the whole. */
static double share(double part, double whole)
{
	return whole > 0 ? fmin(part / whole, 1) : 0;
}

static void write_lag(FILE *out, const struct result *r)
{
	const struct histogram *h = &r->all.own_lag;
	uint64_t of, busy = result_found_busy(r, &of);

	fprintf(out,
		"Send lag of the generator's own, with an idle worker (ms): q50 %.3f, q99 %.3f, q99.9 %.3f, max %.3f; ",
		nsec_to_msec(histogram_percentile(h, 50)), nsec_to_msec(histogram_percentile(h, 99)),
		nsec_to_msec(histogram_percentile(h, 99.9)), nsec_to_msec(h->max));
	fprintf(out, "%" PRIu64 " of %" PRIu64 " inferences found all workers busy\n", busy, of);
}

static void write_generator(FILE *out, const struct audit *a)
{
	const char *separator = "";

	fputs("Generator: ", out);
	for (unsigned i = 0; i < a->nthreads; i++) {
		const struct thread_usage *t = &a->threads[i];

		fprintf(out, "%sthread %u %.1f %% of a core", separator, i, 100 * share(t->cpu, t->wall));
		if (t->waiting > 0)
			fprintf(out, " (%.1f %% waiting for one)", 100 * share(t->waiting, t->wall));
		separator = ", ";
	}
	if (a->machine.steal >= 0)
		fprintf(out, "; steal %.1f %%", 100 * a->machine.steal);
	if (a->machine.throttled_periods)
		fprintf(out, "; throttled for %.3f s", nsec_to_sec(a->machine.throttled));
	fprintf(out, "; clock steps of %" PRId64 " ns, sleeps end %.1f us late (at most %.1f)\n", a->timer.step,
		nsec_to_usec(a->timer.late), nsec_to_usec(a->timer.late_max));
}

void audit_write_text(FILE *out, const struct result *r)
{
	const struct audit *a = &r->audit;

	if (a->verdict == VERDICT_NONE)
		return;
	if (r->all.open_loop)
		write_lag(out, r);
	write_generator(out, a);
	fprintf(out, "Verdict: %s\n", verdict_name(a->verdict));
	for (unsigned i = 0; i < a->nreasons; i++)
		fprintf(out, "\t%s: %s\n", verdict_name(a->reasons[i].verdict), a->reasons[i].text);
}

static void write_reasons(struct json_writer *w, const struct audit *a)
{
	json_begin_array(w, "Reasons");
	for (unsigned i = 0; i < a->nreasons; i++) {
		json_begin(w, NULL);
		json_string(w, "Verdict", verdict_name(a->reasons[i].verdict));
		json_string(w, "Text", a->reasons[i].text);
		json_end(w);
	}
	json_end_array(w);
}

static void write_open_loop(struct json_writer *w, const struct result *r)
{
	const struct histogram *h = &r->all.own_lag;
	uint64_t of;

	json_double(w, "BehindSchedule", r->audit.behind);
	json_uint(w, "FoundAllWorkersBusy", result_found_busy(r, &of));
	json_begin(w, "OwnSendLagNanos");
	json_int(w, "q50", histogram_percentile(h, 50));
	json_int(w, "q99", histogram_percentile(h, 99));
	json_int(w, "q999", histogram_percentile(h, 99.9));
	json_int(w, "Max", h->max);
	json_end(w);
}

static void write_threads(struct json_writer *w, const struct audit *a)
{
	json_begin_array(w, "Threads");
	for (unsigned i = 0; i < a->nthreads; i++) {
		const struct thread_usage *t = &a->threads[i];

		json_begin(w, NULL);
		json_uint(w, "Inferences", t->inferences);
		json_double(w, "WallSeconds", t->wall);
		json_double(w, "CPUSeconds", t->cpu);
		json_double(w, "WaitedForCPUSeconds", t->waiting);
		json_double(w, "CPUShare", share(t->cpu, t->wall));
		json_double(w, "CPUMicrosPerInference", t->inferences ? t->cpu * 1e6 / (double)t->inferences : 0);
		json_uint(w, "VoluntaryContextSwitches", t->voluntary_switches);
		json_uint(w, "InvoluntaryContextSwitches", t->involuntary_switches);
		json_end(w);
	}
	json_end_array(w);
}

void audit_write_json(struct json_writer *w, const struct result *r)
{
	const struct audit *a = &r->audit;

	if (a->verdict == VERDICT_NONE) {
		json_string(w, "Audit", NULL);
		return;
	}
	json_begin(w, "Audit");
	json_string(w, "Verdict", verdict_name(a->verdict));
	write_reasons(w, a);
	json_double(w, "Percentile", a->percentile);
	json_bool(w, "Spin", a->spin);
	json_uint(w, "SamplesNeeded", audit_samples_needed(a->percentile));
	if (r->all.open_loop)
		write_open_loop(w, r);
	write_threads(w, a);
	json_begin(w, "Timer");
	json_int(w, "ResolutionNanos", a->timer.resolution);
	json_int(w, "StepNanos", a->timer.step);
	json_int(w, "SleepLateNanos", a->timer.late);
	json_int(w, "SleepLateMaxNanos", a->timer.late_max);
	json_end(w);
	if (a->machine.steal >= 0)
		json_double(w, "StealShare", a->machine.steal);
	else
		json_string(w, "StealShare", NULL);
	json_uint(w, "ThrottledPeriods", a->machine.throttled_periods);
	json_int(w, "ThrottledNanos", a->machine.throttled);
	json_uint(w, "SaturatedValues", r->all.service.saturated + r->all.response.saturated + r->all.lag.saturated);
	json_end(w);
}
