/*
 * body_template.c - request bodies formatted once; see the header.
 */
#include "drivers/body_template.h"

#include <math.h>
#include <stdarg.h>
#include <string.h>

#include "common/arith.h"
#include "common/float_write.h"

/* The next piece, or NULL when the template is full: finish says so. */
static struct body_piece *add_piece(struct body_template *t, enum body_piece_type type)
{
	struct body_piece *p = t->npieces < BODY_PIECES_MAX ? &t->pieces[t->npieces] : NULL;

	t->npieces++;
	if (p)
		*p = (struct body_piece){.type = type, .start = t->text.len};
	return p;
}

void body_template_text(struct body_template *t, const void *bytes, size_t len)
{
	struct body_piece *p = NULL;

	if (t->npieces > 0 && t->npieces <= BODY_PIECES_MAX)
		p = &t->pieces[t->npieces - 1];
	if (!p || p->type != BODY_TEXT)
		p = add_piece(t, BODY_TEXT);
	if (p && buf_append(&t->text, bytes, len) == 0)
		p->len += len;
}

void body_template_printf(struct body_template *t, const char *fmt, ...)
{
	struct buf line = {0};
	va_list args;

	va_start(args, fmt);
	if (buf_vprintf(&line, fmt, args) < 0)
		t->text.failed = true;
	else
		body_template_text(t, line.data, line.len);
	va_end(args);
	buf_release(&line);
}

const char *body_input_name(const struct workload_spec *spec, unsigned i, const char *images)
{
	const char *name = spec->inputs[i].name;

	return strcmp(name, "image") == 0 ? images : name;
}

void body_template_raw(struct body_template *t, unsigned i)
{
	struct body_piece *p = add_piece(t, BODY_RAW);

	if (p)
		p->input = i;
}

/* An upper bound of a row's text: each number with its comma, and two brackets for each array around numbers. */
static bool text_bound(const struct body_piece *p, unsigned batch, size_t *ret)
{
	size_t values = batch, arrays = 1, size, brackets;

	for (unsigned d = 0; d < p->ndims; d++) {
		if (!size_add(&arrays, arrays, values) || !size_mul(&values, values, p->dims[d]))
			return false;
	}
	return size_mul(&size, values, FLOAT_TEXT_MAX + 1) && size_mul(&brackets, arrays, 3) &&
	       size_add(ret, size, brackets);
}

void body_template_json(struct body_template *t, const struct workload_spec *spec, unsigned i, bool batched)
{
	const struct workload_input *input = &spec->inputs[i];
	struct body_piece *p = add_piece(t, BODY_JSON);

	if (!p)
		return;
	p->input = i;
	p->batched = batched;
	p->ndims = input->ndims - 1;
	for (unsigned d = 0; d < p->ndims; d++)
		p->dims[d] = (size_t)input->dims[d + 1];
	p->scratch_start = t->scratch_size;
	if (!text_bound(p, t->batch, &p->scratch_size) || !size_add(&t->scratch_size, t->scratch_size, p->scratch_size))
		t->overflow = true;
}

int body_template_finish(struct body_template *t)
{
	if (t->text.failed)
		return ERR_NOMEM;
	return t->overflow || t->npieces > BODY_PIECES_MAX ? ERR_RANGE : 0;
}

void body_template_release(struct body_template *t)
{
	buf_release(&t->text);
	*t = (struct body_template){0};
}

size_t body_template_iovecs(const struct body_template *t)
{
	size_t n = 0;

	for (unsigned i = 0; i < t->npieces; i++)
		n += t->pieces[i].type == BODY_RAW ? t->batch : 1;
	return n;
}

/* One row's numbers, with the brackets of the dimensions that begin and end between them. NULL: not finite. */
static char *write_row(const struct body_piece *p, char *dst, const char *data)
{
	size_t counts[WORKLOAD_DIMS_MAX] = {0}, values = 1;

	for (unsigned d = 0; d < p->ndims; d++) {
		*dst++ = '[';
		values *= p->dims[d];
	}
	for (size_t i = 0; i < values; i++, data += sizeof(float)) {
		unsigned closed = 0;
		float value;

		memcpy(&value, data, sizeof(value)); /* rows are not aligned */
		if (!isfinite(value))
			return NULL;
		dst += float_write(dst, value);
		for (unsigned d = p->ndims; d-- > 0 && ++counts[d] == p->dims[d]; closed++) {
			counts[d] = 0;
			*dst++ = ']';
		}
		if (i + 1 == values)
			break;
		*dst++ = ',';
		while (closed-- > 0)
			*dst++ = '[';
	}
	return dst;
}

static int write_json(const struct body_piece *p, char *scratch, const struct view *v, unsigned batch,
		      struct iovec *iov)
{
	char *start = scratch + p->scratch_start, *dst = start;

	if (p->batched)
		*dst++ = '[';
	for (unsigned b = 0; b < batch; b++) {
		if (b > 0)
			*dst++ = ',';
		dst = write_row(p, dst, (const char *)v->data + b * v->stride);
		if (!dst)
			return ERR_INVALID;
	}
	if (p->batched)
		*dst++ = ']';
	*iov = (struct iovec){.iov_base = start, .iov_len = (size_t)(dst - start)};
	return 0;
}

static int view_rows(const struct view *v, unsigned batch, struct iovec *iov)
{
	if (v->stride == v->size) {
		*iov = (struct iovec){.iov_base = (char *)(uintptr_t)v->data, .iov_len = v->size * batch};
		return 1;
	}
	for (unsigned b = 0; b < batch; b++)
		iov[b] = (struct iovec){.iov_base = (char *)(uintptr_t)v->data + b * v->stride, .iov_len = v->size};
	return (int)batch;
}

int body_template_encode(const struct body_template *t, char *scratch, const struct view *inputs, struct iovec *iov,
			 size_t *ret_size)
{
	size_t size = 0;
	int n = 0;

	for (unsigned i = 0; i < t->npieces; i++) {
		const struct body_piece *p = &t->pieces[i];

		switch (p->type) {
		case BODY_TEXT:
			iov[n++] = (struct iovec){.iov_base = t->text.data + p->start, .iov_len = p->len};
			break;
		case BODY_RAW:
			n += view_rows(&inputs[p->input], t->batch, iov + n);
			break;
		case BODY_JSON:
			if (write_json(p, scratch, &inputs[p->input], t->batch, &iov[n]) < 0)
				return ERR_INVALID;
			n++;
			break;
		}
	}
	for (int i = 0; i < n; i++)
		size += iov[i].iov_len;
	*ret_size = size;
	return n;
}
