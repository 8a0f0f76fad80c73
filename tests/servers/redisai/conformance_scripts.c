/*
 * conformance_scripts.c - rows of AI.SCRIPTSTORE, AI.SCRIPTSET, AI.SCRIPTGET, AI.SCRIPTDEL, AI._SCRIPTSCAN,
 * AI.SCRIPTEXECUTE and AI.SCRIPTRUN, with the backend of the tests (backend/torch.c) in the place of TORCH.
 */
#include "common/arith.h"
#include "tests/servers/redisai/conformance.h"

#define SHORT "\"def short(t, k, a): none\""
#define SHOWN(device, tag, entry_points) \
	"\"device\" \"" device "\" \"tag\" \"" tag "\" \"Entry Points\" [" entry_points "]"
#define SCOPE_FIRST "-ERR KEYS or INPUTS scope must be provided first for AI.SCRIPTEXECUTE command"
#define NO_ENTRY_POINTS "-ERR Insufficient arguments, missing script entry points"
#define NO_SOURCE "-ERR Insufficient arguments, missing script SOURCE"
#define KEYS_COUNT "-ERR Invalid or negative value found in number of KEYS"
#define NO_TIMEOUT "-ERR TIMEOUT not allowed within a DAG command"
#define MISMATCH(what) \
	"-ERR number of " what " to AI.SCRIPTEXECUTE command does not match the number of given arguments"
#define STORE_ALL "AI.SCRIPTSTORE {t}s CPU TAG t:1 ENTRY_POINTS 6 first sum list words none fail SOURCE $SOURCE"

static const struct exchange stored[] = {
	{"AI._SCRIPTSCAN", "[]"},
	{"AI.SCRIPTSTORE {t}s CPU:1 TAG t:1 ENTRY_POINTS 2 first sum SOURCE $SOURCE", "+OK"},
	{"AI._SCRIPTSCAN", "[[\"{t}s\" \"t:1\"]]"},
	{"RENAME {t}s {t}tagged", "+OK"},
	{"AI._SCRIPTSCAN", "[[\"{t}tagged\" \"t:1\"]]"},
	{"AI.SCRIPTSTORE {t}plain cpu ENTRY_POINTS 1 short SOURCE $SHORT", "+OK"},
	{"ai.scriptstore {t}lower CPU tag low entry_points 1 short source $SHORT", "+OK"},
	{"AI.SCRIPTSET {t}set CPU:1 TAG old SOURCE $SHORT", "+OK"},
	{"AI.SCRIPTSET {t}bare CPU SOURCE $SHORT", "+OK"},
	{"AI.SCRIPTSTORE {t}gone CPU ENTRY_POINTS 1 short SOURCE $SHORT", "+OK"},
	{"AI.SCRIPTDEL {t}gone", "+OK"},
	/* A failed store leaves what was there. */
	{"AI.SCRIPTSTORE {t}plain CPU ENTRY_POINTS 1 other SOURCE $SHORT",
	 "-Function other does not exist in the given script."},
};

