/* isa/x64/call.c — lowering of what crosses a function's border: parameters, calls, returns, tail calls, exceptions.
 *
 * A call stores its stack parameters at the bottom of the frame (XM_OUTARG), a tail call where its own incoming ones are
 * (XM_TAILARG); no value is read from there later, because a function loads all of its stack parameters at its start.
 * A try_call ends its block. Each of its edges has a block of its own, which begins with an instruction (LANDING) that
 * defines what has come in registers: results after a return, the payload in rax and rdx at a handler. */
#include "isa/x64/x64.h"

static X64Rm mode_rm(X64Mode mode, int32_t off) {
    return (X64Rm){.kind = XK_MEM, .mode = (uint8_t)mode, .disp = off};
}
static X64Rm base_rm(RaVReg base, uint32_t off) {
    return (X64Rm){.kind = XK_MEM, .mode = XM_BASE, .disp = (int32_t)off, .r = base};
}
static X64Rm reg_rm(RaVReg r) {
    return (X64Rm){.kind = XK_REG, .r = r};
}
static RaVReg address(LowerCtx *L, X64Rm m) {
    RaVReg r = lower_new_vreg(L, CLIF_I64);
    x64_rm_inst(L, X64_LEA, 3, r, m);
    return r;
}

/* Places of 8 bytes hold small floats as 4 bytes. */
static unsigned float_size(ClifType t) {
    return clif_type_bits(t) > 32 ? 3 : 2;
}
static void load_part(LowerCtx *L, RaVReg dst, ClifType t, X64Rm m) {
    if (clif_type_bits(t) == 128)
        x64_rm_inst(L, X64_MOVUPS, 2, dst, m);
    else if (x64_is_float(t))
        x64_rm_inst(L, X64_MOVS, float_size(t), dst, m);
    else
        x64_rm_inst(L, X64_MOV, t == CLIF_I64 ? 3 : 2, dst, m);
}
static void store_part(LowerCtx *L, RaVReg src, const X64Loc *l, X64Rm m) {
    ClifType t = l->type;
    if (clif_type_bits(t) == 128)
        x64_store(L, X64_MOVUPS_ST, 2, m, reg_rm(src));
    else if (x64_is_float(t))
        x64_store(L, X64_MOVS_ST, float_size(t), m, reg_rm(src));
    else
        x64_store(L, X64_STORE, l->packed ? x64_size(t) : 3, m, reg_rm(src));
}

/* The value to pass for v: extended if the signature asks for it. */
static RaVReg extended(LowerCtx *L, RaVReg v, ClifType t, uint8_t ext) {
    if (ext == CLIF_EXT_NONE || t >= CLIF_I64 || (t == CLIF_I32 && ext == CLIF_EXT_UEXT)) return v;
    RaVReg d = lower_new_vreg(L, CLIF_I64);
    bool s = ext == CLIF_EXT_SEXT;
    if (t == CLIF_I32)
        x64_rm_inst(L, X64_MOVSXD, 3, d, reg_rm(v));
    else if (t == CLIF_I16)
        x64_rm_inst(L, s ? X64_MOVSX16 : X64_MOVZX16, s ? 3 : 2, d, reg_rm(v));
    else
        x64_rm_inst(L, s ? X64_MOVSX8 : X64_MOVZX8, s ? 3 : 2, d, reg_rm(v));
    return d;
}

/* After the instruction that defined `raw` in a register: does an i32 from a foreign convention need its upper half cleared? */
static bool dirty(uint8_t conv, ClifType t) {
    return t == CLIF_I32 && !x64_own_conv(conv);
}

static bool assign_both(LowerCtx *L, const ClifSig *s, X64Assign *a, X64Assign *r) {
    return x64_assign(L->set, L->f, s, false, false, r, L->diag) &&
           x64_assign(L->set, L->f, s, true, r->stack > 0, a, L->diag);
}
static uint32_t area_of(const X64Assign *a) { /* where the return area is, from rsp */
    return (a->stack + 15) & ~15u;
}

