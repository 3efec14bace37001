/* dwarf/nat_unit.c — units: the entries of the module's, with what they say about code and places made to say it about the process.
 *
 * Idea        Entries are copied in their order, attribute by attribute, each in one fixed form per kind of value. What refers to entries
 *             is filled in when all are written and their places are known.
 * Invariants  Attributes whose meaning is not known here, or that refer to what is left out, are left out: less is said, nothing wrong.
 * Cost        linear, but for looking up references (binary search). */
#include "dwarf/nat_int.h"

typedef struct Inside { /* the function that entries are in */
    uint32_t func, depth;
    bool has_frame;
} Inside;

/* ---- references ---- */
static void put_reference(Nat *k, const DwUnit *u, const DwValue *v, bool native) {
    const DwUnit *of;
    uint32_t off = dw_value_entry(k->w, u, v, &of);
    uint32_t target = off == DW_NONE ? DW_NONE : nat_entry(k, off);
    if (target == DW_NONE) return;
    NatFix fix = {.target = target, .native = native};
    if (of == u) {
        fix.at = k->die.values.n;
        fix.unit = k->unit;
        die_num(&k->die, v->name, DW_FORM_REF4, 0);
    } else {
        fix.at = k->die.relocs.n; /* the relocation tells the place */
        fix.unit = DW_NONE;
        die_offset(&k->die, v->name, DWARF_INFO, 0);
    }
    vec_push(k->mem, &k->fixes, fix);
}

/* Writes the entry; what was added to k->fixes since the last one is of it. */
static uint32_t end_entry(Nat *k) {
    uint32_t values, relocs = k->o->relocs[DWARF_INFO].n;
    uint32_t at = die_end(&k->die, &values);
    for (; k->fixed < k->fixes.n; k->fixed++) {
        NatFix *f = &k->fixes.p[k->fixed];
        f->at += f->unit == DW_NONE ? relocs : values;
    }
    return at;
}

static void fill_in(Nat *k) {
    for (uint32_t i = 0; i < k->fixes.n; i++) {
        const NatFix *f = &k->fixes.p[i];
        const NatEntry *e = &k->entries.p[f->target];
        uint32_t to = f->native && e->native ? e->native : e->out;
        if (f->unit == DW_NONE) {
            k->o->relocs[DWARF_INFO].p[f->at].addend = to;
            continue;
        }
        to -= f->unit;
        for (unsigned b = 0; b < 4; b++) k->o->s[DWARF_INFO].p[f->at + b] = (uint8_t)(to >> 8 * b);
    }
}

/* ---- attributes ---- */
static bool is_passed_over(unsigned name) {
    switch (name) {
    case DW_AT_SIBLING:
    case DW_AT_STMT_LIST:
    case DW_AT_LOW_PC:
    case DW_AT_HIGH_PC:
    case DW_AT_RANGES:
    case DW_AT_ENTRY_PC:
    case DW_AT_LOCATION:
    case DW_AT_CONTAINING_TYPE:
    case DW_AT_FRAME_BASE:
    case DW_AT_STR_OFFSETS_BASE:
    case DW_AT_ADDR_BASE:
    case DW_AT_RNGLISTS_BASE:
    case DW_AT_LOCLISTS_BASE: return true;
    default: break;
    }
    return (name >= DW_AT_CALL_ALL_CALLS && name <= DW_AT_CALL_DATA_VALUE) ||
           (name >= 0x2100 && name < 0x3fff); /* of one producer */
}

static void put_attribute(Nat *k, const DwUnit *u, const DwValue *v) {
    DwarfDie *d = &k->die;
    switch ((DwClass)v->class) {
    case DW_CLASS_STRING:
    case DW_CLASS_STR:
    case DW_CLASS_LINE_STR:
    case DW_CLASS_STR_INDEX: {
        DwarfStr s = dw_value_text(k->w, u, v);
        if (s.p && dw_pay(k->w, s.n / 16 + 1)) die_string(d, v->name, s.p, s.n);
        return;
    }
    case DW_CLASS_NUMBER:
    case DW_CLASS_SIGNED:
        if ((v->name == DW_AT_DECL_FILE || v->name == DW_AT_CALL_FILE) &&
            (v->x >= k->nfiles || (!v->x && k->lines.version < 5)))
            return;
        die_num(d, v->name, v->class == DW_CLASS_SIGNED ? DW_FORM_SDATA : v->form, v->x);
        return;
    case DW_CLASS_FLAG:
        if (v->x) die_num(d, v->name, DW_FORM_FLAG_PRESENT, 1);
        return;
    case DW_CLASS_UNIT_ENTRY:
    case DW_CLASS_ENTRY: put_reference(k, u, v, false); return;
    case DW_CLASS_BLOCK:
        if (v->name == DW_AT_CONST_VALUE)
            die_block(d, v->name, v->form == DW_FORM_DATA16 ? DW_FORM_DATA16 : DW_FORM_BLOCK, v->p,
                      (uint32_t)v->x);
        else if ((v->name == DW_AT_DATA_MEMBER_LOCATION || v->name == DW_AT_VTABLE_ELEM_LOCATION) &&
                 nat_expr_is_plain(v->p, v->x))
            die_block(d, v->name, DW_FORM_EXPRLOC, v->p, (uint32_t)v->x);
        return;
    case DW_CLASS_NONE:
    case DW_CLASS_ADDRESS:
    case DW_CLASS_ADDRESS_INDEX:
    case DW_CLASS_OFFSET:
    case DW_CLASS_LOC_INDEX:
    case DW_CLASS_RANGE_INDEX: return;
    }
}

