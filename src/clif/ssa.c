/* clif/ssa.c — SSA construction for mutable variables while the CFG is being built.
 *
 * Problem     Give each read of a variable the SSA value that reaches it, adding block parameters where
 *             different values meet, in one pass, before all edges are known, in near-linear time for 10^5
 *             blocks and 5*10^4 variables. Most reads cross joins between which the variable was not written:
 *             they must not pay for the join.
 * Idea        Braun et al.: look in the block, else in the predecessors; a block that is not sealed promises a
 *             parameter and settles it when sealed. Beyond the paper, dominators say where to look:
 *             - A block sealed before it is filled hangs below the nearest common dominator of its predecessors.
 *               Others (loop headers) are roots of trees of their own; a root keeps the block above it (`up`)
 *               once sealing has shown that all its later predecessors are below it.
 *             - The definitions of a variable form a list, newest block first by `seq`, the order in which
 *               filling began. Blocks on a path from p to c, where p is c's parent, began between p and c
 *               (up to the sealing, for a root). So if the list has nothing in that range, the variable is
 *               the same at both: c needs no parameter. Otherwise a join gets one, settled by asking its
 *               predecessors, found again by a hash map; a block with one predecessor asks its parent.
 *             - Trees and lists have skew-binary jump pointers (Myers 1983): each step is O(log n).
 *             - A parameter is not put into its block's list before it is known to be needed, so nothing is
 *               ever removed; a needless one becomes an alias.
 *             - An explicit stack of frames takes the place of the recursion over predecessors.
 * Invariants  1. Each variable's list is strictly descending in seq, hence has one entry per block.
 *             2. seq grows from parent to child, so the lists' order and the trees' agree.
 *             3. A block is linked below p only if no block begun after p is unsealed; and a block that began
 *                without a predecessor is a root without `up`. So between p and c all edges are known.
 *             4. A branch to a block exists only before the block is sealed, so when a parameter is settled
 *                all branches that need its argument exist.
 * Cost        reads in the defining block O(1), others O(log n) per tree and per definition off the path;
 *             O(predecessors) per parameter made and per join begun.
 * Ref         Braun, Buchwald, Hack, Leissa, Mallon, Zwinkau: Simple and Efficient Construction of SSA Form,
 *             CC 2013. Myers: An applicative random-access stack, IPL 17 (1983). */
#include "clif/ssa.h"

void ssa_clear(ClifSsa *s) {
    vec_clear(&s->defs);
    vec_clear(&s->vars);
    vec_clear(&s->blocks);
    vec_clear(&s->preds);
    vec_clear(&s->edges);
    vec_clear(&s->pending);
    vec_clear(&s->frames);
    vec_clear(&s->results);
    vec_clear(&s->open);
    hashmap_clear(&s->params);
    s->next_seq = 1;
}

void ssa_free(Mem *m, ClifSsa *s) {
    vec_free(m, &s->defs);
    vec_free(m, &s->vars);
    vec_free(m, &s->blocks);
    vec_free(m, &s->preds);
    vec_free(m, &s->edges);
    vec_free(m, &s->pending);
    vec_free(m, &s->frames);
    vec_free(m, &s->results);
    vec_free(m, &s->open);
    hashmap_free(m, &s->params);
}

void ssa_add_block(Mem *m, ClifSsa *s) {
    uint32_t b = s->blocks.n;
    SsaBlock *d = vec_extend(m, &s->blocks, 1);
    *d = (SsaBlock){.preds = CLIF_NONE,
                    .last_pred = CLIF_NONE,
                    .pending = CLIF_NONE,
                    .root = b,
                    .parent = CLIF_NONE,
                    .jump = b,
                    .up = CLIF_NONE};
}

