/* wasm/environ.c — memories, globals, builtins: what Wasm code sees of its instance (vmctx.h).
 *
 * Static style   address = base + uextend(index), the constant offset in the access; the base is loaded once, in the
 *                entry block, and the sum is remembered per index value while the block lasts. Out of bounds is a
 *                fault in the reservation.
 * Checked style  base and length come from the VmMemory, once per block and after each call (only a call can grow a memory);
 *                index + (offset + size) is compared in 64 bits, where it cannot wrap, then the access follows. A later
 *                access to the same index that ends no further needs no comparison.
 * Invariants     accesses are little endian, of any alignment, with trap heap_oob; VMContext accesses cannot trap.
 */
#include "wasm/tr.h"

static uint16_t flags(Tr *t, uint8_t bits, uint8_t trap) {
    return clif_intern_memflags(t->f,
                                (ClifMemFlags){.bits = bits, .trap = trap, .region = CLIF_NONE});
}

void tr_env_begin(Tr *t) {
    ClifFunc *f = t->f;
    for (uint32_t k = 0; k < t->touched_funcs.n; k++) t->func_refs.p[t->touched_funcs.p[k]] = 0;
    for (uint32_t k = 0; k < t->touched_sigs.n; k++) t->sig_refs.p[t->touched_sigs.p[k]] = 0;
    vec_clear(&t->touched_funcs);
    vec_clear(&t->touched_sigs);
    if (t->func_refs.n < t->m->funcs.n) vec_resize0(t->mem, &t->func_refs, t->m->funcs.n);
    if (t->sig_refs.n < t->m->types.n) vec_resize0(t->mem, &t->sig_refs, t->m->types.n);
    memset(t->builtin_sig, 0, sizeof t->builtin_sig);
    memset(t->mem_base, 0, sizeof t->mem_base);
    for (uint32_t k = 0; k < 16; k++) t->addr_cache[k].block = CLIF_NONE;
    t->loaded.block = CLIF_NONE;
    t->calls_made = 0;
    t->mf_heap = flags(t, CLIF_MEM_LITTLE, CLIF_TRAP_HEAP_OUT_OF_BOUNDS);
    t->mf_default = flags(t, 0, CLIF_TRAP_HEAP_OUT_OF_BOUNDS);
    t->mf_vm = flags(t, 0, CLIF_TRAP_NONE);
    t->mf_const =
        flags(t, CLIF_MEM_ALIGNED | CLIF_MEM_READONLY | CLIF_MEM_CAN_MOVE, CLIF_TRAP_NONE);
    t->mf_null = flags(t, CLIF_MEM_ALIGNED, VM_TRAP_INDIRECT_CALL_TO_NULL);
    ClifGlobalValue vm =
        clif_make_gv(f, (ClifGlobalValueData){.kind = CLIF_GV_VMCTX, .type = CLIF_I64});
    ClifGlobalValueData ld = {
        .kind = CLIF_GV_LOAD, .type = CLIF_I64, .base = vm.i, .offset = VM_OFF_LIMITS};
    ld.memflags = flags(t, CLIF_MEM_ALIGNED | CLIF_MEM_READONLY, CLIF_TRAP_NONE);
    ClifGlobalValue lim = clif_make_gv(f, ld);
    ld.memflags = flags(t, CLIF_MEM_ALIGNED, CLIF_TRAP_NONE);
    ld.base = lim.i;
    ld.offset = VM_LIMITS_STACK;
    f->stack_limit = clif_make_gv(f, ld).i;
}

/* Static: the memory's base. Checked: its VmMemory. Loaded in the entry block, once. */
static ClifValue memory_anchor(Tr *t, uint32_t mem) {
    if (!t->mem_base[mem]) {
        bool fixed = t->tn->mem_style == WASM_MEM_STATIC;
        uint32_t off = t->lay->memories + mem * (uint32_t)sizeof(VmMemoryRef) +
                       (fixed ? VM_MEMREF_BASE : VM_MEMREF_DEF);
        ClifInstData d = {
            .op = CLIF_OP_LOAD, .type = CLIF_I64, .aux = t->mf_const, .a = t->vmctx.i, .b = off};
        t->mem_base[mem] = cb_ins1_in_entry(&t->b, d, CLIF_I64).i + 1;
    }
    return (ClifValue){t->mem_base[mem] - 1};
}
static ClifValue vm_memory(Tr *t, uint32_t mem) {
    return tr_vm_load(t, CLIF_I64, t->mf_const, t->vmctx,
                      t->lay->memories + mem * (uint32_t)sizeof(VmMemoryRef) + VM_MEMREF_DEF);
}
/* An i32 as an i64; a constant stays one, so that it becomes part of the access's displacement. */
static ClifValue widen(Tr *t, uint32_t v) {
    const ClifValueData *vd = &t->f->values.p[v & ~TR_BOOL];
    if (vd->kind == CLIF_VAL_INST && t->f->insts.p[vd->ref].op == CLIF_OP_ICONST)
        return tr_i64(t, (int64_t)(uint32_t)clif_imm64(&t->f->insts.p[vd->ref]));
    return tr_un(t, CLIF_OP_UEXTEND, CLIF_I64, tr_cond(v));
}

