/*
 * aibench_generate_model - writes the models of a use case with seeded weights, so that nothing needs downloading.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd/common.h"
#include "common/arith.h"
#include "common/file.h"
#include "common/options.h"
#include "datagen/model.h"

#define PROGRAM "aibench_generate_model"

struct config {
	const char *model, *use_case, *format, *output_file;
	bool reference;
	double width;
	int64_t seed, resolution, batch;
};

static const struct option table[] = {
	{"model", OPTION_STRING, offsetof(struct config, model),
	 "Model to write: `fraud` (input transaction and reference, output \"output\"), fraud-noreference (input "
	 "transaction, output \"out\") or mobilenet-v1 (input \"input\", output "
	 "\"" MOBILENET_OUTPUT "\"); none: as -use-case and -reference say.",
	 0, 0},
	{"use-case", OPTION_STRING, offsetof(struct config, use_case),
	 "Use case of the model: `creditcard-fraud` or vision-image-classification. -model decides where it is given.",
	 0, 0},
	{"reference", OPTION_BOOL, offsetof(struct config, reference),
	 "The fraud net with reference data; false: the one without. -model decides where it is given.", 0, 0},
	{"format", OPTION_STRING, offsetof(struct config, format),
	 "File format: `tensorflow` (frozen GraphDef), tflite or onnx (mobilenet-v1 only).", 0, 0},
	{"width", OPTION_DOUBLE, offsetof(struct config, width),
	 "mobilenet-v1: width `multiplier` of all layers, above 0.", 0, MOBILENET_WIDTH_MAX},
	{"resolution", OPTION_INT, offsetof(struct config, resolution),
	 "mobilenet-v1: height and width of its pictures, in `pixels`.", 1, MOBILENET_RESOLUTION_MAX},
	{"batch", OPTION_INT, offsetof(struct config, batch),
	 "mobilenet-v1: first dimension of its input and output; `-1`: free.", -1, INT32_MAX},
	{"seed", OPTION_INT, offsetof(struct config, seed), "Seed of the weights; the same seed makes the same bytes.",
	 0, 0},
	{"output-file", OPTION_PATH, offsetof(struct config, output_file), "`file` to write; none: standard output.", 0,
	 0},
	{0},
};

enum net { NET_FRAUD, NET_FRAUD_NOREFERENCE, NET_MOBILENET };

static int choose_net(enum net *ret, const struct config *c, struct error *err)
{
	static const char *const names[] = {
		[NET_FRAUD] = "fraud", [NET_FRAUD_NOREFERENCE] = "fraud-noreference", [NET_MOBILENET] = "mobilenet-v1"};

	for (unsigned i = 0; i < ARRAY_LEN(names); i++) {
		if (strcmp(c->model, names[i]) == 0) {
			*ret = (enum net)i;
			return 0;
		}
	}
	if (c->model[0])
		return error_set(err, ERR_USAGE, "-model %s: must be fraud, fraud-noreference or mobilenet-v1",
				 c->model);
	if (strcmp(c->use_case, "vision-image-classification") == 0)
		*ret = NET_MOBILENET;
	else if (strcmp(c->use_case, "creditcard-fraud") == 0)
		*ret = c->reference ? NET_FRAUD : NET_FRAUD_NOREFERENCE;
	else
		return error_set(err, ERR_USAGE,
				 "-use-case %s: must be creditcard-fraud or vision-image-classification", c->use_case);
	return 0;
}

static int write_fraud(unsigned char **ret, size_t *ret_len, const struct config *c, bool reference,
		       const struct model_format *format, struct error *err)
{
	struct fraud_net net;

	if (format->write_fraud == NULL)
		return error_set(err, ERR_USAGE, "-format %s: the fraud nets are written as tensorflow only",
				 format->name);
	fraud_net_init(&net, reference, (uint64_t)c->seed);
	return format->write_fraud(ret, ret_len, &net, err);
}

static int write_mobilenet(unsigned char **ret, size_t *ret_len, const struct config *c,
			   const struct model_format *format, struct error *err)
{
	const struct mobilenet_config cfg = {
		.width = c->width,
		.resolution = (unsigned)c->resolution,
		.batch = c->batch,
		.seed = (uint64_t)c->seed,
	};
	struct mobilenet *net;

	if (!(c->width > 0.0))
		return error_set(err, ERR_USAGE, "-width %g: must be above 0", c->width);
	if (c->batch == 0)
		return error_set(err, ERR_USAGE, "-batch 0: must be positive, or -1 for one that is free");
	int r = mobilenet_new(&net, &cfg, err);
	if (r < 0)
		return r;
	r = format->write_mobilenet(ret, ret_len, net, err);
	mobilenet_free(net);
	return r;
}

static int write_model(void *config, struct error *err)
{
	const struct config *c = config;
	const struct model_format *format = model_format_find(c->format);
	unsigned char *bytes = NULL;
	size_t len;
	enum net net;
	int rc = choose_net(&net, c, err);

	catch_signals();
	if (rc < 0)
		return rc;
	if (!format)
		return error_set(err, ERR_USAGE, "-format %s: must be tensorflow, tflite or onnx", c->format);
	if (!c->output_file[0] && isatty(STDOUT_FILENO))
		return error_set(err, ERR_USAGE, "a model is no text for a terminal: name a file with -output-file");
	if (net == NET_MOBILENET)
		rc = write_mobilenet(&bytes, &len, c, format, err);
	else
		rc = write_fraud(&bytes, &len, c, net == NET_FRAUD, format, err);
	if (rc == 0)
		rc = file_write(c->output_file[0] ? c->output_file : NULL, bytes, len, err);
	free(bytes);
	return rc;
}

int main(int argc, char **argv)
{
	struct config config = {.model = "",
				.use_case = "creditcard-fraud",
				.format = "tensorflow",
				.output_file = "",
				.reference = true,
				.width = 1.0,
				.resolution = 224,
				.batch = -1};
	const struct option_set sets[] = {{table, &config}};
	struct options options = {
		.program = PROGRAM,
		.synopsis = "Writes a model of a use case with seeded weights.",
		.sets = sets,
		.nsets = 1,
	};

	return program_main(&options, argc, argv, write_model, &config);
}
