/*
 * Operators that move elements and change shapes, against the reference, over random shapes and attributes.
 */
#include "tests/engine/operator_check.h"

#define ROUNDS 60

static const enum dtype types[] = {DTYPE_FLOAT, DTYPE_DOUBLE, DTYPE_INT8,   DTYPE_INT16, DTYPE_INT32,
				   DTYPE_INT64, DTYPE_UINT8,  DTYPE_UINT16, DTYPE_BOOL};

static enum dtype random_type(struct rng *rng)
{
	return types[rng_below(rng, 9)];
}

static void random_tensor(struct ref *x, struct rng *rng, enum dtype t, unsigned min_rank, unsigned max_rank)
{
	int64_t dims[REF_RANK];
	unsigned rank;

	do
		rank = random_shape(rng, dims, max_rank, 6);
	while (rank < min_rank);
	ref_init(x, dims, rank);
	ref_random(x, rng, 0, t == DTYPE_BOOL ? 2 : 100, true);
}

static void reshape_takes_one_free_dimension(void **state)
{
	struct rng rng;

	(void)state;
	rng_init(&rng, 21);
	for (int round = 0; round < ROUNDS; round++) {
		enum dtype t = random_type(&rng);
		struct check c = {.rng = &rng};
		struct ref x, want;
		int64_t to[3];

		random_tensor(&x, &rng, t, 2, 4);
		to[0] = x.dims[0];
		to[1] = (int64_t)(x.count / (size_t)x.dims[0]);
		to[2] = 1;
		ref_init(&want, to, 3);
		memcpy(want.v, x.v, x.count * sizeof(*x.v));
		if (rng_below(&rng, 2))
			to[rng_below(&rng, 3)] = -1;
		check_input(&c, "x", &x, t);
		add_ints(&c.b, "shape", to, 3);
		add_node(&c.b, "y", "Reshape", (const char *const[]){"x", "shape", NULL});
		check_result(&c, &want, t, 0, 0);
		ref_release(&x);
	}
}

static void squeeze_and_expand_dims_change_the_rank(void **state)
{
	struct rng rng;

	(void)state;
	rng_init(&rng, 22);
	for (int round = 0; round < ROUNDS; round++) {
		enum dtype t = random_type(&rng);
		struct check c = {.rng = &rng};
		struct ref x, want;

		random_tensor(&x, &rng, t, 1, 3);
		unsigned at = (unsigned)rng_below(&rng, x.rank + 1);
		int64_t axis = (int64_t)at - (rng_below(&rng, 2) ? (int64_t)x.rank + 1 : 0);
		int64_t dims[REF_RANK];
		unsigned rank = 0;
		check_input(&c, "x", &x, t);
		add_int(&c.b, "axis", axis);
		add_node(&c.b, "wide", "ExpandDims", (const char *const[]){"x", "axis", NULL});
		bool by_name = rng_below(&rng, 2), identity = rng_below(&rng, 2);
		node_begin(&c.b, "narrow", "Squeeze");
		node_input(&c.b, "wide");
		if (by_name)
			attr_ints(&c.b, "squeeze_dims", &axis, 1);
		node_end(&c.b);
		add_node(&c.b, "y", "Identity", (const char *const[]){identity ? "wide" : "narrow", NULL});
		for (unsigned i = 0; i <= x.rank; i++) {
			int64_t d = i < at ? x.dims[i] : i == at ? 1 : x.dims[i - 1];
			if (identity || (by_name ? i != at : d != 1))
				dims[rank++] = d;
		}
		ref_init(&want, dims, rank);
		memcpy(want.v, x.v, x.count * sizeof(*x.v));
		check_result(&c, &want, t, 0, 0);
		ref_release(&x);
	}
}

