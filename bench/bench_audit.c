/*
 * bench_audit.c - are the reported percentiles true? Whole runs against a server in a process of its own that answers SET
 * after delays of our choosing and writes down when it did: the truth is that time minus the one that the request was due.
 * usage: bench_audit FRAUD_ROWS. Exit status 1 where a response time is off by more than 1 % and 20 us.
 */
#include <arpa/inet.h>
#include <math.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench/measure.h"
#include "drivers/redis_set.h"
#include "runners/runner.h"
#include "workloads/fraud.h"

#define BURN_IN 1000 /* the first touch of every page, on both sides */
#define MEASURED 10000
#define REQUESTS (BURN_IN + MEASURED)
#define RATE 1000.0
#define CONNECTIONS_MAX 512
#define COMMAND_MAX 4096
#define STALL_SHOWN (50 * NSEC_PER_USEC)
#define STALL (200 * NSEC_PER_MSEC)
#define STALL_EVERY (2 * NSEC_PER_SEC)
#define DELAY (10 * NSEC_PER_MSEC)
#define LONG_DELAY (50 * NSEC_PER_MSEC)

/* When a request is answered that came in now. */
typedef nsec_t law_fn(uint64_t id, nsec_t now);

static nsec_t constant(uint64_t id, nsec_t now)
{
	(void)id;
	return now + DELAY;
}

static nsec_t two_valued(uint64_t id, nsec_t now)
{
	return now + (id % 50 == 7 ? LONG_DELAY : DELAY);
}

static nsec_t stalling(uint64_t id, nsec_t now)
{
	nsec_t ready = now + DELAY, into = ready % STALL_EVERY;

	(void)id;
	return into < STALL ? ready - into + STALL : ready;
}

static int fail(const char *text)
{
	fprintf(stderr, "bench_audit: %s\n", text);
	return EXIT_FAILURE;
}

/* ---- the server ------------------------------------------------------------------------------------------------ */

/* One command at a time comes on a connection: *3 SET prefix{id} value. */
struct connection {
	char bytes[COMMAND_MAX];
	size_t len;
	uint64_t id;
	nsec_t due; /* of the answer; NSEC_NEVER: none is owed */
};

struct server {
	struct pollfd fds[CONNECTIONS_MAX]; /* the first one listens */
	struct connection connections[CONNECTIONS_MAX];
	nfds_t n;
	law_fn *law;
	nsec_t *answered; /* by id; shared with the client's process */
};

/* False: not all of it is there yet. */
static bool parse_command(struct connection *c)
{
	char *id, *value, *end;
	size_t header, len;

	c->bytes[c->len] = '\0';
	id = strchr(c->bytes, '{');
	value = id ? strstr(id, "}\r\n$") : NULL;
	if (!value)
		return false;
	c->id = strtoull(id + 1, NULL, 10);
	len = strtoull(value + strlen("}\r\n$"), &end, 10);
	header = (size_t)(end + 2 - c->bytes);
	return c->len >= header + len + 2;
}

static void take_bytes(struct server *s, nfds_t i)
{
	struct connection *c = &s->connections[i];
	ssize_t n = read(s->fds[i].fd, c->bytes + c->len, sizeof(c->bytes) - 1 - c->len);

	if (n <= 0) {
		close(s->fds[i].fd);
		s->fds[i].fd = -1;
		return;
	}
	c->len += (size_t)n;
	if (!parse_command(c) || c->id >= REQUESTS)
		return;
	c->due = s->law(c->id, clock_now());
	c->len = 0;
}

static void take_connection(struct server *s)
{
	int one = 1, fd = accept(s->fds[0].fd, NULL, NULL);

	if (fd < 0 || s->n == CONNECTIONS_MAX)
		return;
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	s->fds[s->n] = (struct pollfd){.fd = fd, .events = POLLIN};
	s->connections[s->n].due = NSEC_NEVER;
	s->connections[s->n++].len = 0;
}

