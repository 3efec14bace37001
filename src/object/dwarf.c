/* object/dwarf.c — debug information: which line each instruction is of, and where functions are (DWARF 4).
 *
 * Source locations are lines of one file, ObjectOptions.source. One compilation unit holds an entry per function; each function is a
 * sequence of the line table and a range of its own, so that linkers may drop or move it.
 *
 *   .debug_info ──► .debug_abbrev (what entries look like), .debug_str (names), .debug_line, .debug_ranges
 *   .debug_aranges ──► .debug_info: the unit of an address
 * Cost: linear. */
#include "object/dwarf.h"
#include "object/bytes.h"

enum {
    DW_TAG_compile_unit = 0x11,
    DW_TAG_subprogram = 0x2e,
    DW_AT_name = 0x03,
    DW_AT_stmt_list = 0x10,
    DW_AT_low_pc = 0x11,
    DW_AT_high_pc = 0x12,
    DW_AT_language = 0x13,
    DW_AT_producer = 0x25,
    DW_AT_decl_file = 0x3a,
    DW_AT_decl_line = 0x3b,
    DW_AT_external = 0x3f,
    DW_AT_frame_base = 0x40,
    DW_AT_ranges = 0x55,
    DW_FORM_addr = 0x01,
    DW_FORM_data2 = 0x05,
    DW_FORM_data4 = 0x06,
    DW_FORM_data1 = 0x0b,
    DW_FORM_flag = 0x0c,
    DW_FORM_strp = 0x0e,
    DW_FORM_udata = 0x0f,
    DW_FORM_sec_offset = 0x17,
    DW_FORM_exprloc = 0x18,
    DW_LANG_assembler = 0x8001,
    DW_OP_call_frame_cfa = 0x9c,
    DW_LNS_copy = 1,
    DW_LNS_advance_pc = 2,
    DW_LNS_advance_line = 3,
    DW_LNS_set_prologue_end = 10,
    DW_LNE_end_sequence = 1,
    DW_LNE_set_address = 2,
    LINE_BASE = -5,
    LINE_RANGE = 14,
    OPCODE_BASE = 13
};

typedef struct Dwarf {
    ObjPlan *p;
    Mem *m;
    uint32_t info, abbrev, str, line, ranges, aranges;
} Dwarf;

static VecU8 *to(Dwarf *w, uint32_t section) {
    return &w->p->sections.p[section].bytes;
}
static void put(Dwarf *w, uint32_t section, uint64_t x, unsigned n) {
    bytes_put(w->m, to(w, section), x, n);
}
static void put_u(Dwarf *w, uint32_t section, uint64_t x) {
    leb_put_u64(w->m, to(w, section), x);
}
/* n bytes that become the address or offset `addend` of a section */
static void put_reloc(Dwarf *w, uint32_t section, uint32_t target, uint64_t addend, unsigned n) {
    ObjSection *s = &w->p->sections.p[section];
    ObjReloc r = {s->bytes.n, target, n == 8 ? MACH_RELOC_ABS8 : MACH_RELOC_ABS4, (int64_t)addend};
    vec_push(w->m, &s->relocs, r);
    put(w, section, 0, n);
}
static void put_address(Dwarf *w, uint32_t section, const LinkDef *def, uint64_t offset) {
    ObjPlace at = w->p->places.p[def->sym];
    put_reloc(w, section, at.section, at.offset + offset, 8);
}
static void put_string(Dwarf *w, const char *s) { /* a reference in .debug_info */
    put_reloc(w, w->info, w->str, to(w, w->str)->n, 4);
    bytes_string(w->m, to(w, w->str), s, strlen(s));
}
static void set_length(Dwarf *w, uint32_t section, uint32_t at) { /* of what follows `at` */
    VecU8 *v = to(w, section);
    bytes_set(v->p + at, v->n - at - 4, 4);
}

