#include "cmd/common.h"

#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/buf.h"

/* A handler has no argument. */
static atomic_int interrupted;

static void on_signal(int signo)
{
	atomic_store(&interrupted, signo);
}

const atomic_int *catch_signals(void)
{
	struct sigaction action = {.sa_handler = on_signal, .sa_flags = (int)SA_RESETHAND};

	sigemptyset(&action.sa_mask);
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	signal(SIGPIPE, SIG_IGN);
	return &interrupted;
}

int fail(const char *program, const struct error *err, int status)
{
	fflush(stdout);
	fprintf(stderr, "%s: %s\n", program, err->text);
	return status;
}

int exit_status(int error_code)
{
	int signo = atomic_load(&interrupted);

	if (error_code == ERR_CANCELED && signo)
		return 128 + signo;
	return error_code == ERR_USAGE ? EXIT_USAGE : EXIT_FAILED;
}

int program_main(struct options *o, int argc, char **argv, int (*work)(void *config, struct error *err), void *config)
{
	struct error err = {""};
	int rc = options_parse(o, argc, argv, stdout, stderr, &err);

	if (rc == OPTIONS_RUN)
		rc = work(config, &err);
	options_release(o);
	return rc < 0 ? fail(o->program, &err, exit_status(rc)) : EXIT_OK;
}

/* The word or words of one option at argv[i] as they may be seen; false when out of memory. */
static bool copy_option(char **to, char **argv, int words, const struct option *opt, const char *value)
{
	bool secret = opt->type == OPTION_SECRET;

	if (words == 2) {
		to[0] = strdup(argv[0]);
		to[1] = strdup(secret ? SECRET_HIDDEN : value);
		return to[0] && to[1];
	}
	if (secret)
		return asprintf(&to[0], "%.*s" SECRET_HIDDEN, (int)(value - argv[0]), argv[0]) >= 0;
	to[0] = strdup(argv[0]);
	return to[0] != NULL;
}

char **visible_words(int argc, char **argv, const struct options *o)
{
	char **words = calloc((size_t)argc + 1, sizeof(*words));
	bool ok = words != NULL;

	for (int i = 0; ok && i < argc;) {
		const struct option *opt;
		const char *value;
		int n = i > 0 ? options_next(o, argc, argv, i, &opt, &value) : 0;

		if (n > 0)
			ok = copy_option(words + i, argv + i, n, opt, value);
		else
			ok = (words[i] = strdup(argv[i])) != NULL;
		i += n > 0 ? n : 1;
	}
	if (ok)
		return words;
	words_free(words);
	return NULL;
}

void words_free(char **words)
{
	for (size_t i = 0; words && words[i]; i++)
		free(words[i]);
	free(words);
}

char *words_join(char *const *words)
{
	struct buf b = {0};

	for (size_t i = 0; words[i]; i++)
		buf_printf(&b, "%s%s", i ? " " : "", words[i]);
	if (b.failed) {
		buf_release(&b);
		return NULL;
	}
	return b.data;
}

char *command_line(int argc, char **argv, const struct options *o)
{
	char **words = visible_words(argc, argv, o);
	char *line = words ? words_join(words) : NULL;

	words_free(words);
	return line;
}
