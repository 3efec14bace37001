/* isa/x64/x64.h — what the files of this folder share.
 *
 * Invariant I32Z: an i32 in an integer virtual register has zeros above bit 31. Every 32-bit instruction establishes
 * it; ireduce.i32, i32 parameters under system_v and i32 results of system_v calls pass through a 32-bit move. So
 * uextend.i64 of an i32 is transparent. i8 and i16 values have anything above their width.
 *
 * MachInst fields: b[0] log2 of the operand size · b[1] condition · b[2] X64Kind of the r/m operand · b[3] addressing
 * mode << 4 | log2 scale · b[4] trap code of the access (0 none) · b[5] of the row. disp: displacement, imm: immediate,
 * aux: pool offset, label, slot or table. Memory base and index are the last operands. */
#ifndef COT_ISA_X64_H
#define COT_ISA_X64_H
#include "mach/lower.h"

enum { RAX, RCX, RDX, RBX, RSP, RBP, RSI, RDI, R8, R9, R10, R11, R12, R13, R14, R15 };
#define X64_XMM 32
#define X64_TMP R11 /* never allocated */
#define X64_XTMP 15 /* xmm15, never allocated */

typedef enum X64Op {
#define X64_INST(NAME, ...) X64_##NAME,
#include "isa/x64/insts.def"
#undef X64_INST
    X64_OP_COUNT
} X64Op;
typedef enum X64Form {
    F_ALU,
    F_CMP,
    F_TEST,
    F_ALUM,
    F_ST,
    F_RMR,
    F_RM,
    F_RMI,
    F_XST,
    F_R1,
    F_SHIFT,
    F_SETCC,
    F_UU,
    F_MVX,
    F_VRMR,
    F_VRMV,
    F_VM,
    F_MOVI,
    F_MUL,
    F_RMRI,
    F_XSHI,
    F_MVXI,
    F_FMA,
    F_FMAI,
    F_MULX,
    F_BLEND,
    F_XSTI,
    F_SPECIAL
} X64Form;
enum {
    XF_P66 = 1,
    XF_PF2 = 2,
    XF_PF3 = 4,
    XF_M0F = 8,
    XF_M38 = 16,
    XF_M3A = 32,
    XF_W = 64,
    XF_WS = 128,
    XF_O16 = 256,
    XF_B8 = 512,
    XF_SB = 1024,
    XF_FP = 2048,
    XF_FPC = 4096,
    XF_VEX = 8192,
    XF_XD = 16384,
    XF_XS = 1 << 15,
    XF_ZD = 1 << 16,
    XF_CC = 1 << 17,
    XF_I8 = 1 << 18,
    XF_V = 1 << 19,
    XF_RR = 1 << 20,
    XF_NDS = 1 << 21,
    XF_EVEX = 1 << 22
};
typedef struct X64Row {
    const char *text;
    uint32_t flags;
    uint8_t form, opcode, digit;
} X64Row;
extern const X64Row x64_rows[X64_OP_COUNT];
/* Flags of a row that is written with a VEX prefix only where the processor has AVX. */
static inline bool x64_has_vex(uint32_t flags) {
    return (flags & (XF_XD | XF_XS)) && !(flags & (XF_VEX | XF_EVEX));
}

typedef enum X64Kind {
    XK_REG,
    XK_MEM,
    XK_IMM
} X64Kind; /* XK_REG may be a spill slot after allocation */
/* XM_INARG: from the first incoming stack parameter; XM_TAILARG: from the end of their area, downwards */
typedef enum X64Mode {
    XM_BASE,
    XM_INDEX,
    XM_CONST,
    XM_SLOT,
    XM_INARG,
    XM_OUTARG,
    XM_TAILARG
} X64Mode;
static inline unsigned x64_mode_regs(unsigned mode) {
    return mode == XM_BASE ? 1 : mode == XM_INDEX ? 2 : 0;
}

/* Register, memory or immediate operand while lowering. */
typedef struct X64Rm {
    uint8_t kind, mode, scale, trap;
    int32_t disp;
    uint32_t aux;  /* XM_CONST: pool offset; XM_SLOT: stack slot */
    RaVReg r, idx; /* XK_REG: r; XK_MEM: base, index */
    int64_t imm;
} X64Rm;

