/* driver/compile.c — `cot compile --emit STAGE`: text of one stage of the pipeline on standard output. */
#include <stdlib.h>
#include "driver/driver.h"

static const char help[] =
    "usage: cot compile --emit clif|vcode|asm|timing [OPTIONS] FILE\n"
    "Compiles the module FILE (- = standard input) and prints one stage for every function:\n\n"
    "  --emit clif            the intermediate representation\n"
    "  --emit vcode           machine instructions with virtual registers, then with assigned "
    "ones\n"
    "  --emit asm             machine instructions with assigned registers and inserted moves\n"
    "  --emit timing          seconds per phase, sizes, statistics\n";

typedef enum Stage { STAGE_NONE, STAGE_CLIF, STAGE_VCODE, STAGE_ASM, STAGE_TIMING } Stage;

static Stage stage_of(const char *v) {
    static const char *const names[] = {[STAGE_CLIF] = "clif",
                                        [STAGE_VCODE] = "vcode",
                                        [STAGE_ASM] = "asm",
                                        [STAGE_TIMING] = "timing"};
    for (int s = STAGE_CLIF; s <= STAGE_TIMING; s++)
        if (strcmp(names[s], v) == 0) return (Stage)s;
    return STAGE_NONE;
}

static void print_name(const WasmModule *m, uint32_t func) {
    Mem mem;
    mem_init(&mem, NULL);
    StrBuf sb;
    sb_init(&sb, &mem);
    wasm_print_func_name(m, func, &sb);
    printf("  fell back: function %u: %s\n", func, sb_cstr(&sb));
    sb_free(&sb);
}

static void print_timing(const RtModule *m) {
    const CodeUnit *u = rt_module_unit(m);
    const UnitPhases *p = &u->phases;
    const struct {
        const char *name;
        uint64_t ns;
    } rows[] = {{"parse", p->parse},   {"translate", p->translate},
                {"verify", p->verify}, {"block order", p->order},
                {"lower", p->lower},   {"register allocation", p->regalloc},
                {"check", p->check},   {"emit", p->emit},
                {"link", p->link}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        printf("%-22s %10.6f s\n", rows[i].name, (double)rows[i].ns / 1e9);
    printf("%-22s %10u\n%-22s %10llu\n%-22s %10llu\n%-22s %10u\n", "functions", u->funcs.n,
           "operators", (unsigned long long)u->operators, "machine instructions",
           (unsigned long long)u->machine_insts, "code bytes", u->code.n);
    puts("register allocation:");
#define X(field, what) printf("  %-20s %10u  %s\n", #field, u->ra.field, what);
    RA_STATS(X)
#undef X
    for (uint32_t k = 0; k < u->fell_back.n; k++) print_name(rt_module_wasm(m), u->fell_back.p[k]);
}

int cmd_compile(int argc, char **argv) {
    Cli c = {.argc = argc, .argv = argv, .cmd = "compile"};
    CommonOpts o;
    common_init(&o);
    Stage stage = STAGE_NONE;
    const char *v;
    while (cli_is_option(&c) && !c.failed) {
        if (cli_flag(&c, "--help")) {
            printf("%s%s", help, common_help);
            return 0;
        }
        if (common_option(&c, &o)) continue;
        if (cli_value(&c, "--emit", &v)) {
            stage = stage_of(v);
            if (!stage) cli_error(&c, "--emit: '%s' is not clif, vcode, asm or timing", v);
        } else
            cli_error(&c, "unknown option '%s'", argv[c.at]);
    }
    if (!c.failed && !stage) cli_error(&c, "--emit is missing; see `cot compile --help`");
    if (!c.failed && c.at + 1 != argc) cli_error(&c, "one file is needed");
    if (c.failed) return 1;
    const char *file = argv[c.at];
    uint8_t *bytes;
    size_t size;
    if (!read_file(file, &bytes, &size)) return 1;
    Mem mem;
    mem_init(&mem, NULL);
    StrBuf text;
    sb_init(&text, &mem);
    UnitOptions uo = {.print_to = &text};
    if (stage == STAGE_CLIF)
        uo.print = UNIT_PRINT_CLIF;
    else if (stage == STAGE_VCODE)
        uo.print = UNIT_PRINT_VCODE | UNIT_PRINT_ALLOCATED;
    else if (stage == STAGE_ASM)
        uo.print = UNIT_PRINT_ALLOCATED;
    Diag d;
    diag_clear(&d);
    RtEngine *e = rt_engine_new(&o.cfg, &d);
    RtModule *m = e ? rt_module_new(e, bytes, size, &uo, &d) : NULL;
    if (text.n) fwrite(sb_cstr(&text), 1, text.n, stdout);
    if (m && stage == STAGE_TIMING) print_timing(m);
    if (!m) report(&d, file);
    sb_free(&text);
    rt_module_free(m);
    rt_engine_free(e);
    free(bytes);
    return m ? 0 : 1;
}
