/* clif/function.c — life of a ClifFunc and the entities of its preamble.
 *
 * Every entity lives in a flat array of the function; clearing sets the counters to zero, so refilling
 * allocates only while it is larger than anything before. Memory flags and constants are interned: equal
 * contents have equal handles within a function. */
#include "clif/clif.h"

void clif_func_init(ClifFunc *f, Mem *m) {
    memset(f, 0, sizeof *f);
    f->mem = m;
    clif_func_clear(f);
}

void clif_func_clear(ClifFunc *f) {
    f->name = clif_user_name(0, 0);
    f->sig = (ClifSig){.callconv = CLIF_CC_FAST};
    vec_clear(&f->insts);
    vec_clear(&f->results);
    vec_clear(&f->links);
    vec_clear(&f->srclocs);
    vec_clear(&f->values);
    vec_clear(&f->blocks);
    listpool_clear(&f->lists);
    f->first_block = f->last_block = CLIF_NONE;
    f->num_aliases = 0;
    vec_clear(&f->sigs);
    vec_clear(&f->abi_params);
    vec_clear(&f->funcs);
    vec_clear(&f->gvs);
    vec_clear(&f->slots);
    vec_clear(&f->dyn_slots);
    vec_clear(&f->dyn_types);
    vec_clear(&f->jts);
    vec_clear(&f->jt_calls);
    vec_clear(&f->consts);
    vec_clear(&f->imm128s);
    vec_clear(&f->eh_tables);
    vec_clear(&f->eh_items);
    vec_clear(&f->memflags);
    vec_clear(&f->regions);
    vec_clear(&f->bytes);
    hashmap_clear(&f->intern);
    f->stack_limit = CLIF_NONE;
    vec_clear(&f->user_names);
    vec_clear(&f->stack_maps);
    vec_clear(&f->debug_tags);
    vec_clear(&f->labels);
}

void clif_func_free(ClifFunc *f) {
    Mem *m = f->mem;
    vec_free(m, &f->insts);
    vec_free(m, &f->results);
    vec_free(m, &f->links);
    vec_free(m, &f->srclocs);
    vec_free(m, &f->values);
    vec_free(m, &f->blocks);
    listpool_free(m, &f->lists);
    vec_free(m, &f->sigs);
    vec_free(m, &f->abi_params);
    vec_free(m, &f->funcs);
    vec_free(m, &f->gvs);
    vec_free(m, &f->slots);
    vec_free(m, &f->dyn_slots);
    vec_free(m, &f->dyn_types);
    vec_free(m, &f->jts);
    vec_free(m, &f->jt_calls);
    vec_free(m, &f->consts);
    vec_free(m, &f->imm128s);
    vec_free(m, &f->eh_tables);
    vec_free(m, &f->eh_items);
    vec_free(m, &f->memflags);
    vec_free(m, &f->regions);
    vec_free(m, &f->bytes);
    hashmap_free(m, &f->intern);
    vec_free(m, &f->user_names);
    vec_free(m, &f->stack_maps);
    vec_free(m, &f->debug_tags);
    vec_free(m, &f->labels);
}

/* ---- bytes ---- */
static ClifRange add_bytes(ClifFunc *f, const void *p, uint32_t n) {
    ClifRange r = {f->bytes.n, n};
    uint8_t *to = vec_extend(f->mem, &f->bytes, n);
    if (n) memcpy(to, p, n);
    return r;
}

ClifName clif_testcase_name(ClifFunc *f, const char *s, uint32_t n) {
    ClifRange r = add_bytes(f, s, n);
    return (ClifName){CLIF_NAME_TESTCASE, r.first, r.n};
}

/* ---- interned ---- */
uint16_t clif_intern_memflags(ClifFunc *f, ClifMemFlags mf) {
    uint64_t key = (uint64_t)1 << 63 | (uint64_t)mf.region << 16 | (uint64_t)mf.trap << 8 | mf.bits;
    bool fresh;
    uint32_t *at = hashmap_get_or_insert(f->mem, &f->intern, key, f->memflags.n, &fresh);
    if (fresh) {
        if (f->memflags.n > UINT16_MAX)
            COT_BUG("more than 65536 kinds of memory flags in a function");
        mf.pad = 0;
        vec_push(f->mem, &f->memflags, mf);
        return (uint16_t)(f->memflags.n - 1);
    }
    return (uint16_t)*at;
}