static void put_others(Nat *k, const DwUnit *u) {
    for (uint32_t i = 0; i < k->values.n; i++)
        if (!is_passed_over(k->values.p[i].name)) put_attribute(k, u, &k->values.p[i]);
}

static void put_code(Nat *k, const DwarfPiece *p, uint32_t n) {
    if (n == 1) {
        die_address(&k->die, DW_AT_LOW_PC, p->chunk, p->offset);
        die_num(&k->die, DW_AT_HIGH_PC, DW_FORM_UDATA, p->size);
    } else if (n) {
        die_offset(&k->die, DW_AT_RANGES, DWARF_RNGLISTS, out_ranges(k->o, k->base, p, n));
    }
}

/* ---- kinds of entries ---- */
static void put_pointer(Nat *k, const DwUnit *u, const DwEntry *e, NatEntry *to) {
    enum { UNSIGNED = 7 };
    DwValue none = {0};
    const DwValue *v = nat_value(k, DW_AT_TYPE);
    DwValue type = v ? *v : none;
    nat_type_name(k, u, v);
    if (k->text.p[k->text.n - 1] != '*') sb_putc(&k->text, ' ');
    sb_putc(&k->text, e->ab->tag == DW_TAG_POINTER_TYPE ? '*' : '&');
    die_begin(&k->die, DW_TAG_BASE_TYPE, false);
    die_string(&k->die, DW_AT_NAME, k->text.p, k->text.n);
    die_num(&k->die, DW_AT_BYTE_SIZE, DW_FORM_DATA1, 4);
    die_num(&k->die, DW_AT_ENCODING, DW_FORM_DATA1, UNSIGNED);
    to->out = end_entry(k);
    die_begin(&k->die, e->ab->tag, e->ab->children);
    if (type.name) put_reference(k, u, &type, false);
    to->native = end_entry(k);
}

/* C++'s pointers to members: a number, or one of a function and one of what is added to `this`. */
static void put_member_pointer(Nat *k, const DwUnit *u, NatEntry *to) {
    enum { UNSIGNED = 7 };
    const DwValue *v = nat_value(k, DW_AT_TYPE);
    bool function = v && nat_is_function_type(k, u, v);
    nat_type_name(k, u, v);
    sb_puts(&k->text, " ::*");
    die_begin(&k->die, DW_TAG_BASE_TYPE, false);
    die_string(&k->die, DW_AT_NAME, k->text.p, k->text.n);
    die_num(&k->die, DW_AT_BYTE_SIZE, DW_FORM_DATA1, function ? 8 : 4);
    die_num(&k->die, DW_AT_ENCODING, DW_FORM_DATA1, UNSIGNED);
    to->out = end_entry(k);
}

/* A part of a structure. gdb takes some for pointers because of their names, and fails on numbers: pointers to tables of virtual
 * functions, and those in slices of Rust. They are called something else. */
static void put_member(Nat *k, const DwUnit *u) {
    for (uint32_t i = 0; i < k->values.n; i++) {
        const DwValue *v = &k->values.p[i];
        DwarfStr s = v->name == DW_AT_NAME ? dw_value_text(k->w, u, v) : (DwarfStr){NULL, 0};
        if (s.n > 5 && memcmp(s.p, "_vptr", 5) == 0)
            die_string(&k->die, DW_AT_NAME, s.p + 1, s.n - 1);
        else if (s.n == 8 && memcmp(s.p, "data_ptr", 8) == 0)
            die_string(&k->die, DW_AT_NAME, s.p, 4);
        else if (!is_passed_over(v->name))
            put_attribute(k, u, v);
    }
}

