/*
 * info.h - the module's sections of INFO MODULES.
 */
#ifndef SERVERS_REDISAI_INFO_H
#define SERVERS_REDISAI_INFO_H

#include "servers/redisai/redis_api.h"

void info_sections(struct RedisModuleInfoCtx *info, int for_crash_report);

#endif
