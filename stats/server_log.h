/*
 * server_log.h - the servers' counters of all periods, one row a counter, kept in a temporary file.
 *
 * A hundred counters a second would be 40 MB of memory an hour; a run's memory stays constant instead. The file has no
 * name any more and goes away with the process.
 */
#ifndef STATS_SERVER_LOG_H
#define STATS_SERVER_LOG_H

#include <stdio.h>

#include "common/clock.h"
#include "common/error.h"

/* Zero-initialise; the file is made with the first row. */
struct server_log {
	FILE *file;
};

void server_log_release(struct server_log *l);
/* wall is the same for all rows of one period, the rows of one server come together. ERR_IO. */
int server_log_add(struct server_log *l, nsec_t wall, const char *server, const char *key,
		   const char *value) MUST_CHECK;

/* One row; the texts are valid until the next one is read. */
struct server_stat {
	nsec_t wall;
	const char *server, *key, *value;
};

#define SERVER_LOG_FIELDS 4

struct server_log_reader {
	FILE *file; /* the log's */
	char *fields[SERVER_LOG_FIELDS];
	size_t capacities[SERVER_LOG_FIELDS];
};

/* Starts at the first row. Rows may be added again once reading has come to the end. */
void server_log_read(struct server_log_reader *r, const struct server_log *l);
/* 1 and the next row, 0 at the end, ERR_IO or ERR_NOMEM. */
int server_log_next(struct server_log_reader *r, struct server_stat *ret) MUST_CHECK;
void server_log_reader_release(struct server_log_reader *r);

#endif
