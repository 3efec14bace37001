/* driver/validate.c — `cot validate`: decode and validate, no code. */
#include <stdlib.h>
#include "driver/driver.h"

static const char help[] =
    "usage: cot validate [OPTIONS] FILE...\n"
    "Checks that each module (- = standard input) is well-formed and valid. Prints nothing for "
    "valid ones; errors go to\n"
    "standard error as FILE:OFFSET: error: ... and make the exit status 1.\n\n";

static bool validate_one(const CommonOpts *o, const char *file) {
    uint8_t *bytes;
    size_t size;
    if (!read_file(file, &bytes, &size)) return false;
    Mem mem;
    command_mem(&mem);
    Diag d;
    diag_clear(&d);
    WasmModule m = {0};
    bool ok = wasm_module_parse(&m, &mem, bytes, size, o->cfg.features, &d);
    if (ok) {
        VmLayout lay = wasm_vm_layout(&m);
        WasmTunables tn = {.callconv = CLIF_CC_FAST, .host_callconv = CLIF_CC_SYSTEM_V};
        WasmTranslator *t = wasm_translator_new(&mem);
        for (uint32_t f = m.num_imported_funcs; ok && f < m.funcs.n; f++)
            ok = wasm_translate_func(t, &m, f, &tn, &lay, NULL, &d);
        wasm_translator_free(t);
    }
    if (!ok) report(&d, file);
    wasm_module_free(&m);
    free(bytes);
    return ok;
}

int cmd_validate(int argc, char **argv) {
    Cli c = {.argc = argc, .argv = argv, .cmd = "validate"};
    CommonOpts o;
    common_init(&o);
    while (cli_is_option(&c) && !c.failed) {
        if (cli_flag(&c, "--help")) {
            printf("%s%s", help, common_help);
            return 0;
        }
        if (!common_option(&c, &o)) cli_error(&c, "unknown option '%s'", c.argv[c.at]);
    }
    if (!c.failed && c.at >= argc) cli_error(&c, "no file given");
    bool ok = !c.failed;
    for (; !c.failed && c.at < argc; c.at++) ok &= validate_one(&o, argv[c.at]);
    return ok ? 0 : 1;
}
