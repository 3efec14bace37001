/* driver/objdump.c — `cot objdump`, and `cot compile --emit asm`, which is the same for files that are to be compiled.
 *
 * Idea        Whatever the file is, it becomes an image or a Linkable: a WebAssembly module and a CLIF text by compiling them, a
 *             precompiled module by a look at it, a program by putting the module's tables and code together again, whose sections
 *             say where they are. Other ELF files are list_elf.c's. */
#include <fnmatch.h>
#include <stdlib.h>
#include "driver/compile.h"
#include "driver/listing.h"
#include "object/bytes.h"

static const char help[] =
    "usage: cot objdump [OPTIONS] FILE\n"
    "Prints the machine code of FILE as assembly: of a WebAssembly module or a CLIF text, which "
    "are "
    "compiled first;\n"
    "of a precompiled module; of a program, object or library, if it names its functions. Each "
    "instruction has its "
    "address, "
    "its bytes, and\n"
    "behind it the trap that it may cause, or what the place is that it names; above it where it "
    "comes from: the\n"
    "operator in the WebAssembly module and, with debugging information, the place in the "
    "source.\n\n";
static const char clif_help[] =
    "  --target TARGET        of a CLIF text, such as x86_64-linux (default: this machine)\n"
    "  --set NAME[=VALUE]     of a CLIF text: a setting or processor feature; may be repeated\n";

static int list_wasm(CompileOpts *o) {
    Diag d;
    diag_clear(&d);
    o->common.cfg.keep_source = true;
    CompilerConfig cfg = common_compiler(&o->common, o->stage == STAGE_ASM);
    Compiler *c = compiler_new(&cfg, &d);
    RtBlob blob;
    bool ok = c && compiler_image(c, o->bytes, o->size, NULL, NULL, &blob, &d);
    if (ok) {
        Image img;
        img_view(&img, blob.base);
        list_image(&img, o->bytes, o->size, o->wanted);
        rt_blob_free(&blob);
    } else {
        report(&d, o->file);
    }
    compiler_free(c);
    return ok && wanted_end(o->wanted, o->file) ? 0 : 1;
}

/* An image that may be for another processor, and whose sums are nobody's business here. */
static int list_bytes(CompileOpts *o, uint8_t *bytes, size_t size) {
    Diag d;
    Image img;
    diag_clear(&d);
    if (size >= sizeof(ImgHeader)) ((ImgHeader *)(void *)bytes)->cpu = 0;
    if (!img_open(&img, bytes, size, IMG_CHECKED, &d)) {
        report(&d, o->file);
        return 1;
    }
    list_image(&img, NULL, 0, o->wanted);
    return wanted_end(o->wanted, o->file) ? 0 : 1;
}

/* ---- programs ---- */
typedef struct Span {
    const uint8_t *p;
    uint64_t n;
} Span;

static bool within(const CompileOpts *o, uint64_t at, uint64_t n) {
    return at <= o->size && n <= o->size - at;
}

/* The contents of a section of the ELF file; n = 0: there is none of that name, or the file is damaged. */
static Span section(const CompileOpts *o, const char *name) {
    enum { ELF = 64, ENTRY = 64 };
    const uint8_t *h = o->bytes;
    Span none = {NULL, 0};
    if (o->size < ELF) return none;
    uint64_t table = bytes_get(h + 40, 8), n = bytes_get(h + 60, 2), names = bytes_get(h + 62, 2);
    if (!within(o, table, n * ENTRY) || names >= n) return none;
    const uint8_t *s = h + table + names * ENTRY;
    uint64_t text = bytes_get(s + 24, 8), text_size = bytes_get(s + 32, 8);
    if (!within(o, text, text_size)) return none;
    for (uint64_t k = 0; k < n; k++) {
        s = h + table + k * ENTRY;
        uint64_t at = bytes_get(s, 4), size = strlen(name) + 1;
        if (at > text_size || size > text_size - at || memcmp(h + text + at, name, size)) continue;
        Span found = {h + bytes_get(s + 24, 8), bytes_get(s + 32, 8)};
        return within(o, bytes_get(s + 24, 8), found.n) ? found : none;
    }
    return none;
}

