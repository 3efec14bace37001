/* isa/x64/lower.c — what rules cannot say well: addressing modes, flags, multi-instruction sequences, branches.
 *
 * Flags live only between the instruction that sets them and the next ones of the same sequence; nothing that
 * writes flags (a zeroing xor, say) may be emitted in between, and the allocator's moves never write them. */
#include "isa/x64/rules_in.h"
#include "isa/x64/rules.h"

MachInst *x64_rm_inst(LowerCtx *L, X64Op op, unsigned size, RaVReg dst, X64Rm m) {
    MachInst *mi = x64_begin(L, op, size);
    lower_def(L, dst, RA_REG, 0);
    x64_mi_rm(L, mi, m);
    return mi;
}

MachInst *x64_store(LowerCtx *L, X64Op op, unsigned size, X64Rm mem, X64Rm data) {
    MachInst *mi = x64_begin(L, op, size);
    if (data.kind == XK_IMM) {
        mi->b[5] = XK_IMM;
        mi->imm = (uint64_t)data.imm;
    } else {
        lower_use(L, data.r, RA_REG, 0);
    }
    x64_mi_rm(L, mi, mem);
    return mi;
}

void x64_lower_copy(LowerCtx *L, RaVReg dst, RaVReg src, ClifType t) {
    x64_begin(L, x64_is_float(t) ? X64_MOVAPS : X64_MOV, 3);
    lower_set_flags(L, RA_INST_MOVE);
    lower_def(L, dst, RA_REG, 0);
    lower_use(L, src, RA_REG, 0);
}

void x64_lower_jump(LowerCtx *L, MachLabel target) {
    lower_begin(L, X64_JMP)->aux = target;
    lower_set_flags(L, RA_INST_BRANCH);
}

int x64_transparent(const ClifFunc *f, ClifInst i) {
    const ClifInstData *d = clif_data(f, i);
    if (d->op == CLIF_OP_UEXTEND && d->type <= CLIF_I64) { /* I32Z; a comparison's 0 or 1 */
        const ClifValueData *v = &f->values.p[d->a];
        if (v->type == CLIF_I32) return 0;
        unsigned from = v->kind == CLIF_VAL_INST ? f->insts.p[v->ref].op : CLIF_OP_INVALID;
        return from == CLIF_OP_ICMP || from == CLIF_OP_FCMP ? 0 : -1;
    }
    if (d->op == CLIF_OP_IREDUCE)
        return d->type != CLIF_I32 ? 0 : -1; /* of i128: the low register */
    if (d->op == CLIF_OP_BITCAST) {
        ClifType from = clif_value_type(f, (ClifValue){d->a});
        return x64_is_float(from) == x64_is_float(d->type) &&
                       !(clif_memflags(f, d->aux).bits & CLIF_MEM_BIG && /* lanes trade places */
                         clif_type_lanes(from) != clif_type_lanes(d->type)) &&
                       clif_type_bits(from) == clif_type_bits(d->type)
                   ? 0
                   : -1;
    }
    return -1;
}

/* ---- operands ---- */
static ClifOp def_op(LowerCtx *L, ClifValue v, const ClifInstData **d) {
    ClifInst i = lower_def_inst(L, v);
    if (i.i == CLIF_NONE) return CLIF_OP_INVALID;
    *d = clif_data(L->f, i);
    return (ClifOp)(*d)->op;
}

X64Rm x64_amode(LowerCtx *L, uint16_t flags, ClifValue a, int32_t off) {
    X64Rm m = {.kind = XK_MEM, .mode = XM_BASE, .trap = clif_memflags(L->f, flags).trap};
    if (clif_memflags(L->f, flags).bits & CLIF_MEM_BIG)
        lower_unsupported(L, (ClifInst){L->cur_inst}, "big-endian access");
    const ClifInstData *d = NULL;
    int64_t disp = off, k;
    ClifOp op;
    while ((op = def_op(L, a, &d)) == CLIF_OP_IADD) { /* constant parts into the displacement */
        if (x64_simm32(L, isle_v(d->b), &k) && disp + k == (int32_t)(disp + k))
            a = isle_v(d->a);
        else if (x64_simm32(L, isle_v(d->a), &k) && disp + k == (int32_t)(disp + k))
            a = isle_v(d->b);
        else
            break;
        disp += k;
    }
    m.disp = (int32_t)disp;
    if (op == CLIF_OP_STACK_ADDR &&
        (int64_t)m.disp + (int32_t)d->b == (int32_t)(m.disp + (int64_t)(int32_t)d->b)) {
        m.mode = XM_SLOT;
        m.aux = d->a;
        m.disp += (int32_t)d->b;
        return m;
    }
    if (op != CLIF_OP_IADD) {
        m.r = lower_value_reg(L, a);
        return m;
    }
    ClifValue base = isle_v(d->a), idx = isle_v(d->b);
    const ClifInstData *s = NULL;
    uint64_t sh;
    if (def_op(L, base, &s) == CLIF_OP_ISHL && isle_iconst_u(L, isle_v(s->b), &sh) && sh <= 3) {
        ClifValue t = base;
        base = idx;
        idx = t;
    }
    if (def_op(L, idx, &s) == CLIF_OP_ISHL && isle_iconst_u(L, isle_v(s->b), &sh) && sh <= 3) {
        m.scale = (uint8_t)sh;
        idx = isle_v(s->a);
    }
    m.mode = XM_INDEX;
    m.r = lower_value_reg(L, base);
    m.idx = lower_value_reg(L, idx);
    return m;
}

/* What v is before its shape was changed, unless v is needed elsewhere: memory has no shape. */
static inline ClifValue unshaped(const LowerCtx *L, ClifValue v) {
    while (clif_type_is_vector(clif_value_type(L->f, v)) && L->value_uses.p[v.i] == 1) {
        ClifInst i = lower_def_inst(L, v);
        if (i.i == CLIF_NONE || clif_data(L->f, i)->op != CLIF_OP_BITCAST ||
            x64_transparent(L->f, i) != 0)
            break;
        v = isle_v(clif_data(L->f, i)->a);
    }
    return v;
}

