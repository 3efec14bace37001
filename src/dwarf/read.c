/* dwarf/read.c — sections, units, entries and their values.
 *
 * Idea        An entry is a number that names an abbreviation (a tag and a list of attributes with forms) and then the bare values.
 *             Abbreviation tables are read once each, when a unit needs them; of entries nothing is kept. If all
 *             forms of an abbreviation have a fixed size, entries are passed over by one addition.
 * Invariants  What an offset in the input refers to is checked when it is followed, by the cursor that is made of it.
 * Cost        linear in what is passed over; an abbreviation costs a binary search unless their codes count up from 1.
 * Ref.        DWARF 5, 7.5 (units, abbreviations, forms), 7.26 (string offsets), 7.27 (addresses). */
#include <stdlib.h>
#include "dwarf/dw_int.h"
#include "base/bisect.h"

const char *const dwarf_section_name[DWARF_SECTION_COUNT] = {
#define DWARF_SECTION(NAME, name) [DWARF_##NAME] = name,
#include "dwarf/sections.def"
#undef DWARF_SECTION
};

DwarfSection dwarf_section_named(const char *name, size_t n) {
    unsigned s = 0;
    for (; s < DWARF_SECTION_COUNT; s++)
        if (strlen(dwarf_section_name[s]) == n && !memcmp(dwarf_section_name[s], name, n)) break;
    return (DwarfSection)s;
}

DwarfStr dw_string(DwCur *c) {
    const uint8_t *nul = c->bad ? NULL : memchr(c->p, 0, dw_left(c));
    if (!nul) {
        dw_fail(c);
        return (DwarfStr){NULL, 0};
    }
    DwarfStr s = {(const char *)c->p, (uint32_t)(nul - c->p)};
    c->p = nul + 1;
    return s;
}

/* ---- forms ---- */
enum { /* sizes that are no numbers of bytes */
       SIZE_ULEB = 100,
       SIZE_SLEB,
       SIZE_ADDR,
       SIZE_OFF,
       SIZE_REF,
       SIZE_STRING,
       SIZE_B1,
       SIZE_B2,
       SIZE_B4,
       SIZE_BLEB,
       SIZE_SELF
};
enum { SIZE_0 = 0, SIZE_1 = 1, SIZE_2 = 2, SIZE_3 = 3, SIZE_4 = 4, SIZE_8 = 8, SIZE_16 = 16 };
static const struct {
    uint8_t known, size, class;
} forms[DW_FORM_MOST] = {
#define DW_FORM(NAME, code, size, class) [code] = {1, SIZE_##size, DW_CLASS_##class},
#include "dwarf/forms.def"
#undef DW_FORM
};

void dw_value_in(const Dwarf *w, const DwUnit *u, DwCur *c, unsigned form, DwValue *v) {
    for (unsigned k = 0; form == DW_FORM_INDIRECT && k < 4; k++) {
        uint64_t f = dw_uleb(c);
        form = f < DW_FORM_MOST && f != DW_FORM_IMPLICIT_CONST ? (unsigned)f : 0;
    }
    v->form = (uint16_t)form;
    v->x = 0;
    v->p = NULL;
    v->class = form < DW_FORM_MOST ? forms[form].class : DW_CLASS_NONE;
    unsigned size = form < DW_FORM_MOST ? forms[form].size : 0;
    switch (size) {
    case SIZE_ULEB: v->x = dw_uleb(c); return;
    case SIZE_SLEB: v->x = (uint64_t)dw_sleb(c); return;
    case SIZE_ADDR: v->x = dw_uint(c, u->addr_size); return;
    case SIZE_OFF: v->x = dw_uint(c, u->off_size); return;
    case SIZE_REF: v->x = dw_uint(c, u->version == 2 ? u->addr_size : u->off_size); return;
    case SIZE_STRING: {
        DwarfStr s = dw_string(c);
        v->p = (const uint8_t *)s.p;
        v->x = s.n;
        return;
    }
    case SIZE_B1: v->x = dw_uint(c, 1); break;
    case SIZE_B2: v->x = dw_uint(c, 2); break;
    case SIZE_B4: v->x = dw_uint(c, 4); break;
    case SIZE_BLEB: v->x = dw_uleb(c); break;
    case SIZE_16: v->x = 16; break;
    case SIZE_0:
        if (form != DW_FORM_FLAG_PRESENT && form != DW_FORM_IMPLICIT_CONST) dw_fail(c);
        v->x = 1;
        return;
    case SIZE_SELF: dw_fail(c); return;
    default: v->x = dw_uint(c, size); return;
    }
    v->p = dw_skip(c, v->x); /* a block */
    if (c->bad) v->x = 0;
    (void)w;
}

