/*
 * rpc_triton.h - how Triton's methods name a model, and its version.
 */
#ifndef SERVERS_MODEL_SERVER_RPC_TRITON_H
#define SERVERS_MODEL_SERVER_RPC_TRITON_H

#include "servers/model_server/rpc.h"

/* version: digits, or empty for the highest. The reference is the caller's; false: the call has failed. */
bool triton_acquire(struct rpc *c, struct wire name, struct wire version, struct served_model **ret);

/* Every question about a model is {name 1, version 2} or empty; false: the call has failed. */
bool triton_read_question(struct rpc *c, struct wire *ret_name, struct wire *ret_version);
/* A version as the protocol has it: in digits. */
void triton_put_version(struct buf *b, uint32_t number, int64_t version);

#endif
