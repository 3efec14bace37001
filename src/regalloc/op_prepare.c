/* regalloc/op_prepare.c — the one-pass allocator's backward pass: loops, lives, uses, hints.
 *
 * Going backward, the first operand seen of a vreg is its last use, and each use threads the one after it, so that the
 * forward scan knows the next use of a value at once; the thread lies where the operand's allocation will be written. When
 * the definition is reached, its life is closed over the loops. Calls are counted from the end: a value crosses one if
 * fewer remain at its last use than at its definition.
 * Cost: O(operands + blocks). */
#include "regalloc/op_int.h"

static void find_loops(Pass *p) {
    RaCtx *c = p->c;
    const RaFunc *f = p->f;
    Mem *m = c->mem;
    vec_clear(&c->loops);
    vec_clear(&c->loop_of);
    vec_clear(&c->pred_edge);
    uint32_t *pred_edge = vec_extend(m, &c->pred_edge, f->num_blocks);
    uint32_t *last = vec_extend(m, &c->loop_of, f->num_blocks); /* first: a header's last latch */
    memset(last, 0xFF, f->num_blocks * sizeof *last);
    bool any = false;
    for (uint32_t b = 0; b < f->num_blocks; b++)
        for (uint32_t e = f->blocks[b].succ_start; e < f->blocks[b].succ_end; e++) {
            uint32_t s = f->succs[e];
            pred_edge[s] = e;
            if (s <= b) {
                last[s] = b; /* b ascends */
                any = true;
            }
        }
    if (!any) return;
    /* Make the intervals nest: one that ends after its outer one extends it. The innermost is on top of the stack, so
     * that an outer one need not know before the inner one is left. */
    vec_clear(&c->loop_stack);
    for (uint32_t b = 0; b <= f->num_blocks; b++) {
        while (c->loop_stack.n) {
            const OpLoop *l = &c->loops.p[vec_last(&c->loop_stack)];
            if (b < f->num_blocks && l->last_block >= b) break;
            c->loop_stack.n--;
            if (l->parent != NONE && c->loops.p[l->parent].last_block < l->last_block)
                c->loops.p[l->parent].last_block = l->last_block;
        }
        if (b == f->num_blocks) break;
        if (last[b] != NONE) {
            uint32_t up = c->loop_stack.n ? vec_last(&c->loop_stack) : NONE, self = c->loops.n;
            vec_push(m, &c->loops,
                     (OpLoop){b, last[b], up, up == NONE ? self : c->loops.p[up].root});
            vec_push(m, &c->loop_stack, self);
        }
        last[b] = c->loop_stack.n ? vec_last(&c->loop_stack) : NONE;
    }
}

/* The definition of v in block b was reached: its life lasts until the end of the outermost loop that its last use is
 * in and it is not. (Another use's loop that ends later contains the last use too.) */
static void close_life(Pass *p, OpVReg *v, uint32_t b) {
    RaCtx *c = p->c;
    uint32_t use_block = v->slot;
    v->def_block = b;
    v->slot = NONE;
    if (use_block == b || v->last == 0 || c->loops.n == 0) return;
    uint32_t out = NONE, steps = 0;
    for (uint32_t l = c->loop_of.p[use_block]; l != NONE && c->loops.p[l].header > b;
         l = c->loops.p[l].parent) {
        out = l;
        if (++steps == LOOP_MAX_WALK) {
            out = c->loops.p[l].root; /* at least as far */
            break;
        }
    }
    if (out == NONE) return;
    v->last = op_loop_end(p, out);
    v->calls_last = c->block_calls.p[c->loops.p[out].last_block];
}

static void see_use(OpVReg *v, uint32_t pos, uint32_t block, uint32_t calls) {
    if (v->last == 0) {
        v->last = pos;
        v->slot = block;
        v->calls_last = calls;
    }
    v->next = pos;
}

/* The input of a reuse or move should get what the result should get, if it dies here. */
static void hand_on_hint(Pass *p, uint32_t def, uint32_t use, uint32_t inst) {
    const RaOperand *d = &p->f->ops[def], *u = &p->f->ops[use];
    OpVReg *v = &p->v[ra_vreg_index(u->vreg)];
    if (v->last != 2 * inst || u->constraint == RA_FIXED) return;
    uint32_t h = p->v[ra_vreg_index(d->vreg)].hint;
    if (d->constraint == RA_FIXED) h = HINT_REG | d->arg;
    if (h != HINT_NONE) v->hint = h;
}

