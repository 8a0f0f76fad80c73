#include "cmd/common_arrival.h"

#include <stddef.h>
#include <string.h>

#include "common/arith.h"

#define FIELD(f) offsetof(struct arrival_options, f)

const struct option arrival_option_table[] = {
	{"arrival", OPTION_STRING, FIELD(process),
	 "Arrival `process`: closed (a worker asks again when it was answered), constant or poisson; none: constant "
	 "with a "
	 "rate, else closed.",
	 0, 0},
	{"rate", OPTION_STRING, FIELD(rate),
	 "Inferences/s to send, on a `schedule` that does not wait for the server: 100, or 100:30s,200:30s, or "
	 "100..1000:60s.",
	 0, 0},
	{"limit-rps", OPTION_DOUBLE, FIELD(limit_rps),
	 "The same as -rate with one number; 0: as fast as the answers come.", 0, ARRIVAL_RATE_MAX},
	{"spin", OPTION_BOOL, FIELD(spin),
	 "With -rate: spin the last 100us before each request instead of sleeping; exact, and costs a core a thread.",
	 0, 0},
	{"warm-up", OPTION_DURATION, FIELD(warm_up),
	 "Time at the start whose inferences are left out of the statistics, as those of -burn-in.", 0, OPTION_YEAR},
	{"duration", OPTION_DURATION, FIELD(duration),
	 "Time after -warm-up in which inferences are sent; 0: until another limit.", 0, OPTION_YEAR},
	{"drain", OPTION_DURATION, FIELD(drain),
	 "How long to wait for what was due, when -duration or the schedule is over.", 1e6, OPTION_YEAR},
	{"repeat", OPTION_BOOL, FIELD(repeat), "Start the dataset again where it ends, until another limit.", 0, 0},
	{"order", OPTION_STRING, FIELD(order), "`order` of the dataset's rows: sequential or shuffled (by -seed).", 0,
	 0},
	{0},
};

void arrival_options_defaults(struct arrival_options *o)
{
	*o = (struct arrival_options){.process = "", .rate = "", .order = "sequential", .drain = RUN_DRAIN_DEFAULT};
}

/* ret->schedule, and whether there is one. */
static int choose_rate(struct run_config *ret, bool *ret_given, const struct arrival_options *o, struct error *err)
{
	bool limit = o->limit_rps > 0;

	if (limit && o->rate[0])
		return error_set(err, ERR_USAGE, "-rate and -limit-rps are the same: pass one of them");
	*ret_given = limit || o->rate[0];
	if (o->rate[0])
		return rate_schedule_parse(&ret->schedule, o->rate, err);
	if (limit && o->limit_rps < ARRIVAL_RATE_MIN)
		return error_set(err, ERR_USAGE, "-limit-rps %g: must be at least %g", o->limit_rps, ARRIVAL_RATE_MIN);
	rate_schedule_constant(&ret->schedule, o->limit_rps);
	return 0;
}

static int choose_process(struct run_config *ret, bool has_rate, const char *name, struct error *err)
{
	static const char *const names[] = {
		[ARRIVAL_CLOSED] = "closed", [ARRIVAL_CONSTANT] = "constant", [ARRIVAL_POISSON] = "poisson"};
	unsigned p = has_rate ? ARRIVAL_CONSTANT : ARRIVAL_CLOSED;

	if (name[0]) {
		for (p = 0; p < ARRAY_LEN(names) && strcmp(name, names[p]) != 0; p++)
			;
		if (p == ARRAY_LEN(names))
			return error_set(err, ERR_USAGE, "-arrival %s: must be closed, constant or poisson", name);
	}
	if (p == ARRIVAL_CLOSED && has_rate)
		return error_set(
			err, ERR_USAGE,
			"-arrival closed has no rate: it asks as fast as the answers come; drop -rate, or pass "
			"-arrival constant");
	if (p != ARRIVAL_CLOSED && !has_rate)
		return error_set(err, ERR_USAGE, "-arrival %s needs the rate: pass -rate too", name);
	ret->arrival = (enum arrival_process)p;
	return 0;
}

int arrival_options_config(struct run_config *ret, const struct arrival_options *o, struct error *err)
{
	struct run_config cfg = *ret;
	bool shuffled = strcmp(o->order, "shuffled") == 0, has_rate;
	int r;

	if (!shuffled && strcmp(o->order, "sequential") != 0)
		return error_set(err, ERR_USAGE, "-order %s: must be sequential or shuffled", o->order);
	r = choose_rate(&cfg, &has_rate, o, err);
	if (r == 0)
		r = choose_process(&cfg, has_rate, o->process, err);
	if (r < 0)
		return r;
	cfg.order = shuffled ? ROWS_SHUFFLED : ROWS_SEQUENTIAL;
	cfg.repeat = o->repeat;
	cfg.spin = o->spin;
	cfg.warm_up = o->warm_up;
	cfg.duration = o->duration;
	cfg.drain = o->drain;
	*ret = cfg;
	return 0;
}
