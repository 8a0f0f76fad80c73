/*
 * grpc_server.c - calls of the gRPC C core: taken, handed to their method, answered.
 *
 * A call's life is three events on the completion queue of one I/O thread: it has begun, its message has come in whole,
 * and the answer is out. The struct of a call belongs to that thread's list of spare ones before and after; in between it is
 * with the handler, which may be a worker thread of the models' queue.
 *
 * The library can wait for the message together with the call, which saves an event, but then for ever: its server has
 * no time-out for a call that has not been handed out.
 */
#include "servers/model_server/grpc_server.h"

#include <grpc/byte_buffer.h>
#include <grpc/byte_buffer_reader.h>
#include <grpc/grpc.h>
#include <grpc/grpc_security.h>
#include <grpc/slice.h>
#include <grpc/support/time.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/arith.h"
#include "servers/model_server/rpc.h"

#define CALLS_WAITING 4        /* requested of each method by each thread: what comes at once without a wake-up */
#define REPLY_KEPT (64u << 10) /* bytes of reply memory that a spare call keeps */

struct io_thread;

enum call_state { CALL_WAITING, CALL_RECEIVING, CALL_RUNNING, CALL_ANSWERING };

struct call {
	struct rpc rpc;
	struct io_thread *thread;
	/* A queue's worker hands the call back to its I/O thread through the completion queue: that orders their
	 * accesses, and this atomic says so to who cannot look into the library (ThreadSanitizer). */
	_Atomic enum call_state state;
	const struct rpc_method *method; /* NULL: of none that there is */
	grpc_call *call;
	grpc_byte_buffer *payload;
	grpc_slice request; /* the whole message; empty unless has_request */
	bool has_request;
	gpr_timespec deadline;
	grpc_call_details details;
	grpc_metadata_array metadata;
	int cancelled;
	nsec_t since; /* monotonic: its message is waited for */
	bool late;    /* it has been waited for too long */
	struct call *next, *prev;
};

struct io_thread {
	struct grpc_service *service;
	grpc_completion_queue *queue;
	pthread_t thread;
	bool started;
	/* Of this thread alone: */
	struct call *spare;
	struct call *first, *last; /* whose messages are waited for, the longest first */
	grpc_event early;          /* an event that was there without a look at the queue */
};

struct grpc_service {
	grpc_server *server;
	struct repository *repository;
	size_t message_max;
	nsec_t timeout;
	void **methods; /* as registered, in the order of rpc_methods */
	struct io_thread *threads;
	unsigned nthreads;
	/* Tells when the server has shut down. Not the server's own: it would give a share of the connections to it, and
	 * nobody waits on it before the end (of gRPC's ways to poll, epoll serves them nevertheless, poll does not). */
	grpc_completion_queue *stopping;
	atomic_bool stops;
	/* Calls that have begun and whose answer has not: the completion queues have to wait for them. */
	pthread_mutex_t lock;
	pthread_cond_t idle;
	unsigned pending;
};

/* --- one call --- */

static struct call *call_new(struct io_thread *t)
{
	struct call *c = t->spare;

	if (c) {
		t->spare = c->next;
		return c;
	}
	c = calloc(1, sizeof(*c));
	if (c) {
		c->thread = t;
		grpc_call_details_init(&c->details);
		grpc_metadata_array_init(&c->metadata);
	}
	return c;
}

static void call_free(struct call *c)
{
	if (c->call)
		grpc_call_unref(c->call);
	if (c->payload)
		grpc_byte_buffer_destroy(c->payload);
	if (c->has_request)
		grpc_slice_unref(c->request);
	grpc_call_details_destroy(&c->details);
	grpc_metadata_array_destroy(&c->metadata);
	buf_release(&c->rpc.reply);
	free(c);
}

/* Back to the spare ones; what a call in a thousand needed large is not kept. */
static void call_recycle(struct call *c)
{
	struct io_thread *t = c->thread;

	grpc_call_unref(c->call);
	c->call = NULL;
	if (c->has_request)
		grpc_slice_unref(c->request);
	c->has_request = false;
	if (c->payload)
		grpc_byte_buffer_destroy(c->payload);
	c->payload = NULL;
	grpc_call_details_destroy(&c->details);
	grpc_call_details_init(&c->details);
	grpc_metadata_array_destroy(&c->metadata);
	grpc_metadata_array_init(&c->metadata);
	if (c->rpc.reply.cap > REPLY_KEPT)
		buf_release(&c->rpc.reply);
	c->next = t->spare;
	t->spare = c;
}

