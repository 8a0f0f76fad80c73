/*
 * replay.h - the command line of an earlier run, from its result file, to be run again.
 */
#ifndef CMD_REPLAY_H
#define CMD_REPLAY_H

#include "common/options.h"
#include "stats/result.h"
#include "stats/result_file.h"

/* Zero-initialise. */
struct replay {
	struct result_file file; /* the result; path NULL: nothing is replayed */
	char **argv;             /* NULL-terminated; the words are the file's or the caller's */
	int argc;
};

/*
 * argv becomes the arguments of the run in the result file at path, then those of argv but for -replay, so that these win.
 * The earlier run's output files are not taken over: what it wrote is not replaced.
 * ERR_USAGE for another program's result and for a secret that is to be given again; ERR_UNSUPPORTED for a result that
 * keeps no arguments.
 */
int replay_open(struct replay *r, const char *path, const struct options *o, int argc, char **argv,
		struct error *err) MUST_CHECK;
void replay_release(struct replay *r);

/* Says on out, a line each, what is no longer as it was: the build, the dataset, the machine. */
void replay_tell_differences(const struct replay *r, const char *program, const struct platform *platform,
			     const struct fingerprint *dataset, FILE *out);

#endif
