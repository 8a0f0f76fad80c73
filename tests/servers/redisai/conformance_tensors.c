/*
 * conformance_tensors.c - rows of AI.TENSORSET and AI.TENSORGET.
 */
#include "common/arith.h"
#include "tests/servers/redisai/conformance.h"

#define SHAPE "-ERR invalid or negative value found in tensor shape"
#define VALUE "-ERR invalid value"
#define COUNT "-ERR wrong number of values was given in 'AI.TENSORSET' command"
#define SINGLE "-ERR a single binary string should come after the BLOB argument in 'AI.TENSORSET' command"
#define LENGTH "-ERR data length does not match tensor shape and type"
#define BOOLEAN "-ERR BOOL tensor elements must be 0 or 1"
#define STRINGS "-ERR Number of string elements in data blob does not match tensor length"

static const struct exchange values[] = {
	{"AI.TENSORSET {t}a FLOAT 1 2 VALUES 1.1 inf", "+OK"},
	{"AI.TENSORSET {t}scalar float VALUES 3", "+OK"},
	{"AI.TENSORSET {t}zeros INT16 2", "+OK"},
	{"AI.TENSORSET {t}none STRING 2", "+OK"},
	{"AI.TENSORSET {t}s STRING 2 VALUES ab cde", "+OK"},
	{"AI.TENSORSET {t}d DOUBLE 2 VALUES 1e300 -0.5", "+OK"},
	{"AI.TENSORSET {t}b BOOL 2 VALUES 1 0", "+OK"},
	{"AI.TENSORSET {t}ends float 2 1 values -inf 1", "+OK"},
	{"AI.TENSORSET {t}truth BOOL VALUES 1", "+OK"},
	{"AI.TENSORSET {t}text STRING VALUES word", "+OK"},
	{"AI.TENSORSET {t}nothing String", "-ERR wrong number of arguments for 'AI.TENSORSET' command"},
	{"AI.TENSORSET {t}blob FLOAT 1 blob $ONE", "+OK"},
	{"AI.TENSORSET {t}bare FLOAT BLOB $ONE", "+OK"},
	{"AI.TENSORSET {t}texts STRING 2 2 BLOB $STRINGS", "+OK"},
	{"AI.TENSORSET {t}deep INT8 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 2 VALUES 3 4", "+OK"},
	/* A value of any type takes the place of another. */
	{"AI.TENSORSET {t}again STRING 2 VALUES a b", "+OK"},
	{"AI.TENSORSET {t}again UINT8 1 VALUES 255", "+OK"},
};

