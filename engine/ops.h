/*
 * ops.h - how an operator is planned and run: one table entry each (op_table.c).
 *
 * Planning sees the concrete shapes of one set of inputs. It settles everything that does not depend on the data, so
 * that a run is a list of steps over fixed memory.
 */
#ifndef ENGINE_OPS_H
#define ENGINE_OPS_H

#include "common/rng.h"
#include "engine/graph.h"
#include "engine/kernels.h"
#include "engine/pool.h"

struct shape {
	unsigned rank;
	int64_t dims[TENSOR_MAX_RANK];
	size_t count; /* elements */
};

/* Sets dims[0..rank) and count. ERR_RANGE: too many elements or dimensions. */
int shape_set(struct shape *s, const int64_t *dims, unsigned rank) MUST_CHECK;
/* The shape of in without its reduced axes; with keep_dims each is 1. As shape_set. */
int shape_reduce(struct shape *s, const struct shape *in, const bool *reduced, bool keep_dims) MUST_CHECK;
bool shape_equal(const struct shape *a, const struct shape *b);
/* "[2,3]", cut to fit. */
#define SHAPE_TEXT_MAX 96
const char *shape_text(char buf[SHAPE_TEXT_MAX], const struct shape *s);

/* A value within one plan. */
struct operand {
	enum dtype dtype;
	bool known; /* data is there already while planning: a constant, or computed from shapes */
	struct shape shape;
	void *data;                          /* while running: where the value is */
	const struct private_layout *layout; /* NULL: row-major, as everywhere outside a plan (onednn.h) */
};

struct onednn;
struct step;

/* What a run hands to its steps. */
struct run {
	struct rng *rng;
	struct error *err;
};

/* One node within one plan. Filled by the planner up to `plan`'s outputs, by op->plan from there. */
struct step {
	const struct node *node;
	const struct kernels *kernels;
	struct pool *pool;     /* lives as long as the plan; for state */
	struct onednn *onednn; /* as long as the plan too */
	struct operand **in, **out;
	uint32_t *ids; /* which values they are: inputs, then outputs */
	uint32_t nin, nout;
	/* Set by plan: */
	int (*run)(const struct step *s, struct run *run); /* NULL: nothing to do (the output is already known) */
	void *state;
	size_t scratch_size; /* bytes wanted while running */
	void *scratch;       /* set by the planner */
	/*
	 * Set by plan, or NULL. prepare makes what is costly, once it is certain that the step runs and in what layout
	 * its inputs come; it may set scratch_size, run, the layout of s->out, and in_layout: one for each input, NULL
	 * for row-major (in_layout itself NULL: all). release gives back what prepare took, also after it failed.
	 */
	int (*prepare)(struct step *s, struct error *err);
	void (*release)(struct step *s);
	const struct private_layout **in_layout;
	uint32_t takes; /* the input in whose memory the output is wanted, if nobody else reads that; 0: none */
	bool reorder;   /* for the node that follows: copies in[0] to the layout of out[0] */
};

typedef int op_plan(struct step *s, struct error *err);
typedef int op_types(const struct attributes *attr, const enum dtype *in, uint32_t nin, enum dtype *out, uint32_t nout,
		     struct error *err);

enum op_flag {
	OP_VIEW = 1,    /* the output is the first input under another shape: no step, no memory */
	OP_RANDOM = 2,  /* never folded */
	OP_INPLACE = 4, /* elementwise: the output may take the place of an input of its size */
};

struct op_def {
	uint8_t min_in, max_in; /* max 0: any number */
	uint8_t flags;
	/* Types of the outputs from those of the inputs; ERR_UNSUPPORTED with the text set. */
	op_types *types;
	/* Sets the shapes of s->out, s->run, and what it needs. Errors: ERR_INVALID (with text), ERR_RANGE, ERR_NOMEM. */
	op_plan *plan;
	uint32_t known_in; /* which inputs must be known when planning */
};
#define KNOWN(i) (1u << (i))
#define KNOWN_LAST (1u << 31)

