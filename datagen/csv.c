#include "datagen/csv.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>
#include <zlib.h>

#include "common/parse_float.h"
#include "common/text.h"

#define BUFFER_SIZE (256u << 10)
#define LINE_MAX_BYTES (64u << 10) /* Kaggle's longest line is under 600 bytes */
#define UTF8_BYTE_ORDER_MARK "\xef\xbb\xbf"
#define FIELD_SHOWN 40 /* bytes of a bad field that a message quotes */

const char *const csv_column_names[CSV_COLUMNS] = {
	"Time", "V1",  "V2",  "V3",  "V4",  "V5",  "V6",  "V7",     "V8",    "V9",  "V10",
	"V11",  "V12", "V13", "V14", "V15", "V16", "V17", "V18",    "V19",   "V20", "V21",
	"V22",  "V23", "V24", "V25", "V26", "V27", "V28", "Amount", "Class",
};

struct csv_reader {
	struct csv_source source;
	const char *name;
	uint64_t line; /* number of the line that was taken last, from 1 */
	size_t pos, len;
	bool at_end;                /* the source has ended */
	char data[BUFFER_SIZE + 1]; /* unread bytes are data[pos, len); data[len] is NUL */
};

/* One line without its end; *end is readable and no part of a number. */
struct line {
	const char *start, *end;
};

/* One field without its quotes. */
struct field {
	const char *start;
	size_t len;
};

/* The file, through zlib, which passes what is not gzip's through unchanged. */

static ssize_t gz_source_read(void *arg, void *buf, size_t len, struct error *err)
{
	gzFile file = arg;
	int n = gzread(file, buf, (unsigned)len);
	int code;
	const char *text = gzerror(file, &code);

	if (code == Z_ERRNO)
		return error_set_errno(err, ERR_IO, errno, "cannot be read");
	if (n >= 0 && code == Z_BUF_ERROR)
		return error_set(err, ERR_FORMAT, "the gzip stream ends in the middle; is the file whole?");
	if (n < 0)
		return error_set(err, ERR_FORMAT, "damaged gzip stream (%s)", text);
	return n;
}

static int gz_source_rewind(void *arg, struct error *err)
{
	if (gzrewind(arg) != 0)
		return error_set(err, ERR_IO, "cannot be read again from its start; is it a pipe?");
	return 0;
}

static void gz_source_close(void *arg)
{
	gzclose_r(arg);
}

int csv_open(struct csv_reader **ret, const char *path, struct error *err)
{
	struct csv_source source = {NULL, gz_source_read, gz_source_rewind, gz_source_close};
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	gzFile file;
	int rc;

	if (fd < 0)
		return error_set_errno(err, errno == ENOENT ? ERR_NOT_FOUND : ERR_IO, errno, "%s: cannot open", path);
	file = gzdopen(fd, "rb");
	if (!file) {
		close(fd);
		return error_set(err, ERR_NOMEM, "%s: %s", path, error_message(ERR_NOMEM));
	}
	gzbuffer(file, BUFFER_SIZE / 2);
	source.arg = file;
	rc = csv_open_source(ret, &source, path, err);
	if (rc < 0)
		gz_source_close(file);
	return rc;
}

static void forget_input(struct csv_reader *r)
{
	r->line = 0;
	r->pos = r->len = 0;
	r->at_end = false;
	r->data[0] = '\0';
}

int csv_open_source(struct csv_reader **ret, const struct csv_source *source, const char *name, struct error *err)
{
	struct csv_reader *r = malloc(sizeof(*r));

	if (!r)
		return error_set(err, ERR_NOMEM, "%s: %s", name, error_message(ERR_NOMEM));
	r->source = *source;
	r->name = name;
	forget_input(r);
	*ret = r;
	return 0;
}

void csv_close(struct csv_reader *r)
{
	if (!r)
		return;
	r->source.close(r->source.arg);
	free(r);
}

