/* isa/x64/abi.c — calling conventions: where parameters and results are, what a call keeps, frames.
 *
 *                   parameters                          results                        kept by the callee
 * system_v          rdi rsi rdx rcx r8 r9, xmm0-7       rax rdx, xmm0 xmm1             rbx r12-r15
 * preserve_all      as system_v                         none                           everything
 * windows_fastcall  by position: rcx rdx r8 r9, xmm0-3  rax rdx, xmm0                  rbx rsi rdi r12-r15 xmm6-15
 * tail              as system_v                         8 integers (rax rdx rcx rsi    rbx r12-r15; pops its stack
 *                                                       rdi r8 r9 r10), xmm0-7         parameters
 * fast              as tail, the parameter of purpose   as tail                        rbx r12-r15
 *                   vmctx in r15
 * winch             as system_v                         the last in rax or xmm0        nothing
 *
 * Further parameters lie on the stack, 8 or 16 bytes each, under windows_fastcall above 32 bytes that belong to the
 * callee. Further results lie in an area whose address is a hidden first parameter; the caller has it behind the stack
 * parameters. Under winch they are packed, the first one highest. A parameter of purpose struct_argument is a copy on
 * the stack; one of purpose sret is also the first result. windows_fastcall passes 128-bit vectors and f128 by
 * address. i128 is two integers; under system_v both are in registers or both on the stack.
 * The pinned register is r15; then no function keeps or allocates it, and vmctx is an ordinary parameter.
 *
 *   rbp+16+grown  incoming stack parameters; `grown` bytes of room for larger ones of a tail call
 *   rbp+8   return address       rbp+0   caller's rbp
 *   rbp-8, …        kept integer registers, pushed         rsp+float_saves_off   kept float registers
 *   rsp+slots_off   stack slots    rsp+spill_off   spill slots    rsp+0   outgoing parameters, then the callee's return area
 *
 * Stack limit: functions that make calls, or whose frame has 32 KiB or more, compare rsp with the function's stack_limit value;
 * other functions rely on at least 32 KiB below the limit. The prologue has r10 and r11 to itself, except under
 * preserve_all, where it saves them on the stack meanwhile. */
#include "isa/x64/x64.h"
#include "clif/opspec.h"

#define SMALL_FRAME 32768u

#define XMM_ALL 0x7FFF00000000ull /* xmm0..14 */
#define XMM15 (ra_set(X64_XMM + 15))
#define KEPT (ra_set(RBX) | ra_set(R12) | ra_set(R13) | ra_set(R14) | ra_set(R15))
#define CALLER_SAVED                                                                    \
    (ra_set(RAX) | ra_set(RCX) | ra_set(RDX) | ra_set(RSI) | ra_set(RDI) | ra_set(R8) | \
     ra_set(R9) | ra_set(R10) | XMM_ALL)
#define WINDOWS_CLOBBERS                                                               \
    (ra_set(RAX) | ra_set(RCX) | ra_set(RDX) | ra_set(R8) | ra_set(R9) | ra_set(R10) | \
     0x3F00000000ull) /* and xmm0..5 */

/* ---- places ---- */
typedef struct Regs { /* what is left of a convention's registers */
    const uint8_t *ints;
    unsigned nints, nfloats;
    bool by_position; /* one count for both classes */
} Regs;

static Regs regs_of(const MachSettings *set, uint8_t cc, bool params) {
    static const uint8_t args[] = {RDI, RSI, RDX, RCX, R8, R9}, win[] = {RCX, RDX, R8, R9};
    static const uint8_t rets[] = {RAX, RDX, RCX, RSI, RDI, R8, R9, R10};
    if (params)
        return cc == CLIF_CC_WINDOWS_FASTCALL ? (Regs){win, 4, 4, true} : (Regs){args, 6, 8, false};
    if (x64_own_conv(cc)) return (Regs){rets, 8, 8, false};
    if (cc == CLIF_CC_WINDOWS_FASTCALL) return (Regs){rets, 2, 1, false};
    if (cc == CLIF_CC_WINCH) return (Regs){rets, 1, 1, false};
    return (Regs){rets, set->enable_llvm_abi_extensions ? 3 : 2, 2, false};
}

