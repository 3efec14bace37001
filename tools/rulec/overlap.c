/* overlap.c — what is wrong with rules that are each correct: overlap, shadowing, recursion.
 *
 * Two rules of a term cannot both match when some binding must satisfy different constraints.  If they
 * may both match and have the same priority, the choice would be arbitrary: an error.  If one has a
 * higher priority and no constraint that the other lacks, the other can never be chosen: an error too.
 * Equalities are not analysed, as in the reference: a rule with one is never called shadowed.  Multi
 * terms give all matches, so nothing of this applies to them.  Cost: O(rules² × constraints) per term.
 *
 * A term that reaches itself through constructors must be declared `rec`.  The cycles are the strongly
 * connected components of the call graph (Tarjan's algorithm with an explicit stack). */
#include "rulec.h"

typedef enum { DISJOINT, OVERLAPPING, SUBSET } Relation;

static Relation relate(const Rule *a, const Rule *b) {
    const Rule *small = a->conds.n <= b->conds.n ? a : b, *big = small == a ? b : a;
    bool subset = a->equals.n == 0 && b->equals.n == 0;
    uint32_t k = 0;
    for (uint32_t i = 0; i < small->conds.n; i++) {
        const Cond *c = &small->conds.d[i];
        while (k < big->conds.n && big->conds.d[k].at < c->at) k++;
        if (k == big->conds.n || big->conds.d[k].at != c->at)
            subset = false;
        else if (constraint_cmp(&c->c, &big->conds.d[k].c) != 0)
            return DISJOINT;
    }
    return subset ? SUBSET : OVERLAPPING;
}

static const char *describe(Rulec *rc, const Rule *r) {
    const char *file = rc->files.d[r->pos.file];
    if (r->name == NONE) return rulec_format(rc, "the rule at %s:%u", file, r->pos.line);
    return rulec_format(rc, "rule '%s' at %s:%u", sym_str(rc, r->name), file, r->pos.line);
}

static void check_rule(Rulec *rc, const RuleSet *rs, uint32_t index) {
    const Rule *r = &rs->rules.d[index];
    const Rule *other = NULL, *shadow = NULL;
    uint32_t overlaps = 0;
    for (uint32_t i = 0; i < rs->rules.n; i++) {
        const Rule *o = &rs->rules.d[i];
        if (i == index || (o->prio == r->prio ? i > index : o->prio < r->prio)) continue;
        Relation rel = relate(o, r);
        if (rel == DISJOINT) continue;
        if (o->prio == r->prio) {
            if (overlaps++ == 0) other = o;
        } else if (rel == SUBSET && o->conds.n <= r->conds.n && shadow == NULL) {
            shadow = o;
        }
    }
    if (overlaps != 0)
        rulec_error(rc, r->pos, "%s overlaps %s at the same priority%s",
                    r->name == NONE ? "this rule"
                                    : rulec_format(rc, "rule '%s'", sym_str(rc, r->name)),
                    describe(rc, other),
                    overlaps == 1 ? "" : rulec_format(rc, " (and %u more)", overlaps - 1));
    if (shadow != NULL)
        rulec_error(rc, r->pos, "%s can never be chosen: %s matches first",
                    r->name == NONE ? "this rule"
                                    : rulec_format(rc, "rule '%s'", sym_str(rc, r->name)),
                    describe(rc, shadow));
}

void overlap_check(Rulec *rc) {
    for (uint32_t s = 0; s < rc->sets.n; s++) {
        const RuleSet *rs = &rc->sets.d[s];
        if (rc->terms.d[rs->term].multi) continue;
        for (uint32_t i = 0; i < rs->rules.n; i++) check_rule(rc, rs, i);
    }
}

/* --- recursion ------------------------------------------------------------------------------ */

typedef struct Node {
    uint32_t order, low; /* 0: not visited */
    uint32_t next;       /* binding to look at */
    uint32_t parent;
    bool on_stack, self;
} Node;

static void close_component(Rulec *rc, Node *nodes, uint32_t *stack, uint32_t *top, uint32_t at) {
    bool cycle = nodes[at].self || stack[*top - 1] != at;
    uint32_t m;
    do {
        m = stack[--*top];
        nodes[m].on_stack = false;
        const Term *t = &rc->terms.d[rc->sets.d[m].term];
        if (cycle && !t->rec)
            rulec_error(rc, t->pos, "term '%s' is recursive but not declared rec",
                        sym_str(rc, t->name));
    } while (m != at);
}

void recursion_check(Rulec *rc) {
    uint32_t n = rc->sets.n, clock = 0, top = 0;
    uint32_t *set_of = rulec_alloc(rc, rc->terms.n * sizeof *set_of);
    Node *nodes = rulec_alloc(rc, n * sizeof *nodes);
    uint32_t *stack = rulec_alloc(rc, n * sizeof *stack);
    for (uint32_t i = 0; i < n; i++) set_of[rc->sets.d[i].term] = i;
    for (uint32_t root = 0; root < n; root++) {
        if (nodes[root].order != 0) continue;
        uint32_t at = root;
        nodes[at].parent = NONE;
        while (at != NONE) {
            Node *x = &nodes[at];
            if (x->order == 0) {
                x->order = x->low = ++clock;
                x->on_stack = true;
                stack[top++] = at;
            }
            const RuleSet *rs = &rc->sets.d[at];
            uint32_t child = NONE;
            while (child == NONE && x->next < rs->binds.n) {
                const Binding *b = &rs->binds.d[x->next++];
                if (b->kind != B_CONSTRUCT || rc->terms.d[b->a].ctor != CTOR_INTERNAL) continue;
                uint32_t to = set_of[b->a];
                if (to == at) x->self = true;
                if (nodes[to].order == 0)
                    child = to;
                else if (nodes[to].on_stack && nodes[to].order < x->low)
                    x->low = nodes[to].order;
            }
            if (child != NONE) {
                nodes[child].parent = at;
                at = child;
                continue;
            }
            if (x->low == x->order) close_component(rc, nodes, stack, &top, at);
            uint32_t up = x->parent;
            if (up != NONE && x->low < nodes[up].low) nodes[up].low = x->low;
            at = up;
        }
    }
}
