#!/usr/bin/env bash
# Runs test programs and says how many tests passed. usage: run_tests.sh PROGRAM…
#
# A program is a cmocka binary (asked for TAP), a shell script that prints TAP itself ("ok - name", "not ok - name",
# "ok - name # SKIP why") or a Python unittest file. One that crashes or exits non-zero without naming a failed test
# counts as one failed test. What a failing program printed is shown, nothing of the others.
# Variables: TEST_JOBS (programs at a time; a core each), TEST_TIMEOUT (900 seconds a program), TEST_LINES (60 shown).
set -uo pipefail
cd "$(dirname "$0")/.." || exit 1

jobs=${TEST_JOBS:-$(nproc)}
limit=${TEST_TIMEOUT:-900}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM

run() { # PROGRAM OUTPUT
	case "$1" in
	*.py) PYTHONDONTWRITEBYTECODE=1 timeout "$limit" "${PYTHON:-python3}" -m unittest -v "$1" </dev/null >"$2" 2>&1 ;;
	*.sh) timeout "$limit" bash "$1" </dev/null >"$2" 2>&1 ;;
	*) CMOCKA_MESSAGE_OUTPUT=TAP timeout "$limit" "$1" </dev/null >"$2" 2>&1 ;;
	esac
}

# report NAME OUTPUT PASSED FAILED SKIPPED SECONDS
report() {
	printf '%-44s %4d passed' "$1" "$3"
	[ "$4" -eq 0 ] || printf ', %d FAILED' "$4"
	[ "$5" -eq 0 ] || printf ', %d skipped' "$5"
	printf '  (%d s)\n' "$6"
	[ "$4" -eq 0 ] || grep -vE '^ok |# SKIP' "$2" | head -n "${TEST_LINES:-60}" | sed 's/^/    /'
}

# test_one PROGRAM OUTPUT: leaves its counts in OUTPUT.counts; what it prints comes in one piece.
test_one() {
	local program=$1 output=$2 started=$SECONDS status ok bad skip name
	run "$program" "$output"
	status=$?
	case "$program" in
	*.py)
		ok=$(grep -cE '\.\.\. ok$' "$output") bad=$(grep -cE '\.\.\. (FAIL|ERROR)$' "$output")
		skip=$(grep -cE "\.\.\. skipped " "$output")
		;;
	*)
		# cmocka writes a skipped test as "not ok N # SKIP name"
		skip=$(grep -cE '^(not )?ok .*# SKIP' "$output") bad=$(grep -E '^not ok ' "$output" | grep -vc '# SKIP')
		ok=$(grep -E '^ok ' "$output" | grep -vc '# SKIP')
		;;
	esac
	if [ $status -ne 0 ] && [ "$bad" -eq 0 ]; then
		bad=1
		[ $status -ne 124 ] || echo "not ok - $program ran longer than $limit s" >>"$output"
	fi
	if [ $((ok + bad + skip)) -eq 0 ]; then
		bad=1
		echo "not ok - $program ran no test" >>"$output"
	fi
	name=${program#*/tests/}
	name=${name#tests/}
	(
		flock 9
		report "$name" "$output" "$ok" "$bad" "$skip" $((SECONDS - started))
	) 9>"$work/lock"
	echo "$ok $bad $skip" >"$output.counts"
}

running=0 n=0
for program in "$@"; do
	if [ $running -ge "$jobs" ]; then
		wait -n
		running=$((running - 1))
	fi
	n=$((n + 1)) running=$((running + 1))
	test_one "$program" "$work/$n" &
done
wait

# A program without counts was lost: it counts as failed.
cat "$work"/*.counts 2>/dev/null | awk -v n=$n '
	{passed += $1; failed += $2; skipped += $3}
	END {failed += n - NR; printf "%d passed, %d failed, %d skipped\n", passed, failed, skipped; exit failed > 0}'
