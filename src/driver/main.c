/* driver/main.c — the `cot` command: picks the subcommand; what cannot be printed is an error, and so is a want of memory. */
#include <errno.h>
#include <stdlib.h>
#include "compiler/pages.h"
#include "driver/driver.h"

typedef struct Command {
    const char *name;
    int (*run)(int, char **);
    const char *what;
} Command;
static const Command commands[] = {
    {"run", cmd_run, "compile a module and run it as a WASI program"},
    {"compile", cmd_compile, "make programs, objects and precompiled modules; print stages"},
    {"validate", cmd_validate, "check that modules are valid"},
    {"bench", cmd_bench, "measure compile and run times of a module"},
    {"objdump", cmd_objdump, "print machine code as assembly"},
    {"regalloc", cmd_regalloc, "allocate registers for problems written as text"},
    {"addr2line", cmd_addr2line, "tell where in the source offsets of a module come from"},
    {"settings", cmd_settings, "list the settings of code generation"},
    {"test", cmd_test, "run .clif test files"},
    {"wast", cmd_wast, "run WebAssembly spec test scripts"},
};

static void usage(FILE *to) {
    fputs("usage: cot COMMAND ...\n\ncommands:\n", to);
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
        fprintf(to, "  %-10s %s\n", commands[i].name, commands[i].what);
    fputs("\n`cot COMMAND --help` tells a command's options. `cot --version` prints the version.\n",
          to);
}

static int run(int argc, char **argv) {
    if (argc >= 2 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)) {
        usage(stdout);
        return 0;
    }
    if (argc >= 2 && strcmp(argv[1], "--version") == 0) {
        puts("cot 0.1.0");
        return 0;
    }
    for (size_t i = 0; argc >= 2 && i < sizeof commands / sizeof *commands; i++)
        if (strcmp(argv[1], commands[i].name) == 0) return commands[i].run(argc - 2, argv + 2);
    if (argc >= 2) fprintf(stderr, "cot: error: unknown command '%s'\n", argv[1]);
    usage(stderr);
    return 1;
}

static jmp_buf memory_is_out;

void command_mem(Mem *m) {
    mem_init(m, &pages_hooks);
    m->oom = &memory_is_out;
}

static int run_or_give_up(int argc, char **argv) {
    if (!setjmp(memory_is_out)) return run(argc, argv);
    fputs("cot: error: out of memory\n", stderr);
    return 1;
}

int main(int argc, char **argv) {
    int status = run_or_give_up(argc, argv);
    bool lost = ferror(stdout) != 0;
    if (fflush(stdout) != 0 || lost) { /* what was printed did not arrive: that is a failure */
        fprintf(stderr, "cot: error: cannot write to standard output: %s\n", strerror(errno));
        if (status == 0) status = 1;
    }
    return status;
}
