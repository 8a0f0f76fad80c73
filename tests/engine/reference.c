#include "tests/engine/reference.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

void ref_init(struct ref *r, const int64_t *dims, unsigned rank)
{
	r->rank = rank;
	r->count = 1;
	for (unsigned i = 0; i < rank; i++) {
		r->dims[i] = dims[i];
		r->count *= (size_t)dims[i];
	}
	r->v = calloc(r->count + 1, sizeof(*r->v));
	if (r->v == NULL)
		abort();
}

void ref_release(struct ref *r)
{
	free(r->v);
	*r = (struct ref){0};
}

void ref_random(struct ref *r, struct rng *rng, double low, double high, bool whole)
{
	for (size_t i = 0; i < r->count; i++) {
		double x = low + (high - low) * rng_double(rng);
		r->v[i] = whole ? floor(x) : floor(x * 1024.0) / 1024.0;
	}
}

double *ref_at(const struct ref *r, const int64_t *at)
{
	size_t index = 0;

	for (unsigned i = 0; i < r->rank; i++)
		index = index * (size_t)r->dims[i] + (size_t)at[i];
	return &r->v[index];
}

bool ref_next(const struct ref *r, int64_t *at)
{
	for (unsigned d = r->rank; d > 0; d--) {
		if (++at[d - 1] < r->dims[d - 1])
			return true;
		at[d - 1] = 0;
	}
	return false;
}

double ref_sigmoid(double x)
{
	return 1.0 / (1.0 + exp(-x));
}

double ref_relu(double x)
{
	return fmax(x, 0.0);
}

double ref_relu6(double x)
{
	return fmin(fmax(x, 0.0), 6.0);
}

double ref_leaky_relu(double x)
{
	return x < 0.0 ? x * 0.25 : x;
}

double ref_elu(double x)
{
	return x < 0.0 ? expm1(x) : x;
}

void ref_unary(struct ref *out, const struct ref *x, double (*f)(double))
{
	ref_init(out, x->dims, x->rank);
	for (size_t i = 0; i < x->count; i++)
		out->v[i] = f(x->v[i]);
}

/* Where an input with fewer or repeated dimensions is read for coordinates of the output. */
static double broadcast_at(const struct ref *in, const int64_t *at, unsigned rank)
{
	int64_t mine[REF_RANK] = {0};

	for (unsigned i = 0; i < in->rank; i++)
		mine[i] = in->dims[i] == 1 ? 0 : at[rank - in->rank + i];
	return *ref_at(in, mine);
}

static int64_t dim_from_end(const struct ref *r, unsigned i)
{
	return i < r->rank ? r->dims[r->rank - 1 - i] : 1;
}

static unsigned broadcast_dims(const struct ref *a, const struct ref *b, unsigned skip, int64_t *dims)
{
	unsigned rank = a->rank > b->rank ? a->rank : b->rank;

	for (unsigned i = skip; i < rank; i++) {
		int64_t x = dim_from_end(a, i), y = dim_from_end(b, i);
		dims[rank - 1 - i] = x == 1 ? y : x;
	}
	return rank;
}

void ref_binary(struct ref *out, const struct ref *a, const struct ref *b, double (*f)(double, double))
{
	int64_t dims[REF_RANK], at[REF_RANK] = {0};
	unsigned rank = broadcast_dims(a, b, 0, dims);

	ref_init(out, dims, rank);
	if (out->count == 0)
		return;
	do {
		*ref_at(out, at) = f(broadcast_at(a, at, rank), broadcast_at(b, at, rank));
	} while (ref_next(out, at));
}

void ref_matmul(struct ref *out, const struct ref *a, const struct ref *b, bool transpose_a, bool transpose_b)
{
	int64_t dims[REF_RANK], at[REF_RANK] = {0};
	unsigned rank = broadcast_dims(a, b, 2, dims);
	int64_t k = a->dims[a->rank - (transpose_a ? 2 : 1)];

	dims[rank - 2] = a->dims[a->rank - (transpose_a ? 1 : 2)];
	dims[rank - 1] = b->dims[b->rank - (transpose_b ? 2 : 1)];
	ref_init(out, dims, rank);
	if (out->count == 0)
		return;
	do {
		double sum = 0.0;
		for (int64_t p = 0; p < k; p++) {
			int64_t left[REF_RANK], right[REF_RANK];
			memcpy(left, at, sizeof(left));
			memcpy(right, at, sizeof(right));
			left[rank - 2] = transpose_a ? p : at[rank - 2];
			left[rank - 1] = transpose_a ? at[rank - 2] : p;
			right[rank - 2] = transpose_b ? at[rank - 1] : p;
			right[rank - 1] = transpose_b ? p : at[rank - 1];
			sum += broadcast_at(a, left, rank) * broadcast_at(b, right, rank);
		}
		*ref_at(out, at) = sum;
	} while (ref_next(out, at));
}

