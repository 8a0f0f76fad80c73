/*
 * common_run.c - from a command line to runs and their reports.
 */
#include "cmd/common_run.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/common.h"
#include "cmd/common_run_files.h"
#include "cmd/common_run_options.h"
#include "common/file.h"

#define EXPECTED_MAX ((size_t)4 << 30)
#define VALUES_PRINTED 16

/* Everything one invocation holds on to. */
struct invocation {
	const struct run_program *program;
	struct run_options options;
	struct conn_options conn;
	void *driver_options; /* owned; NULL: the driver has none */
	struct run_description description;
	struct run_config config;
	struct platform platform;
	char *command_line; /* owned */
	char *expected;     /* owned: the file of -expected-answers */
	bool header_printed;
};

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

static int read_expected(struct invocation *v, struct error *err)
{
	const char *path = v->options.expected_file;
	size_t len;
	int r;

	if (!path[0])
		return 0;
	r = file_read(&v->expected, &len, path, EXPECTED_MAX, err);
	if (r < 0)
		return r;
	if (len == 0 || len % sizeof(float))
		return error_set(err, ERR_FORMAT, "%s: %zu bytes are no file of float32 values", path, len);
	/* malloc'd, so aligned for any type */
	v->config.what.expected = (const float *)(const void *)v->expected;
	v->config.what.nexpected = len / sizeof(float);
	return 0;
}

/* Results that could not be written are said before the run, not after it. */
static int check_writable(const char *path, struct error *err)
{
	struct output_file f;
	int r;

	if (!path[0])
		return 0;
	r = file_create(&f, path, err);
	if (r == 0)
		file_abandon(&f);
	return r;
}

static int prepare(struct invocation *v, struct error *err)
{
	const struct run_program *p = v->program;
	int r = run_options_config(&v->config, &v->options, p, err);

	if (r == 0)
		r = p->describe(&v->description, v->driver_options, &v->config, err);
	if (r == 0)
		r = run_files_check(&v->options, &v->conn, err);
	if (r == 0)
		r = read_expected(v, err);
	if (r == 0)
		r = check_writable(v->options.json_file, err);
	if (r == 0)
		r = check_writable(v->options.histogram_file, err);
	if (r < 0)
		return r;
	platform_read(&v->platform, "");
	v->config.conn = &v->conn;
	v->config.driver_options = v->driver_options;
	v->config.interrupt = v->conn.interrupt = catch_signals();
	v->config.observer = (struct run_observer){
		.arg = v,
		.period = print_period,
		.burn_in_complete = print_burn_in,
		.response = v->options.print_responses ? print_response : NULL,
		.note = print_note,
	};
	return 0;
}

static void fill_texts(struct result *r, const struct invocation *v, unsigned repetition, const char *description)
{
	*r = (struct result){
		.program = v->program->name,
		.use_case = v->config.workload->name,
		.label = v->description.label,
		.description = description,
		.nconfig = v->description.nconfig,
		.metadata_autobatching = v->options.autobatching,
		.repetition = repetition,
		.repetitions = (unsigned)v->options.repetitions,
		.command_line = v->command_line,
		.platform = &v->platform,
	};
	memcpy(r->config, v->description.config, sizeof(r->config));
}

static int write_histogram(const struct invocation *v, const struct result *r, struct error *err)
{
	char *path;
	int e;

	if (!v->options.histogram_file[0])
		return 0;
	path = repetition_path(v->options.histogram_file, r->repetition, r->repetitions);
	if (!path)
		return error_set(err, ERR_NOMEM, "out of memory");
	printf("Saving Query Latencies HDR Histogram to %s\n", path);
	e = report_hgrm(path, &r->all.service, err);
	free(path);
	return e;
}

static int write_json(const struct invocation *v, const struct result *r, struct error *err)
{
	char *path;
	int e;

	if (!v->options.json_file[0])
		return 0;
	path = repetition_path(v->options.json_file, r->repetition, r->repetitions);
	if (!path)
		return error_set(err, ERR_NOMEM, "out of memory");
	e = report_json(path, r, err);
	free(path);
	return e;
}

