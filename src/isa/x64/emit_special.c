/* isa/x64/emit_special.c — instructions that are more than one row of the encoder: control flow, traps, division,
 * float conversions. Scratch: r11 and xmm15, which the allocator never gives out. Short forward jumps inside a
 * sequence are patched in place (skip/land). */
#include "isa/x64/x64.h"

static unsigned R(RaAlloc a) {
    return ra_alloc_preg(a) & 31;
}
static void rr(EmitCtx *e, uint32_t fl, unsigned size, unsigned opc, unsigned reg, unsigned rm) {
    x64_put(e, fl, size, opc, reg, 0, ea_reg(rm), 0, 0);
}
static void ri(EmitCtx *e, unsigned size, unsigned digit, unsigned rm, int32_t imm) { /* 81/83 */
    if (imm == (int8_t)imm)
        x64_put(e, XF_WS, size, 0x83, digit, 0, ea_reg(rm), 1, imm);
    else
        x64_put(e, XF_WS, size, 0x81, digit, 0, ea_reg(rm), 4, imm);
}
static void test(EmitCtx *e, unsigned size, unsigned r) {
    rr(e, XF_WS, size, 0x85, r, r);
}

/* a short forward jump (cc 16 = always); land() ends it */
static uint32_t skip(EmitCtx *e, unsigned cc) {
    uint8_t b[2] = {cc == 16 ? 0xEB : (uint8_t)(0x70 | cc), 0};
    x64_put_bytes(e, b, 2);
    return machbuf_offset(e->buf);
}
static void land(EmitCtx *e, uint32_t from) {
    uint32_t d = machbuf_offset(e->buf) - from;
    COT_ASSERT(d < 128);
    e->buf->code.p[from - 1] = (uint8_t)d;
    machbuf_landing(e->buf);
}
static void trap_cc(EmitCtx *e, unsigned cc, ClifTrap code) {
    x64_put_jcc_raw(e, cc, machbuf_trap_label(e->buf, code));
}

/* ---- control flow ---- */
static void jcc(EmitCtx *e, unsigned cc, MachLabel l) {
    uint8_t b[6] = {0x0F, (uint8_t)(0x80 | cc), 0, 0, 0, 0},
            inv[6] = {0x0F, (uint8_t)(0x80 | (cc ^ 1)), 0, 0, 0, 0};
    machbuf_cond_branch(e->buf, 6, 2, l, X64_LABEL_REL32, inv);
    x64_put_bytes(e, b, 6);
}

static void emit_jcc(EmitCtx *e, const MachInst *mi) {
    MachLabel t = mi->aux, f = mi->aux2;
    switch ((X64CondKind)mi->b[5]) {
    case COND_ONE: jcc(e, mi->b[1], t); break;
    case COND_OR:
        x64_put_jcc_raw(e, mi->b[1], t);
        jcc(e, mi->b[4], t);
        break;
    case COND_AND:
        x64_put_jcc_raw(e, mi->b[1] ^ 1u, f);
        jcc(e, mi->b[4], t);
        break;
    }
    x64_put_jmp(e, f);
}

/* targets: jt_targets[aux .. aux + n], the last is the default. Few: a chain of compares; else a table, whose last entry is
 * the default. The index is clamped to it by a conditional move, not by a branch, so no speculated load leaves the table. */
static void emit_br_table(EmitCtx *e, const MachInst *mi, const RaAlloc *al) {
    uint32_t n = (uint32_t)mi->imm;
    const uint32_t *t = e->jt_targets + mi->aux;
    unsigned idx = R(al[0]), tmp = R(al[1]);
    if (n <= 4) {
        for (uint32_t i = 0; i < n; i++) {
            if (i == 0)
                test(e, 2, idx);
            else
                ri(e, 2, 7, idx, (int32_t)i);
            x64_put_jcc_raw(e, CC_E, t[i]);
        }
        x64_put_jmp(e, t[n]);
        return;
    }
    x64_put_mov_imm(e, tmp, n);
    rr(e, 0, 2, 0x3B, idx, tmp);
    rr(e, XF_M0F, 2, 0x42, tmp, idx); /* cmovb */
    MachLabel table = machbuf_new_label(e->buf);
    X64Ea ea = {.kind = XK_MEM, .base = 255, .index = 255, .label = table};
    x64_put(e, XF_W, 3, 0x8D, X64_TMP, 0, ea, 0, 0);
    X64Ea entry = {.kind = XK_MEM, .base = X64_TMP, .index = (uint8_t)tmp, .scale = 2};
    x64_put(e, XF_W, 3, 0x63, tmp, 0, entry, 0, 0);
    rr(e, XF_W, 3, 0x03, tmp, X64_TMP);
    rr(e, 0, 2, 0xFF, 4, tmp);
    machbuf_dead_end(e->buf);
    machbuf_bind(e->buf, table);
    for (uint32_t i = 0; i <= n; i++) {
        uint32_t addend = 4 * i;
        machbuf_use_label(e->buf, machbuf_offset(e->buf), t[i], X64_LABEL_TABLE);
        x64_put_bytes(e, &addend, 4);
    }
    machbuf_dead_end(e->buf);
}

