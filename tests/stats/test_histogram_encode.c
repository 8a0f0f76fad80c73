/*
 * The V2 encoding: vectors made by HdrHistogram itself (Java 2.2.2, and hdrhistogram for Python), round trips, and
 * input that is cut off, damaged or malicious.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include <cmocka.h>

#include "common/rng.h"
#include "stats/histogram.h"

#define JAVA_EMPTY "HISTFAAAAB94nJNpmSzMwMDAyAABzFAazL82eQmD/QeoCABVgwSI"
#define JAVA_SPARSE "HISTFAAAADF4nJNpmSzMwMAgyAABzFCaEURcm7yEwf4DVITpND/TagEmpv19jHyL9zAyAQDF2Ajz"
#define PYTHON_SPARSE "HISTFAAAADF4nJNpmSzMwMAgyAABzFCaEURcm7yEwf4DVIDpND/TagEmpv19jHyL9zAyAQDF6Qj0"
#define PYTHON_EMPTY "HISTFAAAABx4nJNpmSzMgADMUJoRRFybvITB/gNEAABQ2gSH"
#define JAVA_HUGE "HISTFAAAADR4nJNpmSzMwMAgygABTBCK+QUQuxnsWMBg/wEi0gACBxgviwOpm5c3v23KPynLBABHuxAZ"
#define JAVA_WIDEST "HISTFAAAACh4nJNpmSzMwMDAxQABrFCasf4/BNh/gAgwXVx1lZVp+VUpJgATNQ3v"

static void decode(struct histogram *h, const char *text)
{
	struct error err = {""};

	if (histogram_decode(h, text, strlen(text), &err) != 0)
		fail_msg("%s", err.text);
}

static void assert_same_counts(const struct histogram *a, const struct histogram *b)
{
	assert_int_equal(a->lowest, b->lowest);
	assert_int_equal(a->highest, b->highest);
	assert_int_equal(a->digits, b->digits);
	assert_int_equal(a->ncounts, b->ncounts);
	assert_int_equal(a->total, b->total);
	assert_memory_equal(a->counts, b->counts, a->ncounts * sizeof(*a->counts));
}

static void assert_round_trip(const struct histogram *h)
{
	struct histogram again;
	struct buf text = {0};

	assert_int_equal(histogram_encode(h, &text), 0);
	assert_int_equal(text.len, strlen(text.data));
	assert_memory_equal(text.data, "HISTFAAA", 8);
	decode(&again, text.data);
	assert_same_counts(h, &again);
	assert_int_equal(again.saturated, 0);
	histogram_release(&again);
	buf_release(&text);
}

static void empty_histograms_of_other_tools_are_read(void **state)
{
	static const char *const texts[] = {JAVA_EMPTY, PYTHON_EMPTY};

	(void)state;
	for (int i = 0; i < 2; i++) {
		struct histogram h;

		decode(&h, texts[i]);
		assert_int_equal(h.lowest, 1);
		assert_int_equal(h.highest, 3600000000);
		assert_int_equal(h.digits, 3);
		assert_int_equal(h.total, 0);
		assert_int_equal(h.min, INT64_MAX);
		assert_int_equal(h.max, 0);
		histogram_release(&h);
	}
}

static void sparse_histograms_of_other_tools_are_read(void **state)
{
	static const char *const texts[] = {JAVA_SPARSE, PYTHON_SPARSE};

	(void)state;
	for (int i = 0; i < 2; i++) {
		struct histogram h, expected;

		assert_int_equal(histogram_init(&expected, 1, 3600000000, 3), 0);
		histogram_record(&expected, 1);
		histogram_record(&expected, 1000);
		histogram_record(&expected, 2047);
		histogram_record(&expected, 2048);
		histogram_record_n(&expected, 1000000, 7);
		histogram_record(&expected, 3600000000);
		decode(&h, texts[i]);
		assert_same_counts(&h, &expected);
		assert_int_equal(h.min, 1);
		assert_int_equal(h.max, 3600000000);
		assert_int_equal(histogram_percentile(&h, 50), 1000447);
		histogram_release(&h);
		histogram_release(&expected);
	}
}

static void counts_of_nine_bytes_are_read(void **state)
{
	struct histogram h;

	(void)state;
	decode(&h, JAVA_HUGE);
	assert_int_equal(h.lowest, 1000);
	assert_int_equal(h.digits, 2);
	assert_int_equal(h.total, 4000003298534883329);
	assert_int_equal(h.counts[0], INT64_C(3) << 40);
	assert_int_equal(h.counts[histogram_index(&h, 123456789)], 4000000000000000000);
	assert_int_equal(histogram_percentile(&h, 99.9), 123731967);
	assert_true(histogram_mean(&h) > 1.2346972e8 && histogram_mean(&h) < 1.2346973e8);
	histogram_release(&h);
}

static void widest_layout_is_read(void **state)
{
	struct histogram h;

	(void)state;
	decode(&h, JAVA_WIDEST);
	assert_int_equal(h.highest, INT64_MAX);
	assert_int_equal(h.digits, 5);
	assert_int_equal(h.total, 3);
	assert_int_equal(h.counts[0], 1);
	assert_int_equal(h.counts[h.ncounts - 1], 1);
	assert_int_equal(histogram_percentile(&h, 50), 3074463209680273407);
	assert_int_equal(h.max, INT64_MAX);
	histogram_release(&h);
}

static void everything_comes_back_as_it_was(void **state)
{
	struct histogram h;
	struct rng rng;

	(void)state;
	assert_int_equal(histogram_init_latency(&h), 0);
	assert_round_trip(&h);
	histogram_record(&h, 0);
	assert_round_trip(&h);
	histogram_record_n(&h, HISTOGRAM_LATENCY_HIGHEST, 3);
	assert_round_trip(&h);
	histogram_record_n(&h, 25000, INT64_MAX / 2);
	assert_round_trip(&h);
	histogram_record_n(&h, INT64_MAX, 5);
	assert_int_equal(h.saturated, 5);
	assert_round_trip(&h);
	rng_init(&rng, 3);
	for (int i = 0; i < 20000; i++)
		histogram_record_n(&h, (int64_t)rng_below(&rng, 1u << rng_below(&rng, 31)),
				   rng_below(&rng, UINT64_C(1) << rng_below(&rng, 40)));
	assert_round_trip(&h);
	histogram_release(&h);
}

static void counts_of_every_length_come_back(void **state)
{
	struct histogram h;

	(void)state;
	assert_int_equal(histogram_init(&h, 1, 100000, 3), 0);
	for (int bits = 0; bits < 62; bits++) {
		histogram_record_n(&h, 3 * bits, UINT64_C(1) << bits);
		histogram_record_n(&h, 3 * bits + 1, (UINT64_C(1) << bits) - 1);
		assert_round_trip(&h);
	}
	histogram_release(&h);
}

static void lone_zero_may_be_written_either_way(void **state)
{
	struct histogram java, python, h;
	struct buf text = {0};

	(void)state;
	/* JAVA_EMPTY holds a lone zero as 0; what we write for one is a run of one. */
	decode(&java, JAVA_EMPTY);
	decode(&python, PYTHON_EMPTY);
	assert_int_equal(histogram_init(&h, 1, 3600000000, 3), 0);
	assert_int_equal(histogram_encode(&h, &text), 0);
	histogram_release(&h);
	decode(&h, text.data);
	assert_same_counts(&h, &java);
	assert_same_counts(&h, &python);
	buf_release(&text);
	histogram_release(&h);
	histogram_release(&java);
	histogram_release(&python);
}

