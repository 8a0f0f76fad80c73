/*
 * audit_options.h - the options of the verdict: how much it must hold, and whether it counts.
 */
#ifndef CMD_AUDIT_OPTIONS_H
#define CMD_AUDIT_OPTIONS_H

#include <stdbool.h>

#include "common/options.h"

struct audit_options {
	double percentile;
	bool strict;
};

extern const struct option audit_option_table[];
void audit_options_defaults(struct audit_options *o);

#endif
