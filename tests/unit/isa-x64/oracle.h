/* oracle.h — functions compiled for this processor against the interpreter.
 *
 * A module is an array of functions u0:0, u0:1, ...; the first is (i64) with the convention system_v and is called with
 * the address of OR_BYTES bytes, through which all operands and results go; they are also the symbol u1:0. Native code has them
 * behind itself; the interpreter, whose addresses are its own, in a stack slot that a driver function fills. What is compared:
 * how the call ended (returned, or with which trap) and those bytes. A fault that no trap record explains, a jump into
 * nowhere and a call that does not come back are endings of their own. */
#ifndef COT_TESTS_ORACLE_H
#define COT_TESTS_ORACLE_H
#include "clif/builder.h"
#include "clif/opspec.h"
#include "clif/text.h"
#include "interp/interp_int.h"
#include "isa/x64/x64.h" /* before the system's headers, one of which has a macro F_TEST */
#include "verify/verify.h"
#include "cm.h"
#include "libcalls.h"
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <ucontext.h>

enum { OR_BYTES = 512, OR_CODE = 4 << 20, OR_DATA = OR_CODE - 4096, OR_DRIVER = 1000000 };
enum { OR_SIGNAL = 1000, OR_HANG = 2000 }; /* endings that are no trap codes */

typedef struct OrReloc {
    uint32_t at;
    MachReloc r;
} OrReloc;
typedef struct Oracle {
    Mem mem;
    ClifBuilder b;
    VerifyCtx vc;
    MachSettings set;
    bool pinned;  /* the setting */
    uint8_t turn; /* the allocators take turns, from or_settings to or_settings */
    MachCtx *mc;
    ClifFunc driver;
    Interp it;
    uint8_t *code;
    uint32_t used;
    VEC(MachTrap) traps;
    VEC(OrReloc) relocs;
    VecU32 entry;
} Oracle;

static Oracle *or_current;
static sigjmp_buf or_back;
static volatile sig_atomic_t or_running, or_ticks, or_end;

static void or_on_signal(int sig, siginfo_t *si, void *uc) {
    (void)si;
    if (sig == SIGVTALRM) {
        if (!or_running || ++or_ticks < 3) return;
        or_end = OR_HANG;
        siglongjmp(or_back, 1);
    }
    if (!or_running) {
        signal(sig, SIG_DFL);
        return;
    }
    uintptr_t pc = (uintptr_t)((ucontext_t *)uc)->uc_mcontext.gregs[REG_RIP];
    or_end = OR_SIGNAL + sig;
    for (uint32_t k = 0; k < or_current->traps.n && sig != SIGTRAP; k++)
        if (pc == (uintptr_t)or_current->code + or_current->traps.p[k].offset)
            or_end = or_current->traps.p[k].code;
    siglongjmp(or_back, 1);
}

static inline void or_settings(Oracle *o, uint64_t isa_flags, uint64_t stress) {
    o->set = (MachSettings){.isa_flags = isa_flags,
                            .preserve_frame_pointers = true,
                            .enable_probestack = true,
                            .enable_pinned_reg = o->pinned,
                            .enable_multi_ret_implicit_sret = true,
                            .probestack_size_log2 = 12,
                            .regalloc_checker = true,
                            .verify_input = true,
                            .regalloc_algorithm = o->turn++ & 1,
                            .stress_seed = stress};
    mach_ctx_free(o->mc);
    o->mc = mach_ctx_new(&o->mem, &isa_x64, &o->set);
}

static inline ClifInstData or_data(ClifOp op, ClifType t, uint32_t a, uint32_t b) {
    return (ClifInstData){.op = (uint8_t)op, .type = t, .a = a, .b = b};
}

