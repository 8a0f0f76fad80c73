/*
 * triton_parameter.h - parameters of Triton's tensors that the server does not know, but must not pass over either.
 */
#ifndef SERVERS_MODEL_SERVER_TRITON_PARAMETER_H
#define SERVERS_MODEL_SERVER_TRITON_PARAMETER_H

#include <stddef.h>

/* What is to be answered to a parameter (name not NUL-terminated) that changes where a tensor's data is or what is asked
 * for; NULL: nothing, it may be ignored. */
const char *triton_parameter_refused(const char *name, size_t len);

#endif
