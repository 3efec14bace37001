/* regalloc/op_int.h — what the files of the one-pass allocator share: op_*.c and onepass.c, which explains it. */
#ifndef COT_REGALLOC_OP_INT_H
#define COT_REGALLOC_OP_INT_H
#include "regalloc/ra_int.h"

#define NONE UINT32_MAX

/* OpVReg.hint: nothing, a register, or what that vreg has (a block parameter) */
#define HINT_NONE 0u
#define HINT_REG 0x40000000u
#define HINT_VREG 0x80000000u
#define HINT_ARG(h) ((h)&0x3FFFFFFFu)

enum { KIND_SIMPLE, KIND_REUSE, KIND_HARD, KIND_EMPTY };
/* Chosen by the weighted cost of inserted moves over real modules (docs/regalloc.md); distances in positions. */
enum {
    LOOP_MAX_WALK = 64, /* deeper nests count as live to the end of the outermost loop */
    SLOT_TRIES = 8,     /* free slots looked at before a new one is made */
    LOOP_SMALL =
        24, /* instructions: a loop past which values may stay in registers without being used in it */
    LOOP_FAR =
        128, /* a value used so far down a loop does not hold a scarce register at its head */
    JOIN_FAR =
        8 /* a spilled value used so far below a join that some calls lead to is reloaded there */
};

typedef struct Pass {
    RaCtx *c;
    const RaFunc *f;
    const RaEnv *env;
    Diag *d;
    OpVReg *v;
    RaAlloc *allocs;
    uint32_t inst; /* being allocated */
    uint32_t calls_left;
    uint32_t next_clobber;
    uint32_t in_file; /* the file is this block's entry state */
    RaPRegSet occupied, written;
    RaPRegSet early, late; /* hard instructions: registers taken in each half */
    RaStats st;
    uint32_t spare_slot; /* two times two units; NONE: not needed so far */
    uint32_t owner[64];
    bool reuse_input[256];
} Pass;

static inline RaVReg vreg_of(const Pass *p, const OpVReg *v) {
    return ra_vreg((uint32_t)(v - p->v), v->is_float);
}

/* ---- the register file ---- */
static inline void set_reg(Pass *p, OpVReg *v, RaPReg r) {
    v->reg = v->last_reg = r;
    p->owner[r] = (uint32_t)(v - p->v);
    p->occupied |= ra_set(r);
}

static inline void drop_reg(Pass *p, RaPReg r) {
    p->v[p->owner[r]].reg = RA_PREG_NONE;
    p->occupied &= ~ra_set(r);
}

/* Distance of the value's next use; one that only comes around a loop is a little farther than the loop's end. */
static inline uint32_t next_use(const OpVReg *v) {
    return v->next != NONE ? v->next : v->last + 64;
}

static inline bool crosses_call(const Pass *p, const OpVReg *v) {
    return p->calls_left > v->calls_last;
}

static inline RaPRegSet allowed_set(const Pass *p, const RaOperand *op) {
    RaPRegSet m = p->env->allocatable & RA_CLASS_MASK(ra_vreg_class(op->vreg));
    if (op->constraint == RA_LIMIT) m &= (((RaPRegSet)1 << op->arg) - 1) * 0x100000001ull;
    return m;
}

static inline void plan_move(Pass *p, RaAlloc from, RaAlloc to, RaVReg v) {
    if (from != to) vec_push(p->c->mem, &p->c->moves, (RaMove){from, to, v});
}

static inline void add_edit(Pass *p, uint32_t point, RaAlloc from, RaAlloc to, RaVReg v) {
    vec_push(p->c->mem, &p->c->edits, (RaEdit){point, from, to, v});
    if (ra_is_reg(to)) p->written |= ra_set(ra_alloc_preg(to));
}

/* The place from which a value can be read now. */
static inline RaAlloc where(const OpVReg *v) {
    if (v->reg != RA_PREG_NONE) return ra_alloc_reg(v->reg);
    return v->spilled ? ra_alloc_slot(v->slot) : RA_ALLOC_NONE;
}

/* Position just after the last block of loop l. */
static inline uint32_t op_loop_end(const Pass *p, uint32_t l) {
    return 2 * p->f->blocks[p->c->loops.p[l].last_block].inst_end - 1;
}

/* op_prepare.c */
void op_prepare(Pass *p);
/* op_file.c */
uint32_t op_take_slot(Pass *p, OpVReg *v);
void op_give_slot_back(Pass *p, OpVReg *v, uint32_t from); /* dead from instruction `from` on */
void op_spill(Pass *p, OpVReg *v);                         /* the value must be in its slot */
RaPReg op_hint_of(const Pass *p, const OpVReg *v, bool cross);
RaPReg op_pick_free(Pass *p, RaPRegSet free, RaPReg hint, bool callee_saved);
RaPReg op_farthest(Pass *p, RaPRegSet from, uint32_t *distance);
RaPReg op_get_reg(Pass *p, RaPRegSet allowed, RaPRegSet busy, RaPReg hint, bool callee_saved);
void op_flush_moves(Pass *p, uint32_t point, RaPRegSet in_use);
bool op_out_of_regs(Pass *p);
void op_define(Pass *p, uint32_t o, OpVReg *v, RaPReg r);
void op_define_in_slot(Pass *p, uint32_t o, OpVReg *v);
bool op_place_def(Pass *p, uint32_t o, RaPRegSet busy);
/* op_simple.c, op_hard.c: false: not enough registers, said in the diagnostics */
bool op_simple(Pass *p, uint32_t i, bool reuse);
bool op_hard(Pass *p, uint32_t i, bool advance);
/* op_blocks.c */
bool op_enter_block(Pass *p, uint32_t b);
void op_leave_block(Pass *p, uint32_t b);

/* v has no use after this instruction: its register and slot are free. */
static inline void op_free_dying(Pass *p, OpVReg *v) {
    if (v->last > 2 * p->inst) return;
    if (v->reg != RA_PREG_NONE) drop_reg(p, v->reg);
    if (v->slot != NONE) op_give_slot_back(p, v, p->inst + 1);
}
#endif