typedef struct Assigner {
    X64Assign *a;
    Regs r;
    unsigned ni, nf;
    bool winch_result, packed;
} Assigner;

static void take_position(Assigner *s, bool is_float) {
    if (s->r.by_position)
        s->ni++, s->nf++;
    else if (is_float)
        s->nf++;
    else
        s->ni++;
}

static uint32_t stack_place(Assigner *s, uint32_t bytes) {
    if (!s->packed) {
        bytes = bytes > 8 ? 16 : 8;
        s->a->stack = (s->a->stack + bytes - 1) & ~(bytes - 1);
    }
    uint32_t off = s->a->stack;
    s->a->stack += bytes;
    return off;
}

static void assign_part(Assigner *s, X64Loc *l, ClifType t, uint8_t ext, bool last) {
    *l = (X64Loc){.type = t, .ext = ext, .packed = s->packed};
    bool is_float = x64_is_float(t);
    if (s->winch_result ? last : is_float ? s->nf < s->r.nfloats : s->ni < s->r.nints) {
        l->in_reg = true;
        l->reg = s->winch_result ? (is_float ? X64_XMM : RAX)
                 : is_float      ? (uint8_t)(X64_XMM + s->nf)
                                 : s->r.ints[s->ni];
        take_position(s, is_float);
        return;
    }
    take_position(s, is_float);
    l->off = stack_place(s, clif_type_bytes(t));
}

/* Winch does not pack its results if one of them is extended, or of a type that is loaded with more than its own bytes. */
static bool winch_packs(const ClifFunc *f, const ClifSig *s) {
    for (uint32_t i = 0; i < s->nreturns; i++) {
        const ClifAbiParam *p = &f->abi_params.p[s->returns + i];
        if (p->ext != CLIF_EXT_NONE || p->type == CLIF_F16 ||
            (x64_is_float(p->type) && clif_type_bits(p->type) < 32))
            return false;
    }
    return true;
}

static bool is_sret(const ClifFunc *f, uint32_t first, uint32_t n) {
    for (uint32_t i = 0; i < n; i++)
        if (f->abi_params.p[first + i].purpose == CLIF_ARG_STRUCT_RETURN) return true;
    return false;
}
bool x64_returns_sret(const ClifFunc *f, const ClifSig *s) {
    return is_sret(f, s->params, s->nparams) && !is_sret(f, s->returns, s->nreturns);
}

