/* ruleset.c — the rules of each term as constraints on hash-consed bindings.
 *
 * A binding is anything that can have a name in the generated C: an argument, a field of a variant, the
 * result of an extractor or constructor, a constant.  Equal bindings of different rules of one term are
 * one binding, which is what lets rules share tests.  A rule then is: a set of constraints "this
 * binding matches this pattern" (variant, literal, constant, `Some` of a fallible call), classes of
 * bindings that must be equal, the impure calls of its right-hand side in order, and its result.
 *
 * Type checking happens in the same walk: the pattern or expression is visited with the type its
 * context expects, conversions are inserted where the types differ, and errors are reported at the
 * position of the form.  An extractor macro is expanded by visiting its template in an environment
 * that maps its parameters to the argument patterns (which keep the environment of the caller).
 *
 * Impure constructors are numbered per rule so that two calls are never merged; the numbering restarts
 * in each rule, so the same call sequence in two rules still shares bindings (never evaluations: a
 * right-hand side is evaluated only after its rule was chosen).
 *
 * A binding site has either a constraint or a place in an equality class, never both: a constraint on
 * one member is copied to all members and the equality moves to the fields (as in the reference). */
#include "rulec.h"

#include <string.h>

typedef struct Env Env;
struct Env { /* parameters of one macro expansion */
    const Def *macro;
    Pat *const *args;
    const Env *outer; /* where the arguments are to be read */
};

typedef struct Var {
    Sym name;
    BindId at;
} Var;

typedef struct Flags {
    bool pure, partial, multi;
} Flags;

typedef struct Builder {
    Rulec *rc;
    RuleSet *rs;
    Rule *rule;
    VEC(Var) vars;
    Flags flags; /* of the root term */
    uint32_t instance, size, depth;
    bool failed;    /* the rule has an error and is dropped */
    bool lost_vars; /* a pattern has an error: some variables may be missing */
    bool too_big;
} Builder;

static void bad(Builder *b, Pos pos, const char *msg) {
    rulec_error(b->rc, pos, "%s", msg);
    b->failed = true;
}

static const char *type_name(const Builder *b, TypeId t) {
    return t == NONE ? "?" : sym_str(b->rc, b->rc->types.d[t].name);
}

/* --- bindings ------------------------------------------------------------------------------ */

static uint32_t binding_hash(const Binding *x) {
    uint64_t h = (uint64_t)x->kind * 0x9e3779b97f4a7c15u;
    h = (h ^ x->ty) * 0x100000001b3u;
    h = (h ^ x->a) * 0x100000001b3u;
    h = (h ^ x->b) * 0x100000001b3u;
    h = (h ^ x->val) * 0x100000001b3u;
    for (uint32_t i = 0; i < x->nsrc; i++) h = (h ^ x->src[i]) * 0x100000001b3u;
    return (uint32_t)(h ^ h >> 32);
}

static bool binding_equal(const Binding *x, const Binding *y) {
    return x->kind == y->kind && x->ty == y->ty && x->a == y->a && x->b == y->b &&
           x->val == y->val && x->nsrc == y->nsrc &&
           (x->nsrc == 0 || memcmp(x->src, y->src, x->nsrc * sizeof *x->src) == 0);
}

static void hash_insert(RuleSet *rs, BindId id) {
    uint32_t mask = rs->hash_cap - 1, i = binding_hash(&rs->binds.d[id]) & mask;
    while (rs->hash[i] != 0) i = (i + 1) & mask;
    rs->hash[i] = id + 1;
}

