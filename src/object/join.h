/* object/join.h — a program that was linked before, with more segments (elf_join.c). */
#ifndef COT_OBJECT_JOIN_H
#define COT_OBJECT_JOIN_H
#include "base/diag.h"

typedef struct JoinPart {
    const char *section;
    const uint8_t *bytes;
    uint64_t size;   /* in the file */
    uint64_t memory; /* in memory, at least size; the rest is zeros */
    bool write, execute;
    uint64_t address; /* result: from the program's beginning */
} JoinPart;

typedef struct JoinName { /* a function */
    const char *name;
    uint32_t len, part;
    uint64_t offset, size; /* in the part */
} JoinName;

typedef struct JoinExtra { /* a section that is not loaded */
    const char *section;
    const uint8_t *bytes;
    uint64_t size;
    bool strings; /* nothing but texts with their NULs */
} JoinExtra;

typedef struct Join {
    const uint8_t *program;
    size_t size;
    const char *payload; /* section of the program that tells it where the parts are */
    JoinPart *parts;     /* in the order of their addresses */
    uint32_t nparts, nnames;
    const JoinName *names;
    /* When the parts have their addresses: fills in the extra sections; may be NULL. */
    void (*placed)(struct Join *j, void *user);
    void *user;
    const JoinExtra *extras;
    uint32_t nextras;
    uint32_t payload_at; /* result: where in the output that section's contents are */
} Join;

/* Appends the new program to *out. DIAG_MALFORMED, DIAG_LIMIT: the program cannot be joined with. */
bool elf_join(Mem *m, Join *j, VecU8 *out, Diag *d);
#endif
