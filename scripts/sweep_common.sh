#!/usr/bin/env bash
# The sweep that every run_inference_*.sh of one model makes, and one run of it; sourced, not run, after a function
# server_options MODEL REFERENCE was defined that sets SERVER_OPTIONS to the program's options for the server.
# shellcheck disable=SC2034 # the variables are read by the scripts that source this file
# shellcheck source=scripts/redisai_common.sh
. "$(dirname "${BASH_SOURCE[0]}")/redisai_common.sh"

REFERENCE_DATA=${REFERENCE_DATA:-false true}

# check_sweep: the sweep's variables, before anything is asked or written.
check_sweep() {
	local reference some=false

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
		some=true
	done
	$some || die "REFERENCE_DATA holds true, false or both, not '$REFERENCE_DATA'"
	require_data_file
}

# named SERVER WAY DEFAULT: what the results of a server are called. The way it is asked, its protocol or path, is in the name
# where it is not the default, so that the results of one do not overwrite those of another.
named() {
	local way=${2#/}

	if [ "$2" = "$3" ]; then echo "$1"; else echo "${1}_${way//[^[:alnum:]]/-}"; fi
}

# run_once PREFIX MODEL REFERENCE WORKERS RUN. Its report is shown and kept; tee outlives a Ctrl-C, so that the report of
# an ended run is kept too.
run_once() {
	local prefix=$1 model=$2 reference=$3 workers=$4 run=$5
	local name=${prefix}_${OUTPUT_NAME_SUFIX}_run_${run}_workers_${workers}_rate_${RATE_LIMIT}

	echo "Benchmarking inference performance with reference data set to: ${reference} and model name ${model}"
	printf '\t\tSaving files with file suffix: %s\n' "$name"
	server_options "$model" "$reference"
	"$PROGRAM" \
		-file="$DATA_FILE" \
		-workers="$workers" \
		-print-responses="$PRINT_RESPONSES" \
		-burn-in="$QUERIES_BURN_IN" -max-queries="$NUM_INFERENCES" \
		-reporting-period=1000ms \
		-limit-rps="$RATE_LIMIT" \
		-debug="$DEBUG" \
		-enable-reference-data-redis="$reference" \
		-metadata-autobatching="$BATCHSIZE" \
		"${SERVER_OPTIONS[@]}" "${AUTH_OPTIONS[@]}" \
		-output-file-stats-hdr-response-latency-hist="${RESULTS_DIR}/HIST_${name}.txt" \
		-json-out-file="${RESULTS_DIR}/JSON_${name}.json" \
		2>&1 | tee -i "${RESULTS_DIR}/RAW_${name}.txt"
}

# sweep_workers PREFIX MODEL REFERENCE: RUNS_PER_VARIATION runs of each worker count. The program reports on Ctrl-C and
# ends by itself; the sweep then ends too.
INTERRUPTED=false
FIRST_RUN=true
sweep_workers() {
	local clients run status

	trap 'INTERRUPTED=true' INT TERM
	mkdir -p "$RESULTS_DIR"
	for clients in $(seq "$MIN_CLIENTS" "$CLIENTS_STEP" "$MAX_CLIENTS"); do
		[ "$clients" -ne 0 ] || clients=1
		for run in $(seq 1 "$RUNS_PER_VARIATION"); do
			if ! $FIRST_RUN && [ "$SLEEP_BETWEEN_RUNS" -gt 0 ]; then
				echo "Sleeping: $SLEEP_BETWEEN_RUNS"
				sleep "$SLEEP_BETWEEN_RUNS"
			fi
			FIRST_RUN=false
			status=0
			run_once "$1" "$2" "$3" "$clients" "$run" || status=$?
			if $INTERRUPTED; then
				echo "${0##*/}: interrupted" >&2
				exit 130
			fi
			[ "$status" -eq 0 ] || die "the run failed with status $status (its output is above)"
		done
	done
}

# sweep_fraud PREFIX: without and with reference data, as REFERENCE_DATA says.
sweep_fraud() {
	local reference model

	for reference in $REFERENCE_DATA; do
		model=$MODEL_NAME
		[ "$reference" = true ] || model=$MODEL_NAME_NOREFERENCE
		sweep_workers "${1}_ref_${reference}" "$model" "$reference"
	done
}

# require_reference_data: Redis answers, where any run of the sweep fetches from it.
require_reference_data() {
	auth_options
	[[ " $REFERENCE_DATA " != *" true "* ]] || require_redis
}
