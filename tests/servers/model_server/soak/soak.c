/*
 * soak.c - keeps bin/aibench_model_server under fire: every protocol, connections that break off and slow ones, while
 * its models' files are touched, broken, mended, added and removed. usage: run_soak SECONDS [SEED]
 *
 * Passes if every request on a connection that lived got its one right answer, a sanitizer found nothing, memory is back
 * to where it was after a first, shorter round, and the server ends well with requests under way.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/arith.h"
#include "common/clock.h"
#include "common/file.h"
#include "tests/servers/model_server/http_models.h"
#include "tests/servers/model_server/soak/client.h"
#include "tests/support/model_server.h"

#define CLIENTS 24
#define TICK_MSEC 40 /* above the server's reload interval: each change is seen */
#define RELOAD_INTERVAL "20ms"
#define COMPLAINTS_SHOWN 5
/* What may differ after a round: allocators' caches. */
#define RSS_SLACK 1.30
#define SLACK_BYTES ((uint64_t)24 << 20)
#define DESCRIPTORS_SLACK 8
#define DESCRIPTORS_PATIENCE (20 * NSEC_PER_SEC)

struct soak {
	char folder[256];
	struct model_server server;
	struct questions questions;
	struct rng rng;
	struct soak_client clients[CLIENTS];
	uint64_t answers[SOAK_KINDS], aborted[SOAK_KINDS];
	nsec_t slowest[SOAK_KINDS];
	uint64_t touched, broken, added;
	unsigned char *model;
	size_t model_len;
	unsigned complaints;
};

static int seconds;
static uint64_t seed = 1;

static void complain(struct soak *s, const char *text)
{
	if (s->complaints++ < COMPLAINTS_SHOWN)
		printf("FAIL: %s\n", text);
}

/* ---- the models' folders ---- */

static void path_of(const struct soak *s, const char *name, unsigned version, char *ret, size_t size)
{
	snprintf(ret, size, "%s/%s/%u/model.graphdef", s->folder, name, version);
}

static void write_version(struct soak *s, const char *name, unsigned version, const void *data, size_t len)
{
	char path[512];
	struct error err;

	snprintf(path, sizeof(path), "%s/%s", s->folder, name);
	mkdir(path, 0700);
	snprintf(path, sizeof(path), "%s/%s/%u", s->folder, name, version);
	mkdir(path, 0700);
	path_of(s, name, version, path, sizeof(path));
	if (file_write(path, data, len, &err) < 0)
		fail_msg("%s", err.text);
}

static void remove_version(const struct soak *s, const char *name, unsigned version)
{
	char path[512];

	path_of(s, name, version, path, sizeof(path));
	unlink(path);
	*strrchr(path, '/') = '\0';
	rmdir(path);
}

/* One change of what is served; nothing of it changes an answer of version 1. */
static void change_models(struct soak *s)
{
	static const char *const names[] = {SOAK_MODEL, SOAK_JOINED};
	const char *name = names[rng_below(&s->rng, ARRAY_LEN(names))];
	char path[512];

	path_of(s, name, 1, path, sizeof(path));
	switch (rng_below(&s->rng, 4)) {
	case 0: /* the old one stays */
		write_version(s, name, 1, s->model, s->model_len / 2);
		s->broken++;
		break;
	case 1: /* the highest, which requests without a version get */
		write_version(s, name, 2, s->model, s->model_len);
		s->added++;
		break;
	case 2:
		remove_version(s, name, 2);
		break;
	default:
		if (rng_below(&s->rng, 2))
			write_version(s, name, 1, s->model, s->model_len);
		else
			utimensat(AT_FDCWD, path, NULL, 0);
		s->touched++;
	}
}

/* ---- the fire ---- */

static void start_clients(struct soak *s, const atomic_bool *stop)
{
	/* Of eight: four HTTP, one slow, two gRPC, one that breaks off. */
	static const enum soak_kind kinds[] = {SOAK_HTTP, SOAK_GRPC, SOAK_HTTP, SOAK_SLOW,
					       SOAK_HTTP, SOAK_GRPC, SOAK_HTTP, SOAK_ABORT};

	for (unsigned i = 0; i < CLIENTS; i++) {
		struct soak_client *c = &s->clients[i];

		*c = (struct soak_client){.kind = kinds[i % ARRAY_LEN(kinds)],
					  .http_port = s->server.http[0],
					  .grpc_port = s->server.grpc[0],
					  .questions = &s->questions,
					  .stop = stop};
		rng_init_at(&c->rng, rng_next(&s->rng), i);
		assert_int_equal(pthread_create(&c->thread, NULL, soak_client_run, c), 0);
	}
}

static void join_clients(struct soak *s)
{
	for (unsigned i = 0; i < CLIENTS; i++) {
		struct soak_client *c = &s->clients[i];

		pthread_join(c->thread, NULL);
		s->answers[c->kind] += c->answers;
		s->aborted[c->kind] += c->aborted;
		if (c->slowest > s->slowest[c->kind])
			s->slowest[c->kind] = c->slowest;
		if (c->failed)
			complain(s, c->why.text);
	}
}

static void fire(struct soak *s, nsec_t duration)
{
	const struct timespec pause = {.tv_nsec = TICK_MSEC * 1000000};
	nsec_t end = clock_now() + duration;
	atomic_bool stop = false;

	start_clients(s, &stop);
	while (clock_now() < end && process_running(&s->server.process)) {
		change_models(s);
		nanosleep(&pause, NULL);
	}
	atomic_store(&stop, true);
	join_clients(s);
}

