/* parser.c — tokens to definitions.
 *
 * Recursive descent over s-expressions; the nesting is bounded by MAX_DEPTH.  After a syntax error the
 * rest of the definition is skipped: the next one is looked for at an opening parenthesis in column 1
 * (the layout of every rule file), so that one slip gives one message.
 *
 * The reference's verification forms (pragma, spec, model, form, instantiate, attr, state, macro)
 * are not part of the dialect and are reported as such. */
#include "rulec.h"

#include <string.h>

typedef struct Parser {
    Rulec *rc;
    Lexer lx;
    bool failed; /* in the current definition */
    uint32_t depth;
} Parser;

static bool fail(Parser *p, Pos pos, const char *msg) {
    if (!p->failed) rulec_error(p->rc, pos, "%s", msg);
    p->failed = true;
    return false;
}

static bool at(const Parser *p, TokKind k) {
    return !p->failed && p->lx.tok == k;
}

static bool at_word(const Parser *p, const char *word) {
    return at(p, TOK_SYM) && strcmp(p->lx.text, word) == 0;
}

static bool at_const(const Parser *p) {
    return at(p, TOK_SYM) && p->lx.text[0] == '$';
}

static bool eat_word(Parser *p, const char *word) {
    if (!at_word(p, word)) return false;
    lexer_next(&p->lx);
    return true;
}

static bool expect(Parser *p, TokKind k, const char *what) {
    if (p->failed) return false;
    if (p->lx.tok != k) return fail(p, p->lx.tok_pos, rulec_format(p->rc, "expected %s", what));
    lexer_next(&p->lx);
    return true;
}

/* Is there another element before the closing parenthesis?  False at the end of the input too. */
static bool more(const Parser *p) {
    return !p->failed && p->lx.tok != TOK_RPAREN && p->lx.tok != TOK_EOF;
}

static bool is_letter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static Ident parse_ident(Parser *p) {
    Ident id = {NONE, p->lx.tok_pos};
    if (!at(p, TOK_SYM)) {
        fail(p, id.pos, "expected an identifier");
        return id;
    }
    const char *s = p->lx.text;
    bool ok = is_letter(s[0]) || (s[0] == '$' && s[1] != 0);
    for (const char *c = s + 1; ok && *c; c++)
        ok = is_letter(*c) || (*c >= '0' && *c <= '9') || *c == '.' || *c == '$';
    if (!ok) {
        fail(p, id.pos, rulec_format(p->rc, "'%s' is not an identifier", s));
        return id;
    }
    id.name = p->lx.sym;
    lexer_next(&p->lx);
    return id;
}

/* The name of something in C. */
static Ident parse_cname(Parser *p) {
    Ident id = parse_ident(p);
    if (!p->failed && strpbrk(sym_str(p->rc, id.name), ".$") != NULL)
        fail(p, id.pos, "a C name is expected here");
    return id;
}

static bool enter(Parser *p, Pos pos) {
    if (p->depth >= MAX_DEPTH) return fail(p, pos, "nested too deeply");
    p->depth++;
    return true;
}

/* --- patterns ------------------------------------------------------------------------------ */

typedef VEC(Pat *) PatVec;
typedef VEC(Expr *) ExprVec;
typedef VEC(Ident) IdentVec;

