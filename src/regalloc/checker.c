/* regalloc/checker.c — proves that every use reads the value it names, along every path.
 *
 * Problem   The allocator's output must be right for every path, and the proof must not share its reasoning.
 * Idea      Backwards demands. A use of v in location L demands "L holds v" just before it. Going up, a move L = M
 *           turns the demand into "M holds v", the definition of v into L satisfies it, anything else written to L
 *           contradicts it; an edge turns the demand for a block parameter into one for the branch argument.
 *           A demand that reaches the entry, or the definition of v while in another location, is an error.
 *           Before that, each move and each place is looked at alone: registers that may be written, slots that exist, points
 *           that are executed, and the set of written registers, by which the prologue saves them.
 *           Demands only accumulate (a union), so a work list over blocks with the new ones only reaches the fixpoint.
 *           Once it is reached, one more run of each block with all its demands tells where each value lies from when to
 *           when: spans, for whoever wants to see them.
 * Invariants 1. A demand (block end, location, vreg) is queued once. 2. state is empty between block runs.
 * Cost      O(block length + demands) per run; reverse order makes most blocks run once per loop level.
 * Ref       regalloc2's checker (forward sets and intersections); this is its dual. */
#include "regalloc/ra_int.h"

#define NONE UINT32_MAX

typedef struct Check {
    RaCtx *c;
    const RaFunc *f;
    const RaEnv *env;
    const RaOutput *out;
    Diag *d;
    uint32_t num_locs;
    RaPRegSet may_write; /* by moves */
    RaSpans *spans;      /* NULL: not wanted, or not yet */
} Check;

static uint32_t loc_of(RaAlloc a) {
    return ra_is_reg(a) ? ra_alloc_preg(a) : 64 + ra_alloc_slot_index(a);
}

static uint32_t width(const Check *k, RaVReg v) {
    return ra_move_slots(k->f->vreg_slots, v);
}

static bool alloc_ok(const Check *k, RaAlloc a, RaVReg v) {
    if (ra_is_reg(a))
        return ra_alloc_preg(a) < 64 && (RA_CLASS_MASK(ra_vreg_class(v)) >> ra_alloc_preg(a) & 1);
    return ra_is_slot(a) && ra_alloc_slot_index(a) + width(k, v) <= k->out->num_slots;
}

/* When something happens: a point, and the move among those at that point, or NONE for the instruction itself. */
typedef struct When {
    uint32_t point, edit;
} When;

/* Nodes (vreg, next, until when: point, edit) in ck_words; a location's list starts at ck_state[loc]. */
static void demand(Check *k, uint32_t loc, RaVReg v, When until) {
    RaCtx *c = k->c;
    for (uint32_t n = c->ck_state.p[loc]; n != NONE; n = c->ck_words.p[n + 1])
        if (c->ck_words.p[n] == v) return;
    uint32_t n = c->ck_words.n, *w = vec_extend(c->mem, &c->ck_words, 4);
    w[0] = v, w[1] = c->ck_state.p[loc], w[2] = until.point, w[3] = until.edit;
    if (c->ck_state.p[loc] == NONE) vec_push(c->mem, &c->ck_touched, loc);
    c->ck_state.p[loc] = n;
    c->ck_count.p[ra_vreg_index(v)]++;
}

static void put_span(Check *k, uint32_t loc, RaVReg v, When from, When to) {
    if (!k->spans) return;
    RaAlloc a = loc < 64 ? ra_alloc_reg((RaPReg)loc) : ra_alloc_slot(loc - 64);
    vec_push(k->c->mem, k->spans, (RaSpan){v, a, from.point, to.point, from.edit, to.edit});
}
/* What node n wanted in loc is there from then on. */
static void satisfied(Check *k, uint32_t loc, uint32_t n, When from) {
    const uint32_t *w = &k->c->ck_words.p[n];
    put_span(k, loc, w[0], from, (When){w[2], w[3]});
}

static bool bad(Check *k, uint32_t inst, const char *what, RaVReg v) {
    k->c->fault = (RaFault){RA_FAULT_INST, inst};
    return diag_msg(k->d, DIAG_INVALID, "register allocation is wrong at instruction %u: %s (v%u)",
                    inst, what, ra_vreg_index(v));
}

