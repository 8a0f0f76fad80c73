/*
 * offered.c - the rate of a schedule as it was, and its part of the reports.
 */
#include "stats/offered.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "stats/json_writer.h"
#include "stats/result.h"

double offered_rate(const struct offered *o)
{
	if (!o->schedule)
		return 0;
	if (o->until > o->from)
		return (double)o->requests * o->batch / nsec_to_sec(o->until - o->from);
	if (o->requests < 2 || o->last <= o->first)
		return 0;
	/* as many gaps as there are between them */
	return (double)(o->requests - 1) * o->batch / nsec_to_sec(o->last - o->first);
}

static void write_order(FILE *out, const struct offered *o)
{
	bool drawn = o->order && strcmp(o->order, "drawn") == 0;
	bool shuffled = o->order && strcmp(o->order, "shuffled") == 0;

	if (drawn)
		fprintf(out, "Rows: drawn at random, with replacement, seed %" PRIu64 "\n", o->seed);
	else if (shuffled)
		fprintf(out, "Rows: shuffled%s, seed %" PRIu64 "\n", o->repeat ? ", repeated" : "", o->seed);
	else if (o->repeat)
		fputs("Rows: in order, repeated\n", out);
}

void offered_write_text(FILE *out, const struct result *r)
{
	const struct offered *o = &r->offered;

	if (!o->process)
		return;
	if (o->schedule) {
		fprintf(out, "Arrivals: %s, %s inferences/s", o->process, o->schedule);
		if (strcmp(o->process, "poisson") == 0)
			fprintf(out, ", seed %" PRIu64, o->seed);
		fprintf(out, ": offered %.2f, achieved %.2f inferences/sec over %.3f s\n", offered_rate(o),
			result_rate(r), nsec_to_sec(result_measured_time(r)));
	}
	write_order(out, o);
	if (o->ran_dry)
		fputs("Note: the dataset ended before the run's time did: -repeat starts it again\n", out);
}

/* Null where there is none. */
static void write_seconds(struct json_writer *w, const char *name, nsec_t time)
{
	json_double(w, name, time > 0 ? nsec_to_sec(time) : NAN);
}

void offered_write_json(struct json_writer *w, const struct result *r)
{
	const struct offered *o = &r->offered;

	if (!o->process) {
		json_string(w, "Offered", NULL);
		return;
	}
	json_begin(w, "Offered");
	json_string(w, "Process", o->process);
	json_string(w, "Schedule", o->schedule);
	json_uint(w, "Seed", o->seed);
	json_string(w, "Order", o->order);
	json_bool(w, "Repeat", o->repeat);
	json_bool(w, "DatasetEndedFirst", o->ran_dry);
	write_seconds(w, "WarmUpSeconds", o->warm_up);
	write_seconds(w, "DurationSeconds", o->duration);
	json_uint(w, "AtLeastInferences", o->at_least);
	json_uint(w, "DueRequests", o->requests);
	json_double(w, "OfferedRate", o->schedule ? offered_rate(o) : NAN);
	json_double(w, "AchievedRate", result_rate(r));
	json_double(w, "MeasuredSeconds", nsec_to_sec(result_measured_time(r)));
	json_uint(w, "UnansweredRequests", r->unanswered);
	json_uint(w, "UnsentRequests", r->unsent);
	json_end(w);
}
