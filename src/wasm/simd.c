/* wasm/simd.c — vector operators: SIMD and relaxed SIMD.
 *
 * Problem     Wasm has one vector type, CLIF one per lane shape.
 * Idea        On the operand stack, in locals, parameters and globals every v128 is an i8x16. A consumer that wants
 *             another shape bitcasts, unless the value is itself a bitcast from that shape, which it then looks
 *             through; a producer of another shape bitcasts its result. A chain of i32x4 operators is thus the same
 *             CLIF as if it had been typed throughout, plus bitcasts without a use, which are never lowered.
 *             Shapes and CLIF opcodes come from the table; here is one function per form.
 *             Relaxed operators are given one of the results that the proposal allows, the same on every machine:
 *             the saturating, the fused, the IEEE one.
 * Invariants  1. Every V128 value on the operand stack is a CLIF i8x16.
 *             2. Lane order is that of memory (little endian), so bitcasts are `little`.
 * Cost        O(1) per operator.
 * Spec        core 3.0, 4.3.4 and 4.4.3; relaxed SIMD: the same with its parameters R fixed.
 */
#include "wasm/tr.h"

static ClifValue ins(Tr *t, ClifInstData d) {
    return clif_result(t->f, cb_ins(&t->b, d), 0);
}
static ClifValue un(Tr *t, ClifOp op, ClifType ty, ClifValue x) {
    return ins(t, (ClifInstData){.op = (uint8_t)op, .type = ty, .a = x.i});
}
static ClifValue bin(Tr *t, ClifOp op, ClifType ty, ClifValue x, ClifValue y) {
    return ins(t, (ClifInstData){.op = (uint8_t)op, .type = ty, .a = x.i, .b = y.i});
}

static ClifValue bitcast(Tr *t, ClifType ty, ClifValue x) {
    ClifInstData d = {.op = CLIF_OP_BITCAST, .type = ty, .aux = t->mf_heap, .a = x.i};
    return cb_ins1(&t->b, d, ty);
}

/* The value x, of any 128-bit type, as a vector of the given shape. */
static ClifValue as(Tr *t, ClifType ty, ClifValue x) {
    if (clif_value_type(t->f, x) == ty) return x;
    const ClifValueData *v = &t->f->values.p[x.i];
    if (v->kind == CLIF_VAL_INST) {
        const ClifInstData *d = &t->f->insts.p[v->ref];
        if (d->op == CLIF_OP_BITCAST && clif_value_type(t->f, (ClifValue){d->a}) == ty)
            return (ClifValue){d->a};
    }
    return bitcast(t, ty, x);
}

static bool pop_vec(Tr *t, ClifType ty, ClifValue *x) {
    uint32_t v;
    if (!tr_pop(t, WASM_V128, &v)) return false;
    if (t->live) *x = as(t, ty, (ClifValue){v});
    return true;
}
static bool push_vec(Tr *t, ClifValue x) {
    tr_push(t, WASM_V128, t->live ? as(t, CLIF_I8X16, x).i : 0);
    return true;
}

static ClifType shape(const WasmOpInfo *o) {
    return (ClifType)o->aux;
}
static unsigned extra(const WasmOpInfo *o) {
    return o->aux >> 8;
}
static ClifType half_as_many(ClifType ty) { /* lanes, twice as wide */
    return clif_vector_of(clif_lane_type(ty) + 1, clif_type_log2_lanes(ty) - 1);
}

ClifValue tr_vconst(Tr *t, ClifType ty, const uint8_t bytes[16]) {
    ClifInstData d = {.op = CLIF_OP_VCONST, .type = ty, .a = clif_intern_const(t->f, bytes, 16).i};
    return cb_ins1(&t->b, d, ty);
}

/* ---- immediates ---- */
static const uint8_t *sixteen(Tr *t) { /* NULL: reported */
    const uint8_t *p = t->r.p;
    if (t->r.end - p < 16) {
        rd_bad(&t->r, LEB_EOF);
        return NULL;
    }
    t->r.p += 16;
    return p;
}
static bool lane(Tr *t, unsigned limit, uint8_t *x) {
    return rd_u8(&t->r, x) && (*x < limit || TR_FAIL(t, INVALID, "invalid lane index %u", *x));
}

