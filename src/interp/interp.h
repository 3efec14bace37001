/* interp/interp.h — executes functions of the IR, one instruction after the other. The oracle of tests.
 *
 * Functions that passed the verifier are added to a set; calls go to functions of the set by name. What an operator
 * computes is defined in sem/. Addresses are not the host's: a program has a stack of its own and the addresses of
 * functions, all below 2^32; every access is checked, and one outside traps with the code of its memory flags (heap_oob
 * if they say notrap). Memory is little-endian unless flags say otherwise. */
#ifndef COT_INTERP_INTERP_H
#define COT_INTERP_INTERP_H
#include "sem/sem.h"

VEC_TYPEDEF(SemValues, SemValue);

typedef enum InterpStatus {
    INTERP_OK,
    INTERP_TRAP,  /* Interp.trap */
    INTERP_FAULT, /* ended by what has no trap code: debugtrap, a misaligned access that is marked aligned, a callee of
                     another signature; in the Diag */
    INTERP_UNSUPPORTED, /* an opcode or type that has no meaning here: in the Diag */
    INTERP_LIMIT,       /* out of steps or of stack: in the Diag */
} InterpStatus;

typedef struct InterpFrame {
    const ClifFunc *f;
    uint32_t func;   /* number in the set */
    uint32_t values; /* first of its values in Interp.values */
    uint32_t stack;  /* address of its stack slots */
    uint32_t inst;   /* the one to execute; in a caller: the call */
} InterpFrame;
typedef struct InterpFunc {
    const ClifFunc *f;
    uint32_t slots;      /* offset of each stack slot, in Interp.slot_offsets */
    uint32_t frame_size; /* bytes of all slots */
    uint32_t align;      /* of the frame */
} InterpFunc;

typedef struct InterpData {
    ClifName name;
    uint32_t address;
} InterpData;

typedef struct Interp {
    Mem *mem;
    VEC(InterpFunc) funcs;
    VecU32 slot_offsets;
    HashMap by_name;
    VEC(InterpData) data;
    VEC(InterpFrame) frames;
    SemValues values; /* of all active functions */
    SemValues args;   /* scratch: what is passed at a call or return */
    SemValues moves;  /* scratch: what is passed at a jump */
    VecU32 way;       /* scratch: global values from the one asked for to its base */
    VecU8 stack;
    uint32_t sp;
    SemValue pinned;
    uint64_t steps, max_steps; /* 0 = no limit */
    ClifTrap trap;
    uint32_t trap_func, trap_inst; /* where */
    Diag *d;
} Interp;

void interp_init(Interp *it, Mem *m);
void interp_free(Interp *it);
/* Adds a verified function, which must stay as it is; returns its number. The first of a name is the one called. */
uint32_t interp_add(Interp *it, const ClifFunc *f);
uint32_t interp_find(const Interp *it, const ClifFunc *f,
                     ClifName name); /* CLIF_NONE if absent; f: whose name */
/* The symbol, named by numbers, stands for that address of the stack. */
void interp_place(Interp *it, ClifName name, uint32_t address);
/* Runs function `func`; the arguments have the types of its signature. Results are appended to *results. */
InterpStatus interp_call(Interp *it, uint32_t func, const SemValue *args, uint32_t n,
                         SemValues *results, Diag *d);
#endif
