/* regalloc/onepass.c — the one-pass allocator: one forward scan over the blocks with a register file.
 *
 * Problem   Allocate in linear time with small constants, yet keep values in registers across blocks and around loops.
 * Idea      A backward pass over the operands threads the uses of each vreg (`next`), finds its last position and a
 *           register it should get (hint). The forward scan then keeps register -> vreg. A block starts with the
 *           registers of the predecessor it was first reached from, minus what is dead or not worth a register there;
 *           every other edge into it moves values to where that block expects them (parallel moves at the end of
 *           the predecessor). When registers run out, the value with the farthest next use gives way.
 * Spilling  SSA: a value that ever loses its register gets one store right after its definition, so its slot is
 *           valid wherever the value is; eviction itself costs nothing. A reload makes it live in a register again.
 * Liveness  `last` is an over-approximation along the block order: a use inside a loop of a value from outside counts
 *           until the end of the outermost such loop, where loop means the blocks from a back edge's target to
 *           its source, extended so that loops nest. On an edge whose source has neither the register copy nor a
 *           slot of a value which the target's state names, the value is not truly live (SSA: a live value is defined
 *           on every path), so nothing is moved.
 * Hints     The last use of a value decides: a fixed operand, what the result that reuses its register should get,
 *           the parameter it is passed to. The backward pass sees them in the right order to hand them on.
 * Loops     At the header only what the loop uses, or what it has room for, stays in registers; if it makes calls, only
 *           what survives them. What a header expects costs a reload on each back edge once it is lost.
 * Invariants 1. owner[p] = v  <=>  v.reg = p.  2. v.spilled => v.slot is set and a store (or parameter move) fills it.
 *           3. A live value is in a register or spilled.  4. Entry states name a value at most once.
 * Cost      O(operands + blocks * registers); an eviction looks at the registers of one class.
 * Memory    32 bytes per vreg, 4 per operand and branch argument, 1 per instruction, 48 per block, at most
 *           8 * registers per block for states, 16 per inserted move; kept in the context for the next function.
 * Files     op_prepare.c the backward pass; op_simple.c, op_hard.c instructions; op_file.c registers and slots; op_blocks.c edges.
 * Ref       regalloc2's fastalloc for the interface; V8's Liftoff and TPDE (Schwarz et al. 2025) for forward states;
 *           Belady 1966 for the victim.
 * requires: SSA input as regalloc.h says, each block after some predecessor */
#include "regalloc/op_int.h"

static bool do_block(Pass *p, uint32_t b) {
    const RaFunc *f = p->f;
    const RaBlock *rb = &f->blocks[b];
    const uint8_t *kind = p->c->inst_kind.p;
    if (!op_enter_block(p, b)) return false;
    vec_push(p->c->mem, &p->c->entry_edits, p->c->edits.n);
    for (uint32_t i = rb->inst_start; i < rb->inst_end; i++) {
        p->inst = i;
        if (f->inst_flags[i] & RA_INST_CALL) p->calls_left--;
        switch (kind[i]) {
        case KIND_EMPTY: break;
        case KIND_SIMPLE:
        case KIND_REUSE:
            if (!op_simple(p, i, kind[i] == KIND_REUSE)) return false;
            break;
        case KIND_HARD:
            if (!op_hard(p, i, true)) return false;
            break;
        }
    }
    p->inst = rb->inst_end;
    op_leave_block(p, b);
    return true;
}

/* ---- the definition stores among the moves ---- */
static void sort_stores(Pass *p) { /* by point; 11 bits a time, or by insertion */
    RaCtx *c = p->c;
    uint32_t n = c->stores.n;
    RaEdit *a = c->stores.p;
    if (n <= 48) {
        for (uint32_t i = 1; i < n; i++) {
            RaEdit e = a[i];
            uint32_t k = i;
            for (; k > 0 && a[k - 1].point > e.point; k--) a[k] = a[k - 1];
            a[k] = e;
        }
        return;
    }
    vec_clear(&c->sorted);
    RaEdit *b = vec_extend(c->mem, &c->sorted, n);
    for (unsigned shift = 0; shift < 32 && (2 * p->f->num_insts) >> shift; shift += 11) {
        uint32_t at[2049] = {0};
        for (uint32_t i = 0; i < n; i++) at[(a[i].point >> shift & 2047) + 1]++;
        for (uint32_t i = 0; i < 2048; i++) at[i + 1] += at[i];
        for (uint32_t i = 0; i < n; i++) b[at[a[i].point >> shift & 2047]++] = a[i];
        RaEdit *t = a;
        a = b, b = t;
    }
    if (a != c->stores.p) memcpy(c->stores.p, a, n * sizeof *a);
}

/* At one point: moves into the block come first, then stores of its parameters, then the rest; a store after a
 * definition stands alone at its point. Merged from the end, in place. */
static void op_merge_stores(Pass *p) {
    RaCtx *c = p->c;
    if (c->stores.n == 0) return;
    sort_stores(p);
    uint32_t i = c->edits.n, j = c->stores.n;
    (void)vec_extend(c->mem, &c->edits, j);
    RaEdit *out = c->edits.p;
    for (uint32_t k = i + j; j > 0;) {
        const RaEdit *st = &c->stores.p[j - 1];
        const OpVReg *v = &p->v[ra_vreg_index(st->vreg)];
        bool edit_last =
            i > 0 &&
            (out[i - 1].point > st->point ||
             (out[i - 1].point == st->point && v->is_param && i > c->entry_edits.p[v->def_block]));
        out[--k] = edit_last ? out[--i] : c->stores.p[--j];
    }
}

bool ra_onepass(RaCtx *c, const RaFunc *f, const RaEnv *env, RaOutput *out, Diag *d) {
    Mem *m = c->mem;
    Pass p = {.c = c, .f = f, .env = env, .d = d, .in_file = NONE, .spare_slot = NONE};
    vec_clear(&c->slots);
    vec_clear(&c->free_slots);
    vec_clear(&c->edits);
    vec_clear(&c->stores);
    vec_clear(&c->entry_edits);
    vec_clear(&c->moves);
    vec_clear(&c->state_words);
    op_prepare(&p);
    vec_clear(&c->entry);
    OpState *entry = vec_extend(m, &c->entry, f->num_blocks);
    vec_clear(&c->exit);
    (void)vec_extend(m, &c->exit, f->num_blocks);
    for (uint32_t b = 0; b < f->num_blocks; b++) entry[b] = (OpState){0, NONE};
    for (uint32_t b = 0; b < f->num_blocks; b++)
        if (!do_block(&p, b)) return false;
    op_merge_stores(&p);
    *out = (RaOutput){.allocs = c->allocs.p,
                      .edits = c->edits.p,
                      .num_edits = c->edits.n,
                      .num_slots = c->slots.n,
                      .written = p.written,
                      .stats = p.st};
    return true;
}
