/* wasm/translate.c — one function body: decode, validate and emit in one loop over the operator table.
 *
 * Idea       See tr.h for the state. Each operator is one table row; the 1:1 forms are done here in a few
 *            instructions, the rest call control.c, environ.c, table.c, numeric.c. Locals are builder variables, which
 *            makes SSA; a local never set reads as zero without a definition, so 10^5 locals cost 10^5 bytes.
 * Cost       O(1) per operator, plus the types named by its immediate. Nothing recurses; nothing allocates once
 *            the arrays have grown.
 * Spec       core 3.0, appendix "Validation Algorithm".
 */
#include "wasm/tr.h"

void tr_grow(Tr *t, uint32_t more) {
    uint64_t need = (uint64_t)t->sp + more, old = t->cap;
    if (need <= old) return;
    uint64_t cap = old * 2 > need ? old * 2 : need + 64;
    t->ty = mem_realloc(t->mem, t->ty, old * sizeof *t->ty, cap * sizeof *t->ty);
    t->val = mem_realloc(t->mem, t->val, old * sizeof *t->val, cap * sizeof *t->val);
    t->cap = (uint32_t)cap;
}

bool tr_pop_slow(Tr *t, WasmType want, uint32_t *v) {
    *v = 0;
    if (t->sp == t->base) {
        if (tr_top(t)->unreachable) return true;
        return TR_FAIL(t, INVALID, "type mismatch: expected %s, but the stack is empty",
                       wasm_type_name(want));
    }
    WasmType have = t->ty[--t->sp];
    if (have == WASM_BOT) return true;
    return TR_FAIL(t, INVALID, "type mismatch: expected %s, found %s", wasm_type_name(want),
                   wasm_type_name(have));
}

bool tr_pop_any(Tr *t, WasmType *ty, uint32_t *v) {
    *v = 0;
    *ty = WASM_BOT;
    if (t->sp == t->base)
        return tr_top(t)->unreachable ||
               TR_FAIL(t, INVALID, "type mismatch: a value is expected, but the stack is empty");
    *ty = t->ty[--t->sp];
    *v = t->val[t->sp];
    return true;
}

bool tr_pop_list(Tr *t, const WasmType *types, uint32_t n, uint32_t *args) {
    for (uint32_t k = n; k--;) {
        uint32_t v;
        if (!tr_pop(t, types[k], &v)) return false;
        args[k] = v;
    }
    if (t->live)
        for (uint32_t k = 0; k < n; k++) args[k] = tr_val(t, args[k]).i;
    return true;
}

bool tr_check_list(Tr *t, const WasmType *types, uint32_t n) {
    uint32_t sp = t->sp;
    for (uint32_t k = n; k--;) {
        uint32_t v;
        if (sp > t->base && t->ty[sp - 1] == types[k])
            sp--; /* the common case touches nothing */
        else {
            t->sp = sp;
            if (!tr_pop_slow(t, types[k], &v)) return false;
            sp = t->sp;
        }
    }
    /* What was missing or unknown below an unreachable point has these types from now on. */
    tr_grow(t, n);
    t->sp = sp + n;
    if (n) memcpy(t->ty + sp, types, n);
    return true;
}

void tr_push_list(Tr *t, const WasmType *types, uint32_t n, const uint32_t *vals) {
    tr_grow(t, n);
    for (uint32_t k = 0; k < n; k++) {
        t->ty[t->sp] = types[k];
        t->val[t->sp++] = vals ? vals[k] : 0;
    }
}

void tr_dead(Tr *t) {
    t->live = false;
    t->sp = t->base;
    tr_top(t)->unreachable = true;
}