/* The driver: stores its parameters to its slot and calls u0:0 with the slot's address. */
static inline void or_make_driver(Oracle *o) {
    ClifFunc *f = &o->driver;
    ClifBuilder *b = &o->b;
    ClifAbiParam p[OR_BYTES / 8];
    for (int k = 0; k < OR_BYTES / 8; k++) p[k] = (ClifAbiParam){.type = CLIF_I64};
    clif_func_init(f, &o->mem);
    f->name = clif_user_name(0, OR_DRIVER);
    clif_set_sig(f, CLIF_CC_SYSTEM_V, p, OR_BYTES / 8, NULL, 0);
    ClifSigRef s = clif_import_sig(f, CLIF_CC_SYSTEM_V, p, 1, NULL, 0);
    ClifFuncRef fn = clif_import_func(f, (ClifExtFunc){.name = clif_user_name(0, 0), .sig = s});
    ClifStackSlot slot = clif_make_stack_slot(f, OR_BYTES, 4);
    uint16_t mf = clif_intern_memflags(f, (ClifMemFlags){.region = CLIF_NONE});
    clif_builder_begin(b, f);
    ClifBlock b0 = cb_create_block(b);
    cb_entry_params(b, b0);
    cb_switch_to(b, b0);
    ClifValue at = cb_ins1(b, or_data(CLIF_OP_STACK_ADDR, CLIF_I64, slot.i, 0), CLIF_I64);
    for (uint32_t k = 0; k < OR_BYTES / 8; k++)
        cb_store(b, CLIF_OP_STORE, mf, (ClifValue){k}, at, (int32_t)(8 * k));
    cb_call(b, fn, &at, 1);
    cb_return(b, NULL, 0);
    cb_seal_all(b);
    clif_builder_end(b);
}

