/*
 * run_fixture.h - a run against the fake server on a small real dataset, for the tests of whole runs.
 */
#ifndef TESTS_RUNNERS_RUN_FIXTURE_H
#define TESTS_RUNNERS_RUN_FIXTURE_H

#include "runners/runner.h"

#include "tests/runners/fake_driver.h"

#define STAMPS_KEPT 10000

struct fixture {
	char path[64];
	struct fake_server *server;
	struct conn_options conn;
	struct run_config cfg;
	struct result result;
	struct error err;
	unsigned periods, burn_ins, notes;
	char note[ERROR_TEXT_MAX]; /* the last one */
	uint64_t burn_in_inferences;
	/* of the responses seen, in order of completion (single-threaded runs) */
	struct stamps stamps[STAMPS_KEPT];
	unsigned responses;
	struct seen_snapshots *snapshots; /* of the test that looks at them */
};

/* 10 workers on 3 threads, closed loop, no file yet. The file and the result are released. */
void fixture_init(struct fixture *f);
void fixture_release(struct fixture *f);
/* cmocka's. */
int fixture_setup(void **state);
int fixture_teardown(void **state);

/* Rows of the ids 0 to n - 1 (below 65536). */
void write_rows(int fd, unsigned n);
/* The dataset of the run. */
void make_file(struct fixture *f, unsigned rows);
/* Fails the test if there is no result. */
void run(struct fixture *f);
/* Another run of the same fixture. */
void run_again(struct fixture *f);
/* An observer's response that keeps the first STAMPS_KEPT stamps. */
void keep_stamps(void *arg, const struct completion *c, enum outcome judged);
/* Each of the ids [from, to) was asked so often. */
void check_seen(const struct fixture *f, unsigned from, unsigned to, unsigned times);
/* Measured ones. */
uint64_t inferences(const struct fixture *f, enum outcome o);

#define RUN_TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

#endif
