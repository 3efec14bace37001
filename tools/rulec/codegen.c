/* codegen.c — decision trees to C.
 *
 * Each term with rules becomes one function.  A binding of the rule set is a C variable of the block
 * that evaluates it: v_N, and v_N_k for the k-th output of an extractor or the value of a partial
 * constructor.  Tests on one binding become one switch (variants, integers, integer constants) or a
 * chain of ifs; falling out of a test goes on with the next step, so there are no gotos and no flags.
 *
 * A big switch over variants is cut into one function for each large arm (`term__Variant_k`), which takes
 * the variables it reads as parameters: the C compiler then works on many middle-sized functions
 * instead of a giant one, and a call's stack frame is that of one arm.  Such a function answers 0 (no
 * rule of the arm matched: go on), 1 (done) or 2 (the chosen rule's partial constructor failed); that of
 * a multi term takes and gives the number of results so far.
 *
 * Only terms that a root reaches are written.  docs/rulec.md describes the interface. */
#include "rulec.h"

#include <stdarg.h>
#include <string.h>

#define OUTLINE_MIN_ARMS 8  /* a switch with fewer arms is never cut */
#define OUTLINE_MIN_RULES 3 /* an arm with fewer rules stays in its switch */

typedef VEC(uint32_t) U32Vec;

typedef struct Outlined {
    const Block *body;
    const char *name;
    U32Vec params; /* atoms, see atom_of */
} Outlined;

typedef struct Gen {
    Rulec *rc;
    const Options *opt;
    FILE *f;
    const RuleSet *rs;
    const Term *term;
    VEC(Outlined) outlined; /* of the current term, in order */
    uint32_t next_outlined;
    int indent;
    bool in_outlined;
} Gen;

static __attribute__((format(printf, 2, 3))) void line(Gen *g, const char *fmt, ...) {
    fprintf(g->f, "%*s", g->indent * 4, "");
    va_list ap;
    va_start(ap, fmt);
    vfprintf(g->f, fmt, ap);
    va_end(ap);
    fputc('\n', g->f);
}

static const char *ctype(const Gen *g, TypeId t) {
    return g->rc->types.d[t].cname;
}

static const char *term_fn(const Gen *g, const Term *t) {
    return t->ctor == CTOR_EXTERN
               ? t->ctor_fn
               : rulec_format(g->rc, "%s_%s", g->opt->prefix, sym_str(g->rc, t->name));
}

static const char *base_name(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash != NULL ? slash + 1 : path;
}

static const char *int_text(const Gen *g, TypeId ty, uint64_t val, bool neg) {
    const Type *t = &g->rc->types.d[ty];
    int64_t s = (int64_t)val;
    if (t->kind == TY_INT ? t->is_signed : neg) {
        if (s == INT64_MIN) return "INT64_MIN";
        return rulec_format(g->rc, s >= INT32_MIN && s <= INT32_MAX ? "%lld" : "INT64_C(%lld)",
                            (long long)s);
    }
    return rulec_format(g->rc, val <= INT32_MAX ? "%llu" : "UINT64_C(%llu)",
                        (unsigned long long)val);
}

static const char *variant_text(const Gen *g, TypeId ty, uint32_t variant) {
    const Type *t = &g->rc->types.d[ty];
    return rulec_format(g->rc, "%s_%s", sym_str(g->rc, t->name),
                        sym_str(g->rc, t->variants[variant].name));
}

/* --- values -------------------------------------------------------------------------------- */

/* An atom is a C variable: binding * (MAX_ARITY + 1) + 0 for v_N, + 1 + k for v_N_k. */
static uint32_t atom(BindId id, uint32_t slot) {
    return id * (MAX_ARITY + 1) + slot;
}

/* The variable that holds the value of a binding; NONE for constants. */
static uint32_t atom_of(const RuleSet *rs, BindId id) {
    const Binding *b = &rs->binds.d[id];
    switch (b->kind) {
    case B_BOOL:
    case B_INT:
    case B_CONST: return NONE;
    case B_MAKE_VARIANT: return b->nsrc == 0 ? NONE : atom(id, 0);
    case B_ARG:
    case B_EXTRACT:
    case B_CONSTRUCT:
    case B_MATCH_VARIANT: return atom(id, 0);
    case B_ITER:
    case B_MATCH_SOME: return atom(b->src[0], 1);
    case B_MATCH_TUPLE: {
        BindKind k = rs->binds.d[b->src[0]].kind;
        BindId base = k == B_MATCH_SOME || k == B_ITER ? rs->binds.d[b->src[0]].src[0] : b->src[0];
        return atom(base, 1 + b->a);
    }
    }
    return NONE;
}

