/* isa/x64/i128.c — integers of 128 bits: two registers, the low one first.
 *
 * Sums and differences carry through the flags, so nothing that writes flags stands between the halves; constants that
 * clear a register are made before. Shifts work on both halves by the count modulo 64, move what crosses from one to
 * the other, and exchange the halves if bit 6 of the count is set: no branch.
 * Ref: cranelift/codegen/src/isa/x64/lower.isle */
#include "isa/x64/rules_in.h"

#define T CLIF_I64
static X64Rm in(RaVReg r) {
    return (X64Rm){.kind = XK_REG, .r = r};
}
static RaVReg op2(LowerCtx *L, X64Op op, RaVReg a, RaVReg b) {
    return x64_form_ALU(L, op, T, a, in(b));
}
static RaVReg zero(LowerCtx *L) {
    return x64_int_const(L, T, 0);
}
static ValueRegs pair(RaVReg lo, RaVReg hi) {
    return (ValueRegs){{lo, hi}, 2};
}
static ValueRegs word(LowerCtx *L, RaVReg lo) { /* a small number */
    return pair(lo, zero(L));
}
static RaVReg shift_imm(LowerCtx *L, X64Op op, RaVReg a, unsigned k) {
    return x64_form_SHIFT(L, op, T, a, x64_imm(L, k));
}

/* The low halves by one row, the high ones by another, which may use its carry. */
ValueRegs x64_halves(LowerCtx *L, uint16_t low, uint16_t high, ValueRegs a, ValueRegs b) {
    RaVReg lo = op2(L, (X64Op)low, a.r[0], b.r[0]);
    return pair(lo, op2(L, (X64Op)high, a.r[1], b.r[1]));
}
ValueRegs x64_neg128(LowerCtx *L, ValueRegs a) {
    RaVReg z = zero(L);
    return x64_halves(L, X64_SUB, X64_SBB, pair(z, z), a);
}
ValueRegs x64_abs128(LowerCtx *L, ValueRegs a) { /* (x ^ s) - s, where s is the sign in all bits */
    RaVReg s = shift_imm(L, X64_SAR, a.r[1], 63);
    ValueRegs m = pair(s, s);
    return x64_halves(L, X64_SUB, X64_SBB, x64_halves(L, X64_XOR, X64_XOR, a, m), m);
}
ValueRegs x64_not128(LowerCtx *L, ValueRegs a) {
    RaVReg lo = x64_form_R1(L, X64_NOT, T, a.r[0]);
    return pair(lo, x64_form_R1(L, X64_NOT, T, a.r[1]));
}
ValueRegs x64_mul128(LowerCtx *L, ValueRegs a, ValueRegs b) {
    RaVReg lo, hi = x64_mul_halves(L, X64_MUL, T, a.r[0], in(b.r[0]), &lo);
    RaVReg x = x64_form_RMR(L, X64_IMUL, T, a.r[0], in(b.r[1]));
    RaVReg y = x64_form_RMR(L, X64_IMUL, T, a.r[1], in(b.r[0]));
    return pair(lo, op2(L, X64_ADD, op2(L, X64_ADD, hi, x), y));
}
ValueRegs x64_bitselect128(LowerCtx *L, ValueRegs m, ValueRegs a, ValueRegs b) {
    ValueRegs x = x64_halves(L, X64_AND, X64_AND, a, m);
    ValueRegs y = x64_halves(L, X64_AND, X64_AND, x64_not128(L, m), b);
    return x64_halves(L, X64_OR, X64_OR, x, y);
}