/* Asks for the next call of a method (NULL: of all that have no name here). */
static void call_request(struct io_thread *t, const struct rpc_method *method)
{
	struct grpc_service *s = t->service;
	struct call *c;
	grpc_call_error e;

	if (atomic_load_explicit(&s->stops, memory_order_acquire))
		return;
	c = call_new(t);
	if (!c)
		return; /* out of memory: the other threads and calls go on */
	atomic_store_explicit(&c->state, CALL_WAITING, memory_order_relaxed);
	c->method = method;
	if (method)
		e = grpc_server_request_registered_call(s->server, s->methods[method - rpc_methods], &c->call,
							&c->deadline, &c->metadata, NULL, t->queue, t->queue, c);
	else
		e = grpc_server_request_call(s->server, &c->call, &c->details, &c->metadata, t->queue, t->queue, c);
	if (e != GRPC_CALL_OK)
		call_free(c);
}

static void pending_begin(struct grpc_service *s)
{
	pthread_mutex_lock(&s->lock);
	s->pending++;
	pthread_mutex_unlock(&s->lock);
}

static void pending_end(struct grpc_service *s)
{
	pthread_mutex_lock(&s->lock);
	if (--s->pending == 0)
		pthread_cond_signal(&s->idle);
	pthread_mutex_unlock(&s->lock);
}

static void pending_wait(struct grpc_service *s)
{
	pthread_mutex_lock(&s->lock);
	while (s->pending)
		pthread_cond_wait(&s->idle, &s->lock);
	pthread_mutex_unlock(&s->lock);
}

/* On any thread: the last thing done to a call, its completion ends it. */
static void call_answer(struct call *c)
{
	struct grpc_service *s = c->thread->service;
	struct rpc *rpc = &c->rpc;
	grpc_byte_buffer *message = NULL;
	grpc_slice details = grpc_empty_slice(), body;
	grpc_op ops[4] = {{.op = GRPC_OP_SEND_INITIAL_METADATA}, {.op = GRPC_OP_RECV_CLOSE_ON_SERVER}};
	grpc_call *call = c->call;
	size_t n = 2;

	ops[1].data.recv_close_on_server.cancelled = &c->cancelled;
	if (rpc->status == RPC_OK) {
		body = grpc_slice_from_copied_buffer(rpc->reply.len ? rpc->reply.data : "", rpc->reply.len);
		message = grpc_raw_byte_buffer_create(&body, 1);
		grpc_slice_unref(body);
		ops[n].op = GRPC_OP_SEND_MESSAGE;
		ops[n++].data.send_message.send_message = message;
	} else {
		details = grpc_slice_from_copied_string(rpc->error.text);
	}
	ops[n].op = GRPC_OP_SEND_STATUS_FROM_SERVER;
	ops[n].data.send_status_from_server.status = (grpc_status_code)rpc->status;
	ops[n++].data.send_status_from_server.status_details = &details;
	atomic_store_explicit(&c->state, CALL_ANSWERING, memory_order_release);
	/* The only error is a wrong batch, which this is not. */
	(void)grpc_call_start_batch(call, ops, n, c, NULL);
	if (message)
		grpc_byte_buffer_destroy(message);
	grpc_slice_unref(details);
	pending_end(s);
}

static void rpc_finished(struct rpc *rpc)
{
	call_answer((struct call *)(void *)((char *)rpc - offsetof(struct call, rpc)));
}

/* The message in one piece: large ones come in many. */
static bool gather(struct call *c)
{
	grpc_byte_buffer_reader reader;

	if (!c->payload || !grpc_byte_buffer_reader_init(&reader, c->payload))
		return false;
	c->request = grpc_byte_buffer_reader_readall(&reader);
	c->has_request = true;
	grpc_byte_buffer_reader_destroy(&reader);
	grpc_byte_buffer_destroy(c->payload);
	c->payload = NULL;
	return true;
}

static nsec_t deadline_of(gpr_timespec deadline)
{
	gpr_timespec left, never = gpr_inf_future(deadline.clock_type);

	if (gpr_time_cmp(deadline, never) == 0)
		return 0;
	left = gpr_time_sub(deadline, gpr_now(deadline.clock_type));
	if (left.tv_sec > INT32_MAX)
		return 0;
	return clock_now() + (nsec_t)left.tv_sec * NSEC_PER_SEC + left.tv_nsec;
}

