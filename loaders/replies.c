/*
 * replies.c - "+OK\r\n", again and again.
 */
#include "loaders/replies.h"

#include <stdbool.h>
#include <string.h>

#define OK "+OK\r\n"
#define OK_LEN 5

/* Judges r->line, which is whole, without its line end. */
static int judge(struct replies *r, uint64_t *count)
{
	if (r->len > 0 && r->line[r->len - 1] == '\r')
		r->len--;
	r->line[r->len] = '\0';
	if (r->len == 3 && memcmp(r->line, OK, 3) == 0) {
		++*count;
		r->len = 0;
		return 0;
	}
	if (r->line[0] != '-')
		return ERR_PROTOCOL;
	memmove(r->line, r->line + 1, r->len);
	return ERR_SERVER;
}

int replies_feed(struct replies *r, const char *bytes, size_t len, uint64_t *count)
{
	const char *end = bytes + len;

	while (bytes < end) {
		while (r->len == 0 && end - bytes >= OK_LEN && memcmp(bytes, OK, OK_LEN) == 0) {
			++*count;
			bytes += OK_LEN;
		}
		if (bytes == end)
			break;
		/* A line that is no whole OK: collected, and judged at its end or when it is as long as is shown. */
		bool whole = *bytes == '\n';

		if (!whole)
			r->line[r->len++] = *bytes;
		bytes++;
		if (whole || r->len == REPLY_LINE_MAX) {
			int rc = judge(r, count);

			if (rc < 0)
				return rc;
		}
	}
	return 0;
}
