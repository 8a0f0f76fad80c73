/*
 * conformance_runs.c - rows of AI.MODELRUN, AI.MODELEXECUTE, AI.DAGRUN[_RO] and AI.DAGEXECUTE[_RO].
 */
#include "common/arith.h"
#include "tests/servers/redisai/conformance.h"

#define INPUT_COUNT "-Number of keys given as INPUTS here does not match model definition"
#define OUTPUT_COUNT "-Number of keys given as OUTPUTS here does not match model definition"
#define NO_TIMEOUT "-ERR TIMEOUT not allowed within a DAG command"
#define NO_SCOPE \
	"-ERR AI.DAGEXECUTE and AI.DAGEXECUTE_RO commands must contain at least one out of ROUTING, LOAD, PERSIST " \
	"keywords"

static const struct exchange singles[] = {
	{"AI.MODELSTORE {t}m " STORE_MUL, "+OK"},
	{"AI.TENSORSET {t}x FLOAT 2 VALUES 2 3", "+OK"},
	{"AI.MODELRUN {t}m INPUTS {t}x {t}x OUTPUTS {t}y", "+OK"},
	{"AI.MODELRUN {t}m TIMEOUT 60000 INPUTS {t}x {t}y OUTPUTS {t}z", "+OK"},
	{"AI.MODELEXECUTE {t}m INPUTS 2 {t}x {t}x OUTPUTS 1 {t}e", "+OK"},
	{"ai.modelexecute {t}m inputs 2 {t}x {t}e outputs 1 {t}l timeout 60000", "+OK"},
	{"ai.modelrun {t}m timeout 60000 inputs {t}x {t}x outputs {t}r", "+OK"},
	/* An output may take an input's place. */
	{"AI.TENSORSET {t}own FLOAT 2 VALUES 5 6", "+OK"},
	{"AI.MODELRUN {t}m INPUTS {t}own {t}own OUTPUTS {t}own", "+OK"},
	{"AI.TENSORSET {t}last INT8 1", "+OK"},
	{"AI.MODELEXECUTE {t}m INPUTS 2 {t}x {t}x OUTPUTS 1 {t}last", "+OK"},
	/* Other formats, as they are run. */
	{"AI.MODELSTORE {t}tflite TFLITE CPU BLOB $TFLITE", "+OK"},
	{"AI.MODELSTORE {t}onnx ONNX CPU BLOB $ONNX", "+OK"},
	{"AI.TENSORSET {t}picture FLOAT 1 16 16 3", "+OK"},
	{"AI.MODELRUN {t}tflite INPUTS {t}picture OUTPUTS {t}classes", "+OK"},
	{"AI.MODELEXECUTE {t}onnx INPUTS 1 {t}picture OUTPUTS 1 {t}classes2", "+OK"},
};

static const struct exchange singles_kept[] = {
	{"AI.TENSORGET {t}y META VALUES", "[\"dtype\" \"FLOAT\" \"shape\" [:2] \"values\" [\"4\" \"9\"]]"},
	{"AI.TENSORGET {t}z VALUES", "[\"8\" \"27\"]"},
	{"AI.TENSORGET {t}e VALUES", "[\"4\" \"9\"]"},
	{"AI.TENSORGET {t}l VALUES", "[\"8\" \"27\"]"},
	{"AI.TENSORGET {t}r VALUES", "[\"4\" \"9\"]"},
	{"AI.TENSORGET {t}own VALUES", "[\"25\" \"36\"]"},
	{"AI.TENSORGET {t}last META VALUES", "[\"dtype\" \"FLOAT\" \"shape\" [:2] \"values\" [\"4\" \"9\"]]"},
	{"AI.TENSORGET {t}classes META", "[\"dtype\" \"FLOAT\" \"shape\" [:1 :1001]]"},
	{"AI.TENSORGET {t}classes2 META", "[\"dtype\" \"FLOAT\" \"shape\" [:1 :1001]]"},
};

