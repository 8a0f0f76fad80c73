/*
 * serving.c - requests as calls, with their reference data first; see the header.
 */
#include "drivers/serving.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "common/arith.h"
#include "drivers/json_answer.h"
#include "drivers/reference.h"
#include "drivers/wait.h"

#define FINISHED_MAX 64
/* An image model has a thousand classes or one more, a net of another's making as many as it likes. */
#define ANSWER_VALUES_FACTOR 4

enum slot_state { SLOT_IDLE, SLOT_FETCHING, SLOT_WAITING, SLOT_CALLING };

struct serving_slot {
	struct request *request;
	enum slot_state state;                   /* WAITING: its data are here, the model server's connection is not */
	nsec_t sent, fetched, encoded;           /* 0: no such stage, or it is not told apart */
	struct view inputs[WORKLOAD_INPUTS_MAX]; /* the request's, reference data where Redis' reply has them */
	char *scratch;
	struct iovec *iov;
	float *values;
	struct answer answer;
	struct error error;
};

struct serving {
	struct serving_config config;
	struct driver_config driver;
	struct call_config call;
	struct call_transport *transport;
	struct reference *reference; /* NULL: requests have none */
	int epoll;                   /* over both; -1: only the transport is waited on */
	struct serving_slot *slots;
	size_t nvalues;
	unsigned nwaiting;
};

/* ---- set-up ---- */

size_t serving_answer_values(const struct driver_config *cfg)
{
	size_t n;

	return size_mul(&n, cfg->spec->output_values, cfg->batch) && size_mul(&n, n, ANSWER_VALUES_FACTOR) ? n : 0;
}

int serving_check_config(const struct driver_config *cfg, struct error *err)
{
	if (cfg->reference && cfg->batch > 1)
		return error_set(err, ERR_UNSUPPORTED,
				 "reference data is fetched row by row: with it the tensor batch can only be 1");
	return 0;
}

static int make_slots(struct serving *s)
{
	const struct body_template *body = s->config.body;
	size_t niov = body_template_iovecs(body);

	s->nvalues = serving_answer_values(&s->driver);
	if (s->nvalues == 0)
		return ERR_RANGE;
	s->slots = calloc(s->driver.slots, sizeof(*s->slots));
	for (unsigned i = 0; s->slots && i < s->driver.slots; i++) {
		struct serving_slot *slot = &s->slots[i];

		slot->scratch = body->scratch_size ? malloc(body->scratch_size) : NULL;
		slot->iov = calloc(niov, sizeof(*slot->iov));
		slot->values = calloc(s->nvalues, sizeof(*slot->values));
		if (!slot->iov || !slot->values || (body->scratch_size && !slot->scratch))
			return ERR_NOMEM;
	}
	return s->slots ? 0 : ERR_NOMEM;
}

static int watch(int epoll, int fd, struct error *err)
{
	struct epoll_event ev = {.events = EPOLLIN};

	if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &ev) < 0)
		return error_set_errno(err, ERR_NOMEM, errno, "cannot wait on two servers at a time");
	return 0;
}

static int open_reference(struct serving *s, struct error *err)
{
	int r = reference_open(&s->reference, &s->driver, s->config.options->redis_host, err);

	if (r < 0)
		return r;
	s->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (s->epoll < 0)
		return error_set_errno(err, ERR_NOMEM, errno, "cannot wait on two servers at a time");
	r = watch(s->epoll, redis_transport_fd(reference_transport(s->reference)), err);
	return r < 0 ? r : watch(s->epoll, s->transport->ops->fd(s->transport), err);
}

int serving_open(struct serving **ret, const struct serving_config *cfg, struct error *err)
{
	struct serving *s = calloc(1, sizeof(*s));
	int r;

	if (!s)
		return error_set(err, ERR_NOMEM, "out of memory");
	s->config = *cfg;
	s->driver = *cfg->driver;
	s->epoll = -1;
	s->call = (struct call_config){
		.protocol = cfg->protocol,
		.slots = s->driver.slots,
		.streams = cfg->protocol == CALL_GRPC ? (unsigned)cfg->options->streams : 1,
		.nservers = cfg->servers->n,
		.servers = cfg->servers->endpoints,
		.first_slot = s->driver.first_slot,
		.conn = s->driver.conn,
		.tls = cfg->servers->tls,
		.path = cfg->path,
		.content_type = cfg->content_type,
		.headers = cfg->headers,
		.nheaders = cfg->nheaders,
		.views = (int)body_template_iovecs(cfg->body),
		.wanted_header = cfg->wanted_header,
		.seed = s->driver.seed,
	};
	r = make_slots(s);
	if (r < 0)
		error_set(err, (enum error_code)r, "out of memory for %u requests in flight", s->driver.slots);
	else
		r = cfg->transport->open(&s->transport, &s->call, err);
	if (r == 0 && s->driver.reference)
		r = open_reference(s, err);
	if (r < 0) {
		serving_close(s);
		return r;
	}
	*ret = s;
	return 0;
}

