/* dwarf/out.c — entries, texts and lists to the end of their sections.
 *
 * Abbreviations are made as entries need them: one table serves all units. Range and location lists have one header each. What is equal
 * is there once: texts, abbreviations, lists (an inlined function has many entries for what is one local).
 * Ref.  DWARF 5, 7.5 (entries), 7.28 (range lists), 7.29 (location lists), 6.1.2 (.debug_aranges). */
#include "dwarf/dw_int.h"
#include "dwarf/out.h"

void dwarf_output_init(DwarfOutput *o, Mem *m) {
    memset(o, 0, sizeof *o);
    o->mem = m;
    o->rnglists = o->loclists = UINT32_MAX;
    o->lists_base = DW_NO_BASE;
}

void dwarf_output_free(DwarfOutput *o) {
    for (unsigned s = 0; s < DWARF_SECTION_COUNT; s++) {
        vec_free(o->mem, &o->s[s]);
        vec_free(o->mem, &o->relocs[s]);
    }
    hashmap_free(o->mem, &o->strings);
    hashmap_free(o->mem, &o->abbrevs);
    hashmap_free(o->mem, &o->lists);
    vec_free(o->mem, &o->abbrev_at);
}

void out_end_length(DwarfOutput *o, DwarfSection s, uint32_t at) {
    uint32_t n = o->s[s].n - at - 4;
    for (unsigned i = 0; i < 4; i++) o->s[s].p[at + i] = (uint8_t)(n >> 8 * i);
}

void dwarf_output_end(DwarfOutput *o) {
    if (o->abbrev_at.n) out_num(o, DWARF_ABBREV, 0, 1);
    if (o->rnglists != UINT32_MAX) out_end_length(o, DWARF_RNGLISTS, o->rnglists);
    if (o->loclists != UINT32_MAX) out_end_length(o, DWARF_LOCLISTS, o->loclists);
}

void dwarf_output_place(DwarfOutput *o, uint64_t code) {
    for (unsigned s = 0; s < DWARF_SECTION_COUNT; s++)
        for (uint32_t k = 0; k < o->relocs[s].n; k++) {
            const DwarfReloc *r = &o->relocs[s].p[k];
            uint64_t x = r->addend + (r->section == DWARF_CODE ? code : 0);
            for (unsigned i = 0; i < r->size; i++) o->s[s].p[r->offset + i] = (uint8_t)(x >> 8 * i);
        }
}

/* ---- texts and abbreviations, each kept once ---- */
static bool same(const VecU8 *v, uint32_t at, const void *p, uint32_t n) {
    return at <= v->n && n <= v->n - at && memcmp(v->p + at, p, n) == 0;
}

uint32_t out_string(DwarfOutput *o, const char *p, uint32_t n) {
    VecU8 *v = &o->s[DWARF_STR];
    if (!n) p = "";
    for (uint64_t h = hash_bytes(p, n, 1);; h++) {
        bool fresh;
        uint32_t at = *hashmap_get_or_insert(o->mem, &o->strings, h, v->n, &fresh);
        if (fresh) {
            out_bytes(o, DWARF_STR, p, n);
            out_num(o, DWARF_STR, 0, 1);
        } else if (!same(v, at, p, n) || v->p[at + n]) {
            continue;
        }
        return at;
    }
}

uint32_t out_abbrev(DwarfOutput *o, const uint8_t *p, uint32_t n) {
    VecU8 *v = &o->s[DWARF_ABBREV];
    for (uint64_t h = hash_bytes(p, n, 2);; h++) {
        bool fresh;
        uint32_t code = *hashmap_get_or_insert(o->mem, &o->abbrevs, h, o->abbrev_at.n + 1, &fresh);
        if (fresh) {
            out_uleb(o, DWARF_ABBREV, code);
            vec_push(o->mem, &o->abbrev_at, v->n);
            out_bytes(o, DWARF_ABBREV, p, n);
        } else if (!same(v, o->abbrev_at.p[code - 1], p, n)) {
            continue;
        }
        return code;
    }
}

/* ---- entries ---- */
void die_free(DwarfDie *d) {
    vec_free(d->o->mem, &d->abbrev);
    vec_free(d->o->mem, &d->values);
    vec_free(d->o->mem, &d->relocs);
}