void ssa_add_edge(Mem *m, ClifSsa *s, uint32_t from, uint32_t inst, uint32_t slot, uint32_t to) {
    SsaBlock *b = &s->blocks.p[to];
    if (b->sealed) COT_BUG("branch from block%u to block%u, which is sealed", from, to);
    uint32_t e = s->edges.n;
    SsaPred *last = b->npreds ? &s->preds.p[b->last_pred] : NULL;
    if (last && last->inst == inst) { /* one more edge of the same branch */
        vec_push(m, &s->edges, (SsaEdge){slot, last->edges});
        last->edges = e;
        return;
    }
    vec_push(m, &s->edges, (SsaEdge){slot, CLIF_NONE});
    uint32_t p = s->preds.n;
    *(last ? &last->next : &b->preds) = p;
    vec_push(m, &s->preds, (SsaPred){inst, from, e, CLIF_NONE});
    b->last_pred = p;
    b->npreds++;
}

/* ---- the trees ---- */
static void link_to_parent(ClifSsa *s, uint32_t b, uint32_t parent) {
    SsaBlock *c = &s->blocks.p[b], *p = &s->blocks.p[parent], *j = &s->blocks.p[p->jump];
    c->parent = parent;
    c->depth = p->depth + 1;
    c->root = p->root;
    /* Skew-binary: when the two last jumps have equal length, the next one spans both. */
    c->jump = p->depth - j->depth == j->depth - s->blocks.p[j->jump].depth ? j->jump : parent;
}

/* Nearest common ancestor in one tree. */
static uint32_t common_in_tree(const ClifSsa *s, uint32_t a, uint32_t b) {
    const SsaBlock *p = s->blocks.p;
    if (p[a].depth < p[b].depth) {
        uint32_t t = a;
        a = b;
        b = t;
    }
    for (uint32_t depth = p[b].depth; p[a].depth > depth;)
        a = p[p[a].jump].depth >= depth ? p[a].jump : p[a].parent;
    while (a != b) { /* equal depths have jumps of equal length */
        bool far = p[a].jump != p[b].jump;
        a = far ? p[a].jump : p[a].parent;
        b = far ? p[b].jump : p[b].parent;
    }
    return a;
}

/* A common dominator of two blocks, CLIF_NONE if none is known nearby. */
enum { MAX_TREES = 32 };
static uint32_t common_dominator(const ClifSsa *s, uint32_t a, uint32_t b) {
    const SsaBlock *p = s->blocks.p;
    for (int k = 0; p[a].root != p[b].root; k++) {
        uint32_t ra = p[a].root, rb = p[b].root;
        uint32_t *lower = p[ra].seq > p[rb].seq ? &a : &b;
        *lower = p[p[*lower].root].up;
        if (*lower == CLIF_NONE || k == MAX_TREES) return CLIF_NONE;
    }
    return a == b ? a : common_in_tree(s, a, b);
}

/* Is every block begun after p sealed? */
static bool all_sealed_since(ClifSsa *s, uint32_t p) {
    while (s->open.n && s->blocks.p[vec_last(&s->open)].sealed) s->open.n--;
    return !s->open.n || s->blocks.p[vec_last(&s->open)].seq <= s->blocks.p[p].seq;
}

/* A common dominator of the first n predecessors of b. */
static uint32_t dominator_of_preds(const ClifSsa *s, uint32_t b, uint32_t n) {
    uint32_t e = s->blocks.p[b].preds, d = CLIF_NONE;
    for (uint32_t k = 0; k < n; k++, e = s->preds.p[e].next) {
        d = k ? common_dominator(s, d, s->preds.p[e].block) : s->preds.p[e].block;
        if (d == CLIF_NONE) break;
    }
    return d;
}

void ssa_begin_block(Mem *m, ClifSsa *s, uint32_t b) {
    SsaBlock *bl = &s->blocks.p[b];
    if (bl->seq) return;
    bl->seq = s->next_seq++;
    uint32_t d = dominator_of_preds(s, b, bl->npreds);
    if (!bl->sealed) {
        bl->up = d; /* until sealing shows otherwise */
        bl->npreds_before = bl->npreds;
        vec_push(m, &s->open, b);
    } else if (d != CLIF_NONE && (bl->npreds == 1 || all_sealed_since(s, d))) {
        link_to_parent(s, b, d);
    }
}

/* Does root r dominate block b? May say no for lack of knowledge. */
static bool is_below(const ClifSsa *s, uint32_t r, uint32_t b) {
    const SsaBlock *p = s->blocks.p;
    for (int k = 0; k < MAX_TREES && b != CLIF_NONE; k++) {
        if (p[b].root == r) return true;
        b = p[p[b].root].sealed ? p[p[b].root].up : CLIF_NONE;
    }
    return false;
}

