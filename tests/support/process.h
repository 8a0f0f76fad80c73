/*
 * process.h - programs run by a test: started with their output kept, waited for with a limit, never left behind.
 */
#ifndef TESTS_SUPPORT_PROCESS_H
#define TESTS_SUPPORT_PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* A program under way. Its standard output and error go to unlinked files, so nothing can fill a pipe. It dies with
 * the test (PR_SET_PDEATHSIG). */
struct process {
	pid_t pid; /* 0: not running */
	int out_fd, err_fd;
	int in_fd; /* write end of its standard input if asked for, else -1 */
};

struct process_options {
	const char *const *env; /* "NAME=value" strings, NULL-terminated, added to the environment; may be NULL */
	const char *stdin_path; /* NULL: /dev/null */
	bool pipe_stdin;        /* true: in_fd is a pipe to it */
	const char *directory;  /* working directory; NULL: the test's */
};

/* argv[0] without a slash is looked up in the folder of the programs under test (AIBENCH_BIN, default bin), then in
 * PATH. Aborts the test when it cannot be started. */
void process_start(struct process *p, const char *const *argv, const struct process_options *o);

/* What one run gave. Texts are NUL-terminated and freed by outcome_release. */
struct process_result {
	int status; /* exit status, 128 + signal, or -1: it ran longer than the limit and was killed */
	char *out, *err;
	size_t out_len, err_len;
};

/* Waits up to limit_seconds, then kills. */
void process_wait(struct process *p, struct process_result *ret, double limit_seconds);
bool process_running(const struct process *p);
void process_signal(const struct process *p, int signal);
/* start and wait in one. */
void process_run(struct process_result *ret, const char *const *argv, const struct process_options *o,
		 double limit_seconds);
void process_result_release(struct process_result *r);

/* A new folder under $TMPDIR or /tmp, and its removal with all that is in it. */
void temp_folder_new(char *ret, size_t size);
void temp_folder_remove(const char *path);

/*
 * A TCP port of 127.0.0.1 that is this test program's until it ends: connections to it are refused, until a server that it
 * starts there (with SO_REUSEADDR, as every server sets it) listens, and again when that one is gone.
 */
unsigned short free_port(void);

/* AIBENCH_TEST_DATA or ../shared/data joined with name, or NULL where that file is not there (then skip()). */
const char *test_data(char *ret, size_t size, const char *name);

#endif
