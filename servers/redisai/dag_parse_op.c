/*
 * dag_parse_op.c - one operation that runs something: its tensors, its time-out, its place in the command.
 */
#include "servers/redisai/dag_parse_op.h"

#include <limits.h>

int op_parse_timeout(struct dag *d, struct words *w, const char *missing, struct error *err)
{
	nsec_t now = clock_now();
	long long ms;

	if (words_left(w) == 0)
		return error_set(err, ERR_INVALID, "%s", missing);
	if (!words_take_number(w, &ms) || ms <= 0)
		return error_set(err, ERR_INVALID, "ERR Invalid value for TIMEOUT");
	d->deadline = ms < (INT64_MAX - now) / NSEC_PER_MSEC ? now + ms * NSEC_PER_MSEC : NSEC_NEVER;
	return 0;
}

int op_load_slot(const struct op_context *c, struct RedisModuleString *key, uint32_t *ret, struct error *err)
{
	struct arg name = arg_view(key);
	void *t;
	int r = keyspace_get(c->ctx, key, redisai.tensor_type, ERROR_TENSOR_KEY_EMPTY, &t, err);

	if (r == 0)
		*ret = dag_add_slot(c->dag, name.data, name.len, tensor_ref(t));
	return r;
}

static int add_input(const struct op_context *c, struct RedisModuleString *key, struct error *err)
{
	struct dag *d = c->dag;
	struct arg name = arg_view(key);
	uint32_t slot = DAG_NO_SLOT;
	int r = 0;

	if (!c->in_dag) {
		r = op_load_slot(c, key, &slot, err);
	} else {
		slot = dag_find_slot(d, name.data, name.len);
		if (slot == DAG_NO_SLOT)
			r = error_set(err, ERR_NOT_FOUND, "ERR INPUT key cannot be found in DAG");
	}
	if (r == 0)
		d->index[d->nindex++] = slot;
	return r;
}

static void add_output(const struct op_context *c, struct RedisModuleString *key)
{
	struct dag *d = c->dag;
	struct arg name = arg_view(key);
	uint32_t slot = dag_add_slot(d, name.data, name.len, NULL);

	d->index[d->nindex++] = slot;
	if (!c->in_dag)
		d->persist[d->npersist++] = (struct dag_persist){key, slot};
}

int op_add(const struct op_context *c, struct dag_op op, const struct op_keys *keys, struct error *err)
{
	struct dag *d = c->dag;

	op.in = d->nindex;
	op.nin = keys->nin;
	op.out = d->nindex + keys->nin;
	op.nout = keys->nout;
	for (uint32_t i = 0; i < keys->nin; i++) {
		uint32_t word = i >= keys->mark_at ? i + keys->marks : i;
		int r = add_input(c, keys->inputs[word], err);

		if (r < 0)
			return r;
	}
	for (uint32_t i = 0; i < keys->nout; i++)
		add_output(c, keys->outputs[i]);
	if (op.kind == OP_MODEL)
		stored_model_ref(op.model);
	else
		stored_script_ref(op.script);
	d->ops[d->nops++] = op;
	return 0;
}