/* base + index in the checked style, after the comparison with the length. */
static ClifValue checked_address(Tr *t, uint32_t mem, ClifValue anchor, uint32_t index,
                                 uint64_t end) {
    if (t->loaded.memory != mem || t->loaded.block != t->b.cur.i ||
        t->loaded.calls != t->calls_made) {
        t->loaded.memory = mem;
        t->loaded.block = t->b.cur.i;
        t->loaded.calls = t->calls_made;
        t->loaded.length = tr_vm_load(t, CLIF_I64, t->mf_vm, anchor, VM_MEMORY_BYTES).i;
        t->loaded.base = tr_vm_load(t, CLIF_I64, t->mf_vm, anchor, VM_MEMORY_BASE).i;
    }
    ClifValue i = widen(t, index);
    ClifValue last = tr_bin(t, CLIF_OP_IADD, CLIF_I64, i, tr_i64(t, (int64_t)end));
    ClifValue out = cb_icmp(&t->b, CLIF_UGT, last, (ClifValue){t->loaded.length});
    cb_trapnz(&t->b, out, CLIF_TRAP_HEAP_OUT_OF_BOUNDS);
    ClifValue at = tr_bin(t, CLIF_OP_IADD, CLIF_I64, (ClifValue){t->loaded.base}, i);
    if (!t->tn->spectre_guards) return at;
    return cb_ternary(&t->b, CLIF_OP_SELECT_SPECTRE_GUARD, out, tr_i64(t, 0), at);
}

static ClifValue address(Tr *t, uint32_t mem, uint32_t index, uint32_t offset, uint32_t size,
                         int32_t *disp) {
    ClifValue anchor = memory_anchor(t, mem), at;
    uint32_t slot = (index ^ mem) & 15;
    bool fixed = t->tn->mem_style == WASM_MEM_STATIC;
    uint64_t end = (uint64_t)offset + size;
    if (t->addr_cache[slot].index == index && t->addr_cache[slot].memory == mem &&
        t->addr_cache[slot].block == t->b.cur.i &&
        (fixed ||
         (t->addr_cache[slot].calls == t->calls_made && end <= t->addr_cache[slot].checked))) {
        at.i = t->addr_cache[slot].addr;
    } else {
        at = fixed ? tr_bin(t, CLIF_OP_IADD, CLIF_I64, anchor, widen(t, index))
                   : checked_address(t, mem, anchor, index, end);
        t->addr_cache[slot].index = index;
        t->addr_cache[slot].memory = mem;
        t->addr_cache[slot].block = t->b.cur.i;
        t->addr_cache[slot].addr = at.i;
        t->addr_cache[slot].calls = t->calls_made;
        t->addr_cache[slot].checked = end;
    }
    *disp = (int32_t)offset;
    if (offset > INT32_MAX) {
        at = tr_bin(t, CLIF_OP_IADD, CLIF_I64, at, tr_i64(t, offset));
        *disp = 0;
    }
    return at;
}

static bool memarg(Tr *t, uint32_t size, uint32_t *mem, uint32_t *offset) {
    uint32_t align;
    *mem = 0;
    if (!rd_u32(&t->r, &align)) return false;
    if (TR_UNLIKELY(align >= 32)) {
        if (align & 64) {
            if (!(t->features >> WASM_FEAT_MULTI_MEMORY & 1))
                return wasm_refuse(t->r.d, WASM_FEAT_MULTI_MEMORY, tr_off(t), "memory index");
            if (!rd_u32(&t->r, mem)) return false;
            align &= ~64u;
        }
        if (align >= 32) return TR_FAIL(t, MALFORMED, "malformed memory operator flags");
    }
    if (!rd_u32(&t->r, offset)) return false;
    if (TR_UNLIKELY(*mem >= t->m->memories.n))
        return TR_FAIL(t, INVALID, "unknown memory %u", *mem);
    if (TR_UNLIKELY(1u << align > size))
        return TR_FAIL(t, INVALID, "alignment must not be larger than natural");
    return true;
}

bool tr_access(Tr *t, uint32_t size, TrAccess *a) {
    a->size = size;
    return memarg(t, size, &a->mem, &a->offset);
}

