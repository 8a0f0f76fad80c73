#!/usr/bin/env bash
# The image benchmark's scripts, called as AIBench's users call them, against a real redis-server with the module and a
# small classifier. Prints TAP.
# shellcheck disable=SC2317 # the tests are called through check
set -uo pipefail
cd "$(dirname "$0")/../.." || exit 1
# shellcheck source=tests/scripts/tap.sh
. tests/scripts/tap.sh
# shellcheck source=scripts/redis_server.sh
. scripts/redis_server.sh

bin=$(realpath "${AIBENCH_BIN:-bin}")
work=$(mktemp -d "${TMPDIR:-/tmp}/aibench-test-XXXXXX")
clean_up() {
	redis_server_stop
	rm -rf "$work"
}
trap clean_up EXIT
trap 'exit 1' INT TERM

start_server() {
	redis_server_start "$work" --loadmodule "$bin/redisai.so" && DATABASE_PORT=$redis_port && return
	echo "not ok - redis-server with the module starts"
	exit 1
}

# The environment of every script under test.
export DATABASE_PORT DATABASE_HOST=127.0.0.1 EXE_DIR=$bin BULK_DATA_DIR=$work/bulk RESULTS_DIR=$work/results
export SLEEP_BETWEEN_RUNS=0 RUNS_PER_VARIATION=1 MIN_CLIENTS=0 CLIENTS_STEP=4 MAX_CLIENTS=4 VISION_QUERIES_BURN_IN=4
export MIN_BATCHSIZE=0 BATCHSIZE_STEP=4 MAX_BATCHSIZE=4 MIN_TENSOR_BATCHSIZE=0 TENSOR_BATCHSIZE_STEP=5 MAX_TENSOR_BATCHSIZE=5
export NUM_VISION_INFERENCES=24 MODEL_FILE=$work/small.pb HOME=$work
unset EXE_FILE_NAME INPUT_VISION_VAL_DIR OUTPUT_VISION_FILE_NAME VISION_LIMIT REDISCLI_AUTH BATCHSIZE TENSOR_BATCHSIZE DEVICE
unset BACKEND MODELS_DIR SWEEPS RATE_LIMIT OUTPUT_NAME_SUFIX VISION_MODEL_NAME SETUP_MODEL CLUSTER_MODE DATA_SEED

# A GraphDef of MobileNet's names: the mean of each channel, a matrix product with 3 x 4 weights, softmax.
small_model() {
	python3 - "$MODEL_FILE" <<'PYTHON'
import struct, sys

def varint(value):
    value &= 2**64 - 1
    out = b""
    while value > 127:
        out += bytes([value & 127 | 128])
        value >>= 7
    return out + bytes([value])

def field(number, payload):
    if isinstance(payload, int):
        return varint(number << 3) + varint(payload)
    payload = payload.encode() if isinstance(payload, str) else payload
    return varint(number << 3 | 2) + varint(len(payload)) + payload

def shape(dims):
    return b"".join(field(2, field(1, d)) for d in dims)

def attr(name, value):
    return field(5, field(1, name) + field(2, value))

def node(name, op, inputs, *attrs):
    return field(1, field(1, name) + field(2, op) + b"".join(field(3, i) for i in inputs) + b"".join(attrs))

def const(name, kind, dims, content):
    return node(name, "Const", [], attr("dtype", field(6, kind)),
                attr("value", field(8, field(1, kind) + field(2, shape(dims)) + field(4, content))))

graph = node("input", "Placeholder", [], attr("dtype", field(6, 1)), attr("shape", field(7, shape([-1, 224, 224, 3]))))
graph += const("axes", 3, [2], struct.pack("<2i", 1, 2))
graph += const("weights", 1, [3, 4], struct.pack("<12f", *range(12)))
for name, op, inputs in (("mean", "Mean", ["input", "axes"]), ("product", "MatMul", ["mean", "weights"]),
                         ("MobilenetV1/Predictions/Reshape_1", "Softmax", ["product"])):
    graph += node(name, op, inputs, attr("T", field(6, 1)))
with open(sys.argv[1], "wb") as file:
    file.write(graph)
PYTHON
}

# refused TEXT COMMAND…: it fails and the last line on stderr says so.
refused() {
	local text=$1 status=0
	shift
	"$@" >"$work/out" 2>"$work/err" || status=$?
	cat "$work/out" "$work/err"
	[ "$status" -ne 0 ] && tail -n 1 "$work/err" | grep -qF -- "$text"
}

redis() { redis-cli -e -p "$DATABASE_PORT" "$@"; }
dataset=$BULK_DATA_DIR/vision_tensors.out
model=mobilenet_v1_100_224_cpu

