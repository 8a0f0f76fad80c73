#!/usr/bin/env bash
# The fraud benchmark against RedisAI: for each worker count from MIN_CLIENTS to MAX_CLIENTS, RUNS_PER_VARIATION runs,
# without and with reference data (REFERENCE_DATA names which: "false true"). The model and the data are there
# already: load_tensors_redis.sh put them there. Leaves JSON_, RAW_ and HIST_ files in RESULTS_DIR.
set -euo pipefail
# shellcheck source=scripts/redisai_common.sh
. "$(dirname "${BASH_SOURCE[0]}")/redisai_common.sh"

REFERENCE_DATA=${REFERENCE_DATA:-false true}

# One run. Its report is shown and kept; tee outlives a Ctrl-C, so that the report of an ended run is kept too.
run_once() {
	local model=$1 reference=$2 workers=$3 run=$4
	local name=redisai_ref_${reference}_${OUTPUT_NAME_SUFIX}_run_${run}_workers_${workers}_rate_${RATE_LIMIT}

	echo "Benchmarking inference performance with reference data set to: ${reference} and model name ${model}"
	printf '\t\tSaving files with file suffix: %s\n' "$name"
	"$PROGRAM" \
		-file="$DATA_FILE" \
		-model="$model" \
		-workers="$workers" \
		-print-responses="$PRINT_RESPONSES" \
		-burn-in="$QUERIES_BURN_IN" -max-queries="$NUM_INFERENCES" \
		-reporting-period=1000ms \
		-limit-rps="$RATE_LIMIT" \
		-debug="$DEBUG" \
		-use-dag=true \
		-cluster-mode="$CLUSTER_MODE" \
		-enable-reference-data-redis="$reference" \
		-metadata-autobatching="$BATCHSIZE" \
		-host="$DATABASE_HOST" -port="$DATABASE_PORT" "${AUTH_OPTIONS[@]}" \
		-output-file-stats-hdr-response-latency-hist="${RESULTS_DIR}/HIST_${name}.txt" \
		-json-out-file="${RESULTS_DIR}/JSON_${name}.json" \
		2>&1 | tee -i "${RESULTS_DIR}/RAW_${name}.txt"
}

find_main_program aibench_run_inference_redisai
require_number NUM_INFERENCES 0
require_number QUERIES_BURN_IN 0
require_number MIN_CLIENTS 0
require_number CLIENTS_STEP 1
require_number MAX_CLIENTS 1
require_number RUNS_PER_VARIATION 1
require_number SLEEP_BETWEEN_RUNS 0
require_number BATCHSIZE 0
[ "$MIN_CLIENTS" -le "$MAX_CLIENTS" ] || die "MIN_CLIENTS $MIN_CLIENTS is more than MAX_CLIENTS $MAX_CLIENTS"
for reference in $REFERENCE_DATA; do
	[[ "$reference" =~ ^(true|false)$ ]] || die "REFERENCE_DATA holds true, false or both, not '$reference'"
done
require_data_file
require_redis
auth_options
mkdir -p "$RESULTS_DIR"

# The program reports on Ctrl-C and ends by itself; the sweep then ends too.
interrupted=false
trap 'interrupted=true' INT TERM
first=true
for reference in $REFERENCE_DATA; do
	model=$MODEL_NAME
	[ "$reference" = true ] || model=$MODEL_NAME_NOREFERENCE
	for clients in $(seq "$MIN_CLIENTS" "$CLIENTS_STEP" "$MAX_CLIENTS"); do
		[ "$clients" -ne 0 ] || clients=1
		for run in $(seq 1 "$RUNS_PER_VARIATION"); do
			if ! $first && [ "$SLEEP_BETWEEN_RUNS" -gt 0 ]; then
				echo "Sleeping: $SLEEP_BETWEEN_RUNS"
				sleep "$SLEEP_BETWEEN_RUNS"
			fi
			first=false
			status=0
			run_once "$model" "$reference" "$clients" "$run" || status=$?
			if $interrupted; then
				echo "${0##*/}: interrupted" >&2
				exit 130
			fi
			[ "$status" -eq 0 ] || die "the run failed with status $status (its output is above)"
		done
	done
done
