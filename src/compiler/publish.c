/* compiler/publish.c — tells unwinders, debuggers and profilers of modules in memory.
 *
 *   unwinder   .eh_frame in a mapping near the code, whose entries name the code by 32-bit distances
 *   gdb        a file in memory: functions, lines, and if they are known frames and variables
 *   jitdump    the functions with their code, into the one file that all modules of a compiler share
 *
 * perf's map is the runtime's (RtConfig.perf_map). What is told is withdrawn when the module goes.
 * Invariants  A module that cannot be described (no memory near its code) is an error, not a silent gap. */
#include <sys/mman.h>
#include "compiler/comp_int.h"
#include "compiler/facts.h"
#include "object/bytes.h"

typedef struct Published {
    Mem mem; /* holds this itself */
    JitGdb *gdb;
    uint8_t *frames; /* mapped */
    size_t frames_mapped;
} Published;

typedef struct Publishing {
    const Compiler *by;
    Published *p;
    const RtModule *m;
    CodeFacts facts;
    const Compiled *c; /* NULL: facts are of the image */
    bool ok;
    Diag *d;
} Publishing;

static void withdraw(void *what) {
    Published *p = what;
    jit_gdb_remove(&p->mem, p->gdb);
    if (p->frames_mapped) {
        jit_withdraw_frames(p->frames);
        munmap(p->frames, p->frames_mapped);
    }
    Mem m = p->mem;
    m.oom = NULL;
    mem_release_all(&m);
}

