/* jit/linker.h — functions and data by name, linked in memory, a few at a time.
 *
 * A symbol is declared once by name and gets a dense number. Compiled code refers to symbol n by the CLIF name u0:n,
 * to library routines by their libcall names. Symbols without a definition are asked of the embedder when they are
 * first needed. Code is writable until it is linked and executable afterwards, never both.
 * All memory comes from one reservation, so that every 32-bit displacement between functions and data reaches.
 * One thread at a time; the code may run in any number of threads, also during a link, which never moves what is linked. */
#ifndef COT_JIT_LINKER_H
#define COT_JIT_LINKER_H
#include "mach/isa.h"

typedef uint32_t JitSym;
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

/* The symbol of that name, new or not. */
JitSym jit_symbol(JitLinker *l, const char *name, size_t len);
/* The one that exists already, or UINT32_MAX. */
JitSym jit_find_symbol(const JitLinker *l, const char *name, size_t len);
uint32_t jit_symbol_count(const JitLinker *l);
const char *jit_symbol_name(const JitLinker *l, JitSym s);

/* Copies the code. DIAG_INVALID: there is a definition already. */
bool jit_define_func(JitLinker *l, JitSym s, const MachCompiled *c, Diag *d);
/* size bytes, from `bytes` or zero; align: a power of two up to the page size. */
bool jit_define_data(JitLinker *l, JitSym s, const uint8_t *bytes, size_t size, size_t align,
                     bool writable, Diag *d);
/* At `offset` of s's data, 8 bytes become the address of `target` plus addend. Before s is linked. */
bool jit_data_address(JitLinker *l, JitSym s, size_t offset, JitSym target, int64_t addend,
                      Diag *d);
/* Gives addresses to all that was defined since the last time. On an error nothing of that is linked. */
bool jit_link(JitLinker *l, Diag *d);
/* NULL: not linked. */
void *jit_symbol_address(const JitLinker *l, JitSym s);
size_t jit_symbol_size(const JitLinker *l, JitSym s);
/* Takes the definition back; its memory is reused when nothing else of the same link is left. */
void jit_undefine(JitLinker *l, JitSym s);
/* The trap code at an address inside linked code, or CLIF_TRAP_NONE; *s = the function (may be NULL). */
ClifTrap jit_find_trap(const JitLinker *l, const void *pc, JitSym *s);
#endif