static void put_rel32(EmitCtx *e, const char *opcode, unsigned n, MachRelocKind k, ClifName name) {
    machbuf_reloc(e->buf, machbuf_offset(e->buf) + n, k, name, -4);
    x64_put_bytes(e, opcode, n);
    x64_put_bytes(e, "\0\0\0", 4);
}

/* reg = address of name + addend */
static void put_symbol(EmitCtx *e, unsigned reg, ClifName name, int64_t addend, bool near) {
    uint8_t b[10] = {(uint8_t)(0x48 | (reg >> 3 & 1)), (uint8_t)(0xB8 | (reg & 7))};
    uint8_t mem[3] = {(uint8_t)(0x48 | (reg >> 3 & 1) << 2), 0x8D, (uint8_t)(5 | (reg & 7) << 3)};
    if (e->set->is_pic) { /* the table's entry holds the symbol's own address */
        mem[1] = 0x8B;
        put_rel32(e, (const char *)mem, 3, MACH_RELOC_X86_MOV_GOTPCREL4, name);
        if (addend == (int32_t)addend) {
            if (addend) ri(e, 3, 0, reg, (int32_t)addend);
        } else {
            COT_ASSERT(reg != X64_TMP);
            x64_put_mov_imm(e, X64_TMP, (uint64_t)addend);
            rr(e, XF_W, 3, 0x03, reg, X64_TMP);
        }
        return;
    }
    if (near) {
        machbuf_reloc(e->buf, machbuf_offset(e->buf) + 3, MACH_RELOC_X86_PCREL4, name, addend - 4);
        x64_put_bytes(e, mem, 3);
        x64_put_bytes(e, "\0\0\0", 4);
        return;
    }
    machbuf_reloc(e->buf, machbuf_offset(e->buf) + 2, MACH_RELOC_ABS8, name, addend);
    x64_put_bytes(e, b, 10);
}

/* digit 2: call, 4: jump. near: the linker or JIT resolves a 32-bit distance; else to any distance, through r11 or the table of
 * addresses. */
static void put_transfer(EmitCtx *e, unsigned digit, ClifName name, bool near) {
    if (near) {
        put_rel32(e, digit == 2 ? "\xE8" : "\xE9", 1, MACH_RELOC_X86_CALL_PCREL4, name);
    } else if (e->set->is_pic) {
        put_rel32(e, digit == 2 ? "\xFF\x15" : "\xFF\x25", 2, MACH_RELOC_X86_GOTPCREL4, name);
    } else {
        put_symbol(e, X64_TMP, name, 0, false);
        rr(e, 0, 2, 0xFF, digit, X64_TMP);
    }
}
void x64_put_libcall(EmitCtx *e, ClifLibCall lc) {
    put_transfer(e, 2, (ClifName){CLIF_NAME_LIBCALL, lc, 0}, e->set->use_colocated_libcalls);
}

void x64_emit_trap_stub(EmitCtx *e, ClifTrap code) {
    bool early = e->early_trap && e->stub == e->early_trap;
    if (early) x64_unwind_early(e);
    if (e->set->explicit_traps) {
        x64_put_mov_imm(e, RDI, code);
        x64_put_libcall(e, CLIF_LIBCALL_RAISE_TRAP);
        machbuf_call_site(e->buf);
        machbuf_trap(e->buf, code);
    } else {
        machbuf_trap(e->buf, code);
        x64_put_bytes(e, "\x0F\x0B", 2);
    }
    if (early) x64_unwind_early_end(e);
    machbuf_dead_end(e->buf);
}

static ClifName name_of(const MachInst *mi) {
    return (ClifName){mi->b[1], mi->aux, mi->aux2};
}

