/* compiler/exe.c — see exe.h; exe/payload.h says what is joined. */
#include "compiler/exe.h"
#include "exe/payload.h"
#include "object/join.h"

/* The runtime program, made by the build; size 0: it cannot be built for this system. */
extern const uint8_t exe_runtime[];
extern const uint32_t exe_runtime_size;

static size_t pages(size_t n) {
    return (n + IMG_PAGE - 1) / IMG_PAGE * IMG_PAGE;
}

typedef VEC(JoinName) Names;

static void name_functions(Mem *m, const Image *img, Names *names) {
    for (uint32_t k = 0; k < img->ncodes; k++) {
        uint32_t f = img->h->imported_funcs + k;
        WasmStr s = f < img->nnames ? img_str(img, img->names[f]) : (WasmStr){NULL, 0};
        const char *nul = s.p ? memchr(s.p, 0, s.n) : NULL;
        if (nul) s.n = (uint32_t)(nul - s.p);
        if (s.n) vec_push(m, names, (JoinName){s.p, s.n, 1, img->codes[k].off, img->codes[k].size});
    }
}

void exe_key(Blake2b *b) {
    blake2b_number(b, exe_runtime_size);
    blake2b_add(b, exe_runtime, exe_runtime_size);
}

static void place_debug(Join *j, void *debug) {
    dwarf_output_place(debug, j->parts[1].address);
}

/* Tables, then settings. The slots' distance from the code is that of an image: the next page behind it. */
bool exe_make(Mem *m, const Image *img, const ExeOptions *o, VecU8 *out, Diag *d) {
    if (!exe_runtime_size)
        return diag_msg(d, DIAG_UNSUPPORTED, "this build of cot has no runtime for executables");
    static const uint8_t slots[IMG_PAGE];
    const ImgHeader *h = img->h;
    VecU8 first = {0};
    Names names = {0};
    ExeSettings s = {o->max_memory, o->max_stack};
    memcpy(vec_extend(m, &first, h->meta_size), h, (size_t)h->meta_size);
    memcpy(vec_extend(m, &first, sizeof s), &s, sizeof s);
    memcpy(vec_extend(m, &first, o->strings_size), o->strings, o->strings_size);
    JoinExtra extras[DWARF_SECTION_COUNT];
    uint32_t nextras = 0;
    for (unsigned k = 0; k < DWARF_SECTION_COUNT && o->debug; k++)
        if (o->debug->s[k].n)
            extras[nextras++] = (JoinExtra){dwarf_section_name[k], o->debug->s[k].p,
                                            o->debug->s[k].n, k == DWARF_STR};
    if (o->names) name_functions(m, img, &names);
    JoinPart parts[3] = {
        {.section = ".wasm.tables", .bytes = first.p, .size = first.n, .memory = first.n},
        {.section = ".wasm.text",
         .bytes = img->code,
         .size = h->code_size,
         .memory = h->code_size,
         .execute = true},
        {.section = ".wasm.slots",
         .bytes = slots,
         .size = IMG_PAGE,
         .memory = IMG_PAGE,
         .write = true}};
    Join j = {.program = exe_runtime,
              .size = exe_runtime_size,
              .payload = EXE_SECTION,
              .parts = parts,
              .nparts = 3,
              .names = names.p,
              .nnames = names.n,
              .placed = o->debug ? place_debug : NULL,
              .user = o->debug,
              .extras = extras,
              .nextras = nextras};
    bool ok = elf_join(m, &j, out, d);
    if (ok) {
        ExePayload at = {parts[0].address, parts[1].address, parts[2].address,
                         parts[0].address + h->meta_size};
        COT_ASSERT(at.slots == at.code + pages((size_t)h->code_size));
        memcpy(out->p + j.payload_at, &at, sizeof at);
    }
    vec_free(m, &first);
    vec_free(m, &names);
    return ok;
}