static void text_cut_off_anywhere_is_refused(void **state)
{
	size_t len = strlen(JAVA_SPARSE);

	(void)state;
	for (size_t n = 0; n < len; n++) {
		struct histogram h = {.digits = 99};
		struct error err = {""};
		char *text = malloc(n + 1);

		assert_non_null(text);
		memcpy(text, JAVA_SPARSE, n);
		assert_true(histogram_decode(&h, text, n, &err) < 0);
		assert_true(err.text[0] != '\0');
		assert_int_equal(h.digits, 99);
		free(text);
	}
}

static void text_with_any_character_changed_is_refused_or_read(void **state)
{
	char text[] = JAVA_SPARSE;

	(void)state;
	for (size_t i = 0; i + 1 < sizeof(text); i++) {
		char saved = text[i];

		for (const char *c = "A/=\n_9"; *c; c++) {
			struct histogram h;

			text[i] = *c;
			if (histogram_decode(&h, text, sizeof(text) - 1, NULL) == 0)
				histogram_release(&h);
		}
		text[i] = saved;
	}
}

/* A payload made by hand: header of the small layout (1, 1000, 1 digit), then these bytes as counts. */
struct crafted {
	uint32_t outer_cookie, inner_cookie, payload, offset, digits;
	uint64_t lowest, highest;
	const uint8_t *counts;
	size_t ncounts;
	const char *trailer; /* appended to the zlib stream */
};

#define CRAFTED \
	.outer_cookie = 0x1c849314, .inner_cookie = 0x1c849313, .payload = UINT32_MAX, .digits = 1, .lowest = 1, \
	.highest = 1000

static void put(uint8_t *p, uint64_t v, int bytes)
{
	for (int i = 0; i < bytes; i++)
		p[i] = (uint8_t)(v >> (8 * (bytes - 1 - i)));
}

