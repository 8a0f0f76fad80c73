#!/usr/bin/env bash
# The whole benchmark on one machine, from nothing: data, models, server, load, runs, report. `make bench` calls it.
# Results stay in a folder, in place of those of the last time; the servers and everything else it starts or writes is gone
# at the end, however it ends.
#
# Variables: USE_CASES ("fraud vision"), REPETITIONS (3), DATA_SEED (12345), RESULTS_DIR (results), DURATION (3s; of images
# 7s) that a run measures after a warm-up of one second. Where a number of inferences is given, a run has so many of them
# instead, the burn-in among them.
# Fraud: NUM_INFERENCES (rows: 100000), QUERIES_BURN_IN (a tenth), WORKERS ("1 16 64"), INPUT_FILE_NAME (Kaggle's
# creditcard.csv or .csv.gz; default: datasets/creditcard-fraud/creditcard.csv[.gz] if it is there, else synthetic rows),
# MODEL_FILE (a frozen graph of the reference net; default: generated).
# Protocols, each with the same engine, model and data: PROTOCOLS ("redisai tensorflow_serving:grpc tensorflow_serving:rest
# triton:grpc triton:http torchserve rest"; "": none), PROTOCOL_INFERENCES (of fraud), PROTOCOL_WORKERS (16 for fraud, 4
# for images).
# Vision: NUM_VISION_INFERENCES (images: 240), VISION_QUERIES_BURN_IN (a tenth), INPUT_VISION_VAL_DIR (a folder of photos;
# default: synthetic ones), VISION_MODEL_FILE (a frozen MobileNet; default: MobileNet V1 with seeded weights).
set -euo pipefail
cd "$(dirname "$0")/.."

bin=$(realpath "${AIBENCH_BIN:-bin}")
results=${RESULTS_DIR:-results}
repetitions=${REPETITIONS:-3}
seed=${DATA_SEED:-12345}

. scripts/redis_server.sh
. scripts/model_server.sh

work=$(mktemp -d "${TMPDIR:-/tmp}/aibench.XXXXXX")
child=
clean_up() {
	set +e
	trap '' INT TERM HUP
	[ -z "$child" ] || kill "$child" 2>/dev/null
	[ -z "$child" ] || wait "$child" 2>/dev/null
	redis_server_stop
	model_server_stop
	rm -rf "$work"
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

say() { printf '\n== %s\n' "$*"; }
fail() {
	echo "bench: $*" >&2
	exit 1
}

# A command in the background, so that a signal to this script is seen at once and stops the command with it.
run() {
	local status=0
	"$@" &
	child=$!
	wait "$child" || status=$?
	child=
	# Ctrl-C goes to the command too, and may end it before this script hears of it.
	[ $status -ne 130 ] || exit 130
	return $status
}

# limit_runs COUNT BURN_IN SECONDS: sets limits, options; a COUNT goes before the time.
limit_runs() {
	limits=(-repeat -warm-up 1s -duration "${DURATION:-$3}")
	[ -z "$1" ] || limits=(-max-queries "$1" -burn-in "$2")
}

# measure KIND PROGRAM WORKERS BATCH OPTION…: the repetitions of one set-up; the last one's report is shown. Sets raw, the
# file of all that they printed.
measure() {
	local kind=$1 program=$2 workers=$3 batch=$4 base
	shift 4
	base=${kind}_cpu_workers_${workers}_autobatching_0_tensorbatchsize_${batch}_rate_0
	raw=$results/RAW_$base.txt
	run "$bin/$program" -workers "$workers" -repetitions "$repetitions" -metadata-autobatching 0 "$@" -json-out-file "$results/JSON_$base.json" \
		-output-file-stats-hdr-response-latency-hist "$results/HIST_$base.hgrm" \
		>"$raw" || fail "that run failed; its output is in $raw"
	awk '/^time \(ms\)/ {report = ""} {report = report $0 "\n"} END {printf "%s", report}' "$raw"
}

# measure_protocol USE_CASE PROTOCOL REFERENCE WORKERS OPTION…: one set-up of one protocol.
measure_protocol() {
	local use_case=$1 protocol=$2 reference=$3 workers=$4 grpc=127.0.0.1:$grpc_port http=127.0.0.1:$http_port program uri
	shift 4
	case "$use_case-$reference" in
	fraud-true) uri=financialNet ;;
	fraud-false) uri=financialNet_NoReference ;;
	*) uri=mobilenet_v1_100_224_cpu ;;
	esac
	[ "$protocol" = redisai ] || set -- "$@" -redis-host "$server"
	case "$protocol" in
	redisai) program=redisai && set -- "$@" -host 127.0.0.1 -port "$redis_port" -model "$uri" ;;
	tensorflow_serving:grpc) program=tensorflow_serving && set -- "$@" -tensorflow-serving-host "$grpc" -metrics-host "$http" -model "$uri" ;;
	tensorflow_serving:rest)
		program=tensorflow_serving && set -- "$@" -tensorflow-serving-host "$http" -metrics-host "$http" -protocol rest -model "$uri"
		;;
	triton:grpc) program=triton && set -- "$@" -host "$grpc" -model "$uri" ;;
	triton:http) program=triton && set -- "$@" -host "$http" -protocol http -model "$uri" ;;
	torchserve) program=torchserve && set -- "$@" -torchserve-host "$http" -metrics-host "$http" -torchserve-request-uri "/predictions/$uri" ;;
	rest) program=flask_tensorflow && set -- "$@" -restapi-host "$http" ;;
	*) fail "PROTOCOLS: $protocol is none of those that are known" ;;
	esac
	measure "protocol_${use_case}_${protocol/:/_}_ref_$reference" "aibench_run_inference_$program" "$workers" 1 "$@" >/dev/null
	echo "$protocol: $(sed -n 's/^Inference rate since the end of the burn-in: //p' "$raw" | tail -1)"
}

