/*
 * options.h - command line options exactly as Go's flag package reads them.
 *
 * -name value, -name=value, --name value and --name=value are the same; a boolean is -name, or -name=V with V one
 * of 1 0 t f T F true false TRUE FALSE True False; integers may be 0x, 0o, 0b or have underscores; durations are
 * Go's (300ms, 1.5s, 1m30s, 500us, 0). Parsing stops at "--" or at the first word without a dash; where a program takes
 * no such words (most of ours), one is an error. Where Go differs from getopt_long, Go wins.
 *
 * A table describes fields of one configuration struct; the struct's values before parsing are the defaults, so
 * that a program can set its own. Several tables (the program's, the driver's, the connection's) make one command
 * line. Each module owns its table and its struct.
 */
#ifndef COMMON_OPTIONS_H
#define COMMON_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "common/error.h"

enum option_type {
	OPTION_BOOL,         /* bool */
	OPTION_INT,          /* int64_t */
	OPTION_UINT,         /* uint64_t */
	OPTION_DOUBLE,       /* double */
	OPTION_DURATION,     /* nsec_t (int64_t nanoseconds) */
	OPTION_STRING,       /* const char *, a view into argv */
	OPTION_PATH,         /* const char *, as STRING; a leading "~/" becomes $HOME/ (see options_release) */
	OPTION_OUTPUT,       /* const char *, as PATH: of a file that the program writes */
	OPTION_SECRET,       /* const char *, as STRING; neither its default nor a bad value is ever printed */
	OPTION_IGNORED,      /* a string of AIBench's that has no effect here; one note on stderr says so. No field */
	OPTION_IGNORED_BOOL, /* the same for a boolean */
};

struct option {
	const char *name; /* without dashes; NULL ends a table */
	enum option_type type;
	size_t offset;    /* offsetof(struct the_config, field) */
	const char *help; /* one sentence; a `word` in backquotes names the value, as in Go */
	/* Numbers and durations outside of [min, max] are an error that names the range; both 0: no limits. A limit may
	 * be infinite. Durations: nanoseconds. */
	double min, max;
};

/* What durations are bounded by: further off is a slip. */
#define OPTION_DAY (86400 * 1e9)
#define OPTION_YEAR (365 * OPTION_DAY)

/* One table and the struct that it fills. */
struct option_set {
	const struct option *table;
	void *config;
};

/* The text of a STRING, PATH, OUTPUT or SECRET option. */
static inline const char *option_text(const struct option *opt, const void *config)
{
	const char *text;

	memcpy(&text, (const char *)config + opt->offset, sizeof(text));
	return text;
}

struct options {
	const char *program;           /* "aibench_load_data" */
	const char *synopsis;          /* one line: what the program does */
	const char *words;             /* the words that follow the options: "FILE..."; NULL: none may */
	const char *epilogue;          /* printed under the options in the help; may be NULL */
	const char *alias_version_off; /* if set, -v is this boolean option's other name and not --version */
	const struct option_set *sets;
	size_t nsets;
	/* Filled by parsing: */
	int first_word; /* where the words begin in argv, a "--" before them left out; argc: there are none */
	char **owned;   /* expanded paths */
	size_t nowned;
};

enum options_result {
	OPTIONS_RUN,     /* go on */
	OPTIONS_HELP,    /* -h, -help: help was printed on out; exit 0 */
	OPTIONS_VERSION, /* -v, -version: version was printed on out; exit 0 */
};

/*
 * Parses argv[1…]. Returns an enum options_result, or ERR_USAGE with one line in err that names the option (the
 * program prints it and exits with EXIT_USAGE); the configurations are untouched then. Of an option given twice the
 * last one counts; of two tables with the same name the first. note: where notes about ignored options go.
 */
int options_parse(struct options *o, int argc, char **argv, FILE *out, FILE *note, struct error *err) MUST_CHECK;
/*
 * How many words the option at argv[i] takes, 1 or 2; 0 where there is none that the tables have. ret_value: its value, as
 * text; NULL of a boolean without one. For who looks at a command line that options_parse took, or takes later.
 */
int options_next(const struct options *o, int argc, char **argv, int i, const struct option **ret_option,
		 const char **ret_value);
void options_help(const struct options *o, FILE *out);
/* Frees what parsing had to allocate. The config's OPTION_PATH values are invalid afterwards. */
void options_release(struct options *o);

/* Go's time.ParseDuration. Returns 0, or ERR_INVALID or ERR_RANGE. */
int duration_parse(int64_t *ret_nsec, const char *text) MUST_CHECK;
/* Writes as Go prints it ("1m30s", "300ms"); returns buf. */
const char *duration_format(char *buf, size_t size, int64_t nsec);

#define EXIT_OK 0
#define EXIT_FAILED 1
#define EXIT_USAGE 2
#define EXIT_NOT_VALID 3 /* -strict: a run's verdict was another than VALID */

#endif
