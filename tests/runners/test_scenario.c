/* Scenarios as runs: what becomes of the configuration, and whole runs against a server inside the test. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <unistd.h>

#include "common/arith.h"
#include "runners/scenario.h"

#include "tests/runners/run_fixture.h"

#define ROWS 20
#define DELAY NSEC_PER_MSEC

/* A scenario of the fixture's server, with minima that a test has time for. */
static struct scenario_settings *choose(struct fixture *f, enum scenario scenario, uint64_t min_queries)
{
	struct scenario_settings *s = &f->cfg.scenario;

	*s = scenario_rules(scenario);
	s->min_duration = 0;
	s->min_queries = min_queries;
	s->target_latency = 3600 * NSEC_PER_SEC;
	f->cfg.file = f->path;
	return s;
}

static void configure(struct fixture *f)
{
	if (scenario_configure(&f->cfg, &f->err) < 0)
		fail_msg("refused: %s", f->err.text);
}

static const struct scenario_summary *run_scenario(struct fixture *f)
{
	configure(f);
	make_file(f, ROWS);
	run(f);
	assert_int_equal(f->result.scenario.settings.scenario, f->cfg.scenario.scenario);
	return &f->result.scenario;
}

static void start_over(struct fixture *f, const struct run_config *cfg)
{
	result_release(&f->result);
	f->result = (struct result){0};
	unlink(f->path);
	strcpy(f->path, "/tmp/aibench_test_runner_XXXXXX");
	f->cfg = *cfg;
}

static unsigned asked(const struct fixture *f, unsigned *rows)
{
	unsigned sum = 0;

	*rows = 0;
	for (unsigned id = 0; id < ROWS; id++) {
		unsigned times = atomic_load(&f->server->seen[id]);

		sum += times;
		*rows += times > 0;
	}
	return sum;
}

static void streams_take_the_workers_of_one_query_and_one_thread(void **state)
{
	struct fixture *f = *state;

	f->cfg.workers = 64;
	f->cfg.seed = 5;
	choose(f, SCENARIO_SINGLE_STREAM, 1);
	configure(f);
	assert_int_equal(f->cfg.workers, 1);
	assert_int_equal(f->cfg.threads, 1);
	assert_int_equal(f->cfg.order, ROWS_DRAWN);
	assert_true(f->cfg.repeat);
	assert_int_equal(f->cfg.limit, 0);
	assert_int_equal(f->cfg.scenario.seed, 5);

	f->cfg.order = ROWS_SEQUENTIAL;
	f->cfg.repeat = false;
	f->cfg.what.batch = 2;
	choose(f, SCENARIO_MULTI_STREAM, 1);
	configure(f);
	assert_int_equal(f->cfg.workers, 4);
	assert_int_equal(f->cfg.threads, 1);
	assert_int_equal(f->cfg.drawn_together, 4);
}

/* The last query is the first one that is due at the minimum duration or later. */
static void server_schedule_reaches_the_minimum_duration(void **state)
{
	struct scenario_settings s = scenario_rules(SCENARIO_SERVER);
	struct rate_schedule schedule;
	struct arrival_config config = {.process = ARRIVAL_POISSON, .schedule = &schedule, .batch = 1, .threads = 1};
	struct arrival a;
	uint64_t n;

	(void)state;
	s.target_qps = 1000;
	s.min_duration = 10 * NSEC_PER_SEC;
	rate_schedule_constant(&schedule, s.target_qps);
	for (uint64_t seed = 0; seed < 5; seed++) {
		s.seed = config.seed = seed;
		n = scenario_server_queries(&s);
		assert_in_range(n, 9500, 10500);
		assert_int_equal(arrival_init(&a, &config), 0);
		for (uint64_t i = 0; i + 1 < n; i++) {
			assert_true(arrival_next(&a) < s.min_duration);
			arrival_advance(&a);
		}
		assert_true(arrival_next(&a) >= s.min_duration);
	}
	s.min_queries = 20000;
	assert_int_equal(scenario_server_queries(&s), 20000);
}

