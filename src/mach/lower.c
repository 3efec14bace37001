/* mach/lower.c — the lowering driver: CLIF to VCode, backward.
 *
 * Problem  Select machine instructions so that an operation can absorb what feeds it (addresses, constants,
 *          loads, compares), emit nothing for unused pure code, and write the allocator's operands once.
 * Idea     Walk blocks and instructions backward. A value gets its virtual register when a later user asks for
 *          it; only then is its definition lowered. A definition that a rule absorbed completely is never asked
 *          for and vanishes. Each CLIF instruction's machine code goes forward into L->buf, then is prepended to
 *          arrays that grow downwards. A rule's result register that it made itself is renamed to the register
 *          that users already refer to; any other result is copied.
 * Sinking  A load may move down into its only user if no side effect lies between: side effects number
 *          "colours"; equal colours mean nothing lies between. Uses are counted transitively: an argument of
 *          an instruction whose result is used many times counts as used many times, because absorbing code may be
 *          emitted once per user.
 * Anew     A constant is not kept in a register from one block to another: each user in another block makes its own, just
 *          before itself. Loading it again is cheaper than a register that is taken all the way, or a slot.
 * Cost     O(instructions + operands).
 * Ref      cranelift/codegen/src/machinst/lower.rs */
#include "mach/mach_int.h"

uint32_t downvec_want(uint64_t need) {
    uint64_t want = need + need / 2 + 64;
    return (uint32_t)(want > UINT32_MAX / 2 ? need : want);
}

void downvec_grow_(Mem *m, void **p, uint32_t *cap, uint32_t n, uint32_t want, size_t elem) {
    char *fresh = mem_alloc(m, want * elem);
    if (n) memcpy(fresh + (want - n) * elem, (char *)*p + (size_t)(*cap - n) * elem, n * elem);
    mem_free(m, *p, *cap * elem);
    *p = fresh;
    *cap = want;
}

void lower_init(LowerCtx *L, Mem *m, const IsaVtable *isa, const MachSettings *s) {
    memset(L, 0, sizeof *L);
    L->mem = m;
    L->isa = isa;
    L->set = s;
    for (unsigned t = 1; t < 256; t++) {
        if (clif_type_bits((ClifType)t) == 0) continue;
        L->class_of[t] = (uint8_t)isa->reg_class((ClifType)t);
        L->slots_of[t] = clif_type_bits((ClifType)t) > 64 ? 2 : 1;
    }
}

void lower_free(LowerCtx *L) {
    Mem *m = L->mem;
    vec_free(m, &L->buf.insts);
    vec_free(m, &L->buf.op_start);
    vec_free(m, &L->buf.flags);
    vec_free(m, &L->buf.ops);
    vec_free(m, &L->buf.clobbers);
    vec_free(m, &L->vreg_slots);
    vec_free(m, &L->value_reg);
    vec_free(m, &L->inst_pos);
    vec_free(m, &L->anew);
    vec_free(m, &L->value_uses);
    vec_free(m, &L->inst_color);
    vec_free(m, &L->sunk);
    vec_free(m, &L->slot_offset);
    vec_free(m, &L->landing);
    vec_free(m, &L->jt_targets);
    vec_free(m, &L->const_bytes);
    hashmap_free(m, &L->const_map);
}

/* ---- registers ---- */
RaVReg lower_new_vreg(LowerCtx *L, ClifType t) {
    vec_push(L->mem, &L->vreg_slots, L->slots_of[t]);
    return ra_vreg(L->num_vregs++, (RaClass)L->class_of[t]);
}

ValueRegs lower_new_regs(LowerCtx *L, ClifType t) {
    if (t == CLIF_I128) {
        RaVReg lo = lower_new_vreg(L, CLIF_I64);
        return (ValueRegs){{lo, lower_new_vreg(L, CLIF_I64)}, 2};
    }
    return (ValueRegs){{lower_new_vreg(L, t), RA_VREG_NONE}, 1};
}

static ValueRegs regs_from(const LowerCtx *L, ClifValue v, RaVReg lo) {
    if (clif_value_type(L->f, v) == CLIF_I128) return (ValueRegs){{lo, lo + 1}, 2};
    return (ValueRegs){{lo, RA_VREG_NONE}, 1};
}

