/* wasm/table.c — tables, references and calls.
 *
 * A table access checks the index against VmTable.length in 64 bits, then addresses elems + 8 * index. An indirect
 * call reads a VmFuncRef: the signature id is loaded first, and without explicit traps a null reference faults
 * there (that load carries the trap code), so the null check costs nothing. Calls that may leave the instance
 * record their context in limits->caller first, as host functions want to know who called.
 */
#include "wasm/tr.h"

/* Writes the ABI parameters, then the returns, of a function type to t->abi. */
void tr_sig_params(Tr *t, uint32_t type, bool vmctx, uint32_t *np, uint32_t *nr) {
    const WasmFuncType *ft = &t->m->types.p[type];
    vec_clear(&t->abi);
    if (vmctx)
        vec_push(t->mem, &t->abi, (ClifAbiParam){.type = CLIF_I64, .purpose = CLIF_ARG_VMCTX});
    for (uint32_t k = 0; k < ft->nparams; k++)
        vec_push(t->mem, &t->abi,
                 (ClifAbiParam){.type = tr_clif(t->m->valtypes.p[ft->params + k])});
    *np = t->abi.n;
    for (uint32_t k = 0; k < ft->nresults; k++)
        vec_push(t->mem, &t->abi,
                 (ClifAbiParam){.type = tr_clif(t->m->valtypes.p[ft->results + k])});
    *nr = ft->nresults;
}

static ClifSigRef sig_ref(Tr *t, uint32_t type) {
    type = t->m->types.p[type].canon;
    if (!t->sig_refs.p[type]) {
        uint32_t np, nr;
        tr_sig_params(t, type, true, &np, &nr);
        t->sig_refs.p[type] =
            clif_import_sig(t->f, t->tn->callconv, t->abi.p, np, t->abi.p + np, nr).i + 1;
        vec_push(t->mem, &t->touched_sigs, type);
    }
    return (ClifSigRef){t->sig_refs.p[type] - 1};
}
static ClifFuncRef func_ref(Tr *t, uint32_t func) {
    if (!t->func_refs.p[func]) {
        ClifExtFunc ef = {{CLIF_NAME_USER, 0, func}, sig_ref(t, t->m->funcs.p[func].type), 1, 0};
        t->func_refs.p[func] = clif_import_func(t->f, ef).i + 1;
        vec_push(t->mem, &t->touched_funcs, func);
    }
    return (ClifFuncRef){t->func_refs.p[func] - 1};
}

ClifValue tr_vm_addr(Tr *t, uint32_t off) {
    return tr_bin(t, CLIF_OP_IADD, CLIF_I64, t->vmctx, tr_i64(t, off));
}

static void note_caller(Tr *t) {
    ClifValue lim = tr_vm_load(t, CLIF_I64, t->mf_const, t->vmctx, VM_OFF_LIMITS);
    cb_store(&t->b, CLIF_OP_STORE, t->mf_vm, t->vmctx, lim, VM_LIMITS_CALLER);
}

/* Pops the arguments to t->args[1..], leaving room for the context. */
static bool pop_args(Tr *t, const WasmFuncType *ft) {
    vec_clear(&t->args);
    uint32_t *a = vec_extend(t->mem, &t->args, ft->nparams + 1);
    a[0] = t->vmctx.i;
    return tr_pop_list(t, t->m->valtypes.p + ft->params, ft->nparams, a + 1);
}
static void push_results(Tr *t, const WasmFuncType *ft, ClifInst call) {
    uint32_t n;
    tr_push_list(t, t->m->valtypes.p + ft->results, ft->nresults,
                 t->live && ft->nresults ? clif_results(t->f, call, &n) : NULL);
}

bool tr_call(Tr *t) {
    uint32_t i;
    ClifInst call = {CLIF_NONE};
    if (!rd_u32(&t->r, &i)) return false;
    if (i >= t->m->funcs.n) return TR_FAIL(t, INVALID, "unknown function %u", i);
    const WasmFuncType *ft = &t->m->types.p[t->m->funcs.p[i].type];
    if (!pop_args(t, ft)) return false;
    if (t->live) {
        t->calls_made++;
        if (wasm_func_is_import(t->m, i)) {
            uint32_t at = t->lay->imports + i * (uint32_t)sizeof(VmImport);
            note_caller(t);
            ClifValue code = tr_vm_load(t, CLIF_I64, t->mf_const, t->vmctx, at + VM_IMPORT_CODE);
            t->args.p[0] = tr_vm_load(t, CLIF_I64, t->mf_const, t->vmctx, at + VM_IMPORT_VMCTX).i;
            call = cb_call_indirect(&t->b, sig_ref(t, t->m->funcs.p[i].type), code,
                                    (const ClifValue *)t->args.p, t->args.n);
        } else {
            call = cb_call(&t->b, func_ref(t, i), (const ClifValue *)t->args.p, t->args.n);
        }
    }
    push_results(t, ft, call);
    return true;
}