/* ---- incoming parameters ---- */
static void load_incoming(LowerCtx *L, RaVReg v, const X64Loc *l, RaVReg raw) {
    if (l->kind == XL_STRUCT) {
        x64_rm_inst(L, X64_LEA, 3, v, mode_rm(XM_INARG, (int32_t)l->off));
    } else if (l->kind == XL_INDIRECT) {
        if (!l->in_reg) {
            raw = lower_new_vreg(L, CLIF_I64);
            x64_rm_inst(L, X64_MOV, 3, raw, mode_rm(XM_INARG, (int32_t)l->off));
        }
        load_part(L, v, l->type, base_rm(raw, 0));
    } else if (!l->in_reg) {
        load_part(L, v, l->type, mode_rm(XM_INARG, (int32_t)l->off));
    } else if (raw != v) {
        x64_rm_inst(L, X64_MOV, 2, v, reg_rm(raw));
    }
}

bool x64_lower_args(LowerCtx *L, const RaVReg *regs, uint32_t n) {
    const ClifSig *s = &L->f->sig;
    X64Assign a, r;
    if (!assign_both(L, s, &a, &r)) return false;
    COT_ASSERT(a.n == n);
    if (s->callconv == CLIF_CC_TAIL) {
        L->incoming_args = area_of(&a);
        if (L->tail_args < L->incoming_args) L->tail_args = L->incoming_args;
    }
    RaVReg raw[X64_MAX_LOCS];
    lower_begin(L, X64_ARGS);
    lower_set_flags(L, RA_INST_ENTRY);
    if (a.has_hidden && L->ret_area_ptr != RA_VREG_NONE)
        lower_def(L, L->ret_area_ptr, RA_FIXED, a.hidden.reg);
    for (uint32_t i = 0; i < n; i++) {
        raw[i] = regs[i];
        if (regs[i] == RA_VREG_NONE || !a.locs[i].in_reg) continue;
        if (a.locs[i].kind == XL_INDIRECT || dirty(s->callconv, a.locs[i].type))
            raw[i] = lower_new_vreg(L, CLIF_I64);
        lower_def(L, raw[i], RA_FIXED, a.locs[i].reg);
    }
    for (uint32_t i = 0; i < n; i++)
        if (regs[i] != RA_VREG_NONE) load_incoming(L, regs[i], &a.locs[i], raw[i]);
    return true;
}

/* ---- returns ---- */
static RaVReg ret_area(LowerCtx *L) {
    if (L->ret_area_ptr == RA_VREG_NONE) L->ret_area_ptr = lower_new_vreg(L, CLIF_I64);
    return L->ret_area_ptr;
}

static RaVReg sret_value(LowerCtx *L) {
    uint32_t n, *p = clif_block_params(L->f, (ClifBlock){L->f->first_block}, &n);
    for (uint32_t i = 0; i < L->f->sig.nparams; i++)
        if (L->f->abi_params.p[L->f->sig.params + i].purpose == CLIF_ARG_STRUCT_RETURN)
            return lower_value_reg(L, (ClifValue){p[i]});
    COT_BUG("x64: no sret parameter");
}

bool x64_lower_return(LowerCtx *L, ClifInst i) {
    X64Assign r;
    const ClifSig *s = &L->f->sig;
    if (!x64_assign(L->set, L->f, s, false, false, &r, L->diag)) return false;
    uint32_t n, *args = clif_args(L->f, i, &n), k = 0;
    RaVReg v[X64_MAX_LOCS];
    for (uint32_t j = 0; j < n; j++) {
        ValueRegs vr = lower_value_regs(L, (ClifValue){args[j]});
        for (unsigned q = 0; q < vr.n; q++, k++)
            v[k] = extended(L, vr.r[q], r.locs[k].type, r.locs[k].ext);
    }
    bool sret = x64_returns_sret(L->f, s);
    RaVReg sv = sret ? sret_value(L) : RA_VREG_NONE;
    if (r.stack) ret_area(L);
    for (uint32_t j = 0; j < k; j++)
        if (!r.locs[j].in_reg)
            store_part(L, v[j], &r.locs[j], base_rm(L->ret_area_ptr, r.locs[j].off));
    lower_begin(L, X64_RET);
    lower_set_flags(L, RA_INST_RET);
    if (sret) lower_use(L, sv, RA_FIXED, RAX);
    for (uint32_t j = 0; j < k; j++)
        if (r.locs[j].in_reg) lower_use(L, v[j], RA_FIXED, r.locs[j].reg);
    return true;
}