static const char *atom_name(const Gen *g, uint32_t at) {
    BindId id = at / (MAX_ARITY + 1);
    uint32_t slot = at % (MAX_ARITY + 1);
    if (g->rs->binds.d[id].kind == B_ARG) return rulec_format(g->rc, "a_%u", g->rs->binds.d[id].a);
    return slot == 0 ? rulec_format(g->rc, "v_%u", id)
                     : rulec_format(g->rc, "v_%u_%u", id, slot - 1);
}

static const char *atom_type(const Gen *g, uint32_t at) {
    const Binding *b = &g->rs->binds.d[at / (MAX_ARITY + 1)];
    uint32_t slot = at % (MAX_ARITY + 1);
    if (slot == 0) return b->ty == NONE ? "bool" : ctype(g, b->ty);
    const Term *t = &g->rc->terms.d[b->a];
    return ctype(g, b->kind == B_EXTRACT ? t->args[slot - 1] : t->ret);
}

static const char *value(const Gen *g, BindId id) {
    const Binding *b = &g->rs->binds.d[id];
    uint32_t at = atom_of(g->rs, id);
    if (at != NONE) return atom_name(g, at);
    if (b->kind == B_BOOL) return b->val ? "true" : "false";
    if (b->kind == B_INT) return int_text(g, b->ty, b->val, b->b != 0);
    if (b->kind == B_CONST) return g->rc->consts.d[b->a].cexpr;
    const char *v = variant_text(g, b->a, b->b);
    return g->rc->types.d[b->a].all_nullary ? v : rulec_format(g->rc, "ISLE_NEW_%s(ctx)", v);
}

static const char *args_text(const Gen *g, const Binding *b) {
    const char *s = "ctx";
    for (uint32_t i = 0; i < b->nsrc; i++)
        s = rulec_format(g->rc, "%s, %s", s, value(g, b->src[i]));
    return s;
}

static const char *outs_text(const Gen *g, BindId id, uint32_t n) {
    const char *s = "";
    for (uint32_t i = 0; i < n; i++) s = rulec_format(g->rc, "%s, &v_%u_%u", s, id, i);
    return s;
}

/* --- variables a block reads ---------------------------------------------------------------- */

static void add_atom(const Gen *g, U32Vec *v, uint32_t at) {
    if (at == NONE) return;
    for (uint32_t i = 0; i < v->n; i++)
        if (v->d[i] == at) return;
    vec_push(g->rc, v, at);
}

static void collect_block(const Gen *g, const Block *b, U32Vec *reads, U32Vec *defs) {
    for (uint32_t i = 0; i < b->steps.n; i++) {
        const Step *s = &b->steps.d[i];
        for (uint32_t k = 0; k < s->binds.n; k++) {
            const Binding *x = &g->rs->binds.d[s->binds.d[k]];
            add_atom(g, defs, s->binds.d[k]);
            for (uint32_t j = 0; j < x->nsrc; j++)
                add_atom(g, reads,
                         x->kind == B_MATCH_SOME ? atom(x->src[0], 0) : atom_of(g->rs, x->src[j]));
        }
        switch (s->kind) {
        case STEP_MATCH: add_atom(g, reads, atom_of(g->rs, s->a)); break;
        case STEP_EQUAL:
            add_atom(g, reads, atom_of(g->rs, s->a));
            add_atom(g, reads, atom_of(g->rs, s->b));
            break;
        case STEP_LOOP: {
            const Binding *x = &g->rs->binds.d[s->a];
            for (uint32_t j = 0; j < x->nsrc; j++) add_atom(g, reads, atom_of(g->rs, x->src[j]));
            add_atom(g, defs, s->a);
            break;
        }
        case STEP_RETURN: add_atom(g, reads, atom_of(g->rs, g->rs->rules.d[s->rule].result)); break;
        }
        for (uint32_t k = 0; k < s->arms.n; k++) collect_block(g, s->arms.d[k].body, reads, defs);
        if (s->body != NULL) collect_block(g, s->body, reads, defs);
    }
}

