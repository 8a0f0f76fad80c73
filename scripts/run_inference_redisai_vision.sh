#!/usr/bin/env bash
# The image-classification benchmark against RedisAI, two sweeps over the workers from MIN_CLIENTS to MAX_CLIENTS:
# auto-batching in the server (MIN_BATCHSIZE to MAX_BATCHSIZE, one image a tensor; no fewer workers than the batch), then
# tensor batching in the client (MIN_TENSOR_BATCHSIZE to MAX_TENSOR_BATCHSIZE, no auto-batching). Each variation runs
# RUNS_PER_VARIATION times; before each run the database is emptied (!) and the model stored anew. Leaves JSON_ and RAW_
# files in RESULTS_DIR; redisai_produce_results_table.py makes tables of them. SWEEPS names which: "auto tensor".
set -euo pipefail
# shellcheck source=scripts/vision_common.sh
. "$(dirname "${BASH_SOURCE[0]}")/vision_common.sh"

SWEEPS=${SWEEPS:-auto tensor}

# set_queries: QUERIES becomes NUM_VISION_INFERENCES or what the dataset has, in whole tensors.
set_queries() {
	local rows

	rows=$(($(stat -L -c %s "$DATA_FILE") / VISION_TENSOR_BYTES))
	QUERIES=$NUM_VISION_INFERENCES
	if [ "$QUERIES" -eq 0 ] || [ "$QUERIES" -gt "$rows" ]; then QUERIES=$rows; fi
	QUERIES=$((QUERIES - QUERIES % TENSOR_BATCHSIZE))
	[ "$QUERIES" -gt 0 ] ||
		die "data file ${DATA_FILE} has ${rows} images: too few for a tensor of ${TENSOR_BATCHSIZE}"
	[ "$VISION_QUERIES_BURN_IN" -lt "$QUERIES" ] ||
		die "VISION_QUERIES_BURN_IN=${VISION_QUERIES_BURN_IN} leaves nothing of ${QUERIES} inferences to measure"
}

# One run. Its report is shown and kept; tee outlives a Ctrl-C, so that the report of an ended run is kept too.
run_once() {
	echo "Benchmarking inference performance with ${WORKERS} workers."
	echo "   Model name: ${VISION_MODEL_NAME}"
	echo "   Server side autobatching size: ${BATCHSIZE}"
	echo "   Tensor batch size: ${TENSOR_BATCHSIZE}"
	echo "   Saving files with file suffix: ${NAME}"
	"$RUNNER" \
		-file="$DATA_FILE" \
		-model="$VISION_MODEL_NAME" \
		-debug="$DEBUG" \
		-workers="$WORKERS" \
		-print-responses="$PRINT_RESPONSES" \
		-metadata-autobatching="$BATCHSIZE" \
		-batch-size="$TENSOR_BATCHSIZE" \
		-burn-in="$VISION_QUERIES_BURN_IN" -max-queries="$QUERIES" \
		-reporting-period=1000ms \
		-limit-rps="$RATE_LIMIT" \
		-cluster-mode="$CLUSTER_MODE" \
		-host="$DATABASE_HOST" -port="$DATABASE_PORT" "${AUTH_OPTIONS[@]}" \
		-output-file-stats-hdr-response-latency-hist="${RESULTS_DIR}/HIST_${NAME}.txt" \
		-json-out-file="${RESULTS_DIR}/JSON_${NAME}.json" \
		2>&1 | tee -i "${RESULTS_DIR}/RAW_${NAME}.txt"
}

# The program reports on Ctrl-C and ends by itself; the sweep then ends too.
interrupted=false
trap 'interrupted=true' INT TERM
first=true
declare -A done_already