/* ---- shifts ---- kind as in shift_cl: 4 shl 5 shr 7 sar */
static RaVReg by_reg(LowerCtx *L, X64Op op, RaVReg a, RaVReg n) {
    return x64_form_SHIFT(L, op, T, a, in(n));
}
static ValueRegs shift(LowerCtx *L, unsigned kind, ValueRegs a, RaVReg n) {
    bool left = kind == 4;
    X64Op same = left ? X64_SHL : kind == 5 ? X64_SHR : X64_SAR, back = left ? X64_SHR : X64_SHL;
    RaVReg near = a.r[!left], far = a.r[left]; /* bits move from near to far */
    RaVReg gone = shift_imm(L, back, near, 1);
    gone = by_reg(L, back, gone, x64_form_R1(L, X64_NOT, CLIF_I32, n));
    RaVReg f = op2(L, X64_OR, by_reg(L, left ? X64_SHL : X64_SHR, far, n), gone);
    RaVReg m = by_reg(L, same, near, n);
    RaVReg fill = kind == 7 ? shift_imm(L, X64_SAR, near, 63) : zero(L);
    x64_form_TEST(L, X64_TEST, CLIF_I32, n, x64_imm(L, 64));
    X64Cond swap = x64_cond1(CC_NE);
    f = x64_choose_reg(L, T, swap, m, f);
    m = x64_choose_reg(L, T, swap, fill, m);
    return left ? pair(m, f) : pair(f, m);
}
ValueRegs x64_shift128(LowerCtx *L, uint8_t kind, ValueRegs a, RaVReg n) {
    return shift(L, kind, a, n);
}
/* left: what leaves at the top comes in at the bottom */
ValueRegs x64_rotate128(LowerCtx *L, bool left, ValueRegs a, RaVReg n) {
    RaVReg m = x64_form_R1(L, X64_NEG, CLIF_I32, n);
    ValueRegs x = shift(L, 4, a, left ? n : m), y = shift(L, 5, a, left ? m : n);
    return x64_halves(L, X64_OR, X64_OR, x, y);
}

/* ---- comparisons ---- */
X64Cond x64_nonzero128(LowerCtx *L, ValueRegs a) {
    op2(L, X64_OR, a.r[0], a.r[1]);
    return x64_cond1(CC_NE);
}
X64Cond x64_icmp128(LowerCtx *L, IntCC cc, ValueRegs a, ValueRegs b) {
    if (cc == IntCC_EQ || cc == IntCC_NE) {
        X64Cond c = x64_nonzero128(L, x64_halves(L, X64_XOR, X64_XOR, a, b));
        return cc == IntCC_EQ ? x64_invert(L, c) : c;
    }
    if (cc == IntCC_SGT || cc == IntCC_SLE || cc == IntCC_UGT || cc == IntCC_ULE) {
        ValueRegs s = a;
        a = b;
        b = s;
        cc = (IntCC)clif_intcc_swap((ClifIntCC)cc);
    }
    x64_form_CMP(L, X64_CMP, T, a.r[0], in(b.r[0]));
    op2(L, X64_SBB, a.r[1], b.r[1]);
    return x64_cond1(x64_int_cc(cc));
}
ValueRegs x64_select128(LowerCtx *L, X64Cond c, ValueRegs a, ValueRegs b) {
    RaVReg lo = x64_choose_reg(L, T, c, a.r[0], b.r[0]);
    return pair(lo, x64_choose_reg(L, T, c, a.r[1], b.r[1]));
}

