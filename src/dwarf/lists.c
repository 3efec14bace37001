/* dwarf/lists.c — lists of addresses: ranges of code, each alone or with an expression behind it, in either of two encodings.
 * Ref.  DWARF 5, 2.6.2, 2.17.3, 7.7.3 and 7.25; DWARF 4, 2.6.2 for .debug_loc and 2.17.3 for .debug_ranges. */
#include "dwarf/dw_int.h"

enum { /* kinds of entries in .debug_loclists; .debug_rnglists has all but DEFAULT, so that those above it are one less there */
       END,
       BASE_INDEX,
       START_END_INDEX,
       START_LENGTH_INDEX,
       OFFSETS,
       DEFAULT,
       BASE,
       START_END,
       START_LENGTH
};

static DwCur begin(const Dwarf *w, const DwUnit *u, const DwValue *v, bool places) {
    uint64_t off = v->x, table = places ? u->loclists : u->rnglists;
    if (u->version < 5) return dw_cursor(w, places ? DWARF_LOC : DWARF_RANGES, off);
    DwarfSection in = places ? DWARF_LOCLISTS : DWARF_RNGLISTS;
    if (v->class == (places ? DW_CLASS_LOC_INDEX : DW_CLASS_RANGE_INDEX)) {
        /* offsets are from where the table of them starts */
        DwCur none = dw_cursor(w, in, UINT64_MAX);
        if (table > UINT32_MAX || off > UINT32_MAX) return none;
        DwCur t = dw_cursor(w, in, table + off * u->off_size);
        off = table + dw_uint(&t, u->off_size);
        if (t.bad) return none;
    }
    return dw_cursor(w, in, off);
}

void dw_list(DwList *l, Dwarf *w, const DwUnit *u, const DwValue *v, bool places) {
    *l = (DwList){.w = w, .u = u, .c = begin(w, u, v, places), .base = u->low_pc, .places = places};
}

static uint64_t address_at(DwList *l, uint64_t index) {
    DwValue v = {.class = DW_CLASS_ADDRESS_INDEX, .x = index};
    uint64_t a;
    return dw_value_address(l->w, l->u, &v, &a) ? a : dw_fail(&l->c);
}

static DwListStep step4(DwList *l, uint64_t *lo, uint64_t *hi) {
    unsigned n = l->u->addr_size;
    uint64_t top = n == 4 ? UINT32_MAX : UINT64_MAX;
    *lo = dw_uint(&l->c, n);
    *hi = dw_uint(&l->c, n);
    if (l->c.bad || (!*lo && !*hi)) return DW_LIST_END;
    if (*lo == top) {
        l->base = *hi;
        return DW_LIST_BASE;
    }
    *lo += l->base;
    *hi += l->base;
    return DW_LIST_RANGE;
}

static DwListStep step5(DwList *l, uint64_t *lo, uint64_t *hi) {
    DwCur *c = &l->c;
    unsigned n = l->u->addr_size;
    uint64_t kind = dw_uint(c, 1);
    if (!l->places && kind >= DEFAULT) kind++;
    switch (kind) {
    case END: return DW_LIST_END;
    case BASE_INDEX: l->base = address_at(l, dw_uleb(c)); return DW_LIST_BASE;
    case BASE: l->base = dw_uint(c, n); return DW_LIST_BASE;
    case START_END_INDEX:
        *lo = address_at(l, dw_uleb(c));
        *hi = address_at(l, dw_uleb(c));
        break;
    case START_LENGTH_INDEX:
        *lo = address_at(l, dw_uleb(c));
        *hi = *lo + dw_uleb(c);
        break;
    case OFFSETS:
        *lo = l->base + dw_uleb(c);
        *hi = l->base + dw_uleb(c);
        break;
    case DEFAULT:
        *lo = 0;
        *hi = UINT64_MAX;
        break;
    case START_END:
        *lo = dw_uint(c, n);
        *hi = dw_uint(c, n);
        break;
    case START_LENGTH:
        *lo = dw_uint(c, n);
        *hi = *lo + dw_uleb(c);
        break;
    default: dw_fail(c);
    }
    return c->bad ? DW_LIST_END : DW_LIST_RANGE;
}

DwListStep dw_list_step(DwList *l, uint64_t *lo, uint64_t *hi) {
    if (l->c.bad || !dw_pay(l->w, 4)) return DW_LIST_END;
    DwListStep s = l->u->version < 5 ? step4(l, lo, hi) : step5(l, lo, hi);
    return l->c.bad ? DW_LIST_END : s;
}
