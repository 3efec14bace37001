/* sem/sem.h — what each operator of the IR computes: the one definition that interpreter and constant folding share.
 *
 * An operator is an opcode whose results follow from its operands alone: no memory, no control flow, no call. Values
 * are bits of up to 128, with their type; lane 0 is the least significant. Floats are computed in this folder exactly
 * as IEEE 754 says, rounding to nearest even; 32- and 64-bit sums, products, quotients and roots by the host's. */
#ifndef COT_SEM_SEM_H
#define COT_SEM_SEM_H
#include "clif/clif.h"

__extension__ typedef unsigned __int128 SemU128;
__extension__ typedef __int128 SemI128;

typedef struct SemValue {
    uint64_t w[2]; /* little-endian words; bits beyond the type are zero */
    ClifType type;
} SemValue;

typedef enum SemStatus {
    SEM_OK,
    SEM_TRAP, /* the operator traps, with the code in SemArgs.trap */
    SEM_NONE, /* no operator, or a type that has no definition here (wider than 128 bits) */
} SemStatus;

typedef struct SemArgs {
    ClifOp op;
    ClifType ctrl;      /* controlling type */
    const SemValue *in; /* value operands in order */
    uint32_t n;
    uint16_t aux;        /* condition, lane, trap code: the instruction's field */
    uint64_t imm;        /* iconst, f16const, f32const, f64const */
    const uint8_t *wide; /* vconst, f128const, shuffle: bytes */
    uint32_t nwide;
    bool big;      /* bitcast: lanes are laid out big-endian */
    ClifTrap trap; /* out */
} SemArgs;

/* Computes the results (at most two). */
SemStatus sem_eval(SemArgs *a, SemValue out[2]);
/* Operands of an instruction that are not values: aux, imm, wide, big. */
void sem_immediates(const ClifFunc *f, ClifInst i, SemArgs *a);

SemValue sem_int(ClifType t, SemU128 x); /* masked to the type */
SemU128 sem_bits(SemValue v);
SemU128 sem_lane(SemValue v, unsigned i);
bool sem_is_true(SemValue v); /* not zero */
/* The new value in memory of an atomic operation on integers. */
SemValue sem_rmw(ClifRmwOp op, SemValue old, SemValue x);
#endif
