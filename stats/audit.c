/*
 * audit.c - the rules of the verdict.
 *
 * Every limit below is where a figure of the report would begin to say something of the generator, of the machine or of
 * chance that a reader would take for the server's.
 */
#include "stats/audit.h"

#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "common/text.h"
#include "stats/result.h"

/* A thread that has something to do this much of the time makes answers wait 1/(1 - 0.95) = 20 times as long as it
 * handles one for being seen, and what it cannot send in a closed loop is the rate that is reported. */
#define THREAD_BUSY 0.95
/* From here on its own work is the likelier reason of its lag than others'. */
#define THREAD_HALF_BUSY 0.5
/* What a thread used of less time than this says only that it began. */
#define BUSY_SECONDS_MIN 0.1
/* One hundredth of the time is enough to move q99. Steal is counted in ticks of 10 ms on all cores: twice that is what a
 * run of a second can tell from none. */
#define STEAL_TOLERATED 0.02
#define THROTTLED_TOLERATED 0.01
/* The generator's own part of a response time: less than a tenth, or than the 20 us to which times are told anyway. */
#define LAG_SHARE 0.10
#define TIME_TOLERATED (20 * NSEC_PER_USEC)
/* Constant arrivals are sent within 0.05 % of their rate and Poisson's within their schedule; what lacks 1 % did not come
 * from chance but from a queue that grew. */
#define BEHIND_TOLERATED 0.01
/* Perf Analyzer's stability: highest to lowest of three windows, for rate and latency, each of 50 requests or more. */
#define STABLE_RATIO 1.10
#define WINDOWS 3
#define WINDOW_ANSWERS 50
/* Timer ticks, other processes and the server's own housekeeping come some times a second. */
#define MEASURED_MIN NSEC_PER_SEC
/* On either side of a confidence interval of 95 %. */
#define TAIL 0.025

static const char *const names[VERDICT_MAX] = {
	[VERDICT_NONE] = "NONE",
	[VERDICT_VALID] = "VALID",
	[VERDICT_TOO_SHORT] = "TOO SHORT",
	[VERDICT_UNSTABLE] = "UNSTABLE",
	[VERDICT_CLIENT_LIMITED] = "CLIENT-LIMITED",
	[VERDICT_ERRORS] = "ERRORS",
};

const char *verdict_name(enum verdict v)
{
	return names[v];
}

void audit_release(struct audit *a)
{
	free(a->threads);
	*a = (struct audit){0};
}

/* The rules are asked in order of precedence, so the first reason is the verdict's. */
PRINTF_LIKE(3, 4) static void add(struct audit *a, enum verdict v, const char *format, ...)
{
	struct audit_reason *reason = &a->reasons[a->nreasons];
	va_list args;

	if (a->nreasons == AUDIT_REASONS_MAX)
		return;
	reason->verdict = v;
	va_start(args, format);
	vsnprintf(reason->text, sizeof(reason->text), format, args);
	va_end(args);
	a->nreasons++;
}

static double percent(double share)
{
	return 100 * share;
}

/* What to do about a generator that is too slow. */
static const char *more_power(char text[64], const struct result *r)
{
	const struct audit *a = &r->audit;

	if (a->nthreads < r->workers && a->nthreads < a->cores)
		snprintf(text, 64, "pass -threads %u or take another machine", a->nthreads + 1);
	else
		snprintf(text, 64, "take another machine, or several");
	return text;
}

/* Those that were never sent would have had the longest times. A run that is ended from outside may leave a few. */
static bool unsent_shows(const struct result *r)
{
	return (double)r->unsent > (1 - r->audit.percentile / 100) * (double)r->offered.requests;
}

