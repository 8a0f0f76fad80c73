/*
 * schedule.c - reads rate schedules.
 */
#include "runners/schedule.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/options.h"
#include "runners/arrival.h"

#define WORD_MAX 64

static int bad(struct error *err, const char *word, const char *why)
{
	return error_set(err, ERR_USAGE, "rate %s: %s; write 100, or 100:30s,200:30s, or 100..1000:60s", word, why);
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
		return error_set(err, ERR_USAGE, "rate %s: must be %g to %g inferences/s", word, ARRIVAL_RATE_MIN,
				 ARRIVAL_RATE_MAX);
	ret->to = ret->from;
	ramp = strncmp(p, "..", 2) == 0;
	if (ramp) {
		p += 2;
		if (parse_rate(&ret->to, &p) < 0)
			return error_set(err, ERR_USAGE, "rate %s: must end at %g to %g inferences/s", word,
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
		size_t len = strcspn(p, ",");
		char word[WORD_MAX];
		int r;

		if (s.n == RATE_SEGMENTS_MAX)
			return error_set(err, ERR_USAGE, "rate %s: more than %d stretches", text, RATE_SEGMENTS_MAX);
		if (len >= sizeof(word))
			return bad(err, text, "too long a word");
		memcpy(word, p, len);
		word[len] = '\0';
		p += len;
		r = parse_segment(&s.segments[s.n++], word, *p == '\0', err);
		if (r < 0)
			return r;
		if (*p == '\0')
			break;
	}
	*ret = s;
	return 0;
}

void rate_schedule_constant(struct rate_schedule *ret, double rate)
{
	*ret = (struct rate_schedule){.n = 1, .segments = {{rate, rate, NSEC_NEVER}}};
}

nsec_t rate_schedule_duration(const struct rate_schedule *s)
{
	nsec_t sum = 0;

	for (unsigned i = 0; i < s->n; i++) {
		nsec_t d = s->segments[i].duration;

		if (d == NSEC_NEVER || d > NSEC_NEVER - sum)
			return NSEC_NEVER;
		sum += d;
	}
	return sum;
}
