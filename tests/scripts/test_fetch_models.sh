#!/usr/bin/env bash
# scripts/fetch_models.sh against archives of our own, fetched as files. Prints TAP.
# shellcheck disable=SC2317 # the tests are called through check
set -uo pipefail
cd "$(dirname "$0")/../.." || exit 1
# shellcheck source=tests/scripts/tap.sh
. tests/scripts/tap.sh

work=$(mktemp -d "${TMPDIR:-/tmp}/aibench-test-XXXXXX")
trap 'rm -rf "$work"' EXIT

# archive NAME FILE…: a .tgz of files that hold their own names; sets MOBILENET_URL and MOBILENET_SHA256.
archive() {
	local name=$1 file
	shift
	mkdir -p "$work/$name"
	for file in "$@"; do
		echo "$file" >"$work/$name/$file"
	done
	head -c 200000 /dev/urandom >"$work/$name/checkpoint"
	tar -czf "$work/$name.tgz" -C "$work/$name" .
	export MOBILENET_URL=file://$work/$name.tgz
	MOBILENET_SHA256=$(sha256sum "$work/$name.tgz" | cut -d' ' -f1)
	export MOBILENET_SHA256
}
whole() { archive "$1" mobilenet_v1_1.0_224_frozen.pb mobilenet_v1_1.0_224.tflite; }
holds() { [ "$(cat "$MODELS_DIR/$1")" = "$2" ]; }
has_both() {
	holds mobilenet_v1_1.0_224.pb mobilenet_v1_1.0_224_frozen.pb &&
		holds mobilenet_v1_1.0_224.tflite mobilenet_v1_1.0_224.tflite && [ "$(find "$MODELS_DIR" | wc -l)" -eq 3 ]
}
fails_with() {
	local output
	if output=$(scripts/fetch_models.sh 2>&1); then
		return 1
	fi
	echo "$output"
	grep -qF -- "$1" <<<"$output"
}

models_are_fetched() {
	export MODELS_DIR=$work/models
	whole good
	scripts/fetch_models.sh && has_both
}
models_that_are_there_are_kept() {
	echo mine >"$MODELS_DIR/mobilenet_v1_1.0_224.pb"
	rm "$MODELS_DIR/mobilenet_v1_1.0_224.tflite"
	scripts/fetch_models.sh && holds mobilenet_v1_1.0_224.pb mine || return 1
	MOBILENET_URL=file://$work/nowhere scripts/fetch_models.sh
}
download_goes_on_where_it_stopped() {
	export MODELS_DIR=$work/resumed
	whole resumed_archive
	mkdir -p "$MODELS_DIR"
	head -c 100000 "$work/resumed_archive.tgz" >"$MODELS_DIR/mobilenet_v1_1.0_224.tgz.part"
	# Only the rest of this one is right: whoever starts again gets the wrong bytes.
	head -c 100000 /dev/zero >"$work/resumed_rest.tgz"
	tail -c +100001 "$work/resumed_archive.tgz" >>"$work/resumed_rest.tgz"
	MOBILENET_URL=file://$work/resumed_rest.tgz scripts/fetch_models.sh && has_both
}
wrong_bytes_are_removed() {
	export MODELS_DIR=$work/wrong
	whole wrong_archive
	export MOBILENET_SHA256=0000
	fails_with "does not have the SHA-256 0000" && [ -z "$(ls -A "$MODELS_DIR")" ]
}
without_a_network_it_says_what_to_do() {
	export MODELS_DIR=$work/offline MOBILENET_URL=http://127.0.0.1:1/x.tgz
	fails_with MODEL_FILE && fails_with aibench_generate_model && fails_with "from 0 bytes"
}
archive_without_models_is_named() {
	export MODELS_DIR=$work/empty
	archive empty_archive README
	fails_with "no mobilenet_v1_1.0_224_frozen.pb"
}

if command -v curl >/dev/null; then
	check models_are_fetched models_are_fetched
	check models_that_are_there_are_kept models_that_are_there_are_kept
	check download_goes_on_where_it_stopped download_goes_on_where_it_stopped
	check wrong_bytes_are_removed wrong_bytes_are_removed
	check without_a_network_it_says_what_to_do without_a_network_it_says_what_to_do
	check archive_without_models_is_named archive_without_models_is_named
else
	echo "ok - models_are_fetched # SKIP no curl here"
fi
exit $failed
