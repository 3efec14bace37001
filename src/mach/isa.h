/* mach/isa.h — what an ISA supplies: one const table of functions and data. The driver calls, the ISA never
 * looks back above mach. */
#ifndef COT_MACH_ISA_H
#define COT_MACH_ISA_H
#include "mach/mach.h"
#include "mach/machbuf.h"

struct LowerCtx;

typedef struct MachFrame { /* computed after allocation (emit.c), read by emission
     *   fp+16.. : incoming stack arguments        (x64: return address at fp+8, saved fp at fp+0)
     *   fp-…    : clobbered callee-saved registers, `pushed` bytes of integers
     *             those of floats  at sp + float_saves_off
     *             stack slots      at sp + slots_off
     *             spill slots      at sp + spill_off
     *             outgoing args    at sp + 0          */
    uint32_t outgoing, spill_off, slots_off, pushed, size; /* size: sp = fp - size */
    RaPRegSet saved; /* callee-saved registers that must be kept */
    uint32_t float_saves_off;
    uint32_t incoming;  /* bytes of incoming stack arguments, if the callee pops them */
    uint32_t tail_args; /* at least that: the largest of those and of tail calls */
    bool leaf;          /* makes no calls */
    bool need_frame;
} MachFrame;

typedef struct EmitCtx { /* during emission of one function */
    MachBuf *buf;
    const IsaVtable *isa;
    const MachSettings *set;
    const ClifFunc *f;
    MachFrame frame;
    const uint32_t *jt_targets; /* labels, see LowerCtx */
    const uint8_t *const_bytes; /* constant pool, placed after the code */
    MachLabel const_label;      /* address of the pool */
    const uint32_t *slot_offset;
    ClifSrcLoc srcloc; /* of the instruction being emitted */
    MachLabel stub; /* of the out-of-line trap that emit_trap_stub is called for; before them 0 */
    /* the ISA's own: the trap that the prologue jumps to before the frame stands, or 0; the flags say at flags_at, after the last instruction, whether register flags_reg is zero or negative */
    MachLabel early_trap;
    uint32_t flags_at;
    uint8_t flags_reg, flags_size;
    MachLabel
        next_block; /* label of the block emitted next (fall-through), MACH_LABEL_NONE at the end */
} EmitCtx;

/* What unwinders and debuggers call things (DWARF, call frame information). */
typedef struct MachDwarf {
    uint8_t reg[64];       /* number of each register, by RaPReg; 255: it has none */
    uint8_t return_column; /* the number that stands for the return address */
    uint8_t code_align;    /* what every instruction's length is a multiple of */
    int8_t data_align;     /* what every register's place is a multiple of */
    RaPReg cfa_reg;        /* at the first instruction the frame's address is this register */
    int8_t cfa_offset;     /* plus that, */
    int8_t
        return_offset;  /* and the return address is in memory there plus this; 0: in a register */
    RaPReg frame_reg;   /* that slots are found by */
    RaPReg context_reg; /* of the parameter of purpose vmctx under the convention fast */
    uint8_t vectors;    /* the numbers from this one on are of registers that hold no addresses */
} MachDwarf;

/* What decode tells of an instruction beside its text. */
typedef enum MachFlow {
    MACH_FLOW_NEXT,   /* execution goes on behind it */
    MACH_FLOW_BRANCH, /* or at the target */
    MACH_FLOW_CALL,   /* and somewhere else in between */
    MACH_FLOW_JUMP,
    MACH_FLOW_RETURN,
    MACH_FLOW_TRAP
} MachFlow;
typedef struct MachDecoded {
    MachFlow flow;
    bool has_target; /* it names a place relative to itself: */
    bool
        is_data; /* as the address of a memory operand; else where execution goes, which the text leaves out */
    uint64_t target;
} MachDecoded;