/* `v` (or nothing, NONE) is written to loc: other values must not be wanted there. */
static bool write_loc(Check *k, uint32_t inst, uint32_t loc, RaVReg v, When when) {
    RaCtx *c = k->c;
    for (uint32_t n = c->ck_state.p[loc]; n != NONE; n = c->ck_words.p[n + 1]) {
        if (c->ck_words.p[n] != v) return bad(k, inst, "value overwritten", c->ck_words.p[n]);
        satisfied(k, loc, n, when);
        c->ck_count.p[ra_vreg_index(v)]--;
    }
    c->ck_state.p[loc] = NONE;
    return true;
}

/* Parts of wide slots beside loc's first unit. */
static bool write_around(Check *k, uint32_t inst, uint32_t loc, uint32_t w) {
    if (loc < 64) return true;
    for (uint32_t i = 1; i < w; i++)
        if (!write_loc(k, inst, loc + i, RA_VREG_NONE, (When){0, NONE})) return false;
    if (loc > 64)
        for (uint32_t n = k->c->ck_state.p[loc - 1]; n != NONE; n = k->c->ck_words.p[n + 1])
            if (width(k, k->c->ck_words.p[n]) > 1)
                return bad(k, inst, "wide slot overwritten", k->c->ck_words.p[n]);
    return true;
}

static bool undo_edit(Check *k, uint32_t edit) {
    RaCtx *c = k->c;
    const RaEdit *e = &k->out->edits[edit];
    When when = {e->point, edit};
    uint32_t inst = e->point / 2, to = loc_of(e->to), from = loc_of(e->from),
             list = c->ck_state.p[to];
    if (to == from) return true;
    c->ck_state.p[to] = NONE;
    if (!write_around(k, inst, to, width(k, e->vreg))) return false;
    for (uint32_t n = list; n != NONE; n = c->ck_words.p[n + 1]) {
        RaVReg v = c->ck_words.p[n];
        if (width(k, v) > width(k, e->vreg)) return bad(k, inst, "narrow move of a wide value", v);
        satisfied(k, to, n, when);
        c->ck_count.p[ra_vreg_index(v)]--;
        demand(k, from, v, when);
    }
    return true;
}

/* Each move alone. */
static bool check_edits(Check *k) {
    const RaFunc *f = k->f;
    const RaOutput *out = k->out;
    for (uint32_t n = 0, b = 0; n < out->num_edits; n++) {
        const RaEdit *e = &out->edits[n];
        uint32_t inst = e->point / 2;
        if (n && e->point < e[-1].point) return bad(k, inst, "moves out of order", e->vreg);
        if (inst >= f->num_insts) return bad(k, inst, "a move at no instruction", e->vreg);
        while (f->blocks[b].inst_end <= inst) b++;
        if (e->point & 1 && inst + 1 == f->blocks[b].inst_end)
            return bad(k, inst, "a move after the end of a block", e->vreg);
        if (ra_vreg_index(e->vreg) >= f->num_vregs &&
            e->vreg != ra_vreg_whole(ra_vreg_class(e->vreg)))
            return bad(k, inst, "a move of no value", e->vreg);
        if (!alloc_ok(k, e->from, e->vreg) || !alloc_ok(k, e->to, e->vreg))
            return bad(k, inst, "malformed move", e->vreg);
        if (ra_is_slot(e->from) && ra_is_slot(e->to))
            return bad(k, inst, "move from slot to slot", e->vreg);
        if (ra_is_reg(e->to) && !(k->may_write >> ra_alloc_preg(e->to) & 1))
            return bad(k, inst, "a move to a register that may not be written", e->vreg);
        if (ra_is_reg(e->to) &&
            !((out->written | ~k->env->allocatable) >> ra_alloc_preg(e->to) & 1))
            return bad(k, inst, "a written register is not reported", e->vreg);
    }
    return true;
}

