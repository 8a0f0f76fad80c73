/*
 * tensor_bundle.c - TensorFlow's checkpoint format: the index is a sorted table of blocks as LevelDB writes it.
 *
 *	data block | 1 byte compression | 4 bytes masked CRC-32C      ... more blocks ...
 *	index block (last key of each data block -> offset and size as varints), likewise
 *	footer, 48 bytes: varints offset and size of the meta index, then of the index block; zeros; 8 bytes magic
 *
 * A block: entries (shared and new length of the key, length of the value as varints; key; value), then the offsets of
 * the entries that share nothing, then their number as 4 bytes.
 */
#include "engine/tensor_bundle.h"

#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/arith.h"
#include "common/file.h"
#include "engine/snappy.h"
#include "engine/tensorflow.h"

#define FOOTER_SIZE 48u
#define MAGIC 0xdb4775248b80fb57u
#define TRAILER_SIZE 5u
#define INDEX_MAX ((size_t)64 << 20)
#define KEY_MAX 4096u

struct entry {
	char *name;
	Tensorflow__BundleEntryProto *proto;
};

struct tensor_bundle {
	char *prefix; /* NULL: parsed from memory */
	uint32_t crc_table[256];
	const unsigned char *index;
	size_t index_len;
	struct entry *entries; /* sorted by name, as the table is */
	size_t nentries, cap;
	int32_t shards;
};

/* A block's contents; owned is what to free. */
struct block {
	const unsigned char *data;
	size_t len;
	unsigned char *owned;
};

