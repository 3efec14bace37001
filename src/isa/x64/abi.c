/* isa/x64/abi.c — calling conventions, calls, returns, frames.
 *
 * system_v   ints rdi rsi rdx rcx r8 r9, floats xmm0-7, then memory; results rax rdx, xmm0 xmm1
 * fast, tail the same for parameters, except that one of purpose vmctx is in r15, which every function keeps; results
 *            rax rdx rcx rsi rdi r8 r9 r10 and xmm0-7
 * Variadic system_v calls pass an upper bound of the number of vector registers used in al.
 * Further results lie in a return area: the caller gives its address as a hidden last parameter; the area follows the
 * stack arguments. Kept by the callee: rbx r12-r15 (rbp is the frame pointer).
 *
 *   rbp+16  incoming stack arguments
 *   rbp+8   return address       rbp+0   caller's rbp
 *   rsp+saves_off   kept registers     rsp+slots_off   stack slots    rsp+spill_off   spill slots
 *   rsp+0           outgoing arguments, then the callee's return area
 *
 * Stack limit: functions that make calls, or whose frame has 32 KiB or more, compare rsp with the function's stack_limit value;
 * other functions rely on at least 32 KiB below the limit. */
#include "isa/x64/x64.h"

#define SMALL_FRAME 32768u
#define MAX_LOCS 1100

static const uint8_t int_args[] = {RDI, RSI, RDX, RCX, R8, R9};
static const uint8_t int_rets[] = {RAX, RDX, RCX, RSI, RDI, R8, R9, R10};
#define XMM_ALL 0x7FFF00000000ull /* xmm0..14 */
#define KEPT (ra_set(RBX) | ra_set(R12) | ra_set(R13) | ra_set(R14) | ra_set(R15))
#define CALLER_SAVED                                                                    \
    (ra_set(RAX) | ra_set(RCX) | ra_set(RDX) | ra_set(RSI) | ra_set(RDI) | ra_set(R8) | \
     ra_set(R9) | ra_set(R10) | XMM_ALL)

typedef struct Loc {
    bool in_reg;
    RaPReg reg;
    uint8_t type, ext;
    uint32_t off;
} Loc; /* one register-sized part */
typedef struct Assign {
    Loc locs[MAX_LOCS];
    uint32_t n, stack; /* bytes */
    unsigned ni, nf;
} Assign;

static bool own_conv(uint8_t cc) {
    return cc != CLIF_CC_SYSTEM_V;
}

static void assign_part(Assign *a, ClifType t, uint8_t ext, const uint8_t *ints, unsigned nints,
                        unsigned nfloats) {
    Loc *l = &a->locs[a->n++];
    *l = (Loc){.type = t, .ext = ext};
    if (x64_is_float(t)) {
        if (a->nf < nfloats) {
            l->in_reg = true;
            l->reg = (RaPReg)(X64_XMM + a->nf++);
            return;
        }
    } else if (a->ni < nints) {
        l->in_reg = true;
        l->reg = ints[a->ni++];
        return;
    }
    uint32_t bytes = clif_type_bytes(t) > 8 ? 16 : 8;
    a->stack = (a->stack + bytes - 1) & ~(bytes - 1);
    l->off = a->stack;
    a->stack += bytes;
}

static bool assign(LowerCtx *L, const ClifSig *s, bool params, Assign *a) {
    uint32_t n = params ? s->nparams : s->nreturns, first = params ? s->params : s->returns;
    a->n = a->stack = a->ni = a->nf = 0;
    if (n > 1024)
        return diag_msg(L->diag, DIAG_LIMIT, "x86_64: more than 1024 parameters or results");
    if (s->callconv != CLIF_CC_SYSTEM_V && s->callconv != CLIF_CC_FAST &&
        s->callconv != CLIF_CC_TAIL)
        return diag_msg(L->diag, DIAG_UNSUPPORTED, "x86_64: calling convention %u", s->callconv);
    bool own = own_conv(s->callconv);
    const uint8_t *ints = params ? int_args : int_rets;
    unsigned nints = params ? 6 : own ? 8 : 2, nfloats = params || own ? 8 : 2;
    for (uint32_t i = 0; i < n; i++) {
        const ClifAbiParam *p = &L->f->abi_params.p[first + i];
        if (p->purpose == CLIF_ARG_STRUCT_ARG)
            return diag_msg(L->diag, DIAG_UNSUPPORTED, "x86_64: structure passed by value");
        if (a->n + 2 >= MAX_LOCS)
            return diag_msg(L->diag, DIAG_LIMIT, "x86_64: too many parameter parts");
        if (p->purpose == CLIF_ARG_VMCTX && own) {
            a->locs[a->n++] = (Loc){.in_reg = true, .reg = R15, .type = p->type};
        } else if (p->type == CLIF_I128) {
            assign_part(a, CLIF_I64, 0, ints, nints, nfloats);
            assign_part(a, CLIF_I64, 0, ints, nints, nfloats);
        } else if (clif_type_bits(p->type) != 128 && clif_type_bits(p->type) > 64) {
            return diag_msg(L->diag, DIAG_UNSUPPORTED,
                            "x86_64: vector of more than 128 bits in a signature");
        } else {
            assign_part(a, p->type, p->ext, ints, nints, nfloats);
        }
    }
    return true;
}

