/*
 * aibench_compare - two set-ups, some runs of each: what differs, and whether the runs show it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/common.h"
#include "runners/interleave.h"
#include "stats/comparison.h"
#include "stats/fail_if.h"

#define PROGRAM "aibench_compare"

struct config {
	double confidence;
	const char *fail_if, *json_file, *results_dir;
	uint64_t interleave;
	int64_t seed;
	bool paired, strict;
};

#define FIELD(f) offsetof(struct config, f)

static const struct option table[] = {
	{"confidence", OPTION_DOUBLE, FIELD(confidence),
	 "Of the intervals and of what is called better or worse: of comparisons of equal set-ups at most 1 - "
	 "confidence "
	 "show any difference.",
	 0.5, 0.9999},
	{"fail-if", OPTION_STRING, FIELD(fail_if),
	 "`limits` as p99>+5%,rate<-2%: exit status 1 if the runs show that B differs from A by more. Metrics: rate, "
	 "mean, p50, p90, p99, p99.9.",
	 0, 0},
	{"strict", OPTION_BOOL, FIELD(strict), "Exit status 1 also if there are too few runs to tell.", 0, 0},
	{"paired", OPTION_BOOL, FIELD(paired),
	 "The first run of A and the first of B were made together, and so on: compare pairs.", 0, 0},
	{"interleave", OPTION_UINT, FIELD(interleave),
	 "Make the runs first, this many `pairs`: the words are two command lines. 8 can show something, 10 are a good "
	 "number; 0: the words are result files.",
	 0, INTERLEAVE_PAIRS_MAX},
	{"results-dir", OPTION_PATH, FIELD(results_dir),
	 "`folder` for the results of -interleave, in which there are none of before.", 0, 0},
	{"seed", OPTION_INT, FIELD(seed),
	 "Of the order of -interleave and of its schedules, and of permutations where there are too many to try all.",
	 0, 0},
	{"json-out-file", OPTION_PATH, FIELD(json_file), "`file` to write the comparison to, as JSON.", 0, 0},
	{0},
};

static const char epilogue[] =
	"  " PROGRAM " a_run_1.json ... -- b_run_1.json ...\n"
	"  " PROGRAM
	" -interleave 10 -- bin/aibench_run_inference_redisai ... -- bin/aibench_run_inference_triton ...\n\n"
	"Exit status: 0; 1: a limit of -fail-if is broken, or a run failed; 2: wrong usage.";

/* The words of the two sides, each NULL-terminated. */
struct sides {
	char **a, **b;
};

static int split_sides(struct sides *ret, char **words, struct error *err)
{
	struct sides s = {.a = words};

	for (char **w = words; *w; w++) {
		if (strcmp(*w, "--") != 0)
			continue;
		if (s.b)
			return error_set(err, ERR_USAGE, "there is more than one -- between the words: A... -- B...");
		*w = NULL;
		s.b = w + 1;
	}
	if (!s.b)
		return error_set(err, ERR_USAGE, "nothing to compare: name A, then --, then B (-help shows how)");
	*ret = s;
	return 0;
}

/* The result files of one side. */
struct runs {
	struct result_file *files;
	size_t n;
};

static void runs_release(struct runs *r)
{
	for (size_t i = 0; i < r->n; i++)
		result_file_release(&r->files[i]);
	free(r->files);
}

static int runs_add(struct runs *r, const char *path, struct error *err)
{
	struct result_file *files = realloc(r->files, (r->n + 1) * sizeof(*files));
	int e;

	if (!files)
		return error_set(err, ERR_NOMEM, "out of memory");
	r->files = files;
	e = result_file_read(&files[r->n], path, err);
	if (e == 0)
		r->n++;
	return e;
}

/* A file that cannot be read was named wrongly. */
static int read_files(struct runs *r, char *const *paths, struct error *err)
{
	int e = 0;

	for (; e == 0 && *paths; paths++) {
		if (**paths == '-')
			return error_set(err, ERR_USAGE, "%s: options come before the files", *paths);
		e = runs_add(r, *paths, err);
	}
	return e == ERR_NOT_FOUND || e == ERR_FORMAT || e == ERR_UNSUPPORTED ? ERR_USAGE : e;
}

