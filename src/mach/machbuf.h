/* mach/machbuf.h — code bytes with labels, fix-ups, branch simplification, islands.
 *
 * Labels are bound once; a use before binding is a fix-up. Branches that end at the current end of the buffer are
 * remembered so that, when a label is bound there, they can be improved at once (after the reference's
 * buffer.rs): (1) a jump to the very next instruction is deleted; (2) a conditional branch over a jump is
 * inverted and takes the jump's target; (3) a label on an unconditional jump is redirected to the jump's target
 * ("threading") and the jump itself deleted when nothing falls into it. All amortised O(1) per branch.
 * A fix-up that cannot reach is a limit error (x64 rel32 reaches 2 GiB, the most a function may have). */
#ifndef COT_MACH_MACHBUF_H
#define COT_MACH_MACHBUF_H
#include "mach/mach.h"

typedef struct MachLabelKind { /* how a label use is encoded */
    const char *name;
    uint8_t size;             /* bytes patched */
    int8_t pc_bias;           /* value patched = target - (offset of the field + pc_bias) */
    int64_t max_pos, max_neg; /* reach, bytes from the field */
    void (*patch)(uint8_t *field, int64_t delta); /* delta already biased */
} MachLabelKind;

typedef struct MachFixup {
    uint32_t offset;
    MachLabel label;
    uint8_t kind;
} MachFixup;
typedef struct MachBranch { /* a branch at the tail of the buffer */
    uint32_t start, end;    /* bytes */
    MachLabel target;
    uint32_t fixup;      /* index */
    uint8_t inverted[8]; /* encoding of the inverse, same length; conditional only */
    uint8_t ninverted;   /* 0 = unconditional */
    MachLabel label;     /* that is bound at `start`, MACH_LABEL_NONE = none */
} MachBranch;

typedef struct MachBuf {
    Mem *mem;
    const MachLabelKind *kinds;
    VecU8 code;
    VecU32 label_off;   /* per label, UINT32_MAX = unbound */
    VecU32 label_alias; /* per label, MACH_LABEL_NONE = none */
    VEC(MachFixup) fixups;
    VEC(MachBranch) branches; /* the latest run of branches that ends at code.n */
    MachLabel tail_label; /* bound at tail_off, MACH_LABEL_NONE = none; others there are aliases */
    uint32_t tail_off;
    uint32_t dead_off; /* control never falls into this offset (after a return or trap) */
    VEC(MachReloc) relocs;
    VEC(MachTrap) traps;
    VEC(MachSrcLoc) srclocs;
    VEC(MachCallSite) calls;
    VEC(MachHandler) handlers; /* offset: a label until machbuf_finish */
    VEC(MachUnwind) unwind;
    uint32_t loc_start;
    ClifSrcLoc loc; /* open source location */
    uint32_t
        align; /* of the start, that what was padded lies where it should; 0: as the target's functions */
    /* out-of-line traps: one stub per (label) collected, placed at the end */
    VEC(struct MachTrapStub {
        MachLabel label;
        ClifTrap code;
        ClifSrcLoc loc;
        uint32_t first; /* where branches to it were asked for */
        uint32_t last;
    })
    trap_stubs;
} MachBuf;

void machbuf_init(MachBuf *b, Mem *m);
void machbuf_free(MachBuf *b);
void machbuf_reset(MachBuf *b, const MachLabelKind *kinds, uint32_t num_block_labels);
static inline uint32_t machbuf_offset(const MachBuf *b) {
    return b->code.n;
}
/* room for n bytes: returns where to write; the caller then calls machbuf_commit with what it wrote */
static inline uint8_t *machbuf_room(MachBuf *b, uint32_t n) {
    vec_reserve(b->mem, &b->code, (uint64_t)b->code.n + n);
    return b->code.p + b->code.n;
}
static inline void machbuf_commit(MachBuf *b, uint32_t n) {
    b->code.n += n;
}
/* Is a label bound here? Then control may come from elsewhere. */
static inline bool machbuf_at_label(const MachBuf *b) {
    return b->tail_label != MACH_LABEL_NONE && b->tail_off == b->code.n;
}
MachLabel machbuf_new_label(MachBuf *b);
void machbuf_bind(MachBuf *b, MachLabel l);
/* Room for n bytes without an effect before the label bound last, which nothing follows yet; NULL if there is none. */
uint8_t *machbuf_pad(MachBuf *b, uint32_t n);
void machbuf_use_label(MachBuf *b, uint32_t field_offset, MachLabel l, uint8_t kind);
void machbuf_dead_end(
    MachBuf *b); /* call after a return, trap or indirect jump has been committed */
/* A jump that the ISA patched itself lands here: nothing before this offset may be simplified any more. */
void machbuf_landing(MachBuf *b);
/* Tell about a branch just about to be written at the current offset (call before committing its bytes). */
void machbuf_uncond_branch(MachBuf *b, uint32_t len, uint32_t field_at, MachLabel target,
                           uint8_t kind);
void machbuf_cond_branch(MachBuf *b, uint32_t len, uint32_t field_at, MachLabel target,
                         uint8_t kind, const uint8_t *inverted);
void machbuf_reloc(MachBuf *b, uint32_t offset, MachRelocKind k, ClifName n, int64_t addend);
void machbuf_trap(MachBuf *b, ClifTrap code); /* the instruction at the current offset may fault */
void machbuf_call_site(MachBuf *b);           /* the current offset is a return address */
void machbuf_handler(MachBuf *b, MachHandler h); /* of the call site told last; offset is a label */
void machbuf_unwind(MachBuf *b, MachUnwindKind kind, RaPReg reg,
                    int32_t value);  /* at the current offset */
void machbuf_end_unwind(MachBuf *b); /* no code follows: nothing to return to after an epilogue */
void machbuf_start_loc(MachBuf *b, ClifSrcLoc loc);
void machbuf_end_loc(MachBuf *b);
/* A label of an out-of-line trap with this code and the current source location. */
MachLabel machbuf_trap_label(MachBuf *b, ClifTrap code);
/* Resolves everything. False only if a fix-up cannot reach (sticky limit error). */
bool machbuf_finish(MachBuf *b, Diag *d);
#endif
