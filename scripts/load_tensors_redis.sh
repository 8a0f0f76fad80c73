#!/usr/bin/env bash
# Sets up Redis for a RedisAI run of the fraud benchmark: stores both models (unless SETUP_MODEL=false) and loads the
# reference data of DATA_FILE as tensors.
set -euo pipefail
# shellcheck source=scripts/redisai_common.sh
. "$(dirname "${BASH_SOURCE[0]}")/redisai_common.sh"

find_main_program aibench_load_data
loader=$PROGRAM
require_number NUM_WORKERS 1
require_number REDIS_PIPELINE_SIZE 1
require_data_file
require_redis
if [ "$SETUP_MODEL" = true ]; then setup_fraud_models; fi

mkdir -p "$RESULTS_DIR"
suffix=${OUTPUT_NAME_SUFIX}_${NUM_WORKERS}_workers.txt
auth_options
"$loader" \
	-file="$DATA_FILE" \
	-redis-host="redis://${DATABASE_HOST}:${DATABASE_PORT}" "${AUTH_OPTIONS[@]}" \
	-cluster-mode="$CLUSTER_MODE" \
	-set-blob=false -set-tensor=true \
	-workers="$NUM_WORKERS" -pipeline="$REDIS_PIPELINE_SIZE" \
	-reporting-period=1000ms -debug="$DEBUG" \
	2>&1 | tee -i "${RESULTS_DIR}/redisai_load_tensors_${suffix}"

redis INFO commandstats | tee "${RESULTS_DIR}/redisai_load_tensors_commandstats_${suffix}"