static void call_handle(struct call *c)
{
	struct rpc *rpc = &c->rpc;

	atomic_store_explicit(&c->state, CALL_RUNNING, memory_order_relaxed);
	rpc->repository = c->thread->service->repository;
	rpc->tensor_max = c->thread->service->message_max;
	rpc->finished = rpc_finished;
	rpc->status = RPC_OK;
	rpc->error.text[0] = '\0';
	rpc->reply.failed = false;
	buf_clear(&rpc->reply);
	if (!c->method) {
		rpc_fail(rpc, RPC_UNIMPLEMENTED, "this server has no such method");
	} else if (!gather(c)) {
		rpc_fail(rpc, RPC_INTERNAL, "the call brought no message");
	} else {
		rpc->request = (struct wire){GRPC_SLICE_START_PTR(c->request), GRPC_SLICE_LENGTH(c->request)};
		rpc->deadline = deadline_of(c->deadline);
		if (!c->method->handle(rpc))
			return;
	}
	call_answer(c);
}

/* --- messages --- */

static void receiving_add(struct io_thread *t, struct call *c)
{
	c->since = clock_now();
	c->late = false;
	c->next = NULL;
	c->prev = t->last;
	if (t->last)
		t->last->next = c;
	else
		t->first = c;
	t->last = c;
}

static void receiving_remove(struct io_thread *t, struct call *c)
{
	if (c->prev)
		c->prev->next = c->next;
	else
		t->first = c->next;
	if (c->next)
		c->next->prev = c->prev;
	else
		t->last = c->prev;
}

/* The message of most calls is there already: its event is then taken without the way through the queue. */
static void call_receive(struct call *c)
{
	struct io_thread *t = c->thread;
	const grpc_op op = {.op = GRPC_OP_RECV_MESSAGE, .data.recv_message.recv_message = &c->payload};

	atomic_store_explicit(&c->state, CALL_RECEIVING, memory_order_relaxed);
	pending_begin(t->service);
	receiving_add(t, c);
	grpc_completion_queue_thread_local_cache_init(t->queue);
	(void)grpc_call_start_batch(c->call, &op, 1, c, NULL);
	if (grpc_completion_queue_thread_local_cache_flush(t->queue, &t->early.tag, &t->early.success))
		t->early.type = GRPC_OP_COMPLETE;
}

static void call_received(struct call *c)
{
	if (!c->late) {
		receiving_remove(c->thread, c);
		call_handle(c);
	} else {
		pending_end(c->thread->service);
		call_recycle(c);
	}
}

static void call_begun(struct call *c, bool success)
{
	call_request(c->thread, c->method);
	if (!success) { /* the server stops */
		call_free(c);
	} else if (c->method) {
		call_receive(c);
	} else {
		pending_begin(c->thread->service);
		call_handle(c);
	}
}

/* Their events follow. */
static void end_late_calls(struct io_thread *t)
{
	nsec_t before = clock_now() - t->service->timeout;

	while (t->first && t->first->since <= before) {
		struct call *c = t->first;

		receiving_remove(t, c);
		c->late = true;
		grpc_call_cancel_with_status(c->call, GRPC_STATUS_DEADLINE_EXCEEDED,
					     "the request's message did not come in time", NULL);
	}
}

/* --- threads --- */

static grpc_event next_event(struct io_thread *t)
{
	gpr_timespec until = gpr_inf_future(GPR_CLOCK_MONOTONIC);
	grpc_event e = t->early;

	t->early.type = GRPC_QUEUE_TIMEOUT;
	if (e.type == GRPC_OP_COMPLETE)
		return e;
	if (t->first) {
		nsec_t left;

		end_late_calls(t);
		left = t->first ? t->first->since + t->service->timeout - clock_now() : 0;
		until = gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC), gpr_time_from_nanos(left, GPR_TIMESPAN));
	}
	return grpc_completion_queue_next(t->queue, until, NULL);
}

static void *io_main(void *arg)
{
	struct io_thread *t = arg;

	queue_set_intra_op(1);
	for (;;) {
		grpc_event e = next_event(t);
		struct call *c = e.tag;

		if (e.type == GRPC_QUEUE_SHUTDOWN)
			return NULL;
		if (e.type != GRPC_OP_COMPLETE)
			continue;
		switch (atomic_load_explicit(&c->state, memory_order_acquire)) {
		case CALL_ANSWERING:
			call_recycle(c);
			break;
		case CALL_RECEIVING:
			call_received(c);
			break;
		default:
			call_begun(c, e.success);
		}
	}
}

