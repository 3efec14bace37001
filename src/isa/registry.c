/* isa/registry.c — the one place that names all instruction sets. */
#include <string.h>
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

/* One item without its sign; false: no such feature. */
static bool flag_named(const IsaVtable *isa, const char *name, size_t n, uint64_t *bit) {
    for (unsigned b = 0; isa->flag_names[b]; b++) {
        if (strlen(isa->flag_names[b]) != n || memcmp(isa->flag_names[b], name, n) != 0) continue;
        *bit = (uint64_t)1 << b;
        return true;
    }
    return false;
}

bool isa_parse_flags(const IsaVtable *isa, const char *list, uint64_t *flags, Diag *d) {
    uint64_t now = *flags, bit, host = isa->host_flags();
    while (*list) {
        size_t n = strcspn(list, ",");
        bool sign = *list == '+' || *list == '-';
        const char *name = list + sign;
        if (n == 8 && memcmp(list, "baseline", 8) == 0)
            now = 0;
        else if (n == 4 && memcmp(list, "host", 4) == 0)
            now = host;
        else if (!flag_named(isa, name, n - sign, &bit))
            return diag_msg(d, DIAG_INVALID, "%s has no feature '%.*s'", isa->name, (int)(n - sign),
                            name);
        else if (*list == '-')
            now &= ~bit;
        else if (!(host & bit))
            return diag_msg(d, DIAG_UNSUPPORTED, "this processor lacks '%.*s'", (int)(n - sign),
                            name);
        else
            now |= bit;
        list += n;
        list += *list == ',';
    }
    *flags = now;
    return true;
}
