/*
 * float_write.h - a float32 as the shortest decimal text that reads back to the same bits.
 *
 * Of the texts with the fewest digits it is the one nearest to the value (R. Giulietti, "The Schubfach way to render
 * doubles", 2020, for the smaller type).
 */
#ifndef COMMON_FLOAT_WRITE_H
#define COMMON_FLOAT_WRITE_H

#include <stddef.h>

#define FLOAT_TEXT_MAX 16

/*
 * Writes value, which is finite, at dst (no NUL) and returns how many bytes it took, FLOAT_TEXT_MAX at the most. The
 * text is a JSON number that shows itself to be no integer: "3.0", "-0.0", "0.00012", "1.5e-10".
 */
size_t float_write(char *dst, float value);

#endif
