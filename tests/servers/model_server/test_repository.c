/*
 * test_repository.c - folders and files become served models, follow their changes, and stay whole under requests.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/file.h"
#include "servers/model_server/inference.h"
#include "tests/servers/model_server/http_models.h"
#include "tests/support/process.h"

#define WAIT_MS 20000

struct fixture {
	char folder[256];
	struct queue *queue;
	struct repository *repository;
	unsigned char *blobs[2];
	size_t lens[2];
	/* What the log has said so far. */
	pthread_mutex_t lock;
	pthread_cond_t changed;
	char log[16384];
};

static void keep_log(void *arg, const char *line)
{
	struct fixture *f = arg;
	size_t len;

	pthread_mutex_lock(&f->lock);
	len = strlen(f->log);
	snprintf(f->log + len, sizeof(f->log) - len, "%s\n", line);
	pthread_cond_broadcast(&f->changed);
	pthread_mutex_unlock(&f->lock);
}

/* Until the log says so: the repository looks every 5 milliseconds. */
static void wait_log(struct fixture *f, const char *text)
{
	struct timespec end;

	clock_gettime(CLOCK_REALTIME, &end);
	end.tv_sec += WAIT_MS / 1000;
	pthread_mutex_lock(&f->lock);
	while (!strstr(f->log, text)) {
		if (pthread_cond_timedwait(&f->changed, &f->lock, &end) != 0)
			fail_msg("the log never said '%s' but\n%s", text, f->log);
	}
	f->log[0] = '\0';
	pthread_mutex_unlock(&f->lock);
}

static int setup(void **state)
{
	const struct queue_config queue = {.name = "test", .threads = 2};
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	temp_folder_new(f->folder, sizeof(f->folder));
	pthread_mutex_init(&f->lock, NULL);
	pthread_cond_init(&f->changed, NULL);
	http_model_generate(MODEL_NO_REFERENCE_1, &f->blobs[0], &f->lens[0]);
	http_model_generate(MODEL_NO_REFERENCE_2, &f->blobs[1], &f->lens[1]);
	assert_int_equal(queue_new(&f->queue, &queue, NULL), 0);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	repository_free(f->repository);
	queue_free(f->queue);
	temp_folder_remove(f->folder);
	free(f->blobs[0]);
	free(f->blobs[1]);
	free(f);
	return 0;
}

static void open_repository(struct fixture *f, struct repository_config *cfg)
{
	struct error err = {""};

	cfg->queue = f->queue;
	cfg->log = keep_log;
	cfg->log_arg = f;
	if (repository_new(&f->repository, cfg, &err) < 0)
		fail_msg("%s", err.text);
}

