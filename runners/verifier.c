/*
 * verifier.c - from request and answer to rows that are compared, and counts.
 */
#include "runners/verifier.h"

#include <math.h>

#include "common/rng.h"

/* Apart from the arrivals' and the row order's streams of the same seed. */
#define SEED_OF_SAMPLE UINT64_C(0x7665726966790000)

void verifier_init(struct verifier *v, const struct verify_config *cfg, const struct workload_ops *ops,
		   const struct workload *workload, uint64_t seed)
{
	*v = (struct verifier){
		.cfg = cfg,
		.ops = ops,
		.workload = workload,
		.seed = seed ^ SEED_OF_SAMPLE,
		.found = {.show = cfg->show},
	};
}

bool verifier_samples(const struct verifier *v, uint64_t number)
{
	struct rng rng;

	if (v->cfg->share >= 1)
		return true;
	rng_init_at(&rng, v->seed, number);
	return rng_double(&rng) < v->cfg->share;
}

static int another_count(struct verifier *v, struct mismatch *m, size_t got, size_t expected, struct error *err)
{
	v->found.compared++;
	v->found.wrong++;
	m->count = true;
	m->got = (float)got;
	m->expected = (float)expected;
	verification_note(&v->found, m);
	return error_set(err, ERR_WRONG, "row %ju: %zu values, expected %zu", (uintmax_t)m->row, got, expected);
}

static int check_row(struct verifier *v, uint64_t number, uint64_t id, const void *got, size_t values,
		     struct error *err)
{
	struct mismatch m = {.request = number, .row = id};
	size_t wanted = answers_values(v->cfg->answers);
	struct value_difference worst;
	const float *expected;

	expected = answers_row(v->cfg->answers, id, wanted ? wanted : values);
	if (!expected) {
		v->found.missing++;
		return 0;
	}
	if (wanted && wanted != values)
		return another_count(v, &m, values, wanted, err);
	v->found.compared++;
	v->found.same_class += values_largest(got, values) == values_largest(expected, values);
	if (values_agree(got, expected, values, &v->cfg->tolerance, &v->found.largest_difference))
		return 0;
	v->found.wrong++;
	values_find_worst(&worst, got, expected, values);
	m.value = (uint32_t)worst.index;
	m.got = worst.got;
	m.expected = worst.expected;
	verification_note(&v->found, &m);
	return error_set(err, ERR_WRONG, "row %ju: value %zu is %.9g, expected %.9g", (uintmax_t)id, worst.index,
			 (double)worst.got, (double)worst.expected);
}

int verifier_check(struct verifier *v, uint64_t number, const struct request *req, const struct answer *a,
		   struct error *err)
{
	size_t row_size = a->size / req->inferences, values = row_size / sizeof(float);
	int r = 0;

	v->found.answers += req->inferences;
	if (values == 0 || !verifier_samples(v, number))
		return 0;
	for (unsigned b = 0; b < req->inferences; b++) {
		int e = check_row(v, number, v->ops->row_id(v->workload, req, b), (const char *)a->data + b * row_size,
				  values, r == 0 ? err : NULL);

		if (e < 0)
			r = e;
	}
	return r;
}
