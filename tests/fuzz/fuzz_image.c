/* Fuzz target: precompiled modules with broken tables. A few modules are compiled at the start; the input chooses one and says what
 * to write where in its header and tables; the sums are made right again, so that everything behind them is reached. What is
 * still accepted is looked through, described for debuggers, and instantiated (no code of it runs: the code was compiled for other tables). An input that
 * begins as an image does is taken as it is. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "compiler/facts.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Types, imports of every kind, functions, a table, a memory, globals, exports, elements of both kinds, data. */
typedef struct Section {
    uint8_t id, size, bytes[40];
} Section;
#define SECTION(id, ...)                        \
    {                                           \
        id, sizeof((uint8_t[]){__VA_ARGS__}), { \
            __VA_ARGS__                         \
        }                                       \
    }
static const Section rich[] = {SECTION(1, 3, 0x60, 0, 0, 0x60, 2, 0x7F, 0x7E, 1, 0x7C, 0x60, 0, 0),
                               SECTION(2, 4, 1, 'h', 1, 'f', 0, 0, 1, 'h', 1, 't', 1, 0x70, 0, 4, 1,
                                       'h', 1, 'm', 2, 0, 1, 1, 'h', 1, 'g', 3, 0x70, 0),
                               SECTION(3, 3, 0, 1, 2),
                               SECTION(4, 1, 0x70, 0, 10),
                               SECTION(5, 1, 1, 1, 2),
                               SECTION(6, 3, 0x70, 1, 0x23, 0, 0x0B, 0x70, 0, 0xD2, 1, 0x0B, 0x7E,
                                       0, 0x42, 2, 0x42, 3, 0x7C, 0x0B),
                               SECTION(7, 3, 1, 'a', 0, 1, 1, 'b', 0, 2, 1, 'c', 2, 1),
                               SECTION(9, 2, 2, 1, 0x41, 1, 0x0B, 0, 2, 1, 2, 5, 0x70, 3, 0xD0,
                                       0x70, 0x0B, 0xD2, 3, 0x0B, 0x23, 0, 0x0B),
                               SECTION(12, 2),
                               SECTION(10, 3, 2, 0, 0x0B, 11, 0, 0x20, 0, 0x28, 2, 0, 0xB7, 0x9C,
                                       0x0F, 0x00, 0x0B, 2, 0, 0x0B),
                               SECTION(11, 2, 2, 1, 0x41, 0, 0x0B, 3, 'x', 'y', 'z', 1, 1, 'w'),
                               SECTION(0, 11, '.', 'd', 'e', 'b', 'u', 'g', '_', 'i', 'n', 'f', 'o',
                                       8, 0, 0, 0, 4, 0, 0, 0, 0, 0, 4, 1)};

static size_t put_module(uint8_t *to, const Section *s, size_t n) {
    uint8_t *p = to;
    memcpy(p, "\0asm\1\0\0\0", 8);
    p += 8;
    for (; n--; s++) {
        *p++ = s->id;
        *p++ = s->size;
        memcpy(p, s->bytes, s->size);
        p += s->size;
    }
    return (size_t)(p - to);
}

enum { BASES = 3 };
static struct {
    uint8_t *bytes;
    size_t n;
} base[BASES];
static RtEngine *engine;

static void die(const char *what, const Diag *d) {
    fprintf(stderr, "%s: at 0x%llx: %s\n", what, (unsigned long long)d->a, d->msg);
    abort();
}

static void add_base(unsigned k, const uint8_t *wasm, size_t n, bool explicit_checks) {
    Diag d;
    diag_clear(&d);
    Compiler *by = compiler_new(&(CompilerConfig){.threads = 1,
                                                  .no_signals = explicit_checks,
                                                  .interruptible = true,
                                                  .unwind = true,
                                                  .debug = true,
                                                  .keep_source = true,
                                                  .keep_facts = true},
                                &d);
    Compiled *m = by ? compiler_run(by, wasm, n, NULL, &d) : NULL;
    if (!m) die("a module of the fuzz target", &d);
    base[k].n = compiled_plan_image(m, &d);
    base[k].bytes = calloc(1, base[k].n);
    compiled_write_image(m, base[k].bytes);
    compiled_free(m);
    compiler_free(by);
}

static void make_bases(void) {
    Diag d;
    diag_clear(&d);
    engine = engine_new(
        &(EngineConfig){.threads = 1, .rt = {.interruptible = true, .max_memory = 1 << 20}}, &d);
    if (!engine) die("engine", &d);
    uint8_t wasm[600];
    size_t n = put_module(wasm, rich, sizeof rich / sizeof *rich);
    add_base(0, wasm, n, false);
    add_base(1, wasm, n, true);
    add_base(2, wasm, put_module(wasm, NULL, 0), false);
}

