/* dwarf/out_line.c — line tables as byte code.
 *
 * Idea   One byte that advances address and line together and makes a row, wherever the steps are small; otherwise explicit
 *        operations for what does not fit. Every piece of code is a sequence of its own, so that linkers may move or drop it.
 * Cost   linear; about 3 bytes a row.
 * Ref.   DWARF 5, 6.2.4 (header), 6.2.5 (operations). */
#include "dwarf/dw_int.h"
#include "dwarf/out.h"

enum { LINE_BASE = -5, LINE_RANGE = 14, OPCODE_BASE = 13 };
enum {
    LNS_COPY = 1,
    LNS_ADVANCE_PC,
    LNS_ADVANCE_LINE,
    LNS_SET_FILE,
    LNS_SET_COLUMN,
    LNS_NEGATE_STMT,
    LNS_CONST_ADD_PC = 8,
    LNS_SET_PROLOGUE_END = 10
};
enum { LNE_END_SEQUENCE = 1, LNE_SET_ADDRESS };
enum { LNCT_PATH = 1, LNCT_DIRECTORY, LNCT_MD5 = 5 };

static void put_text(DwarfOutput *o, DwarfStr s) {
    out_bytes(o, DWARF_LINE, s.p, s.n);
    out_num(o, DWARF_LINE, 0, 1);
}

uint32_t out_lines(DwarfOutput *o, const DwarfStr *dirs, uint32_t ndirs, const DwarfOutFile *files,
                   uint32_t nfiles) {
    static const uint8_t fixed[] = {
        1, 1, 1, (uint8_t)LINE_BASE, LINE_RANGE,    OPCODE_BASE, 0, 1, 1, 1, 1, 0, 0, 0, 1, 0,
        0, 1, 1, LNCT_PATH,          DW_FORM_STRING};
    static const uint8_t format[] = {LNCT_PATH,     DW_FORM_STRING, LNCT_DIRECTORY,
                                     DW_FORM_UDATA, LNCT_MD5,       DW_FORM_DATA16};
    bool md5 = true;
    for (uint32_t k = 0; k < nfiles; k++) md5 = md5 && files[k].md5;
    uint32_t start = out_length(o, DWARF_LINE);
    out_num(o, DWARF_LINE, 5, 2);
    out_num(o, DWARF_LINE, 8, 1);
    out_num(o, DWARF_LINE, 0, 1);
    uint32_t length = out_length(o, DWARF_LINE);
    out_bytes(o, DWARF_LINE, fixed, sizeof fixed);
    out_uleb(o, DWARF_LINE, ndirs);
    for (uint32_t k = 0; k < ndirs; k++) put_text(o, dirs[k]);
    out_num(o, DWARF_LINE, md5 ? 3 : 2, 1);
    out_bytes(o, DWARF_LINE, format, md5 ? 6 : 4);
    out_uleb(o, DWARF_LINE, nfiles);
    for (uint32_t k = 0; k < nfiles; k++) {
        put_text(o, files[k].name);
        out_uleb(o, DWARF_LINE, files[k].dir);
        if (md5) out_bytes(o, DWARF_LINE, files[k].md5, 16);
    }
    out_end_length(o, DWARF_LINE, length);
    return start;
}

uint32_t out_lines_of(DwarfOutput *o, const DwUnit *u, const DwLines *t, bool md5,
                      uint32_t *nfiles) {
    VEC(DwarfStr) dirs = {0};
    VEC(DwarfOutFile) files = {0};
    Mem *m = o->mem;
    if (t->version < 5 || !t->dirs.n) vec_push(m, &dirs, u->dir);
    for (uint32_t i = 0; i < t->dirs.n; i++) vec_push(m, &dirs, t->dirs.p[i]);
    if (t->version < 5 || !t->files.n) vec_push(m, &files, (DwarfOutFile){.name = u->name});
    for (uint32_t i = 0; i < t->files.n; i++) {
        const DwFile *f = &t->files.p[i];
        uint32_t dir = f->dir < dirs.n ? (uint32_t)f->dir : 0;
        bool has = md5 && t->version >= 5;
        vec_push(m, &files, (DwarfOutFile){f->name, dir, has ? f->md5 : NULL});
    }
    *nfiles = files.n;
    uint32_t at = out_lines(o, dirs.p, dirs.n, files.p, files.n);
    vec_free(m, &dirs);
    vec_free(m, &files);
    return at;
}

static void op(DwarfOutput *o, unsigned x) {
    out_num(o, DWARF_LINE, x, 1);
}

static void extended(DwarfOutput *o, unsigned x, unsigned size) {
    op(o, 0);
    out_uleb(o, DWARF_LINE, size);
    op(o, x);
}

static void put_row(DwarfOutput *o, uint64_t step, int64_t by) {
    enum { MOST = (255 - OPCODE_BASE) / LINE_RANGE };
    bool small = by >= LINE_BASE && by < LINE_BASE + LINE_RANGE;
    if (!small) {
        op(o, LNS_ADVANCE_LINE);
        leb_put_s64(o->mem, &o->s[DWARF_LINE], by);
        by = 0;
    }
    unsigned lines = (unsigned)(by - LINE_BASE) + OPCODE_BASE;
    if (step >= MOST && step <= 2 * MOST && lines + LINE_RANGE * (step - MOST) <= 255) {
        op(o, LNS_CONST_ADD_PC);
        step -= MOST;
    } else if (step > MOST || lines + LINE_RANGE * step > 255) {
        op(o, LNS_ADVANCE_PC);
        out_uleb(o, DWARF_LINE, step);
        step = 0;
    }
    op(o, lines + LINE_RANGE * (unsigned)step);
}

void out_sequence(DwarfOutput *o, DwarfPiece at, const DwarfOutRow *rows, uint32_t n) {
    DwarfOutRow last = {.file = 1, .line = 1, .flags = DW_OUT_STMT};
    extended(o, LNE_SET_ADDRESS, 9);
    out_address(o, DWARF_LINE, at.chunk, at.offset);
    for (uint32_t k = 0; k < n; k++) {
        const DwarfOutRow *r = &rows[k];
        if (r->file != last.file) {
            op(o, LNS_SET_FILE);
            out_uleb(o, DWARF_LINE, r->file);
        }
        if (r->column != last.column) {
            op(o, LNS_SET_COLUMN);
            out_uleb(o, DWARF_LINE, r->column);
        }
        if ((r->flags ^ last.flags) & DW_OUT_STMT) op(o, LNS_NEGATE_STMT);
        if (r->flags & DW_OUT_PROLOGUE_END) op(o, LNS_SET_PROLOGUE_END);
        put_row(o, r->offset - last.offset, (int64_t)r->line - last.line);
        last = *r;
    }
    op(o, LNS_ADVANCE_PC);
    out_uleb(o, DWARF_LINE, at.size - last.offset);
    extended(o, LNE_END_SEQUENCE, 1);
}
