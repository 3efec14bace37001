/* clif/testfile.c — the reader around the parser: the header of a test file, run commands, errors with their line. */
#include "clif/text_int.h"

void clif_details_free(ClifDetails *d, Mem *m) {
    vec_free(m, &d->comments);
    vec_free(m, &d->inst_line);
    vec_free(m, &d->block_line);
}

static void parser_init(Parser *p, Mem *m, const char *text, uint32_t n, Diag *d) {
    *p = (Parser){.mem = m, .d = d, .line = 1, .col = 1, .default_cc = CLIF_CC_FAST};
    lex_init(&p->lex, text, n);
    p->max_number = n > (1u << 25) ? 1u << 29 : n > (1u << 16) ? n * 16 : 1u << 20;
}

static void parser_free(Parser *p) {
    Mem *m = p->mem;
    vec_free(m, &p->gathered);
    hashmap_free(m, &p->defined);
    hashmap_free(m, &p->names);
    vec_free(m, &p->results);
    vec_free(m, &p->args);
    vec_free(m, &p->calls);
    vec_free(m, &p->items);
    vec_free(m, &p->params);
    vec_free(m, &p->returns);
    vec_free(m, &p->tags);
}

/* ---- header ---- */
static void header_line(ClifReader *r, ClifHeaderKind kind) {
    uint32_t line = r->p.line;
    ClifStr text = p_rest_of_line(&r->p);
    vec_push(r->p.mem, &r->header, (ClifHeaderLine){kind, line, text});
}

static bool feature(ClifReader *r) {
    Parser *p = &r->p;
    uint32_t line = p->line;
    p_take(p);
    ClifHeaderKind kind = p_optional(p, TOK_BANG) ? CLIF_HEADER_NO_FEATURE : CLIF_HEADER_FEATURE;
    if (p_peek(p) != TOK_STRING) return p_error(p, "expected feature flag string");
    vec_push(p->mem, &r->header, (ClifHeaderLine){kind, line, p->tok.text});
    p_take(p);
    return true;
}

static bool header(ClifReader *r) {
    Parser *p = &r->p;
    uint32_t last_set = 0;
    bool target = false;
    while (p_peek_ident(p, "test")) header_line(r, CLIF_HEADER_TEST);
    for (;;) {
        if (p_peek_ident(p, "set")) {
            last_set = p->line;
            header_line(r, CLIF_HEADER_SET);
        } else if (p_peek_ident(p, "target")) {
            header_line(r, CLIF_HEADER_TARGET);
            if (!vec_last(&r->header).text.n)
                return diag_line(p->d, DIAG_MALFORMED, vec_last(&r->header).line, 1,
                                 "expected target triple");
            last_set = 0;
            target = true;
        } else {
            break;
        }
    }
    if (target && last_set)
        return diag_line(p->d, DIAG_MALFORMED, last_set, 1,
                         "dangling 'set' command after ISA specification has no effect");
    while (p_peek_ident(p, "feature"))
        if (!feature(r)) return false;
    for (uint32_t k = 0; k < r->header.n; k++) {
        ClifStr t = r->header.p[k].text, w;
        if (r->header.p[k].kind == CLIF_HEADER_TEST && clif_str_word(&t, &w) &&
            clif_str_is(w, "run"))
            p->default_cc = CLIF_CC_SYSTEM_V;
    }
    p_claim(p, CLIF_ENTITY_FUNCTION, 0);
    return true;
}

ClifReader *clif_reader_new(Mem *m, const char *text, uint32_t n, Diag *d) {
    ClifReader *r = mem_alloc(m, sizeof *r);
    memset(r, 0, sizeof *r);
    parser_init(&r->p, m, text, n, d);
    r->p.comments = &r->comments;
    p_gather(&r->p);
    header(r);
    return r;
}

void clif_reader_free(ClifReader *r) {
    Mem *m = r->p.mem;
    parser_free(&r->p);
    vec_free(m, &r->header);
    vec_free(m, &r->comments);
    clif_details_free(&r->unused, m);
    mem_free(m, r, sizeof *r);
}

const ClifHeaderLine *clif_reader_header(const ClifReader *r, uint32_t *n) {
    *n = r->header.n;
    return r->header.p;
}
const ClifComments *clif_reader_comments(const ClifReader *r) {
    return &r->comments;
}
ClifCallConv clif_reader_default_callconv(const ClifReader *r) {
    return r->p.default_cc;
}

/* ---- errors ---- */
void clif_text_error(const Diag *d, const char *file, const char *text, uint32_t n, StrBuf *out) {
    diag_print(d, file, out);
    sb_putc(out, '\n');
    if (d->pos_kind != DIAG_POS_LINE) return;
    uint32_t at = 0, end;
    for (uint64_t line = 1; line < d->a && at < n; at++) line += text[at] == '\n';
    for (end = at; end < n && text[end] != '\n' && text[end] != '\r'; end++) {
    }
    for (uint32_t k = at; k < end; k++) sb_putc(out, (unsigned char)text[k] < 32 ? ' ' : text[k]);
    sb_putc(out, '\n');
    for (uint64_t k = 1; k < d->b && k <= end - at; k++) sb_putc(out, ' ');
    sb_puts(out, "^\n");
}

