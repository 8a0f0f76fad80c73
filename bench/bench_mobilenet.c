/*
 * bench_mobilenet.c - MobileNet V1 in the engine, on one thread: how much of the core's peak it reaches, and what a batch
 * costs an image. usage: bench_mobilenet MODEL.pb, a GraphDef.
 *
 * Times are CPU time of this thread. Each round measures the peak, then every batch size, so that all share whatever
 * else the machine does; printed are medians.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/measure.h"
#include "common/arith.h"
#include "common/file.h"
#include "common/rng.h"
#include "engine/model.h"

#define ROUNDS 15
#define FLOPS 1.137e9 /* one image: two a multiplication with addition */
#define SIDE 224
#define MODEL_MAX ((size_t)1 << 28)

/* OpenMP's own entry; per calling thread. */
extern void omp_set_num_threads(int n);

static const int64_t batches[] = {1, 8, 32};
#define BATCHES ARRAY_LEN(batches)

/* --- the peak: chains of multiplications with addition, more than their latency hides --- */

#define CHAINS 12
#define PEAK_LOOPS 400000

#define DEFINE_PEAK(name, isa, lanes) \
	typedef float name##_vector __attribute__((vector_size(lanes * 4))); \
	static __attribute__((noinline, target(isa))) float name(int loops) \
	{ \
		name##_vector v[CHAINS], factor = (name##_vector){0} + 0.999f, addend = (name##_vector){0} + 0.001f; \
		float sum = 0.0f; \
		for (int i = 0; i < CHAINS; i++) \
			v[i] = (name##_vector){0} + (float)i; \
		for (int l = 0; l < loops; l++) { \
			_Pragma("GCC unroll 12") for (int i = 0; i < CHAINS; i++) v[i] = v[i] * factor + addend; \
		} \
		for (int i = 0; i < CHAINS; i++) { \
			for (int k = 0; k < lanes; k++) \
				sum += v[i][k]; \
		} \
		return sum; \
	}
#if defined(__x86_64__)
DEFINE_PEAK(peak_avx512, "avx512f", 16)
DEFINE_PEAK(peak_avx2, "avx2,fma", 8)
#endif
DEFINE_PEAK(peak_baseline, "sse2", 4)

struct peak {
	float (*run)(int loops);
	int lanes;
};

static struct peak find_peak(void)
{
#if defined(__x86_64__)
	if (__builtin_cpu_supports("avx512f"))
		return (struct peak){peak_avx512, 16};
	if (__builtin_cpu_supports("fma"))
		return (struct peak){peak_avx2, 8};
#endif
	return (struct peak){peak_baseline, 4};
}

/* Operations a second. */
static double measure_peak(struct peak p)
{
	volatile float keep;
	nsec_t start = cpu_now();

	keep = p.run(PEAK_LOOPS);
	(void)keep;
	return 2.0 * CHAINS * p.lanes * PEAK_LOOPS / (double)(cpu_now() - start) * 1e9;
}

/* --- the model --- */

static int fail(const struct error *err)
{
	fprintf(stderr, "%s\n", err->text);
	return 1;
}

static struct model *load(const char *file, struct error *err)
{
	const struct model_load_config cfg = {
		.format = MODEL_TENSORFLOW,
		.name = "MobileNet",
		.io = {(const char *const[]){"input"}, 1, (const char *const[]){"MobilenetV1/Predictions/Reshape_1"},
		       1},
	};
	struct model *m = NULL;
	char *blob;
	size_t len;

	if (file_read(&blob, &len, file, MODEL_MAX, err) < 0)
		return NULL;
	if (model_load(&m, &cfg, blob, len, NULL, NULL, err) < 0)
		m = NULL;
	free(blob);
	return m;
}

static struct tensor *make_input(int64_t n, struct rng *rng)
{
	const int64_t dims[] = {n, SIDE, SIDE, 3};
	struct tensor *t;

	if (tensor_new(&t, DTYPE_FLOAT, dims, 4, false, NULL) < 0)
		return NULL;
	for (size_t i = 0; i < t->count; i++)
		((float *)t->data)[i] = rng_float(rng) * 2.0f - 1.0f;
	return t;
}

/* Nanoseconds an image; negative: it failed. */
static double run(struct model_context *c, struct tensor *x, struct error *err)
{
	struct tensor *y;
	nsec_t start = cpu_now();

	if (model_run(c, &x, 1, &y, 1, NULL, err) < 0)
		return -1.0;
	double took = (double)(cpu_now() - start) / (double)x->dims[0];
	tensor_unref(y);
	return took;
}

/* Of this process, in MB; 0 where the system does not say. */
static double resident_peak(void)
{
	FILE *f = fopen("/proc/self/status", "r");
	char line[256];
	double kib = 0.0;

	while (f != NULL && fgets(line, sizeof(line), f) != NULL) {
		if (strncmp(line, "VmHWM:", 6) == 0)
			kib = strtod(line + 6, NULL);
	}
	if (f != NULL)
		fclose(f);
	return kib * 1024 / 1e6;
}

int main(int argc, char **argv)
{
	static double share[ROUNDS], relative[BATCHES][ROUNDS], took[BATCHES][ROUNDS];
	double planned[BATCHES] = {0}, memory[BATCHES] = {0};
	struct tensor *x[BATCHES] = {NULL};
	const struct peak peak = find_peak();
	struct model_context *c = NULL;
	struct error err = {{0}};
	struct rng rng;
	int ret = 1;

	if (argc != 2) {
		fprintf(stderr, "usage: bench_mobilenet MODEL.pb\n");
		return 2;
	}
	omp_set_num_threads(1);
	rng_init(&rng, 1);
	struct model *m = load(argv[1], &err);
	if (m == NULL)
		return fail(&err);
	if (model_context_new(&c, m, 1) < 0)
		goto out;
	for (size_t b = 0; b < BATCHES; b++) {
		x[b] = make_input(batches[b], &rng);
		if (x[b] == NULL)
			goto out;
		double first = run(c, x[b], &err), second = run(c, x[b], &err);
		if (first < 0 || second < 0)
			goto out;
		planned[b] = (first - second) * (double)batches[b];
		memory[b] = resident_peak();
	}
	for (int r = 0; r < ROUNDS; r++) {
		double operations = measure_peak(peak);
		for (size_t b = 0; b < BATCHES; b++) {
			took[b][r] = run(c, x[b], &err);
			relative[b][r] = took[b][r] / took[0][r];
		}
		share[r] = FLOPS / (took[0][r] * 1e-9) / operations * 100.0;
	}
	printf("MobileNet V1 1.0/224, one thread: %.1f %% of the core's peak (target: 70)\n", median(share, ROUNDS));
	for (size_t b = 0; b < BATCHES; b++)
		printf("batch %2d: %6.2f ms an image, %.3f x batch 1; first run %+.1f ms; memory up to here %.0f MB\n",
		       (int)batches[b], median(took[b], ROUNDS) * 1e-6, median(relative[b], ROUNDS), planned[b] * 1e-6,
		       memory[b]);
	ret = 0;
out:
	if (ret != 0)
		fail(&err);
	for (size_t b = 0; b < BATCHES; b++)
		tensor_unref(x[b]);
	model_context_free(c);
	model_free(m);
	return ret;
}
