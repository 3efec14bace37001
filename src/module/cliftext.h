/* module/cliftext.h — the functions of a .clif text, compiled into a Linkable. */
#ifndef COT_MODULE_CLIFTEXT_H
#define COT_MODULE_CLIFTEXT_H
#include "mach/settings.h"
#include "module/linkable.h"

typedef struct ClifTextOptions {
    const char *const *set; /* words `name` or `name=value` over what the text says */
    uint32_t nset;
    bool lines; /* source locations become the lines of the text */
} ClifTextOptions;

/* Every function of the text becomes a definition; functions are exported. *s holds the settings to start from; the text's `set` lines,
 * its first `target` line for k's target, and the options change them. Errors have the line and column. */
bool linkable_add_clif(Linkable *k, MachSettings *s, const char *text, uint32_t n,
                       const ClifTextOptions *o, Diag *d);
#endif