/* At sealing: `up` dominates the root if all that came since filling began comes from below. */
static void settle_root(ClifSsa *s, uint32_t b) {
    SsaBlock *bl = &s->blocks.p[b];
    uint32_t e = bl->preds;
    for (uint32_t k = 0; k < bl->npreds && bl->up != CLIF_NONE; k++, e = s->preds.p[e].next)
        if (k >= bl->npreds_before && !is_below(s, b, s->preds.p[e].block)) bl->up = CLIF_NONE;
    if (bl->up != CLIF_NONE && !all_sealed_since(s, bl->up)) bl->up = CLIF_NONE;
    bl->end = s->next_seq - 1;
}

/* ---- definitions ---- */
static uint64_t key_of(uint32_t block, uint32_t var) {
    return (uint64_t)block << 32 | var;
}

/* The newest definition, from d on, with a seq of at most `seq`. */
static uint32_t skip_newer(const ClifSsa *s, uint32_t d, uint32_t seq) {
    const SsaDef *p = s->defs.p;
    while (d != CLIF_NONE && p[d].seq > seq) {
        uint32_t j = p[d].jump;
        d = j != CLIF_NONE && p[j].seq > seq ? j : p[d].next;
    }
    return d;
}

static uint32_t new_def(Mem *m, ClifSsa *s, uint32_t b, uint32_t value, uint32_t next) {
    SsaDef d = {.block = b, .seq = s->blocks.p[b].seq, .value = value, .next = next, .jump = next};
    if (next != CLIF_NONE) {
        const SsaDef *n = &s->defs.p[next];
        const SsaDef *j = n->jump != CLIF_NONE ? &s->defs.p[n->jump] : NULL;
        d.rank = n->rank + 1;
        if (j && j->jump != CLIF_NONE && n->rank - j->rank == j->rank - s->defs.p[j->jump].rank)
            d.jump = j->jump;
    }
    vec_push(m, &s->defs, d);
    return s->defs.n - 1;
}

void ssa_def(Mem *m, ClifSsa *s, uint32_t b, uint32_t var, uint32_t value) {
    SsaVar *v = &s->vars.p[var];
    uint32_t seq = s->blocks.p[b].seq, head = v->head;
    v->read_block = CLIF_NONE;
    if (head == CLIF_NONE || seq > s->defs.p[head].seq) {
        v->head = new_def(m, s, b, value, head);
        return;
    }
    if (s->defs.p[head].block == b) {
        s->defs.p[head].value = value;
        return;
    }
    /* A block filled in several goes: into its place by seq. Jumps over that place stay good: they are taken only
     * if their end is still too new. */
    uint32_t prev = head, next;
    while ((next = s->defs.p[prev].next) != CLIF_NONE && s->defs.p[next].seq > seq) {
        uint32_t j = s->defs.p[prev].jump;
        prev = s->defs.p[j].seq > seq ? j : next;
    }
    if (next != CLIF_NONE && s->defs.p[next].block == b) {
        s->defs.p[next].value = value;
        return;
    }
    uint32_t d = new_def(m, s, b, value, next);
    s->defs.p[prev].next = d;
}

/* ---- zeros and arguments ---- */
static uint32_t zero_inst(ClifFunc *f, uint32_t b, ClifInstData d, ClifType t, uint32_t before) {
    ClifInst i = clif_make_inst(f, d);
    if (before == CLIF_NONE)
        clif_append_inst(f, i, (ClifBlock){b});
    else
        clif_insert_inst_before(f, i, (ClifInst){before});
    return clif_make_result(f, i, t).i;
}

