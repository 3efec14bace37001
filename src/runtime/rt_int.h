/* runtime/rt_int.h — structures shared by the runtime's files. */
#ifndef COT_RUNTIME_RT_INT_H
#define COT_RUNTIME_RT_INT_H
#include <pthread.h>
#include <stdatomic.h>
#include "runtime/runtime.h"

#define WASM_PAGE 65536u

struct RtMemory {
    VmMemory vm;
    uint64_t max_pages; /* declared; UINT64_MAX = none */
    uint64_t cap_bytes; /* what growth may reach here */
    size_t reserved;    /* bytes mapped or reserved */
    bool is_static;     /* reserved with guards: never moves */
    bool has_max;
};
struct RtTable {
    VmTable vm;
    uint64_t max, cap;
    bool has_max;
    WasmType elem;
};
struct RtHostFunc {
    VmHostFunc vm; /* first: adapters read it */
    RtStore *store;
    RtHostFn fn;
    void *user;
    uint32_t sig_id;
};

typedef struct RtSig {
    uint64_t hash;
    uint32_t first, nparams, nresults;
} RtSig;
typedef struct RtCodeRange {
    const uint8_t *base, *end;
    const RtModule *module;
} RtCodeRange;
typedef struct RtCodeMap {
    struct RtCodeMap *older;
    uint32_t n;
    RtCodeRange ranges[];
} RtCodeMap;

struct RtEngine {
    Mem mem;
    MemHooks hooks;
    RtConfig cfg;
    MachSettings mach;
    WasmTunables tunables;
    const IsaVtable *isa;
    WasmFeatures features;
    pthread_mutex_t lock; /* sigs, code map */
    VEC(RtSig) sigs;
    VecU8 sig_types;
    _Atomic(RtCodeMap *)
        code; /* immutable snapshot, read by signal handlers; older ones kept until the end */
};

struct RtModule {
    RtEngine *engine;
    Mem mem;
    WasmModule wasm;
    VmLayout layout;
    CodeUnit unit;
    JitCode code;
    VecU32 sig_ids; /* per type index */
};

typedef struct RtActivation {
    struct RtActivation *prev;
    RtStore *store;
    jmp_buf back;
} RtActivation;

struct RtStore {
    RtEngine *engine;
    Mem mem;
    Arena arena;
    VmLimits limits;
    RtInstance *instances;
    VEC(RtMemory *) memories;
    VEC(RtTable *) tables;
    RtTrap trap;
};

struct RtInstance {
    RtInstance *next;
    RtStore *store;
    const RtModule *module;
    uint8_t *vmctx;
    RtMemory **memories;
    RtTable **tables;
    RtFunc *imports;
    bool *data_dropped, *elem_dropped;
};

static inline RtInstance *rt_of(void *vmctx) {
    RtInstance *i;
    memcpy(&i, (uint8_t *)vmctx + VM_OFF_INSTANCE, sizeof i);
    return i;
}

/* engine.c */
uint32_t rt_sig_id(RtEngine *e, const uint8_t *types, uint32_t np, uint32_t nr);
bool rt_publish_code(RtEngine *e, const RtModule *m, bool add);
const RtModule *rt_find_code(const RtEngine *e, const void *pc);
/* memory.c, table.c */
RtMemory *rt_memory_new(RtStore *s, uint64_t min, uint64_t max, bool has_max, Diag *d);
void rt_memory_free(RtMemory *m);
uint64_t rt_memory_grow(RtMemory *m, uint64_t delta); /* old pages or UINT64_MAX */
RtTable *rt_table_new(RtStore *s, WasmType elem, uint64_t min, uint64_t max, bool has_max, Diag *d);
void rt_table_free(RtStore *s, RtTable *t);
uint64_t rt_table_grow(RtStore *s, RtTable *t, uint64_t delta, void *init);
/* builtins.c */
extern const void *const rt_builtins[VM_BUILTIN_COUNT];
bool rt_table_init_segment(RtInstance *i, uint32_t table, uint32_t seg, uint64_t dst, uint64_t src,
                           uint64_t n);
bool rt_memory_init_segment(RtInstance *i, uint32_t mem, uint32_t seg, uint64_t dst, uint64_t src,
                            uint64_t n);
const void *rt_libcall(void *user, ClifLibCall call);
/* instance.c */
VmFuncRef *rt_funcref(RtInstance *i, uint32_t func);
RtVal rt_const_eval(RtInstance *i, WasmConstExpr e);
/* trap.c */
bool rt_install_signals(Diag *d);
void rt_enter(RtActivation *a, RtStore *s);
void rt_leave(RtActivation *a);
/* Ends the current activation. fp: frame address of the C function that translated code called. */
_Noreturn void rt_raise(ClifTrap code, void *fp);
#define RT_RAISE(code) rt_raise((code), __builtin_frame_address(0))
#endif
