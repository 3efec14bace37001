/* driver/compile.c — `cot compile`: options; text of one stage of the pipeline on standard output. Files are object.c's. */
#include <stdlib.h>
#include "driver/compile.h"
#include "driver/listing.h"

static const char help[] =
    "usage: cot compile [OPTIONS] FILE -o OUT\n"
    "       cot compile --emit clif|vcode|regalloc|asm|timing [OPTIONS] FILE\n"
    "Compiles FILE (- = standard input), a text in CLIF or a WebAssembly module.\n\n"
    "  -o OUT                 write OUT (- = standard output): a relocatable object, or a shared "
    "library if its name\n"
    "                         ends in .so\n"
    "  --emit obj|shared      what OUT is, whatever its name\n"
    "  -g                     debug information: of a CLIF text its lines; of a WebAssembly module "
    "what it brings,\n"
    "                         for backtraces with lines, gdb and lldb\n"
    "  --target TARGET        such as x86_64-linux (default: this machine)\n"
    "  --set NAME[=VALUE]     a setting or processor feature; `cot settings` lists them\n"
    "  --function-sections    a section for each function\n"
    "  --soname NAME          what a shared library is called by those who need it (default: "
    "OUT's name)\n"
    "  --needed NAME          a library that the shared library needs; may be repeated\n\n"
    "A WebAssembly module becomes a program; or by the end of OUT's name a precompiled module for "
    "`cot run`\n"
    "(.cwasm), an object (.o) or shared library (.so) that defines NAME_module, the C header for "
    "these (.h).\n\n"
    "  --emit exe|cwasm|header\n"
    "                         what else OUT may be, whatever its name\n"
    "  --name NAME            the module's name in C (default: from FILE)\n\n"
    "What a program may use (the environment variables COT_DIRS and COT_ENV replace it at each "
    "start):\n\n"
    "  --dir HOST[::GUEST]    the directory HOST, named GUEST (default: HOST)\n"
    "  --dir-ro HOST[::GUEST] the same, but nothing in it can be changed\n"
    "  --env K=V              an environment variable; K alone: the process's; '*': all of them\n\n"
    "Of a WebAssembly module it also prints one stage for every function:\n\n"
    "  --emit clif            the intermediate representation\n"
    "  --emit vcode           machine instructions with virtual registers, then with assigned "
    "ones\n"
    "  --emit regalloc        input and result of register allocation, which `cot regalloc` reads\n"
    "  --emit asm             assembly, as `cot objdump` prints it; of a CLIF text, too\n"
    "  --emit timing          seconds per phase, sizes, statistics\n";

static const char *const stage_names[] = {
    [STAGE_CLIF] = "clif",     [STAGE_VCODE] = "vcode",   [STAGE_REGALLOC] = "regalloc",
    [STAGE_ASM] = "asm",       [STAGE_TIMING] = "timing", [STAGE_OBJECT] = "obj",
    [STAGE_SHARED] = "shared", [STAGE_CWASM] = "cwasm",   [STAGE_EXE] = "exe",
    [STAGE_HEADER] = "header"};

static CompileStage stage_of(const char *v) {
    for (int s = STAGE_CLIF; s < STAGE_COUNT; s++)
        if (strcmp(stage_names[s], v) == 0) return (CompileStage)s;
    return STAGE_NONE;
}

static void print_name(const WasmModule *m, uint32_t func) {
    Mem mem;
    command_mem(&mem);
    StrBuf sb;
    sb_init(&sb, &mem);
    wasm_print_func_name(m, func, &sb);
    printf("  fell back: function %u: %s\n", func, sb_cstr(&sb));
    sb_free(&sb);
}

static void print_timing(Compiled *c) {
    const CodeUnit *u = compiled_unit(c);
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
    for (uint32_t k = 0; k < u->fell_back.n; k++) print_name(compiled_wasm(c), u->fell_back.p[k]);
}

static int print_stage(const CompileOpts *o) {
    Mem mem;
    command_mem(&mem);
    StrBuf text;
    sb_init(&text, &mem);
    UnitOptions uo = {.print_to = &text};
    if (o->stage == STAGE_CLIF)
        uo.print = UNIT_PRINT_CLIF;
    else if (o->stage == STAGE_VCODE)
        uo.print = UNIT_PRINT_VCODE | UNIT_PRINT_ALLOCATED;
    else if (o->stage == STAGE_REGALLOC)
        uo.print = UNIT_PRINT_REGALLOC;
    Diag d;
    diag_clear(&d);
    CompilerConfig cfg = common_compiler(&o->common, false);
    Compiler *compiler = compiler_new(&cfg, &d);
    Compiled *m = compiler ? compiler_run(compiler, o->bytes, o->size, &uo, &d) : NULL;
    if (text.n) fwrite(sb_cstr(&text), 1, text.n, stdout);
    if (m && o->stage == STAGE_TIMING && compiled_plan_image(m, &d)) print_timing(m);
    if (d.kind) report(&d, o->file);
    sb_free(&text);
    compiled_free(m);
    compiler_free(compiler);
    return d.kind ? 1 : 0;
}

