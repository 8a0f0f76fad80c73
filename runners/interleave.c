/*
 * interleave.c - the order of the runs, and each of them as a process.
 */
#include "runners/interleave.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/arith.h"
#include "common/file.h"
#include "common/rng.h"

#define STDERR_MAX ((size_t)1 << 20)
#define OWN_WORDS 3 /* that are added to a command line */

/* What one run is made of; all owned. */
struct block_files {
	char *json, *hgrm, *out, *err;
};

struct interleave_block interleave_block_at(uint64_t seed, unsigned k)
{
	unsigned pair = k / 2;
	bool second = k % 2, turned = pair % 2;
	struct rng rng;

	rng_init_at(&rng, seed, pair / 2);
	turned ^= rng_next(&rng) & 1;
	return (struct interleave_block){.side = second ^ turned ? 'b' : 'a', .pair = pair + 1};
}

char *interleave_path(const char *folder, const struct interleave_block *block, const char *extension)
{
	char *ret;

	if (asprintf(&ret, "%s/%c_%03u.%s", folder, block->side, block->pair, extension) < 0)
		return NULL;
	return ret;
}

/* Options that cannot stand in a command line, and why. */
static const struct {
	const char *name, *why;
} refused[] = {
	{"seed", "which is given to each pair: pass -seed to interleaving"},
	{"json-out-file", "which is in the results' folder for each run"},
	{"output-file-stats-hdr-response-latency-hist", "which is in the results' folder for each run"},
	{"repetitions", "but each run is one: pass more pairs"},
	{"sweep", "but each run is one"},
	{"search", "but each run is one"},
	{"hlog-out-file", "which each run would write anew"},
	{"csv-out-file", "which each run would write anew"},
	{"summary-out-file", "which each run would write anew"},
	{"summary-csv-out-file", "which each run would write anew"},
	{"response-hgrm-out-file", "which each run would write anew"},
	{"mlperf-summary", "which each run would write anew"},
	{"accuracy-log", "which each run would write anew"},
	{"record-answers", "which each run would write anew"},
};

int interleave_check(char *const *words, char side, struct error *err)
{
	char name = side == 'a' ? 'A' : 'B';

	if (!words[0] || words[0][0] == '-' || !words[0][0])
		return error_set(err, ERR_USAGE,
				 "-interleave: %c begins with no program: -interleave N -- A... -- B...", name);
	for (size_t i = 1; words[i]; i++) {
		const char *option = words[i] + strspn(words[i], "-");
		size_t len = strcspn(option, "=");

		for (size_t k = 0; option != words[i] && k < ARRAY_LEN(refused); k++) {
			if (strlen(refused[k].name) == len && memcmp(refused[k].name, option, len) == 0)
				return error_set(err, ERR_USAGE, "-interleave: %c has -%s, %s", name, refused[k].name,
						 refused[k].why);
		}
	}
	return 0;
}

static void block_files_release(struct block_files *f)
{
	free(f->json);
	free(f->hgrm);
	free(f->out);
	free(f->err);
}

static int block_files_init(struct block_files *f, const char *folder, const struct interleave_block *block)
{
	*f = (struct block_files){
		.json = interleave_path(folder, block, "json"),
		.hgrm = interleave_path(folder, block, "hgrm"),
		.out = interleave_path(folder, block, "out"),
		.err = interleave_path(folder, block, "err"),
	};
	if (f->json && f->hgrm && f->out && f->err)
		return 0;
	block_files_release(f);
	return ERR_NOMEM;
}

/* The command line and what interleaving adds to it; of an option given twice the last one counts. The first own are
 * malloc'd: words_free. */
static char **words_make(char *const *command, const struct block_files *f, uint64_t seed)
{
	size_t n = 0;
	char **words, *own[OWN_WORDS] = {NULL};

	while (command[n])
		n++;
	words = calloc(n + OWN_WORDS + 1, sizeof(*words));
	if (asprintf(&own[0], "-seed=%" PRId64, (int64_t)seed) < 0)
		own[0] = NULL;
	if (asprintf(&own[1], "-json-out-file=%s", f->json) < 0)
		own[1] = NULL;
	if (asprintf(&own[2], "-output-file-stats-hdr-response-latency-hist=%s", f->hgrm) < 0)
		own[2] = NULL;
	if (!words || !own[0] || !own[1] || !own[2]) {
		for (size_t i = 0; i < OWN_WORDS; i++)
			free(own[i]);
		free(words);
		return NULL;
	}
	memcpy(words, command, n * sizeof(*words));
	memcpy(words + n, own, sizeof(own));
	return words;
}

