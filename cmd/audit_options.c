#include "cmd/audit_options.h"

#include "stats/audit.h"

#define FIELD(f) offsetof(struct audit_options, f)

const struct option audit_option_table[] = {
	{"percentile", OPTION_DOUBLE, FIELD(percentile),
	 "Highest `percentile` that you will read from the result: the verdict says whether it has answers enough for "
	 "it.",
	 50, 99.9999},
	{"strict", OPTION_BOOL, FIELD(strict),
	 "End in exit status 3 when a run's verdict is not VALID (CLIENT-LIMITED, UNSTABLE, TOO SHORT, ERRORS).", 0, 0},
	{0},
};

void audit_options_defaults(struct audit_options *o)
{
	*o = (struct audit_options){.percentile = AUDIT_PERCENTILE_DEFAULT};
}
