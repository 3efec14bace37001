/* mach/mach.h — the ISA-independent back end: CLIF function in, bytes with labels resolved out.
 *
 *   ClifFunc ──blockorder──► block sequence (critical edges split)
 *            ──lower──► VCode: MachInst[] + the allocator's operand array, written once (lower.c + isa rules)
 *            ──regalloc──► RaOutput
 *            ──emit──► MachBuf bytes, relocations, traps, source locations, call sites (emit.c + isa emit)
 *
 * Reference: cranelift/codegen/src/machinst. */
#ifndef COT_MACH_MACH_H
#define COT_MACH_MACH_H
#include "clif/clif.h"
#include "regalloc/regalloc.h"

typedef struct IsaVtable IsaVtable;
typedef struct MachCtx MachCtx;

/* ---- one machine instruction, 32 bytes; the meaning of everything but `op` belongs to the ISA ---- */
typedef struct MachInst {
    uint16_t op;  /* row of the ISA's insts.def */
    uint8_t b[6]; /* size, condition, addressing kind, scale, flags … */
    int32_t disp; /* displacement, small immediate … */
    uint32_t aux; /* label, side-table index, trap code … */
    uint64_t imm; /* 64-bit immediate, second label … */
    uint32_t aux2;
    uint32_t aux3;
} MachInst;
_Static_assert(sizeof(MachInst) == 32, "machine instruction is 32 bytes");

typedef uint32_t
    MachLabel; /* 0..num_blocks-1: blocks in final order; further ones made by machbuf_new_label */
#define MACH_LABEL_NONE UINT32_MAX

/* One or two registers holding a value (i128: lo, hi = lo + 1). */
typedef struct ValueRegs {
    RaVReg r[2];
    uint8_t n;
} ValueRegs;

/* ---- settings: the rows of settings.def, and what only callers inside this library set ---- */
typedef struct MachSettings {
    uint64_t isa_flags;   /* bit n = row n of isa/<x>/settings.def */
    uint64_t stress_seed; /* stress: random allocation */
    bool
        explicit_traps; /* trap/trapz/trapnz/stack checks call the libcall cot_raise_trap(code) instead of an illegal instruction */
    bool verify_input;  /* run the allocator's input check */
#define MACH_BOOL(name, initial, what) bool name;
#define MACH_NUM(name, initial, most, what) uint8_t name;
#define MACH_ENUM(name, initial, values, what) uint8_t name;
#include "mach/settings.def"
#undef MACH_BOOL
#undef MACH_NUM
#undef MACH_ENUM
} MachSettings;
_Static_assert(sizeof(bool) == 1, "settings.c reads every field as a byte");
enum { MACH_TLS_NONE, MACH_TLS_ELF_GD, MACH_TLS_MACHO, MACH_TLS_COFF };
enum { MACH_PROBE_INLINE, MACH_PROBE_OUTLINE };
/* An engine's, module's or function's choice over the setting regalloc_algorithm, whose values are these less one. */
typedef enum MachRegalloc {
    MACH_REGALLOC_AS_SET,
    MACH_REGALLOC_BACKTRACKING,
    MACH_REGALLOC_SINGLE_PASS
} MachRegalloc;

/* ---- results ---- */
typedef struct MachReloc {
    uint32_t offset;
    uint8_t kind; /* MachRelocKind */
    int64_t addend;
    ClifName name;
} MachReloc;
typedef enum MachRelocKind {
    MACH_RELOC_ABS8,
    MACH_RELOC_ABS4,
    MACH_RELOC_X86_PCREL4,
    MACH_RELOC_X86_CALL_PCREL4,
    MACH_RELOC_X86_CALL_PLT,
    MACH_RELOC_X86_GOTPCREL4,     /* through a table of addresses: by a call or jump, */
    MACH_RELOC_X86_MOV_GOTPCREL4, /* by a move with REX prefix */
    MACH_RELOC_ARM64_CALL,
    MACH_RELOC_ELF_X86_TLSGD, /* 32-bit distance to the symbol's pair of words for the call that follows */
    MACH_RELOC_MACHO_X86_TLV,  /* 32-bit distance to the pointer to the symbol's descriptor */
    MACH_RELOC_COFF_X86_SECREL /* 32-bit offset from the start of the section of thread-local data */
} MachRelocKind;
enum { MACH_RELOC_COUNT = MACH_RELOC_COFF_X86_SECREL + 1 };
typedef struct MachTrap {
    uint32_t offset;
    ClifTrap code;
} MachTrap; /* offset of the instruction that faults (or of the call's return address with explicit traps) */
typedef struct MachSrcLoc {
    uint32_t start, end;
    ClifSrcLoc loc;
} MachSrcLoc; /* sorted, not overlapping */
typedef struct MachCallSite {
    uint32_t ret_offset;
    uint32_t handlers, num_handlers; /* into MachCompiled.handlers */
} MachCallSite;