static void words_free(char **words)
{
	size_t n = 0;

	while (words && words[n])
		n++;
	for (size_t i = 0; words && i < OWN_WORDS; i++)
		free(words[n - 1 - i]);
	free(words);
}

/* In a process group of its own: the terminal's ^C comes to us alone, and is handed on once. mask: that of before. */
static int spawn(pid_t *ret, char *const *words, const struct block_files *f, const sigset_t *mask)
{
	posix_spawn_file_actions_t files;
	posix_spawnattr_t attributes;
	sigset_t defaults;
	int e = posix_spawn_file_actions_init(&files);

	if (e)
		return e;
	e = posix_spawnattr_init(&attributes);
	if (e) {
		posix_spawn_file_actions_destroy(&files);
		return e;
	}
	sigfillset(&defaults);
	posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
	posix_spawnattr_setpgroup(&attributes, 0);
	posix_spawnattr_setsigmask(&attributes, mask);
	posix_spawnattr_setsigdefault(&attributes, &defaults);
	e = posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
	if (!e)
		e = posix_spawn_file_actions_addopen(&files, STDOUT_FILENO, f->out, O_WRONLY | O_CREAT | O_TRUNC, 0666);
	if (!e)
		e = posix_spawn_file_actions_addopen(&files, STDERR_FILENO, f->err, O_WRONLY | O_CREAT | O_TRUNC, 0666);
	if (!e)
		e = posix_spawnp(ret, words[0], &files, &attributes, words, environ);
	posix_spawnattr_destroy(&attributes);
	posix_spawn_file_actions_destroy(&files);
	return e;
}

/* signals: blocked, SIGCHLD among them, so that none is lost between a look and a wait. */
static int wait_for_end(pid_t pid, const sigset_t *signals, int *ret_status, int *ret_signal)
{
	for (;;) {
		pid_t ended = waitpid(pid, ret_status, WNOHANG);
		int signo;

		if (ended == pid)
			return 0;
		if (ended < 0 && errno != EINTR)
			return errno;
		signo = sigwaitinfo(signals, NULL);
		if (signo > 0 && signo != SIGCHLD) {
			kill(pid, *ret_signal ? SIGKILL : signo);
			*ret_signal = signo;
		}
	}
}

/* The last line that a failed program wrote to stderr, at the end of err's text. */
static void append_last_line(struct error *err, const char *path)
{
	size_t len, begin, used = strlen(err->text);
	char *text;

	if (file_read(&text, &len, path, STDERR_MAX, NULL) < 0)
		return;
	while (len > 0 && (text[len - 1] == '\n' || text[len - 1] == '\r'))
		len--;
	for (begin = len; begin > 0 && text[begin - 1] != '\n'; begin--)
		;
	for (size_t i = begin; i < len; i++)
		text[i] = (unsigned char)text[i] < ' ' ? ' ' : text[i];
	if (len > begin)
		snprintf(err->text + used, sizeof(err->text) - used, ": %.*s", (int)(len - begin), text + begin);
	free(text);
}

static int judge_end(const struct interleave_block *block, const struct block_files *f, const char *program, int status,
		     struct error *err)
{
	char side = block->side == 'a' ? 'A' : 'B', how[64];
	int r;

	if (WIFEXITED(status) && WEXITSTATUS(status) == 0) {
		if (access(f->json, R_OK) == 0)
			return 0;
		return error_set(err, ERR_NOT_FOUND, "run %u of %c (%s) wrote no result: %s is not there", block->pair,
				 side, program, f->json);
	}
	if (WIFSIGNALED(status))
		snprintf(how, sizeof(how), "was ended by signal %d", WTERMSIG(status));
	else
		snprintf(how, sizeof(how), "ended with status %d", WEXITSTATUS(status));
	r = error_set(err, ERR_SERVER, "run %u of %c (%s) %s", block->pair, side, program, how);
	if (err)
		append_last_line(err, f->err);
	return r;
}

