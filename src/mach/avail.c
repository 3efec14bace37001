/* mach/avail.c — where values are in allocated code, for as long as nothing else was written there.
 *
 * Problem     Variables are to be seen after their last use, too: the allocator does not care for a value that nobody wants, but it
 *             stays where it is until the place gets another one.
 * Idea        Forward over blocks: a set of pairs of place and value, empty at the entry. A definition takes all values from its place
 *             and puts its own there; a move makes a place hold what another one holds; a parameter is where the arguments were.
 *             Where control flow joins, what all predecessors have stays.
 * Invariants  Only values that are asked for are followed, with those that are passed to such parameters. A value of two slots is at
 *             the first one, and goes when either is written; where fewer bytes are moved than it has, it does not come along.
 * Cost        linear in the instructions, for each round; after a number of rounds nothing is taken from one block to the next.
 *             What is remembered is linear in the pairs at the borders of blocks.
 * requires: allocated code with offsets (emit.c) */
#include <stdlib.h>
#include "mach/mach_int.h"
#include "base/bisect.h"

enum { MOST_ROUNDS = 12 };
#define NONE UINT32_MAX

typedef struct Pair {
    uint32_t place, vreg; /* place: a register, or 64 + slot */
} Pair;
typedef VEC(Pair) Pairs;
typedef struct Node { /* of the list of what a place holds */
    uint32_t vreg, next, from;
    bool from_start;
} Node;
typedef struct Edge { /* of a block: slice of `pairs` at its end */
    uint32_t out, n;
    uint32_t in, nin;
    bool visited;
} Edge;

typedef struct Avail {
    MachCtx *c;
    Mem *m;
    const RaFunc *f;
    const RaOutput *ra;
    const uint8_t *asked;
    RaPRegSet lasting;    /* registers that nobody uses besides the allocator */
    RaPRegSet passing;    /* others that hold something between moves */
    VecU8 followed;       /* by vreg */
    VecU32 held;          /* by vreg: in how many places it is */
    VecU32 head, touched; /* by place: first node; places with nodes */
    VEC(Node) nodes;
    VecU32 param_block, param_index; /* by vreg: the parameter that it is */
    VEC(Edge) blocks;
    Pairs pairs, now, from;
    MachSpans *spans; /* NULL: not yet */
    uint32_t block;
} Avail;

/* ---- which values are followed ---- */
static void follow(Avail *a, VecU32 *work, uint32_t vreg) {
    uint32_t v = ra_vreg_index(vreg);
    if (a->followed.p[v]) return;
    a->followed.p[v] = 1;
    if (a->param_block.p[v]) vec_push(a->m, work, v);
}

static void follow_all(Avail *a) {
    const RaFunc *f = a->f;
    VecU32 work = {0};
    vec_resize0(a->m, &a->followed, f->num_vregs);
    vec_resize0(a->m, &a->held, f->num_vregs);
    vec_resize0(a->m, &a->param_block, f->num_vregs); /* 1 + block */
    vec_resize0(a->m, &a->param_index, f->num_vregs);
    for (uint32_t b = 0; b < f->num_blocks; b++)
        for (uint32_t k = f->blocks[b].param_start; k < f->blocks[b].param_end; k++) {
            a->param_block.p[ra_vreg_index(f->params[k])] = b + 1;
            a->param_index.p[ra_vreg_index(f->params[k])] = k - f->blocks[b].param_start;
        }
    for (uint32_t v = 0; v < f->num_vregs; v++)
        if (a->asked[v]) follow(a, &work, ra_vreg(v, RA_INT)); /* the class does not matter here */
    while (work.n) {
        uint32_t v = vec_pop(&work), b = a->param_block.p[v] - 1;
        const RaBlock *rb = &f->blocks[b];
        for (uint32_t p = rb->pred_start; p < rb->pred_end; p++) {
            const RaBlock *pb = &f->blocks[f->preds[p]];
            for (uint32_t e = pb->succ_start; e < pb->succ_end; e++)
                if (f->succs[e] == b)
                    follow(a, &work, f->branch_args[f->edge_args[e] + a->param_index.p[v]]);
        }
    }
    vec_free(a->m, &work);
}

/* ---- what places hold ---- */
static uint32_t place_of(RaAlloc r) {
    return ra_is_reg(r) ? ra_alloc_preg(r) : 64 + ra_alloc_slot_index(r);
}

