/*
 * objective.c - reads objectives and counts what breaks them.
 */
#include "stats/objective.h"

#include <string.h>

#include "common/number.h"
#include "common/options.h"
#include "common/text.h"

#define WORD_MAX 64

static int bad(struct error *err, const char *word, const char *why)
{
	return error_set(err, ERR_USAGE, "-slo %s: %s; write p99<=5ms, or several joined by commas", word, why);
}

/* word is taken to pieces. */
static int parse_objective(struct objective *ret, const char *text, char *word, struct error *err)
{
	char *less = strchr(word, '<');

	if (word[0] != 'p' || !less)
		return bad(err, text, "not a percentile and a bound");
	*less++ = '\0';
	if (*less == '=')
		less++;
	if (number_parse_double(&ret->percentile, word + 1) < 0 || !(ret->percentile > 0 && ret->percentile < 100))
		return bad(err, text, "the percentile must lie between p0 and p100");
	if (duration_parse(&ret->bound, less) < 0 || ret->bound <= 0)
		return bad(err, text, "the bound must be a duration like 5ms or 800us");
	if (ret->bound >= HISTOGRAM_LATENCY_HIGHEST)
		return bad(err, text, "the bound must be under an hour");
	return 0;
}

int slo_parse(struct slo *ret, const char *text, struct error *err)
{
	struct slo s = {0};

	for (const char *p = text;; p++) {
		char word[WORD_MAX];
		int r;

		if (s.n == SLO_MAX)
			return bad(err, text, "too many objectives");
		if (!word_take(word, sizeof(word), &p, ","))
			return bad(err, text, "too long a word");
		r = parse_objective(&s.objectives[s.n++], text, word, err);
		if (r < 0)
			return r;
		if (*p == '\0')
			break;
	}
	*ret = s;
	return 0;
}

const char *objective_format(char *buf, size_t size, const struct objective *o)
{
	char bound[48];

	snprintf(buf, size, "p%.10g <= %s", o->percentile, duration_format(bound, sizeof(bound), o->bound));
	return buf;
}

uint64_t objective_over(const struct objective *o, const struct histogram *h)
{
	uint64_t over = 0;

	if (h->total == 0 || h->max <= o->bound)
		return 0;
	for (uint32_t i = histogram_index(h, o->bound); i < h->ncounts; i++) {
		if (histogram_highest_at(h, i) > o->bound)
			over += h->counts[i];
	}
	return over;
}