static void judge_outcomes(struct audit *a, const struct result *r)
{
	const uint64_t *n = r->all.totals.inferences;
	uint64_t wrong = r->all.totals.requests[OUTCOME_WRONG];
	uint64_t saturated = r->all.service.saturated + r->all.response.saturated;

	if (r->stopped_by_error)
		add(a, VERDICT_ERRORS,
		    result_measured(r) + r->unanswered > 0 || r->all.totals.requests[OUTCOME_ERROR] > 0
			    ? "an error ended the run before its end: look for its cause at the server"
			    : "nothing was measured: the message below says why");
	if (n[OUTCOME_ERROR])
		add(a, VERDICT_ERRORS, "%" PRIu64 " of %" PRIu64 " inferences failed: no percentile holds their times",
		    n[OUTCOME_ERROR], result_measured(r));
	if (n[OUTCOME_TIMEOUT])
		add(a, VERDICT_ERRORS,
		    "%" PRIu64 " of %" PRIu64
		    " inferences timed out and would have taken longer: raise -timeout, or lower the load",
		    n[OUTCOME_TIMEOUT], result_measured(r));
	if (wrong)
		add(a, VERDICT_ERRORS,
		    "%" PRIu64 " of %" PRIu64 " requests had wrong answers: look at the model that is served", wrong,
		    totals_requests(&r->all.totals));
	if (r->unanswered && !unsent_shows(r))
		add(a, VERDICT_ERRORS, "%" PRIu64 " request%s had no answer when the run ended: they count nowhere",
		    r->unanswered, plural(r->unanswered));
	if (saturated)
		add(a, VERDICT_ERRORS, "%" PRIu64 " times were over %.0f s and counted as that: lower the load",
		    saturated, nsec_to_sec(HISTOGRAM_LATENCY_HIGHEST));
}

static double busy(const struct thread_usage *t)
{
	return t->wall > 0 ? (t->cpu + t->waiting) / t->wall : 0;
}

static unsigned busiest_thread(const struct audit *a)
{
	unsigned at = 0;

	for (unsigned i = 1; i < a->nthreads; i++)
		at = busy(&a->threads[i]) > busy(&a->threads[at]) ? i : at;
	return at;
}

/* A thread that spins is always busy; whether it was late shows in its lag. */
static bool threads_had_no_time(const struct audit *a)
{
	const struct thread_usage *busiest = a->nthreads > 0 ? &a->threads[busiest_thread(a)] : NULL;

	return !a->spin && busiest && busiest->wall >= BUSY_SECONDS_MIN && busy(busiest) >= THREAD_BUSY;
}

static void judge_threads(struct audit *a, const struct result *r)
{
	const struct thread_usage *worst;
	unsigned at = busiest_thread(a);
	double cpu, waiting;
	char what[64];

	if (!threads_had_no_time(a))
		return;
	worst = &a->threads[at];
	cpu = fmin(worst->cpu / worst->wall, 1); /* two clocks, read one after the other */
	waiting = worst->waiting / worst->wall;
	if (cpu >= waiting * 4)
		add(a, VERDICT_CLIENT_LIMITED, "thread %u used %.0f %% of its core: %s", at, percent(cpu),
		    more_power(what, r));
	else
		add(a, VERDICT_CLIENT_LIMITED,
		    "thread %u had no core for %.0f %% of the time (CPU %.0f %%): keep the server and others off "
		    "its core, or take another machine",
		    at, percent(waiting), percent(cpu));
}

static void judge_machine(struct audit *a, const struct result *r)
{
	nsec_t wall = r->end - r->start;

	if (a->machine.steal > STEAL_TOLERATED)
		add(a, VERDICT_CLIENT_LIMITED,
		    "the hypervisor took %.1f %% of this machine's CPU time (steal): take one with cores of its own",
		    percent(a->machine.steal));
	if (wall > 0 && (double)a->machine.throttled > THROTTLED_TOLERATED * (double)wall)
		add(a, VERDICT_CLIENT_LIMITED,
		    "the cgroup's CPU quota held threads back for %.3f s in %" PRIu64
		    " periods: raise the quota (cpu.max)",
		    nsec_to_sec(a->machine.throttled), a->machine.throttled_periods);
}

static bool lag_shows(const struct result *r, double percentile)
{
	int64_t lag = histogram_percentile(&r->all.own_lag, percentile);
	int64_t response = histogram_percentile(&r->all.response, percentile);

	return lag > TIME_TOLERATED && (double)lag > LAG_SHARE * (double)response;
}

static const char *remedy_of_lag(char text[64], const struct result *r, int64_t lag)
{
	const struct audit *a = &r->audit;

	if (a->starvations)
		return "pass the dataset with -file, not through a pipe";
	if (!a->spin && lag <= 2 * a->timer.late_max)
		return "sleeps end as late on this machine; pass -spin";
	if (a->nthreads > 0 && busy(&a->threads[busiest_thread(a)]) > THREAD_HALF_BUSY)
		return more_power(text, r);
	return "keep other processes off its cores, or take another machine";
}

