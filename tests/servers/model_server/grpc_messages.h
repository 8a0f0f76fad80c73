/*
 * grpc_messages.h - requests for the tests, encoded by protobuf-c and not by the server's own writer.
 */
#ifndef TESTS_SERVERS_MODEL_SERVER_GRPC_MESSAGES_H
#define TESTS_SERVERS_MODEL_SERVER_GRPC_MESSAGES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MESSAGE_INPUTS_MAX 3

struct message_input {
	const char *name;
	int dt;               /* TensorFlow's number */
	const char *datatype; /* Triton's word */
	const int64_t *shape;
	size_t rank;
	const void *data; /* NULL: Triton's request has no contents of it */
	size_t size;      /* bytes */
};

struct message {
	const char *model, *signature, *label, *output; /* NULL: not given */
	int64_t version;                                /* 0: not given */
	bool typed;                                     /* float values or int32 values in place of contents as bytes */
	/* Triton's, of the first input and the output, with the value 1; NULL: none. */
	const char *input_parameter, *output_parameter;
	struct message_input inputs[MESSAGE_INPUTS_MAX];
	size_t ninputs;
};

/* malloc'd. */
unsigned char *message_predict(const struct message *m, size_t *ret_len);
unsigned char *message_infer(const struct message *m, size_t *ret_len);

#endif
