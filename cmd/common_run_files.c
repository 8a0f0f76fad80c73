/*
 * common_run_files.c - which of the files named on a command line are one and the same.
 */
#include "cmd/common_run_files.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cmd/invocation.h"
#include "common/arith.h"

struct named_file {
	const char *option; /* what named it, for messages */
	const char *path;   /* "" or NULL: none */
};

/* Only regular files are replaced; pipes and devices take whatever comes. */
static bool same_file(const struct stat *a, const struct stat *b)
{
	return S_ISREG(a->st_mode) && S_ISREG(b->st_mode) && a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

/* The folder of a path that need not exist yet, without links, and the name in it. False: there is no such folder. */
static bool resolve(char folder[PATH_MAX], const char **ret_name, const char *path)
{
	const char *slash = strrchr(path, '/');
	char copy[PATH_MAX];

	if (snprintf(copy, sizeof(copy), "%.*s", slash ? (int)(slash - path + 1) : 1, slash ? path : ".") >= PATH_MAX)
		return false;
	*ret_name = slash ? slash + 1 : path;
	return realpath(copy, folder) != NULL;
}

static bool same_name(const char *a, const char *b)
{
	char folder_a[PATH_MAX], folder_b[PATH_MAX];
	const char *name_a, *name_b;

	return resolve(folder_a, &name_a, a) && resolve(folder_b, &name_b, b) && !strcmp(folder_a, folder_b) &&
	       !strcmp(name_a, name_b);
}

static bool is_file(const char *path)
{
	return path && *path && strcmp(path, "-") != 0;
}

static bool same(const char *a, const char *b)
{
	struct stat st_a, st_b;
	bool has_a = stat(a, &st_a) == 0, has_b = stat(b, &st_b) == 0;

	if (has_a && has_b)
		return same_file(&st_a, &st_b);
	return !has_a && !has_b && same_name(a, b);
}

static int check_inputs(const struct named_file *out, const struct run_options *o, const struct conn_options *conn,
			struct error *err)
{
	const struct named_file inputs[] = {{"-file", o->file},
					    {"-verify", o->verify.file},
					    {"-expected-answers", o->verify.expected_file},
					    {"-replay", o->outputs.replay_file},
					    {"-cacert", conn->ca_cert},
					    {"-cert", conn->cert},
					    {"-key", conn->key}};
	struct stat st_out, st_in;

	for (size_t i = 0; i < ARRAY_LEN(inputs); i++) {
		if (is_file(inputs[i].path) && same(inputs[i].path, out->path))
			return error_set(err, ERR_USAGE, "%s %s would replace the file of %s: name another file",
					 out->option, out->path, inputs[i].option);
	}
	if (!is_file(o->file) && stat(out->path, &st_out) == 0 && fstat(STDIN_FILENO, &st_in) == 0 &&
	    same_file(&st_out, &st_in))
		return error_set(err, ERR_USAGE, "%s %s would replace the dataset on standard input: name another file",
				 out->option, out->path);
	return 0;
}

/* The results of one run against what it reads and against each other. */
static int check_results(const struct named_file *files, size_t n, const struct run_options *o,
			 const struct conn_options *conn, struct error *err)
{
	int r = 0;

	for (size_t i = 0; i < n && r == 0; i++) {
		if (!is_file(files[i].path))
			continue;
		r = check_inputs(&files[i], o, conn, err);
		for (size_t j = i + 1; j < n && r == 0; j++) {
			if (is_file(files[j].path) && same(files[i].path, files[j].path))
				r = error_set(err, ERR_USAGE, "%s and %s both name %s: one would replace the other",
					      files[i].option, files[j].option, files[i].path);
		}
	}
	return r;
}

int run_files_check(const struct run_options *o, const struct conn_options *conn, struct error *err)
{
	const struct named_file outputs[] = {
		{"-json-out-file", o->json_file},
		{"-output-file-stats-hdr-response-latency-hist", o->histogram_file},
		{"-hlog-out-file", o->outputs.hlog_file},
		{"-csv-out-file", o->outputs.csv_file},
		{"-response-hgrm-out-file", o->outputs.response_hgrm_file},
		{"-mlperf-summary", o->scenario.summary_file},
		{"-accuracy-log", o->scenario.accuracy_file},
		{"-record-answers", o->verify.record_file},
		/* From here on one for all runs, whose names stay as they are. */
		{"-summary-out-file", o->series.summary_file},
		{"-summary-csv-out-file", o->series.summary_csv_file},
	};
	const size_t of_each_run = ARRAY_LEN(outputs) - 2;
	unsigned repetitions = (unsigned)o->repetitions;
	int r = 0;

	for (unsigned i = 1; r == 0 && i <= repetitions; i++) {
		const struct run_name name = {.point = "", .repetition = i, .repetitions = repetitions};
		struct named_file files[ARRAY_LEN(outputs)] = {0};
		char *paths[ARRAY_LEN(outputs)] = {0};

		for (size_t f = 0; f < ARRAY_LEN(outputs) && r == 0; f++) {
			/* Without a path there is nothing to add a repetition's number to. */
			paths[f] = *outputs[f].path && f < of_each_run ? run_path(outputs[f].path, &name)
								       : strdup(outputs[f].path);
			files[f] = (struct named_file){outputs[f].option, paths[f]};
			if (!paths[f])
				r = error_set(err, ERR_NOMEM, "out of memory");
		}
		if (r == 0)
			r = check_results(files, ARRAY_LEN(files), o, conn, err);
		for (size_t f = 0; f < ARRAY_LEN(outputs); f++)
			free(paths[f]);
	}
	return r;
}
