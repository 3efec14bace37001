/* clif/ssa.c — SSA construction for mutable variables while the CFG is being built.
 *
 * Problem     Give each read of a variable the SSA value that reaches it, adding block parameters where
 *             different values meet, in one pass, before all edges are known, in linear time for 10^5 blocks
 *             and 5*10^4 variables.
 * Idea        Braun et al.: look in the block, else in the predecessors; a block that is not sealed promises a
 *             parameter and settles it when sealed. Beyond the paper:
 *             - Blocks sealed with one predecessor before anything was read in them hang below it in a forest.
 *               Only roots (several predecessors, or not sealed in time) ever get parameters; a block inherits
 *               the nearest definition on its path to the root.
 *             - The definitions of a variable form a list, newest block first by the order in which filling
 *               began. A child begins after its parent, so the first definition in the list whose block is an
 *               ancestor is the nearest one. Ancestry is decided in O(log depth) by skew-binary jump pointers
 *               (Myers 1983). Mostly the head of the list answers, or one near it.
 *             - When a walk over the list gets long the variable is indexed: a hash map by (block, variable) then
 *               allows walking list and path to the root in lockstep, so that the shorter one bounds the cost.
 *               Other variables never hash.
 *             - A parameter is not put into its block's list before it is known to be needed, so nothing is
 *               ever removed; a needless one becomes an alias.
 *             - An explicit stack of frames takes the place of the recursion over predecessors.
 * Invariants  1. Each variable's list is strictly descending in seq, hence has one entry per block.
 *             2. The map holds every list entry of an indexed variable.
 *             3. A branch to a block exists only before the block is sealed, so when a parameter is settled
 *                all branches that need its argument exist.
 * Cost        reads in the defining block O(1) without hashing; others O(log depth) or the walk above, plus
 *             O(predecessors) per parameter made.
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
    hashmap_clear(&s->map);
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
    hashmap_free(m, &s->map);
}

void ssa_add_block(Mem *m, ClifSsa *s) {
    uint32_t b = s->blocks.n;
    vec_push(
        m, &s->blocks,
        (SsaBlock){CLIF_NONE, CLIF_NONE, 0, CLIF_NONE, CLIF_NONE, 0, CLIF_NONE, b, 0, b, 0, 0});
}

void ssa_begin_block(ClifSsa *s, uint32_t b) {
    if (!s->blocks.p[b].seq) s->blocks.p[b].seq = s->next_seq++;
}

void ssa_add_edge(Mem *m, ClifSsa *s, uint32_t from, uint32_t inst, uint32_t slot, uint32_t to) {
    SsaBlock *b = &s->blocks.p[to];
    if (b->sealed) COT_BUG("branch from block%u to block%u, which is sealed", from, to);
    s->blocks.p[from].touched = 1;
    if (b->last_pred == CLIF_NONE || s->preds.p[b->last_pred].inst != inst) {
        uint32_t p = s->preds.n;
        vec_push(m, &s->preds, (SsaPred){inst, from, CLIF_NONE, CLIF_NONE});
        *(b->last_pred == CLIF_NONE ? &b->preds : &s->preds.p[b->last_pred].next) = p;
        b->last_pred = p;
        b->npreds++;
    }
    SsaPred *p = &s->preds.p[b->last_pred];
    vec_push(m, &s->edges, (SsaEdge){slot, p->edges});
    p->edges = s->edges.n - 1;
}

/* ---- the forest ---- */
static void link_to_parent(ClifSsa *s, uint32_t b, uint32_t parent) {
    SsaBlock *c = &s->blocks.p[b], *p = &s->blocks.p[parent], *j = &s->blocks.p[p->jump];
    c->parent = parent;
    c->depth = p->depth + 1;
    c->root = p->root;
    /* Skew-binary: when the two last jumps have equal length, the next one spans both. */
    c->jump = p->depth - j->depth == j->depth - s->blocks.p[j->jump].depth ? j->jump : parent;
}