static void put(struct fixture *f, const char *name, const void *data, size_t len)
{
	char path[512], *slash;
	struct error err;

	snprintf(path, sizeof(path), "%s/%s", f->folder, name);
	for (slash = strchr(path + strlen(f->folder) + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		mkdir(path, 0700);
		*slash = '/';
	}
	assert_int_equal(file_write(path, data, len, &err), 0);
}

/* First output value of the model for a row of ones. */
static float ask(struct served_model *m)
{
	static float ones[30];
	static const int64_t dims[] = {1, 30};
	struct tensor view, *in[] = {&view}, *out;
	struct model_context *c;
	float value;

	for (int i = 0; i < 30; i++)
		ones[i] = 1;
	assert_int_equal(tensor_view(&view, DTYPE_FLOAT, dims, 2, ones, sizeof(ones)), 0);
	assert_int_equal(model_context_new(&c, m->model, 1), 0);
	assert_int_equal(model_run(c, in, 1, &out, 1, &allocator_libc, NULL), 0);
	value = *(const float *)out->data;
	tensor_unref(out);
	model_context_free(c);
	return value;
}

static struct served_model *acquire(struct fixture *f, const char *name, int64_t version)
{
	struct served_model *m = NULL;
	struct error err;

	if (repository_acquire(&m, f->repository, name, strlen(name), version, DIALECT_TRITON, &err) < 0)
		return NULL;
	return m;
}

static void expect_version(struct fixture *f, const char *name, int64_t version, int64_t want)
{
	struct served_model *m = acquire(f, name, version);

	if (want == 0) {
		assert_null(m);
		return;
	}
	assert_non_null(m);
	assert_int_equal(m->version, want);
	served_model_unref(m);
}

static void highest_version_is_served_unless_one_is_asked_for(void **state)
{
	struct fixture *f = *state;
	struct repository_config cfg = {.folders = f->folder, .aliases = "short=fraud"};

	put(f, "fraud/2/model.graphdef", f->blobs[0], f->lens[0]);
	put(f, "fraud/0010/model.graphdef", f->blobs[1], f->lens[1]);
	put(f, "fraud/draft/model.graphdef", f->blobs[1], f->lens[1]);
	put(f, "fraud/3/notes.txt", "none", 4);
	open_repository(f, &cfg);
	expect_version(f, "fraud", 0, 10);
	expect_version(f, "fraud", 2, 2);
	expect_version(f, "fraud", 3, 0);
	expect_version(f, "short", 0, 10);
	expect_version(f, "frau", 0, 0);
	assert_true(repository_ready(f->repository));
}

static void a_broken_model_is_an_entry_with_its_error(void **state)
{
	struct fixture *f = *state;
	struct repository_config cfg = {.folders = f->folder};
	struct repository_entry *entries;
	size_t n;

	put(f, "bad/1/model.onnx", "this is no model", 16);
	put(f, "good/1/model.graphdef", f->blobs[0], f->lens[0]);
	open_repository(f, &cfg);
	expect_version(f, "good", 0, 1);
	expect_version(f, "bad", 0, 0);
	assert_false(repository_ready(f->repository));
	assert_int_equal(repository_list(&entries, &n, f->repository, NULL, 0), 0);
	assert_int_equal(n, 2);
	assert_string_equal(entries[0].name, "bad");
	assert_int_equal(entries[0].state, SERVED_END);
	assert_true(entries[0].error.text[0] != '\0');
	assert_null(entries[0].model);
	assert_int_equal(entries[1].state, SERVED_AVAILABLE);
	repository_list_free(entries, n);
}

static void config_names_tensors_shapes_and_batching(void **state)
{
	static const char config[] =
		"name: \"fraud\" max_batch_size: 16\n"
		"input { name: \"transaction\" data_type: TYPE_FP32 dims: [ 30 ] }\n"
		"output { name: \"out\" data_type: TYPE_FP32 dims: [ 2 ] }\n"
		"dynamic_batching { preferred_batch_size: [ 4, 8 ] max_queue_delay_microseconds: 50 }";
	static const char other[] = "name: \"someone\"", unknown[] = "input { name: \"amount\" }",
			  typed[] = "input { name: \"transaction\" data_type: TYPE_INT8 dims: [ 30 ] }";
	struct fixture *f = *state;
	struct repository_config cfg = {.folders = f->folder};
	struct served_model *m;

	put(f, "fraud/config.pbtxt", config, strlen(config));
	put(f, "fraud/1/model.graphdef", f->blobs[0], f->lens[0]);
	put(f, "misnamed/config.pbtxt", other, strlen(other));
	put(f, "misnamed/1/model.graphdef", f->blobs[0], f->lens[0]);
	put(f, "unknown/config.pbtxt", unknown, strlen(unknown));
	put(f, "unknown/1/model.graphdef", f->blobs[0], f->lens[0]);
	put(f, "typed/config.pbtxt", typed, strlen(typed));
	put(f, "typed/1/model.graphdef", f->blobs[0], f->lens[0]);
	open_repository(f, &cfg);
	m = acquire(f, "fraud", 0);
	assert_non_null(m);
	assert_int_equal(m->max_batch_size, 16);
	assert_int_equal(m->inputs[0].rank, 2);
	assert_int_equal(m->inputs[0].dims[0], -1);
	assert_int_equal(m->outputs[0].dims[1], 2);
	assert_int_equal(m->batching.size, 8);
	assert_int_equal(m->batching.min_size, 4);
	assert_int_equal(m->batching.min_timeout, 50 * NSEC_PER_USEC);
	served_model_unref(m);
	expect_version(f, "misnamed", 0, 0);
	expect_version(f, "unknown", 0, 0);
	expect_version(f, "typed", 0, 0);
}

static void files_are_named_on_the_command_line(void **state)
{
	struct fixture *f = *state;
	char models[1024];
	struct repository_config cfg = {.models = models,
					.batch_size = "fraud=32",
					.batch_timeout = NSEC_PER_MSEC,
					.inputs = "fraud=transaction",
					.outputs = "fraud=out",
					.labels = "fraud:stable=4"};
	struct served_model *m;
	struct error err;
	int64_t version;

	put(f, "a.pb", f->blobs[0], f->lens[0]);
	snprintf(models, sizeof(models), "fraud:4=%s/a.pb,found=%s/a.pb,gone=%s/b.pb", f->folder, f->folder, f->folder);
	open_repository(f, &cfg);
	m = acquire(f, "fraud", 4);
	assert_non_null(m);
	assert_int_equal(m->batching.size, 32);
	served_model_unref(m);
	m = acquire(f, "found", 0);
	assert_non_null(m);
	assert_int_equal(m->version, 1);
	assert_int_equal(m->batching.size, 0);
	assert_int_equal(m->ninputs, 1);
	assert_string_equal(m->inputs[0].name, "transaction");
	assert_int_equal(m->noutputs, 1);
	assert_string_equal(m->outputs[0].name, "out");
	served_model_unref(m);
	expect_version(f, "gone", 0, 0);
	assert_false(repository_ready(f->repository));
	assert_int_equal(repository_label(&version, f->repository, "fraud", 5, "stable", 6, &err), 0);
	assert_int_equal(version, 4);
	assert_int_equal(repository_label(&version, f->repository, "found", 5, "stable", 6, &err), ERR_INVALID);
}

static void wrong_words_are_usage_errors(void **state)
{
	static const struct repository_config cases[] = {
		{.models = "fraud"},        {.models = "=a.pb"},         {.models = "fraud="},
		{.models = "fraud:x=a.pb"}, {.models = "fraud:0=a.pb"},  {.aliases = "short"},
		{.labels = "fraud:a=one"},  {.batch_size = "many"},      {.models = "a=b.pb,,c=d.pb"},
		{.batch_size = "a=-1"},     {.models = "a=b.pb,a=c.pb"}, {.models = "a:2=b.pb,a:2=c.pb"},
		{.aliases = "a=b,a=c"},     {.batch_size = "8,16"},      {.labels = "a:x=1,a:x=2"},
		{.inputs = "a=b,a=c"},      {.aliases = "a=b,b=c,c=a"},  {.aliases = "a=a"},
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct repository_config cfg = cases[i];
		struct error err = {""};

		cfg.queue = f->queue;
		assert_int_equal(repository_new(&f->repository, &cfg, &err), ERR_USAGE);
		assert_true(err.text[0] == '-');
	}
	assert_null(f->repository);
}

static void aliases_of_aliases_are_followed(void **state)
{
	struct fixture *f = *state;
	char models[600];
	struct repository_config cfg = {.models = models, .aliases = "a=b,b=c,c=fraud,d=a"};

	put(f, "a.pb", f->blobs[0], f->lens[0]);
	snprintf(models, sizeof(models), "fraud:4=%s/a.pb", f->folder);
	open_repository(f, &cfg);
	expect_version(f, "a", 0, 4);
	expect_version(f, "c", 0, 4);
	expect_version(f, "d", 4, 4);
	assert_string_equal(strchr(f->log, '\n'), "\n");
}

/* Of one that a folder may bring later nothing is said. */
static void settings_of_models_that_are_not_there_are_told(void **state)
{
	struct fixture *f = *state;
	char models[600], want[1200];
	struct repository_config cfg = {.models = models,
					.inputs = "none=x",
					.outputs = "s=x",
					.aliases = "s=fraud,t=nothing",
					.labels = "s:x=1,fraud:x=1,other:x=2",
					.batch_size = "0,friad=8"};

	put(f, "a.pb", f->blobs[0], f->lens[0]);
	snprintf(models, sizeof(models), "fraud=%s/a.pb", f->folder);
	open_repository(f, &cfg);
	snprintf(want, sizeof(want),
		 "loaded fraud version 1 from %s/a.pb\n-inputs none: there is no such model\n"
		 "-outputs s: there is no such model\n-alias nothing: there is no such model\n"
		 "-label other: there is no such model\n-batch-size friad: there is no such model\n",
		 f->folder);
	assert_string_equal(f->log, want);
	repository_free(f->repository);
	f->repository = NULL;
	f->log[0] = '\0';
	cfg.folders = f->folder;
	cfg.poll_interval = 3600 * NSEC_PER_SEC;
	open_repository(f, &cfg);
	assert_null(strstr(f->log, "no such model"));
}

static void folders_without_models_are_told(void **state)
{
	struct fixture *f = *state;
	struct repository_config cfg = {.folders = f->folder};
	char want[1200];

	open_repository(f, &cfg);
	snprintf(want, sizeof(want), "%s: there is no model in it\n", f->folder);
	assert_string_equal(f->log, want);
	repository_free(f->repository);
	f->repository = NULL;
	f->log[0] = '\0';
	put(f, "empty/7/readme", "x", 1);
	put(f, "fraud/1/saved_model.pb", "no model", 8);
	open_repository(f, &cfg);
	snprintf(want, sizeof(want), "%s/empty: there is no version with a model in it\n", f->folder);
	assert_memory_equal(f->log, want, strlen(want));
	assert_null(strstr(f->log, "there is no model in it"));
}

static void changes_are_followed_and_requests_keep_their_model(void **state)
{
	struct fixture *f = *state;
	struct repository_config cfg = {.folders = f->folder, .poll_interval = 5 * NSEC_PER_MSEC};
	struct served_model *held, *m;
	float before, after;
	char path[512];

	put(f, "fraud/1/model.graphdef", f->blobs[0], f->lens[0]);
	open_repository(f, &cfg);
	held = acquire(f, "fraud", 0);
	assert_non_null(held);
	before = ask(held);

	put(f, "fraud/1/model.graphdef", f->blobs[1], f->lens[1]);
	wait_log(f, "reloaded fraud version 1");
	m = acquire(f, "fraud", 0);
	assert_ptr_not_equal(m, held);
	after = ask(m);
	assert_true(before != after);
	served_model_unref(m);

	put(f, "fraud/2/model.graphdef", f->blobs[0], f->lens[0]);
	wait_log(f, "loaded fraud version 2");
	expect_version(f, "fraud", 0, 2);

	put(f, "fraud/2/model.graphdef", "broken", 6);
	wait_log(f, "(the old one stays)");
	expect_version(f, "fraud", 0, 2);

	snprintf(path, sizeof(path), "%s/fraud/2/model.graphdef", f->folder);
	assert_int_equal(unlink(path), 0);
	wait_log(f, "unloaded fraud version 2");
	expect_version(f, "fraud", 0, 1);
	expect_version(f, "fraud", 2, 0);

	assert_true(ask(held) == before);
	served_model_unref(held);
}

static void post(struct inference *inf)
{
	sem_post(inf->arg);
}

static void real_repositories_load_and_answer(void **state)
{
	static const int64_t dims[] = {3};
	static const float in[] = {1, 2, 5}, want[] = {2.5, 3, 4.5};
	struct fixture *f = *state;
	char saved[512], triton[512], folders[1100];
	struct repository_config cfg = {.folders = folders};
	struct inference *inf;
	struct tensor *t;
	sem_t done;
	int i;

	if (!test_data(saved, sizeof(saved), "models/savedmodel") ||
	    !test_data(triton, sizeof(triton), "models/triton"))
		skip();
	snprintf(folders, sizeof(folders), "%s,%s", saved, triton);
	open_repository(f, &cfg);
	assert_true(repository_ready(f->repository));
	expect_version(f, "reference", 0, 2);
	expect_version(f, "noreference", 0, 1);
	expect_version(f, "simple", 0, 1);
	expect_version(f, "simple_int8", 1, 1);
	expect_version(f, "saved_model_half_plus_two_tflite", 0, 123);
	assert_int_equal(inference_new(&inf, acquire(f, "saved_model_half_plus_two_cpu", 123), DIALECT_TENSORFLOW), 0);
	i = inference_find(inf, "x", 1, DTYPE_FLOAT, dims, 1);
	if (i < 0)
		fail_msg("%s", inf->error.text);
	assert_int_equal(tensor_new(&t, DTYPE_FLOAT, dims, 1, true, &allocator_libc), 0);
	memcpy(t->data, in, sizeof(in));
	inference_set(inf, (size_t)i, t);
	inf->done = post;
	inf->arg = &done;
	assert_int_equal(sem_init(&done, 0, 0), 0);
	if (!inference_run(inf))
		sem_wait(&done);
	assert_int_equal(inf->result, 0);
	i = served_model_output(inf->model, "y", 1);
	assert_true(i >= 0);
	assert_memory_equal(inf->out[i]->data, want, sizeof(want));
	inference_free(inf);
	sem_destroy(&done);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(highest_version_is_served_unless_one_is_asked_for),
		TEST(a_broken_model_is_an_entry_with_its_error),
		TEST(config_names_tensors_shapes_and_batching),
		TEST(files_are_named_on_the_command_line),
		TEST(wrong_words_are_usage_errors),
		TEST(aliases_of_aliases_are_followed),
		TEST(settings_of_models_that_are_not_there_are_told),
		TEST(folders_without_models_are_told),
		TEST(changes_are_followed_and_requests_keep_their_model),
		TEST(real_repositories_load_and_answer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