data() { scripts/generate_data_vision.sh && [ "$(stat -c %s "$dataset")" -eq $((24 * 602112)) ]; }
data_again() {
	OUTPUT_VISION_FILE_NAME=$work/other.out VISION_LIMIT=3 scripts/generate_data_vision.sh &&
		[ "$(stat -c %s "$work/other.out")" -eq $((3 * 602112)) ] && cmp -n $((3 * 602112)) "$work/other.out" "$dataset"
}
load_model() {
	DEVICE=cpu BATCHSIZE=32 scripts/load_models_mobilenet_redisai.sh &&
		redis AI.MODELGET "$model" META | grep -A1 -x batchsize | grep -qx 32 &&
		scripts/load_models_mobilenet_redisai.sh && redis AI.MODELGET "$model" META | grep -A1 -x batchsize | grep -qx 0
}
load_named_model() {
	VISION_MODEL_NAME=mine scripts/load_models_mobilenet_redisai.sh && [ "$(redis EXISTS mine)" -eq 1 ] && redis DEL mine
}
# generated BACKEND EXTENSION: without a model file here a net is generated, stored and answers.
generated() {
	BACKEND=$1 MODEL_FILE='' MODELS_DIR=$work/none OUTPUT_NAME_SUFIX=$1 SWEEPS=auto MAX_CLIENTS=1 MAX_BATCHSIZE=4 \
		scripts/run_inference_redisai_vision.sh && [ -s "$BULK_DATA_DIR/mobilenet_v1_1.0_224.$2" ] && result 1 0 1 20 "$1"
}
# has_backend NAME: the module under test has it; without, it says so of any model.
has_backend() {
	local answer
	answer=$(redis AI.MODELSTORE probe "$1" CPU BLOB x 2>&1) || true
	[[ "$answer" != *"Could not load backend"* ]]
}
# result WORKERS AUTOBATCHING TENSORBATCH MEASURED [SUFFIX [RUN [RATE]]]: that run's files hold it.
result() {
	local name=redisai_${5:-}_cpu_run_${6:-1}_workers_$1_autobatching_$2_tensorbatchsize_$3_rate_${7:-0}
	grep -q "count: $4, timedOut count: 0" "$RESULTS_DIR/RAW_$name.txt" &&
		python3 - "$RESULTS_DIR/JSON_$name.json" "$1" "$2" "$3" <<'PYTHON'
import json, sys
data = json.load(open(sys.argv[1]))
sys.exit([data["Workers"], data["MetadataAutobatching"], data["TensorBatchSize"]] != [int(a) for a in sys.argv[2:]])
PYTHON
}
both_sweeps() {
	redis SET left-over 1
	scripts/run_inference_redisai_vision.sh || return
	# 24 images: 20 measured; in tensors of 5, 20 are sent and the burn-in is one tensor.
	result 1 0 1 20 && result 4 0 1 20 && result 4 4 1 20 && result 1 0 5 15 && result 4 0 5 15 &&
		[ "$(find "$RESULTS_DIR" -name 'JSON_*' | wc -l)" -eq 5 ] &&
		! grep -q 'autobatching size: 4' "$RESULTS_DIR/RAW_redisai__cpu_run_1_workers_1"* &&
		[ "$(redis EXISTS left-over)" -eq 0 ] && [ "$(redis EXISTS "$model")" -eq 1 ]
}
counters_begin_with_each_run() { # after both_sweeps: the last run sent 20 images as 4 tensors
	redis INFO commandstats | grep -q '^cmdstat_ai.modelrun:calls=4,' && redis AI.INFO "$model" | grep -A1 -x samples | grep -qx 20
}
tables() {
	python3 scripts/redisai_produce_results_table.py --dir "$RESULTS_DIR" --prefix JSON_redisai__cpu >"$work/table" || return
	cat "$work/table"
	grep -qx 'Workers,Auto-batching 0,Auto-batching 4' "$work/table" && grep -qx 'Workers,Tensor-batching 1,Tensor-batching 5' "$work/table" &&
		grep -q '^1 workers,[0-9.]*,n/a$' "$work/table" &&
		python3 scripts/redisai_produce_server_stats_results_table.py --dir "$RESULTS_DIR" --prefix JSON_redisai__cpu >"$work/table" &&
		grep -q '^4 workers,[0-9.]*M,[0-9.]*M$' "$work/table" &&
		python3 scripts/process_json_create_cpu_secs_table.py \
			"$RESULTS_DIR/JSON_redisai__cpu_run_1_workers_4_autobatching_4_tensorbatchsize_1_rate_0.json" >"$work/table" &&
		grep -Eq '^[0-9.]+,[0-9.]+,[0-9.]+,[0-9.]+,-?[0-9.]+$' "$work/table"
}
other_names() {
	OUTPUT_NAME_SUFIX=paced RUNS_PER_VARIATION=2 RATE_LIMIT=400 MIN_CLIENTS=4 SWEEPS=auto MAX_BATCHSIZE=0 \
		scripts/run_inference_redisai_mobilenet.sh && result 4 0 1 20 paced 1 400 && result 4 0 1 20 paced 2 400
}
kept_model() {
	redis SET mine 1
	SETUP_MODEL=false OUTPUT_NAME_SUFIX=kept SWEEPS=auto MAX_CLIENTS=1 MAX_BATCHSIZE=0 scripts/run_inference_redisai_vision.sh &&
		[ "$(redis GET mine)" = 1 ]
}
failing_run_ends_the_sweep() {
	! EXE_FILE_NAME=/bin/false OUTPUT_NAME_SUFIX=bad scripts/run_inference_redisai_vision.sh &&
		[ "$(find "$RESULTS_DIR" -name 'RAW_*bad*' | wc -l)" -eq 1 ]
}
burn_in_of_everything() {
	redis SET mine 1
	! VISION_QUERIES_BURN_IN=30 scripts/run_inference_redisai_vision.sh >"$work/refused" 2>&1 &&
		grep -q 'VISION_QUERIES_BURN_IN=30 leaves nothing' "$work/refused" && [ "$(redis GET mine)" = 1 ]
}
cut_dataset() {
	redis SET mine 1
	head -c 700000 "$dataset" >"$work/cut.out"
	! OUTPUT_VISION_FILE_NAME=$work/cut.out scripts/run_inference_redisai_vision.sh >"$work/refused" 2>&1 &&
		grep -q 'was cut short' "$work/refused" && [ "$(redis GET mine)" = 1 ]
}
with_password() {
	REDISCLI_AUTH=secret OUTPUT_NAME_SUFIX=auth SWEEPS=tensor MAX_CLIENTS=1 scripts/run_inference_redisai_vision.sh && result 1 0 5 15 auth
}

