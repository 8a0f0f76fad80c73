#include "tests/e2e/served_fraud.h"

#include <signal.h>
#include <stdio.h>

#include "tests/e2e/e2e.h"

struct model_server server;
char models[1200];

int served_fraud_set_up(void **state)
{
	fraud_files_set_up(state);
	snprintf(models, sizeof(models), "financialNet=%s,financialNet_NoReference=%s", files.model,
		 files.model_noreference);
	model_server_start(&server, WORDS("-model", models));
	return 0;
}

int served_fraud_tear_down(void **state)
{
	model_server_stop(&server, SIGTERM);
	return fraud_files_tear_down(state);
}
