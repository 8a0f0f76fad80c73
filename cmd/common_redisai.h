/*
 * common_redisai.h - what the programs that ask RedisAI say about a run.
 */
#ifndef CMD_COMMON_REDISAI_H
#define CMD_COMMON_REDISAI_H

#include "cmd/common_run.h"

/* A run_program's describe for the redisai driver. */
int redisai_describe(struct run_description *ret, const void *options, const struct run_config *cfg, struct error *err);

#endif
