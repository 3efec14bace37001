/* driver/addr2line.c — `cot addr2line`: offsets in a module, as backtraces and messages tell them, to places in its source. */
#include <stdlib.h>
#include "driver/driver.h"

static const char help[] =
    "usage: cot addr2line FILE [OFFSET...]\n"
    "Tells for each OFFSET (decimal or 0x...; without any, one per line of standard input) in the "
    "module FILE which\n"
    "function contains it and, if the module has debugging information, file, line and column of "
    "the source; calls\n"
    "that were inlined follow one per line, innermost first.\n";

typedef struct Module {
    Mem mem;
    WasmModule m;
    Dwarf *w; /* NULL: nothing is known of the source */
} Module;

/* The function whose body contains the offset, or UINT32_MAX. Bodies lie in index order. */
static uint32_t func_at(const WasmModule *m, uint64_t offset) {
    uint32_t lo = m->num_imported_funcs, hi = m->funcs.n;
    while (lo < hi) {
        uint32_t mid = lo + (hi - lo) / 2;
        if (m->funcs.p[mid].body_off + (uint64_t)m->funcs.p[mid].body_len <= offset)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo < m->funcs.n && offset >= m->funcs.p[lo].body_off ? lo : UINT32_MAX;
}

static void tell(Module *q, uint64_t offset) {
    enum { MOST = 32 };
    DwarfPlace p[MOST];
    StrBuf sb;
    sb_init(&sb, &q->mem);
    sb_printf(&sb, "0x%llx: ", (unsigned long long)offset);
    uint32_t f = func_at(&q->m, offset), n = 0;
    if (q->w && offset >= q->m.code_off) n = dwarf_find(q->w, offset - q->m.code_off, p, MOST);
    for (uint32_t i = 0; i < n; i++) {
        if (i) sb_puts(&sb, "\n    inlined into ");
        if (p[i].function.n || f == UINT32_MAX)
            dwarf_put_text(p[i].function, &sb);
        else
            wasm_print_func_name(&q->m, f, &sb);
        sb_puts(&sb, " at ");
        dwarf_put_position(&p[i], &sb);
    }
    if (!n && f != UINT32_MAX) wasm_print_func_name(&q->m, f, &sb);
    if (!n && f == UINT32_MAX) sb_puts(&sb, "no function");
    puts(sb_cstr(&sb));
    sb_free(&sb);
}

static bool tell_all(Cli *c, Module *q) {
    uint64_t offset;
    for (int k = c->at + 1; k < c->argc; k++) {
        if (!cli_u64(c, "OFFSET", c->argv[k], &offset)) return false;
        tell(q, offset);
    }
    char line[64];
    while (c->at + 1 == c->argc && fgets(line, sizeof line, stdin)) {
        line[strcspn(line, "\r\n")] = 0;
        if (!cli_u64(c, "OFFSET", line, &offset)) return false;
        tell(q, offset);
    }
    return true;
}

int cmd_addr2line(int argc, char **argv) {
    Cli c = {.argc = argc, .argv = argv, .cmd = "addr2line"};
    if (cli_flag(&c, "--help")) {
        fputs(help, stdout);
        return 0;
    }
    if (c.at >= argc || cli_is_option(&c))
        cli_error(&c, "a file is needed; see `cot addr2line --help`");
    uint8_t *bytes;
    size_t size;
    if (c.failed || !read_file(argv[c.at], &bytes, &size)) return 1;
    Module q;
    Diag d;
    diag_clear(&d);
    command_mem(&q.mem);
    WasmFeatures features = wasm_features_default();
    DwarfInput in;
    bool ok = wasm_module_parse(&q.m, &q.mem, bytes, size, &features, &d);
    if (!ok) report(&d, argv[c.at]);
    q.w = ok && wasm_debug_sections(&q.m, &in) ? dwarf_open(&q.mem, &in) : NULL;
    ok = ok && tell_all(&c, &q);
    mem_release_all(&q.mem);
    free(bytes);
    return ok ? 0 : 1;
}
