/*
 * http_client.c - blocking sockets with a time limit; replies by their Content-Length.
 */
#include "tests/servers/model_server/http_client.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define LIMIT_SECONDS 20

int http_connect(unsigned short port)
{
	const struct sockaddr_in to = {
		.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	const struct timeval limit = {.tv_sec = LIMIT_SECONDS};
	const int on = 1;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	if (connect(fd, (const struct sockaddr *)&to, sizeof(to)) < 0)
		fail_msg("cannot connect to port %hu: %s", port, strerror(errno));
	return fd;
}

bool http_send(int fd, const void *data, size_t len)
{
	const char *p = data;

	while (len > 0) {
		ssize_t n = send(fd, p, len, MSG_NOSIGNAL);

		if (n < 0)
			return false;
		p += n;
		len -= (size_t)n;
	}
	return true;
}

/* Keeps the first problem of a reply. False, for callers to return. */
static bool PRINTF_LIKE(2, 3) problem(struct http_reply *r, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	if (!r->problem[0])
		vsnprintf(r->problem, sizeof(r->problem), fmt, args);
	va_end(args);
	return false;
}

/* Up to max bytes; with MSG_PEEK they stay to be received. False: closed, or a problem. */
static bool receive_some(int fd, struct http_reply *r, struct buf *to, size_t max, int flags)
{
	char piece[65536];
	ssize_t n = recv(fd, piece, max < sizeof(piece) ? max : sizeof(piece), flags);

	if (n < 0 && errno != ECONNRESET)
		return problem(r, "nothing received within %d s: %s", LIMIT_SECONDS, strerror(errno));
	if (n > 0 && buf_append(to, piece, (size_t)n) < 0)
		return problem(r, "out of memory");
	return n > 0;
}

/* To the empty line and no byte further: the next reply may be there already. */
static bool receive_head(int fd, struct http_reply *r)
{
	struct buf *head = &r->head;

	for (;;) {
		size_t had = head->len;
		const char *end;

		if (!receive_some(fd, r, head, SIZE_MAX, MSG_PEEK))
			return had ? problem(r, "closed within the headers: %s", head->data) : false;
		end = strstr(head->data, "\r\n\r\n");
		if (end)
			head->len = (size_t)(end - head->data) + 4;
		if (recv(fd, head->data + had, head->len - had, MSG_WAITALL) != (ssize_t)(head->len - had))
			return problem(r, "what was there is not to be received");
		head->data[head->len] = '\0';
		if (end)
			return true;
	}
}

const char *http_reply_header(const struct http_reply *r, const char *name, char *ret, size_t size)
{
	size_t len = strlen(name);

	ret[0] = '\0';
	for (const char *line = strstr(r->head.data, "\r\n"); line; line = strstr(line, "\r\n")) {
		line += 2;
		if (!strncasecmp(line, name, len) && line[len] == ':')
			snprintf(ret, size, "%.*s", (int)strcspn(line + len + 2, "\r"), line + len + 2);
	}
	return ret;
}

bool http_try_receive(int fd, struct http_reply *ret)
{
	char text[32];
	size_t length;

	buf_clear(&ret->head);
	buf_clear(&ret->body);
	ret->problem[0] = '\0';
	if (!receive_head(fd, ret))
		return false;
	if (sscanf(ret->head.data, "HTTP/1.1 %u ", &ret->status) != 1)
		return problem(ret, "no HTTP reply: %.100s", ret->head.data);
	length = strtoul(http_reply_header(ret, "Content-Length", text, sizeof(text)), NULL, 10);
	while (ret->body.len < length) {
		if (!receive_some(fd, ret, &ret->body, length - ret->body.len, 0))
			return problem(ret, "closed after %zu bytes of a body of %zu", ret->body.len, length);
	}
	return true;
}

bool http_receive(int fd, struct http_reply *ret)
{
	bool whole = http_try_receive(fd, ret);

	if (ret->problem[0])
		fail_msg("%s", ret->problem);
	return whole;
}

void http_reply_release(struct http_reply *r)
{
	buf_release(&r->head);
	buf_release(&r->body);
}

void http_request_text(struct buf *ret, const char *method, const char *path, const char *headers, const void *body,
		       size_t len)
{
	buf_clear(ret);
	buf_printf(ret, "%s %s HTTP/1.1\r\nHost: test\r\n%s", method, path, headers ? headers : "");
	if (body || !strcmp(method, "POST"))
		buf_printf(ret, "Content-Length: %zu\r\n", len);
	buf_printf(ret, "\r\n");
	buf_append(ret, body, len);
	assert_false(ret->failed);
}

void http_ask(unsigned short port, const char *method, const char *path, const char *headers, const void *body,
	      size_t len, struct http_reply *ret)
{
	int fd = http_connect(port);
	struct buf text = {0};

	http_request_text(&text, method, path, headers, body, len);
	assert_true(http_send(fd, text.data, text.len));
	if (!http_receive(fd, ret))
		fail_msg("%s %s: closed without an answer", method, path);
	close(fd);
	buf_release(&text);
}