/* ---- passing arguments ---- */
typedef struct Callee {
    bool indirect, near;
    RaVReg reg;
    ClifName name;
    const ClifSig *sig;
    uint32_t first; /* argument */
} Callee;

static Callee callee_of(LowerCtx *L, ClifInst i) {
    const ClifFunc *f = L->f;
    const ClifInstData *d = clif_data(f, i);
    Callee c = {.sig = clif_call_sig(f, i)};
    if (d->op == CLIF_OP_CALL || d->op == CLIF_OP_RETURN_CALL || d->op == CLIF_OP_TRY_CALL) {
        const ClifExtFunc *ef = &f->funcs.p[d->b];
        c.near = ef->colocated;
        c.name = ef->name;
        if (c.name.kind == CLIF_NAME_LIBCALL) c.near |= L->set->use_colocated_libcalls;
    } else {
        uint32_t n, *args = clif_args(f, i, &n);
        c.indirect = true;
        c.first = 1;
        c.reg = lower_value_reg(L, (ClifValue){args[0]});
    }
    return c;
}

static void put_callee(MachInst *mi, const Callee *c) {
    if (c->indirect) return;
    mi->b[1] = (uint8_t)c->name.kind;
    mi->aux = c->name.a;
    mi->aux2 = c->name.b;
    mi->b[5] = c->near;
}

#define COPY_INLINE 128u
/* A structure goes to the stack: in pieces of 16 and 8 bytes, or by a string instruction. */
static void copy_struct(LowerCtx *L, X64Rm to, RaVReg from, uint32_t size) {
    if (size <= COPY_INLINE) {
        for (uint32_t at = 0; at < size;) {
            bool wide = size - at >= 16;
            RaVReg t = lower_new_vreg(L, wide ? CLIF_I8X16 : CLIF_I64);
            X64Rm m = to;
            m.disp += (int32_t)at;
            x64_rm_inst(L, wide ? X64_MOVUPS : X64_MOV, wide ? 2 : 3, t, base_rm(from, at));
            x64_store(L, wide ? X64_MOVUPS_ST : X64_STORE, wide ? 2 : 3, m, reg_rm(t));
            at += wide ? 16 : 8;
        }
        return;
    }
    RaVReg d = address(L, to), n = x64_int_const(L, CLIF_I64, size / 8);
    lower_begin(L, X64_REP_MOVS);
    lower_use(L, d, RA_FIXED, RDI);
    lower_use(L, from, RA_FIXED, RSI);
    lower_use(L, n, RA_FIXED, RCX);
    lower_clobber(L, ra_set(RDI) | ra_set(RSI) | ra_set(RCX));
}

/* Stack parameters are stored, relative to `base` in `mode`; v[] becomes what goes to registers. */
static void store_args(LowerCtx *L, const X64Assign *a, X64Mode mode, int32_t base, RaVReg *v) {
    for (uint32_t i = 0; i < a->n; i++)
        if (a->locs[i].kind == XL_STRUCT)
            copy_struct(L, mode_rm(mode, base + (int32_t)a->locs[i].off), v[i], a->locs[i].size);
    for (uint32_t i = 0; i < a->n; i++) {
        const X64Loc *l = &a->locs[i];
        if (l->kind == XL_STRUCT) continue;
        if (l->kind == XL_INDIRECT) {
            X64Rm m = mode_rm(mode, base + (int32_t)l->size);
            x64_store(L, X64_MOVUPS_ST, 2, m, reg_rm(v[i]));
            v[i] = address(L, m);
            X64Loc p = {.type = CLIF_I64};
            if (!l->in_reg) store_part(L, v[i], &p, mode_rm(mode, base + (int32_t)l->off));
            continue;
        }
        v[i] = extended(L, v[i], l->type, l->ext);
        if (!l->in_reg) store_part(L, v[i], l, mode_rm(mode, base + (int32_t)l->off));
    }
}

