/* dwarf/native.c — see native.h: the steps in their order, and modules that have no debugging information.
 *
 *   map     which machine code each source address became                       (nat_map.c)
 *   scan    which entries are copied, which function belongs to which           (nat_scan.c)
 *   units   line tables (nat_line.c), entries (nat_unit.c), types (nat_type.c),
 *           places of variables (nat_where.c) by expressions (nat_expr.c) */
#include "dwarf/nat_int.h"

static void nat_free(Nat *k) {
    Mem *m = k->mem;
    dwarf_free(k->w);
    vec_free(m, &k->by_source);
    vec_free(m, &k->first);
    vec_free(m, &k->owner);
    vec_free(m, &k->claims);
    vec_free(m, &k->spans);
    vec_free(m, &k->picks);
    vec_free(m, &k->entries);
    vec_free(m, &k->gaps);
    die_free(&k->die);
    vec_free(m, &k->values);
    vec_free(m, &k->fixes);
    dw_lines_free(m, &k->lines);
    vec_free(m, &k->pieces);
    vec_free(m, &k->funcs);
    vec_free(m, &k->rows);
    vec_free(m, &k->row_of);
    vec_free(m, &k->lead);
    vec_free(m, &k->expr);
    sb_free(&k->text);
}

/* Lines are source addresses. */
static bool without_source(const DwarfNative *n, DwarfOutput *o) {
    VEC(DwarfFunction) funcs = {0};
    VEC(DwarfOutRow) rows = {0};
    Mem *m = o->mem;
    for (uint32_t f = 0; f < n->nfuncs; f++) {
        const DwarfCode *c = &n->funcs[f];
        uint32_t first = rows.n;
        if (c->nlocs)
            vec_push(
                m, &rows,
                (DwarfOutRow){.line = n->source_base + c->locs[0].source, .flags = DW_OUT_STMT});
        for (uint32_t i = 0; i < c->nlocs; i++) {
            DwarfOutRow r = {.offset = c->locs[i].start,
                             .line = n->source_base + c->locs[i].source,
                             .flags = DW_OUT_STMT | (i ? 0 : DW_OUT_PROLOGUE_END)};
            vec_push(m, &rows, r);
        }
        DwarfFunction x = {c->name, true, c->at, NULL, rows.n - first};
        vec_push(m, &funcs, x);
    }
    for (uint32_t f = 0, first = 0; f < funcs.n; first += funcs.p[f++].nrows)
        funcs.p[f].rows = funcs.p[f].nrows ? rows.p + first : NULL;
    bool any = dwarf_write_plain(o, n->file, funcs.p, funcs.n);
    vec_free(m, &funcs);
    vec_free(m, &rows);
    return any;
}

bool dwarf_write_native(const DwarfNative *n, DwarfOutput *o) {
    if (!n->in->s[DWARF_INFO].n) {
        bool any = without_source(n, o);
        dwarf_output_end(o);
        return any;
    }
    Nat k = {.n = n, .o = o, .mem = o->mem, .w = dwarf_open(o->mem, n->in)};
    k.die.o = o;
    sb_init(&k.text, o->mem);
    nat_map_init(&k);
    nat_scan(&k);
    nat_units(&k);
    bool any = o->s[DWARF_INFO].n != 0;
    nat_free(&k);
    if (!any) any = without_source(n, o); /* all of it is elsewhere */
    dwarf_output_end(o);
    return any;
}