void die_begin(DwarfDie *d, unsigned tag, bool children) {
    vec_clear(&d->abbrev);
    vec_clear(&d->values);
    vec_clear(&d->relocs);
    leb_put_u64(d->o->mem, &d->abbrev, tag);
    vec_push(d->o->mem, &d->abbrev, children);
}

void die_attr(DwarfDie *d, unsigned name, unsigned form) {
    leb_put_u64(d->o->mem, &d->abbrev, name);
    leb_put_u64(d->o->mem, &d->abbrev, form);
}

static void value(DwarfDie *d, uint64_t x, unsigned n) {
    uint8_t *p = vec_extend(d->o->mem, &d->values, n);
    for (unsigned i = 0; i < n; i++) p[i] = (uint8_t)(x >> 8 * i);
}

void die_num(DwarfDie *d, unsigned name, unsigned form, uint64_t x) {
    die_attr(d, name, form);
    switch (form) {
    case DW_FORM_FLAG_PRESENT: break;
    case DW_FORM_FLAG:
    case DW_FORM_DATA1: value(d, x, 1); break;
    case DW_FORM_DATA2: value(d, x, 2); break;
    case DW_FORM_REF4:
    case DW_FORM_DATA4: value(d, x, 4); break;
    case DW_FORM_DATA8: value(d, x, 8); break;
    case DW_FORM_SDATA: leb_put_s64(d->o->mem, &d->values, (int64_t)x); break;
    default: leb_put_u64(d->o->mem, &d->values, x); break;
    }
}

static void reloc(DwarfDie *d, DwarfReloc r) {
    r.offset = d->values.n;
    vec_push(d->o->mem, &d->relocs, r);
    value(d, 0, r.size);
}

void die_string(DwarfDie *d, unsigned name, const char *p, uint32_t n) {
    die_attr(d, name, DW_FORM_STRP);
    reloc(d, (DwarfReloc){.size = 4, .section = DWARF_STR, .addend = out_string(d->o, p, n)});
}

void die_address(DwarfDie *d, unsigned name, uint32_t chunk, uint64_t offset) {
    die_attr(d, name, DW_FORM_ADDR);
    reloc(d, (DwarfReloc){.size = 8, .section = DWARF_CODE, .chunk = chunk, .addend = offset});
}

void die_offset(DwarfDie *d, unsigned name, DwarfSection to, uint32_t at) {
    die_attr(d, name, to == DWARF_INFO ? DW_FORM_REF_ADDR : DW_FORM_SEC_OFFSET);
    reloc(d, (DwarfReloc){.size = 4, .section = (uint8_t)to, .addend = at});
}

void die_block(DwarfDie *d, unsigned name, unsigned form, const uint8_t *p, uint32_t n) {
    die_attr(d, name, form);
    if (form != DW_FORM_DATA16) leb_put_u64(d->o->mem, &d->values, n);
    if (n) memcpy(vec_extend(d->o->mem, &d->values, n), p, n);
}

uint32_t die_end(DwarfDie *d, uint32_t *values) {
    DwarfOutput *o = d->o;
    uint32_t at = o->s[DWARF_INFO].n;
    value(d, 0, 0);
    leb_put_u64(o->mem, &d->abbrev, 0);
    leb_put_u64(o->mem, &d->abbrev, 0);
    out_uleb(o, DWARF_INFO, out_abbrev(o, d->abbrev.p, d->abbrev.n));
    uint32_t start = o->s[DWARF_INFO].n;
    if (values) *values = start;
    for (uint32_t k = 0; k < d->relocs.n; k++) {
        DwarfReloc r = d->relocs.p[k];
        r.offset += start;
        vec_push(o->mem, &o->relocs[DWARF_INFO], r);
    }
    out_bytes(o, DWARF_INFO, d->values.p, d->values.n);
    return at;
}

uint32_t out_unit(DwarfOutput *o, unsigned kind) {
    uint32_t at = out_length(o, DWARF_INFO);
    out_num(o, DWARF_INFO, 5, 2);
    out_num(o, DWARF_INFO, kind, 1);
    out_num(o, DWARF_INFO, 8, 1);
    out_offset(o, DWARF_INFO, DWARF_ABBREV, 0);
    return at;
}

/* ---- lists ---- */
enum { RLE_END = 0, RLE_OFFSETS = 4, RLE_BASE = 5 }; /* of ranges */
enum { LLE_END = 0, LLE_OFFSETS = 4, LLE_BASE = 6 }; /* of locations */