static const struct exchange stored_kept[] = {
	{"AI.SCRIPTGET {t}tagged META", "[" SHOWN("CPU:1", "t:1", "\"first\" \"sum\"") "]"},
	{"AI.SCRIPTGET {t}plain", "[" SHOWN("cpu", "", "\"short\"") " \"source\" " SHORT "]"},
	{"AI.SCRIPTGET {t}plain META SOURCE", "[" SHOWN("cpu", "", "\"short\"") " \"source\" " SHORT "]"},
	{"AI.SCRIPTGET {t}plain source", SHORT},
	{"AI.SCRIPTGET {t}lower meta", "[" SHOWN("CPU", "low", "\"short\"") "]"},
	{"AI.SCRIPTGET {t}set META", "[" SHOWN("CPU:1", "old", "") "]"},
	{"AI.SCRIPTGET {t}bare META", "[" SHOWN("CPU", "", "") "]"},
	{"TYPE {t}set", "+AI_SCRIPT"},
	{"EXISTS {t}s {t}gone", ":0"},
	{"AI.INFO {t}set", "[\"key\" \"{t}set\" \"type\" \"SCRIPT\" \"backend\" \"TORCH\" \"device\" \"CPU:1\" \"tag\" "
			   "\"old\" \"duration\" "
			   ":0 \"samples\" :-1 \"calls\" :0 \"errors\" :0]"},
	{"COMMAND GETKEYS AI.SCRIPTSTORE {t}s CPU ENTRY_POINTS 1 f SOURCE x", "[\"{t}s\"]"},
	{"COMMAND GETKEYS AI.SCRIPTSET {t}s CPU SOURCE x", "[\"{t}s\"]"},
	{"COMMAND GETKEYS AI.SCRIPTGET {t}s", "[\"{t}s\"]"},
	{"COMMAND GETKEYS AI.SCRIPTDEL {t}s", "[\"{t}s\"]"},
};

static const struct exchange store_errors[] = {
	{"SET {t}string value", "+OK"},
	{"AI.SCRIPTSTORE", "-ERR wrong number of arguments for 'AI.SCRIPTSTORE' command"},
	{"AI.SCRIPTSTORE {t}k CPU ENTRY_POINTS 1 first SOURCE",
	 "-ERR wrong number of arguments for 'AI.SCRIPTSTORE' command"},
	{"AI.SCRIPTSTORE {t}k CPU ENTRY_POINTS 1 first NOSOURCE x", NO_SOURCE},
	{"AI.SCRIPTSTORE {t}k CPU ENTRY_POINTS 0 first SOURCE x y", NO_ENTRY_POINTS},
	{"AI.SCRIPTSTORE {t}k CPU SOURCE x", "-ERR wrong number of arguments for 'AI.SCRIPTSTORE' command"},
	{"AI.SCRIPTSTORE {t}k CPU NO_ENTRY_POINTS 2 a b SOURCE x", NO_ENTRY_POINTS},
	{"AI.SCRIPTSTORE {t}k CPU ENTRY_POINTS ENTRY_POINTS a b SOURCE x",
	 "-ERR Non numeric entry points number provided to AI.SCRIPTSTORE command"},
	{"AI.SCRIPTSTORE {t}k CPU ENTRY_POINTS 9 a b SOURCE x", NO_ENTRY_POINTS},
	{"AI.SCRIPTSTORE {t}k CPU ENTRY_POINTS 2 first sum SOURCE", NO_SOURCE},
	{"AI.SCRIPTSTORE {t}k CPU ENTRY_POINTS 2 first second SOURCE $SOURCE",
	 "-Function second does not exist in the given script."},
	{"AI.SCRIPTSTORE {t}k CPU ENTRY_POINTS 2 first old SOURCE $SOURCE",
	 "-Wrong number of inputs in function old. Expected 3 but was 2"},
	{"AI.SCRIPTSTORE {t}k bad_device ENTRY_POINTS 1 first SOURCE $SOURCE", "-ERR Invalid DEVICE"},
	{"AI.SCRIPTSTORE {t}k GPU ENTRY_POINTS 1 first SOURCE $SOURCE",
	 "-ERR GPU requested but TORCH couldn't find CUDA"},
	{"AI.SCRIPTSTORE {t}string CPU ENTRY_POINTS 1 first SOURCE $SOURCE", WRONGTYPE},
	{"AI.SCRIPTSET {t}k CPU SOURCE", "-ERR wrong number of arguments for 'AI.SCRIPTSET' command"},
	{"AI.SCRIPTSET {t}k CPU TAG t SOURCE $SOURCE x", "-ERR wrong number of arguments for 'AI.SCRIPTSET' command"},
	{"AI.SCRIPTSET {t}k CPU NOSOURCE $SOURCE", NO_SOURCE},
	{"AI.SCRIPTSET {t}string CPU SOURCE $SOURCE", WRONGTYPE},
	{"AI.SCRIPTDEL", "-ERR wrong number of arguments for 'AI.SCRIPTDEL' command"},
	{"AI.SCRIPTDEL {t}nothing", "-ERR script key is empty"},
	{"AI.SCRIPTDEL {t}string", WRONGTYPE},
	{"AI.SCRIPTSET", "-ERR wrong number of arguments for 'AI.SCRIPTSET' command"},
	{"AI.SCRIPTSET {t}k CPU TAG x NOSOURCE $SOURCE", NO_SOURCE},
	{"AI.SCRIPTSET {t}k bad_device SOURCE $SOURCE", "-ERR Invalid DEVICE"},
};

