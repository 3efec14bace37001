/* driver/compile.h — what `cot compile` was asked for, between its files. */
#ifndef COT_DRIVER_COMPILE_H
#define COT_DRIVER_COMPILE_H
#include "driver/driver.h"
#include "object/object.h"

typedef enum CompileStage {
    STAGE_NONE,
    STAGE_CLIF,
    STAGE_VCODE,
    STAGE_REGALLOC,
    STAGE_ASM,
    STAGE_TIMING,
    STAGE_OBJECT,
    STAGE_SHARED,
    STAGE_CWASM,
    STAGE_EXE,
    STAGE_HEADER,
    STAGE_COUNT
} CompileStage;
enum { MOST_SETTINGS = 64 };

typedef struct CompileOpts {
    CommonOpts common;
    CompileStage stage;
    const char *file, *out, *target, *name;
    uint8_t *bytes; /* of the file */
    size_t size;
    const char *set[MOST_SETTINGS];
    uint32_t nset;
    const char *needed[MOST_SETTINGS];
    ObjectOptions object;
    struct Wanted *wanted; /* of --emit asm */
    uint8_t *
        grants; /* what an executable may use, as ExeSettings has it (exe/payload.h), without the last NUL */
    size_t grants_size;
} CompileOpts;

/* Write the file that o asks for, from CLIF, from Wasm; the exit status. */
int compile_object(CompileOpts *o);
int compile_module(CompileOpts *o);
/* Prints the assembly of what is compiled, or if o->stage is none of any file with machine code. */
int list_file(CompileOpts *o);
int list_object(CompileOpts *o); /* of a CLIF text */
/* --dir, --dir-ro, --env; true if the next argument was one of them. */
bool exe_option(Cli *c, CompileOpts *o);
#endif
