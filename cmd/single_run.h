/*
 * single_run.h - the command line of one run of a series by itself: what its result keeps, so that a replay repeats the
 * run and not the series.
 */
#ifndef CMD_SINGLE_RUN_H
#define CMD_SINGLE_RUN_H

#include "common/options.h"

#define SINGLE_RUN_SETTINGS 16
#define SINGLE_RUN_SETTING_MAX 64

/* What the series gave to the run, as words: "-workers=4". Zero-initialise. */
struct single_run {
	unsigned n;
	char settings[SINGLE_RUN_SETTINGS][SINGLE_RUN_SETTING_MAX];
};

/* Another one; there is room for all that a series can give. */
void single_run_set(struct single_run *s, const char *fmt, ...) PRINTF_LIKE(2, 3);

/*
 * words (of a command line, NULL-terminated) without the options that make a series of it, then the settings, as of an
 * option given twice the last one counts. words_free; NULL when out of memory.
 */
char **single_run_words(const struct single_run *s, char *const *words, const struct options *o);

#endif
