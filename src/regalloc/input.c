/* regalloc/input.c — is the allocator's input what regalloc.h says?
 *
 * Ranges, order of blocks, edges, operands, one definition per vreg, and that each use is dominated by its
 * definition. Dominators: immediate ones by semi-dominators over a depth-first tree (the nearest common ancestor of
 * the semi-dominator and the tree parent); intervals of a preorder of that tree then answer questions at once.
 * Cost: O(input * log) by path compression; no recursion. Ref: Georgiadis 2005, "Linear-time algorithms for
 * dominators and related problems" (semi-NCA). */
#include "regalloc/ra_int.h"

#define NONE UINT32_MAX

static bool bad(Diag *d, const char *what, const char *kind, uint32_t n) {
    return diag_msg(d, DIAG_INVALID, "allocator input: %s (%s %u)", what, kind, n);
}

/* ---- shape ---- */
static bool check_edges(const RaFunc *f, uint32_t b, Diag *d) {
    const RaBlock *rb = &f->blocks[b];
    bool many = rb->succ_end - rb->succ_start > 1;
    for (uint32_t s = rb->succ_start; s < rb->succ_end; s++) {
        if (f->succs[s] >= f->num_blocks) return bad(d, "no such successor", "block", b);
        if (f->succs[s] == 0) return bad(d, "the entry has a predecessor", "block", b);
        const RaBlock *t = &f->blocks[f->succs[s]];
        if (f->edge_args[s + 1] - f->edge_args[s] != t->param_end - t->param_start)
            return bad(d, "wrong number of arguments", "block", b);
        for (uint32_t k = f->edge_args[s]; k < f->edge_args[s + 1]; k++) {
            RaVReg a = f->branch_args[k], p = f->params[t->param_start + (k - f->edge_args[s])];
            if (ra_vreg_index(a) >= f->num_vregs) return bad(d, "no such argument", "block", b);
            if (ra_vreg_class(a) != ra_vreg_class(p) ||
                ra_move_slots(f->vreg_slots, a) != ra_move_slots(f->vreg_slots, p))
                return bad(d, "an argument is not of its parameter's class and size", "block", b);
        }
        if (many && t->pred_end - t->pred_start > 1)
            return bad(d, "critical edge from", "block", b);
    }
    bool before = b == 0;
    for (uint32_t p = rb->pred_start; p < rb->pred_end; p++) {
        if (f->preds[p] >= f->num_blocks) return bad(d, "no such predecessor", "block", b);
        before |= f->preds[p] < b;
    }
    if (!before) return bad(d, "no predecessor stands before", "block", b);
    uint32_t last = rb->inst_end - 1;
    bool join = rb->succ_end - rb->succ_start == 1 &&
                f->blocks[f->succs[rb->succ_start]].pred_end -
                        f->blocks[f->succs[rb->succ_start]].pred_start >
                    1;
    if (join && f->op_start[last] != f->op_start[last + 1])
        return bad(d, "a jump with operands", "block", b);
    return true;
}

/* Predecessors are exactly the successor edges turned round. */
static bool check_preds(RaCtx *c, const RaFunc *f, Diag *d) {
    vec_clear(&c->in_number);
    vec_resize0(c->mem, &c->in_number, f->num_blocks);
    uint32_t *n = c->in_number.p;
    for (uint32_t b = 0; b < f->num_blocks; b++)
        for (uint32_t s = f->blocks[b].succ_start; s < f->blocks[b].succ_end; s++) n[f->succs[s]]++;
    uint64_t sum = 0;
    for (uint32_t b = 0; b < f->num_blocks; b++) {
        const RaBlock *rb = &f->blocks[b];
        if (rb->pred_end - rb->pred_start != n[b])
            return bad(d, "predecessors and successors disagree", "block", b);
        for (uint32_t p = rb->pred_start; p < rb->pred_end; p++)
            sum += hash_u64((uint64_t)f->preds[p] << 32 | b);
        for (uint32_t s = rb->succ_start; s < rb->succ_end; s++)
            sum -= hash_u64((uint64_t)b << 32 | f->succs[s]);
    }
    return sum == 0 || bad(d, "predecessors and successors disagree", "block", 0);
}