static bool check_operand(Check *k, uint32_t inst, uint32_t o) {
    const RaFunc *f = k->f;
    const RaOperand *op = &f->ops[o];
    RaAlloc a = k->out->allocs[o];
    if (op->constraint == RA_FIXED_NONALLOC)
        return a == ra_alloc_reg(op->arg) || bad(k, inst, "not in its own register", op->vreg);
    if (!alloc_ok(k, a, op->vreg)) return bad(k, inst, "malformed allocation", op->vreg);
    if (op->kind == RA_DEF && ra_is_reg(a) && !(f->inst_flags[inst] & RA_INST_ENTRY) &&
        !(k->out->written >> ra_alloc_preg(a) & 1))
        return bad(k, inst, "a written register is not reported", op->vreg);
    if (ra_is_reg(a) && op->constraint != RA_FIXED &&
        !(k->env->allocatable >> ra_alloc_preg(a) & 1))
        return bad(k, inst, "register that may not be allocated", op->vreg);
    switch ((RaConstraint)op->constraint) {
    case RA_ANY: return true;
    case RA_REG: return ra_is_reg(a) || bad(k, inst, "not in a register", op->vreg);
    case RA_STACK: return ra_is_slot(a) || bad(k, inst, "not in a slot", op->vreg);
    case RA_FIXED:
        return a == ra_alloc_reg(op->arg) || bad(k, inst, "not in its fixed register", op->vreg);
    case RA_REUSE:
        return (ra_is_reg(a) && a == k->out->allocs[f->op_start[inst] + op->arg]) ||
               bad(k, inst, "does not reuse its input's register", op->vreg);
    case RA_LIMIT:
        return (ra_is_reg(a) && (ra_alloc_preg(a) & 31) < op->arg) ||
               bad(k, inst, "register above the limit", op->vreg);
    case RA_FIXED_NONALLOC: return true;
    }
    return true;
}

/* The definitions of one half: none may destroy what another one, or anything else, is wanted for. */
static bool undo_defs(Check *k, uint32_t inst, RaPos pos) {
    const RaFunc *f = k->f;
    RaCtx *c = k->c;
    for (uint32_t o = f->op_start[inst]; o < f->op_start[inst + 1]; o++) {
        const RaOperand *op = &f->ops[o];
        if (op->kind != RA_DEF || op->pos != pos || op->constraint == RA_FIXED_NONALLOC) continue;
        uint32_t loc = loc_of(k->out->allocs[o]);
        for (uint32_t n = c->ck_state.p[loc]; n != NONE; n = c->ck_words.p[n + 1])
            if (c->ck_words.p[n] != op->vreg)
                return bad(k, inst, "value overwritten", c->ck_words.p[n]);
        if (!write_around(k, inst, loc, width(k, op->vreg))) return false;
    }
    for (uint32_t o = f->op_start[inst]; o < f->op_start[inst + 1]; o++) {
        const RaOperand *op = &f->ops[o];
        if (op->kind != RA_DEF || op->pos != pos || op->constraint == RA_FIXED_NONALLOC) continue;
        uint32_t loc = loc_of(k->out->allocs[o]);
        When when = {2 * inst + (pos == RA_LATE), NONE};
        if (c->ck_state.p[loc] == NONE)
            put_span(k, loc, op->vreg, when, (When){when.point + 1, NONE});
        (void)write_loc(k, inst, loc, op->vreg, when);
        if (c->ck_count.p[ra_vreg_index(op->vreg)])
            return bad(k, inst, "wanted where the definition does not put it", op->vreg);
    }
    return true;
}

/* Definitions in the same place, or in a register that holds nothing afterwards: even if nobody reads them. Few operands are
 * definitions, so all pairs are looked at, up to a number that no register file has. */
static bool places_apart(Check *k, uint32_t i, RaPRegSet clobbers) {
    enum { MOST = 64 };
    const RaFunc *f = k->f;
    RaPRegSet regs = clobbers;
    uint32_t slot[MOST], size[MOST], n = 0;
    for (uint32_t o = f->op_start[i]; o < f->op_start[i + 1]; o++) {
        const RaOperand *op = &f->ops[o];
        if (op->kind != RA_DEF || op->constraint == RA_FIXED_NONALLOC) continue;
        RaAlloc a = k->out->allocs[o];
        if (ra_is_reg(a)) {
            if (regs >> ra_alloc_preg(a) & 1)
                return bad(k, i,
                           clobbers >> ra_alloc_preg(a) & 1
                               ? "a definition in a register that is destroyed"
                               : "two definitions in one register",
                           op->vreg);
            regs |= ra_set(ra_alloc_preg(a));
            continue;
        }
        uint32_t s = ra_alloc_slot_index(a), w = width(k, op->vreg);
        for (uint32_t q = 0; q < n; q++)
            if (s < slot[q] + size[q] && slot[q] < s + w)
                return bad(k, i, "two definitions in one slot", op->vreg);
        if (n < MOST) slot[n] = s, size[n++] = w;
    }
    return true;
}

