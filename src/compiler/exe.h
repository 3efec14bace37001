/* compiler/exe.h — executables: the runtime program joined with a module. */
#ifndef COT_COMPILER_EXE_H
#define COT_COMPILER_EXE_H
#include "base/blake2b.h"
#include "dwarf/out.h"
#include "runtime/runtime.h"

typedef struct ExeOptions {
    uint64_t max_memory, max_stack; /* 0: default */
    const uint8_t *strings;         /* of ExeSettings (exe/payload.h), with the last NUL */
    size_t strings_size;
    bool names;         /* symbols for the functions */
    DwarfOutput *debug; /* of the module's code; NULL: none. Its bytes are changed. */
} ExeOptions;

/* What executables depend on beside module and options: the runtime program. */
void exe_key(Blake2b *b);
/* Appends the executable's bytes to *out. DIAG_UNSUPPORTED: this build has no runtime program. */
bool exe_make(Mem *m, const Image *image, const ExeOptions *o, VecU8 *out, Diag *d);
#endif
