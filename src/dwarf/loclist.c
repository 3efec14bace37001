/* dwarf/loclist.c — where a variable is in which code: lists of ranges with expressions (lists.c). */
#include "dwarf/dw_int.h"

void dw_locs(DwLocIter *it, Dwarf *w, const DwUnit *u, const DwValue *v) {
    *it = (DwLocIter){0};
    dw_list(&it->list, w, u, v, true);
}

bool dw_loc_next(DwLocIter *it) {
    DwCur *c = &it->list.c;
    for (DwListStep s; (s = dw_list_step(&it->list, &it->lo, &it->hi)) != DW_LIST_END;) {
        if (s != DW_LIST_RANGE) continue;
        it->n = it->list.u->version < 5 ? dw_uint(c, 2) : dw_uleb(c);
        it->p = dw_skip(c, it->n);
        if (!c->bad && it->n && it->lo < it->hi) return true;
    }
    c->bad = true;
    return false;
}