/* Which argument instruction i merely copies, -1 if it does more than that. Most need not ask the ISA. */
static inline int copied_arg(const LowerCtx *L, ClifInst i) {
    unsigned op = L->f->insts.p[i.i].op;
    bool can = op == CLIF_OP_UEXTEND || op == CLIF_OP_IREDUCE || op == CLIF_OP_BITCAST;
    return can ? L->isa->transparent(L->f, i) : -1;
}

ClifValue lower_copied(const LowerCtx *L, ClifValue v) {
    for (;;) {
        ClifInst copy = lower_def_inst(L, v);
        if (copy.i == CLIF_NONE) return v;
        int k = copied_arg(L, copy);
        if (k < 0) return v;
        v = clif_resolve(L->f, clif_arg(L->f, copy, (uint32_t)k));
    }
}

ValueRegs lower_value_regs(LowerCtx *L, ClifValue v) {
    RaVReg r = L->value_reg.p[v.i];
    if (r != RA_VREG_NONE) return regs_from(L, v, r);
    ClifValue src = lower_copied(L, v);
    r = L->value_reg.p[src.i];
    ClifInst def = lower_def_inst(L, src);
    if (r == RA_VREG_NONE && def.i != CLIF_NONE && lower_is_cheap(L, def) &&
        L->f->links.p[def.i].block != L->cur_block) {
        ValueRegs own = lower_new_regs(L, clif_value_type(L->f, src));
        vec_push(L->mem, &L->anew, def.i);
        vec_push(L->mem, &L->anew, own.r[0]);
        return regs_from(L, v, own.r[0]);
    }
    if (r == RA_VREG_NONE) {
        r = lower_new_regs(L, clif_value_type(L->f, src)).r[0];
        L->value_reg.p[src.i] = r;
    }
    L->value_reg.p[v.i] = r;
    return regs_from(L, v, r);
}

bool lower_is_used(const LowerCtx *L, ClifValue v) {
    return L->value_reg.p[v.i] != RA_VREG_NONE;
}

/* ---- effects, sinking ---- */
static bool has_effect(const ClifFunc *f, const ClifInstData *d) {
    unsigned fl = clif_op_info[d->op].flags;
    if (fl & (CLIF_OPF_TERMINATOR | CLIF_OPF_CALL | CLIF_OPF_RETURN | CLIF_OPF_CAN_STORE |
              CLIF_OPF_CAN_TRAP | CLIF_OPF_OTHER_SIDE_EFFECTS))
        return true;
    return (fl & CLIF_OPF_CAN_LOAD) && clif_memflags(f, d->aux).trap != CLIF_TRAP_NONE;
}

/* One backward pass in block order: aliases resolved, use counts, colours. */
static void count_uses(LowerCtx *L, ClifFunc *f, const BlockOrder *o) {
    uint32_t color = 0, *colors = L->inst_color.p;
    uint8_t *uses = L->value_uses.p; /* 0, 1, 2 = many */
    const ClifValueData *values = f->values.p;
    bool aliases = f->num_aliases != 0;
    for (uint32_t k = o->blocks.n; k--;) {
        const MachBlock *mb = &o->blocks.p[k];
        if (mb->clif == CLIF_NONE) continue;
        color++;
        for (uint32_t c = 0; c < mb->ntarget; c++) {
            uint32_t n, *a = clif_call_args(f, o->target_calls.p[mb->target_first + c], &n);
            for (uint32_t j = 0; j < n; j++) {
                if (a[j] & CLIF_BLOCKARG_MASK) continue;
                if (aliases && values[a[j]].kind == CLIF_VAL_ALIAS)
                    a[j] = clif_resolve_compress(f, (ClifValue){a[j]}).i;
                uses[a[j]] = 2; /* edges never absorb */
            }
        }
        for (uint32_t i = f->blocks.p[mb->clif].last; i != CLIF_NONE; i = f->links.p[i].prev) {
            const ClifInstData *d = &f->insts.p[i];
            uint32_t n, *r;
            uint8_t add = 1;
            if (has_effect(f, d)) {
                color++;
            } else { /* as often as its results are used; what nobody uses uses nothing */
                for (add = 0, r = clif_results(f, (ClifInst){i}, &n); n--; r++)
                    if (uses[*r] > add) add = uses[*r];
            }
            colors[i] = color;
            if (!add) continue;
            uint32_t *a = clif_args(f, (ClifInst){i}, &n);
            for (uint32_t j = 0; j < n; j++) {
                if (aliases && values[a[j]].kind == CLIF_VAL_ALIAS)
                    a[j] = clif_resolve_compress(f, (ClifValue){a[j]}).i;
                uses[a[j]] = uses[a[j]] ? 2 : add;
            }
        }
    }
    for (uint32_t k = 0; k < f->eh_items.n; k++)
        if (f->eh_items.p[k].kind == CLIF_EH_CONTEXT)
            f->eh_items.p[k].context = clif_resolve_compress(f, f->eh_items.p[k].context);
}

