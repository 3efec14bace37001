/* dwarf/nat_line.c — the line table of a unit, for the machine code of its functions.
 *
 * Problem     Debuggers stop where rows begin that are marked as beginnings of statements. Machine code comes in another order than
 *             source code, and the operator that a row begins with has often no machine code of its own.
 * Idea        Each piece of machine code has the row of its source address. Of the pieces of a row, those of its lowest source address
 *             that has machine code begin the statement, if the module says that one begins there.
 *             The function's own beginning, which is of no source address, belongs to the first row; where the module says that its
 *             prologue ends, a row begins in any case.
 * Cost        a binary search per piece. */
#include "dwarf/nat_int.h"

static uint32_t files_of(Nat *k, const DwUnit *u) {
    DwLines *t = &k->lines;
    if (!u->has_lines || !dw_lines_read(k->w, u, t)) {
        dw_lines_clear(t);
        t->version = 0;
    }
    return out_lines_of(k->o, u, t, true, &k->nfiles);
}

/* The rows of the function's pieces, and which of them begin a statement. */
static void find_rows(Nat *k, uint32_t f) {
    const DwarfCode *c = &k->n->funcs[f];
    const uint32_t *order = k->by_source.p + k->first.p[f];
    vec_clear(&k->row_of);
    vec_resize0(k->mem, &k->lead, 0);
    vec_resize0(k->mem, &k->lead, c->nlocs);
    for (uint32_t i = 0; i < c->nlocs; i++)
        vec_push(k->mem, &k->row_of, dw_lines_find(&k->lines, c->locs[i].source));
    const DwRow *row = NULL;
    uint32_t source = 0;
    for (uint32_t i = 0; i < c->nlocs; i++) {
        uint32_t x = order[i];
        if (k->row_of.p[x] != row) {
            row = k->row_of.p[x];
            source = c->locs[x].source;
        }
        k->lead.p[x] = row && row->flags & DW_ROW_STMT && c->locs[x].source == source;
    }
}

/* Source address where the prologue ends as the module says, or that of the first piece. */
static uint32_t prologue_end(const Nat *k, const DwarfCode *c, uint32_t first) {
    const DwRow *r = k->row_of.p[first];
    const DwRow *end = k->lines.rows.p + k->lines.rows.n;
    for (unsigned hop = 0; r && r < end && hop < 64 && r->addr < c->source_end; r++, hop++)
        if (r->flags & DW_ROW_PROLOGUE_END) return r->addr;
    return c->locs[first].source;
}

static void put_row(Nat *k, uint32_t offset, const DwRow *r, unsigned flags) {
    DwarfOutRow x = {.offset = offset, .flags = (uint8_t)flags};
    if (r && r->file < k->nfiles) {
        x.file = r->file;
        x.line = r->line;
        x.column = r->column;
    }
    if (k->rows.n && vec_last(&k->rows).offset == offset) {
        vec_last(&k->rows) = x;
        return;
    }
    const DwarfOutRow *last = k->rows.n ? &vec_last(&k->rows) : NULL;
    if (last && last->file == x.file && last->line == x.line && last->column == x.column &&
        !(flags & DW_OUT_PROLOGUE_END) && (last->flags & DW_OUT_STMT || !(flags & DW_OUT_STMT)))
        return;
    vec_push(k->mem, &k->rows, x);
}

static void sequence(Nat *k, uint32_t f) {
    const DwarfCode *c = &k->n->funcs[f];
    if (!c->nlocs) return;
    find_rows(k, f);
    uint32_t first = k->by_source.p[k->first.p[f]];
    uint32_t body = prologue_end(k, c, first);
    bool prologue = true;
    vec_clear(&k->rows);
    put_row(k, 0, k->row_of.p[first], DW_OUT_STMT);
    const DwRow *prev = k->row_of.p[first];
    for (uint32_t i = 0; i < c->nlocs; i++) {
        const DwRow *r = k->row_of.p[i];
        bool ends = prologue && c->locs[i].source >= body;
        if (!ends && r == prev && !k->lead.p[i]) continue;
        if (ends) prologue = false;
        put_row(k, c->locs[i].start, r,
                (k->lead.p[i] || ends ? DW_OUT_STMT : 0) | (ends ? DW_OUT_PROLOGUE_END : 0));
        prev = r;
    }
    out_sequence(k->o, c->at, k->rows.p, k->rows.n);
}

uint32_t nat_lines(Nat *k, const DwUnit *u) {
    uint32_t at = files_of(k, u);
    if (k->lines.rows.n)
        for (uint32_t i = 0; i < k->funcs.n; i++) sequence(k, k->funcs.p[i]);
    out_lines_end(k->o, at);
    return at;
}