static void free_threads(struct grpc_service *s)
{
	for (unsigned i = 0; i < s->nthreads; i++) {
		struct io_thread *t = &s->threads[i];
		grpc_event e;

		if (!t->queue)
			continue;
		grpc_completion_queue_shutdown(t->queue);
		if (t->started)
			pthread_join(t->thread, NULL);
		while (!t->started &&
		       (e = grpc_completion_queue_next(t->queue, gpr_inf_future(GPR_CLOCK_MONOTONIC), NULL),
			e.type != GRPC_QUEUE_SHUTDOWN)) {
			if (e.type == GRPC_OP_COMPLETE)
				call_free(e.tag);
		}
		grpc_completion_queue_destroy(t->queue);
		while (t->spare) {
			struct call *c = t->spare;

			t->spare = c->next;
			call_free(c);
		}
	}
	free(s->threads);
}

static int add_threads(struct grpc_service *s, unsigned n, struct error *err)
{
	s->threads = calloc(n, sizeof(*s->threads));
	if (!s->threads)
		return error_set(err, ERR_NOMEM, "%s", error_message(ERR_NOMEM));
	s->nthreads = n;
	for (unsigned i = 0; i < n; i++) {
		s->threads[i].service = s;
		s->threads[i].queue = grpc_completion_queue_create_for_next(NULL);
		grpc_server_register_completion_queue(s->server, s->threads[i].queue, NULL);
	}
	s->stopping = grpc_completion_queue_create_for_next(NULL);
	return 0;
}

static int start_threads(struct grpc_service *s, struct error *err)
{
	for (unsigned i = 0; i < s->nthreads; i++) {
		struct io_thread *t = &s->threads[i];
		int e;

		for (size_t m = 0; m < rpc_nmethods; m++) {
			for (unsigned k = 0; k < CALLS_WAITING; k++)
				call_request(t, &rpc_methods[m]);
		}
		call_request(t, NULL);
		e = pthread_create(&t->thread, NULL, io_main, t);
		if (e)
			return error_set_errno(err, ERR_IO, e, "cannot start a thread for gRPC");
		t->started = true;
	}
	return 0;
}

/* --- the server --- */

static int add_port(struct grpc_service *s, const char *listen, unsigned short port, unsigned short *ret_port,
		    struct error *err)
{
	bool v6 = strchr(listen, ':') != NULL;
	grpc_server_credentials *plain = grpc_insecure_server_credentials_create();
	char address[300];
	int bound;

	snprintf(address, sizeof(address), v6 ? "[%s]:%hu" : "%s:%hu", listen, port);
	bound = grpc_server_add_http2_port(s->server, address, plain);
	grpc_server_credentials_release(plain);
	if (bound <= 0)
		return error_set(err, ERR_IO,
				 "cannot listen on %s for gRPC: is the port taken, or the address another's?", address);
	*ret_port = (unsigned short)bound;
	return 0;
}

/* Beyond it the library resets streams (ENHANCE_YOUR_CALM). */
static grpc_resource_quota *receive_quota(size_t receive_max, size_t message_max)
{
	grpc_resource_quota *quota = grpc_resource_quota_create("aibench");
	size_t least = GRPC_MESSAGES_MIN * message_max;

	if (receive_max == 0)
		receive_max = (size_t)sysconf(_SC_PHYS_PAGES) / 4 * (size_t)sysconf(_SC_PAGESIZE);
	grpc_resource_quota_resize(quota, receive_max > least ? receive_max : least);
	return quota;
}