/* ---- unwinder ---- */
/* Memory that 32-bit distances reach from the code: looked for farther and farther away. */
static uint8_t *map_near(const uint8_t *code, size_t size) {
    for (uint64_t by = 1 << 20; by <= (uint64_t)1 << 30; by *= 2)
        for (int up = 0; up < 2; up++) {
            uintptr_t at = (uintptr_t)code & ~(uintptr_t)(IMG_PAGE - 1);
            void *hint = (void *)(up ? at + by : at - by - (size & ~(size_t)(IMG_PAGE - 1)));
            uint8_t *p =
                mmap(hint, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
            if (p == MAP_FAILED) return NULL;
            int64_t distance = (int64_t)((uintptr_t)p - (uintptr_t)code);
            if (distance > -((int64_t)3 << 29) && distance < (int64_t)3 << 29) return p;
            munmap(p, size);
        }
    return NULL;
}

static bool publish_frames(Publishing *q) {
    Published *p = q->p;
    const uint8_t *code = rt_module_image(q->m)->code;
    VecU32 starts = {0};
    Cfi cfi;
    cfi_init(&cfi, &p->mem, q->by->isa);
    frames_write(&q->facts, &cfi, &starts);
    size_t n = cfi.bytes.n;
    bool ok = true;
    if (n) {
        uint8_t *at = map_near(code, n);
        ok = at != NULL;
        if (ok) {
            memcpy(at, cfi.bytes.p, n);
            for (uint32_t i = 0; i < cfi.sites.n; i++) {
                CfiSite s = cfi.sites.p[i];
                uint64_t by = (uint64_t)((uintptr_t)code + starts.p[s.func]) -
                              (uint64_t)(uintptr_t)(at + s.offset);
                bytes_set(at + s.offset, by, 4);
            }
            mprotect(at, n, PROT_READ);
            p->frames = at;
            p->frames_mapped = n;
            jit_publish_frames(at);
        }
    }
    cfi_free(&cfi);
    vec_free(&p->mem, &starts);
    return ok || diag_msg(q->d, DIAG_OOM, "no memory near the code for its unwinding entries");
}

/* ---- names ---- */
typedef VEC(ObjectCode) Codes;

static const char *name_at(Mem *m, const StrBuf *text) {
    char *s = mem_alloc(m, (size_t)text->n + 1);
    memcpy(s, text->p, (size_t)text->n + 1);
    return s;
}

static void name_functions(Mem *m, const Image *img, Codes *codes) {
    StrBuf text;
    sb_init(&text, m);
    for (uint32_t k = 0; k < img->ncodes; k++) {
        sb_clear(&text);
        img_print_func_name(img, img->h->imported_funcs + k, &text);
        vec_push(m, codes,
                 (ObjectCode){name_at(m, &text), (uintptr_t)img->code + img->codes[k].off,
                              img->codes[k].size});
    }
    sb_free(&text);
}

/* They are the pieces behind those of functions, in the order of types, which share them if they have the same shape. */
static void name_adapters(Mem *m, const Image *img, const CodeFacts *f, Codes *codes) {
    StrBuf text;
    uint32_t k = img->ncodes;
    sb_init(&text, m);
    for (int host = 0; host < 2; host++)
        for (uint32_t t = 0; t < img->ntypes && k < f->pieces.n; t++) {
            const CodePiece *p = &f->pieces.p[k];
            if ((host ? img->types[t].host : img->types[t].entry) != p->off) continue;
            k++;
            sb_clear(&text);
            sb_printf(&text, "%s[type %u]", host ? "host" : "entry", t);
            vec_push(m, codes,
                     (ObjectCode){name_at(m, &text), (uintptr_t)img->code + p->off, p->size});
        }
    sb_free(&text);
}

static void publish_gdb(Publishing *q, const Codes *codes) {
    const Image *img = rt_module_image(q->m);
    Mem *m = &q->p->mem;
    DwarfOutput dwarf;
    dwarf_output_init(&dwarf, m);
    debug_write(&q->facts, q->by->cfg.name ? q->by->cfg.name : "module.wasm", &dwarf);
    dwarf_output_place(&dwarf, (uintptr_t)img->code);
    ObjectMemory what = {.isa = q->by->isa,
                         .address = (uintptr_t)img->code,
                         .size = img->h->code_size,
                         .funcs = codes->p,
                         .nfuncs = codes->n,
                         .local = true,
                         .dwarf = &dwarf};
    q->p->gdb = jit_gdb_add(m, &what);
    dwarf_output_free(&dwarf);
}

static void publish_perf(const Compiler *by, const Codes *codes) {
    Compiler *c = (Compiler *)(uintptr_t)by;
    pthread_mutex_lock(&c->perf_lock);
    for (uint32_t k = 0; k < codes->n; k++)
        jit_perf_code(c->perf, codes->p[k].name, (const uint8_t *)(uintptr_t)codes->p[k].address,
                      (size_t)codes->p[k].size);
    pthread_mutex_unlock(&c->perf_lock);
}

static void publish(void *arg) {
    Publishing *q = arg;
    unsigned what = q->by->cfg.publish;
    const Image *img = rt_module_image(q->m);
    Mem *m = &q->p->mem;
    Codes codes = {0};
    if (q->c)
        facts_of(q->c, m, what & JIT_PUBLISH_GDB, &q->facts);
    else
        facts_of_image(img, q->by->isa, m, &q->facts);
    if (what & (JIT_PUBLISH_GDB | JIT_PUBLISH_JITDUMP)) name_functions(m, img, &codes);
    if (codes.n) name_adapters(m, img, &q->facts, &codes);
    q->ok = true;
    if (what & JIT_PUBLISH_UNWIND) q->ok = publish_frames(q);
    if (q->ok && what & JIT_PUBLISH_GDB) publish_gdb(q, &codes);
    if (q->ok && q->by->perf) publish_perf(q->by, &codes);
    facts_free(&q->facts);
}

bool module_publish(const Compiler *by, RtModule *m, Compiled *c, Diag *d) {
    if (!by->cfg.publish) return true;
    Mem boot;
    mem_init(&boot, by->cfg.hooks);
    Published *p = mem_try_realloc(&boot, NULL, 0, sizeof *p);
    if (!p) return diag_msg(d, DIAG_OOM, "out of memory");
    memset(p, 0, sizeof *p);
    p->mem = boot;
    rt_module_attach(m, p, withdraw);
    Publishing q = {.by = by, .p = p, .m = m, .c = c, .d = d};
    if (!mem_guard(&p->mem, publish, &q)) q.ok = diag_msg(d, DIAG_OOM, "out of memory");
    return q.ok;
}