/* The handlers of a try_call. Its labels start at jt_targets[imm], the normal return first; the last operands are contexts. */
static void call_handlers(EmitCtx *e, const MachInst *mi, const RaAlloc *end) {
    const ClifEhTableData *t = &e->f->eh_tables.p[mi->aux3 - 1];
    const ClifEhItem *items = t->n ? e->f->eh_items.p + t->first : NULL;
    const uint32_t *label = e->jt_targets + mi->imm + 1;
    for (uint32_t k = 0; k < t->n; k++) end -= items[k].kind == CLIF_EH_CONTEXT;
    for (uint32_t k = 0; k < t->n; k++) {
        MachHandler h = {MACH_HANDLER_CONTEXT, RA_PREG_NONE, 0, 0};
        if (items[k].kind == CLIF_EH_CONTEXT) {
            RaAlloc a = *end++;
            if (ra_is_reg(a))
                h.reg = ra_alloc_preg(a);
            else
                h.offset = e->frame.spill_off + 8 * ra_alloc_slot_index(a);
        } else {
            h.kind = items[k].kind == CLIF_EH_TAG ? MACH_HANDLER_TAG : MACH_HANDLER_DEFAULT;
            h.tag = items[k].kind == CLIF_EH_TAG ? items[k].tag : 0;
            h.offset = *label++;
        }
        machbuf_handler(e->buf, h);
    }
}

static void emit_call(EmitCtx *e, const MachInst *mi, const RaAlloc *al, uint32_t nops) {
    if (mi->op == X64_CALL)
        put_transfer(e, 2, name_of(mi), mi->b[5]);
    else
        rr(e, 0, 2, 0xFF, 2, R(al[0]));
    machbuf_call_site(e->buf);
    if (mi->aux3) call_handlers(e, mi, al + nops);
    if (mi->disp) ri(e, 3, 5, RSP, mi->disp); /* what the callee popped */
    if (mi->aux3) x64_put_jmp(e, e->jt_targets[mi->imm]);
}

static void emit_tail_call(EmitCtx *e, const MachInst *mi) {
    x64_tail_epilogue(e, (uint32_t)mi->disp);
    if (mi->op == X64_TAIL_CALL)
        put_transfer(e, 4, name_of(mi), mi->b[5]);
    else
        rr(e, 0, 2, 0xFF, 4, R10);
    x64_tail_epilogue_end(e);
    machbuf_dead_end(e->buf);
}

/* The byte sequences that linkers know (ELF: Drepper, "ELF Handling for Thread-Local Storage", 4.1.6). */
static void emit_tls(EmitCtx *e, const MachInst *mi) {
    ClifName name = name_of(mi);
    switch (e->set->tls_model) {
    case MACH_TLS_ELF_GD:
        put_rel32(e, "\x66\x48\x8D\x3D", 4, MACH_RELOC_ELF_X86_TLSGD, name);
        put_rel32(e, "\x66\x66\x48\xE8", 4, MACH_RELOC_X86_CALL_PLT,
                  (ClifName){CLIF_NAME_LIBCALL, CLIF_LIBCALL_ELF_TLS_GET_ADDR, 0});
        machbuf_call_site(e->buf);
        return;
    case MACH_TLS_MACHO:
        put_rel32(e, "\x48\x8B\x3D", 3, MACH_RELOC_MACHO_X86_TLV, name);
        x64_put_bytes(e, "\xFF\x17", 2); /* call *(%rdi) */
        machbuf_call_site(e->buf);
        return;
    case MACH_TLS_COFF: /* the thread's table of modules is at 88 of its block */
        put_rel32(e, "\x8B\x05", 2, MACH_RELOC_X86_PCREL4,
                  (ClifName){CLIF_NAME_KNOWN, CLIF_KNOWN_COFF_TLS_INDEX, 0});
        x64_put_bytes(e, "\x65\x48\x8B\x0C\x25\x58\0\0\0", 9); /* mov %gs:88, %rcx */
        x64_put_bytes(e, "\x48\x8B\x04\xC1", 4);               /* mov (%rcx,%rax,8), %rax */
        machbuf_reloc(e->buf, machbuf_offset(e->buf) + 3, MACH_RELOC_COFF_X86_SECREL, name, 0);
        x64_put_bytes(e, "\x48\x8D\x80\0\0\0\0", 7); /* lea symbol(%rax), %rax */
        return;
    default: COT_BUG("x64: no such model of thread-local storage");
    }
}

