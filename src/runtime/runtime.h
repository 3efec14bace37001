/* runtime/runtime.h — running compiled Wasm modules: engine, modules, stores, instances, calls, traps.
 *
 *   RtEngine   settings and function-type identities; shared by threads
 *   RtModule   a compiled module; immutable, shared by any number of stores and threads
 *   RtStore    owns instances, memories, tables, host functions; used by one thread at a time
 *   RtInstance an instantiated module; lives as long as its store
 *
 * Values are 16 bytes in call arrays; i32 and f32 use the low 4 bytes. A trap never leaves through the caller's
 * frames: rt_call returns false and the store's trap says why, with a backtrace.
 */
#ifndef COT_RUNTIME_RUNTIME_H
#define COT_RUNTIME_RUNTIME_H
#include "jit/jit.h"

typedef union RtVal {
    uint32_t i32;
    uint64_t i64;
    void *ref;
    uint8_t bytes[16];
} RtVal;
_Static_assert(sizeof(RtVal) == 16, "a value in a call array is 16 bytes");

typedef struct RtConfig {
    const MemHooks *hooks;        /* NULL = libc */
    const WasmFeatures *features; /* NULL = all that there are; read when the engine is made */
    uint64_t isa_flags;           /* CPU features that may be used */
    bool no_signals;              /* never install a signal handler: all checks explicit */
    bool explicit_bounds;         /* no guard pages: bounds checks, memories of just their size */
    bool interruptible;           /* compile polls so that rt_store_interrupt works */
    bool verify;          /* CLIF verifier, allocator's input check and checker on every function */
    uint64_t stress_seed; /* random allocation, 0 = off */
    uint32_t threads;     /* compile threads, 0 = all processors */
    uint64_t max_memory;  /* bytes per memory; 0 = what the type allows */
    uint64_t max_stack;   /* bytes of stack per outermost call; 0 = 1 MiB */
} RtConfig;

typedef struct RtEngine RtEngine;
typedef struct RtModule RtModule;
typedef struct RtStore RtStore;
typedef struct RtInstance RtInstance;
typedef struct RtMemory RtMemory;
typedef struct RtTable RtTable;
typedef struct RtHostFunc RtHostFunc;

RtEngine *rt_engine_new(const RtConfig *cfg, Diag *d);
void rt_engine_free(RtEngine *e); /* after all its modules and stores */
const MachSettings *rt_engine_mach_settings(const RtEngine *e);
const WasmTunables *rt_engine_tunables(const RtEngine *e);

/* Parses, validates, compiles. `bytes` must outlive the module. opt may be NULL. */
RtModule *rt_module_new(RtEngine *e, const uint8_t *bytes, size_t size, const UnitOptions *opt,
                        Diag *d);
void rt_module_free(RtModule *m); /* after all its instances' stores */
const WasmModule *rt_module_wasm(const RtModule *m);
const CodeUnit *rt_module_unit(const RtModule *m);

/* ---- things that can be imported and exported ---- */
typedef struct RtFunc {
    const void *code;
    void *vmctx;
    const void *entry;
    uint32_t sig_id;
    RtHostFunc *host;
    const WasmModule *type_module;
    uint32_t type;
} RtFunc;
typedef struct RtGlobal {
    void *value;
    WasmGlobalType type;
} RtGlobal;
typedef struct RtExtern {
    WasmExternKind kind;
    RtFunc func;
    RtTable *table;
    RtMemory *memory;
    RtGlobal global;
} RtExtern;

RtStore *rt_store_new(RtEngine *e);
void rt_store_free(RtStore *s);
void rt_store_interrupt(RtStore *s); /* from any thread: the running call traps at its next poll */

/* Looks up an import; false = not found (a link error). */
typedef bool (*RtResolve)(void *user, const WasmModule *m, const WasmImport *imp, RtExtern *out);
/* Links, initialises, runs the start function. NULL: *d tells a link error, or rt_store_trap a trap (d->kind stays NONE). */
RtInstance *rt_instantiate(RtStore *s, const RtModule *m, RtResolve resolve, void *user, Diag *d);
bool rt_export(const RtInstance *i, const char *name, size_t len, RtExtern *out);
const RtModule *rt_instance_module(const RtInstance *i);

/* Calls f with nparams values in vals; results replace them (the array has room for the larger number). */
bool rt_call(RtStore *s, const RtFunc *f, RtVal *vals);

/* ---- host functions ---- */
typedef enum RtHostResult {
    RT_HOST_OK,
    RT_HOST_TRAP /* message set by rt_host_trap */,
    RT_HOST_EXIT
} RtHostResult;
typedef RtHostResult (*RtHostFn)(void *user, RtInstance *caller /* NULL if none */, RtVal *vals);
/* params, results: one letter per value, i I f F (i32 i64 f32 f64). */
bool rt_host_func(RtStore *s, const char *params, const char *results, RtHostFn fn, void *user,
                  RtExtern *out);
RtExtern rt_host_memory(RtStore *s, uint64_t min, uint64_t max, Diag *d);
RtExtern rt_host_table(RtStore *s, WasmType elem, uint64_t min, uint64_t max, Diag *d);
RtExtern rt_host_global(RtStore *s, WasmGlobalType t, RtVal v);
/* Memory 0 of an instance, whether exported or not; size 0 if it has none. */
uint8_t *rt_instance_memory(const RtInstance *i, uint64_t *size);
uint8_t *rt_memory_data(const RtMemory *m, uint64_t *size);

/* ---- traps ---- */
#define RT_MAX_FRAMES 64
typedef struct RtFrame {
    const RtModule *module;
    uint32_t func;   /* index space */
    uint32_t offset; /* Wasm byte offset, CLIF_NONE unknown */
} RtFrame;
typedef struct RtTrap {
    ClifTrap code; /* CLIF_TRAP_NONE = exit */
    int exit_code;
    char msg[128];
    RtFrame frames[RT_MAX_FRAMES];
    uint32_t num_frames;
    bool more_frames;
} RtTrap;
const RtTrap *rt_store_trap(const RtStore *s); /* of the last call that returned false */
void rt_host_trap(RtStore *s,
                  const char *msg);         /* for host functions, before returning RT_HOST_TRAP */
void rt_host_exit(RtStore *s, int code);    /* before returning RT_HOST_EXIT */
const char *rt_trap_message(ClifTrap code); /* as in the Wasm spec tests */
/* "  0: name (function 12, offset 0x1a2b)" lines */
void rt_print_backtrace(const RtTrap *t, StrBuf *out);
#endif
