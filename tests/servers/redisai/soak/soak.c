/*
 * soak.c - keeps the module under fire: 64 clients that mix everything while models are replaced and deleted, the
 * database is saved, rewritten and reloaded, and connections are cut. usage: soak SECONDS [SEED]
 *
 * Passes if every command on a connection that lived got its one right answer, a sanitizer found nothing, memory is back to
 * where it was after a first, shorter round, and the server ends well with requests under way.
 */
#include <inttypes.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "common/arith.h"
#include "common/clock.h"
#include "datagen/model.h"
#include "tests/servers/redisai/harness.h"
#include "tests/servers/redisai/soak/client.h"

#define CLIENTS 64
#define ANSWER_TIMEOUT (60 * NSEC_PER_SEC)
#define TICK_MSEC 20
#define COMPLAINTS_SHOWN 5
/* What may differ after a round: allocators' caches, the dictionaries' sizes. */
#define USED_MEMORY_SLACK 1.10
#define RSS_SLACK 1.30
#define SLACK_BYTES ((uint64_t)16 << 20)

struct soak {
	struct fixture f;
	struct rng rng;
	struct conn_options conn;
	struct soak_client clients[CLIENTS];
	struct soak_counts counts; /* of all rounds */
	uint64_t kills, unblocks, reloads, saves, rewrites;
	unsigned char *nets[3];
	unsigned complaints;
};

static int seconds;
static uint64_t seed = 1;

static void complain(struct soak *s, const char *text)
{
	if (s->complaints++ < COMPLAINTS_SHOWN)
		printf("FAIL: %s\n", text);
}

static void define_nets(struct soak *s)
{
	static const struct {
		const char *name;
		const struct model_format *format;
	} kinds[] = {
		{"$TF", &model_format_tensorflow}, {"$TFLITE", &model_format_tflite}, {"$ONNX", &model_format_onnx}};
	const struct mobilenet_config cfg = {.width = 0.25, .resolution = 32, .batch = -1, .seed = 3};
	struct mobilenet *net;
	struct error err;
	size_t len;

	if (mobilenet_new(&net, &cfg, &err) < 0)
		fail_msg("%s", err.text);
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		if (kinds[i].format->write_mobilenet(&s->nets[i], &len, net, &err) < 0)
			fail_msg("%s", err.text);
		define(kinds[i].name, s->nets[i], len);
	}
	mobilenet_free(net);
}

static void define_all(struct soak *s)
{
	static const char source[] = "def sum(tensors, keys, args): sum";
	static const char lua[] = "return redis.pcall('AI.MODELRUN','m','INPUTS','x','x','OUTPUTS','y').err";

	graphs_define();
	define_nets(s);
	define("$SOURCE", source, sizeof(source) - 1);
	define("$LUA", lua, sizeof(lua) - 1);
}

/* ---- memory ---- */

struct memory {
	uint64_t used, rss;
};

static uint64_t number_after(const char *text, const char *name)
{
	const char *at = strstr(text, name);

	assert_non_null(at);
	return strtoull(at + strlen(name), NULL, 10);
}

/* Bytes of the process that no file backs. */
static uint64_t anonymous_memory(pid_t pid)
{
	char path[64], line[256];
	uint64_t kb = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	f = fopen(path, "r");
	assert_non_null(f);
	while (fgets(line, sizeof(line), f)) {
		if (strncmp(line, "RssAnon:", 8) == 0)
			kb = strtoull(line + 8, NULL, 10);
	}
	fclose(f);
	return kb * 1024;
}

/* With nothing stored and nobody connected but us. */
static struct memory measure(struct soak *s)
{
	const struct timespec pause = {.tv_nsec = 10000000};
	nsec_t limit = clock_now() + ANSWER_TIMEOUT;
	struct memory m;

	expect(s->f.client, "FLUSHALL SYNC", "+OK");
	while (!strstr(ask(s->f.client, "INFO MEMORY"), "lazyfree_pending_objects:0\\x0d") ||
	       !strstr(ask(s->f.client, "INFO CLIENTS"), "connected_clients:1\\x0d") ||
	       strstr(ask(s->f.client, "INFO PERSISTENCE"), "in_progress:1")) {
		if (clock_now() > limit)
			fail_msg("the server does not come to rest:\n%s", ask(s->f.client, "INFO"));
		nanosleep(&pause, NULL);
	}
	m.used = number_after(ask(s->f.client, "INFO MEMORY"), "used_memory:");
	m.rss = anonymous_memory(s->f.server.process.pid);
	return m;
}

/* ---- the fire ---- */