/* ---- division: u rax, u divisor, d rax, d rdx (early) ---- imm: least dividend; b[1]: 1 signed, 2 remainder, 4 divisor
 * is known not 0, 8 known not -1 */
static void emit_divrem(EmitCtx *e, const MachInst *mi, const RaAlloc *al) {
    unsigned size = mi->b[0], d = R(al[1]), fl = mi->b[1];
    if (!(fl & 4)) {
        test(e, size, d);
        trap_cc(e, CC_E, CLIF_TRAP_INTEGER_DIVISION_BY_ZERO);
    }
    if (!(fl & 1)) {
        rr(e, 0, 2, 0x33, RDX, RDX);
        rr(e, XF_WS, size, 0xF7, 6, d);
        return;
    }
    uint32_t done = 0;
    if (!(fl & 8)) {
        ri(e, size, 7, d, -1);
        uint32_t fine = skip(e, CC_NE);
        if (fl & 2) {
            rr(e, 0, 2, 0x33, RDX, RDX);
            done = skip(e, 16);
        } else {
            int64_t least = (int64_t)mi->imm;
            if (size == 3) {
                x64_put_mov_imm(e, X64_TMP, (uint64_t)least);
                rr(e, XF_W, 3, 0x3B, RAX, X64_TMP);
            } else {
                ri(e, 2, 7, RAX, (int32_t)least);
            }
            trap_cc(e, CC_E, CLIF_TRAP_INTEGER_OVERFLOW);
        }
        land(e, fine);
    }
    x64_put_bytes(e, size == 3 ? "\x48\x99" : "\x99", size == 3 ? 2 : 1);
    rr(e, XF_WS, size, 0xF7, 7, d);
    if (done) land(e, done);
}

/* ---- floats ---- fs = size of the float (2, 3) */
static void ucomis(EmitCtx *e, unsigned fs, unsigned a, unsigned b) {
    rr(e, XF_FPC | XF_M0F, fs, 0x2E, a, b);
}
static void cvtt(EmitCtx *e, unsigned fs, unsigned is, unsigned d,
                 unsigned x) { /* cvttss2si, cvttsd2si */
    rr(e, XF_FP | XF_M0F | (is == 3 ? XF_W : 0), fs, 0x2C, d, x);
}
static void load_float(EmitCtx *e, unsigned fs, double v) { /* xmm15 = v */
    uint64_t bits;
    float f = (float)v;
    uint32_t b32;
    memcpy(&bits, &v, 8);
    memcpy(&b32, &f, 4);
    x64_put_mov_imm(e, X64_TMP, fs == 3 ? bits : b32);
    rr(e, XF_P66 | XF_M0F | XF_W, 3, 0x6E, X64_XTMP, X64_TMP);
}
static void zero_xtmp(EmitCtx *e) {
    rr(e, XF_M0F, 2, 0x57, X64_XTMP, X64_XTMP);
}

/* b[0] integer size, b[5] float size, b[1] saturating */
static void emit_cvt_sint(EmitCtx *e, const MachInst *mi, const RaAlloc *al) {
    unsigned is = mi->b[0], fs = mi->b[5], d = R(al[0]), x = R(al[1]);
    cvtt(e, fs, is, d, x);
    ri(e, is, 7, d, 1); /* overflows only for the value that means "does not fit" */
    uint32_t ok = skip(e, CC_NO), ok2 = 0, ok3;
    ucomis(e, fs, x, x);
    if (mi->b[1]) {
        uint32_t num = skip(e, CC_NP);
        rr(e, 0, 2, 0x33, d, d);
        ok2 = skip(e, 16);
        land(e, num);
        zero_xtmp(e);
        ucomis(e, fs, X64_XTMP, x);
        ok3 = skip(e, CC_AE);
        x64_put_mov_imm(e, d, is == 3 ? INT64_MAX : INT32_MAX);
        land(e, ok3);
        land(e, ok2);
    } else {
        trap_cc(e, CC_P, CLIF_TRAP_BAD_CONVERSION_TO_INTEGER);
        bool wide = fs == 3 && is == 2; /* values between -2^31 - 1 and -2^31 exist */
        load_float(e, fs, wide ? -2147483649.0 : is == 3 ? -9223372036854775808.0 : -2147483648.0);
        ucomis(e, fs, x, X64_XTMP);
        trap_cc(e, wide ? CC_BE : CC_B, CLIF_TRAP_INTEGER_OVERFLOW);
        zero_xtmp(e);
        ucomis(e, fs, X64_XTMP, x);
        trap_cc(e, CC_B, CLIF_TRAP_INTEGER_OVERFLOW);
    }
    land(e, ok);
}

