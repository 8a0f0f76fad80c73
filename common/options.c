/*
 * options.c - the command line, parsed as Go's flag package does.
 *
 * argv is walked twice: the first walk checks everything and finds -help, the second stores, so that an error leaves
 * the configurations alone and the help shows their defaults.
 */
#include "common/options.h"

#include <stdlib.h>
#include <string.h>

#include "common/arith.h"
#include "common/buf.h"
#include "common/number.h"
#include "common/options_internal.h"
#include "common/version.h"

/* One word (or two) of the command line. */
struct argument {
	const char *name; /* not terminated */
	size_t name_len;
	const char *value; /* NULL: none, or the next word if the option takes one */
};

/* A parsed value of any type. */
union value {
	bool b;
	int64_t i;
	uint64_t u;
	double d;
	const char *s;
};

static bool named(const struct argument *a, const char *name)
{
	return strlen(name) == a->name_len && !memcmp(name, a->name, a->name_len);
}

static const struct option *find(const struct options *o, const char *name, size_t len, void **ret_config)
{
	for (size_t i = 0; i < o->nsets; i++) {
		for (const struct option *opt = o->sets[i].table; opt->name; opt++) {
			if (strlen(opt->name) == len && !memcmp(opt->name, name, len)) {
				*ret_config = o->sets[i].config;
				return opt;
			}
		}
	}
	return NULL;
}

/* Levenshtein distance of two short names; anything longer than the table is far away. */
static size_t distance(const char *a, size_t na, const char *b)
{
	size_t row[64], nb = strlen(b);

	if (nb >= ARRAY_LEN(row))
		return SIZE_MAX;
	for (size_t j = 0; j <= nb; j++)
		row[j] = j;
	for (size_t i = 1; i <= na; i++) {
		size_t diagonal = row[0];

		row[0] = i;
		for (size_t j = 1; j <= nb; j++) {
			size_t best = diagonal + (a[i - 1] != b[j - 1]);

			diagonal = row[j];
			if (row[j] + 1 < best)
				best = row[j] + 1;
			if (row[j - 1] + 1 < best)
				best = row[j - 1] + 1;
			row[j] = best;
		}
	}
	return row[nb];
}

static int unknown_option(const struct options *o, const struct argument *a, struct error *err)
{
	size_t best = a->name_len > 4 ? 3 : 2; /* nothing farther away than that is a slip of the finger */
	const char *nearest = NULL;

	for (size_t i = 0; i < o->nsets && a->name_len < 64; i++) {
		for (const struct option *opt = o->sets[i].table; opt->name; opt++) {
			size_t d = distance(a->name, a->name_len, opt->name);

			if (d < best) {
				best = d;
				nearest = opt->name;
			}
		}
	}
	if (nearest)
		return error_set(err, ERR_USAGE, "unknown option -%.*s: did you mean -%s? (-help lists the options)",
				 (int)a->name_len, a->name, nearest);
	return error_set(err, ERR_USAGE, "unknown option -%.*s (-help lists the options)", (int)a->name_len, a->name);
}

/* Splits one word. Returns 1, 0 for "--" alone, or an error for what is no option. */
static int split(struct argument *ret, const char *word, struct error *err)
{
	const char *name = word + 1, *equals;

	if (word[0] != '-' || !word[1]) {
		error_set(err, ERR_USAGE, "unexpected argument \"%s\": options begin with a dash", word);
		return ERR_USAGE;
	}
	if (*name == '-') {
		name++;
		if (!*name)
			return 0;
	}
	if (!*name || *name == '-' || *name == '=') {
		error_set(err, ERR_USAGE, "\"%s\" is no option: write -name or -name=value", word);
		return ERR_USAGE;
	}
	equals = strchr(name, '=');
	ret->name = name;
	ret->name_len = equals ? (size_t)(equals - name) : strlen(name);
	ret->value = equals ? equals + 1 : NULL;
	return 1;
}

