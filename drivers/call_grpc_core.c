/*
 * call_grpc_core.c - gRPC calls by the gRPC C core, as many clients make them: a channel for `streams` slots.
 *
 * A completion queue has no descriptor: a thread waits on it, puts the slots that ended into a ring and signals an
 * eventfd. Messages go out as slices over the caller's memory. A slice may outlive a call that was given up by the time
 * that the core needs to drop it; what it then shows is for a stream that was reset.
 */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <grpc/byte_buffer_reader.h>
#include <grpc/grpc.h>
#include <grpc/support/time.h>

#include "common/arith.h"
#include "common/buf.h"
#include "drivers/call_internal.h"
#include "drivers/grpc_credentials.h"
#include "drivers/wait.h"

#define NOPS 6
#define COPY_MAX 64  /* bytes that a slice holds within itself, or nearly */
#define SILENT_MAX 2 /* time-outs in a row after which a channel is made anew */
#define CONNECT_SLICE (100 * NSEC_PER_MSEC)

struct core_channel {
	const struct endpoint *server;
	grpc_channel *channel;
	void *method;
	unsigned nbusy;  /* calls under way */
	unsigned silent; /* time-outs since the last answer */
	/* The thread's: */
	grpc_connectivity_state seen;
	atomic_bool lost;      /* counts as a reconnect when it is ready, or a call answered, again */
	atomic_uint connected; /* how often it was seen to become ready */
};

struct core_slot {
	struct core_channel *channel;
	grpc_call *call; /* NULL: none under way */
	nsec_t deadline, received;
	grpc_slice *slices; /* room for a call's */
	grpc_byte_buffer *request, *reply;
	grpc_metadata_array initial, trailing;
	grpc_status_code status;
	grpc_slice details;
	int code;
	unsigned connected; /* the channel's at the slot's last pause */
	struct buf body;
	struct error error;
};

struct grpc_core {
	struct call_transport base;
	struct call_config config;
	grpc_completion_queue *queue;
	grpc_channel_credentials *credentials;
	grpc_metadata *metadata;
	struct core_channel *channels;
	unsigned nchannels;
	struct core_slot *slots;
	struct call_pause *pauses;
	unsigned nbusy;
	int event;
	pthread_t thread;
	bool started;
	pthread_mutex_t lock; /* of the channels, which the thread looks at, and of closing */
	bool closing;
	atomic_uint reconnects;
	/* Slots whose calls ended: the thread writes at `tail`, poll takes at `head`. */
	_Atomic(unsigned) *ring;
	atomic_uint head, tail;
};

/* ---- the thread ---- */

/* The core tells of a state that it left once, and then wants to be asked again. */
static void watch(struct grpc_core *t, struct core_channel *c)
{
	grpc_channel_watch_connectivity_state(c->channel, c->seen, gpr_inf_future(GPR_CLOCK_MONOTONIC), t->queue, c);
}

static void came_back(struct grpc_core *t, struct core_channel *c)
{
	if (atomic_exchange(&c->lost, false))
		atomic_fetch_add(&t->reconnects, 1);
}

/* The channel is no longer in the state it was seen in; what came and went since then is not seen. A channel that was
 * destroyed says so, too; its successor is in its place by then. */
static void look_at_channel(struct grpc_core *t, struct core_channel *c)
{
	pthread_mutex_lock(&t->lock);
	if (c->seen == GRPC_CHANNEL_READY)
		atomic_store(&c->lost, true);
	if (!t->closing && c->channel) {
		c->seen = grpc_channel_check_connectivity_state(c->channel, 0);
		if (c->seen == GRPC_CHANNEL_READY) {
			atomic_fetch_add(&c->connected, 1);
			came_back(t, c);
		}
		watch(t, c);
	}
	pthread_mutex_unlock(&t->lock);
}

/* Events are of slots, whose calls ended, and of channels. */
static bool is_slot(const struct grpc_core *t, const void *tag)
{
	uintptr_t at = (uintptr_t)tag;

	return at >= (uintptr_t)t->slots && at < (uintptr_t)(t->slots + t->config.slots);
}

