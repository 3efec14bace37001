/* sema.c — definitions to the environment: types, terms, constants, conversions.
 *
 * The definitions of all files form one set; their order does not matter except for messages.  Passes:
 * (1) names of types, (2) fields of enums and the variant terms `E.Variant`, (3) declarations and
 * constants, (4) who constructs and who extracts each term: rules, extern functions, extractor macros,
 * (5) conversions, (6) macros that expand into themselves.  Rules are read by ruleset.c afterwards. */
#include "rulec.h"

#include <string.h>

static bool lookup_type(Rulec *rc, Ident id, TypeId *out) {
    *out = rc->syms.d[id.name].type;
    if (*out != NONE) return true;
    rulec_error(rc, id.pos, "unknown type '%s'", sym_str(rc, id.name));
    return false;
}

static Term *lookup_term(Rulec *rc, Ident id) {
    TermId t = rc->syms.d[id.name].term;
    if (t != NONE) return &rc->terms.d[t];
    rulec_error(rc, id.pos, "unknown term '%s'", sym_str(rc, id.name));
    return NULL;
}

static TypeId add_type(Rulec *rc, Type ty) {
    rc->syms.d[ty.name].type = rc->types.n;
    vec_push(rc, &rc->types, ty);
    return rc->types.n - 1;
}

static void add_builtins(Rulec *rc) {
    static const struct {
        const char *name, *cname;
        uint32_t bits;
        bool is_signed;
    } rows[] = {
        {"bool", "bool", 1, false},       {"u8", "uint8_t", 8, false},
        {"u16", "uint16_t", 16, false},   {"u32", "uint32_t", 32, false},
        {"u64", "uint64_t", 64, false},   {"usize", "size_t", 64, false},
        {"i8", "int8_t", 8, true},        {"i16", "int16_t", 16, true},
        {"i32", "int32_t", 32, true},     {"i64", "int64_t", 64, true},
        {"isize", "ptrdiff_t", 64, true},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        Type ty = {.kind = i == 0 ? TY_BOOL : TY_INT,
                   .name = rulec_intern(rc, rows[i].name, strlen(rows[i].name)),
                   .cname = rows[i].cname,
                   .bits = rows[i].bits,
                   .is_signed = rows[i].is_signed};
        add_type(rc, ty);
    }
}

/* Does a literal belong to the type?  A literal may be written as either the signed or the unsigned
 * value of the same bits (0xff is an i8).  *bits gets the value extended to 64 bits. */
bool sema_int_fits(const Type *ty, bool neg, uint64_t mag, uint64_t *bits) {
    *bits = neg ? 0 - mag : mag;
    if (ty->kind != TY_INT) return true;
    uint32_t w = ty->bits;
    uint64_t half = (uint64_t)1 << (w - 1);
    if (neg ? mag > half : w < 64 && mag >> w != 0) return false;
    if (neg && !ty->is_signed) return false;
    if (w < 64) {
        uint64_t mask = ((uint64_t)1 << w) - 1;
        *bits &= mask;
        if (ty->is_signed && (*bits & half)) *bits |= ~mask;
    }
    return true;
}

static void collect_types(Rulec *rc) {
    for (uint32_t i = 0; i < rc->defs.n; i++) {
        const Def *d = &rc->defs.d[i];
        if (d->kind != DEF_TYPE_PRIM && d->kind != DEF_TYPE_ENUM) continue;
        const char *name = sym_str(rc, d->name.name);
        TypeId old = rc->syms.d[d->name.name].type;
        if (old != NONE) {
            if (rc->types.d[old].kind == TY_BOOL || rc->types.d[old].kind == TY_INT)
                rulec_error(rc, d->name.pos, "type '%s' is built in", name);
            else
                rulec_error(rc, d->name.pos, "type '%s' is defined twice", name);
            continue;
        }
        if (strpbrk(name, ".$") != NULL) {
            rulec_error(rc, d->name.pos, "'%s' cannot name a type", name);
            continue;
        }
        Type ty = {.name = d->name.name, .pos = d->name.pos};
        if (d->kind == DEF_TYPE_PRIM) {
            ty.kind = TY_PRIM;
            ty.cname = sym_str(rc, d->other.name);
            ty.eq = d->third.name == NONE ? NULL : sym_str(rc, d->third.name);
        } else {
            ty.kind = TY_ENUM;
            ty.cname = name;
        }
        add_type(rc, ty);
    }
}

