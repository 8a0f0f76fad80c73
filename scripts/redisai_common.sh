#!/usr/bin/env bash
# Variables and functions shared by the scripts; sourced, not run. Every variable is taken from the environment and
# has AIBench's name and default; datasets/README.md and results/README.md say what the files are.
# shellcheck disable=SC2034 # the variables are read by the scripts that source this file

AIBENCH_ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

# Servers. DATABASE_USER and the environment's REDISCLI_AUTH are for a Redis that wants AUTH.
DATABASE_HOST=${DATABASE_HOST:-127.0.0.1}
DATABASE_PORT=${DATABASE_PORT:-6379}
DATABASE_USER=${DATABASE_USER:-}
MODELSERVER_HOST=${MODELSERVER_HOST:-127.0.0.1}
TRITON_PORT=${TRITON_PORT:-8001}

# Models. MODEL_FILE (with reference data) and MODEL_FILE_NOREFERENCE name frozen TensorFlow graphs; without them the
# nets are generated from DATA_SEED. BATCHSIZE is the server's auto-batching, TENSOR_BATCHSIZE the rows a request.
BACKEND=${BACKEND:-TF}
DEVICE=${DEVICE:-cpu}
MODEL_NAME=${MODEL_NAME:-financialNet}
MODEL_NAME_NOREFERENCE=${MODEL_NAME_NOREFERENCE:-financialNet_NoReference}
MODEL_FILE=${MODEL_FILE:-}
MODEL_FILE_NOREFERENCE=${MODEL_FILE_NOREFERENCE:-}
SETUP_MODEL=${SETUP_MODEL:-true}
VISION_MODEL_NAME=${VISION_MODEL_NAME:-mobilenet_v1_100_224_${DEVICE}}
BATCHSIZE=${BATCHSIZE:-0}
MIN_BATCHSIZE=${MIN_BATCHSIZE:-0}
BATCHSIZE_STEP=${BATCHSIZE_STEP:-10}
MAX_BATCHSIZE=${MAX_BATCHSIZE:-50}
TENSOR_BATCHSIZE=${TENSOR_BATCHSIZE:-1}
MIN_TENSOR_BATCHSIZE=${MIN_TENSOR_BATCHSIZE:-0}
TENSOR_BATCHSIZE_STEP=${TENSOR_BATCHSIZE_STEP:-10}
MAX_TENSOR_BATCHSIZE=${MAX_TENSOR_BATCHSIZE:-50}

# Data.
DATA_SEED=${DATA_SEED:-12345}
BULK_DATA_DIR=${BULK_DATA_DIR:-/tmp/bulk_data}
DATA_FILE_NAME=${DATA_FILE_NAME:-aibench_generate_data-creditcard-fraud.dat}
DATA_FILE=${DATA_FILE:-${BULK_DATA_DIR}/${DATA_FILE_NAME}}
INPUT_VISION_VAL_DIR=${INPUT_VISION_VAL_DIR:-datasets/vision/coco-2017-val/cropped-val2017/.}
OUTPUT_VISION_FILE_NAME=${OUTPUT_VISION_FILE_NAME:-${BULK_DATA_DIR}/vision_tensors.out}
NUM_VISION_INFERENCES=${NUM_VISION_INFERENCES:-11000}
VISION_QUERIES_BURN_IN=${VISION_QUERIES_BURN_IN:-100}
VISION_IMAGE_REUSE_FACTOR=${VISION_IMAGE_REUSE_FACTOR:-1}

# Runs. MIN_CLIENTS 0 means 1; RATE_LIMIT is in inferences a second, 0 for no limit.
NUM_WORKERS=${NUM_WORKERS:-$(nproc 2>/dev/null || echo 16)}
NUM_INFERENCES=${NUM_INFERENCES:-1000000}
QUERIES_BURN_IN=${QUERIES_BURN_IN:-10000}
MIN_CLIENTS=${MIN_CLIENTS:-0}
CLIENTS_STEP=${CLIENTS_STEP:-10}
MAX_CLIENTS=${MAX_CLIENTS:-50}
RUNS_PER_VARIATION=${RUNS_PER_VARIATION:-3}
SLEEP_BETWEEN_RUNS=${SLEEP_BETWEEN_RUNS:-30}
RATE_LIMIT=${RATE_LIMIT:-0}
REDIS_PIPELINE_SIZE=${REDIS_PIPELINE_SIZE:-100}
PRINT_RESPONSES=${PRINT_RESPONSES:-false}
DEBUG=${DEBUG:-0}

# Results.
RESULTS_DIR=${RESULTS_DIR:-./results}
OUTPUT_NAME_SUFIX=${OUTPUT_NAME_SUFIX:-}

die() {
	echo "${0##*/}: $*" >&2
	exit 1
}

