/* object/plan.c — distributes definitions over sections.
 *
 * Each definition goes to the section of its part (.text, .rodata, ...), to one of its own (-ffunction-sections, COMDAT), or to the one
 * its maker named. Inside a section the order is that of definition. Two passes: the first finds or makes each definition's
 * section and counts, the second places. Cost: linear. */
#include "object/plan.h"

static const char *const part_name[OBJ_PARTS] = {
    [OBJ_TEXT] = ".text", [OBJ_RODATA] = ".rodata", [OBJ_RELRO] = ".data.rel.ro",
    [OBJ_DATA] = ".data", [OBJ_BSS] = ".bss",       [OBJ_TDATA] = ".tdata",
    [OBJ_TBSS] = ".tbss",
};

static ObjPart part_of(const LinkDef *def, const LinkSymbol *y) {
    bool bytes = def->bytes || y->section != LINK_USUAL_SECTION;
    switch ((LinkKind)def->kind) {
    case LINK_FUNC: return OBJ_TEXT;
    case LINK_CONST: return def->nrelocs ? OBJ_RELRO : OBJ_RODATA;
    case LINK_DATA: return bytes ? OBJ_DATA : OBJ_BSS;
    case LINK_TLS: return bytes ? OBJ_TDATA : OBJ_TBSS;
    case LINK_UNDEFINED:
    case LINK_LABEL: break;
    }
    COT_BUG("object: a definition without a kind");
}

static void put_name(ObjPlan *p, const char *s, size_t n) {
    memcpy(vec_extend(p->mem, &p->names, n), s, n);
}

static uint32_t new_section(ObjPlan *p, ObjPart part, const char *name, size_t len) {
    ObjSection s = {.name = p->names.n,
                    .name_len = (uint32_t)len,
                    .part = (uint8_t)part,
                    .align = 1,
                    .comdat = LINK_NO_SYM};
    put_name(p, name, len);
    vec_push(p->mem, &p->sections, s);
    return p->sections.n - 1;
}

uint32_t plan_add(ObjPlan *p, const char *name, ObjPart part, uint32_t align) {
    uint32_t s = new_section(p, part, name, strlen(name));
    p->sections.p[s].align = align;
    return s;
}

/* ".text.name", or the section that was asked for, for this definition alone */
static uint32_t own_section(ObjPlan *p, LinkSym sym, ObjPart part) {
    const LinkSymbol *y = linkable_at(p->k, sym);
    const LinkSection *named =
        y->section == LINK_USUAL_SECTION ? NULL : &p->k->sections.p[y->section];
    const char *name = named ? named->name : part_name[part];
    uint32_t s = new_section(p, part, name, strlen(name));
    if (y->len && !named) {
        put_name(p, ".", 1);
        put_name(p, y->name, y->len);
        p->sections.p[s].name_len += 1 + y->len;
    }
    if (y->flags & LINK_COMDAT) p->sections.p[s].comdat = sym;
    p->sections.p[s].retain = y->flags & LINK_RETAIN;
    return s;
}

/* usual: section + 1 by part, then by named section and part */
static uint32_t section_of(ObjPlan *p, const LinkDef *def, uint32_t *usual) {
    const LinkSymbol *y = linkable_at(p->k, def->sym);
    bool each = def->kind == LINK_FUNC ? p->o->function_sections : p->o->data_sections,
         named = y->section != LINK_USUAL_SECTION;
    ObjPart part = part_of(def, y);
    uint32_t slot = part;
    if (p->o->kind == OBJECT_RELOCATABLE &&
        (y->flags & LINK_COMDAT || (!named && (each || y->flags))))
        return own_section(p, def->sym, part);
    if (named) slot += (1 + y->section) * OBJ_PARTS;
    if (!usual[slot]) {
        const char *name = part_name[part];
        size_t len = strlen(name);
        if (named) {
            name = p->k->sections.p[y->section].name;
            len = p->k->sections.p[y->section].len;
        }
        usual[slot] = 1 + new_section(p, part, name, len);
    }
    p->sections.p[usual[slot] - 1].retain |= y->flags & LINK_RETAIN;
    return usual[slot] - 1;
}

void plan_init(ObjPlan *p, Mem *m, const Linkable *k, const ObjectOptions *o) {
    memset(p, 0, sizeof *p);
    p->mem = m;
    p->k = k;
    p->o = o;
    p->unwind = OBJ_NO_SECTION;
    size_t slots = (1 + (size_t)k->sections.n) * OBJ_PARTS * sizeof(uint32_t);
    uint32_t *usual = memset(mem_alloc(m, slots), 0, slots);
    ObjPlace nowhere = {OBJ_NO_SECTION, 0};
    vec_reserve(m, &p->places, k->syms.n);
    for (uint32_t s = 0; s < k->syms.n; s++) vec_push(m, &p->places, nowhere);
    for (uint32_t i = 0; i < k->waiting.n; i++) {
        const LinkDef *def = k->syms.p[k->waiting.p[i]].def;
        uint32_t at = section_of(p, def, usual);
        ObjSection *s = &p->sections.p[at];
        p->places.p[def->sym].section = at;
        s->n++;
        if (s->align < def->align) s->align = def->align;
        s->size = (s->size + def->align - 1) & ~(uint64_t)(def->align - 1);
        p->places.p[def->sym].offset = s->size;
        s->size += def->size;
    }
    mem_free(m, usual, slots);
    uint32_t first = 0;
    for (uint32_t i = 0; i < p->sections.n; i++) {
        p->sections.p[i].first = first;
        first += p->sections.p[i].n;
        p->sections.p[i].n = 0;
    }
    (void)vec_extend(m, &p->order, first);
    for (uint32_t i = 0; i < k->waiting.n; i++) {
        ObjSection *s = &p->sections.p[p->places.p[k->waiting.p[i]].section];
        p->order.p[s->first + s->n++] = k->waiting.p[i];
    }
}

void plan_free(ObjPlan *p) {
    for (uint32_t i = 0; i < p->sections.n; i++) {
        vec_free(p->mem, &p->sections.p[i].bytes);
        vec_free(p->mem, &p->sections.p[i].relocs);
    }
    vec_free(p->mem, &p->sections);
    vec_free(p->mem, &p->order);
    vec_free(p->mem, &p->places);
    vec_free(p->mem, &p->names);
    vec_free(p->mem, &p->fdes);
}

ObjPlace plan_place(const ObjPlan *p, LinkSym s) {
    LinkSym in;
    uint64_t off = linkable_place(p->k, s, &in);
    ObjPlace at = p->places.p[in];
    at.offset += off;
    return at;
}
