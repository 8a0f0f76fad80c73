/*
 * worker.c - the loop: send what is due, wait for answers or the next arrival, judge, record. A request costs it a
 * few dozen nanoseconds beside the driver's own work.
 */
#include "runners/worker.h"

#include <stdlib.h>
#include <string.h>

#include "runners/sigbus.h"

#define COMPLETIONS_MAX 64
/* How far ahead a row is brought into the cache: a request's time here is less than that of main memory. */
#define PREFETCH_REQUESTS 8
/* Nothing waits longer than this, so that a stop is seen. */
#define TICK (50 * NSEC_PER_MSEC)
#define RETRY_PAUSED NSEC_PER_MSEC
#define RETRY_STARVED (200 * NSEC_PER_USEC)
/* What a sleep to a deadline may oversleep by: with -spin, this much is spent looking instead. */
#define SPIN_WINDOW (100 * NSEC_PER_USEC)

static void queue_push(struct slot_queue *q, unsigned slot)
{
	q->items[q->tail++ & q->mask] = slot;
}

static unsigned queue_pop(struct slot_queue *q)
{
	return q->items[q->head++ & q->mask];
}

static unsigned queue_length(const struct slot_queue *q)
{
	return q->tail - q->head;
}

static int queue_init(struct slot_queue *q, unsigned slots)
{
	unsigned size = 1;

	while (size < slots)
		size *= 2;
	q->items = calloc(size, sizeof(*q->items));
	q->mask = size - 1;
	return q->items ? 0 : ERR_NOMEM;
}

void worker_add_burned_in(const struct worker *w, struct totals *to)
{
	for (int o = 0; o < OUTCOME_MAX; o++) {
		to->requests[o] += __atomic_load_n(&w->burned_in.requests[o], __ATOMIC_RELAXED);
		to->inferences[o] += __atomic_load_n(&w->burned_in.inferences[o], __ATOMIC_RELAXED);
	}
}

/* The first text of each kind is kept for the report; one lock a thread and kind. */
static void hand_in(struct worker *w, bool *handed_in, struct error *where, const char *text)
{
	if (*handed_in)
		return;
	*handed_in = true;
	pthread_mutex_lock(&w->shared->lock);
	if (!where->text[0])
		error_set(where, ERR_SERVER, "%s", text && *text ? text : "no reason given");
	pthread_mutex_unlock(&w->shared->lock);
}

/* Ends the run of all threads, with the reason. */
static void fail_run(struct worker *w, const char *text)
{
	struct shared *s = w->shared;

	pthread_mutex_lock(&s->lock);
	if (!s->failed) {
		s->failed = true;
		error_set(&s->error, ERR_SERVER, "%s", text && *text ? text : "no reason given");
	}
	pthread_mutex_unlock(&s->lock);
	atomic_store(&s->stop, true);
}

/* o: OUTCOME_ERROR or OUTCOME_TIMEOUT. request: what it was about, so that the user finds the row; NULL: nothing in
 * particular. */
static void count_error(struct worker *w, enum outcome o, const struct request *request, const char *text)
{
	struct shared *s = w->shared;
	bool ignored = s->cfg->ignore_errors, timeout = o == OUTCOME_TIMEOUT;
	bool *handed_in = timeout ? &w->has_timeout : &w->has_error;
	struct error named;

	if (ignored && *handed_in)
		return;
	if (request) {
		error_set(&named, ERR_SERVER, "row %ju: %s", (uintmax_t)request->id,
			  text && *text ? text : "no reason given");
		text = named.text;
	}
	if (ignored)
		hand_in(w, handed_in, timeout ? &s->timeout : &s->error, text);
	else
		fail_run(w, text);
}