static void offline_query_is_a_tenth_larger_than_expected(void **state)
{
	static const struct {
		double qps;
		nsec_t duration;
		uint64_t minimum;
		unsigned batch;
		uint64_t samples;
	} cases[] = {
		{0, SCENARIO_MIN_DURATION, 24576, 1, 24576},     {10, SCENARIO_MIN_DURATION, 24576, 1, 24576},
		{1000, SCENARIO_MIN_DURATION, 24576, 1, 660000}, {1000, SCENARIO_MIN_DURATION, 24576, 7, 660002},
		{0, SCENARIO_MIN_DURATION, 100, 64, 128},        {1.5, 2 * NSEC_PER_SEC, 1, 1, 4},
	};
	struct fixture *f = *state;

	for (size_t c = 0; c < ARRAY_LEN(cases); c++) {
		struct scenario_settings *s = choose(f, SCENARIO_OFFLINE, cases[c].minimum);

		s->min_duration = cases[c].duration;
		s->target_qps = cases[c].qps;
		f->cfg.what.batch = cases[c].batch;
		f->cfg.limit = 0;
		f->cfg.repeat = false;
		configure(f);
		assert_int_equal(f->cfg.limit, cases[c].samples);
		assert_int_equal(f->cfg.scenario.samples_per_query, cases[c].samples);
		assert_int_equal(f->cfg.order, ROWS_SEQUENTIAL);
	}
}

static void rate_of_the_general_options_is_the_servers_target(void **state)
{
	struct fixture *f = *state;

	choose(f, SCENARIO_SERVER, 1);
	f->cfg.arrival = ARRIVAL_CONSTANT;
	rate_schedule_constant(&f->cfg.schedule, 250);
	configure(f);
	assert_int_equal(f->cfg.arrival, ARRIVAL_POISSON);
	assert_true(f->cfg.scenario.target_qps == 250);
}

static void what_a_scenario_decides_is_refused(void **state)
{
	struct fixture *f = *state;
	struct run_config cases[8];

	choose(f, SCENARIO_SINGLE_STREAM, 1);
	for (size_t c = 0; c < ARRAY_LEN(cases); c++)
		cases[c] = f->cfg;
	cases[0].limit = 10;
	cases[1].burn_in = 10;
	cases[2].warm_up = 1;
	cases[3].duration = 1;
	cases[4].order = ROWS_SHUFFLED;
	cases[5].repeat = true;
	cases[6].file = NULL;
	cases[7].what.batch = 2;
	for (size_t c = 0; c < ARRAY_LEN(cases); c++) {
		unsigned workers = cases[c].workers;

		assert_int_equal(scenario_configure(&cases[c], &f->err), ERR_USAGE);
		assert_int_equal(cases[c].workers, workers);
	}
}

static void single_stream_asks_one_at_a_time_until_the_minimum(void **state)
{
	struct fixture *f = *state;
	const struct scenario_summary *s;
	unsigned rows;

	choose(f, SCENARIO_SINGLE_STREAM, 150);
	f->cfg.observer.response = keep_stamps;
	s = run_scenario(f);
	assert_int_equal(s->counts.queries, 150);
	assert_int_equal(s->counts.library, ROWS);
	assert_true(s->valid);
	/* With replacement: more queries than rows. */
	assert_int_equal(asked(f, &rows), 150);
	assert_in_range(rows, 15, ROWS);
	for (unsigned i = 1; i < f->responses; i++)
		assert_true(f->stamps[i].sent >= f->stamps[i - 1].received);
	assert_true(s->min <= s->percentile && s->percentile <= s->max);
}

