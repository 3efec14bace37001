/* object/dwarf.c — debug information of CLIF: which line each instruction is of, and where functions are.
 *
 * Source locations are lines of one file, ObjectOptions.source. How the sections are written is known by dwarf/out.h; here
 * definitions become pieces of code, a chunk each, and references to chunks and sections become relocations of the plan.
 * Cost: linear. */
#include "object/dwarf.h"
#include "dwarf/out.h"

typedef VEC(DwarfOutRow) Rows;

static bool has_lines(const LinkDef *def) {
    return def->kind == LINK_FUNC && def->nlocs && def->locs[0].loc != CLIF_NONE;
}

/* The prologue counts to the function's first line. */
static void rows_of(Mem *m, const LinkDef *def, Rows *rows) {
    uint32_t line = def->locs[0].loc;
    bool prologue = true;
    vec_push(m, rows, (DwarfOutRow){.line = line, .flags = DW_OUT_STMT});
    for (uint32_t i = 0; i < def->nlocs; i++) {
        const MachSrcLoc *l = &def->locs[i];
        if (l->loc == CLIF_NONE || (!prologue && l->loc == line)) continue;
        uint8_t flags = DW_OUT_STMT | (prologue ? DW_OUT_PROLOGUE_END : 0);
        vec_push(m, rows, (DwarfOutRow){.offset = l->start, .line = l->loc, .flags = flags});
        prologue = false;
        line = l->loc;
    }
}

void dwarf_place(ObjPlan *p, const DwarfOutput *o, const LinkSym *chunks) {
    uint32_t section[DWARF_SECTION_COUNT];
    for (unsigned s = 0; s < DWARF_SECTION_COUNT; s++)
        if (o->s[s].n) section[s] = plan_add(p, dwarf_section_name[s], OBJ_DEBUG, 1);
    for (unsigned s = 0; s < DWARF_SECTION_COUNT; s++) {
        if (!o->s[s].n) continue;
        ObjSection *to = &p->sections.p[section[s]];
        memcpy(vec_extend(p->mem, &to->bytes, o->s[s].n), o->s[s].p, o->s[s].n);
        to->size = to->bytes.n;
        for (uint32_t k = 0; k < o->relocs[s].n; k++) {
            const DwarfReloc *r = &o->relocs[s].p[k];
            ObjReloc q = {.offset = r->offset,
                          .kind = r->size == 8 ? MACH_RELOC_ABS8 : MACH_RELOC_ABS4,
                          .addend = (int64_t)r->addend};
            if (r->section == DWARF_CODE) {
                ObjPlace at = plan_place(p, chunks[r->chunk]);
                q.section = at.section;
                q.addend += (int64_t)at.offset;
            } else {
                q.section = section[r->section];
            }
            vec_push(p->mem, &to->relocs, q);
        }
    }
}

void dwarf_add(ObjPlan *p) {
    Mem *m = p->mem;
    DwarfOutput o;
    VEC(DwarfFunction) funcs = {0};
    VecU32 chunks = {0}; /* their symbols */
    Rows rows = {0};
    for (uint32_t i = 0; i < p->k->waiting.n; i++) {
        const LinkDef *def = linkable_at(p->k, p->k->waiting.p[i])->def;
        const LinkSymbol *y = linkable_at(p->k, def->sym);
        if (!has_lines(def)) continue;
        uint32_t first = rows.n;
        rows_of(m, def, &rows);
        vec_push(m, &funcs,
                 (DwarfFunction){.name = {y->name, (uint32_t)strlen(y->name)},
                                 .external = y->binding != LINK_LOCAL,
                                 .at = {chunks.n, 0, def->size},
                                 .nrows = rows.n - first});
        vec_push(m, &chunks, def->sym);
    }
    for (uint32_t i = 0, first = 0; i < funcs.n; first += funcs.p[i++].nrows)
        funcs.p[i].rows = rows.p + first;
    dwarf_output_init(&o, m);
    DwarfStr file = {p->o->source, (uint32_t)strlen(p->o->source)};
    if (dwarf_write_plain(&o, file, funcs.p, funcs.n)) {
        dwarf_output_end(&o);
        dwarf_place(p, &o, chunks.p);
    }
    dwarf_output_free(&o);
    vec_free(m, &rows);
    vec_free(m, &chunks);
    vec_free(m, &funcs);
}
