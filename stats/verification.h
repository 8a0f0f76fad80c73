/*
 * verification.h - what the comparison of a run's answers with expected ones found, and what was recorded for later
 * comparisons.
 */
#ifndef STATS_VERIFICATION_H
#define STATS_VERIFICATION_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct json_writer;

#define MISMATCHES_MAX 100

/* A row that was answered wrongly, by its worst value. */
struct mismatch {
	uint64_t request; /* its number in the run */
	uint64_t row;     /* id */
	uint32_t value;   /* index within the row */
	bool count; /* the row has another number of values: got and expected are those numbers, and value is nothing */
	float got, expected;
};

/* Counts are of inferences, the burn-in's included. */
struct verification {
	/* What was asked for */
	const char *file; /* of the expected answers; NULL: none were compared */
	double share, tolerance, relative_tolerance;
	unsigned show; /* mismatches to keep, up to MISMATCHES_MAX */
	/* What was found */
	uint64_t answers; /* well-formed ones, whether or not they were of the sampled share */
	uint64_t compared, wrong;
	uint64_t missing;          /* of the share, but the file has no answer to the row */
	uint64_t same_class;       /* compared, and the largest value is the same one as expected */
	double largest_difference; /* of all values compared, right or wrong; NaNs left out */
	unsigned nfirst;
	struct mismatch first[MISMATCHES_MAX]; /* those of the lowest request numbers, in order */
};

/* What a run wrote for others to be compared with. */
struct recording {
	const char *file; /* NULL: nothing was recorded */
	uint64_t rows;    /* of the dataset */
	uint64_t recorded;
	uint64_t refused; /* answers to rows whose ids are not one after the other from the first on */
};

/* Keeps the mismatch if it is one of the first. Of one row of a request at the most once. */
void verification_note(struct verification *v, const struct mismatch *m);
/* Counts and mismatches; what was asked for stays. Which mismatches are kept does not depend on who found them. */
void verification_add(struct verification *to, const struct verification *from);

/* Lines of the report; nothing where nothing was asked for. */
void verification_write_text(FILE *out, const struct verification *v);
void recording_write_text(FILE *out, const struct recording *r);
/* Members "Verification" and "Recording"; null where nothing was asked for. */
void verification_write_json(struct json_writer *w, const struct verification *v);
void recording_write_json(struct json_writer *w, const struct recording *r);

#endif
