/*
 * call_internal.h - what the transports behind call.h share.
 */
#ifndef DRIVERS_CALL_INTERNAL_H
#define DRIVERS_CALL_INTERNAL_H

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

/* A list of views with room for the next call's, grown at the first call that needs it. */
struct call_views {
	struct iovec *iov;
	int cap;
};

int call_views_reserve(struct call_views *v, int n) MUST_CHECK;

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
