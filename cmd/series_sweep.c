/*
 * series_sweep.c - a run, or its repetitions, for each point of a grid; without a grid, of the options' one.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "cmd/common.h"
#include "cmd/series.h"
#include "common/buf.h"
#include "runners/sweep_table.h"
#include "stats/json_writer.h"

/* What is not swept is what the options say; read_sweep has refused a rate and a server batch that are not. */
static double value_of(const struct invocation *v, const struct sweep_point *point, int variable)
{
	if (!isnan(point->values[variable]))
		return point->values[variable];
	switch (variable) {
	case SWEEP_WORKERS:
		return v->config.workers;
	case SWEEP_BATCH:
		return v->config.what.batch;
	default:
		return (double)NAN;
	}
}

/* -sweep-command with {workers} and the like replaced; malloc'd, NULL when out of memory. What is put in is numbers alone. */
static char *fill_in(const struct invocation *v, const struct sweep_point *point)
{
	const char *command = v->options.series.sweep_command;
	struct buf b = {0};

	while (*command) {
		size_t skip = 0;

		for (int variable = 0; variable < SWEEP_VARIABLES && !skip; variable++) {
			const char *name = sweep_variable_name((enum sweep_variable)variable);
			size_t len = strlen(name);

			if (command[0] == '{' && !strncmp(command + 1, name, len) && command[len + 1] == '}') {
				buf_printf(&b, "%.10g", value_of(v, point, variable));
				skip = len + 2;
			}
		}
		if (!skip)
			buf_append(&b, command, skip = 1);
		command += skip;
	}
	if (b.failed) {
		buf_release(&b);
		return NULL;
	}
	return b.data;
}

