#include "tests/support/process.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static void die(const char *what)
{
	fprintf(stderr, "tests/support: %s: %s\n", what, strerror(errno));
	abort();
}

static const char *program_folder(void)
{
	const char *folder = getenv("AIBENCH_BIN");

	return folder ? folder : "bin";
}

/* The program's path as execvp wants it: ours by absolute path, others by name. */
static void find_program(char *ret, size_t size, const char *name)
{
	char path[4096], *absolute;

	snprintf(ret, size, "%s", name);
	if (strchr(name, '/'))
		return;
	snprintf(path, sizeof(path), "%s/%s", program_folder(), name);
	if (access(path, X_OK) != 0)
		return;
	absolute = realpath(path, NULL);
	if (absolute)
		snprintf(ret, size, "%s", absolute);
	free(absolute);
}

static void run_child(const char *program, char *const *argv, const struct process_options *o, int in, int out, int err)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (dup2(in, STDIN_FILENO) < 0 || dup2(out, STDOUT_FILENO) < 0 || dup2(err, STDERR_FILENO) < 0)
		_exit(126);
	if (o && o->directory && chdir(o->directory) != 0)
		_exit(126);
	for (size_t i = 0; o && o->env && o->env[i]; i++)
		putenv((char *)(uintptr_t)o->env[i]);
	execvp(program, argv);
	fprintf(stderr, "cannot start %s: %s\n", program, strerror(errno));
	_exit(127);
}

void process_start(struct process *p, const char *const *argv, const struct process_options *o)
{
	char program[4096];
	int in, pipe_fds[2] = {-1, -1};

	find_program(program, sizeof(program), argv[0]);
	p->out_fd = memfd_create("stdout", MFD_CLOEXEC);
	p->err_fd = memfd_create("stderr", MFD_CLOEXEC);
	p->in_fd = -1;
	if (p->out_fd < 0 || p->err_fd < 0)
		die("memfd_create");
	if (o && o->pipe_stdin) {
		if (pipe2(pipe_fds, O_CLOEXEC) != 0)
			die("pipe2");
		in = pipe_fds[0];
		p->in_fd = pipe_fds[1];
	} else {
		in = open(o && o->stdin_path ? o->stdin_path : "/dev/null", O_RDONLY | O_CLOEXEC);
	}
	if (in < 0)
		die("standard input");
	fflush(NULL);
	p->pid = fork();
	if (p->pid < 0)
		die("fork");
	if (p->pid == 0)
		run_child(program, (char *const *)(uintptr_t)argv, o, in, p->out_fd, p->err_fd);
	close(in);
}

static char *read_all(int fd, size_t *ret_len)
{
	struct stat st;
	char *text;
	ssize_t n;

	if (fstat(fd, &st) != 0)
		die("fstat");
	text = malloc((size_t)st.st_size + 1);
	if (!text)
		die("malloc");
	n = pread(fd, text, (size_t)st.st_size, 0);
	if (n < 0)
		die("pread");
	text[n] = '\0';
	*ret_len = (size_t)n;
	close(fd);
	return text;
}

void process_wait(struct process *p, struct process_result *ret, double limit_seconds)
{
	struct pollfd pfd = {.fd = (int)syscall(SYS_pidfd_open, p->pid, 0), .events = POLLIN};
	int status = 0, ready;

	if (pfd.fd < 0)
		die("pidfd_open");
	do {
		ready = poll(&pfd, 1, (int)(limit_seconds * 1000));
	} while (ready < 0 && errno == EINTR);
	if (ready == 0)
		kill(p->pid, SIGKILL);
	if (waitpid(p->pid, &status, 0) < 0)
		die("waitpid");
	close(pfd.fd);
	if (p->in_fd >= 0)
		close(p->in_fd);
	p->pid = 0;
	ret->status = ready == 0 ? -1 : WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
	ret->out = read_all(p->out_fd, &ret->out_len);
	ret->err = read_all(p->err_fd, &ret->err_len);
}

bool process_running(const struct process *p)
{
	siginfo_t info = {0};

	return p->pid > 0 && waitid(P_PID, (id_t)p->pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid == 0;
}

void process_signal(const struct process *p, int signal)
{
	if (p->pid > 0)
		kill(p->pid, signal);
}

void process_run(struct process_result *ret, const char *const *argv, const struct process_options *o,
		 double limit_seconds)
{
	struct process p;

	process_start(&p, argv, o);
	process_wait(&p, ret, limit_seconds);
}

void process_result_release(struct process_result *r)
{
	free(r->out);
	free(r->err);
	*r = (struct process_result){0};
}

void temp_folder_new(char *ret, size_t size)
{
	const char *base = getenv("TMPDIR");

	snprintf(ret, size, "%s/aibench-test-XXXXXX", base ? base : "/tmp");
	if (!mkdtemp(ret))
		die("mkdtemp");
}

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

void temp_folder_remove(const char *path)
{
	nftw(path, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

/*
 * Takes the port of 127.0.0.1 where nobody has it, -1 elsewhere. The socket, which never listens, allows its address to
 * be used again only once it has it: from then on a server that allows the same can listen beside it, and nobody is given
 * the port who does not name it.
 */
static int hold_port(unsigned port)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;

	a.sin_port = htons((unsigned short)port);
	if (bind(fd, (struct sockaddr *)&a, sizeof(a)) != 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) != 0) {
		close(fd);
		return -1;
	}
	return fd;
}

/* A cluster's bus port is the port + 10000: both are to be free, and below the ports that outgoing connections take. */
unsigned short free_port(void)
{
	static unsigned salt;

	for (unsigned tries = 0; tries < 1000; tries++) {
		unsigned port = 12000 + ((unsigned)getpid() * 31u + tries * 7919u + 101u * salt++) % 10000;
		int held = hold_port(port);

		if (held >= 0 && hold_port(port + 10000) >= 0)
			return (unsigned short)port;
		if (held >= 0)
			close(held);
	}
	die("no free port");
	return 0;
}

const char *test_data(char *ret, size_t size, const char *name)
{
	const char *base = getenv("AIBENCH_TEST_DATA");

	snprintf(ret, size, "%s/%s", base ? base : "../shared/data", name);
	return access(ret, R_OK) == 0 ? ret : NULL;
}
