/* wasm/debug.c — the debugging sections of a module. */
#include "wasm/wasm.h"

bool wasm_debug_sections(const WasmModule *m, DwarfInput *out) {
    memset(out, 0, sizeof *out);
    for (uint32_t i = 0; i < m->customs.n; i++) {
        const WasmCustom *c = &m->customs.p[i];
        DwarfSection s = dwarf_section_named(c->name.p, c->name.n);
        if (s != DWARF_SECTION_COUNT && !out->s[s].p)
            out->s[s] = (DwarfBytes){m->bytes + c->off, c->len};
    }
    return out->s[DWARF_INFO].n != 0;
}
