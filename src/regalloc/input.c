/* regalloc/input.c — is the allocator's input what regalloc.h says?
 *
 * Ranges, order of blocks, edges, operands, one definition per vreg, and that each use is dominated by its
 * definition. Dominators: immediate ones by semi-dominators over a depth-first tree (the nearest common ancestor of
 * the semi-dominator and the tree parent); intervals of a preorder of that tree then answer questions at once.
 * Cost: O(input * log) by path compression; no recursion. Ref: Georgiadis 2005, "Linear-time algorithms for
 * dominators and related problems" (semi-NCA). */
#include "regalloc/ra_int.h"

#define NONE UINT32_MAX

static bool bad(RaCtx *c, Diag *d, const char *what, RaFaultKind kind, uint32_t n) {
    static const char *const names[] = {
        [RA_FAULT_BLOCK] = "block", [RA_FAULT_INST] = "instruction", [RA_FAULT_VREG] = "vreg"};
    c->fault = (RaFault){kind, n};
    if (kind == RA_FAULT_MACHINE) return diag_msg(d, DIAG_INVALID, "allocator input: %s", what);
    return diag_msg(d, DIAG_INVALID, "allocator input: %s (%s %u)", what, names[kind], n);
}

/* ---- shape ---- */
static bool check_edges(RaCtx *c, const RaFunc *f, uint32_t b, Diag *d) {
    const RaBlock *rb = &f->blocks[b];
    bool many = rb->succ_end - rb->succ_start > 1;
    for (uint32_t s = rb->succ_start; s < rb->succ_end; s++) {
        if (f->succs[s] >= f->num_blocks) return bad(c, d, "no such successor", RA_FAULT_BLOCK, b);
        if (f->succs[s] == 0) return bad(c, d, "the entry has a predecessor", RA_FAULT_BLOCK, b);
        const RaBlock *t = &f->blocks[f->succs[s]];
        if (f->edge_args[s + 1] - f->edge_args[s] != t->param_end - t->param_start)
            return bad(c, d, "wrong number of arguments", RA_FAULT_BLOCK, b);
        for (uint32_t k = f->edge_args[s]; k < f->edge_args[s + 1]; k++) {
            RaVReg a = f->branch_args[k], p = f->params[t->param_start + (k - f->edge_args[s])];
            if (ra_vreg_index(a) >= f->num_vregs)
                return bad(c, d, "no such argument", RA_FAULT_BLOCK, b);
            if (ra_vreg_class(a) != ra_vreg_class(p) ||
                ra_move_slots(f->vreg_slots, a) != ra_move_slots(f->vreg_slots, p))
                return bad(c, d, "an argument is not of its parameter's class and size",
                           RA_FAULT_BLOCK, b);
        }
        if (many && t->pred_end - t->pred_start > 1)
            return bad(c, d, "critical edge from", RA_FAULT_BLOCK, b);
    }
    const uint8_t *fl = f->inst_flags;
    for (uint32_t i = rb->inst_start; i < rb->inst_end; i++) {
        bool is_last = i + 1 == rb->inst_end;
        if (fl[i] & (RA_INST_BRANCH | RA_INST_RET) && !is_last)
            return bad(c, d, "a branch or return before the end of its block", RA_FAULT_INST, i);
        if (fl[i] & RA_INST_RET && rb->succ_start != rb->succ_end)
            return bad(c, d, "a return with successors", RA_FAULT_INST, i);
        if (is_last && rb->succ_start != rb->succ_end && !(fl[i] & RA_INST_BRANCH))
            return bad(c, d, "a block with successors that does not end in a branch",
                       RA_FAULT_BLOCK, b);
        if (fl[i] & RA_INST_ENTRY && i != 0)
            return bad(c, d, "an entry that is not the first instruction", RA_FAULT_INST, i);
    }
    bool before = b == 0;
    for (uint32_t p = rb->pred_start; p < rb->pred_end; p++) {
        if (f->preds[p] >= f->num_blocks)
            return bad(c, d, "no such predecessor", RA_FAULT_BLOCK, b);
        before |= f->preds[p] < b;
    }
    if (!before) return bad(c, d, "no predecessor stands before", RA_FAULT_BLOCK, b);
    uint32_t last = rb->inst_end - 1;
    bool join = rb->succ_end - rb->succ_start == 1 &&
                f->blocks[f->succs[rb->succ_start]].pred_end -
                        f->blocks[f->succs[rb->succ_start]].pred_start >
                    1;
    if (join && f->op_start[last] != f->op_start[last + 1])
        return bad(c, d, "a jump with operands", RA_FAULT_BLOCK, b);
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
            return bad(c, d, "predecessors and successors disagree", RA_FAULT_BLOCK, b);
        for (uint32_t p = rb->pred_start; p < rb->pred_end; p++)
            sum += hash_u64((uint64_t)f->preds[p] << 32 | b);
        for (uint32_t s = rb->succ_start; s < rb->succ_end; s++)
            sum -= hash_u64((uint64_t)b << 32 | f->succs[s]);
    }
    return sum == 0 || bad(c, d, "predecessors and successors disagree", RA_FAULT_BLOCK, 0);
}

