#include "tests/servers/redisai/soak/client.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/arith.h"
#include "tests/servers/redisai/harness.h"

#define LINE_MAX_ 1024

/* Errors that other clients may cause: beginnings of their texts. */
static const char *const tolerated[] = {
	"ERR model key is empty",
	"ERR script key is empty",
	"ERR tensor key is empty or in a different shard",
	"ERR cannot find run info for key",
	"ERR no such key",
	"LOADING Redis is loading the dataset in memory", /* DEBUG RELOAD */
	"ERR the model was deleted or replaced while the command waited for its batch",
};

static bool is_tolerated(const char *text, size_t len)
{
	for (size_t i = 0; i < ARRAY_LEN(tolerated); i++) {
		if (len >= strlen(tolerated[i]) && memcmp(text, tolerated[i], strlen(tolerated[i])) == 0)
			return true;
	}
	return false;
}

/* What is asked, and the answer to it; "" where any that is no error will do. */
struct question {
	char line[LINE_MAX_], want[LINE_MAX_];
	bool may_time_out;
};

static unsigned below(struct soak_client *c, unsigned n)
{
	return (unsigned)rng_below(&c->rng, n);
}

static void PRINTF_LIKE(2, 3) say(char *to, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(to, LINE_MAX_, fmt, args);
	va_end(args);
}

void soak_store_line(struct rng *r, unsigned i, char *ret, size_t size)
{
	static const char *const devices[] = {"CPU", "CPU:1", "CPU:2"};
	static const char *const batching[] = {"", "BATCHSIZE 4 ", "BATCHSIZE 4 MINBATCHSIZE 2 MINBATCHTIMEOUT 5 ",
					       "BATCHSIZE 4 MINBATCHSIZE 3 "};

	snprintf(ret, size, "AI.MODELSTORE m%u TF %s %sINPUTS 2 a b OUTPUTS 1 mul BLOB $MUL", i,
		 devices[rng_below(r, ARRAY_LEN(devices))], batching[rng_below(r, ARRAY_LEN(batching))]);
}

/* ---- tensors ---- */

static void ask_tensorset(struct soak_client *c, struct question *q)
{
	say(q->line, "AI.TENSORSET t%u FLOAT 1 2 VALUES %u %u", below(c, 8), below(c, 100), below(c, 100));
	say(q->want, "+OK");
}

static void ask_tensorget(struct soak_client *c, struct question *q)
{
	say(q->line, "AI.TENSORGET t%u META", below(c, 8));
	say(q->want, "[\"dtype\" \"FLOAT\" \"shape\" [:1 :2]]");
}

static void ask_types(struct soak_client *c, struct question *q)
{
	static const struct {
		const char *name, *values, *shown;
	} types[] = {
		{"FLOAT", "1.5 -2", "\"1.5\" \"-2\""},
		{"DOUBLE", "0.5 inf", "\"0.5\" \"inf\""},
		{"INT8", "1 127", ":1 :127"},
		{"INT16", "-1 2", ":-1 :2"},
		{"INT32", "-1 2", ":-1 :2"},
		{"INT64", "-1 2", ":-1 :2"},
		{"UINT8", "255 0", ":255 :0"},
		{"UINT16", "65535 0", ":65535 :0"},
		{"BOOL", "1 0", ":1 :0"},
		{"STRING", "ab c", "\"ab\" \"c\""},
	};
	unsigned t = below(c, ARRAY_LEN(types));

	say(q->line, "AI.DAGEXECUTE PERSIST 1 c%u.t |> AI.TENSORSET c%u.t %s 2 VALUES %s |> AI.TENSORGET c%u.t VALUES",
	    c->number, c->number, types[t].name, types[t].values, c->number);
	say(q->want, "[+OK [%s]]", types[t].shown);
}

static void ask_copy(struct soak_client *c, struct question *q)
{
	say(q->line, "COPY t%u t%u REPLACE", below(c, 4), 4 + below(c, 4));
}

static void ask_rename_tensor(struct soak_client *c, struct question *q)
{
	say(q->line, "RENAME t%u t%u", below(c, 8), below(c, 8));
	say(q->want, "+OK");
}

static void ask_delete(struct soak_client *c, struct question *q)
{
	say(q->line, "%s t%u c%u.y", below(c, 2) ? "UNLINK" : "DEL", below(c, 8), c->number);
}

