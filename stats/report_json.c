/*
 * report_json.c - the file of -json-out-file: AIBench's members with AIBench's units, then our own beside them.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/file.h"
#include "common/version.h"
#include "stats/histogram_json.h"
#include "stats/json_writer.h"
#include "stats/result.h"

#define RESULT_FORMAT_VERSION "0.1"

static const char *const quantile_names[PERIOD_QUANTILES] = {"q0", "q50", "q95", "q99", "q999", "q100"};
static const double quantile_percentiles[PERIOD_QUANTILES] = {0, 50, 95, 99, 99.9, 100};

static void write_quantiles(struct json_writer *w, const char *name, const int64_t nsec[PERIOD_QUANTILES])
{
	json_begin(w, name);
	for (int i = 0; i < PERIOD_QUANTILES; i++)
		json_double(w, quantile_names[i], nsec_to_msec(nsec[i]));
	json_end(w);
}

static void write_config(struct json_writer *w, const struct result *r)
{
	json_string(w, "ResultFormatVersion", RESULT_FORMAT_VERSION);
	json_uint(w, "Limit", r->limit);
	json_int(w, "MetadataAutobatching", r->metadata_autobatching);
	json_uint(w, "TensorBatchSize", r->tensor_batch);
	json_uint(w, "Workers", r->workers);
	json_double(w, "MaxRps", r->max_rps);
	json_string(w, "TestDescription", r->description ? r->description : "");
	json_begin(w, "DBSpecificConfigs");
	for (unsigned i = 0; i < r->nconfig; i++)
		json_string(w, r->config[i].key, r->config[i].value);
	json_end(w);
	json_int(w, "StartTime", r->start_wall / NSEC_PER_SEC);
	json_int(w, "EndTime", r->end_wall / NSEC_PER_SEC);
	json_int(w, "DurationMillis", (r->end - r->start) / NSEC_PER_MSEC);
}

static void write_totals(struct json_writer *w, const struct result *r)
{
	json_begin(w, "Totals");
	json_uint(w, "TotalInferences", result_inferences(r));
	json_uint(w, "BurnInInferences", totals_inferences(&r->burned_in));
	json_uint(w, "MeasuredInferences", result_measured(r));
	json_uint(w, "TotalRequests", totals_requests(&r->burned_in) + totals_requests(&r->all.totals));
	json_end(w);
	json_begin(w, "OverallRates");
	json_double(w, "overallOpsRate", result_rate(r));
	json_end(w);
	json_begin(w, "OverallRatesIncludingWarmup");
	json_double(w, "overallOpsRate", result_rate_with_warmup(r));
	json_end(w);
}

static int write_overall_quantiles(struct json_writer *w, const struct result *r)
{
	int64_t nsec[PERIOD_QUANTILES];
	int e;

	for (int i = 0; i < PERIOD_QUANTILES; i++)
		nsec[i] = histogram_percentile(&r->all.service, quantile_percentiles[i]);
	json_begin(w, "OverallQuantiles");
	write_quantiles(w, "AllQueries", nsec);
	e = histogram_write_encoded(w, &r->all.service, histogram_encode_microseconds);
	json_end(w);
	return e;
}

/* An object member's name that is a time. */
static const char *time_name(char name[24], nsec_t wall)
{
	snprintf(name, 24, "%" PRId64, wall);
	return name;
}

static void write_client_stats(struct json_writer *w, const struct result *r)
{
	char name[24];

	json_begin(w, "ClientRunTimeStats");
	for (size_t i = 0; i < r->nperiods; i++) {
		const struct period *p = &r->periods[i];

		json_begin(w, time_name(name, p->wall));
		json_double(w, "InferenceRate", p->inference_rate);
		json_double(w, "TestTime", nsec_to_sec(p->test_time));
		write_quantiles(w, "Quantiles", p->quantiles);
		json_string(w, "EncodedHistogram", p->encoded);
		json_end(w);
	}
	json_end(w);
}

/* Rows into objects: one for each time, in it one for each server. */
struct server_objects {
	struct json_writer *w;
	bool open;
	nsec_t wall;
	char *server; /* owned */
};

static int write_server_stat(struct server_objects *o, const struct server_stat *s)
{
	bool same_time = o->open && s->wall == o->wall;
	bool same_server = same_time && strcmp(s->server, o->server) == 0;
	char name[24];

	if (o->open && !same_server)
		json_end(o->w);
	if (o->open && !same_time)
		json_end(o->w);
	if (!same_time)
		json_begin(o->w, time_name(name, s->wall));
	if (!same_server) {
		json_begin(o->w, s->server);
		free(o->server);
		o->server = strdup(s->server);
		if (!o->server)
			return ERR_NOMEM;
	}
	o->open = true;
	o->wall = s->wall;
	json_string(o->w, s->key, s->value);
	return 0;
}

static int write_server_stats(struct json_writer *w, const struct result *r)
{
	struct server_objects objects = {.w = w};
	struct server_log_reader reader;
	struct server_stat s;
	int e;

	json_begin(w, "ServerRunTimeStats");
	server_log_read(&reader, &r->server_log);
	while ((e = server_log_next(&reader, &s)) > 0) {
		e = write_server_stat(&objects, &s);
		if (e < 0)
			break;
	}
	server_log_reader_release(&reader);
	if (objects.open) {
		json_end(w);
		json_end(w);
	}
	free(objects.server);
	json_end(w);
	return e;
}

static void write_arguments(struct json_writer *w, const char *const *words)
{
	if (!words)
		return;
	json_begin_array(w, "Arguments");
	for (; *words; words++)
		json_string(w, NULL, *words);
	json_end_array(w);
}

