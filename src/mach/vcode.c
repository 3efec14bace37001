/* mach/vcode.c — views of a lowered function: the allocator's input, and text. */
#include "mach/mach_int.h"

#define DOWNVEC_FREE(m, v) \
    (mem_free((m), (v)->p, (v)->cap * sizeof *(v)->p), (v)->p = NULL, (v)->n = (v)->cap = 0)

void vcode_free(VCode *vc, Mem *m) {
    DOWNVEC_FREE(m, &vc->insts);
    DOWNVEC_FREE(m, &vc->op_start);
    DOWNVEC_FREE(m, &vc->flags);
    DOWNVEC_FREE(m, &vc->srclocs);
    DOWNVEC_FREE(m, &vc->ops);
    DOWNVEC_FREE(m, &vc->branch_args);
    vec_free(m, &vc->clobbers);
    vec_free(m, &vc->blocks);
    vec_free(m, &vc->params);
    vec_free(m, &vc->edge_args);
}

void vcode_ra_func(const VCode *vc, const BlockOrder *o, const LowerCtx *L, RaFunc *rf) {
    *rf = (RaFunc){
        .num_insts = vc->num_insts,
        .num_blocks = o->blocks.n,
        .num_vregs = L->num_vregs,
        .blocks = vc->blocks.p,
        .succs = o->succs.p,
        .preds = o->preds.p,
        .params = vc->params.p,
        .edge_args = vc->edge_args.p,
        .branch_args = downvec_data(&vc->branch_args),
        .ops = downvec_data(&vc->ops),
        .op_start = downvec_data(&vc->op_start),
        .inst_flags = downvec_data(&vc->flags),
        .clobbers = vc->clobbers.p,
        .num_clobbers = vc->clobbers.n,
        .vreg_slots = L->vreg_slots.p,
    };
}

static void print_alloc(const LowerCtx *L, RaAlloc a, StrBuf *out) {
    char name[16];
    if (ra_is_reg(a))
        sb_puts(out, L->isa->preg_name(ra_alloc_preg(a), 8, name));
    else if (ra_is_slot(a))
        sb_printf(out, "stack%u", ra_alloc_slot_index(a));
    else
        sb_puts(out, "none");
}

static void print_edits(const LowerCtx *L, const RaOutput *ra, uint32_t *next, uint32_t point,
                        StrBuf *out) {
    for (; *next < ra->num_edits && ra->edits[*next].point <= point; ++*next) {
        sb_puts(out, "    move ");
        print_alloc(L, ra->edits[*next].from, out);
        sb_puts(out, ", ");
        print_alloc(L, ra->edits[*next].to, out);
        sb_putc(out, '\n');
    }
}

/* One line per instruction; with ra, after allocation, the inserted moves among them. */
void vcode_print(const VCode *vc, const BlockOrder *o, const LowerCtx *L, const RaOutput *ra,
                 StrBuf *out) {
    RaFunc rf;
    vcode_ra_func(vc, o, L, &rf);
    uint32_t next = 0;
    for (uint32_t b = 0; b < rf.num_blocks; b++) {
        const RaBlock *rb = &rf.blocks[b];
        sb_printf(out, "block%u", b);
        if (rb->param_end > rb->param_start) {
            sb_putc(out, '(');
            for (uint32_t k = rb->param_start; k < rb->param_end; k++)
                sb_printf(out, "%s%%v%u", k > rb->param_start ? ", " : "",
                          ra_vreg_index(rf.params[k]));
            sb_putc(out, ')');
        }
        sb_puts(out, ":\n");
        for (uint32_t i = rb->inst_start; i < rb->inst_end; i++) {
            if (ra) print_edits(L, ra, &next, 2 * i, out);
            sb_puts(out, "    ");
            uint32_t first = rf.op_start[i];
            L->isa->print(L->set, downvec_data(&vc->insts) + i, rf.ops + first,
                          ra ? ra->allocs + first : NULL, rf.op_start[i + 1] - first, out);
            sb_putc(out, '\n');
            if (ra) print_edits(L, ra, &next, 2 * i + 1, out);
        }
        for (uint32_t e = rb->succ_start; e < rb->succ_end; e++) {
            sb_printf(out, "  ; -> block%u", rf.succs[e]);
            for (uint32_t k = rf.edge_args[e]; k < rf.edge_args[e + 1]; k++)
                sb_printf(out, "%s%%v%u", k > rf.edge_args[e] ? ", " : " ",
                          ra_vreg_index(rf.branch_args[k]));
            sb_putc(out, '\n');
        }
    }
}