static void shape_is_known_to_later_operators(void **state)
{
	struct rng rng;

	(void)state;
	rng_init(&rng, 23);
	for (int round = 0; round < 20; round++) {
		struct check c = {.rng = &rng};
		struct ref x, want;
		const int64_t swap[] = {1, 0};
		bool wide = rng_below(&rng, 2);

		/* y = reshape(x, gather(shape(x), [1, 0])) */
		ref_init(&x, (int64_t[]){2 + (int64_t)rng_below(&rng, 5), 3 + (int64_t)rng_below(&rng, 5)}, 2);
		ref_random(&x, &rng, -5, 5, false);
		check_placeholder(&c, "x", &x, DTYPE_FLOAT);
		node_begin(&c.b, "shape", "Shape");
		node_input(&c.b, "x");
		attr_type(&c.b, "out_type", wide ? DT_INT64 : DT_INT32);
		node_end(&c.b);
		add_ints(&c.b, "swap", swap, 2);
		add_node(&c.b, "swapped", "Gather", (const char *const[]){"shape", "swap", NULL});
		add_node(&c.b, "y", "Reshape", (const char *const[]){"x", "swapped", NULL});
		ref_init(&want, (int64_t[]){x.dims[1], x.dims[0]}, 2);
		memcpy(want.v, x.v, x.count * sizeof(*x.v));
		check_result(&c, &want, DTYPE_FLOAT, 0, 0);
		ref_release(&x);
	}
}

static void shape_can_be_an_output(void **state)
{
	struct rng rng;
	struct check c = {.rng = &rng};
	struct ref x, want;

	(void)state;
	rng_init(&rng, 24);
	ref_init(&x, (int64_t[]){4, 1, 3}, 3);
	check_placeholder(&c, "x", &x, DTYPE_FLOAT);
	add_node(&c.b, "y", "Shape", (const char *const[]){"x", NULL});
	ref_init(&want, (int64_t[]){3}, 1);
	for (unsigned i = 0; i < 3; i++)
		want.v[i] = (double)x.dims[i];
	check_result(&c, &want, DTYPE_INT32, 0, 0);
	ref_release(&x);
}

static void transpose_matches_reference(void **state)
{
	struct rng rng;

	(void)state;
	rng_init(&rng, 25);
	for (int round = 0; round < 2 * ROUNDS; round++) {
		enum dtype t = random_type(&rng);
		struct check c = {.rng = &rng};
		struct ref x, want;
		int64_t order[REF_RANK];

		random_tensor(&x, &rng, t, 1, 5);
		for (unsigned i = 0; i < x.rank; i++)
			order[i] = (int64_t)i;
		for (unsigned i = x.rank; i > 1; i--) {
			unsigned k = (unsigned)rng_below(&rng, i);
			int64_t swapped = order[i - 1];
			order[i - 1] = order[k];
			order[k] = swapped;
		}
		check_input(&c, "x", &x, t);
		add_ints(&c.b, "order", order, x.rank);
		add_node(&c.b, "y", "Transpose", (const char *const[]){"x", "order", NULL});
		ref_transpose(&want, &x, order);
		check_result(&c, &want, t, 0, 0);
		ref_release(&x);
	}
}

static void slice_matches_reference(void **state)
{
	struct rng rng;

	(void)state;
	rng_init(&rng, 26);
	for (int round = 0; round < ROUNDS; round++) {
		enum dtype t = random_type(&rng);
		struct check c = {.rng = &rng};
		struct ref x, want;
		int64_t begin[REF_RANK], size[REF_RANK];

		random_tensor(&x, &rng, t, 1, 5);
		for (unsigned i = 0; i < x.rank; i++) {
			begin[i] = (int64_t)rng_below(&rng, (uint64_t)x.dims[i]);
			size[i] = 1 + (int64_t)rng_below(&rng, (uint64_t)(x.dims[i] - begin[i]));
		}
		ref_slice(&want, &x, begin, (int64_t[]){1, 1, 1, 1, 1}, size);
		for (unsigned i = 0; i < x.rank; i++) {
			if (begin[i] + size[i] == x.dims[i] && rng_below(&rng, 2))
				size[i] = -1;
		}
		check_input(&c, "x", &x, t);
		add_ints(&c.b, "begin", begin, x.rank);
		add_ints(&c.b, "size", size, x.rank);
		add_node(&c.b, "y", "Slice", (const char *const[]){"x", "begin", "size", NULL});
		check_result(&c, &want, t, 0, 0);
		ref_release(&x);
	}
}

