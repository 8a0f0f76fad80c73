/*
 * json_answer.h - one output tensor out of a server's JSON reply, and an error's words.
 *
 * TensorFlow Serving answers {"outputs": …} to inputs by name, TorchServe's fraud handler and the plain REST server
 * {"outputs": …}, TorchServe's image models an array alone. The value is an array of numbers, nested as its shape is,
 * or an object that has such an array for each output. NaN and Infinity, which TensorFlow Serving writes, are numbers: whether
 * they are right is for the workload to say.
 */
#ifndef DRIVERS_JSON_ANSWER_H
#define DRIVERS_JSON_ANSWER_H

#include <stddef.h>

#include "common/error.h"
#include "workloads/workload.h"

/*
 * Reads the numbers into values (room for max) and describes them in *ret. body as for json_open: body[size] is NUL, and
 * it is read but once. output: which one of several is meant; NULL: the first. ERR_PROTOCOL with its reason for what is
 * no such reply.
 */
int json_answer(char *body, size_t size, const char *output, float *values, size_t max, struct answer *ret,
		struct error *err) MUST_CHECK;

/* The string member of an error reply ("error", "message") as one line; false: the body has none. */
bool json_words(char *dst, size_t dst_size, char *body, size_t size, const char *member);

#endif
