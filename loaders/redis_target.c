/*
 * redis_target.c - an address, resolved, and the way to it.
 */
#include "loaders/redis_target.h"

int redis_target_open(struct redis_target *ret, const char *host, const struct conn_options *o, struct error *err)
{
	struct redis_target t = {.conn = *o};
	int rc = redis_url_parse(&t.url, host, err);

	if (rc < 0)
		return rc;
	if (t.url.password) {
		t.conn.user = t.url.user;
		t.conn.password = t.url.password;
	} else if (t.url.user) {
		t.conn.user = t.url.user;
	}
	t.conn.tls = t.conn.tls || t.url.tls;
	rc = conn_options_check(&t.conn, err);
	if (rc == 0)
		rc = endpoint_resolve(&t.endpoint, t.url.host, t.url.port, t.conn.unix_socket, err);
	if (rc == 0 && t.conn.tls)
		rc = tls_config_new(&t.tls, &t.conn, NULL, err);
	if (rc < 0) {
		redis_target_close(&t);
		return rc;
	}
	*ret = t;
	return 0;
}

void redis_target_close(struct redis_target *t)
{
	endpoint_free(t->endpoint);
	tls_config_free(t->tls);
	redis_url_release(&t->url);
	*t = (struct redis_target){0};
}
