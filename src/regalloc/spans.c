/* regalloc/spans.c — where each value lies, as text: a line per value with its definition, its uses and its places.
 *
 *     v5i  slots 1  defined 4.5  uses 2  p3i 4.5-9  stack0 9-30.5
 *
 * n is the time before instruction n and n.5 the one after it; both ends belong to the span. */
#include <stdlib.h>
#include "regalloc/text.h"

#define NONE UINT32_MAX

static int by_value(const void *a, const void *b) {
    const RaSpan *x = a, *y = b;
    uint32_t v = ra_vreg_index(x->vreg), w = ra_vreg_index(y->vreg);
    if (v != w) return v < w ? -1 : 1;
    if (x->from != y->from) return x->from < y->from ? -1 : 1;
    if (x->place != y->place) return x->place < y->place ? -1 : 1;
    return x->to < y->to ? -1 : x->to > y->to;
}

static void put_point(StrBuf *sb, uint32_t point) {
    sb_printf(sb, point & 1 ? "%u.5" : "%u", point / 2);
}

/* The span continued over the borders of blocks that follow each other; *next: the first one that is not part of it. Others of the
 * same value may lie in between in this order. */
static uint32_t end_of(RaSpans *s, uint32_t k, bool *used) {
    uint32_t to = s->p[k].to;
    for (uint32_t n = k + 1; n < s->n && s->p[n].vreg == s->p[k].vreg && s->p[n].from <= to; n++)
        if (!used[n] && s->p[n].place == s->p[k].place && s->p[n].from == to) {
            used[n] = true;
            to = s->p[n].to;
        }
    return to;
}

void ra_print_spans(Mem *m, const RaFunc *f, RaSpans *s, StrBuf *sb) {
    uint32_t *def = mem_alloc(m, (f->num_vregs + 1) * sizeof *def);
    uint32_t *uses = mem_alloc(m, (f->num_vregs + 1) * sizeof *uses);
    bool *used = mem_alloc(m, (size_t)s->n + 1);
    memset(def, 0xFF, (f->num_vregs + 1) * sizeof *def);
    memset(uses, 0, (f->num_vregs + 1) * sizeof *uses);
    memset(used, 0, (size_t)s->n + 1);
    for (uint32_t b = 0; b < f->num_blocks; b++) {
        const RaBlock *rb = &f->blocks[b];
        for (uint32_t p = rb->param_start; p < rb->param_end; p++)
            def[ra_vreg_index(f->params[p])] = 2 * rb->inst_start;
        for (uint32_t i = rb->inst_start; i < rb->inst_end; i++)
            for (uint32_t o = f->op_start[i]; o < f->op_start[i + 1]; o++) {
                const RaOperand *op = &f->ops[o];
                if (op->constraint == RA_FIXED_NONALLOC) continue;
                if (op->kind == RA_DEF)
                    def[ra_vreg_index(op->vreg)] = 2 * i + (op->pos == RA_LATE);
                else
                    uses[ra_vreg_index(op->vreg)]++;
            }
        if (rb->succ_start < rb->succ_end)
            for (uint32_t a = f->edge_args[rb->succ_start]; a < f->edge_args[rb->succ_end]; a++)
                uses[ra_vreg_index(f->branch_args[a])]++;
    }
    if (s->n) qsort(s->p, s->n, sizeof *s->p, by_value);
    for (uint32_t k = 0; k < s->n; k++) {
        uint32_t v = ra_vreg_index(s->p[k].vreg);
        if (k == 0 || s->p[k - 1].vreg != s->p[k].vreg) {
            if (k) sb_putc(sb, '\n');
            ra_print_vreg(s->p[k].vreg, sb);
            sb_printf(sb, "  slots %u  defined ", ra_move_slots(f->vreg_slots, s->p[k].vreg));
            put_point(sb, def[v]);
            sb_printf(sb, "  uses %u", uses[v]);
        }
        if (used[k]) continue;
        sb_puts(sb, "  ");
        ra_print_alloc(s->p[k].place, sb);
        sb_putc(sb, ' ');
        put_point(sb, s->p[k].from);
        uint32_t to = end_of(s, k, used);
        if (to > s->p[k].from + 1) {
            sb_putc(sb, '-');
            put_point(sb, to - 1);
        }
    }
    if (s->n) sb_putc(sb, '\n');
    mem_free(m, def, (f->num_vregs + 1) * sizeof *def);
    mem_free(m, uses, (f->num_vregs + 1) * sizeof *uses);
    mem_free(m, used, (size_t)s->n + 1);
}