static bool assign_one(Assigner *s, const ClifAbiParam *p, const ClifSig *sig, bool params,
                       bool last, const MachSettings *set, Diag *d) {
    X64Assign *a = s->a;
    X64Loc *l = &a->locs[a->n];
    unsigned bits = clif_type_bits(p->type);
    if (p->purpose == CLIF_ARG_STRUCT_ARG && params) {
        if (p->struct_size % 8 != 0)
            return diag_msg(d, DIAG_UNSUPPORTED,
                            "x86_64: structure of %u bytes, not a multiple of 8, by value",
                            p->struct_size);
        if (p->struct_size > X64_MAX_STACK_ARGS)
            return diag_msg(d, DIAG_LIMIT, "x86_64: structure of more than 128 MiB by value");
        *l = (X64Loc){.kind = XL_STRUCT, .type = CLIF_I64, .off = a->stack, .size = p->struct_size};
        a->stack += p->struct_size;
        a->n++;
        return true;
    }
    if (bits > 128)
        return diag_msg(d, DIAG_UNSUPPORTED, "x86_64: vector of more than 128 bits in a signature");
    if (p->purpose == CLIF_ARG_VMCTX && params && sig->callconv == CLIF_CC_FAST &&
        !set->enable_pinned_reg) {
        *l = (X64Loc){.in_reg = true, .reg = R15, .type = p->type};
        a->n++;
        return true;
    }
    bool windows = sig->callconv == CLIF_CC_WINDOWS_FASTCALL;
    if (windows && (p->type == CLIF_F16 || p->type == CLIF_F128) &&
        !set->enable_llvm_abi_extensions)
        return diag_msg(d, DIAG_UNSUPPORTED,
                        "x86_64: f16 or f128 under windows_fastcall without "
                        "enable_llvm_abi_extensions");
    if (p->type == CLIF_I128) {
        bool together = params && sig->callconv == CLIF_CC_SYSTEM_V;
        if (together &&
            s->ni + 2 > s->r.nints) { /* both on the stack; a register left over stays so */
            s->ni = s->r.nints;
            a->stack = (a->stack + 15) & ~15u;
        }
        assign_part(s, l, CLIF_I64, CLIF_EXT_NONE, false);
        assign_part(s, l + 1, CLIF_I64, CLIF_EXT_NONE, last);
        a->n += 2;
        return true;
    }
    if (windows && params && bits == 128) {
        assign_part(s, l, CLIF_I64, CLIF_EXT_NONE, last);
        l->kind = XL_INDIRECT;
        l->type = p->type;
    } else {
        assign_part(s, l, p->type, p->ext, last);
    }
    a->n++;
    return true;
}

bool x64_assign(const MachSettings *set, const ClifFunc *f, const ClifSig *sig, bool params,
                bool hidden, X64Assign *a, Diag *d) {
    uint32_t n = params ? sig->nparams : sig->nreturns, first = params ? sig->params : sig->returns;
    uint8_t cc = sig->callconv;
    bool windows = cc == CLIF_CC_WINDOWS_FASTCALL;
    a->n = 0;
    a->stack = windows && params ? 32 : 0;
    a->has_hidden = hidden;
    if (n > 1024) return diag_msg(d, DIAG_LIMIT, "x86_64: more than 1024 parameters or results");
    if (cc == CLIF_CC_APPLE_AARCH64 || cc == CLIF_CC_PROBESTACK)
        return diag_msg(d, DIAG_UNSUPPORTED, "x86_64: calling convention %s",
                        clif_callconv_name[cc]);
    Assigner s = {.a = a, .r = regs_of(set, cc, params)};
    s.winch_result = cc == CLIF_CC_WINCH && !params;
    s.packed = s.winch_result && winch_packs(f, sig);
    if (hidden) assign_part(&s, &a->hidden, CLIF_I64, CLIF_EXT_NONE, false);
    if (!params && x64_returns_sret(f, sig)) { /* rax has the address */
        if (s.winch_result)
            return diag_msg(d, DIAG_UNSUPPORTED, "x86_64: sret under the winch convention");
        s.ni = 1;
    }
    for (uint32_t i = 0; i < n; i++) {
        if (a->n + 2 > X64_MAX_LOCS)
            return diag_msg(d, DIAG_LIMIT, "x86_64: too many parameter parts");
        if (!assign_one(&s, &f->abi_params.p[first + i], sig, params, i + 1 == n, set, d))
            return false;
        if (a->stack > X64_MAX_STACK_ARGS)
            return diag_msg(d, DIAG_LIMIT, "x86_64: more than 128 MiB of parameters or results");
    }
    if (windows && params)
        for (uint32_t i = 0; i < a->n; i++)
            if (a->locs[i].kind == XL_INDIRECT) {
                a->locs[i].size = (a->stack + 15) & ~15u;
                a->stack = a->locs[i].size + 16;
            }
    if (s.winch_result)
        for (uint32_t i = 0; i < a->n; i++) {
            X64Loc *l = &a->locs[i];
            uint32_t bytes = clif_type_bytes(l->type);
            if (!s.packed) bytes = bytes > 8 ? 16 : 8;
            if (!l->in_reg) l->off = a->stack - l->off - bytes;
        }
    if (!params && a->stack && !set->enable_multi_ret_implicit_sret && cc != CLIF_CC_FAST)
        return diag_msg(d, DIAG_UNSUPPORTED,
                        "x86_64: more results than registers, without "
                        "enable_multi_ret_implicit_sret");
    return true;
}

