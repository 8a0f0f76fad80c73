/*
 * bench_large_tensor.c - the client's CPU for one image tensor of 602 KB, as a ratio to one writev of the same bytes to
 * the same kind of socket.
 *
 * The client is whole: dataset, encoder, connection, reply, check and statistics, with all its threads. The writev is
 * one blocking call by a thread that does nothing else. Both send to one process that reads everything and answers as
 * RedisAI would; it has a core of its own. Turns of each alternate; the medians count.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench/measure.h"
#include "drivers/redisai.h"
#include "drivers/redisai_encode.h"
#include "runners/runner.h"
#include "workloads/vision.h"

#define IMAGES 200
#define TURNS 9
#define SET_UP_MAX 256 /* bytes of a command that is no part of an inference */
#define MODEL "mobilenet_v1_100_224_cpu"

static void die(const char *what)
{
	perror(what);
	exit(1);
}

/* ---- the server: reads requests of a known size, answers with fixed bytes ---- */

static void write_all(int fd, const char *p, size_t len)
{
	while (len > 0) {
		ssize_t n = write(fd, p, len);

		if (n <= 0)
			return;
		p += n;
		len -= (size_t)n;
	}
}

static size_t make_answer(char **ret)
{
	static const char begin[] = "+OK\r\n+OK\r\n";
	float p[VISION_CLASSES] = {1};
	size_t at;

	*ret = malloc(sizeof(p) + 64);
	if (!*ret)
		die("malloc");
	at = (size_t)snprintf(*ret, 64, "%s$%zu\r\n", begin, sizeof(p));
	memcpy(*ret + at, p, sizeof(p));
	memcpy(*ret + at + sizeof(p), "\r\n", 2);
	return at + sizeof(p) + 2;
}

/* What the driver asks before it sends. */
static bool set_up(int fd, const char *command, size_t len)
{
	static const char pong[] = "+PONG\r\n", no_fields[] = "*0\r\n";

	if (memmem(command, len, "PING", 4))
		write_all(fd, pong, sizeof(pong) - 1);
	else if (memmem(command, len, "AI.MODELGET", 11))
		write_all(fd, no_fields, sizeof(no_fields) - 1);
	else
		return false;
	return true;
}

static void serve_connection(int fd, size_t request, const char *answer, size_t answer_len)
{
	static char buffer[64 << 10];
	size_t got = 0;
	ssize_t n;

	while ((n = read(fd, buffer, sizeof(buffer))) > 0) {
		if (got == 0 && n < SET_UP_MAX && set_up(fd, buffer, (size_t)n))
			continue;
		for (got += (size_t)n; got >= request; got -= request)
			write_all(fd, answer, answer_len);
	}
	close(fd);
}

/* Each connection has a process: the driver may open one before it closes the last. */
static _Noreturn void serve(int listener, size_t request)
{
	char *answer;
	size_t len = make_answer(&answer);

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	signal(SIGCHLD, SIG_IGN);
	use_core(SERVER_CORE);
	for (;;) {
		int fd = accept(listener, NULL, NULL);

		if (fd < 0)
			continue;
		if (fork() == 0) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			serve_connection(fd, request, answer, len);
			_exit(0);
		}
		close(fd);
	}
}

struct target {
	struct sockaddr_storage address;
	socklen_t len;
	const char *unix_path; /* NULL: TCP */
	char port[8];
	int listener;
};

static void listen_on(struct target *t, const char *unix_path)
{
	*t = (struct target){.unix_path = unix_path};
	if (unix_path) {
		struct sockaddr_un a = {.sun_family = AF_UNIX};

		snprintf(a.sun_path, sizeof(a.sun_path), "%s", unix_path);
		memcpy(&t->address, &a, sizeof(a));
		t->len = sizeof(a);
	} else {
		struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};

		memcpy(&t->address, &a, sizeof(a));
		t->len = sizeof(a);
	}
	t->listener = socket(t->address.ss_family, SOCK_STREAM, 0);
	if (t->listener < 0 || bind(t->listener, (struct sockaddr *)&t->address, t->len) < 0 ||
	    listen(t->listener, 8) < 0)
		die("listen");
	getsockname(t->listener, (struct sockaddr *)&t->address, &t->len);
	if (!unix_path) {
		struct sockaddr_in a;

		memcpy(&a, &t->address, sizeof(a));
		snprintf(t->port, sizeof(t->port), "%u", ntohs(a.sin_port));
	}
}

/* ---- the two clients ---- */