typedef enum X64CC {
    CC_O,
    CC_NO,
    CC_B,
    CC_AE,
    CC_E,
    CC_NE,
    CC_BE,
    CC_A,
    CC_S,
    CC_NS,
    CC_P,
    CC_NP,
    CC_L,
    CC_GE,
    CC_LE,
    CC_G
} X64CC;
/* A condition in the flags: cc; cc or cc2; cc and cc2. */
typedef enum X64CondKind { COND_ONE, COND_OR, COND_AND } X64CondKind;
typedef struct X64Cond {
    uint8_t kind, cc, cc2;
} X64Cond;

enum {
    X64_FLAG_DUMMY = -1,
#define X64_FLAG(NAME, text) X64_HAS_##NAME,
#include "isa/x64/settings.def"
#undef X64_FLAG
    X64_FLAG_COUNT
};
static inline bool x64_has(const MachSettings *s, int f) {
    return s->isa_flags >> f & 1;
}
extern const char *const x64_flag_names[];
uint64_t x64_host_flags(void);
uint64_t x64_preset_flags(const char *name, bool *found);

/* label kinds */
enum { X64_LABEL_REL32, X64_LABEL_TABLE };

/* The flags of a row as it is written for a processor. */
static inline uint32_t x64_row_flags(const MachSettings *s, X64Op op) {
    uint32_t f = x64_rows[op].flags;
    return x64_has(s, X64_HAS_AVX) && x64_has_vex(f) ? f | XF_VEX : f;
}

/* lower.c */
bool x64_lower_inst(LowerCtx *L, ClifInst i, ValueRegs *out);
bool x64_lower_branch(LowerCtx *L, ClifInst i, const MachLabel *targets, uint32_t n);
void x64_lower_copy(LowerCtx *L, RaVReg dst, RaVReg src, ClifType t);
void x64_lower_jump(LowerCtx *L, MachLabel target);
int x64_transparent(const ClifFunc *f, ClifInst i);
RaVReg x64_int_const(LowerCtx *L, ClifType t, uint64_t k);
MachInst *x64_rm_inst(LowerCtx *L, X64Op op, unsigned size, RaVReg dst, X64Rm rm); /* d, um */
MachInst *x64_store(LowerCtx *L, X64Op op, unsigned size, X64Rm mem, X64Rm data);
static inline unsigned x64_size(ClifType t) {
    return t == CLIF_F32    ? 2
           : t == CLIF_F64  ? 3
           : t == CLIF_F16  ? 1
           : t == CLIF_F128 ? 4
           : t >= 0x10      ? (clif_type_bits(t) == 128 ? 4 : 3)
                            : (unsigned)(t & 15) - 1;
}
static inline bool x64_is_float(ClifType t) {
    return t >= CLIF_F16;
}

#ifdef COT_CHECKED
/* Test builds: the rules of lower.isle and how often each was chosen, by index. */
typedef struct IsleRule {
    const char *name, *file;
    unsigned line;
} IsleRule;
#define X64_MAX_RULES 1024
extern uint32_t x64_rule_hits[X64_MAX_RULES];
extern const IsleRule x64_isle_rules[];
extern const unsigned x64_isle_rule_count;
#endif

/* abi.c */
#define X64_MAX_LOCS 1100
#define X64_MAX_STACK_ARGS (128u << 20)
typedef enum X64LocKind {
    XL_PLAIN,
    XL_STRUCT,  /* copied to the stack at `off`, `size` bytes; the value is its address */
    XL_INDIRECT /* the place holds the address of a 16-byte copy at `size` */
} X64LocKind;
typedef struct X64Loc { /* of one register-sized part */
    bool in_reg, packed /* on the stack, in exactly its bytes */;
    uint8_t reg, type, ext, kind;
    uint32_t off, size;
} X64Loc;
typedef struct X64Assign {
    uint32_t n, stack; /* parts, bytes on the stack */
    bool has_hidden;
    X64Loc hidden; /* address of the return area */
    X64Loc locs[X64_MAX_LOCS];
} X64Assign;
/* Places of the parameters, or results, of a signature. hidden: there is a return area. */
bool x64_assign(const MachSettings *set, const ClifFunc *f, const ClifSig *sig, bool params,
                bool hidden, X64Assign *a, Diag *d);
/* Does a function return the address that its sret parameter has? */
bool x64_returns_sret(const ClifFunc *f, const ClifSig *s);
RaPRegSet x64_call_clobbers(const MachSettings *s, uint8_t cc, bool can_throw);
/* Both sides are compiled here: an i32 in a register has zeros above (invariant I32Z) across calls. */
static inline bool x64_own_conv(uint8_t cc) {
    return cc == CLIF_CC_FAST || cc == CLIF_CC_TAIL;
}
static inline uint8_t x64_libcall_conv(const MachSettings *s) {
    return s->libcall_call_conv == 3 ? CLIF_CC_WINDOWS_FASTCALL : CLIF_CC_SYSTEM_V;
}

