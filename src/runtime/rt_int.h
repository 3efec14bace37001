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
    VmFuncRef ref;         /* code is NULL as long as nobody asked for it, or no module has it */
    bool waiting;          /* among the store's codeless */
};

typedef struct RtSig {
    uint64_t hash;
    uint32_t first, nparams, nresults;
    uint32_t next; /* of the same hash, UINT32_MAX = none */
} RtSig;

struct RtEngine {
    Mem mem; /* used under the lock */
    RtConfig cfg;
    MemHooks hooks;   /* what cfg.hooks points to */
    bool guards;      /* memories are reserved with guard pages */
    atomic_uint refs; /* the owner's, one per module, one per store */
    void *compiler;   /* see rt_engine_attach */
    void (*compiler_free)(void *compiler);
    pthread_mutex_t lock;
    VEC(RtSig) sigs;
    HashMap sig_map; /* hash -> first of sigs */
    VecU8 sig_types;
};

struct RtModule {
    RtEngine *engine;
    atomic_uint refs; /* the owner's, one per store that uses it */
    Mem mem;          /* holds the module itself */
    RtBlob blob;
    Image img;         /* in the blob */
    uint32_t *sig_ids; /* per type index */
    void *attached;    /* see rt_module_attach */
    void (*attached_free)(void *what);
};

/* perfmap.c */
bool rt_perf_map(RtModule *m, Diag *d);

/* One run of translated code on this thread's stack, from rt_call to its return. */
typedef struct RtActivation {
    struct RtActivation *prev;
    RtStore *store;
    const void *exit; /* frame of the C function through which Wasm left for a host function */
    jmp_buf back;
    uint64_t outer_limit; /* of the store, before this call */
    void *outer_caller;
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
    VEC(RtCodeRange) code;         /* sorted; one reference to each module */
    VEC(const RtModule *) modules; /* the same, in the order in which they came */
    uint32_t num_indexed;          /* modules whose types are in adapters */
    HashMap adapters;              /* function type -> index in adapter_code */
    VEC(const uint8_t *) adapter_code;
    VEC(RtHostFunc *) codeless; /* referenced, but no module had an adapter for their type yet */
    bool failed;                /* the last call ended by a trap or exit */
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
    RtVal *const_stack; /* const_depth values */
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
/* The address of a routine for a slot; NULL = there is none of that number. */
const void *rt_routine(uint32_t routine);
bool rt_table_init_segment(RtInstance *i, uint32_t table, uint32_t seg, uint64_t dst, uint64_t src,
                           uint64_t n);
bool rt_memory_init_segment(RtInstance *i, uint32_t mem, uint32_t seg, uint64_t dst, uint64_t src,
                            uint64_t n);
/* instance.c */
VmFuncRef *rt_funcref(RtInstance *i, uint32_t func);
RtFunc rt_func_of(const RtInstance *i, uint32_t func);
RtVal rt_const_eval(RtInstance *i, ImgExpr e);
/* trap.c */
void rt_enter(RtActivation *a, RtStore *s);
void rt_leave(RtActivation *a);
RtActivation *rt_current(void); /* of this thread; NULL = no Wasm is running */
void rt_trap_clear(RtTrap *t);
/* Frames of the trap: from pc with frame pointer fp outwards, on through host frames to outer calls of the same
 * store. at_fault: pc is the instruction itself, not a return address. */
void rt_backtrace(RtActivation *a, const uint8_t *pc, const void *fp, bool at_fault);
/* Ends the current activation. fp: frame address of the C function that translated code called. */
_Noreturn void rt_raise(VmTrap code, const void *fp);
#define RT_RAISE(code) rt_raise((code), __builtin_frame_address(0))
_Noreturn void rt_unwind(void); /* the same, with the store's trap as it is */
/* signals.c */
bool rt_install_signals(Diag *d);
/* stack.c */
uint64_t rt_stack_limit(const void *frame, uint64_t max_stack);
#endif
