/*
 * vision.h - the image-classification dataset's row, shared by who writes it and who sends it: one image of
 * 224 × 224 × 3 float32, height by width by channel, RGB, no header and no id.
 */
#ifndef WORKLOADS_VISION_H
#define WORKLOADS_VISION_H

#include "workloads/workload.h"

#define VISION_IMAGE_SIDE 224
#define VISION_IMAGE_CHANNELS 3
#define VISION_ROW_SIZE ((size_t)VISION_IMAGE_SIDE * VISION_IMAGE_SIDE * VISION_IMAGE_CHANNELS * sizeof(float))
#define VISION_CLASSES 1001 /* of MobileNet V1; other nets may have any number from 2 */

_Static_assert(VISION_ROW_SIZE == 602112, "AIBench's image tensor is 602112 bytes");

extern const struct workload_ops workload_vision;

#endif