static void hidden_param(Assign *a) {
    assign_part(a, CLIF_I64, 0, int_args, 6, 8);
}

int x64_vmctx_reg(const ClifFunc *f) {
    if (own_conv(f->sig.callconv)) return R15;
    unsigned k = 0;
    for (uint32_t i = 0; i < f->sig.nparams; i++) {
        const ClifAbiParam *p = &f->abi_params.p[f->sig.params + i];
        if (p->purpose == CLIF_ARG_VMCTX) return k < 6 ? int_args[k] : -1;
        if (!x64_is_float(p->type)) k += p->type == CLIF_I128 ? 2 : 1;
    }
    return -1;
}

void x64_ra_env(const MachSettings *s, const ClifFunc *f, RaEnv *env) {
    (void)s;
    (void)f;
    memset(env, 0xFF, sizeof *env);
    env->allocatable = CALLER_SAVED | KEPT;
    env->caller_saved = CALLER_SAVED;
    static const uint8_t order[] = {RAX, RCX, RDX, RSI, RDI, R8, R9, R10, RBX, R12, R13, R14, R15};
    memcpy(env->order[RA_INT], order, sizeof order);
    for (unsigned i = 0; i < 15; i++) env->order[RA_FLOAT][i] = (RaPReg)(X64_XMM + i);
    env->scratch[RA_INT] = X64_TMP;
    env->scratch[RA_FLOAT] = X64_XMM + X64_XTMP;
}

/* ---- lowering ---- */
static X64Rm stack_rm(X64Mode mode, uint32_t off) {
    return (X64Rm){.kind = XK_MEM, .mode = (uint8_t)mode, .disp = (int32_t)off};
}
static X64Rm base_rm(RaVReg base, uint32_t off) {
    return (X64Rm){.kind = XK_MEM, .mode = XM_BASE, .disp = (int32_t)off, .r = base};
}
static X64Rm reg_rm(RaVReg r) {
    return (X64Rm){.kind = XK_REG, .r = r};
}

static void load_part(LowerCtx *L, RaVReg dst, ClifType t, X64Rm m) {
    if (clif_type_bits(t) == 128)
        x64_rm_inst(L, X64_MOVUPS, 2, dst, m);
    else if (x64_is_float(t))
        x64_rm_inst(L, X64_MOVS, x64_size(t), dst, m);
    else
        x64_rm_inst(L, X64_MOV, t == CLIF_I64 ? 3 : 2, dst, m);
}
static void store_part(LowerCtx *L, RaVReg src, ClifType t, X64Rm m) {
    if (clif_type_bits(t) == 128)
        x64_store(L, X64_MOVUPS_ST, 2, m, reg_rm(src));
    else if (x64_is_float(t))
        x64_store(L, X64_MOVS_ST, x64_size(t), m, reg_rm(src));
    else
        x64_store(L, X64_STORE, 3, m, reg_rm(src));
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
    return t == CLIF_I32 && !own_conv(conv);
}

bool x64_lower_args(LowerCtx *L, const RaVReg *regs, uint32_t n) {
    const ClifSig *s = &L->f->sig;
    Assign a, r;
    if (!assign(L, s, true, &a) || !assign(L, s, false, &r)) return false;
    COT_ASSERT(a.n == n);
    RaVReg raw[MAX_LOCS];
    lower_begin(L, X64_ARGS);
    lower_set_flags(L, RA_INST_ENTRY);
    bool hidden = r.stack > 0;
    if (hidden) hidden_param(&a);
    for (uint32_t i = 0; i < a.n; i++) {
        RaVReg v = i < n ? regs[i] : L->ret_area_ptr;
        raw[i] = v;
        if (v == RA_VREG_NONE || !a.locs[i].in_reg) continue;
        if (dirty(s->callconv, a.locs[i].type)) raw[i] = lower_new_vreg(L, CLIF_I64);
        lower_def(L, raw[i], RA_FIXED, a.locs[i].reg);
    }
    for (uint32_t i = 0; i < a.n; i++) {
        RaVReg v = i < n ? regs[i] : L->ret_area_ptr;
        const Loc *l = &a.locs[i];
        if (v == RA_VREG_NONE) continue;
        if (!l->in_reg)
            load_part(L, v, l->type, stack_rm(XM_INARG, l->off));
        else if (raw[i] != v)
            x64_rm_inst(L, X64_MOV, 2, v, reg_rm(raw[i]));
    }
    return true;
}

