/*
 * conformance_models.c - rows of AI.MODELSTORE, AI.MODELSET, AI.MODELGET, AI.MODELDEL, AI._MODELSCAN, AI.INFO and
 * AI.CONFIG.
 */
#include "common/arith.h"
#include "tests/servers/redisai/conformance.h"

#define META_OF(backend, device, tag, batch, names) \
	"\"backend\" \"" backend "\" \"device\" \"" device "\" \"tag\" \"" tag "\" " batch " " names
#define BATCH(size, min) "\"batchsize\" :" size " \"minbatchsize\" :" min
#define NAMES "\"inputs\" [\"a\" \"b\"] \"outputs\" [\"mul\"]"
#define NO_NAMES "\"inputs\" [] \"outputs\" []"
#define TIMEOUT(ms) " \"minbatchtimeout\" :" ms
/* $MUL as it is shown. */
#define MUL_SHOWN \
	"\"\\x0a\\x1d\\x0a\\x01a\\x12\\x0bPlaceholder*" \
	"\\x0b\\x0a\\x05dtype\\x12\\x020\\x01\\x0a\\x1d\\x0a\\x01b\\x12\\x0bPlaceholder*" \
	"\\x0b\\x0a\\x05dtype\\x12\\x020\\x01\\x0a\\x19\\x0a\\x03mul\\x12\\x03Mul\\x1a\\x01a\\x1a\\x01b*" \
	"\\x07\\x0a\\x01T\\x12\\x020\\x01\""

static const struct exchange stored[] = {
	{"AI.MODELSTORE {t}plain " STORE_MUL, "+OK"},
	{"AI.MODELSTORE {t}full TF cpu:1 TAG v:1 BATCHSIZE 4 MINBATCHSIZE 2 MINBATCHTIMEOUT 1000 INPUTS 2 a b OUTPUTS "
	 "1 mul BLOB $MUL",
	 "+OK"},
	{"AI.MODELSTORE {t}batch TF CPU BATCHSIZE 4 INPUTS 2 a b OUTPUTS 1 mul BLOB $MUL", "+OK"},
	{"AI.MODELSTORE {t}min TF CPU BATCHSIZE 4 MINBATCHSIZE 2 INPUTS 2 a b OUTPUTS 1 mul BLOB $MUL", "+OK"},
	/* Zeros say no more than nothing does. */
	{"AI.MODELSTORE {t}zeros tf CPU tag z batchsize 0 minbatchsize 0 minbatchtimeout 0 inputs 2 a b outputs 1 mul "
	 "blob $MUL",
	 "+OK"},
	{"AI.MODELSTORE {t}split TF CPU INPUTS 2 a b OUTPUTS 1 mul BLOB $MUL_HEAD $MUL_REST", "+OK"},
	{"AI.MODELSTORE {t}tflite TFLITE CPU TAG lite BATCHSIZE 8 MINBATCHSIZE 1 MINBATCHTIMEOUT 5 BLOB $TFLITE",
	 "+OK"},
	{"AI.MODELSTORE {t}onnx ONNX CPU:2 TAG onnx BATCHSIZE 8 BLOB $ONNX", "+OK"},
	{"AI.MODELSET {t}set TF CPU TAG x BATCHSIZE 4 MINBATCHSIZE 2 MINBATCHTIMEOUT 7 INPUTS a b OUTPUTS mul BLOB "
	 "$MUL",
	 "+OK"},
	{"AI.MODELSET {t}setlite TFLITE CPU INPUTS input OUTPUTS other BLOB $TFLITE", "+OK"},
	{"AI.MODELSET {t}setonnx ONNX CPU TAG o BLOB $ONNX", "+OK"},
	/* The older command takes any name of a device, and no inputs. */
	{"AI.MODELSET {t}odd TF elsewhere INPUTS a b OUTPUTS mul BLOB $MUL", "+OK"},
	{"AI.MODELSET {t}constant TF x INPUTS OUTPUTS axis BLOB $SUM", "+OK"},
	/* One model in place of another, then gone. */
	{"AI.MODELSTORE {t}again TFLITE CPU TAG first BLOB $TFLITE", "+OK"},
	{"AI.MODELSTORE {t}again TF CPU TAG second INPUTS 2 b a OUTPUTS 1 mul BLOB $MUL", "+OK"},
	{"AI.MODELSTORE {t}gone " STORE_MUL, "+OK"},
	{"AI.MODELDEL {t}gone", "+OK"},
	{"AI.MODELSTORE {t}dropped " STORE_MUL, "+OK"},
	{"DEL {t}dropped", ":1"},
	/* A failed store leaves what was there. */
	{"AI.MODELSTORE {t}plain TF CPU INPUTS 1 a OUTPUTS 1 mul BLOB notagraph", "-Invalid GraphDef"},
};