static bool define(RaCtx *c, const RaFunc *f, RaVReg v, uint32_t block, Diag *d) {
    if (ra_vreg_index(v) >= f->num_vregs) return bad(d, "out of range", "vreg", ra_vreg_index(v));
    if (c->in_def.p[ra_vreg_index(v)] != NONE)
        return bad(d, "defined twice", "vreg", ra_vreg_index(v));
    c->in_def.p[ra_vreg_index(v)] = block;
    return true;
}

/* ---- operands ---- */
static const char *operand_fault(const RaFunc *f, const RaEnv *env, uint32_t i, uint32_t o) {
    const RaOperand *op = &f->ops[o];
    uint32_t first = f->op_start[i], n = f->op_start[i + 1] - first;
    if (op->constraint > RA_FIXED_NONALLOC) return "unknown constraint";
    if (op->constraint == RA_FIXED_NONALLOC) {
        if (op->vreg != RA_VREG_NONE) return "an operand in a register of its own has a vreg";
        return op->arg >= 64 || (env->allocatable >> op->arg & 1)
                   ? "register of its own that is allocatable"
                   : NULL;
    }
    if (ra_vreg_index(op->vreg) >= f->num_vregs) return "no such vreg";
    if (op->constraint == RA_FIXED &&
        (op->arg >= 64 ||
         !((RA_CLASS_MASK(ra_vreg_class(op->vreg)) & env->allocatable) >> op->arg & 1)))
        return "fixed register of another class or not allocatable";
    if (op->constraint == RA_LIMIT && (op->arg == 0 || op->arg > 32)) return "wrong limit";
    if (op->constraint != RA_REUSE) return NULL;
    if (op->kind != RA_DEF || op->pos != RA_LATE || op->arg >= n) return "misplaced reuse";
    const RaOperand *in = &f->ops[first + op->arg];
    if (in->kind != RA_USE || in->pos != RA_EARLY || in->constraint == RA_STACK ||
        in->constraint == RA_FIXED_NONALLOC || ra_vreg_class(in->vreg) != ra_vreg_class(op->vreg))
        return "reuse of something that is not an early use in a register";
    return NULL;
}

/* Fixed registers that are asked for twice in one half, reuses of one input. */
static const char *conflict(const RaFunc *f, uint32_t i, RaPRegSet clobbers) {
    RaPRegSet uses = 0, late_uses = 0, defs = 0, early_defs = 0;
    uint32_t first = f->op_start[i], user[64];
    uint64_t reused[4] = {0};
    for (uint32_t o = first; o < f->op_start[i + 1]; o++) {
        const RaOperand *op = &f->ops[o];
        if (op->constraint == RA_REUSE) {
            if (reused[op->arg / 64] >> op->arg % 64 & 1) return "one input is reused twice";
            reused[op->arg / 64] |= (uint64_t)1 << op->arg % 64;
        }
        if (op->constraint != RA_FIXED) continue;
        RaPRegSet r = ra_set(op->arg);
        if (op->kind == RA_USE) {
            if ((uses & r) && user[op->arg] != op->vreg) return "two uses in one fixed register";
            user[op->arg] = op->vreg;
            uses |= r;
            if (op->pos == RA_LATE) late_uses |= r;
        } else {
            if (defs & r) return "two definitions in one fixed register";
            defs |= r;
            if (op->pos == RA_EARLY) early_defs |= r;
        }
    }
    for (uint32_t o = first; o < f->op_start[i + 1]; o++) {
        const RaOperand *op = &f->ops[o];
        if (op->constraint == RA_REUSE && f->ops[first + op->arg].constraint == RA_FIXED)
            defs |= ra_set(f->ops[first + op->arg].arg);
    }
    if ((uses & early_defs) || (late_uses & defs))
        return "a use and a definition in one fixed register at once";
    if (clobbers & (defs | late_uses)) return "a clobbered register is also an operand";
    return NULL;
}