static void put_span(Avail *a, uint32_t place, const Node *n, uint32_t to) {
    if (!a->spans || !a->asked[ra_vreg_index(n->vreg)]) return;
    if (place < 64 && !(a->lasting & ra_set((RaPReg)place))) return;
    MachSpan s = {.vreg = n->vreg, .lo = n->from, .hi = to, .from_start = n->from_start};
    s.place = place < 64 ? (int32_t)place : a->c->spill_base + 8 * (int32_t)(place - 64);
    if (s.lo < s.hi || s.from_start) vec_push(a->m, a->spans, s);
}

static uint32_t width_of(const Avail *a, uint32_t vreg) { /* in slots */
    return ra_move_slots(a->f->vreg_slots, vreg);
}

/* The place has no values of at least that width any more. */
static void kill_wide(Avail *a, uint32_t place, uint32_t width, uint32_t at) {
    uint32_t *link = &a->head.p[place];
    while (*link != NONE) {
        const Node *n = &a->nodes.p[*link];
        if (width_of(a, n->vreg) < width) {
            link = &a->nodes.p[*link].next;
            continue;
        }
        put_span(a, place, n, at);
        a->held.p[ra_vreg_index(n->vreg)]--;
        *link = n->next;
    }
}

static void kill(Avail *a, uint32_t place, uint32_t at) {
    kill_wide(a, place, 1, at);
}

static void kill_width(Avail *a, uint32_t place, uint32_t width, uint32_t at) {
    kill(a, place, at);
    if (place > 64) kill_wide(a, place - 1, 2, at);
    for (uint32_t k = 1; place >= 64 && k < width; k++)
        if (place + k < a->head.n) kill(a, place + k, at);
}

static void add(Avail *a, uint32_t place, RaVReg v, uint32_t from, bool start) {
    if (!a->followed.p[ra_vreg_index(v)]) return;
    for (uint32_t n = a->head.p[place]; n != NONE; n = a->nodes.p[n].next)
        if (a->nodes.p[n].vreg == v) return;
    if (a->head.p[place] == NONE) vec_push(a->m, &a->touched, place);
    vec_push(a->m, &a->nodes, (Node){v, a->head.p[place], from, start});
    a->head.p[place] = a->nodes.n - 1;
    a->held.p[ra_vreg_index(v)]++;
}

/* The value is computed anew, in a loop: elsewhere is that of the round before. */
static void forget(Avail *a, RaVReg v, uint32_t at) {
    uint32_t *held = &a->held.p[ra_vreg_index(v)];
    for (uint32_t k = 0; *held && k < a->touched.n; k++) {
        uint32_t place = a->touched.p[k], *link = &a->head.p[place];
        while (*link != NONE && a->nodes.p[*link].vreg != v) link = &a->nodes.p[*link].next;
        if (*link == NONE) continue;
        put_span(a, place, &a->nodes.p[*link], at);
        *link = a->nodes.p[*link].next;
        --*held;
    }
}

/* `to` holds what `from` holds, up to that width. */
static void copy(Avail *a, uint32_t to, uint32_t from, uint32_t width, uint32_t at) {
    for (uint32_t n = a->head.p[from]; n != NONE; n = a->nodes.p[n].next)
        if (width_of(a, a->nodes.p[n].vreg) <= width) add(a, to, a->nodes.p[n].vreg, at, false);
}

static void edits(Avail *a, uint32_t *next, uint32_t point) {
    const RaOutput *ra = a->ra;
    for (; *next < ra->num_edits && ra->edits[*next].point <= point; ++*next) {
        const RaEdit *e = &ra->edits[*next];
        if (e->from == e->to) continue;
        MachEditAt at = a->c->edit_at.p[*next];
        uint32_t to = place_of(e->to), from = place_of(e->from);
        uint32_t width = width_of(a, e->vreg);
        kill_width(a, to, width, at.start + 1);
        copy(a, to, from, width, at.end);
        if (to < 64) a->passing |= ra_set((RaPReg)to) & ~a->lasting;
    }
    for (; a->passing; a->passing &= a->passing - 1) kill(a, u64_ctz(a->passing), 0);
}

