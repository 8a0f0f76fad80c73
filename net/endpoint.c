/*
 * endpoint.c - names of servers and what they resolve to.
 */
#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

#include "net/conn_internal.h"

#define MAX_ADDRESSES 64

static struct endpoint *new_endpoint(unsigned room, const char *host, uint16_t port)
{
	struct endpoint *e = calloc(1, sizeof(*e) + room * sizeof(e->addresses[0]));

	if (!e)
		return NULL;
	e->host = strdup(host);
	e->port = port;
	if (!e->host) {
		free(e);
		return NULL;
	}
	return e;
}

void endpoint_free(struct endpoint *e)
{
	if (!e)
		return;
	free(e->name);
	free(e->host);
	free(e);
}

const char *endpoint_name(const struct endpoint *e)
{
	return e->name;
}

const char *endpoint_host(const struct endpoint *e)
{
	return e->host;
}

uint16_t endpoint_port(const struct endpoint *e)
{
	return e->port;
}

static int resolve_unix(struct endpoint **ret, const char *host, const char *path, struct error *err)
{
	struct sockaddr_un sun = {.sun_family = AF_UNIX};
	struct endpoint *e;

	if (strlen(path) >= sizeof(sun.sun_path))
		return error_set(err, ERR_RANGE, "%s: a Unix socket's path has at most %zu characters", path,
				 sizeof(sun.sun_path) - 1);
	/* The host is what a certificate and a Host header are for. */
	e = new_endpoint(1, host && *host ? host : "localhost", 0);
	if (!e)
		return error_set(err, ERR_NOMEM, "%s: out of memory", path);
	e->name = strdup(path);
	if (!e->name) {
		endpoint_free(e);
		return error_set(err, ERR_NOMEM, "%s: out of memory", path);
	}
	memcpy(sun.sun_path, path, strlen(path) + 1);
	memcpy(&e->addresses[0].sa, &sun, sizeof(sun));
	e->addresses[0].len = sizeof(sun);
	e->naddresses = 1;
	*ret = e;
	return 0;
}

static void add_address(struct endpoint *e, const struct addrinfo *ai)
{
	struct address *a = &e->addresses[e->naddresses];

	if (ai->ai_addrlen > sizeof(a->sa))
		return;
	for (unsigned i = 0; i < e->naddresses; i++) {
		if (e->addresses[i].len == ai->ai_addrlen && !memcmp(&e->addresses[i].sa, ai->ai_addr, ai->ai_addrlen))
			return;
	}
	memcpy(&a->sa, ai->ai_addr, ai->ai_addrlen);
	a->len = ai->ai_addrlen;
	e->naddresses++;
}

int endpoint_resolve(struct endpoint **ret, const char *host, uint16_t port, const char *unix_socket, struct error *err)
{
	const struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV};
	struct addrinfo *list = NULL;
	struct endpoint *e = NULL;
	char service[8];
	int r;

	if (unix_socket && *unix_socket)
		return resolve_unix(ret, host, unix_socket, err);
	if (!host || !*host)
		return error_set(err, ERR_INVALID, "no server was named");
	if (port == 0)
		return error_set(err, ERR_RANGE, "%s: a port is a number from 1 to 65535", host);
	snprintf(service, sizeof(service), "%u", port);
	r = getaddrinfo(host, service, &hints, &list);
	if (r == EAI_SYSTEM)
		return error_set_errno(err, ERR_CONNECT, errno, "%s: cannot find the address of this host", host);
	if (r != 0)
		return error_set(err, ERR_CONNECT, "%s: cannot find the address of this host: %s: is the name right?",
				 host, gai_strerror(r));
	e = new_endpoint(MAX_ADDRESSES, host, port);
	if (!e || asprintf(&e->name, strchr(host, ':') ? "[%s]:%u" : "%s:%u", host, port) < 0) {
		r = error_set(err, ERR_NOMEM, "%s: out of memory", host);
		if (e)
			e->name = NULL;
		goto out;
	}
	for (const struct addrinfo *ai = list; ai && e->naddresses < MAX_ADDRESSES; ai = ai->ai_next)
		add_address(e, ai);
	if (e->naddresses == 0) {
		r = error_set(err, ERR_CONNECT, "%s: this host has no address", host);
		goto out;
	}
	*ret = e;
	e = NULL;
out:
	endpoint_free(e);
	freeaddrinfo(list);
	return r;
}

static int parse_port(uint16_t *ret, const char *digits)
{
	unsigned value = 0;

	if (!*digits)
		return ERR_INVALID;
	for (; *digits; digits++) {
		if (*digits < '0' || *digits > '9')
			return ERR_INVALID;
		value = value * 10 + (unsigned)(*digits - '0');
		if (value > UINT16_MAX)
			return ERR_RANGE;
	}
	if (value == 0)
		return ERR_RANGE;
	*ret = (uint16_t)value;
	return 0;
}

int endpoint_parse(char **ret_host, uint16_t *ret_port, const char *text, uint16_t default_port, struct error *err)
{
	const char *host = text, *end, *colon = strchr(text, ':');
	uint16_t port = default_port;
	char *copy;

	if (*text == '[') {
		host = text + 1;
		end = strchr(host, ']');
		if (!end || (end[1] && end[1] != ':'))
			return error_set(err, ERR_INVALID, "\"%s\" is no server: write [address]:port", text);
		colon = end[1] ? end + 1 : NULL;
	} else if (colon && strchr(colon + 1, ':')) {
		colon = NULL; /* a bare IPv6 address */
		end = text + strlen(text);
	} else {
		end = colon ? colon : text + strlen(text);
	}
	if (colon && parse_port(&port, colon + 1) < 0)
		return error_set(err, ERR_INVALID, "\"%s\" is no server: a port is a number from 1 to 65535", text);
	if (!*text || (end == host && host != text))
		return error_set(err, ERR_INVALID, "\"%s\" is no server: write host:port", text);
	copy = end == host ? strdup("localhost") : strndup(host, (size_t)(end - host));
	if (!copy)
		return error_set(err, ERR_NOMEM, "%s: out of memory", text);
	*ret_host = copy;
	*ret_port = port;
	return 0;
}
