#!/usr/bin/env bash
# Our own speed, where it can be as a ratio of two things measured in this run: the client pinned to one core, the server
# to another, turn about, medians. `make bench-self` calls it.
# Variables: RUNS (7), REQUESTS (100000 a run), ONLY (names of sections, here and in the two files that this one sources;
# default all), BIN (bin), BUILD (build/release), AIBENCH_TEST_DATA (../shared/data), those of bench_pacing.sh.
set -euo pipefail
cd "$(dirname "$0")/.."

bin=${BIN:-bin}
runs=${RUNS:-7}
requests=${REQUESTS:-100000}
server_core=0
client_core=$(($(nproc) > 1 ? 1 : 0))
[ "$client_core" -ne "$server_core" ] || echo "bench-self: one core only: client and server share it, ratios mean little" >&2

. scripts/redis_server.sh

work=$(mktemp -d "${TMPDIR:-/tmp}/aibench-self.XXXXXX")
serving_pids=() # servers of bench_serving.sh
serving_stop() {
	local pid
	for pid in "${serving_pids[@]}"; do
		kill "$pid" 2>/dev/null || true
		wait "$pid" 2>/dev/null || true
	done
	serving_pids=()
}
clean_up() {
	set +e
	redis_server_stop
	serving_stop
	rm -rf "$work"
}
trap clean_up EXIT
trap 'exit 130' INT TERM

start_server() { # ARG…: the one server of this script, on server_core
	redis_server_start "$work" taskset -c "$server_core" -- "$@" || exit 1
}

median() { sort -g | awk '{v[NR] = $1} END {print (NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2)}'; }
ratio() { awk -v a="$1" -v b="$2" 'BEGIN {printf "%.2f", a / b}'; }
wanted() { [ -z "${ONLY:-}" ] || [[ " $ONLY " == *" $1 "* ]]; }

# timed COMMAND…: runs it on client_core, its output to $work/out; sets cpu to user + system seconds.
timed() {
	local TIMEFORMAT='%U %S'
	{ time taskset -c "$client_core" "$@" >"$work/out" 2>"$work/err"; } 2>"$work/time" || {
		cat "$work/err" >&2
		exit 1
	}
	cpu=$(tail -1 "$work/time" | awk '{print $1 + $2}')
}
redis_benchmark() { # CLIENTS PIPELINE: sets rate and cpu a request (µs)
	timed redis-benchmark -p "$redis_port" -t set -d 1024 -n "$requests" -c "$1" -P "$2" -r 100000 --csv
	rate=$(sed -n 's/^"SET","\([0-9.]*\)".*/\1/p' "$work/out")
	cpu=$(awk -v c="$cpu" -v n="$requests" 'BEGIN {print c * 1e6 / n}')
}
ours() { # PROGRAM WORKERS OPTION…: the same of a run_inference program
	local program=$1 workers=$2
	shift 2
	timed "$bin/$program" -port "$redis_port" -host 127.0.0.1 -file "$work/fraud.dat" -workers "$workers" \
		-max-queries "$requests" -threads 1 -network-baseline=false -output-file-stats-hdr-response-latency-hist '' "$@"
	rate=$(sed -n 's/.*Overall inference rate \([0-9.]*\) .*/\1/p' "$work/out")
	cpu=$(awk -v c="$cpu" -v n="$requests" 'BEGIN {print c * 1e6 / n}')
}

"$bin/aibench_generate_data" -max-transactions "$requests" -seed 1 -output-file "$work/fraud.dat"

if wanted client; then
	echo "== Client: SET of 1 KB, aibench to redis-benchmark, same server ($runs runs each, turn about)"
	start_server
	for w in 1 16 64; do
		rm -f "$work"/{a,b}_{rate,cpu}
		for ((i = 0; i < runs; i++)); do
			redis_benchmark "$w" 1
			echo "$rate" >>"$work/b_rate" && echo "$cpu" >>"$work/b_cpu"
			ours aibench_run_inference_redis_set "$w"
			echo "$rate" >>"$work/a_rate" && echo "$cpu" >>"$work/a_cpu"
		done
		ar=$(median <"$work/a_rate") br=$(median <"$work/b_rate") ac=$(median <"$work/a_cpu") bc=$(median <"$work/b_cpu")
		printf '%2d workers: %6.0f to %6.0f requests/s, ratio %s; client CPU %5.2f to %5.2f us a request, ratio %s\n' "$w" \
			"$ar" "$br" "$(ratio "$ar" "$br")" "$ac" "$bc" "$(ratio "$ac" "$bc")"
	done
	redis_server_stop
fi

