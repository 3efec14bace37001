/* Fuzz target: sections of debugging information with any contents. The input is a list of sections: a byte that says which, three
 * bytes of length, contents (the last one may be cut); the first byte of all chooses addresses to look for. What is found by address
 * must be text; what is written of it for machine code must be readable again. */
#include <stdlib.h>
#include "dwarf/native.h"

enum { FUNCS = 128, FUNC = 512, LOC = 8, LOCS = FUNC / LOC, HOMES = 9 };

/* Machine code for addresses up to FUNCS * FUNC: pieces of a function in another order than its source. */
static void write_native(const DwarfInput *in) {
    static DwarfLoc locs[LOCS];
    static DwarfHome homes[HOMES];
    static DwarfCode funcs[FUNCS];
    for (uint32_t i = 0; i < HOMES; i++)
        homes[i] = (DwarfHome){.start = i,
                               .end = FUNC - 16 * i,
                               .local = i + 1 < HOMES ? i : DWARF_CONTEXT,
                               .place = i % 3 ? (int32_t)i : -8 * (int32_t)(i + 1),
                               .constant = i == 1   ? 4
                                           : i == 5 ? 16
                                                    : 0,
                               .bits = {i, i}};
    Mem m;
    mem_init(&m, NULL);
    DwarfLoc *all = mem_alloc(&m, (size_t)FUNCS * sizeof locs);
    for (uint32_t f = 0; f < FUNCS; f++) {
        for (uint32_t i = 0; i < LOCS; i++) {
            uint32_t piece = i ^ (f % 4);
            all[f * LOCS + i] =
                (DwarfLoc){LOC * i + (i != 0), LOC * (i + 1), f * FUNC + LOC * piece};
        }
        funcs[f] = (DwarfCode){.name = {"f", 1},
                               .at = {f / 64, (f % 64) * FUNC, FUNC},
                               .source = f * FUNC,
                               .source_end = (f + 1) * FUNC,
                               .locs = all + f * LOCS,
                               .nlocs = LOCS,
                               .homes = homes,
                               .nhomes = f % 2 ? HOMES : 0};
    }
    DwarfNative n = {.in = in,
                     .file = {"m.wasm", 6},
                     .funcs = funcs,
                     .nfuncs = FUNCS,
                     .context = 15,
                     .frame = 6,
                     .vectors = 17,
                     .memory = 88,
                     .globals = 200,
                     .imported_globals = 1,
                     .nglobals = 4};
    DwarfOutput o;
    dwarf_output_init(&o, &m);
    dwarf_write_native(&n, &o);
    dwarf_output_place(&o, 0x10000);
    DwarfInput again;
    memset(&again, 0, sizeof again);
    size_t size = 0, was = 0;
    for (unsigned s = 0; s < DWARF_SECTION_COUNT; s++) {
        again.s[s] = (DwarfBytes){o.s[s].p, o.s[s].n};
        size += o.s[s].n;
        was += in->s[s].n;
    }
    if (size > (1 << 22) + was * 512) abort();
    Dwarf *w = dwarf_open(&m, &again);
    DwarfPlace p[8];
    for (uint64_t at = 0; at < FUNCS * FUNC / 2; at += 1021)
        (void)dwarf_find(w, 0x10000 + at, p, 8);
    dwarf_free(w);
    dwarf_output_free(&o);
    mem_free(&m, all, (size_t)FUNCS * sizeof locs);
    if (m.live) abort();
}

static void write_places(const DwarfInput *in) {
    Mem m;
    mem_init(&m, NULL);
    DwarfOutput o;
    dwarf_output_init(&o, &m);
    dwarf_write_places(in, &o);
    DwarfInput again;
    memset(&again, 0, sizeof again);
    for (unsigned s = 0; s < DWARF_SECTION_COUNT; s++)
        again.s[s] = (DwarfBytes){o.s[s].p, o.s[s].n};
    Dwarf *w = dwarf_open(&m, &again);
    DwarfPlace p[8];
    for (uint64_t at = 1; at < 0x10000; at += 1021) (void)dwarf_find(w, at, p, 8);
    dwarf_free(w);
    dwarf_output_free(&o);
    if (m.live) abort();
}

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
    write_native(&in);
    write_places(&in);
    for (unsigned s = 0; s < DWARF_SECTION_COUNT; s++) free((void *)(uintptr_t)in.s[s].p);
    return 0;
}