struct IsaVtable {
    const char *name;       /* "x86_64" */
    uint8_t code_alignment; /* of functions */
    uint8_t pointer_bytes;
    uint8_t max_inst_bytes, mean_inst_bytes;
    uint8_t line_bytes; /* short loops are kept from crossing a multiple of this; 0: they may */
    const char *const *flag_names; /* settings.def rows, NULL-terminated */
    uint64_t (*host_flags)(void); /* of the machine this runs on; 0 if it is another architecture */
    uint64_t (*preset_flags)(const char *name, bool *found); /* of a named processor or level */
    const char *(*preset_name)(unsigned i);                  /* NULL behind the last */
    /* allocation environment for a function's convention */
    void (*ra_env)(const MachSettings *s, const ClifFunc *f, RaEnv *env);
    RaClass (*reg_class)(ClifType t);
    /* If instruction i is a pure copy at machine level (its result's register may simply be its argument's): that
     * argument's index; -1 otherwise. Must hold for every use of the result. */
    int (*transparent)(const ClifFunc *f, ClifInst i);
    /* lowering: emits into L->buf; fills out[] for each result; false = error recorded */
    bool (*lower_inst)(struct LowerCtx *L, ClifInst i, ValueRegs *out);
    /* terminator with targets: labels in branch order of clif_branch_calls */
    bool (*lower_branch)(struct LowerCtx *L, ClifInst i, const MachLabel *targets, uint32_t n);
    /* start of the block on an edge of try_call i, handler or normal return; regs as LowerCtx.landing */
    bool (*lower_landing)(struct LowerCtx *L, ClifInst i, bool handler, const RaVReg *regs);
    /* a plain copy dst = src (flagged RA_INST_MOVE), and a jump (a terminator without operands) */
    void (*lower_copy)(struct LowerCtx *L, RaVReg dst, RaVReg src, ClifType t);
    void (*lower_jump)(struct LowerCtx *L, MachLabel target);
    /* moves the incoming arguments to the entry block's parameters (emitted at function start) */
    bool (*lower_args)(struct LowerCtx *L, const RaVReg *param_regs, uint32_t n);
    /* emission: allocs are those of the instruction's operands, in order */
    void (*emit)(EmitCtx *e, const MachInst *mi, const RaOperand *ops, const RaAlloc *allocs,
                 uint32_t nops);
    void (*emit_move)(EmitCtx *e, RaAlloc to, RaAlloc from, RaClass cls,
                      uint8_t slots); /* reg/slot to reg/slot, not slot to slot */
    /* an out-of-line trap stub: illegal instruction + machbuf_trap, or with explicit_traps the call that raises */
    void (*emit_trap_stub)(EmitCtx *e, ClifTrap code);
    void (*fill)(uint8_t *p, uint32_t n); /* n bytes of instructions without an effect */
    void (*emit_prologue)(EmitCtx *e);
    void (*frame_layout)(EmitCtx *e, RaPRegSet written, uint32_t spill_slots, uint32_t slots_size,
                         uint32_t outgoing, bool has_calls);
    void (*print)(const MachSettings *s, const MachInst *mi, const RaOperand *ops,
                  const RaAlloc *allocs /* NULL: virtual */, uint32_t nops, StrBuf *out);
    const char *(*preg_name)(RaPReg p, unsigned bytes, char buf[16]);
    /* The instruction in the n bytes at p, whose address is `at`, as text at the end of *out. Returns its length; 0: these bytes are
     * no instruction that this back end emits, and there is no text. */
    uint32_t (*decode)(const uint8_t *p, size_t n, uint64_t at, MachDecoded *d, StrBuf *out);
    /* label uses: kinds are the ISA's; patching and reach */
    const MachLabelKind *label_kinds;
    const MachDwarf *dwarf;
};
extern const IsaVtable isa_x64;
/* The registry (isa/registry.c) is the one place that names all ISAs. */
const IsaVtable *isa_lookup(const char *arch);
const IsaVtable *isa_host(void);
/* Features by `baseline`, `host` or the name of a preset, then +name or -name, separated by commas; *flags is the start and the
 * result. here: this machine must have them. False: no such feature or preset (DIAG_INVALID), the machine lacks it
 * (DIAG_UNSUPPORTED); *flags is unchanged. */
bool isa_parse_flags(const IsaVtable *isa, const char *list, bool here, uint64_t *flags, Diag *d);
#endif
