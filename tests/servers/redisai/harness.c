#include "tests/servers/redisai/harness.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#define WORDS_MAX 256
#define VALUES_MAX 32

static struct {
	const char *name, *data;
	size_t len;
} values[VALUES_MAX];
static size_t nvalues;
static struct buf answer, graphs[3];

struct redis_client *connect_to(const struct fixture *f)
{
	struct conn_options o;
	struct redis_client *c;
	struct error err;

	conn_options_defaults(&o);
	if (redis_client_open(&c, f->endpoint, NULL, &o, &err) < 0)
		fail_msg("%s", err.text);
	return c;
}

void fixture_start(struct fixture *f, const char *const *module_args, const char *const *extra)
{
	const char *args[32] = {"--enable-debug-command", "yes"};
	struct error err;

	for (size_t n = 2; extra && *extra; extra++)
		args[n++] = *extra;
	redis_server_start_module(&f->server, module_args, args);
	if (endpoint_resolve(&f->endpoint, NULL, 0, f->server.socket, &err) < 0)
		fail_msg("%s", err.text);
	f->client = connect_to(f);
}

void fixture_stop(struct fixture *f)
{
	redis_client_close(f->client);
	endpoint_free(f->endpoint);
	redis_server_stop(&f->server, false);
	buf_release(&answer);
}

const char *test_backend_path(void)
{
	static char path[4096];
	ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - 32);
	char *slash;

	assert_true(n > 0);
	path[n] = '\0';
	slash = strrchr(path, '/');
	assert_non_null(slash);
	memcpy(slash, "/backend/torch.so", sizeof("/backend/torch.so"));
	return path;
}

void define(const char *name, const void *data, size_t len)
{
	for (size_t i = 0; i < nvalues; i++) {
		if (strcmp(values[i].name, name) == 0) {
			values[i].data = data;
			values[i].len = len;
			return;
		}
	}
	assert_true(nvalues < VALUES_MAX);
	values[nvalues].name = name;
	values[nvalues].data = data;
	values[nvalues++].len = len;
}

static void value_of(const char **word, size_t *len)
{
	for (size_t i = 0; i < nvalues; i++) {
		if (strlen(values[i].name) == *len && memcmp(values[i].name, *word, *len) == 0) {
			*word = values[i].data;
			*len = values[i].len;
			return;
		}
	}
	fail_msg("no value is named %.*s", (int)*len, *word);
}

void define_part(const char *name, const char *of, size_t from, size_t to)
{
	size_t len = strlen(of);

	value_of(&of, &len);
	assert_true(from < to && from < len);
	define(name, of + from, (to < len ? to : len) - from);
}

void append_line(struct buf *to, const char *line)
{
	const char *words[WORDS_MAX];
	size_t lens[WORDS_MAX], n = 0;

	while (*line) {
		assert_true(n < WORDS_MAX);
		words[n] = line;
		lens[n] = strcspn(line, " ");
		line += lens[n];
		line += *line == ' ';
		if (words[n][0] == '$')
			value_of(&words[n], &lens[n]);
		n++;
	}
	resp_append_command(to, n, words, lens);
}

void send_line(struct redis_client *c, const char *line)
{
	struct error err;

	append_line(redis_client_out(c), line);
	if (redis_client_send(c, &err) < 0)
		fail_msg("%s", err.text);
}

static void show_bytes(struct buf *to, const char *data, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		unsigned char b = (unsigned char)data[i];

		if (b >= ' ' && b < 0x7f)
			buf_append(to, &b, 1);
		else
			buf_printf(to, "\\x%02x", b);
	}
}

static void show_leaf(struct buf *to, const struct resp_node *node)
{
	switch (node->type) {
	case RESP_STATUS:
	case RESP_ERROR:
		buf_append(to, node->type == RESP_STATUS ? "+" : "-", 1);
		show_bytes(to, node->data, node->len);
		break;
	case RESP_INTEGER:
		buf_printf(to, ":%lld", (long long)node->integer);
		break;
	case RESP_NIL:
		buf_append(to, "nil", 3);
		break;
	default:
		buf_append(to, "\"", 1);
		show_bytes(to, node->data, node->len);
		buf_append(to, "\"", 1);
		break;
	}
}

/* Shows the element at *at and what is in it. */
static void show(struct buf *to, const struct resp_node *nodes, size_t n, size_t *at)
{
	const struct resp_node *node = &nodes[(*at)++];

	if (node->type != RESP_ARRAY) {
		show_leaf(to, node);
		return;
	}
	buf_append(to, "[", 1);
	for (int64_t i = 0; i < node->integer && *at < n; i++) {
		if (i)
			buf_append(to, " ", 1);
		show(to, nodes, n, at);
	}
	buf_append(to, "]", 1);
}

void show_reply(struct buf *to, const struct resp_node *nodes, size_t n)
{
	size_t at = 0;

	buf_clear(to);
	show(to, nodes, n, &at);
}