/* What a call does with an exception, in the order in which it is to be tried. Until the next context a tag means the tag in
 * the instance that `context` tells. At a handler, the stack and frame pointers must be the frame's own and the payload
 * in the convention's registers (x86-64: rax, rdx). */
typedef enum MachHandlerKind {
    MACH_HANDLER_TAG,
    MACH_HANDLER_DEFAULT,
    MACH_HANDLER_CONTEXT
} MachHandlerKind;
typedef struct MachHandler {
    uint8_t kind;
    uint8_t reg;  /* context: register, or RA_PREG_NONE if it is in memory */
    uint32_t tag; /* tag */
    uint32_t
        offset; /* tag, default: where execution resumes; context in memory: distance from the stack pointer */
} MachHandler;

/* Steps of the unwinding model: from this code offset on, … */
typedef enum MachUnwindKind {
    MACH_UNWIND_CFA,            /* the canonical frame address is register + value */
    MACH_UNWIND_SAVED,          /* the caller's register is in memory at that address + value */
    MACH_UNWIND_RETURN_ADDRESS, /* so is the return address (x86-64: at -8 until told otherwise) */
    MACH_UNWIND_RETURN_IN,      /* the return address is in the register */
    MACH_UNWIND_KEPT,           /* the register has the caller's value again */
    /* Epilogues: what is told between the first, and the second, is forgotten there. */
    MACH_UNWIND_REMEMBER,
    MACH_UNWIND_RECALL
} MachUnwindKind;
typedef struct MachUnwind {
    uint32_t offset;
    uint8_t kind, reg;
    int32_t value;
} MachUnwind;

/* Over this much code a labelled variable (ClifFunc.labels) is in that place: a register (RaPReg), or if negative, the distance from
 * MachDwarf.frame_reg; or nowhere, since its value is a constant. */
typedef struct MachHome {
    uint32_t start, end, label;
    int32_t place;
    uint32_t constant; /* how many bytes it has, 0 = none */
    uint64_t bits[2];  /* these, zeros behind them */
} MachHome;

typedef struct MachTimes {
    uint64_t order, lower, regalloc, emit, check; /* ns */
} MachTimes;

typedef struct MachCompiled { /* owned by the MachCtx, valid until its next compile */
    const uint8_t *code;
    uint32_t size;
    uint32_t alignment; /* of the function start, bytes */
    const MachReloc *relocs;
    uint32_t num_relocs;
    const MachTrap *traps;
    uint32_t num_traps; /* sorted by offset */
    const MachSrcLoc *srclocs;
    uint32_t num_srclocs; /* sorted by offset */
    const MachCallSite *calls;
    uint32_t num_calls; /* sorted by offset */
    const MachHandler *handlers;
    uint32_t num_handlers;
    const MachUnwind *unwind;
    uint32_t num_unwind; /* sorted by offset; with setting unwind_info */
    const MachHome *homes;
    uint32_t num_homes;  /* sorted by label, then start; not overlapping */
    uint32_t frame_size; /* bytes below the saved frame pointer */
    uint32_t num_insts;  /* machine instructions before allocation */
    RaStats ra;
    MachTimes times;
} MachCompiled;

MachCtx *mach_ctx_new(Mem *m, const IsaVtable *isa, const MachSettings *s);
void mach_ctx_free(MachCtx *c);
/* For the functions that follow. */
void mach_ctx_set_regalloc(MachCtx *c, MachRegalloc choice);
/* Compiles f (aliases are resolved in place). Deterministic; no allocation after warm-up. */
bool mach_compile(MachCtx *c, ClifFunc *f, MachCompiled *out, Diag *d);
/* Text of each later compile's stages: VCode before allocation, after allocation, the allocation itself; instructions with
 * their bytes, traps, relocations, handlers (listing.c); unwinding steps. */
enum {
    MACH_PRINT_VCODE = 1,
    MACH_PRINT_ALLOCATED = 2,
    MACH_PRINT_REGALLOC = 4,
    MACH_PRINT_CODE = 8,
    MACH_PRINT_UNWIND = 16
};
void mach_ctx_print(MachCtx *c, unsigned what,
                    StrBuf *out); /* out receives text from each later compile; 0 = stop */
#endif
