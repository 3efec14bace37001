/* dwarf/find.c — from an address to function, file, line and column, and on through inlined calls.
 *
 * Idea        Of all units the places of code are read first, from their first entries; then only the unit of the address is looked
 *             into, once: its line table, and an index of its functions. Inside the function, its own entries are walked:
 *             of nested inlined calls that contain the address, each says where it was called.
 * Cost        the first look-up: linear in the number of units; in a unit that was not asked before: linear in it; then binary searches
 *             and the entries of one function. Damaged input: see Dwarf.fuel. */
#include <stdlib.h>
#include "dwarf/dw_int.h"
#include "base/bisect.h"

enum { MOST_HOPS = 8, MOST_DEPTH = 64, LONG_SCOPE = 40, FUEL_PER_BYTE = 16, FUEL_MIN = 1 << 16 };

/* ---- spans ---- */
static int by_lo(const void *a, const void *b) {
    const DwSpan *x = a, *y = b;
    if (x->lo != y->lo) return x->lo < y->lo ? -1 : 1;
    if (x->hi != y->hi) return x->hi < y->hi ? -1 : 1;
    return x->what < y->what ? -1 : x->what > y->what;
}

void dw_sort_spans(DwSpan *p, uint32_t n) {
    if (n) qsort(p, n, sizeof *p, by_lo);
}

const DwSpan *dw_find_span(const DwSpan *p, uint32_t n, uint64_t address) {
    uint32_t lo;
    bisect(lo, n, p[lo].lo <= address);
    return lo && address < p[lo - 1].hi ? &p[lo - 1] : NULL;
}

/* ---- life ---- */
Dwarf *dwarf_open(Mem *m, const DwarfInput *in) {
    Dwarf *w = mem_alloc(m, sizeof *w);
    memset(w, 0, sizeof *w);
    w->mem = m;
    w->in = *in;
    w->tank = FUEL_MIN;
    for (unsigned s = 0; s < DWARF_SECTION_COUNT; s++) {
        if (w->in.s[s].n >= UINT32_MAX) w->in.s[s] = (DwarfBytes){NULL, 0};
        w->tank += (uint64_t)w->in.s[s].n * FUEL_PER_BYTE;
    }
    w->fuel = w->tank;
    arena_init(&w->text, m);
    dw_units(w);
    return w;
}

static void index_free(Mem *m, DwIndex *x) {
    dw_lines_free(m, &x->lines);
    vec_free(m, &x->spans);
    vec_free(m, &x->funcs);
    vec_free(m, &x->scopes);
}

void dwarf_free(Dwarf *w) {
    if (!w) return;
    Mem *m = w->mem;
    arena_destroy(&w->text);
    vec_free(m, &w->units);
    vec_free(m, &w->tables);
    vec_free(m, &w->abbrevs);
    vec_free(m, &w->specs);
    hashmap_free(m, &w->table_at);
    vec_free(m, &w->spans);
    for (uint32_t k = 0; k < w->indices.n; k++) index_free(m, &w->indices.p[k]);
    vec_free(m, &w->indices);
    mem_free(m, w, sizeof *w);
}

/* ---- which unit ---- */
static void read_pcs(Dwarf *w, const DwUnit *u, DwCur *c, const DwEntry *e, DwPcs *p) {
    DwValue v;
    dw_pay(w, e->ab->nspecs);
    for (uint32_t k = 0; k < e->ab->nspecs && !c->bad; k++) {
        dw_value(w, u, c, &w->specs.p[e->ab->specs + k], &v);
        dw_pcs_add(p, &v);
    }
}

static bool is_scope(unsigned tag) {
    return tag == DW_TAG_NAMESPACE || tag == DW_TAG_STRUCTURE_TYPE || tag == DW_TAG_CLASS_TYPE ||
           tag == DW_TAG_UNION_TYPE || tag == DW_TAG_ENUMERATION_TYPE;
}

/* Walks all entries of the unit; x may be NULL: only its functions' spans are wanted, with `what` as given. */
static void index_unit(Dwarf *w, const DwUnit *u, DwIndex *x, uint32_t unit) {
    uint32_t scope[MOST_DEPTH] = {DW_NONE}, depth = 0; /* of entries at this depth */
    scope[0] = DW_NONE;
    DwCur c = dw_unit_cursor(w, u, u->root);
    DwEntry e;
    while (dw_entry(w, u, &c, &e)) {
        if (!e.ab) {
            if (!depth || --depth == 0) break;
            continue;
        }
        uint32_t here = scope[depth < MOST_DEPTH ? depth : MOST_DEPTH - 1], inside = here;
        if (e.ab->tag == DW_TAG_SUBPROGRAM) {
            DwPcs p = {0};
            DwRangeIter it;
            uint64_t lo, hi;
            if (x) vec_push(w->mem, &x->funcs, (DwFunc){e.off, here});
            read_pcs(w, u, &c, &e, &p);
            dw_ranges(&it, w, u, &p);
            while (dw_range_next(&it, &lo, &hi)) {
                if (x)
                    vec_push(w->mem, &x->spans, (DwSpan){lo, hi, e.off});
                else
                    vec_push(w->mem, &w->spans, (DwSpan){lo, hi, unit});
            }
        } else {
            if (x && is_scope(e.ab->tag)) {
                inside = x->scopes.n;
                vec_push(w->mem, &x->scopes, (DwScope){e.off, here});
            }
            dw_pass_values(w, u, &c, &e);
        }
        if (e.ab->children && ++depth < MOST_DEPTH) scope[depth] = inside;
        if (!depth) break;
    }
}

