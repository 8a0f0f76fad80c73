#include "tests/support/model_server.h"

#include <dirent.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#define PROGRAM "aibench_model_server"
#define LIMIT_SECONDS 60
#define WORDS_MAX 30

/* How many ports the option asks for: 1 without it. *ret_given: whether it was there. */
static unsigned count_ports(const char *const *words, const char *option, bool *ret_given)
{
	*ret_given = false;
	for (; *words; words++) {
		const char *name = *words + strspn(*words, "-"), *value;
		size_t len = strlen(option);
		unsigned n;

		if (*words[0] != '-' || strncmp(name, option, len) != 0 || (name[len] && name[len] != '='))
			continue;
		*ret_given = true;
		value = name[len] ? name + len + 1 : words[1];
		n = value && *value ? 1 : 0;
		for (; n && *value; value++)
			n += *value == ',';
		return n;
	}
	return 1;
}

/* The ports are printed once the models are loaded, "listening on grpc 127.0.0.1:34567". */
static bool read_ports(struct model_server *s, const char *text, unsigned want_grpc, unsigned want_http)
{
	s->ngrpc = s->nhttp = 0;
	for (const char *line = text; (line = strstr(line, "listening on ")); line++) {
		char kind[8];
		unsigned short port;

		if (sscanf(line, "listening on %7s 127.0.0.1:%hu\n", kind, &port) != 2)
			return false;
		if (strcmp(kind, "grpc") == 0 && s->ngrpc < MODEL_SERVER_PORTS_MAX)
			s->grpc[s->ngrpc++] = port;
		else if (strcmp(kind, "http") == 0 && s->nhttp < MODEL_SERVER_PORTS_MAX)
			s->http[s->nhttp++] = port;
	}
	return s->ngrpc == want_grpc && s->nhttp == want_http && text[strlen(text) - 1] == '\n';
}

static void wait_for_ports(struct model_server *s, unsigned want_grpc, unsigned want_http)
{
	const struct timespec pause = {.tv_nsec = 5000000};
	struct process_result r;
	char text[4096];

	for (int i = 0; i < LIMIT_SECONDS * 200; i++) {
		ssize_t n = pread(s->process.out_fd, text, sizeof(text) - 1, 0);

		text[n > 0 ? n : 0] = '\0';
		if (n > 0 && read_ports(s, text, want_grpc, want_http))
			return;
		if (!process_running(&s->process))
			break;
		nanosleep(&pause, NULL);
	}
	process_signal(&s->process, SIGKILL);
	process_wait(&s->process, &r, LIMIT_SECONDS);
	fail_msg("the server never listened: %s%s", r.out, r.err);
}

void model_server_start(struct model_server *s, const char *const *words)
{
	const char *all[WORDS_MAX + 6] = {PROGRAM};
	bool grpc_given, http_given;
	unsigned want_grpc = count_ports(words, "grpc-port", &grpc_given);
	unsigned want_http = count_ports(words, "http-port", &http_given);
	size_t n = 1;

	while (*words) {
		assert_true(n <= WORDS_MAX);
		all[n++] = *words++;
	}
	if (!grpc_given)
		all[n++] = "-grpc-port=0";
	if (!http_given)
		all[n++] = "-http-port=0";
	*s = (struct model_server){0};
	process_start(&s->process, all, &(struct process_options){0});
	wait_for_ports(s, want_grpc, want_http);
	snprintf(s->grpc_host, sizeof(s->grpc_host), "127.0.0.1:%hu", s->grpc[0]);
	snprintf(s->http_host, sizeof(s->http_host), "127.0.0.1:%hu", s->http[0]);
}

void model_server_stop(struct model_server *s, int signal)
{
	struct process_result r;

	if (signal)
		process_signal(&s->process, signal);
	process_wait(&s->process, &r, LIMIT_SECONDS);
	s->process.pid = 0;
	if (r.status != 0)
		fail_msg("exit status %d: %s", r.status, r.err);
	process_result_release(&r);
}

unsigned model_server_descriptors(const struct model_server *s)
{
	char path[64];
	unsigned n = 0;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/fd", (int)s->process.pid);
	dir = opendir(path);
	assert_non_null(dir);
	while (readdir(dir))
		n++;
	closedir(dir);
	return n;
}

void model_server_kill(struct model_server *s)
{
	struct process_result r;

	if (!s->process.pid)
		return;
	process_signal(&s->process, SIGKILL);
	process_wait(&s->process, &r, LIMIT_SECONDS);
	s->process.pid = 0;
	process_result_release(&r);
}
