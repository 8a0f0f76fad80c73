/*
 * test_redisai_cluster.c - the RedisAI driver on a Cluster of two shards inside the test: routing, tags, redirections.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "drivers/redisai.h"
#include "net/redis_client.h"
#include "tests/drivers/client.h"
#include "tests/drivers/fake_server.h"

#define SHARDS 3 /* the last one owns nothing at first */
#define HALF (REDIS_SLOTS / 2)

struct fixture {
	struct fake_server shards[SHARDS];
	atomic_uint owner[2];  /* who serves each half of the hash slots */
	atomic_bool migrating; /* the first half's owner sends on with ASK */
	atomic_bool bouncing;  /* each shard names the other */
	atomic_uint asked, strays;
	struct redisai_options options;
	struct client_config config;
	struct client client;
};

static unsigned half_of(const char *key)
{
	return redis_slot(key, strlen(key)) >= HALF;
}

static void cluster_slots(const struct fixture *f, struct buf *reply)
{
	buf_printf(reply, "*2\r\n");
	for (unsigned h = 0; h < 2; h++)
		buf_printf(reply, "*3\r\n:%d\r\n:%d\r\n*3\r\n$9\r\n127.0.0.1\r\n:%s\r\n$4\r\nnode\r\n", (int)h * HALF,
			   (int)(h + 1) * HALF - 1, f->shards[atomic_load(&f->owner[h])].port_text);
}

/* The key that decides where a command belongs; NULL: it may run anywhere. */
static const char *routing_key(const struct fake_command *c)
{
	if (strcmp(c->args[0], "AI.DAGRUN") == 0)
		return strcmp(c->args[1], "LOAD") == 0 ? c->args[3] : NULL;
	return strncmp(c->args[0], "AI.", 3) == 0 ? c->args[1] : NULL;
}

/* The model named within the command must be one of this shard's. */
static bool names_own_model(const struct fixture *f, const struct fake_server *s, const struct fake_command *c)
{
	for (unsigned i = 0; i + 1 < c->nargs; i++) {
		if (strcmp(c->args[i], "AI.MODELRUN") == 0)
			return s == &f->shards[atomic_load(&f->owner[half_of(c->args[i + 1])])] &&
			       strstr(c->args[i + 1], "}financialNet") != NULL;
	}
	return true;
}

static bool shard(struct fake_server *s, const struct fake_command *c, struct buf *reply)
{
	struct fixture *f = s->arg;
	const char *key = routing_key(c);
	unsigned half, owner;

	if (strcmp(c->args[0], "CLUSTER") == 0) {
		cluster_slots(f, reply);
		return true;
	}
	if (strcmp(c->args[0], "ASKING") == 0)
		atomic_fetch_add(&f->asked, 1);
	if (!key) {
		atomic_fetch_add(&f->strays, names_own_model(f, s, c) ? 0 : 1);
		return false;
	}
	if (atomic_load(&f->bouncing)) {
		buf_printf(reply, "-MOVED 1 127.0.0.1:%s\r\n", f->shards[s == &f->shards[0]].port_text);
		return true;
	}
	half = half_of(key);
	owner = atomic_load(&f->owner[half]);
	if (atomic_load(&f->migrating) && half == 0 && s == &f->shards[owner]) {
		buf_printf(reply, "-ASK %u 127.0.0.1:%s\r\n", redis_slot(key, strlen(key)), f->shards[1].port_text);
		return true;
	}
	if (!atomic_load(&f->migrating) && s != &f->shards[owner]) {
		buf_printf(reply, "-MOVED %u 127.0.0.1:%s\r\n", redis_slot(key, strlen(key)),
			   f->shards[owner].port_text);
		return true;
	}
	if (!atomic_load(&f->migrating))
		atomic_fetch_add(&f->strays, names_own_model(f, s, c) ? 0 : 1);
	return false;
}

static void start(struct fixture *f, bool reference, bool dag)
{
	struct error err = {""};

	memset(f, 0, sizeof(*f));
	f->owner[1] = 1;
	for (unsigned i = 0; i < SHARDS; i++) {
		f->shards[i].handler = shard;
		f->shards[i].arg = f;
		f->shards[i].model_inputs = reference ? 2 : 1;
		fake_server_start(&f->shards[i]);
	}
	driver_redisai.options_defaults(&f->options);
	f->options.host = "127.0.0.1";
	f->options.port = f->shards[0].port_text;
	f->options.cluster_mode = true;
	f->options.use_dag = dag;
	f->config = (struct client_config){
		.ops = &driver_redisai, .options = &f->options, .slots = 4, .reference = reference};
	if (client_open(&f->client, &f->config, &err) < 0)
		fail_msg("%s", err.text);
	assert_null(f->client.driver->note);
}

static void stop(struct fixture *f)
{
	client_close(&f->client);
	for (unsigned i = 0; i < SHARDS; i++)
		fake_server_stop(&f->shards[i]);
}

static void all_right(struct fixture *f, uint64_t first, unsigned n)
{
	struct tally t;

	client_run(&f->client, first, n, &t);
	if (t.outcomes[OUTCOME_OK] != n)
		fail_msg("%u of %u right, the last failure: %s", t.outcomes[OUTCOME_OK], n, t.text);
	assert_int_equal(f->strays, 0);
}

