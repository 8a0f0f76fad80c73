/* Sets a run up and looks at what came of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <unistd.h>

#include "workloads/fraud.h"

#include "tests/runners/run_fixture.h"

void write_rows(int fd, unsigned n)
{
	unsigned char row[FRAUD_ROW_SIZE] = {0};

	for (unsigned i = 0; i < n; i++) {
		row[0] = (unsigned char)i;
		row[1] = (unsigned char)(i >> 8);
		assert_int_equal(write(fd, row, sizeof(row)), sizeof(row));
	}
}

static void count_period(void *arg, const struct period *p, const struct histogram *overall)
{
	struct fixture *f = arg;

	assert_true(p->test_time > 0);
	assert_true(overall->total <= p->inferences);
	f->periods++;
}

static void count_burn_in(void *arg, uint64_t inferences, unsigned workers)
{
	struct fixture *f = arg;

	assert_int_equal(workers, f->cfg.workers);
	f->burn_in_inferences = inferences;
	f->burn_ins++;
}

static void count_note(void *arg, const char *text)
{
	struct fixture *f = arg;

	assert_true(text[0] != '\0');
	snprintf(f->note, sizeof(f->note), "%s", text);
	f->notes++;
}

void keep_stamps(void *arg, const struct completion *c, enum outcome judged)
{
	struct fixture *f = arg;

	(void)judged;
	if (f->responses < STAMPS_KEPT)
		f->stamps[f->responses++] = c->stamps;
}

void fixture_init(struct fixture *f)
{
	f->server = calloc(1, sizeof(*f->server));
	assert_non_null(f->server);
	strcpy(f->path, "/tmp/aibench_test_runner_XXXXXX");
	f->cfg = (struct run_config){
		.driver = &fake_ops,
		.driver_options = f->server,
		.conn = &f->conn,
		.workload = &workload_fraud,
		.what = {.batch = 1},
		.file = f->path,
		.workers = 10,
		.threads = 3,
		.drain = 20 * NSEC_PER_MSEC,
		.interrupt = &f->server->interrupt,
		.observer = {.arg = f, .period = count_period, .burn_in_complete = count_burn_in, .note = count_note},
	};
}

void fixture_release(struct fixture *f)
{
	result_release(&f->result);
	unlink(f->path);
	free(f->server);
}

int fixture_setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	fixture_init(f);
	*state = f;
	return 0;
}

int fixture_teardown(void **state)
{
	fixture_release(*state);
	free(*state);
	return 0;
}

void make_file(struct fixture *f, unsigned rows)
{
	int fd = mkstemp(f->path);

	assert_true(fd >= 0);
	write_rows(fd, rows);
	close(fd);
}

void run(struct fixture *f)
{
	if (runner_run(&f->cfg, &f->result, &f->err) != 0)
		fail_msg("the run failed: %s", f->err.text);
}

void run_again(struct fixture *f)
{
	result_release(&f->result);
	run(f);
}

void check_seen(const struct fixture *f, unsigned from, unsigned to, unsigned times)
{
	for (unsigned id = from; id < to; id++)
		if (atomic_load(&f->server->seen[id]) != times)
			fail_msg("row %u was asked %u times, not %u", id, atomic_load(&f->server->seen[id]), times);
}

uint64_t inferences(const struct fixture *f, enum outcome o)
{
	return f->result.all.totals.inferences[o];
}