bool x64_sinkable(LowerCtx *L, ClifValue v) {
    v = unshaped(L, v);
    ClifInst i = lower_def_inst(L, v);
    if (i.i == CLIF_NONE || clif_data(L->f, i)->op != CLIF_OP_LOAD) return false;
    ClifType t = clif_value_type(L->f, v);
    bool whole =
        t == CLIF_I32 || t == CLIF_I64 || t == CLIF_F32 || t == CLIF_F64 ||
        (clif_type_is_vector(t) && clif_type_bits(t) == 128 && x64_has(L->set, X64_HAS_AVX));
    return whole && lower_can_sink(L, i);
}

X64Rm x64_rm(LowerCtx *L, ClifValue shaped) {
    const ClifInstData *k = NULL;
    ClifValue v = unshaped(L, shaped);
    ClifOp op = def_op(L, v, &k);
    if (op == CLIF_OP_F32CONST && clif_imm64(k)) return x64_const32(L, clif_imm64(k));
    if (op == CLIF_OP_F64CONST && clif_imm64(k)) return x64_const64(L, clif_imm64(k));
    if (op == CLIF_OP_VCONST && clif_type_bits(k->type) == 128) {
        uint64_t b[2];
        memcpy(b, L->f->bytes.p + L->f->consts.p[k->a].first, 16);
        return x64_const128(L, b[0], b[1]);
    }
    if (op == CLIF_OP_LOAD && x64_sinkable(L, v)) {
        ClifInst i = lower_def_inst(L, v);
        const ClifInstData *d = clif_data(L->f, i);
        lower_sink(L, i);
        return x64_amode(L, d->aux, isle_v(d->a), (int32_t)d->b);
    }
    return x64_reg_rm(L, lower_value_reg(L, shaped));
}

X64Rm x64_rmi(LowerCtx *L, ClifValue v) {
    int64_t k;
    if (x64_simm32(L, v, &k)) return x64_imm(L, k);
    return x64_rm(L, v);
}

X64Rm x64_const128(LowerCtx *L, uint64_t lo, uint64_t hi) {
    uint64_t b[2] = {lo, hi};
    return x64_pool(lower_const(L, b, 16));
}

/* ---- flags ---- */
uint8_t x64_int_cc(IntCC cc) {
    static const uint8_t t[] = {CC_E, CC_NE, CC_L, CC_GE, CC_G, CC_LE, CC_B, CC_AE, CC_A, CC_BE};
    return t[cc];
}

/* The value as the memory operand of a comparison with k, if it is a load that can move here and whose own width
 * suffices: *size is the width; *cc becomes unsigned when the load extends with zeros. */
static bool cmp_memory(LowerCtx *L, ClifValue v, int64_t k, unsigned *size, IntCC *cc, X64Rm *m) {
    const ClifInstData *d = NULL;
    unsigned narrow;
    switch ((unsigned)def_op(L, v, &d)) {
    case CLIF_OP_LOAD:
        if (!x64_sinkable(L, v)) return false;
        *m = x64_rm(L, v);
        return true;
    case CLIF_OP_ULOAD8:
        if (k < 0 || k > 255) return false;
        narrow = 0;
        break;
    case CLIF_OP_ULOAD16:
        if (k < 0 || k > 127) return false; /* a 16-bit immediate is slow to decode */
        narrow = 1;
        break;
    default: return false;
    }
    ClifInst load = lower_def_inst(L, v);
    if (!lower_can_sink(L, load)) return false;
    static const uint8_t to_unsigned[] = {CLIF_EQ,  CLIF_NE,  CLIF_ULT, CLIF_UGE, CLIF_UGT,
                                          CLIF_ULE, CLIF_ULT, CLIF_UGE, CLIF_UGT, CLIF_ULE};
    *cc = to_unsigned[*cc];
    *size = narrow;
    lower_sink(L, load);
    *m = x64_amode(L, d->aux, isle_v(d->a), (int32_t)d->b);
    return true;
}

static void cmp_imm(LowerCtx *L, X64Op op, unsigned size, X64Rm a, int64_t k) {
    MachInst *mi = x64_begin(L, op, size);
    mi->b[5] = XK_IMM;
    x64_mi_rm(L, mi, a);
    mi->imm = (uint64_t)k;
}

/* (a & b) != 0. A bit taken out by a shift is tested in place. */
X64Cond x64_test_flags(LowerCtx *L, ClifValue a, ClifValue b) {
    int64_t k;
    uint64_t sh;
    if (x64_simm32(L, a, &k)) {
        ClifValue s = a;
        a = b;
        b = s;
    }
    ClifType t = clif_value_type(L->f, a);
    unsigned size = x64_size(t);
    if (!x64_simm32(L, b, &k)) {
        if (x64_sinkable(L, a)) {
            ClifValue s = a;
            a = b;
            b = s;
        }
        RaVReg r = lower_value_reg(L, a);
        x64_form_TEST(L, X64_TEST, t, r, x64_rm(L, b));
        return x64_cond1(CC_NE);
    }
    const ClifInstData *d = NULL;
    if (def_op(L, a, &d) == CLIF_OP_USHR && size >= 2) {
        if (isle_iconst_u(L, isle_v(d->b), &sh)) {
            sh &= clif_type_bits(t) - 1;
            if (sh < 31 && k > 0 && k <= INT32_MAX >> sh) {
                cmp_imm(L, X64_TEST, size, x64_reg_rm(L, lower_value_reg(L, isle_v(d->a))),
                        k << sh);
                return x64_cond1(CC_NE);
            }
        } else if (k == 1) {
            RaVReg n = lower_value_reg(L, isle_v(d->b)), x = lower_value_reg(L, isle_v(d->a));
            x64_begin(L, X64_BT, size)->b[2] = XK_REG;
            lower_use(L, n, RA_REG, 0);
            lower_use(L, x, RA_REG, 0);
            return x64_cond1(CC_B);
        }
    }
    X64Rm m;
    IntCC cc = CLIF_NE;
    if (!cmp_memory(L, a, k, &size, &cc, &m)) m = x64_reg_rm(L, lower_value_reg(L, a));
    cmp_imm(L, X64_TEST, size, m, k);
    return x64_cond1(CC_NE);
}

