/*
 * http1.c - HTTP/1.1 without a socket; see the header.
 */
#include "net/http1.h"

#include <http_parser.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/decimal.h"

#define REASON_MAX 64
/* Smaller rests are read with what follows them. */
#define ROOM_MIN ((size_t)16 << 10)

enum stage { STAGE_NOTHING, STAGE_HEAD, STAGE_BODY, STAGE_WHOLE };

struct http1_parser {
	http_parser parser;
	http_parser_settings settings;
	const char *wanted;
	size_t wanted_len, body_max;
	enum stage stage;
	bool known_length;
	size_t field_len; /* of the header name so far */
	bool field_fits, in_value, is_wanted, had_wanted, number_ended;
	size_t reason_len;
	char reason[REASON_MAX];
	struct buf body;
	struct http1_reply reply;
	int code; /* of a callback that refused */
	struct error error;
};

/* ---- requests ---- */

/* Text that stays in its line: no control characters, and no spaces where they would end the word. */
static bool is_line(const char *text, bool word)
{
	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;

		if ((c < ' ' && c != '\t') || c == 0x7f || (word && (c == ' ' || c == '\t')))
			return false;
	}
	return true;
}

int http1_head_make(struct buf *head, const struct http1_request *q, struct error *err)
{
	if (!is_line(q->path, true) || q->path[0] != '/')
		return error_set(err, ERR_USAGE, "\"%s\" cannot be the path of a request", q->path);
	if (!is_line(q->host, true) || (q->content_type && !is_line(q->content_type, false)))
		return error_set(err, ERR_USAGE, "the host or the content type cannot be sent in a header");
	buf_printf(head, "%s %s HTTP/1.1\r\nHost: %s\r\nUser-Agent: aibench\r\nAccept: */*\r\n", q->method, q->path,
		   q->host);
	if (q->content_type)
		buf_printf(head, "Content-Type: %s\r\n", q->content_type);
	for (size_t i = 0; i < q->nheaders; i++) {
		const struct call_header *h = &q->headers[i];

		if (!*h->name || !is_line(h->name, true) || strchr(h->name, ':') || !is_line(h->value, false))
			return error_set(err, ERR_USAGE, "\"%s: %s\" cannot be a header", h->name, h->value);
		buf_printf(head, "%s: %s\r\n", h->name, h->value);
	}
	buf_printf(head, "Content-Length: ");
	return head->failed ? error_set(err, ERR_NOMEM, "out of memory") : 0;
}

size_t http1_head_finish(char *head, size_t len, uint64_t body_size)
{
	len += decimal_write(head + len, body_size);
	memcpy(head + len, "\r\n\r\n", 4);
	return len + 4;
}

/* ---- replies ---- */

static int refuse(struct http1_parser *p, int code)
{
	p->code = code;
	return -1;
}

static int too_large(struct http1_parser *p)
{
	return refuse(p, error_set(&p->error, ERR_RANGE, "the reply's body is larger than %zu bytes", p->body_max));
}

static int on_begin(http_parser *parser)
{
	struct http1_parser *p = parser->data;

	p->stage = STAGE_HEAD;
	p->reason_len = 0;
	p->in_value = p->is_wanted = p->had_wanted = p->number_ended = false;
	p->field_len = 0;
	p->field_fits = true;
	p->reply.header = -1;
	return 0;
}

static int on_reason(http_parser *parser, const char *at, size_t len)
{
	struct http1_parser *p = parser->data;
	size_t room = REASON_MAX - 1 - p->reason_len;

	if (len > room)
		len = room;
	memcpy(p->reason + p->reason_len, at, len);
	p->reason_len += len;
	return 0;
}

static int on_header_name(http_parser *parser, const char *at, size_t len)
{
	struct http1_parser *p = parser->data;

	if (!p->wanted)
		return 0;
	if (p->in_value) {
		p->in_value = false;
		p->field_len = 0;
		p->field_fits = true;
	}
	p->field_fits = p->field_fits && len <= p->wanted_len - p->field_len &&
			strncasecmp(at, p->wanted + p->field_len, len) == 0;
	if (p->field_fits)
		p->field_len += len;
	return 0;
}

/* Digits with nothing but blanks behind them; what is no number counts as no header. */
static void take_digits(struct http1_parser *p, const char *at, size_t len)
{
	int64_t value = p->reply.header < 0 ? 0 : p->reply.header;

	for (size_t i = 0; i < len; i++) {
		bool digit = at[i] >= '0' && at[i] <= '9';

		if (!p->number_ended && digit && !__builtin_mul_overflow(value, 10, &value) &&
		    !__builtin_add_overflow(value, at[i] - '0', &value)) {
			p->reply.header = value;
		} else if (!digit && (at[i] == ' ' || at[i] == '\t')) {
			p->number_ended = true;
		} else {
			p->reply.header = -1;
			p->is_wanted = false;
			return;
		}
	}
}

static int on_header_value(http_parser *parser, const char *at, size_t len)
{
	struct http1_parser *p = parser->data;

	if (!p->wanted)
		return 0;
	if (!p->in_value) {
		p->in_value = true;
		p->is_wanted = p->field_fits && p->field_len == p->wanted_len && !p->had_wanted;
		p->had_wanted = p->had_wanted || p->is_wanted;
	}
	if (p->is_wanted)
		take_digits(p, at, len);
	return 0;
}