static bool gather_args(LowerCtx *L, ClifInst i, const Callee *c, RaVReg *v, uint32_t *k) {
    uint32_t n;
    clif_args(L->f, i, &n);
    *k = 0;
    if (n > X64_MAX_LOCS / 2) return lower_unsupported(L, i, "too many arguments");
    for (uint32_t j = c->first; j < n; j++) {
        ValueRegs vr = lower_value_regs(L, (ClifValue){clif_args(L->f, i, &n)[j]});
        for (unsigned q = 0; q < vr.n; q++) v[(*k)++] = vr.r[q];
    }
    return true;
}

/* Variadic functions: system_v wants the number of vector registers in al, windows_fastcall floats in the integer register of
 * their position as well. Makes the values; variadic_uses adds the operands. */
typedef struct Variadic {
    RaVReg al, copy[4];
} Variadic;
static Variadic variadic_values(LowerCtx *L, const ClifSig *s, const X64Assign *a,
                                const RaVReg *v) {
    Variadic va = {RA_VREG_NONE, {RA_VREG_NONE, RA_VREG_NONE, RA_VREG_NONE, RA_VREG_NONE}};
    if (!s->variadic || x64_own_conv(s->callconv)) return va;
    uint32_t vectors = 0;
    for (uint32_t i = 0; i < a->n; i++) {
        const X64Loc *l = &a->locs[i];
        if (!l->in_reg || l->kind != XL_PLAIN || !x64_is_float(l->type)) continue;
        vectors++;
        if (s->callconv != CLIF_CC_WINDOWS_FASTCALL) continue;
        RaVReg g = lower_new_vreg(L, CLIF_I64);
        MachInst *mi = lower_begin(L, X64_MOVD_R);
        mi->b[0] = 3;
        lower_def(L, g, RA_REG, 0);
        lower_use(L, v[i], RA_REG, 0);
        va.copy[l->reg - X64_XMM] = g;
    }
    if (s->callconv != CLIF_CC_WINDOWS_FASTCALL) va.al = x64_int_const(L, CLIF_I32, vectors);
    return va;
}
static void variadic_uses(LowerCtx *L, const Variadic *va) {
    static const uint8_t win[] = {RCX, RDX, R8, R9};
    if (va->al != RA_VREG_NONE) lower_use(L, va->al, RA_FIXED, RAX);
    for (unsigned k = 0; k < 4; k++)
        if (va->copy[k] != RA_VREG_NONE) lower_use(L, va->copy[k], RA_FIXED, win[k]);
}

/* The call instruction up to its register arguments; the caller adds what it defines and clobbers. */
static MachInst *begin_call(LowerCtx *L, const Callee *c, const X64Assign *a, const X64Assign *r,
                            RaVReg *v) {
    uint32_t area = area_of(a), need = area + ((r->stack + 15) & ~15u);
    if (need > L->outgoing_args) L->outgoing_args = need;
    L->has_calls = true;
    store_args(L, a, XM_OUTARG, 0, v);
    RaVReg hidden = RA_VREG_NONE;
    if (a->has_hidden) hidden = address(L, mode_rm(XM_OUTARG, (int32_t)area));
    Variadic va = variadic_values(L, c->sig, a, v);
    MachInst *mi = lower_begin(L, c->indirect ? X64_CALL_R : X64_CALL);
    put_callee(mi, c);
    if (c->sig->callconv == CLIF_CC_TAIL) mi->disp = (int32_t)area; /* which the callee pops */
    if (c->indirect) lower_use(L, c->reg, RA_REG, 0);
    lower_set_flags(L, RA_INST_CALL);
    if (a->has_hidden) lower_use(L, hidden, RA_FIXED, a->hidden.reg);
    for (uint32_t i = 0; i < a->n; i++)
        if (a->locs[i].in_reg) lower_use(L, v[i], RA_FIXED, a->locs[i].reg);
    variadic_uses(L, &va);
    return mi;
}

