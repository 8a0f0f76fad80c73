/* tensor.c: shapes, types, ownership of memory. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/tensor.h"

static unsigned live;

static void *counting_alloc(size_t n)
{
	live++;
	return malloc(n);
}

static void *counting_calloc(size_t n, size_t size)
{
	live++;
	return calloc(n, size);
}

static void counting_free(void *p)
{
	live -= p != NULL;
	free(p);
}

static void *failing_alloc(size_t n)
{
	(void)n;
	return NULL;
}

static void *failing_calloc(size_t n, size_t size)
{
	(void)n;
	(void)size;
	return NULL;
}

static const struct allocator counting = {counting_alloc, counting_calloc, counting_free, NULL};
static const struct allocator failing = {failing_alloc, failing_calloc, free, NULL};

static void every_type_name_is_found_in_any_case(void **state)
{
	enum dtype t;

	(void)state;
	for (unsigned i = 0; i < DTYPE_COUNT; i++) {
		assert_true(dtype_parse(&t, dtype_name((enum dtype)i), strlen(dtype_name((enum dtype)i))));
		assert_int_equal(t, i);
	}
	assert_true(dtype_parse(&t, "uInT16", 6));
	assert_int_equal(t, DTYPE_UINT16);
	assert_false(dtype_parse(&t, "INT", 3));
	assert_false(dtype_parse(&t, "INT642", 6));
	assert_false(dtype_parse(&t, "", 0));
}

static void element_counts_that_overflow_are_refused(void **state)
{
	const int64_t huge[3] = {INT64_C(1) << 31, INT64_C(1) << 31, 4}, negative[2] = {2, -1}, fine[2] = {2, 3};
	struct tensor *t = NULL;
	size_t n = 0;

	(void)state;
	assert_false(shape_count(&n, huge, 3));
	assert_false(shape_count(&n, negative, 2));
	assert_false(shape_count(&n, fine, TENSOR_MAX_RANK + 1));
	assert_true(shape_count(&n, fine, 2));
	assert_int_equal(n, 6);
	assert_true(shape_count(&n, NULL, 0));
	assert_int_equal(n, 1);
	/* The count fits, the bytes do not. */
	assert_int_equal(tensor_new(&t, DTYPE_DOUBLE, (const int64_t[]){INT64_MAX}, 1, false, NULL), ERR_RANGE);
	assert_int_equal(tensor_new(&t, DTYPE_INT8, (const int64_t[]){INT64_MAX}, 1, false, NULL), ERR_RANGE);
	assert_null(t);
}

static void new_tensor_is_aligned_and_zeroed_on_demand(void **state)
{
	const int64_t dims[2] = {3, 5};
	struct tensor *t;

	(void)state;
	assert_int_equal(tensor_new(&t, DTYPE_FLOAT, dims, 2, true, &counting), 0);
	assert_int_equal((uintptr_t)t->data % 64, 0);
	assert_int_equal(t->count, 15);
	assert_int_equal(t->size, 60);
	for (size_t i = 0; i < t->size; i++)
		assert_int_equal(((unsigned char *)t->data)[i], 0);
	assert_true(tensor_memory(t) >= sizeof(*t) + 60);
	assert_ptr_equal(tensor_ref(t), t);
	tensor_unref(t);
	assert_int_equal(live, 1);
	tensor_unref(t);
	assert_int_equal(live, 0);
	tensor_unref(NULL);
}

static void out_of_memory_is_an_error(void **state)
{
	const int64_t dims[1] = {4};
	struct tensor *t = NULL;
	float data[4] = {0};

	(void)state;
	assert_int_equal(tensor_new(&t, DTYPE_FLOAT, dims, 1, false, &failing), ERR_NOMEM);
	assert_int_equal(tensor_new(&t, DTYPE_FLOAT, dims, 1, true, &failing), ERR_NOMEM);
	assert_int_equal(tensor_new_borrowed(&t, DTYPE_FLOAT, dims, 1, data, sizeof(data), NULL, NULL, &failing),
			 ERR_NOMEM);
	assert_null(t);
}

static void release_once(void *arg)
{
	++*(unsigned *)arg;
}

static void borrowed_data_is_released_with_the_last_reference(void **state)
{
	const int64_t dims[1] = {4};
	float data[4] = {1, 2, 3, 4};
	unsigned released = 0;
	struct tensor *t;

	(void)state;
	assert_int_equal(tensor_new_borrowed(&t, DTYPE_FLOAT, dims, 1, data, 15, release_once, &released, &counting),
			 ERR_INVALID);
	assert_int_equal(
		tensor_new_borrowed(&t, DTYPE_FLOAT, dims, 1, data, sizeof(data), release_once, &released, &counting),
		0);
	assert_ptr_equal(t->data, data);
	tensor_ref(t);
	tensor_unref(t);
	assert_int_equal(released, 0);
	tensor_unref(t);
	assert_int_equal(released, 1);
	assert_int_equal(live, 0);
}

static void view_in_the_callers_struct_frees_nothing(void **state)
{
	const int64_t dims[2] = {1, 2};
	float data[2] = {1, 2};
	struct tensor t;

	(void)state;
	assert_int_equal(tensor_view(&t, DTYPE_FLOAT, dims, 2, data, 7), ERR_INVALID);
	assert_int_equal(tensor_view(&t, DTYPE_FLOAT, dims, 2, data, 8), 0);
	assert_int_equal(t.dims[1], 2);
	tensor_ref(&t);
	tensor_unref(&t);
	tensor_unref(&t);
}

static void strings_are_counted_and_found(void **state)
{
	const int64_t dims[2] = {1, 3};
	struct tensor *t = NULL;

	(void)state;
	assert_int_equal(tensor_new_strings(&t, dims, 2, "a\0bc", 4, &counting), ERR_FORMAT);     /* no last NUL */
	assert_int_equal(tensor_new_strings(&t, dims, 2, "a\0bc", 5, &counting), ERR_FORMAT);     /* two */
	assert_int_equal(tensor_new_strings(&t, dims, 2, "a\0b\0c\0", 7, &counting), ERR_FORMAT); /* four */
	assert_int_equal(tensor_new_strings(&t, dims, 2, "", 0, &counting), ERR_FORMAT);
	assert_null(t);
	assert_int_equal(tensor_new_strings(&t, dims, 2, "a\0\0bcd", 7, &counting), 0);
	assert_string_equal((char *)t->data + t->offsets[0], "a");
	assert_string_equal((char *)t->data + t->offsets[1], "");
	assert_string_equal((char *)t->data + t->offsets[2], "bcd");
	assert_int_equal((uintptr_t)t->offsets % sizeof(uint64_t), 0);
	tensor_unref(t);

	assert_int_equal(tensor_new(&t, DTYPE_STRING, dims, 2, false, &counting), ERR_INVALID);
	assert_int_equal(tensor_new(&t, DTYPE_STRING, dims, 2, true, &counting), 0);
	assert_string_equal((char *)t->data + t->offsets[2], "");
	tensor_unref(t);
	assert_int_equal(live, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_type_name_is_found_in_any_case),
		cmocka_unit_test(element_counts_that_overflow_are_refused),
		cmocka_unit_test(new_tensor_is_aligned_and_zeroed_on_demand),
		cmocka_unit_test(out_of_memory_is_an_error),
		cmocka_unit_test(borrowed_data_is_released_with_the_last_reference),
		cmocka_unit_test(view_in_the_callers_struct_frees_nothing),
		cmocka_unit_test(strings_are_counted_and_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