/* One entry of a strided slice for a dimension of `size`, and what Python makes of it. */
struct entry {
	int64_t begin, end, step;
	bool begin_mask, end_mask, shrink;
	int64_t from, count;
};

static struct entry random_entry(struct rng *rng, int64_t size)
{
	struct entry e = {.step = (int64_t)rng_below(rng, 3) + 1};

	if (rng_below(rng, 5) == 0) {
		e.shrink = true;
		e.from = (int64_t)rng_below(rng, (uint64_t)size);
		e.begin = rng_below(rng, 2) ? e.from : e.from - size;
		e.count = 1;
		e.step = 1;
		return e;
	}
	if (rng_below(rng, 3) == 0)
		e.step = -e.step;
	/* Beyond both ends too: they are clamped. */
	e.begin = (int64_t)rng_below(rng, (uint64_t)(2 * size + 4)) - size - 2;
	e.end = (int64_t)rng_below(rng, (uint64_t)(2 * size + 4)) - size - 2;
	e.begin_mask = rng_below(rng, 4) == 0;
	e.end_mask = rng_below(rng, 4) == 0;
	/* By trial: which indices are on the way from begin towards end? */
	int64_t begin = e.begin < 0 ? e.begin + size : e.begin, end = e.end < 0 ? e.end + size : e.end;
	if (e.step > 0) {
		begin = e.begin_mask ? 0 : begin < 0 ? 0 : begin;
		end = e.end_mask || end > size ? size : end;
		e.from = begin;
		for (int64_t i = begin; i < end; i += e.step)
			e.count++;
	} else {
		begin = e.begin_mask || begin >= size ? size - 1 : begin;
		end = e.end_mask || end < -1 ? -1 : end;
		e.from = begin;
		for (int64_t i = begin; i > end; i += e.step)
			e.count++;
	}
	return e;
}

struct masks {
	int64_t begin, end, ellipsis, new_axis, shrink;
};

