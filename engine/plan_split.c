/*
 * plan_split.c - whether a batch may be run as several smaller ones, and how large those should be.
 *
 * Intermediate values of image networks are large: a whole batch of them leaves the cache, and is memory for nothing.
 * Where every output row depends on its own input row alone, the batch is run a few rows at a time instead: as few as
 * still share each pass over the weights well.
 */
#include "engine/plan_impl.h"

/* What a step reads and writes should stay in a core's own cache. */
#define CACHE ((double)(1u << 20))

enum dependence {
	DEPENDS_NOT,   /* the same whatever the batch */
	DEPENDS_SIZE,  /* on the size of the batch: computed from shapes */
	DEPENDS_ROWS,  /* row i on row i of the inputs */
	DEPENDS_OTHER, /* in a way that forbids to split */
};

struct split {
	const struct plan *p;
	enum dependence *of; /* each value */
	int64_t rows;
};

static bool has_rows(const struct split *s, const struct shape *shape)
{
	return shape->rank > 0 && shape->dims[0] == s->rows;
}

static bool ints_exclude_zero(const struct operand *o, unsigned rank)
{
	for (size_t i = 0; i < o->shape.count; i++) {
		const int64_t axis = operand_int(o, i);
		if (axis == 0 || axis == -(int64_t)rank)
			return false;
	}
	return true;
}

/* Inputs other than the first must not depend on the batch at all. */
static bool others_constant(const struct split *s, const struct node *n)
{
	for (uint32_t i = 1; i < n->nin; i++) {
		if (s->of[n->in[i]] != DEPENDS_NOT)
			return false;
	}
	return true;
}

/* Broadcasts over rows, or has them. */
static bool all_row_by_row(const struct split *s, const struct node *n)
{
	const unsigned rank = s->p->operands[n->out[0]].shape.rank;

	for (uint32_t i = 0; i < n->nin; i++) {
		const struct shape *shape = &s->p->operands[n->in[i]].shape;
		if (s->of[n->in[i]] == DEPENDS_ROWS
			    ? shape->rank != rank
			    : s->of[n->in[i]] != DEPENDS_NOT || (shape->rank == rank && shape->dims[0] != 1))
			return false;
	}
	return true;
}

static bool convolution_row_by_row(const struct split *s, const struct node *n)
{
	for (uint32_t i = 0; i < n->nin; i++) {
		const bool rows = i == 0 || (n->attr.adds_input && i == n->nin - 1);
		if (s->of[n->in[i]] != (rows ? DEPENDS_ROWS : DEPENDS_NOT))
			return false;
	}
	return true;
}

static bool joined_row_by_row(const struct split *s, const struct node *n)
{
	for (uint32_t i = 0; i < n->nin - 1; i++) {
		if (s->of[n->in[i]] != DEPENDS_ROWS)
			return false;
	}
	return s->of[n->in[n->nin - 1]] == DEPENDS_NOT;
}

/* Whether row i of the outputs depends on row i of the inputs alone; at least one input has rows. */
static bool row_by_row(const struct split *s, const struct node *n)
{
	const struct operand *in = s->p->operands;
	const struct shape *first = &in[n->in[0]].shape;
	const bool rows = s->of[n->in[0]] == DEPENDS_ROWS;

	switch (n->op) {
	case OP_CONV2D:
		return convolution_row_by_row(s, n);
	case OP_CONCAT:
		return joined_row_by_row(s, n);
	case OP_RESHAPE:
		return rows && (s->of[n->in[1]] == DEPENDS_NOT || s->of[n->in[1]] == DEPENDS_SIZE);
	case OP_ADD:
	case OP_SUB:
	case OP_MUL:
	case OP_DIV:
	case OP_MAXIMUM:
	case OP_MINIMUM:
	case OP_BIAS_ADD:
		return all_row_by_row(s, n);
	case OP_MATMUL:
		return rows && others_constant(s, n) && !n->attr.transpose_a && in[n->in[1]].shape.rank == 2;
	case OP_SOFTMAX:
	case OP_LOG_SOFTMAX:
		return first->rank > 1;
	case OP_REDUCE_MEAN:
	case OP_REDUCE_SUM:
	case OP_REDUCE_MAX:
	case OP_REDUCE_MIN:
		return rows && others_constant(s, n) && ints_exclude_zero(&in[n->in[1]], first->rank);
	case OP_TRANSPOSE:
		return rows && others_constant(s, n) && operand_int(&in[n->in[1]], 0) == 0;
	case OP_PAD:
		return rows && others_constant(s, n) && operand_int(&in[n->in[1]], 0) == 0 &&
		       operand_int(&in[n->in[1]], 1) == 0;
	case OP_MAX_POOL:
	case OP_AVG_POOL:
	case OP_BATCH_NORM:
	case OP_LRN:
	case OP_FLATTEN:
	case OP_SQUEEZE:
	case OP_EXPAND_DIMS:
	case OP_CAST:
	case OP_NEG:
	case OP_EXP:
	case OP_LOG:
	case OP_SQRT:
	case OP_RSQRT:
	case OP_SQUARE:
	case OP_TANH:
	case OP_SIGMOID:
	case OP_RELU:
	case OP_RELU6:
	case OP_LEAKY_RELU:
	case OP_ELU:
	case OP_FLOOR:
		return rows && others_constant(s, n);
	default:
		return false;
	}
}