/* Operands of instruction i, last to first. */
static uint8_t see_inst(Pass *p, uint32_t i, uint32_t b, uint32_t calls_after, bool call) {
    const RaFunc *f = p->f;
    const RaOperand *ops = f->ops;
    OpVReg *vregs = p->v;
    RaAlloc *allocs = p->allocs;
    uint32_t first = f->op_start[i], end = f->op_start[i + 1], reuse = NONE;
    uint8_t kind = KIND_SIMPLE;
    if (first == end) return KIND_EMPTY;
    for (uint32_t o = end; o-- > first;) {
        const RaOperand op = ops[o];
        if (op.constraint == RA_FIXED_NONALLOC) {
            kind = KIND_HARD;
            continue;
        }
        OpVReg *v = &vregs[ra_vreg_index(op.vreg)];
        if (op.kind == RA_USE) {
            allocs[o] = v->next;
            if (op.constraint == RA_FIXED && v->hint == HINT_NONE) v->hint = HINT_REG | op.arg;
            see_use(v, 2 * i, b, calls_after + call);
            if (op.constraint > RA_REG || op.pos == RA_LATE) kind = KIND_HARD;
        } else {
            v->def_inst = i;
            v->is_float = ra_vreg_class(op.vreg);
            close_life(p, v, b);
            if (op.constraint == RA_REUSE && reuse == NONE) {
                reuse = o;
                if (kind == KIND_SIMPLE) kind = KIND_REUSE;
            } else if (op.constraint > RA_REG || op.pos == RA_EARLY)
                kind = KIND_HARD;
        }
    }
    if (f->inst_flags[i] & RA_INST_MOVE)
        hand_on_hint(p, first, first + 1, i);
    else if (reuse != NONE)
        hand_on_hint(p, reuse, first + ops[reuse].arg, i);
    return kind;
}

static void see_edges(Pass *p, uint32_t b, uint32_t calls_after) {
    RaCtx *c = p->c;
    const RaFunc *f = p->f;
    const RaBlock *rb = &f->blocks[b];
    uint32_t pos = 2 * rb->inst_end - 1;
    for (uint32_t e = rb->succ_end; e-- > rb->succ_start;) {
        const RaBlock *t = &f->blocks[f->succs[e]];
        uint32_t a0 = f->edge_args[e];
        for (uint32_t k = f->edge_args[e + 1]; k-- > a0;) {
            OpVReg *v = &p->v[ra_vreg_index(f->branch_args[k])];
            if (v->hint == HINT_NONE)
                v->hint = HINT_VREG | ra_vreg_index(f->params[t->param_start + (k - a0)]);
            c->edge_next.p[k] = v->next;
            see_use(v, pos, b, calls_after);
        }
    }
}

void op_prepare(Pass *p) {
    RaCtx *c = p->c;
    const RaFunc *f = p->f;
    Mem *m = c->mem;
    vec_clear(&c->v);
    OpVReg *v = p->v = vec_extend(m, &c->v, f->num_vregs);
    const OpVReg fresh = {.next = NONE,
                          .slot = NONE,
                          .reg = RA_PREG_NONE,
                          .def_reg = RA_PREG_NONE,
                          .last_reg = RA_PREG_NONE};
    for (uint32_t i = 0; i < f->num_vregs; i++) v[i] = fresh;
    vec_clear(&c->allocs);
    p->allocs = vec_extend(m, &c->allocs, f->op_start[f->num_insts] + 1);
    vec_clear(&c->edge_next);
    (void)vec_extend(m, &c->edge_next, f->edge_args[f->blocks[f->num_blocks - 1].succ_end] + 1);
    vec_clear(&c->inst_kind);
    uint8_t *kind = vec_extend(m, &c->inst_kind, f->num_insts);
    vec_clear(&c->block_calls);
    uint32_t *block_calls = vec_extend(m, &c->block_calls, f->num_blocks);
    find_loops(p);
    uint32_t calls = 0, cl = f->num_clobbers;
    for (uint32_t b = f->num_blocks; b-- > 0;) {
        const RaBlock *rb = &f->blocks[b];
        block_calls[b] = calls;
        see_edges(p, b, calls);
        for (uint32_t i = rb->inst_end; i-- > rb->inst_start;) {
            bool call = f->inst_flags[i] & RA_INST_CALL;
            kind[i] = see_inst(p, i, b, calls, call);
            while (cl > 0 && f->clobbers[cl - 1].inst >= i) {
                cl--;
                kind[i] = KIND_HARD;
            }
            calls += call;
        }
        for (uint32_t k = rb->param_start; k < rb->param_end; k++) {
            OpVReg *pv = &v[ra_vreg_index(f->params[k])];
            pv->def_inst = rb->inst_start;
            pv->is_param = 1;
            pv->is_float = ra_vreg_class(f->params[k]);
            close_life(p, pv, b);
        }
    }
    p->calls_left = calls;
}