small_model
start_server
check "generate_data_vision.sh makes synthetic photos' tensors without input" data
check "VISION_LIMIT and OUTPUT_VISION_FILE_NAME are heeded" data_again
check "load_models_mobilenet_redisai.sh stores the model with BATCHSIZE" load_model
check "VISION_MODEL_NAME is the model's key" load_named_model
check "both sweeps leave their files, each run on an emptied database" both_sweeps
check "counters begin with each run" counters_begin_with_each_run
check "the tables read the sweeps' files" tables
check "repetitions and rate are in the files' names, whichever script is called" other_names
check "SETUP_MODEL=false leaves the database alone" kept_model
check "a failing run ends the sweep" failing_run_ends_the_sweep
check "a burn-in of everything is refused before the database is emptied" burn_in_of_everything
check "a cut dataset is refused before the database is emptied" cut_dataset
for script in load_models_mobilenet_redisai run_inference_redisai_vision; do
	check "$script.sh names a Redis that is not there" refused "127.0.0.1:1 " env DATABASE_PORT=1 "scripts/$script.sh"
	check "$script.sh names a missing model" refused /no/such.pb env MODEL_FILE=/no/such.pb "scripts/$script.sh"
	check "$script.sh names a bad backend" refused "BACKEND CAFFE" env BACKEND=CAFFE "scripts/$script.sh"
done
check "a missing data file is named" refused "$work/absent.out" env OUTPUT_VISION_FILE_NAME="$work/absent.out" scripts/run_inference_redisai_vision.sh
check "a tensor larger than the dataset is named" refused "24 images" env MIN_TENSOR_BATCHSIZE=25 MAX_TENSOR_BATCHSIZE=25 SWEEPS=tensor scripts/run_inference_redisai_vision.sh
check "a missing program is named" refused /no/such/program env EXE_FILE_NAME=/no/such/program scripts/run_inference_redisai_vision.sh
check "a bad number is named" refused MAX_TENSOR_BATCHSIZE env MAX_TENSOR_BATCHSIZE=many scripts/run_inference_redisai_vision.sh
check "a reversed sweep is named" refused MIN_BATCHSIZE env MIN_BATCHSIZE=9 scripts/run_inference_redisai_vision.sh
check "a bad SWEEPS is named" refused SWEEPS env SWEEPS=all scripts/run_inference_redisai_vision.sh
check "a folder of photos that is not there is named" refused /no/such env INPUT_VISION_VAL_DIR=/no/such scripts/generate_data_vision.sh

check "a net is generated where there is none, as GraphDef" generated TF pb
for form in TFLITE:tflite ONNX:onnx; do
	name="a net is generated where there is none, as ${form%:*}"
	if has_backend "${form%:*}"; then
		check "$name" generated "${form%:*}" "${form#*:}"
	else
		echo "ok - $name # SKIP the module has no such backend"
	fi
done

redis CONFIG SET requirepass secret >/dev/null
check "a Redis that wants a password says what to set" refused REDISCLI_AUTH scripts/run_inference_redisai_vision.sh
check "REDISCLI_AUTH is used throughout" with_password
exit $failed
