/*
 * dag.c - memory and names of commands that run something.
 */
#include "servers/redisai/dag.h"

#include "servers/redisai/module.h"

/* Commands of up to this many arguments share structures; larger ones get their own. */
#define POOLED_ARGUMENTS 64
#define POOL_MAX 128
#define ARENA_SIZE 4096
/* Up to here names are looked for one by one. */
#define LINEAR_SLOTS 16

static size_t reserve(size_t *total, size_t n, size_t size)
{
	size_t at = (*total + 63) & ~(size_t)63;

	*total = at + n * size;
	return at;
}

static struct dag *allocate(uint32_t capacity)
{
	size_t total = sizeof(struct dag), ops, slots, index, tensors, persist, words, arena;
	struct dag *d;
	char *base;

	/* Each operation takes two arguments at the least, every slot, input, output and key one. */
	ops = reserve(&total, capacity / 2 + 1, sizeof(struct dag_op));
	slots = reserve(&total, capacity, sizeof(struct dag_slot));
	index = reserve(&total, capacity, sizeof(uint32_t));
	tensors = reserve(&total, capacity, sizeof(struct tensor *));
	persist = reserve(&total, capacity, sizeof(struct dag_persist));
	words = reserve(&total, capacity, sizeof(struct RedisModuleString *));
	arena = reserve(&total, ARENA_SIZE + 64, 1);
	base = redis_allocator.alloc(total);
	if (!base)
		return NULL;
	d = (struct dag *)(void *)base;
	memset(d, 0, sizeof(*d));
	d->capacity = capacity;
	d->ops = (struct dag_op *)(void *)(base + ops);
	d->slots = (struct dag_slot *)(void *)(base + slots);
	d->index = (uint32_t *)(void *)(base + index);
	d->tensors = (struct tensor **)(void *)(base + tensors);
	d->persist = (struct dag_persist *)(void *)(base + persist);
	d->words = (struct RedisModuleString **)(void *)(base + words);
	d->arena.memory = (char *)(((uintptr_t)(base + arena) + 63) & ~(uintptr_t)63);
	d->arena.size = ARENA_SIZE;
	return d;
}

struct dag *dag_new(struct dag_pool *pool, int argc)
{
	struct dag *d = pool->free;

	if (argc > POOLED_ARGUMENTS)
		return allocate((uint32_t)argc);
	if (d) {
		pool->free = d->next;
		pool->count--;
	} else {
		d = allocate(POOLED_ARGUMENTS);
		if (!d)
			return NULL;
	}
	d->pool = pool;
	return d;
}

void dag_free(struct dag *d)
{
	struct dag_pool *pool = d->pool;

	for (uint32_t i = 0; i < d->nslots; i++)
		tensor_unref(d->slots[i].tensor);
	for (uint32_t i = 0; i < d->nops; i++) {
		stored_model_unref(d->ops[i].model);
		stored_script_unref(d->ops[i].script);
		redis_allocator.free(d->ops[i].error);
	}
	if (d->client) {
		for (uint32_t i = 0; i < d->npersist; i++)
			RedisModule_FreeString(NULL, d->persist[i].key);
		for (uint32_t i = 0; i < d->nwords; i++)
			RedisModule_FreeString(NULL, d->words[i]);
		pthread_mutex_destroy(&d->lock);
		redis_allocator.free(d->jobs);
	}
	redis_allocator.free(d->buckets);
	if (!pool || pool->count == POOL_MAX) {
		redis_allocator.free(d);
		return;
	}
	d->single = d->read_only = d->failed = d->timed_out = false;
	d->deadline = 0;
	d->nops = d->nslots = d->nindex = d->npersist = d->nwords = d->nbuckets = 0;
	d->buckets = NULL;
	d->arena.used = 0;
	d->client = NULL;
	d->jobs = NULL;
	d->next = pool->free;
	pool->free = d;
	pool->count++;
}

void dag_pool_release(struct dag_pool *pool)
{
	while (pool->free) {
		struct dag *d = pool->free;

		pool->free = d->next;
		redis_allocator.free(d);
	}
	pool->count = 0;
}

/* FNV-1a. */
static uint32_t hash_name(const char *name, size_t len)
{
	uint32_t h = 2166136261u;

	for (size_t i = 0; i < len; i++)
		h = (h ^ (unsigned char)name[i]) * 16777619u;
	return h;
}

static void link_slot(struct dag *d, uint32_t i)
{
	uint32_t *bucket = &d->buckets[d->slots[i].hash & (d->nbuckets - 1)];

	d->slots[i].next = *bucket;
	*bucket = i;
}

/* Out of memory leaves the names without buckets: found all the same, one by one. */
static void make_buckets(struct dag *d)
{
	uint32_t n = 64;

	while (n < d->capacity)
		n *= 2;
	d->buckets = redis_allocator.alloc(n * sizeof(*d->buckets));
	if (!d->buckets)
		return;
	d->nbuckets = n;
	memset(d->buckets, 0xff, n * sizeof(*d->buckets));
	for (uint32_t i = 0; i < d->nslots; i++)
		link_slot(d, i);
}

uint32_t dag_add_slot(struct dag *d, const char *name, size_t len, struct tensor *t)
{
	uint32_t i = d->nslots++;

	d->slots[i] = (struct dag_slot){.name = name, .len = len, .hash = hash_name(name, len), .tensor = t};
	if (d->buckets)
		link_slot(d, i);
	else if (d->nslots > LINEAR_SLOTS)
		make_buckets(d);
	return i;
}

static bool slot_is(const struct dag_slot *s, const char *name, size_t len, uint32_t hash)
{
	return s->hash == hash && s->len == len && memcmp(s->name, name, len) == 0;
}

uint32_t dag_find_slot(const struct dag *d, const char *name, size_t len)
{
	uint32_t hash = hash_name(name, len);

	if (d->buckets) {
		uint32_t i = d->buckets[hash & (d->nbuckets - 1)];

		while (i != DAG_NO_SLOT && !slot_is(&d->slots[i], name, len, hash))
			i = d->slots[i].next;
		return i;
	}
	for (uint32_t i = d->nslots; i-- > 0;) {
		if (slot_is(&d->slots[i], name, len, hash))
			return i;
	}
	return DAG_NO_SLOT;
}
