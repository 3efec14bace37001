/* verify/verify_int.h — shared by the files of this folder. */
#ifndef COT_VERIFY_VERIFY_INT_H
#define COT_VERIFY_VERIFY_INT_H
#include "clif/opspec.h"
#include "verify/verify.h"

typedef struct Check {
    VerifyCtx *v;
    const ClifFunc *f;
    Diag *d;
    ClifEntity at;        /* what is being checked */
    uint32_t block, inst; /* where we are, CLIF_NONE = nowhere in particular */
    bool printable; /* all references of the instruction are known to be good: it can be shown */
} Check;
/* Records a violation after which the rest has no meaning. Always false. */
bool verify_fail(Check *c, VerifyRule r, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* Records a violation; true if the caller is to go on all the same. */
bool verify_report(Check *c, VerifyRule r, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* Runs a check whose failure does not keep the following ones from having a meaning. */
#define VERIFY_STEP(c, call)                       \
    do                                             \
        if (!(call) && !(c)->v->all) return false; \
    while (0)

bool verify_preamble_refs(Check *c); /* preamble.c: entities that other checks follow blindly */
bool verify_preamble(Check *c);      /* preamble.c: the rest */
bool verify_terminator_shape(
    Check *c);                    /* entities.c: the edges of the branch c->inst can be followed */
bool verify_inst_refs(Check *c);  /* entities.c: c->inst by itself */
bool verify_inst_types(Check *c); /* typecheck.c: c->inst, all references being good */
bool verify_inst_special(Check *c);    /* special.c: rules of single opcodes */
bool verify_inst_immediates(Check *c); /* special.c: likewise, once the types are known */
ClifType verify_gv_type(const Check *c,
                        uint32_t gv); /* INVALID: depends on a target that is not given */
#endif
