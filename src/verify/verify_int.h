/* verify/verify_int.h — shared by the files of this folder. */
#ifndef COT_VERIFY_VERIFY_INT_H
#define COT_VERIFY_VERIFY_INT_H
#include "clif/opspec.h"
#include "verify/verify.h"

typedef struct Check {
    VerifyCtx *v;
    const ClifFunc *f;
    Diag *d;
    uint32_t block, inst; /* where we are, CLIF_NONE = nowhere in particular */
    bool printable;       /* all references are known to be good: the instruction can be shown */
} Check;
/* Records the violation. Always false. */
bool verify_fail(Check *c, VerifyRule r, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
bool verify_preamble(Check *c);   /* entities.c */
bool verify_inst_refs(Check *c);  /* entities.c: c->inst by itself */
bool verify_inst_types(Check *c); /* typecheck.c: c->inst, all references being good */
#endif
