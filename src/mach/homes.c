/* mach/homes.c — where the variables of the source are in the finished code, for debuggers.
 *
 * Problem     A front end tells at which places of the function a variable gets which value (ClifFunc.labels). Values become registers
 *             that the allocator moves about; where control flow joins, a variable may have had different values before.
 * Idea        Two questions, each answered exactly. Where a value is: avail.c. Which value a variable has where: another forward problem
 *             over blocks, in which a variable keeps its value if all predecessors agree and the value is still somewhere (otherwise
 *             nobody needs to remember it). Both are intersected. A constant is everywhere, whatever registers it is loaded into.
 * Invariants  The code does not depend on labels. Until an answer is stable it is too good, so after a number of rounds only what was
 *             found inside blocks is used.
 * Cost        a few rounds over what is known where blocks begin; sorting. Only if there are labels. Where so many variables have
 *             constants, and there are so many blocks, that this would be much, constants are known inside blocks only. */
#include <stdlib.h>
#include "mach/mach_int.h"
#include "base/bisect.h"

enum { MOST_ROUNDS = 12, MOST_PAIRS = 1 << 20 };
#define NONE UINT32_MAX

/* Variables have numbers from 0 on in here. A value is its register, or one whose number is the number of registers plus that of a
 * constant; NONE: nothing is known of it. */
typedef struct Mark { /* from instruction `at` of the block on, the variable has that value */
    uint32_t block, at, seq, label, vreg;
    bool entry; /* already at the function's first byte */
} Mark;
typedef struct Has { /* a variable and its value */
    uint32_t label, vreg;
} Has;
typedef VEC(Has) HasList;
typedef struct State { /* of a block: slices of `has` */
    uint32_t in, nin, out, nout;
    bool visited;
} State;

typedef struct Homes {
    MachCtx *c;
    Mem *m;
    const RaFunc *rf;
    VEC(Mark) marks;
    VEC(MachHome) constants; /* without where */
    bool constants_stay;     /* from one block to another */
    MachSpans spans;
    VEC(State) states;
    HasList has, now, next;
    VecU32 first_mark, first_span; /* per block + 1 */
    VecU32 labels;                 /* by number of variable: the label */
    VecU32 last_home;              /* by variable: index + 1 in MachCtx.homes, 0 = none yet */
    VecU32 now_at;              /* by variable: index in `now`, where that one has the variable */
    VecU32 span_at, span_block; /* by vreg: first span in a block, and 1 + which */
} Homes;

static const MachHome *constant_of(const Homes *h, uint32_t vreg) { /* NULL: it is none */
    uint32_t v = ra_vreg_index(vreg);
    return v < h->rf->num_vregs ? NULL : &h->constants.p[v - h->rf->num_vregs];
}

/* ---- input ---- */
static int by_place(const void *a, const void *b) {
    const Mark *x = a, *y = b;
    if (x->block != y->block) return x->block < y->block ? -1 : 1;
    if (x->at != y->at) return x->at < y->at ? -1 : 1;
    return x->seq < y->seq ? -1 : 1;
}

static int by_number(const void *a, const void *b) {
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return x < y ? -1 : x > y;
}

/* Numbers in the order of labels. */
static void number_labels(Homes *h, const ClifFunc *f) {
    VecU32 *l = &h->labels;
    uint32_t n = 0;
    for (uint32_t i = 0; i < f->labels.n; i++) vec_push(h->m, l, f->labels.p[i].label);
    qsort(l->p, l->n, sizeof *l->p, by_number);
    for (uint32_t i = 0; i < l->n; i++)
        if (!n || l->p[n - 1] != l->p[i]) l->p[n++] = l->p[i];
    l->n = n;
    vec_resize0(h->m, &h->last_home, n);
    vec_resize0(h->m, &h->now_at, n);
}

static uint32_t number_of(const Homes *h, uint32_t label) {
    uint32_t k;
    bisect(k, h->labels.n, h->labels.p[k] <= label);
    return k ? k - 1 : 0;
}

