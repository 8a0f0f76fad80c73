#!/usr/bin/env bash
# Runs the soak of the Redis module under each of some sanitizers. usage: run_soak.sh {BUILD_FOLDER RUNTIME SECONDS}…
# SOAK_SEED (default: the time) repeats a run as far as threads and the clock let it.
set -uo pipefail
cd "$(dirname "$0")/.." || exit 1

seed=${SOAK_SEED:-$(date +%s)}
passed=0 failed=0
# redis-server itself is not instrumented: what it does alone is not judged.
export ASAN_OPTIONS=detect_leaks=1:quarantine_size_mb=16:exitcode=99
export UBSAN_OPTIONS=print_stacktrace=1
export TSAN_OPTIONS=ignore_noninstrumented_modules=1:exitcode=99:second_deadlock_stack=1
while [ $# -ge 3 ]; do
	echo "== ${1#build/}"
	if AIBENCH_BIN=$(realpath "$1/bin") AIBENCH_SERVER_PRELOAD=$2 "$1/tests/servers/redisai/run_soak" "$3" "$seed"; then
		passed=$((passed + 1))
	else
		failed=$((failed + 1))
	fi
	shift 3
done
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
