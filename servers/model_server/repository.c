/*
 * repository.c - the table of what is served, and the thread that keeps it as the folders are.
 *
 * One lock guards the table. Only one thread changes it (repository_new, then the one that polls), so that it reads
 * without the lock; models are loaded and freed outside of it.
 */
#include "servers/model_server/repository.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/arith.h"
#include "common/number.h"
#include "servers/model_server/repository_config.h"
#include "servers/model_server/repository_scan.h"

struct version {
	char *name;
	int64_t number;
	struct served_model *model; /* NULL: it did not load */
	struct error error;         /* of the last attempt */
	uint64_t loaded;            /* fingerprint of the last attempt */
	uint64_t seen;              /* that of the last look */
	bool there;                 /* at the last look */
};

struct repository {
	pthread_rwlock_t lock;
	struct version *versions; /* by name, then number */
	size_t n;
	bool complete; /* everything that was configured is there */

	struct settings folders, models, inputs, outputs, aliases, labels, batch_size;
	nsec_t batch_timeout, poll_interval;
	struct queue *queue;
	void (*log)(void *arg, const char *line);
	void *log_arg;

	pthread_t thread;
	bool started;
	pthread_mutex_t stop_lock;
	pthread_cond_t stop_changed;
	bool stop;
};

const char *served_state_name(enum served_state s)
{
	switch (s) {
	case SERVED_LOADING:
		return "LOADING";
	case SERVED_AVAILABLE:
		return "AVAILABLE";
	case SERVED_UNLOADING:
		return "UNLOADING";
	case SERVED_END:
		break;
	}
	return "END";
}

static void PRINTF_LIKE(2, 3) say(struct repository *r, const char *fmt, ...)
{
	char line[ERROR_TEXT_MAX + 512];
	va_list args;

	if (!r->log)
		return;
	va_start(args, fmt);
	vsnprintf(line, sizeof(line), fmt, args);
	va_end(args);
	r->log(r->log_arg, line);
}

static int compare(const struct version *v, const char *name, int64_t number)
{
	int order = strcmp(v->name, name);

	return order ? order : (v->number > number) - (v->number < number);
}

/* --- changes --- */

static struct version *find_version(struct repository *r, const char *name, int64_t number)
{
	for (size_t i = 0; i < r->n; i++) {
		if (compare(&r->versions[i], name, number) == 0)
			return &r->versions[i];
	}
	return NULL;
}

static struct version *add_version(struct repository *r, const char *name, int64_t number)
{
	struct version v = {.name = strdup(name), .number = number}, *grown;
	size_t at = 0;

	if (!v.name)
		return NULL;
	pthread_rwlock_wrlock(&r->lock);
	grown = realloc(r->versions, (r->n + 1) * sizeof(*grown));
	if (!grown) {
		pthread_rwlock_unlock(&r->lock);
		free(v.name);
		return NULL;
	}
	r->versions = grown;
	while (at < r->n && compare(&grown[at], name, number) < 0)
		at++;
	memmove(&grown[at + 1], &grown[at], (r->n - at) * sizeof(*grown));
	grown[at] = v;
	r->n++;
	pthread_rwlock_unlock(&r->lock);
	return &grown[at];
}

static void remove_version(struct repository *r, struct version *v)
{
	size_t at = (size_t)(v - r->versions);
	struct version gone = *v;

	pthread_rwlock_wrlock(&r->lock);
	memmove(v, v + 1, (r->n - at - 1) * sizeof(*v));
	r->n--;
	pthread_rwlock_unlock(&r->lock);
	say(r, "unloaded %s version %" PRId64 ": it is gone from its folder", gone.name, gone.number);
	served_model_unref(gone.model);
	free(gone.name);
}

static bool batching_of(struct repository *r, const char *name, struct batching *ret)
{
	const char *value = settings_find(&r->batch_size, name, strlen(name));

	if (!value || number_parse_uint(&ret->size, value) < 0)
		return false;
	ret->min_size = r->batch_timeout ? ret->size : 0;
	ret->min_timeout = r->batch_timeout;
	return true;
}