static void inst(Avail *a, uint32_t i, uint32_t *clobber) {
    const RaFunc *f = a->f;
    MachInstAt at = a->c->inst_at.p[i];
    uint32_t first = f->op_start[i], end = f->op_start[i + 1];
    const RaAlloc *r = a->ra->allocs;
    bool move = f->inst_flags[i] & RA_INST_MOVE;
    if (move && r[first] == r[first + 1]) { /* one place has both */
        forget(a, f->ops[first].vreg, at.start);
        add(a, place_of(r[first]), f->ops[first].vreg, at.start, false);
        return;
    }
    for (; *clobber < f->num_clobbers && f->clobbers[*clobber].inst <= i; ++*clobber)
        if (f->clobbers[*clobber].inst == i)
            for (RaPRegSet s = f->clobbers[*clobber].regs; s; s &= s - 1)
                kill(a, u64_ctz(s), at.start + 1);
    for (uint32_t o = first; o < end; o++)
        if (f->ops[o].kind == RA_DEF && f->ops[o].constraint != RA_FIXED_NONALLOC) {
            kill_width(a, place_of(r[o]), width_of(a, f->ops[o].vreg), at.start + 1);
            forget(a, f->ops[o].vreg, at.start + 1);
        }
    uint32_t from = f->inst_flags[i] & RA_INST_ENTRY ? 0 : at.end; /* the prologue keeps them */
    for (uint32_t o = first; o < end; o++)
        if (f->ops[o].kind == RA_DEF && f->ops[o].constraint != RA_FIXED_NONALLOC)
            add(a, place_of(r[o]), f->ops[o].vreg, from, false);
    if (move)
        copy(a, place_of(r[first]), place_of(r[first + 1]), width_of(a, f->ops[first].vreg),
             at.end);
    if (f->inst_flags[i] & RA_INST_RET) /* kept registers are restored */
        for (uint32_t k = 0; k < a->touched.n; k++) kill(a, a->touched.p[k], at.start + 1);
}

/* ---- blocks ---- */
static int by_place(const void *x, const void *y) {
    const Pair *p = x, *q = y;
    if (p->place != q->place) return p->place < q->place ? -1 : 1;
    return p->vreg < q->vreg ? -1 : p->vreg > q->vreg;
}

/* What block p has at its end, with what b's parameters are there, into a->from; sorted. */
static void over_edge(Avail *a, uint32_t p, uint32_t b) {
    const RaFunc *f = a->f;
    const RaBlock *pb = &f->blocks[p], *rb = &f->blocks[b];
    const Edge *s = &a->blocks.p[p];
    uint32_t e = pb->succ_start;
    while (e < pb->succ_end && f->succs[e] != b) e++;
    vec_clear(&a->from);
    for (uint32_t k = 0; k < s->n; k++) /* but what they were before, in a loop */
        if (a->param_block.p[ra_vreg_index(a->pairs.p[s->out + k].vreg)] != b + 1)
            vec_push(a->m, &a->from, a->pairs.p[s->out + k]);
    uint32_t had = a->from.n;
    for (uint32_t j = rb->param_start; j < rb->param_end && e < pb->succ_end; j++) {
        if (!a->followed.p[ra_vreg_index(f->params[j])]) continue;
        RaVReg arg = f->branch_args[f->edge_args[e] + (j - rb->param_start)];
        for (uint32_t k = 0; k < had; k++)
            if (a->from.p[k].vreg == arg)
                vec_push(a->m, &a->from, (Pair){a->from.p[k].place, f->params[j]});
    }
    if (a->from.n > had) qsort(a->from.p, a->from.n, sizeof(Pair), by_place);
}

static void join(Avail *a, uint32_t b) {
    const RaBlock *rb = &a->f->blocks[b];
    bool first = true;
    vec_clear(&a->now);
    for (uint32_t e = rb->pred_start; e < rb->pred_end; e++) {
        uint32_t p = a->f->preds[e], n = 0, j = 0;
        if (!a->blocks.p[p].visited) continue;
        over_edge(a, p, b);
        for (uint32_t i = 0; first && i < a->from.n; i++) vec_push(a->m, &a->now, a->from.p[i]);
        for (uint32_t i = 0; !first && i < a->now.n; i++) {
            while (j < a->from.n && by_place(&a->from.p[j], &a->now.p[i]) < 0) j++;
            if (j < a->from.n && by_place(&a->from.p[j], &a->now.p[i]) == 0)
                a->now.p[n++] = a->now.p[i];
        }
        if (!first) a->now.n = n;
        first = false;
    }
}

static uint32_t first_edit(const RaOutput *ra, uint32_t point) {
    uint32_t lo;
    bisect(lo, ra->num_edits, ra->edits[lo].point < point);
    return lo;
}
static uint32_t first_clobber(const RaFunc *f, uint32_t i) {
    uint32_t lo;
    bisect(lo, f->num_clobbers, f->clobbers[lo].inst < i);
    return lo;
}