/* Lateness with an idle worker at hand, compared with the figure that it is part of. */
static void judge_lag(struct audit *a, const struct result *r)
{
	double p = lag_shows(r, a->percentile) ? a->percentile : 50;
	int64_t lag = histogram_percentile(&r->all.own_lag, p);
	char what[64];

	if (!lag_shows(r, p))
		return;
	add(a, VERDICT_CLIENT_LIMITED,
	    "the generator itself sent late: q%g of its lag is %.1f us, of the response time %.1f us: %s", p,
	    (double)lag / 1e3, (double)histogram_percentile(&r->all.response, p) / 1e3, remedy_of_lag(what, r, lag));
}

static double sent_rate(const struct result *r)
{
	return offered_rate(&r->offered) * (1 - r->audit.behind);
}

static bool rate_reached(const struct audit *a)
{
	return a->behind <= BEHIND_TOLERATED;
}

/* Did requests wait for an idle worker, more than for the thread? One without time left takes answers late, so that its
 * workers seem busy. What was never sent waited for a worker until the end, or for rows from a pipe. */
static bool window_was_full(const struct result *r)
{
	bool never_sent = r->unsent > 0 && r->audit.starvations == 0;

	return !threads_had_no_time(&r->audit) &&
	       (never_sent || histogram_mean(&r->all.own_lag) < histogram_mean(&r->all.lag) / 2);
}

/* An open loop that is late because all workers wait is no open loop any more for the server. */
static void judge_window(struct audit *a, const struct result *r)
{
	double share = r->all.lag.total ? (double)r->all.waited / (double)r->all.lag.total : 0;
	char what[64];

	if (!rate_reached(a) && !window_was_full(r))
		add(a, VERDICT_CLIENT_LIMITED,
		    "%.2f inferences/s were asked for and %.2f sent, for want of time and not of workers: %s",
		    offered_rate(&r->offered), sent_rate(r),
		    a->starvations ? "pass the dataset with -file, not through a pipe" : more_power(what, r));
	else if (rate_reached(a) && share > 1 - a->percentile / 100)
		add(a, VERDICT_CLIENT_LIMITED,
		    "%.1f %% of the inferences found all %u workers busy, which q%g shows: raise -workers",
		    percent(share), r->workers, a->percentile);
}

static void judge_backlog(struct audit *a, const struct result *r)
{
	if (!rate_reached(a) && window_was_full(r))
		add(a, VERDICT_UNSTABLE,
		    "%.2f inferences/s were asked for and %.2f sent, all workers (%u) busy: lower the rate, or raise "
		    "-workers if the server can do more at a time",
		    offered_rate(&r->offered), sent_rate(r), r->workers);
	if (unsent_shows(r))
		add(a, VERDICT_UNSTABLE,
		    "%" PRIu64 " requests due were never sent, %" PRIu64
		    " had no answer when the run ended: they count nowhere, lower the rate",
		    r->unsent, r->unanswered);
}

struct window {
	uint64_t answered;
	nsec_t time;
	double median; /* mean of its periods' medians, weighted by their answers */
};

static nsec_t period_begin(const struct result *r, size_t i)
{
	return i > 0 ? r->periods[i - 1].test_time : 0;
}

static nsec_t period_length(const struct result *r, size_t i)
{
	return r->periods[i].test_time - period_begin(r, i);
}

/* The whole periods after the burn-in, into consecutive thirds. False: there are too few of them. */
static bool make_windows(struct window windows[WINDOWS], const struct result *r)
{
	nsec_t burn_in = r->burn_in_end > r->start ? r->burn_in_end - r->start : 0;
	size_t first = 0, last = r->nperiods;

	memset(windows, 0, WINDOWS * sizeof(*windows));
	while (first < last && period_begin(r, first) < burn_in)
		first++;
	/* The last one ends with the run. */
	if (last >= first + 2 && period_length(r, last - 1) < period_length(r, last - 2) / 2)
		last--;
	if (last - first < WINDOWS)
		return false;
	for (size_t i = first; i < last; i++) {
		struct window *w = &windows[(i - first) * WINDOWS / (last - first)];
		uint64_t n = r->periods[i].answered - (i > 0 ? r->periods[i - 1].answered : 0);

		w->answered += n;
		w->time += period_length(r, i);
		w->median += (double)n * (double)r->periods[i].quantiles[1];
	}
	for (int i = 0; i < WINDOWS; i++) {
		if (windows[i].answered < WINDOW_ANSWERS || windows[i].time <= 0)
			return false;
		windows[i].median /= (double)windows[i].answered;
	}
	return true;
}