static int bad_value(const struct option *opt, const char *text, int code, struct error *err)
{
	static const char *const WANTED[] = {
		[OPTION_BOOL] = "true or false",
		[OPTION_INT] = "a whole number",
		[OPTION_UINT] = "a whole number from 0 on",
		[OPTION_DOUBLE] = "a number",
		[OPTION_DURATION] = "a duration like 300ms, 1.5s or 1m30s",
		[OPTION_IGNORED_BOOL] = "true or false",
	};

	if (code == ERR_RANGE)
		return error_set(err, ERR_USAGE, "invalid value \"%s\" for -%s: out of range", text, opt->name);
	return error_set(err, ERR_USAGE, "invalid value \"%s\" for -%s: want %s", text, opt->name, WANTED[opt->type]);
}

static int check_range(const struct option *opt, const char *text, double value, struct error *err)
{
	char range[128];

	if (!option_has_range(opt) || (value >= opt->min && value <= opt->max))
		return 0;
	option_range(range, sizeof(range), opt);
	return error_set(err, ERR_USAGE, "invalid value \"%s\" for -%s: must be %s", text, opt->name, range);
}

/* Reads text as opt's type. */
static int parse_value(const struct option *opt, const char *text, union value *ret, struct error *err)
{
	int r = 0;
	double number = 0;

	switch (opt->type) {
	case OPTION_BOOL:
	case OPTION_IGNORED_BOOL:
		r = number_parse_bool(&ret->b, text);
		return r < 0 ? bad_value(opt, text, r, err) : 0;
	case OPTION_INT:
		r = number_parse_int(&ret->i, text);
		number = r < 0 ? 0 : (double)ret->i;
		break;
	case OPTION_UINT:
		r = number_parse_uint(&ret->u, text);
		number = r < 0 ? 0 : (double)ret->u;
		break;
	case OPTION_DOUBLE:
		r = number_parse_double(&ret->d, text);
		number = r < 0 ? 0 : ret->d;
		break;
	case OPTION_DURATION:
		r = duration_parse(&ret->i, text);
		number = r < 0 ? 0 : (double)ret->i;
		break;
	case OPTION_STRING:
	case OPTION_SECRET:
	case OPTION_PATH:
	case OPTION_OUTPUT:
	case OPTION_IGNORED:
		ret->s = text;
		return 0;
	}
	if (r < 0)
		return bad_value(opt, text, r, err);
	return check_range(opt, text, number, err);
}

/* "~/x" becomes "$HOME/x", which the options own; o NULL: only checks that it can. */
static int expand_home(struct options *o, const struct option *opt, const char **path, struct error *err)
{
	const char *home = getenv("HOME");
	struct buf full = {0};
	char **owned;

	if (strncmp(*path, "~/", 2) != 0)
		return 0;
	if (!home || !*home)
		return error_set(err, ERR_USAGE, "-%s: cannot expand \"%s\": HOME is not set", opt->name, *path);
	if (!o)
		return 0;
	owned = realloc(o->owned, (o->nowned + 1) * sizeof(*owned));
	if (!owned)
		return error_set(err, ERR_NOMEM, "-%s: out of memory", opt->name);
	o->owned = owned;
	if (buf_printf(&full, "%s/%s", home, *path + 2) < 0)
		return error_set(err, ERR_NOMEM, "-%s: out of memory", opt->name);
	owned[o->nowned++] = full.data;
	*path = full.data;
	return 0;
}

static void store(const struct option *opt, void *config, const union value *v)
{
	char *field = (char *)config + opt->offset;

	switch (opt->type) {
	case OPTION_BOOL:
		memcpy(field, &v->b, sizeof(v->b));
		break;
	case OPTION_INT:
	case OPTION_DURATION:
		memcpy(field, &v->i, sizeof(v->i));
		break;
	case OPTION_UINT:
		memcpy(field, &v->u, sizeof(v->u));
		break;
	case OPTION_DOUBLE:
		memcpy(field, &v->d, sizeof(v->d));
		break;
	case OPTION_STRING:
	case OPTION_SECRET:
	case OPTION_PATH:
	case OPTION_OUTPUT:
		memcpy(field, &v->s, sizeof(v->s));
		break;
	case OPTION_IGNORED:
	case OPTION_IGNORED_BOOL:
		break;
	}
}

/* What our tables do not define: the other name of -v, and what every program has. Returns the option, or NULL with
 * *ret_result set, to ERR_USAGE for an unknown name. */
