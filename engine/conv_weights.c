/*
 * conv_weights.c - constant weights and their layouts.
 */
#include "engine/conv_weights.h"

#include <pthread.h>
#include <stdlib.h>

/* More are made for each plan that wants them. */
#define LAYOUTS_MAX 4

struct conv_weights {
	const struct allocator *allocator;
	pthread_mutex_t lock; /* of what follows */
	struct {
		dnnl_memory_desc_t md;
		struct tensor *data;
	} layouts[LAYOUTS_MAX];
	unsigned n;
	bool original; /* layouts[0] is the model's constant */
};

int conv_weights_new(struct conv_weights **ret, struct tensor *constant, const dnnl_memory_desc_t *plain,
		     const struct allocator *a)
{
	struct conv_weights *w = calloc(1, sizeof(*w));

	if (w == NULL)
		return ERR_NOMEM;
	if (pthread_mutex_init(&w->lock, NULL) != 0) {
		free(w);
		return ERR_NOMEM;
	}
	w->allocator = a;
	w->layouts[0].md = *plain;
	w->layouts[0].data = tensor_ref(constant);
	w->n = 1;
	w->original = true;
	*ret = w;
	return 0;
}

void conv_weights_free(struct conv_weights *w)
{
	if (w == NULL)
		return;
	for (unsigned i = 0; i < w->n; i++)
		tensor_unref(w->layouts[i].data);
	pthread_mutex_destroy(&w->lock);
	free(w);
}

size_t conv_weights_memory(struct conv_weights *w)
{
	size_t total = 0;

	if (w == NULL)
		return 0;
	pthread_mutex_lock(&w->lock);
	for (unsigned i = 0; i < w->n; i++)
		total += tensor_memory(w->layouts[i].data);
	pthread_mutex_unlock(&w->lock);
	return sizeof(*w) + total;
}

static int convert(struct conv_weights *w, const dnnl_memory_desc_t *md, struct onednn *d, struct tensor **ret)
{
	size_t bytes = dnnl_memory_desc_get_size(md);
	int64_t dims[] = {(int64_t)((bytes + sizeof(float) - 1) / sizeof(float))};
	struct tensor *t;
	int r = tensor_new(&t, DTYPE_FLOAT, dims, 1, false, w->allocator);

	if (r < 0)
		return r;
	r = onednn_reorder(d, &w->layouts[0].md, w->layouts[0].data->data, md, t->data);
	if (r < 0) {
		tensor_unref(t);
		return r;
	}
	*ret = t;
	return 0;
}

static void keep(struct conv_weights *w, const dnnl_memory_desc_t *md, struct tensor *t)
{
	if (w->original) {
		tensor_unref(w->layouts[0].data);
		w->original = false;
		w->n = 0;
	} else if (w->n == LAYOUTS_MAX) {
		return;
	}
	w->layouts[w->n].md = *md;
	w->layouts[w->n++].data = tensor_ref(t);
}

int conv_weights_get(struct conv_weights *w, const dnnl_memory_desc_t *md, struct onednn *d, struct tensor **ret)
{
	struct tensor *t = NULL;
	int r = 0;

	pthread_mutex_lock(&w->lock);
	for (unsigned i = 0; i < w->n && t == NULL; i++) {
		if (dnnl_memory_desc_equal(&w->layouts[i].md, md))
			t = tensor_ref(w->layouts[i].data);
	}
	if (t == NULL) {
		r = convert(w, md, d, &t);
		if (r == 0)
			keep(w, md, t);
	}
	pthread_mutex_unlock(&w->lock);
	if (r == 0)
		*ret = t;
	return r;
}