# All repetitions of WORKERS, BATCHSIZE and TENSOR_BATCHSIZE.
run_variation() {
	local run status

	# Both sweeps have the variation without any batching.
	if [ -n "${done_already[$WORKERS,$BATCHSIZE,$TENSOR_BATCHSIZE]:-}" ]; then return; fi
	done_already[$WORKERS,$BATCHSIZE,$TENSOR_BATCHSIZE]=yes
	set_queries
	for run in $(seq 1 "$RUNS_PER_VARIATION"); do
		if ! $first && [ "$SLEEP_BETWEEN_RUNS" -gt 0 ]; then
			echo "Sleeping: $SLEEP_BETWEEN_RUNS"
			sleep "$SLEEP_BETWEEN_RUNS"
		fi
		first=false
		if [ "$SETUP_MODEL" = true ]; then reset_vision_server; fi
		NAME=redisai_${OUTPUT_NAME_SUFIX}_${DEVICE}_run_${run}_workers_${WORKERS}
		NAME+=_autobatching_${BATCHSIZE}_tensorbatchsize_${TENSOR_BATCHSIZE}_rate_${RATE_LIMIT}
		status=0
		run_once || status=$?
		if $interrupted; then
			echo "${0##*/}: interrupted" >&2
			exit 130
		fi
		[ "$status" -eq 0 ] || die "the run failed with status $status (its output is above)"
	done
}

worker_counts() {
	local w

	for w in $(seq "$MIN_CLIENTS" "$CLIENTS_STEP" "$MAX_CLIENTS"); do
		if [ "$w" -eq 0 ]; then echo 1; else echo "$w"; fi
	done
}

sweep_auto_batching() {
	TENSOR_BATCHSIZE=1
	for BATCHSIZE in $(seq "$MIN_BATCHSIZE" "$BATCHSIZE_STEP" "$MAX_BATCHSIZE"); do
		if [ "$BACKEND" = TFLITE ] && [ "$BATCHSIZE" -gt 0 ]; then
			echo "Skipping auto-batching ${BATCHSIZE}: it is disabled for Tensorflow Lite"
			continue
		fi
		echo "@@@@@@@@@@@@@@@@@@ AUTO-BATCHING ${BATCHSIZE} @@@@@@@@@@@@@@@@@@"
		for WORKERS in $(worker_counts); do
			if [ "$WORKERS" -lt "$BATCHSIZE" ]; then
				echo "Skipping ${WORKERS} workers: fewer than the auto-batching size of ${BATCHSIZE}"
				continue
			fi
			run_variation
		done
	done
}

sweep_tensor_batching() {
	local size

	BATCHSIZE=0
	for WORKERS in $(worker_counts); do
		for size in $(seq "$MIN_TENSOR_BATCHSIZE" "$TENSOR_BATCHSIZE_STEP" "$MAX_TENSOR_BATCHSIZE"); do
			TENSOR_BATCHSIZE=$((size == 0 ? 1 : size))
			echo "@@@@@@@@@@@@@@@@@@ TENSOR-BATCHING ${TENSOR_BATCHSIZE} @@@@@@@@@@@@@@@@@@"
			run_variation
		done
	done
}

find_main_program aibench_run_inference_redisai_vision
RUNNER=$PROGRAM
for name in MIN_CLIENTS MIN_BATCHSIZE MAX_BATCHSIZE MIN_TENSOR_BATCHSIZE MAX_TENSOR_BATCHSIZE NUM_VISION_INFERENCES \
	VISION_QUERIES_BURN_IN SLEEP_BETWEEN_RUNS; do
	require_number $name 0
done
for name in MAX_CLIENTS CLIENTS_STEP BATCHSIZE_STEP TENSOR_BATCHSIZE_STEP RUNS_PER_VARIATION; do
	require_number $name 1
done
[ "$MIN_CLIENTS" -le "$MAX_CLIENTS" ] || die "MIN_CLIENTS $MIN_CLIENTS is more than MAX_CLIENTS $MAX_CLIENTS"
[ "$MIN_BATCHSIZE" -le "$MAX_BATCHSIZE" ] || die "MIN_BATCHSIZE $MIN_BATCHSIZE is more than MAX_BATCHSIZE $MAX_BATCHSIZE"
[ "$MIN_TENSOR_BATCHSIZE" -le "$MAX_TENSOR_BATCHSIZE" ] ||
	die "MIN_TENSOR_BATCHSIZE $MIN_TENSOR_BATCHSIZE is more than MAX_TENSOR_BATCHSIZE $MAX_TENSOR_BATCHSIZE"
for sweep in $SWEEPS; do
	[[ "$sweep" =~ ^(auto|tensor)$ ]] || die "SWEEPS holds auto, tensor or both, not '$sweep'"
done
require_vision_data
require_redis
auth_options
if [ "$SETUP_MODEL" = true ]; then find_vision_model; fi
mkdir -p "$RESULTS_DIR"
for sweep in $SWEEPS; do
	"sweep_${sweep}_batching"
done
