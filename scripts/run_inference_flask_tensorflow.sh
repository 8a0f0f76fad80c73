#!/usr/bin/env bash
# The fraud benchmark against a plain REST server on MODELSERVER_HOST:RESTAPI_PORT, as AIBench's Flask with TensorFlow
# inside: a sweep as run_inference_redisai_fraud.sh makes it, posting to RESTAPI_REQUEST_URI. Reference data are in Redis
# as load_blobs_redis.sh puts them there. Leaves JSON_, RAW_ and HIST_ files in RESULTS_DIR.
set -euo pipefail
# shellcheck source=scripts/sweep_common.sh
. "$(dirname "${BASH_SOURCE[0]}")/sweep_common.sh"

RESTAPI_PORT=${RESTAPI_PORT:-8000}
RESTAPI_REQUEST_URI=${RESTAPI_REQUEST_URI:-/v2/predict}

# shellcheck disable=SC2317 # called by the sweep
server_options() {
	SERVER_OPTIONS=(-restapi-host="${MODELSERVER_HOST}:${RESTAPI_PORT}"
		-restapi-request-uri="$RESTAPI_REQUEST_URI"
		-redis-host="${DATABASE_HOST}:${DATABASE_PORT}")
}

find_main_program aibench_run_inference_flask_tensorflow
check_sweep
require_reference_data
sweep_fraud "$(named flask_tensorflow "$RESTAPI_REQUEST_URI" /v2/predict)"
