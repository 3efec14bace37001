/* Fuzz target: sections of debugging information with any contents. The input is a list of sections: a byte that says which, three
 * bytes of length, contents (the last one may be cut); the first byte of all chooses addresses to look for. */
#include <stdlib.h>
#include "dwarf/dwarf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    DwarfInput in;
    memset(&in, 0, sizeof in);
    uint64_t step = size ? 1 + data[0] : 1;
    for (size_t at = 1; at + 4 <= size;) {
        size_t n = data[at + 1] | (size_t)data[at + 2] << 8 | (size_t)data[at + 3] << 16;
        if (n > size - at - 4) n = size - at - 4;
        DwarfBytes *s = &in.s[data[at] % DWARF_SECTION_COUNT];
        uint8_t *copy = malloc(n ? n : 1); /* exact size: overruns are visible */
        memcpy(copy, data + at + 4, n);
        free((void *)(uintptr_t)s->p);
        *s = (DwarfBytes){copy, n};
        at += 4 + n;
    }
    Mem m;
    mem_init(&m, NULL);
    Dwarf *w = dwarf_open(&m, &in);
    StrBuf sb;
    sb_init(&sb, &m);
    for (unsigned k = 0; k < 16; k++) {
        DwarfPlace p[8];
        uint32_t n = dwarf_find(w, k * step, p, 8);
        for (uint32_t i = 0; i < n; i++) {
            dwarf_put_text(p[i].function, &sb);
            dwarf_put_position(&p[i], &sb);
        }
    }
    sb_free(&sb);
    dwarf_free(w);
    if (m.live) abort();
    for (unsigned s = 0; s < DWARF_SECTION_COUNT; s++) free((void *)(uintptr_t)in.s[s].p);
    return 0;
}
