/*
 * resp_template.h - Redis commands that are the same for every request but for a number in their keys and the payload:
 * formatted once, then only the digits are written.
 *
 * A template is built off the measuring path, from fixed arguments, keys that hold the request's id, and payloads that
 * stay where they are in the dataset. A scratch is one slot's text made from it; while ids keep their number of
 * digits, an encode copies the digits to their places and fills the iovecs, nothing else.
 */
#ifndef DRIVERS_RESP_TEMPLATE_H
#define DRIVERS_RESP_TEMPLATE_H

#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include "common/buf.h"
#include "common/error.h"
#include "workloads/workload.h"

#define RESP_TEMPLATE_PIECES 32
#define RESP_TEMPLATE_PAYLOADS WORKLOAD_INPUTS_MAX

enum resp_piece_type { RESP_PIECE_TEXT, RESP_PIECE_KEY, RESP_PIECE_PAYLOAD };

/* One stretch of the text, in order: literal bytes, a key, or the place where a payload goes in. */
struct resp_piece {
	enum resp_piece_type type;
	size_t start, len; /* within `literals`: the text; of a key what comes before the id */
	size_t after;      /* of a key: how many of the bytes behind those come after the id */
};

struct resp_template {
	struct buf literals;
	struct resp_piece pieces[RESP_TEMPLATE_PIECES];
	unsigned npieces, npayloads;
	unsigned nids;
	unsigned ncommands; /* replies to expect */
	size_t text_max;    /* bytes of text with the longest id */
};

/* Zero-initialise. Builders leave failures in literals.failed and too many pieces in npieces: resp_template_finish
 * judges once. */
void resp_template_command(struct resp_template *t, size_t nargs);
void resp_template_arg(struct resp_template *t, const char *text);
void resp_template_number(struct resp_template *t, uint64_t value);
/* An argument of before + id + after. */
void resp_template_key(struct resp_template *t, const char *before, const char *after);
/* An argument of size bytes that are given with each request: the n-th payload is payloads[n]. */
void resp_template_payload(struct resp_template *t, size_t size);
int resp_template_finish(struct resp_template *t) MUST_CHECK;
void resp_template_release(struct resp_template *t);

/* One slot's text, zero-initialised; text has room for text_max bytes of every template it is used with. */
struct resp_scratch {
	char *text;
	const struct resp_template *made_from;
	size_t digits;                           /* of the ids that the text has room for */
	size_t ids[RESP_TEMPLATE_PIECES];        /* where they are */
	size_t cuts[RESP_TEMPLATE_PAYLOADS + 2]; /* where the text is cut by payloads; first 0, last its end */
};

/* iovecs that one request may take: the text's parts, and a batch's rows each its own. */
size_t resp_template_iovecs(const struct resp_template *t, unsigned batch);
/* Fills iov for one request of `batch` rows and returns how many were used. Cannot fail. */
int resp_template_encode(const struct resp_template *t, struct resp_scratch *s, uint64_t id,
			 const struct view *payloads, unsigned batch, struct iovec *iov);

#endif
