/* runtime/runtime.h — running compiled Wasm modules: engine, modules, stores, instances, calls, traps.
 *
 *   RtEngine   settings and function-type identities; shared by threads
 *   RtModule   an image (image/image.h) that can be run; immutable, shared by any number of stores and threads
 *   RtStore    owns instances, memories, tables, host functions; used by one thread at a time
 *   RtInstance an instantiated module; lives as long as its store
 *
 * Engines and modules are counted: rt_engine_free and rt_module_free give up the caller's reference, the object goes with
 * its last module, store or instance. No function aborts or exits when memory is out: each says what it returns then.
 * Values are 16 bytes in call arrays; i32 and f32 use the low 4 bytes. A trap never leaves through the caller's
 * frames: rt_call returns false and the store's trap says why, with a backtrace.
 */
#ifndef COT_RUNTIME_RUNTIME_H
#define COT_RUNTIME_RUNTIME_H
#include "image/image.h"

typedef union RtVal {
    uint32_t i32;
    uint64_t i64;
    void *ref;
    uint8_t bytes[16];
} RtVal;
_Static_assert(sizeof(RtVal) == 16, "a value in a call array is 16 bytes");

typedef struct RtConfig {
    const MemHooks *hooks; /* NULL = libc; called from several threads at once */
    bool no_signals;       /* never install a signal handler: all checks explicit */
    bool explicit_bounds;  /* no guard pages: bounds checks, memories of just their size */
    bool interruptible;    /* code has polls so that rt_store_interrupt works */
    bool perf_map;         /* names of functions for profilers, in /tmp/perf-PID.map */
    uint64_t max_memory;   /* bytes per memory; 0 = what the type allows */
    uint64_t max_stack; /* bytes of stack per outermost call; 0 = 1 MiB; less if the thread's stack
                             does not leave RT_HOST_STACK below that */
} RtConfig;

typedef struct RtEngine RtEngine;
typedef struct RtModule RtModule;
typedef struct RtStore RtStore;
typedef struct RtInstance RtInstance;
typedef struct RtMemory RtMemory;
typedef struct RtTable RtTable;
typedef struct RtHostFunc RtHostFunc;

/* Stack that is kept free below the limit for host functions and what else is not checked, in bytes. */
#define RT_HOST_STACK (128u << 10)

/* cfg is copied. NULL with *d set: no signal handlers, out of memory. */
RtEngine *rt_engine_new(const RtConfig *cfg, Diag *d);
void rt_engine_free(RtEngine *e); /* NULL is fine */
const MemHooks *rt_engine_hooks(const RtEngine *e);
const RtConfig *rt_engine_config(const RtEngine *e);
bool rt_engine_has_guards(const RtEngine *e); /* what explicit_bounds and the system came to */
/* The runtime knows no compiler. Whoever makes an engine that compiles leaves its compiler here; it goes with the engine. */
void rt_engine_attach(RtEngine *e, void *compiler, void (*compiler_free)(void *compiler));
void *rt_engine_attached(const RtEngine *e); /* NULL: none */

/* ---- modules ---- */
/* An image in memory with room for its slots behind it. A module takes it over. */
typedef struct RtBlob {
    uint8_t *base;
    size_t size; /* of the image */
    size_t mapped;
    bool of_file;
} RtBlob;
/* Room for an image, writable. */
bool rt_blob_new(RtBlob *b, size_t size, Diag *d);
bool rt_blob_copy(RtBlob *b, const void *bytes, size_t size, Diag *d);
/* The whole file, which must not be changed as long as the blob lives (to be replaced, yes). */
bool rt_blob_map(RtBlob *b, int fd, Diag *d);
void rt_blob_free(RtBlob *b);
/* Takes the blob over, in any case. NULL with *d set: not an image that this engine can run (see img_open), out of memory. */
RtModule *rt_module_new(RtEngine *e, RtBlob *b, ImgTrust trust, Diag *d);
void rt_module_free(RtModule *m); /* NULL is fine; stores that use it keep it */
const Image *rt_module_image(const RtModule *m);
/* What others made of the module goes with it, before its code does. Once, before it is shared. */
void rt_module_attach(RtModule *m, void *what, void (*free)(void *what));
const MemHooks *rt_module_hooks(const RtModule *m); /* of its engine; NULL = libc */
/* An image in three places of a program: its tables; its code; its slots, a page of zeros of their own, which the first module made
 * of it fills and protects. */