void serving_close(struct serving *s)
{
	if (!s)
		return;
	if (s->epoll >= 0)
		close(s->epoll);
	reference_close(s->reference);
	if (s->transport)
		s->transport->ops->close(s->transport);
	for (unsigned i = 0; s->slots && i < s->driver.slots; i++) {
		free(s->slots[i].scratch);
		free(s->slots[i].iov);
		free(s->slots[i].values);
	}
	free(s->slots);
	free(s);
}

uint64_t serving_reconnects(const struct serving *s)
{
	uint64_t n = s->transport->reconnects;

	return s->reference ? n + redis_transport_reconnects(reference_transport(s->reference)) : n;
}

/* ---- requests ---- */

static int send_call(struct serving *s, unsigned number)
{
	struct serving_slot *slot = &s->slots[number];
	struct call c = {.slot = number, .body = slot->iov, .sent = slot->sent};
	int n = body_template_encode(s->config.body, slot->scratch, slot->inputs, slot->iov, &c.size);

	if (n < 0)
		return error_set(&slot->error, ERR_INVALID,
				 "the row has a value that is not finite, which the protocol cannot say");
	c.nbody = n;
	if (s->driver.stages)
		slot->encoded = clock_now();
	return s->transport->ops->send(s->transport, &c);
}

int serving_submit(struct serving *s, unsigned number, struct request *req, nsec_t now)
{
	struct serving_slot *slot = &s->slots[number];
	int r;

	slot->request = req;
	slot->sent = now;
	slot->fetched = slot->encoded = 0;
	memcpy(slot->inputs, req->inputs, sizeof(slot->inputs));
	if (s->reference) {
		r = reference_fetch(s->reference, number, req->id, now);
		if (r == 0)
			slot->state = SLOT_FETCHING;
		return r;
	}
	r = send_call(s, number);
	if (r == ERR_AGAIN)
		return r;
	slot->state = SLOT_CALLING;
	if (r < 0) { /* the next poll hands it back with its error */
		slot->state = SLOT_WAITING;
		s->nwaiting++;
	}
	return 0;
}

static void complete(struct serving *s, unsigned number, int code, const char *text, nsec_t received,
		     struct completion *ret)
{
	struct serving_slot *slot = &s->slots[number];

	slot->state = SLOT_IDLE;
	*ret = (struct completion){
		.request = slot->request,
		.slot = number,
		.outcome = outcome_of_code(code),
		.stamps = {.sent = slot->sent, .received = received},
		.text = text,
	};
	if (code == 0)
		ret->answer = slot->answer;
	ret->stamps.stage[STAGE_REFERENCE] = slot->fetched;
	ret->stamps.stage[STAGE_ENCODE] = slot->encoded;
	if (slot->fetched || slot->encoded)
		ret->stamps.stage[STAGE_SERVICE] = received;
}

/* Puts the row's reference data, which Redis' reply holds, where the workload had those of the dataset. */
static void place_reference(struct serving *s, unsigned number)
{
	const struct workload_spec *spec = s->driver.spec;
	const char *data = reference_data(s->reference, number);

	for (unsigned i = 0; i < spec->ninputs; i++) {
		const struct workload_input *input = &spec->inputs[i];

		if (input->reference)
			s->slots[number].inputs[i] = (struct view){
				.data = data + (input->offset - spec->reference_offset),
				.size = input->size,
				.stride = input->size,
			};
	}
}

/* True: the request is over, in *ret. False: its call is under way, or waits for its connection. */
static bool start_call(struct serving *s, unsigned number, nsec_t now, struct completion *ret)
{
	struct serving_slot *slot = &s->slots[number];
	bool waited = slot->state == SLOT_WAITING;
	int r = send_call(s, number);

	if (r == ERR_AGAIN && now >= slot->sent + s->driver.conn->timeout)
		r = error_set(&slot->error, ERR_TIMEOUT, "timed out: no connection to the model server");
	if (waited != (r == ERR_AGAIN))
		s->nwaiting += waited ? -1U : 1U;
	if (r == ERR_AGAIN || r == 0) {
		slot->state = r == 0 ? SLOT_CALLING : SLOT_WAITING;
		return false;
	}
	complete(s, number, r, slot->error.text, now, ret);
	return true;
}

