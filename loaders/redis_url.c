/*
 * redis_url.c - takes -redis-host apart.
 */
#include "loaders/redis_url.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/text.h"
#include "net/conn.h"

#define DATABASE_MAX 65535u

/* Undoes percent-encoding; a lone % stays what it is. NULL: out of memory, or %00. */
static char *decode(const char *text, size_t len)
{
	char *ret = malloc(len + 1), *p = ret;

	for (size_t i = 0; ret && i < len; i++) {
		*p = text[i];
		if (text[i] == '%' && len - i > 2 && hex_value(text[i + 1]) >= 0 && hex_value(text[i + 2]) >= 0) {
			*p = (char)(hex_value(text[i + 1]) << 4 | hex_value(text[i + 2]));
			i += 2;
		}
		if (*p++ == '\0') {
			free(ret);
			return NULL;
		}
	}
	if (ret)
		*p = '\0';
	return ret;
}

/* [user]:password or, as redis-cli reads it, the user alone. */
static int parse_credentials(struct redis_url *u, const char *text, size_t len, struct error *err)
{
	const char *colon = memchr(text, ':', len);
	size_t user_len = colon ? (size_t)(colon - text) : len;

	if (user_len > 0) {
		u->user = decode(text, user_len);
		if (!u->user)
			return error_set(err, ERR_USAGE, "-redis-host: bad user name before the @");
	}
	if (colon) {
		u->password = decode(colon + 1, len - user_len - 1);
		if (!u->password)
			return error_set(err, ERR_USAGE, "-redis-host: bad password before the @");
	}
	return 0;
}

static int parse_database(struct redis_url *u, const char *text, struct error *err)
{
	unsigned value = 0;

	for (const char *p = text; *p; p++) {
		if (*p < '0' || *p > '9')
			return error_set(err, ERR_USAGE, "-redis-host: the database \"%s\" is not a number", text);
		value = value * 10 + (unsigned)(*p - '0');
		if (value > DATABASE_MAX)
			return error_set(err, ERR_USAGE, "-redis-host: the database %s is out of range", text);
	}
	u->database = value;
	return 0;
}

static int parse_address(struct redis_url *u, const char *text, size_t len, struct error *err)
{
	struct error why = {""};
	char *address = strndup(text, len);
	int rc;

	if (!address)
		return error_set(err, ERR_NOMEM, "out of memory");
	rc = endpoint_parse(&u->host, &u->port, len > 0 ? address : "localhost", REDIS_PORT, &why);
	free(address);
	if (rc < 0)
		return error_set(err, rc == ERR_NOMEM ? ERR_NOMEM : ERR_USAGE, "-redis-host: %s", why.text);
	return 0;
}

int redis_url_parse(struct redis_url *ret, const char *text, struct error *err)
{
	struct redis_url u = {.port = REDIS_PORT};
	const char *at, *rest = text;
	size_t len;
	int rc = 0;

	if (strncasecmp(rest, "rediss://", 9) == 0) {
		u.tls = true;
		rest += 9;
	} else if (strncasecmp(rest, "redis://", 8) == 0) {
		rest += 8;
	} else if (strstr(rest, "://")) {
		return error_set(err, ERR_USAGE, "-redis-host: must be redis://…, rediss://… or host:port, not %.*s…",
				 (int)(strstr(rest, "://") - rest + 3), rest);
	}
	at = strrchr(rest, '@');
	if (at) {
		rc = parse_credentials(&u, rest, (size_t)(at - rest), err);
		rest = at + 1;
	}
	len = strcspn(rest, "/?");
	if (rc == 0 && rest[len] == '/')
		rc = parse_database(&u, rest + len + 1, err);
	else if (rc == 0 && rest[len] == '?')
		rc = error_set(err, ERR_USAGE, "-redis-host: parameters after ? are not known");
	if (rc == 0)
		rc = parse_address(&u, rest, len, err);
	if (rc < 0) {
		redis_url_release(&u);
		return rc;
	}
	*ret = u;
	return 0;
}

void redis_url_release(struct redis_url *u)
{
	free(u->host);
	free(u->user);
	free(u->password);
	*u = (struct redis_url){0};
}