static const struct exchange stored_kept[] = {
	{"AI.MODELGET {t}plain META", "[" META_OF("TF", "CPU", "", BATCH("0", "0"), NAMES) TIMEOUT("0") "]"},
	{"AI.MODELGET {t}plain",
	 "[" META_OF("TF", "CPU", "", BATCH("0", "0"), NAMES) TIMEOUT("0") " \"blob\" " MUL_SHOWN "]"},
	{"AI.MODELGET {t}plain META BLOB",
	 "[" META_OF("TF", "CPU", "", BATCH("0", "0"), NAMES) TIMEOUT("0") " \"blob\" " MUL_SHOWN "]"},
	{"AI.MODELGET {t}plain blob", MUL_SHOWN},
	{"AI.MODELGET {t}full META", "[" META_OF("TF", "cpu:1", "v:1", BATCH("4", "2"), NAMES) TIMEOUT("1000") "]"},
	{"AI.MODELGET {t}batch META", "[" META_OF("TF", "CPU", "", BATCH("4", "0"), NAMES) TIMEOUT("0") "]"},
	{"AI.MODELGET {t}min META", "[" META_OF("TF", "CPU", "", BATCH("4", "2"), NAMES) TIMEOUT("0") "]"},
	{"AI.MODELGET {t}zeros META", "[" META_OF("TF", "CPU", "z", BATCH("0", "0"), NAMES) TIMEOUT("0") "]"},
	{"AI.MODELGET {t}split BLOB", MUL_SHOWN},
	{"AI.MODELGET {t}tflite META",
	 "[" META_OF("TFLITE", "CPU", "lite", BATCH("8", "1"), NO_NAMES) TIMEOUT("5") "]"},
	{"AI.MODELGET {t}onnx META", "[" META_OF("ONNX", "CPU:2", "onnx", BATCH("8", "0"), NO_NAMES) TIMEOUT("0") "]"},
	{"AI.MODELGET {t}set META", "[" META_OF("TF", "CPU", "x", BATCH("4", "2"), NAMES) TIMEOUT("7") "]"},
	{"AI.MODELGET {t}setlite META", "[" META_OF("TFLITE", "CPU", "", BATCH("0", "0"), NO_NAMES) TIMEOUT("0") "]"},
	{"AI.MODELGET {t}setonnx META", "[" META_OF("ONNX", "CPU", "o", BATCH("0", "0"), NO_NAMES) TIMEOUT("0") "]"},
	{"AI.MODELGET {t}odd META", "[" META_OF("TF", "elsewhere", "", BATCH("0", "0"), NAMES) TIMEOUT("0") "]"},
	{"AI.MODELGET {t}constant META",
	 "[" META_OF("TF", "x", "", BATCH("0", "0"), "\"inputs\" [] \"outputs\" [\"axis\"]") TIMEOUT("0") "]"},
	{"AI.MODELGET {t}again META", "[" META_OF("TF", "CPU", "second", BATCH("0", "0"),
						  "\"inputs\" [\"b\" \"a\"] \"outputs\" [\"mul\"]") TIMEOUT("0") "]"},
	{"EXISTS {t}gone {t}dropped", ":0"},
	{"TYPE {t}plain", "+AI__MODEL"},
	{"AI.INFO {t}full", "[\"key\" \"{t}full\" \"type\" \"MODEL\" \"backend\" \"TF\" \"device\" \"cpu:1\" \"tag\" "
			    "\"v:1\" \"duration\" :0 \"samples\" :0 \"calls\" :0 \"errors\" :0]"},
	{"AI.INFO {t}onnx", "[\"key\" \"{t}onnx\" \"type\" \"MODEL\" \"backend\" \"ONNX\" \"device\" \"CPU:2\" \"tag\" "
			    "\"onnx\" \"duration\" :0 \"samples\" :0 \"calls\" :0 \"errors\" :0]"},
	{"AI.INFO {t}full RESETSTAT", "+OK"},
	{"AI.INFO {t}full resetstat", "+OK"},
	{"COMMAND GETKEYS AI.MODELSTORE {t}m " STORE_MUL, "[\"{t}m\"]"},
	{"COMMAND GETKEYS AI.MODELSET {t}m TF CPU BLOB x", "[\"{t}m\"]"},
	{"COMMAND GETKEYS AI.MODELGET {t}m", "[\"{t}m\"]"},
	{"COMMAND GETKEYS AI.MODELDEL {t}m", "[\"{t}m\"]"},
	{"COMMAND GETKEYS AI.INFO {t}m", "[\"{t}m\"]"},
};

