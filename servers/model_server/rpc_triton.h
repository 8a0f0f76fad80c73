/*
 * rpc_triton.h - how Triton's methods name a model.
 */
#ifndef SERVERS_MODEL_SERVER_RPC_TRITON_H
#define SERVERS_MODEL_SERVER_RPC_TRITON_H

#include "servers/model_server/rpc.h"

/* version: digits, or empty for the highest. The reference is the caller's; false: the call has failed. */
bool triton_acquire(struct rpc *c, struct wire name, struct wire version, struct served_model **ret);

#endif