static void base64(char *dst, const uint8_t *p, size_t len)
{
	static const char digits[65] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	uint8_t padded[600] = {0};

	assert_true(len <= sizeof(padded) - 3);
	memcpy(padded, p, len);
	for (size_t i = 0; i < len; i += 3) {
		*dst++ = digits[padded[i] >> 2];
		*dst++ = digits[(padded[i] & 3) << 4 | padded[i + 1] >> 4];
		*dst++ = i + 1 < len ? digits[(padded[i + 1] & 15) << 2 | padded[i + 2] >> 6] : '=';
		*dst++ = i + 2 < len ? digits[padded[i + 2] & 63] : '=';
	}
	*dst = '\0';
}

static int decode_crafted(const struct crafted *c, struct histogram *h, struct error *err)
{
	uint8_t raw[40 + 200] = {0}, packed[500];
	char text[1000];
	uLongf len = sizeof(packed) - 8;
	size_t trailer = c->trailer ? strlen(c->trailer) : 0;

	put(raw, c->inner_cookie, 4);
	put(raw + 4, c->payload == UINT32_MAX ? c->ncounts : c->payload, 4);
	put(raw + 8, c->offset, 4);
	put(raw + 12, c->digits, 4);
	put(raw + 16, c->lowest, 8);
	put(raw + 24, c->highest, 8);
	memcpy(raw + 40, c->counts, c->ncounts);
	assert_int_equal(compress(packed + 8, &len, raw, 40 + c->ncounts), Z_OK);
	memcpy(packed + 8 + len, c->trailer ? c->trailer : "", trailer);
	put(packed, c->outer_cookie, 4);
	put(packed + 4, len + trailer, 4);
	base64(text, packed, 8 + len + trailer);
	return histogram_decode(h, text, strlen(text), err);
}

static void assert_refused(const struct crafted *c, int code, const char *words)
{
	struct histogram h = {.digits = 99};
	struct error err = {""};

	assert_int_equal(decode_crafted(c, &h, &err), code);
	if (!strstr(err.text, words))
		fail_msg("\"%s\" does not say \"%s\"", err.text, words);
	assert_int_equal(h.digits, 99);
}

static void crafted_payload_that_is_right_is_read(void **state)
{
	/* 3 zeros, a count of 1, a lone zero as 0, one as -1, a count of 300. */
	static const uint8_t counts[] = {5, 2, 0, 1, 0xd8, 0x04};
	struct histogram h;

	(void)state;
	assert_int_equal(
		decode_crafted(&(struct crafted){CRAFTED, .counts = counts, .ncounts = sizeof(counts)}, &h, NULL), 0);
	assert_int_equal(h.counts[3], 1);
	assert_int_equal(h.counts[6], 300);
	assert_int_equal(h.total, 301);
	assert_int_equal(h.min, 3);
	assert_int_equal(h.max, 6);
	histogram_release(&h);
}

/* The right one with one field changed. */
#define ASSERT_REFUSED_WITH(field, value, code, words) \
	do { \
		struct crafted changed = {CRAFTED, .counts = one, .ncounts = 1}; \
\
		changed.field = (value); \
		assert_refused(&changed, code, words); \
	} while (0)

static void damaged_header_is_refused(void **state)
{
	static const uint8_t one[] = {2};

	(void)state;
	ASSERT_REFUSED_WITH(outer_cookie, 0x1c849304, ERR_UNSUPPORTED, "V2");
	ASSERT_REFUSED_WITH(inner_cookie, 0x1c849301, ERR_UNSUPPORTED, "cookie");
	ASSERT_REFUSED_WITH(offset, 1, ERR_UNSUPPORTED, "shifted");
	ASSERT_REFUSED_WITH(digits, 6, ERR_FORMAT, "damaged");
	ASSERT_REFUSED_WITH(digits, 0, ERR_INVALID, "cannot hold");
	ASSERT_REFUSED_WITH(lowest, 0, ERR_INVALID, "cannot hold");
	ASSERT_REFUSED_WITH(highest, 1, ERR_INVALID, "cannot hold");
	ASSERT_REFUSED_WITH(highest, UINT64_MAX, ERR_FORMAT, "damaged");
	ASSERT_REFUSED_WITH(payload, UINT32_MAX - 1, ERR_FORMAT, "damaged");
	ASSERT_REFUSED_WITH(payload, 2, ERR_FORMAT, "cut off");
	ASSERT_REFUSED_WITH(payload, 0, ERR_FORMAT, "longer");
	ASSERT_REFUSED_WITH(trailer, "x", ERR_FORMAT, "too many at its end");
}

