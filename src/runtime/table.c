/* runtime/table.c — tables: arrays of references that grow by doubling up to their limit. */
#include "runtime/rt_int.h"

RtTable *rt_table_new(RtStore *s, WasmType elem, uint64_t min, uint64_t max, bool has_max,
                      Diag *d) {
    if (min > WASM_MAX_TABLE_ELEMS) {
        diag_msg(d, DIAG_LIMIT, "table of %llu elements is over the limit of %u",
                 (unsigned long long)min, (unsigned)WASM_MAX_TABLE_ELEMS);
        return NULL;
    }
    RtTable *t = arena_new(&s->arena, RtTable);
    *t = (RtTable){.store = s, .elem = elem, .has_max = has_max, .max = has_max ? max : UINT32_MAX};
    vec_reserve(&s->mem, &s->tables, s->tables.n + 1);
    if (min) {
        t->vm.elems = mem_alloc(&s->mem, min * sizeof(void *));
        memset(t->vm.elems, 0, min * sizeof(void *));
    }
    t->cap = t->vm.length = min;
    vec_push(&s->mem, &s->tables, t);
    return t;
}

uint64_t rt_table_grow(RtTable *t, uint64_t delta, void *init) {
    Mem *mem = &t->store->mem;
    uint64_t old = t->vm.length,
             lim = t->max < WASM_MAX_TABLE_ELEMS ? t->max : WASM_MAX_TABLE_ELEMS;
    if (delta > lim || old + delta > lim) return UINT64_MAX;
    uint64_t want = old + delta;
    if (want > t->cap) {
        uint64_t cap = t->cap * 2 > want ? t->cap * 2 : want;
        if (cap > lim) cap = lim;
        void **p = mem_try_realloc(mem, t->vm.elems, t->cap * sizeof *p, cap * sizeof *p);
        if (!p) return UINT64_MAX;
        t->vm.elems = p;
        t->cap = cap;
    }
    for (uint64_t i = old; i < want; i++) t->vm.elems[i] = init;
    t->vm.length = want;
    return old;
}

RtStore *rt_table_store(const RtTable *t) {
    return t->store;
}
WasmType rt_table_type(const RtTable *t) {
    return t->elem;
}
uint64_t rt_table_size(const RtTable *t) {
    return t->vm.length;
}
uint64_t rt_table_max(const RtTable *t) {
    return t->has_max ? t->max : UINT64_MAX;
}
void *rt_table_get(const RtTable *t, uint64_t at) {
    return t->vm.elems[at];
}
void rt_table_set(RtTable *t, uint64_t at, void *value) {
    t->vm.elems[at] = value;
}
