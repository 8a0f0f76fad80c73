/*
 * windows.c - windows of time and of counts.
 */
#include "runners/windows.h"

void windows_init(struct windows *w, const struct run_windows *cfg)
{
	*w = (struct windows){.cfg = cfg, .over = !cfg->ended};
}

nsec_t windows_deadline(const struct windows *w, nsec_t now)
{
	if (w->over)
		return NSEC_NEVER;
	if (!w->begun || w->cfg->requests > 0)
		return now + WINDOWS_GRAIN;
	return w->begin + w->cfg->length;
}

bool windows_end(struct windows *w, nsec_t now, uint64_t requests, bool burn_in)
{
	bool end;

	if (w->over)
		return false;
	if (!w->begun)
		end = w->begun = !burn_in;
	else if (w->cfg->requests > 0)
		end = requests - w->requests >= w->cfg->requests;
	else
		end = now >= w->begin + w->cfg->length;
	if (end) {
		w->begin = now;
		w->requests = requests;
	}
	return end;
}
