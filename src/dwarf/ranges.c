/* dwarf/ranges.c — where the code of an entry is: one range, or a list in either of two encodings.
 * Ref.  DWARF 5, 2.17 and 7.25; DWARF 4, 2.17.3 for .debug_ranges. */
#include "dwarf/dw_int.h"

enum { /* kinds of entries in .debug_rnglists */
       RLE_END,
       RLE_BASE_INDEX,
       RLE_START_END_INDEX,
       RLE_START_LENGTH_INDEX,
       RLE_OFFSETS,
       RLE_BASE,
       RLE_START_END,
       RLE_START_LENGTH
};

static DwCur list_of(const Dwarf *w, const DwUnit *u, const DwValue *v) {
    uint64_t off = v->x;
    if (u->version < 5) return dw_cursor(w, DWARF_RANGES, off);
    if (v->class == DW_CLASS_RANGE_INDEX) { /* offsets are from where the table of them starts */
        DwCur none = dw_cursor(w, DWARF_RNGLISTS, UINT64_MAX);
        if (u->rnglists > UINT32_MAX || off > UINT32_MAX) return none;
        DwCur t = dw_cursor(w, DWARF_RNGLISTS, u->rnglists + off * u->off_size);
        off = u->rnglists + dw_uint(&t, u->off_size);
        if (t.bad) return none;
    }
    return dw_cursor(w, DWARF_RNGLISTS, off);
}

void dw_ranges(DwRangeIter *it, Dwarf *w, const DwUnit *u, const DwPcs *p) {
    *it = (DwRangeIter){.w = w, .u = u, .base = u->low_pc};
    it->c.bad = true;
    if (p->ranges.name) {
        it->c = list_of(w, u, &p->ranges);
    } else if (p->low.name && dw_value_address(w, u, &p->low, &it->lo)) {
        it->single = true;
        it->hi = it->lo + 1;
        if (p->high.name && !dw_value_address(w, u, &p->high, &it->hi)) it->hi += it->lo;
    }
}

static uint64_t address_at(DwRangeIter *it, uint64_t index) {
    DwValue v = {.class = DW_CLASS_ADDRESS_INDEX, .x = index};
    uint64_t a;
    return dw_value_address(it->w, it->u, &v, &a) ? a : dw_fail(&it->c);
}

/* One entry; false: the end. *empty: it is no range. */
static bool step4(DwRangeIter *it, uint64_t *lo, uint64_t *hi) {
    unsigned n = it->u->addr_size;
    uint64_t top = n == 4 ? UINT32_MAX : UINT64_MAX;
    *lo = dw_uint(&it->c, n);
    *hi = dw_uint(&it->c, n);
    if (it->c.bad || (!*lo && !*hi)) return false;
    if (*lo == top) {
        it->base = *hi;
        *lo = *hi = 0;
        return true;
    }
    *lo += it->base;
    *hi += it->base;
    return true;
}

static bool step5(DwRangeIter *it, uint64_t *lo, uint64_t *hi) {
    DwCur *c = &it->c;
    unsigned n = it->u->addr_size;
    *lo = *hi = 0;
    switch (dw_uint(c, 1)) {
    case RLE_END: return false;
    case RLE_BASE_INDEX: it->base = address_at(it, dw_uleb(c)); break;
    case RLE_START_END_INDEX:
        *lo = address_at(it, dw_uleb(c));
        *hi = address_at(it, dw_uleb(c));
        break;
    case RLE_START_LENGTH_INDEX:
        *lo = address_at(it, dw_uleb(c));
        *hi = *lo + dw_uleb(c);
        break;
    case RLE_OFFSETS:
        *lo = it->base + dw_uleb(c);
        *hi = it->base + dw_uleb(c);
        break;
    case RLE_BASE: it->base = dw_uint(c, n); break;
    case RLE_START_END:
        *lo = dw_uint(c, n);
        *hi = dw_uint(c, n);
        break;
    case RLE_START_LENGTH:
        *lo = dw_uint(c, n);
        *hi = *lo + dw_uleb(c);
        break;
    default: dw_fail(c);
    }
    return !c->bad;
}

bool dw_range_next(DwRangeIter *it, uint64_t *lo, uint64_t *hi) {
    if (it->single) {
        it->single = false;
        *lo = it->lo;
        *hi = it->hi;
        return *lo < *hi;
    }
    while (!it->c.bad && dw_pay(it->w, 4)) {
        bool more = it->u->version < 5 ? step4(it, lo, hi) : step5(it, lo, hi);
        if (!more || it->c.bad) break;
        if (*lo < *hi) return true;
    }
    it->c.bad = true;
    return false;
}