if wanted module; then
	echo "== Module: fraud AI.DAGRUN with reference data to SET of 1 KB, same client, server on one core"
	start_server --loadmodule "$(realpath "$bin")/redisai.so"
	"$bin/aibench_generate_model" -model fraud -output-file "$work/fraud.pb"
	"$bin/aibench_load_model" -redis-host "127.0.0.1:$redis_port" -model financialNet -model-file "$work/fraud.pb" \
		-inputs transaction,reference -outputs output >/dev/null
	"$bin/aibench_load_data" -file "$work/fraud.dat" -redis-host "127.0.0.1:$redis_port" -pipeline 100 -set-blob=false >/dev/null
	for w in 16 64; do
		rm -f "$work"/{a,b}_rate
		for ((i = 0; i < runs; i++)); do
			ours aibench_run_inference_redis_set "$w"
			echo "$rate" >>"$work/b_rate"
			ours aibench_run_inference_redisai "$w" -enable-reference-data-redis
			echo "$rate" >>"$work/a_rate"
		done
		ar=$(median <"$work/a_rate") br=$(median <"$work/b_rate")
		printf '%2d workers: %6.0f to %6.0f requests/s, ratio %s\n' "$w" "$ar" "$br" "$(ratio "$ar" "$br")"
	done
	redis_server_stop
fi

if wanted loader; then
	echo "== aibench_load_data -pipeline 100 -set-tensor=false to redis-benchmark -P 100, as many connections"
	start_server
	for w in 1 8; do
		rm -f "$work"/{a,b}_rate
		for ((i = 0; i < runs; i++)); do
			redis_benchmark "$w" 100
			echo "$rate" >>"$work/b_rate"
			timed "$bin/aibench_load_data" -file "$work/fraud.dat" -redis-host "127.0.0.1:$redis_port" -pipeline 100 \
				-set-tensor=false -workers "$w"
			sed -n 's/.*(\([0-9.]*\) commands\/s).*/\1/p' "$work/out" | tail -1 >>"$work/a_rate"
		done
		ar=$(median <"$work/a_rate") br=$(median <"$work/b_rate")
		printf '%2d connections: %6.0f to %6.0f SET/s, ratio %s\n' "$w" "$ar" "$br" "$(ratio "$ar" "$br")"
	done
	redis_server_stop
fi

if wanted null; then
	echo "== Null driver: the tool's own ceiling, everything but the server, all on one core"
	for w in 1 64; do
		rm -f "$work/a_rate"
		for ((i = 0; i < runs; i++)); do
			timed "$bin/aibench_run_inference_null" -file "$work/fraud.dat" -workers "$w" -threads 1 -burn-in 10000 \
				-output-file-stats-hdr-response-latency-hist ''
			sed -n 's/.*end of the burn-in: \([0-9.]*\) .*/\1/p' "$work/out" >>"$work/a_rate"
		done
		awk -v r="$(median <"$work/a_rate")" -v w="$w" 'BEGIN {printf "%2d workers: %.2f million requests/s\n", w, r / 1e6}'
	done
fi

if wanted recorder; then
	echo "== Recording: what a request's times cost, and a look at all of them while the run goes on"
	taskset -c "$client_core" "${BUILD:-build/release}/bench/bench_recorder"
fi

if wanted audit; then
	echo "== Audit: reported percentiles to those in the log of a server with known delays, 1000 requests/s in an open loop"
	"${BUILD:-build/release}/bench/bench_audit" "$work/fraud.dat" || echo "a percentile is off: see above"
fi

if wanted large-tensor; then
	echo "== Client: one image tensor of 602 KB, the whole client's CPU to that of one writev of the same bytes"
	"${BUILD:-build/release}/bench/bench_large_tensor"
fi

if wanted mobilenet; then
	echo "== Engine: MobileNet V1 on one core, to the peak of its multipliers measured in the same rounds"
	"$bin/aibench_generate_model" -model mobilenet-v1 -seed 1 -output-file "$work/mobilenet.pb"
	taskset -c "$client_core" "${BUILD:-build/release}/bench/bench_mobilenet" "$work/mobilenet.pb" | tee "$work/out"
	if python3 -c 'import numpy, onnxruntime' 2>/dev/null; then
		"$bin/aibench_generate_model" -model mobilenet-v1 -format onnx -batch 1 -seed 1 -output-file "$work/mobilenet.onnx"
		rm -f "$work"/{a,b}_rate
		for ((i = 0; i < (runs + 1) / 2; i++)); do
			taskset -c "$client_core" python3 tests/interop/mobilenet_onnxruntime.py "$work/mobilenet.onnx" >>"$work/b_rate"
			taskset -c "$client_core" "${BUILD:-build/release}/bench/bench_mobilenet" "$work/mobilenet.pb" |
				awk '/^batch  1:/ {print $3}' >>"$work/a_rate"
		done
		printf 'ONNX Runtime: %s ms an image, ours %s ms, ratio of times %s\n' "$(median <"$work/b_rate")" \
			"$(median <"$work/a_rate")" "$(ratio "$(median <"$work/a_rate")" "$(median <"$work/b_rate")")"
	else
		echo "ONNX Runtime: not compared (Python has no onnxruntime)"
	fi