static void ask_flush(struct soak_client *c, struct question *q)
{
	/* One in many: the others would find nothing to do. */
	say(q->line, "%s", below(c, 500) ? "DBSIZE" : below(c, 2) ? "FLUSHALL ASYNC" : "FLUSHALL");
}

/* ---- models ---- */

static void ask_modelstore(struct soak_client *c, struct question *q)
{
	soak_store_line(&c->rng, below(c, SOAK_MODELS), q->line, sizeof(q->line));
	say(q->want, "+OK");
}

static void ask_modelset(struct soak_client *c, struct question *q)
{
	say(q->line, "AI.MODELSET m%u TF CPU TAG t BATCHSIZE %u INPUTS a b OUTPUTS mul BLOB $MUL",
	    below(c, SOAK_MODELS), below(c, 3));
	say(q->want, "+OK");
}

static void ask_store_net(struct soak_client *c, struct question *q)
{
	static const char *const kinds[] = {
		"TF CPU:1 INPUTS 1 input OUTPUTS 1 MobilenetV1/Predictions/Reshape_1 BLOB $TF",
		"TFLITE CPU BLOB $TFLITE", "ONNX CPU:2 BATCHSIZE 2 BLOB $ONNX"};
	unsigned i = below(c, ARRAY_LEN(kinds));

	say(q->line, "AI.MODELSTORE n%u %s", i, kinds[i]);
	say(q->want, "+OK");
}

static void ask_modeldel(struct soak_client *c, struct question *q)
{
	say(q->line, "AI.MODELDEL m%u", below(c, SOAK_MODELS));
	say(q->want, "+OK");
}

static void ask_rename_model(struct soak_client *c, struct question *q)
{
	say(q->line, "RENAME m%u m%u", below(c, SOAK_MODELS), below(c, SOAK_MODELS));
	say(q->want, "+OK");
}

static void ask_modelget(struct soak_client *c, struct question *q)
{
	say(q->line, "AI.MODELGET m%u %s", below(c, SOAK_MODELS), below(c, 2) ? "META" : "");
}

static void ask_info(struct soak_client *c, struct question *q)
{
	static const char *const lines[] = {
		"AI.INFO m1",       "AI.INFO m2 RESETSTAT", "AI._MODELSCAN",
		"AI._SCRIPTSCAN",   "INFO MODULES",         "MEMORY USAGE m0",
		"MEMORY USAGE t0",  "DEBUG DIGEST",         "AI.CONFIG GET MODEL_CHUNK_SIZE",
		"INFO COMMANDSTATS"};

	say(q->line, "%s", lines[below(c, ARRAY_LEN(lines))]);
}

/* ---- runs ---- */

static void ask_modelexecute(struct soak_client *c, struct question *q)
{
	unsigned m = below(c, SOAK_MODELS);

	q->may_time_out = below(c, 4) == 0;
	say(q->line, "AI.MODELEXECUTE m%u INPUTS 2 t0 t1 OUTPUTS 1 c%u.y%s", m, c->number,
	    q->may_time_out ? " TIMEOUT 3" : "");
	say(q->want, "+OK");
}

static void ask_modelrun(struct soak_client *c, struct question *q)
{
	say(q->line, "AI.MODELRUN m%u INPUTS t2 t3 OUTPUTS c%u.y", below(c, SOAK_MODELS), c->number);
	say(q->want, "+OK");
}

/* A product that nobody else can change, however it is batched with others'. */
static void ask_product(struct soak_client *c, struct question *q)
{
	unsigned a = below(c, 1000), b = below(c, 1000);

	say(q->line,
	    "AI.DAGEXECUTE%s ROUTING r |> AI.TENSORSET v FLOAT 1 2 VALUES %u %u |> AI.MODELEXECUTE m%u INPUTS 2 v v "
	    "OUTPUTS 1 w |> AI.TENSORGET w VALUES",
	    below(c, 2) ? "_RO" : "", a, b, below(c, SOAK_MODELS));
	say(q->want, "[+OK +OK [\"%u\" \"%u\"]]", a * a, b * b);
}

/* Through several models, which may be on several devices. */
static void ask_chain(struct soak_client *c, struct question *q)
{
	unsigned a = 1 + below(c, 20), b = 1 + below(c, 20);

	q->may_time_out = below(c, 8) == 0;
	say(q->line,
	    "AI.DAGRUN PERSIST 1 c%u.y %s|> AI.TENSORSET v FLOAT 1 2 VALUES %u %u |> AI.MODELRUN m0 INPUTS v v OUTPUTS "
	    "x "
	    "|> AI.MODELRUN m1 INPUTS v v OUTPUTS y |> AI.MODELRUN m2 INPUTS x y OUTPUTS c%u.y |> AI.TENSORGET c%u.y "
	    "VALUES",
	    c->number, q->may_time_out ? "TIMEOUT 3 " : "", a, b, c->number, c->number);
	say(q->want, "[+OK +OK +OK +OK [\"%u\" \"%u\"]]", a * a * a * a, b * b * b * b);
}