const struct op_def *op_def(enum op op);

/* Shared by the op_*.c files. */
bool dtype_is_float(enum dtype t);
/* Element i of a known operand of type INT32 or INT64. */
int64_t operand_int(const struct operand *o, size_t i);
/* Every element of a known operand of rank 0 or 1; ERR_INVALID if it has more than max or another type. */
int operand_ints(const struct operand *o, int64_t *ret, unsigned max, unsigned *ret_n, const char *what,
		 struct error *err) MUST_CHECK;
/* Negative axes count from the end; ERR_INVALID outside [-rank, rank). */
int axis_resolve(int64_t axis, unsigned rank, unsigned *ret, struct error *err) MUST_CHECK;
int types_unsupported(enum dtype t, struct error *err); /* always ERR_UNSUPPORTED */

/* The functions of the table, by file. */
op_types types_same, types_with_ints;                         /* ops.c */
op_plan plan_unary, plan_binary, plan_bias_add, plan_softmax; /* op_elementwise.c, op_broadcast.c, op_softmax.c */
op_types types_unary_float, types_unary_number, types_binary, types_division;
op_plan plan_cast, plan_matmul; /* op_cast.c, op_matmul.c */
op_types types_cast, types_matmul;
op_plan plan_reduce, plan_argmax; /* op_reduce.c */
op_types types_reduce, types_argmax;
op_plan plan_identity, plan_reshape, plan_squeeze, plan_expand_dims, plan_shape, plan_random_uniform; /* op_shape.c */
op_types types_shape, types_random;
op_plan plan_transpose, plan_slice, plan_strided_slice, plan_split, plan_unpack; /* op_slice.c */
op_plan plan_concat, plan_pack, plan_pad, plan_gather;                           /* op_join.c */
op_types types_concat, types_pad;
op_plan plan_flatten;                                      /* op_shape.c */
op_plan plan_conv2d, plan_pool, plan_batch_norm, plan_lrn; /* op_conv.c, op_pool.c, op_normalise.c */
op_types types_float;
/* y = x * scale + offset is what batch norm computes. in: scale, offset, mean, variance, n numbers each. */
void batch_norm_factors(size_t n, float epsilon, const float *const in[4], float *scale, float *offset);

/* The same function after a fused node. ACT_NONE: copy */
unary_kernel *activation_kernel(const struct kernels *kn, enum activation a);
/* prepare of elementwise operators: computes in the layout of the inputs if they agree. */
int layout_follow(struct step *s, struct error *err);
op_plan plan_quant_product;                                                     /* op_quant_product.c */
op_plan plan_quant_binary, plan_quantize, plan_quant_table, plan_quant_softmax; /* op_quant.c */
op_plan plan_quant_pool, plan_quant_mean;                                       /* op_quant_pool.c */
op_types types_quant_product, types_quant, types_quantize, types_quant_table, types_quant_softmax;

/* Packs the constant b of a MATMUL node for kn; sets node->packed or leaves it where packing does not pay. */
int matmul_pack(struct graph *g, struct node *node, const struct kernels *kn) MUST_CHECK;
/* Whether b is still read once it is packed. */
bool matmul_needs_original(const struct tensor *b);
/* The same for a CONV2D: sets node->filters where its weights are constant. The constant's data is not read again. */
int conv2d_pack(struct graph *g, struct node *node) MUST_CHECK;
void conv_weights_free(struct conv_weights *w);
size_t conv_weights_memory(struct conv_weights *w);
/* As matmul_pack for the products of 8-bit tensors; weights that are packed are not read again. */
int quant_pack(struct graph *g, struct node *node) MUST_CHECK;

/* One row of an operator of two inputs that broadcast; steps are 0 or 1. */
typedef void broadcast_row(const void *context, size_t n, const void *a, size_t a_step, const void *b, size_t b_step,
			   void *y);
/* Plans the step to call row; op_broadcast.c. */
int plan_broadcast_rows(struct step *s, broadcast_row *row, const void *context, struct error *err) MUST_CHECK;

#endif