const char *receive(struct redis_client *c)
{
	const struct resp_node *nodes;
	struct error err;
	size_t n;

	if (redis_client_receive(c, &nodes, &n, &err) < 0)
		fail_msg("%s", err.text);
	show_reply(&answer, nodes, n);
	return answer.data;
}

const char *ask(struct redis_client *c, const char *line)
{
	send_line(c, line);
	return receive(c);
}

void expect(struct redis_client *c, const char *line, const char *want)
{
	const char *got = ask(c, line);

	if (strcmp(got, want) != 0)
		fail_msg("%s\n  answered %s\n  not      %s", line, got, want);
}

void expect_all(struct redis_client *c, const struct exchange *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		expect(c, list[i].line, list[i].answer);
}

void expect_soon(struct redis_client *c, const char *line, const char *want)
{
	const struct timespec pause = {.tv_nsec = 5000000};

	for (int i = 0; i < 4000; i++) {
		if (strcmp(ask(c, line), want) == 0)
			return;
		nanosleep(&pause, NULL);
	}
	expect(c, line, want);
}

unsigned long info_counter(struct redis_client *c, const char *key, const char *name)
{
	char line[64], word[32];
	const char *at;

	snprintf(line, sizeof(line), "AI.INFO %s", key);
	snprintf(word, sizeof(word), "\"%s\" :", name);
	at = strstr(ask(c, line), word);
	assert_non_null(at);
	return strtoul(at + strlen(word), NULL, 10);
}

/* ---- GraphDef, as bytes ---- */

static void field_bytes(struct buf *b, unsigned field, const void *data, size_t len)
{
	unsigned char head[2] = {(unsigned char)(field << 3 | 2), (unsigned char)len};

	assert_true(len < 128);
	buf_append(b, head, 2);
	buf_append(b, data, len);
}

static void field_text(struct buf *b, unsigned field, const char *text)
{
	field_bytes(b, field, text, strlen(text));
}

/* attr[key].type = dt */
static void type_attr(struct buf *node, const char *key, int dt)
{
	const unsigned char value[2] = {6 << 3, (unsigned char)dt};
	struct buf entry = {0};

	field_text(&entry, 1, key);
	field_bytes(&entry, 2, value, sizeof(value));
	field_bytes(node, 5, entry.data, entry.len);
	buf_release(&entry);
}

static void add_node(struct buf *graph, const char *name, const char *op, const char *in0, const char *in1)
{
	struct buf node = {0};

	field_text(&node, 1, name);
	field_text(&node, 2, op);
	if (in0)
		field_text(&node, 3, in0);
	if (in1)
		field_text(&node, 3, in1);
	type_attr(&node, in0 ? "T" : "dtype", 1);
	field_bytes(graph, 1, node.data, node.len);
	buf_release(&node);
}

/* Const of one int32: dtype DT_INT32, an empty shape, int_val 0. */
static void add_zero(struct buf *graph, const char *name)
{
	static const unsigned char tensor[] = {1 << 3, 3, 2 << 3 | 2, 0, 7 << 3 | 2, 1, 0};
	struct buf node = {0}, entry = {0}, value = {0};

	field_text(&node, 1, name);
	field_text(&node, 2, "Const");
	field_bytes(&value, 8, tensor, sizeof(tensor));
	field_text(&entry, 1, "value");
	field_bytes(&entry, 2, value.data, value.len);
	field_bytes(&node, 5, entry.data, entry.len);
	type_attr(&node, "dtype", 3);
	field_bytes(graph, 1, node.data, node.len);
	buf_release(&node);
	buf_release(&entry);
	buf_release(&value);
}

void graphs_define(void)
{
	char previous[8] = "x", name[8];

	add_node(&graphs[0], "a", "Placeholder", NULL, NULL);
	add_node(&graphs[0], "b", "Placeholder", NULL, NULL);
	add_node(&graphs[0], "mul", "Mul", "a", "b");
	define("$MUL", graphs[0].data, graphs[0].len);

	add_node(&graphs[1], "x", "Placeholder", NULL, NULL);
	for (int i = 0; i < 20; i++) {
		snprintf(name, sizeof(name), i == 19 ? "y" : "m%d", i);
		add_node(&graphs[1], name, "MatMul", previous, "x");
		memcpy(previous, name, sizeof(name));
	}
	define("$SLOW", graphs[1].data, graphs[1].len);

	add_node(&graphs[2], "x", "Placeholder", NULL, NULL);
	add_zero(&graphs[2], "axis");
	add_node(&graphs[2], "sum", "Sum", "x", "axis");
	define("$SUM", graphs[2].data, graphs[2].len);
}

void graphs_release(void)
{
	for (size_t i = 0; i < 3; i++)
		buf_release(&graphs[i]);
}