static bool undo_inst(Check *k, uint32_t i, uint32_t *clobber, bool first_run) {
    const RaFunc *f = k->f;
    uint32_t first = f->op_start[i], end = f->op_start[i + 1];
    for (uint32_t o = first; o < end; o++) { /* late uses: still there when all is written */
        const RaOperand *op = &f->ops[o];
        if (first_run && !check_operand(k, i, o)) return false;
        if (op->kind == RA_USE && op->pos == RA_LATE && op->constraint != RA_FIXED_NONALLOC)
            demand(k, loc_of(k->out->allocs[o]), op->vreg, (When){2 * i + 2, NONE});
    }
    RaPRegSet clobbers = 0;
    while (*clobber > 0 && f->clobbers[*clobber - 1].inst >= i) {
        const RaClobber *cl = &f->clobbers[--*clobber];
        if (cl->inst == i) clobbers |= cl->regs;
    }
    if (first_run && !places_apart(k, i, clobbers)) return false;
    if (!undo_defs(k, i, RA_LATE)) return false;
    for (RaPRegSet s = clobbers; s; s &= s - 1)
        if (!write_loc(k, i, u64_ctz(s), RA_VREG_NONE, (When){0, NONE})) return false;
    for (uint32_t o = first; o < end; o++) {
        const RaOperand *op = &f->ops[o];
        if (op->kind == RA_USE && op->pos == RA_EARLY && op->constraint != RA_FIXED_NONALLOC)
            demand(k, loc_of(k->out->allocs[o]), op->vreg, (When){2 * i + 1, NONE});
    }
    return undo_defs(k, i, RA_EARLY);
}

/* The demand (loc, v) at the end of block b: queued unless known. Facts (loc, vreg, next, next
 * of the block's unprocessed ones, block) are in ck_facts. */
static void add_fact(Check *k, uint32_t b, uint32_t loc, RaVReg v) {
    RaCtx *c = k->c;
    bool fresh;
    uint32_t *head =
        hashmap_get_or_insert(c->mem, &c->ck_known, (uint64_t)b << 32 | loc, NONE, &fresh);
    for (uint32_t n = *head; n != NONE; n = c->ck_facts.p[n + 2])
        if (c->ck_facts.p[n + 1] == v) return;
    uint32_t n = c->ck_facts.n, *w = vec_extend(c->mem, &c->ck_facts, 5);
    w[0] = loc, w[1] = v, w[2] = *head, w[3] = c->ck_new.p[b], w[4] = b;
    *head = n;
    c->ck_new.p[b] = n;
    if (bitset_test_add(&c->ck_queued, b)) vec_push(c->mem, &c->ck_work, b);
}

static uint32_t first_after(uint32_t n, const void *base, size_t stride, uint32_t key) {
    uint32_t lo = 0; /* first element whose leading u32 is >= key */
    while (lo < n) {
        uint32_t mid = lo + (n - lo) / 2, x;
        memcpy(&x, (const char *)base + mid * stride, sizeof x);
        if (x < key)
            lo = mid + 1;
        else
            n = mid;
    }
    return lo;
}