static const struct exchange execute_errors[] = {
	{"AI.MODELSTORE {t}m " STORE_MUL, "+OK"},
	{"AI.TENSORSET {t}x FLOAT 2 VALUES 2 3", "+OK"},
	{"SET {t}string value", "+OK"},
	{"AI.MODELEXECUTE", "-ERR wrong number of arguments for 'AI.MODELEXECUTE' command"},
	{"AI.MODELEXECUTE {t}x INPUTS 2 {t}x {t}x OUTPUTS 1 {t}y", WRONGTYPE},
	{"AI.MODELEXECUTE {t}m INPUTS 2 {t}x {t}x OUTPUTS",
	 "-ERR wrong number of arguments for 'AI.MODELEXECUTE' command"},
	{"AI.MODELEXECUTE {t}nothing INPUTS 2 {t}x {t}x OUTPUTS 1 {t}y", "-ERR model key is empty"},
	{"AI.MODELEXECUTE {t}string INPUTS 2 {t}x {t}x OUTPUTS 1 {t}y", WRONGTYPE},
	{"AI.MODELEXECUTE {t}m timeout 1000 INPUTS 2 x x OUTPUTS 1 y", "-ERR INPUTS not specified"},
	{"AI.MODELEXECUTE {t}m INPUTS no {t}x {t}x OUTPUTS 1 {t}y", "-ERR Invalid argument for input_count"},
	{"AI.MODELEXECUTE {t}m INPUTS 0 x x OUTPUTS 1 y", "-ERR Input count must be a positive integer"},
	{"AI.MODELEXECUTE {t}m INPUTS 1 {t}x OUTPUTS 1 {t}y", INPUT_COUNT},
	{"AI.MODELEXECUTE {t}m INPUTS 2 {t}x {t}x NOT_OUTPUTS 1 {t}y", "-ERR OUTPUTS not specified"},
	{"AI.MODELEXECUTE {t}m INPUTS 2 {t}x {t}x OUTPUTS no {t}y", "-ERR Invalid argument for output_count"},
	{"AI.MODELEXECUTE {t}m INPUTS 2 {t}x {t}x OUTPUTS 0 y", "-ERR Output count must be a positive integer"},
	{"AI.MODELEXECUTE {t}m INPUTS 2 {t}x {t}x OUTPUTS 2 {t}y {t}z", OUTPUT_COUNT},
	{"AI.MODELEXECUTE {t}m INPUTS 2 {t}x {t}x OUTPUTS 1",
	 "-ERR number of output keys to AI.MODELEXECUTE command does not match the number of given arguments"},
	{"AI.MODELEXECUTE {t}m INPUTS 2 {t}x {t}x OUTPUTS 1 {t}y bad_arg", "-Invalid argument: bad_arg"},
	{"AI.MODELEXECUTE {t}m INPUTS 2 {t}x {t}x OUTPUTS 1 {t}y TIMEOUT", "-ERR No value provided for TIMEOUT"},
	{"AI.MODELEXECUTE {t}m INPUTS 2 {t}x {t}x OUTPUTS 1 {t}y TIMEOUT -43", "-ERR Invalid value for TIMEOUT"},
	{"AI.MODELEXECUTE {t}m INPUTS 2 {t}x {t}x OUTPUTS 1 {t}y TIMEOUT 1000 bad_arg", "-Invalid argument: bad_arg"},
	{"AI.MODELEXECUTE {t}m INPUTS 2 {t}x {t}nothing OUTPUTS 1 {t}y",
	 "-ERR tensor key is empty or in a different shard"},
	{"AI.MODELEXECUTE {t}m INPUTS 2 {t}x {t}string OUTPUTS 1 {t}y", WRONGTYPE},
	{"AI.MODELEXECUTE {t}m INPUTS 2 {t}x {t}x OUTPUTS 1 {t}string", WRONGTYPE},
	{"AI.MODELEXECUTE {t}m INPUTS -1 {t}x OUTPUTS 1 {t}y z", "-ERR Input count must be a positive integer"},
	{"AI.MODELEXECUTE {t}m INPUTS 2 {t}x {t}x OUTPUTS -1 {t}y", "-ERR Output count must be a positive integer"},
	{"AI.MODELEXECUTE {t}m INPUTS 2 {t}x {t}x OUTPUTS 1 {t}y TIMEOUT 0", "-ERR Invalid value for TIMEOUT"},
	{"AI.MODELEXECUTE {t}m INPUTS 2 {t}x {t}x OUTPUTS 1 {t}y TIMEOUT no", "-ERR Invalid value for TIMEOUT"},
};

static const struct exchange execute_errors_kept[] = {
	{"GET {t}string", "\"value\""},
	{"EXISTS {t}y", ":0"},
	{"COMMAND GETKEYS AI.MODELEXECUTE {t}m INPUTS 2 {t}a {t}b OUTPUTS 1 {t}c TIMEOUT 5",
	 "[\"{t}m\" \"{t}a\" \"{t}b\" \"{t}c\"]"},
};

static const struct exchange run_errors[] = {
	{"AI.MODELSTORE {t}m " STORE_MUL, "+OK"},
	{"AI.TENSORSET {t}x FLOAT 2 VALUES 2 3", "+OK"},
	{"SET {t}string value", "+OK"},
	{"AI.MODELRUN", "-ERR wrong number of arguments for 'AI.MODELRUN' command"},
	{"AI.MODELRUN {t}m INPUTS {t}x {t}x", "-ERR wrong number of arguments for 'AI.MODELRUN' command"},
	{"AI.MODELRUN {t}nothing INPUTS {t}x {t}x OUTPUTS {t}y", "-ERR model key is empty"},
	{"AI.MODELRUN {t}m OUTPUTS {t}y INPUTS {t}x {t}x", "-ERR INPUTS not specified"},
	{"AI.MODELRUN {t}m INPUTS {t}x {t}x {t}x {t}x", "-ERR OUTPUTS not specified"},
	{"AI.MODELRUN {t}m INPUTS {t}x OUTPUTS {t}y {t}z", INPUT_COUNT},
	{"AI.MODELRUN {t}m INPUTS {t}x {t}x OUTPUTS {t}y {t}z", OUTPUT_COUNT},
	{"AI.MODELRUN {t}m TIMEOUT 0 INPUTS {t}x {t}x OUTPUTS {t}y", "-ERR Invalid value for TIMEOUT"},
	{"AI.MODELRUN {t}m INPUTS {t}x {t}nothing OUTPUTS {t}y", "-ERR tensor key is empty or in a different shard"},
	{"AI.MODELRUN {t}string INPUTS {t}x {t}x OUTPUTS {t}y", WRONGTYPE},
	{"AI.MODELRUN {t}m INPUTS {t}x {t}string OUTPUTS {t}y", WRONGTYPE},
	{"AI.MODELRUN {t}m INPUTS {t}x {t}x OUTPUTS {t}string", WRONGTYPE},
	{"AI.MODELRUN {t}m TIMEOUT no INPUTS {t}x {t}x OUTPUTS {t}y", "-ERR Invalid value for TIMEOUT"},
	{"AI.MODELRUN {t}m TIMEOUT -1 INPUTS {t}x {t}x OUTPUTS {t}y", "-ERR Invalid value for TIMEOUT"},
	{"AI.MODELRUN {t}m INPUTS {t}x {t}x OUTPUTS", OUTPUT_COUNT},
};

