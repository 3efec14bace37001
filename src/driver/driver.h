/* driver/driver.h — shared by the subcommands of `cot`. */
#ifndef COT_DRIVER_DRIVER_H
#define COT_DRIVER_DRIVER_H
#include <stdio.h>
#include "compiler/compiler.h"

typedef struct Cli { /* arguments after the subcommand, consumed one by one */
    int argc;
    char **argv;
    int at;
    const char *cmd;
    const char *help;
    bool failed;
} Cli;

/* Next option `name`? Then its value (either --name=value or the next argument) is in *value; for flags value = NULL. */
bool cli_flag(Cli *c, const char *name);
bool cli_value(Cli *c, const char *name, const char **value);
bool cli_is_option(const Cli *c); /* the next argument starts with - and is not "-" alone */
void cli_error(Cli *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
bool cli_u64(Cli *c, const char *what, const char *text, uint64_t *out); /* with optional K, M, G */

typedef struct CommonOpts {
    EngineConfig cfg;
    WasmFeatures features; /* cfg.features points here */
    uint64_t timeout_ms;
    bool features_given;
} CommonOpts;
void common_init(CommonOpts *o);
/* --regalloc=ion|fast? */
bool regalloc_option(Cli *c, MachRegalloc *out);
/* -O0, -O2, --regalloc, -j N, --cpu-features LIST, -W name=value; true if the next argument was one of them. */
bool common_option(Cli *c, CommonOpts *o);
/* For code that does not run here: what it may rely on follows from the options alone. */
CompilerConfig common_compiler(const CommonOpts *o);
extern const char common_help[];

/* Whole file or standard input ("-"); false with a message on stderr. Freed with free(). */
bool read_file(const char *path, uint8_t **bytes, size_t *size);
void report(const Diag *d, const char *file);
void report_trap(const RtTrap *t, const char *file);

/* Compiles, with a progress line on a terminal when it takes long; NULL = reported on stderr. */
RtModule *compile_file(RtEngine *e, const char *file, const uint8_t *bytes, size_t size);

int cmd_bench(int argc, char **argv);
int cmd_compile(int argc, char **argv);
int cmd_regalloc(int argc, char **argv);
int cmd_run(int argc, char **argv);
int cmd_settings(int argc, char **argv);
int cmd_test(int argc, char **argv);
int cmd_validate(int argc, char **argv);
int cmd_wast(int argc, char **argv);
#endif