static bool v_const(Tr *t) {
    const uint8_t *p = sixteen(t);
    if (!p) return false;
    tr_push(t, WASM_V128, t->live ? tr_vconst(t, CLIF_I8X16, p).i : 0);
    return true;
}

static bool v_shuffle(Tr *t) {
    const uint8_t *p = sixteen(t);
    ClifValue x = {0}, y = {0};
    if (!p) return false;
    for (int k = 0; k < 16; k++)
        if (p[k] >= 32) return TR_FAIL(t, INVALID, "invalid lane index %u", p[k]);
    if (!pop_vec(t, CLIF_I8X16, &y) || !pop_vec(t, CLIF_I8X16, &x)) return false;
    if (t->live)
        x = ins(t,
                (ClifInstData){
                    .op = CLIF_OP_SHUFFLE, .a = x.i, .b = y.i, .c = clif_make_imm128(t->f, p).i});
    return push_vec(t, x);
}

/* ---- lanes ---- */
/* A Wasm scalar as a lane of the shape. */
static ClifValue to_lane(Tr *t, ClifType ty, uint32_t v) {
    ClifType l = clif_lane_type(ty);
    ClifValue x = tr_val(t, v);
    return l < CLIF_I32 ? tr_un(t, CLIF_OP_IREDUCE, l, x) : x;
}

static bool v_splat(Tr *t, const WasmOpInfo *o) {
    uint32_t x;
    ClifValue v = {0};
    if (!tr_pop(t, wasm_sig_type[(uint8_t)o->sig[0]], &x)) return false;
    if (t->live) v = un(t, (ClifOp)o->clif, shape(o), to_lane(t, shape(o), x));
    return push_vec(t, v);
}

static bool v_extract_lane(Tr *t, const WasmOpInfo *o) {
    uint8_t k;
    ClifValue v = {0};
    if (!lane(t, clif_type_lanes(shape(o)), &k) || !pop_vec(t, shape(o), &v)) return false;
    if (t->live) {
        v = ins(t, (ClifInstData){.op = o->clif, .type = shape(o), .aux = k, .a = v.i});
        if (extra(o)) v = tr_un(t, (ClifOp)extra(o), CLIF_I32, v);
    }
    tr_push(t, wasm_sig_type[(uint8_t)o->sig[2]], v.i);
    return true;
}

static bool v_replace_lane(Tr *t, const WasmOpInfo *o) {
    uint8_t k;
    uint32_t x;
    ClifValue v = {0};
    if (!lane(t, clif_type_lanes(shape(o)), &k) ||
        !tr_pop(t, wasm_sig_type[(uint8_t)o->sig[1]], &x) || !pop_vec(t, shape(o), &v))
        return false;
    if (t->live) {
        ClifValue s = to_lane(t, shape(o), x);
        v = ins(t, (ClifInstData){.op = o->clif, .type = shape(o), .aux = k, .a = v.i, .b = s.i});
    }
    return push_vec(t, v);
}

/* ---- memory ---- */
static bool v_load_extend(Tr *t, const WasmOpInfo *o) {
    TrAccess a;
    ClifValue v = {0};
    if (!tr_access(t, 8, &a)) return false;
    if (!tr_access_addr(t, &a)) return false;
    if (t->live) {
        ClifInstData d = {.op = o->clif,
                          .type = CLIF_I64,
                          .aux = t->mf_heap,
                          .a = a.addr.i,
                          .b = (uint32_t)a.disp};
        v = cb_ins1(&t->b, d, shape(o));
    }
    return push_vec(t, v);
}

static ClifValue load_lane(Tr *t, ClifType ty, const TrAccess *a) {
    return cb_load(&t->b, CLIF_OP_LOAD, clif_lane_type(ty), t->mf_heap, a->addr, a->disp);
}