static U32Vec free_atoms(const Gen *g, const Block *b) {
    U32Vec reads = {0}, defs = {0}, out = {0};
    collect_block(g, b, &reads, &defs);
    for (uint32_t i = 0; i < reads.n; i++) {
        BindId id = reads.d[i] / (MAX_ARITY + 1);
        bool inside = false;
        for (uint32_t k = 0; !inside && k < defs.n; k++) inside = defs.d[k] == id;
        if (!inside) vec_push(g->rc, &out, reads.d[i]);
    }
    return out;
}

static uint32_t count_rules(const Block *b) {
    uint32_t n = 0;
    for (uint32_t i = 0; i < b->steps.n; i++) {
        const Step *s = &b->steps.d[i];
        n += s->kind == STEP_RETURN;
        for (uint32_t k = 0; k < s->arms.n; k++) n += count_rules(s->arms.d[k].body);
        if (s->body != NULL) n += count_rules(s->body);
    }
    return n;
}

/* --- statements ----------------------------------------------------------------------------- */

static void emit_bind(Gen *g, BindId id) {
    const Binding *b = &g->rs->binds.d[id];
    const Term *t = b->kind == B_EXTRACT || b->kind == B_CONSTRUCT ? &g->rc->terms.d[b->a] : NULL;
    switch (b->kind) {
    case B_EXTRACT:
        if (b->ty != NONE) {
            line(g, "%s v_%u = %s(%s);", ctype(g, b->ty), id, t->etor_fn, args_text(g, b));
            break;
        }
        for (uint32_t i = 0; i < t->nargs; i++) line(g, "%s v_%u_%u;", ctype(g, t->args[i]), id, i);
        if (t->infallible)
            line(g, "%s(%s%s);", t->etor_fn, args_text(g, b), outs_text(g, id, t->nargs));
        else
            line(g, "bool v_%u = %s(%s%s);", id, t->etor_fn, args_text(g, b),
                 outs_text(g, id, t->nargs));
        break;
    case B_CONSTRUCT:
        if (!t->partial) {
            line(g, "%s v_%u = %s(%s);", ctype(g, t->ret), id, term_fn(g, t), args_text(g, b));
            break;
        }
        line(g, "%s v_%u_0;", ctype(g, t->ret), id);
        line(g, "bool v_%u = %s(%s, &v_%u_0);", id, term_fn(g, t), args_text(g, b), id);
        break;
    case B_MATCH_SOME:
        line(g, "if (!v_%u) return %s;", b->src[0], g->in_outlined ? "2" : "false");
        break;
    case B_MAKE_VARIANT:
        line(g, "%s v_%u = ISLE_NEW_%s(%s);", ctype(g, b->a), id, variant_text(g, b->a, b->b),
             args_text(g, b));
        break;
    case B_MATCH_VARIANT: {
        TypeId ty = g->rs->binds.d[b->src[0]].ty;
        const Field *f = &g->rc->types.d[ty].variants[b->a].fields[b->b];
        line(g, "%s v_%u = ISLE_GET_%s_%s(ctx, %s);", ctype(g, b->ty), id,
             variant_text(g, ty, b->a), sym_str(g->rc, f->name), value(g, b->src[0]));
        break;
    }
    case B_BOOL:
    case B_INT:
    case B_CONST:
    case B_ARG:
    case B_ITER:
    case B_MATCH_TUPLE: break;
    }
}

/* `x == pattern` as a C condition. */
static const char *test_text(const Gen *g, BindId at, const Constraint *c) {
    const char *x = value(g, at);
    switch (c->kind) {
    case C_SOME: return rulec_format(g->rc, "v_%u", at);
    case C_BOOL: return c->val ? x : rulec_format(g->rc, "!%s", x);
    case C_VARIANT: {
        const char *v = variant_text(g, c->ty, c->a);
        if (g->rc->types.d[c->ty].all_nullary) return rulec_format(g->rc, "%s == %s", x, v);
        return rulec_format(g->rc, "ISLE_TAG_%s(ctx, %s) == ISLE_%s",
                            sym_str(g->rc, g->rc->types.d[c->ty].name), x, v);
    }
    case C_INT:
    case C_CONST: {
        const char *k = c->kind == C_CONST ? g->rc->consts.d[c->a].cexpr
                                           : int_text(g, c->ty, c->val, c->a != 0);
        const char *eq = g->rc->types.d[c->ty].eq;
        return eq != NULL ? rulec_format(g->rc, "%s(%s, %s)", eq, x, k)
                          : rulec_format(g->rc, "%s == %s", x, k);
    }
    }
    return "";
}