typedef struct RtLinked {
    const void *tables, *code;
    void *slots;
} RtLinked;
RtModule *rt_module_linked(RtEngine *e, const RtLinked *linked, Diag *d);
/* The image with sums, for files. Size 0: it is linked into the program, its code is good for its place only. */
size_t rt_module_serialized_size(const RtModule *m);
void rt_module_serialize(const RtModule *m, uint8_t *to);

/* ---- things that can be imported and exported ---- */
typedef struct RtFunc {
    const void *code;
    void *vmctx;
    const void *entry;
    uint32_t sig_id;
    RtHostFunc *host;
    const Image *image; /* of the type; NULL: see host */
    uint32_t type;
    void *ref; /* of an instance's function that can be referenced: its reference, else NULL */
} RtFunc;
typedef struct RtGlobal {
    void *value;
    WasmGlobalType type;
    RtStore *store;
} RtGlobal;
typedef struct RtExtern {
    WasmExternKind kind;
    RtFunc func;
    RtTable *table;
    RtMemory *memory;
    RtGlobal global;
} RtExtern;

RtStore *rt_store_new(RtEngine *e); /* NULL = out of memory */
void rt_store_free(RtStore *s);     /* NULL is fine; not while one of its calls is running */
RtEngine *rt_store_engine(const RtStore *s);
/* Memory of the store; NULL = there is none. What is kept lives as long as the store. */
void *rt_store_alloc(RtStore *s, size_t n);
void rt_store_give_back(RtStore *s, void *p, size_t n);
void *rt_store_keep(RtStore *s, size_t n);
/* From any thread, or a signal handler: a call of this store traps at its next poll (loop or function entry), the running
 * one or else the next. One trap uses the request up. Engines without `interruptible` compile no polls. */
void rt_store_interrupt(RtStore *s);
void rt_store_clear_interrupt(RtStore *s); /* takes back a request that came too late */

typedef struct RtImport {
    WasmStr module, name;
    WasmExternKind kind;
    uint32_t index;   /* in its index space */
    uint32_t ordinal; /* among the imports */
} RtImport;
/* Looks up an import; false = not found (a link error). */
typedef bool (*RtResolve)(void *user, const RtImport *imp, RtExtern *out);
/* Links, initialises, runs the start function. NULL: *d tells a link error, or rt_store_trap a trap (d->kind stays NONE). */
RtInstance *rt_instantiate(RtStore *s, const RtModule *m, RtResolve resolve, void *user, Diag *d);
RtImport rt_import_at(const RtModule *m, uint32_t k); /* k: as in Image.imports */
bool rt_export(const RtInstance *i, const char *name, size_t len, RtExtern *out);
void rt_export_at(const RtInstance *i, uint32_t k, RtExtern *out); /* k: as in Image.exports */
const RtModule *rt_instance_module(const RtInstance *i);
RtStore *rt_instance_store(const RtInstance *i);
/* A lasting handle of a global that rt_export found, owned by the store; NULL = out of memory. */
RtGlobal *rt_instance_global(RtInstance *i, uint32_t index);

/* Calls f with nparams values in vals; results replace them (the array has room for the larger number). f belongs to s.
 * False: see rt_store_trap. A host function may call: the stack limit stays that of the outermost call of the store. */
bool rt_call(RtStore *s, const RtFunc *f, RtVal *vals);
void rt_func_type(const RtFunc *f, const WasmType **params, uint32_t *nparams,
                  const WasmType **results, uint32_t *nresults);
RtStore *rt_func_store(const RtFunc *f);
/* The value of type funcref that stands for f, owned by its store, and the way back. NULL: out of memory (*d). */
void *rt_func_ref(const RtFunc *f, Diag *d);
/* The same without code for Wasm to call, so it cannot fail: for rt_func_of_ref only. */
void *rt_func_handle(const RtFunc *f);
RtFunc rt_func_of_ref(const void *ref);

/* ---- host functions ----
 * A host function returns; it must not longjmp or throw out of itself, for Wasm frames lie behind it. To end the Wasm
 * that called it, it returns something else than RT_HOST_OK: the trap is raised after it has returned. It may call
 * rt_call; when that fails, the trap of the inner call ends there, and the host function decides what becomes of it:
 * RT_HOST_PROPAGATE lets it go on, with its message and its frames, which include those of the outer call. */