static void count_burn_in(struct worker *w, uint64_t number, enum outcome o, unsigned inferences)
{
	struct shared *s = w->shared;

	relaxed_add(&w->burned_in.requests[o], 1);
	relaxed_add(&w->burned_in.inferences[o], inferences);
	if (number < s->burn_in_requests && atomic_fetch_sub(&s->burn_in_left, 1) == 1) {
		pthread_mutex_lock(&s->lock);
		s->burn_in_done = true;
		pthread_cond_broadcast(&s->changed);
		pthread_mutex_unlock(&s->lock);
	}
}

static void count_request(struct worker *w, const struct slot *slot, const struct stamps *stamps, enum outcome o)
{
	unsigned inferences = w->shared->cfg->what.batch;

	if (slot->burn_in) {
		count_burn_in(w, slot->number, o, inferences);
		return;
	}
	recorder_record(&w->recorder, stamps, o, inferences);
	w->last_answer = stamps->received;
}

/* The slot is the next arrival's, which was due then. */
static void begin_slot(const struct worker *w, struct slot *slot, nsec_t due)
{
	slot->number = arrival_number(&w->arrival);
	slot->intended = due;
	slot->burn_in = slot->number < w->shared->burn_in_requests || due < w->shared->warm;
}

/* The arrival was sent, or is known not to be: on to the next. */
static void count_due(struct worker *w, const struct slot *slot)
{
	w->rows = NULL;
	arrival_advance(&w->arrival);
	if (slot->burn_in)
		return;
	w->due.n++;
	w->due.first = nsec_earlier(w->due.first, slot->intended);
	w->due.last = slot->intended;
}

/* Keeps the answer to each row of the request, of a recording run. */
static void record_answer(struct worker *w, const struct completion *c)
{
	struct answers_writer *record = w->shared->cfg->record;
	size_t size = c->answer.size / c->request->inferences;

	for (unsigned b = 0; b < c->request->inferences; b++) {
		uint64_t id = w->workload_ops->row_id(w->shared->workload, c->request, b);

		if (answers_writer_put(record, id, (const char *)c->answer.data + b * size, size / sizeof(float)) < 0)
			fail_run(w, "out of memory for the answers to record");
	}
}

static enum outcome judge(struct worker *w, const struct completion *c, uint64_t number)
{
	const struct run_config *cfg = w->shared->cfg;
	struct error why, *text = w->has_wrong ? NULL : &why; /* only the first is told */
	int r;

	why.text[0] = '\0';
	if (c->outcome != OUTCOME_OK)
		return c->outcome;
	r = w->workload_ops->check(w->shared->workload, c->request, &c->answer, text);
	if (r == 0 && cfg->verify.answers)
		r = verifier_check(&w->verifier, number, c->request, &c->answer, text);
	if (cfg->record && (r == 0 || cfg->record_wrong))
		record_answer(w, c);
	if (r == 0)
		return OUTCOME_OK;
	hand_in(w, &w->has_wrong, &w->shared->wrong, why.text);
	return OUTCOME_WRONG;
}

static void finish(struct worker *w, struct completion *c)
{
	struct slot *slot = &w->slots[c->slot];
	const struct run_observer *observer = &w->shared->cfg->observer;
	enum outcome o = judge(w, c, slot->number);

	c->stamps.intended = w->arrival.process == ARRIVAL_CLOSED ? c->stamps.sent : slot->intended;
	c->stamps.ready = slot->ready;
	count_request(w, slot, &c->stamps, o);
	queries_finished(&w->queries, slot->intended, c->stamps.received);
	if (observer->response)
		observer->response(observer->arg, c, o);
	if (o == OUTCOME_ERROR || o == OUTCOME_TIMEOUT)
		count_error(w, o, c->request, c->text);
	dataset_give(w->shared->dataset, slot->number);
	w->outstanding--;
	slot->idle_since = c->stamps.received;
	queue_push(&w->idle, c->slot);
}

/* Enough was sent for time to end the run, or nothing more is ever due. */
static bool has_enough(const struct worker *w)
{
	return arrival_next(&w->arrival) == NSEC_NEVER || arrival_has_reached(&w->arrival, w->shared->wanted);
}