static Pat *parse_pattern(Parser *p) {
    Pat *pat = rulec_alloc(p->rc, sizeof *pat);
    pat->kind = PAT_WILD;
    pat->pos = p->lx.tok_pos;
    if (!enter(p, pat->pos)) return pat;
    if (at(p, TOK_INT)) {
        pat->kind = PAT_INT;
        pat->neg = p->lx.neg;
        pat->val = p->lx.val;
        lexer_next(&p->lx);
    } else if (at_const(p)) {
        pat->kind = PAT_CONST;
        pat->name = parse_ident(p).name;
    } else if (eat_word(p, "_")) {
        pat->kind = PAT_WILD;
    } else if (at_word(p, "true") || at_word(p, "false")) {
        pat->kind = PAT_BOOL;
        pat->val = p->lx.text[0] == 't';
        lexer_next(&p->lx);
    } else if (at(p, TOK_SYM)) {
        pat->kind = PAT_VAR;
        pat->name = parse_ident(p).name;
        if (at(p, TOK_AT)) {
            lexer_next(&p->lx);
            pat->kind = PAT_BIND;
            PatVec v = {0};
            vec_push(p->rc, &v, parse_pattern(p));
            pat->args = v.d;
            pat->nargs = 1;
        }
    } else if (at(p, TOK_LPAREN)) {
        lexer_next(&p->lx);
        pat->kind = PAT_AND;
        if (!eat_word(p, "and")) {
            pat->kind = PAT_TERM;
            pat->name = parse_ident(p).name;
        }
        PatVec v = {0};
        while (more(p)) vec_push(p->rc, &v, parse_pattern(p));
        expect(p, TOK_RPAREN, "')' at the end of the pattern");
        pat->args = v.d;
        pat->nargs = v.n;
    } else {
        fail(p, pat->pos, "expected a pattern");
    }
    p->depth--;
    return pat;
}

/* --- expressions --------------------------------------------------------------------------- */

static Expr *parse_expr(Parser *p);

static void parse_let(Parser *p, Expr *e) {
    VEC(LetDef) defs = {0};
    expect(p, TOK_LPAREN, "'(' before the bindings of let");
    while (more(p)) {
        LetDef d = {.pos = p->lx.tok_pos};
        expect(p, TOK_LPAREN, "'(' before a binding");
        d.var = parse_ident(p).name;
        d.ty = parse_ident(p).name;
        d.val = parse_expr(p);
        expect(p, TOK_RPAREN, "')' after a binding");
        if (!p->failed) vec_push(p->rc, &defs, d);
    }
    expect(p, TOK_RPAREN, "')' after the bindings of let");
    e->kind = EXPR_LET;
    e->defs = defs.d;
    e->ndefs = defs.n;
    e->body = parse_expr(p);
}

/* After the opening parenthesis, up to and with the closing one. */
static Expr *parse_expr_in_parens(Parser *p, Pos pos) {
    Expr *e = rulec_alloc(p->rc, sizeof *e);
    e->kind = EXPR_TERM;
    e->pos = pos;
    if (!enter(p, pos)) return e;
    if (eat_word(p, "let")) {
        parse_let(p, e);
    } else {
        e->name = parse_ident(p).name;
        ExprVec v = {0};
        while (more(p)) vec_push(p->rc, &v, parse_expr(p));
        e->args = v.d;
        e->nargs = v.n;
    }
    expect(p, TOK_RPAREN, "')' at the end of the expression");
    p->depth--;
    return e;
}

static Expr *parse_expr(Parser *p) {
    Pos pos = p->lx.tok_pos;
    if (at(p, TOK_LPAREN)) {
        lexer_next(&p->lx);
        return parse_expr_in_parens(p, pos);
    }
    Expr *e = rulec_alloc(p->rc, sizeof *e);
    e->kind = EXPR_VAR;
    e->pos = pos;
    if (at(p, TOK_INT)) {
        e->kind = EXPR_INT;
        e->neg = p->lx.neg;
        e->val = p->lx.val;
        lexer_next(&p->lx);
    } else if (at_const(p)) {
        e->kind = EXPR_CONST;
        e->name = parse_ident(p).name;
    } else if (at_word(p, "true") || at_word(p, "false")) {
        e->kind = EXPR_BOOL;
        e->val = p->lx.text[0] == 't';
        lexer_next(&p->lx);
    } else if (at(p, TOK_SYM)) {
        e->name = parse_ident(p).name;
    } else {
        fail(p, pos, "expected an expression");
    }
    return e;
}

/* --- definitions --------------------------------------------------------------------------- */

