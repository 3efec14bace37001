/* isa/registry.c — the one place that names all instruction sets. */
#include "mach/isa.h"

static const IsaVtable *const all[] = {&isa_x64};

const IsaVtable *isa_lookup(const char *arch) {
    for (unsigned i = 0; i < sizeof all / sizeof all[0]; i++)
        if (strcmp(all[i]->name, arch) == 0) return all[i];
    return NULL;
}

const IsaVtable *isa_host(void) {
#if defined(__x86_64__)
    return &isa_x64;
#else
    return NULL;
#endif
}