void ref_softmax(struct ref *out, const struct ref *x, bool logarithm)
{
	size_t n = (size_t)x->dims[x->rank - 1];

	ref_init(out, x->dims, x->rank);
	for (size_t row = 0; row < x->count; row += n) {
		double max = -INFINITY, sum = 0.0;
		for (size_t i = 0; i < n; i++)
			max = fmax(max, x->v[row + i]);
		for (size_t i = 0; i < n; i++)
			sum += exp(x->v[row + i] - max);
		for (size_t i = 0; i < n; i++)
			out->v[row + i] = logarithm ? x->v[row + i] - max - log(sum) : exp(x->v[row + i] - max) / sum;
	}
}

void ref_reduce(struct ref *out, const struct ref *x, const bool *axes, enum ref_reduction kind)
{
	int64_t dims[REF_RANK], at[REF_RANK] = {0};
	unsigned axis = 0;

	for (unsigned i = 0; i < x->rank; i++) {
		dims[i] = axes[i] ? 1 : x->dims[i];
		axis = axes[i] ? i : axis;
	}
	ref_init(out, dims, x->rank);
	struct ref best;
	ref_init(&best, dims, x->rank);
	for (size_t i = 0; i < out->count; i++) {
		best.v[i] = kind == REF_MIN ? INFINITY : -INFINITY;
		out->v[i] = kind == REF_MAX || kind == REF_MIN ? best.v[i] : 0.0;
	}
	do {
		int64_t to[REF_RANK];
		for (unsigned i = 0; i < x->rank; i++)
			to[i] = axes[i] ? 0 : at[i];
		double value = *ref_at(x, at), *result = ref_at(out, to), *top = ref_at(&best, to);
		if (kind == REF_SUM || kind == REF_MEAN)
			*result += kind == REF_MEAN ? value * (double)out->count / (double)x->count : value;
		else if (kind == REF_MAX)
			*result = fmax(*result, value);
		else if (kind == REF_MIN)
			*result = fmin(*result, value);
		else if (value > *top)
			*result = (double)at[axis];
		*top = fmax(*top, value);
	} while (ref_next(x, at));
	ref_release(&best);
}

void ref_transpose(struct ref *out, const struct ref *x, const int64_t *order)
{
	int64_t dims[REF_RANK], at[REF_RANK] = {0}, from[REF_RANK];

	for (unsigned i = 0; i < x->rank; i++)
		dims[i] = x->dims[order[i]];
	ref_init(out, dims, x->rank);
	do {
		for (unsigned i = 0; i < x->rank; i++)
			from[order[i]] = at[i];
		*ref_at(out, at) = *ref_at(x, from);
	} while (ref_next(out, at));
}

void ref_slice(struct ref *out, const struct ref *x, const int64_t *begin, const int64_t *step, const int64_t *dims)
{
	int64_t at[REF_RANK] = {0}, from[REF_RANK];

	ref_init(out, dims, x->rank);
	if (out->count == 0)
		return;
	do {
		for (unsigned i = 0; i < x->rank; i++)
			from[i] = begin[i] + at[i] * step[i];
		*ref_at(out, at) = *ref_at(x, from);
	} while (ref_next(out, at));
}

void ref_place(struct ref *out, const struct ref *x, const int64_t *where)
{
	int64_t at[REF_RANK] = {0}, to[REF_RANK];

	if (x->count == 0)
		return;
	do {
		for (unsigned i = 0; i < x->rank; i++)
			to[i] = at[i] + where[i];
		*ref_at(out, to) = *ref_at(x, at);
	} while (ref_next(x, at));
}

void ref_gather(struct ref *out, const struct ref *x, const struct ref *indices, unsigned axis)
{
	int64_t dims[REF_RANK], at[REF_RANK] = {0}, from[REF_RANK];
	unsigned rank = 0;

	for (unsigned i = 0; i < axis; i++)
		dims[rank++] = x->dims[i];
	for (unsigned i = 0; i < indices->rank; i++)
		dims[rank++] = indices->dims[i];
	for (unsigned i = axis + 1; i < x->rank; i++)
		dims[rank++] = x->dims[i];
	ref_init(out, dims, rank);
	do {
		for (unsigned i = 0; i < axis; i++)
			from[i] = at[i];
		from[axis] = (int64_t)*ref_at(indices, at + axis);
		for (unsigned i = axis + 1; i < x->rank; i++)
			from[i] = at[i + indices->rank - 1];
		*ref_at(out, at) = *ref_at(x, from);
	} while (ref_next(out, at));
}