void dw_value(const Dwarf *w, const DwUnit *u, DwCur *c, const DwSpec *s, DwValue *v) {
    dw_value_in(w, u, c, s->form, v);
    v->name = s->name;
    if (v->form == DW_FORM_IMPLICIT_CONST) v->x = (uint64_t)s->implicit;
}

/* ---- abbreviations ---- */
static int by_code(const void *a, const void *b) {
    uint64_t x = ((const DwAbbrev *)a)->code, y = ((const DwAbbrev *)b)->code;
    return x < y ? -1 : x > y;
}

/* Which part of the size the form has, if that is fixed. */
static void add_size(DwAbbrev *a, unsigned form) {
    unsigned size = forms[form].size;
    if (size == SIZE_ADDR)
        a->addrs++;
    else if (size == SIZE_OFF)
        a->offs++;
    else if (size <= SIZE_16)
        a->bytes += size;
    else
        a->known = false;
}

static bool read_abbrev(Dwarf *w, DwCur *c) {
    DwAbbrev a = {.code = dw_uleb(c), .known = true};
    if (c->bad || a.code == 0) return false;
    uint64_t tag = dw_uleb(c);
    a.tag = tag <= UINT16_MAX ? (uint16_t)tag : 0;
    a.children = dw_uint(c, 1) != 0;
    a.specs = w->specs.n;
    while (!c->bad) {
        uint64_t name = dw_uleb(c), form = dw_uleb(c);
        DwSpec s = {.name = name <= UINT16_MAX ? (uint16_t)name : 0};
        if (form == DW_FORM_IMPLICIT_CONST) s.implicit = dw_sleb(c);
        if (c->bad || (name == 0 && form == 0)) break;
        if (form < DW_FORM_MOST && forms[form].known)
            s.form = (uint16_t)form;
        else
            a.known = false;
        add_size(&a, s.form);
        vec_push(w->mem, &w->specs, s);
    }
    a.nspecs = w->specs.n - a.specs;
    vec_push(w->mem, &w->abbrevs, a);
    return !c->bad;
}

static uint32_t abbrev_table(Dwarf *w, uint32_t offset) {
    bool fresh;
    uint32_t *at = hashmap_get_or_insert(w->mem, &w->table_at, offset, w->tables.n, &fresh);
    if (!fresh) return *at;
    DwAbbrevs t = {.offset = offset, .first = w->abbrevs.n, .dense = true};
    DwCur c = dw_cursor(w, DWARF_ABBREV, offset);
    while (dw_pay(w, 8) && read_abbrev(w, &c)) {
    }
    t.n = w->abbrevs.n - t.first;
    for (uint32_t k = 0; k < t.n && t.dense; k++)
        t.dense = w->abbrevs.p[t.first + k].code == k + (uint64_t)1;
    if (!t.dense) qsort(w->abbrevs.p + t.first, t.n, sizeof(DwAbbrev), by_code);
    vec_push(w->mem, &w->tables, t);
    return w->tables.n - 1;
}

static const DwAbbrev *find_abbrev(const Dwarf *w, const DwAbbrevs *t, uint64_t code) {
    const DwAbbrev *p = t->n ? w->abbrevs.p + t->first : NULL;
    if (t->dense) return code - 1 < t->n ? p + (code - 1) : NULL;
    uint32_t lo;
    bisect(lo, t->n, p[lo].code < code);
    return lo < t->n && p[lo].code == code ? p + lo : NULL;
}

