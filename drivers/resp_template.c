/*
 * resp_template.c - Redis commands formatted once; see the header.
 */
#include "drivers/resp_template.h"

#include <string.h>

#include "common/decimal.h"

/* "$", digits, "\r\n" before an argument and "\r\n" behind it */
#define FRAME_MAX (DECIMAL_MAX + 5)

/* The next piece, or NULL when the template is full: finish says so. */
static struct resp_piece *add_piece(struct resp_template *t, enum resp_piece_type type)
{
	struct resp_piece *p = t->npieces < RESP_TEMPLATE_PIECES ? &t->pieces[t->npieces] : NULL;

	t->npieces++;
	if (p)
		*p = (struct resp_piece){.type = type, .start = t->literals.len};
	return p;
}

static void add_text(struct resp_template *t, const void *bytes, size_t len)
{
	struct resp_piece *p = NULL;

	if (t->npieces > 0 && t->npieces <= RESP_TEMPLATE_PIECES)
		p = &t->pieces[t->npieces - 1];
	if (!p || p->type != RESP_PIECE_TEXT)
		p = add_piece(t, RESP_PIECE_TEXT);
	if (p && buf_append(&t->literals, bytes, len) == 0)
		p->len += len;
}

static void add_prefix(struct resp_template *t, char type, uint64_t value)
{
	char text[FRAME_MAX] = {type};
	size_t n = 1 + decimal_write(text + 1, value);

	text[n++] = '\r';
	text[n++] = '\n';
	add_text(t, text, n);
}

void resp_template_command(struct resp_template *t, size_t nargs)
{
	add_prefix(t, '*', nargs);
	t->ncommands++;
}

void resp_template_arg(struct resp_template *t, const char *text)
{
	size_t len = strlen(text);

	add_prefix(t, '$', len);
	add_text(t, text, len);
	add_text(t, "\r\n", 2);
}

void resp_template_number(struct resp_template *t, uint64_t value)
{
	char text[DECIMAL_MAX + 1];

	text[decimal_write(text, value)] = '\0';
	resp_template_arg(t, text);
}

void resp_template_key(struct resp_template *t, const char *before, const char *after)
{
	struct resp_piece *p = add_piece(t, RESP_PIECE_KEY);

	if (!p)
		return;
	p->len = strlen(before);
	p->after = strlen(after);
	if (buf_append(&t->literals, before, p->len) == 0)
		(void)buf_append(&t->literals, after, p->after);
	t->nids++;
}

void resp_template_payload(struct resp_template *t, size_t size)
{
	add_prefix(t, '$', size);
	(void)add_piece(t, RESP_PIECE_PAYLOAD);
	t->npayloads++;
	add_text(t, "\r\n", 2);
}

int resp_template_finish(struct resp_template *t)
{
	if (t->literals.failed)
		return ERR_NOMEM;
	if (t->npieces > RESP_TEMPLATE_PIECES || t->npayloads > RESP_TEMPLATE_PAYLOADS)
		return ERR_RANGE;
	t->text_max = t->literals.len + t->nids * (FRAME_MAX + DECIMAL_MAX);
	return 0;
}

void resp_template_release(struct resp_template *t)
{
	buf_release(&t->literals);
	*t = (struct resp_template){0};
}

/* Writes "$<len>\r\n<before><digits of id><after>\r\n" and returns where the id is. */
static size_t layout_key(const struct resp_template *t, const struct resp_piece *p, char *text, size_t *at,
			 size_t digits)
{
	const char *literals = t->literals.data + p->start;
	size_t id;

	text[(*at)++] = '$';
	*at += decimal_write(text + *at, p->len + digits + p->after);
	memcpy(text + *at, "\r\n", 2);
	memcpy(text + *at + 2, literals, p->len);
	id = *at + 2 + p->len;
	memcpy(text + id + digits, literals + p->len, p->after);
	*at = id + digits + p->after;
	memcpy(text + *at, "\r\n", 2);
	*at += 2;
	return id;
}

/* Lays the text out for ids of so many digits; the digits themselves are left to the encode. */
static void layout(const struct resp_template *t, struct resp_scratch *s, size_t digits)
{
	unsigned nids = 0, ncuts = 1;
	size_t at = 0;

	for (unsigned i = 0; i < t->npieces; i++) {
		const struct resp_piece *p = &t->pieces[i];

		switch (p->type) {
		case RESP_PIECE_TEXT:
			memcpy(s->text + at, t->literals.data + p->start, p->len);
			at += p->len;
			break;
		case RESP_PIECE_KEY:
			s->ids[nids++] = layout_key(t, p, s->text, &at, digits);
			break;
		case RESP_PIECE_PAYLOAD:
			s->cuts[ncuts++] = at;
			break;
		}
	}
	s->cuts[0] = 0;
	s->cuts[ncuts] = at;
	s->made_from = t;
	s->digits = digits;
}

size_t resp_template_iovecs(const struct resp_template *t, unsigned batch)
{
	return 1 + t->npayloads * ((size_t)batch + 1);
}

int resp_template_encode(const struct resp_template *t, struct resp_scratch *s, uint64_t id,
			 const struct view *payloads, unsigned batch, struct iovec *iov)
{
	char digits[DECIMAL_MAX];
	size_t ndigits = decimal_write(digits, id);
	int n = 0;

	if (s->made_from != t || s->digits != ndigits)
		layout(t, s, ndigits);
	for (unsigned i = 0; i < t->nids; i++)
		memcpy(s->text + s->ids[i], digits, ndigits);
	for (unsigned i = 0; i <= t->npayloads; i++) {
		const struct view *v = &payloads[i];

		iov[n++] = (struct iovec){.iov_base = s->text + s->cuts[i], .iov_len = s->cuts[i + 1] - s->cuts[i]};
		if (i == t->npayloads)
			break;
		if (v->stride == v->size) {
			iov[n++] = (struct iovec){.iov_base = (void *)v->data, .iov_len = v->size * batch};
			continue;
		}
		for (unsigned b = 0; b < batch; b++)
			iov[n++] = (struct iovec){.iov_base = (char *)v->data + b * v->stride, .iov_len = v->size};
	}
	return n;
}
