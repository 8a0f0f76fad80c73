#!/usr/bin/env bash
# The fraud benchmark against TensorFlow Serving, gRPC on MODELSERVER_HOST:TFX_PORT (TFX_PROTOCOL=rest: its REST port): a
# sweep as run_inference_redisai_fraud.sh makes it. The server has both models in version TFX_MODEL_VERSION; reference
# data are in Redis as load_blobs_redis.sh puts them there. TFX_METRICS_HOST is the host:port of the server's metrics (empty:
# port 8501, over REST the port that is asked). Leaves JSON_, RAW_ and HIST_ files in RESULTS_DIR.
set -euo pipefail
# shellcheck source=scripts/sweep_common.sh
. "$(dirname "${BASH_SOURCE[0]}")/sweep_common.sh"

TFX_PORT=${TFX_PORT:-8500}
TFX_PROTOCOL=${TFX_PROTOCOL:-grpc}
TFX_MODEL_VERSION=${TFX_MODEL_VERSION:-2}
TFX_METRICS_HOST=${TFX_METRICS_HOST:-}

# shellcheck disable=SC2317 # called by the sweep
server_options() {
	SERVER_OPTIONS=(-model="$1" -model-version="$TFX_MODEL_VERSION" -protocol="$TFX_PROTOCOL"
		-tensorflow-serving-host="${MODELSERVER_HOST}:${TFX_PORT}"
		-metrics-host="$TFX_METRICS_HOST" -redis-host="${DATABASE_HOST}:${DATABASE_PORT}")
}

find_main_program aibench_run_inference_tensorflow_serving
check_sweep
require_reference_data
sweep_fraud "$(named tensorflow_serving "$TFX_PROTOCOL" grpc)"