/* The next arrival is due after the end of a run that time or its schedule limits. */
static bool is_over(const struct worker *w, nsec_t now)
{
	nsec_t due = w->arrival.process == ARRIVAL_CLOSED ? now : arrival_next(&w->arrival);

	return due >= w->shared->until && has_enough(w);
}

/* Rows of the next arrival into w->rows. False: not now, or no more. */
static bool take_rows(struct worker *w)
{
	struct shared *s = w->shared;
	uint64_t number;
	struct error err;
	int r;

	arrival_prepare(&w->arrival, queue_length(&w->idle));
	number = arrival_number(&w->arrival);
	if (number >= s->requests) {
		w->ended = true;
		return false;
	}
	r = dataset_take(s->dataset, number, &w->rows, &err);
	w->starvations += r == ERR_AGAIN && !w->starved;
	w->starved = r == ERR_AGAIN;
	if (r == 0) {
		/* Numbers mostly go on in order, and nothing is lost where they do not. */
		__builtin_prefetch((const char *)w->rows + w->prefetch);
		return true;
	}
	w->rows = NULL;
	if (r == ERR_NOT_FOUND)
		w->ended = w->dry = true;
	else if (r != ERR_AGAIN)
		fail_run(w, err.text);
	return false;
}

/* When the slot would have become idle had this thread been punctual: arrivals that piled up while it was late wait for
 * each other's slots, and that is its doing too. */
static void set_ready(struct worker *w, struct slot *slot, nsec_t now)
{
	nsec_t possible = slot->idle_since > slot->intended ? slot->idle_since : slot->intended;

	slot->ready = slot->idle_since - w->setback;
	if (now - possible > w->setback)
		w->setback = now - possible;
}

/* Tries the taken rows on the next idle slot. False: the run failed. */
static bool send_rows(struct worker *w, nsec_t now)
{
	const struct shared *s = w->shared;
	unsigned index = queue_pop(&w->idle);
	struct slot *slot = &w->slots[index];
	int r;

	begin_slot(w, slot, w->arrival.process == ARRIVAL_CLOSED ? now : arrival_next(&w->arrival));
	slot->request.id = dataset_batch_at(s->dataset, slot->number) * s->cfg->what.batch;
	w->workload_ops->fill(s->workload, w->rows, &slot->request);
	set_ready(w, slot, now);
	r = w->ops->submit(w->driver, index, &slot->request, now);
	if (r == 0) {
		w->last_sent = now;
		slot->intended = queries_sent(&w->queries, now, slot->intended);
		w->outstanding++;
		count_due(w, slot);
		return true;
	}
	if (r == ERR_AGAIN) {
		if (queue_length(&w->paused) == 0)
			w->retry_at = now + RETRY_PAUSED;
		queue_push(&w->paused, index);
		return true;
	}
	queue_push(&w->idle, index);
	fail_run(w, error_message(r));
	return false;
}

/* No connection is up: what is due now finds nobody to ask, and is an error rather than forgotten. */
static void count_unreachable(struct worker *w, nsec_t now)
{
	static const char text[] = "no connection to the server is up";

	while (arrival_next(&w->arrival) <= now && !is_over(w, now) && (w->rows || take_rows(w))) {
		struct stamps stamps = {.intended = arrival_next(&w->arrival), .sent = now, .received = now};
		struct slot nobody;

		begin_slot(w, &nobody, stamps.intended);
		count_request(w, &nobody, &stamps, OUTCOME_ERROR);
		dataset_give(w->shared->dataset, nobody.number);
		count_due(w, &nobody);
		count_error(w, OUTCOME_ERROR, NULL, text);
		if (atomic_load_explicit(&w->shared->stop, memory_order_relaxed))
			return;
	}
}

