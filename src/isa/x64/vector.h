/* isa/x64/vector.h — short forms of vector instructions, shared by vector.c, vector_int.c and vector_float.c. */
#ifndef COT_ISA_X64_VECTOR_H
#define COT_ISA_X64_VECTOR_H
#include "isa/x64/rules_in.h"

#define T CLIF_I8X16
static inline X64Rm in(RaVReg r) {
    return (X64Rm){.kind = XK_REG, .r = r};
}
static inline RaVReg op2(LowerCtx *L, X64Op op, RaVReg a, RaVReg b) {
    return x64_form_RMR(L, op, T, a, in(b));
}
static inline RaVReg op2m(LowerCtx *L, X64Op op, RaVReg a, X64Rm b) {
    return x64_form_RMR(L, op, T, a, b);
}
static inline RaVReg fop2(LowerCtx *L, X64Op op, ClifType t, RaVReg a, RaVReg b) {
    return x64_form_RMR(L, op, t, a, in(b));
}
static inline RaVReg shift_imm(LowerCtx *L, X64Op op, RaVReg a, unsigned k) {
    return x64_form_XSHI(L, op, T, a, (uint8_t)k);
}
static inline RaVReg pshufd(LowerCtx *L, RaVReg a, unsigned k) {
    return x64_form_RMI(L, X64_PSHUFD, T, in(a), k);
}
static inline RaVReg copy(LowerCtx *L, RaVReg a, ClifType t) {
    RaVReg d = lower_new_vreg(L, t);
    x64_lower_copy(L, d, a, t);
    return d;
}
enum { CMP_EQ, CMP_LT, CMP_LE, CMP_UNORD, CMP_NEQ, CMP_NLT, CMP_NLE, CMP_ORD };
static inline RaVReg cmpp(LowerCtx *L, ClifType t, RaVReg a, RaVReg b, unsigned k) {
    return x64_form_RMRI(L, X64_CMPP, t, a, in(b), (uint8_t)k);
}
static inline X64Rm pool16(LowerCtx *L, const uint8_t *bytes) {
    uint64_t k[2];
    memcpy(k, bytes, 16);
    return x64_const128(L, k[0], k[1]);
}
static inline RaVReg each_reg(LowerCtx *L, ClifType t, uint64_t k) { /* k in every lane */
    return x64_form_RM(L, X64_MOVUPS, T, x64_each(L, t, k));
}
RaVReg x64_lanes_compare(LowerCtx *L, Packed what, ClifType t, RaVReg a, RaVReg b);
#endif
