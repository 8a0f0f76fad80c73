/*
 * http_multipart.c - a multipart body is searched for its delimiter, the headers of each part for its name.
 */
#include "servers/model_server/http_multipart.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

#define BOUNDARY_MAX 70 /* RFC 2046 */
#define DELIMITER_MAX (4 + BOUNDARY_MAX)

struct span {
	const char *p, *end;
};

static void skip_blanks(struct span *s)
{
	while (s->p < s->end && (*s->p == ' ' || *s->p == '\t'))
		s->p++;
}

/* A word at the start of s, whatever its case: taken. */
static bool take_word(struct span *s, const char *word)
{
	size_t len = strlen(word);

	if ((size_t)(s->end - s->p) < len || strncasecmp(s->p, word, len) != 0)
		return false;
	s->p += len;
	return true;
}

/* A parameter's value, quoted or not, to *ret without its quotes; s goes on behind it. */
static bool take_value(struct span *s, struct span *ret)
{
	bool quoted = s->p < s->end && *s->p == '"';
	const char *p = s->p + quoted;

	ret->p = p;
	if (quoted) {
		while (p < s->end && *p != '"')
			p += *p == '\\' && p + 1 < s->end ? 2 : 1;
		if (p == s->end)
			return false;
	} else {
		while (p < s->end && *p != ';' && *p != ' ' && *p != '\t')
			p++;
	}
	ret->end = p;
	s->p = p + quoted;
	return true;
}

/* The value of `name` among the parameters `; a=b; c="d"` of a header. */
static bool find_parameter(struct span s, const char *name, struct span *ret)
{
	for (;;) {
		struct span value;
		bool found;

		skip_blanks(&s);
		if (s.p == s.end || *s.p != ';')
			return false;
		s.p++;
		skip_blanks(&s);
		found = take_word(&s, name) && s.p < s.end && *s.p == '=';
		while (s.p < s.end && *s.p != '=' && *s.p != ';')
			s.p++;
		if (s.p == s.end || *s.p == ';')
			continue;
		s.p++;
		if (!take_value(&s, &value))
			return false;
		if (found) {
			*ret = value;
			return true;
		}
	}
}

/* "\r\n--boundary" from the header's value. */
static int make_delimiter(char delimiter[DELIMITER_MAX], size_t *ret_len, const char *content_type, struct error *err)
{
	struct span s = {content_type, content_type ? content_type + strlen(content_type) : NULL}, boundary;
	size_t len;

	if (!content_type || !take_word(&s, "multipart/form-data"))
		return error_set(err, ERR_UNSUPPORTED, "Content-Type is not multipart/form-data");
	if (!find_parameter(s, "boundary", &boundary) || boundary.p == boundary.end)
		return error_set(err, ERR_FORMAT, "Content-Type names no boundary");
	len = (size_t)(boundary.end - boundary.p);
	if (len > BOUNDARY_MAX)
		return error_set(err, ERR_FORMAT, "boundary of more than %d characters", BOUNDARY_MAX);
	memcpy(delimiter, "\r\n--", 4);
	memcpy(delimiter + 4, boundary.p, len);
	*ret_len = 4 + len;
	return 0;
}

/* The header lines of a part to the empty one; body goes on with the data. */
static int take_headers(struct span *body, struct multipart_part *part, struct error *err)
{
	bool named = false;

	for (;;) {
		const char *end = memmem(body->p, (size_t)(body->end - body->p), "\r\n", 2);
		struct span line = {body->p, end}, name;

		if (!end)
			return error_set(err, ERR_FORMAT, "multipart body ends within a part's headers");
		body->p = end + 2;
		if (line.p == line.end)
			break;
		if (!take_word(&line, "content-disposition:"))
			continue;
		skip_blanks(&line);
		if (!take_word(&line, "form-data") || !find_parameter(line, "name", &name))
			return error_set(err, ERR_FORMAT, "multipart part without a name");
		part->name = name.p;
		part->name_len = (size_t)(name.end - name.p);
		named = true;
	}
	return named ? 0 : error_set(err, ERR_FORMAT, "multipart part without Content-Disposition");
}

/* Behind a delimiter: *ret_last for the closing one; else the line's end is taken. */
static int take_delimiter_end(struct span *body, bool *ret_last, struct error *err)
{
	*ret_last = take_word(body, "--");
	if (*ret_last)
		return 0;
	skip_blanks(body);
	return take_word(body, "\r\n") ? 0 : error_set(err, ERR_FORMAT, "multipart boundary not alone in its line");
}

/* Behind the next delimiter of s; *ret_data: what is before it. */
static bool skip_to_delimiter(struct span *s, const char *delimiter, size_t len, struct span *ret_data)
{
	const char *at = memmem(s->p, (size_t)(s->end - s->p), delimiter, len);

	if (!at)
		return false;
	*ret_data = (struct span){s->p, at};
	s->p = at + len;
	return true;
}

static const struct multipart_part *find_part(const struct multipart *m, const char *name, size_t len)
{
	for (size_t i = 0; i < m->nparts; i++) {
		if (m->parts[i].name_len == len && !memcmp(m->parts[i].name, name, len))
			return &m->parts[i];
	}
	return NULL;
}

int multipart_parse(struct multipart *ret, const char *content_type, const char *body, size_t len, struct error *err)
{
	char delimiter[DELIMITER_MAX];
	struct span s = {body, body + len}, data;
	struct multipart m = {.nparts = 0};
	size_t delimiter_len = 0;
	bool last, found = true;
	int r = make_delimiter(delimiter, &delimiter_len, content_type, err);

	if (r < 0)
		return r;
	/* The first one may stand at the very start, without its line break; what is before it has no meaning. */
	if (len >= delimiter_len - 2 && !memcmp(body, delimiter + 2, delimiter_len - 2))
		s.p += delimiter_len - 2;
	else
		found = skip_to_delimiter(&s, delimiter, delimiter_len, &data);
	while (found) {
		struct multipart_part *part = &m.parts[m.nparts];

		r = take_delimiter_end(&s, &last, err);
		if (r < 0)
			return r;
		if (last) {
			*ret = m;
			return 0;
		}
		if (m.nparts == MULTIPART_PARTS_MAX)
			return error_set(err, ERR_RANGE, "more than %d parts", MULTIPART_PARTS_MAX);
		r = take_headers(&s, part, err);
		if (r < 0)
			return r;
		if (find_part(&m, part->name, part->name_len))
			return error_set(err, ERR_FORMAT, "two multipart parts are named \"%.*s\"",
					 (int)(part->name_len < 64 ? part->name_len : 64), part->name);
		found = skip_to_delimiter(&s, delimiter, delimiter_len, &data);
		if (found) {
			part->data = data.p;
			part->len = (size_t)(data.end - data.p);
			m.nparts++;
		}
	}
	return error_set(err, ERR_FORMAT, "multipart body ends without its boundary");
}

const struct multipart_part *multipart_find(const struct multipart *m, const char *name)
{
	return find_part(m, name, strlen(name));
}
