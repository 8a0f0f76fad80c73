/*
 * tflite_reference.h - TFLite models in plain loops over doubles: slow, and easy to see to be right. It reads the file
 * with a few lines of its own that check nothing.
 *
 * 8-bit tensors are computed either with TFLite's rounding, written from its definition (a multiplier of 31 bits,
 * doubled high half, rounded shift), or as the real numbers that they stand for, rounded once at the end.
 */
#ifndef TESTS_ENGINE_TFLITE_REFERENCE_H
#define TESTS_ENGINE_TFLITE_REFERENCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define WALK_RANK 4

struct walk_tensor {
	const char *name;
	int type;
	int64_t dims[WALK_RANK];
	unsigned rank;
	size_t count;
	double *v; /* what is stored: integers as such */
	const uint8_t *steps, *zeros;
	uint32_t nsteps;
};

struct walk {
	const uint8_t *file;
	struct walk_tensor *tensors;
	size_t ntensors;
	bool real; /* 8-bit tensors as real numbers */
};

/* Reads the tensors; constants have their values. */
void walk_open(struct walk *w, const void *file, bool real);
void walk_close(struct walk *w);
/* Of the model: tensor numbers. */
int32_t walk_input(const struct walk *w, uint32_t i);
int32_t walk_output(const struct walk *w, uint32_t i);
/* Runs the operators once. Inputs are set in tensors[].v, which walk_open made. */
void walk_run(struct walk *w);

#endif
