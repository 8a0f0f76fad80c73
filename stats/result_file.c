/*
 * result_file.c - JSON of a result into a struct result_file, everything checked on the way.
 */
#include "stats/result_file.h"

#include <inttypes.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/buf.h"
#include "common/file.h"

const char *const result_fact_names[RESULT_FACTS] = {
	"Program",
	"Version",
	"GitCommit",
	"UseCase",
	"TestDescription",
	"DBSpecificConfigs",
	"Workers",
	"TensorBatchSize",
	"Limit",
	"BurnIn",
	"Dataset.Bytes",
	"Dataset.HeadCRC32",
	"MetadataAutobatching",
	"Offered.Process",
	"Offered.Schedule",
	"Offered.Order",
	"Offered.WarmUpSeconds",
	"Offered.DurationSeconds",
	"Scenario.Name",
	"Scenario.Mode",
	"Audit.Spin",
	"Client.Threads",
	"Platform.CPUModel",
	"Platform.CPUsOnline",
	"Platform.CPUsAllowed",
	"Platform.Governor",
	"Platform.MemoryBytes",
	"Platform.CgroupCPUs",
	"Platform.Kernel",
};

/* What all of reading shares. */
struct reader {
	const char *path; /* for messages */
	struct error *err;
};

static int damaged(const struct reader *r, const char *member, const char *what)
{
	return error_set(r->err, ERR_FORMAT, "%s: \"%s\" %s", r->path, member, what);
}

static int no_memory(const struct reader *r)
{
	return error_set(r->err, ERR_NOMEM, "%s: out of memory", r->path);
}

/* A member by its path, "Platform.CPUModel"; NULL where there is none or null. */
static const json_t *member(const json_t *from, const char *path)
{
	char key[64];

	while (from && *path) {
		size_t len = strcspn(path, ".");

		if (len >= sizeof(key))
			return NULL;
		memcpy(key, path, len);
		key[len] = '\0';
		from = json_object_get(from, key);
		path += len + (path[len] == '.');
	}
	return json_is_null(from) ? NULL : from;
}

/* For showing: a file's texts keep to their line. */
static void blank_control_characters(char *text)
{
	for (char *p = text; *p; p++)
		*p = (unsigned char)*p < ' ' || *p == 0x7f ? ' ' : *p;
}

static int read_string(const struct reader *r, char **ret, const json_t *from, const char *path)
{
	const json_t *value = member(from, path);

	if (!value)
		return 0;
	if (!json_is_string(value))
		return damaged(r, path, "is no text");
	*ret = strdup(json_string_value(value));
	if (!*ret)
		return no_memory(r);
	blank_control_characters(*ret);
	return 0;
}

/* ret is left alone where the file has no such member, by this and by the next two. */
static int read_integer(const struct reader *r, int64_t *ret, const json_t *from, const char *path, int64_t min)
{
	const json_t *value = member(from, path);

	if (!value)
		return 0;
	if (!json_is_integer(value) || json_integer_value(value) < min)
		return damaged(r, path, min < 0 ? "is no whole number" : "is no count");
	*ret = json_integer_value(value);
	return 0;
}

static int read_count(const struct reader *r, uint64_t *ret, const json_t *from, const char *path)
{
	int64_t value = (int64_t)*ret;
	int e = read_integer(r, &value, from, path, 0);

	if (e == 0)
		*ret = (uint64_t)value;
	return e;
}

static int read_bool(const struct reader *r, bool *ret, const json_t *from, const char *path)
{
	const json_t *value = member(from, path);

	if (!value)
		return 0;
	if (!json_is_boolean(value))
		return damaged(r, path, "is neither true nor false");
	*ret = json_is_true(value);
	return 0;
}