static void ask_loaded(struct soak_client *c, struct question *q)
{
	say(q->line, "AI.DAGRUN_RO LOAD 2 t0 t1 |> AI.MODELRUN m%u INPUTS t0 t1 OUTPUTS w |> AI.TENSORGET w META",
	    below(c, SOAK_MODELS));
	say(q->want, "[+OK [\"dtype\" \"FLOAT\" \"shape\" [:1 :2]]]");
}

static void ask_net(struct soak_client *c, struct question *q)
{
	say(q->line,
	    "AI.DAGEXECUTE_RO ROUTING r |> AI.TENSORSET i FLOAT 1 32 32 3 |> AI.MODELEXECUTE n%u INPUTS 1 i OUTPUTS 1 "
	    "o |> "
	    "AI.TENSORGET o META",
	    below(c, 3));
	say(q->want, "[+OK +OK [\"dtype\" \"FLOAT\" \"shape\" [:1 :1001]]]");
}

/* ---- scripts ---- */

static void ask_scriptstore(struct soak_client *c, struct question *q)
{
	say(q->line, "AI.SCRIPTSTORE s%u CPU:1 TAG t ENTRY_POINTS 1 sum SOURCE $SOURCE", below(c, 2));
	say(q->want, "+OK");
}

static void ask_scriptdel(struct soak_client *c, struct question *q)
{
	say(q->line, "AI.SCRIPTDEL s%u", below(c, 2));
	say(q->want, "+OK");
}

static void ask_script(struct soak_client *c, struct question *q)
{
	unsigned a = below(c, 1000);

	say(q->line,
	    "AI.DAGEXECUTE ROUTING r |> AI.TENSORSET v FLOAT 1 VALUES %u |> AI.SCRIPTEXECUTE s%u sum INPUTS 2 v v "
	    "OUTPUTS 1 "
	    "w |> AI.TENSORGET w VALUES",
	    a, below(c, 2));
	say(q->want, "[+OK +OK [\"%u\"]]", 2 * a);
}

/* ---- what is wrong ---- */

static void ask_bad(struct soak_client *c, struct question *q)
{
	static const struct {
		const char *line, *answer;
	} bad[] = {
		{"AI.TENSORSET x FLOAT 1 2 VALUES 1",
		 "-ERR wrong number of values was given in 'AI.TENSORSET' command"},
		{"AI.TENSORSET x WORD 1 2", "-ERR invalid data type"},
		{"AI.TENSORGET", "-ERR wrong number of arguments for 'AI.TENSORGET' command"},
		{"AI.MODELSTORE bad TF CPU INPUTS 1 a OUTPUTS 1 mul BLOB rubbish", "-Invalid GraphDef"},
		{"AI.MODELSTORE bad ONNX CPU BLOB rubbish", "-No graph was found in the protobuf."},
		{"AI.DAGEXECUTE ROUTING r |> AI.NONE x", "-Unsupported command within DAG"},
		{"AI.DAGRUN PERSIST 1 no |> AI.TENSORSET v FLOAT 1", "-ERR PERSIST key cannot be found in DAG"},
		{"EVAL $LUA 0", "\"ERR Cannot run RedisAI command within a transaction or a LUA script\""},
	};
	unsigned i = below(c, ARRAY_LEN(bad));

	say(q->line, "%s", bad[i].line);
	say(q->want, "%s", bad[i].answer);
}

