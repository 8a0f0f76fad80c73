/*
 * aibench_answers - asks a model file about every row of a dataset, by the bundled engine and without any server, and
 * writes the answers for -verify.
 */
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cmd/answers_maker.h"
#include "cmd/common.h"
#include "common/file.h"
#include "common/options.h"

#define PROGRAM "aibench_answers"
#define BATCH_MAX 65536

struct config {
	struct answers_maker_config make;
	const char *output_file;
};

#define FIELD(f) offsetof(struct config, f)
#define MAKE(f) offsetof(struct config, make.f)

static const struct option table[] = {
	{"file", OPTION_PATH, MAKE(file), "Dataset `file`.", 0, 0},
	{"use-case", OPTION_STRING, MAKE(use_case), "`name` of the use case.", 0, 0},
	{"reference", OPTION_BOOL, MAKE(reference), "The model takes a row's reference data, too.", 0, 0},
	{"model-file", OPTION_PATH, MAKE(model_file), "Model `file`.", 0, 0},
	{"format", OPTION_STRING, MAKE(format),
	 "Of the model file: tensorflow, tflite or onnx; none: by its name's end, .pb, .tflite or .onnx.", 0, 0},
	{"inputs", OPTION_STRING, MAKE(inputs),
	 "`names` of the model's inputs, separated by commas; none: the use case's (TensorFlow), the model's own.", 0,
	 0},
	{"outputs", OPTION_STRING, MAKE(outputs), "`name` of the model's output; none: as -inputs.", 0, 0},
	{"batch-size", OPTION_UINT, MAKE(batch), "Rows to run the model on at a time.", 1, BATCH_MAX},
	{"max-rows", OPTION_UINT, MAKE(max_rows), "Rows of the dataset to answer; 0: all.", 0, 0},
	{"output-file", OPTION_PATH, FIELD(output_file), "`file` to write.", 0, 0},
	{0},
};

static bool same_file(const char *a, const char *b)
{
	struct stat st_a, st_b;

	return stat(a, &st_a) == 0 && stat(b, &st_b) == 0 && file_is_same(&st_a, &st_b);
}

static int check(const struct config *c, struct error *err)
{
	const char *out = c->output_file;

	if (!c->make.file[0] || strcmp(c->make.file, "-") == 0)
		return error_set(err, ERR_USAGE, "-file: the dataset is missing; it cannot be a pipe");
	if (!c->make.model_file[0])
		return error_set(err, ERR_USAGE, "-model-file: the model is missing");
	if (!out[0] && isatty(STDOUT_FILENO))
		return error_set(err, ERR_USAGE, "answers are no text for a terminal: name a file with -output-file");
	if (out[0] && (same_file(out, c->make.file) || same_file(out, c->make.model_file)))
		return error_set(err, ERR_USAGE, "-output-file %s would replace what is read: name another file", out);
	return 0;
}

static int write_answers(struct config *c, const char *made, struct error *err)
{
	struct answers_writer answers = {0};
	int r = check(c, err);

	c->make.interrupt = catch_signals();
	if (r == 0)
		r = answers_make(&answers, &c->make, err);
	if (r == 0)
		r = answers_writer_save(&answers, c->output_file[0] ? c->output_file : NULL, made, err);
	if (r == 0 && c->output_file[0])
		printf("Wrote the answers to %" PRIu64 " rows, of %zu values each, to %s\n", answers.of.rows,
		       atomic_load(&answers.values), c->output_file);
	answers_writer_release(&answers);
	return r;
}

int main(int argc, char **argv)
{
	struct config config = {
		.make = {.file = "",
			 .use_case = "creditcard-fraud",
			 .model_file = "",
			 .format = "",
			 .inputs = "",
			 .outputs = "",
			 .batch = 1},
		.output_file = "",
	};
	const struct option_set sets[] = {{table, &config}};
	struct options options = {
		.program = PROGRAM,
		.synopsis = "Asks a model file about every row of a dataset and writes the answers, for -verify.",
		.sets = sets,
		.nsets = 1,
	};
	struct error err = {"out of memory"};
	int rc = options_parse(&options, argc, argv, stdout, stderr, &err);
	char *made = NULL;

	if (rc == OPTIONS_RUN) {
		made = command_line(argc, argv, &options);
		rc = made ? write_answers(&config, made, &err) : ERR_NOMEM;
	}
	free(made);
	options_release(&options);
	return rc < 0 ? fail(PROGRAM, &err, exit_status(rc)) : EXIT_OK;
}