static void crc_init(uint32_t table[256])
{
	for (uint32_t i = 0; i < 256; i++) {
		uint32_t crc = i;
		for (int bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ ((crc & 1) != 0 ? 0x82f63b78u : 0);
		table[i] = crc;
	}
}

/* The checksum as it is stored: CRC-32C, rotated and shifted so that a CRC of CRCs stays a check. */
static uint32_t masked_crc(const uint32_t table[256], const unsigned char *data, size_t len)
{
	uint32_t crc = UINT32_MAX;

	for (size_t i = 0; i < len; i++)
		crc = crc >> 8 ^ table[(crc ^ data[i]) & 255];
	crc = ~crc;
	return (crc >> 15 | crc << 17) + 0xa282ead8u;
}

static uint32_t read_u32(const unsigned char *p)
{
	return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static bool read_varint(const unsigned char **p, const unsigned char *end, uint64_t *ret)
{
	uint64_t value = 0;

	for (unsigned shift = 0; shift < 64 && *p < end; shift += 7) {
		unsigned char byte = *(*p)++;
		value |= (uint64_t)(byte & 127) << shift;
		if (byte < 128) {
			*ret = value;
			return true;
		}
	}
	return false;
}

static int damaged(struct error *err)
{
	return error_set(err, ERR_FORMAT, "the index of the variables is damaged");
}

/* handle: offset and size as varints. */
static int read_block(const struct tensor_bundle *b, const unsigned char **handle, const unsigned char *end,
		      struct block *ret, struct error *err)
{
	uint64_t offset, size;

	if (!read_varint(handle, end, &offset) || !read_varint(handle, end, &size) || offset > b->index_len ||
	    size > b->index_len - offset || b->index_len - offset - size < TRAILER_SIZE)
		return damaged(err);
	const unsigned char *data = b->index + offset;
	if (masked_crc(b->crc_table, data, size + 1) != read_u32(data + size + 1))
		return error_set(err, ERR_FORMAT, "the checksum of the variables' index is wrong");
	*ret = (struct block){.data = data, .len = size};
	if (data[size] == 0)
		return 0;
	if (data[size] != 1)
		return error_set(err, ERR_UNSUPPORTED, "the variables' index is compressed with method %d", data[size]);
	int r = snappy_decompress(data, size, INDEX_MAX, &ret->owned, &ret->len);
	if (r < 0)
		return r == ERR_NOMEM ? r : damaged(err);
	ret->data = ret->owned;
	return 0;
}

typedef int entry_function(struct tensor_bundle *b, const char *key, size_t key_len, const unsigned char *value,
			   size_t len, struct error *err);

static int each_entry(struct tensor_bundle *b, const struct block *block, entry_function *function, struct error *err)
{
	char key[KEY_MAX + 1];
	size_t key_len = 0;

	if (block->len < 4)
		return damaged(err);
	uint32_t restarts = read_u32(block->data + block->len - 4);
	if (restarts > (block->len - 4) / 4)
		return damaged(err);
	const unsigned char *p = block->data, *end = block->data + block->len - 4 - 4 * (size_t)restarts;
	while (p < end) {
		uint64_t shared, fresh, len;
		if (!read_varint(&p, end, &shared) || !read_varint(&p, end, &fresh) || !read_varint(&p, end, &len) ||
		    shared > key_len || fresh > KEY_MAX - shared || fresh > (size_t)(end - p) ||
		    len > (size_t)(end - p) - fresh)
			return damaged(err);
		memcpy(key + shared, p, fresh);
		key_len = shared + fresh;
		key[key_len] = '\0';
		int r = function(b, key, key_len, p + fresh, len, err);
		if (r < 0)
			return r;
		p += fresh + len;
	}
	return 0;
}

static int read_header(struct tensor_bundle *b, const unsigned char *value, size_t len, struct error *err)
{
	Tensorflow__BundleHeaderProto *header = tensorflow__bundle_header_proto__unpack(NULL, len, value);

	if (header == NULL)
		return damaged(err);
	b->shards = header->num_shards;
	bool big_endian = header->endianness != 0;
	tensorflow__bundle_header_proto__free_unpacked(header, NULL);
	if (big_endian)
		return error_set(err, ERR_UNSUPPORTED, "the variables are big-endian");
	return 0;
}

static int add_entry(struct tensor_bundle *b, const char *key, size_t key_len, const unsigned char *value, size_t len,
		     struct error *err)
{
	if (key_len == 0)
		return read_header(b, value, len, err);
	if (b->nentries > 0 && strcmp(b->entries[b->nentries - 1].name, key) >= 0)
		return damaged(err);
	if (b->nentries == b->cap) {
		size_t cap = b->cap * 2 + 16;
		struct entry *entries = realloc(b->entries, cap * sizeof(*entries));
		if (entries == NULL)
			return ERR_NOMEM;
		b->entries = entries;
		b->cap = cap;
	}
	struct entry e = {strdup(key), tensorflow__bundle_entry_proto__unpack(NULL, len, value)};
	if (e.name == NULL || e.proto == NULL) {
		free(e.name);
		if (e.proto != NULL)
			tensorflow__bundle_entry_proto__free_unpacked(e.proto, NULL);
		return damaged(err);
	}
	b->entries[b->nentries++] = e;
	return 0;
}

static int add_data_block(struct tensor_bundle *b, const char *key, size_t key_len, const unsigned char *value,
			  size_t len, struct error *err)
{
	struct block block = {0};
	const unsigned char *handle = value;

	(void)key;
	(void)key_len;
	int r = read_block(b, &handle, value + len, &block, err);
	if (r == 0)
		r = each_entry(b, &block, add_entry, err);
	free(block.owned);
	return r;
}

static int parse(struct tensor_bundle *b, struct error *err)
{
	uint64_t skipped_offset, skipped_size;
	struct block block = {0};

	if (b->index_len < FOOTER_SIZE)
		return damaged(err);
	const unsigned char *footer = b->index + b->index_len - FOOTER_SIZE, *end = footer + FOOTER_SIZE - 8;
	uint64_t magic = (uint64_t)read_u32(end) | (uint64_t)read_u32(end + 4) << 32;
	if (magic != MAGIC || !read_varint(&footer, end, &skipped_offset) || !read_varint(&footer, end, &skipped_size))
		return damaged(err);
	int r = read_block(b, &footer, end, &block, err);
	if (r == 0)
		r = each_entry(b, &block, add_data_block, err);
	free(block.owned);
	return r;
}

int tensor_bundle_parse(struct tensor_bundle **ret, const void *index, size_t len, struct error *err)
{
	struct tensor_bundle *b = calloc(1, sizeof(*b));

	if (b == NULL)
		return ERR_NOMEM;
	crc_init(b->crc_table);
	b->index = index;
	b->index_len = len;
	int r = parse(b, err);
	b->index = NULL;
	if (r < 0) {
		tensor_bundle_close(b);
		return r;
	}
	*ret = b;
	return 0;
}

int tensor_bundle_open(struct tensor_bundle **ret, const char *prefix, struct error *err)
{
	char *path = NULL, *index = NULL;
	size_t len;
	int r = ERR_NOMEM;

	if (asprintf(&path, "%s.index", prefix) < 0)
		return ERR_NOMEM;
	if (access(path, F_OK) != 0) {
		r = error_set(err, ERR_NOT_FOUND, "%s is not there", path);
		goto out;
	}
	r = file_read(&index, &len, path, INDEX_MAX, err);
	if (r < 0)
		goto out;
	struct tensor_bundle *b = NULL;
	r = tensor_bundle_parse(&b, index, len, err);
	if (r < 0)
		goto out;
	b->prefix = strdup(prefix);
	if (b->prefix == NULL) {
		tensor_bundle_close(b);
		r = ERR_NOMEM;
		goto out;
	}
	*ret = b;
out:
	free(index);
	free(path);
	return r;
}

void tensor_bundle_close(struct tensor_bundle *b)
{
	if (b == NULL)
		return;
	for (size_t i = 0; i < b->nentries; i++) {
		free(b->entries[i].name);
		tensorflow__bundle_entry_proto__free_unpacked(b->entries[i].proto, NULL);
	}
	free(b->entries);
	free(b->prefix);
	free(b);
}

static const Tensorflow__BundleEntryProto *find_entry(const struct tensor_bundle *b, const char *name)
{
	size_t low = 0, high = b->nentries;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = strcmp(b->entries[middle].name, name);
		if (order == 0)
			return b->entries[middle].proto;
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

static int read_data(const struct tensor_bundle *b, const Tensorflow__BundleEntryProto *e, const char *name,
		     struct tensor *t, struct error *err)
{
	char *path = NULL;
	FILE *file = NULL;
	int r = ERR_NOMEM;

	if (asprintf(&path, "%s.data-%05" PRId32 "-of-%05" PRId32, b->prefix, e->shard_id, b->shards) < 0)
		return ERR_NOMEM;
	file = fopen(path, "rb");
	if (file == NULL) {
		r = error_set(err, ERR_IO, "variable '%s': cannot open %s", name, path);
		goto out;
	}
	if (fseeko(file, (off_t)e->offset, SEEK_SET) != 0 || fread(t->data, 1, t->size, file) != t->size) {
		r = error_set(err, ERR_FORMAT, "variable '%s': %s ends too early", name, path);
		goto out;
	}
	if (masked_crc(b->crc_table, t->data, t->size) != e->crc32c) {
		r = error_set(err, ERR_FORMAT, "variable '%s': its checksum in %s is wrong", name, path);
		goto out;
	}
	r = 0;
out:
	if (file != NULL)
		fclose(file);
	free(path);
	return r;
}

int tensor_bundle_read(struct tensor_bundle *b, const char *name, const struct graph *g, struct tensor **ret,
		       struct error *err)
{
	const Tensorflow__BundleEntryProto *e = find_entry(b, name);
	int64_t dims[TENSOR_MAX_RANK];
	enum dtype type = DTYPE_FLOAT;
	struct tensor *t;
	int rank = 0;

	if (e == NULL || b->prefix == NULL)
		return error_set(err, ERR_NOT_FOUND, "no value for variable '%s' was saved", name);
	if (!tf_dtype(e->dtype, &type) || type == DTYPE_STRING)
		return error_set(err, ERR_UNSUPPORTED, "variable '%s' of type %s is not supported", name,
				 tf_dtype_name(e->dtype));
	if (e->shape != NULL)
		tf_shape(e->shape, &rank, dims);
	if (rank < 0)
		return error_set(err, ERR_FORMAT, "variable '%s' has no shape", name);
	for (int i = 0; i < rank; i++) {
		if (dims[i] < 0)
			return error_set(err, ERR_FORMAT, "variable '%s' has a negative dimension", name);
	}
	int r = graph_check_constant(g, type, dims, (unsigned)rank, err);
	if (r == 0)
		r = tensor_new(&t, type, dims, (unsigned)rank, false, g->allocator);
	if (r != 0)
		return r;
	if (e->offset < 0 || e->size < 0 || (uint64_t)e->size != t->size)
		r = error_set(err, ERR_FORMAT, "variable '%s': %" PRId64 " bytes for a shape of %zu", name, e->size,
			      t->size);
	else
		r = read_data(b, e, name, t, err);
	if (r < 0) {
		tensor_unref(t);
		return r;
	}
	*ret = t;
	return 0;
}