/* An object of texts as one text, "model financialNet, protocol grpc". */
static int join_texts(const struct reader *r, char **ret, const json_t *object, const char *path)
{
	struct buf joined = {0};
	const char *key;
	const json_t *value;

	json_object_foreach((json_t *)object, key, value)
	{
		if (!json_is_string(value)) {
			buf_release(&joined);
			return damaged(r, path, "has a member that is no text");
		}
		buf_printf(&joined, "%s%s %s", joined.len > 0 ? ", " : "", key, json_string_value(value));
	}
	if (buf_append(&joined, "", 1) < 0 || joined.failed) {
		buf_release(&joined);
		return no_memory(r);
	}
	*ret = joined.data;
	blank_control_characters(*ret);
	return 0;
}

/* Any plain value, or object of texts, as a text. */
static int read_fact(const struct reader *r, char **ret, const json_t *root, const char *path)
{
	const json_t *value = member(root, path);
	char text[32];

	if (!value || json_is_string(value))
		return read_string(r, ret, root, path);
	if (json_is_object(value))
		return join_texts(r, ret, value, path);
	if (json_is_integer(value))
		snprintf(text, sizeof(text), "%" JSON_INTEGER_FORMAT, json_integer_value(value));
	else if (json_is_real(value))
		snprintf(text, sizeof(text), "%.12g", json_real_value(value));
	else if (json_is_boolean(value))
		snprintf(text, sizeof(text), "%s", json_is_true(value) ? "true" : "false");
	else
		return damaged(r, path, "is no plain value");
	*ret = strdup(text);
	return *ret ? 0 : no_memory(r);
}

static int read_arguments(const struct reader *r, struct result_file *f, const json_t *root)
{
	const json_t *words = member(root, "Arguments");
	size_t n = json_array_size(words);

	if (!words)
		return 0;
	if (!json_is_array(words))
		return damaged(r, "Arguments", "is no array");
	f->arguments = calloc(n + 1, sizeof(*f->arguments));
	if (!f->arguments)
		return no_memory(r);
	for (; f->narguments < n; f->narguments++) {
		const json_t *word = json_array_get(words, f->narguments);

		if (!json_is_string(word))
			return damaged(r, "Arguments", "has an element that is no text");
		f->arguments[f->narguments] = strdup(json_string_value(word));
		if (!f->arguments[f->narguments])
			return no_memory(r);
	}
	return 0;
}

static int read_rate(const struct reader *r, double *ret, const json_t *root)
{
	static const char path[] = "OverallRates.overallOpsRate";
	const json_t *value = member(root, path);

	if (!value) /* null: a run of no time at all */
		return 0;
	if (!json_is_number(value) || !(json_number_value(value) >= 0) || !isfinite(json_number_value(value)))
		return damaged(r, path, "is no rate");
	*ret = json_number_value(value);
	return 0;
}

static bool same_layout(const struct histogram *h)
{
	return h->lowest == HISTOGRAM_LATENCY_LOWEST && h->highest == HISTOGRAM_LATENCY_HIGHEST &&
	       h->digits == HISTOGRAM_LATENCY_DIGITS;
}

/* What the encoding does not hold stands beside it; both must agree. */
static int read_beside(const struct reader *r, struct histogram *h, const json_t *from)
{
	int64_t min = 0, max = 0;
	uint64_t count = 0;
	int e = read_count(r, &count, from, "Count");

	if (e == 0)
		e = read_count(r, &h->saturated, from, "Saturated");
	if (e == 0)
		e = read_integer(r, &min, from, "Min", 0);
	if (e == 0)
		e = read_integer(r, &max, from, "Max", 0);
	if (e < 0)
		return e;
	if (count != h->total || h->saturated > h->total)
		return damaged(r, "Histograms.Response", "has counts that are not those of its encoding");
	if (h->total == 0)
		return 0;
	if (min > h->highest || max > h->highest || histogram_index(h, min) != histogram_index(h, h->min) ||
	    histogram_index(h, max) != histogram_index(h, h->max) || min > max)
		return damaged(r, "Histograms.Response", "has a minimum or maximum that is not that of its encoding");
	h->min = min;
	h->max = max;
	return 0;
}