/* Definitions of the results in registers, by the instruction begun last; out[] is NONE where nobody wants it. Returns the
 * registers defined. */
static RaPRegSet define_results(LowerCtx *L, uint8_t cc, const X64Assign *r, const RaVReg *out,
                                RaVReg *raw) {
    RaPRegSet defined = 0;
    for (uint32_t i = 0; i < r->n; i++) {
        raw[i] = out[i];
        if (out[i] == RA_VREG_NONE || !r->locs[i].in_reg) continue;
        if (dirty(cc, r->locs[i].type)) raw[i] = lower_new_vreg(L, CLIF_I64);
        lower_def(L, raw[i], RA_FIXED, r->locs[i].reg);
        defined |= ra_set(r->locs[i].reg);
    }
    return defined;
}
static void fetch_results(LowerCtx *L, const X64Assign *a, const X64Assign *r, const RaVReg *out,
                          const RaVReg *raw) {
    for (uint32_t i = 0; i < r->n; i++) {
        const X64Loc *l = &r->locs[i];
        if (out[i] == RA_VREG_NONE) continue;
        if (!l->in_reg)
            load_part(L, out[i], l->type, mode_rm(XM_OUTARG, (int32_t)(area_of(a) + l->off)));
        else if (raw[i] != out[i])
            x64_rm_inst(L, X64_MOV, 2, out[i], reg_rm(raw[i]));
    }
}

/* ---- calls ---- */
bool x64_lower_call(LowerCtx *L, ClifInst i, ValueRegs *out) {
    const ClifFunc *f = L->f;
    Callee c = callee_of(L, i);
    X64Assign a, r;
    RaVReg v[X64_MAX_LOCS], res[X64_MAX_LOCS], raw[X64_MAX_LOCS];
    uint32_t k, nr, *rv, p = 0;
    if (!assign_both(L, c.sig, &a, &r) || !gather_args(L, i, &c, v, &k)) return false;
    COT_ASSERT(a.n == k);
    begin_call(L, &c, &a, &r, v);
    rv = clif_results(f, i, &nr);
    for (uint32_t j = 0; j < nr; j++) {
        bool used = lower_is_used(L, (ClifValue){rv[j]});
        unsigned parts = clif_value_type(f, (ClifValue){rv[j]}) == CLIF_I128 ? 2 : 1;
        for (unsigned q = 0; q < parts; q++, p++)
            res[p] = used ? lower_new_vreg(L, r.locs[p].type) : RA_VREG_NONE;
    }
    RaPRegSet defined = define_results(L, c.sig->callconv, &r, res, raw);
    lower_clobber(L, x64_call_clobbers(L->set, c.sig->callconv, false) & ~defined);
    fetch_results(L, &a, &r, res, raw);
    p = 0;
    for (uint32_t j = 0; j < nr; j++) {
        bool wide = clif_value_type(f, (ClifValue){rv[j]}) == CLIF_I128;
        out[j] = (ValueRegs){{res[p], wide ? res[p + 1] : RA_VREG_NONE}, wide ? 2 : 1};
        p += wide ? 2 : 1;
    }
    return true;
}

