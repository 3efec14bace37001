/* object/cfi.h — call frame information: how unwinders get from a frame to its caller's, as an .eh_frame section holds it, or for
 * debuggers only .debug_frame. */
#ifndef COT_OBJECT_CFI_H
#define COT_OBJECT_CFI_H
#include "module/linkable.h"

typedef struct
    CfiSite { /* where an entry names its function: 4 bytes, distance from themselves to the function's start, or 8, its address */
    uint32_t offset;
    LinkSym func;
} CfiSite;
typedef struct Cfi {
    Mem *mem;
    const IsaVtable *isa;
    bool absolute; /* as .debug_frame has it; set before the first entry */
    VecU8 bytes;   /* common entry, then one per function */
    VEC(CfiSite) sites;
} Cfi;

void cfi_init(Cfi *c, Mem *m, const IsaVtable *isa);
void cfi_free(Cfi *c);
void cfi_clear(Cfi *c);
/* An entry for a function that has unwinding steps; others get none. */
void cfi_add(Cfi *c, const LinkDef *def);
/* The end mark, for those who read without knowing the size. Not in relocatable objects: linkers join sections. */
void cfi_end(Cfi *c);
#endif
