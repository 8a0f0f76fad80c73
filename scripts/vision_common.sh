# shellcheck shell=bash
# What the scripts of the image-classification benchmark share; sourced. Beside the variables of redisai_common.sh:
# MODEL_FILE (the user's own MobileNet), MODELS_DIR (where fetch_models.sh leaves some), VISION_MODEL_INPUT and
# VISION_MODEL_OUTPUT (the net's nodes; BACKEND TF only).

# shellcheck source=scripts/redisai_common.sh
. "$(dirname "${BASH_SOURCE[0]}")/redisai_common.sh"

VISION_MODEL_INPUT=${VISION_MODEL_INPUT:-input}
VISION_MODEL_OUTPUT=${VISION_MODEL_OUTPUT:-MobilenetV1/Predictions/Reshape_1}
# shellcheck disable=SC2034 # for the scripts that source this file
VISION_TENSOR_BYTES=602112 # 224 x 224 x 3 float32

require_vision_data() {
	DATA_FILE=$OUTPUT_VISION_FILE_NAME
	[ -e "$DATA_FILE" ] ||
		die "cannot find data file ${DATA_FILE}: run make data-vision, or set OUTPUT_VISION_FILE_NAME"
	[ -r "$DATA_FILE" ] || die "cannot read data file ${DATA_FILE}: permission denied"
	[ -f "$DATA_FILE" ] || die "data file ${DATA_FILE} is no file: set OUTPUT_VISION_FILE_NAME to one"
	[ $(($(stat -L -c %s "$DATA_FILE") % VISION_TENSOR_BYTES)) -eq 0 ] ||
		die "data file ${DATA_FILE} was cut short: its size is no multiple of a tensor's ${VISION_TENSOR_BYTES} bytes"
}

# Sets MODEL_FILE: the user's, AIBench's where its tests/ folder is, the weights that were fetched, or else a MobileNet
# with weights made from DATA_SEED.
find_vision_model() {
	local format extension candidates=() candidate folder=${AIBENCH_ROOT}/tests/models

	case "$BACKEND" in
	TF)
		format=tensorflow extension=pb
		candidates+=("$folder/tensorflow/mobilenet/mobilenet_v1_100_224_${DEVICE}_NxHxWxC.pb")
		;;
	TFLITE)
		format=tflite extension=tflite
		candidates+=("$folder/tflite/mobilenet/mobilenet_v1_1.0_224.tflite")
		;;
	ONNX) format=onnx extension=onnx ;;
	*) die "BACKEND $BACKEND: must be TF, TFLITE or ONNX" ;;
	esac
	if [ -n "$MODEL_FILE" ]; then
		if [ ! -r "$MODEL_FILE" ] || [ ! -f "$MODEL_FILE" ]; then
			die "cannot read model file $MODEL_FILE: check MODEL_FILE"
		fi
		return
	fi
	candidates+=("${MODELS_DIR:-${AIBENCH_ROOT}/datasets/models}/mobilenet_v1_1.0_224.$extension")
	for candidate in "${candidates[@]}"; do
		if [ -r "$candidate" ]; then
			MODEL_FILE=$candidate
			return
		fi
	done
	mkdir -p "$BULK_DATA_DIR"
	MODEL_FILE=${BULK_DATA_DIR}/mobilenet_v1_1.0_224.$extension
	find_program aibench_generate_model
	echo "No MobileNet weights here (MODEL_FILE names some): generating the net from seed $DATA_SEED"
	"$PROGRAM" -model=mobilenet-v1 -format="$format" -seed="$DATA_SEED" -output-file="$MODEL_FILE" ||
		die "cannot generate a MobileNet for BACKEND $BACKEND: name a model with MODEL_FILE"
}

# store_vision_model: MODEL_FILE becomes VISION_MODEL_NAME on DEVICE with auto-batching of BATCHSIZE, on every shard.
store_vision_model() {
	local nodes=() batching=(-batch-size="$BATCHSIZE")

	if [ "$BACKEND" = TF ]; then
		nodes=(-inputs="$VISION_MODEL_INPUT" -outputs="$VISION_MODEL_OUTPUT")
	elif [ "$BACKEND" = TFLITE ]; then
		batching=() # RedisAI's TFLite backend has none
	fi
	find_program aibench_load_model
	auth_options
	"$PROGRAM" -redis-host="${DATABASE_HOST}:${DATABASE_PORT}" "${AUTH_OPTIONS[@]}" -cluster-mode="$CLUSTER_MODE" \
		-model="$VISION_MODEL_NAME" -model-file="$MODEL_FILE" -backend="$BACKEND" -device="${DEVICE^^}" \
		"${nodes[@]}" "${batching[@]}" || die "the model was not stored (why is above)"
}

# redis_everywhere WORD…: the command on the database, on a Cluster on every master.
redis_everywhere() {
	if [ "$CLUSTER_MODE" = true ]; then
		local auth=() answer

		[ -z "$DATABASE_USER" ] || auth=(--user "$DATABASE_USER" --no-auth-warning)
		answer=$(redis-cli --cluster call "${DATABASE_HOST}:${DATABASE_PORT}" "$@" --cluster-only-masters "${auth[@]}") ||
			die "$* on the Cluster failed: $answer"
	else
		redis "$@" >/dev/null || die "$* failed on Redis at ${DATABASE_HOST}:${DATABASE_PORT}"
	fi
}

# An empty database with fresh counters and the model: how each run starts.
reset_vision_server() {
	redis_everywhere FLUSHALL
	redis_everywhere MEMORY PURGE
	redis_everywhere CONFIG RESETSTAT
	store_vision_model
}
