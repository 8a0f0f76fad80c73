/*
 * served_fraud.h - the fraud benchmark's files and a model server that has both of its models, for a whole test program.
 */
#ifndef TESTS_E2E_SERVED_FRAUD_H
#define TESTS_E2E_SERVED_FRAUD_H

#include "tests/support/model_server.h"

extern struct model_server server;
/* -model's value, to start the server again. */
extern char models[1200];

/* cmocka's set-up and tear-down of the group. */
int served_fraud_set_up(void **state);
int served_fraud_tear_down(void **state);

#endif
