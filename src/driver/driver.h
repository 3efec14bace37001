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
    bool features_given, cpu_given;
    bool elsewhere; /* set by commands whose code may be for another processor */
    Cache cache;    /* cfg.cache points here, if one was asked for */
    const char *cache_dir;
    uint64_t cache_most;
} CommonOpts;
void common_init(CommonOpts *o);
/* --regalloc=ion|fast? */
bool regalloc_option(Cli *c, MachRegalloc *out);
/* -O0, -O2, --regalloc, -j N, --cpu-features LIST, --cache DIR, -W name=value; true if the next argument was one of them. */
bool common_option(Cli *c, CommonOpts *o);
/* After all options: opens the cache. */
void common_finish(Cli *c, CommonOpts *o);
/* For code that does not run here: what it may rely on follows from the options alone. for_file: without --cpu-features,
 * what the preset x86-64-v2 has. */
CompilerConfig common_compiler(const CommonOpts *o, bool for_file);
extern const char common_help[];
/* --gdb, --perf, --unwind, of commands that run what they compile; true if the next argument was one of them. */
bool publish_option(Cli *c, CommonOpts *o);
extern const char publish_help[];

/* For the thread that main runs on: when memory is out, the command ends with a message and status 1. */
void command_mem(Mem *m);

/* Whole file or standard input ("-"); false with a message on stderr. Freed with free(). */
bool read_file(const char *path, uint8_t **bytes, size_t *size);
void report(const Diag *d, const char *file);
void report_trap(const RtTrap *t, const char *file);

/* load.c: a module from a file, WebAssembly or precompiled (- = standard input). */
typedef struct Source {
    const char *file;
    int fd;         /* of a precompiled module that can be mapped; else -1 */
    uint8_t *bytes; /* else the whole file; NULL: in fd */
    size_t size;
} Source;
/* precompiled: one is accepted whatever the file is called. False: reported on stderr. */
bool source_open(Source *s, const char *file, bool precompiled);
void source_close(Source *s);
/* Compiles or maps; with a progress line on a terminal when it takes long. stats may be NULL. NULL = reported on stderr. */
RtModule *source_load(const Source *s, RtEngine *e, CompileStats *stats);

int cmd_addr2line(int argc, char **argv);
int cmd_bench(int argc, char **argv);
int cmd_compile(int argc, char **argv);
int cmd_objdump(int argc, char **argv);
int cmd_regalloc(int argc, char **argv);
int cmd_run(int argc, char **argv);
int cmd_settings(int argc, char **argv);
int cmd_test(int argc, char **argv);
int cmd_validate(int argc, char **argv);
int cmd_wast(int argc, char **argv);
#endif
