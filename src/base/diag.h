/* base/diag.h — errors as values.
 *  (a) bad input      -> cot_err with a position, the stage stops cleanly;
 *  (b) limit / memory / unsupported -> the same struct, sticky: the first one wins;
 *  (c) a bug of ours  -> COT_BUG: prints where and aborts.
 * Message text is owned by the Diag. `kind` decides the public status code. */
#ifndef COT_BASE_DIAG_H
#define COT_BASE_DIAG_H
#include "base/strbuf.h"

typedef enum DiagKind {
    DIAG_NONE = 0,
    DIAG_MALFORMED, /* cannot be decoded or parsed */
    DIAG_INVALID,   /* decodes, but breaks a validation or verifier rule */
    DIAG_UNSUPPORTED, /* a proposal, opcode or type that this build or target does not have (named in msg) */
    DIAG_LIMIT, /* a documented limit */
    DIAG_LINK,  /* import or symbol not found or of the wrong type */
    DIAG_IO,
    DIAG_OOM,
} DiagKind;

typedef enum DiagPosKind {
    DIAG_POS_NONE,
    DIAG_POS_OFFSET /* byte offset a */,
    DIAG_POS_LINE /* line a, column b */
} DiagPosKind;

typedef struct Diag {
    DiagKind kind; /* DIAG_NONE = no error so far */
    DiagPosKind pos_kind;
    uint64_t a, b;
    uint32_t func; /* Wasm or CLIF function index, UINT32_MAX if none */
    char msg[512]; /* truncated with "..." if longer */
} Diag;

void diag_clear(Diag *d);
/* Record an error unless one is recorded already. Always returns false, so `return diag_at(...)` reads well. */
bool diag_at(Diag *d, DiagKind kind, uint64_t offset, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
bool diag_line(Diag *d, DiagKind kind, uint32_t line, uint32_t col, const char *fmt, ...)
    __attribute__((format(printf, 5, 6)));
bool diag_msg(Diag *d, DiagKind kind, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
/* "FILE:POSITION: error: msg" (position 0x… for offsets, L:C for lines) */
void diag_print(const Diag *d, const char *file, StrBuf *out);

_Noreturn void cot_bug_(const char *file, int line, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
#define COT_BUG(...) cot_bug_(__FILE__, __LINE__, __VA_ARGS__)
#define COT_ASSERT(c) ((c) ? (void)0 : cot_bug_(__FILE__, __LINE__, "assertion failed: %s", #c))
#ifdef NDEBUG
#define COT_DASSERT(c) ((void)0) /* proven facts on hot paths: debug builds only */
#else
#define COT_DASSERT(c) COT_ASSERT(c)
#endif
#endif