static int list_program(CompileOpts *o) {
    Span tables = section(o, ".wasm.tables"), code = section(o, ".wasm.text");
    const ImgHeader *h = (const ImgHeader *)(const void *)tables.p;
    ImgHeader header;
    bool ok = tables.n >= sizeof *h && img_has_magic(tables.p, sizeof *h);
    if (ok) memcpy(&header, h, sizeof header);
    if (!ok || header.meta_size > tables.n || header.code_size > code.n ||
        header.code_off < header.meta_size || header.code_off - header.meta_size > IMG_PAGE) {
        if (list_elf(o->bytes, o->size, o->wanted)) return wanted_end(o->wanted, o->file) ? 0 : 1;
        fprintf(stderr, "%s: error: no functions are named in this file\n", o->file);
        return 1;
    }
    size_t size = (size_t)(header.code_off + header.code_size);
    uint8_t *image = calloc(1, size);
    if (!image) {
        fprintf(stderr, "%s: error: out of memory\n", o->file);
        return 1;
    }
    memcpy(image, tables.p, (size_t)header.meta_size);
    memcpy(image + header.code_off, code.p, (size_t)header.code_size);
    int status = list_bytes(o, image, size);
    free(image);
    return status;
}

/* A module that is damaged where its first bytes are should not be called a bad CLIF text. */
static bool is_wasm(const CompileOpts *o) {
    size_t n = strlen(o->file);
    return o->size == 0 || (o->size >= 4 && memcmp(o->bytes, "\0asm", 4) == 0) ||
           (n > 5 && strcmp(o->file + n - 5, ".wasm") == 0);
}

int list_file(CompileOpts *o) {
    if (is_wasm(o)) return list_wasm(o);
    if (o->stage == STAGE_ASM) return list_object(o);
    if (img_has_magic(o->bytes, o->size)) return list_bytes(o, o->bytes, o->size);
    if (o->size >= 4 && memcmp(o->bytes, "\177ELF", 4) == 0) return list_program(o);
    return list_object(o);
}

int cmd_objdump(int argc, char **argv) {
    Cli c = {.argc = argc, .argv = argv, .cmd = "objdump"};
    CompileOpts o = {0};
    Wanted w = {0};
    const char *v;
    o.wanted = &w;
    o.object.debug = true;
    common_init(&o.common);
    o.common.elsewhere = true;
    while (c.at < argc && !c.failed) {
        if (cli_flag(&c, "--help")) {
            printf("%s%s%s%s", help, wanted_help, clif_help, common_help);
            return 0;
        }
        if (!cli_is_option(&c)) {
            if (o.file) cli_error(&c, "one file is needed");
            o.file = argv[c.at++];
        } else if (cli_value(&c, "--target", &v)) {
            o.target = v;
        } else if (cli_value(&c, "--set", &v)) {
            if (o.nset == MOST_SETTINGS)
                cli_error(&c, "--set: too many settings");
            else
                o.set[o.nset++] = v;
        } else if (!wanted_option(&c, &w) && !common_option(&c, &o.common)) {
            cli_error(&c, "unknown option '%s'", argv[c.at]);
        }
    }
    if (!c.failed && !o.file) cli_error(&c, "one file is needed; see `cot objdump --help`");
    common_finish(&c, &o.common);
    if (c.failed || !read_file(o.file, &o.bytes, &o.size)) return 1;
    int status = list_file(&o);
    free(o.bytes);
    return status;
}

/* ---- which functions ---- */
const char wanted_help[] =
    "  --function NAME|NUMBER only this function; * and ? in a name stand for anything; may be "
    "repeated\n";

bool wanted_option(Cli *c, Wanted *w) {
    const char *v;
    if (!cli_value(c, "--function", &v)) return false;
    if (w->n == MOST_WANTED)
        cli_error(c, "--function: too many");
    else
        w->p[w->n++] = v;
    return true;
}

bool wanted_matches(Wanted *w, uint32_t number, const char *name, size_t len) {
    bool yes = w->n == 0;
    char text[1024];
    size_t n = len < sizeof text - 1 ? len : sizeof text - 1;
    memcpy(text, name, n);
    text[n] = 0;
    for (uint32_t k = 0; k < w->n && !yes; k++) {
        char *end;
        unsigned long long x = strtoull(w->p[k], &end, 0);
        yes = end != w->p[k] && !*end ? x == number && number != NO_NUMBER
                                      : len && fnmatch(w->p[k], text, 0) == 0;
    }
    w->found += yes;
    return yes;
}

bool wanted_end(const Wanted *w, const char *file) {
    if (w->found || !w->n) return true;
    fprintf(stderr, "%s: error: no function is called '%s'%s\n", file, w->p[0],
            w->n > 1 ? ", or one of the others" : "");
    return false;
}
