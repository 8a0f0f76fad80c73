/*
 * grpc_client.c - a channel, and calls with a completion queue each.
 */
#include "tests/servers/model_server/grpc_client.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>
#include <grpc/byte_buffer.h>
#include <grpc/byte_buffer_reader.h>
#include <grpc/grpc.h>
#include <grpc/grpc_security.h>
#include <grpc/slice.h>
#include <grpc/support/alloc.h>
#include <grpc/support/time.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/arith.h"

#define LIMIT_MS 60000

struct grpc_client {
	grpc_channel *channel;
};

struct grpc_pending {
	grpc_completion_queue *queue;
	grpc_call *call;
	grpc_metadata_array initial, trailing;
	grpc_byte_buffer *reply;
	grpc_status_code status;
	grpc_slice details;
};

struct grpc_client *grpc_client_new(unsigned short port)
{
	char own[] = GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, max_receive[] = GRPC_ARG_MAX_RECEIVE_MESSAGE_LENGTH;
	grpc_arg args[] = {{.type = GRPC_ARG_INTEGER, .key = own, .value.integer = 1},
			   {.type = GRPC_ARG_INTEGER, .key = max_receive, .value.integer = -1}};
	const grpc_channel_args all = {ARRAY_LEN(args), args};
	struct grpc_client *c = calloc(1, sizeof(*c));
	grpc_channel_credentials *plain;
	char target[32];

	assert_non_null(c);
	grpc_init();
	plain = grpc_insecure_credentials_create();
	snprintf(target, sizeof(target), "127.0.0.1:%hu", port);
	c->channel = grpc_channel_create(target, plain, &all);
	grpc_channel_credentials_release(plain);
	return c;
}

void grpc_client_free(struct grpc_client *c)
{
	grpc_channel_destroy(c->channel);
	free(c);
	grpc_shutdown_blocking();
}

struct grpc_pending *grpc_begin(struct grpc_client *c, const char *method, const void *data, size_t len,
				unsigned milliseconds)
{
	struct grpc_pending *p = calloc(1, sizeof(*p));
	grpc_slice path = grpc_slice_from_copied_string(method), body = grpc_slice_from_copied_buffer(data, len);
	grpc_byte_buffer *message = grpc_raw_byte_buffer_create(&body, 1);
	gpr_timespec deadline =
		gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC),
			     gpr_time_from_millis(milliseconds ? milliseconds : LIMIT_MS, GPR_TIMESPAN));
	grpc_op ops[] = {{.op = GRPC_OP_SEND_INITIAL_METADATA},  {.op = GRPC_OP_SEND_MESSAGE},
			 {.op = GRPC_OP_SEND_CLOSE_FROM_CLIENT}, {.op = GRPC_OP_RECV_INITIAL_METADATA},
			 {.op = GRPC_OP_RECV_MESSAGE},           {.op = GRPC_OP_RECV_STATUS_ON_CLIENT}};

	assert_non_null(p);
	p->queue = grpc_completion_queue_create_for_pluck(NULL);
	grpc_metadata_array_init(&p->initial);
	grpc_metadata_array_init(&p->trailing);
	p->call = grpc_channel_create_call(c->channel, NULL, GRPC_PROPAGATE_DEFAULTS, p->queue, path, NULL, deadline,
					   NULL);
	ops[1].data.send_message.send_message = message;
	ops[3].data.recv_initial_metadata.recv_initial_metadata = &p->initial;
	ops[4].data.recv_message.recv_message = &p->reply;
	ops[5].data.recv_status_on_client.trailing_metadata = &p->trailing;
	ops[5].data.recv_status_on_client.status = &p->status;
	ops[5].data.recv_status_on_client.status_details = &p->details;
	assert_int_equal(grpc_call_start_batch(p->call, ops, ARRAY_LEN(ops), p, NULL), GRPC_CALL_OK);
	grpc_byte_buffer_destroy(message);
	grpc_slice_unref(body);
	grpc_slice_unref(path);
	return p;
}

void grpc_cancel(struct grpc_pending *p)
{
	assert_int_equal(grpc_call_cancel(p->call, NULL), GRPC_CALL_OK);
}

static void take_reply(struct grpc_pending *p, struct grpc_reply *ret)
{
	grpc_byte_buffer_reader reader;
	grpc_slice all;

	if (!p->reply)
		return;
	assert_true(grpc_byte_buffer_reader_init(&reader, p->reply));
	all = grpc_byte_buffer_reader_readall(&reader);
	ret->len = GRPC_SLICE_LENGTH(all);
	ret->data = malloc(ret->len + 1);
	assert_non_null(ret->data);
	memcpy(ret->data, GRPC_SLICE_START_PTR(all), ret->len);
	grpc_slice_unref(all);
	grpc_byte_buffer_reader_destroy(&reader);
	grpc_byte_buffer_destroy(p->reply);
}

void grpc_finish(struct grpc_pending *p, struct grpc_reply *ret)
{
	size_t len;

	memset(ret, 0, sizeof(*ret));
	assert_int_equal(grpc_completion_queue_pluck(p->queue, p, gpr_inf_future(GPR_CLOCK_MONOTONIC), NULL).type,
			 GRPC_OP_COMPLETE);
	ret->status = (int)p->status;
	len = GRPC_SLICE_LENGTH(p->details);
	if (len >= sizeof(ret->details))
		len = sizeof(ret->details) - 1;
	memcpy(ret->details, GRPC_SLICE_START_PTR(p->details), len);
	take_reply(p, ret);
	grpc_slice_unref(p->details);
	grpc_metadata_array_destroy(&p->initial);
	grpc_metadata_array_destroy(&p->trailing);
	grpc_call_unref(p->call);
	grpc_completion_queue_shutdown(p->queue);
	grpc_completion_queue_destroy(p->queue);
	free(p);
}

void grpc_ask(struct grpc_client *c, const char *method, const void *data, size_t len, struct grpc_reply *ret)
{
	grpc_finish(grpc_begin(c, method, data, len, 0), ret);
}

void grpc_reply_release(struct grpc_reply *r)
{
	free(r->data);
	memset(r, 0, sizeof(*r));
}
