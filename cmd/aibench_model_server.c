/*
 * aibench_model_server - serves models over TensorFlow Serving's, Triton's, TorchServe's and plain REST protocols.
 */
#include <inttypes.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/common.h"
#include "common/arith.h"
#include "common/buf.h"
#include "common/cores.h"
#include "common/number.h"
#include "servers/model_server/grpc_server.h"
#include "servers/model_server/http_server.h"
#include "servers/model_server/repository.h"

#define PROGRAM "aibench_model_server"
#define PORTS_MAX 16

struct config {
	const char *folders, *models, *inputs, *outputs, *aliases, *labels, *batch_size;
	const char *listen, *grpc_ports, *http_ports, *message_max;
	const char *rest_reference, *rest_no_reference, *rest_vision;
	int64_t batch_timeout, reload_interval, stop_timeout;
	uint64_t threads, io_threads;
};

#define FIELD(f) offsetof(struct config, f)

static const struct option table[] = {
	{"model-repository", OPTION_STRING, FIELD(folders),
	 "`folders` of models, separated by commas: NAME/VERSION/saved_model.pb or model.tflite as TensorFlow "
	 "Serving's, "
	 "NAME/config.pbtxt and NAME/VERSION/model.graphdef, .onnx or .tflite as Triton's.",
	 0, 0},
	{"model", OPTION_STRING, FIELD(models),
	 "`NAME[:VERSION]=FILE`, several with commas between them: a .pb, .tflite or .onnx file, a SavedModel's folder "
	 "or "
	 "a folder of versions.",
	 0, 0},
	{"inputs", OPTION_STRING, FIELD(inputs),
	 "`NAME=TENSOR+TENSOR` for the models that are TensorFlow graphs; none: every placeholder, in the graph's "
	 "order.",
	 0, 0},
	{"outputs", OPTION_STRING, FIELD(outputs),
	 "`NAME=TENSOR+TENSOR` for the models that are TensorFlow graphs; none: the nodes that no other node takes.", 0,
	 0},
	{"alias", OPTION_STRING, FIELD(aliases), "`ALIAS=NAME`, several with commas between them.", 0, 0},
	{"label", OPTION_STRING, FIELD(labels), "`NAME:LABEL=VERSION`: version labels, as TensorFlow Serving's.", 0, 0},
	{"batch-size", OPTION_STRING, FIELD(batch_size),
	 "`rows` of requests that may be joined to one run, or NAME=ROWS, several with commas between them; 0: none. "
	 "Without it config.pbtxt decides.",
	 0, 0},
	{"batch-timeout", OPTION_DURATION, FIELD(batch_timeout),
	 "How long a request waits for a batch to fill; 0: only what waits anyway is joined.", 0, OPTION_DAY},
	{"reload-interval", OPTION_DURATION, FIELD(reload_interval),
	 "How often the folders are looked at for changes; 0: never.", 0, OPTION_DAY},
	{"listen", OPTION_STRING, FIELD(listen), "`address` to listen on; 0.0.0.0: on every one.", 0, 0},
	{"grpc-port", OPTION_STRING, FIELD(grpc_ports),
	 "`ports` for gRPC, separated by commas; each serves all protocols. 0: a free one, which is printed.", 0, 0},
	{"http-port", OPTION_STRING, FIELD(http_ports), "`ports` for HTTP, in the same way.", 0, 0},
	{"threads", OPTION_UINT, FIELD(threads), "Threads that run models; 0: one a core.", 0, 1024},
	{"io-threads", OPTION_UINT, FIELD(io_threads),
	 "Threads that read requests, for gRPC and for each port of HTTP; they run quick models themselves. 0: one a "
	 "core.",
	 0, 1024},
	{"max-message-size", OPTION_STRING, FIELD(message_max), "The largest request: `bytes`, or 64MiB.", 0, 0},
	{"rest-reference-model", OPTION_STRING, FIELD(rest_reference),
	 "`model` that the plain REST endpoint asks with reference data.", 0, 0},
	{"rest-no-reference-model", OPTION_STRING, FIELD(rest_no_reference), "`model` that it asks without.", 0, 0},
	{"rest-vision-model", OPTION_STRING, FIELD(rest_vision), "`model` that it asks with an image.", 0, 0},
	{"stop-timeout", OPTION_DURATION, FIELD(stop_timeout),
	 "How long requests under way may take when the server is told to stop.", 0, OPTION_DAY},
	{0},
};

#define LISTS_MAX ARRAY_LEN(table)

static void log_line(void *arg, const char *line)
{
	(void)arg;
	fprintf(stderr, "%s\n", line);
}