static bool is_ancestor_or_self(const ClifSsa *s, uint32_t a, uint32_t b) {
    const SsaBlock *p = s->blocks.p;
    if (p[a].root != p[b].root) return false;
    uint32_t depth = p[a].depth;
    while (p[b].depth > depth) b = p[p[b].jump].depth >= depth ? p[b].jump : p[b].parent;
    return a == b;
}

/* ---- definitions ---- */
static uint64_t key_of(uint32_t block, uint32_t var) {
    return (uint64_t)block << 32 | var;
}

void ssa_def(Mem *m, ClifSsa *s, uint32_t b, uint32_t var, uint32_t value) {
    SsaVar *v = &s->vars.p[var];
    uint32_t seq = s->blocks.p[b].seq;
    s->blocks.p[b].touched = 1;
    if (v->head == CLIF_NONE || seq > s->defs.p[v->head].seq) {
        uint32_t d = s->defs.n;
        vec_push(m, &s->defs, (SsaDef){b, seq, value, v->head});
        v->head = d;
        if (v->indexed) hashmap_set(m, &s->map, key_of(b, var), d);
        return;
    }
    if (s->defs.p[v->head].block == b) {
        s->defs.p[v->head].value = value;
        return;
    }
    uint32_t *known = v->indexed ? hashmap_find(&s->map, key_of(b, var)) : NULL;
    if (known) {
        s->defs.p[*known].value = value;
        return;
    }
    /* Into its place by seq; look-ups over predecessors go from newer to older blocks, so the last place
     * is a good one to start from. */
    uint32_t prev = v->head;
    if (v->finger != CLIF_NONE && s->defs.p[v->finger].seq > seq) prev = v->finger;
    while (s->defs.p[prev].next != CLIF_NONE && s->defs.p[s->defs.p[prev].next].seq > seq)
        prev = s->defs.p[prev].next;
    uint32_t next = s->defs.p[prev].next;
    if (next != CLIF_NONE && s->defs.p[next].block == b) {
        s->defs.p[next].value = value;
        return;
    }
    uint32_t d = s->defs.n;
    vec_push(m, &s->defs, (SsaDef){b, seq, value, next});
    s->defs.p[prev].next = d;
    v->finger = d;
    if (v->indexed) hashmap_set(m, &s->map, key_of(b, var), d);
}

static void index_variable(Mem *m, ClifSsa *s, uint32_t var) {
    s->vars.p[var].indexed = 1;
    for (uint32_t d = s->vars.p[var].head; d != CLIF_NONE; d = s->defs.p[d].next)
        hashmap_set(m, &s->map, key_of(s->defs.p[d].block, var), d);
}

/* The nearest definition on the path from b to its root, CLIF_NONE if there is none. */
enum { LONG_WALK = 6 };
static uint32_t find_def(Mem *m, ClifSsa *s, uint32_t b, uint32_t var) {
    const SsaVar *v = &s->vars.p[var];
    if (v->head == CLIF_NONE) return CLIF_NONE;
    const SsaDef *defs = s->defs.p;
    const SsaBlock *blocks = s->blocks.p;
    uint32_t seq = blocks[b].seq, root = blocks[b].root, root_seq = blocks[root].seq;
    uint32_t d = v->head;
    if (defs[d].seq > seq && v->finger != CLIF_NONE && defs[v->finger].seq > seq) d = v->finger;
    for (uint32_t steps = 0, p = b;; steps++) {
        if (d == CLIF_NONE || defs[d].seq < root_seq) return CLIF_NONE;
        if (defs[d].seq <= seq && is_ancestor_or_self(s, defs[d].block, b)) return d;
        d = defs[d].next;
        if (steps < LONG_WALK) continue;
        if (!v->indexed) index_variable(m, s, var);
        uint32_t *e = hashmap_find(&s->map, key_of(p, var));
        if (e) return *e;
        if (p == root) return CLIF_NONE;
        p = blocks[p].parent;
    }
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

/* ---- look-up over predecessors ---- */
static uint32_t resolve(ClifFunc *f, uint32_t v) {
    return f->values.p[v].kind == CLIF_VAL_ALIAS ? clif_resolve_compress(f, (ClifValue){v}).i : v;
}

/* All predecessors of the frame's block have answered: settle the parameter. Returns its value. */
static uint32_t finish(ClifFunc *f, ClifSsa *s, SsaFrame fr) {
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
        return same;
    }
    clif_attach_block_param(f, (ClifValue){fr.sentinel});
    uint32_t k = 0;
    for (uint32_t p = s->blocks.p[fr.block].preds; p != CLIF_NONE; p = s->preds.p[p].next, k++)
        for (uint32_t e = s->preds.p[p].edges; e != CLIF_NONE; e = s->edges.p[e].next)
            append_arg(f, s->preds.p[p].inst, s->edges.p[e].slot, s->results.p[fr.base + k]);
    return fr.sentinel;
}