static bool select_op(Tr *t, bool typed) {
    WasmType a, b = WASM_BOT, want = WASM_BOT;
    uint32_t n, c, x, y;
    if (typed) {
        if (!rd_u32(&t->r, &n)) return false;
        if (n != 1) return TR_FAIL(t, INVALID, "invalid result arity of select");
        if (!rd_valtype(&t->r, t->features, &want)) return false;
    }
    if (!tr_pop(t, WASM_I32, &c)) return false;
    if (typed) {
        if (!tr_pop(t, want, &y) || !tr_pop(t, want, &x)) return false;
        a = want;
    } else {
        if (!tr_pop_any(t, &b, &y) || !tr_pop_any(t, &a, &x)) return false;
        if (wasm_is_ref(a) || wasm_is_ref(b))
            return TR_FAIL(t, INVALID, "type mismatch: select without a type on references");
        if (a == WASM_BOT)
            a = b;
        else if (b != WASM_BOT && a != b)
            return TR_FAIL(t, INVALID, "type mismatch: select of %s and %s", wasm_type_name(a),
                           wasm_type_name(b));
    }
    uint32_t v = 0;
    if (t->live) {
        ClifType ty = tr_clif(a);
        ClifValue vx = tr_val(t, x), vy = tr_val(t, y);
        v = cb_ins1(&t->b,
                    (ClifInstData){
                        .op = CLIF_OP_SELECT, .type = ty, .a = tr_cond(c).i, .b = vx.i, .c = vy.i},
                    ty)
                .i;
    }
    tr_push(t, a, v);
    return true;
}

static bool prefixed(Tr *t, uint8_t prefix, const WasmOpInfo **o) {
    uint32_t code;
    if (!rd_u32(&t->r, &code)) return false;
    *o = wasm_op_prefixed(prefix, code);
    return *o || TR_FAIL(t, MALFORMED, "illegal opcode 0x%02x 0x%x", prefix, code);
}

static bool leb_fail(Tr *t, LebStatus s) {
    return rd_bad(&t->r, s);
}

/* Where no loop is open, a local that nothing has assigned so far has its first value, whatever the path: no search.
 * This keeps functions with many locals that are first read late from walking all blocks for each. */
static ClifValue read_local(Tr *t, uint32_t x) {
    uint32_t np = t->f->sig.nparams - 1;
    if (t->assigned.p[x] || t->loops) return cb_use_var(&t->b, (ClifVar){x});
    if (x < np) {
        uint32_t n;
        return (ClifValue){clif_block_params(t->f, (ClifBlock){t->f->first_block}, &n)[x + 1]};
    }
    static const uint8_t zeros[16];
    ClifType ty = tr_clif(t->locals.p[x]);
    bool vector = ty == CLIF_I8X16;
    uint32_t *zero = vector ? &t->zero_vector : &t->zero[ty];
    if (!*zero) {
        ClifOp op = vector           ? CLIF_OP_VCONST
                    : ty == CLIF_F32 ? CLIF_OP_F32CONST
                    : ty == CLIF_F64 ? CLIF_OP_F64CONST
                                     : CLIF_OP_ICONST;
        ClifInstData d = {.op = (uint8_t)op, .type = ty};
        if (vector) d.a = clif_intern_const(t->f, zeros, 16).i;
        *zero = cb_ins1_in_entry(&t->b, d, ty).i + 1;
    }
    return (ClifValue){*zero - 1};
}

