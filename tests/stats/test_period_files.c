/*
 * The files that grow with the periods: what is added up again is the whole, rows are whole at any time, and a disk that
 * takes no more is told of.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/rng.h"
#include "stats/period_files.h"
#include "tests/support/folder.h"

#define TEXT_MAX ((size_t)16 << 20)
#define START (1700000000000 * NSEC_PER_MSEC)
#define PERIODS 7

struct fixture {
	const char *hlog, *csv;
	struct recorder all;
	struct period_files files;
	struct rng rng;
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	folder_set_up(state);
	f->hlog = in_folder("run.hlog");
	f->csv = in_folder("run.csv");
	assert_int_equal(recorder_init(&f->all, true), 0);
	assert_int_equal(recorder_add_stages(&f->all, 1U << STAGE_REFERENCE), 0);
	rng_init(&f->rng, 1);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	recorder_release(&f->all);
	free(f);
	return folder_tear_down(state);
}

static void record_some(struct fixture *f, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		nsec_t sent = 1000 + (nsec_t)rng_below(&f->rng, 100000);
		struct stamps s = {.intended = 1000, .sent = sent};

		s.stage[STAGE_REFERENCE] = sent + (nsec_t)rng_below(&f->rng, 1000000);
		s.received = s.stage[STAGE_REFERENCE] + (nsec_t)rng_below(&f->rng, 50000000);
		recorder_record(&f->all, &s, (enum outcome)(rng_below(&f->rng, OUTCOME_MAX)), 2);
	}
}

static void end_period(struct fixture *f, unsigned number)
{
	struct period p = {
		.wall = START + (nsec_t)number * NSEC_PER_SEC,
		.test_time = (nsec_t)number * NSEC_PER_SEC,
		.inferences = totals_inferences(&f->all.totals),
		.inference_rate = 10,
	};

	period_files_add(&f->files, &p, &f->all);
}

/* Adds up the histograms of the lines that begin with tag. */
static unsigned add_up(struct histogram *sum, const char *path, const char *tag)
{
	struct error err = {""};
	unsigned lines = 0;
	char *text, *next = NULL;
	size_t len;

	assert_int_equal(histogram_init_latency(sum), 0);
	if (file_read(&text, &len, path, TEXT_MAX, &err) != 0)
		fail_msg("%s", err.text);
	for (char *line = strtok_r(text, "\n", &next); line; line = strtok_r(NULL, "\n", &next)) {
		char *encoded = strrchr(line, ',') + 1;
		struct histogram h;

		if (line[0] == '#' || line[0] == '"' || strncmp(line, tag, strlen(tag)) != 0)
			continue;
		assert_int_equal(histogram_decode(&h, encoded, strlen(encoded), &err), 0);
		assert_int_equal(histogram_merge(sum, &h), 0);
		histogram_release(&h);
		lines++;
	}
	free(text);
	return lines;
}

static void assert_added_up(const char *path, const char *tag, unsigned lines, const struct histogram *all)
{
	struct histogram sum;

	assert_int_equal(add_up(&sum, path, tag), lines);
	assert_int_equal(sum.total, all->total);
	assert_memory_equal(sum.counts, all->counts, all->ncounts * sizeof(*all->counts));
	histogram_release(&sum);
}

static void intervals_of_a_log_add_up_to_the_run(void **state)
{
	struct fixture *f = *state;
	struct error err = {""};

	f->files.hlog_path = strdup(f->hlog);
	for (unsigned i = 1; i <= PERIODS; i++) {
		/* in the fourth, nothing comes */
		record_some(f, i == 4 ? 0 : i * 100);
		end_period(f, i);
	}
	assert_int_equal(period_files_close(&f->files, &err), 0);
	assert_added_up(f->hlog, "1", PERIODS, &f->all.service);
	assert_added_up(f->hlog, "Tag=Response,", PERIODS - 1, &f->all.response);
	assert_added_up(f->hlog, "Tag=SendLag,", PERIODS - 1, &f->all.lag);
	assert_added_up(f->hlog, "Tag=ReferenceFetch,", PERIODS - 1, &f->all.stage[STAGE_REFERENCE]);
	assert_int_equal(access(f->csv, F_OK), -1);
}

static void a_table_row_tells_its_period_alone(void **state)
{
	struct stamps s = {.intended = 0, .sent = 1000000, .received = 3000000};
	struct fixture *f = *state;
	struct error err = {""};
	char *text, *next = NULL, *line;
	size_t len;

	f->files.csv_path = strdup(f->csv);
	recorder_record(&f->all, &s, OUTCOME_OK, 1);
	recorder_record(&f->all, &s, OUTCOME_ERROR, 1);
	end_period(f, 1);
	recorder_record(&f->all, &s, OUTCOME_WRONG, 1);
	recorder_record(&f->all, &s, OUTCOME_TIMEOUT, 2);
	end_period(f, 2);
	end_period(f, 3);
	/* All of it is there before the end. */
	assert_int_equal(file_read(&text, &len, f->csv, TEXT_MAX, &err), 0);
	line = strtok_r(text, "\n", &next);
	assert_non_null(strstr(line, "time_s,wall_ms,total_inferences,inferences_per_s,right,wrong,errors,timeouts,"));
	assert_non_null(strstr(line, "service_q999_ms,service_max_ms,response_q50_ms,"));
	line = strtok_r(NULL, "\n", &next);
	assert_non_null(strstr(line, "1.000,1700000001000,2,10.00,1,0,1,0,2.0"));
	line = strtok_r(NULL, "\n", &next);
	assert_non_null(strstr(line, "2.000,1700000002000,5,10.00,0,1,0,2,2.0"));
	assert_string_equal(strtok_r(NULL, "\n", &next), "3.000,1700000003000,5,10.00,0,0,0,0,,,,,,,,,,,,,,,");
	assert_null(strtok_r(NULL, "\n", &next));
	free(text);
	assert_int_equal(period_files_close(&f->files, &err), 0);
}

static void a_full_disk_and_a_missing_folder_are_told(void **state)
{
	struct fixture *f = *state;
	struct error err = {""};

	if (access("/dev/full", W_OK) == 0) {
		f->files.csv_path = strdup("/dev/full");
		end_period(f, 1);
		assert_true(period_files_close(&f->files, &err) < 0);
		assert_non_null(strstr(err.text, "/dev/full"));
	}
	f->files.hlog_path = strdup("/nonexistent/run.hlog");
	end_period(f, 1);
	end_period(f, 2);
	assert_true(period_files_close(&f->files, &err) < 0);
	assert_non_null(strstr(err.text, "/nonexistent/run.hlog"));
}

static void without_a_period_there_is_no_file(void **state)
{
	struct fixture *f = *state;
	struct error err = {""};

	f->files.hlog_path = strdup(f->hlog);
	f->files.csv_path = strdup(f->csv);
	assert_int_equal(period_files_close(&f->files, &err), 0);
	assert_int_equal(access(f->hlog, F_OK), -1);
	assert_int_equal(access(f->csv, F_OK), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(intervals_of_a_log_add_up_to_the_run, setup, teardown),
		cmocka_unit_test_setup_teardown(a_table_row_tells_its_period_alone, setup, teardown),
		cmocka_unit_test_setup_teardown(a_full_disk_and_a_missing_folder_are_told, setup, teardown),
		cmocka_unit_test_setup_teardown(without_a_period_there_is_no_file, setup, teardown),
	};

	return cmocka_run_group_tests_name("period_files", tests, NULL, NULL);
}
