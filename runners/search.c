/*
 * search.c - growth, bisection, confirmation.
 */
#include "runners/search.h"

#include <math.h>

#define GROWTH 2.0

static double within(const struct search *s, double rate)
{
	return fmin(fmax(rate, s->cfg.lowest), s->cfg.highest);
}

void search_init(struct search *s, const struct search_config *cfg)
{
	*s = (struct search){.cfg = *cfg, .failed = INFINITY};
	s->rate = within(s, cfg->start);
}

bool search_goes_on(const struct search *s)
{
	return s->stage != SEARCH_FOUND && s->stage != SEARCH_NONE;
}

double search_confidence(const struct search *s)
{
	double error = 1 - s->cfg.confidence;

	return s->stage == SEARCH_CONFIRMATION ? 1 - ldexp(error, -(int)s->attempt - 1) : s->cfg.confidence;
}

/* Between a rate that passed and one that failed: the middle, or the confirmation if that would tell no more. */
static void bisect(struct search *s)
{
	if (s->failed <= s->passed * (1 + s->cfg.precision)) {
		s->stage = SEARCH_CONFIRMATION;
		s->rate = s->passed;
		return;
	}
	s->stage = SEARCH_BISECTION;
	s->rate = sqrt(s->passed * s->failed);
}

static void grow(struct search *s)
{
	if (s->passed > 0 && isfinite(s->failed)) {
		bisect(s);
	} else if (s->passed > 0 && s->passed >= s->cfg.highest) {
		s->stage = SEARCH_CONFIRMATION;
		s->rate = s->passed;
	} else if (s->passed > 0) {
		s->rate = within(s, s->passed * GROWTH);
	} else if (s->failed <= s->cfg.lowest) {
		s->stage = SEARCH_NONE;
	} else {
		s->rate = within(s, s->failed / GROWTH);
	}
}

static void confirm(struct search *s, bool pass)
{
	double step = ldexp(s->cfg.precision, (int)s->attempt);

	if (pass) {
		s->stage = SEARCH_FOUND;
		return;
	}
	s->failed = s->rate;
	if (++s->attempt == SEARCH_CONFIRMATIONS_MAX || s->rate <= s->cfg.lowest) {
		s->stage = SEARCH_NONE;
		return;
	}
	s->rate = within(s, s->rate / (1 + step));
}

void search_tell(struct search *s, enum probe_verdict verdict)
{
	if (s->stage == SEARCH_CONFIRMATION) {
		confirm(s, verdict == PROBE_PASS);
		return;
	}
	if (verdict == PROBE_UNDECIDED && s->extension < SEARCH_EXTENSIONS_MAX) {
		s->extension++;
		return;
	}
	s->extension = 0;
	if (verdict == PROBE_PASS)
		s->passed = s->rate;
	else
		s->failed = s->rate;
	if (s->stage == SEARCH_BISECTION)
		bisect(s);
	else
		grow(s);
}
