/* dwarf/line.c — line tables: a byte code that makes rows (address, file, line, column) is run once into arrays.
 *
 * Invariants  Rows of a sequence have rising addresses below its end; a sequence that breaks this, or goes beyond 32 bits, is dropped.
 *             Sequences are sorted; where they overlap, the one that starts later counts, then the longer one (what
 *             linkers leave of a function that was replaced may have the new one's address).
 * Cost        linear in the table's bytes; a look-up is two binary searches.
 * Ref.        DWARF 5, 6.2; DWARF 4, 6.2.4 for the older header. */
#include <stdlib.h>
#include "dwarf/dw_int.h"
#include "base/bisect.h"

enum { /* standard operations */
       LNS_EXTENDED,
       LNS_COPY,
       LNS_ADVANCE_PC,
       LNS_ADVANCE_LINE,
       LNS_SET_FILE,
       LNS_SET_COLUMN,
       LNS_NEGATE_STMT,
       LNS_SET_BASIC_BLOCK,
       LNS_CONST_ADD_PC,
       LNS_FIXED_ADVANCE_PC,
       LNS_SET_PROLOGUE_END,
       LNS_SET_EPILOGUE_BEGIN,
       LNS_SET_ISA
};
enum { LNE_END_SEQUENCE = 1, LNE_SET_ADDRESS, LNE_DEFINE_FILE };
enum { LNCT_PATH = 1, LNCT_DIRECTORY = 2, LNCT_MD5 = 5 };

typedef struct Program {
    uint8_t min_inst, max_ops, line_range, opcode_base, addr_size;
    bool is_stmt;
    int8_t line_base;
    uint8_t lengths[256];
    DwCur code;
} Program;

/* ---- header ---- */
static void old_files(Dwarf *w, DwLines *t, DwCur *c) {
    t->base = 1;
    while (!c->bad && dw_pay(w, 1)) {
        DwarfStr s = dw_string(c);
        if (!s.n) break;
        vec_push(w->mem, &t->dirs, s);
    }
    while (!c->bad && dw_pay(w, 1)) {
        DwFile f = {.name = dw_string(c)};
        if (!f.name.n) break;
        f.dir = dw_uleb(c);
        dw_uleb(c); /* time */
        dw_uleb(c); /* size */
        vec_push(w->mem, &t->files, f);
    }
}

/* A list of names in DWARF 5, each with the contents that the list's own header names. */
static void new_files(Dwarf *w, const DwUnit *u, DwLines *t, DwCur *c, bool dirs) {
    struct {
        uint64_t type;
        unsigned form;
    } format[256];
    unsigned nformat = (unsigned)dw_uint(c, 1);
    for (unsigned k = 0; k < nformat; k++) {
        format[k].type = dw_uleb(c);
        uint64_t form = dw_uleb(c);
        format[k].form = form < DW_FORM_MOST ? (unsigned)form : 0;
    }
    uint64_t n = dw_uleb(c);
    for (uint64_t i = 0; i < n && nformat && !c->bad && dw_pay(w, nformat); i++) {
        DwFile f = {.dir = 0};
        for (unsigned k = 0; k < nformat; k++) {
            DwValue v;
            dw_value_in(w, u, c, format[k].form, &v);
            if (format[k].type == LNCT_PATH) f.name = dw_value_text(w, u, &v);
            if (format[k].type == LNCT_DIRECTORY) f.dir = v.x;
            if (format[k].type == LNCT_MD5 && v.class == DW_CLASS_BLOCK && v.x == 16) f.md5 = v.p;
        }
        if (dirs)
            vec_push(w->mem, &t->dirs, f.name);
        else
            vec_push(w->mem, &t->files, f);
    }
}