bool x64_lower_return(LowerCtx *L, ClifInst i) {
    Assign r;
    if (!assign(L, &L->f->sig, false, &r)) return false;
    uint32_t n, *args = clif_args(L->f, i, &n), k = 0;
    RaVReg v[MAX_LOCS];
    for (uint32_t j = 0; j < n; j++) {
        ValueRegs vr = lower_value_regs(L, (ClifValue){args[j]});
        for (unsigned q = 0; q < vr.n; q++, k++)
            v[k] = extended(L, vr.r[q], r.locs[k].type, r.locs[k].ext);
    }
    if (r.stack && L->ret_area_ptr == RA_VREG_NONE) L->ret_area_ptr = lower_new_vreg(L, CLIF_I64);
    for (uint32_t j = 0; j < k; j++)
        if (!r.locs[j].in_reg)
            store_part(L, v[j], r.locs[j].type, base_rm(L->ret_area_ptr, r.locs[j].off));
    lower_begin(L, X64_RET);
    lower_set_flags(L, RA_INST_RET);
    for (uint32_t j = 0; j < k; j++)
        if (r.locs[j].in_reg) lower_use(L, v[j], RA_FIXED, r.locs[j].reg);
    return true;
}

typedef struct Callee {
    bool indirect, near;
    RaVReg reg;
    ClifName name;
} Callee;

/* args: k parts; out: a register per part of the results, RA_VREG_NONE where nobody wants it */
static bool lower_call(LowerCtx *L, const ClifSig *s, Callee c, const RaVReg *args, uint32_t k,
                       RaVReg *out, uint32_t *nout, const bool *wanted) {
    Assign a, r;
    if (!assign(L, s, true, &a) || !assign(L, s, false, &r)) return false;
    COT_ASSERT(a.n == k);
    RaVReg v[MAX_LOCS];
    for (uint32_t i = 0; i < k; i++) v[i] = extended(L, args[i], a.locs[i].type, a.locs[i].ext);
    uint32_t area = 0;
    if (r.stack) {
        hidden_param(&a);
        area = (a.stack + 15) & ~15u;
        v[k] = lower_new_vreg(L, CLIF_I64);
        x64_rm_inst(L, X64_LEA, 3, v[k], stack_rm(XM_OUTARG, area));
        k++;
    }
    uint32_t need = ((r.stack ? area + r.stack : a.stack) + 15) & ~15u;
    if (need > L->outgoing_args) L->outgoing_args = need;
    L->has_calls = true;
    for (uint32_t i = 0; i < k; i++)
        if (!a.locs[i].in_reg)
            store_part(L, v[i], a.locs[i].type, stack_rm(XM_OUTARG, a.locs[i].off));
    RaVReg al = RA_VREG_NONE;
    if (s->variadic && !own_conv(s->callconv)) {
        unsigned vectors = 0;
        for (uint32_t i = 0; i < k; i++)
            vectors += a.locs[i].in_reg && x64_is_float(a.locs[i].type);
        al = x64_int_const(L, CLIF_I32, vectors);
    }
    MachInst *mi = lower_begin(L, c.indirect ? X64_CALL_R : X64_CALL);
    if (c.indirect) {
        lower_use(L, c.reg, RA_REG, 0);
    } else {
        mi->b[1] = (uint8_t)c.name.kind;
        mi->aux = c.name.a;
        mi->aux2 = c.name.b;
        mi->b[5] = c.near;
    }
    lower_set_flags(L, RA_INST_CALL);
    for (uint32_t i = 0; i < k; i++)
        if (a.locs[i].in_reg) lower_use(L, v[i], RA_FIXED, a.locs[i].reg);
    if (al != RA_VREG_NONE) lower_use(L, al, RA_FIXED, RAX);
    RaPRegSet clobbers = CALLER_SAVED;
    RaVReg raw[MAX_LOCS];
    for (uint32_t i = 0; i < r.n; i++) {
        out[i] = raw[i] = RA_VREG_NONE;
        if (!wanted[i]) continue;
        out[i] = raw[i] = lower_new_vreg(L, r.locs[i].type);
        if (!r.locs[i].in_reg) continue;
        if (dirty(s->callconv, r.locs[i].type)) raw[i] = lower_new_vreg(L, CLIF_I64);
        lower_def(L, raw[i], RA_FIXED, r.locs[i].reg);
        clobbers &= ~ra_set(r.locs[i].reg);
    }
    lower_clobber(L, clobbers);
    for (uint32_t i = 0; i < r.n; i++) {
        if (!wanted[i]) continue;
        if (!r.locs[i].in_reg)
            load_part(L, out[i], r.locs[i].type, stack_rm(XM_OUTARG, area + r.locs[i].off));
        else if (raw[i] != out[i])
            x64_rm_inst(L, X64_MOV, 2, out[i], reg_rm(raw[i]));
    }
    *nout = r.n;
    return true;
}

