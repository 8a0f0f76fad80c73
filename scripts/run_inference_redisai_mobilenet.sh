#!/usr/bin/env bash
# AIBench's other name for run_inference_redisai_vision.sh.
exec "$(dirname "${BASH_SOURCE[0]}")/run_inference_redisai_vision.sh" "$@"