/* Flags of v, of which only those for zero and sign are used. */
X64Cond x64_nonzero_flags(LowerCtx *L, ClifValue v) {
    unsigned size = x64_size(clif_value_type(L->f, v));
    X64Rm m;
    IntCC cc = CLIF_NE;
    if (cmp_memory(L, v, 0, &size, &cc, &m)) {
        cmp_imm(L, X64_CMP, size, m, 0);
        return x64_cond1(CC_NE);
    }
    RaVReg r = lower_value_reg(L, v);
    x64_begin(L, X64_TEST, size)->b[1] = 1;
    lower_use(L, r, RA_REG, 0);
    lower_use(L, r, RA_REG, 0);
    return x64_cond1(CC_NE);
}

X64Cond x64_icmp_flags(LowerCtx *L, IntCC cc, ClifValue a, ClifValue b) {
    ClifType t = clif_value_type(L->f, a);
    int64_t k;
    if (x64_simm32(L, a, &k) || (x64_sinkable(L, a) && !x64_simm32(L, b, &k))) {
        ClifValue s = a;
        a = b;
        b = s;
        cc = (IntCC)clif_intcc_swap((ClifIntCC)cc);
    }
    if (!x64_simm32(L, b, &k)) {
        RaVReg r = lower_value_reg(L, a);
        x64_form_CMP(L, X64_CMP, t, r, x64_rm(L, b));
        return x64_cond1(x64_int_cc(cc));
    }
    const ClifInstData *d = NULL;
    if (k == 0 && (cc == CLIF_EQ || cc == CLIF_NE)) {
        X64Cond c = def_op(L, a, &d) == CLIF_OP_BAND && (t == CLIF_I32 || t == CLIF_I64)
                        ? x64_test_flags(L, isle_v(d->a), isle_v(d->b))
                        : x64_nonzero_flags(L, a);
        return cc == CLIF_EQ ? x64_invert(L, c) : c;
    }
    X64Rm m;
    unsigned size = x64_size(t);
    if (cmp_memory(L, a, k, &size, &cc, &m)) {
        cmp_imm(L, X64_CMP, size, m, k);
    } else if (k == 0 && (cc == CLIF_SLT || cc == CLIF_SGE)) {
        x64_nonzero_flags(L, a);
        return x64_cond1(cc == CLIF_SLT ? CC_S : CC_NS);
    } else if (k == 0) {
        RaVReg r = lower_value_reg(L, a);
        x64_form_TEST(L, X64_TEST, t, r, x64_reg_rm(L, r));
    } else {
        cmp_imm(L, X64_CMP, size, x64_reg_rm(L, lower_value_reg(L, a)), k);
    }
    return x64_cond1(x64_int_cc(cc));
}

X64Cond x64_fcmp_flags(LowerCtx *L, FloatCC cc, ClifValue a, ClifValue b) {
    static const struct {
        uint8_t swap, kind, cc, cc2;
    } t[] = {
        [CLIF_FORD] = {0, COND_ONE, CC_NP, 0},   [CLIF_FUNO] = {0, COND_ONE, CC_P, 0},
        [CLIF_FEQ] = {0, COND_AND, CC_NP, CC_E}, [CLIF_FNE] = {0, COND_OR, CC_P, CC_NE},
        [CLIF_FONE] = {0, COND_ONE, CC_NE, 0},   [CLIF_FUEQ] = {0, COND_ONE, CC_E, 0},
        [CLIF_FLT] = {1, COND_ONE, CC_A, 0},     [CLIF_FLE] = {1, COND_ONE, CC_AE, 0},
        [CLIF_FGT] = {0, COND_ONE, CC_A, 0},     [CLIF_FGE] = {0, COND_ONE, CC_AE, 0},
        [CLIF_FULT] = {0, COND_ONE, CC_B, 0},    [CLIF_FULE] = {0, COND_ONE, CC_BE, 0},
        [CLIF_FUGT] = {1, COND_ONE, CC_B, 0},    [CLIF_FUGE] = {1, COND_ONE, CC_BE, 0},
    };
    ClifValue x = t[cc].swap ? b : a, y = t[cc].swap ? a : b;
    RaVReg r = lower_value_reg(L, x);
    x64_form_UU(L, X64_UCOMIS, clif_value_type(L->f, a), r, x64_rm(L, y));
    return (X64Cond){t[cc].kind, t[cc].cc, t[cc].cc2};
}

X64Cond x64_invert(LowerCtx *L, X64Cond c) {
    (void)L;
    static const uint8_t kind[] = {
        [COND_ONE] = COND_ONE, [COND_OR] = COND_AND, [COND_AND] = COND_OR};
    return (X64Cond){kind[c.kind], c.cc ^ 1, c.cc2 ^ 1};
}

/* i8 0 or 1, zero up to bit 31 */
RaVReg x64_cond_reg(LowerCtx *L, X64Cond c) {
    RaVReg a = x64_form_SETCC(L, X64_SETCC, c.cc);
    if (c.kind != COND_ONE) {
        RaVReg b = x64_form_SETCC(L, X64_SETCC, c.cc2);
        a = x64_form_ALU(L, c.kind == COND_OR ? X64_OR : X64_AND, CLIF_I32, a, x64_reg_rm(L, b));
    }
    return x64_form_RM(L, X64_MOVZX8, CLIF_I32, x64_reg_rm(L, a));
}

