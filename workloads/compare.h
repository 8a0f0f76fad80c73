/*
 * compare.h - do two rows of float32 values agree?
 */
#ifndef WORKLOADS_COMPARE_H
#define WORKLOADS_COMPARE_H

#include <stdbool.h>
#include <stddef.h>

/* A value may differ by absolute + relative × |expected|. */
struct tolerance {
	double absolute, relative;
};

/* A value that differs by more. */
struct value_difference {
	size_t index;
	float got, expected;
};

/* got: n float32 values at any alignment. *largest is raised to the largest difference there is; a NaN agrees with
 * nothing and is not counted in it. */
bool values_agree(const void *got, const float *expected, size_t n, const struct tolerance *t, double *largest);
/* The value that differs most of two rows that do not agree; a NaN more than all. */
void values_find_worst(struct value_difference *ret, const void *got, const float *expected, size_t n);
/* Index of the largest of n values at any alignment, the first of equals: of probabilities, the class that was chosen. */
size_t values_largest(const void *values, size_t n);

#endif
