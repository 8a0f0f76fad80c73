/*
 * redis_model.c - one command with a file in it, to one server or to every shard.
 */
#include "loaders/redis_model.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/buf.h"
#include "common/file.h"
#include "loaders/shards.h"
#include "net/redis_advice.h"
#include "net/redis_client.h"

#define FILE_MAX ((size_t)2 << 30)    /* no protobuf is larger */
#define CHUNK_MAX ((size_t)511 << 20) /* RedisAI's own chunk size; Redis takes no argument over 512 MB */
#define NAMES_MAX 256
#define ARGS_MAX (24 + 2 * NAMES_MAX + FILE_MAX / CHUNK_MAX + 1)

/* The arguments of one store. Those that are made here are kept in `made`. */
struct command {
	const char *args[ARGS_MAX];
	size_t lens[ARGS_MAX];
	size_t nargs;
	char numbers[5][24];
	unsigned nnumbers;
};

static void add(struct command *c, const char *arg, size_t len)
{
	c->args[c->nargs] = arg;
	c->lens[c->nargs++] = len;
}

static void add_word(struct command *c, const char *word)
{
	add(c, word, strlen(word));
}

static void add_number(struct command *c, uint64_t value)
{
	char *text = c->numbers[c->nnumbers++];

	snprintf(text, sizeof(c->numbers[0]), "%" PRIu64, value);
	add_word(c, text);
}

/* How many names a comma list has, or ERR_USAGE for an empty one among them. */
static int count_names(const char *list, const char *option, struct error *err)
{
	int n = 0;

	for (const char *p = list;; p++) {
		size_t len = strcspn(p, ",");

		if (len == 0)
			return error_set(err, ERR_USAGE, "%s \"%s\": must be names separated by commas", option, list);
		if (++n > NAMES_MAX)
			return error_set(err, ERR_USAGE, "%s: more than %d names", option, NAMES_MAX);
		p += len;
		if (!*p)
			return n;
	}
}

static void add_names(struct command *c, const char *word, const char *list, bool counted, int n)
{
	add_word(c, word);
	if (counted)
		add_number(c, (uint64_t)n);
	for (const char *p = list; n > 0; n--) {
		size_t len = strcspn(p, ",");

		add(c, p, len);
		p += len + 1;
	}
}

/* AI.MODELSTORE counts its names, AI.MODELSET does not. */
static int build(struct command *c, const struct redis_model_config *cfg, bool modelset, const char *key,
		 const char *blob, size_t blob_len, struct error *err)
{
	c->nargs = c->nnumbers = 0;
	add_word(c, modelset ? "AI.MODELSET" : "AI.MODELSTORE");
	add_word(c, key);
	add_word(c, cfg->backend);
	add_word(c, cfg->device);
	if (cfg->tag[0]) {
		add_word(c, "TAG");
		add_word(c, cfg->tag);
	}
	if (cfg->batch_size > 0) {
		add_word(c, "BATCHSIZE");
		add_number(c, cfg->batch_size);
	}
	if (cfg->min_batch_size > 0) {
		add_word(c, "MINBATCHSIZE");
		add_number(c, cfg->min_batch_size);
	}
	if (cfg->min_batch_timeout > 0) {
		add_word(c, "MINBATCHTIMEOUT");
		add_number(c, cfg->min_batch_timeout);
	}
	if (strcasecmp(cfg->backend, "TF") == 0) {
		int inputs = count_names(cfg->inputs, "-inputs", err);
		int outputs = inputs < 0 ? inputs : count_names(cfg->outputs, "-outputs", err);

		if (outputs < 0)
			return outputs;
		add_names(c, "INPUTS", cfg->inputs, !modelset, inputs);
		add_names(c, "OUTPUTS", cfg->outputs, !modelset, outputs);
	}
	add_word(c, "BLOB");
	for (size_t at = 0; at < blob_len; at += CHUNK_MAX)
		add(c, blob + at, blob_len - at < CHUNK_MAX ? blob_len - at : CHUNK_MAX);
	return 0;
}

