/*
 * call.c - the list of transports, and what they say the same way.
 */
#include "drivers/call.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/arith.h"
#include "drivers/call_internal.h"
#include "net/rpc.h"

#define WORDS_MAX 300

static const struct {
	enum call_protocol protocol;
	const struct call_transport_ops *ops;
} transports[] = {
	{CALL_HTTP, &call_http_lean},
	{CALL_HTTP, &call_http_curl},
	{CALL_GRPC, &call_grpc_lean},
	{CALL_GRPC, &call_grpc_core},
};

int call_transport_find(const struct call_transport_ops **ret, enum call_protocol p, const char *name,
			struct error *err)
{
	const char *wanted = name && *name ? name : "lean";

	for (size_t i = 0; i < ARRAY_LEN(transports); i++) {
		if (transports[i].protocol == p && strcmp(transports[i].ops->name, wanted) == 0) {
			*ret = transports[i].ops;
			return 0;
		}
	}
	return error_set(err, ERR_USAGE, "-transport %s: there is %s", wanted,
			 p == CALL_HTTP ? "lean and curl for HTTP" : "lean and grpc-core for gRPC");
}

struct call_pause *call_pauses_new(const struct call_config *cfg)
{
	struct call_pause *p = calloc((size_t)cfg->slots + 1, sizeof(*p));

	for (unsigned i = 0; p && i < cfg->slots; i++)
		backoff_init(&p[i].backoff, cfg->seed + i);
	return p;
}

nsec_t call_pauses_next(const struct call_pause *p, unsigned n)
{
	nsec_t next = NSEC_NEVER;

	for (unsigned i = 0; i < n; i++) {
		if (p[i].until > 0 && p[i].until < next)
			next = p[i].until;
	}
	return next;
}

bool call_pauses_end(struct call_pause *p, unsigned n, nsec_t now)
{
	bool any = false;

	for (unsigned i = 0; i < n; i++) {
		if (p[i].until > 0 && p[i].until <= now) {
			p[i].until = 0;
			any = true;
		}
	}
	return any;
}

size_t call_words(char *ret, size_t size, const char *words, size_t len)
{
	size_t n = 0;

	for (size_t i = 0; i < len && n + 1 < size; i++) {
		bool blank = (unsigned char)words[i] <= ' ' || words[i] == 0x7f;

		if (!blank)
			ret[n++] = words[i];
		else if (n > 0 && ret[n - 1] != ' ')
			ret[n++] = ' ';
	}
	while (n > 0 && ret[n - 1] == ' ')
		n--;
	ret[n] = '\0';
	return n;
}

int call_judge_http(const struct endpoint *e, int status, const char *reason, const char *body, size_t size,
		    struct error *err)
{
	char words[WORDS_MAX];

	if (status / 100 == 2)
		return 0;
	call_words(words, sizeof(words), body, size);
	return error_set(err, ERR_SERVER, "%s: HTTP %d%s%s%s%s", endpoint_name(e), status, *reason ? " " : "", reason,
			 words[0] ? ": " : "", words);
}

int call_refused_grpc(const struct endpoint *e, int status, const char *message, size_t len, struct error *err)
{
	char words[WORDS_MAX];

	call_words(words, sizeof(words), message, len);
	return error_set(err, ERR_SERVER, "%s: gRPC %s%s%s", endpoint_name(e), rpc_status_name(status),
			 words[0] ? ": " : "", words);
}

static int probe(const struct call_config *cfg, const struct endpoint *e, const struct tls_config *tls,
		 struct error *err)
{
	struct conn *c;
	int r = conn_new(&c, e, tls);

	if (r < 0)
		return error_set(err, ERR_NOMEM, "out of memory");
	conn_set_interrupt(c, cfg->conn->interrupt);
	r = conn_open_wait(c, clock_now() + cfg->conn->timeout, err);
	conn_free(c);
	return r;
}

int call_probe(const struct call_config *cfg, const char *alpn, struct error *err)
{
	struct tls_config *tls = NULL;
	int r = cfg->conn->tls ? tls_config_new(&tls, cfg->conn, alpn, err) : 0;

	for (unsigned i = 0; r == 0 && i < cfg->nservers; i++)
		r = probe(cfg, cfg->servers[i], tls, err);
	tls_config_free(tls);
	return r;
}
