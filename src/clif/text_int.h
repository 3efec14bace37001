/* clif/text_int.h — what the files of the reader share: tokens, the lexer, the parser's state. */
#ifndef COT_CLIF_TEXT_INT_H
#define COT_CLIF_TEXT_INT_H
#include "clif/opspec.h"
#include "clif/text.h"

typedef enum TokenKind {
    TOK_END,
    TOK_BAD, /* a character that starts nothing */
    TOK_COMMENT,
    TOK_LPAR,
    TOK_RPAR,
    TOK_LBRACE,
    TOK_RBRACE,
    TOK_LBRACKET,
    TOK_RBRACKET,
    TOK_LANGLE,
    TOK_RANGLE,
    TOK_MINUS,
    TOK_PLUS,
    TOK_STAR,
    TOK_COMMA,
    TOK_DOT,
    TOK_COLON,
    TOK_EQUAL,
    TOK_BANG,
    TOK_AT,
    TOK_ARROW,
    TOK_FLOAT,
    TOK_INTEGER,
    TOK_TYPE,
    TOK_COLD,
    TOK_NAME, /* text without % */
    TOK_STRING,
    TOK_HEX, /* #89ab */
    TOK_IDENT,
    TOK_SRCLOC, /* text without @ */
    /* numbered entities: `num` is the number */
    TOK_VALUE,
    TOK_BLOCK,
    TOK_SS,
    TOK_DSS,
    TOK_DT,
    TOK_GV,
    TOK_CONST,
    TOK_FN,
    TOK_SIG,
    TOK_USER,
    TOK_USERNAME,
    TOK_TAG,
    TOK_REGION,
    TOK_RET,
    TOK_EXN,
} TokenKind;

typedef struct Token {
    TokenKind kind;
    ClifType type;
    uint32_t num;
    uint32_t line, col; /* from 1; columns in bytes */
    ClifStr text;
} Token;

typedef struct Lexer {
    const char *p;
    uint32_t n, at, line, line_start;
} Lexer;
void lex_init(Lexer *l, const char *p, uint32_t n);
Token lex_next(Lexer *l);
ClifStr lex_rest_of_line(Lexer *l);

/* Parser state. `tok` is the lookahead when `have`; `line`, `col` are those of the token seen last. */
typedef struct Parser {
    Mem *mem;
    Diag *d;
    Lexer lex;
    Token tok;
    bool have, gathering;
    uint32_t line, col;
    ClifComments gathered;
    ClifComments *comments; /* where claimed comments go */
    uint32_t max_number;
    ClifCallConv default_cc;
    /* the function being read */
    ClifFunc *f;
    ClifDetails *details;
    HashMap defined; /* entities of the preamble: kind << 32 | number */
    HashMap names;   /* user names: namespace << 32 | index -> place in f->user_names */
    VecU32 results, args, calls;
    VEC(ClifEhItem) items;
    VEC(ClifAbiParam) params, returns;
    VecU32 tags; /* debug tags of the instruction to come: pairs */
} Parser;

struct ClifReader {
    Parser p;
    VEC(ClifHeaderLine) header;
    ClifComments comments;
    ClifDetails unused; /* stands in for details nobody wants */
    bool done;
};

/* ---- parse_util.c: tokens in sequence, references, immediates ---- */
bool p_error(Parser *p, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
bool p_limit(Parser *p, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
TokenKind p_peek(Parser *p);
static inline void p_take(Parser *p) {
    p->have = false;
}
bool p_optional(Parser *p, TokenKind k);
bool p_expect(Parser *p, TokenKind k, const char *msg);
bool p_peek_ident(Parser *p, const char *word);
bool p_optional_ident(Parser *p, const char *word);
ClifStr p_rest_of_line(Parser *p); /* of the line of the lookahead, which is consumed */
void p_gather(Parser *p);
void p_claim(Parser *p, ClifEntityKind kind, uint32_t index); /* looks at the next token first */
/* A numbered entity. The number is below max_number. */
bool p_ref(Parser *p, TokenKind k, const char *msg, uint32_t *num);
bool p_type(Parser *p, const char *msg, ClifType *t);
bool p_integer(Parser *p, const char *msg, ClifStr *text);
bool p_imm64(Parser *p, const char *msg, int64_t *out);
bool p_uimm32(Parser *p, const char *msg, uint32_t *out);
bool p_uimm8(Parser *p, const char *msg, uint8_t *out);
bool p_int(Parser *p, unsigned bits, const char *msg, uint64_t out[2]);
bool p_offset32(Parser *p, int32_t *out); /* 0 if there is none */
bool p_float(Parser *p, unsigned bits, uint64_t out[2]);
/* A constant of the type's size: 0x00ff.. (zero-extended) or [lane lane ...]. */
bool p_sized_const(Parser *p, ClifType t, uint8_t *bytes, uint32_t cap, uint32_t *n);
bool p_memflags(Parser *p, uint16_t *out);
bool p_name_of_function(Parser *p, ClifName *out); /* of the function itself */
bool p_external_name(Parser *p, ClifName *out, bool by_reference);

/* ---- parse_inst.c ---- */
bool p_instruction(Parser *p, uint32_t block, uint32_t srcloc);
bool p_define(Parser *p, ClifEntityKind kind, uint32_t num);
bool p_defined(Parser *p, ClifEntityKind kind, uint32_t num);
bool p_define_value(Parser *p, uint32_t v); /* makes room for v; an error if it has a definition */
bool p_value_known(const Parser *p, uint32_t v);
#endif