static const struct exchange run_errors_kept[] = {
	{"EXISTS {t}y {t}z", ":0"},
	{"GET {t}string", "\"value\""},
	{"COMMAND GETKEYS AI.MODELRUN {t}m TIMEOUT 5 INPUTS {t}a {t}b OUTPUTS {t}c",
	 "[\"{t}m\" \"{t}a\" \"{t}b\" \"{t}c\"]"},
};

static const struct exchange dags[] = {
	{"AI.MODELSTORE {t}m " STORE_MUL, "+OK"},
	{"AI.TENSORSET {t}x FLOAT 2 VALUES 2 3", "+OK"},
	{"AI.DAGRUN LOAD 1 {t}x |> AI.TENSORSET v FLOAT 2 VALUES 5 10 |> AI.MODELRUN {t}m INPUTS v {t}x OUTPUTS w |> "
	 "AI.TENSORGET w VALUES",
	 "[+OK +OK [\"10\" \"30\"]]"},
	{"AI.DAGEXECUTE LOAD 1 {t}x |> AI.TENSORSET v FLOAT 2 VALUES 5 10 |> AI.MODELEXECUTE {t}m INPUTS 2 v {t}x "
	 "OUTPUTS 1 w |> AI.TENSORGET w META",
	 "[+OK +OK [\"dtype\" \"FLOAT\" \"shape\" [:2]]]"},
	{"EXISTS {t}v {t}w", ":0"},
	{"AI.DAGRUN_RO LOAD 1 {t}x |> AI.MODELRUN {t}m INPUTS {t}x {t}x OUTPUTS y |> AI.MODELRUN {t}m INPUTS y {t}x "
	 "OUTPUTS y |> AI.TENSORGET y VALUES",
	 "[+OK +OK [\"8\" \"27\"]]"},
	{"AI.DAGEXECUTE_RO ROUTING {t}tag |> AI.TENSORSET v FLOAT 1 2 VALUES 5 10 |> AI.TENSORSET u FLOAT 1 1 VALUES 5",
	 "[+OK +OK]"},
	{"AI.DAGEXECUTE PERSIST 1 {t}k |> AI.TENSORSET {t}k FLOAT 1 2 VALUES 5 10 |> AI.TENSORGET {t}k META VALUES |> "
	 "AI.TENSORSET {t}k FLOAT 1 4 VALUES 20 40 60 80 |> AI.TENSORGET {t}k META VALUES",
	 "[+OK [\"dtype\" \"FLOAT\" \"shape\" [:1 :2] \"values\" [\"5\" \"10\"]] +OK [\"dtype\" \"FLOAT\" \"shape\" "
	 "[:1 :4] \"values\" [\"20\" \"40\" \"60\" \"80\"]]]"},
	{"AI.TENSORGET {t}k VALUES", "[\"20\" \"40\" \"60\" \"80\"]"},
	{"AI.DAGRUN LOAD 1 {t}x PERSIST 2 {t}p {t}q TIMEOUT 60000 |> AI.MODELRUN {t}m INPUTS {t}x {t}x OUTPUTS {t}p |> "
	 "AI.MODELRUN {t}m INPUTS {t}p {t}p OUTPUTS {t}q",
	 "[+OK +OK]"},
	{"AI.DAGRUN LOAD 1 {t}x PERSIST 1 {t}x |> AI.TENSORGET {t}x VALUES", "[[\"2\" \"3\"]]"},
	{"AI.TENSORGET {t}x VALUES", "[\"2\" \"3\"]"},
	{"AI.DAGRUN ROUTING {t}r |> AI.TENSORSET s STRING 2 VALUES a bc |> AI.TENSORGET s VALUES",
	 "[+OK [\"a\" \"bc\"]]"},
	{"ai.dagrun load 1 {t}x persist 1 {t}low timeout 60000 |> ai.modelrun {t}m inputs {t}x {t}x outputs {t}low |> "
	 "ai.tensorget {t}low values",
	 "[+OK [\"4\" \"9\"]]"},
	{"AI.DAGEXECUTE TIMEOUT 60000 ROUTING {t} PERSIST 1 {t}routed |> AI.TENSORSET {t}routed BOOL 1 VALUES 1",
	 "[+OK]"},
	{"AI.DAGEXECUTE PERSIST 1 {t}text LOAD 1 {t}x |> AI.TENSORSET {t}text STRING 2 VALUES a bc |> AI.TENSORGET "
	 "{t}text |> AI.TENSORGET {t}x META",
	 "[+OK [\"dtype\" \"STRING\" \"shape\" [:2] \"blob\" \"a\\x00bc\\x00\"] [\"dtype\" \"FLOAT\" \"shape\" [:2]]]"},
	/* A LOAD more than once, and a name that shadows a key. */
	{"AI.DAGRUN LOAD 1 {t}x LOAD 1 {t}p |> AI.MODELRUN {t}m INPUTS {t}x {t}p OUTPUTS {t}q |> AI.TENSORGET {t}q "
	 "VALUES",
	 "[+OK [\"8\" \"27\"]]"},
	{"AI.DAGRUN LOAD 1 {t}x |> AI.TENSORSET {t}x FLOAT 2 VALUES 1 1 |> AI.TENSORGET {t}x VALUES",
	 "[+OK [\"1\" \"1\"]]"},
};