/* Answers what is due and returns when the next answer is. */
static nsec_t answer(struct server *s)
{
	nsec_t next = NSEC_NEVER;

	for (nfds_t i = 1; i < s->n; i++) {
		struct connection *c = &s->connections[i];
		nsec_t now = clock_now();

		if (c->due > now) {
			next = nsec_earlier(next, c->due);
			continue;
		}
		c->due = NSEC_NEVER;
		if (write(s->fds[i].fd, "+OK\r\n", 5) != 5)
			_exit(EXIT_FAILURE);
		s->answered[c->id] = clock_now();
	}
	return next;
}

/* Until it is killed. */
static void serve(struct server *s)
{
	for (;;) {
		nsec_t wait = answer(s) - clock_now();
		struct timespec ts = {.tv_sec = wait / NSEC_PER_SEC, .tv_nsec = wait % NSEC_PER_SEC};

		if (wait <= 0)
			continue;
		if (ppoll(s->fds, s->n, &ts, NULL) <= 0)
			continue;
		for (nfds_t i = 1; i < s->n; i++) {
			if (s->fds[i].revents)
				take_bytes(s, i);
		}
		if (s->fds[0].revents)
			take_connection(s);
	}
}

/* ---- the client ------------------------------------------------------------------------------------------------ */

struct bench {
	struct server *server;
	int listening;
	char port[8];
	const char *rows;
	nsec_t *answered;          /* by the server */
	nsec_t intended[REQUESTS]; /* by the runner */
	nsec_t truth[MEASURED];    /* sorted */
};

static void keep_intended(void *arg, const struct completion *c, enum outcome judged)
{
	struct bench *b = arg;

	if (judged == OUTCOME_OK && c->request->id < REQUESTS)
		b->intended[c->request->id] = c->stamps.intended;
}

static nsec_t truth_at(const struct bench *b, double percentile)
{
	return b->truth[(size_t)ceil(nextafter(percentile, 0) * MEASURED / 100) - 1];
}

static void find_truth(struct bench *b)
{
	for (int i = 0; i < MEASURED; i++)
		b->truth[i] = b->answered[BURN_IN + i] - b->intended[BURN_IN + i];
	qsort(b->truth, MEASURED, sizeof(*b->truth), nsec_compare);
}

static bool is_close(nsec_t reported, nsec_t truth)
{
	nsec_t off = llabs(reported - truth);

	return off <= 20 * NSEC_PER_USEC || off <= truth / 100;
}

static void print_figure(const char *what, nsec_t reported, nsec_t truth)
{
	printf(", %s %9.3f ms: %s %.1f us", what, nsec_to_msec(reported),
	       is_close(reported, truth) ? "within 1 % or 20 us," : "OFF by", nsec_to_usec(llabs(reported - truth)));
}

/* Prints reported and true values; false where a response time is not the true one. */
static bool show(const struct bench *b, const char *what, unsigned workers, const struct result *r)
{
	static const double percentiles[] = {50, 99, 99.9};
	bool good = true;

	printf("%s, %u workers (verdict %s):\n", what, workers, verdict_name(r->audit.verdict));
	for (int i = 0; i < 3; i++) {
		nsec_t truth = truth_at(b, percentiles[i]);
		nsec_t response = histogram_percentile(&r->all.response, percentiles[i]);

		printf("  q%-4g true %9.3f ms", percentiles[i], nsec_to_msec(truth));
		print_figure("response time", response, truth);
		print_figure("service time", histogram_percentile(&r->all.service, percentiles[i]), truth);
		putchar('\n');
		good = good && is_close(response, truth);
	}
	return good;
}