/* ---- tables ---- */
static ClifValue vm_table(Tr *t, uint32_t table) {
    return tr_vm_load(t, CLIF_I64, t->mf_const, t->vmctx, t->lay->tables + 8 * table);
}
/* The address of an element; traps when the index is out of bounds. A table that cannot grow has a known length. */
static ClifValue element(Tr *t, uint32_t table, uint32_t index, ClifTrap trap) {
    const WasmLimitsT *lim = &t->m->tables.p[table].lim;
    bool fixed = lim->has_max && lim->max == lim->min;
    ClifValue def = vm_table(t, table), i = tr_un(t, CLIF_OP_UEXTEND, CLIF_I64, tr_cond(index));
    ClifValue len = fixed ? tr_i64(t, (int64_t)lim->min)
                          : tr_vm_load(t, CLIF_I64, t->mf_vm, def, VM_TABLE_LENGTH);
    ClifValue out = cb_icmp(&t->b, CLIF_UGE, i, len);
    cb_trapnz(&t->b, out, trap);
    ClifValue elems = tr_vm_load(t, CLIF_I64, t->mf_vm, def, VM_TABLE_ELEMS);
    ClifValue at = tr_bin(t, CLIF_OP_IADD, CLIF_I64, elems,
                          tr_bin(t, CLIF_OP_ISHL, CLIF_I64, i, tr_i64(t, 3)));
    return t->tn->spectre_guards ? cb_ternary(&t->b, CLIF_OP_SELECT_SPECTRE_GUARD, out, elems, at)
                                 : at;
}

bool tr_call_indirect(Tr *t) {
    uint32_t type, table, index;
    ClifInst call = {CLIF_NONE};
    if (!rd_u32(&t->r, &type)) return false;
    if (!(t->features >> WASM_FEAT_REFERENCE_TYPES & 1) && t->r.p < t->r.end && *t->r.p)
        return TR_FAIL(t, MALFORMED, "zero byte expected");
    if (!rd_u32(&t->r, &table)) return false;
    if (table >= t->m->tables.n) return TR_FAIL(t, INVALID, "unknown table %u", table);
    if (t->m->tables.p[table].elem != WASM_FUNCREF)
        return TR_FAIL(t, INVALID, "type mismatch: table %u does not hold functions", table);
    if (type >= t->m->types.n) return TR_FAIL(t, INVALID, "unknown type %u", type);
    const WasmFuncType *ft = &t->m->types.p[type];
    if (!tr_pop(t, WASM_I32, &index) || !pop_args(t, ft)) return false;
    if (t->live) {
        ClifValue slot = element(t, table, index, VM_TRAP_UNDEFINED_ELEMENT);
        ClifValue ref = tr_vm_load(t, CLIF_I64, t->mf_vm, slot, 0);
        if (t->tn->explicit_traps) cb_trapz(&t->b, ref, VM_TRAP_INDIRECT_CALL_TO_NULL);
        ClifValue have = tr_vm_load(t, CLIF_I32, t->tn->explicit_traps ? t->mf_vm : t->mf_null, ref,
                                    VM_FUNCREF_SIG);
        ClifValue want =
            tr_vm_load(t, CLIF_I32, t->mf_const, t->vmctx, t->lay->sig_ids + 4 * ft->canon);
        cb_trapnz(&t->b, cb_icmp(&t->b, CLIF_NE, have, want), VM_TRAP_BAD_SIGNATURE);
        note_caller(t);
        ClifValue code = tr_vm_load(t, CLIF_I64, t->mf_vm, ref, VM_FUNCREF_CODE);
        t->args.p[0] = tr_vm_load(t, CLIF_I64, t->mf_vm, ref, VM_FUNCREF_VMCTX).i;
        t->calls_made++;
        call = cb_call_indirect(&t->b, sig_ref(t, type), code, (const ClifValue *)t->args.p,
                                t->args.n);
    }
    push_results(t, ft, call);
    return true;
}

static bool table_index(Tr *t, uint32_t *x) {
    return rd_u32(&t->r, x) && (*x < t->m->tables.n || TR_FAIL(t, INVALID, "unknown table %u", *x));
}
static bool elem_index(Tr *t, uint32_t *x) {
    return rd_u32(&t->r, x) &&
           (*x < t->m->elems.n || TR_FAIL(t, INVALID, "unknown elem segment %u", *x));
}