static void *wait_for_ends(void *arg)
{
	struct grpc_core *t = arg;

	for (;;) {
		grpc_event e = grpc_completion_queue_next(t->queue, gpr_inf_future(GPR_CLOCK_MONOTONIC), NULL);
		struct core_slot *s = e.tag;
		unsigned tail = atomic_load_explicit(&t->tail, memory_order_relaxed);

		if (e.type == GRPC_QUEUE_SHUTDOWN)
			return NULL;
		if (!is_slot(t, e.tag)) {
			look_at_channel(t, e.tag);
			continue;
		}
		s->received = clock_now();
		t->ring[tail % t->config.slots] = (unsigned)(s - t->slots);
		atomic_store_explicit(&t->tail, tail + 1, memory_order_release);
		eventfd_write(t->event, 1);
	}
}

/* ---- how a call ended ---- */

static bool contains(const grpc_slice *text, const char *part)
{
	return memmem(GRPC_SLICE_START_PTR(*text), GRPC_SLICE_LENGTH(*text), part, strlen(part));
}

/* The core makes up a status where the server sent none, and tells only by its words. */
static int code_of(const struct core_slot *s)
{
	static const char *const lost[] = {"recvmsg:", "sendmsg:", "Socket closed", "Broken pipe", "GOAWAY"};

	if (s->status == GRPC_STATUS_OK)
		return 0;
	if (s->status == GRPC_STATUS_DEADLINE_EXCEEDED && s->received >= s->deadline)
		return ERR_TIMEOUT;
	if (s->status == GRPC_STATUS_RESOURCE_EXHAUSTED && contains(&s->details, "Received message larger than max"))
		return ERR_RANGE;
	if (contains(&s->details, "onnection refused"))
		return ERR_CONNECT;
	if (contains(&s->details, "http1.x server"))
		return ERR_PROTOCOL;
	for (size_t i = 0; s->status == GRPC_STATUS_UNAVAILABLE && i < ARRAY_LEN(lost); i++) {
		if (contains(&s->details, lost[i]))
			return ERR_CLOSED;
	}
	return grpc_channel_check_connectivity_state(s->channel->channel, 0) == GRPC_CHANNEL_READY ? ERR_SERVER
												   : ERR_CLOSED;
}

/* The reply's slices become one body. */
static int take_message(const struct grpc_core *t, struct core_slot *s)
{
	grpc_byte_buffer_reader reader;
	grpc_slice *slice;
	int r = 0;

	if (!s->reply || !grpc_byte_buffer_reader_init(&reader, s->reply))
		return error_set(&s->error, ERR_PROTOCOL, "%s: the server's reply has no message, or not all of it",
				 endpoint_name(s->channel->server));
	while (r == 0 && grpc_byte_buffer_reader_peek(&reader, &slice))
		r = buf_append(&s->body, GRPC_SLICE_START_PTR(*slice), GRPC_SLICE_LENGTH(*slice));
	grpc_byte_buffer_reader_destroy(&reader);
	if (r < 0)
		return error_set(&s->error, ERR_NOMEM, "out of memory for the reply");
	return s->body.len > call_body_max(&t->config)
		       ? error_set(&s->error, ERR_RANGE, "the reply is larger than the limit")
		       : 0;
}

static void explain(const struct grpc_core *t, struct core_slot *s)
{
	const struct endpoint *e = s->channel->server;
	const char *details = (const char *)GRPC_SLICE_START_PTR(s->details);
	size_t len = GRPC_SLICE_LENGTH(s->details);
	char words[300], limit[32];

	if (s->code == ERR_SERVER) {
		call_refused_grpc(e, (int)s->status, details, len, &s->error);
	} else if (s->code == ERR_TIMEOUT) {
		error_set(&s->error, ERR_TIMEOUT, "%s: timed out: no answer within %s", endpoint_name(e),
			  duration_format(limit, sizeof(limit), t->config.conn->timeout));
	} else {
		call_words(words, sizeof(words), details, len);
		error_set(&s->error, (enum error_code)s->code, "%s: %s", endpoint_name(e), words);
	}
}