static RaVReg cmov_op(LowerCtx *L, X64Op op, ClifType t, unsigned cc, RaVReg yes, RaVReg no) {
    RaVReg d = lower_new_vreg(L, x64_is_float(t) ? t : CLIF_I64);
    MachInst *mi = x64_begin(L, op, x64_wide(t));
    mi->b[1] = (uint8_t)cc;
    lower_def(L, d, RA_REUSE, 1);
    lower_use(L, no, RA_REG, 0);
    lower_use(L, yes, op == X64_CMOV ? RA_ANY : RA_REG, 0);
    return d;
}
RaVReg x64_choose_reg(LowerCtx *L, ClifType t, X64Cond c, RaVReg yes, RaVReg no) {
    X64Op op = x64_is_float(t) ? X64_XCMOV : X64_CMOV;
    if (c.kind == COND_AND) { /* = no if either fails */
        c = x64_invert(L, c);
        RaVReg s = yes;
        yes = no;
        no = s;
    }
    RaVReg r = cmov_op(L, op, t, c.cc, yes, no);
    return c.kind == COND_ONE ? r : cmov_op(L, op, t, c.cc2, yes, r);
}
/* c ? x : y. The register overwritten is, if possible, one that is free afterwards. */
RaVReg x64_select(LowerCtx *L, ClifType t, X64Cond c, ClifValue x, ClifValue y) {
    bool swap = c.kind == COND_ONE && !lower_dies_here(L, y) && lower_dies_here(L, x);
    RaVReg yes = lower_value_reg(L, x), no = lower_value_reg(L, y);
    if (swap) return x64_choose_reg(L, t, x64_invert(L, c), no, yes);
    return x64_choose_reg(L, t, c, yes, no);
}
RaVReg x64_cmov_sign(LowerCtx *L, ClifType t, RaVReg a, RaVReg b) {
    return cmov_op(L, X64_CMOV, t, CC_S, b, a);
}

/* c ? x : y where c is x < y, or y > x, or the other way round: an instruction that gives its second operand when neither is
 * larger. Types of 128 bits: c is a mask. */
bool x64_min_or_max(LowerCtx *L, ClifType t, ClifValue c, ClifValue x, ClifValue y, uint16_t *row) {
    const ClifInstData *d = NULL;
    ClifOp op = def_op(L, c, &d);
    if (op == CLIF_OP_UEXTEND || op == CLIF_OP_BITCAST) op = def_op(L, isle_v(d->a), &d);
    if (op != CLIF_OP_FCMP || clif_value_type(L->f, isle_v(d->a)) != t) return false;
    bool same = d->a == x.i && d->b == y.i, turned = d->a == y.i && d->b == x.i,
         v = clif_type_is_vector(t);
    if (!(same || turned) || (d->aux != CLIF_FLT && d->aux != CLIF_FGT)) return false;
    bool min = same == (d->aux == CLIF_FLT);
    *row = v ? min ? X64_MINP : X64_MAXP : min ? X64_MINS : X64_MAXS;
    return true;
}

Unit x64_trap_if(LowerCtx *L, X64Cond c, uint8_t code) {
    MachInst *mi = lower_begin(L, X64_TRAPIF);
    mi->aux = code;
    mi->b[1] = c.cc;
    mi->b[4] = c.cc2;
    mi->b[5] = c.kind;
    return 0;
}
Unit x64_trap_always(LowerCtx *L, uint8_t code) {
    lower_begin(L, X64_TRAP)->aux = code;
    lower_set_flags(L, RA_INST_RET);
    return 0;
}

/* ---- sequences ---- */
static RaVReg special(LowerCtx *L, X64Op op, unsigned size,
                      ClifType t) { /* begins op with a result */
    RaVReg d = lower_new_vreg(L, t);
    x64_begin(L, op, size);
    lower_def(L, d, RA_REG, 0);
    return d;
}
static MachInst *last(LowerCtx *L) {
    return &vec_last(&L->buf.insts);
}

RaVReg x64_int_const(LowerCtx *L, ClifType t, uint64_t k) {
    unsigned bits = clif_type_bits(t);
    if (bits < 64) k &= ((uint64_t)1 << bits) - 1;
    if (k == 0) return special(L, X64_ZERO, 2, CLIF_I64);
    return x64_form_MOVI(L, X64_MOVI, CLIF_I64, k);
}
RaVReg x64_float_zero(LowerCtx *L) {
    return special(L, X64_XZERO, 2, CLIF_F64);
}

RaVReg x64_extend_reg(LowerCtx *L, ClifType t, bool sign, ClifType from, RaVReg r) {
    X64Op op = from == CLIF_I8 ? sign ? X64_MOVSX8 : X64_MOVZX8 : sign ? X64_MOVSX16 : X64_MOVZX16;
    return x64_form_RM(L, op, sign ? t : CLIF_I32, x64_reg_rm(L, r));
}
RaVReg x64_extend(LowerCtx *L, ClifType t, bool sign, ClifValue v) {
    return x64_extend_reg(L, t, sign, clif_value_type(L->f, v), lower_value_reg(L, v));
}

static RaVReg lea(LowerCtx *L, ClifType t, X64Rm m) {
    m.kind = XK_MEM;
    return x64_form_RM(L, X64_LEA, t, m);
}

/* Does x64_rm make a memory operand of it? */
static bool from_memory(LowerCtx *L, ClifValue v) {
    const ClifInstData *d = NULL;
    ClifOp op = def_op(L, unshaped(L, v), &d);
    if (op == CLIF_OP_F32CONST || op == CLIF_OP_F64CONST) return clif_imm64(d) != 0;
    return op == CLIF_OP_VCONST || x64_sinkable(L, v);
}

/* Of two that are not needed any more: the one whose register the result would rather have, as it came around a loop or was
 * computed, not loaded. */
static bool is_running(LowerCtx *L, ClifValue v) {
    const ClifInstData *d = NULL;
    const ClifValueData *vd = &L->f->values.p[v.i];
    if (vd->kind != CLIF_VAL_INST) return vd->ref == L->cur_block;
    return !(clif_op_info[def_op(L, v, &d)].flags & CLIF_OPF_CAN_LOAD);
}

/* Orders the operands of a commutative operation: constants second; first, and overwritten, the one that is not needed any
 * more; then what is in memory second. A load beside a value that lives on is overwritten, as copying that value would cost as much as
 * loading. */
static void order_operands(LowerCtx *L, ClifType t, bool overwrites, ClifValue *a, ClifValue *b) {
    int64_t k;
    if (x64_simm32(L, *b, &k)) return;
    bool swap = x64_simm32(L, *a, &k);
    if (!swap && t >= CLIF_I32) {
        bool dies_b = lower_dies_here(L, *b);
        if (overwrites && lower_dies_here(L, *a) != dies_b)
            swap = dies_b;
        else if (from_memory(L, *a) != from_memory(L, *b))
            swap = from_memory(L, *a);
        else
            swap = overwrites && dies_b && is_running(L, *b) && !is_running(L, *a);
    }
    if (!swap) return;
    ClifValue s = *a;
    *a = *b;
    *b = s;
}

