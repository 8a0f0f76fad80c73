/*
 * http_framing.h - whether a request says in one way only where it ends and for whom it is (RFC 9112).
 *
 * libmicrohttpd (0.9.75) takes what is contradictory one way or the other. A proxy before it may take it the other way:
 * what one of them sees as a body is a request of its own to the other.
 */
#ifndef SERVERS_MODEL_SERVER_HTTP_FRAMING_H
#define SERVERS_MODEL_SERVER_HTTP_FRAMING_H

#include <stdbool.h>

struct MHD_Connection;

/* Looks at the headers that have come. What is wrong with them, a sentence, and the status for it; NULL: nothing. */
const char *http_framing_check(struct MHD_Connection *c, const char *version, unsigned *ret_status);
/* Whether percent-decoding would put a NUL byte, which ends a C string, into the path. */
bool http_path_has_nul(const char *uri);

#endif
