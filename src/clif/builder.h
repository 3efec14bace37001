/* clif/builder.h — fills a ClifFunc in one pass, with SSA construction for mutable variables.
 *
 * SSA after Braun, Buchwald, Hack, Leißa, Mallon, Zwinkau, "Simple and Efficient Construction of Static
 * Single Assignment Form" (CC 2013): a variable read looks in its block, then in the predecessors; a block
 * whose predecessors are not all known ("not sealed") gets a parameter at once and its arguments later. Joins
 * and loops that did not write the variable are passed by means of dominators (ssa.c). Cheapest: seal a block
 * before filling it whenever all its branches exist.
 * No recursion; time is near-linear in reads, parameters and branches. */
#ifndef COT_CLIF_BUILDER_H
#define COT_CLIF_BUILDER_H
#include "clif/clif.h"

/* Reusable for any number of functions. The clif folder owns the fields; others use the functions. */
typedef struct ClifBuilder {
    Mem *mem;
    ClifFunc *f;
    ClifBlock cur; /* CLIF_NONE: none */
    ClifSrcLoc srcloc;
    struct ClifSsa *ssa;
    VecU32 args; /* room for the user's lists of values; the builder does not touch it */
} ClifBuilder;

void clif_builder_init(ClifBuilder *b, Mem *m);
void clif_builder_free(ClifBuilder *b);
void clif_builder_begin(ClifBuilder *b, ClifFunc *f); /* f is cleared by the caller */
void clif_builder_end(ClifBuilder *b); /* all blocks must be sealed and filled (asserted) */

/* Blocks. A block enters the layout when it is first switched to. */
ClifBlock cb_create_block(ClifBuilder *b);
void cb_switch_to(ClifBuilder *b, ClifBlock blk);
void cb_seal(ClifBuilder *b, ClifBlock blk); /* no more predecessors will come */
void cb_seal_all(ClifBuilder *b);
void cb_set_cold(ClifBuilder *b, ClifBlock blk);
ClifValue cb_block_param(ClifBuilder *b, ClifBlock blk,
                         ClifType t); /* user-visible parameters come before SSA-made ones */
void cb_entry_params(ClifBuilder *b, ClifBlock blk); /* one per signature parameter */

/* Variables. */
ClifVar cb_declare_var(ClifBuilder *b, ClifType t); /* numbered 0,1,2,… per function */
void cb_def_var(ClifBuilder *b, ClifVar v, ClifValue x);
ClifValue cb_use_var(ClifBuilder *b,
                     ClifVar v); /* a variable never defined on some path reads as zero there */

/* Labels of variables, for debuggers (ClifFunc.labels): variable `label` has this value from here on. */
void cb_label(ClifBuilder *b, uint32_t label, ClifValue x);
/* Once all blocks are sealed: the parameters that stand for the first n variables are labelled with their numbers. */
void cb_label_params(ClifBuilder *b, uint32_t n);

/* Instructions, appended to the current block. Source location: set before inserting. */
static inline void cb_set_srcloc(ClifBuilder *b, ClifSrcLoc l) {
    b->srcloc = l;
}
ClifInst cb_ins(ClifBuilder *b,
                ClifInstData d); /* results made by the row's rule; find them with clif_result */
ClifValue cb_ins1(ClifBuilder *b, ClifInstData d,
                  ClifType result); /* fast path: exactly one result of a known type */
ClifValue cb_unary(ClifBuilder *b, ClifOp op, ClifType ctrl,
                   ClifValue x); /* e.g. uextend.i64 x: ctrl = result type if explicit */
ClifValue cb_binary(ClifBuilder *b, ClifOp op, ClifValue x, ClifValue y);
ClifValue cb_ternary(ClifBuilder *b, ClifOp op, ClifValue x, ClifValue y,
                     ClifValue z);                            /* select, bitselect, fma */
ClifValue cb_iconst(ClifBuilder *b, ClifType t, int64_t imm); /* masked to the type's width */
ClifValue cb_f32const(ClifBuilder *b, uint32_t bits);
ClifValue cb_f64const(ClifBuilder *b, uint64_t bits);
ClifValue cb_icmp(ClifBuilder *b, ClifIntCC cc, ClifValue x, ClifValue y);   /* i8 */
ClifValue cb_fcmp(ClifBuilder *b, ClifFloatCC cc, ClifValue x, ClifValue y); /* i8 */
ClifValue cb_load(ClifBuilder *b, ClifOp op, ClifType t, uint16_t memflags, ClifValue addr,
                  int32_t off); /* load, uload8 … */
void cb_store(ClifBuilder *b, ClifOp op, uint16_t memflags, ClifValue data, ClifValue addr,
              int32_t off);
ClifInst cb_call(ClifBuilder *b, ClifFuncRef f, const ClifValue *args, uint32_t n);
ClifInst cb_call_indirect(ClifBuilder *b, ClifSigRef s, ClifValue callee, const ClifValue *args,
                          uint32_t n);
void cb_jump(ClifBuilder *b, ClifBlock to, const ClifValue *args, uint32_t n);
void cb_brif(ClifBuilder *b, ClifValue c, ClifBlock t, const ClifValue *ta, uint32_t tn,
             ClifBlock e, const ClifValue *ea, uint32_t en);
void cb_br_table(ClifBuilder *b, ClifValue index, ClifJumpTable jt);
void cb_return(ClifBuilder *b, const ClifValue *vals, uint32_t n);
void cb_trap(ClifBuilder *b, ClifTrap code);
void cb_trapz(ClifBuilder *b, ClifValue c, ClifTrap code);
void cb_trapnz(ClifBuilder *b, ClifValue c, ClifTrap code);
ClifInst cb_last_inst(const ClifBuilder *b);
bool cb_is_filled(const ClifBuilder *b); /* the current block ends in a terminator */
/* For front ends that check before they ask. */
bool cb_block_is_filled(const ClifBuilder *b, ClifBlock blk);
bool cb_is_sealed(const ClifBuilder *b, ClifBlock blk);
bool cb_has_branches(const ClifBuilder *b, ClifBlock blk); /* some branch goes to it already */
uint32_t cb_num_vars(const ClifBuilder *b);
ClifType cb_var_type(const ClifBuilder *b, ClifVar v);
/* For code that belongs at the function's start and is discovered later (e.g. the memory base): inserts before the
 * entry block's terminator if it has one, else at its end; switches back to the current block afterwards. */
ClifValue cb_ins1_in_entry(ClifBuilder *b, ClifInstData d, ClifType result);
#endif
