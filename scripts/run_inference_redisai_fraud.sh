#!/usr/bin/env bash
# The fraud benchmark against RedisAI: for each worker count from MIN_CLIENTS to MAX_CLIENTS, RUNS_PER_VARIATION runs,
# without and with reference data (REFERENCE_DATA names which: "false true"). The model and the data are there
# already: load_tensors_redis.sh put them there. Leaves JSON_, RAW_ and HIST_ files in RESULTS_DIR.
set -euo pipefail
# shellcheck source=scripts/sweep_common.sh
. "$(dirname "${BASH_SOURCE[0]}")/sweep_common.sh"

# shellcheck disable=SC2317 # called by the sweep
server_options() {
	SERVER_OPTIONS=(-model="$1" -use-dag=true -cluster-mode="$CLUSTER_MODE"
		-host="$DATABASE_HOST" -port="$DATABASE_PORT")
}

find_main_program aibench_run_inference_redisai
check_sweep
require_redis
auth_options
sweep_fraud redisai