static void emit_cvt_uint32(EmitCtx *e, const MachInst *mi, const RaAlloc *al) {
    unsigned fs = mi->b[5], d = R(al[0]), x = R(al[1]);
    cvtt(e, fs, 3, d, x);
    rr(e, 0, 2, 0x8B, X64_TMP, d);
    rr(e, XF_W, 3, 0x3B, X64_TMP, d);
    uint32_t ok = skip(e, CC_E);
    if (mi->b[1]) {
        rr(e, 0, 2, 0x33, d, d);
        zero_xtmp(e);
        ucomis(e, fs, x, X64_XTMP);
        uint32_t low = skip(e, CC_BE);
        x64_put_mov_imm(e, d, UINT32_MAX);
        land(e, low);
    } else {
        ucomis(e, fs, x, x);
        trap_cc(e, CC_P, CLIF_TRAP_BAD_CONVERSION_TO_INTEGER);
        x64_put_jmp(e, machbuf_trap_label(e->buf, CLIF_TRAP_INTEGER_OVERFLOW));
    }
    land(e, ok);
}

/* With AVX-512 the processor converts, to all ones if the value does not fit; no float is that number. */
static void emit_cvt_uint64_512(EmitCtx *e, const MachInst *mi, const RaAlloc *al) {
    unsigned fs = mi->b[5], d = R(al[0]), x = R(al[1]);
    rr(e, XF_EVEX | XF_FP | XF_M0F | XF_W, fs, 0x78, d, x);
    ri(e, 3, 7, d, -1);
    uint32_t ok = skip(e, CC_NE), large = 0;
    if (mi->b[1]) {
        zero_xtmp(e);
        ucomis(e, fs, x, X64_XTMP);
        large = skip(e, CC_A);
        rr(e, 0, 2, 0x33, d, d); /* negative, NaN */
        land(e, large);
    } else {
        ucomis(e, fs, x, x);
        trap_cc(e, CC_P, CLIF_TRAP_BAD_CONVERSION_TO_INTEGER);
        x64_put_jmp(e, machbuf_trap_label(e->buf, CLIF_TRAP_INTEGER_OVERFLOW));
    }
    land(e, ok);
}

static void emit_cvt_uint64(EmitCtx *e, const MachInst *mi, const RaAlloc *al) {
    unsigned fs = mi->b[5], d = R(al[0]), x = R(al[1]);
    bool sat = mi->b[1];
    uint32_t none = 0, done;
    if (sat) {
        rr(e, 0, 2, 0x33, d, d);
        zero_xtmp(e);
        ucomis(e, fs, x, X64_XTMP);
        none = skip(e, CC_BE); /* negative, zero, NaN */
    }
    load_float(e, fs, 9223372036854775808.0);
    ucomis(e, fs, x, X64_XTMP);
    if (!sat) trap_cc(e, CC_P, CLIF_TRAP_BAD_CONVERSION_TO_INTEGER);
    uint32_t big = skip(e, CC_AE);
    cvtt(e, fs, 3, d, x);
    if (!sat) {
        test(e, 3, d);
        trap_cc(e, CC_S, CLIF_TRAP_INTEGER_OVERFLOW);
    }
    done = skip(e, 16);
    land(e, big);
    load_float(e, fs, -9223372036854775808.0);
    rr(e, XF_FP | XF_M0F, fs, 0x58, X64_XTMP, x);
    cvtt(e, fs, 3, d, X64_XTMP);
    test(e, 3, d);
    uint32_t over = 0, fine = 0;
    if (sat) {
        fine = skip(e, CC_NS);
        x64_put_mov_imm(e, d, UINT64_MAX);
        over = skip(e, 16);
        land(e, fine);
    } else {
        trap_cc(e, CC_S, CLIF_TRAP_INTEGER_OVERFLOW);
    }
    x64_put_mov_imm(e, X64_TMP, (uint64_t)1 << 63);
    rr(e, XF_W, 3, 0x33, d, X64_TMP);
    if (sat) {
        land(e, over);
        land(e, none);
    }
    land(e, done);
}