/* A function with code. */
static void put_function(Nat *k, const DwUnit *u, uint32_t f, Inside *in) {
    static const uint8_t cfa[] = {0x9c}; /* DW_OP_call_frame_cfa */
    const DwValue *frame = nat_value(k, DW_AT_FRAME_BASE);
    put_others(k, u);
    put_code(k, &k->n->funcs[f].at, 1);
    in->func = f;
    in->has_frame = frame && nat_where(k, u, f, DW_AT_FRAME_BASE, frame, NAT_FRAME, false);
    if (!in->has_frame) die_block(&k->die, DW_AT_FRAME_BASE, DW_FORM_EXPRLOC, cfa, sizeof cfa);
}

static void put_variable(Nat *k, const DwUnit *u, const Inside *in) {
    const DwValue *type = nat_value(k, DW_AT_TYPE), *origin = nat_value(k, DW_AT_ABSTRACT_ORIGIN);
    if (!origin) origin = nat_value(k, DW_AT_SPECIFICATION);
    bool pointer = nat_variable_pointer(k, u, type, origin) != DW_NONE;
    for (uint32_t i = 0; i < k->values.n; i++) {
        const DwValue *v = &k->values.p[i];
        if (v->name == DW_AT_LOCATION) {
            nat_where(k, u, in->func, DW_AT_LOCATION, v, pointer ? NAT_POINTER : NAT_VALUE,
                      in->has_frame);
        } else if (pointer && v->name == DW_AT_TYPE) {
            DwValue native = *v;
            native.class = DW_CLASS_ENTRY;
            native.x = nat_pointer(k, u, v);
            put_reference(k, u, &native, true);
        } else if (pointer && v->name == DW_AT_CONST_VALUE) {
            if (!v->x && v->class != DW_CLASS_BLOCK) put_attribute(k, u, v);
        } else if (!is_passed_over(v->name)) {
            put_attribute(k, u, v);
        }
    }
}

static void put_unit(Nat *k, const DwUnit *u, uint32_t lines) {
    put_others(k, u);
    die_offset(&k->die, DW_AT_STMT_LIST, DWARF_LINE, lines);
    if (!k->pieces.n) return;
    die_address(&k->die, DW_AT_LOW_PC, k->base, 0);
    die_offset(&k->die, DW_AT_RANGES, DWARF_RNGLISTS,
               out_ranges(k->o, k->base, k->pieces.p, k->pieces.n));
}

/* In units with code, for looking at what numbers point to: `wasm_memory`, the address of the module's memory, where the context is in
 * its usual register. */
static void put_memory(Nat *k) {
    enum { UNSIGNED_CHAR = 8, DW_AT_ARTIFICIAL = 0x34 };
    DwarfDie *d = &k->die;
    nat_expr_memory(k);
    die_begin(d, DW_TAG_BASE_TYPE, false);
    die_string(d, DW_AT_NAME, "unsigned char", 13);
    die_num(d, DW_AT_BYTE_SIZE, DW_FORM_DATA1, 1);
    die_num(d, DW_AT_ENCODING, DW_FORM_DATA1, UNSIGNED_CHAR);
    uint32_t type = end_entry(k);
    die_begin(d, DW_TAG_POINTER_TYPE, false);
    die_num(d, DW_AT_TYPE, DW_FORM_REF4, type - k->unit);
    type = end_entry(k);
    die_begin(d, DW_TAG_VARIABLE, false);
    die_string(d, DW_AT_NAME, "wasm_memory", 11);
    die_num(d, DW_AT_TYPE, DW_FORM_REF4, type - k->unit);
    die_num(d, DW_AT_ARTIFICIAL, DW_FORM_FLAG_PRESENT, 1);
    die_block(d, DW_AT_LOCATION, DW_FORM_EXPRLOC, k->expr.p, k->expr.n);
    end_entry(k);
}

static void put_block(Nat *k, const DwUnit *u, const Inside *in, const DwPcs *p) {
    put_others(k, u);
    if (!nat_has_pcs(p) || in->func == DW_NONE) return;
    nat_spans_of(k, u, in->func, p);
    vec_clear(&k->pieces);
    for (uint32_t i = 0; i < k->spans.n; i++)
        vec_push(k->mem, &k->pieces, nat_piece(k, in->func, k->spans.p[i]));
    put_code(k, k->pieces.p, k->pieces.n);
}

static void put_label(Nat *k, const DwUnit *u, const Inside *in, const DwPcs *p) {
    put_others(k, u);
    if (!nat_has_pcs(p) || in->func == DW_NONE) return;
    nat_spans_of(k, u, in->func, p);
    if (!k->spans.n) return;
    DwarfPiece at = nat_piece(k, in->func, k->spans.p[0]);
    die_address(&k->die, DW_AT_LOW_PC, at.chunk, at.offset);
}

