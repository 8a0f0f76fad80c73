#!/usr/bin/env bash
# Runs the soaks of the Redis module and of the model server under each of some sanitizers.
# usage: run_soak.sh {BUILD_FOLDER RUNTIME SECONDS}…, of the module; the model server's takes a third of that besides.
# SOAK_SEED (default: the time) repeats a run as far as threads and the clock let it.
set -uo pipefail
cd "$(dirname "$0")/.." || exit 1

seed=${SOAK_SEED:-$(date +%s)}
passed=0 failed=0
export ASAN_OPTIONS=detect_leaks=1:quarantine_size_mb=16:exitcode=99
export UBSAN_OPTIONS=print_stacktrace=1
# redis-server and gRPC's library are not instrumented: what they do alone is not judged.
export TSAN_OPTIONS=ignore_noninstrumented_modules=1:exitcode=99:second_deadlock_stack=1

# soak BUILD_FOLDER SERVER SECONDS
soak() {
	if AIBENCH_BIN=$(realpath "$1/bin") "$1/tests/servers/$2/run_soak" "$3" "$seed"; then
		passed=$((passed + 1))
	else
		failed=$((failed + 1))
	fi
}

while [ $# -ge 3 ]; do
	echo "== ${1#build/}"
	AIBENCH_SERVER_PRELOAD=$2 soak "$1" redisai "$3"
	soak "$1" model_server $((($3 + 2) / 3))
	shift 3
done
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
