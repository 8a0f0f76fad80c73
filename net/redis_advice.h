/*
 * redis_advice.h - what to do about the error replies of Redis and RedisAI that users meet.
 */
#ifndef NET_REDIS_ADVICE_H
#define NET_REDIS_ADVICE_H

#include <stdbool.h>
#include <stddef.h>

#include "common/error.h"

#define REDIS_REPLY_SHOWN 256 /* bytes of an error reply in a message, so that advice finds room behind it */

struct redis_advice {
	const char *begins; /* what such a reply begins with, with or without the code ERR before it */
	const char *text;
	bool alone; /* the advice says all that the reply does */
};

/* The advice on an error reply (without its dash), or NULL. */
const struct redis_advice *redis_advice_find(const char *reply, size_t len);
/* Adds ": " and the advice, if there is one, to a text that ends with the reply. err may be NULL. */
void redis_advice_append(struct error *err, const char *reply, size_t len);

#endif
