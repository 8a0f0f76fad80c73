/*
 * replay.c - two command lines made one, and what has changed since.
 */
#include "cmd/replay.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/common.h"
#include "common/arith.h"
#include "common/version.h"

#define SECRETS_MAX 16

/* A command line that is being made of others. */
struct merge {
	const struct options *options;
	struct replay *to;
	bool earlier;                             /* it is the earlier run's words that are added */
	const struct option *hidden[SECRETS_MAX]; /* secrets that the file has no value of, until they are given */
};

static void forget_hidden(struct merge *m, const struct option *given)
{
	for (size_t i = 0; i < SECRETS_MAX; i++) {
		if (m->hidden[i] && strcmp(m->hidden[i]->name, given->name) == 0)
			m->hidden[i] = NULL;
	}
}

static void keep_hidden(struct merge *m, const struct option *opt)
{
	forget_hidden(m, opt);
	for (size_t i = 0; i < SECRETS_MAX; i++) {
		if (!m->hidden[i]) {
			m->hidden[i] = opt;
			return;
		}
	}
}

/* Whether the option goes into the new command line. */
static bool wanted(struct merge *m, const struct option *opt, const char *value)
{
	if (strcmp(opt->name, "replay") == 0 || (m->earlier && opt->type == OPTION_OUTPUT))
		return false;
	if (opt->type == OPTION_SECRET && strcmp(value, SECRET_HIDDEN) == 0) {
		keep_hidden(m, opt);
		return false;
	}
	if (opt->type == OPTION_SECRET)
		forget_hidden(m, opt);
	return true;
}

/* argv[0] is the program's name. What is no option of ours is taken as it is: parsing says what is wrong with it. */
static void append(struct merge *m, int argc, char **argv)
{
	for (int i = 1; i < argc;) {
		const struct option *opt;
		const char *value;
		int n = options_next(m->options, argc, argv, i, &opt, &value);

		if (n == 0 || wanted(m, opt, value)) {
			for (int word = 0; word < (n ? n : 1); word++)
				m->to->argv[m->to->argc++] = argv[i + word];
		}
		i += n ? n : 1;
	}
}

static int check_file(const struct replay *r, const struct options *o, struct error *err)
{
	const struct result_file *f = &r->file;

	if (strcmp(f->program, o->program) != 0)
		return error_set(err, ERR_USAGE, "-replay %s: that is a result of %s: replay it with that program",
				 f->path, f->program);
	if (!f->arguments)
		return error_set(err, ERR_UNSUPPORTED,
				 "-replay %s: this result does not keep its arguments: its command line was: %s",
				 f->path, f->command_line ? f->command_line : "not kept either");
	return 0;
}

/* The file's words as a command line: with a first word, as all have. */
static char **file_words(const struct result_file *f, const struct options *o)
{
	char **words = calloc(f->narguments + 2, sizeof(*words));

	if (!words)
		return NULL;
	words[0] = (char *)o->program; /* never written to */
	memcpy(words + 1, f->arguments, f->narguments * sizeof(*words));
	return words;
}

static bool is_password(const struct option *opt)
{
	return strcmp(opt->name, "password") == 0;
}

/* conn_options_defaults has read it. */
static bool comes_from_environment(const struct option *opt)
{
	return is_password(opt) && getenv("REDISCLI_AUTH") != NULL;
}

int replay_open(struct replay *r, const char *path, const struct options *o, int argc, char **argv, struct error *err)
{
	struct merge m = {.options = o, .to = r};
	char **words = NULL;
	int e = result_file_read(&r->file, path, err);

	if (e < 0)
		return e;
	e = check_file(r, o, err);
	if (e < 0)
		return e;
	words = file_words(&r->file, o);
	r->argv = calloc(r->file.narguments + (size_t)argc + 1, sizeof(*r->argv));
	if (!words || !r->argv) {
		e = error_set(err, ERR_NOMEM, "-replay %s: out of memory", path);
		goto out;
	}
	r->argv[r->argc++] = argv[0];
	m.earlier = true;
	append(&m, (int)r->file.narguments + 1, words);
	m.earlier = false;
	append(&m, argc, argv);
	for (size_t i = 0; i < SECRETS_MAX && e == 0; i++) {
		if (m.hidden[i] && !comes_from_environment(m.hidden[i]))
			e = error_set(err, ERR_USAGE,
				      "-replay %s: the run was given -%s, which results do not keep: give it again%s",
				      path, m.hidden[i]->name,
				      is_password(m.hidden[i]) ? ", or set REDISCLI_AUTH" : "");
	}
out:
	free(words);
	return e;
}

void replay_release(struct replay *r)
{
	free(r->argv);
	result_file_release(&r->file);
	*r = (struct replay){0};
}

static const char *fact(const struct result_file *f, const char *name)
{
	for (size_t i = 0; i < RESULT_FACTS; i++) {
		if (strcmp(result_fact_names[i], name) == 0)
			return f->facts[i];
	}
	return NULL;
}

void replay_tell_differences(const struct replay *r, const char *program, const struct platform *platform,
			     const struct fingerprint *dataset, FILE *out)
{
	char bytes[24] = "", head[24] = "", cpus[24];
	const struct {
		const char *fact, *what, *now;
	} facts[] = {
		{"Version", "the version", AIBENCH_VERSION},
		{"GitCommit", "the build's commit", aibench_git_commit},
		{"Dataset.Bytes", "the dataset's size", bytes},
		{"Dataset.HeadCRC32", "the checksum of the dataset's beginning", head},
		{"Platform.CPUModel", "the CPU", platform->cpu_model},
		{"Platform.CPUsOnline", "the number of CPUs", cpus},
		{"Platform.Kernel", "the kernel", platform->kernel},
	};

	if (dataset->known) {
		snprintf(bytes, sizeof(bytes), "%" PRIu64, dataset->bytes);
		snprintf(head, sizeof(head), "%08" PRIx32, dataset->head_crc32);
	}
	snprintf(cpus, sizeof(cpus), "%u", platform->cpus_online);
	for (size_t i = 0; i < ARRAY_LEN(facts); i++) {
		const char *before = fact(&r->file, facts[i].fact);

		/* What one side does not tell is no difference. */
		if (before && *before && *facts[i].now && strcmp(before, facts[i].now) != 0)
			fprintf(out, "%s: note: -replay %s: %s was %s, is %s now\n", program, r->file.path,
				facts[i].what, before, facts[i].now);
	}
}
