/* filetest/filecheck.c — directives against a text.
 *
 * Each pattern, its variables replaced, becomes one regular expression that is searched in the range that the kind of
 * its directive allows. `not` patterns are resolved when they are met and searched once the next ordered match has
 * bounded their range. Cost: linear in expression times range, per directive. */
#include "filetest/filecheck.h"

static const char *const kind_name[FC_KIND_COUNT] = {
    [FC_CHECK] = "check",         [FC_SAMELN] = "sameln", [FC_NEXTLN] = "nextln",
    [FC_UNORDERED] = "unordered", [FC_NOT] = "not",       [FC_REGEX] = "regex",
};

void filecheck_init(FileCheck *c, Mem *m) {
    *c = (FileCheck){.mem = m};
    sb_init(&c->pattern, m);
    sb_init(&c->nots_text, m);
}

void filecheck_free(FileCheck *c) {
    vec_free(c->mem, &c->directives);
    vec_free(c->mem, &c->vars);
    vec_free(c->mem, &c->nots);
    sb_free(&c->pattern);
    sb_free(&c->nots_text);
    regex_free(&c->rx);
}

static bool is_alnum(int x) {
    return (x >= '0' && x <= '9') || (x >= 'a' && x <= 'z') || (x >= 'A' && x <= 'Z');
}
static bool is_word(int x) {
    return is_alnum(x) || x == '_';
}

void filecheck_add(FileCheck *c, const ClifComment *cm) {
    ClifStr s = cm->text;
    for (uint32_t i = 0; i < s.n; i++) {
        if (i && is_word((unsigned char)s.p[i - 1])) continue;
        for (int k = 0; k < FC_KIND_COUNT; k++) {
            uint32_t n = (uint32_t)strlen(kind_name[k]);
            if (s.n - i < n + 2 || memcmp(s.p + i, kind_name[k], n) || s.p[i + n] != ':') continue;
            if (s.p[i + n + 1] != ' ' && s.p[i + n + 1] != '\t') continue;
            Directive d = {(uint8_t)k, cm->line,
                           clif_str_trim((ClifStr){s.p + i + n + 1, s.n - i - n - 1})};
            vec_push(c->mem, &c->directives, d);
            return;
        }
    }
}

/* ---- patterns ---- */
static const FcVar *find_var(const FileCheck *c, ClifStr name) {
    for (uint32_t k = c->vars.n; k-- > 0;)
        if (c->vars.p[k].name.n == name.n && !memcmp(c->vars.p[k].name.p, name.p, name.n))
            return &c->vars.p[k];
    return NULL;
}

static void put_literal(StrBuf *o, ClifStr s) {
    for (uint32_t k = 0; k < s.n; k++) {
        if (strchr("\\.+*?()|[]{}^$#&-~", s.p[k]) && s.p[k]) sb_putc(o, '\\');
        sb_putc(o, s.p[k]);
    }
}

static const char *put_var(FileCheck *c, ClifStr name, uint32_t *after) {
    const FcVar *v = find_var(c, name);
    if (!v) return "undefined variable";
    if (v->offset > *after) *after = v->offset;
    if (!v->is_regex) {
        put_literal(&c->pattern, v->value);
        return NULL;
    }
    sb_puts(&c->pattern, "(?:");
    sb_putn(&c->pattern, v->value.p, v->value.n);
    sb_putc(&c->pattern, ')');
    return NULL;
}

static ClifStr var_name(ClifStr s) { /* the prefix that is a name */
    uint32_t n = 0;
    while (n < s.n && is_word((unsigned char)s.p[n])) n++;
    return (ClifStr){s.p, n};
}

/* Length of a regular expression up to the parenthesis that closes it from outside. */
static uint32_t regex_length(ClifStr s) {
    uint32_t nest = 0, set = 0; /* set: 1 just opened, 2 inside */
    for (uint32_t k = 0; k < s.n; k++) {
        char x = s.p[k];
        if (x == '\\') {
            k++;
        } else if (set) {
            if (x == ']' && set == 2)
                set = 0;
            else if (!(x == '^' && set == 1))
                set = 2;
        } else if (x == '[') {
            set = 1;
        } else if (x == '(') {
            nest++;
        } else if (x == ')') {
            if (!nest--) return k;
        }
    }
    return s.n;
}

