/* mach/emit.c — allocated VCode to bytes: prologue, blocks with inserted moves, trap stubs, constant pool.
 *
 * Edits are sorted by program point: those at 2i stand before instruction i, those at 2i+1 after it. Block k is
 * label k. Copies whose two operands were given the same register are dropped. Out-of-line traps follow the code,
 * then the constant pool, aligned to 16. A short loop that would lie across two lines of the instruction cache starts a line.
 * Cost: O(instructions + edits + fix-ups). */
#include "mach/mach_int.h"

static inline void mark(MachCtx *c, ListKind kind, uint32_t index) {
    if (c->print_what & MACH_PRINT_CODE) listing_mark(c, kind, index);
}

static void emit_edits(MachCtx *c, EmitCtx *e, const RaOutput *ra, const uint8_t *vreg_slots,
                       uint32_t *next, uint32_t point) {
    uint32_t k = *next;
    for (; k < ra->num_edits && ra->edits[k].point <= point; k++) {
        const RaEdit *ed = &ra->edits[k];
        if (ed->from == ed->to) continue;
        mark(c, LIST_EDIT, k);
        uint32_t start = machbuf_offset(e->buf);
        e->isa->emit_move(e, ed->to, ed->from, ra_vreg_class(ed->vreg),
                          vreg_slots[ra_vreg_index(ed->vreg)]);
        if (c->edit_at.n) c->edit_at.p[k] = (MachEditAt){start, machbuf_offset(e->buf)};
    }
    *next = k;
}
static inline bool has_edits(const RaOutput *ra, uint32_t next, uint32_t point) {
    return next < ra->num_edits && ra->edits[next].point <= point;
}

static void emit_const_pool(MachCtx *c, EmitCtx *e, const LowerCtx *L) {
    uint32_t n = L->const_bytes.n;
    if (n == 0) return;
    MachBuf *b = e->buf;
    mark(c, LIST_PADDING, 0);
    uint32_t pad = (16 - (machbuf_offset(b) & 15)) & 15;
    memset(machbuf_room(b, pad + n), 0, pad);
    machbuf_commit(b, pad);
    machbuf_landing(
        b); /* a last branch that nothing reaches must not be taken away from before it */
    machbuf_bind(b, e->const_label);
    mark(c, LIST_CONSTANTS, 0);
    memcpy(machbuf_room(b, n), L->const_bytes.p, n);
    machbuf_commit(b, n);
}

/* Block k, whose label is bound, starts a loop that ends with block `last`. How long it is can only be estimated. */
static void align_loop(MachCtx *c, MachBuf *b, const RaFunc *rf, uint32_t k, uint32_t last) {
    uint32_t line = c->isa->line_bytes, at = machbuf_offset(b);
    uint64_t size =
        (uint64_t)(rf->blocks[last].inst_end - rf->blocks[k].inst_start) * c->isa->mean_inst_bytes;
    uint32_t in_line = at & (line - 1);
    if (size > line) return;
    if (b->align < line) b->align = line;
    if (in_line + size <= line) return;
    mark(c, LIST_FILL, 0);
    uint8_t *p = machbuf_pad(b, line - in_line);
    if (p) c->isa->fill(p, line - in_line);
}

/* Room for where instructions and moves are, if somebody wants to know. */
static void track(MachCtx *c, const ClifFunc *f, const RaFunc *rf, const RaOutput *ra) {
    vec_clear(&c->inst_at);
    vec_clear(&c->edit_at);
    vec_clear(&c->stub_at);
    if (!f->labels.n) return;
    vec_resize0(c->mem, &c->inst_at, rf->num_insts + 1);
    vec_resize0(c->mem, &c->edit_at, ra->num_edits);
}

static inline void at_most(uint32_t *x, uint32_t limit) {
    if (*x > limit) *x = limit;
}

/* Branches that turned out to lead to what follows were taken away again: what was behind them is where the code went on. */
static void settle(MachCtx *c, const RaFunc *rf, const RaOutput *ra) {
    uint32_t limit = c->inst_at.p[rf->num_insts].before, k = ra->num_edits;
    for (uint32_t i = rf->num_insts; i--;) {
        MachInstAt *at = &c->inst_at.p[i];
        for (; k && ra->edits[k - 1].point > 2 * i; k--) {
            at_most(&c->edit_at.p[k - 1].end, limit);
            at_most(&c->edit_at.p[k - 1].start, limit);
        }
        at_most(&at->end, limit);
        at_most(&at->start, limit);
        at_most(&at->before, limit);
        for (; k && ra->edits[k - 1].point == 2 * i; k--) {
            at_most(&c->edit_at.p[k - 1].end, at->start);
            at_most(&c->edit_at.p[k - 1].start, at->start);
        }
        limit = at->before;
    }
}

