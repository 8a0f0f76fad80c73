/*
 * op_matmul.c - matrix products, batched, with bias and activation fused in.
 *
 * Which kernel, measured on one core (Zen 4, AVX-512, oneDNN 2.6, our weights packed when the model is loaded; time of
 * oneDNN's sgemm divided by ours, so above 1 ours is faster):
 *
 *	   k x n      m = 1     4    16   100   1000
 *	  30 x   18    4.6   4.3   1.9   1.0   0.8
 *	  64 x   64    2.8   2.6   1.5   1.0   1.0
 *	 256 x  256    1.1   1.1   1.0   1.0   1.0
 *	 512 x  512    1.0   1.1   1.0   1.0   0.95
 *	1024 x 1024    1.2   1.4   1.1   0.95  0.94
 *	4096 x 1024    2.7   4.7   1.7   0.98  0.92
 *
 * Ours therefore runs every product with fewer than ONEDNN_ROWS rows, and all those with small weights, where a batch
 * then equals its rows run one by one bit for bit. oneDNN runs the rest, which is also where several threads help. A
 * b that is no constant would have to be packed in every run: there oneDNN takes over from ONEDNN_WORK on.
 */
#include <oneapi/dnnl/dnnl.h>

#include "common/arith.h"
#include "engine/ops.h"

#define ONEDNN_ROWS 64
#define ONEDNN_WEIGHTS (1u << 18)
#define ONEDNN_WORK (1u << 20) /* m * n * k */

struct matmul {
	struct gemm gemm; /* pointers are set in each run */
	size_t batches;
	size_t *a_at, *b_at; /* offset of each batch's matrix, elements; NULL: 0, only one batch */
	size_t b_row, b_col;
	bool large; /* oneDNN */
};

/* Packing is for FLOAT constants of two dimensions. */
int matmul_pack(struct graph *g, struct node *node, const struct kernels *kn)
{
	struct tensor *b = g->values[node->in[1]].constant;
	size_t count;

	if (b == NULL || b->dtype != DTYPE_FLOAT || b->rank != 2 || node->packed != NULL)
		return 0;
	bool transposed = node->attr.transpose_b;
	size_t k = (size_t)b->dims[transposed ? 1 : 0], n = (size_t)b->dims[transposed ? 0 : 1];
	if (!gemm_packed_count(kn, k, n, &count) || count > INT64_MAX)
		return ERR_RANGE;
	int64_t dims[] = {(int64_t)count};
	int r = tensor_new(&node->packed, DTYPE_FLOAT, dims, 1, false, g->allocator);
	if (r == 0)
		gemm_pack(kn, k, n, b->data, transposed ? 1 : n, transposed ? k : 1, node->packed->data);
	return r;
}

bool matmul_needs_original(const struct tensor *b)
{
	return b->count >= ONEDNN_WEIGHTS;
}

unary_kernel *activation_kernel(const struct kernels *kn, enum activation a)
{
	switch (a) {
	case ACT_RELU:
		return kn->relu;
	case ACT_RELU6:
		return kn->relu6;
	case ACT_LEAKY_RELU:
		return kn->leaky_relu;
	case ACT_ELU:
		return kn->elu;
	case ACT_SIGMOID:
		return kn->sigmoid;
	case ACT_TANH:
		return kn->tanh;
	default:
		return kn->copy;
	}
}

static int run_packed(const struct step *s, struct run *run)
{
	const struct matmul *m = s->state;
	const float *a = s->in[0]->data;
	float *c = s->out[0]->data;
	struct gemm g = m->gemm;

	(void)run;
	g.b = s->node->packed->data;
	g.bias = s->nin > 2 ? s->in[2]->data : NULL;
	for (size_t i = 0; i < m->batches; i++) {
		g.a = a + (m->a_at != NULL ? m->a_at[i] : 0);
		g.c = c + i * g.m * g.n;
		s->kernels->gemm(&g);
	}
	return 0;
}

/* On as many threads as the calling one has set for OpenMP. */
static int run_onednn(const struct step *s, struct gemm *g, const float *b)
{
	const struct attributes *attr = &s->node->attr;
	const struct matmul *m = s->state;
	dnnl_dim_t lda = (dnnl_dim_t)(attr->transpose_a ? m->gemm.a_col : m->gemm.a_row);
	dnnl_dim_t ldb = (dnnl_dim_t)(attr->transpose_b ? m->b_col : m->b_row);

	if (dnnl_sgemm(attr->transpose_a ? 'T' : 'N', attr->transpose_b ? 'T' : 'N', (dnnl_dim_t)g->m, (dnnl_dim_t)g->n,
		       (dnnl_dim_t)g->k, 1.0f, g->a, lda, b, ldb, 0.0f, g->c, (dnnl_dim_t)g->c_row) != dnnl_success)
		return ERR_NOMEM; /* its arguments were checked: what is left is memory */
	s->kernels->finish(g);
	return 0;
}

