/* isa/x64/overflow.c — sums, differences and products with a second result that says whether the first one fits.
 *
 * The flag that the processor sets at the width of the type is that result; a carry that comes in gets into the carry
 * flag by negating it as a byte. Products of 8 and 16 bits are exact in 32. */
#include "isa/x64/rules_in.h"

static X64Rm in(RaVReg r) {
    return (X64Rm){.kind = XK_REG, .r = r};
}
static ValueRegs with_flag(LowerCtx *L, ValueRegs r, unsigned cc) {
    L->second = (ValueRegs){{x64_cond_reg(L, x64_cond1(cc)), RA_VREG_NONE}, 1};
    return r;
}
static ValueRegs one(RaVReg r) {
    return (ValueRegs){{r, RA_VREG_NONE}, 1};
}
static RaVReg alu_at(LowerCtx *L, X64Op op, unsigned size, RaVReg a, RaVReg b) {
    RaVReg d = lower_new_vreg(L, CLIF_I64);
    MachInst *mi = x64_begin(L, op, size);
    lower_def(L, d, RA_REUSE, 1);
    lower_use(L, a, RA_REG, 0);
    x64_mi_rm(L, mi, in(b));
    return d;
}

/* The low parts by one row, the high ones of i128 by the other. */
ValueRegs x64_with_overflow(LowerCtx *L, ClifType t, uint16_t low, uint16_t high, uint8_t cc,
                            ValueRegs a, ValueRegs b) {
    ValueRegs r = one(alu_at(L, (X64Op)low, a.n == 2 ? 3 : x64_size(t), a.r[0], b.r[0]));
    if (a.n == 2) r = (ValueRegs){{r.r[0], alu_at(L, (X64Op)high, 3, a.r[1], b.r[1])}, 2};
    return with_flag(L, r, cc);
}
ValueRegs x64_with_carry(LowerCtx *L, ClifType t, uint16_t row, uint8_t cc, ValueRegs a,
                         ValueRegs b, RaVReg c) {
    RaVReg d = lower_new_vreg(L, CLIF_I64);
    x64_begin(L, X64_NEG, 0); /* carry: not zero */
    lower_def(L, d, RA_REUSE, 1);
    lower_use(L, c, RA_REG, 0);
    return x64_with_overflow(L, t, row, row, cc, a, b);
}

/* Both halves of a product; overflow is in the flags. */
RaVReg x64_mul_wide(LowerCtx *L, uint16_t row, ClifType t, RaVReg a, X64Rm b, RaVReg *lo) {
    RaVReg hi = lower_new_vreg(L, CLIF_I64);
    *lo = lower_new_vreg(L, CLIF_I64);
    MachInst *mi = x64_begin(L, (X64Op)row, x64_wide(t));
    lower_def(L, *lo, RA_FIXED, RAX);
    lower_def(L, hi, RA_FIXED, RDX);
    lower_use(L, a, RA_FIXED, RAX);
    x64_mi_rm(L, mi, b);
    return hi;
}
/* The same without flags, in any two registers where the processor has an instruction for that. */
RaVReg x64_mul_halves(LowerCtx *L, uint16_t row, ClifType t, RaVReg a, X64Rm b, RaVReg *lo) {
    if (row != X64_MUL || !x64_has(L->set, X64_HAS_BMI2)) return x64_mul_wide(L, row, t, a, b, lo);
    RaVReg hi = lower_new_vreg(L, CLIF_I64);
    *lo = lower_new_vreg(L, CLIF_I64);
    MachInst *mi = x64_begin(L, X64_MULX, x64_wide(t));
    lower_def(L, hi, RA_REG, 0);
    lower_def(L, *lo, RA_REG, 0);
    lower_use(L, a, RA_FIXED, RDX);
    x64_mi_rm(L, mi, b);
    return hi;
}
ValueRegs x64_mul_overflow(LowerCtx *L, ClifType t, bool sign, RaVReg a, RaVReg b) {
    RaVReg lo;
    if (t >= CLIF_I32) {
        x64_mul_wide(L, sign ? X64_IMUL1 : X64_MUL, t, a, in(b), &lo);
        return with_flag(L, one(lo), CC_O);
    }
    a = x64_extend_reg(L, CLIF_I32, sign, t, a);
    b = x64_extend_reg(L, CLIF_I32, sign, t, b);
    lo = x64_form_RMR(L, X64_IMUL, CLIF_I32, a, in(b));
    x64_form_CMP(L, X64_CMP, CLIF_I32, x64_extend_reg(L, CLIF_I32, sign, t, lo), in(lo));
    return with_flag(L, one(lo), CC_NE);
}
/* the high half of a product of 8 or 16 bits */
RaVReg x64_mul_hi_narrow(LowerCtx *L, ClifType t, bool sign, RaVReg a, RaVReg b) {
    a = x64_extend_reg(L, CLIF_I32, sign, t, a);
    b = x64_extend_reg(L, CLIF_I32, sign, t, b);
    RaVReg r = x64_form_RMR(L, X64_IMUL, CLIF_I32, a, in(b));
    return x64_form_SHIFT(L, X64_SHR, CLIF_I32, r, x64_imm(L, clif_type_bits(t)));
}
