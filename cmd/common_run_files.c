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
#include "common/file.h"

/* More options than any program has. */
#define FILES_MAX 64

struct named_file {
	const char *option; /* what named it, for messages: without its dash */
	const char *path;
};

struct named_files {
	struct named_file items[FILES_MAX];
	size_t n;
};

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
		return file_is_same(&st_a, &st_b);
	return !has_a && !has_b && same_name(a, b);
}

/* Whether an earlier table has the option too: that one counts. */
static bool is_hidden(const struct options *o, size_t set, const struct option *opt)
{
	for (size_t i = 0; i < set; i++) {
		for (const struct option *other = o->sets[i].table; other->name; other++) {
			if (strcmp(other->name, opt->name) == 0)
				return true;
		}
	}
	return false;
}

/* The files that options of a type name. */
static void list_files(struct named_files *ret, const struct options *o, enum option_type type)
{
	ret->n = 0;
	for (size_t i = 0; i < o->nsets; i++) {
		for (const struct option *opt = o->sets[i].table; opt->name; opt++) {
			const char *path = opt->type == type ? option_text(opt, o->sets[i].config) : NULL;

			if (is_file(path) && !is_hidden(o, i, opt) && ret->n < FILES_MAX)
				ret->items[ret->n++] = (struct named_file){opt->name, path};
		}
	}
}

static int check_input(const struct named_file *out, const struct named_files *inputs, bool piped, struct error *err)
{
	struct stat st_out, st_in;

	for (size_t i = 0; i < inputs->n; i++) {
		if (same(inputs->items[i].path, out->path))
			return error_set(err, ERR_USAGE, "-%s %s would replace the file of -%s: name another file",
					 out->option, out->path, inputs->items[i].option);
	}
	if (piped && stat(out->path, &st_out) == 0 && fstat(STDIN_FILENO, &st_in) == 0 && file_is_same(&st_out, &st_in))
		return error_set(err, ERR_USAGE,
				 "-%s %s would replace the dataset on standard input: name another file", out->option,
				 out->path);
	return 0;
}

/* A file against all others: what is read, and what the other options write, as given and under the run's name. */
static int check_output(const struct named_file *out, const struct named_files *inputs,
			const struct named_files *outputs, const struct run_name *name, bool piped, struct error *err)
{
	int r = check_input(out, inputs, piped, err);

	for (size_t i = 0; i < outputs->n && r == 0; i++) {
		const struct named_file *other = &outputs->items[i];
		char *path;

		if (strcmp(other->option, out->option) == 0)
			continue;
		path = run_path(other->path, name);
		if (!path)
			return error_set(err, ERR_NOMEM, "out of memory");
		if (same(other->path, out->path) || same(path, out->path))
			r = error_set(err, ERR_USAGE, "-%s and -%s both name %s: one would replace the other",
				      out->option, other->option, out->path);
		free(path);
	}
	return r;
}

int run_files_check(const struct options *o, const struct run_options *run, struct error *err)
{
	bool piped = !is_file(run->file);
	struct named_files inputs, outputs;
	struct run_name name = {.point = "", .repetitions = (unsigned)run->repetitions};
	int r = 0;

	list_files(&inputs, o, OPTION_PATH);
	list_files(&outputs, o, OPTION_OUTPUT);
	for (name.repetition = 1; name.repetition <= name.repetitions && r == 0; name.repetition++) {
		for (size_t i = 0; i < outputs.n && r == 0; i++) {
			struct named_file file = outputs.items[i];
			char *path = run_path(file.path, &name);

			if (!path)
				return error_set(err, ERR_NOMEM, "out of memory");
			r = check_output(&file, &inputs, &outputs, &name, piped, err);
			file.path = path;
			if (r == 0)
				r = check_output(&file, &inputs, &outputs, &name, piped, err);
			free(path);
		}
	}
	return r;
}

int run_files_writable(const struct options *o, struct error *err)
{
	struct named_files outputs;
	int r = 0;

	list_files(&outputs, o, OPTION_OUTPUT);
	for (size_t i = 0; i < outputs.n && r == 0; i++) {
		struct output_file f;

		r = file_create(&f, outputs.items[i].path, err);
		if (r == 0)
			file_abandon(&f);
	}
	return r;
}
