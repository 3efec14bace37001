/* cot/jit.h — compiles CLIF functions (cot/clif.h) into memory and links them with data and with the host.
 *
 *     declare symbols ─► define functions and data ─► link ─► addresses
 *
 * A symbol is a name with a dense number. It may be referred to before it is defined. One that is never defined here is
 * looked for, at the link that needs it first, among the addresses given by cot_jit_set_address, then by the
 * resolver, then, if allowed, among the symbols of the process.
 *
 * A CotJit is used by one thread at a time; any number of them by as many threads. Linked code may run in any number of
 * threads, also while more is defined and linked. */
#ifndef COT_JIT_H
#define COT_JIT_H
#include "cot/clif.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct CotJit CotJit;

/* CPU features, settings, allocator and verification come from config (NULL: all defaults). reserve: bytes of address space
 * for code and data, at most 1 GiB; 0: 256 MiB. */
COT_API CotJit *cot_jit_new(const CotConfig *config, size_t reserve, CotError *error);
/* All code and data go, too. */
COT_API void cot_jit_free(CotJit *jit);

/* Who is told of functions linked from now on, COT_PUBLISH_* added up (cot.h); what is freed is withdrawn. Default: nobody. COT_UNSUPPORTED: the process
 * has no unwinder that can be told (libgcc_s or libunwind); COT_IO: a file cannot be written. */
COT_API CotStatus cot_jit_publish(CotJit *jit, uint32_t what, CotError *error);

/* The number of the symbol of that name, new or not. COT_NONE: out of memory. */
COT_API uint32_t cot_jit_declare(CotJit *jit, const char *name);
/* Valid as long as jit; NULL: no such symbol. */
COT_API const char *cot_jit_name(const CotJit *jit, uint32_t symbol);
/* Where a symbol of the host is. NULL takes it back. */
COT_API CotStatus cot_jit_set_address(CotJit *jit, uint32_t symbol, void *address, CotError *error);
/* Asked for symbols without address; NULL: not known. */
typedef void *(*CotResolveFn)(void *user, const char *name);
COT_API void cot_jit_set_resolver(CotJit *jit, CotResolveFn function, void *user);
/* Default false: symbols of the process (dlsym) may be used. */
COT_API void cot_jit_set_process_symbols(CotJit *jit, bool on);

/* Compiles f, which must have been ended without error. Its imports are numbers of this CotJit's symbols; names of a function
 * that was read as text (%name) are names of symbols, declared if new. f may be used for the next one afterwards. */
COT_API CotStatus cot_jit_define(CotJit *jit, uint32_t symbol, CotFunction *f, CotError *error);
/* Data that is not COT_DATA_THREAD, aligned to a page at most. */
COT_API CotStatus cot_jit_define_data(CotJit *jit, uint32_t symbol, const CotData *data,
                                      CotError *error);
/* Gives addresses to all that was defined since the last link. COT_LINK: a symbol is not known; nothing was linked then. */
COT_API CotStatus cot_jit_link(CotJit *jit, CotError *error);
/* NULL: not defined here, or not linked yet. */
COT_API void *cot_jit_address(const CotJit *jit, uint32_t symbol);
COT_API void *cot_jit_lookup(const CotJit *jit, const char *name);
COT_API uint64_t cot_jit_size(const CotJit *jit, uint32_t symbol); /* bytes; 0: not defined */
/* Takes a definition back; nothing may run it or refer to it any more. The symbol can be defined anew. */
COT_API CotStatus cot_jit_undefine(CotJit *jit, uint32_t symbol, CotError *error);
/* The trap code of the instruction at an address, for a handler of SIGSEGV, SIGILL or SIGFPE; 0: none. *symbol (may be NULL) is
 * the function. Async-signal-safe as long as no other thread uses jit. */
COT_API uint32_t cot_jit_trap_at(const CotJit *jit, const void *pc, uint32_t *symbol);

#ifdef __cplusplus
}
#endif
#endif