static int create_server(struct grpc_service *s, const struct grpc_server_config *cfg, unsigned short *ret_ports,
			 struct error *err)
{
	char max_receive[] = GRPC_ARG_MAX_RECEIVE_MESSAGE_LENGTH, max_send[] = GRPC_ARG_MAX_SEND_MESSAGE_LENGTH,
	     reuse[] = GRPC_ARG_ALLOW_REUSEPORT, idle[] = GRPC_ARG_MAX_CONNECTION_IDLE_MS,
	     handshake[] = GRPC_ARG_SERVER_HANDSHAKE_TIMEOUT_MS, keepalive[] = GRPC_ARG_KEEPALIVE_TIME_MS,
	     memory[] = GRPC_ARG_RESOURCE_QUOTA;
	grpc_resource_quota *quota = receive_quota(cfg->receive_max, s->message_max);
	int timeout = (int)(s->timeout / NSEC_PER_MSEC);
	grpc_arg args[] = {
		{.type = GRPC_ARG_INTEGER, .key = max_receive, .value.integer = (int)s->message_max},
		{.type = GRPC_ARG_INTEGER, .key = max_send, .value.integer = -1},
		{.type = GRPC_ARG_INTEGER, .key = reuse, .value.integer = 0},
		{.type = GRPC_ARG_INTEGER, .key = idle, .value.integer = timeout},
		{.type = GRPC_ARG_INTEGER, .key = handshake, .value.integer = timeout},
		/* Who does not read cannot answer a ping. */
		{.type = GRPC_ARG_INTEGER, .key = keepalive, .value.integer = timeout},
		{.type = GRPC_ARG_POINTER, .key = memory, .value.pointer = {quota, grpc_resource_quota_arg_vtable()}},
	};
	grpc_channel_args all = {ARRAY_LEN(args), args};
	int r;

	s->server = grpc_server_create(&all, NULL);
	grpc_resource_quota_unref(quota);
	s->methods = calloc(rpc_nmethods, sizeof(void *));
	if (!s->methods)
		return error_set(err, ERR_NOMEM, "%s", error_message(ERR_NOMEM));
	for (size_t i = 0; i < rpc_nmethods; i++)
		s->methods[i] =
			grpc_server_register_method(s->server, rpc_methods[i].path, NULL, GRPC_SRM_PAYLOAD_NONE, 0);
	r = add_threads(s, cfg->threads ? cfg->threads : 1, err);
	for (size_t i = 0; i < cfg->nports && r == 0; i++) {
		unsigned short port = 0;

		r = add_port(s, cfg->listen ? cfg->listen : "127.0.0.1", cfg->ports[i], &port, err);
		if (r == 0 && ret_ports)
			ret_ports[i] = port;
	}
	return r;
}

int grpc_service_start(struct grpc_service **ret, const struct grpc_server_config *cfg, unsigned short *ret_ports,
		       struct error *err)
{
	struct grpc_service *s = calloc(1, sizeof(*s));
	int r;

	if (!s)
		return error_set(err, ERR_NOMEM, "%s", error_message(ERR_NOMEM));
	grpc_init();
	pthread_mutex_init(&s->lock, NULL);
	pthread_cond_init(&s->idle, NULL);
	s->repository = cfg->repository;
	s->message_max = cfg->message_max ? cfg->message_max : GRPC_MESSAGE_MAX_DEFAULT;
	if (s->message_max > INT32_MAX)
		s->message_max = INT32_MAX;
	s->timeout = cfg->timeout ? cfg->timeout : GRPC_TIMEOUT_DEFAULT;
	r = create_server(s, cfg, ret_ports, err);
	if (r == 0) {
		grpc_server_start(s->server);
		r = start_threads(s, err);
	}
	if (r < 0)
		grpc_service_stop(s, 0);
	else
		*ret = s;
	return r;
}

void grpc_service_quiesce(struct grpc_service *s)
{
	if (s && s->stopping && !atomic_exchange_explicit(&s->stops, true, memory_order_acq_rel))
		grpc_server_shutdown_and_notify(s->server, s->stopping, s);
}

void grpc_service_stop(struct grpc_service *s, nsec_t until)
{
	gpr_timespec deadline;

	if (!s)
		return;
	if (s->stopping) {
		grpc_service_quiesce(s);
		deadline = gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC),
					gpr_time_from_nanos(until - clock_now(), GPR_TIMESPAN));
		if (grpc_completion_queue_next(s->stopping, deadline, NULL).type == GRPC_QUEUE_TIMEOUT) {
			grpc_server_cancel_all_calls(s->server);
			grpc_completion_queue_next(s->stopping, gpr_inf_future(GPR_CLOCK_MONOTONIC), NULL);
		}
		pending_wait(s);
		free_threads(s);
		grpc_completion_queue_shutdown(s->stopping);
		grpc_completion_queue_next(s->stopping, gpr_inf_future(GPR_CLOCK_MONOTONIC), NULL);
		grpc_completion_queue_destroy(s->stopping);
	} else {
		free(s->threads);
	}
	if (s->server)
		grpc_server_destroy(s->server);
	pthread_cond_destroy(&s->idle);
	pthread_mutex_destroy(&s->lock);
	free(s->methods);
	free(s);
	grpc_shutdown_blocking();
}
