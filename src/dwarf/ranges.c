/* dwarf/ranges.c — where the code of an entry is: one range, or a list (lists.c).
 * Ref.  DWARF 5, 2.17. */
#include "dwarf/dw_int.h"

void dw_ranges(DwRangeIter *it, Dwarf *w, const DwUnit *u, const DwPcs *p) {
    *it = (DwRangeIter){0};
    it->list.c.bad = true;
    if (p->ranges.name) {
        dw_list(&it->list, w, u, &p->ranges, false);
    } else if (p->low.name && dw_value_address(w, u, &p->low, &it->lo)) {
        it->single = true;
        it->hi = it->lo + 1;
        if (p->high.name && !dw_value_address(w, u, &p->high, &it->hi)) it->hi += it->lo;
    }
}

bool dw_range_next(DwRangeIter *it, uint64_t *lo, uint64_t *hi) {
    if (it->single) {
        it->single = false;
        *lo = it->lo;
        *hi = it->hi;
        return *lo < *hi;
    }
    for (DwListStep s; (s = dw_list_step(&it->list, lo, hi)) != DW_LIST_END;)
        if (s == DW_LIST_RANGE && *lo < *hi) return true;
    it->list.c.bad = true;
    return false;
}