static bool run(Tr *t) {
    uint32_t x, y, v = 0;
    uint8_t byte;
    while (t->frames.n) {
        t->op = t->r.p;
        if (TR_UNLIKELY(t->r.p >= t->r.end))
            return TR_FAIL(t, MALFORMED, "unexpected end of the function body");
        byte = *t->r.p++;
        const WasmOpInfo *o = &wasm_op_plain[byte];
        t->nops++;
        t->b.srcloc = (uint32_t)tr_off(t);
        if (TR_UNLIKELY(byte >= 0xFB && byte <= 0xFE) && !prefixed(t, byte, &o)) return false;
        if (TR_UNLIKELY(!(t->features >> o->feature & 1)))
            return wasm_refuse(t->r.d, (WasmFeature)o->feature, tr_off(t), o->name);
        switch ((WasmForm)o->form) {
        case WASM_FORM_LOCAL_GET:
            if (!rd_u32(&t->r, &x)) return false;
            if (TR_UNLIKELY(x >= t->locals.n)) return TR_FAIL(t, INVALID, "unknown local %u", x);
            if (t->live) {
                TrLocal *l = &t->cache.p[x];
                if (l->region != t->region) *l = (TrLocal){t->region, read_local(t, x).i};
                v = l->value;
            }
            tr_push(t, t->locals.p[x], v);
            break;
        case WASM_FORM_LOCAL_SET:
        case WASM_FORM_LOCAL_TEE:
            if (!rd_u32(&t->r, &x)) return false;
            if (TR_UNLIKELY(x >= t->locals.n)) return TR_FAIL(t, INVALID, "unknown local %u", x);
            if (!tr_pop(t, t->locals.p[x], &v)) return false;
            if (t->live) {
                v = tr_val(t, v).i;
                cb_def_var(&t->b, (ClifVar){x}, (ClifValue){v});
                t->cache.p[x] = (TrLocal){t->region, v};
                t->assigned.p[x] = 1;
                if (TR_UNLIKELY(t->tn->value_labels)) cb_label(&t->b, x, (ClifValue){v});
            }
            if (o->form == WASM_FORM_LOCAL_TEE) tr_push(t, t->locals.p[x], v);
            break;
        case WASM_FORM_I32_CONST: {
            int32_t k;
            LebStatus s = leb_s32(&t->r.p, t->r.end, &k);
            if (s != LEB_OK) return leb_fail(t, s);
            if (t->live) v = cb_iconst(&t->b, CLIF_I32, k).i;
            tr_push(t, WASM_I32, v);
            break;
        }
        case WASM_FORM_I64_CONST: {
            int64_t k;
            LebStatus s = leb_s64(&t->r.p, t->r.end, &k);
            if (s != LEB_OK) return leb_fail(t, s);
            if (t->live) v = tr_i64(t, k).i;
            tr_push(t, WASM_I64, v);
            break;
        }
        case WASM_FORM_F32_CONST:
        case WASM_FORM_F64_CONST: {
            bool single = o->form == WASM_FORM_F32_CONST;
            uint64_t bits = 0;
            if (t->r.end - t->r.p < (single ? 4 : 8)) return leb_fail(t, LEB_EOF);
            for (uint32_t k = 0; k < (single ? 4u : 8u); k++) bits |= (uint64_t)*t->r.p++ << 8 * k;
            if (t->live)
                v = single ? cb_f32const(&t->b, (uint32_t)bits).i : cb_f64const(&t->b, bits).i;
            tr_push(t, single ? WASM_F32 : WASM_F64, v);
            break;
        }
        case WASM_FORM_UNARY: {
            WasmType ty = wasm_sig_type[(uint8_t)o->sig[0]];
            if (!tr_pop(t, ty, &x)) return false;
            if (t->live) v = tr_un(t, (ClifOp)o->clif, tr_clif(ty), tr_val(t, x)).i;
            tr_push(t, ty, v);
            break;
        }
        case WASM_FORM_BINARY: {
            WasmType ty = wasm_sig_type[(uint8_t)o->sig[0]];
            if (!tr_pop(t, ty, &y) || !tr_pop(t, ty, &x)) return false;
            if (t->live) {
                ClifValue vx = tr_val(t, x), vy = tr_val(t, y);
                v = tr_bin(t, (ClifOp)o->clif, tr_clif(ty), vx, vy).i;
            }
            tr_push(t, ty, v);
            break;
        }
        case WASM_FORM_ICMP:
        case WASM_FORM_FCMP: {
            WasmType ty = wasm_sig_type[(uint8_t)o->sig[0]];
            if (!tr_pop(t, ty, &y) || !tr_pop(t, ty, &x)) return false;
            if (t->live) {
                ClifValue vx = tr_val(t, x), vy = tr_val(t, y);
                ClifInstData d = {
                    .op = o->clif, .type = tr_clif(ty), .aux = o->aux, .a = vx.i, .b = vy.i};
                v = cb_ins1(&t->b, d, CLIF_I8).i | TR_BOOL;
            }
            tr_push(t, WASM_I32, v);
            break;
        }
        case WASM_FORM_CONVERT: {
            WasmType to = wasm_sig_type[(uint8_t)o->sig[2]];
            if (!tr_pop(t, wasm_sig_type[(uint8_t)o->sig[0]], &x)) return false;
            if (t->live) {
                ClifInstData d = {.op = o->clif, .type = tr_clif(to)};
                d.a = o->clif == CLIF_OP_UEXTEND ? tr_cond(x).i
                                                 : tr_val(t, x).i; /* from an i8 in one step */
                if (o->clif == CLIF_OP_BITCAST) d.aux = t->mf_default;
                v = cb_ins1(&t->b, d, d.type).i;
            }
            tr_push(t, to, v);
            break;
        }
        case WASM_FORM_EXTEND: {
            WasmType ty = wasm_sig_type[(uint8_t)o->sig[0]];
            if (!tr_pop(t, ty, &x)) return false;
            if (t->live)
                v = tr_un(t, CLIF_OP_SEXTEND, tr_clif(ty),
                          tr_un(t, CLIF_OP_IREDUCE, o->aux, tr_val(t, x)))
                        .i;
            tr_push(t, ty, v);
            break;
        }
        case WASM_FORM_NOP: break;
        case WASM_FORM_DROP: {
            WasmType ty;
            if (!tr_pop_any(t, &ty, &x)) return false;
            break;
        }
        case WASM_FORM_UNREACHABLE:
            if (t->live) cb_trap(&t->b, VM_TRAP_UNREACHABLE);
            tr_dead(t);
            break;
#define CALLS(FORM, call)          \
    case WASM_FORM_##FORM:         \
        if (!(call)) return false; \
        break
            CALLS(SELECT, select_op(t, false));
            CALLS(SELECT_T, select_op(t, true));
            CALLS(LOAD, tr_load(t, o));
            CALLS(STORE, tr_store(t, o));
            CALLS(DIVIDE, tr_divide(t, o));
            CALLS(TRUNC, tr_trunc(t, o));
            CALLS(EQZ, tr_eqz(t, o));
            CALLS(BLOCK, tr_block(t, TR_BLOCK));
            CALLS(LOOP, tr_block(t, TR_LOOP));
            CALLS(IF, tr_block(t, TR_IF));
            CALLS(ELSE, tr_else(t));
            CALLS(END, tr_end(t));
            CALLS(BR, tr_br(t));
            CALLS(BR_IF, tr_br_if(t));
            CALLS(BR_TABLE, tr_br_table(t));
            CALLS(RETURN, tr_return(t));
            CALLS(CALL, tr_call(t));
            CALLS(CALL_INDIRECT, tr_call_indirect(t));
            CALLS(GLOBAL_GET, tr_global(t, false));
            CALLS(GLOBAL_SET, tr_global(t, true));
        case WASM_FORM_MEMORY_SIZE:
        case WASM_FORM_MEMORY_GROW:
        case WASM_FORM_MEMORY_INIT:
        case WASM_FORM_DATA_DROP:
        case WASM_FORM_MEMORY_COPY: CALLS(MEMORY_FILL, tr_memory_op(t, (WasmForm)o->form));
        case WASM_FORM_TABLE_GET:
        case WASM_FORM_TABLE_SET:
        case WASM_FORM_TABLE_INIT:
        case WASM_FORM_ELEM_DROP:
        case WASM_FORM_TABLE_COPY:
        case WASM_FORM_TABLE_GROW:
        case WASM_FORM_TABLE_SIZE: CALLS(TABLE_FILL, tr_table_op(t, (WasmForm)o->form));
        case WASM_FORM_REF_NULL:
        case WASM_FORM_REF_IS_NULL: CALLS(REF_FUNC, tr_ref(t, (WasmForm)o->form));
        case WASM_FORM_V_CONST:
        case WASM_FORM_V_SHUFFLE:
        case WASM_FORM_V_SPLAT:
        case WASM_FORM_V_EXTRACT_LANE:
        case WASM_FORM_V_REPLACE_LANE:
        case WASM_FORM_V_LOAD_EXTEND:
        case WASM_FORM_V_LOAD_SPLAT:
        case WASM_FORM_V_LOAD_LANE:
        case WASM_FORM_V_STORE_LANE:
        case WASM_FORM_V_UNARY:
        case WASM_FORM_V_BINARY:
        case WASM_FORM_V_ANDNOT:
        case WASM_FORM_V_SHIFT:
        case WASM_FORM_V_COMPARE:
        case WASM_FORM_V_PSEUDO:
        case WASM_FORM_V_SELECT:
        case WASM_FORM_V_TEST:
        case WASM_FORM_V_MADD:
        case WASM_FORM_V_EXTMUL:
        case WASM_FORM_V_EXTADD:
        case WASM_FORM_V_DOT:
        case WASM_FORM_V_DOT_ADD:
        case WASM_FORM_V_CONVERT:
        case WASM_FORM_V_CONVERT_LOW: CALLS(V_TRUNC_ZERO, tr_vector(t, o));
        case WASM_FORM_ILLEGAL: return TR_FAIL(t, MALFORMED, "illegal opcode 0x%02x", byte);
        case WASM_FORM_REFUSED:
            return wasm_refuse(t->r.d, (WasmFeature)o->feature, tr_off(t), o->name);
        }
    }
    if (t->r.p != t->r.end)
        return diag_at(t->r.d, DIAG_MALFORMED, rd_off(&t->r), "operators after the function's end");
    return true;
}

