/*
 * http_multipart.h - the parts of a multipart/form-data body (RFC 7578, RFC 2046 5.1), as views of it.
 */
#ifndef SERVERS_MODEL_SERVER_HTTP_MULTIPART_H
#define SERVERS_MODEL_SERVER_HTTP_MULTIPART_H

#include <stddef.h>

#include "common/error.h"

#define MULTIPART_PARTS_MAX 16

struct multipart_part {
	const char *name; /* the form field's, as it stands in the header; not NUL-terminated */
	size_t name_len;
	const char *data; /* aligned to nothing */
	size_t len;
};

struct multipart {
	struct multipart_part parts[MULTIPART_PARTS_MAX];
	size_t nparts;
};

/*
 * content_type: the header's value with its boundary (NULL: there is none). The parts point into body. Errors:
 * ERR_UNSUPPORTED where the type is no multipart/form-data, ERR_FORMAT, also for two parts of one name, ERR_RANGE for too
 * many parts.
 */
int multipart_parse(struct multipart *ret, const char *content_type, const char *body, size_t len,
		    struct error *err) MUST_CHECK;
/* The part of that name, or NULL. */
const struct multipart_part *multipart_find(const struct multipart *m, const char *name);

#endif