bool x64_lower_call(LowerCtx *L, ClifInst i, ValueRegs *out) {
    const ClifFunc *f = L->f;
    const ClifInstData *d = clif_data(f, i);
    Callee c = {0};
    const ClifSig *s;
    uint32_t n, *args = clif_args(f, i, &n), from = 0, k = 0;
    if (d->op == CLIF_OP_CALL) {
        const ClifExtFunc *ef = &f->funcs.p[d->b];
        s = &f->sigs.p[ef->sig.i];
        c.near = ef->colocated;
        c.name = ef->name;
    } else {
        s = &f->sigs.p[d->b];
        c.indirect = true;
        from = 1;
        c.reg = lower_value_reg(L, (ClifValue){args[0]});
    }
    if (n > MAX_LOCS / 2) return lower_unsupported(L, i, "too many arguments");
    RaVReg parts[MAX_LOCS];
    for (uint32_t j = from; j < n; j++) {
        ValueRegs vr = lower_value_regs(L, (ClifValue){clif_args(f, i, &n)[j]});
        for (unsigned q = 0; q < vr.n; q++) parts[k++] = vr.r[q];
    }
    RaVReg res[MAX_LOCS];
    bool wanted[MAX_LOCS];
    uint32_t nr, *rv = clif_results(f, i, &nr), p = 0, nout;
    for (uint32_t j = 0; j < nr; j++) {
        bool w = lower_is_used(L, (ClifValue){rv[j]});
        wanted[p++] = w;
        if (clif_value_type(f, (ClifValue){rv[j]}) == CLIF_I128) wanted[p++] = w;
    }
    if (!lower_call(L, s, c, parts, k, res, &nout, wanted)) return false;
    p = 0;
    for (uint32_t j = 0; j < nr; j++) {
        bool wide = clif_value_type(f, (ClifValue){rv[j]}) == CLIF_I128;
        out[j] = (ValueRegs){{res[p], wide ? res[p + 1] : RA_VREG_NONE}, wide ? 2 : 1};
        p += wide ? 2 : 1;
    }
    return true;
}

/* float routines of the C library: all arguments and the result have type t */
bool x64_lower_libcall(LowerCtx *L, ClifLibCall lc, const RaVReg *args, uint32_t n, ClifType t,
                       RaVReg *result) {
    MachInst *mi = lower_begin(L, X64_CALL);
    mi->b[1] = CLIF_NAME_LIBCALL;
    mi->aux = lc;
    L->has_calls = true;
    lower_set_flags(L, RA_INST_CALL);
    for (uint32_t i = 0; i < n; i++) lower_use(L, args[i], RA_FIXED, (uint8_t)(X64_XMM + i));
    *result = lower_new_vreg(L, t);
    lower_def(L, *result, RA_FIXED, X64_XMM);
    lower_clobber(L, CALLER_SAVED & ~ra_set(X64_XMM));
    return true;
}

/* ---- frame ---- */
void x64_frame_layout(EmitCtx *e, RaPRegSet written, uint32_t spill_slots, uint32_t slots_size,
                      uint32_t outgoing, bool has_calls) {
    MachFrame *fr = &e->frame;
    fr->outgoing = outgoing;
    fr->spill_off = outgoing;
    fr->slots_off = (outgoing + 8 * spill_slots + 15) & ~15u;
    fr->saves_off = fr->slots_off + slots_size;
    fr->saved = written & KEPT;
    fr->leaf = !has_calls;
    fr->size = (fr->saves_off + 8 * u64_popcount(fr->saved) + 15) & ~15u;
    fr->need_frame = true;
}