static const struct exchange values_kept[] = {
	{"AI.TENSORGET {t}a",
	 "[\"dtype\" \"FLOAT\" \"shape\" [:1 :2] \"blob\" \"\\xcd\\xcc\\x8c?\\x00\\x00\\x80\\x7f\"]"},
	{"AI.TENSORGET {t}a META", "[\"dtype\" \"FLOAT\" \"shape\" [:1 :2]]"},
	{"AI.TENSORGET {t}a VALUES", "[\"1.1000000238418579\" \"inf\"]"},
	{"AI.TENSORGET {t}a values meta",
	 "[\"dtype\" \"FLOAT\" \"shape\" [:1 :2] \"values\" [\"1.1000000238418579\" \"inf\"]]"},
	{"AI.TENSORGET {t}a BLOB", "\"\\xcd\\xcc\\x8c?\\x00\\x00\\x80\\x7f\""},
	{"AI.TENSORGET {t}scalar META VALUES", "[\"dtype\" \"FLOAT\" \"shape\" [] \"values\" [\"3\"]]"},
	{"AI.TENSORGET {t}zeros VALUES", "[:0 :0]"},
	{"AI.TENSORGET {t}none BLOB", "\"\\x00\\x00\""},
	{"AI.TENSORGET {t}s VALUES", "[\"ab\" \"cde\"]"},
	{"AI.TENSORGET {t}s BLOB", "\"ab\\x00cde\\x00\""},
	{"AI.TENSORGET {t}d VALUES", "[\"1.0000000000000001e+300\" \"-0.5\"]"},
	{"AI.TENSORGET {t}b VALUES", "[:1 :0]"},
	{"TYPE {t}a", "+AI_TENSOR"},
	{"AI.TENSORGET {t}a meta blob",
	 "[\"dtype\" \"FLOAT\" \"shape\" [:1 :2] \"blob\" \"\\xcd\\xcc\\x8c?\\x00\\x00\\x80\\x7f\"]"},
	{"AI.TENSORGET {t}scalar", "[\"dtype\" \"FLOAT\" \"shape\" [] \"blob\" \"\\x00\\x00@@\"]"},
	{"AI.TENSORGET {t}scalar VALUES", "[\"3\"]"},
	{"AI.TENSORGET {t}ends VALUES", "[\"-inf\" \"1\"]"},
	{"AI.TENSORGET {t}truth META VALUES", "[\"dtype\" \"BOOL\" \"shape\" [] \"values\" [:1]]"},
	{"AI.TENSORGET {t}truth", "[\"dtype\" \"BOOL\" \"shape\" [] \"blob\" \"\\x01\"]"},
	{"AI.TENSORGET {t}text META VALUES", "[\"dtype\" \"STRING\" \"shape\" [] \"values\" [\"word\"]]"},
	{"AI.TENSORGET {t}text BLOB", "\"word\\x00\""},
	{"AI.TENSORGET {t}blob VALUES", "[\"1\"]"},
	{"AI.TENSORGET {t}bare", "[\"dtype\" \"FLOAT\" \"shape\" [] \"blob\" \"\\x00\\x00\\x80?\"]"},
	{"AI.TENSORGET {t}texts META VALUES",
	 "[\"dtype\" \"STRING\" \"shape\" [:2 :2] \"values\" [\"a\" \"\" \"bc\" \"d\"]]"},
	{"AI.TENSORGET {t}none META VALUES", "[\"dtype\" \"STRING\" \"shape\" [:2] \"values\" [\"\" \"\"]]"},
	{"AI.TENSORGET {t}deep",
	 "[\"dtype\" \"INT8\" \"shape\" [:1 :1 :1 :1 :1 :1 :1 :1 :1 :1 :1 :1 :1 :1 :1 :2] \"blob\" \"\\x03\\x04\"]"},
	{"AI.TENSORGET {t}again META VALUES", "[\"dtype\" \"UINT8\" \"shape\" [:1] \"values\" [:255]]"},
	{"EXISTS {t}nothing", ":0"},
};

/* The ends of each type's range, as values and as bytes. */
static const struct exchange ranges[] = {
	{"AI.TENSORSET {t}float FLOAT 3 VALUES 3.4028234663852886e+38 -1.5 1e-45", "+OK"},
	{"AI.TENSORSET {t}double DOUBLE 2 VALUES 1.7976931348623157e+308 5e-324", "+OK"},
	{"AI.TENSORSET {t}int8 INT8 2 VALUES 0 127", "+OK"},
	{"AI.TENSORSET {t}int8 INT8 1 VALUES 128", VALUE},
	{"AI.TENSORSET {t}negative INT8 2 BLOB $NEGATIVE", "+OK"},
	{"AI.TENSORSET {t}int16 INT16 2 VALUES -32768 32767", "+OK"},
	{"AI.TENSORSET {t}int16 INT16 1 VALUES -32769", VALUE},
	{"AI.TENSORSET {t}int16 INT16 1 VALUES 32768", VALUE},
	{"AI.TENSORSET {t}int32 INT32 2 VALUES -2147483648 2147483647", "+OK"},
	{"AI.TENSORSET {t}int32 INT32 1 VALUES -2147483649", VALUE},
	{"AI.TENSORSET {t}int64 INT64 2 VALUES -9223372036854775808 9223372036854775807", "+OK"},
	{"AI.TENSORSET {t}int64 INT64 1 VALUES 9223372036854775808", VALUE},
	{"AI.TENSORSET {t}uint8 UINT8 2 VALUES 0 255", "+OK"},
	{"AI.TENSORSET {t}uint8 UINT8 1 VALUES 256", VALUE},
	{"AI.TENSORSET {t}uint16 UINT16 2 VALUES 0 65535", "+OK"},
	{"AI.TENSORSET {t}uint16 UINT16 1 VALUES 65536", VALUE},
	{"AI.TENSORSET {t}bool BOOL 3 VALUES 0 1 1", "+OK"},
	{"AI.TENSORSET {t}bool BOOL 1 VALUES -1", VALUE},
};