static const struct exchange store_errors_kept[] = {
	{"GET {t}string", "\"value\""},
	{"AI.SCRIPTGET", "-ERR wrong number of arguments for 'AI.SCRIPTGET' command"},
	{"AI.SCRIPTGET {t}s META SOURCE more", "-ERR wrong number of arguments for 'AI.SCRIPTGET' command"},
	{"AI.SCRIPTGET {t}nothing", "-ERR script key is empty"},
	{"AI.SCRIPTGET {t}string", WRONGTYPE},
	{"AI._SCRIPTSCAN x", "-ERR wrong number of arguments for 'AI._SCRIPTSCAN' command"},
	{"EXISTS {t}k", ":0"},
	{"AI.INFO {t}nothing", "-ERR cannot find run info for key"},
};

static const struct exchange runs[] = {
	{STORE_ALL, "+OK"},
	{"AI.TENSORSET {t}x FLOAT 2 VALUES 2 3", "+OK"},
	{"AI.TENSORSET {t}y FLOAT 2 VALUES 10 20", "+OK"},
	{"AI.SCRIPTSET {t}old CPU:3 SOURCE $SOURCE", "+OK"},
	{"AI.SCRIPTEXECUTE {t}s sum INPUTS 2 {t}x {t}y OUTPUTS 1 {t}z", "+OK"},
	{"AI.TENSORGET {t}z VALUES", "[\"12\" \"23\"]"},
	{"AI.SCRIPTEXECUTE {t}s words KEYS 2 {t}a {t}b ARGS 3 1 two 3.0 OUTPUTS 1 {t}z TIMEOUT 60000", "+OK"},
	{"AI.TENSORGET {t}z VALUES", "[\"{t}a\" \"{t}b\" \"1\" \"two\" \"3.0\"]"},
	{"AI.SCRIPTEXECUTE {t}s none KEYS 1 {t}a", "+OK"},
	{"AI.SCRIPTEXECUTE {t}s list INPUTS 2 {t}x {t}y OUTPUTS 1 {t}z", "+OK"},
	{"AI.TENSORGET {t}z VALUES", "[:0]"},
	{"AI.SCRIPTRUN {t}s list INPUTS {t}x $ {t}y {t}x {t}y OUTPUTS {t}z", "+OK"},
	{"AI.TENSORGET {t}z VALUES", "[:3]"},
	{"AI.SCRIPTRUN {t}s sum TIMEOUT 60000 INPUTS {t}x $ {t}y {t}x OUTPUTS {t}z", "+OK"},
	{"AI.TENSORGET {t}z VALUES", "[\"14\" \"26\"]"},
	{"AI.SCRIPTEXECUTE {t}s fail INPUTS 1 {t}x OUTPUTS 1 {t}q", "-ERR the script failed"},
	{"AI.SCRIPTEXECUTE {t}s unknown INPUTS 1 {t}x OUTPUTS 1 {t}q", "-ERR Function does not exist: unknown"},
	{"AI.DAGEXECUTE LOAD 2 {t}x {t}y PERSIST 1 {t}z |> AI.SCRIPTEXECUTE {t}s sum INPUTS 2 {t}x {t}y OUTPUTS 1 {t}z "
	 "|> AI.SCRIPTEXECUTE {t}s words ARGS 1 end OUTPUTS 1 w |> AI.TENSORGET w VALUES",
	 "[+OK +OK [\"end\"]]"},
	{"AI.TENSORGET {t}z VALUES", "[\"12\" \"23\"]"},
	{"AI.DAGRUN LOAD 1 {t}x |> AI.SCRIPTRUN {t}s first INPUTS {t}x OUTPUTS y |> AI.SCRIPTRUN {t}s sum INPUTS {t}x "
	 "$ y OUTPUTS y |> AI.TENSORGET y VALUES",
	 "[+OK +OK [\"4\" \"6\"]]"},
	{"AI.DAGEXECUTE LOAD 1 {t}x |> AI.SCRIPTEXECUTE {t}s fail INPUTS 1 {t}x OUTPUTS 1 y |> AI.SCRIPTEXECUTE {t}s "
	 "first INPUTS 1 y OUTPUTS 1 z",
	 "[-ERR the script failed +NA]"},
	{"AI.SCRIPTRUN {t}old old INPUTS {t}x {t}y OUTPUTS {t}o", "+OK"},
	{"ai.scriptexecute {t}s sum inputs 2 {t}x {t}x args 1 a outputs 1 {t}l timeout 60000", "+OK"},
	{"ai.scriptrun {t}s sum timeout 60000 inputs {t}x {t}x outputs {t}r", "+OK"},
};

