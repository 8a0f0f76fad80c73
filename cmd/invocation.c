/*
 * invocation.c - one run: what is seen while it goes on, its report, its files, and what it was worth.
 */
#include "cmd/invocation.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/common.h"
#include "common/text.h"
#include "runners/accuracy_log.h"
#include "runners/stable_run.h"

#define VALUES_PRINTED 16

/* With the first line under it, not before: a run that cannot start prints only why. */
static void print_header(struct invocation *v)
{
	if (v->options.reporting_period > 0 && !v->header_printed)
		report_progress_header(stdout);
	v->header_printed = true;
}

static void print_period(void *arg, const struct period *p, const struct histogram *overall)
{
	print_header(arg);
	report_progress(stdout, p, overall);
	fflush(stdout);
}

static void write_period(void *arg, const struct period *p, const struct recorder *so_far)
{
	struct invocation *v = arg;

	period_files_add(&v->period_files, p, so_far);
}

static void print_burn_in(void *arg, uint64_t inferences, unsigned workers)
{
	print_header(arg);
	report_burn_in_complete(stdout, inferences, workers);
	fflush(stdout);
}

static void print_note(void *arg, const char *text)
{
	const struct invocation *v = arg;

	fprintf(stderr, "%s: note: %s\n", v->program->name, text);
}

/* Worker threads call it at the same time: one call of stdio a line keeps lines whole. */
static void print_response(void *arg, const struct completion *c, enum outcome judged)
{
	static const char *const outcomes[OUTCOME_MAX] = {"", " (wrong)", " (error)", " (timed out)"};
	char line[VALUES_PRINTED * 20 + 64];
	size_t n = c->answer.size / sizeof(float);
	int len = 0;

	(void)arg;
	if (c->outcome != OUTCOME_OK) {
		printf("RESPONSE: %" PRIu64 "%s %s\n", c->request->id, outcomes[judged], c->text ? c->text : "");
		return;
	}
	for (size_t i = 0; i < n && i < VALUES_PRINTED && c->answer.type == ELEMENT_FLOAT32; i++) {
		float value;

		memcpy(&value, (const char *)c->answer.data + i * sizeof(value), sizeof(value));
		len += snprintf(line + len, sizeof(line) - (size_t)len, "%s%.9g", i ? " " : "", (double)value);
	}
	printf("RESPONSE: %" PRIu64 "%s [%.*s%s]\n", c->request->id, outcomes[judged], len, line,
	       n > VALUES_PRINTED ? " ..." : "");
}

int invocation_describe(struct invocation *v, const struct run_config *cfg, struct error *err)
{
	v->description = (struct run_description){.nconfig = 0};
	return v->program->describe(&v->description, v->driver_options, cfg, err);
}

/* NULL instead of "". */
static const char *file_or_null(const char *path)
{
	return path[0] ? path : NULL;
}

/* words: the run's, as one by itself. */
static void fill_texts(struct result *r, const struct invocation *v, const struct run_name *name, char *const *words)
{
	*r = (struct result){
		.program = v->program->name,
		.use_case = v->config.workload->name,
		.label = v->description.label,
		.description = v->test_description,
		.nconfig = v->description.nconfig,
		.metadata_autobatching = v->options.autobatching,
		.repetition = name->repetition,
		.repetitions = name->repetitions,
		.command_line = v->command_line,
		.arguments = (const char *const *)words + 1,
		.dataset = v->config.file,
		.dataset_fingerprint = v->dataset,
		.platform = &v->platform,
		.audit = {.percentile = v->options.audit.percentile},
		.verification.file = file_or_null(verify_options_file(&v->options.verify)),
		.recording.file = file_or_null(v->options.verify.record_file),
	};
	memcpy(r->config, v->description.config, sizeof(r->config));
}

/* What writes one of the result files. */
typedef int write_file_fn(const char *path, const struct result *r, struct error *err);

static int write_hgrm(const char *path, const struct result *r, struct error *err)
{
	printf("Saving Query Latencies HDR Histogram to %s\n", path);
	return report_hgrm(path, &r->all.service, err);
}

static int write_response_hgrm(const char *path, const struct result *r, struct error *err)
{
	return report_hgrm(path, r->all.open_loop ? &r->all.response : &r->all.service, err);
}

static int write_file(const char *path, write_file_fn *write, const struct result *r, const struct run_name *name,
		      struct error *err)
{
	char *full;
	int e;

	if (!path[0])
		return 0;
	full = run_path(path, name);
	if (!full)
		return error_set(err, ERR_NOMEM, "out of memory");
	e = write(full, r, err);
	free(full);
	return e;
}

