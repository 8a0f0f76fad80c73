#!/usr/bin/env bash
# Runs tests/interop: our programs with clients and servers that others wrote. usage: interop.sh [WORD…]
#
# Each script runs in a virtual environment outside the tree, with what tests/interop/requirements-*.txt name; scripts
# whose packages conflict have different ones. What cannot be installed or is not here is NOT RUN, with the reason. Words
# choose the scripts whose names contain one of them.
#   AIBENCH_INTEROP_ENV  the environments (default ~/.cache/aibench-interop)
#   AIBENCH_TEST_DATA    models and golden answers (default ../shared/data)
set -uo pipefail
cd "$(dirname "$0")/.." || exit 1

environments=${AIBENCH_INTEROP_ENV:-${XDG_CACHE_HOME:-$HOME/.cache}/aibench-interop}
limit=${INTEROP_TIMEOUT:-600}
export AIBENCH_TEST_DATA=${AIBENCH_TEST_DATA:-$PWD/../shared/data} AIBENCH_BIN=${AIBENCH_BIN:-$PWD/bin}
export PYTHONDONTWRITEBYTECODE=1 PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
# TensorFlow with its own kernels, and quiet.
export TF_ENABLE_ONEDNN_OPTS=0 TF_CPP_MIN_LOG_LEVEL=3 CUDA_VISIBLE_DEVICES=-1
words=("$@")
passed=0 failed=0 skipped=0
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
output=$work/output

not_run() {
	printf '%-44s NOT RUN: %s\n' "$1" "$2"
	skipped=$((skipped + 1))
}

wanted() {
	[ ${#words[@]} -eq 0 ] && return
	local word
	for word in "${words[@]}"; do
		[[ $1 == *"$word"* ]] && return
	done
	return 1
}

# Makes environment $1 unless it was made from the same requirements; what pip said is then in $output.
environment() {
	local name=$1 folder=$environments/$1 requirements=tests/interop/requirements-$1
	local sum
	sum=$(cat "$requirements".txt "$requirements"-nodeps.txt 2>/dev/null | sha256sum)
	[ "$(cat "$folder/made" 2>/dev/null)" = "$sum" ] && return
	# A refusal holds for this run: it is not asked for again.
	if [ -e "$work/refused-$name" ]; then
		cp "$work/refused-$name" "$output"
		return 1
	fi
	echo "Installing $requirements.txt to $folder"
	if python3 -m venv "$folder" >"$output" 2>&1 &&
		"$folder/bin/pip" install -q -r "$requirements.txt" >"$output" 2>&1 &&
		{ [ ! -e "$requirements-nodeps.txt" ] ||
			"$folder/bin/pip" install -q --no-deps -r "$requirements-nodeps.txt" >"$output" 2>&1; }; then
		echo "$sum" >"$folder/made"
		return
	fi
	cp "$output" "$work/refused-$name"
	return 1
}

last_line() { grep -v '^[[:space:]]*$' "$output" | tail -n 1; }

# run ENVIRONMENT SCRIPT ARGUMENT…: exit status 0 passed, 77 cannot run here (its last line says why), others failed
run() {
	local name=$1 script=$2 started status
	shift 2
	wanted "$script" || return 0
	if [ ! -d "$AIBENCH_TEST_DATA/models" ]; then
		not_run "$script" "no models under AIBENCH_TEST_DATA ($AIBENCH_TEST_DATA)"
		return
	fi
	if ! environment "$name"; then
		not_run "$script" "its packages do not install: $(last_line)"
		return
	fi
	started=$(date +%s)
	PATH="$environments/$name/bin:$PATH" timeout "$limit" \
		"$environments/$name/bin/python" "tests/interop/$script" "$@" >"$output" 2>&1 </dev/null
	status=$?
	case $status in
	0)
		printf '%-44s PASS  (%d s)\n' "$script" $(($(date +%s) - started))
		passed=$((passed + 1))
		;;
	77) not_run "$script" "$(last_line)" ;;
	*)
		printf '%-44s FAIL  (exit status %d)\n' "$script" "$status"
		tail -n "${TEST_LINES:-60}" "$output" | sed 's/^/    /'
		failed=$((failed + 1))
		;;
	esac
}

# Images of every kind that the tests make, and the photos.
kinds() {
	mkdir -p "$work/kinds"
	AIBENCH_INTEROP_DIR=$work/kinds "${BUILD:-build/release}/tests/datagen/test_image" >/dev/null 2>&1
	echo "$work/kinds"
}

run clients redisai_client.py --backend "${BUILD:-build/release}/tests/servers/redisai/backend/torch.so"
! wanted vision_opencv.py || run clients vision_opencv.py "$(kinds)" "$AIBENCH_TEST_DATA/photos"
run clients mobilenet_onnxruntime.py "$AIBENCH_TEST_DATA/models/onnx/mobilenet_v1_1.0_224.onnx"
run hdrhistogram output_hdrhistogram.py
run loadgen scenarios_loadgen.py
run tensorflow model_server_tfserving.py
run triton model_server_triton.py
run triton model_server_clients.py
run tensorflow runners_flask.py
run mlserver runners_mlserver.py
run pytriton runners_pytriton.py
run torchserve runners_torchserve.py
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