/* ---- registers ---- */
static RaPRegSet allocatable(const MachSettings *s) {
    return (CALLER_SAVED | KEPT) & ~(s->enable_pinned_reg ? ra_set(R15) : 0);
}

RaPRegSet x64_call_clobbers(const MachSettings *s, uint8_t cc, bool can_throw) {
    if (can_throw && (cc == CLIF_CC_TAIL || cc == CLIF_CC_PRESERVE_ALL)) return allocatable(s);
    if (cc == CLIF_CC_WINCH) return allocatable(s);
    if (cc == CLIF_CC_PRESERVE_ALL) return 0;
    return cc == CLIF_CC_WINDOWS_FASTCALL ? WINDOWS_CLOBBERS : CALLER_SAVED;
}

/* What a function of this convention gives back as it was, if it writes it. */
static RaPRegSet kept(const MachSettings *s, uint8_t cc) {
    RaPRegSet k = KEPT;
    if (cc == CLIF_CC_WINCH) k = 0;
    if (cc == CLIF_CC_WINDOWS_FASTCALL) k |= allocatable(s) & ~WINDOWS_CLOBBERS;
    if (cc == CLIF_CC_PRESERVE_ALL) k |= CALLER_SAVED;
    return k & allocatable(s);
}

void x64_ra_env(const MachSettings *s, const ClifFunc *f, RaEnv *env) {
    static const uint8_t order[] = {RAX, RCX, RDX, RSI, RDI, R8, R9, R10, RBX, R12, R13, R14, R15};
    static const uint8_t windows[] = {RAX, RCX, RDX, R8,  R9,  R10, RSI,
                                      RDI, RBX, R12, R13, R14, R15};
    bool win = f->sig.callconv == CLIF_CC_WINDOWS_FASTCALL;
    memset(env, 0xFF, sizeof *env);
    env->allocatable = allocatable(s);
    env->caller_saved = win ? WINDOWS_CLOBBERS : CALLER_SAVED;
    memcpy(env->order[RA_INT], win ? windows : order, sizeof order - s->enable_pinned_reg);
    for (unsigned i = 0; i < 15; i++) env->order[RA_FLOAT][i] = (RaPReg)(X64_XMM + i);
    env->scratch[RA_INT] = X64_TMP;
    env->scratch[RA_FLOAT] = X64_XMM + X64_XTMP;
}

/* ---- frame ---- */
void x64_frame_layout(EmitCtx *e, RaPRegSet written, uint32_t spill_slots, uint32_t slots_size,
                      uint32_t outgoing, bool has_calls) {
    MachFrame *fr = &e->frame;
    uint8_t cc = e->f->sig.callconv;
    fr->outgoing = outgoing;
    fr->spill_off = outgoing;
    fr->slots_off = (outgoing + 8 * spill_slots + 15) & ~15u;
    fr->float_saves_off = fr->slots_off + slots_size;
    fr->saved = written & kept(e->set, cc);
    /* scratch registers, which count nowhere as written */
    if (cc == CLIF_CC_WINDOWS_FASTCALL) fr->saved |= XMM15;
    if (cc == CLIF_CC_PRESERVE_ALL) fr->saved |= XMM15 | ra_set(X64_TMP);
    fr->leaf = !has_calls;
    fr->pushed = 8 * u64_popcount(fr->saved & RA_CLASS_MASK(RA_INT));
    uint32_t floats = 16 * u64_popcount(fr->saved & RA_CLASS_MASK(RA_FLOAT));
    fr->size = fr->float_saves_off + floats + ((fr->pushed + 15) & ~15u);
    fr->need_frame = true;
}