# bench_protocols USE_CASE REFERENCE WORKERS OPTION…: every protocol of PROTOCOLS.
bench_protocols() {
	local use_case=$1 reference=$2 workers=$3 protocol
	local protocols=${PROTOCOLS-redisai tensorflow_serving:grpc tensorflow_serving:rest triton:grpc triton:http torchserve rest}
	shift 3
	[ -n "$protocols" ] || return 0
	say "$use_case over every protocol, $workers workers, reference data: $reference ($repetitions runs each, the last one's rate)"
	for protocol in $protocols; do
		measure_protocol "$use_case" "$protocol" "$reference" "$workers" "$@"
	done
}

# Starts the model server with the models that the use case has written, given as NAME=FILE.
serve() {
	[ -n "${PROTOCOLS-default}" ] || return 0
	model_server_stop
	# As many threads as Redis and its device have.
	model_server_start "$work" "$bin/aibench_model_server" -threads 1 -io-threads 1 -model "$(IFS=, && echo "$*")" ||
		fail "the model server does not start (its log is above)"
	say "Model server: bin/aibench_model_server on 127.0.0.1, gRPC on port $grpc_port, HTTP on port $http_port"
}

bench_fraud() {
	local inferences=${NUM_INFERENCES:-100000} burn_in data=${INPUT_FILE_NAME:-} model=${MODEL_FILE:-$work/creditcardfraud.pb}
	local candidate w kind reference
	burn_in=${QUERIES_BURN_IN:-$((inferences / 10))}
	[ -r "$model" ] || [ -z "${MODEL_FILE:-}" ] || fail "MODEL_FILE=$model: cannot be read"
	rm -f "$results"/{JSON,RAW,HIST}_{redisai_fraud,protocol_fraud}*
	for candidate in datasets/creditcard-fraud/creditcard.csv datasets/creditcard-fraud/creditcard.csv.gz; do
		if [ -z "$data" ] && [ -e "$candidate" ]; then data=$candidate; fi
	done
	say "Fraud data: $inferences transactions with reference data (${data:-synthetic rows, seed $seed})"
	run "$bin/aibench_generate_data" -use-case creditcard-fraud -input-file "${data:-synthetic}" -seed "$seed" \
		-max-transactions "$inferences" -output-file "$work/fraud.dat"
	du -h "$work/fraud.dat"

	say "Fraud models: with reference data ${MODEL_FILE:-of seeded weights}, without of seeded weights"
	[ -n "${MODEL_FILE:-}" ] || run "$bin/aibench_generate_model" -model fraud -seed "$seed" -output-file "$model"
	run "$bin/aibench_generate_model" -model fraud-noreference -seed "$seed" -output-file "$work/noreference.pb"
	run "$bin/aibench_load_model" -redis-host "$server" -model financialNet -model-file "$model" \
		-inputs transaction,reference -outputs output
	run "$bin/aibench_load_model" -redis-host "$server" -model financialNet_NoReference \
		-model-file "$work/noreference.pb" -inputs transaction -outputs out

	serve "financialNet=$model" "financialNet_NoReference=$work/noreference.pb"

	say "Loading the reference data"
	run "$bin/aibench_load_data" -file "$work/fraud.dat" -redis-host "$server" -pipeline 100

	limit_runs "${NUM_INFERENCES:-}" "$burn_in" 3s
	for kind in financialNet financialNet_NoReference; do
		reference=true
		[ $kind = financialNet ] || reference=false
		for w in ${WORKERS:-1 16 64}; do
			say "$kind, $w workers: $repetitions runs (the last one's report)"
			measure "redisai_fraud-$kind" aibench_run_inference_redisai "$w" 1 -host 127.0.0.1 -port "$redis_port" -file "$work/fraud.dat" -model "$kind" \
				"${limits[@]}" -enable-reference-data-redis="$reference"
		done
	done
	limit_runs "${PROTOCOL_INFERENCES:-${NUM_INFERENCES:-}}" $((${PROTOCOL_INFERENCES:-inferences} / 10)) 3s
	for kind in true false; do
		bench_protocols fraud "$kind" "${PROTOCOL_WORKERS:-16}" -use-case creditcard-fraud -file "$work/fraud.dat" \
			"${limits[@]}" -enable-reference-data-redis="$kind"
	done
	rm -f "$work/fraud.dat"
}

