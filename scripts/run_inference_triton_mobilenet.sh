#!/usr/bin/env bash
# The image benchmark against Triton on MODELSERVER_HOST:TRITON_PORT (TRITON_PROTOCOL=http: its HTTP port): for each worker
# count from MIN_CLIENTS to MAX_CLIENTS, RUNS_PER_VARIATION runs of requests of TENSOR_BATCHSIZE images. The server has the
# model VISION_MODEL_NAME. Leaves JSON_, RAW_ and HIST_ files in RESULTS_DIR.
set -euo pipefail
VISION_MODEL_NAME=${VISION_MODEL_NAME:-mobilenet_v1_100_224_NxHxWxC}
REFERENCE_DATA=false
NUM_INFERENCES=${NUM_VISION_INFERENCES:-11000}
QUERIES_BURN_IN=${VISION_QUERIES_BURN_IN:-100}
# shellcheck source=scripts/sweep_common.sh
. "$(dirname "${BASH_SOURCE[0]}")/sweep_common.sh"

DATA_FILE=$OUTPUT_VISION_FILE_NAME
DATA_FILE_ADVICE="run generate_data_vision.sh, or set OUTPUT_VISION_FILE_NAME"
TRITON_PROTOCOL=${TRITON_PROTOCOL:-grpc}

# shellcheck disable=SC2317 # called by the sweep
server_options() {
	SERVER_OPTIONS=(-model="$1" -protocol="$TRITON_PROTOCOL" -host="${MODELSERVER_HOST}:${TRITON_PORT}"
		-batch-size="$TENSOR_BATCHSIZE")
}

find_main_program aibench_run_inference_triton_vision
check_sweep
require_number TENSOR_BATCHSIZE 1
AUTH_OPTIONS=()
sweep_workers "$(named triton "$TRITON_PROTOCOL" grpc)_tensorbatchsize_${TENSOR_BATCHSIZE}" "$VISION_MODEL_NAME" false
