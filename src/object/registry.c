/* object/registry.c — the one place that names all object formats. */
#include "object/cfi.h"
#include "object/dwarf.h"
#include "object/plan.h"

enum { MOST_SECTIONS = 60000 };
#define MOST_BYTES ((uint64_t)INT32_MAX - (1 << 24)) /* tables come on top */

static const ObjectFormat *const all[] = {&object_elf};

const ObjectFormat *object_format(const char *name) {
    for (unsigned i = 0; i < sizeof all / sizeof all[0]; i++)
        if (strcmp(all[i]->name, name) == 0) return all[i];
    return NULL;
}

/* .eh_frame, for the functions whose unwinding is known. */
static void add_unwinding(ObjPlan *p) {
    Cfi c;
    cfi_init(&c, p->mem, p->k->isa);
    for (uint32_t i = 0; i < p->k->waiting.n; i++)
        cfi_add(&c, linkable_at(p->k, p->k->waiting.p[i])->def);
    if (c.bytes.n) {
        if (p->o->kind != OBJECT_RELOCATABLE) cfi_end(&c);
        p->unwind = plan_add(p, ".eh_frame", OBJ_UNWIND, 8);
        ObjSection *s = &p->sections.p[p->unwind];
        s->bytes = c.bytes;
        s->size = c.bytes.n;
        c.bytes = (VecU8){0};
        for (uint32_t i = 0; i < c.sites.n; i++) {
            CfiSite site = c.sites.p[i];
            ObjPlace at = p->places.p[site.func];
            vec_push(
                p->mem, &s->relocs,
                (ObjReloc){site.offset, at.section, MACH_RELOC_X86_PCREL4, (int64_t)at.offset});
            vec_push(p->mem, &p->fdes, site);
        }
    }
    cfi_free(&c);
}

/* Distances have 32 bits: code in one section, all of a shared library. */
static bool fits(const ObjPlan *p, Diag *d) {
    uint64_t sum = 0;
    if (p->o->kind != OBJECT_RELOCATABLE && p->sections.n > MOST_SECTIONS)
        return diag_msg(d, DIAG_LIMIT, "a shared library has at most %d sections", MOST_SECTIONS);
    for (uint32_t s = 0; s < p->sections.n; s++) {
        const ObjSection *sec = &p->sections.p[s];
        if (p->o->kind == OBJECT_RELOCATABLE && sec->part != OBJ_TEXT) continue;
        sum = p->o->kind == OBJECT_RELOCATABLE ? sec->size : sum + sec->size;
        if (sum > MOST_BYTES) return diag_msg(d, DIAG_LIMIT, "more than 2 GiB of code and data");
    }
    return true;
}

bool object_write(const ObjectFormat *f, const Linkable *k, const ObjectOptions *o, VecU8 *out,
                  Diag *d) {
    if (!f->write[o->kind])
        return diag_msg(d, DIAG_UNSUPPORTED, "%s: no such kind of file", f->name);
    for (LinkSym s = 0; s < k->syms.n; s++)
        if (k->syms.p[s].binding == LINK_LOCAL && linkable_kind(k, s) == LINK_UNDEFINED)
            return diag_msg(d, DIAG_LINK, "symbol '%.200s' is local and not defined",
                            k->syms.p[s].name);
    ObjPlan p;
    plan_init(&p, k->mem, k, o);
    add_unwinding(&p);
    if (o->dwarf)
        dwarf_place(&p, o->dwarf, o->dwarf_chunks);
    else if (o->debug && o->source)
        dwarf_add(&p);
    bool ok = fits(&p, d) && f->write[o->kind](&p, out, d);
    plan_free(&p);
    return ok;
}
