#include "tests/support/redis_server.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define ARGS_MAX 64

static bool answers_ping(const char *path)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	struct timeval limit = {.tv_sec = 5};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	char reply[64];
	ssize_t n = -1;

	if ((size_t)snprintf(a.sun_path, sizeof(a.sun_path), "%s", path) >= sizeof(a.sun_path))
		abort();
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	if (connect(fd, (struct sockaddr *)&a, sizeof(a)) == 0 && write(fd, "PING\r\n", 6) == 6)
		n = read(fd, reply, sizeof(reply));
	close(fd);
	/* +PONG, or -NOAUTH…: either way it serves; -LOADING does not yet. */
	return n > 0 && strncmp(reply, "-LOADING", 8) != 0;
}

static void give_up(struct redis_server *s, const char *why)
{
	struct process_result r;

	kill(s->process.pid, SIGKILL);
	process_wait(&s->process, &r, 5);
	fprintf(stderr, "tests/support: redis-server %s\n%s%s\n", why, r.out, r.err);
	abort();
}

static void add_args(const char **argv, size_t *n, const char *const *more)
{
	for (; more && *more; more++) {
		if (*n + 1 >= ARGS_MAX)
			abort();
		argv[(*n)++] = *more;
	}
	argv[*n] = NULL;
}

static void launch(struct redis_server *s, const char *const *module, const char *const *extra)
{
	char preload[1024];
	const char *const env[] = {preload, NULL};
	const char *runtime = getenv("AIBENCH_SERVER_PRELOAD");
	const struct process_options o = {.env = runtime ? env : NULL};
	const char *argv[ARGS_MAX] = {NULL};
	/* A first replica is not to wait 5 s for more. */
	const char *const base[] = {"redis-server",
				    "--port",
				    s->port_text,
				    "--bind",
				    "127.0.0.1",
				    "--dir",
				    s->dir,
				    "--unixsocket",
				    s->socket,
				    "--save",
				    "",
				    "--daemonize",
				    "no",
				    "--repl-diskless-sync-delay",
				    "0",
				    NULL};
	size_t n = 0;

	snprintf(preload, sizeof(preload), "LD_PRELOAD=%s", runtime ? runtime : "");
	add_args(argv, &n, base);
	add_args(argv, &n, module);
	add_args(argv, &n, extra);
	unlink(s->socket);
	process_start(&s->process, argv, &o);
	for (int i = 0; i < 4000; i++) {
		const struct timespec pause = {.tv_nsec = 5000000};

		if (access(s->socket, F_OK) == 0 && answers_ping(s->socket))
			return;
		if (!process_running(&s->process))
			give_up(s, "ended at once");
		nanosleep(&pause, NULL);
	}
	give_up(s, "does not answer");
}

static void prepare(struct redis_server *s)
{
	*s = (struct redis_server){.port = free_port()};
	snprintf(s->port_text, sizeof(s->port_text), "%u", s->port);
	temp_folder_new(s->dir, sizeof(s->dir));
	snprintf(s->socket, sizeof(s->socket), "%s/redis.sock", s->dir);
}

void redis_server_start(struct redis_server *s, const char *const *extra)
{
	prepare(s);
	launch(s, NULL, extra);
}

void redis_server_restart(struct redis_server *s, const char *const *extra)
{
	launch(s, NULL, extra);
}

void redis_server_stop(struct redis_server *s, bool keep_folder)
{
	struct process_result r;

	if (s->process.pid > 0) {
		process_signal(&s->process, SIGTERM);
		process_wait(&s->process, &r, 20);
		/* A sanitizer's report of the module ends up here. */
		if (r.status != 0 && r.status != 128 + SIGTERM && r.status != 128 + SIGKILL) {
			fprintf(stderr, "tests/support: redis-server ended with status %d\n%s%s\n", r.status, r.out,
				r.err);
			abort();
		}
		process_result_release(&r);
	}
	if (!keep_folder)
		temp_folder_remove(s->dir);
}

const char *redis_server_module_path(void)
{
	static char path[4096];
	const char *folder = getenv("AIBENCH_BIN");
	char relative[2048], *absolute;

	snprintf(relative, sizeof(relative), "%s/redisai.so", folder ? folder : "bin");
	absolute = realpath(relative, NULL);
	if (!absolute)
		return NULL;
	snprintf(path, sizeof(path), "%s", absolute);
	free(absolute);
	return path;
}

void redis_server_start_module(struct redis_server *s, const char *const *module_args, const char *const *extra)
{
	const char *module[ARGS_MAX] = {"--loadmodule", redis_server_module_path(), NULL};
	size_t n = 2;

	if (!module[1]) {
		fprintf(stderr, "tests/support: redisai.so is not built: run make module\n");
		abort();
	}
	prepare(s);
	add_args(module, &n, module_args);
	launch(s, module, extra);
}
