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

/* The command line as one malloc'd line, secrets of the tables as "***"; NULL when out of memory. */
char *command_line(int argc, char **argv, const struct options *o);

#endif