/* From a->now at the start of the block to its end. */
static void run_block(Avail *a, uint32_t b) {
    const RaBlock *rb = &a->f->blocks[b];
    uint32_t start = a->c->inst_at.p[rb->inst_start].before;
    uint32_t next = first_edit(a->ra, 2 * rb->inst_start);
    uint32_t clobber = first_clobber(a->f, rb->inst_start);
    vec_clear(&a->nodes);
    for (uint32_t k = 0; k < a->touched.n; k++) a->head.p[a->touched.p[k]] = NONE;
    vec_clear(&a->touched);
    for (uint32_t k = 0; k < a->now.n; k++)
        add(a, a->now.p[k].place, a->now.p[k].vreg, start, true);
    for (uint32_t i = rb->inst_start; i < rb->inst_end; i++) {
        edits(a, &next, 2 * i);
        inst(a, i, &clobber);
        edits(a, &next, 2 * i + 1);
    }
    uint32_t end = a->c->inst_at.p[rb->inst_end].before;
    vec_clear(&a->now);
    for (uint32_t k = 0; k < a->touched.n; k++) {
        uint32_t place = a->touched.p[k];
        for (uint32_t n = a->head.p[place]; n != NONE; n = a->nodes.p[n].next)
            vec_push(a->m, &a->now, (Pair){place, a->nodes.p[n].vreg});
        kill(a, place, end);
    }
    if (a->now.n) qsort(a->now.p, a->now.n, sizeof(Pair), by_place);
}

static bool same(const Avail *a, uint32_t at, uint32_t n, const Pairs *l) {
    return n == l->n && (!n || memcmp(a->pairs.p + at, l->p, n * sizeof(Pair)) == 0);
}
static uint32_t keep(Avail *a, const Pairs *l) {
    uint32_t at = a->pairs.n;
    if (l->n) memcpy(vec_extend(a->m, &a->pairs, l->n), l->p, l->n * sizeof(Pair));
    return at;
}

static bool visit(Avail *a, uint32_t b) {
    join(a, b);
    Edge *s = &a->blocks.p[b];
    if (s->visited && same(a, s->in, s->nin, &a->now)) return false;
    s->in = keep(a, &a->now);
    s->nin = a->now.n;
    run_block(a, b);
    bool changed = !s->visited || !same(a, s->out, s->n, &a->now);
    if (changed) {
        s->out = keep(a, &a->now);
        s->n = a->now.n;
    }
    s->visited = true;
    return changed;
}

void avail_find(MachCtx *c, const ClifFunc *clif, const RaFunc *f, const RaOutput *ra,
                const uint8_t *asked, MachSpans *spans, VecU32 *first) {
    Avail a = {.c = c, .m = c->mem, .f = f, .ra = ra, .asked = asked};
    RaEnv env;
    c->isa->ra_env(&c->set, clif, &env);
    a.lasting = env.allocatable;
    follow_all(&a);
    vec_resize0(a.m, &a.blocks, f->num_blocks);
    uint32_t places = 64 + ra->num_slots;
    memset(vec_extend(a.m, &a.head, places), 0xFF, places * sizeof(uint32_t));
    bool changed = true;
    for (uint32_t round = 0; changed && round < MOST_ROUNDS; round++) {
        changed = false;
        for (uint32_t b = 0; b < f->num_blocks; b++) changed |= visit(&a, b);
    }
    a.spans = spans;
    for (uint32_t b = 0; b < f->num_blocks; b++) {
        vec_push(a.m, first, spans->n);
        vec_clear(&a.now);
        const Edge *s = &a.blocks.p[b];
        for (uint32_t k = 0; k < s->nin && !changed; k++)
            vec_push(a.m, &a.now, a.pairs.p[s->in + k]);
        run_block(&a, b);
    }
    vec_push(a.m, first, spans->n);
    vec_free(a.m, &a.followed);
    vec_free(a.m, &a.held);
    vec_free(a.m, &a.head);
    vec_free(a.m, &a.touched);
    vec_free(a.m, &a.nodes);
    vec_free(a.m, &a.param_block);
    vec_free(a.m, &a.param_index);
    vec_free(a.m, &a.blocks);
    vec_free(a.m, &a.pairs);
    vec_free(a.m, &a.now);
    vec_free(a.m, &a.from);
}