/* The lower `bytes` bytes of a value, if it is a constant. */
static bool read_constant(const LowerCtx *L, ClifValue v, uint32_t bytes, MachHome *to) {
    const ClifFunc *f = L->f;
    ClifInst def = lower_def_inst(L, v);
    if (def.i == CLIF_NONE || !bytes || bytes > 16) return false;
    const ClifInstData *d = clif_data(f, def);
    uint32_t own = clif_type_bits(clif_value_type(f, v)) / 8;
    *to = (MachHome){.constant = bytes};
    if (d->op == CLIF_OP_VCONST) {
        ClifRange r = f->consts.p[d->a];
        if (r.n != 16 || bytes != 16) return false;
        memcpy(to->bits, f->bytes.p + r.first, 16);
        return true;
    }
    if (d->op == CLIF_OP_F32CONST)
        to->bits[0] = d->b;
    else if (d->op == CLIF_OP_ICONST || d->op == CLIF_OP_F64CONST)
        to->bits[0] = clif_imm64(d);
    else
        return false;
    if (own > bytes) own = bytes;
    if (own < 8) to->bits[0] &= ((uint64_t)1 << 8 * own) - 1;
    return true;
}

static uint32_t read_value(Homes *h, const ClifFunc *f, ClifValue v) {
    const LowerCtx *L = &h->c->lower;
    MachHome x;
    if (clif_value_type(f, v) == CLIF_I128) return NONE;
    ClifValue from = lower_copied(L, v);
    if (read_constant(L, from, clif_type_bits(clif_value_type(f, v)) / 8, &x)) {
        vec_push(h->m, &h->constants, x);
        return ra_vreg(h->rf->num_vregs + h->constants.n - 1, RA_INT);
    }
    uint32_t reg = L->value_reg.p[v.i];
    return reg == RA_VREG_NONE ? L->value_reg.p[from.i] : reg;
}

static void read_marks(Homes *h, const ClifFunc *f) {
    const BlockOrder *o = &h->c->order;
    const LowerCtx *L = &h->c->lower;
    for (uint32_t i = 0; i < f->labels.n; i++) {
        ClifValueLabel l = f->labels.p[i];
        uint32_t clif = l.inst == CLIF_NONE ? l.block : f->links.p[l.inst].block;
        if (clif == CLIF_NONE || !o->npred.p[clif]) continue;
        Mark k = {.block = o->label.p[clif], .seq = i};
        k.entry = l.inst == CLIF_NONE && k.block == 0;
        k.label = number_of(h, l.label);
        k.at = l.inst == CLIF_NONE ? h->rf->blocks[k.block].inst_start
                                   : h->rf->num_insts - L->inst_pos.p[l.inst];
        k.vreg = read_value(h, f, clif_resolve(f, (ClifValue){l.value}));
        vec_push(h->m, &h->marks, k);
    }
    if (h->marks.n) qsort(h->marks.p, h->marks.n, sizeof(Mark), by_place);
    h->constants_stay = (uint64_t)h->constants.n * h->rf->num_blocks < MOST_PAIRS;
    uint32_t at = 0;
    for (uint32_t b = 0; b <= h->rf->num_blocks; b++) {
        while (at < h->marks.n && h->marks.p[at].block < b) at++;
        vec_push(h->m, &h->first_mark, at);
    }
}

static int by_value(const void *a, const void *b) {
    const MachSpan *x = a, *y = b;
    if (x->vreg != y->vreg) return x->vreg < y->vreg ? -1 : 1;
    if (x->lo != y->lo) return x->lo < y->lo ? -1 : 1;
    if (x->hi != y->hi) return x->hi > y->hi ? -1 : 1;
    return x->place < y->place ? -1 : x->place > y->place;
}

static void read_spans(Homes *h, const ClifFunc *f, const RaOutput *ra) {
    VecU8 asked = {0};
    vec_resize0(h->m, &asked, h->rf->num_vregs + 1);
    vec_resize0(h->m, &h->span_at, h->rf->num_vregs);
    vec_resize0(h->m, &h->span_block, h->rf->num_vregs);
    for (uint32_t i = 0; i < h->marks.n; i++) {
        uint32_t v = h->marks.p[i].vreg;
        if (v != NONE && !constant_of(h, v)) asked.p[ra_vreg_index(v)] = 1;
    }
    avail_find(h->c, f, h->rf, ra, asked.p, &h->spans, &h->first_span);
    for (uint32_t b = 0; b < h->rf->num_blocks; b++) {
        uint32_t first = h->first_span.p[b], n = h->first_span.p[b + 1] - first;
        if (n) qsort(h->spans.p + first, n, sizeof(MachSpan), by_value);
    }
    vec_free(h->m, &asked);
}