/* Bytes by which the area of incoming stack parameters must grow for tail calls with more of them. */
static uint32_t grown(const EmitCtx *e) {
    return e->frame.tail_args - e->frame.incoming;
}

static void put_push(EmitCtx *e, unsigned r) {
    uint8_t b[2] = {0x41, (uint8_t)(0x50 | (r & 7))};
    x64_put_bytes(e, b + (r < 8), r < 8 ? 1 : 2);
}
static void put_pop(EmitCtx *e, unsigned r) {
    uint8_t b[2] = {0x41, (uint8_t)(0x58 | (r & 7))};
    x64_put_bytes(e, b + (r < 8), r < 8 ? 1 : 2);
}
static void put_ri(EmitCtx *e, unsigned digit, unsigned r, uint32_t k) { /* 64-bit 81/83 */
    x64_put(e, XF_W, 3, k < 128 ? 0x83 : 0x81, digit, 0, ea_reg(r), k < 128 ? 1 : 4, k);
}
static void put_load(EmitCtx *e, unsigned r, X64Ea from) {
    x64_put(e, XF_W, 3, 0x8B, r, 0, from, 0, 0);
}
static void put_store(EmitCtx *e, unsigned r, X64Ea to) {
    x64_put(e, XF_W, 3, 0x89, r, 0, to, 0, 0);
}
static void put_lea(EmitCtx *e, unsigned r, X64Ea of) {
    x64_put(e, XF_W, 3, 0x8D, r, 0, of, 0, 0);
}

/* The register of the parameter of purpose vmctx at entry; one on the stack is loaded into r10. */
static unsigned vmctx_reg(EmitCtx *e) {
    const ClifFunc *f = e->f;
    if (f->sig.callconv == CLIF_CC_FAST && !e->set->enable_pinned_reg) return R15;
    X64Assign a, r;
    Diag d;
    diag_clear(&d);
    bool ok = x64_assign(e->set, f, &f->sig, false, false, &r, &d) &&
              x64_assign(e->set, f, &f->sig, true, r.stack > 0, &a, &d);
    COT_ASSERT(ok); /* lowering did the same */
    uint32_t part = 0;
    for (uint32_t i = 0; i < f->sig.nparams; i++) {
        const ClifAbiParam *p = &f->abi_params.p[f->sig.params + i];
        if (p->purpose == CLIF_ARG_VMCTX) {
            if (a.locs[part].in_reg) return a.locs[part].reg;
            put_load(e, R10, ea_mem(RBP, (int32_t)(16 + a.locs[part].off)));
            return R10;
        }
        part += p->type == CLIF_I128 && p->purpose != CLIF_ARG_STRUCT_ARG ? 2 : 1;
    }
    COT_BUG("x64: a stack limit without a context parameter");
}

/* The unwinder's view, from here on; all places are relative to the canonical frame address, rsp before the call. */
static void unwind(EmitCtx *e, MachUnwindKind kind, unsigned reg, int32_t value) {
    if (e->set->unwind_info) machbuf_unwind(e->buf, kind, (RaPReg)reg, value);
}

/* Between the prologue and the frame, a register that is saved on the stack meanwhile. */
static void keep_push(EmitCtx *e, unsigned r, int32_t at) {
    put_push(e, r);
    unwind(e, MACH_UNWIND_SAVED, r, at);
}
static void keep_pop(EmitCtx *e, unsigned r) {
    put_pop(e, r);
    unwind(e, MACH_UNWIND_KEPT, r, 0);
}