static bool read_locals(Tr *t, const WasmFuncType *ft) {
    uint32_t groups, n;
    vec_clear(&t->locals);
    if (ft->nparams)
        memcpy(vec_extend(t->mem, &t->locals, ft->nparams), t->m->valtypes.p + ft->params,
               ft->nparams);
    if (!rd_u32(&t->r, &groups)) return false;
    while (groups--) {
        WasmType ty;
        uint64_t at = rd_off(&t->r);
        if (!rd_u32(&t->r, &n) || !rd_valtype(&t->r, t->features, &ty)) return false;
        if ((uint64_t)t->locals.n + n > WASM_MAX_LOCALS)
            return diag_at(t->r.d, DIAG_LIMIT, at, "too many locals: more than %d",
                           WASM_MAX_LOCALS);
        if (n) memset(vec_extend(t->mem, &t->locals, n), ty, n);
    }
    return true;
}

static void begin_func(Tr *t, const WasmFuncType *ft) {
    ClifFunc *f = t->f;
    uint32_t np, nr;
    clif_func_clear(f);
    clif_func_reserve(f, (uint32_t)(t->r.end - t->r.p) / 2); /* an operator has about two bytes */
    f->name = (ClifName){CLIF_NAME_USER, 0, t->func};
    tr_sig_params(t, t->m->funcs.p[t->func].type, true, &np, &nr);
    clif_set_sig(f, t->tn->callconv, t->abi.p, np, t->abi.p + np, nr);
    clif_builder_begin(&t->b, f);
    ClifBlock entry = cb_create_block(&t->b);
    cb_entry_params(&t->b, entry);
    cb_switch_to(&t->b, entry);
    cb_seal(&t->b, entry);
    if (t->cache.n < t->locals.n) vec_resize0(t->mem, &t->cache, t->locals.n);
    tr_new_region(t);
    vec_clear(&t->assigned);
    vec_resize0(t->mem, &t->assigned, t->locals.n);
    memset(t->zero, 0, sizeof t->zero);
    t->zero_vector = 0;
    t->loops = 0;
    for (uint32_t k = 0; k < t->locals.n; k++) cb_declare_var(&t->b, tr_clif(t->locals.p[k]));
    uint32_t n;
    t->vmctx.i = clif_block_params(f, entry, &n)[0];
    for (uint32_t k = 0; k < ft->nparams; k++)
        cb_def_var(&t->b, (ClifVar){k}, (ClifValue){clif_block_params(f, entry, &n)[k + 1]});
    if (t->tn->value_labels) {
        cb_label(&t->b, CLIF_NONE, t->vmctx);
        for (uint32_t k = 0; k < ft->nparams; k++)
            cb_label(&t->b, k, (ClifValue){clif_block_params(f, entry, &n)[k + 1]});
    }
    tr_env_begin(t);
}

