/* compiler/header_names.c — identifiers of C for what a module imports and exports.
 *
 * Idea        What is no letter, digit or _ is written as _ and two hexadecimal digits. The later one of two that come to the same, or
 *             to a name that the header has itself, gets underscores behind. Every identifier is used with NAME_ before it, so
 *             none is a keyword.
 * Invariants  Identifiers depend on the names and their order alone; all that the header declares are different.
 * Cost        linear, but for names that come to the same. */
#include "base/hashmap.h"
#include "compiler/comp_int.h"

typedef struct Namer {
    HeaderNames *to;
    Mem *mem;
    const WasmModule *m;
    HashMap taken; /* hash of a name -> 1 */
    StrBuf key;
} Namer;

static void put_identifier(StrBuf *to, WasmStr s) {
    for (uint32_t i = 0; i < s.n; i++) {
        uint8_t c = (uint8_t)s.p[i];
        bool plain =
            (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
        if (plain)
            sb_putc(to, (char)c);
        else
            sb_printf(to, "_%02x", c);
    }
}

/* Is prefix and what begins at `at` a name already? Else, and if `take`, it is one now. */
static bool taken(Namer *h, const char *prefix, uint32_t at, bool take) {
    sb_clear(&h->key);
    sb_puts(&h->key, prefix);
    sb_putn(&h->key, h->to->text.p + at, h->to->text.n - at);
    uint64_t key = hash_bytes(h->key.p, h->key.n, 0);
    if (hashmap_find(&h->taken, key)) return true;
    if (take) hashmap_set(h->mem, &h->taken, key, 1);
    return false;
}

/* An identifier that is new with each of the two prefixes. */
static void name_one(Namer *h, const char *prefix, const char *other, const WasmStr *module,
                     WasmStr field) {
    uint32_t at = h->to->text.n;
    if (module) {
        put_identifier(&h->to->text, *module);
        sb_putc(&h->to->text, '_');
    }
    put_identifier(&h->to->text, field);
    while (taken(h, prefix, at, false) || taken(h, other, at, false)) sb_putc(&h->to->text, '_');
    taken(h, prefix, at, true);
    taken(h, other, at, true);
    sb_putc(&h->to->text, 0);
    vec_push(h->mem, &h->to->at, at);
}

/* Prefixes as in the header: of members of structures `.` and their kind; of functions what is before the identifier. A prefix is
 * part of the name, so that an export get_x meets the global x. */
static void name_all(Namer *h) {
    static const char *const own[] = {"new", "load", "imports", "instance", "module"};
    for (size_t k = 0; k < sizeof own / sizeof *own; k++)
        hashmap_set(h->mem, &h->taken, hash_bytes(own[k], strlen(own[k]), 0), 1);
    for (uint32_t i = 0; i < h->m->imports.n; i++) {
        const WasmImport *im = &h->m->imports.p[i];
        bool func = im->kind == WASM_EXT_FUNC;
        name_one(h, func ? "import_" : ".", func ? "bridge_" : ".", &im->module, im->name);
    }
    for (uint32_t i = 0; i < h->m->exports.n; i++) {
        const WasmExport *e = &h->m->exports.p[i];
        static const char *const prefixes[][2] = {[WASM_EXT_FUNC] = {"", ".func"},
                                                  [WASM_EXT_TABLE] = {".table", ".table"},
                                                  [WASM_EXT_MEMORY] = {"data_", "size_"},
                                                  [WASM_EXT_GLOBAL] = {"get_", "set_"}};
        name_one(h, prefixes[e->kind][0], prefixes[e->kind][1], NULL, e->name);
    }
}

void header_names(HeaderNames *to, Mem *mem, const WasmModule *m) {
    Namer n = {.to = to, .mem = mem, .m = m};
    memset(to, 0, sizeof *to);
    sb_init(&to->text, mem);
    sb_init(&n.key, mem);
    name_all(&n);
    hashmap_free(mem, &n.taken);
    sb_free(&n.key);
}