static nsec_t send_due(struct worker *w, nsec_t now)
{
	if (queue_length(&w->paused) > 0 && now >= w->retry_at) {
		for (unsigned n = queue_length(&w->paused); n > 0; n--) {
			unsigned slot = queue_pop(&w->paused);

			w->slots[slot].idle_since = now;
			queue_push(&w->idle, slot);
		}
	}
	while (queue_length(&w->idle) > 0 && queries_may_send(&w->queries)) {
		if (is_over(w, now)) {
			w->ended = w->over = true;
			break;
		}
		if (arrival_next(&w->arrival) > now) {
			now = clock_now();
			if (arrival_next(&w->arrival) > now) {
				w->setback = 0;
				break;
			}
		}
		if ((!w->rows && !take_rows(w)) || !send_rows(w, now))
			break;
		now = clock_now();
	}
	w->ended = w->ended || queries_ended(&w->queries);
	if (queue_length(&w->paused) == w->nslots && w->arrival.process != ARRIVAL_CLOSED)
		count_unreachable(w, now);
	return now;
}

static nsec_t next_deadline(const struct worker *w, nsec_t now)
{
	nsec_t deadline = nsec_earlier(now + TICK, w->drain_until);
	nsec_t due = arrival_next(&w->arrival);

	if (w->ended)
		return deadline;
	if (queue_length(&w->paused) > 0)
		deadline = nsec_earlier(deadline, w->retry_at);
	if (w->starved)
		deadline = nsec_earlier(deadline, now + RETRY_STARVED);
	else if (w->arrival.process != ARRIVAL_CLOSED && queue_length(&w->idle) > 0) {
		if (!w->shared->cfg->spin)
			deadline = nsec_earlier(deadline, due);
		else
			deadline = due - now > SPIN_WINDOW ? nsec_earlier(deadline, due - SPIN_WINDOW) : 0;
	}
	return deadline;
}

static void fail_cut_short(struct worker *w, enum sigbus_hit hit)
{
	const char *dataset = w->shared->cfg->file ? w->shared->cfg->file : "standard input";
	struct error err;

	error_set(&err, ERR_IO, "%s was cut short while it was read: leave it alone during a run",
		  hit == SIGBUS_DATASET ? dataset : "the file of expected answers");
	fail_run(w, err.text);
}

static bool has_stopped(const struct worker *w)
{
	const struct run_config *cfg = w->shared->cfg;

	return atomic_load_explicit(&w->shared->stop, memory_order_relaxed) ||
	       (cfg->interrupt && atomic_load_explicit(cfg->interrupt, memory_order_relaxed));
}

/* An interrupt, an error somewhere, or a dataset that shrank: nothing more is sent, what is under way has a while. At the
 * end of its time a run has a longer while, also for what was due before and found no free slot. */
static void look_for_end(struct worker *w, nsec_t now)
{
	const struct shared *s = w->shared;
	nsec_t drain = s->cfg->drain > 0 ? s->cfg->drain : RUN_DRAIN_DEFAULT;
	enum sigbus_hit hit = sigbus_guard_hit();

	if (hit != SIGBUS_NONE)
		fail_cut_short(w, hit);
	if (w->stopped_at == NSEC_NEVER && has_stopped(w)) {
		w->ended = true;
		w->stopped_at = now;
		w->drain_until = nsec_earlier(w->drain_until, now + nsec_earlier(drain, RUN_DRAIN_STOPPED));
	}
	if (w->drain_until == NSEC_NEVER && now >= s->until && has_enough(w)) {
		w->over = true;
		w->drain_until = now + drain;
	}
}

/* Time was no reason not to send the next arrival. */
static bool was_due(const struct worker *w)
{
	const struct shared *s = w->shared;
	nsec_t due = arrival_next(&w->arrival);

	return due < w->stopped_at && (due < s->until || !has_enough(w)) && arrival_number(&w->arrival) < s->requests;
}

/* What was due by the end and never sent: the slots were all waiting for the server, or for rows from a pipe. */
static void count_unsent(struct worker *w)
{
	struct slot nobody;

	while (w->arrival.process != ARRIVAL_CLOSED && !w->dry && was_due(w)) {
		begin_slot(w, &nobody, arrival_next(&w->arrival));
		count_due(w, &nobody);
		w->unsent++;
	}
}