bool lower_can_sink(const LowerCtx *L, ClifInst load) {
    const ClifFunc *f = L->f;
    if (bitset_has(&L->sunk, load.i) || f->links.p[load.i].block != L->cur_block) return false;
    ClifValue v = clif_result(f, load, 0);
    if (L->value_uses.p[v.i] != 1 || L->value_reg.p[v.i] != RA_VREG_NONE) return false;
    const ClifInstData *d = &f->insts.p[load.i];
    uint32_t after = L->inst_color.p[load.i] - (has_effect(f, d) ? 1 : 0);
    return after == L->cur_color;
}

void lower_sink(LowerCtx *L, ClifInst load) {
    bitset_add(&L->sunk, load.i);
}

/* ---- constants, tables, errors ---- */
uint32_t lower_const(LowerCtx *L, const void *bytes, uint32_t n) {
    bool fresh;
    uint64_t key = hash_bytes(bytes, n, n);
    uint32_t at = (L->const_bytes.n + n - 1) & ~(n - 1);
    uint32_t *slot = hashmap_get_or_insert(L->mem, &L->const_map, key, at, &fresh);
    if (!fresh && memcmp(L->const_bytes.p + *slot, bytes, n) == 0) return *slot;
    vec_resize0(L->mem, &L->const_bytes, at + n);
    memcpy(L->const_bytes.p + at, bytes, n);
    return at;
}

uint32_t lower_jump_table(LowerCtx *L, const MachLabel *targets, uint32_t n) {
    uint32_t at = L->jt_targets.n;
    memcpy(vec_extend(L->mem, &L->jt_targets, n), targets, n * sizeof *targets);
    return at;
}

bool lower_unsupported(LowerCtx *L, ClifInst i, const char *why) {
    const ClifInstData *data = clif_data(L->f, i);
    char type[16];
    StrBuf sb;
    sb_init(&sb, L->mem);
    clif_print_inst(L->f, i, &sb);
    diag_msg(L->diag, DIAG_UNSUPPORTED, "%s: no code for %s%s%s%s%s in `%s`", L->isa->name,
             clif_op_info[data->op].name, data->type ? "." : "",
             data->type ? clif_type_name(data->type, type) : "", why ? ": " : "", why ? why : "",
             sb_cstr(&sb));
    sb_free(&sb);
    return false;
}

/* ---- the driver ---- */
void lower_grow_buf(LowerCtx *L) {
    uint64_t cap = L->buf.insts.cap ? (uint64_t)L->buf.insts.cap * 2 : 16;
    vec_reserve(L->mem, &L->buf.op_start, cap);
    vec_reserve(L->mem, &L->buf.flags, cap);
    vec_reserve(L->mem, &L->buf.insts, cap); /* last: memory may run out in between */
}

static void buf_clear(struct LowerBuf *b) {
    vec_clear(&b->insts);
    vec_clear(&b->op_start);
    vec_clear(&b->flags);
    vec_clear(&b->ops);
    vec_clear(&b->clobbers);
}

static __attribute__((noinline)) void vcode_grow(VCode *vc, Mem *m, uint64_t need) {
    uint32_t want = downvec_want(need);
    if (vc->op_start.cap <= want) downvec_grow_to(m, &vc->op_start, want + 1);
    if (vc->flags.cap < want) downvec_grow_to(m, &vc->flags, want);
    if (vc->srclocs.cap < want) downvec_grow_to(m, &vc->srclocs, want);
    downvec_grow_to(m, &vc->insts, want); /* last: memory may run out in between */
}