static bool check_operands(RaCtx *c, const RaFunc *f, const RaEnv *env, uint32_t b, Diag *d,
                           uint32_t *cl) {
    const RaBlock *rb = &f->blocks[b];
    for (uint32_t i = rb->inst_start; i < rb->inst_end; i++) {
        const char *fault = f->op_start[i] > f->op_start[i + 1] ? "wrong operand range" : NULL;
        for (uint32_t o = f->op_start[i]; o < f->op_start[i + 1] && !fault; o++)
            fault = operand_fault(f, env, i, o);
        RaPRegSet clobbers = 0;
        for (; *cl < f->num_clobbers && f->clobbers[*cl].inst <= i; ++*cl) {
            if (f->clobbers[*cl].inst < i) fault = "clobbers out of order";
            clobbers |= f->clobbers[*cl].regs;
        }
        if (!fault) fault = conflict(f, i, clobbers);
        if (fault) return bad(d, fault, "instruction", i);
        for (uint32_t o = f->op_start[i]; o < f->op_start[i + 1]; o++)
            if (f->ops[o].kind == RA_DEF && f->ops[o].constraint != RA_FIXED_NONALLOC &&
                !define(c, f, f->ops[o].vreg, b, d))
                return false;
    }
    return true;
}

/* ---- dominators ---- */
/* Preorder numbers in in_number, blocks by number in in_order, parents' numbers by number in ck_work. */
static void depth_first(RaCtx *c, const RaFunc *f) {
    Mem *m = c->mem;
    uint32_t n = f->num_blocks;
    memset(c->in_number.p, 0xFF, n * sizeof(uint32_t));
    vec_clear(&c->in_order);
    vec_clear(&c->in_stack);
    vec_clear(&c->ck_work);
    c->in_number.p[0] = 0;
    vec_push(m, &c->in_order, 0);
    vec_push(m, &c->ck_work, 0);
    vec_push(m, &c->in_stack, (InFrame){0, f->blocks[0].succ_start});
    while (c->in_stack.n) {
        InFrame *fr = &vec_last(&c->in_stack);
        if (fr->next == f->blocks[fr->block].succ_end) {
            c->in_stack.n--;
            continue;
        }
        uint32_t s = f->succs[fr->next++];
        if (c->in_number.p[s] != NONE) continue;
        c->in_number.p[s] = c->in_order.n;
        vec_push(m, &c->ck_work, c->in_number.p[fr->block]);
        vec_push(m, &c->in_order, s);
        vec_push(m, &c->in_stack, (InFrame){s, f->blocks[s].succ_start});
    }
}

/* The vertex of smallest semi-dominator on the path from v up to, without, the roots of numbers < from. */
static uint32_t eval(RaCtx *c, uint32_t v, uint32_t from, uint32_t *anc, uint32_t *label,
                     const uint32_t *semi) {
    if (v < from) return v;
    vec_clear(&c->ck_new);
    for (uint32_t u = v; u >= from; u = anc[u]) vec_push(c->mem, &c->ck_new, u);
    uint32_t k = c->ck_new.n - 1, top = anc[c->ck_new.p[k]];
    for (uint32_t best = label[c->ck_new.p[k]]; k-- > 0;) { /* compress downwards */
        uint32_t u = c->ck_new.p[k];
        if (semi[best] < semi[label[u]]) label[u] = best;
        best = label[u];
        anc[u] = top;
    }
    return label[v];
}

/* Interval [in_number[b], in_idom[b]) of each block in a preorder of the dominator tree. */
static void dominators(RaCtx *c, const RaFunc *f) {
    Mem *m = c->mem;
    depth_first(c, f);
    uint32_t n = c->in_order.n, *parent = c->ck_work.p, *order = c->in_order.p;
    vec_clear(&c->ck_words);
    uint32_t *semi = vec_extend(m, &c->ck_words, 4 * n), *label = semi + n, *anc = label + n,
             *idom = anc + n;
    for (uint32_t v = 0; v < n; v++) semi[v] = label[v] = v, anc[v] = idom[v] = parent[v];
    for (uint32_t v = n; v-- > 1;) {
        const RaBlock *rb = &f->blocks[order[v]];
        for (uint32_t p = rb->pred_start; p < rb->pred_end; p++) {
            uint32_t u = c->in_number.p[f->preds[p]];
            if (u == NONE) continue;
            uint32_t s = semi[eval(c, u, v + 1, anc, label, semi)];
            if (s < semi[v]) semi[v] = s;
        }
    }
    for (uint32_t v = 1; v < n; v++)
        while (idom[v] > semi[v]) idom[v] = idom[idom[v]];
    /* sizes, then preorder numbers: a child's interval follows those of its elder siblings */
    uint32_t *size = label, *next = anc;
    for (uint32_t v = 0; v < n; v++) size[v] = 1;
    for (uint32_t v = n; v-- > 1;) size[idom[v]] += size[v];
    vec_clear(&c->in_idom);
    vec_resize0(m, &c->in_idom, f->num_blocks);
    for (uint32_t v = 0; v < n; v++) {
        uint32_t at = 0;
        if (v) {
            at = next[idom[v]];
            next[idom[v]] += size[v];
        }
        next[v] = at + 1;
        c->in_number.p[order[v]] = at;
        c->in_idom.p[order[v]] = at + size[v];
    }
}

