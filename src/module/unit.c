/* module/unit.c — a unit's life and its look-ups by code offset. */
#include "module/module.h"
#include "base/bisect.h"

void unit_init(CodeUnit *u, Mem *m, const IsaVtable *isa) {
    memset(u, 0, sizeof *u);
    u->mem = m;
    u->isa = isa;
}

static void free_map(Mem *m, UnitMap *map) {
    vec_free(m, &map->index);
    vec_free(m, &map->bytes);
}

void unit_free(CodeUnit *u) {
    Mem *m = u->mem;
    vec_free(m, &u->code);
    vec_free(m, &u->funcs);
    vec_free(m, &u->entry);
    vec_free(m, &u->host);
    vec_free(m, &u->relocs);
    free_map(m, &u->traps);
    free_map(m, &u->locs);
    vec_free(m, &u->homes);
    vec_free(m, &u->first_home);
    vec_free(m, &u->unwind);
}

ClifTrap unit_find_trap(const CodeUnit *u, uint32_t offset) {
    Codemap map = unit_map(&u->traps);
    uint32_t at, code = codemap_find(&map, offset, &at);
    return code != IMG_NONE && at == offset ? (ClifTrap)code : (ClifTrap)CLIF_TRAP_NONE;
}

uint32_t unit_find_loc(const CodeUnit *u, uint32_t offset) {
    Codemap map = unit_map(&u->locs);
    return codemap_find(&map, offset, NULL);
}

uint32_t unit_find_func(const CodeUnit *u, uint32_t offset) {
    uint32_t lo;
    bisect(lo, u->funcs.n, u->funcs.p[lo].off <= offset);
    if (lo == 0) return UINT32_MAX;
    const UnitFunc *f = &u->funcs.p[lo - 1];
    return offset < f->off + f->size ? lo - 1 : UINT32_MAX;
}