static const struct exchange scanned[] = {
	{"AI._MODELSCAN", "[]"},
	{"AI.MODELSTORE {t}m TF CPU TAG x INPUTS 2 a b OUTPUTS 1 mul BLOB $MUL", "+OK"},
	{"AI._MODELSCAN", "[[\"{t}m\" \"x\"]]"},
	{"AI.MODELDEL {t}m", "+OK"},
	{"AI._MODELSCAN", "[]"},
	{"AI.MODELSTORE {t}m " STORE_MUL, "+OK"},
};

static const struct exchange scanned_kept[] = {
	{"AI._MODELSCAN", "[[\"{t}m\" \"\"]]"},
	{"AI._MODELSCAN x", "-ERR wrong number of arguments for 'AI._MODELSCAN' command"},
};

static const struct exchange store_errors[] = {
	{"AI.MODELSTORE", "-ERR wrong number of arguments for 'AI.MODELSTORE' command"},
	{"AI.MODELSTORE {t}k TF CPU TAG t INPUTS 1 a OUTPUTS 1 b", "-ERR Insufficient arguments, missing model BLOB"},
	{"SET {t}string value", "+OK"},
	{"AI.MODELSTORE {t}k TF BLOB x", "-ERR wrong number of arguments for 'AI.MODELSTORE' command"},
	{"AI.MODELSTORE {t}k PORCH CPU BLOB x", "-ERR unsupported backend"},
	{"AI.MODELSTORE {t}k TORCH bad_device BLOB x", "-ERR Invalid DEVICE"},
	{"AI.MODELSTORE {t}k TF CPU: BLOB x", "-ERR Invalid DEVICE"},
	{"AI.MODELSTORE {t}k TF CPU:123456 BLOB x", "-ERR Invalid DEVICE"},
	{"AI.MODELSTORE {t}k TF CPU:1a BLOB x", "-ERR Invalid DEVICE"},
	{"AI.MODELSTORE {t}k TORCH CPU BATCHSIZE bad BLOB x", "-ERR Invalid argument for BATCHSIZE"},
	{"AI.MODELSTORE {t}k TORCH CPU BATCHSIZE -1 BLOB x", "-ERR Invalid argument for BATCHSIZE"},
	{"AI.MODELSTORE {t}k TORCH CPU MINBATCHSIZE 2 BLOB x", "-ERR MINBATCHSIZE specified without BATCHSIZE"},
	{"AI.MODELSTORE {t}k TORCH CPU BATCHSIZE 2 MINBATCHSIZE bad BLOB x", "-ERR Invalid argument for MINBATCHSIZE"},
	{"AI.MODELSTORE {t}k TORCH CPU BATCHSIZE 2 MINBATCHTIMEOUT 1000 BLOB x",
	 "-ERR MINBATCHTIMEOUT specified without MINBATCHSIZE"},
	{"AI.MODELSTORE {t}k TORCH CPU BATCHSIZE 2 MINBATCHSIZE 2 MINBATCHTIMEOUT bad BLOB x",
	 "-ERR Invalid argument for MINBATCHTIMEOUT"},
	{"AI.MODELSTORE {t}k TF CPU BLOB x", "-ERR INPUTS not specified for TF"},
	{"AI.MODELSTORE {t}k TF CPU INPUTS x a OUTPUTS 1 b BLOB x", "-ERR Invalid argument for input_count"},
	{"AI.MODELSTORE {t}k TF CPU INPUTS 0 OUTPUTS 1 b BLOB x", "-ERR Invalid argument for input_count"},
	{"AI.MODELSTORE {t}k TF CPU INPUTS 99 a OUTPUTS 1 b BLOB x",
	 "-ERR number of model inputs does not match the number of given arguments"},
	{"AI.MODELSTORE {t}k TF CPU INPUTS 1 a BLOB x", "-ERR OUTPUTS not specified for TF"},
	{"AI.MODELSTORE {t}k TF CPU INPUTS 1 a OUTPUTS x b BLOB x", "-ERR Invalid argument for output_count"},
	{"AI.MODELSTORE {t}k TF CPU INPUTS 1 a OUTPUTS 99 b BLOB x",
	 "-ERR number of model outputs does not match the number of given arguments"},
	{"AI.MODELSTORE {t}k TORCH CPU INPUTS 1 a OUTPUTS 1 c BLOB x",
	 "-ERR INPUTS argument should not be specified for this backend"},
	{"AI.MODELSTORE {t}k TORCH CPU BATCHSIZE 2", "-ERR Insufficient arguments, missing model BLOB"},
	{"AI.MODELSTORE {t}k TORCH CPU BATCHSIZE 2 BLOB", "-ERR Insufficient arguments, missing model BLOB"},
	{"AI.MODELSTORE {t}k TORCH CPU BATCHSIZE 2 NOT_BLOB", "-ERR Invalid argument, expected BLOB"},
	{"AI.MODELSTORE {t}k TORCH CPU BLOB x", "-ERR this is no model of the test backend"},
	{"AI.MODELSTORE {t}k ONNX CPU OUTPUTS 1 c BLOB x",
	 "-ERR OUTPUTS argument should not be specified for this backend"},
	{"AI.MODELSTORE {t}k ONNX CPU BLOB x", "-No graph was found in the protobuf."},
	{"AI.MODELSTORE {t}k ONNX CPU BLOB $NO_GRAPH", "-No graph was found in the protobuf."},
	{"AI.MODELSTORE {t}k ONNX CPU BLOB $EXTERNAL", "-Initializer tensors with external data is not allowed."},
	{"AI.MODELSTORE {t}k ONNX GPU BLOB x", "-ERR GPU requested but ONNX couldn't find CUDA"},
	{"AI.MODELSTORE {t}k TFLITE CPU INPUTS 1 a OUTPUTS 1 c BLOB x",
	 "-ERR INPUTS argument should not be specified for this backend"},
	{"AI.MODELSTORE {t}k TFLITE CPU BLOB x", "-Failed to load model from buffer"},
	{"AI.MODELSTORE {t}k TFLITE CPU BLOB $MUL", "-Failed to load model from buffer"},
	{"AI.MODELSTORE {t}k TF CPU INPUTS 1 a OUTPUTS 1 mul BLOB notagraph", "-Invalid GraphDef"},
	{"AI.MODELSTORE {t}k TF CPU INPUTS 3 a b c OUTPUTS 1 mul BLOB $MUL",
	 "-ERR Input node named \"c\" not found in TF graph."},
	{"AI.MODELSTORE {t}k TF CPU INPUTS 2 a mul OUTPUTS 1 mul BLOB $MUL",
	 "-ERR Input node named \"mul\" not found in TF graph."},
	{"AI.MODELSTORE {t}k TF CPU INPUTS 2 a b OUTPUTS 1 mult BLOB $MUL",
	 "-ERR Output node named \"mult\" not found in TF graph"},
	{"AI.MODELSTORE {t}k TF GPU INPUTS 2 a b OUTPUTS 1 mul BLOB $MUL",
	 "-ERR GPU requested but TF couldn't find CUDA"},
	{"AI.MODELSTORE {t}string " STORE_MUL, WRONGTYPE},
	{"AI.MODELSTORE {t}k TF CPU INPUTS -1 a OUTPUTS 1 b BLOB x", "-ERR Invalid argument for input_count"},
	{"AI.MODELSTORE {t}k TF CPU INPUTS 1 a OUTPUTS 0 b BLOB x", "-ERR Invalid argument for output_count"},
	{"AI.MODELSTORE {t}k ONNX CPU INPUTS 1 a OUTPUTS 1 c BLOB x",
	 "-ERR INPUTS argument should not be specified for this backend"},
	{"AI.MODELSTORE {t}k TFLITE CPU OUTPUTS 1 c BLOB x",
	 "-ERR OUTPUTS argument should not be specified for this backend"},
	{"AI.MODELSTORE {t}k TF CPU BATCHSIZE 2 MINBATCHSIZE -1 INPUTS 1 a OUTPUTS 1 b BLOB x",
	 "-ERR Invalid argument for MINBATCHSIZE"},
	{"AI.MODELSTORE {t}k TF CPU MINBATCHTIMEOUT 5 INPUTS 1 a OUTPUTS 1 b BLOB x",
	 "-ERR MINBATCHTIMEOUT specified without MINBATCHSIZE"},
	/* The order is fixed. */
	{"AI.MODELSTORE {t}k TF CPU BATCHSIZE 2 TAG t INPUTS 2 a b OUTPUTS 1 mul BLOB $MUL",
	 "-ERR INPUTS not specified for TF"},
};