void worker_run(struct worker *w)
{
	nsec_t now = clock_now();

	for (;;) {
		struct error err;
		int n;

		err.text[0] = '\0';
		look_for_end(w, now);
		if (!w->ended)
			now = send_due(w, now);
		if ((w->ended && w->outstanding == 0) || now >= w->drain_until)
			break;
		n = w->ops->poll(w->driver, next_deadline(w, now), w->done, w->max_done, &err);
		if (n < 0) {
			fail_run(w, err.text[0] ? err.text : error_message(n));
			w->stopped_at = nsec_earlier(w->stopped_at, now);
			break;
		}
		for (int i = 0; i < n; i++)
			finish(w, &w->done[i]);
		now = clock_now();
		if (n == 0) /* a slot may have come back */
			w->retry_at = nsec_earlier(w->retry_at, now);
	}
	w->end = clock_now();
	count_unsent(w);
}

int worker_init(struct worker *w, struct shared *shared, unsigned nslots, unsigned first_slot, struct error *err)
{
	const struct run_config *cfg = shared->cfg;
	const struct driver_config driver = {
		.spec = cfg->workload->spec(shared->workload),
		.conn = cfg->conn,
		.options = cfg->driver_options,
		.batch = cfg->what.batch,
		.slots = nslots,
		.first_slot = first_slot,
		.stages = cfg->stages,
		.reference = cfg->what.reference,
		.first_id = shared->first_id,
		.seed = cfg->seed,
	};
	int r;

	*w = (struct worker){
		.shared = shared,
		.ops = cfg->driver,
		.workload_ops = cfg->workload,
		.nslots = nslots,
		.prefetch = PREFETCH_REQUESTS * driver.spec->row_size * cfg->what.batch,
		.max_done = nslots < COMPLETIONS_MAX ? (int)nslots : COMPLETIONS_MAX,
		.stopped_at = NSEC_NEVER,
		.drain_until = NSEC_NEVER,
		.due = {.first = NSEC_NEVER},
	};
	verifier_init(&w->verifier, &cfg->verify, cfg->workload, shared->workload, cfg->seed);
	w->slots = calloc(nslots, sizeof(*w->slots));
	w->done = calloc((size_t)w->max_done, sizeof(*w->done));
	if (!w->slots || !w->done || queue_init(&w->idle, nslots) < 0 || queue_init(&w->paused, nslots) < 0 ||
	    recorder_init(&w->recorder, cfg->arrival != ARRIVAL_CLOSED) < 0) {
		worker_release(w);
		return error_set(err, ERR_NOMEM, "out of memory for %u workers", nslots);
	}
	for (unsigned i = 0; i < nslots; i++) {
		w->slots[i].request.owner = &w->slots[i];
		queue_push(&w->idle, i);
	}
	if (cfg->scenario.scenario &&
	    queries_init(&w->queries, &cfg->scenario, cfg->what.batch, shared->requests, shared->threads) < 0) {
		worker_release(w);
		return error_set(err, ERR_NOMEM, "out of memory for the latencies of a scenario");
	}
	r = cfg->driver->open(&w->driver, &driver, err);
	if (r == 0 && recorder_add_stages(&w->recorder, w->driver->stages) < 0)
		r = error_set(err, ERR_NOMEM, "out of memory for %u workers", nslots);
	if (r < 0)
		worker_release(w);
	return r;
}

void worker_release(struct worker *w)
{
	if (w->driver)
		w->ops->close(w->driver);
	recorder_release(&w->recorder);
	queries_release(&w->queries);
	free(w->idle.items);
	free(w->paused.items);
	free(w->done);
	free(w->slots);
	w->driver = NULL;
	memset(&w->recorder, 0, sizeof(w->recorder));
	w->idle.items = w->paused.items = NULL;
	w->done = NULL;
	w->slots = NULL;
}