/* Copies n operands, mostly few. */
static inline void copy_ops(RaOperand *to, const RaOperand *from, uint32_t n) {
    if (n > 4) {
        memcpy(to, from, n * sizeof *to);
        return;
    }
    if (n > 0) to[0] = from[0];
    if (n > 1) to[1] = from[1];
    if (n > 2) to[2] = from[2];
    if (n > 3) to[3] = from[3];
}

/* Prepends the buffer to the function. */
static void flush(LowerCtx *L, VCode *vc, ClifSrcLoc loc) {
    struct LowerBuf *b = &L->buf;
    uint32_t k = b->insts.n, nops = b->ops.n;
    if (k == 0) return;
    Mem *m = L->mem;
    if (nops) copy_ops(downvec_prepend(m, &vc->ops, nops), b->ops.p, nops);
    uint32_t n = vc->insts.n + k;
    if (n > vc->insts.cap) vcode_grow(vc, m, n);
    vc->insts.n = vc->flags.n = vc->srclocs.n = n;
    vc->op_start.n = n + 1; /* and the sentinel */
    MachInst *insts = vc->insts.p + (vc->insts.cap - n);
    uint8_t *flags = vc->flags.p + (vc->flags.cap - n);
    uint32_t *start = vc->op_start.p + (vc->op_start.cap - (n + 1));
    uint32_t *locs = vc->srclocs.p + (vc->srclocs.cap - n);
    uint32_t end = vc->ops.n, i = 0;
    do {
        insts[i] = b->insts.p[i];
        flags[i] = b->flags.p[i];
        start[i] = end - b->op_start.p[i]; /* distance from the end of all operands */
        locs[i] = loc;
    } while (++i < k);
    for (i = b->clobbers.n; i--;) {
        RaClobber c = b->clobbers.p[i];
        c.inst = n - c.inst; /* distance from the end of all instructions */
        vec_push(m, &vc->clobbers, c);
    }
    buf_clear(b);
}

/* Renames `from` in the buffer if it is defined there; false if not. */
static bool rename_def(LowerCtx *L, RaVReg from, RaVReg to) {
    RaOperand *op = L->buf.ops.p;
    uint32_t i = 0, n = L->buf.ops.n;
    while (i < n && !(op[i].vreg == from && op[i].kind == RA_DEF)) i++;
    if (i == n) return false;
    for (i = 0; i < n; i++)
        if (op[i].vreg == from) op[i].vreg = to;
    return true;
}

/* Connects what the rule produced with what later code refers to. A register that the rule's code defines is
 * renamed; one that means something else already (an argument's, handed on as the result) is copied. */
static void bind_result(LowerCtx *L, ClifValue v, RaVReg want, ValueRegs got, uint32_t fresh_from) {
    if (want == RA_VREG_NONE) return;
    ValueRegs w = regs_from(L, v, want);
    for (unsigned k = 0; k < w.n; k++) {
        if (got.r[k] == w.r[k]) continue;
        if (k == 1 && got.r[1] == got.r[0]) got.r[1] = w.r[0]; /* both halves alike */
        if (ra_vreg_index(got.r[k]) < fresh_from || !rename_def(L, got.r[k], w.r[k]))
            L->isa->lower_copy(L, w.r[k], got.r[k], w.n == 2 ? CLIF_I64 : clif_value_type(L->f, v));
    }
}

/* The buffer, and before it the constants that it wants for itself. */
static bool flush_all(LowerCtx *L, VCode *vc, ClifSrcLoc loc) {
    flush(L, vc, loc);
    while (L->anew.n) {
        RaVReg want = vec_pop(&L->anew);
        ClifInst def = {vec_pop(&L->anew)};
        uint32_t fresh_from = L->num_vregs, n;
        ValueRegs out;
        L->cur_inst = def.i;
        if (!L->isa->lower_inst(L, def, &out)) return false;
        bind_result(L, (ClifValue){*clif_results(L->f, def, &n)}, want, out, fresh_from);
        flush(L, vc, loc);
    }
    return true;
}

