/* regalloc/dump.c — the text form of an allocation problem and, with it, of its result; text.c reads it. */
#include <stdio.h>
#include "regalloc/text.h"

const char *ra_preg_default_name(RaPReg p, char buf[8]) {
    snprintf(buf, 8, "p%u%c", (unsigned)p & 31, p < 32 ? 'i' : 'f');
    return buf;
}

void ra_print_vreg(RaVReg v, StrBuf *sb) {
    char c = ra_vreg_class(v) == RA_INT ? 'i' : 'f';
    if (v == ra_vreg_whole(ra_vreg_class(v)))
        sb_printf(sb, "v*%c", c);
    else
        sb_printf(sb, "v%u%c", ra_vreg_index(v), c);
}

void ra_print_alloc(RaAlloc a, StrBuf *sb) {
    char name[8];
    if (ra_is_reg(a))
        sb_puts(sb, ra_preg_default_name(ra_alloc_preg(a), name));
    else if (ra_is_slot(a))
        sb_printf(sb, "stack%u", ra_alloc_slot_index(a));
    else
        sb_puts(sb, "none");
}

/* Runs of three and more are written with their ends. */
static void put_regs(StrBuf *sb, const char *what, RaPRegSet s) {
    char name[8];
    sb_puts(sb, what);
    while (s) {
        uint32_t first = u64_ctz(s), last = first;
        while (last % 32 != 31 && s >> (last + 1) & 1) last++;
        if (last - first < 2) last = first;
        sb_printf(sb, " %s", ra_preg_default_name((RaPReg)first, name));
        if (last > first) sb_printf(sb, "-%s", ra_preg_default_name((RaPReg)last, name));
        for (uint32_t r = first; r <= last; r++) s &= ~ra_set((RaPReg)r);
    }
}

/* A vreg where it is defined. */
static void put_def(StrBuf *sb, const RaFunc *f, RaVReg v) {
    ra_print_vreg(v, sb);
    uint32_t w = ra_move_slots(f->vreg_slots, v);
    if (w != 1) sb_printf(sb, ":%u", w);
}

void ra_print_operand(const RaFunc *f, uint32_t o, StrBuf *sb) {
    const RaOperand *op = &f->ops[o];
    bool def = op->kind == RA_DEF;
    if ((op->pos == RA_LATE) != def) sb_puts(sb, def ? "early " : "late ");
    sb_puts(sb, def ? "def " : "use ");
    if (op->constraint != RA_FIXED_NONALLOC) {
        if (def)
            put_def(sb, f, op->vreg);
        else
            ra_print_vreg(op->vreg, sb);
        sb_putc(sb, ' ');
    }
    switch ((RaConstraint)op->constraint) {
    case RA_ANY: sb_puts(sb, "any"); break;
    case RA_REG: sb_puts(sb, "reg"); break;
    case RA_STACK: sb_puts(sb, "stack"); break;
    case RA_REUSE: sb_printf(sb, "reuse %u", op->arg); break;
    case RA_LIMIT: sb_printf(sb, "limit %u", op->arg); break;
    case RA_FIXED:
    case RA_FIXED_NONALLOC: ra_print_alloc(ra_alloc_reg(op->arg), sb); break;
    }
}

void ra_print_flags(uint8_t flags, StrBuf *sb) {
    static const char *const names[] = {"branch", "ret", "move", "call", "safepoint", "entry"};
    const char *space = "";
    for (unsigned k = 0; k < sizeof names / sizeof *names; k++)
        if (flags >> k & 1) {
            sb_printf(sb, "%s%s", space, names[k]);
            space = " ";
        }
    if (!*space) sb_puts(sb, "op");
}

static uint32_t put_edits(StrBuf *sb, const RaOutput *out, uint32_t e, uint32_t point) {
    for (; out && e < out->num_edits && out->edits[e].point <= point; e++) {
        sb_puts(sb, point & 1 ? "        after " : "        before ");
        ra_print_alloc(out->edits[e].to, sb);
        sb_puts(sb, " = ");
        ra_print_alloc(out->edits[e].from, sb);
        sb_putc(sb, ' ');
        ra_print_vreg(out->edits[e].vreg, sb);
        sb_putc(sb, '\n');
    }
    return e;
}

static void put_machine(StrBuf *sb, const RaEnv *env) {
    char name[8];
    sb_puts(sb, "    allocatable");
    for (uint32_t c = 0; c < RA_NUM_CLASSES; c++)
        for (uint32_t k = 0; k < 32 && env->order[c][k] != RA_PREG_NONE; k++)
            sb_printf(sb, " %s", ra_preg_default_name(env->order[c][k], name));
    put_regs(sb, "\n    caller-saved", env->caller_saved);
    sb_puts(sb, "\n    scratch");
    for (uint32_t c = 0; c < RA_NUM_CLASSES; c++)
        if (env->scratch[c] != RA_PREG_NONE)
            sb_printf(sb, " %s", ra_preg_default_name(env->scratch[c], name));
    sb_putc(sb, '\n');
}

void ra_print(const RaFunc *f, const RaEnv *env, const RaOutput *out, StrBuf *sb) {
    uint32_t e = 0, cl = 0;
    sb_puts(sb, "function\n");
    put_machine(sb, env);
    if (out) {
        sb_printf(sb, "    slots %u\n", out->num_slots);
        put_regs(sb, "    written", out->written);
        sb_putc(sb, '\n');
    }
    for (uint32_t b = 0; b < f->num_blocks; b++) {
        const RaBlock *rb = &f->blocks[b];
        sb_printf(sb, "block%u", b);
        for (uint32_t k = rb->param_start; k < rb->param_end; k++) {
            sb_puts(sb, k > rb->param_start ? ", " : "(");
            put_def(sb, f, f->params[k]);
        }
        sb_puts(sb, rb->param_end > rb->param_start ? "):\n" : ":\n");
        for (uint32_t i = rb->inst_start; i < rb->inst_end; i++) {
            e = put_edits(sb, out, e, 2 * i);
            sb_printf(sb, "    %u: ", i);
            ra_print_flags(f->inst_flags[i], sb);
            for (uint32_t o = f->op_start[i]; o < f->op_start[i + 1]; o++) {
                sb_puts(sb, o > f->op_start[i] ? ", " : " ");
                ra_print_operand(f, o, sb);
                if (out) {
                    sb_puts(sb, " @ ");
                    ra_print_alloc(out->allocs[o], sb);
                }
            }
            for (; cl < f->num_clobbers && f->clobbers[cl].inst <= i; cl++)
                put_regs(sb, " clobber", f->clobbers[cl].regs);
            sb_putc(sb, '\n');
            e = put_edits(sb, out, e, 2 * i + 1);
        }
        for (uint32_t s = rb->succ_start; s < rb->succ_end; s++) {
            sb_printf(sb, "    -> block%u", f->succs[s]);
            for (uint32_t k = f->edge_args[s]; k < f->edge_args[s + 1]; k++) {
                sb_puts(sb, k > f->edge_args[s] ? ", " : "(");
                ra_print_vreg(f->branch_args[k], sb);
            }
            sb_puts(sb, f->edge_args[s + 1] > f->edge_args[s] ? ")\n" : "\n");
        }
    }
}

void ra_print_stats(const RaStats *s, StrBuf *sb) {
#define X(field, what) sb_printf(sb, "  %-20s %10u  %s\n", #field, s->field, what);
    RA_STATS(X)
#undef X
}
