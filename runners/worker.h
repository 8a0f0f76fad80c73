/*
 * worker.h - one thread of a run: a driver instance, its slots, and the loop that keeps them busy.
 */
#ifndef RUNNERS_WORKER_H
#define RUNNERS_WORKER_H

#include <pthread.h>
#include <stdatomic.h>

#include "runners/arrival.h"
#include "runners/queries.h"
#include "runners/runner.h"
#include "runners/verifier.h"
#include "stats/recorder.h"
#include "workloads/dataset.h"

#define CACHE_LINE 64

/* What the threads of one run share. Only the atomics and what the mutex guards change while it runs. */
struct shared {
	const struct run_config *cfg;
	unsigned threads;
	struct workload *workload;
	struct dataset *dataset;
	bool guarded;              /* against a dataset that shrinks */
	uint64_t first_id;         /* of the dataset's first row */
	uint64_t requests;         /* numbers from here on are not sent; UINT64_MAX: until the dataset ends */
	uint64_t burn_in_requests; /* numbers below are the burn-in */
	uint64_t wanted;           /* numbers below are sent even after `until` */
	nsec_t start;
	nsec_t warm;  /* what is due before is the burn-in too */
	nsec_t until; /* what is due from here on is not sent; NSEC_NEVER: time is no limit */

	_Alignas(CACHE_LINE) _Atomic uint64_t numbers; /* closed loop: given out so far */
	_Alignas(CACHE_LINE) atomic_bool stop;
	_Alignas(CACHE_LINE) _Atomic uint64_t burn_in_left; /* requests without an answer yet */

	/* Off the measuring path: */
	_Alignas(CACHE_LINE) pthread_mutex_t lock;
	pthread_cond_t changed; /* on CLOCK_MONOTONIC */
	bool go, burn_in_done;
	unsigned finished;    /* threads */
	bool failed;          /* an error stopped the run */
	struct error error;   /* the one that stopped the run, or the first that was ignored */
	struct error timeout; /* the first time-out that was ignored */
	struct error wrong;   /* the first wrong answer */
};

/* Requests that the schedule wanted, whether they were sent or not. */
struct due_requests {
	uint64_t n;
	nsec_t first, last; /* NSEC_NEVER and 0: there were none */
};

/* The outstanding request of one slot. */
struct slot {
	struct request request;
	uint64_t number;
	nsec_t intended;
	bool burn_in;
	nsec_t idle_since; /* when the one before had been answered */
	nsec_t ready;      /* stamps.ready of this one */
};

/* Slot numbers, first in first out, so that all connections get their share. */
struct slot_queue {
	unsigned *items;
	unsigned mask, head, tail; /* tail - head are in it */
};

struct worker {
	_Alignas(CACHE_LINE) struct shared *shared;
	const struct driver_ops *ops;
	struct driver *driver;
	const struct workload_ops *workload_ops;
	struct arrival arrival;
	struct queries queries; /* zero but in a scenario */
	struct slot *slots;
	unsigned nslots, outstanding;
	struct slot_queue idle, paused; /* paused: reconnecting */
	struct completion *done;        /* what poll fills */
	int max_done;

	size_t prefetch;    /* bytes ahead */
	const void *rows;   /* of arrival_number, taken and not sent yet; NULL: not taken */
	bool ended;         /* nothing more is sent */
	bool dry;           /* the dataset has ended */
	bool over;          /* time or the schedule ended the run */
	bool starved;       /* the next rows have not come through the pipe yet */
	nsec_t setback;     /* worst delay of this thread's own since it was last abreast of the schedule */
	nsec_t retry_at;    /* when paused slots are tried again */
	nsec_t stopped_at;  /* by an interrupt or an error; NSEC_NEVER: was not */
	nsec_t drain_until; /* NSEC_NEVER: all answers are waited for */

	/* Read by the reporting thread while it runs (atomics inside): */
	struct recorder recorder;
	struct totals burned_in;
	/* Read once it has finished: */
	struct verifier verifier;
	struct due_requests due; /* the measured ones */
	uint64_t unsent;         /* due and never sent, those of the burn-in too */
	nsec_t last_sent;        /* 0: none was */
	nsec_t last_answer;      /* measured; 0: there was none */
	nsec_t end;
	uint64_t starvations;                   /* times that rows did not come through the pipe in time */
	struct thread_usage usage;              /* inferences is left out */
	bool has_wrong, has_error, has_timeout; /* its first text of each kind was handed in */
	pthread_t thread;
	bool running;
};

/* Opens the driver with nslots connections, the first of which is worker first_slot of the run. */
int worker_init(struct worker *w, struct shared *shared, unsigned nslots, unsigned first_slot,
		struct error *err) MUST_CHECK;
void worker_release(struct worker *w); /* the thread has ended; no-op on a zeroed struct */
/* arrival is set by the caller, before. Returns when everything it sent was answered or given up. */
void worker_run(struct worker *w);

/* Adds the burn-in's counts to *to while the worker goes on. */
void worker_add_burned_in(const struct worker *w, struct totals *to);

#endif
