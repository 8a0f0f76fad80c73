/*
 * repository_scan.c - walks folders of models, of versions, and what is in a version.
 */
#include "servers/model_server/repository_scan.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "common/arith.h"

/* What a version's folder may hold, the first one found counts. "" is the folder itself. */
static const struct {
	const char *file, *model; /* the file that must be there; what is loaded */
	enum model_kind kind;
} layouts[] = {
	{"saved_model.pb", "", KIND_SAVED_MODEL},
	{"model.savedmodel/saved_model.pb", "model.savedmodel", KIND_SAVED_MODEL},
	{"model.graphdef", "model.graphdef", KIND_GRAPHDEF},
	{"model.onnx", "model.onnx", KIND_ONNX},
	{"model.tflite", "model.tflite", KIND_TFLITE},
};

static const struct {
	const char *suffix;
	enum model_kind kind;
} suffixes[] = {
	{".pb", KIND_GRAPHDEF},
	{".graphdef", KIND_GRAPHDEF},
	{".tflite", KIND_TFLITE},
	{".onnx", KIND_ONNX},
};

static char *join(const char *folder, const char *name)
{
	char *path = NULL;

	if (asprintf(&path, name[0] ? "%s/%s" : "%s%s", folder, name) < 0)
		return NULL;
	return path;
}

/* FNV-1a. */
static void mix(uint64_t *hash, const void *data, size_t len)
{
	const unsigned char *bytes = data;

	for (size_t i = 0; i < len; i++)
		*hash = (*hash ^ bytes[i]) * UINT64_C(0x100000001b3);
}

static bool mix_file(uint64_t *hash, const char *path)
{
	struct stat st;

	if (stat(path, &st) < 0)
		return false;
	mix(hash, path, strlen(path));
	mix(hash, &st.st_ino, sizeof(st.st_ino));
	mix(hash, &st.st_size, sizeof(st.st_size));
	mix(hash, &st.st_mtim.tv_sec, sizeof(st.st_mtim.tv_sec));
	mix(hash, &st.st_mtim.tv_nsec, sizeof(st.st_mtim.tv_nsec));
	return true;
}

static uint64_t fingerprint(const struct found_version *v)
{
	static const char *const saved[] = {"saved_model.pb", "variables/variables.index"};
	uint64_t hash = UINT64_C(0xcbf29ce484222325);

	if (v->kind != KIND_SAVED_MODEL)
		(void)mix_file(&hash, v->path);
	for (size_t i = 0; v->kind == KIND_SAVED_MODEL && i < ARRAY_LEN(saved); i++) {
		char *path = join(v->path, saved[i]);

		if (path)
			(void)mix_file(&hash, path);
		free(path);
	}
	if (v->config)
		(void)mix_file(&hash, v->config);
	return hash;
}

static bool is_file(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISREG(st.st_mode);
}