/* Moves the unread bytes to the front and reads more behind them. */
static int refill(struct csv_reader *r, struct error *err)
{
	struct error why = {""};
	ssize_t n;

	memmove(r->data, r->data + r->pos, r->len - r->pos);
	r->len -= r->pos;
	r->pos = 0;
	n = r->source.read(r->source.arg, r->data + r->len, BUFFER_SIZE - r->len, &why);
	if (n < 0 && r->line == 0)
		return error_set(err, (enum error_code)n, "%s: %s", r->name, why.text);
	if (n < 0)
		return error_set(err, (enum error_code)n, "%s: after line %llu: %s", r->name,
				 (unsigned long long)r->line, why.text);
	r->len += (size_t)n;
	r->data[r->len] = '\0';
	r->at_end = n == 0;
	return 0;
}

/* 1: *ret is the next line, valid until the next call; 0: there is none. */
static int next_line(struct csv_reader *r, struct line *ret, struct error *err)
{
	size_t searched = 0;
	const char *start, *newline;

	for (;;) {
		start = r->data + r->pos;
		newline = memchr(start + searched, '\n', r->len - r->pos - searched);
		if (newline)
			break;
		searched = r->len - r->pos;
		if (searched > LINE_MAX_BYTES)
			return error_set(err, ERR_FORMAT,
					 "%s: line %llu: longer than %u bytes; is this creditcard.csv?", r->name,
					 (unsigned long long)r->line + 1, LINE_MAX_BYTES);
		if (r->at_end) {
			if (searched == 0)
				return 0;
			newline = start + searched;
			break;
		}
		int rc = refill(r, err);

		if (rc < 0)
			return rc;
	}
	ret->start = start;
	ret->end = newline;
	r->pos = (size_t)(newline - r->data) + (*newline == '\n');
	r->line++;
	if (ret->end > ret->start && ret->end[-1] == '\r')
		ret->end--;
	return 1;
}

/* Splits a field off the front of *line; false: it was the last one. */
static bool take_field(struct field *ret, struct line *line)
{
	const char *p = line->start;
	bool quoted = p < line->end && *p == '"';
	const char *stop;

	if (quoted) {
		const char *quote = memchr(p + 1, '"', (size_t)(line->end - p - 1));

		ret->start = p + 1;
		p = quote ? quote : line->end;
		ret->len = (size_t)(p - ret->start);
	}
	stop = memchr(p, ',', (size_t)(line->end - p));
	if (!stop)
		stop = line->end;
	if (!quoted || stop - p > 1) {
		/* Without quotes, or with something behind the closing one: show all of it. */
		ret->start = line->start;
		ret->len = (size_t)(stop - line->start);
	}
	line->start = stop < line->end ? stop + 1 : stop;
	return stop < line->end;
}

/* The way of a bad line: look again, slowly, and say what is wrong with it. */
static int bad_line(const struct csv_reader *r, struct line line, struct error *err)
{
	struct line rest = line;
	struct field field;
	unsigned columns = 1;

	while (take_field(&field, &rest))
		columns++;
	if (columns != CSV_COLUMNS)
		return error_set(err, ERR_FORMAT,
				 "%s: line %llu: %u column%s where %d belong (Time, V1 to V28, Amount, Class)", r->name,
				 (unsigned long long)r->line, columns, plural(columns), CSV_COLUMNS);
	for (unsigned i = 0; i < CSV_COLUMNS; i++) {
		const char *what = NULL;
		float value;

		take_field(&field, &line);
		const char *end = parse_float(&value, field.start, field.start + field.len);

		if (!end || end != field.start + field.len)
			what = "is not a number";
		else if (!isfinite(value))
			what = "is beyond the range of float32";
		else if (i == FRAUD_FEATURES && value != 0.0f && value != 1.0f)
			what = "is neither 0 nor 1";
		if (what)
			return error_set(err, ERR_FORMAT, "%s: line %llu, column %u (%s): \"%.*s\"%s %s", r->name,
					 (unsigned long long)r->line, i + 1, csv_column_names[i],
					 (int)(field.len > FIELD_SHOWN ? FIELD_SHOWN : field.len), field.start,
					 field.len > FIELD_SHOWN ? "..." : "", what);
	}
	return error_set(err, ERR_FORMAT, "%s: line %llu: misplaced quote", r->name, (unsigned long long)r->line);
}

