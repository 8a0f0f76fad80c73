#!/usr/bin/env bash
# Downloads MobileNet V1 1.0/224 with the weights that Google trained on ImageNet, as a frozen TensorFlow GraphDef and as
# TFLite, into MODELS_DIR (datasets/models of the project), where load_models_mobilenet_redisai.sh finds them. Files that
# are there already are kept. An interrupted download goes on where it stopped; the archive is unpacked only if its
# checksum is right. Without a network: MODEL_FILE names a model of your own, and without one the benchmark generates
# the same net with random weights (aibench_generate_model), which takes as long to run. There is no ONNX in the archive.
# Variables: MOBILENET_URL (another address of the archive), MOBILENET_SHA256 (of another archive), MODELS_DIR.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
base=https://storage.googleapis.com/download.tensorflow.org/models/mobilenet_v1_2018_08_02
url=${MOBILENET_URL:-$base/mobilenet_v1_1.0_224.tgz}
sha256=${MOBILENET_SHA256:-2fadeabb9968ec6833bee903900dda6e61b3947200535874ce2fe42a8493abc0}
folder=${MODELS_DIR:-$(dirname "$here")/datasets/models}
partial=$folder/mobilenet_v1_1.0_224.tgz.part
# in the archive : in the folder
files=(mobilenet_v1_1.0_224_frozen.pb:mobilenet_v1_1.0_224.pb mobilenet_v1_1.0_224.tflite:mobilenet_v1_1.0_224.tflite)

die() {
	echo "fetch_models: $*" >&2
	exit 1
}
offline="without a network, name a model of your own with MODEL_FILE, or let the benchmark generate one \
(aibench_generate_model -model mobilenet-v1)"

is_whole() { [ -f "$partial" ] && [ "$(sha256sum "$partial" | cut -d' ' -f1)" = "$sha256" ]; }

# Goes on with $partial where there is one.
download() {
	if command -v curl >/dev/null; then
		curl --fail --location --silent --show-error --connect-timeout 20 --retry 3 --continue-at - \
			--output "$partial" "$url"
	elif command -v wget >/dev/null; then
		wget --no-verbose --timeout=20 --tries=3 --continue --output-document="$partial" "$url"
	else
		die "neither curl nor wget is here; please install one of them"
	fi
}

fetch() {
	is_whole && return
	echo "Downloading $url"
	download ||
		die "the download failed (why is above); run this again to go on from $(stat -c %s "$partial" 2>/dev/null ||
			echo 0) bytes. It needs a network: $offline"
	is_whole && return
	rm -f "$partial"
	die "what came from $url does not have the SHA-256 $sha256; it was removed. Run this again, or $offline"
}

missing=()
for file in "${files[@]}"; do
	if [ -s "$folder/${file#*:}" ]; then
		echo "$folder/${file#*:} is there already"
	else
		missing+=("$file")
	fi
done
[ ${#missing[@]} -gt 0 ] || exit 0
mkdir -p "$folder"
fetch
work=$(mktemp -d "$folder/unpack.XXXXXX")
trap 'rm -rf "$work"' EXIT
tar -xzf "$partial" -C "$work" --no-same-owner
for file in "${missing[@]}"; do
	[ -f "$work/${file%:*}" ] || die "the archive holds no ${file%:*}"
	mv "$work/${file%:*}" "$folder/${file#*:}"
	echo "$folder/${file#*:}"
done
rm -f "$partial"