static const struct exchange ranges_kept[] = {
	{"AI.TENSORGET {t}float VALUES", "[\"3.4028234663852886e+38\" \"-1.5\" \"1.4012984643248171e-45\"]"},
	{"AI.TENSORGET {t}double VALUES", "[\"1.7976931348623157e+308\" \"4.9406564584124654e-324\"]"},
	{"AI.TENSORGET {t}int8 META VALUES", "[\"dtype\" \"INT8\" \"shape\" [:2] \"values\" [:0 :127]]"},
	{"AI.TENSORGET {t}negative VALUES", "[:-1 :-128]"},
	{"AI.TENSORGET {t}int16 META VALUES", "[\"dtype\" \"INT16\" \"shape\" [:2] \"values\" [:-32768 :32767]]"},
	{"AI.TENSORGET {t}int16 BLOB", "\"\\x00\\x80\\xff\\x7f\""},
	{"AI.TENSORGET {t}int32 META VALUES",
	 "[\"dtype\" \"INT32\" \"shape\" [:2] \"values\" [:-2147483648 :2147483647]]"},
	{"AI.TENSORGET {t}int64 META VALUES",
	 "[\"dtype\" \"INT64\" \"shape\" [:2] \"values\" [:-9223372036854775808 :9223372036854775807]]"},
	{"AI.TENSORGET {t}uint8 META VALUES", "[\"dtype\" \"UINT8\" \"shape\" [:2] \"values\" [:0 :255]]"},
	{"AI.TENSORGET {t}uint16 META VALUES", "[\"dtype\" \"UINT16\" \"shape\" [:2] \"values\" [:0 :65535]]"},
	{"AI.TENSORGET {t}uint16 BLOB", "\"\\x00\\x00\\xff\\xff\""},
	{"AI.TENSORGET {t}bool", "[\"dtype\" \"BOOL\" \"shape\" [:3] \"blob\" \"\\x00\\x01\\x01\"]"},
};

static const struct exchange errors[] = {
	{"AI.TENSORSET {t}t FLOAT 1", "+OK"},
	{"SET {t}string value", "+OK"},
	{"AI.TENSORSET", "-ERR wrong number of arguments for 'AI.TENSORSET' command"},
	{"AI.TENSORSET {t}k FLOAT", "-ERR wrong number of arguments for 'AI.TENSORSET' command"},
	{"AI.TENSORSET {t}string NOTYPE x", WRONGTYPE},
	{"AI.TENSORSET {t}k INT128 2 VALUES 2 3", "-ERR invalid data type"},
	{"AI.TENSORSET {t}k INT32 -1 VALUES 2 3", SHAPE},
	{"AI.TENSORSET {t}k INT32 0", SHAPE},
	{"AI.TENSORSET {t}k INT32 2 unsupported 2 3", SHAPE},
	{"AI.TENSORSET {t}k INT32 2x VALUES 2 3", SHAPE},
	{"AI.TENSORSET {t}k INT32 99999999999999999999", SHAPE},
	{"AI.TENSORSET {t}k INT32 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1", SHAPE},
	{"AI.TENSORSET {t}k INT64 9223372036854775807 9223372036854775807", SHAPE},
	{"AI.TENSORSET {t}k INT64 4611686018427387904 4", SHAPE},
	{"AI.TENSORSET {t}k FLOAT 1000000000000",
	 "-ERR a tensor without values may have 512 MB, this one has 3814697 MB"},
	{"AI.TENSORSET {t}k FLOAT 2 VALUES 2 A", VALUE},
	{"AI.TENSORSET {t}k FLOAT 2 VALUES 2 nan", VALUE},
	{"AI.TENSORSET {t}k INT32 2 VALUES 2 A", VALUE},
	{"AI.TENSORSET {t}k INT32 1 VALUES 2147483648", VALUE},
	{"AI.TENSORSET {t}k UINT8 1 VALUES -1", VALUE},
	{"AI.TENSORSET {t}k INT8 2 VALUES -1 -128", VALUE},
	{"AI.TENSORSET {t}k BOOL 2 VALUES 1 2", VALUE},
	{"AI.TENSORSET {t}k FLOAT 2 VALUES", COUNT},
	{"AI.TENSORSET {t}k FLOAT 2 VALUES 1", COUNT},
	{"AI.TENSORSET {t}k FLOAT 2 VALUES 1 2 3", COUNT},
	{"AI.TENSORSET {t}k FLOAT 2 BLOB", SINGLE},
	{"AI.TENSORSET {t}k FLOAT 2 BLOB x y", SINGLE},
	{"AI.TENSORSET {t}k FLOAT 2 BLOB 1234567", LENGTH},
	{"AI.TENSORSET {t}k INT64 4611686018427387904 4 BLOB x", LENGTH},
	{"AI.TENSORSET {t}k BOOL 2 BLOB ab", BOOLEAN},
	{"AI.TENSORSET {t}k STRING 1 VALUES $NUL", "-ERR C-string value contains null character"},
	{"AI.TENSORSET {t}k STRING 2 BLOB $NUL", STRINGS},
	{"AI.TENSORSET {t}k STRING 2 BLOB a", STRINGS},
	{"AI.TENSORSET {t}k STRING 2 VALUES a", COUNT},
	{"AI.TENSORSET {t}k DOUBLE 1 VALUES nan", VALUE},
	{"AI.TENSORSET {t}k DOUBLE VALUES", COUNT},
	{"AI.TENSORSET {t}k FLOAT VALUES 1 2", COUNT},
	{"AI.TENSORSET {t}k FLOAT BLOB", SINGLE},
	{"AI.TENSORSET {t}k FLOAT BLOB 12345", LENGTH},
	{"AI.TENSORSET {t}k FLOAT 2 VALUES 1 BLOB", VALUE},
	/* What fails leaves what was there. */
	{"AI.TENSORSET {t}t FLOAT 2 VALUES 1", COUNT},
	{"AI.TENSORSET {t}t INT128 1", "-ERR invalid data type"},
};