static void stack_check(EmitCtx *e) {
    const ClifFunc *f = e->f;
    uint32_t size = e->frame.size, chain[16], n = 0;
    if (f->stack_limit == CLIF_NONE || (e->frame.leaf && size < SMALL_FRAME)) return;
    uint32_t gv = f->stack_limit;
    while (f->gvs.p[gv].kind != CLIF_GV_VMCTX) {
        COT_ASSERT(n < 16);
        chain[n++] = gv;
        gv = f->gvs.p[gv].base;
    }
    int vm = x64_vmctx_reg(f);
    COT_ASSERT(vm >= 0);
    unsigned base = (unsigned)vm;
    MachLabel trap = machbuf_trap_label(e->buf, CLIF_TRAP_STACK_OVERFLOW);
    while (n--) {
        const ClifGlobalValueData *g = &f->gvs.p[chain[n]];
        COT_ASSERT(g->kind == CLIF_GV_LOAD || g->kind == CLIF_GV_IADD_IMM);
        if (n == 0 && g->kind == CLIF_GV_LOAD && size < SMALL_FRAME) { /* compare with memory */
            x64_put(e, XF_W, 3, 0x3B, RSP, 0, ea_mem(base, (int32_t)g->offset), 0, 0);
            x64_put_jcc_raw(e, CC_B, trap);
            return;
        }
        x64_put(e, XF_W, 3, g->kind == CLIF_GV_LOAD ? 0x8B : 0x8D, R10, 0,
                ea_mem(base, (int32_t)g->offset), 0, 0);
        base = R10;
    }
    x64_put(e, XF_W, 3, 0x3B, RSP, 0, ea_reg(base), 0, 0);
    x64_put_jcc_raw(e, CC_B, trap);
    if (size < SMALL_FRAME) return;
    x64_put(e, XF_W, 3, 0x8D, R10, 0, ea_mem(base, (int32_t)size), 0, 0);
    x64_put(e, XF_W, 3, 0x3B, RSP, 0, ea_reg(R10), 0, 0);
    x64_put_jcc_raw(e, CC_B, trap);
}

void x64_prologue(EmitCtx *e) {
    uint32_t size = e->frame.size;
    x64_put_bytes(e, "\x55\x48\x89\xE5", 4); /* push rbp; mov rbp, rsp */
    stack_check(e);
    uint32_t page = 1u << e->set->probestack_size_log2;
    if (e->set->enable_probestack && size >= page) { /* touch every page on the way down */
        x64_put(e, XF_W, 3, 0x8D, X64_TMP, 0, ea_mem(RSP, -(int32_t)size), 0, 0);
        uint32_t loop = machbuf_offset(e->buf);
        x64_put(e, XF_W, 3, 0x81, 5, 0, ea_reg(RSP), 4, page);
        x64_put(e, XF_W, 3, 0x85, RSP, 0, ea_mem(RSP, 0), 0, 0);
        x64_put(e, XF_W, 3, 0x3B, RSP, 0, ea_reg(X64_TMP), 0, 0);
        uint8_t back[2] = {0x77, (uint8_t)(loop - machbuf_offset(e->buf) - 2)};
        x64_put_bytes(e, back, 2);
        x64_put(e, XF_W, 3, 0x8B, RSP, 0, ea_reg(X64_TMP), 0, 0);
    } else if (size) {
        x64_put(e, XF_W, 3, size < 128 ? 0x83 : 0x81, 5, 0, ea_reg(RSP), size < 128 ? 1 : 4, size);
    }
    uint32_t off = e->frame.saves_off;
    for (RaPRegSet s = e->frame.saved; s; s &= s - 1, off += 8)
        x64_put(e, XF_W, 3, 0x89, u64_ctz(s), 0, ea_mem(RSP, (int32_t)off), 0, 0);
}

void x64_epilogue(EmitCtx *e) {
    uint32_t off = e->frame.saves_off;
    for (RaPRegSet s = e->frame.saved; s; s &= s - 1, off += 8)
        x64_put(e, XF_W, 3, 0x8B, u64_ctz(s), 0, ea_mem(RSP, (int32_t)off), 0, 0);
    if (e->frame.size) x64_put_bytes(e, "\x48\x89\xEC", 3); /* mov rsp, rbp */
    x64_put_bytes(e, "\x5D\xC3", 2);
}