static BindId add_binding(Builder *b, Binding x, const BindId *src, uint32_t nsrc) {
    RuleSet *rs = b->rs;
    if (rs->binds.n * 2 >= rs->hash_cap) {
        rs->hash_cap = rs->hash_cap == 0 ? 64 : rs->hash_cap * 2;
        rs->hash = rulec_alloc(b->rc, rs->hash_cap * sizeof *rs->hash);
        for (BindId i = 0; i < rs->binds.n; i++) hash_insert(rs, i);
    }
    x.src = (BindId *)(uintptr_t)src;
    x.nsrc = nsrc;
    uint32_t mask = rs->hash_cap - 1;
    for (uint32_t i = binding_hash(&x) & mask; rs->hash[i] != 0; i = (i + 1) & mask)
        if (binding_equal(&rs->binds.d[rs->hash[i] - 1], &x)) return rs->hash[i] - 1;
    x.src = rulec_alloc(b->rc, nsrc * sizeof *src);
    if (nsrc != 0) memcpy(x.src, src, nsrc * sizeof *src);
    vec_push(b->rc, &rs->binds, x);
    hash_insert(rs, rs->binds.n - 1);
    return rs->binds.n - 1;
}

/* --- constraints and equalities ------------------------------------------------------------ */

int constraint_cmp(const Constraint *a, const Constraint *b) {
    if (a->kind != b->kind) return a->kind < b->kind ? -1 : 1;
    if (a->a != b->a) return a->a < b->a ? -1 : 1;
    if (a->val != b->val) return a->val < b->val ? -1 : 1;
    if (a->ty != b->ty) return a->ty < b->ty ? -1 : 1;
    return 0;
}