static const struct exchange dags_kept[] = {
	{"AI.TENSORGET {t}x VALUES", "[\"2\" \"3\"]"},
	{"AI.TENSORGET {t}k META VALUES",
	 "[\"dtype\" \"FLOAT\" \"shape\" [:1 :4] \"values\" [\"20\" \"40\" \"60\" \"80\"]]"},
	{"AI.TENSORGET {t}p VALUES", "[\"4\" \"9\"]"},
	{"AI.TENSORGET {t}q VALUES", "[\"16\" \"81\"]"},
	{"AI.TENSORGET {t}low VALUES", "[\"4\" \"9\"]"},
	{"AI.TENSORGET {t}routed VALUES", "[:1]"},
	{"AI.TENSORGET {t}text VALUES", "[\"a\" \"bc\"]"},
	{"AI.DAGRUN_RO LOAD 1 {t}x |> AI.MODELRUN {t}m INPUTS {t}x {t}x OUTPUTS y |> AI.MODELRUN {t}m INPUTS y {t}x "
	 "OUTPUTS y |> AI.TENSORGET y VALUES",
	 "[+OK +OK [\"8\" \"27\"]]"},
	{"AI.DAGEXECUTE_RO LOAD 2 {t}x {t}p TIMEOUT 60000 |> AI.MODELEXECUTE {t}m INPUTS 2 {t}x {t}p OUTPUTS 1 y |> "
	 "AI.TENSORGET y VALUES |> AI.TENSORGET {t}p META",
	 "[+OK [\"8\" \"27\"] [\"dtype\" \"FLOAT\" \"shape\" [:2]]]"},
	{"AI.DAGRUN_RO ROUTING {t} |> AI.TENSORSET v BOOL VALUES 1 |> AI.TENSORGET v VALUES", "[+OK [:1]]"},
	{"EXISTS {t}v {t}w", ":0"},
};

