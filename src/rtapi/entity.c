/* rtapi/entity.c — memories, tables, globals. */
#include "rtapi/rtapi.h"

/* ---- memories ---- */
CotMemory *cot_memory_new(CotStore *store, uint64_t min, uint64_t max, CotError *error) {
    if (max < min || (max != COT_NO_MAXIMUM && max > 65536)) {
        api_fail(error, COT_MISUSE, "a memory's maximum is between its minimum and 65536 pages");
        return NULL;
    }
    Diag d;
    diag_clear(&d);
    RtExtern x = rt_host_memory(store_rt(store), min, max, &d);
    if (!x.memory) api_fail_diag(error, &d);
    return memory_api(x.memory);
}

uint8_t *cot_memory_data(const CotMemory *m) {
    uint64_t n;
    uint8_t *p = rt_memory_data(memory_rt(m), &n);
    return n ? p : NULL;
}
uint64_t cot_memory_size(const CotMemory *m) {
    uint64_t n;
    rt_memory_data(memory_rt(m), &n);
    return n;
}
uint64_t cot_memory_pages(const CotMemory *m) {
    return cot_memory_size(m) / 65536;
}

CotStatus cot_memory_grow(CotMemory *m, uint64_t pages, uint64_t *old, CotError *error) {
    uint64_t was = rt_memory_grow(memory_rt(m), pages);
    if (was == UINT64_MAX)
        return api_fail(error, COT_LIMIT, "a memory of %llu pages cannot grow by %llu",
                        (unsigned long long)cot_memory_pages(m), (unsigned long long)pages);
    if (old) *old = was;
    return COT_OK;
}

static uint8_t *place(const CotMemory *m, uint64_t at, size_t n, CotError *error) {
    uint64_t size;
    uint8_t *p = rt_memory_data(memory_rt(m), &size);
    if (at <= size && n <= size - at) return p + at;
    api_fail(error, COT_MISUSE, "%zu bytes at 0x%llx are not all inside the memory of 0x%llx bytes",
             n, (unsigned long long)at, (unsigned long long)size);
    return NULL;
}

CotStatus cot_memory_read(const CotMemory *m, uint64_t at, void *to, size_t n, CotError *error) {
    if (n == 0 && at <= cot_memory_size(m)) return COT_OK;
    const uint8_t *p = place(m, at, n, error);
    if (!p) return COT_MISUSE;
    memcpy(to, p, n);
    return COT_OK;
}

CotStatus cot_memory_write(CotMemory *m, uint64_t at, const void *from, size_t n, CotError *error) {
    if (n == 0 && at <= cot_memory_size(m)) return COT_OK;
    uint8_t *p = place(m, at, n, error);
    if (!p) return COT_MISUSE;
    memcpy(p, from, n);
    return COT_OK;
}

/* ---- tables ---- */
CotTable *cot_table_new(CotStore *store, CotType element, uint64_t min, uint64_t max,
                        CotError *error) {
    if ((element != COT_FUNCREF && element != COT_EXTERNREF) || max < min) {
        api_fail(error, COT_MISUSE,
                 "a table has references, and a maximum that is not below its minimum");
        return NULL;
    }
    Diag d;
    diag_clear(&d);
    RtExtern x = rt_host_table(store_rt(store), element, min, max, &d);
    if (!x.table) api_fail_diag(error, &d);
    return table_api(x.table);
}

uint64_t cot_table_size(const CotTable *t) {
    return rt_table_size(table_rt(t));
}

static CotStatus outside(const CotTable *t, uint64_t i, CotError *error) {
    return api_fail(error, COT_MISUSE, "element %llu of a table of %llu", (unsigned long long)i,
                    (unsigned long long)cot_table_size(t));
}

CotStatus cot_table_get(const CotTable *t, uint64_t i, CotValue *value, CotError *error) {
    if (i >= cot_table_size(t)) return outside(t, i, error);
    RtVal v = {.ref = rt_table_get(table_rt(t), i)};
    *value = api_value(rt_table_type(table_rt(t)), &v);
    return COT_OK;
}

CotStatus cot_table_set(CotTable *t, uint64_t i, CotValue value, CotError *error) {
    RtTable *r = table_rt(t);
    RtVal v;
    if (i >= cot_table_size(t)) return outside(t, i, error);
    CotStatus st = api_to_rt(rt_table_store(r), rt_table_type(r), &value, &v, error);
    if (st == COT_OK) rt_table_set(r, i, v.ref);
    return st;
}

CotStatus cot_table_grow(CotTable *t, uint64_t elements, CotValue value, uint64_t *old,
                         CotError *error) {
    RtTable *r = table_rt(t);
    RtVal v;
    CotStatus st = api_to_rt(rt_table_store(r), rt_table_type(r), &value, &v, error);
    if (st != COT_OK) return st;
    uint64_t was = rt_table_grow(r, elements, v.ref);
    if (was == UINT64_MAX)
        return api_fail(error, COT_LIMIT, "a table of %llu elements cannot grow by %llu",
                        (unsigned long long)cot_table_size(t), (unsigned long long)elements);
    if (old) *old = was;
    return COT_OK;
}

/* ---- globals ---- */
CotGlobal *cot_global_new(CotStore *store, CotValue value, bool is_mutable, CotError *error) {
    RtStore *s = store_rt(store);
    RtVal v;
    if (!api_is_type(value.type)) {
        api_fail(error, COT_MISUSE, "0x%02x is not a type of values", value.type);
        return NULL;
    }
    if (api_to_rt(s, value.type, &value, &v, error) != COT_OK) return NULL;
    RtGlobal *g = rt_store_keep(s, sizeof *g);
    RtExtern x = rt_host_global(s, (WasmGlobalType){value.type, is_mutable}, v);
    if (!g || !x.global.value) {
        api_fail(error, COT_NO_MEMORY, "out of memory");
        return NULL;
    }
    *g = x.global;
    return global_api(g);
}

CotValue cot_global_get(const CotGlobal *g) {
    const RtGlobal *r = global_rt(g);
    RtVal v;
    memcpy(&v, r->value, sizeof v);
    return api_value(r->type.type, &v);
}

CotStatus cot_global_set(CotGlobal *g, CotValue value, CotError *error) {
    RtGlobal *r = global_rt(g);
    RtVal v;
    if (!r->type.mut) return api_fail(error, COT_MISUSE, "the global is not mutable");
    CotStatus st = api_to_rt(r->store, r->type.type, &value, &v, error);
    if (st == COT_OK) memcpy(r->value, &v, sizeof v);
    return st;
}

bool cot_global_is_mutable(const CotGlobal *g) {
    return global_rt(g)->type.mut;
}