#define MAX_RESULTS 1024
/* Must code be made for the instruction? Not if it was absorbed, or is pure and nobody asked for a result. */
static inline bool is_wanted(const LowerCtx *L, ClifInst inst) {
    const ClifFunc *f = L->f;
    if (has_effect(f, &f->insts.p[inst.i])) return !bitset_has(&L->sunk, inst.i);
    bool used = false;
    uint32_t n, *r = clif_results(f, inst, &n);
    for (uint32_t j = 0; j < n; j++) used |= L->value_reg.p[r[j]] != RA_VREG_NONE;
    return used && !bitset_has(&L->sunk, inst.i) && copied_arg(L, inst) < 0;
}

static bool lower_one(LowerCtx *L, VCode *vc, ClifInst inst, const BlockOrder *o,
                      const MachBlock *mb) {
    const ClifFunc *f = L->f;
    const ClifInstData *d = &f->insts.p[inst.i];
    uint32_t n, *r = clif_results(f, inst, &n);
    L->cur_inst = inst.i;
    L->cur_color = L->inst_color.p[inst.i];
    uint32_t fresh_from = L->num_vregs;
    if (clif_op_info[d->op].format == CLIF_FMT_UnaryGlobalValue &&
        L->f->gvs.p[d->a].kind != CLIF_GV_SYMBOL)
        return lower_unsupported(L, inst, "a global value that is no symbol");
    if (clif_op_is((ClifOp)d->op, CLIF_OPF_BRANCH)) {
        if (!L->isa->lower_branch(L, inst, o->targets.p + mb->target_first, mb->ntarget))
            return false;
    } else {
        if (n > MAX_RESULTS) return lower_unsupported(L, inst, "more than 1024 results");
        ValueRegs out[MAX_RESULTS];
        if (!L->isa->lower_inst(L, inst, out)) return false;
        for (uint32_t j = 0; j < n; j++)
            bind_result(L, (ClifValue){r[j]}, L->value_reg.p[r[j]], out[j], fresh_from);
    }
    return flush_all(L, vc, f->srclocs.p[inst.i]);
}

/* ---- landing blocks ---- */
MachLabel lower_handler_label(const LowerCtx *L, ClifBlock b, uint32_t index) {
    const BlockOrder *o = L->order;
    if (b.i >= L->f->blocks.n || o->npred.p[b.i] == 0) return MACH_LABEL_NONE;
    const MachBlock *mb = &o->blocks.p[o->label.p[b.i]];
    return index < mb->ntarget - 1 ? o->targets.p[mb->target_first + 1 + index] : MACH_LABEL_NONE;
}

static void begin_landing(LowerCtx *L, const MachBlock *mb) {
    uint32_t n = clif_call_sig(L->f, (ClifInst){mb->landing - 1})->nreturns;
    n = 2 * (n > 2 ? n : 2);
    vec_clear(&L->landing);
    memset(vec_extend(L->mem, &L->landing, n), 0xFF, n * sizeof(uint32_t)); /* RA_VREG_NONE */
}

/* A result or a word of payload that the edge passes on. */
static ValueRegs landing_value(LowerCtx *L, const MachBlock *mb, uint32_t arg) {
    const ClifSig *s = clif_call_sig(L->f, (ClifInst){mb->landing - 1});
    uint32_t k = arg & ~CLIF_BLOCKARG_MASK;
    ClifType t =
        arg & CLIF_BLOCKARG_TRY_EXN ? CLIF_I64 : (ClifType)L->f->abi_params.p[s->returns + k].type;
    RaVReg *r = &L->landing.p[2 * k];
    if (r[0] == RA_VREG_NONE) {
        ValueRegs fresh = lower_new_regs(L, t);
        r[0] = fresh.r[0];
        r[1] = fresh.r[1];
    }
    return (ValueRegs){{r[0], r[1]}, t == CLIF_I128 ? 2 : 1};
}

/* The arguments passed along the edges of block mb: asked for before the block's own code. */
static void edge_args(LowerCtx *L, VCode *vc, const BlockOrder *o, const MachBlock *mb) {
    for (uint32_t e = mb->succ_first + mb->nsucc; e-- > mb->succ_first;) {
        ListRef call = o->edge_calls.p[e];
        uint32_t before = vc->branch_args.n;
        if (call) {
            uint32_t n = list_len(&L->f->lists, call) - 1;
            for (uint32_t j = n; j-- > 0;) {
                uint32_t v = list_data(&L->f->lists, call)[1 + j];
                ValueRegs vr = v & CLIF_BLOCKARG_MASK ? landing_value(L, mb, v)
                                                      : lower_value_regs(L, (ClifValue){v});
                for (unsigned k = vr.n; k-- > 0;)
                    *downvec_prepend(L->mem, &vc->branch_args, 1) = vr.r[k];
            }
        }
        vc->edge_args.p[e] = vc->branch_args.n - before; /* count; summed up later */
    }
}

