/* object/registry.c — the one place that names all object formats. */
#include "object/plan.h"

static const ObjectFormat *const all[] = {&object_elf};

const ObjectFormat *object_format(const char *name) {
    for (unsigned i = 0; i < sizeof all / sizeof all[0]; i++)
        if (strcmp(all[i]->name, name) == 0) return all[i];
    return NULL;
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
    bool ok = f->write[o->kind](&p, out, d);
    plan_free(&p);
    return ok;
}