bool x64_lower_tail_call(LowerCtx *L, ClifInst i) {
    Callee c = callee_of(L, i);
    if (c.sig->callconv != CLIF_CC_TAIL || L->f->sig.callconv != CLIF_CC_TAIL)
        return lower_unsupported(L, i, "tail calls need the tail convention");
    X64Assign a, r;
    RaVReg v[X64_MAX_LOCS];
    uint32_t k;
    if (!assign_both(L, c.sig, &a, &r) || !gather_args(L, i, &c, v, &k)) return false;
    COT_ASSERT(a.n == k);
    for (uint32_t j = 0; j < a.n; j++)
        if (a.locs[j].kind == XL_STRUCT) /* it may be a copy of one that lies where it goes */
            return lower_unsupported(L, i, "structure by value in a tail call");
    uint32_t size = area_of(&a);
    if (L->tail_args < size) L->tail_args = size;
    store_args(L, &a, XM_TAILARG, -(int32_t)size, v);
    if (a.has_hidden) ret_area(L);
    MachInst *mi = lower_begin(L, c.indirect ? X64_TAIL_CALL_R : X64_TAIL_CALL);
    put_callee(mi, &c);
    mi->disp = (int32_t)size;
    lower_set_flags(L, RA_INST_RET);
    /* not where an argument is, nor a register that gets its old value back before the jump */
    if (c.indirect) lower_use(L, c.reg, RA_FIXED, R10);
    if (a.has_hidden) lower_use(L, L->ret_area_ptr, RA_FIXED, a.hidden.reg);
    for (uint32_t j = 0; j < a.n; j++)
        if (a.locs[j].in_reg) lower_use(L, v[j], RA_FIXED, a.locs[j].reg);
    return true;
}

/* Floating-point routines of the library: all arguments and the result have type t. */
bool x64_lower_libcall(LowerCtx *L, ClifLibCall lc, const RaVReg *args, uint32_t n, ClifType t,
                       RaVReg *result) {
    uint8_t cc = x64_libcall_conv(L->set);
    if (cc == CLIF_CC_WINDOWS_FASTCALL && L->outgoing_args < 32) L->outgoing_args = 32;
    MachInst *mi = lower_begin(L, X64_CALL);
    mi->b[1] = CLIF_NAME_LIBCALL;
    mi->aux = lc;
    mi->b[5] = L->set->use_colocated_libcalls;
    L->has_calls = true;
    lower_set_flags(L, RA_INST_CALL);
    for (uint32_t i = 0; i < n; i++) lower_use(L, args[i], RA_FIXED, (uint8_t)(X64_XMM + i));
    *result = lower_new_vreg(L, t);
    lower_def(L, *result, RA_FIXED, X64_XMM);
    lower_clobber(L, x64_call_clobbers(L->set, cc, false) & ~ra_set(X64_XMM));
    return true;
}

/* ---- exceptions ---- */
static const ClifEhTableData *eh_table(const ClifFunc *f, ClifInst i) {
    return &f->eh_tables.p[f->insts.p[i.i].c];
}

bool x64_lower_try_call(LowerCtx *L, ClifInst i, const MachLabel *targets, uint32_t n) {
    const ClifFunc *f = L->f;
    Callee c = callee_of(L, i);
    X64Assign a, r;
    RaVReg v[X64_MAX_LOCS];
    uint32_t k;
    uint8_t cc = c.sig->callconv;
    if (n > 1 && cc != CLIF_CC_SYSTEM_V && cc != CLIF_CC_TAIL && cc != CLIF_CC_PRESERVE_ALL)
        return lower_unsupported(L, i, "no exceptions under this calling convention");
    if (!assign_both(L, c.sig, &a, &r) || !gather_args(L, i, &c, v, &k)) return false;
    COT_ASSERT(a.n == k);
    const ClifEhTableData *t = eh_table(f, i);
    for (uint32_t j = 0; j < t->n; j++) /* their code goes before the call */
        if (f->eh_items.p[t->first + j].kind == CLIF_EH_CONTEXT)
            (void)lower_value_reg(L, f->eh_items.p[t->first + j].context);
    uint32_t at = lower_jump_table(L, targets, n);
    MachInst *mi = begin_call(L, &c, &a, &r, v);
    mi->imm = at;
    mi->aux3 = f->insts.p[i.i].c + 1;
    lower_set_flags(L, RA_INST_BRANCH);
    for (uint32_t j = 0; j < t->n; j++) { /* last: emission counts from the end */
        const ClifEhItem *it = &f->eh_items.p[t->first + j];
        if (it->kind == CLIF_EH_CONTEXT)
            lower_operand(L, lower_value_reg(L, it->context), RA_USE, RA_LATE, RA_ANY, 0);
    }
    lower_clobber(L, x64_call_clobbers(L->set, cc, true));
    return true;
}

