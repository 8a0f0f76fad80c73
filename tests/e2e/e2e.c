#include "tests/e2e/e2e.h"

#include <dirent.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

const char *path_in(char *path, size_t size, const char *folder, const char *name)
{
	assert_true((size_t)snprintf(path, size, "%s/%s", folder, name) < size);
	return path;
}

char *read_file(const char *path, size_t *ret_len)
{
	FILE *f = fopen(path, "rb");
	char *data = NULL;
	size_t len = 0;

	if (!f)
		fail_msg("%s is not there", path);
	for (size_t n = 1; n > 0; len += n) {
		data = realloc(data, len + 65536 + 1);
		assert_non_null(data);
		n = fread(data + len, 1, 65536, f);
	}
	fclose(f);
	data[len] = '\0';
	if (ret_len)
		*ret_len = len;
	return data;
}

void write_file(const char *path, const void *data, size_t len)
{
	FILE *f = fopen(path, "wb");

	assert_non_null(f);
	assert_int_equal(fwrite(data, 1, len, f), len);
	assert_int_equal(fclose(f), 0);
}

unsigned count_files(const char *folder)
{
	DIR *d = opendir(folder);
	unsigned n = 0;

	assert_non_null(d);
	for (const struct dirent *e; (e = readdir(d));)
		n += strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0;
	closedir(d);
	return n;
}

static void show(const struct process_result *r, const char *program)
{
	/* Not by cmocka's functions: they cut long texts. */
	fprintf(stderr, "# %s ended with status %d\n--- stdout\n%s\n--- stderr\n%s\n", program, r->status, r->out,
		r->err);
}

void run_ok(struct process_result *r, const char *const *words, const struct process_options *o)
{
	process_run(r, words, o, LIMIT_SECONDS);
	if (r->status != 0) {
		show(r, words[0]);
		process_result_release(r);
		fail_msg("%s failed", words[0]);
	}
}

void run_quietly(const char *const *words)
{
	struct process_result r;

	run_ok(&r, words, NULL);
	process_result_release(&r);
}

void check_holds(const char *output, const char *const *texts)
{
	for (size_t i = 0; texts[i]; i++)
		if (!strstr(output, texts[i])) {
			fprintf(stderr, "--- output\n%s\n", output);
			fail_msg("not in the output: %s", texts[i]);
		}
}

void run_prints(const char *const *words, const char *const *texts)
{
	struct process_result r;

	run_ok(&r, words, NULL);
	check_holds(r.out, texts);
	process_result_release(&r);
}

void check_file(const char *path, const char *const *texts)
{
	char *text = read_file(path, NULL);

	check_holds(text, texts);
	free(text);
}

static bool has_lines(const char *output, const void *arg)
{
	const unsigned *lines = arg;
	unsigned seen = 0;

	for (; (output = strchr(output, '\n')); output++)
		seen++;
	return seen >= *lines;
}

static bool has_text(const char *output, const void *arg)
{
	return strstr(output, arg) != NULL;
}

static void wait_until(struct process *p, bool (*has)(const char *output, const void *arg), const void *arg)
{
	const struct timespec pause = {.tv_nsec = 5000000};
	struct process_result r;
	char output[65536];

	for (int i = 0; i < (int)LIMIT_SECONDS * 200 && process_running(p); i++) {
		ssize_t n = pread(p->out_fd, output, sizeof(output) - 1, 0);

		output[n > 0 ? n : 0] = '\0';
		if (has(output, arg))
			return;
		nanosleep(&pause, NULL);
	}
	process_signal(p, SIGKILL);
	process_wait(p, &r, LIMIT_SECONDS);
	show(&r, "the program");
	process_result_release(&r);
	fail_msg("it never came to print what is waited for");
}

void wait_for_lines(struct process *p, unsigned lines)
{
	wait_until(p, has_lines, &lines);
}

void wait_for_output(struct process *p, const char *text)
{
	wait_until(p, has_text, text);
}

/* What is wrong with one line of error, or NULL. */
static const char *judge_error_line(const char *err, const char *program, const char *const *texts)
{
	const char *end = strchr(err, '\n');

	if (!end)
		return "no whole line on stderr";
	if (end[1] != '\0')
		return "more than one line on stderr";
	if (strncmp(err, program, strlen(program)) != 0 || strncmp(err + strlen(program), ": ", 2) != 0)
		return "the line does not begin with the program's name";
	for (size_t i = 0; texts[i]; i++)
		if (!strstr(err, texts[i]))
			return texts[i];
	return NULL;
}

void check_failed(struct process_result *r, const char *program, int status, const char *const *texts)
{
	const char *wrong = judge_error_line(r->err, program, texts);

	if (r->status == status && !wrong) {
		process_result_release(r);
		return;
	}
	show(r, program);
	fail_msg("expected status %d, got %d%s; %s%s", status, r->status, r->status == -1 ? " (it hangs)" : "",
		 wrong ? "not as expected: " : "the line is fine", wrong ? wrong : "");
}

void run_fails(int status, const char *const *words, const struct process_options *o, const char *const *texts)
{
	struct process_result r;

	process_run(&r, words, o, LIMIT_SECONDS);
	check_failed(&r, words[0], status, texts);
}

/* What a relative path named stays named when the working folder changes. */
static void pin_path(const char *variable, const char *default_path)
{
	const char *path = getenv(variable);
	char *absolute = realpath(path ? path : default_path, NULL);

	if (absolute)
		assert_int_equal(setenv(variable, absolute, 1), 0);
	free(absolute);
}

struct fraud_files files;

int fraud_files_set_up(void **state)
{
	struct fraud_files *f = &files;

	(void)state;
	temp_folder_new(f->folder, sizeof(f->folder));
	/* Programs write files by default where they are called: in the folder that is removed. */
	pin_path("AIBENCH_BIN", "bin");
	pin_path("AIBENCH_TEST_DATA", "../shared/data");
	assert_int_equal(chdir(f->folder), 0);
	path_in(f->data, sizeof(f->data), f->folder, "fraud.dat");
	path_in(f->model, sizeof(f->model), f->folder, "fraud.pb");
	path_in(f->model_noreference, sizeof(f->model_noreference), f->folder, "fraud_noreference.pb");
	run_quietly(WORDS("aibench_generate_data", "-use-case", "creditcard-fraud", "-max-transactions", TEST_ROWS_TEXT,
			  "-output-file", f->data));
	run_quietly(WORDS("aibench_generate_model", "-model=fraud", "-output-file", f->model));
	run_quietly(WORDS("aibench_generate_model", "-model=fraud-noreference", "-output-file", f->model_noreference));
	return 0;
}

int fraud_files_tear_down(void **state)
{
	(void)state;
	temp_folder_remove(files.folder);
	return 0;
}

void load_fraud(const struct redis_server *s)
{
	char host[64];

	snprintf(host, sizeof(host), "127.0.0.1:%s", s->port_text);
	run_quietly(WORDS(LOAD_MODEL, "-redis-host", host, "-model=financialNet", "-model-file", files.model,
			  "-inputs=transaction,reference", "-outputs=output"));
	run_quietly(WORDS(LOAD_MODEL, "-redis-host", host, "-model=financialNet_NoReference", "-model-file",
			  files.model_noreference, "-inputs=transaction", "-outputs=out"));
	run_quietly(WORDS(LOAD, "-redis-host", host, "-file", files.data, "-set-blob=false", "-pipeline", "50"));
}
