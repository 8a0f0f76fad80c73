/*
 * http_listen.c - resolves an address and listens on it.
 */
#include "servers/model_server/http_listen.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#define BACKLOG 1024

static int open_socket(const struct addrinfo *a)
{
	const int on = 1;
	int fd = socket(a->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), saved;

	if (fd < 0)
		return -1;
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) == 0 &&
	    bind(fd, a->ai_addr, a->ai_addrlen) == 0 && listen(fd, BACKLOG) == 0)
		return fd;
	saved = errno;
	close(fd);
	errno = saved;
	return -1;
}

static unsigned short port_of(int fd)
{
	union {
		struct sockaddr any;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
	} a = {0};
	socklen_t len = sizeof(a);

	if (getsockname(fd, &a.any, &len) < 0)
		return 0;
	return ntohs(a.any.sa_family == AF_INET6 ? a.v6.sin6_port : a.v4.sin_port);
}

int http_listen(int *ret_fd, const char *address, unsigned short port, unsigned short *ret_port, struct error *err)
{
	const struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE};
	const char *host = address ? address : "127.0.0.1";
	struct addrinfo *list;
	char service[8];
	int fd = -1, e;

	snprintf(service, sizeof(service), "%hu", port);
	e = getaddrinfo(host, service, &hints, &list);
	if (e)
		return error_set(err, ERR_IO, "cannot listen on %s: %s", host, gai_strerror(e));
	for (const struct addrinfo *a = list; a && fd < 0; a = a->ai_next)
		fd = open_socket(a);
	e = errno;
	freeaddrinfo(list);
	if (fd < 0)
		return error_set_errno(err, ERR_IO, e, "cannot listen on %s, port %hu", host, port);
	*ret_fd = fd;
	*ret_port = port_of(fd);
	return 0;
}