static int read_histogram(const struct reader *r, struct histogram *ret, const json_t *root)
{
	const json_t *from = member(root, "Histograms.Response"), *text = member(from, "EncodedHistogram");
	struct error why = {""};
	struct histogram h;
	int e;

	if (!json_is_string(text))
		return error_set(r->err, ERR_UNSUPPORTED,
				 "%s: no result of an aibench_run_inference program, or of one too old: it has no "
				 "histograms",
				 r->path);
	e = histogram_decode(&h, json_string_value(text), json_string_length(text), &why);
	if (e < 0)
		return error_set(r->err, (enum error_code)e, "%s: %s", r->path, why.text);
	if (!same_layout(&h))
		e = error_set(r->err, ERR_UNSUPPORTED, "%s: its histograms are not laid out as this version's are",
			      r->path);
	else
		e = read_beside(r, &h, from);
	if (e == 0)
		*ret = h;
	else
		histogram_release(&h);
	return e;
}

static int read_outcomes(const struct reader *r, struct result_file *f, const json_t *root)
{
	int e = read_count(r, &f->right, root, "Outcomes.Requests.OK");

	if (e == 0)
		e = read_count(r, &f->wrong, root, "Outcomes.Requests.Wrong");
	if (e == 0)
		e = read_count(r, &f->errors, root, "Outcomes.Requests.Error");
	if (e == 0)
		e = read_count(r, &f->timeouts, root, "Outcomes.Requests.Timeout");
	if (e == 0)
		e = read_count(r, &f->unanswered, root, "Outcomes.UnansweredRequests");
	if (e == 0)
		e = read_count(r, &f->unsent, root, "Offered.UnsentRequests");
	if (e == 0)
		e = read_bool(r, &f->interrupted, root, "Interrupted");
	if (e == 0)
		e = read_bool(r, &f->stopped_by_error, root, "StoppedByError");
	f->recorded = member(root, "Recording") != NULL;
	return e;
}

static int read_members(const struct reader *r, struct result_file *f, const json_t *root)
{
	int e = read_histogram(r, &f->response, root);

	for (size_t i = 0; e == 0 && i < RESULT_FACTS; i++)
		e = read_fact(r, &f->facts[i], root, result_fact_names[i]);
	if (e == 0)
		e = read_string(r, &f->program, root, "Program");
	if (e == 0 && !f->program)
		e = damaged(r, "Program", "is not there");
	if (e == 0)
		e = read_string(r, &f->command_line, root, "CommandLine");
	if (e == 0)
		e = read_arguments(r, f, root);
	if (e == 0)
		e = read_string(r, &f->verdict, root, "Audit.Verdict");
	if (e == 0)
		e = read_integer(r, &f->start, root, "StartTime", INT64_MIN);
	if (e == 0)
		e = read_rate(r, &f->rate, root);
	if (e == 0)
		e = read_outcomes(r, f, root);
	return e;
}

int result_file_parse(struct result_file *ret, const char *path, const char *text, size_t len, struct error *err)
{
	struct reader r = {path, err};
	struct result_file f = {.path = strdup(path)};
	json_error_t why;
	json_t *root;
	int e;

	if (!f.path)
		return no_memory(&r);
	root = json_loadb(text, len, JSON_REJECT_DUPLICATES, &why);
	if (!root)
		e = error_set(err, ERR_FORMAT, "%s: no JSON, line %d: %s", path, why.line, why.text);
	else
		e = read_members(&r, &f, root);
	json_decref(root);
	if (e == 0)
		*ret = f;
	else
		result_file_release(&f);
	return e;
}

int result_file_read(struct result_file *ret, const char *path, struct error *err)
{
	size_t len;
	char *text;
	int e = file_read(&text, &len, path, RESULT_FILE_MAX, err);

	if (e < 0)
		return e;
	e = result_file_parse(ret, path, text, len, err);
	free(text);
	return e;
}

void result_file_release(struct result_file *r)
{
	for (size_t i = 0; i < RESULT_FACTS; i++)
		free(r->facts[i]);
	for (size_t i = 0; i < r->narguments; i++)
		free(r->arguments[i]);
	free(r->arguments);
	free(r->path);
	free(r->program);
	free(r->command_line);
	free(r->verdict);
	histogram_release(&r->response);
	*r = (struct result_file){0};
}
