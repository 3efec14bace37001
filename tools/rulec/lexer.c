/* lexer.c — bytes to tokens.
 *
 * The token set is the reference's: parentheses, `@`, symbols (anything that does not start with a
 * digit, `-`, a parenthesis, `@`, `;` or a blank), and integers in base 2, 8, 10 or 16 with `_`
 * anywhere between digits.  `;` comments run to the end of the line, `(; ;)` comments nest.  A literal
 * is 64 bits wide with its sign kept apart, so both -2^63 and 2^64-1 can be written.  Bytes that fit
 * no token are reported once each and skipped. */
#include "rulec.h"

static void advance(Lexer *lx) {
    if (*lx->p == '\n') {
        lx->pos.line++;
        lx->pos.col = 1;
    } else {
        lx->pos.col++;
    }
    lx->p++;
}

static int peek(const Lexer *lx, size_t k) {
    return (size_t)(lx->end - lx->p) > k ? (unsigned char)lx->p[k] : -1;
}

static bool is_blank(int c) {
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static bool is_sym_char(int c) {
    return c > ' ' && c != 127 && c != '(' && c != ')' && c != ';' && c != '@';
}

static bool is_digit(int c) {
    return c >= '0' && c <= '9';
}

static int digit_value(int c) {
    if (is_digit(c)) return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

static void skip_block_comment(Lexer *lx) {
    Pos start = lx->pos;
    uint32_t depth = 0;
    do {
        if (peek(lx, 0) < 0) {
            rulec_error(lx->rc, start, "unterminated block comment");
            return;
        }
        if (peek(lx, 0) == '(' && peek(lx, 1) == ';') {
            depth++;
            advance(lx);
        } else if (peek(lx, 0) == ';' && peek(lx, 1) == ')') {
            depth--;
            advance(lx);
        }
        advance(lx);
    } while (depth != 0);
}

static void skip_blanks(Lexer *lx) {
    for (;;) {
        int c = peek(lx, 0);
        if (c >= 0 && is_blank(c)) {
            advance(lx);
        } else if (c == ';') {
            while (peek(lx, 0) >= 0 && peek(lx, 0) != '\n') advance(lx);
        } else if (c == '(' && peek(lx, 1) == ';') {
            skip_block_comment(lx);
        } else {
            return;
        }
    }
}

static void lex_int(Lexer *lx) {
    lx->tok = TOK_INT;
    lx->neg = peek(lx, 0) == '-';
    if (lx->neg) advance(lx);
    unsigned radix = 10;
    if (peek(lx, 0) == '0') {
        int c = peek(lx, 1) | 0x20;
        radix = c == 'x' ? 16 : c == 'o' ? 8 : c == 'b' ? 2 : 10;
        if (radix != 10) {
            advance(lx);
            advance(lx);
        }
    }
    uint64_t v = 0;
    bool any = false, bad = false, big = false;
    for (; is_sym_char(peek(lx, 0)); advance(lx)) {
        int c = peek(lx, 0);
        if (c == '_') continue;
        int d = digit_value(c);
        any = true;
        if (d < 0 || (unsigned)d >= radix) {
            bad = true;
            continue;
        }
        if (v > (UINT64_MAX - (unsigned)d) / radix) big = true;
        v = v * radix + (unsigned)d;
    }
    if (!any || bad)
        rulec_error(lx->rc, lx->tok_pos, "malformed integer literal");
    else if (big || (lx->neg && v > (uint64_t)1 << 63))
        rulec_error(lx->rc, lx->tok_pos, "integer literal does not fit in 64 bits");
    lx->val = v;
}

void lexer_next(Lexer *lx) {
    for (;;) {
        skip_blanks(lx);
        lx->tok_pos = lx->pos;
        int c = peek(lx, 0);
        if (c < 0) {
            lx->tok = TOK_EOF;
            return;
        }
        if (c == '(' || c == ')' || c == '@') {
            lx->tok = c == '(' ? TOK_LPAREN : c == ')' ? TOK_RPAREN : TOK_AT;
            advance(lx);
            return;
        }
        if (is_digit(c) || c == '-') {
            lex_int(lx);
            return;
        }
        if (is_sym_char(c)) {
            const char *start = lx->p;
            while (is_sym_char(peek(lx, 0))) advance(lx);
            lx->tok = TOK_SYM;
            lx->sym = rulec_intern(lx->rc, start, (size_t)(lx->p - start));
            lx->text = sym_str(lx->rc, lx->sym);
            return;
        }
        rulec_error(lx->rc, lx->pos, "unexpected byte 0x%02x", (unsigned)c);
        advance(lx);
    }
}

void lexer_init(Lexer *lx, Rulec *rc, uint32_t file, const char *text, size_t len) {
    *lx = (Lexer){.rc = rc, .p = text, .end = text + len, .pos = {file, 1, 1}};
    lexer_next(lx);
}
