/*
 * repository_scan.h - what lies in the folders now: a list of versions with what they would be loaded from.
 */
#ifndef SERVERS_MODEL_SERVER_REPOSITORY_SCAN_H
#define SERVERS_MODEL_SERVER_REPOSITORY_SCAN_H

#include "common/buf.h"
#include "servers/model_server/served_model_load.h"

struct found_version {
	char *name;
	int64_t version;
	enum model_kind kind;
	char *path, *config;  /* as of struct model_source */
	uint64_t fingerprint; /* of names, sizes and times of the files: another one means that something changed */
};

struct scan {
	struct found_version *found; /* no version twice: the first one counts */
	size_t n;
	struct buf notes; /* lines about what holds nothing to be loaded */
};

/* Adds the models of a folder of models. ERR_IO: it cannot be read. */
int scan_folder(struct scan *s, const char *folder, struct error *err) MUST_CHECK;
/* Adds one model from a file, a SavedModel's folder or a folder of versions; version 0: 1, or that of its folder.
 * ERR_NOT_FOUND: there is nothing that could be loaded. */
int scan_model(struct scan *s, const char *name, int64_t version, const char *path, struct error *err) MUST_CHECK;
void scan_release(struct scan *s);

#endif
