/* serialize.c — a rule set to a decision tree.
 *
 * The tree must choose the same rule as testing all left-hand sides in descending priority would, with
 * as little work as possible.  It is built by repeated partition, as in the reference: at each point,
 * among all tests that can be made now (a constraint on an available binding, an equality of two, a
 * loop over a multi term), take the one that the most rules share *and that may run before all rules
 * which do not share it*: a rule may be moved before others only if none of those has a higher priority
 * (rules of equal priority do not overlap, see overlap.c).  The chosen rules become the body of the
 * test, grouped by the pattern they need (an arm each), and are treated the same way; the rest follows
 * the test in sequence.  Every rule lands in exactly one place, so the tree is linear in the rules.
 * Ties go to bindings already evaluated, then to matches before equalities before loops, then to the
 * lower binding, which makes the output deterministic.
 *
 * Bindings are evaluated as late as possible, at most once on each path: `use` puts a binding, after its
 * sources, in the list of the next step.  Before the impure calls of a right-hand side all fields and
 * extractor outputs it reads are evaluated, so that a constructor may change what the matched value
 * lives in.
 *
 * Counting the rules that share a test is one pass over their constraints: rules are kept sorted by
 * priority, and a test counts the rules of a priority group only if all rules before the group have it.
 * Scope is a trail of changes undone on leaving a subtree.  Cost: O(constraints) for each node. */
#include "rulec.h"

#include <stdlib.h>
#include <string.h>

typedef enum { UNKNOWN, AVAILABLE, EMITTED, MATCHED } State;

typedef struct Undo {
    BindId at;
    State old;
} Undo;

typedef struct EqPair {
    BindId a, b;
} EqPair;

typedef struct Cand {
    StepKind kind;
    BindId a, b;
    uint32_t count;           /* rules seen with this test */
    uint32_t group, at_group; /* count when the current priority group began */
    uint32_t valid;           /* rules that may be tested now */
    uint32_t next;            /* hash chain */
} Cand;

typedef struct Tree {
    Rulec *rc;
    const RuleSet *rs;
    State *state;
    uint32_t *variant; /* of a MATCHED enum binding */
    VEC(Undo) trail;
    VEC(EqPair) equal; /* equalities established on the path */
    VEC(Cand) cands;
    uint32_t *chain; /* hash of cands, cleared by walking cands */
    uint32_t chain_mask;
    Step step; /* collects the bindings of the next step */
    bool multi;
} Tree;

static void set_state(Tree *t, BindId at, State s) {
    vec_push(t->rc, &t->trail, ((Undo){at, t->state[at]}));
    t->state[at] = s;
}

static void undo_to(Tree *t, uint32_t mark) {
    while (t->trail.n > mark) {
        Undo u = t->trail.d[--t->trail.n];
        t->state[u.at] = u.old;
    }
}

/* Can the binding be evaluated at this point? */
static bool available(Tree *t, BindId at) {
    if (t->state[at] != UNKNOWN) return true;
    const Binding *b = &t->rs->binds.d[at];
    bool ok = true;
    switch (b->kind) {
    case B_ITER: return false;
    case B_MATCH_SOME: ok = t->state[b->src[0]] == MATCHED; break;
    case B_MATCH_VARIANT:
        ok = t->state[b->src[0]] == MATCHED && t->variant[b->src[0]] == b->a;
        break;
    case B_BOOL:
    case B_INT:
    case B_CONST:
    case B_ARG:
    case B_EXTRACT:
    case B_CONSTRUCT:
    case B_MAKE_VARIANT:
    case B_MATCH_TUPLE:
        for (uint32_t i = 0; ok && i < b->nsrc; i++) ok = available(t, b->src[i]);
        break;
    }
    if (ok) set_state(t, at, AVAILABLE);
    return ok;
}

/* Evaluates a binding and what it needs before the next step. */
static void use(Tree *t, BindId at) {
    if (t->state[at] >= EMITTED) return;
    set_state(t, at, EMITTED);
    const Binding *b = &t->rs->binds.d[at];
    for (uint32_t i = 0; i < b->nsrc; i++) use(t, b->src[i]);
    bool emit = true;
    switch (b->kind) {
    case B_BOOL:
    case B_INT:
    case B_CONST:
    case B_ARG:
    case B_MATCH_TUPLE:
    case B_ITER: emit = false; break;
    case B_MATCH_SOME: emit = t->state[b->src[0]] != MATCHED; break;
    case B_MAKE_VARIANT: emit = b->nsrc != 0; break;
    case B_EXTRACT:
    case B_CONSTRUCT:
    case B_MATCH_VARIANT: break;
    }
    if (emit) vec_push(t->rc, &t->step.binds, at);
}

