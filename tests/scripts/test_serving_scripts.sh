#!/usr/bin/env bash
# The scripts for TensorFlow Serving, plain REST, TorchServe and Triton, called as AIBench's users call them, against a
# small HTTP server and a real redis-server. Prints TAP.
# shellcheck disable=SC2317 # the tests are called through check
set -uo pipefail
cd "$(dirname "$0")/../.." || exit 1
# shellcheck source=tests/scripts/tap.sh
. tests/scripts/tap.sh
# shellcheck source=scripts/redis_server.sh
. scripts/redis_server.sh

bin=$(realpath "${AIBENCH_BIN:-bin}")
work=$(mktemp -d "${TMPDIR:-/tmp}/aibench-test-XXXXXX")
models=
clean_up() {
	redis_server_stop
	[ -z "$models" ] || kill "$models" 2>/dev/null
	wait
	rm -rf "$work"
}
trap clean_up EXIT
trap 'exit 1' INT TERM

# The environment of every script under test.
export DATABASE_PORT DATABASE_HOST=127.0.0.1 EXE_DIR=$bin BULK_DATA_DIR=$work/bulk RESULTS_DIR=$work/results
export NUM_INFERENCES=300 QUERIES_BURN_IN=20 NUM_WORKERS=2 SLEEP_BETWEEN_RUNS=0 RUNS_PER_VARIATION=1
export MIN_CLIENTS=0 CLIENTS_STEP=2 MAX_CLIENTS=2 HOME=$work
export OUTPUT_VISION_FILE_NAME=$work/images.dat NUM_VISION_INFERENCES=12 VISION_QUERIES_BURN_IN=2
export TFX_PORT RESTAPI_PORT TORCHSERVE_PORT TRITON_PORT TFX_PROTOCOL=rest TRITON_PROTOCOL=http
unset EXE_FILE_NAME INPUT_FILE_NAME DATA_FILE REFERENCE_DATA REDISCLI_AUTH MODEL_NAME MODEL_NAME_NOREFERENCE TENSOR_BATCHSIZE
unset TFX_METRICS_HOST TORCHSERVE_METRICS_HOST TFX_MODEL_VERSION RESTAPI_REQUEST_URI TORCHSERVE_MODEL VISION_MODEL_NAME MODELSERVER_HOST RATE_LIMIT OUTPUT_NAME_SUFIX

# refused TEXT COMMAND…: it fails and says so.
refused() {
	local text=$1
	shift
	! "$@" >"$work/out" 2>&1 || return
	cat "$work/out"
	grep -qF -- "$text" "$work/out"
}