static void single_stream_goes_on_until_the_minimum_duration(void **state)
{
	struct fixture *f = *state;
	const struct scenario_summary *s;

	choose(f, SCENARIO_SINGLE_STREAM, 1)->min_duration = 20 * NSEC_PER_MSEC;
	f->server->delay = DELAY;
	s = run_scenario(f);
	assert_true(s->counts.last_due >= 20 * NSEC_PER_MSEC);
	assert_true(s->min_duration_met);
	assert_in_range(s->counts.queries, 1, 25);
}

/* Counts the rows that do not follow the one before in their query, which is kept in burn_in_inferences. */
static void count_strays(void *arg, const struct completion *c, enum outcome judged)
{
	struct fixture *f = arg;

	if (f->responses % 8 > 0 && c->request->id != (f->burn_in_inferences + 1) % ROWS)
		f->notes++;
	f->burn_in_inferences = c->request->id;
	keep_stamps(arg, c, judged);
}

static void multi_stream_waits_for_all_eight_samples(void **state)
{
	struct fixture *f = *state;
	const struct scenario_summary *s;
	unsigned rows;

	choose(f, SCENARIO_MULTI_STREAM, 30);
	f->server->delay = DELAY / 10; /* each answer after the one before */
	f->cfg.observer.response = count_strays;
	s = run_scenario(f);
	assert_int_equal(s->counts.queries, 30);
	assert_int_equal(s->counts.samples, 240);
	assert_int_equal(asked(f, &rows), 240);
	assert_int_equal(f->responses, 240);
	assert_int_equal(f->notes, 0);
	for (unsigned i = 8; i < f->responses; i++)
		assert_true(f->stamps[i].sent >= f->stamps[i - i % 8 - 1].received);
	/* Seven answers follow the first one in each. */
	assert_true(s->min >= 7 * DELAY / 10);
}

static void tensor_batch_of_a_whole_query_is_one_request(void **state)
{
	struct fixture *f = *state;
	const struct scenario_summary *s;

	choose(f, SCENARIO_MULTI_STREAM, 12)->samples_per_query = 4;
	f->cfg.what.batch = 4;
	s = run_scenario(f);
	assert_int_equal(f->cfg.workers, 1);
	assert_int_equal(s->counts.queries, 12);
	assert_int_equal(s->counts.samples, 48);
	assert_int_equal(atomic_load(&f->server->calls), 12);
}

/* One worker that is served 1 ms a query, 20 queries that are due within 1 ms or so: the last one waits for the others. */
static void server_latency_counts_from_the_schedule(void **state)
{
	struct fixture *f = *state;
	struct scenario_settings *settings = choose(f, SCENARIO_SERVER, 20);
	const struct scenario_summary *s;

	settings->target_qps = 100000;
	settings->target_latency = 3 * DELAY;
	f->server->delay = DELAY;
	f->cfg.workers = 1;
	s = run_scenario(f);
	assert_int_equal(s->counts.queries, 20);
	assert_true(s->counts.last_due < s->counts.last_done);
	assert_true(s->max >= 19 * DELAY - s->counts.last_due);
	assert_true(s->over >= 10);
	assert_false(s->latency_met);
	assert_false(s->valid);
}

static void server_is_the_same_with_any_number_of_threads(void **state)
{
	struct fixture *f = *state;
	uint64_t queries = 0;

	for (unsigned threads = 1; threads <= 3; threads++) {
		struct run_config cfg = f->cfg;

		choose(f, SCENARIO_SERVER, 500)->target_qps = 50000;
		f->cfg.threads = threads;
		run_scenario(f);
		if (threads > 1)
			assert_int_equal(f->result.scenario.counts.last_due, queries);
		queries = (uint64_t)f->result.scenario.counts.last_due;
		assert_int_equal(f->result.scenario.counts.queries, 500);
		start_over(f, &cfg);
	}
}