static void emit_cvt_from_u64(EmitCtx *e, const MachInst *mi, const RaAlloc *al) {
    unsigned fs = mi->b[5], d = R(al[0]), x = R(al[1]);
    uint32_t cvt = XF_FP | XF_M0F | XF_W;
    rr(e, XF_M0F, 2, 0x57, d, d);
    test(e, 3, x);
    uint32_t neg = skip(e, CC_S);
    rr(e, cvt, fs, 0x2A, d, x);
    uint32_t done = skip(e, 16);
    land(e, neg); /* halve, keeping the lowest bit sticky; convert; double */
    rr(e, XF_W, 3, 0x8B, X64_TMP, x);
    rr(e, XF_W, 3, 0xD1, 5, X64_TMP);
    uint32_t even = skip(e, CC_AE);
    ri(e, 3, 1, X64_TMP, 1);
    land(e, even);
    rr(e, cvt, fs, 0x2A, d, X64_TMP);
    rr(e, XF_FP | XF_M0F, fs, 0x58, d, d);
    land(e, done);
}

/* d=1 a, b; b[1]: maximum. NaN wins; -0 < +0. */
static void emit_fminmax(EmitCtx *e, const MachInst *mi, const RaAlloc *al) {
    unsigned fs = mi->b[0], d = R(al[0]), b = R(al[2]);
    bool max = mi->b[1];
    ucomis(e, fs, d, b);
    uint32_t differ = skip(e, CC_NE), nan = skip(e, CC_P);
    rr(e, XF_M0F, 2, max ? 0x54 : 0x56, d, b); /* equal: only the signs of zeros may differ */
    uint32_t done = skip(e, 16);
    land(e, nan);
    rr(e, XF_FP | XF_M0F, fs, 0x58, d, b);
    uint32_t done2 = skip(e, 16);
    land(e, differ);
    rr(e, XF_FP | XF_M0F, fs, max ? 0x5F : 0x5D, d, b);
    land(e, done);
    land(e, done2);
}

static void emit_count_zeros(EmitCtx *e, const MachInst *mi, const RaAlloc *al) {
    unsigned size = mi->b[0], d = R(al[0]), x = R(al[1]);
    bool lead = mi->op == X64_CLZ;
    unsigned bits = size == 3 ? 64 : 32;
    rr(e, XF_M0F | XF_WS, size, lead ? 0xBD : 0xBC, d, x);
    x64_put_mov_imm(e, X64_TMP, lead ? 2 * bits - 1 : bits);
    rr(e, XF_M0F | XF_WS, size, 0x44, d, X64_TMP); /* cmovz */
    if (lead) ri(e, size, 6, d, (int32_t)bits - 1);
}

/* ---- atomics ---- */
static void put_locked(EmitCtx *e, unsigned opcode, unsigned size, unsigned reg, X64Ea ea) {
    x64_put_bytes(e, "\xF0", 1);
    x64_put(e, XF_M0F | XF_WS | XF_O16 | XF_B8, size, opcode, reg, 0, ea, 0, 0);
}

/* d rax (early), u operand, memory; b[1]: ClifRmwOp. The new value is in r11. */
static void emit_rmw(EmitCtx *e, const MachInst *mi, const RaAlloc *al) {
    static const struct {
        uint8_t opcode,
            cc; /* of the operation; without: of the comparison after which the operand wins */
    } how[] = {
        [CLIF_RMW_AND] = {0x23, 0},  [CLIF_RMW_NAND] = {0x23, 0}, [CLIF_RMW_OR] = {0x0B, 0},
        [CLIF_RMW_XOR] = {0x33, 0},  [CLIF_RMW_UMIN] = {0, CC_A}, [CLIF_RMW_UMAX] = {0, CC_B},
        [CLIF_RMW_SMIN] = {0, CC_G}, [CLIF_RMW_SMAX] = {0, CC_L}};
    unsigned size = mi->b[0], wide = size < 2 ? 2 : size, x = R(al[1]), op = mi->b[1];
    X64Ea ea = x64_ea(e, mi, al + 2);
    if (size < 2)
        x64_put(e, XF_M0F, 2, 0xB6 + size, RAX, 0, ea, 0, 0);
    else
        x64_put(e, XF_WS, size, 0x8B, RAX, 0, ea, 0, 0);
    machbuf_landing(e->buf);
    uint32_t again = machbuf_offset(e->buf);
    rr(e, XF_W, 3, 0x8B, X64_TMP, RAX);
    if (how[op].opcode) {
        rr(e, XF_WS, wide, how[op].opcode, X64_TMP, x);
        if (op == CLIF_RMW_NAND) rr(e, XF_WS, wide, 0xF7, 2, X64_TMP);
    } else {
        rr(e, XF_WS | XF_O16 | XF_B8, size, 0x3B, X64_TMP, x);
        rr(e, XF_M0F | XF_WS, wide, 0x40u | how[op].cc, X64_TMP, x);
    }
    put_locked(e, 0xB1, size, X64_TMP, x64_ea(e, mi, al + 2));
    uint8_t back[2] = {0x75, (uint8_t)(again - machbuf_offset(e->buf) - 2)};
    x64_put_bytes(e, back, 2);
}

