/* dwarf/places.c — of a module's debugging information, what dwarf_find needs and nothing else.
 *
 * Problem     Files that have native information need the module's own for backtraces only. Most of it tells of types and variables.
 * Idea        A unit keeps its functions and, in these, the calls that were inlined, each with its code and its whole name as text,
 *             which is what finding it has to tell; so nothing refers to other entries, and namespaces and classes, which
 *             only give names, go too. Line tables are written anew, without the rows that say nothing new.
 * Invariants  dwarf_find answers the same for what is written, for every address that is not of code that a linker dropped (which is
 *             what begins at 0).
 * Cost        linear, but for names: see find.c. Damaged input: see Dwarf.fuel; then less is kept. */
#include "dwarf/dw_int.h"
#include "dwarf/out.h"

typedef struct Places {
    Dwarf *w;
    DwarfOutput *o;
    Mem *mem;
    DwarfDie die;
    DwLines lines; /* those of the unit's index */
    uint32_t nfiles;
    VEC(DwarfPiece) pieces;
    VEC(DwarfOutRow) rows;
    VecU8 kept; /* per open entry: is it written? */
} Places;

/* Into p->pieces. */
static void read_ranges(Places *p, const DwUnit *u, const DwPcs *pcs) {
    DwRangeIter it;
    uint64_t lo, hi;
    vec_clear(&p->pieces);
    dw_ranges(&it, p->w, u, pcs);
    while (dw_range_next(&it, &lo, &hi))
        if (lo && hi < UINT32_MAX) vec_push(p->mem, &p->pieces, (DwarfPiece){0, lo, hi - lo});
}

static void put_ranges(Places *p) {
    if (p->pieces.n == 1) {
        die_address(&p->die, DW_AT_LOW_PC, 0, p->pieces.p[0].offset);
        die_num(&p->die, DW_AT_HIGH_PC, DW_FORM_UDATA, p->pieces.p[0].size);
    } else if (p->pieces.n) {
        die_offset(&p->die, DW_AT_RANGES, DWARF_RNGLISTS,
                   out_ranges(p->o, 0, p->pieces.p, p->pieces.n));
    }
}

static void put_name(Places *p, const DwUnit *u, uint32_t entry) {
    DwarfStr s = dw_function_name(p->w, u, entry);
    if (s.n) die_string(&p->die, DW_AT_NAME, s.p, s.n);
}

/* ---- lines ---- */
/* The number of a file that there is not stays one. */
static uint32_t file_number(const Places *p, uint64_t file) {
    return file < p->nfiles && (file || p->lines.version >= 5) ? (uint32_t)file : p->nfiles;
}

static void put_sequence(Places *p, const DwSequence *s) {
    vec_clear(&p->rows);
    for (uint32_t i = 0; i < s->n; i++) {
        const DwRow *r = &p->lines.rows.p[s->first + i];
        DwarfOutRow x = {.offset = r->addr - s->lo,
                         .file = file_number(p, r->file),
                         .line = r->line,
                         .column = r->column,
                         .flags = DW_OUT_STMT};
        DwarfOutRow *last = p->rows.n ? &vec_last(&p->rows) : NULL;
        if (last && last->file == x.file && last->line == x.line && last->column == x.column)
            continue;
        if (last && last->offset == x.offset)
            *last = x;
        else
            vec_push(p->mem, &p->rows, x);
    }
    out_sequence(p->o, (DwarfPiece){0, s->lo, s->hi - s->lo}, p->rows.p, p->rows.n);
}

static uint32_t put_lines(Places *p, const DwUnit *u) {
    uint32_t at = out_lines_of(p->o, u, &p->lines, false, &p->nfiles);
    for (uint32_t i = 0; i < p->lines.sequences.n; i++)
        if (p->lines.sequences.p[i].lo) put_sequence(p, &p->lines.sequences.p[i]);
    out_lines_end(p->o, at);
    return at;
}

/* ---- entries ---- */
typedef struct Entry {
    DwPcs pcs;
    uint64_t file, line, column;
} Entry;

static Entry read_entry(Places *p, const DwUnit *u, DwCur *c, const DwEntry *e) {
    Entry x = {.line = 0};
    dw_pay(p->w, e->ab->nspecs);
    for (uint32_t i = 0; i < e->ab->nspecs && !c->bad; i++) {
        DwValue v;
        dw_value(p->w, u, c, &p->w->specs.p[e->ab->specs + i], &v);
        dw_pcs_add(&x.pcs, &v);
        if (v.name == DW_AT_CALL_FILE) x.file = v.x;
        if (v.name == DW_AT_CALL_LINE) x.line = v.x;
        if (v.name == DW_AT_CALL_COLUMN) x.column = v.x;
    }
    return x;
}

