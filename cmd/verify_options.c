#include "cmd/verify_options.h"

#include <math.h>
#include <stddef.h>
#include <string.h>

#include "common/number.h"

#define FIELD(f) offsetof(struct verify_options, f)

const struct option verify_option_table[] = {
	{"verify", OPTION_PATH, FIELD(file),
	 "`file` of expected answers to compare the answers with, row by row: of -record-answers, of aibench_answers, "
	 "or bare float32 values in the order of the ids. What differs is counted as wrong.",
	 0, 0},
	{"verify-share", OPTION_STRING, FIELD(share),
	 "`share` of the requests that -verify compares: 0.01 or 1%. The same ones with any number of threads.", 0, 0},
	{"tolerance", OPTION_DOUBLE, FIELD(tolerance), "Largest difference of a value from the one of -verify.", 0,
	 INFINITY},
	{"relative-tolerance", OPTION_DOUBLE, FIELD(relative_tolerance),
	 "Part of the expected value that is added to -tolerance.", 0, INFINITY},
	{"verify-show", OPTION_UINT, FIELD(show), "Wrong answers to show in the report.", 0, MISMATCHES_MAX},
	{"expected-answers", OPTION_PATH, FIELD(expected_file), "The same as -verify.", 0, 0},
	{"record-answers", OPTION_OUTPUT, FIELD(record_file),
	 "`file` to write the answer to each row to, for -verify: of a server that is trusted. Not a run to measure.",
	 0, 0},
	{0},
};

void verify_options_defaults(struct verify_options *o)
{
	*o = (struct verify_options){
		.file = "",
		.expected_file = "",
		.share = "100%",
		.record_file = "",
		.tolerance = 1e-5,
		.show = 5,
	};
}

const char *verify_options_file(const struct verify_options *o)
{
	return o->file[0] ? o->file : o->expected_file;
}

static int parse_share(double *ret, const char *text, struct error *err)
{
	double share;

	if (number_parse_share(&share, text) == 0 && share > 0 && share <= 1) {
		*ret = share;
		return 0;
	}
	return error_set(err, ERR_USAGE, "-verify-share %s: must be above 0 and at most 1, or 100%%", text);
}

int verify_options_config(struct verify_config *ret, const struct verify_options *o, struct error *err)
{
	struct verify_config cfg = {
		.tolerance = {.absolute = o->tolerance, .relative = o->relative_tolerance},
		.show = (unsigned)o->show,
	};
	int r = parse_share(&cfg.share, o->share, err);

	if (r < 0)
		return r;
	if (o->file[0] && o->expected_file[0])
		return error_set(err, ERR_USAGE, "-verify and -expected-answers are the same: give one of them");
	if (strcmp(o->record_file, "-") == 0)
		return error_set(err, ERR_USAGE, "-record-answers -: standard output has the report: name a file");
	*ret = cfg;
	return 0;
}