static int run_float(const struct step *s, struct run *run)
{
	const struct matmul *m = s->state;
	const float *a = s->in[0]->data, *b = s->in[1]->data, *packed_from = NULL;
	float *c = s->out[0]->data;
	struct gemm g = m->gemm;

	(void)run;
	g.bias = s->nin > 2 ? s->in[2]->data : NULL;
	for (size_t i = 0; i < m->batches; i++) {
		const float *bi = b + (m->b_at != NULL ? m->b_at[i] : 0);
		g.a = a + (m->a_at != NULL ? m->a_at[i] : 0);
		g.c = c + i * g.m * g.n;
		if (m->large) {
			int r = run_onednn(s, &g, bi);
			if (r < 0)
				return r;
			continue;
		}
		if (bi != packed_from)
			gemm_pack(s->kernels, g.k, g.n, bi, m->b_row, m->b_col, s->scratch);
		packed_from = bi;
		g.b = s->scratch;
		s->kernels->gemm(&g);
	}
	return 0;
}

/* The other types are rare: a plain loop. Integers wrap around. */
/* NOLINTBEGIN(bugprone-macro-parentheses): type names cannot be put in parentheses. */
#define DEFINE_PLAIN(type, wide) \
	static int run_##type(const struct step *s, struct run *run) \
	{ \
		const struct matmul *m = s->state; \
		const struct gemm *g = &m->gemm; \
		type *c = s->out[0]->data; \
		(void)run; \
		for (size_t i = 0; i < m->batches; i++) { \
			const type *a = (const type *)s->in[0]->data + (m->a_at != NULL ? m->a_at[i] : 0); \
			const type *b = (const type *)s->in[1]->data + (m->b_at != NULL ? m->b_at[i] : 0); \
			for (size_t r = 0; r < g->m; r++) { \
				for (size_t j = 0; j < g->n; j++) { \
					wide sum = 0; \
					for (size_t p = 0; p < g->k; p++) \
						sum += (wide)a[r * g->a_row + p * g->a_col] * \
						       (wide)b[p * m->b_row + j * m->b_col]; \
					*c++ = (type)sum; \
				} \
			} \
		} \
		return 0; \
	}
DEFINE_PLAIN(double, double)
DEFINE_PLAIN(int32_t, uint64_t)
DEFINE_PLAIN(int64_t, uint64_t)
/* NOLINTEND(bugprone-macro-parentheses) */

int types_matmul(const struct attributes *attr, const enum dtype *in, uint32_t nin, enum dtype *out, uint32_t nout,
		 struct error *err)
{
	if (!dtype_is_float(in[0]) && in[0] != DTYPE_INT32 && in[0] != DTYPE_INT64)
		return types_unsupported(in[0], err);
	return types_same(attr, in, nin, out, nout, err);
}

static int mismatch(const struct step *s, struct error *err)
{
	char a[SHAPE_TEXT_MAX], b[SHAPE_TEXT_MAX];

	return error_set(err, ERR_INVALID, "matrices of shapes %s%s and %s%s cannot be multiplied",
			 shape_text(a, &s->in[0]->shape), s->node->attr.transpose_a ? " (transposed)" : "",
			 shape_text(b, &s->in[1]->shape), s->node->attr.transpose_b ? " (transposed)" : "");
}

/* Offsets of the batches' matrices: the leading dimensions, broadcast. */
static int batch_offsets(struct step *s, struct matmul *m, const int64_t *dims, unsigned rank)
{
	const struct shape *shapes[2] = {&s->in[0]->shape, &s->in[1]->shape};
	size_t **at[2] = {&m->a_at, &m->b_at};

	for (unsigned side = 0; side < 2; side++) {
		const struct shape *in = shapes[side];
		size_t *offsets = pool_alloc(s->pool, m->batches, sizeof(*offsets));
		if (offsets == NULL)
			return ERR_NOMEM;
		for (size_t i = 0; i < m->batches; i++) {
			size_t left = i, stride = (size_t)(in->dims[in->rank - 1] * in->dims[in->rank - 2]);
			for (unsigned d = 0; d < rank && d < in->rank - 2; d++) {
				size_t size = (size_t)in->dims[in->rank - 3 - d];
				size_t index = left % (size_t)dims[rank - 1 - d];
				left /= (size_t)dims[rank - 1 - d];
				offsets[i] += size == 1 ? 0 : index * stride;
				stride *= size;
			}
		}
		*at[side] = offsets;
	}
	return 0;
}

