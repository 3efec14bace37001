/* precompiled.c — runs a precompiled module as a program, with a library that has no compiler:
 *
 *     cot compile program.wasm -o program.cwasm
 *     cc precompiled.c $(pkg-config --cflags --libs cotrt) -o precompiled
 *     ./precompiled program.cwasm ARGUMENTS…
 */
#include <cot/wasi.h>
#include <stdio.h>
#include <stdlib.h>

static int fail(const char *what, const CotError *e) {
    fprintf(stderr, "%s: %s\n", what, e->message);
    return 1;
}

int main(int argc, char **argv) {
    CotError e;
    if (argc < 2) {
        fputs("usage: precompiled FILE.cwasm ARGUMENTS...\n", stderr);
        return 1;
    }
    CotEngine *engine = cot_engine_new(NULL, &e);
    CotModule *module = engine ? cot_module_deserialize_file(engine, argv[1], &e) : NULL;
    if (!module) return fail(argv[1], &e);

    CotWasiConfig *config = cot_wasi_config_new();
    for (int i = 1; i < argc; i++) cot_wasi_config_arg(config, argv[i]);
    CotWasi *wasi = cot_wasi_new(engine, config, &e);
    CotStore *store = cot_store_new(engine, &e);
    CotLinker *linker = cot_linker_new(store, &e);
    if (!wasi || !store || !linker) return fail("start", &e);
    cot_linker_define_wasi(linker, wasi);

    int status = 1;
    CotInstance *instance = cot_linker_instantiate(linker, module, &e);
    CotFunc *start = instance ? cot_instance_func(instance, "_start") : NULL;
    if (!instance) {
        fail(argv[1], &e);
    } else if (!start) {
        fprintf(stderr, "%s: exports no function _start\n", argv[1]);
    } else {
        CotStatus s = cot_func_call(start, NULL, 0, NULL, 0, &e);
        status = s == COT_OK ? 0 : s == COT_EXIT ? cot_store_exit_code(store) : 134;
        if (s == COT_TRAP) {
            char text[2000];
            cot_trap_print(cot_store_trap(store), text, sizeof text);
            fprintf(stderr, "trap: %s\n%s", e.message, text);
        }
    }
    cot_linker_free(linker);
    cot_store_free(store);
    cot_wasi_free(wasi);
    cot_wasi_config_free(config);
    cot_module_free(module);
    cot_engine_free(engine);
    return status;
}
