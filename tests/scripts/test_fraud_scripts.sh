#!/usr/bin/env bash
# AIBench's scripts, called as its users call them, against a real redis-server with the module. Prints TAP.
# shellcheck disable=SC2317 # the tests are called through check
set -uo pipefail
cd "$(dirname "$0")/../.." || exit 1
# shellcheck source=tests/scripts/tap.sh
. tests/scripts/tap.sh

bin=$(realpath "${AIBENCH_BIN:-bin}")
work=$(mktemp -d "${TMPDIR:-/tmp}/aibench-test-XXXXXX")
server=
clean_up() {
	stop_server
	rm -rf "$work"
}
trap clean_up EXIT
trap 'exit 1' INT TERM

# A server that answers on a port of our choosing is ours only if it is this process. Its log says both.
start_server() {
	local port i
	for port in $(shuf -i 20000-29999 -n 10); do
		redis-server --port "$port" --bind 127.0.0.1 --dir "$work" --save '' --loadmodule "$bin/redisai.so" "$@" \
			</dev/null >"$work/redis.log" 2>&1 &
		server=$!
		for ((i = 0; i < 1000; i++)); do
			if grep -q "Ready to accept connections" "$work/redis.log"; then
				DATABASE_PORT=$port
				return
			fi
			kill -0 "$server" 2>/dev/null || break
			sleep 0.02
		done
		stop_server
	done
	cat "$work/redis.log" >&2
	echo "not ok - redis-server with the module starts"
	exit 1
}

stop_server() {
	[ -z "$server" ] || kill "$server" 2>/dev/null
	wait
	server=
}

# The environment of every script under test.
export DATABASE_PORT DATABASE_HOST=127.0.0.1 EXE_DIR=$bin BULK_DATA_DIR=$work/bulk RESULTS_DIR=$work/results
export NUM_INFERENCES=3000 QUERIES_BURN_IN=100 NUM_WORKERS=2 SLEEP_BETWEEN_RUNS=0 RUNS_PER_VARIATION=1
export MIN_CLIENTS=0 CLIENTS_STEP=8 MAX_CLIENTS=8 HOME=$work
unset EXE_FILE_NAME INPUT_FILE_NAME DATA_FILE MODEL_FILE MODEL_FILE_NOREFERENCE REFERENCE_DATA REDISCLI_AUTH

# refused TEXT COMMAND…: it fails and says so on stderr.
refused() {
	local text=$1 status=0
	shift
	"$@" >"$work/out" 2>"$work/err" || status=$?
	cat "$work/out" "$work/err"
	[ "$status" -ne 0 ] && [ "$(wc -l <"$work/err")" -eq 1 ] && grep -qF -- "$text" "$work/err"
}

redis() { redis-cli -e -p "$DATABASE_PORT" "$@"; }
dataset=$BULK_DATA_DIR/aibench_generate_data-creditcard-fraud.dat

