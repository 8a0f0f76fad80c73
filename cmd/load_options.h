/*
 * load_options.h - the options that the loaders of data and of models share.
 */
#ifndef CMD_LOAD_OPTIONS_H
#define CMD_LOAD_OPTIONS_H

#include "common/options.h"

#define REDIS_HOST_DEFAULT "redis://localhost:6379"

#define REDIS_HOST_OPTION(field) \
	{ \
		"redis-host", OPTION_SECRET, field, \
			"Redis as redis://[user:password@]host[:port][/database], rediss://… (TLS) or host:port; " \
			"none: " REDIS_HOST_DEFAULT ".", \
			0, 0 \
	}

#define CLUSTER_MODE_OPTION(field) \
	{ \
		"cluster-mode", OPTION_BOOL, field, \
			"Insist on asking whether the server is a cluster; one is recognised without, too.", 0, 0 \
	}

#endif