static void strided_slice_follows_its_masks(void **state)
{
	struct rng rng;

	(void)state;
	rng_init(&rng, 27);
	for (int round = 0; round < 12 * ROUNDS; round++) {
		enum dtype t = random_type(&rng);
		struct check c = {.rng = &rng};
		struct ref x, want;
		struct masks masks = {0};
		int64_t begin[REF_RANK * 2], end[REF_RANK * 2], step[REF_RANK * 2];
		int64_t from[REF_RANK], stride[REF_RANK], count[REF_RANK], dims[REF_RANK];
		unsigned n = 0, rank = 0, axis = 0;

		random_tensor(&x, &rng, t, 1, 4);
		bool ellipsis_left = rng_below(&rng, 3) == 0;
		while (axis < x.rank || rng_below(&rng, 4) == 0) {
			begin[n] = end[n] = step[n] = 1;
			unsigned bit = 1u << n;
			if (rank < REF_RANK - x.rank && rng_below(&rng, 6) == 0) {
				masks.new_axis |= bit;
				dims[rank++] = 1;
				n++;
				continue;
			}
			if (ellipsis_left) {
				masks.ellipsis |= bit;
				ellipsis_left = false;
				/* It stands for some whole dimensions, all that entries after it do not name. */
				unsigned whole = (unsigned)rng_below(&rng, x.rank - axis + 1);
				for (; whole > 0; whole--, axis++) {
					from[axis] = 0;
					stride[axis] = 1;
					count[axis] = dims[rank++] = x.dims[axis];
				}
				n++;
				continue;
			}
			if (axis == x.rank)
				break;
			if (masks.ellipsis == 0 && !ellipsis_left && rng_below(&rng, 5) == 0)
				break; /* the rest is implied */
			struct entry e = random_entry(&rng, x.dims[axis]);
			begin[n] = e.begin;
			end[n] = e.end;
			step[n] = e.step;
			masks.begin |= e.begin_mask ? bit : 0;
			masks.end |= e.end_mask ? bit : 0;
			masks.shrink |= e.shrink ? bit : 0;
			from[axis] = e.from;
			stride[axis] = e.step;
			count[axis] = e.count;
			if (!e.shrink)
				dims[rank++] = e.count;
			axis++;
			n++;
		}
		for (; axis < x.rank; axis++) {
			from[axis] = 0;
			stride[axis] = 1;
			count[axis] = dims[rank++] = x.dims[axis];
		}
		ref_slice(&want, &x, from, stride, count);
		want.rank = rank;
		memcpy(want.dims, dims, rank * sizeof(*dims));
		check_input(&c, "x", &x, t);
		add_ints(&c.b, "begin", begin, n);
		add_ints(&c.b, "end", end, n);
		add_ints(&c.b, "strides", step, n);
		node_begin(&c.b, "y", "StridedSlice");
		node_input(&c.b, "x");
		node_input(&c.b, "begin");
		node_input(&c.b, "end");
		node_input(&c.b, "strides");
		attr_int(&c.b, "begin_mask", masks.begin);
		attr_int(&c.b, "end_mask", masks.end);
		attr_int(&c.b, "ellipsis_mask", masks.ellipsis);
		attr_int(&c.b, "new_axis_mask", masks.new_axis);
		attr_int(&c.b, "shrink_axis_mask", masks.shrink);
		node_end(&c.b);
		check_result(&c, &want, t, 0, 0);
		ref_release(&x);
	}
}

/* `parts` slices of x along axis. */
static void cut(const struct ref *x, unsigned axis, unsigned parts, struct ref *ret)
{
	int64_t begin[REF_RANK] = {0}, step[REF_RANK], dims[REF_RANK];

	for (unsigned i = 0; i < x->rank; i++) {
		step[i] = 1;
		dims[i] = i == axis ? x->dims[i] / parts : x->dims[i];
	}
	for (unsigned p = 0; p < parts; p++) {
		begin[axis] = p * dims[axis];
		ref_slice(&ret[p], x, begin, step, dims);
	}
}

static void split_and_unpack_give_several_outputs(void **state)
{
	static const char *const outputs[] = {"s", "s:1", "s:2"};
	struct rng rng;

	(void)state;
	rng_init(&rng, 28);
	for (int round = 0; round < ROUNDS; round++) {
		enum dtype t = random_type(&rng);
		struct check c = {.rng = &rng};
		struct ref x, want[3];
		struct tensor *out[3];
		int64_t dims[4];
		unsigned rank = 1 + (unsigned)rng_below(&rng, 4);
		unsigned axis = (unsigned)rng_below(&rng, rank);
		bool unpack = rng_below(&rng, 2);

		for (unsigned i = 0; i < rank; i++)
			dims[i] = 1 + (int64_t)rng_below(&rng, 5);
		dims[axis] = unpack ? 3 : 3 * (1 + (int64_t)rng_below(&rng, 3));
		ref_init(&x, dims, rank);
		ref_random(&x, &rng, 0, t == DTYPE_BOOL ? 2 : 100, true);
		check_input(&c, "x", &x, t);
		add_int(&c.b, "axis", (int64_t)axis - (int64_t)rank);
		node_begin(&c.b, "s", unpack ? "Unpack" : "Split");
		if (!unpack)
			node_input(&c.b, "axis");
		node_input(&c.b, "x");
		attr_int(&c.b, unpack ? "num" : "num_split", 3);
		attr_int(&c.b, "axis", axis);
		node_end(&c.b);
		cut(&x, axis, 3, want);
		check_run(&c, outputs, 3, out);
		for (unsigned p = 0; p < 3; p++) {
			if (unpack) {
				memmove(want[p].dims + axis, want[p].dims + axis + 1,
					(rank - axis - 1) * sizeof(*dims));
				want[p].rank--;
			}
			assert_close(out[p], &want[p], 0, 0);
			tensor_unref(out[p]);
			ref_release(&want[p]);
		}
		ref_release(&x);
	}
}