static bool ends_with(const char *s, const char *tail) {
    size_t n = strlen(s), k = strlen(tail);
    return n >= k && strcmp(s + n - k, tail) == 0;
}

static void parse_option(Cli *c, CompileOpts *o) {
    const char *v;
    if (common_option(c, &o->common) || exe_option(c, o) || wanted_option(c, o->wanted)) return;
    if (cli_value(c, "--emit", &v)) {
        o->stage = stage_of(v);
        if (!o->stage)
            cli_error(c,
                      "--emit: '%s' is not clif, vcode, regalloc, asm, timing, obj, shared, cwasm, "
                      "exe or header",
                      v);
    } else if (cli_value(c, "-o", &v)) {
        o->out = v;
    } else if (cli_value(c, "--name", &v)) {
        o->name = v;
    } else if (cli_value(c, "--target", &v)) {
        o->target = v;
    } else if (cli_value(c, "--set", &v)) {
        if (o->nset == MOST_SETTINGS)
            cli_error(c, "--set: too many settings");
        else
            o->set[o->nset++] = v;
    } else if (cli_flag(c, "-g")) {
        o->common.cfg.keep_source = true;
        o->object.debug = true;
    } else if (cli_value(c, "--soname", &v)) {
        o->object.soname = *v ? v : NULL;
    } else if (cli_value(c, "--needed", &v)) {
        if (o->object.nneeded == MOST_SETTINGS)
            cli_error(c, "--needed: too many libraries");
        else
            o->needed[o->object.nneeded++] = v;
    } else if (cli_flag(c, "--function-sections")) {
        o->object.function_sections = o->object.data_sections = true;
    } else {
        cli_error(c, "unknown option '%s'", c->argv[c->at]);
    }
}

static CompileStage stage_by_name(const char *out, bool wasm) {
    if (ends_with(out, ".cwasm")) return STAGE_CWASM;
    if (ends_with(out, ".so")) return STAGE_SHARED;
    return !wasm || ends_with(out, ".o") ? STAGE_OBJECT
           : ends_with(out, ".h")        ? STAGE_HEADER
                                         : STAGE_EXE;
}

int cmd_compile(int argc, char **argv) {
    Cli c = {.argc = argc, .argv = argv, .cmd = "compile"};
    CompileOpts o = {0};
    Wanted w = {0};
    o.wanted = &w;
    common_init(&o.common);
    o.common.elsewhere = true;
    while (c.at < argc && !c.failed) {
        if (cli_flag(&c, "--help")) {
            printf("%s%s%s", help, wanted_help, common_help);
            return 0;
        }
        if (cli_is_option(&c))
            parse_option(&c, &o);
        else if (o.file)
            cli_error(&c, "one file is needed");
        else
            o.file = argv[c.at++];
    }
    if (!c.failed && !o.file) cli_error(&c, "one file is needed");
    if (!c.failed && !o.stage && !o.out)
        cli_error(&c, "neither -o nor --emit is given; see `cot compile --help`");
    common_finish(&c, &o.common);
    if (c.failed || !read_file(o.file, &o.bytes, &o.size)) return 1;
    bool wasm = o.size >= 4 && memcmp(o.bytes, "\0asm", 4) == 0;
    if (!o.stage) o.stage = stage_by_name(o.out, wasm);
    bool file = o.stage >= STAGE_OBJECT;
    if (!file && o.out) cli_error(&c, "--emit %s goes to standard output", stage_names[o.stage]);
    if (file && !o.out) cli_error(&c, "-o is missing");
    if (o.common.cache_dir && !(wasm && file))
        cli_error(&c, "--cache is for files of WebAssembly modules");
    if (wasm && o.nset) cli_error(&c, "--set is for CLIF");
    if (!wasm && o.stage == STAGE_HEADER) cli_error(&c, "--emit header is for WebAssembly");
    if (w.n && o.stage != STAGE_ASM) cli_error(&c, "--function is for --emit asm");
    if (o.grants && o.stage != STAGE_EXE) cli_error(&c, "--dir and --env are for executables");
    int status = c.failed               ? 1
                 : o.stage == STAGE_ASM ? list_file(&o)
                 : !file                ? print_stage(&o)
                 : wasm                 ? compile_module(&o)
                                        : compile_object(&o);
    free(o.bytes);
    free(o.grants);
    return status;
}
