/*
 * options_help.c - the list of options that -help prints, in the layout of Go's flag package.
 */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "common/options.h"
#include "common/options_internal.h"

#define HELP_INDENT 8
#define HELP_WIDTH 100

bool option_has_range(const struct option *opt)
{
	return (opt->min != 0 || opt->max != 0) && (opt->type == OPTION_INT || opt->type == OPTION_UINT ||
						    opt->type == OPTION_DOUBLE || opt->type == OPTION_DURATION);
}

static const char *format_limit(char *buf, size_t size, const struct option *opt, double limit)
{
	if (opt->type == OPTION_DURATION)
		return duration_format(buf, size, limit >= 0x1p63 ? INT64_MAX : (int64_t)limit);
	snprintf(buf, size, opt->type == OPTION_DOUBLE ? "%g" : "%.0f", limit);
	return buf;
}

const char *option_range(char *buf, size_t size, const struct option *opt)
{
	char low[48], high[48];

	if (isinf(opt->max))
		snprintf(buf, size, "at least %s", format_limit(low, sizeof(low), opt, opt->min));
	else if (isinf(opt->min))
		snprintf(buf, size, "at most %s", format_limit(high, sizeof(high), opt, opt->max));
	else
		snprintf(buf, size, "from %s to %s", format_limit(low, sizeof(low), opt, opt->min),
			 format_limit(high, sizeof(high), opt, opt->max));
	return buf;
}

/* The `word` in the help, or what the type calls its value; "" for a boolean. */
static void value_name(const struct option *opt, char *ret, size_t size)
{
	static const char *const TYPES[] = {
		[OPTION_BOOL] = "",          [OPTION_INT] = "int",           [OPTION_UINT] = "uint",
		[OPTION_DOUBLE] = "float",   [OPTION_DURATION] = "duration", [OPTION_STRING] = "string",
		[OPTION_PATH] = "file",      [OPTION_OUTPUT] = "file",       [OPTION_SECRET] = "string",
		[OPTION_IGNORED] = "string", [OPTION_IGNORED_BOOL] = "",
	};
	const char *open = opt->help ? strchr(opt->help, '`') : NULL;
	const char *close = open ? strchr(open + 1, '`') : NULL;

	if (close)
		snprintf(ret, size, "%.*s", (int)(close - open - 1), open + 1);
	else
		snprintf(ret, size, "%s", TYPES[opt->type]);
}

/* Nothing for an unset string. */
static void default_text(const struct option *opt, const void *config, char *ret, size_t size)
{
	const char *field = (const char *)config + opt->offset;
	union {
		bool b;
		int64_t i;
		uint64_t u;
		double d;
		const char *s;
	} v;
	char text[32];

	*ret = '\0';
	switch (opt->type) {
	case OPTION_BOOL:
		memcpy(&v.b, field, sizeof(v.b));
		snprintf(ret, size, "default %s", v.b ? "true" : "false");
		break;
	case OPTION_INT:
		memcpy(&v.i, field, sizeof(v.i));
		snprintf(ret, size, "default %" PRId64, v.i);
		break;
	case OPTION_UINT:
		memcpy(&v.u, field, sizeof(v.u));
		snprintf(ret, size, "default %" PRIu64, v.u);
		break;
	case OPTION_DOUBLE:
		memcpy(&v.d, field, sizeof(v.d));
		snprintf(ret, size, "default %.12g", v.d);
		break;
	case OPTION_DURATION:
		memcpy(&v.i, field, sizeof(v.i));
		snprintf(ret, size, "default %s", duration_format(text, sizeof(text), v.i));
		break;
	case OPTION_STRING:
	case OPTION_PATH:
	case OPTION_OUTPUT:
		memcpy(&v.s, field, sizeof(v.s));
		if (v.s && *v.s)
			snprintf(ret, size, "default \"%s\"", v.s);
		break;
	case OPTION_SECRET:
	case OPTION_IGNORED:
	case OPTION_IGNORED_BOOL:
		break;
	}
}

/* Writes text wrapped at HELP_WIDTH, every line indented, without the backquotes. Returns the column it ended at. */
static size_t print_wrapped(FILE *out, const char *text, size_t column)
{
	while (*text) {
		size_t len = strcspn(text, " "), shown = 0;

		for (size_t i = 0; i < len; i++)
			shown += text[i] != '`';
		if (column > 0 && column + 1 + shown > HELP_WIDTH) {
			fputc('\n', out);
			column = 0;
		}
		if (column == 0)
			column = (size_t)fprintf(out, "%*s", HELP_INDENT, "");
		else
			column += (size_t)fprintf(out, " ");
		for (size_t i = 0; i < len; i++) {
			if (text[i] != '`')
				fputc(text[i], out);
		}
		column += shown;
		text += len;
		text += strspn(text, " ");
	}
	return column;
}

static void print_option(const struct option *opt, const void *config, bool is_v, FILE *out)
{
	char word[64], value[256], range[128], tail[512];
	size_t column = 0;
	bool ignored = opt->type == OPTION_IGNORED || opt->type == OPTION_IGNORED_BOOL;

	value_name(opt, word, sizeof(word));
	fprintf(out, "  %s-%s%s%s\n", is_v ? "-v, " : "", opt->name, *word ? " " : "", word);
	if (opt->help)
		column = print_wrapped(out, opt->help, column);
	default_text(opt, config, value, sizeof(value));
	if (ignored)
		snprintf(tail, sizeof(tail), "(accepted for compatibility, no effect)");
	else if (*value && option_has_range(opt))
		snprintf(tail, sizeof(tail), "(%s, %s)", value, option_range(range, sizeof(range), opt));
	else
		snprintf(tail, sizeof(tail), *value ? "(%s)" : "%s", value);
	column = print_wrapped(out, tail, column);
	if (column > 0)
		fputc('\n', out);
}

void options_help(const struct options *o, FILE *out)
{
	if (o->synopsis)
		fprintf(out, "%s: %s\n\n", o->program, o->synopsis);
	fprintf(out,
		"Usage: %s [options]%s%s\n\nOptions (-name value, -name=value, --name value and --name=value are the "
		"same):\n",
		o->program, o->words ? " " : "", o->words ? o->words : "");
	for (size_t i = 0; i < o->nsets; i++) {
		for (const struct option *opt = o->sets[i].table; opt->name; opt++)
			print_option(opt, o->sets[i].config,
				     o->alias_version_off && !strcmp(opt->name, o->alias_version_off), out);
	}
	fprintf(out, "  -h, -help\n%*sprint this list and exit\n", HELP_INDENT, "");
	fprintf(out, "  %s-version\n%*sprint the version and the commit it was built from and exit\n",
		o->alias_version_off ? "" : "-v, ", HELP_INDENT, "");
	if (o->epilogue)
		fprintf(out, "\n%s\n", o->epilogue);
}
