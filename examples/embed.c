/* embed.c — a C program that compiles a WebAssembly module and runs it: a host function, a call, a trap with its backtrace, and
 * a start as a WASI program. docs/embedding.md explains it step by step.
 *
 *     cc embed.c $(pkg-config --cflags --libs cot) -o embed && ./embed
 *
 * The module, in text form:
 *
 *   (module
 *     (import "host" "add" (func $add (param i32 i32) (result i32)))
 *     (import "wasi_snapshot_preview1" "fd_write" (func $fd_write (param i32 i32 i32 i32) (result i32)))
 *     (import "wasi_snapshot_preview1" "proc_exit" (func $proc_exit (param i32)))
 *     (memory (export "memory") 1)
 *     (data (i32.const 16) "hello from Wasm\n")
 *     (func $sum (export "sum") (param $n i32) (result i32) (local $s i32)
 *       (loop $again
 *         (local.set $s (call $add (local.get $s) (local.get $n)))
 *         (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
 *       (local.get $s))
 *     (func $divide (param i32 i32) (result i32)
 *       (i32.div_s (local.get 0) (local.get 1)))
 *     (func $average (export "average") (param $n i32) (result i32)
 *       (call $divide (call $sum (local.get $n)) (i32.sub (local.get $n) (i32.const 3))))
 *     (func $_start (export "_start")
 *       (i32.store (i32.const 0) (i32.const 16))
 *       (i32.store (i32.const 4) (i32.const 16))
 *       (drop (call $fd_write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))
 *       (call $proc_exit (i32.const 7))))
 */
#include <stdio.h>
#include <stdlib.h>
#include "cot/wasi.h"

static const unsigned char program[] = {
    0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00, 0x01, 0x1b, 0x05, 0x60, 0x02, 0x7f, 0x7f, 0x01,
    0x7f, 0x60, 0x04, 0x7f, 0x7f, 0x7f, 0x7f, 0x01, 0x7f, 0x60, 0x01, 0x7f, 0x00, 0x60, 0x01, 0x7f,
    0x01, 0x7f, 0x60, 0x00, 0x00, 0x02, 0x51, 0x03, 0x04, 0x68, 0x6f, 0x73, 0x74, 0x03, 0x61, 0x64,
    0x64, 0x00, 0x00, 0x16, 0x77, 0x61, 0x73, 0x69, 0x5f, 0x73, 0x6e, 0x61, 0x70, 0x73, 0x68, 0x6f,
    0x74, 0x5f, 0x70, 0x72, 0x65, 0x76, 0x69, 0x65, 0x77, 0x31, 0x08, 0x66, 0x64, 0x5f, 0x77, 0x72,
    0x69, 0x74, 0x65, 0x00, 0x01, 0x16, 0x77, 0x61, 0x73, 0x69, 0x5f, 0x73, 0x6e, 0x61, 0x70, 0x73,
    0x68, 0x6f, 0x74, 0x5f, 0x70, 0x72, 0x65, 0x76, 0x69, 0x65, 0x77, 0x31, 0x09, 0x70, 0x72, 0x6f,
    0x63, 0x5f, 0x65, 0x78, 0x69, 0x74, 0x00, 0x02, 0x03, 0x05, 0x04, 0x03, 0x00, 0x03, 0x04, 0x05,
    0x03, 0x01, 0x00, 0x01, 0x07, 0x23, 0x04, 0x06, 0x6d, 0x65, 0x6d, 0x6f, 0x72, 0x79, 0x02, 0x00,
    0x03, 0x73, 0x75, 0x6d, 0x00, 0x03, 0x07, 0x61, 0x76, 0x65, 0x72, 0x61, 0x67, 0x65, 0x00, 0x05,
    0x06, 0x5f, 0x73, 0x74, 0x61, 0x72, 0x74, 0x00, 0x06, 0x0a, 0x52, 0x04, 0x1a, 0x01, 0x01, 0x7f,
    0x03, 0x40, 0x20, 0x01, 0x20, 0x00, 0x10, 0x00, 0x21, 0x01, 0x20, 0x00, 0x41, 0x01, 0x6b, 0x22,
    0x00, 0x0d, 0x00, 0x0b, 0x20, 0x01, 0x0b, 0x07, 0x00, 0x20, 0x00, 0x20, 0x01, 0x6d, 0x0b, 0x0d,
    0x00, 0x20, 0x00, 0x10, 0x03, 0x20, 0x00, 0x41, 0x03, 0x6b, 0x10, 0x04, 0x0b, 0x1f, 0x00, 0x41,
    0x00, 0x41, 0x10, 0x36, 0x02, 0x00, 0x41, 0x04, 0x41, 0x10, 0x36, 0x02, 0x00, 0x41, 0x01, 0x41,
    0x00, 0x41, 0x01, 0x41, 0x08, 0x10, 0x01, 0x1a, 0x41, 0x07, 0x10, 0x02, 0x0b, 0x0b, 0x16, 0x01,
    0x00, 0x41, 0x10, 0x0b, 0x10, 0x68, 0x65, 0x6c, 0x6c, 0x6f, 0x20, 0x66, 0x72, 0x6f, 0x6d, 0x20,
    0x57, 0x61, 0x73, 0x6d, 0x0a, 0x00, 0x5c, 0x04, 0x6e, 0x61, 0x6d, 0x65, 0x01, 0x39, 0x07, 0x00,
    0x03, 0x61, 0x64, 0x64, 0x01, 0x08, 0x66, 0x64, 0x5f, 0x77, 0x72, 0x69, 0x74, 0x65, 0x02, 0x09,
    0x70, 0x72, 0x6f, 0x63, 0x5f, 0x65, 0x78, 0x69, 0x74, 0x03, 0x03, 0x73, 0x75, 0x6d, 0x04, 0x06,
    0x64, 0x69, 0x76, 0x69, 0x64, 0x65, 0x05, 0x07, 0x61, 0x76, 0x65, 0x72, 0x61, 0x67, 0x65, 0x06,
    0x06, 0x5f, 0x73, 0x74, 0x61, 0x72, 0x74, 0x02, 0x0e, 0x02, 0x03, 0x02, 0x00, 0x01, 0x6e, 0x01,
    0x01, 0x73, 0x05, 0x01, 0x00, 0x01, 0x6e, 0x03, 0x0a, 0x01, 0x03, 0x01, 0x00, 0x05, 0x61, 0x67,
    0x61, 0x69, 0x6e,
};

