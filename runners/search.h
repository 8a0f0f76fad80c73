/*
 * search.h - the search for the highest rate that meets an objective: which rate to try next, given what came of those
 * before. No clock, no server: the caller makes the probes.
 *
 * Growth: from `start`, doubling while rates pass (halving while they fail) until one passes and one fails. Bisection:
 * geometric, until the two are within `precision`. Confirmation: the rate that passed must pass once more, in a run of its
 * own; if it does not, a lower one has to, in steps of 1, 2, 4, … times the precision.
 *
 * What it says of confidence is the confirmation's alone, for the probes before it only say where to look. Each
 * confirmation is judged once, on measurements of its own, and attempt i (1, 2, …) may be wrong with a probability of (1 -
 * confidence) / 2^i, so that a rate that breaks the objective is the answer with less than 1 - confidence however many
 * attempts there were.
 */
#ifndef RUNNERS_SEARCH_H
#define RUNNERS_SEARCH_H

#include <stdbool.h>

enum probe_verdict { PROBE_PASS, PROBE_FAIL, PROBE_UNDECIDED };

/* An undecided probe goes on so often, each time for as long as it took so far; then it counts as failed. */
#define SEARCH_EXTENSIONS_MAX 2
#define SEARCH_CONFIRMATIONS_MAX 8

struct search_config {
	double start;           /* the first rate, inferences/s; moved into the range */
	double lowest, highest; /* no rate outside is tried; 0 < lowest <= highest */
	double precision;       /* 0.01: the answer and a rate that was too high are at most 1 % apart */
	double confidence;      /* 0.99 */
};

enum search_stage { SEARCH_GROWTH, SEARCH_BISECTION, SEARCH_CONFIRMATION, SEARCH_FOUND, SEARCH_NONE };

struct search {
	struct search_config cfg;
	enum search_stage stage;
	double rate;        /* to try; of SEARCH_FOUND: the answer */
	double passed;      /* the highest so far; 0: none */
	double failed;      /* the lowest so far; INFINITY: none */
	unsigned extension; /* of the probe at `rate`: 0 … SEARCH_EXTENSIONS_MAX */
	unsigned attempt;   /* confirmations that failed */
};

void search_init(struct search *s, const struct search_config *cfg);
/* False: the search is over, with SEARCH_FOUND or SEARCH_NONE. */
bool search_goes_on(const struct search *s);
/* That the probe at s->rate is to be judged with. */
double search_confidence(const struct search *s);
/* What came of it. An undecided probe is asked for again with s->extension one up: measure as long again and judge both
 * together. A confirmation that is undecided has failed. */
void search_tell(struct search *s, enum probe_verdict verdict);

#endif
