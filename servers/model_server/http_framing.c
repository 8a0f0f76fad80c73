/*
 * http_framing.c - one pass over the headers of a request, for those that say where it ends.
 */
#include "servers/model_server/http_framing.h"

#include <microhttpd.h>
#include <string.h>
#include <strings.h>

struct framing {
	const char *length; /* the first Content-Length; NULL: none */
	unsigned hosts, codings;
	unsigned status; /* 0: nothing is wrong yet */
	const char *problem;
};

static void blame(struct framing *f, unsigned status, const char *problem)
{
	if (f->status)
		return;
	f->status = status;
	f->problem = problem;
}

static enum MHD_Result look_at(void *arg, enum MHD_ValueKind kind, const char *name, const char *value)
{
	struct framing *f = arg;

	(void)kind;
	if (!value)
		value = "";
	if (strpbrk(name, " \t")) {
		blame(f, MHD_HTTP_BAD_REQUEST, "a header's name has a blank in it");
	} else if (!strcasecmp(name, MHD_HTTP_HEADER_CONTENT_LENGTH)) {
		if (f->length && strcmp(f->length, value) != 0)
			blame(f, MHD_HTTP_BAD_REQUEST, "two values of Content-Length");
		f->length = value;
	} else if (!strcasecmp(name, MHD_HTTP_HEADER_TRANSFER_ENCODING)) {
		f->codings++;
		if (strcasecmp(value, "chunked") != 0)
			blame(f, MHD_HTTP_NOT_IMPLEMENTED, "the only Transfer-Encoding supported is chunked");
	} else if (!strcasecmp(name, MHD_HTTP_HEADER_HOST)) {
		f->hosts++;
	}
	return MHD_YES;
}

const char *http_framing_check(struct MHD_Connection *c, const char *version, unsigned *ret_status)
{
	struct framing f = {0};

	MHD_get_connection_values(c, MHD_HEADER_KIND, look_at, &f);
	if (f.codings && f.length)
		blame(&f, MHD_HTTP_BAD_REQUEST, "both Content-Length and Transfer-Encoding");
	if (f.codings > 1)
		blame(&f, MHD_HTTP_BAD_REQUEST, "chunked twice");
	if (f.hosts > 1)
		blame(&f, MHD_HTTP_BAD_REQUEST, "more than one Host");
	if (f.hosts == 0 && strcmp(version, MHD_HTTP_VERSION_1_0) != 0)
		blame(&f, MHD_HTTP_BAD_REQUEST, "no Host");
	*ret_status = f.status;
	return f.problem;
}

bool http_path_has_nul(const char *uri)
{
	const char *nul = strstr(uri, "%00");

	return nul && nul < uri + strcspn(uri, "?");
}