static const struct exchange dag_errors[] = {
	{"AI.MODELSTORE {t}m " STORE_MUL, "+OK"},
	{"AI.TENSORSET {t}x FLOAT 2 VALUES 2 3", "+OK"},
	{"SET {t}string value", "+OK"},
	{"AI.DAGRUN", "-ERR wrong number of arguments for 'AI.DAGRUN' command"},
	{"AI.DAGRUN |> AI.TENSORGET", "-ERR wrong number of arguments for 'AI.DAGRUN' command"},
	{"AI.DAGEXECUTE", "-ERR missing arguments for 'AI.DAGEXECUTE' command"},
	{"AI.DAGEXECUTE PERSIST 2 {t}u {t}v LOAD 1", "-ERR missing arguments after LOAD keyword in DAG command"},
	{"AI.DAGEXECUTE LOAD no |> AI.TENSORGET u VALUES",
	 "-ERR invalid or negative value found in number of keys to LOAD"},
	{"AI.DAGEXECUTE ROUTING {t}x LOAD 2 {t}x",
	 "-ERR number of keys to LOAD into DAG does not match the number of given arguments"},
	{"AI.DAGEXECUTE ROUTING {t}no LOAD 1 {t}no", "-ERR tensor key is empty or in a different shard"},
	{"AI.DAGEXECUTE ROUTING {t}no LOAD 1 {t}string", WRONGTYPE},
	{"AI.DAGEXECUTE ROUTING {t}x LOAD 1 {t}x PERSIST 1",
	 "-ERR missing arguments after PERSIST keyword in DAG command"},
	{"AI.DAGEXECUTE ROUTING {t}x PERSIST no {t}x",
	 "-ERR invalid or negative value found in number of keys to PERSIST"},
	{"AI.DAGEXECUTE ROUTING {t}x PERSIST 2 {t}x",
	 "-ERR number of keys to PERSIST after DAG execution does not match the number of given arguments"},
	{"AI.DAGEXECUTE PERSIST 2 {t}u {t}u |> AI.TENSORSET {t}u FLOAT 1", "-ERR PERSIST keys must be unique"},
	{"AI.DAGEXECUTE ROUTING {t}x PERSIST 1 {t}x TIMEOUT", "-ERR No value provided for TIMEOUT"},
	{"AI.DAGEXECUTE ROUTING {t}x PERSIST 1 {t}x TIMEOUT no", "-ERR Invalid value for TIMEOUT"},
	{"AI.DAGEXECUTE ROUTING {t}x TIMEOUT 0 |> AI.TENSORSET v FLOAT 1", "-ERR Invalid value for TIMEOUT"},
	{"AI.DAGEXECUTE PERSIST 3 {t}a {t}b {t}c ROUTING", "-ERR Missing ROUTING value"},
	{"AI.DAGEXECUTE ROUTING {t}x PERSIST 1 {t}x BAD_ARG",
	 "-ERR Invalid DAG command. Unexpected argument:  BAD_ARG"},
	{"AI.DAGEXECUTE |> AI.TENSORSET a FLOAT 1 2 VALUES 5 10", NO_SCOPE},
	{"AI.DAGRUN |> AI.TENSORSET a FLOAT 1 2 VALUES 5 10", "[+OK]"},
	{"AI.DAGEXECUTE ROUTING {t}a |> AI.NOCOMMAND {t}a FLOAT 1 2", "-Unsupported command within DAG"},
	{"AI.DAGEXECUTE ROUTING {t}a |> |> AI.TENSORSET {t}a FLOAT", "-Unsupported command within DAG"},
	{"AI.DAGEXECUTE ROUTING {t}x LOAD 1 {t}x", "-ERR DAG is empty"},
	{"AI.DAGEXECUTE LOAD 1 {t}x |> AI.MODELRUN {t}m INPUTS {t}x {t}x OUTPUTS y",
	 "-Deprecated AI.MODELRUN cannot be used in AI.DAGEXECUTE command"},
	{"AI.DAGEXECUTE LOAD 1 {t}x |> AI.SCRIPTRUN {t}s bar INPUTS {t}x {t}x OUTPUTS y",
	 "-Deprecated AI.SCRIPTRUN cannot be used in AI.DAGEXECUTE command"},
	{"AI.DAGRUN LOAD 1 {t}x |> AI.MODELEXECUTE {t}m INPUTS 2 {t}x {t}x OUTPUTS 1 y",
	 "-AI.MODELEXECUTE cannot be used in a deprecated AI.DAGRUN command"},
	{"AI.DAGRUN LOAD 1 {t}x |> AI.SCRIPTEXECUTE {t}s bar INPUTS 1 {t}x",
	 "-AI.SCRIPTEXECUTE cannot be used in a deprecated AI.DAGRUN command"},
	{"AI.DAGEXECUTE LOAD 1 {t}x |> AI.SCRIPTEXECUTE {t}s bar INPUTS 1 {t}x", "-ERR script key is empty"},
	{"AI.DAGEXECUTE LOAD 1 {t}x |> AI.MODELEXECUTE {t}m INPUTS 2 {t}x no OUTPUTS 1 y",
	 "-ERR INPUT key cannot be found in DAG"},
	{"AI.DAGEXECUTE LOAD 1 {t}x |> AI.MODELEXECUTE {t}m INPUTS 1 {t}x OUTPUTS 1 y", INPUT_COUNT},
	{"AI.DAGEXECUTE LOAD 1 {t}x |> AI.MODELEXECUTE {t}m INPUTS 2 {t}x {t}x OUTPUTS 1 y TIMEOUT 5", NO_TIMEOUT},
	{"AI.DAGRUN LOAD 1 {t}x |> AI.MODELRUN {t}m TIMEOUT 5 INPUTS {t}x {t}x OUTPUTS y", NO_TIMEOUT},
	{"AI.DAGEXECUTE PERSIST 1 {t}no |> AI.TENSORSET v FLOAT 1", "-ERR PERSIST key cannot be found in DAG"},
	{"AI.DAGEXECUTE ROUTING {t}a |> AI.TENSORSET {t}a FLOAT 1 |> AI.TENSORGET",
	 "-wrong number of arguments for 'AI.TENSORGET' command"},
	{"AI.DAGEXECUTE ROUTING {t}a |> AI.TENSORSET {t}a FLOAT 1 |> AI.TENSORGET {t}a META BLOB extra",
	 "-wrong number of arguments for 'AI.TENSORGET' command"},
	{"AI.DAGEXECUTE ROUTING {t}a |> AI.TENSORSET {t}a FLOAT 1 |> AI.TENSORSET",
	 "-wrong number of arguments for 'AI.TENSORSET' command"},
	{"AI.DAGRUN ROUTING {t}a |> AI.TENSORSET {t}a FLOAT 1 |> AI.TENSORGET {t}a WRONG",
	 "-ERR unsupported data format"},
	{"AI.DAGEXECUTE ROUTING {t}x LOAD 0 {t}x", "-ERR invalid or negative value found in number of keys to LOAD"},
	{"AI.DAGEXECUTE ROUTING {t}x LOAD -1 {t}x", "-ERR invalid or negative value found in number of keys to LOAD"},
	{"AI.DAGEXECUTE ROUTING {t}x PERSIST 0 {t}x",
	 "-ERR invalid or negative value found in number of keys to PERSIST"},
	{"AI.DAGEXECUTE TIMEOUT 60000 |> AI.TENSORSET v FLOAT 1", NO_SCOPE},
	{"AI.DAGRUN LOAD 1 {t}x |> AI.MODELRUN {t}string INPUTS {t}x {t}x OUTPUTS y", WRONGTYPE},
	{"AI.DAGRUN LOAD 1 {t}x |> AI.MODELRUN {t}nothing INPUTS {t}x {t}x OUTPUTS y", "-ERR model key is empty"},
	{"AI.DAGRUN LOAD 1 {t}x |> AI.MODELRUN {t}m INPUTS {t}x OUTPUTS y z", INPUT_COUNT},
	{"AI.DAGRUN LOAD 1 {t}x |> AI.MODELRUN {t}m INPUTS {t}x {t}x OUTPUTS y z", OUTPUT_COUNT},
	{"AI.DAGRUN LOAD 1 {t}x |> AI.TENSORGET y", "-ERR INPUT key cannot be found in DAG"},
	{"AI.DAGRUN LOAD 1 {t}x |> AI.TENSORSET v INT128 1", "-ERR invalid data type"},
	{"AI.DAGEXECUTE LOAD 1 {t}x |> AI.MODELEXECUTE {t}m INPUTS 2 {t}x {t}x OUTPUTS 1 y more",
	 "-Invalid argument: more"},
	{"AI.DAGRUN LOAD 1 {t}x PERSIST 1 {t}string |> AI.MODELRUN {t}m INPUTS {t}x {t}x OUTPUTS {t}string", WRONGTYPE},
};