static void find_units(Dwarf *w) {
    w->has_spans = true;
    for (uint32_t k = 0; k < w->units.n; k++) {
        DwUnit *u = &w->units.p[k];
        if ((u->kind != DW_UNIT_COMPILE && u->kind != DW_UNIT_SKELETON) || !dw_unit_open(w, u))
            continue;
        if (!u->has_pcs) { /* nothing is said, so its functions have to tell */
            index_unit(w, u, NULL, k);
            continue;
        }
        DwPcs p = {0};
        DwCur c = dw_unit_cursor(w, u, u->root);
        DwEntry e;
        if (!dw_entry(w, u, &c, &e) || !e.ab) continue;
        read_pcs(w, u, &c, &e, &p);
        DwRangeIter it;
        uint64_t lo, hi;
        dw_ranges(&it, w, u, &p);
        while (dw_range_next(&it, &lo, &hi)) vec_push(w->mem, &w->spans, (DwSpan){lo, hi, k});
    }
    dw_sort_spans(w->spans.p, w->spans.n);
}

const DwIndex *dw_index(Dwarf *w, const DwUnit *unit) {
    DwUnit *u = &w->units.p[unit - w->units.p];
    if (u->index == DW_NONE) {
        DwIndex x;
        memset(&x, 0, sizeof x);
        if (u->has_lines) dw_lines_read(w, u, &x.lines);
        index_unit(w, u, &x, DW_NONE);
        dw_sort_spans(x.spans.p, x.spans.n);
        u->index = w->indices.n;
        vec_push(w->mem, &w->indices, x);
    }
    return &w->indices.p[u->index];
}

/* ---- names ---- */
typedef struct Named {
    DwValue name, linkage, origin; /* class of a value without an attribute: DW_CLASS_NONE */
} Named;

static bool read_named(Dwarf *w, const DwUnit *u, uint32_t off, Named *n) {
    DwCur c = dw_unit_cursor(w, u, off);
    DwEntry e;
    DwValue v;
    memset(n, 0, sizeof *n);
    if (!dw_entry(w, u, &c, &e) || !e.ab) return false;
    dw_pay(w, e.ab->nspecs);
    for (uint32_t k = 0; k < e.ab->nspecs && !c.bad; k++) {
        dw_value(w, u, &c, &w->specs.p[e.ab->specs + k], &v);
        if (v.name == DW_AT_NAME) n->name = v;
        if (v.name == DW_AT_LINKAGE_NAME) n->linkage = v;
        if (v.name == DW_AT_ABSTRACT_ORIGIN || v.name == DW_AT_SPECIFICATION) n->origin = v;
    }
    return true;
}

static uint32_t scope_of(const DwIndex *x, uint32_t entry) {
    uint32_t lo;
    bisect(lo, x->funcs.n, x->funcs.p[lo].entry < entry);
    return lo < x->funcs.n && x->funcs.p[lo].entry == entry ? x->funcs.p[lo].scope : DW_NONE;
}

static DwarfStr qualified(Dwarf *w, const DwUnit *u, uint32_t entry, DwarfStr name) {
    const DwIndex *x = dw_index(w, u);
    DwarfStr part[MOST_HOPS];
    uint32_t n = 0, size = name.n;
    for (uint32_t k = scope_of(x, entry); k != DW_NONE && n < MOST_HOPS; k = x->scopes.p[k].up) {
        Named s;
        if (!read_named(w, u, x->scopes.p[k].entry, &s)) break;
        DwarfStr t = dw_value_text(w, u, &s.name);
        const char *angle = t.n > LONG_SCOPE ? memchr(t.p, '<', t.n) : NULL;
        if (angle) t.n = (uint32_t)(angle - t.p); /* what a type is made of hides what follows */
        if (!t.n || t.n > UINT16_MAX || !dw_pay(w, t.n)) continue; /* nameless ones add nothing */
        part[n++] = t;
        size += t.n + 2;
    }
    if (!n) return name;
    char *text = arena_alloc(&w->text, size, 1), *to = text;
    while (n) {
        memcpy(to, part[n - 1].p, part[n - 1].n);
        memcpy(to + part[n - 1].n, "::", 2);
        to += part[--n].n + 2;
    }
    memcpy(to, name.p, name.n);
    return (DwarfStr){text, size};
}

