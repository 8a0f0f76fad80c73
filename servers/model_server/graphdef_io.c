/*
 * graphdef_io.c - placeholders, and nodes that nothing takes.
 */
#include "servers/model_server/graphdef_io.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "common/arith.h"
#include "proto/tensorflow.pb-c.h"

static int add_name(char ***list, size_t *n, const char *name, size_t len)
{
	char **grown = realloc(*list, (*n + 1) * sizeof(char *));

	if (!grown)
		return ERR_NOMEM;
	*list = grown;
	grown[*n] = strndup(name, len);
	if (!grown[*n])
		return ERR_NOMEM;
	(*n)++;
	return 0;
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The node's name of "^node" or "node:1", cut in place. */
static char *node_of(char *input)
{
	char *colon = strrchr(input, ':');

	if (colon)
		*colon = '\0';
	return input[0] == '^' ? input + 1 : input;
}

/* Every name that some node takes, sorted. */
static int collect_taken(const Tensorflow__GraphDef *def, char ***ret, size_t *ret_n)
{
	size_t n = 0, at = 0;
	char **taken;

	for (size_t i = 0; i < def->n_node; i++)
		n += def->node[i]->n_input;
	taken = calloc(n + 1, sizeof(char *));
	if (!taken)
		return ERR_NOMEM;
	for (size_t i = 0; i < def->n_node; i++) {
		for (size_t k = 0; k < def->node[i]->n_input; k++)
			taken[at++] = node_of(def->node[i]->input[k]);
	}
	qsort(taken, n, sizeof(char *), compare_names);
	*ret = taken;
	*ret_n = n;
	return 0;
}

static bool is_no_output(const char *op)
{
	static const char *const ops[] = {"Const",  "NoOp",       "Assert",     "Placeholder",
					  "SaveV2", "VariableV2", "VarHandleOp"};

	for (size_t i = 0; i < ARRAY_LEN(ops); i++) {
		if (strcmp(op, ops[i]) == 0)
			return true;
	}
	return false;
}

int graphdef_io_find(struct graphdef_io *ret, const void *blob, size_t len, struct error *err)
{
	Tensorflow__GraphDef *def = tensorflow__graph_def__unpack(NULL, len, blob);
	struct graphdef_io io = {0};
	char **taken = NULL;
	size_t ntaken = 0;
	int r;

	if (!def)
		return error_set(err, ERR_FORMAT, "this is no GraphDef");
	r = collect_taken(def, &taken, &ntaken);
	for (size_t i = 0; i < def->n_node && r == 0; i++) {
		const Tensorflow__NodeDef *n = def->node[i];

		if (strcmp(n->op, "Placeholder") == 0)
			r = add_name(&io.inputs, &io.ninputs, n->name, strlen(n->name));
		else if (!is_no_output(n->op) && !bsearch(&n->name, taken, ntaken, sizeof(char *), compare_names))
			r = add_name(&io.outputs, &io.noutputs, n->name, strlen(n->name));
	}
	if (r == 0 && io.noutputs == 0)
		r = error_set(err, ERR_FORMAT, "every node of the graph is taken by another: name its outputs");
	else if (r < 0)
		error_set(err, ERR_NOMEM, "%s", error_message(r));
	free(taken);
	tensorflow__graph_def__free_unpacked(def, NULL);
	if (r < 0)
		graphdef_io_release(&io);
	else
		*ret = io;
	return r;
}

static void free_names(char **names, size_t n)
{
	for (size_t i = 0; i < n; i++)
		free(names[i]);
	free(names);
}

int graphdef_io_split(char ***ret, size_t *ret_n, const char *words, struct error *err)
{
	char **names = NULL;
	size_t n = 0;

	for (const char *at = words;; at++) {
		size_t len = strcspn(at, "+");
		int r = len ? add_name(&names, &n, at, len) : ERR_USAGE;

		if (r < 0) {
			free_names(names, n);
			return error_set(err, (enum error_code)r, "%s: must be tensors with a + between them", words);
		}
		at += len;
		if (!*at)
			break;
	}
	*ret = names;
	*ret_n = n;
	return 0;
}

void graphdef_io_release(struct graphdef_io *io)
{
	free_names(io->inputs, io->ninputs);
	free_names(io->outputs, io->noutputs);
	memset(io, 0, sizeof(*io));
}
