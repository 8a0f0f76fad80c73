#!/usr/bin/env bash
# The whole benchmark on one machine, from nothing: data, models, server, load, runs, report. `make bench` calls it.
# Results stay in a folder, in place of those of the last time; the server and everything else it starts or writes is gone at the end, however it ends.
#
# Variables: USE_CASES ("fraud vision"), REPETITIONS (3), DATA_SEED (12345), RESULTS_DIR (results).
# Fraud: NUM_INFERENCES (100000 a run, burn-in included), QUERIES_BURN_IN (a tenth), WORKERS ("1 16 64"), INPUT_FILE_NAME
# (Kaggle's creditcard.csv or .csv.gz; default: datasets/creditcard-fraud/creditcard.csv[.gz] if it is there, else
# synthetic rows), MODEL_FILE (a frozen graph of the reference net; default: generated).
# Vision: NUM_VISION_INFERENCES (240 a run), VISION_QUERIES_BURN_IN (a tenth), INPUT_VISION_VAL_DIR (a folder of photos;
# default: synthetic ones), VISION_MODEL_FILE (a frozen MobileNet; default: MobileNet V1 with seeded weights).
set -euo pipefail
cd "$(dirname "$0")/.."

bin=$(realpath "${AIBENCH_BIN:-bin}")
results=${RESULTS_DIR:-results}
repetitions=${REPETITIONS:-3}
seed=${DATA_SEED:-12345}

. scripts/redis_server.sh

work=$(mktemp -d "${TMPDIR:-/tmp}/aibench.XXXXXX")
child=
clean_up() {
	set +e
	trap '' INT TERM HUP
	[ -z "$child" ] || kill "$child" 2>/dev/null
	[ -z "$child" ] || wait "$child" 2>/dev/null
	redis_server_stop
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

# measure KIND PROGRAM WORKERS BATCH OPTION…: the repetitions of one set-up; the last one's report is shown.
measure() {
	local kind=$1 program=$2 workers=$3 batch=$4 base
	shift 4
	base=redisai_${kind}_cpu_workers_${workers}_autobatching_0_tensorbatchsize_${batch}_rate_0
	run "$bin/$program" -host 127.0.0.1 -port "$redis_port" -workers "$workers" -repetitions "$repetitions" \
		-metadata-autobatching 0 "$@" -json-out-file "$results/JSON_$base.json" \
		-output-file-stats-hdr-response-latency-hist "$results/HIST_$base.hgrm" \
		>"$results/RAW_$base.txt" || fail "that run failed; its output is in $results/RAW_$base.txt"
	awk '/^time \(ms\)/ {report = ""} {report = report $0 "\n"} END {printf "%s", report}' "$results/RAW_$base.txt"
}

bench_fraud() {
	local inferences=${NUM_INFERENCES:-100000} burn_in data=${INPUT_FILE_NAME:-} model=${MODEL_FILE:-$work/creditcardfraud.pb}
	local candidate w kind reference
	burn_in=${QUERIES_BURN_IN:-$((inferences / 10))}
	[ -r "$model" ] || [ -z "${MODEL_FILE:-}" ] || fail "MODEL_FILE=$model: cannot be read"
	rm -f "$results"/{JSON,RAW,HIST}_redisai_fraud*
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

	say "Loading the reference data"
	run "$bin/aibench_load_data" -file "$work/fraud.dat" -redis-host "$server" -pipeline 100 -set-blob=false

	for kind in financialNet financialNet_NoReference; do
		reference=true
		[ $kind = financialNet ] || reference=false
		for w in ${WORKERS:-1 16 64}; do
			say "$kind, $w workers: $repetitions runs of $inferences inferences (the last one's report)"
			measure "fraud-$kind" aibench_run_inference_redisai "$w" 1 -file "$work/fraud.dat" -model "$kind" \
				-max-queries "$inferences" -burn-in "$burn_in" \
				-enable-reference-data-redis="$reference"
		done
	done
	rm -f "$work/fraud.dat"
}

bench_vision() {
	local inferences=${NUM_VISION_INFERENCES:-240} photos=${INPUT_VISION_VAL_DIR:-synthetic} batch w
	local model=${VISION_MODEL_FILE:-$work/mobilenet.pb} name=mobilenet_v1_100_224_cpu setup
	[ -r "$model" ] || [ -z "${VISION_MODEL_FILE:-}" ] || fail "VISION_MODEL_FILE=$model: cannot be read"
	rm -f "$results"/{JSON,RAW,HIST}_redisai_vision*
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

	for setup in "1 1" "4 1" "4 8"; do
		read -r w batch <<<"$setup"
		say "$name, $w workers, $batch images a tensor: $repetitions runs of $inferences inferences (the last one's report)"
		measure vision aibench_run_inference_redisai_vision "$w" "$batch" -file "$work/vision.dat" -model $name \
			-batch-size "$batch" -max-queries "$inferences" -burn-in "${VISION_QUERIES_BURN_IN:-$((inferences / 10 / batch * batch))}"
	done
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
echo "$results/ holds every run: JSON_*.json, RAW_*.txt (the reports), HIST_*.hgrm (the distributions)"