RaVReg x64_commutative(LowerCtx *L, uint16_t row, ClifType t, ClifValue a, ClifValue b) {
    bool vex = x64_row_flags(L->set, (X64Op)row) & (XF_VEX | XF_EVEX);
    order_operands(L, t, !vex, &a, &b);
    RaVReg r = lower_value_reg(L, a);
    if (x64_rows[row].form == F_RMR) return x64_form_RMR(L, (X64Op)row, t, r, x64_rm(L, b));
    return x64_form_ALU(L, (X64Op)row, t, r, x64_rmi(L, b));
}

/* The sum that v is, if nobody else wants v and it is of this block: it can be added to in one instruction. */
static const ClifInstData *own_sum(LowerCtx *L, ClifValue v) {
    ClifInst i = lower_def_inst(L, v);
    if (i.i == CLIF_NONE || L->value_uses.p[v.i] != 1 || lower_is_used(L, v) ||
        L->f->links.p[i.i].block != L->cur_block)
        return NULL;
    const ClifInstData *d = clif_data(L->f, i);
    return d->op == CLIF_OP_IADD ? d : NULL;
}

/* base + idx + disp; one of them may be shifted. */
static RaVReg lea_sum(LowerCtx *L, ClifType t, ClifValue base, ClifValue idx, int32_t disp) {
    X64Rm m = {.mode = XM_INDEX, .disp = disp};
    const ClifInstData *d = NULL;
    for (int swap = 0; swap < 2; swap++) {
        uint64_t sh;
        if (def_op(L, idx, &d) == CLIF_OP_ISHL && isle_iconst_u(L, isle_v(d->b), &sh) && sh <= 3) {
            m.scale = (uint8_t)sh;
            idx = isle_v(d->a);
            break;
        }
        ClifValue v = base;
        base = idx;
        idx = v;
    }
    m.r = lower_value_reg(L, base);
    m.idx = lower_value_reg(L, idx);
    return lea(L, t, m);
}

RaVReg x64_add_imm(LowerCtx *L, ClifType t, ClifValue a, int64_t k) {
    if (t != CLIF_I64 && t != CLIF_I32)
        return x64_form_ALU(L, X64_ADD, t, lower_value_reg(L, a), x64_imm(L, k));
    const ClifInstData *d = own_sum(L, a);
    int64_t more;
    if (d && !x64_simm32(L, isle_v(d->a), &more) && !x64_simm32(L, isle_v(d->b), &more))
        return lea_sum(L, t, isle_v(d->a), isle_v(d->b), (int32_t)k);
    return lea(L, t, (X64Rm){.mode = XM_BASE, .r = lower_value_reg(L, a), .disp = (int32_t)k});
}

/* lea where it saves a copy or another addition: it becomes an add at emission if its result lands in one of its operands. */
RaVReg x64_add_values(LowerCtx *L, ClifType t, ClifValue a, ClifValue b) {
    int64_t k;
    const ClifInstData *d = NULL;
    order_operands(L, t, true, &a, &b);
    if (x64_simm32(L, b, &k)) return x64_add_imm(L, t, a, k);
    if (t < CLIF_I32 || x64_sinkable(L, b)) {
        RaVReg r = lower_value_reg(L, a);
        return x64_form_ALU(L, X64_ADD, t, r, x64_rm(L, b));
    }
    for (int swap = 0; swap < 2; swap++) {
        ClifValue v = swap ? b : a;
        if ((d = own_sum(L, v)) && x64_simm32(L, isle_v(d->b), &k))
            return lea_sum(L, t, isle_v(d->a), swap ? a : b, (int32_t)k);
    }
    uint64_t sh;
    bool shifted = false;
    for (int swap = 0; swap < 2; swap++)
        shifted |= def_op(L, swap ? a : b, &d) == CLIF_OP_ISHL &&
                   isle_iconst_u(L, isle_v(d->b), &sh) && sh <= 3;
    if (shifted || lower_dies_here(L, a) == lower_dies_here(L, b)) return lea_sum(L, t, a, b, 0);
    RaVReg r = lower_value_reg(L, a);
    return x64_form_ALU(L, X64_ADD, t, r, x64_rm(L, b));
}

RaVReg x64_shl_imm(LowerCtx *L, ClifType t, ClifValue a, int64_t k) {
    bool dies = lower_dies_here(L, a);
    RaVReg r = lower_value_reg(L, a);
    if (k == 1 && t >= CLIF_I32 && !dies)
        return lea(L, t, (X64Rm){.mode = XM_INDEX, .r = r, .idx = r});
    return x64_form_SHIFT(L, X64_SHL, t, r, x64_imm(L, k));
}

RaVReg x64_sign_extend(LowerCtx *L, ClifType t, ClifType from, RaVReg r) {
    return from == CLIF_I32 ? x64_form_RM(L, X64_MOVSXD, t, x64_reg_rm(L, r))
                            : x64_extend_reg(L, t, true, from, r);
}

