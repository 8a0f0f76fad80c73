#include "runners/accuracy_log.h"

#include <inttypes.h>

#include "common/file.h"

static void write_hex(FILE *out, const void *data, size_t size)
{
	static const char digits[] = "0123456789ABCDEF";
	const unsigned char *bytes = data;

	for (size_t i = 0; i < size; i++) {
		putc(digits[bytes[i] >> 4], out);
		putc(digits[bytes[i] & 15], out);
	}
}

/* Failures of the stream stay in it until the commit. */
static void write_entries(FILE *out, const struct answers_writer *answers)
{
	size_t values = atomic_load(&answers->values);
	const char *separator = "";

	fputs("[\n", out);
	for (uint64_t row = 0; row < answers->of.rows; row++) {
		const float *answer = answers_writer_row(answers, row);

		if (!answer)
			continue;
		fprintf(out, "%s{ \"seq_id\" : %" PRIu64 ", \"qsl_idx\" : %" PRIu64 ", \"data\" : \"", separator, row,
			row);
		write_hex(out, answer, values * sizeof(*answer));
		fputs("\" }", out);
		separator = ",\n";
	}
	fputs("\n]\n", out);
}

int accuracy_log_write(const char *path, const struct answers_writer *answers, struct error *err)
{
	uint64_t refused = atomic_load(&answers->refused);
	struct output_file f;
	int r;

	if (refused)
		return error_set(
			err, ERR_INVALID,
			"%s was not written: %ju answers belong to no row of the dataset, whose ids are not one "
			"after the other",
			path, (uintmax_t)refused);
	r = file_create(&f, path, err);
	if (r < 0)
		return r;
	write_entries(f.stream, answers);
	r = file_commit(&f, err);
	file_abandon(&f);
	return r;
}
