/* wasm/vmlayout.c — where the variable parts of a VMContext lie (vmctx.h), from a module's counts. */
#include "wasm/wasm.h"

static uint32_t place(uint32_t *at, uint32_t align, uint32_t size, uint32_t n) {
    uint32_t here = (*at + align - 1) & ~(align - 1);
    *at = here + size * n;
    return here;
}

VmLayout vm_layout(const WasmModule *m) {
    VmLayout l;
    uint32_t at = VM_OFF_FIRST;
    l.sig_ids = place(&at, 4, 4, m->types.n);
    l.memories = place(&at, 8, sizeof(VmMemoryRef), m->memories.n);
    l.tables = place(&at, 8, sizeof(VmTable *), m->tables.n);
    l.imports = place(&at, 8, sizeof(VmImport), m->num_imported_funcs);
    l.globals = place(&at, 16, 16, m->globals.n);
    l.funcrefs = place(&at, 16, sizeof(VmFuncRef), m->num_funcrefs);
    l.size = (at + 15u) & ~15u;
    return l;
}