static const struct exchange runs_kept[] = {
	{"EXISTS {t}q {t}a {t}b", ":0"},
	{"AI.TENSORGET {t}z VALUES", "[\"12\" \"23\"]"},
	{"AI.TENSORGET {t}o VALUES", "[\"12\" \"23\"]"},
	{"AI.TENSORGET {t}l VALUES", "[\"4\" \"6\"]"},
	{"AI.TENSORGET {t}r VALUES", "[\"4\" \"6\"]"},
	{"AI.DAGRUN_RO LOAD 1 {t}x |> AI.SCRIPTRUN {t}s first INPUTS {t}x OUTPUTS y |> AI.TENSORGET y VALUES",
	 "[+OK [\"2\" \"3\"]]"},
};

static const struct exchange run_errors[] = {
	{STORE_ALL, "+OK"},
	{"AI.TENSORSET {t}x FLOAT 2 VALUES 2 3", "+OK"},
	{"SET {t}string value", "+OK"},
	{"AI.SCRIPTEXECUTE", "-ERR wrong number of arguments for 'AI.SCRIPTEXECUTE' command"},
	{"AI.SCRIPTRUN", "-ERR wrong number of arguments for 'AI.SCRIPTRUN' command"},
	{"AI.SCRIPTEXECUTE {t}s", "-ERR wrong number of arguments for 'AI.SCRIPTEXECUTE' command"},
	{"AI.SCRIPTRUN {t}s", "-ERR wrong number of arguments for 'AI.SCRIPTRUN' command"},
	{"AI.SCRIPTEXECUTE {t}nothing first INPUTS 1 {t}x", "-ERR script key is empty"},
	{"AI.SCRIPTEXECUTE {t}string first INPUTS 1 {t}x", WRONGTYPE},
	{"AI.SCRIPTEXECUTE {t}s first", SCOPE_FIRST},
	{"AI.SCRIPTEXECUTE {t}s first OUTPUTS 2 {t}x {t}x", SCOPE_FIRST},
	{"AI.SCRIPTEXECUTE {t}s first KEYS 1", "-ERR Missing arguments after KEYS keyword"},
	{"AI.SCRIPTEXECUTE {t}s first KEYS no {t}k", KEYS_COUNT},
	{"AI.SCRIPTEXECUTE {t}s first KEYS 0 k", KEYS_COUNT},
	{"AI.SCRIPTEXECUTE {t}s first KEYS 2 {t}k",
	 "-ERR Number of pre declared KEYS to be used in the command does not match the number of given arguments"},
	{"AI.SCRIPTEXECUTE {t}s first KEYS 1 {t}k KEYS 1 {t}k",
	 "-ERR Already Encountered KEYS scope in AI.SCRIPTEXECUTE command"},
	{"AI.SCRIPTEXECUTE {t}s first INPUTS 1 {t}x INPUTS 1 {t}x",
	 "-ERR Already Encountered INPUTS scope in AI.SCRIPTEXECUTE command"},
	{"AI.SCRIPTEXECUTE {t}s first INPUTS 1 {t}x ARGS 1 a ARGS 1 a",
	 "-ERR Already Encountered ARGS scope in AI.SCRIPTEXECUTE command"},
	{"AI.SCRIPTEXECUTE {t}s first INPUTS 1 {t}x OUTPUTS 1 {t}a OUTPUTS 1 {t}a",
	 "-ERR Already Encountered OUTPUTS scope in AI.SCRIPTEXECUTE command"},
	{"AI.SCRIPTEXECUTE {t}s first INPUTS", "-ERR Invalid arguments provided to AI.SCRIPTEXECUTE"},
	{"AI.SCRIPTEXECUTE {t}s first INPUTS no {t}x", "-ERR Invalid argument for inputs count in AI.SCRIPTEXECUTE"},
	{"AI.SCRIPTEXECUTE {t}s first INPUTS 1 {t}x OUTPUTS no {t}y",
	 "-ERR Invalid argument for outputs count in AI.SCRIPTEXECUTE"},
	{"AI.SCRIPTEXECUTE {t}s first INPUTS 1 {t}x ARGS no y",
	 "-ERR Invalid argument for keys count in AI.SCRIPTEXECUTE"},
	{"AI.SCRIPTEXECUTE {t}s first INPUTS 3 {t}x", MISMATCH("inputs")},
	{"AI.SCRIPTEXECUTE {t}s first INPUTS 1 {t}x OUTPUTS 3 {t}y", MISMATCH("outputs")},
	{"AI.SCRIPTEXECUTE {t}s first INPUTS 1 {t}x ARGS 3 y", MISMATCH("args")},
	{"AI.SCRIPTEXECUTE {t}s first INPUTS 1 {t}x OUTPUTS 1 {t}y TIMEOUT",
	 "-ERR No value provided for TIMEOUT in AI.SCRIPTEXECUTE"},
	{"AI.SCRIPTEXECUTE {t}s first INPUTS 1 {t}x OUTPUTS 1 {t}y TIMEOUT 0", "-ERR Invalid value for TIMEOUT"},
	{"AI.SCRIPTEXECUTE {t}s first INPUTS 1 {t}x OUTPUTS 1 {t}y TIMEOUT 5 ARGS 1 a",
	 "-ERR Encountered problem parsing AI.SCRIPTEXECUTE"},
	{"AI.SCRIPTEXECUTE {t}s first INPUTS 1 {t}x bad",
	 "-ERR Invalid AI.SCRIPTEXECUTE command. Unexpected argument: bad"},
	{"AI.SCRIPTEXECUTE {t}s first INPUTS 1 {t}nothing OUTPUTS 1 {t}y",
	 "-ERR tensor key is empty or in a different shard"},
	{"AI.SCRIPTEXECUTE {t}s first INPUTS 1 {t}string OUTPUTS 1 {t}y", WRONGTYPE},
	{"AI.SCRIPTEXECUTE {t}s first INPUTS 1 {t}x OUTPUTS 1 {t}string", WRONGTYPE},
	{"AI.SCRIPTRUN {t}s first INPUTS {t}x $ {t}x $ {t}x OUTPUTS {t}y",
	 "-ERR Already encountered a variable size list of tensors"},
	{"AI.SCRIPTRUN {t}s first INPUTS {t}x INPUTS {t}x OUTPUTS {t}y",
	 "-ERR Already encountered an INPUTS keyword in SCRIPTRUN"},
	{"AI.SCRIPTRUN {t}s first TIMEOUT 0 INPUTS {t}x OUTPUTS {t}y", "-ERR Invalid value for TIMEOUT"},
	{"AI.SCRIPTRUN {t}s first INPUTS {t}nothing OUTPUTS {t}y", "-ERR tensor key is empty or in a different shard"},
	{"AI.DAGEXECUTE LOAD 1 {t}x |> AI.SCRIPTEXECUTE {t}s first INPUTS 1 {t}x OUTPUTS 1 y TIMEOUT 5", NO_TIMEOUT},
	{"AI.DAGRUN LOAD 1 {t}x |> AI.SCRIPTRUN {t}s first TIMEOUT 5 INPUTS {t}x OUTPUTS y", NO_TIMEOUT},
	{"AI.DAGEXECUTE LOAD 1 {t}x |> AI.SCRIPTEXECUTE {t}s first INPUTS 1 no OUTPUTS 1 y",
	 "-ERR INPUT key cannot be found in DAG"},
	{"AI.SCRIPTRUN {t}nothing first INPUTS {t}x OUTPUTS {t}y", "-ERR script key is empty"},
	{"AI.SCRIPTRUN {t}string first INPUTS {t}x OUTPUTS {t}y", WRONGTYPE},
	{"AI.SCRIPTRUN {t}s first INPUTS {t}string OUTPUTS {t}y", WRONGTYPE},
	{"AI.SCRIPTRUN {t}s first INPUTS {t}x OUTPUTS {t}string", WRONGTYPE},
	{"MULTI", "+OK"},
	{"AI.SCRIPTEXECUTE {t}s first INPUTS 1 {t}x OUTPUTS 1 {t}y", "+QUEUED"},
	{"AI.SCRIPTRUN {t}s first INPUTS {t}x OUTPUTS {t}y", "+QUEUED"},
	{"EXEC", "[-" NO_TRANSACTION " -" NO_TRANSACTION "]"},
};