static void concat_and_pack_join(void **state)
{
	static const char *const names[] = {"a", "b", "c"};
	struct rng rng;

	(void)state;
	rng_init(&rng, 29);
	for (int round = 0; round < 2 * ROUNDS; round++) {
		enum dtype t = random_type(&rng);
		struct check c = {.rng = &rng};
		struct ref x[3], want;
		int64_t dims[4], at[REF_RANK] = {0}, total = 0;
		bool pack = rng_below(&rng, 2);
		unsigned rank = (pack ? 0 : 1) + (unsigned)rng_below(&rng, 4);
		unsigned axis = (unsigned)rng_below(&rng, rank + (pack ? 1 : 0));

		for (unsigned i = 0; i < rank; i++)
			dims[i] = 1 + (int64_t)rng_below(&rng, 4);
		for (unsigned i = 0; i < 3; i++) {
			if (!pack)
				dims[axis] = 1 + (int64_t)rng_below(&rng, 4);
			total += pack ? 1 : dims[axis];
			ref_init(&x[i], dims, rank);
			ref_random(&x[i], &rng, 0, t == DTYPE_BOOL ? 2 : 100, true);
			check_input(&c, names[i], &x[i], t);
		}
		add_int(&c.b, "axis", (int64_t)axis - (round % 2 ? (int64_t)rank : 0));
		node_begin(&c.b, "y", pack ? "Pack" : "ConcatV2");
		for (unsigned i = 0; i < 3; i++)
			node_input(&c.b, names[i]);
		if (!pack)
			node_input(&c.b, "axis");
		attr_int(&c.b, "N", 3);
		attr_int(&c.b, "axis", axis);
		node_end(&c.b);
		if (pack)
			memmove(dims + axis + 1, dims + axis, (rank - axis) * sizeof(*dims));
		dims[axis] = total;
		ref_init(&want, dims, rank + (pack ? 1 : 0));
		for (unsigned i = 0; i < 3; i++) {
			struct ref placed = x[i];
			if (pack) {
				memmove(placed.dims + axis + 1, placed.dims + axis, (rank - axis) * sizeof(*dims));
				placed.dims[axis] = 1;
				placed.rank++;
			}
			ref_place(&want, &placed, at);
			at[axis] += placed.dims[axis];
			ref_release(&x[i]);
		}
		check_result(&c, &want, t, 0, 0);
	}
}

static void pad_surrounds_with_zeros_or_a_value(void **state)
{
	struct rng rng;

	(void)state;
	rng_init(&rng, 30);
	for (int round = 0; round < ROUNDS; round++) {
		enum dtype t = types[rng_below(&rng, 8)];
		struct check c = {.rng = &rng};
		struct ref x, pairs, value, want;
		int64_t dims[4], at[REF_RANK] = {0};
		bool with_value = rng_below(&rng, 2);

		random_tensor(&x, &rng, t, 1, 4);
		ref_init(&pairs, (int64_t[]){x.rank, 2}, 2);
		ref_random(&pairs, &rng, 0, 3, true);
		ref_init(&value, NULL, 0);
		value.v[0] = with_value ? 7 : 0;
		check_input(&c, "x", &x, t);
		check_constant(&c, "pairs", &pairs, rng_below(&rng, 2) ? DTYPE_INT32 : DTYPE_INT64);
		check_input(&c, "value", &value, t);
		node_begin(&c.b, "y", with_value ? "PadV2" : "Pad");
		node_input(&c.b, "x");
		node_input(&c.b, "pairs");
		if (with_value)
			node_input(&c.b, "value");
		node_end(&c.b);
		for (unsigned i = 0; i < x.rank; i++) {
			at[i] = (int64_t)pairs.v[2 * i];
			dims[i] = x.dims[i] + at[i] + (int64_t)pairs.v[2 * i + 1];
		}
		ref_init(&want, dims, x.rank);
		for (size_t i = 0; i < want.count; i++)
			want.v[i] = value.v[0];
		ref_place(&want, &x, at);
		check_result(&c, &want, t, 0, 0);
		ref_release(&x);
		ref_release(&pairs);
		ref_release(&value);
	}
}

