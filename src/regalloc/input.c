/* regalloc/input.c — checks of the allocator's input that are local: ranges, one definition per vreg, operands,
 * edges. That uses are dominated by their definitions is shown by ra_check, whose demands reach the entry otherwise.
 * Cost: linear. */
#include "regalloc/ra_int.h"

static bool define_once(RaCtx *c, const RaFunc *f, RaVReg v, Diag *d) {
    if (ra_vreg_index(v) >= f->num_vregs)
        return diag_msg(d, DIAG_INVALID, "allocator input: v%u is out of range", ra_vreg_index(v));
    if (!bitset_test_add(&c->ck_queued, ra_vreg_index(v)))
        return diag_msg(d, DIAG_INVALID, "allocator input: v%u is defined twice", ra_vreg_index(v));
    return true;
}

static bool check_operand(const RaFunc *f, uint32_t i, uint32_t o, Diag *d) {
    const RaOperand *op = &f->ops[o];
    uint32_t n = f->op_start[i + 1] - f->op_start[i];
    bool ok =
        ra_vreg_index(op->vreg) < f->num_vregs && op->constraint <= RA_CLOBBERED_FIXED_NONALLOC;
    if (op->constraint == RA_FIXED)
        ok = ok && op->arg < 64 && (RA_CLASS_MASK(ra_vreg_class(op->vreg)) >> op->arg & 1);
    if (op->constraint == RA_REUSE)
        ok = ok && op->kind == RA_DEF && op->arg < n &&
             f->ops[f->op_start[i] + op->arg].kind == RA_USE;
    if (op->constraint == RA_LIMIT) ok = ok && op->arg > 0 && op->arg <= 32;
    return ok ||
           diag_msg(d, DIAG_INVALID, "allocator input: operand %u of instruction %u is malformed",
                    o - f->op_start[i], i);
}

bool ra_check_input(RaCtx *c, const RaFunc *f, const RaEnv *env, Diag *d) {
    (void)env;
    bitset_resize0(c->mem, &c->ck_queued, f->num_vregs);
    uint32_t at = 0;
    for (uint32_t b = 0; b < f->num_blocks; b++) {
        const RaBlock *rb = &f->blocks[b];
        if (rb->inst_start != at || rb->inst_end <= rb->inst_start || rb->inst_end > f->num_insts)
            return diag_msg(d, DIAG_INVALID, "allocator input: block %u has a wrong range", b);
        at = rb->inst_end;
        for (uint32_t k = rb->param_start; k < rb->param_end; k++)
            if (!define_once(c, f, f->params[k], d)) return false;
        for (uint32_t s = rb->succ_start; s < rb->succ_end; s++) {
            if (f->succs[s] >= f->num_blocks)
                return diag_msg(d, DIAG_INVALID, "allocator input: block %u has a wrong successor",
                                b);
            const RaBlock *t = &f->blocks[f->succs[s]];
            if (f->edge_args[s + 1] - f->edge_args[s] != t->param_end - t->param_start)
                return diag_msg(d, DIAG_INVALID,
                                "allocator input: wrong argument count from block %u", b);
            if (rb->succ_end - rb->succ_start > 1 && t->pred_end - t->pred_start > 1)
                return diag_msg(d, DIAG_INVALID, "allocator input: critical edge from block %u", b);
        }
    }
    if (at != f->num_insts)
        return diag_msg(d, DIAG_INVALID, "allocator input: instructions outside all blocks");
    for (uint32_t i = 0; i < f->num_insts; i++)
        for (uint32_t o = f->op_start[i]; o < f->op_start[i + 1]; o++) {
            if (!check_operand(f, i, o, d)) return false;
            if (f->ops[o].kind == RA_DEF && !define_once(c, f, f->ops[o].vreg, d)) return false;
        }
    return true;
}
