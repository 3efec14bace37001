/* compiler/facts.h — what debuggers and unwinders are told about a module's machine code: where it comes from, where variables are, how
 * to unwind its frames. Known of a compilation (facts.c), or read from an image that has them (facts_image.c). */
#ifndef COT_COMPILER_FACTS_H
#define COT_COMPILER_FACTS_H
#include "compiler/compiler.h"
#include "dwarf/native.h"
#include "image/codemap.h"
#include "object/cfi.h"

typedef struct CodePiece { /* code of a function or an adapter */
    uint32_t off, size;
    uint32_t first, n; /* its steps, in CodeFacts.unwind */
} CodePiece;

typedef struct CodeFacts {
    Mem *mem;
    const IsaVtable *isa;
    DwarfInput source;    /* the module's own debugging information */
    uint32_t source_base; /* where it counts addresses from, in the module */
    uint32_t imported_globals, nglobals;
    VmLayout layout;
    VEC(DwarfCode) funcs; /* one chunk of code */
    VEC(DwarfLoc) locs;
    VEC(DwarfHome) homes;
    uint32_t given_locs, given_homes; /* to functions that there are */
    VEC(CodePiece) pieces;            /* functions, then adapters; by place */
    VEC(MachUnwind) unwind;           /* offsets count from the piece's start */
} CodeFacts;

/* All of these may leave through the Mem. */
/* sources: not only how to unwind, but functions, where they come from, and variables. */
void facts_of(const Compiled *c, Mem *m, bool sources, CodeFacts *f);
/* Of an image without facts: functions and where they come from. */
void facts_of_image(const Image *img, const IsaVtable *isa, Mem *m, CodeFacts *f);
void facts_free(CodeFacts *f);
/* The locs of one function after the other. */
typedef struct FactsLocs {
    CodemapWalk walk;
    bool more;
} FactsLocs;
void facts_begin_locs(FactsLocs *l, const Codemap *map);
void facts_add_locs(CodeFacts *f, FactsLocs *l, uint32_t off, uint32_t size);
/* The next function's locs and homes are those that were added since the last one; when all are there, facts_end. */
void facts_add_func(CodeFacts *f, DwarfCode x);
void facts_end(CodeFacts *f);

/* As an image has them. */
void facts_put(const CodeFacts *f, VecU8 *to);

/* debug.c */
/* Unwinding entries of all code; site k's function begins at starts[its func]. */
void frames_write(const CodeFacts *f, Cfi *cfi, VecU32 *starts);
void debug_write(const CodeFacts *f, const char *file, DwarfOutput *o);
#endif