static const char *label_text(const Gen *g, const Constraint *c) {
    switch (c->kind) {
    case C_VARIANT:
        return rulec_format(g->rc, g->rc->types.d[c->ty].all_nullary ? "%s" : "ISLE_%s",
                            variant_text(g, c->ty, c->a));
    case C_CONST: return g->rc->consts.d[c->a].cexpr;
    case C_INT: return int_text(g, c->ty, c->val, c->a != 0);
    case C_BOOL: return c->val ? "true" : "false";
    case C_SOME: break;
    }
    return "";
}

static void emit_block(Gen *g, const Block *b);

/* Does the arm become a function of its own? */
static bool is_cut(const Step *s, const Arm *arm) {
    return s->kind == STEP_MATCH && arm->c.kind == C_VARIANT && s->arms.n >= OUTLINE_MIN_ARMS &&
           count_rules(arm->body) >= OUTLINE_MIN_RULES;
}

static bool is_call(const Gen *g, const Step *s, const Arm *arm) {
    return !g->in_outlined && is_cut(s, arm);
}

static void emit_arm(Gen *g, const Step *s, const Arm *arm) {
    if (!is_call(g, s, arm)) {
        emit_block(g, arm->body);
        return;
    }
    const Outlined *o = &g->outlined.d[g->next_outlined++];
    const char *args = "ctx";
    for (uint32_t i = 0; i < o->params.n; i++)
        args = rulec_format(g->rc, "%s, %s", args, atom_name(g, o->params.d[i]));
    if (g->term->multi) {
        line(g, "count_ = %s(%s, out_, cap_, count_);", o->name, args);
    } else if (g->term->partial) {
        line(g, "int done_ = %s(%s, out_);", o->name, args);
        line(g, "if (done_ != 0) return done_ == 1;");
    } else {
        line(g, "%s result_;", ctype(g, g->term->ret));
        line(g, "if (%s(%s, &result_) != 0) return result_;", o->name, args);
    }
}

/* A body that ends in a return, and so never falls through (those of multi terms do, and those with a
 * call of a cut arm at the end). */
static bool never_falls(const Gen *g, const Block *b) {
    return !g->term->multi && b->steps.n != 0 && b->steps.d[b->steps.n - 1].kind == STEP_RETURN;
}

static bool can_switch(const Gen *g, const Step *s) {
    if (s->arms.n < 2) return false;
    const Constraint *c = &s->arms.d[0].c;
    if (c->kind == C_VARIANT) return true;
    return (c->kind == C_INT || c->kind == C_CONST) && g->rc->types.d[c->ty].eq == NULL;
}

static void emit_match(Gen *g, const Step *s) {
    if (!can_switch(g, s)) {
        for (uint32_t i = 0; i < s->arms.n; i++) {
            line(g, "%sif (%s) {", i == 0 ? "" : "} else ", test_text(g, s->a, &s->arms.d[i].c));
            g->indent++;
            emit_block(g, s->arms.d[i].body);
            g->indent--;
        }
        line(g, "}");
        return;
    }
    const Constraint *c = &s->arms.d[0].c;
    if (c->kind == C_VARIANT && !g->rc->types.d[c->ty].all_nullary)
        line(g, "switch (ISLE_TAG_%s(ctx, %s)) {", sym_str(g->rc, g->rc->types.d[c->ty].name),
             value(g, s->a));
    else
        line(g, "switch (%s) {", value(g, s->a));
    for (uint32_t i = 0; i < s->arms.n; i++) {
        line(g, "case %s: {", label_text(g, &s->arms.d[i].c));
        g->indent++;
        emit_arm(g, s, &s->arms.d[i]);
        if (is_call(g, s, &s->arms.d[i]) || !never_falls(g, s->arms.d[i].body)) line(g, "break;");
        g->indent--;
        line(g, "}");
    }
    line(g, "default: break;");
    line(g, "}");
}

