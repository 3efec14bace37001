/* regalloc/dump.c — the text form of an allocation problem and, beside it, of its result. */
#include <stdio.h>
#include "regalloc/ra_int.h"

const char *ra_preg_default_name(RaPReg p, char buf[8]) {
    snprintf(buf, 8, "%c%u", p < 32 ? 'r' : 'f', (unsigned)p & 31);
    return buf;
}

static void put_vreg(StrBuf *sb, RaVReg v) {
    sb_printf(sb, "%c%u", ra_vreg_class(v) == RA_INT ? 'i' : 'f', ra_vreg_index(v));
}

static void put_alloc(StrBuf *sb, RaAlloc a) {
    char name[8];
    if (ra_is_reg(a))
        sb_puts(sb, ra_preg_default_name(ra_alloc_preg(a), name));
    else if (ra_is_slot(a))
        sb_printf(sb, "slot%u", ra_alloc_slot_index(a));
    else
        sb_puts(sb, "none");
}

static void put_operand(StrBuf *sb, const RaOperand *op) {
    static const char *const names[] = {[RA_ANY] = "any",
                                        [RA_REG] = "reg",
                                        [RA_STACK] = "stack",
                                        [RA_FIXED] = "fixed",
                                        [RA_REUSE] = "reuse",
                                        [RA_LIMIT] = "limit",
                                        [RA_FIXED_NONALLOC] = "nonalloc"};
    sb_printf(sb, " %s%s:%s", op->kind == RA_DEF ? "def" : "use",
              op->pos == (op->kind == RA_DEF ? RA_LATE : RA_EARLY) ? ""
              : op->pos == RA_EARLY                                ? ".early"
                                                                   : ".late",
              names[op->constraint]);
    if (op->constraint >= RA_FIXED) sb_printf(sb, "(%u)", op->arg);
    sb_putc(sb, ' ');
    put_vreg(sb, op->vreg);
}

static uint32_t put_edits(StrBuf *sb, const RaOutput *out, uint32_t e, uint32_t point) {
    for (; out && e < out->num_edits && out->edits[e].point <= point; e++) {
        sb_puts(sb, "        ");
        put_alloc(sb, out->edits[e].to);
        sb_puts(sb, " = ");
        put_alloc(sb, out->edits[e].from);
        sb_puts(sb, "  ; ");
        put_vreg(sb, out->edits[e].vreg);
        sb_putc(sb, '\n');
    }
    return e;
}

void ra_dump(const RaFunc *f, const RaEnv *env, const RaOutput *out, StrBuf *sb) {
    uint32_t e = 0, cl = 0;
    sb_puts(sb, "allocatable 0x");
    sb_hex(sb, env->allocatable);
    sb_putc(sb, '\n');
    for (uint32_t b = 0; b < f->num_blocks; b++) {
        const RaBlock *rb = &f->blocks[b];
        sb_printf(sb, "block%u(", b);
        for (uint32_t k = rb->param_start; k < rb->param_end; k++) {
            if (k > rb->param_start) sb_puts(sb, ", ");
            put_vreg(sb, f->params[k]);
        }
        sb_puts(sb, "):\n");
        for (uint32_t i = rb->inst_start; i < rb->inst_end; i++) {
            e = put_edits(sb, out, e, 2 * i);
            sb_printf(sb, "  %u:", i);
            for (uint32_t o = f->op_start[i]; o < f->op_start[i + 1]; o++) {
                put_operand(sb, &f->ops[o]);
                if (out) {
                    sb_puts(sb, " @");
                    put_alloc(sb, out->allocs[o]);
                }
            }
            for (; cl < f->num_clobbers && f->clobbers[cl].inst <= i; cl++) {
                sb_puts(sb, " clobber 0x");
                sb_hex(sb, f->clobbers[cl].regs);
            }
            sb_putc(sb, '\n');
            e = put_edits(sb, out, e, 2 * i + 1);
        }
        for (uint32_t s = rb->succ_start; s < rb->succ_end; s++) {
            sb_printf(sb, "    -> block%u(", f->succs[s]);
            for (uint32_t k = f->edge_args[s]; k < f->edge_args[s + 1]; k++) {
                if (k > f->edge_args[s]) sb_puts(sb, ", ");
                put_vreg(sb, f->branch_args[k]);
            }
            sb_puts(sb, ")\n");
        }
    }
}