static void load_version(struct repository *r, struct version *v, const struct found_version *f)
{
	struct batching batching = {0};
	struct model_source source = {
		.name = f->name,
		.version = f->version,
		.kind = f->kind,
		.path = f->path,
		.config = f->config,
		.inputs = settings_find(&r->inputs, f->name, strlen(f->name)),
		.outputs = settings_find(&r->outputs, f->name, strlen(f->name)),
		.queue = r->queue,
	};
	struct served_model *model = NULL, *old = NULL;
	struct error err = {""};
	int rc;

	source.batching = batching_of(r, f->name, &batching) ? &batching : NULL;
	rc = served_model_load(&model, &source, &err);
	if (rc < 0 && !err.text[0])
		error_set(&err, (enum error_code)rc, "%s", error_message(rc));
	pthread_rwlock_wrlock(&r->lock);
	v->loaded = f->fingerprint;
	v->error = err;
	if (model) {
		old = v->model;
		v->model = model;
	}
	pthread_rwlock_unlock(&r->lock);
	if (rc < 0)
		say(r, "cannot load %s version %" PRId64 " from %s: %s%s", f->name, f->version, f->path, err.text,
		    v->model ? " (the old one stays)" : "");
	else
		say(r, "%s %s version %" PRId64 " from %s", old ? "reloaded" : "loaded", f->name, f->version, f->path);
	served_model_unref(old);
}

/* What changed must look the same twice before it is loaded: it may still be being written. */
static void update_version(struct repository *r, const struct found_version *f, bool first)
{
	struct version *v = find_version(r, f->name, f->version);
	bool fresh = !v;

	if (fresh)
		v = add_version(r, f->name, f->version);
	if (!v)
		return;
	v->there = true;
	if (first || (!fresh && v->seen == f->fingerprint && v->loaded != f->fingerprint))
		load_version(r, v, f);
	v->seen = f->fingerprint;
}

/* Lines, each ended. */
static void say_lines(struct repository *r, const struct buf *lines)
{
	for (const char *at = lines->len ? lines->data : ""; *at; at += strcspn(at, "\n") + 1)
		say(r, "%.*s", (int)strcspn(at, "\n"), at);
}

static bool has_model(const struct repository *r, const char *name)
{
	for (size_t i = 0; i < r->n; i++) {
		if (strcmp(r->versions[i].name, name) == 0)
			return true;
	}
	return false;
}

/* What was configured for models that there are not: a slip, unless a folder may bring them later. */
static void say_strangers(struct repository *r)
{
	const struct {
		const struct settings *settings;
		const char *option;
		bool of_value, by_alias; /* the model is the value; an alias will do */
	} lists[] = {
		{&r->inputs, "inputs", false, false},         {&r->outputs, "outputs", false, false},
		{&r->aliases, "alias", true, false},          {&r->labels, "label", false, true},
		{&r->batch_size, "batch-size", false, false},
	};

	if (r->folders.n && r->poll_interval)
		return;
	for (size_t i = 0; i < ARRAY_LEN(lists); i++) {
		for (size_t k = 0; k < lists[i].settings->n; k++) {
			const struct setting *s = &lists[i].settings->list[k];
			const char *name = lists[i].of_value ? s->value : s->name;
			const char *real = lists[i].by_alias ? settings_find(&r->aliases, name, strlen(name)) : NULL;

			if (*name && !has_model(r, real ? real : name))
				say(r, "-%s %s: there is no such model", lists[i].option, name);
		}
	}
}

static void look(struct repository *r, bool first)
{
	struct scan s = {0};
	struct error err;
	bool complete = true;

	for (size_t i = 0; i < r->models.n; i++) {
		const struct setting *m = &r->models.list[i];
		int64_t version = 0;

		if (m->tag && number_parse_int(&version, m->tag) < 0)
			version = 0;
		if (scan_model(&s, m->name, version, m->value, &err) < 0) {
			complete = false;
			if (first)
				say(r, "cannot load %s: %s", m->name, err.text);
		}
	}
	for (size_t i = 0; i < r->folders.n; i++) {
		if (scan_folder(&s, r->folders.list[i].value, &err) < 0) {
			complete = false;
			if (first)
				say(r, "%s", err.text);
		}
	}
	if (first)
		say_lines(r, &s.notes);
	for (size_t i = 0; i < r->n; i++)
		r->versions[i].there = false;
	for (size_t i = 0; i < s.n; i++)
		update_version(r, &s.found[i], first);
	for (size_t i = r->n; i-- > 0;) {
		if (!r->versions[i].there)
			remove_version(r, &r->versions[i]);
	}
	scan_release(&s);
	pthread_rwlock_wrlock(&r->lock);
	r->complete = complete;
	pthread_rwlock_unlock(&r->lock);
}

