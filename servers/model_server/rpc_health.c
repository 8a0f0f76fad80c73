/*
 * rpc_health.c - grpc.health.v1.Health/Check, which gRPC's own probes ask.
 *
 * HealthCheckRequest {service 1}; HealthCheckResponse {status 1}:
 * https://github.com/grpc/grpc/blob/master/doc/health-checking.md
 */
#include <string.h>

#include "servers/model_server/rpc.h"

enum serving_status { SERVING = 1, NOT_SERVING = 2 };

static bool read_service(struct rpc *c, struct wire *ret)
{
	struct wire rest = c->request;
	struct wire_field f;
	int r;

	*ret = (struct wire){NULL, 0};
	while ((r = wire_next(&rest, &f)) == 1) {
		if (wire_is(&f, 1, WIRE_BYTES))
			*ret = f.bytes;
	}
	return r == 0 || !rpc_malformed(c);
}

/* The name of one of the services here, whose methods are "/SERVICE/METHOD". */
static bool is_service(struct wire name)
{
	for (size_t i = 0; i < rpc_nmethods; i++) {
		const char *path = rpc_methods[i].path + 1;

		/* name may have NUL bytes in it */
		if (strcspn(path, "/") == name.len && memcmp(path, name.data, name.len) == 0)
			return true;
	}
	return false;
}

/* Without a name, or with that of a service: of the server; else of a model. */
bool rpc_health_check(struct rpc *c)
{
	struct repository_entry *entries;
	bool serving = false;
	struct wire name;
	size_t n;
	int r;

	if (!read_service(c, &name))
		return true;
	if (name.len == 0 || is_service(name)) {
		wire_put_varint(&c->reply, 1, repository_ready(c->repository) ? SERVING : NOT_SERVING);
		return true;
	}
	r = repository_list(&entries, &n, c->repository, (const char *)name.data, name.len);
	if (r < 0)
		return rpc_fail_code(c, r, NULL);
	for (size_t i = 0; i < n; i++)
		serving = serving || entries[i].state == SERVED_AVAILABLE;
	repository_list_free(entries, n);
	if (n == 0)
		return rpc_fail(c, RPC_NOT_FOUND, "unknown service: '%.*s' is neither one nor a model",
				name.len < 256 ? (int)name.len : 255, (const char *)name.data);
	wire_put_varint(&c->reply, 1, serving ? SERVING : NOT_SERVING);
	return true;
}
