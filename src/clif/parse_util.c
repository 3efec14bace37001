/* clif/parse_util.c — the parser's hands: one token of lookahead, comments with the entities they follow, references
 * and immediates with their errors.
 *
 * A comment belongs to the entity whose text ended last before it, so gathering is switched on when an entity begins, and
 * what was gathered is claimed when the token after the entity has been seen. Errors stand at the token seen last. */
#include <stdio.h>
#include "clif/text_int.h"

/* ---- errors ---- */
static bool verror(Parser *p, DiagKind kind, const char *fmt, va_list ap) {
    char buf[400];
    vsnprintf(buf, sizeof buf, fmt, ap);
    if (p->have && p->tok.kind == TOK_BAD)
        return diag_line(p->d, DIAG_MALFORMED, p->line, p->col, "invalid character");
    return diag_line(p->d, kind, p->line, p->col, "%s", buf);
}

bool p_error(Parser *p, const char *fmt, ...) {
    va_list ap;
    va_start(ap, fmt);
    verror(p, DIAG_MALFORMED, fmt, ap);
    va_end(ap);
    return false;
}

bool p_limit(Parser *p, const char *fmt, ...) {
    va_list ap;
    va_start(ap, fmt);
    verror(p, DIAG_LIMIT, fmt, ap);
    va_end(ap);
    return false;
}

/* ---- tokens ---- */
TokenKind p_peek(Parser *p) {
    while (!p->have) {
        Token t = lex_next(&p->lex);
        p->line = t.line;
        p->col = t.col;
        if (t.kind == TOK_COMMENT) {
            if (p->gathering)
                vec_push(p->mem, &p->gathered, (ClifComment){.line = t.line, .text = t.text});
            continue;
        }
        p->tok = t;
        p->have = true;
    }
    return p->tok.kind;
}

bool p_optional(Parser *p, TokenKind k) {
    if (p_peek(p) != k) return false;
    p_take(p);
    return true;
}

bool p_expect(Parser *p, TokenKind k, const char *msg) {
    return p_optional(p, k) ? true : p_error(p, "%s", msg);
}

bool p_peek_ident(Parser *p, const char *word) {
    return p_peek(p) == TOK_IDENT && clif_str_is(p->tok.text, word);
}

bool p_optional_ident(Parser *p, const char *word) {
    if (!p_peek_ident(p, word)) return false;
    p_take(p);
    return true;
}

ClifStr p_rest_of_line(Parser *p) {
    p_take(p);
    return clif_str_trim(lex_rest_of_line(&p->lex));
}

void p_gather(Parser *p) {
    vec_clear(&p->gathered);
    p->gathering = true;
}

void p_claim(Parser *p, ClifEntityKind kind, uint32_t index) {
    p_peek(p);
    for (uint32_t k = 0; k < p->gathered.n; k++) {
        ClifComment c = p->gathered.p[k];
        c.entity = (ClifEntity){kind, index};
        vec_push(p->mem, p->comments, c);
    }
    vec_clear(&p->gathered);
    p->gathering = false;
}

/* ---- references and types ---- */
bool p_ref(Parser *p, TokenKind k, const char *msg, uint32_t *num) {
    if (p_peek(p) != k) return p_error(p, "%s", msg);
    *num = p->tok.num;
    if (*num >= p->max_number) return p_limit(p, "the number is too large for a text of this size");
    p_take(p);
    return true;
}

bool p_type(Parser *p, const char *msg, ClifType *t) {
    if (p_peek(p) != TOK_TYPE) return p_error(p, "%s", msg);
    *t = p->tok.type;
    p_take(p);
    return true;
}

/* ---- immediates ---- */
bool p_integer(Parser *p, const char *msg, ClifStr *text) {
    if (p_peek(p) != TOK_INTEGER) return p_error(p, "%s", msg);
    *text = p->tok.text;
    p_take(p);
    return true;
}

