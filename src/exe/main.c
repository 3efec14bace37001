/* exe/main.c — a program made by `cot compile`: runs the module that was joined with it. */
#include "exe/exe.h"
#include "runtime/program.h"

/* Filled in by joining. */
static const ExePayload payload __attribute__((section(EXE_SECTION), used, aligned(8))) = {0};
extern const char __ehdr_start[];

int exe_main(int argc, char **argv) {
    const ExePayload *where = &payload;
    __asm__("" : "+r"(where)); /* the compiler sees zeros and must not believe them */
    ExePayload at = *where;
    const char *base = __ehdr_start;
    if (!at.tables)
        return rt_program_fail(argc ? argv[0] : "program",
                               "this program has no module; cot compile joins one with it");
    const ExeSettings *s = (const void *)(base + at.settings);
    RtProgram p = {
        .module = {base + at.tables, base + at.code, (void *)(uintptr_t)(base + at.slots)},
        .max_memory = s->max_memory,
        .max_stack = s->max_stack,
        .grants = s->grants};
    return rt_program_run(&p, argc, argv);
}
