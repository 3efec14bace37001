/* jit/linker.h — functions and data by name, linked in memory, a few at a time.
 *
 * What is linked is a Linkable (module/linkable.h): symbols, functions, data. Those without a definition are asked of the
 * embedder when they are first needed. Code is writable until it is linked and executable afterwards, never both.
 * All memory comes from one reservation, so that every 32-bit displacement between functions and data reaches.
 * One thread at a time; the code may run in any number of threads, also during a link, which never moves what is linked. */
#ifndef COT_JIT_LINKER_H
#define COT_JIT_LINKER_H
#include "jit/publish.h"

typedef struct JitLinker JitLinker;

typedef struct JitLinkerConfig {
    size_t reserve; /* bytes of address space for code and data; 0 = 256 MiB; at most 1 GiB */
    /* Address of a symbol that is not defined here, of a library routine; NULL = not known. */
    void *(*resolve)(void *user, const char *name);
    const void *(*libcall)(void *user, ClifLibCall call);
    void *user;
} JitLinkerConfig;

/* Bookkeeping comes from m; a function that runs out of it leaves through m->oom, and the linker can still be freed.
 * NULL: *d. */
JitLinker *jit_linker_new(Mem *m, const JitLinkerConfig *cfg, Diag *d);
void jit_linker_free(JitLinker *l); /* with all code and data */

/* Where symbols are declared and functions defined. */
Linkable *jit_linkable(JitLinker *l);
/* As linkable_define_data, within what memory can do: alignment up to a page, not thread-local. */
bool jit_define_data(JitLinker *l, LinkSym s, const LinkData *t, Diag *d);
/* Who is told of what is linked from now on: JIT_PUBLISH_*. DIAG_IO: a file cannot be written; DIAG_UNSUPPORTED: the process has
 * no unwinder that can be told. */
bool jit_publish(JitLinker *l, unsigned what, Diag *d);
/* Gives addresses to all that was defined since the last time. On an error nothing of that is linked. */
bool jit_link(JitLinker *l, Diag *d);
/* NULL: not linked. */
void *jit_symbol_address(const JitLinker *l, LinkSym s);
/* Takes the definition back; its memory is reused when nothing else of the same link is left. */
void jit_undefine(JitLinker *l, LinkSym s);
/* The trap code at an address inside linked code, or CLIF_TRAP_NONE; *s = the function (may be NULL). */
ClifTrap jit_find_trap(const JitLinker *l, const void *pc, LinkSym *s);
#endif