synthetic_data() {
	scripts/generate_data.sh && [ "$(stat -c %s "$dataset")" -eq $((3000 * 1152)) ]
}
data_from_csv() {
	{
		for row in 1 2 3; do
			for column in $(seq 30); do printf '%s,' "$row.$column"; done
			echo '"0"'
		done
	} | gzip >"$work/three.csv.gz"
	INPUT_FILE_NAME=$work/three.csv.gz NUM_INFERENCES=0 DATA_FILE=$work/three.dat scripts/generate_data.sh &&
		[ "$(stat -c %s "$work/three.dat")" -eq $((3 * 1152)) ]
}
tensors_and_models() {
	scripts/load_tensors_redis.sh && [ "$(redis DBSIZE)" -eq 3002 ] &&
		redis AI.MODELGET financialNet META | grep -qx reference &&
		[ -s "$RESULTS_DIR/redisai_load_tensors__2_workers.txt" ] &&
		grep -q '^cmdstat_ai.tensorset:calls=3000' "$RESULTS_DIR/redisai_load_tensors_commandstats__2_workers.txt"
}
own_model() {
	MODEL_NAME=own MODEL_NAME_NOREFERENCE=own_noreference MODEL_FILE=$BULK_DATA_DIR/fraud.pb \
		MODEL_FILE_NOREFERENCE=$BULK_DATA_DIR/fraud-noreference.pb BATCHSIZE=4 scripts/load_tensors_redis.sh &&
		redis AI.MODELGET own_noreference META | grep -A1 -x batchsize | grep -qx 4 && redis DEL own own_noreference
}
no_model_setup() {
	redis DEL financialNet && SETUP_MODEL=false scripts/load_tensors_redis.sh && [ "$(redis EXISTS financialNet)" -eq 0 ] &&
		scripts/load_tensors_redis.sh && [ "$(redis EXISTS financialNet)" -eq 1 ]
}
blobs() {
	scripts/load_blobs_redis.sh && [ "$(redis STRLEN 'referenceBLOB:{2999}')" -eq 1024 ]
}
# result_files SUFFIX…: a run's three files are there and hold a run of 2900 measured inferences.
result_files() {
	local suffix
	for suffix in "$@"; do
		python3 -m json.tool "$RESULTS_DIR/JSON_$suffix.json" >/dev/null &&
			grep -q 'count: 2900,' "$RESULTS_DIR/RAW_$suffix.txt" &&
			grep -Eq '^#\[Max .*Total count *= *2900\]' "$RESULTS_DIR/HIST_$suffix.txt" || return
	done
}
sweep() {
	OUTPUT_NAME_SUFIX=sweep scripts/run_inference_redisai_fraud.sh || return
	result_files redisai_ref_{false,true}_sweep_run_1_workers_{1,8}_rate_0 || return
	[ "$(find "$RESULTS_DIR" -name 'JSON_*sweep*' | wc -l)" -eq 4 ]
}
repetitions_and_rate() {
	OUTPUT_NAME_SUFIX=paced RUNS_PER_VARIATION=2 RATE_LIMIT=20000 MIN_CLIENTS=8 REFERENCE_DATA=true \
		scripts/run_inference_redisai.sh && result_files redisai_ref_true_paced_run_{1,2}_workers_8_rate_20000
}
tables() {
	python3 scripts/redisai_produce_results_table.py --dir "$RESULTS_DIR" --prefix JSON_redisai_ref_false_sweep |
		tee "$work/table" && grep -q '^Workers,Auto-batching 0$' "$work/table" && grep -q '^8 workers,' "$work/table"
}
make_targets() {
	make --no-print-directory -o runners bench-fraud-ci BIN="$bin" OUTPUT_NAME_SUFIX=ci MAX_CLIENTS=16 CLIENTS_STEP=16 REFERENCE_DATA=false \
		DATA_FILE="$dataset" && [ -s "$RESULTS_DIR/JSON_redisai_ref_false_ci_run_1_workers_16_rate_0.json" ]
}
interrupted_sweep() {
	local sweep status=0 i raw=$RESULTS_DIR/RAW_redisai_ref_false_cut_run_1_workers_1_rate_50.txt
	set -m
	OUTPUT_NAME_SUFIX=cut RATE_LIMIT=50 scripts/run_inference_redisai_fraud.sh >"$work/cut" 2>&1 &
	sweep=$!
	set +m
	for ((i = 0; i < 1000; i++)); do
		grep -qs '^[0-9]' "$raw" && break
		sleep 0.02
	done
	kill -INT -- "-$sweep"
	wait "$sweep" || status=$?
	cat "$work/cut"
	[ "$status" -eq 130 ] && grep -q interrupted "$raw" &&
		[ "$(find "$RESULTS_DIR" -name 'JSON_*cut*' | wc -l)" -eq 1 ]
}
failing_run_ends_the_sweep() {
	! MODEL_NAME_NOREFERENCE=nosuch OUTPUT_NAME_SUFIX=bad scripts/run_inference_redisai_fraud.sh &&
		[ "$(find "$RESULTS_DIR" -name 'RAW_*bad*' | wc -l)" -eq 1 ]
}

start_server
check "generate_data.sh makes synthetic rows without input" synthetic_data
check "generate_data.sh reads a compressed CSV" data_from_csv
check "load_tensors_redis.sh stores both models and the reference data" tensors_and_models
check "MODEL_FILE and BATCHSIZE are what gets stored" own_model
check "SETUP_MODEL=false leaves the models alone" no_model_setup
check "load_blobs_redis.sh stores the reference data as strings" blobs
check "the sweep leaves its files for every worker count, with and without reference data" sweep
check "repetitions and rate are in the files' names" repetitions_and_rate
check "the results table reads the sweep's files" tables
check "make bench-fraud-ci runs the sweep" make_targets
check "Ctrl-C ends the run with its report and the sweep with it" interrupted_sweep
check "a failing run ends the sweep" failing_run_ends_the_sweep
for script in load_tensors_redis load_blobs_redis run_inference_redisai_fraud; do
	check "$script.sh names a missing data file" refused "$work/absent.dat" env DATA_FILE="$work/absent.dat" "scripts/$script.sh"
	check "$script.sh names a Redis that is not there" refused "127.0.0.1:1 " env DATABASE_PORT=1 "scripts/$script.sh"
	check "$script.sh names a missing program" refused /no/such/program env EXE_FILE_NAME=/no/such/program "scripts/$script.sh"
done
check "generate_data.sh names a missing input" refused "$work/absent.csv" env INPUT_FILE_NAME="$work/absent.csv" scripts/generate_data.sh
check "a bad number is named" refused MAX_CLIENTS env MAX_CLIENTS=many scripts/run_inference_redisai_fraud.sh
check "a reversed sweep is named" refused MIN_CLIENTS env MIN_CLIENTS=9 scripts/run_inference_redisai_fraud.sh
check "a bad REFERENCE_DATA is named" refused REFERENCE_DATA env REFERENCE_DATA=maybe scripts/run_inference_redisai_fraud.sh
check "a missing model file is named" refused /no/such.pb env MODEL_FILE=/no/such.pb scripts/load_tensors_redis.sh

stop_server
start_server --requirepass secret
check "a Redis that wants a password says what to set" refused REDISCLI_AUTH scripts/load_tensors_redis.sh
check "REDISCLI_AUTH is used throughout" env REDISCLI_AUTH=secret scripts/load_tensors_redis.sh
exit $failed
