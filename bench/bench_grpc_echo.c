/*
 * bench_grpc_echo.c - a server on the bare gRPC C core, one thread, that sends every message back: what the core costs, to set
 * clients and our model server beside. usage: bench_grpc_echo. Prints its port of 127.0.0.1, then serves until a signal.
 */
#include <grpc/byte_buffer.h>
#include <grpc/grpc.h>
#include <grpc/grpc_security.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CALLS 256 /* that wait to come in, or are under way */

struct exchange {
	grpc_call *call;
	grpc_byte_buffer *message;
	grpc_metadata_array metadata;
	grpc_call_details details;
	enum { WAITS, READS, ANSWERS } state;
	int cancelled;
};

static void wait_for_call(struct exchange *e, grpc_server *server, grpc_completion_queue *cq)
{
	e->state = WAITS;
	grpc_call_details_init(&e->details);
	grpc_metadata_array_init(&e->metadata);
	if (grpc_server_request_call(server, &e->call, &e->details, &e->metadata, cq, cq, e) != GRPC_CALL_OK)
		abort();
}

static void read_message(struct exchange *e)
{
	const grpc_op op = {.op = GRPC_OP_RECV_MESSAGE, .data.recv_message.recv_message = &e->message};

	e->state = READS;
	e->message = NULL;
	if (grpc_call_start_batch(e->call, &op, 1, e, NULL) != GRPC_CALL_OK)
		abort();
}

static void answer(struct exchange *e)
{
	const grpc_op ops[] = {
		{.op = GRPC_OP_SEND_INITIAL_METADATA},
		{.op = GRPC_OP_SEND_MESSAGE, .data.send_message.send_message = e->message},
		{.op = GRPC_OP_SEND_STATUS_FROM_SERVER, .data.send_status_from_server.status = GRPC_STATUS_OK},
		{.op = GRPC_OP_RECV_CLOSE_ON_SERVER, .data.recv_close_on_server.cancelled = &e->cancelled},
	};

	e->state = ANSWERS;
	if (grpc_call_start_batch(e->call, ops, sizeof(ops) / sizeof(ops[0]), e, NULL) != GRPC_CALL_OK)
		abort();
}

static void release(struct exchange *e)
{
	if (e->message)
		grpc_byte_buffer_destroy(e->message);
	e->message = NULL;
	grpc_call_unref(e->call);
	grpc_call_details_destroy(&e->details);
	grpc_metadata_array_destroy(&e->metadata);
}

int main(void)
{
	grpc_arg limit = {.type = GRPC_ARG_INTEGER,
			  .key = (char *)GRPC_ARG_MAX_RECEIVE_MESSAGE_LENGTH,
			  .value.integer = 64 << 20};
	const grpc_channel_args args = {1, &limit};
	static struct exchange exchanges[CALLS];
	grpc_completion_queue *cq;
	grpc_server *server;

	grpc_init();
	server = grpc_server_create(&args, NULL);
	cq = grpc_completion_queue_create_for_next(NULL);
	grpc_server_register_completion_queue(server, cq, NULL);
	printf("%d\n", grpc_server_add_http2_port(server, "127.0.0.1:0", grpc_insecure_server_credentials_create()));
	fflush(stdout);
	grpc_server_start(server);
	for (size_t i = 0; i < CALLS; i++)
		wait_for_call(&exchanges[i], server, cq);
	for (;;) {
		grpc_event event = grpc_completion_queue_next(cq, gpr_inf_future(GPR_CLOCK_REALTIME), NULL);
		struct exchange *e = event.tag;

		if (e->state == WAITS && event.success) {
			read_message(e);
		} else if (e->state == READS && e->message) {
			answer(e);
		} else {
			release(e);
			wait_for_call(e, server, cq);
		}
	}
}
