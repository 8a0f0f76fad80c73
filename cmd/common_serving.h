/*
 * common_serving.h - what the programs that ask TensorFlow Serving, Triton, TorchServe and plain REST servers have in
 * common: how they word a run.
 */
#ifndef CMD_COMMON_SERVING_H
#define CMD_COMMON_SERVING_H

#include "cmd/common_run.h"
#include "drivers/serving.h"

/* Begins the description: the heading "WHAT Query - MODEL" and the settings that all of them have. */
void serving_describe(struct run_description *ret, const char *what, const char *model,
		      const struct serving_options *options, const struct run_config *cfg);

/* The descriptions of the drivers; a run_program's describe. */
int tensorflow_serving_describe(struct run_description *ret, const void *options, const struct run_config *cfg,
				struct error *err);
int triton_describe(struct run_description *ret, const void *options, const struct run_config *cfg, struct error *err);
int torchserve_describe(struct run_description *ret, const void *options, const struct run_config *cfg,
			struct error *err);
int rest_describe(struct run_description *ret, const void *options, const struct run_config *cfg, struct error *err);

/* AIBench's names for -timeout, in the programs of HTTP servers. */
extern const struct option restapi_timeout[], torchserve_timeout[];
/* And its default of them for rows of data: a run_program's defaults. */
void http_defaults(struct run_options *run, struct conn_options *conn, void *driver);

#endif