/* All reports are written, whatever the first one says. */
static int report(const struct invocation *v, const struct result *r)
{
	const char *program = v->program->name;
	int status = EXIT_OK;
	struct error err;

	if (report_text(stdout, r) < 0) {
		error_set(&err, ERR_IO, "cannot write the report to standard output");
		status = fail(program, &err, EXIT_FAILED);
	}
	if (write_histogram(v, r, &err) < 0)
		status = fail(program, &err, EXIT_FAILED);
	if (write_json(v, r, &err) < 0)
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
		error_set(&err, ERR_WRONG, "%" PRIu64 " wrong answer%s, the first: %s", wrong, wrong == 1 ? "" : "s",
			  r->wrong.text);
		return fail(program, &err, EXIT_FAILED);
	}
	return EXIT_OK;
}

static int run_once(struct invocation *v, unsigned repetition)
{
	char description[128];
	struct error err = {""};
	struct result r;
	int e, status, reported;

	snprintf(description, sizeof(description), "%s on %s", v->config.workload->name, v->program->driver->name);
	fill_texts(&r, v, repetition, description);
	v->header_printed = false;
	e = runner_run(&v->config, &r, &err);
	if (e < 0)
		return fail(v->program->name, &err, exit_status(e));
	reported = report(v, &r);
	status = judge(v, &r);
	if (r.interrupted)
		status = 128 + atomic_load(v->config.interrupt);
	result_release(&r);
	return status ? status : reported;
}

static int run_all(struct invocation *v)
{
	unsigned threads = v->config.threads ? v->config.threads : run_default_threads(v->config.workers);
	int status = EXIT_OK;

	if (v->options.debug > 0 || v->options.verbose)
		fprintf(stderr, "%s: %u worker%s on %u thread%s, driver %s: %s\n", v->program->name, v->config.workers,
			v->config.workers == 1 ? "" : "s", threads, threads == 1 ? "" : "s", v->program->driver->name,
			v->command_line);
	for (unsigned i = 1; i <= v->options.repetitions && status == EXIT_OK; i++)
		status = run_once(v, i);
	return status;
}

#define OPTION_SETS 6

/* Of two tables with the same name the first counts: the driver's before the shared ones. */
static size_t option_sets(struct option_set sets[OPTION_SETS], struct invocation *v)
{
	const struct run_program *p = v->program;
	size_t n = 0;

	if (p->driver->options)
		sets[n++] = (struct option_set){p->driver->options, v->driver_options};
	if (p->run_aliases)
		sets[n++] = (struct option_set){p->run_aliases, &v->options};
	if (p->conn_aliases)
		sets[n++] = (struct option_set){p->conn_aliases, &v->conn};
	if (p->ignored)
		sets[n++] = (struct option_set){p->ignored, NULL};
	sets[n++] = (struct option_set){run_option_table, &v->options};
	if (p->network)
		sets[n++] = (struct option_set){conn_option_table, &v->conn};
	return n;
}

static int set_defaults(struct invocation *v)
{
	const struct driver_ops *driver = v->program->driver;

	run_options_defaults(&v->options, v->program);
	conn_options_defaults(&v->conn);
	if (driver->options) {
		v->driver_options = calloc(1, driver->options_size);
		if (!v->driver_options)
			return ERR_NOMEM;
		driver->options_defaults(v->driver_options);
	}
	if (v->program->defaults)
		v->program->defaults(&v->options, &v->conn, v->driver_options);
	return 0;
}

int run_inference_main(const struct run_program *p, int argc, char **argv)
{
	struct invocation v = {.program = p};
	struct option_set sets[OPTION_SETS];
	struct options options = {.program = p->name,
				  .synopsis = p->synopsis,
				  .epilogue = p->epilogue,
				  .alias_version_off = p->v,
				  .sets = sets};
	struct error err = {"out of memory"};
	int status = EXIT_FAILED, r;

	if (set_defaults(&v) < 0)
		return fail(p->name, &err, EXIT_FAILED);
	options.nsets = option_sets(sets, &v);
	r = options_parse(&options, argc, argv, stdout, stderr, &err);
	if (r == OPTIONS_HELP || r == OPTIONS_VERSION) {
		status = EXIT_OK;
		goto out;
	}
	if (r == OPTIONS_RUN)
		r = prepare(&v, &err);
	if (r < 0) {
		status = fail(p->name, &err, exit_status(r));
		goto out;
	}
	v.command_line = command_line(argc, argv, &options);
	status = v.command_line ? run_all(&v) : fail(p->name, &err, EXIT_FAILED);
out:
	free(v.command_line);
	free(v.expected);
	free(v.driver_options);
	options_release(&options);
	return status;
}