/* ---- lines ---- */
static void put_row(Dwarf *w, uint64_t advance, int64_t lines) {
    uint64_t special = (uint64_t)(lines - LINE_BASE) + LINE_RANGE * advance + OPCODE_BASE;
    if (lines >= LINE_BASE && lines < LINE_BASE + LINE_RANGE && advance < 20 && special <= 255) {
        put(w, w->line, special, 1);
        return;
    }
    if (lines) {
        put(w, w->line, DW_LNS_advance_line, 1);
        leb_put_s64(w->m, to(w, w->line), lines);
    }
    if (advance) {
        put(w, w->line, DW_LNS_advance_pc, 1);
        put_u(w, w->line, advance);
    }
    put(w, w->line, DW_LNS_copy, 1);
}

/* The prologue counts to the function's first line. */
static void put_sequence(Dwarf *w, const LinkDef *def) {
    put(w, w->line, 0, 1);
    put_u(w, w->line, 9);
    put(w, w->line, DW_LNE_set_address, 1);
    put_address(w, w->line, def, 0);
    uint64_t at = 0;
    int64_t line = 1;
    bool prologue = true;
    put_row(w, 0, (int64_t)def->locs[0].loc - line);
    line = def->locs[0].loc;
    for (uint32_t i = 0; i < def->nlocs; i++) {
        const MachSrcLoc *l = &def->locs[i];
        if (l->loc == CLIF_NONE || (!prologue && l->loc == line)) continue;
        if (prologue) put(w, w->line, DW_LNS_set_prologue_end, 1);
        prologue = false;
        put_row(w, l->start - at, (int64_t)l->loc - line);
        at = l->start;
        line = l->loc;
    }
    put(w, w->line, DW_LNS_advance_pc, 1);
    put_u(w, w->line, def->size - at);
    put(w, w->line, 0, 1);
    put_u(w, w->line, 1);
    put(w, w->line, DW_LNE_end_sequence, 1);
}

static void begin_lines(Dwarf *w) {
    static const uint8_t operands[OPCODE_BASE - 1] = {0, 1, 1, 1, 1, 0, 0, 0, 1, 0, 0, 1};
    put(w, w->line, 0, 4);
    put(w, w->line, 4, 2); /* version */
    put(w, w->line, 0, 4); /* length of the rest of the header */
    put(w, w->line, w->p->k->isa->dwarf->code_align, 1);
    put(w, w->line, 1, 1); /* operations per instruction */
    put(w, w->line, 1, 1); /* rows are statements */
    put(w, w->line, (uint8_t)LINE_BASE, 1);
    put(w, w->line, LINE_RANGE, 1);
    put(w, w->line, OPCODE_BASE, 1);
    bytes_copy(w->m, to(w, w->line), operands, sizeof operands);
    put(w, w->line, 0, 1); /* no directories */
    bytes_string(w->m, to(w, w->line), w->p->o->source, strlen(w->p->o->source));
    put(w, w->line, 0, 3); /* directory, time, length */
    put(w, w->line, 0, 1);
    bytes_set(to(w, w->line)->p + 6, to(w, w->line)->n - 10, 4);
}

/* ---- entries ---- */
static void put_abbrevs(Dwarf *w) {
    static const uint8_t unit[] = {1,
                                   DW_TAG_compile_unit,
                                   1 /* children */,
                                   DW_AT_producer,
                                   DW_FORM_strp,
                                   DW_AT_language,
                                   DW_FORM_data2,
                                   DW_AT_name,
                                   DW_FORM_strp,
                                   DW_AT_stmt_list,
                                   DW_FORM_sec_offset,
                                   DW_AT_low_pc,
                                   DW_FORM_addr,
                                   DW_AT_ranges,
                                   DW_FORM_sec_offset,
                                   0,
                                   0},
                         function[] = {2,
                                       DW_TAG_subprogram,
                                       0,
                                       DW_AT_name,
                                       DW_FORM_strp,
                                       DW_AT_external,
                                       DW_FORM_flag,
                                       DW_AT_decl_file,
                                       DW_FORM_data1,
                                       DW_AT_decl_line,
                                       DW_FORM_udata,
                                       DW_AT_low_pc,
                                       DW_FORM_addr,
                                       DW_AT_high_pc,
                                       DW_FORM_data4,
                                       DW_AT_frame_base,
                                       DW_FORM_exprloc,
                                       0,
                                       0,
                                       0};
    bytes_copy(w->m, to(w, w->abbrev), unit, sizeof unit);
    bytes_copy(w->m, to(w, w->abbrev), function, sizeof function);
}