/* Runs -sweep-command before a point. Returns an exit status. */
static int run_command(const struct invocation *v, const struct sweep_point *point)
{
	struct error err;
	char *command;
	int status;

	if (!v->options.series.sweep_command[0])
		return EXIT_OK;
	command = fill_in(v, point);
	if (!command) {
		error_set(&err, ERR_NOMEM, "out of memory");
		return fail(v->program->name, &err, EXIT_FAILED);
	}
	fflush(stdout);
	status = system(command);
	if (status != 0) {
		error_set(&err, ERR_SERVER, "-sweep-command: '%s' ended with %s %d", command,
			  WIFSIGNALED(status) ? "signal" : "status",
			  WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
		fail(v->program->name, &err, EXIT_FAILED);
	}
	free(command);
	return status == 0 ? EXIT_OK : EXIT_FAILED;
}

/* The options' run with the point's settings in the place of theirs. */
static int point_config(struct run_config *ret, struct invocation *v, const struct sweep_point *point,
			struct error *err)
{
	const double *values = point->values;

	*ret = v->config;
	if (!isnan(values[SWEEP_WORKERS]))
		ret->workers = (unsigned)values[SWEEP_WORKERS];
	if (!isnan(values[SWEEP_BATCH]))
		ret->what.batch = (unsigned)values[SWEEP_BATCH];
	if (!isnan(values[SWEEP_RATE]))
		rate_schedule_constant(&ret->schedule, values[SWEEP_RATE]);
	if (!isnan(values[SWEEP_SERVER_BATCH]))
		v->options.autobatching = (int64_t)values[SWEEP_SERVER_BATCH];
	return invocation_describe(v, ret, err);
}

static void print_point(const struct sweep *s, size_t index, const struct sweep_point *point)
{
	if (s->naxes == 0)
		return;
	printf("== Point %zu of %zu:", index + 1, s->points);
	for (unsigned i = 0; i < s->naxes; i++)
		printf("%s %s %.10g", i ? "," : "", sweep_variable_name(s->axes[i].variable),
		       point->values[s->axes[i].variable]);
	putchar('\n');
	fflush(stdout);
}

/* Server batches are the server's to set: a result says in MetadataAutobatching which one a run had. */
static void set_point(struct single_run *alone, const struct sweep_point *point)
{
	static const char *const options[SWEEP_VARIABLES] = {
		[SWEEP_WORKERS] = "workers",
		[SWEEP_RATE] = "rate",
		[SWEEP_BATCH] = "batch-size",
		[SWEEP_SERVER_BATCH] = "metadata-autobatching",
	};

	for (int v = 0; v < SWEEP_VARIABLES; v++) {
		if (!isnan(point->values[v]))
			single_run_set(alone, "-%s=%.10g", options[v], point->values[v]);
	}
}

/* A run that was made counts in the table, whatever it is worth; *ret_goes_on: the next one can be made. Of mere
 * repetitions the first that fails is the last. */
static int run_point(struct invocation *v, struct sweep_table *table, const struct sweep_point *point,
		     bool *ret_goes_on)
{
	struct single_run alone = {0};
	struct run_name name = {.repetitions = (unsigned)v->options.repetitions, .alone = &alone};
	struct run_config cfg;
	struct error err;
	int status = EXIT_OK, e;
	char point_name[128];

	*ret_goes_on = false;
	e = point_config(&cfg, v, point, &err);
	if (e < 0)
		return fail(v->program->name, &err, exit_status(e));
	name.point = sweep_point_name(point_name, sizeof(point_name), point);
	set_point(&alone, point);
	for (name.repetition = 1; name.repetition <= name.repetitions; name.repetition++) {
		struct result result;
		int run = invocation_run(v, &cfg, &name, &result);

		status = status ? status : run;
		if (!has_result(&result))
			return status;
		e = sweep_table_add(table, point, &result);
		if (e < 0)
			status = fail(v->program->name, &(struct error){"out of memory"}, EXIT_FAILED);
		*ret_goes_on = e == 0 && !result.interrupted && (run == EXIT_OK || v->series.sweep.naxes > 0);
		result_release(&result);
		if (!*ret_goes_on)
			return status;
	}
	return status;
}

struct sweep_outcome {
	const struct invocation *v;
	const struct sweep_table *table;
};

static void write_json(struct json_writer *w, const void *arg)
{
	const struct sweep_outcome *o = arg;

	json_string(w, "Sweep", o->v->series.sweep.naxes ? o->v->options.series.sweep : NULL);
	sweep_table_write_json(w, o->table, &o->v->series.sweep);
}

static void write_csv(FILE *out, const void *arg)
{
	const struct sweep_outcome *o = arg;

	sweep_table_write_csv(out, o->table, &o->v->series.sweep);
}

/* What was measured is told even if not all points were. */
static int report(const struct invocation *v, struct sweep_table *table)
{
	const struct sweep_outcome outcome = {v, table};
	const struct series_summary summary = {.arg = &outcome, .write_json = write_json, .write_csv = write_csv};

	if (sweep_table_find_knees(table, &v->series.sweep) < 0)
		return fail(v->program->name, &(struct error){"out of memory"}, EXIT_FAILED);
	if (v->series.sweep.naxes > 0 || table->rows[0].runs > 1)
		sweep_table_write_text(stdout, table, &v->series.sweep);
	fflush(stdout);
	return series_write_summary(v, &summary);
}

int sweep_run(struct invocation *v)
{
	const struct sweep *s = &v->series.sweep;
	struct sweep_table table = {0};
	int status = EXIT_OK, reported;
	bool goes_on = true;

	for (size_t i = 0; i < s->points && goes_on; i++) {
		struct sweep_point point;
		int run;

		sweep_point_at(&point, s, i);
		print_point(s, i, &point);
		run = run_command(v, &point);
		goes_on = run == EXIT_OK;
		if (goes_on)
			run = run_point(v, &table, &point, &goes_on);
		status = status ? status : run;
	}
	reported = table.n > 0 ? report(v, &table) : EXIT_OK;
	sweep_table_release(&table);
	return status ? status : reported;
}