/* load…_splat and load…_zero */
static bool v_load_splat(Tr *t, const WasmOpInfo *o) {
    TrAccess a;
    ClifValue v = {0};
    if (!tr_access(t, clif_lane_bits(shape(o)) / 8, &a) || !tr_access_addr(t, &a)) return false;
    if (t->live) v = un(t, (ClifOp)o->clif, shape(o), load_lane(t, shape(o), &a));
    return push_vec(t, v);
}

/* The immediates and operands of load…_lane and store…_lane. */
static bool lane_access(Tr *t, const WasmOpInfo *o, TrAccess *a, uint8_t *k, ClifValue *v) {
    *v = (ClifValue){0};
    return tr_access(t, clif_lane_bits(shape(o)) / 8, a) && lane(t, clif_type_lanes(shape(o)), k) &&
           pop_vec(t, shape(o), v) && tr_access_addr(t, a);
}

static bool v_load_lane(Tr *t, const WasmOpInfo *o) {
    TrAccess a;
    uint8_t k;
    ClifValue v;
    if (!lane_access(t, o, &a, &k, &v)) return false;
    if (t->live) {
        ClifValue s = load_lane(t, shape(o), &a);
        v = ins(t, (ClifInstData){.op = o->clif, .type = shape(o), .aux = k, .a = v.i, .b = s.i});
    }
    return push_vec(t, v);
}

static bool v_store_lane(Tr *t, const WasmOpInfo *o) {
    TrAccess a;
    uint8_t k;
    ClifValue v;
    if (!lane_access(t, o, &a, &k, &v)) return false;
    if (t->live) {
        v = ins(t, (ClifInstData){.op = o->clif, .type = shape(o), .aux = k, .a = v.i});
        cb_store(&t->b, CLIF_OP_STORE, t->mf_heap, v, a.addr, a.disp);
    }
    return true;
}

/* ---- arithmetic ---- */
static bool v_unary(Tr *t, const WasmOpInfo *o) {
    ClifValue x = {0};
    if (!pop_vec(t, shape(o), &x)) return false;
    if (t->live) x = un(t, (ClifOp)o->clif, shape(o), x);
    return push_vec(t, x);
}

static bool pop_two(Tr *t, ClifType ty, ClifValue *x, ClifValue *y) {
    *x = *y = (ClifValue){0};
    return pop_vec(t, ty, y) && pop_vec(t, ty, x);
}

static bool v_binary(Tr *t, const WasmOpInfo *o) {
    ClifValue x, y;
    if (!pop_two(t, shape(o), &x, &y)) return false;
    if (t->live) x = bin(t, (ClifOp)o->clif, shape(o), x, y);
    return push_vec(t, x);
}

static bool v_andnot(Tr *t, const WasmOpInfo *o) {
    ClifValue x, y;
    if (!pop_two(t, shape(o), &x, &y)) return false;
    if (t->live) x = bin(t, (ClifOp)o->clif, shape(o), x, un(t, CLIF_OP_BNOT, shape(o), y));
    return push_vec(t, x);
}

static bool v_shift(Tr *t, const WasmOpInfo *o) {
    uint32_t n;
    ClifValue x = {0};
    if (!tr_pop(t, WASM_I32, &n) || !pop_vec(t, shape(o), &x)) return false;
    if (t->live) x = bin(t, (ClifOp)o->clif, shape(o), x, tr_val(t, n));
    return push_vec(t, x);
}

static ClifValue compare(Tr *t, const WasmOpInfo *o, ClifValue x, ClifValue y) {
    return ins(t,
               (ClifInstData){
                   .op = o->clif, .type = shape(o), .aux = (uint16_t)extra(o), .a = x.i, .b = y.i});
}

static bool v_compare(Tr *t, const WasmOpInfo *o) {
    ClifValue x, y;
    if (!pop_two(t, shape(o), &x, &y)) return false;
    if (t->live) x = compare(t, o, x, y);
    return push_vec(t, x);
}

static ClifValue bitselect(Tr *t, ClifType ty, ClifValue c, ClifValue x, ClifValue y) {
    return ins(t,
               (ClifInstData){.op = CLIF_OP_BITSELECT, .type = ty, .a = c.i, .b = x.i, .c = y.i});
}

