/*
 * series.c - what sweeps and searches share.
 */
#include "cmd/series.h"

#include "cmd/common.h"
#include "common/file.h"
#include "common/version.h"
#include "stats/json_writer.h"

bool has_result(const struct result *r)
{
	return r->all.service.counts != NULL;
}

int series_prepare(struct invocation *v, struct error *err)
{
	struct arrival_options *o = &v->options.arrival;
	int r = series_options_read(&v->series, &v->options.series, err);

	if (r < 0)
		return r;
	if (v->options.scenario.scenario[0] && (v->series.kind != SERIES_REPETITIONS || v->options.series.stable))
		return error_set(err, ERR_USAGE,
				 "-scenario is one run, which its rules end: leave -sweep, -search and -stable out");
	if (!series_sets_rate(&v->series))
		return 0;
	if (o->limit_rps > 0 || o->rate[0])
		return error_set(err, ERR_USAGE,
				 "-rate, -limit-rps: the rates are those of -sweep or -search: drop it");
	if (v->series.kind == SERIES_SEARCH && (v->options.max_queries > 0 || v->options.repetitions > 1))
		return error_set(
			err, ERR_USAGE,
			"-max-queries and -repetitions: a search measures by time, and repeats what it must: drop "
			"them, see -probe-duration and -duration");
	/* Any rate says that the loop is open; each run gets its own. */
	o->limit_rps = 1;
	if (v->series.kind == SERIES_SEARCH && !o->process[0])
		o->process = "poisson";
	return 0;
}

int series_run(struct invocation *v)
{
	/* Repetitions are a sweep of one point. */
	return v->series.kind == SERIES_SEARCH ? search_run(v) : sweep_run(v);
}

static void write_json(FILE *out, const struct invocation *v, const struct series_summary *s)
{
	struct json_writer w = {.out = out};

	json_begin(&w, NULL);
	json_string(&w, "Program", v->program->name);
	json_string(&w, "Version", AIBENCH_VERSION);
	json_string(&w, "GitCommit", aibench_git_commit);
	json_string(&w, "UseCase", v->config.workload->name);
	json_string(&w, "CommandLine", v->command_line);
	s->write_json(&w, s->arg);
	json_end(&w);
}

int series_write_summary(const struct invocation *v, const struct series_summary *s)
{
	const struct series_options *o = &v->options.series;
	struct output_file f = {0};
	struct error err;
	int r = 0;

	if (o->summary_file[0]) {
		r = file_create(&f, o->summary_file, &err);
		if (r == 0) {
			write_json(f.stream, v, s);
			r = file_commit(&f, &err);
		}
		file_abandon(&f);
	}
	if (r == 0 && o->summary_csv_file[0]) {
		r = file_create(&f, o->summary_csv_file, &err);
		if (r == 0) {
			s->write_csv(f.stream, s->arg);
			r = file_commit(&f, &err);
		}
		file_abandon(&f);
	}
	return r < 0 ? fail(v->program->name, &err, EXIT_FAILED) : EXIT_OK;
}
