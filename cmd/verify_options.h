/*
 * verify_options.h - the options of comparing answers with expected ones, and of recording them.
 */
#ifndef CMD_VERIFY_OPTIONS_H
#define CMD_VERIFY_OPTIONS_H

#include <stdint.h>

#include "common/options.h"
#include "runners/verifier.h"

struct verify_options {
	const char *file;          /* -verify; "": none */
	const char *expected_file; /* -expected-answers, the older name */
	const char *share, *record_file;
	double tolerance, relative_tolerance;
	uint64_t show;
};

extern const struct option verify_option_table[];
void verify_options_defaults(struct verify_options *o);

/* The file of expected answers by either name; "": none. */
const char *verify_options_file(const struct verify_options *o);
/* ret->answers is left NULL. ERR_USAGE with the option's name in err. */
int verify_options_config(struct verify_config *ret, const struct verify_options *o, struct error *err) MUST_CHECK;

#endif