/* ---- stores ---- */
/* A store of `load op y` to the address of that load: op y, memory. */
static bool store_rmw(LowerCtx *L, unsigned size, ClifValue x, ClifValue a, int32_t off) {
    static const struct {
        uint8_t op, row, commutes;
    } rows[] = {{CLIF_OP_IADD, X64_ADD_M, 1},
                {CLIF_OP_ISUB, X64_SUB_M, 0},
                {CLIF_OP_BAND, X64_AND_M, 1},
                {CLIF_OP_BOR, X64_OR_M, 1},
                {CLIF_OP_BXOR, X64_XOR_M, 1}};
    static const uint8_t loads[4][3] = {{CLIF_OP_ULOAD8, CLIF_OP_SLOAD8, CLIF_OP_LOAD},
                                        {CLIF_OP_ULOAD16, CLIF_OP_SLOAD16, CLIF_OP_LOAD},
                                        {CLIF_OP_ULOAD32, CLIF_OP_SLOAD32, CLIF_OP_LOAD},
                                        {CLIF_OP_LOAD, CLIF_OP_LOAD, CLIF_OP_LOAD}};
    const ClifInstData *d = NULL, *ld = NULL;
    ClifOp op = def_op(L, x, &d);
    unsigned r = 0;
    while (r < 5 && rows[r].op != op) r++;
    if (r == 5 || L->value_uses.p[x.i] != 1 || lower_is_used(L, x)) return false;
    for (int swap = 0; swap <= rows[r].commutes; swap++) {
        ClifValue v = isle_v(swap ? d->b : d->a), y = isle_v(swap ? d->a : d->b);
        unsigned lop = (unsigned)def_op(L, v, &ld);
        if (lop != loads[size][0] && lop != loads[size][1] && lop != loads[size][2]) continue;
        if (lop == CLIF_OP_LOAD && x64_size(clif_value_type(L->f, v)) != size) continue;
        ClifInst load = lower_def_inst(L, v);
        if (ld->a != a.i || (int32_t)ld->b != off || y.i == v.i || !lower_can_sink(L, load))
            continue;
        lower_sink(L, load);
        int64_t k;
        X64Rm m = x64_amode(L, ld->aux, a, off);
        x64_store(L, rows[r].row, size, m,
                  x64_simm32(L, y, &k) ? x64_imm(L, k) : x64_reg_rm(L, lower_value_reg(L, y)));
        return true;
    }
    return false;
}

Unit x64_store_value(LowerCtx *L, ClifType t, uint16_t flags, ClifValue x, ClifValue a,
                     int32_t off) {
    unsigned size = x64_size(t);
    const ClifInstData *d = NULL;
    ClifOp op = def_op(L, x, &d);
    int64_t k;
    bool imm = x64_simm32(L, x, &k);
    if (op == CLIF_OP_F32CONST || op == CLIF_OP_F64CONST) {
        k = op == CLIF_OP_F32CONST ? (int32_t)clif_imm64(d) : (int64_t)clif_imm64(d);
        imm = k == (int32_t)k;
    }
    if (imm) {
        x64_store(L, X64_STORE, size, x64_amode(L, flags, a, off), x64_imm(L, k));
    } else if (x64_is_float(t)) {
        X64Rm m = x64_amode(L, flags, a, off);
        x64_store(L, X64_MOVS_ST, size, m, x64_reg_rm(L, lower_value_reg(L, x)));
    } else if (!store_rmw(L, size, x, a, off)) {
        X64Rm m = x64_amode(L, flags, a, off);
        x64_store(L, X64_STORE, size, m, x64_reg_rm(L, lower_value_reg(L, x)));
    }
    return 0;
}

/* An exchange is a store with a full fence. */
Unit x64_store_fence(LowerCtx *L, ClifType t, uint16_t flags, ClifValue x, ClifValue a) {
    X64Rm m = x64_amode(L, flags, a, 0);
    RaVReg r = lower_value_reg(L, x), old = lower_new_vreg(L, CLIF_I64);
    MachInst *mi = x64_begin(L, X64_XCHG, x64_size(t));
    lower_def(L, old, RA_REUSE, 1);
    lower_use(L, r, RA_REG, 0);
    x64_mi_rm(L, mi, m);
    return 0;
}

RaVReg x64_mul_imm(LowerCtx *L, ClifType t, ClifValue a, int64_t k) {
    if (k == 3 || k == 5 || k == 9) {
        RaVReg r = lower_value_reg(L, a);
        return lea(L, t,
                   (X64Rm){.mode = XM_INDEX,
                           .scale = k == 3   ? 1
                                    : k == 5 ? 2
                                             : 3,
                           .r = r,
                           .idx = r});
    }
    return x64_form_RMI(L, X64_IMUL3, t, x64_rm(L, a), k);
}

RaVReg x64_mul_hi(LowerCtx *L, ClifType t, bool sign, RaVReg a, X64Rm b) {
    RaVReg lo;
    return x64_mul_halves(L, sign ? X64_IMUL1 : X64_MUL, t, a, b, &lo);
}

RaVReg x64_divrem_values(LowerCtx *L, ClifType t, uint8_t kind, ClifValue a, ClifValue b) {
    int64_t k;
    RaVReg res;
    if (isle_iconst_s(L, b, &k) && x64_div_const(L, t, kind, a, k, &res)) return res;
    RaVReg n = lower_value_reg(L, a), d = lower_value_reg(L, b);
    if (t <= CLIF_I16) {
        n = x64_extend_reg(L, CLIF_I32, kind & 1, t, n);
        d = x64_extend_reg(L, CLIF_I32, kind & 1, t, d);
    }
    if (isle_iconst_s(L, b, &k)) kind |= (k != 0 ? 4 : 0) | (k != -1 ? 8 : 0);
    RaVReg q = lower_new_vreg(L, CLIF_I64), r = lower_new_vreg(L, CLIF_I64);
    MachInst *mi = x64_begin(L, X64_DIVREM, x64_wide(t));
    mi->b[1] = kind;
    mi->imm = (uint64_t)(INT64_MIN >> (64 - clif_type_bits(t)));
    lower_use(L, n, RA_FIXED, RAX);
    lower_use(L, d, RA_REG, 0);
    lower_def(L, q, RA_FIXED, RAX);
    lower_operand(L, r, RA_DEF, RA_EARLY, RA_FIXED, RDX);
    return kind & 2 ? r : q;
}

RaVReg x64_shift_cl(LowerCtx *L, ClifType t, uint8_t kind, RaVReg a, ClifValue amount) {
    static const uint16_t rows[] = {
        [0] = X64_ROL, [1] = X64_ROR, [4] = X64_SHL, [5] = X64_SHR, [7] = X64_SAR};
    RaVReg n = lower_value_reg(L, amount);
    if (t <= CLIF_I16)
        n = x64_form_ALU(L, X64_AND, CLIF_I32, n, x64_imm(L, clif_type_bits(t) - 1));
    else if (kind >= 4 && x64_has(L->set, X64_HAS_BMI2))
        return x64_form_VRMV(L,
                             kind == 4   ? X64_SHLX
                             : kind == 5 ? X64_SHRX
                                         : X64_SARX,
                             t, x64_reg_rm(L, a), n);
    return x64_form_SHIFT(L, (X64Op)rows[kind], t, a, x64_reg_rm(L, n));
}