static int parse_ports(unsigned short *ports, size_t *ret_n, const char *option, const char *text, struct error *err)
{
	size_t n = 0;

	for (const char *at = text; *at; at += *at == ',') {
		char *end;
		unsigned long port = strtoul(at, &end, 10);

		if (end == at || (*end && *end != ',') || *at == '-' || *at == '+' || port > 65535)
			return error_set(err, ERR_USAGE,
					 "-%s %s: must be ports from 0 to 65535, with commas between them", option,
					 text);
		if (n == PORTS_MAX)
			return error_set(err, ERR_USAGE, "-%s: no more than %d ports", option, PORTS_MAX);
		ports[n++] = (unsigned short)port;
		at = end;
	}
	*ret_n = n;
	return 0;
}

static int parse_size(size_t *ret, const char *text, struct error *err)
{
	static const struct {
		const char *unit;
		unsigned shift;
	} units[] = {{"", 0}, {"KiB", 10}, {"MiB", 20}, {"GiB", 30}};
	char *end;
	unsigned long long value = strtoull(text, &end, 10);

	for (size_t i = 0; end != text && i < ARRAY_LEN(units); i++) {
		if (strcmp(end, units[i].unit) == 0 && value > 0 &&
		    value <= (unsigned long long)INT32_MAX >> units[i].shift) {
			*ret = (size_t)value << units[i].shift;
			return 0;
		}
	}
	return error_set(err, ERR_USAGE, "-max-message-size %s: must be bytes, or so many KiB, MiB or GiB, below 2GiB",
			 text);
}

static void print_ports(const char *kind, const char *listen, const unsigned short *ports, size_t n)
{
	bool v6 = strchr(listen, ':') != NULL;

	for (size_t i = 0; i < n; i++)
		printf("listening on %s %s%s%s:%hu\n", kind, v6 ? "[" : "", listen, v6 ? "]" : "", ports[i]);
}

static bool is_list(const struct option *opt)
{
	return opt->offset < FIELD(listen) || opt->offset == FIELD(grpc_ports) || opt->offset == FIELD(http_ports);
}

/* An option that takes a list may be given several times: their words one after the other, in memory of ret's. */
static int join_lists(struct buf ret[static LISTS_MAX], struct config *c, const struct options *o, int argc,
		      char **argv, struct error *err)
{
	const struct option *opt;
	const char *value;
	int words;

	for (int i = 1; (words = options_next(o, argc, argv, i, &opt, &value)) > 0; i += words) {
		struct buf *b;

		if (!is_list(opt))
			continue;
		b = &ret[opt - table];
		buf_printf(b, "%s%s", b->len && *value ? "," : "", value);
		if (b->failed)
			return error_set(err, ERR_NOMEM, "-%s: out of memory", opt->name);
		memcpy((char *)c + opt->offset, &b->data, sizeof(b->data));
	}
	return 0;
}

struct server {
	struct queue *queue;
	struct repository *repository;
	struct grpc_service *grpc;
	struct http_server *http;
	unsigned short grpc_ports[PORTS_MAX], http_ports[PORTS_MAX];
	size_t ngrpc, nhttp, message_max;
};

static int open_repository(struct server *s, const struct config *c, struct error *err)
{
	const struct queue_config queue = {.name = "CPU",
					   .threads = c->threads ? (unsigned)c->threads : usable_cores()};
	int rc = queue_new(&s->queue, &queue, err);

	if (rc < 0)
		return rc;
	return repository_new(&s->repository,
			      &(struct repository_config){
				      .folders = c->folders,
				      .models = c->models,
				      .inputs = c->inputs,
				      .outputs = c->outputs,
				      .aliases = c->aliases,
				      .labels = c->labels,
				      .batch_size = c->batch_size,
				      .batch_timeout = c->batch_timeout,
				      .poll_interval = c->reload_interval,
				      .queue = s->queue,
				      .log = log_line,
			      },
			      err);
}

static int open_ports(struct server *s, const struct config *c, struct error *err)
{
	unsigned threads = c->io_threads ? (unsigned)c->io_threads : usable_cores();
	int rc = 0;

	if (s->ngrpc)
		rc = grpc_service_start(&s->grpc,
					&(struct grpc_server_config){.listen = c->listen,
								     .ports = s->grpc_ports,
								     .nports = s->ngrpc,
								     .threads = threads,
								     .message_max = s->message_max,
								     .repository = s->repository},
					s->grpc_ports, err);
	if (rc == 0 && s->nhttp)
		rc = http_server_start(
			&s->http,
			&(struct http_server_config){.listen = c->listen,
						     .ports = s->http_ports,
						     .nports = s->nhttp,
						     .threads = threads,
						     .body_max = s->message_max,
						     .repository = s->repository,
						     .rest = {c->rest_reference, c->rest_no_reference, c->rest_vision}},
			s->http_ports, err);
	return rc;
}