/* ---- units ---- */
static bool read_header(Dwarf *w, DwCur *c, DwUnit *u) {
    u->off = (uint32_t)(c->p - w->in.s[DWARF_INFO].p);
    uint64_t length = dw_uint(c, 4);
    u->off_size = 4;
    if (length == 0xffffffff) {
        u->off_size = 8;
        length = dw_uint(c, 8);
    }
    if (c->bad || length > dw_left(c)) return false;
    const uint8_t *end = c->p + length;
    u->end = (uint32_t)(end - w->in.s[DWARF_INFO].p);
    DwCur h = {c->p, end, false};
    c->p = end;
    u->version = (uint8_t)dw_uint(&h, 2);
    u->kind = DW_UNIT_COMPILE;
    uint64_t abbrevs;
    if (u->version >= 5) {
        u->kind = (uint8_t)dw_uint(&h, 1);
        u->addr_size = (uint8_t)dw_uint(&h, 1);
        abbrevs = dw_uint(&h, u->off_size);
    } else {
        abbrevs = dw_uint(&h, u->off_size);
        u->addr_size = (uint8_t)dw_uint(&h, 1);
    }
    if (u->kind == DW_UNIT_SKELETON || u->kind == 5) dw_skip(&h, 8); /* with an id */
    if (u->kind == DW_UNIT_TYPE || u->kind == 6) dw_skip(&h, 8 + u->off_size);
    u->abbrev_offset = abbrevs < UINT32_MAX ? (uint32_t)abbrevs : UINT32_MAX;
    u->root = (uint32_t)(h.p - w->in.s[DWARF_INFO].p);
    return !h.bad && u->version >= 2 && u->version <= 5 &&
           (u->addr_size == 4 || u->addr_size == 8) && u->kind >= 1 && u->kind <= 6;
}

void dw_units(Dwarf *w) {
    DwCur c = dw_cursor(w, DWARF_INFO, 0);
    while (!c.bad && dw_left(&c) && dw_pay(w, 16)) {
        DwUnit u = {.abbrevs = DW_NONE, .index = DW_NONE};
        if (read_header(w, &c, &u)) vec_push(w->mem, &w->units, u);
    }
}

DwUnit *dw_unit_at(Dwarf *w, uint32_t off) {
    uint32_t lo;
    bisect(lo, w->units.n, w->units.p[lo].end <= off);
    return lo < w->units.n && off >= w->units.p[lo].root ? &w->units.p[lo] : NULL;
}

bool dw_entry(Dwarf *w, const DwUnit *u, DwCur *c, DwEntry *e) {
    if (c->bad || !dw_left(c) || !dw_pay(w, 1)) return false;
    e->off = (uint32_t)(c->p - w->in.s[DWARF_INFO].p);
    uint64_t code = dw_uleb(c);
    e->ab = NULL;
    if (code == 0) return !c->bad;
    e->ab = find_abbrev(w, &w->tables.p[u->abbrevs], code);
    if (!e->ab) dw_fail(c);
    return e->ab != NULL;
}

void dw_pass_values(Dwarf *w, const DwUnit *u, DwCur *c, const DwEntry *e) {
    const DwAbbrev *a = e->ab;
    if (!a) return;
    if (a->known) {
        dw_skip(c, a->bytes + (uint64_t)a->addrs * u->addr_size + (uint64_t)a->offs * u->off_size);
        return;
    }
    dw_pay(w, a->nspecs);
    DwValue v;
    for (uint32_t k = 0; k < a->nspecs && !c->bad; k++)
        dw_value_in(w, u, c, w->specs.p[a->specs + k].form, &v);
}

