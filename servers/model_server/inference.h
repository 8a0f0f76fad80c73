/*
 * inference.h - one request to a model: inputs by name, the run, the outputs, and its times.
 *
 *	inference_new(&inf, model, DIALECT_TRITON)   takes over the reference of repository_acquire
 *	inference_find(inf, name, …) → i             for each input of the request: is there such a one, of this type,
 *	inference_set(inf, i, tensor)                of this shape? Then its tensor
 *	if (inference_run(inf)) answer(inf);         done here: the model is known to be quick, or the inputs are wrong
 *	else …                                       inf->done(inf) comes later, on a worker thread of the queue
 *	inference_free(inf)                          after the answer was encoded: counts the request
 *
 * Errors are told in the words of the dialect's server; result holds what went wrong first:
 *	ERR_INVALID      an input is unknown, missing, given twice, or of the wrong type or shape
 *	ERR_TIMEOUT      the deadline came first
 *	ERR_UNSUPPORTED, ERR_NOMEM, ERR_CANCELED (the server stops), others: the run failed
 */
#ifndef SERVERS_MODEL_SERVER_INFERENCE_H
#define SERVERS_MODEL_SERVER_INFERENCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/clock.h"
#include "common/error.h"
#include "engine/queue.h"
#include "engine/tensor.h"
#include "servers/model_server/repository.h"
#include "servers/model_server/served_model.h"

struct inference {
	struct served_model *model;
	/* Set by the caller before inference_run: */
	void (*done)(struct inference *inf); /* not called when inference_run answers true */
	void *arg;
	nsec_t received; /* monotonic, when decoding began; inference_new sets it to now */
	nsec_t deadline; /* monotonic; 0: none */
	/* Once it has run: */
	int result;          /* 0 or a negative error; an answer that cannot be encoded may set it, too */
	struct error error;  /* of result */
	struct tensor **out; /* model->noutputs, owned by the inference; NULLs unless result is 0 */
	/* private: */
	enum dialect dialect;
	size_t nset;
	struct tensor **in; /* model->ninputs; NULL: not set */
	struct job job;
};

/* ERR_NOMEM; the model is the caller's again then. */
int inference_new(struct inference **ret, struct served_model *model, enum dialect d) MUST_CHECK;

/*
 * The index of an input that may be set to a tensor like this: known, not set yet, of this type and of a shape that
 * suits the declared one. A shape of another rank is left to the run where config.pbtxt declares none: TensorFlow takes
 * it where the graph does, and AIBench's fraud net is called like that. Of a model with a max_batch_size, Triton's
 * requests have the batch in front, from 1 to that, the same in all inputs. ERR_INVALID, which is also the inference's
 * result then.
 */
int inference_find(struct inference *inf, const char *name, size_t len, enum dtype dtype, const int64_t *dims,
		   unsigned rank) MUST_CHECK;
/* Takes the tensor over. index: of inference_find. */
void inference_set(struct inference *inf, size_t index, struct tensor *t);

/* True: finished, result and out are there. False: done will be called, maybe before this returns. */
bool inference_run(struct inference *inf) MUST_CHECK;

/* Counts the request in the model's counters and gives everything back. NULL is a no-op. */
void inference_free(struct inference *inf);

#endif
