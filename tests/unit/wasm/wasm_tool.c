/* tests/unit/wasm/wasm_tool.c — the front end alone, for scripts: one line per file, "ok FILE" or "KIND FILE: message".
 *   wasm_tool [-v validate only] [-p FUNC print CLIF] [-s checked memories, explicit traps, all checks] [-b N time]
 *             [-c run the verifier on each function] FILE...
 * "@LIST" reads file names from LIST. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include "wasm/wasm.h"
#include "verify/verify.h"

static double now(void) {
    return (double)clock() / CLOCKS_PER_SEC; /* of this process: other load does not count */
}
static int check, only_validate, strict, bench, print_func = -1;
static uint64_t total_ops;
static double total_s;

static void one(const char *name) {
    FILE *f = fopen(name, "rb");
    if (!f) exit((perror(name), 2));
    fseek(f, 0, SEEK_END);
    size_t n = (size_t)ftell(f);
    rewind(f);
    uint8_t *buf = malloc(n ? n : 1);
    if (fread(buf, 1, n, f) != n) exit(2);
    fclose(f);
    static const char *const kinds[] = {"ok",    "malformed", "invalid", "unsupported",
                                        "limit", "link",      "io",      "oom"};
    Mem mem;
    mem_init(&mem, NULL);
    Diag d;
    diag_clear(&d);
    WasmFeatures ft = wasm_features_default();
    WasmModule m;
    ClifFunc fn;
    clif_func_init(&fn, &mem);
    WasmTranslator *t = wasm_translator_new(&mem);
    WasmTunables tn = {strict ? WASM_MEM_CHECKED : WASM_MEM_STATIC,
                       strict,
                       strict,
                       strict,
                       CLIF_CC_FAST,
                       CLIF_CC_SYSTEM_V};
    bool ok = wasm_module_parse(&m, &mem, buf, n, &ft, &d);
    VmLayout lay = ok ? wasm_vm_layout(&m) : (VmLayout){0};
    VerifyCtx vc;
    verify_ctx_init(&vc, &mem, CLIF_I64);
    double best = 1e9;
    uint64_t ops = 0;
    for (int k = 0; ok && k < (bench ? bench : 1); k++) {
        double t0 = now();
        ops = 0;
        for (uint32_t i = m.num_imported_funcs; ok && i < m.funcs.n; i++) {
            ok = wasm_translate_func(t, &m, i, &tn, &lay, only_validate ? NULL : &fn, &d);
            ops += wasm_translator_operators(t);
            if (ok && check && !only_validate && !clif_verify(&vc, &fn, &d)) ok = false;
            if (ok && (int)i == print_func) {
                StrBuf sb;
                sb_init(&sb, &mem);
                clif_print_func(&fn, &sb);
                puts(sb_cstr(&sb));
                sb_free(&sb);
            }
        }
        double s = now() - t0;
        if (s < best) best = s;
    }
    if (ok && bench)
        printf("%s: %llu operators, %.2f ms, %.1f ns each\n", name, (unsigned long long)ops,
               best * 1e3, best / (double)ops * 1e9);
    total_ops += ops;
    total_s += best;
    if (ok)
        printf("ok %s\n", name);
    else
        printf("%s %s: func %d at 0x%llx: %s\n", kinds[d.kind], name, (int)d.func,
               (unsigned long long)d.a, d.msg);
    verify_ctx_free(&vc);
    wasm_translator_free(t);
    clif_func_free(&fn);
    wasm_module_free(&m);
    free(buf);
}

int main(int argc, char **argv) {
    for (int i = 1; i < argc; i++) {
        if (!strcmp(argv[i], "-v"))
            only_validate = 1;
        else if (!strcmp(argv[i], "-c"))
            check = 1;
        else if (!strcmp(argv[i], "-s"))
            strict = 1;
        else if (!strcmp(argv[i], "-b") && i + 1 < argc)
            bench = atoi(argv[++i]);
        else if (!strcmp(argv[i], "-p") && i + 1 < argc)
            print_func = atoi(argv[++i]);
        else if (argv[i][0] == '@') {
            FILE *l = fopen(argv[i] + 1, "r");
            char line[4096];
            while (l && fgets(line, sizeof line, l)) {
                line[strcspn(line, "\n")] = 0;
                one(line);
            }
            if (l) fclose(l);
        } else
            one(argv[i]);
    }
    if (bench)
        printf("total: %llu operators, %.1f ns each\n", (unsigned long long)total_ops,
               total_s / (double)total_ops * 1e9);
    return 0;
}
