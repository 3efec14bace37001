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

/* All features of a preset; false: there is none of that name. */
static bool preset_named(const IsaVtable *isa, const char *name, size_t n, uint64_t *flags) {
    char text[64];
    bool found = false;
    if (n >= sizeof text) return false;
    memcpy(text, name, n);
    text[n] = 0;
    uint64_t f = isa->preset_flags(text, &found);
    if (found) *flags = f;
    return found;
}

bool isa_parse_flags(const IsaVtable *isa, const char *list, bool here, uint64_t *flags, Diag *d) {
    uint64_t now = *flags, bit, host = isa->host_flags();
    while (*list) {
        size_t n = strcspn(list, ",");
        bool sign = *list == '+' || *list == '-';
        const char *name = list + sign;
        int len = (int)(n - sign);
        if (n == 4 && memcmp(list, "host", 4) == 0)
            now = host;
        else if (!sign && preset_named(isa, list, n, &now))
            ;
        else if (!flag_named(isa, name, n - sign, &bit))
            return diag_msg(d, DIAG_INVALID, "%s has no feature '%.*s'", isa->name, len, name);
        else if (*list == '-')
            now &= ~bit;
        else
            now |= bit;
        if (here && now & ~host && *list != '-')
            return diag_msg(d, DIAG_UNSUPPORTED, "this processor lacks '%.*s'", len, name);
        list += n;
        list += *list == ',';
    }
    *flags = now;
    return true;
}
