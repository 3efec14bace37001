/* dwarf/loclist.c — where a variable is in which code: lists of ranges with expressions, in either of two encodings.
 * Ref.  DWARF 5, 2.6.2 and 7.7.3; DWARF 4, 2.6.2 for .debug_loc. */
#include "dwarf/dw_int.h"

enum { /* kinds of entries in .debug_loclists */
       LLE_END,
       LLE_BASE_INDEX,
       LLE_START_END_INDEX,
       LLE_START_LENGTH_INDEX,
       LLE_OFFSETS,
       LLE_DEFAULT,
       LLE_BASE,
       LLE_START_END,
       LLE_START_LENGTH
};

static DwCur list_of(const Dwarf *w, const DwUnit *u, const DwValue *v) {
    uint64_t off = v->x;
    if (u->version < 5) return dw_cursor(w, DWARF_LOC, off);
    if (v->class == DW_CLASS_LOC_INDEX) { /* offsets are from where the table of them starts */
        DwCur none = dw_cursor(w, DWARF_LOCLISTS, UINT64_MAX);
        if (u->loclists > UINT32_MAX || off > UINT32_MAX) return none;
        DwCur t = dw_cursor(w, DWARF_LOCLISTS, u->loclists + off * u->off_size);
        off = u->loclists + dw_uint(&t, u->off_size);
        if (t.bad) return none;
    }
    return dw_cursor(w, DWARF_LOCLISTS, off);
}

void dw_locs(DwLocIter *it, Dwarf *w, const DwUnit *u, const DwValue *v) {
    *it = (DwLocIter){.w = w, .u = u, .base = u->low_pc, .c = list_of(w, u, v)};
}

static uint64_t address_at(DwLocIter *it, uint64_t index) {
    DwValue v = {.class = DW_CLASS_ADDRESS_INDEX, .x = index};
    uint64_t a;
    return dw_value_address(it->w, it->u, &v, &a) ? a : dw_fail(&it->c);
}

/* One entry; false: the end. n = 0: it is no place. */
static bool step4(DwLocIter *it) {
    unsigned n = it->u->addr_size;
    uint64_t top = n == 4 ? UINT32_MAX : UINT64_MAX;
    it->lo = dw_uint(&it->c, n);
    it->hi = dw_uint(&it->c, n);
    if (it->c.bad || (!it->lo && !it->hi)) return false;
    if (it->lo == top) {
        it->base = it->hi;
        return true;
    }
    it->lo += it->base;
    it->hi += it->base;
    it->n = dw_uint(&it->c, 2);
    it->p = dw_skip(&it->c, it->n);
    return true;
}

static bool step5(DwLocIter *it) {
    DwCur *c = &it->c;
    unsigned kind = (unsigned)dw_uint(c, 1);
    switch (kind) {
    case LLE_END: return false;
    case LLE_BASE_INDEX: it->base = address_at(it, dw_uleb(c)); return true;
    case LLE_BASE: it->base = dw_uint(c, it->u->addr_size); return true;
    case LLE_START_END_INDEX:
        it->lo = address_at(it, dw_uleb(c));
        it->hi = address_at(it, dw_uleb(c));
        break;
    case LLE_START_LENGTH_INDEX:
        it->lo = address_at(it, dw_uleb(c));
        it->hi = it->lo + dw_uleb(c);
        break;
    case LLE_OFFSETS:
        it->lo = it->base + dw_uleb(c);
        it->hi = it->base + dw_uleb(c);
        break;
    case LLE_DEFAULT:
        it->lo = 0;
        it->hi = UINT64_MAX;
        break;
    case LLE_START_END:
        it->lo = dw_uint(c, it->u->addr_size);
        it->hi = dw_uint(c, it->u->addr_size);
        break;
    case LLE_START_LENGTH:
        it->lo = dw_uint(c, it->u->addr_size);
        it->hi = it->lo + dw_uleb(c);
        break;
    default: dw_fail(c); return false;
    }
    it->n = dw_uleb(c);
    it->p = dw_skip(c, it->n);
    return true;
}

bool dw_loc_next(DwLocIter *it) {
    while (!it->c.bad && dw_pay(it->w, 4)) {
        it->n = 0;
        bool more = it->u->version < 5 ? step4(it) : step5(it);
        if (!more || it->c.bad) break;
        if (it->n && it->lo < it->hi) return true;
    }
    it->c.bad = true;
    return false;
}