bool dw_unit_open(Dwarf *w, DwUnit *u) {
    if (u->opened) return true;
    if (u->abbrevs == DW_NONE) u->abbrevs = abbrev_table(w, u->abbrev_offset);
    uint64_t header = u->off_size == 8 ? 16 : 8; /* of the tables that indices count in */
    u->str_offsets = u->addrs = header;
    u->rnglists = u->loclists = header + 4;
    DwCur c = dw_unit_cursor(w, u, u->root);
    DwEntry e;
    if (!dw_entry(w, u, &c, &e) || !e.ab) return false;
    DwValue v, name = {0}, dir = {0}, low = {0};
    dw_pay(w, e.ab->nspecs);
    for (uint32_t k = 0; k < e.ab->nspecs && !c.bad; k++) {
        dw_value(w, u, &c, &w->specs.p[e.ab->specs + k], &v);
        switch (v.name) {
        case DW_AT_NAME: name = v; break;
        case DW_AT_COMP_DIR: dir = v; break;
        case DW_AT_LOW_PC: low = v; break;
        case DW_AT_STR_OFFSETS_BASE: u->str_offsets = v.x; break;
        case DW_AT_ADDR_BASE: u->addrs = v.x; break;
        case DW_AT_RNGLISTS_BASE: u->rnglists = v.x; break;
        case DW_AT_LOCLISTS_BASE: u->loclists = v.x; break;
        case DW_AT_STMT_LIST:
            u->has_lines = true;
            u->lines = v.x;
            break;
        case DW_AT_HIGH_PC:
        case DW_AT_RANGES: u->has_pcs = true; break;
        default: break; /* says nothing about addresses */
        }
    }
    u->name = dw_value_text(w, u, &name);
    u->dir = dw_value_text(w, u, &dir);
    if (!dw_value_address(w, u, &low, &u->low_pc)) u->low_pc = 0;
    u->opened = true;
    return true;
}

/* ---- what values mean ---- */
/* Entry `index` of a table of numbers that starts at base. */
static uint64_t indexed(const Dwarf *w, DwarfSection s, uint64_t base, uint64_t index,
                        unsigned size, bool *ok) {
    uint64_t n = w->in.s[s].n;
    *ok = base <= n && index < (n - base) / size;
    if (!*ok) return 0;
    DwCur c = dw_cursor(w, s, base + index * size);
    return dw_uint(&c, size);
}

DwarfStr dw_value_text(const Dwarf *w, const DwUnit *u, const DwValue *v) {
    DwarfStr none = {NULL, 0};
    uint64_t off = v->x;
    bool ok = true;
    if (v->class == DW_CLASS_STRING)
        return v->p ? (DwarfStr){(const char *)v->p, (uint32_t)v->x} : none;
    if (v->class == DW_CLASS_STR_INDEX)
        off = indexed(w, DWARF_STR_OFFSETS, u->str_offsets, v->x, u->off_size, &ok);
    else if (v->class != DW_CLASS_STR && v->class != DW_CLASS_LINE_STR)
        return none;
    DwCur c = dw_cursor(w, v->class == DW_CLASS_LINE_STR ? DWARF_LINE_STR : DWARF_STR, off);
    return ok ? dw_string(&c) : none;
}

bool dw_value_address(const Dwarf *w, const DwUnit *u, const DwValue *v, uint64_t *address) {
    bool ok = v->class == DW_CLASS_ADDRESS;
    *address = v->x;
    if (v->class == DW_CLASS_ADDRESS_INDEX)
        *address = indexed(w, DWARF_ADDR, u->addrs, v->x, u->addr_size, &ok);
    return ok;
}

uint32_t dw_value_entry(Dwarf *w, const DwUnit *u, const DwValue *v, const DwUnit **of) {
    uint64_t off = v->x;
    *of = u;
    if (v->class == DW_CLASS_UNIT_ENTRY) {
        if (off >= UINT32_MAX || off + u->off < u->root || off + u->off >= u->end) return DW_NONE;
        return (uint32_t)off + u->off;
    }
    if (v->class != DW_CLASS_ENTRY || off >= UINT32_MAX) return DW_NONE;
    DwUnit *other = dw_unit_at(w, (uint32_t)off);
    if (!other || !dw_unit_open(w, other)) return DW_NONE;
    *of = other;
    return (uint32_t)off;
}
