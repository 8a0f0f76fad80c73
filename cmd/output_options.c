#include "cmd/output_options.h"

#include <stddef.h>

#define FIELD(f) offsetof(struct output_options, f)

const struct option output_option_table[] = {
	{"hlog-out-file", OPTION_OUTPUT, FIELD(hlog_file),
	 "`file` to write an interval log to (HdrHistogram's .hlog): the histograms of each -reporting-period.", 0, 0},
	{"csv-out-file", OPTION_OUTPUT, FIELD(csv_file),
	 "`file` to write a table to (CSV): a row with rate, outcomes and quantiles for each -reporting-period.", 0, 0},
	{"response-hgrm-out-file", OPTION_OUTPUT, FIELD(response_hgrm_file),
	 "`file` to write the distribution of response times to (.hgrm, milliseconds); in a closed loop they are the "
	 "service times.",
	 0, 0},
	{"replay", OPTION_PATH, FIELD(replay_file),
	 "Result `file` (-json-out-file) of a run to repeat with its options, but for the files it wrote; options "
	 "given "
	 "beside it win.",
	 0, 0},
	{"stages", OPTION_BOOL, FIELD(stages),
	 "Time the stages of each request apart: encoding, model call and, of model servers, decoding; up to two "
	 "readings of the clock more.",
	 0, 0},
	{"network-baseline", OPTION_BOOL, FIELD(network_baseline),
	 "Ping the server before each run, for some 0.2s, so that the result tells how far away it is.", 0, 0},
	{0},
};

void output_options_defaults(struct output_options *o)
{
	*o = (struct output_options){
		.replay_file = "", .hlog_file = "", .csv_file = "", .response_hgrm_file = "", .network_baseline = true};
}
