#!/usr/bin/env bash
# Prepares COCO val2017 as AIBench does: downloads it where it is missing, then leaves the crops, one or more a photo, as
# PNG in VISION_DATA_DIR/cropped-val2017 (INPUT_VISION_VAL_DIR of scripts/generate_data_vision.sh).
# Variables: VISION_DATA_DIR (beside this script), VISION_IMAGE_REUSE_FACTOR (1), DATA_SEED (12345), EXE_FILE_NAME (the
# program), and those of download_coco_2017.sh.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
folder=${VISION_DATA_DIR:-$here}
crops=$folder/cropped-val2017

die() {
	echo "prepare_coco_2017: $*" >&2
	exit 1
}

program=${EXE_FILE_NAME:-$(command -v aibench_generate_data_vision || echo "$here/../../../bin/aibench_generate_data_vision")}
[ -x "$program" ] || die "$program is not built; please run: make generators"
if [ -d "$crops" ]; then
	echo "$crops is there already"
	exit 0
fi
VISION_DATA_DIR=$folder "$here/download_coco_2017.sh"
rm -rf "$crops.unfinished"
"$program" \
	-input-val-dir="$folder/val2017" \
	-output-val-dir="$crops.unfinished" \
	-output-file=/dev/null \
	-random-seed="${DATA_SEED:-12345}" \
	-re-use-factor="${VISION_IMAGE_REUSE_FACTOR:-1}"
mv "$crops.unfinished" "$crops"
echo "Crops in $crops"