/* pmin, pmax: the second operand where it compares so with the first, else the first. */
static bool v_pseudo(Tr *t, const WasmOpInfo *o) {
    ClifValue x, y;
    if (!pop_two(t, shape(o), &x, &y)) return false;
    if (t->live) {
        ClifValue c = bitcast(t, shape(o), compare(t, o, y, x));
        x = bitselect(t, shape(o), c, y, x);
    }
    return push_vec(t, x);
}

static bool v_select(Tr *t, const WasmOpInfo *o) {
    ClifValue c = {0}, x, y;
    if (!pop_vec(t, shape(o), &c) || !pop_two(t, shape(o), &x, &y)) return false;
    if (t->live) x = bitselect(t, shape(o), c, x, y);
    return push_vec(t, x);
}

static bool v_test(Tr *t, const WasmOpInfo *o) {
    ClifValue x = {0};
    if (!pop_vec(t, shape(o), &x)) return false;
    if (t->live) {
        if (o->clif == CLIF_OP_VHIGH_BITS)
            x = tr_un(t, CLIF_OP_VHIGH_BITS, CLIF_I32, x);
        else
            x = tr_un(t, CLIF_OP_UEXTEND, CLIF_I32, un(t, (ClifOp)o->clif, shape(o), x));
    }
    tr_push(t, WASM_I32, x.i);
    return true;
}

static bool v_madd(Tr *t, const WasmOpInfo *o) {
    ClifValue z = {0}, x, y;
    if (!pop_vec(t, shape(o), &z) || !pop_two(t, shape(o), &x, &y)) return false;
    if (t->live) {
        if (extra(o)) x = un(t, CLIF_OP_FNEG, shape(o), x);
        x = ins(t, (ClifInstData){.op = o->clif, .type = shape(o), .a = x.i, .b = y.i, .c = z.i});
    }
    return push_vec(t, x);
}

/* ---- widening ---- */
static ClifOp high_of(ClifOp low) {
    return low == CLIF_OP_SWIDEN_LOW ? CLIF_OP_SWIDEN_HIGH : CLIF_OP_UWIDEN_HIGH;
}

static bool v_extmul(Tr *t, const WasmOpInfo *o) {
    ClifValue x, y;
    if (!pop_two(t, shape(o), &x, &y)) return false;
    if (t->live) {
        ClifOp widen = (ClifOp)o->clif;
        x = un(t, widen, shape(o), x);
        x = bin(t, CLIF_OP_IMUL, half_as_many(shape(o)), x, un(t, widen, shape(o), y));
    }
    return push_vec(t, x);
}

static ClifValue extadd(Tr *t, ClifOp low, ClifType ty, ClifValue x) {
    ClifValue lo = un(t, low, ty, x), hi = un(t, high_of(low), ty, x);
    return bin(t, CLIF_OP_IADD_PAIRWISE, half_as_many(ty), lo, hi);
}

static bool v_extadd(Tr *t, const WasmOpInfo *o) {
    ClifValue x = {0};
    if (!pop_vec(t, shape(o), &x)) return false;
    if (t->live) x = extadd(t, (ClifOp)o->clif, shape(o), x);
    return push_vec(t, x);
}

static ClifValue dot(Tr *t, ClifType ty, ClifValue x, ClifValue y) {
    ClifType wide = half_as_many(ty);
    ClifValue half[2];
    for (int k = 0; k < 2; k++) {
        ClifOp widen = k ? CLIF_OP_SWIDEN_HIGH : CLIF_OP_SWIDEN_LOW;
        half[k] = un(t, widen, ty, x);
        half[k] = bin(t, CLIF_OP_IMUL, wide, half[k], un(t, widen, ty, y));
    }
    return bin(t, CLIF_OP_IADD_PAIRWISE, wide, half[0], half[1]);
}

static bool v_dot(Tr *t, const WasmOpInfo *o) {
    ClifValue x, y;
    if (!pop_two(t, shape(o), &x, &y)) return false;
    if (t->live) x = dot(t, shape(o), x, y);
    return push_vec(t, x);
}

