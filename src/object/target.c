/* object/target.c — which processor and which format a target is. */
#include "object/object.h"

static const struct { const char *system, *format; } systems[] = {{"linux", "elf"}};

/* Is `word` among the parts of text, which are separated by hyphens? */
static bool has_part(const char *text, const char *word) {
    size_t n = strlen(word);
    for (; *text; text += strcspn(text, "-"), text += *text == '-')
        if (strcspn(text, "-") == n && !memcmp(text, word, n)) return true;
    return false;
}

bool object_target(const char *text, const IsaVtable **isa, const ObjectFormat **format, Diag *d) {
    char arch[32];
    *isa = isa_host();
    *format = object_format("elf");
    if (!text) return *isa || diag_msg(d, DIAG_UNSUPPORTED, "this machine has no back end");
    size_t n = strcspn(text, "-");
    if (n < sizeof arch) {
        memcpy(arch, text, n);
        arch[n] = 0;
        *isa = isa_lookup(arch);
    }
    if (n >= sizeof arch || !*isa)
        return diag_msg(d, DIAG_UNSUPPORTED, "no target '%.60s'; there is x86_64-linux", text);
    for (unsigned i = 0; text[n] && i < sizeof systems / sizeof *systems; i++) {
        if (!has_part(text + n, systems[i].system)) continue;
        *format = object_format(systems[i].format);
        return true;
    }
    return !text[n] || diag_msg(d, DIAG_UNSUPPORTED,
                                "no object format for '%.60s'; there is x86_64-linux", text);
}