/* From here on span_at is of this block. */
static void enter(Homes *h, uint32_t b) {
    for (uint32_t i = h->first_span.p[b]; i < h->first_span.p[b + 1]; i++) {
        uint32_t v = ra_vreg_index(h->spans.p[i].vreg);
        if (h->span_block.p[v] != b + 1) h->span_at.p[v] = i;
        h->span_block.p[v] = b + 1;
    }
}

/* The first span of a value in the block, which was entered; its end if there is none. */
static uint32_t spans_of(const Homes *h, uint32_t b, uint32_t vreg) {
    uint32_t v = ra_vreg_index(vreg);
    return h->span_block.p[v] == b + 1 ? h->span_at.p[v] : h->first_span.p[b + 1];
}

static bool is_there_at_start(const Homes *h, uint32_t b, uint32_t vreg) {
    if (constant_of(h, vreg)) return h->constants_stay;
    for (uint32_t i = spans_of(h, b, vreg);
         i < h->first_span.p[b + 1] && h->spans.p[i].vreg == vreg; i++)
        if (h->spans.p[i].from_start) return true;
    return false;
}

/* ---- which value a variable has ---- */
/* The variables that have the same value at the end of all predecessors that were visited; sorted. */
static void join(Homes *h, uint32_t b) {
    const RaBlock *rb = &h->rf->blocks[b];
    bool first = true;
    vec_clear(&h->now);
    for (uint32_t e = rb->pred_start; e < rb->pred_end; e++) {
        const State *p = &h->states.p[h->rf->preds[e]];
        if (!p->visited) continue;
        const Has *q = h->has.p ? h->has.p + p->out : NULL;
        uint32_t n = 0, j = 0;
        if (first) {
            for (uint32_t i = 0; i < p->nout; i++)
                if (is_there_at_start(h, b, q[i].vreg)) vec_push(h->m, &h->now, q[i]);
        } else {
            for (uint32_t i = 0; i < h->now.n; i++) {
                while (j < p->nout && q[j].label < h->now.p[i].label) j++;
                if (j < p->nout && q[j].label == h->now.p[i].label && q[j].vreg == h->now.p[i].vreg)
                    h->now.p[n++] = h->now.p[i];
            }
            h->now.n = n;
        }
        first = false;
    }
}

static int by_label(const void *a, const void *b) {
    const Mark *x = a, *y = b;
    if (x->label != y->label) return x->label < y->label ? -1 : 1;
    if (x->at != y->at) return x->at < y->at ? -1 : 1;
    return x->seq < y->seq ? -1 : 1;
}

/* h->now with the block's last marks of each variable, into h->next. */
static void step(Homes *h, const Mark *marks, uint32_t n) {
    uint32_t i = 0, k = 0;
    vec_clear(&h->next);
    while (i < h->now.n || k < n) {
        if (k == n || (i < h->now.n && h->now.p[i].label < marks[k].label)) {
            vec_push(h->m, &h->next, h->now.p[i++]);
            continue;
        }
        while (k + 1 < n && marks[k + 1].label == marks[k].label) k++;
        if (i < h->now.n && h->now.p[i].label == marks[k].label) i++;
        if (marks[k].vreg != NONE) vec_push(h->m, &h->next, (Has){marks[k].label, marks[k].vreg});
        k++;
    }
}

static bool same(const Homes *h, uint32_t at, uint32_t n, const HasList *l) {
    return n == l->n && (!n || memcmp(h->has.p + at, l->p, n * sizeof(Has)) == 0);
}
static uint32_t keep(Homes *h, const HasList *l) {
    uint32_t at = h->has.n;
    if (l->n) memcpy(vec_extend(h->m, &h->has, l->n), l->p, l->n * sizeof(Has));
    return at;
}

