/* mach/lower.h — what ISA lowering code may do. Included by isa/<x>/lower.c and the rules' externs.
 *
 * The driver (lower.c) goes backward over the blocks and instructions. An instruction is lowered when it has
 * side effects or one of its results was asked for by code already lowered; pure unused code vanishes. The
 * ISA's rules emit instructions of one CLIF instruction in forward order into a small buffer; the driver then
 * prepends that buffer to the function, so that everything ends in forward order without a reversal pass.
 *
 * Emitting one machine instruction:
 *     MachInst *mi = lower_begin(L, X64_OP_ADD);   mi->b[0] = ...;        // valid until the next lower_begin
 *     lower_def(L, dst, RA_REUSE, 1);  lower_use(L, a, RA_REG, 0);  lower_use(L, b, RA_ANY, 0);
 * Operands appear in the order in which the ISA's emission reads the allocations.
 */
#ifndef COT_MACH_LOWER_H
#define COT_MACH_LOWER_H
#include "mach/isa.h"
#include "mach/mach.h"

typedef struct LowerCtx LowerCtx;

struct LowerBuf { /* the forward buffer of the CLIF instruction being lowered */
    VEC(MachInst) insts;
    VecU32 op_start; /* op_start, flags: per instruction, with at least the capacity of insts */
    VecU8 flags;
    VEC(RaOperand) ops;
    VEC(RaClobber) clobbers; /* inst = index in this buffer */
};

struct LowerCtx {
    Mem *mem;
    const ClifFunc *f;
    const IsaVtable *isa;
    const MachSettings *set;
    Diag *diag;
    struct LowerBuf buf;
    ValueRegs second; /* a rule's second result: add and carry, halves */
    uint32_t num_vregs;
    VecU8 vreg_slots;                     /* per vreg index: size in 8-byte spill slots */
    uint8_t class_of[256], slots_of[256]; /* per ClifType: register class, size in spill slots */
    VecU32 value_reg;                     /* per value: RaVReg or RA_VREG_NONE */
    VecU32
        anew; /* pairs: a constant's instruction, the register that wants it before what is in buf */
    VecU8 value_uses;  /* per value: 0, 1, 2 = many (transitively, see lower.c) */
    VecU32 inst_color; /* per inst: side-effect colour before it */
    BitSet sunk;       /* per inst: merged into its user, skip */
    VecU32
        inst_pos; /* if there are labels, per inst: how many machine instructions come behind it */
    uint32_t cur_inst;  /* ClifInst being lowered */
    uint32_t cur_color; /* colour just before the instruction being lowered */
    uint32_t cur_block; /* ClifBlock */
    /* frame needs collected while lowering */
    uint32_t outgoing_args; /* bytes */
    bool has_calls;
    uint32_t incoming_args; /* bytes of stack parameters that the callee pops */
    uint32_t tail_args;     /* the same, with room for the largest ones of tail calls */
    RaPRegSet clobbered;    /* by any instruction */
    VecU32 slot_offset;     /* per ClifStackSlot: byte offset in the stack-slot area */
    uint32_t slots_size;
    void *isa_state; /* the ISA's own per-function lowering state */
    /* side tables: jump tables of this function (targets as labels), call descriptions */
    VecU32 jt_targets; /* labels */
    VecU8 const_bytes; /* constant pool, aligned to 16 per entry */
    HashMap const_map;
    const struct BlockOrder *order;
    VecU32
        landing; /* of the landing block being lowered: two registers per result, or per word of payload */
    uint32_t ret_area_ptr; /* vreg holding the pointer for returns in memory, or RA_VREG_NONE */
};