bool tr_access_addr(Tr *t, TrAccess *a) {
    uint32_t x;
    if (!tr_pop(t, WASM_I32, &x)) return false;
    if (t->live) a->addr = address(t, a->mem, x, a->offset, a->size, &a->disp);
    return true;
}

bool tr_load(Tr *t, const WasmOpInfo *o) {
    WasmType ty = wasm_sig_type[(uint8_t)o->sig[2]];
    uint32_t v = 0;
    TrAccess a;
    if (!tr_access(t, o->aux, &a) || !tr_access_addr(t, &a)) return false;
    if (t->live) v = cb_load(&t->b, (ClifOp)o->clif, tr_clif(ty), t->mf_heap, a.addr, a.disp).i;
    tr_push(t, ty, v);
    return true;
}

bool tr_store(Tr *t, const WasmOpInfo *o) {
    uint32_t y;
    TrAccess a;
    if (!tr_access(t, o->aux, &a) || !tr_pop(t, wasm_sig_type[(uint8_t)o->sig[1]], &y))
        return false;
    ClifValue data = t->live ? tr_val(t, y) : (ClifValue){0};
    if (!tr_access_addr(t, &a)) return false;
    if (t->live) cb_store(&t->b, (ClifOp)o->clif, t->mf_heap, data, a.addr, a.disp);
    return true;
}

/* ---- globals ---- */
bool tr_global(Tr *t, bool set) {
    uint32_t i, v = 0;
    if (!rd_u32(&t->r, &i)) return false;
    if (i >= t->m->globals.n) return TR_FAIL(t, INVALID, "unknown global %u", i);
    const WasmGlobal *g = &t->m->globals.p[i];
    ClifType ty = tr_clif(g->type.type);
    if (set && !g->type.mut) return TR_FAIL(t, INVALID, "global %u is immutable", i);
    if (set && !tr_pop(t, g->type.type, &v)) return false;
    if (t->live) {
        const WasmConstInst *k = g->init.n == 1 ? &t->m->const_insts.p[g->init.first] : NULL;
        if (set) v = tr_val(t, v).i;
        if (!g->type.mut && k && k->op <= WASM_CE_V128) {
            v = k->op == WASM_CE_V128  ? tr_vconst(t, CLIF_I8X16, t->m->bytes + k->imm).i
                : k->op == WASM_CE_F32 ? cb_f32const(&t->b, (uint32_t)k->imm).i
                : k->op == WASM_CE_F64 ? cb_f64const(&t->b, k->imm).i
                                       : cb_iconst(&t->b, ty, (int64_t)k->imm).i;
        } else {
            ClifValue p = t->vmctx;
            uint32_t off = t->lay->globals + 16 * i;
            if (i < t->m->num_imported_globals) {
                p = tr_vm_load(t, CLIF_I64, t->mf_const, p, off);
                off = 0;
            }
            if (set)
                cb_store(&t->b, CLIF_OP_STORE, t->mf_vm, (ClifValue){v}, p, (int32_t)off);
            else
                v = tr_vm_load(t, ty, t->mf_vm, p, off).i;
        }
    }
    if (!set) tr_push(t, g->type.type, v);
    return true;
}

/* ---- builtins ---- */
typedef struct BuiltinSig {
    char params[8], result[2];
} BuiltinSig;
static const BuiltinSig builtin_sigs[VM_BUILTIN_COUNT] = {
#define VM_BUILTIN(NAME, name, params, result, can_trap) {params, result},
#include "image/builtins.def"
#undef VM_BUILTIN
};

ClifInst tr_builtin(Tr *t, VmBuiltin which, const ClifValue *args, uint32_t n) {
    const BuiltinSig *s = &builtin_sigs[which];
    ClifAbiParam p[9], r;
    ClifValue v[9];
    for (uint32_t k = 0; k < n; k++) {
        p[k] = (ClifAbiParam){.type = s->params[k] == 'i' ? CLIF_I32 : CLIF_I64};
        v[k] = args[k];
    }
    p[n] = (ClifAbiParam){.type = CLIF_I64};
    v[n] = t->vmctx;
    r = (ClifAbiParam){.type = s->result[0] == 'i' ? CLIF_I32 : CLIF_I64};
    if (!t->builtin_sig[which])
        t->builtin_sig[which] =
            clif_import_sig(t->f, t->tn->host_callconv, p, n + 1, &r, s->result[0] != 0).i + 1;
    ClifValue table = tr_vm_load(t, CLIF_I64, t->mf_const, t->vmctx, VM_OFF_BUILTINS);
    ClifValue code = tr_vm_load(t, CLIF_I64, t->mf_const, table, 8 * (uint32_t)which);
    t->calls_made++;
    return cb_call_indirect(&t->b, (ClifSigRef){t->builtin_sig[which] - 1}, code, v, n + 1);
}

