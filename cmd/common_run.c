/*
 * common_run.c - from a command line to runs and their reports.
 */
#include "cmd/common_run.h"

#include <stdio.h>
#include <stdlib.h>

#include "cmd/common.h"
#include "cmd/common_run_files.h"
#include "cmd/invocation.h"
#include "cmd/series.h"
#include "cmd/unused_options.h"
#include "common/file.h"
#include "common/text.h"
#include "drivers/libraries.h"

static int open_answers(struct invocation *v, struct error *err)
{
	const char *path = verify_options_file(&v->options.verify);
	int r;

	if (!path[0])
		return 0;
	r = answers_open(&v->answers, path, err);
	if (r == 0)
		v->config.verify.answers = v->answers;
	return r;
}

static void add_library(void *platform, const char *name, const char *version)
{
	platform_add_library(platform, name, version);
}

static int prepare(struct invocation *v, const struct options *options, struct error *err)
{
	const struct run_program *p = v->program;
	int r = series_prepare(v, err);

	if (r == 0)
		r = run_options_config(&v->config, &v->options, p, err);
	if (r == 0)
		r = invocation_describe(v, &v->config, err);
	if (r == 0)
		r = run_files_check(options, &v->options, err);
	if (r == 0)
		r = open_answers(v, err);
	if (r == 0)
		r = run_files_writable(options, err);
	if (r < 0)
		return r;
	snprintf(v->test_description, sizeof(v->test_description), "%s on %s", v->config.workload->name,
		 p->driver->name);
	platform_read(&v->platform, "");
	libraries_each(add_library, &v->platform);
	if (v->config.file)
		fingerprint_take(&v->dataset, v->config.file);
	if (v->replay.file.path)
		replay_tell_differences(&v->replay, p->name, &v->platform, &v->dataset, stderr);
	v->config.conn = &v->conn;
	v->config.driver_options = v->driver_options;
	v->config.interrupt = v->conn.interrupt = catch_signals();
	return 0;
}

static int run_all(struct invocation *v)
{
	unsigned threads = v->config.threads ? v->config.threads : run_default_threads(v->config.workers);
	int status;

	if (v->options.debug > 0 || v->options.verbose)
		fprintf(stderr, "%s: %u worker%s on %u thread%s, driver %s: %s\n", v->program->name, v->config.workers,
			plural(v->config.workers), threads, plural(threads), v->program->driver->name, v->command_line);
	status = series_run(v);
	return status == EXIT_OK && v->options.audit.strict && v->not_valid ? EXIT_NOT_VALID : status;
}

#define OPTION_SETS 16 /* at the most */

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
	sets[n++] = (struct option_set){output_option_table, &v->options.outputs};
	sets[n++] = (struct option_set){audit_option_table, &v->options.audit};
	sets[n++] = (struct option_set){scenario_option_table, &v->options.scenario};
	sets[n++] = (struct option_set){arrival_option_table, &v->options.arrival};
	sets[n++] = (struct option_set){verify_option_table, &v->options.verify};
	sets[n++] = (struct option_set){series_option_table, &v->options.series};
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

/* Parses argv; with -replay, that of the earlier run and then argv. The command line that counts is left in the
 * invocation. Returns as options_parse. */
static int parse(struct invocation *v, struct options *o, int argc, char **argv, struct error *err)
{
	int r = options_parse(o, argc, argv, stdout, NULL, err);

	if (r != OPTIONS_RUN)
		return r;
	if (v->options.outputs.replay_file[0]) {
		r = replay_open(&v->replay, v->options.outputs.replay_file, o, argc, argv, err);
		if (r < 0)
			return r;
		argc = v->replay.argc;
		argv = v->replay.argv;
	}
	r = options_parse(o, argc, argv, stdout, stderr, err);
	if (r != OPTIONS_RUN)
		return r;
	if (unused_options_check(o, argc, argv, err) < 0)
		return ERR_USAGE;
	v->words = visible_words(argc, argv, o);
	v->command_line = v->words ? words_join(v->words) : NULL;
	return v->command_line ? OPTIONS_RUN : error_set(err, ERR_NOMEM, "out of memory");
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
	v.parser = &options;
	r = parse(&v, &options, argc, argv, &err);
	if (r == OPTIONS_HELP || r == OPTIONS_VERSION) {
		status = EXIT_OK;
		goto out;
	}
	if (r == OPTIONS_RUN)
		r = prepare(&v, &options, &err);
	if (r < 0) {
		status = fail(p->name, &err, exit_status(r));
		goto out;
	}
	status = run_all(&v);
out:
	free(v.command_line);
	answers_close(v.answers);
	words_free(v.words);
	replay_release(&v.replay);
	free(v.driver_options);
	options_release(&options);
	return status;
}