static int run_block(const struct interleave_config *cfg, const struct interleave_block *block, const sigset_t *signals,
		     const sigset_t *mask, int *ret_signal, struct error *err)
{
	char *const *command = block->side == 'a' ? cfg->a : cfg->b;
	struct block_files files;
	char **words = NULL;
	int r = block_files_init(&files, cfg->folder, block), e, status = 0;
	pid_t pid = 0;

	if (r < 0)
		return error_set(err, (enum error_code)r, "out of memory");
	words = words_make(command, &files, cfg->seed + block->pair);
	if (!words) {
		r = error_set(err, ERR_NOMEM, "out of memory");
		goto out;
	}
	unlink(files.json); /* an old one must not be taken for this run's */
	e = spawn(&pid, words, &files, mask);
	if (e) {
		r = error_set_errno(err, ERR_IO, e, "run %u of %c: cannot start %s with its output in %s", block->pair,
				    block->side == 'a' ? 'A' : 'B', words[0], files.out);
		goto out;
	}
	e = wait_for_end(pid, signals, &status, ret_signal);
	if (e)
		r = error_set_errno(err, ERR_IO, e, "cannot wait for %s", words[0]);
	else if (*ret_signal)
		r = error_set(err, ERR_CANCELED,
			      "interrupted in pair %u of %u: compare the whole ones of %s with -paired", block->pair,
			      cfg->pairs, cfg->folder);
	else
		r = judge_end(block, &files, words[0], status, err);
	if (r == 0 && cfg->finished)
		cfg->finished(cfg->arg, block, files.json);
out:
	words_free(words);
	block_files_release(&files);
	return r;
}

/* Earlier runs beside these would be taken for runs of the same set-ups. */
static int check_empty(const char *folder, struct error *err)
{
	DIR *dir = opendir(folder);
	const struct dirent *entry;
	int r = 0;

	if (!dir)
		return error_set_errno(err, ERR_IO, errno, "%s: cannot look into the folder of the results", folder);
	while (r == 0 && (entry = readdir(dir)) != NULL) {
		unsigned pair;
		char side, end;

		if (sscanf(entry->d_name, "%c_%u.jso%c", &side, &pair, &end) == 3 && (side == 'a' || side == 'b') &&
		    end == 'n')
			r = error_set(
				err, ERR_USAGE,
				"%s has runs of before (%s): name another folder with -results-dir, or empty this one",
				folder, entry->d_name);
	}
	closedir(dir);
	return r;
}

int interleave_run(const struct interleave_config *cfg, int *ret_signal, struct error *err)
{
	struct sigaction before;
	sigset_t signals, mask;
	int r = interleave_check(cfg->a, 'a', err);

	if (r == 0)
		r = interleave_check(cfg->b, 'b', err);
	if (r == 0 && mkdir(cfg->folder, 0777) < 0 && errno != EEXIST)
		r = error_set_errno(err, ERR_IO, errno, "%s: cannot make the folder of the results", cfg->folder);
	if (r == 0)
		r = check_empty(cfg->folder, err);
	if (r < 0)
		return r;
	*ret_signal = 0;
	sigemptyset(&signals);
	sigaddset(&signals, SIGCHLD);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGHUP);
	/* Ignored children would leave no status. */
	sigaction(SIGCHLD, &(struct sigaction){.sa_handler = SIG_DFL}, &before);
	sigprocmask(SIG_BLOCK, &signals, &mask);
	for (unsigned k = 0; r == 0 && k < 2 * cfg->pairs; k++) {
		struct interleave_block block = interleave_block_at(cfg->seed, k);

		r = run_block(cfg, &block, &signals, &mask, ret_signal, err);
	}
	sigprocmask(SIG_SETMASK, &mask, NULL);
	sigaction(SIGCHLD, &before, NULL);
	return r;
}