static RtHostResult nothing(void *user, RtInstance *caller, RtVal *v) {
    (void)user, (void)caller, (void)v;
    return RT_HOST_OK;
}
static bool resolve(void *user, const RtImport *im, RtExtern *out) {
    Diag d;
    diag_clear(&d);
    switch (im->kind) {
    case WASM_EXT_FUNC: return rt_host_func(user, "", "", nothing, NULL, out);
    case WASM_EXT_TABLE: *out = rt_host_table(user, WASM_FUNCREF, 8, UINT64_MAX, &d); break;
    case WASM_EXT_MEMORY: *out = rt_host_memory(user, 2, UINT64_MAX, &d); break;
    case WASM_EXT_GLOBAL:
        *out = rt_host_global(user, (WasmGlobalType){WASM_FUNCREF, false}, (RtVal){.i64 = 0});
        break;
    }
    return d.kind == DIAG_NONE;
}

/* As debuggers and unwinders are told. */
static void describe(const Image *img, Mem *mem) {
    CodeFacts f;
    DwarfOutput o;
    VecU32 starts = {0};
    Cfi cfi;
    facts_of_image(img, isa_host(), mem, &f);
    dwarf_output_init(&o, mem);
    debug_write(&f, "m", &o);
    dwarf_output_place(&o, 0x10000);
    dwarf_output_free(&o);
    cfi_init(&cfi, mem, isa_host());
    frames_write(&f, &cfi, &starts);
    cfi_free(&cfi);
    vec_free(mem, &starts);
    facts_free(&f);
    if (mem->live) abort();
}

static void look_through(RtModule *m) {
    const Image *img = rt_module_image(m);
    Mem mem;
    StrBuf sb;
    mem_init(&mem, NULL);
    sb_init(&sb, &mem);
    for (uint32_t k = 0; k < img->nfuncs + 2 && k < 100; k++) img_print_func_name(img, k, &sb);
    for (uint32_t at = 0; at < 600; at += 3) {
        img_find_func(img, at);
        img_find_trap(img, at);
        img_find_loc(img, at);
    }
    img_find_func(img, UINT32_MAX);
    img_find_trap(img, UINT32_MAX);
    img_find_loc(img, UINT32_MAX);
    img_find_export(img, "b", 1);
    img_find_export(img, "none", 4);
    sb_free(&sb);
    describe(img, &mem);
    if (img->h->start != IMG_NONE) return;
    Diag d;
    diag_clear(&d);
    RtStore *s = rt_store_new(engine);
    RtInstance *i = rt_instantiate(s, m, resolve, s, &d);
    RtExtern x;
    for (uint32_t k = 0; i && k < img->nexports && k < 100; k++) rt_export_at(i, k, &x);
    rt_store_free(s);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (!engine) make_bases();
    if (size < 1 || size > 1 << 20) return 0;
    uint8_t *p;
    size_t n;
    bool raw = img_has_magic(data, size);
    if (raw) {
        n = size;
        p = malloc(n);
        memcpy(p, data, n);
    } else {
        unsigned k = data[0] % BASES;
        n = base[k].n;
        p = malloc(n);
        memcpy(p, base[k].bytes, n);
        ImgHeader *h = (void *)p;
        size_t room = (size_t)h->meta_size - 32; /* not magic, version, target */
        unsigned edits = 1 + data[0] / BASES % 4;
        for (size_t at = 1; at + 4 <= size && edits--; at += 4) { /* place, how, value */
            size_t to = 32 + ((size_t)data[at] | (size_t)(data[at + 1] & 15) << 8) % room;
            unsigned how = data[at + 1] >> 4;
            uint8_t v = data[at + 2];
            if (how < 8)
                p[to] = v;
            else if (how < 12)
                p[to] = (uint8_t)(p[to] + (int8_t)v % 4);
            else if (to + 4 <= room)
                memset(p + to, v & 1 ? 0xFF : 0, 4);
        }
        if (h->meta_size <= n && h->meta_size >= sizeof *h && h->code_off <= n &&
            h->code_size <= n - h->code_off && h->code_off >= sizeof *h)
            img_set_sums(h, p);
    }
    Diag d;
    RtBlob b;
    diag_clear(&d);
    if (!rt_blob_copy(&b, p, n, &d)) die("blob", &d);
    RtModule *m = rt_module_new(engine, &b, raw ? IMG_VERIFIED : IMG_CHECKED, &d);
    if (!m && d.kind == DIAG_NONE) abort();
    if (m) look_through(m);
    rt_module_free(m);
    free(p);
    return 0;
}
