/* wasm/constexpr.c — constant expressions (core spec 3.3.13): validated at once with a bounded type stack and kept
 * in postfix order. The stack needs no more room than the expression has operators; depth is limited (WASM_CONST_DEPTH),
 * beyond what a producer of offsets makes, so that evaluation needs no allocation. */
#include "wasm/wasm_int.h"

bool wasm_const_expr(WasmModule *m, WasmReader *r, uint32_t features, WasmType want,
                     WasmConstExpr *out) {
    WasmType st[WASM_CONST_DEPTH];
    uint32_t n = 0;
    *out = (WasmConstExpr){m->const_insts.n, 0, want};
    for (;;) {
        uint64_t at = rd_off(r);
        uint8_t op;
        if (!rd_u8(r, &op)) return false;
        if (op == 0x0B) break;
        WasmConstInst ci = {0};
        WasmType t = WASM_I32;
        switch (op) {
        case 0x41: {
            int32_t x;
            LebStatus s = leb_s32(&r->p, r->end, &x);
            if (s != LEB_OK) return rd_bad(r, s);
            ci = (WasmConstInst){WASM_CE_I32, (uint32_t)x};
            break;
        }
        case 0x42: {
            int64_t x;
            LebStatus s = leb_s64(&r->p, r->end, &x);
            if (s != LEB_OK) return rd_bad(r, s);
            ci = (WasmConstInst){WASM_CE_I64, (uint64_t)x};
            t = WASM_I64;
            break;
        }
        case 0x43:
        case 0x44: {
            uint32_t k = op == 0x43 ? 4 : 8;
            if ((size_t)(r->end - r->p) < k) return rd_bad(r, LEB_EOF);
            for (uint32_t i = 0; i < k; i++) ci.imm |= (uint64_t)r->p[i] << 8 * i;
            r->p += k;
            ci.op = k == 4 ? WASM_CE_F32 : WASM_CE_F64;
            t = k == 4 ? WASM_F32 : WASM_F64;
            break;
        }
        case 0xFD: {
            uint32_t sub;
            if (!rd_u32(r, &sub)) return false;
            const WasmOpInfo *o = wasm_op_prefixed(op, sub);
            if (!o || o->form != WASM_FORM_V_CONST)
                return diag_at(r->d, DIAG_INVALID, at, "constant expression required");
            if (!(features >> o->feature & 1))
                return wasm_refuse(r->d, (WasmFeature)o->feature, at, o->name);
            if (r->end - r->p < 16) return rd_bad(r, LEB_EOF);
            ci = (WasmConstInst){WASM_CE_V128, rd_off(r)};
            r->p += 16;
            t = WASM_V128;
            break;
        }
        case 0xD0:
            if (!rd_heaptype(r, features, &t)) return false;
            ci.op = WASM_CE_REF_NULL;
            break;
        case 0xD2: {
            uint32_t f;
            if (!rd_u32(r, &f)) return false;
            if (f >= m->funcs.n) return diag_at(r->d, DIAG_INVALID, at, "unknown function %u", f);
            m->funcs.p[f].funcref = 0;
            ci = (WasmConstInst){WASM_CE_REF_FUNC, f};
            t = WASM_FUNCREF;
            break;
        }
        case 0x23: {
            uint32_t g;
            if (!rd_u32(r, &g)) return false;
            if (g >= m->globals.n) return diag_at(r->d, DIAG_INVALID, at, "unknown global %u", g);
            if (m->globals.p[g].type.mut)
                return diag_at(r->d, DIAG_INVALID, at, "constant expression required");
            if (g >= m->num_imported_globals)
                return wasm_refuse(r->d, WASM_FEAT_GC, at,
                                   "constant expression that reads a defined global");
            ci = (WasmConstInst){WASM_CE_GLOBAL_GET, g};
            t = m->globals.p[g].type.type;
            break;
        }
        case 0x6A:
        case 0x6B:
        case 0x6C:
        case 0x7C:
        case 0x7D:
        case 0x7E:
            if (!(features >> WASM_FEAT_EXTENDED_CONST & 1))
                return wasm_refuse(r->d, WASM_FEAT_EXTENDED_CONST, at,
                                   "arithmetic in a constant expression");
            t = op < 0x7C ? WASM_I32 : WASM_I64;
            ci.op = op < 0x7C ? WASM_CE_I32_ADD + (op - 0x6Au) : WASM_CE_I64_ADD + (op - 0x7Cu);
            if (n < 2 || st[n - 1] != t || st[n - 2] != t)
                return diag_at(r->d, DIAG_INVALID, at, "type mismatch");
            n -= 2;
            break;
        default: {
            uint32_t code = 0;
            const WasmOpInfo *o = &wasm_op_plain[op];
            if (op >= 0xFB && op <= 0xFE) {
                if (!rd_u32(r, &code)) return false;
                o = wasm_op_prefixed(op, code);
            }
            if (!o || o->form == WASM_FORM_ILLEGAL)
                return diag_at(r->d, DIAG_MALFORMED, at, "illegal opcode 0x%02x", op);
            if (o->form == WASM_FORM_REFUSED) return wasm_refuse(r->d, o->feature, at, o->name);
            return diag_at(r->d, DIAG_INVALID, at, "constant expression required");
        }
        }
        if (n == WASM_CONST_DEPTH)
            return diag_at(r->d, DIAG_LIMIT, at, "constant expression needs more than %d values",
                           WASM_CONST_DEPTH);
        st[n++] = t;
        vec_push(m->mem, &m->const_insts, ci);
    }
    out->n = m->const_insts.n - out->first;
    return (n == 1 && st[0] == want) ||
           diag_at(r->d, DIAG_INVALID, rd_off(r), "type mismatch: constant expression of type %s",
                   wasm_type_name(want));
}