static void put_entry(Nat *k, const DwUnit *u, const DwEntry *e, uint32_t index, Inside *in,
                      uint32_t lines) {
    NatEntry *to = &k->entries.p[index];
    unsigned tag = e->ab->tag;
    if (nat_is_pointer(tag)) {
        put_pointer(k, u, e, to);
        return;
    }
    if (tag == DW_TAG_PTR_TO_MEMBER_TYPE && !e->ab->children) {
        put_member_pointer(k, u, to);
        return;
    }
    DwPcs p = nat_pcs(k);
    die_begin(&k->die, tag, e->ab->children);
    if (tag == DW_TAG_COMPILE_UNIT || tag == DW_TAG_PARTIAL_UNIT) {
        put_unit(k, u, lines);
    } else if (tag == DW_TAG_SUBPROGRAM && nat_has_pcs(&p)) {
        uint32_t f = k->nwritten < k->claims.n ? k->claims.p[k->nwritten] : DW_NONE;
        if (f != DW_NONE && k->owner.p[f] == e->off) {
            k->nwritten++;
            put_function(k, u, f, in);
        }
    } else if (tag == DW_TAG_VARIABLE || tag == DW_TAG_FORMAL_PARAMETER) {
        put_variable(k, u, in);
    } else if (tag == DW_TAG_MEMBER) {
        put_member(k, u);
    } else if (tag == DW_TAG_LABEL) {
        put_label(k, u, in, &p);
    } else {
        put_block(k, u, in, &p);
    }
    to->out = end_entry(k);
}

/* ---- units ---- */
/* Functions whose entries are in the unit; they were claimed in the order of entries. */
static void gather(Nat *k, const DwUnit *u) {
    vec_clear(&k->funcs);
    vec_clear(&k->pieces);
    while (k->nwritten < k->claims.n && k->owner.p[k->claims.p[k->nwritten]] < u->off)
        k->nwritten++;
    for (uint32_t i = k->nwritten; i < k->claims.n && k->owner.p[k->claims.p[i]] < u->end; i++) {
        vec_push(k->mem, &k->funcs, k->claims.p[i]);
        vec_push(k->mem, &k->pieces, k->n->funcs[k->claims.p[i]].at);
    }
    k->base = k->pieces.n ? k->pieces.p[0].chunk : DW_NO_BASE;
}

static void copy_unit(Nat *k, const DwUnit *u, uint32_t *gap) {
    gather(k, u);
    uint32_t lines = nat_lines(k, u), depth = 0;
    Inside none = {.func = DW_NONE}, in = none;
    k->unit = out_unit(k->o, u->kind);
    DwCur c = dw_unit_cursor(k->w, u, u->root);
    const uint8_t *start = k->w->in.s[DWARF_INFO].p;
    DwEntry e;
    for (;;) {
        uint32_t at = (uint32_t)(c.p - start);
        while (*gap < k->gaps.n && k->gaps.p[*gap].hi <= at) ++*gap;
        if (*gap < k->gaps.n && k->gaps.p[*gap].lo == at && k->gaps.p[*gap].hi <= u->end) {
            c.p = start + k->gaps.p[*gap].hi;
            continue;
        }
        if (!nat_read(k, u, &c, &e)) break;
        if (!e.ab) {
            out_num(k->o, DWARF_INFO, 0, 1);
            if (!depth || --depth == 0) break;
        } else {
            uint32_t index = k->next;
            if (index >= k->entries.n || k->entries.p[index].in != e.off) break;
            k->next++;
            if (in.func != DW_NONE && depth <= in.depth) in = none;
            uint32_t outer = in.func;
            put_entry(k, u, &e, index, &in, lines);
            if (in.func != outer) in.depth = depth;
            if (!depth && e.ab->children && k->funcs.n) put_memory(k);
            if (e.ab->children) depth++;
        }
        if (!depth) break;
    }
    for (; depth; depth--) out_num(k->o, DWARF_INFO, 0, 1);
    out_end_length(k->o, DWARF_INFO, k->unit);
    if (k->funcs.n) {
        vec_clear(&k->pieces);
        for (uint32_t i = 0; i < k->funcs.n; i++)
            vec_push(k->mem, &k->pieces, k->n->funcs[k->funcs.p[i]].at);
        out_aranges(k->o, k->unit, k->pieces.p, k->pieces.n);
    }
}

void nat_units(Nat *k) {
    Dwarf *w = k->w;
    uint32_t gap = 0;
    w->fuel = nat_tank(k);
    k->die.o = k->o;
    for (uint32_t i = 0; i < w->units.n; i++) {
        const DwUnit *u = &w->units.p[i];
        if (!u->opened || !nat_is_unit(u)) continue;
        while (k->next < k->entries.n && k->entries.p[k->next].in < u->root) k->next++;
        copy_unit(k, u, &gap);
    }
    fill_in(k);
}