bench_vision() {
	local inferences=${NUM_VISION_INFERENCES:-240} photos=${INPUT_VISION_VAL_DIR:-synthetic} batch w
	local model=${VISION_MODEL_FILE:-$work/mobilenet.pb} name=mobilenet_v1_100_224_cpu setup count=${NUM_VISION_INFERENCES:-}
	[ -r "$model" ] || [ -z "${VISION_MODEL_FILE:-}" ] || fail "VISION_MODEL_FILE=$model: cannot be read"
	rm -f "$results"/{JSON,RAW,HIST}_{redisai_vision,protocol_vision}*
	say "Vision data: $inferences image tensors of 224 x 224 x 3 ($photos photos)"
	run "$bin/aibench_generate_data_vision" -input-val-dir "$photos" -limit "$inferences" -random-seed "$seed" \
		-output-file "$work/vision.dat"
	inferences=$(($(stat -c %s "$work/vision.dat") / 602112 / 8 * 8))
	[ "$inferences" -ge 8 ] || fail "$photos has fewer than 8 photos"

	say "Vision model: ${VISION_MODEL_FILE:-MobileNet V1 1.0/224 of seeded weights}"
	[ -n "${VISION_MODEL_FILE:-}" ] ||
		run "$bin/aibench_generate_model" -model mobilenet-v1 -seed "$seed" -output-file "$model"
	run "$bin/aibench_load_model" -redis-host "$server" -model $name -model-file "$model" -inputs input \
		-outputs MobilenetV1/Predictions/Reshape_1
	serve "$name=$model"

	for setup in "1 1" "4 1" "4 8"; do
		read -r w batch <<<"$setup"
		say "$name, $w workers, $batch images a tensor: $repetitions runs (the last one's report)"
		limit_runs "${count:+$inferences}" "${VISION_QUERIES_BURN_IN:-$((inferences / 10 / batch * batch))}" 7s
		measure redisai_vision aibench_run_inference_redisai_vision "$w" "$batch" -host 127.0.0.1 -port "$redis_port" -file "$work/vision.dat" -model $name \
			-batch-size "$batch" "${limits[@]}"
	done
	limit_runs "${count:+$inferences}" $((inferences / 10)) 7s
	bench_protocols vision false "${PROTOCOL_WORKERS:-4}" -use-case vision -file "$work/vision.dat" "${limits[@]}"
	rm -f "$work/vision.dat"
}

mkdir -p "$results"
redis_server_start "$work" --loadmodule "$bin/redisai.so" ||
	fail "redis-server with bin/redisai.so does not start (its log is above)"
server=127.0.0.1:$redis_port
say "Server: $(redis-server --version | sed -E 's/.*v=([0-9.]+).*/redis-server \1/') with bin/redisai.so on $server"
for use_case in ${USE_CASES:-fraud vision}; do
	case "$use_case" in
	fraud | vision) "bench_$use_case" ;;
	*) fail "USE_CASES: $use_case is none of fraud, vision" ;;
	esac
done

say "All set-ups: medians of $repetitions runs each (spread: highest to lowest rate)"
for use_case in ${USE_CASES:-fraud vision}; do
	python3 scripts/summary_table.py --dir "$results" --prefix "JSON_redisai_$use_case"
	echo
done
if [ -n "${PROTOCOLS-default}" ]; then
	say "The same engine and model over every protocol: what is left is the cost of the protocol"
	for use_case in ${USE_CASES:-fraud vision}; do
		python3 scripts/summary_table.py --dir "$results" --prefix "JSON_protocol_$use_case" --by protocol
		echo
	done
fi
echo "$results/ holds every run: JSON_*.json, RAW_*.txt (the reports), HIST_*.hgrm (the distributions)"
