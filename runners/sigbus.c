#include "runners/sigbus.h"

#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

static struct {
	_Atomic(const struct dataset *) dataset;
	_Atomic(const struct answers *) answers;
	_Atomic enum sigbus_hit hit;
	uintptr_t page_size;
	struct sigaction previous;
} guard;

/* Not mmap(): async-signal-safe in writing, and ThreadSanitizer, which takes its replacement of a page for a write to
 * it, does not see the system call. */
static bool map_zeros(char *page)
{
	return syscall(SYS_mmap, page, guard.page_size, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) !=
	       -1;
}

/* Async-signal-safe: atomics and a system call. */
static void on_sigbus(int signo, siginfo_t *info, void *context)
{
	const struct dataset *d = atomic_load(&guard.dataset);
	const struct answers *a = atomic_load(&guard.answers);
	enum sigbus_hit hit = SIGBUS_NONE;
	char *page = (char *)info->si_addr - ((uintptr_t)info->si_addr & (guard.page_size - 1));

	(void)context;
	if (d && dataset_contains(d, info->si_addr))
		hit = SIGBUS_DATASET;
	else if (a && answers_contains(a, info->si_addr))
		hit = SIGBUS_ANSWERS;
	if (hit != SIGBUS_NONE && map_zeros(page)) {
		atomic_store(&guard.hit, hit);
		return;
	}
	/* Not ours: the instruction faults again, under what was there before us. */
	sigaction(signo, &guard.previous, NULL);
}

int sigbus_guard_install(const struct dataset *d, const struct answers *answers, struct error *err)
{
	const struct dataset *nobody = NULL;
	struct sigaction action = {.sa_sigaction = on_sigbus, .sa_flags = SA_SIGINFO | SA_NODEFER};

	if (!atomic_compare_exchange_strong(&guard.dataset, &nobody, d))
		return error_set(err, ERR_EXISTS, "another run is under way in this process");
	guard.page_size = (uintptr_t)sysconf(_SC_PAGESIZE);
	atomic_store(&guard.answers, answers);
	atomic_store(&guard.hit, SIGBUS_NONE);
	sigemptyset(&action.sa_mask);
	sigaction(SIGBUS, &action, &guard.previous);
	return 0;
}

void sigbus_guard_remove(void)
{
	sigaction(SIGBUS, &guard.previous, NULL);
	atomic_store(&guard.answers, NULL);
	atomic_store(&guard.dataset, NULL);
}

enum sigbus_hit sigbus_guard_hit(void)
{
	return atomic_load_explicit(&guard.hit, memory_order_relaxed);
}
