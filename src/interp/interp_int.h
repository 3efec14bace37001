/* interp/interp_int.h — shared by the files of this folder. */
#ifndef COT_INTERP_INTERP_INT_H
#define COT_INTERP_INTERP_INT_H
#include "interp/interp.h"

enum {
    INTERP_STACK_BASE = 64,      /* addresses below it are nobody's */
    INTERP_STACK_SIZE = 8 << 20, /* end of the stack */
    INTERP_MAX_FRAMES = 100000,
    INTERP_MAX_VALUES = 1 << 24,      /* values of all active functions */
    INTERP_LIBCALL_BASE = 0x30000000, /* likewise of library routine 0 */
    INTERP_CODE_BASE = 0x40000000,    /* address of function 0; each has 16 bytes */
};

InterpStatus interp_trap(Interp *it, ClifTrap t);
InterpStatus interp_fault(Interp *it, const char *what);
InterpStatus interp_unsupported(Interp *it, const char *what);
SemValue interp_value(Interp *it, uint32_t v);                   /* of the running function */
uint32_t interp_function_at(const Interp *it, uint64_t address); /* CLIF_NONE if there is none */
ClifLibCall interp_libcall_at(uint64_t address); /* CLIF_LIBCALL_COUNT if there is none */
/* Loads, stores, atomics, addresses, registers. *is_memory: the opcode is one of these; its results are in out. */
InterpStatus interp_memory(Interp *it, const ClifInstData *d, const SemValue *in, SemValue *out,
                           bool *is_memory);
#endif