DwarfStr dw_function_name(Dwarf *w, const DwUnit *u, uint32_t entry) {
    DwarfStr linkage = {NULL, 0};
    for (unsigned hop = 0; hop < MOST_HOPS; hop++) {
        Named n;
        if (!read_named(w, u, entry, &n)) break;
        DwarfStr name = dw_value_text(w, u, &n.name);
        if (!linkage.n) linkage = dw_value_text(w, u, &n.linkage);
        const DwUnit *of;
        uint32_t origin = dw_value_entry(w, u, &n.origin, &of);
        /* A declaration inside a class tells the scope, a definition outside of it has the name as well. */
        if (name.n && origin == DW_NONE) return qualified(w, u, entry, name);
        if (origin == DW_NONE) break;
        entry = origin;
        u = of;
    }
    return linkage;
}

/* ---- inlined calls ---- */
typedef struct Call { /* an inlined call that contains the address */
    uint32_t entry;
    DwValue origin, file, line, column;
} Call;

/* The chain of inlined calls inside the function, outermost first. */
static uint32_t inlined(Dwarf *w, const DwUnit *u, uint32_t func, uint64_t address, Call *chain,
                        uint32_t most) {
    DwCur c = dw_unit_cursor(w, u, func);
    DwEntry e;
    uint32_t n = 0, depth = 0,
             level = 0; /* level: depth of the entries below the last call found */
    while (dw_entry(w, u, &c, &e)) {
        if (!e.ab) {
            if (!depth || --depth == 0 || (n && depth < level)) break; /* all of it was seen */
            continue;
        }
        bool found = false;
        if (e.ab->tag == DW_TAG_INLINED_SUBROUTINE && n < most) {
            Call k = {.entry = e.off};
            DwPcs p = {0};
            DwValue v;
            dw_pay(w, e.ab->nspecs);
            for (uint32_t i = 0; i < e.ab->nspecs && !c.bad; i++) {
                dw_value(w, u, &c, &w->specs.p[e.ab->specs + i], &v);
                dw_pcs_add(&p, &v);
                if (v.name == DW_AT_ABSTRACT_ORIGIN) k.origin = v;
                if (v.name == DW_AT_CALL_FILE) k.file = v;
                if (v.name == DW_AT_CALL_LINE) k.line = v;
                if (v.name == DW_AT_CALL_COLUMN) k.column = v;
            }
            DwRangeIter it;
            uint64_t lo, hi;
            dw_ranges(&it, w, u, &p);
            while (!found && dw_range_next(&it, &lo, &hi)) found = lo <= address && address < hi;
            if (found) chain[n++] = k;
        } else {
            dw_pass_values(w, u, &c, &e);
        }
        if (e.ab->children) depth++;
        if (found) level = depth;
        if (!depth || (found && !e.ab->children)) break;
    }
    return n;
}

uint32_t dwarf_find(Dwarf *w, uint64_t address, DwarfPlace *out, uint32_t most) {
    enum { MOST_CALLS = 32 };
    w->fuel = w->tank;
    if (!w->has_spans) find_units(w);
    const DwSpan *s = dw_find_span(w->spans.p, w->spans.n, address);
    if (!s || !most) return 0;
    const DwUnit *u = &w->units.p[s->what];
    const DwIndex *x = dw_index(w, u);
    const DwRow *row = dw_lines_find(&x->lines, address);
    const DwSpan *f = dw_find_span(x->spans.p, x->spans.n, address);
    if (!row && !f) return 0;
    uint32_t entry = f ? f->what : DW_NONE, n = 0;
    Call chain[MOST_CALLS];
    uint32_t calls = f ? inlined(w, u, entry, address, chain, MOST_CALLS) : 0;
    DwarfPlace p = {.line = 0};
    if (row) {
        p.file = dw_lines_path(w, u, &x->lines, row->file);
        p.line = row->line;
        p.column = row->column;
    }
    for (;;) { /* x is looked up again: names may be those of another unit */
        uint32_t at = calls ? chain[calls - 1].entry : entry;
        if (at != DW_NONE) p.function = dw_function_name(w, u, at);
        out[n++] = p;
        if (!calls || n == most) return n;
        const Call *k = &chain[--calls];
        p.file = dw_lines_path(w, u, &dw_index(w, u)->lines, k->file.x);
        p.line = k->line.x < UINT32_MAX ? (uint32_t)k->line.x : 0;
        p.column = k->column.x < UINT32_MAX ? (uint32_t)k->column.x : 0;
    }
}

/* ---- text ---- */
void dwarf_put_text(DwarfStr s, StrBuf *out) {
    if (s.n)
        sb_put_visible(out, s.p, s.n);
    else
        sb_puts(out, "??");
}

void dwarf_put_position(const DwarfPlace *p, StrBuf *out) {
    dwarf_put_text(p->file, out);
    if (p->line) sb_printf(out, ":%u", p->line);
    if (p->line && p->column) sb_printf(out, ":%u", p->column);
}