static const struct option *find_builtin(const struct options *o, const struct argument *a, void **ret_config,
					 int *ret_result, struct error *err)
{
	const struct option *opt;

	if (named(a, "v") && o->alias_version_off) {
		opt = find(o, o->alias_version_off, strlen(o->alias_version_off), ret_config);
		if (opt)
			return opt;
	}
	if (named(a, "h") || named(a, "help"))
		*ret_result = OPTIONS_HELP;
	else if (named(a, "v") || named(a, "version"))
		*ret_result = OPTIONS_VERSION;
	else
		*ret_result = unknown_option(o, a, err);
	return NULL;
}

/* Where options end and words begin; only for a program that takes words. */
static bool ends_options(const char *word)
{
	return word[0] != '-' || !word[1] || strcmp(word, "--") == 0;
}

static bool is_bool(const struct option *opt)
{
	return opt->type == OPTION_BOOL || opt->type == OPTION_IGNORED_BOOL;
}

static bool is_path(const struct option *opt)
{
	return opt->type == OPTION_PATH || opt->type == OPTION_OUTPUT;
}

int options_next(const struct options *o, int argc, char **argv, int i, const struct option **ret_option,
		 const char **ret_value)
{
	const struct option *opt = NULL;
	struct argument a = {0};
	void *config;
	int words = 1, result;

	if (i >= argc || split(&a, argv[i], NULL) <= 0)
		return 0;
	opt = find(o, a.name, a.name_len, &config);
	if (!opt)
		opt = find_builtin(o, &a, &config, &result, NULL);
	if (!opt)
		return 0;
	if (!a.value && !is_bool(opt)) {
		if (i + 1 >= argc)
			return 0;
		a.value = argv[i + 1];
		words = 2;
	}
	*ret_option = opt;
	*ret_value = a.value;
	return words;
}

static int walk(struct options *o, int argc, char **argv, bool storing, FILE *note, struct error *err)
{
	o->first_word = argc;
	for (int i = 1; i < argc; i++) {
		const struct option *opt;
		struct argument a = {0};
		union value v;
		void *config = NULL;
		int r;

		if (o->words && ends_options(argv[i])) {
			o->first_word = i + (strcmp(argv[i], "--") == 0);
			break;
		}
		r = split(&a, argv[i], err);
		if (r < 0)
			return r;
		if (r == 0) {
			if (i + 1 < argc)
				return error_set(err, ERR_USAGE, "unexpected argument \"%s\" after --", argv[i + 1]);
			break;
		}
		opt = find(o, a.name, a.name_len, &config);
		if (!opt)
			opt = find_builtin(o, &a, &config, &r, err);
		if (!opt)
			return r;
		if (!a.value && is_bool(opt))
			a.value = "true";
		else if (!a.value && i + 1 >= argc)
			return error_set(err, ERR_USAGE, "option -%s needs a value", opt->name);
		else if (!a.value)
			a.value = argv[++i];
		r = parse_value(opt, a.value, &v, err);
		if (r < 0)
			return r;
		r = is_path(opt) ? expand_home(storing ? o : NULL, opt, &v.s, err) : 0;
		if (r < 0)
			return r;
		if (!storing)
			continue;
		store(opt, config, &v);
		if (note && (opt->type == OPTION_IGNORED || opt->type == OPTION_IGNORED_BOOL))
			fprintf(note, "%s: note: -%s is accepted and has no effect here\n", o->program, opt->name);
	}
	return OPTIONS_RUN;
}

int options_parse(struct options *o, int argc, char **argv, FILE *out, FILE *note, struct error *err)
{
	int r = walk(o, argc, argv, false, NULL, err);

	if (r == OPTIONS_HELP)
		options_help(o, out);
	else if (r == OPTIONS_VERSION)
		fprintf(out, "%s %s (%s)\n", o->program, AIBENCH_VERSION, aibench_git_commit);
	if (r != OPTIONS_RUN)
		return r;
	return walk(o, argc, argv, true, note, err);
}

void options_release(struct options *o)
{
	for (size_t i = 0; i < o->nowned; i++)
		free(o->owned[i]);
	free(o->owned);
	o->owned = NULL;
	o->nowned = 0;
}