static bool put_call(Places *p, const DwUnit *u, const DwEntry *e, const Entry *x) {
    read_ranges(p, u, &x->pcs);
    if (!p->pieces.n) return false;
    die_begin(&p->die, DW_TAG_INLINED_SUBROUTINE, e->ab->children);
    put_name(p, u, e->off);
    put_ranges(p);
    die_num(&p->die, DW_AT_CALL_FILE, DW_FORM_UDATA, file_number(p, x->file));
    if (x->line) die_num(&p->die, DW_AT_CALL_LINE, DW_FORM_UDATA, x->line);
    if (x->column) die_num(&p->die, DW_AT_CALL_COLUMN, DW_FORM_UDATA, x->column);
    die_end(&p->die, NULL);
    return true;
}

/* What is inside of a function that was written: the entries below c, in which functions of their own are passed over. */
static void put_calls(Places *p, const DwUnit *u, DwCur *c) {
    DwEntry e;
    uint32_t inner = 0; /* depth below a function inside */
    vec_clear(&p->kept);
    while (dw_entry(p->w, u, c, &e)) {
        if (!e.ab) {
            if (inner) {
                inner--;
                continue;
            }
            if (!p->kept.n) break;
            if (vec_pop(&p->kept)) out_num(p->o, DWARF_INFO, 0, 1);
            continue;
        }
        Entry x = read_entry(p, u, c, &e);
        if (inner || e.ab->tag == DW_TAG_SUBPROGRAM) {
            inner += e.ab->children;
            continue;
        }
        bool kept = e.ab->tag == DW_TAG_INLINED_SUBROUTINE && put_call(p, u, &e, &x);
        if (e.ab->children) vec_push(p->mem, &p->kept, kept);
    }
    while (p->kept.n)
        if (vec_pop(&p->kept)) out_num(p->o, DWARF_INFO, 0, 1);
    out_num(p->o, DWARF_INFO, 0, 1);
}

static void put_function(Places *p, const DwUnit *u, uint32_t off) {
    DwCur c = dw_unit_cursor(p->w, u, off);
    DwEntry e;
    if (!dw_entry(p->w, u, &c, &e) || !e.ab) return;
    Entry x = read_entry(p, u, &c, &e);
    read_ranges(p, u, &x.pcs);
    if (!p->pieces.n) return;
    die_begin(&p->die, DW_TAG_SUBPROGRAM, e.ab->children);
    put_name(p, u, off);
    put_ranges(p);
    die_end(&p->die, NULL);
    if (e.ab->children) put_calls(p, u, &c);
}

static void put_unit(Places *p, const DwUnit *u) {
    p->w->fuel = p->w->tank;
    DwIndex x = *dw_index(p->w, u);
    p->lines = x.lines;
    uint32_t lines = put_lines(p, u);
    uint32_t at = out_unit(p->o, DW_UNIT_COMPILE);
    DwCur c = dw_unit_cursor(p->w, u, u->root);
    DwEntry e;
    bool ok = dw_entry(p->w, u, &c, &e) && e.ab;
    die_begin(&p->die, DW_TAG_COMPILE_UNIT, true);
    die_offset(&p->die, DW_AT_STMT_LIST, DWARF_LINE, lines);
    if (ok && u->has_pcs) {
        Entry root = read_entry(p, u, &c, &e);
        read_ranges(p, u, &root.pcs);
        die_address(&p->die, DW_AT_LOW_PC, 0, 0); /* what lists count from */
        if (p->pieces.n)
            die_offset(&p->die, DW_AT_RANGES, DWARF_RNGLISTS,
                       out_ranges(p->o, 0, p->pieces.p, p->pieces.n));
    }
    die_end(&p->die, NULL);
    for (uint32_t i = 0; i < x.funcs.n; i++) put_function(p, u, x.funcs.p[i].entry);
    out_num(p->o, DWARF_INFO, 0, 1);
    out_end_length(p->o, DWARF_INFO, at);
}

void dwarf_write_places(const DwarfInput *in, DwarfOutput *o) {
    Places p = {.o = o, .mem = o->mem, .w = dwarf_open(o->mem, in)};
    Dwarf *w = p.w;
    p.die.o = o;
    for (uint32_t i = 0; i < w->units.n; i++) dw_unit_open(w, &w->units.p[i]);
    for (uint32_t i = 0; i < w->units.n; i++) {
        const DwUnit *u = &w->units.p[i];
        bool has = u->kind == DW_UNIT_COMPILE || u->kind == DW_UNIT_SKELETON;
        if (has && u->opened) put_unit(&p, u);
    }
    die_free(&p.die);
    vec_free(p.mem, &p.pieces);
    vec_free(p.mem, &p.rows);
    vec_free(p.mem, &p.kept);
    dwarf_free(w);
    dwarf_output_end(o);
    dwarf_output_place(o, 0);
}
