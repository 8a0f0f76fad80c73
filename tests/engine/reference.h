/*
 * reference.h - what operators must compute, in plain loops over doubles: slow, and easy to see to be right.
 */
#ifndef TESTS_ENGINE_REFERENCE_H
#define TESTS_ENGINE_REFERENCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/rng.h"

#define REF_RANK 6

/* Values are owned by the struct. */
struct ref {
	unsigned rank;
	int64_t dims[REF_RANK];
	size_t count;
	double *v;
};

void ref_init(struct ref *r, const int64_t *dims, unsigned rank); /* zeros */
void ref_release(struct ref *r);
/* Uniform in [low, high), to be exact in float: multiples of 1/1024; whole: integers. */
void ref_random(struct ref *r, struct rng *rng, double low, double high, bool whole);
/* Element at these coordinates, one a dimension. */
double *ref_at(const struct ref *r, const int64_t *at);
/* Steps through coordinates in row-major order; false past the last. */
bool ref_next(const struct ref *r, int64_t *at);

/* Of one value, for ref_unary. */
double ref_sigmoid(double x);
double ref_relu(double x);
double ref_relu6(double x);
double ref_leaky_relu(double x); /* alpha 0.25 */
double ref_elu(double x);
void ref_unary(struct ref *out, const struct ref *x, double (*f)(double));
/* Shapes must broadcast. */
void ref_binary(struct ref *out, const struct ref *a, const struct ref *b, double (*f)(double, double));
void ref_matmul(struct ref *out, const struct ref *a, const struct ref *b, bool transpose_a, bool transpose_b);
void ref_softmax(struct ref *out, const struct ref *x, bool logarithm);
enum ref_reduction { REF_SUM, REF_MEAN, REF_MAX, REF_MIN, REF_ARGMAX };
/* dims of out: the reduced ones are 1. REF_ARGMAX: one axis. */
void ref_reduce(struct ref *out, const struct ref *x, const bool *axes, enum ref_reduction kind);
void ref_transpose(struct ref *out, const struct ref *x, const int64_t *order);
/* out[i] = x[begin + i * step] in every dimension; dims of out are given. */
void ref_slice(struct ref *out, const struct ref *x, const int64_t *begin, const int64_t *step, const int64_t *dims);
/* Copies x into out from `at` on. */
void ref_place(struct ref *out, const struct ref *x, const int64_t *at);
void ref_gather(struct ref *out, const struct ref *x, const struct ref *indices, unsigned axis);

#endif
