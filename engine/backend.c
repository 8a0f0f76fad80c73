/*
 * backend.c - finds the table of a backend in a shared library.
 */
#include "engine/backend.h"

#include <dlfcn.h>
#include <stdbool.h>
#include <string.h>

static bool complete(const struct backend_ops *o)
{
	bool models = o->model_load && o->model_free && o->model_memory && o->model_ninputs && o->model_noutputs &&
		      o->model_input && o->model_output && o->context_new && o->context_free && o->run;
	bool scripts = o->script_load && o->script_run && o->script_free;

	return o->name && o->version && models && (scripts || (!o->script_load && !o->script_run && !o->script_free));
}

int backend_open(const struct backend_ops **ret, const char *path, const char *name, struct error *err)
{
	void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	const struct backend_ops *o;
	int r;

	if (!library)
		return error_set(err, ERR_NOT_FOUND, "%s", dlerror());
	o = dlsym(library, BACKEND_SYMBOL);
	if (!o)
		r = error_set(err, ERR_FORMAT, "%s has no symbol %s: it is no backend of aibench", path,
			      BACKEND_SYMBOL);
	else if (o->abi != BACKEND_ABI)
		r = error_set(err, ERR_UNSUPPORTED, "%s is built for version %u of the backend interface, this is %d",
			      path, o->abi, BACKEND_ABI);
	else if (!complete(o))
		r = error_set(err, ERR_FORMAT, "%s: its table of functions has gaps", path);
	else if (strcmp(o->name, name) != 0)
		r = error_set(err, ERR_INVALID, "%s is the backend %s, not %s", path, o->name, name);
	else
		r = 0;
	if (r < 0)
		dlclose(library);
	else
		*ret = o;
	return r;
}