const Cond *rule_cond(const Rule *r, BindId at) {
    uint32_t lo = 0, hi = r->conds.n;
    while (lo < hi) {
        uint32_t mid = (lo + hi) / 2;
        if (r->conds.d[mid].at < at)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo < r->conds.n && r->conds.d[lo].at == at ? &r->conds.d[lo] : NULL;
}

/* The equality class of a binding site, or NONE. */
uint32_t rule_class(const Rule *r, BindId at) {
    for (uint32_t i = 0; i < r->equals.n; i++)
        if (r->equals.d[i].at == at) return r->equals.d[i].cls;
    return NONE;
}

static void merge_equal(Builder *b, BindId x, BindId y) {
    Rule *r = b->rule;
    if (x == y) return;
    uint32_t cx = rule_class(r, x), cy = rule_class(r, y);
    if (cx != NONE && cx == cy) return;
    uint32_t cls = cx != NONE ? cx : cy != NONE ? cy : x;
    if (cx == NONE) vec_push(b->rc, &r->equals, ((EqMember){x, cls}));
    if (cy == NONE) vec_push(b->rc, &r->equals, ((EqMember){y, cls}));
    if (cx != NONE && cy != NONE)
        for (uint32_t i = 0; i < r->equals.n; i++)
            if (r->equals.d[i].cls == cy) r->equals.d[i].cls = cx;
}

static const char *constraint_text(const Builder *b, const Constraint *c) {
    switch (c->kind) {
    case C_VARIANT: return sym_str(b->rc, b->rc->types.d[c->ty].variants[c->a].name);
    case C_BOOL: return c->val ? "true" : "false";
    case C_INT: return rulec_format(b->rc, "%lld", (long long)c->val);
    case C_CONST: return sym_str(b->rc, b->rc->consts.d[c->a].name);
    case C_SOME: return "Some";
    }
    return "";
}

static void constrain(Builder *b, BindId at, Constraint c) {
    Rule *r = b->rule;
    const Cond *old = rule_cond(r, at);
    if (old != NULL) {
        if (constraint_cmp(&old->c, &c) != 0) {
            if (!b->failed)
                rulec_error(b->rc, r->pos, "rule can never match: one value must be both %s and %s",
                            constraint_text(b, &old->c), constraint_text(b, &c));
            b->failed = true;
        }
        return;
    }
    vec_push(b->rc, &r->conds, ((Cond){at, c}));
    uint32_t i = r->conds.n - 1;
    for (; i > 0 && r->conds.d[i - 1].at > at; i--) r->conds.d[i] = r->conds.d[i - 1];
    r->conds.d[i] = (Cond){at, c};
}

static BindId variant_field(Builder *b, BindId at, TypeId ty, uint32_t variant, uint32_t field) {
    Binding x = {.kind = B_MATCH_VARIANT, .a = variant, .b = field};
    x.ty = b->rc->types.d[ty].variants[variant].fields[field].ty;
    return add_binding(b, x, &at, 1);
}

/* Copies constraints through equality classes, as told at the head of this file. */
static void normalize_equals(Builder *b) {
    Rule *r = b->rule;
    VEC(Cond) todo = {0};
    for (uint32_t i = 0; i < r->conds.n; i++)
        if (rule_class(r, r->conds.d[i].at) != NONE) vec_push(b->rc, &todo, r->conds.d[i]);
    while (todo.n != 0 && !b->failed) {
        Cond cond = todo.d[--todo.n];
        uint32_t cls = rule_class(r, cond.at);
        if (cls == NONE) continue;
        VEC(BindId) set = {0};
        uint32_t keep = 0;
        for (uint32_t i = 0; i < r->equals.n; i++) {
            if (r->equals.d[i].cls == cls)
                vec_push(b->rc, &set, r->equals.d[i].at);
            else
                r->equals.d[keep++] = r->equals.d[i];
        }
        r->equals.n = keep;
        uint32_t nfields =
            cond.c.kind == C_VARIANT ? b->rc->types.d[cond.c.ty].variants[cond.c.a].nfields : 0;
        for (uint32_t k = 0; k < set.n; k++) {
            if (++b->size > MAX_RULE_SIZE) {
                bad(b, r->pos, "rule is too large");
                return;
            }
            constrain(b, set.d[k], cond.c);
            for (uint32_t f = 0; f < nfields; f++) {
                BindId y = variant_field(b, set.d[k], cond.c.ty, cond.c.a, f);
                BindId x = variant_field(b, set.d[0], cond.c.ty, cond.c.a, f);
                merge_equal(b, x, y);
                const Cond *c = rule_cond(r, y);
                if (c != NULL) vec_push(b->rc, &todo, *c);
            }
        }
    }
}

/* What is left to compare for equality must have an equality in C. */
static void check_equals(Builder *b) {
    for (uint32_t i = 0; i < b->rule->equals.n && !b->failed; i++) {
        TypeId ty = b->rs->binds.d[b->rule->equals.d[i].at].ty;
        const Type *t = &b->rc->types.d[ty];
        if (t->kind == TY_ENUM && !t->all_nullary)
            bad(b, b->rule->pos,
                rulec_format(b->rc,
                             "values of type '%s' cannot be compared: its variants have fields",
                             type_name(b, ty)));
    }
}

/* --- patterns ------------------------------------------------------------------------------ */

static BindId find_var(const Builder *b, Sym name) {
    for (uint32_t i = b->vars.n; i > 0; i--)
        if (b->vars.d[i - 1].name == name) return b->vars.d[i - 1].at;
    return NONE;
}

static bool grow(Builder *b, Pos pos) {
    if (++b->size <= MAX_RULE_SIZE) return true;
    if (!b->too_big) bad(b, pos, "rule is too large");
    b->too_big = true;
    return false;
}

static void match_pattern(Builder *b, const Pat *p, const Env *env, BindId at);

static void match_var(Builder *b, const Pat *p, BindId at) {
    TypeId ty = b->rs->binds.d[at].ty;
    BindId old = find_var(b, p->name);
    if (old == NONE) {
        vec_push(b->rc, &b->vars, ((Var){p->name, at}));
        return;
    }
    TypeId old_ty = b->rs->binds.d[old].ty;
    if (old_ty != ty) {
        bad(b, p->pos,
            rulec_format(b->rc, "variable '%s' has type '%s', but the pattern is of type '%s'",
                         sym_str(b->rc, p->name), type_name(b, old_ty), type_name(b, ty)));
        return;
    }
    merge_equal(b, at, old);
}

static Constraint int_constraint(Builder *b, const Pat *p, TypeId ty) {
    Constraint c = {.kind = C_INT, .ty = ty};
    const Type *t = &b->rc->types.d[ty];
    if (t->kind != TY_INT && t->kind != TY_PRIM)
        bad(b, p->pos,
            rulec_format(b->rc, "integer literal where type '%s' is expected", type_name(b, ty)));
    else if (!sema_int_fits(t, p->neg, p->val, &c.val))
        bad(b, p->pos,
            rulec_format(b->rc, "integer literal does not fit in type '%s'", type_name(b, ty)));
    c.a = p->neg && t->kind == TY_PRIM;
    return c;
}

/* The values an extern extractor gives for `at`, one for each argument. */
static void extract(Builder *b, TermId tid, BindId at, BindId *out) {
    const Term *t = &b->rc->terms.d[tid];
    TypeId single = t->nargs == 1 ? t->args[0] : NONE;
    bool infallible = t->infallible && !t->multi;
    Binding x = {.kind = B_EXTRACT, .ty = infallible ? single : NONE, .a = tid};
    BindId src = add_binding(b, x, &at, 1);
    if (t->multi) {
        bool known = false;
        for (uint32_t i = 0; i < b->rule->iters.n; i++) known |= b->rule->iters.d[i] == src;
        if (!known) vec_push(b->rc, &b->rule->iters, src);
        src = add_binding(b, (Binding){.kind = B_ITER, .ty = single}, &src, 1);
    } else if (!infallible) {
        constrain(b, src, (Constraint){.kind = C_SOME, .ty = NONE});
        src = add_binding(b, (Binding){.kind = B_MATCH_SOME, .ty = single}, &src, 1);
    }
    if (t->nargs == 1) {
        out[0] = src;
        return;
    }
    for (uint32_t i = 0; i < t->nargs; i++)
        out[i] =
            add_binding(b, (Binding){.kind = B_MATCH_TUPLE, .ty = t->args[i], .a = i}, &src, 1);
}

static void match_term(Builder *b, const Pat *p, const Env *env, BindId at) {
    Rulec *rc = b->rc;
    TypeId ty = b->rs->binds.d[at].ty;
    TermId tid = rc->syms.d[p->name].term;
    const char *name = sym_str(rc, p->name);
    if (tid == NONE) {
        bad(b, p->pos, rulec_format(rc, "unknown term '%s'", name));
        return;
    }
    const Term *t = &rc->terms.d[tid];
    if (t->ret != ty) {
        if (t->ret == NONE || ty == NONE) {
            b->failed = true;
            return;
        }
        TermId conv = sema_convert(rc, t->ret, ty);
        if (conv != NONE && rc->terms.d[conv].etor != ETOR_NONE) {
            Pat *wrap = rulec_alloc(rc, sizeof *wrap);
            *wrap =
                (Pat){.kind = PAT_TERM, .pos = p->pos, .name = rc->terms.d[conv].name, .nargs = 1};
            wrap->args = rulec_alloc(rc, sizeof *wrap->args);
            wrap->args[0] = (Pat *)(uintptr_t)p;
            match_term(b, wrap, env, at);
            return;
        }
        bad(b, p->pos,
            rulec_format(rc, "type mismatch: '%s' is of type '%s', but '%s' is expected", name,
                         type_name(b, t->ret), type_name(b, ty)));
        return;
    }
    if (p->nargs != t->nargs) {
        bad(b, p->pos,
            rulec_format(rc, "term '%s' takes %u arguments, but %u are given", name, t->nargs,
                         p->nargs));
        return;
    }
    BindId vals[MAX_ARITY];
    if (t->variant != NONE) {
        constrain(b, at, (Constraint){.kind = C_VARIANT, .ty = ty, .a = t->variant});
        for (uint32_t i = 0; i < t->nargs; i++) vals[i] = variant_field(b, at, ty, t->variant, i);
    } else if (t->etor == ETOR_MACRO) {
        Env inner = {t->macro, p->args, env};
        match_pattern(b, t->macro->pat, &inner, at);
        return;
    } else if (t->etor == ETOR_EXTERN) {
        if (t->multi && !b->flags.multi)
            bad(b, p->pos,
                rulec_format(rc, "multi extractor '%s' in a rule of a term that is not multi",
                             name));
        extract(b, tid, at, vals);
    } else {
        bad(b, p->pos,
            rulec_format(rc, "term '%s' has no extractor and cannot be used in a pattern", name));
        return;
    }
    for (uint32_t i = 0; i < t->nargs; i++) match_pattern(b, p->args[i], env, vals[i]);
}

/* The argument a macro parameter stands for, or null. */
static const Pat *macro_arg(const Env *env, Sym name) {
    if (env == NULL) return NULL;
    for (uint32_t i = 0; i < env->macro->nargs; i++)
        if (env->macro->args[i].name == name) return env->args[i];
    return NULL;
}

static void match_pattern(Builder *b, const Pat *p, const Env *env, BindId at) {
    Rulec *rc = b->rc;
    TypeId ty = b->rs->binds.d[at].ty;
    if (!grow(b, p->pos)) return;
    if (ty == NONE) { /* a type that is not known: reported where it was named */
        b->failed = true;
        return;
    }
    if (b->depth >= MAX_EXPANSION) {
        if (!b->too_big) bad(b, p->pos, "nested too deeply after the expansion of extractors");
        b->too_big = true;
        return;
    }
    b->depth++;
    const Pat *arg;
    switch (p->kind) {
    case PAT_WILD: break;
    case PAT_VAR:
        arg = macro_arg(env, p->name);
        if (arg != NULL)
            match_pattern(b, arg, env->outer, at);
        else
            match_var(b, p, at);
        break;
    case PAT_BIND:
        arg = macro_arg(env, p->name);
        if (arg != NULL) {
            match_pattern(b, arg, env->outer, at);
            match_pattern(b, p->args[0], env, at);
            break;
        }
        match_pattern(b, p->args[0], env, at);
        if (find_var(b, p->name) != NONE)
            bad(b, p->pos, rulec_format(rc, "variable '%s' is bound twice", sym_str(rc, p->name)));
        else
            vec_push(rc, &b->vars, ((Var){p->name, at}));
        break;
    case PAT_INT: {
        Constraint c = int_constraint(b, p, ty);
        if (!b->failed) constrain(b, at, c);
        break;
    }
    case PAT_BOOL:
        if (rc->types.d[ty].kind != TY_BOOL)
            bad(b, p->pos,
                rulec_format(rc, "boolean literal where type '%s' is expected", type_name(b, ty)));
        else
            constrain(b, at, (Constraint){.kind = C_BOOL, .ty = ty, .val = p->val});
        break;
    case PAT_CONST: {
        uint32_t k = rc->syms.d[p->name].cst;
        if (k == NONE)
            bad(b, p->pos, rulec_format(rc, "unknown constant '%s'", sym_str(rc, p->name)));
        else if (rc->consts.d[k].ty != ty)
            bad(b, p->pos,
                rulec_format(rc, "constant '%s' is of type '%s', but '%s' is expected",
                             sym_str(rc, p->name), type_name(b, rc->consts.d[k].ty),
                             type_name(b, ty)));
        else
            constrain(b, at, (Constraint){.kind = C_CONST, .ty = ty, .a = k});
        break;
    }
    case PAT_TERM: match_term(b, p, env, at); break;
    case PAT_AND:
        for (uint32_t i = 0; i < p->nargs; i++) match_pattern(b, p->args[i], env, at);
        break;
    }
    b->depth--;
}

/* --- expressions --------------------------------------------------------------------------- */

/* `want` is the type the context expects or NONE.  The result is NONE after an error. */
static BindId build_expr(Builder *b, const Expr *e, TypeId want, Flags fl);

static BindId construct(Builder *b, TermId tid, const BindId *args) {
    const Term *t = &b->rc->terms.d[tid];
    if (t->variant != NONE)
        return add_binding(
            b, (Binding){.kind = B_MAKE_VARIANT, .ty = t->ret, .a = t->ret, .b = t->variant}, args,
            t->nargs);
    Binding x = {.kind = B_CONSTRUCT, .ty = t->partial || t->multi ? NONE : t->ret, .a = tid};
    if (!t->pure) x.b = ++b->instance;
    BindId id = add_binding(b, x, args, t->nargs);
    if (t->multi) {
        bool known = false;
        for (uint32_t i = 0; i < b->rule->iters.n; i++) known |= b->rule->iters.d[i] == id;
        if (!known) vec_push(b->rc, &b->rule->iters, id);
        id = add_binding(b, (Binding){.kind = B_ITER, .ty = t->ret}, &id, 1);
    } else if (t->partial) {
        id = add_binding(b, (Binding){.kind = B_MATCH_SOME, .ty = t->ret}, &id, 1);
    }
    if (!t->pure) vec_push(b->rc, &b->rule->impure, id);
    return id;
}

static void check_use(Builder *b, const Term *t, Pos pos, Flags fl) {
    const char *name = sym_str(b->rc, t->name);
    if (t->variant != NONE) return;
    if (t->ctor == CTOR_NONE)
        bad(b, pos,
            rulec_format(b->rc, "term '%s' has no constructor and cannot be used in an expression",
                         name));
    if (fl.pure && !t->pure)
        bad(b, pos,
            rulec_format(b->rc, "impure constructor '%s' where a pure one is needed", name));
    if (t->multi && !fl.multi)
        bad(b, pos,
            rulec_format(b->rc, "multi constructor '%s' in a rule of a term that is not multi",
                         name));
    if (t->partial && !fl.partial)
        bad(b, pos,
            rulec_format(b->rc,
                         "partial constructor '%s' on the right-hand side of a rule whose term is "
                         "not partial",
                         name));
}

/* Makes a value of type `want` of a value of type `have`. */
static BindId convert_value(Builder *b, BindId val, TypeId want, Pos pos, Flags fl,
                            const char *what) {
    TypeId have = b->rs->binds.d[val].ty;
    if (want == NONE || have == want) return val;
    TermId conv = have == NONE ? NONE : sema_convert(b->rc, have, want);
    if (conv != NONE &&
        (b->rc->terms.d[conv].ctor != CTOR_NONE || b->rc->terms.d[conv].variant != NONE)) {
        check_use(b, &b->rc->terms.d[conv], pos, fl);
        return construct(b, conv, &val);
    }
    bad(b, pos,
        rulec_format(b->rc, "type mismatch: %s is of type '%s', but '%s' is expected", what,
                     type_name(b, have), type_name(b, want)));
    return NONE;
}

static BindId build_term(Builder *b, const Expr *e, TypeId want, Flags fl) {
    Rulec *rc = b->rc;
    TermId tid = rc->syms.d[e->name].term;
    const char *name = sym_str(rc, e->name);
    if (tid == NONE) {
        bad(b, e->pos,
            rulec_format(rc,
                         find_var(b, e->name) == NONE ? "unknown term '%s'"
                                                      : "'%s' is a variable, not a term",
                         name));
        return NONE;
    }
    const Term *t = &rc->terms.d[tid];
    check_use(b, t, e->pos, fl);
    if (e->nargs != t->nargs) {
        bad(b, e->pos,
            rulec_format(rc, "term '%s' takes %u arguments, but %u are given", name, t->nargs,
                         e->nargs));
        return NONE;
    }
    BindId args[MAX_ARITY];
    bool ok = true;
    for (uint32_t i = 0; i < e->nargs; i++) {
        args[i] = build_expr(b, e->args[i], t->args[i], fl);
        ok &= args[i] != NONE;
    }
    if (!ok || t->ret == NONE) {
        b->failed = true;
        return NONE;
    }
    return convert_value(b, construct(b, tid, args), want, e->pos, fl,
                         rulec_format(rc, "'%s'", name));
}

static BindId build_let(Builder *b, const Expr *e, TypeId want, Flags fl) {
    Rulec *rc = b->rc;
    uint32_t depth = b->vars.n;
    for (uint32_t i = 0; i < e->ndefs; i++) {
        const LetDef *d = &e->defs[i];
        TypeId ty = rc->syms.d[d->ty].type;
        if (ty == NONE) bad(b, d->pos, rulec_format(rc, "unknown type '%s'", sym_str(rc, d->ty)));
        BindId val = build_expr(b, d->val, ty, fl);
        if (val == NONE) {
            /* Enter the variable all the same, so that its uses are not reported as well. */
            val = add_binding(b, (Binding){.kind = B_ARG, .ty = ty, .a = NONE, .b = i}, NULL, 0);
            b->failed = true;
        }
        vec_push(rc, &b->vars, ((Var){d->var, val}));
    }
    BindId body = build_expr(b, e->body, want, fl);
    b->vars.n = depth;
    return body;
}

static BindId build_expr(Builder *b, const Expr *e, TypeId want, Flags fl) {
    Rulec *rc = b->rc;
    if (!grow(b, e->pos)) return NONE;
    switch (e->kind) {
    case EXPR_VAR: {
        BindId at = find_var(b, e->name);
        if (at == NONE) {
            if (!b->lost_vars)
                bad(b, e->pos, rulec_format(rc, "unknown variable '%s'", sym_str(rc, e->name)));
            return NONE;
        }
        if (b->rs->binds.d[at].ty == NONE) return NONE;
        return convert_value(b, at, want, e->pos, fl,
                             rulec_format(rc, "variable '%s'", sym_str(rc, e->name)));
    }
    case EXPR_INT: {
        uint64_t bits;
        if (want == NONE) {
            bad(b, e->pos, "integer literal where no type is known");
            return NONE;
        }
        const Type *t = &rc->types.d[want];
        if (t->kind != TY_INT && t->kind != TY_PRIM) {
            bad(b, e->pos,
                rulec_format(rc, "integer literal where type '%s' is expected",
                             type_name(b, want)));
            return NONE;
        }
        if (!sema_int_fits(t, e->neg, e->val, &bits))
            bad(b, e->pos,
                rulec_format(rc, "integer literal does not fit in type '%s'", type_name(b, want)));
        Binding x = {.kind = B_INT, .ty = want, .b = e->neg && t->kind == TY_PRIM, .val = bits};
        return add_binding(b, x, NULL, 0);
    }
    case EXPR_BOOL: {
        TypeId ty = rc->syms.d[rulec_intern(rc, "bool", 4)].type;
        if (want != NONE && want != ty)
            bad(b, e->pos,
                rulec_format(rc, "boolean literal where type '%s' is expected",
                             type_name(b, want)));
        return add_binding(b, (Binding){.kind = B_BOOL, .ty = ty, .val = e->val}, NULL, 0);
    }
    case EXPR_CONST: {
        uint32_t k = rc->syms.d[e->name].cst;
        if (k == NONE) {
            bad(b, e->pos, rulec_format(rc, "unknown constant '%s'", sym_str(rc, e->name)));
            return NONE;
        }
        TypeId ty = rc->consts.d[k].ty;
        BindId at = add_binding(b, (Binding){.kind = B_CONST, .ty = ty, .a = k}, NULL, 0);
        return convert_value(b, at, want, e->pos, fl,
                             rulec_format(rc, "constant '%s'", sym_str(rc, e->name)));
    }
    case EXPR_TERM: return build_term(b, e, want, fl);
    case EXPR_LET: return build_let(b, e, want, fl);
    }
    return NONE;
}

/* A condition's expression becomes a binding site to match on: every fallible call in it must succeed. */
static void require_some(Builder *b, BindId at, uint8_t *seen) {
    if (seen[at]) return;
    seen[at] = 1;
    const Binding x = b->rs->binds.d[at];
    if (x.kind == B_MATCH_SOME) constrain(b, x.src[0], (Constraint){.kind = C_SOME, .ty = NONE});
    for (uint32_t i = 0; i < x.nsrc; i++) require_some(b, x.src[i], seen);
}

/* --- rules --------------------------------------------------------------------------------- */

static void build_rule(Rulec *rc, RuleSet *rs, const Def *d, uint32_t index) {
    const Term *t = &rc->terms.d[rs->term];
    Rule rule = {.index = index, .name = d->name.name, .pos = d->pos, .prio = d->prio};
    Builder b = {.rc = rc, .rs = rs, .rule = &rule, .flags = {t->pure, t->partial, t->multi}};
    if (d->has_prio && t->multi) bad(&b, d->pos, "rules of a multi term cannot have a priority");
    if (d->pat->nargs != t->nargs) {
        bad(&b, d->pat->pos,
            rulec_format(rc, "term '%s' takes %u arguments, but %u are given", sym_str(rc, t->name),
                         t->nargs, d->pat->nargs));
        return;
    }
    for (uint32_t i = 0; i < t->nargs; i++) {
        BindId at = add_binding(&b, (Binding){.kind = B_ARG, .ty = t->args[i], .a = i}, NULL, 0);
        match_pattern(&b, d->pat->args[i], NULL, at);
    }
    Flags lhs = {.pure = true, .partial = true, .multi = t->multi};
    for (uint32_t i = 0; i < d->niflets; i++) {
        b.lost_vars = b.failed;
        BindId at = build_expr(&b, d->iflets[i].expr, NONE, lhs);
        if (at == NONE) continue;
        uint8_t *seen = rulec_alloc(rc, rs->binds.n);
        require_some(&b, at, seen);
        match_pattern(&b, d->iflets[i].pat, NULL, at);
    }
    b.lost_vars = b.failed;
    rule.result = build_expr(&b, d->expr, t->ret, b.flags);
    if (rule.result == NONE || b.failed) return;
    normalize_equals(&b);
    check_equals(&b);
    if (!b.failed) vec_push(rc, &rs->rules, rule);
}

void ruleset_build(Rulec *rc) {
    uint32_t *set_of = rulec_alloc(rc, rc->terms.n * sizeof *set_of);
    for (TermId t = 0; t < rc->terms.n; t++) {
        if (rc->terms.d[t].ctor != CTOR_INTERNAL) continue;
        set_of[t] = rc->sets.n;
        vec_push(rc, &rc->sets, ((RuleSet){.term = t}));
    }
    Pos *named = rulec_alloc(rc, rc->syms.n * sizeof *named);
    uint32_t nsyms = rc->syms.n;
    for (uint32_t i = 0; i < rc->defs.n; i++) {
        const Def *d = &rc->defs.d[i];
        if (d->kind != DEF_RULE) continue;
        uint32_t index = rc->nrules++;
        if (d->name.name != NONE && d->name.name < nsyms) {
            Pos *first = &named[d->name.name];
            if (first->line != 0)
                rulec_error(rc, d->name.pos, "rule name '%s' is used twice, first at %s:%u",
                            sym_str(rc, d->name.name), rc->files.d[first->file], first->line);
            else
                *first = d->name.pos;
        }
        if (d->pat->kind != PAT_TERM) continue;
        TermId t = rc->syms.d[d->pat->name].term;
        if (t == NONE || rc->terms.d[t].ctor != CTOR_INTERNAL) continue;
        build_rule(rc, &rc->sets.d[set_of[t]], d, index);
    }
}