static bool visit(Homes *h, uint32_t b, const Mark *marks, uint32_t n) {
    enter(h, b);
    join(h, b);
    State *s = &h->states.p[b];
    bool changed = !s->visited;
    if (!s->visited || !same(h, s->in, s->nin, &h->now)) {
        s->in = keep(h, &h->now);
        s->nin = h->now.n;
        changed = true;
    }
    step(h, marks, n);
    if (!s->visited || !same(h, s->out, s->nout, &h->next)) {
        s->out = keep(h, &h->next);
        s->nout = h->next.n;
        changed = true;
    }
    s->visited = true;
    return changed;
}

static void solve(Homes *h) {
    uint32_t rounds = 0;
    VEC(Mark) sorted = {0}; /* of each block, by variable */
    bool changed = true;
    if (h->marks.n)
        memcpy(vec_extend(h->m, &sorted, h->marks.n), h->marks.p, h->marks.n * sizeof(Mark));
    for (uint32_t b = 0; b < h->rf->num_blocks; b++) {
        uint32_t first = h->first_mark.p[b], n = h->first_mark.p[b + 1] - first;
        if (n) qsort(sorted.p + first, n, sizeof(Mark), by_label);
    }
    vec_resize0(h->m, &h->states, h->rf->num_blocks);
    for (; changed && rounds < MOST_ROUNDS; rounds++) {
        changed = false;
        for (uint32_t b = 0; b < h->rf->num_blocks; b++) {
            uint32_t first = h->first_mark.p[b];
            const Mark *marks = sorted.p ? sorted.p + first : NULL;
            changed |= visit(h, b, marks, h->first_mark.p[b + 1] - first);
        }
    }
    for (uint32_t b = 0; b < h->rf->num_blocks && changed; b++) h->states.p[b].nin = 0;
    vec_free(h->m, &sorted);
}

/* ---- output ---- */
static bool is_same_place(const MachHome *a, const MachHome *b) {
    return a->place == b->place && a->constant == b->constant && a->bits[0] == b->bits[0] &&
           a->bits[1] == b->bits[1];
}

/* One more place of the variable; the last one that goes on is made longer. */
static void put_home(Homes *h, uint32_t label, MachHome x) {
    MachCtx *c = h->c;
    uint32_t at = h->last_home.p[label];
    if (at) {
        MachHome *last = &c->homes.p[at - 1];
        if (x.start <= last->end && is_same_place(last, &x)) {
            if (x.end > last->end) last->end = x.end;
            return;
        }
        if (x.start < last->end) x.start = last->end;
    }
    if (x.start >= x.end) return;
    x.label = h->labels.p[label];
    vec_push(h->m, &c->homes, x);
    h->last_home.p[label] = c->homes.n;
}

/* The variable's value is known from lo to hi: where that is, one place at a time. */
static void put(Homes *h, uint32_t label, uint32_t vreg, uint32_t b, uint32_t lo, uint32_t hi) {
    const MachHome *k = constant_of(h, vreg);
    if (k) {
        MachHome x = *k;
        x.start = lo;
        x.end = hi;
        put_home(h, label, x);
        return;
    }
    for (uint32_t i = spans_of(h, b, vreg);
         i < h->first_span.p[b + 1] && h->spans.p[i].vreg == vreg; i++) {
        const MachSpan *s = &h->spans.p[i];
        MachHome x = {.place = s->place};
        x.start = s->lo > lo ? s->lo : lo;
        x.end = s->hi < hi ? s->hi : hi;
        put_home(h, label, x);
    }
}

static bool is_in(const HasList *l, uint32_t at, uint32_t label) {
    return at < l->n && l->p[at].label == label;
}

static void walk(Homes *h, uint32_t b) {
    const RaBlock *rb = &h->rf->blocks[b];
    const MachInstAt *at = h->c->inst_at.p;
    const State *s = &h->states.p[b];
    uint32_t end = at[rb->inst_end].before, lo = at[rb->inst_start].before;
    HasList *now = &h->now; /* here: value, and where it began, by variable */
    VecU32 began = {0};
    vec_clear(now);
    enter(h, b);
    for (uint32_t i = 0; i < s->nin; i++) {
        h->now_at.p[h->has.p[s->in + i].label] = i;
        vec_push(h->m, now, h->has.p[s->in + i]);
        vec_push(h->m, &began, lo);
    }
    for (uint32_t k = h->first_mark.p[b]; k < h->first_mark.p[b + 1]; k++) {
        const Mark *m = &h->marks.p[k];
        uint32_t here = m->entry ? 0 : at[m->at].before, i = h->now_at.p[m->label];
        if (!is_in(now, i, m->label)) {
            h->now_at.p[m->label] = now->n;
            vec_push(h->m, now, (Has){m->label, m->vreg});
            vec_push(h->m, &began, here);
            continue;
        }
        if (now->p[i].vreg != NONE) put(h, m->label, now->p[i].vreg, b, began.p[i], here);
        now->p[i].vreg = m->vreg;
        began.p[i] = here;
    }
    for (uint32_t i = 0; i < now->n; i++)
        if (now->p[i].vreg != NONE) put(h, now->p[i].label, now->p[i].vreg, b, began.p[i], end);
    vec_free(h->m, &began);
}

