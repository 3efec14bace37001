/* isa/x64/atomics.c — read-modify-write and compare-and-swap. Additions and exchanges are one instruction; what the
 * processor has no locked form of that returns the old value is a loop of compare-and-exchange (emit_special.c).
 * Ref: Intel SDM vol. 3, 9.1 (locked operations) */
#include "isa/x64/rules_in.h"

/* xadd, xchg: the register receives what was in memory */
static RaVReg exchange(LowerCtx *L, X64Op op, ClifType t, RaVReg x, X64Rm m) {
    RaVReg old = lower_new_vreg(L, CLIF_I64);
    MachInst *mi = x64_begin(L, op, x64_size(t));
    lower_def(L, old, RA_REUSE, 1);
    lower_use(L, x, RA_REG, 0);
    x64_mi_rm(L, mi, m);
    return old;
}

RaVReg x64_atomic_rmw(LowerCtx *L, ClifType t, uint8_t op, RaVReg x, X64Rm m) {
    switch (op) {
    case CLIF_RMW_SUB: x = x64_form_R1(L, X64_NEG, t, x); return exchange(L, X64_XADD, t, x, m);
    case CLIF_RMW_ADD: return exchange(L, X64_XADD, t, x, m);
    case CLIF_RMW_XCHG: return exchange(L, X64_XCHG, t, x, m);
    default: break;
    }
    RaVReg old = lower_new_vreg(L, CLIF_I64);
    MachInst *mi = x64_begin(L, X64_RMW, x64_size(t));
    mi->b[1] = op;
    lower_operand(L, old, RA_DEF, RA_EARLY, RA_FIXED, RAX);
    lower_use(L, x, RA_REG, 0);
    x64_mi_rm(L, mi, m);
    return old;
}

RaVReg x64_atomic_cas(LowerCtx *L, ClifType t, RaVReg e, RaVReg x, X64Rm m) {
    RaVReg old = lower_new_vreg(L, CLIF_I64);
    MachInst *mi = x64_begin(L, X64_CMPXCHG, x64_size(t));
    lower_def(L, old, RA_FIXED, RAX);
    lower_use(L, e, RA_FIXED, RAX);
    lower_use(L, x, RA_REG, 0);
    x64_mi_rm(L, mi, m);
    return old;
}
