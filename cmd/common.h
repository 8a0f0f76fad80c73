/*
 * common.h - what every long-running program needs beside its own work: signals, messages, exit statuses.
 */
#ifndef CMD_COMMON_H
#define CMD_COMMON_H

#include <stdatomic.h>

#include "common/error.h"
#include "common/options.h"

/*
 * Catches SIGINT and SIGTERM once: the first sets the returned flag to the signal's number, the next one ends the
 * process at once. A closed pipe or connection is an error code, not a signal.
 */
const atomic_int *catch_signals(void);

/* "program: text" on stderr; returns status. */
int fail(const char *program, const struct error *err, int status);
/* EXIT_USAGE for what the user asked for wrongly, 128 + signal for what a signal ended, else EXIT_FAILED. */
int exit_status(int error_code);

/* All of a main: parses the command line, does the work and says what failed. work returns 0 or more, or an error. */
int program_main(struct options *o, int argc, char **argv, int (*work)(void *config, struct error *err), void *config);

/* What stands for a secret where a command line is shown or kept. */
#define SECRET_HIDDEN "***"

/* The words of argv, argc of them and a NULL, with the tables' secrets hidden; NULL when out of memory. */
char **visible_words(int argc, char **argv, const struct options *o);
void words_free(char **words); /* NULL-terminated */
/* The words as one malloc'd line; NULL when out of memory. */
char *words_join(char *const *words);
/* Both in one: the command line as it may be seen. */
char *command_line(int argc, char **argv, const struct options *o);

#endif
