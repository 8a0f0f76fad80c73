/*
 * sweep.c - reads sweeps and counts through their grid.
 */
#include "runners/sweep.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "common/number.h"
#include "common/text.h"
#include "runners/arrival.h"

#define WORD_MAX 64
#define SEPARATORS "; "

/* What a variable may be; the options of a single run hold it to their own limits once more. */
static const struct {
	const char *name;
	double lowest, highest;
	bool whole;
} variables[SWEEP_VARIABLES] = {
	[SWEEP_WORKERS] = {"workers", 1, 65536, true},
	[SWEEP_RATE] = {"rate", ARRIVAL_RATE_MIN, ARRIVAL_RATE_MAX, false},
	[SWEEP_BATCH] = {"batch", 1, 65536, true},
	[SWEEP_SERVER_BATCH] = {"server-batch", 0, 65536, true},
};

const char *sweep_variable_name(enum sweep_variable v)
{
	return variables[v].name;
}

static int bad(struct error *err, const char *text, const char *why)
{
	return error_set(err, ERR_USAGE, "-sweep %s: %s; write workers=1,2,4..64, or rate=100..500+100;batch=1,8", text,
			 why);
}

static int parse_value(double *ret, const struct sweep_axis *axis, const char *word, struct error *err)
{
	enum sweep_variable v = axis->variable;

	if (number_parse_double(ret, word) < 0)
		return bad(err, word, "not a number");
	if (!(*ret >= variables[v].lowest && *ret <= variables[v].highest))
		return error_set(err, ERR_USAGE, "-sweep %s=%s: must be %g to %g", variables[v].name, word,
				 variables[v].lowest, variables[v].highest);
	if (variables[v].whole && *ret != floor(*ret))
		return error_set(err, ERR_USAGE, "-sweep %s=%s: must be a whole number", variables[v].name, word);
	return 0;
}

static int add_value(struct sweep_axis *axis, double value, struct error *err)
{
	if (axis->n == SWEEP_VALUES_MAX)
		return error_set(err, ERR_USAGE, "-sweep %s: more than %d values", variables[axis->variable].name,
				 SWEEP_VALUES_MAX);
	for (unsigned i = 0; i < axis->n; i++) {
		if (axis->values[i] == value)
			return error_set(err, ERR_USAGE, "-sweep %s: %.10g is named twice",
					 variables[axis->variable].name, value);
	}
	axis->values[axis->n++] = value;
	return 0;
}

/* first..last or first..last+step; dots points to the first dot. word is taken to pieces. */
static int parse_range(struct sweep_axis *axis, char *word, char *dots, struct error *err)
{
	char *plus = strchr(dots, '+');
	double first, last, step = 0;
	int r;

	*dots = '\0';
	if (plus)
		*plus++ = '\0';
	r = parse_value(&first, axis, word, err);
	if (r == 0)
		r = parse_value(&last, axis, dots + 2, err);
	if (r < 0)
		return r;
	if (plus && (number_parse_double(&step, plus) < 0 || !(step > 0) ||
		     (variables[axis->variable].whole && step != floor(step))))
		return bad(err, plus, "a step must be over 0, and whole where the values are");
	if (first >= last)
		return bad(err, word, "a range must go up");
	if (!plus && first == 0)
		return bad(err, word, "0 cannot be doubled: write 0,1..8");
	/* Steps are counted, not added up, and one that all but hits the end is the end. */
	for (unsigned i = 0; r == 0; i++) {
		double v = plus ? first + i * step : ldexp(first, (int)i);

		if (v >= last * (1 - 1e-9))
			break;
		r = add_value(axis, v, err);
	}
	return r < 0 ? r : add_value(axis, last, err);
}

static int parse_values(struct sweep_axis *axis, const char *text, size_t len, struct error *err)
{
	for (const char *p = text, *end = text + len;; p++) {
		char word[WORD_MAX], *dots;
		double value;
		int r;

		if (!word_take(word, sizeof(word), &p, "," SEPARATORS))
			return bad(err, text, "too long a word");
		dots = strstr(word, "..");
		if (dots) {
			r = parse_range(axis, word, dots, err);
		} else {
			r = parse_value(&value, axis, word, err);
			if (r == 0)
				r = add_value(axis, value, err);
		}
		if (r < 0)
			return r;
		if (p == end)
			return 0;
	}
}

static int parse_axis(struct sweep *s, const char *text, size_t len, struct error *err)
{
	const char *equals = memchr(text, '=', len);
	size_t name = equals ? (size_t)(equals - text) : 0;
	struct sweep_axis *axis;
	int v = 0;

	if (!equals)
		return bad(err, text, "no variable and its values");
	while (v < SWEEP_VARIABLES && !bytes_equal(text, name, variables[v].name))
		v++;
	if (v == SWEEP_VARIABLES)
		return error_set(err, ERR_USAGE, "-sweep %.*s: must be workers, rate, batch or server-batch",
				 (int)(name < WORD_MAX ? name : WORD_MAX), text);
	for (unsigned i = 0; i < s->naxes; i++) {
		if ((int)s->axes[i].variable == v)
			return bad(err, text, "a variable is named twice");
	}
	axis = &s->axes[s->naxes++];
	axis->variable = (enum sweep_variable)v;
	return parse_values(axis, equals + 1, len - name - 1, err);
}

int sweep_parse(struct sweep *ret, const char *text, struct error *err)
{
	struct sweep s = {.points = 1};

	for (const char *p = text + strspn(text, SEPARATORS); *p; p += strspn(p, SEPARATORS)) {
		size_t len = strcspn(p, SEPARATORS);
		int r = parse_axis(&s, p, len, err);

		if (r < 0)
			return r;
		s.points *= s.axes[s.naxes - 1].n; /* 128 to the fourth at the most */
		p += len;
	}
	if (s.naxes == 0)
		return bad(err, text, "nothing to sweep");
	if (s.points > SWEEP_POINTS_MAX)
		return error_set(err, ERR_USAGE, "-sweep %s: %zu points are more than %d", text, s.points,
				 SWEEP_POINTS_MAX);
	*ret = s;
	return 0;
}

const struct sweep_axis *sweep_axis_of(const struct sweep *s, enum sweep_variable v)
{
	for (unsigned i = 0; i < s->naxes; i++) {
		if (s->axes[i].variable == v)
			return &s->axes[i];
	}
	return NULL;
}

void sweep_point_at(struct sweep_point *ret, const struct sweep *s, size_t index)
{
	for (int v = 0; v < SWEEP_VARIABLES; v++)
		ret->values[v] = NAN;
	for (unsigned i = s->naxes; i-- > 0;) {
		const struct sweep_axis *axis = &s->axes[i];

		ret->values[axis->variable] = axis->values[index % axis->n];
		index /= axis->n;
	}
}

const char *sweep_point_name(char *buf, size_t size, const struct sweep_point *p)
{
	size_t len = 0;

	buf[0] = '\0';
	for (int v = 0; v < SWEEP_VARIABLES && len < size; v++) {
		if (!isnan(p->values[v]))
			len += (size_t)snprintf(buf + len, size - len, "%s%s_%.10g", len ? "_" : "", variables[v].name,
						p->values[v]);
	}
	return buf;
}