static const struct exchange dag_errors_kept[] = {
	{"EXISTS {t}a {t}u {t}v {t}y", ":0"},
	{"GET {t}string", "\"value\""},
	{"AI.TENSORGET {t}x VALUES", "[\"2\" \"3\"]"},
	{"AI.DAGRUN_RO |> AI.TENSORGET", "-ERR wrong number of arguments for 'AI.DAGRUN_RO' command"},
	{"AI.DAGEXECUTE_RO", "-ERR missing arguments for 'AI.DAGEXECUTE_RO' command"},
	{"AI.DAGEXECUTE_RO PERSIST 1 {t}v |> AI.TENSORSET {t}v FLOAT 1",
	 "-ERR PERSIST cannot be specified in a read-only DAG"},
	{"AI.DAGEXECUTE_RO LOAD 1 {t}x |> AI.SCRIPTEXECUTE {t}s bar INPUTS 1 {t}x",
	 "-ERR AI.SCRIPTEXECUTE command cannot be specified in a read-only DAG"},
	{"AI.DAGRUN_RO LOAD 1 {t}x PERSIST 1 {t}v |> AI.TENSORSET {t}v FLOAT 1",
	 "-ERR PERSIST cannot be specified in a read-only DAG"},
	{"AI.DAGEXECUTE_RO |> AI.TENSORSET a FLOAT 1 2 VALUES 5 10", NO_SCOPE},
	{"AI.DAGEXECUTE_RO LOAD 1 {t}x |> AI.MODELRUN {t}m INPUTS {t}x {t}x OUTPUTS y",
	 "-Deprecated AI.MODELRUN cannot be used in AI.DAGEXECUTE command"},
	{"AI.DAGRUN_RO LOAD 1 {t}x |> AI.MODELEXECUTE {t}m INPUTS 2 {t}x {t}x OUTPUTS 1 y",
	 "-AI.MODELEXECUTE cannot be used in a deprecated AI.DAGRUN command"},
	{"COMMAND GETKEYS AI.DAGRUN LOAD 2 {t}a {t}b PERSIST 1 {t}c |> AI.MODELRUN {t}m INPUTS {t}a {t}b OUTPUTS {t}c",
	 "[\"{t}a\" \"{t}b\" \"{t}c\"]"},
	{"COMMAND GETKEYS AI.DAGEXECUTE ROUTING {t}r TIMEOUT 5 LOAD 1 {t}a |> AI.MODELEXECUTE {t}m INPUTS 1 {t}a "
	 "OUTPUTS 1 c",
	 "[\"{t}r\" \"{t}a\" \"{t}m\"]"},
	{"COMMAND GETKEYS AI.DAGRUN LOAD 99 {t}a {t}b", "[\"{t}a\" \"{t}b\"]"},
};

static const struct exchange refused[] = {
	{"AI.MODELSTORE {t}m " STORE_MUL, "+OK"},
	{"AI.TENSORSET {t}x FLOAT 2 VALUES 2 3", "+OK"},
	{"AI.MODELSTORE {t}m " STORE_MUL, "+OK"},
	{"MULTI", "+OK"},
	{"AI.MODELEXECUTE {t}m INPUTS 2 {t}x {t}x OUTPUTS 1 {t}y", "+QUEUED"},
	{"AI.DAGRUN LOAD 1 {t}x |> AI.TENSORGET {t}x", "+QUEUED"},
	{"AI.TENSORGET {t}x VALUES", "+QUEUED"},
	{"EXEC", "[-" NO_TRANSACTION " -" NO_TRANSACTION " [\"2\" \"3\"]]"},
	{"EVAL $LUA_EXECUTE 0", "\"" NO_TRANSACTION "\""},
	{"MULTI", "+OK"},
	{"AI.MODELRUN {t}m INPUTS {t}x {t}x OUTPUTS {t}y", "+QUEUED"},
	{"AI.DAGRUN_RO LOAD 1 {t}x |> AI.TENSORGET {t}x", "+QUEUED"},
	{"AI.DAGEXECUTE LOAD 1 {t}x |> AI.TENSORGET {t}x", "+QUEUED"},
	{"AI.DAGEXECUTE_RO LOAD 1 {t}x |> AI.TENSORGET {t}x", "+QUEUED"},
	{"AI.TENSORSET {t}z FLOAT 1 VALUES 5", "+QUEUED"},
	{"AI.MODELSTORE {t}n " STORE_MUL, "+QUEUED"},
	{"AI.MODELDEL {t}n", "+QUEUED"},
	{"EXEC", "[-" NO_TRANSACTION " -" NO_TRANSACTION " -" NO_TRANSACTION " -" NO_TRANSACTION " +OK +OK +OK]"},
	{"EVAL $LUA_RUN 0", "\"" NO_TRANSACTION "\""},
	{"EVAL $LUA_DAG 0", "\"" NO_TRANSACTION "\""},
	{"EVAL $LUA_TENSOR 0", "[\"7\"]"},
};