static void emit_loop(Gen *g, const Step *s) {
    const Binding *b = &g->rs->binds.d[s->a];
    const Term *t = &g->rc->terms.d[b->a];
    BindId id = s->a;
    line(g, "{");
    g->indent++;
    if (b->kind == B_CONSTRUCT && t->ctor == CTOR_INTERNAL) {
        line(g, "%s b_%u[ISLE_MULTI_CAP];", ctype(g, t->ret), id);
        line(g, "unsigned n_%u = %s(%s, b_%u, ISLE_MULTI_CAP);", id, term_fn(g, t), args_text(g, b),
             id);
        line(g, "for (unsigned i_%u = 0; i_%u < n_%u; i_%u++) {", id, id, id, id);
        g->indent++;
        line(g, "%s v_%u_0 = b_%u[i_%u];", ctype(g, t->ret), id, id, id);
    } else {
        bool etor = b->kind == B_EXTRACT;
        const char *fn = etor ? t->etor_fn : t->ctor_fn;
        uint32_t nout = etor ? t->nargs : 1;
        for (uint32_t i = 0; i < nout; i++)
            line(g, "%s v_%u_%u;", ctype(g, etor ? t->args[i] : t->ret), id, i);
        line(g, "%s_iter it_%u;", fn, id);
        line(g, "%s_begin(%s, &it_%u);", fn, args_text(g, b), id);
        line(g, "while (%s_next(ctx, &it_%u%s)) {", fn, id, outs_text(g, id, nout));
        g->indent++;
    }
    emit_block(g, s->body);
    g->indent--;
    line(g, "}");
    g->indent--;
    line(g, "}");
}

static void emit_return(Gen *g, const Step *s) {
    const Rule *r = &g->rs->rules.d[s->rule];
    const char *v = value(g, r->result);
    if (g->term->multi) {
        line(g, "out_[count_++] = %s;", v);
    } else if (g->in_outlined || g->term->partial) {
        line(g, "*out_ = %s;", v);
        line(g, "return %s;", g->in_outlined ? "1" : "true");
    } else {
        line(g, "return %s;", v);
    }
}

static void emit_block(Gen *g, const Block *b) {
    for (uint32_t i = 0; i < b->steps.n; i++) {
        const Step *s = &b->steps.d[i];
        if (s->kind == STEP_RETURN) {
            const Rule *r = &g->rs->rules.d[s->rule];
            line(g, "/* rule %s %s:%u */",
                 sym_str(g->rc, r->name == NONE ? g->term->name : r->name),
                 base_name(g->rc->files.d[r->pos.file]), r->pos.line);
        }
        bool scope = g->term->multi && s->kind == STEP_RETURN && s->binds.n != 0;
        if (scope) {
            line(g, "{");
            g->indent++;
        }
        if (s->kind == STEP_RETURN && g->term->multi) line(g, "if (count_ == cap_) return count_;");
        if (s->kind == STEP_RETURN) line(g, "ISLE_HIT(%u);", g->rs->rules.d[s->rule].index);
        for (uint32_t k = 0; k < s->binds.n; k++) emit_bind(g, s->binds.d[k]);
        switch (s->kind) {
        case STEP_MATCH: emit_match(g, s); break;
        case STEP_EQUAL: {
            TypeId ty = g->rs->binds.d[s->a].ty;
            const char *eq = g->rc->types.d[ty].eq;
            line(g, eq != NULL ? "if (%s(%s, %s)) {" : "if (%s%s == %s) {", eq != NULL ? eq : "",
                 value(g, s->a), value(g, s->b));
            g->indent++;
            emit_block(g, s->body);
            g->indent--;
            line(g, "}");
            break;
        }
        case STEP_LOOP: emit_loop(g, s); break;
        case STEP_RETURN: emit_return(g, s); break;
        }
        if (scope) {
            g->indent--;
            line(g, "}");
        }
    }
}

/* --- functions ------------------------------------------------------------------------------ */

static void signature(const Gen *g, FILE *f, const Term *t, bool is_static) {
    fprintf(f, "%s%s %s(%s *ctx", is_static ? "static " : "",
            t->multi     ? "unsigned"
            : t->partial ? "bool"
                         : ctype(g, t->ret),
            term_fn(g, t), g->opt->ctx);
    for (uint32_t i = 0; i < t->nargs; i++) fprintf(f, ", %s a_%u", ctype(g, t->args[i]), i);
    if (t->multi)
        fprintf(f, ", %s *out_, unsigned cap_", ctype(g, t->ret));
    else if (t->partial)
        fprintf(f, ", %s *out_", ctype(g, t->ret));
    fprintf(f, ")");
}

