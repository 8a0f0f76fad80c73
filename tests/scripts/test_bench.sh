#!/usr/bin/env bash
# scripts/bench.sh as `make bench` calls it: its results, its failures, and that it leaves nothing behind. Prints TAP.
# shellcheck disable=SC2317 # the tests are called through check
set -uo pipefail
cd "$(dirname "$0")/../.." || exit 1
# shellcheck source=tests/scripts/tap.sh
. tests/scripts/tap.sh

work=$(mktemp -d "${TMPDIR:-/tmp}/aibench-test-XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 1' INT TERM
export TMPDIR=$work/tmp RESULTS_DIR=$work/results USE_CASES=fraud REPETITIONS=1 WORKERS=2 NUM_INFERENCES=2000 PROTOCOLS=
unset INPUT_FILE_NAME MODEL_FILE QUERIES_BURN_IN
mkdir "$TMPDIR"
also_shown=$work/bench.txt

bench() { scripts/bench.sh >"$work/bench.txt" 2>&1; }

# No server works in our TMPDIR any more, and nothing is left there.
nothing_left() {
	local left
	left=$(ls -A "$TMPDIR") || return 1
	[ -z "$left" ] || echo "left: $left"
	! pgrep -af "(redis-server|aibench_model_server) .*" | grep -F "$TMPDIR" && [ -z "$left" ]
}

the_whole_runs() { bench && grep -q '^== All set-ups' "$work/bench.txt" && [ "$(find "$RESULTS_DIR" -name 'JSON_*.json' | wc -l)" -eq 2 ]; }
check "a benchmark ends with the summary of every set-up" the_whole_runs
check "a benchmark leaves no server and no file" nothing_left

old_results_go() {
	WORKERS=3 bench && ! grep -qE '^financialNet +2 ' "$work/bench.txt" && grep -qE '^financialNet +3 ' "$work/bench.txt"
}
check "the summary shows this run's results only" old_results_go

protocols_side_by_side() {
	PROTOCOLS="redisai triton:grpc tensorflow_serving:rest rest" PROTOCOL_INFERENCES=2000 bench &&
		[ "$(sed -n '/over every protocol: what/,$p' "$work/bench.txt" |
			grep -cE '^(redisai|triton, grpc|tensorflow_serving, rest|rest)(, reference data)? +16 ')" -eq 8 ]
}
check "every protocol has its row in one table" protocols_side_by_side
check "a benchmark of protocols leaves no server and no file" nothing_left

a_failed_run_fails() {
	WORKERS=0 bench
	[ $? -eq 1 ] && grep -q '^bench: that run failed' "$work/bench.txt" && ! grep -q '^== All set-ups' "$work/bench.txt"
}
check "a failed run fails the benchmark" a_failed_run_fails
check "a failed benchmark leaves no server and no file" nothing_left

an_unreadable_model_is_said_at_once() {
	MODEL_FILE=$work/nothing bench
	[ $? -eq 1 ] && grep -q "^bench: MODEL_FILE=$work/nothing: cannot be read" "$work/bench.txt"
}
check "a model file that is not there is said before anything is made" an_unreadable_model_is_said_at_once

# signalled SIGNAL PATTERN EXPECTED: sends it once the output has the pattern. Python starts the script, because a shell
# starts its background commands with SIGINT ignored.
signalled() {
	python3 - "$work/bench.txt" "$@" <<'PYTHON'
import os, re, signal, subprocess, sys, time

output, name, pattern, expected = sys.argv[1:]
with open(output, "w", encoding="utf-8") as out:
    script = subprocess.Popen(["scripts/bench.sh"], stdout=out, stderr=out, start_new_session=True,
                              env={**os.environ, "NUM_INFERENCES": "200000", "REPETITIONS": "50"})
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and script.poll() is None:
        if re.search(pattern, open(output, encoding="utf-8").read(), re.M):
            break
        time.sleep(0.02)
    if name == "INT":  # as the terminal does
        os.killpg(script.pid, signal.SIGINT)
    else:
        script.terminate()
    status = script.wait(30)
print("status", status)
sys.exit(status != int(expected))
PYTHON
}
check "Ctrl-C in a run ends the benchmark" signalled INT '^== financialNet, ' 130
check "Ctrl-C in a run leaves no server and no file" nothing_left
check "SIGTERM in a run ends the benchmark" signalled TERM '^== financialNet, ' 143
check "SIGTERM in a run leaves no server and no file" nothing_left
check "Ctrl-C while data is made ends the benchmark" signalled INT '^== Fraud data' 130
check "Ctrl-C while data is made leaves no server and no file" nothing_left

exit $failed
