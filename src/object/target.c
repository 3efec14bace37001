/* object/target.c — which processor and which format a target is. */
#include "object/object.h"

static const struct { /* the first row that fits counts */
    const char *system, *environment, *format, *math_library;
} systems[] = {
    {"linux", "musl", "elf", NULL}, /* its libc has everything */
    {"linux", NULL, "elf", "libm.so.6"},
};

/* Is `word` among the parts of text, which are separated by hyphens? */
static bool has_part(const char *text, const char *word) {
    size_t n = strlen(word);
    for (; *text; text += strcspn(text, "-"), text += *text == '-')
        if (strcspn(text, "-") == n && !memcmp(text, word, n)) return true;
    return false;
}

bool object_target(const char *text, ObjectTarget *t, Diag *d) {
    if (!text) text = "";
    char arch[32];
    size_t n = strcspn(text, "-");
    t->isa = n ? NULL : isa_host();
    if (n && n < sizeof arch) {
        memcpy(arch, text, n);
        arch[n] = 0;
        t->isa = isa_lookup(arch);
    }
    if (!t->isa)
        return n ? diag_msg(d, DIAG_UNSUPPORTED, "no target '%.60s'; there is x86_64-linux", text)
                 : diag_msg(d, DIAG_UNSUPPORTED, "this machine has no back end");
    const char *system = text[n] ? text + n + 1 : "linux";
    for (unsigned i = 0; i < sizeof systems / sizeof *systems; i++) {
        if (!has_part(system, systems[i].system)) continue;
        if (systems[i].environment && !has_part(system, systems[i].environment)) continue;
        t->format = object_format(systems[i].format);
        t->math_library = systems[i].math_library;
        return true;
    }
    return diag_msg(d, DIAG_UNSUPPORTED, "no object format for '%.60s'; there is x86_64-linux",
                    text);
}
