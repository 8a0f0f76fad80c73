#!/usr/bin/env bash
# Loads the reference data of DATA_FILE into Redis as plain strings, for the model servers that keep only the model
# and fetch reference data from Redis.
set -euo pipefail
# shellcheck source=scripts/redisai_common.sh
. "$(dirname "${BASH_SOURCE[0]}")/redisai_common.sh"

find_main_program aibench_load_data
require_number NUM_WORKERS 1
require_number REDIS_PIPELINE_SIZE 1
require_data_file
require_redis

auth_options
"$PROGRAM" \
	-file="$DATA_FILE" \
	-redis-host="redis://${DATABASE_HOST}:${DATABASE_PORT}" "${AUTH_OPTIONS[@]}" \
	-cluster-mode="$CLUSTER_MODE" \
	-set-blob=true -set-tensor=false \
	-workers="$NUM_WORKERS" -pipeline="$REDIS_PIPELINE_SIZE" \
	-reporting-period=1000ms -debug="$DEBUG"

redis INFO commandstats