static void collect_variants(Rulec *rc) {
    for (uint32_t i = 0; i < rc->defs.n; i++) {
        const Def *d = &rc->defs.d[i];
        if (d->kind != DEF_TYPE_ENUM) continue;
        TypeId tid = rc->syms.d[d->name.name].type;
        if (tid == NONE || rc->types.d[tid].kind != TY_ENUM || rc->types.d[tid].variants != NULL)
            continue;
        VEC(Variant) vs = {0};
        bool all_nullary = true;
        for (uint32_t k = 0; k < d->nvariants; k++) {
            const VariantAst *va = &d->variants[k];
            const char *full =
                rulec_format(rc, "%s.%s", sym_str(rc, d->name.name), sym_str(rc, va->name));
            Sym sym = rulec_intern(rc, full, strlen(full));
            if (rc->syms.d[sym].term != NONE) {
                rulec_error(rc, va->pos, "variant '%s' is defined twice", full);
                continue;
            }
            if (va->nfields > MAX_ARITY) {
                rulec_error(rc, va->pos, "variant '%s' has more than %d fields", full, MAX_ARITY);
                continue;
            }
            if (va->nfields != 0) all_nullary = false;
            Variant v = {.name = va->name, .nfields = va->nfields, .term = rc->terms.n};
            v.fields = rulec_alloc(rc, va->nfields * sizeof *v.fields);
            Term t = {.name = sym, .pos = va->pos, .nargs = va->nfields, .ret = tid, .pure = true};
            t.args = rulec_alloc(rc, va->nfields * sizeof *t.args);
            t.variant = vs.n;
            for (uint32_t f = 0; f < va->nfields; f++) {
                for (uint32_t g = 0; g < f; g++)
                    if (va->fields[g].name == va->fields[f].name)
                        rulec_error(rc, va->fields[f].pos, "field '%s' is defined twice",
                                    sym_str(rc, va->fields[f].name));
                lookup_type(rc, (Ident){va->fields[f].ty, va->fields[f].pos}, &t.args[f]);
                v.fields[f] = (Field){va->fields[f].name, t.args[f]};
            }
            rc->syms.d[sym].term = rc->terms.n;
            vec_push(rc, &rc->terms, t);
            vec_push(rc, &vs, v);
        }
        rc->types.d[tid].variants = vs.d;
        rc->types.d[tid].nvariants = vs.n;
        rc->types.d[tid].all_nullary = all_nullary;
    }
}

static void collect_decl(Rulec *rc, const Def *d) {
    const char *name = sym_str(rc, d->name.name);
    if (rc->syms.d[d->name.name].term != NONE) {
        rulec_error(rc, d->name.pos, "term '%s' is declared twice", name);
        return;
    }
    if (strpbrk(name, ".$") != NULL) {
        rulec_error(rc, d->name.pos, "'%s' cannot name a term", name);
        return;
    }
    if (d->nargs > MAX_ARITY) {
        rulec_error(rc, d->name.pos, "term '%s' has more than %d arguments", name, MAX_ARITY);
        return;
    }
    if (d->multi && d->partial) {
        rulec_error(rc, d->name.pos, "term '%s' cannot be both multi and partial", name);
        return;
    }
    Term t = {.name = d->name.name,
              .pos = d->name.pos,
              .nargs = d->nargs,
              .pure = d->pure,
              .partial = d->partial,
              .multi = d->multi,
              .rec = d->rec,
              .variant = NONE};
    t.args = rulec_alloc(rc, d->nargs * sizeof *t.args);
    /* The term is entered even if a type is unknown, so that its uses are not reported as well. */
    for (uint32_t i = 0; i < d->nargs; i++) lookup_type(rc, d->args[i], &t.args[i]);
    lookup_type(rc, d->ret, &t.ret);
    rc->syms.d[d->name.name].term = rc->terms.n;
    vec_push(rc, &rc->terms, t);
}

static void collect_const(Rulec *rc, const Def *d) {
    const char *name = sym_str(rc, d->name.name);
    if (rc->syms.d[d->name.name].cst != NONE) {
        rulec_error(rc, d->name.pos, "constant '%s' is defined twice", name);
        return;
    }
    Const c = {.name = d->name.name};
    lookup_type(rc, d->third, &c.ty);
    if (strpbrk(name + 1, ".$") != NULL) {
        rulec_error(rc, d->name.pos, "'%s' cannot name a constant", name);
        return;
    }
    c.cexpr = d->other.name != NONE ? sym_str(rc, d->other.name)
                                    : rulec_format(rc, "ISLE_CONST_%s", name + 1);
    rc->syms.d[d->name.name].cst = rc->consts.n;
    vec_push(rc, &rc->consts, c);
}