static int run_client(struct bench *b, unsigned workers, struct result *r)
{
	const struct redis_set_options options = {.host = "127.0.0.1", .port = b->port};
	struct conn_options conn;
	struct run_config cfg = {
		.driver = &driver_redis_set,
		.driver_options = &options,
		.conn = &conn,
		.workload = &workload_fraud,
		.what = {.batch = 1},
		.file = b->rows,
		.workers = workers,
		.threads = 1,
		.limit = REQUESTS,
		.burn_in = BURN_IN,
		.arrival = ARRIVAL_CONSTANT,
		.spin = true,
		.observer = {.arg = b, .response = keep_intended},
	};
	struct error err;

	conn_options_defaults(&conn);
	conn.password = NULL;
	rate_schedule_constant(&cfg.schedule, RATE);
	*r = (struct result){0};
	if (runner_run(&cfg, r, &err) < 0)
		return fail(err.text);
	audit_judge(r);
	return EXIT_SUCCESS;
}

static pid_t start_server(struct bench *b, law_fn *law)
{
	pid_t pid = fork();

	if (pid != 0)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	prctl(PR_SET_TIMERSLACK, 1UL);
	use_core(SERVER_CORE);
	b->server->law = law;
	b->server->answered = b->answered;
	b->server->fds[0] = (struct pollfd){.fd = b->listening, .events = POLLIN};
	b->server->connections[0].due = NSEC_NEVER;
	b->server->n = 1;
	serve(b->server);
	_exit(EXIT_SUCCESS);
}

static int compare_with_truth(struct bench *b, const char *what, law_fn *law, unsigned workers)
{
	pid_t pid = start_server(b, law);
	struct result r;
	int status;

	if (pid < 0)
		return fail("cannot start the server");
	status = run_client(b, workers, &r);
	if (status == EXIT_SUCCESS && r.all.totals.requests[OUTCOME_OK] != MEASURED)
		status = fail("not every request was answered");
	if (status == EXIT_SUCCESS) {
		find_truth(b);
		status = show(b, what, workers, &r) ? EXIT_SUCCESS : EXIT_FAILURE;
	}
	result_release(&r);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	return status;
}

static int listen_somewhere(struct bench *b)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(at);

	b->listening = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (b->listening < 0 || bind(b->listening, (struct sockaddr *)&at, len) < 0 ||
	    listen(b->listening, CONNECTIONS_MAX) < 0 || getsockname(b->listening, (struct sockaddr *)&at, &len) < 0)
		return -1;
	snprintf(b->port, sizeof(b->port), "%u", ntohs(at.sin_port));
	return 0;
}

/* What no program can be more exact than here: a hypervisor takes the core away, and no counter tells of all of it. */
static void show_machine(void)
{
	nsec_t begin = clock_now(), before = begin, now, longest = 0;
	unsigned held_up = 0;

	do {
		now = clock_now();
		held_up += now - before > STALL_SHOWN;
		longest = nsec_later(longest, now - before);
		before = now;
	} while (now - begin < NSEC_PER_SEC);
	printf("This machine: a loop that only reads the clock is held up over 50 us %u times a second, at most %.1f "
	       "ms\n",
	       held_up, nsec_to_msec(longest));
}

static int run(struct bench *b)
{
	int status = EXIT_SUCCESS;

	b->server = calloc(1, sizeof(*b->server));
	b->answered =
		mmap(NULL, REQUESTS * sizeof(*b->answered), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (!b->server || b->answered == MAP_FAILED || listen_somewhere(b) < 0)
		return fail("no memory or no port for the server");
	use_core(client_core());
	setvbuf(stdout, NULL, _IOLBF, 0);
	show_machine();
	status |= compare_with_truth(b, "always 10 ms", constant, 64);
	status |= compare_with_truth(b, "10 ms, every 50th 50 ms", two_valued, 64);
	status |= compare_with_truth(b, "10 ms, no answers for 200 ms every 2 s", stalling, 400);
	status |= compare_with_truth(b, "the same through a small window", stalling, 16);
	return status;
}

int main(int argc, char **argv)
{
	static struct bench b;
	int status;

	if (argc != 2)
		return fail("usage: bench_audit FRAUD_ROWS");
	b.rows = argv[1];
	status = run(&b);
	free(b.server);
	return status;
}