static void outlined_signature(const Gen *g, const Outlined *o) {
    bool multi = g->term->multi;
    fprintf(g->f, "static ISLE_OUTLINE %s %s(%s *ctx", multi ? "unsigned" : "int", o->name,
            g->opt->ctx);
    for (uint32_t i = 0; i < o->params.n; i++)
        fprintf(g->f, ", %s %s", atom_type(g, o->params.d[i]), atom_name(g, o->params.d[i]));
    fprintf(g->f, ", %s *out_%s)", ctype(g, g->term->ret),
            multi ? ", unsigned cap_, unsigned count_" : "");
}

/* The arms to be functions of their own, in the order in which emit_arm will meet them. */
static void find_cuts(Gen *g, const Block *b) {
    for (uint32_t i = 0; i < b->steps.n; i++) {
        const Step *s = &b->steps.d[i];
        for (uint32_t k = 0; k < s->arms.n; k++) {
            const Arm *arm = &s->arms.d[k];
            if (!is_cut(s, arm)) {
                find_cuts(g, arm->body);
                continue;
            }
            const char *variant = sym_str(g->rc, g->rc->types.d[arm->c.ty].variants[arm->c.a].name);
            const char *name = rulec_format(g->rc, "%s_%s__%s_%u", g->opt->prefix,
                                            sym_str(g->rc, g->term->name), variant, g->outlined.n);
            vec_push(g->rc, &g->outlined, ((Outlined){arm->body, name, free_atoms(g, arm->body)}));
        }
        if (s->body != NULL) find_cuts(g, s->body);
    }
}

static void emit_term(Gen *g, bool is_root) {
    const Term *t = g->term;
    const Block *tree = serialize(g->rc, g->rs);
    const char *name = sym_str(g->rc, t->name);
    g->outlined.n = g->next_outlined = 0;
    find_cuts(g, tree);
    g->indent = 1;
    g->in_outlined = true;
    for (uint32_t i = 0; i < g->outlined.n; i++) {
        fprintf(g->f, "\n");
        outlined_signature(g, &g->outlined.d[i]);
        fprintf(g->f, " {\n");
        emit_block(g, g->outlined.d[i].body);
        if (!never_falls(g, g->outlined.d[i].body))
            line(g, g->term->multi ? "return count_;" : "return 0;");
        fprintf(g->f, "}\n");
    }
    g->in_outlined = false;
    fprintf(g->f, "\n");
    signature(g, g->f, t, !is_root);
    fprintf(g->f, " {\n");
    if (t->multi) line(g, "unsigned count_ = 0;");
    emit_block(g, tree);
    if (t->multi)
        line(g, "return count_;");
    else if (t->partial && !never_falls(g, tree))
        line(g, "return false;");
    else if (!never_falls(g, tree))
        line(g, "ISLE_UNREACHABLE(\"%s\", \"%s\", %u);", name,
             base_name(g->rc->files.d[t->pos.file]), t->pos.line);
    fprintf(g->f, "}\n");
}

static void mark_reachable(Gen *g, const uint32_t *set_of, uint8_t *live, TermId root) {
    VEC(TermId) todo = {0};
    live[root] = 1;
    vec_push(g->rc, &todo, root);
    while (todo.n != 0) {
        const RuleSet *rs = &g->rc->sets.d[set_of[todo.d[--todo.n]]];
        for (uint32_t i = 0; i < rs->binds.n; i++) {
            const Binding *b = &rs->binds.d[i];
            if (b->kind != B_CONSTRUCT || g->rc->terms.d[b->a].ctor != CTOR_INTERNAL || live[b->a])
                continue;
            live[b->a] = 1;
            vec_push(g->rc, &todo, b->a);
        }
    }
}

static bool is_root(const Gen *g, TermId t) {
    if (g->opt->nroots == 0) return true;
    for (uint32_t i = 0; i < g->opt->nroots; i++)
        if (strcmp(g->opt->roots[i], sym_str(g->rc, g->rc->terms.d[t].name)) == 0) return true;
    return false;
}