/* ---- emission ---- */
void lower_grow_buf(LowerCtx *L);
static inline MachInst *lower_begin(LowerCtx *L, uint16_t op) {
    struct LowerBuf *b = &L->buf;
    uint32_t k = b->insts.n;
    if (__builtin_expect(k == b->insts.cap, 0)) lower_grow_buf(L);
    b->op_start.p[k] = b->ops.n;
    b->flags.p[k] = 0;
    b->insts.n = b->op_start.n = b->flags.n = k + 1;
    MachInst *mi = &b->insts.p[k];
    *mi = (MachInst){.op = op};
    return mi;
}
static inline void lower_operand(LowerCtx *L, RaVReg v, RaKind k, RaPos p, RaConstraint c,
                                 uint8_t arg) {
    RaOperand o = {.vreg = v, .kind = k, .pos = p, .constraint = c, .arg = arg};
    vec_push(L->mem, &L->buf.ops, o);
}
static inline void lower_use(LowerCtx *L, RaVReg v, RaConstraint c, uint8_t arg) {
    lower_operand(L, v, RA_USE, RA_EARLY, c, arg);
}
static inline void lower_def(LowerCtx *L, RaVReg v, RaConstraint c, uint8_t arg) {
    lower_operand(L, v, RA_DEF, RA_LATE, c, arg);
}
static inline void lower_set_flags(LowerCtx *L, uint8_t ra_inst_flags) {
    vec_last(&L->buf.flags) |= ra_inst_flags;
}
static inline void lower_clobber(LowerCtx *L, RaPRegSet regs) { /* of the instruction begun last */
    RaClobber c = {L->buf.insts.n - 1, regs};
    L->clobbered |= regs;
    vec_push(L->mem, &L->buf.clobbers, c);
}

/* ---- registers ---- */
RaVReg lower_new_vreg(LowerCtx *L, ClifType t);    /* class from the type by isa->reg_class */
ValueRegs lower_new_regs(LowerCtx *L, ClifType t); /* i128: two consecutive */
/* The registers of a value; asks for its definition to be lowered. Constants and looked-through copies included. */
ValueRegs lower_value_regs(LowerCtx *L, ClifValue v);
static inline RaVReg lower_value_reg(LowerCtx *L, ClifValue v) {
    uint32_t r = L->value_reg.p[v.i];
    return r != RA_VREG_NONE ? r : lower_value_regs(L, v).r[0];
}

/* ---- looking at CLIF ---- */
/* What v is a copy of, at machine level: that has v's register. v itself, if it is none. */
ClifValue lower_copied(const LowerCtx *L, ClifValue v);
/* The instruction that defines v, if it is one (not a block parameter); CLIF_NONE otherwise. */
static inline ClifInst lower_def_inst(const LowerCtx *L, ClifValue v) {
    const ClifValueData *vd = &L->f->values.p[v.i];
    return (ClifInst){vd->kind == CLIF_VAL_INST ? vd->ref : CLIF_NONE};
}
/* True if `load` (an instruction with one result, used once) may execute at the instruction being lowered instead of
 * at its own place: same block, no side effect between. */
bool lower_can_sink(const LowerCtx *L, ClifInst load);
void lower_sink(LowerCtx *L,
                ClifInst load); /* marks it merged; its source location stays its own trap's */
/* A constant or an address of the frame: users in other blocks make their own. */
static inline bool lower_is_cheap(const LowerCtx *L, ClifInst i) {
    unsigned op = L->f->insts.p[i.i].op;
    return (op >= CLIF_OP_ICONST && op <= CLIF_OP_VCONST) || op == CLIF_OP_STACK_ADDR;
}
/* A guess, for choosing which operand an instruction overwrites: is the instruction being lowered the last user of v? To be asked
 * before it asks for v's register; code is lowered backwards, so who else has asked comes later. */
static inline bool lower_dies_here(const LowerCtx *L, ClifValue v) {
    const ClifValueData *vd = &L->f->values.p[v.i];
    if (L->value_reg.p[v.i] != RA_VREG_NONE) return false;
    if (vd->kind != CLIF_VAL_INST) return vd->ref == L->cur_block;
    return L->f->links.p[vd->ref].block == L->cur_block || lower_is_cheap(L, (ClifInst){vd->ref});
}
bool lower_is_used(const LowerCtx *L, ClifValue v); /* some lowered code asked for it */

/* ---- constants, jump tables ---- */
uint32_t lower_const(LowerCtx *L, const void *bytes,
                     uint32_t n); /* pool offset; n = 4, 8, 16; deduplicated */
uint32_t lower_jump_table(LowerCtx *L, const MachLabel *targets,
                          uint32_t n); /* index of the first entry in jt_targets */

/* Where execution resumes for handler number `index` of the try_call that ends block b; MACH_LABEL_NONE if there is none. */
MachLabel lower_handler_label(const LowerCtx *L, ClifBlock b, uint32_t index);

/* Unsupported on this target: sticky error that names the instruction; returns false. */
bool lower_unsupported(LowerCtx *L, ClifInst i, const char *why);
#endif
