/* image/vmlayout.c — where the variable parts of a VMContext lie (vmctx.h), from a module's counts. */
#include "image/vmctx.h"

static uint32_t place(uint32_t *at, uint32_t align, uint32_t size, uint32_t n) {
    uint32_t here = (*at + align - 1) & ~(align - 1);
    *at = here + size * n;
    return here;
}

VmLayout vm_layout(const VmCounts *n) {
    VmLayout l;
    uint32_t at = VM_OFF_FIRST;
    l.sig_ids = place(&at, 4, 4, n->types);
    l.memories = place(&at, 8, sizeof(VmMemoryRef), n->memories);
    l.tables = place(&at, 8, sizeof(VmTable *), n->tables);
    l.imports = place(&at, 8, sizeof(VmImport), n->imports);
    l.globals = place(&at, 16, 16, n->globals);
    l.funcrefs = place(&at, 16, sizeof(VmFuncRef), n->funcrefs);
    l.size = (at + 15u) & ~15u;
    return l;
}