static void write_dataset(struct json_writer *w, const struct result *r)
{
	const struct fingerprint *f = &r->dataset_fingerprint;
	char head[16];

	json_begin(w, "Dataset");
	json_string(w, "Path", r->dataset);
	if (f->known) {
		snprintf(head, sizeof(head), "%08" PRIx32, f->head_crc32);
		json_uint(w, "Bytes", f->bytes);
		json_string(w, "HeadCRC32", head);
	} else {
		json_string(w, "Bytes", NULL);
		json_string(w, "HeadCRC32", NULL);
	}
	json_end(w);
}

static void write_run(struct json_writer *w, const struct result *r)
{
	json_string(w, "Program", r->program);
	json_string(w, "Version", AIBENCH_VERSION);
	json_string(w, "GitCommit", aibench_git_commit);
	json_string(w, "UseCase", r->use_case);
	json_string(w, "CommandLine", r->command_line);
	write_arguments(w, r->arguments);
	write_dataset(w, r);
	json_string(w, "Arrival", r->all.open_loop ? "open" : "closed");
	json_uint(w, "BurnIn", r->burn_in);
	json_uint(w, "Repetition", r->repetition);
	json_uint(w, "Repetitions", r->repetitions);
	json_bool(w, "Interrupted", r->interrupted);
	json_bool(w, "StoppedByError", r->stopped_by_error);
	json_string(w, "FirstError", r->error.text[0] ? r->error.text : NULL);
	json_string(w, "FirstTimeout", r->timeout.text[0] ? r->timeout.text : NULL);
	json_string(w, "FirstWrongAnswer", r->wrong.text[0] ? r->wrong.text : NULL);
}

static void write_counts(struct json_writer *w, const char *name, const uint64_t n[OUTCOME_MAX])
{
	json_begin(w, name);
	json_uint(w, "OK", n[OUTCOME_OK]);
	json_uint(w, "Wrong", n[OUTCOME_WRONG]);
	json_uint(w, "Error", n[OUTCOME_ERROR]);
	json_uint(w, "Timeout", n[OUTCOME_TIMEOUT]);
	json_end(w);
}

static void write_outcomes(struct json_writer *w, const struct result *r)
{
	json_begin(w, "Outcomes");
	write_counts(w, "Requests", r->all.totals.requests);
	write_counts(w, "Inferences", r->all.totals.inferences);
	write_counts(w, "BurnInInferences", r->burned_in.inferences);
	json_uint(w, "UnansweredRequests", r->unanswered);
	json_uint(w, "Reconnects", r->reconnects);
	json_end(w);
}

/* In a closed loop a request is due when it is sent: the response time is the service time, and nothing lags. */
static int write_histograms(struct json_writer *w, const struct result *r)
{
	bool open = r->all.open_loop;
	int e;

	json_begin(w, "Histograms");
	json_string(w, "Unit", "nanoseconds");
	e = histogram_write_json(w, "Service", &r->all.service);
	if (e == 0)
		e = histogram_write_json(w, "Response", open ? &r->all.response : &r->all.service);
	if (e == 0 && open)
		e = histogram_write_json(w, "SendLag", &r->all.lag);
	else
		json_string(w, "SendLag", NULL);
	for (unsigned i = 0; e == 0 && i < STAGE_MAX; i++) {
		if (r->all.stages & 1U << i)
			e = histogram_write_json(w, stage_name(i), &r->all.stage[i]);
	}
	json_end(w);
	return e;
}

static void write_client(struct json_writer *w, const struct result *r)
{
	const struct client_usage *u = &r->usage;
	uint64_t n = result_inferences(r);

	json_begin(w, "Client");
	json_uint(w, "Threads", u->threads);
	json_double(w, "UserSeconds", u->user_seconds);
	json_double(w, "SystemSeconds", u->system_seconds);
	json_double(w, "CPUMicrosPerInference", n ? (u->user_seconds + u->system_seconds) * 1e6 / (double)n : 0);
	json_uint(w, "VoluntaryContextSwitches", u->voluntary_switches);
	json_uint(w, "InvoluntaryContextSwitches", u->involuntary_switches);
	json_uint(w, "MajorPageFaults", u->major_faults);
	json_uint(w, "RssAnonBytes", u->rss_anon_bytes);
	json_end(w);
}

static int write_result(FILE *out, const struct result *r)
{
	struct json_writer w = {.out = out};
	int e;

	json_begin(&w, NULL);
	write_config(&w, r);
	write_totals(&w, r);
	e = write_overall_quantiles(&w, r);
	if (e < 0)
		return e;
	write_client_stats(&w, r);
	e = write_server_stats(&w, r);
	if (e < 0)
		return e;
	write_run(&w, r);
	write_outcomes(&w, r);
	offered_write_json(&w, r);
	verification_write_json(&w, &r->verification);
	recording_write_json(&w, &r->recording);
	e = write_histograms(&w, r);
	if (e < 0)
		return e;
	scenario_write_json(&w, &r->scenario);
	write_client(&w, r);
	stability_write_json(&w, &r->stability);
	audit_write_json(&w, r);
	platform_write_json(&w, r->platform);
	network_write_json(&w, &r->network);
	json_end(&w);
	return 0;
}

int report_json(const char *path, const struct result *r, struct error *err)
{
	struct output_file f;
	int e;

	e = file_create(&f, path, err);
	if (e < 0)
		return e;
	e = write_result(f.stream, r);
	if (e < 0)
		error_set(err, (enum error_code)e, "%s: cannot write the results: %s", path, error_message(e));
	else
		e = file_commit(&f, err);
	file_abandon(&f);
	return e;
}
