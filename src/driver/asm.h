/* driver/asm.h — machine code as text for people: instructions, labels, and what the caller knows about places. */
#ifndef COT_DRIVER_ASM_H
#define COT_DRIVER_ASM_H
#include "mach/isa.h"

/* One function, or another piece of code. Addresses are the caller's, of any kind. */
typedef struct AsmCode {
    const IsaVtable *isa;
    const uint8_t *bytes;
    uint64_t address, size;
    void *user;
    /* Lines to go before the instruction at an address: each begins with "; " at column 4 and ends with \n. May be NULL. */
    void (*before)(void *user, uint64_t address, StrBuf *out);
    /* What is to be said of the instruction from `address` to `end`, behind it on its line; texts of several facts are
     * separated by asm_note. May be NULL. */
    void (*about)(void *user, uint64_t address, uint64_t end, StrBuf *out);
    /* A name for the place that the instruction from `address` to `end` names, which is outside this code as it stands; false:
     * none is known. May be NULL. */
    bool (*name)(void *user, uint64_t address, uint64_t end, uint64_t place, StrBuf *out);
} AsmCode;

/* Appends the code to *out, one instruction a line:   ADDRESS: BYTES  TEXT  ; NOTES  */
void asm_print(Mem *m, const AsmCode *c, StrBuf *out);
/* Begins a note: `; ` or, if there is one on the line already, `, `. */
void asm_note(StrBuf *out);
#endif
