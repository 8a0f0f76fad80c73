/*
 * null.h - a server that answers at once: what is measured with it is the tool itself.
 */
#ifndef DRIVERS_NULL_H
#define DRIVERS_NULL_H

#include "drivers/driver.h"

extern const struct driver_ops driver_null;

#endif
