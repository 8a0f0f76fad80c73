/*
 * stamps.h - when the parts of one request happened, and how it ended. Drivers and runners fill it, stats/ records it.
 */
#ifndef COMMON_STAMPS_H
#define COMMON_STAMPS_H

#include "common/clock.h"

enum stage { STAGE_REFERENCE, STAGE_ENCODE, STAGE_SERVICE, STAGE_DECODE, STAGE_MAX };

/* Monotonic times. stage[s] is when stage s ended; 0: the request had no such stage, or it is not told apart. */
struct stamps {
	nsec_t intended; /* what the arrival process asked for; in a closed loop equal to sent */
	nsec_t ready;    /* when a worker was idle for it at the earliest; before intended: there was one at its time */
	nsec_t sent;     /* the first stage's first byte was handed to the kernel or library */
	nsec_t received; /* the last byte of the last reply was parsed */
	nsec_t stage[STAGE_MAX];
};

enum outcome { OUTCOME_OK, OUTCOME_WRONG, OUTCOME_ERROR, OUTCOME_TIMEOUT, OUTCOME_MAX };

#endif
