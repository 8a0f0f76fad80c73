/*
 * redisai_check.c - asks a RedisAI server whether it is ready for a run, and for its counters.
 */
#include "drivers/redisai_check.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/text.h"

#define KEY_MAX 256
#define VALUE_MAX 512

static bool begins(const struct resp_node *node, const char *words)
{
	return bytes_begin(node->data, node->len, words);
}

static bool is_text(const struct resp_node *node, const char *text)
{
	return (node->type == RESP_STRING || node->type == RESP_STATUS) && bytes_equal(node->data, node->len, text);
}

static int is_cluster(struct redis_client *c, struct error *err)
{
	return error_set(err, ERR_UNSUPPORTED, "%s: this server is part of a Redis Cluster: pass -cluster-mode",
			 redis_client_name(c));
}

/* An error reply to a RedisAI command in words for the user. */
static int refused(struct redis_client *c, const struct resp_node *reply, struct error *err)
{
	if (begins(reply, "ERR unknown command"))
		return error_set(
			err, ERR_UNSUPPORTED,
			"%s: this Redis has no RedisAI: start redis-server with --loadmodule bin/redisai.so, or "
			"point -host and -port at a server that has it",
			redis_client_name(c));
	if (begins(reply, "MOVED "))
		return is_cluster(c, err);
	return redis_client_refused(c, reply, err);
}

/* The element behind the field's name in a flat list of an array's elements; NULL: there is none. */
static const struct resp_node *field(const struct resp_node *nodes, size_t n, const char *name)
{
	for (size_t i = 1; i + 1 < n; i++) {
		if (nodes[i].depth == 1 && is_text(&nodes[i], name))
			return &nodes[i + 1];
	}
	return NULL;
}

/* On a Cluster, models have names with tags: who asks for the plain one has left -cluster-mode out. */
static bool asks_a_cluster(struct redis_client *c)
{
	static const char ENABLED[] = "cluster_enabled:1";
	const struct resp_node *reply;
	struct error err;
	size_t n;

	return redis_client_commandf(c, &reply, &n, &err, "INFO CLUSTER") == 0 && reply->type == RESP_STRING &&
	       memmem(reply->data, reply->len, ENABLED, sizeof(ENABLED) - 1);
}

static int no_model(struct redis_client *c, const char *model, const char *why, bool clustered, struct error *err)
{
	if (!clustered && asks_a_cluster(c))
		return is_cluster(c, err);
	if (clustered)
		return error_set(
			err, ERR_NOT_FOUND,
			"%s: %s \"%s\": store it with aibench_load_model -cluster-mode; if the slots have moved "
			"since it was stored, run aibench_load_model again",
			redis_client_name(c), why, model);
	return error_set(err, ERR_NOT_FOUND,
			 "%s: %s \"%s\": store it with aibench_load_model, or name another with -model",
			 redis_client_name(c), why, model);
}

int redisai_check_model(struct redis_client *c, const char *model, unsigned ninputs, bool clustered, struct error *err)
{
	const char *args[] = {"AI.MODELGET", model, "META"};
	const struct resp_node *nodes, *inputs;
	size_t n;
	int r = redis_client_command(c, 3, args, NULL, &nodes, &n, err);

	if (r < 0)
		return r;
	if (nodes[0].type == RESP_ERROR && begins(&nodes[0], "ERR model key is empty"))
		return no_model(c, model, "there is no model", clustered, err);
	if (nodes[0].type == RESP_ERROR && begins(&nodes[0], "WRONGTYPE"))
		return no_model(c, model, "there is a key, but no model, with the name", clustered, err);
	if (nodes[0].type == RESP_ERROR)
		return refused(c, &nodes[0], err);
	if (nodes[0].type != RESP_ARRAY)
		return error_set(err, ERR_PROTOCOL,
				 "%s: its AI.MODELGET is not RedisAI's: is it another kind of server?",
				 redis_client_name(c));
	/* Backends other than TensorFlow need not name their inputs. */
	inputs = field(nodes, n, "inputs");
	if (inputs && inputs->type == RESP_ARRAY && inputs->integer > 0 && inputs->integer != ninputs)
		return error_set(err, ERR_INVALID,
				 "%s: the model \"%s\" takes %" PRId64
				 " inputs, this run sends %u: is it the right -model, "
				 "and reference data with it or not?",
				 redis_client_name(c), model, inputs->integer, ninputs);
	return 0;
}

/* The number of elements that AI.TENSORGET META's shape gives; 0 where there is none. */
static uint64_t count_elements(const struct resp_node *nodes, size_t n)
{
	const struct resp_node *shape = field(nodes, n, "shape");
	uint64_t count = 1;

	if (!shape || shape->type != RESP_ARRAY || shape->integer <= 0)
		return 0;
	for (const struct resp_node *d = shape + 1; d < nodes + n && d->depth == 2; d++) {
		if (d->type != RESP_INTEGER || d->integer < 0 ||
		    __builtin_mul_overflow(count, (uint64_t)d->integer, &count))
			return 0;
	}
	return count;
}

