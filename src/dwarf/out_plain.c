/* dwarf/out_plain.c — a unit of debugging information for functions that are known by name, place and lines only: of CLIF, and of
 * modules that say nothing about their source.
 * Ref.  DWARF 5, 3.1.1 (units), 3.3 (functions). */
#include "dwarf/dw_int.h"
#include "dwarf/out.h"

enum { LANG_ASSEMBLER = 0x8001, OP_CALL_FRAME_CFA = 0x9c };

static uint32_t first_line(const DwarfFunction *f) {
    for (uint32_t k = 0; k < f->nrows; k++)
        if (f->rows[k].line) return f->rows[k].line;
    return 0;
}

static uint32_t lines_of(DwarfOutput *o, DwarfStr file, const DwarfFunction *f, uint32_t n) {
    DwarfStr here = {".", 1};
    /* Two files with one name: entries refer to file 0, and some readers begin with file 1. */
    DwarfOutFile files[2] = {{file, 0, NULL}, {file, 0, NULL}};
    uint32_t at = out_lines(o, &here, 1, files, 2);
    for (uint32_t k = 0; k < n; k++)
        if (f[k].nrows) out_sequence(o, f[k].at, f[k].rows, f[k].nrows);
    out_lines_end(o, at);
    return at;
}

static void function(DwarfDie *d, const DwarfFunction *f) {
    static const uint8_t base[] = {OP_CALL_FRAME_CFA};
    uint32_t line = first_line(f);
    die_begin(d, DW_TAG_SUBPROGRAM, false);
    if (f->name.n) die_string(d, DW_AT_NAME, f->name.p, f->name.n);
    if (f->external) die_num(d, DW_AT_EXTERNAL, DW_FORM_FLAG_PRESENT, 1);
    if (line) {
        die_num(d, DW_AT_DECL_FILE, DW_FORM_DATA1, 0);
        die_num(d, DW_AT_DECL_LINE, DW_FORM_UDATA, line);
    }
    die_address(d, DW_AT_LOW_PC, f->at.chunk, f->at.offset);
    die_num(d, DW_AT_HIGH_PC, DW_FORM_UDATA, f->at.size);
    die_block(d, DW_AT_FRAME_BASE, DW_FORM_EXPRLOC, base, sizeof base);
    die_end(d, NULL);
}

bool dwarf_write_plain(DwarfOutput *o, DwarfStr file, const DwarfFunction *f, uint32_t n) {
    VEC(DwarfPiece) pieces = {0};
    for (uint32_t k = 0; k < n; k++)
        if (f[k].nrows) vec_push(o->mem, &pieces, f[k].at);
    if (!pieces.n) return false;
    DwarfDie d = {.o = o};
    uint32_t lines = lines_of(o, file, f, n), base = pieces.p[0].chunk;
    uint32_t ranges = out_ranges(o, base, pieces.p, pieces.n);
    uint32_t unit = out_unit(o, DW_UNIT_COMPILE);
    die_begin(&d, DW_TAG_COMPILE_UNIT, true);
    die_string(&d, DW_AT_PRODUCER, "cot", 3);
    die_num(&d, DW_AT_LANGUAGE, DW_FORM_DATA2, LANG_ASSEMBLER);
    die_string(&d, DW_AT_NAME, file.p, file.n);
    die_offset(&d, DW_AT_STMT_LIST, DWARF_LINE, lines);
    die_address(&d, DW_AT_LOW_PC, base, 0);
    die_offset(&d, DW_AT_RANGES, DWARF_RNGLISTS, ranges);
    die_end(&d, NULL);
    for (uint32_t k = 0; k < n; k++)
        if (f[k].nrows) function(&d, &f[k]);
    out_num(o, DWARF_INFO, 0, 1);
    out_end_length(o, DWARF_INFO, unit);
    out_aranges(o, unit, pieces.p, pieces.n);
    die_free(&d);
    vec_free(o->mem, &pieces);
    return true;
}