static void collect_extern_ctor(Rulec *rc, const Def *d) {
    Term *t = lookup_term(rc, d->name);
    if (t == NULL) return;
    const char *name = sym_str(rc, t->name);
    if (t->variant != NONE) {
        rulec_error(rc, d->name.pos, "'%s' is an enum variant; it needs no constructor", name);
    } else if (t->ctor == CTOR_EXTERN) {
        rulec_error(rc, d->name.pos, "extern constructor for '%s' is given twice", name);
    } else {
        t->ctor = CTOR_EXTERN;
        t->ctor_fn = sym_str(rc, d->other.name);
        t->ctor_pos = d->name.pos;
    }
}

static void collect_etor(Rulec *rc, const Def *d) {
    Term *t = lookup_term(rc, d->name);
    if (t == NULL) return;
    const char *name = sym_str(rc, t->name);
    if (t->variant != NONE) {
        rulec_error(rc, d->name.pos, "'%s' is an enum variant; it needs no extractor", name);
        return;
    }
    if (t->etor != ETOR_NONE) {
        rulec_error(rc, d->name.pos, "extractor for '%s' is given twice", name);
        return;
    }
    if (d->kind == DEF_EXTERN_ETOR) {
        if (d->infallible && t->multi) {
            rulec_error(rc, d->name.pos, "extractor of multi term '%s' cannot be infallible", name);
            return;
        }
        t->etor = ETOR_EXTERN;
        t->etor_fn = sym_str(rc, d->other.name);
        t->infallible = d->infallible;
        t->etor_pos = d->name.pos;
        return;
    }
    if (t->multi) {
        rulec_error(rc, d->name.pos, "multi term '%s' cannot have an extractor macro", name);
        return;
    }
    for (uint32_t i = 0; i < d->nargs; i++)
        for (uint32_t j = 0; j < i; j++)
            if (d->args[i].name == d->args[j].name)
                rulec_error(rc, d->args[i].pos, "parameter '%s' is given twice",
                            sym_str(rc, d->args[i].name));
    if (d->nargs != t->nargs) {
        rulec_error(rc, d->name.pos,
                    "extractor '%s' takes %u arguments, but its term is declared with %u", name,
                    d->nargs, t->nargs);
        return;
    }
    t->etor = ETOR_MACRO;
    t->macro = d;
    t->etor_pos = d->name.pos;
}

static void collect_rule_root(Rulec *rc, const Def *d) {
    if (d->pat->kind != PAT_TERM) {
        rulec_error(rc, d->pat->pos, "the left-hand side of a rule must be a term");
        return;
    }
    Term *t = lookup_term(rc, (Ident){d->pat->name, d->pat->pos});
    if (t == NULL) return;
    if (t->variant != NONE)
        rulec_error(rc, d->pat->pos, "rule on enum variant '%s'", sym_str(rc, t->name));
    else if (t->ctor == CTOR_EXTERN)
        rulec_error(rc, d->pat->pos, "rule on '%s', which has an extern constructor",
                    sym_str(rc, t->name));
    else
        t->ctor = CTOR_INTERNAL;
}

TermId sema_convert(const Rulec *rc, TypeId inner, TypeId outer) {
    for (uint32_t i = 0; i < rc->convs.n; i++)
        if (rc->convs.d[i].inner == inner && rc->convs.d[i].outer == outer)
            return rc->convs.d[i].term;
    return NONE;
}

static void collect_convert(Rulec *rc, const Def *d) {
    Conv c = {.term = NONE};
    bool ok = lookup_type(rc, d->name, &c.inner);
    ok &= lookup_type(rc, d->other, &c.outer);
    const Term *t = lookup_term(rc, d->third);
    if (!ok || t == NULL) return;
    c.term = (TermId)(t - rc->terms.d);
    if (sema_convert(rc, c.inner, c.outer) != NONE) {
        rulec_error(rc, d->name.pos, "conversion from '%s' to '%s' is given twice",
                    sym_str(rc, d->name.name), sym_str(rc, d->other.name));
    } else if (t->nargs != 1 || t->args[0] != c.inner || t->ret != c.outer || t->multi) {
        rulec_error(rc, d->third.pos, "conversion term '%s' must be declared (%s) %s",
                    sym_str(rc, t->name), sym_str(rc, d->name.name), sym_str(rc, d->other.name));
    } else {
        vec_push(rc, &rc->convs, c);
    }
}

