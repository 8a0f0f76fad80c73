/*
 * server_log.c - rows of counters in a temporary file: four NUL-terminated texts each.
 */
#include "stats/server_log.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

void server_log_release(struct server_log *l)
{
	if (l->file)
		fclose(l->file);
	*l = (struct server_log){0};
}

int server_log_add(struct server_log *l, nsec_t wall, const char *server, const char *key, const char *value)
{
	if (!l->file)
		l->file = tmpfile();
	if (!l->file)
		return ERR_IO;
	fprintf(l->file, "%" PRId64 "%c%s%c%s%c%s%c", wall, '\0', server, '\0', key, '\0', value, '\0');
	return ferror(l->file) ? ERR_IO : 0;
}

void server_log_read(struct server_log_reader *r, const struct server_log *l)
{
	*r = (struct server_log_reader){.file = l->file};
	if (r->file)
		rewind(r->file);
}

int server_log_next(struct server_log_reader *r, struct server_stat *ret)
{
	if (!r->file)
		return 0;
	for (int i = 0; i < SERVER_LOG_FIELDS; i++) {
		ssize_t n;

		errno = 0;
		n = getdelim(&r->fields[i], &r->capacities[i], '\0', r->file);
		if (n < 0 && i == 0 && feof(r->file))
			return 0;
		if (n < 0)
			return errno == ENOMEM ? ERR_NOMEM : ERR_IO;
	}
	ret->wall = strtoll(r->fields[0], NULL, 10);
	ret->server = r->fields[1];
	ret->key = r->fields[2];
	ret->value = r->fields[3];
	return 1;
}

void server_log_reader_release(struct server_log_reader *r)
{
	for (int i = 0; i < SERVER_LOG_FIELDS; i++)
		free(r->fields[i]);
	*r = (struct server_log_reader){0};
}