static void offline_repeats_the_dataset_in_order(void **state)
{
	struct fixture *f = *state;
	const struct scenario_summary *s;

	choose(f, SCENARIO_OFFLINE, 50);
	f->cfg.what.batch = 2;
	f->server->delay = DELAY / 10;
	s = run_scenario(f);
	assert_int_equal(s->counts.samples, 50);
	assert_int_equal(s->counts.queries, 1);
	assert_true(s->valid);
	/* A fake server answers one at a time, each thread has its own: 25 requests on 3 threads. */
	assert_true(s->max >= 8 * DELAY / 10);
	for (unsigned id = 0; id < ROWS; id += 2)
		assert_int_equal(atomic_load(&f->server->seen[id]), id < 10 ? 3 : 2);
}

static void accuracy_asks_each_row_once_in_every_scenario(void **state)
{
	struct fixture *f = *state;

	for (enum scenario scenario = SCENARIO_SINGLE_STREAM; scenario <= SCENARIO_OFFLINE; scenario++) {
		struct run_config cfg = f->cfg;
		struct scenario_settings *s = choose(f, scenario, 24576);

		s->mode = SCENARIO_ACCURACY;
		s->target_qps = scenario == SCENARIO_SERVER ? 100000 : 0;
		memset(f->server->seen, 0, sizeof(f->server->seen));
		run_scenario(f);
		check_seen(f, 0, ROWS, 1);
		assert_int_equal(f->result.scenario.counts.samples, ROWS);
		assert_true(f->result.scenario.valid);
		start_over(f, &cfg);
	}
}

static enum fake_action one_fails(struct fake_server *s, uint64_t id)
{
	(void)id;
	return atomic_fetch_add(&s->tries, 1) == 70 ? FAKE_ERROR : FAKE_RIGHT;
}

static void failed_query_makes_the_result_invalid(void **state)
{
	struct fixture *f = *state;
	const struct scenario_summary *s;

	choose(f, SCENARIO_SINGLE_STREAM, 150);
	f->cfg.ignore_errors = true;
	f->server->action = one_fails;
	s = run_scenario(f);
	assert_int_equal(s->counts.queries, 150);
	assert_int_equal(s->counts.failed, 1);
	assert_true(s->early_stopping_met);
	assert_false(s->valid);
}

static enum fake_action interrupts(struct fake_server *s, uint64_t id)
{
	(void)id;
	if (atomic_fetch_add(&s->tries, 1) == 70)
		atomic_store(&s->interrupt, 1);
	return FAKE_RIGHT;
}

static void interrupted_stream_is_cut_short(void **state)
{
	struct fixture *f = *state;
	const struct scenario_summary *s;

	choose(f, SCENARIO_SINGLE_STREAM, 1000000000);
	f->server->action = interrupts;
	s = run_scenario(f);
	assert_true(s->counts.cut_short);
	assert_false(s->min_queries_met);
	assert_false(s->valid);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		RUN_TEST(streams_take_the_workers_of_one_query_and_one_thread),
		RUN_TEST(server_schedule_reaches_the_minimum_duration),
		RUN_TEST(offline_query_is_a_tenth_larger_than_expected),
		RUN_TEST(rate_of_the_general_options_is_the_servers_target),
		RUN_TEST(what_a_scenario_decides_is_refused),
		RUN_TEST(single_stream_asks_one_at_a_time_until_the_minimum),
		RUN_TEST(single_stream_goes_on_until_the_minimum_duration),
		RUN_TEST(multi_stream_waits_for_all_eight_samples),
		RUN_TEST(tensor_batch_of_a_whole_query_is_one_request),
		RUN_TEST(server_latency_counts_from_the_schedule),
		RUN_TEST(server_is_the_same_with_any_number_of_threads),
		RUN_TEST(offline_repeats_the_dataset_in_order),
		RUN_TEST(accuracy_asks_each_row_once_in_every_scenario),
		RUN_TEST(failed_query_makes_the_result_invalid),
		RUN_TEST(interrupted_stream_is_cut_short),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