/* ---- run commands ---- */
static bool data_value(Parser *p, ClifType t, ClifConstValue *v) {
    memset(v, 0, sizeof *v);
    v->type = t;
    uint64_t w[2] = {0, 0};
    if (clif_type_is_vector(t)) {
        uint32_t n;
        return p_sized_const(p, t, v->bytes, sizeof v->bytes, &n);
    }
    unsigned bits = clif_type_bits(t);
    if (clif_type_is_float(t) ? !p_float(p, bits, w) : !p_int(p, bits, "expected an integer", w))
        return false;
    for (unsigned k = 0; k < bits / 8; k++) v->bytes[k] = (uint8_t)(w[k / 8] >> (8 * (k % 8)));
    return true;
}

static bool data_values(Parser *p, const ClifFunc *f, uint32_t first, uint32_t n,
                        ClifConstValues *out) {
    for (uint32_t k = 0; k < n; k++) {
        ClifConstValue v;
        if (k && !p_expect(p, TOK_COMMA, "expected a comma between invocation arguments"))
            return false;
        if (!data_value(p, (ClifType)f->abi_params.p[first + k].type, &v)) return false;
        vec_push(p->mem, out, v);
    }
    return true;
}

static bool invocation(Parser *p, const ClifFunc *f, ClifRunCommand *out) {
    if (p_peek(p) != TOK_NAME) return p_error(p, "expected a function name, e.g. %%my_fn");
    out->func = p->tok.text;
    p_take(p);
    return p_expect(p, TOK_LPAR, "expected invocation parentheses, e.g. %%fn(...)") &&
           data_values(p, f, f->sig.params, f->sig.nparams, &out->args) &&
           p_expect(p, TOK_RPAR, "expected invocation parentheses, e.g. %%fn(...)");
}

static bool run_command(Parser *p, const ClifFunc *f, ClifRunCommand *out) {
    p_take(p);
    if (!p_optional(p, TOK_COLON)) {
        /* the function itself, without arguments; `run` then wants a result that is not zero */
        if (f->sig.nparams)
            return p_error(p,
                           "a command without an invocation needs a function without parameters");
        if (out->print) return true;
        ClifType t = f->sig.nreturns == 1 ? f->abi_params.p[f->sig.returns].type : CLIF_INVALID;
        if (!clif_type_is_int(t)) return p_error(p, "unable to parse the run command");
        out->negate = true;
        vec_push(p->mem, &out->results, (ClifConstValue){.type = t});
        return true;
    }
    if (!invocation(p, f, out) || out->print) return p->d->kind == DIAG_NONE;
    out->negate = p_optional(p, TOK_BANG);
    if (!out->negate && !p_expect(p, TOK_EQUAL, "unable to parse a valid comparison operator"))
        return false;
    if (!p_expect(p, TOK_EQUAL, "expected another =")) return false;
    bool brackets = f->sig.nreturns != 1;
    if (brackets && !p_expect(p, TOK_LBRACKET, "expected a left bracket [")) return false;
    if (!data_values(p, f, f->sig.returns, f->sig.nreturns, &out->results)) return false;
    return !brackets || p_expect(p, TOK_RBRACKET, "expected a right bracket ]");
}

bool clif_parse_run_command(Mem *m, const ClifFunc *f, const ClifComment *c, ClifRunCommand *out,
                            Diag *d) {
    memset(out, 0, sizeof *out);
    ClifStr s = c->text;
    while (s.n && (s.p[0] == ' ' || s.p[0] == ';')) s.p++, s.n--;
    Parser p;
    parser_init(&p, m, s.p, s.n, d);
    out->print = p_peek_ident(&p, "print");
    bool is = out->print || p_peek_ident(&p, "run");
    if (is) {
        Diag inner;
        diag_clear(&inner);
        p.d = &inner;
        is = run_command(&p, f, out);
        if (!is)
            diag_line(d, inner.kind, c->line, (uint32_t)inner.b + (uint32_t)(s.p - c->text.p), "%s",
                      inner.msg);
    }
    parser_free(&p);
    return is;
}

void clif_run_command_free(ClifRunCommand *c, Mem *m) {
    vec_free(m, &c->args);
    vec_free(m, &c->results);
}

void clif_print_const_value(StrBuf *o, const ClifConstValue *v) {
    uint64_t w[2] = {0, 0};
    unsigned n = clif_type_bytes(v->type);
    for (unsigned k = 0; k < n && k < 16; k++) w[k / 8] |= (uint64_t)v->bytes[k] << (8 * (k % 8));
    if (clif_type_is_float(v->type)) {
        clif_print_float(o, n * 8, w[0], w[1]);
    } else if (clif_type_is_int(v->type) && n <= 8) {
        unsigned up = 64 - n * 8;
        sb_printf(o, "%lld", (long long)((int64_t)(w[0] << up) >> up));
    } else {
        sb_puts(o, "0x");
        for (unsigned k = n; k-- > 0;) sb_printf(o, "%02x", v->bytes[k]);
    }
}