/* ---- bits ---- */
static RaVReg count(LowerCtx *L, bool leading, RaVReg a) {
    if (x64_has(L->set, leading ? X64_HAS_LZCNT : X64_HAS_BMI1))
        return x64_form_RM(L, leading ? X64_LZCNT : X64_TZCNT, T, in(a));
    return x64_count_zeros(L, T, leading, a);
}
/* of the half looked at first, or, if that is zero, 64 more than of the other */
ValueRegs x64_zeros128(LowerCtx *L, bool leading, ValueRegs a) {
    RaVReg first = a.r[leading], n = count(L, leading, first);
    RaVReg m = x64_form_ALU(L, X64_ADD, T, count(L, leading, a.r[!leading]), x64_imm(L, 64));
    RaVReg z = zero(L);
    x64_form_TEST(L, X64_TEST, T, first, in(first));
    return pair(x64_choose_reg(L, T, x64_cond1(CC_NE), n, m), z);
}
ValueRegs x64_cls128(LowerCtx *L, ValueRegs a) {
    RaVReg s = shift_imm(L, X64_SAR, a.r[1], 63);
    ValueRegs n = x64_zeros128(L, true, x64_halves(L, X64_XOR, X64_XOR, a, pair(s, s)));
    return pair(x64_form_ALU(L, X64_SUB, T, n.r[0], x64_imm(L, 1)), n.r[1]);
}
ValueRegs x64_popcnt128(LowerCtx *L, ValueRegs a) {
    RaVReg n[2];
    for (int k = 0; k < 2; k++)
        n[k] = x64_has(L->set, X64_HAS_POPCNT) ? x64_form_RM(L, X64_POPCNT, T, in(a.r[k]))
                                               : x64_popcnt_slow(L, T, a.r[k]);
    return word(L, op2(L, X64_ADD, n[0], n[1]));
}
ValueRegs x64_bswap128(LowerCtx *L, ValueRegs a) {
    RaVReg lo = x64_bswap_reg(L, T, a.r[1]);
    return pair(lo, x64_bswap_reg(L, T, a.r[0]));
}
/* neighbouring bits, pairs, nibbles change places, then bytes */
RaVReg x64_bitrev_reg(LowerCtx *L, ClifType t, RaVReg a) {
    uint64_t all = t == CLIF_I64 ? UINT64_MAX : UINT32_MAX;
    static const uint8_t part[] = {3, 5, 17};
    for (unsigned k = 0; k < 3; k++) {
        RaVReg m = x64_int_const(L, t, all / part[k]);
        RaVReg hi = x64_form_SHIFT(L, X64_SHR, t, a, x64_imm(L, 1 << k));
        hi = x64_form_ALU(L, X64_AND, t, hi, in(m));
        RaVReg lo = x64_form_ALU(L, X64_AND, t, a, in(m));
        lo = x64_form_SHIFT(L, X64_SHL, t, lo, x64_imm(L, 1 << k));
        a = x64_form_ALU(L, X64_OR, t, lo, in(hi));
    }
    return x64_bswap_reg(L, t, a);
}
ValueRegs x64_bitrev128(LowerCtx *L, ValueRegs a) {
    RaVReg lo = x64_bitrev_reg(L, T, a.r[1]);
    return pair(lo, x64_bitrev_reg(L, T, a.r[0]));
}

/* ---- widths, halves ---- */
ValueRegs x64_extend128(LowerCtx *L, bool sign, RaVReg lo) { /* lo: all 64 bits right */
    return sign ? pair(lo, shift_imm(L, X64_SAR, lo, 63)) : word(L, lo);
}
ValueRegs x64_twice(LowerCtx *L, RaVReg r) {
    return (void)L, pair(r, r);
}
ValueRegs x64_concat(LowerCtx *L, RaVReg lo, RaVReg hi) {
    return (void)L, pair(lo, hi);
}
ValueRegs x64_split(LowerCtx *L, ValueRegs a) {
    L->second = (ValueRegs){{a.r[1], RA_VREG_NONE}, 1};
    return (ValueRegs){{a.r[0], RA_VREG_NONE}, 1};
}

/* ---- memory ---- the second half follows, unless the displacement ends */
static X64Rm upper(LowerCtx *L, X64Rm *m) {
    if (m->disp > INT32_MAX - 8)
        *m = (X64Rm){
            .kind = XK_MEM, .mode = XM_BASE, .trap = m->trap, .r = x64_form_RM(L, X64_LEA, T, *m)};
    X64Rm u = *m;
    u.disp += 8;
    return u;
}
ValueRegs x64_load128(LowerCtx *L, X64Rm m) {
    X64Rm u = upper(L, &m);
    RaVReg lo = x64_form_RM(L, X64_MOV, T, m);
    return pair(lo, x64_form_RM(L, X64_MOV, T, u));
}
Unit x64_store128(LowerCtx *L, X64Rm m, ValueRegs a) {
    X64Rm u = upper(L, &m);
    x64_store(L, X64_STORE, 3, m, in(a.r[0]));
    x64_store(L, X64_STORE, 3, u, in(a.r[1]));
    return 0;
}

/* ---- to and from vector registers ---- */
RaVReg x64_to_vector(LowerCtx *L, ValueRegs a) {
    RaVReg lo = x64_form_RM(L, X64_MOVD, T, in(a.r[0])),
           hi = x64_form_RM(L, X64_MOVD, T, in(a.r[1]));
    return x64_form_RMR(L, X64_PUNPCKLQDQ, CLIF_I8X16, lo, in(hi));
}
ValueRegs x64_from_vector(LowerCtx *L, RaVReg v) {
    RaVReg lo = x64_form_MVX(L, X64_MOVD_R, T, v);
    RaVReg hi = x64_form_RMI(L, X64_PSHUFD, CLIF_I8X16, in(v), 0xEE);
    return pair(lo, x64_form_MVX(L, X64_MOVD_R, T, hi));
}
