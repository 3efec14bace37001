/* wasm/adapters.c — the two bridges between C and Wasm conventions, as CLIF (wasm.h says what they do).
 * A value takes 16 bytes in the array; i32 is stored zero-extended to 64 bits, all else in its own width. */
#include "wasm/wasm_int.h"

#define SAME(A, B) _Static_assert((int)(A) == (int)(B), "the runtime's numbers of trap codes")
SAME(VM_TRAP_NONE, CLIF_TRAP_NONE);
SAME(VM_TRAP_BAD_CONVERSION, CLIF_TRAP_BAD_CONVERSION_TO_INTEGER);
SAME(VM_TRAP_DIVISION_BY_ZERO, CLIF_TRAP_INTEGER_DIVISION_BY_ZERO);
SAME(VM_TRAP_INTEGER_OVERFLOW, CLIF_TRAP_INTEGER_OVERFLOW);
SAME(VM_TRAP_MEMORY_OUT_OF_BOUNDS, CLIF_TRAP_HEAP_OUT_OF_BOUNDS);
SAME(VM_TRAP_STACK_OVERFLOW, CLIF_TRAP_STACK_OVERFLOW);
#undef SAME

enum { SLOT = 16 };
typedef struct Adapter {
    ClifBuilder *b;
    ClifFunc *f;
    const WasmModule *m;
    const WasmFuncType *ft;
    uint16_t mf;
    ClifBlock entry;
} Adapter;

static WasmType type_at(const Adapter *a, uint32_t first, uint32_t k) {
    return a->m->valtypes.p[first + k];
}

static void put(Adapter *a, WasmType ty, ClifValue v, ClifValue base, uint32_t k) {
    if (ty == WASM_I32) v = cb_unary(a->b, CLIF_OP_UEXTEND, CLIF_I64, v);
    cb_store(a->b, CLIF_OP_STORE, a->mf, v, base, (int32_t)(SLOT * k));
}
static ClifValue get(Adapter *a, WasmType ty, ClifValue base, uint32_t k) {
    return cb_load(a->b, CLIF_OP_LOAD, wasm_clif_type[ty], a->mf, base, (int32_t)(SLOT * k));
}

/* Appends the Wasm signature of the type to the function's ABI parameters: the parameters, then the returns.
 * Returns where; *np is the number of parameters. */
static uint32_t wasm_abi(Adapter *a, uint32_t *np) {
    const WasmFuncType *ft = a->ft;
    uint32_t first = a->f->abi_params.n;
    *np = ft->nparams + 1;
    ClifAbiParam *p = vec_extend(a->f->mem, &a->f->abi_params, (uint64_t)*np + ft->nresults);
    p[0] = (ClifAbiParam){.type = CLIF_I64, .purpose = CLIF_ARG_VMCTX};
    for (uint32_t k = 0; k < ft->nparams; k++)
        p[k + 1] = (ClifAbiParam){.type = wasm_clif_type[type_at(a, ft->params, k)]};
    for (uint32_t k = 0; k < ft->nresults; k++)
        p[*np + k] = (ClifAbiParam){.type = wasm_clif_type[type_at(a, ft->results, k)]};
    return first;
}
static ClifValue *room(Adapter *a, uint32_t n) {
    vec_clear(&a->b->args);
    return (ClifValue *)vec_extend(a->b->mem, &a->b->args, n);
}

static Adapter begin(ClifBuilder *b, ClifFunc *out, const WasmModule *m, uint32_t type) {
    Adapter a = {.b = b, .f = out, .m = m, .ft = &m->types.p[type]};
    clif_func_clear(out);
    out->name = (ClifName){CLIF_NAME_USER, 1, type};
    return a;
}
static void enter(Adapter *a) {
    clif_builder_begin(a->b, a->f);
    a->entry = cb_create_block(a->b);
    cb_entry_params(a->b, a->entry);
    cb_switch_to(a->b, a->entry);
    cb_seal(a->b, a->entry);
    a->mf = clif_intern_memflags(
        a->f,
        (ClifMemFlags){.bits = CLIF_MEM_ALIGNED, .trap = CLIF_TRAP_NONE, .region = CLIF_NONE});
}
static ClifValue param(Adapter *a, uint32_t k) {
    uint32_t n;
    return (ClifValue){clif_block_params(a->f, a->entry, &n)[k]};
}

void wasm_make_entry_adapter(ClifBuilder *b, ClifFunc *out, const WasmModule *m, uint32_t type,
                             const WasmTunables *tn) {
    Adapter a = begin(b, out, m, type);
    const WasmFuncType *ft = a.ft;
    uint32_t np, first = wasm_abi(&a, &np);
    ClifAbiParam c[3] = {{.type = CLIF_I64}, {.type = CLIF_I64}, {.type = CLIF_I64}};
    clif_set_sig(out, tn->host_callconv, c, 3, NULL, 0);
    enter(&a);
    const ClifAbiParam *p = out->abi_params.p + first;
    ClifSigRef sig = clif_import_sig(out, tn->callconv, p, np, p + np, ft->nresults);
    ClifValue values = param(&a, 2), *args = room(&a, np);
    args[0] = param(&a, 0);
    for (uint32_t k = 0; k < ft->nparams; k++)
        args[k + 1] = get(&a, type_at(&a, ft->params, k), values, k);
    ClifInst call = cb_call_indirect(b, sig, param(&a, 1), args, np);
    for (uint32_t k = 0; k < ft->nresults; k++)
        put(&a, type_at(&a, ft->results, k), clif_result(out, call, k), values, k);
    cb_return(b, NULL, 0);
    clif_builder_end(b);
}

void wasm_make_host_adapter(ClifBuilder *b, ClifFunc *out, const WasmModule *m, uint32_t type,
                            const WasmTunables *tn) {
    Adapter a = begin(b, out, m, type);
    const WasmFuncType *ft = a.ft;
    uint32_t np, n = ft->nparams > ft->nresults ? ft->nparams : ft->nresults;
    uint32_t first = wasm_abi(&a, &np);
    ClifAbiParam c[2] = {{.type = CLIF_I64}, {.type = CLIF_I64}};
    const ClifAbiParam *p = out->abi_params.p + first;
    clif_set_sig(out, tn->callconv, p, np, p + np, ft->nresults);
    enter(&a);
    ClifSigRef sig = clif_import_sig(out, tn->host_callconv, c, 2, NULL, 0);
    ClifStackSlot slot = clif_make_stack_slot(out, SLOT * (n ? n : 1), 4);
    ClifValue values = cb_ins1(
        b, (ClifInstData){.op = CLIF_OP_STACK_ADDR, .type = CLIF_I64, .a = slot.i}, CLIF_I64);
    for (uint32_t k = 0; k < ft->nparams; k++)
        put(&a, type_at(&a, ft->params, k), param(&a, k + 1), values, k);
    ClifValue fn = cb_load(b, CLIF_OP_LOAD, CLIF_I64, a.mf, param(&a, 0),
                           (int32_t)offsetof(VmHostFunc, dispatch));
    cb_call_indirect(b, sig, fn, (ClifValue[]){param(&a, 0), values}, 2);
    ClifValue *res = room(&a, n + 1);
    for (uint32_t k = 0; k < ft->nresults; k++)
        res[k] = get(&a, type_at(&a, ft->results, k), values, k);
    cb_return(b, res, ft->nresults);
    clif_builder_end(b);
}
