/*
 * bench_call.c - what a call costs the client, over any of the transports of drivers/call.h.
 *
 * usage: bench_call http|grpc TRANSPORT HOST:PORT PATH BYTES SLOTS STREAMS CALLS
 * Keeps SLOTS calls of so many bytes under way and prints calls a second and microseconds of CPU (user and system) a call.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "common/clock.h"
#include "drivers/call.h"

#define DONE_MAX 64

struct bench {
	struct call_config config;
	struct conn_options conn;
	struct endpoint *endpoint;
	struct call_transport *transport;
	struct iovec body;
	uint64_t calls, sent, finished;
};

static int fail(const char *text)
{
	fprintf(stderr, "bench_call: %s\n", text);
	return EXIT_FAILURE;
}

static double cpu_seconds(void)
{
	struct rusage u;

	getrusage(RUSAGE_SELF, &u);
	return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
	       1e-6 * (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec);
}

static int send_one(struct bench *b, unsigned slot)
{
	const struct call c = {
		.slot = slot, .body = &b->body, .nbody = 1, .size = b->body.iov_len, .sent = clock_now()};

	if (b->sent == b->calls)
		return 0;
	b->sent++;
	return b->transport->ops->send(b->transport, &c);
}

static int run(struct bench *b, struct error *err)
{
	struct call_finished done[DONE_MAX];

	for (unsigned i = 0; i < b->config.slots; i++) {
		int r = send_one(b, i);

		if (r < 0)
			return error_set(err, (enum error_code)r, "%s", error_message(r));
	}
	while (b->finished < b->calls) {
		int n = b->transport->ops->poll(b->transport, NSEC_NEVER, done, DONE_MAX, err);

		if (n < 0)
			return n;
		for (int i = 0; i < n; i++) {
			if (done[i].code < 0)
				return error_set(err, (enum error_code)done[i].code, "%s", done[i].text);
			b->finished++;
			if (send_one(b, done[i].slot) < 0)
				return error_set(err, ERR_IO, "a connection was lost");
		}
	}
	return 0;
}

static int open_transport(struct bench *b, const char *transport, const char *address, struct error *err)
{
	const struct call_transport_ops *ops = NULL;
	char *host;
	uint16_t port;
	int r = endpoint_parse(&host, &port, address, 80, err);

	if (r < 0)
		return r;
	r = endpoint_resolve(&b->endpoint, host, port, NULL, err);
	free(host);
	if (r == 0)
		r = call_transport_find(&ops, b->config.protocol, transport, err);
	b->config.nservers = 1;
	b->config.servers = &b->endpoint;
	b->config.conn = &b->conn;
	return r < 0 || !ops ? r : ops->open(&b->transport, &b->config, err);
}

/* Calls a second and CPU of each, printed. */
static int measure(struct bench *b, const char *transport, const char *address, struct error *err)
{
	int r = open_transport(b, transport, address, err);
	double cpu = cpu_seconds(), seconds;
	nsec_t start = clock_now();

	if (r == 0)
		r = run(b, err);
	seconds = nsec_to_sec(clock_now() - start);
	if (r == 0)
		printf("%.0f %.2f\n", (double)b->calls / seconds, 1e6 * (cpu_seconds() - cpu) / (double)b->calls);
	if (b->transport)
		b->transport->ops->close(b->transport);
	endpoint_free(b->endpoint);
	return r;
}

int main(int argc, char **argv)
{
	struct bench b = {.calls = 0};
	struct error err;
	int r;

	if (argc != 9)
		return fail("usage: bench_call http|grpc TRANSPORT HOST:PORT PATH BYTES SLOTS STREAMS CALLS");
	conn_options_defaults(&b.conn);
	b.config.protocol = strcmp(argv[1], "grpc") == 0 ? CALL_GRPC : CALL_HTTP;
	b.config.path = argv[4];
	b.config.content_type = b.config.protocol == CALL_HTTP ? "application/octet-stream" : NULL;
	b.config.views = 1;
	b.config.slots = (unsigned)strtoul(argv[6], NULL, 10);
	b.config.streams = (unsigned)strtoul(argv[7], NULL, 10);
	b.body.iov_len = strtoull(argv[5], NULL, 10);
	b.calls = strtoull(argv[8], NULL, 10);
	if (b.config.slots == 0)
		return fail("there is to be a slot at the least");
	b.body.iov_base = calloc(1, b.body.iov_len + 1);
	if (!b.body.iov_base)
		return fail("out of memory");
	r = measure(&b, argv[2], argv[3], &err);
	free(b.body.iov_base);
	return r < 0 ? fail(err.text) : EXIT_SUCCESS;
}