static inline void or_init(Oracle *o) {
    memset(o, 0, sizeof *o);
    mem_init(&o->mem, NULL);
    clif_builder_init(&o->b, &o->mem);
    verify_ctx_init(&o->vc, &o->mem, CLIF_I64);
    interp_init(&o->it, &o->mem);
    or_settings(o, 0, 0);
    or_make_driver(o);
    o->code =
        mmap(NULL, OR_CODE, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_ptr_not_equal(o->code, MAP_FAILED);
    static char stack[65536];
    stack_t ss = {.ss_sp = stack, .ss_size = sizeof stack};
    sigaltstack(&ss, NULL);
    struct sigaction sa = {.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER};
    sa.sa_sigaction = or_on_signal;
    static const int signals[] = {SIGILL, SIGSEGV, SIGFPE, SIGBUS, SIGTRAP, SIGVTALRM};
    for (unsigned k = 0; k < sizeof signals / sizeof *signals; k++)
        sigaction(signals[k], &sa, NULL);
    struct itimerval tick = {{1, 0}, {1, 0}}; /* three ticks in one call: it hangs */
    setitimer(ITIMER_VIRTUAL, &tick, NULL);
    or_current = o;
}

static inline void or_free(Oracle *o) {
    struct itimerval off = {{0, 0}, {0, 0}};
    setitimer(ITIMER_VIRTUAL, &off, NULL);
    munmap(o->code, OR_CODE);
    mach_ctx_free(o->mc);
    interp_free(&o->it);
    verify_ctx_free(&o->vc);
    clif_func_free(&o->driver);
    clif_builder_free(&o->b);
    vec_free(&o->mem, &o->traps);
    vec_free(&o->mem, &o->relocs);
    vec_free(&o->mem, &o->entry);
    or_current = NULL;
    assert_int_equal(o->mem.live, 0);
}

static inline bool or_verify(Oracle *o, const ClifFunc *fns, uint32_t n, Diag *d) {
    for (uint32_t k = 0; k < n; k++) {
        diag_clear(d);
        if (!clif_verify(&o->vc, &fns[k], d)) return false;
    }
    return true;
}

/* Compiles the module with the current settings. False: *d, of which DIAG_UNSUPPORTED is the documented refusal. */
static inline bool or_compile(Oracle *o, ClifFunc *fns, uint32_t n, Diag *d) {
    o->used = 0;
    vec_clear(&o->traps);
    vec_clear(&o->relocs);
    vec_clear(&o->entry);
    for (uint32_t k = 0; k < n; k++) {
        MachCompiled c;
        diag_clear(d);
        if (!mach_compile(o->mc, &fns[k], &c, d)) return false;
        if (c.size > OR_DATA - o->used) return diag_msg(d, DIAG_LIMIT, "too much code");
        memcpy(o->code + o->used, c.code, c.size);
        vec_push(&o->mem, &o->entry, o->used);
        for (uint32_t j = 0; j < c.num_traps; j++) {
            MachTrap t = c.traps[j];
            t.offset += o->used;
            vec_push(&o->mem, &o->traps, t);
        }
        for (uint32_t j = 0; j < c.num_relocs; j++) {
            OrReloc r = {o->used, c.relocs[j]};
            r.r.name = clif_resolve_name(&fns[k], r.r.name);
            vec_push(&o->mem, &o->relocs, r);
        }
        o->used = (o->used + c.size + 63) & ~63u;
    }
    for (uint32_t k = 0; k < o->relocs.n; k++) {
        const MachReloc *r = &o->relocs.p[k].r;
        uint8_t *at = o->code + o->relocs.p[k].at + r->offset;
        uint64_t to = r->name.kind == CLIF_NAME_LIBCALL
                          ? (uint64_t)(uintptr_t)libcall_address(r->name.a)
                      : r->name.a == 1 ? (uint64_t)(uintptr_t)(o->code + OR_DATA)
                      : r->name.b < n  ? (uint64_t)(uintptr_t)(o->code + o->entry.p[r->name.b])
                                       : 0;
        if (!to) return diag_msg(d, DIAG_UNSUPPORTED, "no such library routine here");
        to += (uint64_t)r->addend;
        if (r->kind == MACH_RELOC_ABS8) {
            memcpy(at, &to, 8);
        } else if (r->kind == MACH_RELOC_X86_CALL_PCREL4 || r->kind == MACH_RELOC_X86_PCREL4) {
            uint32_t v = (uint32_t)(to - (uint64_t)(uintptr_t)at);
            memcpy(at, &v, 4);
        } else {
            return diag_msg(d, DIAG_UNSUPPORTED, "relocation of kind %u", r->kind);
        }
    }
    return true;
}

static inline int or_native(Oracle *o, uint8_t *bytes) {
    or_end = 0;
    or_ticks = 0;
    memcpy(o->code + OR_DATA, bytes, OR_BYTES);
    or_running = 1;
    if (!sigsetjmp(or_back, 0))
        ((void (*)(void *))(uintptr_t)(o->code + o->entry.p[0]))(o->code + OR_DATA);
    or_running = 0;
    memcpy(bytes, o->code + OR_DATA, OR_BYTES);
    return or_end;
}

/* The module as the interpreter runs it; it stays until the next one. */
static inline void or_load(Oracle *o, const ClifFunc *fns, uint32_t n) {
    o->it.funcs.n = 0;
    o->it.slot_offsets.n = 0;
    hashmap_clear(&o->it.by_name);
    for (uint32_t k = 0; k < n; k++) interp_add(&o->it, &fns[k]);
    interp_add(&o->it, &o->driver);
    vec_clear(&o->it.data);
    interp_place(&o->it, clif_user_name(1, 0), INTERP_STACK_BASE);
    o->it.max_steps = 200000;
}
static inline InterpStatus or_interpret(Oracle *o, uint8_t *bytes, int *end, Diag *d) {
    SemValue args[OR_BYTES / 8];
    SemValues results = {0};
    for (uint32_t k = 0; k < OR_BYTES / 8; k++) {
        args[k] = (SemValue){.type = CLIF_I64};
        memcpy(&args[k].w[0], bytes + 8 * k, 8);
    }
    diag_clear(d);
    o->it.pinned = sem_int(CLIF_I64, 0);
    InterpStatus st = interp_call(&o->it, o->it.funcs.n - 1, args, OR_BYTES / 8, &results, d);
    memcpy(bytes, o->it.stack.p + INTERP_STACK_BASE, OR_BYTES);
    *end = st == INTERP_TRAP                                           ? (int)o->it.trap
           : st == INTERP_FAULT && strstr(d->msg, "debugtrap") != NULL ? OR_SIGNAL + SIGTRAP
                                                                       : 0;
    return st;
}

static inline void or_print(Oracle *o, const ClifFunc *fns, uint32_t n, StrBuf *sb) {
    (void)o;
    for (uint32_t k = 0; k < n; k++) {
        if (k) sb_puts(sb, "\n");
        clif_print_func(&fns[k], sb);
    }
}

/* ---- operands ---- */
static inline uint32_t or_below(uint64_t *g, uint32_t n) {
    return (uint32_t)((rnd(g) >> 32) * n >> 32);
}
/* One lane of a type: edge cases, values near them, and noise. */
static inline SemU128 or_lane(uint64_t *g, ClifType lane) {
    static const double floats[] = {0.0,
                                    -0.0,
                                    1.0,
                                    -1.0,
                                    0.5,
                                    -0.5,
                                    1.5,
                                    2.5,
                                    -2.5,
                                    127.0,
                                    128.0,
                                    255.5,
                                    -128.5,
                                    32767.5,
                                    65535.5,
                                    65536,
                                    2147483647.0,
                                    2147483648.0,
                                    4294967295,
                                    4294967296.0,
                                    -2147483648.5,
                                    -2147483649.0,
                                    9223372036854775807.0,
                                    -9223372036854775808.0,
                                    18446744073709551615.0,
                                    1e300,
                                    -1e300,
                                    1e-310,
                                    1e-40,
                                    3.4028234663852886e38,
                                    0.1,
                                    8388607.5};
    unsigned bits = clif_lane_bits(lane);
    SemU128 noise = (SemU128)rnd(g) << 64 | rnd(g),
            mask = bits == 128 ? ~(SemU128)0 : ((SemU128)1 << bits) - 1;
    uint32_t how = or_below(g, 8);
    if (clif_type_is_float(lane)) {
        if (how == 0) return noise & mask;
        unsigned mant = bits == 16 ? 10 : bits == 32 ? 23 : bits == 64 ? 52 : 112;
        SemU128 inf = mask >> 1 & ~(((SemU128)1 << mant) - 1), sign = (SemU128)1 << (bits - 1);
        if (how == 1) {
            static const uint8_t kinds = 6;
            switch (or_below(g, kinds)) {
            case 0: return inf;
            case 1: return inf | sign;
            case 2: return inf | (SemU128)1 << (mant - 1);
            case 3: return inf | (SemU128)1 << (mant - 1) | sign;
            case 4: return inf | 1;
            default: return 1;
            }
        }
        double x = floats[or_below(g, sizeof floats / sizeof *floats)];
        if (how == 2) x = (double)(int64_t)rnd(g) / (double)(1ull << or_below(g, 64));
        if (how == 3) x = (double)(int32_t)or_below(g, 200) - 100;
        if (bits == 64) {
            uint64_t r;
            memcpy(&r, &x, 8);
            return r;
        }
        if (bits == 32) {
            float y = (float)x;
            uint32_t r;
            memcpy(&r, &y, 4);
            return r;
        }
        SemU128 one = inf >> 1 & ~(((SemU128)1 << mant) - 1) & mask; /* about 1.0 */
        return (one + (noise & ((SemU128)15 << (mant - 2)))) | (how & 1 ? sign : 0);
    }
    if (how < 2) return noise & mask;
    if (how == 2) return (SemU128)1 << or_below(g, bits);
    if (how == 3) return (((SemU128)1 << or_below(g, bits)) - 1) & mask;
    if (how == 4) return (SemU128)(or_below(g, 5) + bits - 2) & mask;
    if (how == 5) return ((mask >> 1) + or_below(g, 3)) & mask;
    return ((SemU128)or_below(g, 7) - 3) & mask;
}
static inline void or_operand(uint64_t *g, ClifType t, uint8_t out[16]) {
    unsigned bytes = clif_lane_bits(t) / 8;
    uint64_t pad[2] = {rnd(g), rnd(g)};
    memcpy(out, pad, 16); /* what lies behind a narrow operand must not matter */
    for (unsigned k = 0; k < clif_type_lanes(t) && (k + 1) * bytes <= 16; k++) {
        SemU128 x = or_lane(g, clif_lane_type(t));
        memcpy(out + k * bytes, &x, bytes);
    }
}
/* A constant of a type that is representable in 128 bits. */
static inline ClifValue or_const(ClifBuilder *b, ClifType t, const uint8_t bits[16]) {
    uint64_t w[2];
    memcpy(w, bits, 16);
    if (clif_type_is_vector(t))
        return cb_ins1(
            b, or_data(CLIF_OP_VCONST, t, clif_intern_const(b->f, bits, clif_type_bytes(t)).i, 0),
            t);
    switch (t) {
    case CLIF_I128:
        return cb_binary(b, CLIF_OP_ICONCAT, cb_iconst(b, CLIF_I64, (int64_t)w[0]),
                         cb_iconst(b, CLIF_I64, (int64_t)w[1]));
    case CLIF_F16: return cb_ins1(b, or_data(CLIF_OP_F16CONST, 0, 0, (uint16_t)w[0]), CLIF_F16);
    case CLIF_F32: return cb_f32const(b, (uint32_t)w[0]);
    case CLIF_F64: return cb_f64const(b, w[0]);
    case CLIF_F128:
        return cb_ins1(b, or_data(CLIF_OP_F128CONST, 0, clif_intern_const(b->f, bits, 16).i, 0),
                       CLIF_F128);
    default: return cb_iconst(b, t, (int64_t)w[0]);
    }
}

/* ---- instructions from their rows ---- */
/* Is the payload of a NaN result unspecified? */
static inline bool or_nan_open(ClifOp op) {
    switch (op) {
    case CLIF_OP_FADD:
    case CLIF_OP_FSUB:
    case CLIF_OP_FMUL:
    case CLIF_OP_FDIV:
    case CLIF_OP_SQRT:
    case CLIF_OP_FMA:
    case CLIF_OP_FMIN:
    case CLIF_OP_FMAX:
    case CLIF_OP_CEIL:
    case CLIF_OP_FLOOR:
    case CLIF_OP_TRUNC:
    case CLIF_OP_NEAREST:
    case CLIF_OP_FPROMOTE:
    case CLIF_OP_FDEMOTE:
    case CLIF_OP_FVDEMOTE:
    case CLIF_OP_FVPROMOTE_LOW: return true;
    default: return false;
    }
}
/* Does value argument k hold an address? */
static inline bool or_is_address(ClifOp op, uint32_t k) {
    const ClifOpSpec *s = &clif_op_spec[op];
    if (!clif_op_is(op, CLIF_OPF_CAN_LOAD | CLIF_OPF_CAN_STORE)) return false;
    for (uint32_t j = 0; j < s->nargs; j++)
        if (s->args[j].kind == CLIF_OPK_VALUE && k-- == 0) return !strcmp(s->args[j].name, "p");
    return false;
}
/* How many choices of immediates an opcode has that should all be tried. */
static inline uint32_t or_variants(ClifOp op, ClifType ctrl) {
    const ClifOpSpec *s = &clif_op_spec[op];
    uint32_t n = op == CLIF_OP_BITCAST ? 3 : 1;
    for (uint32_t k = 0; k < s->nargs; k++) {
        if (s->args[k].kind == CLIF_OPK_INTCC) n *= 10;
        if (s->args[k].kind == CLIF_OPK_FLOATCC) n *= 14;
        if (s->args[k].kind == CLIF_OPK_RMWOP) n *= 11;
        if (s->args[k].kind == CLIF_OPK_UIMM8) n *= clif_type_lanes(ctrl);
        if (s->args[k].kind == CLIF_OPK_UIMM128) n *= 12;
        if (s->args[k].kind == CLIF_OPK_IMM64 || s->args[k].kind == CLIF_OPK_IEEE16 ||
            s->args[k].kind == CLIF_OPK_IEEE32 || s->args[k].kind == CLIF_OPK_IEEE64 ||
            s->args[k].kind == CLIF_OPK_CONSTANT)
            n *= 6;
    }
    return n;
}
/* The instruction with these value arguments and immediates number `variant`; false: an operand kind that needs a form of
 * its own (blocks, calls, slots, global values). */
static inline bool or_inst(ClifBuilder *b, ClifOp op, ClifType ctrl, const ClifValue *v,
                           uint32_t variant, uint64_t *g, ClifInst *out) {
    const ClifOpSpec *s = &clif_op_spec[op];
    ClifFunc *f = b->f;
    ClifInstData d = {.op = (uint8_t)op, .type = ctrl};
    uint32_t *field[3] = {&d.a, &d.b, &d.c}, nv = 0;
    for (uint32_t k = 0; k < s->nargs; k++)
        if (s->args[k].kind == CLIF_OPK_VALUE) *field[nv] = v[nv].i, nv++;
    for (uint32_t k = 0; k < s->nargs; k++) {
        uint8_t bits[16];
        switch ((ClifOperandKind)s->args[k].kind) {
        case CLIF_OPK_VALUE: break;
        case CLIF_OPK_OFFSET32: *field[nv] = or_below(g, 3) * 8; break;
        case CLIF_OPK_INTCC: d.aux = (uint16_t)(variant % 10); break;
        case CLIF_OPK_FLOATCC: d.aux = (uint16_t)(variant % 14); break;
        case CLIF_OPK_RMWOP: d.c = variant % 11; break;
        case CLIF_OPK_UIMM8: d.aux = (uint16_t)(variant % clif_type_lanes(ctrl)); break;
        case CLIF_OPK_TRAPCODE: d.aux = (uint16_t)(1 + or_below(g, 200)); break;
        case CLIF_OPK_MEMFLAGS: {
            ClifMemFlags m = {.region = CLIF_NONE};
            if (op == CLIF_OP_BITCAST) m.trap = CLIF_TRAP_HEAP_OUT_OF_BOUNDS; /* no flag */
            if (op == CLIF_OP_BITCAST && variant % 3)
                m.bits = variant % 3 == 1 ? CLIF_MEM_LITTLE : CLIF_MEM_BIG;
            else if (op != CLIF_OP_BITCAST && or_below(g, 2))
                m.trap = CLIF_TRAP_HEAP_OUT_OF_BOUNDS;
            d.aux = clif_intern_memflags(f, m);
            break;
        }
        case CLIF_OPK_IMM64:
        case CLIF_OPK_IEEE16:
        case CLIF_OPK_IEEE32:
        case CLIF_OPK_IEEE64: {
            SemU128 x = or_lane(g, op == CLIF_OP_F16CONST   ? CLIF_F16
                                   : op == CLIF_OP_F32CONST ? CLIF_F32
                                   : op == CLIF_OP_F64CONST ? CLIF_F64
                                                            : ctrl);
            d.b = (uint32_t)x;
            d.c = (uint32_t)(x >> 32);
            break;
        }
        case CLIF_OPK_UIMM128: /* several patterns that have instructions of their own */
            for (uint32_t j = 0; j < 16; j++) {
                uint32_t m = or_below(g, 32);
                if (variant == 1) m = j;
                if (variant == 2) m = (j & 1) * 16 + j / 2;
                if (variant == 3) m = 8 + (j & 1) * 16 + j / 2;
                if (variant == 4) m = j & 3 ? m : 0;
                if (variant == 5) m = 7;
                if (variant == 6) m = (j + 5) % 32;
                if (variant == 7) m = j ^ 1;
                if (variant == 8) m = (j ^ 12) + 16;
                if (variant == 9) m = j / 8 * 16 + j;
                bits[j] = (uint8_t)(variant == 10 ? (2 * j) : m);
            }
            d.c = clif_make_imm128(f, bits).i;
            break;
        case CLIF_OPK_CONSTANT:
            if (op != CLIF_OP_F128CONST && clif_type_bits(ctrl) > 128) return false;
            or_operand(g, op == CLIF_OP_F128CONST ? CLIF_F128 : ctrl, bits);
            if (variant % 6 == 0) memset(bits, 0, 16);
            if (variant % 6 == 1) memset(bits, 0xFF, 16);
            if (variant % 6 == 2) memset(bits, bits[0], 16);
            d.a =
                clif_intern_const(f, bits, op == CLIF_OP_F128CONST ? 16 : clif_type_bytes(ctrl)).i;
            break;
        default: return false;
        }
    }
    *out = cb_ins(b, d);
    return true;
}
static inline bool or_simple_operands(ClifOp op) { /* or_inst can make it */
    const ClifOpSpec *s = &clif_op_spec[op];
    if (op == CLIF_OP_GET_PINNED_REG || op == CLIF_OP_GET_FRAME_POINTER ||
        op == CLIF_OP_GET_STACK_POINTER || op == CLIF_OP_GET_RETURN_ADDRESS ||
        op == CLIF_OP_STACK_SWITCH || op == CLIF_OP_RETURN || op == CLIF_OP_DEBUGTRAP ||
        op == CLIF_OP_SET_PINNED_REG)
        return false;
    for (uint32_t k = 0; k < s->nargs; k++)
        if (s->args[k].kind == CLIF_OPK_VARARGS || s->args[k].kind >= CLIF_OPK_BLOCKCALL)
            return false;
    return true;
}

/* ---- all types of an opcode's value arguments ---- */
static inline bool or_small(ClifType t) {
    return !clif_type_is_dynamic(t) && clif_type_bits(t) <= 128;
}
/* All types: lanes of every kind, 1 to 256 of them, dynamic ones of 2 to 128. */
enum { OR_TYPES = 9 * 16 };
static inline ClifType or_type(uint32_t n) {
    return (ClifType)(n / 9 << 4 | (n % 9 + 1));
}
/* One choice of types after the other for the arguments that the controlling type leaves open. */
typedef struct OrArgs {
    ClifOp op;
    ClifType ctrl;
    uint32_t n;
    ClifType arg[4];
    ClifTypeSpec spec[4];
    uint32_t choice[4], limit[4];
    bool more;
} OrArgs;
static inline void or_args_begin(OrArgs *a, ClifOp op, ClifType ctrl) {
    const ClifOpSpec *s = &clif_op_spec[op];
    *a = (OrArgs){.op = op, .ctrl = ctrl, .more = true};
    for (uint32_t k = 0; k < s->nargs; k++)
        if (s->args[k].kind == CLIF_OPK_VALUE) a->spec[a->n++] = s->args[k].type;
    for (uint32_t k = 0; k < a->n; k++) {
        uint8_t cls = a->spec[k].cls;
        bool open = cls == CLIF_TC_SET || cls == CLIF_TC_LIKE || cls == CLIF_TC_NARROWER ||
                    cls == CLIF_TC_WIDER;
        bool controls = s->ctrl_mode == CLIF_CTRL_BY_ARG && s->ctrl_arg == k;
        a->limit[k] = open && !controls && !or_is_address(op, k) ? OR_TYPES : 1;
        a->arg[k] = controls               ? ctrl
                    : or_is_address(op, k) ? CLIF_I64
                    : open                 ? CLIF_INVALID
                                           : clif_type_apply(a->spec[k], ctrl);
        if (!open && a->arg[k] == CLIF_INVALID) a->more = false;
    }
}
static inline bool or_args_next(OrArgs *a) {
    while (a->more) {
        bool fits = true;
        for (uint32_t k = 0; k < a->n; k++) {
            if (a->limit[k] == 1) continue;
            a->arg[k] = or_type(a->choice[k]);
            fits &= (or_small(a->arg[k]) || !or_small(a->ctrl)) &&
                    clif_type_matches(a->spec[k], a->ctrl, a->arg[k]);
        }
        uint32_t k = 0;
        while (k < a->n && ++a->choice[k] == a->limit[k]) a->choice[k++] = 0;
        a->more = k < a->n;
        if (fits) return true;
    }
    return false;
}
#endif
