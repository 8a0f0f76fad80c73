/*
 * period_files.c - what came since the last period, appended to the files that want it.
 */
#include "stats/period_files.h"

#include <inttypes.h>
#include <stdlib.h>

#include "common/arith.h"
#include "stats/hlog.h"

static const struct csv_column {
	const char *name;
	double percentile;
} csv_columns[] = {{"q50", 50}, {"q90", 90}, {"q99", 99}, {"q999", 99.9}, {"max", 100}};

static const char *const csv_times[] = {"service", "response", "send_lag"};

static void write_csv_header(FILE *out)
{
	fputs("time_s,wall_ms,total_inferences,inferences_per_s,right,wrong,errors,timeouts", out);
	for (size_t t = 0; t < ARRAY_LEN(csv_times); t++) {
		for (size_t i = 0; i < ARRAY_LEN(csv_columns); i++)
			fprintf(out, ",%s_%s_ms", csv_times[t], csv_columns[i].name);
	}
	fputc('\n', out);
}

static void write_csv_row(FILE *out, const struct period *p, const struct recorder *r)
{
	const struct histogram *const times[ARRAY_LEN(csv_times)] = {&r->service, &r->response, &r->lag};
	const uint64_t *n = r->totals.inferences;

	fprintf(out, "%.3f,%" PRId64 ",%" PRIu64 ",%.2f", nsec_to_sec(p->test_time), p->wall / NSEC_PER_MSEC,
		p->inferences, p->inference_rate);
	fprintf(out, ",%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",%" PRIu64, n[OUTCOME_OK], n[OUTCOME_WRONG], n[OUTCOME_ERROR],
		n[OUTCOME_TIMEOUT]);
	for (size_t t = 0; t < ARRAY_LEN(times); t++) {
		for (size_t i = 0; i < ARRAY_LEN(csv_columns); i++) {
			fputc(',', out);
			if (times[t]->total)
				fprintf(out, "%.6f",
					(double)histogram_percentile(times[t], csv_columns[i].percentile) /
						(double)NSEC_PER_MSEC);
		}
	}
	fputc('\n', out);
}

/* At the first period, when it is known what is measured. */
static int open_files(struct period_files *f, const struct period *p, const struct recorder *so_far)
{
	int e;

	if (recorder_init_like(&f->before, so_far) < 0 || recorder_init_like(&f->period, so_far) < 0)
		return error_set(&f->error, ERR_NOMEM, "out of memory for the files of -hlog-out-file, -csv-out-file");
	f->last = p->wall - p->test_time;
	if (f->hlog_path) {
		e = file_create_in_place(&f->hlog, f->hlog_path, &f->error);
		if (e < 0)
			return e;
		hlog_write_header(f->hlog.stream, f->last);
	}
	if (f->csv_path) {
		e = file_create_in_place(&f->csv, f->csv_path, &f->error);
		if (e < 0)
			return e;
		write_csv_header(f->csv.stream);
	}
	return 0;
}

static int add(struct period_files *f, const struct period *p, const struct recorder *so_far)
{
	int e = f->last ? 0 : open_files(f, p, so_far);

	if (e < 0)
		return e;
	e = recorder_difference(&f->period, &f->before, so_far);
	if (e == 0 && f->hlog.stream)
		e = hlog_write_recorder(f->hlog.stream, f->last, p->wall, &f->period);
	if (e < 0)
		return error_set(&f->error, (enum error_code)e, "cannot write a period: %s", error_message(e));
	if (f->hlog.stream)
		fflush(f->hlog.stream);
	if (f->csv.stream) {
		write_csv_row(f->csv.stream, p, &f->period);
		fflush(f->csv.stream);
	}
	f->last = p->wall;
	return 0;
}

void period_files_add(struct period_files *f, const struct period *p, const struct recorder *so_far)
{
	if (f->code == 0 && (f->hlog_path || f->csv_path))
		f->code = add(f, p, so_far);
}

static int close_file(struct output_file *f, int code, struct error *err)
{
	int e = f->stream ? file_commit(f, code < 0 ? NULL : err) : 0;

	return code < 0 ? code : e;
}

int period_files_close(struct period_files *f, struct error *err)
{
	int code = f->code;

	if (code < 0)
		*err = f->error;
	code = close_file(&f->hlog, code, err);
	code = close_file(&f->csv, code, err);
	recorder_release(&f->before);
	recorder_release(&f->period);
	free(f->hlog_path);
	free(f->csv_path);
	*f = (struct period_files){0};
	return code;
}

void period_files_abandon(struct period_files *f)
{
	struct error ignored;

	(void)!period_files_close(f, &ignored);
}