static void settle(struct grpc_core *t, struct core_slot *s)
{
	struct call_pause *pause = &t->pauses[s - t->slots];

	s->code = code_of(s);
	s->channel->silent = s->code == ERR_TIMEOUT ? s->channel->silent + 1 : 0;
	if (s->code == ERR_CLOSED || s->code == ERR_CONNECT || s->code == ERR_PROTOCOL) {
		unsigned connected = atomic_load(&s->channel->connected);

		/* There was a connection since: the next try is the first again, as that of a lean link is. */
		if (connected != s->connected)
			backoff_reset(&pause->backoff);
		s->connected = connected;
		call_pause_begin(pause, s->received);
	} else if (s->code == 0) {
		backoff_reset(&pause->backoff);
		came_back(t, s->channel);
	}
	if (s->code)
		explain(t, s);
	else
		s->code = take_message(t, s);
	grpc_call_unref(s->call);
	s->call = NULL;
	grpc_byte_buffer_destroy(s->request);
	grpc_byte_buffer_destroy(s->reply);
	grpc_metadata_array_destroy(&s->initial);
	grpc_metadata_array_destroy(&s->trailing);
	grpc_slice_unref(s->details);
	s->channel->nbusy--;
	t->nbusy--;
}

/* ---- calls ---- */

static void keep(void *memory)
{
	(void)memory;
}

static void make_request(struct core_slot *s, const struct call *c)
{
	size_t n = 0;

	for (int i = 0; i < c->nbody; i++) {
		const struct iovec *v = &c->body[i];

		if (v->iov_len > COPY_MAX)
			s->slices[n++] = grpc_slice_new_with_user_data(v->iov_base, v->iov_len, keep, NULL);
		else if (v->iov_len > 0)
			s->slices[n++] = grpc_slice_from_copied_buffer(v->iov_base, v->iov_len);
	}
	s->request = grpc_raw_byte_buffer_create(s->slices, n);
	for (size_t i = 0; i < n; i++)
		grpc_slice_unref(s->slices[i]);
}

static void start(struct grpc_core *t, struct core_slot *s)
{
	grpc_op ops[NOPS] = {
		{.op = GRPC_OP_SEND_INITIAL_METADATA,
		 .data.send_initial_metadata = {.count = t->config.nheaders, .metadata = t->metadata}},
		{.op = GRPC_OP_SEND_MESSAGE, .data.send_message.send_message = s->request},
		{.op = GRPC_OP_SEND_CLOSE_FROM_CLIENT},
		{.op = GRPC_OP_RECV_INITIAL_METADATA, .data.recv_initial_metadata.recv_initial_metadata = &s->initial},
		{.op = GRPC_OP_RECV_MESSAGE, .data.recv_message.recv_message = &s->reply},
		{.op = GRPC_OP_RECV_STATUS_ON_CLIENT,
		 .data.recv_status_on_client = {.trailing_metadata = &s->trailing,
						.status = &s->status,
						.status_details = &s->details}},
	};

	grpc_metadata_array_init(&s->initial);
	grpc_metadata_array_init(&s->trailing);
	s->reply = NULL;
	s->call = grpc_channel_create_registered_call(s->channel->channel, NULL, GRPC_PROPAGATE_DEFAULTS, t->queue,
						      s->channel->method,
						      gpr_time_from_nanos(s->deadline, GPR_CLOCK_MONOTONIC), NULL);
	/* Fails only for ops that do not fit together. */
	if (grpc_call_start_batch(s->call, ops, NOPS, s, NULL) != GRPC_CALL_OK)
		abort();
	s->channel->nbusy++;
	t->nbusy++;
}

