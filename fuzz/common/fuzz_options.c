/*
 * The command line: words are separated by NUL. What parses must be inside its limits, what does not must say why and
 * change nothing.
 */
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/options.h"

#define WORDS 16
#define TEXT 4096

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct config {
	bool flag;
	int64_t number;
	uint64_t port;
	double ratio;
	int64_t timeout;
	const char *name, *path;
};

#define FIELD(f) offsetof(struct config, f)

static const struct option TABLE[] = {
	{"flag", OPTION_BOOL, FIELD(flag), "A flag.", 0, 0},
	{"n", OPTION_INT, FIELD(number), "A number.", -1000, 1000},
	{"port", OPTION_UINT, FIELD(port), "A port.", 1, 65535},
	{"ratio", OPTION_DOUBLE, FIELD(ratio), "A ratio.", 0, INFINITY},
	{"timeout", OPTION_DURATION, FIELD(timeout), "A `wait`.", 1e6, 60e9},
	{"name", OPTION_STRING, FIELD(name), "A name.", 0, 0},
	{"path", OPTION_PATH, FIELD(path), "A path.", 0, 0},
	{"strict", OPTION_IGNORED_BOOL, 0, "Strictness.", 0, 0},
	{0},
};

static void require(int condition)
{
	if (!condition)
		abort();
}

static void check_duration(const char *text)
{
	char printed[64];
	int64_t nsec, again;

	if (duration_parse(&nsec, text) == 0)
		require(duration_parse(&again, duration_format(printed, sizeof(printed), nsec)) == 0 && again == nsec);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct config DEFAULTS = {.port = 6379, .ratio = 0.5, .timeout = 30000000000, .name = "x"};
	struct config config = DEFAULTS;
	struct option_set set = {TABLE, &config};
	struct options o = {.program = "fuzzed", .sets = &set, .nsets = 1};
	struct error err = {""};
	char text[TEXT + 1], *argv[WORDS + 1] = {text};
	FILE *null = fopen("/dev/null", "w");
	int argc = 1, r;

	if (!null)
		return 0;
	size = size < TEXT ? size : TEXT;
	if (size)
		memcpy(text, data, size);
	text[size] = '\0';
	for (char *p = text; p < text + size && argc <= WORDS; p += strlen(p) + 1) {
		check_duration(p);
		argv[argc++] = p;
	}
	o.words = size % 2 ? "WORD..." : NULL;
	r = options_parse(&o, argc, argv, null, null, &err);
	if (r == OPTIONS_RUN) {
		require(o.first_word >= 1 && o.first_word <= argc && (o.words || o.first_word == argc));
		require(config.number >= -1000 && config.number <= 1000);
		require(config.port >= 1 && config.port <= 65535 && config.ratio >= 0);
		require(config.timeout >= 1000000 && config.timeout <= 60000000000);
	} else {
		require(!config.flag && config.number == 0 && config.port == DEFAULTS.port && !config.path);
		require(config.timeout == DEFAULTS.timeout && config.name == DEFAULTS.name);
		require((r < 0) == (err.text[0] != '\0'));
	}
	options_release(&o);
	fclose(null);
	return 0;
}