/* call.c */
bool x64_lower_tail_call(LowerCtx *L, ClifInst i);
bool x64_lower_try_call(LowerCtx *L, ClifInst i, const MachLabel *targets, uint32_t n);
bool x64_lower_landing(LowerCtx *L, ClifInst i, bool handler, const RaVReg *regs);
bool x64_lower_tls(LowerCtx *L, ClifInst i, ValueRegs *out);
bool x64_lower_pinned(LowerCtx *L, ClifInst i, ValueRegs *out);
bool x64_lower_handler_address(LowerCtx *L, ClifInst i, ValueRegs *out);
bool x64_lower_args(LowerCtx *L, const RaVReg *regs, uint32_t n);
bool x64_lower_call(LowerCtx *L, ClifInst i, ValueRegs *out);
bool x64_lower_libcall(LowerCtx *L, ClifLibCall lc, const RaVReg *args, uint32_t n, ClifType t,
                       RaVReg *result);
bool x64_lower_return(LowerCtx *L, ClifInst i);
void x64_ra_env(const MachSettings *s, const ClifFunc *f, RaEnv *env);
void x64_frame_layout(EmitCtx *e, RaPRegSet written, uint32_t spill_slots, uint32_t slots_size,
                      uint32_t outgoing, bool has_calls);
void x64_prologue(EmitCtx *e);
void x64_epilogue(EmitCtx *e);
void x64_tail_epilogue(EmitCtx *e, uint32_t size);
void x64_tail_epilogue_end(EmitCtx *e);
void x64_unwind_early(EmitCtx *e);
void x64_unwind_early_end(EmitCtx *e);
void x64_put_libcall(EmitCtx *e, ClifLibCall lc);

/* emit.c: raw encoders; used by special emission and the prologue */
typedef struct X64Ea {
    uint8_t kind; /* XK_REG, XK_MEM */
    uint8_t reg, base, index, scale;
    int32_t disp;
    uint32_t label;
} X64Ea; /* base 255: label(%rip); index 255: none */
static inline X64Ea ea_reg(unsigned r) {
    return (X64Ea){.kind = XK_REG, .reg = (uint8_t)r};
}
static inline X64Ea ea_mem(unsigned base, int32_t disp) {
    return (X64Ea){.kind = XK_MEM, .base = (uint8_t)base, .index = 255, .disp = disp};
}
void x64_put(EmitCtx *e, uint32_t flags, unsigned size, unsigned opcode, unsigned reg,
             unsigned vvvv, X64Ea ea, unsigned imm_bytes, int64_t imm);
void x64_put_mov_imm(EmitCtx *e, unsigned reg, uint64_t imm);
void x64_fill(uint8_t *p, uint32_t n);
void x64_put_bytes(EmitCtx *e, const void *bytes, unsigned n);
void x64_put_jmp(EmitCtx *e, MachLabel l);
void x64_put_jcc_raw(EmitCtx *e, unsigned cc,
                     MachLabel l); /* to a label, not a candidate for simplification */
X64Ea x64_ea(EmitCtx *e, const MachInst *mi,
             const RaAlloc *a); /* of the r/m operand; a = its allocations */
X64Ea x64_ea_alloc(EmitCtx *e, RaAlloc a);
void x64_emit(EmitCtx *e, const MachInst *mi, const RaOperand *ops, const RaAlloc *allocs,
              uint32_t nops);
void x64_emit_special(EmitCtx *e, const MachInst *mi, const RaOperand *ops, const RaAlloc *allocs,
                      uint32_t nops);
void x64_emit_move(EmitCtx *e, RaAlloc to, RaAlloc from, RaClass cls, uint8_t slots);
void x64_emit_trap_stub(EmitCtx *e, ClifTrap code);
void x64_print(const MachSettings *set, const MachInst *mi, const RaOperand *ops,
               const RaAlloc *allocs, uint32_t nops, StrBuf *out);
const char *x64_preg_name(RaPReg p, unsigned bytes, char buf[16]);

/* decode.c */
uint32_t x64_decode(const uint8_t *p, size_t n, uint64_t at, MachDecoded *d, StrBuf *out);
#endif