/* Evaluates what an expression takes from the left-hand side: variant fields and extractors' outputs. */
static void use_matched(Tree *t, BindId at, uint8_t *seen) {
    if (seen[at] || t->state[at] >= EMITTED) return;
    seen[at] = 1;
    const Binding *b = &t->rs->binds.d[at];
    if (b->kind == B_MATCH_VARIANT || b->kind == B_EXTRACT)
        use(t, at);
    else
        for (uint32_t i = 0; i < b->nsrc; i++) use_matched(t, b->src[i], seen);
}

/* --- choosing a test ----------------------------------------------------------------------- */

static void count_cand(Tree *t, StepKind kind, BindId a, BindId b, uint32_t group,
                       uint32_t before) {
    uint32_t h = (a * 0x9e3779b1u ^ b * 0x85ebca6bu ^ (uint32_t)kind) & t->chain_mask;
    uint32_t i = t->chain[h];
    while (i != 0) {
        const Cand *c = &t->cands.d[i - 1];
        if (c->kind == kind && c->a == a && c->b == b) break;
        i = c->next;
    }
    if (i == 0) {
        Cand fresh = {.kind = kind, .a = a, .b = b, .group = NONE, .next = t->chain[h]};
        vec_push(t->rc, &t->cands, fresh);
        i = t->chain[h] = t->cands.n;
    }
    Cand *c = &t->cands.d[i - 1];
    if (c->group != group) {
        c->group = group;
        c->at_group = c->count;
    }
    c->count++;
    if (c->at_group == before) c->valid++;
}

static bool path_equal(const Tree *t, BindId a, BindId b) {
    /* The pairs are few; a value reaches its class by repeated sweeps over them. */
    if (t->equal.n == 0) return a == b;
    VEC(BindId) cls = {0};
    vec_push(t->rc, &cls, a);
    for (uint32_t i = 0; i < cls.n; i++) {
        if (cls.d[i] == b) return true;
        for (uint32_t k = 0; k < t->equal.n; k++) {
            EqPair p = t->equal.d[k];
            BindId other = p.a == cls.d[i] ? p.b : p.b == cls.d[i] ? p.a : NONE;
            bool known = other == NONE;
            for (uint32_t j = 0; !known && j < cls.n; j++) known = cls.d[j] == other;
            if (!known) vec_push(t->rc, &cls, other);
        }
    }
    return false;
}

static void count_rule(Tree *t, const Rule *r, uint32_t group, uint32_t before) {
    for (uint32_t i = 0; i < r->conds.n; i++) {
        BindId at = r->conds.d[i].at;
        if (available(t, at) && t->state[at] != MATCHED)
            count_cand(t, STEP_MATCH, at, NONE, group, before);
    }
    for (uint32_t i = 0; i < r->equals.n; i++) {
        EqMember x = r->equals.d[i];
        if (!available(t, x.at)) continue;
        for (uint32_t k = i + 1; k < r->equals.n; k++) {
            EqMember y = r->equals.d[k];
            if (x.cls != y.cls || !available(t, y.at) || path_equal(t, x.at, y.at)) continue;
            BindId lo = x.at < y.at ? x.at : y.at, hi = x.at < y.at ? y.at : x.at;
            count_cand(t, STEP_EQUAL, lo, hi, group, before);
        }
    }
    for (uint32_t i = 0; i < r->iters.n; i++) {
        BindId at = r->iters.d[i];
        if (available(t, at) && t->state[at] != MATCHED)
            count_cand(t, STEP_LOOP, at, NONE, group, before);
    }
}

static State cand_state(const Tree *t, const Cand *c) {
    State s = t->state[c->a];
    return c->kind == STEP_EQUAL && t->state[c->b] < s ? t->state[c->b] : s;
}

static bool better(const Tree *t, const Cand *x, const Cand *y) {
    if (x->valid != y->valid) return x->valid > y->valid;
    State sx = cand_state(t, x), sy = cand_state(t, y);
    if (sx != sy) return sx > sy;
    if (x->kind != y->kind) return x->kind < y->kind;
    if (x->a != y->a) return x->a < y->a;
    return x->b < y->b;
}

