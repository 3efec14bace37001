/* module/module.h — a linked unit: the machine code of a whole module with everything that others need to know of it.
 *
 * Functions are compiled in parallel, each thread with contexts of its own, and laid out in index order, so the
 * bytes do not depend on the number of threads. References between functions of the unit are resolved; what
 * is left are relocations against runtime symbols (libcalls).
 *
 *   code:  function 0 | function 1 | ... | entry adapters | host adapters | (read-only data of each function inside it) */
#ifndef COT_MODULE_MODULE_H
#define COT_MODULE_MODULE_H
#include <pthread.h>
#include "image/codemap.h"
#include "mach/isa.h"
#include "wasm/wasm.h"

typedef struct UnitFunc {
    uint32_t off, size;
} UnitFunc;
typedef struct UnitReloc {
    uint32_t offset;
    uint8_t kind;    /* MachRelocKind */
    uint8_t libcall; /* ClifLibCall */
    int64_t addend;
} UnitReloc;
typedef struct UnitMap { /* by code offset, as an image has it */
    VEC(ImgBlock) index;
    VecU8 bytes;
} UnitMap;

typedef struct UnitPhases {
    uint64_t parse, translate, verify, order, lower, regalloc, check, emit,
        link; /* ns, summed over threads */
} UnitPhases;

typedef struct CodeUnit {
    Mem *mem;
    const IsaVtable *isa;
    VecU8 code;
    VEC(UnitFunc) funcs; /* per defined function: index - number of imported ones */
    VEC(UnitFunc) entry; /* per type index: the entry adapter (types of equal shape share one) */
    VEC(UnitFunc) host;  /* per type index: the host adapter */
    VEC(UnitReloc) relocs;
    UnitMap traps; /* codes of traps, each at its instruction */
    UnitMap locs;  /* where the instructions come from: Wasm byte offsets */
    VEC(MachUnwind)
    unwind; /* sorted by offset, which counts from the code's start; with setting unwind_info */
    VEC(MachHome) homes; /* with WasmTunables.value_labels: of each function from first_home on, */
    VecU32 first_home;   /* offsets counting from its start */
    UnitPhases phases;
    uint64_t operators; /* Wasm operators read */
    uint64_t machine_insts;
    RaStats ra;
    VecU32 fell_back; /* functions that went to the one-pass allocator though Ion was asked for */
} CodeUnit;

/* Threads' contexts, kept from one compilation to the next so that their arrays need not grow again. All compilations
 * that share a pool have the same target, settings and hooks; they may run at the same time. */
typedef struct UnitPool {
    pthread_mutex_t lock;
    struct UnitTools *first;
} UnitPool;
void unit_pool_init(UnitPool *p);
void unit_pool_free(UnitPool *p); /* nobody compiles any more */

typedef struct UnitOptions {
    UnitPool *pool;        /* NULL: contexts of its own, given back at the end */
    uint32_t threads;      /* 0 = all processors */
    bool verify;           /* run the CLIF verifier on each function */
    const MemHooks *hooks; /* for the threads' own memory; NULL = libc. Must be thread-safe. */
    void (*progress)(void *user, uint32_t done,
                     uint32_t total); /* may be NULL; called from one thread */
    void *progress_user;
    MachRegalloc regalloc; /* of the whole module */
    MachRegalloc (*regalloc_of)(
        void *user, uint32_t func); /* of one function, may be NULL; called from any thread */
    void *regalloc_user;
    /* text output of stages, single-threaded: called with each function's CLIF / VCode; NULL = none */
    unsigned print; /* UNIT_PRINT_* */
    StrBuf *print_to;
    bool validate_only;
} UnitOptions;
enum {
    UNIT_PRINT_CLIF = 1,
    UNIT_PRINT_VCODE = 2,
    UNIT_PRINT_ALLOCATED = 4,
    UNIT_PRINT_REGALLOC = 8
};

void unit_init(CodeUnit *u, Mem *m, const IsaVtable *isa);
void unit_free(CodeUnit *u);
/* Compiles (or just validates) every function of m and its adapters. Errors: the one with the lowest function index;
 * out of memory is DIAG_OOM, and what was made so far lies in u->mem. */
bool unit_compile_wasm(CodeUnit *u, const WasmModule *m, const VmLayout *lay,
                       const WasmTunables *tn, const MachSettings *s, const UnitOptions *opt,
                       Diag *d);
static inline Codemap unit_map(const UnitMap *m) {
    return (Codemap){m->index.p, m->index.n, m->bytes.p, m->bytes.n};
}
/* Trap at code offset, or CLIF_TRAP_NONE. */
ClifTrap unit_find_trap(const CodeUnit *u, uint32_t offset);
/* Source location (Wasm byte offset) of the instruction that contains code offset; CLIF_NONE = unknown. */
uint32_t unit_find_loc(const CodeUnit *u, uint32_t offset);
/* Index into funcs of the function that contains the offset; UINT32_MAX if none (an adapter). */
uint32_t unit_find_func(const CodeUnit *u, uint32_t offset);
uint64_t unit_now_ns(void);
#endif