static void stack_slots(LowerCtx *L) {
    vec_clear(&L->slot_offset);
    uint64_t at = 0;
    for (uint32_t s = 0; s < L->f->slots.n; s++) {
        unsigned al = L->f->slots.p[s].align_log2;
        uint64_t a = (uint64_t)1 << (al < 3 ? 3 : al > 4 ? 4 : al);
        at = (at + a - 1) & ~(a - 1);
        vec_push(L->mem, &L->slot_offset, (uint32_t)at);
        at += L->f->slots.p[s].size;
        if (at > INT32_MAX / 2) {
            diag_msg(L->diag, DIAG_LIMIT, "stack slots of more than 1 GiB");
            return;
        }
    }
    L->slots_size = (uint32_t)((at + 15) & ~(uint64_t)15);
}

static void begin(LowerCtx *L, VCode *vc, const ClifFunc *f, const BlockOrder *o, Diag *d) {
    Mem *m = L->mem;
    L->f = f;
    L->diag = d;
    L->num_vregs = 0;
    L->outgoing_args = 0;
    L->has_calls = false;
    L->incoming_args = L->tail_args = 0;
    L->clobbered = 0;
    L->order = o;
    L->ret_area_ptr = RA_VREG_NONE;
    vec_clear(&L->vreg_slots);
    vec_clear(&L->anew);
    vec_clear(&L->value_reg);
    (void)vec_extend(m, &L->value_reg, f->values.n);
    if (f->values.n) memset(L->value_reg.p, 0xFF, f->values.n * sizeof(uint32_t));
    vec_clear(&L->value_uses);
    vec_resize0(m, &L->value_uses, f->values.n);
    vec_clear(&L->inst_color);
    (void)vec_extend(m, &L->inst_color, f->insts.n);
    bitset_resize0(m, &L->sunk, f->insts.n);
    vec_clear(&L->inst_pos);
    if (f->labels.n) vec_resize0(m, &L->inst_pos, f->insts.n);
    vec_clear(&L->jt_targets);
    vec_clear(&L->const_bytes);
    hashmap_clear(&L->const_map);
    buf_clear(&L->buf);
    vc->insts.n = vc->op_start.n = vc->flags.n = vc->srclocs.n = vc->ops.n = vc->branch_args.n = 0;
    /* About as many machine instructions as CLIF ones, and two operands each: a large function grows once. */
    if (f->insts.n > vc->insts.cap) vcode_grow(vc, m, f->insts.n);
    if (f->insts.n > vc->ops.cap / 2)
        downvec_grow_to(m, &vc->ops, downvec_want(2 * (uint64_t)f->insts.n));
    *downvec_prepend(m, &vc->op_start, 1) = 0; /* the sentinel after the last instruction */
    if (!vc->ops.p) downvec_grow_to(m, &vc->ops, downvec_want(1)); /* never null, even if empty */
    vec_clear(&vc->clobbers);
    vec_clear(&vc->params);
    vec_clear(&vc->blocks);
    (void)vec_extend(m, &vc->blocks, o->blocks.n);
    vec_clear(&vc->edge_args);
    vec_resize0(m, &vc->edge_args, o->succs.n + 1);
    stack_slots(L);
}

