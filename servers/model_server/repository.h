/*
 * repository.h - the models that are served, by name and version: loaded from folders and files, reloaded on change.
 *
 * Folders are laid out as TensorFlow Serving's (NAME/VERSION/saved_model.pb or model.tflite) or as Triton's
 * (NAME/config.pbtxt, NAME/VERSION/model.{graphdef,onnx,tflite}, model.savedmodel/); both may be mixed. All versions
 * are loaded, a request that names none gets the highest. Names may have aliases.
 *
 * All functions may be called from any thread.
 */
#ifndef SERVERS_MODEL_SERVER_REPOSITORY_H
#define SERVERS_MODEL_SERVER_REPOSITORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/clock.h"
#include "common/error.h"
#include "engine/queue.h"
#include "servers/model_server/served_model.h"

/* Whose words an error is told in. */
enum dialect { DIALECT_TENSORFLOW, DIALECT_TRITON };

/* TensorFlow Serving's ModelVersionStatus.State. */
enum served_state {
	SERVED_LOADING = 20,
	SERVED_AVAILABLE = 30,
	SERVED_UNLOADING = 40,
	SERVED_END = 50, /* gone, or it never loaded: the entry's error says why */
};
const char *served_state_name(enum served_state s); /* "AVAILABLE" */

struct repository;

struct repository_config {
	/* Each a list of words separated by commas; empty or NULL: none. */
	const char *folders; /* of models */
	/* NAME[:VERSION]=FILE, each once, the file a GraphDef, .tflite, .onnx or a SavedModel's folder */
	const char *models;
	const char *inputs; /* NAME=TENSOR+TENSOR…, of GraphDefs; not given: every placeholder, in the graph's order */
	const char *outputs; /* NAME=TENSOR+TENSOR…; not given: what no other node takes */
	const char *aliases; /* ALIAS=NAME, NAME that of a model or another alias */
	const char *labels;  /* NAME:LABEL=VERSION */
	/* SIZE or NAME=SIZE: requests are joined to batches of so many rows; 0: never. */
	const char *batch_size;
	nsec_t batch_timeout; /* how long a request waits for a batch to fill; 0: only what waits anyway is joined */
	nsec_t poll_interval; /* how often folders are looked at for changes; 0: never */
	struct queue *queue;  /* runs what is not quick; outlives the repository */
	void (*log)(void *arg, const char *line); /* what was loaded, replaced, unloaded, or why not; may be NULL */
	void *log_arg;
};

/* Loads everything once. A model that does not load is an entry with its error, not a failure; wrong words in the
 * configuration are one (ERR_USAGE). */
int repository_new(struct repository **ret, const struct repository_config *cfg, struct error *err) MUST_CHECK;
/* Requests under way keep their models. */
void repository_free(struct repository *r);

/*
 * The model of that name or alias (not NUL-terminated); version 0: the highest that is available. The caller owns
 * the reference. ERR_NOT_FOUND, with the text in the dialect's words.
 */
int repository_acquire(struct served_model **ret, struct repository *r, const char *name, size_t len, int64_t version,
		       enum dialect d, struct error *err) MUST_CHECK;
/* The version behind a label ("stable"), or ERR_INVALID, which TensorFlow Serving makes of a label that it does not
 * know. */
int repository_label(int64_t *ret_version, struct repository *r, const char *name, size_t len, const char *label,
		     size_t label_len, struct error *err) MUST_CHECK;

struct repository_entry {
	char name[256];
	int64_t version;
	enum served_state state;
	struct served_model *model; /* a reference; NULL unless AVAILABLE */
	struct error error;         /* empty: none */
};

/* The entries at this moment, by name (aliases not listed) and version; name NULL: all; a name that is not there
 * gives none. */
int repository_list(struct repository_entry **ret, size_t *ret_n, struct repository *r, const char *name,
		    size_t len) MUST_CHECK;
void repository_list_free(struct repository_entry *entries, size_t n);

/* Nothing that was configured is missing, and no version failed to load. */
bool repository_ready(struct repository *r);

#endif