static const struct exchange store_errors_kept[] = {
	{"EXISTS {t}k", ":0"},
	{"AI._MODELSCAN", "[]"},
	{"GET {t}string", "\"value\""},
	{"AI.MODELGET", "-ERR wrong number of arguments for 'AI.MODELGET' command"},
	{"AI.MODELGET {t}string", WRONGTYPE},
	{"AI.MODELGET {t}nothing", "-ERR model key is empty"},
	{"AI.MODELGET {t}a META BLOB META", "-ERR wrong number of arguments for 'AI.MODELGET' command"},
	{"AI.INFO", "-ERR wrong number of arguments for 'AI.INFO' command"},
	{"AI.INFO {t}a RESETSTAT x", "-ERR wrong number of arguments for 'AI.INFO' command"},
	{"AI.INFO {t}nothing", "-ERR cannot find run info for key"},
	{"AI.INFO {t}string", "-ERR cannot find run info for key"},
};

static const struct exchange set_errors[] = {
	{"SET {t}string value", "+OK"},
	{"AI.MODELSET {t}string TF CPU INPUTS a b OUTPUTS mul BLOB $MUL", WRONGTYPE},
	{"AI.MODELSET", "-ERR wrong number of arguments for 'AI.MODELSET' command"},
	{"AI.MODELSET {t}k TF", "-ERR wrong number of arguments for 'AI.MODELSET' command"},
	{"AI.MODELSET {t}k PORCH CPU INPUTS a b OUTPUTS mul BLOB x", "-ERR unsupported backend"},
	{"AI.MODELSET {t}k TF INPUTS a b OUTPUTS mul BLOB x", "-ERR Invalid DEVICE"},
	{"AI.MODELSET {t}k TF elevenchars INPUTS a b OUTPUTS mul BLOB x", "-ERR Invalid DEVICE"},
	{"AI.MODELSET {t}k TFLITE CPU BATCHSIZE 2 BLOB x", "-ERR Auto-batching not supported by the TFLITE backend"},
	{"AI.MODELSET {t}k TF CPU MINBATCHTIMEOUT 5 INPUTS a BLOB x",
	 "-ERR MINBATCHTIMEOUT specified without BATCHSIZE"},
	{"AI.MODELSET {t}k TF CPU", "-ERR Insufficient arguments, INPUTS and OUTPUTS not specified"},
	{"AI.MODELSET {t}k TF CPU BLOB x", "-ERR INPUTS not specified"},
	{"AI.MODELSET {t}k TF CPU INPUTS a b BLOB x", "-ERR OUTPUTS not specified"},
	{"AI.MODELSET {t}k TF CPU INPUTS a b OUTPUTS mul", "-ERR Insufficient arguments, missing model BLOB"},
	{"AI.MODELSET {t}k TF CPU INPUTS a b OUTPUTS mul BLOB", "-ERR Insufficient arguments, missing model BLOB"},
	{"AI.MODELSET {t}k TF CPU INPUTS a b OUTPUTS mul BLOB notagraph", "-Invalid GraphDef"},
	{"AI.MODELSET {t}k TORCH CPU BLOB x", "-ERR this is no model of the test backend"},
	{"AI.MODELSET {t}k TFLITE CPU INPUTS input OUTPUTS y BLOB x", "-Failed to load model from buffer"},
	{"AI.MODELSET {t}k ONNX CPU INPUTS input OUTPUTS y BLOB x", "-No graph was found in the protobuf."},
	{"AI.MODELSET {t}k TF CPU BATCHSIZE x INPUTS a b OUTPUTS mul BLOB x", "-ERR Invalid argument for BATCHSIZE"},
	{"AI.MODELSET {t}k TF CPU BATCHSIZE 2 MINBATCHSIZE x INPUTS a b OUTPUTS mul BLOB x",
	 "-ERR Invalid argument for MINBATCHSIZE"},
	{"AI.MODELSET {t}k TF CPU BATCHSIZE 2 MINBATCHSIZE 2 MINBATCHTIMEOUT x INPUTS a b OUTPUTS mul BLOB x",
	 "-ERR Invalid argument for MINBATCHTIMEOUT"},
	{"AI.MODELSET {t}k TF CPU MINBATCHSIZE 2 INPUTS a b OUTPUTS mul BLOB x",
	 "-ERR MINBATCHSIZE specified without BATCHSIZE"},
	{"AI.MODELSET {t}k TF CPU BATCHSIZE 2 MINBATCHTIMEOUT 5 INPUTS a b OUTPUTS mul BLOB x",
	 "-ERR MINBATCHTIMEOUT specified without MINBATCHSIZE"},
	{"AI.MODELSET {t}k TF CPU INPUTS a c OUTPUTS mul BLOB $MUL",
	 "-ERR Input node named \"c\" not found in TF graph."},
	{"AI.MODELSET {t}k TF CPU INPUTS a b OUTPUTS mult BLOB $MUL",
	 "-ERR Output node named \"mult\" not found in TF graph"},
	{"AI.MODELSET {t}k TF GPU INPUTS a b OUTPUTS mul BLOB $MUL", "-ERR GPU requested but TF couldn't find CUDA"},
	{"AI.MODELDEL", "-ERR wrong number of arguments for 'AI.MODELDEL' command"},
	{"AI.MODELDEL {t}a b", "-ERR wrong number of arguments for 'AI.MODELDEL' command"},
	{"AI.MODELDEL {t}string", WRONGTYPE},
	{"AI.MODELDEL {t}nothing", "-ERR model key is empty"},
};