/*
 * Bodies of half a megabyte come and go thousands of times a second. Their memory stays with the process: to get it from
 * the kernel anew costs as much as reading the request.
 */
static void keep_memory(void)
{
	mallopt(M_MMAP_THRESHOLD, 32 << 20);
	mallopt(M_TRIM_THRESHOLD, 256 << 20);
}

/* All ports stop taking anything new before one of them is waited for, and all share one deadline. */
static void stop(struct server *s, nsec_t patience)
{
	nsec_t until = clock_now() + patience;

	http_server_quiesce(s->http);
	grpc_service_quiesce(s->grpc);
	grpc_service_stop(s->grpc, until);
	http_server_stop(s->http, until);
	repository_free(s->repository);
	queue_free(s->queue);
}

static int serve(const struct config *c, struct error *err)
{
	struct server s = {0};
	sigset_t signals;
	int rc, signal_number;

	if (!c->folders[0] && !c->models[0])
		return error_set(err, ERR_USAGE, "there is nothing to serve: give -model-repository or -model");
	if (!c->grpc_ports[0] && !c->http_ports[0])
		return error_set(err, ERR_USAGE,
				 "there is no port to listen on: -grpc-port and -http-port are both empty");
	rc = parse_ports(s.grpc_ports, &s.ngrpc, "grpc-port", c->grpc_ports, err);
	if (rc == 0)
		rc = parse_ports(s.http_ports, &s.nhttp, "http-port", c->http_ports, err);
	if (rc == 0)
		rc = parse_size(&s.message_max, c->message_max, err);
	if (rc < 0)
		return rc;
	/* What goes wrong is told by us, in one line. */
	setenv("GRPC_VERBOSITY", "NONE", 0);
	keep_memory();
	/* Before any thread is started: the signals are for sigwait below. */
	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&signals);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGTERM);
	pthread_sigmask(SIG_BLOCK, &signals, NULL);
	rc = open_repository(&s, c, err);
	if (rc == 0)
		rc = open_ports(&s, c, err);
	if (rc == 0) {
		print_ports("grpc", c->listen, s.grpc_ports, s.ngrpc);
		print_ports("http", c->listen, s.http_ports, s.nhttp);
		fflush(stdout);
		sigwait(&signals, &signal_number);
		/* A second one ends the process at once. */
		pthread_sigmask(SIG_UNBLOCK, &signals, NULL);
	}
	stop(&s, c->stop_timeout);
	return rc;
}

/* The program as it was called. */
struct call {
	struct config config;
	const struct options *options;
	int argc;
	char **argv;
};

static int run(void *arg, struct error *err)
{
	struct call *call = arg;
	struct buf lists[LISTS_MAX] = {0};
	int rc = join_lists(lists, &call->config, call->options, call->argc, call->argv, err);

	if (rc == 0)
		rc = serve(&call->config, err);
	for (size_t i = 0; i < LISTS_MAX; i++)
		buf_release(&lists[i]);
	return rc;
}

int main(int argc, char **argv)
{
	struct call call = {.argc = argc,
			    .argv = argv,
			    .config = {
				    .folders = "",
				    .models = "",
				    .inputs = "",
				    .outputs = "",
				    .aliases = "",
				    .labels = "",
				    .batch_size = "",
				    .listen = "127.0.0.1",
				    .grpc_ports = "8500,8001",
				    .http_ports = "8501,8000,8080",
				    .message_max = "64MiB",
				    .rest_reference = "financialNet",
				    .rest_no_reference = "financialNet_NoReference",
				    .rest_vision = "mobilenet_v1_100_224_cpu",
				    .reload_interval = NSEC_PER_SEC,
				    .stop_timeout = 30 * NSEC_PER_SEC,
			    }};
	const struct option_set sets[] = {{table, &call.config}};
	struct options options = {
		.program = PROGRAM,
		.synopsis = "Serves models over gRPC and HTTP, in the protocols of TensorFlow Serving, Triton, "
			    "TorchServe and plain REST.",
		.epilogue = "Options that take lists may be given several times.",
		.sets = sets,
		.nsets = 1,
	};

	call.options = &options;
	return program_main(&options, argc, argv, run, &call);
}
