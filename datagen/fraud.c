/*
 * fraud.c - transactions in, dataset rows out.
 */
#include "datagen/fraud.h"

#include <endian.h>
#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "common/file.h"
#include "common/rng.h"
#include "datagen/csv.h"
#include "datagen/synthetic.h"
#include "workloads/fraud.h"

#define BLOCK_ROWS 64 /* handed to the kernel at a time: large enough to make calls rare, small enough for L2 */

_Static_assert(SYNTHETIC_LINE_MAX <= FRAUD_ROW_SIZE, "a block holds as many lines as rows");

struct generator {
	const struct fraud_config *cfg;
	struct csv_reader *csv; /* NULL: synthetic */
	struct output_file out;
	struct fraud_summary done;
	uint64_t rows_this_pass;
	uint64_t next_written; /* id of the next row that this group writes */
	size_t used;           /* bytes of block */
	unsigned char block[BLOCK_ROWS * FRAUD_ROW_SIZE];
};

static void put_floats(unsigned char *dst, const float *values, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		uint32_t bits;

		memcpy(&bits, &values[i], sizeof(bits));
		bits = htole32(bits);
		memcpy(dst + i * sizeof(bits), &bits, sizeof(bits));
	}
}

void fraud_row(unsigned char *dst, uint64_t id, const float *features, uint64_t seed)
{
	uint64_t le_id = htole64(id);
	float references[FRAUD_REFERENCES];
	struct rng rng;

	rng_init_at(&rng, seed, id);
	rng_floats(&rng, references, FRAUD_REFERENCES);
	memcpy(dst, &le_id, sizeof(le_id));
	put_floats(dst + FRAUD_TRANSACTION_OFFSET, features, FRAUD_FEATURES);
	put_floats(dst + FRAUD_REFERENCE_OFFSET, references, FRAUD_REFERENCES);
}

static int flush_block(struct generator *g, struct error *err)
{
	const char *name = g->cfg->output ? g->cfg->output : "standard output";

	errno = 0;
	if (fwrite(g->block, 1, g->used, g->out.stream) != g->used) {
		if (errno == EPIPE)
			return error_set(err, ERR_CLOSED, "%s: its reader has gone away", name);
		return error_set_errno(err, ERR_IO, errno, "%s: cannot write", name);
	}
	g->used = 0;
	return 0;
}

/* 1: took the transaction of row `id`; features are only stored if `wanted`. 0: the input's end, for good. */
static int next_csv(struct generator *g, float *features, bool wanted, struct error *err)
{
	bool fraud;
	int rc;

	for (;;) {
		rc = wanted ? csv_next(g->csv, features, &fraud, err) : csv_skip(g->csv, err);
		if (rc < 0)
			return rc;
		if (rc > 0) {
			g->rows_this_pass++;
			return 1;
		}
		if (g->rows_this_pass == 0)
			return error_set(err, ERR_FORMAT, "%s: holds no transactions", g->cfg->input);
		if (g->cfg->max_transactions == 0)
			return 0;
		rc = csv_rewind(g->csv, err);
		if (rc < 0)
			return rc;
		g->rows_this_pass = 0;
		g->done.passes++;
	}
}

static void append_synthetic(struct generator *g, uint64_t id)
{
	struct synthetic_transaction t;
	float features[FRAUD_FEATURES];

	synthetic_transaction(&t, g->cfg->seed, id);
	if (g->cfg->format == FRAUD_FORMAT_CSV) {
		g->used += synthetic_csv_line((char *)g->block + g->used, &t);
		return;
	}
	synthetic_features(features, &t);
	fraud_row(g->block + g->used, id, features, g->cfg->seed);
	g->used += FRAUD_ROW_SIZE;
}

/* 1: row `id` is dealt with. 0: there is none. */
static int next_row(struct generator *g, uint64_t id, struct error *err)
{
	bool wanted = id == g->next_written;

	if (g->csv) {
		float features[FRAUD_FEATURES];
		int rc = next_csv(g, features, wanted, err);

		if (rc <= 0)
			return rc;
		if (wanted) {
			fraud_row(g->block + g->used, id, features, g->cfg->seed);
			g->used += FRAUD_ROW_SIZE;
		}
	} else if (wanted) {
		append_synthetic(g, id);
	}
	if (wanted) {
		g->done.written++;
		g->next_written += g->cfg->groups;
	}
	return 1;
}

static int write_rows(struct generator *g, struct error *err)
{
	uint64_t limit = g->cfg->max_transactions;
	int rc;

	if (limit == 0)
		limit = g->csv ? UINT64_MAX : SYNTHETIC_ROWS;
	if (g->cfg->format == FRAUD_FORMAT_CSV && g->cfg->group == 0) {
		g->used = strlen(synthetic_csv_header);
		memcpy(g->block, synthetic_csv_header, g->used);
	}
	for (uint64_t id = 0; id < limit; id++) {
		rc = next_row(g, id, err);
		if (rc < 0)
			return rc;
		if (rc == 0)
			break;
		g->done.transactions++;
		if (sizeof(g->block) - g->used >= FRAUD_ROW_SIZE)
			continue;
		rc = flush_block(g, err);
		if (rc < 0)
			return rc;
		if (g->cfg->stop && atomic_load(g->cfg->stop))
			return error_set(err, ERR_CANCELED, "interrupted; no output was kept");
	}
	return flush_block(g, err);
}

int fraud_generate(struct fraud_summary *ret, const struct fraud_config *cfg, struct error *err)
{
	struct generator g = {.cfg = cfg, .done.passes = 1, .next_written = cfg->group};
	int rc;

	if (cfg->groups == 0 || cfg->group >= cfg->groups)
		return error_set(err, ERR_RANGE, "group %llu of %llu groups: must be below their number",
				 (unsigned long long)cfg->group, (unsigned long long)cfg->groups);
	if (cfg->input && cfg->format == FRAUD_FORMAT_CSV)
		return error_set(err, ERR_INVALID,
				 "the csv format is for synthetic transactions, and %s is a CSV already", cfg->input);
	if (cfg->input) {
		rc = csv_open(&g.csv, cfg->input, err);
		if (rc < 0)
			return rc;
	}
	rc = file_create(&g.out, cfg->output, err);
	if (rc < 0)
		goto out;
	rc = write_rows(&g, err);
	if (rc < 0)
		goto out;
	rc = file_commit(&g.out, err);
	if (rc == 0)
		*ret = g.done;
out:
	file_abandon(&g.out);
	csv_close(g.csv);
	return rc;
}