static void cmpxchg16b(EmitCtx *e, X64Ea ea) {
    x64_put_bytes(e, "\xF0", 1);
    x64_put(e, XF_M0F | XF_W, 3, 0xC7, 1, 0, ea, 0, 0);
}

/* d rax, d rdx, u rax, u rdx (what memory is thought to hold), d rbx, d rcx (early; the new value), u operand low and high,
 * memory; b[1]: ClifRmwOp. Comparisons: rbx and rcx are the operand where the old value is not on the wanted side of it. */
static void emit_rmw128(EmitCtx *e, const MachInst *mi, const RaAlloc *al) {
    static const struct {
        uint8_t low, high, cc; /* opcodes of both halves, or the condition that the operand wins */
    } how[] = {[CLIF_RMW_ADD] = {0x03, 0x13, 0},  [CLIF_RMW_SUB] = {0x2B, 0x1B, 0},
               [CLIF_RMW_AND] = {0x23, 0x23, 0},  [CLIF_RMW_NAND] = {0x23, 0x23, 0},
               [CLIF_RMW_OR] = {0x0B, 0x0B, 0},   [CLIF_RMW_XOR] = {0x33, 0x33, 0},
               [CLIF_RMW_XCHG] = {0x8B, 0x8B, 0}, [CLIF_RMW_UMIN] = {0, 0, CC_AE},
               [CLIF_RMW_UMAX] = {0, 0, CC_B},    [CLIF_RMW_SMIN] = {0, 0, CC_GE},
               [CLIF_RMW_SMAX] = {0, 0, CC_L}};
    unsigned op = mi->b[1], lo = R(al[6]), hi = R(al[7]);
    uint32_t again = machbuf_offset(e->buf);
    machbuf_landing(e->buf);
    if (!how[op].low) {
        rr(e, XF_W, 3, 0x8B, RCX, RDX);
        rr(e, XF_W, 3, 0x3B, RAX, lo);
        rr(e, XF_W, 3, 0x1B, RCX, hi);
    }
    rr(e, XF_W, 3, 0x8B, RBX, RAX);
    rr(e, XF_W, 3, 0x8B, RCX, RDX);
    if (how[op].low) {
        rr(e, XF_W, 3, how[op].low, RBX, lo);
        rr(e, XF_W, 3, how[op].high, RCX, hi);
    } else {
        rr(e, XF_M0F | XF_W, 3, 0x40u | how[op].cc, RBX, lo);
        rr(e, XF_M0F | XF_W, 3, 0x40u | how[op].cc, RCX, hi);
    }
    if (op == CLIF_RMW_NAND) {
        rr(e, XF_W, 3, 0xF7, 2, RBX);
        rr(e, XF_W, 3, 0xF7, 2, RCX);
    }
    cmpxchg16b(e, x64_ea(e, mi, al + 8));
    uint8_t back[2] = {0x75, (uint8_t)(again - machbuf_offset(e->buf) - 2)};
    x64_put_bytes(e, back, 2);
}