static const struct {
	const char *name;
	unsigned weight;
	void (*make)(struct soak_client *c, struct question *q);
} asks[] = {
	{"AI.TENSORSET", 8, ask_tensorset},
	{"AI.TENSORGET", 4, ask_tensorget},
	{"tensors of all types", 4, ask_types},
	{"COPY of tensors", 1, ask_copy},
	{"RENAME of tensors", 1, ask_rename_tensor},
	{"DEL, UNLINK", 1, ask_delete},
	{"FLUSHALL, DBSIZE", 1, ask_flush},
	{"AI.MODELSTORE", 8, ask_modelstore},
	{"AI.MODELSET", 1, ask_modelset},
	{"AI.MODELSTORE of nets", 2, ask_store_net},
	{"AI.MODELDEL", 1, ask_modeldel},
	{"RENAME of models", 1, ask_rename_model},
	{"AI.MODELGET", 2, ask_modelget},
	{"AI.INFO and its like", 2, ask_info},
	{"AI.MODELEXECUTE", 8, ask_modelexecute},
	{"AI.MODELRUN", 4, ask_modelrun},
	{"AI.DAGEXECUTE[_RO]", 10, ask_product},
	{"AI.DAGRUN, three models", 8, ask_chain},
	{"AI.DAGRUN_RO with LOAD", 4, ask_loaded},
	{"nets in a DAG", 3, ask_net},
	{"AI.SCRIPTSTORE", 1, ask_scriptstore},
	{"AI.SCRIPTDEL", 1, ask_scriptdel},
	{"AI.SCRIPTEXECUTE", 3, ask_script},
	{"wrong commands", 2, ask_bad},
};
_Static_assert(ARRAY_LEN(asks) <= SOAK_ASKS, "room in struct soak_counts");

const char *soak_ask_name(size_t i)
{
	return i < ARRAY_LEN(asks) ? asks[i].name : NULL;
}

static size_t choose(struct soak_client *c)
{
	unsigned total = 0, at;
	size_t i;

	for (i = 0; i < ARRAY_LEN(asks); i++)
		total += asks[i].weight;
	at = below(c, total);
	for (i = 0; at >= asks[i].weight; i++)
		at -= asks[i].weight;
	return i;
}

/* Whether the answer is the one that is wanted, or one that others' commands explain; *ret_error: it is one of those. */
static bool judge(struct soak_client *c, const struct question *q, const struct resp_node *nodes, size_t n,
		  bool *ret_error)
{
	bool excused = false;

	show_reply(&c->answer, nodes, n);
	*ret_error = false;
	if (q->want[0] && strcmp(c->answer.data, q->want) == 0)
		return true;
	for (size_t i = 0; i < n; i++) {
		if (nodes[i].type == RESP_ERROR && !is_tolerated(nodes[i].data, nodes[i].len))
			return false;
		excused = excused || nodes[i].type == RESP_ERROR;
	}
	if (q->may_time_out && strcmp(c->answer.data, "+TIMEDOUT") == 0)
		excused = true;
	*ret_error = excused;
	return excused || !q->want[0];
}

static bool fail(struct soak_client *c, const char *line, const char *what)
{
	c->failed = true;
	error_set(&c->why, ERR_WRONG, "client %u: %.300s: %.150s", c->number, line, what);
	return false;
}

/* One question and its answer; false ends the client. A connection that was cut is made again. */
static bool ask_one(struct soak_client *c)
{
	const struct resp_node *nodes;
	size_t kind = choose(c), n;
	struct question q = {.want = ""};
	struct error err;
	bool error;
	int r = 0;

	if (!c->redis) {
		r = redis_client_open(&c->redis, c->endpoint, NULL, c->conn, &err);
		if (r < 0)
			c->redis = NULL;
		if (r == ERR_CLOSED || r == ERR_IO) { /* cut while it was made */
			c->counts.lost++;
			return true;
		}
		if (r < 0 && strstr(err.text, "still loading")) /* DEBUG RELOAD */
			return true;
		if (r < 0)
			return fail(c, "connecting", err.text);
	}
	asks[kind].make(c, &q);
	append_line(redis_client_out(c->redis), q.line);
	r = redis_client_send(c->redis, &err);
	if (r == 0)
		r = redis_client_receive(c->redis, &nodes, &n, &err);
	if (r == ERR_TIMEOUT || r == ERR_PROTOCOL)
		return fail(c, q.line, err.text);
	if (r < 0) {
		c->counts.lost++;
		redis_client_close(c->redis);
		c->redis = NULL;
		return true;
	}
	c->counts.asked[kind]++;
	if (!judge(c, &q, nodes, n, &error))
		return fail(c, q.line, c->answer.data);
	c->counts.errors[kind] += error;
	return true;
}

void *soak_client_run(void *arg)
{
	struct soak_client *c = arg;

	while (!atomic_load_explicit(c->stop, memory_order_relaxed) && ask_one(c))
		continue;
	redis_client_close(c->redis);
	c->redis = NULL;
	buf_release(&c->answer);
	return NULL;
}