static int open_channel(struct grpc_core *t, struct core_channel *c, struct error *err)
{
	const struct endpoint *e = call_server(&t->config, (unsigned)(c - t->channels));
	size_t max = call_body_max(&t->config);
	grpc_arg args[] = {
		{GRPC_ARG_INTEGER, (char *)GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, .value.integer = 1},
		{GRPC_ARG_INTEGER, (char *)GRPC_ARG_ENABLE_RETRIES, .value.integer = 0},
		{GRPC_ARG_INTEGER, (char *)GRPC_ARG_ENABLE_HTTP_PROXY, .value.integer = 0},
		{GRPC_ARG_INTEGER, (char *)GRPC_ARG_SERVICE_CONFIG_DISABLE_RESOLUTION, .value.integer = 1},
		{GRPC_ARG_INTEGER, (char *)GRPC_ARG_MAX_RECEIVE_MESSAGE_LENGTH, .value.integer = (int)max},
		{GRPC_ARG_INTEGER, (char *)GRPC_ARG_MAX_SEND_MESSAGE_LENGTH, .value.integer = -1},
		{GRPC_ARG_INTEGER, (char *)GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, .value.integer = 10},
		{GRPC_ARG_INTEGER, (char *)GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, .value.integer = 1000},
		{GRPC_ARG_STRING, (char *)GRPC_ARG_PRIMARY_USER_AGENT_STRING, .value.string = (char *)"aibench"},
	};
	const grpc_channel_args list = {ARRAY_LEN(args), args};
	struct buf target = {0};

	c->server = e;
	if (endpoint_port(e) == 0)
		buf_printf(&target, "unix:%s", t->config.conn->unix_socket);
	else
		buf_printf(&target, "dns:///%s", endpoint_name(e));
	if (!target.failed)
		c->channel = grpc_channel_create(target.data, t->credentials, &list);
	buf_release(&target);
	if (!c->channel)
		return error_set(err, ERR_NOMEM, "out of memory for gRPC");
	c->method = grpc_channel_register_call(c->channel, t->config.path, NULL, NULL);
	return 0;
}

/* A server that went silent may have left a connection that is none: without a sign of life it is given up. */
static int reopen_channel(struct grpc_core *t, struct core_channel *c)
{
	struct error err;
	int r;

	pthread_mutex_lock(&t->lock);
	grpc_channel_destroy(c->channel);
	c->channel = NULL;
	c->silent = 0;
	atomic_store(&c->lost, true);
	r = open_channel(t, c, &err);
	pthread_mutex_unlock(&t->lock);
	return r;
}

static int core_send(struct call_transport *transport, const struct call *c)
{
	struct grpc_core *t = (struct grpc_core *)transport;
	struct core_slot *s = &t->slots[c->slot];
	int r;

	if (c->nbody > t->config.views)
		return ERR_RANGE;
	if (t->pauses[c->slot].until > 0)
		return ERR_AGAIN;
	if (s->channel->silent >= SILENT_MAX && s->channel->nbusy == 0) {
		r = reopen_channel(t, s->channel);
		if (r < 0)
			return r;
	}
	make_request(s, c);
	s->deadline = c->sent + t->config.conn->timeout;
	buf_clear(&s->body);
	start(t, s);
	return 0;
}

static int core_fd(const struct call_transport *transport)
{
	return ((const struct grpc_core *)transport)->event;
}

static nsec_t core_next_deadline(const struct call_transport *transport)
{
	const struct grpc_core *t = (const struct grpc_core *)transport;

	return call_pauses_next(t->pauses, t->config.slots);
}

static int take_finished(struct grpc_core *t, struct call_finished *done, int max)
{
	unsigned head = atomic_load_explicit(&t->head, memory_order_relaxed);
	int n = 0;

	for (; n < max && head != atomic_load_explicit(&t->tail, memory_order_acquire); n++, head++) {
		unsigned slot = t->ring[head % t->config.slots];
		struct core_slot *s = &t->slots[slot];

		settle(t, s);
		done[n] = (struct call_finished){
			.slot = slot,
			.code = s->code,
			.status = s->code == 0 || s->code == ERR_SERVER ? (int)s->status : -1,
			.text = s->code ? s->error.text : NULL,
			.body = s->body.data ? s->body.data : "",
			.size = s->body.len,
			.header = -1,
			.received = s->received,
		};
	}
	atomic_store_explicit(&t->head, head, memory_order_relaxed);
	t->base.reconnects = atomic_load(&t->reconnects);
	return n;
}