static void begin_unit(Dwarf *w) {
    put(w, w->info, 0, 4);
    put(w, w->info, 4, 2); /* version */
    put_reloc(w, w->info, w->abbrev, 0, 4);
    put(w, w->info, w->p->k->isa->pointer_bytes, 1);
    put(w, w->info, 1, 1);
    put_string(w, "cot");
    put(w, w->info, DW_LANG_assembler, 2);
    put_string(w, w->p->o->source);
    put_reloc(w, w->info, w->line, 0, 4);
    put(w, w->info, 0, 8);
    put_reloc(w, w->info, w->ranges, 0, 4);
    put(w, w->aranges, 0, 4);
    put(w, w->aranges, 2, 2); /* version */
    put_reloc(w, w->aranges, w->info, 0, 4);
    put(w, w->aranges, w->p->k->isa->pointer_bytes, 2); /* and no segments */
    put(w, w->aranges, 0, 4);                           /* pairs are aligned */
}

static void put_function(Dwarf *w, const LinkDef *def) {
    const LinkSymbol *y = linkable_at(w->p->k, def->sym);
    put(w, w->info, 2, 1);
    put_string(w, y->name);
    put(w, w->info, y->binding != LINK_LOCAL, 1);
    put(w, w->info, 1, 1);
    put_u(w, w->info, def->locs[0].loc);
    put_address(w, w->info, def, 0);
    put(w, w->info, def->size, 4);
    put(w, w->info, 1, 1);
    put(w, w->info, DW_OP_call_frame_cfa, 1);
    put_address(w, w->ranges, def, 0);
    put_address(w, w->ranges, def, def->size);
    put_address(w, w->aranges, def, 0);
    put(w, w->aranges, def->size, 8);
    put_sequence(w, def);
}

static bool has_lines(const LinkDef *def) {
    return def->kind == LINK_FUNC && def->nlocs && def->locs[0].loc != CLIF_NONE;
}

void dwarf_add(ObjPlan *p) {
    Dwarf w = {.p = p, .m = p->mem};
    bool any = false;
    for (uint32_t i = 0; i < p->k->waiting.n && !any; i++)
        any = has_lines(linkable_at(p->k, p->k->waiting.p[i])->def);
    if (!any) return;
    w.info = plan_add(p, ".debug_info", OBJ_DEBUG, 1);
    w.abbrev = plan_add(p, ".debug_abbrev", OBJ_DEBUG, 1);
    w.line = plan_add(p, ".debug_line", OBJ_DEBUG, 1);
    w.str = plan_add(p, ".debug_str", OBJ_DEBUG, 1);
    w.ranges = plan_add(p, ".debug_ranges", OBJ_DEBUG, 1);
    w.aranges = plan_add(p, ".debug_aranges", OBJ_DEBUG, 1);
    put_abbrevs(&w);
    begin_lines(&w);
    begin_unit(&w);
    for (uint32_t i = 0; i < p->k->waiting.n; i++) {
        const LinkDef *def = linkable_at(p->k, p->k->waiting.p[i])->def;
        if (has_lines(def)) put_function(&w, def);
    }
    put(&w, w.info, 0, 1);
    put(&w, w.ranges, 0, 8);
    put(&w, w.ranges, 0, 8);
    put(&w, w.aranges, 0, 8);
    put(&w, w.aranges, 0, 8);
    set_length(&w, w.info, 0);
    set_length(&w, w.line, 0);
    set_length(&w, w.aranges, 0);
    for (uint32_t s = w.info; s <= w.aranges; s++) p->sections.p[s].size = to(&w, s)->n;
}