/* Leading dimensions of the result, broadcast like everything else. */
static int batch_shape(const struct step *s, int64_t *dims, unsigned rank, struct error *err)
{
	const struct shape *a = &s->in[0]->shape, *b = &s->in[1]->shape;

	for (unsigned i = 0; i < rank; i++) {
		int64_t x = i + 2 < a->rank ? a->dims[a->rank - 3 - i] : 1;
		int64_t y = i + 2 < b->rank ? b->dims[b->rank - 3 - i] : 1;
		if (x != y && x != 1 && y != 1)
			return mismatch(s, err);
		dims[rank - 1 - i] = x == 1 ? y : x;
	}
	return 0;
}

static int choose_kernel(struct step *s, struct matmul *m)
{
	const struct gemm *g = &m->gemm;
	size_t work, packed;

	switch (s->in[0]->dtype) {
	case DTYPE_DOUBLE:
		s->run = run_double;
		return 0;
	case DTYPE_INT32:
		s->run = run_int32_t;
		return 0;
	case DTYPE_INT64:
		s->run = run_int64_t;
		return 0;
	default:
		break;
	}
	bool heavy = !size_mul(&work, g->m, g->n) || !size_mul(&work, work, g->k) || work >= ONEDNN_WORK;
	bool constant = s->node->packed != NULL;
	bool many_rows = g->m >= ONEDNN_ROWS && s->in[1]->shape.count >= ONEDNN_WEIGHTS;
	if (constant && !many_rows) {
		s->run = run_packed;
		return 0;
	}
	s->run = run_float;
	m->large = g->k > 0 && g->n > 0 && (constant ? many_rows : heavy);
	if (m->large)
		return 0;
	if (!gemm_packed_count(s->kernels, g->k, g->n, &packed) || !size_mul(&s->scratch_size, packed, sizeof(float)))
		return ERR_RANGE;
	return 0;
}

int plan_matmul(struct step *s, struct error *err)
{
	const struct attributes *attr = &s->node->attr;
	const struct shape *a = &s->in[0]->shape, *b = &s->in[1]->shape;
	struct matmul *m = pool_alloc(s->pool, 1, sizeof(*m));
	int64_t dims[TENSOR_MAX_RANK];

	if (m == NULL)
		return ERR_NOMEM;
	if (a->rank < 2 || b->rank < 2 || (attr->matrices_only && (a->rank != 2 || b->rank != 2)))
		return mismatch(s, err);
	size_t a_last = (size_t)a->dims[a->rank - 1], b_last = (size_t)b->dims[b->rank - 1];
	size_t a_rows = (size_t)a->dims[a->rank - 2], b_rows = (size_t)b->dims[b->rank - 2];
	struct gemm *g = &m->gemm;
	g->m = attr->transpose_a ? a_last : a_rows;
	g->k = attr->transpose_a ? a_rows : a_last;
	g->n = attr->transpose_b ? b_rows : b_last;
	if (g->k != (attr->transpose_b ? b_last : b_rows) ||
	    (s->nin > 2 && (s->in[2]->shape.count != g->n || s->in[2]->shape.rank > 2)))
		return mismatch(s, err);
	const unsigned rank = (a->rank > b->rank ? a->rank : b->rank) - 2;
	int r = batch_shape(s, dims, rank, err);
	if (r < 0)
		return r;
	dims[rank] = (int64_t)g->m;
	dims[rank + 1] = (int64_t)g->n;
	r = shape_set(&s->out[0]->shape, dims, rank + 2);
	if (r < 0 || !shape_count(&m->batches, dims, rank))
		return ERR_RANGE;
	g->a_row = attr->transpose_a ? 1 : a_last;
	g->a_col = attr->transpose_a ? a_last : 1;
	m->b_row = attr->transpose_b ? 1 : b_last;
	m->b_col = attr->transpose_b ? b_last : 1;
	if (b->rank == 2 && !attr->transpose_a) {
		/* One matrix on the right: the batches are just more rows. */
		if (!size_mul(&g->m, g->m, m->batches))
			return ERR_RANGE;
		m->batches = 1;
	} else if (m->batches > 1) {
		r = batch_offsets(s, m, dims, rank);
		if (r < 0)
			return r;
	}
	g->c_row = g->n;
	g->activate = activation_kernel(s->kernels, attr->activation);
	g->alpha = attr->alpha;
	s->state = m;
	return choose_kernel(s, m);
}
