/* compiler/compiler.h — WebAssembly modules to images, and engines that compile.
 *
 *   Compiler   settings and contexts for any number of compilations, from any threads
 *   Compiled   one module compiled: its code and what is known of it, ready to be written as an image
 *   Cache      a folder of images (cache.h)
 *   RtEngine   of engine_new: a runtime engine (runtime/runtime.h) with a compiler attached */
#ifndef COT_COMPILER_COMPILER_H
#define COT_COMPILER_COMPILER_H
#include "compiler/cache.h"
#include "jit/publish.h"
#include "dwarf/out.h"
#include "module/linkable.h"
#include "module/module.h"
#include "runtime/runtime.h"

/* ---- images from modules ---- */
typedef struct CompilerConfig {
    const MemHooks *hooks;        /* NULL = libc; called from several threads at once */
    const WasmFeatures *features; /* NULL = all that there are */
    uint64_t isa_flags;           /* CPU features that may be used */
    bool no_signals;              /* every trap is an explicit check */
    bool explicit_bounds;         /* bounds checks in code */
    bool interruptible;           /* polls at loops and function entries */
    bool verify;          /* CLIF verifier, allocator's input check and checker on every function */
    uint64_t stress_seed; /* random allocation, 0 = off */
    uint32_t opt_level; /* 0: one-pass register allocation; otherwise the backtracking allocator */
    MachRegalloc regalloc; /* over what opt_level says */
    uint32_t threads;      /* compile threads, 0 = all processors */
    const Cache *cache;    /* NULL = none */
    bool unwind;           /* collect unwinding steps, for object files */
    bool
        debug; /* collect places of variables, for compiled_debug, if the module says what they are */
    bool keep_source; /* images have the module's debugging information, for backtraces */
    bool only_places; /* of that only what backtraces need */
    bool keep_facts;  /* images have what debuggers need besides, of what is collected */
    unsigned publish; /* JIT_PUBLISH_*: who is told of modules made of what is compiled */
    const char *name; /* what debuggers call them; not copied; NULL: module.wasm */
} CompilerConfig;

typedef struct Compiler Compiler;
typedef struct Compiled Compiled;

/* cfg is copied, with what it points to. NULL with *d set: no back end for this machine, out of memory. */
Compiler *compiler_new(const CompilerConfig *cfg, Diag *d);
void compiler_free(Compiler *c); /* NULL is fine; no compilation is running */
/* Parses, validates, compiles; or only validates, if opt says so. bytes are not needed once the image is written. opt may be
 * NULL. NULL with *d set. */
Compiled *compiler_run(Compiler *c, const uint8_t *bytes, size_t size, const UnitOptions *opt,
                       Diag *d);
void compiled_free(Compiled *c); /* NULL is fine */
/* Begins the hash of all that code compiled of a module depends on. opt may be NULL. */
void compiler_key(const Compiler *c, const uint8_t *bytes, size_t size, const UnitOptions *opt,
                  Blake2b *b);
const WasmModule *compiled_wasm(const Compiled *c);
CodeUnit *compiled_unit(Compiled *c);
/* Lays out the image and gives its size; 0 with *d set: it would be too large, memory is out. */
size_t compiled_plan_image(Compiled *c, Diag *d);
/* After that: writes it, without sums, to zeroed memory of that size aligned to 8. */
void compiled_write_image(Compiled *c, uint8_t *to);

typedef struct CompiledObject {
    const char *name;
    bool shared; /* for a shared library, which needs nothing of the program that loads it */
    bool
        borrow; /* the bytes of code and tables stay in the Compiled, which is freed later than they are used */
    LinkSym code; /* result: where the code begins; LINK_NO_SYM: there is none */
} CompiledObject;
/* After compiled_plan_image: defines the module in k, as an object has it: NAME_module, an ImgLinked, which everybody sees, and what it
 * consists of. DIAG_INVALID: it is defined already, nothing has changed. */
bool compiled_link(Compiled *c, Linkable *k, CompiledObject *o, Diag *d);
/* The C header for such an object. DIAG_UNSUPPORTED: an import has a name that C cannot give. */
bool compiled_header(Compiled *c, const char *name, StrBuf *out, Diag *d);

/* Debugging information of the machine code, one chunk, appended to *o. file: what the module is called; NULL: frames alone. With CompilerConfig.unwind
 * frames can be unwound by it. false: out of memory. */
bool compiled_debug(Compiled *c, const char *file, DwarfOutput *o, Diag *d);

typedef struct CompileStats {
    UnitPhases phases;
    RaStats ra;
    uint64_t operators, machine_insts;
    uint32_t functions, wasm_code_bytes; /* functions with a body */
    uint32_t code_bytes;
    bool cached; /* nothing was compiled: code_bytes alone is set */
} CompileStats;

/* All of this in one step, or from the cache: an image in memory. opt, stats: may be NULL. */
bool compiler_image(Compiler *c, const uint8_t *bytes, size_t size, const UnitOptions *opt,
                    CompileStats *stats, RtBlob *out, Diag *d);

/* ---- engines that compile ---- */
typedef struct EngineConfig {
    RtConfig rt;                  /* hooks are the compiler's, too */
    const WasmFeatures *features; /* the rest as in CompilerConfig */
    uint64_t isa_flags;
    bool verify, keep_source;
    uint64_t stress_seed;
    uint32_t opt_level, threads;
    MachRegalloc regalloc;
    const Cache *cache;
    unsigned publish;
    const char *name;
} EngineConfig;

/* NULL with *d set: as rt_engine_new and compiler_new. */
RtEngine *engine_new(const EngineConfig *cfg, Diag *d);
Compiler *engine_compiler(const RtEngine *e);
/* opt, stats: may be NULL. NULL with *d set. */
RtModule *engine_compile(RtEngine *e, const uint8_t *bytes, size_t size, const UnitOptions *opt,
                         CompileStats *stats, Diag *d);
/* Tells those who are to be told (EngineConfig.publish) of a module that was compiled before: its names. What engine_compile
 * makes has been told of. False: *d. */
bool engine_publish(RtEngine *e, RtModule *m, Diag *d);
/* Would engine_compile accept the module? */
bool engine_validate(RtEngine *e, const uint8_t *bytes, size_t size, Diag *d);
#endif
