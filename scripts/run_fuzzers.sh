#!/usr/bin/env bash
# Runs libFuzzer targets for a while each. usage: run_fuzzers.sh SECONDS TARGET…
# Seeds come from fuzz/<folder>/corpus_<name>; what a run finds new is kept out of the tree, a crash is shown.
set -uo pipefail
cd "$(dirname "$0")/.." || exit 1

seconds=$1
shift
passed=0 failed=0
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for target in "$@"; do
	name=${target#*/fuzz/} # build/fuzz/fuzz/net/fuzz_resp: the build folder's name has a fuzz/ of its own
	name=${name#fuzz/}
	corpus=fuzz/$(dirname "$name")/corpus_$(basename "$name" | sed s/^fuzz_//)
	mkdir -p "$work/new"
	seeds=()
	[ -d "$corpus" ] && seeds=("$corpus")
	if (cd "$work" && "$OLDPWD/$target" -max_total_time="$seconds" -timeout=20 -rss_limit_mb=2048 -print_final_stats=1 \
		"$work/new" "${seeds[@]/#/$OLDPWD/}") >"$work/log" 2>&1; then
		passed=$((passed + 1))
		printf '%-44s %s runs\n' "$name" "$(sed -n 's/^stat::number_of_executed_units: *//p' "$work/log")"
	else
		failed=$((failed + 1))
		printf '%-44s FAILED\n' "$name"
		grep -vE '^#[0-9]+' "$work/log" | tail -60 | sed 's/^/    /'
		for found in "$work"/crash-* "$work"/oom-* "$work"/timeout-*; do
			[ -e "$found" ] && base64 "$found" | head -40 | sed 's/^/    input: /'
		done
	fi
	rm -rf "${work:?}"/*
done
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