static int write_scenario(const struct invocation *v, const struct result *r, const struct run_name *name,
			  struct error *err)
{
	const char *path = v->options.scenario.summary_file;

	if (!r->scenario.settings.scenario)
		return 0;
	return path[0] ? write_file(path, report_scenario, r, name, err) : report_scenario("-", r, err);
}

/* All reports are written, whatever the first one says. */
static int report(struct invocation *v, const struct result *r, const struct run_name *name)
{
	const char *program = v->program->name;
	int status = EXIT_OK;
	struct error err;

	if (report_text(stdout, r) < 0) {
		error_set(&err, ERR_IO, "cannot write the report to standard output");
		status = fail(program, &err, EXIT_FAILED);
	}
	if (write_scenario(v, r, name, &err) < 0)
		status = fail(program, &err, EXIT_FAILED);
	if (write_file(v->options.histogram_file, write_hgrm, r, name, &err) < 0)
		status = fail(program, &err, EXIT_FAILED);
	if (period_files_close(&v->period_files, &err) < 0)
		status = fail(program, &err, EXIT_FAILED);
	if (write_file(v->options.outputs.response_hgrm_file, write_response_hgrm, r, name, &err) < 0)
		status = fail(program, &err, EXIT_FAILED);
	if (write_file(v->options.json_file, report_json, r, name, &err) < 0)
		status = fail(program, &err, EXIT_FAILED);
	fflush(stdout);
	return status;
}

/* Requests that were answered with more than an error. */
static uint64_t answered(const struct result *r)
{
	return r->all.totals.requests[OUTCOME_OK] + r->all.totals.requests[OUTCOME_WRONG];
}

/* What the run itself was worth. A run of nothing but errors is none, even where errors are ignored. */
static int judge(const struct invocation *v, const struct result *r)
{
	const char *program = v->program->name;
	uint64_t wrong = r->all.totals.requests[OUTCOME_WRONG] + r->burned_in.requests[OUTCOME_WRONG];
	const struct error *why = r->error.text[0] ? &r->error : &r->timeout;
	struct error err;

	if (r->stopped_by_error || (answered(r) == 0 && why->text[0] && !r->interrupted))
		return fail(program, why, EXIT_FAILED);
	if (wrong > 0 && !v->options.ignore_errors) {
		error_set(&err, ERR_WRONG, "%" PRIu64 " wrong answer%s, the first: %s", wrong, plural(wrong),
			  r->wrong.text);
		return fail(program, &err, EXIT_FAILED);
	}
	if (r->verification.file && r->verification.compared == 0 && answered(r) > 0 && !r->interrupted) {
		error_set(
			&err, ERR_WRONG,
			"no answer was compared with %s: it has none to these rows, or -verify-share is too small for "
			"so few requests",
			r->verification.file);
		return fail(program, &err, EXIT_FAILED);
	}
	return EXIT_OK;
}

/* The report has all reasons. With another exit status there is another message already. */
static void note_verdict(struct invocation *v, const struct result *r, int status)
{
	bool invalid = r->scenario.settings.scenario && !r->scenario.valid;
	struct error err;

	if (r->audit.verdict == VERDICT_VALID && !invalid)
		return;
	v->not_valid = true;
	if (!v->options.audit.strict || status != EXIT_OK)
		return;
	if (invalid)
		error_set(&err, ERR_WRONG, "the scenario's result is INVALID: its summary says why");
	else
		error_set(&err, ERR_WRONG, "verdict %s: %s", verdict_name(r->audit.verdict), r->audit.reasons[0].text);
	fail(v->program->name, &err, EXIT_NOT_VALID);
}

static int check_recording(const struct invocation *v, struct error *err)
{
	if (v->options.verify.record_file[0] && v->options.scenario.accuracy_file[0])
		return error_set(
			err, ERR_USAGE,
			"-accuracy-log has wrong answers too, which -record-answers must not: pass one of them");
	return 0;
}

char *run_path(const char *path, const struct run_name *name)
{
	const char *slash = strrchr(path, '/'), *dot = strrchr(path, '.');
	int stem = (int)strlen(path);
	char run[32] = "", *ret;

	if (dot && dot > (slash ? slash + 1 : path))
		stem = (int)(dot - path);
	if (name->repetitions > 1)
		snprintf(run, sizeof(run), "_run_%u", name->repetition);
	if (asprintf(&ret, "%.*s%s%s%s%s", stem, path, name->point[0] ? "_" : "", name->point, run, path + stem) < 0)
		return NULL;
	return ret;
}