static void begin_lists(DwarfOutput *o, DwarfSection s, uint32_t *at) {
    if (*at != UINT32_MAX) return;
    *at = out_length(o, s);
    out_num(o, s, 5, 2);
    out_num(o, s, 8, 2); /* size of addresses, no segments */
    out_num(o, s, 0, 4); /* no table of offsets */
}

static void put_base(DwarfOutput *o, DwarfSection s, unsigned op, uint32_t chunk, uint32_t *base) {
    if (*base == chunk) return;
    *base = chunk;
    out_num(o, s, op, 1);
    out_address(o, s, chunk, 0);
}

/* The list from `at` to the section's end: instead of it an equal one that is there already. Its base is that of its unit, which is the
 * same for all where code is one chunk; lists that name bases are never equal. */
static uint32_t end_list(DwarfOutput *o, DwarfSection s, uint32_t at, uint32_t base) {
    VecU8 *v = &o->s[s];
    uint32_t n = v->n - at;
    if (o->lists_base == DW_NO_BASE) o->lists_base = base;
    bool named = o->relocs[s].n && vec_last(&o->relocs[s]).offset >= at;
    if (named || base != o->lists_base) return at;
    for (uint64_t h = hash_bytes(v->p + at, n, 3 + s);; h++) {
        bool fresh;
        uint32_t old = *hashmap_get_or_insert(o->mem, &o->lists, h, at, &fresh);
        if (fresh) return at;
        if (!same(v, old, v->p + at, n)) continue;
        v->n = at;
        return old;
    }
}

uint32_t out_ranges(DwarfOutput *o, uint32_t base, const DwarfPiece *p, uint32_t n) {
    begin_lists(o, DWARF_RNGLISTS, &o->rnglists);
    uint32_t at = o->s[DWARF_RNGLISTS].n;
    for (uint32_t k = 0; k < n; k++) {
        put_base(o, DWARF_RNGLISTS, RLE_BASE, p[k].chunk, &base);
        out_num(o, DWARF_RNGLISTS, RLE_OFFSETS, 1);
        out_uleb(o, DWARF_RNGLISTS, p[k].offset);
        out_uleb(o, DWARF_RNGLISTS, p[k].offset + p[k].size);
    }
    out_num(o, DWARF_RNGLISTS, RLE_END, 1);
    return end_list(o, DWARF_RNGLISTS, at, base);
}

DwarfLocList out_locs(DwarfOutput *o, uint32_t base) {
    begin_lists(o, DWARF_LOCLISTS, &o->loclists);
    return (DwarfLocList){o->s[DWARF_LOCLISTS].n, base};
}

void out_loc(DwarfOutput *o, DwarfLocList *l, DwarfPiece p, const uint8_t *expr, uint32_t n) {
    put_base(o, DWARF_LOCLISTS, LLE_BASE, p.chunk, &l->base);
    out_num(o, DWARF_LOCLISTS, LLE_OFFSETS, 1);
    out_uleb(o, DWARF_LOCLISTS, p.offset);
    out_uleb(o, DWARF_LOCLISTS, p.offset + p.size);
    out_uleb(o, DWARF_LOCLISTS, n);
    out_bytes(o, DWARF_LOCLISTS, expr, n);
}

uint32_t out_locs_end(DwarfOutput *o, const DwarfLocList *l) {
    out_num(o, DWARF_LOCLISTS, LLE_END, 1);
    return end_list(o, DWARF_LOCLISTS, l->at, l->base);
}

void out_aranges(DwarfOutput *o, uint32_t unit, const DwarfPiece *p, uint32_t n) {
    DwarfSection s = DWARF_ARANGES;
    uint32_t at = out_length(o, s);
    out_num(o, s, 2, 2); /* version */
    out_offset(o, s, DWARF_INFO, unit);
    out_num(o, s, 8, 2); /* size of addresses, no segments */
    out_num(o, s, 0, 4); /* pairs are aligned */
    for (uint32_t k = 0; k < n; k++) {
        out_address(o, s, p[k].chunk, p[k].offset);
        out_num(o, s, p[k].size, 8);
    }
    out_num(o, s, 0, 8);
    out_num(o, s, 0, 8);
    out_end_length(o, s, at);
}