/* Turns distances from the end into positions; block ranges, parameters, edge arguments. */
static void finish(LowerCtx *L, VCode *vc, const BlockOrder *o) {
    Mem *m = L->mem;
    uint32_t n = vc->insts.n, nops = vc->ops.n;
    vc->num_insts = n;
    uint32_t *start = downvec_data(&vc->op_start);
    for (uint32_t i = 0; i <= n; i++) start[i] = nops - start[i];
    for (uint32_t i = 0, j = vc->clobbers.n; i < j; i++)
        vc->clobbers.p[i].inst = n - vc->clobbers.p[i].inst;
    for (uint32_t i = 0, j = vc->clobbers.n; i + 1 < j; i++, j--) {
        RaClobber t = vc->clobbers.p[i];
        vc->clobbers.p[i] = vc->clobbers.p[j - 1];
        vc->clobbers.p[j - 1] = t;
    }
    uint32_t sum = 0;
    for (uint32_t e = 0; e <= o->succs.n; e++) {
        uint32_t k = vc->edge_args.p[e];
        vc->edge_args.p[e] = sum;
        sum += e < o->succs.n ? k : 0;
    }
    for (uint32_t b = 0; b < o->blocks.n; b++) {
        const MachBlock *mb = &o->blocks.p[b];
        RaBlock *rb = &vc->blocks.p[b];
        rb->inst_start = n - rb->inst_start;
        rb->inst_end = n - rb->inst_end;
        rb->succ_start = mb->succ_first;
        rb->succ_end = mb->succ_first + mb->nsucc;
        rb->pred_start = o->pred_first.p[b];
        rb->pred_end = o->pred_first.p[b + 1];
        rb->param_start = vc->params.n;
        if (mb->clif != CLIF_NONE && b != 0) {
            uint32_t np, *p = clif_block_params(L->f, (ClifBlock){mb->clif}, &np);
            for (uint32_t j = 0; j < np; j++) {
                ValueRegs vr = lower_value_regs(L, (ClifValue){p[j]});
                for (unsigned k = 0; k < vr.n; k++) vec_push(m, &vc->params, vr.r[k]);
            }
        }
        rb->param_end = vc->params.n;
    }
}

static bool lower_entry(LowerCtx *L, VCode *vc) {
    uint32_t np, *p = clif_block_params(L->f, (ClifBlock){L->f->first_block}, &np);
    uint32_t k = 0;
    RaVReg regs[2 * 1024];
    if (np > 1024) return diag_msg(L->diag, DIAG_LIMIT, "more than 1024 parameters");
    for (uint32_t j = 0; j < np; j++) {
        if (!lower_is_used(L, (ClifValue){p[j]})) {
            regs[k++] = RA_VREG_NONE;
            if (clif_value_type(L->f, (ClifValue){p[j]}) == CLIF_I128) regs[k++] = RA_VREG_NONE;
            continue;
        }
        ValueRegs vr = lower_value_regs(L, (ClifValue){p[j]});
        for (unsigned q = 0; q < vr.n; q++) regs[k++] = vr.r[q];
    }
    if (!L->isa->lower_args(L, regs, k)) return false;
    flush(L, vc, CLIF_NONE);
    return true;
}

bool lower_function(LowerCtx *L, VCode *vc, ClifFunc *f, const BlockOrder *o, Diag *d) {
    begin(L, vc, f, o, d);
    if (d->kind) return false;
    count_uses(L, f, o);
    for (uint32_t b = o->blocks.n; b--;) {
        const MachBlock *mb = &o->blocks.p[b];
        RaBlock *rb = &vc->blocks.p[b];
        rb->inst_end = vc->insts.n;
        if (mb->landing) begin_landing(L, mb);
        L->cur_block = mb->clif;
        edge_args(L, vc, o, mb);
        if (mb->clif == CLIF_NONE) {
            L->isa->lower_jump(L, o->succs.p[mb->succ_first]);
            if (!flush_all(L, vc, CLIF_NONE)) return false;
            if (mb->landing && !L->isa->lower_landing(L, (ClifInst){mb->landing - 1},
                                                      mb->landing_call != 0, L->landing.p))
                return false;
            flush(L, vc, CLIF_NONE); /* first in the block, also before constants */
        } else {
            for (uint32_t i = f->blocks.p[mb->clif].last; i != CLIF_NONE; i = f->links.p[i].prev) {
                if (L->inst_pos.n) L->inst_pos.p[i] = vc->insts.n;
                if (is_wanted(L, (ClifInst){i}) && !lower_one(L, vc, (ClifInst){i}, o, mb))
                    return false;
            }
            if (b == 0 && !lower_entry(L, vc)) return false;
        }
        rb->inst_start = vc->insts.n;
    }
    finish(L, vc, o);
    return d->kind == DIAG_NONE;
}
