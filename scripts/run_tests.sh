#!/usr/bin/env bash
# Runs test programs and says how many tests passed. usage: run_tests.sh PROGRAM…
#
# A program is a cmocka binary (asked for TAP), a shell script that prints TAP itself ("ok - name", "not ok - name",
# "ok - name # SKIP why") or a Python unittest file. One that crashes or exits non-zero without naming a failed test
# counts as one failed test. What a failing program printed is shown, nothing of the others.
set -uo pipefail
cd "$(dirname "$0")/.." || exit 1

limit=${TEST_TIMEOUT:-900}
passed=0 failed=0 skipped=0
output=$(mktemp)
trap 'rm -f "$output"' EXIT

run() {
	case "$1" in
	*.py) PYTHONDONTWRITEBYTECODE=1 timeout "$limit" "${PYTHON:-python3}" -m unittest -v "$1" </dev/null >"$output" 2>&1 ;;
	*.sh) timeout "$limit" bash "$1" </dev/null >"$output" 2>&1 ;;
	*) CMOCKA_MESSAGE_OUTPUT=TAP timeout "$limit" "$1" </dev/null >"$output" 2>&1 ;;
	esac
}

count() { grep -cE "$1" "$output"; }

for program in "$@"; do
	started=$(date +%s)
	run "$program"
	status=$?
	case "$program" in
	*.py)
		ok=$(count '\.\.\. ok$') bad=$(count '\.\.\. (FAIL|ERROR)$') skip=$(count "\.\.\. skipped ")
		;;
	*)
		# cmocka writes a skipped test as "not ok N # SKIP name"
		skip=$(count '^(not )?ok .*# SKIP') bad=$(grep -E '^not ok ' "$output" | grep -vc '# SKIP')
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
	printf '%-44s %4d passed' "$name" "$ok"
	[ "$bad" -eq 0 ] || printf ', %d FAILED' "$bad"
	[ "$skip" -eq 0 ] || printf ', %d skipped' "$skip"
	printf '  (%d s)\n' $(($(date +%s) - started))
	if [ "$bad" -ne 0 ]; then
		grep -vE '^ok |# SKIP' "$output" | head -n "${TEST_LINES:-60}" | sed 's/^/    /'
	fi
	passed=$((passed + ok)) failed=$((failed + bad)) skipped=$((skipped + skip))
done

echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