static bool read_header(Dwarf *w, const DwUnit *u, DwLines *t, Program *q) {
    DwCur c = dw_cursor(w, DWARF_LINE, u->lines);
    DwUnit as = *u; /* forms have the sizes of this table */
    uint64_t length = dw_uint(&c, 4);
    as.off_size = 4;
    if (length == 0xffffffff) {
        length = dw_uint(&c, 8);
        as.off_size = 8;
    }
    if (c.bad || length > dw_left(&c)) return false;
    c.end = c.p + length;
    t->version = (uint16_t)dw_uint(&c, 2);
    if (t->version < 2 || t->version > 5) return false;
    if (t->version >= 5) {
        as.addr_size = (uint8_t)dw_uint(&c, 1);
        if (dw_uint(&c, 1)) return false; /* segments */
    }
    q->addr_size = as.addr_size;
    uint64_t header = dw_uint(&c, as.off_size);
    if (c.bad || header > dw_left(&c)) return false;
    q->code = (DwCur){c.p + header, c.end, false};
    c.end = c.p + header;
    q->min_inst = (uint8_t)dw_uint(&c, 1);
    q->max_ops = t->version >= 4 ? (uint8_t)dw_uint(&c, 1) : 1;
    if (!q->max_ops) q->max_ops = 1;
    q->is_stmt = dw_uint(&c, 1) != 0;
    q->line_base = (int8_t)dw_uint(&c, 1);
    q->line_range = (uint8_t)dw_uint(&c, 1);
    q->opcode_base = (uint8_t)dw_uint(&c, 1);
    for (unsigned k = 1; k < q->opcode_base; k++) q->lengths[k] = (uint8_t)dw_uint(&c, 1);
    if (c.bad || !q->line_range || !q->opcode_base) return false;
    if (t->version >= 5) {
        t->base = 0;
        new_files(w, &as, t, &c, true);
        new_files(w, &as, t, &c, false);
    } else {
        old_files(w, t, &c);
    }
    return true;
}

/* ---- program ---- */
typedef struct State {
    uint64_t addr, op_index, file, line, column;
    bool stmt, prologue_end, epilogue;
    bool broken; /* the sequence is dropped */
    uint32_t first;
} State;

static State start(const Program *q, uint32_t first) {
    return (State){.file = 1, .line = 1, .stmt = q->is_stmt, .first = first};
}

static uint32_t fit(uint64_t x) {
    return x < UINT32_MAX ? (uint32_t)x : 0;
}

static void row(Dwarf *w, DwLines *t, State *s) {
    if (s->addr >= UINT32_MAX || (t->rows.n > s->first && s->addr < t->rows.p[t->rows.n - 1].addr))
        s->broken = true;
    uint8_t flags =
        (uint8_t)((s->stmt ? DW_ROW_STMT : 0) | (s->prologue_end ? DW_ROW_PROLOGUE_END : 0) |
                  (s->epilogue ? DW_ROW_EPILOGUE : 0));
    if (!s->broken)
        vec_push(w->mem, &t->rows,
                 (DwRow){(uint32_t)s->addr, fit(s->file), fit(s->line), fit(s->column), flags});
    s->prologue_end = s->epilogue = false;
}

static void end_sequence(Dwarf *w, DwLines *t, State *s) {
    uint32_t n = t->rows.n - s->first;
    if (s->broken || !n || s->addr >= UINT32_MAX || s->addr <= t->rows.p[s->first].addr ||
        s->addr < t->rows.p[t->rows.n - 1].addr) {
        t->rows.n = s->first;
        return;
    }
    vec_push(w->mem, &t->sequences,
             (DwSequence){t->rows.p[s->first].addr, (uint32_t)s->addr, s->first, n});
}

static void advance(const Program *q, State *s, uint64_t ops) {
    if (q->max_ops == 1) {
        s->addr += ops * q->min_inst;
        return;
    }
    uint64_t to = s->op_index + ops;
    s->addr += q->min_inst * (to / q->max_ops);
    s->op_index = to % q->max_ops;
}

static void extended(Dwarf *w, DwLines *t, const Program *q, DwCur *c, State *s) {
    uint64_t n = dw_uleb(c);
    const uint8_t *p = dw_skip(c, n);
    if (c->bad || !n) return;
    DwCur in = {p, p + n, false};
    switch (dw_uint(&in, 1)) {
    case LNE_END_SEQUENCE:
        end_sequence(w, t, s);
        *s = start(q, t->rows.n);
        break;
    case LNE_SET_ADDRESS:
        s->addr = dw_uint(&in, n - 1 <= 8 ? (unsigned)(n - 1) : q->addr_size);
        s->op_index = 0;
        break;
    case LNE_DEFINE_FILE: {
        DwFile f = {.name = dw_string(&in)};
        f.dir = dw_uleb(&in);
        if (!in.bad) vec_push(w->mem, &t->files, f);
        break;
    }
    default: break; /* discriminators, and what producers added */
    }
}

