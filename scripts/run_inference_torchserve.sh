#!/usr/bin/env bash
# The fraud benchmark against TorchServe on MODELSERVER_HOST:TORCHSERVE_PORT: a sweep as run_inference_redisai_fraud.sh
# makes it. TORCHSERVE_MODEL takes reference data, TORCHSERVE_MODEL_NOREFERENCE none. Reference data are in Redis as
# load_blobs_redis.sh puts them there. TORCHSERVE_METRICS_HOST is the host:port of the server's metrics (empty: port 8082). Leaves JSON_, RAW_ and HIST_ files in RESULTS_DIR.
set -euo pipefail
# shellcheck source=scripts/sweep_common.sh
. "$(dirname "${BASH_SOURCE[0]}")/sweep_common.sh"

TORCHSERVE_PORT=${TORCHSERVE_PORT:-8080}
TORCHSERVE_METRICS_HOST=${TORCHSERVE_METRICS_HOST:-}
MODEL_NAME=${TORCHSERVE_MODEL:-financial}
MODEL_NAME_NOREFERENCE=${TORCHSERVE_MODEL_NOREFERENCE:-financialNet_NoReference}

# shellcheck disable=SC2317 # called by the sweep
server_options() {
	SERVER_OPTIONS=(-torchserve-host="${MODELSERVER_HOST}:${TORCHSERVE_PORT}"
		-torchserve-request-uri="/predictions/$1"
		-metrics-host="$TORCHSERVE_METRICS_HOST" -redis-host="${DATABASE_HOST}:${DATABASE_PORT}")
}

find_main_program aibench_run_inference_torchserve
check_sweep
require_reference_data
sweep_fraud torchserve
