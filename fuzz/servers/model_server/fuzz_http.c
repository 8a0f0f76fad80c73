/*
 * fuzz_http.c - any body to every endpoint that takes one, through the real server: an answer comes, and it is no
 * server error.
 *
 * The first byte picks the endpoint, the second the Content-Type, the third how much of the body is JSON where the
 * rest is binary tensor data: 255 none, so that all of it is.
 */
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/arith.h"
#include "common/buf.h"
#include "common/file.h"
#include "servers/model_server/http_server.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define NO_JSON 255

static int connection;

static void must(bool right)
{
	if (!right)
		abort();
}

/* A field of the protobuf wire format, shorter than 128 bytes. */
static void field(struct buf *b, unsigned number, const void *data, size_t len)
{
	const unsigned char head[2] = {(unsigned char)(number << 3 | 2), (unsigned char)len};

	must(len < 128);
	buf_append(b, head, sizeof(head));
	buf_append(b, data, len);
}

static void text_field(struct buf *b, unsigned number, const char *text)
{
	field(b, number, text, strlen(text));
}

static void attribute(struct buf *node, const char *name, const void *value, size_t len)
{
	struct buf entry = {0};

	text_field(&entry, 1, name);
	field(&entry, 2, value, len);
	field(node, 5, entry.data, entry.len);
	buf_release(&entry);
}

/* A Placeholder of float32 [?,2], or an operator on such. */
static void add_node(struct buf *graph, const char *name, const char *op, const char *a, const char *b)
{
	static const char FLOAT[] = {6 << 3, 1};
	static const unsigned char SHAPE[] = {7 << 3 | 2, 17,         2 << 3 | 2, 11,     1 << 3, 0xff, 0xff,
					      0xff,       0xff,       0xff,       0xff,   0xff,   0xff, 0xff,
					      1,          2 << 3 | 2, 2,          1 << 3, 2};
	struct buf node = {0};

	text_field(&node, 1, name);
	text_field(&node, 2, op);
	if (a)
		text_field(&node, 3, a);
	if (b)
		text_field(&node, 3, b);
	attribute(&node, a ? "T" : "dtype", FLOAT, sizeof(FLOAT));
	if (!a)
		attribute(&node, "shape", SHAPE, sizeof(SHAPE));
	field(graph, 1, node.data, node.len);
	buf_release(&node);
}

static void write_models(const char *folder, struct buf *ret_models)
{
	struct buf two = {0}, one = {0};
	char path[64];
	struct error err;

	add_node(&two, "transaction", "Placeholder", NULL, NULL);
	add_node(&two, "reference", "Placeholder", NULL, NULL);
	add_node(&two, "output", "Mul", "transaction", "reference");
	add_node(&one, "transaction", "Placeholder", NULL, NULL);
	add_node(&one, "out", "Relu", "transaction", NULL);
	snprintf(path, sizeof(path), "%s/two.pb", folder);
	must(file_write(path, two.data, two.len, &err) == 0);
	buf_printf(ret_models, "financialNet=%s", path);
	snprintf(path, sizeof(path), "%s/one.pb", folder);
	must(file_write(path, one.data, one.len, &err) == 0);
	buf_printf(ret_models, ",financialNet_NoReference=%s,mobilenet_v1_100_224_cpu=%s", path, path);
	buf_release(&one);
	buf_release(&two);
}

static void remove_models(const char *folder)
{
	char path[64];

	snprintf(path, sizeof(path), "%s/one.pb", folder);
	unlink(path);
	snprintf(path, sizeof(path), "%s/two.pb", folder);
	unlink(path);
	rmdir(folder);
}

/* Server and connection live as long as the process. */
int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	const struct queue_config queue = {.name = "fuzz", .threads = 1};
	const unsigned short any = 0;
	struct http_server_config http = {.ports = &any, .nports = 1, .timeout = 3600 * NSEC_PER_SEC};
	struct repository_config config = {.models = NULL};
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	char folder[] = "/tmp/fuzz_http.XXXXXX";
	static struct http_server *server;
	struct buf models = {0};
	struct error err = {0};
	unsigned short port;

	(void)argc;
	(void)argv;
	must(mkdtemp(folder) != NULL);
	write_models(folder, &models);
	must(queue_new(&config.queue, &queue, &err) == 0);
	config.models = models.data;
	must(repository_new(&http.repository, &config, &err) == 0 && repository_ready(http.repository));
	remove_models(folder);
	must(http_server_start(&server, &http, &port, &err) == 0);
	to.sin_port = htons(port);
	connection = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	must(connection >= 0 && connect(connection, (const struct sockaddr *)&to, sizeof(to)) == 0);
	buf_release(&models);
	return 0;
}

static void send_request(const uint8_t *data, size_t size)
{
	static const char *const paths[] = {
		"/v1/models/financialNet:predict",
		"/v1/models/financialNet_NoReference:predict",
		"/v2/models/financialNet/infer",
		"/v2/models/financialNet_NoReference/infer",
		"/predictions/financialNet",
		"/predictions/financialNet_NoReference",
		"/v2/predict",
		"/v1/predict",
		"/v2/repository/index",
	};
	static const char *const types[] = {"application/json", "application/octet-stream",
					    "multipart/form-data; boundary=X", "multipart/form-data"};
	struct buf text = {0};

	buf_printf(&text, "POST %s HTTP/1.1\r\nHost: fuzz\r\nContent-Type: %s\r\nContent-Length: %zu\r\n",
		   paths[data[0] % ARRAY_LEN(paths)], types[data[1] % ARRAY_LEN(types)], size - 3);
	if (data[2])
		buf_printf(&text, "Inference-Header-Content-Length: %u\r\n", data[2] == NO_JSON ? 0u : data[2]);
	buf_printf(&text, "\r\n");
	buf_append(&text, data + 3, size - 3);
	must(!text.failed && send(connection, text.data, text.len, 0) == (ssize_t)text.len);
	buf_release(&text);
}

static void receive_answer(void)
{
	char piece[4096];
	struct buf text = {0};
	const char *body = NULL, *length;
	size_t want = SIZE_MAX;

	while (text.len < want) {
		/* libFuzzer's alarm interrupts. */
		ssize_t n = TEMP_FAILURE_RETRY(recv(connection, piece, sizeof(piece), 0));

		must(n > 0 && buf_append(&text, piece, (size_t)n) == 0);
		if (!body && (body = strstr(text.data, "\r\n\r\n")) != NULL) {
			length = strstr(text.data, "\r\nContent-Length: ");
			must(length != NULL);
			want = (size_t)(body + 4 - text.data) + strtoul(length + 18, NULL, 10);
		}
	}
	must(text.len == want && (!memcmp(text.data, "HTTP/1.1 2", 10) || !memcmp(text.data, "HTTP/1.1 4", 10)));
	buf_release(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 3)
		return 0;
	send_request(data, size);
	receive_answer();
	return 0;
}