/* One client, by chance, from CLIENT LIST; 0: none but us. */
static uint64_t any_client(struct soak *s)
{
	const char *list = ask(s->f.client, "CLIENT LIST TYPE NORMAL");
	uint64_t skip = rng_below(&s->rng, CLIENTS), id = 0;

	for (const char *at = strstr(list, "id="); at; at = strstr(at + 1, "\\x0aid=")) {
		const char *name = strstr(at, " name=ours ");
		const char *end = strstr(at, "\\x0a");

		if (name && end && name < end)
			continue;
		id = strtoull(strstr(at, "id=") + 3, NULL, 10);
		if (skip-- == 0)
			break;
	}
	return id;
}

static void cut_somebody(struct soak *s)
{
	char line[64];
	uint64_t id = any_client(s);

	if (id == 0)
		return;
	if (rng_below(&s->rng, 2)) {
		snprintf(line, sizeof(line), "CLIENT KILL ID %" PRIu64, id);
		s->kills += strcmp(ask(s->f.client, line), ":1") == 0;
		return;
	}
	snprintf(line, sizeof(line), "CLIENT UNBLOCK %" PRIu64, id);
	if (strcmp(ask(s->f.client, line), ":0") != 0)
		complain(s, "CLIENT UNBLOCK ended a client that a model blocks");
	s->unblocks++;
}

/* What happens to everybody at tick k; errors of it are as they may be (a save while another is under way). */
static void tick(struct soak *s, uint64_t k)
{
	char line[256];

	/* Nobody waits for a batch for ever. */
	soak_store_line(&s->rng, (unsigned)(k % SOAK_MODELS), line, sizeof(line));
	expect(s->f.client, line, "+OK");
	if (k % 3 == 0)
		cut_somebody(s);
	if (k % 40 == 11)
		s->saves += ask(s->f.client, "BGSAVE")[0] == '+';
	if (k % 40 == 31)
		s->rewrites += ask(s->f.client, "BGREWRITEAOF")[0] == '+';
	if (k % 150 == 100)
		s->reloads += strcmp(ask(s->f.client, "DEBUG RELOAD"), "+OK") == 0;
}

static void start_clients(struct soak *s, const atomic_bool *stop)
{
	for (unsigned i = 0; i < CLIENTS; i++) {
		struct soak_client *c = &s->clients[i];

		*c = (struct soak_client){.number = i, .endpoint = s->f.endpoint, .conn = &s->conn, .stop = stop};
		rng_init_at(&c->rng, rng_next(&s->rng), i);
		assert_int_equal(pthread_create(&c->thread, NULL, soak_client_run, c), 0);
	}
}

static bool any_failed(const struct soak *s)
{
	for (unsigned i = 0; i < CLIENTS; i++) {
		if (s->clients[i].failed)
			return true;
	}
	return false;
}

static void add_counts(struct soak *s, const struct soak_client *c)
{
	for (size_t k = 0; k < SOAK_ASKS; k++) {
		s->counts.asked[k] += c->counts.asked[k];
		s->counts.errors[k] += c->counts.errors[k];
	}
	s->counts.lost += c->counts.lost;
	if (c->failed)
		complain(s, c->why.text);
}

/* Clients that are to stop may wait for a batch still. */
static void join_clients(struct soak *s, uint64_t k)
{
	const struct timespec pause = {.tv_nsec = TICK_MSEC * 1000000};

	for (unsigned i = 0; i < CLIENTS; i++) {
		while (pthread_tryjoin_np(s->clients[i].thread, NULL) != 0) {
			char line[256];

			soak_store_line(&s->rng, (unsigned)(k++ % SOAK_MODELS), line, sizeof(line));
			expect(s->f.client, line, "+OK");
			nanosleep(&pause, NULL);
		}
		add_counts(s, &s->clients[i]);
	}
}

static void fire(struct soak *s, nsec_t duration)
{
	const struct timespec pause = {.tv_nsec = TICK_MSEC * 1000000};
	nsec_t end = clock_now() + duration;
	atomic_bool stop = false;
	uint64_t k = 0;

	start_clients(s, &stop);
	while (clock_now() < end && s->complaints == 0 && !any_failed(s)) {
		tick(s, k++);
		nanosleep(&pause, NULL);
	}
	atomic_store(&stop, true);
	join_clients(s, k);
}

/* ---- the end ---- */

static void check_memory(struct soak *s, const struct memory *before, const struct memory *after)
{
	printf("used_memory %.1f MB, then %.1f MB; anonymous memory %.1f MB, then %.1f MB\n",
	       (double)before->used / 1e6, (double)after->used / 1e6, (double)before->rss / 1e6,
	       (double)after->rss / 1e6);
	if ((double)after->used > (double)before->used * USED_MEMORY_SLACK + (double)SLACK_BYTES / 16)
		complain(s, "used_memory did not come back");
	if ((double)after->rss > (double)before->rss * RSS_SLACK + (double)SLACK_BYTES)
		complain(s, "the server's anonymous memory did not come back");
}

