/*
 * interleave.h - two command lines run in turn, so that what drifts on a machine (its temperature, its neighbours, a
 * server's memory) falls on both alike, and each run has a partner that was made beside it.
 *
 * Run i of A and run i of B are a pair: they are made one behind the other with the same -seed, so that a seeded
 * schedule is the same, and pair i + 1 goes the other way round: A B, B A or B A, A B, as the seed has it for every
 * two pairs.
 */
#ifndef RUNNERS_INTERLEAVE_H
#define RUNNERS_INTERLEAVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/error.h"

#define INTERLEAVE_PAIRS_MAX 999

/* One run: of which side, in which pair. */
struct interleave_block {
	char side;     /* 'a' or 'b' */
	unsigned pair; /* 1-based */
};

struct interleave_config {
	char *const *a, *const *b; /* the words of an aibench_run_inference command line, NULL-terminated; borrowed */
	unsigned pairs;
	uint64_t seed;
	const char *folder; /* made if it is not there; existing files are replaced */
	/* After each run, with its result file; may be NULL. */
	void (*finished)(void *arg, const struct interleave_block *block, const char *path);
	void *arg;
};

/* The k-th run of all, from 0 on: 2 a pair. */
struct interleave_block interleave_block_at(uint64_t seed, unsigned k);

/* ERR_USAGE: there is no program, or it has an option that interleaving gives (-seed, -json-out-file), or that makes no
 * sense in one run of many (-repetitions, -hlog-out-file). */
int interleave_check(char *const *words, char side, struct error *err) MUST_CHECK;

/*
 * Runs all; what the programs print goes to files beside their results. Ends with the first run that fails, which err
 * names. SIGINT, SIGTERM and SIGHUP are handed on to the run under way, which then ends as it does by itself:
 * ERR_CANCELED and the signal in *ret_signal; a second one kills it. For a process of one thread. ERR_USAGE as
 * interleave_check.
 */
int interleave_run(const struct interleave_config *cfg, int *ret_signal, struct error *err) MUST_CHECK;

/* The file of a run: folder/a_001.json; malloc'd, NULL when out of memory. */
char *interleave_path(const char *folder, const struct interleave_block *block, const char *extension);

#endif
