/*
 * queue.h - one queue a device: jobs go in from any thread, worker threads run them, done() hands them back.
 *
 * Time-outs are judged when a job is taken from the queue (a run is never interrupted). Jobs of the same model may be
 * joined to a batch along axis 0 as their struct batching says.
 */
#ifndef ENGINE_QUEUE_H
#define ENGINE_QUEUE_H

#include <stdbool.h>
#include <stdint.h>

#include "common/clock.h"
#include "common/error.h"
#include "engine/model.h"

/* RedisAI's BATCHSIZE, MINBATCHSIZE, MINBATCHTIMEOUT; all 0: every job runs alone. */
struct batching {
	uint64_t size, min_size;
	nsec_t min_timeout;
};

struct job {
	/* Set by the submitter, untouched until done(): */
	struct model *model;
	int (*run)(struct job *job); /* in place of a model, which is NULL: runs alone, error as model_run leaves it */
	struct batching batching;
	struct tensor *const *in;
	size_t nin;
	struct tensor **out; /* receives new references */
	size_t nout;
	const struct allocator *allocator;
	nsec_t deadline;               /* monotonic; 0: none */
	void (*done)(struct job *job); /* on a worker thread (or in queue_cancel's); owns the job again */
	/* Set before done(): */
	int result; /* 0, ERR_TIMEOUT, ERR_CANCELED, ERR_WRONG (batch size not kept), or what model_run returned */
	struct error error;
	nsec_t submitted, started, finished;
	uint64_t batch; /* rows (dim 0) of the run that this job was part of */
	bool joined;    /* to the run of another job, the one of the batch that has this false */
	/* private: */
	struct job *next;
};

struct queue;

struct queue_config {
	const char *name;  /* of the device, "CPU"; threads are named after it */
	unsigned threads;  /* ≥ 1 */
	unsigned intra_op; /* threads a large operator may use; 0: 1 */
	uint64_t seed;     /* of the workers' contexts: each gets its own from it */
};

int queue_new(struct queue **ret, const struct queue_config *cfg, struct error *err) MUST_CHECK;
/* Cancels what waits, lets what runs finish, joins the threads. */
void queue_free(struct queue *q);
/* Never blocks for long and never fails: the job's memory is the caller's. */
void queue_submit(struct queue *q, struct job *job);
/* Waiting jobs of model end with ERR_CANCELED. Running ones are not touched. */
void queue_cancel(struct queue *q, const struct model *model);
/* Drops the workers' contexts of model (blocks until no worker uses it): call before model_free. */
void queue_forget(struct queue *q, struct model *model);
/* CPU time of worker thread i so far, nanoseconds (ai_cpu). */
nsec_t queue_cpu_time(const struct queue *q, unsigned thread);
unsigned queue_threads(const struct queue *q);
/* For a thread of the host's that runs models itself, as the workers do it for theirs: its large operators take so
 * many threads (0: 1), not one a core as OpenMP has it. */
void queue_set_intra_op(unsigned threads);

#endif
