/* wasm/numeric.c — the arithmetic that is not one CLIF instruction in every mode.
 * Division, remainder and float-to-integer conversions trap in CLIF itself; with explicit traps the conditions
 * are tested first, and what follows cannot trap (conversions use the saturating form). */
#include "wasm/tr.h"

ClifValue tr_icmp_imm(Tr *t, ClifIntCC cc, ClifValue x, int64_t imm) {
    return cb_icmp(&t->b, cc, x, cb_iconst(&t->b, clif_value_type(t->f, x), imm));
}

bool tr_divide(Tr *t, const WasmOpInfo *o) {
    WasmType ty = wasm_sig_type[(uint8_t)o->sig[0]];
    uint32_t x, y, v = 0;
    if (!tr_pop(t, ty, &y) || !tr_pop(t, ty, &x)) return false;
    if (t->live) {
        ClifValue a = tr_val(t, x), b = tr_val(t, y);
        if (t->tn->explicit_traps) {
            cb_trapz(&t->b, b, CLIF_TRAP_INTEGER_DIVISION_BY_ZERO);
            if (o->clif == CLIF_OP_SDIV) {
                int64_t least = ty == WASM_I32 ? INT32_MIN : INT64_MIN;
                ClifValue low = tr_icmp_imm(t, CLIF_EQ, a, least),
                          m1 = tr_icmp_imm(t, CLIF_EQ, b, -1);
                cb_trapnz(&t->b, tr_bin(t, CLIF_OP_BAND, CLIF_I8, low, m1),
                          CLIF_TRAP_INTEGER_OVERFLOW);
            }
        }
        v = tr_bin(t, (ClifOp)o->clif, tr_clif(ty), a, b).i;
    }
    tr_push(t, ty, v);
    return true;
}

/* Bits of the greatest value at or below which, and the least at or above which, truncation overflows. */
typedef struct Range {
    uint64_t low, high;
    bool low_traps_equal;
} Range;
static Range trunc_range(bool f64, bool to64, bool is_signed) {
    if (!is_signed)
        return f64 ? (Range){0xBFF0000000000000u, to64 ? 0x43F0000000000000u : 0x41F0000000000000u,
                             true}
                   : (Range){0xBF800000u, to64 ? 0x5F800000u : 0x4F800000u, true};
    if (f64)
        return to64 ? (Range){0xC3E0000000000000u, 0x43E0000000000000u, false}
                    : (Range){0xC1E0000000200000u, 0x41E0000000000000u, true};
    return to64 ? (Range){0xDF000000u, 0x5F000000u, false}
                : (Range){0xCF000000u, 0x4F000000u, false};
}

bool tr_trunc(Tr *t, const WasmOpInfo *o) {
    WasmType from = wasm_sig_type[(uint8_t)o->sig[0]], to = wasm_sig_type[(uint8_t)o->sig[2]];
    uint32_t x, v = 0;
    if (!tr_pop(t, from, &x)) return false;
    if (t->live) {
        ClifValue a = {x};
        ClifOp op = (ClifOp)o->clif;
        if (t->tn->explicit_traps) {
            bool f64 = from == WASM_F64, sg = op == CLIF_OP_FCVT_TO_SINT;
            Range r = trunc_range(f64, to == WASM_I64, sg);
            cb_trapnz(&t->b, cb_fcmp(&t->b, CLIF_FUNO, a, a), CLIF_TRAP_BAD_CONVERSION_TO_INTEGER);
            ClifValue lo = f64 ? cb_f64const(&t->b, r.low) : cb_f32const(&t->b, (uint32_t)r.low);
            cb_trapnz(&t->b, cb_fcmp(&t->b, r.low_traps_equal ? CLIF_FLE : CLIF_FLT, a, lo),
                      CLIF_TRAP_INTEGER_OVERFLOW);
            ClifValue hi = f64 ? cb_f64const(&t->b, r.high) : cb_f32const(&t->b, (uint32_t)r.high);
            cb_trapnz(&t->b, cb_fcmp(&t->b, CLIF_FGE, a, hi), CLIF_TRAP_INTEGER_OVERFLOW);
            op = sg ? CLIF_OP_FCVT_TO_SINT_SAT : CLIF_OP_FCVT_TO_UINT_SAT;
        }
        v = tr_un(t, op, tr_clif(to), a).i;
    }
    tr_push(t, to, v);
    return true;
}

bool tr_eqz(Tr *t, const WasmOpInfo *o) {
    uint32_t x, v = 0;
    if (!tr_pop(t, wasm_sig_type[(uint8_t)o->sig[0]], &x)) return false;
    if (t->live) {
        if (x & TR_BOOL) { /* the comparison has no other user: turn it round */
            ClifInstData *d = clif_data(t->f, (ClifInst){t->f->values.p[x & ~TR_BOOL].ref});
            d->aux = d->op == CLIF_OP_ICMP ? (uint16_t)clif_intcc_inverse((ClifIntCC)d->aux)
                                           : (uint16_t)clif_floatcc_inverse((ClifFloatCC)d->aux);
            v = x;
        } else {
            v = tr_icmp_imm(t, CLIF_EQ, (ClifValue){x}, 0).i | TR_BOOL;
        }
    }
    tr_push(t, WASM_I32, v);
    return true;
}
