/* module/unit_int.h — between the files that make a CodeUnit. */
#ifndef COT_MODULE_UNIT_INT_H
#define COT_MODULE_UNIT_INT_H
#include "module/module.h"

typedef struct UnitItem { /* a function or adapter, compiled, in its worker's arena */
    const uint8_t *code;
    const MachReloc *relocs; /* against functions (u0:INDEX) and routines */
    Codemap traps, locs;
    const MachUnwind *unwind;
    const MachHome *homes;
    uint32_t size, align, nrelocs, nunwind, nhomes;
    bool fell_back;
} UnitItem;

/* Lays the items out in order and copies them into the unit, references to functions resolved, on that many threads. at: n results, where
 * each begins. imported: number of the function that item 0 is. False: DIAG_LIMIT. */
bool unit_place(CodeUnit *u, const UnitItem *items, uint32_t n, uint32_t imported, uint32_t threads,
                uint32_t *at, Diag *d);
#endif
