#!/usr/bin/env bash
# The whole benchmark on one machine, from nothing: data, models, server, load, runs, report. `make bench` calls it.
# Results stay in results/; the server and everything else it starts or writes is gone at the end, however it ends.
#
# Variables: NUM_INFERENCES (100000 a run, burn-in included), QUERIES_BURN_IN (10000), WORKERS ("1 16 64"), REPETITIONS (3),
# INPUT_FILE_NAME (Kaggle's creditcard.csv or .csv.gz; default: datasets/creditcard-fraud/creditcard.csv[.gz] if it is
# there, else synthetic rows), MODEL_FILE (a frozen graph of the reference net; default: generated), DATA_SEED (12345).
set -euo pipefail
cd "$(dirname "$0")/.."

bin=$PWD/bin
num_inferences=${NUM_INFERENCES:-100000}
burn_in=${QUERIES_BURN_IN:-10000}
workers=${WORKERS:-"1 16 64"}
repetitions=${REPETITIONS:-3}
seed=${DATA_SEED:-12345}

. scripts/redis_server.sh

work=$(mktemp -d "${TMPDIR:-/tmp}/aibench.XXXXXX")
child=
clean_up() {
	trap '' INT TERM HUP
	[ -z "$child" ] || { kill "$child" 2>/dev/null && wait "$child" 2>/dev/null; }
	redis_server_stop
	rm -rf "$work"
	return 0
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

say() { printf '\n== %s\n' "$*"; }
fail() {
	echo "bench: $*" >&2
	exit 1
}

# A run in the background, so that a signal to this script is seen at once and stops the run with it.
run() {
	"$@" &
	child=$!
	wait "$child"
	child=
}

data=${INPUT_FILE_NAME:-}
for candidate in datasets/creditcard-fraud/creditcard.csv datasets/creditcard-fraud/creditcard.csv.gz; do
	if [ -z "$data" ] && [ -e "$candidate" ]; then data=$candidate; fi
done
say "Data: $num_inferences transactions with reference data (${data:-synthetic rows, seed $seed})"
run "$bin/aibench_generate_data" -use-case creditcard-fraud -input-file "${data:-synthetic}" -seed "$seed" \
	-max-transactions "$num_inferences" -output-file "$work/fraud.dat"
du -h "$work/fraud.dat"

say "Models: ${MODEL_FILE:-fraud nets with seeded weights}"
model=${MODEL_FILE:-$work/creditcardfraud.pb}
[ -n "${MODEL_FILE:-}" ] || run "$bin/aibench_generate_model" -model fraud -seed "$seed" -output-file "$model"
run "$bin/aibench_generate_model" -model fraud-noreference -seed "$seed" -output-file "$work/creditcardfraud_noreference.pb"

redis_server_start "$work" --loadmodule "$bin/redisai.so" ||
	fail "redis-server with bin/redisai.so does not start (its log is above)"
say "Server: $(redis-server --version | sed -E 's/.*v=([0-9.]+).*/redis-server \1/') with bin/redisai.so on 127.0.0.1:$redis_port"
server_address=127.0.0.1:$redis_port
run "$bin/aibench_load_model" -redis-host "$server_address" -model financialNet -model-file "$model" \
	-inputs transaction,reference -outputs output
run "$bin/aibench_load_model" -redis-host "$server_address" -model financialNet_NoReference \
	-model-file "$work/creditcardfraud_noreference.pb" -inputs transaction -outputs out

say "Loading the reference data"
run "$bin/aibench_load_data" -file "$work/fraud.dat" -redis-host "$server_address" -pipeline 100 -set-blob=false

mkdir -p results
# measure KIND MODEL WORKERS OPTION…: the repetitions of one set-up; the last one's report is shown.
measure() {
	local kind=$1 model=$2 workers=$3 base
	shift 3
	base=redisai_${kind}_cpu_workers_${workers}_autobatching_0_tensorbatchsize_1_rate_0
	rm -f "results/"{JSON,RAW,HIST}"_${base}"*
	say "$model, $workers workers: $repetitions runs of $num_inferences inferences (the last one's report)"
	run "$bin/aibench_run_inference_redisai" -file "$work/fraud.dat" -host 127.0.0.1 -port "$redis_port" \
		-model "$model" -workers "$workers" -max-queries "$num_inferences" -burn-in "$burn_in" \
		-repetitions "$repetitions" -metadata-autobatching 0 "$@" -json-out-file "results/JSON_$base.json" \
		-output-file-stats-hdr-response-latency-hist "results/HIST_$base.hgrm" \
		>"results/RAW_$base.txt" || fail "that run failed; its output is in results/RAW_$base.txt"
	awk '/^time \(ms\)/ {report = ""} {report = report $0 "\n"} END {printf "%s", report}' "results/RAW_$base.txt"
}

for w in $workers; do
	measure fraud-reference financialNet "$w" -enable-reference-data-redis
done
for w in $workers; do
	measure fraud-noreference financialNet_NoReference "$w"
done

say "All set-ups: medians of $repetitions runs each (spread: highest to lowest rate)"
python3 scripts/summary_table.py --dir results --prefix JSON_redisai_fraud-
say "Results: results/ holds every run: JSON_*.json, RAW_*.txt (the reports), HIST_*.hgrm (the distributions)"
