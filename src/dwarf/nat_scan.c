/* dwarf/nat_scan.c — which entries are copied.
 *
 * Left out are functions that linkers dropped, blocks and inlined calls no code is left of, and what tells of calls; each with all that
 * is inside. A reference to them is left out, too, so it must be known before the first entry is written.
 * Cost: linear. */
#include "dwarf/nat_int.h"
#include "base/bisect.h"

bool nat_read(Nat *k, const DwUnit *u, DwCur *c, DwEntry *e) {
    vec_clear(&k->values);
    if (!dw_entry(k->w, u, c, e)) return false;
    if (!e->ab) return true;
    DwAbbrev a = *e->ab;
    dw_pay(k->w, a.nspecs);
    for (uint32_t i = 0; i < a.nspecs && !c->bad; i++) {
        DwValue v;
        dw_value(k->w, u, c, &k->w->specs.p[a.specs + i], &v);
        if (!c->bad && v.name) vec_push(k->mem, &k->values, v);
    }
    return true;
}

const DwValue *nat_value(const Nat *k, unsigned name) {
    for (uint32_t i = 0; i < k->values.n; i++)
        if (k->values.p[i].name == name) return &k->values.p[i];
    return NULL;
}

DwPcs nat_pcs(const Nat *k) {
    DwPcs p = {0};
    for (uint32_t i = 0; i < k->values.n; i++) dw_pcs_add(&p, &k->values.p[i]);
    return p;
}

uint32_t nat_entry(const Nat *k, uint32_t in) {
    uint32_t lo;
    bisect(lo, k->entries.n, k->entries.p[lo].in < in);
    return lo < k->entries.n && k->entries.p[lo].in == in ? lo : DW_NONE;
}

/* Makes the entry the owner of its machine code; false: there is none, or it is another's. */
static bool claim(Nat *k, const DwUnit *u, uint32_t entry, const DwPcs *p, uint32_t *f) {
    DwRangeIter it;
    uint64_t lo, hi;
    dw_ranges(&it, k->w, u, p);
    while (dw_range_next(&it, &lo, &hi)) {
        *f = nat_function(k, lo, hi);
        if (*f == DW_NONE || k->owner.p[*f] != DW_NONE) continue;
        k->owner.p[*f] = entry;
        vec_push(k->mem, &k->claims, *f);
        return true;
    }
    return false;
}

typedef struct Scan {
    uint32_t func, func_depth; /* the function that the entry is in; DW_NONE */
    uint32_t depth, gap_depth; /* gap_depth: depth of the entry that is left out, 0 = none */
} Scan;

static bool is_kept(Nat *k, const DwUnit *u, const DwEntry *e, Scan *s) {
    unsigned tag = e->ab->tag;
    if (tag == DW_TAG_CALL_SITE || tag == DW_TAG_GNU_CALL_SITE) return false;
    DwPcs p = nat_pcs(k);
    if (tag == DW_TAG_SUBPROGRAM) {
        uint32_t f;
        if (!nat_has_pcs(&p)) return true;
        if (!claim(k, u, e->off, &p, &f)) return false;
        s->func = f;
        s->func_depth = s->depth;
        return true;
    }
    if (tag == DW_TAG_COMPILE_UNIT || tag == DW_TAG_PARTIAL_UNIT || !nat_has_pcs(&p)) return true;
    if (s->func == DW_NONE) return false;
    nat_spans_of(k, u, s->func, &p);
    return k->spans.n != 0;
}

static void scan_unit(Nat *k, DwUnit *u) {
    Scan s = {.func = DW_NONE};
    DwCur c = dw_unit_cursor(k->w, u, u->root);
    DwEntry e;
    while (nat_read(k, u, &c, &e)) {
        uint32_t end = (uint32_t)(c.p - k->w->in.s[DWARF_INFO].p);
        if (!e.ab) {
            if (!s.depth || --s.depth == 0) break;
        } else if (!s.gap_depth) {
            if (is_kept(k, u, &e, &s)) {
                vec_push(k->mem, &k->entries, (NatEntry){.in = e.off});
            } else {
                vec_push(k->mem, &k->gaps, (NatGap){e.off, end});
                if (e.ab->children) s.gap_depth = s.depth + 1;
            }
        }
        if (e.ab && e.ab->children) s.depth++;
        if (s.gap_depth) {
            vec_last(&k->gaps).hi = end;
            if (s.depth < s.gap_depth) s.gap_depth = 0;
        }
        if (s.func != DW_NONE && s.depth <= s.func_depth) s.func = DW_NONE;
        if (!s.depth) break;
    }
    if (s.gap_depth) vec_last(&k->gaps).hi = u->end;
}

void nat_scan(Nat *k) {
    Dwarf *w = k->w;
    for (uint32_t i = 0; i < w->units.n; i++) /* all, so that the tables do not grow any more */
        if (nat_is_unit(&w->units.p[i])) dw_unit_open(w, &w->units.p[i]);
    w->fuel = nat_tank(k);
    for (uint32_t i = 0; i < w->units.n; i++)
        if (w->units.p[i].opened && nat_is_unit(&w->units.p[i])) scan_unit(k, &w->units.p[i]);
}
