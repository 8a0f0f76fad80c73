#!/usr/bin/env bash
# Runs libFuzzer targets for a while each. usage: run_fuzzers.sh SECONDS SEED TARGET…
# Inputs to start from come from fuzz/<folder>/corpus_<name>; what a run finds new is kept out of the tree, a crash is
# shown. SEED 0 takes another one each time.
set -uo pipefail
cd "$(dirname "$0")/.." || exit 1

seconds=$1 seed=$2
shift 2
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
	if (cd "$work" && "$OLDPWD/$target" -seed="$seed" -max_total_time="$seconds" -timeout=20 -rss_limit_mb=2048 -print_final_stats=1 \
		"$work/new" "${seeds[@]/#/$OLDPWD/}") >"$work/log" 2>&1; then
		passed=$((passed + 1))
		printf '%-44s %s runs\n' "$name" "$(sed -n 's/^stat::number_of_executed_units: *//p' "$work/log")"
	else
		failed=$((failed + 1))
		for found in "$work"/crash-* "$work"/oom-* "$work"/timeout-*; do
			[ -e "$found" ] && base64 "$found" | head -40 | sed 's/^/    input: /'
		done
		grep -vE '^#[0-9]+|NEW_FUNC|^INFO: (Loaded|Running)' "$work/log" | tail -40 | sed 's/^/    /'
		printf '%-44s FAILED: %s\n' "$name" "$(grep -E 'runtime error:|ERROR: ' "$work/log" | head -1)"
	fi
	rm -rf "${work:?}"/*
done
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