bool emit_function(MachCtx *c, const ClifFunc *f, const RaFunc *rf, const RaOutput *ra, Diag *d,
                   uint32_t *frame_size) {
    LowerCtx *L = &c->lower;
    MachBuf *b = &c->buf;
    machbuf_reset(b, c->isa->label_kinds, rf->num_blocks);
    EmitCtx e = {.buf = b,
                 .isa = c->isa,
                 .set = &c->set,
                 .f = f,
                 .jt_targets = L->jt_targets.p,
                 .const_bytes = L->const_bytes.p,
                 .slot_offset = L->slot_offset.p,
                 .srcloc = CLIF_NONE};
    e.const_label = machbuf_new_label(b);
    e.frame.incoming = L->incoming_args;
    e.frame.tail_args = L->tail_args;
    c->isa->frame_layout(&e, ra->written | L->clobbered, ra->num_slots, L->slots_size,
                         L->outgoing_args, L->has_calls);
    c->spill_base = (int32_t)e.frame.spill_off - (int32_t)e.frame.size;
    track(c, f, rf, ra);
    vec_clear(&c->marks);
    mark(c, LIST_PROLOGUE, 0);
    c->isa->emit_prologue(&e);
    const MachInst *insts = downvec_data(&c->vc.insts);
    const uint32_t *locs = downvec_data(&c->vc.srclocs);
    static const RaOperand no_operand;
    static const RaAlloc no_alloc; /* a function without operands has no arrays */
    const RaOperand *ops = rf->ops ? rf->ops : &no_operand;
    const RaAlloc *allocs = ra->allocs ? ra->allocs : &no_alloc;
    uint32_t next = 0;
    bool tracked = c->inst_at.n != 0;
    for (uint32_t k = 0; k < rf->num_blocks; k++) {
        const RaBlock *rb = &rf->blocks[k];
        e.next_block = k + 1 < rf->num_blocks ? k + 1 : MACH_LABEL_NONE;
        machbuf_bind(b, k);
        if (rb->pred_end > rb->pred_start) { /* they ascend: is the last one behind? */
            uint32_t last = rf->preds[rb->pred_end - 1];
            if (last >= k) align_loop(c, b, rf, k, last);
        }
        mark(c, LIST_BLOCK, k);
        for (uint32_t i = rb->inst_start; i < rb->inst_end; i++) {
            uint32_t before = machbuf_offset(b);
            if (has_edits(ra, next, 2 * i)) emit_edits(c, &e, ra, rf->vreg_slots, &next, 2 * i);
            uint32_t first = rf->op_start[i], start = machbuf_offset(b);
            if (locs[i] != e.srcloc) {
                e.srcloc = locs[i];
                machbuf_start_loc(b, locs[i]);
            }
            if (!((rf->inst_flags[i] & RA_INST_MOVE) && allocs[first] == allocs[first + 1])) {
                mark(c, LIST_INST, i);
                c->isa->emit(&e, &insts[i], ops + first, allocs + first,
                             rf->op_start[i + 1] - first);
            }
            if (tracked) c->inst_at.p[i] = (MachInstAt){before, start, machbuf_offset(b)};
            if (has_edits(ra, next, 2 * i + 1))
                emit_edits(c, &e, ra, rf->vreg_slots, &next, 2 * i + 1);
        }
    }
    if (tracked) {
        c->inst_at.p[rf->num_insts].before = machbuf_offset(b);
        settle(c, rf, ra);
    }
    for (uint32_t s = 0; s < b->trap_stubs.n; s++) { /* stubs may not add stubs */
        struct MachTrapStub st = b->trap_stubs.p[s];
        machbuf_bind(b, e.stub = st.label);
        if (tracked) vec_push(c->mem, &c->stub_at, machbuf_offset(b));
        mark(c, LIST_TRAP, s);
        machbuf_start_loc(b, st.loc);
        c->isa->emit_trap_stub(&e, st.code);
    }
    if (tracked) vec_push(c->mem, &c->stub_at, machbuf_offset(b));
    machbuf_end_loc(b);
    machbuf_end_unwind(b);
    emit_const_pool(c, &e, L);
    *frame_size = e.frame.size;
    return machbuf_finish(b, d);
}
