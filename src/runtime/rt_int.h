/* runtime/rt_int.h — structures shared by the runtime's files. */
#ifndef COT_RUNTIME_RT_INT_H
#define COT_RUNTIME_RT_INT_H
#include <pthread.h>
#include <stdatomic.h>
#include "base/hashmap.h"
#include "runtime/runtime.h"

#define WASM_PAGE 65536u
/* The reservation a guarded memory needs: 4 GiB of index + 4 GiB of offset + one page of slack. */
#define RT_STATIC_RESERVE ((size_t)8 << 30 | WASM_PAGE)

struct RtMemory {
    VmMemory vm;
    RtStore *store;
    uint64_t max_pages; /* declared; 65536 if not */
    uint64_t cap_bytes; /* what growth may reach here */
    size_t reserved;    /* bytes mapped or reserved */
    bool is_static;     /* reserved with guards: never moves */
    bool has_max;
};
struct RtTable {
    VmTable vm;
    RtStore *store;
    uint64_t max, cap;
    bool has_max;
    WasmType elem;
};
struct RtHostFunc {
    VmHostFunc vm; /* first: adapters read it */
    RtStore *store;
    RtHostFn fn;
    void *user;
    uint32_t sig_id, nparams, nresults;
    const WasmType *types; /* parameters, then results */
    VmFuncRef ref;         /* code is NULL until rt_host_ref is asked for it */
};

typedef struct RtSig {
    uint64_t hash;
    uint32_t first, nparams, nresults;
    uint32_t next; /* of the same hash, UINT32_MAX = none */
} RtSig;

struct RtEngine {
    Mem mem; /* used under the lock */
    RtConfig cfg;
    MemHooks hooks; /* what cfg.hooks points to */
    MachSettings mach;
    WasmTunables tunables;
    const IsaVtable *isa;
    WasmFeatures features;
    atomic_uint refs; /* the owner's, one per module, one per store */
    UnitPool pool;    /* compile threads' contexts */
    pthread_mutex_t lock;
    VEC(RtSig) sigs;
    HashMap sig_map; /* hash -> first of sigs */
    VecU8 sig_types;
};

struct RtModule {
    RtEngine *engine;
    atomic_uint refs; /* the owner's, one per store that uses it */
    Mem mem;          /* holds the module itself */
    WasmModule wasm;
    VmLayout layout;
    CodeUnit unit;
    JitCode code;
    VecU32 sig_ids;       /* per type index */
    HashMap exports;      /* hash of the name -> first of its exports */
    VecU32 export_next;   /* further exports with that hash, UINT32_MAX = none */
    uint32_t const_depth; /* operators of the longest constant expression */
};

/* One run of translated code on this thread's stack, from rt_call to its return. */
typedef struct RtActivation {
    struct RtActivation *prev;
    RtStore *store;
    const void *exit; /* frame of the C function through which Wasm left for a host function */
    jmp_buf back;
} RtActivation;

typedef struct RtCodeRange {
    const uint8_t *base, *end;
    RtModule *module;
} RtCodeRange;

struct RtStore {
    RtEngine *engine;
    Mem mem;
    Arena arena;
    VmLimits limits;
    VEC(RtMemory *) memories;
    VEC(RtTable *) tables;
    VEC(RtCodeRange) code; /* sorted; one reference to each module */
    HashMap adapters;      /* signature -> index of imported adapters, see rt_host_ref */
    VEC(RtModule *) adapter_modules;
    bool failed; /* the last call ended by a trap or exit */
    RtTrap trap;
};

struct RtInstance {
    RtStore *store;
    const RtModule *module;
    uint8_t *vmctx;
    RtMemory **memories;
    RtTable **tables;
    RtFunc *imports;
    RtGlobal *globals; /* handles, made when first asked for */
    bool *data_dropped, *elem_dropped;
    RtVal *const_stack; /* module->const_depth values */
};

static inline RtInstance *rt_of(void *vmctx) {
    RtInstance *i;
    memcpy(&i, (uint8_t *)vmctx + VM_OFF_INSTANCE, sizeof i);
    return i;
}

/* engine.c */
void rt_engine_ref(RtEngine *e);
/* One number per function type of an engine; UINT32_MAX = out of memory. */
uint32_t rt_sig_id(RtEngine *e, const uint8_t *types, uint32_t np, uint32_t nr);
void rt_module_ref(const RtModule *m);
/* store.c */
/* Makes the module's code known to the store and keeps it alive. May leave through s->mem.oom. */
void rt_store_add_code(RtStore *s, const RtModule *m);
/* Module whose code holds pc. Async-signal-safe in a thread that is running this store's code. */
const RtModule *rt_find_code(const RtStore *s, const void *pc);
/* memory.c, table.c: may leave through s->mem.oom, except growth */
RtMemory *rt_memory_new(RtStore *s, uint64_t min, uint64_t max, bool has_max, Diag *d);
void rt_memory_free(RtMemory *m);
RtTable *rt_table_new(RtStore *s, WasmType elem, uint64_t min, uint64_t max, bool has_max, Diag *d);
/* builtins.c */
extern const void *const rt_builtins[VM_BUILTIN_COUNT];
bool rt_table_init_segment(RtInstance *i, uint32_t table, uint32_t seg, uint64_t dst, uint64_t src,
                           uint64_t n);
bool rt_memory_init_segment(RtInstance *i, uint32_t mem, uint32_t seg, uint64_t dst, uint64_t src,
                            uint64_t n);
const void *rt_libcall(void *user, ClifLibCall call);
/* instance.c */
VmFuncRef *rt_funcref(RtInstance *i, uint32_t func);
RtFunc rt_func_of(const RtInstance *i, uint32_t func);
RtVal rt_const_eval(RtInstance *i, WasmConstExpr e);
/* trap.c */
void rt_enter(RtActivation *a, RtStore *s);
void rt_leave(RtActivation *a);
RtActivation *rt_current(void); /* of this thread; NULL = no Wasm is running */
void rt_trap_clear(RtTrap *t);
/* Frames of the trap: from pc with frame pointer fp outwards, on through host frames to outer calls of the same
 * store. at_fault: pc is the instruction itself, not a return address. */
void rt_backtrace(RtActivation *a, const uint8_t *pc, const void *fp, bool at_fault);
/* Ends the current activation. fp: frame address of the C function that translated code called. */
_Noreturn void rt_raise(ClifTrap code, const void *fp);
#define RT_RAISE(code) rt_raise((code), __builtin_frame_address(0))
_Noreturn void rt_unwind(void); /* the same, with the store's trap as it is */
/* signals.c */
bool rt_install_signals(Diag *d);
/* stack.c */
uint64_t rt_stack_limit(const void *frame, uint64_t max_stack);
#endif