void x64_emit_special(EmitCtx *e, const MachInst *mi, const RaOperand *ops, const RaAlloc *al,
                      uint32_t nops) {
    (void)ops;
    switch (mi->op) {
    case X64_ARGS: return;
    case X64_RET:
        x64_epilogue(e);
        machbuf_dead_end(e->buf);
        return;
    case X64_CALL:
    case X64_CALL_R: emit_call(e, mi, al, nops); return;
    case X64_TAIL_CALL:
    case X64_TAIL_CALL_R: emit_tail_call(e, mi); return;
    case X64_LANDING: return;
    case X64_REP_MOVS: x64_put_bytes(e, "\xF3\x48\xA5", 3); return;
    case X64_TLS: emit_tls(e, mi); return;
    case X64_LABEL_ADDRESS: {
        X64Ea ea = {.kind = XK_MEM, .base = 255, .index = 255, .label = mi->aux};
        x64_put(e, XF_W, 3, 0x8D, R(al[0]), 0, ea, 0, 0);
        return;
    }
    case X64_GET_PINNED: rr(e, XF_W, 3, 0x8B, R(al[0]), R15); return;
    case X64_SET_PINNED: rr(e, XF_W, 3, 0x8B, R15, R(al[0])); return;
    case X64_JMP: x64_put_jmp(e, mi->aux); return;
    case X64_JCC: emit_jcc(e, mi); return;
    case X64_BR_TABLE: emit_br_table(e, mi, al); return;
    case X64_TRAP: x64_emit_trap_stub(e, (ClifTrap)mi->aux); return;
    case X64_TRAPIF:
        switch ((X64CondKind)mi->b[5]) {
        case COND_ONE: trap_cc(e, mi->b[1], (ClifTrap)mi->aux); return;
        case COND_OR:
            trap_cc(e, mi->b[1], (ClifTrap)mi->aux);
            trap_cc(e, mi->b[4], (ClifTrap)mi->aux);
            return;
        case COND_AND: {
            uint32_t no = skip(e, mi->b[1] ^ 1u);
            trap_cc(e, mi->b[4], (ClifTrap)mi->aux);
            land(e, no);
            return;
        }
        }
        return;
    case X64_ZERO: rr(e, 0, 2, 0x33, R(al[0]), R(al[0])); return;
    case X64_XZERO: rr(e, XF_M0F, 2, 0x57, R(al[0]), R(al[0])); return;
    case X64_XONES: rr(e, XF_P66 | XF_M0F, 2, 0x76, R(al[0]), R(al[0])); return;
    case X64_INT3: x64_put_bytes(e, "\xCC", 1); return;
    case X64_BSWAP: {
        unsigned d = R(al[0]);
        uint8_t b[3] = {(uint8_t)(0x40 | (mi->b[0] == 3 ? 8 : 0) | d >> 3), 0x0F,
                        (uint8_t)(0xC8 | (d & 7))};
        bool rex = b[0] != 0x40;
        x64_put_bytes(e, b + !rex, 2u + rex);
        return;
    }
    case X64_DIVREM: emit_divrem(e, mi, al); return;
    case X64_CLZ:
    case X64_CTZ: emit_count_zeros(e, mi, al); return;
    case X64_XCMOV: { /* d=1 if false, u if true */
        uint32_t no = skip(e, mi->b[1] ^ 1u);
        rr(e, XF_M0F, 2, 0x28, R(al[0]), R(al[2]));
        land(e, no);
        return;
    }
    case X64_FMINMAX: emit_fminmax(e, mi, al); return;
    case X64_CVT_SINT: emit_cvt_sint(e, mi, al); return;
    case X64_CVT_UINT:
        if (mi->b[0] == 3 && x64_has(e->set, X64_HAS_AVX512F))
            emit_cvt_uint64_512(e, mi, al);
        else if (mi->b[0] == 3)
            emit_cvt_uint64(e, mi, al);
        else
            emit_cvt_uint32(e, mi, al);
        return;
    case X64_CVT_FROM_U64: emit_cvt_from_u64(e, mi, al); return;
    case X64_SYM: put_symbol(e, R(al[0]), name_of(mi), (int64_t)mi->imm, mi->b[5]); return;
    case X64_MOVSP: rr(e, XF_W, 3, 0x8B, R(al[0]), RSP); return;
    case X64_MOVFP: rr(e, XF_W, 3, 0x8B, R(al[0]), RBP); return;
    case X64_MFENCE: x64_put_bytes(e, "\x0F\xAE\xF0", 3); return;
    case X64_XADD:
    case X64_CMPXCHG: {
        bool add = mi->op == X64_XADD;
        put_locked(e, add ? 0xC1 : 0xB1, mi->b[0], R(al[add ? 1 : 2]),
                   x64_ea(e, mi, al + (add ? 2 : 3)));
        return;
    }
    case X64_RMW: emit_rmw(e, mi, al); return;
    case X64_CMPXCHG16B: cmpxchg16b(e, x64_ea(e, mi, al + 6)); return;
    case X64_RMW16B: emit_rmw128(e, mi, al); return;
    case X64_XCHG:
        x64_put(e, XF_WS | XF_O16 | XF_B8, mi->b[0], 0x87, R(al[0]), 0, x64_ea(e, mi, al + 2), 0,
                0);
        return;
    default: COT_BUG("x64: no emission for %s", x64_rows[mi->op].text);
    }
}
