/* compiler/comp_int.h — structures shared by the compiler's files. */
#ifndef COT_COMPILER_COMP_INT_H
#define COT_COMPILER_COMP_INT_H
#include "compiler/compiler.h"
#include "dwarf/out.h"
#include "object/cfi.h"

struct Compiler {
    Mem mem; /* holds the compiler itself */
    CompilerConfig cfg;
    MemHooks hooks; /* what cfg.hooks points to */
    WasmFeatures features;
    Cache cache; /* what cfg.cache points to */
    MachSettings mach;
    WasmTunables tunables;
    const IsaVtable *isa;
    UnitPool pool; /* compile threads' contexts */
    JitPerf *perf; /* files for perf, NULL = none; used under the lock */
    pthread_mutex_t perf_lock;
};

/* Where the parts of an image go (image.c). */
typedef struct ImagePlan {
    uint32_t count[IMG_SECTION_COUNT], off[IMG_SECTION_COUNT];
    uint64_t meta_size, code_off, size;
    uint32_t const_depth;
    VecU32 routines;                      /* slot -> number */
    uint32_t slot_of[CLIF_LIBCALL_COUNT]; /* libcall -> slot + 1; 0 = not used */
    VecU8 facts;
    DwarfOutput places; /* with CompilerConfig.only_places */
} ImagePlan;

struct Compiled {
    const Compiler *by;
    Mem mem; /* holds all of it */
    WasmModule wasm;
    VmLayout layout;
    CodeUnit unit;
    ImagePlan plan;
};

extern const char compiler_source_id[]; /* made by cmake/SourceId.cmake */

/* compiler.c: the image in memory; stats may be NULL */
bool compiled_blob(Compiled *c, CompileStats *stats, RtBlob *out, Diag *d);
/* image.c: may leave through the Mem */
bool image_plan(Compiled *c, Diag *d);
void image_write(const Compiled *c, uint8_t *to);
void image_write_tables(const Compiled *c, uint8_t *to); /* without the code */
/* publish.c. c: what the module was made of, or NULL: then there is what the image has. */
bool module_publish(const Compiler *by, RtModule *m, Compiled *c, Diag *d);
/* object.c, header.c: likewise */
bool object_link(Compiled *c, Linkable *k, CompiledObject *o, Diag *d);
typedef struct HeaderNames {
    StrBuf text; /* identifiers, each with a NUL */
    VecU32 at;   /* per import, then per export: offset of its identifier in text */
} HeaderNames;
void header_names(HeaderNames *to, Mem *mem, const WasmModule *m);
bool header_write(const WasmModule *m, const char *name, StrBuf *out, Diag *d);
#endif
