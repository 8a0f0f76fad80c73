#include "cmd/common.h"

#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
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

static bool is_secret(const struct options *o, const char *name, size_t len)
{
	for (size_t i = 0; i < o->nsets; i++) {
		for (const struct option *opt = o->sets[i].table; opt->name; opt++) {
			if (opt->type == OPTION_SECRET && strlen(opt->name) == len && !memcmp(opt->name, name, len))
				return true;
		}
	}
	return false;
}

char *command_line(int argc, char **argv, const struct options *o)
{
	struct buf b = {0};
	bool hide = false;

	for (int i = 0; i < argc; i++) {
		const char *word = argv[i], *name = word + strspn(word, "-");
		size_t len = strcspn(name, "=");
		bool secret = name != word && is_secret(o, name, len);

		if (hide)
			buf_printf(&b, " ***");
		else if (secret && name[len] == '=')
			buf_printf(&b, " %.*s=***", (int)(name + len - word), word);
		else
			buf_printf(&b, "%s%s", i ? " " : "", word);
		hide = !hide && secret && name[len] == '\0';
	}
	if (b.failed) {
		buf_release(&b);
		return NULL;
	}
	return b.data;
}