static void requests_go_to_the_shard_of_their_reference_row(void **state)
{
	struct fixture f;

	(void)state;
	start(&f, true, true);
	all_right(&f, 0, 100);
	assert_int_equal(f.shards[0].dagruns + f.shards[1].dagruns, 100);
	assert_true(f.shards[0].dagruns > 20 && f.shards[1].dagruns > 20);
	stop(&f);
}

static void requests_without_reference_data_use_their_shards_tag(void **state)
{
	struct fixture f;

	(void)state;
	for (int dag = 0; dag < 2; dag++) {
		start(&f, false, dag);
		all_right(&f, 0, 40);
		assert_int_equal(dag ? f.shards[0].dagruns : f.shards[0].modelruns, 20);
		assert_int_equal(dag ? f.shards[1].dagruns : f.shards[1].modelruns, 20);
		stop(&f);
	}
}

static void moved_rows_are_followed_once_and_remembered(void **state)
{
	struct fixture f;
	unsigned before;

	(void)state;
	start(&f, true, true);
	all_right(&f, 0, 50);
	before = f.shards[0].dagruns;
	atomic_store(&f.owner[0], 1);
	/* The tags of shard 0 moved with its slots: shard 1's own are as good. */
	all_right(&f, 0, 50);
	all_right(&f, 0, 50);
	assert_int_equal(f.shards[0].dagruns, before);
	stop(&f);
}

static void new_shard_is_learnt_from_a_redirection(void **state)
{
	struct fixture f;

	(void)state;
	start(&f, true, true);
	atomic_store(&f.owner[0], 2);
	all_right(&f, 0, 100);
	assert_true(f.shards[2].dagruns > 20);
	assert_int_equal(f.shards[0].dagruns, 0);
	stop(&f);
}

static void moved_keys_of_the_three_commands_are_followed(void **state)
{
	struct fixture f;

	(void)state;
	start(&f, false, false);
	atomic_store(&f.owner[0], 2);
	all_right(&f, 0, 40);
	assert_int_equal(f.shards[2].modelruns, 20);
	assert_int_equal(f.shards[0].modelruns, 0);
	stop(&f);
}

static void ask_is_followed_for_one_request_alone(void **state)
{
	struct fixture f;
	unsigned asked;

	(void)state;
	start(&f, true, true);
	atomic_store(&f.migrating, true);
	all_right(&f, 0, 50);
	asked = f.asked;
	assert_true(asked > 10 && asked < 50);
	assert_int_equal(f.shards[1].dagruns, 50);
	atomic_store(&f.migrating, false);
	all_right(&f, 0, 50);
	assert_int_equal(f.asked, asked);
	assert_int_equal(f.shards[0].dagruns, asked);
	stop(&f);
}

static void second_redirection_is_an_error(void **state)
{
	struct fixture f;
	struct tally t;

	(void)state;
	start(&f, true, true);
	atomic_store(&f.bouncing, true);
	client_run(&f.client, 0, 10, &t);
	assert_int_equal(t.outcomes[OUTCOME_ERROR], 10);
	assert_non_null(strstr(t.text, "MOVED 1"));
	stop(&f);
}

static void refused_config(bool reference, bool dag, const char *words)
{
	struct fixture f;
	struct error err = {""};

	start(&f, reference, true);
	client_close(&f.client);
	f.options.use_dag = dag;
	assert_int_equal(client_open(&f.client, &f.config, &err), ERR_UNSUPPORTED);
	assert_non_null(strstr(err.text, words));
	stop(&f);
}

static void reference_data_needs_the_dag(void **state)
{
	(void)state;
	refused_config(true, false, "-use-dag");
}

static bool standalone(struct fake_server *s, const struct fake_command *c, struct buf *reply)
{
	(void)s;
	if (strcmp(c->args[0], "CLUSTER") != 0)
		return false;
	buf_printf(reply, "-ERR This instance has cluster support disabled\r\n");
	return true;
}

static void standalone_server_goes_on_with_a_note(void **state)
{
	struct fake_server server = {.handler = standalone, .model_inputs = 2};
	struct redisai_options options;
	struct error err = {""};
	struct client c;
	struct tally t;

	(void)state;
	fake_server_start(&server);
	driver_redisai.options_defaults(&options);
	options.host = "127.0.0.1";
	options.port = server.port_text;
	options.cluster_mode = true;
	if (client_open(
		    &c,
		    &(struct client_config){.ops = &driver_redisai, .options = &options, .slots = 2, .reference = true},
		    &err) < 0)
		fail_msg("%s", err.text);
	assert_non_null(strstr(c.driver->note, "standalone"));
	client_run(&c, 0, 10, &t);
	assert_int_equal(t.outcomes[OUTCOME_OK], 10);
	client_close(&c);
	fake_server_stop(&server);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(requests_go_to_the_shard_of_their_reference_row),
		cmocka_unit_test(requests_without_reference_data_use_their_shards_tag),
		cmocka_unit_test(moved_rows_are_followed_once_and_remembered),
		cmocka_unit_test(new_shard_is_learnt_from_a_redirection),
		cmocka_unit_test(moved_keys_of_the_three_commands_are_followed),
		cmocka_unit_test(ask_is_followed_for_one_request_alone),
		cmocka_unit_test(second_redirection_is_an_error),
		cmocka_unit_test(reference_data_needs_the_dag),
		cmocka_unit_test(standalone_server_goes_on_with_a_note),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