static void check(bool ok, const CotError *e) {
    if (ok) return;
    fprintf(stderr, "%s: %s\n", cot_status_name(e->status), e->message);
    exit(1);
}

/* host.add: knows from `user` how often it was called, and refuses sums over 1,000. */
static CotStatus add(void *user, CotCaller *caller, const CotValue *args, CotValue *results) {
    int *calls = user;
    ++*calls;
    int sum = args[0].of.i32 + args[1].of.i32;
    if (sum > 1000) return cot_caller_trap(caller, "the sum is over 1000");
    results[0].of.i32 = sum;
    return COT_OK;
}

static void call(CotInstance *instance, CotStore *store, const char *name, int n) {
    CotError error;
    CotFunc *f = cot_instance_func(instance, name);
    CotValue arg = {.type = COT_I32, .of = {.i32 = n}}, result;
    if (!f) return;
    switch (cot_func_call(f, &arg, 1, &result, 1, &error)) {
    case COT_OK: printf("%s(%d) = %d\n", name, n, result.of.i32); break;
    case COT_TRAP: {
        char text[4096];
        cot_trap_print(cot_store_trap(store), text, sizeof text);
        printf("%s(%d) traps: %s\n%s", name, n, error.message, text);
        break;
    }
    default: printf("%s(%d): %s\n", name, n, error.message); break;
    }
}

int main(void) {
    CotError error;
    int calls = 0;

    CotEngine *engine = cot_engine_new(NULL, &error);
    check(engine != NULL, &error);
    CotModule *module = cot_module_new(engine, program, sizeof program, &error);
    check(module != NULL, &error);
    CotStore *store = cot_store_new(engine, &error);
    check(store != NULL, &error);
    CotLinker *linker = cot_linker_new(store, &error);
    check(linker != NULL, &error);

    /* What the module imports: one function of ours, and WASI with nothing but the standard streams. */
    static const CotType two[] = {COT_I32, COT_I32}, one[] = {COT_I32};
    CotFuncType type = {.params = two, .nparams = 2, .results = one, .nresults = 1};
    CotExtern ours = {.kind = COT_KIND_FUNC};
    ours.of.func = cot_func_new(store, type, add, &calls, &error);
    check(ours.of.func != NULL, &error);
    check(cot_linker_define(linker, "host", "add", ours, &error) == COT_OK, &error);
    CotWasiConfig *config = cot_wasi_config_new();
    if (!config || cot_wasi_config_arg(config, "embed") != COT_OK) return 1;
    CotWasi *wasi = cot_wasi_new(engine, config, &error);
    check(wasi != NULL, &error);
    cot_wasi_config_free(config);
    cot_linker_define_wasi(linker, wasi);

    CotInstance *instance = cot_linker_instantiate(linker, module, &error);
    check(instance != NULL, &error);

    call(instance, store, "sum", 10);
    call(instance, store, "average", 5);
    call(instance, store, "average", 3); /* divides by zero */
    call(instance, store, "sum", 100);   /* the host function traps */
    printf("host.add was called %d times\n", calls);

    /* Memory, from outside. */
    char text[16];
    CotMemory *memory = cot_instance_memory(instance, "memory");
    check(cot_memory_read(memory, 16, text, sizeof text, &error) == COT_OK, &error);
    printf("%llu bytes of memory; at 16: %.15s\n", (unsigned long long)cot_memory_size(memory),
           text);

    /* As a program. */
    fflush(stdout);
    CotStatus status =
        cot_func_call(cot_instance_func(instance, "_start"), NULL, 0, NULL, 0, &error);
    printf("_start: %s, code %d\n", cot_status_name(status), cot_store_exit_code(store));

    cot_linker_free(linker);
    cot_store_free(store);
    cot_wasi_free(wasi);
    cot_module_free(module);
    cot_engine_free(engine);
    return 0;
}