/* $(... at s, after the parenthesis. *used: how much was taken. */
static const char *put_parenthesis(FileCheck *c, ClifStr s, uint32_t *used, uint32_t *after) {
    ClifStr name = var_name(s), rest = {s.p + name.n, s.n - name.n};
    if (!rest.n) return "unterminated $(";
    if (rest.p[0] == ')') {
        *used = name.n + 1;
        return name.n ? put_var(c, name, after) : NULL;
    }
    if (rest.p[0] != '=') return "syntax error in $(";
    rest.p++, rest.n--;
    StrBuf *o = &c->pattern;
    if (name.n) {
        sb_puts(o, "(?P<");
        sb_putn(o, name.p, name.n);
        sb_putc(o, '>');
    } else {
        sb_puts(o, "(?:");
    }
    if (rest.n && rest.p[0] == '$') {
        ClifStr of = var_name((ClifStr){rest.p + 1, rest.n - 1});
        if (!name.n || !of.n || of.n + 1 >= rest.n || rest.p[of.n + 1] != ')')
            return "syntax error in $(name=$name)";
        const char *e = put_var(c, of, after);
        sb_putc(o, ')');
        *used = name.n + of.n + 3;
        return e;
    }
    uint32_t n = regex_length(rest);
    if (n == rest.n) return "missing ')' after a regular expression";
    sb_putn(o, rest.p, n);
    sb_putc(o, ')');
    *used = name.n + n + 2;
    return NULL;
}

/* Writes the expression for a pattern to c->pattern. *after: end of the matches that its variables come from. */
static const char *resolve(FileCheck *c, ClifStr s, uint32_t *after) {
    sb_clear(&c->pattern);
    *after = 0;
    bool last_text = false;
    if (s.n && is_alnum((unsigned char)s.p[0])) sb_puts(&c->pattern, "\\b");
    for (uint32_t k = 0; k < s.n;) {
        uint32_t from = k;
        while (k < s.n && s.p[k] != '$') k++;
        last_text = k > from;
        if (last_text) {
            put_literal(&c->pattern, (ClifStr){s.p + from, k - from});
            continue;
        }
        ClifStr rest = {s.p + k + 1, s.n - k - 1}, name = var_name(rest);
        const char *e = NULL;
        uint32_t used = 0;
        if (rest.n && rest.p[0] == '$') {
            put_literal(&c->pattern, (ClifStr){"$", 1});
            used = 1;
        } else if (name.n) {
            e = put_var(c, name, after);
            used = name.n;
        } else if (rest.n && rest.p[0] == '(') {
            e = put_parenthesis(c, (ClifStr){rest.p + 1, rest.n - 1}, &used, after);
            used++;
        } else {
            e = "pattern syntax error, use $$ to match a single $";
        }
        if (e) return e;
        k += 1 + used;
    }
    if (last_text && is_alnum((unsigned char)s.p[s.n - 1])) sb_puts(&c->pattern, "\\b");
    return NULL;
}

/* ---- running ---- */
typedef struct Run {
    FileCheck *c;
    const char *text;
    uint32_t n;
    uint32_t last_ordered, max_match;
    StrBuf *why;
} Run;

static uint32_t next_line(const Run *r, uint32_t at) {
    while (at < r->n && r->text[at] != '\n') at++;
    return at < r->n ? at + 1 : r->n;
}

static bool fail(Run *r, const Directive *d, const char *what, uint32_t from, uint32_t to) {
    sb_printf(r->why, "line %u: %s: %.*s\n  %s", d->line, kind_name[d->kind], (int)d->rest.n,
              d->rest.p, what);
    if (from > to) return false;
    sb_puts(r->why, " in\n");
    uint32_t lines = 0;
    for (uint32_t k = from; k < to && lines < 12;) {
        uint32_t e = next_line(r, k);
        sb_puts(r->why, "  > ");
        sb_putn(r->why, r->text + k, e - k);
        if (e == k || r->text[e - 1] != '\n') sb_putc(r->why, '\n');
        lines++;
        k = e;
    }
    return false;
}