void tr_interrupt_check(Tr *t) {
    ClifValue lim = tr_vm_load(t, CLIF_I64, t->mf_const, t->vmctx, VM_OFF_LIMITS);
    ClifValue flag = tr_vm_load(t, CLIF_I64, t->mf_vm, lim, VM_LIMITS_INTERRUPT);
    ClifBlock slow = cb_create_block(&t->b), next = cb_create_block(&t->b);
    cb_set_cold(&t->b, slow);
    cb_brif(&t->b, flag, slow, NULL, 0, next, NULL, 0);
    cb_seal(&t->b, slow);
    cb_switch_to(&t->b, slow);
    tr_builtin(t, VM_BUILTIN_INTERRUPT, NULL, 0);
    cb_jump(&t->b, next, NULL, 0);
    cb_seal(&t->b, next);
    cb_switch_to(&t->b, next);
}

/* ---- memory.* ---- */
static bool memory_index(Tr *t, uint32_t *mem) {
    if (!(t->features >> WASM_FEAT_MULTI_MEMORY & 1)) {
        if (t->r.p < t->r.end && *t->r.p) return TR_FAIL(t, MALFORMED, "zero byte expected");
    }
    if (!rd_u32(&t->r, mem)) return false;
    return *mem < t->m->memories.n || TR_FAIL(t, INVALID, "unknown memory %u", *mem);
}
static bool segment(Tr *t, uint32_t *seg) {
    if (!rd_u32(&t->r, seg)) return false;
    if (!t->m->has_data_count) return TR_FAIL(t, MALFORMED, "data count section required");
    return *seg < t->m->datas.n || TR_FAIL(t, INVALID, "unknown data segment %u", *seg);
}
static ClifValue const32(Tr *t, uint32_t x) {
    return cb_iconst(&t->b, CLIF_I32, x);
}

bool tr_memory_op(Tr *t, WasmForm form) {
    static const WasmType three[3] = {WASM_I32, WASM_I32, WASM_I32};
    uint32_t mem = 0, other = 0, a[3], v = 0;
    bool ok = form == WASM_FORM_DATA_DROP     ? segment(t, &other)
              : form == WASM_FORM_MEMORY_INIT ? segment(t, &other) && memory_index(t, &mem)
              : form == WASM_FORM_MEMORY_COPY ? memory_index(t, &mem) && memory_index(t, &other)
                                              : memory_index(t, &mem);
    if (!ok) return false;
    uint32_t n = form == WASM_FORM_MEMORY_SIZE || form == WASM_FORM_DATA_DROP ? 0
                 : form == WASM_FORM_MEMORY_GROW                              ? 1
                                                                              : 3;
    if (!tr_pop_list(t, three, n, a)) return false;
    if (t->live) {
        ClifValue m = const32(t, mem), w[3];
        for (uint32_t k = 0; k < n; k++)
            w[k] = form == WASM_FORM_MEMORY_FILL && k == 1 ? (ClifValue){a[k]} : widen(t, a[k]);
        if (form == WASM_FORM_MEMORY_SIZE) {
            ClifValue bytes = tr_vm_load(t, CLIF_I64, t->mf_vm, vm_memory(t, mem), VM_MEMORY_BYTES);
            v = tr_un(t, CLIF_OP_IREDUCE, CLIF_I32,
                      tr_bin(t, CLIF_OP_USHR, CLIF_I64, bytes, const32(t, 16)))
                    .i;
        } else if (form == WASM_FORM_MEMORY_GROW) {
            ClifInst call = tr_builtin(t, VM_BUILTIN_MEMORY_GROW, (ClifValue[]){w[0], m}, 2);
            v = tr_un(t, CLIF_OP_IREDUCE, CLIF_I32, clif_result(t->f, call, 0)).i;
        } else if (form == WASM_FORM_MEMORY_COPY) {
            tr_builtin(t, VM_BUILTIN_MEMORY_COPY,
                       (ClifValue[]){w[0], w[1], w[2], m, const32(t, other)}, 5);
        } else if (form == WASM_FORM_MEMORY_FILL) {
            tr_builtin(t, VM_BUILTIN_MEMORY_FILL, (ClifValue[]){w[0], w[1], w[2], m}, 4);
        } else if (form == WASM_FORM_MEMORY_INIT) {
            tr_builtin(t, VM_BUILTIN_MEMORY_INIT,
                       (ClifValue[]){w[0], w[1], w[2], m, const32(t, other)}, 5);
        } else {
            tr_builtin(t, VM_BUILTIN_DATA_DROP, (ClifValue[]){const32(t, other)}, 1);
        }
    }
    if (form == WASM_FORM_MEMORY_SIZE || form == WASM_FORM_MEMORY_GROW) tr_push(t, WASM_I32, v);
    return true;
}