static bool define(RaCtx *c, const RaFunc *f, RaVReg v, uint32_t block, Diag *d) {
    if (ra_vreg_index(v) >= f->num_vregs)
        return bad(c, d, "out of range", RA_FAULT_VREG, ra_vreg_index(v));
    if (c->in_def.p[ra_vreg_index(v)] != NONE)
        return bad(c, d, "defined twice", RA_FAULT_VREG, ra_vreg_index(v));
    if (f->vreg_slots &&
        (f->vreg_slots[ra_vreg_index(v)] < 1 || f->vreg_slots[ra_vreg_index(v)] > 2))
        return bad(c, d, "a value takes one or two slots", RA_FAULT_VREG, ra_vreg_index(v));
    c->in_def.p[ra_vreg_index(v)] = block | (uint32_t)ra_vreg_class(v) << 31;
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

static const char *move_fault(const RaFunc *f, uint32_t i) {
    if (!(f->inst_flags[i] & RA_INST_MOVE)) return NULL;
    const RaOperand *op = &f->ops[f->op_start[i]];
    bool two = f->op_start[i + 1] - f->op_start[i] == 2 && op[0].kind == RA_DEF &&
               op[1].kind == RA_USE && op[0].constraint != RA_FIXED_NONALLOC &&
               op[1].constraint != RA_FIXED_NONALLOC;
    return two && ra_vreg_class(op[0].vreg) == ra_vreg_class(op[1].vreg)
               ? NULL
               : "a move that is not a definition and a use of one class";
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
        if (op->constraint != RA_REUSE || f->ops[first + op->arg].constraint != RA_FIXED) continue;
        RaPRegSet r = ra_set(f->ops[first + op->arg].arg);
        if (defs & r) return "two definitions in one fixed register";
        defs |= r;
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
        if (!fault) fault = move_fault(f, i);
        if (!fault) fault = conflict(f, i, clobbers);
        if (fault) return bad(c, d, fault, RA_FAULT_INST, i);
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

static bool check_use(RaCtx *c, RaVReg v, uint32_t b, Diag *d) {
    uint32_t def = c->in_def.p[ra_vreg_index(v)], at = def & 0x7FFFFFFF;
    if (def != NONE && def >> 31 != (uint32_t)ra_vreg_class(v))
        return bad(c, d, "a use of another class than the definition", RA_FAULT_VREG,
                   ra_vreg_index(v));
    if (def == NONE) return bad(c, d, "used but not defined", RA_FAULT_VREG, ra_vreg_index(v));
    if (c->in_number.p[at] > c->in_number.p[b] || c->in_number.p[b] >= c->in_idom.p[at])
        return bad(c, d, "a use is not dominated by the definition", RA_FAULT_VREG,
                   ra_vreg_index(v));
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
            if ((c->in_def.p[v] & 0x7FFFFFFF) == b && !bitset_has(&c->ck_queued, v))
                return bad(c, d, "used before its definition", RA_FAULT_VREG, v);
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

static bool check_machine(RaCtx *c, const RaEnv *env, Diag *d) {
    RaPRegSet listed = 0;
    for (uint32_t k = 0; k < RA_NUM_CLASSES; k++) {
        for (uint32_t n = 0; n < 32 && env->order[k][n] != RA_PREG_NONE; n++) {
            RaPReg r = env->order[k][n];
            if (r / 32 != k || listed >> r & 1)
                return bad(c, d, "a register is listed twice, or in the other class",
                           RA_FAULT_MACHINE, 0);
            listed |= ra_set(r);
        }
        RaPReg t = env->scratch[k];
        if (t != RA_PREG_NONE && (t / 32 != k || env->allocatable >> t & 1))
            return bad(c, d, "a scratch register is allocatable, or of the other class",
                       RA_FAULT_MACHINE, 0);
    }
    return listed == env->allocatable ||
           bad(c, d, "the registers listed are not the allocatable ones", RA_FAULT_MACHINE, 0);
}

bool ra_check_input(RaCtx *c, const RaFunc *f, const RaEnv *env, Diag *d) {
    Mem *m = c->mem;
    if (f->num_blocks == 0) return bad(c, d, "no entry", RA_FAULT_BLOCK, 0);
    vec_clear(&c->in_def);
    memset(vec_extend(m, &c->in_def, f->num_vregs + 1), 0xFF, f->num_vregs * sizeof(uint32_t));
    uint32_t at = 0, cl = 0;
    if (!check_machine(c, env, d)) return false;
    if (f->blocks[0].param_start != f->blocks[0].param_end)
        return bad(c, d, "the entry has parameters", RA_FAULT_BLOCK, 0);
    for (uint32_t b = 0; b < f->num_blocks; b++) {
        const RaBlock *rb = &f->blocks[b];
        if (rb->inst_start != at || rb->inst_end <= rb->inst_start || rb->inst_end > f->num_insts)
            return bad(c, d, "wrong instruction range", RA_FAULT_BLOCK, b);
        at = rb->inst_end;
        for (uint32_t k = rb->param_start; k < rb->param_end; k++)
            if (!define(c, f, f->params[k], b, d)) return false;
    }
    if (at != f->num_insts) return bad(c, d, "instructions outside all blocks", RA_FAULT_INST, at);
    for (uint32_t b = 0; b < f->num_blocks; b++)
        if (!check_edges(c, f, b, d) || !check_operands(c, f, env, b, d, &cl)) return false;
    if (cl < f->num_clobbers)
        return bad(c, d, "clobbers of an instruction that is not there", RA_FAULT_INST,
                   f->clobbers[cl].inst);
    if (!check_preds(c, f, d)) return false;
    dominators(c, f);
    bitset_resize0(m, &c->ck_queued, f->num_vregs);
    for (uint32_t b = 0; b < f->num_blocks; b++)
        if (!check_uses(c, f, b, d)) return false;
    return true;
}
