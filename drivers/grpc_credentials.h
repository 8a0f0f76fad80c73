/*
 * grpc_credentials.h - what the TLS options mean to the gRPC C core.
 */
#ifndef DRIVERS_GRPC_CREDENTIALS_H
#define DRIVERS_GRPC_CREDENTIALS_H

#include <grpc/grpc_security.h>

#include "net/conn.h"

/* Plain ones without -tls. Released by the caller. ERR_TLS or file.h's codes for certificates that cannot be read. */
int grpc_credentials_new(grpc_channel_credentials **ret, const struct conn_options *o, struct error *err) MUST_CHECK;

#endif
