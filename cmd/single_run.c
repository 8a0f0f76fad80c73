#include "cmd/single_run.h"

#include <stdarg.h>
#include <stdlib.h>

#include "cmd/common.h"
#include "common/arith.h"

static const char *const series[] = {
	"repetitions",
	"sweep",
	"sweep-command",
	"search",
	"slo",
	"search-range",
	"search-precision",
	"probe-duration",
	"summary-out-file",
	"summary-csv-out-file",
};

void single_run_set(struct single_run *s, const char *fmt, ...)
{
	va_list args;

	if (s->n == SINGLE_RUN_SETTINGS)
		return;
	va_start(args, fmt);
	vsnprintf(s->settings[s->n++], SINGLE_RUN_SETTING_MAX, fmt, args);
	va_end(args);
}

static bool makes_series(const struct option *opt)
{
	for (size_t i = 0; i < ARRAY_LEN(series); i++) {
		if (strcmp(opt->name, series[i]) == 0)
			return true;
	}
	return false;
}

char **single_run_words(const struct single_run *s, char *const *words, const struct options *o)
{
	int argc = 0, n = 0;
	char **ret;

	while (words[argc])
		argc++;
	ret = calloc((size_t)argc + s->n + 1, sizeof(*ret));
	for (int i = 0; ret && i < argc;) {
		const struct option *opt;
		const char *value;
		int taken = i > 0 ? options_next(o, argc, (char **)words, i, &opt, &value) : 0;
		bool left_out = taken > 0 && makes_series(opt);

		for (int end = i + (taken > 0 ? taken : 1); i < end; i++) {
			if (!left_out && !(ret[n++] = strdup(words[i])))
				goto failed;
		}
	}
	for (unsigned i = 0; ret && i < s->n; i++) {
		if (!(ret[n++] = strdup(s->settings[i])))
			goto failed;
	}
	return ret;
failed:
	words_free(ret);
	return NULL;
}
