/* clif/text.h — reading .clif text: functions, and the header of a test file.
 *
 * A file is a header (`test`, `set`, `target`, `feature` lines) followed by functions. A ClifReader hands out one
 * function after the other into a ClifFunc of the caller's, which is cleared and refilled, so reading many functions in
 * turn allocates nothing after the largest. Comments carry expectations; each is given with the entity that it
 * follows. All slices point into the caller's text, which must outlive them.
 *
 * Errors are DIAG_MALFORMED with line and column, or DIAG_LIMIT; the first one ends the reading. Numbers of entities
 * are limited to 16 times the length of the text or a million, whichever is more, because the arrays they index
 * are dense. */
#ifndef COT_CLIF_TEXT_H
#define COT_CLIF_TEXT_H
#include "clif/clif.h"

typedef struct ClifStr {
    const char *p;
    uint32_t n;
} ClifStr;
bool clif_str_is(ClifStr s, const char *z);
ClifStr clif_str_trim(ClifStr s);           /* without blanks at both ends */
bool clif_str_word(ClifStr *s, ClifStr *w); /* takes the next blank-separated word off s */

typedef struct ClifComment {
    ClifEntity entity; /* what it follows */
    uint32_t line;
    ClifStr text; /* with its leading ';' */
} ClifComment;
VEC_TYPEDEF(ClifComments, ClifComment);

typedef enum ClifHeaderKind {
    CLIF_HEADER_TEST,
    CLIF_HEADER_SET,
    CLIF_HEADER_TARGET,
    CLIF_HEADER_FEATURE,    /* the string without quotes */
    CLIF_HEADER_NO_FEATURE, /* feature !"..." */
} ClifHeaderKind;
typedef struct ClifHeaderLine {
    ClifHeaderKind kind;
    uint32_t line;
    ClifStr text; /* what follows the keyword, trimmed */
} ClifHeaderLine;

/* What the text says about a function beyond its meaning. */
typedef struct ClifDetails {
    uint32_t line, end_line; /* of the keyword `function`; of the closing brace */
    ClifComments comments;   /* inside and after the function */
    VecU32 inst_line, block_line;
} ClifDetails;
void clif_details_free(ClifDetails *d, Mem *m);

typedef struct ClifReader ClifReader;
/* Reads the header at once; on an error *d is set and clif_reader_next will return false. */
ClifReader *clif_reader_new(Mem *m, const char *text, uint32_t n, Diag *d);
void clif_reader_free(ClifReader *r);
/* The header's lines, and the comments before the first function. */
const ClifHeaderLine *clif_reader_header(const ClifReader *r, uint32_t *n);
const ClifComments *clif_reader_comments(const ClifReader *r);
/* Convention of signatures that name none: fast, or system_v if the header has `test run`. */
ClifCallConv clif_reader_default_callconv(const ClifReader *r);
/* The next function; false at the end of the text and after an error (then the Diag of clif_reader_new is set).
 * d may be NULL. */
bool clif_reader_next(ClifReader *r, ClifFunc *f, ClifDetails *d);

/* "FILE:L:C: error: msg", the source line, and a caret under the column. */
void clif_text_error(const Diag *d, const char *file, const char *text, uint32_t n, StrBuf *out);

/* ---- run commands: `; run: %f(1, 2) == 3`, `; print: %f(1)` ---- */
typedef struct ClifConstValue {
    ClifType type;
    uint8_t bytes[16]; /* little-endian */
} ClifConstValue;
VEC_TYPEDEF(ClifConstValues, ClifConstValue);
typedef struct ClifRunCommand {
    bool print;   /* only show the results */
    bool negate;  /* != instead of == */
    ClifStr func; /* without %, empty: the function itself */
    ClifConstValues args, results;
} ClifRunCommand;
/* Is this comment a run or print command for a function of this signature? False without an error: no. */
bool clif_parse_run_command(Mem *m, const ClifFunc *f, const ClifComment *c, ClifRunCommand *out,
                            Diag *d);
void clif_run_command_free(ClifRunCommand *c, Mem *m);
void clif_print_const_value(StrBuf *o, const ClifConstValue *v);

/* ---- number text (numtext.c). Return NULL, or what is wrong. ---- */
const char *clif_parse_u64(ClifStr s, uint64_t *out);
const char *clif_parse_i64(ClifStr s, int64_t *out); /* -2^63 .. 2^64-1 */
const char *clif_parse_int(ClifStr s, unsigned bits,
                           uint64_t out[2]);              /* 8 to 128 bits, signed or unsigned */
const char *clif_parse_offset32(ClifStr s, int32_t *out); /* with a sign */
/* An IEEE number of 16, 32, 64 or 128 bits: 0.0, hexadecimal, Inf, NaN, NaN:0x1, sNaN:0x1. */
const char *clif_parse_float(ClifStr s, unsigned bits, uint64_t out[2]);
/* 0x0001_0203: an even number of digits; bytes little-endian. Long enough for constants of every vector type, so that
 * what is printed can be read (the reference reads 16 bytes and prints more). */
enum { CLIF_MAX_CONST_BYTES = 256 };
const char *clif_parse_hex_bytes(ClifStr s, uint8_t out[CLIF_MAX_CONST_BYTES], uint32_t *n);
void clif_print_float(StrBuf *o, unsigned bits, uint64_t lo, uint64_t hi);
#endif
