/*
 * SavedModel folders written here: signatures, variables, damaged indexes; and Snappy.
 */
#include "tests/engine/operator_check.h"

#include <stdlib.h>
#include <sys/stat.h>

#include "common/file.h"
#include "engine/snappy.h"
#include "engine/tensor_bundle.h"
#include "tests/support/process.h"

static uint32_t masked_crc(const void *data, size_t len)
{
	uint32_t crc = UINT32_MAX;

	for (size_t i = 0; i < len; i++) {
		crc ^= ((const unsigned char *)data)[i];
		for (int bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ ((crc & 1) != 0 ? 0x82f63b78u : 0);
	}
	crc = ~crc;
	return (crc >> 15 | crc << 17) + 0xa282ead8u;
}

static void put_u32(struct buf *b, uint32_t v)
{
	const unsigned char bytes[] = {(unsigned char)v, (unsigned char)(v >> 8), (unsigned char)(v >> 16),
				       (unsigned char)(v >> 24)};
	buf_append(b, bytes, 4);
}

static void block_entry(struct buf *block, const char *key, const struct buf *value)
{
	wire_varint(block, 0);
	wire_varint(block, strlen(key));
	wire_varint(block, value->len);
	buf_append(block, key, strlen(key));
	if (value->len > 0)
		buf_append(block, value->data, value->len);
}

/* Appends the block to the file and its handle to `handle`. */
static void put_block(struct buf *file, struct buf *block, char compression, struct buf *handle)
{
	size_t start = file->len;

	wire_varint(handle, start);
	wire_varint(handle, block->len);
	buf_append(file, block->data, block->len);
	buf_append(file, &compression, 1);
	put_u32(file, masked_crc(file->data + start, file->len - start));
	buf_release(block);
}

static void end_block(struct buf *block)
{
	put_u32(block, 0);
	put_u32(block, 1);
}

/* Literals only: a valid stream all the same. */
static void compress(struct buf *block)
{
	struct buf out = {0};

	wire_varint(&out, block->len);
	for (size_t at = 0; at < block->len;) {
		size_t n = block->len - at < 60 ? block->len - at : 60;
		unsigned char tag = (unsigned char)((n - 1) << 2);
		buf_append(&out, &tag, 1);
		buf_append(&out, block->data + at, n);
		at += n;
	}
	buf_release(block);
	*block = out;
}

struct variable {
	const char *name;
	int dt;
	int64_t offset, size;
	uint32_t crc;
};

/* The index of these scalars, sorted by name. */
static void write_index(struct buf *file, const struct variable *v, size_t n, bool compressed)
{
	struct buf data = {0}, index = {0}, header = {0}, handle = {0}, meta = {0}, footer = {0};

	wire_int(&header, 1, 1);
	block_entry(&data, "", &header);
	for (size_t i = 0; i < n; i++) {
		struct buf entry = {0};
		wire_int(&entry, 1, (uint64_t)v[i].dt);
		wire_bytes(&entry, 2, "", 0);
		wire_int(&entry, 4, (uint64_t)v[i].offset);
		wire_int(&entry, 5, (uint64_t)v[i].size);
		wire_varint(&entry, 6 << 3 | 5);
		put_u32(&entry, v[i].crc);
		block_entry(&data, v[i].name, &entry);
		buf_release(&entry);
	}
	end_block(&data);
	if (compressed)
		compress(&data);
	put_block(file, &data, compressed ? 1 : 0, &handle);
	block_entry(&index, "zz", &handle);
	end_block(&index);
	end_block(&meta);
	put_block(file, &meta, 0, &footer);
	put_block(file, &index, 0, &footer);
	while (footer.len < 40)
		buf_append(&footer, "", 1);
	buf_append(file, footer.data, 40);
	buf_append(file, "\x57\xfb\x80\x8b\x24\x75\x47\xdb", 8);
	buf_release(&header);
	buf_release(&handle);
	buf_release(&footer);
}

static void write_file(const char *folder, const char *name, const void *data, size_t len)
{
	char path[4200];
	struct error err;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	if (file_write(path, data, len, &err) < 0)
		fail_msg("%s", err.text);
}

static void map_entry(struct buf *to, unsigned field, const char *key, const char *tensor)
{
	struct buf info = {0}, entry = {0};

	wire_bytes(&info, 1, tensor, strlen(tensor));
	wire_int(&info, 2, DT_FLOAT);
	wire_bytes(&entry, 1, key, strlen(key));
	wire_bytes(&entry, 2, info.data, info.len);
	wire_bytes(to, field, entry.data, entry.len);
	buf_release(&info);
	buf_release(&entry);
}

static void write_model(const char *folder, const struct builder *b)
{
	struct buf model = {0}, meta = {0}, tags = {0}, signature = {0}, entry = {0};

	wire_bytes(&tags, 4, "serve", 5);
	wire_bytes(&meta, 1, tags.data, tags.len);
	wire_bytes(&meta, 2, b->graph.data, b->graph.len);
	map_entry(&signature, 1, "in", "x:0");
	map_entry(&signature, 2, "sum", "sum:0");
	map_entry(&signature, 2, "product", "product:0");
	wire_bytes(&entry, 1, "serving_default", 15);
	wire_bytes(&entry, 2, signature.data, signature.len);
	wire_bytes(&meta, 5, entry.data, entry.len);
	wire_int(&model, 1, 1);
	wire_bytes(&model, 2, meta.data, meta.len);
	write_file(folder, "saved_model.pb", model.data, model.len);
	buf_release(&model);
	buf_release(&meta);
	buf_release(&tags);
	buf_release(&signature);
	buf_release(&entry);
}

static void add_variable(struct builder *b, const char *name, const char *op, const char *shared)
{
	node_begin(b, name, op);
	attr_type(b, "dtype", DT_FLOAT);
	if (shared != NULL)
		attr_string(b, "shared_name", shared);
	node_end(b);
}

/* sum = x + a, product = x * b with b behind a resource handle; x is an Identity of something that cannot be run. */
static void write_graph(const char *folder)
{
	struct builder b = {0};

	add_node(&b, "source", "ParseExample", (const char *const[]){NULL});
	node_begin(&b, "x", "Identity");
	node_input(&b, "source");
	attr_type(&b, "T", DT_FLOAT);
	node_end(&b);
	add_variable(&b, "a", "VariableV2", NULL);
	add_node(&b, "a/read", "Identity", (const char *const[]){"a", NULL});
	add_variable(&b, "handle", "VarHandleOp", "layer/b");
	add_node(&b, "b/read", "ReadVariableOp", (const char *const[]){"handle", NULL});
	add_node(&b, "sum", "AddV2", (const char *const[]){"x", "a/read", NULL});
	add_node(&b, "product", "Mul", (const char *const[]){"x", "b/read", NULL});
	write_model(folder, &b);
	builder_release(&b);
}

static const float values[] = {10, 3};

/* The whole folder; `index` may be damaged by the caller before it is written. */
static void write_folder(const char *folder, const struct buf *index)
{
	char variables[4200];

	write_graph(folder);
	snprintf(variables, sizeof(variables), "%s/variables", folder);
	mkdir(variables, 0700);
	write_file(variables, "variables.index", index->data, index->len);
	write_file(variables, "variables.data-00000-of-00001", values, sizeof(values));
}

static void good_index(struct buf *index, bool compressed)
{
	const struct variable v[] = {{"a", DT_FLOAT, 0, 4, masked_crc(&values[0], 4)},
				     {"layer/b", DT_FLOAT, 4, 4, masked_crc(&values[1], 4)}};

	write_index(index, v, 2, compressed);
}

static void a_folder_with_variables_runs(void **state)
{
	(void)state;
	for (int compressed = 0; compressed < 2; compressed++) {
		char folder[4096];
		struct buf index = {0};
		struct model *m;
		struct model_context *c;
		struct tensor x, *in[] = {&x}, *out[2];
		struct error err;
		float five = 5;

		temp_folder_new(folder, sizeof(folder));
		good_index(&index, compressed);
		write_folder(folder, &index);
		if (model_load_saved(&m, folder, NULL, "tested", &err) < 0)
			fail_msg("%s", err.text);
		/* By name, whatever the order in the file. */
		assert_string_equal(model_output(m, 0)->name, "product");
		assert_string_equal(model_output(m, 1)->name, "sum");
		assert_int_equal(model_context_new(&c, m, 0), 0);
		assert_int_equal(tensor_view(&x, DTYPE_FLOAT, NULL, 0, &five, 4), 0);
		assert_int_equal(model_run(c, in, 1, out, 2, NULL, &err), 0);
		assert_true(*(float *)out[0]->data == 15.0f);
		assert_true(*(float *)out[1]->data == 15.0f);
		tensor_unref(out[0]);
		tensor_unref(out[1]);
		model_context_free(c);
		model_free(m);
		buf_release(&index);
		temp_folder_remove(folder);
	}
}

static void assert_refused(const char *folder, const char *signature, int r, const char *words)
{
	struct model *m = NULL;
	struct error err;

	assert_int_equal(model_load_saved(&m, folder, signature, "tested", &err), r);
	assert_null(m);
	if (strstr(err.text, words) == NULL)
		fail_msg("'%s' does not say '%s'", err.text, words);
}

static void what_is_missing_or_damaged_is_named(void **state)
{
	char folder[4096], variables[4200];
	struct buf index = {0};

	(void)state;
	temp_folder_new(folder, sizeof(folder));
	snprintf(variables, sizeof(variables), "%s/variables", folder);
	assert_refused(folder, NULL, ERR_NOT_FOUND, "saved_model.pb");
	write_file(folder, "saved_model.pb", "\xff\xff\xff", 3);
	assert_refused(folder, NULL, ERR_FORMAT, "no TensorFlow SavedModel");
	write_file(folder, "saved_model.pb", "", 0);
	assert_refused(folder, NULL, ERR_FORMAT, "no graph");
	write_graph(folder);
	assert_refused(folder, "other", ERR_NOT_FOUND, "'other'");
	assert_refused(folder, NULL, ERR_NOT_FOUND, "variables.index is not there");
	good_index(&index, false);
	write_folder(folder, &index);
	write_file(variables, "variables.data-00000-of-00001", values, 3);
	assert_refused(folder, NULL, ERR_FORMAT, "ends too early");
	write_file(variables, "variables.data-00000-of-00001", "12345678", 8);
	assert_refused(folder, NULL, ERR_FORMAT, "checksum");
	buf_clear(&index);
	write_index(&index, &(const struct variable){"a", DT_FLOAT, 0, 4, masked_crc(&values[0], 4)}, 1, false);
	write_folder(folder, &index);
	assert_refused(folder, NULL, ERR_NOT_FOUND, "no value for variable 'layer/b'");
	buf_clear(&index);
	write_index(&index, &(const struct variable){"layer/b", DT_FLOAT, 0, 400, 0}, 1, false);
	write_folder(folder, &index);
	assert_refused(folder, NULL, ERR_FORMAT, "400 bytes for a shape of 4");
	buf_release(&index);
	temp_folder_remove(folder);
}

static void an_index_cut_or_changed_anywhere_is_refused(void **state)
{
	struct buf index = {0};
	struct tensor_bundle *b;
	struct error err;

	(void)state;
	good_index(&index, true);
	assert_int_equal(tensor_bundle_parse(&b, index.data, index.len, &err), 0);
	tensor_bundle_close(b);
	for (size_t len = 0; len < index.len; len++) {
		char *exact = malloc(len + 1);
		memcpy(exact, index.data, len);
		assert_true(tensor_bundle_parse(&b, exact, len, &err) < 0);
		free(exact);
	}
	for (size_t i = 0; i < index.len; i++) {
		index.data[i] = (char)(index.data[i] ^ 0x55);
		/* Padding and the unused block may change, what counts may not. */
		if (tensor_bundle_parse(&b, index.data, index.len, &err) == 0)
			tensor_bundle_close(b);
		else
			assert_true(strlen(err.text) > 0);
		index.data[i] = (char)(index.data[i] ^ 0x55);
	}
	buf_release(&index);
}

static void assert_decompresses(const char *in, size_t len, const char *want, size_t want_len)
{
	unsigned char *out;
	size_t out_len;

	assert_int_equal(snappy_decompress((const unsigned char *)in, len, 1000, &out, &out_len), 0);
	assert_int_equal(out_len, want_len);
	assert_memory_equal(out, want, want_len);
	free(out);
}

static void snappy_streams_are_decompressed(void **state)
{
	char want[70], in[80] = "\x46\xf0\x45"; /* 70 bytes, literal whose length is in one byte */

	(void)state;
	assert_decompresses("\0", 1, "", 0);
	assert_decompresses("\5\x10hello", 7, "hello", 5);
	/* "ab", then 6 bytes from 2 back (tag 1), 4 from 8 back (tag 2), 3 from 1 back (tag 3) */
	assert_decompresses("\x0f\4ab\x09\2\x0e\x08\0\x0b\1\0\0\0", 14, "ababababababbbb", 15);
	for (int i = 0; i < 70; i++)
		in[3 + i] = want[i] = (char)i;
	assert_decompresses(in, 73, want, 70);
}

static void damaged_snappy_streams_are_refused(void **state)
{
	static const struct {
		const char *in;
		size_t len;
	} bad[] = {
		{"", 0},                       /* no length */
		{"\xff\xff\xff\xff\xff\1", 6}, /* length over 32 bits */
		{"\5\x10hell", 6},             /* literal cut */
		{"\4\x10hello", 7},            /* more than announced */
		{"\6\x10hello", 7},            /* less than announced */
		{"\5\0a\1\2", 5},              /* copy from before the start */
		{"\5\0a\1\0", 5},              /* copy from 0 back */
		{"\5\0a\2\1", 5},              /* offset cut */
		{"\5\xf4\1", 3},               /* literal's length cut */
	};
	unsigned char *out;
	size_t len;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		assert_int_equal(snappy_decompress((const unsigned char *)bad[i].in, bad[i].len, 1000, &out, &len),
				 ERR_FORMAT);
	assert_int_equal(snappy_decompress((const unsigned char *)"\xff\x7f", 2, 1000, &out, &len), ERR_RANGE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_folder_with_variables_runs),
		cmocka_unit_test(what_is_missing_or_damaged_is_named),
		cmocka_unit_test(an_index_cut_or_changed_anywhere_is_refused),
		cmocka_unit_test(snappy_streams_are_decompressed),
		cmocka_unit_test(damaged_snappy_streams_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
