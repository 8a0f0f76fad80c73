/*
 * servers.c - comma lists of hosts and ports; see the header.
 */
#include "drivers/servers.h"

#include <stdlib.h>
#include <string.h>

#include "common/arith.h"

#define SERVERS_MAX 1024

/* Item `index` of a comma list, a copy; a list of one stands for every index. */
static char *list_item(const char *list, size_t n, size_t index)
{
	for (size_t i = 0; n > 1 && i < index; i++)
		list = strchr(list, ',') + 1;
	return strndup(list, strcspn(list, ","));
}

static size_t list_length(const char *list)
{
	size_t n = 1;

	for (; *list; list++)
		n += *list == ',';
	return n;
}

static int parse_port(uint16_t *ret, const char *text, const char *option, struct error *err)
{
	char *end;
	unsigned long port = strtoul(text, &end, 10);

	if (*text < '0' || *text > '9' || *end || port == 0 || port > UINT16_MAX)
		return error_set(err, ERR_USAGE, "%s \"%s\": not a port number from 1 to 65535", option, text);
	*ret = (uint16_t)port;
	return 0;
}

static int add_item(struct servers *s, const struct servers_config *cfg, const char *host, const char *port_text,
		    struct error *err)
{
	static const char *const SCHEMES[] = {"redis://", "rediss://", "http://", "https://"};
	char *name = NULL;
	struct error why;
	uint16_t port;
	int r = parse_port(&port, port_text, cfg->port_option, err);

	if (r < 0)
		return r;
	for (size_t i = 0; i < ARRAY_LEN(SCHEMES); i++) {
		if (strncmp(host, SCHEMES[i], strlen(SCHEMES[i])) == 0) {
			host += strlen(SCHEMES[i]);
			break;
		}
	}
	r = endpoint_parse(&name, &port, host, port, &why);
	if (r < 0)
		return error_set(err, r == ERR_NOMEM ? ERR_NOMEM : ERR_USAGE, "%s: %s", cfg->host_option, why.text);
	r = servers_add(s, name, port, NULL, err);
	free(name);
	return r < 0 ? r : 0;
}

static int add_list(struct servers *s, const struct servers_config *cfg, struct error *err)
{
	size_t nhosts = list_length(cfg->hosts), nports = list_length(cfg->ports);
	size_t n = nhosts > nports ? nhosts : nports;
	int r = 0;

	if ((nhosts != 1 && nhosts != n) || (nports != 1 && nports != n))
		return error_set(err, ERR_USAGE, "%s lists %zu hosts but %s %zu ports: list as many, or one for all",
				 cfg->host_option, nhosts, cfg->port_option, nports);
	if (n > SERVERS_MAX)
		return error_set(err, ERR_USAGE, "%s lists %zu servers, over the limit of %d", cfg->host_option, n,
				 SERVERS_MAX);
	for (size_t i = 0; r == 0 && i < n; i++) {
		char *host = list_item(cfg->hosts, nhosts, i), *port = list_item(cfg->ports, nports, i);

		r = host && port ? add_item(s, cfg, host, port, err) : error_set(err, ERR_NOMEM, "out of memory");
		free(host);
		free(port);
	}
	return r;
}

int servers_open(struct servers *s, const struct servers_config *cfg, struct error *err)
{
	const struct conn_options *conn = cfg->conn;
	int r = conn_options_check(conn, err);

	if (r == 0)
		r = conn->unix_socket ? servers_add(s, NULL, 0, conn->unix_socket, err) : add_list(s, cfg, err);
	if (r >= 0 && conn->tls)
		r = tls_config_new(&s->tls, conn, cfg->alpn, err);
	if (r < 0)
		servers_release(s);
	return r < 0 ? r : 0;
}

int servers_add(struct servers *s, const char *host, uint16_t port, const char *unix_socket, struct error *err)
{
	struct endpoint *e = NULL, **endpoints;
	int r = endpoint_resolve(&e, host, port, unix_socket, err);

	if (r < 0)
		return r;
	for (unsigned i = 0; i < s->n; i++) {
		if (strcmp(endpoint_name(s->endpoints[i]), endpoint_name(e)) == 0) {
			endpoint_free(e);
			return (int)i;
		}
	}
	endpoints = realloc(s->endpoints, (s->n + 1) * sizeof(struct endpoint *));
	if (!endpoints) {
		endpoint_free(e);
		return error_set(err, ERR_NOMEM, "out of memory");
	}
	s->endpoints = endpoints;
	s->endpoints[s->n] = e;
	return (int)s->n++;
}

void servers_release(struct servers *s)
{
	for (unsigned i = 0; i < s->n; i++)
		endpoint_free(s->endpoints[i]);
	free(s->endpoints);
	tls_config_free(s->tls);
	*s = (struct servers){0};
}