/* Anonymous memory of the server, in bytes. */
static uint64_t memory_of(const struct soak *s)
{
	char path[64], *text, *line;
	struct error err;
	uint64_t kib = 0;
	size_t len;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)s->server.process.pid);
	if (file_read(&text, &len, path, 1 << 20, &err) < 0)
		fail_msg("%s", err.text);
	line = strstr(text, "RssAnon:");
	if (line)
		kib = strtoull(line + strlen("RssAnon:"), NULL, 10);
	free(text);
	return kib << 10;
}

/* Those of connections that were broken off go, too, and long before a silent client's time-out. */
static void check_descriptors(struct soak *s, unsigned before)
{
	const struct timespec pause = {.tv_nsec = TICK_MSEC * 1000000};
	const nsec_t until = clock_now() + DESCRIPTORS_PATIENCE;
	unsigned now;

	while ((now = model_server_descriptors(&s->server)) > before + DESCRIPTORS_SLACK && clock_now() < until)
		nanosleep(&pause, NULL);
	printf("descriptors: %u, then %u\n", before, now);
	if (now > before + DESCRIPTORS_SLACK)
		complain(s, "the server has descriptors open that nobody uses");
}

/* ---- the end ---- */

/* SIGTERM while requests are under way: they get an answer, or their connection ends. */
static void stop_under_fire(struct soak *s)
{
	static const char *const reports[] = {"ERROR: AddressSanitizer", "ERROR: LeakSanitizer",
					      "runtime error:", "WARNING: ThreadSanitizer"};
	const struct http_question *q = &s->questions.http[0];
	struct process_result r;
	int fds[8];

	for (size_t i = 0; i < ARRAY_LEN(fds); i++) {
		fds[i] = http_connect(s->server.http[0]);
		(void)http_send(fds[i], q->text.data, i % 2 ? q->text.len : q->text.len / 2);
	}
	process_signal(&s->server.process, SIGTERM);
	process_wait(&s->server.process, &r, 60);
	if (r.status != 0) {
		char text[64];

		snprintf(text, sizeof(text), "the server ended with status %d", r.status);
		complain(s, text);
	}
	for (size_t i = 0; i < ARRAY_LEN(reports); i++) {
		if (strstr(r.err, reports[i]))
			complain(s, reports[i]);
	}
	if (s->complaints)
		printf("%.20000s\n", r.err);
	for (size_t i = 0; i < ARRAY_LEN(fds); i++)
		close(fds[i]);
	process_result_release(&r);
}

static void summarise(const struct soak *s, uint64_t before, uint64_t after)
{
	printf("%-12s %12s %16s %16s\n", "clients", "answers", "broken off", "slowest, ms");
	for (enum soak_kind k = 0; k < SOAK_KINDS; k++)
		printf("%-12s %12" PRIu64 " %16" PRIu64 " %16.1f\n", soak_kind_name(k), s->answers[k], s->aborted[k],
		       (double)s->slowest[k] / NSEC_PER_MSEC);
	printf("models: %" PRIu64 " times touched or written again, %" PRIu64 " broken, %" PRIu64
	       " versions added; anonymous memory %.1f MB, then %.1f MB\n",
	       s->touched, s->broken, s->added, (double)before / 1e6, (double)after / 1e6);
}

static void server_under_fire(void **state)
{
	static struct soak s;
	uint64_t before, after;
	unsigned descriptors;

	(void)state;
	setenv("GRPC_VERBOSITY", "NONE", 0);
	rng_init(&s.rng, seed);
	temp_folder_new(s.folder, sizeof(s.folder));
	http_model_generate(MODEL_NO_REFERENCE_1, &s.model, &s.model_len);
	write_version(&s, SOAK_MODEL, 1, s.model, s.model_len);
	write_version(&s, SOAK_JOINED, 1, s.model, s.model_len);
	model_server_start(&s.server,
			   (const char *const[]){"-model-repository", s.folder, "-reload-interval", RELOAD_INTERVAL,
						 "-batch-size", SOAK_JOINED "=8", "-batch-timeout=1ms",
						 "-stop-timeout=1s", "-rest-no-reference-model", SOAK_MODEL, NULL});
	questions_learn(&s.questions, s.server.http[0], s.server.grpc[0]);
	descriptors = model_server_descriptors(&s.server);
	fire(&s, (nsec_t)seconds * NSEC_PER_SEC / 4);
	before = memory_of(&s);
	fire(&s, (nsec_t)seconds * NSEC_PER_SEC * 3 / 4);
	after = memory_of(&s);
	summarise(&s, before, after);
	if ((double)after > (double)before * RSS_SLACK + (double)SLACK_BYTES)
		complain(&s, "the server's anonymous memory did not come back");
	check_descriptors(&s, descriptors);
	stop_under_fire(&s);
	questions_release(&s.questions);
	free(s.model);
	temp_folder_remove(s.folder);
	assert_int_equal(s.complaints, 0);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(server_under_fire)};

	if (argc < 2 || (seconds = atoi(argv[1])) < 1) {
		fprintf(stderr, "usage: run_soak SECONDS [SEED]\n");
		return 2;
	}
	if (argc > 2)
		seed = strtoull(argv[2], NULL, 10);
	printf("soak of the model server: %d clients for %d s, seed %" PRIu64 "\n", CLIENTS, seconds, seed);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