static int core_poll(struct call_transport *transport, nsec_t deadline, struct call_finished *done, int max,
		     struct error *err)
{
	struct grpc_core *t = (struct grpc_core *)transport;

	for (;;) {
		struct pollfd p = {.fd = t->event, .events = POLLIN};
		nsec_t now = clock_now(), own = core_next_deadline(transport), until = own < deadline ? own : deadline;
		struct timespec ts;
		int n = take_finished(t, done, max), r;
		eventfd_t count;

		if (n > 0)
			return n;
		r = ppoll(&p, 1, wait_left(&ts, now, until), NULL);
		if (r < 0 && errno != EINTR)
			return error_set_errno(err, ERR_IO, errno, "cannot wait for the server's answers");
		if (r > 0)
			eventfd_read(t->event, &count);
		n = take_finished(t, done, max);
		now = clock_now();
		if (call_pauses_end(t->pauses, t->config.slots, now) || n > 0 || r < 0 || now >= deadline)
			return n;
	}
}

/* ---- the beginning and the end ---- */

static void core_close(struct call_transport *transport)
{
	struct grpc_core *t = (struct grpc_core *)transport;
	struct call_finished none;

	if (!t)
		return;
	for (unsigned i = 0; t->slots && i < t->config.slots; i++) {
		if (t->slots[i].call)
			grpc_call_cancel(t->slots[i].call, NULL);
	}
	while (t->slots && t->nbusy > 0)
		core_poll(transport, NSEC_NEVER, &none, 1, NULL);
	pthread_mutex_lock(&t->lock);
	t->closing = true;
	for (unsigned i = 0; t->channels && i < t->nchannels; i++) {
		if (t->channels[i].channel)
			grpc_channel_destroy(t->channels[i].channel);
	}
	pthread_mutex_unlock(&t->lock);
	if (t->queue)
		grpc_completion_queue_shutdown(t->queue);
	if (t->started)
		pthread_join(t->thread, NULL);
	while (t->queue && !t->started &&
	       grpc_completion_queue_next(t->queue, gpr_inf_future(GPR_CLOCK_MONOTONIC), NULL).type !=
		       GRPC_QUEUE_SHUTDOWN)
		;
	if (t->queue)
		grpc_completion_queue_destroy(t->queue);
	for (unsigned i = 0; t->slots && i < t->config.slots; i++) {
		buf_release(&t->slots[i].body);
		free(t->slots[i].slices);
	}
	if (t->credentials)
		grpc_channel_credentials_release(t->credentials);
	for (size_t i = 0; t->metadata && i < t->config.nheaders; i++) {
		grpc_slice_unref(t->metadata[i].key);
		grpc_slice_unref(t->metadata[i].value);
	}
	grpc_shutdown();
	pthread_mutex_destroy(&t->lock);
	if (t->event >= 0)
		close(t->event);
	free(t->metadata);
	free(t->channels);
	free(t->slots);
	free(t->pauses);
	free((void *)t->ring);
	free(t);
}

static int wait_until_ready(struct grpc_core *t, const struct core_channel *c, nsec_t deadline, struct error *err)
{
	const atomic_int *interrupt = t->config.conn->interrupt;
	grpc_connectivity_state state;

	while ((state = grpc_channel_check_connectivity_state(c->channel, 1)) != GRPC_CHANNEL_READY) {
		nsec_t now = clock_now();

		if (interrupt && atomic_load(interrupt))
			return error_set(err, ERR_CANCELED, "interrupted while connecting to the server");
		if (state == GRPC_CHANNEL_TRANSIENT_FAILURE || now >= deadline)
			return error_set(err, now >= deadline ? ERR_TIMEOUT : ERR_CONNECT,
					 "%s: no HTTP/2 greeting (is that a gRPC server?)", endpoint_name(c->server));
		grpc_channel_watch_connectivity_state(c->channel, state,
						      gpr_time_from_nanos(now + CONNECT_SLICE, GPR_CLOCK_MONOTONIC),
						      t->queue, NULL);
		grpc_completion_queue_next(t->queue, gpr_inf_future(GPR_CLOCK_MONOTONIC), NULL);
	}
	return 0;
}

