/* rtapi/program.c — a module of an object or library as the program. */
#include "rtapi/rtapi.h"
#include "runtime/program.h"

int cot_main(const CotLinkedModule *l, int argc, char **argv) {
    CotError e;
    if (!api_linked_ok(l, &e)) return rt_program_fail(argc ? argv[0] : "program", e.message);
    RtProgram p = {.module = {l->tables, l->code, l->slots}, .grants = ""};
    return rt_program_run(&p, argc, argv);
}