static bool is_folder(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

/* Takes path over. */
static int add(struct scan *s, const char *name, int64_t version, enum model_kind kind, char *path, const char *config)
{
	struct found_version v = {.version = version, .kind = kind, .path = path}, *grown;

	for (size_t i = 0; i < s->n; i++) {
		if (s->found[i].version == version && strcmp(s->found[i].name, name) == 0) {
			free(path);
			return 0;
		}
	}
	v.name = strdup(name);
	v.config = config ? strdup(config) : NULL;
	grown = realloc(s->found, (s->n + 1) * sizeof(*grown));
	if (grown)
		s->found = grown;
	if (!grown || !path || !v.name || (config && !v.config)) {
		free(v.name);
		free(v.config);
		free(path);
		return ERR_NOMEM;
	}
	v.fingerprint = fingerprint(&v);
	s->found[s->n++] = v;
	return 0;
}

/* 1 if the folder holds a model, 0 if it does not. */
static int scan_version(struct scan *s, const char *name, int64_t version, const char *folder, const char *config)
{
	for (size_t i = 0; i < ARRAY_LEN(layouts); i++) {
		char *file = join(folder, layouts[i].file);
		bool there = file && is_file(file);
		int r;

		free(file);
		if (!file)
			return ERR_NOMEM;
		if (!there)
			continue;
		r = add(s, name, version, layouts[i].kind, join(folder, layouts[i].model), config);
		return r < 0 ? r : 1;
	}
	return 0;
}

/* A positive number without anything else, or 0. */
static int64_t version_of(const char *name)
{
	char *end;
	long long version;

	if (name[strspn(name, "0123456789")])
		return 0;
	errno = 0;
	version = strtoll(name, &end, 10);
	return errno == 0 && end != name ? version : 0;
}

/* The versions of one model; how many there are. */
static int scan_versions(struct scan *s, const char *name, const char *folder)
{
	char *config = join(folder, "config.pbtxt");
	DIR *dir = opendir(folder);
	struct dirent *entry;
	int n = 0, r = config ? 0 : ERR_NOMEM;

	while (r >= 0 && dir && (entry = readdir(dir))) {
		int64_t version = version_of(entry->d_name);
		char *path = version ? join(folder, entry->d_name) : NULL;

		if (version)
			r = path ? scan_version(s, name, version, path, is_file(config) ? config : NULL) : ERR_NOMEM;
		free(path);
		n += r > 0;
	}
	if (dir)
		closedir(dir);
	free(config);
	return r < 0 ? r : n;
}

int scan_folder(struct scan *s, const char *folder, struct error *err)
{
	DIR *dir = opendir(folder);
	struct dirent *entry;
	size_t models = 0;
	int r = 0;

	if (!dir)
		return error_set_errno(err, ERR_IO, errno, "cannot read the model repository %s", folder);
	while (r >= 0 && (entry = readdir(dir))) {
		char *path;

		if (entry->d_name[0] == '.')
			continue;
		path = join(folder, entry->d_name);
		if (!path)
			r = ERR_NOMEM;
		else if (is_folder(path))
			r = scan_versions(s, entry->d_name, path);
		if (path && is_folder(path) && r == 0)
			buf_printf(&s->notes, "%s: there is no version with a model in it\n", path);
		models += r > 0;
		free(path);
	}
	closedir(dir);
	if (r >= 0 && models == 0)
		buf_printf(&s->notes, "%s: there is no model in it\n", folder);
	return r < 0 ? error_set(err, (enum error_code)r, "%s: %s", folder, error_message(r)) : 0;
}

static bool kind_of(const char *path, enum model_kind *ret)
{
	size_t len = strlen(path);

	for (size_t i = 0; i < ARRAY_LEN(suffixes); i++) {
		size_t n = strlen(suffixes[i].suffix);

		if (len > n && strcmp(path + len - n, suffixes[i].suffix) == 0) {
			*ret = suffixes[i].kind;
			return true;
		}
	}
	return false;
}

int scan_model(struct scan *s, const char *name, int64_t version, const char *path, struct error *err)
{
	enum model_kind kind;
	int r;

	if (is_folder(path)) {
		r = scan_version(s, name, version ? version : 1, path, NULL);
		if (r == 0 && version == 0)
			r = scan_versions(s, name, path);
		if (r == 0)
			return error_set(err, ERR_NOT_FOUND, "%s: there is no saved_model.pb in it and no version",
					 path);
	} else {
		if (!is_file(path))
			return error_set(err, ERR_NOT_FOUND, "%s: there is no such file", path);
		if (!kind_of(path, &kind))
			return error_set(err, ERR_UNSUPPORTED,
					 "%s: must be a .pb, .graphdef, .tflite or .onnx file or a SavedModel's folder",
					 path);
		r = add(s, name, version ? version : 1, kind, strdup(path), NULL);
	}
	return r < 0 ? error_set(err, (enum error_code)r, "%s: %s", path, error_message(r)) : 0;
}

void scan_release(struct scan *s)
{
	for (size_t i = 0; i < s->n; i++) {
		free(s->found[i].name);
		free(s->found[i].path);
		free(s->found[i].config);
	}
	free(s->found);
	buf_release(&s->notes);
	memset(s, 0, sizeof(*s));
}
