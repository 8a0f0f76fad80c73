#!/usr/bin/env bash
# Stores the MobileNet V1 of the image-classification benchmark in RedisAI as VISION_MODEL_NAME, for DEVICE (cpu or gpu)
# and BACKEND (TF, TFLITE or ONNX), with auto-batching of up to BATCHSIZE requests (0: none).
set -euo pipefail
# shellcheck source=scripts/vision_common.sh
. "$(dirname "${BASH_SOURCE[0]}")/vision_common.sh"

require_number BATCHSIZE 0
require_redis
find_vision_model
echo "Using the ${BACKEND} backend for the inference."
if [ "$BACKEND" = TFLITE ] && [ "$BATCHSIZE" -ne 0 ]; then
	echo "Auto-batching is disabled for Tensorflow Lite: BATCHSIZE ${BATCHSIZE} has no effect"
fi
store_vision_model