/* The start of the block on an edge of try_call i. regs: two per result, or the two words of payload; NONE if unused. */
bool x64_lower_landing(LowerCtx *L, ClifInst i, bool handler, const RaVReg *regs) {
    const ClifFunc *f = L->f;
    if (handler) {
        lower_begin(L, X64_LANDING);
        if (regs[0] != RA_VREG_NONE) lower_def(L, regs[0], RA_FIXED, RAX);
        if (regs[2] != RA_VREG_NONE) lower_def(L, regs[2], RA_FIXED, RDX);
        return true;
    }
    const ClifSig *s = clif_call_sig(f, i);
    X64Assign a, r;
    RaVReg out[X64_MAX_LOCS], raw[X64_MAX_LOCS];
    if (!assign_both(L, s, &a, &r)) return false;
    uint32_t p = 0;
    for (uint32_t j = 0; j < s->nreturns; j++) {
        out[p++] = regs[2 * j];
        if (f->abi_params.p[s->returns + j].type == CLIF_I128) out[p++] = regs[2 * j + 1];
    }
    lower_begin(L, X64_LANDING);
    define_results(L, s->callconv, &r, out, raw);
    fetch_results(L, &a, &r, out, raw);
    return true;
}

/* ---- thread-local symbols ---- */
bool x64_lower_tls(LowerCtx *L, ClifInst i, ValueRegs *out) {
    const ClifGlobalValueData *g = &L->f->gvs.p[clif_data(L->f, i)->a];
    if (L->set->tls_model == MACH_TLS_NONE)
        return lower_unsupported(L, i, "setting tls_model is none");
    if (g->kind != CLIF_GV_SYMBOL) return lower_unsupported(L, i, "not a symbol");
    RaVReg r = lower_new_vreg(L, CLIF_I64);
    MachInst *mi = lower_begin(L, X64_TLS);
    mi->b[1] = (uint8_t)g->name.kind;
    mi->aux = g->name.a;
    mi->aux2 = g->name.b;
    RaPRegSet lost = ra_set(RCX); /* COFF reads the thread's tables itself */
    if (L->set->tls_model != MACH_TLS_COFF) {
        L->has_calls = true;
        lower_set_flags(L, RA_INST_CALL);
        lost = x64_call_clobbers(L->set, CLIF_CC_SYSTEM_V, false) & ~ra_set(RAX);
    }
    lower_def(L, r, RA_FIXED, RAX);
    lower_clobber(L, lost);
    out[0] = (ValueRegs){{r, RA_VREG_NONE}, 1};
    return true;
}

/* ---- the pinned register, handlers' addresses ---- */
bool x64_lower_pinned(LowerCtx *L, ClifInst i, ValueRegs *out) {
    if (!L->set->enable_pinned_reg)
        return lower_unsupported(L, i, "setting enable_pinned_reg is off");
    if (clif_data(L->f, i)->op == CLIF_OP_GET_PINNED_REG) {
        RaVReg r = lower_new_vreg(L, CLIF_I64);
        lower_begin(L, X64_GET_PINNED);
        lower_def(L, r, RA_REG, 0);
        out[0] = (ValueRegs){{r, RA_VREG_NONE}, 1};
    } else {
        RaVReg v = lower_value_reg(L, clif_arg(L->f, i, 0));
        lower_begin(L, X64_SET_PINNED);
        lower_use(L, v, RA_REG, 0);
    }
    return true;
}

bool x64_lower_handler_address(LowerCtx *L, ClifInst i, ValueRegs *out) {
    const ClifInstData *d = clif_data(L->f, i);
    MachLabel l = lower_handler_label(L, (ClifBlock){d->a}, (uint32_t)clif_imm64(d));
    if (l == MACH_LABEL_NONE) return lower_unsupported(L, i, "no such handler");
    RaVReg r = lower_new_vreg(L, CLIF_I64);
    lower_begin(L, X64_LABEL_ADDRESS)->aux = l;
    lower_def(L, r, RA_REG, 0);
    out[0] = (ValueRegs){{r, RA_VREG_NONE}, 1};
    return true;
}
