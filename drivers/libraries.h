/*
 * libraries.h - the versions of the libraries that a program was linked with.
 */
#ifndef DRIVERS_LIBRARIES_H
#define DRIVERS_LIBRARIES_H

typedef void library_fn(void *arg, const char *name, const char *version);

/* Calls fn for each library that carries requests: those of this program only, whatever others use. */
void libraries_each(library_fn *fn, void *arg);

#endif