/* A zero of type t at the top of block b. */
static uint32_t make_zero(ClifFunc *f, uint32_t b, ClifType t) {
    static const uint8_t zeros[512] = {0};
    uint32_t first = f->blocks.p[b].first;
    ClifInstData d = {0};
    switch (t) {
    case CLIF_I8:
    case CLIF_I16:
    case CLIF_I32:
    case CLIF_I64:
        d.op = CLIF_OP_ICONST;
        d.type = t;
        break;
    case CLIF_I128: {
        ClifInstData c = {.op = CLIF_OP_ICONST, .type = CLIF_I64};
        d.op = CLIF_OP_UEXTEND;
        d.type = t;
        d.a = zero_inst(f, b, c, CLIF_I64, first);
        break;
    }
    case CLIF_F16: d.op = CLIF_OP_F16CONST; break;
    case CLIF_F32: d.op = CLIF_OP_F32CONST; break;
    case CLIF_F64: d.op = CLIF_OP_F64CONST; break;
    case CLIF_F128:
        d.op = CLIF_OP_F128CONST;
        d.a = clif_intern_const(f, zeros, 16).i;
        break;
    default:
        if (clif_type_is_dynamic(t) || clif_type_bytes(t) > sizeof zeros)
            COT_BUG("a variable of a dynamic vector type must be defined before it is read");
        d.op = CLIF_OP_VCONST;
        d.type = t;
        d.a = clif_intern_const(f, zeros, clif_type_bytes(t)).i;
        break;
    }
    return zero_inst(f, b, d, t, first);
}

static void append_arg(ClifFunc *f, uint32_t inst, uint32_t slot, uint32_t value) {
    ClifInstData *d = &f->insts.p[inst];
    ListRef *l = slot == 0   ? &d->a
                 : slot == 1 ? &d->b
                 : slot == 2 ? &d->c
                             : &f->jt_calls.p[slot - 3];
    list_push(f->mem, &f->lists, l, value);
}

/* ---- look-up ---- */
static uint32_t resolve(ClifFunc *f, uint32_t v) {
    return f->values.p[v].kind == CLIF_VAL_ALIAS ? clif_resolve_compress(f, (ClifValue){v}).i : v;
}

/* All predecessors of the frame's block have answered: settle the parameter. Returns its value. */
static uint32_t finish(ClifFunc *f, ClifSsa *s, SsaFrame fr, uint32_t var) {
    uint32_t *r = s->results.p ? s->results.p + fr.base : NULL; /* NULL + 0 is undefined */
    uint32_t n = s->results.n - fr.base, same = CLIF_NONE;
    bool differ = false;
    for (uint32_t k = 0; k < n && !differ; k++) {
        r[k] = resolve(f, r[k]);
        if (r[k] == fr.sentinel) continue;
        differ = same != CLIF_NONE && r[k] != same;
        same = r[k];
    }
    if (!differ) {
        if (same == CLIF_NONE)
            same = make_zero(f, fr.block, (ClifType)f->values.p[fr.sentinel].type);
        clif_change_to_alias(f, (ClifValue){fr.sentinel}, (ClifValue){same});
        hashmap_set(f->mem, &s->params, key_of(fr.block, var), same);
        return same;
    }
    clif_attach_block_param(f, (ClifValue){fr.sentinel});
    uint32_t k = 0;
    for (uint32_t p = s->blocks.p[fr.block].preds; p != CLIF_NONE; p = s->preds.p[p].next, k++)
        for (uint32_t e = s->preds.p[p].edges; e != CLIF_NONE; e = s->edges.p[e].next)
            append_arg(f, s->preds.p[p].inst, s->edges.p[e].slot, s->results.p[fr.base + k]);
    return fr.sentinel;
}

/* The parameter of block b that stands for var, made if need be. If it has to be settled now, pushes a frame and
 * returns CLIF_NONE. */
static uint32_t param_for(ClifFunc *f, ClifSsa *s, uint32_t b, uint32_t var) {
    bool fresh;
    uint32_t *known =
        hashmap_get_or_insert(f->mem, &s->params, key_of(b, var), f->values.n, &fresh);
    if (!fresh) return *known;
    uint32_t v = clif_make_detached_param(f, (ClifBlock){b}, s->vars.p[var].type).i;
    SsaBlock *bl = &s->blocks.p[b];
    if (!bl->sealed) {
        uint32_t p = s->pending.n;
        vec_push(f->mem, &s->pending, (SsaPending){var, v, CLIF_NONE});
        *(bl->pending == CLIF_NONE ? &bl->pending : &s->pending.p[bl->last_pending].next) = p;
        bl->last_pending = p;
        return v;
    }
    vec_push(f->mem, &s->frames, (SsaFrame){b, v, bl->preds, s->results.n});
    return CLIF_NONE;
}