# find_program NAME: sets PROGRAM to its path. EXE_DIR, where set by the caller, wins; then PATH, then this project's
# bin/. The variable EXE_FILE_NAME is for the script's own main program: see find_main_program.
find_program() {
	local folder

	for folder in "${EXE_DIR:-}" "" "${AIBENCH_ROOT}/bin"; do
		if [ -z "$folder" ]; then
			PROGRAM=$(command -v "$1" 2>/dev/null) && return
		elif [ -x "$folder/$1" ] && [ ! -d "$folder/$1" ]; then
			PROGRAM=$folder/$1
			return
		fi
	done
	die "$1 not available: it is not in \$PATH and not in ${AIBENCH_ROOT}/bin; run make, or name it in EXE_FILE_NAME"
}

find_main_program() {
	if [ -n "${EXE_FILE_NAME:-}" ]; then
		PROGRAM=$(command -v "$EXE_FILE_NAME" 2>/dev/null) ||
			die "EXE_FILE_NAME: $EXE_FILE_NAME is not there or not executable"
	else
		find_program "$1"
	fi
}

# require_number NAME MIN: the variable NAME must hold a whole number of at least MIN.
require_number() {
	local value=${!1}

	if ! [[ "$value" =~ ^[0-9]{1,15}$ ]] || [ "$((10#$value))" -lt "$2" ]; then
		die "$1 must be a whole number of at least $2, not '$value'"
	fi
}

require_data_file() {
	[ -e "$DATA_FILE" ] || die "cannot find data file ${DATA_FILE}: ${DATA_FILE_ADVICE:-run generate_data.sh, or set DATA_FILE}"
	[ -r "$DATA_FILE" ] || die "cannot read data file ${DATA_FILE}: permission denied"
	[ ! -d "$DATA_FILE" ] || die "data file ${DATA_FILE} is a folder: ${DATA_FILE_ADVICE:-set DATA_FILE to a file}"
}

# redis WORD…: one command to the database. Errors are answered with status 1.
redis() {
	local auth=()

	[ -z "$DATABASE_USER" ] || auth=(--user "$DATABASE_USER" --no-auth-warning)
	redis-cli -e -h "$DATABASE_HOST" -p "$DATABASE_PORT" "${auth[@]}" "$@"
}

# Ends the script unless the database answers. Sets CLUSTER_MODE, where the caller did not, to what it says of itself.
require_redis() {
	local server="Redis at ${DATABASE_HOST}:${DATABASE_PORT}" answer

	command -v redis-cli >/dev/null || die "redis-cli is missing: install the package redis-tools"
	answer=$(redis PING 2>&1) || true
	case "$answer" in
	PONG) ;;
	*NOAUTH* | *WRONGPASS*)
		die "$server wants another password: set REDISCLI_AUTH (and DATABASE_USER if it is not the default user)"
		;;
	*) die "$server does not answer (${answer:-no reply}): start it, or set DATABASE_HOST and DATABASE_PORT" ;;
	esac
	if [ -z "${CLUSTER_MODE:-}" ]; then
		CLUSTER_MODE=false
		if redis INFO cluster 2>/dev/null | grep -q '^cluster_enabled:1'; then CLUSTER_MODE=true; fi
	fi
}

# The options by which our programs reach the database with AUTH; the password goes by REDISCLI_AUTH.
auth_options() {
	AUTH_OPTIONS=()
	[ -z "$DATABASE_USER" ] || AUTH_OPTIONS=(-user "$DATABASE_USER")
}

# store_fraud_model NAME FILE NET INPUTS OUTPUTS: FILE, or where it is empty the generated NET, becomes model NAME.
store_fraud_model() {
	local file=$2

	if [ -z "$file" ]; then
		mkdir -p "$BULK_DATA_DIR"
		file=${BULK_DATA_DIR}/$3.pb
		find_program aibench_generate_model
		"$PROGRAM" -model="$3" -seed="$DATA_SEED" -output-file="$file"
	fi
	[ -r "$file" ] || die "cannot read model file $file: check MODEL_FILE and MODEL_FILE_NOREFERENCE"
	find_program aibench_load_model
	auth_options
	"$PROGRAM" -redis-host="${DATABASE_HOST}:${DATABASE_PORT}" "${AUTH_OPTIONS[@]}" -cluster-mode="$CLUSTER_MODE" \
		-model="$1" -model-file="$file" -inputs="$4" -outputs="$5" -device="${DEVICE^^}" -batch-size="$BATCHSIZE"
}

# Both nets of the fraud benchmark: with reference data as MODEL_NAME, without as MODEL_NAME_NOREFERENCE.
setup_fraud_models() {
	[ "$BACKEND" = TF ] || die "BACKEND $BACKEND: the fraud nets are TensorFlow graphs; use BACKEND=TF"
	require_number BATCHSIZE 0
	store_fraud_model "$MODEL_NAME" "$MODEL_FILE" fraud transaction,reference output
	store_fraud_model "$MODEL_NAME_NOREFERENCE" "$MODEL_FILE_NOREFERENCE" fraud-noreference transaction out
}