static void *poll_main(void *arg)
{
	struct repository *r = arg;

	pthread_mutex_lock(&r->stop_lock);
	while (!r->stop) {
		nsec_t wake = clock_now() + r->poll_interval;
		struct timespec ts = {.tv_sec = wake / NSEC_PER_SEC, .tv_nsec = wake % NSEC_PER_SEC};

		if (pthread_cond_timedwait(&r->stop_changed, &r->stop_lock, &ts) == 0)
			continue;
		pthread_mutex_unlock(&r->stop_lock);
		look(r, false);
		pthread_mutex_lock(&r->stop_lock);
	}
	pthread_mutex_unlock(&r->stop_lock);
	return NULL;
}

/* --- life --- */

static int check_numbers(const struct settings *s, const char *option, bool of_tag, struct error *err)
{
	for (size_t i = 0; i < s->n; i++) {
		const char *text = of_tag ? s->list[i].tag : s->list[i].value;
		int64_t number;

		if (text && (number_parse_int(&number, text) < 0 || number < of_tag))
			return error_set(err, ERR_USAGE, "-%s: %s is no number that can stand there", option, text);
	}
	return 0;
}

static int parse_config(struct repository *r, const struct repository_config *cfg, struct error *err)
{
	const struct {
		struct settings *settings;
		const char *option, *words;
		bool plain;
	} lists[] = {
		{&r->folders, "model-repository", cfg->folders, true},
		{&r->models, "model", cfg->models, false},
		{&r->inputs, "inputs", cfg->inputs, false},
		{&r->outputs, "outputs", cfg->outputs, false},
		{&r->aliases, "alias", cfg->aliases, false},
		{&r->labels, "label", cfg->labels, false},
		{&r->batch_size, "batch-size", cfg->batch_size, true},
	};
	int rc = 0;

	for (size_t i = 0; i < ARRAY_LEN(lists) && rc == 0; i++) {
		rc = settings_parse(lists[i].settings, lists[i].option, lists[i].words, lists[i].plain, err);
		/* Folders have no names. */
		if (rc == 0 && lists[i].settings != &r->folders)
			rc = settings_check_once(lists[i].settings, lists[i].option, err);
	}
	if (rc == 0)
		rc = settings_resolve(&r->aliases, "alias", err);
	if (rc == 0)
		rc = check_numbers(&r->models, "model", true, err);
	if (rc == 0)
		rc = check_numbers(&r->labels, "label", false, err);
	if (rc == 0)
		rc = check_numbers(&r->batch_size, "batch-size", false, err);
	return rc;
}

int repository_new(struct repository **ret, const struct repository_config *cfg, struct error *err)
{
	struct repository *r = calloc(1, sizeof(*r));
	pthread_condattr_t attr;
	int rc;

	if (!r)
		return error_set(err, ERR_NOMEM, "%s", error_message(ERR_NOMEM));
	pthread_rwlock_init(&r->lock, NULL);
	pthread_mutex_init(&r->stop_lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&r->stop_changed, &attr);
	pthread_condattr_destroy(&attr);
	r->batch_timeout = cfg->batch_timeout;
	r->poll_interval = cfg->poll_interval;
	r->queue = cfg->queue;
	r->log = cfg->log;
	r->log_arg = cfg->log_arg;
	rc = parse_config(r, cfg, err);
	if (rc == 0) {
		look(r, true);
		say_strangers(r);
	}
	if (rc == 0 && r->poll_interval > 0) {
		rc = pthread_create(&r->thread, NULL, poll_main, r);
		r->started = rc == 0;
		if (rc)
			rc = error_set_errno(err, ERR_IO, rc, "cannot start the thread that watches the models");
	}
	if (rc < 0)
		repository_free(r);
	else
		*ret = r;
	return rc;
}

static void release_settings(struct repository *r)
{
	struct settings *lists[] = {&r->folders, &r->models, &r->inputs,    &r->outputs,
				    &r->aliases, &r->labels, &r->batch_size};

	for (size_t i = 0; i < ARRAY_LEN(lists); i++)
		settings_release(lists[i]);
}

void repository_free(struct repository *r)
{
	if (!r)
		return;
	pthread_mutex_lock(&r->stop_lock);
	r->stop = true;
	pthread_cond_signal(&r->stop_changed);
	pthread_mutex_unlock(&r->stop_lock);
	if (r->started)
		pthread_join(r->thread, NULL);
	for (size_t i = 0; i < r->n; i++) {
		served_model_unref(r->versions[i].model);
		free(r->versions[i].name);
	}
	free(r->versions);
	release_settings(r);
	pthread_cond_destroy(&r->stop_changed);
	pthread_mutex_destroy(&r->stop_lock);
	pthread_rwlock_destroy(&r->lock);
	free(r);
}