bool tr_table_op(Tr *t, WasmForm form) {
    uint32_t x = 0, y = 0, a[3], n = 3, v = 0;
    bool init = form == WASM_FORM_TABLE_INIT, copy = form == WASM_FORM_TABLE_COPY;
    if (init || form == WASM_FORM_ELEM_DROP ? !elem_index(t, &y) : false) return false;
    if (form != WASM_FORM_ELEM_DROP && !table_index(t, &x)) return false;
    if (copy && !table_index(t, &y)) return false;
    WasmType elem = form == WASM_FORM_ELEM_DROP ? WASM_FUNCREF : t->m->tables.p[x].elem;
    WasmType other = init ? t->m->elems.p[y].type : copy ? t->m->tables.p[y].elem : elem;
    if (other != elem)
        return TR_FAIL(t, INVALID, "type mismatch: %s and %s", wasm_type_name(elem),
                       wasm_type_name(other));
    WasmType ty[3] = {WASM_I32, WASM_I32, WASM_I32};
    if (form == WASM_FORM_TABLE_GET)
        n = 1;
    else if (form == WASM_FORM_TABLE_SET)
        n = 2, ty[1] = elem;
    else if (form == WASM_FORM_TABLE_GROW)
        n = 2, ty[0] = elem;
    else if (form == WASM_FORM_TABLE_FILL)
        ty[1] = elem;
    else if (form == WASM_FORM_TABLE_SIZE || form == WASM_FORM_ELEM_DROP)
        n = 0;
    if (!tr_pop_list(t, ty, n, a)) return false;
    if (t->live) {
        ClifValue w[3];
        for (uint32_t k = 0; k < n; k++)
            w[k] = ty[k] == WASM_I32 && form != WASM_FORM_TABLE_GET && form != WASM_FORM_TABLE_SET
                       ? tr_un(t, CLIF_OP_UEXTEND, CLIF_I64, (ClifValue){a[k]})
                       : (ClifValue){a[k]};
        if (form == WASM_FORM_TABLE_GET)
            v = tr_vm_load(t, CLIF_I64, t->mf_vm, element(t, x, a[0], VM_TRAP_TABLE_OUT_OF_BOUNDS),
                           0)
                    .i;
        else if (form == WASM_FORM_TABLE_SET)
            cb_store(&t->b, CLIF_OP_STORE, t->mf_vm, w[1],
                     element(t, x, a[0], VM_TRAP_TABLE_OUT_OF_BOUNDS), 0);
        else if (form == WASM_FORM_TABLE_SIZE)
            v = tr_un(t, CLIF_OP_IREDUCE, CLIF_I32,
                      tr_vm_load(t, CLIF_I64, t->mf_vm, vm_table(t, x), VM_TABLE_LENGTH))
                    .i;
        else {
            ClifValue cx = cb_iconst(&t->b, CLIF_I32, x), cy = cb_iconst(&t->b, CLIF_I32, y);
            if (form == WASM_FORM_TABLE_GROW) {
                ClifInst call =
                    tr_builtin(t, VM_BUILTIN_TABLE_GROW, (ClifValue[]){w[0], w[1], cx}, 3);
                v = tr_un(t, CLIF_OP_IREDUCE, CLIF_I32, clif_result(t->f, call, 0)).i;
            } else if (form == WASM_FORM_TABLE_FILL)
                tr_builtin(t, VM_BUILTIN_TABLE_FILL, (ClifValue[]){w[0], w[1], w[2], cx}, 4);
            else if (form == WASM_FORM_ELEM_DROP)
                tr_builtin(t, VM_BUILTIN_ELEM_DROP, (ClifValue[]){cy}, 1);
            else
                tr_builtin(t, init ? VM_BUILTIN_TABLE_INIT : VM_BUILTIN_TABLE_COPY,
                           (ClifValue[]){w[0], w[1], w[2], cx, cy}, 5);
        }
    }
    if (form == WASM_FORM_TABLE_GET) tr_push(t, elem, v);
    if (form == WASM_FORM_TABLE_SIZE || form == WASM_FORM_TABLE_GROW) tr_push(t, WASM_I32, v);
    return true;
}

bool tr_ref(Tr *t, WasmForm form) {
    uint32_t x, v = 0;
    WasmType ty = WASM_FUNCREF;
    if (form == WASM_FORM_REF_NULL) {
        if (!rd_heaptype(&t->r, t->features, &ty)) return false;
        if (t->live) v = tr_i64(t, 0).i;
    } else if (form == WASM_FORM_REF_FUNC) {
        if (!rd_u32(&t->r, &x)) return false;
        if (x >= t->m->funcs.n) return TR_FAIL(t, INVALID, "unknown function %u", x);
        if (t->m->funcs.p[x].funcref == UINT32_MAX)
            return TR_FAIL(t, INVALID, "undeclared function reference");
        if (t->live)
            v = tr_vm_addr(t, t->lay->funcrefs +
                                  t->m->funcs.p[x].funcref * (uint32_t)sizeof(VmFuncRef))
                    .i;
    } else {
        if (!tr_pop_any(t, &ty, &x)) return false;
        if (ty != WASM_BOT && !wasm_is_ref(ty))
            return TR_FAIL(t, INVALID, "type mismatch: ref.is_null of %s", wasm_type_name(ty));
        if (t->live) v = tr_icmp_imm(t, CLIF_EQ, (ClifValue){x}, 0).i | TR_BOOL;
        ty = WASM_I32;
    }
    tr_push(t, ty, v);
    return true;
}
