/*
 * Result files from outside: whatever is read must be whole, and what is refused must say why.
 */
#include <math.h>
#include <stdint.h>
#include <stdlib.h>

#include "stats/result_file.h"

#define INPUT_MAX 65536

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct result_file *f)
{
	const struct histogram *h = &f->response;
	uint64_t total = 0;

	if (!f->path || !f->program || !(f->rate >= 0) || isinf(f->rate))
		abort();
	if (f->arguments && f->arguments[f->narguments])
		abort();
	for (uint32_t i = 0; i < h->ncounts; i++)
		total += h->counts[i];
	if (total != h->total || h->saturated > total || (total > 0 && h->min > h->max))
		abort();
	if (histogram_percentile(h, 0) > histogram_percentile(h, 100))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct result_file f = {0};
	struct error err = {""};

	if (size > INPUT_MAX)
		return 0;
	if (result_file_parse(&f, "fuzz", (const char *)data, size, &err) == 0)
		check(&f);
	else if (!err.text[0] || f.path)
		abort();
	result_file_release(&f);
	return 0;
}