static void emit_prelude(Gen *g) {
    fprintf(
        g->f,
        "/* Generated by rulec; do not edit. */\n"
        "#include <stdbool.h>\n#include <stddef.h>\n#include <stdint.h>\n#include <stdlib.h>\n\n");
    for (uint32_t i = 0; i < g->opt->nincludes; i++)
        fprintf(g->f, "#include \"%s\"\n", g->opt->includes[i]);
    fprintf(g->f,
            "\n#ifndef ISLE_HIT\n#define ISLE_HIT(rule) ((void)0)\n#endif\n"
            "#ifndef ISLE_UNREACHABLE\n#define ISLE_UNREACHABLE(term, file, line) abort()\n#endif\n"
            "#ifndef ISLE_MULTI_CAP\n#define ISLE_MULTI_CAP 16\n#endif\n"
            "#ifndef ISLE_OUTLINE\n#define ISLE_OUTLINE __attribute__((noinline))\n#endif\n\n"
            "#pragma GCC diagnostic ignored \"-Wunused-parameter\"\n"
            "#pragma GCC diagnostic ignored \"-Wunused-variable\"\n"
            "#pragma GCC diagnostic ignored \"-Wunused-but-set-variable\"\n"
            "#ifndef __clang__\n"
            "#pragma GCC diagnostic ignored \"-Wmaybe-uninitialized\"\n"
            "#endif\n");
}

static void emit_rule_table(Gen *g) {
    const Rulec *rc = g->rc;
    const char *p = g->opt->prefix;
    fprintf(
        g->f,
        "\n#ifdef ISLE_COVERAGE\n"
        "#ifndef ISLE_RULE_TYPE\n#define ISLE_RULE_TYPE\n"
        "typedef struct IsleRule {\n    const char *name, *file;\n    unsigned line;\n} IsleRule;\n"
        "#endif\n");
    fprintf(g->f, "extern const IsleRule %s_rules[];\nextern const unsigned %s_rule_count;\n", p,
            p);
    fprintf(g->f, "const IsleRule %s_rules[] = {\n", p);
    uint32_t n = 0;
    for (uint32_t i = 0; i < rc->defs.n; i++) {
        const Def *d = &rc->defs.d[i];
        if (d->kind != DEF_RULE) continue;
        fprintf(g->f, "    {\"%s\", \"%s\", %u},\n",
                d->name.name != NONE ? sym_str(rc, d->name.name) : sym_str(rc, d->pat->name),
                base_name(rc->files.d[d->pos.file]), d->pos.line);
        n++;
    }
    fprintf(g->f, "};\nconst unsigned %s_rule_count = %u;\n#endif\n", p, n);
}

void codegen(Rulec *rc, const Options *opt, FILE *c_out, FILE *h_out) {
    Gen g = {.rc = rc, .opt = opt, .f = c_out};
    uint32_t *set_of = rulec_alloc(rc, rc->terms.n * sizeof *set_of);
    uint8_t *live = rulec_alloc(rc, rc->terms.n);
    for (uint32_t i = 0; i < rc->sets.n; i++) set_of[rc->sets.d[i].term] = i;
    for (uint32_t i = 0; i < rc->sets.n; i++)
        if (is_root(&g, rc->sets.d[i].term) && !live[rc->sets.d[i].term])
            mark_reachable(&g, set_of, live, rc->sets.d[i].term);
    emit_prelude(&g);
    emit_rule_table(&g);
    fprintf(c_out, "\n");
    if (h_out != NULL) fprintf(h_out, "/* Generated by rulec; do not edit. */\n#pragma once\n");
    for (uint32_t i = 0; i < rc->sets.n; i++) {
        const RuleSet *rs = &rc->sets.d[i];
        if (!live[rs->term]) continue;
        bool root = is_root(&g, rs->term);
        signature(&g, c_out, &rc->terms.d[rs->term], !root);
        fprintf(c_out, ";\n");
        if (!root || h_out == NULL) continue;
        signature(&g, h_out, &rc->terms.d[rs->term], false);
        fprintf(h_out, ";\n");
    }
    for (uint32_t i = 0; i < rc->sets.n; i++) {
        g.rs = &rc->sets.d[i];
        g.term = &rc->terms.d[g.rs->term];
        if (live[g.rs->term]) emit_term(&g, is_root(&g, g.rs->term));
    }
}
