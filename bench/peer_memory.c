/* peer_memory LIBRARY FILE: compiles the module FILE with Wasmtime's C library (that of the Python package), Cranelift at speed,
 * on one thread, as bench/peer_wasmtime.py does, but without an interpreter around it, whose memory would count.
 *
 * With FILE "-": only what is there before a module comes. Functions are taken by name, so no header is needed. */
#include <dlfcn.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *library;
static void *get(const char *name) {
    void *p = dlsym(library, name);
    if (!p) {
        fprintf(stderr, "no %s in the library\n", name);
        exit(2);
    }
    return p;
}

int main(int argc, char **argv) {
    if (argc != 3 || !(library = dlopen(argv[1], RTLD_NOW))) {
        fprintf(stderr, "usage: peer_memory LIBRARY FILE\n");
        return 2;
    }
    void *(*config_new)(void) = get("wasm_config_new");
    void (*threads)(void *, bool) = get("wasmtime_config_parallel_compilation_set");
    void *(*engine_new)(void *) = get("wasm_engine_new_with_config");
    void *(*module_new)(void *, const uint8_t *, size_t, void **) = get("wasmtime_module_new");
    void *config = config_new(), *engine, *module = NULL;
    threads(config, false);
    engine = engine_new(config);
    if (!engine) return 2;
    if (!strcmp(argv[2], "-")) return 0;
    FILE *f = fopen(argv[2], "rb");
    if (!f) return 2;
    fseek(f, 0, SEEK_END);
    size_t n = (size_t)ftell(f);
    rewind(f);
    uint8_t *bytes = malloc(n);
    if (!bytes || fread(bytes, 1, n, f) != n) return 2;
    fclose(f);
    return module_new(engine, bytes, n, &module) ? 1 : 0;
}