static const struct exchange run_errors_kept[] = {
	{"EXISTS {t}y {t}a", ":0"},
	{"GET {t}string", "\"value\""},
	{"AI.DAGEXECUTE_RO LOAD 1 {t}x |> AI.SCRIPTEXECUTE {t}s first INPUTS 1 {t}x OUTPUTS 1 y",
	 "-ERR AI.SCRIPTEXECUTE command cannot be specified in a read-only DAG"},
	{"COMMAND GETKEYS AI.SCRIPTEXECUTE {t}s f KEYS 1 {t}k INPUTS 2 {t}a {t}b ARGS 1 x OUTPUTS 1 {t}c TIMEOUT 5",
	 "[\"{t}s\" \"{t}k\" \"{t}a\" \"{t}b\" \"{t}c\"]"},
	{"COMMAND GETKEYS AI.SCRIPTRUN {t}s f INPUTS {t}a $ {t}b OUTPUTS {t}c",
	 "[\"{t}s\" \"{t}a\" \"{t}b\" \"{t}c\"]"},
	{"COMMAND GETKEYS AI.DAGEXECUTE LOAD 1 {t}a |> AI.SCRIPTEXECUTE {t}s f INPUTS 1 {t}a OUTPUTS 1 b",
	 "[\"{t}a\" \"{t}s\"]"},
};

const struct conformance_block conformance_scripts[] = {
	BLOCK("scripts", stored, stored_kept),
	BLOCK("errors of AI.SCRIPTSTORE, AI.SCRIPTSET, AI.SCRIPTGET and AI.SCRIPTDEL", store_errors, store_errors_kept),
	BLOCK("runs of scripts", runs, runs_kept),
	BLOCK("errors of AI.SCRIPTEXECUTE and AI.SCRIPTRUN", run_errors, run_errors_kept),
};
const size_t conformance_nscripts = ARRAY_LEN(conformance_scripts);