typedef enum RtHostResult {
    RT_HOST_OK,
    RT_HOST_TRAP,     /* message set by rt_host_trap after the last rt_call, or none */
    RT_HOST_EXIT,     /* code set by rt_host_exit after the last rt_call */
    RT_HOST_PROPAGATE /* the trap or exit of the rt_call that failed last in this function */
} RtHostResult;
typedef RtHostResult (*RtHostFn)(void *user, RtInstance *caller /* NULL: called from C */,
                                 RtVal *vals);
/* params, results: one letter per value, i I f F v r e (i32 i64 f32 f64 v128 funcref externref), at most 64 together.
 * False: another letter, too many, out of memory. */
bool rt_host_func(RtStore *s, const char *params, const char *results, RtHostFn fn, void *user,
                  RtExtern *out);
/* types: np parameters, then nr results; copied. False: too many (limits.def), out of memory. */
bool rt_host_func_types(RtStore *s, const WasmType *types, uint32_t np, uint32_t nr, RtHostFn fn,
                        void *user, RtExtern *out);
/* Limits in pages or elements; max UINT64_MAX = none. The pointer in the result is NULL if *d is set. */
RtExtern rt_host_memory(RtStore *s, uint64_t min, uint64_t max, Diag *d);
RtExtern rt_host_table(RtStore *s, WasmType elem, uint64_t min, uint64_t max, Diag *d);
RtExtern rt_host_global(RtStore *s, WasmGlobalType t, RtVal v); /* global.value NULL: no memory */
/* Memory 0 of an instance, whether exported or not; size 0 if it has none. */
uint8_t *rt_instance_memory(const RtInstance *i, uint64_t *size);
RtMemory *rt_instance_memory0(const RtInstance *i); /* NULL: none */
/* Bytes and their number. The address may change when the memory grows, unless it is guarded (rt_memory_guarded). */
uint8_t *rt_memory_data(const RtMemory *m, uint64_t *size);
bool rt_memory_guarded(const RtMemory *m);
uint64_t rt_memory_grow(RtMemory *m, uint64_t delta); /* old pages or UINT64_MAX */
RtStore *rt_memory_store(const RtMemory *m);
uint64_t rt_memory_max(const RtMemory *m); /* declared pages; UINT64_MAX = none */
RtStore *rt_table_store(const RtTable *t);
WasmType rt_table_type(const RtTable *t);
uint64_t rt_table_size(const RtTable *t);
uint64_t rt_table_max(const RtTable *t);           /* declared elements; UINT64_MAX = none */
void *rt_table_get(const RtTable *t, uint64_t at); /* at < size */
void rt_table_set(RtTable *t, uint64_t at, void *value);
uint64_t rt_table_grow(RtTable *t, uint64_t delta, void *init); /* old size or UINT64_MAX */

/* ---- traps ---- */
#define RT_MAX_FRAMES 64
typedef struct RtFrame {
    const RtModule *module;
    uint32_t func;   /* index space */
    uint32_t offset; /* Wasm byte offset, IMG_NONE unknown */
} RtFrame;
typedef struct RtTrap {
    VmTrap code; /* VM_TRAP_NONE = exit */
    int exit_code;
    char msg[128];
    RtFrame frames[RT_MAX_FRAMES];
    uint32_t num_frames;
    bool more_frames;
} RtTrap;
/* Of the last call that returned false; valid until the store's next call or instantiation. */
const RtTrap *rt_store_trap(const RtStore *s);
void rt_host_trap(RtStore *s,
                  const char *msg);       /* before returning RT_HOST_TRAP; cut at 127 bytes */
void rt_host_exit(RtStore *s, int code);  /* before returning RT_HOST_EXIT */
const char *rt_trap_message(VmTrap code); /* as in the Wasm spec tests */
/* One line per frame, innermost first:
 *     "  N: NAME (function INDEX, offset 0xOFFSET)"
 * NAME is from the name section, or func[INDEX]; control characters and \ are written as \xx, names over 200 bytes end in
 * "...". If the module came with debugging information, lines
 *     "        NAME at FILE:LINE:COLUMN, inlined"
 * follow for inlined calls, innermost first, and one for the function itself (without NAME if it is the only one; a part
 * that is not known is left out). INDEX counts imported functions; OFFSET, in bytes of the module, is left out if not known. Frames of C functions
 * between nested calls are not shown. More than RT_MAX_FRAMES end with "  ... further frames left out". */
void rt_print_backtrace(const RtTrap *t, StrBuf *out);
/* "FILE:0xOFFSET: error: trap: REASON", then the backtrace. */
void rt_print_trap(const RtTrap *t, const char *file, StrBuf *out);
#endif