static void counts_beyond_the_range_are_refused(void **state)
{
	/* (1, 1000, 1 digit) has 32 + 5·16 = 112 counts. */
	static const uint8_t run_of_112[] = {0xdf, 0x01}, run_of_113[] = {0xe1, 0x01}, one_after[] = {0xdf, 0x01, 2};
	static const uint8_t lowest_run[] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
	struct histogram h;

	(void)state;
	assert_int_equal(decode_crafted(&(struct crafted){CRAFTED, .counts = run_of_112, .ncounts = 2}, &h, NULL), 0);
	assert_int_equal(h.ncounts, 112);
	assert_int_equal(h.total, 0);
	histogram_release(&h);
	assert_refused(&(struct crafted){CRAFTED, .counts = run_of_113, .ncounts = 2}, ERR_FORMAT, "more counts");
	assert_refused(&(struct crafted){CRAFTED, .counts = one_after, .ncounts = 3}, ERR_FORMAT, "more counts");
	assert_refused(&(struct crafted){CRAFTED, .counts = lowest_run, .ncounts = 9}, ERR_FORMAT, "more counts");
}

static void counts_past_the_highest_value_are_saturated(void **state)
{
	/* With 600 as the highest value, its bucket is 98 of 112: 98 zeros, a count, a zero, a count. */
	static const uint8_t counts[] = {0xc3, 0x01, 2, 1, 2};
	struct crafted c = {CRAFTED, .counts = counts, .ncounts = sizeof(counts)};
	struct histogram h;

	(void)state;
	c.highest = 600;
	assert_int_equal(decode_crafted(&c, &h, NULL), 0);
	assert_int_equal(h.ncounts, 112);
	assert_int_equal(h.counts[98], 2);
	assert_int_equal(h.saturated, 1);
	assert_int_equal(h.total, 2);
	assert_int_equal(h.max, 600);
	histogram_release(&h);
}

static void total_beyond_63_bits_is_refused(void **state)
{
	/* INT64_MAX, which alone is right, then 1. */
	static const uint8_t counts[] = {0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2};
	struct histogram h;

	(void)state;
	assert_int_equal(decode_crafted(&(struct crafted){CRAFTED, .counts = counts, .ncounts = 9}, &h, NULL), 0);
	assert_int_equal(h.total, INT64_MAX);
	histogram_release(&h);
	assert_refused(&(struct crafted){CRAFTED, .counts = counts, .ncounts = 10}, ERR_RANGE, "2^63");
}

static void count_cut_off_in_its_middle_is_refused(void **state)
{
	static const uint8_t counts[] = {2, 0x80};

	(void)state;
	assert_refused(&(struct crafted){CRAFTED, .counts = counts, .ncounts = 2}, ERR_FORMAT, "cut off");
}

static void microseconds_of_a_latency_histogram_are_encoded(void **state)
{
	struct histogram ns, us;
	struct buf text = {0};

	(void)state;
	assert_int_equal(histogram_init_latency(&ns), 0);
	histogram_record_n(&ns, 1234567, 4);
	histogram_record(&ns, 62000000);
	assert_int_equal(histogram_encode_microseconds(&ns, &text), 0);
	decode(&us, text.data);
	assert_int_equal(us.highest, 3600000000);
	assert_int_equal(us.total, 5);
	assert_int_equal(us.counts[histogram_index(&us, 1234)], 4);
	assert_int_equal(us.counts[histogram_index(&us, 62000)], 1);
	buf_release(&text);
	histogram_release(&ns);
	histogram_release(&us);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(empty_histograms_of_other_tools_are_read),
		cmocka_unit_test(sparse_histograms_of_other_tools_are_read),
		cmocka_unit_test(counts_of_nine_bytes_are_read),
		cmocka_unit_test(widest_layout_is_read),
		cmocka_unit_test(everything_comes_back_as_it_was),
		cmocka_unit_test(counts_of_every_length_come_back),
		cmocka_unit_test(lone_zero_may_be_written_either_way),
		cmocka_unit_test(text_cut_off_anywhere_is_refused),
		cmocka_unit_test(text_with_any_character_changed_is_refused_or_read),
		cmocka_unit_test(crafted_payload_that_is_right_is_read),
		cmocka_unit_test(damaged_header_is_refused),
		cmocka_unit_test(counts_beyond_the_range_are_refused),
		cmocka_unit_test(counts_past_the_highest_value_are_saturated),
		cmocka_unit_test(total_beyond_63_bits_is_refused),
		cmocka_unit_test(count_cut_off_in_its_middle_is_refused),
		cmocka_unit_test(microseconds_of_a_latency_histogram_are_encoded),
	};

	return cmocka_run_group_tests_name("histogram_encode", tests, NULL, NULL);
}
