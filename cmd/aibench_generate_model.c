/*
 * aibench_generate_model - writes the models of a use case with seeded weights, so that nothing needs downloading.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd/common.h"
#include "common/file.h"
#include "common/options.h"
#include "datagen/model.h"

#define PROGRAM "aibench_generate_model"

struct config {
	const char *model, *use_case, *format, *output_file;
	bool reference;
	int64_t seed;
};

static const struct option table[] = {
	{"model", OPTION_STRING, offsetof(struct config, model),
	 "Model to write: `fraud` (input transaction and reference, output \"output\") or fraud-noreference (input "
	 "transaction, output \"out\"); none: as -use-case and -reference say.",
	 0, 0},
	{"use-case", OPTION_STRING, offsetof(struct config, use_case), "Use case of the model: `creditcard-fraud`.", 0,
	 0},
	{"reference", OPTION_BOOL, offsetof(struct config, reference),
	 "The fraud net with reference data; false: the one without. -model decides where it is given.", 0, 0},
	{"format", OPTION_STRING, offsetof(struct config, format), "File format: `tensorflow` (frozen GraphDef).", 0,
	 0},
	{"seed", OPTION_INT, offsetof(struct config, seed), "Seed of the weights; the same seed makes the same bytes.",
	 0, 0},
	{"output-file", OPTION_PATH, offsetof(struct config, output_file), "`file` to write; none: standard output.", 0,
	 0},
	{0},
};

/* Settles on one net and one format; NULL: wrong usage. */
static const struct model_format *choose(bool *ret_reference, const struct config *c, struct error *err)
{
	const struct model_format *format = model_format_find(c->format);

	*ret_reference = c->reference;
	if (strcmp(c->model, "fraud") == 0)
		*ret_reference = true;
	else if (strcmp(c->model, "fraud-noreference") == 0)
		*ret_reference = false;
	else if (c->model[0]) {
		error_set(err, ERR_USAGE, "-model %s: must be fraud or fraud-noreference", c->model);
		return NULL;
	}
	if (strcmp(c->use_case, "creditcard-fraud") != 0) {
		error_set(err, ERR_USAGE, "-use-case %s: must be creditcard-fraud", c->use_case);
		return NULL;
	}
	if (!c->output_file[0] && isatty(STDOUT_FILENO)) {
		error_set(err, ERR_USAGE, "a model is no text for a terminal: name a file with -output-file");
		return NULL;
	}
	if (!format)
		error_set(err, ERR_USAGE, "-format %s: must be tensorflow", c->format);
	return format;
}

static int write_model(const struct config *c, struct error *err)
{
	struct fraud_net net;
	unsigned char *bytes = NULL;
	bool reference;
	size_t len;
	const struct model_format *format = choose(&reference, c, err);
	int rc;

	if (!format)
		return ERR_USAGE;
	fraud_net_init(&net, reference, (uint64_t)c->seed);
	rc = format->write_fraud(&bytes, &len, &net, err);
	if (rc == 0)
		rc = file_write(c->output_file[0] ? c->output_file : NULL, bytes, len, err);
	free(bytes);
	return rc;
}

int main(int argc, char **argv)
{
	struct config config = {.model = "",
				.use_case = "creditcard-fraud",
				.format = "tensorflow",
				.output_file = "",
				.reference = true};
	const struct option_set sets[] = {{table, &config}};
	struct options options = {
		.program = PROGRAM,
		.synopsis = "Writes a model of a use case with seeded weights.",
		.sets = sets,
		.nsets = 1,
	};
	struct error err = {""};
	int rc = options_parse(&options, argc, argv, stdout, stderr, &err);

	catch_signals();
	if (rc == OPTIONS_RUN)
		rc = write_model(&config, &err);
	options_release(&options);
	return rc < 0 ? fail(PROGRAM, &err, exit_status(rc)) : EXIT_OK;
}
