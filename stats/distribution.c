/*
 * distribution.c - the regularised incomplete beta function, and what follows from it.
 */
#include "stats/distribution.h"

#include <assert.h>
#include <float.h>
#include <math.h>

/* Where the error term is computed from lgamma and not from Stirling's series. */
#define STIRLING_FROM 16
/* v^2 < 0.01: each term has two digits more. */
#define DEVIANCE_TERMS 19
/* Far more than are needed at a, b of 1e10. */
#define FRACTION_TERMS 10000000

/* log(n!) - log(sqrt(2 pi n) (n/e)^n) for a real n >= 0; Loader's delta. */
static double stirling_error(double n)
{
	double s = 1 / (n * n);

	if (n < STIRLING_FROM)
		return n > 0 ? lgamma(n + 1) - (n + 0.5) * log(n) + n - 0.5 * log(2 * M_PI) : 0;
	return (1.0 / 12 - (1.0 / 360 - (1.0 / 1260 - (1.0 / 1680 - s / 1188) * s) * s) * s) / n;
}

/* x log(x/m) + m - x without cancellation where x is close to m; Loader's deviance. */
static double deviance(double x, double m)
{
	double d = x - m, v = d / (x + m), sum = d * v, term = 2 * x * v;

	if (fabs(d) >= 0.1 * (x + m))
		return x > 0 ? x * log(x / m) + m - x : m;
	for (int i = 3; i < DEVIANCE_TERMS; i += 2) {
		term *= v * v;
		sum += term / i;
	}
	return sum;
}

/* log(x^a (1-x)^b / B(a, b)). */
static double log_beta_term(double a, double b, double x)
{
	double n = a + b, log_binomial;

	log_binomial = stirling_error(n) - stirling_error(a) - stirling_error(b) - deviance(a, n * x) -
		       deviance(b, n * (1 - x)) + 0.5 * log(n / (2 * M_PI * a * b));
	return log_binomial + log(a * b / n);
}

/* Lentz's method, for x below the mean a / (a + b) or a little above it; takes hundreds of steps, close to the mean
 * about sqrt(a + b). */
static double beta_fraction(double a, double b, double x)
{
	double c = 1, d = 1 / (1 - (a + b) * x / (a + 1)), h = d;

	for (int i = 1; i < FRACTION_TERMS; i++) {
		double m = i, even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m));
		double odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1)), change;

		d = 1 / (1 + even * d);
		c = 1 + even / c;
		h *= d * c;
		d = 1 / (1 + odd * d);
		c = 1 + odd / c;
		change = d * c;
		h *= change;
		if (fabs(change - 1) <= 2 * DBL_EPSILON)
			break;
	}
	return h;
}

double incomplete_beta(double a, double b, double x)
{
	assert(a > 0 && b > 0);
	if (x <= 0)
		return 0;
	if (x >= 1)
		return 1;
	if (x > (a + 1) / (a + b + 2))
		return 1 - exp(log_beta_term(b, a, 1 - x)) * beta_fraction(b, a, 1 - x) / b;
	return exp(log_beta_term(a, b, x)) * beta_fraction(a, b, x) / a;
}

double binomial_at_most(uint64_t k, uint64_t n, double p)
{
	return k >= n ? 1 : incomplete_beta((double)(n - k), (double)k + 1, 1 - p);
}

double binomial_at_least(uint64_t k, uint64_t n, double p)
{
	if (k == 0)
		return 1;
	return k > n ? 0 : incomplete_beta((double)k, (double)(n - k) + 1, p);
}

double student_two_sided(double t, double df)
{
	double square = t * t;

	if (square < df) /* the other side, whose argument has all its digits */
		return 1 - incomplete_beta(0.5, df / 2, square / (df + square));
	return incomplete_beta(df / 2, 0.5, df / (df + square));
}

double student_quantile(double confidence, double df)
{
	double low = 0, high = 1;

	assert(confidence > 0 && confidence < 1 && df > 0);
	while (student_two_sided(high, df) > 1 - confidence && high < DBL_MAX / 4)
		high *= 2;
	for (;;) {
		double middle = low + (high - low) / 2;

		if (middle <= low || middle >= high)
			return middle;
		if (student_two_sided(middle, df) > 1 - confidence)
			low = middle;
		else
			high = middle;
	}
}
