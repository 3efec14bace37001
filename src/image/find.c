/* image/find.c — look-ups in an open image: exports by name; functions, traps, locations by code offset; names. */
#include <string.h>
#include "base/hashmap.h"
#include "image/codemap.h"
#include "base/bisect.h"

uint32_t img_bucket(const char *name, size_t n, uint32_t nbuckets) {
    return (uint32_t)hash_bytes(name, n, 0) & (nbuckets - 1);
}

uint32_t img_find_export(const Image *m, const char *name, size_t n) {
    uint32_t k = m->buckets[img_bucket(name, n, m->nbuckets)];
    for (; k != IMG_NONE; k = m->exports[k].next) {
        WasmStr s = img_str(m, m->exports[k].name);
        if (s.n == n && (!n || memcmp(s.p, name, n) == 0)) return k;
    }
    return IMG_NONE;
}

uint32_t img_find_func(const Image *m, uint32_t offset) {
    uint32_t lo;
    bisect(lo, m->ncodes, m->codes[lo].off <= offset);
    return lo && offset - m->codes[lo - 1].off < m->codes[lo - 1].size ? lo - 1 : IMG_NONE;
}

VmTrap img_find_trap(const Image *m, uint32_t offset) {
    Codemap map = {m->trap_index, m->ntrap_index, m->trap_bytes, m->ntrap_bytes};
    uint32_t at, code = codemap_find(&map, offset, &at);
    return code <= UINT8_MAX && at == offset ? (VmTrap)code : VM_TRAP_NONE;
}

uint32_t img_find_loc(const Image *m, uint32_t offset) {
    Codemap map = {m->loc_index, m->nloc_index, m->loc_bytes, m->nloc_bytes};
    return codemap_find(&map, offset, NULL);
}

void img_print_func_name(const Image *m, uint32_t func, StrBuf *out) {
    WasmStr s = func < m->nnames ? img_str(m, m->names[func]) : (WasmStr){NULL, 0};
    if (s.p)
        sb_put_visible(out, s.p, s.n);
    else
        sb_printf(out, "func[%u]", func);
}