static void parse_variant(Parser *p, VariantAst *v) {
    v->pos = p->lx.tok_pos;
    if (at(p, TOK_SYM)) {
        v->name = parse_cname(p).name;
        return;
    }
    expect(p, TOK_LPAREN, "a variant");
    v->name = parse_cname(p).name;
    VEC(FieldAst) fields = {0};
    while (more(p)) {
        FieldAst f = {.pos = p->lx.tok_pos};
        if (at(p, TOK_LPAREN)) {
            lexer_next(&p->lx);
            f.name = parse_cname(p).name;
            f.ty = parse_ident(p).name;
            expect(p, TOK_RPAREN, "')' after a field");
        } else {
            char num[16];
            int len = snprintf(num, sizeof num, "%u", fields.n);
            f.name = rulec_intern(p->rc, num, (size_t)len);
            f.ty = parse_ident(p).name;
        }
        if (!p->failed) vec_push(p->rc, &fields, f);
    }
    expect(p, TOK_RPAREN, "')' after a variant");
    v->fields = fields.d;
    v->nfields = fields.n;
}

static void parse_type(Parser *p, Def *d) {
    d->name = parse_ident(p);
    d->third.name = NONE;
    while (at(p, TOK_SYM)) {
        if (eat_word(p, "extern"))
            d->is_extern = true;
        else if (!eat_word(p, "nodebug"))
            fail(p, p->lx.tok_pos, "unknown modifier of a type");
    }
    Pos body = p->lx.tok_pos;
    expect(p, TOK_LPAREN, "'(' before the body of the type");
    if (eat_word(p, "primitive")) {
        d->kind = DEF_TYPE_PRIM;
        d->other = parse_cname(p);
    } else if (eat_word(p, "enum")) {
        d->kind = DEF_TYPE_ENUM;
        if (!d->is_extern) fail(p, body, "an enum must be declared extern");
        VEC(VariantAst) vs = {0};
        while (more(p)) {
            VariantAst v = {0};
            parse_variant(p, &v);
            vec_push(p->rc, &vs, v);
        }
        d->variants = vs.d;
        d->nvariants = vs.n;
    } else {
        fail(p, body, "expected (primitive NAME) or (enum VARIANT...)");
    }
    expect(p, TOK_RPAREN, "')' after the body of the type");
    if (d->kind == DEF_TYPE_PRIM && at(p, TOK_LPAREN)) {
        lexer_next(&p->lx);
        if (!eat_word(p, "eq")) fail(p, p->lx.tok_pos, "expected (eq FUNCTION)");
        d->third = parse_cname(p);
        expect(p, TOK_RPAREN, "')' after the equality function");
    }
}

static void parse_idents(Parser *p, Def *d) {
    IdentVec v = {0};
    while (more(p)) {
        Ident id = parse_ident(p);
        vec_push(p->rc, &v, id);
    }
    d->args = v.d;
    d->nargs = v.n;
}

static void parse_decl(Parser *p, Def *d) {
    d->kind = DEF_DECL;
    for (;;) {
        if (eat_word(p, "pure"))
            d->pure = true;
        else if (eat_word(p, "multi"))
            d->multi = true;
        else if (eat_word(p, "partial"))
            d->partial = true;
        else if (eat_word(p, "rec"))
            d->rec = true;
        else
            break;
    }
    d->name = parse_ident(p);
    expect(p, TOK_LPAREN, "'(' before the argument types");
    parse_idents(p, d);
    expect(p, TOK_RPAREN, "')' after the argument types");
    d->ret = parse_ident(p);
}

static void parse_extern(Parser *p, Def *d) {
    if (eat_word(p, "constructor")) {
        d->kind = DEF_EXTERN_CTOR;
        d->name = parse_ident(p);
        d->other = parse_cname(p);
    } else if (eat_word(p, "extractor")) {
        d->kind = DEF_EXTERN_ETOR;
        d->infallible = eat_word(p, "infallible");
        d->name = parse_ident(p);
        d->other = parse_cname(p);
    } else if (eat_word(p, "const")) {
        d->kind = DEF_EXTERN_CONST;
        if (!at_const(p)) fail(p, p->lx.tok_pos, "a constant's name starts with '$'");
        d->name = parse_ident(p);
        d->third = parse_ident(p);
        d->other.name = NONE;
        if (more(p)) d->other = parse_cname(p);
    } else {
        fail(p, p->lx.tok_pos, "expected constructor, extractor or const after extern");
    }
}

