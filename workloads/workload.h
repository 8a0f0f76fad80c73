/*
 * workload.h - what to ask a model server, and whether its answer can be right.
 *
 * A workload turns dataset rows into requests (named tensors as views of the row, nothing copied) and judges
 * answers. It knows neither servers nor clocks.
 */
#ifndef WORKLOADS_WORKLOAD_H
#define WORKLOADS_WORKLOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/error.h"

#define WORKLOAD_INPUTS_MAX 2
#define WORKLOAD_DIMS_MAX 4

enum element_type { ELEMENT_FLOAT32, ELEMENT_UINT8, ELEMENT_INT64 };

/* One input tensor of the model, the same for every request. */
struct workload_input {
	const char *name; /* "transaction", "reference", "image" */
	enum element_type type;
	unsigned ndims;
	int64_t dims[WORKLOAD_DIMS_MAX]; /* of one inference; dims[0] is multiplied by the tensor batch */
	size_t offset, size;             /* bytes within the dataset row */
	bool reference;                  /* kept in Redis and fetched by row id: not part of the request */
};

/* What a driver needs to know before the first request. */
struct workload_spec {
	const char *name; /* "creditcard-fraud" */
	size_t row_size;
	bool anonymous; /* rows carry no id: a request's keys are named after the worker that sends it */
	unsigned ninputs;
	struct workload_input inputs[WORKLOAD_INPUTS_MAX]; /* those of reference data last */
	const char *output;   /* name of the output tensor for servers that want one; per-model default */
	size_t output_values; /* float32 values per inference */
	/* Key prefixes of the reference data: "referenceTensor:", "referenceBLOB:", and where the row has it, whether
	 * or not the model is asked with it. NULL and 0: none. */
	const char *reference_tensor_prefix, *reference_blob_prefix;
	size_t reference_offset, reference_size;
};

/* One input of B rows, where they lie: row b's part is `size` bytes at data + b × stride. */
struct view {
	const void *data;
	size_t size, stride;
};

/* One request's content; borrowed by drivers until completion. */
struct request {
	uint64_t id;                             /* of the (first) row; names the reference data. See fill */
	unsigned inferences;                     /* tensor batch B: rows in this request */
	const void *rows;                        /* the B rows */
	struct view inputs[WORKLOAD_INPUTS_MAX]; /* reference inputs too, though drivers do not send them */
	void *owner;                             /* the runner's */
};

/* One answer: the output tensor's raw values, a view into the driver's slot until the slot's next submit. */
struct answer {
	enum element_type type;
	unsigned ndims; /* 0: the protocol did not say */
	int64_t dims[WORKLOAD_DIMS_MAX];
	const void *data;
	size_t size; /* bytes */
};

struct workload_config {
	bool reference; /* -enable-reference-data-redis */
	unsigned batch; /* rows a request, ≥ 1 */
};

struct workload;

struct workload_ops {
	const char *name, *short_name; /* either finds it; short_name may be NULL */
	int (*open)(struct workload **ret, const struct workload_config *cfg, struct error *err);
	const struct workload_spec *(*spec)(const struct workload *w);
	/* rows: `batch` rows one after the other. Views only; cannot fail. req->id is the first one's number in the
	 * dataset already, and is replaced where rows carry ids. */
	void (*fill)(const struct workload *w, const void *rows, struct request *req);
	/* The id of row b of a request that was filled: names its reference data and its expected answer. */
	uint64_t (*row_id)(const struct workload *w, const struct request *req, unsigned b);
	/* Judges the answer's form. 0, or ERR_WRONG with the reason in err (may be NULL). Must not allocate. */
	int (*check)(const struct workload *w, const struct request *req, const struct answer *a, struct error *err);
	void (*close)(struct workload *w);
};

/* NULL-terminated; the one list of workloads. */
extern const struct workload_ops *const workloads[];
const struct workload_ops *workload_find(const char *name);

#endif