static bool ok(Parser *p, const char *wrong) {
    return wrong ? p_error(p, "%s", wrong) : true;
}

bool p_imm64(Parser *p, const char *msg, int64_t *out) {
    ClifStr s;
    return p_integer(p, msg, &s) && ok(p, clif_parse_i64(s, out));
}

bool p_uimm32(Parser *p, const char *msg, uint32_t *out) {
    int64_t x;
    if (!p_imm64(p, msg, &x)) return false;
    if (x < 0 || x > (int64_t)UINT32_MAX) return p_error(p, "number out of range of 32 bits");
    *out = (uint32_t)x;
    return true;
}

bool p_uimm8(Parser *p, const char *msg, uint8_t *out) {
    ClifStr s;
    uint64_t x;
    if (!p_integer(p, msg, &s) || !ok(p, clif_parse_u64(s, &x))) return false;
    if (x > 255) return p_error(p, "number out of range of 8 bits");
    *out = (uint8_t)x;
    return true;
}

bool p_int(Parser *p, unsigned bits, const char *msg, uint64_t out[2]) {
    ClifStr s;
    return p_integer(p, msg, &s) && ok(p, clif_parse_int(s, bits, out));
}

bool p_offset32(Parser *p, int32_t *out) {
    *out = 0;
    if (p_peek(p) != TOK_INTEGER || (p->tok.text.p[0] != '+' && p->tok.text.p[0] != '-'))
        return true;
    p_take(p);
    return ok(p, clif_parse_offset32(p->tok.text, out));
}

bool p_float(Parser *p, unsigned bits, uint64_t out[2]) {
    if (p_peek(p) != TOK_FLOAT) return p_error(p, "expected a %u-bit float", bits);
    p_take(p);
    return ok(p, clif_parse_float(p->tok.text, bits, out));
}

static void put_le(uint8_t *to, const uint64_t w[2], unsigned bytes) {
    for (unsigned k = 0; k < bytes; k++) to[k] = (uint8_t)(w[k / 8] >> (8 * (k % 8)));
}

bool p_sized_const(Parser *p, ClifType t, uint8_t *bytes, uint32_t cap, uint32_t *n) {
    uint32_t size = clif_type_bytes(t);
    if (size > cap) return p_error(p, "constants have at most %u bytes", cap);
    memset(bytes, 0, cap);
    *n = size;
    if (!p_optional(p, TOK_LBRACKET)) {
        ClifStr s;
        uint8_t given[CLIF_MAX_CONST_BYTES];
        uint32_t got;
        if (!p_integer(p, "expected an immediate hexadecimal operand", &s) ||
            !ok(p, clif_parse_hex_bytes(s, given, &got)))
            return false;
        if (got > size) return p_error(p, "expected parsed constant to have %u bytes", size);
        memcpy(bytes, given, got);
        return true;
    }
    if (!clif_type_is_vector(t)) return p_error(p, "expected a controlling vector type");
    ClifType lane = clif_lane_type(t);
    unsigned bits = clif_lane_bits(lane);
    for (unsigned k = 0; k < clif_type_lanes(t); k++) {
        uint64_t w[2] = {0, 0};
        if (clif_type_is_float(lane) ? !p_float(p, bits, w)
                                     : !p_int(p, bits, "expected an integer lane", w))
            return false;
        put_le(bytes + k * (bits / 8), w, bits / 8);
    }
    return p_expect(p, TOK_RBRACKET, "expected a terminating right bracket");
}

static unsigned memflag_bit(ClifStr s) {
    return clif_str_is(s, "aligned")    ? CLIF_MEM_ALIGNED
           : clif_str_is(s, "readonly") ? CLIF_MEM_READONLY
           : clif_str_is(s, "can_move") ? CLIF_MEM_CAN_MOVE
           : clif_str_is(s, "little")   ? CLIF_MEM_LITTLE
           : clif_str_is(s, "big")      ? CLIF_MEM_BIG
                                        : 0;
}

