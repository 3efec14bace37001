/* module/unit.c — a unit's life and its look-ups by code offset (binary search). */
#include "module/module.h"

void unit_init(CodeUnit *u, Mem *m, const IsaVtable *isa) {
    memset(u, 0, sizeof *u);
    u->mem = m;
    u->isa = isa;
}

void unit_free(CodeUnit *u) {
    Mem *m = u->mem;
    vec_free(m, &u->code);
    vec_free(m, &u->funcs);
    vec_free(m, &u->entry);
    vec_free(m, &u->host);
    vec_free(m, &u->relocs);
    vec_free(m, &u->traps);
    vec_free(m, &u->locs);
    vec_free(m, &u->homes);
    vec_free(m, &u->first_home);
    vec_free(m, &u->unwind);
}

ClifTrap unit_find_trap(const CodeUnit *u, uint32_t offset) {
    uint32_t lo = 0, hi = u->traps.n;
    while (lo < hi) {
        uint32_t mid = lo + (hi - lo) / 2;
        if (u->traps.p[mid].offset < offset)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo < u->traps.n && u->traps.p[lo].offset == offset ? u->traps.p[lo].code
                                                              : (ClifTrap)CLIF_TRAP_NONE;
}

uint32_t unit_find_loc(const CodeUnit *u, uint32_t offset) {
    uint32_t lo = 0, hi = u->locs.n;
    while (lo < hi) {
        uint32_t mid = lo + (hi - lo) / 2;
        if (u->locs.p[mid].end <= offset)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo < u->locs.n && u->locs.p[lo].start <= offset ? u->locs.p[lo].loc : CLIF_NONE;
}

uint32_t unit_find_func(const CodeUnit *u, uint32_t offset) {
    uint32_t lo = 0, hi = u->funcs.n;
    while (lo < hi) {
        uint32_t mid = lo + (hi - lo) / 2;
        if (u->funcs.p[mid].off <= offset)
            lo = mid + 1;
        else
            hi = mid;
    }
    if (lo == 0) return UINT32_MAX;
    const UnitFunc *f = &u->funcs.p[lo - 1];
    return offset < f->off + f->size ? lo - 1 : UINT32_MAX;
}
