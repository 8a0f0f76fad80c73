/*
 * call_internal.h - what the transports behind call.h share.
 */
#ifndef DRIVERS_CALL_INTERNAL_H
#define DRIVERS_CALL_INTERNAL_H

#include <stdbool.h>

#include "drivers/call.h"

/* The server of a connection (slot / streams). */
static inline const struct endpoint *call_server(const struct call_config *cfg, unsigned connection)
{
	unsigned streams = cfg->streams ? cfg->streams : 1;

	return cfg->servers[(cfg->first_slot / streams + connection) % cfg->nservers];
}

static inline size_t call_body_max(const struct call_config *cfg)
{
	return cfg->body_max ? cfg->body_max : CALL_MESSAGE_MAX;
}

/* When a slot of a reference transport that lost its connection may send again, as the lean ones' links do. */
struct call_pause {
	nsec_t until; /* 0: now */
	struct backoff backoff;
};

struct call_pause *call_pauses_new(const struct call_config *cfg); /* one a slot; free() */
static inline void call_pause_begin(struct call_pause *p, nsec_t now)
{
	p->until = now + backoff_next(&p->backoff);
}
/* The earliest end, or NSEC_NEVER. */
nsec_t call_pauses_next(const struct call_pause *p, unsigned n);
/* Ends those whose time is over; true: there was one. */
bool call_pauses_end(struct call_pause *p, unsigned n, nsec_t now);

/* 0 for a status 2xx, else ERR_SERVER with "SERVER: HTTP 404 Not Found: the body's first words". reason may be "". */
int call_judge_http(const struct endpoint *e, int status, const char *reason, const char *body, size_t size,
		    struct error *err);
/* ERR_SERVER with "SERVER: gRPC NOT_FOUND: message". */
int call_refused_grpc(const struct endpoint *e, int status, const char *message, size_t len, struct error *err);

/* Words of a server for a line of text: no control characters, blanks instead. Returns what fits into size - 1. */
size_t call_words(char *ret, size_t size, const char *words, size_t len);

/* Opens and closes a connection to each server of cfg, so that one that cannot be reached, or is not to be trusted, is
 * told of in the same words whichever library makes the connections later. alpn as in tls_config_new. */
int call_probe(const struct call_config *cfg, const char *alpn, struct error *err) MUST_CHECK;

#endif