static void gather_takes_rows_along_any_axis(void **state)
{
	struct rng rng;

	(void)state;
	rng_init(&rng, 31);
	for (int round = 0; round < ROUNDS; round++) {
		enum dtype t = random_type(&rng), index_type = rng_below(&rng, 2) ? DTYPE_INT32 : DTYPE_INT64;
		struct check c = {.rng = &rng};
		struct ref x, indices, want;
		int64_t dims[2];
		bool first = rng_below(&rng, 3) == 0;

		random_tensor(&x, &rng, t, 1, 4);
		unsigned axis = first ? 0 : (unsigned)rng_below(&rng, x.rank);
		ref_init(&indices, dims, random_shape(&rng, dims, 2, 5));
		ref_random(&indices, &rng, 0, (double)x.dims[axis], true);
		check_input(&c, "x", &x, t);
		check_input(&c, "indices", &indices, index_type);
		add_int(&c.b, "axis", axis);
		node_begin(&c.b, "y", first ? "Gather" : "GatherV2");
		node_input(&c.b, "x");
		node_input(&c.b, "indices");
		if (!first)
			node_input(&c.b, "axis");
		node_end(&c.b);
		ref_gather(&want, &x, &indices, axis);
		check_result(&c, &want, t, 0, 0);
		ref_release(&x);
		ref_release(&indices);
	}
}

static void random_uniform_fills_a_computed_shape(void **state)
{
	static const char *const y[] = {"y"};
	struct rng rng;
	struct check c = {.rng = &rng};
	struct tensor *out;
	struct ref x;
	double sum = 0;

	(void)state;
	rng_init(&rng, 32);
	ref_init(&x, (int64_t[]){50, 40}, 2);
	check_placeholder(&c, "x", &x, DTYPE_FLOAT);
	add_node(&c.b, "shape", "Shape", (const char *const[]){"x", NULL});
	node_begin(&c.b, "y", "RandomUniform");
	node_input(&c.b, "shape");
	attr_type(&c.b, "dtype", DT_FLOAT);
	node_end(&c.b);
	check_run(&c, y, 1, &out);
	assert_int_equal(out->rank, 2);
	assert_int_equal(out->count, 2000);
	for (size_t i = 0; i < out->count; i++) {
		float v = ((const float *)out->data)[i];
		assert_true(v >= 0.0f && v < 1.0f);
		sum += (double)v;
	}
	assert_true(sum > 900 && sum < 1100);
	tensor_unref(out);
	ref_release(&x);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reshape_takes_one_free_dimension),
		cmocka_unit_test(squeeze_and_expand_dims_change_the_rank),
		cmocka_unit_test(shape_is_known_to_later_operators),
		cmocka_unit_test(shape_can_be_an_output),
		cmocka_unit_test(transpose_matches_reference),
		cmocka_unit_test(slice_matches_reference),
		cmocka_unit_test(strided_slice_follows_its_masks),
		cmocka_unit_test(split_and_unpack_give_several_outputs),
		cmocka_unit_test(concat_and_pack_join),
		cmocka_unit_test(pad_surrounds_with_zeros_or_a_value),
		cmocka_unit_test(gather_takes_rows_along_any_axis),
		cmocka_unit_test(random_uniform_fills_a_computed_shape),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
