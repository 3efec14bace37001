/* runtime/table.c — tables: arrays of references that grow by doubling up to their limit. */
#include "runtime/rt_int.h"

#define MAX_ELEMS 10000000u /* as WASM_MAX_TABLE_ELEMS */

RtTable *rt_table_new(RtStore *s, WasmType elem, uint64_t min, uint64_t max, bool has_max,
                      Diag *d) {
    if (min > MAX_ELEMS) {
        diag_msg(d, DIAG_LIMIT, "table of %llu elements is over the limit of %u",
                 (unsigned long long)min, MAX_ELEMS);
        return NULL;
    }
    RtTable *t = arena_new(&s->arena, RtTable);
    memset(t, 0, sizeof *t);
    t->elem = elem;
    t->has_max = has_max;
    t->max = has_max ? max : UINT32_MAX;
    t->cap = min;
    t->vm.length = min;
    if (min) {
        t->vm.elems = mem_alloc(&s->mem, min * sizeof(void *));
        memset(t->vm.elems, 0, min * sizeof(void *));
    }
    vec_push(&s->mem, &s->tables, t);
    return t;
}

void rt_table_free(RtStore *s, RtTable *t) {
    mem_free(&s->mem, t->vm.elems, t->cap * sizeof(void *));
}

uint64_t rt_table_grow(RtStore *s, RtTable *t, uint64_t delta, void *init) {
    uint64_t old = t->vm.length, lim = t->max < MAX_ELEMS ? t->max : MAX_ELEMS;
    if (delta > lim || old + delta > lim) return UINT64_MAX;
    uint64_t want = old + delta;
    if (want > t->cap) {
        uint64_t cap = t->cap * 2 > want ? t->cap * 2 : want;
        if (cap > lim) cap = lim;
        t->vm.elems =
            mem_realloc(&s->mem, t->vm.elems, t->cap * sizeof(void *), cap * sizeof(void *));
        t->cap = cap;
    }
    for (uint64_t i = old; i < want; i++) t->vm.elems[i] = init;
    t->vm.length = want;
    return old;
}