bool wasm_translate_func(WasmTranslator *t, const WasmModule *m, uint32_t func,
                         const WasmTunables *tn, const VmLayout *lay, ClifFunc *out, Diag *d) {
    const WasmFunc *fn = &m->funcs.p[func];
    const WasmFuncType *ft = &m->types.p[fn->type];
    t->m = m;
    t->tn = tn;
    t->lay = lay;
    t->f = out;
    t->r =
        (WasmReader){m->bytes + fn->body_off, m->bytes + fn->body_off + fn->body_len, m->bytes, d};
    t->op = t->r.p;
    t->features = wasm_feature_mask(&m->features);
    t->func = func;
    t->nops = t->sp = t->base = 0;
    t->emit = out != NULL;
    vec_clear(&t->frames);
    vec_clear(&t->saved);
    vec_clear(&t->mark);
    bool ok = read_locals(t, ft);
    if (ok) {
        if (t->emit) begin_func(t, ft);
        t->live = t->emit;
        const WasmType *v = m->valtypes.p;
        tr_push_frame(t, TR_FUNC,
                      (TrTypes){NULL, ft->nresults ? v + ft->results : NULL, 0, ft->nresults});
        if (t->live && tn->interrupt_checks) tr_interrupt_check(t);
        ok = run(t);
        if (ok && t->emit && tn->value_labels) cb_label_params(&t->b, t->locals.n);
        if (ok && t->emit) clif_builder_end(&t->b);
    }
    if (!ok && d->func == UINT32_MAX) d->func = func;
    return ok;
}

WasmTranslator *wasm_translator_new(Mem *m) {
    Tr *t = mem_alloc(m, sizeof *t);
    memset(t, 0, sizeof *t);
    t->mem = m;
    clif_builder_init(&t->b, m);
    tr_grow(t, 64);
    vec_reserve(m, &t->saved, 16);
    return t;
}

void wasm_translator_free(WasmTranslator *t) {
    Mem *m = t->mem;
    clif_builder_free(&t->b);
    mem_free(m, t->ty, t->cap * sizeof *t->ty);
    mem_free(m, t->val, t->cap * sizeof *t->val);
    vec_free(m, &t->frames);
    vec_free(m, &t->locals);
    vec_free(m, &t->cache);
    vec_free(m, &t->assigned);
    VecU32 *v[] = {&t->saved,        &t->args, &t->func_refs,  &t->sig_refs, &t->touched_funcs,
                   &t->touched_sigs, &t->mark, &t->mark_block, &t->targets,  &t->calls};
    for (uint32_t k = 0; k < sizeof v / sizeof v[0]; k++) vec_free(m, v[k]);
    vec_free(m, &t->abi);
    mem_free(m, t, sizeof *t);
}

uint32_t wasm_translator_operators(const WasmTranslator *t) {
    return t->nops;
}