/* The entry of these contents among the interned; *fresh: it holds `number` now, else another constant's. */
static uint32_t *intern_const(ClifFunc *f, const void *bytes, uint32_t n, uint32_t number,
                              bool *fresh) {
    uint64_t key = hash_bytes(bytes, n, 0) >> 1;
    for (;; key = (key + 1) & (UINT64_MAX >> 1)) {
        uint32_t *k = hashmap_get_or_insert(f->mem, &f->intern, key, number, fresh);
        if (*fresh) return k;
        ClifRange r = f->consts.p[*k];
        if (r.n == n && (n == 0 || !memcmp(f->bytes.p + r.first, bytes, n))) return k;
    }
}

ClifConst clif_intern_const(ClifFunc *f, const void *bytes, uint32_t n) {
    bool fresh;
    uint32_t k = *intern_const(f, bytes, n, f->consts.n, &fresh);
    if (fresh) {
        ClifRange r = add_bytes(f, bytes, n);
        vec_push(f->mem, &f->consts, r);
    }
    return (ClifConst){k};
}

void clif_set_const(ClifFunc *f, ClifConst c, const void *bytes, uint32_t n) {
    while (f->consts.n <= c.i) vec_push(f->mem, &f->consts, (ClifRange){CLIF_NONE, 0});
    COT_ASSERT(f->consts.p[c.i].first == CLIF_NONE);
    f->consts.p[c.i] = add_bytes(f, bytes, n);
    bool fresh;
    *intern_const(f, bytes, n, c.i, &fresh) = c.i;
}

ClifImm128 clif_make_imm128(ClifFunc *f, const uint8_t bytes[16]) {
    ClifRange r = add_bytes(f, bytes, 16);
    vec_push(f->mem, &f->imm128s, r);
    return (ClifImm128){f->imm128s.n - 1};
}

/* ---- signatures and functions ---- */
/* p after room was made in abi_params, which moves when it grows: p may point to another signature in it. */
static const ClifAbiParam *moved(const ClifFunc *f, uintptr_t old_base, const ClifAbiParam *p) {
    uintptr_t src = (uintptr_t)p;
    bool inside = src >= old_base && src < old_base + (size_t)f->abi_params.n * sizeof *p;
    return inside ? f->abi_params.p + (src - old_base) / sizeof *p : p;
}

static uint32_t add_abi_params(ClifFunc *f, const ClifAbiParam *p, uint32_t n) {
    uint32_t first = f->abi_params.n;
    if (n) memcpy(f->abi_params.p + first, p, n * sizeof *p);
    f->abi_params.n += n;
    return first;
}

static ClifSig make_sig(ClifFunc *f, ClifCallConv cc, const ClifAbiParam *params, uint32_t np,
                        const ClifAbiParam *rets, uint32_t nr) {
    ClifSig s = {.callconv = (uint8_t)cc, .nparams = np, .nreturns = nr};
    uintptr_t old_base = (uintptr_t)f->abi_params.p;
    vec_reserve(f->mem, &f->abi_params, (uint64_t)f->abi_params.n + np + nr);
    params = moved(f, old_base, params);
    rets = moved(f, old_base, rets);
    s.params = add_abi_params(f, params, np);
    s.returns = add_abi_params(f, rets, nr);
    return s;
}

ClifSigRef clif_import_sig(ClifFunc *f, ClifCallConv cc, const ClifAbiParam *params, uint32_t np,
                           const ClifAbiParam *rets, uint32_t nr) {
    ClifSig s = make_sig(f, cc, params, np, rets, nr);
    vec_push(f->mem, &f->sigs, s);
    return (ClifSigRef){f->sigs.n - 1};
}

void clif_set_sig(ClifFunc *f, ClifCallConv cc, const ClifAbiParam *params, uint32_t np,
                  const ClifAbiParam *rets, uint32_t nr) {
    f->sig = make_sig(f, cc, params, np, rets, nr);
}

