/* isa/x64/atomics.c — read-modify-write and compare-and-swap. Additions and exchanges are one instruction; what the
 * processor has no locked form of that returns the old value is a loop of compare-and-exchange (emit_special.c).
 *
 * 128 bits: cmpxchg16b, for anything but a compare-and-swap in a loop. With AVX an aligned load or store of 16 bytes is atomic
 * by itself. Either faults at an address that is no multiple of 16.
 * Ref: Intel SDM vol. 3, 9.1 (locked operations, guaranteed atomic operations) */
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

/* ---- 128 bits ---- */
/* The operands that all loops share: old value in rax and rdx (expected at first), memory last. */
static ValueRegs begin128(LowerCtx *L, X64Op op, ValueRegs expected) {
    ValueRegs old = lower_new_regs(L, CLIF_I128);
    x64_begin(L, op, 3);
    lower_def(L, old.r[0], RA_FIXED, RAX);
    lower_def(L, old.r[1], RA_FIXED, RDX);
    lower_use(L, expected.r[0], RA_FIXED, RAX);
    lower_use(L, expected.r[1], RA_FIXED, RDX);
    return old;
}
ValueRegs x64_atomic_cas128(LowerCtx *L, ValueRegs e, ValueRegs x, X64Rm m) {
    ValueRegs old = begin128(L, X64_CMPXCHG16B, e);
    lower_use(L, x.r[0], RA_FIXED, RBX);
    lower_use(L, x.r[1], RA_FIXED, RCX);
    x64_mi_rm(L, &vec_last(&L->buf.insts), m);
    return old;
}
ValueRegs x64_atomic_rmw128(LowerCtx *L, uint8_t op, ValueRegs x, X64Rm m) {
    ValueRegs old = begin128(L, X64_RMW16B, x64_load128(L, m));
    MachInst *mi = &vec_last(&L->buf.insts);
    mi->b[1] = op;
    lower_operand(L, lower_new_vreg(L, CLIF_I64), RA_DEF, RA_EARLY, RA_FIXED, RBX);
    lower_operand(L, lower_new_vreg(L, CLIF_I64), RA_DEF, RA_EARLY, RA_FIXED, RCX);
    lower_use(L, x.r[0], RA_REG, 0);
    lower_use(L, x.r[1], RA_REG, 0);
    x64_mi_rm(L, mi, m);
    return old;
}
ValueRegs x64_atomic_load128(LowerCtx *L, X64Rm m) {
    if (x64_has(L->set, X64_HAS_AVX))
        return x64_from_vector(L, x64_form_RM(L, X64_MOVAPS, CLIF_I8X16, m));
    RaVReg z = x64_int_const(L, CLIF_I64, 0);
    ValueRegs zero = {{z, z}, 2};
    return x64_atomic_cas128(L, zero, zero, m); /* writes what is there already */
}
Unit x64_atomic_store128(LowerCtx *L, ValueRegs x, X64Rm m) {
    if (!x64_has(L->set, X64_HAS_AVX)) return x64_atomic_rmw128(L, CLIF_RMW_XCHG, x, m), 0;
    x64_form_XST(L, X64_MOVAPS_ST, CLIF_I8X16, m, x64_to_vector(L, x));
    return x64_fence_all(L);
}
