#include "cmd/unused_options.h"

#include "common/arith.h"
#include "common/text.h"

/* Each of an option's needs will do: "search", or with a value "scenario=server". */
static const struct {
	const char *option, *needs[6];
} rules[] = {
	{"slo", {"search"}},
	{"search-range", {"search"}},
	{"search-precision", {"search"}},
	{"probe-duration", {"search"}},
	{"window", {"stable"}},
	{"verify-share", {"verify", "expected-answers"}},
	{"verify-show", {"verify", "expected-answers"}},
	{"tolerance", {"verify", "expected-answers"}},
	{"relative-tolerance", {"verify", "expected-answers"}},
	{"min-duration", {"scenario"}},
	{"min-queries", {"scenario"}},
	{"samples-per-query", {"scenario=multi-stream"}},
	{"target-latency", {"scenario=server"}},
	{"target-qps", {"scenario=server", "scenario=offline"}},
	{"spin", {"rate", "limit-rps", "sweep", "search", "scenario=server"}},
};

/* What another option decides. */
static const struct {
	const char *option, *with, *why;
} decided[] = {
	{"workers", "scenario=single-stream", "which sends one query at a time"},
};

/* value: NULL: any. Of an option given twice the last one counts. */
static bool was_given(const struct options *o, int argc, char **argv, const char *name, size_t len, const char *value)
{
	bool given = false;

	for (int i = 1; i < argc;) {
		const struct option *opt;
		const char *text;
		int n = options_next(o, argc, argv, i, &opt, &text);

		if (n > 0 && bytes_equal(name, len, opt->name))
			given = !value || (text && strcmp(text, value) == 0);
		i += n > 0 ? n : 1;
	}
	return given;
}

static bool is_met(const struct options *o, int argc, char **argv, const char *need)
{
	const char *equals = strchr(need, '=');
	size_t len = equals ? (size_t)(equals - need) : strlen(need);

	return was_given(o, argc, argv, need, len, equals ? equals + 1 : NULL);
}

int unused_options_check(const struct options *o, int argc, char **argv, struct error *err)
{
	for (size_t i = 0; i < ARRAY_LEN(rules); i++) {
		const char *option = rules[i].option, *const *need = rules[i].needs;

		if (!was_given(o, argc, argv, option, strlen(option), NULL))
			continue;
		while (*need && !is_met(o, argc, argv, *need))
			need++;
		if (!*need)
			return error_set(err, ERR_USAGE, "-%s has no effect without -%s%s%s", option, rules[i].needs[0],
					 rules[i].needs[1] ? " or -" : "", rules[i].needs[1] ? rules[i].needs[1] : "");
	}
	for (size_t i = 0; i < ARRAY_LEN(decided); i++) {
		if (is_met(o, argc, argv, decided[i].option) && is_met(o, argc, argv, decided[i].with))
			return error_set(err, ERR_USAGE, "-%s has no effect with -%s, %s", decided[i].option,
					 decided[i].with, decided[i].why);
	}
	return 0;
}