/* the n lowest bits, n modulo the width */
RaVReg x64_low_bits(LowerCtx *L, ClifType t, RaVReg a, ClifValue n) {
    RaVReg k = x64_form_ALU(L, X64_AND, CLIF_I32, lower_value_reg(L, n),
                            x64_imm(L, clif_type_bits(t) - 1));
    return x64_form_VRMV(L, X64_BZHI, t, x64_reg_rm(L, a), k);
}

RaVReg x64_bswap_reg(LowerCtx *L, ClifType t, RaVReg a) {
    RaVReg d = lower_new_vreg(L, CLIF_I64);
    x64_begin(L, X64_BSWAP, x64_wide(t));
    lower_def(L, d, RA_REUSE, 1);
    lower_use(L, a, RA_REG, 0);
    return d;
}

RaVReg x64_count_zeros(LowerCtx *L, ClifType t, bool leading, RaVReg a) {
    RaVReg d = special(L, leading ? X64_CLZ : X64_CTZ, x64_wide(t), CLIF_I64);
    lower_use(L, a, RA_REG, 0);
    return d;
}

/* bit counts in parallel: pairs, nibbles, bytes, then a multiplication adds the bytes */
RaVReg x64_popcnt_slow(LowerCtx *L, ClifType t, RaVReg a) {
    uint64_t all = t == CLIF_I64 ? UINT64_MAX : UINT32_MAX;
    RaVReg m1 = x64_int_const(L, t, all / 3), m2 = x64_int_const(L, t, all / 5),
           m4 = x64_int_const(L, t, all / 17), m8 = x64_int_const(L, t, all / 255);
    RaVReg h = x64_form_SHIFT(L, X64_SHR, t, a, x64_imm(L, 1));
    h = x64_form_ALU(L, X64_AND, t, h, x64_reg_rm(L, m1));
    RaVReg x = x64_form_ALU(L, X64_SUB, t, a, x64_reg_rm(L, h));
    h = x64_form_SHIFT(L, X64_SHR, t, x, x64_imm(L, 2));
    h = x64_form_ALU(L, X64_AND, t, h, x64_reg_rm(L, m2));
    x = x64_form_ALU(L, X64_AND, t, x, x64_reg_rm(L, m2));
    x = x64_form_ALU(L, X64_ADD, t, x, x64_reg_rm(L, h));
    h = x64_form_SHIFT(L, X64_SHR, t, x, x64_imm(L, 4));
    x = x64_form_ALU(L, X64_ADD, t, x, x64_reg_rm(L, h));
    x = x64_form_ALU(L, X64_AND, t, x, x64_reg_rm(L, m4));
    x = x64_form_RMR(L, X64_IMUL, t, x, x64_reg_rm(L, m8));
    return x64_form_SHIFT(L, X64_SHR, t, x, x64_imm(L, t == CLIF_I64 ? 56 : 24));
}

RaVReg x64_float_minmax(LowerCtx *L, ClifType t, bool max, RaVReg a, RaVReg b) {
    RaVReg d = lower_new_vreg(L, t);
    x64_begin(L, X64_FMINMAX, x64_wide(t))->b[1] = max;
    lower_def(L, d, RA_REUSE, 1);
    lower_use(L, a, RA_REG, 0);
    lower_use(L, b, RA_REG, 0);
    return d;
}

ClifLibCall x64_round_call(ClifType t, uint8_t mode) {
    static const uint8_t calls[4][2] = {{CLIF_LIBCALL_NEAREST_F32, CLIF_LIBCALL_NEAREST_F64},
                                        {CLIF_LIBCALL_FLOOR_F32, CLIF_LIBCALL_FLOOR_F64},
                                        {CLIF_LIBCALL_CEIL_F32, CLIF_LIBCALL_CEIL_F64},
                                        {CLIF_LIBCALL_TRUNC_F32, CLIF_LIBCALL_TRUNC_F64}};
    return (ClifLibCall)calls[mode][t == CLIF_F64];
}

RaVReg x64_round(LowerCtx *L, ClifType t, uint8_t mode, ClifValue v) {
    if (x64_has(L->set, X64_HAS_SSE41)) {
        X64Rm m = x64_rm(L, v);
        return x64_form_RMI(L, t == CLIF_F32 ? X64_ROUNDSS : X64_ROUNDSD, t, m, mode | 8);
    }
    RaVReg a = lower_value_reg(L, v), r;
    x64_lower_libcall(L, x64_round_call(t, mode), &a, 1, t, &r);
    return r;
}

/* the result is written before the source is read for the last time: an early definition */
RaVReg x64_float_to_int(LowerCtx *L, ClifType t, ClifType from, bool sign, bool sat, RaVReg a) {
    RaVReg d = lower_new_vreg(L, CLIF_I64);
    MachInst *mi = x64_begin(L, sign ? X64_CVT_SINT : X64_CVT_UINT, x64_wide(t));
    mi->b[1] = sat;
    mi->b[5] = (uint8_t)x64_wide(from);
    lower_operand(L, d, RA_DEF, RA_EARLY, RA_REG, 0);
    lower_use(L, a, RA_REG, 0);
    return d;
}
RaVReg x64_to_int(LowerCtx *L, ClifType t, bool sign, bool sat, ClifValue v) {
    return x64_float_to_int(L, t, clif_value_type(L->f, v), sign, sat, lower_value_reg(L, v));
}
/* an i32 that must fit an i8 or i16 */
RaVReg x64_in_range(LowerCtx *L, ClifType t, bool sign, RaVReg r) {
    if (sign) {
        RaVReg x = x64_extend_reg(L, CLIF_I32, true, t, r);
        x64_form_CMP(L, X64_CMP, CLIF_I32, x, x64_reg_rm(L, r));
        x64_trap_if(L, x64_cond1(CC_NE), CLIF_TRAP_INTEGER_OVERFLOW);
    } else {
        x64_form_CMP(L, X64_CMP, CLIF_I32, r, x64_imm(L, (INT64_C(1) << clif_type_bits(t)) - 1));
        x64_trap_if(L, x64_cond1(CC_A), CLIF_TRAP_INTEGER_OVERFLOW);
    }
    return r;
}
/* an i32, saturated, to the bounds of an i8 or i16 */
RaVReg x64_clamp(LowerCtx *L, ClifType t, bool sign, RaVReg r) {
    int64_t most = (INT64_C(1) << (clif_type_bits(t) - sign)) - 1;
    for (int low = 0; low <= sign; low++) {
        int64_t k = low ? -most - 1 : most;
        RaVReg bound = x64_int_const(L, CLIF_I32, (uint64_t)k);
        x64_form_CMP(L, X64_CMP, CLIF_I32, r, x64_imm(L, k));
        r = x64_choose_reg(L, CLIF_I32, x64_cond1(low ? CC_L : sign ? CC_G : CC_A), bound, r);
    }
    return r;
}
RaVReg x64_from_u64(LowerCtx *L, ClifType t, RaVReg a) {
    if (x64_has(L->set, X64_HAS_AVX512F))
        return x64_form_RM(L, t == CLIF_F32 ? X64_VCVTUSI2SS : X64_VCVTUSI2SD, CLIF_I64,
                           x64_reg_rm(L, a));
    RaVReg d = special(L, X64_CVT_FROM_U64, 3, t);
    last(L)->b[5] = (uint8_t)x64_wide(t);
    lower_use(L, a, RA_REG, 0);
    return d;
}

