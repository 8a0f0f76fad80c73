/*
 * test_wire_tensor.c - typed values of Triton's tensors that their type can hold, and those that it cannot.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "common/arith.h"
#include "proto/inference.pb-c.h"
#include "servers/model_server/wire_tensor.h"

/* What comes of two integers in the contents: the tensor, NULL with *ret_result. */
static struct tensor *make(const char *datatype, int64_t first, int64_t second, int *ret_result)
{
	Inference__ModelInferRequest__InferInputTensor input = INFERENCE__MODEL_INFER_REQUEST__INFER_INPUT_TENSOR__INIT;
	Inference__InferTensorContents contents = INFERENCE__INFER_TENSOR_CONTENTS__INIT;
	int32_t ints[] = {(int32_t)first, (int32_t)second};
	uint32_t uints[] = {(uint32_t)first, (uint32_t)second};
	int64_t shape[] = {2};
	unsigned char packed[256];
	struct wire_tensor t;
	struct tensor *made = NULL;
	size_t len;

	input.datatype = (char *)(uintptr_t)datatype;
	input.n_shape = 1;
	input.shape = shape;
	input.contents = &contents;
	if (datatype[0] == 'U') {
		contents.n_uint_contents = 2;
		contents.uint_contents = uints;
	} else {
		contents.n_int_contents = 2;
		contents.int_contents = ints;
	}
	len = protobuf_c_message_pack(&input.base, packed);
	assert_int_equal(wire_tensor_read_triton(&t, (struct wire){packed, len}), 0);
	assert_true(t.typed);
	*ret_result = wire_tensor_make_triton(&made, &t, 64);
	return made;
}

static void integers_that_their_type_cannot_hold_are_refused(void **state)
{
	static const struct {
		const char *datatype;
		int64_t smallest, largest;
		size_t size;
	} types[] = {
		{"INT8", INT8_MIN, INT8_MAX, 1}, {"INT16", INT16_MIN, INT16_MAX, 2}, {"INT32", INT32_MIN, INT32_MAX, 4},
		{"UINT8", 0, UINT8_MAX, 1},      {"UINT16", 0, UINT16_MAX, 2},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(types); i++) {
		const int64_t values[] = {types[i].smallest, types[i].largest};
		struct tensor *t;
		int r;

		t = make(types[i].datatype, values[0], values[1], &r);
		assert_int_equal(r, 0);
		for (size_t k = 0; k < 2; k++)
			assert_memory_equal((char *)t->data + k * types[i].size, &values[k], types[i].size);
		tensor_unref(t);
		if (types[i].size == 4)
			continue;
		assert_null(make(types[i].datatype, values[0], values[1] + 1, &r));
		assert_int_equal(r, ERR_RANGE);
		assert_null(make(types[i].datatype, values[0] - 1, values[1], &r));
		assert_int_equal(r, ERR_RANGE);
	}
}

/* One number by itself, not packed, as some encoders write it. */
static void numbers_one_by_one_are_checked_as_well(void **state)
{
	unsigned char message[] = "\x12\x04INT8\x1a\x01\x01\x2a\x03\x10\xac\x02"; /* shape [1], int_contents 300 */
	struct wire_tensor t;
	struct tensor *made = NULL;

	(void)state;
	assert_int_equal(wire_tensor_read_triton(&t, (struct wire){message, sizeof(message) - 1}), 0);
	assert_int_equal(wire_tensor_make_triton(&made, &t, 64), ERR_RANGE);
	message[sizeof(message) - 2] = 0; /* 44 */
	assert_int_equal(wire_tensor_read_triton(&t, (struct wire){message, sizeof(message) - 1}), 0);
	assert_int_equal(wire_tensor_make_triton(&made, &t, 64), 0);
	assert_int_equal(((int8_t *)made->data)[0], 44);
	tensor_unref(made);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(integers_that_their_type_cannot_hold_are_refused),
		cmocka_unit_test(numbers_one_by_one_are_checked_as_well),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
