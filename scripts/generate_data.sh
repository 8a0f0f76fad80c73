#!/usr/bin/env bash
# Generates the credit-card-fraud dataset, NUM_INFERENCES rows, into DATA_FILE: from Kaggle's CSV where it is, else
# synthetic. INPUT_FILE_NAME names another CSV (plain or .gz), or is "synthetic".
set -euo pipefail
# shellcheck source=scripts/redisai_common.sh
. "$(dirname "${BASH_SOURCE[0]}")/redisai_common.sh"

find_main_program aibench_generate_data
require_number NUM_INFERENCES 0
require_number DATA_SEED 0

if [ -z "${INPUT_FILE_NAME:-}" ]; then
	INPUT_FILE_NAME=synthetic
	for candidate in "${AIBENCH_ROOT}"/{datasets/creditcard-fraud,tests/data}/creditcard.csv{,.gz}; do
		if [ -f "$candidate" ]; then
			INPUT_FILE_NAME=$candidate
			break
		fi
	done
fi
if [ "$INPUT_FILE_NAME" = synthetic ]; then
	echo "No creditcard.csv in datasets/creditcard-fraud: generating synthetic transactions (see datasets/README.md)"
elif [ ! -r "$INPUT_FILE_NAME" ]; then
	die "cannot read INPUT_FILE_NAME ${INPUT_FILE_NAME}"
fi
[ -z "${TMP_FILE_NAME:-}" ] || echo "TMP_FILE_NAME is not needed: a compressed CSV is read as it is"

mkdir -p "$(dirname "$DATA_FILE")"
"$PROGRAM" \
	-use-case=creditcard-fraud \
	-input-file="$INPUT_FILE_NAME" \
	-max-transactions="$NUM_INFERENCES" \
	-seed="$DATA_SEED" \
	-debug="$DEBUG" \
	-output-file="$DATA_FILE"
echo "Data generated to file ${DATA_FILE}"
