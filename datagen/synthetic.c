/*
 * synthetic.c - transactions shaped like Kaggle's, from a seed.
 */
#include "datagen/synthetic.h"

#include "common/arith.h"
#include "common/decimal.h"
#include "common/rng.h"

/* Keeps a row's transaction apart from its reference data, which has the plain seed. */
#define TRANSACTION_STREAM UINT64_C(0x7472616e73616374)

#define MILLION 1000000
#define DRAWS_PER_NORMAL 12 /* uniform 16-bit numbers, whose sum's standard deviation is just over 2^16 */

/* Millionths. The frauds' means are Kaggle's, and the spread is such that over all rows, frauds among them, the standard
 * deviations are Kaggle's: 1.958696 for V1 down to 0.330083 for V28. */
struct component {
	int64_t deviation, fraud_mean;
};

static const struct component components[SYNTHETIC_COMPONENTS] = {
	{1948646, -4772000}, {1644437, 3624000},  {1487861, -7033000}, {1403249, 4542000},  {1374030, -3151000},
	{1331006, -1398000}, {1215285, -5569000}, {1194118, 571000},   {1093391, -2581000}, {1063022, -5677000},
	{1008441, 3800000},  {964803, -6259000},  {995264, -109000},   {913827, -6972000},  {915308, -93000},
	{859222, -4140000},  {802960, -6666000},  {832970, -2246000},  {813550, 681000},    {770770, 372000},
	{733925, 714000},    {725702, 14000},     {624458, -40000},    {605631, -105000},   {521275, 41000},
	{482222, 52000},     {403570, 171000},    {330068, 76000},
};

/* Quantiles of Amount; straight lines between them. */
struct quantile {
	uint32_t below; /* so many of a million rows have less… */
	uint32_t cents; /* …than this */
};

static const struct quantile amounts[] = {
	{0, 0},
	{125000, 189},
	{250000, 560},
	{375000, 1200},
	{500000, 2200},
	{600000, 3700},
	{700000, 5980},
	{750000, 7717},
	{800000, 10000},
	{850000, 14000},
	{900000, 20300},
	{925000, 26000},
	{950000, 36500},
	{975000, 55000},
	{990000, 101797},
	{995000, 130000},
	{999000, 260000},
	{999900, 700000},
	{1000000, SYNTHETIC_AMOUNT_MAX},
};

const char synthetic_csv_header[] =
	"\"Time\",\"V1\",\"V2\",\"V3\",\"V4\",\"V5\",\"V6\",\"V7\",\"V8\",\"V9\",\"V10\",\"V11\",\"V12\",\"V13\","
	"\"V14\",\"V15\",\"V16\",\"V17\",\"V18\",\"V19\",\"V20\",\"V21\",\"V22\",\"V23\",\"V24\",\"V25\",\"V26\","
	"\"V27\",\"V28\",\"Amount\",\"Class\"\n";

/* Near normal (Irwin-Hall), mean 0, in millionths: bounded by 6 deviations, exact on every machine. */
static int64_t draw_component(struct rng *r, int64_t deviation)
{
	int64_t sum = 0;

	for (int i = 0; i < DRAWS_PER_NORMAL / 4; i++) {
		uint64_t bits = rng_next(r);

		sum += (int64_t)((bits & 0xffff) + (bits >> 16 & 0xffff) + (bits >> 32 & 0xffff) + (bits >> 48));
	}
	sum -= DRAWS_PER_NORMAL * INT64_C(0xffff) / 2;
	return sum * deviation / 65536;
}

static uint32_t draw_amount(struct rng *r)
{
	uint32_t u = (uint32_t)rng_below(r, MILLION);
	size_t i = 1;

	while (u >= amounts[i].below)
		i++;
	const struct quantile *low = &amounts[i - 1], *high = &amounts[i];
	uint32_t width = high->below - low->below;
	/* The place between the two quantiles is drawn afresh: a millionth is too coarse a step in the last ones. */
	uint64_t place = rng_below(r, (uint64_t)width * 1000);

	return (uint32_t)(low->cents + place * (high->cents - low->cents + 1) / ((uint64_t)width * 1000));
}

void synthetic_transaction(struct synthetic_transaction *ret, uint64_t seed, uint64_t id)
{
	uint64_t row = id % SYNTHETIC_ROWS;
	struct rng r;

	rng_init_at(&r, seed ^ TRANSACTION_STREAM, id);
	ret->seconds = (uint32_t)(row * SYNTHETIC_TIME_MAX / (SYNTHETIC_ROWS - 1));
	ret->fraud = rng_below(&r, SYNTHETIC_ROWS) < SYNTHETIC_FRAUDS;
	for (unsigned i = 0; i < SYNTHETIC_COMPONENTS; i++) {
		ret->components[i] = draw_component(&r, components[i].deviation);
		if (ret->fraud)
			ret->components[i] += components[i].fraud_mean;
	}
	ret->cents = draw_amount(&r);
}

/*
 * The nearest float32 of value / unit. Dividing in double first is as good as dividing once: the quotient of integers
 * this small is never so near to a midpoint of two floats that the double falls onto it.
 */
static float decimal_value(int64_t value, double unit)
{
	return (float)((double)value / unit);
}

void synthetic_features(float ret[FRAUD_FEATURES], const struct synthetic_transaction *t)
{
	ret[0] = (float)t->seconds;
	for (unsigned i = 0; i < SYNTHETIC_COMPONENTS; i++)
		ret[1 + i] = decimal_value(t->components[i], MILLION);
	ret[FRAUD_FEATURES - 1] = decimal_value(t->cents, 100);
}

/* value / 10^decimals as text, followed by a comma. */
static char *write_decimal(char *p, int64_t value, unsigned decimals, uint64_t unit)
{
	uint64_t magnitude = value < 0 ? (uint64_t)-value : (uint64_t)value;
	uint64_t fraction = magnitude % unit;

	if (value < 0)
		*p++ = '-';
	p += decimal_write(p, magnitude / unit);
	if (fraction != 0) {
		*p++ = '.';
		for (unsigned i = decimals; i-- > 0; fraction /= 10)
			p[i] = (char)('0' + fraction % 10);
		p += decimals;
		while (p[-1] == '0')
			p--;
	}
	*p++ = ',';
	return p;
}

size_t synthetic_csv_line(char dst[SYNTHETIC_LINE_MAX], const struct synthetic_transaction *t)
{
	char *p = write_decimal(dst, t->seconds, 0, 1);

	for (unsigned i = 0; i < SYNTHETIC_COMPONENTS; i++)
		p = write_decimal(p, t->components[i], 6, MILLION);
	p = write_decimal(p, t->cents, 2, 100);
	*p++ = '"';
	*p++ = t->fraud ? '1' : '0';
	*p++ = '"';
	*p++ = '\n';
	return (size_t)(p - dst);
}

_Static_assert(SYNTHETIC_LINE_MAX > FRAUD_FEATURES * (DECIMAL_MAX + 10) + 4, "a line fits whatever its numbers are");
_Static_assert(ARRAY_LEN(components) == SYNTHETIC_COMPONENTS, "one for each of V1 to V28");