static void stack_check(EmitCtx *e) {
    const ClifFunc *f = e->f;
    uint32_t size = e->frame.size + grown(e), chain[16], n = 0;
    if (f->stack_limit == CLIF_NONE || (e->frame.leaf && size < SMALL_FRAME)) return;
    uint32_t gv = f->stack_limit;
    while (f->gvs.p[gv].kind != CLIF_GV_VMCTX) {
        COT_ASSERT(n < 16);
        chain[n++] = gv;
        gv = f->gvs.p[gv].base;
    }
    bool keep = f->sig.callconv == CLIF_CC_PRESERVE_ALL;
    if (keep) keep_push(e, R10, -24);
    unsigned base = vmctx_reg(e);
    MachLabel trap = e->early_trap = machbuf_trap_label(e->buf, CLIF_TRAP_STACK_OVERFLOW);
    bool done = false;
    while (n--) {
        const ClifGlobalValueData *g = &f->gvs.p[chain[n]];
        COT_ASSERT(g->kind == CLIF_GV_LOAD || g->kind == CLIF_GV_IADD_IMM);
        if (n == 0 && g->kind == CLIF_GV_LOAD && size < SMALL_FRAME) { /* compare with memory */
            x64_put(e, XF_W, 3, 0x3B, RSP, 0, ea_mem(base, (int32_t)g->offset), 0, 0);
            x64_put_jcc_raw(e, CC_B, trap);
            done = true;
            break;
        }
        x64_put(e, XF_W, 3, g->kind == CLIF_GV_LOAD ? 0x8B : 0x8D, R10, 0,
                ea_mem(base, (int32_t)g->offset), 0, 0);
        base = R10;
    }
    if (!done) {
        x64_put(e, XF_W, 3, 0x3B, RSP, 0, ea_reg(base), 0, 0);
        x64_put_jcc_raw(e, CC_B, trap);
        if (size >= SMALL_FRAME) {
            put_lea(e, R10, ea_mem(base, (int32_t)size));
            x64_put(e, XF_W, 3, 0x3B, RSP, 0, ea_reg(R10), 0, 0);
            x64_put_jcc_raw(e, CC_B, trap);
        }
    }
    if (keep) keep_pop(e, R10);
}

/* rsp -= size, touching every page on the way. */
static void probe_inline(EmitCtx *e, uint32_t size, uint32_t page) {
    put_lea(e, X64_TMP, ea_mem(RSP, -(int32_t)size));
    uint32_t loop = machbuf_offset(e->buf);
    put_ri(e, 5, RSP, page);
    x64_put(e, XF_W, 3, 0x85, RSP, 0, ea_mem(RSP, 0), 0, 0);
    x64_put(e, XF_W, 3, 0x3B, RSP, 0, ea_reg(X64_TMP), 0, 0);
    uint8_t back[2] = {0x77, (uint8_t)(loop - machbuf_offset(e->buf) - 2)};
    x64_put_bytes(e, back, 2);
    x64_put(e, XF_W, 3, 0x8B, RSP, 0, ea_reg(X64_TMP), 0, 0);
}

/* The library's routine takes the size in eax and changes nothing else. */
static void probe_outline(EmitCtx *e, uint32_t size) {
    bool keep = e->f->sig.callconv == CLIF_CC_PRESERVE_ALL; /* r11 has been pushed */
    keep = keep && !(e->frame.saved & ra_set(RAX));
    if (keep) keep_push(e, RAX, -(int32_t)(24 + e->frame.pushed));
    x64_put_mov_imm(e, RAX, size);
    x64_put_libcall(e, CLIF_LIBCALL_PROBESTACK);
    if (keep) keep_pop(e, RAX);
    put_ri(e, 5, RSP, size);
}

static void allocate(EmitCtx *e, uint32_t size) {
    uint32_t page = 1u << e->set->probestack_size_log2;
    if (!e->set->enable_probestack || size < page) {
        if (size) put_ri(e, 5, RSP, size);
    } else if (e->set->probestack_strategy == MACH_PROBE_OUTLINE) {
        probe_outline(e, size);
    } else {
        probe_inline(e, size, page);
    }
}

