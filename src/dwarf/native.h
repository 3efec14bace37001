/* dwarf/native.h — from a module's debugging information to that of its machine code.
 *
 * The module describes a machine with 32-bit addresses of a memory of its own, with locals and globals; its code addresses are
 * offsets in its code section. What is written describes a process: addresses of machine code, registers, frames, and the
 * module's memory where the process has it. What is needed of the compilation is this header's input. */
#ifndef COT_DWARF_NATIVE_H
#define COT_DWARF_NATIVE_H
#include "dwarf/out.h"

typedef struct
    DwarfLoc { /* this much machine code of a function, from its start on, is of that source address */
    uint32_t start, end, source;
} DwarfLoc;
#define DWARF_CONTEXT UINT32_MAX
typedef struct
    DwarfHome { /* over this much machine code, a local, or the context, is in that place, or a constant */
    uint32_t start, end, local;
    int32_t place;     /* number of a register, or if negative, distance from the frame register */
    uint32_t constant; /* how many bytes it has, at most 16; 0: none */
    uint64_t bits[2];  /* these, zeros behind them */
} DwarfHome;
typedef struct DwarfCode { /* a function */
    DwarfStr name;         /* n = 0: none */
    DwarfPiece at;
    uint32_t source, source_end; /* its body */
    const DwarfLoc *locs;        /* sorted, not overlapping */
    uint32_t nlocs, nhomes;
    const DwarfHome
        *homes; /* sorted by local, then start; n = 0: only the context is known, everywhere */
} DwarfCode;

typedef struct DwarfNative {
    const DwarfInput *in; /* what the module has */
    DwarfStr
        file; /* name of the module, for the case that it has nothing: then lines are offsets in it, */
    uint32_t source_base;   /* which are source addresses and this */
    const DwarfCode *funcs; /* by source address */
    uint32_t nfuncs;
    uint8_t context, frame; /* registers: of the context by convention; that frames are found by */
    uint8_t vectors;        /* registers from this one on hold no addresses */
    /* In the context: a pointer to a pointer to the memory; 16 bytes for each global, its value or, of the first ones, which are
     * imported, a pointer to it. */
    uint32_t memory, globals, imported_globals, nglobals;
} DwarfNative;
/* Appends to the sections, and ends them. False: there is nothing to say. Time is bounded by the size of the input. */
bool dwarf_write_native(const DwarfNative *n, DwarfOutput *o);
#endif