static bool run_block(Check *k, uint32_t b, bool first_run) {
    RaCtx *c = k->c;
    const RaFunc *f = k->f;
    const RaBlock *rb = &f->blocks[b];
    vec_clear(&c->ck_words);
    vec_clear(&c->ck_touched);
    for (uint32_t n = c->ck_new.p[b]; n != NONE; n = c->ck_facts.p[n + 3])
        demand(k, c->ck_facts.p[n], c->ck_facts.p[n + 1], (When){2 * rb->inst_end, NONE});
    c->ck_new.p[b] = NONE;
    uint32_t e = first_after(k->out->num_edits, k->out->edits, sizeof(RaEdit), 2 * rb->inst_end);
    uint32_t cl = first_after(f->num_clobbers, f->clobbers, sizeof(RaClobber), rb->inst_end);
    for (uint32_t i = rb->inst_end; i-- > rb->inst_start;) {
        while (e > 0 && k->out->edits[e - 1].point > 2 * i)
            if (!undo_edit(k, --e)) return false;
        if (!undo_inst(k, i, &cl, first_run)) return false;
        while (e > 0 && k->out->edits[e - 1].point == 2 * i)
            if (!undo_edit(k, --e)) return false;
    }
    for (uint32_t p = rb->param_start; p < rb->param_end; p++)
        c->ck_param.p[ra_vreg_index(f->params[p])] = p + 1;
    bool ok = true;
    for (uint32_t t = 0; t < c->ck_touched.n; t++) {
        uint32_t loc = c->ck_touched.p[t];
        for (uint32_t n = c->ck_state.p[loc]; n != NONE; n = c->ck_words.p[n + 1]) {
            RaVReg v = c->ck_words.p[n];
            c->ck_count.p[ra_vreg_index(v)] = 0;
            satisfied(k, loc, n, (When){2 * rb->inst_start, NONE});
            if (rb->pred_start == rb->pred_end && ok)
                ok = bad(k, rb->inst_start, "value wanted before its definition", v);
            uint32_t at = c->ck_param.p[ra_vreg_index(v)];
            for (uint32_t p = rb->pred_start; p < rb->pred_end && ok; p++) {
                const RaBlock *pb = &f->blocks[f->preds[p]];
                for (uint32_t s = pb->succ_start; s < pb->succ_end; s++) {
                    if (f->succs[s] != b) continue;
                    RaVReg from =
                        at ? f->branch_args[f->edge_args[s] + (at - 1 - rb->param_start)] : v;
                    add_fact(k, f->preds[p], loc, from);
                    if (rb->pred_end - rb->pred_start == 1) break;
                }
            }
        }
        c->ck_state.p[loc] = NONE;
    }
    for (uint32_t p = rb->param_start; p < rb->param_end; p++)
        c->ck_param.p[ra_vreg_index(f->params[p])] = 0;
    return ok;
}

static void trace(Check *k) {
    RaCtx *c = k->c;
    for (uint32_t n = 0; n < c->ck_facts.n; n += 5) {
        uint32_t *w = &c->ck_facts.p[n];
        w[3] = c->ck_new.p[w[4]];
        c->ck_new.p[w[4]] = n;
    }
    for (uint32_t b = 0; b < k->f->num_blocks; b++) (void)run_block(k, b, false);
}

bool ra_check(RaCtx *c, const RaFunc *f, const RaEnv *env, const RaOutput *out, Diag *d) {
    return ra_check_spans(c, f, env, out, NULL, d);
}

bool ra_check_spans(RaCtx *c, const RaFunc *f, const RaEnv *env, const RaOutput *out,
                    RaSpans *spans, Diag *d) {
    Mem *m = c->mem;
    Check k = {c, f, env, out, d, 64 + out->num_slots, env->allocatable, NULL};
    for (uint32_t q = 0; q < RA_NUM_CLASSES; q++)
        if (env->scratch[q] != RA_PREG_NONE) k.may_write |= ra_set(env->scratch[q]);
    if (!check_edits(&k)) return false;
    vec_clear(&c->ck_state);
    memset(vec_extend(m, &c->ck_state, k.num_locs + 2), 0xFF, (k.num_locs + 2) * sizeof(uint32_t));
    vec_clear(&c->ck_new);
    memset(vec_extend(m, &c->ck_new, f->num_blocks), 0xFF, f->num_blocks * sizeof(uint32_t));
    vec_clear(&c->ck_count);
    vec_resize0(m, &c->ck_count, f->num_vregs);
    vec_clear(&c->ck_param);
    vec_resize0(m, &c->ck_param, f->num_vregs);
    vec_clear(&c->ck_facts);
    vec_clear(&c->ck_work);
    hashmap_clear(&c->ck_known);
    bitset_resize0(m, &c->ck_queued, f->num_blocks);
    for (uint32_t b = f->num_blocks;
         b-- > 0;) { /* each once, in the order that needs fewest runs */
        bitset_add(&c->ck_queued, b);
        bool ok = run_block(&k, b, true);
        bitset_del(&c->ck_queued, b);
        if (!ok) return false;
        if (c->ck_new.p[b] != NONE && bitset_test_add(&c->ck_queued, b))
            vec_push(m, &c->ck_work, b);
    }
    while (c->ck_work.n) {
        uint32_t b = vec_pop(&c->ck_work);
        bitset_del(&c->ck_queued, b);
        if (c->ck_new.p[b] != NONE && !run_block(&k, b, false)) return false;
    }
    if (spans) {
        k.spans = spans;
        trace(&k);
    }
    return true;
}
