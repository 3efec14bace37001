/* clif/lex.c — .clif text to tokens.
 *
 * Words are split into a head of letters and a number: v12, block3, sig0 are entities, i32x4 is a type, everything else
 * is an identifier whose meaning depends on its place. Numbers are taken by their shape only; what they mean is
 * decided where their type is known (numtext.c). A byte that starts no token ends the text with an error.
 * Cost: linear. */
#include "clif/text_int.h"

static bool is_digit(int c) {
    return c >= '0' && c <= '9';
}
static bool is_alpha(int c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
static bool is_hex(int c) {
    return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}
static bool is_word(int c) {
    return is_alpha(c) || is_digit(c) || c == '_';
}

void lex_init(Lexer *l, const char *p, uint32_t n) {
    *l = (Lexer){.p = p, .n = n, .line = 1};
}

static int cur(const Lexer *l) { /* -1 at the end */
    return l->at < l->n ? (unsigned char)l->p[l->at] : -1;
}

static void step(Lexer *l) {
    if (l->at >= l->n) return;
    if (l->p[l->at++] == '\n') {
        l->line++;
        l->line_start = l->at;
    }
}

static bool looking_at(const Lexer *l, const char *s) {
    size_t n = strlen(s);
    return l->n - l->at >= n && !memcmp(l->p + l->at, s, n);
}

ClifStr lex_rest_of_line(Lexer *l) {
    uint32_t from = l->at;
    while (l->at < l->n && l->p[l->at] != '\n') l->at++;
    return (ClifStr){l->p + from, l->at - from};
}

static bool looking_at_number(const Lexer *l) {
    int c = cur(l);
    return is_digit(c) || c == '-' || c == '+' || c == '.' || looking_at(l, "NaN") ||
           looking_at(l, "Inf") || looking_at(l, "sNaN");
}

static TokenKind scan_number(Lexer *l) {
    bool is_float = false;
    int c = cur(l);
    if (c == '-' || c == '+') {
        l->at++;
        if (!looking_at_number(l)) return c == '-' ? TOK_MINUS : TOK_PLUS;
    }
    if (looking_at(l, "NaN:") || looking_at(l, "sNaN:")) {
        while (cur(l) != ':') l->at++;
        is_float = true;
    } else if (looking_at(l, "NaN") || looking_at(l, "Inf")) {
        is_float = true;
    }
    for (;;) {
        if (l->at < l->n) l->at++;
        c = cur(l);
        if (c == '.')
            is_float = true;
        else if (!is_word(c) && c != '-')
            break;
    }
    return is_float ? TOK_FLOAT : TOK_INTEGER;
}

static const struct Prefix {
    const char *text;
    TokenKind kind;
} prefixes[] = {
    {"v", TOK_VALUE},
    {"block", TOK_BLOCK},
    {"ss", TOK_SS},
    {"dss", TOK_DSS},
    {"dt", TOK_DT},
    {"gv", TOK_GV},
    {"const", TOK_CONST},
    {"fn", TOK_FN},
    {"sig", TOK_SIG},
    {"u", TOK_USER},
    {"userextname", TOK_USERNAME},
    {"tag", TOK_TAG},
    {"region", TOK_REGION},
    {"ret", TOK_RET},
    {"exn", TOK_EXN},
};

/* The number at the end of a word: no leading zero, below 2^32 - 1. */
static bool split_word(ClifStr s, uint32_t *head, uint32_t *num) {
    uint32_t h = s.n;
    while (h > 0 && is_digit(s.p[h - 1])) h--;
    if (h == s.n || s.n - h > 10 || (s.n - h > 1 && s.p[h] == '0')) return false;
    uint64_t x = 0;
    for (uint32_t k = h; k < s.n; k++) x = x * 10 + (uint64_t)(s.p[k] - '0');
    *head = h;
    *num = (uint32_t)x;
    return x < UINT32_MAX;
}

static void classify_word(Token *t) {
    uint32_t head, num;
    t->kind = TOK_IDENT;
    if (split_word(t->text, &head, &num)) {
        for (size_t k = 0; k < sizeof prefixes / sizeof *prefixes; k++)
            if (clif_str_is((ClifStr){t->text.p, head}, prefixes[k].text)) {
                t->kind = prefixes[k].kind;
                t->num = num;
                return;
            }
    }
    t->type = clif_type_parse(t->text.p, t->text.n);
    if (t->type != CLIF_INVALID)
        t->kind = TOK_TYPE;
    else if (clif_str_is(t->text, "cold"))
        t->kind = TOK_COLD;
}

static TokenKind single(int c) {
    switch (c) {
    case '(': return TOK_LPAR;
    case ')': return TOK_RPAR;
    case '{': return TOK_LBRACE;
    case '}': return TOK_RBRACE;
    case '[': return TOK_LBRACKET;
    case ']': return TOK_RBRACKET;
    case '<': return TOK_LANGLE;
    case '>': return TOK_RANGLE;
    case ',': return TOK_COMMA;
    case '.': return TOK_DOT;
    case ':': return TOK_COLON;
    case '=': return TOK_EQUAL;
    case '!': return TOK_BANG;
    case '*': return TOK_STAR;
    default: return TOK_BAD;
    }
}

Token lex_next(Lexer *l) {
    while (cur(l) == ' ' || cur(l) == '\t' || cur(l) == '\n' || cur(l) == '\r' || cur(l) == '\v' ||
           cur(l) == '\f')
        step(l);
    Token t = {.line = l->line, .col = l->at - l->line_start + 1};
    uint32_t from = l->at;
    int c = cur(l);
    if (c < 0) {
        t.kind = TOK_END;
    } else if (c == ';') {
        t.kind = TOK_COMMENT;
        t.text = lex_rest_of_line(l);
        if (t.text.n && t.text.p[t.text.n - 1] == '\r') t.text.n--;
        return t;
    } else if (looking_at(l, "->")) {
        t.kind = TOK_ARROW;
        l->at += 2;
    } else if (c == '+' || c == '-' || is_digit(c) || looking_at(l, "NaN") ||
               looking_at(l, "Inf")) {
        t.kind = scan_number(l);
        t.text = (ClifStr){l->p + from, l->at - from};
    } else if (is_alpha(c)) {
        while (is_word(cur(l))) l->at++;
        t.text = (ClifStr){l->p + from, l->at - from};
        classify_word(&t);
    } else if (c == '%') {
        do l->at++;
        while (is_word(cur(l)));
        t.kind = TOK_NAME;
        t.text = (ClifStr){l->p + from + 1, l->at - from - 1};
    } else if (c == '"') {
        do step(l);
        while (cur(l) >= 0 && cur(l) != '"');
        t.kind = cur(l) == '"' ? TOK_STRING : TOK_BAD;
        t.text = (ClifStr){l->p + from + 1, l->at - from - 1};
        step(l);
    } else if (c == '#' || c == '@') {
        do l->at++;
        while (is_hex(cur(l)));
        t.kind = c == '#' ? TOK_HEX : l->at == from + 1 ? TOK_AT : TOK_SRCLOC;
        t.text = (ClifStr){l->p + from + 1, l->at - from - 1};
    } else {
        t.kind = single(c);
        if (t.kind != TOK_BAD) l->at++;
    }
    return t;
}
