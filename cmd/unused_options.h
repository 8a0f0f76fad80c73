/*
 * unused_options.h - options that nothing would come of, as those that they belong to are not there.
 */
#ifndef CMD_UNUSED_OPTIONS_H
#define CMD_UNUSED_OPTIONS_H

#include "common/options.h"

/* ERR_USAGE names the option and what it needs. argc and argv were parsed by o. */
int unused_options_check(const struct options *o, int argc, char **argv, struct error *err) MUST_CHECK;

#endif
