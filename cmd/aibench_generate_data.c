/*
 * aibench_generate_data - makes the dataset of a use case: transactions with ids and reference data.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cmd/common.h"
#include "common/clock.h"
#include "common/options.h"
#include "datagen/fraud.h"

#define PROGRAM "aibench_generate_data"
#define EXIT_INTERRUPTED 130

struct config {
	const char *format, *use_case;
	const char *input_file, *output_file;
	uint64_t max_transactions;
	int64_t seed, debug;
	uint64_t group, groups;
};

static const struct option table[] = {
	{"format", OPTION_STRING, offsetof(struct config, format),
	 "What to write: `redisai` (rows of 1152 bytes) or csv (synthetic transactions in Kaggle's form).", 0, 0},
	{"use-case", OPTION_STRING, offsetof(struct config, use_case), "Use case to make data of: `creditcard-fraud`.",
	 0, 0},
	{"input-file", OPTION_PATH, offsetof(struct config, input_file),
	 "Kaggle's creditcard.csv, plain or .gz; none or \"synthetic\": transactions of our own making.", 0, 0},
	{"output-file", OPTION_PATH, offsetof(struct config, output_file), "`file` to write; none: standard output.", 0,
	 0},
	{"max-transactions", OPTION_UINT, offsetof(struct config, max_transactions),
	 "Rows to make; more than the input has: it is read again. 0: the input's (synthetic: 284807).", 0, 0},
	{"seed", OPTION_INT, offsetof(struct config, seed),
	 "Seed of the reference data and of synthetic transactions; the same seed makes the same bytes.", 0, 0},
	{"debug", OPTION_INT, offsetof(struct config, debug), "Above 0: say on stderr what was made.", 0, 0},
	{"interleaved-generation-group-id", OPTION_UINT, offsetof(struct config, group),
	 "Write only the rows whose id is this, modulo the number of groups.", 0, 0},
	{"interleaved-generation-groups", OPTION_UINT, offsetof(struct config, groups),
	 "How many processes share the rows round robin.", 1, 4294967295.0},
	{"profile-file", OPTION_IGNORED, 0, "Accepted for AIBench's scripts.", 0, 0},
	{0},
};

static int make_fraud_config(struct fraud_config *ret, const struct config *c, struct error *err)
{
	*ret = (struct fraud_config){
		.input = c->input_file,
		.output = c->output_file[0] ? c->output_file : NULL,
		.max_transactions = c->max_transactions,
		.seed = (uint64_t)c->seed,
		.group = c->group,
		.groups = c->groups,
	};
	if (ret->input[0] == '\0' || strcmp(ret->input, "synthetic") == 0)
		ret->input = NULL;
	if (strcmp(c->use_case, "creditcard-fraud") != 0)
		return error_set(err, ERR_USAGE, "-use-case %s: must be creditcard-fraud", c->use_case);
	if (strcmp(c->format, "redisai") == 0)
		ret->format = FRAUD_FORMAT_ROWS;
	else if (strcmp(c->format, "csv") == 0)
		ret->format = FRAUD_FORMAT_CSV;
	else
		return error_set(err, ERR_USAGE, "-format %s: must be redisai or csv", c->format);
	if (ret->format == FRAUD_FORMAT_CSV && ret->input)
		return error_set(err, ERR_USAGE, "-format csv writes synthetic transactions; leave -input-file out");
	if (ret->format == FRAUD_FORMAT_ROWS && !ret->output && isatty(STDOUT_FILENO))
		return error_set(err, ERR_USAGE,
				 "rows are not for a terminal: name a file with -output-file or use a pipe");
	if (ret->group >= ret->groups)
		return error_set(err, ERR_USAGE,
				 "-interleaved-generation-group-id %" PRIu64 ": must be below the %" PRIu64
				 " of -interleaved-generation-groups",
				 ret->group, ret->groups);
	return 0;
}

static void report(const struct fraud_summary *made, nsec_t took)
{
	double seconds = nsec_to_sec(took);

	fprintf(stderr,
		PROGRAM ": wrote %" PRIu64 " of %" PRIu64 " transactions in %.3f s (%.0f/s), %" PRIu64
			" pass%s over the input\n",
		made->written, made->transactions, seconds, (double)made->written / seconds, made->passes,
		made->passes == 1 ? "" : "es");
}

int main(int argc, char **argv)
{
	struct config config = {
		.format = "redisai", .use_case = "creditcard-fraud", .input_file = "", .output_file = "", .groups = 1};
	const struct option_set sets[] = {{table, &config}};
	struct options options = {
		.program = PROGRAM,
		.synopsis = "Makes the dataset of a use case, from Kaggle's creditcard.csv or from a seed.",
		.sets = sets,
		.nsets = 1,
	};
	struct error err = {""};
	struct fraud_config fraud;
	struct fraud_summary made;
	nsec_t start;
	int status = EXIT_OK;
	int rc = options_parse(&options, argc, argv, stdout, stderr, &err);

	if (rc == OPTIONS_HELP || rc == OPTIONS_VERSION)
		goto out;
	if (rc >= 0)
		rc = make_fraud_config(&fraud, &config, &err);
	if (rc >= 0) {
		fraud.stop = catch_signals();
		start = clock_now();
		rc = fraud_generate(&made, &fraud, &err);
	}
	if (rc < 0) {
		status = fail(PROGRAM, &err, rc == ERR_CANCELED ? EXIT_INTERRUPTED : exit_status(rc));
		goto out;
	}
	if (config.debug > 0)
		report(&made, clock_now() - start);
out:
	options_release(&options);
	return status;
}