static int read_results(struct runs *r, const struct config *c, char side, struct error *err)
{
	int e = 0;

	for (unsigned pair = 1; e == 0 && pair <= c->interleave; pair++) {
		char *path = interleave_path(c->results_dir, &(struct interleave_block){side, pair}, "json");

		e = path ? runs_add(r, path, err) : error_set(err, ERR_NOMEM, "out of memory");
		free(path);
	}
	return e;
}

static void print_finished(void *arg, const struct interleave_block *block, const char *path)
{
	const struct config *c = arg;

	printf("Pair %u of %ju, %c: %s\n", block->pair, (uintmax_t)c->interleave, block->side == 'a' ? 'A' : 'B', path);
	fflush(stdout);
}

/* The runs of both sides, made first if asked for. Returns an error, the number of the signal that ended it, or 0. */
static int gather(struct runs *a, struct runs *b, const struct config *c, const struct sides *s, struct error *err)
{
	struct interleave_config cfg = {
		.a = s->a,
		.b = s->b,
		.pairs = (unsigned)c->interleave,
		.seed = (uint64_t)c->seed,
		.folder = c->results_dir,
		.finished = print_finished,
		.arg = (void *)c,
	};
	int e, signo = 0;

	if (c->interleave > 0) {
		e = interleave_run(&cfg, &signo, err);
		if (e == 0)
			e = read_results(a, c, 'a', err);
		if (e == 0)
			e = read_results(b, c, 'b', err);
		return e == ERR_CANCELED ? signo : e;
	}
	e = read_files(a, s->a, err);
	return e < 0 ? e : read_files(b, s->b, err);
}

static int compare(const struct config *c, const struct runs *a, const struct runs *b, const struct fail_if *limits,
		   const char *words, struct error *err)
{
	struct difference_rules rules = {
		.confidence = c->confidence,
		.paired = c->paired || c->interleave > 0,
		.seed = (uint64_t)c->seed,
	};
	struct comparison comparison;
	bool failed = false;
	int e;

	e = comparison_make(&comparison, a->files, a->n, b->files, b->n, &rules, err);
	if (e < 0)
		return fail(PROGRAM, err, exit_status(e));
	comparison_write_text(stdout, &comparison, limits);
	failed = fail_if_fails(limits, &comparison, c->strict);
	if (c->json_file[0])
		e = comparison_write_json(c->json_file, &comparison, limits, words, err);
	comparison_release(&comparison);
	if (e == 0 && (fflush(stdout) || ferror(stdout)))
		e = error_set(err, ERR_IO, "cannot write to standard output");
	if (e < 0)
		return fail(PROGRAM, err, EXIT_FAILED);
	return failed ? EXIT_FAILED : EXIT_OK;
}

static int run(const struct config *c, char **words, const char *line, struct error *err)
{
	struct fail_if limits = {.n = 0};
	struct runs a = {0}, b = {0};
	struct sides sides = {0};
	int status, e = fail_if_parse(&limits, c->fail_if, err);

	if (e == 0)
		e = split_sides(&sides, words, err);
	if (e == 0)
		e = gather(&a, &b, c, &sides, err);
	if (e == 0)
		status = compare(c, &a, &b, &limits, line, err);
	else
		status = fail(PROGRAM, err, e > 0 ? 128 + e : exit_status(e));
	runs_release(&a);
	runs_release(&b);
	return status;
}

int main(int argc, char **argv)
{
	struct config config = {
		.confidence = 0.95,
		.fail_if = "",
		.json_file = "",
		.results_dir = "aibench_compare_results",
	};
	const struct option_set set = {table, &config};
	struct options options = {
		.program = PROGRAM,
		.synopsis = "Compares two set-ups by some runs of each.",
		.words = "A... -- B...",
		.epilogue = epilogue,
		.sets = &set,
		.nsets = 1,
	};
	struct error err = {"out of memory"};
	int status = EXIT_OK, r = options_parse(&options, argc, argv, stdout, stderr, &err);
	char *line = r == OPTIONS_RUN ? command_line(argc, argv, &options) : NULL;

	if (r == OPTIONS_RUN && line)
		status = run(&config, argv + options.first_word, line, &err);
	else if (r == OPTIONS_RUN || r < 0)
		status = fail(PROGRAM, &err, r < 0 ? exit_status(r) : EXIT_FAILED);
	free(line);
	options_release(&options);
	return status;
}
