/*
 * schedule.c - rate schedules: their text, and when the integral of the rate reaches a value.
 */
#include "runners/schedule.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/options.h"
#include "common/text.h"

#define WORD_MAX 64

static int bad(struct error *err, const char *word, const char *why)
{
	return error_set(err, ERR_USAGE, "-rate %s: %s; write 100, or 100:30s,200:30s, or 100..1000:60s", word, why);
}

static int parse_rate(double *ret, const char **text)
{
	char *end;
	double rate = strtod(*text, &end);

	if (end == *text || !(rate >= ARRIVAL_RATE_MIN && rate <= ARRIVAL_RATE_MAX))
		return ERR_RANGE;
	/* "100..1000": the number ate a dot of the range. */
	if (end[-1] == '.' && end[0] == '.')
		end--;
	*ret = rate;
	*text = end;
	return 0;
}

static int parse_segment(struct rate_segment *ret, const char *word, bool last, struct error *err)
{
	const char *p = word;
	bool ramp;

	if (parse_rate(&ret->from, &p) < 0)
		return error_set(err, ERR_USAGE, "-rate %s: must be %g to %g inferences/s", word, ARRIVAL_RATE_MIN,
				 ARRIVAL_RATE_MAX);
	ret->to = ret->from;
	ramp = strncmp(p, "..", 2) == 0;
	if (ramp) {
		p += 2;
		if (parse_rate(&ret->to, &p) < 0)
			return error_set(err, ERR_USAGE, "-rate %s: must end at %g to %g inferences/s", word,
					 ARRIVAL_RATE_MIN, ARRIVAL_RATE_MAX);
	}
	ret->duration = NSEC_NEVER;
	if (*p == '\0' && last && !ramp)
		return 0;
	if (*p == '\0')
		return bad(err, word, ramp ? "a ramp needs its duration" : "all but the last rate need a duration");
	if (*p != ':' || duration_parse(&ret->duration, p + 1) < 0 || ret->duration <= 0)
		return bad(err, word, "not a rate and a duration");
	return 0;
}

int rate_schedule_parse(struct rate_schedule *ret, const char *text, struct error *err)
{
	struct rate_schedule s = {0};

	for (const char *p = text;; p++) {
		char word[WORD_MAX];
		int r;

		if (s.n == RATE_SEGMENTS_MAX)
			return error_set(err, ERR_USAGE, "-rate %s: more than %d stretches", text, RATE_SEGMENTS_MAX);
		if (!word_take(word, sizeof(word), &p, ","))
			return bad(err, text, "too long a word");
		r = parse_segment(&s.segments[s.n++], word, *p == '\0', err);
		if (r < 0)
			return r;
		if (*p == '\0')
			break;
	}
	if (rate_schedule_check(&s) < 0)
		return error_set(err, ERR_USAGE, "-rate %s: is longer than centuries", text);
	*ret = s;
	return 0;
}

void rate_schedule_constant(struct rate_schedule *ret, double rate)
{
	*ret = (struct rate_schedule){.n = 1, .segments = {{rate, rate, NSEC_NEVER}}};
}

char *rate_schedule_format(const struct rate_schedule *s)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	int failed;

	if (!out)
		return NULL;
	for (unsigned i = 0; i < s->n; i++) {
		const struct rate_segment *g = &s->segments[i];
		char duration[32];

		fprintf(out, "%s%.15g", i ? "," : "", g->from);
		if (g->to > g->from || g->to < g->from)
			fprintf(out, "..%.15g", g->to);
		if (g->duration != NSEC_NEVER)
			fprintf(out, ":%s", duration_format(duration, sizeof(duration), g->duration));
	}
	failed = ferror(out);
	if (fclose(out) || failed) {
		free(text);
		return NULL;
	}
	return text;
}

static bool is_rate(double rate)
{
	return rate >= ARRIVAL_RATE_MIN && rate <= ARRIVAL_RATE_MAX;
}

int rate_schedule_check(const struct rate_schedule *s)
{
	nsec_t sum = 0;

	if (s->n == 0 || s->n > RATE_SEGMENTS_MAX)
		return ERR_RANGE;
	for (unsigned i = 0; i < s->n; i++) {
		const struct rate_segment *g = &s->segments[i];
		bool endless = g->duration == NSEC_NEVER, ramp = g->to > g->from || g->to < g->from;

		if (!is_rate(g->from) || !is_rate(g->to) || g->duration <= 0)
			return ERR_RANGE;
		if (endless && (ramp || i + 1 < s->n))
			return ERR_RANGE;
		if (!endless && __builtin_add_overflow(sum, g->duration, &sum))
			return ERR_RANGE;
	}
	return 0;
}

nsec_t rate_schedule_duration(const struct rate_schedule *s)
{
	nsec_t sum = 0;

	for (unsigned i = 0; i < s->n; i++) {
		if (s->segments[i].duration == NSEC_NEVER)
			return NSEC_NEVER;
		sum += s->segments[i].duration;
	}
	return sum;
}

double rate_schedule_peak(const struct rate_schedule *s)
{
	double peak = 0;

	for (unsigned i = 0; i < s->n; i++)
		peak = fmax(peak, fmax(s->segments[i].from, s->segments[i].to));
	return peak;
}

/* The area under a segment is a trapezium: twice its height is a whole number of parts, hence positions in halves. */
static void enter_segment(struct rate_cursor *c, unsigned i)
{
	const struct rate_segment *g = &c->schedule->segments[i];

	c->segment = i;
	c->from = (uint64_t)llround(g->from * RATE_PARTS);
	c->to = (uint64_t)llround(g->to * RATE_PARTS);
	c->begin = c->end;
	c->first = c->last;
	if (g->duration == NSEC_NEVER) {
		c->end = NSEC_NEVER;
		c->last = ~(rate_position)0;
	} else {
		c->end += g->duration;
		c->last += (rate_position)(c->from + c->to) * (uint64_t)g->duration;
	}
}

void rate_cursor_init(struct rate_cursor *c, const struct rate_schedule *s)
{
	*c = (struct rate_cursor){.schedule = s};
	enter_segment(c, 0);
}

/* Where from t + (to - from) t^2 / (2 d) is half of p: the form of the quadratic's root that cancels nothing. Off by less
 * than a nanosecond in a ramp of a week. */
static nsec_t time_on_ramp(const struct rate_cursor *c, rate_position p)
{
	double from = (double)c->from, to = (double)c->to, x = (double)p;
	nsec_t duration = c->end - c->begin, t;

	t = (nsec_t)(x / (from + sqrt(fmax(from * from + (to - from) * (x / (double)duration), 0))));
	return t < duration ? t : duration - 1;
}

nsec_t rate_cursor_time(struct rate_cursor *c, rate_position p)
{
	rate_position t;

	while (p >= c->last) {
		if (c->segment + 1 == c->schedule->n)
			return NSEC_NEVER;
		enter_segment(c, c->segment + 1);
	}
	if (c->from != c->to)
		return c->begin + time_on_ramp(c, p - c->first);
	t = (p - c->first) / (2 * c->from);
	return t < (rate_position)(NSEC_NEVER - c->begin) ? c->begin + (nsec_t)t : NSEC_NEVER;
}