static int open_channels(struct grpc_core *t, struct error *err)
{
	nsec_t deadline = clock_now() + t->config.conn->timeout;
	int r = grpc_credentials_new(&t->credentials, t->config.conn, err);

	for (unsigned i = 0; r == 0 && i < t->nchannels; i++) {
		r = open_channel(t, &t->channels[i], err);
		if (r == 0)
			grpc_channel_check_connectivity_state(t->channels[i].channel, 1);
	}
	for (unsigned i = 0; r == 0 && i < t->nchannels; i++)
		r = wait_until_ready(t, &t->channels[i], deadline, err);
	for (unsigned i = 0; r == 0 && i < t->nchannels; i++) {
		t->channels[i].seen = GRPC_CHANNEL_READY;
		watch(t, &t->channels[i]);
	}
	return r;
}

static int make_memory(struct grpc_core *t, unsigned streams)
{
	t->slots = calloc((size_t)t->config.slots + 1, sizeof(*t->slots));
	t->pauses = call_pauses_new(&t->config);
	t->channels = calloc((size_t)t->nchannels + 1, sizeof(*t->channels));
	t->ring = calloc((size_t)t->config.slots + 1, sizeof(*t->ring));
	t->metadata = calloc(t->config.nheaders + 1, sizeof(*t->metadata));
	t->event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (!t->slots || !t->pauses || !t->channels || !t->ring || !t->metadata || t->event < 0)
		return ERR_NOMEM;
	for (unsigned i = 0; i < t->config.slots; i++) {
		t->slots[i].channel = &t->channels[i / streams];
		t->slots[i].slices = calloc((size_t)t->config.views + 1, sizeof(grpc_slice));
		if (!t->slots[i].slices)
			return ERR_NOMEM;
	}
	for (size_t i = 0; i < t->config.nheaders; i++) {
		t->metadata[i].key = grpc_slice_from_copied_string(t->config.headers[i].name);
		t->metadata[i].value = grpc_slice_from_copied_string(t->config.headers[i].value);
	}
	return 0;
}

static int core_open(struct call_transport **ret, const struct call_config *cfg, struct error *err)
{
	unsigned streams = cfg->streams ? cfg->streams : 1;
	struct grpc_core *t = calloc(1, sizeof(*t));
	int r;

	if (!t)
		return error_set(err, ERR_NOMEM, "out of memory");
	pthread_mutex_init(&t->lock, NULL);
	grpc_init();
	t->base.ops = &call_grpc_core;
	t->config = *cfg;
	t->nchannels = (cfg->slots + streams - 1) / streams;
	t->event = -1;
	t->queue = grpc_completion_queue_create_for_next(NULL);
	if (make_memory(t, streams) < 0)
		r = error_set(err, ERR_NOMEM, "out of memory");
	else
		r = call_probe(cfg, ALPN_HTTP2, err);
	if (r == 0)
		r = open_channels(t, err);
	if (r == 0 && pthread_create(&t->thread, NULL, wait_for_ends, t) != 0)
		r = error_set(err, ERR_NOMEM, "cannot start a thread for gRPC");
	t->started = r == 0;
	if (r < 0) {
		core_close(&t->base);
		return r;
	}
	*ret = &t->base;
	return 0;
}

const struct call_transport_ops call_grpc_core = {
	.name = "grpc-core",
	.open = core_open,
	.send = core_send,
	.poll = core_poll,
	.fd = core_fd,
	.next_deadline = core_next_deadline,
	.close = core_close,
};