/* The value of var at the end of block b as far as written; if it needs the predecessors of a sealed root,
 * pushes a frame instead and returns CLIF_NONE. */
static uint32_t look_up(ClifFunc *f, ClifSsa *s, uint32_t b, uint32_t var) {
    uint32_t d = find_def(f->mem, s, b, var);
    if (d != CLIF_NONE) return s->defs.p[d].value;
    uint32_t root = s->blocks.p[b].root;
    uint32_t v = clif_make_detached_param(f, (ClifBlock){root}, s->vars.p[var].type).i;
    ssa_def(f->mem, s, root, var, v);
    SsaBlock *rb = &s->blocks.p[root];
    if (!rb->sealed) {
        uint32_t p = s->pending.n;
        vec_push(f->mem, &s->pending, (SsaPending){var, v, CLIF_NONE});
        *(rb->pending == CLIF_NONE ? &rb->pending : &s->pending.p[rb->last_pending].next) = p;
        rb->last_pending = p;
        return v;
    }
    vec_push(f->mem, &s->frames, (SsaFrame){root, v, rb->preds, s->results.n});
    return CLIF_NONE;
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
        uint32_t v = finish(f, s, done);
        s->results.n = done.base;
        if (s->frames.n == 0) return v;
        vec_push(f->mem, &s->results, v);
    }
}

uint32_t ssa_use_slow(ClifFunc *f, ClifSsa *s, uint32_t b, uint32_t var) {
    s->blocks.p[b].touched = 1;
    uint32_t head = s->vars.p[var].head;
    if (head != CLIF_NONE && is_ancestor_or_self(s, s->defs.p[head].block, b))
        return s->defs.p[head].value = resolve(f, s->defs.p[head].value);
    uint32_t v = look_up(f, s, b, var);
    if (v == CLIF_NONE) v = run(f, s, var);
    v = resolve(f, v);
    ssa_def(f->mem, s, b, var, v); /* the next read here is direct */
    return v;
}

void ssa_seal(ClifFunc *f, ClifSsa *s, uint32_t b) {
    SsaBlock *bl = &s->blocks.p[b];
    if (bl->sealed) return;
    bl->sealed = 1;
    if (bl->npreds == 1 && !bl->touched) {
        uint32_t parent = s->preds.p[bl->preds].block;
        /* A block switched to before its predecessor would break the order of seq along paths. */
        if (bl->seq == 0 || bl->seq > s->blocks.p[parent].seq) link_to_parent(s, b, parent);
    }
    for (uint32_t p = bl->pending; p != CLIF_NONE; p = s->pending.p[p].next) {
        SsaPending q = s->pending.p[p];
        vec_push(f->mem, &s->frames, (SsaFrame){b, q.value, s->blocks.p[b].preds, s->results.n});
        run(f, s, q.var);
    }
    s->blocks.p[b].pending = CLIF_NONE;
}
