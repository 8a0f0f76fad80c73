/*
 * common_arrival.h - the options that say when a run asks and for how long: arrival process, rate, order, limits of time.
 */
#ifndef CMD_COMMON_ARRIVAL_H
#define CMD_COMMON_ARRIVAL_H

#include "common/error.h"
#include "common/options.h"
#include "runners/runner.h"

struct arrival_options {
	const char *process, *rate, *order;
	double limit_rps;
	nsec_t warm_up, duration, drain;
	bool repeat, spin;
};

extern const struct option arrival_option_table[];
void arrival_options_defaults(struct arrival_options *o);

/* Sets what they ask for in *ret; the rest of it stays. ERR_USAGE with the option's name in err. */
int arrival_options_config(struct run_config *ret, const struct arrival_options *o, struct error *err) MUST_CHECK;

#endif
