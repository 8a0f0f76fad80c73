/*
 * vision_model.h - a small image classifier and images for it, with the right answers computed here.
 */
#ifndef TESTS_E2E_VISION_MODEL_H
#define TESTS_E2E_VISION_MODEL_H

#include <stddef.h>

#define VISION_TEST_CLASSES 10
#define VISION_TEST_INPUT "input"
#define VISION_TEST_OUTPUT "MobilenetV1/Predictions/Reshape_1"

/* A frozen GraphDef: the mean of each channel, a matrix product, softmax. As any batch or, batch above 0, that one. */
void write_vision_model(const char *path, int batch);

/* n images, and in the second file the model's answers to them as float32. All n differ from each other. */
void write_vision_images(const char *path, const char *expected_path, unsigned n);

/* The golden photos, of which there are n, as the rows of a dataset. Only where test_data has them. */
void write_golden_images(const char *path, unsigned n);

#endif
