#!/usr/bin/env bash
# Makes the image-classification dataset OUTPUT_VISION_FILE_NAME: one tensor of 224 x 224 x 3 float32 for each photo, or
# VISION_IMAGE_REUSE_FACTOR random crops of it (seed DATA_SEED). INPUT_VISION_VAL_DIR is a folder of photos or of crops,
# or "synthetic"; without one: COCO's photos or their crops where datasets/vision/coco-2017-val has them, else synthetic
# photos. VISION_LIMIT: tensors at the most (default: all; of synthetic ones NUM_VISION_INFERENCES, but no more than COCO
# has photos: 5000, 3 GB).
set -euo pipefail
asked_for=${INPUT_VISION_VAL_DIR:-}
# shellcheck source=scripts/vision_common.sh
. "$(dirname "${BASH_SOURCE[0]}")/vision_common.sh"

find_main_program aibench_generate_data_vision
require_number DATA_SEED 0
require_number VISION_IMAGE_REUSE_FACTOR 1
require_number NUM_VISION_INFERENCES 1

input=$asked_for
for candidate in cropped-val2017 val2017; do
	folder=${AIBENCH_ROOT}/datasets/vision/coco-2017-val/$candidate
	if [ -z "$input" ] && [ -d "$folder" ]; then input=$folder; fi
done
if [ -z "$input" ]; then
	input=synthetic
	echo "No photos in datasets/vision/coco-2017-val (download_coco_2017.sh there fetches them): making synthetic ones"
fi
if [ "$input" = synthetic ]; then
	VISION_LIMIT=${VISION_LIMIT:-$((NUM_VISION_INFERENCES < 5000 ? NUM_VISION_INFERENCES : 5000))}
elif [ ! -d "$input" ]; then
	die "INPUT_VISION_VAL_DIR $input is no folder: name one of photos, or synthetic"
fi
if [ -n "${VISION_LIMIT:-}" ]; then require_number VISION_LIMIT 1; fi

mkdir -p "$(dirname "$OUTPUT_VISION_FILE_NAME")"
"$PROGRAM" \
	-input-val-dir="$input" \
	-output-file="$OUTPUT_VISION_FILE_NAME" \
	-random-seed="$DATA_SEED" \
	-re-use-factor="$VISION_IMAGE_REUSE_FACTOR" \
	-limit="${VISION_LIMIT:--1}"
echo "Data generated to file ${OUTPUT_VISION_FILE_NAME}"