ClifFuncRef clif_import_func(ClifFunc *f, ClifExtFunc ef) {
    vec_push(f->mem, &f->funcs, ef);
    return (ClifFuncRef){f->funcs.n - 1};
}

const ClifSig *clif_call_sig(const ClifFunc *f, ClifInst i) {
    const ClifInstData *d = &f->insts.p[i.i];
    uint32_t sig = CLIF_NONE;
    ClifFormat fmt = (ClifFormat)clif_op_info[d->op].format;
    if (fmt == CLIF_FMT_Call || fmt == CLIF_FMT_TryCall)
        sig = d->b < f->funcs.n ? f->funcs.p[d->b].sig.i : CLIF_NONE;
    else if (fmt == CLIF_FMT_CallIndirect)
        sig = d->b;
    else if (fmt == CLIF_FMT_TryCallIndirect)
        sig = d->c < f->eh_tables.n ? f->eh_tables.p[d->c].sig.i : CLIF_NONE;
    return sig < f->sigs.n ? &f->sigs.p[sig] : NULL;
}

/* ---- other entities ---- */
ClifStackSlot clif_make_stack_slot(ClifFunc *f, uint32_t size, uint8_t align_log2) {
    vec_push(f->mem, &f->slots, (ClifStackSlotData){.size = size, .align_log2 = align_log2});
    return (ClifStackSlot){f->slots.n - 1};
}

ClifDynType clif_make_dyn_type(ClifFunc *f, ClifType base_vector, ClifGlobalValue scale) {
    vec_push(f->mem, &f->dyn_types, (ClifDynTypeData){base_vector, scale.i});
    return (ClifDynType){f->dyn_types.n - 1};
}

ClifDynStackSlot clif_make_dyn_stack_slot(ClifFunc *f, ClifDynType t) {
    vec_push(f->mem, &f->dyn_slots, (ClifDynStackSlotData){t.i});
    return (ClifDynStackSlot){f->dyn_slots.n - 1};
}

ClifGlobalValue clif_make_gv(ClifFunc *f, ClifGlobalValueData gv) {
    vec_push(f->mem, &f->gvs, gv);
    return (ClifGlobalValue){f->gvs.n - 1};
}

uint32_t clif_make_alias_region(ClifFunc *f, uint32_t user_id, const char *desc, uint32_t len) {
    ClifAliasRegion r = {user_id, add_bytes(f, desc, len)};
    vec_push(f->mem, &f->regions, r);
    return f->regions.n - 1;
}

static uint32_t add_calls(ClifFunc *f, const ListRef *calls, uint32_t n) {
    uint32_t first = f->jt_calls.n;
    ListRef *to = vec_extend(f->mem, &f->jt_calls, n);
    memcpy(to, calls, n * sizeof *calls);
    return first;
}

ClifJumpTable clif_make_jump_table(ClifFunc *f, const ListRef *calls, uint32_t n) {
    COT_ASSERT(n >= 1);
    uint32_t first = add_calls(f, calls, n);
    vec_push(f->mem, &f->jts, (ClifJumpTableData){first, n});
    return (ClifJumpTable){f->jts.n - 1};
}

ClifEhTable clif_make_eh_table(ClifFunc *f, ClifSigRef sig, const ListRef *calls, uint32_t ncalls,
                               const ClifEhItem *items, uint32_t n) {
    COT_ASSERT(ncalls >= 1);
    ClifEhTableData t = {.sig = sig,
                         .calls = add_calls(f, calls, ncalls),
                         .ncalls = ncalls,
                         .first = f->eh_items.n,
                         .n = n};
    uint32_t next = t.calls + 1;
    for (uint32_t k = 0; k < n; k++) {
        ClifEhItem it = items[k];
        it.call = it.kind == CLIF_EH_CONTEXT ? CLIF_NONE : next++;
        vec_push(f->mem, &f->eh_items, it);
    }
    COT_ASSERT(next == t.calls + ncalls);
    vec_push(f->mem, &f->eh_tables, t);
    return (ClifEhTable){f->eh_tables.n - 1};
}