/* --- macros that expand into themselves ----------------------------------------------------- */

typedef VEC(TermId) TermVec;

/* Calls of macros inside a template, in order of appearance. */
static void macro_callees(Rulec *rc, const Pat *p, TermVec *to) {
    if (p->kind == PAT_TERM) {
        TermId t = rc->syms.d[p->name].term;
        if (t != NONE && rc->terms.d[t].etor == ETOR_MACRO) vec_push(rc, to, t);
    }
    for (uint32_t i = 0; i < p->nargs; i++) macro_callees(rc, p->args[i], to);
}

static TermId unordered_callee(const TermVec *callees, const uint32_t *left) {
    for (uint32_t i = 0; i < callees->n; i++)
        if (left[callees->d[i]] != 0) return callees->d[i];
    return NONE;
}

/* Kahn's algorithm over the call graph of the macros: what cannot be ordered is on or behind a cycle;
 * each cycle is found by following unordered callees until a term repeats. */
static void check_macro_cycles(Rulec *rc) {
    uint32_t n = rc->terms.n;
    TermVec *callees = rulec_alloc(rc, n * sizeof *callees);
    TermVec *callers = rulec_alloc(rc, n * sizeof *callers);
    uint32_t *left = rulec_alloc(rc, n * sizeof *left);
    TermVec ready = {0};
    for (TermId t = 0; t < n; t++) {
        if (rc->terms.d[t].etor != ETOR_MACRO) continue;
        macro_callees(rc, rc->terms.d[t].macro->pat, &callees[t]);
        left[t] = callees[t].n;
        for (uint32_t i = 0; i < callees[t].n; i++) vec_push(rc, &callers[callees[t].d[i]], t);
        if (left[t] == 0) vec_push(rc, &ready, t);
    }
    while (ready.n != 0) {
        TermId t = ready.d[--ready.n];
        for (uint32_t i = 0; i < callers[t].n; i++)
            if (--left[callers[t].d[i]] == 0) vec_push(rc, &ready, callers[t].d[i]);
    }
    uint32_t *walk = rulec_alloc(rc, n * sizeof *walk); /* which walk came by: its start + 1 */
    for (TermId t = 0; t < n; t++) {
        TermId at = t;
        while (left[at] != 0 && walk[at] == 0) {
            walk[at] = t + 1;
            at = unordered_callee(&callees[at], left);
            if (walk[at] == t + 1) {
                rulec_error(rc, rc->terms.d[at].etor_pos, "extractor '%s' expands into itself",
                            sym_str(rc, rc->terms.d[at].name));
                rc->terms.d[at].etor = ETOR_EXTERN; /* not to be expanded any more */
            }
        }
    }
}

void sema_run(Rulec *rc) {
    add_builtins(rc);
    collect_types(rc);
    collect_variants(rc);
    for (uint32_t i = 0; i < rc->defs.n; i++) {
        const Def *d = &rc->defs.d[i];
        if (d->kind == DEF_DECL) collect_decl(rc, d);
        if (d->kind == DEF_EXTERN_CONST) collect_const(rc, d);
    }
    for (uint32_t i = 0; i < rc->defs.n; i++) {
        const Def *d = &rc->defs.d[i];
        if (d->kind == DEF_EXTERN_CTOR) collect_extern_ctor(rc, d);
        if (d->kind == DEF_EXTERN_ETOR || d->kind == DEF_EXTRACTOR) collect_etor(rc, d);
        if (d->kind == DEF_CONVERT) collect_convert(rc, d);
    }
    for (uint32_t i = 0; i < rc->defs.n; i++)
        if (rc->defs.d[i].kind == DEF_RULE) collect_rule_root(rc, &rc->defs.d[i]);
    for (TermId t = 0; t < rc->terms.n; t++) {
        const Term *term = &rc->terms.d[t];
        if (term->variant == NONE && term->ctor == CTOR_NONE && term->etor == ETOR_NONE)
            rulec_error(rc, term->pos,
                        "term '%s' has neither rules nor an extern or macro definition",
                        sym_str(rc, term->name));
    }
    check_macro_cycles(rc);
}