static enum dependence dependence_of(const struct split *s, const struct node *n)
{
	bool rows = false, size = false;

	for (uint32_t i = 0; i < n->nin; i++) {
		rows |= s->of[n->in[i]] == DEPENDS_ROWS;
		size |= s->of[n->in[i]] == DEPENDS_SIZE;
		if (s->of[n->in[i]] == DEPENDS_OTHER)
			return DEPENDS_OTHER;
	}
	if (op_def(n->op)->flags & OP_RANDOM)
		return DEPENDS_OTHER;
	if (n->op == OP_SHAPE)
		return rows || size ? DEPENDS_SIZE : DEPENDS_NOT;
	if (!rows)
		return size ? DEPENDS_SIZE : DEPENDS_NOT;
	if (!row_by_row(s, n))
		return DEPENDS_OTHER;
	for (uint32_t i = 0; i < n->nout; i++) {
		if (!has_rows(s, &s->p->operands[n->out[i]].shape))
			return DEPENDS_OTHER;
	}
	return DEPENDS_ROWS;
}

/* Values that are read and written for one row in all and in the largest step, and weights: bytes. */
struct traffic {
	double row, largest, weights;
	bool convolution;
};

static void add_traffic(const struct split *s, const struct node *n, struct traffic *t)
{
	const struct operand *operands = s->p->operands;
	double bytes = 0.0;

	if (op_def(n->op)->flags & OP_VIEW)
		return;
	for (uint32_t i = 0; i < n->nin + n->nout; i++) {
		const uint32_t v = i < n->nin ? n->in[i] : n->out[i - n->nin];
		const double size = (double)operands[v].shape.count * (double)dtype_size(operands[v].dtype);
		if (s->of[v] == DEPENDS_ROWS)
			bytes += size / (double)s->rows;
		else
			t->weights += size;
	}
	t->row += bytes;
	t->largest = bytes > t->largest ? bytes : t->largest;
	t->convolution |= n->op == OP_CONV2D;
}

static int64_t best_rows(const struct traffic *t, int64_t rows)
{
	/* As many as fit the cache, and as make the weights half of all traffic at most. */
	double best = CACHE / t->largest, shared = t->weights / t->row;

	if (shared > best)
		best = shared;
	return best >= (double)rows ? rows : best < 1.0 ? 1 : (int64_t)best;
}

int plan_rows_at_once(const struct plan *p, int64_t *ret_rows)
{
	const struct graph *g = p->graph;
	struct pool temporary = {0};
	struct traffic t = {0};
	struct split s = {.p = p, .of = pool_alloc(&temporary, g->nvalues, sizeof(*s.of))};

	*ret_rows = 0;
	if (s.of == NULL)
		return ERR_NOMEM;
	if (g->ninputs == 0 || g->noutputs == 0 || p->operands[g->inputs[0]].shape.rank == 0)
		goto out;
	s.rows = p->operands[g->inputs[0]].shape.dims[0];
	if (s.rows < 2)
		goto out;
	for (uint32_t i = 0; i < g->ninputs; i++) {
		const struct operand *o = &p->operands[g->inputs[i]];
		if (!has_rows(&s, &o->shape) || o->shape.count == 0)
			goto out;
		s.of[g->inputs[i]] = DEPENDS_ROWS;
	}
	for (uint32_t i = 0; i < g->nnodes; i++) {
		const struct node *n = &g->nodes[i];
		const enum dependence d = dependence_of(&s, n);
		for (uint32_t k = 0; k < n->nout; k++)
			s.of[n->out[k]] = d;
		if (d == DEPENDS_ROWS)
			add_traffic(&s, n, &t);
	}
	for (uint32_t i = 0; i < g->noutputs; i++) {
		if (s.of[g->outputs[i]] != DEPENDS_ROWS)
			goto out;
	}
	if (t.convolution && t.row > 0.0)
		*ret_rows = best_rows(&t, s.rows);
	if (*ret_rows == s.rows)
		*ret_rows = 0;
out:
	pool_release(&temporary);
	return 0;
}