static void float_saves(EmitCtx *e, bool store) {
    uint32_t off = e->frame.float_saves_off;
    for (RaPRegSet s = e->frame.saved & RA_CLASS_MASK(RA_FLOAT); s; s &= s - 1, off += 16)
        x64_put(e, XF_M0F, 2, store ? 0x29 : 0x28, u64_ctz(s) - X64_XMM, 0,
                ea_mem(RSP, (int32_t)off), 0, 0); /* movaps */
}

/* Bytes from the frame's address down to the saved rbp's end. */
static int32_t frame_top(const EmitCtx *e) {
    return (int32_t)(16 + grown(e));
}

static void int_saves(EmitCtx *e) {
    int32_t off = -frame_top(e) - 8;
    for (RaPRegSet s = e->frame.saved & RA_CLASS_MASK(RA_INT); s; s &= s - 1, off -= 8) {
        put_push(e, (unsigned)u64_ctz(s));
        unwind(e, MACH_UNWIND_SAVED, (unsigned)u64_ctz(s), off);
    }
}

static void unwind_floats(EmitCtx *e) {
    int32_t off = -frame_top(e) - (int32_t)(e->frame.size - e->frame.float_saves_off);
    for (RaPRegSet s = e->frame.saved & RA_CLASS_MASK(RA_FLOAT); s; s &= s - 1, off += 16)
        unwind(e, MACH_UNWIND_SAVED, (unsigned)u64_ctz(s), off);
}

void x64_prologue(EmitCtx *e) {
    uint32_t more = grown(e);
    x64_put_bytes(e, "\x55", 1); /* push rbp */
    unwind(e, MACH_UNWIND_CFA, RSP, 16);
    unwind(e, MACH_UNWIND_SAVED, RBP, -16);
    x64_put_bytes(e, "\x48\x89\xE5", 3); /* mov rbp, rsp */
    unwind(e, MACH_UNWIND_CFA, RBP, 16);
    stack_check(e);
    if (more) { /* rbp and what it points to move down */
        allocate(e, more);
        for (int32_t k = 0; k <= 8; k += 8) {
            put_load(e, X64_TMP, ea_mem(RBP, k));
            put_store(e, X64_TMP, ea_mem(RBP, k - (int32_t)more));
        }
        put_ri(e, 5, RBP, more);
        int32_t top = frame_top(e);
        unwind(e, MACH_UNWIND_CFA, RBP, top);
        unwind(e, MACH_UNWIND_SAVED, RBP, -top);
        unwind(e, MACH_UNWIND_RETURN_ADDRESS, 0, 8 - top);
    }
    int_saves(e);
    allocate(e, e->frame.size - e->frame.pushed);
    float_saves(e, true);
    unwind_floats(e);
}

static void unwind_kept(EmitCtx *e, RaPRegSet s) {
    for (; s; s &= s - 1) unwind(e, MACH_UNWIND_KEPT, (unsigned)u64_ctz(s), 0);
}

/* Where the prologue's check for stack leads: only rbp has been saved. */
void x64_unwind_early(EmitCtx *e) {
    bool keep = e->f->sig.callconv == CLIF_CC_PRESERVE_ALL;
    unwind(e, MACH_UNWIND_REMEMBER, 0, 0);
    unwind(e, MACH_UNWIND_CFA, RBP, 16);
    unwind(e, MACH_UNWIND_SAVED, RBP, -16);
    if (grown(e)) unwind(e, MACH_UNWIND_RETURN_ADDRESS, 0, -8);
    unwind_kept(e, e->frame.saved & ~(keep ? ra_set(R10) : 0));
    if (keep) unwind(e, MACH_UNWIND_SAVED, R10, -24);
}
void x64_unwind_early_end(EmitCtx *e) {
    unwind(e, MACH_UNWIND_RECALL, 0, 0);
}

