/*
 * The fraud nets through the module: AIBench's own against its expected answers, generated ones against a plain
 * implementation of the same layers.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/file.h"
#include "common/rng.h"
#include "datagen/model.h"
#include "tests/servers/redisai/harness.h"

#define TRANSACTION 30
#define REFERENCE 256
#define ROWS 200

static struct fixture f;

static int start(void **state)
{
	(void)state;
	fixture_start(&f, NULL, NULL);
	return 0;
}

static int stop(void **state)
{
	(void)state;
	fixture_stop(&f);
	return 0;
}

/* The two probabilities of the DAG's last operation, which shows them as a blob. */
static void classify(const char *line, float *ret)
{
	const struct resp_node *r;
	struct error err;
	size_t n;

	send_line(f.client, line);
	if (redis_client_receive(f.client, &r, &n, &err) < 0)
		fail_msg("%s", err.text);
	if (r[n - 1].type != RESP_STRING || r[n - 1].len != 2 * sizeof(float))
		fail_msg("answered %.*s", (int)r[n - 1].len, r[n - 1].data);
	memcpy(ret, r[n - 1].data, 2 * sizeof(float));
}

static void expect_close(const float *got, const double *want, unsigned row)
{
	for (int i = 0; i < 2; i++) {
		if (fabs((double)got[i] - want[i]) > 1e-5 * want[i] + 1e-7)
			fail_msg("row %u: %.9g instead of %.9g", row, (double)got[i], want[i]);
	}
}

/* One line of Kaggle's file: 30 numbers and a quoted class. */
static bool parse_row(char **at, float *ret)
{
	char *p = *at;

	for (int i = 0; i < TRANSACTION; i++) {
		char *end;

		ret[i] = strtof(p, &end);
		if (end == p || *end != ',')
			return false;
		p = end + 1;
	}
	p = strchr(p, '\n');
	*at = p ? p + 1 : strchr(*at, '\0');
	return true;
}

static void aibenchs_net_answers_as_expected(void **state)
{
	char path[4096], *rows, *golden, *row_at, *golden_at, *model;
	float transaction[TRANSACTION], got[2];
	size_t rows_len, golden_len, model_len;
	struct error err;
	unsigned n = 0;

	(void)state;
	if (!test_data(path, sizeof(path), "models/tensorflow/creditcardfraud_noreference.pb"))
		skip();
	assert_int_equal(file_read(&model, &model_len, path, 1 << 20, &err), 0);
	assert_non_null(test_data(path, sizeof(path), "creditcard/creditcard_sample.csv"));
	assert_int_equal(file_read(&rows, &rows_len, path, 1 << 28, &err), 0);
	assert_non_null(test_data(path, sizeof(path), "golden/creditcardfraud_noreference_expected.csv"));
	assert_int_equal(file_read(&golden, &golden_len, path, 1 << 28, &err), 0);
	define("$FRAUD", model, model_len);
	define("$ROW", transaction, sizeof(transaction));
	expect(f.client, "AI.MODELSTORE fraud TF CPU INPUTS 1 transaction OUTPUTS 1 out BLOB $FRAUD", "+OK");
	row_at = strchr(rows, '\n') + 1;
	golden_at = strchr(golden, '\n') + 1;
	while (*row_at && parse_row(&row_at, transaction)) {
		double want[2];

		want[0] = strtod(golden_at, &golden_at);
		want[1] = strtod(golden_at + 1, &golden_at);
		golden_at += strspn(golden_at, "\r\n");
		classify("AI.DAGRUN ROUTING r |> AI.TENSORSET t FLOAT 1 30 BLOB $ROW |> AI.MODELRUN fraud INPUTS t "
			 "OUTPUTS "
			 "c |> AI.TENSORGET c BLOB",
			 got);
		expect_close(got, want, n++);
	}
	assert_int_equal(n, 5622);
	free(rows);
	free(golden);
	free(model);
}

/* The same layers in doubles, one value after the other. */
static void plain_net(const struct fraud_net *net, const float *in, double *ret)
{
	double values[TRANSACTION + REFERENCE], next[64], sum;
	unsigned n = net->layers[0].inputs;

	for (unsigned i = 0; i < n; i++)
		values[i] = (double)in[i];
	for (unsigned l = 0; l < FRAUD_NET_LAYERS; l++) {
		const struct fraud_layer *layer = &net->layers[l];

		for (unsigned o = 0; o < layer->outputs; o++) {
			sum = (double)layer->bias[o];
			for (unsigned i = 0; i < layer->inputs; i++)
				sum += values[i] * (double)layer->weights[i * layer->outputs + o];
			next[o] = l + 1 < FRAUD_NET_LAYERS ? 1 / (1 + exp(-sum)) : exp(sum);
		}
		memcpy(values, next, layer->outputs * sizeof(*next));
	}
	ret[0] = values[0] / (values[0] + values[1]);
	ret[1] = values[1] / (values[0] + values[1]);
}

static void check_generated(bool reference, const char *store, const char *run)
{
	static struct fraud_net net;
	float in[TRANSACTION + REFERENCE], got[2];
	unsigned char *model;
	double want[2];
	struct error err;
	struct rng rng;
	size_t len;

	fraud_net_init(&net, reference, 12345);
	assert_int_equal(model_format_tensorflow.write_fraud(&model, &len, &net, &err), 0);
	define("$FRAUD", model, len);
	define("$ROW", in, TRANSACTION * sizeof(float));
	define("$REFERENCE", in + TRANSACTION, REFERENCE * sizeof(float));
	expect(f.client, store, "+OK");
	rng_init(&rng, 1);
	for (unsigned row = 0; row < ROWS; row++) {
		for (unsigned i = 0; i < TRANSACTION + REFERENCE; i++)
			in[i] = i < TRANSACTION ? (float)rng_normal(&rng) : rng_float(&rng);
		if (reference)
			expect(f.client, "AI.TENSORSET reference FLOAT 1 256 BLOB $REFERENCE", "+OK");
		classify(run, got);
		plain_net(&net, in, want);
		expect_close(got, want, row);
	}
	free(model);
}

static void generated_net_agrees_with_plain_code(void **state)
{
	(void)state;
	check_generated(
		false, "AI.MODELSTORE g TF CPU INPUTS 1 transaction OUTPUTS 1 out BLOB $FRAUD",
		"AI.DAGRUN ROUTING r |> AI.TENSORSET t FLOAT 1 30 BLOB $ROW |> AI.MODELRUN g INPUTS t OUTPUTS c |> "
		"AI.TENSORGET c BLOB");
}

static void generated_net_with_reference_agrees_with_plain_code(void **state)
{
	(void)state;
	check_generated(true, "AI.MODELSTORE h TF CPU INPUTS 2 transaction reference OUTPUTS 1 output BLOB $FRAUD",
			"AI.DAGRUN LOAD 1 reference |> AI.TENSORSET t FLOAT 1 30 BLOB $ROW |> AI.MODELRUN h INPUTS t "
			"reference OUTPUTS c |> AI.TENSORGET c BLOB");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(aibenchs_net_answers_as_expected),
		cmocka_unit_test(generated_net_agrees_with_plain_code),
		cmocka_unit_test(generated_net_with_reference_agrees_with_plain_code),
	};

	return cmocka_run_group_tests(tests, start, stop);
}