static void standard(Dwarf *w, DwLines *t, const Program *q, DwCur *c, State *s, unsigned op) {
    switch (op) {
    case LNS_COPY: row(w, t, s); break;
    case LNS_ADVANCE_PC: advance(q, s, dw_uleb(c)); break;
    case LNS_ADVANCE_LINE: s->line += (uint64_t)dw_sleb(c); break;
    case LNS_SET_FILE: s->file = dw_uleb(c); break;
    case LNS_SET_COLUMN: s->column = dw_uleb(c); break;
    case LNS_NEGATE_STMT: s->stmt = !s->stmt; break;
    case LNS_CONST_ADD_PC: advance(q, s, (255u - q->opcode_base) / q->line_range); break;
    case LNS_FIXED_ADVANCE_PC:
        s->addr += dw_uint(c, 2);
        s->op_index = 0;
        break;
    case LNS_SET_PROLOGUE_END: s->prologue_end = true; break;
    case LNS_SET_EPILOGUE_BEGIN: s->epilogue = true; break;
    default: /* also those of later versions: the header tells how many numbers they have */
        for (unsigned k = 0; k < q->lengths[op]; k++) dw_uleb(c);
    }
}

static int by_start(const void *a, const void *b) {
    const DwSequence *x = a, *y = b;
    if (x->lo != y->lo) return x->lo < y->lo ? -1 : 1;
    if (x->hi != y->hi) return x->hi < y->hi ? -1 : 1;
    return x->first < y->first ? -1 : x->first > y->first;
}

bool dw_lines_read(Dwarf *w, const DwUnit *u, DwLines *t) {
    Program q = {0};
    dw_lines_clear(t);
    if (!read_header(w, u, t, &q)) return false;
    DwCur *c = &q.code;
    State s = start(&q, 0);
    while (!c->bad && dw_left(c) && dw_pay(w, 1)) {
        unsigned op = (unsigned)dw_uint(c, 1);
        if (op >= q.opcode_base) {
            unsigned k = op - q.opcode_base;
            advance(&q, &s, k / q.line_range);
            s.line += (uint64_t)(int64_t)(q.line_base + (int)(k % q.line_range));
            row(w, t, &s);
        } else if (op == LNS_EXTENDED) {
            extended(w, t, &q, c, &s);
        } else {
            standard(w, t, &q, c, &s, op);
        }
    }
    t->rows.n = s.first; /* rows without an end of their sequence */
    if (t->sequences.n) qsort(t->sequences.p, t->sequences.n, sizeof(DwSequence), by_start);
    return !c->bad;
}

void dw_lines_clear(DwLines *t) {
    vec_clear(&t->dirs);
    vec_clear(&t->files);
    vec_clear(&t->rows);
    vec_clear(&t->sequences);
    t->base = 0;
}

void dw_lines_free(Mem *m, DwLines *t) {
    vec_free(m, &t->dirs);
    vec_free(m, &t->files);
    vec_free(m, &t->rows);
    vec_free(m, &t->sequences);
}

const DwRow *dw_lines_find(const DwLines *t, uint64_t address) {
    uint32_t lo;
    bisect(lo, t->sequences.n, t->sequences.p[lo].lo <= address);
    if (!lo || address >= t->sequences.p[lo - 1].hi) return NULL;
    const DwSequence *s = &t->sequences.p[lo - 1];
    const DwRow *rows = t->rows.p + s->first;
    bisect(lo, s->n, rows[lo].addr <= address);
    return &rows[lo - 1]; /* the first one is at s->lo */
}

/* ---- names of files ---- */
/* Also of Windows, and what has a scheme: C:\\, sdk:// */
static bool is_absolute(DwarfStr s) {
    uint32_t k = 0;
    while (k < s.n && s.p[k] != '/' && s.p[k] != '\\') k++;
    return k < s.n && (!k || s.p[k - 1] == ':');
}

static void put_part(Dwarf *w, VecU8 *path, DwarfStr s) {
    if (!s.n) return;
    if (is_absolute(s)) vec_clear(path);
    if (path->n && vec_last(path) != '/') vec_push(w->mem, path, '/');
    while (path->n && s.n >= 2 && s.p[0] == '.' && s.p[1] == '/') s.p += 2, s.n -= 2;
    if (s.n) memcpy(vec_extend(w->mem, path, s.n), s.p, s.n);
}

DwarfStr dw_lines_path(Dwarf *w, const DwUnit *u, const DwLines *t, uint64_t file) {
    VecU8 path = {0};
    uint64_t f = file - t->base;
    if (f >= t->files.n || !dw_pay(w, 8)) return (DwarfStr){NULL, 0};
    uint64_t d = t->files.p[f].dir - t->base; /* in DWARF 5, folder 0 is the unit's own */
    put_part(w, &path, t->version >= 5 && t->dirs.n ? t->dirs.p[0] : u->dir);
    if (d < t->dirs.n && (t->version < 5 || d)) put_part(w, &path, t->dirs.p[d]);
    put_part(w, &path, t->files.p[f].name);
    DwarfStr s = {arena_strndup(&w->text, (const char *)path.p, path.n), path.n};
    vec_free(w->mem, &path);
    return s;
}
