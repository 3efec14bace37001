/* Fuzz target: a module that validates compiles, with the verifier, the allocator's input check and the checker on every
 * function. The first byte chooses how: processor features, memory and trap style, random allocation. The rest is a module,
 * or the body of a function (i32, i64, f32, f64) -> i64 in a module with a memory, a table, a global and another function. */
#include <stdio.h>
#include <stdlib.h>
#include "mach/isa.h"
#include "module/module.h"

static const uint8_t head[] = {
    0,    'a',  's',  'm',  1,    0,    0,    0,    1,    14, 2,    0x60, 4,
    0x7F, 0x7E, 0x7D, 0x7C, 1,    0x7E, 0x60, 1,    0x7E, 2,  0x7F, 0x7C,       /* types */
    3,    3,    2,    1,    0,                                                  /* functions */
    4,    4,    1,    0x70, 0,    10,                                           /* table */
    5,    3,    1,    0,    1,                                                  /* memory */
    6,    11,   2,    0x7F, 1,    0x41, 0,    0x0B, 0x7E, 0,  0x42, 9,    0x0B, /* globals */
    9,    7,    1,    0,    0x41, 1,    0x0B, 1,    0,                          /* elements */
    12,   1,    1                                                               /* data count */
};
static const uint8_t tail[] = {11, 6, 1, 1, 3, 'x', 'y', 'z'};
/* (i64) -> (i32, f64) */
static const uint8_t other[] = {7, 0, 0x20, 0, 0xA7, 0x20, 0, 0xB9, 0x0B};

static uint8_t *put_length(uint8_t *p, size_t n) { /* three bytes */
    *p++ = (uint8_t)(n | 0x80);
    *p++ = (uint8_t)(n >> 7 | 0x80);
    *p++ = (uint8_t)(n >> 14 & 0x7F);
    return p;
}

/* The bytes of the module to compile, in exactly as much memory. */
static uint8_t *make_module(const uint8_t *data, size_t size, size_t *n) {
    bool whole = size >= 4 && !memcmp(data, head, 4);
    uint8_t *bytes = malloc(size + sizeof head + sizeof other + sizeof tail + 16), *p = bytes;
    if (!whole) {
        memcpy(p, head, sizeof head);
        p += sizeof head;
        *p++ = 10;
        p = put_length(p, 1 + sizeof other + 3 + 1 + size);
        *p++ = 2;
        memcpy(p, other, sizeof other);
        p = put_length(p + sizeof other, 1 + size);
        *p++ = 0; /* no locals */
    }
    if (size) memcpy(p, data, size);
    p += size;
    if (!whole) {
        memcpy(p, tail, sizeof tail);
        p += sizeof tail;
    }
    *n = (size_t)(p - bytes);
    return realloc(bytes, *n ? *n : 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    const IsaVtable *isa = isa_host();
    if (!isa || size == 0 || size > 1 << 20) return 0;
    uint8_t how = data[0];
    size_t n;
    uint8_t *bytes = make_module(data + 1, size - 1, &n);
    MachSettings set = {.isa_flags = how & 1 ? isa->host_flags() : 0,
                        .preserve_frame_pointers = true,
                        .enable_probestack = true,
                        .probestack_size_log2 = 12,
                        .explicit_traps = how >> 1 & 1,
                        .regalloc_checker = true,
                        .verify_input = true,
                        .stress_seed = how >> 4,
                        .regalloc_algorithm = how >> 5 & 1};
    WasmTunables tn = {.mem_style = how >> 2 & 1 ? WASM_MEM_CHECKED : WASM_MEM_STATIC,
                       .explicit_traps = how >> 1 & 1,
                       .interrupt_checks = how >> 3 & 1,
                       .spectre_guards = how >> 3 & 1,
                       .callconv = CLIF_CC_FAST,
                       .host_callconv = CLIF_CC_SYSTEM_V};
    Mem mem;
    mem_init(&mem, NULL);
    Diag d;
    diag_clear(&d);
    WasmModule m;
    WasmFeatures ft = wasm_features_default();
    if (wasm_module_parse(&m, &mem, bytes, n, &ft, &d)) {
        VmLayout lay = wasm_vm_layout(&m);
        CodeUnit u;
        UnitOptions valid = {.threads = 1, .validate_only = true},
                    full = {.threads = 1, .verify = true};
        unit_init(&u, &mem, isa);
        bool ok = unit_compile_wasm(&u, &m, &lay, &tn, &set, &valid, &d);
        unit_free(&u);
        unit_init(&u, &mem, isa);
        diag_clear(&d);
        if (unit_compile_wasm(&u, &m, &lay, &tn, &set, &full, &d) != ok && d.kind != DIAG_LIMIT) {
            fprintf(stderr, "valid: %d, compiled: %d: %s\n", ok, !ok, d.msg);
            abort();
        }
        unit_free(&u);
    }
    wasm_module_free(&m);
    free(bytes);
    if (mem.live) abort();
    return 0;
}