static const struct exchange errors_kept[] = {
	{"EXISTS {t}k", ":0"},
	{"GET {t}string", "\"value\""},
	{"AI.TENSORGET {t}t META VALUES", "[\"dtype\" \"FLOAT\" \"shape\" [:1] \"values\" [\"0\"]]"},
	{"AI.TENSORGET", "-ERR wrong number of arguments for 'AI.TENSORGET' command"},
	{"AI.TENSORGET {t}t META BLOB VALUES", "-ERR wrong number of arguments for 'AI.TENSORGET' command"},
	{"AI.TENSORGET {t}nothing unsupported", "-ERR tensor key is empty or in a different shard"},
	{"AI.TENSORGET {t}string unsupported", WRONGTYPE},
	{"AI.TENSORGET {t}t unsupported", "-ERR unsupported data format"},
	{"AI.TENSORGET {t}t BLOB VALUES", "-ERR both BLOB and VALUES specified"},
	{"AI.TENSORGET {t}t VALUES BLOB", "-ERR both BLOB and VALUES specified"},
	{"COMMAND GETKEYS AI.TENSORSET {t}k FLOAT 1", "[\"{t}k\"]"},
	{"COMMAND GETKEYS AI.TENSORGET {t}k", "[\"{t}k\"]"},
};

/* What Redis' own commands do with tensors. */
static const struct exchange keys[] = {
	{"AI.TENSORSET {t}a INT32 2 VALUES 1 2", "+OK"},
	{"COPY {t}a {t}b", ":1"},
	{"RENAME {t}a {t}c", "+OK"},
	{"AI.TENSORSET {t}a INT32 1 VALUES 5", "+OK"},
	{"COPY {t}a {t}c", ":0"},
	{"COPY {t}a {t}c REPLACE", ":1"},
	{"DEL {t}a", ":1"},
	{"AI.TENSORSET {t}old FLOAT 1", "+OK"},
	{"UNLINK {t}old", ":1"},
	{"APPEND {t}b x", WRONGTYPE},
	{"PERSIST {t}b", ":0"},
};

static const struct exchange keys_kept[] = {
	{"EXISTS {t}a {t}old", ":0"},
	{"AI.TENSORGET {t}b VALUES", "[:1 :2]"},
	{"AI.TENSORGET {t}c VALUES", "[:5]"},
	{"OBJECT ENCODING {t}b", "\"raw\""},
};

const struct conformance_block conformance_tensors[] = {
	BLOCK("tensors in every format", values, values_kept),
	BLOCK("ranges of tensor types", ranges, ranges_kept),
	BLOCK("errors of AI.TENSORSET and AI.TENSORGET", errors, errors_kept),
	BLOCK("tensors under Redis' own commands", keys, keys_kept),
};
const size_t conformance_ntensors = ARRAY_LEN(conformance_tensors);