static void define_vars(FileCheck *c, const char *text, const uint32_t *g) {
    for (uint32_t k = 1; k < c->rx.ngroups; k++) {
        if (!c->rx.names[k].n) continue;
        ClifStr name = {NULL, c->rx.names[k].n};
        /* The name in the pattern text dies with the next pattern: take it from a directive, where it came from. */
        const char *in = c->pattern.p + c->rx.names[k].at;
        for (uint32_t d = 0; d < c->directives.n && !name.p; d++) {
            ClifStr s = c->directives.p[d].rest;
            for (uint32_t i = 0; i + name.n <= s.n && !name.p; i++)
                if (!memcmp(s.p + i, in, name.n)) name.p = s.p + i;
        }
        ClifStr value = g[2 * k] == UINT32_MAX
                            ? (ClifStr){text, 0}
                            : (ClifStr){text + g[2 * k], g[2 * k + 1] - g[2 * k]};
        vec_push(c->mem, &c->vars, (FcVar){name, value, false, g[1]});
    }
}

static bool check_nots(Run *r, uint32_t end) {
    FileCheck *c = r->c;
    uint32_t g[2 * REGEX_MAX_GROUPS];
    for (uint32_t k = 0; k < c->nots.n; k++) {
        const Directive *d = &c->directives.p[c->nots.p[k].directive];
        uint32_t from = c->nots.p[k].from;
        const char *e =
            regex_compile(&c->rx, c->mem, c->nots_text.p + c->nots.p[k].rx, c->nots.p[k].len);
        if (e) return fail(r, d, e, 1, 0);
        if (from > end) from = end;
        if (regex_search(&c->rx, r->text + from, end - from, g))
            return fail(r, d, "matches", from + g[0], from + g[1]);
    }
    vec_clear(&c->nots);
    sb_clear(&c->nots_text);
    return true;
}

static bool regex_directive(Run *r, const Directive *d) {
    ClifStr name = var_name(d->rest);
    if (!name.n || name.n == d->rest.n || d->rest.p[name.n] != '=')
        return fail(r, d, "expected NAME=REGEX", 1, 0);
    ClifStr value = {d->rest.p + name.n + 1, d->rest.n - name.n - 1};
    vec_push(r->c->mem, &r->c->vars, (FcVar){name, value, true, 0});
    return true;
}

static bool directive(Run *r, uint32_t k) {
    FileCheck *c = r->c;
    const Directive *d = &c->directives.p[k];
    if (d->kind == FC_REGEX) return regex_directive(r, d);
    uint32_t from, to = r->n, after, g[2 * REGEX_MAX_GROUPS];
    const char *e = resolve(c, d->rest, &after);
    if (e) return fail(r, d, e, 1, 0);
    switch ((DirectiveKind)d->kind) {
    case FC_SAMELN:
        from = r->max_match;
        to = next_line(r, from);
        break;
    case FC_NEXTLN:
        from = next_line(r, r->max_match);
        to = next_line(r, from);
        break;
    case FC_UNORDERED:
    case FC_NOT: from = after > r->last_ordered ? after : r->last_ordered; break;
    case FC_CHECK:
    case FC_REGEX:
    case FC_KIND_COUNT:
    default: from = r->max_match; break;
    }
    if (d->kind == FC_NOT) {
        vec_push(c->mem, &c->nots, (FcNot){k, from, c->nots_text.n, c->pattern.n});
        if (c->pattern.n) sb_putn(&c->nots_text, c->pattern.p, c->pattern.n);
        return true;
    }
    e = regex_compile(&c->rx, c->mem, c->pattern.n ? c->pattern.p : "", c->pattern.n);
    if (e) return fail(r, d, e, 1, 0);
    if (!regex_search(&c->rx, r->text + from, to - from, g))
        return fail(r, d, "does not match", from, to);
    for (uint32_t i = 0; i < 2 * c->rx.ngroups; i++)
        if (g[i] != UINT32_MAX) g[i] += from;
    define_vars(c, r->text, g);
    if (d->kind == FC_UNORDERED) {
        if (g[1] > r->max_match) r->max_match = g[1];
        return true;
    }
    r->last_ordered = r->max_match = g[1];
    return check_nots(r, g[0]);
}

bool filecheck_run(FileCheck *c, const char *text, uint32_t n, StrBuf *why) {
    Run r = {.c = c, .text = text, .n = n, .why = why};
    vec_clear(&c->vars);
    vec_clear(&c->nots);
    sb_clear(&c->nots_text);
    for (uint32_t k = 0; k < c->directives.n; k++)
        if (!directive(&r, k)) return false;
    return check_nots(&r, n);
}