static const struct exchange refused_kept[] = {
	{"EXISTS {t}y {t}n", ":0"},
	{"AI.TENSORGET {t}z VALUES", "[\"5\"]"},
	{"AI.TENSORGET {t}lua VALUES", "[\"7\"]"},
};

/* One part of a DAG a device: in order on each, side by side else. */
static const struct exchange devices[] = {
	{"AI.MODELSTORE {t}a TF CPU INPUTS 2 a b OUTPUTS 1 mul BLOB $MUL", "+OK"},
	{"AI.MODELSTORE {t}b TF CPU:1 INPUTS 2 a b OUTPUTS 1 mul BLOB $MUL", "+OK"},
	{"AI.MODELSTORE {t}c TF CPU:2 INPUTS 2 a b OUTPUTS 1 mul BLOB $MUL", "+OK"},
	{"AI.TENSORSET {t}x FLOAT 2 VALUES 2 3", "+OK"},
	{"AI.DAGEXECUTE LOAD 1 {t}x PERSIST 2 {t}w {t}v |> AI.MODELEXECUTE {t}a INPUTS 2 {t}x {t}x OUTPUTS 1 u |> "
	 "AI.MODELEXECUTE {t}b INPUTS 2 {t}x {t}x OUTPUTS 1 {t}v |> AI.MODELEXECUTE {t}c INPUTS 2 u {t}v OUTPUTS 1 "
	 "{t}w "
	 "|> AI.TENSORGET {t}w VALUES",
	 "[+OK +OK +OK [\"16\" \"81\"]]"},
	{"AI.DAGRUN LOAD 1 {t}x PERSIST 1 {t}u |> AI.MODELRUN {t}c INPUTS {t}x {t}x OUTPUTS {t}u |> AI.MODELRUN {t}b "
	 "INPUTS "
	 "{t}u {t}x OUTPUTS {t}u |> AI.MODELRUN {t}a INPUTS {t}u {t}x OUTPUTS {t}u |> AI.MODELRUN {t}c INPUTS {t}u "
	 "{t}x "
	 "OUTPUTS {t}u",
	 "[+OK +OK +OK +OK]"},
};

static const struct exchange devices_kept[] = {
	{"AI.TENSORGET {t}w VALUES", "[\"16\" \"81\"]"},
	{"AI.TENSORGET {t}v VALUES", "[\"4\" \"9\"]"},
	{"AI.TENSORGET {t}u VALUES", "[\"32\" \"243\"]"},
	{"AI.DAGRUN_RO LOAD 1 {t}x |> AI.MODELRUN {t}a INPUTS {t}x {t}x OUTPUTS u |> AI.MODELRUN {t}b INPUTS u u "
	 "OUTPUTS v |> "
	 "AI.TENSORGET v VALUES",
	 "[+OK +OK [\"16\" \"81\"]]"},
};

/* After the first error nothing runs, what was not made is NA, and nothing persists. */
static const struct exchange failures[] = {
	{"AI.MODELSTORE {t}m " STORE_MUL, "+OK"},
	{"AI.TENSORSET {t}x FLOAT 2 VALUES 2 3", "+OK"},
	{"AI.TENSORSET {t}int INT32 2 VALUES 2 3", "+OK"},
	{"AI.MODELRUN {t}m INPUTS {t}x {t}int OUTPUTS {t}y",
	 "-ERR model '{t}m': input 'b' is of type FLOAT, not INT32"},
	{"AI.MODELEXECUTE {t}m INPUTS 2 {t}int {t}x OUTPUTS 1 {t}y",
	 "-ERR model '{t}m': input 'a' is of type FLOAT, not INT32"},
	{"AI.DAGRUN LOAD 2 {t}x {t}int PERSIST 2 {t}v {t}y |> AI.TENSORSET {t}v FLOAT 1 |> AI.MODELRUN {t}m INPUTS "
	 "{t}x {t}int "
	 "OUTPUTS w |> AI.TENSORGET w VALUES |> AI.MODELRUN {t}m INPUTS {t}x {t}x OUTPUTS {t}y |> AI.TENSORGET {t}y |> "
	 "AI.TENSORGET {t}x VALUES",
	 "[+OK -ERR model '{t}m': input 'b' is of type FLOAT, not INT32 +NA +NA +NA [\"2\" \"3\"]]"},
};

static const struct exchange failures_kept[] = {
	{"EXISTS {t}y {t}v", ":0"},
	{"AI.DAGRUN_RO LOAD 2 {t}x {t}int |> AI.MODELRUN {t}m INPUTS {t}x {t}int OUTPUTS w |> AI.TENSORGET w",
	 "[-ERR model '{t}m': input 'b' is of type FLOAT, not INT32 +NA]"},
};

