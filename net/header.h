/*
 * header.h - a header field of a request, as HTTP/1.1 and gRPC both send it.
 */
#ifndef NET_HEADER_H
#define NET_HEADER_H

struct call_header {
	const char *name, *value; /* names in lower case */
};

#endif