/* `order` holds the rules that are left, by descending priority.  False if no test helps. */
static bool choose(Tree *t, const uint32_t *order, uint32_t n, Cand *best) {
    uint32_t group = 0, before = 0;
    for (uint32_t i = 0; i < n; i++) {
        const Rule *r = &t->rs->rules.d[order[i]];
        if (i > 0 && t->rs->rules.d[order[i - 1]].prio != r->prio) {
            group++;
            before = i;
        }
        count_rule(t, r, group, before);
    }
    bool found = false;
    for (uint32_t i = 0; i < t->cands.n; i++) {
        const Cand *c = &t->cands.d[i];
        if (c->valid != 0 && (!found || better(t, c, best))) {
            *best = *c;
            found = true;
        }
    }
    for (uint32_t i = 0; i < t->cands.n; i++) {
        const Cand *c = &t->cands.d[i];
        t->chain[(c->a * 0x9e3779b1u ^ c->b * 0x85ebca6bu ^ (uint32_t)c->kind) & t->chain_mask] = 0;
    }
    t->cands.n = 0;
    return found;
}

static bool rule_has(const Rule *r, const Cand *c) {
    switch (c->kind) {
    case STEP_MATCH: return rule_cond(r, c->a) != NULL;
    case STEP_EQUAL: {
        uint32_t cls = rule_class(r, c->a);
        return cls != NONE && cls == rule_class(r, c->b);
    }
    case STEP_LOOP:
        for (uint32_t i = 0; i < r->iters.n; i++)
            if (r->iters.d[i] == c->a) return true;
        return false;
    case STEP_RETURN: return false;
    }
    return false;
}

/* Moves the rules that take the test to the front, both parts in their order; returns their number. */
static uint32_t partition(Tree *t, const Cand *c, uint32_t *order, uint32_t n) {
    uint32_t *rest = rulec_alloc(t->rc, n * sizeof *rest), nrest = 0, k = 0;
    for (uint32_t i = 0; i < n; i++) {
        const Rule *r = &t->rs->rules.d[order[i]];
        bool before_rest = nrest == 0 || t->rs->rules.d[rest[0]].prio <= r->prio;
        if (before_rest && rule_has(r, c))
            order[k++] = order[i];
        else
            rest[nrest++] = order[i];
    }
    memcpy(order + k, rest, nrest * sizeof *rest);
    return k;
}

/* --- building ------------------------------------------------------------------------------ */

static Block *build(Tree *t, uint32_t *order, uint32_t n);

static Block *build_scope(Tree *t, uint32_t *order, uint32_t n) {
    Step outer = t->step;
    t->step = (Step){0};
    Block *b = build(t, order, n);
    t->step = outer;
    return b;
}

static void build_match(Tree *t, Step *s, BindId at, uint32_t *order, uint32_t n) {
    /* Group by constraint, keeping the order of priority inside each group. */
    uint32_t *left = rulec_alloc(t->rc, n * sizeof *left), nleft = n;
    uint32_t *group = rulec_alloc(t->rc, n * sizeof *group);
    memcpy(left, order, n * sizeof *left);
    while (nleft != 0) {
        Constraint c = rule_cond(&t->rs->rules.d[left[0]], at)->c;
        for (uint32_t i = 1; i < nleft; i++) {
            const Constraint *d = &rule_cond(&t->rs->rules.d[left[i]], at)->c;
            if (constraint_cmp(d, &c) < 0) c = *d;
        }
        uint32_t k = 0, keep = 0;
        for (uint32_t i = 0; i < nleft; i++) {
            uint32_t r = left[i];
            if (constraint_cmp(&rule_cond(&t->rs->rules.d[r], at)->c, &c) == 0)
                group[k++] = r;
            else
                left[keep++] = r;
        }
        nleft = keep;
        uint32_t mark = t->trail.n, old_variant = t->variant[at];
        set_state(t, at, MATCHED);
        if (c.kind == C_VARIANT) t->variant[at] = c.a;
        Block *body = build_scope(t, group, k);
        t->variant[at] = old_variant;
        undo_to(t, mark);
        vec_push(t->rc, &s->arms, ((Arm){c, body}));
    }
}