static int take_references(struct serving *s, struct completion *done, int max, struct error *err)
{
	struct redis_finished finished[FINISHED_MAX];
	int ndone = 0, n = reference_poll(s->reference, finished, max < FINISHED_MAX ? max : FINISHED_MAX, err);

	for (int i = 0; i < n; i++) {
		const struct redis_finished *f = &finished[i];

		if (f->code < 0) {
			complete(s, f->slot, f->code, f->text, f->received, &done[ndone++]);
			continue;
		}
		s->slots[f->slot].fetched = f->received;
		place_reference(s, f->slot);
		if (start_call(s, f->slot, f->received, &done[ndone]))
			ndone++;
	}
	return n < 0 ? n : ndone;
}

/* The server's own words where its error reply is JSON, else what the transport made of it. */
static const char *error_text(struct serving *s, const struct call_finished *f)
{
	const char *member = s->config.error_member;
	struct error *err = &s->slots[f->slot].error;
	char words[ERROR_TEXT_MAX];

	if (f->code != ERR_SERVER || !member || !f->body || !json_words(words, sizeof(words), f->body, f->size, member))
		return f->text;
	error_set(err, ERR_SERVER, "the server answered status %d: %s", f->status, words);
	return err->text;
}

static int take_calls(struct serving *s, nsec_t deadline, struct completion *done, int max, struct error *err)
{
	struct call_finished finished[FINISHED_MAX];
	int n = s->transport->ops->poll(s->transport, deadline, finished, max < FINISHED_MAX ? max : FINISHED_MAX, err);

	for (int i = 0; i < n; i++) {
		const struct call_finished *f = &finished[i];
		struct serving_slot *slot = &s->slots[f->slot];
		const char *text = NULL;
		int code = f->code;

		if (code < 0)
			text = error_text(s, f);
		else if ((code = s->config.decode(s->config.arg, f, slot->values, s->nvalues, &slot->answer,
						  &slot->error)) < 0)
			text = slot->error.text;
		complete(s, f->slot, code, text, f->received, &done[i]);
		if (s->driver.stages)
			done[i].stamps.stage[STAGE_DECODE] = clock_now();
	}
	return n;
}

static int retry_waiting(struct serving *s, struct completion *done, int max)
{
	nsec_t now = clock_now();
	int n = 0;

	for (unsigned i = 0; i < s->driver.slots && s->nwaiting > 0 && n < max; i++) {
		if (s->slots[i].state == SLOT_WAITING && start_call(s, i, now, &done[n]))
			n++;
	}
	return n;
}

/* Sleeps until Redis or the model server has something, or the deadline. */
static int wait_for_either(struct serving *s, nsec_t deadline, struct error *err)
{
	nsec_t until = nsec_earlier(deadline, redis_transport_next_deadline(reference_transport(s->reference)));
	nsec_t now = clock_now();
	struct epoll_event events[2];

	until = nsec_earlier(until, s->transport->ops->next_deadline(s->transport));
	for (unsigned i = 0; i < s->driver.slots && s->nwaiting > 0; i++) {
		if (s->slots[i].state == SLOT_WAITING)
			until = nsec_earlier(until, s->slots[i].sent + s->driver.conn->timeout);
	}
	if (wait_for_events(s->epoll, events, 2, now, until) < 0 && errno != EINTR)
		return error_set_errno(err, ERR_IO, errno, "cannot wait for the servers' answers");
	return 0;
}

int serving_poll(struct serving *s, nsec_t deadline, struct completion *done, int max, struct error *err)
{
	int n = s->nwaiting > 0 ? retry_waiting(s, done, max) : 0, r;

	if (!s->reference)
		return n > 0 ? n : take_calls(s, deadline, done, max, err);
	if (n == 0) {
		r = wait_for_either(s, deadline, err);
		if (r < 0)
			return r;
	}
	if (n < max) {
		r = take_references(s, done + n, max - n, err);
		if (r < 0)
			return r;
		n += r;
	}
	if (n < max) {
		r = take_calls(s, 0, done + n, max - n, err);
		if (r < 0)
			return r;
		n += r;
	}
	return n;
}