/* Every command that finds another kind of value says so, and leaves it. */
static const struct exchange kinds[] = {
	{"AI.MODELSTORE {t}m " STORE_MUL, "+OK"},
	{"AI.SCRIPTSTORE {t}s CPU ENTRY_POINTS 1 first SOURCE $SOURCE", "+OK"},
	{"AI.TENSORSET {t}x FLOAT 2 VALUES 2 3", "+OK"},
	{"RPUSH {t}list a", ":1"},
	{"AI.TENSORSET {t}m FLOAT 1", WRONGTYPE},
	{"AI.TENSORSET {t}s FLOAT 1", WRONGTYPE},
	{"AI.TENSORSET {t}list FLOAT 1", WRONGTYPE},
	{"AI.MODELSTORE {t}x " STORE_MUL, WRONGTYPE},
	{"AI.MODELSTORE {t}s " STORE_MUL, WRONGTYPE},
	{"AI.MODELSET {t}list TF CPU INPUTS a b OUTPUTS mul BLOB $MUL", WRONGTYPE},
	{"AI.MODELDEL {t}x", WRONGTYPE},
	{"AI.MODELDEL {t}s", WRONGTYPE},
	{"AI.SCRIPTSTORE {t}m CPU ENTRY_POINTS 1 first SOURCE $SOURCE", WRONGTYPE},
	{"AI.SCRIPTSET {t}x CPU SOURCE $SOURCE", WRONGTYPE},
	{"AI.SCRIPTDEL {t}m", WRONGTYPE},
	{"AI.MODELRUN {t}s INPUTS {t}x {t}x OUTPUTS {t}y", WRONGTYPE},
	{"AI.MODELRUN {t}m INPUTS {t}x {t}m OUTPUTS {t}y", WRONGTYPE},
	{"AI.MODELRUN {t}m INPUTS {t}x {t}x OUTPUTS {t}m", WRONGTYPE},
	{"AI.MODELEXECUTE {t}x INPUTS 2 {t}x {t}x OUTPUTS 1 {t}y", WRONGTYPE},
	{"AI.MODELEXECUTE {t}m INPUTS 2 {t}list {t}x OUTPUTS 1 {t}y", WRONGTYPE},
	{"AI.MODELEXECUTE {t}m INPUTS 2 {t}x {t}x OUTPUTS 1 {t}list", WRONGTYPE},
	{"AI.SCRIPTEXECUTE {t}m first INPUTS 1 {t}x OUTPUTS 1 {t}y", WRONGTYPE},
	{"AI.SCRIPTEXECUTE {t}s first INPUTS 1 {t}m OUTPUTS 1 {t}y", WRONGTYPE},
	{"AI.SCRIPTEXECUTE {t}s first INPUTS 1 {t}x OUTPUTS 1 {t}s", WRONGTYPE},
	{"AI.SCRIPTRUN {t}x first INPUTS {t}x OUTPUTS {t}y", WRONGTYPE},
	{"AI.DAGRUN LOAD 1 {t}m |> AI.TENSORGET {t}m", WRONGTYPE},
	{"AI.DAGRUN LOAD 1 {t}x PERSIST 1 {t}m |> AI.TENSORSET {t}m FLOAT 1", WRONGTYPE},
	{"AI.DAGEXECUTE LOAD 1 {t}x |> AI.MODELEXECUTE {t}s INPUTS 2 {t}x {t}x OUTPUTS 1 y", WRONGTYPE},
	{"AI.DAGEXECUTE LOAD 1 {t}x |> AI.SCRIPTEXECUTE {t}m first INPUTS 1 {t}x OUTPUTS 1 y", WRONGTYPE},
};

static const struct exchange kinds_kept[] = {
	{"AI.TENSORGET {t}m", WRONGTYPE},
	{"AI.TENSORGET {t}s", WRONGTYPE},
	{"AI.TENSORGET {t}list", WRONGTYPE},
	{"AI.MODELGET {t}x", WRONGTYPE},
	{"AI.MODELGET {t}s", WRONGTYPE},
	{"AI.SCRIPTGET {t}x", WRONGTYPE},
	{"AI.SCRIPTGET {t}m", WRONGTYPE},
	{"AI.INFO {t}x", "-ERR cannot find run info for key"},
	{"AI.INFO {t}list", "-ERR cannot find run info for key"},
	{"AI.DAGRUN_RO LOAD 1 {t}s |> AI.TENSORGET {t}s", WRONGTYPE},
	{"AI.DAGEXECUTE_RO LOAD 1 {t}x |> AI.MODELEXECUTE {t}list INPUTS 2 {t}x {t}x OUTPUTS 1 y", WRONGTYPE},
	{"LRANGE {t}list 0 -1", "[\"a\"]"},
	{"AI.TENSORGET {t}x VALUES", "[\"2\" \"3\"]"},
	{"TYPE {t}m", "+AI__MODEL"},
	{"TYPE {t}s", "+AI_SCRIPT"},
	{"EXISTS {t}y", ":0"},
};

const struct conformance_block conformance_runs[] = {
	BLOCK_AGAIN("runs of single models", singles, singles_kept, 2),
	BLOCK("errors of AI.MODELEXECUTE", execute_errors, execute_errors_kept),
	BLOCK("errors of AI.MODELRUN", run_errors, run_errors_kept),
	BLOCK_AGAIN("DAGs", dags, dags_kept, 2),
	BLOCK("errors of DAGs", dag_errors, dag_errors_kept),
	BLOCK_AGAIN("DAGs over several devices", devices, devices_kept, 4),
	BLOCK_AGAIN("operations that fail", failures, failures_kept, 3),
	BLOCK("commands on other kinds of values", kinds, kinds_kept),
	BLOCK("transactions and Lua", refused, refused_kept),
};
const size_t conformance_nruns = ARRAY_LEN(conformance_runs);