start_servers() {
	redis_server_start "$work" || return
	DATABASE_PORT=$redis_port
	python3 tests/scripts/model_server.py >"$work/port" 2>"$work/models.log" &
	models=$!
	for _ in $(seq 1000); do
		[ ! -s "$work/port" ] || break
		sleep 0.02
	done
	TFX_PORT=$(cat "$work/port")
	RESTAPI_PORT=$TFX_PORT TORCHSERVE_PORT=$TFX_PORT TRITON_PORT=$TFX_PORT
	[ -n "$TFX_PORT" ]
}
data() {
	scripts/generate_data.sh && scripts/load_blobs_redis.sh &&
		"$bin/aibench_generate_data_vision" -input-val-dir synthetic -limit 12 -output-file "$OUTPUT_VISION_FILE_NAME"
}
# result_files COUNT SUFFIX…: each run's three files are there and hold COUNT right answers.
result_files() {
	local count=$1 suffix
	shift
	for suffix in "$@"; do
		python3 -m json.tool "$RESULTS_DIR/JSON_$suffix.json" >/dev/null &&
			grep -q "^Outcomes: $count right, 0 wrong, 0 errors" "$RESULTS_DIR/RAW_$suffix.txt" &&
			[ -s "$RESULTS_DIR/HIST_$suffix.txt" ] || return
	done
}
fraud_sweep() {
	local name=$1

	[ "$1" != tensorflow_serving ] || name=tensorflow_serving_rest
	"scripts/run_inference_$1.sh" && result_files 280 "$name"_ref_{false,true}__run_1_workers_{1,2}_rate_0 &&
		grep -q '^Reference fetch (ms): q50' "$RESULTS_DIR/RAW_${name}_ref_true__run_1_workers_1_rate_0.txt" &&
		! grep -q '^Reference fetch' "$RESULTS_DIR/RAW_${name}_ref_false__run_1_workers_1_rate_0.txt"
}
vision_sweep() {
	scripts/run_inference_triton_mobilenet.sh && result_files 10 triton_http_tensorbatchsize_1__run_1_workers_{1,2}_rate_0
}
# names VARIABLE SCRIPT WORD…: what a run of the script without reference data is called, and its program's options.
names() {
	local text
	text=$(env "$1" DATA_FILE="$work/data" OUTPUT_VISION_FILE_NAME="$work/data" EXE_FILE_NAME="$work/show" MAX_CLIENTS=1 \
		REFERENCE_DATA=false "scripts/run_inference_$2.sh") || return
	shift 2
	for word; do
		grep -qF -- "$word" <<<"$text" || {
			echo "$text"
			return 1
		}
	done
}
results_have_the_protocol_where_it_is_not_the_default() {
	printf '#!/bin/sh\necho "$@"\n' >"$work/show" && chmod +x "$work/show" && echo data >"$work/data" &&
		names TFX_PROTOCOL=grpc tensorflow_serving /JSON_tensorflow_serving_ref_false__run_1_workers_1_rate_0.json &&
		names TFX_PROTOCOL=rest tensorflow_serving /JSON_tensorflow_serving_rest_ref_false__run_1_workers_1_rate_0.json &&
		names TRITON_PROTOCOL=grpc triton_mobilenet /JSON_triton_tensorbatchsize_1__run_1_workers_1_rate_0.json &&
		names TRITON_PROTOCOL=http triton_mobilenet /JSON_triton_http_tensorbatchsize_1__run_1_workers_1_rate_0.json &&
		names RESTAPI_REQUEST_URI=/v2/predict flask_tensorflow /JSON_flask_tensorflow_ref_false__run_1_workers_1_rate_0.json &&
		names RESTAPI_REQUEST_URI=/v1/predict flask_tensorflow \
			/JSON_flask_tensorflow_v1-predict_ref_false__run_1_workers_1_rate_0.json
}
metrics_hosts_reach_the_programs() {
	names TFX_METRICS_HOST=there:1 tensorflow_serving -metrics-host=there:1 &&
		names TORCHSERVE_METRICS_HOST=there:2 torchserve -metrics-host=there:2
}
table() {
	python3 scripts/redisai_produce_results_table.py --dir "$RESULTS_DIR" --prefix JSON_torchserve_ref_true |
		tee "$work/table" && grep -q '^2 workers,' "$work/table"
}

start_servers || {
	echo "not ok - the servers start"
	exit 1
}
check "the data are made and loaded as strings" data
for server in tensorflow_serving flask_tensorflow torchserve; do
	check "run_inference_$server.sh sweeps without and with reference data" fraud_sweep "$server"
	check "run_inference_$server.sh names a missing data file" refused "$work/absent.dat" \
		env DATA_FILE="$work/absent.dat" "scripts/run_inference_$server.sh"
	check "run_inference_$server.sh names a Redis that is not there" refused "127.0.0.1:1 " \
		env DATABASE_PORT=1 "scripts/run_inference_$server.sh"
	check "run_inference_$server.sh names a server that is not there" refused "127.0.0.1:1" \
		env TFX_PORT=1 RESTAPI_PORT=1 TORCHSERVE_PORT=1 REFERENCE_DATA=false "scripts/run_inference_$server.sh"
done
check "no Redis is asked for without reference data" env DATABASE_PORT=1 REFERENCE_DATA=false OUTPUT_NAME_SUFIX=alone \
	scripts/run_inference_torchserve.sh
check "the server's own words end the sweep" refused "Model not found: no" env TORCHSERVE_MODEL_NOREFERENCE=no \
	REFERENCE_DATA=false scripts/run_inference_torchserve.sh
check "run_inference_triton_mobilenet.sh sweeps" vision_sweep
check "results have the protocol in their name where it is not the default" \
	results_have_the_protocol_where_it_is_not_the_default
check "the metrics' hosts reach the programs" metrics_hosts_reach_the_programs
check "run_inference_triton_mobilenet.sh says which images it lacks" refused OUTPUT_VISION_FILE_NAME \
	env OUTPUT_VISION_FILE_NAME="$work/absent.out" scripts/run_inference_triton_mobilenet.sh
check "an empty REFERENCE_DATA is refused" refused "REFERENCE_DATA holds" \
	env REFERENCE_DATA=" " scripts/run_inference_torchserve.sh
check "a bad number is named" refused MAX_CLIENTS env MAX_CLIENTS=many scripts/run_inference_triton_mobilenet.sh
check "the results table reads the sweep's files" table
exit $failed