static bool v_dot_add(Tr *t, const WasmOpInfo *o) {
    ClifValue z = {0}, x, y;
    if (!pop_vec(t, CLIF_I32X4, &z) || !pop_two(t, shape(o), &x, &y)) return false;
    if (t->live) {
        x = extadd(t, CLIF_OP_SWIDEN_LOW, half_as_many(shape(o)), dot(t, shape(o), x, y));
        x = bin(t, CLIF_OP_IADD, CLIF_I32X4, x, z);
    }
    return push_vec(t, x);
}

/* ---- conversions ---- */
static bool v_convert(Tr *t, const WasmOpInfo *o) {
    ClifValue x = {0};
    if (!pop_vec(t, shape(o), &x)) return false;
    if (t->live) x = un(t, (ClifOp)o->clif, (ClifType)extra(o), x);
    return push_vec(t, x);
}

static bool v_convert_low(Tr *t, const WasmOpInfo *o) {
    ClifValue x = {0};
    if (!pop_vec(t, shape(o), &x)) return false;
    if (t->live) {
        bool sign = o->clif == CLIF_OP_FCVT_FROM_SINT;
        x = un(t, sign ? CLIF_OP_SWIDEN_LOW : CLIF_OP_UWIDEN_LOW, shape(o), x);
        x = un(t, (ClifOp)o->clif, CLIF_F64X2, x);
    }
    return push_vec(t, x);
}

static bool v_trunc_zero(Tr *t, const WasmOpInfo *o) {
    static const uint8_t zeros[16];
    ClifValue x = {0};
    if (!pop_vec(t, shape(o), &x)) return false;
    if (t->live) {
        bool sign = o->clif == CLIF_OP_FCVT_TO_SINT_SAT;
        x = un(t, (ClifOp)o->clif, CLIF_I64X2, x);
        x = bin(t, sign ? CLIF_OP_SNARROW : CLIF_OP_UUNARROW, CLIF_I64X2, x,
                tr_vconst(t, CLIF_I64X2, zeros));
    }
    return push_vec(t, x);
}

bool tr_vector(Tr *t, const WasmOpInfo *o) {
    switch ((WasmForm)o->form) {
    case WASM_FORM_V_CONST: return v_const(t);
    case WASM_FORM_V_SHUFFLE: return v_shuffle(t);
    case WASM_FORM_V_SPLAT: return v_splat(t, o);
    case WASM_FORM_V_EXTRACT_LANE: return v_extract_lane(t, o);
    case WASM_FORM_V_REPLACE_LANE: return v_replace_lane(t, o);
    case WASM_FORM_V_LOAD_EXTEND: return v_load_extend(t, o);
    case WASM_FORM_V_LOAD_SPLAT: return v_load_splat(t, o);
    case WASM_FORM_V_LOAD_LANE: return v_load_lane(t, o);
    case WASM_FORM_V_STORE_LANE: return v_store_lane(t, o);
    case WASM_FORM_V_UNARY: return v_unary(t, o);
    case WASM_FORM_V_BINARY: return v_binary(t, o);
    case WASM_FORM_V_ANDNOT: return v_andnot(t, o);
    case WASM_FORM_V_SHIFT: return v_shift(t, o);
    case WASM_FORM_V_COMPARE: return v_compare(t, o);
    case WASM_FORM_V_PSEUDO: return v_pseudo(t, o);
    case WASM_FORM_V_SELECT: return v_select(t, o);
    case WASM_FORM_V_TEST: return v_test(t, o);
    case WASM_FORM_V_MADD: return v_madd(t, o);
    case WASM_FORM_V_EXTMUL: return v_extmul(t, o);
    case WASM_FORM_V_EXTADD: return v_extadd(t, o);
    case WASM_FORM_V_DOT: return v_dot(t, o);
    case WASM_FORM_V_DOT_ADD: return v_dot_add(t, o);
    case WASM_FORM_V_CONVERT: return v_convert(t, o);
    case WASM_FORM_V_CONVERT_LOW: return v_convert_low(t, o);
    case WASM_FORM_V_TRUNC_ZERO: return v_trunc_zero(t, o);
    default: COT_BUG("%s is not a vector operator", o->name);
    }
}