bool p_memflags(Parser *p, uint16_t *out) {
    ClifMemFlags m = {.trap = CLIF_TRAP_HEAP_OUT_OF_BOUNDS, .region = CLIF_NONE};
    for (;;) {
        if (p_peek(p) == TOK_REGION) {
            if (m.region != CLIF_NONE) return p_error(p, "cannot set more than one alias region");
            if (!p_ref(p, TOK_REGION, "", &m.region)) return false;
            continue;
        }
        if (p->tok.kind != TOK_IDENT) break;
        unsigned bit = memflag_bit(p->tok.text);
        ClifTrap trap = clif_trap_parse(p->tok.text.p, p->tok.text.n);
        if (bit)
            m.bits |= (uint8_t)bit;
        else if (clif_str_is(p->tok.text, "notrap") || trap != CLIF_TRAP_NONE)
            m.trap = trap;
        else
            break;
        if ((m.bits & CLIF_MEM_LITTLE) && (m.bits & CLIF_MEM_BIG))
            return p_error(p, "cannot set both big and little endian bits");
        p_take(p);
    }
    if (p->f->memflags.n > UINT16_MAX)
        return p_limit(p, "too many kinds of memory flags in a function");
    *out = clif_intern_memflags(p->f, m);
    return true;
}

/* ---- names ---- */
static bool user_index(Parser *p, uint32_t *index) {
    p_take(p);
    ClifStr s;
    uint64_t x;
    if (!p_expect(p, TOK_COLON, "expected a user name in the form uX:Y") ||
        !p_integer(p, "expected integer", &s))
        return false;
    if (clif_parse_u64(s, &x) || x > UINT32_MAX || s.p[0] == '+' || s.p[0] == '-')
        return p_error(p, "the integer given overflows the u32 type");
    *index = (uint32_t)x;
    return true;
}

bool p_name_of_function(Parser *p, ClifName *out) {
    if (p_peek(p) == TOK_NAME) {
        p_take(p);
        *out = clif_testcase_name(p->f, p->tok.text.p, p->tok.text.n);
        return true;
    }
    if (p->tok.kind != TOK_USER) return p_error(p, "expected external name");
    *out = clif_user_name(p->tok.num, 0);
    return user_index(p, &out->b);
}

static ClifName named(Parser *p, ClifStr s) {
    for (uint32_t k = 0; k < CLIF_KNOWN_COUNT; k++)
        if (clif_str_is(s, clif_known_symbol_name[k])) return (ClifName){CLIF_NAME_KNOWN, k, 0};
    for (uint32_t k = 0; k < CLIF_LIBCALL_COUNT; k++)
        if (clif_str_is(s, clif_libcall_name[k])) return (ClifName){CLIF_NAME_LIBCALL, k, 0};
    return clif_testcase_name(p->f, s.p, s.n);
}

/* Each user name gets a place in the function's table at its first mention. */
bool p_external_name(Parser *p, ClifName *out, bool by_reference) {
    switch (p_peek(p)) {
    case TOK_NAME:
        p_take(p);
        *out = named(p, p->tok.text);
        return true;
    case TOK_USERNAME:
        p_take(p);
        *out = (ClifName){CLIF_NAME_USER_REF, p->tok.num, 0};
        return true;
    case TOK_USER: {
        uint32_t ns = p->tok.num, index;
        if (!user_index(p, &index)) return false;
        ClifFunc *f = p->f;
        bool fresh;
        uint32_t at = *hashmap_get_or_insert(p->mem, &p->names, (uint64_t)ns << 32 | index,
                                             f->user_names.n / 2, &fresh);
        if (fresh) {
            vec_push(f->mem, &f->user_names, ns);
            vec_push(f->mem, &f->user_names, index);
        }
        *out = by_reference ? (ClifName){CLIF_NAME_USER_REF, at, 0} : clif_user_name(ns, index);
        return true;
    }
    default: return p_error(p, "expected external name");
    }
}
