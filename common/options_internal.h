/*
 * options_internal.h - what parsing and help both say of an option.
 */
#ifndef COMMON_OPTIONS_INTERNAL_H
#define COMMON_OPTIONS_INTERNAL_H

#include "common/options.h"

bool option_has_range(const struct option *opt);
/* "from 1 to 65535", "at least 1ms", "at most 5", in the option's unit; returns buf. */
const char *option_range(char *buf, size_t size, const struct option *opt);

#endif