/* Kept registers as they were, and rsp at the saved rbp. */
static void release(EmitCtx *e) {
    uint32_t pushed = e->frame.pushed;
    unwind(e, MACH_UNWIND_REMEMBER, 0, 0);
    float_saves(e, false);
    unwind_kept(e, e->frame.saved & RA_CLASS_MASK(RA_FLOAT)); /* they lie deep below rsp soon */
    if (!pushed) {
        if (e->frame.size) x64_put_bytes(e, "\x48\x89\xEC", 3); /* mov rsp, rbp */
        return;
    }
    if (e->frame.size > pushed) put_lea(e, RSP, ea_mem(RBP, -(int32_t)pushed));
    for (RaPRegSet s = e->frame.saved & RA_CLASS_MASK(RA_INT); s;) {
        unsigned r = 63 - u64_clz(s);
        put_pop(e, r);
        s &= ~ra_set((RaPReg)r);
    }
}

/* pop rbp. The registers' places, though below rsp, keep their contents: signal handlers leave 128 bytes alone there. */
static void pop_frame(EmitCtx *e) {
    x64_put_bytes(e, "\x5D", 1);
    unwind(e, MACH_UNWIND_CFA, RSP, frame_top(e) - 8);
}

void x64_epilogue(EmitCtx *e) {
    release(e);
    pop_frame(e);
    uint32_t pop = e->f->sig.callconv == CLIF_CC_TAIL ? e->frame.tail_args : 0;
    if (pop == 0) {
        x64_put_bytes(e, "\xC3", 1);
    } else if (pop <= UINT16_MAX) {
        uint8_t b[3] = {0xC2, (uint8_t)pop, (uint8_t)(pop >> 8)};
        x64_put_bytes(e, b, 3);
    } else {
        put_pop(e, X64_TMP);
        unwind(e, MACH_UNWIND_CFA, RSP, frame_top(e) - 16);
        unwind(e, MACH_UNWIND_RETURN_IN, X64_TMP, 0);
        unwind_kept(e, (e->frame.saved & RA_CLASS_MASK(RA_INT)) | ra_set(RBP));
        put_ri(e, 0, RSP, pop);
        unwind(e, MACH_UNWIND_CFA, RSP, frame_top(e) - 16 - (int32_t)pop);
        x64_put(e, 0, 2, 0xFF, 4, 0, ea_reg(X64_TMP), 0, 0);
    }
    unwind(e, MACH_UNWIND_RECALL, 0, 0);
}

/* The frame goes, with `size` bytes of stack parameters left where the callee expects them; then `jump`. */
void x64_tail_epilogue(EmitCtx *e, uint32_t size) {
    uint32_t up = e->frame.tail_args - size;
    release(e);
    if (up == 0) {
        pop_frame(e);
        return;
    }
    unwind_kept(e, e->frame.saved & RA_CLASS_MASK(RA_INT));
    put_load(e, X64_TMP, ea_mem(RBP, 8));
    put_store(e, X64_TMP, ea_mem(RBP, (int32_t)(8 + up)));
    put_lea(e, X64_TMP, ea_mem(RBP, (int32_t)(8 + up)));
    int32_t below = frame_top(e) - 8 - (int32_t)up; /* of the return address's new place */
    unwind(e, MACH_UNWIND_CFA, X64_TMP, below);
    unwind(e, MACH_UNWIND_RETURN_ADDRESS, 0, -below);
    put_load(e, RBP, ea_mem(RBP, 0));
    unwind(e, MACH_UNWIND_KEPT, RBP, 0);
    x64_put(e, XF_W, 3, 0x8B, RSP, 0, ea_reg(X64_TMP), 0, 0);
    unwind(e, MACH_UNWIND_CFA, RSP, below);
}

/* Behind the jump that ended it. */
void x64_tail_epilogue_end(EmitCtx *e) {
    unwind(e, MACH_UNWIND_RECALL, 0, 0);
}