static const struct exchange set_errors_kept[] = {
	{"EXISTS {t}k", ":0"},
	{"GET {t}string", "\"value\""},
};

/* Not of the dataset: a server keeps what AI.CONFIG was told, and no replica learns of it. */
static const struct exchange config[] = {
	{"SET {t}string value", "+OK"},
	{"AI.CONFIG", "-ERR wrong number of arguments for 'AI.CONFIG' command"},
	{"AI.CONFIG GET BACKENDSPATH", "nil"},
	{"AI.CONFIG BACKENDSPATH", "-ERR BACKENDSPATH: missing path argument"},
	{"AI.CONFIG BACKENDSPATH /nowhere", "+OK"},
	{"AI.CONFIG GET BACKENDSPATH", "\"/nowhere\""},
	{"AI.CONFIG GET MODEL_CHUNK_SIZE", ":535822336"},
	{"AI.CONFIG GET other", "nil"},
	{"AI.CONFIG MODEL_CHUNK_SIZE", "-ERR MODEL_CHUNK_SIZE: missing chunk size"},
	{"AI.CONFIG MODEL_CHUNK_SIZE 0", "-ERR MODEL_CHUNK_SIZE: invalid chunk size"},
	{"AI.CONFIG MODEL_CHUNK_SIZE x", "-ERR MODEL_CHUNK_SIZE: invalid chunk size"},
	{"AI.CONFIG LOADBACKEND TF some/path.so", "+OK"},
	{"AI.CONFIG LOADBACKEND TFLITE some/path.so", "+OK"},
	{"AI.CONFIG LOADBACKEND onnx some/path.so", "+OK"},
	{"AI.CONFIG LOADBACKEND TORCH some/path.so", "-ERR error loading backend"},
	{"AI.CONFIG LOADBACKEND PORCH some/path.so", "-ERR unsupported backend"},
	{"AI.CONFIG NOTHING", "-ERR unsupported subcommand"},
	{"AI.CONFIG GET", "-ERR wrong number of arguments for 'AI.CONFIG' command"},
	{"AI.CONFIG LOADBACKEND TF", "-ERR wrong number of arguments for 'AI.CONFIG' command"},
	{"AI.CONFIG MODEL_CHUNK_SIZE -1", "-ERR MODEL_CHUNK_SIZE: invalid chunk size"},
	{"AI.MODELSTORE {t}m " STORE_MUL, "+OK"},
	{"AI.CONFIG MODEL_CHUNK_SIZE 32", "+OK"},
	{"AI.CONFIG get model_chunk_size", ":32"},
	{"AI.MODELGET {t}m BLOB",
	 "["
	 "\"\\x0a\\x1d\\x0a\\x01a\\x12\\x0bPlaceholder*\\x0b\\x0a\\x05dtype\\x12\\x020\\x01\\x0a\""
	 " "
	 "\"\\x1d\\x0a\\x01b\\x12\\x0bPlaceholder*\\x0b\\x0a\\x05dtype\\x12\\x020\\x01\\x0a\\x19\""
	 " "
	 "\"\\x0a\\x03mul\\x12\\x03Mul\\x1a\\x01a\\x1a\\x01b*\\x07\\x0a\\x01T\\x12\\x020\\x01\""
	 "]"},
	{"AI.CONFIG MODEL_CHUNK_SIZE 535822336", "+OK"},
};

static const struct exchange config_kept[] = {
	{"AI.MODELGET {t}m BLOB", MUL_SHOWN},
	{"AI.CONFIG GET MODEL_CHUNK_SIZE", ":535822336"},
};

const struct conformance_block conformance_models[] = {
	BLOCK("models of every kind", stored, stored_kept),
	BLOCK("AI._MODELSCAN", scanned, scanned_kept),
	BLOCK("errors of AI.MODELSTORE, AI.MODELGET and AI.INFO", store_errors, store_errors_kept),
	BLOCK("errors of AI.MODELSET and AI.MODELDEL", set_errors, set_errors_kept),
	BLOCK("AI.CONFIG", config, config_kept),
};
const size_t conformance_nmodels = ARRAY_LEN(conformance_models);