RaVReg x64_stack_addr(LowerCtx *L, uint32_t slot, int32_t off) {
    return lea(L, CLIF_I64, (X64Rm){.mode = XM_SLOT, .aux = slot, .disp = off});
}
static RaVReg sym(LowerCtx *L, ClifName n, int64_t off, bool near) {
    RaVReg d = special(L, X64_SYM, 3, CLIF_I64);
    MachInst *mi = last(L);
    mi->b[1] = (uint8_t)n.kind;
    mi->b[5] = near;
    mi->aux = n.a;
    mi->aux2 = n.b;
    mi->imm = (uint64_t)off;
    return d;
}
RaVReg x64_symbol_addr(LowerCtx *L, uint32_t gv) {
    const ClifGlobalValueData *g = &L->f->gvs.p[gv];
    return sym(L, g->name, g->offset, g->colocated && g->offset == (int32_t)g->offset);
}
RaVReg x64_function_addr(LowerCtx *L, uint32_t fn) {
    return sym(L, L->f->funcs.p[fn].name, 0, L->f->funcs.p[fn].colocated);
}
RaVReg x64_frame_pointer(LowerCtx *L) {
    return special(L, X64_MOVFP, 3, CLIF_I64);
}
RaVReg x64_stack_pointer(LowerCtx *L) {
    return special(L, X64_MOVSP, 3, CLIF_I64);
}
RaVReg x64_return_address(LowerCtx *L) {
    return x64_form_RM(L, X64_MOV, CLIF_I64, (X64Rm){.kind = XK_MEM, .mode = XM_INARG, .disp = -8});
}
Unit x64_fence_all(LowerCtx *L) {
    return lower_begin(L, X64_MFENCE), 0;
}

Unit x64_breakpoint(LowerCtx *L) {
    return lower_begin(L, X64_INT3), 0;
}

/* ---- entry points ---- */
bool x64_lower_inst(LowerCtx *L, ClifInst i, ValueRegs *out) {
    switch (clif_data(L->f, i)->op) {
    case CLIF_OP_CALL:
    case CLIF_OP_CALL_INDIRECT: return x64_lower_call(L, i, out);
    case CLIF_OP_RETURN: return x64_lower_return(L, i);
    case CLIF_OP_RETURN_CALL:
    case CLIF_OP_RETURN_CALL_INDIRECT: return x64_lower_tail_call(L, i);
    case CLIF_OP_TLS_VALUE: return x64_lower_tls(L, i, out);
    case CLIF_OP_GET_PINNED_REG:
    case CLIF_OP_SET_PINNED_REG: return x64_lower_pinned(L, i, out);
    case CLIF_OP_GET_EXCEPTION_HANDLER_ADDRESS: return x64_lower_handler_address(L, i, out);
    default: break; /* by a rule */
    }
    ValueRegs r;
    uint32_t n;
    (void)clif_results(L->f, i, &n);
    if (!x64_isle_lower(L, i, &r)) return lower_unsupported(L, i, NULL);
    out[0] = r;
    if (n == 2) out[1] = L->second;
    return true;
}

bool x64_lower_branch(LowerCtx *L, ClifInst i, const MachLabel *t, uint32_t n) {
    const ClifInstData *d = clif_data(L->f, i);
    if (d->op == CLIF_OP_TRY_CALL || d->op == CLIF_OP_TRY_CALL_INDIRECT)
        return x64_lower_try_call(L, i, t, n);
    bool same = true;
    for (uint32_t k = 1; k < n; k++) same &= t[k] == t[0];
    if (n > 0 && same) { /* a block with one successor: its terminator has no operands */
        x64_lower_jump(L, t[0]);
        return true;
    }
    if (d->op == CLIF_OP_BRIF) {
        X64Cond c = x64_isle_cond(L, isle_v(d->a));
        MachInst *mi = lower_begin(L, X64_JCC);
        mi->b[1] = c.cc;
        mi->b[4] = c.cc2;
        mi->b[5] = c.kind;
        mi->aux = t[0];
        mi->aux2 = t[1];
        lower_set_flags(L, RA_INST_BRANCH);
        return true;
    }
    if (d->op == CLIF_OP_BR_TABLE) { /* t[0] is the default */
        RaVReg idx = lower_value_reg(L, isle_v(d->a)), tmp = lower_new_vreg(L, CLIF_I64);
        uint32_t at = lower_jump_table(L, t + 1, n - 1);
        lower_jump_table(L, t, 1);
        MachInst *mi = lower_begin(L, X64_BR_TABLE);
        mi->aux = at;
        mi->imm = n - 1;
        lower_set_flags(L, RA_INST_BRANCH);
        lower_use(L, idx, RA_REG, 0);
        lower_operand(L, tmp, RA_DEF, RA_EARLY, RA_REG, 0);
        return true;
    }
    return lower_unsupported(L, i, NULL);
}