fi

if wanted photos; then
	echo "== aibench_generate_data_vision to OpenCV, one core, the same photos"
	photos=${AIBENCH_TEST_DATA:-../shared/data}/photos
	if [ -d "$photos" ] && python3 -c 'import cv2' 2>/dev/null; then
		python3 tests/interop/vision_opencv.py --program "$bin/aibench_generate_data_vision" --speed "$photos"
	else
		echo "not compared: Python has no cv2 (python3-opencv), or there are no photos in AIBENCH_TEST_DATA"
	fi
fi

if wanted vision; then
	echo "== Server: MobileNet V1 by AI.DAGRUN, 4 workers, to the engine alone on the server's core"
	start_server --loadmodule "$(realpath "$bin")/redisai.so"
	"$bin/aibench_generate_model" -model mobilenet-v1 -seed 1 -output-file "$work/mobilenet.pb"
	"$bin/aibench_load_model" -redis-host "127.0.0.1:$redis_port" -model mobilenet -model-file "$work/mobilenet.pb" \
		-inputs input -outputs MobilenetV1/Predictions/Reshape_1 >/dev/null
	"$bin/aibench_generate_data_vision" -input-val-dir synthetic -limit 160 -output-file "$work/vision.dat" >/dev/null
	rm -f "$work"/{a,b}_rate
	for ((i = 0; i < (runs + 1) / 2; i++)); do
		taskset -c "$server_core" "${BUILD:-build/release}/bench/bench_mobilenet" "$work/mobilenet.pb" |
			awk '/^batch  1:/ {print 1000 / $3}' >>"$work/b_rate"
		timed "$bin/aibench_run_inference_redisai_vision" -host 127.0.0.1 -port "$redis_port" -model mobilenet -use-dag \
			-file "$work/vision.dat" -workers 4 -threads 1 -burn-in 16 -output-file-stats-hdr-response-latency-hist ''
		sed -n 's/.*end of the burn-in: \([0-9.]*\) .*/\1/p' "$work/out" >>"$work/a_rate"
	done
	ar=$(median <"$work/a_rate") br=$(median <"$work/b_rate")
	printf '%.1f to %.1f images/s, ratio %s\n' "$ar" "$br" "$(ratio "$ar" "$br")"
	redis_server_stop
fi

. bench/bench_serving.sh

. bench/bench_pacing.sh

# peak_memory COMMAND…: its largest resident set, MiB
peak_memory() {
	local pid peak=0 now
	"$@" >/dev/null 2>&1 &
	pid=$!
	while now=$(sed -n 's/^VmHWM:[^0-9]*\([0-9]*\) kB/\1/p' "/proc/$pid/status" 2>/dev/null) && [ -n "$now" ]; do
		peak=$now
		sleep 0.02
	done
	wait "$pid"
	awk -v k="$peak" 'BEGIN {printf "%.1f", k / 1024}'
}

if wanted data; then
	echo "== aibench_generate_data from CSV, one core"
	"$bin/aibench_generate_data" -format csv -seed 1 -output-file "$work/creditcard.csv"
	rm -f "$work/a_rate"
	for ((i = 0; i < runs; i++)); do
		TIMEFORMAT=%R
		seconds=$({ time taskset -c "$client_core" "$bin/aibench_generate_data" -input-file "$work/creditcard.csv" \
			-output-file /dev/null; } 2>&1)
		awk -v s="$seconds" 'BEGIN {print 284807 / s}' >>"$work/a_rate"
	done
	printf '%.0f rows/s; ' "$(median <"$work/a_rate")"
	printf '%s MiB resident at the most while writing 1 GiB\n' "$(peak_memory "$bin/aibench_generate_data" \
		-input-file "$work/creditcard.csv" -max-transactions 932068 -output-file "$work/large.dat")"
	rm -f "$work/large.dat"
fi

if wanted memory; then
	echo "== Memory of a run with a dataset of 300 MB"
	start_server
	"$bin/aibench_generate_data" -max-transactions 261000 -seed 1 -output-file "$work/fraud.dat"
	requests=261000
	ours aibench_run_inference_redis_set 160
	sed -n 's/.* page faults, \(.*\) of anonymous memory/160 workers, 1 thread: \1 of anonymous memory (RssAnon)/p' "$work/out"
	redis_server_stop
fi