/* The value of var at the end of block b as far as written; if it needs the predecessors of a sealed block,
 * pushes a frame instead and returns CLIF_NONE. A way up over many trees is remembered at its lower end. */
enum { LONG_WAY = 4 };
static uint32_t look_up(ClifFunc *f, ClifSsa *s, uint32_t b, uint32_t var) {
    const SsaVar *v = &s->vars.p[var];
    const SsaBlock *p = s->blocks.p;
    uint32_t d = v->head, first_root = p[b].root, trees = 0, value = CLIF_NONE;
    for (;;) {
        d = skip_newer(s, d, p[b].seq);
        uint32_t seq = d != CLIF_NONE ? s->defs.p[d].seq : 0, r = p[b].root, c = b;
        if (seq && s->defs.p[d].block == b) {
            value = s->defs.p[d].value;
            break;
        }
        if (v->read_block != CLIF_NONE && p[v->read_block].root == r &&
            p[v->read_block].seq > seq && p[v->read_block].seq <= p[b].seq &&
            (v->read_block == b || common_in_tree(s, v->read_block, b) == v->read_block)) {
            value = v->read_value;
            break;
        }
        if (seq >= p[r].seq) { /* in this tree's time: the step at which it may matter */
            while (p[p[c].parent].seq > seq) c = p[p[c].jump].seq > seq ? p[c].jump : p[c].parent;
            b = p[c].parent;
            if (s->defs.p[d].block == b) {
                value = s->defs.p[d].value;
                break;
            }
            if (p[c].npreds > 1) return param_for(f, s, c, var);
            continue;
        }
        if (p[r].up == CLIF_NONE || !p[r].sealed) return param_for(f, s, r, var);
        if (++trees > LONG_WAY) {
            const uint32_t *known = hashmap_find(&s->params, key_of(r, var));
            if (known) {
                value = *known;
                break;
            }
        }
        uint32_t inside = skip_newer(s, v->head, p[r].end);
        b = p[r].up;
        if (inside != CLIF_NONE && s->defs.p[inside].seq > p[b].seq) return param_for(f, s, r, var);
    }
    if (trees > LONG_WAY) hashmap_set(f->mem, &s->params, key_of(first_root, var), value);
    return value;
}

/* Runs the frames down to none and returns the last answer. */
static uint32_t run(ClifFunc *f, ClifSsa *s, uint32_t var) {
    for (;;) {
        SsaFrame *fr = &vec_last(&s->frames);
        if (fr->pred != CLIF_NONE) {
            SsaPred p = s->preds.p[fr->pred];
            fr->pred = p.next;
            uint32_t v = look_up(f, s, p.block, var);
            if (v != CLIF_NONE) vec_push(f->mem, &s->results, v);
            continue;
        }
        SsaFrame done = vec_pop(&s->frames);
        uint32_t v = finish(f, s, done, var);
        s->results.n = done.base;
        if (s->frames.n == 0) return v;
        vec_push(f->mem, &s->results, v);
    }
}

uint32_t ssa_use_slow(ClifFunc *f, ClifSsa *s, uint32_t b, uint32_t var) {
    uint32_t v = look_up(f, s, b, var);
    if (v == CLIF_NONE) v = run(f, s, var);
    v = resolve(f, v);
    s->vars.p[var].read_block = b;
    s->vars.p[var].read_value = v;
    return v;
}

void ssa_seal(ClifFunc *f, ClifSsa *s, uint32_t b) {
    SsaBlock *bl = &s->blocks.p[b];
    if (bl->sealed) return;
    bl->sealed = 1;
    if (bl->seq) settle_root(s, b);
    for (uint32_t p = bl->pending; p != CLIF_NONE; p = s->pending.p[p].next) {
        SsaPending q = s->pending.p[p];
        vec_push(f->mem, &s->frames, (SsaFrame){b, q.value, s->blocks.p[b].preds, s->results.n});
        run(f, s, q.var);
    }
    s->blocks.p[b].pending = CLIF_NONE;
}