static void judge_trend(struct audit *a, const struct result *r)
{
	struct window windows[WINDOWS];
	double slowest = INFINITY, fastest = 0, shortest = INFINITY, longest = 0;

	/* -stable has judged this already, by windows of its own. */
	if (r->stability.state == STABILITY_UNSTABLE && r->stability.windows < STABILITY_WINDOWS_MAX)
		add(a, VERDICT_UNSTABLE,
		    "the run ended after %u windows, before three in a row were within 10 %%: let it run longer, or "
		    "shorten -window",
		    r->stability.windows);
	else if (r->stability.state == STABILITY_UNSTABLE)
		add(a, VERDICT_UNSTABLE,
		    "%u windows went by without three in a row within 10 %%: lengthen them or lower the load",
		    r->stability.windows);
	if (r->stability.state != STABILITY_NOT_ASKED || !a->one_rate || !make_windows(windows, r))
		return;
	for (int i = 0; i < WINDOWS; i++) {
		double rate = (double)windows[i].answered / nsec_to_sec(windows[i].time);

		slowest = fmin(slowest, rate);
		fastest = fmax(fastest, rate);
		shortest = fmin(shortest, windows[i].median);
		longest = fmax(longest, windows[i].median);
	}
	/* What an open loop's rate does is the schedule's doing. */
	if (!r->all.open_loop && fastest > STABLE_RATIO * slowest)
		add(a, VERDICT_UNSTABLE,
		    "between the thirds of the run the rate went from %.0f to %.0f inferences/s: lengthen -burn-in or "
		    "the run",
		    slowest, fastest);
	if (longest > STABLE_RATIO * shortest && longest - shortest > (double)TIME_TOLERATED)
		add(a, VERDICT_UNSTABLE,
		    "between the thirds of the run the median service time went from %.3f to %.3f ms: lengthen "
		    "-burn-in or "
		    "the run",
		    shortest / 1e6, longest / 1e6);
}

uint64_t audit_samples_needed(double percentile)
{
	double p = percentile / 100, larger = fmax(p, 1 - p);

	return larger < 1 ? (uint64_t)ceil(log(TAIL) / log(larger)) : UINT64_MAX;
}

/* Requests: the inferences of one batch are one time. */
static void judge_length(struct audit *a, const struct result *r)
{
	uint64_t needed = audit_samples_needed(a->percentile);
	uint64_t n = totals_requests(&r->all.totals) - r->all.totals.requests[OUTCOME_ERROR];
	nsec_t time = result_measured_time(r);

	if (n < needed)
		add(a, VERDICT_TOO_SHORT,
		    "q%g needs %" PRIu64 " answers for a confidence interval of 95 %%, %" PRIu64 " came: %" PRIu64
		    " are missing",
		    a->percentile, needed, n, needed - n);
	if (time < MEASURED_MIN)
		add(a, VERDICT_TOO_SHORT, "only %.3f s were measured: make it %.0f s or more", nsec_to_sec(time),
		    nsec_to_sec(MEASURED_MIN));
}

void audit_judge(struct result *r)
{
	struct audit *a = &r->audit;
	bool measured = result_measured(r) > 0;

	if (!(a->percentile > 0))
		a->percentile = AUDIT_PERCENTILE_DEFAULT;
	a->nreasons = 0;
	judge_outcomes(a, r);
	judge_threads(a, r);
	judge_machine(a, r);
	if (r->all.open_loop && measured) {
		judge_lag(a, r);
		judge_window(a, r);
		judge_backlog(a, r);
	}
	judge_trend(a, r);
	judge_length(a, r);
	a->verdict = a->nreasons ? a->reasons[0].verdict : VERDICT_VALID;
}
