/* verify/verify.h — is this function well-formed? The rules are the rows of rules.def. */
#ifndef COT_VERIFY_VERIFY_H
#define COT_VERIFY_VERIFY_H
#include "analysis/analysis.h"

typedef enum VerifyRule {
#define VERIFY_RULE(NAME, text) VERIFY_##NAME,
#include "verify/rules.def"
#undef VERIFY_RULE
    VERIFY_RULE_COUNT
} VerifyRule;
extern const char *const verify_rule_name[VERIFY_RULE_COUNT];
extern const char *const verify_rule_text[VERIFY_RULE_COUNT];

typedef struct VerifyError {
    VerifyRule rule;
    ClifEntity at; /* what is wrong */
    uint32_t text; /* offset of the message in VerifyCtx.messages, which ends in a zero byte */
} VerifyError;

/* Reusable; zero-initialise with verify_ctx_init. Keeps its arrays from one function to the next. */
typedef struct VerifyCtx {
    Mem *mem;
    ClifType
        ptr_type; /* I32 or I64; INVALID: no target: what depends on the width of addresses is not checked */
    bool no_pinned_reg, no_frame_pointers; /* settings that some opcodes need are off */
    CfgAnalysis cfg;
    DomTree dom;
    InstOrder order;
    VecU32 stamp;
    HashMap seen;
    StrBuf text, messages;
    VEC(VerifyError) errors; /* of the last run */
    bool all;                /* go on after an error where that makes sense */
} VerifyCtx;
void verify_ctx_init(VerifyCtx *v, Mem *m, ClifType ptr_type);
void verify_ctx_free(VerifyCtx *v);

/* True if every rule holds; else the first violation is in *d (DIAG_INVALID), naming rule, block and
 * instruction. Linear in the size of the function. After success cfg and dom describe f. */
bool clif_verify(VerifyCtx *v, const ClifFunc *f, Diag *d);
/* As clif_verify, but goes on where the rest still has a meaning: all violations are in v->errors, in order. */
bool clif_verify_all(VerifyCtx *v, const ClifFunc *f, Diag *d);
static inline const char *verify_message(const VerifyCtx *v, const VerifyError *e) {
    return v->messages.p + e->text;
}
#endif
