/*
 * answers_format.h - the first bytes of an answers file, private to those who read and write it: see answers.h.
 */
#ifndef WORKLOADS_ANSWERS_FORMAT_H
#define WORKLOADS_ANSWERS_FORMAT_H

#include <stdint.h>

#define ANSWERS_MAGIC "aibansw\n"
#define ANSWERS_MAGIC_SIZE 8
#define ANSWERS_VERSION 1
#define ANSWERS_ALIGNMENT 8 /* of the values */

/* As it lies in the file, on the little-endian machines that aibench is for. */
struct answers_header {
	char magic[ANSWERS_MAGIC_SIZE];
	uint32_t version, values;
	uint64_t first_id, rows, row_size, checksum;
	char use_case[64], made[400];
};

_Static_assert(sizeof(struct answers_header) == 512, "the header of an answers file is 512 bytes");
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "answers files are little endian");

#endif