static bool check_use(const RaCtx *c, RaVReg v, uint32_t b, Diag *d) {
    uint32_t at = c->in_def.p[ra_vreg_index(v)];
    if (at == NONE) return bad(d, "used but not defined", "vreg", ra_vreg_index(v));
    if (c->in_number.p[at] > c->in_number.p[b] || c->in_number.p[b] >= c->in_idom.p[at])
        return bad(d, "a use is not dominated by the definition", "vreg", ra_vreg_index(v));
    return true;
}

/* Uses of block b, in order; ck_queued tells which values of this block are defined already. */
static bool check_uses(RaCtx *c, const RaFunc *f, uint32_t b, Diag *d) {
    const RaBlock *rb = &f->blocks[b];
    for (uint32_t k = rb->param_start; k < rb->param_end; k++)
        bitset_add(&c->ck_queued, ra_vreg_index(f->params[k]));
    for (uint32_t i = rb->inst_start; i < rb->inst_end; i++) {
        for (uint32_t o = f->op_start[i]; o < f->op_start[i + 1]; o++) {
            const RaOperand *op = &f->ops[o];
            if (op->kind != RA_USE || op->constraint == RA_FIXED_NONALLOC) continue;
            uint32_t v = ra_vreg_index(op->vreg);
            if (!check_use(c, op->vreg, b, d)) return false;
            if (c->in_def.p[v] == b && !bitset_has(&c->ck_queued, v))
                return bad(d, "used before its definition", "vreg", v);
        }
        bool temps = f->inst_flags[i] & RA_INST_BRANCH; /* its definitions never count as defined */
        for (uint32_t o = f->op_start[i]; o < f->op_start[i + 1]; o++) {
            const RaOperand *op = &f->ops[o];
            if (op->kind != RA_DEF || op->constraint == RA_FIXED_NONALLOC) continue;
            if (temps)
                c->in_def.p[ra_vreg_index(op->vreg)] = NONE;
            else
                bitset_add(&c->ck_queued, ra_vreg_index(op->vreg));
        }
    }
    if (rb->succ_start == rb->succ_end) return true;
    for (uint32_t k = f->edge_args[rb->succ_start]; k < f->edge_args[rb->succ_end]; k++)
        if (!check_use(c, f->branch_args[k], b, d)) return false;
    return true;
}

bool ra_check_input(RaCtx *c, const RaFunc *f, const RaEnv *env, Diag *d) {
    Mem *m = c->mem;
    if (f->num_blocks == 0) return bad(d, "no entry", "block", 0);
    vec_clear(&c->in_def);
    memset(vec_extend(m, &c->in_def, f->num_vregs + 1), 0xFF, f->num_vregs * sizeof(uint32_t));
    uint32_t at = 0, cl = 0;
    if (f->blocks[0].param_start != f->blocks[0].param_end)
        return bad(d, "the entry has parameters", "block", 0);
    for (uint32_t b = 0; b < f->num_blocks; b++) {
        const RaBlock *rb = &f->blocks[b];
        if (rb->inst_start != at || rb->inst_end <= rb->inst_start || rb->inst_end > f->num_insts)
            return bad(d, "wrong instruction range", "block", b);
        at = rb->inst_end;
        for (uint32_t k = rb->param_start; k < rb->param_end; k++)
            if (!define(c, f, f->params[k], b, d)) return false;
    }
    if (at != f->num_insts) return bad(d, "instructions outside all blocks", "instruction", at);
    for (uint32_t b = 0; b < f->num_blocks; b++)
        if (!check_edges(f, b, d) || !check_operands(c, f, env, b, d, &cl)) return false;
    if (!check_preds(c, f, d)) return false;
    dominators(c, f);
    bitset_resize0(m, &c->ck_queued, f->num_vregs);
    for (uint32_t b = 0; b < f->num_blocks; b++)
        if (!check_uses(c, f, b, d)) return false;
    return true;
}