static void parse_rule(Parser *p, Def *d) {
    d->kind = DEF_RULE;
    d->name.name = NONE;
    if (at(p, TOK_SYM)) d->name = parse_ident(p);
    if (at(p, TOK_INT)) {
        d->has_prio = true;
        if (p->lx.val > INT32_MAX) fail(p, p->lx.tok_pos, "rule priority out of range");
        d->prio = p->lx.neg ? -(int64_t)p->lx.val : (int64_t)p->lx.val;
        lexer_next(&p->lx);
    }
    d->pat = parse_pattern(p);
    VEC(IfLet) lets = {0};
    while (!p->failed && d->expr == NULL) {
        Pos pos = p->lx.tok_pos;
        if (!at(p, TOK_LPAREN)) {
            d->expr = parse_expr(p);
            break;
        }
        lexer_next(&p->lx);
        IfLet l = {0};
        if (eat_word(p, "if-let")) {
            l.pat = parse_pattern(p);
            l.expr = parse_expr(p);
        } else if (eat_word(p, "if")) {
            l.pat = rulec_alloc(p->rc, sizeof *l.pat);
            l.pat->kind = PAT_WILD;
            l.pat->pos = pos;
            l.expr = parse_expr(p);
        } else {
            d->expr = parse_expr_in_parens(p, pos);
            break;
        }
        expect(p, TOK_RPAREN, "')' after the condition");
        if (!p->failed) vec_push(p->rc, &lets, l);
    }
    d->iflets = lets.d;
    d->niflets = lets.n;
}

static void parse_extractor(Parser *p, Def *d) {
    d->kind = DEF_EXTRACTOR;
    expect(p, TOK_LPAREN, "'(' before the extractor's head");
    d->name = parse_ident(p);
    parse_idents(p, d);
    expect(p, TOK_RPAREN, "')' after the extractor's head");
    d->pat = parse_pattern(p);
}

static void parse_def(Parser *p) {
    static const char *const foreign[] = {"pragma", "spec",        "model", "form",
                                          "attr",   "instantiate", "state", "macro"};
    Def d = {0};
    if (!expect(p, TOK_LPAREN, "'(' before a definition")) return;
    d.pos = p->lx.tok_pos;
    if (eat_word(p, "type")) {
        parse_type(p, &d);
    } else if (eat_word(p, "decl")) {
        parse_decl(p, &d);
    } else if (eat_word(p, "rule")) {
        parse_rule(p, &d);
    } else if (eat_word(p, "extractor")) {
        parse_extractor(p, &d);
    } else if (eat_word(p, "extern")) {
        parse_extern(p, &d);
    } else if (eat_word(p, "convert")) {
        d.kind = DEF_CONVERT;
        d.name = parse_ident(p);
        d.other = parse_ident(p);
        d.third = parse_ident(p);
    } else {
        for (size_t i = 0; i < sizeof foreign / sizeof *foreign; i++)
            if (at_word(p, foreign[i]))
                fail(p, d.pos,
                     rulec_format(p->rc, "(%s ...) is not part of this dialect", foreign[i]));
        fail(
            p, d.pos,
            "expected type, decl, rule, extractor, extern or convert at the start of a definition");
    }
    expect(p, TOK_RPAREN, "')' at the end of the definition");
    if (!p->failed) vec_push(p->rc, &p->rc->defs, d);
}

/* To the next opening parenthesis in column 1 on a later line, or the end of the input. */
static void skip_def(Parser *p, Pos start) {
    while (p->lx.tok != TOK_EOF) {
        Pos pos = p->lx.tok_pos;
        if (p->lx.tok == TOK_LPAREN && pos.col == 1 && pos.line != start.line) return;
        lexer_next(&p->lx);
    }
}

void parse_file(Rulec *rc, uint32_t file, const char *text, size_t len) {
    Parser p = {.rc = rc};
    lexer_init(&p.lx, rc, file, text, len);
    while (p.lx.tok != TOK_EOF) {
        Pos start = p.lx.tok_pos;
        p.failed = false;
        p.depth = 0;
        parse_def(&p);
        if (p.failed) skip_def(&p, start);
    }
}