static int by_variable(const void *a, const void *b) {
    const MachHome *x = a, *y = b;
    if (x->label != y->label) return x->label < y->label ? -1 : 1;
    return x->start < y->start ? -1 : x->start > y->start;
}

/* If nobody else writes to the register that the context comes in, it is there all the time. */
static bool context_stays(const MachCtx *c, const ClifFunc *f, const RaOutput *ra) {
    RaPReg r = c->isa->dwarf->context_reg;
    return f->sig.callconv == CLIF_CC_FAST && !((ra->written | c->lower.clobbered) & ra_set(r));
}

/* In an out-of-line trap everything is where it was at the branches to it. Stubs come in the order of these, so that a home of code
 * mostly gives one of stubs. */
static void add_stubs(MachCtx *c) {
    const struct MachTrapStub *stub = c->buf.trap_stubs.p;
    uint32_t n = c->buf.trap_stubs.n, nhomes = c->homes.n;
    for (uint32_t i = 0; i < nhomes && n; i++) {
        MachHome x = c->homes.p[i];
        uint32_t lo, start = x.start, end = x.end;
        if (end > c->stub_at.p[0]) continue; /* all the code's */
        bisect(lo, n, stub[lo].first < start);
        for (x.start = x.end = 0; lo < n && stub[lo].first < end; lo++) {
            if (stub[lo].last >= end) continue;
            if (c->stub_at.p[lo] != x.end) {
                if (x.end) vec_push(c->mem, &c->homes, x);
                x.start = c->stub_at.p[lo];
            }
            x.end = c->stub_at.p[lo + 1];
        }
        if (x.end) vec_push(c->mem, &c->homes, x);
    }
}

static void finish(MachCtx *c, const ClifFunc *f, const RaOutput *ra) {
    uint32_t n = 0;
    bool stays = context_stays(c, f, ra);
    for (uint32_t i = 0; i < c->homes.n; i++)
        if (!stays || c->homes.p[i].label != CLIF_NONE) c->homes.p[n++] = c->homes.p[i];
    c->homes.n = n;
    add_stubs(c);
    if (stays)
        vec_push(c->mem, &c->homes,
                 (MachHome){.end = c->buf.code.n,
                            .label = CLIF_NONE,
                            .place = c->isa->dwarf->context_reg});
    if (c->homes.n) qsort(c->homes.p, c->homes.n, sizeof(MachHome), by_variable);
}

void homes_find(MachCtx *c, const ClifFunc *f, const RaFunc *rf, const RaOutput *ra) {
    Homes h = {.c = c, .m = c->mem, .rf = rf};
    vec_clear(&c->homes);
    number_labels(&h, f);
    read_marks(&h, f);
    read_spans(&h, f, ra);
    solve(&h);
    for (uint32_t b = 0; b < rf->num_blocks; b++) walk(&h, b);
    finish(c, f, ra);
    vec_free(h.m, &h.marks);
    vec_free(h.m, &h.constants);
    vec_free(h.m, &h.spans);
    vec_free(h.m, &h.states);
    vec_free(h.m, &h.has);
    vec_free(h.m, &h.now);
    vec_free(h.m, &h.next);
    vec_free(h.m, &h.first_mark);
    vec_free(h.m, &h.first_span);
    vec_free(h.m, &h.labels);
    vec_free(h.m, &h.last_home);
    vec_free(h.m, &h.now_at);
    vec_free(h.m, &h.span_at);
    vec_free(h.m, &h.span_block);
}