/* Microseconds of CPU a writev, replies read but not counted. */
static double plain(const struct target *t, const struct resp_template *form, const char *images, size_t answer)
{
	struct resp_scratch scratch = {.text = malloc(form->text_max)};
	int fd = socket(t->address.ss_family, SOCK_STREAM, 0), one = 1;
	char reply[8192];
	nsec_t cpu = 0;

	if (!scratch.text || fd < 0 || connect(fd, (const struct sockaddr *)&t->address, t->len) < 0)
		die("connect");
	if (!t->unix_path)
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	for (unsigned i = 0; i < IMAGES; i++) {
		const struct view v = {images + i * VISION_ROW_SIZE, VISION_ROW_SIZE, VISION_ROW_SIZE};
		struct iovec iov[8];
		int n = resp_template_encode(form, &scratch, 0, &v, 1, iov);
		nsec_t start = cpu_now();
		size_t want = 0;
		ssize_t wrote = writev(fd, iov, n);

		cpu += cpu_now() - start;
		for (int k = 0; k < n; k++)
			want += iov[k].iov_len;
		if (wrote != (ssize_t)want)
			die("writev");
		for (size_t got = 0; got < answer;) {
			ssize_t r = read(fd, reply, sizeof(reply));

			if (r <= 0)
				die("read");
			got += (size_t)r;
		}
	}
	close(fd);
	free(scratch.text);
	return nsec_to_usec(cpu) / IMAGES;
}

/* Microseconds of CPU an inference, of all threads of the client. */
static double client(const struct target *t, const char *file)
{
	const struct redisai_options options = {
		.host = "127.0.0.1", .port = t->unix_path ? "1" : t->port, .model = MODEL};
	struct conn_options conn;
	struct run_config cfg = {.driver = &driver_redisai,
				 .driver_options = &options,
				 .conn = &conn,
				 .workload = &workload_vision,
				 .what = {.batch = 1},
				 .file = file,
				 .workers = 1,
				 .threads = 1};
	struct result r = {.program = "bench_large_tensor"};
	struct error err = {""};
	double cpu;

	conn_options_defaults(&conn);
	conn.unix_socket = t->unix_path;
	if (runner_run(&cfg, &r, &err) < 0 || r.all.totals.inferences[OUTCOME_OK] != IMAGES) {
		fprintf(stderr, "bench_large_tensor: %s%s\n", err.text, r.error.text);
		exit(1);
	}
	cpu = (r.usage.user_seconds + r.usage.system_seconds) * 1e6;
	result_release(&r);
	return cpu / IMAGES;
}

/* ---- turn about ---- */

static const char *make_images(const char *file)
{
	const size_t row_size = VISION_ROW_SIZE, size = IMAGES * row_size;
	FILE *f = fopen(file, "w+");
	char *row = malloc(row_size);
	void *map = MAP_FAILED;

	if (!f || !row)
		die(file);
	for (size_t i = 0; i < row_size; i++)
		row[i] = (char)(i * 31);
	for (unsigned i = 0; i < IMAGES; i++)
		fwrite(row, 1, row_size, f);
	free(row);
	if (fflush(f) == 0)
		map = mmap(NULL, size, PROT_READ, MAP_SHARED | MAP_POPULATE, fileno(f), 0);
	fclose(f);
	if (map == MAP_FAILED)
		die(file);
	return map;
}

static size_t request_size(const struct resp_template *form, const char *images)
{
	struct resp_scratch s = {.text = malloc(form->text_max)};
	const struct view v = {images, VISION_ROW_SIZE, VISION_ROW_SIZE};
	struct iovec iov[8];
	size_t size = 0;
	int n;

	if (!s.text)
		die("malloc");
	n = resp_template_encode(form, &s, 0, &v, 1, iov);
	for (int k = 0; k < n; k++)
		size += iov[k].iov_len;
	free(s.text);
	return size;
}

static void measure(const char *name, const char *unix_path, const char *file, const char *images)
{
	struct workload *w = NULL;
	struct resp_template form = {0};
	double ours[TURNS], theirs[TURNS], ratios[TURNS];
	struct target t;
	size_t answer;
	char *bytes;
	pid_t pid;

	if (workload_vision.open(&w, &(struct workload_config){.batch = 1}, NULL) < 0 ||
	    redisai_template(&form,
			     &(struct redisai_form){.spec = workload_vision.spec(w), .model = MODEL, .batch = 1}) < 0)
		die("template");
	answer = make_answer(&bytes);
	free(bytes);
	listen_on(&t, unix_path);
	pid = fork();
	if (pid == 0)
		serve(t.listener, request_size(&form, images));
	close(t.listener);
	use_core(client_core());
	for (int i = 0; i < TURNS; i++) {
		theirs[i] = plain(&t, &form, images, answer);
		ours[i] = client(&t, file);
		ratios[i] = ours[i] / theirs[i];
	}
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	printf("%-11s one image of %zu bytes: client %6.1f us of CPU, one writev %6.1f us, ratio %.2f (turn about, %d "
	       "turns of %d)\n",
	       name, VISION_ROW_SIZE, median(ours, TURNS), median(theirs, TURNS), median(ratios, TURNS), TURNS, IMAGES);
	resp_template_release(&form);
	workload_vision.close(w);
}

int main(void)
{
	char folder[] = "/tmp/aibench-bench.XXXXXX", file[64], path[64];
	const char *images;

	if (!mkdtemp(folder))
		die("mkdtemp");
	snprintf(file, sizeof(file), "%s/images", folder);
	snprintf(path, sizeof(path), "%s/socket", folder);
	images = make_images(file);
	measure("TCP:", NULL, file, images);
	measure("Unix:", path, file, images);
	unlink(file);
	unlink(path);
	rmdir(folder);
	return 0;
}