/* SIGTERM while requests wait and run. */
static void stop_under_fire(struct soak *s)
{
	static const char *const reports[] = {"ERROR: AddressSanitizer", "ERROR: LeakSanitizer",
					      "runtime error:", "WARNING: ThreadSanitizer", "REDIS BUG REPORT"};
	struct redis_client *busy[8];
	struct process_result r;

	expect(s->f.client, "AI.MODELSTORE slow TF CPU INPUTS 1 x OUTPUTS 1 y BLOB $SLOW", "+OK");
	expect(s->f.client,
	       "AI.MODELSTORE few TF CPU:1 BATCHSIZE 9 MINBATCHSIZE 9 INPUTS 2 a b OUTPUTS 1 mul BLOB $MUL", "+OK");
	expect(s->f.client, "AI.TENSORSET big FLOAT 256 256", "+OK");
	expect(s->f.client, "AI.TENSORSET x FLOAT 1 2", "+OK");
	for (size_t i = 0; i < ARRAY_LEN(busy); i++) {
		busy[i] = connect_to(&s->f);
		send_line(busy[i],
			  i % 2 ? "AI.MODELRUN slow INPUTS big OUTPUTS y" : "AI.MODELRUN few INPUTS x x OUTPUTS y");
	}
	expect(s->f.client, "PING", "+PONG");
	process_signal(&s->f.server.process, SIGTERM);
	process_wait(&s->f.server.process, &r, 120);
	if (r.status != 0) {
		char text[64];

		snprintf(text, sizeof(text), "the server ended with status %d", r.status);
		complain(s, text);
	}
	for (size_t i = 0; i < ARRAY_LEN(reports); i++) {
		if (strstr(r.err, reports[i]) || strstr(r.out, reports[i]))
			complain(s, reports[i]);
	}
	if (s->complaints)
		printf("%.20000s\n", r.err);
	for (size_t i = 0; i < ARRAY_LEN(busy); i++)
		redis_client_close(busy[i]);
	redis_client_close(s->f.client);
	process_result_release(&r);
	endpoint_free(s->f.endpoint);
	temp_folder_remove(s->f.server.dir);
}

static void summarise(const struct soak *s)
{
	uint64_t asked = 0;

	printf("%-26s %12s %22s\n", "asked", "answers", "of these, excused*");
	for (size_t i = 0; soak_ask_name(i); i++) {
		printf("%-26s %12" PRIu64 " %22" PRIu64 "\n", soak_ask_name(i), s->counts.asked[i],
		       s->counts.errors[i]);
		asked += s->counts.asked[i];
	}
	printf("* errors and time-outs that other clients' commands explain\n");
	printf("%" PRIu64 " answers; %" PRIu64 " connections cut, %" PRIu64 " answers lost with them; %" PRIu64
	       " CLIENT UNBLOCK, %" PRIu64 " BGSAVE, %" PRIu64 " BGREWRITEAOF, %" PRIu64 " DEBUG RELOAD\n",
	       asked, s->kills, s->counts.lost, s->unblocks, s->saves, s->rewrites, s->reloads);
}

static void module_under_fire(void **state)
{
	static const char *const server[] = {"--appendonly", "yes", "--appendfsync", "no", NULL};
	const char *const module[] = {"TORCH", test_backend_path(), NULL};
	static struct soak s;
	struct memory before, after;

	(void)state;
	rng_init(&s.rng, seed);
	conn_options_defaults(&s.conn);
	s.conn.timeout = ANSWER_TIMEOUT;
	define_all(&s);
	fixture_start(&s.f, module, server);
	expect(s.f.client, "CLIENT SETNAME ours", "+OK");
	fire(&s, (nsec_t)seconds * NSEC_PER_SEC / 4);
	before = measure(&s);
	fire(&s, (nsec_t)seconds * NSEC_PER_SEC * 3 / 4);
	after = measure(&s);
	summarise(&s);
	check_memory(&s, &before, &after);
	if (s.counts.lost > s.kills)
		complain(&s, "more answers were lost than connections were cut");
	stop_under_fire(&s);
	graphs_release();
	for (size_t i = 0; i < ARRAY_LEN(s.nets); i++)
		free(s.nets[i]);
	assert_int_equal(s.complaints, 0);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(module_under_fire)};

	if (argc < 2 || (seconds = atoi(argv[1])) < 1) {
		fprintf(stderr, "usage: soak SECONDS [SEED]\n");
		return 2;
	}
	if (argc > 2)
		seed = strtoull(argv[2], NULL, 10);
	printf("soak: %d clients for %d s, seed %" PRIu64 "\n", CLIENTS, seconds, seed);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
