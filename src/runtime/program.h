/* runtime/program.h — a module that is linked into a program and is that program: what it may use, its start, its end. */
#ifndef COT_RUNTIME_PROGRAM_H
#define COT_RUNTIME_PROGRAM_H
#include "runtime/runtime.h"

enum { RT_PROGRAM_TRAPPED = 134 }; /* exit status after a trap */

typedef struct RtProgram {
    RtLinked module;
    uint64_t max_memory, max_stack; /* 0: default */
    /* What it may use unless the environment says otherwise: each a letter and its text with a NUL, up to a NUL letter:
     *     d HOST NUL GUEST   a directory        r the same, read-only
     *     e NAME=VALUE       a variable         i NAME   one of the process's, if it is set; * for all */
    const char *grants;
} RtProgram;

/* Calls `_start`; the exit status. Messages go to standard error, after argv[0]. */
int rt_program_run(const RtProgram *program, int argc, char **argv);
/* "NAME: error: MESSAGE"; the exit status 1. */
int rt_program_fail(const char *name, const char *message);
#endif