static BindId iter_of(const RuleSet *rs, BindId src) {
    for (BindId i = src + 1; i < rs->binds.n; i++)
        if (rs->binds.d[i].kind == B_ITER && rs->binds.d[i].src[0] == src) return i;
    return NONE;
}

static Step build_test(Tree *t, const Cand *c, uint32_t *order, uint32_t n) {
    Step s = {.kind = c->kind, .a = c->a, .b = c->b};
    uint32_t mark;
    switch (c->kind) {
    case STEP_MATCH:
        use(t, c->a);
        s.binds.d = t->step.binds.d, s.binds.n = t->step.binds.n;
        t->step = (Step){0};
        build_match(t, &s, c->a, order, n);
        break;
    case STEP_EQUAL:
        use(t, c->a);
        use(t, c->b);
        s.binds.d = t->step.binds.d, s.binds.n = t->step.binds.n;
        t->step = (Step){0};
        mark = t->trail.n;
        vec_push(t->rc, &t->equal, ((EqPair){c->a, c->b}));
        s.body = build_scope(t, order, n);
        t->equal.n--;
        undo_to(t, mark);
        break;
    case STEP_LOOP:
        /* An iterator is consumed by its loop: its evaluation does not outlive the step. */
        for (uint32_t i = 0; i < t->rs->binds.d[c->a].nsrc; i++)
            use(t, t->rs->binds.d[c->a].src[i]);
        s.binds.d = t->step.binds.d, s.binds.n = t->step.binds.n;
        t->step = (Step){0};
        mark = t->trail.n;
        s.b = iter_of(t->rs, c->a);
        set_state(t, c->a, MATCHED);
        set_state(t, s.b, EMITTED);
        s.body = build_scope(t, order, n);
        undo_to(t, mark);
        break;
    case STEP_RETURN: break;
    }
    return s;
}

static Block *build(Tree *t, uint32_t *order, uint32_t n) {
    Block *b = rulec_alloc(t->rc, sizeof *b);
    Cand best = {0};
    while (n != 0 && choose(t, order, n, &best)) {
        uint32_t k = partition(t, &best, order, n);
        vec_push(t->rc, &b->steps, build_test(t, &best, order, k));
        order += k;
        n -= k;
    }
    /* What is left matches here.  A single-result term takes the first of it. */
    for (uint32_t i = 0; i < n; i++) {
        const Rule *r = &t->rs->rules.d[order[i]];
        uint32_t mark = t->trail.n;
        uint8_t *seen = rulec_alloc(t->rc, t->rs->binds.n);
        for (uint32_t k = 0; k < r->impure.n; k++) use_matched(t, r->impure.d[k], seen);
        use_matched(t, r->result, seen);
        for (uint32_t k = 0; k < r->impure.n; k++) use(t, r->impure.d[k]);
        use(t, r->result);
        Step s = {.kind = STEP_RETURN, .rule = order[i]};
        s.binds.d = t->step.binds.d, s.binds.n = t->step.binds.n;
        t->step = (Step){0};
        vec_push(t->rc, &b->steps, s);
        if (!t->multi) break;
        undo_to(t, mark);
    }
    return b;
}

typedef struct Key {
    int64_t prio;
    uint32_t rule;
} Key;

static int key_cmp(const void *x, const void *y) {
    const Key *a = x, *b = y;
    if (a->prio != b->prio) return a->prio > b->prio ? -1 : 1;
    return a->rule < b->rule ? -1 : a->rule > b->rule;
}

Block *serialize(Rulec *rc, const RuleSet *rs) {
    uint32_t n = rs->rules.n, nb = rs->binds.n;
    Tree t = {.rc = rc, .rs = rs, .multi = rc->terms.d[rs->term].multi};
    t.state = rulec_alloc(rc, nb * sizeof *t.state);
    t.variant = rulec_alloc(rc, nb * sizeof *t.variant);
    t.chain_mask = 1023;
    t.chain = rulec_alloc(rc, 1024 * sizeof *t.chain);
    Key *keys = rulec_alloc(rc, n * sizeof *keys);
    for (uint32_t i = 0; i < n; i++) keys[i] = (Key){rs->rules.d[i].prio, i};
    if (n != 0) qsort(keys, n, sizeof *keys, key_cmp);
    uint32_t *order = rulec_alloc(rc, n * sizeof *order);
    for (uint32_t i = 0; i < n; i++) order[i] = keys[i].rule;
    return build(&t, order, n);
}