/* --- questions --- */

static void resolve_alias(const struct repository *r, const char **name, size_t *len)
{
	const char *real = r->aliases.n ? settings_find(&r->aliases, *name, *len) : NULL;

	if (real) {
		*name = real;
		*len = strlen(real);
	}
}

static bool has_name(const struct version *v, const char *name, size_t len)
{
	return strncmp(v->name, name, len) == 0 && v->name[len] == '\0';
}

static int not_found(const char *name, size_t len, int64_t version, enum dialect d, struct error *err)
{
	int shown = len < 256 ? (int)len : 255;

	if (d == DIALECT_TRITON && version)
		return error_set(err, ERR_NOT_FOUND,
				 "Request for unknown model: '%.*s' version %" PRId64 " is not found", shown, name,
				 version);
	if (d == DIALECT_TRITON)
		return error_set(err, ERR_NOT_FOUND, "Request for unknown model: '%.*s' is not found", shown, name);
	if (version)
		return error_set(err, ERR_NOT_FOUND, "Servable not found for request: Specific(%.*s, %" PRId64 ")",
				 shown, name, version);
	return error_set(err, ERR_NOT_FOUND, "Servable not found for request: Latest(%.*s)", shown, name);
}

int repository_acquire(struct served_model **ret, struct repository *r, const char *name, size_t len, int64_t version,
		       enum dialect d, struct error *err)
{
	const char *real = name;
	size_t real_len = len;
	struct served_model *m = NULL;

	resolve_alias(r, &real, &real_len);
	pthread_rwlock_rdlock(&r->lock);
	for (size_t i = r->n; i-- > 0 && !m;) {
		const struct version *v = &r->versions[i];

		if (v->model && (version == 0 || v->number == version) && has_name(v, real, real_len))
			m = served_model_ref(v->model);
	}
	pthread_rwlock_unlock(&r->lock);
	if (!m)
		return not_found(name, len, version, d, err);
	*ret = m;
	return 0;
}

int repository_label(int64_t *ret_version, struct repository *r, const char *name, size_t len, const char *label,
		     size_t label_len, struct error *err)
{
	const struct setting *s = NULL;
	char *given = strndup(name, len);

	if (!given)
		return error_set(err, ERR_NOMEM, "%s", error_message(ERR_NOMEM));
	s = settings_find_tag(&r->labels, given, label, label_len);
	if (!s) {
		resolve_alias(r, &name, &len);
		free(given);
		given = strndup(name, len);
		s = given ? settings_find_tag(&r->labels, given, label, label_len) : NULL;
	}
	free(given);
	if (!s || number_parse_int(ret_version, s->value) < 0)
		return error_set(err, ERR_INVALID, "Unrecognized servable version label: %.*s",
				 label_len < 256 ? (int)label_len : 255, label);
	return 0;
}

static void fill_entry(struct repository_entry *e, const struct version *v)
{
	snprintf(e->name, sizeof(e->name), "%s", v->name);
	e->version = v->number;
	e->state = v->model ? SERVED_AVAILABLE : v->error.text[0] ? SERVED_END : SERVED_LOADING;
	e->model = v->model ? served_model_ref(v->model) : NULL;
	e->error = v->error;
}

int repository_list(struct repository_entry **ret, size_t *ret_n, struct repository *r, const char *name, size_t len)
{
	struct repository_entry *entries;
	size_t n = 0;

	if (name)
		resolve_alias(r, &name, &len);
	pthread_rwlock_rdlock(&r->lock);
	entries = calloc(r->n + 1, sizeof(*entries));
	for (size_t i = 0; entries && i < r->n; i++) {
		if (!name || has_name(&r->versions[i], name, len))
			fill_entry(&entries[n++], &r->versions[i]);
	}
	pthread_rwlock_unlock(&r->lock);
	if (!entries)
		return ERR_NOMEM;
	*ret = entries;
	*ret_n = n;
	return 0;
}

void repository_list_free(struct repository_entry *entries, size_t n)
{
	for (size_t i = 0; i < n; i++)
		served_model_unref(entries[i].model);
	free(entries);
}

bool repository_ready(struct repository *r)
{
	bool ready;

	pthread_rwlock_rdlock(&r->lock);
	ready = r->complete;
	for (size_t i = 0; i < r->n; i++)
		ready = ready && (r->versions[i].model || !r->versions[i].error.text[0]);
	pthread_rwlock_unlock(&r->lock);
	return ready;
}
