/* sem/sem_int.h — shared by the files of this folder: operators on one lane. */
#ifndef COT_SEM_SEM_INT_H
#define COT_SEM_SEM_INT_H
#include "sem/sem.h"

static inline SemU128 sem_mask(unsigned bits) {
    return bits >= 128 ? ~(SemU128)0 : ((SemU128)1 << bits) - 1;
}
static inline SemI128 sem_sext(SemU128 x, unsigned bits) {
    return (SemI128)(x << (128 - bits)) >> (128 - bits);
}

/* int.c: lanes are zero-extended. False: the opcode is not one of these. *trap: CLIF_TRAP_NONE unless it traps. */
bool sem_int_unary(ClifOp op, SemU128 x, unsigned bits, SemU128 *r);
bool sem_int_binary(ClifOp op, SemU128 x, SemU128 y, unsigned bits, SemU128 *r, ClifTrap *trap);
/* Sum or difference with carry (or borrow), product; whether it does not fit. */
bool sem_int_overflow(ClifOp op, SemU128 x, SemU128 y, bool carry, unsigned bits, SemU128 *r,
                      bool *over);
bool sem_icmp(ClifIntCC cc, SemU128 x, SemU128 y, unsigned bits);

/* float.c: bits says the format. False: no definition. */
bool sem_float_unary(ClifOp op, SemU128 x, unsigned bits, SemU128 *r);
bool sem_float_binary(ClifOp op, SemU128 x, SemU128 y, unsigned bits, SemU128 *r);
SemU128 sem_float_fma(SemU128 x, SemU128 y, SemU128 z, unsigned bits);
bool sem_fcmp(ClifFloatCC cc, SemU128 x, SemU128 y, unsigned bits);
SemU128 sem_float_convert(SemU128 x, unsigned from, unsigned to);
SemU128 sem_float_from_int(SemU128 x, unsigned int_bits, bool is_signed, unsigned to);
typedef enum SemToInt { SEM_FITS, SEM_TOO_SMALL, SEM_TOO_LARGE, SEM_NAN } SemToInt;
/* Rounded towards zero; *r only if it fits. */
SemToInt sem_float_to_int(SemU128 x, unsigned from, unsigned int_bits, bool is_signed, SemU128 *r);

typedef enum SemClass { SEM_ZERO, SEM_FINITE, SEM_INF, SEM_IS_NAN } SemClass;
typedef struct SemParts { /* sig * 2^exp; of a NaN sig is the payload, quiet bit included */
    SemClass cls;
    bool neg;
    int exp;
    SemU128 sig;
} SemParts;
unsigned sem_width(SemU128 x); /* bits of x */
SemParts sem_split(SemU128 x, unsigned bits);
SemU128 sem_join(SemParts p,
                 unsigned bits); /* rounds a finite number to the format, to nearest even */

/* quad.c: f128; no operand is a NaN. */
SemU128 sem_quad_fma(SemU128 x, SemU128 y, SemU128 z);
SemU128 sem_quad_div(SemU128 x, SemU128 y);
SemU128 sem_quad_sqrt(SemU128 x);
#endif