static int on_head_end(http_parser *parser)
{
	struct http1_parser *p = parser->data;

	p->stage = STAGE_BODY;
	p->known_length = !(parser->flags & F_CHUNKED) && (parser->flags & F_CONTENTLENGTH);
	if (parser->status_code == 101)
		return refuse(p, error_set(&p->error, ERR_PROTOCOL, "the server wants to speak another protocol"));
	if (!p->known_length)
		return 0;
	if (parser->content_length > p->body_max)
		return too_large(p);
	if (buf_reserve(&p->body, (size_t)parser->content_length) < 0)
		return refuse(p, error_set(&p->error, ERR_NOMEM, "out of memory for the reply's body"));
	return 0;
}

static int on_body(http_parser *parser, const char *at, size_t len)
{
	struct http1_parser *p = parser->data;
	struct buf *b = &p->body;

	if (len > p->body_max - b->len)
		return too_large(p);
	if (b->data && at == b->data + b->len && len < b->cap - b->len) {
		b->len += len; /* read to http1_parser_room */
		b->data[b->len] = '\0';
		return 0;
	}
	if (buf_append(b, at, len) < 0)
		return refuse(p, error_set(&p->error, ERR_NOMEM, "out of memory for the reply's body"));
	return 0;
}

static int on_end(http_parser *parser)
{
	struct http1_parser *p = parser->data;

	if (parser->status_code / 100 == 1)
		return 0;
	p->stage = STAGE_WHOLE;
	p->reason[p->reason_len] = '\0';
	p->reply.status = parser->status_code;
	p->reply.reason = p->reason;
	p->reply.keep_alive = http_should_keep_alive(parser) != 0;
	p->reply.body = p->body.data ? p->body.data : "";
	p->reply.size = p->body.len;
	http_parser_pause(parser, 1);
	return 0;
}

int http1_parser_feed(struct http1_parser *p, const char *bytes, size_t len, size_t *ret_used, struct error *err)
{
	enum http_errno e;
	size_t used;

	if (p->stage == STAGE_WHOLE)
		return error_set(err, ERR_PROTOCOL, "the server sent more than one reply");
	if (len == 0)
		return 0;
	used = http_parser_execute(&p->parser, &p->settings, bytes, len);
	e = HTTP_PARSER_ERRNO(&p->parser);
	if (p->stage == STAGE_WHOLE && e == HPE_PAUSED) {
		*ret_used = used;
		return 1;
	}
	if (p->code) {
		if (err)
			*err = p->error;
		return p->code;
	}
	if (e != HPE_OK)
		return error_set(err, ERR_PROTOCOL, "the server's reply is not HTTP/1.1: %s",
				 http_errno_description(e));
	return 0;
}

int http1_parser_end(struct http1_parser *p, struct error *err)
{
	if (p->stage == STAGE_BODY && HTTP_PARSER_ERRNO(&p->parser) == HPE_OK)
		http_parser_execute(&p->parser, &p->settings, NULL, 0);
	switch (p->stage) {
	case STAGE_WHOLE:
		return 1;
	case STAGE_BODY:
		return error_set(
			err, ERR_CLOSED,
			"the server closed the connection in the middle of its reply (after %zu bytes of the body)",
			p->body.len);
	case STAGE_HEAD:
		return error_set(err, ERR_CLOSED, "the server closed the connection in the middle of its reply");
	case STAGE_NOTHING:
		break;
	}
	return error_set(err, ERR_CLOSED, "the server closed the connection without an answer");
}

char *http1_parser_room(struct http1_parser *p, size_t *ret_size)
{
	if (p->stage != STAGE_BODY || !p->known_length || p->parser.content_length < ROOM_MIN ||
	    p->parser.content_length >= p->body.cap - p->body.len)
		return NULL;
	*ret_size = (size_t)p->parser.content_length;
	return p->body.data + p->body.len;
}

const struct http1_reply *http1_parser_reply(const struct http1_parser *p)
{
	return &p->reply;
}

void http1_parser_reset(struct http1_parser *p)
{
	http_parser_init(&p->parser, HTTP_RESPONSE);
	p->parser.data = p;
	p->stage = STAGE_NOTHING;
	p->known_length = false;
	p->code = 0;
	buf_clear(&p->body);
	p->reply = (struct http1_reply){.header = -1};
}

int http1_parser_new(struct http1_parser **ret, const char *wanted, size_t body_max)
{
	struct http1_parser *p = calloc(1, sizeof(*p));

	if (!p)
		return ERR_NOMEM;
	http_parser_settings_init(&p->settings);
	p->settings.on_message_begin = on_begin;
	p->settings.on_status = on_reason;
	p->settings.on_header_field = on_header_name;
	p->settings.on_header_value = on_header_value;
	p->settings.on_headers_complete = on_head_end;
	p->settings.on_body = on_body;
	p->settings.on_message_complete = on_end;
	p->wanted = wanted;
	p->wanted_len = wanted ? strlen(wanted) : 0;
	p->body_max = body_max;
	http1_parser_reset(p);
	*ret = p;
	return 0;
}

void http1_parser_free(struct http1_parser *p)
{
	if (!p)
		return;
	buf_release(&p->body);
	free(p);
}