int redisai_check_reference(struct redis_client *c, const struct workload_spec *spec, uint64_t id, struct error *err)
{
	char key[KEY_MAX];
	const char *args[] = {"AI.TENSORGET", key, "META"};
	const struct resp_node *nodes, *type;
	size_t n;
	int r;

	snprintf(key, sizeof(key), "%s{%" PRIu64 "}", spec->reference_tensor_prefix, id);
	r = redis_client_command(c, 3, args, NULL, &nodes, &n, err);
	if (r < 0)
		return r;
	if (nodes[0].type == RESP_ERROR && begins(&nodes[0], "ERR tensor key is empty"))
		return error_set(
			err, ERR_NOT_FOUND,
			"%s: no reference data, there is no tensor %s: load the dataset with aibench_load_data",
			redis_client_name(c), key);
	if (nodes[0].type == RESP_ERROR && begins(&nodes[0], "WRONGTYPE"))
		return error_set(err, ERR_INVALID,
				 "%s: %s is no tensor: delete it, and load the dataset with aibench_load_data",
				 redis_client_name(c), key);
	if (nodes[0].type == RESP_ERROR)
		return refused(c, &nodes[0], err);
	type = field(nodes, n, "dtype");
	if (!type || !is_text(type, "FLOAT") || count_elements(nodes, n) != spec->reference_size / sizeof(float))
		return error_set(err, ERR_INVALID,
				 "%s: %s is no tensor of %zu FLOAT values: load the dataset with aibench_load_data",
				 redis_client_name(c), key, spec->reference_size / sizeof(float));
	return 0;
}

/* ---- counters ---- */

static int ai_info(struct redis_client *c, const char *model, server_stat_fn *fn, void *arg, struct error *err)
{
	static const char *const FIELDS[] = {"duration", "samples", "calls", "errors"};
	const char *args[] = {"AI.INFO", model};
	const struct resp_node *nodes;
	size_t n;
	int r = redis_client_command(c, 2, args, NULL, &nodes, &n, err);

	if (r < 0)
		return r;
	if (nodes[0].type == RESP_ERROR)
		return refused(c, &nodes[0], err);
	for (size_t i = 0; i < sizeof(FIELDS) / sizeof(FIELDS[0]); i++) {
		const struct resp_node *value = field(nodes, n, FIELDS[i]);
		char key[KEY_MAX], text[VALUE_MAX];

		if (!value)
			continue;
		snprintf(key, sizeof(key), "ai_info.%s", FIELDS[i]);
		if (value->type == RESP_INTEGER)
			snprintf(text, sizeof(text), "%" PRId64, value->integer);
		else
			snprintf(text, sizeof(text), "%.*s", (int)(value->len < VALUE_MAX ? value->len : VALUE_MAX),
				 value->data ? value->data : "");
		fn(arg, redis_client_name(c), key, text);
	}
	return 0;
}

/* Reports one "key:value" line of INFO; lines too long for us are left out. */
static void report_line(const char *server, const char *line, size_t len, server_stat_fn *fn, void *arg)
{
	const char *colon = memchr(line, ':', len);
	char key[KEY_MAX], value[VALUE_MAX];
	size_t nkey, nvalue;

	if (!colon)
		return;
	nkey = (size_t)(colon - line);
	nvalue = len - nkey - 1;
	if (nkey >= sizeof(key) || nvalue >= sizeof(value))
		return;
	memcpy(key, line, nkey);
	key[nkey] = '\0';
	memcpy(value, colon + 1, nvalue);
	value[nvalue] = '\0';
	fn(arg, server, key, value);
}

/* Reports the lines of an INFO reply, those of one section only if `only` names it. */
static void report_info(const char *server, const struct resp_node *reply, const char *only, server_stat_fn *fn,
			void *arg)
{
	const char *p = reply->data, *end = p + reply->len;
	bool wanted = only == NULL;

	while (p < end) {
		const char *newline = memchr(p, '\n', (size_t)(end - p));
		size_t len = (size_t)((newline ? newline : end) - p);

		if (len > 0 && p[len - 1] == '\r')
			len--;
		if (len > 2 && p[0] == '#' && only)
			wanted = bytes_equal(p + 2, len - 2, only);
		else if (len > 0 && p[0] != '#' && wanted)
			report_line(server, p, len, fn, arg);
		if (!newline)
			break;
		p = newline + 1;
	}
}

int redisai_stats(struct redis_client *c, const char *model, server_stat_fn *fn, void *arg, struct error *err)
{
	static const struct {
		const char *section, *only;
	} SECTIONS[] = {{"COMMANDSTATS", NULL}, {"MEMORY", NULL}, {"MODULES", "ai_cpu"}};
	int r = ai_info(c, model, fn, arg, err);

	for (size_t i = 0; r == 0 && i < sizeof(SECTIONS) / sizeof(SECTIONS[0]); i++) {
		const char *args[] = {"INFO", SECTIONS[i].section};
		const struct resp_node *nodes;
		size_t n;

		r = redis_client_command(c, 2, args, NULL, &nodes, &n, err);
		if (r == 0 && nodes[0].type == RESP_ERROR)
			r = refused(c, &nodes[0], err);
		else if (r == 0 && nodes[0].type == RESP_STRING)
			report_info(redis_client_name(c), &nodes[0], SECTIONS[i].only, fn, arg);
	}
	return r;
}
