#include "tests/support/model_server.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define LIMIT_SECONDS 60

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

void model_server_start(struct model_server *s, const char *const *argv, unsigned want_grpc, unsigned want_http)
{
	const struct timespec pause = {.tv_nsec = 5000000};
	char text[4096] = "";

	memset(s, 0, sizeof(*s));
	process_start(&s->process, argv, &(struct process_options){0});
	for (int i = 0; i < LIMIT_SECONDS * 200; i++) {
		ssize_t n = pread(s->process.out_fd, text, sizeof(text) - 1, 0);

		text[n > 0 ? n : 0] = '\0';
		if (n > 0 && read_ports(s, text, want_grpc, want_http)) {
			snprintf(s->grpc_host, sizeof(s->grpc_host), "127.0.0.1:%hu", s->grpc[0]);
			snprintf(s->http_host, sizeof(s->http_host), "127.0.0.1:%hu", s->http[0]);
			return;
		}
		if (!process_running(&s->process))
			break;
		nanosleep(&pause, NULL);
	}
	fprintf(stderr, "tests/support: the model server never listened: %s\n", text);
	abort();
}

int model_server_stop(struct model_server *s, int with)
{
	struct process_result r;
	int status;

	if (!s->process.pid)
		return 0;
	process_signal(&s->process, with);
	process_wait(&s->process, &r, LIMIT_SECONDS);
	s->process.pid = 0;
	status = r.status;
	if (status != 0 && status != 128 + with)
		fprintf(stderr, "%s", r.err);
	process_result_release(&r);
	return status;
}