static int save_answers(const struct invocation *v, const struct answers_writer *answers, const struct run_name *name,
			struct error *err)
{
	char *path;
	int r;

	if (v->options.verify.record_file[0])
		return answers_writer_save(answers, v->options.verify.record_file, v->command_line, err);
	path = run_path(v->options.scenario.accuracy_file, name);
	r = path ? accuracy_log_write(path, answers, err) : error_set(err, ERR_NOMEM, "out of memory");
	free(path);
	return r;
}

static int name_period_files(struct invocation *v, const struct run_name *name, struct error *err)
{
	const struct output_options *o = &v->options.outputs;
	struct period_files *f = &v->period_files;

	*f = (struct period_files){0};
	if (name->brief)
		return 0;
	if (o->hlog_file[0])
		f->hlog_path = run_path(o->hlog_file, name);
	if (o->csv_file[0])
		f->csv_path = run_path(o->csv_file, name);
	if ((o->hlog_file[0] && !f->hlog_path) || (o->csv_file[0] && !f->csv_path))
		return error_set(err, ERR_NOMEM, "out of memory");
	return 0;
}

static struct run_observer observer_of(struct invocation *v, const struct run_name *name)
{
	const struct output_options *o = &v->options.outputs;

	if (name->brief)
		return (struct run_observer){0};
	return (struct run_observer){
		.arg = v,
		.period = print_period,
		.snapshot = o->hlog_file[0] || o->csv_file[0] ? write_period : NULL,
		.burn_in_complete = print_burn_in,
		.response = v->options.print_responses ? print_response : NULL,
		.note = print_note,
	};
}

/* The run itself, with -stable until it has come to rest; its dataset then starts again where no other limit was given. */
static int run(const struct invocation *v, const struct run_config *asked, struct result *r, struct error *err)
{
	struct run_config cfg = *asked;
	struct stable_run stable = {0};
	int e;

	if (!v->options.series.stable)
		return runner_run(asked, r, err);
	cfg.windows = v->series.window;
	cfg.windows.arg = &stable;
	cfg.windows.ended = stable_run_look;
	cfg.repeat = cfg.repeat || (cfg.limit == 0 && cfg.file);
	e = runner_run(&cfg, r, err);
	if (e == 0) {
		e = stable_run_finish(&stable, &cfg, r);
		if (e < 0) {
			result_release(r);
			error_set(err, ERR_NOMEM, "out of memory for the windows of -stable");
		}
	}
	stable_run_release(&stable);
	return e;
}

int invocation_run(struct invocation *v, const struct run_config *cfg, const struct run_name *name, struct result *ret)
{
	struct run_config config = *cfg;
	struct answers_writer recording = {0};
	struct error err = {""};
	struct result r;
	int e, status = EXIT_OK, reported = EXIT_OK;
	char **alone = NULL;

	if (ret)
		*ret = (struct result){0};
	if (name->alone) {
		alone = single_run_words(name->alone, v->words, v->parser);
		if (!alone)
			return fail(v->program->name, &(struct error){"out of memory"}, EXIT_FAILED);
	}
	config.record_wrong = v->options.scenario.accuracy_file[0] != '\0';
	if ((v->options.verify.record_file[0] || config.record_wrong) && !name->brief)
		config.record = &recording;
	fill_texts(&r, v, name, alone ? alone : v->words);
	config.observer = observer_of(v, name);
	config.network_baseline = config.network_baseline && !name->brief;
	v->header_printed = false;
	e = check_recording(v, &err);
	if (e == 0 && !name->brief)
		e = name_period_files(v, name, &err);
	if (e == 0)
		e = run(v, &config, &r, &err);
	if (e < 0) {
		period_files_abandon(&v->period_files);
		answers_writer_release(&recording);
		words_free(alone);
		return fail(v->program->name, &err, exit_status(e));
	}
	audit_judge(&r);
	if (!name->brief) {
		reported = report(v, &r, name);
		status = judge(v, &r);
	}
	if (config.record && save_answers(v, &recording, name, &err) < 0)
		reported = fail(v->program->name, &err, EXIT_FAILED);
	answers_writer_release(&recording);
	r.arguments = NULL;
	words_free(alone);
	if (r.interrupted)
		status = 128 + atomic_load(cfg->interrupt);
	status = status ? status : reported;
	if (!name->brief)
		note_verdict(v, &r, status);
	if (ret)
		*ret = r;
	else
		result_release(&r);
	return status;
}
