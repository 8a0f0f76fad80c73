/*
 * reference.h - the reference data of requests, fetched from Redis row by row: GET referenceBLOB:{id}, as AIBench does
 * for the servers that hold nothing but the model.
 *
 * Each slot has a connection of its own. Part of a driver instance, on its thread.
 */
#ifndef DRIVERS_REFERENCE_H
#define DRIVERS_REFERENCE_H

#include "drivers/driver.h"
#include "drivers/redis_transport.h"

struct reference;

/*
 * hosts: a comma list of host:port (slots take turns), each also redis://host:port; rediss:// for TLS with the options'
 * certificates; or the path of a Unix socket. Looks whether the first row's data are there, then connects all slots.
 */
int reference_open(struct reference **ret, const struct driver_config *cfg, const char *hosts,
		   struct error *err) MUST_CHECK;
void reference_close(struct reference *r);

/* Asks for row id's data. ERR_AGAIN: the slot's connection is being made again. */
int reference_fetch(struct reference *r, unsigned slot, uint64_t id, nsec_t sent);
/* The fetches that finished, without waiting; as redis_transport_poll. */
int reference_poll(struct reference *r, struct redis_finished *done, int max, struct error *err);
/* What a fetch without an error brought: reference_size bytes, valid until the slot's next fetch. */
const void *reference_data(const struct reference *r, unsigned slot);

const struct redis_transport *reference_transport(const struct reference *r);

#endif