static bool is_unknown_command(const struct resp_node *reply)
{
	static const char text[] = "ERR unknown command";

	return reply->type == RESP_ERROR && reply->len >= sizeof(text) - 1 &&
	       memcmp(reply->data, text, sizeof(text) - 1) == 0;
}

static int refused(struct redis_client *client, const char *key, const char *path, const struct resp_node *reply,
		   struct error *err)
{
	error_set(err, ERR_SERVER, "%s: model %s from %s: the server answered: %.*s", redis_client_name(client), key,
		  path, (int)(reply->len < REDIS_REPLY_SHOWN ? reply->len : REDIS_REPLY_SHOWN), reply->data);
	redis_advice_append(err, reply->data, reply->len);
	return ERR_SERVER;
}

static int store_with(struct redis_client *client, struct command *c, const struct redis_model_config *cfg,
		      const char *key, const char *blob, size_t blob_len, struct error *err)
{
	const struct resp_node none = {.type = RESP_NIL}, *reply = &none;
	size_t n;

	for (int modelset = 0; modelset < 2; modelset++) {
		int rc = build(c, cfg, modelset, key, blob, blob_len, err);

		if (rc == 0)
			rc = redis_client_command(client, c->nargs, c->args, c->lens, &reply, &n, err);
		if (rc < 0)
			return rc;
		if (!is_unknown_command(reply))
			break;
	}
	if (is_unknown_command(reply))
		return error_set(
			err, ERR_SERVER,
			"%s: this Redis does not know AI.MODELSTORE: start it with --loadmodule bin/redisai.so",
			redis_client_name(client));
	if (reply->type == RESP_ERROR)
		return refused(client, key, cfg->path, reply, err);
	return 0;
}

static int store_on_shard(const struct redis_model_config *cfg, const struct shards *shards, unsigned shard,
			  const char *blob, size_t blob_len, struct error *err)
{
	const struct endpoint *e = shards_endpoint(shards, shard);
	struct command *c = malloc(sizeof(*c));
	struct redis_client *client = NULL;
	struct buf key = {0};
	char tag[16];
	const struct resp_node *reply;
	size_t n;
	int rc = 0;

	if (shards->cluster.enabled) {
		if (redis_shard_tag(&shards->cluster, shard, tag, sizeof(tag)) < 0) {
			rc = error_set(err, ERR_SERVER, "%s: serves no slot of the cluster", endpoint_name(e));
			goto out;
		}
		buf_printf(&key, "{%s}", tag);
	}
	buf_printf(&key, "%s", cfg->name);
	if (!c || key.failed) {
		rc = error_set(err, ERR_NOMEM, "out of memory for the model");
		goto out;
	}
	rc = redis_client_open(&client, e, cfg->tls, cfg->conn, err);
	if (rc == 0 && cfg->database > 0)
		rc = redis_client_commandf(client, &reply, &n, err, "SELECT %u", cfg->database);
	if (rc == 0)
		rc = store_with(client, c, cfg, key.data, blob, blob_len, err);
out:
	redis_client_close(client);
	buf_release(&key);
	free(c);
	return rc;
}

int redis_model_store(struct redis_model_summary *ret, const struct redis_model_config *cfg, struct error *err)
{
	struct shards shards = {0};
	char *blob;
	size_t len;
	int rc = file_read(&blob, &len, cfg->path, FILE_MAX, err);

	if (rc < 0)
		return rc;
	if (len == 0)
		rc = error_set(err, ERR_FORMAT, "%s: is empty: make a model with aibench_generate_model", cfg->path);
	if (rc == 0)
		rc = shards_find(&shards, cfg->endpoint, cfg->tls, cfg->conn, cfg->cluster_mode, err);
	for (unsigned i = 0; rc == 0 && i < shards_count(&shards); i++)
		rc = store_on_shard(cfg, &shards, i, blob, len, err);
	if (rc == 0)
		*ret = (struct redis_model_summary){len, shards_count(&shards), shards.cluster.enabled};
	shards_release(&shards);
	free(blob);
	return rc;
}
