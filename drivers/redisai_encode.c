/*
 * redisai_encode.c - one inference in RedisAI's commands, as AIBench words them.
 *
 * With reference data and a DAG (id 7, line breaks added):
 *
 *	AI.DAGRUN LOAD 1 referenceTensor:{7}
 *	|> AI.TENSORSET transactionTensor:{7} FLOAT 1 30 BLOB <120 bytes>
 *	|> AI.MODELRUN financialNet INPUTS transactionTensor:{7} referenceTensor:{7} OUTPUTS classificationTensor:{7}
 *	|> AI.TENSORGET classificationTensor:{7} BLOB
 *
 * Rows without ids, two images a tensor, no DAG, worker 3:
 *
 *	AI.TENSORSET imageTensor:{w3} FLOAT 2 224 224 3 BLOB <1204224 bytes>
 *	AI.MODELRUN mobilenet_v1_100_224_cpu INPUTS imageTensor:{w3} OUTPUTS classificationTensor:{w3}
 *	AI.TENSORGET classificationTensor:{w3} BLOB
 */
#include "drivers/redisai_encode.h"

#include <stdio.h>

#define KEY_TEXT_MAX 160

static const char *const type_names[] = {
	[ELEMENT_FLOAT32] = "FLOAT", [ELEMENT_UINT8] = "UINT8", [ELEMENT_INT64] = "INT64"};

unsigned redisai_references(const struct workload_spec *spec)
{
	unsigned n = 0;

	for (unsigned i = 0; i < spec->ninputs; i++)
		n += spec->inputs[i].reference;
	return n;
}

/* "transactionTensor:{7}", of worker 3 "imageTensor:{w3}"; with a tag t, "transactionTensor:{t}7" and
 * "imageTensor:{t}w3", so that slots of one shard stay apart. */
static void own_key(struct resp_template *t, const struct redisai_form *form, const char *name)
{
	char before[KEY_TEXT_MAX];

	snprintf(before, sizeof(before), "%sTensor:{%s%s%s", name, form->tag ? form->tag : "", form->tag ? "}" : "",
		 form->spec->anonymous ? "w" : "");
	resp_template_key(t, before, form->tag ? "" : "}");
}

static void reference_key(struct resp_template *t, const struct redisai_form *form)
{
	char before[KEY_TEXT_MAX];

	snprintf(before, sizeof(before), "%s{", form->spec->reference_tensor_prefix);
	resp_template_key(t, before, "}");
}

static void input_key(struct resp_template *t, const struct redisai_form *form, const struct workload_input *in)
{
	if (in->reference)
		reference_key(t, form);
	else
		own_key(t, form, in->name);
}

/* Starts a step: within a DAG by its separator, else as a command of its own. */
static void begin(struct resp_template *t, const struct redisai_form *form, size_t nargs, const char *command)
{
	if (form->dag)
		resp_template_arg(t, "|>");
	else
		resp_template_command(t, nargs);
	resp_template_arg(t, command);
}

static size_t tensorset_args(const struct workload_input *in)
{
	return 5 + (size_t)in->ndims; /* AI.TENSORSET key type dims… BLOB payload */
}

static size_t modelrun_args(const struct workload_spec *spec)
{
	return 5 + (size_t)spec->ninputs; /* AI.MODELRUN model INPUTS in… OUTPUTS out */
}

#define TENSORGET_ARGS 3 /* AI.TENSORGET out BLOB */

static void tensorset(struct resp_template *t, const struct redisai_form *form, const struct workload_input *in)
{
	begin(t, form, tensorset_args(in), "AI.TENSORSET");
	own_key(t, form, in->name);
	resp_template_arg(t, type_names[in->type]);
	for (unsigned i = 0; i < in->ndims; i++)
		resp_template_number(t, (uint64_t)in->dims[i] * (i == 0 ? form->batch : 1));
	resp_template_arg(t, "BLOB");
	resp_template_payload(t, in->size * form->batch);
}

static void modelrun(struct resp_template *t, const struct redisai_form *form)
{
	begin(t, form, modelrun_args(form->spec), "AI.MODELRUN");
	resp_template_arg(t, form->model);
	resp_template_arg(t, "INPUTS");
	for (unsigned i = 0; i < form->spec->ninputs; i++)
		input_key(t, form, &form->spec->inputs[i]);
	resp_template_arg(t, "OUTPUTS");
	own_key(t, form, "classification");
}

static void dagrun(struct resp_template *t, const struct redisai_form *form)
{
	const struct workload_spec *spec = form->spec;
	unsigned nreferences = redisai_references(spec);
	size_t nargs = 1 + modelrun_args(spec) + TENSORGET_ARGS + REDISAI_STEPS(spec);

	if (nreferences)
		nargs += 2 + nreferences;
	if (form->persist)
		nargs += 3; /* PERSIST 1 key */
	for (unsigned i = 0; i < spec->ninputs; i++)
		nargs += spec->inputs[i].reference ? 0 : tensorset_args(&spec->inputs[i]);
	resp_template_command(t, nargs);
	resp_template_arg(t, "AI.DAGRUN");
	if (nreferences) {
		resp_template_arg(t, "LOAD");
		resp_template_number(t, nreferences);
	}
	for (unsigned i = 0; i < nreferences; i++)
		reference_key(t, form);
	if (form->persist) {
		resp_template_arg(t, "PERSIST");
		resp_template_number(t, 1);
		own_key(t, form, "classification");
	}
}

int redisai_template(struct resp_template *t, const struct redisai_form *form)
{
	if (form->dag)
		dagrun(t, form);
	for (unsigned i = 0; i < form->spec->ninputs; i++) {
		if (!form->spec->inputs[i].reference)
			tensorset(t, form, &form->spec->inputs[i]);
	}
	modelrun(t, form);
	begin(t, form, TENSORGET_ARGS, "AI.TENSORGET");
	own_key(t, form, "classification");
	resp_template_arg(t, "BLOB");
	return resp_template_finish(t);
}
