/*
 * fail_if.c - the texts of limits, and whether a comparison breaks them.
 */
#include "stats/fail_if.h"

#include <math.h>
#include <string.h>

#include "common/number.h"
#include "common/text.h"

#define LIMIT_TEXT_MAX 64

static bool find_metric(enum comparison_metric *ret, const char *name, size_t len)
{
	for (enum comparison_metric m = 0; m < METRICS; m++) {
		if (strlen(comparison_metrics[m].name) == len && !memcmp(comparison_metrics[m].name, name, len)) {
			*ret = m;
			return true;
		}
	}
	return false;
}

static int bad_limit(const char *text, const char *why, struct error *err)
{
	return error_set(err, ERR_USAGE, "-fail-if %s: %s (as p99>+5%% or rate<-2%%)", text, why);
}

/* text: one limit. */
static int parse_limit(struct limit *ret, const char *text, struct error *err)
{
	size_t name = strcspn(text, "<>"), len = strlen(text);
	const char *number = text + name + 1;
	char digits[LIMIT_TEXT_MAX];
	struct limit l;

	if (name == len)
		return bad_limit(text, "there is no < or > in it", err);
	if (!find_metric(&l.metric, text, name))
		return bad_limit(text, "its metric is none of rate, mean, p50, p90, p99, p99.9", err);
	if (text[len - 1] != '%')
		return bad_limit(text, "the limit is in percent, with a % at its end", err);
	if (*number != '+' && *number != '-')
		return bad_limit(text, "the limit wants its sign", err);
	snprintf(digits, sizeof(digits), "%.*s", (int)(text + len - 1 - number), number);
	if (number_parse_double(&l.percent, digits) < 0 || l.percent <= -100)
		return bad_limit(text, "the limit is no number of percent above -100", err);
	l.above = text[name] == '>';
	*ret = l;
	return 0;
}

int fail_if_parse(struct fail_if *ret, const char *text, struct error *err)
{
	struct fail_if f = {.n = 0};

	while (*text) {
		char one[LIMIT_TEXT_MAX];
		int r;

		if (!word_take(one, sizeof(one), &text, ","))
			return bad_limit(text, "a limit is shorter than that", err);
		if (f.n == LIMITS_MAX)
			return error_set(err, ERR_USAGE, "-fail-if: more than %d limits", LIMITS_MAX);
		r = parse_limit(&f.limits[f.n], one, err);
		if (r < 0)
			return r;
		f.n++;
		if (*text && !*++text)
			return bad_limit(",", "nothing follows the last comma", err);
	}
	*ret = f;
	return 0;
}

static bool would_keep(const struct limit *l, double percent)
{
	return l->above ? percent <= l->percent : percent >= l->percent;
}

/* The interval is the t test's: where the permutation test shows no difference, none breaks a limit that equal set-ups
 * keep. */
struct limit_finding limit_judge(const struct fail_if *f, size_t i, const struct comparison *c)
{
	const struct limit *l = &f->limits[i];
	const struct difference *d = &c->differences[l->metric];
	double confidence = 1 - (1 - c->rules.confidence) / (double)f->n;
	struct limit_finding ret = {LIMIT_TOO_FEW, NAN, NAN};

	if (d->finding == FINDING_TOO_FEW || d->finding == FINDING_NO_FIGURE ||
	    !difference_interval(d, confidence, comparison_metrics[l->metric].resolution, &ret.low, &ret.high))
		return ret;
	if (l->above ? ret.low > l->percent : ret.high < l->percent)
		ret.state = d->finding == FINDING_NONE && would_keep(l, 0) ? LIMIT_OPEN : LIMIT_BROKEN;
	else if (l->above ? ret.high <= l->percent : ret.low >= l->percent)
		ret.state = LIMIT_KEPT;
	else
		ret.state = LIMIT_OPEN;
	return ret;
}

bool fail_if_fails(const struct fail_if *f, const struct comparison *c, bool strict)
{
	for (size_t i = 0; i < f->n; i++) {
		enum limit_state s = limit_judge(f, i, c).state;

		if (s == LIMIT_BROKEN || (strict && s == LIMIT_TOO_FEW))
			return true;
	}
	for (enum comparison_metric m = 0; strict && m < METRICS; m++) {
		if (c->differences[m].finding == FINDING_TOO_FEW || c->differences[m].finding == FINDING_NO_FIGURE)
			return true;
	}
	return false;
}

const char *limit_text(char *buf, size_t size, const struct limit *l)
{
	snprintf(buf, size, "%s%c%+g%%", comparison_metrics[l->metric].name, l->above ? '>' : '<', l->percent);
	return buf;
}

const char *limit_state_text(enum limit_state s)
{
	static const char *const texts[] = {
		[LIMIT_BROKEN] = "FAILED",
		[LIMIT_KEPT] = "no",
		[LIMIT_OPEN] = "not shown, nor ruled out",
		[LIMIT_TOO_FEW] = "too few repetitions to tell",
	};

	return texts[s];
}