/* Parses one field, quoted or not; returns what follows it or NULL. */
static inline const char *parse_field(float *ret, const char *p, const char *end)
{
	if (*p != '"')
		return parse_float(ret, p, end);
	p = parse_float(ret, p + 1, end);
	return p && *p == '"' ? p + 1 : NULL;
}

static bool parse_row(float *ret_features, bool *ret_fraud, const struct line *line)
{
	const char *p = line->start;
	float class;

	for (unsigned i = 0; i < FRAUD_FEATURES; i++) {
		p = parse_field(&ret_features[i], p, line->end);
		if (!p || *p++ != ',' || !isfinite(ret_features[i]))
			return false;
	}
	p = parse_field(&class, p, line->end);
	if (p != line->end || (class != 0.0f && class != 1.0f))
		return false;
	*ret_fraud = class == 1.0f;
	return true;
}

static bool field_is(const struct field *field, const char *name)
{
	return field->len == strlen(name) && strncasecmp(field->start, name, field->len) == 0;
}

/* Of the first line: its first field is neither a number nor empty. */
static bool is_header(struct line line)
{
	struct field field;
	float value;

	take_field(&field, &line);
	return field.len > 0 && !parse_float(&value, field.start, field.start + field.len);
}

/* Kaggle's names in Kaggle's order, or the columns would be taken for what they are not. */
static int check_header(const struct csv_reader *r, const struct line *header, struct error *err)
{
	struct line rest = *header;
	struct field field;
	unsigned columns = 0;
	bool more = true;

	for (; more && columns < CSV_COLUMNS; columns++) {
		more = take_field(&field, &rest);
		if (!field_is(&field, csv_column_names[columns]))
			return error_set(err, ERR_FORMAT,
					 "%s: line %llu, column %u: \"%.*s\" where %s belongs; is this creditcard.csv?",
					 r->name, (unsigned long long)r->line, columns + 1,
					 (int)(field.len > FIELD_SHOWN ? FIELD_SHOWN : field.len), field.start,
					 csv_column_names[columns]);
	}
	if (more || columns != CSV_COLUMNS)
		return bad_line(r, *header, err);
	return 0;
}

/* 1: *ret is a line that should hold a row. */
static int next_row_line(struct csv_reader *r, struct line *ret, struct error *err)
{
	for (;;) {
		int rc = next_line(r, ret, err);

		if (rc <= 0)
			return rc;
		if (r->line == 1 && ret->end - ret->start >= 3 && memcmp(ret->start, UTF8_BYTE_ORDER_MARK, 3) == 0)
			ret->start += 3;
		if (r->line == 1 && is_header(*ret)) {
			rc = check_header(r, ret, err);
			if (rc < 0)
				return rc;
			continue;
		}
		if (ret->start != ret->end)
			return 1;
	}
}

int csv_next(struct csv_reader *r, float ret_features[FRAUD_FEATURES], bool *ret_fraud, struct error *err)
{
	struct line line = {r->data, r->data};
	int rc = next_row_line(r, &line, err);

	if (rc > 0 && !parse_row(ret_features, ret_fraud, &line))
		return bad_line(r, line, err);
	return rc;
}

int csv_skip(struct csv_reader *r, struct error *err)
{
	struct line line = {r->data, r->data};

	return next_row_line(r, &line, err);
}

int csv_rewind(struct csv_reader *r, struct error *err)
{
	struct error why = {""};
	int rc = r->source.rewind(r->source.arg, &why);

	if (rc < 0)
		return error_set(err, (enum error_code)rc, "%s: %s", r->name, why.text);
	forget_input(r);
	return 0;
}
